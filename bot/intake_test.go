package bot_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"thbot/bot"
)

const recipeText = "Leaves, then water."

// What changes nothing is answered at once; what takes longer is answered all
// the same, and must not be forgotten.
func TestAnswers(t *testing.T) {
	t.Run("at once", func(t *testing.T) {
		play(t, func(s *scene) {
			if got := s.say(ana, "recipe"); got != recipeText {
				t.Errorf("answered with %q", got)
			}
			if len(s.chat.calls) > 0 {
				t.Errorf("and also made the calls %v", s.chat.calls)
			}
		})
	})
	for _, test := range []struct {
		name   string
		takes  time.Duration
		at     time.Duration // of the acknowledgement
		answer string        // the acknowledgement
		later  string        // and then
	}{
		{"nearly too late", 1999 * time.Millisecond, 1999 * time.Millisecond, recipeText, ""},
		{"later", 3 * time.Second, 2 * time.Second, "Looking it up…", recipeText},
		{"never", time.Hour, 2 * time.Second, "Looking it up…", "Kitchen does not give a usable answer right now"},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(s *scene) {
				until := make(chan struct{})
				s.kitchen.set(func() { s.kitchen.until = until })
				began := time.Now()
				go func() {
					<-time.After(test.takes)
					close(until)
				}()
				if got := s.say(ana, "recipe"); got != test.answer {
					t.Errorf("acknowledged with %q, want %q", got, test.answer)
				}
				if at := time.Since(began); at != test.at {
					t.Errorf("after %s, want %s", at, test.at)
				}
				s.later(time.Minute)
				if test.later != "" {
					s.hears(ana, test.later)
				}
				if n := len(s.chat.heard(ana)); n != len(slices.DeleteFunc([]string{test.later}, func(s string) bool { return s == "" })) {
					t.Errorf("she was told %q", s.chat.heard(ana))
				}
				s.later(time.Hour) // so that the slow one ends, too
			})
		})
	}
	t.Run("with a refusal", func(t *testing.T) {
		play(t, func(s *scene) {
			s.kitchen.set(func() { s.kitchen.blind = bot.Refuse("There is no recipe of ", bot.Fixed("mud"), ".") })
			if got, want := s.say(ana, "recipe mud"), "There is no recipe of mud."; got != want {
				t.Errorf("answered with %q, want %q", got, want)
			}
			s.silent()
		})
	})
	t.Run("with an outage", func(t *testing.T) {
		play(t, func(s *scene) {
			s.kitchen.set(func() { s.kitchen.blind = &trouble{service: "Kitchen"} })
			want := "Kitchen does not give a usable answer right now, so nothing was done. Try again in a minute. Ref "
			got := s.say(ana, "recipe")
			ref, ok := strings.CutPrefix(got, want)
			if !ok || s.logged(strings.TrimSuffix(ref, ".")) != 1 {
				t.Errorf("answered with %q, want %q and a reference that is in the log", got, want)
			}
		})
	})
}

func TestAcknowledgements(t *testing.T) {
	play(t, func(s *scene) {
		if got := s.say(ana, " "); !strings.Contains(got, "[Tea…] [Recipe] [Help]") || !strings.Contains(got, "/tea help") {
			t.Errorf("the menu is %q", got)
		}
		if got, want := s.say(ana, "brwe blue"), "I do not know brwe, so nothing was done. Did you mean /tea brew? What I know: /tea help."; got != want {
			t.Errorf("answered with %q, want %q", got, want)
		}
		elsewhere := s.bot.Command(s.t.Context(), bot.Request{Key: s.key(), Person: ana, Channel: "C0ELSE", Text: "brew blue"})
		if got, want := plain(*elsewhere), "I work in #kitchen, so nothing was done. Send it there."; got != want {
			t.Errorf("answered elsewhere with %q, want %q", got, want)
		}
		s.wait()
		s.shows()
		if len(s.chat.calls) > 0 {
			t.Errorf("more was said: %v", s.chat.calls)
		}
		s.silent()
	})
}

func TestHelp(t *testing.T) {
	play(t, func(s *scene) {
		all := s.say(ana, "help")
		for _, want := range []string{"from #kitchen", "• /tea brew <pot>  Makes tea.", "• /tea recipe [<of>]", "• /tea help [<command>]"} {
			if !strings.Contains(all, want) {
				t.Errorf("help does not say %q:\n%s", want, all)
			}
		}
		for text, want := range map[string]string{
			"help brew":  "/tea brew <pot>  Makes tea.\n• pot  a pot\n• The same: /tea make\nWho: anyone. For example /tea brew blue",
			"help MAKE":  "/tea brew <pot>  Makes tea.\n• pot  a pot\n• The same: /tea make\nWho: anyone. For example /tea brew blue",
			"help brwe":  "I do not know brwe, so nothing was done. Did you mean /tea brew? What I know: /tea help.",
			"help a b":   "I do not understand b there, so nothing was done. It is /tea help [<command>].",
			"help help":  "/tea help [<command>]  Explains the commands.\n• command  a command\nWho: anyone. For example /tea help, /tea help deploy",
			"help <!ch>": "I do not know <!ch>, so nothing was done. What I know: /tea help.",
		} {
			if got := s.say(ana, text); got != want {
				t.Errorf("%s says\n%s\nwant\n%s", text, got, want)
			}
		}
	})
}

