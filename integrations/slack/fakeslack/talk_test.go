package fakeslack

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

func TestDirectMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		names := make(chan string, 1)
		w.app(func(c *socketmode.Client, e socketmode.Event) {
			if v, ok := e.Data.(slack.SlashCommand); ok {
				names <- v.ChannelName + " " + v.ChannelID
			}
			acks(c, e)
		})
		opened, noOp, there, err := w.api.OpenConversation(&slack.OpenConversationParameters{Users: []string{ana}})
		if err != nil || noOp || there || !strings.HasPrefix(opened.ID, "D") {
			t.Fatalf("opened %+v, %v, %v, %v", opened, noOp, there, err)
		}
		if _, noOp, there, err := w.api.OpenConversation(&slack.OpenConversationParameters{Users: []string{ana}}); err != nil || !noOp || !there {
			t.Errorf("opened again: %v, %v, %v", noOp, there, err)
		}
		in, _, err := w.api.PostMessage(ana, slack.MsgOptionText("hello", false))
		if err != nil || in != opened.ID || in != w.DirectChannel(ana) {
			t.Errorf("posted to %s, want %s: %v", in, opened.ID, err)
		}
		if _, err := w.DM(ana, "hello yourself"); err != nil {
			t.Fatal(err)
		}
		var got string
		for _, m := range w.Messages(ana, in) {
			got += m.Render()
		}
		if want := "th: hello\nana: hello yourself\n"; got != want || w.Messages(bea, in) != nil {
			t.Errorf("said %q, and bea sees %v", got, w.Messages(bea, in))
		}
		if _, err := w.Say(bea, in, "who is there?"); err == nil {
			t.Error("bea spoke in ana's direct messages")
		}
		if _, err := w.DM(ana, "/th x"); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, names); got != "directmessage "+in {
			t.Errorf("a command from %s", got)
		}
		c, err := w.api.GetConversationInfo(&slack.GetConversationInfoInput{ChannelID: in})
		if err != nil || !c.IsIM || c.User != ana {
			t.Errorf("info %+v, %v", c, err)
		}
		list, _, err := w.api.GetConversations(&slack.GetConversationsParameters{Types: []string{"im"}})
		if err != nil || len(list) != 1 || list[0].ID != in {
			t.Errorf("list %+v, %v", list, err)
		}
		if h, err := w.api.GetConversationHistory(&slack.GetConversationHistoryParameters{ChannelID: in}); err != nil || len(h.Messages) != 2 {
			t.Errorf("history %+v, %v", h, err)
		}
		if w.DirectChannel(BotUser) != "" {
			t.Error("the app writes to itself")
		}
	})
}

func TestThreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		_, root, err := w.api.PostMessage(ops, slack.MsgOptionText("root", false))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Reply(ana, ops, root, "one"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.api.PostMessage(ops, slack.MsgOptionText("two", false), slack.MsgOptionTS(root), slack.MsgOptionBroadcast()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Reply(ana, ops, "1.000000", "lost"); err == nil {
			t.Error("replied to nothing")
		}
		d, err := w.Reply(ana, ops, root, "/th x")
		var not *NotAcked
		if err != nil || !errors.As(w.wait(d), &not) || not.Text != "/th is not supported in threads. Sorry!" {
			t.Errorf("a command in a thread: %v, %v", err, not)
		}
		threads := w.Threads(bea, ops)
		var got []string
		for _, m := range threads[0] {
			got = append(got, fmt.Sprint(m.Text, m.Replies, m.Broadcast))
		}
		if diff := cmp.Diff([]string{"root2 false", "one0 false", "two0 true"}, got); diff != "" || len(threads) != 1 {
			t.Error(diff)
		}
		if w.Threads(ana, "C404") != nil || w.Threads(bea, secret) != nil {
			t.Error("threads of a channel that is not seen")
		}
		h, err := w.api.GetConversationHistory(&slack.GetConversationHistoryParameters{ChannelID: ops})
		if err != nil || len(h.Messages) != 2 || h.Messages[0].SubType != "thread_broadcast" {
			t.Fatalf("history %+v, %v", h, err)
		}
		if m := h.Messages[1]; m.ReplyCount != 2 || m.LatestReply != threads[0][2].TS || m.ThreadTimestamp != root || cmp.Diff([]string{ana, BotUser}, m.ReplyUsers) != "" {
			t.Errorf("root %+v", m)
		}
		for _, tc := range []struct {
			p    slack.GetConversationRepliesParameters
			want string
		}{
			{slack.GetConversationRepliesParameters{Timestamp: root}, "root one two"},
			{slack.GetConversationRepliesParameters{Timestamp: threads[0][1].TS}, "root one two"},
			{slack.GetConversationRepliesParameters{Timestamp: root, Limit: 2}, "root one|two"},
			{slack.GetConversationRepliesParameters{Timestamp: root, Oldest: threads[0][1].TS}, "root two"},
			{slack.GetConversationRepliesParameters{Timestamp: root, Latest: threads[0][1].TS, Inclusive: true}, "root one"},
		} {
			tc.p.ChannelID = ops
			var pages []string
			for {
				found, more, next, err := w.api.GetConversationReplies(&tc.p)
				if err != nil {
					t.Fatal(err)
				}
				var texts []string
				for _, m := range found {
					texts = append(texts, m.Text)
				}
				pages = append(pages, strings.Join(texts, " "))
				if tc.p.Cursor = next; !more {
					break
				}
			}
			if got := strings.Join(pages, "|"); got != tc.want {
				t.Errorf("%+v: %q, want %q", tc.p, got, tc.want)
			}
		}
		link, err := w.api.GetPermalink(&slack.PermalinkParameters{Channel: ops, Ts: threads[0][1].TS})
		if want := "https://fake.slack.com/archives/C0OPS/p" + strings.Replace(threads[0][1].TS, ".", "", 1) + "?thread_ts=" + root + "&cid=C0OPS"; err != nil || link != want {
			t.Errorf("link %s, want %s: %v", link, want, err)
		}
		if _, _, err := w.api.DeleteMessage(ops, threads[0][2].TS); err != nil || len(w.Threads(ana, ops)[0]) != 2 {
			t.Errorf("deleted, and still there: %v", err)
		}
	})
}

