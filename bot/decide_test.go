package bot_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"thbot/bot"
)

// From the question to the end nothing waits for a timer but what has to: a
// lost wake-up would show, since this bot never wakes by itself.
func TestFromQuestionToEnd(t *testing.T) {
	play(t, func(s *scene) {
		began := time.Now()
		if ack := s.say(ana, "brew blue"); ack != "Looking for the pot…" {
			t.Errorf("acknowledged with %q", ack)
		}
		s.shows("Tea from blue, ask, looked 0 times\n[Brew] [Cancel]\nWaits until 00:20; a cook can confirm")
		s.press(bo, "Brew")
		s.switched("blue", 1)
		s.is("brew", "blue", "boil")
		s.shows("Tea from blue, boil")
		if took := time.Since(began); took != 0 {
			t.Errorf("a question and its answer took %s", took)
		}
		s.kitchen.set(func() { s.kitchen.boils = true })
		s.later(every)
		s.shows("Tea from blue, done", "Tea from blue: done")
		if o := s.operation("brew", "blue"); o.End != bot.Done || !o.Due.IsZero() || o.Owner != "" {
			t.Errorf("at its end the operation is %+v", o)
		}
		s.do(func(tx bot.Tx) error {
			for _, scope := range []string{"pot/blue", "ask/brew/blue"} {
				if by, err := tx.Holder(scope); by != "" || err != nil {
					t.Errorf("%s is held by %q after the end (%v)", scope, by, err)
				}
			}
			return nil
		})
		s.later(24 * time.Hour)
		if n := len(s.chat.calls); n > 6 { // a post, three or four edits, an end
			t.Errorf("%d calls to say that: %v", n, s.chat.calls)
		}
		s.silent()
	})
}

func TestScopeHasOneHolder(t *testing.T) {
	play(t, func(s *scene) {
		s.say(ana, "brew blue")
		s.say(cleo, "clean blue")
		s.shows("[Brew] [Cancel]", "[Clean]")
		s.press(bo, "Brew")
		before := s.operation("clean", "blue")
		s.press(cleo, "Clean")
		s.hears(cleo, "A brew confirmed by bo at 00:00 is still running there, so nothing was done. Go to it.")
		if after := s.operation("clean", "blue"); after.Version != before.Version {
			t.Errorf("the second decision changed its operation from %+v to %+v", before, after)
		}
		if n := s.kitchen.count(s.kitchen.tries, "blue"); n != 1 {
			t.Errorf("%d acts, want only that of the first", n)
		}
		s.do(func(tx bot.Tx) error { // what the loser could have had goes back, too
			by, err := tx.Holder("sink")
			if by != "" {
				t.Errorf("the loser holds the sink: %q", by)
			}
			return err
		})
		// Nor can a third even ask.
		s.say(ana, "clean blue")
		s.hears(ana, "has asked already")
		s.say(ana, "brew blue")
		s.hears(ana, "A brew confirmed by bo")
		s.shows("Tea from blue, boil", "[Clean]")
		// It can once the first is done.
		s.kitchen.set(func() { s.kitchen.boils = true })
		s.later(every)
		s.press(cleo, "Clean")
		s.is("clean", "blue", "done")
		s.silent()
	})
}

func TestOneOpenQuestion(t *testing.T) {
	play(t, func(s *scene) {
		s.say(ana, "brew blue")
		s.say(cleo, "brew blue")
		s.hears(cleo, "ana has asked already, at 00:00, so I asked nothing new. Go to the question.")
		s.say(cleo, "brew red") // another pot is another question
		s.shows("Tea from blue, ask", "Tea from red, ask")
		s.press(ana, "Cancel")
		s.say(cleo, "brew red")
		s.shows("Tea from blue, ask", "Tea from red, ask")
		s.press(cleo, "Cancel") // hers
		s.is("brew", "red", "cancelled")
		s.say(cleo, "brew red")
		s.shows("Tea from blue, ask", "Tea from red, cancelled", "Tea from red, ask")
		s.silent()
	})
}

