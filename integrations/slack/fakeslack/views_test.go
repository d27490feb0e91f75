package fakeslack

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

const form = `{"type":"modal","callback_id":"request","private_metadata":"p","notify_on_close":true,
 "title":{"type":"plain_text","text":"Request"},"submit":{"type":"plain_text","text":"File"},
 "blocks":[
  {"type":"input","block_id":"why","label":{"type":"plain_text","text":"Why"},
   "element":{"type":"plain_text_input","action_id":"text","min_length":3,"max_length":10,"placeholder":{"type":"plain_text","text":"a reason"}}},
  {"type":"input","block_id":"where","label":{"type":"plain_text","text":"Where"},"optional":true,"dispatch_action":true,
   "element":{"type":"static_select","action_id":"env","options":[
    {"text":{"type":"plain_text","text":"Stage"},"value":"stage"},{"text":{"type":"plain_text","text":"Production"},"value":"prod"}]}},
  {"type":"actions","block_id":"act","elements":[
   {"type":"button","action_id":"more","text":{"type":"plain_text","text":"More"}},
   {"type":"datepicker","action_id":"day","initial_date":"2026-11-22"}]}]}`

func modal(t *testing.T, text string) slack.ModalViewRequest {
	t.Helper()
	var v slack.ModalViewRequest
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// screen is a world with an app that opens form at each command, tells what
// interactions it got, and acknowledges submissions with what it is told.
type screen struct {
	*world
	got  chan slack.InteractionCallback
	acks chan any
}

func newScreen(t *testing.T, edit ...func(*Server)) *screen {
	s := &screen{newWorld(t, edit...), make(chan slack.InteractionCallback, 20), make(chan any, 20)}
	s.app(func(c *socketmode.Client, e socketmode.Event) {
		switch v := e.Data.(type) {
		case slack.InteractionCallback:
			s.got <- v
			if v.Type == slack.InteractionTypeViewSubmission {
				if payload := <-s.acks; payload != nil {
					c.Ack(*e.Request, payload)
					return
				}
			}
			c.Ack(*e.Request)
		default:
			acks(c, e)
		}
	})
	return s
}

// open opens form for ana and returns it as she sees it.
func (s *screen) open() View {
	s.t.Helper()
	d := s.say(ana, "/th request")
	if _, err := s.api.OpenView(d.TriggerID, modal(s.t, form)); err != nil {
		s.t.Fatal(err)
	}
	if err := s.wait(d); err != nil {
		s.t.Fatal(err)
	}
	return s.View(ana)[0]
}

// submit submits the view on top and lets the app answer with payload.
func (s *screen) submit(payload any) slack.InteractionCallback {
	s.t.Helper()
	stack := s.View(ana)
	s.acks <- payload
	d, err := s.Submit(ana, stack[len(stack)-1].ID, map[string][]string{"why": {"because"}})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.wait(d); err != nil {
		s.t.Fatal(err)
	}
	return receive(s.t, s.got)
}

func TestTriggers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.app(acks)
		w.surprises = true
		try := func(method, trigger string) string {
			t.Helper()
			a, _ := w.call(method, DefaultBotToken, "trigger_id", trigger, "view", form)
			return code(a)
		}
		d := w.say(ana, "/th x")
		if got := try("views.open", d.TriggerID); got != "" {
			t.Errorf("at once: %s", got)
		}
		if got := try("views.open", d.TriggerID); got != "exchanged_trigger_id" {
			t.Errorf("again: %s", got)
		}
		d = w.say(ana, "/th x")
		later(triggerLife + time.Millisecond)
		if got := try("views.open", d.TriggerID); got != "expired_trigger_id" {
			t.Errorf("late: %s", got)
		}
		if got := try("views.open", "made.up"); got != "invalid_arguments" {
			t.Errorf("made up: %s", got)
		}
		if got := try("views.push", w.say(ana, "/th x").TriggerID); got != "not_found" {
			t.Errorf("pushed from a command: %s", got)
		}
		// What is refused does not use the trigger up.
		d = w.say(ana, "/th x")
		if a, _ := w.call("views.open", DefaultBotToken, "trigger_id", d.TriggerID, "view", "{}"); code(a) != "invalid_arguments" {
			t.Errorf("no view: %v", a)
		}
		if got := try("views.open", d.TriggerID); got != "" {
			t.Errorf("after a refusal: %s", got)
		}
	})
}

