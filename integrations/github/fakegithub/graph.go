package fakegithub

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// CommitSpec describes a commit.
type CommitSpec struct {
	SHA     string    // 40 hexadecimal digits; empty: made up from the rest, always the same
	Parents []string  // SHAs; empty: a root
	Subject string    // or a whole message
	Login   string    // the author's account; empty: GitHub knows none and says null
	Name    string    // the author's name in the commit; empty: the Login
	Email   string    // empty: made up
	When    time.Time // zero: a minute after the commit added before
}

// graph is the commits in the order in which they were added, parents first.
type graph struct {
	commits  []CommitSpec
	at       map[string]int // index by SHA
	branches map[string]string
}

var fullSHA = regexp.MustCompile(`^[0-9a-f]{40}$`)
var shortSHA = regexp.MustCompile(`^[0-9a-f]{7,40}$`)

func (g *graph) add(c CommitSpec) (string, error) {
	if c.Name == "" {
		c.Name = c.Login
	}
	if c.Email == "" {
		c.Email = c.Name + "@example.org"
	}
	if c.When.IsZero() {
		c.When = time.Date(2022, 3, 1, 12, 0, 0, 0, time.UTC)
		if n := len(g.commits); n > 0 {
			c.When = g.commits[n-1].When.Add(time.Minute)
		}
	}
	if c.SHA == "" {
		h := sha1.Sum(fmt.Appendf(nil, "%q %q %q %q %d", c.Parents, c.Subject, c.Name, c.Email, c.When.UnixNano()))
		c.SHA = hex.EncodeToString(h[:])
	}
	if !fullSHA.MatchString(c.SHA) {
		return "", fmt.Errorf("%q is not a SHA", c.SHA)
	}
	if _, known := g.at[c.SHA]; known {
		return "", fmt.Errorf("commit %s is there already", c.SHA)
	}
	for _, p := range c.Parents {
		if _, known := g.at[p]; !known {
			return "", fmt.Errorf("parent %s of %q is not there", p, c.Subject)
		}
	}
	if g.at == nil {
		g.at = map[string]int{}
	}
	c.Parents = slices.Clone(c.Parents)
	g.at[c.SHA] = len(g.commits)
	g.commits = append(g.commits, c)
	return c.SHA, nil
}

// resolve finds what ref names. As in git, a full SHA comes before a branch of
// that name, and a branch before a short SHA.
func (g *graph) resolve(ref string) (CommitSpec, bool) {
	if i, ok := g.at[ref]; ok {
		return g.commits[i], true
	}
	if sha, ok := g.branches[ref]; ok {
		return g.commits[g.at[sha]], true
	}
	if !shortSHA.MatchString(ref) {
		return CommitSpec{}, false
	}
	var found []CommitSpec
	for _, c := range g.commits {
		if strings.HasPrefix(c.SHA, ref) {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		return CommitSpec{}, false
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

type comparison struct {
	status    string
	ahead     []CommitSpec // oldest first
	behind    int
	mergeBase CommitSpec
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
