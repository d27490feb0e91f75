package bot_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"thbot/bot"
)

// What becomes of an act, and of what is seen of it: the effect happens once.
func TestLooksBeforeItActs(t *testing.T) {
	unknown := &trouble{service: "Kitchen"}
	for _, test := range []struct {
		name  string
		there bool    // before anybody acts
		acts  []fault // what becomes of them
		tries int
		after time.Duration
		state bot.State
	}{
		{name: "it acts", tries: 1, state: "boil"},
		{name: "it is there already", there: true, tries: 0, state: "boil"},
		{name: "the answer is lost", acts: []fault{{err: unknown, lost: true}}, tries: 1, after: every, state: "boil"},
		{name: "the request is lost", acts: []fault{{err: unknown}}, tries: 2, after: every, state: "boil"},
		{name: "it is lost again and again", acts: []fault{{err: unknown}, {err: unknown}, {err: unknown, lost: true}}, tries: 3, after: 3 * every, state: "boil"},
		{name: "it is refused", acts: []fault{{err: &bot.Refused{Why: "There is no water."}}}, tries: 1, state: "refused"},
		{name: "it is refused, wrapped", acts: []fault{{err: fmt.Errorf("switching on: %w", &bot.Refused{Why: "There is no water."})}}, tries: 1, state: "refused"},
		// An integration's own errors are not to be mistaken for the ledger's.
		{name: "somebody else moved it", acts: []fault{{err: fmt.Errorf("switching on: %w", bot.ErrMoved)}}, tries: 2, after: every, state: "boil"},
		{name: "it is taken", acts: []fault{{err: fmt.Errorf("switching on: %w", bot.ErrTaken), lost: true}}, tries: 1, after: every, state: "boil"},
		{name: "it panics", acts: []fault{{broken: true}}, tries: 2, after: every, state: "boil"},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(s *scene) {
				s.kitchen.set(func() {
					s.kitchen.acting = test.acts
					if test.there {
						s.kitchen.on["blue"] = 1
					}
				})
				s.brew("blue")
				if test.after > 0 {
					o := s.operation("brew", "blue")
					if o.Trouble == nil || o.State != "switch" {
						t.Errorf("right after it the operation is %+v", o)
					}
					s.shows("has not given a usable answer since 00:00; still watching. Ref ")
				}
				s.later(test.after)
				o := s.operation("brew", "blue")
				if o.State != test.state || o.Trouble != nil {
					t.Errorf("in state %q with trouble %v, want %q without", o.State, o.Trouble, test.state)
				}
				if n := s.kitchen.count(s.kitchen.tries, "blue"); n != test.tries {
					t.Errorf("tried %d times, want %d", n, test.tries)
				}
				if test.state == "boil" {
					s.switched("blue", 1)
				} else if o.End != bot.Failed || !slices.Contains(s.chat.said(room), "Tea from blue: refused. ") {
					t.Errorf("ended with %q and said %q", o.End, s.chat.said(room))
				}
			})
		})
	}
}

// An error while looking is not an answer: it is shown, and it moves nothing.
func TestTrouble(t *testing.T) {
	for _, test := range []struct {
		err   error
		shown string
	}{
		{&trouble{service: "Kitchen"}, "⚠ Kitchen has not given a usable answer since 00:00; still watching. Ref "},
		{&trouble{service: "Kitchen", notSent: true, final: true}, "⚠ Kitchen has not given"},
		{errors.New("short circuit in tok_123"), "⚠ Something I need has not given a usable answer since 00:00"},
		{bot.ErrNotFound, "⚠ Something I need"},
		{bot.ErrMoved, "⚠ Something I need"},
		{bot.Refuse("No."), "⚠ Something I need"},
	} {
		t.Run(test.err.Error(), func(t *testing.T) {
			play(t, func(s *scene) {
				s.say(ana, "brew blue")
				s.kitchen.set(func() { s.kitchen.blind = test.err })
				s.press(bo, "Brew")
				s.later(20 * every)
				o := s.operation("brew", "blue")
				if o.State != "switch" || o.Acts != 0 {
					t.Errorf("after twenty errors it is in state %q, with %d acts", o.State, o.Acts)
				}
				s.switched("blue", 0)
				s.shows(test.shown)
				if text := s.chat.said(room)[0]; strings.Contains(text, "tok_123") || !strings.Contains(text, o.Trouble.Ref) {
					t.Errorf("people read %q of the trouble %+v", text, o.Trouble)
				}
				if s.logged(o.Trouble.Ref) == 0 || s.logged("still trying") < 20 {
					t.Errorf("an operator finds no %s in the log", o.Trouble.Ref)
				}
				s.kitchen.set(func() { s.kitchen.blind = nil })
				s.later(every)
				if o := s.operation("brew", "blue"); o.State != "boil" || o.Trouble != nil {
					t.Errorf("afterwards it is %+v", o)
				}
				s.shows("Tea from blue, boil")
				if text := s.chat.said(room)[0]; strings.Contains(text, "⚠") {
					t.Errorf("the trouble is over and still shown: %s", text)
				}
			})
		})
	}
}

