package fakeslack

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// With -real the contract is tested with Slack itself: of the workspace and
// app that SLACK_BOT_TOKEN and SLACK_APP_TOKEN belong to, in the channel with
// the ID in SLACK_CHANNEL, which the app must be in. One message is posted
// there, changed, and deleted again.
var real = flag.Bool("real", false, "test Slack itself; needs SLACK_BOT_TOKEN, SLACK_APP_TOKEN and SLACK_CHANNEL")

// service is a Slack: this fake, or the real one.
type service struct {
	base, bot, app, channel string
	known                   map[string]string // what answers told: $me, $ts
}

func theService(t *testing.T) *service {
	if *real {
		s := &service{"https://slack.com/api/", os.Getenv("SLACK_BOT_TOKEN"), os.Getenv("SLACK_APP_TOKEN"), os.Getenv("SLACK_CHANNEL"), nil}
		if s.bot == "" || s.app == "" || s.channel == "" {
			t.Fatal("-real needs SLACK_BOT_TOKEN, SLACK_APP_TOKEN and SLACK_CHANNEL")
		}
		return s
	}
	fake := &Server{}
	populate(fake)
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	return &service{server.URL + "/api/", DefaultBotToken, DefaultAppToken, ops, nil}
}

// call calls a method with a form.
func (s *service) call(method, token string, form []string) (map[string]any, http.Header, error) {
	v := url.Values{}
	for i := 0; i < len(form); i += 2 {
		text := form[i+1]
		for name, known := range s.known {
			text = strings.ReplaceAll(text, name, known)
		}
		v.Set(form[i], text)
	}
	req, err := http.NewRequest(http.MethodPost, s.base+method, strings.NewReader(v.Encode()))
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+token)
	client := http.Client{Timeout: 30 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil, err
	}
	var answer map[string]any
	if err := json.Unmarshal(text, &answer); err != nil || resp.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("answered %s %.200q", resp.Status, text)
	}
	return answer, resp.Header, nil
}

// look follows a path like channel.topic.value, or messages.0.ts.
func look(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		switch o := v.(type) {
		case map[string]any:
			v = o[name]
		case []any:
			if name != "0" || len(o) == 0 {
				return nil
			}
			v = o[0]
		default:
			return nil
		}
	}
	return v
}

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "bool"
	case []any:
		return "list"
	case map[string]any:
		return "object"
	}
	return "nothing"
}

const tooLong = `[{"type":"section","text":{"type":"mrkdwn","text":"$long"}}]`

