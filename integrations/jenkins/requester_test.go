package jenkins

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"thbot/bot"
)

// gojenkins' own calls go through the requester: its statuses are errors, its
// redirected actions are not followed, and it is asked for no crumb.
func TestGojenkins(t *testing.T) {
	calls := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		calls <- r.Method + " " + r.URL.RequestURI() + " " + string(body)
		if user, token, ok := r.BasicAuth(); !ok || user != "u" || token != "t" || r.Header.Get("Cookie") != "" {
			t.Errorf("%s came with %v", r.URL, r.Header)
		}
		http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: "1"})
		switch {
		case r.Method == http.MethodPost:
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case strings.Contains(r.URL.Path, "/job/b/"):
			_, _ = io.WriteString(w, `{"name":"b"}`)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	c, err := New(Options{URL: server.URL, User: "u", Token: "t"})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if j, err := c.jenkins.GetJob(ctx, "b", "a"); err != nil || j.Raw.Name != "b" {
		t.Errorf("GetJob: %v, %v", j, err)
	}
	if _, err := c.jenkins.GetJob(ctx, "other"); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("GetJob of none: %v", err)
	}
	resp, err := c.jenkins.Requester.PostJSON(ctx, "/job/b/stop", strings.NewReader("x=1"), nil, nil)
	if err != nil || resp.StatusCode != http.StatusFound {
		t.Errorf("PostJSON: %v, %v", resp, err)
	}
	for _, want := range []string{"GET /job/a/job/b/api/json ", "GET /job/other/api/json ", "POST /job/b/stop/api/json x=1"} {
		if got := <-calls; got != want {
			t.Errorf("asked %q, want %q", got, want)
		}
	}
	for name, call := range map[string]func() (*http.Response, error){
		"PostXML":   func() (*http.Response, error) { return c.jenkins.Requester.PostXML(ctx, "/x", "<x/>", nil, nil) },
		"PostFiles": func() (*http.Response, error) { return c.jenkins.Requester.PostFiles(ctx, "/x", nil, nil, nil, nil) },
		"GetXML":    func() (*http.Response, error) { return c.jenkins.Requester.GetXML(ctx, "/x", nil, nil) },
	} {
		if _, err := call(); !errors.Is(err, errNever) || len(calls) != 0 {
			t.Errorf("%s: %v after %d calls", name, err, len(calls))
		}
	}
}
