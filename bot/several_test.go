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
)

// lay changes what the kinds that deal with tables do.
func (s *scene) lay(with func(l *laying)) {
	s.kitchen.set(func() { with(&s.kitchen.table) })
}

// holder is who has a scope.
func (s *scene) holder(scope string) (id string) {
	s.t.Helper()
	s.do(func(tx bot.Tx) (err error) { id, err = tx.Holder(scope); return err })
	return id
}

// has checks that an operation has its table, or that nobody does.
func (s *scene) has(table, want string) {
	s.t.Helper()
	if got := s.holder("table/" + table); got != want {
		s.t.Errorf("the table %s is held by %q, want %q", table, got, want)
	}
}

// pressed are the presses that counted: "serve bo".
func pressed(o bot.Operation) (all []string) {
	for _, d := range o.Presses {
		all = append(all, d.Verb+" "+d.Person.Name)
	}
	return all
}

func TestSeveralPeople(t *testing.T) {
	const (
		onlyStaff = "Only a Treeherder admin or somebody of cloudOps can do that, so nothing was done."
		notYours  = "You have not confirmed this, so there is nothing to withdraw. Nothing was done."
		open      = "banquet at oak: ask. \n[Serve] [Drop it]\n"
		more      = "\n[Serve] [Drop it] [Withdraw]\nWaits until 00:20; the staff can confirm"
	)
	two, cloud := func(l *laying) { l.people = 2 }, func(l *laying) { l.among = bot.CloudOps }
	type move struct{ who, label, hears, shows string }
	for _, test := range []struct {
		name    string
		asker   string
		with    func(*laying)
		moves   []move
		pressed []string
	}{
		{"one is enough", ana, func(*laying) {}, []move{{bo, "Serve", "", "served"}}, []string{"serve bo"}},
		{"two", ana, two, []move{
			{bo, "Serve", "", "1 of 2: confirmed by bo; it still needs 1 other person." + more},
			{cleo, "Serve", "", "served. \n[Clear]"}}, []string{"serve bo", "serve cleo"}},
		{"three", ana, func(l *laying) { l.people = 3 }, []move{
			{bo, "Serve", "", "1 of 3: confirmed by bo; it still needs 2 other people." + more},
			{dora, "Serve", "", "2 of 3: confirmed by bo and dora; it still needs 1 other person." + more},
			{cleo, "Serve", "", "served"}}, []string{"serve bo", "serve dora", "serve cleo"}},
		{"the same one twice", ana, two, []move{
			{bo, "Serve", "", "1 of 2: confirmed by bo"},
			{bo, "Serve", "You have confirmed this already; it still needs 1 other person. Nothing was done now.", "1 of 2: confirmed by bo; it"},
			{cleo, "Serve", "", "served"}}, []string{"serve bo", "serve cleo"}},
		{"withdrawn", ana, two, []move{
			{bo, "Serve", "", "1 of 2: confirmed by bo"},
			{bo, "Withdraw", "", open},
			{cleo, "Serve", "", "1 of 2: confirmed by cleo; it still needs 1 other person." + more},
			{bo, "Serve", "", "served"}}, []string{"serve cleo", "serve bo"}},
		{"one of two withdraws", ana, func(l *laying) { l.people = 3 }, []move{
			{bo, "Serve", "", "1 of 3: confirmed by bo"},
			{cleo, "Serve", "", "2 of 3: confirmed by bo and cleo"},
			{bo, "Withdraw", "", "1 of 3: confirmed by cleo; it still needs 2 other people." + more}}, []string{"serve cleo"}},
		{"somebody else cannot withdraw it", ana, two, []move{
			{bo, "Serve", "", "1 of 2: confirmed by bo"},
			{ana, "Withdraw", notYours, "1 of 2: confirmed by bo; it"},
			{cleo, "Withdraw", notYours, "1 of 2: confirmed by bo; it"},
			{gil, "Withdraw", "Guests cannot", "1 of 2: confirmed by bo; it"}}, []string{"serve bo"}},
		{"those who may not do not count", ana, two, []move{
			{ana, "Serve", onlyStaff, open},
			{bo, "Serve", "", "1 of 2: confirmed by bo"},
			{ana, "Serve", onlyStaff, "1 of 2: confirmed by bo; it"}}, []string{"serve bo"}},
		{"another answer needs one", ana, two, []move{
			{bo, "Serve", "", "1 of 2: confirmed by bo"},
			{bo, "Drop it", "", "dropped"}}, []string{"serve bo", "drop bo"}},
		{"one of a role", ana, cloud, []move{
			{bo, "Serve", "", "\nConfirmed by bo; it still needs somebody of cloudOps." + more},
			{bo, "Serve", "You have confirmed this already; it still needs somebody of cloudOps. Nothing was done now.", "Confirmed by bo; it"},
			{dora, "Serve", "", "served"}}, []string{"serve bo", "serve dora"}},
		{"of the role at once", ana, cloud, []move{{dora, "Serve", "", "served"}}, []string{"serve dora"}},
		{"two, one of a role, who comes first", ana, func(l *laying) { two(l); cloud(l) }, []move{
			{dora, "Serve", "", "1 of 2: confirmed by dora; it still needs 1 other person." + more},
			{bo, "Serve", "", "served"}}, []string{"serve dora", "serve bo"}},
		{"two, one of a role, who comes third", ana, func(l *laying) { two(l); cloud(l) }, []move{
			{bo, "Serve", "", "1 of 2: confirmed by bo; it still needs somebody of cloudOps." + more},
			{cleo, "Serve", "", "2 of 2: confirmed by bo and cleo; it still needs somebody of cloudOps." + more},
			{dora, "Serve", "", "served"}}, []string{"serve bo", "serve cleo", "serve dora"}},
		{"three, one of a role", ana, func(l *laying) { l.people = 3; cloud(l) }, []move{
			{bo, "Serve", "", "1 of 3: confirmed by bo; it still needs 2 people, one of them somebody of cloudOps." + more}}, []string{"serve bo"}},
		{"not the asker", bo, func(l *laying) { l.other = true }, []move{
			{bo, "Serve", "Who asked for this cannot confirm it: the configuration wants somebody else. Nothing was done.", open},
			{ana, "Serve", onlyStaff, open},
			{cleo, "Serve", "", "served"}}, []string{"serve cleo"}},
		{"the asker, who is one of the staff", bo, func(*laying) {}, []move{{bo, "Serve", "", "served"}}, []string{"serve bo"}},
		{"two, but not the asker", bo, func(l *laying) { two(l); l.other = true }, []move{
			{cleo, "Serve", "", "1 of 2: confirmed by cleo"},
			{bo, "Serve", "Who asked for this cannot confirm it", "1 of 2: confirmed by cleo; it"},
			{dora, "Serve", "", "served"}}, []string{"serve cleo", "serve dora"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(s *scene) {
				s.lay(test.with)
				s.say(test.asker, "banquet oak")
				for i, m := range test.moves {
					heard := len(s.chat.heard(m.who))
					s.press(m.who, m.label)
					s.shows(m.shows)
					if m.hears != "" {
						s.hears(m.who, m.hears)
					} else if told := s.chat.heard(m.who)[heard:]; len(told) > 0 {
						t.Errorf("after move %d %s was told %q", i+1, m.who, told)
					}
				}
				o := s.operation("banquet", "oak")
				if got := pressed(o); !slices.Equal(got, test.pressed) {
					t.Errorf("the presses that count are %q, want %q", got, test.pressed)
				}
				s.has("oak", map[bool]string{true: o.ID}[o.State == "served"])
				var confirmed []string
				for _, p := range o.Confirmers() {
					confirmed = append(confirmed, "serve "+p.Name)
				}
				if want := slices.DeleteFunc(pressed(o), func(p string) bool { return p == "drop bo" }); !slices.Equal(confirmed, want) {
					t.Errorf("it was confirmed by %q, want %q", confirmed, want)
				}
				s.silent()
			})
		})
	}
}

