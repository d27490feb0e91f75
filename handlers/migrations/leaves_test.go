package migrations

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// graph reads "perf/3: perf/2 model/1" as a migration and what it depends on,
// "<" as before what it runs, and "*" as what it replaces.
func graph(lines ...string) map[Migration]File {
	files := map[Migration]File{}
	for _, l := range lines {
		name, needs, _ := strings.Cut(l, ":")
		parse := func(s string) Migration {
			app, name, _ := strings.Cut(s, "/")
			return Migration{app, name}
		}
		var f File
		for _, n := range strings.Fields(needs) {
			switch n[0] {
			case '<':
				f.RunBefore = append(f.RunBefore, parse(n[1:]))
			case '*':
				f.Replaces = append(f.Replaces, parse(n[1:]))
			case '?':
				f.Untold = []string{"dependencies"}
			default:
				f.Dependencies = append(f.Dependencies, parse(n))
			}
		}
		files[parse(name)] = f
	}
	return files
}

func TestLeaves(t *testing.T) {
	for _, test := range []struct {
		name  string
		graph []string
		want  string
	}{
		{name: "nothing"},
		{name: "one after the other", graph: []string{"m/1:", "m/2: m/1", "m/3: m/2", "p/1: m/2 auth/__first__ auth/0008_x"}},
		{"two with one dependency", []string{"p/1:", "p/80_a: p/1", "p/80_b: p/1"},
			"Conflicting migrations: multiple leaf nodes in the migration graph (80_a, 80_b in p)."},
		{name: "merged", graph: []string{"p/1:", "p/2_a: p/1", "p/2_b: p/1", "p/3_merge: p/2_a p/2_b"}},
		{"another app does not follow", []string{"m/1:", "m/2a: m/1", "m/2b: m/1", "p/1: m/2a"},
			"Conflicting migrations: multiple leaf nodes in the migration graph (2a, 2b in m)."},
		{"its predecessor was reverted", []string{"p/1:", "p/3: p/2"},
			"Conflicting migrations: multiple leaf nodes in the migration graph (1, 3 in p). Migration p/3 depends on p/2, which is not there."},
		{"another app's was reverted", []string{"m/1:", "p/1: m/2"}, "Migration p/1 depends on m/2, which is not there."},
		{name: "run before, in the same app", graph: []string{"m/1:", "m/2: m/1", "m/0: <m/1"}},
		{name: "run before, of an app that is not here", graph: []string{"m/1: <auth/1"}},
		{"run before what is not there", []string{"m/1: <p/7", "p/1:"}, "Migration m/1 depends on p/7, which is not there."},
		{name: "squashed, the old files still there", graph: []string{"m/1:", "m/2: m/1", "m/1_squashed_2: *m/1 *m/2", "m/3: m/2", "p/1: m/1"}},
		{name: "squashed, the old files gone", graph: []string{"m/1_squashed_2: *m/1 *m/2", "m/3: m/2", "p/1: m/1"}},
		{name: "squashed twice", graph: []string{"m/a: *m/1 *m/2", "m/b: *m/a *m/3", "m/3: m/2", "m/4: m/3"}},
		{"squashed, and one still builds on the middle", []string{"m/1:", "m/2: m/1", "m/s: *m/1 *m/2", "m/3: m/s", "m/x: m/1"},
			"Conflicting migrations: multiple leaf nodes in the migration graph (3, x in m)."},
		{name: "first of its own app", graph: []string{"m/1: m/__first__", "m/2: m/1 p/__first__ p/__latest__", "p/1:"}},
		{"in a circle", []string{"m/1: m/2", "m/2: m/1"}, "The migrations of m depend on each other in a circle."},
		{"they replace themselves and each other", []string{"m/1: *m/1", "m/2: *m/3", "m/3: *m/2"},
			"Conflicting migrations: multiple leaf nodes in the migration graph (1, 2, 3 in m)."},
		{"untold", []string{"m/1:", "m/2: m/1", "m/3: ?"},
			"Conflicting migrations: multiple leaf nodes in the migration graph (2, 3 in m). Some of their dependencies are put together by code, so this is not certain."},
		{"two apps", []string{"p/1:", "p/2:", "m/1:", "m/2:"},
			"Conflicting migrations: multiple leaf nodes in the migration graph (1, 2 in m). Conflicting migrations: multiple leaf nodes in the migration graph (1, 2 in p)."},
	} {
		var said []string
		for _, c := range Leaves(graph(test.graph...)) {
			said = append(said, c.String())
		}
		if got := strings.Join(said, " "); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

// TestLeavesOfAny compares with Django's way: it builds the graph of all nodes
// and then takes the replaced ones out, one by one.
func TestLeavesOfAny(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		files := map[Migration]File{}
		var all []Migration
		for i := range rapid.IntRange(0, 9).Draw(t, "files") {
			m := Migration{rapid.SampledFrom([]string{"m", "p"}).Draw(t, "app"), fmt.Sprintf("%02d", i)}
			var f File
			for _, d := range all {
				if rapid.IntRange(0, 2).Draw(t, "depends") == 0 {
					f.Dependencies = append(f.Dependencies, d)
				}
			}
			files[m] = f
			all = append(all, m)
		}
		if len(all) > 3 && rapid.Bool().Draw(t, "squash") {
			s := Migration{all[0].App, "00_squashed"}
			var f File
			for _, m := range all[:rapid.IntRange(1, len(all)-1).Draw(t, "until")] {
				if m.App == s.App {
					f.Replaces = append(f.Replaces, m)
				}
			}
			files[s] = f
		}
		for _, m := range all { // some were deleted
			if rapid.IntRange(0, 9).Draw(t, "gone") == 0 {
				delete(files, m)
			}
		}

		type edge struct{ child, parent Migration }
		nodes, edges := map[Migration]bool{}, map[edge]bool{}
		for m, f := range files {
			nodes[m] = true
			for _, d := range f.Dependencies {
				nodes[d] = true
				edges[edge{m, d}] = true
			}
		}
		for s, f := range files {
			for _, r := range f.Replaces {
				delete(nodes, r)
				for e := range maps.Clone(edges) {
					if e.child != r && e.parent != r {
						continue
					}
					delete(edges, e)
					if e.child == r {
						e.child = s
					}
					if e.parent == r {
						e.parent = s
					}
					if e.child != e.parent {
						edges[e] = true
					}
				}
			}
		}
		apps := map[string]bool{}
		leaves, missing := map[string][]string{}, 0
		for m := range files {
			apps[m.App] = true
		}
		for m := range nodes {
			if _, ok := files[m]; !ok {
				if apps[m.App] {
					missing++
				}
				continue
			}
			leaf := true
			for e := range edges {
				if _, ok := files[e.child]; e.parent == m && e.child.App == m.App && ok {
					leaf = false
				}
			}
			if leaf {
				leaves[m.App] = append(leaves[m.App], m.Name)
			}
		}
		found := map[string]Conflict{}
		lacking := map[Migration]bool{}
		for _, c := range Leaves(files) {
			found[c.App] = c
			for _, m := range c.Missing {
				lacking[m.Needs] = true
			}
		}
		for app := range apps {
			slices.Sort(leaves[app])
			c, ok := found[app]
			if ok != (len(leaves[app]) != 1 || len(c.Missing) > 0) || ok && !slices.Equal(c.Leaves, leaves[app]) {
				t.Errorf("%s has %v, want the leaves %v\n%v", app, c, leaves[app], files)
			}
		}
		if len(lacking) != missing {
			t.Errorf("%d are missing, want %d\n%v", len(lacking), missing, files)
		}
	})
}
