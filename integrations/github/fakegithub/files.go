package fakegithub

import (
	"maps"
	"slices"
	"strings"
)

// A change is what became of one file.
type change struct {
	path, from           string // from: where it was, if renamed
	status               string
	sha                  string // the blob, of a removed file the last one
	additions, deletions int
}

// diff says how to come from old to new, blobs by path, in the order of paths.
func (g *graph) diff(old, new map[string]string) []change {
	var list []change
	var added, removed []string
	for _, path := range slices.Sorted(maps.Keys(new)) {
		switch was, ok := old[path]; {
		case !ok:
			added = append(added, path)
		case was != new[path]:
			list = append(list, g.change("modified", path, was, new[path]))
		}
	}
	for _, path := range slices.Sorted(maps.Keys(old)) {
		if _, ok := new[path]; !ok {
			removed = append(removed, path)
		}
	}
	for _, path := range added {
		from, best := -1, 0.5
		for i, gone := range removed {
			if like := g.alike(old[gone], new[path]); like > best || like == best && from < 0 {
				from, best = i, like
			}
		}
		if from < 0 {
			list = append(list, g.change("added", path, "", new[path]))
			continue
		}
		c := g.change("renamed", path, old[removed[from]], new[path])
		c.from = removed[from]
		list = append(list, c)
		removed = slices.Delete(removed, from, from+1)
	}
	for _, path := range removed {
		list = append(list, g.change("removed", path, old[path], ""))
	}
	slices.SortFunc(list, func(a, b change) int { return strings.Compare(a.path, b.path) })
	return list
}

func (g *graph) change(status, path, old, new string) change {
	c := change{path: path, status: status, sha: new}
	if new == "" {
		c.sha = old
	}
	if old != new {
		c.additions, c.deletions = count(g.lines(old), g.lines(new))
	}
	return c
}

// lines are those of a blob, with their ends.
func (g *graph) lines(blob string) []string {
	list := strings.SplitAfter(string(g.objects[blob].data), "\n")
	if list[len(list)-1] == "" {
		list = list[:len(list)-1]
	}
	return list
}

// alike is the share of the larger blob that is in the other. Git takes half of
// it for a rename (diff -M), and nothing for a rename of an empty file
// (diffcore-rename.c), of which Python packages are full.
func (g *graph) alike(a, b string) float64 {
	size := max(len(g.objects[a].data), len(g.objects[b].data))
	if a == b && size > 0 {
		return 1
	}
	if size == 0 {
		return 0
	}
	there := map[string]int{}
	for _, l := range g.lines(a) {
		there[l]++
	}
	common := 0
	for _, l := range g.lines(b) {
		if there[l] > 0 {
			there[l]--
			common += len(l)
		}
	}
	return min(float64(common)/float64(size), 0.99)
}

// tooLong bounds the table of count.
const tooLong = 4 << 20

// count is how many lines a shortest edit adds and deletes.
func count(old, new []string) (additions, deletions int) {
	for len(old) > 0 && len(new) > 0 && old[0] == new[0] {
		old, new = old[1:], new[1:]
	}
	for len(old) > 0 && len(new) > 0 && old[len(old)-1] == new[len(new)-1] {
		old, new = old[:len(old)-1], new[:len(new)-1]
	}
	if len(old)*len(new) > tooLong {
		return len(new), len(old)
	}
	row := make([]int, len(new)+1) // longest common subsequence with what came so far
	for _, a := range old {
		diagonal := 0
		for j, b := range new {
			above := row[j+1]
			if a == b {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	common := row[len(new)]
	return len(new) - common, len(old) - common
}
