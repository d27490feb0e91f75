package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
)

// verbWithdraw takes back a press of somebody who was not the last one wanted.
const verbWithdraw = "withdraw"

// pressValue is what a question's buttons carry: which operation, and which
// turn of it, so that a button of an earlier question can be told.
func pressValue(o Operation) string { return o.ID + "." + strconv.Itoa(o.Turn) }

func (b *Bot) judgePress(ctx context.Context, row Received, p Press, late time.Duration) error {
	to := Place{Channel: p.Channel, User: p.Person}
	id, turn, _ := strings.Cut(p.Value, ".")
	var o Operation
	var m Message
	err := b.Ledger.View(ctx, func(v View) (err error) {
		if o, err = v.Operation(id); err == nil {
			m, err = v.Message(id + "/card")
		}
		return err
	})
	if errors.Is(err, ErrNotFound) || err == nil && (m.To.Channel != p.Channel || m.ID != p.Message && m.ID != "") {
		return b.settle(ctx, row, func(tx Tx) error { return b.disown(tx, p) })
	}
	if err != nil {
		return err
	}
	c := b.command(o.Kind)
	if late > 0 && (c == nil || !c.Honoured) {
		return b.tell(ctx, row, to, Say(away, " Press again if you still want it."))
	}
	button := b.button(o, p.Verb)
	if strconv.Itoa(o.Turn) != turn || button == nil || button.Label == "" {
		return b.tell(ctx, row, to, b.tooLate(o, p.Verb, turn))
	}

	d := Decision{Verb: p.Verb, Turn: o.Turn, Decides: button.Decides, Late: late}
	err = b.within(ctx, b.Times.Plan, func(ctx context.Context) error {
		who, err := b.somebody(ctx, p.Person, c.Guests)
		if err != nil {
			return err
		}
		d.Person = who.Person
		if err := b.may(ctx, button.May, p.Person, o.Asked.ID); err != nil || button.Among == "" {
			return err
		}
		members, err := b.members(ctx, button.Among)
		if slices.Contains(members, p.Person) {
			d.As = []Role{button.Among}
		}
		return err
	})
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return b.tell(ctx, row, to, Say(refusal.Text))
	} else if err != nil {
		ref := b.broke("judging a press", err, zap.String("operation", o.ID), zap.String("person", p.Person))
		return b.tell(ctx, row, to, Say("I cannot find out whether you may do that, so nothing was done. Press again in a minute. Ref ", Fixed(ref), "."))
	}
	err = b.settle(ctx, row, func(tx Tx) error { return b.decide(tx, p, d) })
	return b.unlessRefused(ctx, row, to, err)
}

// decide is the decision: one winner, in one transaction.
func (b *Bot) decide(tx Tx, p Press, d Decision) error {
	id, turn, _ := strings.Cut(p.Value, ".")
	to := Place{Channel: p.Channel, User: p.Person}
	o, err := tx.Operation(id)
	if err != nil {
		return err
	}
	c, button := b.command(o.Kind), b.button(o, p.Verb)
	if strconv.Itoa(o.Turn) != turn || button == nil {
		return b.whisper(tx, p.Key, to, b.tooLate(o, p.Verb, turn))
	}
	s := c.steps[o.State]
	if lapse := lapses(s, o); !lapse.IsZero() && !tx.Now().Before(lapse) && c.steps[s.Lapse].End != "" {
		return b.whisper(tx, p.Key, to, Say("This question has expired, so nothing was done. Send the command again."))
	}
	d.At = tx.Now()
	if p.Verb == verbWithdraw {
		at := slices.IndexFunc(o.Presses, func(e Decision) bool { return e.Turn == o.Turn && e.Person.ID == d.Person.ID })
		if at < 0 {
			return b.whisper(tx, p.Key, to, Say("You have not confirmed this, so there is nothing to withdraw. Nothing was done."))
		}
		o.Presses = slices.Delete(slices.Clone(o.Presses), at, at+1)
		return b.stay(tx, o, d)
	}
	if again := repeated(*button, o, d.Person); again != nil {
		return again
	}
	o.Presses = append(slices.Clone(o.Presses), d)
	if wanted(*button, o.inTurn()) != "" {
		return b.stay(tx, o, d)
	}
	if button.Press != nil {
		if err := b.forward(tx, *button.Press, d.Person, d.Late); err != nil {
			return err
		}
	}
	if button.Decides {
		if err := takeAll(tx, o); err != nil {
			return err
		}
	}
	if s.Pressed != nil {
		if err := s.Pressed(tx, o, &o.Data, d); err != nil {
			return err
		}
	}
	return b.enter(tx, c, o, button.To, d.Person.ID, p.Verb)
}

