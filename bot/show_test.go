package bot_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"thbot/bot"
)

// locked has ana lock a pot, and returns the button that shows the key.
func (s *scene) locked(pot string) bot.Press { s.t.Helper(); return s.keyTo("lock " + pot) }

func (s *scene) keyTo(command string) bot.Press {
	s.t.Helper()
	s.say(ana, command)
	s.later(0)
	id, b, ok := s.chat.button("Show the key")
	if !ok {
		s.t.Fatal("ana gets no button")
	}
	return bot.Press{Person: ana, Channel: "D0ANA", Message: id, Verb: b.Verb, Value: b.Value}
}

// showTo presses it.
func (s *scene) showTo(who, trigger string, p bot.Press) bot.Press {
	s.t.Helper()
	p.Person, p.Trigger, p.Key = who, trigger, "T0:"+trigger
	s.send(p)
	return p
}

// notes are those of an operation's audit trail.
func (s *scene) notes(id string) string {
	var notes []string
	s.do(func(tx bot.Tx) error {
		events, err := tx.Events(id)
		notes = nil
		for _, e := range events {
			notes = append(notes, e.Who+" "+e.Note)
		}
		return err
	})
	return strings.Join(notes, "; ")
}

// secret fails the test if a key is in the ledger, the log or a message.
func (s *scene) secret(kept []byte) {
	s.t.Helper()
	if bytes.Contains(kept, []byte("S3CRET")) {
		s.t.Error("the ledger holds a key")
	}
	if s.logged("S3CRET") != 0 {
		s.t.Error("the log holds a key")
	}
	for _, said := range append(s.chat.said(room), s.chat.said(ana)...) {
		if strings.Contains(said, "S3CRET") {
			s.t.Errorf("a message holds a key: %s", said)
		}
	}
}

// playKeys is playForms for what is shown, and looks for keys everywhere.
func playKeys(t *testing.T, f func(s *scene)) {
	t.Helper()
	var played *scene
	kept := playForms(t, func(s *scene) { played = s; f(s) })
	played.secret(kept)
}

func TestShow(t *testing.T) {
	playKeys(t, func(s *scene) {
		p := s.locked("oak")
		s.wait()
		slow := make(chan struct{})
		s.chat.fails("update", fault{until: slow})
		press := s.showTo(ana, "t1", p)
		s.sees("One moment: Preparing…")
		// It is written that the key was shown before it is.
		if notes := s.notes(p.Value); notes != "U0ANA lock oak; U0ANA shown" {
			t.Errorf("the trail is %q", notes)
		}
		if o := s.operation("lock", "oak"); !strings.Contains(string(o.Data), `"Made":1`) || o.Owner != "" || o.Due.IsZero() {
			t.Errorf("the row is %+v with %s", o, o.Data)
		}
		close(slow)
		s.sees("The key: ana: " + key(1))
		last := s.chat.windows[0].said[1]
		if len(last.Fields) > 0 || last.Submit != "" || last.Command != "" {
			t.Errorf("it can be sent: %+v", last)
		}
		if _, err := s.received(press.Key); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("the press is kept: %v", err)
		}
		if s.kitchen.count(s.kitchen.clean, "oak") != 0 {
			t.Error("the key is void")
		}
		s.later(0)
		s.shows("oak is locked, 1 keys were made")
		s.showTo(ana, "t2", p) // once more is another key
		s.sees("The key: ana: " + key(2))
		s.silent()
	})
}

// What is not certainly seen is worthless.
func TestShowIsNotSeen(t *testing.T) {
	for _, test := range []struct {
		name   string
		update fault
		void   string // what is wrong with making it void
		after  string // what the window says in the end
		notes  string
	}{
		{"closed", fault{}, "", "Preparing…", "void: perhaps not seen"},
		{"refused", refused, "", "I cannot be sure that this was shown to you, so what I prepared is not valid.", "void: perhaps not seen"},
		{"answer lost", lostReply, "", "I cannot be sure that this was shown to you", "void: perhaps not seen"},
		{"panic", fault{broken: true}, "", "I cannot be sure that this was shown to you", "void: perhaps not seen"},
		{"void refused", lostReply, "error", "I cannot be sure that this was shown to you, and what I prepared may be valid all the same.", "perhaps not seen, and perhaps valid. Ref "},
		{"void broken", lostReply, "panic", "I cannot be sure that this was shown to you, and what I prepared may be valid all the same.", "perhaps not seen, and perhaps valid. Ref "},
	} {
		t.Run(test.name, func(t *testing.T) {
			playKeys(t, func(s *scene) {
				p := s.locked("oak")
				slow := make(chan struct{})
				s.kitchen.set(func() { s.kitchen.until = slow })
				s.showTo(ana, "t1", p)
				s.sees("Preparing…")
				if s.chat.windows[0].closed = test.name == "closed"; !s.chat.windows[0].closed {
					s.chat.fails("update", test.update)
				}
				s.kitchen.set(func() {
					switch test.void {
					case "error":
						s.kitchen.acting = []fault{noAnswer}
					case "panic":
						s.kitchen.broken = "void"
					}
				})
				close(slow)
				s.sees(test.after)
				if notes := s.notes(p.Value); !strings.Contains(notes, "U0ANA shown;  "+test.notes) {
					t.Errorf("the trail is %q", notes)
				}
				if test.void == "" && s.kitchen.count(s.kitchen.clean, "oak") != 1 {
					t.Error("the key is not void")
				}
				if n := s.logged("making void what was prepared; it may be valid"); (n == 1) != (test.void != "") {
					t.Errorf("logged %d times that it may be valid", n)
				}
			})
		})
	}
}

