package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thbot/bot"
	"thbot/integrations/slack/fakeslack"
)

func TestPostUpdateWhisper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id := w.post(question(), "01J/card")
		m := w.last()
		if m.TS != id || m.Ephemeral || !strings.Contains(string(m.Metadata), `"key":"01J/card"`) || m.Text != "Promote?" {
			t.Errorf("posted %+v", m)
		}
		if b := m.Buttons(); len(b) != 4 || b[0].Dialog != "Promote 9f8e7d6 to production?" {
			t.Errorf("buttons %+v", b)
		}
		if err := w.c.Update(w.ctx, ops, id, bot.Say("Over.")); err != nil {
			t.Fatal(err)
		}
		if m = w.last(); m.Plain != "Over." || len(m.Buttons()) != 0 || !strings.Contains(string(m.Metadata), "01J/card") {
			t.Errorf("updated to %+v", m)
		}
		if err := w.c.Whisper(w.ctx, ops, ana, bot.Say("Only you.")); err != nil {
			t.Fatal(err)
		}
		if m = w.last(); !m.Ephemeral || m.Plain != "Only you." {
			t.Errorf("whispered %+v", m)
		}
	})
}

func TestFind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		began := time.Now()
		find := func(key string, since time.Time) string {
			t.Helper()
			id, err := w.c.Find(w.ctx, ops, "", key, since)
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		if id := find("lost", began); id != "" {
			t.Errorf("found %q before it was posted", id)
		}
		w.fake.Lose("chat.postMessage", 1)
		_, err := w.c.Post(w.ctx, ops, "", bot.Say("lost"), "lost")
		if err == nil || bot.NotSent(err) {
			t.Fatalf("posting without an answer: %v, not sent %v", err, bot.NotSent(err))
		}
		lost := w.last().TS
		for i := range 450 { // three pages
			w.post(bot.Say("later"), fmt.Sprint("later", i))
		}
		if id := find("lost", began); id != lost {
			t.Errorf("found %q, want %q", id, lost)
		}
		if id := find("los", began); id != "" {
			t.Errorf("found %q by half its key", id)
		}
		if !wait(t.Context(), time.Hour) {
			t.Fatal("interrupted")
		}
		w.ctx = t.Context()
		if id := find("lost", time.Now()); id != "" {
			t.Errorf("found %q, posted before", id)
		}
		// A clock that is ahead does not hide it.
		if id := find("lost", began.Add(time.Minute)); id != lost {
			t.Errorf("found %q, want %q", id, lost)
		}
	})
}

func TestFindTakesAnErrorForNoAnswer(t *testing.T) {
	for name, body := range map[string]string{
		"refused":         `{"ok":false,"error":"missing_scope","needed":"channels:history"}`,
		"without a word":  `{"ok":false}`,
		"empty object":    `{}`,
		"not JSON":        `<html>`,
		"no next page":    `{"ok":true,"messages":[],"has_more":true}`,
		"endless":         `{"ok":true,"messages":[],"has_more":true,"response_metadata":{"next_cursor":"x"}}`,
		"null":            `null`,
		"an empty answer": ``,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := answering(t, http.StatusOK, body)
				if id, err := w.c.Find(w.ctx, ops, "", "k", time.Now()); err == nil {
					t.Errorf("Find = %q without an error", id)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w := answering(t, http.StatusOK, `{"ok":true,"messages":[{"type":"message","user":"U0OTHER","bot_id":"B0OTHER","ts":"1.000001",
			"metadata":{"event_type":"thbot","event_payload":{"key":"k"}}}],"has_more":false}`)
		if id, err := w.c.Find(w.ctx, ops, "", "k", time.Now()); id != "" || err != nil {
			t.Errorf("somebody else's message: %q, %v", id, err)
		}
	})
}

