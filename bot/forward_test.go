package bot_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"thbot/bot"
)

// What a plan takes at once nobody else can have, and they are told who has it.
func TestTake(t *testing.T) {
	play(t, func(s *scene) {
		s.say(ana, "keep oak")
		o := s.operation("keep", "oak")
		if o.State != "kept" || o.About != "oak" || o.Turn != 1 {
			t.Errorf("it began as %+v", o)
		}
		s.has("oak", o.ID)
		for _, text := range []string{"keep oak", "banquet oak"} {
			s.say(cleo, text)
			s.hears(cleo, "A keep of ana has been there since 00:00, so nothing was done. Go to it.")
		}
		if n := len(s.operations()); n != 1 || s.holder("ask/banquet/oak") != "" {
			t.Errorf("there are %d operations, and the question's scope is held by %q", n, s.holder("ask/banquet/oak"))
		}
		s.say(cleo, "keep elm")
		s.has("elm", s.operation("keep", "elm").ID)
		s.press(cleo, "Free") // the newest, which is hers
		s.has("elm", "")
		s.has("oak", o.ID)
		s.press(cleo, "Free")
		s.has("oak", "")
		s.say(ana, "banquet oak")
		s.press(bo, "Serve")
		s.say(cleo, "keep oak")
		s.hears(cleo, "A banquet confirmed by bo at 00:00 is still running there, so nothing was done. Go to it.")
		s.has("oak", s.operation("banquet", "oak").ID)
		s.silent()
	})
}

// A guard is asked in the transaction that begins the operation, with all that
// it has done by then.
func TestGuard(t *testing.T) {
	t.Run("it refuses", func(t *testing.T) {
		play(t, func(s *scene) {
			s.lay(func(l *laying) {
				l.guard = func(v bot.View, d *seats) error {
					d.Note = "Changed."
					if id, err := v.Holder("table/" + d.Table); id == "" || err != nil {
						t.Errorf("before the guard the table is held by %q, %v", id, err)
					}
					return fmt.Errorf("guarding: %w", bot.Refuse("The table ", bot.Fixed(d.Table), " wobbles."))
				}
			})
			for _, text := range []string{"keep oak", "keep elm"} {
				s.say(ana, text)
				s.hears(ana, "The table "+strings.TrimPrefix(text, "keep ")+" wobbles.")
			}
			if n := len(s.chat.heard(ana)); n != 2 {
				t.Errorf("she was told %d things", n)
			}
			s.shows()
			s.has("oak", "")
			s.lay(func(l *laying) { l.guard = nil })
			s.say(ana, "keep oak")
			s.shows("keep at oak: kept. \n", "Kept: oak, turn 1")
			s.silent()
		})
	})
	t.Run("it changes what is remembered", func(t *testing.T) {
		play(t, func(s *scene) {
			s.lay(func(l *laying) {
				l.guard = func(v bot.View, d *seats) error {
					held, err := v.Holders("table/")
					for _, h := range held {
						d.Note += h.Scope + " "
					}
					return err
				}
			})
			s.say(ana, "keep oak")
			s.say(ana, "keep elm")
			s.is("keep", "elm", "kept")
			s.shows("keep at oak: kept. table/oak \n", "Kept: oak", "keep at elm: kept. table/elm table/oak \n", "Kept: elm")
		})
	})
	t.Run("it cannot say", func(t *testing.T) {
		play(t, func(s *scene) {
			s.lay(func(l *laying) { l.guard = func(bot.View, *seats) error { return errors.New("no idea") } })
			s.say(ana, "keep oak")
			s.shows()
			s.has("oak", "")
			if s.logged("no idea") == 0 {
				t.Error("an operator cannot know")
			}
			s.lay(func(l *laying) { l.guard = nil })
			s.later(lease)
			s.shows("keep at oak: kept", "Kept: oak")
		})
	})
}

