package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/integrations/github"
	"thbot/integrations/jenkins"
)

// rebuilding is what Revert needs of Jenkins beside a promotion.
type rebuilding interface {
	promoting
	// Rebuild starts a run again, without values as it was. A [*bot.Refused] is
	// a no; after another error it may have been started.
	Rebuild(ctx context.Context, job string, number int, values []jenkins.Value) error
	// Replay starts a run again with its very scripts and, of a branch's job, its
	// commit. Its errors mean what those of Rebuild do.
	Replay(ctx context.Context, job string, number int) error
	// Rebuildable is what there is to know of a run before either.
	Rebuildable(ctx context.Context, job string, number int) (jenkins.Rebuildable, error)
	// Rebuilt is the run that we have made of that one, with a number of at
	// least since, or what is queued.
	Rebuilt(ctx context.Context, job string, number, since int, me string) (run jenkins.Run, queued *jenkins.Queued, found bool, err error)
}

// Revert brings an earlier build back to production: it rebuilds its run and
// lets that go on, but only if it carries the very same commit. From there on
// it is a promotion like another.
type Revert struct {
	Promote
	Jenkins rebuilding
}

// reversion is what a revert remembers: the promotion of the new run, and how
// that came to be.
type reversion struct {
	promotion
	Source int      // the run that is rebuilt
	Replay bool     // it is replayed instead
	Least  int      // the number that the next run would get when it was confirmed
	Along  string   // the environment that goes there too, since the same run deploys it
	Stays  []string // migrations that stay in the database
	Known  []string // those of which somebody said "I know"

	First  *inFront // a promotion that is to be aborted first
	Waited bool     // for that
	ByHand bot.Text // one that was let go on in Jenkins, as a sentence

	Queue   string    // why the new run has not begun
	Queued  time.Time // when that was seen last
	Waiting []int     // runs that wait for people, and keep it from beginning
	Unblock int       // the one of them that is being aborted
}

// inFront is a promotion that a revert finds running.
type inFront struct {
	Operation string
	What      string // "the promotion of 9f8e7d6, confirmed by ana,"
	Stops     bool   // it is at a point where it can be aborted
}

// The states of a revert, beside those of a promotion.
const (
	rebuild   bot.State = "rebuild"
	comparing bot.State = "compare"
	unknown   bot.State = "unknown" // whether it was rebuilt; people settle it
)

const (
	revertIt  = "revert"
	iKnow     = "know-"
	didNot    = "did-not"
	mostKnown = 4 // [I know] buttons at once; Slack shows five and [Cancel] is one
)

func (r Revert) Info() bot.Info {
	return bot.Info{
		Name: "revert", Aliases: []string{"rollback"},
		Does: "Brings an earlier build back to production.",
		Who:  "anyone can ask; " + bot.Admins.Title() + " or " + bot.CloudOps.Title() + " confirms",
		Args: []bot.Arg{
			{Name: "environment", Doc: "an environment", Example: "prod", Words: r.Environments.Words()},
			{Name: "commit", Doc: "a commit", Example: "445ee07", Optional: true, Check: aCommit},
		},
		Examples: []string{"revert prod", "revert prod 445ee07"},
		Wait:     "Looking at earlier builds…",
		Menu:     "Revert production…", MenuText: "revert production",
	}
}

