package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/integrations/bugzilla"
)

// The states of a request, beside those that it shares with others. The preview
// is a question that is answered with the buttons that its asker alone sees.
const (
	filing     bot.State = "file"
	unnumbered bot.State = "unnumbered" // people say that it was filed
	filed      bot.State = "filed"      // and is not resolved yet
	unfiled    bot.State = "not-filed"
)

const requestScopes = "request/" // <draft>: it is being filed, or followed

const (
	// previewed is how long a preview can be answered.
	previewed = time.Hour
	// lookForBug is the time between looks whether a bug was filed. Searches in
	// Bugzilla are a little behind, and its rate limits count for a minute.
	lookForBug = time.Minute
	// fileable is how long it is tried to file a bug, or looked whether it was,
	// before people are asked.
	fileable = 15 * time.Minute
	// lookSeldom is the time between looks when people have been asked.
	lookSeldom = 10 * time.Minute
	// followed is how long a bug is followed that nobody resolves.
	followed = 180 * 24 * time.Hour
)

// itWas settles that a bug was filed; didNot that it was not.
const itWas = "it-was"

func (q Request) Steps() map[bot.State]bot.Step[requesting] {
	return map[bot.State]bot.Step[requesting]{
		asking:     {Ask: q.ask, GiveUp: bot.After[requesting](previewed), Lapse: expired},
		filing:     {Look: q.find, Act: q.file, Once: true, Every: lookForBug, GiveUp: bot.After[requesting](fileable), Lapse: unknown},
		unknown:    {Ask: q.askFiled, Look: q.find, Every: lookSeldom, Shows: true},
		unnumbered: {Look: q.find, Every: lookSeldom, GiveUp: bot.After[requesting](followed), Lapse: forgot},
		filed:      {Look: q.ended, Every: askBugs, GiveUp: bot.After[requesting](followed), Lapse: forgot, Shows: true},
		resolved:   {End: bot.Done, Say: q.sayResolved},
		forgot:     {End: bot.Done, Say: q.sayForgot},
		unfiled:    {End: bot.Failed, Say: q.sayUnfiled},
		cancelled:  {End: bot.Cancelled, Say: q.sayDropped},
		expired:    {End: bot.Expired, Say: q.sayExpired},
	}
}

func (q Request) ask(bot.Operation, requesting) bot.Question {
	asker := bot.Policy{Asker: true}
	return bot.Question{Buttons: []bot.Button{
		{Verb: fileIt, May: asker, To: filing, Decides: true},
		{Verb: fileNot, May: asker, To: cancelled},
	}}
}

// askFiled lets people settle what Bugzilla does not say.
func (q Request) askFiled(bot.Operation, requesting) bot.Question {
	may := bot.Policy{Roles: []bot.Role{bot.Admins, bot.CloudOps}, Asker: true}
	return bot.Question{Note: "if I find it, I settle this myself; who asked, " + bot.Admins.Title() + " or " + bot.CloudOps.Title() + " can say", Buttons: []bot.Button{
		{Verb: itWas, Label: "It was filed", May: may, To: unnumbered, Dialog: "Is there such a bug in Bugzilla?"},
		{Verb: didNot, Label: "It was not filed", May: may, To: unfiled, Dialog: "Is there no such bug in Bugzilla? The asker gets a link to file it themselves."},
	}}
}

// find looks whether the bug is there. Before it was sent for the first time
// it cannot be.
func (q Request) find(ctx context.Context, o bot.Operation, d *requesting) (next bot.Next, err error) {
	switch {
	case d.Number > 0:
		d.Description, d.CC = "", nil // the bug has them
		next := bot.Next{To: filed, Note: fmt.Sprintf("bug %d", d.Number)}
		if o.State != filing {
			next.Say = []bot.Post{q.sayFound(o, *d)}
		}
		return next, nil
	case d.Why != "":
		next := bot.Next{To: unfiled, Note: d.Why}
		if d.BadKey {
			next.Begin = []bot.Begin{badKey(o)}
		}
		return next, nil
	case o.State == filing && o.Acts == 0 && o.Now.Sub(o.Entered) >= fileable:
		d.Why = "Bugzilla has not taken it for " + bot.Length(fileable) + "."
		return bot.Next{To: unfiled, Note: d.Why}, nil
	case o.State == filing && !d.Slow && o.Now.Sub(o.Entered) >= lookForBug/2:
		d.Slow = true
		next.Say = []bot.Post{q.saySlow(o, *d)}
	}
	if o.State == filing && o.Acts == 0 {
		return next, nil
	}
	number, found, err := q.Tracker.Bugs.FindByToken(ctx, q.Tracker.Product, q.Tracker.Component, o.ID)
	if errors.Is(err, bugzilla.ErrKey) {
		next.Begin = []bot.Begin{badKey(o)}
	}
	switch {
	case err != nil && (o.State == filing || next.Begin != nil):
		next.Wrong = err // an error would keep people from being told
		return next, nil
	case err != nil || !found:
		d.Missing = err == nil
		return next, err
	}
	d.Number = number
	return q.find(ctx, o, d)
}

func (q Request) file(ctx context.Context, o bot.Operation, d *requesting) error {
	number, err := q.Tracker.Bugs.File(ctx, d.bug(q.Tracker, o.ID))
	if why := finally(err); why != "" {
		d.Why, d.BadKey = strings.TrimSuffix(why, " Nothing was filed."), errors.Is(err, bugzilla.ErrKey)
		return nil // the look that follows ends it
	}
	d.Number = number
	return err
}

// ended looks whether the bug is resolved, as [WatchBugs] saw it last.
func (q Request) ended(ctx context.Context, _ bot.Operation, d *requesting) (next bot.Next, err error) {
	var seen endedBugs
	err = q.Ledger.View(ctx, func(v bot.View) (err error) {
		seen, err = deploys.Watched[endedBugs](v, bugsScope)
		return err
	})
	if err != nil || seen.Ended[d.Number] == "" {
		return next, err
	}
	d.Resolution = seen.Ended[d.Number]
	return bot.Next{To: resolved, Note: d.Resolution}, nil
}