// repeated is a Refusal if who has pressed that button already, and others are
// still wanted.
func repeated(b Button, o Operation, who Person) error {
	given := o.inTurn()
	if slices.ContainsFunc(given, func(d Decision) bool { return d.Verb == b.Verb && d.Person.ID == who.ID }) {
		return Refuse("You have confirmed this already; ", wanted(b, given), ". Nothing was done now.")
	}
	return nil
}

// stay writes a press that does not move the operation, or one withdrawn.
func (b *Bot) stay(tx Tx, o Operation, d Decision) error {
	err := tx.AddEvent(Event{Operation: o.ID, At: d.At, Who: d.Person.ID, From: o.State, To: o.State, Note: d.Verb})
	if err != nil {
		return err
	}
	return b.save(tx, o)
}

// inTurn are the presses that have counted since the question was asked.
func (o Operation) inTurn() []Decision {
	var now []Decision
	for _, d := range o.Presses {
		if d.Turn == o.Turn {
			now = append(now, d)
		}
	}
	return now
}

// wanted says what is missing before a button's presses move the operation;
// empty: nothing.
func wanted(b Button, given []Decision) string {
	people := map[string]bool{}
	among := b.Among == ""
	for _, d := range given {
		if d.Verb == b.Verb {
			people[d.Person.ID] = true
			among = among || slices.Contains(d.As, b.Among)
		}
	}
	missing := max(1, b.People) - len(people)
	switch {
	case missing > 0 && !among && missing == 1:
		return "it still needs " + b.Among.Title()
	case missing > 0 && !among:
		return fmt.Sprintf("it still needs %d people, one of them %s", missing, b.Among.Title())
	case missing > 0:
		return "it still needs " + Count(missing, "other person", "other people")
	case !among:
		return "it still needs " + b.Among.Title()
	}
	return ""
}

// soFar says who has confirmed while others are still wanted, or "".
func soFar(q Question, o Operation) string {
	given := o.inTurn()
	for _, button := range q.Buttons {
		var names []string
		for _, d := range given {
			if d.Verb == button.Verb {
				names = append(names, d.Person.Name)
			}
		}
		if len(names) == 0 {
			continue
		}
		by := "Confirmed by "
		if button.People > 1 {
			by = fmt.Sprintf("%d of %d: confirmed by ", len(names), button.People)
		}
		return by + strings.Join(names, " and ") + "; " + wanted(button, given) + "."
	}
	return ""
}

// mayForward returns a Refusal if person may not press that button, or if it
// is not there any more.
func (b *Bot) mayForward(ctx context.Context, f Forward, person string) error {
	var o Operation
	err := b.Ledger.View(ctx, func(v View) (err error) {
		o, err = v.Operation(f.Operation)
		return err
	})
	if err != nil {
		return err
	}
	button := b.button(o, f.Verb)
	if button == nil {
		return &Refusal{b.tooLate(o, f.Verb, strconv.Itoa(o.Turn-1)).Line}
	}
	return b.may(ctx, button.May, person, o.Asked.ID)
}

