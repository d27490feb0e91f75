package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"thbot/bot"
	"thbot/integrations/bugzilla"
)

// WatchBugs asks Bugzilla now and then, in one request, what has become of the
// bugs that requests were filed as. The requests read it here.
type WatchBugs struct {
	Tracker Tracker
	Ledger  reading
}

// endedBugs are those of the followed bugs that are resolved, and how.
type endedBugs struct{ Ended map[int]string }

const (
	bugsScope = "watch/bugs"
	// askBugs is the time between two looks.
	askBugs = 10 * time.Minute
)

func (WatchBugs) Info() bot.Info { return bot.Info{Name: "watch-bugs", Hidden: true} }

func (WatchBugs) Plan(context.Context, bot.Request) (bot.Plan[endedBugs], error) {
	return bot.Plan[endedBugs]{}, errUntyped
}

func (w WatchBugs) Standing() []bot.Begin {
	return []bot.Begin{{Kind: w.Info().Name, Ref: bugsScope, First: watching, Data: endedBugs{}, Holds: []string{bugsScope}}}
}

func (w WatchBugs) Steps() map[bot.State]bot.Step[endedBugs] {
	return map[bot.State]bot.Step[endedBugs]{watching: {Look: w.look, Every: askBugs}}
}

func (WatchBugs) Card(bot.Operation, endedBugs) bot.Card { return bot.Card{} }

func (w WatchBugs) look(ctx context.Context, o bot.Operation, d *endedBugs) (bot.Next, error) {
	if !w.Tracker.Keyed {
		return bot.Next{}, nil
	}
	open, err := w.open(ctx)
	if err != nil {
		return bot.Next{}, err
	}
	ended := map[int]string{}
	for some := range slices.Chunk(open, bugzilla.MaxBugs) {
		states, err := w.Tracker.Bugs.Bugs(ctx, some)
		if err != nil {
			next := bot.Next{Wrong: err}
			if errors.Is(err, bugzilla.ErrKey) {
				next.Begin = []bot.Begin{badKey(o)}
			}
			return next, nil
		}
		for id, s := range states {
			if !s.Open() {
				ended[id] = s.Status + " " + s.Resolution
			}
		}
	}
	d.Ended = ended
	return bot.Next{}, nil
}

// open are the bugs that requests follow.
func (w WatchBugs) open(ctx context.Context) (ids []int, err error) {
	err = w.Ledger.View(ctx, func(v bot.View) error {
		ids = nil
		held, err := v.Holders(requestScopes)
		if err != nil {
			return err
		}
		for _, h := range held {
			o, err := v.Operation(h.Operation)
			if err != nil {
				return err
			}
			var d requesting
			if err := json.Unmarshal(o.Data, &d); err != nil {
				return fmt.Errorf("reading request %s: %w", o.ID, err)
			}
			if d.Number > 0 {
				ids = append(ids, d.Number)
			}
		}
		slices.Sort(ids)
		return nil
	})
	return slices.Compact(ids), err
}
