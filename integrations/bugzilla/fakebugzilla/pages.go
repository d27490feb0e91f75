package fakebugzilla

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// A line of a page for people.
type line struct{ name, text string }

// page answers with a page for people. All of its text is escaped.
func page(w http.ResponseWriter, status int, title string, lines []line) {
	var b strings.Builder
	fmt.Fprintf(&b, `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>%[1]s</title>`+
		`<style>body{font:16px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}dt{color:#555;margin-top:.6em}dd{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}</style>`+
		`</head><body><p>A pretend Bugzilla. What stands here is not on bugzilla.mozilla.org.</p><h1>%[1]s</h1>`, escaped(title))
	if len(lines) > 0 {
		b.WriteString("<dl>")
		for _, l := range lines {
			if l.text != "" {
				fmt.Fprintf(&b, "<dt>%s</dt><dd>%s</dd>", escaped(l.name), escaped(l.text))
			}
		}
		b.WriteString("</dl>")
	}
	b.WriteString("</body></html>\n")
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=UTF-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(b.String()))
}

// showBug is the page of a bug, for somebody who is not logged in.
func (c *call) showBug() {
	c.parameters("id")
	id, _ := strconv.Atoi(c.query.Get("id")) // no bug is 0
	b := c.s.bug(id)
	switch {
	case b == nil:
		page(c.w, http.StatusNotFound, "Invalid Bug ID", []line{{"Bug", c.query.Get("id") + " is not a bug here."}})
		return
	case !c.sees(b):
		page(c.w, http.StatusUnauthorized, "Access Denied", []line{{"Bug", fmt.Sprintf("You are not authorized to access bug %d. To see this bug, you must first log in to an account with the appropriate permissions.", b.ID)}})
		return
	}
	lines := []line{
		{"Status", strings.TrimSpace(b.Status + " " + b.Resolution)},
		{"Product", b.Product}, {"Component", b.Component}, {"Version", b.Version}, {"Type", b.Type},
		{"Reporter", b.Creator}, {"Assignee", b.Assigned}, {"CC", strings.Join(b.CC, ", ")},
		{"Needinfo from", strings.Join(b.Needinfo, ", ")}, {"Whiteboard", b.Whiteboard},
		{"Opened", b.Created.Format("2006-01-02 15:04:05 MST")}, {"Changed", b.Changed.Format("2006-01-02 15:04:05 MST")},
		{"Description", b.Description},
	}
	for i, said := range b.Comments {
		lines = append(lines, line{fmt.Sprintf("Comment %d by %s at %s", i+1, said.By, said.At.Format("2006-01-02 15:04:05 MST")), said.Text})
	}
	page(c.w, http.StatusOK, fmt.Sprintf("%d - %s", b.ID, b.Summary), lines)
}

// enterBug is the form for a new bug, with what the link fills in
// (enter_bug.cgi, formvalue).
func (c *call) enterBug() {
	fields := []line{
		{"product", "Product"}, {"component", "Component"}, {"version", "Version"}, {"bug_type", "Type"},
		{"bug_severity", "Severity"}, {"priority", "Priority"}, {"op_sys", "OS"}, {"rep_platform", "Hardware"},
		{"short_desc", "Summary"}, {"comment", "Description"}, {"cc", "CC"}, {"assigned_to", "Assignee"},
		{"needinfo_from", "Needinfo from"}, {"keywords", "Keywords"}, {"dependson", "Depends on"}, {"blocked", "Blocks"},
		{"bug_file_loc", "URL"}, {"status_whiteboard", "Whiteboard"}, {"groups", "Groups"},
	}
	var known []string
	var lines []line
	for _, f := range fields {
		known = append(known, f.name)
		lines = append(lines, line{f.text, strings.Join(c.query[f.name], ", ")})
	}
	c.parameters(known...)
	product := c.query.Get("product")
	if p, there := c.s.products()[product]; !there || p.Closed {
		page(c.w, http.StatusOK, "Permission Denied", []line{{"Product", fmt.Sprintf(
			"Sorry, either the product %s does not exist or you aren't authorized to enter a bug into it.", product)}})
		return
	}
	page(c.w, http.StatusOK, "Enter Bug: "+product, lines)
}
