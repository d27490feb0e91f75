package slack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"thbot/bot"
	"thbot/integrations/slack/fakeslack"
)

// form asks one question of each sort.
func form() bot.Modal {
	return bot.Modal{Title: "Request a change of the configuration", Submit: "File the bug", Command: "request config <@U0BEA> & more",
		Parts: []bot.Part{bot.Paragraph("What do you ", bot.Strong("need"), "?"), {Kind: bot.Actions, Buttons: []bot.CardButton{{Label: "No", Verb: "no"}}}},
		Fields: []bot.Field{
			{Name: "what", Label: "What", Hint: "no secrets", Placeholder: "a variable", Initial: "DEBUG", Most: 20},
			{Name: "why", Label: "Why", Long: true, Optional: true},
			{Name: "where", Label: "Where", Initial: "stage", Options: []bot.Option{{Value: "prod", Label: "Production"}, {Value: "stage", Label: "Stage"}}},
			{Name: "who", Label: "For whom", Person: true, Optional: true},
		}}
}

// screen is a world whose bot opens a window at each command.
type screen struct {
	*world
	got  chan bot.Submission
	says func(bot.Submission) (*bot.Objection, error)
}

func newScreen(t *testing.T, m bot.Modal) *screen {
	s := &screen{world: newWorld(t), got: make(chan bot.Submission, 9)}
	s.run(receiver{
		command: func(ctx context.Context, r bot.Request) *bot.Card {
			id, err := s.c.OpenModal(ctx, r.Trigger, m)
			if err != nil || id == "" {
				t.Errorf("opening: %q, %v", id, err)
			}
			return nil
		},
		submit: func(_ context.Context, q bot.Submission) (*bot.Objection, error) {
			says := s.says
			s.got <- q
			if says == nil {
				return nil, nil
			}
			return says(q)
		},
	})
	s.acked(s.say("/th request config"))
	return s
}

// window is what ana has open.
func (s *screen) window() fakeslack.View {
	s.t.Helper()
	open := s.fake.View(ana)
	if len(open) != 1 {
		s.t.Fatalf("ana has %d windows", len(open))
	}
	return open[0]
}

func (s *screen) submit(inputs map[string][]string) error {
	s.t.Helper()
	d, err := s.fake.Submit(ana, s.window().ID, inputs)
	if err != nil {
		s.t.Fatal(err)
	}
	return d.Wait(s.ctx)
}

func TestFormComesBackFilledIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(t, bot.Modal{Title: "/th request", Parts: []bot.Part{bot.Paragraph("One moment…")}})
		w := s.window()
		if w.Title != "/th request" || w.Plain != "One moment…" || w.Submit != "" || w.Close != "Close" || w.PrivateMetadata != "" {
			t.Errorf("ana sees %+v", w)
		}
		if err := s.c.UpdateModal(s.ctx, w.ID, form()); err != nil {
			t.Fatal(err)
		}
		w = s.window()
		if w.Title != "Request a change of the…" || w.Submit != "File the bug" || w.Close != "Cancel" || len(w.Buttons()) != 0 {
			t.Errorf("ana sees %+v", w)
		}
		for _, part := range []string{"What do you *need*?", "What", "no secrets", "[DEBUG]", "[Stage ▾]"} {
			if !strings.Contains(w.Plain, part) {
				t.Errorf("ana does not see %q in\n%s", part, w.Plain)
			}
		}
		if _, err := s.fake.Submit(ana, w.ID, map[string][]string{"what": {strings.Repeat("x", 21)}}); err == nil {
			t.Error("Slack takes more than the field does")
		}
		if err := s.submit(map[string][]string{"why": {"It's\n<slow> & sad"}, "where": {"prod"}, "who": {bea}}); err != nil {
			t.Fatal(err)
		}
		got := <-s.got
		want := map[string]string{"what": "DEBUG", "why": "It's\n<slow> & sad", "where": "prod", "who": bea}
		if !maps.Equal(got.Values, want) || got.Person != ana || got.Command != form().Command || got.Key != "T0FAKE:"+w.ID+":"+w.Hash {
			t.Errorf("received %+v", got)
		}
		if open := s.fake.View(ana); len(open) != 0 {
			t.Errorf("it is still open: %+v", open)
		}
	})
}

func TestFormLeftEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := form()
		f.Submit = ""
		for i := range f.Fields {
			f.Fields[i].Initial, f.Fields[i].Optional = "", true
		}
		s := newScreen(t, f)
		if s.window().Submit != "Send" {
			t.Errorf("the button is %q", s.window().Submit)
		}
		if err := s.submit(nil); err != nil {
			t.Fatal(err)
		}
		if got := <-s.got; !maps.Equal(got.Values, map[string]string{"what": "", "why": "", "where": "", "who": ""}) {
			t.Errorf("received %+v", got)
		}
	})
}

func TestFormObjectedTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(t, form())
		for _, test := range []struct{ wrong, want map[string]string }{
			{map[string]string{"what": "That looks like\na secret."}, map[string]string{"what": "That looks like a secret."}},
			{map[string]string{"why": " ", "what": strings.Repeat("x", 999)}, map[string]string{"why": "This cannot be taken.", "what": strings.Repeat("x", 299) + "…"}},
			{map[string]string{"nowhere": "Gone.", "never": "Past."}, map[string]string{"what": "Past. Gone."}},
			{map[string]string{"nowhere": "Gone.", "where": "Not there."}, map[string]string{"what": "Gone.", "where": "Not there."}},
		} {
			s.says = func(bot.Submission) (*bot.Objection, error) { return &bot.Objection{Wrong: test.wrong}, nil }
			if err := s.submit(map[string][]string{"why": {"a hushed thing"}}); err != nil {
				t.Fatal(err)
			}
			if w := s.window(); !maps.Equal(w.Errors, test.want) || w.Warning != "" {
				t.Errorf("%v: ana sees %v and %q", test.wrong, w.Errors, w.Warning)
			}
			<-s.got
		}

		s.says = func(bot.Submission) (*bot.Objection, error) { return nil, errors.New("the disk is full") }
		var no *fakeslack.NotAcked
		if err := s.submit(nil); !errors.As(err, &no) || !strings.Contains(s.window().Warning, "trouble connecting") {
			t.Errorf("%v; ana sees %+v", err, s.window())
		}
		again := <-s.got
		s.says = func(bot.Submission) (*bot.Objection, error) {
			return &bot.Objection{Instead: &bot.Modal{Title: "Nothing was done", Parts: []bot.Part{bot.Paragraph("It is too late.")}}}, nil
		}
		if err := s.submit(nil); err != nil {
			t.Fatal(err)
		}
		if w := s.window(); w.Plain != "It is too late." || w.Submit != "" || w.Warning != "" {
			t.Errorf("ana sees %+v", w)
		}
		if got := <-s.got; got.Key != again.Key {
			t.Errorf("another try of the same submission has key %q, not %q", got.Key, again.Key)
		}
		s.unlogged("hushed")
	})
}

// unlogged fails the test if a text is in the log.
func (w *world) unlogged(text string) {
	w.t.Helper()
	for _, e := range w.logs.All() {
		if strings.Contains(e.Message+fmt.Sprint(e.ContextMap()), text) {
			w.t.Errorf("logged: %s %v", e.Message, e.ContextMap())
		}
	}
}

