package github_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"thbot/bot"
	"thbot/integrations/fakehttp"
	"thbot/integrations/github"
	"thbot/integrations/github/fakegithub"
	"thbot/integrations/internal/web"
)

type key struct {
	public *rsa.PublicKey
	pem    []byte
}

func newKey(t *testing.T) key {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key{&k.PublicKey, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)})}
}

func (k key) of(id, installation int64) *github.App {
	return &github.App{ID: id, Installation: installation, Key: k.pem}
}

// app makes an App that may read what the client asks for.
func app(fake *fakegithub.Server, k key, id, installation int64) {
	fake.AddApp(fakegithub.App{ID: id, Slug: "thbot", Key: k.public, Permissions: map[string]string{
		"contents": "read", "checks": "read", "statuses": "read", "pull_requests": "read"}})
	fake.Install(id, fakegithub.Installation{ID: installation, Account: "mozilla"})
}

// An App makes a token when it first needs one, and another before that ends.
func TestApp(t *testing.T) {
	k := newKey(t)
	synctest.Test(t, func(t *testing.T) {
		fake := &fakegithub.Server{}
		sha := world(fake)
		app(fake, k, 12, 34)
		p := fakehttp.NewPipe()
		s := &http.Server{Handler: fake}
		go func() { _ = s.Serve(p) }()
		c, err := github.New(github.Options{APIURL: "http://github.test/", Repository: "mozilla/treeherder", App: k.of(12, 34), Dial: p.Dial})
		if err != nil {
			t.Fatal(err)
		}
		mints := func() (n int) {
			for _, e := range fake.Journal() {
				if e.Call == "POST access_tokens" {
					n++
				}
			}
			return n
		}
		for _, tt := range []struct {
			after time.Duration
			want  int // tokens in all
		}{{0, 1}, {58 * time.Minute, 1}, {90 * time.Second, 2}, {50 * time.Minute, 2}, {48 * time.Hour, 3}} {
			<-time.After(tt.after)
			var all sync.WaitGroup
			for name, ask := range questions(t.Context(), c, sha) {
				all.Go(func() {
					if err := ask(); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				})
			}
			all.Wait()
			if got := mints(); got != tt.want {
				t.Errorf("after %v more: %d tokens, want %d", tt.after, got, tt.want)
			}
		}
		c.Close()
		_ = s.Close()
	})
}

// The API may be below a path, as on GitHub Enterprise.
func TestAppPath(t *testing.T) {
	k, fake := newKey(t), &fakegithub.Server{}
	sha := world(fake)
	app(fake, k, 12, 34)
	s := httptest.NewServer(http.StripPrefix("/api/v3", fake))
	defer s.Close()
	for _, u := range []string{s.URL + "/api/v3", s.URL + "/api/v3/"} {
		if _, err := open(t, github.Options{APIURL: u, App: k.of(12, 34)}).Commit(t.Context(), sha); err != nil {
			t.Errorf("with %s: %v", u, err)
		}
	}
}

// A token is for the one repository.
func TestAppNarrow(t *testing.T) {
	k, fake := newKey(t), &fakegithub.Server{}
	sha := world(fake)
	app(fake, k, 12, 34)
	var asked string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/access_tokens") {
			b, _ := io.ReadAll(r.Body)
			asked = string(b)
			r.Body = io.NopCloser(strings.NewReader(asked))
		}
		fake.ServeHTTP(w, r)
	}))
	defer s.Close()
	if _, err := open(t, github.Options{APIURL: s.URL, App: k.of(12, 34)}).Commit(t.Context(), sha); err != nil {
		t.Error(err)
	}
	if !strings.Contains(asked, `"repositories":["treeherder"]`) {
		t.Errorf("asked for %s", asked)
	}
}

