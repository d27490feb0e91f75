package handlers

import (
	"fmt"
	"strings"

	"thbot/bot"
)

// Card is a request's one message in the channel: nothing that would be known
// of a private bug, and nothing before it is filed.
func (q Request) Card(o bot.Operation, d requesting) bot.Card {
	whose := bot.SmallPrint(d.called() + " of " + o.Asked.Name)
	switch o.State {
	case unknown:
		return bot.Say("⚠ Whether ", bot.At(o.Asked.ID), "'s "+d.Kind+" request was filed in Bugzilla cannot be told. ",
			"Its answer was lost, "+d.missing()+".").Add(
			bot.Paragraph(q.mark(o, d)...))
	case unnumbered:
		return heading("Filed in Bugzilla", ", says "+o.Decided().Person.Name+"; I still look for its number").Add(whose)
	case filed:
		return bot.Say(q.named(d)).Add(whose)
	case resolved:
		return bot.Say(q.named(d)).Add(bot.Paragraph(bot.Strong(d.Resolution)), whose)
	case forgot:
		return bot.Say(q.named(d)).Add(bot.SmallPrint("Not followed any more"), whose)
	case unfiled:
		return heading("Not filed in Bugzilla", "").Add(whose)
	}
	return heading(d.called()+" of "+o.Asked.Name, "")
}

// called is "An access request", or another kind's.
func (d requesting) called() string {
	article := "A"
	if strings.ContainsAny(d.Kind[:1], "aeiou") {
		article = "An"
	}
	return article + " " + d.Kind + " request"
}

// missing says what came of looking for the bug.
func (d requesting) missing() string {
	if d.Missing {
		return "and I find no such bug"
	}
	return "and I cannot look for the bug: no search was answered"
}

// mark is by what people can look for the bug.
func (q Request) mark(o bot.Operation, d requesting) []any {
	pieces := []any{"Look in " + q.Tracker.where() + " for ", bot.Fixed("th-bot:" + o.ID), " in the whiteboard"}
	if !d.Private {
		pieces = append(pieces, ", or for “"+d.Summary+"”")
	}
	return append(pieces, ", and say here whether it is there.")
}

// named is the bug as the channel may know it.
func (q Request) named(d requesting) bot.Text {
	if d.Number == 0 {
		return bot.T("a bug whose number I do not know")
	}
	t := bot.T(bot.To(fmt.Sprintf("bug %d", d.Number), q.Tracker.Bugs.Link(d.Number)))
	if d.Private {
		return append(t, bot.Span{Text: " (private)"})
	}
	return append(t, bot.Span{Text: ": " + d.Summary})
}

// saySlow tells who asked what has become of their press.
func (q Request) saySlow(o bot.Operation, d requesting) bot.Post {
	return bot.Post{Key: "slow", Class: bot.Final, To: bot.Place{Channel: o.Asked.ID},
		Card: bot.Say("Bugzilla gives no usable answer, so I cannot say yet whether your " + d.Kind + " request is filed. I go on, and look whether it is there; do not file it a second time.")}
}

// sayFound is said when people were asked before, and wait for an answer.
func (q Request) sayFound(o bot.Operation, d requesting) bot.Post {
	return bot.Post{Key: "found", Class: bot.Final, Card: bot.Say(bot.At(o.Asked.ID), " your "+d.Kind+" request was filed: ", q.named(d))}
}

func (q Request) sayResolved(o bot.Operation, d requesting) []bot.Post {
	return []bot.Post{{Key: "resolved", Class: bot.Final, Card: bot.Say(bot.At(o.Asked.ID), " ", q.named(d), " is ", bot.Strong(d.Resolution), ".")}}
}

func (q Request) sayForgot(o bot.Operation, d requesting) []bot.Post {
	why := "Nobody has resolved it in " + bot.Length(followed) + ", so I have stopped following it."
	if d.Number == 0 {
		why = "I have not found its number in " + bot.Length(followed) + ", so I have stopped looking."
	}
	return []bot.Post{{Key: "forgot", Class: bot.Progress, To: bot.Place{Channel: o.Channel, Under: o.ID + "/card"}, Card: bot.Say(why)}}
}

// sayUnfiled tells who asked, and gives them what they had filled in.
func (q Request) sayUnfiled(o bot.Operation, d requesting) []bot.Post {
	why := d.Why
	if last := o.Decided(); last.Verb == didNot {
		why = last.Person.Name + " says that there is no such bug in Bugzilla."
	}
	return []bot.Post{{Key: "not-filed", Class: bot.Final, To: bot.Place{Channel: o.Asked.ID},
		Card: bot.Say("✘ Your "+d.Kind+" request was not filed. ", why).Add(
			bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{q.link(d)}},
			bot.SmallPrint("The form is filled in, as far as a link can hold it; you send it in your own name. Or send ", bot.Fixed("/th request "+d.Kind), " again. What you wrote:"),
			bot.Part{Kind: bot.Block, Text: bot.T(d.Description)})}}
}

func (q Request) sayDropped(o bot.Operation, d requesting) []bot.Post {
	return []bot.Post{{Key: "dropped", Class: bot.Whisper, To: bot.Place{Channel: o.Channel, User: o.Asked.ID},
		Card: bot.Say("Your " + d.Kind + " request is dropped; nothing was filed.")}}
}

func (q Request) sayExpired(o bot.Operation, d requesting) []bot.Post {
	return []bot.Post{{Key: "expired", Class: bot.Final, To: bot.Place{Channel: o.Channel, User: o.Asked.ID},
		Card: bot.Say("You did not press [File it] for your " + d.Kind + " request, so nothing was filed.")}}
}
