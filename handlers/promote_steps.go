package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/integrations/github"
	"thbot/integrations/jenkins"
)

// Steps is the life of a promotion.
func (p Promote) Steps() map[bot.State]bot.Step[promotion] {
	return map[bot.State]bot.Step[promotion]{
		preparing: {
			Ask: func(_ bot.Operation, d promotion) bot.Question {
				return bot.Question{Buttons: []bot.Button{cancelIt()}}
			},
			Look: p.prepare, Every: p.Times.Live, GiveUp: bot.After[promotion](preparable), Lapse: asking,
		},
		asking: {
			Ask: p.ask, Pressed: p.allowed, Lapse: expired,
			GiveUp: func(o bot.Operation, d promotion) time.Time { return o.Entered.Add(d.Confirm.Expires) },
		},
		checking:  {Look: p.unmoved, Every: p.Times.Follow, GiveUp: bot.After[promotion](checkable), Lapse: moved, Say: p.sayForced},
		proceeds:  {Look: p.answered, Act: p.proceed, Refused: failed, Every: p.Times.Follow},
		following: {Ask: running, Look: p.follow, Every: p.Times.Follow, GiveUp: bot.After[promotion](longest), Lapse: lost},
		pausing:   {Ask: p.askOn, Pressed: goOn, Look: p.follow, Every: p.Times.Follow, Say: p.sayPaused},
		// Whoever let it go on did so of what was asked then; after a while the
		// run is read anew, and people are asked again.
		rechecking: {Look: p.stillAsked, Every: p.Times.Follow, GiveUp: bot.After[promotion](checkable), Lapse: following},
		aborting:   {Look: p.stopped, Act: p.stop, Refused: goesOn, Every: p.Times.Follow, GiveUp: bot.After[promotion](stoppable), Lapse: goesOn},
		goesOn:     {Ask: running, Look: p.follow, Every: p.Times.Follow, GiveUp: bot.After[promotion](longest), Lapse: lost, Say: p.sayGoesOn},
		verifying:  {Look: p.verify, Every: p.Times.Live},
		promoted:   {End: bot.Done, Say: p.sayDone},
		passing:    {End: bot.Done, Say: p.sayPassing},
		cancelled:  {End: bot.Cancelled},
		expired:    {End: bot.Expired},
		moved:      {End: bot.Outdated, Say: p.sayEnded},
		failed:     {End: bot.Failed, Say: p.sayEnded},
		notLive:    {End: bot.Failed, Say: p.sayEnded},
		lost:       {End: bot.Failed, Say: p.sayEnded},
		aborted:    {End: bot.Cancelled, Say: p.sayEnded},
	}
}

const (
	// checkable is how long the world may stay unreadable after the click:
	// longer than that, the decision is no longer of now.
	checkable = 2 * time.Minute
	// preparable is how long a question waits for what GitHub has to say of
	// migrations; then it says that this is not known.
	preparable = 3 * time.Minute
	// stoppable is how long Jenkins may take to end a run.
	stoppable = 10 * time.Minute
	// longest is how long a run is followed.
	longest = 24 * time.Hour
)

