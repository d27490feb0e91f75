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
	"thbot/integrations/github"
)

// branches is what Reset needs of GitHub.
type branches interface {
	history
	// MoveBranch moves a branch, by force, if it still is at from. Else the
	// error wraps [bot.ErrMoved]; a [*bot.Refused] is GitHub's no. After any
	// other error it may have been moved.
	MoveBranch(ctx context.Context, name, from, to string) error
	// CreateBranch makes a branch. One that is there at the same commit is no
	// error; at another one the error wraps [bot.ErrTaken].
	CreateBranch(ctx context.Context, name, sha string) error
	// DeleteBranch deletes a branch, if it still is at that commit.
	DeleteBranch(ctx context.Context, name, at string) error
	// Branches are those whose names begin so.
	Branches(ctx context.Context, prefix string) ([]github.Branch, error)
}

// Reset puts a branch that people push to back on another one, and keeps where
// it was on a backup branch. (A tag would publish an image.)
type Reset struct {
	Environments deploys.Environments
	GitHub       branches
	Apps         apps
	Ledger       reading
	Schemas      *Schemas
	Databases    map[string]Database
	Times        Times
}

// resetting is what a reset remembers.
type resetting struct {
	Environment string
	Settings    string
	Branch      string
	Onto        string // the branch, or the backup, that it is put on
	URL, Host   string

	From, To string // full commits: where the branch is, and where it is put
	Ahead    int    // commits that stop being deployed
	Behind   int    // commits that it was behind
	Commits  []commit
	Authors  []string
	Newest   time.Time // of them
	Compare  string
	Schema   schema
	Backup   string // the branch that keeps From

	Seen   int    // how often in a row the app answered Serves
	Serves string // what it answered last
	Pushed string // what somebody has pushed since on top of To: the branch's head, then what the app serves
	Other  string // what the app serves that is neither; it may be slow
	Why    bot.Text
}

// The states of a reset.
const (
	backing  bot.State = "backup"
	moving   bot.State = "move"
	arriving bot.State = "land" // the branch is moved; its app follows
	reset    bot.State = "reset"
)

const resetIt = "reset"

// resetters may confirm a reset.
var resetters = bot.Policy{Roles: []bot.Role{bot.Admins, bot.Pushers}}

func (r Reset) Info() bot.Info {
	return bot.Info{
		Name: "reset", Does: "Puts prototype back on master, and keeps where it was on a backup branch.",
		Who: bot.Admins.Title() + " or " + bot.Pushers.Title(), Begin: resetters,
		Args: []bot.Arg{
			{Name: "environment", Doc: "an environment", Example: "prototype", Words: r.Environments.Words()},
			{Name: "commit", After: "to", Doc: "the commit of a backup branch", Example: "f5a6b7c", Optional: true, Check: aCommit},
		},
		Examples: []string{"reset prototype", "reset prototype to f5a6b7c"},
		Wait:     "Looking at what would stop being deployed…",
		Menu:     "Reset prototype…", MenuText: "reset prototype",
	}
}

// backupOf begins the names of the backups of a branch.
func backupOf(branch string) string { return branch + "-before-" }

func (r Reset) Plan(ctx context.Context, q bot.Request) (plan bot.Plan[resetting], err error) {
	env, _ := r.Environments.Named(q.Args["environment"])
	if env.ResetTo == "" {
		return plan, bot.Refuse(env.Title(), " is not a branch that is put back. Nothing was done.")
	}
	d := resetting{Environment: env.Name, Settings: env.Settings(), Branch: env.Branch, Onto: env.ResetTo, URL: env.URL, Host: env.Host()}
	var e1, e2 error
	var all sync.WaitGroup
	all.Go(func() { d.From, e1 = r.branch(ctx, env.Branch) })
	all.Go(func() { d.To, d.Onto, e2 = r.target(ctx, env, q.Args["commit"]) })
	if all.Wait(); e1 != nil || e2 != nil {
		return plan, errors.Join(e1, e2)
	}
	if d.From == d.To {
		return plan, bot.Refuse("The branch ", bot.Fixed(env.Branch), " is on ", bot.Fixed(deploys.Short(d.To)), " already, as ", bot.Fixed(d.Onto), " is. There is nothing to reset.")
	}
	if err := r.mine(ctx, env, q.Person); err != nil {
		return plan, err
	}
	if err := r.describe(ctx, &d); err != nil {
		return plan, err
	}
	d.Backup = backupOf(env.Branch) + q.Now.UTC().Format("2006-01-02") + "-" + deploys.Short(d.From)
	return bot.Plan[resetting]{Begin: &d, First: asking, Asking: "ask/reset/" + env.Name, Scopes: []string{env.Scope()}, About: env.Name}, nil
}

