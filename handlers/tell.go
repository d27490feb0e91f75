package handlers

import (
	"context"
	"errors"
	"fmt"

	"thbot/bot"
	"thbot/handlers/deploys"
)

// Tell mentions somebody once there is something to promote, or once the build
// of a certain commit can be.
type Tell struct {
	Environments deploys.Environments
	Jenkins      deploys.Jenkins
	Times        Times
}

// telling is what a wish to be told remembers.
type telling struct {
	Environment string
	Commit      string // as it was typed; empty: whatever waits
	Run         int
	Link        string
	Found       string // the commit that can go
	Why         bot.Text
}

const (
	waiting bot.State = "wait"
	told    bot.State = "told"
	gone    bot.State = "gone"
	forgot  bot.State = "forgot"
)

func (t Tell) Info() bot.Info {
	return bot.Info{
		Name: "tell", Does: "Mentions you once a build waits to be promoted.", Who: "anyone",
		Args: []bot.Arg{
			{Name: "environment", Doc: "an environment", Example: "prod", Words: t.Environments.Words()},
			{Name: "commit", Doc: "a commit", Example: "9f8e7d6", Optional: true, Check: aCommit},
		},
		Examples: []string{"tell prod", "tell prod 9f8e7d6"},
		Wait:     "Looking at what is being built…",
	}
}

func (t Tell) Plan(_ context.Context, r bot.Request) (bot.Plan[telling], error) {
	env, _ := t.Environments.Named(r.Args["environment"])
	if !env.Promoted() {
		answer := bot.Say(env.Title(), " is not promoted. "+env.Deploys)
		return bot.Plan[telling]{Answer: &answer}, nil
	}
	return bot.Plan[telling]{
		Begin: &telling{Environment: env.Name, Commit: r.Args["commit"]}, First: waiting,
		Asking: "tell/" + env.Name + "/" + r.Args["commit"] + "/" + r.Person,
	}, nil
}

func (t Tell) Steps() map[bot.State]bot.Step[telling] {
	anyTime := bot.Policy{Roles: []bot.Role{bot.Admins}, Asker: true}
	return map[bot.State]bot.Step[telling]{
		waiting: {
			Ask: func(bot.Operation, telling) bot.Question {
				return bot.Question{Note: "the asker or " + bot.Admins.Title() + " can stop it", Buttons: []bot.Button{{Verb: "stop", Label: "Never mind", May: anyTime, To: cancelled}}}
			},
			Look: t.look, Every: 3 * t.Times.Follow,
			GiveUp: bot.After[telling](longest), Lapse: forgot,
		},
		told:      {End: bot.Done, Say: t.say},
		gone:      {End: bot.Done, Say: t.say},
		cancelled: {End: bot.Cancelled},
		forgot:    {End: bot.Expired, Say: t.say},
	}
}

func (t Tell) look(ctx context.Context, _ bot.Operation, d *telling) (bot.Next, error) {
	env, _ := t.Environments.Named(d.Environment)
	if !env.Promoted() {
		d.Why = bot.T(d.Environment + " is not promoted any more.")
		return bot.Next{To: gone}, nil
	}
	found, err := env.Pipeline.Candidates(ctx, t.Jenkins, d.Commit)
	var refusal *bot.Refusal
	switch {
	case errors.As(err, &refusal):
		d.Why = refusal.Text
		return bot.Next{To: gone}, nil
	case err != nil:
		return bot.Next{}, err
	case found.Promotable != nil:
		d.Run, d.Found = found.Promotable.Run.Number, found.Promotable.Commit
		d.Link = t.Jenkins.RunURL(env.Pipeline.Job, d.Run)
		return bot.Next{To: told}, nil
	case len(found.Building) == 0:
		d.Why = bot.T("Nothing is being built any more, so nothing will wait to be promoted.")
		return bot.Next{To: gone}, nil
	}
	return bot.Next{}, nil
}

func (t Tell) Card(o bot.Operation, d telling) bot.Card {
	what := "a build"
	if d.Commit != "" {
		what = deploys.Short(d.Commit)
	}
	switch o.State {
	case waiting:
		return bot.Say("I will mention ", o.Asked.Name, " once "+what+" waits to be promoted to "+d.Environment+".")
	case cancelled:
		return bot.Say(o.Asked.Name + " need not be told any more when " + what + " can be promoted to " + d.Environment + ". Stopped by " + o.Decided().Person.Name + ".")
	}
	return bot.Say(o.Asked.Name + " has been told about promoting " + what + " to " + d.Environment + ".")
}

func (t Tell) say(o bot.Operation, d telling) []bot.Post {
	c := bot.Say(bot.At(o.Asked.ID), " ", d.Why)
	switch o.State {
	case told:
		c = bot.Say(bot.At(o.Asked.ID), " ", bot.Fixed(deploys.Short(d.Found)), " can be promoted to "+d.Environment+" now: run ", bot.To(fmt.Sprint(d.Run), d.Link), " waits.")
		text := "deploy " + d.Environment
		if d.Commit != "" {
			text += " " + d.Commit
		}
		c = c.Add(bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{{Label: "Promote…", Verb: bot.VerbSay, Value: text}}})
	case forgot:
		c = bot.Say(bot.At(o.Asked.ID), " nothing waited to be promoted to "+d.Environment+" for a day. I have stopped watching.")
	}
	return []bot.Post{{Key: "told", Class: bot.Query, Card: c}}
}
