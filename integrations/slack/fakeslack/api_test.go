package fakeslack

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
)

// call posts a form to a method and returns the answer.
func (w *world) call(method, token string, form ...string) (map[string]any, http.Header) {
	w.t.Helper()
	v := url.Values{"token": {token}}
	for i := 0; i < len(form); i += 2 {
		v.Set(form[i], form[i+1])
	}
	return w.do("/api/"+method, "application/x-www-form-urlencoded", v.Encode(), "")
}

// do posts a body and returns the answer.
func (w *world) do(path, kind, body, bearer string) (map[string]any, http.Header) {
	w.t.Helper()
	req, err := http.NewRequest("POST", "http://slack.test"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := w.web.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	answer := map[string]any{"status": float64(resp.StatusCode), "body": string(text)}
	_ = json.Unmarshal(text, &answer) // "ok" of a response_url is none
	return answer, resp.Header
}

// code is the error of an answer, with what it says of scopes.
func code(answer map[string]any) string {
	c, _ := answer["error"].(string)
	if n, ok := answer["needed"].(string); ok {
		c += " " + n + " of " + answer["provided"].(string)
	}
	return c
}

func TestErrors(t *testing.T) {
	long := strings.Repeat("x", 4001)
	for _, tc := range []struct {
		method string
		form   []string
		want   string
	}{
		{"chat.postMessage", []string{"text", "x"}, "invalid_arguments"},
		{"chat.postMessage", []string{"channel", "C404", "text", "x"}, "channel_not_found"},
		{"chat.postMessage", []string{"channel", "C0HIDDEN", "text", "x"}, "channel_not_found"},
		{"chat.postMessage", []string{"channel", abroad, "text", "x"}, "not_in_channel"},
		{"chat.postMessage", []string{"channel", "C0OLD", "text", "x"}, "is_archived"},
		{"chat.postMessage", []string{"channel", ops}, "no_text"},
		{"chat.postMessage", []string{"channel", ops, "blocks", "[]"}, "no_text"},
		{"chat.postMessage", []string{"channel", ops, "blocks", "nonsense"}, "invalid_blocks_format"},
		{"chat.postMessage", []string{"channel", ops, "blocks", `[1]`}, "invalid_blocks_format"},
		{"chat.postMessage", []string{"channel", ops, "text", "x", "metadata", "nonsense"}, "invalid_metadata_format"},
		{"chat.postMessage", []string{"channel", ops, "text", "x", "metadata", `{"event_type":"x"}`}, "invalid_metadata_schema"},
		{"chat.postMessage", []string{"channel", ops, "text", "x", "thread_ts", "yesterday"}, "invalid_thread_ts"},
		{"chat.postMessage", []string{"channel", "treeherder-ops", "text", "by name"}, ""},
		{"chat.postMessage", []string{"channel", "#treeherder-ops", "text", long}, ""},
		{"chat.update", []string{"channel", ops}, "invalid_arguments"},
		{"chat.update", []string{"channel", "treeherder-ops", "ts", "1.000000", "text", "x"}, "channel_not_found"},
		{"chat.update", []string{"channel", ops, "ts", "1.000000", "text", "x"}, "message_not_found"},
		{"chat.update", []string{"channel", ops, "ts", "MINE", "text", long}, "msg_too_long"},
		{"chat.update", []string{"channel", ops, "ts", "MINE"}, "no_text"},
		{"chat.update", []string{"channel", ops, "ts", "HERS", "text", "x"}, "cant_update_message"},
		{"chat.update", []string{"channel", ops, "ts", "EPHEMERAL", "text", "x"}, "message_not_found"},
		{"chat.postEphemeral", []string{"channel", ops, "text", "x"}, "invalid_arguments"},
		{"chat.postEphemeral", []string{"channel", ops, "user", "U404", "text", "x"}, "user_not_in_channel"},
		{"chat.postEphemeral", []string{"channel", ops, "user", ana}, "no_text"},
		{"conversations.info", []string{"channel", "C404"}, "channel_not_found"},
		{"conversations.info", []string{"channel", "C0HIDDEN"}, "channel_not_found"},
		{"conversations.history", []string{"channel", abroad}, "not_in_channel"},
		{"conversations.history", []string{"channel", ops, "latest", "x"}, "invalid_ts_latest"},
		{"conversations.history", []string{"channel", ops, "oldest", "x"}, "invalid_ts_oldest"},
		{"conversations.history", []string{"channel", ops, "limit", "1000"}, "invalid_limit"},
		{"conversations.history", []string{"channel", ops, "cursor", "x"}, "invalid_cursor"},
		{"conversations.list", []string{"types", "channels"}, "invalid_types"},
		{"conversations.list", []string{"limit", "many"}, "invalid_limit"},
		{"conversations.list", []string{"cursor", "x"}, "invalid_cursor"},
		{"conversations.list", []string{"types", "mpim"}, "missing_scope mpim:read of " + strings.Join((&Server{}).botScopes(), ",")},
		{"users.info", []string{"user", "U404"}, "user_not_found"},
		{"users.info", nil, "invalid_arguments"},
		{"users.list", []string{"limit", "many"}, "invalid_limit"},
		{"users.list", []string{"cursor", "x"}, "invalid_cursor"},
		{"users.lookupByEmail", []string{"email", "nobody@example.org"}, "users_not_found"},
		{"users.getPresence", []string{"user", "U404"}, "user_not_found"},
		{"users.getPresence", []string{"user", "U0STRANGER"}, "user_not_visible"},
		{"users.getPresence", []string{"user", guest}, ""},
		{"dnd.info", []string{"user", "U404"}, "user_not_found"},
		{"dnd.info", []string{"user", "U0STRANGER"}, "user_not_visible"},
		{"chat.postMessage", []string{"channel", ana, "text", "x"}, ""},
		{"chat.postMessage", []string{"channel", "U0GONE", "text", "x"}, "channel_not_found"},
		{"chat.postMessage", []string{"channel", BotUser, "text", "x"}, "channel_not_found"},
		{"chat.postMessage", []string{"channel", ops, "text", "x", "markdown_text", "y"}, "markdown_text_conflict"},
		{"chat.postMessage", []string{"channel", ops, "markdown_text", strings.Repeat(long, 3)}, "msg_too_long"},
		{"chat.delete", []string{"channel", ops, "ts", "HERS"}, "cant_delete_message"},
		{"chat.delete", []string{"channel", ops, "ts", "1.000000"}, "message_not_found"},
		{"chat.delete", []string{"channel", ops, "ts", "EPHEMERAL"}, "message_not_found"},
		{"chat.delete", []string{"channel", "C404", "ts", "MINE"}, "channel_not_found"},
		{"chat.getPermalink", []string{"channel", ops, "message_ts", "1.000000"}, "message_not_found"},
		{"chat.getPermalink", []string{"channel", "C404", "message_ts", "MINE"}, "channel_not_found"},
		{"conversations.open", nil, "users_list_not_supplied"},
		{"conversations.open", []string{"users", "U404"}, "user_not_found"},
		{"conversations.open", []string{"users", "U0GONE"}, "user_disabled"},
		{"conversations.open", []string{"users", BotUser}, "cannot_dm_bot"},
		{"conversations.open", []string{"users", "U0STRANGER"}, "user_not_visible"},
		{"conversations.open", []string{"users", guest}, ""},
		{"conversations.open", []string{"users", "1,2,3,4,5,6,7,8,9"}, "too_many_users"},
		{"conversations.open", []string{"channel", ops}, "method_not_supported_for_channel_type"},
		{"conversations.open", []string{"channel", "D404"}, "channel_not_found"},
		{"conversations.join", []string{"channel", secret}, "method_not_supported_for_channel_type"},
		{"conversations.join", []string{"channel", "C0HIDDEN"}, "channel_not_found"},
		{"conversations.join", []string{"channel", "C0OLD"}, "is_archived"},
		{"conversations.members", []string{"channel", "C404"}, "channel_not_found"},
		{"conversations.members", []string{"channel", ops, "cursor", "x"}, "invalid_cursor"},
		{"conversations.members", []string{"channel", ops, "limit", "x"}, "invalid_limit"},
		{"conversations.setTopic", []string{"channel", ops}, "invalid_arguments"},
		{"conversations.setTopic", []string{"channel", abroad, "topic", "x"}, "not_in_channel"},
		{"conversations.setTopic", []string{"channel", "C0OLD", "topic", "x"}, "is_archived"},
		{"conversations.setTopic", []string{"channel", ops, "topic", long[:251]}, "too_long"},
		{"conversations.setTopic", []string{"channel", ana, "topic", "x"}, "method_not_supported_for_channel_type"},
		{"conversations.replies", []string{"channel", ops, "ts", "1.000000"}, "thread_not_found"},
		{"conversations.replies", []string{"channel", abroad, "ts", "1.000000"}, "not_in_channel"},
		{"conversations.replies", []string{"channel", ops, "ts", "MINE", "limit", "0"}, "invalid_limit"},
		{"conversations.replies", []string{"channel", ops, "ts", "MINE", "cursor", "x"}, "invalid_cursor"},
		{"conversations.replies", []string{"channel", ops, "ts", "MINE", "oldest", "x"}, "invalid_ts_oldest"},
		{"conversations.replies", []string{"channel", ops, "ts", "MINE", "latest", "x"}, "invalid_ts_latest"},
		{"reactions.add", []string{"channel", ops, "timestamp", "MINE", "name", "No Name"}, "invalid_name"},
		{"reactions.add", []string{"channel", ops, "timestamp", "x", "name", "eyes"}, "bad_timestamp"},
		{"reactions.add", []string{"channel", ops, "timestamp", "1.000000", "name", "eyes"}, "message_not_found"},
		{"reactions.remove", []string{"channel", ops, "timestamp", "MINE", "name", "eyes"}, "no_reaction"},
		{"pins.remove", []string{"channel", ops, "timestamp", "MINE"}, "not_pinned"},
		{"pins.add", []string{"channel", abroad, "timestamp", "1.000000"}, "message_not_found"},
		{"pins.list", []string{"channel", "C404"}, "channel_not_found"},
		{"bookmarks.add", []string{"channel_id", ops, "title", "x"}, "invalid_arguments"},
		{"bookmarks.add", []string{"channel_id", ops, "title", "x", "type", "link", "link", "nowhere"}, "invalid_link"},
		{"bookmarks.add", []string{"channel_id", ops, "title", "x", "type", "folder", "link", "https://x.test"}, "invalid_bookmark_type"},
		{"bookmarks.edit", []string{"channel_id", ops, "bookmark_id", "Bk404"}, "not_found"},
		{"bookmarks.remove", []string{"channel_id", ops, "bookmark_id", "Bk404"}, "not_found"},
		{"bookmarks.list", []string{"channel_id", abroad}, "not_in_channel"},
		{"usergroups.users.list", []string{"usergroup", "S404"}, "no_such_subteam"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			_, mine, _ := w.api.PostMessage(ops, slack.MsgOptionText("mine", false))
			only, _ := w.api.PostEphemeral(ops, ana, slack.MsgOptionText("only", false))
			w.say(ana, "hers")
			hers := w.last(ana).TS
			for i, v := range tc.form {
				tc.form[i] = strings.NewReplacer("MINE", mine, "HERS", hers, "EPHEMERAL", only).Replace(v)
			}
			before := len(w.Messages(ana, ops))
			answer, _ := w.call(tc.method, DefaultBotToken, tc.form...)
			if got := code(answer); got != tc.want || answer["ok"] != (tc.want == "") || answer["status"] != 200.0 {
				t.Errorf("%s %q = %v, want error %q", tc.method, tc.form, answer, tc.want)
			}
			if tc.want != "" && len(w.Messages(ana, ops)) != before {
				t.Error("it was posted nevertheless")
			}
		})
	}
}