func (r Revert) Plan(ctx context.Context, q bot.Request) (plan bot.Plan[reversion], err error) {
	env, _ := r.Environments.Named(q.Args["environment"])
	if !env.Promoted() {
		return plan, bot.Refuse(env.Title(), " is not promoted, so there is nothing to revert. "+env.Deploys)
	}
	d := reversion{promotion: promotion{Environment: env.Name, Settings: env.Settings(), Job: env.Pipeline.Job, Stage: env.Pipeline.Stage,
		URL: env.URL, Host: env.Host(), Confirm: env.Confirm}}
	var builds []build
	var e1, e2, e3 error
	var all sync.WaitGroup
	all.Go(func() { d.From, e1 = r.Apps.Version(ctx, env.URL) })
	all.Go(func() { builds, e2 = r.builds(ctx, env) })
	all.Go(func() { e3 = r.first(ctx, env, &d) })
	if all.Wait(); e1 != nil || e2 != nil || e3 != nil {
		return plan, errors.Join(e1, e2, e3)
	}
	ref := q.Args["commit"]
	if ref == "" {
		answer, err := r.menu(ctx, env, d.From, builds)
		if err == nil && d.First != nil {
			answer = answer.Add(bot.Paragraph("⚠ " + title(d.First.What) + " is running; a revert asks to abort it first."))
		}
		return bot.Plan[reversion]{Answer: &answer}, err
	}
	target, _, err := commitOf(ctx, r.GitHub, ref, "I asked nothing.")
	if err != nil {
		return plan, err
	}
	if target == d.From && d.First != nil {
		return plan, bot.Refuse(env.Title(), " still serves ", bot.Fixed(deploys.Short(target)), ", and "+d.First.What+" is running. To keep it from arriving, abort it: ",
			bot.Fixed("/th abort "+env.Name), ". I asked nothing.")
	}
	if target == d.From {
		return plan, bot.Refuse(env.Title(), " serves ", bot.Fixed(deploys.Short(target)), " already, so there is nothing to revert to.")
	}
	at := slices.IndexFunc(builds, func(b build) bool { return deploys.Same(target, b.commit) })
	if at < 0 {
		return plan, bot.Refuse("None of the runs that Jenkins still has deployed ", bot.Fixed(deploys.Short(target)), " to "+env.Name+
			", so I cannot rebuild one and asked nothing. The ones it has: ", bot.Fixed("/th revert "+env.Name), ".")
	}
	if err := r.describeRevert(ctx, env, &d, target, builds[at]); err != nil {
		return plan, err
	}
	scopes := []string{env.Scope()}
	if before, ok := r.Environments.Before(env); ok && before.Pipeline != nil && before.Pipeline.Job == d.Job {
		d.Along = before.Name
		scopes = append(scopes, before.Scope())
	}
	return bot.Plan[reversion]{Begin: &d, First: d.begins(), Asking: "ask/revert/" + env.Name, Scopes: scopes, About: env.Name}, nil
}

// describeRevert fills in what going back to target would mean, or refuses.
func (r Revert) describeRevert(ctx context.Context, env deploys.Environment, d *reversion, target string, b build) error {
	cmp, err := r.GitHub.Compare(ctx, target, d.From)
	if err != nil {
		return err
	}
	if cmp.Status == github.Behind || cmp.Status == github.Identical {
		return bot.Refuse(bot.Fixed(deploys.Short(target)), " is ahead of what "+env.Name+" serves, ", bot.Fixed(deploys.Short(d.From)),
			". That would be a promotion and not a revert, so I asked nothing: ", bot.Fixed("/th deploy "+env.Name+" "+deploys.Short(target)), ".")
	}
	if err := r.rebuildable(ctx, env, b.run); err != nil {
		return err
	}
	d.To, d.Carries, d.Source, d.Replay = target, b.commit, b.run, env.Pipeline.Replay
	d.Run, d.Link = b.run, r.Jenkins.RunURL(d.Job, b.run)
	d.Authors, d.Commits, d.Around, d.Known = nil, nil, nil, nil
	d.Ahead, d.Compare = cmp.Ahead, cmp.URL
	var all []string
	for _, c := range cmp.Commits {
		d.Authors = append(d.Authors, c.Author)
		if len(d.Commits) < shown {
			d.Commits = append(d.Commits, commit{c.SHA, r.GitHub.CommitURL(c.SHA), c.Subject, c.Author})
		}
		all = append(all, c.SHA)
	}
	d.Authors = unique(d.Authors)
	d.Schema = r.Schemas.begin(ctx, all, cmp.Truncated, d.From)
	d.Stays = staying(d.Schema)
	return r.Ledger.View(ctx, func(v bot.View) error {
		stops, err := obstacles(v, env, func(h hold) bool { return h.commit == target })
		for _, s := range stops {
			d.Around = append(d.Around, s.Text)
		}
		return err
	})
}

// rebuildable refuses what Jenkins would not make another of, before anybody
// is asked.
func (r Revert) rebuildable(ctx context.Context, env deploys.Environment, number int) error {
	run := bot.To(fmt.Sprint(number), r.Jenkins.RunURL(env.Pipeline.Job, number))
	can, err := r.Jenkins.Rebuildable(ctx, env.Pipeline.Job, number)
	switch {
	case errors.Is(err, bot.ErrNotFound):
		return bot.Refuse("Jenkins does not have run ", run, " any more, so I cannot rebuild it and asked nothing. The ones it has: ", bot.Fixed("/th revert "+env.Name), ".")
	case err != nil:
		return err
	case !env.Pipeline.Replay && !can.Rebuilder:
		return bot.Refuse("Jenkins has no way to rebuild run ", run, ": the plugin Rebuilder is missing, or may not be used. I asked nothing.")
	case env.Pipeline.Replay && len(can.Secret) > 0:
		return bot.Refuse("Run ", run, " has the password ", bot.Fixed(can.Secret[0]), " as a parameter, and Jenkins replays no such run. I asked nothing.")
	case len(can.Files) > 0:
		return bot.Refuse("Run ", run, " has the file ", bot.Fixed(can.Files[0]), " as a parameter, and nobody knows whether Jenkins still has it. I asked nothing.")
	}
	return nil
}
