package handlers

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"thbot/bot"
)

// Card is a page's one message in the channel. It says what is known of each
// call, and nothing that is not.
func (p Page) Card(o bot.Operation, d paging) bot.Card {
	what := "“" + d.Reason + "”"
	switch o.State {
	case calling, passingOn:
		c := heading(o.Asked.Name+" pages "+d.People[min(d.At, len(d.People)-1)].Name, ": "+what)
		return c.Add(d.soFar()...)
	case nobody:
		return heading("Nobody has answered "+o.Asked.Name+"'s page", ": "+what).Add(d.soFar()...).Add(bot.Paragraph(p.Contacts.procedure("")))
	case onIt:
		c := heading(d.By.Name+" is on it", ": "+what).Add(bot.SmallPrint("since ", bot.Time(o.Entered), " · paged by "+o.Asked.Name))
		return c.Add(late(d, "answered")...)
	case resolved:
		return heading("Resolved", ": "+what).Add(bot.SmallPrint(o.Decided().Person.Name + " says so; " + d.By.Name + " was on it · paged by " + o.Asked.Name))
	case faded:
		return heading(d.By.Name+" was on it", ": "+what).Add(bot.SmallPrint("Nobody has said that it is over, and I have stopped asking · paged by " + o.Asked.Name))
	case unanswered:
		return heading("Nobody answered "+o.Asked.Name+"'s page", ": "+what).Add(d.soFar()...)
	case withdrawn:
		return heading(o.Asked.Name+" took the page back", ": "+what).Add(d.soFar()...)
	}
	return heading("A page of "+o.Asked.Name, ": "+what) // it has no message before it calls
}

// soFar lists whom it was sent to, and what came of it.
func (d paging) soFar() []bot.Part {
	list := bot.Part{Kind: bot.List}
	for _, c := range d.Calls {
		if c.How == "" && c.Declined.ID == "" {
			continue
		}
		t := bot.T(c.Who.Name)
		if !c.Sent.IsZero() {
			t = append(t, bot.T(" at ", bot.Time(c.Sent))...)
		}
		if c.How != "" {
			t = append(t, bot.Span{Text: ": " + c.How})
		}
		if c.Declined.ID != "" {
			t = append(t, bot.Span{Text: "; " + c.Declined.Name + " says that they cannot"})
		}
		list.Items = append(list.Items, t)
	}
	var parts []bot.Part
	if len(d.Changed) > 0 {
		parts = append(parts, bot.Part{Kind: bot.Section, Text: d.Changed})
	}
	if len(list.Items) > 0 {
		parts = append(parts, list)
	}
	return append(parts, late(d, "sent")...)
}

// late names the delay of what came while the bot was away.
func late(d paging, what string) []bot.Part {
	if d.Late == 0 {
		return nil
	}
	return []bot.Part{bot.SmallPrint("⚠ It was " + what + " " + bot.Length(d.Late) + " before I could take it: I was away.")}
}

// call pages one person: by direct message, and here.
func (p Page) call(o bot.Operation, d paging) []bot.Post {
	who := d.People[d.At]
	t := bot.T(o.Asked.Name+" pages you: “"+d.Reason+"”", d.before())
	direct := bot.Say(t).Add(p.buttons(o, pageOnIt, pageNext), bot.SmallPrint("Nobody else is paged for "+bot.Length(d.Within)+". ", p.Contacts.room(), p.Contacts.procedure(" ")))
	here := bot.Say(bot.At(who.ID), " ", t).Add(p.buttons(o, pageOnIt, pageNext))
	return []bot.Post{
		{Key: "dm", Class: bot.Page, To: bot.Place{Channel: who.ID}, Card: direct},
		{Key: "here", Class: bot.Page, Card: here},
	}
}

// before says who was paged before.
func (d paging) before() string {
	var before []string
	for _, who := range d.People[:d.At] {
		before = append(before, who.Name)
	}
	if len(before) == 0 {
		return ""
	}
	return " Paged before you: " + strings.Join(before, ", ") + "."
}

