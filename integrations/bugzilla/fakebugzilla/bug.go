package fakebugzilla

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bug is a bug.
type Bug struct {
	ID                   int
	Product, Component   string
	Version, Type        string
	OpSys, Platform      string
	Summary, Description string
	Whiteboard           string
	Creator, Assigned    string // logins
	Status, Resolution   string
	CC                   []string
	Groups               []string // none: everybody sees it
	Needinfo             []string // logins that are asked for an answer
	Created, Changed     time.Time
	Comments             []Comment
}

// Comment is a comment on a bug, after its description.
type Comment struct {
	ID   int
	By   string // a login
	Text string
	At   time.Time
}

func (b Bug) clone() Bug {
	b.CC, b.Groups, b.Needinfo = slices.Clone(b.CC), slices.Clone(b.Groups), slices.Clone(b.Needinfo)
	b.Comments = slices.Clone(b.Comments)
	return b
}

// Bugs are all bugs, the oldest first.
func (s *Server) Bugs() []Bug {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Bug, len(s.bugs))
	for i, b := range s.bugs {
		list[i] = b.clone()
	}
	return list
}

// Add makes a bug that somebody has filed by hand, and returns its number. What
// is left out is filled in.
func (s *Server) Add(b Bug) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(b.clone(), time.Now())
}

func (s *Server) add(b Bug, now time.Time) int {
	for field, usual := range map[*string]string{
		&b.Product: Product, &b.Component: Component, &b.Version: "unspecified", &b.Type: "task",
		&b.OpSys: "Unspecified", &b.Platform: "Unspecified", &b.Creator: Person, &b.Assigned: Nobody, &b.Status: "NEW",
	} {
		if *field == "" {
			*field = usual
		}
	}
	b.ID = First + len(s.bugs)
	b.Created = second(now)
	b.Changed = b.Created
	s.bugs = append(s.bugs, &b)
	return b.ID
}

// second is what Bugzilla's database keeps of a time.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func (s *Server) bug(id int) *Bug {
	if i := id - First; i >= 0 && i < len(s.bugs) {
		return s.bugs[i]
	}
	return nil
}

// resolutions are those of bugzilla.mozilla.org.
func resolutions() []string {
	return []string{"FIXED", "INVALID", "WONTFIX", "INACTIVE", "DUPLICATE", "WORKSFORME", "INCOMPLETE", "SUPPORT", "EXPIRED", "MOVED"}
}

// Resolve closes a bug as somebody would by hand, or with no resolution opens it
// again.
func (s *Server) Resolve(id int, resolution string) error {
	if resolution != "" && !slices.Contains(resolutions(), resolution) {
		return fmt.Errorf("there is no resolution %q", resolution)
	}
	return s.change(id, func(b *Bug) {
		b.Status, b.Resolution = "RESOLVED", resolution
		if resolution == "" {
			b.Status = "REOPENED"
		}
	})
}

// Assign gives a bug to the account with that login, or to nobody.
func (s *Server) Assign(id int, login string) error {
	status := "ASSIGNED"
	if login == "" {
		login, status = Nobody, "NEW"
	}
	if s.account(login) == nil {
		return fmt.Errorf("there is no account %q", login)
	}
	return s.change(id, func(b *Bug) { b.Assigned, b.Status, b.Resolution = login, status, "" })
}

// Move puts a bug into another component.
func (s *Server) Move(id int, product, component string) error {
	if !slices.Contains(s.products()[product].Components, component) {
		return fmt.Errorf("there is no component %q in %q", component, product)
	}
	return s.change(id, func(b *Bug) { b.Product, b.Component = product, component })
}

func (s *Server) change(id int, f func(*Bug)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.bug(id)
	if b == nil {
		return fmt.Errorf("there is no bug %d", id)
	}
	f(b)
	b.Changed = second(time.Now())
	return nil
}

// sees says whether somebody sees a bug: that in a group only the group's members,
// and whoever has to do with it.
func (c *call) sees(b *Bug) bool {
	if len(b.Groups) == 0 {
		return true
	}
	return c.who != nil && seenBy(b, c.who)
}

func seenBy(b *Bug, who *Account) bool {
	in := !slices.ContainsFunc(b.Groups, func(g string) bool { return !slices.Contains(who.Groups, g) })
	return in || slices.Contains([]string{b.Creator, b.Assigned}, who.Login) || slices.Contains(b.CC, who.Login)
}

