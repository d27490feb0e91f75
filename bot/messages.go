package bot

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
)

// sendDue claims messages that are due, one for each channel, so that they
// stay in order there, and starts to send them.
func (b *Bot) sendDue(ctx context.Context, room int, start func(func())) (next, now time.Time, err error) {
	peek := func(v View) error { return firstDue(v, v.DueMessages, &next, &now) }
	if err := b.Ledger.View(ctx, peek); err != nil || next.IsZero() || next.After(now) {
		return next, now, err
	}
	var claimed []Message
	err = b.Ledger.Do(ctx, func(tx Tx) error {
		claimed = nil
		now = tx.Now()
		due, err := tx.DueMessages(4 * abreast)
		if err != nil {
			return err
		}
		busy := map[string]bool{}
		for _, m := range due {
			if m.Owner != "" && m.Due.After(now) {
				busy[m.To.Channel] = true // being sent, or waiting to be looked up
			}
		}
		for _, m := range due {
			if m.Due.After(now) || busy[m.To.Channel] || len(claimed) == room {
				continue
			}
			busy[m.To.Channel] = true
			m.Owner, m.Due = newID(), now.Add(b.Times.Lease)
			if m.ID == "" {
				m.Tries++
			}
			if err := tx.SaveMessage(m); err != nil {
				return err
			}
			m.Version++
			claimed = append(claimed, m)
		}
		return nil
	})
	if err != nil {
		return time.Time{}, now, err
	}
	at := now // next is read anew below
	for _, m := range claimed {
		start(func() { b.send(ctx, m, at) })
	}
	// What waits behind a claimed message is woken when that one is done, and
	// what waits for a claim to end comes up with the idle time at the latest.
	next = time.Time{}
	err = b.Ledger.View(ctx, func(v View) error {
		now = v.Now()
		due, err := v.DueMessages(4 * abreast)
		for _, m := range due {
			if m.Due.After(now) && (next.IsZero() || m.Due.Before(next)) {
				next = m.Due
			}
		}
		return err
	})
	return next, now, err
}

// send sends one claimed message, or brings it up to date, and writes what
// came of it.
func (b *Bot) send(ctx context.Context, m Message, claimed time.Time) {
	log := b.Log.With(zap.String("message", m.Key))
	card, revision, err := b.render(ctx, m)
	if err != nil {
		log.Error("rendering a message; it will be tried again", zap.Error(err))
		return // the claim runs out
	}
	err = b.within(ctx, b.Times.Limit, func(ctx context.Context) (err error) {
		m, revision, err = b.deliver(ctx, m, card, revision)
		return err
	})
	wait, again := RetryAfter(err)
	if err != nil {
		log.Warn("sending a message", zap.Error(err), zap.Bool("again", again), zap.Duration("wait", wait))
	}
	sent := m
	err = b.within(ctx, b.Times.Limit, func(ctx context.Context) error {
		return b.Ledger.Do(ctx, func(tx Tx) error {
			m, err := sent, err // f may run again
			row, rerr := tx.Message(m.Key)
			if rerr != nil {
				return rerr
			}
			if row.Owner != m.Owner {
				return errNotOurs
			}
			now := tx.Now()
			switch {
			case err == nil:
				row.ID, row.Dead, row.Owner, row.Tries, row.Due = m.ID, m.Dead, "", 0, time.Time{}
				if row.Sent = revision; row.Wanted > row.Sent && row.Dead == "" {
					row.Due = now
				}
			case errors.As(err, &doubtStays{}):
				row.Owner, row.Due = "", now.Add(max(wait, time.Second))
			case !again:
				row.Dead, row.Owner, row.Due = err.Error(), "", time.Time{}
				log.Error("a message cannot be delivered", zap.Error(err))
			case m.ID != "" || NotSent(err):
				row.Owner, row.Tries, row.Due = "", 0, now.Add(max(wait, time.Second))
			default:
				// Whether it was sent is unknown. The claim stays until the old
				// request's limit has certainly passed; then it is looked up.
				row.Due = claimed.Add(max(b.Times.Lease, wait))
			}
			return tx.SaveMessage(row)
		})
	})
	if err != nil && !errors.Is(err, errNotOurs) {
		log.Warn("writing what came of a message; it will be looked up", zap.Error(err))
	}
	b.messenger.wake()
}

