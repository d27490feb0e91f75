package handlers

import (
	"fmt"
	"strings"

	"thbot/bot"
)

func (a Access) Card(o bot.Operation, d access) bot.Card {
	who, by := d.For.Name, o.Confirmed().Person.Name
	access := who + "'s access to " + d.Database
	reason := bot.SmallPrint("“" + d.Reason + "” — asked by " + o.Asked.Name)
	account := bot.T("Account ", bot.Fixed(d.Account), " on the replica of "+d.Database+": it can read ", bot.Fixed("treeherder"), ", and only with TLS")
	switch o.State {
	case asking, askAgain, askLast:
		return heading("Read access to "+d.Database+" for "+who+"?", " asked by "+o.Asked.Name).Add(
			bot.Paragraph("“"+d.Reason+"”"), bot.Paragraph(account, ", for "+bot.Length(d.Length)+"."))
	case cancelled:
		if d.Of != "" {
			return heading(access+" stays as it is", ", says "+o.Decided().Person.Name)
		}
		return heading("Access to "+d.Database+" for "+who+" was declined", " by "+o.Decided().Person.Name).Add(reason)
	case expired:
		if d.Of != "" {
			return heading(access+" stays as it is", "; nobody confirmed in time that it changes")
		}
		return heading("No access to "+d.Database+" for "+who, "; nobody confirmed it in three days").Add(reason)
	case askExtend:
		return heading("Extend "+access+"?", " asked by "+o.Asked.Name).Add(
			bot.Paragraph("It lasts until ", bot.Date(d.About), ", and then until ", bot.Date(d.Until), ". The password stays as it is."), because(d))
	case askRotate:
		return heading("A new password for "+access+"?", " asked by "+o.Asked.Name).Add(
			bot.Paragraph("The password of ", bot.Fixed(d.Account), " stops working at once, and what is open with it is ended; "+who+" has the new one shown."), because(d))
	case askRevoke:
		return heading("Take away "+access+"?", " asked by "+o.Asked.Name).Add(
			bot.Paragraph("Account ", bot.Fixed(d.Account), " is dropped, and its sessions are ended. It would last until ", bot.Date(d.About), "."), because(d))
	case handed:
		return heading("Changing "+access, " confirmed by "+o.Decided().Person.Name).Add(bot.SmallPrint("Its own message says how that goes."))
	case passed:
		return heading("Nothing to change about "+access, "; it has moved on meanwhile")
	case creating, granting:
		return heading("Giving "+who+" access to "+d.Database, " confirmed by "+by).Add(bot.Part{Kind: bot.Section, Text: account}, reason)
	case rotating:
		return heading("A new password for "+access, " confirmed by "+o.Decided().Person.Name).Add(bot.Part{Kind: bot.Section, Text: account})
	case shutting, dropping, disconnecting:
		return heading("Taking away "+access, "").Add(bot.Paragraph("Dropping account ", bot.Fixed(d.Account), " and ending its sessions."), reason)
	case stuck:
		return heading(access+" could not be taken away", "").Add(bot.Paragraph("⚠ "+d.Why),
			bot.Paragraph("Account ", bot.Fixed(d.Account), " is still there; "+d.usable()+". Somebody of cloudOps has to drop it on the primary, or give me the right to; then try again."), reason)
	case notGiven:
		return heading(who+" has no access to "+d.Database, "").Add(bot.Paragraph(d.why()), reason)
	case revoked:
		return heading(access+" is over", d.ended(o)).Add(leftovers(d)...).Add(reason)
	}
	shown := bot.T("The password was not shown yet.")
	if !d.Shown.IsZero() {
		shown = bot.T("The password was shown last at ", bot.Date(d.Shown), ".")
	}
	return bot.Say(bot.Strong(who+" can read "+d.Database), " until ", bot.Date(d.Until)).Add(
		bot.Part{Kind: bot.Section, Text: account}, bot.Part{Kind: bot.Note, Text: bot.T("Confirmed by "+by+". ", shown)}, reason)
}

// because is why access is to change, if that was said.
func because(d access) bot.Part {
	if d.Reason == "" {
		return bot.SmallPrint("No reason was given.")
	}
	return bot.SmallPrint("“" + d.Reason + "”")
}

func (d access) why() string {
	if d.Why == "" {
		return "The primary did not take it in time. Nothing of it is left."
	}
	return d.Why
}

// ended says why access is over.
func (d access) ended(o bot.Operation) string {
	if d.Why != "" {
		return "; " + strings.TrimSuffix(d.Why, ".")
	}
	for _, p := range o.Presses {
		if p.Verb == revoke {
			return ", revoked by " + p.Person.Name
		}
	}
	return ", since its time is"
}

// usable says whether an account that is still there is of use to anybody.
func (d access) usable() string {
	if d.Locked {
		return "it is locked, so nobody can log in to it"
	}
	return "it is not locked either, so it can still be used"
}

// leftovers are the sessions that outlive an account.
func leftovers(d access) (parts []bot.Part) {
	if len(d.Open) > 0 {
		p := bot.Part{Kind: bot.List}
		for _, s := range d.Open {
			p.Items = append(p.Items, bot.T(fmt.Sprintf("%s: session %d, from ", s.Server, s.ID), bot.Fixed(s.Client)))
		}
		parts = append(parts, bot.Paragraph("⚠ These sessions are open still, and I have no right to end them:"), p)
	}
	if len(d.Unseen) > 0 {
		parts = append(parts, bot.Paragraph("⚠ I could not see whether sessions are open still on the "+strings.Join(d.Unseen, " and the ")+"."))
	}
	return parts
}