// What no client of ours should do is refused and remembered.
func TestSurprises(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.surprises = true
		expect := func(what, want, got string, remembered int) {
			t.Helper()
			if got != want {
				t.Errorf("%s: error %q, want %q", what, got, want)
			}
			if n := len(w.Unexpected()); n != remembered {
				t.Errorf("%s: %d are remembered, want %d: %q", what, n, remembered, w.Unexpected())
			}
		}
		answer, _ := w.call("chat.dance", DefaultBotToken)
		expect("unknown method", "unknown_method", code(answer), 1)
		answer, _ = w.call("auth.test", DefaultBotToken, "polite", "yes")
		expect("unknown argument", "", code(answer), 2)
		answer, _ = w.do("/api/auth.test", "application/json", "{", DefaultBotToken)
		expect("half JSON", "invalid_json", code(answer), 3)
		answer, _ = w.do("/api/auth.test", "text/xml", "<x/>", DefaultBotToken)
		expect("XML", "invalid_post_type", code(answer), 4)
		answer, _ = w.do("/api/auth.test", "", "x", DefaultBotToken)
		expect("no type", "missing_post_type", code(answer), 5)
		answer, _ = w.do("/api/auth.test", "application/x-www-form-urlencoded", "%zz", DefaultBotToken)
		expect("bad form", "invalid_form_data", code(answer), 6)
		answer, _ = w.call("conversations.open", DefaultBotToken, "users", ana+","+bea)
		expect("group direct message", "missing_scope mpim:write of "+strings.Join(w.botScopes(), ","), code(answer), 7)
		answer, _ = w.call("chat.postMessage", DefaultBotToken, "channel", ops, "blocks", `[{"type":"video"}]`)
		expect("unknown block", "invalid_blocks", code(answer), 8)
		answer, _ = w.call("chat.postMessage", DefaultBotToken, "channel", ops, "text", "x", "thread_ts", "1.000000")
		expect("thread of nothing", "cannot_reply_to_message", code(answer), 9)
		answer, _ = w.do("/elsewhere", "", "", "")
		expect("no such address", "", code(answer), 10)
		answer, _ = w.do("/link/?ticket=mine&app_id="+App, "", "", "")
		expect("made-up ticket", "", code(answer), 11)
	})
}

