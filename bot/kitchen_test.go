package bot_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"thbot/bot"
)

// kitchen is the world that the toy operations change. It counts what really
// happened there, and can be told to misbehave.
type kitchen struct {
	mu     sync.Mutex
	on     map[string]int  // how often a pot was really switched on
	tries  map[string]int  // how often somebody tried to
	clean  map[string]int  // how often a pot was really scrubbed
	looks  map[string]int  // by pot: how often somebody looked
	boils  bool            // what is on boils
	asks   bool            // and wants milk then
	acting []fault         // what becomes of the next acts
	blind  error           // what looks get
	until  <-chan struct{} // a look takes so long before it sees anything
	seen   <-chan struct{} // and so long after it
	broken string          // what panics: "plan", "answer", "ask", "card", "say", "look"
	chance func() fault    // what becomes of the others
	every  time.Duration
	table  laying // what the tables' kinds do
}

func newKitchen() *kitchen {
	return &kitchen{on: map[string]int{}, tries: map[string]int{}, clean: map[string]int{}, looks: map[string]int{}, every: every}
}

func (k *kitchen) set(f func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f()
}

func (k *kitchen) count(of map[string]int, pot string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return of[pot]
}

func (k *kitchen) breaks(what string) {
	k.mu.Lock()
	broken := k.broken == what
	k.mu.Unlock()
	if broken {
		panic(what + " is broken")
	}
}

// look says whether of[pot] happened.
func (k *kitchen) look(of map[string]int, pot string) (bool, error) {
	k.mu.Lock()
	k.looks[pot]++
	until, blind := k.until, k.blind
	k.mu.Unlock()
	if until != nil {
		<-until
	}
	k.breaks("look")
	k.mu.Lock()
	there, seen := of[pot] > 0, k.seen
	k.mu.Unlock()
	if seen != nil {
		<-seen
	}
	return there, blind
}