// check finds the bug that the path names (Bugzilla::Bug->check), or refuses.
func (c *call) check() *Bug {
	switch b := c.s.bug(c.id); {
	case c.id <= 0:
		name := strings.Split(strings.TrimPrefix(c.r.URL.Path, "/rest/bug/"), "/")[0]
		c.refuse(http.StatusBadRequest, 100, fmt.Sprintf("'%s' is not a valid bug number nor an alias to a bug.", escaped(name)))
	case b == nil:
		c.refuse(http.StatusNotFound, 101, fmt.Sprintf("Bug #%d does not exist.", c.id))
	case c.sees(b):
		return b
	case c.who == nil:
		c.refuse(http.StatusUnauthorized, 102, fmt.Sprintf("You are not authorized to access bug %[1]d. To see this bug, you must first "+
			`<a href="show_bug.cgi?id=%[1]d&amp;GoAheadAndLogIn=1">log in to an account</a> with the appropriate permissions.`, c.id))
	default:
		c.refuse(http.StatusUnauthorized, 102, fmt.Sprintf("You are not authorized to access bug %d.", c.id))
	}
	return nil
}

func (c *call) whoami() {
	c.parameters()
	if !c.loggedIn() {
		return
	}
	id := 1 + slices.IndexFunc(c.s.accounts(), func(a Account) bool { return a.Login == c.who.Login })
	c.ok(http.StatusOK, map[string]any{"id": id, "name": c.who.Login, "real_name": c.who.RealName, "nick": c.who.Nick})
}

func (c *call) get() {
	c.parameters("include_fields")
	b := c.check()
	if b == nil {
		return
	}
	c.ok(http.StatusOK, map[string]any{"bugs": []any{c.fields(b)}, "faults": []any{}})
}

// search is Bug.search of Bugzilla/WebService/Bug.pm. What one may not see is
// left out without a word, and so is what is not there.
func (c *call) search() {
	c.parameters("include_fields", "limit", "id", "product", "component", "status", "resolution", "whiteboard")
	var tests []func(*Bug) bool
	among := func(name string, of func(*Bug) string, split func(string) []string) {
		if !c.query.Has(name) {
			return
		}
		var values []string
		for _, v := range c.query[name] {
			values = append(values, split(v)...)
		}
		tests = append(tests, func(b *Bug) bool {
			return slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, of(b)) })
		})
	}
	one := func(v string) []string { return []string{v} }
	among("id", func(b *Bug) string { return strconv.Itoa(b.ID) }, splitWords)
	among("product", func(b *Bug) string { return b.Product }, one)
	among("component", func(b *Bug) string { return b.Component }, one)
	among("status", func(b *Bug) string { return b.Status }, one)
	among("resolution", func(b *Bug) string { return b.Resolution }, one)
	for _, w := range splitWords(c.query.Get("whiteboard")) { // allwordssubstr
		tests = append(tests, func(b *Bug) bool { return strings.Contains(strings.ToLower(b.Whiteboard), strings.ToLower(w)) })
	}
	if len(tests) == 0 {
		c.refuse(http.StatusBadRequest, 1000, "You may not search, or create saved searches, without any search terms.")
		return
	}
	all := c.s.bugs
	if c.s.lagging {
		all = all[:c.s.lag]
	}
	found := []any{}
	limit, _ := strconv.Atoi(c.query.Get("limit"))
	for _, b := range all {
		if (limit <= 0 || len(found) < limit) && c.sees(b) && !slices.ContainsFunc(tests, func(t func(*Bug) bool) bool { return !t(b) }) {
			found = append(found, c.fields(b))
		}
	}
	c.ok(http.StatusOK, map[string]any{"bugs": found})
}

func splitWords(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' })
}

// parameters notes those of a query that are not known here: Bugzilla passes
// them over, and a search that was to be narrowed by one finds too much.
func (c *call) parameters(known ...string) {
	for name := range c.query {
		if !slices.Contains(known, name) {
			c.s.note(c.call + ": parameter " + name)
		}
	}
}

// fields are those of a bug that were asked for, or all.
func (c *call) fields(b *Bug) map[string]any {
	list := func(l []string) []string { return append([]string{}, l...) } // [] rather than null
	flags := []any{}
	for _, who := range b.Needinfo {
		flags = append(flags, map[string]string{"name": "needinfo", "status": "?", "requestee": who, "setter": b.Creator})
	}
	all := map[string]any{
		"id": b.ID, "product": b.Product, "component": b.Component, "version": b.Version, "type": b.Type,
		"op_sys": b.OpSys, "platform": b.Platform, "summary": b.Summary, "whiteboard": b.Whiteboard,
		"creator": b.Creator, "assigned_to": b.Assigned, "status": b.Status, "resolution": b.Resolution, "is_open": b.Resolution == "",
		"cc": list(b.CC), "groups": list(b.Groups), "flags": flags,
		"creation_time": b.Created.Format(time.RFC3339), "last_change_time": b.Changed.Format(time.RFC3339),
	}
	if !c.query.Has("include_fields") {
		return all
	}
	some := map[string]any{}
	for _, name := range splitWords(strings.Join(c.query["include_fields"], ",")) {
		v, ok := all[name]
		if !ok {
			c.s.note(c.call + ": field " + name)
			continue
		}
		some[name] = v
	}
	return some
}