// Who was in the role is known from the moment of the press.
func TestRoleAtThePress(t *testing.T) {
	waits := "Confirmed by bo; it still needs somebody of cloudOps."
	t.Run("it comes later", func(t *testing.T) {
		play(t, func(s *scene) {
			s.lay(func(l *laying) { l.among = bot.CloudOps })
			s.say(ana, "banquet oak")
			s.press(bo, "Serve")
			s.people.set(func() { s.people.groups["S0WAITERS"] = []string{bo} })
			s.press(bo, "Serve")
			s.hears(bo, "You have confirmed this already; it still needs somebody of cloudOps.")
			s.shows(waits)
			s.press(bo, "Withdraw")
			s.press(bo, "Serve")
			s.is("banquet", "oak", "served")
			if as := s.operation("banquet", "oak").Presses[0].As; !slices.Equal(as, []bot.Role{bot.CloudOps}) {
				t.Errorf("he pressed as %q", as)
			}
		})
	})
	t.Run("it goes later", func(t *testing.T) {
		play(t, func(s *scene) {
			s.lay(func(l *laying) { l.people, l.among = 2, bot.CloudOps })
			s.say(ana, "banquet oak")
			s.press(dora, "Serve")
			s.people.set(func() { s.people.groups["S0WAITERS"] = nil })
			s.press(bo, "Serve")
			s.is("banquet", "oak", "served")
		})
	})
	t.Run("it cannot be read", func(t *testing.T) {
		play(t, func(s *scene) {
			s.lay(func(l *laying) { l.among = bot.CloudOps })
			s.say(ana, "banquet oak")
			s.people.set(func() { delete(s.people.groups, "S0WAITERS") })
			s.press(bo, "Serve") // whose other role can be
			s.hears(bo, "I cannot find out whether you may do that, so nothing was done. Press again in a minute. Ref ")
			s.shows("[Serve] [Drop it]\nWaits")
			if old := s.people.fresh["S0WAITERS"]; old > 10*time.Second {
				t.Errorf("an answer as old as %s was good enough", old)
			}
			s.people.set(func() { s.people.groups["S0WAITERS"] = []string{dora} })
			s.press(bo, "Serve")
			s.shows(waits)
		})
	})
	t.Run("nobody asks where none is wanted", func(t *testing.T) {
		play(t, func(s *scene) {
			s.say(ana, "banquet oak")
			s.people.set(func() { delete(s.people.groups, "S0WAITERS") })
			s.press(bo, "Serve")
			s.is("banquet", "oak", "served")
		})
	})
}