func TestOneWinner(t *testing.T) {
	play(t, func(s *scene) {
		s.say(ana, "brew blue")
		var presses []bot.Press
		for i := range 20 {
			who := []string{bo, cleo}[i%2]
			presses = append(presses, s.aim(who, []string{"Brew", "Brew", "Cancel"}[i%3]))
		}
		var all sync.WaitGroup
		for _, p := range presses {
			for range 2 { // and the chat delivers each of them twice
				all.Go(func() { s.send(p) })
			}
		}
		all.Wait()
		s.wait()
		o := s.operation("brew", "blue")
		states := s.states(o)
		won := slices.Contains(states, "switch")
		if want := map[bool]int{true: 1}[won]; s.kitchen.count(s.kitchen.tries, "blue") != want {
			t.Errorf("switched on %d times, after the states %v", s.kitchen.count(s.kitchen.tries, "blue"), states)
		}
		if won == slices.Contains(states, "cancelled") || len(o.Presses) != 1 {
			t.Errorf("went through %v, by %v", states, o.Presses)
		}
		heard := append(s.chat.heard(bo), s.chat.heard(cleo)...)
		if len(heard) != 19 {
			t.Errorf("%d were told that they were late, want 19", len(heard))
		}
		for _, text := range heard {
			if want := "This question was answered by " + o.Presses[0].Person.Name + " at 00:00; nothing was done now."; text != want {
				t.Errorf("told %q, want %q", text, want)
			}
		}
		s.silent()
	})
}

func TestPressThatDoesNotCount(t *testing.T) {
	const unknown = "I do not know this question any more, so nothing was done."
	for _, test := range []struct {
		name    string
		with    func(*bot.Press)
		want    string
		disowns string // the message that loses its buttons
	}{
		{"carried by another message", func(p *bot.Press) { p.Message = "7." + room }, unknown, "7." + room},
		{"carried by no message", func(p *bot.Press) { p.Message = "" }, unknown, ""},
		{"from another channel", func(p *bot.Press) { p.Channel, p.Message = "C0ELSE", "9.C0ELSE" }, unknown, "9.C0ELSE"},
		{"from the same place in another channel", func(p *bot.Press) { p.Channel = "C0ELSE" }, unknown, ""},
		{"of an operation that is not there", func(p *bot.Press) { p.Value = "01ARZ3NDEKTSV4RRFFQ69G5FAV.1"; p.Message = "7." + room }, unknown, "7." + room},
		{"of nothing", func(p *bot.Press) { p.Value = ""; p.Message = "7." + room }, unknown, "7." + room},
		{"of another turn", func(p *bot.Press) { p.Value = strings.TrimSuffix(p.Value, "1") + "2" }, "This question is over, so nothing was done.", ""},
		{"without a turn", func(p *bot.Press) { p.Value = strings.TrimSuffix(p.Value, ".1") }, "This question is over", ""},
		{"with a turn and more", func(p *bot.Press) { p.Value += ".1" }, "This question is over", ""},
		{"with a verb of another question", func(p *bot.Press) { p.Verb = "milk" }, "This question is over", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(s *scene) {
				s.say(ana, "brew blue")
				// Two of our messages of long ago, which this ledger does not know.
				old := bot.Say("An old question").Add(bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{{Label: "Old"}}})
				for _, id := range []string{"7." + room, "9.C0ELSE"} {
					_, channel, _ := strings.Cut(id, ".")
					s.chat.messages = append(s.chat.messages, &message{id: id, channel: channel, card: old})
				}
				before := s.operation("brew", "blue")
				for n := range 2 { // and once more, by somebody else
					p := s.aim([]string{bo, cleo}[n], "Brew")
					test.with(&p)
					s.send(p)
					s.wait()
					s.hears(p.Person, test.want)
				}
				if after := s.operation("brew", "blue"); after.Version != before.Version {
					t.Errorf("it changed the operation from %+v to %+v", before, after)
				}
				for _, m := range s.chat.messages[1:] {
					if lost := !strings.Contains(plain(m.card), "[Old]"); lost != (m.id == test.disowns) {
						t.Errorf("message %s says %q", m.id, plain(m.card))
					}
				}
				s.switched("blue", 0)
				s.press(bo, "Brew") // the right one still counts
				s.switched("blue", 1)
			})
		})
	}
}

