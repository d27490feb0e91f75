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
	"thbot/integrations/jenkins"
)

// Steps is the life of a promotion.
func (p Promote) Steps() map[bot.State]bot.Step[promotion] {
	confirm := bot.Policy{Roles: []bot.Role{bot.Admins}}
	return map[bot.State]bot.Step[promotion]{
		asking: {
			Ask: func(o bot.Operation, d promotion) bot.Question {
				what := fmt.Sprintf("Promote %s to %s?", deploys.Short(d.To), d.Environment)
				return bot.Question{Note: bot.Admins.Title() + " can confirm", Buttons: []bot.Button{
					{Verb: "promote", Label: "Promote", Tone: bot.Primary, Dialog: what, May: confirm, To: checking, Decides: true},
					{Verb: "cancel", Label: "Cancel", May: bot.Policy{Roles: confirm.Roles, Asker: true}, To: cancelled},
				}}
			},
			GiveUp: func(o bot.Operation, d promotion) time.Time { return o.Entered.Add(d.Expires) }, Lapse: expired,
		},
		checking:  {Look: p.unmoved, Every: p.Times.Follow, GiveUp: bot.After[promotion](checkable), Lapse: moved},
		proceeds:  {Look: p.answered, Act: p.proceed, Refused: failed, Every: p.Times.Follow},
		following: {Look: p.follow, Every: p.Times.Follow, GiveUp: bot.After[promotion](longest), Lapse: lost},
		pausing:   {Look: p.follow, Every: p.Times.Follow, Say: p.sayPaused},
		verifying: {Look: p.verify, Every: p.Times.Live, GiveUp: bot.After[promotion](p.Times.NotLive), Lapse: notLive},
		promoted:  {End: bot.Done, Say: p.sayDone},
		cancelled: {End: bot.Cancelled},
		expired:   {End: bot.Expired},
		moved:     {End: bot.Outdated, Say: p.sayEnded},
		failed:    {End: bot.Failed, Say: p.sayEnded},
		notLive:   {End: bot.Failed, Say: p.sayEnded},
		lost:      {End: bot.Failed, Say: p.sayEnded},
	}
}

const (
	// checkable is how long the world may stay unreadable after the click:
	// longer than that, the decision is no longer of now.
	checkable = 2 * time.Minute
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
	if !ok || env.Pipeline == nil || env.Settings() != d.Settings {
		return no("My settings for " + d.Environment + " have changed since the question.")
	}
	var r jenkins.Run
	var inputs []jenkins.Input
	var live string
	var wg sync.WaitGroup
	var e1, e2, e3 error
	wg.Go(func() { r, e1 = p.Jenkins.Run(ctx, d.Job, d.Run) })
	wg.Go(func() { inputs, e2 = p.Jenkins.Inputs(ctx, d.Job, d.Run) })
	wg.Go(func() { live, e3 = p.Apps.Version(ctx, env.URL) })
	wg.Wait()
	if err := errors.Join(e1, e2, e3); err != nil {
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
	case inputs[at].Message != d.Message || !sameValues(inputs[at].Parameters, *d):
		return no("Run ", run(*d), " asks something else now: “"+inputs[at].Message+"”.")
	case carries != d.Carries:
		return no("Run ", run(*d), " carries ", bot.Fixed(deploys.Short(carries)), " now.")
	case live != d.From:
		return no(env.Title()+" serves ", bot.Fixed(deploys.Short(live)), " now; it served ", bot.Fixed(deploys.Short(d.From)), " when I asked.")
	}
	return bot.Next{To: proceeds}, nil
}

func sameValues(params []jenkins.Parameter, d promotion) bool {
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
			values[i].Value = o.Decided().Person.Name
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
	d.Stages = progress.Stages
	for i := range d.Stages { // an edit every ten seconds is enough to see that it moves
		s := &d.Stages[i]
		s.Duration, s.Pause = (s.Duration - s.Pause).Truncate(10*time.Second), 0
	}
	if r.Building {
		inputs, err := p.Jenkins.Inputs(ctx, d.Job, d.Run)
		if err != nil {
			return bot.Next{}, err
		}
		switch {
		case len(inputs) > 0 && o.State == following:
			d.Asks = inputs[0].Message
			return bot.Next{To: pausing, Note: d.Asks}, nil
		case len(inputs) == 0 && o.State == pausing:
			return bot.Next{To: following}, nil
		}
		return bot.Next{}, nil
	}
	// SUCCESS of the run alone does not prove that it deployed: Jenkinsfiles
	// catch errors and time-outs around their inputs.
	stage, begun := deploys.Stage(progress, d.Stage)
	switch {
	case r.Result == jenkins.Success && begun && stage.Status == jenkins.StageSuccess:
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
	return bot.Next{To: failed, Note: d.Why.String()}, nil
}

// verify asks the app itself, since a run that succeeded is not yet an app
// that serves the commit.
func (p Promote) verify(ctx context.Context, _ bot.Operation, d *promotion) (bot.Next, error) {
	serves, err := p.Apps.Version(ctx, d.URL)
	if err != nil {
		d.Seen = 0
		return bot.Next{}, err
	}
	if d.Serves = serves; serves != d.To {
		d.Seen = 0
		return bot.Next{}, nil
	}
	if d.Seen++; d.Seen < inARow {
		return bot.Next{}, nil
	}
	return bot.Next{To: promoted}, nil
}
