package handlers

import (
	"fmt"

	"thbot/bot"
	"thbot/handlers/deploys"
)

// Card is a reset's one message.
func (r Reset) Card(o bot.Operation, d resetting) bot.Card {
	env := d.Environment
	who := names(o.Confirmers())
	switch o.State {
	case asking:
		return heading("Reset "+env+" to "+d.Onto+"?", " asked by "+o.Asked.Name).Add(stops(d)...)
	case checking:
		return heading("Reset "+env, " confirmed by "+who+"; checking that nothing has moved").Add(stops(d)...)
	case backing, moving:
		return heading("Resetting "+env+" to "+d.Onto, " confirmed by "+who).Add(bot.Paragraph(fromTo(d), " · keeping the old head as ", bot.Fixed(d.Backup)))
	case unknown:
		return heading("Resetting "+env+" to "+d.Onto, " confirmed by "+who).Add(bot.Paragraph(fromTo(d), " · the old head is kept as ", bot.Fixed(d.Backup)),
			bot.Paragraph("⚠ GitHub has given no usable answer for "+bot.Length(settleable)+", so whether the branch was moved cannot be told."))
	case arriving:
		serves := bot.T("It does not say yet what it serves.")
		if d.Serves != "" {
			serves = bot.T("It serves ", bot.Fixed(deploys.Short(d.Serves)), ".")
		}
		return heading("Resetting "+env+" to "+d.Onto, " confirmed by "+who).Add(
			bot.Paragraph("✔ The branch was put on ", bot.Fixed(deploys.Short(d.To)), "; waiting until ", bot.To(d.Host, d.URL), " serves it. ", serves),
			bot.SmallPrint("The old head is kept as ", bot.Fixed(d.Backup)), undo(d))
	case reset:
		return bot.Say(bot.Strong(title(env)+" is on"), " ", d.arrived(), " — checked on ", bot.To(d.Host, d.URL)).Add(
			bot.SmallPrint("Reset by "+who+" · the old head, ", bot.Fixed(deploys.Short(d.From)), ", is kept as ", bot.Fixed(d.Backup)), r.comparing(undo(d), env))
	case cancelled:
		return heading("Reset of "+env+" cancelled", " by "+o.Decided().Person.Name).Add(bot.SmallPrint("Nothing was done. ", fromTo(d), " · asked by "+o.Asked.Name))
	case expired:
		return heading("Reset of "+env+" not confirmed", " in time; the question has expired").Add(bot.SmallPrint("Nothing was done. ", fromTo(d), " · asked by "+o.Asked.Name))
	case moved:
		return heading("I did not reset "+env, "").Add(bot.Part{Kind: bot.Section, Text: r.came(o, d)}, bot.SmallPrint("Nothing was done. ", fromTo(d), " · confirmed by "+who))
	}
	return heading("The reset of "+env+" did not come out", "").Add(bot.Part{Kind: bot.Section, Text: r.came(o, d)},
		bot.SmallPrint(fromTo(d), " · asked by "+o.Asked.Name+", confirmed by "+who))
}

// arrived is what the app serves in the end.
func (d resetting) arrived() bot.Text {
	put := bot.T(bot.Fixed(deploys.Short(d.To)), " of "+d.Onto)
	if d.Pushed == "" {
		return put
	}
	return append(bot.T(bot.Fixed(deploys.Short(d.Pushed)), ", which was pushed after the reset to "), put...)
}

func fromTo(d resetting) bot.Text {
	return bot.T(bot.Fixed(deploys.Short(d.From)), " → ", bot.Fixed(deploys.Short(d.To)))
}

// undo offers to put the branch back. Whether it still is where this put it is
// looked at then.
func undo(d resetting) bot.Part {
	return bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{{Label: "Undo…", Verb: bot.VerbSay, Value: "reset " + d.Environment + " to " + deploys.Short(d.From)}}}
}

// comparing adds the button that compares what is served now with the database,
// where that is known: what was applied before the reset is there still.
func (r Reset) comparing(buttons bot.Part, env string) bot.Part {
	if _, ok := r.Databases[env]; ok {
		buttons.Buttons = append(buttons.Buttons, bot.CardButton{Label: "Compare migrations", Verb: bot.VerbSay, Value: "migrations " + env})
	}
	return buttons
}

