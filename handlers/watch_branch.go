package handlers

import (
	"context"
	"fmt"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/integrations/github"
)

// WatchBranch looks now and then whether a branch that can be reset has drifted
// for long, and reminds people quietly.
type WatchBranch struct {
	Environments deploys.Environments
	GitHub       history
}

// drift is what is known of such a branch.
type drift struct {
	Environment string
	Head        string    // where it is
	Since       time.Time // when it was first seen there
	Told        time.Time // when people were reminded of that last; zero: not yet
}

// seldom is the longest time between looks.
const seldom = 6 * time.Hour

func (WatchBranch) Info() bot.Info { return bot.Info{Name: "watch-branch", Hidden: true} }

func (WatchBranch) Plan(context.Context, bot.Request) (bot.Plan[drift], error) {
	return bot.Plan[drift]{}, errUntyped
}

func (w WatchBranch) Standing() (all []bot.Begin) {
	for _, env := range w.Environments {
		if env.ResetTo != "" {
			all = append(all, bot.Begin{Kind: w.Info().Name, Ref: "watch/branch/" + env.Name, First: watching, About: env.Name,
				Data: drift{Environment: env.Name}, Holds: []string{"watch/branch/" + env.Name}})
		}
	}
	return all
}

func (w WatchBranch) Steps() map[bot.State]bot.Step[drift] {
	return map[bot.State]bot.Step[drift]{watching: {Look: w.look, Every: seldom}}
}

func (WatchBranch) Card(bot.Operation, drift) bot.Card { return bot.Card{} }

func (w WatchBranch) look(ctx context.Context, o bot.Operation, d *drift) (bot.Next, error) {
	env, ok := w.Environments.Named(d.Environment)
	if !ok || env.ResetTo == "" {
		return bot.Next{Every: seldom}, nil // not in the configuration any more
	}
	next := bot.Next{Every: min(seldom, env.Drift/4)}
	if o.Now.Sub(o.Created) < time.Hour { // a bot that has just been set up has more urgent things to say
		return next, nil
	}
	onto, err := w.GitHub.Branch(ctx, env.ResetTo)
	if err != nil {
		next.Wrong = err
		return next, nil
	}
	head, err := w.GitHub.Branch(ctx, env.Branch)
	if err != nil {
		next.Wrong = err
		return next, nil
	}
	if head != d.Head {
		d.Head, d.Since, d.Told = head, o.Now, time.Time{}
	}
	cmp, err := w.GitHub.Compare(ctx, onto, head)
	if err != nil {
		next.Wrong = err
		return next, nil
	}
	var newest github.Commit
	for _, c := range cmp.Commits {
		if c.When.After(newest.When) {
			newest = c
		}
	}
	age := max(o.Now.Sub(newest.When), o.Now.Sub(d.Since))
	// Its newest commit is old, or it has not moved for long: nobody seems to work on it.
	if cmp.Ahead == 0 || age < env.Drift || !d.Told.IsZero() && o.Now.Sub(d.Told) < 2*env.Drift {
		return next, nil
	}
	d.Told = o.Now
	card := bot.Say(env.Title()+" has ", bot.To(bot.Count(cmp.Ahead, "commit", "commits"), cmp.URL), fmt.Sprintf(" that %s has not, the newest of ", env.ResetTo), bot.Date(newest.When),
		fmt.Sprintf(" by %s, and lacks %d of %s. If nobody needs it any more:", newest.Author, cmp.Behind, env.ResetTo)).
		Add(bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{{Label: "Reset " + env.Name + "…", Verb: bot.VerbSay, Value: "reset " + env.Name}}})
	next.Say = []bot.Post{{Key: "drifted-" + stamp(o.Now), Class: bot.Progress, Card: card, Unless: muteScopes + alarmPrototype}}
	return next, nil
}
