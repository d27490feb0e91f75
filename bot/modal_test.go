package bot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"thbot/bot"
)

// ordering orders tea: what, a form asks.
type ordering struct{ *kitchen }

// order is what an ordering remembers.
type order struct{ Shop, What string }

func (ordering) Info() bot.Info {
	return bot.Info{Name: "order", Does: "Orders tea.", Who: "anyone", Menu: "Order…", MenuText: "order oak",
		Args: []bot.Arg{{Name: "shop", Doc: "a shop", Example: "oak"}}}
}

func (o ordering) Form(_ context.Context, r bot.Request) (bot.Modal, error) {
	o.breaks("form")
	switch r.Args["shop"] {
	case "shut":
		return bot.Modal{}, bot.Refuse("The shop is shut.")
	case "dark":
		return bot.Modal{}, &trouble{service: "Shop"}
	case "sold":
		return bot.Modal{Title: "Sold out", Parts: []bot.Part{bot.Paragraph("There is nothing to ask.")}}, nil
	}
	return bot.Modal{Title: "Order from " + r.Args["shop"], Parts: []bot.Part{bot.Paragraph("For ", r.Asker.Name, ".")},
		Fields: []bot.Field{{Name: "what", Label: "What", Optional: true}, {Name: "for", Label: "For whom", Person: true, Optional: true}}}, nil
}

func (o ordering) Check(args, values map[string]string) map[string]string {
	o.breaks("check")
	if strings.HasPrefix(values["what"], "hunter") {
		return map[string]string{"what": "That looks like the password of " + args["shop"] + "."}
	}
	return nil
}

func (o ordering) Plan(_ context.Context, r bot.Request) (bot.Plan[order], error) {
	if r.Values["what"] == "coffee" {
		return bot.Plan[order]{}, bot.Refuse("Nobody sells coffee, ", r.Asker.Name, ".")
	}
	return bot.Plan[order]{Begin: &order{r.Args["shop"], r.Values["what"] + " for " + r.Values["for"]}, First: "done"}, nil
}

func (ordering) Steps() map[bot.State]bot.Step[order] {
	return map[bot.State]bot.Step[order]{"done": {End: bot.Done}}
}

func (ordering) Card(_ bot.Operation, d order) bot.Card {
	return bot.Say("Ordered ", d.What, " from ", d.Shop)
}

// asking is an order that only a cook may make, and that only answers.
type asking struct{ ordering }

func (asking) Info() bot.Info {
	return bot.Info{Name: "ask", Does: "Asks.", Who: "a cook", Begin: cooks}
}

func (asking) Answer(_ context.Context, r bot.Request) (bot.Card, error) {
	return bot.Say("You asked for ", r.Values["what"], "."), nil
}

// choosing is an order that takes a form only when it is said of which shop.
type choosing struct{ ordering }

func (o choosing) Info() bot.Info {
	i := o.ordering.Info()
	i.Name = "choose"
	i.Args[0].Optional = true
	return i
}

func (choosing) Opens(args map[string]string) bool { return args["shop"] != "" }

func (o choosing) Plan(ctx context.Context, r bot.Request) (bot.Plan[order], error) {
	if r.Args["shop"] != "" {
		return o.ordering.Plan(ctx, r)
	}
	answer := bot.Say("There are two shops.")
	return bot.Plan[order]{Answer: &answer}, nil
}

// playForms is play with forms, whose ledger is looked through when it is over.
func playForms(t *testing.T, f func(s *scene)) (kept []byte) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, "sqlite:"+filepath.Join(dir, "ledger.db"), "")
		defer s.end()
		s.bot = s.start(s.withForms(1000 * time.Hour))
		f(s)
	})
	files, err := os.ReadDir(dir)
	for _, file := range files {
		b, rerr := os.ReadFile(filepath.Join(dir, file.Name()))
		kept, err = append(kept, b...), errors.Join(err, rerr)
	}
	if err != nil || !bytes.Contains(kept, []byte("CREATE TABLE")) {
		t.Fatalf("the ledger cannot be looked through: %v", err)
	}
	return kept
}

func (s *scene) withForms(idle time.Duration) *bot.Bot {
	b := s.newBot(idle)
	b.Commands = append(b.Commands, bot.Operates(ordering{s.kitchen}), bot.Answers(asking{ordering{s.kitchen}}), bot.Operates(choosing{ordering{s.kitchen}}), bot.Operates(keyed{s.kitchen}), bot.Operates(chest{keyed{s.kitchen}}))
	return b
}

