package fakeslack

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"
)

func TestPresence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		expect := func(person, want string) {
			t.Helper()
			if p, err := w.api.GetUserPresence(person); err != nil || p.Presence != want {
				t.Errorf("%s is %+v, %v; want %s", person, p, err, want)
			}
		}
		expect(ana, "active")
		expect("U0GONE", "away")
		w.SetPresence(ana, false)
		expect(ana, "away")
		expect(bea, "active")
		w.SetPresence(ana, true)
		expect(ana, "active")
	})
}

// dnd_enabled says that there are quiet hours, not that they are now.
func TestQuietHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		expect := func(person string, on bool, from, until int64) {
			t.Helper()
			d, err := w.api.GetDNDInfo(&person)
			if err != nil || d.Enabled != on || int64(d.NextStartTimestamp) != from || int64(d.NextEndTimestamp) != until || d.SnoozeInfo != (slack.SnoozeInfo{}) {
				t.Errorf("%s: %+v, %v; want %v from %d until %d", person, d, err, on, from, until)
			}
		}
		now := time.Now()
		from, until := now.Add(time.Hour), now.Add(2*time.Hour)
		expect(ana, false, 1, 1)
		w.ScheduleDND(ana, from, until)
		w.SetPresence(ana, false) // is another thing
		for range 2 {             // before and during
			expect(ana, true, from.Unix(), until.Unix())
			later(time.Hour)
		}
		expect(ana, false, 1, 1)
		w.SetDND(bea, time.Now().Add(time.Minute))
		expect(bea, true, time.Now().Unix(), time.Now().Unix()+60)
		expect(ana, false, 1, 1)
		w.ScheduleDND(bea, time.Time{}, time.Time{})
		expect(bea, false, 1, 1)
	})
}

func TestReachingNeedsScopes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(s *Server) { s.BotScopes = []string{"chat:write"} })
		for method, scope := range map[string]string{"users.getPresence": "users:read", "dnd.info": "dnd:read"} {
			if a, _ := w.call(method, DefaultBotToken, "user", ana); code(a) != "missing_scope "+scope+" of chat:write" {
				t.Errorf("%s: %v", method, a)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.surprises = true
		for i, form := range [][]string{nil, {"user", BotUser}} {
			for j, method := range []string{"users.getPresence", "dnd.info"} {
				if a, _ := w.call(method, DefaultBotToken, form...); code(a) != "invalid_arguments" || len(w.Unexpected()) != 2*i+j+1 {
					t.Errorf("%s %q: %v, %q", method, form, a, w.Unexpected())
				}
			}
		}
	})
}

func TestDirectMessagesThatAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		write := func(channel, want string) {
			t.Helper()
			_, _, err := w.api.PostMessage(channel, slack.MsgOptionText("are you there?", false))
			if got := fmt.Sprint(err); got != want {
				t.Errorf("writing to %s: %s, want %s", channel, got, want)
			}
		}
		direct := w.DirectChannel(ana)
		w.RefuseDMs(ana, "restricted_action")
		for _, channel := range []string{ana, direct} {
			write(channel, "restricted_action")
		}
		write(bea, "<nil>")
		write(ops, "<nil>")
		if _, _, _, err := w.api.OpenConversation(&slack.OpenConversationParameters{Users: []string{ana}}); err != nil {
			t.Errorf("opening: %v", err)
		}
		if len(w.Messages(ana, direct)) != 0 {
			t.Error("it was said nevertheless")
		}
		w.RefuseDMs(ana, "")
		write(ana, "<nil>")

		// Who was deactivated meanwhile is written to, and nobody hears it.
		w.AddPerson(Person{ID: ana, Name: "ana", Deleted: true})
		write(direct, "<nil>")
		write(ana, "<nil>")
		if _, _, _, err := w.api.OpenConversation(&slack.OpenConversationParameters{Users: []string{ana}}); fmt.Sprint(err) != "user_disabled" {
			t.Errorf("opening: %v", err)
		}
		write("U0GONE", "channel_not_found")
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(s *Server) { s.NoMessages = true })
		if _, _, err := w.api.PostMessage(ana, slack.MsgOptionText("x", false)); fmt.Sprint(err) != "messages_tab_disabled" {
			t.Errorf("with no tab for it: %v", err)
		}
		if _, _, err := w.api.PostMessage(ops, slack.MsgOptionText("x", false)); err != nil {
			t.Errorf("in the channel: %v", err)
		}
		for _, err := range []error{second(w.DM(ana, "hello")), second(w.DM(ana, "/th status")), second(w.OpenHome(ana, "messages"))} {
			if err == nil {
				t.Error("ana used a tab that is not there")
			}
		}
	})
}

func TestTopicAsTyped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(s *Server) { s.Subscribed = []string{"message.channels"} })
		topic := func() string {
			t.Helper()
			c, err := w.api.GetConversationInfo(&slack.GetConversationInfoInput{ChannelID: ops})
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf("%s by %s at %d", c.Topic.Value, c.Topic.Creator, c.Topic.LastSet)
		}
		if got := topic(); got != "contact: <@U0BEA> by  at 0" {
			t.Errorf("at first: %s", got)
		}
		later(time.Hour)
		const value = "Main contact: <@U0ANA>, <!subteam^S0ADMINS|@th-admins>, @nobody | R&amp;D &lt;3"
		if err := w.wait(w.say(bea, "/topic Main contact: @ana, @th-admins, @nobody | R&D <3")); err != nil {
			t.Fatal(err)
		}
		if got, want := topic(), fmt.Sprintf("%s by U0BEA at %d", value, time.Now().Unix()); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
		if m := w.last(ana); m.Subtype != "channel_topic" || m.User != bea || m.Text != "set the channel topic: "+value {
			t.Errorf("told %+v", m)
		}
		if e := w.Events(); len(e) != 1 || !strings.Contains(string(e[0].Payload), `"topic":"Main contact: \u003c@U0ANA\u003e`) {
			t.Errorf("the app is told %+v", e)
		}
		for _, err := range []error{
			second(w.Say(guest, ops, "/topic x")), second(w.Say(bea, secret, "/topic x")), second(w.DM(ana, "/topic x")),
			second(w.Say(ana, ops, "/topic "+strings.Repeat("x", 251))), w.SetTopic(ana, w.DirectChannel(ana), "x"),
		} {
			if err == nil {
				t.Error("a topic was set that cannot be")
			}
		}
		d, err := w.Reply(ana, ops, w.last(ana).TS, "/topic x")
		if err != nil {
			t.Fatal(err)
		}
		var failed *NotAcked
		if err := w.wait(d); !errors.As(err, &failed) {
			t.Errorf("in a thread: %v", err)
		}
		if err := w.SetTopic(ana, ops, ""); err != nil {
			t.Fatal(err)
		}
		if got, want := topic(), fmt.Sprintf(" by U0ANA at %d", time.Now().Unix()); got != want || w.last(bea).Text != "cleared channel topic" {
			t.Errorf("cleared: %s, told %+v", got, w.last(bea))
		}
	})
}
