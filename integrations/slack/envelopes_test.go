package slack

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thbot/bot"
	"thbot/integrations/slack/fakeslack"
)

func TestCommandIsAnsweredInItsAck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var got bot.Request
		w.run(receiver{command: func(_ context.Context, r bot.Request) *bot.Card {
			got = r
			c := bot.Say("Looking at what would go out…")
			return &c
		}})
		d := w.say("/th lock  prod it's broken & <on fire>")
		w.acked(d)
		want := bot.Request{Key: "T0FAKE:" + d.TriggerID, Person: ana, Channel: ops, Text: "lock  prod it's broken & <on fire>", Trigger: d.TriggerID}
		if fmt.Sprint(got) != fmt.Sprint(want) { // its maps cannot be compared
			t.Errorf("received %+v, want %+v", got, want)
		}
		if m := w.last(); !m.Ephemeral || m.Plain != "Looking at what would go out…" {
			t.Errorf("ana sees %+v", m)
		}
		if others := w.fake.Messages(bea, ops); len(others) != 0 {
			t.Errorf("bea sees %+v", others)
		}
	})
}

func TestCommandWithoutAnAnswerIsAcked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run(receiver{})
		w.acked(w.say("/th"))
		if seen := w.fake.Messages(ana, ops); len(seen) != 0 {
			t.Errorf("ana sees %+v", seen)
		}
	})
}

func TestCommandOfAnotherName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(f *fakeslack.Server, _ *Options) { f.Command = "/deploy" })
		w.run(receiver{command: func(context.Context, bot.Request) *bot.Card { t.Error("it was received"); return nil }})
		w.acked(w.say("/deploy prod"))
		if m := w.last(); !strings.Contains(m.Plain, "answer to `/th`, not `/deploy`, so nothing was done") {
			t.Errorf("ana sees %q", m.Plain)
		}
	})
}

func TestAnAnswerTooLargeForItsAckIsItsLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run(receiver{command: func(context.Context, bot.Request) *bot.Card {
			c := bot.Say("Everything there is")
			for range 10 {
				c = c.Add(bot.Paragraph(strings.Repeat("ж&", 1000)))
			}
			return &c
		}})
		w.acked(w.say("/th history"))
		if m := w.last(); !strings.HasPrefix(m.Plain, "Everything there is\n") || !strings.Contains(m.Plain, shortened) {
			t.Errorf("ana sees %q", m.Plain)
		}
	})
}

func TestPressIsStoredBeforeItsAck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		stored := make(chan struct{})
		presses := make(chan bot.Press, 1)
		w.run(receiver{press: func(_ context.Context, p bot.Press) error { presses <- p; <-stored; return nil }})
		ts := w.post(question(), "k")
		d := w.press(ts, "promote", "01J.1")
		soon, cancel := context.WithTimeout(w.ctx, time.Second)
		defer cancel()
		if err := d.Wait(soon); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("before it was stored: %v", err)
		}
		close(stored)
		w.acked(d)
		want := bot.Press{Key: "T0FAKE:" + d.TriggerID, Person: ana, Channel: ops, Message: ts, Verb: "promote", Value: "01J.1", Trigger: d.TriggerID}
		if got := <-presses; got != want {
			t.Errorf("received %+v, want %+v", got, want)
		}
	})
}

func question() bot.Card {
	return bot.Say("Promote?").Add(bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{
		{Label: "Promote…", Verb: "promote", Value: "01J.1", Tone: bot.Primary, Dialog: "Promote 9f8e7d6 to production?"},
		{Label: "Status", Verb: "say", Value: "status"},
		{Label: "Help", Verb: "say", Value: "help"},
		{Label: "Compare", URL: "https://github.com/mozilla/treeherder/compare/a...b?x=1&y=2"},
	}})
}

func TestPressThatIsNotStoredIsNotAcked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run(receiver{press: func(context.Context, bot.Press) error { return errors.New("the disk is full") }})
		ts := w.post(question(), "k")
		var no *fakeslack.NotAcked
		if err := w.press(ts, "promote", "01J.1").Wait(w.ctx); !errors.As(err, &no) {
			t.Fatalf("got %v, want it not acked", err)
		}
		if w.logs.FilterMessageSnippet("a press was not stored").Len() != 1 {
			t.Error("it was not logged")
		}
	})
}

// Two buttons may say the same verb; Slack wants their action ids apart.
func TestPressOfASecondButtonWithTheVerb(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		presses := make(chan bot.Press, 2)
		w.run(receiver{press: func(_ context.Context, p bot.Press) error { presses <- p; return nil }})
		ts := w.post(question(), "k")
		w.acked(w.press(ts, "say~2", "help"))
		w.acked(w.press(ts, "open-link", "")) // says nothing to the receiver
		if p := <-presses; p.Verb != "say" || p.Value != "help" || len(presses) != 0 {
			t.Errorf("received %+v and %d more", p, len(presses))
		}
	})
}

func TestPressOnAWhisperHasNoMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		presses := make(chan bot.Press, 1)
		w.run(receiver{press: func(_ context.Context, p bot.Press) error { presses <- p; return nil }})
		if err := w.c.Whisper(w.ctx, ops, ana, question()); err != nil {
			t.Fatal(err)
		}
		w.acked(w.press(w.last().TS, "promote", "01J.1"))
		if p := <-presses; p.Message != "" || p.Channel != ops || p.Person != ana {
			t.Errorf("received %+v", p)
		}
	})
}