// ask types a command that opens a window, and returns what is answered beside it.
func (s *scene) ask(who, text, trigger string) string {
	answer := s.bot.Command(s.t.Context(), bot.Request{Key: "T0:" + trigger, Person: who, Channel: room, Text: text, Trigger: trigger})
	if answer == nil {
		return ""
	}
	return plain(*answer)
}

// window is what the newest one has said, in order.
func (s *scene) window() (said []string) {
	s.wait()
	s.chat.mu.Lock()
	defer s.chat.mu.Unlock()
	if len(s.chat.windows) == 0 {
		return nil
	}
	for _, m := range s.chat.windows[len(s.chat.windows)-1].said {
		said = append(said, written(m))
	}
	return said
}

// written is a modal as a transcript shows it.
func written(m bot.Modal) string {
	lines := []string{m.Title + ": " + plain(bot.Card{Parts: m.Parts})}
	for _, f := range m.Fields {
		lines = append(lines, f.Label)
	}
	if m.Submit != "" || m.Command != "" {
		lines = append(lines, "["+m.Submit+"] "+m.Command)
	}
	return strings.Join(lines, " | ")
}

// sees checks what the newest window says now.
func (s *scene) sees(want string) {
	s.t.Helper()
	if said := s.window(); len(said) == 0 || !strings.Contains(said[len(said)-1], want) {
		s.t.Errorf("the window said %q, want last %q", said, want)
	}
}

func (s *scene) submit(who, key, command string, values map[string]string) *bot.Objection {
	s.t.Helper()
	no, err := s.bot.Submit(s.t.Context(), bot.Submission{Key: key, Person: who, Command: command, Values: values})
	if err != nil {
		s.t.Fatal(err)
	}
	s.wait()
	return no
}

func (s *scene) received(key string) (r bot.Received, err error) {
	err = s.store.View(s.t.Context(), func(v bot.View) (err error) { r, err = v.Received(key); return err })
	return r, err
}

const filledIn = "For ana. | What | For whom | [Send] order oak"

func TestFormFromCommandToOperation(t *testing.T) {
	kept := playForms(t, func(s *scene) {
		if told := s.ask(ana, "order oak", "t1"); told != "" {
			t.Errorf("told %q beside the window", told)
		}
		want := []string{"/tea order: One moment…", "Order from oak: " + filledIn}
		if said := s.window(); fmt.Sprint(said) != fmt.Sprint(want) {
			t.Errorf("the window said %q, want %q", said, want)
		}
		if no := s.submit(ana, "V1:a", "order oak", map[string]string{"what": "hunter2 green", "for": ""}); no == nil || no.Wrong["what"] != "That looks like the password of oak." || no.Instead != nil {
			t.Errorf("objects to %+v", no)
		}
		if _, err := s.received("V1:a"); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("what was objected to is kept: %v", err)
		}
		for range 2 { // it may be delivered twice
			if no := s.submit(ana, "V1:b", "order oak", map[string]string{"what": "assam", "for": bo}); no != nil {
				t.Errorf("objects to %+v", no)
			}
		}
		s.later(0)
		s.shows("Ordered assam for U0BO from oak")
		if r, err := s.received("V1:b"); err != nil || r.Request.Values["what"] != "assam" || r.Request.Text != "order oak" {
			t.Errorf("kept %+v, %v", r.Request, err)
		}
		s.submit(bo, "V2:a", "order oak", map[string]string{"what": "coffee"})
		s.later(0)
		s.hears(bo, "Nobody sells coffee, bo.")
		s.silent()
	})
	if bytes.Contains(kept, []byte("hunter2")) || !bytes.Contains(kept, []byte("assam")) {
		t.Error("the ledger holds what must not be kept, or not what must")
	}
	if bytes.Contains(kept, []byte(`t1"`)) && bytes.Contains(kept, []byte("rigger")) {
		t.Error("the ledger holds a trigger")
	}
}

// The window is there before anybody is asked for rights or facts.
func TestFormOpensBeforeAnythingIsLookedUp(t *testing.T) {
	playForms(t, func(s *scene) {
		slow := make(chan struct{})
		s.people.set(func() { s.people.until = slow })
		s.ask(ana, "order oak", "t1")
		s.sees("One moment…")
		close(slow)
		s.sees(filledIn)
	})
}