// branch is where a branch is, or a refusal if there is none.
func (r Reset) branch(ctx context.Context, name string) (string, error) {
	sha, err := r.GitHub.Branch(ctx, name)
	if errors.Is(err, bot.ErrNotFound) {
		return "", bot.Refuse("There is no branch ", bot.Fixed(name), " on GitHub. Nothing was done.")
	}
	return sha, err
}

// target is where the branch would be put: on another one, or on what a backup
// of it keeps.
func (r Reset) target(ctx context.Context, env deploys.Environment, ref string) (sha, name string, err error) {
	if ref == "" {
		sha, err := r.branch(ctx, env.ResetTo)
		return sha, env.ResetTo, err
	}
	kept, err := r.GitHub.Branches(ctx, backupOf(env.Branch))
	if err != nil {
		return "", "", err
	}
	var found []github.Branch
	for _, b := range kept {
		if strings.HasPrefix(b.SHA, ref) && !slices.ContainsFunc(found, func(f github.Branch) bool { return f.SHA == b.SHA }) {
			found = append(found, b)
		}
	}
	switch len(found) {
	case 0:
		return "", "", bot.Refuse("No backup of ", bot.Fixed(env.Branch), " is on ", bot.Fixed(ref), ", so nothing was done. The backups: ", bot.Fixed("/th backups "+env.Name), ".")
	case 1:
		return found[0].SHA, found[0].Name, nil
	}
	return "", "", bot.Refuse("More than one backup begins with ", bot.Fixed(ref), ". Nothing was done; send more of its digits.")
}

// mine refuses what somebody else has locked. One's own lock is for oneself.
func (r Reset) mine(ctx context.Context, env deploys.Environment, person string) error {
	return r.Ledger.View(ctx, func(v bot.View) error { return notMine(v, env, person) })
}

func notMine(v bot.View, env deploys.Environment, person string) error {
	l, err := lockOn(v, env)
	if err != nil || l == nil || l.owner.ID == person {
		return err
	}
	return bot.Refuse(l.owner.Name+" has locked "+env.Name+" since ", bot.Date(l.since), ": “"+l.reason+"” Nothing was done. ",
		bot.Fixed("/th unlock "+env.Name), " lifts it.")
}

// describe says what would stop being deployed.
func (r Reset) describe(ctx context.Context, d *resetting) error {
	cmp, err := r.GitHub.Compare(ctx, d.To, d.From)
	if err != nil {
		return err
	}
	d.Ahead, d.Behind, d.Compare = cmp.Ahead, cmp.Behind, cmp.URL
	var all []string
	for _, c := range cmp.Commits {
		if c.When.After(d.Newest) {
			d.Newest = c.When
		}
		d.Authors = append(d.Authors, c.Author)
		if len(d.Commits) < shown {
			d.Commits = append(d.Commits, commit{c.SHA, r.GitHub.CommitURL(c.SHA), c.Subject, c.Author})
		}
		all = append(all, c.SHA)
	}
	d.Authors = unique(d.Authors)
	d.Schema = r.Schemas.begin(ctx, all, cmp.Truncated, d.From)
	return nil
}

