package handlers

import (
	"fmt"
	"slices"
	"strings"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/integrations/github"
	"thbot/integrations/jenkins"
)

// Card is a promotion's one message, which moves on with it.
func (p Promote) Card(o bot.Operation, d promotion) bot.Card {
	env := d.Environment
	to := bot.Fixed(deploys.Short(d.To))
	who := names(o.Confirmers())
	switch o.State {
	case preparing, asking:
		c := heading("Promote to "+env+"?", " asked by "+o.Asked.Name).Add(what(o, d)...)
		if d.Forced == "" {
			return c
		}
		return c.Add(bot.Paragraph("⚠ This goes past: ", sentences(d.Around), " The reason: “"+d.Forced+"”"))
	case checking:
		return heading("Promote to "+env, " confirmed by "+who+"; checking that nothing has moved").Add(what(o, d)...)
	case proceeds, following, goesOn, pausing, rechecking, aborting, verifying:
		c := heading(fmt.Sprintf("Promoting %s to %s", deploys.Short(d.To), env), " confirmed by "+who)
		if d.By != "" {
			c = c.Add(bot.Paragraph(d.By + " was quicker and answered the input in Jenkins."))
		}
		if d.Late {
			c = c.Add(bot.Paragraph("⚠ " + o.Decided().Person.Name + " wanted to abort it, but the run had succeeded already."))
		}
		return c.Add(progress(o, d)...)
	case promoted:
		return bot.Card{Line: bot.T(bot.Strong(title(env)+" is on"), " ", to)}.Add(
			bot.Paragraph(bot.Strong(title(env)+" is on"), " ", to, " — "+bot.Length(o.Entered.Sub(o.Confirmed().At))+", checked on ", bot.To(d.Host, d.URL)),
			bot.SmallPrint(summary(o, d), " · ", stages(d), " · Jenkins run ", run(d)), goBack(env))
	case passing:
		return bot.Say(bot.Strong(title(env)+" got"), " ", to, d.After.text()).Add(
			bot.SmallPrint(summary(o, d), " · ", stages(d), " · Jenkins run ", run(d)))
	case cancelled:
		return heading("Promotion to "+env+" cancelled", " by "+o.Decided().Person.Name).Add(bot.SmallPrint("Nothing was done. ", span(d), " · asked by "+o.Asked.Name))
	case expired:
		return heading("Promotion to "+env+" not confirmed", " in time; the question has expired").Add(
			bot.SmallPrint("Nothing was done. ", span(d), " · asked by "+o.Asked.Name), again(d))
	case moved:
		return heading("I did not promote "+deploys.Short(d.To)+" to "+env, "").Add(bot.Part{Kind: bot.Section, Text: why(d)},
			bot.SmallPrint("Nothing was done. ", span(d), " · confirmed by "+who), again(d))
	case aborted:
		return heading("Promotion to "+env+" aborted", " by "+o.Decided().Person.Name).Add(
			bot.Part{Kind: bot.Section, Text: outcome(o, d)}, bot.SmallPrint(summary(o, d), " · ", stages(d), " · Jenkins run ", run(d)), goBack(env))
	}
	return heading("Promotion to "+env+" did not come out", " "+summary(o, d).String()).Add(
		bot.Part{Kind: bot.Section, Text: outcome(o, d)}, bot.SmallPrint(stages(d), " · Jenkins run ", run(d)), goBack(env))
}

// goBack offers earlier builds; which there are is looked up then.
func goBack(env string) bot.Part {
	return bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{{Label: "Revert…", Verb: bot.VerbSay, Value: "revert " + env}}}
}

func heading(strong, rest string) bot.Card { return bot.Say(bot.Strong(strong), rest) }

func title(env string) string { return deploys.Environment{Name: env}.Title() }

// span is from where to where: "`445ee07` → `9f8e7d6`".
func span(d promotion) bot.Text {
	return bot.T(bot.Fixed(deploys.Short(d.From)), " → ", bot.Fixed(deploys.Short(d.To)))
}

// what shows exactly what would happen.
func what(o bot.Operation, d promotion) []bot.Part {
	line := span(d)
	line = append(line, bot.Span{Text: fmt.Sprintf(" · %s by %s · ", bot.Count(d.Ahead, "commit", "commits"), bot.Count(len(d.Authors), "person", "people"))})
	line = append(line, before(d)...)
	line = append(line, ci(d)...)
	list := bot.Part{Kind: bot.List, More: d.Compare}
	for _, c := range d.Commits {
		list.Items = append(list.Items, bot.T(bot.To(deploys.Short(c.SHA), c.Link), " "+c.Subject+" — "+c.Author))
	}
	list.Left = d.Ahead - len(d.Commits)
	parts := []bot.Part{{Kind: bot.Section, Text: line}, list}
	if o.State == preparing {
		parts = append(parts, looking(d.Schema))
	} else {
		parts = append(parts, schemas(d)...)
	}
	parts = append(parts, bot.SmallPrint(bot.To("Compare on GitHub", d.Compare), " · Jenkins run ", run(d), " asks “"+d.Message+"”"))
	return append(parts, values(d.pause)...)
}