func (p Page) sayOnIt(o bot.Operation, d paging) []bot.Post {
	t := bot.T(bot.At(o.Asked.ID), " "+d.By.Name+" is on it: “"+d.Reason+"”")
	if d.Late > 0 {
		t = append(t, bot.Span{Text: " (answered " + bot.Length(d.Late) + " ago; I was away)"})
	}
	posts := []bot.Post{{Key: "on-it", Class: bot.Final, Card: bot.Say(t)}}
	for _, id := range d.others(d.By.ID) {
		posts = append(posts, bot.Post{Key: "stand-down-" + id, Class: bot.Final, To: bot.Place{Channel: id}, Card: bot.Say(d.By.Name + " is on it: “" + d.Reason + "” You need not answer any more.")})
	}
	return posts
}

// others are the ids of those to whom it went out, but for one.
func (d paging) others(than string) (ids []string) {
	seen := map[string]bool{than: true}
	for _, c := range d.Calls {
		if !seen[c.Who.ID] && !c.Sent.IsZero() {
			seen[c.Who.ID] = true
			ids = append(ids, c.Who.ID)
		}
	}
	return ids
}

func (p Page) sayNobody(o bot.Operation, d paging) []bot.Post {
	t := bot.T("⚠ ", bot.At(o.Asked.ID), " nobody has answered the page “"+d.Reason+"”. Paged: ")
	for i, c := range d.Calls {
		if i > 0 {
			t = append(t, bot.Span{Text: ", "})
		}
		t = append(t, bot.At(c.Who.ID))
	}
	return []bot.Post{{Key: "nobody", Class: bot.Final, Card: bot.Say(t, ".", p.Contacts.procedure(" ")).Add(p.buttons(o, pageOnIt))}}
}

func (p Page) sayResolved(o bot.Operation, d paging) []bot.Post {
	who := o.Decided().Person
	t := bot.T("✔ Resolved after " + bot.Length(o.Entered.Sub(o.Confirmed().At).Round(time.Second)) + ", says " + who.Name + ": “" + d.Reason + "”")
	if who.ID != o.Asked.ID {
		t = append(t, bot.T(" ", bot.At(o.Asked.ID))...)
	}
	return []bot.Post{{Key: "end", Class: bot.Final, Card: bot.Say(t)}}
}

func (p Page) sayWithdrawn(o bot.Operation, d paging) (posts []bot.Post) {
	for _, id := range d.others(o.Asked.ID) {
		posts = append(posts, bot.Post{Key: "stand-down-" + id, Class: bot.Final, To: bot.Place{Channel: id},
			Card: bot.Say(o.Asked.Name + " took the page back: “" + d.Reason + "” You need not answer any more.")})
	}
	return posts
}

// sayExpired tells who asked that nobody was paged: they may have gone away
// from the question.
func (p Page) sayExpired(o bot.Operation, d paging) []bot.Post {
	return []bot.Post{{Key: "expired", Class: bot.Final, To: bot.Place{Channel: o.Channel, User: o.Asked.ID},
		Card: bot.Say("You did not press [Page now] for “" + d.Reason + "”, so nobody was paged.")}}
}

// pageLine says in one line how a page is that is not over.
func pageLine(o bot.Operation) (bot.Text, error) {
	var d paging
	if err := json.Unmarshal(o.Data, &d); err != nil {
		return nil, fmt.Errorf("reading page %s: %w", o.ID, err)
	}
	t := bot.T("⚠ "+o.Asked.Name+" has paged for “"+d.Reason+"” at ", bot.Time(o.Confirmed().At))
	switch o.State {
	case onIt:
		return append(t, bot.Span{Text: "; " + d.By.Name + " is on it"}), nil
	case nobody:
		return append(t, bot.Span{Text: "; nobody has answered"}), nil
	}
	return append(t, bot.Span{Text: "; " + d.People[d.At].Name + " is being called"}), nil
}
