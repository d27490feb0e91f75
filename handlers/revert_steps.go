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

// arrivable is how long it may take until a rebuilt run has deployed what
// comes before its input.
const arrivable = 2 * time.Hour

// startable is how long it may take until a rebuilt run shows itself: so many
// looks, which are usually five minutes.
func (r Revert) startable() time.Duration { return 30 * r.Times.Follow }

// Steps are a revert's own up to the moment at which the new run's input can be
// answered, and those of a promotion from there.
func (r Revert) Steps() map[bot.State]bot.Step[reversion] {
	steps := map[bot.State]bot.Step[reversion]{}
	for _, state := range []bot.State{proceeds, following, pausing, rechecking, aborting, goesOn, verifying} {
		steps[state] = lift(r.Promote.Steps()[state])
	}
	verify := steps[verifying]
	verify.Look = r.verifyAndLock
	steps[verifying] = verify
	for state, s := range map[bot.State]bot.Step[reversion]{
		preparing: {
			Ask:  func(bot.Operation, reversion) bot.Question { return bot.Question{Buttons: []bot.Button{r.cancel()}} },
			Look: r.prepareRevert, Every: r.Times.Live, GiveUp: bot.After[reversion](preparable), Lapse: asking,
		},
		asking:     {Ask: r.askRevert, Pressed: r.know, Say: r.sayAsked, Lapse: expired, GiveUp: func(o bot.Operation, d reversion) time.Time { return o.Entered.Add(d.Confirm.Expires) }},
		checking:   {Look: r.unmovedRevert, Every: r.Times.Follow, GiveUp: bot.After[reversion](checkable), Lapse: moved},
		blocked:    {Ask: r.askFirst, Look: r.free, Every: r.Times.Follow, GiveUp: bot.After[reversion](20 * time.Minute), Lapse: expired},
		clearing:   {Look: r.free, Every: r.Times.Follow, GiveUp: bot.After[reversion](stoppable), Lapse: blocked},
		rebuild:    {Look: r.rebuilt, Act: r.start, Once: true, Refused: failed, Every: r.Times.Follow, GiveUp: bot.After[reversion](r.startable()), Lapse: unknown},
		unknown:    {Ask: r.askUnknown, Look: r.rebuilt, Every: r.Times.Follow, Say: r.sayUnknown},
		queued:     {Ask: r.askQueue, Pressed: r.chosen, Look: r.waits, Every: r.Times.Follow, GiveUp: r.findable, Lapse: unknown},
		unblocking: {Look: r.unblocked, Act: r.unblock, Refused: queued, Every: r.Times.Follow, GiveUp: bot.After[reversion](stoppable), Lapse: queued},
		comparing:  {Look: r.compare, Every: r.Times.Follow, GiveUp: bot.After[reversion](arrivable), Lapse: lost},
		promoted:   {End: bot.Done, Say: r.sayReverted},
		cancelled:  {End: bot.Cancelled},
		expired:    {End: bot.Expired},
		moved:      {End: bot.Outdated, Say: r.sayNot},
		failed:     {End: bot.Failed, Say: r.sayNot},
		notLive:    {End: bot.Failed, Say: r.sayNot},
		lost:       {End: bot.Failed, Say: r.sayNot},
		aborted:    {End: bot.Cancelled, Say: r.sayNot},
	} {
		steps[state] = s
	}
	return steps
}

// lift makes a step of a promotion one of a revert, whose data has a promotion
// in it.
func lift(s bot.Step[promotion]) bot.Step[reversion] {
	out := bot.Step[reversion]{Refused: s.Refused, Every: s.Every, Lapse: s.Lapse, End: s.End}
	if s.Ask != nil {
		out.Ask = func(o bot.Operation, d reversion) bot.Question { return s.Ask(o, d.promotion) }
	}
	if s.Look != nil {
		out.Look = func(ctx context.Context, o bot.Operation, d *reversion) (bot.Next, error) {
			return s.Look(ctx, o, &d.promotion)
		}
	}
	if s.Act != nil {
		out.Act = func(ctx context.Context, o bot.Operation, d *reversion) error { return s.Act(ctx, o, &d.promotion) }
	}
	if s.GiveUp != nil {
		out.GiveUp = func(o bot.Operation, d reversion) time.Time { return s.GiveUp(o, d.promotion) }
	}
	if s.Pressed != nil {
		out.Pressed = func(v bot.View, o bot.Operation, d *reversion, p bot.Decision) error {
			return s.Pressed(v, o, &d.promotion, p)
		}
	}
	if s.Say != nil {
		out.Say = func(o bot.Operation, d reversion) []bot.Post { return s.Say(o, d.promotion) }
	}
	return out
}

func (r Revert) cancel() bot.Button {
	return bot.Button{Verb: "cancel", Label: "Cancel", May: bot.Policy{Roles: stoppers.Roles, Asker: true}, To: cancelled}
}