// values shows what an input would be answered with.
func values(at pause) []bot.Part {
	var values []string
	for _, v := range at.Values {
		if v.Name == at.ConfirmedBy {
			v.Value = "whoever confirms"
		}
		values = append(values, v.Name+" = "+v.Value)
	}
	if len(values) == 0 {
		return nil
	}
	return []bot.Part{bot.Paragraph("It will be answered with ", bot.Fixed(strings.Join(values, ", ")))}
}

// mostMigrations is how many lines a question spends on them.
const mostMigrations = 12

// looking says how far the question is from being one.
func looking(s schema) bot.Part {
	t := fmt.Sprintf("◐ Still looking whether there are migrations: %d of %d commits so far.", s.Total-s.Left, s.Total)
	if s.Left == 0 {
		t = "◐ There are migrations; still looking what they do."
	}
	return bot.Paragraph(t + " It can be confirmed once that is known, or after " + bot.Length(preparable) + " without.")
}

// schemas says what migrations there are, what each commit did to them, and
// what to think about.
func schemas(d promotion) []bot.Part {
	s := d.Schema
	if !s.Told {
		done := s.Total - s.Left
		t := fmt.Sprintf("⚠ Whether there are migrations is not known: GitHub has told it of %d of %d commits.", done, s.Total)
		if s.Left == 0 {
			t = "⚠ There are migrations; what they do is not known, since GitHub has not told it."
		}
		return []bot.Part{bot.Paragraph(t)}
	}
	var parts []bot.Part
	if len(s.Lines) > 0 {
		list := bot.Part{Kind: bot.List, More: d.Compare}
		for i, line := range s.Lines {
			mark := "⚠ "
			if i == 0 && !s.Danger {
				mark = ""
			}
			list.Items = append(list.Items, bot.T(mark+line))
		}
		parts = append(parts, cut(list, mostMigrations))
	}
	if len(s.Each) > 0 {
		list := bot.Part{Kind: bot.List, More: d.Compare}
		for _, e := range s.Each {
			list.Items = append(list.Items, bot.T(bot.Fixed(deploys.Short(e.SHA)), " "+e.What))
		}
		parts = append(parts, cut(list, mostMigrations))
	}
	if len(s.Never) > 0 {
		parts = append(parts, bot.Paragraph("⚠ Whether there are migrations in "+strings.Join(s.Never, " and in ")+", cannot be told."))
	}
	return parts
}

// cut keeps the first items of a list.
func cut(list bot.Part, most int) bot.Part {
	if n := len(list.Items); n > most {
		list.Items, list.Left = list.Items[:most], n-most
	}
	return list
}

// before says what the environment serves that has the commit first.
func before(d promotion) bot.Text {
	switch {
	case d.Before == "":
		return bot.T("not deployed anywhere before")
	case d.BeforeOn == "":
		return bot.T("⚠ " + d.Before + " does not say what it serves")
	case d.BeforeOn == d.To && !d.Since.IsZero():
		return bot.T("on "+d.Before+" since ", bot.Time(d.Since))
	case d.BeforeOn == d.To:
		return bot.T(d.Before + " serves it")
	}
	return bot.T("⚠ "+d.Before+" serves ", bot.Fixed(deploys.Short(d.BeforeOn)))
}

// ci says what CI makes of the commit. None at all is not green.
func ci(d promotion) bot.Text {
	name := func(checks []github.Check) bot.Text {
		t := bot.T(" (")
		for i, c := range checks[:min(3, len(checks))] {
			if i > 0 {
				t = append(t, bot.Span{Text: ", "})
			}
			t = append(t, linked(c.Name, c.Link))
		}
		if more := len(checks) - 3; more > 0 {
			t = append(t, bot.Span{Text: fmt.Sprintf(" and %d more", more)})
		}
		return append(t, bot.Span{Text: ")"})
	}
	switch d.CI.State {
	case github.Green:
		return bot.T(" · CI green")
	case github.Red:
		return bot.T(" · ⚠ CI is red", name(d.CI.Failed))
	case github.Running:
		return bot.T(" · ⚠ CI is still running", name(d.CI.Pending))
	}
	return bot.T(" · ⚠ CI has said nothing of it")
}

