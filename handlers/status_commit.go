package handlers

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/integrations/github"
)

var (
	prNumber  = regexp.MustCompile(`^#[1-9][0-9]{0,8}$`)
	bugNumber = regexp.MustCompile(`^#?[1-9][0-9]{0,8}$`)
)

func aPR(value string) string {
	if !prNumber.MatchString(value) {
		return "is not a pull request; they look like #9101"
	}
	return ""
}

func aBug(value string) string {
	if !bugNumber.MatchString(value) {
		return "is not the number of a bug; they look like 1790001"
	}
	return ""
}

func number(typed string) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(typed, "#")) // was checked when it was read
	return n
}

// ofCommit says where a commit is. One that an environment serves, or that a
// run has, needs no GitHub to be found.
func (s Status) ofCommit(ctx context.Context, ref string) (bot.Card, error) {
	k := s.see(ctx, s.Environments)
	c, err := s.facts.commit(ctx, ref)
	switch {
	case errors.Is(err, bot.ErrNotFound):
		t := bot.T("There is no commit ", bot.Fixed(ref), " in the repository, or more than one begins so.")
		if bugNumber.MatchString(ref) {
			t = append(t, bot.T(" If it is a bug, send ", bot.Fixed("/th status bug "+ref), ".")...)
		}
		return bot.Card{}, &bot.Refusal{Text: t}
	case err != nil:
		if c.SHA = s.served(k, ref); c.SHA == "" {
			return bot.Card{}, err
		}
	}
	return s.where(ctx, k, nil, []github.Commit{c}), nil
}

// served is the commit that begins with ref, if just one of those that the
// environments serve does.
func (s Status) served(k seen, ref string) (found string) {
	for _, app := range k.apps {
		if !strings.HasPrefix(app.Commit, ref) || app.Commit == found {
			continue
		}
		if found != "" {
			return ""
		}
		found = app.Commit
	}
	return found
}

// ofPR says where a pull request is.
func (s Status) ofPR(ctx context.Context, typed string) (bot.Card, error) {
	pr, err := s.GitHub.PR(ctx, number(typed))
	if errors.Is(err, bot.ErrNotFound) {
		return bot.Card{}, bot.Refuse("There is no pull request ", bot.Fixed(typed), " in the repository.")
	}
	if err != nil {
		return bot.Card{}, err
	}
	named := bot.T(bot.To(typed, pr.URL), " “"+pr.Title+"”")
	switch {
	case pr.Open:
		return bot.Say(named, " is open: it is not merged to "+pr.Base+" yet."), nil
	case pr.Merged == "":
		return bot.Say(named, " was closed without being merged."), nil
	}
	intro := bot.T(named, " was merged to "+pr.Base+" as ", s.link(pr.Merged), ".")
	return s.where(ctx, s.see(ctx, s.Environments), intro, []github.Commit{{SHA: pr.Merged}}), nil
}

// ofBug says where the commits are that name a bug: those on the branches that
// are deployed from, and those that environments serve beside these.
func (s Status) ofBug(ctx context.Context, typed string) (bot.Card, error) {
	k := s.see(ctx, s.Environments)
	bug := number(typed)
	var found []github.Commit
	var places []string
	seen := map[string]bool{}
	branches := map[string]bool{"": true}
	for _, env := range s.Environments {
		if branches[env.Branch] {
			continue
		}
		branches[env.Branch] = true
		from, err := s.facts.head(ctx, env.Branch)
		if errors.Is(err, bot.ErrNotFound) {
			continue // how it deploys is not known
		} else if err != nil {
			return bot.Card{}, err
		}
		log, err := s.facts.log(ctx, from)
		if err != nil {
			return bot.Card{}, err
		}
		for _, c := range log {
			if c.Bug == bug && !seen[c.SHA] {
				found = append(found, c)
			}
			seen[c.SHA] = true
		}
		places = append(places, fmt.Sprintf("%s of %s", bot.Count(len(log), "commit", "commits"), env.Branch))
	}
	if len(places) == 0 {
		return bot.Card{}, bot.Refuse("No branch is configured in which I could look for bug " + strconv.Itoa(bug) + ".")
	}
	looked := "I looked at the newest " + strings.Join(places, " and ") + "."
	if len(found) == 0 {
		return bot.Say(fmt.Sprintf("No commit names bug %d. %s What was merged before, or names it only below the first line, I do not see.", bug, looked)), nil
	}
	intro := bot.T(fmt.Sprintf("Bug %d is named by %s. %s", bug, bot.Count(len(found), "commit", "commits"), looked))
	return s.where(ctx, k, intro, found), nil
}

