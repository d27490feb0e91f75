package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"go.uber.org/zap"
)

// VerbShow is the verb of a button of a direct message that shows what is never
// stored: its value is the id of an operation, whose step says what that is.
const VerbShow = "show"

// shower begins the claim on an operation for which a window is being prepared.
const shower = "show/"

// showing is an operation that is claimed to be shown to somebody.
type showing struct {
	Operation
	step   step
	who    Person
	before json.RawMessage // its data then
}

// showPressed opens a window for a press of VerbShow, which is not stored:
// what comes of it is for this moment only. It returns an error if the person
// could not be told that none opens.
func (b *Bot) showPressed(ctx context.Context, p Press) error {
	wait := Modal{Title: "One moment", Parts: []Part{Paragraph("Preparing…")}}
	err := b.window(ctx, p.Trigger, wait, func(ctx context.Context, view string) { b.reveal(ctx, p, view) })
	if t := b.unopened(err, T("Press again."), zap.String("operation", p.Value), zap.String("person", p.Person)); t != nil {
		return b.answerPress(ctx, p, t)
	}
	return nil
}

// reveal prepares what an operation's step shows, and shows it.
func (b *Bot) reveal(ctx context.Context, p Press, view string) {
	about := []zap.Field{zap.String("operation", p.Value), zap.String("person", p.Person)}
	var o showing
	var shown Shown
	err := b.within(ctx, b.Times.Plan, func(ctx context.Context) (err error) {
		if o, err = b.claimed(ctx, p); err != nil {
			return err
		}
		return b.sealed("preparing what is shown", func() (err error) {
			shown, err = o.step.Show(ctx, o.Operation, &o.Data, o.who)
			return err
		})
	})
	if o.Owner != "" {
		// That it is shown is written before it is, and if that is not certain
		// it is not shown.
		if werr := b.release(ctx, o, err == nil); err == nil {
			err = werr
		}
	}
	if err != nil {
		b.void(ctx, o, shown, about)
		why := Modal{Title: "Not shown", Parts: []Part{{Kind: Section, Text: b.unshown(err, about)}}}
		if err := b.update(ctx, view, why); err != nil {
			b.Log.Info("somebody does not see why nothing is shown", append(about, zap.Error(err))...)
		}
		return
	}
	err = b.update(ctx, view, Modal{Title: shown.Card.Line.String(), Parts: shown.Card.Parts})
	if err == nil {
		return
	}
	b.Log.Warn("showing what was prepared; it is made void", append(about, zap.Error(err))...)
	left := ", so what I prepared is not valid. Close this and press the button again."
	if !b.void(ctx, o, shown, about) {
		left = ", and what I prepared may be valid all the same. Pressing the button again makes something new."
	}
	// It may stand there all the same.
	_ = b.update(ctx, view, Modal{Title: "Not shown", Parts: []Part{Paragraph("I cannot be sure that this was shown to you" + left)}})
}

// pause is the time between attempts to claim an operation that is worked on.
const pause = 100 * time.Millisecond

// errBusy is why an operation cannot be claimed at this moment.
var errBusy = errors.New("the operation is being worked on")

// claimed claims the operation of a press for whoever made it, if they may see
// what it shows. It waits for the runner, but not for another window.
func (b *Bot) claimed(ctx context.Context, p Press) (showing, error) {
	for {
		o, err := b.claim(ctx, p)
		if !errors.Is(err, errBusy) && !errors.Is(err, ErrMoved) {
			return o, err
		}
		select {
		case <-ctx.Done():
			return showing{}, Refuse("I am looking after this myself at the moment. Close this and press the button again in a minute.")
		case <-time.After(pause):
		}
	}
}

