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

// post is a message on its own, with its text for a key.
func post(tx bot.Tx, text string, class bot.Class, to bot.Place) error {
	card := bot.Say(text)
	return tx.AddMessage(bot.Message{Key: text, Class: class, To: to, Card: &card, Wanted: 1, Due: tx.Now(), Created: tx.Now()})
}

// posts adds them one after the other, each in a transaction of its own, for
// the channel, and wakes the bot when they are all there.
func (s *scene) posts(class bot.Class, texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		s.do(func(tx bot.Tx) error { return post(tx, text, class, bot.Place{Channel: room}) })
		<-time.After(time.Microsecond)
	}
	s.wake()
}

// wake makes the bot look for what is due: it answers a press on nothing.
func (s *scene) wake() {
	s.t.Helper()
	s.send(bot.Press{Key: s.key(), Person: robo, Channel: room, Value: "?"})
	s.wait()
}

func numbered(n int) (texts []string) {
	for i := range n {
		texts = append(texts, fmt.Sprintf("message %03d", i))
	}
	return texts
}

func TestMessagesStayInOrder(t *testing.T) {
	unknownAt := func(ns ...int) func(*chat) {
		return func(c *chat) {
			n := 0
			c.chance = func(method string) fault {
				if method != "post" {
					return fault{}
				}
				n++
				if slices.Contains(ns, n) {
					return []fault{noAnswer, lostReply}[n%2]
				}
				return fault{}
			}
		}
	}
	for _, test := range []struct {
		name string
		n    int
		with func(*chat)
	}{
		{"a few", 10, func(*chat) {}},
		{"more than are read at a time", 100, func(*chat) {}},
		{"told to wait", 10, func(c *chat) { c.fails("post", fault{}, fault{}, slower, slower) }},
		{"unreachable", 10, func(c *chat) { c.fails("post", fault{}, unreached, unreached, fault{}, unreached) }},
		{"outcomes unknown", 10, unknownAt(2, 3, 7)},
		{"outcomes unknown, and many", 100, unknownAt(2, 3, 7)},
		{"told to wait, and many", 100, func(c *chat) { c.fails("post", fault{}, slower, slower) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(s *scene) {
				test.with(s.chat)
				s.posts(bot.Final, numbered(test.n)...)
				s.later(3 * time.Minute)
				s.shows(numbered(test.n)...)
			})
		})
	}
}

// While one is being sent none of its channel overtakes it; then the most
// urgent goes first. Other channels and people are not held up.
func TestWhoGoesFirst(t *testing.T) {
	play(t, func(s *scene) {
		until := make(chan struct{})
		s.chat.fails("post", fault{until: until})
		s.posts(bot.Whisper, "being sent")
		s.posts(bot.Whisper, "a whisper")
		s.posts(bot.Progress, "progress")
		s.posts(bot.Query, "a question")
		s.posts(bot.Final, "an end")
		s.posts(bot.Page, "a page")
		s.do(func(tx bot.Tx) error {
			return errors.Join(post(tx, "elsewhere", bot.Whisper, bot.Place{Channel: "C0ELSE"}),
				post(tx, "to ana", bot.Whisper, bot.Place{Channel: room, User: ana}), post(tx, "to bo", bot.Whisper, bot.Place{Channel: room, User: bo}))
		})
		s.wake()
		s.shows()
		s.hears(ana, "to ana")
		s.hears(bo, "to bo")
		if said := s.chat.said("C0ELSE"); len(said) != 1 {
			t.Errorf("said elsewhere: %q", said)
		}
		close(until)
		s.wait()
		s.shows("being sent", "a page", "an end", "a question", "progress", "a whisper")
	})
}

// What waits in one place does not keep the rest from being seen.
func TestNobodyIsHeldUp(t *testing.T) {
	play(t, func(s *scene) {
		s.chat.fails("post", slower)
		s.posts(bot.Final, numbered(100)...)
		s.do(func(tx bot.Tx) error { return post(tx, "elsewhere", bot.Progress, bot.Place{Channel: "C0ELSE"}) })
		began := time.Now()
		s.say(bo, "brew gone")
		s.hears(bo, "There is no pot gone.")
		if said := s.chat.said("C0ELSE"); len(said) != 1 || time.Since(began) != 0 {
			t.Errorf("after %s, elsewhere: %q", time.Since(began), said)
		}
		s.shows()
		s.later(30 * time.Second)
		s.shows(numbered(100)...)
	})
}

// The chat's word how long to wait is kept, and stands for all calls of that
// sort in that channel.
func TestWaitsAsTold(t *testing.T) {
	t.Run("posts", func(t *testing.T) {
		play(t, func(s *scene) {
			s.chat.fails("post", slower, slower)
			began := time.Now()
			s.posts(bot.Final, "first")
			s.later(time.Second)
			s.posts(bot.Page, "second")
			s.do(func(tx bot.Tx) error { return post(tx, "to ana", bot.Final, bot.Place{Channel: room, User: ana}) })
			s.wake()
			s.hears(ana, "to ana")
			s.later(2 * time.Minute)
			s.shows("second", "first")
			var after []string
			for _, at := range s.chat.when("post") {
				after = append(after, at.Sub(began).Truncate(time.Millisecond).String())
			}
			if want := []string{"0s", "30s", "1m0s", "1m0s"}; !slices.Equal(after, want) {
				t.Errorf("tried after %v, want %v", after, want)
			}
			if s.chat.count("find") > 0 {
				t.Error("looked up what certainly was not sent")
			}
		})
	})
	t.Run("edits", func(t *testing.T) {
		play(t, func(s *scene) {
			s.say(ana, "brew blue")
			s.chat.fails("edit", slower)
			began := time.Now()
			s.press(bo, "Brew")
			s.later(time.Second)
			s.say(ana, "brew red") // another message to edit, in the same channel
			s.press(bo, "Brew")
			s.later(time.Second)
			if n := s.chat.count("edit"); n != 1 {
				t.Errorf("%d edits before it is time", n)
			}
			s.later(30 * time.Second)
			s.shows("Tea from blue, boil", "Tea from red, boil")
			if at := s.chat.when("edit"); at[1].Sub(began) != 30*time.Second {
				t.Errorf("edited after %s", at[1].Sub(began))
			}
		})
	})
}