func TestTokens(t *testing.T) {
	type fields struct{ method, kind, body, bearer string }
	const form = "application/x-www-form-urlencoded"
	for _, tc := range []struct {
		fields
		edit func(*Server)
		want string
	}{
		{fields{"auth.test", form, "token=" + DefaultBotToken, ""}, nil, ""},
		{fields{"auth.test", form, "", DefaultBotToken}, nil, ""},
		{fields{"auth.test", "application/json", "{}", DefaultBotToken}, nil, ""},
		{fields{"auth.test", "application/json", `{"token":"` + DefaultBotToken + `"}`, ""}, nil, "not_authed"},
		{fields{"auth.test", form, "", ""}, nil, "not_authed"},
		{fields{"auth.test", form, "", "xoxb-fake-other"}, nil, "invalid_auth"},
		{fields{"auth.test", form, "", "xoxb-real"}, func(s *Server) { s.BotToken = "xoxb-real" }, "invalid_auth"},
		{fields{"auth.test", form, "", DefaultAppToken}, nil, "not_allowed_token_type"},
		{fields{"apps.connections.open", "application/json", "", DefaultAppToken}, nil, ""},
		{fields{"apps.connections.open", form, "", DefaultBotToken}, nil, "not_allowed_token_type"},
		{fields{"apps.connections.open", form, "token=" + DefaultAppToken, ""}, nil, "not_authed"},
		{fields{"apps.connections.open", form, "", DefaultAppToken}, func(s *Server) { s.AppScopes = []string{"authorizations:read"} },
			"missing_scope connections:write of authorizations:read"},
		{fields{"users.info", form, "user=U0ANA", DefaultBotToken}, func(s *Server) { s.BotScopes = []string{"chat:write", "commands"} },
			"missing_scope users:read of chat:write,commands"},
		{fields{"conversations.info", form, "channel=C0SECRET", DefaultBotToken}, func(s *Server) { s.BotScopes = []string{"channels:read"} },
			"missing_scope groups:read of channels:read"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var edits []func(*Server)
			if tc.edit != nil {
				edits = append(edits, tc.edit)
			}
			w := newWorld(t, edits...)
			answer, header := w.do("/api/"+tc.method, tc.kind, tc.body, tc.bearer)
			if got := code(answer); got != tc.want {
				t.Errorf("%+v = %q, want %q", tc.fields, got, tc.want)
			}
			if got := header.Get("X-OAuth-Scopes"); (got == "") != (tc.want == "not_authed" || tc.want == "invalid_auth") {
				t.Errorf("%+v: X-OAuth-Scopes %q", tc.fields, got)
			}
		})
	}
}