func TestErrorsSayWhatToDo(t *testing.T) {
	type want struct{ notSent, again, notFound bool }
	tests := map[string]struct {
		status int
		body   string
		want
	}{
		"channel_not_found": {200, `{"ok":false,"error":"channel_not_found"}`, want{true, false, false}},
		"not_in_channel":    {200, `{"ok":false,"error":"not_in_channel"}`, want{true, false, false}},
		"invalid_blocks":    {200, `{"ok":false,"error":"invalid_blocks","errors":["no more"],"response_metadata":{"messages":["[ERROR] no more"]}}`, want{true, false, false}},
		"message_not_found": {200, `{"ok":false,"error":"message_not_found"}`, want{true, false, true}},
		"ratelimited":       {200, `{"ok":false,"error":"ratelimited"}`, want{true, true, false}},
		"internal_error":    {200, `{"ok":false,"error":"internal_error"}`, want{false, true, false}},
		"fatal_error":       {200, `{"ok":false,"error":"fatal_error"}`, want{false, true, false}},
		"no reason":         {200, `{"ok":false}`, want{false, true, false}},
		"no id":             {200, `{"ok":true}`, want{false, true, false}},
		"not JSON":          {200, `<html>`, want{false, true, false}},
		"502":               {502, `<html>`, want{false, true, false}},
		"302":               {302, ``, want{false, true, false}},
		"429 without time":  {429, ``, want{true, true, false}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := answering(t, tt.status, tt.body)
				_, err := w.c.Post(w.ctx, ops, "", bot.Say("x"), "k")
				for _, err := range []error{err, w.c.Update(w.ctx, ops, "1.000001", bot.Say("x")), w.c.Whisper(w.ctx, ops, ana, bot.Say("x"))} {
					if name == "no id" && err == nil {
						continue // a whisper has no id that anybody needs
					}
					if err == nil {
						t.Fatal("no error")
					}
					_, again := bot.RetryAfter(err)
					if got := (want{bot.NotSent(err), again, errors.Is(err, bot.ErrNotFound)}); got != tt.want || bot.Service(err) != "Slack" {
						t.Errorf("%v of %q: %+v, want %+v", err, bot.Service(err), got, tt.want)
					}
				}
			})
		})
	}
}

func TestTheReasonsForRefusedBlocksAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := answering(t, 200, `{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] no more than 50 items"]}}`)
		_, _ = w.c.Post(w.ctx, ops, "", bot.Say("x"), "k")
		if found := w.logs.FilterMessageSnippet("refuses").All(); len(found) != 1 || !strings.Contains(fmt.Sprint(found[0].ContextMap()), "no more than 50 items") {
			t.Errorf("logged %v", found)
		}
	})
}

func TestRateLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.fake.RateLimit("chat.postMessage", 1, 7*time.Second)
		_, err := w.c.Post(w.ctx, ops, "", bot.Say("x"), "k")
		if d, again := bot.RetryAfter(err); d != 7*time.Second || !again || !bot.NotSent(err) {
			t.Errorf("%v: wait %v, again %v, not sent %v", err, d, again, bot.NotSent(err))
		}
		if len(w.fake.Messages(ana, ops)) != 0 {
			t.Error("it was posted")
		}
	})
}

func TestASlowSlackIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		w := newWorld(t, func(f *fakeslack.Server, _ *Options) {
			f.Gate = func(call, moment string) {
				if call == "slack chat.postMessage" && moment == "done" {
					<-release
				}
			}
		})
		began := time.Now()
		_, err := w.c.Post(w.ctx, ops, "", bot.Say("x"), "k")
		if took := time.Since(began); err == nil || bot.NotSent(err) || took > 5*time.Second {
			t.Errorf("after %v: %v, not sent %v", took, err, bot.NotSent(err))
		}
		close(release)
	})
}

func TestNobodyThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		_ = w.pipe.Close()
		_, err := w.c.Post(context.Background(), ops, "", bot.Say("x"), "k")
		if !bot.NotSent(err) {
			t.Errorf("%v: it cannot have been sent", err)
		}
		if strings.Contains(err.Error(), fakeslack.DefaultBotToken) {
			t.Errorf("the error holds the token: %v", err)
		}
	})
}
