package bugzilla_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"thbot/bot"
	"thbot/integrations/bugzilla"
	"thbot/integrations/bugzilla/fakebugzilla"
	"thbot/integrations/fakehttp"
)

// A wrong key is sent once, until the file that holds it changes: five times in
// a minute would block the bot's address.
func TestWrongKey(t *testing.T) {
	fake := &fakebugzilla.Server{}
	file := filepath.Join(t.TempDir(), "key")
	put := func(key string) {
		if err := os.WriteFile(file, []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := startWith(t, fake, bugzilla.Options{Key: func() (string, error) { b, err := os.ReadFile(file); return string(b), err }})
	asked := func(want int) {
		t.Helper()
		for name, err := range errorsOf(t.Context(), c) {
			if !errors.Is(err, bugzilla.ErrKey) || errors.Is(err, bugzilla.ErrNoKey) || strings.Contains(err.Error(), "wr0ng") {
				t.Errorf("%s: %v", name, err)
			}
			if why := refused(t, err); !strings.HasPrefix(why, "Bugzilla does not accept my API key.") {
				t.Errorf("%s: %q", name, why)
			}
		}
		if got := len(fake.Journal()); got != want {
			t.Errorf("Bugzilla was asked %d times, want %d", got, want)
		}
	}
	put("fake-wr0ng\n")
	asked(1)
	asked(1)
	put("fake-wr0ng") // is the same key
	asked(1)
	put("fake-wr0ng-too")
	asked(2)
	put(fakebugzilla.Key + "\n")
	if who, err := c.Whoami(t.Context()); err != nil || who.Login != fakebugzilla.Login {
		t.Errorf("Whoami = %v, %v", who, err)
	}
	// A right one may become a wrong one.
	fake.Revoke(fakebugzilla.Key)
	asked(4)
	if errs := errorsOf(t.Context(), c); !strings.Contains(errs["File"].Error(), "Nothing was filed.") || !strings.Contains(errs["Comment"].Error(), "Nothing was written.") {
		t.Errorf("errors are %v", errs)
	}
}

// The refusal says what Bugzilla says.
func TestWrongKeyWords(t *testing.T) {
	fake := &fakebugzilla.Server{Accounts: []fakebugzilla.Account{{Login: "old@example.com", Key: "fake-old", Disabled: true}}}
	for key, want := range map[string]string{
		"fake-n0ne": "It says: The API key you specified is invalid. Please check that you typed it correctly. I do not",
		"fake-old":  "It says: Your account has been disabled. I do not",
	} {
		c := startWith(t, fake, bugzilla.Options{Key: holding(key)})
		_, err := c.File(t.Context(), usual())
		if why := refused(t, err); !errors.Is(err, bugzilla.ErrKey) || !strings.Contains(why, want) || !strings.HasSuffix(why, " Nothing was filed.") {
			t.Errorf("with key %s: %v", key, err)
		}
	}
	// A proxy that takes the header away: that says nothing of the key.
	c := startWith(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("X-Bugzilla-Api-Key")
		fake.ServeHTTP(w, r)
	}), bugzilla.Options{Key: holding("fake-n0ne")})
	for range 2 {
		if _, err := c.Whoami(t.Context()); !errors.Is(err, bugzilla.ErrKey) || !strings.Contains(err.Error(), "You must log in") {
			t.Errorf("without a key: %v", err)
		}
	}
}

func TestNoKey(t *testing.T) {
	fake := &fakebugzilla.Server{}
	for name, key := range map[string]func() (string, error){"none": nil, "an empty one": holding(" \n")} {
		c := startWith(t, fake, bugzilla.Options{Key: key})
		for call, err := range errorsOf(t.Context(), c) {
			if !errors.Is(err, bugzilla.ErrNoKey) || !strings.HasPrefix(refused(t, err), "I have no API key for Bugzilla.") {
				t.Errorf("%s, %s: %v", name, call, err)
			}
		}
		if c.Link(7) == "" || c.Prefill(usual()) == "" {
			t.Error("no links")
		}
	}
	// That it cannot be read, or is none, may pass.
	torn := errors.New("input/output error")
	for name, tt := range map[string]struct {
		key  func() (string, error)
		says string
	}{
		"unreadable": {func() (string, error) { return "fake-s3cret", torn }, "reading the API key: input/output error"},
		"two lines":  {holding("fake-s3cret\nfake-s3cret"), "characters that no key has"},
		"a sentence": {holding("the fake-s3cret"), "characters that no key has"},
	} {
		c := startWith(t, fake, bugzilla.Options{Key: tt.key})
		_, err := c.File(t.Context(), usual())
		if _, again := bot.RetryAfter(err); !again || !bot.NotSent(err) || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, again %v", name, err, again)
		}
	}
	if n := len(fake.Journal()); n != 0 {
		t.Errorf("Bugzilla was asked %d times", n)
	}
}