func TestUpdateRules(t *testing.T) {
	const section = `[{"type":"section","text":{"type":"mrkdwn","text":"new"}}]`
	for _, tc := range []struct {
		name                  string
		form                  []string
		text, plain, metadata string
		marked                bool // "(edited)"
	}{
		{"text removes blocks", []string{"text", "new"}, "new", "new", "kept", true},
		{"blocks keep text", []string{"blocks", section}, "old", "new", "kept", false},
		{"both", []string{"text", "new text", "blocks", section}, "new text", "new", "kept", false},
		{"no blocks", []string{"blocks", "[]"}, "old", "old", "kept", false},
		{"metadata replaced", []string{"text", "new", "metadata", `{"event_type":"e","event_payload":{"k":"other"}}`}, "new", "new", "other", true},
		{"metadata removed", []string{"text", "new", "metadata", "{}"}, "new", "new", "", true},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			_, ts, err := w.api.PostMessage(ops, slack.MsgOptionText("old", false), blocks(t, question),
				slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "e", EventPayload: map[string]any{"k": "kept"}}))
			if err != nil {
				t.Fatal(err)
			}
			answer, _ := w.call("chat.update", DefaultBotToken, append([]string{"channel", ops, "ts", ts}, tc.form...)...)
			if answer["ok"] != true {
				t.Fatalf("%s: %v", tc.name, answer)
			}
			m := w.last(bea)
			if m.Text != tc.text || m.Plain != tc.plain || m.Edited != 1 || !strings.Contains(string(m.Metadata), tc.metadata) || (tc.metadata == "") != (m.Metadata == nil) {
				t.Errorf("%s: %+v", tc.name, m)
			}
			if _, marked := answer["message"].(map[string]any)["edited"]; marked != tc.marked {
				t.Errorf("%s: marked as edited: %v, want %v", tc.name, marked, tc.marked)
			}
		})
	}
}