func TestSubmissions(t *testing.T) {
	next := strings.Replace(form, `"text":"Request"`, `"text":"Next"`, 1)
	for _, tc := range []struct {
		name    string
		payload any
		titles  string // of what is open afterwards
		trouble bool
		errors  map[string]string
	}{
		{"empty", nil, "", false, nil},
		{"empty object", map[string]any{}, "", false, nil},
		{"clear", slack.NewClearViewSubmissionResponse(), "", false, nil},
		{"update", map[string]any{"response_action": "update", "view": json.RawMessage(next)}, "Next", false, nil},
		{"push", map[string]any{"response_action": "push", "view": json.RawMessage(next)}, "Request Next", false, nil},
		{"errors", slack.NewErrorsViewSubmissionResponse(map[string]string{"why": "too short"}), "Request", false, map[string]string{"why": "too short"}},
		{"errors for no input", slack.NewErrorsViewSubmissionResponse(map[string]string{"act": "what?"}), "Request", true, nil},
		{"errors for nothing", map[string]any{"response_action": "errors", "errors": map[string]string{}}, "Request", true, nil},
		{"text", map[string]any{"text": "thanks"}, "Request", true, nil},
		{"no view", map[string]any{"response_action": "push", "view": map[string]any{"type": "modal"}}, "Request", true, nil},
		{"home as modal", map[string]any{"response_action": "update", "view": map[string]any{"type": "home", "blocks": []any{}}}, "Request", true, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newScreen(t)
			s.surprises = tc.trouble
			s.open()
			got := s.submit(tc.payload)
			if v := got.View.State.Values["why"]["text"].Value; v != "because" || got.View.CallbackID != "request" || got.TriggerID == "" {
				t.Errorf("%s: submitted %+v", tc.name, got.View)
			}
			var titles []string
			for _, v := range s.View(ana) {
				titles = append(titles, v.Title)
			}
			if got := strings.Join(titles, " "); got != tc.titles {
				t.Errorf("%s: open afterwards %q, want %q", tc.name, got, tc.titles)
			}
			if len(titles) == 0 {
				return
			}
			v := s.View(ana)[0]
			if (v.Warning == trouble) != tc.trouble || cmp.Diff(tc.errors, v.Errors) != "" {
				t.Errorf("%s: warning %q, errors %v", tc.name, v.Warning, v.Errors)
			}
			if tc.trouble != (len(s.Unexpected()) > 0) {
				t.Errorf("%s: remembered %q", tc.name, s.Unexpected())
			}
		})
	}
}

// An app that does not answer a submission leaves the modal open, with the
// values in it.
func TestSubmissionUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(t)
		v := s.open()
		s.LoseAcks(1)
		s.acks <- nil
		d, err := s.Submit(ana, v.ID, map[string][]string{"why": {"because"}})
		if err != nil {
			t.Fatal(err)
		}
		if s.wait(d) == nil {
			t.Error("a lost ack arrived")
		}
		v = s.View(ana)[0]
		if v.Warning != trouble || v.Values["why/text"][0] != "because" {
			t.Errorf("left: %+v", v)
		}
		s.submit(nil) // the try after that works
		if got := s.View(ana); got != nil {
			t.Errorf("still open: %+v", got)
		}
	})
}

// Only the acks of commands and submissions may carry something.
func TestAcceptsResponsePayload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r, _ := w.dialRaw()
		d := w.say(ana, "/th x")
		v, err := w.api.OpenView(d.TriggerID, modal(t, form))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.PressIn(ana, v.ID, "more", ""); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Submit(ana, v.ID, map[string][]string{"why": {"because"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.CloseView(ana, v.ID, false); err != nil {
			t.Fatal(err)
		}
		for i, want := range []bool{true, false, true, false} {
			if f := r.read(); f["accepts_response_payload"] != want {
				t.Errorf("%d: %v of a %s", i, f["accepts_response_payload"], f["type"])
			}
		}
	})
}

