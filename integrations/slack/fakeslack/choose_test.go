package fakeslack

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
)

const two = `"options":[{"text":{"type":"plain_text","text":"One"},"value":"1"},{"text":{"type":"plain_text","text":"Two"},"value":"2"}]`

// What was chosen reaches the app in Slack's form, in the action and in the
// state of the message.
func TestChoose(t *testing.T) {
	option := `{"text":{"emoji":true,"text":"Two","type":"plain_text"},"value":"2"}`
	for _, tc := range []struct {
		name, element string
		section       bool
		choices       []string
		want          string // of the action, without what all have; empty: an error
	}{
		{"select", `"type":"static_select",` + two, false, []string{"2"}, `{"selected_option":` + option + `,"type":"static_select"}`},
		{"by label", `"type":"static_select",` + two, false, []string{"Two"}, `{"selected_option":` + option + `,"type":"static_select"}`},
		{"deselect", `"type":"static_select",` + two, false, nil, `{"selected_option":null,"type":"static_select"}`},
		{"no such option", `"type":"static_select",` + two, false, []string{"3"}, ""},
		{"two of one", `"type":"static_select",` + two, false, []string{"1", "2"}, ""},
		{"overflow", `"type":"overflow",` + two, false, []string{"2"}, `{"selected_option":` + option + `,"type":"overflow"}`},
		{"nothing of an overflow", `"type":"overflow",` + two, false, nil, ""},
		{"radio", `"type":"radio_buttons",` + two, false, []string{"2"}, `{"selected_option":` + option + `,"type":"radio_buttons"}`},
		{"boxes", `"type":"checkboxes",` + two, false, []string{"2"}, `{"selected_options":[` + option + `],"type":"checkboxes"}`},
		{"no boxes", `"type":"checkboxes",` + two, false, nil, `{"selected_options":[],"type":"checkboxes"}`},
		{"multi", `"type":"multi_static_select",` + two, true, []string{"2"}, `{"selected_options":[` + option + `],"type":"multi_static_select"}`},
		{"too many", `"type":"multi_static_select","max_selected_items":1,` + two, true, []string{"1", "2"}, ""},
		{"person", `"type":"users_select"`, false, []string{bea}, `{"selected_user":"U0BEA","type":"users_select"}`},
		{"people", `"type":"multi_users_select"`, true, []string{bea, ana}, `{"selected_users":["U0BEA","U0ANA"],"type":"multi_users_select"}`},
		{"somebody gone", `"type":"users_select"`, false, []string{"U0GONE"}, ""},
		{"conversation", `"type":"conversations_select"`, false, []string{secret}, `{"selected_conversation":"C0SECRET","type":"conversations_select"}`},
		{"hidden", `"type":"conversations_select"`, false, []string{"C0HIDDEN"}, ""},
		{"channel", `"type":"channels_select"`, false, []string{ops}, `{"selected_channel":"C0OPS","type":"channels_select"}`},
		{"private channel", `"type":"channels_select"`, false, []string{secret}, ""},
		{"date", `"type":"datepicker"`, false, []string{"2026-12-24"}, `{"selected_date":"2026-12-24","type":"datepicker"}`},
		{"no date", `"type":"datepicker"`, false, []string{"2026-13-24"}, ""},
		{"time", `"type":"timepicker","timezone":"Europe/Berlin"`, false, []string{"18:00"}, `{"selected_time":"18:00","timezone":"Europe/Berlin","type":"timepicker"}`},
		{"no time", `"type":"timepicker"`, false, []string{"25:00"}, ""},
		{"moment", `"type":"datetimepicker"`, false, []string{"1790000000"}, `{"selected_date_time":1790000000,"type":"datetimepicker"}`},
		{"no moment", `"type":"datetimepicker"`, false, []string{"now"}, ""},
		{"button", `"type":"button","text":{"type":"plain_text","text":"x"}`, false, []string{"x"}, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			r, _ := w.dialRaw()
			block := `[{"type":"actions","block_id":"b","elements":[{"action_id":"a",` + tc.element + `}]}]`
			if tc.section {
				block = `[{"type":"section","block_id":"b","text":{"type":"mrkdwn","text":"x"},"accessory":{"action_id":"a",` + tc.element + `}}]`
			}
			a, _ := w.call("chat.postMessage", DefaultBotToken, "channel", ops, "blocks", block)
			if a["ok"] != true {
				t.Fatalf("%s: %v", tc.name, a)
			}
			_, err := w.Choose(ana, ops, a["ts"].(string), "a", tc.choices...)
			if (err == nil) != (tc.want != "") {
				t.Errorf("%s: %v", tc.name, err)
			}
			if err != nil || tc.want == "" {
				return
			}
			payload := r.read()["payload"].(map[string]any)
			action := payload["actions"].([]any)[0].(map[string]any)
			if action["action_id"] != "a" || action["block_id"] != "b" || action["action_ts"] == nil {
				t.Errorf("%s: %v", tc.name, action)
			}
			for _, name := range []string{"action_id", "block_id", "action_ts"} {
				delete(action, name)
			}
			if raw, _ := json.Marshal(action); string(raw) != tc.want {
				t.Errorf("%s: %s, want %s", tc.name, raw, tc.want)
			}
			state, _ := json.Marshal(payload["state"])
			if want := `{"values":{"b":{"a":` + tc.want + `}}}`; string(state) != want && !strings.Contains(tc.element, "overflow") {
				t.Errorf("%s: state %s, want %s", tc.name, state, want)
			}
		})
	}
}