// Buttons that belong to no question say a command in the name of whoever
// presses them.
func TestButtonsThatSay(t *testing.T) {
	play(t, func(s *scene) {
		say := func(who, verb, text string) {
			s.send(bot.Press{Key: s.key(), Person: who, Channel: room, Verb: verb, Value: text})
			s.wait()
		}
		say(ana, bot.VerbSay, "recipe")
		s.hears(ana, recipeText)
		s.shows()
		say(ana, bot.VerbShare, "recipe green")
		s.shows(recipeText)
		say(cleo, bot.VerbSay, "brew blue")
		s.shows(recipeText, "Tea from blue, ask")
		if o := s.operation("brew", "blue"); o.Asked.ID != cleo || o.Asked.Name != "cleo" {
			t.Errorf("asked by %+v", o.Asked)
		}
		say(gil, bot.VerbSay, "brew red")
		s.hears(gil, "Guests cannot")
		say(ana, bot.VerbSay, "")
		s.hears(ana, "What would you like to know or do?")
		say(ana, bot.VerbShare, "no such thing")
		s.hears(ana, "I do not know no")
		s.send(bot.Press{Key: s.key(), Person: ana, Channel: "C0ELSE", Verb: bot.VerbSay, Value: "brew red"})
		s.wait()
		s.hears(ana, "I work in #kitchen, so nothing was done.")
		s.shows(recipeText, "Tea from blue, ask")
		s.silent()
	})
}

// A request that comes twice has one effect and one answer, however close
// together they come.
func TestDuplicates(t *testing.T) {
	play(t, func(s *scene) {
		r := bot.Request{Key: "T0:same", Person: ana, Channel: room, Text: "brew blue"}
		for range 3 {
			if got := plain(*s.bot.Command(s.t.Context(), r)); got != "Looking for the pot…" {
				t.Errorf("acknowledged with %q", got)
			}
		}
		s.wait()
		r.Text = "brew gone" // nor does another text under the same key count
		s.bot.Command(s.t.Context(), r)
		s.wait()
		s.shows("Tea from blue, ask")
		p := s.aim(ana, "Brew") // she may not
		for range 3 {
			s.send(p)
		}
		s.wait()
		s.send(p)
		s.wait()
		if heard := s.chat.heard(ana); len(heard) != 1 {
			t.Errorf("she was told %q", heard)
		}
		s.silent()
	})
}

// While the ledger does not answer nothing is taken, and what had been taken
// goes on as soon as it does.
func TestLedgerAway(t *testing.T) {
	play(t, func(s *scene) {
		s.stop()
		away := &store{Ledger: s.store}
		s.ledger = away
		s.bot = s.start(s.newBot(5 * time.Second))
		s.say(ana, "brew blue")
		until := make(chan struct{})
		s.kitchen.set(func() { s.kitchen.acting = []fault{{until: until}} })
		late := s.aim(bo, "Brew")
		late.Key = "T0:late"
		s.press(bo, "Brew")
		away.breaks(true)
		close(until)
		s.later(time.Minute)
		if got, want := s.say(ana, "brew red"), "I cannot write down what you asked, so nothing was done. Try again in a minute. Ref "; !strings.HasPrefix(got, want) {
			t.Errorf("answered with %q, want %q", got, want)
		}
		if err := s.bot.Press(s.t.Context(), late); err == nil {
			t.Error("a press was taken")
		}
		if got := s.say(ana, "recipe"); got != recipeText { // which needs no ledger
			t.Errorf("answered with %q", got)
		}
		s.shows("Tea from blue, switch")
		away.breaks(false)
		s.later(lease + 5*time.Second)
		s.shows("Tea from blue, boil")
		s.switched("blue", 1)
	})
}

// Looking up what a command would do may take longer than a lease, and is then
// done once all the same.
func TestSlowPlan(t *testing.T) {
	play(t, func(s *scene) {
		s.start(s.newBot(time.Second)) // it would take over
		until := make(chan struct{})
		s.people.set(func() { s.people.until = until })
		s.say(ana, "brew blue")
		s.later(lease + lease/2)
		s.people.set(func() { s.people.until = nil })
		close(until)
		s.wait()
		s.shows("Tea from blue, ask")
		if s.people.calls != 1 {
			t.Errorf("looked up %d times", s.people.calls)
		}
		s.later(time.Minute)
		s.shows("Tea from blue, ask")
		s.silent()
	})
}