func TestSubmitNeedsInputs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(t)
		v := s.open()
		for _, tc := range []struct {
			person, view string
			inputs       map[string][]string
		}{
			{ana, v.ID, nil},
			{ana, v.ID, map[string][]string{"why": {"ab"}}},
			{ana, v.ID, map[string][]string{"why": {"more than ten"}}},
			{ana, v.ID, map[string][]string{"why": {"one", "two"}}},
			{ana, v.ID, map[string][]string{"why": {"because"}, "act": {"2026-01-01"}}},
			{ana, v.ID, map[string][]string{"why": {"because"}, "where": {"mars"}}},
			{ana, "V404", map[string][]string{"why": {"because"}}},
			{bea, v.ID, map[string][]string{"why": {"because"}}},
			{"U404", v.ID, nil},
		} {
			if _, err := s.Submit(tc.person, tc.view, tc.inputs); err == nil {
				t.Errorf("submitted %+v", tc)
			}
		}
	})
}

func TestViewUpdates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(t)
		v := s.open()
		// What was chosen stays where block_id and action_id do.
		for action, choice := range map[string]string{"text": "hotfix", "env": "Production", "day": "2026-12-01"} {
			if _, err := s.ChooseIn(ana, v.ID, action, choice); err != nil {
				t.Fatal(err)
			}
		}
		changed := strings.Replace(form, `"action_id":"env"`, `"action_id":"target"`, 1)
		updated, err := s.api.UpdateView(modal(t, changed), "", v.Hash, v.ID)
		if err != nil {
			t.Fatal(err)
		}
		after := s.View(ana)[0]
		want := map[string][]string{"why/text": {"hotfix"}, "where/target": nil, "act/day": {"2026-12-01"}}
		if diff := cmp.Diff(want, after.Values); diff != "" {
			t.Error(diff)
		}
		if updated.Hash == v.Hash || updated.Hash != after.Hash || after.ID != v.ID {
			t.Errorf("hash %s, before %s", updated.Hash, v.Hash)
		}
		if want := "Why: [hotfix]\nWhere: [Select ▾]\n[More] [2026-12-01 ▾]"; after.Plain != want {
			t.Errorf("it reads\n%s\nwant\n%s", after.Plain, want)
		}
		// What was chosen in an element of another kind is not kept.
		other := strings.Replace(form, `"type":"datepicker","action_id":"day","initial_date":"2026-11-22"`, `"type":"timepicker","action_id":"day"`, 1)
		if _, err := s.api.UpdateView(modal(t, other), "", "", v.ID); err != nil || s.View(ana)[0].Values["act/day"] != nil {
			t.Errorf("another element holds %q, %v", s.View(ana)[0].Values["act/day"], err)
		}
		for _, tc := range []struct {
			form []string
			want string
		}{
			{[]string{"view_id", v.ID, "hash", v.Hash, "view", form}, "hash_conflict"},
			{[]string{"view_id", "V404", "view", form}, "not_found"},
			{[]string{"view", form}, "invalid_arguments"},
			{[]string{"view_id", v.ID, "view", `{"type":"home","blocks":[]}`}, "invalid_arguments"},
			{[]string{"view_id", v.ID, "view", `{"private_metadata":"` + strings.Repeat("x", largestView) + `"}`}, "view_too_large"},
			{[]string{"view_id", v.ID, "view", strings.Replace(form, `"type":"modal"`, `"type":"modal","external_id":"mine"`, 1)}, ""},
			{[]string{"external_id", "mine", "view", strings.Replace(form, `"type":"modal"`, `"type":"modal","external_id":"mine"`, 1)}, ""},
		} {
			if a, _ := s.call("views.update", DefaultBotToken, tc.form...); code(a) != tc.want {
				t.Errorf("%.100q: %v, want %q", tc.form, a, tc.want)
			}
		}
		d := s.say(bea, "/th x")
		if a, _ := s.call("views.open", DefaultBotToken, "trigger_id", d.TriggerID, "view", strings.Replace(form, `"type":"modal"`, `"type":"modal","external_id":"mine"`, 1)); code(a) != "duplicate_external_id" {
			t.Errorf("a second view with its external id: %v", a)
		}
	})
}

func TestStackAndClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(t)
		s.open()
		push := func() error {
			stack := s.View(ana)
			d, err := s.PressIn(ana, stack[len(stack)-1].ID, "more", "")
			if err != nil {
				t.Fatal(err)
			}
			if got := receive(t, s.got); got.Container.ViewID != stack[len(stack)-1].ID || got.ResponseURL != "" || got.ActionCallback.BlockActions[0].ActionID != "more" {
				t.Errorf("pressed %+v", got)
			}
			_, err = s.api.PushView(d.TriggerID, modal(t, form))
			return err
		}
		for range 2 {
			if err := push(); err != nil {
				t.Fatal(err)
			}
		}
		if err := push(); err == nil || err.Error() != "push_limit_reached" {
			t.Errorf("a fourth: %v", err)
		}
		stack := s.View(ana)
		if _, err := s.CloseView(ana, stack[0].ID, false); err == nil {
			t.Error("a modal below was closed")
		}
		for _, tc := range []struct {
			all, cleared bool
			closed       string
			left         int
		}{{false, false, stack[2].ID, 2}, {true, true, stack[0].ID, 0}} {
			top := s.View(ana)
			d, err := s.CloseView(ana, top[len(top)-1].ID, tc.all)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.wait(d); err != nil {
				t.Fatal(err)
			}
			got := receive(t, s.got)
			if got.Type != slack.InteractionTypeViewClosed || got.View.ID != tc.closed || got.IsCleared != tc.cleared || len(s.View(ana)) != tc.left {
				t.Errorf("closed %s, cleared %v, %d left; want %+v", got.View.ID, got.IsCleared, len(s.View(ana)), tc)
			}
		}
		if _, err := s.CloseView(ana, stack[0].ID, false); err == nil {
			t.Error("closed what was not open")
		}
		// Without notify_on_close nobody is told.
		quiet := strings.Replace(form, `"notify_on_close":true`, `"notify_on_close":false`, 1)
		v, err := s.api.OpenView(s.say(ana, "/th x").TriggerID, modal(t, quiet))
		if err != nil {
			t.Fatal(err)
		}
		if d, err := s.CloseView(ana, v.ID, true); err != nil || d.ID != "" {
			t.Errorf("closed quietly: %+v, %v", d, err)
		}
		told := strings.Join(s.Envelopes(), "\n")
		for kind, want := range map[string]int{viewClosed: 2, blockActions: 3, slashCommands: 2} {
			if n := strings.Count(told, fmt.Sprintf(`"type":%q`, kind)); n != want {
				t.Errorf("%d envelopes of %s, want %d", n, kind, want)
			}
		}
	})
}

func TestHome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(t, func(s *Server) { s.Subscribed = []string{"app_home_opened"} })
		if d, err := s.OpenHome(ana, "home"); err != nil || s.wait(d) != nil {
			t.Fatal(err)
		}
		if _, published := s.Home(ana); published {
			t.Error("a view was published by nobody")
		}
		publish := func(hash, label string) (*slack.ViewResponse, error) {
			blocks := slack.Blocks{BlockSet: []slack.Block{slack.NewActionBlock("b", slack.NewButtonBlockElement("go", "1", slack.NewTextBlockObject("plain_text", label, false, false)))}}
			return s.api.PublishView(ana, slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: blocks}, hash)
		}
		first, err := publish("", "Go")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := publish(first.Hash, "Go on"); err != nil {
			t.Fatal(err)
		}
		if _, err := publish(first.Hash, "Stale"); err == nil || err.Error() != "hash_conflict" {
			t.Errorf("an old hash: %v", err)
		}
		v, _ := s.Home(ana)
		if v.ID != first.ID || v.Plain != "[Go on]" || len(v.Buttons()) != 1 {
			t.Errorf("home: %+v", v)
		}
		d, err := s.PressIn(ana, v.ID, "go", "1")
		if err != nil {
			t.Fatal(err)
		}
		if got := receive(t, s.got); got.View.Type != slack.VTHomeTab || got.Container.ViewID != v.ID || s.wait(d) != nil {
			t.Errorf("pressed %+v", got)
		}
		if _, err := s.PressIn(ana, v.ID, "stop", ""); err == nil {
			t.Error("a button that is not there was pressed")
		}
		if d, err := s.OpenHome(ana, "home"); err != nil || s.wait(d) != nil {
			t.Fatal(err)
		}
		events := s.Events()
		for i, want := range []bool{false, true} {
			if got := strings.Contains(string(events[i].Payload), `"view":{`); events[i].Type != "app_home_opened" || got != want {
				t.Errorf("event %d: %s", i, events[i].Payload)
			}
		}
		for user, want := range map[string]string{"U404": "invalid_arguments", "U0GONE": "invalid_arguments", "": "invalid_arguments"} {
			if a, _ := s.call("views.publish", DefaultBotToken, "user_id", user, "view", `{"type":"home","blocks":[]}`); code(a) != want {
				t.Errorf("published to %q: %v", user, a)
			}
		}
		if _, err := s.OpenHome("U0GONE", "home"); err == nil {
			t.Error("somebody deactivated opened it")
		}
	})
}

