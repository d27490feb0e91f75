package bugzilla

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"thbot/bot"
)

// The most that Bugzilla takes, in characters (MAX_FREETEXT_LENGTH and
// MAX_COMMENT_LENGTH in Bugzilla/Constants.pm).
const (
	MaxSummary = 255
	MaxText    = 65535 // of a description or a comment
)

// Bug is a bug to be filed. It is public unless it is Private, so it must never
// hold a password, a token or the name of a host.
type Bug struct {
	Product, Component string
	Version            string // empty: "unspecified"
	Type               string // "defect", "enhancement" or "task"; empty: task
	Summary            string
	Description        string // Markdown
	Token              string // of this bug alone, by which it can be found again; letters, digits, - and _
	CC                 []string
	Private            bool   // only the private group, and those on the bug, see it
	Needinfo           string // who is asked for an answer; empty: nobody
}

var token = regexp.MustCompile(`^[A-Za-z0-9_-]{6,64}$`)

// whiteboard is the mark of a token. The brackets keep one token from being
// found in another; there is no space or comma, at which a search would split it.
func whiteboard(token string) string { return "[th-bot:" + token + "]" }

// usual fills in what may be left out.
func (b Bug) usual() Bug {
	if b.Version == "" {
		b.Version = "unspecified"
	}
	if b.Type == "" {
		b.Type = "task"
	}
	return b
}

// check says what Bugzilla would refuse, or worse, not refuse.
func (b Bug) check() string {
	summary, text := utf8.RuneCountInString(b.Summary), utf8.RuneCountInString(b.Description)
	switch {
	case b.Product == "" || b.Component == "":
		return "A bug needs a product and a component."
	case strings.TrimSpace(b.Summary) == "":
		return "A bug needs a summary."
	case summary > MaxSummary:
		return fmt.Sprintf("The summary has %s; Bugzilla takes %d.", plural(summary, "character"), MaxSummary)
	case text > MaxText:
		return fmt.Sprintf("The description has %s; Bugzilla takes %d.", plural(text, "character"), MaxText)
	}
	return ""
}

// File files a bug and returns its number. It is never repeated. An error that
// is a [*bot.Refused], or [bot.NotSent], says that there is no such bug; after
// any other there may be one, which [Client.FindByToken] finds.
func (c *Client) File(ctx context.Context, b Bug) (id int, err error) {
	r := request{activity: "filing a bug", undone: "Nothing was filed.", method: http.MethodPost, path: "rest/bug"}
	if !token.MatchString(b.Token) {
		return 0, r.refuse(0, fmt.Errorf("the token %.80q is none", b.Token))
	}
	if why := b.check(); why != "" {
		return 0, r.refuse(0, r.no(why))
	}
	b = b.usual()
	body := map[string]any{
		"product":     b.Product,
		"component":   b.Component,
		"version":     b.Version,
		"type":        b.Type,
		"op_sys":      "All",
		"platform":    "All",
		"summary":     b.Summary,
		"description": b.Description,
		"whiteboard":  whiteboard(b.Token),
	}
	if len(b.CC) > 0 {
		body["cc"] = b.CC
	}
	if b.Private {
		body["groups"] = []string{c.private}
	}
	if b.Needinfo != "" {
		body["flags"] = []map[string]string{{"name": "needinfo", "status": "?", "requestee": b.Needinfo}}
	}
	r.body = body
	var made struct{ ID int }
	if e := c.do(ctx, r, &made); e != nil {
		return 0, e
	}
	if made.ID <= 0 {
		return 0, r.nonsense(http.StatusOK, errors.New("the answer names no bug"))
	}
	return made.ID, nil
}

// FindByToken finds the bug that was filed with that token, the first if there
// are several. It does not find one that was moved to another component since.
//
// Bugzilla answers searches from a copy of its database (switch_to_shadow_db in
// Bugzilla/WebService/Bug.pm) that is a little behind: a bug that was filed a
// moment ago may not be found yet, so "not found" has to be asked again a
// while after an unknown outcome before it is one.
func (c *Client) FindByToken(ctx context.Context, product, component, tok string) (id int, found bool, err error) {
	r := request{activity: "looking for the bug with token " + tok, method: http.MethodGet, path: "rest/bug"}
	if !token.MatchString(tok) {
		r.activity = "looking for a bug"
		return 0, false, r.refuse(0, fmt.Errorf("the token %.80q is none", tok))
	}
	r.query = url.Values{
		"product": {product}, "component": {component}, "whiteboard": {whiteboard(tok)},
		"include_fields": {"id,whiteboard"},
	}
	var list struct {
		Bugs *[]struct {
			ID         int
			Whiteboard string
		}
	}
	if e := c.do(ctx, r, &list); e != nil {
		return 0, false, e
	}
	if list.Bugs == nil {
		return 0, false, r.nonsense(http.StatusOK, errors.New("the answer has no bugs, not even none"))
	}
	for _, b := range *list.Bugs {
		// A search ignores case, and a parameter that it does not know.
		if !strings.Contains(b.Whiteboard, whiteboard(tok)) {
			continue
		}
		if b.ID <= 0 {
			return 0, false, r.nonsense(http.StatusOK, fmt.Errorf("the answer has a bug %d", b.ID))
		}
		if !found || b.ID < id {
			id, found = b.ID, true
		}
	}
	return id, found, nil
}

// Comment adds a comment to a bug; it is seen by whoever sees the bug. It is
// never repeated, and Bugzilla would take it twice. After an error that is not a
// [*bot.Refused] nor [bot.NotSent] it may be there.
func (c *Client) Comment(ctx context.Context, id int, text string) error {
	r := request{activity: fmt.Sprintf("commenting on bug %d", id), undone: "Nothing was written.",
		method: http.MethodPost, path: fmt.Sprintf("rest/bug/%d/comment", id)}
	switch n := utf8.RuneCountInString(text); {
	case id <= 0:
		return r.refuse(0, fmt.Errorf("bug %d: %w", id, bot.ErrNotFound))
	case strings.TrimSpace(text) == "":
		return r.refuse(0, r.no("The comment is empty."))
	case n > MaxText:
		return r.refuse(0, r.no(fmt.Sprintf("The comment has %s; Bugzilla takes %d.", plural(n, "character"), MaxText)))
	}
	r.body = map[string]any{"comment": text, "is_private": false}
	var made struct{ ID int }
	if e := c.do(ctx, r, &made); e != nil {
		return e
	}
	if made.ID <= 0 {
		return r.nonsense(http.StatusOK, errors.New("the answer names no comment"))
	}
	return nil
}
