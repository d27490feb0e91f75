package bugzilla_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"thbot/bot"
	"thbot/integrations/bugzilla"
	"thbot/integrations/bugzilla/fakebugzilla"
	"thbot/integrations/internal/web"
)

// The answer to a bug that was filed is lost: that is no answer, nobody repeats
// it, and the token finds it, if not at once.
func TestUnknownOutcome(t *testing.T) {
	for name, trouble := range map[string]fakebugzilla.Trouble{
		"an error afterwards":  fakebugzilla.Broken().Lost(),
		"a proxy's":            {Status: 504, Body: "<html>Gateway Timeout", After: true},
		"another one's":        {Status: 502, After: true},
		"a login page":         {Status: 200, Body: "<html>Log in", After: true},
		"an empty answer":      {Status: 200, After: true},
		"null":                 {Status: 200, Body: "null", After: true},
		"an answer without it": {Status: 200, Body: "{}", After: true},
		"a strange number":     {Status: 200, Body: `{"id":-1}`, After: true},
		"a word":               {Status: 200, Body: `{"id":"new"}`, After: true},
		"a failure in JSON":    {Status: 500, Body: `{"error":true,"code":51,"message":"late"}`, After: true},
		"a fatal one":          {Status: 400, Body: `{"error":true,"code":-32000,"message":"DBD::mysql"}`, After: true},
		"an unknown one":       {Status: 400, Body: `{"error":true,"code":100500,"message":"?"}`, After: true},
		"out of time":          {Status: 408, After: true},
	} {
		t.Run(name, func(t *testing.T) {
			fake := &fakebugzilla.Server{}
			c := start(t, fake)
			fake.Next(trouble.At("POST bug"))
			fake.Lag(true)
			id, err := c.File(t.Context(), usual())
			var e *web.Error
			if no, ok := errors.AsType[*bot.Refused](err); id != 0 || !errors.As(err, &e) || ok || bot.NotSent(err) {
				t.Fatalf("File = %d, %v, refused %v", id, err, no)
			}
			if _, again := bot.RetryAfter(err); !again {
				t.Errorf("%v is final", err)
			}
			if _, found, err := c.FindByToken(t.Context(), fakebugzilla.Product, fakebugzilla.Component, tok); found || err != nil {
				t.Errorf("found at once: %v, %v", found, err)
			}
			fake.Lag(false)
			if id, found, err := c.FindByToken(t.Context(), fakebugzilla.Product, fakebugzilla.Component, tok); id != fakebugzilla.First || !found || err != nil {
				t.Errorf("FindByToken = %d, %v, %v", id, found, err)
			}
			if want := []string{"POST bug", "GET bugs", "GET bugs"}; !slices.Equal(calls(fake), want) {
				t.Errorf("asked %v, want %v", calls(fake), want)
			}
		})
	}
}

// Any 2xx will do: the resource table of BMO and its documentation differ.
func TestFileCreated(t *testing.T) {
	fake := &fakebugzilla.Server{}
	c := start(t, fake)
	fake.Next(fakebugzilla.Trouble{Status: 201, Body: `{"id":7}`})
	if id, err := c.File(t.Context(), usual()); id != 7 || err != nil {
		t.Errorf("File = %d, %v", id, err)
	}
}

// What stands before Bugzilla, or a limit, did nothing.
func TestNotSent(t *testing.T) {
	tests := []struct {
		name    string
		trouble fakebugzilla.Trouble
		wait    time.Duration
		again   bool
		says    string
	}{
		{"rate limit", fakebugzilla.RateLimited(), time.Minute, true, "HTTP 400: the rate limit is reached"},
		{"blocked", fakebugzilla.Trouble{Status: 429, Body: "Too Many Requests"}, time.Minute, true, "HTTP 429: too many requests"},
		{"too long", fakebugzilla.TooLong(), 0, false, "HTTP 414: That is more than Bugzilla takes at once. Nothing was filed."},
		{"too large", fakebugzilla.Trouble{Status: 413, Body: "<html>"}, 0, false, "HTTP 413: That is more than Bugzilla takes at once."},
		{"forbidden", fakebugzilla.Trouble{Status: 403, Body: "<html>no"}, 0, false, "HTTP 403: Forbidden, in words that are not Bugzilla's (text/html)"},
		{"gone", fakebugzilla.Trouble{Status: 410, Body: "<html>"}, 0, false, "HTTP 410: Gone, in words that"},
		{"moved", fakebugzilla.Trouble{Status: 302, Body: "<html>"}, 0, false, "HTTP 302: a redirect, which is not followed"},
		{"kept", fakebugzilla.Trouble{Status: 307, Body: "<html>"}, 0, false, "HTTP 307: a redirect, which is not followed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fake := &fakebugzilla.Server{}
			c := start(t, fake)
			fake.Next(tt.trouble)
			_, err := c.File(t.Context(), usual())
			if wait, again := bot.RetryAfter(err); !bot.NotSent(err) || wait != tt.wait || again != tt.again || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v: not sent %v, wait %v, again %v", err, bot.NotSent(err), wait, again)
			}
			if len(fake.Bugs()) > 0 || len(fake.Journal()) != 1 {
				t.Errorf("bugs %v after %v", fake.Bugs(), calls(fake))
			}
		})
	}
}

// How long a server asks to wait is heard, with a limit of Bugzilla's too.
func TestRetryAfter(t *testing.T) {
	for _, status := range []int{400, 429, 503} {
		c := startWith(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(`{"error":true,"code":32000,"message":"You have exceeded the rate limit."}`))
		}), bugzilla.Options{Key: holding("fake-key")})
		if wait, again := bot.RetryAfter(func() error { _, err := c.File(t.Context(), usual()); return err }()); wait != 7*time.Second || !again {
			t.Errorf("after %d: wait %v, again %v", status, wait, again)
		}
	}
}

func TestNobodyThere(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close()
	c, err := bugzilla.New(bugzilla.Options{URL: s.URL, Key: holding("fake-secret")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.File(t.Context(), usual())
	if !bot.NotSent(err) || strings.Contains(err.Error(), "rest/bug") {
		t.Errorf("error is %v", err)
	}
	if _, again := bot.RetryAfter(err); !again {
		t.Errorf("%v is final", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Whoami(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}