func TestShowRefused(t *testing.T) {
	for _, test := range []struct {
		name    string
		who     string
		prepare func(s *scene, p *bot.Press)
		want    string
	}{
		{"somebody else", bo, nil, "Only somebody of cloudOps or whoever asked can do that, so nothing was done. They are dora."},
		{"a guest", gil, nil, "Guests cannot change anything here."},
		{"rights unknown", bo, func(s *scene, _ *bot.Press) { s.people.set(func() { s.people.down["groups"] = true }) }, "Chat does not give a usable answer right now, so there is nothing to show."},
		{"unknown", ana, func(_ *scene, p *bot.Press) { p.Value = "01JNONE" }, "There is nothing to show here any more"},
		{"over", ana, func(s *scene, _ *bot.Press) { s.press(bo, "Open") }, "There is nothing to show here any more"},
		{"of a step without it", ana, func(s *scene, p *bot.Press) {
			s.say(ana, "brew red")
			s.later(0)
			p.Value = s.operation("brew", "red").ID
		}, "There is nothing to show here any more"},
	} {
		t.Run(test.name, func(t *testing.T) {
			playKeys(t, func(s *scene) {
				p := s.locked("oak")
				if test.prepare != nil {
					test.prepare(s, &p)
				}
				s.showTo(test.who, "t1", p)
				s.sees("Not shown: " + test.want)
				if n := s.kitchen.count(s.kitchen.tries, "oak"); n != 0 {
					t.Errorf("%d keys were made", n)
				}
			})
		})
	}
}

func TestShowByARole(t *testing.T) {
	playKeys(t, func(s *scene) {
		s.showTo(dora, "t1", s.locked("oak"))
		s.sees("dora: " + key(1))
	})
}

func TestShowGoesWrong(t *testing.T) {
	for _, test := range []struct {
		name, want string
		prepare    func(k *kitchen)
	}{
		{"refusal", "Not shown: The smith is away.", func(k *kitchen) { k.blind = bot.Refuse("The smith is away.") }},
		{"refused", "Not shown: no iron", func(k *kitchen) { k.blind = &bot.Refused{Why: "no iron"} }},
		{"trouble", "Smith does not give a usable answer right now, so there is nothing to show. What you were shown before may not be valid any more.", func(k *kitchen) { k.blind = &trouble{service: "Smith"} }},
		{"panic", "Something broke on my side, so there is nothing to show.", func(k *kitchen) { k.broken = "show" }},
		{"too slow", "This took longer than I may take, so there is nothing to show.", func(k *kitchen) { k.until = make(chan struct{}) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			playKeys(t, func(s *scene) {
				p := s.locked("oak")
				s.kitchen.set(func() { test.prepare(s.kitchen) })
				s.showTo(ana, "t1", p)
				s.later(16 * time.Second)
				s.sees(test.want)
				// A panic has nothing to give back, not even what would make it void.
				if n := s.kitchen.count(s.kitchen.clean, "oak"); n != 1 && test.name != "panic" {
					t.Error("the key is not void")
				}
				o := s.operation("lock", "oak")
				if o.Owner != "" || strings.Contains(s.notes(o.ID), "shown") {
					t.Errorf("it is claimed by %q, and its trail is %q", o.Owner, s.notes(o.ID))
				}
				s.kitchen.set(func() { s.kitchen.blind, s.kitchen.broken, s.kitchen.until = nil, "", nil })
				s.showTo(ana, "t2", p)
				s.sees("The key: ana: S3CRET-")
			})
		})
	}
}