func (r Reset) Steps() map[bot.State]bot.Step[resetting] {
	return map[bot.State]bot.Step[resetting]{
		asking: {
			Ask: func(_ bot.Operation, d resetting) bot.Question {
				yes := bot.Button{Verb: resetIt, Label: "Reset", Tone: bot.Danger, May: resetters, To: checking, Decides: true,
					Dialog: fmt.Sprintf("Put %s on %s of %s? %s stop being deployed; a backup branch keeps them.", d.Branch, deploys.Short(d.To), d.Onto, bot.Count(d.Ahead, "commit", "commits"))}
				return bot.Question{Note: bot.Admins.Title() + " or " + bot.Pushers.Title() + " can confirm",
					Buttons: []bot.Button{yes, {Verb: "cancel", Label: "Cancel", May: bot.Policy{Roles: resetters.Roles, Asker: true}, To: cancelled}}}
			},
			Pressed: func(v bot.View, o bot.Operation, d *resetting, p bot.Decision) error {
				if p.Verb != resetIt {
					return nil
				}
				env, _ := r.Environments.Named(d.Environment)
				return notMine(v, env, p.Person.ID)
			},
			GiveUp: bot.After[resetting](20 * time.Minute), Lapse: expired,
		},
		checking:  {Look: r.unmoved, Every: r.Times.Follow, GiveUp: bot.After[resetting](checkable), Lapse: moved},
		backing:   {Look: r.kept, Act: r.keep, Refused: failed, Every: r.Times.Follow, GiveUp: bot.After[resetting](settleable), Lapse: failed},
		moving:    {Look: r.moved, Act: r.move, Refused: failed, Every: r.Times.Follow, GiveUp: bot.After[resetting](settleable), Lapse: unknown},
		unknown:   {Ask: askMoved, Look: r.moved, Every: r.Times.Follow, Say: r.sayUnknown},
		arriving:  {Look: r.landed, Every: r.Times.Live, GiveUp: bot.After[resetting](landable), Lapse: notLive, Say: r.sayMoved},
		reset:     {End: bot.Done, Say: r.say},
		cancelled: {End: bot.Cancelled},
		expired:   {End: bot.Expired},
		moved:     {End: bot.Outdated, Say: r.say},
		failed:    {End: bot.Failed, Say: r.say},
		notLive:   {End: bot.Failed, Say: r.say},
	}
}

// settleable is how long GitHub may give no usable answer to a reset that has
// begun. After that people are asked; what it does when it answers is looked at
// all the same.
const settleable = time.Hour

// askMoved lets people settle what GitHub does not say. Until then the reset
// keeps what it holds.
func askMoved(_ bot.Operation, d resetting) bot.Question {
	return bot.Question{Note: "if GitHub answers I see it myself; " + bot.Admins.Title() + " or " + bot.Pushers.Title() + " can say", Buttons: []bot.Button{
		{Verb: "it-did", Label: "It was moved", May: resetters, To: arriving, Dialog: "Is " + d.Branch + " on " + deploys.Short(d.To) + " now?"},
		{Verb: didNot, Label: "It was not moved", May: resetters, To: failed, Dialog: "Is " + d.Branch + " not on " + deploys.Short(d.To) + "?"},
	}}
}

// landable is how long an app may take to serve what its branch is on.
const landable = time.Hour

func (r Reset) unmoved(ctx context.Context, _ bot.Operation, d *resetting) (bot.Next, error) {
	no := func(pieces ...any) (bot.Next, error) {
		d.Why = bot.T(pieces...)
		return bot.Next{To: moved, Note: d.Why.String()}, nil
	}
	env, ok := r.Environments.Named(d.Environment)
	if !ok || env.Settings() != d.Settings {
		return no("My settings for " + d.Environment + " have changed since the question.")
	}
	at, err := r.GitHub.Branch(ctx, d.Branch)
	switch {
	case errors.Is(err, bot.ErrNotFound):
		return no("There is no branch ", bot.Fixed(d.Branch), " any more.")
	case err != nil:
		return bot.Next{}, err
	case at != d.From:
		return no("The branch ", bot.Fixed(d.Branch), " is on ", bot.Fixed(deploys.Short(at)), " now; it was on ", bot.Fixed(deploys.Short(d.From)), " when I asked.")
	}
	return bot.Next{To: backing}, nil
}