func TestStaleTurn(t *testing.T) {
	play(t, func(s *scene) {
		s.kitchen.set(func() { s.kitchen.boils, s.kitchen.asks = true, true })
		s.say(ana, "brew blue")
		first := s.aim(bo, "Brew")
		s.press(bo, "Brew")
		s.is("brew", "blue", "milk")
		first.Key = s.key()
		s.send(first)
		s.wait()
		s.hears(bo, "This question was answered by bo")
		s.is("brew", "blue", "milk")
		s.later(24 * time.Hour) // a question without a limit stays open
		// The question is asked again, which is another turn of it.
		until := make(chan struct{})
		s.people.set(func() { s.people.until = until })
		for range 5 {
			s.press(ana, "Ask again")
		}
		close(until) // so that all five are judged before any of them counts
		s.wait()
		if o := s.operation("brew", "blue"); o.State != "milk" || len(o.Presses) != 2 {
			t.Errorf("in state %q, by %v, want one more press to count", o.State, o.Presses)
		}
		s.press(ana, "Milk")
		s.is("brew", "blue", "done")
		s.switched("blue", 1)
	})
}

// A question expires at its time, and a press is judged by the ledger's clock
// at its decision, whatever the runner has come to by then.
func TestExpiry(t *testing.T) {
	const limit = 20 * time.Minute
	for _, test := range []struct {
		name    string
		pressed time.Duration // after it was asked
		looks   time.Duration // how long the directory takes
		runner  bool          // the runner is kept from letting it expire
		counts  bool
	}{
		{"a moment before", limit - time.Millisecond, 0, false, true},
		{"at that moment", limit, 0, false, false},
		{"at that moment, the runner being busy", limit, 0, true, false},
		{"before, judged in time", limit - 3*time.Second, 2 * time.Second, false, true},
		{"before, judged too late", limit - 2*time.Second, 3 * time.Second, false, false},
		{"before, judged too late, the runner being busy", limit - 2*time.Second, 3 * time.Second, true, false},
		{"long after", 3 * limit, 0, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(s *scene) {
				s.say(ana, "brew blue")
				p := s.aim(bo, "Brew")
				if test.runner {
					s.later(time.Minute)
					until := make(chan struct{})
					defer close(until)
					s.kitchen.set(func() { s.kitchen.until = until })
					for _, pot := range strings.Split("abcdefghijklmnop", "") { // as many as are worked on at once
						s.brew(pot)
					}
					s.later(test.pressed - time.Minute)
				} else {
					s.later(test.pressed - time.Nanosecond)
					<-time.After(time.Nanosecond) // together with the runner, if it is that time
				}
				answer := make(chan struct{})
				s.people.set(func() { s.people.until = answer })
				p.Key = s.key()
				s.send(p)
				s.later(test.looks)
				close(answer)
				s.people.set(func() { s.people.until = nil })
				s.wait()
				if test.counts {
					s.switched("blue", 1)
					s.is("brew", "blue", "boil")
					return
				}
				s.switched("blue", 0)
				s.hears(bo, "This question has expired, so nothing was done. Send the command again.")
				if !test.runner {
					s.is("brew", "blue", "expired")
					if text := s.chat.said(room)[0]; strings.Contains(text, "[") {
						t.Errorf("it still has buttons: %s", text)
					}
				}
			})
		})
	}
}

// What was stored and could not be judged for a while is not what people want now.
func TestAway(t *testing.T) {
	for _, test := range []struct {
		name string
		away time.Duration
		late bool
	}{{"a minute", time.Minute, false}, {"longer", time.Minute + time.Millisecond, true}} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(s *scene) {
				s.say(ana, "brew blue")
				p := s.aim(bo, "Brew")
				s.stop()
				next := s.newBot(time.Hour)
				s.bot = next
				s.send(p)
				if ack := s.say(ana, "brew red"); ack != "Looking for the pot…" {
					t.Errorf("acknowledged with %q", ack)
				}
				s.later(test.away)
				s.start(next)
				s.wait()
				if !test.late {
					s.switched("blue", 1)
					s.shows("Tea from blue, boil", "Tea from red, ask")
					return
				}
				s.switched("blue", 0)
				s.hears(bo, "I was away when you sent this, so nothing was done. Press again if you still want it.")
				s.hears(ana, "I was away when you sent this, so nothing was done. Send it again if you still want it.")
				s.shows("Tea from blue, ask")
				s.press(bo, "Brew")
				s.switched("blue", 1)
			})
		})
	}
}