// What a step makes of a press is part of the transaction that the press decides.
func TestPressed(t *testing.T) {
	t.Run("it refuses", func(t *testing.T) {
		play(t, func(s *scene) {
			asked := 0
			s.lay(func(l *laying) {
				l.people = 2
				l.pressed = func(v bot.View, o bot.Operation, d *seats, p bot.Decision) error {
					asked++
					d.Note = "Changed."
					if id, err := v.Holder("table/oak"); id != o.ID || err != nil {
						t.Errorf("the table is held by %q, %v", id, err)
					}
					return bot.Refuse("There is no cloth, ", p.Person.Name, ".")
				}
			})
			s.say(ana, "banquet oak")
			s.press(bo, "Serve")
			if asked > 0 {
				t.Error("it was asked before enough people had pressed")
			}
			before := s.operation("banquet", "oak")
			for range 2 {
				s.press(cleo, "Serve")
				s.hears(cleo, "There is no cloth, cleo.")
			}
			if after := s.operation("banquet", "oak"); after.Version != before.Version || asked != 2 {
				t.Errorf("asked %d times, it changed from %+v to %+v", asked, before, after)
			}
			s.has("oak", "")
			s.shows("banquet at oak: ask. \n1 of 2: confirmed by bo")
			if len(s.chat.heard(bo))+len(s.chat.heard(ana)) > 0 {
				t.Error("others were told, too")
			}
			s.lay(func(l *laying) { l.pressed = nil })
			s.press(cleo, "Serve")
			s.is("banquet", "oak", "served")
			s.silent()
		})
	})
	t.Run("it changes what is remembered", func(t *testing.T) {
		play(t, func(s *scene) {
			s.lay(func(l *laying) {
				l.pressed = func(v bot.View, o bot.Operation, d *seats, p bot.Decision) error {
					d.Note = fmt.Sprint(p.Person.Name, " ", p.Verb, " ", p.Turn, " ", p.At.Equal(v.Now()), " ", o.Decided().Person.Name)
					return nil
				}
			})
			s.say(ana, "banquet oak")
			s.press(bo, "Serve")
			s.shows("banquet at oak: served. bo serve 1 true bo\n")
		})
	})
	t.Run("it cannot say", func(t *testing.T) {
		play(t, func(s *scene) {
			s.lay(func(l *laying) {
				l.pressed = func(bot.View, bot.Operation, *seats, bot.Decision) error { return errors.New("no idea") }
			})
			s.say(ana, "banquet oak")
			s.press(bo, "Serve")
			s.is("banquet", "oak", "ask")
			s.has("oak", "")
			s.lay(func(l *laying) { l.pressed = nil })
			s.later(lease)
			s.is("banquet", "oak", "served")
		})
	})
}

// forwards makes the next plans press a button of o.
func (s *scene) forwards(o bot.Operation, verb string, alone bool) {
	s.lay(func(l *laying) { l.press, l.alone = &bot.Forward{Operation: o.ID, Verb: verb}, alone })
}

