package bugzilla_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thbot/bot"
	"thbot/integrations/bugzilla"
	"thbot/integrations/bugzilla/fakebugzilla"
	"thbot/integrations/internal/web"
)

func TestWhoami(t *testing.T) {
	fake := &fakebugzilla.Server{}
	c := start(t, fake)
	who, err := c.Whoami(t.Context())
	if want := (bugzilla.Account{ID: 1, Login: fakebugzilla.Login, RealName: "Treeherder bot", Nick: "thbot"}); who != want || err != nil {
		t.Errorf("Whoami = %v, %v", who, err)
	}
	for _, body := range []string{"{}", "null", `{"id":1}`, `{"name":"x"}`, `{"id":"1","name":"x"}`, "[]", "", "<html>Log in"} {
		fake.Next(fakebugzilla.Trouble{Status: 200, Body: body})
		who, err := c.Whoami(t.Context())
		var e *web.Error
		if who != (bugzilla.Account{}) || !errors.As(err, &e) || e.Status != 200 || e.Final || bot.NotSent(err) {
			t.Errorf("after %q: %v, %v", body, who, err)
		}
	}
}

func TestBug(t *testing.T) {
	fake := &fakebugzilla.Server{}
	c := start(t, fake)
	id, err := c.File(t.Context(), usual())
	if err != nil {
		t.Fatal(err)
	}
	read := func() bugzilla.State {
		t.Helper()
		s, err := c.Bug(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if !s.Changed.Equal(fake.Bugs()[0].Changed) || time.Since(s.Changed) > time.Minute {
			t.Errorf("changed %v", s.Changed)
		}
		s.Changed = time.Time{}
		return s
	}
	want := bugzilla.State{ID: id, Summary: "Treeherder: raise the worker memory", Status: "NEW", Product: "Cloud Services",
		Component: "Operations: Releng", Assigned: fakebugzilla.Nobody}
	if d := cmp.Diff(want, read()); d != "" {
		t.Errorf("Bug (-want +got):\n%s", d)
	}
	if err := fake.Assign(id, fakebugzilla.Person); err != nil {
		t.Fatal(err)
	}
	want.Status, want.Assigned = "ASSIGNED", fakebugzilla.Person
	if got := read(); got != want || !got.Open() {
		t.Errorf("Bug = %v", got)
	}
	if err := fake.Resolve(id, "FIXED"); err != nil {
		t.Fatal(err)
	}
	want.Status, want.Resolution = "RESOLVED", "FIXED"
	if got := read(); got != want || got.Open() {
		t.Errorf("Bug = %v", got)
	}
	// A search is behind, reading one bug is not.
	private := usual()
	private.Private = true
	fake.Lag(true)
	hidden, err := c.File(t.Context(), private)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := c.Bug(t.Context(), hidden); err != nil || !s.Private {
		t.Errorf("Bug = %v, %v", s, err)
	}
}

func TestBugRefused(t *testing.T) {
	fake := &fakebugzilla.Server{}
	c := start(t, fake)
	hidden := fake.Add(fakebugzilla.Bug{Groups: []string{fakebugzilla.Group}})
	_, err := c.Bug(t.Context(), hidden)
	if why := refused(t, err); why != "Bugzilla says: You are not authorized to access bug 1900001." || errors.Is(err, bot.ErrNotFound) {
		t.Errorf("a hidden bug: %v", err)
	}
	_, err = c.Bug(t.Context(), hidden+1)
	if why := refused(t, err); why != "Bugzilla says: Bug #1900002 does not exist." || !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("no bug: %v", err)
	}
	before := len(fake.Journal())
	for _, id := range []int{0, -1} {
		if _, err := c.Bug(t.Context(), id); !errors.Is(err, bot.ErrNotFound) || !bot.NotSent(err) {
			t.Errorf("bug %d: %v", id, err)
		}
	}
	if len(fake.Journal()) != before {
		t.Error("such a bug was asked for")
	}
}

const full = `{"id":1900001,"summary":"s","status":"NEW","resolution":"","product":"p","component":"c",` +
	`"assigned_to":"a","groups":[],"last_change_time":"2026-11-22T10:00:00Z"}`