// A step that waits too long leads where its table says, errors or not.
func TestGivesUp(t *testing.T) {
	for name, blind := range map[string]error{"not yet": nil, "no answer": &trouble{service: "Kitchen"}} {
		t.Run(name, func(t *testing.T) {
			play(t, func(s *scene) {
				s.brew("blue")
				s.kitchen.set(func() { s.kitchen.blind = blind })
				s.later(time.Minute - time.Second)
				s.is("brew", "blue", "boil")
				s.later(time.Second)
				s.is("brew", "blue", "cold")
				s.shows("Tea from blue, cold", "Tea from blue: cold. ")
				looks := s.kitchen.count(s.kitchen.looks, "blue")
				s.later(time.Minute)
				if n := s.kitchen.count(s.kitchen.looks, "blue"); n != looks {
					t.Errorf("%d more looks after the end", n-looks)
				}
			})
		})
	}
}

// What a look changes is kept, also when it fails, and shown.
func TestRemembers(t *testing.T) {
	play(t, func(s *scene) {
		s.brew("blue")
		s.later(2 * every)
		s.kitchen.set(func() { s.kitchen.blind = &trouble{service: "Kitchen"} })
		s.later(2 * every)
		// Two in "switch", around the act, and five in "boil".
		s.shows("looked 7 times")
		s.kitchen.set(func() { s.kitchen.blind = nil })
		s.later(every)
		if o := s.operation("brew", "blue"); o.Trouble != nil || strings.Contains(s.chat.said(room)[0], "⚠") {
			t.Errorf("the trouble is over, and it still says %q", s.chat.said(room)[0])
		}
		var d tea
		if err := json.Unmarshal(s.operation("brew", "blue").Data, &d); err != nil || d.Looks != 8 || d.Pot != "blue" {
			t.Errorf("it remembers %+v, %v", d, err)
		}
		s.do(func(tx bot.Tx) error {
			events, err := tx.Events(s.operations()[0].ID)
			var lines []string
			for _, e := range events {
				lines = append(lines, fmt.Sprintf("%s %s→%s %s", e.Who, e.From, e.To, e.Note))
			}
			want := []string{ana + " →ask brew blue", bo + " ask→switch brew", " switch→boil it is on"}
			if !slices.Equal(lines, want) {
				t.Errorf("the audit trail is %q, want %q", lines, want)
			}
			return err
		})
	})
}

// An operation may begin without a question; what belongs to its first state
// is done as for any other.
func TestBeginsWithAStep(t *testing.T) {
	play(t, func(s *scene) {
		s.say(ana, "clean filthy")
		s.is("clean", "filthy", "done")
		if said := s.chat.said(room); len(said) != 2 || !slices.Contains(said, "Scrubbing filthy.") {
			t.Errorf("in the channel: %q", said)
		}
		s.hears(ana, "On it.")
		s.say(ana, "clean filthy")
		if n := s.kitchen.count(s.kitchen.clean, "filthy"); n != 1 || len(s.chat.said(room)) != 4 {
			t.Errorf("cleaned %d times; in the channel: %q", n, s.chat.said(room))
		}
		s.silent()
	})
}

func TestPlans(t *testing.T) {
	for text, want := range map[string]string{
		"brew gone":    "There is no pot gone.",
		"brew dark":    "Kitchen does not give a usable answer right now, so nothing was done. Try again in a minute. Ref ",
		"brew slowly":  "This took longer than I may take, so nothing was done. Try again in a minute. Ref ",
		"brew nothing": "Something broke on my side before anything was changed. Ref ",
		"brew nowhere": "Something broke on my side before anything was changed. Ref ",
		"brew full":    "There is tea already.",
	} {
		t.Run(text, func(t *testing.T) {
			play(t, func(s *scene) {
				s.say(ana, text)
				s.hears(ana, want)
				s.shows()
				if ref, broke := strings.CutPrefix(s.chat.heard(ana)[0], want); broke && strings.HasSuffix(want, "Ref ") && s.logged(ref[:6]) != 1 {
					t.Errorf("an operator does not find %s", ref)
				}
			})
		})
	}
}

