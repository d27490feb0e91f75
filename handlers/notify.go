package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/integrations/github"
)

// Notify mentions somebody: once a commit, a pull request or a bug's commit is
// live, or whenever commits of theirs go out (notify_me.go).
type Notify struct {
	Environments deploys.Environments
	GitHub       history
	Ledger       reading
	Who          *Who
	Times        Times
	facts        *facts
}

// NewNotify returns one that has asked GitHub nothing yet.
func NewNotify(w World) Notify {
	return Notify{w.Environments, w.GitHub, w.Ledger, w.Who, w.Times, newFacts(w.GitHub)}
}

// notice is what a wish to be notified remembers.
type notice struct {
	Environment string
	Bug         int
	PR          int
	Link        string // to the pull request
	Commit      string // in full; empty: the pull request is not merged yet
	CommitLink  string
}

// The states of a notice, beside those that it shares with telling.
const (
	unmerged  bot.State = "unmerged"   // the pull request is open
	onItsWay  bot.State = "on-its-way" // it is a commit, which is not live
	landed    bot.State = "landed"     // and now is
	closed    bot.State = "closed"     // it will never be
	mentioned bot.State = "mentioned"  // whenever commits of theirs go out
	ignored   bot.State = "ignored"    // not any more
)

const (
	// noticeEnds is how long a notice waits.
	noticeEnds = 30 * 24 * time.Hour
	// askPull is the time between two looks at a pull request that is open.
	askPull = 5 * time.Minute
)

func (n Notify) Info() bot.Info {
	return bot.Info{
		Name: "notify", Does: "Mentions you once something is live, or whenever commits of yours go out.", Who: "anyone",
		Args: []bot.Arg{
			{Name: "me", After: "me", Doc: "on or off", Example: "on", Form: "on|off", Words: []bot.Word{{Name: "on"}, {Name: "off"}}},
			{Name: "pr", Doc: "a pull request", Example: "#9101", Form: "#<pr>", Or: true, Check: aPR},
			{Name: "commit", Doc: "a commit", Example: "9f8e7d6", Or: true, Check: aCommit},
			{Name: "bug", After: "bug", Doc: "the number of a bug", Example: "1790001", Form: "<n>", Or: true, Check: aBug},
			{Name: "environment", Doc: "an environment", Example: "prod", Optional: true, Words: n.Environments.Words()},
		},
		Examples: []string{"notify #9101", "notify bug 1790001 stage", "notify me on"},
		Wait:     "Looking where it is…",
	}
}

func (n Notify) Plan(ctx context.Context, r bot.Request) (bot.Plan[notice], error) {
	if word := r.Args["me"]; word != "" {
		return n.me(ctx, r, word)
	}
	env := n.environment(r.Args["environment"])
	d := notice{Environment: env.Name}
	asked := r.Args["pr"] + r.Args["commit"] + r.Args["bug"] // one of them was typed
	var err error
	switch {
	case r.Args["pr"] != "":
		d.PR = number(asked)
		err = n.pull(ctx, &d)
	case r.Args["bug"] != "":
		d.Bug = number(asked)
		err = n.bug(ctx, env, &d)
	default:
		d.Commit, _, err = commitOf(ctx, n.GitHub, asked, "I watch nothing.")
	}
	if err != nil {
		return bot.Plan[notice]{}, err
	}
	first := unmerged
	if d.Commit != "" {
		first, d.CommitLink = onItsWay, n.GitHub.CommitURL(d.Commit)
		live, err := n.live(ctx, env, d.Commit)
		if err != nil {
			return bot.Plan[notice]{}, err
		}
		if live {
			answer := bot.Say(d.what(), " is live on "+env.Name+" already.")
			return bot.Plan[notice]{Answer: &answer}, nil
		}
	}
	return bot.Plan[notice]{Begin: &d, First: first, Asking: "await/" + env.Name + "/" + asked + "/" + r.Person, About: env.Name}, nil
}

// environment is the one of that name; without a name, the one that is promoted.
func (n Notify) environment(name string) deploys.Environment {
	if env, ok := n.Environments.Named(name); ok {
		return env
	}
	for _, env := range n.Environments {
		if env.Promoted() {
			return env
		}
	}
	return n.Environments[0] // the configuration is checked to have one
}

// pull finds the commit that a pull request became, or that it is open.
func (n Notify) pull(ctx context.Context, d *notice) error {
	p, err := n.GitHub.PR(ctx, d.PR)
	switch {
	case errors.Is(err, bot.ErrNotFound):
		return bot.Refuse("There is no pull request ", bot.Fixed(fmt.Sprintf("#%d", d.PR)), " in the repository. I watch nothing.")
	case err != nil:
		return err
	}
	d.Link, d.Commit = p.URL, p.Merged
	if d.Commit == "" && !p.Open {
		return bot.Refuse(d.what(), " was closed and not merged, so it does not go live. I watch nothing.")
	}
	return nil
}

// bug finds the newest commit that names a bug on the branch of env.
func (n Notify) bug(ctx context.Context, env deploys.Environment, d *notice) error {
	if env.Branch == "" {
		return bot.Refuse("I do not know from which branch " + env.Name + " is deployed, so I cannot look for the commits of a bug, and watch nothing. Send one of its commits.")
	}
	head, err := n.facts.head(ctx, env.Branch)
	if errors.Is(err, bot.ErrNotFound) {
		return bot.Refuse("There is no branch ", bot.Fixed(env.Branch), " in the repository, from which "+env.Name+
			" is deployed, so I cannot look for the commits of a bug, and watch nothing. Send one of its commits.")
	}
	if err != nil {
		return err
	}
	commits, err := n.facts.log(ctx, head)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(commits, func(c github.Commit) bool { return c.Bug == d.Bug })
	if at < 0 {
		return bot.Refuse("None of the last ", fmt.Sprint(len(commits)), " commits on ", bot.Fixed(env.Branch), " names "+d.what().String()+
			", so I watch nothing. Once there is a pull request for it, send ", bot.Fixed("/th notify #<pr>"), ".")
	}
	d.Commit = commits[at].SHA
	return nil
}

