package bot

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"go.uber.org/zap"
)

// pressValue is what a question's buttons carry: which operation, and which
// turn of it, so that a button of an earlier question can be told.
func pressValue(o Operation) string { return o.ID + "." + strconv.Itoa(o.Turn) }

func (b *Bot) judgePress(ctx context.Context, row Received, p Press, late bool) error {
	to := Place{Channel: p.Channel, User: p.Person}
	if late {
		return b.tell(ctx, row, to, Say(away, " Press again if you still want it."))
	}
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
	button := b.button(o, p.Verb)
	if strconv.Itoa(o.Turn) != turn || button == nil {
		return b.tell(ctx, row, to, b.tooLate(o))
	}

	var who Member
	err = b.within(ctx, b.Times.Plan, func(ctx context.Context) (err error) {
		if who, err = b.somebody(ctx, p.Person); err != nil {
			return err
		}
		return b.may(ctx, button.May, p.Person, o.Asked.ID)
	})
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return b.tell(ctx, row, to, Say(refusal.Text))
	} else if err != nil {
		ref := b.broke("judging a press", err, zap.String("operation", o.ID), zap.String("person", p.Person))
		return b.tell(ctx, row, to, Say("I cannot find out whether you may do that, so nothing was done. Press again in a minute. Ref ", Fixed(ref), "."))
	}
	err = b.settle(ctx, row, func(tx Tx) error { return b.decide(tx, p, who.Person) })
	return b.unlessHeld(ctx, row, to, err)
}

// decide is the decision: one winner, in one transaction.
func (b *Bot) decide(tx Tx, p Press, who Person) error {
	id, turn, _ := strings.Cut(p.Value, ".")
	to := Place{Channel: p.Channel, User: p.Person}
	o, err := tx.Operation(id)
	if err != nil {
		return err
	}
	c, button := b.command(o.Kind), b.button(o, p.Verb)
	if strconv.Itoa(o.Turn) != turn || button == nil {
		return b.whisper(tx, p.Key, to, b.tooLate(o))
	}
	if lapse := lapses(c.steps[o.State], o); !lapse.IsZero() && !tx.Now().Before(lapse) {
		return b.whisper(tx, p.Key, to, Say("This question has expired, so nothing was done. Send the command again."))
	}
	if button.Decides {
		for _, scope := range o.Scopes {
			other, err := tx.Hold(scope, o.ID)
			if err != nil {
				return err
			}
			if other != "" {
				return &held{by: other}
			}
		}
	}
	o.Presses = append(o.Presses, Decision{Person: who, Verb: p.Verb, At: tx.Now()})
	return b.enter(tx, c, o, button.To, who.ID, p.Verb)
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
	for _, button := range step.Ask(o, o.Data).Buttons {
		if button.Verb == verb {
			return &button
		}
	}
	return nil
}

// tooLate says who was quicker.
func (b *Bot) tooLate(o Operation) Card {
	if c := b.command(o.Kind); c == nil || !c.has(o.State) {
		return Say(unknown) // a newer binary asked it
	}
	if d := o.Decided(); d.Verb != "" {
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
