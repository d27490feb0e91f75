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
	"thbot/integrations/jenkins"
)

// WatchJob reads a Jenkins job again and again, notes it as the snapshot, and
// begins an announcement for each deploy that it finds: those that nobody asked
// for, those that somebody let go on in Jenkins, and those that happened while
// no bot was running.
type WatchJob struct {
	Environments deploys.Environments
	Jenkins      promoting
	Times        Times
}

// watching is the one state of everything that is watched.
const watching bot.State = "watch"

const (
	// unreachable is how long a system gives no usable answer before that is told.
	unreachable = 10 * time.Minute
	// much is how many runs that ended unseen are told in a single message.
	much = 3
	// mostUnlisted is how many runs are kept in view that wait for so long that
	// Jenkins lists them no more.
	mostUnlisted = 50
)

func (WatchJob) Info() bot.Info { return bot.Info{Name: "watch-job", Hidden: true} }

func (WatchJob) Plan(context.Context, bot.Request) (bot.Plan[deploys.Job], error) {
	return bot.Plan[deploys.Job]{}, errUntyped
}

func (w WatchJob) Standing() (all []bot.Begin) {
	for _, env := range w.Environments {
		if env.Pipeline == nil {
			continue
		}
		job := env.Pipeline.Job
		all = append(all, bot.Begin{Kind: w.Info().Name, Ref: deploys.JobScope(job), First: watching, About: job,
			Data: deploys.Job{Name: job}, Holds: []string{deploys.JobScope(job)}})
	}
	return all
}

func (w WatchJob) Steps() map[bot.State]bot.Step[deploys.Job] {
	return map[bot.State]bot.Step[deploys.Job]{watching: {Look: w.look, Every: w.Times.Follow}}
}

func (WatchJob) Card(bot.Operation, deploys.Job) bot.Card { return bot.Card{} }

func (w WatchJob) look(ctx context.Context, o bot.Operation, d *deploys.Job) (bot.Next, error) {
	runs, err := w.Jenkins.Runs(ctx, d.Name)
	var fresh []deploys.Run
	if err == nil {
		fresh, err = w.read(ctx, d, runs)
	}
	if err != nil {
		if d.Failing.IsZero() {
			d.Failing = o.Now
		}
		next := bot.Next{Wrong: err, Every: w.Times.Follow}
		if !d.Alarmed && o.Now.Sub(d.Failing) >= unreachable {
			d.Alarmed = true
			next.Say = []bot.Post{alarm(alarmJenkins, "away-"+stamp(o.Now), "⚠ Jenkins has given no usable answer about "+d.Name+" since ", bot.Time(d.Failing),
				". Deploys that happen meanwhile are told when it is back.")}
		}
		return next, nil
	}
	next := bot.Next{Every: w.Times.Watch} // a run that waits at an input does not move
	if d.Alarmed {
		next.Say = append(next.Say, alarm(alarmJenkins, "back-"+stamp(o.Now), "Jenkins answers again about "+d.Name+"; it did not since ", bot.Time(d.Failing), "."))
	}
	d.Failing, d.Alarmed = time.Time{}, false
	w.found(o, d, fresh, runs, &next)
	if slices.ContainsFunc(fresh, func(r deploys.Run) bool { return r.Building && !r.Paused }) {
		next.Every = w.Times.Follow
	}
	return next, nil
}

// read completes a job's newest runs with the stages of those that move, and
// adds those that wait for long.
func (w WatchJob) read(ctx context.Context, d *deploys.Job, runs jenkins.Runs) ([]deploys.Run, error) {
	var fresh []deploys.Run
	for _, r := range runs.Runs {
		run, err := w.complete(ctx, *d, r)
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, run)
	}
	return w.unlisted(ctx, d, fresh)
}

