package github_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"thbot/bot"
	"thbot/integrations/fakehttp"
	"thbot/integrations/github"
	"thbot/integrations/github/fakegithub"
	"thbot/integrations/internal/web"
)

// world is a repository in which every question has an answer.
func world(fake *fakegithub.Server) (sha string) {
	sha = tree(fake)
	fake.SetBranch("master", sha)
	fake.Repo("").AddStatus(sha, fakegithub.Status{State: "success"})
	fake.Repo("").AddPull(fakegithub.Pull{Number: 9101, Head: "gone", Merged: sha})
	return sha
}

// questions are all that one can ask a client.
func questions(ctx context.Context, c *github.Client, sha string) map[string]func() error {
	return map[string]func() error{
		"Commit":  func() error { _, err := c.Commit(ctx, sha); return err },
		"Compare": func() error { _, err := c.Compare(ctx, sha, sha); return err },
		"CI":      func() error { _, err := c.CI(ctx, sha); return err },
		"Files":   func() error { _, err := c.Files(ctx, sha); return err },
		"Content": func() error { _, err := c.Content(ctx, sha, "README.md"); return err },
		"Tree":    func() error { _, err := c.Tree(ctx, sha, "migrations"); return err },
		// "Treeherder\n"
		"Blob":     func() error { _, err := c.Blob(ctx, "ab611c0814676ccb6a903d43f3dfcc44353410e7"); return err },
		"Branch":   func() error { _, err := c.Branch(ctx, "master"); return err },
		"Branches": func() error { _, err := c.Branches(ctx, "mas"); return err },
		"PR":       func() error { _, err := c.PR(ctx, 9101); return err },
		"Log":      func() error { _, err := c.Log(ctx, sha, 10); return err },
	}
}

// Answers of 200 that are none.
func TestNonsense(t *testing.T) {
	fake := &fakegithub.Server{}
	shas := line(fake, 3, "", "step")
	c := start(t, fake)
	commit := func(sha string) string { return fmt.Sprintf(`{"sha":%q}`, sha) }
	compare := func(base, status string, ahead, behind, total int, commits ...string) string {
		return fmt.Sprintf(`{"base_commit":{"sha":%q},"status":%q,"ahead_by":%d,"behind_by":%d,"total_commits":%d,"commits":[%s]}`,
			base, status, ahead, behind, total, strings.Join(commits, ","))
	}
	c0, c1, c2 := commit(shas[0]), commit(shas[1]), commit(shas[2])
	tests := []struct {
		name, body string
		ok         bool // for a comparison of shas[0] with shas[2]
	}{
		{"right", compare(shas[0], "ahead", 2, 0, 2, c1, c2), true},
		{"empty", "", false},
		{"null", "null", false},
		{"{}", "{}", false},
		{"[]", "[]", false},
		{"a page", "<html>", false},
		{"cut off", compare(shas[0], "ahead", 2, 0, 2, c1, c2)[:90], false},
		{"no numbers", `{"base_commit":{"sha":"` + shas[0] + `"},"status":"identical"}`, false},
		{"another base", compare(shas[1], "ahead", 2, 0, 2, c1, c2), false},
		{"another head", compare(shas[0], "ahead", 2, 0, 2, c2, c1), false},
		{"too few", compare(shas[0], "ahead", 2, 0, 2, c2), false},
		{"too many", compare(shas[0], "ahead", 2, 0, 2, c0, c1, c2), false},
		{"one twice", compare(shas[0], "ahead", 2, 0, 2, c2, c2), false},
		{"null commits", compare(shas[0], "ahead", 2, 0, 2, "null", c2), false},
		{"no SHA", compare(shas[0], "ahead", 2, 0, 2, "{}", c2), false},
		{"a bad SHA", compare(shas[0], "ahead", 2, 0, 2, commit("../x"), c2), false},
		{"identical, yet ahead", compare(shas[0], "identical", 2, 0, 2, c1, c2), false},
		{"ahead, yet behind", compare(shas[0], "ahead", 2, 1, 2, c1, c2), false},
		{"ahead by nothing", compare(shas[0], "ahead", 2, 0, 0), false},
		{"unknown status", compare(shas[0], "sideways", 2, 0, 2, c1, c2), false},
	}
	check := func(t *testing.T, err error) {
		t.Helper()
		var e *web.Error
		if !errors.As(err, &e) || e.Status != 200 || e.Final || errors.Is(err, bot.ErrNotFound) {
			t.Errorf("error is %v", err)
		}
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fake.Answers(200, tt.body)
			_, err := c.Compare(t.Context(), shas[0], shas[2])
			if tt.ok {
				if err != nil {
					t.Error(err)
				}
			} else {
				check(t, err)
			}
			for name, ask := range questions(t.Context(), c, shas[0]) { // no comparison answers another question
				if name != "Compare" && (name != "Branches" || tt.body != "[]") { // that is: none
					check(t, ask())
				}
			}
		})
	}
}