func linked(text, url string) bot.Span {
	if url == "" {
		return bot.Span{Text: text}
	}
	return bot.To(text, url)
}

func progress(o bot.Operation, d promotion) []bot.Part {
	parts := []bot.Part{{Kind: bot.Section, Text: stages(d)}}
	switch o.State {
	case proceeds:
		parts = []bot.Part{bot.Paragraph("Telling Jenkins to go on.")}
	case pausing:
		parts = append(parts, bot.Paragraph("⚠ The run waits for another input: “"+d.Next.Message+"” ", further(*d.Next, d, "below")))
		if d.Next.Unasked == "" {
			parts = append(parts, values(*d.Next)...)
		}
	case rechecking:
		parts = append(parts, bot.Paragraph("“"+d.Message+"” is confirmed by "+o.Decided().Person.Name+"; checking that it is still asked."))
	case aborting:
		parts = append(parts, bot.Paragraph("⚠ "+o.Decided().Person.Name+" aborts it; waiting until Jenkins has ended the run."))
	case verifying:
		says := bot.T(" does not say yet what it serves.")
		switch {
		case d.Serves == d.To:
			says = bot.T(fmt.Sprintf(" does, in %d of %d answers in a row.", d.Seen, inARow))
		case d.Serves != "":
			says = bot.T(" serves ", bot.Fixed(deploys.Short(d.Serves)), ".")
		}
		parts = append(parts, bot.Paragraph("The run has ended; waiting until ", bot.To(d.Host, d.URL), " serves ", bot.Fixed(deploys.Short(d.To)), ". It", says))
	}
	small := bot.T(summary(o, d), " · begun at ", bot.Time(o.Confirmed().At))
	if d.Usual > 0 {
		small = append(small, bot.Span{Text: ", usually " + bot.Length(d.Usual)})
	}
	return append(parts, bot.Part{Kind: bot.Note, Text: append(small, bot.T(" · Jenkins run ", run(d))...)})
}

var marks = map[string]string{
	jenkins.StageSuccess: "✔", jenkins.StageInProgress: "◐", jenkins.StagePaused: "⏸",
	jenkins.StageFailed: "✘", jenkins.StageAborted: "✘", jenkins.StageUnstable: "⚠", jenkins.StageNotExecuted: "–",
}

// stages is the run at a glance: "✔ build  ✔ deploy to stage  ◐ deploy to production 1m 40s".
func stages(d promotion) bot.Text { return stageLine(d.Stages) }

func stageLine(stages []jenkins.Stage) bot.Text {
	var line []string
	for _, s := range stages {
		mark, ok := marks[s.Status]
		if !ok {
			mark = "·"
		}
		if s.Status == jenkins.StageInProgress && s.Duration > 0 {
			s.Name += " " + bot.Length(s.Duration)
		}
		line = append(line, mark+" "+s.Name)
	}
	if len(line) == 0 {
		return bot.T("Jenkins has shown no stage yet")
	}
	return bot.T(strings.Join(line, "  "))
}

// further says where a further input is answered.
func further(at pause, d promotion, where string) bot.Text {
	if at.Unasked != "" {
		return bot.T("It wants a value for ", bot.Fixed(at.Unasked), ", which I never guess: answer it in ", bot.To("Jenkins", d.Link+"input/"), ".")
	}
	return bot.T("It is answered with [Go on] "+where+", or in ", bot.To("Jenkins", d.Link+"input/"), ".")
}

func summary(o bot.Operation, d promotion) bot.Text {
	return bot.T(bot.Count(d.Ahead, "commit", "commits") + ", asked by " + o.Asked.Name)
}

func why(d promotion) bot.Text {
	if len(d.Why) == 0 {
		return bot.T("I could not read in time whether something has moved since the question.")
	}
	return d.Why
}

// outcome says what came of a promotion that was begun, and what is true now.
func outcome(o bot.Operation, d promotion) bot.Text {
	env := d.Environment
	to := bot.Fixed(deploys.Short(d.To))
	switch o.State {
	case notLive:
		serves := bot.T(" It has not said what it serves.")
		if d.Serves != "" {
			serves = bot.T(" It serves ", bot.Fixed(deploys.Short(d.Serves)), ".")
		}
		return bot.T("Run ", run(d), " ended with SUCCESS, but ", bot.To(d.Host, d.URL), " does not serve ", to, ".", serves, tooLate(o, d),
			" I have stopped watching; look at ", bot.To("the run", d.Link), ".")
	case aborted:
		return bot.T(o.Decided().Person.Name+" aborted run ", run(d), ". ", bot.To(d.Host, d.URL), " serves ", bot.Fixed(deploys.Short(d.Serves)), " now.")
	case lost:
		return bot.T("Run ", run(d), " is still going on after a day. I have stopped watching it.")
	}
	return bot.T(d.Why, " What "+env+" serves now is not certain: ", bot.Fixed("/th status "+env), ".")
}

