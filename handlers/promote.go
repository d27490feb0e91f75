package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/integrations/github"
	"thbot/integrations/jenkins"
)

// promoting is what Promote needs of Jenkins.
type promoting interface {
	deploys.Jenkins
	// Proceed answers one input. It returns an error wrapping
	// [jenkins.ErrNotPending] when that input is not pending (any more), and a
	// [*bot.Refused] when we may not answer it. After any other error the input
	// may have been answered.
	Proceed(ctx context.Context, job string, number int, input string, values []jenkins.Value) error
	// Whoami is the id that Jenkins knows the bot by.
	Whoami(ctx context.Context) (string, error)
	// Stop asks Jenkins to abort a run. Whether it did is seen by looking; a
	// [*bot.Refused] is a no.
	Stop(ctx context.Context, job string, number int, how jenkins.StopHow) error
	JobURL(job string) string
	// LogTail are the last lines of a run's log, without secrets.
	LogTail(ctx context.Context, job string, number, lines int) ([]string, error)
}

// history is what commands need of GitHub.
type history interface {
	Compare(ctx context.Context, base, head string) (github.Comparison, error)
	// Commit returns an error wrapping [bot.ErrNotFound] when there is none.
	Commit(ctx context.Context, ref string) (github.Commit, error)
	CommitURL(sha string) string
	CompareURL(base, head string) string
	CI(ctx context.Context, sha string) (github.CI, error)
	// Branch is the commit that a branch is on.
	Branch(ctx context.Context, name string) (sha string, err error)
	// PR returns an error wrapping [bot.ErrNotFound] when there is none.
	PR(ctx context.Context, number int) (github.PR, error)
	// Log are the newest commits that lead to one, at most n.
	Log(ctx context.Context, sha string, n int) ([]github.Commit, error)
}

// apps is what the deployed apps say of themselves.
type apps interface {
	// Version is the commit that the app at url serves.
	Version(ctx context.Context, url string) (commit string, err error)
}

// Promote brings what waits in Jenkins to production. It always asks, and is
// bound to exactly what it showed: a run, its input and commit, and what was
// live then.
type Promote struct {
	Environments deploys.Environments
	Jenkins      promoting
	GitHub       history
	Apps         apps
	Ledger       reading
	Schemas      *Schemas
	Who          *Who
	Times        Times
}

// Times are the intervals at which an operation looks at the world.
type Times struct {
	Watch   time.Duration // between looks at what does not move
	Follow  time.Duration // between looks at a run
	Live    time.Duration // between questions to an app
	NotLive time.Duration // from a run's success until its commit is reported as not live
}

// promotion is all that a promotion remembers.
type promotion struct {
	Environment string
	Settings    string // of the environment when it was asked
	Job, Stage  string
	URL, Host   string // of the app
	Run         int
	Carries     string // the commit as the run has it, which may be short
	Link        string // to the run
	Confirm     deploys.Confirm

	pause         // the input that is answered
	Next   *pause // a further one that the run has come to
	Nudges int    // how often people were reminded of it

	From, To string // full commits: what was live, and what is to be
	Ahead    int
	Commits  []commit // newest first, at most shown
	Range    []string `json:"-"` // all of them, newest first
	Authors  []string
	People   []author  // the same at the end, if one of them is to be mentioned
	Compare  string    // link
	Before   string    // the environment that has it first
	BeforeOn string    // the commit that one serves; empty: it did not say
	Since    time.Time // when that was deployed; zero: not known
	Usual    time.Duration
	CI       github.CI
	Schema   schema

	// What would have stopped it, but for Forced, which is the reason.
	Forced string
	Past   []string // ids of the obstacles
	Around []bot.Text
	Owners []bot.Person
	Clear  []string // ids of the holds whose commits are not in it

	// What came of it.
	Stages []jenkins.Stage
	By     string    // who answered the input in Jenkins, if it was not us
	Ended  time.Time // when its stage was over, by Jenkins' clock
	After  later
	Seen   int    // answers of the app in a row that named To
	Serves string // what the app answered last
	Late   bool   // it was to be aborted, too late
	Slow   bool   // that it takes long was told
	Log    []string
	Why    bot.Text
}

// pause is an input at which a run waits.
type pause struct {
	Input       string // id
	Message     string
	Values      []jenkins.Value
	ConfirmedBy string // which of the values is to hold who confirmed
	Unasked     string // a parameter without a default: people have to answer in Jenkins
	Approvals   int    // how many inputs of the run had been answered before
}

