package handlers

import (
	"context"
	"errors"
	"time"

	"thbot/bot"
	"thbot/integrations/bugzilla"
)

// WatchKey begins when Bugzilla does not accept the bot's key: it tells the
// admins, each directly and once, and ends when there is a key that works.
type WatchKey struct {
	Tracker Tracker
	Members func(ctx context.Context, role bot.Role) ([]string, error)
}

// noKey is what it remembers: that it is there says everything.
type noKey struct{}

const (
	keyScope = "watch/key" // it is held while there is no key that works

	alerting bot.State = "tell"
	works    bot.State = "works"
)

// lookAtKey is how soon another key is noticed. Bugzilla is asked with a key
// once alone: the client does not send one again that was refused.
const lookAtKey = time.Minute

func badKey(o bot.Operation) bot.Begin {
	return bot.Begin{Kind: WatchKey{}.Info().Name, Ref: keyScope + "/" + o.ID + "/" + stamp(o.Now), First: alerting, Data: noKey{}, Holds: []string{keyScope}}
}

func (WatchKey) Info() bot.Info { return bot.Info{Name: "watch-key", Hidden: true} }

func (WatchKey) Plan(context.Context, bot.Request) (bot.Plan[noKey], error) {
	return bot.Plan[noKey]{}, errUntyped
}

func (w WatchKey) Steps() map[bot.State]bot.Step[noKey] {
	return map[bot.State]bot.Step[noKey]{
		alerting: {Look: w.tell, Every: lookAtKey},
		watching: {Look: w.look, Every: lookAtKey},
		works:    {End: bot.Done},
	}
}

func (WatchKey) Card(bot.Operation, noKey) bot.Card { return bot.Card{} }

func (w WatchKey) tell(ctx context.Context, _ bot.Operation, _ *noKey) (bot.Next, error) {
	admins, err := w.Members(ctx, bot.Admins)
	if err != nil {
		return bot.Next{Wrong: err}, nil // and they are told at the next look
	}
	next := bot.Next{To: watching}
	for _, id := range admins {
		next.Say = append(next.Say, bot.Post{Key: "wrong-" + id, Class: bot.Final, To: bot.Place{Channel: id},
			Card: bot.Say("⚠ Bugzilla does not accept my API key. Until there is another as ", bot.Fixed("BUGZILLA_API_KEY"),
				", I file no requests and follow no bugs; who asks gets a link to file them. I do not send this key again, since Bugzilla blocks who does.").
				Add(bot.SmallPrint("All Treeherder admins get this, once."))})
	}
	return next, nil
}

func (w WatchKey) look(ctx context.Context, _ bot.Operation, _ *noKey) (bot.Next, error) {
	switch _, err := w.Tracker.Bugs.Whoami(ctx); {
	case err == nil:
		return bot.Next{To: works, Note: "there is a key that works"}, nil
	case errors.Is(err, bugzilla.ErrKey), errors.Is(err, bugzilla.ErrNoKey):
		return bot.Next{}, nil
	default:
		return bot.Next{Wrong: err}, nil
	}
}
