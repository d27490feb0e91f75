package fakeslack

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/slack-go/slack"
)

// Every row that is there works, through slack-go, and every method is a row.
func TestCoverage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(s *Server) { s.Subscribed = []string{"app_mention"} })
		w.app(acks)
		var ts, bookmark string
		var command *Delivery
		item := func() slack.ItemRef { return slack.NewRefToMessage(ops, ts) }
		calls := map[string]func() error{
			"slack apps.connections.open": nil, // w.app did
			"slack hello":                 nil,
			"slack auth.test":             func() error { _, err := w.api.AuthTest(); return err },
			"slack chat.postMessage": func() (err error) {
				_, ts, err = w.api.PostMessage(ops, slack.MsgOptionText("x", false), blocks(t, question))
				return err
			},
			"slack chat.update": func() error {
				_, _, _, err := w.api.UpdateMessage(ops, ts, slack.MsgOptionText("y", false), blocks(t, question))
				return err
			},
			"slack chat.postEphemeral": func() error { _, err := w.api.PostEphemeral(ops, ana, slack.MsgOptionText("x", false)); return err },
			"slack conversations.info": func() error {
				_, err := w.api.GetConversationInfo(&slack.GetConversationInfoInput{ChannelID: ops})
				return err
			},
			"slack conversations.history": func() error {
				_, err := w.api.GetConversationHistory(&slack.GetConversationHistoryParameters{ChannelID: ops})
				return err
			},
			"slack conversations.list": func() error { _, _, err := w.api.GetConversations(&slack.GetConversationsParameters{}); return err },
			"slack chat.getPermalink": func() error {
				_, err := w.api.GetPermalink(&slack.PermalinkParameters{Channel: ops, Ts: ts})
				return err
			},
			"slack chat.delete": func() error { _, _, err := w.api.DeleteMessage(ops, ts); return err },
			"slack blocks.validate": func() error { // slack-go does not have it
				if a, _ := w.call("blocks.validate", DefaultBotToken, "blocks", question); a["ok"] != true {
					return errors.New(code(a))
				}
				return nil
			},
			"slack conversations.replies": func() error {
				_, _, _, err := w.api.GetConversationReplies(&slack.GetConversationRepliesParameters{ChannelID: ops, Timestamp: ts})
				return err
			},
			"slack conversations.members": func() error {
				_, _, err := w.api.GetUsersInConversation(&slack.GetUsersInConversationParameters{ChannelID: ops})
				return err
			},
			"slack conversations.open": func() error {
				_, _, _, err := w.api.OpenConversation(&slack.OpenConversationParameters{Users: []string{ana}, ReturnIM: true})
				return err
			},
			"slack conversations.join":     func() error { _, _, _, err := w.api.JoinConversation(abroad); return err },
			"slack conversations.setTopic": func() error { _, err := w.api.SetTopicOfConversation(ops, "x"); return err },
			"slack users.list":             func() error { _, err := w.api.GetUsers(); return err },
			"slack users.lookupByEmail":    func() error { _, err := w.api.GetUserByEmail("ana@example.org"); return err },
			"slack users.getPresence":      func() error { _, err := w.api.GetUserPresence(ana); return err },
			"slack dnd.info":               func() error { who := ana; _, err := w.api.GetDNDInfo(&who); return err },
			"slack reactions.add":          func() error { return w.api.AddReaction("eyes", item()) },
			"slack reactions.remove":       func() error { return w.api.RemoveReaction("eyes", item()) },
			"slack pins.add":               func() error { return w.api.AddPin(ops, item()) },
			"slack pins.list":              func() error { _, _, err := w.api.ListPins(ops); return err },
			"slack pins.remove":            func() error { return w.api.RemovePin(ops, item()) },
			"slack bookmarks.add": func() error {
				b, err := w.api.AddBookmark(ops, slack.AddBookmarkParameters{Title: "x", Type: "link", Link: "https://x.test"})
				bookmark = b.ID
				return err
			},
			"slack bookmarks.edit": func() error {
				title := "y"
				_, err := w.api.EditBookmark(ops, bookmark, slack.EditBookmarkParameters{Title: &title})
				return err
			},
			"slack bookmarks.list":   func() error { _, err := w.api.ListBookmarks(ops); return err },
			"slack bookmarks.remove": func() error { return w.api.RemoveBookmark(ops, bookmark) },
			"slack views.open":       func() error { _, err := w.api.OpenView(command.TriggerID, modal(t, form)); return err },
			"slack views.push": func() error {
				d, err := w.PressIn(ana, w.View(ana)[0].ID, "more", "")
				if err != nil {
					return err
				}
				_, err = w.api.PushView(d.TriggerID, modal(t, form))
				return err
			},
			"slack views.update": func() error {
				_, err := w.api.UpdateView(modal(t, form), "", "", w.View(ana)[1].ID)
				return err
			},
			"slack views.publish": func() error {
				_, err := w.api.PublishView(ana, slack.HomeTabViewRequest{Type: slack.VTHomeTab,
					Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewDividerBlock()}}}, "")
				return err
			},
			"slack envelope events_api": func() error {
				_, err := w.Say(ana, ops, "@"+BotName)
				return err
			},
			"slack ack events_api":          nil,
			"slack users.info":              func() error { _, err := w.api.GetUserInfo(ana); return err },
			"slack usergroups.list":         func() error { _, err := w.api.GetUserGroups(); return err },
			"slack usergroups.users.list":   func() error { _, err := w.api.GetUserGroupMembers("S0ADMINS"); return err },
			"slack envelope slash_commands": func() error { command = w.say(ana, "/th x"); return w.wait(command) },
			"slack ack slash_commands":      nil, // slack-go acked
			"slack response_url": func() error {
				_, _, err := w.api.PostMessage("", slack.MsgOptionResponseURL(command.ResponseURL, "ephemeral"), slack.MsgOptionText("x", false))
				return err
			},
			"slack envelope interactive": func() error {
				d, err := w.Press(ana, ops, ts, "promote", "01J")
				if err != nil {
					return err
				}
				return w.wait(d)
			},
			"slack ack interactive": nil,
			"slack disconnect":      func() error { w.DropSockets(RefreshRequested); return nil },
		}
		var rows []string
		for _, row := range Coverage() {
			rows = append(rows, row.Call)
			call, there := calls[row.Call]
			name, isMethod := strings.CutPrefix(row.Call, "slack ")
			if _, routed := methods[name]; there != (row.Support != No) || isMethod && strings.Contains(name, ".") && routed != there {
				t.Errorf("%s: the table says %s, tested %v, routed %v", row.Call, row.Support, there, routed)
			}
			if call != nil {
				if err := call(); err != nil {
					t.Errorf("%s: %v", row.Call, err)
				}
			}
			synctest.Wait()
			if there && journaled(w.Server, row.Call) == nil {
				t.Errorf("%s never happened", row.Call)
			}
		}
		for name := range methods {
			if !slices.Contains(rows, "slack "+name) {
				t.Errorf("%s is not in the table", name)
			}
		}
	})
}
