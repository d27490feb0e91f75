package fakegithub

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// object is what git keeps: a blob, a tree or a commit, in git's own encoding.
type object struct {
	kind string
	data []byte
}

// put keeps an object under the name that git gives it: the SHA-1 of its kind,
// its length and itself (git-scm.com, "Git Internals - Git Objects").
func (g *graph) put(kind string, data []byte) string {
	h := sha1.New()
	fmt.Fprintf(h, "%s %d\x00", kind, len(data))
	h.Write(data)
	id := hex.EncodeToString(h.Sum(nil))
	if g.objects == nil {
		g.objects = map[string]object{}
	}
	g.objects[id] = object{kind, data}
	return id
}

// An entry is a line of a tree.
type entry struct{ mode, name, kind, sha string }

const (
	fileMode = "100644"
	dirMode  = "40000" // the API writes it with a zero in front, git does not
)

// putTree keeps the tree of files, which are blobs by path, and all below it.
func (g *graph) putTree(files map[string]string) string {
	var entries []entry
	below := map[string]map[string]string{}
	for path, blob := range files {
		dir, rest, deep := strings.Cut(path, "/")
		if !deep {
			entries = append(entries, entry{fileMode, path, "blob", blob})
			continue
		}
		if below[dir] == nil {
			below[dir] = map[string]string{}
		}
		below[dir][rest] = blob
	}
	for dir, files := range below {
		entries = append(entries, entry{dirMode, dir, "tree", g.putTree(files)})
	}
	// Git sorts a directory as if its name ended in a slash (base_name_compare
	// in git's tree.c).
	key := func(e entry) string {
		if e.kind == "tree" {
			return e.name + "/"
		}
		return e.name
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(key(a), key(b)) })
	var b bytes.Buffer
	for _, e := range entries {
		raw, err := hex.DecodeString(e.sha)
		if err != nil {
			panic(err) // unreachable: made by put
		}
		fmt.Fprintf(&b, "%s %s\x00%s", e.mode, e.name, raw)
	}
	return g.put("tree", b.Bytes())
}

// entries reads the tree that sha names.
func (g *graph) entries(sha string) []entry {
	var list []entry
	for rest := g.objects[sha].data; len(rest) > 0; {
		head, tail, _ := bytes.Cut(rest, []byte{0})
		mode, name, _ := strings.Cut(string(head), " ")
		e := entry{mode, name, "blob", hex.EncodeToString(tail[:sha1.Size])}
		if mode == dirMode {
			e.kind = "tree"
		}
		list = append(list, e)
		rest = tail[sha1.Size:]
	}
	return list
}

// encode is the commit as git keeps it.
func (c *commit) encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "tree %s\n", c.tree)
	for _, p := range c.Parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	// What would end a name or a line is dropped (strbuf_addstr_without_crud in
	// git's ident.c).
	clean := strings.NewReplacer("<", "", ">", "", "\n", "")
	write := func(as, name, email string) {
		fmt.Fprintf(&b, "%s %s <%s> %d +0000\n", as, clean.Replace(name), clean.Replace(email), c.When.Unix())
	}
	write("author", c.Name, c.Email)
	name, email, _ := c.committer()
	write("committer", name, email)
	fmt.Fprintf(&b, "\n%s", c.Subject)
	return b.Bytes()
}

// committer is GitHub itself where somebody pressed Merge on its pages.
func (c *commit) committer() (name, email, login string) {
	if c.Web {
		return "GitHub", "noreply@github.com", "web-flow"
	}
	return c.Name, c.Email, c.Login
}

// snapshot is all files after c, whose first parent had before.
func (g *graph) snapshot(c CommitSpec, before map[string]string) (map[string]string, error) {
	if len(c.Write)+len(c.Remove) == 0 && before != nil {
		return before, nil
	}
	files := maps.Clone(before)
	if files == nil {
		files = map[string]string{}
	}
	for _, path := range c.Remove {
		if _, ok := files[path]; !ok {
			return nil, fmt.Errorf("%q removes %s, which is not there", c.Subject, path)
		}
		delete(files, path)
	}
	for path, text := range c.Write {
		for _, part := range strings.Split(path, "/") {
			if part == "" || part == "." || part == ".." || part == ".git" || strings.Contains(part, "\x00") {
				return nil, fmt.Errorf("%q writes %q, which is no path", c.Subject, path)
			}
		}
		files[path] = g.put("blob", []byte(text))
	}
	for path := range files {
		for i, r := range path {
			if r == '/' && files[path[:i]] != "" {
				return nil, fmt.Errorf("%q makes %s a file and a directory", c.Subject, path[:i])
			}
		}
	}
	return files, nil
}
