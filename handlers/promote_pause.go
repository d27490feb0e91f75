package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/integrations/jenkins"
)

// A promotion that is running: it can be aborted, and its run can come to a
// further input (canary, then everything), where people are asked again.

const (
	abortIt = "abort"
	goOnIt  = "go-on"
)

// stoppers may abort.
var stoppers = bot.Policy{Roles: []bot.Role{bot.Admins, bot.CloudOps}}

func abortButton(d promotion) bot.Button {
	return bot.Button{Verb: abortIt, Label: "Abort run", Tone: bot.Danger, May: stoppers, To: aborting,
		Dialog: fmt.Sprintf("Abort run %d, which promotes %s to %s?", d.Run, deploys.Short(d.To), d.Environment)}
}

func running(_ bot.Operation, d promotion) bot.Question {
	return bot.Question{Buttons: []bot.Button{abortButton(d)}}
}

// further reads the inputs of a run that is going on. One that it pauses at is
// asked about until it is answered, here or in Jenkins.
func (p Promote) further(o bot.Operation, d *promotion, r jenkins.Run, inputs []jenkins.Input) bot.Next {
	if d.Next != nil && o.State == pausing {
		if slices.ContainsFunc(inputs, func(in jenkins.Input) bool { return in.ID == d.Next.Input && in.Message == d.Next.Message }) {
			return p.nudge(o, d)
		}
		if len(inputs) == 0 && len(r.Approvers) == d.Next.Approvals {
			// Jenkins shows none for a while after a restart
			// (InputAction.loadExecutions logs and returns empty).
			return bot.Next{}
		}
	}
	// The order of Jenkins' list means nothing; of several each gets its turn.
	slices.SortFunc(inputs, func(a, b jenkins.Input) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	switch {
	case len(inputs) > 0:
		env, _ := p.Environments.Named(d.Environment)
		confirmedBy := ""
		if env.Pipeline != nil {
			confirmedBy = env.Pipeline.ConfirmedBy
		}
		next := pauseAt(inputs[0], confirmedBy, len(r.Approvers))
		d.Next, d.Nudges = &next, 0
		return bot.Next{To: pausing, Note: next.Message}
	case o.State == pausing:
		d.Next = nil
		return bot.Next{To: following, Note: "the input was answered in Jenkins"}
	}
	return bot.Next{}
}

// nudges are when people are reminded of a run that waits for them; after the
// last of them, every so often.
var nudges = []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour}

func (p Promote) nudge(o bot.Operation, d *promotion) bot.Next {
	last := nudges[len(nudges)-1]
	due := last * time.Duration(d.Nudges-len(nudges)+2)
	if d.Nudges < len(nudges) {
		due = nudges[d.Nudges]
	}
	if o.Now.Sub(o.Entered) < due {
		return bot.Next{}
	}
	d.Nudges++
	t := bot.T("Run ", run(*d), " (", concerned(o), ") has been waiting for ", bot.Length(due), " for an answer: “"+d.Next.Message+"” ", further(*d.Next, *d, "above"))
	return bot.Next{Say: []bot.Post{{Key: fmt.Sprint("nudge-", d.Nudges), Class: bot.Query, Card: bot.Say(t)}}}
}

// askOn is the question of a further input. It does not expire.
func (p Promote) askOn(_ bot.Operation, d promotion) bot.Question {
	q := bot.Question{Note: bot.Admins.Title() + " can let it go on", Buttons: []bot.Button{abortButton(d)}}
	if d.Next.Unasked != "" {
		q.Note = "it has to be answered in Jenkins"
		return q
	}
	on := bot.Button{Verb: goOnIt, Label: "Go on", Tone: bot.Primary, May: bot.Policy{Roles: []bot.Role{bot.Admins}}, To: rechecking,
		Dialog: fmt.Sprintf("Let run %d go on? It asks: %s", d.Run, d.Next.Message)}
	q.Buttons = append([]bot.Button{on}, q.Buttons...)
	return q
}

// goOn makes the further input the one to be answered.
func goOn(_ bot.View, _ bot.Operation, d *promotion, press bot.Decision) error {
	if press.Verb == goOnIt {
		d.pause, d.Next = *d.Next, nil
	}
	return nil
}

// stillAsked reads a further input again after its click.
func (p Promote) stillAsked(ctx context.Context, _ bot.Operation, d *promotion) (bot.Next, error) {
	r, err := p.Jenkins.Run(ctx, d.Job, d.Run)
	if err != nil {
		return bot.Next{}, err
	}
	inputs, err := p.Jenkins.Inputs(ctx, d.Job, d.Run)
	if err != nil {
		return bot.Next{}, err
	}
	at := slices.IndexFunc(inputs, func(in jenkins.Input) bool { return in.ID == d.Input })
	switch {
	case !r.Building, at < 0 && len(r.Approvers) > d.Approvals:
		return bot.Next{To: following, Note: "the input had been answered in Jenkins, or the run has ended"}, nil
	case at < 0:
		return bot.Next{}, &stillOpen{d.Run}
	case inputs[at].Message != d.Message || !sameValues(inputs[at].Parameters, d.pause):
		return bot.Next{To: following, Note: "the run asks something else now"}, nil
	}
	return bot.Next{To: proceeds}, nil
}

// stopped looks whether the run has ended, and what is live then.
func (p Promote) stopped(ctx context.Context, o bot.Operation, d *promotion) (bot.Next, error) {
	r, err := p.Jenkins.Run(ctx, d.Job, d.Run)
	if err != nil || r.Building {
		return bot.Next{}, err
	}
	progress, err := p.Jenkins.Stages(ctx, d.Job, d.Run)
	if err != nil {
		return bot.Next{}, err
	}
	d.Stages = progress.Stages
	s, ok := deploys.Stage(progress, d.Stage)
	if succeeded := ok && r.Result == jenkins.Success && s.Status == jenkins.StageSuccess; succeeded {
		d.Late = true
		return bot.Next{To: verifying, Note: "the run had succeeded before it could be aborted"}, nil
	}
	if o.Acts == 0 {
		return p.follow(ctx, o, d) // it had ended before Jenkins was told anything
	}
	serves, err := p.Apps.Version(ctx, d.URL)
	if err != nil {
		return bot.Next{}, err
	}
	d.Serves = serves
	return bot.Next{To: aborted, Note: "the run has ended with " + r.Result}, nil
}

// stop asks Jenkins to end the run, and more firmly when it has not helped.
func (p Promote) stop(ctx context.Context, o bot.Operation, d *promotion) error {
	err := stopRun(ctx, p.Jenkins, o, d.Job, d.Run)
	d.Why = notLet(err, run(*d))
	return err
}

// notLet says why Jenkins does not let a run be aborted, if that is what err is.
func notLet(err error, run bot.Span) bot.Text {
	var no *bot.Refused
	if !errors.As(err, &no) {
		return nil
	}
	return bot.T("I may not abort run ", run, ". "+no.Why)
}

func stopRun(ctx context.Context, j interface {
	Stop(ctx context.Context, job string, number int, how jenkins.StopHow) error
}, o bot.Operation, job string, number int) error {
	how := jenkins.Politely
	if o.Acts > 3 {
		how = jenkins.Term
	}
	return j.Stop(ctx, job, number, how)
}