func TestForwardByAPlan(t *testing.T) {
	t.Run("alone", func(t *testing.T) {
		play(t, func(s *scene) {
			s.say(ana, "keep oak")
			o := s.operation("keep", "oak")
			s.forwards(o, "free", true)
			s.say(ana, "keep oak")
			if o = s.operation("keep", "oak"); o.State != "freed" || !slices.Equal(pressed(o), []string{"free ana"}) || o.Presses[0].Turn != 1 {
				t.Errorf("in state %q, by %+v", o.State, o.Presses)
			}
			s.shows("keep at oak: freed.", "Kept: oak")
			s.has("oak", "")
			s.do(func(tx bot.Tx) error {
				events, err := tx.Events(o.ID)
				if e := events[len(events)-1]; e.Who != ana || e.Note != "free" || e.From != "kept" {
					t.Errorf("the audit trail ends with %+v", e)
				}
				return err
			})
			s.silent()
		})
	})
	t.Run("before it begins", func(t *testing.T) {
		play(t, func(s *scene) {
			s.say(ana, "keep oak")
			old := s.operation("keep", "oak")
			s.forwards(old, "free", false)
			s.lay(func(l *laying) {
				l.guard = func(v bot.View, d *seats) error {
					o, err := v.Operation(old.ID)
					d.Note = "After " + string(o.State)
					return err
				}
			})
			s.say(cleo, "keep oak")
			s.shows("keep at oak: freed.", "Kept: oak", "keep at oak: kept. After freed", "Kept: oak")
			taken := s.operation("keep", "oak")
			if taken.ID == old.ID || taken.Asked.ID != cleo {
				t.Errorf("it was taken over by %+v", taken)
			}
			s.has("oak", taken.ID)
			s.silent()
		})
	})
	t.Run("and then cannot begin", func(t *testing.T) {
		play(t, func(s *scene) {
			s.say(ana, "keep oak")
			s.forwards(s.operation("keep", "oak"), "free", false)
			before := s.operation("keep", "oak")
			s.lay(func(l *laying) { l.guard = func(bot.View, *seats) error { return bot.Refuse("No more.") } })
			s.say(cleo, "keep oak")
			s.hears(cleo, "No more.")
			if after := s.operation("keep", "oak"); after.Version != before.Version {
				t.Errorf("it changed from %+v to %+v", before, after)
			}
			s.has("oak", before.ID)
			s.shows("keep at oak: kept. \n[Free]", "Kept: oak")
		})
	})
	t.Run("which the other refuses", func(t *testing.T) {
		play(t, func(s *scene) {
			s.say(ana, "keep oak")
			before := s.operation("keep", "oak")
			s.forwards(before, "free", false)
			s.lay(func(l *laying) {
				l.pressed = func(_ bot.View, o bot.Operation, _ *seats, p bot.Decision) error {
					return bot.Refuse("It stays kept, ", p.Person.Name, ", by ", o.Asked.Name, ".")
				}
			})
			s.say(cleo, "keep oak")
			s.hears(cleo, "It stays kept, cleo, by ana.")
			if after := s.operation("keep", "oak"); after.ID != before.ID || after.Version != before.Version {
				t.Errorf("it changed from %+v to %+v", before, after)
			}
		})
	})
	t.Run("which changes what the other remembers", func(t *testing.T) {
		play(t, func(s *scene) {
			s.say(ana, "keep oak")
			s.forwards(s.operation("keep", "oak"), "free", true)
			s.lay(func(l *laying) {
				l.pressed = func(_ bot.View, _ bot.Operation, d *seats, p bot.Decision) error {
					d.Note = "Freed by " + p.Person.Name
					return nil
				}
			})
			s.say(cleo, "keep oak")
			s.shows("keep at oak: freed. Freed by cleo", "Kept: oak")
		})
	})
	// The rights are those of the button that is pressed.
	for _, test := range []struct{ who, verb, want string }{
		{ana, "yield", "Only a Treeherder admin can do that, so nothing was done. They are bo and cleo."},
		{dora, "free", "Only a Treeherder admin or whoever asked can do that, so nothing was done. They are bo and cleo."},
		{gil, "free", "Guests cannot change anything here. Nothing was done."},
		{cleo, "nothing", "This question is over, so nothing was done."},
		{cleo, "yield", ""},
		{ana, "free", ""},
	} {
		t.Run("by "+test.who+" "+test.verb, func(t *testing.T) {
			play(t, func(s *scene) {
				s.say(ana, "keep oak")
				before := s.operation("keep", "oak")
				s.forwards(before, test.verb, true)
				s.say(test.who, "keep oak")
				after := s.operation("keep", "oak")
				if test.want == "" {
					if after.End == "" {
						t.Errorf("it is %+v", after)
					}
					return
				}
				s.hears(test.who, test.want)
				if after.Version != before.Version {
					t.Errorf("it changed from %+v to %+v", before, after)
				}
			})
		})
	}
	t.Run("one of several", func(t *testing.T) {
		play(t, func(s *scene) {
			s.lay(func(l *laying) { l.people = 2 })
			s.say(ana, "banquet oak")
			s.forwards(s.operation("banquet", "oak"), "serve", true)
			s.say(bo, "keep oak")
			s.shows("1 of 2: confirmed by bo; it still needs 1 other person.")
			s.say(bo, "keep oak")
			s.hears(bo, "You have confirmed this already; it still needs 1 other person. Nothing was done now.")
			s.shows("1 of 2: confirmed by bo; it still needs 1 other person.")
			s.say(cleo, "keep oak")
			s.is("banquet", "oak", "served")
		})
	})
}

