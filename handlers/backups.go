package handlers

import (
	"context"
	"errors"
	"strings"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/integrations/github"
)

// Backups lists the branches on which resets have kept old heads.
type Backups struct {
	Environments deploys.Environments
	GitHub       branches
}

func (b Backups) Info() bot.Info {
	return bot.Info{
		Name: "backups", Does: "Lists the branches on which resets of prototype have kept old heads.", Who: "anyone",
		Args:     []bot.Arg{{Name: "environment", Doc: "an environment", Example: "prototype", Words: b.Environments.Words()}},
		Examples: []string{"backups prototype"},
		Wait:     "Looking at the branches…",
	}
}

func (b Backups) Answer(ctx context.Context, r bot.Request) (bot.Card, error) {
	env, _ := b.Environments.Named(r.Args["environment"])
	if env.ResetTo == "" {
		return bot.Card{}, bot.Refuse(env.Title(), " is not a branch that is put back, so it has no backups.")
	}
	kept, err := b.GitHub.Branches(ctx, backupOf(env.Branch))
	if err != nil {
		return bot.Card{}, err
	}
	if len(kept) == 0 {
		return bot.Say("No reset has kept anything of ", bot.Fixed(env.Branch), "."), nil
	}
	list := bot.Part{Kind: bot.List}
	for _, k := range kept {
		list.Items = append(list.Items, bot.T(bot.Fixed(k.Name), " on ", bot.To(deploys.Short(k.SHA), b.GitHub.CommitURL(k.SHA))))
	}
	return bot.Say("Resets have kept this of ", bot.Fixed(env.Branch), ":").Add(list,
		bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{{Label: "Delete old ones…", Verb: bot.VerbSay, Value: "clean " + env.Name}}},
		bot.SmallPrint(bot.Fixed("/th reset "+env.Name+" to <commit>"), " puts the branch on one of them.")), nil
}

// Clean deletes backups that are old.
type Clean struct {
	Environments deploys.Environments
	GitHub       branches
	Times        Times
}

// cleaning is what a clean-up remembers.
type cleaning struct {
	Environment string
	Left        []github.Branch // still to be deleted, at these commits
	Gone        []github.Branch
	Why         bot.Text
}

const (
	deleting bot.State = "delete"
	cleaned  bot.State = "cleaned"
	cleanIt            = "clean"
)

// oldBackup is the age at which a backup may be deleted.
const oldBackup = 60 * 24 * time.Hour

func (c Clean) Info() bot.Info {
	return bot.Info{
		Name: "clean", Does: "Deletes backup branches of prototype that are older than 60 days.",
		Who: bot.Admins.Title() + " or " + bot.Pushers.Title(), Begin: resetters,
		Args:     []bot.Arg{{Name: "environment", Doc: "an environment", Example: "prototype", Words: c.Environments.Words()}},
		Examples: []string{"clean prototype"},
		Wait:     "Looking at the branches…",
	}
}

func (c Clean) Plan(ctx context.Context, r bot.Request) (plan bot.Plan[cleaning], err error) {
	env, _ := c.Environments.Named(r.Args["environment"])
	if env.ResetTo == "" {
		return plan, bot.Refuse(env.Title(), " is not a branch that is put back, so it has no backups.")
	}
	kept, err := c.GitHub.Branches(ctx, backupOf(env.Branch))
	if err != nil {
		return plan, err
	}
	d := cleaning{Environment: env.Name}
	for _, k := range kept {
		// The date stands in the name; a branch without one is not ours.
		date, _, _ := strings.Cut(strings.TrimPrefix(k.Name, backupOf(env.Branch))+" ", " ")
		made, err := time.Parse(time.DateOnly, date[:min(len(time.DateOnly), len(date))])
		if err == nil && r.Now.Sub(made) > oldBackup {
			d.Left = append(d.Left, k)
		}
	}
	if len(d.Left) == 0 {
		return plan, bot.Refuse("None of the ", bot.Count(len(kept), "backup", "backups"), " is older than 60 days. Nothing was deleted.")
	}
	return bot.Plan[cleaning]{Begin: &d, First: asking, Asking: "ask/clean/" + env.Name, About: env.Name}, nil
}