// stops shows what would stop being deployed, and whose it is.
func stops(d resetting) []bot.Part {
	if d.Ahead == 0 {
		return []bot.Part{bot.Paragraph(fromTo(d), fmt.Sprintf(" · nothing stops being deployed: it is only %s behind", bot.Count(d.Behind, "commit", "commits")))}
	}
	line := append(fromTo(d), bot.T(fmt.Sprintf(" · %s by %s stop being deployed, the newest of ", bot.Count(d.Ahead, "commit", "commits"), bot.Count(len(d.Authors), "person", "people")),
		bot.Date(d.Newest), fmt.Sprintf(" · %d behind %s", d.Behind, d.Onto))...)
	list := bot.Part{Kind: bot.List, More: d.Compare, Left: d.Ahead - len(d.Commits)}
	for _, c := range d.Commits {
		list.Items = append(list.Items, bot.T(bot.To(deploys.Short(c.SHA), c.Link), " "+c.Subject+" — "+c.Author))
	}
	parts := []bot.Part{{Kind: bot.Section, Text: line}, list}
	s := d.Schema
	switch {
	case !s.Told:
		parts = append(parts, bot.Paragraph("⚠ Whether there are migrations among them is not known; GitHub has not told all of it."))
	case len(s.Each) > 0:
		left := bot.Part{Kind: bot.List, More: d.Compare}
		for _, e := range s.Each {
			left.Items = append(left.Items, bot.T(bot.Fixed(deploys.Short(e.SHA)), " "+e.What))
		}
		parts = append(parts, bot.Paragraph("⚠ What these have done to prototype's database stays there, and so do their rows in ", bot.Fixed("django_migrations"), "; cloudOps can undo them by hand:"),
			cut(left, mostMigrations))
	}
	return append(parts, bot.SmallPrint("The old head is kept as the branch ", bot.Fixed(d.Backup), " · ", bot.To("Compare on GitHub", d.Compare)))
}

// came says what came of a reset, and what is true now.
func (r Reset) came(o bot.Operation, d resetting) bot.Text {
	switch {
	case o.State == notLive:
		serves := bot.T(" It has not said what it serves.")
		if d.Serves != "" {
			serves = bot.T(" It serves ", bot.Fixed(deploys.Short(d.Serves)), ".")
		}
		return bot.T("The branch was put on ", bot.Fixed(deploys.Short(d.To)), ", but ", bot.To(d.Host, d.URL), " does not serve it after "+bot.Length(landable)+".", serves)
	case o.State == failed && o.Decided().Verb == didNot:
		return bot.T(o.Decided().Person.Name+" says that the branch ", bot.Fixed(d.Branch), " was not moved.")
	case o.State == failed && len(d.Why) == 0:
		return bot.T("GitHub has given no usable answer for "+bot.Length(settleable)+" to whether the old head is kept. I have not moved the branch ", bot.Fixed(d.Branch), ".")
	case len(d.Why) == 0:
		return bot.T("I could not read in time whether something has moved since the question.")
	}
	return d.Why
}

// sayMoved tells those whose commits stop being deployed, by name.
func (r Reset) sayMoved(o bot.Operation, d resetting) []bot.Post {
	t := bot.T(title(d.Environment)+"'s branch is on ", bot.Fixed(deploys.Short(d.To)), " of "+d.Onto+" now (", concerned(o), "); it was on ",
		bot.Fixed(deploys.Short(d.From)), ", which the branch ", bot.Fixed(d.Backup), " keeps.")
	if d.Pushed != "" {
		t = append(t, bot.T(" Somebody has pushed ", bot.Fixed(deploys.Short(d.Pushed)), " on top.")...)
	}
	if len(d.Authors) > 0 {
		t = append(t, bot.Span{Text: " Not deployed any more: commits of " + people(d.Authors) + "."})
	}
	return []bot.Post{{Key: "moved", Class: bot.Final, Card: bot.Say(t)}}
}

func (r Reset) say(o bot.Operation, d resetting) []bot.Post {
	t := bot.T("✔ "+title(d.Environment)+" is now on ", d.arrived(), " (", concerned(o), ").")
	switch {
	case o.State == reset && d.Pushed != "": // which is announced as a deploy, too
		t = bot.T("✔ The reset of "+d.Environment+" to ", bot.Fixed(deploys.Short(d.To)), " of "+d.Onto+" has come out (", concerned(o), "). ",
			bot.Fixed(deploys.Short(d.Pushed)), ", pushed after it, is live.")
	case o.State != reset:
		t = bot.T("✘ The reset of "+d.Environment+" did not come out (", concerned(o), "). ", r.came(o, d))
	}
	env, _ := r.Environments.Named(d.Environment)
	return append([]bot.Post{{Key: "end", Class: bot.Final, Card: bot.Say(t)}}, elsewhere(env, t, append(o.Confirmers(), o.Asked)...)...)
}

func (r Reset) sayUnknown(o bot.Operation, d resetting) []bot.Post {
	return []bot.Post{{Key: "unknown", Class: bot.Query, Card: bot.Say("⚠ Whether the branch ", bot.Fixed(d.Branch), " was reset (", concerned(o), ") cannot be told: GitHub has given no usable answer for "+
		bot.Length(settleable)+". Please look there, and say above.")}}
}