// placed is how many commits an answer tells the places of.
const placed = 5

// where says of commits, the newest first, where each is and what it waits for.
func (s Status) where(ctx context.Context, k seen, intro bot.Text, commits []github.Commit) bot.Card {
	ctx, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	s.complete(ctx, &k, s.Environments)
	left := commits[min(placed, len(commits)):]
	commits = commits[:min(placed, len(commits))]
	type place struct {
		line   bot.Text
		review bot.Part
	}
	places := make([][]place, len(commits))
	var all sync.WaitGroup
	for i, c := range commits {
		places[i] = make([]place, len(s.Environments))
		for j, env := range s.Environments {
			all.Go(func() {
				line, review := s.whether(ctx, k, env, c.SHA)
				places[i][j] = place{line, review}
			})
		}
	}
	all.Wait()
	card := bot.Card{Line: intro}
	if intro == nil {
		card.Line = s.named(commits[0])
	} else {
		card = card.Add(bot.Part{Kind: bot.Section, Text: intro})
	}
	var review bot.Part
	for i, c := range commits {
		list := bot.Part{Kind: bot.List}
		for _, p := range places[i] {
			list.Items = append(list.Items, p.line)
			if len(p.review.Buttons) > 0 && len(review.Buttons) == 0 {
				review = p.review
			}
		}
		if intro == nil || c.Subject != "" {
			card = card.Add(bot.Part{Kind: bot.Section, Text: s.named(c)})
		}
		card = card.Add(list)
	}
	if len(left) > 0 {
		more := bot.T("Older ones, each of which can be asked for:")
		for _, c := range left[:min(shown, len(left))] {
			more = append(more, bot.T(" ", s.link(c.SHA))...)
		}
		card = card.Add(bot.Part{Kind: bot.Section, Text: more})
	}
	if away := k.away(s.Environments); len(away) > 0 {
		card = card.Add(bot.Part{Kind: bot.List, Items: away})
	}
	if len(k.guards) > 0 {
		card = card.Add(bot.Part{Kind: bot.List, Items: k.guards})
	}
	card = card.Add(s.age(k, s.Environments))
	if len(review.Buttons) > 0 {
		card = card.Add(review)
	}
	return card
}

// named is a commit as a line of people's talk.
func (s Status) named(c github.Commit) bot.Text {
	t := bot.T(s.link(c.SHA))
	if c.Subject != "" {
		t = append(t, bot.Span{Text: " " + c.Subject + " — " + c.Author})
	}
	return t
}

// whether says whether an environment has a commit, since when, and what it
// waits for else. What can be promoted comes with its button.
func (s Status) whether(ctx context.Context, k seen, env deploys.Environment, sha string) (bot.Text, bot.Part) {
	app := k.apps[env.Name]
	t := bot.T(bot.Strong(env.Title()), ": ")
	if app.Commit == "" {
		return append(t, bot.T("not known; it does not say what it serves")...), bot.Part{}
	}
	in, err := s.facts.contains(ctx, app.Commit, sha)
	switch {
	case errors.Is(err, bot.ErrNotFound):
		return append(t, bot.T("not known; it serves ", s.link(app.Commit), ", which is not a commit of the repository")...), bot.Part{}
	case err != nil:
		return append(t, bot.T("not known; it serves ", s.link(app.Commit), ", and GitHub has not said whether that contains it")...), bot.Part{}
	}
	var review bot.Part
	if in {
		t = append(t, s.liveSince(ctx, k, env, sha)...)
	} else {
		why := bot.Text(nil)
		why, review = s.waitsFor(ctx, k, env, sha)
		t = append(append(t, bot.Span{Text: "not live"}), why...)
	}
	if !app.Failing.IsZero() {
		t = append(t, bot.T("; it has not said what it serves since ", k.when(app.Failing))...)
	}
	return t, review
}