func TestAppOptions(t *testing.T) {
	k := newKey(t)
	half := k.pem[:len(k.pem)/2]
	public, err := x509.MarshalPKIXPublicKey(k.public)
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]github.Options{
		"no key":            {App: &github.App{ID: 12, Installation: 34}},
		"half a key":        {App: &github.App{ID: 12, Installation: 34, Key: half}},
		"no PEM":            {App: &github.App{ID: 12, Installation: 34, Key: []byte("hunter22")}},
		"a public key":      {App: &github.App{ID: 12, Installation: 34, Key: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})}},
		"a broken key":      {App: &github.App{ID: 12, Installation: 34, Key: pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte("hunter22")})}},
		"no App":            {App: k.of(0, 34)},
		"no installation":   {App: k.of(12, 0)},
		"a token, too":      {App: k.of(12, 34), Token: "fake-hunter22"},
		"a negative number": {App: k.of(-12, 34)},
	} {
		o.Repository = "mozilla/treeherder"
		_, err := github.New(o)
		if err == nil || strings.Contains(err.Error(), "hunter22") || leaks(err.Error(), k) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// leaks reports whether text holds a part of the key, a JSON web token or an
// installation's token.
func leaks(text string, k key) bool {
	for _, l := range strings.Split(string(k.pem), "\n") {
		if len(l) > 20 && strings.Contains(text, l[:20]) {
			return true
		}
	}
	return strings.Contains(text, "eyJ") || strings.Contains(text, "ghs_") || strings.Contains(text, "PRIVATE KEY")
}

// A token that is refused is an error of GitHub, which says why, when to try
// again, and that nothing else was asked, and tells nothing that is secret.
func TestAppRefused(t *testing.T) {
	k, other := newKey(t), newKey(t)
	const message = `{"message":"Says why","documentation_url":"https://docs.github.com/rest"}`
	token := func(token, expires string) string { return fmt.Sprintf(`{"token":%q,"expires_at":%q}`, token, expires) }
	later := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	call := "POST access_tokens"
	tests := []struct {
		name   string
		key    key
		app    int64
		in     int64
		break_ func(*fakegithub.Server)
		status int
		final  bool
		wait   time.Duration
		says   string
	}{
		{"another key", other, 12, 34, nil, 401, true, 0, "could not be decoded"},
		{"another App", k, 13, 34, nil, 401, true, 0, "Integration not found"},
		{"another installation", k, 12, 35, nil, 404, true, 0, "no such installation"},
		{"suspended", k, 12, 34, func(f *fakegithub.Server) {
			f.Install(12, fakegithub.Installation{ID: 34, Account: "mozilla", Suspended: true})
		}, 403, true, 0, "suspended"},
		{"not for this repository", k, 12, 34, func(f *fakegithub.Server) {
			f.Install(12, fakegithub.Installation{ID: 34, Account: "mozilla", Repositories: []string{"mozilla/other"}})
		}, 422, true, 0, "not accessible"},
		{"down", k, 12, 34, (*fakegithub.Server).Down, 503, false, 0, "HTTP 503"},
		{"limited", k, 12, 34, func(f *fakegithub.Server) {
			f.RateLimited(fakegithub.Limit{Secondary: true, Silent: true, For: time.Hour})
		}, 403, false, time.Minute, "rate limit"},
		{"limited with 429", k, 12, 34, func(f *fakegithub.Server) {
			f.RateLimited(fakegithub.Limit{Status: 429, Secondary: true, Silent: true, For: time.Hour})
		}, 429, false, time.Minute, "rate limit"},
		{"redirected", k, 12, 34, func(f *fakegithub.Server) { f.Redirect("http://evil.invalid/") }, 301, true, 0, "not followed"},
		{"says why", k, 12, 34, func(f *fakegithub.Server) { f.AnswersTo(call, 400, message) }, 400, true, 0, "Says why"},
		{"a job", k, 12, 34, func(f *fakegithub.Server) { f.AnswersTo(call, 202, "{}") }, 202, false, 0, "try again later"},
		{"empty", k, 12, 34, func(f *fakegithub.Server) { f.AnswersTo(call, 201, "") }, 201, false, 0, "cannot be read"},
		{"null", k, 12, 34, func(f *fakegithub.Server) { f.AnswersTo(call, 201, "null") }, 201, false, 0, "says nothing"},
		{"{}", k, 12, 34, func(f *fakegithub.Server) { f.AnswersTo(call, 201, "{}") }, 201, false, 0, "says nothing"},
		{"a page", k, 12, 34, func(f *fakegithub.Server) { f.AnswersTo(call, 200, "<html>") }, 200, false, 0, "cannot be read"},
		{"no token", k, 12, 34, func(f *fakegithub.Server) { f.AnswersTo(call, 201, token("", later)) }, 201, false, 0, "says nothing"},
		{"no end", k, 12, 34, func(f *fakegithub.Server) { f.AnswersTo(call, 201, `{"token":"ghs_secret"}`) }, 201, false, 0, "says nothing"},
		{"a strange end", k, 12, 34, func(f *fakegithub.Server) { f.AnswersTo(call, 201, token("ghs_secret", "ghs_secret")) }, 201, false, 0, "cannot be read"},
		{"at its end", k, 12, 34, func(f *fakegithub.Server) { f.AnswersTo(call, 201, token("ghs_secret", "2022-03-01T12:00:00Z")) }, 201, false, 0, "expired"},
		{"two lines", k, 12, 34, func(f *fakegithub.Server) { f.AnswersTo(call, 201, token("ghs_secret\nHost: evil.invalid", later)) }, 201, false, 0, "the token is none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fake := &fakegithub.Server{}
			sha := world(fake)
			app(fake, k, 12, 34)
			if tt.break_ != nil {
				tt.break_(fake)
			}
			core, logs := observer.New(zapcore.DebugLevel)
			c := serve(t, fake, github.Options{App: tt.key.of(tt.app, tt.in), Log: zap.New(core)})
			for name, ask := range questions(t.Context(), c, sha) {
				err := ask()
				var e *web.Error
				if !errors.As(err, &e) || e.Status != tt.status || e.Final != tt.final || e.Wait != tt.wait || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("%s: %v, final %v, wait %v", name, err, e != nil && e.Final, e != nil && e.Wait > 0)
				}
				if bot.Service(err) != "GitHub" || !bot.NotSent(err) || errors.Is(err, bot.ErrNotFound) {
					t.Errorf("%s: of %q, not sent %v: %v", name, bot.Service(err), bot.NotSent(err), err)
				}
				if leaks(err.Error(), tt.key) || leaks(fmt.Sprintf("%+v", e), tt.key) {
					t.Errorf("%s: %v", name, err)
				}
			}
			for _, entry := range logs.All() {
				if leaks(fmt.Sprint(entry.Message, entry.ContextMap()), tt.key) {
					t.Errorf("logged: %v", entry)
				}
			}
			for _, e := range fake.Journal() {
				if e.Call != call {
					t.Errorf("asked without a token: %+v", e)
				}
			}
		})
	}
}

