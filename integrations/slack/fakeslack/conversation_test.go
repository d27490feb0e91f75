package fakeslack

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// bot answers commands with a question and presses with an edit.
func bot(t *testing.T, api *slack.Client) func(*socketmode.Client, socketmode.Event) {
	return func(c *socketmode.Client, e socketmode.Event) {
		switch v := e.Data.(type) {
		case slack.SlashCommand:
			// Not in the ack: slack-go only queues it, so it may be overtaken.
			c.Ack(*e.Request)
			_, err := api.PostEphemeral(v.ChannelID, v.UserID, slack.MsgOptionText("Looking at `"+v.Text+"`…", false))
			if err != nil {
				t.Errorf("whispering: %v", err)
			}
			_, _, err = api.PostMessage(v.ChannelID, slack.MsgOptionText("Promote?", false), blocks(t, question),
				slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "post", EventPayload: map[string]any{"key": "01J/card"}}))
			if err != nil {
				t.Errorf("posting: %v", err)
			}
		case slack.InteractionCallback:
			c.Ack(*e.Request)
			a := v.ActionCallback.BlockActions[0]
			if _, _, _, err := api.UpdateMessage(v.Channel.ID, v.Message.Timestamp,
				slack.MsgOptionText(fmt.Sprintf("%s pressed %s %s", v.User.Name, a.ActionID, a.Value), false)); err != nil {
				t.Errorf("updating: %v", err)
			}
		}
	}
}

const transcript = `th (to ana): Looking at ` + "`deploy prod`" + `…
th: *Promote?* asked by @ana at 00:00 UTC
    · 4 commits & the comparison
    [Promote…] [Cancel]
`

func converse(t *testing.T, s *Server, ctx context.Context) {
	t.Helper()
	d, err := s.Say(ana, ops, "/th deploy prod")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Await(ctx, func() bool { return len(s.Messages(ana, ops)) == 2 }); err != nil {
		t.Fatal(err)
	}
	seen := s.Messages(ana, ops)
	if got := seen[0].Render() + seen[1].Render(); got != transcript {
		t.Errorf("transcript:\n%s", cmp.Diff(transcript, got))
	}
	if theirs := s.Messages(bea, ops); len(theirs) != 1 || theirs[0].Ephemeral {
		t.Errorf("bea sees %+v, want the question alone", theirs)
	}
	d, err = s.Press(bea, ops, seen[1].TS, "promote", "01J")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Await(ctx, func() bool { return s.Messages(bea, ops)[0].Edited == 1 }); err != nil {
		t.Fatal(err)
	}
	m := s.Messages(bea, ops)[0]
	if got, want := m.Render(), "th: bea pressed promote 01J\n"; got != want {
		t.Errorf("after the press: %q, want %q", got, want)
	}
	if len(m.Past) != 1 || !strings.Contains(m.Past[0].Plain, "[Promote…]") || len(m.Buttons()) != 0 {
		t.Errorf("past %+v, buttons %v", m.Past, m.Buttons())
	}
	if string(m.Metadata) == "" {
		t.Error("the metadata was lost by the update")
	}
}

func TestConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.app(bot(t, w.api))
		converse(t, w.Server, t.Context())
		// slack-go leaves a server that does not ping for 30 s.
		later(10 * time.Minute)
		if got := journaled(w.Server, "slack hello"); len(got) != 1 {
			t.Errorf("it connected %d times in ten quiet minutes", len(got))
		}
	})
}

func TestConversationOverLoopback(t *testing.T) {
	s := &Server{}
	populate(s)
	server := httptest.NewServer(s)
	defer server.Close()
	defer s.Close()
	api := slack.New(DefaultBotToken, slack.OptionAppLevelToken(DefaultAppToken), slack.OptionAPIURL(server.URL+"/api/"))
	run(t, socketmode.New(api), bot(t, api))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Await(ctx, func() bool { return s.Sockets() == 1 }); err != nil {
		t.Fatal(err)
	}
	converse(t, s, ctx)
	if got := s.Unexpected(); got != nil {
		t.Errorf("unexpected: %q", got)
	}
}

func TestServerThatDoesNotPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(s *Server) { s.Ping = -1 })
		w.app(func(*socketmode.Client, socketmode.Event) {})
		later(2 * time.Minute)
		if got := journaled(w.Server, "slack hello"); len(got) < 2 {
			t.Error("slack-go stayed with a server that does not ping")
		}
	})
}

