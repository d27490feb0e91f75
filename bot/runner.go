package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
)

type step = Step[json.RawMessage]

// place puts an operation at the beginning of a state.
func place(now time.Time, c *Command, o *Operation, to State) {
	s := c.steps[to]
	o.State, o.Entered, o.Acts, o.Trouble, o.Owner, o.End = to, now, 0, nil, "", s.End
	o.Turn++
	o.Due = nextDue(s, *o, now)
}

// nextDue is when the runner must see to the operation again: for a look, or
// because the step gives up.
func nextDue(s step, o Operation, look time.Time) (due time.Time) {
	if s.End != "" {
		return due
	}
	if s.Look != nil {
		due = look
	}
	if lapse := lapses(s, o); !lapse.IsZero() && (due.IsZero() || lapse.Before(due)) {
		due = lapse
	}
	return due
}

// lapses is when the step gives up waiting; zero: never.
func lapses(s step, o Operation) time.Time {
	if s.GiveUp == nil {
		return time.Time{}
	}
	return s.GiveUp(o, o.Data)
}

// After is a GiveUp so long after the state began.
func After[D any](d time.Duration) func(Operation, D) time.Time {
	return func(o Operation, _ D) time.Time { return o.Entered.Add(d) }
}

// enter moves an operation to a state, with all that belongs to it: the audit
// trail, what it holds, what is said, and its message.
func (b *Bot) enter(tx Tx, c *Command, o Operation, to State, who, note string) error {
	s, ok := c.steps[to]
	if !ok {
		return fmt.Errorf("%s %s has no state %q", o.Kind, o.ID, to)
	}
	from := o.State
	place(tx.Now(), c, &o, to)
	if err := b.arrive(tx, s, o, Event{Who: who, From: from, Note: note}); err != nil {
		return err
	}
	return b.save(tx, o)
}

// arrive writes what belongs to having entered a state beside the row itself.
func (b *Bot) arrive(tx Tx, s step, o Operation, e Event) error {
	e.Operation, e.At, e.To = o.ID, tx.Now(), o.State
	if err := tx.AddEvent(e); err != nil {
		return err
	}
	var err error
	switch {
	case s.End != "":
		err = tx.Release(o.ID, "")
	case e.Who != "" && o.Turn > 1 && o.Asking != "":
		err = tx.Release(o.ID, o.Asking) // answered: another question may be asked
	}
	if err == nil && s.Shows {
		err = b.show(tx, o)
		if errors.Is(err, ErrTaken) {
			err = nil // it has been there since an earlier state
		}
	}
	if err != nil || s.Say == nil {
		return err
	}
	return b.post(tx, o, s.Say(o, o.Data))
}

// show posts an operation's message.
func (b *Bot) show(tx Tx, o Operation) error {
	return tx.AddMessage(Message{Key: o.ID + "/card", Operation: o.ID, Class: Query, To: Place{Channel: o.Channel},
		Wanted: 1, Due: tx.Now(), Created: tx.Now()})
}

// beginAll begins operations that begin by themselves, each once.
func (b *Bot) beginAll(tx Tx, all []Begin) error {
	for _, begin := range all {
		c := b.command(begin.Kind)
		if c == nil || !c.has(begin.First) {
			return fmt.Errorf("nothing of kind %s can begin in state %q", begin.Kind, begin.First)
		}
		free, err := allFree(tx, begin.Holds)
		if err != nil {
			return err
		}
		if !free {
			continue
		}
		if begin.Unless != nil {
			not, err := begin.Unless(tx)
			if err != nil {
				return err
			}
			if not {
				continue
			}
		}
		data, err := json.Marshal(begin.Data)
		if err != nil {
			return err
		}
		o := Operation{ID: newID(), Kind: begin.Kind, About: begin.About, Ref: begin.Ref, Asked: begin.Asked, Scopes: begin.Holds, Channel: b.Channel,
			Created: tx.Now(), Data: data, Version: 1}
		place(tx.Now(), c, &o, begin.First)
		switch err := tx.AddOperation(o); {
		case errors.Is(err, ErrTaken):
			continue
		case err != nil:
			return err
		}
		for _, scope := range begin.Holds {
			if _, err := tx.Hold(scope, o.ID); err != nil {
				return err
			}
		}
		if !c.Hidden {
			if err := b.show(tx, o); err != nil {
				return err
			}
		}
		if err := b.arrive(tx, c.steps[o.State], o, Event{Note: "by itself"}); err != nil {
			return err
		}
	}
	return nil
}