// liveSince says with what a commit is live, and since when as far as that is
// known: only of the last deploy of each environment is noted when it was.
func (s Status) liveSince(ctx context.Context, k seen, env deploys.Environment, sha string) bot.Text {
	app := k.apps[env.Name]
	t := bot.T("live")
	if app.Commit != sha {
		t = append(t, bot.T(" with ", s.link(app.Commit))...)
	}
	if since := app.Since; !since.IsZero() && app.Before != "" {
		if before, err := s.facts.contains(ctx, app.Before, sha); err == nil && before {
			return append(t, bot.T(", and already before ", k.when(since))...)
		} else if err == nil {
			return append(t, bot.T(" since ", k.when(since))...)
		}
	}
	if since := k.since(env); app.Commit == sha && !since.IsZero() {
		t = append(t, bot.T(" since ", k.when(since))...)
	}
	return t
}

// waitsFor says what a commit that is not live waits for.
func (s Status) waitsFor(ctx context.Context, k seen, env deploys.Environment, sha string) (bot.Text, bot.Part) {
	if p, running := k.promoting[env.Name]; running {
		if in, err := s.facts.contains(ctx, p.To, sha); err == nil && in {
			return bot.T("; ", s.link(p.To), ", confirmed by "+p.by+", is on its way there"), bot.Part{}
		}
	}
	if env.Pipeline != nil {
		why, review, err := s.inRun(ctx, k, env, sha)
		switch {
		case err != nil:
			return bot.T("; GitHub has not said whether a run has it"), bot.Part{}
		case why != nil:
			return why, review
		}
	}
	if env.Branch == "" {
		return nil, bot.Part{}
	}
	head, err := s.facts.head(ctx, env.Branch)
	if errors.Is(err, bot.ErrNotFound) {
		return nil, bot.Part{} // how it deploys is not known
	}
	in := false
	if err == nil {
		in, err = s.facts.contains(ctx, head, sha)
	}
	switch {
	case err != nil:
		return bot.T("; GitHub has not said whether it is on " + env.Branch), bot.Part{}
	case !in:
		return bot.T("; it is not on the branch " + env.Branch), bot.Part{}
	case env.Pipeline != nil && k.jobs[env.Pipeline.Job].Read.IsZero():
		return bot.T("; it is on " + env.Branch), bot.Part{} // what its runs do is not known
	case env.Pipeline != nil:
		return bot.T("; it is on " + env.Branch + ", but no run that goes on or waits has it"), bot.Part{}
	}
	return bot.T("; it is on " + env.Branch + " and not deployed yet"), bot.Part{}
}

// inRun looks for the run that brings a commit to an environment: one that waits
// to be promoted if there is one, else the newest that goes on.
func (s Status) inRun(ctx context.Context, k seen, env deploys.Environment, sha string) (why bot.Text, review bot.Part, err error) {
	for _, r := range k.jobs[env.Pipeline.Job].Runs {
		if r.Ended() || r.Commit == "" {
			continue
		}
		waits := r.Paused && len(r.Approvers) == 0
		if why != nil && !(waits && env.Promoted()) {
			continue
		}
		carries, err := s.facts.full(ctx, r.Commit)
		if errors.Is(err, bot.ErrNotFound) {
			continue // a run of something else
		}
		in := false
		if err == nil {
			in, err = s.facts.contains(ctx, carries, sha)
		}
		switch {
		case err != nil:
			return nil, bot.Part{}, err
		case !in:
		case waits && env.Promoted():
			return bot.T("; it waits to be promoted with run ", s.run(env, r)), reviewing(env, r.Commit), nil
		case waits:
			why = bot.T("; run ", s.run(env, r), " is past it, but the app does not serve it yet")
		default:
			why = bot.T("; run ", s.run(env, r), at(r))
		}
	}
	return why, bot.Part{}, nil
}