// deliver makes the calls. What it returns is to be written in either case.
func (b *Bot) deliver(ctx context.Context, m Message, card Card, revision int64) (Message, int64, error) {
	doubtful := m.ID == "" && m.Tries > 1
	if doubtful && m.To.User == "" && !b.Blind {
		id, err := b.Chat.Find(ctx, m.To.Channel, m.Key, m.Created)
		if _, again := RetryAfter(err); err != nil && again {
			return m, revision, doubtStays{err}
		}
		if id != "" {
			if m.ID = id; m.Card == nil {
				revision = min(m.Sent, revision-1) // which one arrived is not known, so it is brought up to date
			}
			return m, revision, nil
		}
		doubtful = err != nil // certainly not there, or it cannot be looked up at all
	}
	if doubtful && !b.Blind {
		if m.Class > Final {
			m.Dead = "perhaps sent; cannot be looked up, and is not worth a repetition"
			return m, revision, nil
		}
		card = card.Add(SmallPrint("Perhaps repeated."))
	}
	if m.To.User != "" {
		return m, revision, b.Chat.Whisper(ctx, m.To.Channel, m.To.User, card)
	}
	if m.ID == "" {
		id, err := b.Chat.Post(ctx, m.To.Channel, card, m.Key)
		m.ID = id
		return m, revision, err
	}
	return m, revision, b.Chat.Update(ctx, m.To.Channel, m.ID, card)
}

// doubtStays is an error met while looking a message up: it says nothing of
// the sending itself, whatever kind of error it is.
type doubtStays struct{ error }

func (d doubtStays) Unwrap() error { return d.error }

// render returns what is to be sent, and the revision that this is.
func (b *Bot) render(ctx context.Context, m Message) (card Card, revision int64, err error) {
	if m.Card != nil {
		return *m.Card, m.Wanted, nil
	}
	err = b.within(ctx, b.Times.Limit, func(ctx context.Context) error {
		return b.Ledger.View(ctx, func(v View) error {
			row, err := v.Message(m.Key)
			if err != nil {
				return err
			}
			revision = row.Wanted
			o, err := v.Operation(m.Operation)
			if err != nil {
				return err
			}
			card, err = b.cardOf(o)
			return err
		})
	})
	return card, revision, err
}

// cardOf is an operation's message as it is now: what its kind says, the
// question that is open, and what keeps it from going on.
func (b *Bot) cardOf(o Operation) (Card, error) {
	c := b.command(o.Kind)
	if c == nil {
		return Card{}, errors.New("this binary does not know operations of kind " + o.Kind)
	}
	card, err := c.card(o)
	if err != nil {
		return card, err
	}
	s := c.steps[o.State]
	if o.Trouble != nil {
		card = card.Add(Paragraph("⚠ "+o.Trouble.Service+" has not given a usable answer since ", Time(o.Trouble.Since),
			"; still watching. Ref ", Fixed(o.Trouble.Ref), "."))
	}
	if s.Ask == nil {
		return card, nil
	}
	q := s.Ask(o, o.Data)
	row := Part{Kind: Actions}
	for _, button := range q.Buttons {
		row.Buttons = append(row.Buttons, CardButton{Label: button.Label, Verb: button.Verb, Value: pressValue(o), Tone: button.Tone, Dialog: button.Dialog})
	}
	note := T(q.Note)
	if lapse := lapses(s, o); !lapse.IsZero() {
		until := Time(lapse)
		if lapse.Sub(o.Entered) > 12*time.Hour {
			until = Date(lapse)
		}
		note = T("Waits until ", until, "; ", q.Note)
	}
	return card.Add(row, Part{Kind: Note, Text: note}), nil
}