// What a send came to, when the chat did not say so.
func TestUnknownOutcome(t *testing.T) {
	inChannel, toAna := bot.Place{Channel: room}, bot.Place{Channel: room, User: ana}
	for _, test := range []struct {
		name   string
		class  bot.Class
		to     bot.Place
		method string
		faults []fault
		finds  []fault
		want   []string
		calls  int // of method
		dead   bool
	}{
		{name: "it was sent", class: bot.Final, to: inChannel, method: "post", faults: []fault{lostReply}, want: []string{"text"}, calls: 1},
		{name: "it was not", class: bot.Final, to: inChannel, method: "post", faults: []fault{noAnswer}, want: []string{"text"}, calls: 2},
		{name: "twice it was not", class: bot.Progress, to: inChannel, method: "post", faults: []fault{noAnswer, noAnswer}, want: []string{"text"}, calls: 3},
		{name: "it was, and looking fails for a while", class: bot.Final, to: inChannel, method: "post", faults: []fault{lostReply},
			finds: []fault{noAnswer, noAnswer, notYet, unreached}, want: []string{"text"}, calls: 1},
		{name: "it was not, and looking fails for a while", class: bot.Progress, to: inChannel, method: "post", faults: []fault{noAnswer},
			finds: []fault{noAnswer, notYet}, want: []string{"text"}, calls: 2},
		{name: "an end that cannot be looked up", class: bot.Final, to: inChannel, method: "post", faults: []fault{lostReply},
			finds: []fault{notForUs}, want: []string{"text", "text\nPerhaps repeated."}, calls: 2},
		{name: "an end that cannot be looked up, and the chat is busy", class: bot.Final, to: inChannel, method: "post", faults: []fault{noAnswer, slower, unreached},
			finds: []fault{notForUs, notForUs, notForUs}, want: []string{"text\nPerhaps repeated."}, calls: 4},
		{name: "a question that cannot be looked up", class: bot.Query, to: inChannel, method: "post", faults: []fault{noAnswer},
			finds: []fault{notForUs}, calls: 1, dead: true},
		{name: "a whispered page", class: bot.Page, to: toAna, method: "whisper U0ANA", faults: []fault{lostReply}, want: []string{"text", "text\nPerhaps repeated."}, calls: 2},
		{name: "a whispered end", class: bot.Final, to: toAna, method: "whisper U0ANA", faults: []fault{noAnswer}, want: []string{"text\nPerhaps repeated."}, calls: 2},
		{name: "a whispered end, and the chat is busy", class: bot.Final, to: toAna, method: "whisper U0ANA", faults: []fault{noAnswer, slower}, want: []string{"text\nPerhaps repeated."}, calls: 3},
		{name: "a whispered end, the chat being busy before", class: bot.Final, to: toAna, method: "whisper U0ANA", faults: []fault{slower, unreached}, want: []string{"text"}, calls: 3},
		{name: "a whispered question", class: bot.Query, to: toAna, method: "whisper U0ANA", faults: []fault{lostReply}, want: []string{"text"}, calls: 1, dead: true},
		{name: "progress, whispered", class: bot.Progress, to: toAna, method: "whisper U0ANA", faults: []fault{noAnswer}, calls: 1, dead: true},
		{name: "a whisper", class: bot.Whisper, to: toAna, method: "whisper U0ANA", faults: []fault{noAnswer}, calls: 1, dead: true},
		{name: "refused for good", class: bot.Page, to: inChannel, method: "post", faults: []fault{refused}, calls: 1, dead: true},
		{name: "a whisper refused for good", class: bot.Page, to: toAna, method: "whisper U0ANA", faults: []fault{refused}, calls: 1, dead: true},
		{name: "the client panics", class: bot.Final, to: inChannel, method: "post", faults: []fault{{broken: true}}, want: []string{"text"}, calls: 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(s *scene) {
				s.chat.fails(test.method, test.faults...)
				s.chat.fails("find", test.finds...)
				s.do(func(tx bot.Tx) error { return post(tx, "text", test.class, test.to) })
				began := time.Now()
				s.wake()
				s.later(5 * time.Minute)
				said := append(s.chat.said(room), s.chat.heard(ana)...)
				if !slices.Equal(said, test.want) {
					t.Errorf("said %q, want %q", said, test.want)
				}
				if n := s.chat.count(test.method); n != test.calls {
					t.Errorf("%d calls, want %d: %v", n, test.calls, s.chat.calls)
				}
				for _, at := range append(s.chat.when("find"), s.chat.when(test.method)...) {
					if d := at.Sub(began); d > 0 && d < lease && !bot.NotSent(test.faults[0].err) {
						t.Errorf("something was done after %s, when the old request may still have been under way", d)
					}
				}
				m := s.stored("text")
				if (m.Dead != "") != test.dead || !m.Due.IsZero() || m.Owner != "" {
					t.Errorf("in the end the message is %+v", m)
				}
				if test.dead && s.logged("a message is not repeated")+s.logged("a message cannot be delivered") == 0 {
					t.Error("an operator cannot know")
				}
			})
		})
	}
}

// One that fails again and again does not hold up its channel for ever.
func TestGivesWay(t *testing.T) {
	play(t, func(s *scene) {
		s.chat.chance = func(method string) fault {
			if len(s.chat.calls) > 0 && strings.HasSuffix(s.chat.calls[len(s.chat.calls)-1], "post poison") {
				return noAnswer
			}
			return fault{}
		}
		s.posts(bot.Final, "poison", "second", "third")
		s.later(4 * lease)
		s.shows("second", "third")
		for range 5 {
			s.posts(bot.Progress, s.key())
			s.later(time.Second)
		}
		if n := len(s.chat.said(room)); n != 7 {
			t.Errorf("%d messages, want 7: %q", n, s.chat.said(room))
		}
	})
}