// However many ask at once, a wrong key is sent once; who waits can give up.
func TestWrongKeyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arrived := make(chan struct{})
		fake := &fakebugzilla.Server{Gate: func(_, moment string) {
			if moment == fakehttp.Arrived {
				<-arrived
			}
		}}
		c, stop := piped(t, fake, bugzilla.Options{Key: holding("fake-wr0ng"), Limit: time.Minute})
		defer stop()
		impatient, cancel := context.WithCancel(t.Context())
		var wrong, gone atomic.Int32
		var all sync.WaitGroup
		for i := range 20 {
			ctx := t.Context()
			if i > 0 && i%4 == 0 {
				ctx = impatient
			}
			all.Go(func() {
				switch _, err := c.Whoami(ctx); {
				case errors.Is(err, bugzilla.ErrKey):
					wrong.Add(1)
				case errors.Is(err, context.Canceled) && bot.NotSent(err):
					gone.Add(1)
				}
			})
			synctest.Wait()
		}
		cancel()
		synctest.Wait()
		close(arrived)
		all.Wait()
		if n := len(fake.Journal()); wrong.Load() != 16 || gone.Load() != 4 || n != 1 {
			t.Errorf("%d were told that it is wrong, %d gave up, after %d requests", wrong.Load(), gone.Load(), n)
		}
	})
}

// A key that was right once and then refused is as suspect as any other when it
// comes back.
func TestRevokedKeyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakebugzilla.Server{}
		key := fakebugzilla.Key
		c, stop := piped(t, fake, bugzilla.Options{Key: func() (string, error) { return key, nil }})
		defer stop()
		if _, err := c.Whoami(t.Context()); err != nil {
			t.Fatal(err)
		}
		fake.Revoke(key)
		for _, key = range []string{key, "fake-wr0ng"} {
			if _, err := c.Whoami(t.Context()); !errors.Is(err, bugzilla.ErrKey) {
				t.Errorf("with %s: %v", key, err)
			}
		}
		key = fakebugzilla.Key
		before := len(fake.Journal())
		var all sync.WaitGroup
		for range 5 {
			fake.Next(fakebugzilla.Trouble{Slow: time.Second})
			all.Go(func() { _, _ = c.Whoami(t.Context()) })
		}
		all.Wait()
		if n := len(fake.Journal()) - before; n != 1 {
			t.Errorf("it was sent %d times", n)
		}
	})
}

// A right key makes nobody wait for another, and neither does one that was in
// somebody's hands when the answer did not come.
func TestRightKeyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakebugzilla.Server{}
		c, stop := piped(t, fake, bugzilla.Options{Key: holding(fakebugzilla.Key), Limit: 3 * time.Second})
		defer stop()
		fake.Next(fakebugzilla.Trouble{Slow: time.Hour})
		if _, err := c.Whoami(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error is %v", err)
		}
		if _, err := c.Whoami(t.Context()); err != nil {
			t.Error(err)
		}
		began := time.Now()
		var all sync.WaitGroup
		for range 5 {
			fake.Next(fakebugzilla.Trouble{Slow: time.Second})
			all.Go(func() {
				if _, err := c.Whoami(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if took := time.Since(began); took != time.Second {
			t.Errorf("five at once took %v", took)
		}
	})
}

// The answer comes after the time limit, and the bug is there.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakebugzilla.Server{}
		c, stop := piped(t, fake, bugzilla.Options{Key: holding(fakebugzilla.Key), Limit: 2 * time.Second})
		defer stop()
		fake.Next(fakebugzilla.Trouble{Slow: 10 * time.Second}.At("POST bug"))
		began := time.Now()
		_, err := c.File(t.Context(), usual())
		if took := time.Since(began); took != 2*time.Second || !errors.Is(err, context.DeadlineExceeded) || bot.NotSent(err) {
			t.Errorf("after %v: %v", took, err)
		}
		if id, found, err := c.FindByToken(t.Context(), fakebugzilla.Product, fakebugzilla.Component, tok); !found || id != fakebugzilla.First || err != nil {
			t.Errorf("FindByToken = %d, %v, %v", id, found, err)
		}
	})
}

// piped serves h over memory, in a bubble.
func piped(t *testing.T, h http.Handler, o bugzilla.Options) (c *bugzilla.Client, stop func()) {
	t.Helper()
	p := fakehttp.NewPipe()
	s := &http.Server{Handler: h}
	go func() { _ = s.Serve(p) }()
	o.URL, o.Dial = "http://bugzilla.test/", p.Dial
	c, err := bugzilla.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c, func() { c.Close(); _ = s.Close() }
}
