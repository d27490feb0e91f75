package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// How many operations the history lists, and how many in a part of its card:
// a part that is too long for the chat is cut.
const (
	usualHistory = 10
	mostHistory  = 50
	inAPart      = 10
)

// past lists what was asked for, and what came of it.
type past struct {
	bot          *Bot
	environments []Word
}

// HistoryCommand is the command that lists operations: all, or those of an
// environment or a person.
func HistoryCommand(b *Bot, environments []Word) Command { return Answers(past{b, environments}) }

func (p past) Info() Info {
	return Info{
		Name: "history", Does: "Lists what was asked for, who decided it and what came of it.", Who: "anyone",
		Examples: []string{"history", "history prod", "history @ana 20"}, Wait: "Reading what happened…",
		Args: []Arg{
			{Name: "environment", Doc: "an environment", Example: "prod", Optional: true, Words: p.environments},
			{Name: "person", Doc: "a person", Example: "@ana", Or: true, Person: true},
			{Name: "n", Doc: fmt.Sprintf("how many, at most %d", mostHistory), Example: "20", Optional: true, Check: func(value string) string {
				if n, err := strconv.Atoi(value); err != nil || n < 1 || n > mostHistory {
					return fmt.Sprintf("is not a number from 1 to %d", mostHistory)
				}
				return ""
			}},
		},
	}
}

// entry is an operation and the address of its message, if that was posted.
type entry struct {
	Operation
	url string
}

func (p past) Answer(ctx context.Context, r Request) (Card, error) {
	q := History{About: r.Args["environment"], Person: r.Args["person"], Limit: usualHistory}
	if n, ok := r.Args["n"]; ok {
		q.Limit, _ = strconv.Atoi(n) // was checked when it was read
	}
	entries, err := p.read(ctx, q)
	if err != nil {
		return Card{}, err
	}
	command, whose := "history", ""
	switch {
	case q.About != "":
		command, whose = command+" "+q.About, " of "+q.About
	case q.Person != "":
		// The newest operation knows them, also when the directory does not answer.
		var last Operation
		if len(entries) > 0 {
			last = entries[0].Operation
		}
		command, whose = command+" <@"+q.Person+">", " of "+p.name(ctx, last, q.Person)
	}
	if len(entries) == 0 {
		return Say("There is no history" + whose + "."), nil
	}
	card := Card{Line: T("The history" + whose + ", newest first")}
	card = card.Add(Paragraph(Strong("The history"+whose), ", newest first"))
	for some := range slices.Chunk(entries, inAPart) {
		list := Part{Kind: List}
		for _, e := range some {
			list.Items = append(list.Items, p.item(ctx, e))
		}
		card = card.Add(list)
	}
	if r.Share {
		return card, nil
	}
	if len(entries) == q.Limit && q.Limit < mostHistory && q.Person == "" {
		card = card.Add(SmallPrint("Further back: ", Fixed(fmt.Sprintf("%s %s %d", p.bot.Word, command, mostHistory))))
	}
	return card.Add(Part{Kind: Actions, Buttons: []CardButton{
		{Label: "Post to channel", Verb: VerbShare, Value: fmt.Sprintf("%s %d", command, q.Limit)}}}), nil
}

func (p past) read(ctx context.Context, q History) (entries []entry, err error) {
	err = p.bot.Ledger.View(ctx, func(v View) error {
		entries = nil
		found, err := v.History(q)
		if err != nil {
			return err
		}
		for _, o := range found {
			e := entry{Operation: o}
			m, err := v.Message(o.ID + "/card")
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			if m.ID != "" {
				e.url = p.bot.Chat.Permalink(m.To.Channel, m.ID)
			}
			entries = append(entries, e)
		}
		return nil
	})
	return entries, err
}

// item is one operation: when it was asked for, what its card says now, who
// asked and who confirmed, and where to see it all. Of one without effect it is
// only what was wanted and why it did not happen.
func (p past) item(ctx context.Context, e entry) Text {
	o := e.Operation
	text := T(Date(o.Created), "  ")
	what := strings.TrimSpace(o.Kind + " " + o.About)
	switch o.End {
	case Cancelled:
		return append(text, T(what+", asked by "+o.Asked.Name+": cancelled"+by(o.Decided().Person))...)
	case Expired:
		return append(text, T(what+", asked by "+o.Asked.Name+": nobody answered in time")...)
	}
	if line := p.line(ctx, o); line != nil {
		text = append(text, line...)
	} else {
		text = append(text, T(what+", of which this version of me knows nothing")...)
	}
	text = append(text, T(" · asked by "+o.Asked.Name)...)
	if people := o.Confirmers(); len(people) > 0 {
		names := make([]string, len(people))
		for i, person := range people {
			names[i] = person.Name
		}
		text = append(text, T(", confirmed by "+strings.Join(names, " and "))...)
	}
	if e.url != "" {
		text = append(text, T(" · ", To("its message", e.url))...)
	}
	return text
}

func by(p Person) string {
	if p.Name == "" {
		return ""
	}
	return " by " + p.Name
}

// line is what an operation's card says in one line, with names for mentions:
// a history is no reason to disturb anybody. It is nil for one that a newer
// binary made.
func (p past) line(ctx context.Context, o Operation) Text {
	c := p.bot.command(o.Kind)
	if c == nil || c.card == nil || !c.has(o.State) {
		return nil
	}
	card, err := c.card(o)
	if err != nil {
		return nil
	}
	line := slices.Clone(card.Line)
	for i, span := range line {
		if span.Style == Mention {
			line[i] = Span{Text: p.name(ctx, o, span.Text)}
		}
	}
	return line
}

// name is how a person is called: as the operation remembers them, or as the
// directory does, or else in general.
func (p past) name(ctx context.Context, o Operation, id string) string {
	if o.Asked.ID == id {
		return o.Asked.Name
	}
	for _, d := range o.Presses {
		if d.Person.ID == id {
			return d.Person.Name
		}
	}
	if m, err := p.bot.Directory.Member(ctx, id, time.Hour); err == nil {
		return m.Name
	}
	return "somebody"
}
