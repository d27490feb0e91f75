package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

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
	Since  int      // the number that the next run would get when it was confirmed
	Queue  string   // why the new run has not begun
	Along  string   // the environment that goes there too, since the same run deploys it
	Stays  []string // migrations that stay in the database
	Known  []string // those of which somebody said "I know"
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

// build is an earlier run that deployed the environment.
type build struct {
	run    jenkins.Run
	commit string
}

func (r Revert) Plan(ctx context.Context, q bot.Request) (plan bot.Plan[reversion], err error) {
	env, _ := r.Environments.Named(q.Args["environment"])
	if !env.Promoted() {
		return plan, bot.Refuse(env.Title(), " is not promoted, so there is nothing to revert. "+env.Deploys)
	}
	d := reversion{promotion: promotion{Environment: env.Name, Settings: env.Settings(), Job: env.Pipeline.Job, Stage: env.Pipeline.Stage,
		URL: env.URL, Host: env.Host(), Confirm: env.Confirm}}
	var builds []build
	var e1, e2 error
	var all sync.WaitGroup
	all.Go(func() { d.From, e1 = r.Apps.Version(ctx, env.URL) })
	all.Go(func() { builds, e2 = r.builds(ctx, env) })
	if all.Wait(); e1 != nil || e2 != nil {
		return plan, errors.Join(e1, e2)
	}
	ref := q.Args["commit"]
	if ref == "" {
		answer, err := r.menu(ctx, env, d.From, builds)
		return bot.Plan[reversion]{Answer: &answer}, err
	}
	target, _, err := commitOf(ctx, r.GitHub, ref, "I asked nothing.")
	if err != nil {
		return plan, err
	}
	if target == d.From {
		return plan, bot.Refuse(env.Title(), " serves ", bot.Fixed(deploys.Short(target)), " already, so there is nothing to revert to.")
	}
	at := slices.IndexFunc(builds, func(b build) bool { return strings.HasPrefix(target, b.commit) })
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
	first := asking
	if !d.Schema.Told {
		first = preparing
	}
	return bot.Plan[reversion]{Begin: &d, First: first, Asking: "ask/revert/" + env.Name, Scopes: scopes, About: env.Name}, nil
}

// builds are the runs that deployed env, the newest first.
func (r Revert) builds(ctx context.Context, env deploys.Environment) ([]build, error) {
	runs, err := r.Jenkins.Runs(ctx, env.Pipeline.Job)
	if err != nil {
		return nil, err
	}
	var found []build
	for _, run := range runs.Runs {
		if run.Building || run.Result != jenkins.Success {
			continue
		}
		commit, err := env.Pipeline.CommitFrom.Commit(run)
		if err != nil {
			continue // which commit it carries cannot be told, so nobody can want it
		}
		progress, err := r.Jenkins.Stages(ctx, env.Pipeline.Job, run.Number)
		if err != nil {
			return nil, err
		}
		if s, ok := deploys.Stage(progress, env.Pipeline.Stage); ok && s.Status == jenkins.StageSuccess {
			found = append(found, build{run, commit})
		}
	}
	return found, nil
}

// mostBuilds is how many earlier builds are offered.
const mostBuilds = 5

// menu offers earlier builds: the one that was live before first.
func (r Revert) menu(_ context.Context, env deploys.Environment, live string, builds []build) (bot.Card, error) {
	var offers []build
	for _, b := range builds {
		known := slices.ContainsFunc(offers, func(o build) bool { return o.commit == b.commit })
		if !strings.HasPrefix(live, b.commit) && !known && len(offers) < mostBuilds {
			offers = append(offers, b)
		}
	}
	card := bot.Say(env.Title()+" serves ", bot.Fixed(deploys.Short(live)), ".")
	if len(offers) == 0 {
		return card.Add(bot.Paragraph("Jenkins has no earlier run that deployed it, so there is nothing to revert to. Nothing was done.")), nil
	}
	list := bot.Part{Kind: bot.List}
	row := bot.Part{Kind: bot.Actions}
	for i, b := range offers {
		when := b.run.Started.Add(b.run.Duration)
		item := bot.T(bot.Fixed(deploys.Short(b.commit)), " deployed by run ", bot.To(fmt.Sprint(b.run.Number), r.Jenkins.RunURL(env.Pipeline.Job, b.run.Number)), ", until ", bot.Date(when))
		if len(b.run.Approvers) > 0 {
			item = append(item, bot.Span{Text: ", let go on by " + b.run.Approvers[len(b.run.Approvers)-1]})
		}
		list.Items = append(list.Items, item)
		button := bot.CardButton{Label: "Back to " + deploys.Short(b.commit) + "…", Verb: bot.VerbSay, Value: "revert " + env.Name + " " + b.commit}
		if i == 0 {
			button.Tone = bot.Primary
		}
		row.Buttons = append(row.Buttons, button)
	}
	return card.Add(list, row, bot.SmallPrint("Each asks before anything is done.")), nil
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
	d.To, d.Carries, d.Source = target, b.commit, b.run.Number
	d.Run, d.Link = b.run.Number, r.Jenkins.RunURL(d.Job, b.run.Number)
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