// A page that does not belong to the others is noticed.
func TestPagesAgree(t *testing.T) {
	first := &fakegithub.Server{}
	shas := line(first, 202, "", "step")
	second := &fakegithub.Server{} // the same history without its last commit but one
	line(second, 200, "", "step")
	second.AddCommit(fakegithub.CommitSpec{SHA: shas[201], Subject: "last", Parents: []string{shas[199]}})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "2" {
			second.ServeHTTP(w, r)
			return
		}
		first.ServeHTTP(w, r)
	}))
	defer s.Close()
	_, err := client(t, s.URL).Compare(t.Context(), shas[0], shas[201])
	if err == nil || !strings.Contains(err.Error(), "page 2 contradicts page 1") {
		t.Errorf("error is %v", err)
	}
}

func TestFailures(t *testing.T) {
	fake := &fakegithub.Server{}
	sha := world(fake)
	c := start(t, fake)
	const message = `{"message":"Says why","documentation_url":"https://docs.github.com/rest"}`
	tests := []struct {
		name     string
		break_   func()
		status   int
		final    bool
		notFound bool
		says     string
	}{
		{"down", fake.Down, 503, false, false, "HTTP 503"},
		{"bad gateway", func() { fake.Answers(502, "") }, 502, false, false, "no reason given"},
		{"wrong token", func() { fake.Answers(401, message) }, 401, true, false, "Says why"},
		{"no right", func() { fake.Answers(403, message) }, 403, true, false, "Says why"},
		{"not there", func() { fake.Answers(404, message) }, 404, true, true, "the token may not see it"},
		{"gone", func() { fake.Answers(410, message) }, 410, true, false, "Says why"},
		{"empty repository", func() { fake.Answers(409, message) }, 409, true, false, "Says why"},
		{"timeout", func() { fake.Answers(408, message) }, 408, false, false, "Says why"},
		{"a job", func() { fake.Answers(202, "{}") }, 202, false, false, "try again later"},
		{"renamed", func() { fake.Redirect("/repositories/1/commits/" + sha) }, 301, true, false, "not followed"},
		{"sent elsewhere", func() { fake.Redirect("http://evil.invalid/") }, 301, true, false, "not followed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fake.Mend()
			all := questions(t.Context(), c, sha)
			for name, ask := range all {
				if err := ask(); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
			tt.break_()
			before := len(fake.Journal())
			for name, ask := range all {
				err := ask()
				var e *web.Error
				if !errors.As(err, &e) {
					t.Fatalf("%s: %v", name, err)
				}
				if e.Status != tt.status || e.Final != tt.final || e.Wait != 0 || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("%s: %v, final %v, wait %v", name, err, e.Final, e.Wait)
				}
				if errors.Is(err, bot.ErrNotFound) != tt.notFound {
					t.Errorf("%s: %v; not found is %v", name, err, !tt.notFound)
				}
				if bot.Service(err) != "GitHub" || bot.NotSent(err) || strings.Contains(err.Error(), fakegithub.Token) {
					t.Errorf("%s: error is %v", name, err)
				}
			}
			if n := len(fake.Journal()) - before; n != len(all) {
				t.Errorf("%d questions took %d requests", len(all), n)
			}
		})
	}
}

