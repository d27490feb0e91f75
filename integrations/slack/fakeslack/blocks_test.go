package fakeslack

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

func TestBlocks(t *testing.T) {
	s := &Server{}
	x := func(n int) string { return strings.Repeat("é", n) } // counted in characters, not bytes
	many := func(n int, item string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = strings.ReplaceAll(item, "#", fmt.Sprint(i))
		}
		return strings.Join(items, ",")
	}
	section := func(text string) string { return `{"type":"section","text":{"type":"mrkdwn","text":"` + text + `"}}` }
	button := func(more string) string {
		return `{"type":"actions","elements":[{"type":"button","action_id":"a","text":{"type":"plain_text","text":"Go"}` + more + `}]}`
	}
	label := func(text string) string {
		return `{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"` + text + `"}}]}`
	}
	confirm := func(title, text, yes, more string) string {
		return button(`,"confirm":{"title":{"type":"plain_text","text":"` + title + `"},"text":{"type":"mrkdwn","text":"` + text +
			`"},"confirm":{"type":"plain_text","text":"` + yes + `"},"deny":{"type":"plain_text","text":"No"}` + more + `}`)
	}
	overflow := func(n int) string {
		return `{"type":"section","text":{"type":"mrkdwn","text":"x"},"accessory":{"type":"overflow","options":[` +
			many(n, `{"text":{"type":"plain_text","text":"o"},"value":"#"}`) + `]}}`
	}
	for _, tc := range []struct {
		name, blocks string
		want         []string
	}{
		{"section 3000", section(x(3000)), nil},
		{"section 3001", section(x(3001)), []string{"failed to match all allowed schemas [json-pointer:/blocks/0/text]",
			"must be less than 3001 characters [json-pointer:/blocks/0/text/text]"}},
		{"empty section", section(""), []string{"failed to match all allowed schemas [json-pointer:/blocks/0/text]",
			"must be more than 0 characters [json-pointer:/blocks/0/text/text]"}},
		{"section of nothing", `{"type":"section"}`, []string{"must define either `text` or `fields` [json-pointer:/blocks/0]"}},
		{"fields", `{"type":"section","fields":[` + many(10, `{"type":"mrkdwn","text":"f"}`) + `]}`, nil},
		{"11 fields", `{"type":"section","fields":[` + many(11, `{"type":"mrkdwn","text":"f"}`) + `]}`,
			[]string{"no more than 10 items allowed [json-pointer:/blocks/0/fields]"}},
		{"field 2001", `{"type":"section","fields":[{"type":"mrkdwn","text":"` + x(2001) + `"}]}`,
			[]string{"failed to match all allowed schemas [json-pointer:/blocks/0/fields/0]", "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]"}},
		{"50 blocks", many(50, `{"type":"divider"}`), nil},
		{"51 blocks", many(51, `{"type":"divider"}`), []string{"no more than 50 items allowed [json-pointer:/blocks]"}},
		{"header 150", `{"type":"header","text":{"type":"plain_text","text":"` + x(150) + `"}}`, nil},
		{"header 151", `{"type":"header","text":{"type":"plain_text","text":"` + x(151) + `"}}`,
			[]string{"failed to match all allowed schemas [json-pointer:/blocks/0/text]", "must be less than 151 characters [json-pointer:/blocks/0/text/text]"}},
		{"header mrkdwn", `{"type":"header","text":{"type":"mrkdwn","text":"x"}}`,
			[]string{"failed to match all allowed schemas [json-pointer:/blocks/0/text]", "must be a valid enum value [json-pointer:/blocks/0/text/type]"}},
		{"emoji in mrkdwn", `{"type":"section","text":{"type":"mrkdwn","text":"x","emoji":true}}`,
			[]string{"failed to match all allowed schemas [json-pointer:/blocks/0/text]", "invalid additional property: emoji [json-pointer:/blocks/0/text]"}},
		{"context 10", `{"type":"context","elements":[` + many(10, `{"type":"mrkdwn","text":"c"}`) + `]}`, nil},
		{"context 11", `{"type":"context","elements":[` + many(11, `{"type":"mrkdwn","text":"c"}`) + `]}`,
			[]string{"no more than 10 items allowed [json-pointer:/blocks/0/elements]"}},
		{"empty context", `{"type":"context","elements":[]}`, []string{"no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"}},
		{"actions 25", `{"type":"actions","elements":[` + many(25, `{"type":"button","text":{"type":"plain_text","text":"b"}}`) + `]}`, nil},
		{"actions 26", `{"type":"divider"},{"type":"actions","elements":[` + many(26, `{"type":"button","text":{"type":"plain_text","text":"b"}}`) + `]}`,
			[]string{"no more than 25 items allowed [json-pointer:/blocks/1/elements]"}},
		{"label 75", label(x(75)), nil},
		{"label 76", label(x(76)), []string{"failed to match all allowed schemas [json-pointer:/blocks/0/elements/0/text]",
			"must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]"}},
		{"no label", `{"type":"actions","elements":[{"type":"button"}]}`, []string{"missing required field: text [json-pointer:/blocks/0/elements/0]"}},
		{"value 2000", button(`,"value":"` + x(2000) + `"`), nil},
		{"value 2001", button(`,"value":"` + x(2001) + `"`), []string{"must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]"}},
		{"value is a number", button(`,"value":7`), []string{"must provide a string [json-pointer:/blocks/0/elements/0/value]"}},
		{"url 3001", button(`,"url":"` + x(3001) + `"`), []string{"must be less than 3001 characters [json-pointer:/blocks/0/elements/0/url]"}},
		{"accessibility", button(`,"accessibility_label":"` + x(76) + `"`), []string{"must be less than 76 characters [json-pointer:/blocks/0/elements/0/accessibility_label]"}},
		{"style", button(`,"style":"loud"`), []string{"must be a valid enum value [json-pointer:/blocks/0/elements/0/style]"}},
		{"misspelt", button(`,"vaule":"x"`), []string{"invalid additional property: vaule [json-pointer:/blocks/0/elements/0]"}},
		{"confirm", confirm(x(100), x(300), x(30), `,"style":"danger"`), nil},
		{"confirm too long", confirm(x(101), x(301), x(31), ""), []string{
			"failed to match all allowed schemas [json-pointer:/blocks/0/elements/0/confirm/title]", "must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]",
			"failed to match all allowed schemas [json-pointer:/blocks/0/elements/0/confirm/text]", "must be less than 301 characters [json-pointer:/blocks/0/elements/0/confirm/text/text]",
			"failed to match all allowed schemas [json-pointer:/blocks/0/elements/0/confirm/confirm]", "must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/confirm/text]"}},
		{"confirm is text", button(`,"confirm":"sure?"`), []string{"must provide an object [json-pointer:/blocks/0/elements/0/confirm]"}},
		{"action_id twice", button("") + "," + button(""), []string{"`action_id` \"a\" already exists [json-pointer:/blocks/1/elements/0/action_id]"}},
		{"block_id twice", `{"type":"divider","block_id":"b"},{"type":"divider","block_id":"b"}`, []string{"`block_id` \"b\" already exists [json-pointer:/blocks/1/block_id]"}},
		{"block_id 256", `{"type":"divider","block_id":"` + x(256) + `"}`, []string{"must be less than 256 characters [json-pointer:/blocks/0/block_id]"}},
		{"overflow 5", overflow(5), nil},
		{"overflow 6", overflow(6), []string{"no more than 5 items allowed [json-pointer:/blocks/0/accessory/options]"}},
		{"select", `{"type":"actions","elements":[{"type":"static_select","placeholder":{"type":"plain_text","text":"which"},"options":[` +
			many(100, `{"text":{"type":"plain_text","text":"o"},"value":"#"}`) + `]}]}`, nil},
		{"option too long", `{"type":"actions","elements":[{"type":"static_select","options":[{"text":{"type":"plain_text","text":"o"},"value":"` + x(151) + `"}]}]}`,
			[]string{"must be less than 151 characters [json-pointer:/blocks/0/elements/0/options/0/value]"}},
		{"multi select", `{"type":"divider"},{"type":"actions","elements":[{"type":"multi_static_select"}]}`, []string{"unsupported element: multiselect [json-pointer:/blocks/1]"}},
		{"image", `{"type":"image","image_url":"https://x.test/i.png","alt_text":"a picture"}`, nil},
		{"image without alt", `{"type":"image","image_url":"https://x.test/i.png"}`, []string{"missing required field: alt_text [json-pointer:/blocks/0]"}},
		{"header level", `{"type":"header","level":5,"text":{"type":"plain_text","text":"x"}}`, []string{"must be less than 5 [json-pointer:/blocks/0/level]"}},
		{"select in groups", `{"type":"actions","elements":[{"type":"static_select","option_groups":[{"label":{"type":"plain_text","text":"g"},"options":[` +
			many(2, `{"text":{"type":"plain_text","text":"o"},"value":"#"}`) + `]}]}]}`, nil},
		{"options and groups", `{"type":"actions","elements":[{"type":"static_select","options":[],"option_groups":[]}]}`,
			[]string{"only one of `options` or `option_groups` allowed [json-pointer:/blocks/0/elements/0]"}},
		{"initial option", `{"type":"actions","elements":[{"type":"static_select","options":[{"text":{"type":"plain_text","text":"o"},"value":"1"}],` +
			`"initial_option":{"text":{"type":"plain_text","text":"o"},"value":"2"}}]}`,
			[]string{"must be an exact match of a provided option [json-pointer:/blocks/0/elements/0/initial_option]"}},
		{"multi select beside a section", `{"type":"section","text":{"type":"mrkdwn","text":"x"},"accessory":{"type":"multi_users_select"}}`, nil},
		{"text in actions", `{"type":"actions","elements":[{"type":"plain_text_input"}]}`, []string{"unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]"}},
		{"11 boxes", `{"type":"actions","elements":[{"type":"checkboxes","options":[` + many(11, `{"text":{"type":"mrkdwn","text":"o"},"value":"#"}`) + `]}]}`,
			[]string{"no more than 10 items allowed [json-pointer:/blocks/0/elements/0/options]"}},
		{"input", `{"type":"input","label":{"type":"plain_text","text":"` + x(2000) + `"},"element":{"type":"number_input","is_decimal_allowed":false}}`, nil},
		{"input without element", `{"type":"input","label":{"type":"plain_text","text":"l"}}`, []string{"missing required field: element [json-pointer:/blocks/0]"}},
		{"button as input", `{"type":"input","label":{"type":"plain_text","text":"l"},"element":{"type":"button"}}`, []string{"unsupported type: button [json-pointer:/blocks/0/element/type]"}},
		{"number without decimals", `{"type":"input","label":{"type":"plain_text","text":"l"},"element":{"type":"number_input"}}`,
			[]string{"missing required field: is_decimal_allowed [json-pointer:/blocks/0/element]"}},
		{"length", `{"type":"input","label":{"type":"plain_text","text":"l"},"element":{"type":"plain_text_input","max_length":3001}}`,
			[]string{"must be less than 3001 [json-pointer:/blocks/0/element/max_length]"}},
		{"date", `{"type":"actions","elements":[{"type":"datepicker","initial_date":"tomorrow"}]}`, []string{"must match pattern [json-pointer:/blocks/0/elements/0/initial_date]"}},
		{"time", `{"type":"actions","elements":[{"type":"timepicker","initial_time":"24:00"}]}`, []string{"must match pattern [json-pointer:/blocks/0/elements/0/initial_time]"}},
		{"feedback", `{"type":"context_actions","elements":[{"type":"feedback_buttons","positive_button":{"text":{"type":"plain_text","text":"+"},"value":"1"},` +
			`"negative_button":{"text":{"type":"plain_text","text":"-"},"value":"0"}},{"type":"icon_button","icon":"trash","text":{"type":"plain_text","text":"Delete"}}]}`, nil},
		{"button in context actions", `{"type":"context_actions","elements":[{"type":"button"}]}`, []string{"unsupported type: button [json-pointer:/blocks/0/elements/0/type]"}},
		{"markdown", `{"type":"markdown","text":"` + x(12_000) + `"}`, nil},
		{"two long markdowns", `{"type":"markdown","text":"` + x(6_001) + `"},{"type":"markdown","text":"` + x(6_000) + `"}`,
			[]string{"must be less than 12001 characters [json-pointer:/blocks/1/text]"}},
		{"rich text", `{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"x"}]},` +
			`{"type":"rich_text_list","style":"bullet","elements":[{"type":"rich_text_section","elements":[]}]}]}`, nil},
		{"rich list of text", `{"type":"rich_text","elements":[{"type":"rich_text_list","style":"bullet","elements":[{"type":"text","text":"x"}]}]}`,
			[]string{"must be a valid enum value [json-pointer:/blocks/0/elements/0/elements/0/type]"}},
		{"table", `{"type":"table","rows":[[{"type":"raw_text","text":"a"},{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[]}]}]]}`, nil},
		{"21 cells", `{"type":"table","rows":[[` + many(21, `{"type":"raw_text","text":"a"}`) + `]]}`, []string{"no more than 20 items allowed [json-pointer:/blocks/0/rows/0]"}},
		{"101 rows", `{"type":"table","rows":[` + many(101, `[{"type":"raw_text","text":"a"}]`) + `]}`, []string{"no more than 100 items allowed [json-pointer:/blocks/0/rows]"}},
		{"long table", `{"type":"table","rows":[[{"type":"raw_text","text":"` + x(9_999) + `"},{"type":"raw_text","text":"ab"}]]}`,
			[]string{"must be less than 10001 characters [json-pointer:/blocks/0/rows]"}},
		{"container", `{"type":"container","title":{"type":"plain_text","text":"t"},"is_collapsible":true,"child_blocks":[{"type":"divider"}]}`, nil},
		{"container of a card", `{"type":"container","title":{"type":"plain_text","text":"t"},"child_blocks":[{"type":"card","title":{"type":"mrkdwn","text":"x"}}]}`,
			[]string{"unsupported type: card [json-pointer:/blocks/0/child_blocks/0/type]"}},
		{"container without title", `{"type":"container","child_blocks":[` + many(11, `{"type":"divider"}`) + `]}`,
			[]string{"missing required field: title [json-pointer:/blocks/0]", "no more than 10 items allowed [json-pointer:/blocks/0/child_blocks]"}},
		{"card", `{"type":"card","title":{"type":"mrkdwn","text":"` + x(150) + `"},"actions":[{"type":"button","text":{"type":"plain_text","text":"b"}}]}`, nil},
		{"empty card", `{"type":"card"}`, []string{"must define at least one of `hero_image`, `title`, `actions` or `body` [json-pointer:/blocks/0]"}},
		{"card body", `{"type":"card","body":{"type":"mrkdwn","text":"` + x(201) + `"}}`, []string{"failed to match all allowed schemas [json-pointer:/blocks/0/body]",
			"must be less than 201 characters [json-pointer:/blocks/0/body/text]"}},
		{"carousel", `{"type":"carousel","elements":[` + many(10, `{"type":"card","title":{"type":"mrkdwn","text":"x"}}`) + `]}`, nil},
		{"11 cards", `{"type":"carousel","elements":[` + many(11, `{"type":"card","title":{"type":"mrkdwn","text":"x"}}`) + `]}`,
			[]string{"no more than 10 items allowed [json-pointer:/blocks/0/elements]"}},
		{"alert", `{"type":"alert","text":{"type":"mrkdwn","text":"x"}}`, []string{"unsupported type: alert [json-pointer:/blocks/0/type]"}},
		{"plan", `{"type":"plan","title":"p","tasks":[{"type":"task_card","task_id":"1","title":"t","status":"complete"}]}`, nil},
		{"plan with a text object", `{"type":"plan","title":{"type":"plain_text","text":"p"}}`, []string{"must provide a string [json-pointer:/blocks/0/title]"}},
		{"file", `{"type":"file","external_id":"f","source":"remote"}`, nil},
		{"not supported", `{"type":"video"}`, []string{"unsupported type: video [json-pointer:/blocks/0/type]"}},
		{"no list", `{"type":"actions","elements":{}}`, []string{"must provide an array [json-pointer:/blocks/0/elements]"}},
		{"no object", `{"type":"actions","elements":[1]}`, []string{"must provide an object [json-pointer:/blocks/0/elements/0]"}},
	} {
		_, err := s.readBlocks("[" + tc.blocks + "]")
		var e slackError
		errors.As(err, &e)
		if diff := cmp.Diff(tc.want, e.problems); diff != "" || (err != nil) != (tc.want != nil) || err != nil && e.code != "invalid_blocks" {
			t.Errorf("%s: %v\n%s", tc.name, err, diff)
		}
	}
}

func TestBlocksValidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for _, tc := range []struct{ argument, value, want string }{
			{"blocks", question, ""},
			{"message", `{"text":"x","blocks":` + question + `}`, ""},
			{"view", form, ""},
			{"blocks", `[{"type":"section"}]`, "invalid_blocks /blocks/0 invalid_value must define either `text` or `fields`"},
			{"message", `{"blocks":[{"type":"header"}]}`, "invalid_message /blocks/0 missing_required_field missing required field: text"},
			{"view", `{"type":"home","blocks":[{"type":"context","elements":[]}]}`, "invalid_view /view/blocks/0/elements invalid_length no fewer than 1 items allowed"},
			{"blocks", "nonsense", "invalid_blocks_format"},
			{"text", "", "invalid_arguments"},
		} {
			form := []string{tc.argument, tc.value}
			if tc.value == "" {
				form = nil
			}
			a, _ := w.call("blocks.validate", DefaultBotToken, form...)
			got := code(a)
			if list, ok := a["errors"].([]any); ok {
				e := list[0].(map[string]any)
				got += fmt.Sprintf(" %s %s %s", e["pointer"], e["code"], e["message"])
			}
			if got != tc.want {
				t.Errorf("%s %s: %q, want %q", tc.argument, tc.value, got, tc.want)
			}
		}
	})
}

