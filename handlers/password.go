package handlers

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"thbot/bot"
	"thbot/integrations/mysql"
)

// Password changes the password of a service's account that the configuration
// names. What it breaks stands in the question; whoever confirms it sees the
// new one, and nobody else does.
type Password struct {
	Databases map[string]Database
	Words     []bot.Word // the databases as people type them
}

func (w World) password() Password { return Password{w.Databases, w.databaseWords()} }

// passwordChange is what a change of a password remembers.
type passwordChange struct {
	Database string
	Account  string
	Breaks   string // what breaks until what is changed
	By       bot.Person
	Keeps    bool      // the server lets an old password work on
	Set      time.Time // when it was changed last; zero: not yet
	Times    int       // how often it was
	Kept     bool      // the old password works still
	Unseen   bool      // it may have been changed to one that nobody has seen
	Why      string    // the server refused
}

// The states of a change of a password, beside those it shares with others.
const (
	setting    bot.State = "confirmed" // it can be set and shown
	discarding bot.State = "discard"
	changed    bot.State = "changed"
	unset      bot.State = "unset"
)

// showPassword is how long whoever confirmed has to set and see it, and how
// often it is said that an old password still works.
const showPassword = 24 * time.Hour

func (p Password) Info() bot.Info {
	words := []bot.Word{}
	for _, name := range p.services() {
		words = append(words, bot.Word{Name: name})
	}
	return bot.Info{
		Name: "password", Does: "Changes the password of a service's database account.",
		Who: "anyone can ask; " + bot.CloudOps.Title() + " confirms, and alone sees it",
		Args: []bot.Arg{
			{Name: "account", Doc: "an account of a service", Example: "redash", Words: words},
			{Name: "database", Doc: "a database", Example: "stage", Words: p.Words, Optional: true},
		},
		Examples: []string{"password redash"},
		Wait:     "Looking at what uses it…",
	}
}

