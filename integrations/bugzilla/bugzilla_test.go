package bugzilla_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"thbot/bot"
	"thbot/integrations/bugzilla"
	"thbot/integrations/bugzilla/fakebugzilla"
	"thbot/integrations/internal/web"
)

// start serves fake and returns a client with its key.
func start(t *testing.T, fake *fakebugzilla.Server) *bugzilla.Client {
	t.Helper()
	return startWith(t, fake, bugzilla.Options{Key: holding(fakebugzilla.Key)})
}

func startWith(t *testing.T, h http.Handler, o bugzilla.Options) *bugzilla.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	if fake, ok := h.(*fakebugzilla.Server); ok {
		t.Cleanup(func() {
			if u := fake.Unexpected(); len(u) > 0 {
				t.Errorf("unexpected: %q", u)
			}
		})
	}
	o.URL = s.URL
	c, err := bugzilla.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func holding(key string) func() (string, error) { return func() (string, error) { return key, nil } }

const tok = "01JD2Z5Q8V7X"

// usual is a bug that Bugzilla takes.
func usual() bugzilla.Bug {
	return bugzilla.Bug{Product: fakebugzilla.Product, Component: fakebugzilla.Component,
		Summary: "Treeherder: raise the worker memory", Description: "From 1 to *2* GB.", Token: tok}
}

// calls is what of the fake's journal.
func calls(fake *fakebugzilla.Server) (list []string) {
	for _, e := range fake.Journal() {
		list = append(list, e.Call)
	}
	return list
}

// refused is why, if err says for certain that nothing was done and that trying
// again cannot help.
func refused(t *testing.T, err error) string {
	t.Helper()
	no, ok := errors.AsType[*bot.Refused](err)
	if _, again := bot.RetryAfter(err); !ok || again || !bot.NotSent(err) || bot.Service(err) != "Bugzilla" {
		t.Errorf("%v is no refusal: again %v, not sent %v, by %q", err, again, bot.NotSent(err), bot.Service(err))
		return ""
	}
	return no.Why
}

func TestFile(t *testing.T) {
	accounts := []fakebugzilla.Account{
		{Login: fakebugzilla.Login, Key: fakebugzilla.Key},
		{Login: "ana@example.com", Groups: []string{fakebugzilla.Group}},
	}
	tests := []struct {
		name string
		set  func(*bugzilla.Bug)
		want func(*fakebugzilla.Bug)
	}{
		{"the usual", func(*bugzilla.Bug) {}, func(*fakebugzilla.Bug) {}},
		{"a defect", func(b *bugzilla.Bug) { b.Type = "defect" }, func(b *fakebugzilla.Bug) { b.Type = "defect" }},
		{"a version", func(b *bugzilla.Bug) { b.Version = "2" }, func(b *fakebugzilla.Bug) { b.Version = "2" }},
		{"people", func(b *bugzilla.Bug) { b.CC = []string{"ana@example.com"} }, func(b *fakebugzilla.Bug) { b.CC = []string{"ana@example.com"} }},
		{"private", func(b *bugzilla.Bug) { b.Private = true }, func(b *fakebugzilla.Bug) { b.Groups = []string{fakebugzilla.Group} }},
		{"asking", func(b *bugzilla.Bug) { b.Needinfo = "ana@example.com" }, func(b *fakebugzilla.Bug) { b.Needinfo = []string{"ana@example.com"} }},
		{"privately asking", func(b *bugzilla.Bug) { b.Private, b.Needinfo = true, "ana@example.com" },
			func(b *fakebugzilla.Bug) {
				b.Groups, b.Needinfo = []string{fakebugzilla.Group}, []string{"ana@example.com"}
			}},
		{"the longest", func(b *bugzilla.Bug) {
			b.Summary, b.Description = strings.Repeat("ä", 255), strings.Repeat("😀", 65535)
		},
			func(b *fakebugzilla.Bug) {
				b.Summary, b.Description = strings.Repeat("ä", 255), strings.Repeat("😀", 65535)
			}},
		{"no description", func(b *bugzilla.Bug) { b.Description = "" }, func(b *fakebugzilla.Bug) { b.Description = "" }},
		{"markup", func(b *bugzilla.Bug) { b.Summary = `</script><b>"&` }, func(b *fakebugzilla.Bug) { b.Summary = `</script><b>"&` }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fake := &fakebugzilla.Server{Accounts: accounts, Products: map[string]fakebugzilla.Rules{fakebugzilla.Product: {
				Components: []string{fakebugzilla.Component}, Versions: []string{"unspecified", "2"},
				Groups: []string{fakebugzilla.Group}, RequireType: true}}}
			c := start(t, fake)
			b := usual()
			tt.set(&b)
			id, err := c.File(t.Context(), b)
			if err != nil || id != fakebugzilla.First {
				t.Fatalf("File = %d, %v", id, err)
			}
			want := fakebugzilla.Bug{ID: id, Product: "Cloud Services", Component: "Operations: Releng", Version: "unspecified",
				Type: "task", OpSys: "All", Platform: "All", Summary: "Treeherder: raise the worker memory", Description: "From 1 to *2* GB.",
				Whiteboard: "[th-bot:" + tok + "]", Creator: fakebugzilla.Login, Assigned: fakebugzilla.Nobody, Status: "NEW"}
			tt.want(&want)
			got := fake.Bugs()[0]
			got.Created, got.Changed = time.Time{}, time.Time{}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("filed (-want +got):\n%s", d)
			}
			if next, err := c.File(t.Context(), b); err != nil || next != id+1 {
				t.Errorf("the next is %d, %v", next, err)
			}
		})
	}
}