func TestToken(t *testing.T) {
	fake := &fakegithub.Server{}
	sha := line(fake, 1, "", "only")[0]
	s := httptest.NewServer(fake)
	defer s.Close()
	for _, token := range []string{"", "fake-other", "ghp_Real"} {
		c, err := github.New(github.Options{APIURL: s.URL, Repository: "mozilla/treeherder", Token: token})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Commit(t.Context(), sha)
		var e *web.Error
		if !errors.As(err, &e) || e.Status != 401 || !e.Final || !strings.Contains(err.Error(), "Bad credentials") {
			t.Errorf("with token %q: %v", token, err)
		}
		if token != "" && strings.Contains(err.Error(), token) {
			t.Errorf("the token is in %q", err)
		}
	}
}

func TestNobodyThere(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close()
	_, err := client(t, s.URL).Commit(t.Context(), "9f8e7d6")
	if !bot.NotSent(err) || !strings.HasPrefix(err.Error(), "GitHub: reading commit 9f8e7d6: ") {
		t.Errorf("error is %v", err)
	}
	if _, again := bot.RetryAfter(err); !again {
		t.Error("it will never be there")
	}
}

// Every form of rate limit says how long to wait, and after that GitHub is
// asked again.
func TestRateLimits(t *testing.T) {
	tests := []struct {
		name  string
		limit fakegithub.Limit
		wait  time.Duration
	}{
		{"primary", fakegithub.Limit{For: 30 * time.Second}, 30 * time.Second},
		{"primary with 429", fakegithub.Limit{Status: 429, For: 30 * time.Second}, 30 * time.Second},
		{"secondary", fakegithub.Limit{Secondary: true, For: 30 * time.Second}, 30 * time.Second},
		{"secondary, silent", fakegithub.Limit{Secondary: true, Silent: true, For: 30 * time.Second}, time.Minute},
		{"secondary with 429", fakegithub.Limit{Secondary: true, Status: 429, For: 30 * time.Second}, 30 * time.Second},
		{"secondary with 429, silent", fakegithub.Limit{Secondary: true, Status: 429, Silent: true, For: 30 * time.Second}, time.Minute},
		{"secondary, other page", fakegithub.Limit{Secondary: true, OtherDoc: true, For: 30 * time.Second}, 30 * time.Second},
		{"secondary, other page, silent", fakegithub.Limit{Secondary: true, OtherDoc: true, Silent: true, For: 30 * time.Second}, time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := &fakegithub.Server{}
				sha := world(fake)
				p := fakehttp.NewPipe()
				s := &http.Server{Handler: fake}
				go func() { _ = s.Serve(p) }()
				c, err := github.New(github.Options{APIURL: "http://github.test/", Repository: "mozilla/treeherder", Token: fakegithub.Token, Dial: p.Dial})
				if err != nil {
					t.Fatal(err)
				}
				fake.RateLimited(tt.limit)
				all := questions(t.Context(), c, sha)
				for name, ask := range all { // from the second on they may be refused by go-github itself
					err := ask()
					wait, again := bot.RetryAfter(err)
					if err == nil || wait != tt.wait || !again || !strings.Contains(err.Error(), "rate limit") {
						t.Errorf("%s: %v, wait %v, again %v", name, err, wait, again)
					}
				}
				if tt.limit.Status == 0 && !tt.limit.Silent && !tt.limit.OtherDoc && len(fake.Journal()) != 1 {
					t.Errorf("GitHub was asked %d times", len(fake.Journal()))
				}
				<-time.After(tt.wait)
				for name, ask := range all {
					if err := ask(); err != nil {
						t.Errorf("%s after the wait: %v", name, err)
					}
				}
				c.Close()
				_ = s.Close()
			})
		})
	}
}

