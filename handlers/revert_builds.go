package handlers

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/integrations/jenkins"
)

// build is a run that deployed the environment.
type build struct {
	run    int
	commit string // as the run has it, which may be short
	when   time.Time
	until  time.Time // zero: nothing is known to have come after it
	who    string    // let it go on; empty: not known
}

const (
	// mostBuilds is how many earlier builds are offered.
	mostBuilds = 5
	// mostRecorded is how many deployments are looked through for them.
	mostRecorded = 50
)

// builds are the runs that deployed env, the newest first: what the bot itself
// has noted, which reaches back further, and what Jenkins lists.
func (r Revert) builds(ctx context.Context, env deploys.Environment) ([]build, error) {
	var runs jenkins.Runs
	var notListed error
	var recorded []build
	var known deploys.Job
	var all sync.WaitGroup
	all.Go(func() { runs, notListed = r.Jenkins.Runs(ctx, env.Pipeline.Job) })
	err := r.Ledger.View(ctx, func(v bot.View) (err error) {
		if known, err = deploys.JobIn(v, env.Pipeline.Job); err != nil {
			return err
		}
		recorded, err = noted(v, env)
		return err
	})
	if all.Wait(); err != nil || notListed != nil {
		return nil, errors.Join(err, notListed)
	}
	listed := make([]*build, len(runs.Runs))
	reads, rctx := errgroup.WithContext(ctx)
	reads.SetLimit(4)
	for i, run := range runs.Runs {
		if run.Building || run.Result != jenkins.Success {
			continue
		}
		commit, err := env.Pipeline.CommitFrom.Commit(run)
		if err != nil {
			continue // which commit it carries cannot be told, so nobody can want it
		}
		reads.Go(func() error {
			seen, _ := known.Run(run.Number)
			stage, ok := seen.Stage(env.Pipeline.Stage)
			if !ok {
				progress, err := r.Jenkins.Stages(rctx, env.Pipeline.Job, run.Number)
				if err != nil {
					return err
				}
				stage, ok = deploys.Stage(progress, env.Pipeline.Stage)
			}
			if ok && stage.Status == jenkins.StageSuccess {
				listed[i] = &build{run: run.Number, commit: commit, when: run.Started.Add(run.Duration)}
				if n := len(run.Approvers); n > 0 {
					listed[i].who = run.Approvers[n-1] + " in Jenkins"
				}
			}
			return nil
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	found := recorded
	for _, b := range listed {
		if b != nil && !slices.ContainsFunc(recorded, func(o build) bool { return o.run == b.run }) {
			found = append(found, *b)
		}
	}
	slices.SortStableFunc(found, func(a, b build) int { return cmp.Or(b.when.Compare(a.when), b.run-a.run) })
	for i := 1; i < len(found); i++ {
		found[i].until = found[i-1].when
	}
	return found, nil
}

// noted are the deployments to env that ended with the app serving them.
func noted(v bot.View, env deploys.Environment) (all []build, err error) {
	done, err := v.History(bot.History{Kinds: []string{"deploy", "revert", "rollout"}, About: env.Name, Limit: mostRecorded})
	for _, o := range done {
		b := build{when: o.Entered}
		switch {
		case o.End != bot.Done:
			continue
		case o.Kind == "rollout":
			var d rollout
			if err := json.Unmarshal(o.Data, &d); err != nil {
				return nil, fmt.Errorf("reading announcement %s: %w", o.ID, err)
			}
			b.run, b.commit = d.Run, d.Commit
			if d.By != "" {
				b.who = d.By + " in Jenkins"
			}
		default:
			d, err := remembered(o)
			if err != nil {
				return nil, err
			}
			if d.Job != env.Pipeline.Job {
				continue
			}
			b.run, b.commit, b.who = d.Run, d.To, names(o.Confirmers())
		}
		if b.commit != "" {
			all = append(all, b)
		}
	}
	return all, err
}

// menu offers earlier builds: the one that was live before first.
func (r Revert) menu(ctx context.Context, env deploys.Environment, live string, builds []build) (bot.Card, error) {
	var offers []build
	for _, b := range builds {
		if len(offers) == mostBuilds {
			break
		}
		known := slices.ContainsFunc(offers, func(o build) bool { return deploys.Same(o.commit, b.commit) })
		if known || deploys.Same(live, b.commit) {
			continue
		}
		// What Jenkins has deleted cannot be rebuilt.
		if _, err := r.Jenkins.Run(ctx, env.Pipeline.Job, b.run); errors.Is(err, bot.ErrNotFound) {
			continue
		} else if err != nil {
			return bot.Card{}, err
		}
		offers = append(offers, b)
	}
	card := bot.Say(env.Title()+" serves ", bot.Fixed(deploys.Short(live)), ".")
	if len(offers) == 0 {
		return card.Add(bot.Paragraph("Jenkins has no earlier run that deployed it, so there is nothing to revert to. Nothing was done.")), nil
	}
	list, row := bot.Part{Kind: bot.List}, bot.Part{Kind: bot.Actions}
	for i, b := range offers {
		list.Items = append(list.Items, r.offer(ctx, env, b))
		button := bot.CardButton{Label: "Back to " + deploys.Short(b.commit) + "…", Verb: bot.VerbSay, Value: "revert " + env.Name + " " + b.commit}
		if i == 0 {
			button.Tone = bot.Primary
		}
		row.Buttons = append(row.Buttons, button)
	}
	return card.Add(list, row, bot.SmallPrint("Each asks before anything is done.")), nil
}

// offer is a line of the menu: the commit, when it came, by whom, and how long
// it stayed.
func (r Revert) offer(ctx context.Context, env deploys.Environment, b build) bot.Text {
	t := bot.T(bot.Fixed(deploys.Short(b.commit)))
	if c, err := r.GitHub.Commit(ctx, b.commit); err == nil { // only decorates
		t = append(t, bot.Span{Text: " " + c.Subject})
	}
	t = append(t, bot.T(" — since ", bot.Date(b.when))...)
	if lived := b.until.Sub(b.when); !b.until.IsZero() && lived > 0 {
		t = append(t, bot.Span{Text: ", for " + bot.Length(lived.Truncate(time.Minute))})
	}
	if b.who != "" {
		t = append(t, bot.Span{Text: ", let go on by " + b.who})
	}
	return append(t, bot.T(", run ", bot.To(fmt.Sprint(b.run), r.Jenkins.RunURL(env.Pipeline.Job, b.run)))...)
}