// live says whether what env serves, as the snapshot has it, contains the commit.
func (n Notify) live(ctx context.Context, env deploys.Environment, commit string) (bool, error) {
	var app deploys.App
	err := n.Ledger.View(ctx, func(v bot.View) (err error) {
		app, err = deploys.AppIn(v, env.Name)
		return err
	})
	if err != nil || app.Commit == "" {
		return false, err
	}
	return n.facts.contains(ctx, app.Commit, commit)
}

func (n Notify) Steps() map[bot.State]bot.Step[notice] {
	stop := func(bot.Operation, notice) bot.Question {
		return bot.Question{Note: "the asker or " + bot.Admins.Title() + " can stop it", Buttons: []bot.Button{
			{Verb: "stop", Label: "Never mind", May: bot.Policy{Roles: []bot.Role{bot.Admins}, Asker: true}, To: cancelled}}}
	}
	until := func(o bot.Operation, _ notice) time.Time { return o.Created.Add(noticeEnds) }
	return map[bot.State]bot.Step[notice]{
		unmerged:  {Ask: stop, Look: n.merged, Every: askPull, GiveUp: until, Lapse: forgot},
		onItsWay:  {Ask: stop, Look: n.lands, Every: n.Times.Watch, GiveUp: until, Lapse: forgot},
		landed:    {End: bot.Done, Say: n.say},
		closed:    {End: bot.Outdated, Say: n.say},
		gone:      {End: bot.Outdated, Say: n.say},
		cancelled: {End: bot.Cancelled},
		forgot:    {End: bot.Expired, Say: n.say},
		mentioned: {Ask: func(bot.Operation, notice) bot.Question {
			return bot.Question{Buttons: []bot.Button{{Verb: "off", May: bot.Policy{Asker: true}, To: ignored}}}
		}},
		ignored: {End: bot.Done},
	}
}

// merged looks whether the pull request has become a commit.
func (n Notify) merged(ctx context.Context, _ bot.Operation, d *notice) (bot.Next, error) {
	err := n.pull(ctx, d)
	var never *bot.Refusal
	switch {
	case errors.As(err, &never):
		return bot.Next{To: closed, Note: "it is closed, or not there any more"}, nil
	case err != nil || d.Commit == "":
		return bot.Next{}, err
	}
	d.CommitLink = n.GitHub.CommitURL(d.Commit)
	return bot.Next{To: onItsWay, Note: "merged as " + d.Commit}, nil
}

func (n Notify) lands(ctx context.Context, _ bot.Operation, d *notice) (bot.Next, error) {
	env, ok := n.Environments.Named(d.Environment)
	if !ok {
		return bot.Next{To: gone}, nil
	}
	live, err := n.live(ctx, env, d.Commit)
	if err != nil || !live {
		return bot.Next{}, err
	}
	return bot.Next{To: landed}, nil
}

// what was asked about: "#9101 (9f8e7d6)".
func (d notice) what() bot.Text {
	commit := bot.To(deploys.Short(d.Commit), d.CommitLink)
	if d.CommitLink == "" {
		commit = bot.Fixed(deploys.Short(d.Commit))
	}
	var t bot.Text
	switch {
	case d.PR > 0:
		t = bot.T(linked(fmt.Sprintf("#%d", d.PR), d.Link))
	case d.Bug > 0:
		t = bot.T(fmt.Sprintf("bug %d", d.Bug))
	default:
		return bot.T(commit)
	}
	if d.Commit == "" {
		return t
	}
	return append(t, bot.T(" (", commit, ")")...)
}

func (n Notify) Card(o bot.Operation, d notice) bot.Card {
	who := o.Asked.Name
	switch o.State {
	case mentioned:
		return bot.Say(who + " is mentioned when commits of theirs go out.")
	case ignored:
		return bot.Say(who + " is not mentioned any more when commits of theirs go out.")
	case unmerged:
		return bot.Say("I will mention ", who, " once ", d.what(), " is merged and live on "+d.Environment+".")
	case onItsWay:
		return bot.Say("I will mention ", who, " once ", d.what(), " is live on "+d.Environment+".")
	case cancelled:
		return bot.Say(who+" need not be told any more when ", d.what(), " is live on "+d.Environment+". Stopped by "+o.Decided().Person.Name+".")
	}
	return bot.Say(who+" has been told about ", d.what(), " on "+d.Environment+".")
}

func (n Notify) say(o bot.Operation, d notice) []bot.Post {
	t := bot.T(bot.At(o.Asked.ID), " ", d.what())
	switch o.State {
	case landed:
		t = append(t, bot.Span{Text: " is live on " + d.Environment + " now."})
	case closed:
		t = append(t, bot.Span{Text: " was closed and not merged, so it does not go live. I have stopped watching."})
	case gone:
		t = append(t, bot.Span{Text: ": I do not know " + d.Environment + " any more, so I have stopped watching."})
	case forgot:
		t = append(t, bot.Span{Text: " has not come to " + d.Environment + " in " + bot.Length(noticeEnds) + ". I have stopped watching."})
	}
	return []bot.Post{{Key: "told", Class: bot.Final, Card: bot.Say(t)}}
}
