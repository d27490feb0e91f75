package deploys

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"thbot/bot"
	"thbot/integrations/jenkins"
)

// Jenkins is what reading a pipeline needs of Jenkins. None of its errors says
// anything about a run: it may be asked again.
type Jenkins interface {
	// Runs returns the newest runs, newest first.
	Runs(ctx context.Context, job string) (jenkins.Runs, error)
	// Run returns an error wrapping [bot.ErrNotFound] when there is no such run,
	// or Jenkins does not show it.
	Run(ctx context.Context, job string, number int) (jenkins.Run, error)
	// Inputs are what a run waits for; none when it waits for nothing.
	Inputs(ctx context.Context, job string, number int) ([]jenkins.Input, error)
	Stages(ctx context.Context, job string, number int) (jenkins.Progress, error)
	RunURL(job string, number int) string
}

// Waiting is a run of a pipeline that waits to be promoted.
type Waiting struct {
	Run    jenkins.Run
	Commit string
	Input  jenkins.Input
}

// Candidates is what a pipeline has to offer.
type Candidates struct {
	Promotable *Waiting      // what was looked for, if it waits
	Building   []jenkins.Run // unfinished runs that do not wait
	Runs       []jenkins.Run
}

// Candidates looks for the newest run that waits for the promoting input, or
// with a commit for that commit's. A run that waits but whose commit or input
// cannot be told is a refusal: nothing is guessed.
func (p Pipeline) Candidates(ctx context.Context, j Jenkins, commit string) (Candidates, error) {
	runs, err := j.Runs(ctx, p.Job)
	if err != nil {
		return Candidates{}, err
	}
	c := Candidates{Runs: runs.Runs}
	for _, run := range runs.Runs {
		if !run.Building {
			continue
		}
		carries, unreadable := p.CommitFrom.Commit(run)
		if commit != "" && (unreadable != nil || !Same(commit, carries)) {
			continue
		}
		inputs, err := j.Inputs(ctx, p.Job, run.Number)
		if err != nil {
			return c, err
		}
		if len(inputs) == 0 {
			c.Building = append(c.Building, run)
			continue
		}
		if unreadable != nil {
			return c, bot.Refuse("Run ", bot.To(fmt.Sprint(run.Number), j.RunURL(p.Job, run.Number)),
				" waits in Jenkins, but I cannot tell which commit it carries, so I asked nothing.")
		}
		input, err := p.Promoting(inputs, run, j)
		if err != nil {
			return c, err
		}
		c.Promotable = &Waiting{Run: run, Commit: carries, Input: input}
		return c, nil
	}
	return c, nil
}

// Promoting is the input among those of a run that promotes it, or a refusal:
// nothing is guessed.
func (p Pipeline) Promoting(inputs []jenkins.Input, run jenkins.Run, j Jenkins) (jenkins.Input, error) {
	if p.Input == "" && len(inputs) == 1 {
		return inputs[0], nil
	}
	for _, in := range inputs {
		if p.Input != "" && in.ID == p.Input {
			return in, nil
		}
	}
	var asks []string
	for _, in := range inputs {
		asks = append(asks, "“"+in.Message+"”")
	}
	return jenkins.Input{}, bot.Refuse("Run ", bot.To(fmt.Sprint(run.Number), j.RunURL(p.Job, run.Number)),
		" waits for "+strings.Join(asks, " and ")+", and the configuration does not say which of them promotes, so I asked nothing.")
}

// Usual is how long the deploying stage took in the newest run that succeeded;
// 0 if there is none among the runs.
func (p Pipeline) Usual(ctx context.Context, j Jenkins, runs []jenkins.Run) (time.Duration, error) {
	for _, run := range runs {
		if run.Building || run.Result != jenkins.Success {
			continue
		}
		progress, err := j.Stages(ctx, p.Job, run.Number)
		if err != nil {
			return 0, err
		}
		if s, ok := Stage(progress, p.Stage); ok && s.Status == jenkins.StageSuccess {
			return (s.Duration - s.Pause).Round(time.Second), nil
		}
	}
	return 0, nil
}

// Stage is the stage of that name. A name can stand twice in a run; the later
// one counts.
func Stage(progress jenkins.Progress, name string) (jenkins.Stage, bool) {
	for _, s := range slices.Backward(progress.Stages) {
		if s.Name == name {
			return s, true
		}
	}
	return jenkins.Stage{}, false
}

// Same reports whether two commits, each at least seven digits of it, can be
// the same one.
func Same(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }
