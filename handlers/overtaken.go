package handlers

import (
	"context"
	"fmt"
	"strings"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/integrations/jenkins"
)

// deployed is a stage of a run that has succeeded.
type deployed struct {
	Environment string
	Job, Stage  string
	Run         int
	Commit      string
	Ended       time.Time // by Jenkins' clock
}

// later is what was deployed to the same environment after something else, so
// that nobody can see any more what that did; the zero value: nothing.
type later struct {
	Run    int // 0: it is not known
	Commit string
	Ended  time.Time
}

func (l later) text() bot.Text {
	t := bot.T(", and then ", short(l.Commit))
	if l.Run != 0 {
		t = append(t, bot.Span{Text: " by run " + fmt.Sprint(l.Run)})
	}
	return append(t, bot.Span{Text: "."})
}

// then is what was deployed after d, as far as is known.
func (d deployed) then(v bot.View) (after later, read time.Time, err error) {
	job, err := deploys.JobIn(v, d.Job)
	if err != nil {
		return after, read, err
	}
	app, err := deploys.AppIn(v, d.Environment)
	if err != nil {
		return after, read, err
	}
	// What the app has served since may be of a run that is known no more.
	if app.Since.After(d.Ended) && app.Commit != "" && !strings.HasPrefix(app.Commit, d.Commit) {
		after = later{Commit: app.Commit, Ended: app.Since}
	}
	for _, run := range job.Runs {
		s, begun := run.Stage(d.Stage)
		if !begun || s.Status != jenkins.StageSuccess || run.Number == d.Run {
			continue
		}
		ended := s.Started.Add(s.Duration)
		serves := after.Run == 0 && run.Commit != "" && strings.HasPrefix(after.Commit, run.Commit)
		switch {
		case ended.After(d.Ended) && (after.Run == 0 || ended.After(after.Ended)):
			after = later{run.Number, run.Commit, ended}
		case serves && !ended.After(d.Ended):
			after = later{} // it was slow, and is not later
		}
	}
	return after, job.Read, nil
}

// notServed says where an operation goes of which the app does not serve what
// was deployed: another deploy came after it, or the time for it is up. Neither
// is known before the job has been read, since no bot may have been running
// meanwhile; until then the operation stays where it is. Wrong is why the app
// did not answer.
func notServed(ctx context.Context, ledger reading, o bot.Operation, d deployed, times Times, wrong error) (after later, to bot.State, err error) {
	var read time.Time
	err = ledger.View(ctx, func(v bot.View) error {
		after, read, err = d.then(v)
		return err
	})
	limit := o.Entered.Add(times.NotLive)
	switch {
	case err != nil:
		return after, "", err
	case after != later{}:
		return after, passing, nil
	case !o.Now.Before(limit) && !read.Before(limit):
		return after, notLive, nil
	}
	return after, "", wrong
}