// askRevert asks, once each migration that stays has been taken note of.
func (r Revert) askRevert(_ bot.Operation, d reversion) bot.Question {
	var q bot.Question
	for i, m := range d.Stays {
		if !slices.Contains(d.Known, m) && len(q.Buttons) < mostKnown {
			q.Buttons = append(q.Buttons, bot.Button{Verb: iKnow + fmt.Sprint(i), Label: "I know: " + m + " stays", May: stoppers, To: asking})
		}
	}
	if len(q.Buttons) > 0 {
		q.Buttons = append(q.Buttons, r.cancel())
		q.Note = "first say of each migration that you know that it stays in the database; " + bot.Admins.Title() + " or " + bot.CloudOps.Title() + " can"
		return q
	}
	yes := bot.Button{Verb: revertIt, Label: "Revert", Tone: bot.Danger, May: stoppers, To: checking, Decides: true,
		Dialog: fmt.Sprintf("Put %s back on %s? %s are taken out.", d.Environment, deploys.Short(d.To), bot.Count(d.Ahead, "commit", "commits"))}
	if !d.Schema.Told {
		yes.Dialog += " Whether there are migrations among them is not known."
	}
	if d.Confirm.CloudOps && d.Schema.any() {
		yes.Among = bot.CloudOps
	}
	q.Note = bot.Admins.Title() + " or " + bot.CloudOps.Title() + " can confirm"
	if yes.Among != "" {
		q.Note = bot.CloudOps.Title() + " has to confirm, since migrations stay"
	}
	q.Buttons = []bot.Button{yes, r.cancel()}
	return q
}

func (r Revert) know(_ bot.View, _ bot.Operation, d *reversion, p bot.Decision) error {
	n, ok := strings.CutPrefix(p.Verb, iKnow)
	if !ok {
		return nil
	}
	for i, m := range d.Stays {
		if fmt.Sprint(i) == n {
			d.Known = append(d.Known, m)
		}
	}
	return nil
}

func (r Revert) prepareRevert(ctx context.Context, _ bot.Operation, d *reversion) (bot.Next, error) {
	if err := r.Schemas.more(ctx, &d.Schema, d.From); err != nil {
		return bot.Next{}, err
	}
	d.Stays = staying(d.Schema)
	return bot.Next{To: asking, Note: "all of it has been looked up"}, nil
}

// staying are the migrations whose effect reverting the code does not undo.
func staying(s schema) []string {
	var all []string
	for _, e := range s.Each {
		if m, added := strings.CutPrefix(e.What, "adds "); added {
			all = append(all, m)
		}
	}
	return all
}

// unmovedRevert reads everything again after the click.
func (r Revert) unmovedRevert(ctx context.Context, _ bot.Operation, d *reversion) (bot.Next, error) {
	no := func(pieces ...any) (bot.Next, error) {
		d.Why = bot.T(pieces...)
		return bot.Next{To: moved, Note: d.Why.String()}, nil
	}
	env, ok := r.Environments.Named(d.Environment)
	if !ok || !env.Promoted() || env.Settings() != d.Settings {
		return no("My settings for " + d.Environment + " have changed since the question.")
	}
	var runs jenkins.Runs
	var source jenkins.Run
	var live string
	var e1, e2, e3 error
	var all sync.WaitGroup
	all.Go(func() { runs, e1 = r.Jenkins.Runs(ctx, d.Job) })
	all.Go(func() { source, e2 = r.Jenkins.Run(ctx, d.Job, d.Source) })
	all.Go(func() { live, e3 = r.Apps.Version(ctx, env.URL) })
	all.Wait()
	if errors.Is(e2, bot.ErrNotFound) {
		return no("Jenkins does not have run ", bot.To(fmt.Sprint(d.Source), d.Link), " any more.")
	}
	if err := errors.Join(e1, e2, e3); err != nil {
		return bot.Next{}, err
	}
	carries, err := env.Pipeline.CommitFrom.Commit(source)
	switch {
	case err != nil || carries != d.Carries:
		return no("Run ", bot.To(fmt.Sprint(d.Source), d.Link), " does not carry ", bot.Fixed(deploys.Short(d.To)), " any more.")
	case runs.Disabled:
		return no("Jenkins has disabled the job " + d.Job + " meanwhile.")
	case live != d.From:
		return no(env.Title()+" serves ", bot.Fixed(deploys.Short(live)), " now; it served ", bot.Fixed(deploys.Short(d.From)), " when I asked.")
	}
	d.Least = runs.Next
	return bot.Next{To: rebuild}, nil
}