func TestChannels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if _, err := w.api.SetTopicOfConversation(ops, "contact: <@U0ANA>"); err != nil {
			t.Fatal(err)
		}
		c, err := w.api.GetConversationInfo(&slack.GetConversationInfoInput{ChannelID: ops})
		if err != nil || c.Topic.Value != "contact: <@U0ANA>" || c.Topic.Creator != BotUser || c.Topic.LastSet == 0 {
			t.Errorf("topic %+v, %v", c.Topic, err)
		}
		if m := w.last(bea); m.Subtype != "channel_topic" || m.Text != "set the channel topic: contact: <@U0ANA>" {
			t.Errorf("told %+v", m)
		}
		for _, tc := range []struct{ person, channel, topic string }{{guest, ops, "x"}, {bea, secret, "x"}, {ana, ops, strings.Repeat("x", 251)}} {
			if w.SetTopic(tc.person, tc.channel, tc.topic) == nil {
				t.Errorf("set by %+v", tc)
			}
		}
		for i, want := range []string{"", "already_in_channel"} {
			if _, warning, _, err := w.api.JoinConversation(abroad); err != nil || warning != want {
				t.Errorf("join %d: %q, %v", i, warning, err)
			}
		}
		if _, _, err := w.api.PostMessage(abroad, slack.MsgOptionText("here", false)); err != nil {
			t.Errorf("after joining: %v", err)
		}
		var members []string
		p := slack.GetUsersInConversationParameters{ChannelID: ops, Limit: 2}
		for {
			page, next, err := w.api.GetUsersInConversation(&p)
			if err != nil {
				t.Fatal(err)
			}
			members = append(members, strings.Join(page, " "))
			if p.Cursor = next; next == "" {
				break
			}
		}
		if diff := cmp.Diff([]string{"U0ANA U0BEA", "U0GUEST U0TH", "U0GONE"}, members); diff != "" {
			t.Error(diff)
		}
		_, ts, err := w.api.PostMessage(ops, slack.MsgOptionText("x", false))
		if err != nil {
			t.Fatal(err)
		}
		item := slack.NewRefToMessage(ops, ts)
		steps := []error{w.api.AddReaction("eyes", item), w.React(bea, ops, ts, "eyes"), w.api.AddPin(ops, item)}
		if err := errors.Join(steps...); err != nil {
			t.Fatal(err)
		}
		if m := w.last(ana); !m.Pinned || cmp.Diff([]string{"eyes"}, m.Reactions) != "" {
			t.Errorf("marked %+v", m)
		}
		for want, err := range map[string]error{"already_reacted": w.api.AddReaction("eyes", item), "already_pinned": w.api.AddPin(ops, item)} {
			if err == nil || err.Error() != want {
				t.Errorf("again: %v, want %s", err, want)
			}
		}
		h, err := w.api.GetConversationHistory(&slack.GetConversationHistoryParameters{ChannelID: ops, Limit: 1})
		if err != nil || len(h.Messages[0].Reactions) != 1 || h.Messages[0].Reactions[0].Count != 2 || len(h.Messages[0].PinnedTo) != 1 {
			t.Errorf("history %+v, %v", h, err)
		}
		if _, err := w.api.AddBookmark(ops, slack.AddBookmarkParameters{Title: "Status", Type: "link", Link: "https://x.test"}); err != nil {
			t.Fatal(err)
		}
		if b := w.Bookmarks(ops); len(b) != 1 || b[0].Title != "Status" || w.Bookmarks("C404") != nil {
			t.Errorf("bookmarks %+v", b)
		}
		for want, err := range map[string]bool{"nobody": w.React(ana, ops, "1.000000", "eyes") == nil, "stranger": w.React(bea, secret, ts, "eyes") == nil} {
			if err {
				t.Errorf("%s reacted", want)
			}
		}
	})
}

func TestPeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.AddPerson(Person{ID: "U0BOSS", Name: "boss", Owner: true, Email: "boss@example.org"})
		users, err := w.api.GetUsers(slack.GetUsersOptionLimit(3))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, u := range users {
			got = append(got, fmt.Sprintf("%s %v %v %v", u.Name, u.IsBot, u.Deleted, u.IsOwner))
		}
		want := []string{"ana false false false", "bea false false false", "boss false false true",
			"gone false true false", "th true false false", "slackbot true false false"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff) // those of other workspaces are not in it
		}
		if u, err := w.api.GetUserByEmail("boss@example.org"); err != nil || u.ID != "U0BOSS" || !u.IsAdmin {
			t.Errorf("by e-mail: %+v, %v", u, err)
		}
	})
}

func TestShortcuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(t, func(s *Server) { s.Shortcuts, s.MessageShortcuts = []string{"promote"}, []string{"explain"} })
		d, err := s.Shortcut(ana, "promote")
		if err != nil || s.wait(d) != nil {
			t.Fatal(err)
		}
		if got := receive(t, s.got); got.Type != slack.InteractionTypeShortcut || got.CallbackID != "promote" || got.ResponseURL != "" || got.User.ID != ana {
			t.Errorf("global: %+v", got)
		}
		if _, err := s.api.OpenView(d.TriggerID, modal(t, form)); err != nil {
			t.Error(err)
		}
		s.say(bea, "what is this?")
		ts := s.last(ana).TS
		if d, err = s.MessageShortcut(ana, ops, ts, "explain"); err != nil || s.wait(d) != nil {
			t.Fatal(err)
		}
		if got := receive(t, s.got); got.Type != slack.InteractionTypeMessageAction || got.Message.Text != "what is this?" || got.ResponseURL != d.ResponseURL {
			t.Errorf("of a message: %+v", got)
		}
		if _, _, err := s.api.PostMessage("", slack.MsgOptionResponseURL(d.ResponseURL, "ephemeral"), slack.MsgOptionText("that", false)); err != nil {
			t.Error(err)
		}
		for _, err := range []error{
			second(s.Shortcut(ana, "explain")), second(s.Shortcut("U0GONE", "promote")),
			second(s.MessageShortcut(ana, ops, ts, "promote")), second(s.MessageShortcut(ana, ops, "1.000000", "explain")),
			second(s.MessageShortcut(bea, secret, ts, "explain")),
		} {
			if err == nil {
				t.Error("a shortcut that is not there was started")
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

// With Tiers calls are limited as Slack documents it.
func TestTiers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(s *Server) { s.Tiers = true })
		for _, tc := range []struct {
			do   func() error
			most int
			wait time.Duration
		}{
			{func() error { return second(w.api.GetUserGroups()) }, 20, time.Minute},
			{func() error {
				return second(w.api.GetConversationInfo(&slack.GetConversationInfoInput{ChannelID: ops}))
			}, 50, time.Minute},
			{func() error { return second(w.api.GetUserInfo(ana)) }, 100, time.Minute},
			{func() error {
				_, _, err := w.api.PostMessage(ops, slack.MsgOptionText("x", false))
				return err
			}, 1, time.Second},
		} {
			for range tc.most {
				if err := tc.do(); err != nil {
					t.Fatal(err)
				}
			}
			var limited *slack.RateLimitedError
			if err := tc.do(); !errors.As(err, &limited) || limited.RetryAfter != tc.wait {
				t.Errorf("call %d: %v, want to wait %v", tc.most+1, err, tc.wait)
			}
			later(tc.wait)
			if err := tc.do(); err != nil {
				t.Errorf("after %v: %v", tc.wait, err)
			}
		}
		for _, in := range []string{secret, ana} { // each channel has its own second
			if _, _, err := w.api.PostMessage(in, slack.MsgOptionText("x", false)); err != nil {
				t.Error(err)
			}
		}
		for range 200 {
			if _, err := w.api.AuthTest(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestRefuseAndLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(s *Server) { s.Life, s.Ping = time.Hour, -1 })
		w.Refuse("auth.test", 1, "account_inactive")
		if _, err := w.api.AuthTest(); err == nil || err.Error() != "account_inactive" {
			t.Errorf("refused: %v", err)
		}
		if _, err := w.api.AuthTest(); err != nil {
			t.Error(err)
		}
		for query, want := range map[string]time.Duration{"": time.Hour, "&debug_reconnects=true": 6 * time.Minute} {
			_, url, err := w.api.StartSocketModeContext(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			d := websocket.Dialer{NetDialContext: w.pipes.dial}
			conn, _, err := d.Dial(url+query, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			r := rawSocket{w, conn}
			if hello := r.read(); hello["debug_info"].(map[string]any)["approximate_connection_time"] != want.Seconds() {
				t.Errorf("%q: %v", query, hello)
			}
			if f := r.read(); f["reason"] != RefreshRequested || time.Since(began) != want {
				t.Errorf("%q: %v after %v", query, f, time.Since(began))
			}
		}
	})
}
