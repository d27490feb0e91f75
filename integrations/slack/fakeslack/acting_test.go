package fakeslack

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
)

func TestFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var moments []string
		w := newWorld(t, func(s *Server) {
			s.Gate = func(call, moment string) {
				mu.Lock()
				defer mu.Unlock()
				moments = append(moments, call+" "+moment)
			}
		})
		post := func() error {
			_, _, err := w.api.PostMessage(ops, slack.MsgOptionText("x", false))
			return err
		}
		w.RateLimit("chat.postMessage", 1, 7*time.Second)
		w.Fail("chat.postMessage", 1, 503)
		var limited *slack.RateLimitedError
		if err := post(); !errors.As(err, &limited) || limited.RetryAfter != 7*time.Second {
			t.Errorf("429: %v", err)
		}
		var status slack.StatusCodeError
		if err := post(); !errors.As(err, &status) || status.Code != 503 {
			t.Errorf("503: %v", err)
		}
		if got := w.Messages(ana, ops); got != nil {
			t.Errorf("refused calls posted %v", got)
		}
		w.Lose("chat.postMessage", 1)
		synctest.Wait() // for the gates of the calls before
		mu.Lock()
		moments = nil
		mu.Unlock()
		if err := post(); err == nil {
			t.Error("a lost answer arrived")
		}
		if got := len(w.Messages(ana, ops)); got != 1 {
			t.Errorf("the lost call posted %d messages", got)
		}
		synctest.Wait()
		mu.Lock()
		want := []string{"slack chat.postMessage arrived", "slack chat.postMessage done"}
		if diff := cmp.Diff(want, moments); diff != "" {
			t.Error(diff)
		}
		mu.Unlock()
		w.RateLimit(Any, 1, time.Second)
		if _, err := w.api.AuthTest(); !errors.As(err, &limited) {
			t.Errorf("429 of any: %v", err)
		}
		if err := post(); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func TestResponseURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r, _ := w.dialRaw()
		command := func() *Delivery {
			d := w.say(ana, "/th x")
			r.read()
			r.ack(d.ID, nil)
			if err := w.wait(d); err != nil {
				t.Fatal(err)
			}
			return d
		}
		// press posts a question, to ana alone if only, and presses its Cancel.
		press := func(only bool) *Delivery {
			var ts string
			var err error
			if only {
				ts, err = w.api.PostEphemeral(ops, ana, blocks(t, question))
			} else {
				_, ts, err = w.api.PostMessage(ops, blocks(t, question))
			}
			if err != nil {
				t.Fatal(err)
			}
			d, err := w.Press(ana, ops, ts, "cancel", "01J")
			if err != nil {
				t.Fatal(err)
			}
			e := r.read()["payload"].(map[string]any)
			if container := e["container"].(map[string]any); container["is_ephemeral"] != only || (e["message"] == nil) != only {
				t.Errorf("press, ephemeral %v: container %v, message %v", only, container, e["message"])
			}
			r.ack(d.ID, nil)
			if err := w.wait(d); err != nil {
				t.Fatal(err)
			}
			return d
		}
		post := func(d *Delivery, options ...slack.MsgOption) error {
			_, _, err := w.api.PostMessage("", options...)
			return err
		}
		text := func(s string) slack.MsgOption { return slack.MsgOptionText(s, false) }

		d := command()
		for range 4 {
			if err := post(d, slack.MsgOptionResponseURL(d.ResponseURL, "ephemeral"), text("to you")); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.last(ana).Render(); got != "th (to ana): to you\n" {
			t.Errorf("ephemeral: %q", got)
		}
		if err := post(d, slack.MsgOptionResponseURL(d.ResponseURL, "in_channel"), text("to all")); err != nil {
			t.Fatal(err)
		}
		if got := w.last(bea).Render(); got != "th: to all\n" {
			t.Errorf("in_channel: %q", got)
		}
		if a, _ := w.do(strings.TrimPrefix(d.ResponseURL, "http://slack.test"), "application/json", `{"text":"six"}`, ""); code(a) != "used_url" || a["status"] != 404.0 {
			t.Errorf("sixth use: %v", a)
		}
		d = command()
		later(responseLife + time.Second)
		if a, _ := w.do(strings.TrimPrefix(d.ResponseURL, "http://slack.test"), "application/json", `{"text":"late"}`, ""); code(a) != "expired_url" {
			t.Errorf("after half an hour: %v", a)
		}
		r, _ = w.dialRaw() // the other one read no pings meanwhile and was closed

		for _, only := range []bool{false, true} {
			d := press(only)
			ts := w.last(ana).TS
			if err := post(d, slack.MsgOptionReplaceOriginal(d.ResponseURL), text("replaced")); err != nil {
				t.Fatal(err)
			}
			if m := w.last(ana); m.TS != ts || m.Plain != "replaced" || m.Edited != 1 || m.Ephemeral != only {
				t.Errorf("replaced: %+v", m)
			}
			if err := post(d, slack.MsgOptionDeleteOriginal(d.ResponseURL)); err != nil {
				t.Fatal(err)
			}
			if m := w.last(ana); m.TS != ts || !m.Deleted {
				t.Errorf("deleted: %+v", m)
			}
		}
		w.surprises = true // from here on
		n := len(w.Messages(ana, ops))
		for body, want := range map[string]string{
			`{}`: "no_text",
			`{"text":"x","replace_original":"true","response_type":"in_channel"}`: "invalid_payload",
			`{"text":"x","response_type":"loud"}`:                                 "invalid_payload",
			`{"text":"x","thread_ts":"1.000000"}`:                                 "invalid_payload",
			`{"blocks":[{"type":"section"}]}`:                                     "invalid_blocks; must define either `text` or `fields` [json-pointer:/blocks/0]",
			`nonsense`:                                                            "invalid_payload",
		} {
			d := press(true)
			n++
			a, _ := w.do(strings.TrimPrefix(d.ResponseURL, "http://slack.test"), "application/json", body, "")
			if code(a) != want || a["status"] != 400.0 || len(w.Messages(ana, ops)) != n {
				t.Errorf("%s: %v, want %q", body, a, want)
			}
		}
		if a, _ := w.do("/actions/T0FAKE/1/made-up", "application/json", `{"text":"x"}`, ""); a["status"] != 404.0 {
			t.Errorf("made-up address: %v", a)
		}
	})
}