func (w WatchJob) complete(ctx context.Context, d deploys.Job, r jenkins.Run) (deploys.Run, error) {
	known, had := d.Run(r.Number)
	run := deploys.Run{Number: r.Number, Building: r.Building, Result: r.Result, Started: r.Started, Duration: r.Duration,
		Approvers: r.Approvers, Interruptions: r.Interruptions, StartedBy: r.StartedBy().User, Stages: known.Stages, Paused: known.Paused}
	if env, ok := w.pipeline(d.Name); ok {
		run.Commit, _ = env.Pipeline.CommitFrom.Commit(r) // what cannot be told is announced so
	}
	// A run that waits is asked about its stages again only when something
	// about it has changed. After a restart it may have been lost.
	resting := had && known.Building == r.Building && known.Paused && len(known.Approvers) == len(r.Approvers) && d.Session == r.Session
	over := had && !known.Building && !r.Building
	old := !had && d.Read.IsZero() && !r.Building
	if resting || over || old {
		return run, nil
	}
	progress, err := w.Jenkins.Stages(ctx, d.Name, r.Number)
	if err != nil {
		return run, err
	}
	run.Stages = progress.Stages
	run.Paused = r.Building && progress.Status == jenkins.StagePaused
	return run, nil
}

// unlisted adds to the newest runs those that were pushed out of Jenkins' list
// and are not over. They only wait, so every second look reads one of them anew.
func (w WatchJob) unlisted(ctx context.Context, d *deploys.Job, fresh []deploys.Run) ([]deploys.Run, error) {
	if len(fresh) == 0 {
		return fresh, nil
	}
	oldest := fresh[len(fresh)-1].Number
	off := slices.DeleteFunc(slices.Clone(d.Runs), func(r deploys.Run) bool { return r.Ended() || r.Number >= oldest })
	off = off[:min(len(off), mostUnlisted)]
	d.Looks++
	if i := d.Looks / 2; len(off) > 0 && d.Looks%2 == 0 {
		i %= len(off)
		r, err := w.Jenkins.Run(ctx, d.Name, off[i].Number)
		switch {
		case errors.Is(err, bot.ErrNotFound):
			off = slices.Delete(off, i, i+1)
		case err != nil:
			return nil, err
		default:
			if off[i], err = w.complete(ctx, *d, r); err != nil {
				return nil, err
			}
		}
	}
	return append(fresh, off...), nil
}

// pipeline is an environment that the job deploys.
func (w WatchJob) pipeline(job string) (deploys.Environment, bool) {
	for _, env := range w.Environments {
		if env.Pipeline != nil && env.Pipeline.Job == job {
			return env, true
		}
	}
	return deploys.Environment{}, false
}

// found compares what was read with what was known, and begins what follows.
func (w WatchJob) found(o bot.Operation, d *deploys.Job, fresh []deploys.Run, runs jenkins.Runs, next *bot.Next) {
	first := d.Read.IsZero()
	unseen := 0 // further runs, which Jenkins lists no more
	if n := len(runs.Runs); !first && n > 0 {
		unseen = max(0, runs.Runs[n-1].Number-d.Seen-1)
	}
	var missed []deploys.Run
	for _, r := range slices.Backward(fresh) { // the oldest first, as it happened
		known, had := d.Run(r.Number)
		isNew := r.Number > d.Seen
		if isNew && !first && r.Ended() {
			missed = append(missed, r)
		}
		for _, env := range w.Environments {
			if env.Pipeline == nil || env.Pipeline.Job != d.Name {
				continue
			}
			stage, _ := r.Stage(env.Pipeline.Stage)
			switch byHand := len(r.Approvers) > len(known.Approvers); {
			case !env.Promoted() && isNew && (!first || r.Building && stage.Status != jenkins.StageSuccess):
				next.Begin = append(next.Begin, w.begin(env, r, ""))
			case env.Promoted() && byHand && (!first || r.Building) && (had || isNew):
				next.Begin = append(next.Begin, w.begin(env, r, r.Approvers[len(r.Approvers)-1]))
			}
		}
	}
	w.inARow(o, d, fresh, next)
	if len(missed) > much || unseen > 0 {
		next.Say = append(next.Say, w.condensed(o, *d, missed, unseen))
		next.Begin = slices.DeleteFunc(next.Begin, func(b bot.Begin) bool {
			run := b.Data.(*rollout).Run
			return slices.ContainsFunc(missed, func(r deploys.Run) bool { return r.Number == run })
		})
	}
	for _, r := range fresh {
		d.Seen = max(d.Seen, r.Number)
	}
	d.Runs, d.Read, d.Session = fresh, o.Now, runs.Session
}

