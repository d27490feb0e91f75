package main

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"thbot/cmd/sandbox/world"
)

func TestBadRequests(t *testing.T) {
	t.Parallel()
	c, s := visit(t)
	c.say("bob", "hello")
	hello := c.messages("bob")[0].TS
	ops := world.Room
	asJSON := func(v any) string { b, _ := json.Marshal(v); return string(b) }
	header := func(pairs ...string) http.Header {
		h := http.Header{"Content-Type": {"application/json"}}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	good := asJSON(saying{As: "ana", Channel: ops, Text: "hi"})
	for _, tt := range []struct {
		name, method, path, body string
		header                   http.Header // Host counts as one
		status                   int
		says                     string
	}{
		{"nobody of that name", "POST", "/api/say", asJSON(saying{As: "zed", Channel: ops, Text: "hi"}), nil, 400, `"zed" is nobody here; one can be ana, bob, cleo, bea, pia, nora, gus, fox`},
		{"no name at all", "POST", "/api/say", `{}`, nil, 400, `"" is nobody here`},
		{"no channel of that name", "POST", "/api/say", asJSON(saying{As: "ana", Channel: "random", Text: "hi"}), nil, 400, `"random" is no channel here; there are treeherder-ops, general`},
		{"nothing to say", "POST", "/api/say", asJSON(saying{As: "ana", Channel: ops, Text: "  "}), nil, 400, "There is nothing to say"},
		{"no such message", "POST", "/api/press", asJSON(pressing{As: "ana", Channel: ops, TS: "1.2", Action: "promote", Value: "x"}), nil, 404, "ana sees no message 1.2 there"},
		{"no such button", "POST", "/api/press", asJSON(pressing{As: "ana", Channel: ops, TS: hello, Action: "promote", Value: "x"}), nil, 404, `That message has no button promote "x" (action, value); it has none.`},
		{"a reply to nothing", "POST", "/api/say", asJSON(saying{As: "ana", Channel: ops, Text: "hi", Thread: "1.2"}), nil, 400, "cannot_reply_to_message"},
		{"a button of no view", "POST", "/api/press", asJSON(pressing{As: "ana", View: "V1", Action: "promote"}), nil, 409, "V1"},
		{"a menu that is not there", "POST", "/api/choose", asJSON(choosing{As: "ana", Channel: ops, TS: hello, Action: "app", Choices: []string{"x"}}), nil, 409, "no such element"},
		{"a menu of nowhere", "POST", "/api/choose", asJSON(choosing{As: "ana", Channel: "random"}), nil, 400, "is no channel here"},
		{"submitting no modal", "POST", "/api/submit", asJSON(submitting{As: "ana", View: "V1"}), nil, 409, "V1"},
		{"closing no modal", "POST", "/api/close", asJSON(closing{As: "ana", View: "V1"}), nil, 409, "V1"},
		{"no such tab", "POST", "/api/open-home", asJSON(opening{As: "ana", Tab: "files"}), nil, 409, "files"},
		{"modals of nobody", "GET", "/api/modal", "", nil, 400, "is nobody here"},
		{"a Home of nobody", "GET", "/api/home?as=zed", "", nil, 400, "is nobody here"},
		{"places of nobody", "GET", "/api/places", "", nil, 400, "is nobody here"},
		{"messages of nobody", "GET", "/api/messages?channel=general", "", nil, 400, "is nobody here"},
		{"messages of nowhere", "GET", "/api/messages?as=ana", "", nil, 400, "is no channel here"},
		{"no JSON", "POST", "/api/say", `{"as":`, nil, 400, "The body is not the JSON object it should be"},
		{"two objects", "POST", "/api/say", good + good, nil, 400, "more follows after it"},
		{"a list", "POST", "/api/say", `[]`, nil, 400, "The body is not the JSON object"},
		{"an unknown key", "POST", "/api/say", `{"from":"ana"}`, nil, 400, `unknown field "from"`},
		{"far too long", "POST", "/api/say", asJSON(saying{As: "ana", Channel: ops, Text: strings.Repeat("x", most)}), nil, 400, "too large"},
		{"a form", "POST", "/api/say", "as=ana", header("Content-Type", "application/x-www-form-urlencoded"), 415, "The body must be JSON"},
		{"plain text", "POST", "/api/say", good, header("Content-Type", "text/plain"), 415, "The body must be JSON"},
		{"wrong method", "GET", "/api/say", "", nil, 405, "/api/say takes POST alone."},
		{"wrong method for reading", "POST", "/api/world", "{}", nil, 405, "/api/world takes GET alone."},
		{"wrong method for listening", "POST", "/api/events", "{}", nil, 405, "/api/events takes GET alone."},
		{"wrong method for the page", "POST", "/", "{}", nil, 405, "/ takes GET alone."},
		{"no such address", "GET", "/api/secrets", "", nil, 404, "There is no /api/secrets here."},
		{"no such switch", "POST", "/api/world/explode", "{}", nil, 404, `There is no switch "explode"; there are kill, stop, start,`},
		{"no such parameter", "POST", "/api/world/push", `{"force":"yes"}`, nil, 400, `The switch push knows no "force".`},
		{"no such app", "POST", "/api/world/app-break", `{"app":"beta"}`, nil, 400, `"beta" is no app`},
		{"no such run", "POST", "/api/world/abort-run", `{"run":"99"}`, nil, 400, `There is no run "99".`},
		{"a run that is over", "POST", "/api/world/abort-run", `{"run":"810"}`, nil, 409, "That cannot be done to run 810 now."},
		{"another site", "POST", "/api/say", good, header("Origin", "https://evil.example"), 403, "no other site's"},
		{"another port", "POST", "/api/world/kill", "{}", header("Origin", "http://127.0.0.1:1"), 403, "no other site's"},
		{"a page without an origin", "POST", "/api/say", good, header("Origin", "null"), 403, "no other site's"},
		{"another site, as browsers say it", "POST", "/api/say", good, header("Sec-Fetch-Site", "cross-site"), 403, "no other site's"},
		{"a name that points here", "GET", "/api/world", "", header("Host", "evil.example:8055"), 403, "only answers to 127.0.0.1 and localhost"},
		{"a name that points here, acting", "POST", "/api/say", good, header("Host", "evil.example", "Origin", "http://evil.example"), 403, "only answers to"},
		{"a name that looks like ours", "GET", "/", "", header("Host", "localhost.evil.example"), 403, "only answers to"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
			r.Host = "127.0.0.1:8055"
			if r.Header = tt.header; r.Header == nil {
				r.Header = header()
			}
			if host := r.Header.Get("Host"); host != "" {
				r.Host = host
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			var answer struct{ Error string }
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
				t.Fatalf("%d %q: %v", w.Code, w.Body, err)
			}
			if w.Code != tt.status || !strings.Contains(answer.Error, tt.says) || !strings.HasSuffix(answer.Error, ".") {
				t.Errorf("%d %s\nwant %d and in it %s", w.Code, answer.Error, tt.status, tt.says)
			}
		})
	}
	if n := len(c.messages("ana")); n != 1 {
		t.Errorf("one of those was said: %d messages", n)
	}
	if b := c.world().Bot; !b.Running || b.Starts != 1 {
		t.Errorf("one of those got to the bot: %+v", b)
	}

	for _, host := range []string{"localhost", "localhost:8055", "127.0.0.1:8055", "[::1]:8055"} {
		r := httptest.NewRequest("POST", "/api/say", strings.NewReader(good))
		r.Host, r.Header = host, header("Origin", "http://"+host, "Sec-Fetch-Site", "same-origin")
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code != 200 {
			t.Errorf("the page itself on %s: %d %s", host, w.Code, w.Body)
		}
	}
}