func again(d promotion) bot.Part {
	return bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{{Label: "Ask again", Verb: bot.VerbSay, Value: "deploy " + d.Environment}}}
}

// concerned mentions asker and confirmer, once each.
func concerned(o bot.Operation) bot.Text {
	t := bot.T("asked by ", bot.At(o.Asked.ID))
	others := slices.DeleteFunc(o.Confirmers(), func(p bot.Person) bool { return p.ID == o.Asked.ID })
	if len(others) > 0 {
		t = append(t, bot.T(", confirmed by ", mentions(others))...)
	}
	return t
}

func (p Promote) sayDone(o bot.Operation, d promotion) []bot.Post {
	t := bot.T("✔ "+title(d.Environment)+" is now on ", bot.Fixed(deploys.Short(d.To)), " ("+bot.Count(d.Ahead, "commit", "commits")+", ", concerned(o), ").", tooLate(o, d), " Authors: ", byline(d.People, d.Authors, shownAuthors))
	return p.end(o, d, t)
}

// end tells how it ended, here and in further channels.
func (p Promote) end(o bot.Operation, d promotion, t bot.Text) []bot.Post {
	env, _ := p.Environments.Named(d.Environment)
	posts := append([]bot.Post{{Key: "end", Class: bot.Final, Card: bot.Say(t)}}, elsewhere(env, t, append(mentionable(d.People), append(o.Confirmers(), o.Asked, o.Decided().Person)...)...)...)
	return append(posts, logPost(o, d.Log)...)
}

// tooLate tells whoever wanted to abort what has succeeded.
func tooLate(o bot.Operation, d promotion) bot.Text {
	if !d.Late {
		return nil
	}
	return bot.T(" ", bot.At(o.Decided().Person.ID), " wanted to abort it, but the run had succeeded already.")
}

func (p Promote) sayGoesOn(o bot.Operation, d promotion) []bot.Post {
	t := bot.T("⚠ ", bot.At(o.Decided().Person.ID), " ")
	if len(d.Why) > 0 {
		t = append(t, d.Why...)
	} else {
		t = append(t, bot.T("Jenkins has not ended run ", run(d), " in "+bot.Length(stoppable)+".")...)
	}
	t = append(t, bot.T(" The promotion of ", bot.Fixed(deploys.Short(d.To)), " to "+d.Environment+" goes on, and I keep watching it; look at ", bot.To("the run", d.Link), ".")...)
	return []bot.Post{{Key: "goes-on", Class: bot.Final, Card: bot.Say(t)}}
}

func people(names []string) string {
	const most = 20
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}

// sayPassing tells of a promotion after which another run was deployed before
// it could be seen to be live.
func (p Promote) sayPassing(o bot.Operation, d promotion) []bot.Post {
	return p.end(o, d, bot.T("✔ "+title(d.Environment)+" got ", bot.Fixed(deploys.Short(d.To)), " (", concerned(o), ")", d.After.text(), tooLate(o, d)))
}

func (p Promote) sayEnded(o bot.Operation, d promotion) []bot.Post {
	commit, env := bot.Fixed(deploys.Short(d.To)), d.Environment
	switch o.State {
	case aborted:
		return p.end(o, d, bot.T("✘ The promotion of ", commit, " to "+env+" was aborted (", concerned(o), "). ", outcome(o, d)))
	case moved: // nothing was deployed, so nobody else need know
		return []bot.Post{{Key: "end", Class: bot.Final, Card: bot.Say("✘ I did not promote ", commit, " to "+env+" (", concerned(o), "). ", why(d), " I have done nothing.")}}
	}
	t := bot.T("✘ The promotion of ", commit, " to "+env+" did not come out (", concerned(o), "). ", outcome(o, d))
	if len(d.Log) > 0 {
		t = append(t, bot.T(" Suspects: ", byline(d.People, d.Authors, mostSuspects))...)
	}
	return p.end(o, d, t)
}

func (p Promote) sayPaused(o bot.Operation, d promotion) []bot.Post {
	t := bot.T("Run ", run(d), " (", concerned(o), ") waits for another input: “"+d.Next.Message+"” ", further(*d.Next, d, "above"))
	return []bot.Post{{Key: "paused", Class: bot.Query, Card: bot.Say(t)}}
}