type commit struct{ SHA, Link, Subject, Author string }

// shown is how many commits a question remembers; the rest is behind its link.
const shown = 20

// inARow is how many answers of an app make its commit live: during a rollout
// old and new pods answer in turn (design 2).
const inARow = 3

// The states of a promotion.
const (
	preparing  bot.State = "prepare" // asked, but not yet to be confirmed
	asking     bot.State = "ask"
	checking   bot.State = "check"
	proceeds   bot.State = "proceed"
	following  bot.State = "follow"
	pausing    bot.State = "paused"
	rechecking bot.State = "recheck" // a further input, after its click
	aborting   bot.State = "abort"
	verifying  bot.State = "verify"
	promoted   bot.State = "done"
	cancelled  bot.State = "cancelled"
	expired    bot.State = "expired"
	moved      bot.State = "moved"
	failed     bot.State = "failed"
	notLive    bot.State = "not-live"
	lost       bot.State = "lost"
	aborted    bot.State = "aborted"
	unstopped  bot.State = "unstopped"
	goesOn     bot.State = "goes-on" // as following, though it was to be aborted
)

func (p Promote) Info() bot.Info {
	return bot.Info{
		Name: "deploy", Aliases: []string{"promote"},
		Does: "Promotes what waits in Jenkins, or the build of one commit, to production.",
		Who:  "anyone can ask; " + bot.Admins.Title() + " confirms, and alone can force",
		Args: []bot.Arg{
			{Name: "environment", Doc: "an environment", Example: "prod", Words: p.Environments.Words()},
			{Name: "commit", Doc: "a commit", Example: "9f8e7d6", Optional: true, Check: aCommit},
			{Name: "reason", After: "force", Doc: "why it goes past a lock, a hold or a freeze", Example: "the outage is worse", Optional: true, Rest: true},
		},
		Examples: []string{"deploy prod", "deploy prod 9f8e7d6", "deploy prod force the outage is worse"},
		Wait:     "Looking at what would go out…",
		Menu:     "Promote to production…", MenuText: "deploy production",
	}
}

var hexCommit = regexp.MustCompile(`^[0-9a-f]{7,40}$`)

func aCommit(value string) string {
	if !hexCommit.MatchString(value) {
		return "is not a commit; commits look like 9f8e7d6, 7 to 40 of the digits 0-9 and a-f"
	}
	return ""
}

func (p Promote) Plan(ctx context.Context, r bot.Request) (plan bot.Plan[promotion], err error) {
	env, _ := p.Environments.Named(r.Args["environment"])
	if !env.Promoted() {
		answer := bot.Say(env.Title(), " is not promoted. "+env.Deploys)
		return bot.Plan[promotion]{Answer: &answer}, nil
	}
	forced := r.Args["reason"]
	if forced != "" {
		if err := r.May(ctx, bot.Policy{Roles: []bot.Role{bot.Admins}}); err != nil {
			return plan, err
		}
	}
	want := ""
	if ref := r.Args["commit"]; ref != "" {
		c, err := p.GitHub.Commit(ctx, ref)
		if errors.Is(err, bot.ErrNotFound) {
			return plan, bot.Refuse("There is no commit ", bot.Fixed(ref), " in the repository, so I asked nothing.")
		} else if err != nil {
			return plan, err
		}
		want = c.SHA
	}

	d := promotion{Environment: env.Name, Settings: env.Settings(), Job: env.Pipeline.Job, Stage: env.Pipeline.Stage,
		URL: env.URL, Host: env.Host(), Confirm: env.Confirm}
	var found deploys.Candidates
	before, hasBefore := p.Environments.Before(env)
	var wg sync.WaitGroup
	var notLive, notFound error
	wg.Go(func() { d.From, notLive = p.Apps.Version(ctx, env.URL) })
	if hasBefore {
		d.Before = before.Name
		wg.Go(func() { d.BeforeOn, _ = p.Apps.Version(ctx, before.URL) }) // the question says if it did not answer
	}
	wg.Go(func() {
		if found, notFound = env.Pipeline.Candidates(ctx, p.Jenkins, want); notFound == nil {
			d.Usual, _ = env.Pipeline.Usual(ctx, p.Jenkins, found.Runs) // only decorates
		}
	})
	wg.Wait()
	if err := errors.Join(notFound, notLive); err != nil {
		return plan, err
	}
	if found.Promotable == nil {
		answer, err := p.nothing(ctx, env, d, want, found)
		return bot.Plan[promotion]{Answer: &answer}, err
	}
	if err := p.describe(ctx, env, &d, *found.Promotable); err != nil {
		return plan, err
	}
	if err := p.clear(ctx, env, &d, forced); err != nil {
		return plan, err
	}
	if hasBefore && before.Pipeline != nil && before.Pipeline.Job == d.Job {
		if progress, err := p.Jenkins.Stages(ctx, d.Job, d.Run); err == nil { // only decorates
			if s, ok := deploys.Stage(progress, before.Pipeline.Stage); ok && s.Status == jenkins.StageSuccess {
				d.Since = s.Started.Add(s.Duration)
			}
		}
	}
	plan = bot.Plan[promotion]{Begin: &d, First: asking, Asking: "ask/promote/" + env.Name, Scopes: []string{env.Scope()}, About: env.Name}
	if d.Schema = p.Schemas.begin(ctx, d.Range, d.Ahead-len(d.Range), d.To); !d.Schema.Told {
		plan.First = preparing
	}
	return plan, nil
}

