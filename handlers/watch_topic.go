package handlers

import (
	"context"
	"slices"
	"strings"
	"time"

	"thbot/bot"
)

// WatchTopic notices when the channel's topic names another main contact, and
// when it names nobody who could be paged: the admins are told of that, each
// directly and once.
type WatchTopic struct {
	Contacts Contacts
	// Members are the ids of a role's people.
	Members func(ctx context.Context, role bot.Role) ([]string, error)
	Times   Times
}

// duty is what was last seen of the topic.
type duty struct {
	Read  bool
	Main  []string // names
	Wrong string   // what was told
}

func (WatchTopic) Info() bot.Info { return bot.Info{Name: "watch-topic", Hidden: true} }

func (WatchTopic) Plan(context.Context, bot.Request) (bot.Plan[duty], error) {
	return bot.Plan[duty]{}, errUntyped
}

func (w WatchTopic) Standing() []bot.Begin {
	return []bot.Begin{{Kind: w.Info().Name, Ref: "watch/topic", First: watching, Data: duty{}, Holds: []string{"watch/topic"}}}
}

func (w WatchTopic) Steps() map[bot.State]bot.Step[duty] {
	return map[bot.State]bot.Step[duty]{watching: {Look: w.look, Every: w.every()}}
}

func (WatchTopic) Card(bot.Operation, duty) bot.Card { return bot.Card{} }

func (w WatchTopic) every() time.Duration { return 2 * w.Times.Watch }

func (w WatchTopic) look(ctx context.Context, o bot.Operation, d *duty) (bot.Next, error) {
	next := bot.Next{Every: w.every()}
	found, err := w.Contacts.roster(ctx)
	if err != nil {
		next.Wrong = err
		return next, nil
	}
	var now []string
	for _, who := range found.People {
		if who.Main {
			now = append(now, who.Name)
		}
	}
	if d.Read && len(now) > 0 && !slices.Equal(now, d.Main) {
		was := "; the topic named nobody before."
		if len(d.Main) > 0 {
			was = "; it was " + strings.Join(d.Main, ", ") + "."
		}
		next.Say = append(next.Say, bot.Post{Key: "main-" + stamp(o.Now), Class: bot.Final, Card: bot.Say("Main contact is now ", bot.Strong(strings.Join(now, ", ")), was)})
	}
	wrong := sentences(found.Wrong)
	if wrong.String() != d.Wrong && len(wrong) > 0 {
		admins, err := w.Members(ctx, bot.Admins)
		if err != nil {
			next.Wrong = err // and they are told at the next look
			return next, nil
		}
		for _, id := range admins {
			next.Say = append(next.Say, bot.Post{Key: "wrong-" + stamp(o.Now) + "-" + id, Class: bot.Final, To: bot.Place{Channel: id},
				Card: bot.Say("⚠ Not everybody whom "+w.Contacts.Room+" would page can be: ", wrong).Add(bot.SmallPrint("The topic: “" + found.Topic + "” All Treeherder admins get this, once."))})
		}
	}
	d.Read, d.Main, d.Wrong = true, now, wrong.String()
	return next, nil
}
