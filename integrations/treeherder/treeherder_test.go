package treeherder_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thbot/bot"
	"thbot/integrations/fakehttp"
	"thbot/integrations/internal/web"
	"thbot/integrations/treeherder"
	"thbot/integrations/treeherder/faketreeherder"
)

const (
	old = "445ee0734d0b3a1f7e5c2b8a9d6f4e3c2b1a0987"
	new = "9f8e7d6c5b4a39281706f5e4d3c2b1a098765432"
)

func TestVersion(t *testing.T) {
	sentence := "In production this file will be overwritten with the Git revision, for use by: somebody"
	tests := []struct {
		name   string
		set    func(*faketreeherder.App)
		want   string
		status int
		says   string // in the error
	}{
		{"a commit", func(a *faketreeherder.App) { a.Serve(new) }, new, 0, ""},
		{"the committed version.json", func(a *faketreeherder.App) { a.Serve("stub") }, "", 200, `no full commit but "stub"`},
		{"a short commit", func(a *faketreeherder.App) { a.Serve("9f8e7d6") }, "", 200, `"9f8e7d6"`},
		{"a long one", func(a *faketreeherder.App) { a.Serve(new + "0") }, "", 200, "no full commit"},
		{"with a line end", func(a *faketreeherder.App) { a.Serve(new + "\n") }, "", 200, "no full commit"},
		{"in capitals", func(a *faketreeherder.App) { a.Serve(strings.ToUpper(new)) }, "", 200, "no full commit"},
		{"nothing", func(a *faketreeherder.App) { a.Serve("") }, "", 200, `no full commit but ""`},
		{"a hostile one", func(a *faketreeherder.App) { a.Serve(strings.Repeat("<!channel>\n", 99)) }, "", 200, `but "<!channel>\n`},
		{"never deployed", func(a *faketreeherder.App) {}, "", 404, "HTTP 404"},
		{"the placeholder", func(a *faketreeherder.App) { a.Break(200, sentence) }, "", 200, "not a version"},
		{"a bare commit", func(a *faketreeherder.App) { a.Break(200, new) }, "", 200, "not a version"},
		{"no commit", func(a *faketreeherder.App) { a.Break(200, `{"version":"1"}`) }, "", 200, `but ""`},
		{"a number", func(a *faketreeherder.App) { a.Break(200, `{"commit":1}`) }, "", 200, "not a version"},
		{"null", func(a *faketreeherder.App) { a.Break(200, `null`) }, "", 200, `but ""`},
		{"two", func(a *faketreeherder.App) { a.Break(200, `{"commit":"`+new+`"}{"commit":"`+old+`"}`) }, "", 200, "not a version"},
		{"cut off", func(a *faketreeherder.App) { a.Break(200, `{"commit":"`+new+`"`) }, "", 200, "not a version"},
		{"an empty answer", func(a *faketreeherder.App) { a.Break(200, "") }, "", 200, "not a version"},
		{"a login page", func(a *faketreeherder.App) { a.Break(200, "<html>") }, "", 200, "not a version"},
		{"a huge answer", func(a *faketreeherder.App) {
			a.Break(200, `{"commit":"`+new+`"}`+strings.Repeat(" ", 4<<10))
		}, "", 200, web.ErrTooLarge.Error()},
		{"no content", func(a *faketreeherder.App) { a.Break(204, "") }, "", 204, "HTTP 204"},
		{"a non-authoritative commit", func(a *faketreeherder.App) { a.Break(203, `{"commit":"`+new+`"}`) }, "", 203, "HTTP 203"},
		{"down", func(a *faketreeherder.App) { a.Break(503, "<html>Service Unavailable") }, "", 503, "HTTP 503"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			app := &faketreeherder.App{}
			tt.set(app)
			s := httptest.NewServer(app)
			defer s.Close()
			got, err := treeherder.New(treeherder.Options{}).Version(t.Context(), s.URL)
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Fatalf("Version = %q, %v; want %q", got, err, tt.want)
			}
			if len(app.Unexpected()) > 0 {
				t.Errorf("unexpected: %v", app.Unexpected())
			}
			if err == nil {
				return
			}
			var e *web.Error
			if !errors.As(err, &e) || e.Status != tt.status || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error is %v, want status %d and %q", err, tt.status, tt.says)
			}
			begin := "Treeherder: reading what " + strings.TrimPrefix(s.URL, "http://") + " serves: "
			if !strings.HasPrefix(err.Error(), begin) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 300 {
				t.Errorf("error reads %q", err)
			}
			if bot.Service(err) != "Treeherder" {
				t.Errorf("service is %q", bot.Service(err))
			}
			if _, again := bot.RetryAfter(err); !again {
				t.Errorf("%v is final, but the app may only be starting", err)
			}
		})
	}
}