// What Bugzilla refuses, or would, is a final no in words for people.
func TestFileRefused(t *testing.T) {
	tests := []struct {
		name string
		set  func(*bugzilla.Bug)
		why  string
		sent bool
	}{
		{"product", func(b *bugzilla.Bug) { b.Product = "<Cloud>" },
			"Bugzilla says: Sorry, either the product <Cloud> does not exist or you aren't authorized to enter a bug into it. Nothing was filed.", true},
		{"component", func(b *bugzilla.Bug) { b.Component = "Operations" },
			"Bugzilla says: There is no component named 'Operations' in the 'Cloud Services' product. Nothing was filed.", true},
		{"version", func(b *bugzilla.Bug) { b.Version = "1" },
			"Bugzilla says: There is no version named '1' in the 'Cloud Services' product. Nothing was filed.", true},
		{"type", func(b *bugzilla.Bug) { b.Type = "chore" }, "Bugzilla says: There is no Type named 'chore'. Nothing was filed.", true},
		{"person", func(b *bugzilla.Bug) { b.CC = []string{"eve"} }, "Bugzilla says: 'eve' is not a valid username. Nothing was filed.", true},
		{"who is asked", func(b *bugzilla.Bug) { b.Needinfo = "eve" }, "Bugzilla says: 'eve' is not a valid username. Nothing was filed.", true},
		{"asking somebody outside", func(b *bugzilla.Bug) { b.Private, b.Needinfo = true, fakebugzilla.Person },
			"Bugzilla says: You asked ana@example.com for needinfo on bug, but that bug has been restricted to users in certain groups, and the user you asked isn't in all the groups to which the bug has been restricted. Nothing was filed.", true},
		{"no product", func(b *bugzilla.Bug) { b.Product = "" }, "A bug needs a product and a component. Nothing was filed.", false},
		{"no component", func(b *bugzilla.Bug) { b.Component = "" }, "A bug needs a product and a component. Nothing was filed.", false},
		{"no summary", func(b *bugzilla.Bug) { b.Summary = " \n" }, "A bug needs a summary. Nothing was filed.", false},
		{"long summary", func(b *bugzilla.Bug) { b.Summary = strings.Repeat("ä", 256) },
			"The summary has 256 characters; Bugzilla takes 255. Nothing was filed.", false},
		{"long description", func(b *bugzilla.Bug) { b.Description = strings.Repeat("ä", 65536) },
			"The description has 65536 characters; Bugzilla takes 65535. Nothing was filed.", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fake := &fakebugzilla.Server{}
			c := start(t, fake)
			b := usual()
			tt.set(&b)
			id, err := c.File(t.Context(), b)
			if why := refused(t, err); id != 0 || why != tt.why {
				t.Errorf("File = %d, %q, want %q", id, why, tt.why)
			}
			if !strings.HasPrefix(err.Error(), "Bugzilla: filing a bug: ") {
				t.Errorf("the error reads %q", err)
			}
			if len(fake.Bugs()) > 0 || (len(fake.Journal()) > 0) != tt.sent {
				t.Errorf("bugs %v after %v", fake.Bugs(), calls(fake))
			}
		})
	}
}