// What the page loads is all there, comes from here, and cannot become markup.
func TestPage(t *testing.T) {
	h := guard(http.HandlerFunc(page))
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", path, nil)
		r.Host = "localhost"
		h.ServeHTTP(w, r)
		return w
	}
	if w := get("/"); w.Code != 200 || !strings.Contains(w.Body.String(), "Sandbox: nothing here is real") || w.Header().Get("Content-Security-Policy") != policy {
		t.Errorf("/: %d %v", w.Code, w.Header())
	}
	for _, path := range []string{"/page/app.js", "/../main.go", "/page", "/app.ts"} {
		if w := get(path); w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	refers := regexp.MustCompile(`(?:src|href|from|import|url)[=( ]*"([^"]+)"`)
	forbidden := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setHTML|srcdoc|style="|https?://[a-z]`)
	count := 0
	err := fs.WalkDir(files, "page", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		count++
		text, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		if w := get(strings.TrimPrefix(name, "page")); w.Code != 200 || w.Header().Get("Content-Type") == "" {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
		for _, m := range refers.FindAllStringSubmatch(string(text), -1) {
			if w := get("/" + strings.TrimPrefix(m[1], "./")); w.Code != 200 {
				t.Errorf("%s refers to %s, which is not there", name, m[1])
			}
		}
		if found := forbidden.FindString(strings.ReplaceAll(string(text), "http://www.w3.org/", "")); found != "" {
			t.Errorf("%s: %s", name, found)
		}
		return nil
	})
	if err != nil || count < 8 {
		t.Errorf("%d files, %v", count, err)
	}
}