// The steps are in the order they are taken. want are error codes, or paths in
// the answer and the kinds of JSON there.
var contract = []struct {
	method string
	app    bool // with the app-level token
	form   []string
	code   string
	want   string
}{
	{"auth.test", false, nil, "", "url:string team:string user:string team_id:string user_id:string bot_id:string is_enterprise_install:bool"},
	{"auth.test", true, nil, "not_allowed_token_type", ""},
	{"apps.connections.open", true, nil, "", "url:string"},
	{"apps.connections.open", false, nil, "not_allowed_token_type", ""},
	{"no.such.method", false, nil, "unknown_method", ""},
	{"users.info", false, []string{"user", "$me"}, "", "user.id:string user.team_id:string user.name:string user.real_name:string user.deleted:bool user.is_bot:bool user.is_restricted:bool user.profile.display_name:string user.profile.real_name:string"},
	{"users.info", false, []string{"user", "U404404404"}, "user_not_found", ""},
	{"users.getPresence", false, []string{"user", "U404404404"}, "user_not_found", ""},
	{"dnd.info", false, []string{"user", "U404404404"}, "user_not_found", ""},
	{"users.list", false, []string{"limit", "2"}, "", "members:list members.0.id:string response_metadata.next_cursor:string"},
	{"usergroups.list", false, []string{"include_users", "true"}, "", "usergroups:list"},
	{"conversations.info", false, []string{"channel", "$channel"}, "", "channel.id:string channel.name:string channel.is_private:bool channel.is_member:bool channel.is_archived:bool channel.topic.value:string channel.topic.creator:string channel.topic.last_set:number channel.created:number"},
	{"conversations.info", false, []string{"channel", "C404404404"}, "channel_not_found", ""},
	{"conversations.members", false, []string{"channel", "$channel"}, "", "members:list members.0:string response_metadata.next_cursor:string"},
	{"conversations.open", false, []string{"users", "U404404404"}, "user_not_found", ""},
	{"chat.postMessage", false, []string{"channel", "C404404404", "text", "x"}, "channel_not_found", ""},
	{"chat.postMessage", false, []string{"channel", "$channel"}, "no_text", ""},
	{"chat.postMessage", false, []string{"channel", "$channel", "blocks", "nonsense"}, "invalid_blocks_format", ""},
	{"chat.postMessage", false, []string{"channel", "$channel", "blocks", tooLong}, "invalid_blocks", "errors:list errors.0:string response_metadata.messages:list response_metadata.messages.0:string"},
	{"chat.postMessage", false, []string{"channel", "$channel", "text", "a test", "blocks", `[{"type":"section","text":{"type":"mrkdwn","text":"a test"}}]`,
		"metadata", `{"event_type":"contract_test","event_payload":{"key":"1"}}`}, "",
		"channel:string ts:string message.text:string message.user:string message.bot_id:string message.app_id:string message.blocks:list message.blocks.0.block_id:string message.blocks.0.text.verbatim:bool"},
	{"chat.getPermalink", false, []string{"channel", "$channel", "message_ts", "$ts"}, "", "channel:string permalink:string"},
	{"chat.update", false, []string{"channel", "$channel", "ts", "$ts", "text", "changed"}, "", "channel:string ts:string text:string message.text:string message.edited.ts:string message.edited.user:string"},
	{"chat.update", false, []string{"channel", "$channel", "ts", "$ts", "text", "$long$long"}, "msg_too_long", ""},
	{"chat.update", false, []string{"channel", "$channel", "ts", "1000000000.000000", "text", "x"}, "message_not_found", ""},
	{"conversations.history", false, []string{"channel", "$channel", "limit", "1", "include_all_metadata", "true"}, "",
		"messages:list messages.0.type:string messages.0.ts:string messages.0.metadata.event_type:string messages.0.metadata.event_payload.key:string has_more:bool pin_count:number"},
	{"conversations.replies", false, []string{"channel", "$channel", "ts", "$ts"}, "", "messages:list messages.0.ts:string has_more:bool"},
	{"conversations.replies", false, []string{"channel", "$channel", "ts", "1000000000.000000"}, "thread_not_found", ""},
	{"reactions.add", false, []string{"channel", "$channel", "timestamp", "$ts", "name", "eyes"}, "", ""},
	{"reactions.add", false, []string{"channel", "$channel", "timestamp", "$ts", "name", "eyes"}, "already_reacted", ""},
	{"reactions.remove", false, []string{"channel", "$channel", "timestamp", "$ts", "name", "eyes"}, "", ""},
	{"reactions.remove", false, []string{"channel", "$channel", "timestamp", "$ts", "name", "eyes"}, "no_reaction", ""},
	{"views.open", false, []string{"trigger_id", "1.2.x", "view", form}, "invalid_arguments", "response_metadata.messages:list"},
	{"views.update", false, []string{"view_id", "V404404404", "view", form}, "not_found", ""},
	{"blocks.validate", false, []string{"blocks", `[{"type":"divider"}]`}, "", ""},
	{"blocks.validate", false, []string{"blocks", tooLong}, "invalid_blocks", "errors:list errors.0.pointer:string errors.0.code:string errors.0.message:string"},
	{"chat.delete", false, []string{"channel", "$channel", "ts", "$ts"}, "", "channel:string ts:string"},
	{"chat.delete", false, []string{"channel", "$channel", "ts", "$ts"}, "message_not_found", ""},
}

func TestContract(t *testing.T) {
	s := theService(t)
	s.known = map[string]string{"$channel": s.channel, "$long": strings.Repeat("x", 3001)}
	t.Cleanup(func() { // if a step in between failed
		if s.known["$ts"] != "" {
			_, _, _ = s.call("chat.delete", s.bot, []string{"channel", "$channel", "ts", "$ts"})
		}
	})
	for _, step := range contract {
		token := s.bot
		if step.app {
			token = s.app
		}
		answer, header, err := s.call(step.method, token, step.form)
		if err != nil {
			t.Errorf("%s: %v", step.method, err)
			continue
		}
		code, _ := answer["error"].(string)
		if *real && code == "missing_scope" {
			t.Logf("%s: not tested, the app lacks %v", step.method, answer["needed"])
			continue
		}
		if code != step.code || answer["ok"] != (code == "") {
			t.Errorf("%s %.100q: %q, want %q; answer %.300v", step.method, step.form, code, step.code, answer)
		}
		for want := range strings.FieldsSeq(step.want) {
			path, kind, _ := strings.Cut(want, ":")
			if got := kindOf(look(answer, path)); got != kind {
				t.Errorf("%s: %s is %s, want %s; answer %.300v", step.method, path, got, kind, answer)
			}
		}
		if code == "" && header.Get("X-OAuth-Scopes") == "" {
			t.Errorf("%s: no X-OAuth-Scopes", step.method)
		}
		if me, ok := answer["user_id"].(string); ok {
			s.known["$me"] = me
		}
		if ts, ok := answer["ts"].(string); ok && step.method == "chat.postMessage" {
			s.known["$ts"] = ts
		}
	}
}