// Slack fills in what an app leaves out.
func TestBlocksFilledIn(t *testing.T) {
	s := &Server{}
	got, err := s.readBlocks(`[{"type":"section","block_id":"b","text":{"type":"mrkdwn","text":"x"},
		"accessory":{"type":"button","action_id":"a","text":{"type":"plain_text","text":"Go"}}},{"type":"divider"}]`)
	if err != nil {
		t.Fatal(err)
	}
	id, _ := got[1].(object)["block_id"].(string)
	if id == "" {
		t.Error("no block_id was made")
	}
	want := fmt.Sprintf(`[{"accessory":{"action_id":"a","text":{"emoji":true,"text":"Go","type":"plain_text"},"type":"button"},"block_id":"b",`+
		`"text":{"text":"x","type":"mrkdwn","verbatim":false},"type":"section"},{"block_id":%q,"type":"divider"}]`, id)
	if raw, _ := json.Marshal(got); string(raw) != want {
		t.Errorf("got  %s\nwant %s", raw, want)
	}
}

func TestPlain(t *testing.T) {
	s := &Server{}
	populate(s)
	for _, tc := range []struct{ text, want string }{
		{"a &lt;b&gt; &amp;amp; &copy;", "a <b> &amp; &copy;"},
		{"<@U0ANA> <@U404> <@U0ANA|label>", "@ana @U404 @ana"},
		{"<#C0OPS> <#C0OPS|old-name> <#C404|gone>", "#treeherder-ops #treeherder-ops #gone"},
		{"<!subteam^S0ADMINS> <!subteam^S404|@others> <!here>", "@th-admins @others @here"},
		{"<https://x.test/?a&amp;b|run 812>, <https://x.test/?a&amp;b>", "run 812, https://x.test/?a&b"},
		{"<!date^946735320^{time}|fallback>", "14:02 UTC"},
		{"<!date^946735320^{date_short_pretty} at {time_secs}^https://x.test|fallback>", "2000-01-01 at 14:02:00 UTC"},
		{"<!date^946735320^{ago}|a while>", "a while"},
		{"<!date^x|broken>", "broken"},
		{"*bold* `code` a\u200bb", "*bold* `code` ab"},
	} {
		if got := s.mrkdwn(tc.text); got != tc.want {
			t.Errorf("%s reads %q, want %q", tc.text, got, tc.want)
		}
	}
	got := s.Plain(json.RawMessage(`[
	 {"type":"header","text":{"type":"plain_text","text":"<@U0ANA> &amp;"}},
	 {"type":"section","text":{"type":"mrkdwn","text":"one \ntwo"},"fields":[{"type":"mrkdwn","text":"f1"},{"type":"mrkdwn","text":"f2"}],
	  "accessory":{"type":"button","text":{"type":"plain_text","text":"Revert…"},"confirm":{}}},
	 {"type":"divider"},
	 {"type":"context","elements":[{"type":"image","alt_text":"a face"},{"type":"mrkdwn","text":"small\nprint"}]},
	 {"type":"actions","elements":[{"type":"static_select","placeholder":{"text":"Which"}},{"type":"overflow"},{"type":"button","text":{"text":"Go"}}]},
	 {"type":"image","alt_text":"a graph"}]`))
	want := `*<@U0ANA> &amp;*
one
two
f1
f2
[Revert…]
---
· [image: a face] small
· print
[Which ▾] [⋮] [Go]
[image: a graph]`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = s.Plain(json.RawMessage(`[
	 {"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"see "},{"type":"user","user_id":"U0ANA"},
	   {"type":"link","url":"https://x.test"},{"type":"emoji","name":"eyes"},{"type":"channel","channel_id":"C0OPS"},
	   {"type":"usergroup","usergroup_id":"S0ADMINS"},{"type":"broadcast","range":"here"}]},
	  {"type":"rich_text_list","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"one"}]}]}]},
	 {"type":"table","rows":[[{"type":"raw_text","text":"a"},{"type":"raw_text","text":"b"}],[{"type":"raw_text","text":"c"}]]},
	 {"type":"container","title":{"type":"plain_text","text":"More"},"child_blocks":[{"type":"divider"}]},
	 {"type":"carousel","elements":[{"type":"card","title":{"type":"mrkdwn","text":"Card"},"actions":[{"type":"button","text":{"text":"Go"}}]}]},
	 {"type":"alert","text":{"type":"mrkdwn","text":"careful"}},
	 {"type":"plan","title":"Plan","tasks":[{"title":"do it","status":"complete"}]},{"type":"task_card","title":"do that"},
	 {"type":"file","external_id":"f"},
	 {"type":"context_actions","elements":[{"type":"feedback_buttons","positive_button":{"text":{"text":"+"}},"negative_button":{"text":{"text":"-"}}}]},
	 {"type":"input","label":{"type":"plain_text","text":"Why"},"hint":{"type":"plain_text","text":"in a word"},"element":{"type":"plain_text_input"}}]`))
	want = `see @anahttps://x.test:eyes:#treeherder-ops@th-admins@here
one
a | b
c
*More*
---
Card
[Go]
! careful
*Plan*
do it (complete)
do that (pending)
[file f]
[+] [-]
Why: []
· in a word`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for want, m := range map[string]Message{
		"th (to ana, in a thread): a\n    b\n":    {Name: "th", To: "ana", Ephemeral: true, TS: "2", ThreadTS: "1", Plain: "a\nb"},
		"th: (deleted)\n":                         {Name: "th", Plain: "a", Deleted: true},
		"th: a\n    ! The app did not respond.\n": {Name: "th", Plain: "a", Warning: "The app did not respond."},
	} {
		if got := m.Render(); got != want {
			t.Errorf("Render = %q, want %q", got, want)
		}
	}
}
