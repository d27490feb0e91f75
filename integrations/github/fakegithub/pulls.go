package fakegithub

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Pull is a pull request from a branch of the same repository.
type Pull struct {
	Number int // zero: the next one
	Title  string
	Body   string
	Login  string // who opened it; empty: thbot
	Head   string // a branch; it may be gone once the pull request is closed
	Base   string // empty: the default branch
	State  string // open or closed; empty: open, or closed if Merged
	Merged string // the SHA that it became on Base; empty: not merged
	Draft  bool
	At     time.Time // when it was opened; zero: after all before it
}

// AddPull opens a pull request, or tells of an old one, and returns its number.
func (r *Repo) AddPull(p Pull) int {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.addPull(p)
}

func (r *Repo) addPull(p Pull) int {
	for _, other := range r.pulls {
		if p.Number == other.Number && p.Number != 0 {
			panic(fmt.Sprintf("fakegithub: pull request %d is there already", p.Number))
		}
	}
	if p.Number == 0 {
		for _, other := range r.pulls {
			p.Number = max(p.Number, other.Number)
		}
		p.Number++
	}
	if p.Login == "" {
		p.Login = Login
	}
	if p.Base == "" {
		p.Base = r.graph.main()
	}
	if p.Merged != "" {
		r.must(p.Merged)
		p.State = "closed"
	}
	if p.State == "" {
		p.State = "open"
	}
	p.At = r.after(p.At)
	r.pulls = append(r.pulls, &p)
	return p.Number
}

// Pulls lists the pull requests, in the order in which they were added.
func (r *Repo) Pulls() []Pull {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var list []Pull
	for _, p := range r.pulls {
		list = append(list, *p)
	}
	return list
}

// ClosePull closes a pull request; merged is the SHA that it became, or empty.
func (r *Repo) ClosePull(number int, merged string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	for _, p := range r.pulls {
		if p.Number == number {
			if merged != "" {
				r.must(merged)
			}
			p.State, p.Merged = "closed", merged
			return
		}
	}
	panic(fmt.Sprintf("fakegithub: there is no pull request %d", number))
}

func (c *call) pullJSON(p *Pull) map[string]any {
	at := p.At.UTC().Format(time.RFC3339)
	end := func(branch string) map[string]any {
		return map[string]any{"ref": branch, "label": c.repo.owner() + ":" + branch, "user": account(c.repo.owner()),
			"sha": c.repo.graph.refs["refs/heads/"+branch], "repo": c.repoJSON(c.repo)}
	}
	m := map[string]any{
		"number": p.Number, "id": p.Number, "node_id": node("PR", p.Number), "state": p.State, "locked": false,
		"title": p.Title, "body": empty(p.Body), "user": account(p.Login), "draft": p.Draft,
		"created_at": at, "updated_at": at, "closed_at": nil, "merged_at": nil, "merge_commit_sha": nil,
		"html_url": fmt.Sprintf("%s/pull/%d", c.html(), p.Number), "url": fmt.Sprintf("%s/pulls/%d", c.api(), p.Number),
		"head": end(p.Head), "base": end(p.Base),
	}
	if p.State == "closed" {
		m["closed_at"] = at
	}
	if p.Merged != "" {
		m["merged_at"], m["merge_commit_sha"] = at, p.Merged
	}
	return m
}

func (c *call) pullList(list []*Pull) {
	body := []any{}
	for _, p := range page(c, list, 30, 100) {
		body = append(body, c.pullJSON(p))
	}
	c.ok(body)
}

// listPulls is "List pull requests", newest first.
func (c *call) listPulls() {
	q := c.r.URL.Query()
	state := q.Get("state")
	switch state {
	case "":
		state = "open"
	case "open", "closed", "all":
	default:
		c.invalid("rest/pulls/pulls#list-pull-requests", map[string]string{"resource": "PullRequest", "field": "state", "code": "invalid"})
		return
	}
	var list []*Pull
	for _, p := range slices.Backward(c.repo.pulls) {
		switch {
		case state != "all" && p.State != state:
		// A head without its owner is taken for no filter at all.
		case strings.Contains(q.Get("head"), ":") && q.Get("head") != c.repo.owner()+":"+p.Head:
		case q.Has("base") && q.Get("base") != p.Base:
		default:
			list = append(list, p)
		}
	}
	slices.SortStableFunc(list, func(a, b *Pull) int { return b.At.Compare(a.At) })
	if q.Get("direction") == "asc" {
		slices.Reverse(list)
	}
	c.pullList(list)
}