// A private bug that cannot be made private is not filed at all.
func TestFilePrivateOnly(t *testing.T) {
	fake := &fakebugzilla.Server{}
	c := startWith(t, fake, bugzilla.Options{Key: holding(fakebugzilla.Key), PrivateGroup: "other-security"})
	b := usual()
	b.Private = true
	_, err := c.File(t.Context(), b)
	if why := refused(t, err); !strings.Contains(why, "the 'other-security' group") || len(fake.Bugs()) > 0 {
		t.Errorf("%q, and there are %v", why, fake.Bugs())
	}
}

// Without a token that a search finds, a bug is not even filed.
func TestTokens(t *testing.T) {
	fake := &fakebugzilla.Server{}
	c := start(t, fake)
	for _, bad := range []string{"", "short", "two words of it", "a,comma", "[brackets]", "ünicode", strings.Repeat("x", 65), "ok-until\n"} {
		b := usual()
		b.Token = bad
		if id, err := c.File(t.Context(), b); id != 0 || !bot.NotSent(err) {
			t.Errorf("File with token %q = %d, %v", bad, id, err)
		}
		if id, found, err := c.FindByToken(t.Context(), b.Product, b.Component, bad); id != 0 || found || err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("FindByToken(%q) = %d, %v, %v", bad, id, found, err)
		}
	}
	if len(fake.Journal()) > 0 {
		t.Errorf("asked %v", calls(fake))
	}
}

func TestFindByToken(t *testing.T) {
	fake := &fakebugzilla.Server{}
	c := start(t, fake)
	find := func(want int) {
		t.Helper()
		id, found, err := c.FindByToken(t.Context(), fakebugzilla.Product, fakebugzilla.Component, tok)
		if id != want || found != (want != 0) || err != nil {
			t.Errorf("FindByToken = %d, %v, %v, want %d", id, found, err, want)
		}
	}
	find(0)
	fake.Add(fakebugzilla.Bug{Summary: "none"})
	fake.Add(fakebugzilla.Bug{Summary: "a longer one", Whiteboard: "[th-bot:" + tok + "0]"})
	fake.Add(fakebugzilla.Bug{Summary: "in small letters", Whiteboard: "[th-bot:" + strings.ToLower(tok) + "]"}) // which a search finds
	find(0)
	private := usual()
	private.Private = true
	id, err := c.File(t.Context(), private)
	if err != nil {
		t.Fatal(err)
	}
	find(id)
	fake.Add(fakebugzilla.Bug{Summary: "a copy", Whiteboard: "more [th-bot:" + tok + "]"})
	find(id)
	if err := fake.Move(id, "Cloud Services", "elsewhere"); err == nil {
		t.Error("moved to nowhere")
	}
}

func TestComment(t *testing.T) {
	fake := &fakebugzilla.Server{}
	c := start(t, fake)
	open := fake.Add(fakebugzilla.Bug{})
	hidden := fake.Add(fakebugzilla.Bug{Groups: []string{fakebugzilla.Group}})
	if err := c.Comment(t.Context(), open, "Is *live*.\n"); err != nil {
		t.Fatal(err)
	}
	said := fake.Bugs()[0].Comments
	if len(said) != 1 || said[0].By != fakebugzilla.Login || said[0].Text != "Is *live*.\n" {
		t.Errorf("comments are %v", said)
	}
	for _, tt := range []struct {
		id        int
		text, why string
		sent      bool
	}{
		{open, " \n", "The comment is empty. Nothing was written.", false},
		{open, strings.Repeat("ä", 65536), "The comment has 65536 characters; Bugzilla takes 65535. Nothing was written.", false},
		{hidden, "x", "Bugzilla says: You are not authorized to access bug 1900002. Nothing was written.", true},
		{hidden + 1, "x", "Bugzilla says: Bug #1900003 does not exist. Nothing was written.", true},
	} {
		before := len(fake.Journal())
		err := c.Comment(t.Context(), tt.id, tt.text)
		if why := refused(t, err); why != tt.why || errors.Is(err, bot.ErrNotFound) != (tt.id > hidden) {
			t.Errorf("Comment on %d: %v", tt.id, err)
		}
		if sent := len(fake.Journal()) > before; sent != tt.sent {
			t.Errorf("Comment on %d was sent: %v", tt.id, sent)
		}
	}
	if err := c.Comment(t.Context(), 0, "x"); !errors.Is(err, bot.ErrNotFound) || !bot.NotSent(err) {
		t.Errorf("Comment on 0: %v", err)
	}
	fake.Next(fakebugzilla.Broken().Lost())
	if err := c.Comment(t.Context(), open, "twice"); err == nil || bot.NotSent(err) {
		t.Errorf("after a lost answer: %v", err)
	}
	fake.Next(fakebugzilla.Trouble{Status: 201, Body: "{}"})
	if err := c.Comment(t.Context(), open, "twice"); err == nil || bot.NotSent(err) {
		t.Errorf("after an empty answer: %v", err)
	}
	if n := len(fake.Bugs()[0].Comments); n != 2 {
		t.Errorf("%d comments", n)
	}
}

