package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
)

// What is in a revert's way: a promotion that is running, which is aborted
// before the question, and runs that wait for people and keep the rebuilt one
// in Jenkins' queue. Each is aborted only after a confirm of its own.

const (
	blocked    bot.State = "blocked"  // a promotion is running
	clearing   bot.State = "clearing" // it is being aborted
	queued     bot.State = "queued"   // the rebuilt run has not begun
	unblocking bot.State = "unblock"  // a run that waits is being aborted
)

const (
	abortFirst   = "abort-first"
	abortWaiting = "abort-run-"
	// mostWaiting is how many of the runs that wait can be aborted with a button.
	mostWaiting = 4
	// patient is how long a run may be queued before what keeps it there is looked for.
	patient = 20 * time.Second
)

// begins is the state in which there is something to ask, or to wait for.
func (d reversion) begins() bot.State {
	switch {
	case d.First != nil:
		return blocked
	case !d.Schema.Told:
		return preparing
	}
	return asking
}

// first notes what is being promoted right now.
func (r Revert) first(ctx context.Context, env deploys.Environment, d *reversion) error {
	runs, err := r.Jenkins.Runs(ctx, d.Job)
	if err != nil {
		return err
	}
	if runs.Disabled {
		return bot.Refuse("Jenkins has disabled the job " + d.Job + ", so it rebuilds nothing. I asked nothing.")
	}
	if d.First, err = r.inFront(ctx, env); err != nil || d.First != nil {
		return err
	}
	for _, run := range runs.Runs {
		if n := len(run.Approvers); run.Building && n > 0 {
			d.ByHand = bot.T(run.Approvers[n-1]+" let run ", bot.To(fmt.Sprint(run.Number), r.Jenkins.RunURL(d.Job, run.Number)), " go on in Jenkins, and it is deploying. ",
				bot.Fixed("/th abort "+env.Name), " ends it.")
		}
	}
	return nil
}

// inFront is the bot's own promotion or revert that is running, or nil.
func (r Revert) inFront(ctx context.Context, env deploys.Environment) (a *inFront, err error) {
	err = r.Ledger.View(ctx, func(v bot.View) error {
		a = nil
		id, err := v.Holder(env.Scope())
		if err != nil || id == "" {
			return err
		}
		o, err := v.Operation(id)
		if err != nil {
			return err
		}
		p, err := remembered(o)
		if err != nil {
			return err
		}
		what := "the promotion of "
		if o.Kind == "revert" {
			what = "the revert to "
		}
		a = &inFront{id, what + deploys.Short(p.To) + ", confirmed by " + names(o.Confirmers()) + ",", o.State == following || o.State == goesOn || o.State == pausing}
		return nil
	})
	return a, err
}

func (r Revert) askFirst(_ bot.Operation, d reversion) bot.Question {
	q := bot.Question{Note: "it has to come to a point where it can be aborted", Buttons: []bot.Button{r.cancel()}}
	if d.First.Stops {
		q.Note = bot.Admins.Title() + " or " + bot.CloudOps.Title() + " can abort it; what to revert is asked afterwards"
		q.Buttons = append([]bot.Button{{Verb: abortFirst, Label: "Abort it first", Tone: bot.Danger, May: stoppers, To: clearing,
			Press: &bot.Forward{Operation: d.First.Operation, Verb: abortIt}, Dialog: "Abort " + strings.TrimSuffix(d.First.What, ",") + "?"}}, q.Buttons...)
	}
	return q
}

// free looks whether what was running is over, and describes anew what a revert
// would do then.
func (r Revert) free(ctx context.Context, o bot.Operation, d *reversion) (bot.Next, error) {
	env, ok := r.Environments.Named(d.Environment)
	if !ok || !env.Promoted() {
		d.Why = bot.T(d.Environment + " is not promoted any more.")
		return bot.Next{To: moved, Note: d.Why.String()}, nil
	}
	now, err := r.inFront(ctx, env)
	switch {
	case err != nil:
		return bot.Next{}, err
	case now != nil && o.State == clearing && now.Operation == d.First.Operation && !now.Stops:
		return bot.Next{}, nil // on its way
	case now != nil && o.State == clearing && now.Operation == d.First.Operation:
		d.First = now
		if o.Now.Sub(o.Entered) < 2*r.Times.Follow { // it has not looked yet
			return bot.Next{}, nil
		}
		return bot.Next{To: blocked, Note: "it goes on"}, nil
	case now != nil:
		d.First = now
		return bot.Next{}, nil
	}
	live, err := r.Apps.Version(ctx, env.URL)
	if err != nil {
		return bot.Next{}, err
	}
	d.First, d.Waited, d.From = nil, true, live
	if live == d.To {
		d.Why = bot.T(env.Title()+" serves ", bot.Fixed(deploys.Short(live)), ", so there is nothing to revert any more.")
		return bot.Next{To: moved, Note: d.Why.String()}, nil
	}
	err = r.describeRevert(ctx, env, d, d.To, build{run: d.Source, commit: d.Carries})
	var no *bot.Refusal
	if errors.As(err, &no) {
		d.Why = no.Text
		return bot.Next{To: moved, Note: d.Why.String()}, nil
	}
	if err != nil {
		return bot.Next{}, err
	}
	return bot.Next{To: d.begins(), Note: "what was running is over"}, nil
}