// Whatever GitHub says in words, a Retry-After means that it may be tried again.
func TestRetryAfter(t *testing.T) {
	for _, status := range []int{403, 429, 503} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"message":"Slow down"}`)
		}))
		_, err := client(t, s.URL).Commit(t.Context(), "9f8e7d6")
		if wait, again := bot.RetryAfter(err); wait != 7*time.Second || !again {
			t.Errorf("%v: wait %v, again %v", err, wait, again)
		}
		s.Close()
	}
}

// Limits in other words, and with a time that is no use.
func TestOddLimits(t *testing.T) {
	reset := func(at time.Time) map[string]string {
		return map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": strconv.FormatInt(at.Unix(), 10)}
	}
	for _, tt := range []struct {
		name    string
		status  int
		headers map[string]string
		message string
		wait    time.Duration
	}{
		{"of old", 403, nil, "You have triggered an abuse detection mechanism. Please wait a few minutes.", time.Minute},
		{"our clock is fast", 403, reset(time.Now().Add(-time.Hour)), "API rate limit exceeded", time.Minute},
		{"our clock is fast, 429", 429, reset(time.Now().Add(-time.Hour)), "API rate limit exceeded", time.Minute},
		{"no reset", 403, map[string]string{"X-RateLimit-Remaining": "0"}, "API rate limit exceeded", time.Minute},
		{"a year", 403, reset(time.Now().AddDate(1, 0, 0)), "API rate limit exceeded", 24 * time.Hour},
		{"a year, 429", 429, reset(time.Now().AddDate(1, 0, 0)), "API rate limit exceeded", 24 * time.Hour},
		{"without a word", 429, nil, "", time.Minute},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for k, v := range tt.headers {
				w.Header().Set(k, v)
			}
			w.WriteHeader(tt.status)
			fmt.Fprintf(w, `{"message":%q}`, tt.message)
		}))
		_, err := client(t, s.URL).Commit(t.Context(), "9f8e7d6")
		if wait, again := bot.RetryAfter(err); wait != tt.wait || !again {
			t.Errorf("%s: %v, wait %v, again %v", tt.name, err, wait, again)
		}
		s.Close()
	}
}

// Wherever GitHub sends, nobody else sees the token, or anything at all.
func TestElsewhere(t *testing.T) {
	key := newKey(t)
	for _, status := range []int{301, 302, 303, 307, 308} {
		other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			t.Errorf("%d: %s %s with %q", status, r.Method, r.URL, r.Header["Authorization"])
		}))
		fake := &fakegithub.Server{}
		sha := world(fake)
		app(fake, key, 12, 34)
		var mints atomic.Bool
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if mints.Load() && strings.HasSuffix(r.URL.Path, "/access_tokens") {
				fake.ServeHTTP(w, r)
				return
			}
			http.Redirect(w, r, other.URL+r.URL.Path, status)
		}))
		for _, o := range []github.Options{{APIURL: s.URL, Token: fakegithub.Token}, {APIURL: s.URL, App: key.of(12, 34)}} {
			for _, does := range []bool{true, false} {
				mints.Store(does)
				for name, ask := range questions(t.Context(), open(t, o), sha) {
					err := ask()
					var e *web.Error
					if !errors.As(err, &e) || e.Status != status || !e.Final || !strings.Contains(err.Error(), "not followed") {
						t.Errorf("%s %d: %v", name, status, err)
					}
				}
			}
		}
		s.Close()
		other.Close()
	}
}

func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shut := make(chan struct{})
		fake := &fakegithub.Server{Gate: func(call, moment string) {
			if call == "github GET compare" && moment == fakehttp.Arrived {
				<-shut
			}
		}}
		shas := line(fake, 2, "", "step")
		p := fakehttp.NewPipe()
		s := &http.Server{Handler: fake}
		go func() { _ = s.Serve(p) }()
		c, err := github.New(github.Options{APIURL: "http://github.test/", Repository: "mozilla/treeherder", Token: fakegithub.Token,
			Dial: p.Dial, Limit: 2 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		_, err = c.Compare(t.Context(), shas[0], shas[1])
		if took := time.Since(begun); took != 2*time.Second || !errors.Is(err, context.DeadlineExceeded) || bot.NotSent(err) {
			t.Errorf("after %v: %v", took, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Compare(ctx, shas[0], shas[1]); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a short context: %v", err)
		}
		close(shut)
		c.Close()
		_ = s.Close()
	})
}