// row is how many runs have to fail one after the other before that is told.
const row = 3

// inARow tells once that runs keep failing. What somebody aborted says nothing.
func (w WatchJob) inARow(o bot.Operation, d *deploys.Job, fresh []deploys.Run, next *bot.Next) {
	n := 0
	for _, r := range fresh {
		if r.Building || r.Result != jenkins.Failure && r.Result != jenkins.Success {
			continue
		}
		if r.Result == jenkins.Success {
			break
		}
		n++
	}
	if n >= row && !d.InARow && !d.Read.IsZero() {
		next.Say = append(next.Say, alarm(alarmFailures, "row-"+stamp(o.Now), fmt.Sprintf("⚠ The last %d runs of ", n), bot.To(d.Name, w.Jenkins.JobURL(d.Name)), " that ended have all failed."))
	}
	d.InARow = n >= row
}

// begin announces that a run deploys env; by is who let it go on in Jenkins, if
// somebody had to.
func (w WatchJob) begin(env deploys.Environment, r deploys.Run, by string) bot.Begin {
	d := &rollout{Environment: env.Name, Job: env.Pipeline.Job, Stage: env.Pipeline.Stage, URL: env.URL, Host: env.Host(),
		Run: r.Number, Link: w.Jenkins.RunURL(env.Pipeline.Job, r.Number), Commit: r.Commit, By: by, StartedBy: r.StartedBy}
	return bot.Begin{Kind: "rollout", Ref: fmt.Sprintf("rollout/%s/%d/%s", env.Pipeline.Job, r.Number, env.Name), First: rolling(by),
		About: env.Name, Data: d, Unless: func(v bot.View) (bool, error) {
			app, err := deploys.AppIn(v, env.Name)
			if err != nil {
				return false, err
			}
			d.From = app.Commit
			stage, begun := r.Stage(d.Stage)
			if begun && r.Commit != "" && deploys.Same(r.Commit, app.Commit) && app.Since.After(stage.Started) {
				d.From = app.Before // it is there already, by this
			}
			if by == "" {
				return false, nil
			}
			if promoter, err := ours(v, env.Name, r.Number); err != nil || promoter == sure {
				return promoter == sure, err
			}
			stops, err := obstacles(v, env, func(h hold) bool { return h.commit == r.Commit })
			for _, s := range stops {
				d.Under = append(d.Under, s.Text)
			}
			d.Owners = owners(stops)
			return false, err
		}}
}

// condensed tells of many runs at once, and of those that nothing is known of.
func (w WatchJob) condensed(o bot.Operation, d deploys.Job, missed []deploys.Run, unseen int) bot.Post {
	card := bot.Say("While I did not watch, " + bot.Count(len(missed), "run", "runs") + " of " + d.Name + " ended:")
	if len(missed) == 0 {
		card = bot.Say("While I did not watch, there were more runs of " + d.Name + " than Jenkins lists.")
	}
	list := bot.Part{Kind: bot.List}
	for _, r := range missed {
		list.Items = append(list.Items, bot.T("Run ", bot.To(fmt.Sprint(r.Number), w.Jenkins.RunURL(d.Name, r.Number)), " of ",
			bot.Fixed(deploys.Short(r.Commit)), " ended with "+strings.Join(append([]string{r.Result}, r.Interruptions...), "; ")))
	}
	if unseen > 0 {
		list.Items = append(list.Items, bot.T(fmt.Sprintf("I know nothing of what came before these, runs %d to %d", d.Seen+1, d.Seen+unseen)))
	}
	return bot.Post{Key: "missed-" + stamp(o.Now), Class: bot.Final, Card: card.Add(list)}
}

// alarm tells the channel that something is wrong that nobody asked about,
// unless alarms of that name are muted.
func alarm(name, key string, pieces ...any) bot.Post {
	return bot.Post{Key: key, Class: bot.Final, Card: bot.Say(pieces...), Unless: muteScopes + name}
}

// stamp makes keys of what can be told again at another time.
func stamp(t time.Time) string { return t.UTC().Format("20060102T150405") }