// clear looks what stops the promotion. With force it notes what it goes past;
// else that is a refusal.
func (p Promote) clear(ctx context.Context, env deploys.Environment, d *promotion, forced string) error {
	var held []hold
	err := p.Ledger.View(ctx, func(v bot.View) (err error) {
		held, err = holds(v)
		return err
	})
	if err != nil {
		return err
	}
	in := map[string]bool{}
	for _, h := range held {
		// With the hold as head the answer lists no commits, however many lie between.
		cmp, err := p.GitHub.Compare(ctx, d.To, h.commit)
		if err != nil {
			return err
		}
		if in[h.id] = cmp.Status == github.Behind || cmp.Status == github.Identical; !in[h.id] {
			d.Clear = append(d.Clear, h.id)
		}
	}
	var stops []obstacle
	err = p.Ledger.View(ctx, func(v bot.View) (err error) {
		stops, err = obstacles(v, env, func(h hold) bool {
			contained, known := in[h.id]
			return contained || !known
		})
		return err
	})
	switch {
	case err != nil || len(stops) == 0:
		return err
	case forced == "":
		return stopped("I asked nothing. ", stops, "deploy "+env.Name)
	}
	d.Forced, d.Owners = forced, owners(stops)
	for _, o := range stops {
		d.Past, d.Around = append(d.Past, o.ID), append(d.Around, o.Text)
	}
	return nil
}

// describe fills in what promoting w would mean, or refuses.
func (p Promote) describe(ctx context.Context, env deploys.Environment, d *promotion, w deploys.Waiting) error {
	target, err := p.GitHub.Commit(ctx, w.Commit)
	if errors.Is(err, bot.ErrNotFound) {
		return bot.Refuse("Run ", bot.To(fmt.Sprint(w.Run.Number), p.Jenkins.RunURL(d.Job, w.Run.Number)), " carries ",
			bot.Fixed(deploys.Short(w.Commit)), ", which is no commit of the repository, so I asked nothing.")
	} else if err != nil {
		return err
	}
	d.Run, d.To, d.Carries = w.Run.Number, target.SHA, w.Commit
	d.Link = p.Jenkins.RunURL(d.Job, d.Run)
	d.pause = pauseAt(w.Input, env.Pipeline.ConfirmedBy, len(w.Run.Approvers))
	if d.Unasked != "" {
		return bot.Refuse("Run ", run(*d), " asks for a value of ", bot.Fixed(d.Unasked),
			" that has no default. I never guess one, so I asked nothing; answer it in Jenkins.")
	}
	if d.From == d.To {
		return bot.Refuse(env.Title(), " serves ", bot.Fixed(deploys.Short(d.To)), " already, so there is nothing to promote.")
	}
	var cmp github.Comparison
	var notCompared, noCI error
	var wg sync.WaitGroup
	wg.Go(func() { cmp, notCompared = p.GitHub.Compare(ctx, d.From, d.To) })
	wg.Go(func() { d.CI, noCI = p.GitHub.CI(ctx, d.To) })
	if wg.Wait(); notCompared != nil || noCI != nil {
		return errors.Join(notCompared, noCI)
	}
	if cmp.Status != github.Ahead {
		return bot.Refuse("Run ", run(*d), " carries ", bot.Fixed(deploys.Short(d.To)), ", which is "+behind(cmp)+" what is live, ",
			bot.Fixed(deploys.Short(d.From)), ". That would be a revert and not a promotion, so I asked nothing: ", bot.Fixed("/th revert "+env.Name+" "+deploys.Short(d.To)), ".")
	}
	d.Ahead, d.Compare = cmp.Ahead, cmp.URL
	for _, c := range cmp.Commits {
		if !slices.Contains(d.Authors, c.Author) {
			d.Authors = append(d.Authors, c.Author)
		}
		if len(d.Commits) < shown {
			d.Commits = append(d.Commits, commit{c.SHA, p.GitHub.CommitURL(c.SHA), c.Subject, c.Author})
		}
		d.Range = append(d.Range, c.SHA)
	}
	return nil
}