func TestSlashCommand(t *testing.T) {
	for _, tc := range []struct{ typed, text, rawText string }{
		{"/th deploy prod", "deploy prod", "deploy prod"},
		{"/th", "", ""},
		{"/th grant @bea.", "grant <@U0BEA>.", "grant @bea."},
		{"/th lock #treeherder-ops #secret #nowhere", "lock <#C0OPS|treeherder-ops> <#C0SECRET|> #nowhere", "lock #treeherder-ops #secret #nowhere"},
		{"/th page @th-admins a<b & https://x.test/?a=1&b", "page <!subteam^S0ADMINS|@th-admins> a&lt;b &amp; <https://x.test/?a=1&amp;b>",
			"page @th-admins a<b & https://x.test/?a=1&b"},
	} {
		for raw, want := range map[bool]string{false: tc.text, true: tc.rawText} {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, func(s *Server) { s.RawText = raw })
				got := make(chan slack.SlashCommand, 1)
				w.app(func(c *socketmode.Client, e socketmode.Event) {
					if v, ok := e.Data.(slack.SlashCommand); ok {
						c.Ack(*e.Request)
						got <- v
					}
				})
				d := w.say(ana, tc.typed)
				if diff := cmp.Diff(slack.SlashCommand{Token: "verification-token", TeamID: Team, TeamDomain: Domain,
					ChannelID: ops, ChannelName: "treeherder-ops", UserID: ana, UserName: "ana", Command: "/th", Text: want,
					ResponseURL: d.ResponseURL, TriggerID: d.TriggerID, APIAppID: App}, receive(t, got)); diff != "" {
					t.Errorf("%s, raw %v: %s", tc.typed, raw, diff)
				}
				if err := w.wait(d); err != nil {
					t.Error(err)
				}
				if got := w.Messages(ana, ops); len(got) != 0 {
					t.Errorf("an empty ack showed %v", got)
				}
			})
		}
	}
}

// Three seconds without an ack, or no app at all: that person is told.
func TestNotAcked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		// expect checks what ana sees last, and that the others do not.
		expect := func(d *Delivery, after time.Duration, want string) {
			t.Helper()
			began := time.Now()
			var failed *NotAcked
			if err := w.wait(d); !errors.As(err, &failed) || failed.Text != want {
				t.Errorf("got %v, want %q", err, want)
			}
			if took := time.Since(began); took != after {
				t.Errorf("%q after %v, want %v", want, took, after)
			}
		}
		none := `/th failed with the error "dispatch_failed"`
		expect(w.say(ana, "/th status"), 0, none)
		if m := w.last(ana); m.Render() != "slackbot (to ana): "+none+"\n" {
			t.Errorf("ana is told %q", m.Render())
		}
		w.app(func(*socketmode.Client, socketmode.Event) {}) // never acks
		expect(w.say(ana, "/th status"), 3*time.Second, "/th failed because the app did not respond.")
		_, ts, err := w.api.PostMessage(ops, blocks(t, question))
		if err != nil {
			t.Fatal(err)
		}
		d, err := w.Press(ana, ops, ts, "cancel", "01J")
		if err != nil {
			t.Fatal(err)
		}
		expect(d, 3*time.Second, "The app did not respond.")
		if got := w.last(ana).Warning; got != "The app did not respond." {
			t.Errorf("beside the message ana sees %q", got)
		}
		if got := w.last(bea).Warning; got != "" || len(w.Messages(bea, ops)) != 1 {
			t.Errorf("bea sees %q and %d messages", got, len(w.Messages(bea, ops)))
		}
		if err := w.wait(w.say(ana, "/dance now")); err == nil || !strings.Contains(err.Error(), "/dance is not a valid command") {
			t.Errorf("unknown command: %v", err)
		}
	})
}

func TestAckShapes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r, hello := w.dialRaw()
		if hello["type"] != "hello" || hello["num_connections"] != 1.0 {
			t.Errorf("first frame %v", hello)
		}
		other, _ := w.dialRaw()
		sockets := []rawSocket{r, other}
		for i, tc := range []struct {
			payload any
			want    string // what ana sees then
		}{
			{nil, ""},
			{map[string]any{}, ""},
			{map[string]any{"text": "to you"}, "th (to ana): to you\n"},
			{map[string]any{"response_type": "in_channel"}, "ana: /th x\n"},
			{map[string]any{"response_type": "in_channel", "text": "to all"}, "ana: /th x\nth: to all\n"},
			// what slack-go's Msg looks like
			{slack.Msg{Text: "msg"}, "th (to ana): msg\n"},
		} {
			n := len(w.Messages(ana, ops))
			d := w.say(ana, "/th x")
			// It comes by either socket in turn and may be acked by the other.
			from := sockets[(i+1)%2]
			if e := from.read(); e["envelope_id"] != d.ID || e["accepts_response_payload"] != true {
				t.Fatalf("envelope %v, want %s", e, d.ID)
			}
			sockets[i%2].ack(d.ID, tc.payload)
			if err := w.wait(d); err != nil {
				t.Fatal(err)
			}
			var got string
			for _, m := range w.Messages(ana, ops)[n:] {
				got += m.Render()
			}
			if got != tc.want {
				t.Errorf("ack with %v shows %q, want %q", tc.payload, got, tc.want)
			}
		}
		// A second ack and one for nothing make no difference.
		r.ack("nothing", nil)
		synctest.Wait()
		// Slack drops an ack that is too long without a word.
		d := w.say(ana, "/th x")
		other.read()
		other.ack(d.ID, map[string]any{"text": strings.Repeat("x", mostAck)})
		if err := w.wait(d); err == nil {
			t.Error("an ack of more than 20 479 bytes was taken")
		}
		other.ack(d.ID, nil)
		synctest.Wait()
		if got := journaled(w.Server, "slack ack slash_commands"); !strings.Contains(got[len(got)-1], "too late") {
			t.Errorf("late ack noted as %q", got[len(got)-1])
		}
	})
}

// journaled returns the notes of a call.
func journaled(s *Server, call string) []string {
	var notes []string
	for _, e := range s.Journal() {
		if e.Call == call {
			notes = append(notes, e.Note)
		}
	}
	return notes
}