// getPull is "Get a pull request".
func (c *call) getPull() {
	for _, p := range c.repo.pulls {
		if strconv.Itoa(p.Number) == c.vars["number"] {
			m := c.pullJSON(p)
			m["merged"] = p.Merged != ""
			c.ok(m)
			return
		}
	}
	c.refuse(http.StatusNotFound, "Not Found", "rest/pulls/pulls#get-a-pull-request")
}

// createPull is "Create a pull request".
func (c *call) createPull() {
	const doc = "rest/pulls/pulls#create-a-pull-request"
	var body struct {
		Title, Head, Base, Body string
		Draft                   bool
	}
	if !c.read(&body) {
		return
	}
	wrong := func(field, code string) {
		c.invalid(doc, map[string]string{"resource": "PullRequest", "field": field, "code": code})
	}
	say := func(message string) {
		c.invalid(doc, map[string]string{"resource": "PullRequest", "code": "custom", "message": message})
	}
	head := strings.TrimPrefix(body.Head, c.repo.owner()+":")
	from, ok := c.repo.graph.refs["refs/heads/"+head]
	to, ok2 := c.repo.graph.refs["refs/heads/"+body.Base]
	switch {
	case body.Title == "":
		wrong("title", "missing_field")
		return
	case !ok:
		wrong("head", "invalid")
		return
	case !ok2:
		wrong("base", "invalid")
		return
	}
	for _, p := range c.repo.pulls {
		if p.State == "open" && p.Head == head && p.Base == body.Base {
			say("A pull request already exists for " + c.repo.owner() + ":" + head + ".")
			return
		}
	}
	cmp, related := c.repo.graph.compare(to, from)
	if !related {
		say(fmt.Sprintf("The %s branch has no history in common with %s", head, body.Base))
		return
	}
	if len(cmp.ahead) == 0 {
		say(fmt.Sprintf("No commits between %s and %s", body.Base, head))
		return
	}
	n := c.repo.addPull(Pull{Title: body.Title, Body: body.Body, Head: head, Base: body.Base, Draft: body.Draft, Login: c.who.name()})
	p := c.repo.pulls[slices.IndexFunc(c.repo.pulls, func(p *Pull) bool { return p.Number == n })]
	m := c.pullJSON(p)
	c.w.Header().Set("Location", m["url"].(string))
	write(c.w, http.StatusCreated, m)
}

// commitPulls is "List pull requests associated with a commit": the one that
// brought it to its branch, else the open ones that have it.
func (c *call) commitPulls() {
	found, ok := c.find(c.vars["ref"], "rest/commits/commits#list-pull-requests-associated-with-a-commit")
	if !ok {
		return
	}
	var merged, open []*Pull
	for _, p := range c.repo.pulls {
		head, base := c.repo.graph.refs["refs/heads/"+p.Head], c.repo.graph.refs["refs/heads/"+p.Base]
		switch {
		case p.Merged == found.SHA:
			merged = append(merged, p)
		case head == "" || base == "" || !c.repo.graph.leads(found.SHA, head):
		case p.Merged != "" && !c.repo.graph.leads(found.SHA, c.repo.graph.parent(p.Merged)):
			merged = append(merged, p) // a commit of the branch that was merged
		case p.State == "open" && !c.repo.graph.leads(found.SHA, base):
			open = append(open, p)
		}
	}
	if len(merged) > 0 {
		open = merged
	}
	c.pullList(open)
}

// parent is the first parent of a commit, or itself where it has none.
func (g *graph) parent(sha string) string {
	if parents := g.commits[g.at[sha]].Parents; len(parents) > 0 {
		return parents[0]
	}
	return sha
}
