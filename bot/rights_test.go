package bot_test

import (
	"strings"
	"testing"
	"time"

	"thbot/bot"
)

func TestWhoMay(t *testing.T) {
	const only = "Only a Treeherder admin can do that, so nothing was done. They are bo and cleo."
	for _, test := range []struct {
		name, who string
		with      func(*people)
		label     string
		want      string // empty: it counts
	}{
		{"a cook by group", bo, nil, "Brew", ""},
		{"a cook by id", cleo, nil, "Brew", ""},
		{"the asker, who is none", ana, nil, "Brew", only},
		{"the asker, who may cancel", ana, nil, "Cancel", ""},
		{"a cook may cancel", bo, nil, "Cancel", ""},
		{"nobody else may cancel", gone, func(p *people) {
			p.members[gone] = bot.Member{Person: bot.Person{ID: gone, Name: "hal"}}
			p.groups["S0COOKS"] = []string{bo}
		},
			"Cancel", "Only a Treeherder admin or whoever asked can do that, so nothing was done. They are bo and cleo."},
		{"a guest", gil, nil, "Brew", "Guests cannot change anything here. Nothing was done."},
		{"a guest who is a cook", gil, func(p *people) { p.groups["S0COOKS"] = append(p.groups["S0COOKS"], gil) }, "Brew", "Guests cannot"},
		{"somebody of another workspace", faye, nil, "Brew", "People of other workspaces cannot change anything here. Nothing was done."},
		{"a bot", robo, nil, "Brew", "Bots cannot change anything here. Nothing was done."},
		{"somebody deactivated, still in the group", gone, nil, "Brew", "This account is deactivated. Nothing was done."},
		{"somebody unknown", "U0NOBODY", nil, "Brew", "I cannot find out who you are, so nothing was done."},
		{"taken out of the group meanwhile", bo, func(p *people) { p.groups["S0COOKS"] = nil }, "Brew",
			"Only a Treeherder admin can do that, so nothing was done. They are cleo."},
		{"the group cannot be read", bo, func(p *people) { p.down["groups"] = true }, "Brew",
			"I cannot find out whether you may do that, so nothing was done. Press again in a minute. Ref "},
		{"the group cannot be read, and she stands beside it", cleo, func(p *people) { p.down["groups"] = true }, "Brew", "I cannot find out whether you may do that"},
		{"the group is gone", bo, func(p *people) { delete(p.groups, "S0COOKS") }, "Brew", "I cannot find out whether you may do that"},
		{"nobody can be looked up", bo, func(p *people) { p.down["members"] = true }, "Brew", "I cannot find out whether you may do that"},
		{"many may", ana, func(p *people) {
			p.groups["S0COOKS"] = nil
			for _, id := range strings.Fields("U1 U2 U3 U4 U5 U6 U7") {
				p.members[id] = bot.Member{Person: bot.Person{ID: id, Name: strings.ToLower(id)}}
				p.groups["S0COOKS"] = append(p.groups["S0COOKS"], id, id)
			}
		}, "Brew", "They are cleo, u1, u2, u3, u4 and 3 more."},
		{"nobody may", ana, func(p *people) { p.groups["S0COOKS"] = nil; delete(p.members, cleo) }, "Brew", "Only a Treeherder admin can do that, so nothing was done."},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(s *scene) {
				s.say(ana, "brew blue")
				before := s.operation("brew", "blue")
				if test.with != nil {
					s.people.set(func() { test.with(s.people) })
				}
				s.press(test.who, test.label)
				after := s.operation("brew", "blue")
				if test.want == "" {
					if len(after.Presses) != 1 || after.Presses[0].Person.ID != test.who || after.Presses[0].Person.Name == "" {
						t.Errorf("decided by %+v, want %s", after.Presses, test.who)
					}
					return
				}
				s.hears(test.who, test.want)
				if after.Version != before.Version {
					t.Errorf("it changed the operation from %+v to %+v", before, after)
				}
				s.switched("blue", 0)
				// At a decision rights are at most ten seconds old (design 4.1).
				for _, id := range []string{test.who, "S0COOKS"} {
					if old := s.people.fresh[id]; old > 10*time.Second {
						t.Errorf("an answer about %s as old as %s was good enough", id, old)
					}
				}
			})
		})
	}
}

// To ask, too, one must be somebody.
func TestWhoMayAsk(t *testing.T) {
	for who, want := range map[string]string{
		gil: "Guests cannot", faye: "People of other workspaces", robo: "Bots cannot", gone: "deactivated", "U0NOBODY": "I cannot find out who you are",
	} {
		t.Run(want, func(t *testing.T) {
			play(t, func(s *scene) {
				s.say(who, "brew blue")
				s.hears(who, want)
				s.shows()
			})
		})
	}
	t.Run("what cooks ask for", func(t *testing.T) {
		play(t, func(s *scene) {
			s.say(ana, "feast blue")
			s.hears(ana, "Only a Treeherder admin can do that, so nothing was done. They are bo and cleo.")
			s.shows()
			s.say(cleo, "feast blue")
			s.shows("Tea from blue, ask")
		})
	})
	t.Run("the directory is down", func(t *testing.T) {
		play(t, func(s *scene) {
			s.people.set(func() { s.people.down["members"] = true })
			s.say(ana, "brew blue")
			s.hears(ana, "Chat does not give a usable answer right now, so nothing was done. Try again in a minute. Ref ")
			s.shows()
		})
	})
}

// An answer may be for some people only.
func TestWhoMayBeAnswered(t *testing.T) {
	play(t, func(s *scene) {
		if got := s.say(bo, "secret"); got != "Salt." {
			t.Errorf("a cook was told %q", got)
		}
		if got, want := s.say(ana, "secret"), "Only a Treeherder admin can do that"; !strings.Contains(got, want) {
			t.Errorf("she was told %q, want %q", got, want)
		}
		s.people.set(func() { s.people.down["groups"] = true })
		if got := s.say(bo, "secret"); strings.Contains(got, "Salt") {
			t.Errorf("without the group he was told %q", got)
		}
		// Nor can the channel be told, by the button that says it there, and
		// that is for her alone, too.
		s.send(bot.Press{Key: s.key(), Person: ana, Channel: room, Verb: bot.VerbShare, Value: "secret"})
		s.wait()
		s.hears(ana, "Chat does not give a usable answer right now")
		s.send(bot.Press{Key: s.key(), Person: cleo, Channel: room, Verb: bot.VerbShare, Value: "secret"})
		s.wait()
		s.shows()
		s.people.set(func() { s.people.down["groups"] = false })
		s.send(bot.Press{Key: s.key(), Person: cleo, Channel: room, Verb: bot.VerbShare, Value: "secret"})
		s.wait()
		s.shows("Salt.")
	})
}