func TestOptions(t *testing.T) {
	for _, bad := range []string{"", "bugzilla.mozilla.org", "ftp://bugzilla.mozilla.org/", "https://", ":", "https://a b/",
		"https://ana:hunter2@bugzilla.mozilla.org/", "https://bugzilla.mozilla.org/?api_key=hunter2", "https://bugzilla.mozilla.org/#x", "https://u:hunter2@h/%zz"} {
		if _, err := bugzilla.New(bugzilla.Options{URL: bad}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("New(%q): %v", bad, err)
		}
	}
	for base, want := range map[string]string{
		"https://bugzilla.mozilla.org":        "https://bugzilla.mozilla.org/show_bug.cgi?id=7",
		"https://bugzilla.mozilla.org/":       "https://bugzilla.mozilla.org/show_bug.cgi?id=7",
		"http://127.0.0.1:8080/bugs/bugzilla": "http://127.0.0.1:8080/bugs/bugzilla/show_bug.cgi?id=7",
	} {
		c, err := bugzilla.New(bugzilla.Options{URL: base})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Link(7); got != want {
			t.Errorf("Link(7) at %s is %s", base, got)
		}
	}
	// Below a path of its own everything is asked there.
	fake := &fakebugzilla.Server{}
	mux := http.NewServeMux()
	mux.Handle("/bugs/", http.StripPrefix("/bugs", fake))
	s := httptest.NewServer(mux)
	defer s.Close()
	c, err := bugzilla.New(bugzilla.Options{URL: s.URL + "/bugs/", Key: holding(fakebugzilla.Key)})
	if err != nil {
		t.Fatal(err)
	}
	if id, err := c.File(t.Context(), usual()); id == 0 || err != nil {
		t.Errorf("File = %d, %v", id, err)
	}
}

// The key goes in its header and nowhere else, and what is asked says who asks.
func TestRequest(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	var seen []*http.Request
	c := startWith(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r)
		// A server that repeats the key, as none should.
		w.WriteHeader(400)
		_, _ = w.Write([]byte(`{"error":true,"code":53,"message":"What is <b>` + r.Header.Get("X-Bugzilla-Api-Key") + `</b>?"}`))
	}), bugzilla.Options{Key: holding("fake-s3cret"), Log: zap.New(core)})
	for name, err := range errorsOf(t.Context(), c) {
		if err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "What is [redacted]?") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, r := range seen {
		if r.UserAgent() != web.UserAgent || r.Header.Get("X-Bugzilla-Api-Key") != "fake-s3cret" || r.Header.Get("Accept") != "application/json" ||
			strings.Contains(r.RequestURI, "s3cret") || r.Method == "POST" && r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %v", r.Method, r.RequestURI, r.Header)
		}
	}
	if logs.Len() == 0 {
		t.Error("nothing is logged")
	}
	for _, l := range logs.All() {
		for _, v := range slices.Collect(maps.Values(l.ContextMap())) {
			if s, ok := v.(string); ok && strings.Contains(s, "s3cret") {
				t.Errorf("the log has %v", l)
			}
		}
	}
}

// errorsOf are what all one can ask ends in.
func errorsOf(ctx context.Context, c *bugzilla.Client) map[string]error {
	_, whoami := c.Whoami(ctx)
	_, file := c.File(ctx, usual())
	_, _, find := c.FindByToken(ctx, fakebugzilla.Product, fakebugzilla.Component, tok)
	_, one := c.Bug(ctx, fakebugzilla.First)
	_, several := c.Bugs(ctx, []int{fakebugzilla.First})
	return map[string]error{"Whoami": whoami, "File": file, "FindByToken": find, "Bug": one, "Bugs": several,
		"Comment": c.Comment(ctx, fakebugzilla.First, "x")}
}

// visit opens a link of a client's on fake, as a person would.
func visit(t *testing.T, fake *fakebugzilla.Server, link string, page *string) (status int) {
	t.Helper()
	w := httptest.NewRecorder()
	fake.ServeHTTP(w, httptest.NewRequest("GET", link, nil))
	*page = w.Body.String()
	return w.Code
}