func TestADuplicateReachesTheReceiverWithItsKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		keys := make(chan string, 2)
		w.run(receiver{press: func(_ context.Context, p bot.Press) error { keys <- p.Key; return nil }})
		ts := w.post(question(), "k")
		w.fake.Duplicate(1)
		w.acked(w.press(ts, "promote", "01J.1"))
		if a, b := <-keys, <-keys; a != b {
			t.Errorf("keys %q and %q differ", a, b)
		}
	})
}

func TestAPanicEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run(receiver{command: func(_ context.Context, r bot.Request) *bot.Card {
			if r.Text == "boom" {
				panic("a bug")
			}
			return nil
		}})
		var no *fakeslack.NotAcked
		if err := w.say("/th boom").Wait(w.ctx); !errors.As(err, &no) {
			t.Errorf("got %v, want it not acked", err)
		}
		w.acked(w.say("/th status"))
		entries := w.logs.FilterMessageSnippet("panicked").All()
		if len(entries) != 1 || entries[0].ContextMap()["stack"] == "" || entries[0].ContextMap()["ref"] == "" {
			t.Errorf("logged %v", entries)
		}
	})
}

func TestEnvelopesOfNoUseAreAcked(t *testing.T) {
	frames := map[string]string{
		"of an unknown type":         `{"envelope_id":"e1","type":"unheard_of","payload":{"text":"hush"}}`,
		"of another shape":           `{"envelope_id":"e2","type":"interactive","payload":{"type":"block_actions","trigger_id":["hush"]}}`,
		"with no payload":            `{"envelope_id":"e3","type":"slash_commands"}`,
		"a command of another shape": `{"envelope_id":"ea","type":"slash_commands","payload":{"text":["hush"]}}`,
		"an unknown event":           `{"envelope_id":"e4","type":"events_api","payload":{"type":"event_callback","event":{"type":"hush"}}}`,
		"an event":                   `{"envelope_id":"e5","type":"events_api","payload":{"type":"event_callback","event":{"type":"app_home_opened","user":"U1"}}}`,
		"a shortcut":                 `{"envelope_id":"e6","type":"interactive","payload":{"type":"shortcut","callback_id":"hush"}}`,
		"no actions":                 `{"envelope_id":"e7","type":"interactive","payload":{"type":"block_actions","actions":[]}}`,
		"another app's block":        `{"envelope_id":"e8","type":"interactive","payload":{"type":"block_actions","actions":[{"type":"button","block_id":"b1","action_id":"promote"}]}}`,
		"a legacy attachment":        `{"envelope_id":"e9","type":"interactive","payload":{"type":"interactive_message","actions":[{"type":"button","name":"promote"}]}}`,
		"a suggestion":               `{"envelope_id":"e0","type":"interactive","payload":{"type":"block_suggestion","value":"hush"}}`,
	}
	for name, frame := range frames {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.run(receiver{press: func(_ context.Context, p bot.Press) error { t.Errorf("received %+v", p); return nil }})
				d, err := w.fake.SendRaw([]byte(frame))
				if err != nil {
					t.Fatal(err)
				}
				w.acked(d)
				w.acked(w.say("/th status"))
				for _, e := range w.logs.All() {
					if strings.Contains(e.Message+fmt.Sprint(e.ContextMap()), "hush") {
						t.Errorf("logged the payload: %v %v", e.Message, e.ContextMap())
					}
				}
			})
		})
	}
}

func TestTheFirstActionOfOursCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		presses := make(chan bot.Press, 2)
		w.run(receiver{press: func(_ context.Context, p bot.Press) error { presses <- p; return nil }})
		d, err := w.fake.SendRaw([]byte(`{"envelope_id":"e1","type":"interactive","payload":{"type":"block_actions",
			"user":{"id":"U0ANA"},"team":{"id":"T0FAKE"},"channel":{"id":"C0OPS123"},
			"container":{"type":"message","message_ts":"1.000002","channel_id":"C0OPS123"},
			"actions":[{"type":"button","block_id":"other","action_id":"x","value":"0"},
			           {"type":"button","block_id":"th-0-1","action_id":"promote","value":"1"},
			           {"type":"button","block_id":"th-0-1","action_id":"cancel","value":"2"}]}}`))
		if err != nil {
			t.Fatal(err)
		}
		w.acked(d)
		want := bot.Press{Key: "T0FAKE:envelope e1", Person: ana, Channel: ops, Message: "1.000002", Verb: "promote", Value: "1"}
		if p := <-presses; p != want || len(presses) != 0 {
			t.Errorf("received %+v and %d more, want only %+v", p, len(presses), want)
		}
	})
}

func TestTooMuchAtATimeIsLeftToSlack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		busy := make(chan struct{})
		w.run(receiver{command: func(context.Context, bot.Request) *bot.Card { <-busy; return nil }})
		var all []*fakeslack.Delivery
		for range abreast + 10 {
			all = append(all, w.say("/th status"))
		}
		if !wait(t.Context(), 20*time.Second) {
			t.Fatal("interrupted")
		}
		if n := w.calls("slack hello"); n != 2 {
			t.Errorf("%d sockets were opened: the pings were not read", n)
		}
		if w.logs.FilterMessageSnippet("too much at a time").Len() == 0 {
			t.Error("nothing was logged")
		}
		close(busy)
		for _, d := range all {
			var no *fakeslack.NotAcked
			if err := d.Wait(w.ctx); !errors.As(err, &no) {
				t.Errorf("got %v, want it not acked", err)
			}
		}
		w.acked(w.say("/th status"))
	})
}
