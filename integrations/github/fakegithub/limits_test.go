package fakegithub_test

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gh "github.com/google/go-github/v60/github"

	"thbot/integrations/fakehttp"
	"thbot/integrations/github/fakegithub"
)

func readCloser(s string) io.ReadCloser { return io.NopCloser(strings.NewReader(s)) }

// piped runs a test in a bubble, with a function that makes clients of fake.
func piped(t *testing.T, fake *fakegithub.Server, test func(t *testing.T, client func(token string) *gh.Client)) {
	synctest.Test(t, func(t *testing.T) {
		p := fakehttp.NewPipe()
		s := &http.Server{Handler: fake}
		go func() { _ = s.Serve(p) }()
		web := &http.Client{Transport: &http.Transport{DialContext: p.Dial}}
		test(t, func(token string) *gh.Client {
			c := gh.NewClient(web).WithAuthToken(token)
			c.BaseURL, _ = c.BaseURL.Parse("http://github.test/")
			return c
		})
		web.CloseIdleConnections()
		_ = s.Close()
	})
}

// An hour has so many calls, for each person, and then another hour begins.
func TestPrimaryLimit(t *testing.T) {
	fake := &fakegithub.Server{Hourly: 3}
	fake.SetBranch("master", fake.AddCommit(fakegithub.CommitSpec{Subject: "first"}))
	fake.AddToken("fake-other", fakegithub.Access{Login: "ana"})
	piped(t, fake, func(t *testing.T, client func(string) *gh.Client) {
		c, ctx := client(fakegithub.Token), t.Context()
		begun := time.Now()
		for left := 2; left >= 0; left-- {
			_, resp, err := c.Git.GetRef(ctx, owner, repo, "heads/master")
			if err != nil || resp.Rate.Limit != 3 || resp.Rate.Remaining != left || !resp.Rate.Reset.Time.Equal(begun.Add(time.Hour)) ||
				resp.Header.Get("X-RateLimit-Used") != strconv.Itoa(3-left) || resp.Header.Get("X-RateLimit-Resource") != "core" {
				t.Errorf("with %d left: %v, %v", left, resp.Rate, err)
			}
		}
		if limits, _, err := c.RateLimit.Get(ctx); err != nil || limits.GetCore().Remaining != 0 || limits.GraphQL.Remaining != 3 {
			t.Errorf("limits are %v, %v", limits, err)
		}
		// A client that has not seen the headers finds out by being refused.
		var limited *gh.RateLimitError
		if _, _, err := client(fakegithub.Token).Git.GetRef(ctx, owner, repo, "heads/master"); !errors.As(err, &limited) {
			t.Errorf("a fourth call: %v", err)
		}
		if _, _, err := client("fake-other").Git.GetRef(ctx, owner, repo, "heads/master"); err != nil {
			t.Errorf("somebody else: %v", err)
		}
		<-time.After(time.Until(limited.Rate.Reset.Time))
		if _, resp, err := client(fakegithub.Token).Git.GetRef(ctx, owner, repo, "heads/master"); err != nil || resp.Rate.Remaining != 2 {
			t.Errorf("in the next hour: %v", err)
		}
	})
}

// A minute has so many points, and a write costs five.
func TestSecondaryLimit(t *testing.T) {
	fake, _, master, _ := forked()
	fake.PerMinute = 7
	piped(t, fake, func(t *testing.T, client func(string) *gh.Client) {
		ctx := t.Context()
		move := func() error {
			_, _, err := client(fakegithub.Token).Git.UpdateRef(ctx, owner, repo, reference("heads/master", master), false)
			return err
		}
		if err := move(); err != nil {
			t.Error(err)
		}
		var limited *gh.AbuseRateLimitError
		if err := move(); !errors.As(err, &limited) || limited.RetryAfter == nil || *limited.RetryAfter != time.Minute {
			t.Fatalf("a second write: %v", err)
		}
		if _, _, err := client(fakegithub.Token).Git.GetRef(ctx, owner, repo, "heads/master"); err != nil {
			t.Errorf("a read: %v", err)
		}
		<-time.After(*limited.RetryAfter)
		if err := move(); err != nil {
			t.Errorf("a minute later: %v", err)
		}
	})
}

// What has not changed is a 304 and not counted.
func TestETag(t *testing.T) {
	fake, _, master, proto := forked()
	fake.AddToken("fake-other", fakegithub.Access{Login: "ana"})
	url := serve(t, fake)
	get := func(etag, authorization string) (*http.Response, int) {
		t.Helper()
		resp, _ := ask(t, "GET", url+"/repos/mozilla/treeherder/git/ref/heads/prototype", func(r *http.Request) {
			r.Header.Set("If-None-Match", etag)
			r.Header.Set("Authorization", "Bearer "+authorization)
		})
		left, err := strconv.Atoi(resp.Header.Get("X-RateLimit-Remaining"))
		if err != nil {
			t.Error(err)
		}
		return resp, left
	}
	first, left := get("", fakegithub.Token)
	etag := first.Header.Get("ETag")
	if first.StatusCode != 200 || !strings.HasPrefix(etag, `W/"`) || !strings.HasPrefix(first.Header.Get("Cache-Control"), "private, max-age=60") ||
		!strings.HasPrefix(first.Header.Get("Vary"), "Accept, Authorization") {
		t.Fatalf("first answer: %d, %v", first.StatusCode, first.Header)
	}
	for _, known := range []string{etag, strings.TrimPrefix(etag, "W/"), `"x", ` + etag, "*"} {
		again, still := get(known, fakegithub.Token)
		if again.StatusCode != 304 || still != left || again.ContentLength > 0 || again.Header.Get("ETag") != etag {
			t.Errorf("with %s: %d, %d left of %d", known, again.StatusCode, still, left)
		}
	}
	if other, _ := get(etag, "fake-other"); other.StatusCode != 200 {
		t.Errorf("somebody else: %d", other.StatusCode)
	}
	fake.SetBranch("prototype", master)
	if moved, now := get(etag, fakegithub.Token); moved.StatusCode != 200 || now != left-1 {
		t.Errorf("after a push: %d, %d left of %d", moved.StatusCode, now, left)
	}
	// The bare SHA has an ETag that a client can make up.
	c := stock(t, url, fakegithub.Token)
	if sha, _, err := c.Repositories.GetCommitSHA1(t.Context(), owner, repo, "prototype", proto); err != nil || sha != master {
		t.Errorf("bare SHA is %s, %v", sha, err)
	}
	_, resp, _ := c.Repositories.GetCommitSHA1(t.Context(), owner, repo, "prototype", master)
	if resp.StatusCode != 304 {
		t.Errorf("unchanged bare SHA: %d", resp.StatusCode)
	}
}

// One call can be broken alone.
func TestAnswersTo(t *testing.T) {
	fake, root, master, proto := forked()
	c, ctx := stock(t, serve(t, fake), fakegithub.Token), t.Context()
	fake.AnswersTo("PATCH ref", 500, "")
	fake.AnswersTo("POST graphql", 404, `{"message":"Not Found"}`)
	_, resp, err := c.Git.UpdateRef(ctx, owner, repo, reference("heads/prototype", master), true)
	if err == nil || resp.StatusCode != 500 || fake.Branch("prototype") != proto {
		t.Errorf("%v, at %s", err, fake.Branch("prototype"))
	}
	if _, _, err := c.Git.GetRef(ctx, owner, repo, "heads/prototype"); err != nil {
		t.Error(err)
	}
	fake.Mend()
	if _, _, err := c.Git.UpdateRef(ctx, owner, repo, reference("heads/prototype", root), true); err != nil {
		t.Error(err)
	}
}
