package handlers

import (
	"fmt"

	"thbot/bot"
	"thbot/handlers/deploys"
)

// Card is a revert's one message.
func (r Revert) Card(o bot.Operation, d reversion) bot.Card {
	env, to := d.Environment, deploys.Short(d.To)
	who := names(o.Confirmers())
	again := "Rebuilding run "
	if d.Replay {
		again = "Replaying run "
	}
	source := bot.To(fmt.Sprint(d.Source), r.Jenkins.RunURL(d.Job, d.Source))
	switch o.State {
	case blocked:
		c := heading("Revert "+env+"?", " asked by "+o.Asked.Name).Add(bot.Paragraph("⚠ " + title(d.First.What) + " is running. What to revert is asked once that is over."))
		if len(d.Why) > 0 {
			c = c.Add(bot.Part{Kind: bot.Section, Text: d.Why})
		}
		return c
	case clearing:
		return heading("Revert "+env+"?", " asked by "+o.Asked.Name).Add(bot.Paragraph(title(d.First.What) + " is being aborted by " + o.Decided().Person.Name + ". What to revert is asked once that is over."))
	case preparing, asking:
		return heading("Revert "+env+"?", " asked by "+o.Asked.Name).Add(r.what(d)...)
	case checking:
		return heading("Revert "+env, " confirmed by "+who+"; checking that nothing has moved").Add(r.what(d)...)
	case rebuild:
		return heading("Reverting "+env+" to "+to, " confirmed by "+who).Add(bot.Paragraph(again, source, "."))
	case queued, unblocking:
		c := heading("Reverting "+env+" to "+to, " confirmed by "+who).Add(bot.Paragraph(again, source, "."))
		if d.Queue != "" {
			c = c.Add(bot.Paragraph("It waits in Jenkins' queue: “" + d.Queue + "”"))
		}
		if o.State == unblocking {
			return c.Add(bot.Paragraph(fmt.Sprintf("%s is aborting run %d, which keeps it there.", o.Decided().Person.Name, d.Unblock)))
		}
		if len(d.Why) > 0 {
			c = c.Add(bot.Part{Kind: bot.Section, Text: append(bot.T("⚠ "), d.Why...)})
		}
		return c
	case unknown:
		return heading("Reverting "+env+" to "+to, " confirmed by "+who).Add(
			bot.Paragraph("⚠ Jenkins was told to rebuild run ", source, ", and no such run shows. I do not try again, since that could start it twice."))
	case comparing:
		return heading("Reverting "+env+" to "+to, " confirmed by "+who).Add(bot.Part{Kind: bot.Section, Text: stages(d.promotion)},
			bot.SmallPrint("Run ", run(d.promotion), " is made from run ", source, "; it goes on to "+env+" if it carries ", bot.Fixed(to)))
	case proceeds, following, pausing, rechecking, aborting, goesOn, verifying:
		return heading("Reverting "+env+" to "+to, " confirmed by "+who).Add(progress(o, d.promotion)...)
	case promoted:
		return bot.Say(bot.Strong(title(env)+" is back on"), " ", bot.Fixed(to), " — "+bot.Length(o.Entered.Sub(o.Confirmed().At))+", checked on ", bot.To(d.Host, d.URL)).Add(
			bot.SmallPrint(takenOut(d), " taken out · ", stages(d.promotion), " · Jenkins run ", run(d.promotion)))
	case cancelled:
		return heading("Revert of "+env+" cancelled", " by "+o.Decided().Person.Name).Add(bot.SmallPrint("Nothing was done. ", span(d.promotion), " · asked by "+o.Asked.Name))
	case expired:
		return heading("Revert of "+env+" not confirmed", " in time; the question has expired").Add(bot.SmallPrint("Nothing was done. ", span(d.promotion), " · asked by "+o.Asked.Name))
	case moved:
		return heading("I did not revert "+env, "").Add(bot.Part{Kind: bot.Section, Text: why(d.promotion)}, bot.SmallPrint("Nothing was done. ", span(d.promotion), " · confirmed by "+who))
	}
	return heading("The revert of "+env+" did not come out", " confirmed by "+who).Add(
		bot.Part{Kind: bot.Section, Text: d.outcome(o)}, bot.SmallPrint(stages(d.promotion), " · Jenkins run ", run(d.promotion)))
}

