package jenkins_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"thbot/bot"
	"thbot/integrations/internal/web"
	"thbot/integrations/jenkins"
	"thbot/integrations/jenkins/fakejenkins"
)

// 503, on any path, is "ask again": neither an end, nor an absence, nor a no.
func TestDown(t *testing.T) {
	s := &fakejenkins.Server{}
	t.Cleanup(s.Stop)
	n := start(t, s, fakejenkins.RunSpec{Result: "SUCCESS"})
	c, ctx := loopback(t, s), t.Context()
	s.Down(true)
	for name, call := range calls(c, n) {
		err := call(ctx)
		e, ok := errors.AsType[*web.Error](err)
		if !ok || e.Status != 503 || bot.NotSent(err) {
			t.Errorf("%s: %v", name, err)
		}
		notAnAnswer(t, name, err)
		if _, again := bot.RetryAfter(err); !again {
			t.Errorf("%s: says that trying again is of no use", name)
		}
	}
	s.Down(false)
	if run, err := c.Run(ctx, job, n); err != nil || run.Building {
		t.Error(run, err)
	}
}

func calls(c *jenkins.Client, n int) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Whoami":  func(ctx context.Context) error { _, err := c.Whoami(ctx); return err },
		"Runs":    func(ctx context.Context) error { _, err := c.Runs(ctx, job); return err },
		"Run":     func(ctx context.Context) error { _, err := c.Run(ctx, job, n); return err },
		"Stages":  func(ctx context.Context) error { _, err := c.Stages(ctx, job, n); return err },
		"Inputs":  func(ctx context.Context) error { _, err := c.Inputs(ctx, job, n); return err },
		"LogTail": func(ctx context.Context) error { _, err := c.LogTail(ctx, job, n, 15); return err },
		"Server":  func(ctx context.Context) error { _, err := c.Server(ctx); return err },
		"Name":    func(ctx context.Context) error { _, err := c.Name(ctx, "bea"); return err },
		"Proceed": func(ctx context.Context) error { return c.Proceed(ctx, job, n, "Promote", nil) },
		"Reject":  func(ctx context.Context) error { return c.Reject(ctx, job, n, "Promote") },
		"Stop":    func(ctx context.Context) error { return c.Stop(ctx, job, n, jenkins.Politely) },
		"Rebuild": func(ctx context.Context) error { return c.Rebuild(ctx, job, n, nil) },
		"Rebuild with values": func(ctx context.Context) error {
			return c.Rebuild(ctx, job, n, []jenkins.Value{{Name: "ImageTag", Value: "x"}})
		},
		"Replay":      func(ctx context.Context) error { return c.Replay(ctx, job, n) },
		"Rebuildable": func(ctx context.Context) error { _, err := c.Rebuildable(ctx, job, n); return err },
		"Queue":       func(ctx context.Context) error { _, err := c.Queue(ctx, job); return err },
		"Rebuilt":     func(ctx context.Context) error { _, _, _, err := c.Rebuilt(ctx, job, n, n, "thbot"); return err },
	}
}

// notAnAnswer checks that err can be taken for nothing but a failure to ask.
func notAnAnswer(t *testing.T, name string, err error) {
	t.Helper()
	if _, refused := errors.AsType[*bot.Refused](err); refused || errors.Is(err, jenkins.ErrNotPending) ||
		errors.Is(err, bot.ErrNotFound) || bot.Service(err) != "Jenkins" {
		t.Errorf("%s: %v reads as an answer", name, err)
	}
	if err != nil && (strings.Contains(err.Error(), fakejenkins.Token) || strings.Contains(err.Error(), "tree=")) {
		t.Errorf("%s: %v says too much", name, err)
	}
}

