package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/integrations/github"
	"thbot/integrations/jenkins"
)

// Status says what is live, and whether a commit, a pull request or a bug is.
// It answers from the snapshot; what GitHub adds is left out where that is slow.
type Status struct {
	Environments deploys.Environments
	Jenkins      interface {
		RunURL(job string, number int) string
	}
	GitHub history
	Apps   apps
	Ledger reading
	Times  Times
	facts  *facts
}

// NewStatus returns one that has asked GitHub nothing yet.
func NewStatus(w World) Status {
	return Status{w.Environments, w.Jenkins, w.GitHub, w.Apps, w.Ledger, w.Times, newFacts(w.GitHub)}
}

func (s Status) Info() bot.Info {
	return bot.Info{
		Name: "status", Does: "Says what is live, or where a commit, a pull request or a bug is and what it waits for.", Who: "anyone",
		Args: []bot.Arg{
			{Name: "environment", Doc: "an environment", Example: "prod", Optional: true, Words: s.Environments.Words()},
			{Name: "commit", Doc: "a commit", Example: "9f8e7d6", Or: true, Check: aCommit},
			{Name: "pr", Doc: "a pull request", Example: "#9101", Or: true, Check: aPR, Form: "#<pr>"},
			{Name: "bug", Doc: "a bug's number", Example: "1790001", Or: true, After: "bug", Check: aBug, Form: "<n>"},
		},
		Examples: []string{"status", "status prod", "status 9f8e7d6", "status #9101", "status bug 1790001"},
		Wait:     "Looking where that is…",
		Menu:     "What is live?", MenuText: "status",
	}
}

func (s Status) Answer(ctx context.Context, r bot.Request) (card bot.Card, err error) {
	text := "status"
	switch {
	case r.Args["commit"] != "":
		text += " " + r.Args["commit"]
		card, err = s.ofCommit(ctx, r.Args["commit"])
	case r.Args["pr"] != "":
		text += " " + r.Args["pr"]
		card, err = s.ofPR(ctx, r.Args["pr"])
	case r.Args["bug"] != "":
		text += " bug " + r.Args["bug"]
		card, err = s.ofBug(ctx, r.Args["bug"])
	default:
		asked := s.Environments
		if env, ok := s.Environments.Named(r.Args["environment"]); ok {
			asked = deploys.Environments{env}
			text += " " + env.Name
		}
		card = s.overview(ctx, asked)
	}
	if err != nil {
		return card, err
	}
	return shareable(card, r, text), nil
}

// shareable is an answer with the button that says the command again to the
// channel, unless it was said there.
func shareable(card bot.Card, r bot.Request, text string) bot.Card {
	if r.Share {
		return card
	}
	share := bot.CardButton{Label: "Post to channel", Verb: bot.VerbShare, Value: text}
	if last := len(card.Parts) - 1; last >= 0 && card.Parts[last].Kind == bot.Actions {
		card.Parts[last].Buttons = append(card.Parts[last].Buttons, share)
		return card
	}
	return card.Add(bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{share}})
}

// patience is how long an answer about environments waits for what GitHub adds,
// and for apps of which nothing is known. The chat wants to be answered at once.
const patience = time.Second

// overview says what is live in these environments, and what goes on there.
func (s Status) overview(ctx context.Context, asked deploys.Environments) bot.Card {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	k := s.see(ctx, asked)
	s.complete(ctx, &k, asked)
	lines := make([]bot.Text, len(asked))
	compared := make([]error, len(asked))
	var going []bot.Text
	var review bot.Part
	var all sync.WaitGroup
	for i, env := range asked {
		all.Go(func() { lines[i], compared[i] = s.serves(ctx, k, env) })
	}
	all.Go(func() { going, review = s.going(ctx, k, asked) })
	all.Wait()
	card := bot.Card{Line: lines[0]}
	if len(lines) > 1 {
		card.Line = bot.T("What is live")
	}
	card = card.Add(bot.Part{Kind: bot.List, Items: lines})
	if going = append(k.away(asked), going...); len(going) > 0 {
		card = card.Add(bot.Part{Kind: bot.List, Items: going})
	}
	if len(k.guards) > 0 {
		card = card.Add(bot.Part{Kind: bot.List, Items: k.guards})
	}
	age := s.age(k, asked)
	if errors.Join(compared...) != nil {
		age.Text = append(age.Text, bot.Span{Text: " GitHub has not said how all of these commits stand to each other."})
	}
	if card = card.Add(age); len(review.Buttons) > 0 {
		card = card.Add(review)
	}
	return card
}