// outcome says what came of it. Until the new run's input is answered nothing
// touches the environment.
func (d reversion) outcome(o bot.Operation) bot.Text {
	if o.State == failed && d.Input == "" {
		return bot.T(d.Why, " I have not touched "+d.Environment+"; it serves ", bot.Fixed(deploys.Short(d.From)), " as before.")
	}
	return outcome(o, d.promotion)
}

func takenOut(d reversion) string { return bot.Count(d.Ahead, "commit", "commits") }

// what shows what is taken out, what goes along, and what stays.
func (r Revert) what(d reversion) []bot.Part {
	line := append(span(d.promotion), bot.Span{Text: fmt.Sprintf(" · takes out %s by %s", takenOut(d), bot.Count(len(d.Authors), "person", "people"))})
	list := bot.Part{Kind: bot.List, More: d.Compare, Left: d.Ahead - len(d.Commits)}
	for _, c := range d.Commits {
		list.Items = append(list.Items, bot.T(bot.To(deploys.Short(c.SHA), c.Link), " "+c.Subject+" — "+c.Author))
	}
	parts := []bot.Part{{Kind: bot.Section, Text: line}, list}
	if d.Along != "" {
		parts = append(parts, bot.Paragraph("⚠ "+title(d.Along)+" goes there too, until the next push: the same run deploys both."))
	}
	switch {
	case !d.Schema.Told:
		parts = append(parts, schemas(d.promotion)...)
	case len(d.Schema.Each) > 0:
		stays := bot.Part{Kind: bot.List, More: d.Compare}
		for _, e := range d.Schema.Each {
			stays.Items = append(stays.Items, bot.T(bot.Fixed(deploys.Short(e.SHA)), " "+e.What))
		}
		parts = append(parts, bot.Paragraph("⚠ Reverting the code does not undo what these commits did to the database:"), cut(stays, mostMigrations))
	}
	if len(d.ByHand) > 0 {
		parts = append(parts, bot.Paragraph("⚠ ", d.ByHand))
	}
	if len(d.Around) > 0 {
		parts = append(parts, bot.Paragraph("A revert is not stopped by this: ", sentences(d.Around)))
	}
	how := " · rebuilds Jenkins run "
	if d.Replay {
		how = " · replays Jenkins run "
	}
	return append(parts, bot.SmallPrint(bot.To("Compare on GitHub", d.Compare), how, bot.To(fmt.Sprint(d.Source), d.Link), " · afterwards "+d.Environment+" is locked"))
}

func (r Revert) sayReverted(o bot.Operation, d reversion) []bot.Post {
	t := bot.T("✔ "+title(d.Environment)+" is back on ", bot.Fixed(deploys.Short(d.To)), " ("+takenOut(d)+" taken out, ", concerned(o), "). It is locked until somebody lifts that. Taken out: commits of "+people(d.Authors)+".")
	return r.end(o, d.promotion, t)
}

func (r Revert) sayNot(o bot.Operation, d reversion) []bot.Post {
	commit, env := bot.Fixed(deploys.Short(d.To)), d.Environment
	if o.State == moved {
		return []bot.Post{{Key: "end", Class: bot.Final, Card: bot.Say("✘ I did not revert "+env+" to ", commit, " (", concerned(o), "). ", why(d.promotion), " I have done nothing.")}}
	}
	return r.end(o, d.promotion, bot.T("✘ The revert of "+env+" to ", commit, " did not come out (", concerned(o), "). ", d.outcome(o)))
}

func (r Revert) sayUnknown(o bot.Operation, d reversion) []bot.Post {
	return []bot.Post{{Key: "unknown", Class: bot.Query, Card: bot.Say("⚠ Whether Jenkins has begun to rebuild run ", fmt.Sprint(d.Source), " for the revert of "+d.Environment+" (", concerned(o),
		") cannot be seen. I do not try again; please look in Jenkins, and say above if it was not started.")}}
}