func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var ts []string
		for i, text := range []string{"a", "b", "c", "d"} {
			options := []slack.MsgOption{slack.MsgOptionText(text, false),
				slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "post", EventPayload: map[string]any{"key": text}})}
			if i == 3 {
				options = append(options, slack.MsgOptionTS(ts[0]))
			}
			_, at, err := w.api.PostMessage(ops, options...)
			if err != nil {
				t.Fatal(err)
			}
			if i > 0 && at <= ts[i-1] || len(at) < 8 || at[len(at)-7] != '.' {
				t.Errorf("ts %s after %v", at, ts)
			}
			ts = append(ts, at)
		}
		if _, err := w.api.PostEphemeral(ops, ana, slack.MsgOptionText("not in history", false)); err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct {
			name string
			p    slack.GetConversationHistoryParameters
			want string // texts, or keys if IncludeAllMetadata
			more bool
		}{
			{"newest first, without replies", slack.GetConversationHistoryParameters{}, "c b a", false},
			{"since", slack.GetConversationHistoryParameters{Oldest: ts[0]}, "c b", false},
			{"since, with it", slack.GetConversationHistoryParameters{Oldest: ts[0], Inclusive: true}, "c b a", false},
			{"until", slack.GetConversationHistoryParameters{Latest: ts[2]}, "b a", false},
			{"one", slack.GetConversationHistoryParameters{Latest: ts[1], Oldest: ts[1], Inclusive: true}, "b", false},
			{"pages", slack.GetConversationHistoryParameters{Limit: 2}, "c b|a", true},
			{"metadata", slack.GetConversationHistoryParameters{IncludeAllMetadata: true}, "c b a", false},
		} {
			tc.p.ChannelID = ops
			var got []string
			for pages := 0; ; pages++ {
				h, err := w.api.GetConversationHistory(&tc.p)
				if err != nil {
					t.Fatalf("%s: %v", tc.name, err)
				}
				var texts []string
				for _, m := range h.Messages {
					key, _ := m.Metadata.EventPayload["key"].(string)
					if tc.p.IncludeAllMetadata != (key == m.Text) {
						t.Errorf("%s: metadata %v", tc.name, m.Metadata)
					}
					texts = append(texts, m.Text)
				}
				got = append(got, strings.Join(texts, " "))
				if pages == 0 && h.HasMore != tc.more {
					t.Errorf("%s: has_more %v", tc.name, h.HasMore)
				}
				if tc.p.Cursor = h.ResponseMetaData.NextCursor; tc.p.Cursor == "" {
					break
				}
			}
			if got := strings.Join(got, "|"); got != tc.want {
				t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
			}
		}
	})
}

func TestDirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		me, err := w.api.AuthTest()
		if err != nil || me.UserID != BotUser || me.TeamID != Team || me.BotID != Bot || me.URL == "" {
			t.Errorf("auth.test = %+v, %v", me, err)
		}
		if got := me.Header.Get("X-OAuth-Scopes"); !strings.Contains(got, "chat:write") {
			t.Errorf("scopes %q", got)
		}
		u, err := w.api.GetUserInfo(ana)
		if err != nil || u.TZ != "Europe/Berlin" || u.TZOffset != 3600 || u.Profile.Email != "ana@example.org" || u.TeamID != Team || u.IsBot {
			t.Errorf("ana = %+v, %v", u, err)
		}
		if u, err := w.api.GetUserInfo(guest); err != nil || !u.IsRestricted || u.TeamID != "T0OTHER" || !u.IsStranger {
			t.Errorf("guest = %+v, %v", u, err)
		}
		if u, err := w.api.GetUserInfo(BotUser); err != nil || !u.IsBot {
			t.Errorf("bot = %+v, %v", u, err)
		}
		c, err := w.api.GetConversationInfo(&slack.GetConversationInfoInput{ChannelID: ops, IncludeNumMembers: true})
		if err != nil || c.Topic.Value != "contact: <@U0BEA>" || c.NumMembers != 5 || !c.IsMember || c.Name != "treeherder-ops" {
			t.Errorf("ops = %+v, %v", c, err)
		}
		var names []string
		p := slack.GetConversationsParameters{Types: []string{"public_channel", "private_channel"}, Limit: 2, ExcludeArchived: true}
		for {
			found, next, err := w.api.GetConversations(&p)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range found {
				names = append(names, c.Name)
			}
			if p.Cursor = next; next == "" {
				break
			}
			names = append(names, "|")
		}
		if got, want := strings.Join(names, " "), "treeherder-ops secret | abroad"; got != want {
			t.Errorf("channels %q, want %q", got, want)
		}
		users, err := w.api.GetUserGroupMembers("S0ADMINS")
		if diff := cmp.Diff([]string{ana, bea}, users); err != nil || diff != "" {
			t.Errorf("admins: %v %s", err, diff)
		}
		w.SetGroup(Group{ID: "S0ADMINS", Handle: "th-admins", Users: []string{bea}})
		groups, err := w.api.GetUserGroups(slack.GetUserGroupsOptionIncludeUsers(true), slack.GetUserGroupsOptionIncludeCount(true))
		if err != nil || len(groups) != 1 || groups[0].UserCount != 1 || groups[0].Users[0] != bea {
			t.Errorf("groups = %+v, %v", groups, err)
		}
	})
}

// Bolt and Python send the same calls in other ways than slack-go.
func TestTransports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		const section = `[{"type":"section","text":{"type":"mrkdwn","text":"hello"}}]`
		for _, tc := range []struct{ kind, body string }{
			{"application/json; charset=utf-8", `{"channel":"C0OPS","blocks":` + section + `,"thread_ts":null}`},
			{"application/json", `{"channel":"C0OPS","blocks":` + strconv.Quote(section) + `}`},
			{"application/x-www-form-urlencoded", url.Values{"channel": {ops}, "blocks": {section}}.Encode()},
			{"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"channel\"\r\n\r\nC0OPS\r\n" +
				"--b\r\nContent-Disposition: form-data; name=\"blocks\"\r\n\r\n" + section + "\r\n--b--\r\n"},
		} {
			n := len(w.Messages(ana, ops))
			if a, _ := w.do("/api/chat.postMessage", tc.kind, tc.body, DefaultBotToken); a["ok"] != true {
				t.Errorf("%s: %v", tc.kind, a)
			} else if m := w.Messages(ana, ops)[n:]; len(m) != 1 || m[0].Plain != "hello" {
				t.Errorf("%s posted %v", tc.kind, m)
			}
		}
		req, err := http.NewRequest("GET", "http://slack.test/api/users.info?user="+ana, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+DefaultBotToken)
		resp, err := w.web.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, _ := io.ReadAll(resp.Body); !strings.Contains(string(body), `"ok":true`) {
			t.Errorf("GET: %s", body)
		}
	})
}