func TestPressNeedsTheButton(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		_, ts, err := w.api.PostMessage(ops, blocks(t, question))
		if err != nil {
			t.Fatal(err)
		}
		only, err := w.api.PostEphemeral(ops, ana, blocks(t, question))
		if err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct{ person, channel, ts, action, value string }{
			{ana, ops, ts, "promote", "02K"},
			{ana, ops, ts, "revert", "01J"},
			{ana, ops, "1.000000", "promote", "01J"},
			{bea, ops, only, "promote", "01J"},
			{bea, secret, ts, "promote", "01J"},
			{"U0GONE", ops, ts, "promote", "01J"},
			{"U404", ops, ts, "promote", "01J"},
			{ana, "C404", ts, "promote", "01J"},
		} {
			if _, err := w.Press(tc.person, tc.channel, tc.ts, tc.action, tc.value); err == nil {
				t.Errorf("%+v was pressed", tc)
			}
		}
		if _, err := w.Say("U0GONE", ops, "x"); err == nil {
			t.Error("somebody deactivated spoke")
		}
		want := []Button{{Label: "Promote", ActionID: "promote", Value: "01J", Style: "primary", Dialog: "Promote 9f8e7d6 to production?"},
			{Label: "Cancel", ActionID: "cancel", Value: "01J"}}
		got := w.last(ana).Buttons()
		for i := range got {
			got[i].element, got[i].blockID = nil, ""
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Button{})); diff != "" {
			t.Error(diff)
		}
	})
}

// A click on what the message was before it changed still reaches the app.
func TestPressStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r, _ := w.dialRaw()
		_, ts, err := w.api.PostMessage(ops, blocks(t, question))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := w.api.UpdateMessage(ops, ts, slack.MsgOptionText("over", false)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Press(ana, ops, ts, "promote", "01J"); err == nil {
			t.Error("a button that is gone was pressed")
		}
		if _, err := w.PressStale(ana, ops, ts, "promote", "02K"); err == nil {
			t.Error("a button that never was there was pressed")
		}
		if _, err := w.PressStale(ana, ops, ts, "promote", "01J"); err != nil {
			t.Fatal(err)
		}
		action := r.read()["payload"].(map[string]any)["actions"].([]any)[0].(map[string]any)
		if action["action_id"] != "promote" || action["block_id"] != "q1" {
			t.Errorf("pressed %v", action)
		}
	})
}

func TestAwaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.Await(ctx, func() bool { return false }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Await = %v", err)
		}
	})
}