// What a person sees once cannot be sent back, and is not told of when closed.
func TestWindowWithoutFieldsSendsNothing(t *testing.T) {
	m, err := modal(bot.Modal{Title: "Your key", Submit: "Send", Command: "x", Parts: []bot.Part{
		bot.Paragraph(bot.Fixed("hush")), {Kind: bot.Block, Text: bot.T("-----BEGIN-----\nab`<c>`\n-----END-----\n")},
		{Kind: bot.Actions, Buttons: []bot.CardButton{{Label: "No", Verb: "no"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	text := mustJSON(m)
	for _, no := range []string{"submit", "callback_id", "private_metadata", "notify_on_close", "external_id", "button", "input"} {
		if strings.Contains(text, no) {
			t.Errorf("it has %s: %s", no, text)
		}
	}
	if !strings.Contains(text, mustJSON("```\n-----BEGIN-----\nabˋ&lt;c&gt;ˋ\n-----END-----\n```")) {
		t.Errorf("the block is not line by line: %s", text)
	}
}

func TestLongBlock(t *testing.T) {
	for _, n := range []int{2991, 2992, 2993, 4000} {
		s := block(bot.T(strings.Repeat("x", n)), 3000)
		if whole := n <= 2992; units(s) > 3000 || strings.HasSuffix(s, "x\n```") != whole || strings.HasSuffix(s, "x\n```…") == whole {
			t.Errorf("%d: %d units, with the end %q", n, units(s), s[len(s)-9:])
		}
	}
}

func TestWindowErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(t, form())
		open := func(trigger string) error {
			_, err := s.c.OpenModal(s.ctx, trigger, form())
			return err
		}
		d := s.say("/th") // which opens one
		s.acked(d)
		if err := open(d.TriggerID); !errors.Is(err, bot.ErrTaken) || !bot.NotSent(err) {
			t.Errorf("a used trigger: %v", err)
		}
		s.fake.Refuse("views.open", 2, "expired_trigger_id")
		if err := open(d.TriggerID); err == nil || errors.Is(err, bot.ErrTaken) || !strings.Contains(err.Error(), "expired_trigger_id") {
			t.Errorf("an old trigger: %v", err)
		}
		if err := open(""); err == nil {
			t.Error("opened without a trigger")
		}
		id := s.window().ID
		if _, err := s.fake.CloseView(ana, id, false); err != nil {
			t.Fatal(err)
		}
		hush := bot.Modal{Title: "Key", Parts: []bot.Part{bot.Paragraph("hush")}}
		if err := s.c.UpdateModal(s.ctx, id, hush); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("a closed window: %v", err)
		}
		for _, m := range []bot.Modal{
			{Fields: []bot.Field{{}}},
			{Fields: []bot.Field{{Name: "th-what"}}},
			{Fields: []bot.Field{{Name: "a"}}, Command: strings.Repeat("x", 3001)},
			{Fields: []bot.Field{{Name: "a", Options: []bot.Option{{Value: ""}}}}},
			{Fields: []bot.Field{{Name: "a", Options: []bot.Option{{Value: "1"}, {Value: "1"}}}}},
			{Fields: []bot.Field{{Name: "a", Options: make([]bot.Option, 101)}}},
			{Fields: []bot.Field{{Name: "a"}, {Name: "a"}}},
			{Fields: make([]bot.Field, 101)},
		} {
			if _, err := s.c.OpenModal(s.ctx, "t", m); err == nil || errors.Is(err, bot.ErrTaken) {
				t.Errorf("%+v: %v", m, err)
			}
			if err := s.c.UpdateModal(s.ctx, "V1", m); err == nil || errors.Is(err, bot.ErrNotFound) {
				t.Errorf("%+v: %v", m, err)
			}
		}
		s.unlogged("hush")
	})
}

// The reasons for which Slack refuses a window may quote what it says.
func TestTheReasonsForARefusedWindowAreNotLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := answering(t, 200, `{"ok":false,"error":"invalid_arguments","response_metadata":{"messages":["[ERROR] hush"]}}`)
		err := w.c.UpdateModal(w.ctx, "V1", bot.Modal{Parts: []bot.Part{bot.Paragraph("hush")}})
		if err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "invalid_arguments") {
			t.Errorf("%v", err)
		}
		w.unlogged("hush")
	})
}