// Each window makes a key of its own, and the last one fits: so one at a time,
// whichever replica prepares it.
func TestTwoWindowsAtOnce(t *testing.T) {
	playKeys(t, func(s *scene) {
		p := s.locked("oak")
		slow := make(chan struct{})
		s.kitchen.set(func() { s.kitchen.until = slow })
		s.showTo(ana, "t1", p)
		s.wait()
		first := s.bot
		s.bot = s.start(s.withForms(1000 * time.Hour))
		s.showTo(dora, "t2", p)
		s.sees("Another window is being prepared for this.")
		s.bot = first
		s.showTo(ana, "t3", p)
		s.sees("Another window is being prepared for this.")
		if o := s.operation("lock", "oak"); o.Acts != 1 {
			t.Errorf("while one is prepared there are %d acts, want 1", o.Acts)
		}
		close(slow)
		s.wait()
		if said := s.chat.windows[0].said; len(said) != 2 || !strings.Contains(written(said[1]), key(1)) || s.kitchen.count(s.kitchen.tries, "oak") != 1 {
			t.Errorf("the first window says %v, of %d keys", said, s.kitchen.count(s.kitchen.tries, "oak"))
		}
		if o := s.operation("lock", "oak"); o.Acts != 0 {
			t.Errorf("there are %d acts whose end is not written", o.Acts)
		}
	})
}

func TestManyWindowsAtOnce(t *testing.T) {
	playKeys(t, func(s *scene) {
		p := s.locked("oak")
		done := make(chan struct{})
		for i := range 8 {
			go func() {
				defer func() { done <- struct{}{} }()
				p := p
				p.Trigger, p.Key = fmt.Sprint("t", i), fmt.Sprint("T0:t", i)
				if err := s.bot.Press(t.Context(), p); err != nil {
					t.Error(err)
				}
			}()
		}
		for range 8 {
			<-done
		}
		s.later(time.Minute) // those that found the operation claimed try again
		shown := 0
		last := ""
		for _, w := range s.chat.windows {
			said := written(w.said[len(w.said)-1])
			if strings.Contains(said, "S3CRET") {
				shown++
				last = max(last, said)
			}
		}
		made := s.kitchen.count(s.kitchen.tries, "oak")
		if shown != made || made == 0 || !strings.Contains(last, key(made)) {
			t.Errorf("%d windows show a key, and %d were made; the last says %q", shown, made, last)
		}
	})
}

// A duplicate of a press opens no window, and says nothing.
func TestShowDeliveredTwice(t *testing.T) {
	playKeys(t, func(s *scene) {
		p := s.locked("oak")
		s.showTo(ana, "t1", p)
		s.showTo(ana, "t1", p)
		s.sees("The key: ana: " + key(1))
		s.later(0)
		if len(s.chat.windows) != 1 || len(s.chat.said(ana)) != 1 || len(s.chat.heard(ana)) > 1 {
			t.Errorf("%d windows; ana got %q and %q", len(s.chat.windows), s.chat.said(ana), s.chat.heard(ana))
		}
	})
}

func TestShowDoesNotOpen(t *testing.T) {
	playKeys(t, func(s *scene) {
		p := s.locked("oak")
		s.chat.fails("open", refused)
		s.showTo(ana, "t1", p)
		s.wait()
		if said := s.chat.said(ana); len(said) != 2 || !strings.Contains(said[1], "I could not open a window for this in time, so nothing was done. Press again. Ref ") {
			t.Errorf("ana is told %q", said)
		}
		if n := s.kitchen.count(s.kitchen.tries, "oak"); n != 0 {
			t.Errorf("%d keys were made", n)
		}
	})
}

// A decision does not wait for a window. What was prepared then is void.
func TestMovedOnWhileAWindowIsPrepared(t *testing.T) {
	playKeys(t, func(s *scene) {
		p := s.locked("oak")
		slow := make(chan struct{})
		s.kitchen.set(func() { s.kitchen.until = slow })
		s.showTo(ana, "t1", p)
		s.wait()
		s.press(bo, "Open")
		s.is("lock", "oak", "open")
		close(slow)
		s.sees("Not shown: This has moved on meanwhile, so there is nothing to show.")
		if s.kitchen.count(s.kitchen.clean, "oak") != 1 {
			t.Error("the key is not void")
		}
		if notes := s.notes(p.Value); strings.Contains(notes, "shown;") {
			t.Errorf("the trail is %q", notes)
		}
	})
}