// sayAsked mentions whoever had to wait for the question: an edit notifies nobody.
func (r Revert) sayAsked(o bot.Operation, d reversion) []bot.Post {
	if !d.Waited || o.Decided().Verb != "" && o.Decided().Verb != abortFirst {
		return nil
	}
	return []bot.Post{{Key: "asked", Class: bot.Query, Card: bot.Say(bot.At(o.Asked.ID), " what was running is over; what reverting "+d.Environment+" would do now is asked above.")}}
}

// waits follows a rebuilt run through Jenkins' queue.
func (r Revert) waits(ctx context.Context, o bot.Operation, d *reversion) (bot.Next, error) {
	next, err := r.rebuilt(ctx, o, d)
	if err != nil || next.To != "" || d.Queue == "" || o.Now.Sub(o.Entered) < patient {
		return next, err
	}
	runs, err := r.Jenkins.Runs(ctx, d.Job)
	if err != nil {
		return bot.Next{}, err
	}
	var waiting []int
	for _, run := range runs.Runs {
		if !run.Building || len(run.Approvers) > 0 || len(waiting) == mostWaiting {
			continue
		}
		inputs, err := r.Jenkins.Inputs(ctx, d.Job, run.Number)
		if err != nil {
			return bot.Next{}, err
		}
		if len(inputs) > 0 {
			waiting = append(waiting, run.Number)
		}
	}
	d.Waiting = waiting
	return bot.Next{}, nil
}

// askQueue offers to abort the runs that wait for people: where a job makes one
// run at a time, they keep the rebuilt one from beginning.
func (r Revert) askQueue(_ bot.Operation, d reversion) bot.Question {
	var q bot.Question
	for _, n := range d.Waiting {
		q.Buttons = append(q.Buttons, bot.Button{Verb: abortWaiting + fmt.Sprint(n), Label: fmt.Sprintf("Abort run %d", n), Tone: bot.Danger, May: stoppers, To: unblocking,
			Dialog: fmt.Sprintf("Abort run %d, which waits to be promoted? It cannot be promoted then.", n)})
	}
	if len(q.Buttons) > 0 {
		q.Note = "runs that wait may keep it from beginning; " + bot.Admins.Title() + " or " + bot.CloudOps.Title() + " can abort them"
	}
	return q
}

func (r Revert) chosen(_ bot.View, _ bot.Operation, d *reversion, p bot.Decision) error {
	for _, n := range d.Waiting {
		if p.Verb == abortWaiting+fmt.Sprint(n) {
			d.Unblock, d.Why = n, nil
		}
	}
	return nil
}

// unblocked looks whether the run that waited is over.
func (r Revert) unblocked(ctx context.Context, _ bot.Operation, d *reversion) (bot.Next, error) {
	run, err := r.Jenkins.Run(ctx, d.Job, d.Unblock)
	gone := errors.Is(err, bot.ErrNotFound)
	if err != nil && !gone || err == nil && run.Building {
		return bot.Next{}, err
	}
	d.Waiting = slices.DeleteFunc(slices.Clone(d.Waiting), func(n int) bool { return n == d.Unblock })
	return bot.Next{To: queued, Note: fmt.Sprintf("run %d is over", d.Unblock)}, nil
}

func (r Revert) unblock(ctx context.Context, o bot.Operation, d *reversion) error {
	run, err := r.Jenkins.Run(ctx, d.Job, d.Unblock)
	if err != nil {
		return err
	}
	if len(run.Approvers) > 0 { // it deploys now; nobody confirmed to end that
		d.Why = bot.T("Run ", bot.To(fmt.Sprint(d.Unblock), r.Jenkins.RunURL(d.Job, d.Unblock)), " was let go on meanwhile, so I have not aborted it.")
		return &bot.Refused{Why: d.Why.String()}
	}
	err = stopRun(ctx, r.Jenkins, o, d.Job, d.Unblock)
	if why := notLet(err, bot.To(fmt.Sprint(d.Unblock), r.Jenkins.RunURL(d.Job, d.Unblock))); why != nil {
		d.Why = why
	}
	return err
}

// findable is until when a run that has left the queue may stay unseen. In the
// queue it may stay.
func (r Revert) findable(_ bot.Operation, d reversion) time.Time {
	if d.Queue != "" {
		return time.Time{}
	}
	return d.Queued.Add(r.startable())
}
