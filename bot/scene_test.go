package bot_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"thbot/bot"
	"thbot/integrations/ledger"
)

const (
	room  = "C0ROOM"
	ana   = "U0ANA"  // asks
	bo    = "U0BO"   // a cook, by group
	cleo  = "U0CLEO" // a cook, by her own id
	dora  = "U0DORA" // a waiter, by group
	gil   = "U0GIL"  // a guest
	faye  = "U0FAYE" // of another workspace
	robo  = "U0ROBO"
	gone  = "U0GONE"
	lease = 8 * time.Second
)

// scene is a kitchen, a chat and a directory with one ledger, and the bots that
// work in it, in a bubble.
type scene struct {
	t       *testing.T
	store   *ledger.Ledger
	ledger  bot.Ledger // what the next bot gets
	chat    *chat
	people  *people
	kitchen *kitchen
	logs    *observer.ObservedLogs
	log     *zap.Logger
	bot     *bot.Bot // the one that people talk to
	stops   []func()
	keys    int
	lease   time.Duration
}

// play runs f in a bubble, with one bot. That never wakes by itself, so what it
// is not woken for does not happen.
func play(t *testing.T, f func(s *scene)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, "sqlite:"+filepath.Join(t.TempDir(), "ledger.db"), "")
		defer s.end()
		s.bot = s.start(s.newBot(1000 * time.Hour))
		f(s)
	})
}

func newScene(t *testing.T, url, password string) *scene {
	s := &scene{t: t, lease: lease, chat: &chat{}, kitchen: newKitchen()}
	core, logs := observer.New(zap.InfoLevel)
	s.logs, s.log = logs, zap.New(core)
	if testing.Verbose() {
		s.log = zap.New(zapcore.NewTee(core, zapcore.NewCore(zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig()), zapcore.AddSync(testLog{t}), zap.InfoLevel)))
	}
	s.people = &people{fresh: map[string]time.Duration{}, down: map[string]bool{}, groups: map[string][]string{"S0COOKS": {bo, gone}, "S0WAITERS": {dora}}, members: map[string]bot.Member{}}
	for id, m := range map[string]bot.Member{ana: {}, bo: {}, cleo: {}, dora: {}, gil: {Guest: true}, faye: {Foreign: true}, robo: {Bot: true}, gone: {Gone: true}} {
		m.Person = bot.Person{ID: id, Name: strings.ToLower(id[2:])}
		s.people.members[id] = m
	}
	var err error
	if s.store, err = ledger.Open(t.Context(), ledger.Options{URL: url, Password: password}); err != nil {
		t.Fatal(err)
	}
	s.ledger = s.store
	return s
}

type testLog struct{ *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// newBot is another replica.
func (s *scene) newBot(idle time.Duration) *bot.Bot {
	b := &bot.Bot{
		Ledger: s.ledger, Chat: s.chat, Directory: s.people, Channel: room, Room: "#kitchen", Word: "/tea", Log: s.log,
		Roles: bot.Roles{bot.Admins: {"S0COOKS", cleo}, bot.CloudOps: {"S0WAITERS"}},
		Times: bot.Times{Lease: s.lease, Limit: s.lease / 2, Plan: 15 * time.Second, Idle: idle},
		Commands: []bot.Command{bot.Operates(brewing{s.kitchen}), bot.Operates(feast{brewing{s.kitchen}}), bot.Operates(cleaning{s.kitchen}), bot.Answers(recipe{s.kitchen}), bot.Answers(secret{}),
			bot.Operates(banquet{s.kitchen}), bot.Operates(keeping{s.kitchen}), bot.Operates(watching{s.kitchen})},
	}
	b.Commands = append(b.Commands, bot.Help(b))
	return b
}

// start lets b work until the scene ends, or the last of stops is called.
func (s *scene) start(b *bot.Bot) *bot.Bot {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	s.stops = append(s.stops, func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			s.t.Errorf("Run returned %v", err)
		}
	})
	return b
}

// stop ends all bots.
func (s *scene) stop() {
	for _, stop := range s.stops {
		stop()
	}
	s.stops = nil
}

func (s *scene) end() {
	s.stop()
	if err := s.store.Close(); err != nil {
		s.t.Error(err)
	}
}

// wait lets everybody do what they can do now.
func (s *scene) wait() { synctest.Wait() }

// later lets time pass, too.
func (s *scene) later(d time.Duration) { <-time.After(d); synctest.Wait() }

func (s *scene) key() string { s.keys++; return fmt.Sprintf("T0:%d", s.keys) }

// say types a command and returns what is answered at once.
func (s *scene) say(who, text string) string {
	answer := s.bot.Command(s.t.Context(), bot.Request{Key: s.key(), Person: who, Channel: room, Text: text})
	s.wait()
	if answer == nil {
		s.t.Fatalf("%q was not answered", text)
	}
	return plain(*answer)
}