// The runner keeps away while a window is prepared, and goes on after it.
func TestRunnerAndWindowTakeTurns(t *testing.T) {
	playKeys(t, func(s *scene) {
		p := s.locked("oak")
		looks := func() int { return s.kitchen.count(s.kitchen.looks, "the lock of oak") }
		before := looks()
		slow := make(chan struct{})
		s.later(50 * time.Second)
		s.kitchen.set(func() { s.kitchen.until = slow })
		s.showTo(ana, "t1", p)
		s.later(12 * time.Second) // past its time
		if n := looks(); n != before {
			t.Errorf("the runner looked %d times meanwhile", n-before)
		}
		s.kitchen.set(func() { s.kitchen.until = nil })
		close(slow)
		s.sees(key(1))
		s.later(time.Second)
		if n := looks(); n != before+1 {
			t.Errorf("the runner looked %d times afterwards", n-before)
		}
		// And a window waits for a look.
		look := make(chan struct{})
		s.kitchen.set(func() { s.kitchen.seen = look })
		s.later(time.Minute)
		s.showTo(ana, "t2", p)
		s.sees("Preparing…")
		s.later(time.Second)
		s.sees("Preparing…")
		close(look)
		s.later(time.Second)
		s.sees(key(2))
		if o := s.operation("lock", "oak"); !strings.Contains(string(o.Data), `"Looks":3`) {
			t.Errorf("of the looks and the keys it keeps %s", o.Data)
		}
	})
}

// A step gives up when it would by what showing has changed.
func TestShowChangesWhenItGivesUp(t *testing.T) {
	playKeys(t, func(s *scene) {
		p := s.keyTo("bolt oak")
		s.showTo(bo, "t1", p)
		s.sees("Only whoever asked can do that, so nothing was done.")
		s.showTo(ana, "t2", p)
		s.sees(key(1))
		s.later(4 * time.Minute)
		s.is("bolt", "oak", "locked")
		s.later(2 * time.Minute)
		s.is("bolt", "oak", "open")
	})
}

// What is shown is made of what was there when it was claimed.
func TestChangedWhileRightsAreLookedUp(t *testing.T) {
	playKeys(t, func(s *scene) {
		p := s.locked("oak")
		slow := make(chan struct{})
		s.people.set(func() { s.people.until = slow })
		s.showTo(ana, "t1", p)
		s.sees("Preparing…")
		s.do(func(tx bot.Tx) error {
			o, err := tx.Operation(p.Value)
			if err != nil {
				return err
			}
			o.Data = []byte(`{"Pot":"oak","Made":5}`)
			return tx.SaveOperation(o)
		})
		close(slow)
		s.later(time.Second)
		s.sees(key(6))
		if n := s.kitchen.count(s.kitchen.tries, "oak"); n != 1 {
			t.Errorf("%d keys were made", n)
		}
	})
}

// What a process that died had claimed is shown by another.
func TestWindowOfADeadProcess(t *testing.T) {
	playKeys(t, func(s *scene) {
		p := s.locked("oak")
		s.do(func(tx bot.Tx) error {
			o, err := tx.Operation(p.Value)
			if err != nil {
				return err
			}
			o.Owner, o.Due = "show/01JDEAD", tx.Now().Add(23*time.Second)
			return tx.SaveOperation(o)
		})
		s.showTo(ana, "t1", p)
		s.sees("Another window is being prepared for this.")
		s.later(24 * time.Second)
		s.showTo(ana, "t2", p)
		s.sees(key(1))
	})
}

// Nothing else remembers a window, so the bot waits for it before it ends, and
// opens no more.
func TestEndWaitsForWindows(t *testing.T) {
	playKeys(t, func(s *scene) {
		p := s.locked("oak")
		slow := make(chan struct{})
		s.kitchen.set(func() { s.kitchen.until = slow })
		s.showTo(ana, "t1", p)
		s.wait()
		ended := make(chan struct{})
		go func() { s.stop(); close(ended) }()
		s.wait()
		select {
		case <-ended:
			t.Error("it has ended before the window was ready")
		default:
		}
		close(slow)
		<-ended
		s.sees(key(1))
		s.showTo(ana, "t2", p)
		if len(s.chat.windows) != 1 {
			t.Error("it opens a window after its end")
		}
	})
}

func TestTooManyWindows(t *testing.T) {
	playForms(t, func(s *scene) {
		slow := make(chan struct{})
		s.people.set(func() { s.people.until = slow })
		for i := range 16 {
			s.ask(ana, "order oak", fmt.Sprint("t", i))
		}
		if told := s.ask(ana, "order oak", "t16"); !strings.Contains(told, "I could not open a window for this in time") {
			t.Errorf("told %q", told)
		}
		close(slow)
		s.wait()
		if told := s.ask(ana, "order oak", "t17"); told != "" {
			t.Errorf("told %q afterwards", told)
		}
	})
}
