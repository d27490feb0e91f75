package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
)

// Hold keeps every promotion that contains a commit from being confirmed.
type Hold struct {
	GitHub history
	Ledger reading
}

// heldBack is what a hold remembers.
type heldBack struct {
	Commit  string // full
	Subject string
	Link    string
	Reason  string
	Running string // what it comes too late for
}

// The states of a hold.
const (
	onHold   bot.State = "held"
	reminded bot.State = "reminded"
	lifted   bot.State = "lifted"
)

const unhold = "unhold"

// remindHold is how often the owner of a hold is asked whether it is still wanted.
const remindHold = 7 * 24 * time.Hour

var holders = bot.Policy{Roles: []bot.Role{bot.Admins, bot.CloudOps}}

func (h Hold) Info() bot.Info {
	return bot.Info{
		Name: "hold", Does: "Refuses every promotion that contains a commit.",
		Who:   bot.Admins.Title() + " or " + bot.CloudOps.Title(),
		Begin: holders,
		Args: []bot.Arg{
			{Name: "commit", Doc: "a commit", Example: "9f8e7d6", Check: aCommit},
			{Name: "reason", Doc: "a reason", Example: "its migration waits for cloudOps", Rest: true},
		},
		Examples: []string{"hold 9f8e7d6 its migration waits for cloudOps"},
		Wait:     "Looking the commit up…",
	}
}

// commitOf is the commit that was typed, or a refusal.
func commitOf(ctx context.Context, h history, ref, undone string) (sha, subject string, err error) {
	c, err := h.Commit(ctx, ref)
	if errors.Is(err, bot.ErrNotFound) {
		err = bot.Refuse("There is no commit ", bot.Fixed(ref), " in the repository, or more than one begins so. ", undone)
	}
	return c.SHA, c.Subject, err
}

func (h Hold) Plan(ctx context.Context, r bot.Request) (bot.Plan[heldBack], error) {
	sha, subject, err := commitOf(ctx, h.GitHub, r.Args["commit"], "Nothing is held.")
	if err != nil {
		return bot.Plan[heldBack]{}, err
	}
	return bot.Plan[heldBack]{
		Begin: &heldBack{Commit: sha, Subject: subject, Link: h.GitHub.CommitURL(sha), Reason: r.Args["reason"]},
		First: onHold, Scopes: []string{holdScopes + sha}, Take: true, About: sha, Guard: h.tooLateFor,
	}, nil
}

// tooLateFor notes the promotions that are confirmed and contain the commit. It
// also lets those that are being confirmed at this moment come first, or after.
func (h Hold) tooLateFor(v bot.View, d *heldBack) error {
	d.Running = ""
	if _, err := v.Holder(holdsScope); err != nil {
		return err
	}
	scopes, err := v.Holders("env/")
	if err != nil {
		return err
	}
	for _, s := range scopes {
		o, err := v.Operation(s.Operation)
		if err != nil {
			return err
		}
		var p promotion
		if o.Kind == "deploy" && json.Unmarshal(o.Data, &p) == nil {
			d.Running = "A promotion of " + deploys.Short(p.To) + " to " + p.Environment + ", confirmed by " + o.Confirmed().Person.Name +
				", is running; the hold counts from the next one on."
		}
	}
	return nil
}

func (h Hold) Steps() map[bot.State]bot.Step[heldBack] {
	buttons := func(bot.Operation, heldBack) bot.Question {
		return bot.Question{Buttons: []bot.Button{{Verb: unhold, Label: "Lift", Dialog: "Let it be promoted again?", May: holders, To: lifted}}}
	}
	return map[bot.State]bot.Step[heldBack]{
		onHold:   {Ask: buttons, GiveUp: bot.After[heldBack](remindHold), Lapse: reminded},
		reminded: {Ask: buttons, GiveUp: bot.After[heldBack](remindHold), Lapse: reminded, Say: h.remind},
		lifted:   {End: bot.Done, Say: h.sayLifted},
	}
}

func (h Hold) Card(o bot.Operation, d heldBack) bot.Card {
	commit := bot.To(deploys.Short(d.Commit), d.Link)
	if o.State == lifted {
		return bot.Say(commit, " can be promoted again; ", o.Decided().Person.Name, " has lifted the hold of "+o.Asked.Name+".").Add(
			bot.SmallPrint("It was: “" + d.Reason + "”"))
	}
	c := bot.Say(bot.Strong("Held back:"), " ", commit, " "+d.Subject).Add(bot.Paragraph("“"+d.Reason+"” — "+o.Asked.Name),
		bot.SmallPrint("No promotion that contains it is confirmed; ", bot.Fixed("/th unhold "+deploys.Short(d.Commit)), " lifts that."))
	if d.Running != "" {
		c = c.Add(bot.Paragraph("⚠ " + d.Running))
	}
	return c
}

func (h Hold) remind(o bot.Operation, d heldBack) []bot.Post {
	short := deploys.Short(d.Commit)
	card := bot.Say(bot.At(o.Asked.ID), " ", bot.To(short, d.Link), " is still held back: “"+d.Reason+"” Is that still wanted?").Add(
		bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{{Label: "Lift", Verb: bot.VerbSay, Value: "unhold " + short}}})
	return []bot.Post{{Key: "reminder", Class: bot.Query, Card: card}}
}

func (h Hold) sayLifted(o bot.Operation, d heldBack) []bot.Post {
	who := o.Decided().Person
	t := bot.T(bot.To(deploys.Short(d.Commit), d.Link), " can be promoted again: ", who.Name, " has lifted the hold")
	if who.ID != o.Asked.ID {
		t = append(t, bot.T(" of ", bot.At(o.Asked.ID))...)
	}
	return []bot.Post{{Key: "lifted", Class: bot.Final, Card: bot.Say(append(t, bot.Span{Text: "."}))}}
}

// Unhold presses [Lift] on the hold of a commit.
type Unhold struct{ Ledger reading }

func (u Unhold) Info() bot.Info {
	return bot.Info{
		Name: "unhold", Does: "Lets a commit be promoted again.", Who: bot.Admins.Title() + " or " + bot.CloudOps.Title(), Begin: holders,
		Args:     []bot.Arg{{Name: "commit", Doc: "a commit", Example: "9f8e7d6", Check: aCommit}},
		Examples: []string{"unhold 9f8e7d6"},
		Wait:     "Looking the hold up…",
	}
}

// Press needs no GitHub for a commit that is held, so that a hold can be lifted
// while GitHub is away.
func (u Unhold) Press(ctx context.Context, r bot.Request) (f bot.Forward, err error) {
	ref := r.Args["commit"]
	err = u.Ledger.View(ctx, func(v bot.View) error {
		found, err := v.Holders(holdScopes + ref)
		switch {
		case err != nil:
			return err
		case len(found) == 0:
			return bot.Refuse(bot.Fixed(ref), " is not held, so there is nothing to lift.")
		case len(found) > 1:
			return bot.Refuse("More than one held commit begins with ", bot.Fixed(ref), ". Nothing was lifted; send more of its digits.")
		}
		f = bot.Forward{Operation: found[0].Operation, Verb: unhold}
		return nil
	})
	return f, err
}