func TestFormThatCannotBeHad(t *testing.T) {
	for _, test := range []struct {
		name, who, text string
		prepare         func(s *scene)
		want            string
		logs            string
	}{
		{"guest", gil, "order oak", nil, "Guests cannot change anything here.", ""},
		{"no right", ana, "ask", nil, "Only a Treeherder admin can do that, so nothing was done. They are bo and cleo.", ""},
		{"refused", ana, "order shut", nil, "The shop is shut.", ""},
		{"trouble", ana, "order dark", nil, "Shop does not give a usable answer right now, so nothing was done.", "answering a command"},
		{"nothing to ask", ana, "order sold", nil, "Sold out: There is nothing to ask.", ""},
		{"panic", ana, "order oak", func(s *scene) { s.kitchen.set(func() { s.kitchen.broken = "form" }) }, "Something broke on my side before anything was changed.", "form is broken"},
		{"refused by the chat", ana, "order oak", func(s *scene) { s.chat.fails("update", refused) }, "Chat does not give a usable answer right now, so nothing was done.", "showing a form"},
	} {
		t.Run(test.name, func(t *testing.T) {
			playForms(t, func(s *scene) {
				if test.prepare != nil {
					test.prepare(s)
				}
				s.ask(test.who, test.text, "t1")
				s.sees(test.want)
				if said := s.window(); strings.Contains(strings.Join(said, ""), "[") {
					t.Errorf("it can be sent: %q", said)
				}
				if test.logs == "" {
					s.silent()
				} else if s.logged(test.logs) == 0 {
					t.Errorf("not logged: %s", test.logs)
				}
			})
		})
	}
}

func TestFormIsClosedWhileItIsPrepared(t *testing.T) {
	playForms(t, func(s *scene) {
		slow := make(chan struct{})
		s.people.set(func() { s.people.until = slow })
		s.ask(ana, "order oak", "t1")
		s.chat.windows[0].closed = true
		close(slow)
		s.sees("One moment…")
		s.silent()
	})
}

func TestFormDoesNotOpen(t *testing.T) {
	playForms(t, func(s *scene) {
		s.chat.fails("open", refused, refused, fault{broken: true})
		for i := range 3 {
			if told := s.ask(ana, "order oak", fmt.Sprint("t", i)); !strings.HasPrefix(told, "I could not open a window for this in time, so nothing was done. Send /tea order oak again. Ref ") {
				t.Errorf("told %q", told)
			}
			if i == 1 { // by a button, twice delivered, one message
				s.chat.fails("open", refused, refused)
				s.say(ana, "")
				p := bot.Press{Key: "T0:p", Person: ana, Channel: room, Verb: bot.VerbSay, Value: "order oak", Trigger: "tp"}
				s.send(p)
				s.send(p)
				s.wait()
				s.hears(ana, "Send /tea order oak again. Ref ")
				if n := s.chat.count("whisper"); n != 1 {
					t.Errorf("%d whispers", n)
				}
			}
		}
		if s.window() != nil {
			t.Error("a window is open")
		}
	})
}

// A chat that does not answer must not keep the acknowledgement back, for
// which it gives three seconds.
func TestOpeningTakesTooLong(t *testing.T) {
	playForms(t, func(s *scene) {
		slow := &slowChat{chat: s.chat}
		s.stop()
		b := s.withForms(1000 * time.Hour)
		b.Chat = slow
		s.bot = s.start(b)
		began := time.Now()
		if told := s.ask(ana, "order oak", "t1"); !strings.Contains(told, "Send /tea order oak again.") {
			t.Errorf("told %q", told)
		}
		if took := time.Since(began); took > 2500*time.Millisecond {
			t.Errorf("it took %s", took)
		}
	})
}

// slowChat opens windows when its context ends.
type slowChat struct{ *chat }

func (c *slowChat) OpenModal(ctx context.Context, _ string, _ bot.Modal) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

// Of two deliveries of one command, one opens the window, and the other is quiet.
func TestFormDeliveredTwice(t *testing.T) {
	playForms(t, func(s *scene) {
		for range 2 {
			if told := s.ask(ana, "order oak", "t1"); told != "" {
				t.Errorf("told %q", told)
			}
		}
		s.sees(filledIn)
		if len(s.chat.windows) != 1 {
			t.Errorf("%d windows", len(s.chat.windows))
		}
		s.silent()
	})
}