// The button is not there any more, when the plan is made or when it is carried out.
func TestForwardTooLate(t *testing.T) {
	t.Run("before the plan", func(t *testing.T) {
		play(t, func(s *scene) {
			s.say(ana, "keep oak")
			s.forwards(s.operation("keep", "oak"), "free", false)
			s.press(bo, "Free")
			before := s.operation("keep", "oak")
			s.say(cleo, "keep oak")
			s.hears(cleo, "This question was answered by bo at 00:00; nothing was done now.")
			if after := s.operation("keep", "oak"); after.ID != before.ID || after.Version != before.Version {
				t.Errorf("it changed from %+v to %+v", before, after)
			}
			s.has("oak", "")
		})
	})
	t.Run("after the plan", func(t *testing.T) {
		play(t, func(s *scene) {
			s.say(ana, "keep oak")
			id := s.operation("keep", "oak").ID
			s.forwards(s.operation("keep", "oak"), "free", false)
			until := make(chan struct{})
			s.lay(func(l *laying) { l.planned = func() { s.people.set(func() { s.people.until = until }) } })
			s.say(cleo, "keep oak") // and now the directory is asked whether she may
			s.do(func(tx bot.Tx) error {
				o, err := tx.Operation(id)
				o.State, o.End, o.Turn, o.Due = "freed", bot.Done, 2, time.Time{}
				return errors.Join(err, tx.SaveOperation(o), tx.Release(o.ID, ""))
			})
			before := s.operation("keep", "oak")
			close(until)
			s.wait()
			s.hears(cleo, "This question is over, so nothing was done.")
			if after := s.operation("keep", "oak"); after.ID != before.ID || after.Version != before.Version {
				t.Errorf("it changed from %+v to %+v", before, after)
			}
			s.has("oak", "")
			s.silent()
		})
	})
}

