package bot_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thbot/bot"
)

// toasting says in one line who drinks to whom, in mentions.
type toasting struct{ *kitchen }

func (toasting) Info() bot.Info {
	return bot.Info{Name: "toast", Does: "Drinks to somebody.", Who: "anyone", Args: table("oak")}
}

func (t toasting) Plan(_ context.Context, r bot.Request) (bot.Plan[seats], error) {
	return t.plan(r, "drunk"), nil
}

func (toasting) Steps() map[bot.State]bot.Step[seats] {
	return map[bot.State]bot.Step[seats]{"drunk": {End: bot.Done}}
}

func (toasting) Card(o bot.Operation, _ seats) bot.Card {
	return bot.Say(bot.At(o.Asked.ID), " drinks to ", bot.At(cleo), " and ", bot.At("U0NOBODY"), ", ", bot.Strong("cheers"))
}

// remember runs f in a bubble with one bot that has a history.
func remember(t *testing.T, f func(s *scene)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, "sqlite:"+filepath.Join(t.TempDir(), "ledger.db"), "")
		defer s.end()
		b := s.newBot(1000 * time.Hour)
		b.Commands = append(b.Commands, bot.Operates(toasting{s.kitchen}),
			bot.HistoryCommand(b, []bot.Word{{Name: "oak", Aliases: []string{"big"}}, {Name: "elm"}}))
		s.bot = s.start(b)
		f(s)
	})
}

// past is what an answer says, with "→" before the message that an item leads to.
func (s *scene) past(who, text string) string {
	s.t.Helper()
	answer := s.bot.Command(s.t.Context(), bot.Request{Key: s.key(), Person: who, Channel: room, Text: text})
	s.wait()
	for i, p := range answer.Parts {
		for j, item := range p.Items {
			for _, span := range item {
				if span.Style == bot.Mention {
					s.t.Errorf("%q mentions %s", item, span.Text)
				}
				if span.Style == bot.Link {
					answer.Parts[i].Items[j] = append(item, bot.T(" → "+span.URL)...)
				}
			}
		}
	}
	return plain(*answer)
}

func (s *scene) remembers(who, text, want string) {
	s.t.Helper()
	if got, want := s.past(who, text), strings.TrimSpace(want); got != want {
		s.t.Errorf("%s:\n%s\nwant:\n%s", text, got, want)
	}
}

func TestHistory(t *testing.T) {
	remember(t, func(s *scene) {
		s.remembers(ana, "history", "There is no history.")
		s.remembers(ana, "history big", "There is no history of oak.")
		s.remembers(ana, "history <@U0BO|bo>", "There is no history of bo.")

		s.lay(func(l *laying) { l.people = 2 })
		s.say(ana, "banquet oak")
		s.later(time.Minute)
		s.press(bo, "Serve")
		s.press(cleo, "Serve")
		s.press(ana, "Clear")
		s.later(time.Hour)
		s.say(bo, "banquet oak")
		s.press(ana, "Drop it")
		s.later(time.Minute)
		s.say(cleo, "banquet elm")
		s.later(time.Hour)
		s.say(dora, "toast elm")
		s.later(time.Minute)
		s.say(ana, "banquet elm")

		const (
			served  = "• 2000-01-01 00:00  banquet at oak: cleared.  · asked by ana, confirmed by bo and cleo · its message → https://chat.test/C0ROOM/1.C0ROOM\n"
			dropped = "• 2000-01-01 01:01  banquet oak, asked by bo: cancelled by ana\n"
			expired = "• 2000-01-01 01:02  banquet elm, asked by cleo: nobody answered in time\n"
			toast   = "• 2000-01-01 02:02  dora drinks to cleo and somebody, cheers · asked by dora · its message → https://chat.test/C0ROOM/4.C0ROOM\n"
			asks    = "• 2000-01-01 02:03  banquet at elm: ask.  · asked by ana · its message → https://chat.test/C0ROOM/5.C0ROOM\n"
			button  = "[Post to channel]"
		)
		for text, want := range map[string]string{
			"history":               "The history, newest first\n" + asks + toast + expired + dropped + served + button,
			"history oak":           "The history of oak, newest first\n" + dropped + served + button,
			"history elm":           "The history of elm, newest first\n" + asks + toast + expired + button,
			"history <@U0BO>":       "The history of bo, newest first\n" + dropped + served + button,
			"history <@U0DORA|x> 1": "The history of dora, newest first\n" + toast + button,
			"history 1":             "The history, newest first\n" + asks + "Further back: /tea history 50\n" + button,
			"history big 1":         "The history of oak, newest first\n" + dropped + "Further back: /tea history oak 50\n" + button,
		} {
			s.remembers(gil, text, want) // a guest may read what stands in the channel
		}
		s.silent()
	})
}

func TestHistoryRefuses(t *testing.T) {
	remember(t, func(s *scene) {
		for text, want := range map[string]string{
			"history 0":              "0 is not an environment or a person, so nothing was done. It is /tea history [<environment> | @person] [<n>].",
			"history oak 51":         "51 is not a number from 1 to 50. Nothing was done.",
			"history <@U0BO> -1":     "-1 is not a number from 1 to 50. Nothing was done.",
			"history ook":            "ook is not an environment or a person, so nothing was done. Did you mean /tea history oak? It is /tea history [<environment> | @person] [<n>].",
			"history oak 5 <@U0BO>":  "I do not understand <@U0BO> there, so nothing was done. It is /tea history [<environment> | @person] [<n>].",
			"history oak <@U0BO> 5":  "<@U0BO> is not a number from 1 to 50. Nothing was done.",
			"history yesterday 2000": "yesterday is not an environment or a person, so nothing was done. It is /tea history [<environment> | @person] [<n>].",
		} {
			s.remembers(ana, text, want)
		}
	})
}