// Old and new pods answer in turn until the rollout is over.
func TestRollout(t *testing.T) {
	app := &faketreeherder.App{}
	s := httptest.NewServer(app)
	defer s.Close()
	c := treeherder.New(treeherder.Options{})
	app.Rollout(old, new)
	for i, want := range []string{old, new, old, new} {
		if got, err := c.Version(t.Context(), s.URL); got != want || err != nil {
			t.Errorf("answer %d is %q, %v; want %q", i, got, err, want)
		}
	}
	app.Break(502, "")
	if got, err := c.Version(t.Context(), s.URL); err == nil {
		t.Errorf("broken app serves %q", got)
	}
	app.Serve(new)
	for range 3 {
		if got, err := c.Version(t.Context(), s.URL); got != new || err != nil {
			t.Errorf("after the rollout: %q, %v", got, err)
		}
	}
}

func TestBaseURL(t *testing.T) {
	app := &faketreeherder.App{}
	app.Serve(new)
	mux := http.NewServeMux()
	mux.Handle("/", app)
	mux.Handle("/stage/", http.StripPrefix("/stage", app))
	s := httptest.NewServer(mux)
	defer s.Close()
	c := treeherder.New(treeherder.Options{})
	for _, base := range []string{s.URL, s.URL + "/", s.URL + "/stage", s.URL + "/stage/"} {
		if got, err := c.Version(t.Context(), base); got != new || err != nil {
			t.Errorf("Version(%q) = %q, %v", base, got, err)
		}
	}
	for _, base := range []string{"", "treeherder.mozilla.org", "ftp://treeherder.mozilla.org/", "https://", ":", "https://a b/"} {
		_, err := c.Version(t.Context(), base)
		var e *web.Error
		if !errors.As(err, &e) || !e.Final || e.Status != 0 {
			t.Errorf("Version(%q): %v", base, err)
		}
	}
}

// Every question has another query and our name, and asks past caches.
func TestRequest(t *testing.T) {
	seen := map[string]bool{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "" || seen[r.URL.RawQuery] {
			t.Errorf("query %q is not new", r.URL.RawQuery)
		}
		seen[r.URL.RawQuery] = true
		if r.UserAgent() != web.UserAgent || r.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("headers: %v", r.Header)
		}
	}))
	defer s.Close()
	for range 3 {
		_, _ = treeherder.New(treeherder.Options{}).Version(t.Context(), s.URL)
	}
}

// The app may redirect within its host; what another host says is no answer.
func TestRedirect(t *testing.T) {
	app := &faketreeherder.App{}
	app.Serve(new)
	other := httptest.NewServer(app)
	defer other.Close()
	mux := http.NewServeMux()
	mux.Handle("/real/", http.StripPrefix("/real", app))
	mux.Handle("/here/", http.RedirectHandler("/real/__version__", http.StatusMovedPermanently))
	mux.Handle("/away/", http.RedirectHandler(other.URL+"/__version__", http.StatusMovedPermanently))
	s := httptest.NewServer(mux)
	defer s.Close()
	c := treeherder.New(treeherder.Options{})
	if got, err := c.Version(t.Context(), s.URL+"/here"); got != new || err != nil {
		t.Errorf("within the host: %q, %v", got, err)
	}
	_, err := c.Version(t.Context(), s.URL+"/away")
	var e *web.Error
	if !errors.As(err, &e) || e.Status != http.StatusMovedPermanently {
		t.Errorf("to another host: %v", err)
	}
	if n := len(app.Journal()); n != 1 {
		t.Errorf("the app was asked %d times, want once", n)
	}
}

func TestNobodyThere(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close()
	_, err := treeherder.New(treeherder.Options{}).Version(t.Context(), s.URL)
	if !bot.NotSent(err) {
		t.Errorf("error is %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := treeherder.New(treeherder.Options{}).Version(ctx, s.URL); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

// An app that does not answer costs the time limit, and no more.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := fakehttp.NewPipe()
		shut := make(chan struct{})
		app := &faketreeherder.App{Name: "stage", Gate: func(call, moment string) {
			if call != "treeherder stage GET __version__" {
				t.Errorf("call is %q", call)
			}
			if moment == fakehttp.Done {
				<-shut
			}
		}}
		app.Serve(new)
		s := &http.Server{Handler: app}
		go func() { _ = s.Serve(p) }()
		c := treeherder.New(treeherder.Options{Dial: p.Dial, Limit: 2 * time.Second})
		begun := time.Now()
		_, err := c.Version(t.Context(), "http://stage.test/")
		if took := time.Since(begun); took != 2*time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %v: %v", took, err)
		}
		close(shut)
		c.Close()
		_ = s.Close()
	})
}

func TestRetryAfter(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer s.Close()
	_, err := treeherder.New(treeherder.Options{}).Version(t.Context(), s.URL)
	if wait, again := bot.RetryAfter(err); wait != 7*time.Second || !again {
		t.Errorf("RetryAfter(%v) = %v, %v", err, wait, again)
	}
}