// serves is the line of an environment. An error says what of it is missing.
func (s Status) serves(ctx context.Context, k seen, env deploys.Environment) (bot.Text, error) {
	app := k.apps[env.Name]
	host := bot.To(env.Host(), env.URL)
	switch {
	case app.Commit == "" && app.Failing.IsZero():
		return bot.T("⚠ ", bot.Strong(env.Title()), " does not say what it serves: ", host, " gives no usable answer"), nil
	case app.Commit == "":
		return bot.T("⚠ ", bot.Strong(env.Title()), " has not said what it serves since ", k.when(app.Failing), ": ", host, " gives no usable answer"), nil
	case !app.Failing.IsZero():
		return bot.T("⚠ ", bot.Strong(env.Title()), " has not said what it serves since ", k.when(app.Failing), "; before, it served ", s.link(app.Commit), " · ", host), nil
	}
	t := bot.T(bot.Strong(env.Title()), " serves ", s.link(app.Commit))
	if since := k.since(env); !since.IsZero() {
		t = append(t, bot.T(" since ", k.when(since))...)
	}
	if app.Next != "" && app.Next != app.Commit {
		t = append(t, bot.T(", and now also ", s.link(app.Next))...)
	}
	stands, err := s.stands(ctx, k, env, app.Commit)
	return append(t, stands...), err
}

func (s Status) link(commit string) bot.Span {
	return bot.To(deploys.Short(commit), s.GitHub.CommitURL(commit))
}

// stands says how what an environment serves stands to what it is fed from: for
// one that is promoted the environment before it, for others a branch.
func (s Status) stands(ctx context.Context, k seen, env deploys.Environment, commit string) (bot.Text, error) {
	from, base := env.Branch, ""
	if env.ResetTo != "" {
		from = env.ResetTo
	}
	if before, ok := s.Environments.Before(env); env.Promoted() && ok {
		if from, base = before.Name, k.apps[before.Name].Commit; base == "" {
			return nil, nil // it has not said; its own line tells that
		}
	}
	if from == "" {
		return nil, nil
	}
	if base == "" {
		sha, err := s.facts.head(ctx, from)
		if errors.Is(err, bot.ErrNotFound) {
			return nil, nil // how it deploys is not known
		}
		if err != nil {
			return nil, err
		}
		base = sha
	}
	// The same question as whether what waits is newer.
	cmp, err := s.facts.compare(ctx, commit, base)
	cmp = reversed(cmp)
	if errors.Is(err, bot.ErrNotFound) {
		return bot.T(" · not a commit of the repository"), nil
	}
	if err != nil {
		return nil, err
	}
	switch counted := bot.Count(max(cmp.Ahead, cmp.Behind), "commit", "commits"); cmp.Status {
	case github.Identical:
		return bot.T(" · same as " + from), nil
	case github.Behind:
		return bot.T(" · ", s.between(commit, base, counted), " behind "+from), nil
	case github.Ahead:
		return bot.T(" · ", s.between(base, commit, counted), " ahead of "+from), nil
	}
	return bot.T(" · ", s.between(base, commit, bot.Count(cmp.Ahead, "commit", "commits")), " ahead of "+from+fmt.Sprintf(" and %d behind", cmp.Behind)), nil
}

// between leads to the commits between two. Short names of them leave room: an
// entry of a list is cut that is too long for the chat, addresses included.
func (s Status) between(base, head, text string) bot.Span {
	return bot.To(text, s.GitHub.CompareURL(deploys.Short(base), deploys.Short(head)))
}