// A newer binary's operations are left alone by an older one, and do not hold
// up its own.
func TestLeavesAloneWhatItDoesNotKnow(t *testing.T) {
	for _, test := range []struct{ name, kind, state string }{
		{"an unknown kind", "juggle", "ask"},
		{"an unknown state", "brew", "toast"},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(s *scene) {
				// The newest card is one that the older binary may have to render.
				s.do(func(tx bot.Tx) error {
					o := bot.Operation{ID: "01NEWER", Kind: test.kind, Ref: "r", State: bot.State(test.state), Turn: 1, Entered: tx.Now(), Due: tx.Now(),
						Created: tx.Now(), Channel: room, Data: json.RawMessage(`{"Pot":"new"}`)}
					card := bot.Message{Key: "01NEWER/card", Operation: o.ID, Class: bot.Query, To: bot.Place{Channel: room}, Wanted: 1, Due: tx.Now(), Created: tx.Now()}
					return errors.Join(tx.AddOperation(o), tx.AddMessage(card))
				})
				for _, pot := range []string{"blue", "red"} {
					began := time.Now()
					s.brew(pot)
					s.is("brew", pot, "boil")
					if took := time.Since(began); took != 0 {
						t.Errorf("tea from %s took %s", pot, took)
					}
					s.later(13 * time.Second)
				}
				s.later(3 * lease)
				err := s.store.View(s.t.Context(), func(v bot.View) error {
					o, err := v.Operation("01NEWER")
					if string(o.State) != test.state || o.End != "" || o.Turn != 1 || o.Due.IsZero() || o.Acts != 0 {
						t.Errorf("it is %+v now", o)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
				if test.kind == "brew" && s.logged("does not know the state") == 0 || test.kind != "brew" && s.logged("does not know operations of kind juggle") == 0 {
					t.Error("an operator cannot know")
				}
				p := bot.Press{Key: s.key(), Person: bo, Channel: room, Message: s.stored("01NEWER/card").ID, Verb: "brew", Value: "01NEWER.1"}
				s.send(p)
				s.wait()
				s.hears(bo, "I do not know this question any more, so nothing was done.")
			})
		})
	}
}

// A mistake in a handler is survived, tells nobody a lie, and the work goes on
// when it is mended.
func TestPanics(t *testing.T) {
	for _, test := range []struct {
		broken string
		while  func(s *scene) // it is
		after  func(s *scene) // it is mended
	}{
		{"plan", func(s *scene) {
			s.say(ana, "brew red")
			s.hears(ana, "Something broke on my side before anything was changed. Ref ")
		}, func(*scene) {}},
		{"answer", func(s *scene) {
			if got := s.say(ana, "recipe"); !strings.Contains(got, "Something broke on my side before anything was changed. Ref ") {
				s.t.Errorf("answered with %q", got)
			}
		}, func(*scene) {}},
		{"look", func(s *scene) {
			s.press(bo, "Brew")
			s.shows("Something I need has not given a usable answer")
			s.later(10 * every)
			s.is("brew", "blue", "switch")
			s.switched("blue", 0)
		}, func(s *scene) { s.later(every); s.is("brew", "blue", "boil") }},
		{"card", func(s *scene) {
			s.press(bo, "Brew")
			s.switched("blue", 1)
			s.shows("Tea from blue, ask")
		}, func(s *scene) { s.later(lease); s.shows("Tea from blue, boil") }},
		{"ask", func(s *scene) {
			s.press(bo, "Brew")
			s.switched("blue", 0)
		}, func(s *scene) { s.later(lease); s.switched("blue", 1) }},
		{"say", func(s *scene) {
			s.press(bo, "Brew")
			s.kitchen.set(func() { s.kitchen.boils = true })
			s.later(time.Minute)
			s.is("brew", "blue", "boil") // its end cannot be said, so it does not end
		}, func(s *scene) { s.later(lease); s.shows("Tea from blue, done", "Tea from blue: done") }},
	} {
		t.Run(test.broken, func(t *testing.T) {
			play(t, func(s *scene) {
				s.say(ana, "brew blue")
				s.kitchen.set(func() { s.kitchen.broken = test.broken })
				test.while(s)
				if s.logged("panicked") == 0 {
					t.Error("an operator cannot know")
				}
				s.kitchen.set(func() { s.kitchen.broken = "" })
				test.after(s)
				s.say(ana, "brew green")
				s.press(bo, "Brew")
				s.switched("green", 1)
			})
		})
	}
}