func (c Clean) Steps() map[bot.State]bot.Step[cleaning] {
	return map[bot.State]bot.Step[cleaning]{
		asking: {
			Ask: func(_ bot.Operation, d cleaning) bot.Question {
				n := bot.Count(len(d.Left), "branch", "branches")
				return bot.Question{Note: bot.Admins.Title() + " or " + bot.Pushers.Title() + " can confirm", Buttons: []bot.Button{
					{Verb: cleanIt, Label: "Delete " + n, Tone: bot.Danger, May: resetters, To: deleting, Dialog: "Delete " + n + "? The commits are lost where nothing else has them."},
					{Verb: "cancel", Label: "Cancel", May: bot.Policy{Roles: resetters.Roles, Asker: true}, To: cancelled}}}
			},
			GiveUp: bot.After[cleaning](20 * time.Minute), Lapse: expired,
		},
		deleting:  {Look: c.look, Act: c.delete, Refused: failed, Every: time.Second},
		cleaned:   {End: bot.Done},
		failed:    {End: bot.Failed},
		cancelled: {End: bot.Cancelled},
		expired:   {End: bot.Expired},
	}
}

// look takes from the list what is not there any more, or is on something else:
// that is somebody's, now.
func (c Clean) look(ctx context.Context, _ bot.Operation, d *cleaning) (bot.Next, error) {
	for len(d.Left) > 0 {
		at, err := c.GitHub.Branch(ctx, d.Left[0].Name)
		switch {
		case errors.Is(err, bot.ErrNotFound):
			d.Gone = append(d.Gone, d.Left[0])
		case err != nil:
			return bot.Next{}, err
		case at == d.Left[0].SHA:
			return bot.Next{}, nil
		}
		d.Left = d.Left[1:]
	}
	return bot.Next{To: cleaned}, nil
}

func (c Clean) delete(ctx context.Context, _ bot.Operation, d *cleaning) error {
	err := c.GitHub.DeleteBranch(ctx, d.Left[0].Name, d.Left[0].SHA)
	var no *bot.Refused
	if errors.As(err, &no) {
		d.Why = bot.T("GitHub does not let me: " + no.Why)
	}
	if errors.Is(err, bot.ErrMoved) || errors.Is(err, bot.ErrNotFound) {
		return nil // the next look says so
	}
	return err
}

func (c Clean) Card(o bot.Operation, d cleaning) bot.Card {
	list := bot.Part{Kind: bot.List}
	for _, b := range append(d.Gone, d.Left...) {
		list.Items = append(list.Items, bot.T(bot.Fixed(b.Name), " on ", bot.To(deploys.Short(b.SHA), c.GitHub.CommitURL(b.SHA))))
	}
	what := "old backups of " + d.Environment
	switch o.State {
	case asking:
		return heading("Delete "+what+"?", " asked by "+o.Asked.Name).Add(list)
	case deleting:
		return heading("Deleting "+what, " confirmed by "+o.Decided().Person.Name).Add(list)
	case cleaned:
		return heading("Deleted "+bot.Count(len(d.Gone), "old backup", "old backups")+" of "+d.Environment, " confirmed by "+o.Decided().Person.Name).Add(list)
	case failed:
		return heading("Deleting "+what+" did not come out", "").Add(bot.Part{Kind: bot.Section, Text: d.Why}, list)
	case expired:
		return heading("Deleting "+what+" was not confirmed", " in time. Nothing was deleted.")
	}
	return heading("Deleting "+what+" cancelled", " by "+o.Decided().Person.Name+". Nothing was deleted.")
}