func TestFormByAButton(t *testing.T) {
	playForms(t, func(s *scene) {
		p := bot.Press{Key: "T0:p", Person: ana, Channel: room, Verb: bot.VerbSay, Value: "order oak", Trigger: "t1"}
		s.send(p)
		s.sees(filledIn)
		if _, err := s.received(p.Key); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("the press is kept: %v", err)
		}
		// Elsewhere, and where it has come too late for a window, it is said where.
		p.Key, p.Channel, p.Trigger = "T0:q", "D0ANA", "t2"
		s.send(p)
		s.wait()
		if said := s.chat.said(ana); len(said) != 1 || !strings.Contains(said[0], "This takes a form, which I can open only at once and in #kitchen, so nothing was done. Send /tea order oak there.") {
			t.Errorf("ana is told %q", said)
		}
		p.Key, p.Channel, p.Verb = "T0:r", room, bot.VerbShare
		s.send(p)
		s.wait()
		s.hears(ana, "Send /tea order oak there.")
		if len(s.chat.windows) != 1 {
			t.Errorf("%d windows", len(s.chat.windows))
		}
	})
}

func TestSubmissionIsJudgedLikeACommand(t *testing.T) {
	playForms(t, func(s *scene) {
		values := map[string]string{"what": "assam"}
		s.submit(ana, "V1:a", "ask", values) // the right was lost meanwhile
		s.hears(ana, "Only a Treeherder admin can do that")
		s.submit(bo, "V1:b", "ask", values)
		s.hears(bo, "You asked for assam.")
		s.submit(gil, "V1:c", "order oak", values)
		s.hears(gil, "Guests cannot change anything here.")
		s.shows()

		// A bot that was away does nothing late.
		s.stop()
		s.do(func(tx bot.Tx) error {
			r := bot.Request{Key: "V1:d", Person: ana, Channel: room, Text: "order oak", Values: values}
			return tx.AddReceived(bot.Received{Key: r.Key, At: tx.Now().Add(-61 * time.Second), Due: tx.Now(), Request: &r})
		})
		s.bot = s.start(s.withForms(1000 * time.Hour))
		s.later(time.Second)
		s.hears(ana, "I was away when you sent this, so nothing was done.")
		s.shows()
	})
}

func TestSubmissionOfAnUnknownForm(t *testing.T) {
	playForms(t, func(s *scene) {
		for _, command := range []string{"", "order", "recipe", "brew oak", "what is this"} {
			no := s.submit(ana, "V1:a", command, map[string]string{"what": "assam"})
			if no == nil || no.Wrong != nil || no.Instead == nil || len(no.Instead.Fields) > 0 || !strings.Contains(written(*no.Instead), "I do not know this form any more, so nothing was kept and nothing was done.") {
				t.Errorf("%q: %+v", command, no)
			}
		}
		if _, err := s.received("V1:a"); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("it is kept: %v", err)
		}
	})
}

func TestSubmissionThatIsNotStored(t *testing.T) {
	playForms(t, func(s *scene) {
		s.kitchen.set(func() { s.kitchen.broken = "check" })
		if no, err := s.bot.Submit(t.Context(), bot.Submission{Key: "V1:a", Person: ana, Command: "order oak", Values: map[string]string{"what": "hunter2"}}); err == nil || no != nil {
			t.Errorf("a broken check objects to %+v, %v", no, err)
		}
		if s.logged("checking a form panicked") != 1 || s.logged("check is broken") != 0 {
			t.Error("what a check panics with is logged, or nothing is")
		}
		s.kitchen.set(func() { s.kitchen.broken = "" })
		b := s.withForms(time.Hour)
		b.Ledger, b.Log = away{}, zap.NewNop()
		if no, err := b.Submit(t.Context(), bot.Submission{Key: "V1:b", Person: ana, Command: "order oak", Values: map[string]string{"what": "assam"}}); err == nil || no != nil {
			t.Errorf("without a ledger it objects to %+v, %v", no, err)
		}
	})
}

// away is a ledger that does not answer.
type away struct{ bot.Ledger }

func (away) Do(context.Context, func(bot.Tx) error) error { return errAway }

func TestFormOfSomeCommands(t *testing.T) {
	playForms(t, func(s *scene) {
		s.ask(ana, "choose", "t1")
		s.later(0)
		s.hears(ana, "There are two shops.")
		if said := s.window(); said != nil {
			t.Errorf("a window said %q", said)
		}
		s.ask(ana, "choose oak", "t2")
		s.sees("[Send] choose oak")
		if no := s.submit(ana, "V1:a", "choose oak", map[string]string{"what": "assam"}); no != nil {
			t.Errorf("objects to %+v", no)
		}
		s.later(0)
		s.shows("Ordered assam for  from oak")
	})
}
