package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/integrations/github"
)

// errUntyped is the answer of kinds that nobody types.
var errUntyped = errors.New("this is no command")

// WatchApp asks a deployed app again and again what it serves, and notes it as
// the snapshot. For an environment that no known job deploys, this is what
// announces a deploy.
type WatchApp struct {
	Environments deploys.Environments
	Apps         apps
	GitHub       history
	Ledger       reading
	Who          *Who
	Times        Times
}

func (WatchApp) Info() bot.Info { return bot.Info{Name: "watch-app", Hidden: true} }

func (WatchApp) Plan(context.Context, bot.Request) (bot.Plan[deploys.App], error) {
	return bot.Plan[deploys.App]{}, errUntyped
}

func (w WatchApp) Standing() (all []bot.Begin) {
	for _, env := range w.Environments {
		all = append(all, bot.Begin{Kind: w.Info().Name, Ref: deploys.AppScope(env.Name), First: watching, About: env.Name,
			Data: deploys.App{Environment: env.Name}, Holds: []string{deploys.AppScope(env.Name)}})
	}
	return all
}

func (w WatchApp) Steps() map[bot.State]bot.Step[deploys.App] {
	return map[bot.State]bot.Step[deploys.App]{watching: {Look: w.look, Every: w.Times.Watch}}
}

func (WatchApp) Card(bot.Operation, deploys.App) bot.Card { return bot.Card{} }

func (w WatchApp) look(ctx context.Context, o bot.Operation, d *deploys.App) (bot.Next, error) {
	env, ok := w.Environments.Named(d.Environment)
	if !ok {
		return bot.Next{Every: time.Hour}, nil // not in the configuration any more
	}
	serves, err := w.Apps.Version(ctx, env.URL)
	if err != nil {
		d.Seen = 0
		if d.Failing.IsZero() {
			d.Failing = o.Now
		}
		next := bot.Next{Wrong: err, Every: w.Times.Watch}
		if !d.Alarmed && o.Now.Sub(d.Failing) >= unreachable {
			d.Alarmed = true
			next.Say = []bot.Post{alarm(alarmApp, "away-"+stamp(o.Now), "⚠ "+env.Title()+" has not said what it serves since ", bot.Time(d.Failing), ": ",
				bot.To(env.Host(), env.URL), " gives no usable answer.")}
		}
		return next, nil
	}
	next := bot.Next{Every: w.Times.Watch}
	if d.Alarmed {
		next.Say = append(next.Say, alarm(alarmApp, "back-"+stamp(o.Now), env.Title()+" says again what it serves: ", bot.Fixed(deploys.Short(serves)), "."))
	}
	d.Read, d.Failing, d.Alarmed = o.Now, time.Time{}, false
	switch {
	case serves == d.Commit:
		d.Next, d.Seen = "", 0
		return next, nil
	case serves != d.Next:
		d.Next, d.Seen = serves, 0
	}
	if d.Seen++; d.Seen < inARow {
		next.Every = w.Times.Live
		return next, nil
	}
	first := d.Commit == ""
	d.Before, d.Commit, d.Next, d.Seen = d.Commit, serves, "", 0
	if first {
		return next, nil
	}
	ours, err := w.ours(ctx, env, serves, d.Since)
	d.Since = o.Now
	if err != nil {
		next.Wrong = err // rather told twice than not at all
	}
	if env.Pipeline == nil && !ours {
		next.Say = append(next.Say, w.announce(ctx, o, env, *d))
	}
	if env.Branch != "" && !ours { // another reset may have moved the branch on since
		w.offside(ctx, o, env, d, &next)
	}
	return next, nil
}

// ours says whether a reset put the app there, which tells of it itself: one
// that is at it, and can be slower than the app where it was interrupted, or one
// that came to its end after the app changed before.
func (w WatchApp) ours(ctx context.Context, env deploys.Environment, commit string, before time.Time) (ours bool, err error) {
	err = w.Ledger.View(ctx, func(v bot.View) error {
		ours = false
		last, err := v.History(bot.History{Kinds: []string{"reset"}, About: env.Name, Limit: mostResets})
		for _, o := range last {
			var d resetting
			is := json.Unmarshal(o.Data, &d) == nil && d.To == commit
			ours = ours || is && (slices.Contains([]bot.State{moving, unknown, arriving}, o.State) || o.State == reset && o.Entered.After(before))
		}
		return err
	})
	return ours, err
}

// mostResets is how many of the last resets can have put an app where it is:
// the next one may be asked about, or cancelled, before the app is seen there.
const mostResets = 10

// announce tells of a deploy that shows only in what the app serves.
func (w WatchApp) announce(ctx context.Context, o bot.Operation, env deploys.Environment, d deploys.App) bot.Post {
	t := bot.T("✔ "+env.Title()+" is now on ", bot.To(deploys.Short(d.Commit), w.GitHub.CommitURL(d.Commit)), "; it was on ", bot.Fixed(deploys.Short(d.Before)))
	if cmp, err := w.GitHub.Compare(ctx, d.Before, d.Commit); err == nil && cmp.Status == github.Ahead { // only decorates
		var authors []string
		for _, c := range cmp.Commits {
			authors = append(authors, c.Author)
		}
		t = append(t, bot.T(" (", bot.To(bot.Count(cmp.Ahead, "commit", "commits"), cmp.URL), "). Authors: ", byline(w.Who.authors(ctx, cmp.Commits), unique(authors), shownAuthors))...)
	}
	return bot.Post{Key: "live-" + stamp(o.Now), Class: bot.Final, Card: bot.Say(t)}
}

// offside tells once of a commit that is live and not on the branch that the
// environment deploys from. If GitHub cannot say, the next deploy tells.
func (w WatchApp) offside(ctx context.Context, o bot.Operation, env deploys.Environment, d *deploys.App, next *bot.Next) {
	head, err := w.GitHub.Branch(ctx, env.Branch)
	if err != nil {
		next.Wrong = err
		return
	}
	cmp, err := w.GitHub.Compare(ctx, head, d.Commit)
	switch {
	case errors.Is(err, bot.ErrNotFound):
	case err != nil:
		next.Wrong = err
		return
	case cmp.Status == github.Behind || cmp.Status == github.Identical:
		return
	}
	d.Offside = d.Commit
	next.Say = append(next.Say, alarm(alarmOffside, "offside-"+stamp(o.Now), "⚠ "+env.Title()+" serves ", bot.Fixed(deploys.Short(d.Commit)), ", which is not on the branch ",
		bot.Fixed(env.Branch), "."))
}

// unique are the names, each once, in their order.
func unique(names []string) []string {
	var all []string
	seen := map[string]bool{}
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			all = append(all, n)
		}
	}
	return all
}
