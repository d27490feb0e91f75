package fakeslack

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"
)

var allEvents = []string{"app_mention", "message.channels", "message.groups", "message.im", "reaction_added"}

func TestEvents(t *testing.T) {
	for _, tc := range []struct {
		name   string
		do     func(*world) error
		scopes []string // nil: all
		want   string
	}{
		{"message", func(w *world) error { _, err := w.Say(ana, ops, "hello"); return err }, nil, "message channel C0OPS"},
		{"private", func(w *world) error { _, err := w.Say(ana, secret, "hello"); return err }, nil, "message group C0SECRET"},
		{"mention", func(w *world) error { _, err := w.Say(ana, ops, "hello @th"); return err }, nil, "message channel C0OPS, app_mention C0OPS"},
		{"mention alone", func(w *world) error { _, err := w.Say(ana, ops, "hello @th"); return err }, []string{"app_mentions:read"}, "app_mention C0OPS"},
		{"direct", func(w *world) error { _, err := w.DM(ana, "hello @th"); return err }, nil, "message im D"},
		{"where the app is not", func(w *world) error { _, err := w.Say(ana, abroad, "hello @th"); return err }, nil, ""},
		{"topic", func(w *world) error { return w.SetTopic(ana, ops, "contact: <@U0ANA>") }, nil, "message channel C0OPS channel_topic contact: <@U0ANA>"},
		{"command", func(w *world) error { _, err := w.Say(ana, ops, "/th x"); return err }, nil, ""},
		{"whisper", func(w *world) error {
			_, err := w.api.PostEphemeral(ops, ana, slack.MsgOptionText("x", false))
			return err
		}, nil, ""},
		{"own", func(w *world) error {
			_, ts, err := w.api.PostMessage(ops, slack.MsgOptionText("x", false))
			if err == nil {
				_, _, _, err = w.api.UpdateMessage(ops, ts, slack.MsgOptionText("y", false))
			}
			if err == nil {
				_, _, err = w.api.DeleteMessage(ops, ts)
			}
			return err
		}, nil, "message channel C0OPS, message channel C0OPS message_changed, message channel C0OPS message_deleted"},
		{"reaction", func(w *world) error {
			_, ts, err := w.api.PostMessage(secret, slack.MsgOptionText("x", false))
			if err == nil {
				err = w.React(ana, secret, ts, "eyes")
			}
			return err
		}, []string{"chat:write", "reactions:read"}, "reaction_added"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(s *Server) { s.Subscribed, s.BotScopes = allEvents, tc.scopes })
			w.app(acks)
			if err := tc.do(w); err != nil {
				t.Fatalf("%s: %v", tc.name, err)
			}
			w.await(func() bool {
				for _, e := range w.Events() {
					if !e.Acked {
						return false
					}
				}
				return true
			})
			var got []string
			for _, e := range w.Events() {
				var p struct {
					ID    string `json:"event_id"`
					Event struct {
						Type, Channel, Subtype, Topic string
						Kind                          string `json:"channel_type"`
					}
				}
				if err := json.Unmarshal(e.Payload, &p); err != nil || p.ID != e.ID || e.Attempts != 1 {
					t.Errorf("%s: %+v, %v", tc.name, e, err)
				}
				v := p.Event
				if v.Kind == "im" {
					v.Channel = v.Channel[:1]
				}
				got = append(got, strings.Join(strings.Fields(strings.Join([]string{v.Type, v.Kind, v.Channel, v.Subtype, v.Topic}, " ")), " "))
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("%s: %s", tc.name, diff)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) { // by default an app is told nothing
		w := newWorld(t)
		w.say(ana, "hello @th")
		if got := w.Events(); got != nil {
			t.Errorf("events %v", got)
		}
	})
}