func (a Access) sayWaiting(o bot.Operation, d access) []bot.Post {
	return []bot.Post{{Key: "waiting", Class: bot.Query, Card: bot.Say("Access to "+d.Database+" for "+d.For.Name+", which ", bot.At(o.Asked.ID),
		" asked for, still waits for "+bot.CloudOps.Title()+" to confirm it: “"+d.Reason+"”")}}
}

// sayOpen tells the person alone how to have the password shown; the channel
// hears who has access.
func (a Access) sayOpen(o bot.Operation, d access) []bot.Post {
	card := bot.Say("You can read Treeherder's database of "+d.Database+" until ", bot.Date(d.Until), ", as account ", bot.Fixed(d.Account), ".")
	told := bot.T(bot.At(d.For.ID), " can read "+d.Database+" until ", bot.Date(d.Until), "; how, I have sent as a direct message.")
	switch last := o.Decided(); last.Verb {
	case extend:
		card = bot.Say("You can read Treeherder's database of "+d.Database+" for longer, until ", bot.Date(d.Until), "; "+last.Person.Name+" has confirmed that. Your password stays as it is.")
		told = bot.T(d.For.Name+" can read "+d.Database+" until ", bot.Date(d.Until), "; "+last.Person.Name+" has extended it.")
	case rotate:
		card = bot.Say("Your password for "+d.Database+" does not work any more; ", last.Person.Name, " has confirmed that. Have a new one shown.")
		told = bot.T(bot.At(d.For.ID), " the old password for "+d.Database+" does not work any more; how to see the new one, I have sent as a direct message.")
	}
	if o.Decided().Verb != extend {
		card = card.Add(showing(o, d)...)
	}
	return []bot.Post{{Key: "credentials", Class: bot.Final, To: bot.Place{Channel: d.For.ID}, Card: card},
		{Key: "open", Class: bot.Final, Card: bot.Say(told).Add(leftovers(d)...)}}
}

// showing is the button that shows somebody their password.
func showing(o bot.Operation, d access) []bot.Part {
	return []bot.Part{bot.SmallPrint("The window shows a new password each time, and only that one works from then on. I keep none."),
		{Kind: bot.Actions, Buttons: []bot.CardButton{{Label: "Show my credentials", Verb: bot.VerbShow, Value: o.ID, Tone: bot.Primary,
			Dialog: "A new password is made and shown once. An earlier one stops working."}}}}
}

func (a Access) sayEnding(o bot.Operation, d access) []bot.Post {
	if !o.Entered.Before(d.Until) {
		return nil // it ended while the bot was away
	}
	card := bot.Say("Your access to "+d.Database+" ends at ", bot.Date(d.Until), ". Account ", bot.Fixed(d.Account), " is dropped then. If you need it longer, ask now: ",
		bot.Fixed("/th access extend @"+d.For.Name+" "+d.Database), ".")
	return []bot.Post{{Key: "ending", Class: bot.Final, To: bot.Place{Channel: d.For.ID}, Card: card.Add(showing(o, d)...)}}
}

func (a Access) sayRevoked(o bot.Operation, d access) []bot.Post {
	over := bot.T("access to " + d.Database + " is over" + d.ended(o) + ".")
	return []bot.Post{
		{Key: "revoked", Class: bot.Final, To: bot.Place{Channel: d.For.ID}, Card: bot.Say("Your ", over, " Account ", bot.Fixed(d.Account), " cannot be used any more.")},
		{Key: "over", Class: bot.Final, Card: bot.Say(d.For.Name+"'s ", over).Add(leftovers(d)...)},
	}
}

func (a Access) sayNotGiven(o bot.Operation, d access) []bot.Post {
	return []bot.Post{{Key: "not-given", Class: bot.Final, Card: bot.Say("⚠ ", bot.At(o.Asked.ID), " "+d.For.Name+" has no access to "+d.Database+". ", d.why())}}
}

func (a Access) sayStuck(o bot.Operation, d access) []bot.Post {
	return []bot.Post{{Key: "stuck", Class: bot.Final, Card: bot.Say("⚠ ", bot.At(o.Confirmed().Person.ID), " account ", bot.Fixed(d.Account), " of "+d.For.Name+
		" could not be dropped from "+d.Database+"; "+d.usable()+". ", d.Why)}}
}

func (a Access) sayDeclined(o bot.Operation, d access) []bot.Post {
	if d.Of != "" || o.Decided().Person.ID == o.Asked.ID {
		return nil
	}
	return []bot.Post{{Key: "declined", Class: bot.Final, Card: bot.Say(bot.At(o.Asked.ID), " ", o.Decided().Person.Name, " has declined access to "+d.Database+" for "+d.For.Name+".")}}
}

func (a Access) sayExpired(o bot.Operation, d access) []bot.Post {
	if d.Of != "" {
		return nil
	}
	return []bot.Post{{Key: "expired", Class: bot.Final, Card: bot.Say(bot.At(o.Asked.ID), " nobody confirmed access to "+d.Database+" for "+d.For.Name+" in three days, so it is not given.")}}
}