// A press that is one of several counts once, however often it is delivered or
// judged, and whatever the ledger says of its commit.
func TestOneOfSeveralCountsOnce(t *testing.T) {
	for _, test := range []struct {
		name   string
		ledger func() *store
	}{
		{"delivered again", func() *store { return &store{} }},
		{"transactions run twice", func() *store { return &store{rehearse: true} }},
		{"commits that seem to fail", func() *store {
			var mu sync.Mutex
			random := rand.New(rand.NewPCG(5, 6))
			return &store{chance: func() (before, after bool) {
				mu.Lock()
				defer mu.Unlock()
				n := random.IntN(10)
				return n == 0, n < 3 && n > 0
			}}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(s *scene) {
				s.lay(func(l *laying) { l.people = 2 })
				s.say(ana, "banquet oak")
				s.stop()
				ledger := test.ledger()
				ledger.Ledger = s.store
				s.ledger = ledger
				s.bot = s.start(s.newBot(5 * time.Second))
				for _, who := range []string{bo, cleo} {
					p := s.aim(who, "Serve")
					for range 3 { // Slack delivers it again until it is acknowledged, and sometimes after that
						_ = s.bot.Press(s.t.Context(), p)
						s.later(time.Second)
					}
					s.later(5 * lease)
					if who == bo {
						s.is("banquet", "oak", "ask")
						s.shows("1 of 2: confirmed by bo; it still needs 1 other person.")
					}
				}
				o := s.operation("banquet", "oak")
				if states := s.states(o); !slices.Equal(states, []bot.State{"ask", "ask", "served"}) {
					t.Errorf("it went through %v, by %v", states, pressed(o))
				}
				if heard := append(s.chat.heard(bo), s.chat.heard(cleo)...); len(heard) > 0 {
					t.Errorf("they were told %q", heard)
				}
				s.has("oak", o.ID)
			})
		})
	}
}