func (k *kitchen) act(of map[string]int, pot string) error {
	k.mu.Lock()
	k.tries[pot]++
	var f fault
	if len(k.acting) > 0 {
		f, k.acting = k.acting[0], k.acting[1:]
	} else if k.chance != nil {
		f = k.chance()
	}
	k.mu.Unlock()
	if f.until != nil {
		<-f.until
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if f.broken {
		panic("act is broken")
	}
	if f.err == nil || f.lost {
		of[pot]++
	}
	return f.err
}

// brewing makes tea in a pot: it asks, switches the pot on, waits until it
// boils and may have a further question then.
type brewing struct{ *kitchen }

// tea is what a brewing remembers.
type tea struct {
	Pot   string
	Looks int
	Why   string
}

const every = 2 * time.Second

func (brewing) Info() bot.Info {
	return bot.Info{Name: "brew", Aliases: []string{"make"}, Does: "Makes tea.", Who: "anyone", Wait: "Looking for the pot…",
		Args: []bot.Arg{{Name: "pot", Doc: "a pot", Example: "blue"}}, Examples: []string{"brew blue"},
		Menu: "Tea…", MenuText: "brew blue"}
}

func (b brewing) Plan(_ context.Context, r bot.Request) (bot.Plan[tea], error) {
	b.breaks("plan")
	pot := r.Args["pot"]
	switch pot {
	case "gone":
		return bot.Plan[tea]{}, bot.Refuse("There is no pot ", bot.Fixed(pot), ".")
	case "dark":
		return bot.Plan[tea]{}, &trouble{service: "Kitchen"}
	case "slowly":
		return bot.Plan[tea]{}, fmt.Errorf("heating the water: %w", context.DeadlineExceeded)
	case "nothing":
		return bot.Plan[tea]{}, nil
	case "nowhere":
		return bot.Plan[tea]{Begin: &tea{}, First: "nowhere"}, nil
	case "full":
		answer := bot.Say("There is tea already.")
		return bot.Plan[tea]{Answer: &answer}, nil
	}
	return bot.Plan[tea]{Begin: &tea{Pot: pot}, First: "ask", Asking: "ask/brew/" + pot, Scopes: []string{"pot/" + pot}}, nil
}

var cooks = bot.Policy{Roles: []bot.Role{bot.Admins}}

func (b brewing) Steps() map[bot.State]bot.Step[tea] {
	say := func(o bot.Operation, d tea) []bot.Post {
		b.breaks("say")
		return []bot.Post{{Key: "end", Class: bot.Final, Card: bot.Say("Tea from ", d.Pot, ": ", string(o.State), ". ", d.Why)}}
	}
	return map[bot.State]bot.Step[tea]{
		"ask": {Ask: func(bot.Operation, tea) bot.Question {
			b.breaks("ask")
			return bot.Question{Note: "a cook can confirm", Buttons: []bot.Button{
				{Verb: "brew", Label: "Brew", Tone: bot.Primary, Dialog: "Really?", May: cooks, To: "switch", Decides: true},
				{Verb: "cancel", Label: "Cancel", May: bot.Policy{Roles: cooks.Roles, Asker: true}, To: "cancelled"},
			}}
		}, GiveUp: bot.After[tea](20 * time.Minute), Lapse: "expired"},
		"switch": {Every: b.every, Refused: "refused",
			Look: func(_ context.Context, _ bot.Operation, d *tea) (bot.Next, error) {
				d.Looks++
				on, err := b.look(b.on, d.Pot)
				if err != nil || !on {
					return bot.Next{}, err
				}
				return bot.Next{To: "boil", Note: "it is on"}, nil
			},
			Act: func(_ context.Context, _ bot.Operation, d *tea) error { return b.act(b.on, d.Pot) }},
		"boil": {Every: b.every, GiveUp: bot.After[tea](time.Minute), Lapse: "cold",
			Look: func(_ context.Context, _ bot.Operation, d *tea) (bot.Next, error) {
				d.Looks++
				_, err := b.look(b.on, d.Pot)
				b.mu.Lock()
				defer b.mu.Unlock()
				switch {
				case err != nil || !b.boils:
					return bot.Next{}, err
				case b.asks:
					return bot.Next{To: "milk"}, nil
				}
				return bot.Next{To: "done"}, nil
			}},
		"milk": {Ask: func(bot.Operation, tea) bot.Question {
			return bot.Question{Note: "anybody can say", Buttons: []bot.Button{{Verb: "milk", Label: "Milk", To: "done"}, {Verb: "black", Label: "Black", To: "done"}, {Verb: "later", Label: "Ask again", To: "milk"}}}
		}},
		"done": {End: bot.Done, Say: say}, "cancelled": {End: bot.Cancelled}, "expired": {End: bot.Expired},
		"refused": {End: bot.Failed, Say: say}, "cold": {End: bot.Failed, Say: say},
	}
}

func (b brewing) Card(o bot.Operation, d tea) bot.Card {
	b.breaks("card")
	return bot.Say("Tea from ", d.Pot, ", ", string(o.State), fmt.Sprintf(", looked %d times", d.Looks))
}

// feast is tea that only a cook may ask for.
type feast struct{ brewing }

func (f feast) Info() bot.Info {
	i := f.brewing.Info()
	i.Name, i.Aliases, i.Begin = "feast", nil, cooks
	return i
}

// cleaning scrubs a pot, which nobody should do while tea is made in it.
type cleaning struct{ *kitchen }

func (cleaning) Info() bot.Info {
	return bot.Info{Name: "clean", Does: "Scrubs a pot.", Who: "anyone", Args: []bot.Arg{{Name: "pot", Doc: "a pot", Example: "blue"}}}
}

func (c cleaning) Plan(_ context.Context, r bot.Request) (bot.Plan[tea], error) {
	first := bot.State("ask")
	if r.Args["pot"] == "filthy" {
		first = "scrub" // needs no question
	}
	pot := r.Args["pot"]
	return bot.Plan[tea]{Begin: &tea{Pot: pot}, First: first, Asking: "ask/clean/" + pot, Scopes: []string{"sink", "pot/" + pot}}, nil
}

func (c cleaning) Steps() map[bot.State]bot.Step[tea] {
	return map[bot.State]bot.Step[tea]{
		"ask": {Ask: func(bot.Operation, tea) bot.Question {
			return bot.Question{Note: "anybody can say", Buttons: []bot.Button{{Verb: "clean", Label: "Clean", To: "scrub", Decides: true}}}
		}},
		"scrub": {Every: c.every,
			Say: func(o bot.Operation, d tea) []bot.Post {
				return []bot.Post{{Key: "begun", Class: bot.Progress, Card: bot.Say("Scrubbing ", d.Pot, ".")},
					{Key: "asker", Class: bot.Whisper, To: bot.Place{Channel: room, User: o.Asked.ID}, Card: bot.Say("On it.")}}
			},
			Look: func(_ context.Context, _ bot.Operation, d *tea) (bot.Next, error) {
				if done, err := c.look(c.clean, d.Pot); err != nil || !done {
					return bot.Next{}, err
				}
				return bot.Next{To: "done"}, nil
			},
			Act: func(_ context.Context, _ bot.Operation, d *tea) error { return c.act(c.clean, d.Pot) }},
		"done": {End: bot.Done},
	}
}

func (cleaning) Card(o bot.Operation, d tea) bot.Card {
	return bot.Say("Cleaning ", d.Pot, ": ", string(o.State))
}

// recipe answers at once, or as slowly as the kitchen likes.
type recipe struct{ *kitchen }

func (recipe) Info() bot.Info {
	return bot.Info{Name: "recipe", Does: "Says how tea is made.", Who: "anyone", Wait: "Looking it up…", Menu: "Recipe", MenuText: "recipe",
		Args: []bot.Arg{{Name: "of", Doc: "a tea", Example: "green", Optional: true}}}
}

func (r recipe) Answer(ctx context.Context, _ bot.Request) (bot.Card, error) {
	r.breaks("answer")
	r.mu.Lock()
	until, blind := r.until, r.blind
	r.mu.Unlock()
	if until != nil {
		select {
		case <-until:
		case <-ctx.Done():
			return bot.Card{}, &trouble{service: "Kitchen"}
		}
	}
	if blind != nil {
		return bot.Card{}, blind
	}
	return bot.Say("Leaves, then water."), nil
}

// secret is a recipe for cooks alone.
type secret struct{}

func (secret) Info() bot.Info {
	return bot.Info{Name: "secret", Does: "Says the secret.", Who: "a cook", Begin: cooks, Wait: "One moment…"}
}

func (secret) Answer(context.Context, bot.Request) (bot.Card, error) { return bot.Say("Salt."), nil }
