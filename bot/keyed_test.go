package bot_test

import (
	"context"
	"fmt"
	"time"

	"thbot/bot"
)

// keyed locks a pot. Whoever asked can have a key made, which nothing keeps.
type keyed struct{ *kitchen }

// keys is what a keyed remembers: how many keys were made.
type keys struct {
	Pot   string
	Made  int
	Looks int
}

// key is what must not be found anywhere: the one that was made as that.
func key(n int) string { return fmt.Sprintf("S3CRET-%d", n) }

func (keyed) Info() bot.Info {
	return bot.Info{Name: "lock", Does: "Locks a pot.", Who: "anyone", Args: []bot.Arg{{Name: "pot", Doc: "a pot", Example: "oak"}}}
}

func (keyed) Plan(_ context.Context, r bot.Request) (bot.Plan[keys], error) {
	return bot.Plan[keys]{Begin: &keys{Pot: r.Args["pot"]}, First: "locked"}, nil
}

func (k keyed) Steps() map[bot.State]bot.Step[keys] {
	show := func(ctx context.Context, _ bot.Operation, d *keys, who bot.Person) (bot.Shown, error) {
		d.Made++
		n := d.Made
		k.set(func() { k.tries[d.Pot]++; k.on[d.Pot] = k.tries[d.Pot] })
		shown := bot.Shown{Card: bot.Card{Line: bot.T("The key"), Parts: []bot.Part{bot.Paragraph(who.Name, ": ", bot.Fixed(key(n)))}},
			Void: func(context.Context) error {
				k.breaks("void")
				k.set(func() { k.on[d.Pot], k.clean[d.Pot] = 0, k.clean[d.Pot]+1 })
				return k.voiding()
			}}
		k.mu.Lock()
		until := k.until
		k.mu.Unlock()
		if until != nil {
			select {
			case <-until:
			case <-ctx.Done():
				return shown, ctx.Err()
			}
		}
		k.mu.Lock()
		blind, broken := k.blind, k.broken
		k.mu.Unlock()
		if broken == "show" {
			panic("the key is " + key(n))
		}
		return shown, blind
	}
	return map[bot.State]bot.Step[keys]{
		"locked": {Show: show, ShowTo: func(o bot.Operation, _ keys) bot.Policy {
			return bot.Policy{Roles: []bot.Role{bot.CloudOps}, Asker: true}
		},
			Say: func(o bot.Operation, d keys) []bot.Post {
				return []bot.Post{{Key: "dm", Class: bot.Final, To: bot.Place{Channel: o.Asked.ID}, Card: bot.Say("There is a key.").Add(bot.Part{Kind: bot.Actions,
					Buttons: []bot.CardButton{{Label: "Show the key", Verb: bot.VerbShow, Value: o.ID, Dialog: "An earlier key will not fit any more."}}})}}
			},
			Ask: func(bot.Operation, keys) bot.Question {
				return bot.Question{Buttons: []bot.Button{{Verb: "open", Label: "Open", To: "open"}}}
			},
			Look: func(_ context.Context, _ bot.Operation, d *keys) (bot.Next, error) {
				d.Looks++
				_, err := k.look(k.clean, "the lock of "+d.Pot)
				return bot.Next{}, err
			}, Every: time.Minute, GiveUp: bot.After[keys](time.Hour), Lapse: "open"},
		"open": {End: bot.Done},
	}
}

// voiding is what becomes of making a key void.
func (k *kitchen) voiding() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.acting) > 0 {
		return k.acting[0].err
	}
	return nil
}

func (keyed) Card(o bot.Operation, d keys) bot.Card {
	return bot.Say(fmt.Sprintf("%s is %s, %d keys were made", d.Pot, o.State, d.Made))
}

// chest is locked for an hour, or for five minutes if its key was made.
type chest struct{ keyed }

func (c chest) Info() bot.Info {
	i := c.keyed.Info()
	i.Name = "bolt"
	return i
}

func (c chest) Steps() map[bot.State]bot.Step[keys] {
	steps := c.keyed.Steps()
	s := steps["locked"]
	s.Look, s.ShowTo = nil, nil
	s.GiveUp = func(o bot.Operation, d keys) time.Time {
		if d.Made > 0 {
			return o.Entered.Add(5 * time.Minute)
		}
		return o.Entered.Add(time.Hour)
	}
	steps["locked"] = s
	return steps
}
