package handlers

import (
	"context"
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
		fresh, err = w.read(ctx, *d, runs)
	}
	if err != nil {
		if d.Failing.IsZero() {
			d.Failing = o.Now
		}
		next := bot.Next{Wrong: err, Every: w.Times.Follow}
		if !d.Alarmed && o.Now.Sub(d.Failing) >= unreachable {
			d.Alarmed = true
			next.Say = []bot.Post{alarm("away-"+stamp(o.Now), "⚠ Jenkins has given no usable answer about "+d.Name+" since ", bot.Time(d.Failing),
				". Deploys that happen meanwhile are told when it is back.")}
		}
		return next, nil
	}
	next := bot.Next{Every: w.Times.Watch} // a run that waits at an input does not move
	if d.Alarmed {
		next.Say = append(next.Say, alarm("back-"+stamp(o.Now), "Jenkins answers again about "+d.Name+"; it did not since ", bot.Time(d.Failing), "."))
	}
	d.Failing, d.Alarmed = time.Time{}, false
	w.found(o, d, fresh, runs, &next)
	if slices.ContainsFunc(fresh, func(r deploys.Run) bool { return r.Building && !r.Paused }) {
		next.Every = w.Times.Follow
	}
	return next, nil
}

// read completes a job's newest runs with the stages of those that move.
func (w WatchJob) read(ctx context.Context, d deploys.Job, runs jenkins.Runs) ([]deploys.Run, error) {
	var fresh []deploys.Run
	for _, r := range runs.Runs {
		known, had := d.Run(r.Number)
		run := deploys.Run{Number: r.Number, Building: r.Building, Result: r.Result, Started: r.Started, Duration: r.Duration,
			Approvers: r.Approvers, Interruptions: r.Interruptions, StartedBy: r.StartedBy().User, Stages: known.Stages, Paused: known.Paused}
		if env, ok := w.pipeline(d.Name); ok {
			run.Commit, _ = env.Pipeline.CommitFrom.Commit(r) // what cannot be told is announced so
		}
		// A run that waits is asked about its stages again only when something
		// about it has changed. After a restart it may have been lost.
		resting := had && known.Building == r.Building && known.Paused && len(known.Approvers) == len(r.Approvers) && d.Session == runs.Session
		over := had && !known.Building && !r.Building
		old := !had && d.Read.IsZero() && !r.Building
		if !resting && !over && !old {
			progress, err := w.Jenkins.Stages(ctx, d.Name, r.Number)
			if err != nil {
				return nil, err
			}
			run.Stages = progress.Stages
			run.Paused = r.Building && progress.Status == jenkins.StagePaused
		}
		fresh = append(fresh, run)
	}
	return fresh, nil
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
			switch byHand := len(r.Approvers) > len(known.Approvers); {
			case !env.Promoted() && isNew && (!first || r.Building && !r.Paused):
				next.Begin = append(next.Begin, w.begin(env, r, ""))
			case env.Promoted() && byHand && (!first || r.Building) && (had || isNew):
				next.Begin = append(next.Begin, w.begin(env, r, r.Approvers[len(r.Approvers)-1]))
			}
		}
	}
	w.inARow(o, d, fresh, next)
	if len(missed) > much {
		next.Say = append(next.Say, w.condensed(o, d.Name, missed))
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
		next.Say = append(next.Say, alarm("row-"+stamp(o.Now), fmt.Sprintf("⚠ The last %d runs of ", n), bot.To(d.Name, w.Jenkins.JobURL(d.Name)), " that ended have all failed."))
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
			if by == "" {
				return false, nil
			}
			ours, err := isOurs(v, env, r.Number)
			if err != nil || ours {
				return ours, err
			}
			stops, err := obstacles(v, env, func(h hold) bool { return h.commit == r.Commit })
			for _, s := range stops {
				d.Under = append(d.Under, s.Text)
			}
			d.Owners = owners(stops)
			return false, err
		}}
}

// condensed tells of many runs at once.
func (w WatchJob) condensed(o bot.Operation, job string, missed []deploys.Run) bot.Post {
	card := bot.Say(fmt.Sprintf("While I did not watch, %d runs of %s ended:", len(missed), job))
	list := bot.Part{Kind: bot.List}
	for _, r := range missed {
		list.Items = append(list.Items, bot.T("Run ", bot.To(fmt.Sprint(r.Number), w.Jenkins.RunURL(job, r.Number)), " of ",
			bot.Fixed(deploys.Short(r.Commit)), " ended with "+strings.Join(append([]string{r.Result}, r.Interruptions...), "; ")))
	}
	return bot.Post{Key: "missed-" + stamp(o.Now), Class: bot.Final, Card: card.Add(list)}
}

// alarm tells the channel that something is wrong that nobody asked about.
func alarm(key string, pieces ...any) bot.Post {
	return bot.Post{Key: key, Class: bot.Final, Card: bot.Say(pieces...)}
}

// stamp makes keys of what can be told again at another time.
func stamp(t time.Time) string { return t.UTC().Format("20060102T150405") }