// Nobody there, and nobody answering, are not refusals.
func TestAppUnreachable(t *testing.T) {
	k := newKey(t)
	nobody := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}
	_, err := open(t, github.Options{APIURL: "http://github.test/", App: k.of(12, 34), Dial: nobody}).Branch(t.Context(), "master")
	if _, again := bot.RetryAfter(err); !again || !bot.NotSent(err) || bot.Service(err) != "GitHub" || leaks(err.Error(), k) {
		t.Errorf("error is %v", err)
	}
	synctest.Test(t, func(t *testing.T) {
		p := fakehttp.NewPipe()
		s := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		})}
		go func() { _ = s.Serve(p) }()
		c, err := github.New(github.Options{APIURL: "http://github.test/", Repository: "mozilla/treeherder", App: k.of(12, 34), Dial: p.Dial})
		if err != nil {
			t.Fatal(err)
		}
		before := time.Now()
		_, err = c.Branch(t.Context(), "master")
		if took := time.Since(before); took != 4*time.Second || !errors.Is(err, context.DeadlineExceeded) || leaks(err.Error(), k) {
			t.Errorf("after %v: %v", took, err)
		}
		c.Close()
		_ = s.Close()
	})
}

// A token that GitHub no longer takes is its answer to the question itself, so
// that was sent.
func TestAppLapsed(t *testing.T) {
	k, fake := newKey(t), &fakegithub.Server{}
	sha := world(fake)
	app(fake, k, 12, 34)
	c := serve(t, fake, github.Options{App: k.of(12, 34)})
	if _, err := c.Commit(t.Context(), sha); err != nil {
		t.Fatal(err)
	}
	fake.Install(12, fakegithub.Installation{ID: 34, Account: "mozilla", Suspended: true})
	_, err := c.Commit(t.Context(), sha)
	if _, again := bot.RetryAfter(err); again || err == nil || bot.NotSent(err) || !strings.Contains(err.Error(), "suspended") || leaks(err.Error(), k) {
		t.Errorf("error is %v", err)
	}
}
