package fakebugzilla

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// The longest texts, in characters (Bugzilla/Constants.pm).
const (
	maxFreetext = 255
	maxComment  = 65535
)

// escaped is how a template of Bugzilla's writes what somebody sent.
func escaped(s string) string { return html.EscapeString(s) }

// read decodes the body into v, whose fields are named, or answers that it
// cannot. It returns the names that are not known here.
func (c *call) read(v any, known ...string) (unknown []string, ok bool) {
	var all map[string]json.RawMessage
	err := json.Unmarshal(c.body, &all)
	if err == nil {
		err = json.Unmarshal(c.body, v)
	}
	if err != nil {
		c.s.note(c.call + ": a body that cannot be read")
		c.refuse(http.StatusBadRequest, 32000, "Invalid parameters passed to JSON-RPC: "+escaped(err.Error()))
		return nil, false
	}
	for name := range all {
		if !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	sort.Strings(unknown)
	for _, name := range unknown {
		c.s.note(c.call + ": field " + name)
	}
	return unknown, true
}

// some is one string, or a list of them.
type some []string

func (s *some) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*s = some{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(s))
}

// wanted is a bug to be filed.
type wanted struct {
	Product, Component, Version, Type string
	OpSys                             string `json:"op_sys"`
	Platform                          string
	Summary, Description, Whiteboard  string
	CC, Groups                        some
	Flags                             []struct{ Name, Status, Requestee string }
}

// create is Bug.create of Bugzilla/WebService/Bug.pm, with the validators of
// Bugzilla/Bug.pm.
func (c *call) create() {
	c.parameters()
	if !c.loggedIn() {
		return
	}
	var n wanted
	unknown, ok := c.read(&n, "product", "component", "version", "type", "op_sys", "platform", "summary", "description",
		"whiteboard", "cc", "groups", "flags")
	switch {
	case !ok:
	case len(unknown) > 0:
		c.refuse(http.StatusBadRequest, -32000, fmt.Sprintf("DBD::mysql::db do failed: Unknown column '%s' in 'field list'", escaped(unknown[0])))
	case c.valid(&n):
		b := Bug{
			Product: n.Product, Component: n.Component, Version: n.Version, Type: n.Type, OpSys: n.OpSys, Platform: n.Platform,
			Summary: strings.TrimSpace(n.Summary), Description: n.Description, Whiteboard: n.Whiteboard,
			Creator: c.who.Login, CC: n.CC, Groups: n.Groups,
		}
		for _, f := range n.Flags {
			b.Needinfo = append(b.Needinfo, f.Requestee)
		}
		c.ok(http.StatusOK, map[string]int{"id": c.s.add(b, c.now)}) // not 201: see Resources/Bug.pm
	}
}

func (c *call) valid(n *wanted) bool {
	no := func(status, code int, message string, args ...string) bool {
		parts := make([]any, len(args))
		for i, a := range args {
			parts[i] = escaped(a)
		}
		c.refuse(status, code, fmt.Sprintf(message, parts...))
		return false
	}
	const bad, denied, gone = http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound
	p, there := c.s.products()[n.Product]
	if p.Versions == nil {
		p.Versions = []string{"unspecified"}
	}
	switch {
	case !there || p.Closed:
		return no(denied, 106, "Sorry, either the product <em>%s</em> does not exist or you aren't authorized to enter a bug into it.", n.Product)
	case strings.TrimSpace(n.Component) == "":
		return no(bad, 105, "To file this bug, you must first choose a component. If necessary, just guess.")
	case !slices.Contains(p.Components, n.Component):
		return no(gone, 51, "There is no component named '%s' in the '%s' product.", n.Component, n.Product)
	case n.Version == "":
		return no(bad, 50, "You must select/enter a version.")
	case !slices.Contains(p.Versions, n.Version):
		return no(gone, 51, "There is no version named '%s' in the '%s' product.", n.Version, n.Product)
	case n.Type == "" && p.RequireType:
		return no(bad, 135, "To file a new bug, you must first choose a type: <strong>defect</strong>, <strong>enhancement</strong> or <strong>task</strong>.")
	case n.Type != "" && !slices.Contains([]string{"defect", "enhancement", "task"}, n.Type):
		return no(gone, 51, "There is no Type named '%s'.", n.Type)
	case strings.TrimSpace(n.Summary) == "":
		return no(bad, 107, "You must enter a summary for this bug.")
	case utf8.RuneCountInString(n.Description) > maxComment:
		return no(bad, 114, "Comments cannot be longer than 65535 characters.")
	}
	for _, f := range []struct{ name, text string }{{"Summary", n.Summary}, {"Whiteboard", n.Whiteboard}} {
		if length := utf8.RuneCountInString(f.text); length > maxFreetext {
			return no(bad, 104, fmt.Sprintf("The text you entered in the %s field is too long (%d characters, above the maximum length allowed of 255 characters).", f.name, length))
		}
	}
	for _, g := range n.Groups {
		if !slices.Contains(p.Groups, g) {
			return no(denied, 120, "You tried to restrict a bug to the '%s' group, but either this group does not exist, or you are not allowed to restrict bugs to this group in the '%s' product.", g, n.Product)
		}
	}
	for _, login := range n.CC {
		if c.s.account(login) == nil {
			return no(denied, 504, "'<em>%s</em>' is not a valid username.", login)
		}
	}
	as := &Bug{Creator: c.who.Login, CC: n.CC, Groups: n.Groups}
	for _, f := range n.Flags {
		who := c.s.account(f.Requestee)
		switch {
		case f.Name != "needinfo":
			return no(gone, 51, "There is no flag type named '%s'.", f.Name)
		case f.Status != "?":
			return no(bad, 129, "The flag status <em>%s</em> is invalid.", f.Status)
		case who == nil:
			return no(denied, 504, "'<em>%s</em>' is not a valid username.", f.Requestee)
		case !seenBy(as, who):
			return no(bad, 32000, "You asked %s for <code>needinfo</code> on bug, but that bug has been restricted to users in certain groups, "+
				"and the user you asked isn't in all the groups to which the bug has been restricted.", who.Login)
		}
	}
	return true
}

// comment is Bug.add_comment.
func (c *call) comment() {
	c.parameters()
	if !c.loggedIn() {
		return
	}
	var n struct {
		Comment string
		Private bool `json:"is_private"`
	}
	if _, ok := c.read(&n, "comment", "is_private"); !ok {
		return
	}
	if strings.TrimSpace(n.Comment) == "" {
		c.refuse(http.StatusBadRequest, 50, "The function Bug.add_comment requires a comment argument, and that argument was not set.")
		return
	}
	b := c.check()
	switch {
	case b == nil:
	case utf8.RuneCountInString(n.Comment) > maxComment:
		c.refuse(http.StatusBadRequest, 114, "Comments cannot be longer than 65535 characters.")
	case n.Private:
		c.refuse(http.StatusUnauthorized, 113, "You are not authorized to make comments private.")
	default:
		c.s.comments++
		id := 17000000 + c.s.comments
		b.Comments = append(b.Comments, Comment{id, c.who.Login, n.Comment, second(c.now)})
		b.Changed = second(c.now)
		c.ok(http.StatusCreated, map[string]int{"id": id})
	}
}