func (r Reset) kept(ctx context.Context, _ bot.Operation, d *resetting) (bot.Next, error) {
	at, err := r.GitHub.Branch(ctx, d.Backup)
	switch {
	case errors.Is(err, bot.ErrNotFound):
		return bot.Next{}, nil
	case err != nil:
		return bot.Next{}, err
	case at != d.From:
		d.Why = bot.T("There is a branch ", bot.Fixed(d.Backup), " already, and it is on something else.")
		return bot.Next{To: failed, Note: d.Why.String()}, nil
	}
	return bot.Next{To: moving, Note: "kept as " + d.Backup}, nil
}

func (r Reset) keep(ctx context.Context, _ bot.Operation, d *resetting) error {
	err := r.GitHub.CreateBranch(ctx, d.Backup, d.From)
	if errors.Is(err, bot.ErrTaken) {
		return nil // the next look says so
	}
	return r.refused(d, err)
}

func (r Reset) moved(ctx context.Context, o bot.Operation, d *resetting) (bot.Next, error) {
	at, err := r.GitHub.Branch(ctx, d.Branch)
	switch {
	case errors.Is(err, bot.ErrNotFound):
		d.Why = bot.T("The branch ", bot.Fixed(d.Branch), " was deleted meanwhile.")
		return bot.Next{To: failed, Note: d.Why.String()}, nil
	case err != nil:
		return bot.Next{}, err
	case at == d.To:
		return bot.Next{To: arriving, Note: "the branch is on " + deploys.Short(d.To)}, nil
	case at == d.From:
		return bot.Next{}, nil
	}
	if o.Acts > 0 || o.State == unknown { // else it cannot have been us
		onTop, err := r.onTop(ctx, *d, at)
		if err != nil {
			return bot.Next{}, err
		}
		if onTop {
			d.Pushed = at
			return bot.Next{To: arriving, Note: "the branch was put on " + deploys.Short(d.To) + ", and is on " + deploys.Short(at)}, nil
		}
	}
	d.Why = bot.T("Somebody pushed to ", bot.Fixed(d.Branch), " meanwhile; it is on ", bot.Fixed(deploys.Short(at)), ". I have not moved it.")
	return bot.Next{To: failed, Note: d.Why.String()}, nil
}

// onTop says whether a commit was pushed after the branch had been put where it
// is put. One that was pushed before has what stops being deployed in it, or is
// a part of that.
func (r Reset) onTop(ctx context.Context, d resetting, sha string) (bool, error) {
	to, err := r.GitHub.Compare(ctx, d.To, sha)
	if errors.Is(err, bot.ErrNotFound) {
		return false, nil
	}
	if err != nil || to.Status != github.Ahead {
		return false, err
	}
	from, err := r.GitHub.Compare(ctx, d.From, sha)
	return from.Status == github.Diverged || from.Status == github.Ahead && d.Ahead == 0, err
}

func (r Reset) move(ctx context.Context, _ bot.Operation, d *resetting) error {
	err := r.GitHub.MoveBranch(ctx, d.Branch, d.From, d.To)
	if errors.Is(err, bot.ErrMoved) {
		return nil // the next look says where it is
	}
	return r.refused(d, err)
}

func (r Reset) refused(d *resetting, err error) error {
	var no *bot.Refused
	if errors.As(err, &no) {
		d.Why = bot.T("GitHub does not let me: " + no.Why)
	}
	return err
}

func (r Reset) landed(ctx context.Context, _ bot.Operation, d *resetting) (bot.Next, error) {
	serves, err := r.Apps.Version(ctx, d.URL)
	if err != nil {
		d.Seen = 0
		return bot.Next{}, err
	}
	if serves != d.Serves {
		d.Serves, d.Seen = serves, 0
	}
	if serves == d.From || serves == d.Other {
		return bot.Next{}, nil
	}
	if d.Seen++; d.Seen < inARow {
		return bot.Next{}, nil
	}
	if serves == d.To {
		d.Pushed = ""
		return bot.Next{To: reset}, nil
	}
	// Whoever resets wants to push, and need not wait until the app is there.
	onTop, err := r.onTop(ctx, *d, serves)
	switch {
	case err != nil:
		d.Seen-- // it is asked again
		return bot.Next{}, err
	case !onTop:
		d.Other = serves
		return bot.Next{}, nil
	}
	d.Pushed = serves
	return bot.Next{To: reset}, nil
}