func TestSubmissionsThatAreNotOurs(t *testing.T) {
	const frame = `{"envelope_id":"e1","type":"interactive","accepts_response_payload":true,"payload":{"type":"%s","team":{"id":"T0FAKE"},
		"user":{"id":"U0ANA"},"view":{"id":"V1","callback_id":"%s","private_metadata":"request config","hash":"%s","state":%s}}}`
	const hush = `{"values":{"a":{"b":{"type":"plain_text_input","value":"hush"}}}}`
	for name, test := range map[string]struct {
		frame string
		want  string // of the submission; empty: none
		acked bool
	}{
		"ours":                {fmt.Sprintf(frame, "view_submission", formID, "1.a", hush), "T0FAKE:V1:1.a request config map[a:hush]", true},
		"without a hash":      {fmt.Sprintf(frame, "view_submission", formID, "", hush), "T0FAKE:envelope e1 request config map[a:hush]", true},
		"of an older form":    {fmt.Sprintf(frame, "view_submission", "thbot", "1.a", hush), "T0FAKE:V1:1.a  map[a:hush]", true},
		"without a state":     {fmt.Sprintf(frame, "view_submission", formID, "1.a", "null"), "T0FAKE:V1:1.a request config map[]", true},
		"closed":              {fmt.Sprintf(frame, "view_closed", formID, "1.a", hush), "", true},
		"that cannot be read": {fmt.Sprintf(frame, "view_submission", formID, "1.a", `["hush"]`), "", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				got := make(chan string, 1)
				w.run(receiver{
					press: func(_ context.Context, p bot.Press) error { t.Errorf("received %+v", p); return nil },
					submit: func(_ context.Context, s bot.Submission) (*bot.Objection, error) {
						got <- fmt.Sprint(s.Key, " ", s.Command, " ", s.Values)
						return nil, nil
					},
				})
				d, err := w.fake.SendRaw([]byte(test.frame))
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(w.ctx, 10*time.Second)
				defer cancel()
				if err := d.Wait(ctx); (err == nil) != test.acked {
					t.Errorf("acknowledged: %v", err)
				}
				close(got)
				if s := <-got; s != test.want {
					t.Errorf("received %q, want %q", s, test.want)
				}
				w.unlogged("hush")
			})
		})
	}
}

// Whatever a form says, Slack takes it, or it is refused here.
func TestSlackTakesEveryWindow(t *testing.T) {
	w := newWorld(t)
	trigger := make(chan string, 1)
	w.run(receiver{command: func(_ context.Context, r bot.Request) *bot.Card { trigger <- r.Trigger; return nil }})
	field := rapid.Custom(func(t *rapid.T) bot.Field {
		f := bot.Field{Label: anyString.Draw(t, "label"), Hint: anyString.Draw(t, "hint"), Placeholder: anyString.Draw(t, "placeholder"),
			Initial: anyString.Draw(t, "initial"), Long: rapid.Bool().Draw(t, "long"), Optional: rapid.Bool().Draw(t, "optional"),
			Most: rapid.SampledFrom([]int{0, 1, 50, 3000, 9000}).Draw(t, "most")}
		for i := range rapid.SampledFrom([]int{0, 0, 1, 100}).Draw(t, "options") {
			f.Options = append(f.Options, bot.Option{Value: fmt.Sprint(i), Label: anyString.Draw(t, "option")})
		}
		if len(f.Options) == 0 && rapid.Bool().Draw(t, "person") {
			f.Person, f.Initial = true, rapid.SampledFrom([]string{"", ana}).Draw(t, "initial person")
		}
		return f
	})
	id := ""
	rapid.Check(t, func(t *rapid.T) {
		card := anyCard.Draw(t, "card")
		m := bot.Modal{Title: anyString.Draw(t, "title"), Submit: anyString.Draw(t, "submit"), Command: "request", Parts: card.Parts,
			Fields: rapid.SliceOfN(field, 0, 4).Draw(t, "fields")}
		for i := range m.Fields {
			m.Fields[i].Name = fmt.Sprint("field ", i)
		}
		var err error
		if id == "" {
			w.acked(w.say("/th"))
			id, err = w.c.OpenModal(w.ctx, <-trigger, m)
		} else {
			err = w.c.UpdateModal(w.ctx, id, m)
		}
		if err != nil {
			t.Fatalf("%v: %v", err, w.fake.Journal()[len(w.fake.Journal())-1])
		}
	})
}