// unmoved reads everything again after the click (design 3.1 rule 3).
func (p Promote) unmoved(ctx context.Context, _ bot.Operation, d *promotion) (bot.Next, error) {
	no := func(pieces ...any) (bot.Next, error) {
		d.Why = bot.T(pieces...)
		return bot.Next{To: moved, Note: d.Why.String()}, nil
	}
	env, ok := p.Environments.Named(d.Environment)
	if !ok || !env.Promoted() || env.Settings() != d.Settings {
		return no("My settings for " + d.Environment + " have changed since the question.")
	}
	var r jenkins.Run
	var inputs []jenkins.Input
	var live string
	var wg sync.WaitGroup
	var ci github.CI
	var e1, e2, e3, e4 error
	wg.Go(func() { r, e1 = p.Jenkins.Run(ctx, d.Job, d.Run) })
	wg.Go(func() { inputs, e2 = p.Jenkins.Inputs(ctx, d.Job, d.Run) })
	wg.Go(func() { live, e3 = p.Apps.Version(ctx, env.URL) })
	wg.Go(func() { ci, e4 = p.GitHub.CI(ctx, d.To) })
	wg.Wait()
	if err := errors.Join(e1, e2, e3, e4); err != nil {
		return bot.Next{}, err
	}
	carries, err := env.Pipeline.CommitFrom.Commit(r)
	if err != nil {
		return no("I can no longer tell which commit run ", run(*d), " carries.")
	}
	at := slices.IndexFunc(inputs, func(in jenkins.Input) bool { return in.ID == d.Input })
	switch {
	case !r.Building:
		return no(ended(*d, r)...)
	case at < 0 && len(r.Approvers) > d.Approvals:
		return no(r.Approvers[len(r.Approvers)-1]+" let run ", run(*d), " go on in Jenkins meanwhile, so it is being promoted without me.")
	case at < 0:
		// After a restart Jenkins shows no inputs for a while, so their absence
		// alone says nothing (InputAction.loadExecutions logs and returns empty).
		return bot.Next{}, &stillOpen{d.Run}
	case inputs[at].Message != d.Message || !sameValues(inputs[at].Parameters, d.pause):
		return no("Run ", run(*d), " asks something else now: “"+inputs[at].Message+"”.")
	case carries != d.Carries:
		return no("Run ", run(*d), " carries ", bot.Fixed(deploys.Short(carries)), " now.")
	case live != d.From:
		return no(env.Title()+" serves ", bot.Fixed(deploys.Short(live)), " now; it served ", bot.Fixed(deploys.Short(d.From)), " when I asked.")
	case ci.State != d.CI.State && ci.State != github.Green:
		return no("CI of ", bot.Fixed(deploys.Short(d.To)), " is "+string(ci.State)+" now; it was "+string(d.CI.State)+" when I asked.")
	}
	return bot.Next{To: proceeds}, nil
}

func sameValues(params []jenkins.Parameter, d pause) bool {
	return slices.EqualFunc(params, d.Values, func(p jenkins.Parameter, v jenkins.Value) bool {
		return p.Name == v.Name && (p.Name == d.ConfirmedBy || p.HasDefault && p.Default == v.Value)
	})
}

// stillOpen is not an answer: the run goes on and shows neither its input nor
// who answered it.
type stillOpen struct{ run int }

func (e *stillOpen) Error() string {
	return fmt.Sprintf("run %d shows neither its input nor an answer to it", e.run)
}
func (*stillOpen) Service() string { return "Jenkins" }

func ended(d promotion, r jenkins.Run) []any {
	how := "Run "
	if len(r.Interruptions) > 0 {
		return []any{how, run(d), " was ended in Jenkins: " + strings.Join(r.Interruptions, "; ") + "."}
	}
	return []any{how, run(d), " has ended in Jenkins with " + r.Result + "."}
}

// answered looks whether the input has been answered, and by whom.
func (p Promote) answered(ctx context.Context, _ bot.Operation, d *promotion) (bot.Next, error) {
	r, err := p.Jenkins.Run(ctx, d.Job, d.Run)
	if err != nil {
		return bot.Next{}, err
	}
	if n := len(r.Approvers); n > d.Approvals {
		me, err := p.Jenkins.Whoami(ctx)
		if err != nil {
			return bot.Next{}, err
		}
		note := "proceeded"
		if by := r.Approvers[n-1]; by != me {
			d.By, note = by, "proceeded in Jenkins by "+by
		}
		return bot.Next{To: following, Note: note}, nil
	}
	if !r.Building {
		d.Why = bot.T(ended(*d, r)...)
		return bot.Next{To: failed, Note: d.Why.String()}, nil
	}
	return bot.Next{}, nil
}