// allFree says whether nobody holds any of scopes.
func allFree(tx Tx, scopes []string) (bool, error) {
	for _, scope := range scopes {
		if holder, err := tx.Holder(scope); err != nil || holder != "" {
			return false, err
		}
	}
	return true, nil
}

// stand begins what has to be there as long as the bot runs. A ledger that does
// not answer at this moment is no reason to end: it is tried again.
func (b *Bot) stand(ctx context.Context) error {
	for _, c := range b.Commands {
		for c.standing != nil {
			err := b.Ledger.Do(ctx, func(tx Tx) error { return b.beginAll(tx, c.standing()) })
			if err == nil {
				break
			}
			b.Log.Error("beginning what has to be there; trying again", zap.String("kind", c.Name), zap.Error(err))
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(min(b.Times.Idle, 2*time.Second)):
			}
		}
	}
	return nil
}

// post writes new messages of an operation.
func (b *Bot) post(tx Tx, o Operation, posts []Post) error {
	for _, p := range posts {
		if p.To == (Place{}) {
			p.To.Channel = o.Channel
		}
		if p.Unless != "" {
			holder, err := tx.Holder(p.Unless)
			if err != nil {
				return err
			}
			if holder != "" {
				continue
			}
		}
		err := tx.AddMessage(Message{Key: o.PostKey(p.Key), Operation: o.ID, Class: p.Class,
			To: p.To, Card: &p.Card, Wanted: 1, Due: tx.Now(), Created: tx.Now()})
		if err != nil {
			return err
		}
	}
	return nil
}

// save writes an operation and lets its message follow.
func (b *Bot) save(tx Tx, o Operation) error {
	if err := tx.SaveOperation(o); err != nil {
		return err
	}
	m, err := tx.Message(o.ID + "/card")
	if errors.Is(err, ErrNotFound) {
		return nil // it shows itself later, or never
	}
	if err != nil {
		return err
	}
	m.Wanted++
	if m.Owner == "" && m.Tries == 0 && m.Dead == "" {
		m.Due = tx.Now() // else it has its time, and brings what is wanted by then
	}
	return tx.SaveMessage(m)
}

// runDue claims operations that are due and starts to work their steps. Those
// of kinds this binary does not know are left alone: a newer one made them.
func (b *Bot) runDue(ctx context.Context, room int, start func(func())) (next, now time.Time, err error) {
	var kinds []string
	for _, c := range b.Commands {
		if c.steps != nil {
			kinds = append(kinds, c.Name)
		}
	}
	due := func(v View) func(int) ([]Operation, error) {
		return func(limit int) ([]Operation, error) { return v.DueOperations(kinds, limit) }
	}
	peek := func(v View) error { return firstDue(v, due(v), &next, &now) }
	if err := b.Ledger.View(ctx, peek); err != nil || next.IsZero() || next.After(now) {
		return next, now, err
	}
	var claimed []Operation
	err = b.Ledger.Do(ctx, func(tx Tx) error {
		claimed = nil
		now = tx.Now()
		rows, err := tx.DueOperations(kinds, room)
		if err != nil {
			return err
		}
		for _, o := range rows {
			if o.Due.After(now) {
				break
			}
			o.Owner, o.Due = newID(), now.Add(b.Times.Lease)
			if err := tx.SaveOperation(o); err != nil {
				return err
			}
			o.Version++
			o.Now = now
			claimed = append(claimed, o)
		}
		return nil
	})
	if err != nil {
		return time.Time{}, now, err
	}
	for _, o := range claimed {
		start(func() { b.work(ctx, o) })
	}
	next = time.Time{}
	return next, now, b.Ledger.View(ctx, peek)
}