// rebuilt looks for the run that the rebuild started: ours, of that run, and
// no older than the click.
func (r Revert) rebuilt(ctx context.Context, o bot.Operation, d *reversion) (bot.Next, error) {
	me, err := r.Jenkins.Whoami(ctx)
	if err != nil {
		return bot.Next{}, err
	}
	run, item, found, err := r.Jenkins.Rebuilt(ctx, d.Job, d.Source, d.Least, me)
	if err != nil {
		return bot.Next{}, err
	}
	d.Queue = ""
	if item != nil {
		d.Queue, d.Queued = item.Why, o.Now
	}
	switch {
	case !found && item != nil && o.State != queued:
		return bot.Next{To: queued, Note: fmt.Sprintf("queued as item %d", item.ID)}, nil
	case !found:
		return bot.Next{}, nil
	}
	d.Run, d.Link = run.Number, r.Jenkins.RunURL(d.Job, run.Number)
	return bot.Next{To: comparing, Note: fmt.Sprintf("rebuilt as run %d", run.Number)}, nil
}

func (r Revert) start(ctx context.Context, _ bot.Operation, d *reversion) error {
	var err error
	if d.Replay {
		err = r.Jenkins.Replay(ctx, d.Job, d.Source)
	} else {
		err = r.Jenkins.Rebuild(ctx, d.Job, d.Source, nil)
	}
	var no *bot.Refused
	if errors.As(err, &no) {
		d.Why = bot.T("Jenkins does not let me rebuild run ", bot.To(fmt.Sprint(d.Source), d.Link), ": "+no.Why)
	}
	return err
}

// compare lets the new run come to its input, and to be answered only if it
// carries the very commit that was confirmed: a rebuild need not pin it.
func (r Revert) compare(ctx context.Context, _ bot.Operation, d *reversion) (bot.Next, error) {
	no := func(pieces ...any) (bot.Next, error) {
		d.Why = bot.T(pieces...)
		return bot.Next{To: failed, Note: d.Why.String()}, nil
	}
	env, _ := r.Environments.Named(d.Environment)
	got, err := r.Jenkins.Run(ctx, d.Job, d.Run)
	if err != nil {
		return bot.Next{}, err
	}
	progress, err := r.Jenkins.Stages(ctx, d.Job, d.Run)
	if err != nil {
		return bot.Next{}, err
	}
	d.Stages = rounded(progress.Stages)
	carries, unreadable := env.Pipeline.CommitFrom.Commit(got)
	switch {
	case unreadable == nil && !strings.HasPrefix(d.To, carries):
		return no("Run ", run(d.promotion), ", the rebuild, carries ", bot.Fixed(deploys.Short(carries)), " and not ", bot.Fixed(deploys.Short(d.To)),
			": this job does not pin the commit. I have not let it go on; abort it in Jenkins.")
	case !got.Building:
		return no(ended(d.promotion, got)...)
	}
	inputs, err := r.Jenkins.Inputs(ctx, d.Job, d.Run)
	if err != nil || len(inputs) == 0 {
		return bot.Next{}, err
	}
	if unreadable != nil {
		return no("Run ", run(d.promotion), ", the rebuild, waits, but I cannot tell which commit it carries. I have not let it go on.")
	}
	input, err := env.Pipeline.Promoting(inputs, got, r.Jenkins)
	var refusal *bot.Refusal
	if errors.As(err, &refusal) {
		return no(refusal.Text)
	} else if err != nil {
		return bot.Next{}, err
	}
	d.pause = pauseAt(input, env.Pipeline.ConfirmedBy, len(got.Approvers))
	if d.Unasked != "" {
		return no("Run ", run(d.promotion), " asks for a value of ", bot.Fixed(d.Unasked), " that has no default. I never guess one; answer it in Jenkins.")
	}
	d.Carries = carries
	return bot.Next{To: proceeds, Note: "the rebuild carries " + carries}, nil
}

// verifyAndLock locks the environment once it is back: the next promotion would
// bring out again what was just taken out.
func (r Revert) verifyAndLock(ctx context.Context, o bot.Operation, d *reversion) (bot.Next, error) {
	next, err := r.verify(ctx, o, &d.promotion)
	if next.To == passing { // whoever reverts wants nothing else to be live
		next.To = notLive
	}
	if err != nil || next.To != promoted {
		return next, err
	}
	env, _ := r.Environments.Named(d.Environment)
	by := o.Confirmed().Person
	next.Begin = []bot.Begin{{Kind: "lock", Ref: "revert/" + o.ID + "/lock", First: locked, About: env.Name, Asked: by, Holds: []string{env.LockScope()},
		Data: locking{Environment: env.Name, Reason: "reverted from " + deploys.Short(d.From) + " to " + deploys.Short(d.To)}}}
	return next, nil
}

// askUnknown lets people settle what nobody can see. Until then the revert
// keeps what it holds.
func (r Revert) askUnknown(bot.Operation, reversion) bot.Question {
	return bot.Question{Note: bot.Admins.Title() + " or " + bot.CloudOps.Title() + " can say; if the run shows itself I go on", Buttons: []bot.Button{
		{Verb: didNot, Label: "It was not started", May: stoppers, To: failed, Dialog: "Is no rebuild running or queued in Jenkins?"}}}
}
