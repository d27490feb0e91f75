package github_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thbot/bot"
	"thbot/integrations/fakehttp"
	"thbot/integrations/github"
	"thbot/integrations/github/fakegithub"
	"thbot/integrations/internal/web"
)

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
			_, err = c.Commit(t.Context(), shas[0]) // no comparison is a commit
			check(t, err)
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
	sha := line(fake, 1, "", "only")[0]
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
			if _, err := c.Commit(t.Context(), sha); err != nil {
				t.Fatal(err)
			}
			tt.break_()
			before := len(fake.Journal())
			for name, ask := range map[string]func() error{
				"Commit":  func() error { _, err := c.Commit(t.Context(), sha); return err },
				"Compare": func() error { _, err := c.Compare(t.Context(), sha, sha); return err },
			} {
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
			if n := len(fake.Journal()) - before; n != 2 {
				t.Errorf("two questions took %d requests", n)
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
				sha := line(fake, 1, "", "only")[0]
				p := fakehttp.NewPipe()
				s := &http.Server{Handler: fake}
				go func() { _ = s.Serve(p) }()
				c, err := github.New(github.Options{APIURL: "http://github.test/", Repository: "mozilla/treeherder", Token: fakegithub.Token, Dial: p.Dial})
				if err != nil {
					t.Fatal(err)
				}
				fake.RateLimited(tt.limit)
				for range 2 { // the second one may be refused by go-github itself
					_, err = c.Commit(t.Context(), sha)
					wait, again := bot.RetryAfter(err)
					if err == nil || wait != tt.wait || !again || !strings.Contains(err.Error(), "rate limit") {
						t.Errorf("%v, wait %v, again %v", err, wait, again)
					}
				}
				if tt.limit.Status == 0 && !tt.limit.Silent && !tt.limit.OtherDoc && len(fake.Journal()) != 1 {
					t.Errorf("GitHub was asked %d times", len(fake.Journal()))
				}
				<-time.After(tt.wait)
				if _, err := c.Commit(t.Context(), sha); err != nil {
					t.Errorf("after the wait: %v", err)
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