// Edits merge: however often an operation changes while its message is being
// sent, one more edit brings it up to date.
func TestEditsMerge(t *testing.T) {
	play(t, func(s *scene) {
		s.say(ana, "brew blue")
		until := make(chan struct{})
		s.chat.fails("edit", fault{until: until})
		s.press(bo, "Brew")
		s.later(3*every + every/2) // which is less than a lease
		s.shows("ask, looked 0 times")
		close(until)
		s.wait()
		s.shows("boil, looked")
		if n := s.chat.count("edit"); n != 2 {
			t.Errorf("%d edits, want 2: %v", n, s.chat.calls)
		}
		o := s.operation("brew", "blue")
		if m := s.stored(o.ID + "/card"); m.Sent != m.Wanted || !m.Due.IsZero() {
			t.Errorf("the message is %+v", m)
		}
	})
}

// What is decided while the question is still being posted, or looked for, is
// done at once, and shown when that is over, and not before its time.
func TestDecisionDuringSend(t *testing.T) {
	for _, test := range []struct {
		name  string
		f     fault // what becomes of the post, which takes a second
		finds []fault
		press time.Duration // after it was asked for
		shown time.Duration
		calls []string // of the post and its look-ups, and when
	}{
		{"it takes long", fault{}, nil, time.Second / 2, time.Second, []string{"post 0s"}},
		{"the answer is lost", lostReply, nil, 2 * time.Second, lease, []string{"post 0s", "find 8s"}},
		{"the request is lost", noAnswer, nil, 2 * time.Second, lease, []string{"post 0s", "find 8s", "post 8s"}},
		{"the chat is busy", slower, nil, 2 * time.Second, 31 * time.Second, []string{"post 0s", "post 31s"}},
		{"it cannot be looked up yet", lostReply, []fault{notYet}, lease + time.Second, lease + 7*time.Second, []string{"post 0s", "find 8s", "find 15s"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(s *scene) {
				began, until := time.Now(), make(chan struct{})
				go func() { <-time.After(time.Second); close(until) }()
				test.f.until = until
				s.chat.fails("post", test.f)
				s.chat.fails("find", test.finds...)
				s.kitchen.set(func() { s.kitchen.boils = true })
				s.say(ana, "brew blue")
				var o bot.Operation
				s.do(func(tx bot.Tx) error {
					due, err := tx.DueOperations([]string{"brew"}, 1)
					o = due[0]
					return err
				})
				s.later(test.press)
				s.send(bot.Press{Key: s.key(), Person: bo, Channel: room, Message: "1." + room, Verb: "brew", Value: o.ID + ".1"})
				s.wait()
				s.switched("blue", 1)
				s.later(test.shown - time.Since(began))
				if said := strings.Join(s.chat.said(room), "; "); !strings.Contains(said, "Tea from blue, done") {
					t.Errorf("it says %s", said)
				}
				s.later(time.Minute)
				if n := len(s.chat.said(room)); n != 2 { // with its end
					t.Errorf("%d messages: %q", n, s.chat.said(room))
				}
				var calls []string
				for i, call := range s.chat.calls {
					if method, ok := strings.CutSuffix(call, " "+o.ID+"/card"); ok {
						calls = append(calls, method+" "+s.chat.times[i].Sub(began).String())
					}
				}
				if !slices.Equal(calls, test.calls) {
					t.Errorf("the calls were %q, want %q", calls, test.calls)
				}
			})
		})
	}
}

// The chat may refuse an edit for good, as of a message that somebody deleted.
// The operation goes on.
func TestDeadCard(t *testing.T) {
	play(t, func(s *scene) {
		s.kitchen.set(func() { s.kitchen.boils = true })
		s.say(ana, "brew blue")
		p := s.aim(bo, "Brew")
		s.chat.fails("edit", refused)
		s.send(p)
		s.later(time.Minute)
		s.shows("Tea from blue, ask", "Tea from blue: done")
		if n := s.chat.count("edit"); n != 1 {
			t.Errorf("%d edits of a message that is not there", n)
		}
		if s.logged("a message cannot be delivered") != 1 {
			t.Error("an operator cannot know")
		}
	})
}
