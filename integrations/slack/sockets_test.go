package slack

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thbot/bot"
	"thbot/integrations/slack/fakeslack"
)

func TestNonsenseOnTheSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run(receiver{})
		for range 30 { // after ten in a row slack-go opens the socket anew
			if _, err := w.fake.SendRaw([]byte(`{"envelope_id":`)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.fake.Await(w.ctx, func() bool { return w.calls("slack hello") == 4 }); err != nil {
			t.Fatal(err)
		}
		w.connected(2)
		w.acked(w.say("/th status"))
	})
}

func TestASocketThatEndsIsReplacedWhileTheOtherGoesOn(t *testing.T) {
	for _, reason := range []string{fakeslack.KillTCP, fakeslack.RefreshRequested, fakeslack.Warning} {
		t.Run("reason "+reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.run(receiver{})
				hellos := 2
				again := func(n int) {
					t.Helper()
					hellos += n
					if err := w.fake.Await(w.ctx, func() bool { return w.calls("slack hello") >= hellos }); err != nil {
						t.Fatal(err)
					}
					w.connected(2)
				}
				for i := range 6 {
					w.fake.DropSockets(reason, i%2)
					for range 3 {
						w.acked(w.say("/th status"))
					}
					again(1)
				}
				w.fake.DropSockets(reason)
				again(2)
				w.acked(w.say("/th status"))
			})
		})
	}
}

func TestADeafSocketIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run(receiver{})
		synctest.Wait()
		hellos := w.calls("slack hello")
		if err := w.fake.Deafen(0); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		a, b := w.say("/th status"), w.say("/th status")
		aErr, bErr := a.Wait(w.ctx), b.Wait(w.ctx)
		if (aErr == nil) == (bErr == nil) {
			t.Errorf("of two commands one should have reached the other socket: %v, %v", aErr, bErr)
		}
		if err := w.fake.Await(w.ctx, func() bool { return w.calls("slack hello") > hellos }); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("it took %v", took)
		}
		w.connected(2)
		for range 4 {
			w.acked(w.say("/th status"))
		}
	})
}

func TestAQuietSocketIsNotDeaf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run(receiver{})
		if !wait(t.Context(), time.Hour) {
			t.Fatal("interrupted")
		}
		if n := w.calls("slack hello"); n != 2 {
			t.Errorf("%d sockets were opened in an hour without a fault, want 2", n)
		}
		if n := w.calls("slack auth.test"); n > 1 {
			t.Errorf("%d calls while idle", n)
		}
	})
}

func TestSocketsComeBackSoonAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const attempts = 400 // of both sockets together
		w := newWorld(t)
		w.run(receiver{})
		w.fake.Fail("apps.connections.open", attempts, http.StatusServiceUnavailable)
		w.fake.DropSockets(fakeslack.KillTCP)
		synctest.Wait()
		began := time.Now()
		var last time.Time
		for w.c.Connected() < 2 {
			if !wait(t.Context(), time.Second) {
				t.Fatal("interrupted")
			}
			if last.IsZero() && w.calls("slack apps.connections.open") >= attempts {
				last = time.Now()
			}
		}
		if outage := last.Sub(began); outage < 10*time.Minute {
			t.Errorf("%d attempts in %v: that is too often", attempts, outage)
		}
		if took := time.Since(last); took > 2*maxPause {
			t.Errorf("back only %v after the outage", took)
		}
	})
}

func TestTheAppTokenIsRefused(t *testing.T) {
	for name, change := range map[string]func(*fakeslack.Server, *Options){
		"unknown":       func(f *fakeslack.Server, _ *Options) { f.AppToken = "xapp-fake-other" },
		"without scope": func(f *fakeslack.Server, _ *Options) { f.AppScopes = []string{"authorizations:read"} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, change)
				began := time.Now()
				err := w.c.Run(w.ctx, receiver{})
				var no *CredentialsError
				if !errors.As(err, &no) || no.Token != "app token" {
					t.Fatalf("Run: %v, want a CredentialsError", err)
				}
				if strings.Contains(err.Error(), fakeslack.DefaultAppToken) || time.Since(began) > time.Second {
					t.Errorf("after %v: %v", time.Since(began), err)
				}
			})
		})
	}
}

func TestMoreSocketsThanSlackGrantsDoNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(_ *fakeslack.Server, o *Options) { o.Sockets = 11 })
		w.rude = true // giving up in the middle of a handshake
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		if err := w.c.Run(ctx, receiver{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if n := w.calls("slack apps.connections.open"); n > 100 {
			t.Errorf("%d connections were asked for in ten minutes", n)
		}
	})
}

func TestAnotherProcessWithOurTokenIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run(receiver{})
		if w.logs.FilterMessageSnippet("more connections").Len() != 0 {
			t.Error("alarmed by its own sockets")
		}
		o := w.c.o
		other, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_ = other.Run(ctx, receiver{})
		other.Close()
		if w.logs.FilterMessageSnippet("more connections").Len() == 0 {
			t.Error("nothing was logged")
		}
	})
}

func TestAShutdownAnswersWhatHasBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		begun, goOn := make(chan struct{}), make(chan struct{})
		stop := w.run(receiver{command: func(ctx context.Context, _ bot.Request) *bot.Card {
			close(begun)
			<-goOn
			if ctx.Err() != nil {
				t.Error("its context ended with Run's")
			}
			return nil
		}})
		d := w.say("/th status")
		<-begun
		stopped := make(chan error, 1)
		go func() { stopped <- stop() }()
		wait(t.Context(), time.Second)
		close(goOn)
		w.acked(d)
		if err := <-stopped; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		if w.c.Connected() != 0 {
			t.Errorf("%d sockets are left", w.c.Connected())
		}
	})
}

// One conversation over loopback: net.Pipe has no buffer, a network has.
func TestOverARealNetwork(t *testing.T) {
	fake := &fakeslack.Server{}
	fake.AddPerson(fakeslack.Person{ID: ana, Name: "ana"})
	fake.AddChannel(fakeslack.Channel{ID: ops, Name: "ops", Members: []string{ana, fakeslack.BotUser}})
	server, address := listen(t, fake)
	defer server.Close()
	defer fake.Close()
	c, err := New(Options{APIURL: address + "/api/", AppToken: fakeslack.DefaultAppToken, BotToken: fakeslack.DefaultBotToken, Channel: ops, Sockets: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	running, stop := context.WithCancel(ctx)
	go func() { ended <- c.Run(running, receiver{}) }()
	if err := fake.Await(ctx, func() bool { return fake.Sockets() == 1 }); err != nil {
		t.Fatal(err)
	}
	id, err := c.Post(ctx, ops, "", question(), "k")
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		d, err := fake.Press(ana, ops, id, "promote", "01J.1")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Wait(ctx); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
}
