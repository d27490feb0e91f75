package fakegithub

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

func (c *call) refJSON(ref string) map[string]any {
	sha := c.repo.graph.refs[ref]
	return map[string]any{
		"ref": ref, "node_id": node("REF", ref), "url": c.api() + "/git/" + ref,
		"object": map[string]string{"type": "commit", "sha": sha, "url": c.api() + "/git/commits/" + sha},
	}
}

// getRef is "Get a reference", by its whole name without "refs/".
func (c *call) getRef() {
	ref := "refs/" + c.vars["ref"]
	if _, ok := c.repo.graph.refs[ref]; !ok {
		c.refuse(http.StatusNotFound, "Not Found", "rest/git/refs#get-a-reference")
		return
	}
	c.ok(c.refJSON(ref))
}

// matchingRefs is "List matching references": those that begin so.
func (c *call) matchingRefs() {
	list := []any{}
	for _, ref := range page(c, c.repo.graph.sortedRefs("refs/"+strings.TrimPrefix(c.vars["ref"]+c.vars["slash"], "/")), 30, 100) {
		list = append(list, c.refJSON(ref))
	}
	c.ok(list)
}

func (g *graph) sortedRefs(prefix string) []string {
	var list []string
	for ref := range g.refs {
		if strings.HasPrefix(ref, prefix) {
			list = append(list, ref)
		}
	}
	slices.Sort(list)
	return list
}

// zero stands for "no object" (githooks(5)).
const zero = "0000000000000000000000000000000000000000"

// unfit is what git-check-ref-format(1) does not let into a name.
var unfit = regexp.MustCompile(`[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^/|/$|\.$|/\.|\.lock(/|$)`)

// wellFormed is false for a name of a ref that is none, and says why.
func wellFormed(ref string) (string, bool) {
	switch {
	case strings.Count(ref, "/") < 2:
		return "Reference name must contain at least three slash-separated components.", false
	case !strings.HasPrefix(ref, "refs/heads/") && !strings.HasPrefix(ref, "refs/tags/"), unfit.MatchString(ref):
		return ref + " is not a valid ref name.", false
	}
	return "", true
}

// A move is a ref that is to point elsewhere.
type move struct {
	ref      string
	from, to string // zero: it is not there, or shall not be
	force    bool
}

// object judges a SHA that a ref shall point to.
func (c *call) object(sha string) (message string, ok bool) {
	g := &c.repo.graph
	if !fullSHA.MatchString(sha) {
		return "The sha parameter must be exactly 40 characters and contain only [0-9a-f].", false
	}
	if _, known := g.at[sha]; known {
		return "", true
	}
	if _, known := g.objects[sha]; known {
		return "Object is not a commit", false
	}
	return "Object does not exist", false
}

// allowed judges a move by what git wants, then by what protects the branch.
func (c *call) allowed(m move) (status int, message string) {
	forced := m.from != zero && m.to != zero && !c.repo.graph.leads(m.from, m.to)
	if forced && !m.force {
		return http.StatusUnprocessableEntity, "Update is not a fast forward"
	}
	return c.guarded(m, forced)
}

// createRef is "Create a reference".
func (c *call) createRef() {
	const doc = "rest/git/refs#create-a-reference"
	var body struct{ Ref, SHA string }
	if !c.read(&body) {
		return
	}
	if message, ok := wellFormed(body.Ref); !ok {
		c.refuse(http.StatusUnprocessableEntity, message, doc)
		return
	}
	if message, ok := c.object(body.SHA); !ok {
		c.refuse(http.StatusUnprocessableEntity, message, doc)
		return
	}
	if _, there := c.repo.graph.refs[body.Ref]; there {
		c.refuse(http.StatusUnprocessableEntity, "Reference already exists", doc)
		return
	}
	// Git keeps refs as files: a branch cannot be below another one.
	for ref := range c.repo.graph.refs {
		if strings.HasPrefix(ref, body.Ref+"/") || strings.HasPrefix(body.Ref, ref+"/") {
			c.refuse(http.StatusUnprocessableEntity, "Reference update failed", doc)
			return
		}
	}
	if status, message := c.allowed(move{ref: body.Ref, from: zero, to: body.SHA}); message != "" {
		c.refuse(status, message, doc)
		return
	}
	c.repo.graph.set(body.Ref, body.SHA)
	c.w.Header().Set("Location", c.api()+"/git/"+body.Ref)
	write(c.w, http.StatusCreated, c.refJSON(body.Ref))
}

// updateRef is "Update a reference". A ref that is not there is a 422.
func (c *call) updateRef() {
	const doc = "rest/git/refs#update-a-reference"
	var body struct {
		SHA   string
		Force bool
	}
	if !c.read(&body) {
		return
	}
	ref := "refs/" + c.vars["ref"]
	from, there := c.repo.graph.refs[ref]
	if !there {
		c.refuse(http.StatusUnprocessableEntity, "Reference does not exist", doc)
		return
	}
	if message, ok := c.object(body.SHA); !ok {
		c.refuse(http.StatusUnprocessableEntity, message, doc)
		return
	}
	if status, message := c.allowed(move{ref, from, body.SHA, body.Force}); message != "" {
		c.refuse(status, message, doc)
		return
	}
	c.repo.graph.set(ref, body.SHA)
	c.ok(c.refJSON(ref))
}

// deleteRef is "Delete a reference".
func (c *call) deleteRef() {
	const doc = "rest/git/refs#delete-a-reference"
	ref := "refs/" + c.vars["ref"]
	from, there := c.repo.graph.refs[ref]
	if !there {
		c.refuse(http.StatusUnprocessableEntity, "Reference does not exist", doc)
		return
	}
	if status, message := c.allowed(move{ref: ref, from: from, to: zero}); message != "" {
		c.refuse(status, message, doc)
		return
	}
	delete(c.repo.graph.refs, ref)
	c.w.WriteHeader(http.StatusNoContent)
}
