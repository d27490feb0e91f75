package bugzilla_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"thbot/integrations/bugzilla"
	"thbot/integrations/bugzilla/fakebugzilla"
)

func link(t *testing.T) *bugzilla.Client {
	t.Helper()
	c, err := bugzilla.New(bugzilla.Options{URL: "https://bugzilla.mozilla.org/"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func filled(t *testing.T, link string) url.Values {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil || !strings.HasPrefix(link, "https://bugzilla.mozilla.org/enter_bug.cgi?") {
		t.Fatalf("link is %q, %v", link, err)
	}
	return u.Query()
}

func TestPrefill(t *testing.T) {
	b := usual()
	b.Description = "a&b=c #d\n\n* ü 😀 %41 +"
	want := url.Values{
		"product": {"Cloud Services"}, "component": {"Operations: Releng"}, "version": {"unspecified"}, "bug_type": {"task"},
		"op_sys": {"All"}, "rep_platform": {"All"}, "short_desc": {b.Summary}, "comment": {b.Description},
		"status_whiteboard": {"[th-bot:" + tok + "]"},
	}
	if d := cmp.Diff(want, filled(t, link(t).Prefill(b))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	b = bugzilla.Bug{Product: "P", Component: "C", Version: "2", Type: "defect", CC: []string{"a@b", "c@d"}, Private: true, Needinfo: "e@f"}
	want = url.Values{
		"product": {"P"}, "component": {"C"}, "version": {"2"}, "bug_type": {"defect"}, "op_sys": {"All"}, "rep_platform": {"All"},
		"cc": {"a@b,c@d"}, "needinfo_from": {"e@f"}, "groups": {bugzilla.SecurityGroup},
	}
	if d := cmp.Diff(want, filled(t, link(t).Prefill(b))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// Whatever is in it, the link is short enough, holds whole characters, as many
// as fit, and says what was cut.
func TestPrefillCut(t *testing.T) {
	const cut = "\n\n[The rest did not fit into this link.]"
	c := link(t)
	for _, most := range []int{8 << 10, 3000} {
		for _, unit := range []string{"x", "ä", "€", "😀", "a b", "é\n", "x&y=#"} {
			b := usual()
			b.Description = strings.Repeat(unit, 9000)
			l := c.PrefillWithin(b, most)
			if most == 8<<10 && l != c.Prefill(b) {
				t.Error("Prefill has another limit")
			}
			text, whole := strings.CutSuffix(filled(t, l).Get("comment"), cut)
			if len(l) > most || len(l) < most-14 || !whole || !utf8.ValidString(text) || strings.ContainsRune(text, utf8.RuneError) || !strings.HasPrefix(b.Description, text) {
				t.Errorf("of %q, %d bytes: %.40q…%q", unit, len(l), text, text[max(0, len(text)-20):])
			}
		}
	}
	// What just fits is not cut.
	b := usual()
	b.Description = ""
	room := 8<<10 - len(c.Prefill(b)) - len("comment=&")
	for _, n := range []int{room - 1, room, room + 1} {
		b.Description = strings.Repeat("x", n)
		l := c.Prefill(b)
		if whole := filled(t, l).Get("comment") == b.Description; whole != (n <= room) || len(l) > 8<<10 || n == room && len(l) != 8<<10 {
			t.Errorf("%d characters with room for %d: %d bytes, whole %v", n, room, len(l), whole)
		}
	}
}

// Where the description is not what is too long, other things go, and never
// that it is private.
func TestPrefillCutMore(t *testing.T) {
	c := link(t)
	b := usual()
	b.Private = true
	b.Summary = strings.Repeat("😀", 300)
	if got := filled(t, c.Prefill(b)); got.Get("short_desc") != strings.Repeat("😀", 254)+"…" || got.Get("comment") != b.Description {
		t.Errorf("a long summary: %v", got)
	}
	b.Summary = "short"
	for range 1000 {
		b.CC = append(b.CC, "somebody@example.com")
	}
	b.Needinfo = "ana@example.com"
	if got := filled(t, c.Prefill(b)); got.Has("cc") || got.Has("needinfo_from") || got.Get("comment") != b.Description || got.Get("groups") != bugzilla.SecurityGroup {
		t.Errorf("many people: %v", got)
	}
	b.Summary = strings.Repeat("😀", 255)
	l := c.PrefillWithin(b, 1500)
	got := filled(t, l)
	short, is := strings.CutSuffix(got.Get("short_desc"), "…")
	if len(l) > 1500 || !is || !strings.HasPrefix(b.Summary, short) || short == "" || got.Get("comment") != "[The rest did not fit into this link.]" || got.Get("groups") == "" {
		t.Errorf("too little room: %d bytes, %v", len(l), got)
	}
	if got := filled(t, c.PrefillWithin(b, 10)); got.Get("product") != b.Product || got.Get("groups") == "" || got.Has("comment") || got.Has("short_desc") {
		t.Errorf("no room: %v", got)
	}
	b.Token = "no token, this"
	if got := filled(t, c.Prefill(b)); got.Has("status_whiteboard") {
		t.Errorf("a bad token: %v", got)
	}
}

// The fake's form understands all that the link fills in.
func TestPrefillLeads(t *testing.T) {
	fake := &fakebugzilla.Server{}
	b := usual()
	b.CC, b.Needinfo, b.Private, b.Summary = []string{"a@b"}, "e@f", true, "<b>bold</b>"
	var page string
	visit(t, fake, link(t).Prefill(b), &page)
	for _, want := range []string{"Enter Bug: Cloud Services", "&lt;b&gt;bold&lt;/b&gt;", "From 1 to *2* GB.", "[th-bot:" + tok + "]", "e@f", bugzilla.SecurityGroup} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if len(fake.Unexpected()) > 0 {
		t.Errorf("unexpected: %v", fake.Unexpected())
	}
}