// An event is sent again at once, after a minute and after five, each time in
// an envelope of its own, and one that no socket was there for waits.
func TestEventRetries(t *testing.T) {
	type attempt struct {
		After   time.Duration
		Attempt int
		Reason  string
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(s *Server) { s.Subscribed = []string{"app_mention"}; s.Ping = -1 })
		r, _ := w.dialRaw()
		began := time.Now()
		w.say(ana, "@th")
		var got []attempt
		envelopes, ids := map[string]bool{}, map[string]bool{}
		read := func(r rawSocket) string {
			f := r.read()
			reason, _ := f["retry_reason"].(string)
			got = append(got, attempt{time.Since(began), int(f["retry_attempt"].(float64)), reason})
			envelopes[f["envelope_id"].(string)] = true
			ids[f["payload"].(map[string]any)["event_id"].(string)] = true
			return f["envelope_id"].(string)
		}
		for range 4 {
			read(r)
		}
		want := []attempt{{0, 0, ""}, {3 * time.Second, 1, "timeout"}, {66 * time.Second, 2, "timeout"}, {369 * time.Second, 3, "timeout"}}
		if diff := cmp.Diff(want, got); diff != "" || len(envelopes) != 4 || len(ids) != 1 {
			t.Errorf("%d envelopes, %d ids: %s", len(envelopes), len(ids), diff)
		}
		later(10 * time.Minute)
		if e := w.Events()[0]; e.Acked || e.Attempts != 4 {
			t.Errorf("given up: %+v", e)
		}
		// The second attempt is acknowledged.
		got, began = nil, time.Now()
		w.say(ana, "@th")
		read(r)
		r.ack(read(r), nil)
		w.await(func() bool { return w.Events()[1].Acked })
		later(10 * time.Minute)
		if n := w.Events()[1].Attempts; n != 2 {
			t.Errorf("%d attempts of what was acknowledged", n)
		}
		// Nobody is there.
		w.DropSockets(KillTCP)
		w.say(ana, "@th")
		later(time.Hour)
		if e := w.Events()[2]; e.Acked || e.Attempts != 0 {
			t.Errorf("without a socket: %+v", e)
		}
		r, _ = w.dialRaw()
		got, began = nil, time.Now()
		r.ack(read(r), nil)
		if diff := cmp.Diff([]attempt{{0, 1, "timeout"}}, got); diff != "" {
			t.Error(diff)
		}
		w.await(func() bool { return w.Events()[2].Acked })
		// Twice.
		w.Duplicate(1)
		w.say(ana, "@th")
		if one, two := read(r), read(r); one != two {
			t.Errorf("twice as %s and %s", one, two)
		}
	})
}

// slack-go understands the events.
func TestEventsDecode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(s *Server) { s.Subscribed = append([]string{"app_home_opened"}, allEvents...) })
		got := make(chan any, 10)
		w.app(func(c *socketmode.Client, e socketmode.Event) {
			acks(c, e)
			if v, ok := e.Data.(slackevents.EventsAPIEvent); ok {
				got <- v.InnerEvent.Data
			}
		})
		w.say(ana, "@th")
		if v, ok := receive(t, got).(*slackevents.MessageEvent); !ok || v.User != ana || v.ChannelType != "channel" {
			t.Errorf("message %+v", v)
		}
		if v, ok := receive(t, got).(*slackevents.AppMentionEvent); !ok || v.Channel != ops || v.Text != "<@"+BotUser+">" {
			t.Errorf("mention %+v", v)
		}
		if err := w.SetTopic(ana, ops, "new"); err != nil {
			t.Fatal(err)
		}
		if v, ok := receive(t, got).(*slackevents.MessageEvent); !ok || v.SubType != "channel_topic" || v.Message.Topic != "new" {
			t.Errorf("topic %+v", v)
		}
		if _, err := w.OpenHome(ana, "messages"); err != nil {
			t.Fatal(err)
		}
		if v, ok := receive(t, got).(*slackevents.AppHomeOpenedEvent); !ok || v.Tab != "messages" || v.Channel != w.DirectChannel(ana) {
			t.Errorf("home %+v", v)
		}
	})
}