// work does one step of an operation that is claimed: look; if the world is
// not there yet, act, if there is something to do, and look again.
func (b *Bot) work(ctx context.Context, o Operation) {
	c := b.command(o.Kind)
	s, ok := c.steps[o.State]
	log := b.Log.With(zap.String("operation", o.ID), zap.String("kind", o.Kind), zap.String("state", string(o.State)))
	if !ok {
		// A newer binary put it there. It stays claimed and is passed by until
		// that binary is back.
		log.Error("this binary does not know the state of an operation")
		return
	}
	before := o
	before.Data = bytes.Clone(o.Data)
	var next Next
	var err error
	for acted := false; ; acted = true {
		if s.Look != nil && !(b.Blind && s.Act != nil && !acted) {
			err = b.within(ctx, b.Times.Limit, func(ctx context.Context) (err error) {
				next, err = s.Look(ctx, o, &o.Data)
				return err
			})
		}
		if err != nil || next.To != "" || s.Act == nil || acted || s.Once && o.Acts > 0 && !b.Blind {
			break
		}
		if o, err = b.intend(ctx, o); err != nil {
			// Overtaken, or the ledger does not answer. Nothing was done, and
			// whoever has the row next looks again.
			log.Warn("not acting, since that could not be written down", zap.Error(err))
			return
		}
		err = b.within(ctx, b.Times.Limit, func(ctx context.Context) error { return s.Act(ctx, o, &o.Data) })
		var no *Refused
		if errors.As(err, &no) {
			next, err = Next{To: s.Refused, Note: no.Why}, nil
			break
		}
		if err != nil {
			if s.Once && NotSent(err) {
				o.Acts = 0 // it can be begun again
			}
			break
		}
	}
	if next.Wrong != nil {
		log.Warn("looking; it goes on", zap.Error(next.Wrong))
	}
	switch err := b.result(ctx, c, s, before, o, next, err, log); {
	case errors.Is(err, ErrMoved):
		log.Info("somebody else has moved the operation on meanwhile")
	case err != nil:
		log.Warn("writing what came of a step; it will be looked at again", zap.Error(err))
	}
	b.messenger.wake()
}

// intend commits that an act is about to be made, and renews the claim for it.
func (b *Bot) intend(ctx context.Context, o Operation) (Operation, error) {
	err := b.within(ctx, b.Times.Limit, func(ctx context.Context) error {
		return b.Ledger.Do(ctx, func(tx Tx) error {
			o := o
			o.Acts++
			o.Due = tx.Now().Add(b.Times.Lease)
			return tx.SaveOperation(o)
		})
	})
	o.Acts++
	o.Version++
	return o, err
}

// result writes what came of a step under the version of the claim, so that a
// process that was overtaken writes nothing.
func (b *Bot) result(ctx context.Context, c *Command, s step, before, o Operation, next Next, wrong error, log *zap.Logger) error {
	if wrong != nil && o.Trouble == nil {
		service := Service(wrong)
		if service == "" {
			service = "Something I need"
		}
		o.Trouble = &Trouble{Service: service, Ref: b.broke("working a step; still trying", wrong, zap.String("operation", o.ID), zap.String("state", string(o.State)))}
	} else if wrong != nil {
		log.Warn("working a step; still trying", zap.String("ref", o.Trouble.Ref), zap.Error(wrong))
	} else {
		o.Trouble = nil
	}
	return b.within(ctx, b.Times.Limit, func(ctx context.Context) error {
		return b.Ledger.Do(ctx, func(tx Tx) error {
			o, now := o, tx.Now()
			lapse := lapses(s, o)
			if err := b.post(tx, o, next.Say); err != nil {
				return err
			}
			if err := b.beginAll(tx, next.Begin); err != nil {
				return err
			}
			switch {
			case next.To != "":
				return b.enter(tx, c, o, next.To, "", next.Note)
			case !lapse.IsZero() && !now.Before(lapse):
				return b.enter(tx, c, o, s.Lapse, "", "waited long enough")
			}
			if o.Trouble != nil && o.Trouble.Since.IsZero() {
				o.Trouble.Since = now
			}
			every := s.Every
			if next.Every > 0 {
				every = next.Every
			}
			o.Owner, o.Due = "", nextDue(s, o, now.Add(every))
			if bytes.Equal(before.Data, o.Data) && (before.Trouble == nil) == (o.Trouble == nil) {
				return tx.SaveOperation(o) // nothing that anybody could see has changed
			}
			return b.save(tx, o)
		})
	})
}
