package bot_test

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// What a look has to say is said with what it found, once.
func TestLookSays(t *testing.T) {
	for _, test := range []struct {
		name   string
		ledger func(said func() bool) *store // of what is called when a look has had something to say
		after  time.Duration
	}{
		{"at once", func(func() bool) *store { return &store{} }, 0},
		{"transactions run twice", func(func() bool) *store { return &store{rehearse: true} }, 0},
		{"a crash before the commit", func(said func() bool) *store {
			return &store{chance: func() (before, after bool) { return said(), false }}
		}, lease + every},
		{"a crash after the commit", func(said func() bool) *store {
			return &store{chance: func() (before, after bool) { return false, said() }}
		}, lease + every},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(s *scene) {
				s.say(ana, "watch oak")
				s.stop()
				var mu sync.Mutex
				broke := false
				ledger := test.ledger(func() bool {
					mu.Lock()
					defer mu.Unlock()
					now := !broke && s.kitchen.now().said
					broke = broke || now
					return now
				})
				ledger.Ledger = s.store
				s.ledger = ledger
				s.start(s.newBot(1000 * time.Hour))
				s.later(every)
				s.lay(func(l *laying) { l.news = "fire" })
				s.later(every)
				if strings.Contains(test.name, "before") {
					if said := s.chat.said(room); len(said) != 1 || strings.Contains(said[0], "fire") {
						t.Errorf("nothing of it is in the ledger, and it says %q", said)
					}
				}
				s.later(test.after)
				s.shows("watch at oak: watch. fire", "News: fire.")
				s.later(10 * every)
				s.lay(func(l *laying) { l.news = "rain" })
				s.later(every)
				s.shows("watch at oak: watch. rain", "News: fire.", "News: rain.")
				s.lay(func(l *laying) { l.news = "over" })
				s.later(every)
				// The end is the more urgent of two of the same moment.
				s.shows("watch at oak: over. over", "News: fire.", "News: rain.", "No more news.", "News: over.")
			})
		})
	}
}

// A step that leads to itself when it has waited long enough says so again,
// and what was shown before is told from what is shown now.
func TestReminders(t *testing.T) {
	const again = "This question has been asked again meanwhile, so nothing was done. Press again if you still want it."
	play(t, func(s *scene) {
		s.say(ana, "keep oak")
		first := s.aim(ana, "Free")
		id := s.operation("keep", "oak").ID
		s.later(time.Hour - time.Second)
		s.shows("keep at oak: kept", "Kept: oak, turn 1")
		s.later(time.Second)
		s.shows("keep at oak: kept", "Kept: oak, turn 1", "Kept: oak, turn 2")
		before := s.operation("keep", "oak")
		s.send(first)
		s.wait()
		s.hears(ana, again)
		if after := s.operation("keep", "oak"); after.Version != before.Version || after.Turn != 2 {
			t.Errorf("it changed from %+v to %+v", before, after)
		}
		s.has("oak", id)
		s.later(time.Hour)
		s.shows("keep at oak: kept", "Kept: oak, turn 1", "Kept: oak, turn 2", "Kept: oak, turn 3")
		s.press(bo, "Free") // the newest counts
		s.is("keep", "oak", "freed")
		s.has("oak", "")
		first.Key = s.key()
		s.send(first)
		s.wait()
		s.hears(ana, "This question was answered by bo at 02:00; nothing was done now.")
		s.later(3 * time.Hour)
		if n := len(s.chat.said(room)); n != 4 {
			t.Errorf("it reminded after its end: %d messages", n)
		}
		s.silent()
	})
}

// What only would have been asked again has not expired when its reminder is late.
func TestReminderIsLate(t *testing.T) {
	play(t, func(s *scene) {
		s.say(ana, "keep oak")
		until := make(chan struct{})
		defer close(until)
		s.kitchen.set(func() { s.kitchen.until = until })
		for _, pot := range strings.Split("abcdefghijklmnop", "") { // as many as are worked on at once
			s.brew(pot)
		}
		s.later(time.Hour + time.Minute)
		if o := s.operation("keep", "oak"); o.Turn != 1 {
			t.Errorf("it was reminded of: %+v", o)
		}
		s.press(ana, "Free")
		s.is("keep", "oak", "freed")
		if heard := s.chat.heard(ana); len(heard) > 0 {
			t.Errorf("she was told %q", heard)
		}
	})
}
