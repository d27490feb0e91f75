package bot_test

import (
	"context"
	"fmt"
	"time"

	"thbot/bot"
)

// laying is what the kinds that deal with tables do, where a test wants it
// otherwise.
type laying struct {
	people  int          // how many have to confirm a banquet
	among   bot.Role     // of whom one of them must be
	again   bool         // it can be asked again
	other   bool         // not its asker
	press   *bot.Forward // by the next plans
	alone   bool         // and then they begin nothing
	guard   func(v bot.View, d *seats) error
	pressed func(v bot.View, o bot.Operation, d *seats, p bot.Decision) error
	asked   *bot.Request  // what a plan saw last
	looked  bot.Operation // what a look did
	planned func()        // called by plans
	news    string        // what the next look has to say
	said    bool          // and has said
}

// seats is what an operation on a table remembers.
type seats struct {
	Table string
	Old   string // the operation that has the table now
	Note  string
	News  int
}

var staff = bot.Policy{Roles: []bot.Role{bot.Admins, bot.CloudOps}}

// now is the kitchen's laying.
func (k *kitchen) now() laying {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.table
}

func table(about string) []bot.Arg {
	return []bot.Arg{{Name: "table", Doc: "a table", Example: about}}
}

func (k *kitchen) plan(r bot.Request, first bot.State) bot.Plan[seats] {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.table.asked = &r
	name := r.Args["table"]
	p := bot.Plan[seats]{Begin: &seats{Table: name}, First: first, Scopes: []string{"table/" + name}, About: name,
		Press: k.table.press, Guard: k.table.guard}
	if k.table.alone {
		p.Begin = nil
	}
	return p
}

func (k *kitchen) pressed(v bot.View, o bot.Operation, d *seats, p bot.Decision) error {
	if f := k.now().pressed; f != nil {
		return f(v, o, d, p)
	}
	return nil
}

func shown(o bot.Operation, d seats) bot.Card {
	return bot.Say(o.Kind, " at ", d.Table, ": ", string(o.State), ". ", d.Note)
}

// banquet wants several people to confirm it, and has its table until it is over.
type banquet struct{ *kitchen }

func (banquet) Info() bot.Info {
	return bot.Info{Name: "banquet", Does: "Lays a table for many.", Who: "anyone", Args: table("oak")}
}

func (b banquet) Plan(_ context.Context, r bot.Request) (bot.Plan[seats], error) {
	p := b.plan(r, "ask")
	p.Asking = "ask/banquet/" + r.Args["table"]
	return p, nil
}

func (b banquet) Steps() map[bot.State]bot.Step[seats] {
	return map[bot.State]bot.Step[seats]{
		"ask": {Pressed: b.pressed,
			Ask: func(bot.Operation, seats) bot.Question {
				with := b.now()
				may := bot.Policy{Roles: staff.Roles, Other: with.other}
				q := bot.Question{Note: "the staff can confirm", Buttons: []bot.Button{
					{Verb: "serve", Label: "Serve", May: may, To: "served", Decides: true, People: with.people, Among: with.among},
					{Verb: "drop", Label: "Drop it", To: "dropped"},
				}}
				if with.again {
					q.Buttons = append(q.Buttons, bot.Button{Verb: "again", Label: "Ask again", To: "ask"})
				}
				return q
			}, GiveUp: bot.After[seats](20 * time.Minute), Lapse: "expired"},
		"served": {Ask: func(bot.Operation, seats) bot.Question {
			return bot.Question{Buttons: []bot.Button{{Verb: "clear", Label: "Clear", To: "cleared"}}}
		}},
		"cleared": {End: bot.Done}, "dropped": {End: bot.Cancelled}, "expired": {End: bot.Expired},
	}
}

func (banquet) Card(o bot.Operation, d seats) bot.Card { return shown(o, d) }

// keeping keeps a table for somebody, at once or by taking it over from an
// operation that has it, and reminds them every hour.
type keeping struct{ *kitchen }

func (keeping) Info() bot.Info {
	return bot.Info{Name: "keep", Does: "Keeps a table.", Who: "anyone", Args: table("oak")}
}

func (k keeping) Plan(ctx context.Context, r bot.Request) (bot.Plan[seats], error) {
	if r.Args["table"] == "throne" {
		if err := r.May(ctx, cooks); err != nil {
			return bot.Plan[seats]{}, err
		}
	}
	p := k.plan(r, "kept")
	p.Take = true
	if f := k.now().planned; f != nil {
		f()
	}
	if p.Begin != nil && p.Press != nil && p.Press.Verb == "yield" { // by a button of its own, later
		p.Begin.Old, p.First, p.Take = p.Press.Operation, "ask", false
		p.Press = nil
	}
	return p, nil
}

func (k keeping) Steps() map[bot.State]bot.Step[seats] {
	mine := bot.Policy{Roles: cooks.Roles, Asker: true}
	return map[bot.State]bot.Step[seats]{
		"ask": {Pressed: k.pressed, Ask: func(_ bot.Operation, d seats) bot.Question {
			return bot.Question{Buttons: []bot.Button{{Verb: "over", Label: "Take over", May: mine, To: "kept", Decides: true,
				Press: &bot.Forward{Operation: d.Old, Verb: "yield"}}}}
		}},
		"kept": {Pressed: k.pressed,
			Ask: func(bot.Operation, seats) bot.Question {
				return bot.Question{Buttons: []bot.Button{{Verb: "free", Label: "Free", May: mine, To: "freed"}, {Verb: "yield", May: cooks, To: "yielded"}}}
			},
			Say: func(o bot.Operation, d seats) []bot.Post {
				return []bot.Post{{Key: "kept", Class: bot.Progress, Card: bot.Say("Kept: ", d.Table, fmt.Sprintf(", turn %d", o.Turn))}}
			},
			GiveUp: bot.After[seats](time.Hour), Lapse: "kept"},
		"freed": {End: bot.Done}, "yielded": {End: bot.Cancelled},
	}
}

func (keeping) Card(o bot.Operation, d seats) bot.Card { return shown(o, d) }

// watching says what is new at a table.
type watching struct{ *kitchen }

func (watching) Info() bot.Info {
	return bot.Info{Name: "watch", Does: "Watches a table.", Who: "anyone", Args: table("oak")}
}

func (w watching) Plan(_ context.Context, r bot.Request) (bot.Plan[seats], error) {
	p := w.plan(r, "watch")
	p.Scopes = nil
	return p, nil
}

func (w watching) Steps() map[bot.State]bot.Step[seats] {
	return map[bot.State]bot.Step[seats]{
		"watch": {Every: w.every, Look: func(_ context.Context, o bot.Operation, d *seats) (bot.Next, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.table.looked = o
			what := w.table.news
			if what == "" || what == d.Note {
				return bot.Next{}, nil
			}
			d.Note, d.News, w.table.said = what, d.News+1, true
			next := bot.Next{Note: what, Say: []bot.Post{{Key: fmt.Sprintf("news%d", d.News), Class: bot.Progress, Card: bot.Say("News: ", what, ".")}}}
			if what == "over" {
				next.To = "over"
			}
			return next, nil
		}},
		"over": {End: bot.Done, Say: func(bot.Operation, seats) []bot.Post {
			return []bot.Post{{Key: "end", Class: bot.Final, Card: bot.Say("No more news.")}}
		}},
	}
}

func (watching) Card(o bot.Operation, d seats) bot.Card { return shown(o, d) }