// proceed answers the input, and exactly that one. If it is not pending there
// is nothing to answer, and the next look tells why.
func (p Promote) proceed(ctx context.Context, o bot.Operation, d *promotion) error {
	values := slices.Clone(d.Values)
	for i, v := range values {
		if v.Name == d.ConfirmedBy {
			values[i].Value = names(o.Confirmers())
		}
	}
	err := p.Jenkins.Proceed(ctx, d.Job, d.Run, d.Input, values)
	var no *bot.Refused
	if errors.As(err, &no) {
		d.Why = bot.T("Jenkins does not let me answer run ", run(*d), ": "+no.Why)
	}
	if errors.Is(err, jenkins.ErrNotPending) {
		return nil
	}
	return err
}

// follow reads how the run goes. It ends only by Jenkins' own word that it did.
func (p Promote) follow(ctx context.Context, o bot.Operation, d *promotion) (bot.Next, error) {
	r, err := p.Jenkins.Run(ctx, d.Job, d.Run)
	if err != nil {
		return bot.Next{}, err
	}
	progress, err := p.Jenkins.Stages(ctx, d.Job, d.Run)
	if err != nil {
		return bot.Next{}, err
	}
	d.Stages = rounded(progress.Stages)
	if r.Building {
		inputs, err := p.Jenkins.Inputs(ctx, d.Job, d.Run)
		if err != nil {
			return bot.Next{}, err
		}
		next := p.further(o, d, r, inputs)
		if s, ok := deploys.Stage(progress, d.Stage); ok && len(inputs) == 0 && next.To == "" && !d.Slow && d.Usual > 0 && s.Status == jenkins.StageInProgress &&
			s.Duration-s.Pause > max(slowAtLeast, slowly*d.Usual) {
			d.Slow = true
			next.Say = append(next.Say, slowPost(d.Environment, d.To, run(*d), s.Duration-s.Pause, d.Usual))
		}
		return next, nil
	}
	// SUCCESS of the run alone does not prove that it deployed: Jenkinsfiles
	// catch errors and time-outs around their inputs.
	stage, begun := deploys.Stage(progress, d.Stage)
	switch {
	case r.Result == jenkins.Success && begun && stage.Status == jenkins.StageSuccess:
		d.Ended = stage.Started.Add(stage.Duration)
		return bot.Next{To: verifying}, nil
	case r.Result == jenkins.Success && !begun:
		d.Why = bot.T("Run ", run(*d), " ended with SUCCESS, but without its stage “"+d.Stage+"”.")
	default:
		d.Why = bot.T(ended(*d, r)...)
		for _, s := range progress.Stages {
			if s.Status == jenkins.StageFailed {
				d.Why = bot.T("Stage “"+s.Name+"” of run ", run(*d), " failed.")
			}
		}
	}
	if r.Result != jenkins.Aborted {
		d.Log, _ = p.Jenkins.LogTail(ctx, d.Job, d.Run, logLines) // what failed is told without it, too
		d.People = p.Who.between(ctx, p.GitHub, d.From, d.To)
	}
	return bot.Next{To: failed, Note: d.Why.String()}, nil
}

// verify asks the app itself, since a run that succeeded is not yet an app
// that serves the commit.
func (p Promote) verify(ctx context.Context, o bot.Operation, d *promotion) (bot.Next, error) {
	serves, err := p.Apps.Version(ctx, d.URL)
	if err == nil {
		d.Serves = serves
	}
	if err != nil || serves != d.To {
		d.Seen = 0
		var to bot.State
		d.After, to, err = notServed(ctx, p.Ledger, o, deployed{d.Environment, d.Job, d.Stage, d.Run, d.To, d.Ended}, p.Times, err)
		return bot.Next{To: to}, err
	}
	if d.Seen++; d.Seen < inARow {
		return bot.Next{}, nil
	}
	d.People = p.Who.between(ctx, p.GitHub, d.From, d.To)
	return bot.Next{To: promoted}, nil
}