// going says what goes on in the environments' job, and offers what can be
// promoted.
func (s Status) going(ctx context.Context, k seen, asked deploys.Environments) (lines []bot.Text, review bot.Part) {
	for _, env := range asked {
		if env.Pipeline == nil {
			continue
		}
		ours, running := k.promoting[env.Name]
		if running {
			what := bot.T(s.link(ours.To), " is being promoted to "+env.Name)
			if ours.revert {
				what = bot.T(env.Title()+" is being reverted to ", s.link(ours.To))
			}
			if ours.Run != 0 { // that of a revert has to be found first
				what = append(what, bot.T(" with run ", run(ours.promotion))...)
			}
			lines = append(lines, append(what, bot.T("; "+ours.by+" confirmed that at ", k.when(ours.since), ".")...))
		}
		var waiting []deploys.Run
		for _, r := range k.jobs[env.Pipeline.Job].Runs {
			released := len(r.Approvers) > 0
			switch {
			case r.Ended() || running && r.Number == ours.Run || env.Promoted() != (released || r.Paused):
			case r.Paused && released:
				lines = append(lines, bot.T(s.runWith(env, r), " waits at a further input in Jenkins."))
			case r.Paused:
				waiting = append(waiting, r)
			default:
				lines = append(lines, bot.T(s.runWith(env, r), at(r), "."))
			}
		}
		live := k.apps[env.Name].Commit
		if running {
			live = ours.To
		}
		line, commit := s.waits(ctx, env, live, waiting)
		if running && commit == "" {
			continue // what is older than that is told when it is live
		}
		if line != nil {
			lines = append(lines, line)
		}
		if commit != "" && !running {
			review = reviewing(env, commit)
		}
	}
	return lines, review
}

// reviewing opens the question of a promotion. It never promotes by itself.
func reviewing(env deploys.Environment, commit string) bot.Part {
	return bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{
		{Label: "Review and promote", Verb: bot.VerbSay, Value: "deploy " + env.Name + " " + deploys.Short(commit)}}}
}

// runWith is "Run 813 with 7d7d7d7".
func (s Status) runWith(env deploys.Environment, r deploys.Run) bot.Text {
	with := bot.Span{Text: "a commit that it does not tell"}
	if r.Commit != "" {
		with = s.link(r.Commit)
	}
	return bot.T("Run ", s.run(env, r), " with ", with)
}

// run is a run's number, with a link.
func (s Status) run(env deploys.Environment, r deploys.Run) bot.Span {
	return bot.To(fmt.Sprint(r.Number), s.Jenkins.RunURL(env.Pipeline.Job, r.Number))
}

// at says where a run is: " is at “build”, begun at 14:02".
func at(r deploys.Run) bot.Text {
	t := bot.T(" has begun")
	for _, stage := range r.Stages {
		if stage.Status == jenkins.StageInProgress {
			t = bot.T(" is at “" + stage.Name + "”")
		}
	}
	if n := len(r.Approvers); n > 0 {
		return append(t, bot.Span{Text: ", let go on in Jenkins by " + r.Approvers[n-1]})
	}
	return append(t, bot.T(", begun at ", bot.Time(r.Started))...)
}

// waits says which runs, the newest first, wait to be promoted, and which
// commit of these can be, if live is what they are promoted over.
func (s Status) waits(ctx context.Context, env deploys.Environment, live string, runs []deploys.Run) (line bot.Text, commit string) {
	var past []string
	for i, r := range runs {
		if live != "" && r.Commit != "" {
			if old, err := s.older(ctx, live, r.Commit); err == nil && old {
				past = append(past, fmt.Sprint(r.Number))
				continue
			}
		}
		line = bot.T(s.runWith(env, r), " waits to be promoted to "+env.Name+".")
		if older := runs[i+1:]; len(older) > 0 {
			var also []string
			for _, r := range older {
				also = append(also, fmt.Sprint(r.Number))
			}
			line = append(line, bot.Span{Text: " Older ones wait, too: run " + strings.Join(also, ", ") + "."})
		}
		return line, r.Commit
	}
	if len(past) == 0 {
		return nil, ""
	}
	return bot.T("Nothing new waits to be promoted to " + env.Name + "; still waiting, but not newer than what it serves: run " + strings.Join(past, ", ") + "."), ""
}

// older says whether what is live has that commit already, or is on another
// line than it: then promoting it would be a revert.
func (s Status) older(ctx context.Context, live, ref string) (bool, error) {
	sha, err := s.facts.full(ctx, ref)
	if err != nil {
		return false, err
	}
	cmp, err := s.facts.compare(ctx, live, sha)
	return cmp.Status != github.Ahead, err
}
