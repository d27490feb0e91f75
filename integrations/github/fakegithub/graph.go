package fakegithub

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// CommitSpec describes a commit.
type CommitSpec struct {
	// SHA is 40 hexadecimal digits. Empty: git's own, computed from the rest.
	SHA     string
	Parents []string  // SHAs; empty: a root
	Subject string    // or a whole message
	Login   string    // the author's account; empty: GitHub knows none and says null
	Name    string    // the author's name in the commit; empty: the Login
	Email   string    // empty: made up
	When    time.Time // zero: a minute after the commit added before
	// Web says that it was merged on GitHub's pages: the committer is web-flow.
	Web bool
	// Write holds the files that it adds or changes, whole, by path.
	Write map[string]string
	// Remove lists the files that it takes away. A file that is removed and
	// written elsewhere, half of it alike, is renamed.
	Remove []string
}

// commit is a CommitSpec with nothing left open.
type commit struct {
	CommitSpec
	tree  string
	files map[string]string // all of them, blobs by path
}

// graph is a repository as git sees it.
type graph struct {
	commits []*commit      // in the order in which they were added, parents first
	at      map[string]int // index by SHA
	refs    map[string]string
	objects map[string]object
	head    string // the default branch; empty: master
}

var fullSHA = regexp.MustCompile(`^[0-9a-f]{40}$`)
var shortSHA = regexp.MustCompile(`^[0-9a-f]{7,40}$`)

func (g *graph) add(spec CommitSpec) (string, error) {
	if spec.Name == "" {
		spec.Name = spec.Login
	}
	if spec.Email == "" {
		spec.Email = spec.Name + "@example.org"
	}
	if spec.When.IsZero() {
		spec.When = time.Date(2022, 3, 1, 12, 0, 0, 0, time.UTC)
		if n := len(g.commits); n > 0 {
			spec.When = g.commits[n-1].When.Add(time.Minute)
		}
	}
	for _, p := range spec.Parents {
		if _, known := g.at[p]; !known {
			return "", fmt.Errorf("parent %s of %q is not there", p, spec.Subject)
		}
	}
	spec.Parents, spec.Remove, spec.Write = slices.Clone(spec.Parents), slices.Clone(spec.Remove), maps.Clone(spec.Write)
	c := &commit{CommitSpec: spec}
	var before map[string]string
	if len(spec.Parents) > 0 {
		parent := g.commits[g.at[spec.Parents[0]]]
		before, c.tree = parent.files, parent.tree
	}
	var err error
	if c.files, err = g.snapshot(spec, before); err != nil {
		return "", err
	}
	if c.tree == "" || len(spec.Write)+len(spec.Remove) > 0 {
		c.tree = g.putTree(c.files)
	}
	if c.SHA == "" {
		c.SHA = g.put("commit", c.encode())
	}
	if !fullSHA.MatchString(c.SHA) {
		return "", fmt.Errorf("%q is not a SHA", c.SHA)
	}
	if _, known := g.at[c.SHA]; known {
		return "", fmt.Errorf("commit %s is there already", c.SHA)
	}
	if g.at == nil {
		g.at = map[string]int{}
	}
	g.at[c.SHA] = len(g.commits)
	g.commits = append(g.commits, c)
	return c.SHA, nil
}

func (g *graph) set(ref, sha string) {
	if g.refs == nil {
		g.refs = map[string]string{}
	}
	g.refs[ref] = sha
}

// main is the default branch.
func (g *graph) main() string {
	if g.head == "" {
		return "master"
	}
	return g.head
}

// resolve finds what ref names. As in git, a full SHA comes before a branch of
// that name, and a branch before a short SHA.
func (g *graph) resolve(ref string) (*commit, bool) {
	if i, ok := g.at[ref]; ok {
		return g.commits[i], true
	}
	if ref == "HEAD" {
		ref = g.main()
	}
	for _, name := range []string{"refs/heads/" + ref, "refs/tags/" + ref, "refs/" + ref, ref} {
		if sha, ok := g.refs[name]; ok {
			return g.commits[g.at[sha]], true
		}
	}
	if !shortSHA.MatchString(ref) {
		return nil, false
	}
	var found []*commit
	for _, c := range g.commits {
		if strings.HasPrefix(c.SHA, ref) {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		return nil, false
	}
	return found[0], true
}

// ancestors are the indices of sha and of all that led to it.
func (g *graph) ancestors(sha string) map[int]bool {
	seen := map[int]bool{}
	todo := []int{g.at[sha]}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[i] {
			continue
		}
		seen[i] = true
		for _, p := range g.commits[i].Parents {
			todo = append(todo, g.at[p])
		}
	}
	return seen
}

// leads reports whether a push of to onto from is a fast forward.
func (g *graph) leads(from, to string) bool { return g.ancestors(to)[g.at[from]] }

type comparison struct {
	status    string
	ahead     []*commit // oldest first
	behind    int
	mergeBase *commit
}

// compare is false when the two have no common ancestor.
func (g *graph) compare(base, head string) (comparison, bool) {
	ofBase, ofHead := g.ancestors(base), g.ancestors(head)
	var c comparison
	common := -1
	for _, i := range slices.Sorted(maps.Keys(ofHead)) {
		if ofBase[i] {
			common = i // the last one has no descendant among the others
		} else {
			c.ahead = append(c.ahead, g.commits[i])
		}
	}
	if common < 0 {
		return c, false
	}
	c.mergeBase = g.commits[common]
	for i := range ofBase {
		if !ofHead[i] {
			c.behind++
		}
	}
	switch {
	case len(c.ahead) > 0 && c.behind > 0:
		c.status = "diverged"
	case len(c.ahead) > 0:
		c.status = "ahead"
	case c.behind > 0:
		c.status = "behind"
	default:
		c.status = "identical"
	}
	return c, true
}
