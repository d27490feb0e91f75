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
	"thbot/integrations/github"
	"thbot/integrations/jenkins"
)

// Rollout announces a deploy that nobody confirmed here: one that an
// environment makes by itself, or a promotion that somebody let go on in
// Jenkins. It is begun by what watches the job, and reads what that notes.
type Rollout struct {
	Environments deploys.Environments
	Jenkins      promoting
	GitHub       history
	Apps         apps
	Ledger       reading
	Who          *Who
	Times        Times
}

// rollout is what an announcement remembers.
type rollout struct {
	Environment string
	Job, Stage  string
	URL, Host   string
	Run         int
	Link        string
	Commit      string       // as the run has it, then in full; empty: it cannot be told
	From        string       // what was live when it began; empty: not known
	By          string       // who let it go on in Jenkins
	StartedBy   string       // who started the run by hand
	Under       []bot.Text   // the lock, holds and freezes it went past
	Owners      []bot.Person // of these

	Stages  []jenkins.Stage
	Ended   time.Time // when the stage was over, by Jenkins' clock
	Seen    int       // answers of the app in a row that named Commit
	Serves  string    // what it answered last
	After   later
	Ahead   int
	Back    int // how many commits it takes out instead
	Authors []string
	People  []author // the same, with who is to be mentioned
	Compare string
	Newer   int  // a run that waits, too, and is newer
	Old     bool // that it waits for long was told
	Slow    bool // so was that it takes long
	Log     []string
	Why     bot.Text
}

// The states of an announcement, beside those that it shares with a promotion.
const (
	building bot.State = "building" // of a deploy that begins by itself: nothing is said yet
	whose    bot.State = "whose"    // of one that was let go on: perhaps by a promotion that does not know it yet
	live     bot.State = "live"     // and its run waits to be promoted
	arrived  bot.State = "deployed"
	settled  bot.State = "settled" // the run that waited does not any more
	passing  bot.State = "passing" // it was deployed, and another run after it
	dropped  bot.State = "dropped" // it never came to deploying; that is no news
)

func rolling(by string) bot.State {
	if by == "" {
		return building
	}
	return whose
}

func (Rollout) Info() bot.Info { return bot.Info{Name: "rollout", Hidden: true} }

func (Rollout) Plan(context.Context, bot.Request) (bot.Plan[rollout], error) {
	return bot.Plan[rollout]{}, errUntyped
}

func (r Rollout) Steps() map[bot.State]bot.Step[rollout] {
	return map[bot.State]bot.Step[rollout]{
		building:  {Look: r.follow, Every: r.Times.Follow},
		whose:     {Look: r.whose, Every: r.Times.Live},
		following: {Look: r.follow, Every: r.Times.Follow, Shows: true, Say: r.sayUnder},
		verifying: {Look: r.verify, Every: r.Times.Live},
		live:      {Look: r.waits, Every: r.Times.Follow, Shows: true, Say: r.sayElsewhere},
		arrived:   {End: bot.Done, Shows: true, Say: r.sayEnd},
		passing:   {End: bot.Done, Shows: true, Say: r.sayEnd},
		settled:   {End: bot.Done},
		dropped:   {End: bot.Outdated},
		failed:    {End: bot.Failed, Shows: true, Say: r.sayEnd},
		notLive:   {End: bot.Failed, Shows: true, Say: r.sayEnd},
		gone:      {End: bot.Failed, Shows: true, Say: r.sayEnd},
	}
}

// run is what is known of the run. False: it is not among the newest, or not
// read yet.
func (r Rollout) run(ctx context.Context, d *rollout) (run deploys.Run, known bool, err error) {
	err = r.Ledger.View(ctx, func(v bot.View) error {
		job, err := deploys.JobIn(v, d.Job)
		run, known = job.Run(d.Run)
		d.Newer = 0
		if w, waits := job.Waiting(); waits && w.Number > d.Run {
			d.Newer = w.Number
		}
		return err
	})
	if err != nil || known {
		return run, known, err
	}
	// The list has the newest runs only, so one that is not in it may still be there.
	one, err := r.Jenkins.Run(ctx, d.Job, d.Run)
	if err != nil {
		return run, false, err
	}
	progress, err := r.Jenkins.Stages(ctx, d.Job, d.Run)
	return deploys.Run{Number: one.Number, Building: one.Building, Result: one.Result, Approvers: one.Approvers,
		Interruptions: one.Interruptions, Stages: progress.Stages, Paused: progress.Status == jenkins.StagePaused}, true, err
}