// pauseAt reads what an input asks, and what it would be answered with: values
// are shown and never guessed.
func pauseAt(in jenkins.Input, confirmedBy string, approvals int) pause {
	at := pause{Input: in.ID, Message: in.Message, Approvals: approvals}
	for _, param := range in.Parameters {
		switch {
		case param.Name == confirmedBy:
			at.ConfirmedBy = param.Name
			at.Values = append(at.Values, jenkins.Value{Name: param.Name})
		case param.HasDefault:
			at.Values = append(at.Values, jenkins.Value{Name: param.Name, Value: param.Default})
		default:
			at.Unasked = param.Name
		}
	}
	return at
}

func behind(c github.Comparison) string {
	if c.Status == github.Diverged {
		return "not on the same line as"
	}
	return bot.Count(c.Behind, "commit", "commits") + " behind"
}

// nothing says why there is nothing to promote, and what is coming.
func (p Promote) nothing(ctx context.Context, env deploys.Environment, d promotion, want string, found deploys.Candidates) (bot.Card, error) {
	line := bot.T("Nothing waits to be promoted, so I asked nothing. " + env.Title() + " serves ")
	line = append(line, bot.Fixed(deploys.Short(d.From)), bot.Span{Text: "."})
	if want != "" {
		if want == d.From {
			return bot.Say(env.Title(), " serves ", bot.Fixed(deploys.Short(want)), " already, so there is nothing to promote."), nil
		}
		cmp, err := p.GitHub.Compare(ctx, d.From, want)
		if err != nil {
			return bot.Card{}, err
		}
		if cmp.Status != github.Ahead {
			return bot.Say(bot.Fixed(deploys.Short(want)), " is "+behind(cmp)+" what "+env.Name+" serves, ", bot.Fixed(deploys.Short(d.From)),
				". That would be a revert and not a promotion, so I asked nothing: ", bot.Fixed("/th revert "+env.Name+" "+deploys.Short(want)), "."), nil
		}
		line = bot.T("No run of ", bot.Fixed(deploys.Short(want)), " waits to be promoted, so I asked nothing.")
	}
	card := bot.Say(line)
	list := bot.Part{Kind: bot.List}
	for _, r := range found.Building {
		item := bot.T("Run ", bot.To(fmt.Sprint(r.Number), p.Jenkins.RunURL(d.Job, r.Number)), " is being built")
		if sha, err := env.Pipeline.CommitFrom.Commit(r); err == nil {
			item = append(item, bot.T(": ", bot.Fixed(deploys.Short(sha)))...)
		}
		if r.Estimated > 0 {
			item = append(item, bot.T(", begun at ", bot.Time(r.Started), ", usually "+bot.Length(r.Estimated)+" in all")...)
		}
		list.Items = append(list.Items, item)
	}
	if len(list.Items) == 0 {
		return card.Add(bot.SmallPrint("Nothing is being built either.")), nil
	}
	return card.Add(list, bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{
		{Label: "Tell me when it can go", Verb: bot.VerbSay, Value: strings.TrimSpace("tell " + env.Name + " " + deploys.Short(want))},
	}}), nil
}

func run(d promotion) bot.Span { return bot.To(fmt.Sprint(d.Run), d.Link) }

// remembered is what a promotion's row holds; a revert is one, too.
func remembered(o bot.Operation) (d promotion, err error) {
	if o.Kind != "deploy" && o.Kind != "revert" {
		return d, fmt.Errorf("operation %s is a %s and no promotion", o.ID, o.Kind)
	}
	if err := json.Unmarshal(o.Data, &d); err != nil {
		return d, fmt.Errorf("reading promotion %s: %w", o.ID, err)
	}
	return d, nil
}