// forward presses a button of another operation. Whether who may is known.
func (b *Bot) forward(tx Tx, f Forward, who Person, late time.Duration) error {
	o, err := tx.Operation(f.Operation)
	if err != nil {
		return err
	}
	c, button := b.command(o.Kind), b.button(o, f.Verb)
	if button == nil {
		return &Refusal{b.tooLate(o, f.Verb, strconv.Itoa(o.Turn-1)).Line}
	}
	d := Decision{Person: who, Verb: f.Verb, At: tx.Now(), Turn: o.Turn, Late: late, Decides: button.Decides}
	if again := repeated(*button, o, who); again != nil {
		return again
	}
	o.Presses = append(slices.Clone(o.Presses), d)
	if wanted(*button, o.inTurn()) != "" {
		return b.stay(tx, o, d)
	}
	if button.Decides {
		if err := takeAll(tx, o); err != nil {
			return err
		}
	}
	if s := c.steps[o.State]; s.Pressed != nil {
		if err := s.Pressed(tx, o, &o.Data, d); err != nil {
			return err
		}
	}
	return b.enter(tx, c, o, button.To, who.ID, f.Verb)
}

// takeAll takes what an operation's decision takes.
func takeAll(tx Tx, o Operation) error {
	for _, scope := range o.Scopes {
		other, err := tx.Hold(scope, o.ID)
		if err != nil {
			return err
		}
		if other != "" {
			return &held{by: other}
		}
	}
	return nil
}

// button is the one with that verb in the question that is open now, or nil.
func (b *Bot) button(o Operation, verb string) *Button {
	c := b.command(o.Kind)
	if c == nil {
		return nil
	}
	step := c.steps[o.State]
	if step.Ask == nil {
		return nil
	}
	q := step.Ask(o, o.Data)
	for _, button := range q.Buttons {
		switch {
		case button.Verb == verb:
			return &button
		case verb == verbWithdraw && (button.People > 1 || button.Among != ""):
			return &Button{Verb: verbWithdraw, Label: "Withdraw"}
		}
	}
	return nil
}

// tooLate says who was quicker, to somebody who pressed a button of that turn.
func (b *Bot) tooLate(o Operation, verb, turn string) Card {
	if c := b.command(o.Kind); c == nil || !c.has(o.State) {
		return Say(unknown) // a newer binary asked it
	}
	asked, err := strconv.Atoi(turn)
	if err == nil && asked < o.Turn && b.button(o, verb) != nil {
		return Say("This question has been asked again meanwhile, so nothing was done. Press again if you still want it.")
	}
	var d Decision
	for _, e := range o.Presses {
		if e.Turn >= asked && (d.Verb == "" || e.Turn == d.Turn) {
			d = e
		}
	}
	// One of several that were wanted answers nothing if the others did not
	// press; what did answer was written together with the next turn.
	if d.Turn == o.Turn || d.Turn == o.Turn-1 && !d.At.Equal(o.Entered) {
		d = Decision{}
	}
	if d.Verb != "" {
		return Say("This question was answered by ", d.Person.Name, " at ", Time(d.At), "; nothing was done now.")
	}
	if o.End == Expired {
		return Say("This question has expired, so nothing was done. Send the command again.")
	}
	return Say("This question is over, so nothing was done.")
}

// disown answers a press on a question that this ledger does not have, and
// takes its buttons.
func (b *Bot) disown(tx Tx, p Press) error {
	if p.Message != "" {
		c := Say(unknown)
		err := tx.AddMessage(Message{Key: p.Channel + "/" + p.Message + "/disowned", Class: Query, To: Place{Channel: p.Channel},
			Card: &c, ID: p.Message, Wanted: 1, Due: tx.Now(), Created: tx.Now()})
		if err != nil && !errors.Is(err, ErrTaken) {
			return err
		}
	}
	return b.whisper(tx, p.Key, Place{Channel: p.Channel, User: p.Person}, Say(unknown))
}
