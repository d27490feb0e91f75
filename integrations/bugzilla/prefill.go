package bugzilla

import (
	"net/url"
	"sort"
	"strings"
	"unicode"
)

// maxAddress is how long the address of a request may be: Varnish, in front of
// Bugzilla, answers a longer one with 414. It counts path and query; this counts
// the whole address.
const maxAddress = 8 << 10

// cutHere ends a description that was cut.
const cutHere = "\n\n[The rest did not fit into this link.]"

// Prefill is a link to the form for a new bug, filled in, for a person to send
// off in their own name. It takes no API key. A description that does not fit
// into an address of 8 KiB is cut, and says so.
func (c *Client) Prefill(b Bug) string { return c.PrefillWithin(b, maxAddress) }

// PrefillWithin is [Client.Prefill] for an address of at most that many bytes:
// Slack takes 3,000 in a button. What makes it too long goes in this order: the
// end of the description, people, the end of the summary, all text. A private
// bug stays private.
func (c *Client) PrefillWithin(b Bug, most int) string {
	b = b.usual()
	b.Summary = clip(b.Summary, MaxSummary)
	fits := func(b Bug) bool { return len(c.form(b)) <= most }
	alone := b
	alone.CC, alone.Needinfo = nil, ""
	for _, b := range []Bug{b, alone} {
		described := func(s string) Bug { b.Description = s; return b }
		if s, ok := cut(b.Description, cutHere, func(s string) bool { return fits(described(s)) }); ok {
			return c.form(described(s))
		}
	}
	called := func(s string) Bug {
		alone.Summary, alone.Description = s, strings.TrimSpace(cutHere)
		return alone
	}
	if s, ok := cut(b.Summary, "…", func(s string) bool { return fits(called(s)) }); ok {
		return c.form(called(s))
	}
	alone.Summary, alone.Description = "", ""
	return c.form(alone)
}

// cut is as much of text as fits, in whole characters and with mark after it if
// that is not all, or false if not even mark alone fits.
func cut(text, mark string, fits func(string) bool) (string, bool) {
	if fits(text) {
		return text, true
	}
	runes := []rune(text)
	first := func(n int) string { return strings.TrimRightFunc(string(runes[:n]), unicode.IsSpace) + mark }
	n := sort.Search(len(runes), func(n int) bool { return !fits(first(n)) })
	if n == 0 {
		return "", false
	}
	return first(n - 1), true
}

// form is the link with all of b. The form's names differ from those of the REST
// API (FIELD_MAP in Bugzilla/Bug.pm).
func (c *Client) form(b Bug) string {
	q := url.Values{}
	for name, value := range map[string]string{
		"product":       b.Product,
		"component":     b.Component,
		"version":       b.Version,
		"bug_type":      b.Type,
		"op_sys":        "All",
		"rep_platform":  "All",
		"short_desc":    b.Summary,
		"comment":       b.Description,
		"cc":            strings.Join(b.CC, ","),
		"needinfo_from": b.Needinfo,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if token.MatchString(b.Token) {
		q.Set("status_whiteboard", whiteboard(b.Token))
	}
	if b.Private {
		q.Set("groups", c.private)
	}
	return c.page("enter_bug.cgi", q)
}