func (r Rollout) follow(ctx context.Context, o bot.Operation, d *rollout) (bot.Next, error) {
	run, _, err := r.run(ctx, d)
	if errors.Is(err, bot.ErrNotFound) {
		d.Why = bot.T("Run ", bot.To(fmt.Sprint(d.Run), d.Link), " has vanished from Jenkins.")
		if o.State == building {
			return bot.Next{To: dropped, Note: "the run has vanished"}, nil
		}
		return bot.Next{To: gone, Note: d.Why.String()}, nil
	}
	if err != nil {
		return bot.Next{}, err
	}
	d.Stages = rounded(run.Stages)
	stage, begun := run.Stage(d.Stage)
	done := begun && stage.Status == jenkins.StageSuccess
	switch {
	case done && (d.By == "" || run.Ended() && run.Result == jenkins.Success):
		d.Ended = stage.Started.Add(stage.Duration)
		return bot.Next{To: verifying}, nil
	case !run.Ended():
		return r.slow(ctx, d, stage)
	case d.By == "" && !begun && !failedIn(run.Stages):
		return bot.Next{To: dropped, Note: "the run ended before it deployed: " + run.Result}, nil
	}
	d.Why = bot.T("Run ", bot.To(fmt.Sprint(d.Run), d.Link), " ended with "+run.Result+".")
	if len(run.Interruptions) > 0 {
		d.Why = bot.T("Run ", bot.To(fmt.Sprint(d.Run), d.Link), " was ended in Jenkins: "+strings.Join(run.Interruptions, "; ")+".")
	}
	for _, s := range run.Stages {
		if s.Status == jenkins.StageFailed {
			d.Why = bot.T("Stage “"+s.Name+"” of run ", bot.To(fmt.Sprint(d.Run), d.Link), " failed.")
		}
	}
	if run.Result != jenkins.Aborted { // what somebody wanted has neither cause nor suspects
		d.Log, _ = r.Jenkins.LogTail(ctx, d.Job, d.Run, logLines) // what failed is told without it, too
		r.brings(ctx, d)
	}
	if env, ok := r.Environments.Named(d.Environment); ok && d.By == "" && !env.Announce.Failures {
		return bot.Next{To: dropped, Note: d.Why.String()}, nil
	}
	return bot.Next{To: failed, Note: d.Why.String()}, nil
}

// A stage that takes slowly times what is usual, and slowAtLeast, is told.
const (
	slowly      = 3
	slowAtLeast = 10 * time.Minute
)

// slow tells once of a stage that takes far longer than usual.
func (r Rollout) slow(ctx context.Context, d *rollout, stage jenkins.Stage) (next bot.Next, err error) {
	if d.Slow || stage.Status != jenkins.StageInProgress || stage.Duration-stage.Pause < slowAtLeast {
		return next, nil
	}
	err = r.Ledger.View(ctx, func(v bot.View) error {
		next = bot.Next{}
		job, err := deploys.JobIn(v, d.Job)
		if usual := job.Usual(d.Stage); err == nil && usual > 0 && stage.Duration-stage.Pause > slowly*usual {
			d.Slow = true
			next.Say = []bot.Post{slowPost(d.Environment, d.Commit, bot.To(fmt.Sprint(d.Run), d.Link), stage.Duration-stage.Pause, usual)}
		}
		return err
	})
	return next, err
}

func slowPost(env, commit string, run bot.Span, takes, usual time.Duration) bot.Post {
	return alarm(alarmSlow, "slow", "⚠ Deploying ", short(commit), " to "+env+" has been going on for "+bot.Length(takes)+"; usually it takes "+bot.Length(usual)+". Run ", run, ".")
}

// logLines is how much of a log people are shown of a failure.
const logLines = 15

func failedIn(stages []jenkins.Stage) bool {
	return slices.ContainsFunc(stages, func(s jenkins.Stage) bool { return s.Status == jenkins.StageFailed })
}

// rounded makes the durations of stages change every ten seconds only: that is
// how often a message is edited to show that it moves.
func rounded(stages []jenkins.Stage) []jenkins.Stage {
	stages = slices.Clone(stages)
	for i := range stages {
		s := &stages[i]
		s.Duration, s.Pause = (s.Duration - s.Pause).Truncate(10*time.Second), 0
	}
	return stages
}

// verify asks the app itself: a stage that succeeded is not yet an app that
// serves the commit.
func (r Rollout) verify(ctx context.Context, o bot.Operation, d *rollout) (bot.Next, error) {
	announce := deploys.Announce{Successes: true, Failures: true}
	if env, ok := r.Environments.Named(d.Environment); ok && d.By == "" {
		announce = env.Announce
	}
	serves, err := r.Apps.Version(ctx, d.URL)
	if err == nil {
		d.Serves = serves
	}
	if err != nil || d.Commit == "" || !strings.HasPrefix(serves, d.Commit) {
		d.Seen = 0
		var to bot.State
		d.After, to, err = notServed(ctx, r.Ledger, o, deployed{d.Environment, d.Job, d.Stage, d.Run, d.Commit, d.Ended}, r.Times, err)
		if to == passing && !announce.Successes || to == notLive && !announce.Failures {
			return bot.Next{To: dropped, Note: "the configuration wants no word of it: " + string(to)}, err
		}
		return bot.Next{To: to}, err
	}
	if d.Seen++; d.Seen < inARow {
		return bot.Next{}, nil
	}
	d.Commit = serves
	r.brings(ctx, d)
	if !announce.Successes {
		return bot.Next{To: dropped, Note: "it is live; the configuration wants no word of it"}, nil
	}
	if env, ok := r.promotedNext(*d); ok && d.By == "" && env.Name != d.Environment {
		return bot.Next{To: live}, nil
	}
	return bot.Next{To: arrived}, nil
}