// Answers of 200 that are none, or about something else.
func TestNonsense(t *testing.T) {
	fake := &fakebugzilla.Server{}
	c := start(t, fake)
	tests := []struct {
		name, body string
		one, some  bool // whether Bug and Bugs take it
	}{
		{"right", `{"bugs":[` + full + `],"faults":[]}`, true, true},
		{"none", `{"bugs":[]}`, false, true},
		{"no list", `{}`, false, false},
		{"null", `null`, false, false},
		{"a null list", `{"bugs":null}`, false, false},
		{"empty", ``, false, false},
		{"a page", `<html>`, false, false},
		{"cut off", (`{"bugs":[` + full)[:90], false, false},
		{"another one", `{"bugs":[` + strings.Replace(full, "1900001", "1900002", 1) + `]}`, false, false},
		{"another one too", `{"bugs":[` + full + "," + strings.Replace(full, "1900001", "7", 1) + `]}`, false, false},
		{"no status", `{"bugs":[` + strings.Replace(full, "NEW", "", 1) + `]}`, false, false},
		{"no groups", `{"bugs":[` + strings.Replace(full, `"groups":[],`, "", 1) + `]}`, false, false},
		{"no time", `{"bugs":[` + strings.Replace(full, "last_change_time", "x", 1) + `]}`, false, false},
		{"another time", `{"bugs":[` + strings.Replace(full, "2026-11-22T", "22.11.", 1) + `]}`, false, false},
		{"too large", `{"bugs":[` + full + strings.Repeat(" ", 1<<20) + `]}`, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 {
				fake.Next(fakebugzilla.Trouble{Status: 200, Body: tt.body})
			}
			_, one := c.Bug(t.Context(), 1900001)
			_, some := c.Bugs(t.Context(), []int{1900001})
			for _, got := range []struct {
				name string
				err  error
				ok   bool
			}{{"Bug", one, tt.one}, {"Bugs", some, tt.some}} {
				var e *web.Error
				if (got.err == nil) != got.ok || got.err != nil && (!errors.As(got.err, &e) || e.Final || e.Status != 200 || errors.Is(got.err, bot.ErrNotFound)) {
					t.Errorf("%s: %v", got.name, got.err)
				}
			}
		})
	}
	for _, body := range []string{`{}`, `null`, `[]`, `{"bugs":[{"id":0,"whiteboard":"[th-bot:` + tok + `]"}]}`, `{"bugs":{}}`, `<html>`} {
		fake.Next(fakebugzilla.Trouble{Status: 200, Body: body})
		if id, found, err := c.FindByToken(t.Context(), "p", "c", tok); id != 0 || found || err == nil {
			t.Errorf("FindByToken after %q = %d, %v, %v", body, id, found, err)
		}
	}
	// Other people's bugs are not ours, whatever the search says.
	fake.Next(fakebugzilla.Trouble{Status: 200, Body: `{"bugs":[{"id":7,"whiteboard":"mine"}]}`})
	if id, found, err := c.FindByToken(t.Context(), "p", "c", tok); id != 0 || found || err != nil {
		t.Errorf("FindByToken = %d, %v, %v", id, found, err)
	}
}

func TestBugs(t *testing.T) {
	fake := &fakebugzilla.Server{}
	c := start(t, fake)
	a, b := fake.Add(fakebugzilla.Bug{Summary: "a"}), fake.Add(fakebugzilla.Bug{Summary: "b"})
	hidden := fake.Add(fakebugzilla.Bug{Groups: []string{fakebugzilla.Group}})
	other := fake.Add(fakebugzilla.Bug{})
	if err := fake.Resolve(b, "WONTFIX"); err != nil {
		t.Fatal(err)
	}
	got, err := c.Bugs(t.Context(), []int{b, a, hidden, other + 1, 0, -1, a})
	if err != nil || len(got) != 2 || got[a].Summary != "a" || got[a].ID != a || got[b].Resolution != "WONTFIX" {
		t.Errorf("Bugs = %v, %v", got, err)
	}
	if want := []string{"GET bugs"}; !slices.Equal(calls(fake), want) {
		t.Errorf("asked %v", calls(fake))
	}
	// None are none; all bugs there are would be the answer to no criteria.
	for _, none := range [][]int{nil, {}, {0, -3}} {
		if got, err := c.Bugs(t.Context(), none); len(got) != 0 || got == nil || err != nil {
			t.Errorf("Bugs(%v) = %v, %v", none, got, err)
		}
	}
	if n := len(fake.Journal()); n != 1 {
		t.Errorf("asked %d times", n)
	}
	// As many as can be asked for fit into an address.
	many := make([]int, bugzilla.MaxBugs)
	for i := range many {
		many[i] = 99999999 - i
	}
	if got, err := c.Bugs(t.Context(), append(many[1:], a)); err != nil || len(got) != 1 {
		t.Errorf("Bugs of %d = %v, %v", len(many), got, err)
	}
	if _, err := c.Bugs(t.Context(), append(many, a)); err == nil || !bot.NotSent(err) {
		t.Errorf("too many: %v", err)
	}
}