// services are the names of all accounts that can be changed.
func (p Password) services() (names []string) {
	for _, db := range p.Databases {
		names = slices.AppendSeq(names, maps.Keys(db.Services))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (p Password) Plan(ctx context.Context, r bot.Request) (plan bot.Plan[passwordChange], err error) {
	account := r.Args["account"]
	if len(p.services()) == 0 {
		return plan, bot.Refuse("No account of a service is configured, so there is no password that I could change. Whoever runs me can add them as ",
			bot.Fixed("databases.….services"), " to my configuration.")
	}
	var found []string
	for _, word := range p.Words {
		_, ok := p.Databases[word.Name].Services[account]
		if asked := r.Args["database"]; ok && (asked == "" || asked == word.Name) {
			found = append(found, word.Name)
		}
	}
	switch len(found) {
	case 0:
		return plan, bot.Refuse("I may not change ", bot.Fixed(account), " of "+r.Args["database"]+", since my configuration does not name it there. Nothing was asked.")
	case 1:
	default:
		return plan, bot.Refuse("There is ", bot.Fixed(account), " at "+strings.Join(found, " and ")+", so say which. Nothing was asked. Send for example ",
			bot.Fixed("/th password "+account+" "+found[0]), ".")
	}
	db := p.Databases[found[0]]
	primary, err := db.Primary.Identity(ctx)
	if err != nil {
		return plan, unasked(db, err)
	}
	if primary.ReadOnly {
		return plan, bot.Refuse("The primary of " + db.Name + " is read-only just now, so no password can be changed. Nothing was asked.")
	}
	d := passwordChange{Database: db.Name, Account: account, Breaks: db.Services[account], Keeps: primary.KeepsOldPassword()}
	scope := "password/" + db.Name + "/" + account
	return bot.Plan[passwordChange]{Begin: &d, First: asking, Asking: "ask/" + scope, About: db.Name, Scopes: []string{scope}}, nil
}

func (p Password) Steps() map[bot.State]bot.Step[passwordChange] {
	return map[bot.State]bot.Step[passwordChange]{
		asking: {
			Ask: func(_ bot.Operation, d passwordChange) bot.Question {
				return bot.Question{Note: bot.CloudOps.Title() + " can confirm", Buttons: []bot.Button{
					{Verb: "change", Label: "Change it", Tone: bot.Danger, Dialog: "Change the password of " + d.Account + "? You alone will see the new one.",
						May: granters, To: setting, Decides: true},
					{Verb: "cancel", Label: "Leave it", May: bot.Policy{Roles: granters.Roles, Asker: true}, To: cancelled},
				}}
			},
			Pressed: func(_ bot.View, _ bot.Operation, d *passwordChange, by bot.Decision) error {
				d.By = by.Person
				return nil
			},
			GiveUp: bot.After[passwordChange](showPassword), Lapse: expired,
		},
		setting: {
			Ask: p.settle, Pressed: p.settled, Look: p.waited, Every: time.Hour, Say: p.sayConfirmed,
			Show: p.show, ShowTo: func(_ bot.Operation, d passwordChange) bot.Policy { return bot.Policy{People: []string{d.By.ID}} },
		},
		discarding: {Look: p.discarded, Act: p.discard, Refused: setting, Every: lookAtServer},
		changed:    {End: bot.Done, Say: p.sayChanged},
		unset:      {End: bot.Expired},
		cancelled:  {End: bot.Cancelled},
		expired:    {End: bot.Expired},
	}
}

// settle is how a change is brought to its end, once the password was set.
func (p Password) settle(_ bot.Operation, d passwordChange) bot.Question {
	switch {
	case d.Set.IsZero():
		return bot.Question{Buttons: []bot.Button{{Verb: "cancel", Label: "Leave it", May: granters, To: cancelled}}}
	case d.Kept:
		return bot.Question{Buttons: []bot.Button{{Verb: "discard", Label: "Discard the old password", Tone: bot.Danger,
			Dialog: "What still uses the old password breaks. Discard it?", May: granters, To: discarding}}}
	}
	return bot.Question{Buttons: []bot.Button{{Verb: "done", Label: "Everything uses the new one", May: granters, To: changed}}}
}

// settled notes that it was brought to its end while a password was being set.
func (p Password) settled(_ bot.View, o bot.Operation, d *passwordChange, _ bot.Decision) error {
	d.Unseen = d.Unseen || o.Acts > 0
	return nil
}

// waited ends a change that nobody made, or one that needs nothing more, after
// a day, and reminds of an old password that still works. It tells of a password
// that was being set when the process died.
func (p Password) waited(_ context.Context, o bot.Operation, d *passwordChange) (bot.Next, error) {
	switch {
	case o.Acts > 0 && !d.Unseen:
		d.Unseen = true
		return bot.Next{Say: []bot.Post{{Key: "unseen", Class: bot.Final, To: bot.Place{Channel: d.By.ID}, Card: bot.Say("⚠ I was interrupted while I set the new password of ",
			bot.Fixed(d.Account), " on "+d.Database+". It may have been changed to one that nobody has seen: have another one set.").Add(setButton(o, *d))}}}, nil
	case o.Now.Sub(o.Entered) < showPassword:
		return bot.Next{}, nil
	case d.Set.IsZero():
		return bot.Next{To: unset, Note: "nobody had it set"}, nil
	case d.Kept:
		return bot.Next{To: setting, Note: "the old password still works"}, nil
	}
	return bot.Next{To: changed, Note: "nothing was left to do"}, nil
}

// show sets a new password and shows it.
//
// Where the server keeps the old one there is no making void: a further change
// would keep this one, and end the one that the service uses.
func (p Password) show(ctx context.Context, o bot.Operation, d *passwordChange, _ bot.Person) (bot.Shown, error) {
	db := p.Databases[d.Database]
	password := mysql.NewPassword()
	d.Unseen = d.Unseen || o.Acts > 0
	kept, err := db.Primary.ChangePassword(ctx, d.Account, password)
	if errors.Is(err, mysql.ErrMissing) {
		return bot.Shown{}, bot.Refuse("There is no account " + d.Account + " on the primary of " + d.Database + ", so nothing was changed.")
	} else if err != nil {
		d.Unseen = d.Unseen || !bot.NotSent(err)
		return bot.Shown{}, err
	}
	d.Set, d.Kept = o.Now, kept
	d.Unseen = d.Unseen && kept // else the last one alone works
	d.Times++
	c := bot.Card{Line: bot.T("The new password"), Parts: []bot.Part{
		bot.Paragraph("It is shown this once and kept nowhere: copy it now."),
		{Kind: bot.Block, Text: bot.T("account   " + d.Account + "\ndatabase  " + mysql.Database + " of " + d.Database + "\npassword  " + password.Reveal())},
		bot.Paragraph(bot.Strong("What it breaks, and what to change:"), " ", d.Breaks),
	}}
	shown := bot.Shown{}
	if kept {
		c = c.Add(bot.Paragraph("The password before this one works still, until somebody presses [Discard the old password] in the channel."))
	} else {
		shown.Void = func(ctx context.Context) error {
			_, err := db.Primary.ChangePassword(ctx, d.Account, mysql.NewPassword())
			return err
		}
		c = c.Add(bot.Paragraph("The password before this one does not work any more. Connections that are open stay open."))
	}
	shown.Card = c
	return shown, nil
}

func (p Password) discarded(_ context.Context, _ bot.Operation, d *passwordChange) (bot.Next, error) {
	if d.Kept {
		return bot.Next{}, nil
	}
	return bot.Next{To: changed, Note: "the old password does not work any more"}, nil
}

func (p Password) discard(ctx context.Context, _ bot.Operation, d *passwordChange) error {
	err := p.Databases[d.Database].Primary.DiscardOldPassword(ctx, d.Account)
	d.Kept, d.Why = err != nil, finally(err)
	d.Unseen = d.Unseen && d.Kept
	return err
}

func (p Password) Card(o bot.Operation, d passwordChange) bot.Card {
	what := "the password of " + d.Account + " on " + d.Database
	breaks := bot.Paragraph(bot.Strong("What it breaks, and what to change:"), " ", d.Breaks)
	asked := bot.SmallPrint("Asked by " + o.Asked.Name)
	not := "Not changed: "
	var unseen []bot.Part
	if d.Unseen {
		not = "Perhaps changed: "
		unseen = append(unseen, bot.Paragraph("⚠ A new password may have been set that nobody has seen. If what uses it cannot log in, ask again: ", bot.Fixed("/th password "+d.Account+" "+d.Database), "."))
	}
	switch o.State {
	case asking:
		keeps := bot.Paragraph("The old password stops working at once; connections that are open stay open.")
		if d.Keeps {
			keeps = bot.Paragraph("The old password works on until somebody discards it.")
		}
		return heading("Change "+what+"?", " asked by "+o.Asked.Name).Add(breaks, keeps)
	case cancelled:
		return heading(not+what, ", says "+o.Decided().Person.Name).Add(unseen...).Add(asked)
	case expired:
		return heading("Not changed: "+what, "; nobody confirmed it in time").Add(asked)
	case unset:
		return heading(not+what, "; "+d.By.Name+" did not have it set").Add(unseen...).Add(asked)
	case changed:
		return heading("Changed: "+what, ", by "+d.By.Name).Add(bot.Paragraph("Changed at ", bot.Date(d.Set), ". An older password does not work any more.")).Add(unseen...).Add(asked)
	case discarding:
		return heading("Discarding the old password of "+d.Account, " confirmed by "+o.Decided().Person.Name)
	}
	c := heading("Changing "+what, " confirmed by "+d.By.Name).Add(breaks)
	switch {
	case d.Set.IsZero() && d.Unseen:
		c = c.Add(bot.Paragraph("⚠ It may have been changed to a password that nobody has seen: " + d.By.Name + " can have another one set, with the button of a direct message."))
	case d.Set.IsZero():
		c = c.Add(bot.Paragraph("It is not changed yet: " + d.By.Name + " has a button for that, as a direct message."))
	case d.Times > 2 || d.Times > 1 && d.Kept:
		c = c.Add(bot.Paragraph("⚠ It was changed ", bot.Count(d.Times, "time", "times"), ", last at ", bot.Date(d.Set), ". Only the last ones work: what the service had at first does not any more."))
	case d.Kept && d.Unseen:
		c = c.Add(bot.Paragraph("⚠ It may have been changed twice, last at ", bot.Date(d.Set), ". Only the last two passwords work: what the service had at first may not any more."))
	case d.Kept:
		c = c.Add(bot.Paragraph("It was changed at ", bot.Date(d.Set), ". The old password works still."))
	default:
		c = c.Add(bot.Paragraph("It was changed at ", bot.Date(d.Set), ". The old password does not work any more."))
	}
	if d.Why != "" {
		c = c.Add(bot.Paragraph("⚠ " + d.Why))
	}
	return c.Add(asked)
}

// sayConfirmed gives whoever confirmed it the button that sets the password.
func (p Password) sayConfirmed(o bot.Operation, d passwordChange) []bot.Post {
	if !d.Set.IsZero() {
		return []bot.Post{{Key: "kept", Class: bot.Query, Card: bot.Say(bot.At(d.By.ID), " the old password of ", bot.Fixed(d.Account), " on "+d.Database+
			" works still. Discard it once everything uses the new one. "+d.Why)}}
	}
	card := bot.Say("You have confirmed that the password of ", bot.Fixed(d.Account), " on "+d.Database+" changes. You alone see the new one, once.").Add(
		bot.Paragraph(bot.Strong("What it breaks, and what to change:"), " ", d.Breaks), setButton(o, d))
	return []bot.Post{{Key: "set", Class: bot.Final, To: bot.Place{Channel: d.By.ID}, Card: card}}
}

// setButton is the button that sets the password and shows it.
func setButton(o bot.Operation, d passwordChange) bot.Part {
	dialog := "The old password stops working at once. Set a new one, and see it once?"
	if d.Keeps {
		dialog = "The old password works on until it is discarded; pressing this a second time ends it. Set a new one, and see it once?"
	}
	return bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{{Label: "Set and show the new password", Verb: bot.VerbShow, Value: o.ID, Tone: bot.Danger, Dialog: dialog}}}
}

func (p Password) sayChanged(o bot.Operation, d passwordChange) []bot.Post {
	return []bot.Post{{Key: "changed", Class: bot.Final, Card: bot.Say("The password of ", bot.Fixed(d.Account), " on "+d.Database+" was changed by "+d.By.Name+"; an older one does not work any more.")}}
}
