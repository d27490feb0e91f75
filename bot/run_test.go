package bot_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"thbot/bot"
	"thbot/integrations/ledger/mariadbtest"
)

// A process that is frozen in the middle of something, and wakes when another
// has taken over and gone on, changes nothing any more.
func TestFrozen(t *testing.T) {
	for _, test := range []struct {
		name   string
		freeze func(s *scene, until <-chan struct{}) // before the cook presses
		pots   int
		posts  int
	}{
		{"while it looks", func(s *scene, until <-chan struct{}) { s.kitchen.until = until }, 1, 2},
		{"when it has looked", func(s *scene, until <-chan struct{}) { s.kitchen.seen = until }, 1, 2},
		{"while it acts, which happens when it wakes", func(s *scene, until <-chan struct{}) { s.kitchen.acting = []fault{{until: until}} }, 2, 2},
		{"while it acts, which is never heard of", func(s *scene, until <-chan struct{}) {
			s.kitchen.acting = []fault{{until: until, err: &trouble{service: "Kitchen"}}}
		}, 1, 2},
		{"while it judges", func(s *scene, until <-chan struct{}) { s.people.until = until }, 1, 2},
		{"while it edits", func(s *scene, until <-chan struct{}) { s.chat.fails("edit", fault{until: until}) }, 1, 2},
		{"while it posts, which is never heard of", func(s *scene, until <-chan struct{}) {
			s.chat.fails("post", fault{until: until, err: &trouble{service: "Chat"}})
		}, 1, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(s *scene) {
				s.say(ana, "brew blue")
				s.stop()
				cold := &store{Ledger: s.store}
				s.ledger = cold
				frozen := s.start(s.newBot(1000 * time.Hour))
				s.ledger = s.store
				s.bot = frozen
				s.kitchen.set(func() { s.kitchen.boils = true })
				until := make(chan struct{})
				s.kitchen.set(func() { s.people.set(func() { test.freeze(s, until) }) })
				s.press(bo, "Brew")
				if strings.Contains(test.name, "posts") {
					s.later(every)
				}
				thaw := cold.freeze()
				s.kitchen.set(func() { s.kitchen.until, s.kitchen.seen = nil, nil })
				s.people.set(func() { s.people.until = nil })

				other := s.newBot(5 * time.Second)
				s.start(other)
				s.later(15 * time.Second) // within which another has to have taken over
				s.later(2 * every)
				s.is("brew", "blue", "done")
				before := s.operation("brew", "blue")
				close(until)
				thaw()
				s.later(time.Minute)
				if after := s.operation("brew", "blue"); after.Version != before.Version {
					t.Errorf("when it woke it changed the operation from %+v to %+v", before, after)
				}
				s.switched("blue", test.pots)
				s.shows("Tea from blue, done", "Tea from blue: done")
				if states := s.states(before); !slices.Equal(states, []bot.State{"ask", "switch", "boil", "done"}) {
					t.Errorf("it went through %v", states)
				}
				if heard := s.chat.heard(bo); len(heard) > 0 {
					t.Errorf("the cook, who had decided, was told %q", heard)
				}
				if m := s.chat.messages[1]; m.edits > 0 {
					t.Errorf("%s was sent again", m.key)
				}
			})
		})
	}
}

// When it is told to end it finishes what it has begun, begins nothing more,
// and says the end of what has ended.
func TestDrain(t *testing.T) {
	play(t, func(s *scene) {
		s.brew("blue")
		s.say(ana, "brew red")
		until := make(chan struct{})
		s.kitchen.set(func() { s.kitchen.boils, s.kitchen.until = true, until })
		s.later(every) // now it looks at the blue pot
		stopped := make(chan struct{})
		stop := s.stops[0]
		s.stops = nil
		go func() { stop(); close(stopped) }()
		s.wait()
		// What still comes is stored, for whoever comes next.
		s.send(s.aim(bo, "Brew"))
		s.wait()
		select {
		case <-stopped:
			t.Error("it did not wait for its step")
		default:
		}
		slow := make(chan struct{})
		s.chat.fails("post", fault{until: slow})
		close(until)
		s.wait()
		select {
		case <-stopped:
			t.Error("it did not wait for its message")
		default:
		}
		close(slow)
		<-stopped
		s.shows("Tea from blue", "Tea from red", "Tea from blue: done")
		s.switched("red", 0)
		s.kitchen.set(func() { s.kitchen.until = nil })
		s.start(s.newBot(time.Hour))
		s.wait()
		s.switched("red", 1)
		s.shows("Tea from blue, done", "Tea from red, done", "Tea from blue: done", "Tea from red: done")
	})
}