// What others made, or made otherwise, is listed all the same.
func TestHistoryOfStrangers(t *testing.T) {
	remember(t, func(s *scene) {
		const nothing = ", of which this version of me knows nothing · asked by ana"
		for i, o := range []bot.Operation{
			{Kind: "bake", About: "oak", State: "baking", Data: []byte("{}")},
			{Kind: "bake", State: "burnt", End: bot.Failed},
			{Kind: "bake", About: "elm", State: "off", End: bot.Cancelled},
			{Kind: "help", State: "helping", Data: []byte("{}")}, // a command that has no operations
			{Kind: "banquet", About: "elm", State: "flambé", Data: []byte("{}")},
			{Kind: "banquet", About: "elm", State: "served", Data: []byte("[]")},
			{Kind: "banquet", About: "elm", State: "served", Data: []byte(`{"Table": "elm"}`)},
		} {
			o.ID, o.Ref, o.Asked = fmt.Sprint("O", i), fmt.Sprint("R", i), bot.Person{ID: ana, Name: "ana"}
			s.do(func(tx bot.Tx) error { o.Created = tx.Now(); return tx.AddOperation(o) })
			s.later(time.Minute)
		}
		s.remembers(bo, "history", `The history, newest first
• 2000-01-01 00:06  banquet at elm: served.  · asked by ana
• 2000-01-01 00:05  banquet elm`+nothing+`
• 2000-01-01 00:04  banquet elm`+nothing+`
• 2000-01-01 00:03  help`+nothing+`
• 2000-01-01 00:02  bake elm, asked by ana: cancelled
• 2000-01-01 00:01  bake`+nothing+`
• 2000-01-01 00:00  bake oak`+nothing+`
[Post to channel]`)
	})
}

// A long one comes in parts, and no more than there is room for.
func TestLongHistory(t *testing.T) {
	remember(t, func(s *scene) {
		for i := range 55 {
			s.say(ana, fmt.Sprint("banquet t", i))
		}
		for text, want := range map[string][]int{"history": {10}, "history 25": {10, 10, 5}, "history 50": {10, 10, 10, 10, 10}, "history <@U0ANA> 11": {10, 1}} {
			answer := s.bot.Command(s.t.Context(), bot.Request{Key: s.key(), Person: bo, Channel: room, Text: text})
			var got []int
			for _, p := range answer.Parts {
				if p.Kind == bot.List {
					got = append(got, len(p.Items))
				}
			}
			if !slices.Equal(got, want) {
				s.t.Errorf("%s: parts of %d items, want %d", text, got, want)
			}
			if _, more, _ := strings.Cut(plain(*answer), "Further back"); (more != "") != (text == "history" || text == "history 25") {
				s.t.Errorf("%s ends with\n%s", text, more)
			}
		}
	})
}

// Posted to the channel it is asked for anew, and has no button there.
func TestHistoryIsShared(t *testing.T) {
	remember(t, func(s *scene) {
		s.say(ana, "banquet oak")
		for _, text := range []string{"history", "history big 3", "history <@U0ANA|ana> 1"} {
			answer := s.bot.Command(s.t.Context(), bot.Request{Key: s.key(), Person: bo, Channel: room, Text: text})
			buttons := answer.Parts[len(answer.Parts)-1].Buttons
			if len(buttons) != 1 {
				s.t.Fatalf("%s: its last part has the buttons %v", text, buttons)
			}
			s.send(bot.Press{Key: s.key(), Person: bo, Channel: room, Verb: buttons[0].Verb, Value: buttons[0].Value})
			s.wait()
			said := s.chat.said(room)
			want, _, _ := strings.Cut(strings.Replace(plain(*answer), "\nFurther back: /tea history 50", "", 1), "\n[")
			if got := said[len(said)-1]; got != want || !strings.Contains(got, "banquet at oak") {
				s.t.Errorf("%s: in the channel stands\n%s\nwant\n%s", text, got, want)
			}
		}
	})
}

// Without the directory, people are called as the operation remembers them.
func TestHistoryWithoutDirectory(t *testing.T) {
	remember(t, func(s *scene) {
		s.say(ana, "toast oak")
		s.people.set(func() { s.people.down["members"] = true })
		s.remembers(bo, "history <@U0ANA>", "The history of ana, newest first\n• 2000-01-01 00:00  ana drinks to somebody and somebody, cheers · asked by ana · its message → https://chat.test/C0ROOM/1.C0ROOM\n[Post to channel]")
		s.remembers(bo, "history <@U0BO>", "There is no history of somebody.")
	})
}

// A ledger that cannot be read is no empty history.
func TestHistoryUnreadable(t *testing.T) {
	remember(t, func(s *scene) {
		s.say(ana, "banquet oak")
		s.stop()
		if err := s.store.Close(); err != nil {
			s.t.Fatal(err)
		}
		if got := s.past(ana, "history"); !strings.HasPrefix(got, "Something broke on my side before anything was changed.") {
			s.t.Errorf("history: %s", got)
		}
	})
}