// Of those who press at the same moment exactly as many count as are wanted.
func TestSeveralAtOnce(t *testing.T) {
	play(t, func(s *scene) {
		s.lay(func(l *laying) { l.people = 2 })
		other := s.start(s.newBot(1000 * time.Hour))
		for n := range 5 {
			table := fmt.Sprintf("t%d", n)
			s.say(ana, "banquet "+table)
			var presses []bot.Press
			for _, who := range []string{bo, cleo, dora, bo, cleo} {
				presses = append(presses, s.aim(who, "Serve"))
			}
			until := make(chan struct{})
			s.people.set(func() { s.people.until = until })
			var all sync.WaitGroup
			for i, p := range presses {
				all.Go(func() {
					if err := []*bot.Bot{s.bot, other}[i%2].Press(s.t.Context(), p); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			s.wait()
			s.people.set(func() { s.people.until = nil })
			close(until) // all have been read before any of them counts
			s.wait()
			o := s.operation("banquet", table)
			if states := s.states(o); !slices.Equal(states, []bot.State{"ask", "ask", "served"}) || len(o.Presses) != 2 || o.Presses[0].Person == o.Presses[1].Person {
				t.Errorf("it went through %v, by %v", states, pressed(o))
			}
			s.has(table, o.ID)
			told := 0
			for _, who := range []string{bo, cleo, dora} {
				told += len(s.chat.heard(who))
			}
			if told != 3*(n+1) {
				t.Fatalf("%d were told that theirs did not count, want %d", told, 3*(n+1))
			}
		}
		s.silent()
	})
}

// What was confirmed by some has not been answered when its time ends.
func TestOneOfTwoAtTheEnd(t *testing.T) {
	const expired = "This question has expired, so nothing was done. Send the command again."
	t.Run("it expires", func(t *testing.T) {
		play(t, func(s *scene) {
			s.lay(func(l *laying) { l.people = 2 })
			s.say(ana, "banquet oak")
			s.press(bo, "Serve")
			serve, withdraw := s.aim(cleo, "Serve"), s.aim(bo, "Withdraw")
			s.later(20 * time.Minute)
			s.is("banquet", "oak", "expired")
			if text := s.chat.said(room)[0]; strings.Contains(text, "[") || strings.Contains(text, "1 of 2") {
				t.Errorf("it says %q", text)
			}
			for _, p := range []bot.Press{serve, withdraw} {
				s.send(p)
				s.wait()
				s.hears(p.Person, expired)
			}
			s.is("banquet", "oak", "expired")
			s.has("oak", "")
		})
	})
	t.Run("it is answered", func(t *testing.T) {
		play(t, func(s *scene) {
			s.lay(func(l *laying) { l.people = 2 })
			s.say(ana, "banquet oak")
			s.press(bo, "Serve")
			serve, withdraw := s.aim(dora, "Serve"), s.aim(bo, "Withdraw")
			s.press(cleo, "Serve")
			for _, p := range []bot.Press{serve, withdraw} {
				s.send(p)
				s.wait()
				s.hears(p.Person, "This question was answered by cleo at 00:00; nothing was done now.")
			}
			if o := s.operation("banquet", "oak"); o.State != "served" || len(o.Presses) != 2 {
				t.Errorf("in state %q, by %v", o.State, pressed(o))
			}
			s.press(ana, "Clear") // a later question is not confirmed by those of an earlier one
			s.is("banquet", "oak", "cleared")
			s.send(withdraw)
			s.wait()
		})
	})
	t.Run("it is withdrawn twice", func(t *testing.T) {
		play(t, func(s *scene) {
			s.lay(func(l *laying) { l.people = 2 })
			s.say(ana, "banquet oak")
			s.press(bo, "Serve")
			again := s.aim(bo, "Withdraw")
			s.press(bo, "Withdraw")
			s.send(again)
			s.wait()
			s.hears(bo, "You have not confirmed this, so there is nothing to withdraw. Nothing was done.")
			s.shows("[Serve] [Drop it]\nWaits")
		})
	})
	t.Run("it is asked again", func(t *testing.T) {
		play(t, func(s *scene) {
			s.lay(func(l *laying) { l.people, l.again = 2, true })
			s.say(ana, "banquet oak")
			s.press(bo, "Serve")
			withdraw := s.aim(bo, "Withdraw")
			s.press(ana, "Ask again")
			s.shows("ask. \n[Serve] [Drop it] [Ask again]\nWaits") // and nobody has confirmed this time
			s.press(cleo, "Serve")
			s.shows("1 of 2: confirmed by cleo; it still needs 1 other person.")
			s.send(withdraw)
			s.wait()
			s.hears(bo, "This question has been asked again meanwhile, so nothing was done.")
			s.press(bo, "Withdraw")
			s.hears(bo, "You have not confirmed this")
			s.press(bo, "Serve")
			s.is("banquet", "oak", "served")
		})
	})
	t.Run("there is nothing to withdraw", func(t *testing.T) {
		play(t, func(s *scene) {
			s.say(ana, "brew blue")
			p := s.aim(bo, "Brew")
			p.Verb = "withdraw"
			s.send(p)
			s.wait()
			s.hears(bo, "This question is over, so nothing was done.")
			s.is("brew", "blue", "ask")
		})
	})
}

// Whatever order they press and withdraw in, it is decided exactly when those
// who have confirmed, and not withdrawn, are enough.
func TestSeveralPeopleAndAModel(t *testing.T) {
	play(t, func(s *scene) {
		random := rand.New(rand.NewPCG(3, 4))
		staff := []string{bo, cleo, dora}
		for n := range 15 {
			people, among := 1+random.IntN(3), []bot.Role{"", bot.CloudOps}[random.IntN(2)]
			s.lay(func(l *laying) { l.people, l.among = people, among })
			table := fmt.Sprintf("t%d", n)
			s.say(ana, "banquet "+table)
			p := s.aim(ana, "Serve")
			confirmed := map[string]bool{}
			var moves []string
			for range 8 {
				p.Key, p.Person, p.Verb = s.key(), staff[random.IntN(3)], []string{"serve", "serve", "withdraw"}[random.IntN(3)]
				moves = append(moves, p.Verb+" "+p.Person)
				confirmed[p.Person] = p.Verb == "serve" || confirmed[p.Person] && p.Verb != "withdraw"
				s.send(p)
				s.wait()
				given := 0
				for _, yes := range confirmed {
					if yes {
						given++
					}
				}
				o, served := s.operation("banquet", table), given >= people && (among == "" || confirmed[dora])
				if (o.State == "served") != served || len(o.Presses) != given {
					t.Fatalf("of %d, with %q, after %q it is in state %q, by %v", people, among, moves, o.State, pressed(o))
				}
				if served {
					break
				}
			}
		}
	})
}
