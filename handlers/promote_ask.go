package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/integrations/github"
)

// What a promotion asks before it is begun: who has to confirm it, and what
// each of them is warned of.

const promoteIt = "promote"

func cancelIt() bot.Button {
	return bot.Button{Verb: "cancel", Label: "Cancel", May: bot.Policy{Roles: []bot.Role{bot.Admins}, Asker: true}, To: cancelled}
}

func (p Promote) ask(_ bot.Operation, d promotion) bot.Question {
	confirm := bot.Button{Verb: promoteIt, Label: "Promote", Tone: bot.Primary, To: checking, Decides: true, People: d.Confirm.People,
		May:    bot.Policy{Roles: []bot.Role{bot.Admins}, Other: !d.Confirm.Self},
		Dialog: fmt.Sprintf("Promote %s to %s?", deploys.Short(d.To), d.Environment)}
	if warnings := d.warnings(); len(warnings) > 0 {
		confirm.Tone = bot.Danger
		confirm.Dialog += " " + strings.Join(warnings, " ")
	}
	note := bot.Admins.Title() + " can confirm"
	if d.Confirm.CloudOps && d.Schema.any() {
		confirm.May.Roles = append(confirm.May.Roles, bot.CloudOps)
		confirm.Among = bot.CloudOps
		note = bot.CloudOps.Title() + " has to confirm, since there are migrations"
		if !d.Schema.Told && d.Schema.Left > 0 {
			note = bot.CloudOps.Title() + " has to confirm, since there may be migrations"
		}
	}
	if n := d.Confirm.People; n > 1 {
		note += fmt.Sprintf("; it takes %d people", n)
	}
	if !d.Confirm.Self {
		note += "; not the asker"
	}
	return bot.Question{Note: note, Buttons: []bot.Button{confirm, cancelIt()}}
}

// warnings are what a person is told once more in the confirm dialog.
func (d promotion) warnings() []string {
	var all []string
	if d.Forced != "" {
		all = append(all, "This goes past: "+plain(sentences(d.Around)))
	}
	if d.CI.State != github.Green {
		all = append(all, "CI is "+string(d.CI.State)+".")
	}
	switch {
	case !d.Schema.Told && d.Schema.Left > 0:
		all = append(all, "Whether there are migrations is not known.")
	case !d.Schema.Told:
		all = append(all, "What its migrations do is not known.")
	case d.Schema.Danger:
		all = append(all, "It has migrations to think about.")
	}
	return all
}

// plain is a text for a dialog, which cannot show times in its reader's zone.
func plain(t bot.Text) string {
	t = slices.Clone(t)
	for i, s := range t {
		if s.Style == bot.Clock || s.Style == bot.Day {
			t[i] = bot.Span{Text: bot.Text{s}.String() + " UTC"}
		}
	}
	return t.String()
}

// allowed reads the locks, holds and freezes in the transaction that takes the
// decision. Whatever the question did not show stops it.
func (p Promote) allowed(v bot.View, _ bot.Operation, d *promotion, press bot.Decision) error {
	if press.Verb != promoteIt {
		return nil
	}
	env, _ := p.Environments.Named(d.Environment)
	stops, err := obstacles(v, env, func(h hold) bool { return !slices.Contains(d.Clear, h.id) })
	if err != nil {
		return err
	}
	stops = slices.DeleteFunc(stops, func(o obstacle) bool { return slices.Contains(d.Past, o.ID) })
	if len(stops) > 0 {
		return stopped("I did nothing; since the question: ", stops, "deploy "+d.Environment)
	}
	return nil
}

// prepare reads on what the migrations do, until that is known.
func (p Promote) prepare(ctx context.Context, _ bot.Operation, d *promotion) (bot.Next, error) {
	left := d.Schema.Left
	switch err := p.Schemas.more(ctx, &d.Schema, d.To); {
	case err == nil:
		return bot.Next{To: asking, Note: "all of it has been looked up"}, nil
	case d.Schema.Left < left:
		return bot.Next{}, nil // GitHub is slow, or there is much to read; it goes on
	default:
		return bot.Next{}, err
	}
}

// sayForced tells the channel, and whoever had reasons, before it is done.
func (p Promote) sayForced(o bot.Operation, d promotion) []bot.Post {
	if d.Forced == "" {
		return nil
	}
	are := " is"
	if len(o.Confirmers()) > 1 {
		are = " are"
	}
	t := bot.T("⚠ "+names(o.Confirmers())+are+" promoting ", bot.Fixed(deploys.Short(d.To)), " to "+d.Environment+" past this: ")
	t = append(t, sentences(d.Around)...)
	t = append(t, bot.T(" ", sentences([]bot.Text{bot.T("The reason: “" + d.Forced + "”")}), " ")...)
	return []bot.Post{{Key: "forced", Class: bot.Final, Card: bot.Say(append(t, mentions(d.Owners)...))}}
}

// names is "ana and bea".
func names(people []bot.Person) string {
	var all []string
	for _, p := range people {
		all = append(all, p.Name)
	}
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}