// Answers that are not Jenkins' to what was asked are errors of every call.
func TestNonsense(t *testing.T) {
	const login = "<html><body>Log in</body></html>"
	for _, tt := range []struct {
		name        string
		status      int
		header      map[string]string
		body        string
		credentials bool
		only        string // the calls that take it for an answer, and may
		refusal     string // those that take it for a no, and may
	}{
		{name: "a login page with 200", status: 200, header: map[string]string{"Content-Type": "text/html"}, body: login},
		{name: "nothing with 200", status: 200, only: "Proceed,Reject", refusal: "Rebuild,Rebuild with values"},
		{name: "null", status: 200, body: "null"},
		{name: "an empty object", status: 200, body: "{}"},
		{name: "somebody else's object", status: 200, body: `{"error":"upstream","building":false}`},
		{name: "half an answer", status: 200, body: `{"number":812,"building":false,`},
		{name: "a run without its state", status: 200, body: `{"number":812,"result":"SUCCESS"}`},
		{name: "another run", status: 200, body: `{"number":811,"building":false,"result":"SUCCESS"}`},
		{name: "a list with a hole", status: 200, body: `[null]`},
		{name: "a login page by 302", status: 302, header: map[string]string{"Location": "/login"}, credentials: true},
		{name: "wrong token", status: 401, body: login, credentials: true},
		{name: "anonymous", status: 403, header: map[string]string{"X-You-Are-Authenticated-As": "anonymous", "X-Required-Permission": "hudson.model.Hudson.Read"}, body: login, credentials: true},
		{name: "a password", status: 403, body: "No valid crumb was included in the request", credentials: true},
		{name: "somebody's 403", status: 403, body: login},
		{name: "an oops page", status: 500, body: "Logging ID=1"},
		{name: "a proxy", status: 502, header: map[string]string{"Retry-After": "7"}, body: login},
		{name: "too many requests", status: 429},
	} {
		c := loopback(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" {
				t.Errorf("%s: %s followed", tt.name, r.URL)
			}
			for k, v := range tt.header {
				w.Header().Set(k, v)
			}
			w.WriteHeader(tt.status)
			io.WriteString(w, tt.body)
		}))
		for call, ask := range calls(c, 812) {
			err := ask(t.Context())
			name := tt.name + ", " + call
			if slices.Contains(strings.Split(tt.refusal, ","), call) {
				if _, refused := errors.AsType[*bot.Refused](err); !refused {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			if slices.Contains(strings.Split(tt.only, ","), call) {
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			if err == nil {
				t.Errorf("%s: no error", name)
				continue
			}
			notAnAnswer(t, name, err)
			if want := tt.status == 401 || tt.status == 403 && tt.credentials; bot.NotSent(err) != want {
				t.Errorf("%s: %v; without effect for certain: %v", name, err, !want)
			}
			// A redirect of a POST is not known to be a refusal.
			if want := tt.credentials && !(tt.status == 302 && slices.Contains([]string{"Proceed", "Reject", "Stop", "Rebuild", "Rebuild with values", "Replay"}, call)); errors.Is(err, jenkins.ErrCredentials) != want {
				t.Errorf("%s: %v; of the credentials: %v", name, err, !want)
			}
			if wait, again := bot.RetryAfter(err); tt.status >= 429 && !again || tt.status == 502 && wait != 7*time.Second {
				t.Errorf("%s: again %v after %v", name, again, wait)
			}
		}
	}
}

func TestWhoamiAnonymous(t *testing.T) {
	s := &fakejenkins.Server{}
	c := loopback(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Authorization") // as some proxies do
		s.ServeHTTP(w, r)
	}))
	if name, err := c.Whoami(t.Context()); !errors.Is(err, jenkins.ErrCredentials) {
		t.Errorf("%q, %v", name, err)
	}
}

func TestNotFound(t *testing.T) {
	s := &fakejenkins.Server{}
	t.Cleanup(s.Stop)
	n := start(t, s, fakejenkins.RunSpec{})
	c, ctx := loopback(t, s), t.Context()
	if _, err := c.Run(ctx, job, n+1); !errors.Is(err, bot.ErrNotFound) {
		t.Error(err)
	}
	if _, err := c.Runs(ctx, "no/such"); !errors.Is(err, bot.ErrNotFound) {
		t.Error(err)
	}
	s.Denied = map[string][]string{"thbot": {"Job/Read"}}
	if _, err := c.Run(ctx, job, n); !errors.Is(err, bot.ErrNotFound) {
		t.Error(err)
	}
}