// aim is a press on the newest button with that label.
func (s *scene) aim(who, label string) bot.Press {
	s.t.Helper()
	id, b, ok := s.chat.button(label)
	if !ok {
		s.t.Fatalf("nobody is shown a button %q; there is\n%s", label, strings.Join(s.chat.said(room), "\n"))
	}
	return bot.Press{Key: s.key(), Person: who, Channel: room, Message: id, Verb: b.Verb, Value: b.Value}
}

func (s *scene) send(p bot.Press) {
	s.t.Helper()
	if err := s.bot.Press(s.t.Context(), p); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) press(who, label string) {
	s.t.Helper()
	s.send(s.aim(who, label))
	s.wait()
}

// brew asks for tea, and a cook confirms.
func (s *scene) brew(pot string) {
	s.t.Helper()
	s.say(ana, "brew "+pot)
	s.press(bo, "Brew")
}

// do writes to the ledger behind the bots' backs.
func (s *scene) do(f func(tx bot.Tx) error) {
	s.t.Helper()
	if err := s.store.Do(s.t.Context(), f); err != nil {
		s.t.Fatal(err)
	}
}

// operation is the one of that kind and pot.
func (s *scene) operation(kind, pot string) (found bot.Operation) {
	s.t.Helper()
	for _, o := range s.operations() {
		if o.Kind == kind && strings.Contains(string(o.Data), `"`+pot+`"`) {
			found = o
		}
	}
	if found.ID == "" {
		s.t.Fatalf("there is no %s of %s", kind, pot)
	}
	return found
}

// cards are the operations' messages: id by id.
func (s *scene) cards() map[string]string {
	s.chat.mu.Lock()
	defer s.chat.mu.Unlock()
	cards := map[string]string{}
	for _, m := range s.chat.messages {
		if id, ok := strings.CutSuffix(m.key, "/card"); ok {
			cards[id] = m.id
		}
	}
	return cards
}

// operations are all that have a message, in the order in which they began.
func (s *scene) operations() (all []bot.Operation) {
	for id := range s.cards() {
		err := s.store.View(s.t.Context(), func(v bot.View) error {
			o, err := v.Operation(id)
			all = append(all, o)
			return err
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	slices.SortFunc(all, func(a, b bot.Operation) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// states are those that an operation went through.
func (s *scene) states(o bot.Operation) (states []bot.State) {
	s.do(func(tx bot.Tx) error {
		events, err := tx.Events(o.ID)
		for _, e := range events {
			states = append(states, e.To)
		}
		return err
	})
	return states
}

func (s *scene) stored(key string) (m bot.Message) {
	s.t.Helper()
	s.do(func(tx bot.Tx) (err error) { m, err = tx.Message(key); return err })
	return m
}

// is checks the state of an operation.
func (s *scene) is(kind, pot string, want bot.State) {
	s.t.Helper()
	if o := s.operation(kind, pot); o.State != want {
		s.t.Errorf("the %s of %s is in state %q, want %q", kind, pot, o.State, want)
	}
}

// hears checks what somebody was whispered last.
func (s *scene) hears(who, want string) {
	s.t.Helper()
	if heard := s.chat.heard(who); len(heard) == 0 || !strings.Contains(heard[len(heard)-1], want) {
		s.t.Errorf("%s was told %q, want last %q", who, heard, want)
	}
}

// shows checks what stands in the channel, message by message.
func (s *scene) shows(want ...string) {
	s.t.Helper()
	said := s.chat.said(room)
	if len(said) != len(want) {
		s.t.Errorf("%d messages in the channel, want %d:\n%s", len(said), len(want), strings.Join(said, "\n--\n"))
		return
	}
	for i, text := range said {
		if !strings.Contains(text, want[i]) {
			s.t.Errorf("message %d is\n%s\nwant %q in it", i+1, text, want[i])
		}
	}
}

func (s *scene) switched(pot string, want int) {
	s.t.Helper()
	if n := s.kitchen.count(s.kitchen.on, pot); n != want {
		s.t.Errorf("%s was switched on %d times, want %d", pot, n, want)
	}
}

// logged counts the log's lines with that text.
func (s *scene) logged(text string) (n int) {
	for _, e := range s.logs.All() {
		if strings.Contains(e.Message+fmt.Sprint(e.ContextMap()), text) {
			n++
		}
	}
	return n
}

// silent fails if something went wrong that nobody provoked.
func (s *scene) silent() {
	s.t.Helper()
	for _, e := range s.logs.All() {
		if e.Level > zap.InfoLevel {
			s.t.Errorf("in the log: %s %v", e.Message, e.ContextMap())
		}
	}
}