func TestChooseNeedsTheElement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		_, ts, err := w.api.PostMessage(ops, blocks(t, question))
		if err != nil {
			t.Fatal(err)
		}
		for _, tc := range [][]string{{ana, ops, ts, "elsewhere"}, {ana, ops, "1.000000", "promote"}, {bea, secret, ts, "promote"}, {ana, ops, ts, "promote"}} {
			if _, err := w.Choose(tc[0], tc[1], tc[2], tc[3], "x"); err == nil {
				t.Errorf("%q was chosen", tc)
			}
		}
	})
}

// What people type is checked as Slack's client does.
func TestTyping(t *testing.T) {
	for _, tc := range []struct {
		element, text string
		ok            bool
	}{
		{`{"type":"plain_text_input"}`, strings.Repeat("é", 3000), true},
		{`{"type":"plain_text_input"}`, strings.Repeat("é", 3001), false},
		{`{"type":"plain_text_input","min_length":3}`, "ab", false},
		{`{"type":"email_text_input"}`, "ana@example.org", true},
		{`{"type":"email_text_input"}`, "ana", false},
		{`{"type":"url_text_input"}`, "https://x.test/", true},
		{`{"type":"url_text_input"}`, "x", false},
		{`{"type":"number_input","is_decimal_allowed":true}`, "1.5", true},
		{`{"type":"number_input","is_decimal_allowed":false}`, "1.5", false},
		{`{"type":"number_input","is_decimal_allowed":false}`, "many", false},
		{`{"type":"number_input","is_decimal_allowed":false,"min_value":"2","max_value":"4"}`, "1", false},
		{`{"type":"number_input","is_decimal_allowed":false,"min_value":"2","max_value":"4"}`, "5", false},
		{`{"type":"number_input","is_decimal_allowed":false,"min_value":"2","max_value":"4"}`, "3", true},
	} {
		blocks, err := parseBlocks("[" + tc.element + "]")
		if err != nil {
			t.Fatal(err)
		}
		s := &Server{}
		state, err := s.choose(Person{}, blocks[0].(object), []string{tc.text})
		if (err == nil) != tc.ok || tc.ok && state["value"] != tc.text {
			t.Errorf("%s %.20q: %v, %v", tc.element, tc.text, state, err)
		}
	}
}

// An input tells the app only with dispatch_action.
func TestDispatchAction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(t)
		v := s.open()
		quiet, err := s.ChooseIn(ana, v.ID, "text", "hotfix")
		if err != nil || quiet.ID != "" || s.wait(quiet) != nil {
			t.Errorf("typed: %+v, %v", quiet, err)
		}
		d, err := s.ChooseIn(ana, v.ID, "env", "prod")
		if err != nil || s.wait(d) != nil {
			t.Fatal(err)
		}
		got := receive(t, s.got)
		if a := got.ActionCallback.BlockActions[0]; got.Type != slack.InteractionTypeBlockActions || a.SelectedOption.Value != "prod" || got.View.State.Values["why"]["text"].Value != "hotfix" {
			t.Errorf("chosen: %+v", got)
		}
		want := map[string][]string{"why/text": {"hotfix"}, "where/env": {"Production"}, "act/day": {"2026-11-22"}}
		if diff := cmp.Diff(want, s.View(ana)[0].Values); diff != "" {
			t.Error(diff)
		}
		if _, err := s.ChooseIn(ana, v.ID, "nowhere", "x"); err == nil {
			t.Error("chosen where nothing is")
		}
		if _, err := s.ChooseIn(bea, v.ID, "env", "prod"); err == nil {
			t.Error("bea chose in ana's modal")
		}
	})
}