func TestViewsRefused(t *testing.T) {
	s := &Server{}
	s.next()
	input := `{"type":"input","label":{"type":"plain_text","text":"l"},"element":{"type":"plain_text_input"}}`
	modal := func(more string) string {
		return `{"type":"modal","title":{"type":"plain_text","text":"t"},"blocks":[]` + more + `}`
	}
	for _, tc := range []struct{ view, want string }{
		{modal(""), ""},
		{modal(`,"private_metadata":"","external_id":""`), ""},
		{`{"type":"modal","blocks":[]}`, "missing required field: title [json-pointer:/view]"},
		{`{"blocks":[]}`, "missing required field: type [json-pointer:/view]"},
		{`{"type":"workflow_step","blocks":[]}`, "must be a valid enum value [json-pointer:/view/type]"},
		{`{"type":"modal","title":{"type":"plain_text","text":"` + strings.Repeat("x", 25) + `"},"blocks":[]}`,
			"failed to match all allowed schemas [json-pointer:/view/title]; must be less than 25 characters [json-pointer:/view/title/text]"},
		{`{"type":"modal","title":{"type":"plain_text","text":"t"},"blocks":[` + input + `]}`, "missing required field: submit [json-pointer:/view]"},
		{`{"type":"modal","title":{"type":"plain_text","text":"t"},"blocks":[1]}`, "must provide an object [json-pointer:/view/blocks/0]"},
		{`{"type":"home","title":{"type":"plain_text","text":"t"},"blocks":[]}`, "invalid additional property: title [json-pointer:/view]"},
		{modal(`,"callback_id":"` + strings.Repeat("x", 256) + `"`), "must be less than 256 characters [json-pointer:/view/callback_id]"},
		{modal(`,"private_metadata":"` + strings.Repeat("x", 3001) + `"`), "must be less than 3001 characters [json-pointer:/view/private_metadata]"},
		{modal(`,"notify_on_close":"yes"`), "must provide a boolean [json-pointer:/view/notify_on_close]"},
		{`{"type":"home","blocks":[` + strings.TrimSuffix(strings.Repeat(`{"type":"divider"},`, 101), ",") + `]}`, "no more than 100 items allowed [json-pointer:/view/blocks]"},
		{`{"type":"home","blocks":[{"type":"alert","text":{"type":"mrkdwn","text":"x"}}]}`, "unsupported type: alert [json-pointer:/view/blocks/0/type]"},
	} {
		_, err := s.readView(tc.view, inModal, inHome)
		got := ""
		if e, ok := err.(slackError); ok {
			got = strings.Join(e.messages, "; ")
		}
		if got != tc.want {
			t.Errorf("%.200s: %q, want %q", tc.view, got, tc.want)
		}
	}
	for _, text := range []string{"", "nonsense", "[]", "null"} {
		if _, err := s.readView(text, inModal); err == nil {
			t.Errorf("%q is a view", text)
		}
	}
}

func ExampleServer_View() {
	s := &Server{}
	populate(s)
	v, _ := s.readView(form, inModal)
	s.raise(s.born(v, ana), nil)
	fmt.Println(s.View(ana)[0].Plain)
	// Output:
	// Why: [a reason]
	// Where: [Select ▾]
	// [More] [2026-11-22 ▾]
}
