package bot_test

import (
	"context"
	"testing"

	"thbot/bot"
)

// wishing is a kind whose operations concern their asker alone.
type wishing struct{}

const wish = "wish/"

func (wishing) Info() bot.Info {
	return bot.Info{Name: "wish", Does: "Remembers that somebody likes something.", Who: "anyone", Wait: "Writing it down…",
		Args: []bot.Arg{{Name: "pot", Doc: "a pot", Example: "oak"}, {Name: "end", Doc: "an operation", Example: "01J", Optional: true, Rest: true}}}
}

func (wishing) Plan(_ context.Context, r bot.Request) (bot.Plan[struct{}], error) {
	if id := r.Args["end"]; id != "" {
		answer := bot.Say("forgotten: " + r.Args["pot"])
		return bot.Plan[struct{}]{Answer: &answer, Press: &bot.Forward{Operation: id, Verb: "end"}}, nil
	}
	answer := bot.Say("noted: " + r.Args["pot"])
	return bot.Plan[struct{}]{Answer: &answer, Begin: &struct{}{}, First: "kept", Scopes: []string{wish + r.Args["pot"]}, Take: true}, nil
}

func (wishing) Steps() map[bot.State]bot.Step[struct{}] {
	return map[bot.State]bot.Step[struct{}]{
		"kept": {Ask: func(bot.Operation, struct{}) bot.Question {
			return bot.Question{Buttons: []bot.Button{{Verb: "end", May: bot.Policy{Asker: true}, To: "over"}}}
		}},
		"over": {End: bot.Done},
	}
}

func (wishing) Card(bot.Operation, struct{}) bot.Card { return bot.Say("nobody is to see this") }

// What is answered beside an operation is its asker's alone, and comes with it
// or not at all.
func TestAnswerBesideAnOperation(t *testing.T) {
	play(t, func(s *scene) {
		s.stop()
		b := s.newBot(lease)
		b.Commands = append(b.Commands, bot.Operates(wishing{}))
		s.bot = s.start(b)
		last := func(who, want string) {
			t.Helper()
			s.later(0)
			s.hears(who, want)
		}
		s.say(ana, "wish oak")
		last(ana, "noted: oak")
		id := s.holder(wish + "oak")
		if id == "" {
			t.Fatal("nothing holds it")
		}
		s.say(bo, "wish oak")
		last(bo, "A wish of ana has been there since 00:00, so nothing was done. ")
		s.say(bo, "wish oak "+id)
		last(bo, "Only whoever asked can do that, so nothing was done.")
		if s.holder(wish+"oak") != id {
			t.Error("somebody else has ended it")
		}
		s.say(ana, "wish oak "+id)
		last(ana, "forgotten: oak")
		if s.holder(wish+"oak") != "" {
			t.Error("it has not ended")
		}
		s.say(ana, "wish oak "+id)
		last(ana, "This question was answered by ana at 00:00; nothing was done now.")
		s.shows()
	})
}