// promotedNext is the environment that the same run is promoted to.
func (r Rollout) promotedNext(d rollout) (deploys.Environment, bool) {
	for _, env := range r.Environments {
		if env.Promoted() && env.Pipeline.Job == d.Job {
			return env, true
		}
	}
	return deploys.Environment{}, false
}

// brings reads what the deploy brought. It only decorates.
func (r Rollout) brings(ctx context.Context, d *rollout) {
	if d.From == "" || d.Commit == "" || d.From == d.Commit {
		return
	}
	full := d.Commit
	if len(full) < 40 {
		c, err := r.GitHub.Commit(ctx, full)
		if err != nil {
			return
		}
		full = c.SHA
	}
	cmp, err := r.GitHub.Compare(ctx, d.From, full)
	if err == nil && cmp.Status == github.Behind {
		d.Back, d.Compare = cmp.Behind, r.GitHub.CompareURL(full, d.From)
	}
	if err != nil || cmp.Status != github.Ahead {
		return
	}
	d.Ahead, d.Compare, d.Authors = cmp.Ahead, cmp.URL, nil
	for _, c := range cmp.Commits {
		d.Authors = append(d.Authors, c.Author)
	}
	d.Authors = unique(d.Authors)
	d.People = r.Who.authors(ctx, cmp.Commits)
}

// tooLong is how long a run may wait for somebody before that is told.
const tooLong = 24 * time.Hour

// waits follows a run that has deployed and now waits to be promoted.
func (r Rollout) waits(ctx context.Context, o bot.Operation, d *rollout) (bot.Next, error) {
	run, _, err := r.run(ctx, d)
	switch {
	case errors.Is(err, bot.ErrNotFound):
		d.Why = bot.T("Run ", bot.To(fmt.Sprint(d.Run), d.Link), " has vanished from Jenkins.")
		return bot.Next{To: settled, Note: d.Why.String()}, nil
	case err != nil:
		return bot.Next{}, err
	case len(run.Approvers) > 0:
		d.Why = bot.T("It has been let go on to be promoted.")
		return bot.Next{To: settled, Note: "let go on by " + strings.Join(run.Approvers, ", ")}, nil
	case run.Ended():
		d.Why = bot.T("It was not promoted: run ", bot.To(fmt.Sprint(d.Run), d.Link), " ended with "+strings.Join(append([]string{run.Result}, run.Interruptions...), "; ")+".")
		return bot.Next{To: settled, Note: d.Why.String()}, nil
	}
	if !d.Old && d.Newer == 0 && o.Now.Sub(o.Entered) >= tooLong {
		d.Old = true
		return bot.Next{Say: []bot.Post{{Key: "old", Class: bot.Query, Unless: muteScopes + alarmWaiting, Card: bot.Say("⚠ Run ", bot.To(fmt.Sprint(d.Run), d.Link), " with ",
			bot.Fixed(deploys.Short(d.Commit)), " has been waiting for a day to be promoted.").Add(r.review(*d))}}}, nil
	}
	return bot.Next{}, nil
}

// review opens the question of a promotion. It never promotes by itself.
func (r Rollout) review(d rollout) bot.Part {
	env, _ := r.promotedNext(d)
	return bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{
		{Label: "Review and promote", Verb: bot.VerbSay, Value: "deploy " + env.Name + " " + deploys.Short(d.Commit)}}}
}

// whose waits until a promotion that is just looking whether anything has moved
// knows whether it is the one that promotes the run.
func (r Rollout) whose(ctx context.Context, _ bot.Operation, d *rollout) (next bot.Next, err error) {
	var promoter certainty
	err = r.Ledger.View(ctx, func(v bot.View) error {
		promoter, err = ours(v, d.Environment, d.Run)
		return err
	})
	switch {
	case err != nil || promoter == perhaps:
		return bot.Next{}, err
	case promoter == sure:
		return bot.Next{To: dropped, Note: "a promotion of ours tells of it"}, nil
	}
	return bot.Next{To: following}, nil
}

// certainty is how sure something is.
type certainty int

const (
	never certainty = iota
	perhaps
	sure
)

// ours says whether the bot itself promotes, or has promoted, that run.
func ours(v bot.View, env string, run int) (certainty, error) {
	all, err := v.History(bot.History{Kinds: []string{"deploy", "revert"}, About: env, Limit: 50})
	if err != nil {
		return never, err
	}
	for _, o := range all {
		p, err := remembered(o)
		switch {
		case err != nil:
			return never, err
		case p.Run != run || o.Confirmed().Verb == "" || o.End == bot.Outdated:
		case o.State == failed && len(p.Stages) == 0: // it came to nothing: Jenkins refused, say
		case o.State == checking:
			return perhaps, nil
		default:
			return sure, nil
		}
	}
	return never, nil
}