// A search that fails is not a search that finds nothing; one that takes too
// long has no code of its own, and may be asked again.
func TestReadingFails(t *testing.T) {
	fake := &fakebugzilla.Server{}
	c := start(t, fake)
	fake.Add(fakebugzilla.Bug{})
	for name, tt := range map[string]struct {
		trouble fakebugzilla.Trouble
		says    string
		again   bool
	}{
		"down":       {fakebugzilla.Broken(), "HTTP 500: Internal Server Error (text/html)", true},
		"a proxy":    {fakebugzilla.Trouble{Status: 502, Body: "<html>"}, "HTTP 502: Bad Gateway (text/html)", true},
		"too slow":   {fakebugzilla.Trouble{Status: 400, Body: `{"error":true,"code":32000,"message":"Sorry, it's taking too long."}`}, "HTTP 400: code 32000: Sorry, it's taking too long.", true},
		"limited":    {fakebugzilla.RateLimited(), "HTTP 400: the rate limit is reached", true},
		"too long":   {fakebugzilla.TooLong(), "HTTP 414: That is more than Bugzilla takes at once.", false},
		"no words":   {fakebugzilla.Trouble{Status: 400, Body: `{"error":true,"code":53}`}, "HTTP 400: Bugzilla says: no reason given, code 53.", false},
		"no service": {fakebugzilla.Trouble{Status: 404, Body: `{"error":true,"code":32614,"message":"A REST API resource was not found."}`}, "HTTP 404: Bugzilla says: A REST API resource was not found.", false},
		"200":        {fakebugzilla.Trouble{Status: 200, Body: `{"error":true,"code":53,"message":"Oh."}`}, "HTTP 200: Bugzilla says: Oh.", false},
		"not there":  {fakebugzilla.Trouble{Status: 404, Body: "<html>"}, "HTTP 404: Not Found, in words that are not Bugzilla's (text/html)", false},
		"no type":    {fakebugzilla.Trouble{Status: 500, Body: `{"x":1}`}, "HTTP 500: Internal Server Error (application/json)", true},
	} {
		t.Run(name, func(t *testing.T) {
			for range 4 {
				fake.Next(tt.trouble)
			}
			errs := errorsOf(t.Context(), c) // of which File and Comment come with the rest
			for _, call := range []string{"Whoami", "FindByToken", "Bug", "Bugs"} {
				err := errs[call]
				if err == nil {
					continue // the troubles were for others
				}
				if _, again := bot.RetryAfter(err); !strings.Contains(err.Error(), tt.says) || again != tt.again || errors.Is(err, bot.ErrNotFound) {
					t.Errorf("%s: %v, again %v", call, err, again)
				}
			}
			if errs["Whoami"] == nil {
				t.Error("no trouble")
			}
			fake.Mend()
		})
	}
}

// What was written for browsers is shown as text, and not for long.
func TestWords(t *testing.T) {
	says := ""
	c := startWith(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(400)
		_, _ = w.Write([]byte(`{"error":true,"code":53,"message":` + says + `}`))
	}), bugzilla.Options{Key: holding("fake-key")})
	for in, want := range map[string]string{
		`"plain"`:                            "plain",
		`"the <em>product</em>, yes"`:        "the product, yes",
		`"one<br>two<p class=\"x\">three"`:   "one two three",
		`"<ul>\n  <li>a</li>\n</ul> \t b"`:   "a b",
		`"if 1 &lt; 2 &amp;&amp; it&#39;s"`:  "if 1 < 2 && it's",
		`"&lt;!channel&gt; &lt;b&gt;"`:       "<!channel> <b>",
		`"a\u0000b\u001b[31mc"`:              "a b [31mc",
		`"<a href=\"https://x/?a>b\">x</a>"`: `b">x`,
		`""`:                                 "no reason given, code 53.",
		`"` + strings.Repeat("ä", 300) + `"`: strings.Repeat("ä", 300),
		`"` + strings.Repeat("ä", 301) + `"`: strings.Repeat("ä", 299) + "…",
	} {
		says = in
		_, err := c.Bug(t.Context(), 7)
		if why := refused(t, err); why != "Bugzilla says: "+want {
			t.Errorf("%s reads %q, want %q", in, why, want)
		}
	}
}