func (b *Bot) claim(ctx context.Context, p Press) (showing, error) {
	var o showing
	err := b.Ledger.View(ctx, func(v View) (err error) {
		o.Operation, err = v.Operation(p.Value)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return showing{}, &Refusal{T(nothing)}
	} else if err != nil {
		return showing{}, err
	}
	c := b.command(o.Kind)
	if c == nil || c.steps[o.State].Show == nil {
		return showing{}, &Refusal{T(nothing)}
	}
	o.step = c.steps[o.State]
	who, err := b.somebody(ctx, p.Person, c.Guests)
	if err != nil {
		return showing{}, err
	}
	if err := b.may(ctx, o.step.ShowTo(o.Operation, o.Data), p.Person, o.Asked.ID); err != nil {
		return showing{}, err
	}
	owner := shower + newID()
	err = b.Ledger.Do(ctx, func(tx Tx) error {
		row, err := tx.Operation(o.ID)
		now := tx.Now()
		switch {
		case err != nil:
			return err
		case row.Version != o.Version:
			return errBusy // what was judged is not what is there now
		case row.Owner == "" || !row.Due.After(now):
		case strings.HasPrefix(row.Owner, shower):
			return Refuse("Another window is being prepared for this. Look there, or close this one and press the button again in a minute.")
		default:
			return errBusy
		}
		o.Now = now
		row.Owner, row.Due = owner, now.Add(b.Times.Plan+b.Times.Lease)
		row.Acts++
		return tx.SaveOperation(row)
	})
	if err != nil {
		return showing{}, err
	}
	o.Owner, o.who, o.before = owner, who.Person, bytes.Clone(o.Data)
	o.Version++
	return o, nil
}

// nothing is what somebody is told who presses a button that shows nothing now.
const nothing = "There is nothing to show here any more, and nothing was done. Close this window."

// release writes what came of preparing, under the version of the claim, and
// leaves the operation to the runner.
func (b *Bot) release(ctx context.Context, o showing, shown bool) error {
	err := b.within(ctx, b.Times.Limit, func(ctx context.Context) error {
		return b.Ledger.Do(ctx, func(tx Tx) error {
			row := o.Operation
			row.Owner, row.Due = "", nextDue(o.step, row, row.Due) // which the claim only put off
			row.Acts = 0
			if shown {
				if err := b.trail(tx, row, o.who.ID, "shown"); err != nil {
					return err
				}
			}
			if bytes.Equal(o.before, row.Data) {
				return tx.SaveOperation(row)
			}
			return b.save(tx, row)
		})
	})
	b.runner.wake() // its time may have come meanwhile
	b.messenger.wake()
	return err
}

func (b *Bot) trail(tx Tx, o Operation, who, note string) error {
	return tx.AddEvent(Event{Operation: o.ID, At: tx.Now(), Who: who, From: o.State, To: o.State, Note: note})
}

// void makes worthless what may or may not have been seen, and reports whether
// it is for certain.
func (b *Bot) void(ctx context.Context, o showing, s Shown, about []zap.Field) bool {
	if s.Void == nil {
		return false
	}
	note := "void: perhaps not seen"
	err := b.within(ctx, b.Times.Limit, func(ctx context.Context) error {
		return b.sealed("making void what was prepared", func() error { return s.Void(ctx) })
	})
	certain := err == nil
	if !certain {
		note = "perhaps not seen, and perhaps valid. Ref " + b.broke("making void what was prepared; it may be valid", err, about...)
	}
	err = b.within(ctx, b.Times.Limit, func(ctx context.Context) error {
		return b.Ledger.Do(ctx, func(tx Tx) error { return b.trail(tx, o.Operation, "", note) })
	})
	if err != nil {
		b.Log.Error("writing that it is void", append(about, zap.Error(err))...)
	}
	return certain
}

// unshown says why nothing is shown.
func (b *Bot) unshown(err error, about []zap.Field) Text {
	var refusal *Refusal
	var no *Refused
	switch {
	case errors.As(err, &refusal):
		return refusal.Text
	case errors.As(err, &no):
		return T(no.Why)
	}
	ref := b.broke("preparing what is shown", err, about...)
	why := "Something broke on my side"
	if errors.Is(err, context.DeadlineExceeded) {
		why = "This took longer than I may take"
	}
	if s := Service(err); s != "" {
		why = s + " does not give a usable answer right now"
	}
	if errors.Is(err, ErrMoved) {
		why = "This has moved on meanwhile"
	}
	return T(why+", so there is nothing to show. What you were shown before may not be valid any more. Close this and press the button again in a minute. Ref ", Fixed(ref), ".")
}
