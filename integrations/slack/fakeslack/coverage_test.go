package fakeslack

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/slack-go/slack"
)

// Every row that is there works, through slack-go, and every method is a row.
func TestCoverage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.app(acks)
		var ts string
		var command *Delivery
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
			"slack conversations.list":      func() error { _, _, err := w.api.GetConversations(&slack.GetConversationsParameters{}); return err },
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