// An urgent message that cannot be sent does not keep it from ending.
func TestDrainEnds(t *testing.T) {
	for name, f := range map[string]fault{"unreachable": unreached, "told to wait": slower} {
		t.Run(name, func(t *testing.T) {
			play(t, func(s *scene) {
				s.brew("blue")
				s.kitchen.set(func() { s.kitchen.boils = true })
				s.chat.fails("post", slices.Repeat([]fault{f}, 20)...)
				s.later(every)
				began := time.Now()
				s.stop()
				if took := time.Since(began); took > lease+lease/2 {
					t.Errorf("it took %s to end", took)
				}
				s.shows("Tea from blue")
				s.chat.mu.Lock()
				s.chat.faults = nil
				s.chat.mu.Unlock()
				s.start(s.newBot(time.Hour))
				s.later(time.Minute)
				s.shows("Tea from blue, done", "Tea from blue: done")
			})
		})
	}
}

// Two bots, and a kitchen, a chat and a ledger that fail at random: everything
// happens, and once.
func TestTwoBots(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		play(t, func(s *scene) {
			s.stop()
			s.chance(true)
			s.manyOperations(60, 4*time.Second, s.start(s.newBot(5*time.Second)), s.start(s.newBot(5*time.Second)))
		})
	})
	t.Run("mariadb", func(t *testing.T) {
		t.Parallel()
		url, password := mariadbtest.Start(t).Database(t)
		s := newScene(t, url, password)
		defer s.end()
		s.kitchen.every, s.lease = 20*time.Millisecond, 2*time.Second
		s.chance(false) // each message in doubt would take as long as a lease
		s.manyOperations(24, 0, s.start(s.newBot(100*time.Millisecond)), s.start(s.newBot(100*time.Millisecond)))
	})
}

// chance lets every sixteenth act, and message, go wrong.
func (s *scene) chance(messages bool) {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(1, 2))
	dice := func(faults ...fault) fault {
		mu.Lock()
		defer mu.Unlock()
		if n := random.IntN(16 * len(faults)); n < len(faults) {
			return faults[n]
		}
		return fault{}
	}
	s.kitchen.chance = func() fault {
		return dice(fault{err: &trouble{service: "Kitchen"}, lost: true}, fault{err: &trouble{service: "Kitchen"}}, fault{broken: true})
	}
	s.ledger = &store{Ledger: s.store, rehearse: !messages, chance: func() (bool, bool) {
		mu.Lock()
		defer mu.Unlock()
		n := random.IntN(50)
		return n == 0, n == 1
	}}
	if messages {
		s.chat.chance = func(method string) fault {
			switch method {
			case "post":
				return dice(lostReply, noAnswer, slower)
			case "find":
				return dice(noAnswer, notYet)
			}
			return dice(lostReply, noAnswer)
		}
	}
}

// manyOperations lets people ask for tea from so many pots, one after the
// other, and two cooks confirm each at once, one by each bot.
func (s *scene) manyOperations(pots int, apart time.Duration, bots ...*bot.Bot) {
	s.kitchen.set(func() { s.kitchen.boils = true })
	var all sync.WaitGroup
	for n := range pots {
		r := bot.Request{Key: s.key(), Person: ana, Channel: room, Text: fmt.Sprintf("brew p%d", n)}
		for _, b := range bots { // the same request comes to both
			all.Go(func() { // and is sent again while the bot says that it cannot
				<-time.After(time.Duration(n) * apart)
				for plain(*b.Command(s.t.Context(), r)) != "Looking for the pot…" {
				}
			})
		}
	}
	pressed, over := map[string]bool{}, map[string]bool{}
	late := func() int { return len(s.chat.heard(bo)) + len(s.chat.heard(cleo)) }
	for end := time.Now().Add(time.Hour); len(over) < pots || len(s.chat.said(room)) < 2*pots || late() < pots; {
		if time.Now().After(end) {
			s.t.Fatalf("only %d are over after an hour, and %d cooks were told that they were late", len(over), late())
		}
		<-time.After(max(apart, 20*time.Millisecond))
		for id, message := range s.cards() {
			if !pressed[id] {
				pressed[id] = true
				for i, b := range bots {
					p := bot.Press{Key: s.key(), Person: []string{bo, cleo}[i], Channel: room, Message: message, Verb: "brew", Value: id + ".1"}
					all.Go(func() {
						for b.Press(s.t.Context(), p) != nil {
						}
					})
				}
			} else if !over[id] {
				m := s.stored(id + "/card")
				over[id] = m.Due.IsZero() && strings.Contains(s.chat.shows(message), "done")
			}
			if !over[id] {
				delete(over, id)
			}
		}
	}
	all.Wait()
	for n, o := range s.operations() {
		s.switched(fmt.Sprintf("p%d", n), 1)
		if states := s.states(o); !slices.Equal(states, []bot.State{"ask", "switch", "boil", "done"}) || len(o.Presses) != 1 {
			s.t.Errorf("%s went through %v, by %v", o.Data, states, o.Presses)
		}
	}
	seen := map[string]bool{}
	for _, m := range s.chat.messages {
		if text := plain(m.card); seen[m.key] || !strings.Contains(text, "done") || strings.Contains(text, "⚠") {
			s.t.Errorf("%s, posted twice: %v, says %q", m.key, seen[m.key], text)
		}
		seen[m.key] = true
	}
}