// A question about what another operation has can be asked while it has it,
// and its answer presses that one's button.
func TestForwardByAButton(t *testing.T) {
	ask := func(s *scene) (old, asking bot.Operation) {
		s.t.Helper()
		s.say(ana, "keep oak")
		old = s.operation("keep", "oak")
		s.forwards(old, "yield", false)
		s.say(cleo, "keep oak")
		s.shows("keep at oak: kept. \n[Free]", "Kept: oak, turn 1", "keep at oak: ask. \n[Take over]")
		s.has("oak", old.ID)
		return old, s.operation("keep", "oak")
	}
	t.Run("it takes over", func(t *testing.T) {
		play(t, func(s *scene) {
			old, asking := ask(s)
			s.press(ana, "Take over")
			s.hears(ana, "Only a Treeherder admin or whoever asked can do that")
			s.has("oak", old.ID)
			s.press(cleo, "Take over")
			s.shows("keep at oak: yielded.", "Kept: oak, turn 1", "keep at oak: kept. \n[Free]", "Kept: oak, turn 2")
			s.has("oak", asking.ID)
			if o := s.operations()[0]; !slices.Equal(pressed(o), []string{"yield cleo"}) || o.End != bot.Cancelled {
				t.Errorf("the one that had it is %+v", o)
			}
			s.silent()
		})
	})
	t.Run("both or neither", func(t *testing.T) {
		play(t, func(s *scene) {
			old, asking := ask(s)
			s.lay(func(l *laying) {
				l.pressed = func(v bot.View, o bot.Operation, d *seats, p bot.Decision) error {
					if p.Verb == "over" {
						if before, err := v.Operation(old.ID); before.End != bot.Cancelled || err != nil {
							t.Errorf("the other is %+v, %v", before, err)
						}
						return bot.Refuse("Not today.")
					}
					return nil
				}
			})
			s.press(cleo, "Take over")
			s.hears(cleo, "Not today.")
			s.has("oak", old.ID)
			after := s.operations()
			if slices.ContainsFunc(after, func(o bot.Operation) bool { return len(o.Presses) > 0 }) || after[1].State != asking.State {
				t.Errorf("they are %+v", after)
			}
		})
	})
	t.Run("the other has ended", func(t *testing.T) {
		play(t, func(s *scene) {
			_, asking := ask(s)
			s.press(ana, "Free")
			s.press(cleo, "Take over")
			s.hears(cleo, "This question was answered by ana at 00:00; nothing was done now.")
			if after := s.operation("keep", "oak"); after.Version != asking.Version {
				t.Errorf("it changed from %+v to %+v", asking, after)
			}
			s.has("oak", "")
		})
	})
	t.Run("not what it asks about has it", func(t *testing.T) {
		play(t, func(s *scene) {
			s.say(ana, "keep elm")
			s.say(ana, "keep oak")
			s.forwards(s.operation("keep", "elm"), "yield", false)
			s.say(cleo, "keep oak")
			s.hears(cleo, "A keep of ana has been there since 00:00, so nothing was done. Go to it.")
			if n := len(s.operations()); n != 2 {
				t.Errorf("there are %d operations", n)
			}
		})
	})
	t.Run("people cannot press what has no label", func(t *testing.T) {
		play(t, func(s *scene) {
			s.say(ana, "keep oak")
			p := s.aim(bo, "Free")
			p.Verb = "yield"
			s.send(p)
			s.wait()
			s.is("keep", "oak", "kept")
			s.hears(bo, "This question is over, so nothing was done.")
		})
	})
}

// What a plan is told of the one who asks.
func TestRequest(t *testing.T) {
	for zone, want := range map[string]string{"Europe/Berlin": "Europe/Berlin", "": "UTC", "Mars/Olympus": "UTC"} {
		t.Run("in "+want+" by "+zone, func(t *testing.T) {
			play(t, func(s *scene) {
				s.people.set(func() {
					m := s.people.members[ana]
					m.Zone = zone
					s.people.members[ana] = m
				})
				s.later(90 * time.Minute)
				now := time.Now()
				s.say(ana, "watch oak")
				r := s.kitchen.now().asked
				if r.Zone.String() != want || !r.Now.Equal(now) || r.Asker != (bot.Person{ID: ana, Name: "ana"}) {
					t.Errorf("zone %s, now %s, asker %+v; want %s, %s", r.Zone, r.Now, r.Asker, want, now)
				}
				s.later(every)
				if o := s.kitchen.now().looked; !o.Now.Equal(now.Add(every)) || o.About != "oak" {
					t.Errorf("a look was told that it is %s, about %q", o.Now, o.About)
				}
			})
		})
	}
	t.Run("who may", func(t *testing.T) {
		play(t, func(s *scene) {
			s.say(ana, "keep throne")
			s.hears(ana, "Only a Treeherder admin can do that, so nothing was done. They are bo and cleo.")
			s.shows()
			s.people.set(func() { s.people.down["groups"] = true })
			s.say(bo, "keep throne")
			s.hears(bo, "Chat does not give a usable answer right now, so nothing was done.")
			s.people.set(func() { s.people.down["groups"] = false })
			s.say(bo, "keep throne")
			s.is("keep", "throne", "kept")
		})
	})
}
