package bot

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
)

// window is how many of the messages that are due are looked at: enough that
// those of a lane that has to wait do not hide the others behind them.
const window = 16 * abreast

// sendDue claims messages that are due, one of each lane, and starts to send
// them.
func (b *Bot) sendDue(ctx context.Context, room int, start func(func())) (next, now time.Time, err error) {
	var ready, claimed []Message
	err = b.Ledger.View(ctx, func(v View) error {
		all, err := v.DueMessages(window)
		now = v.Now()
		ready, next = pick(all, now, room)
		return err
	})
	if err != nil || len(ready) == 0 {
		return next, now, err
	}
	err = b.Ledger.Do(ctx, func(tx Tx) error {
		claimed, now = nil, tx.Now()
		for _, m := range ready {
			m.Owner, m.Due = newID(), now.Add(b.Times.Lease)
			over, err := outlived(tx, m)
			if err != nil {
				return err
			}
			if over {
				next = now // what waits behind it can go
				m.Owner, m.Due, m.Dead = "", time.Time{}, unwanted
				if err := tx.SaveMessage(m); err != nil && !errors.Is(err, ErrMoved) {
					return err
				}
				continue
			}
			if m.ID == "" {
				m.Tries++
			}
			switch err := tx.SaveMessage(m); {
			case errors.Is(err, ErrMoved):
				next = now // it has changed just now, so look again
				continue
			case err != nil:
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
	for _, m := range claimed {
		start(func() { b.send(ctx, m, now) })
	}
	// What waits behind a claimed message is woken when that one is done.
	return next, now, nil
}

// unwanted is why a page is not sent any more.
const unwanted = "not wanted any more: what it was about has gone on"

// outlived says whether a page has not been sent and is not wanted any more:
// somebody has answered, or others are paged now.
func outlived(tx Tx, m Message) (bool, error) {
	if m.Class != Page || m.ID != "" || m.Operation == "" {
		return false, nil
	}
	o, err := tx.Operation(m.Operation)
	if err != nil {
		return false, err
	}
	return !strings.HasPrefix(m.Key, o.PostKey("")), nil
}

// lane is within what messages stay in order, and wait together when the chat
// asks to wait, which it does by method and channel.
func (m Message) lane() string {
	switch {
	case m.To.User != "":
		return m.To.Channel + "/" + m.To.User
	case m.ID != "":
		return m.To.Channel + "/edits"
	}
	return m.To.Channel
}

// rank orders what is due: by class, and within it an owner of its lane first.
func (m Message) rank() int {
	if m.Owner != "" {
		return 2 * int(m.Class)
	}
	return 2*int(m.Class) + 1
}

// pick chooses what can be sent now, at most room, and says when more can be.
func pick(all []Message, now time.Time, room int) (ready []Message, next time.Time) {
	// What has an owner has its lane until its time comes, and goes first then:
	// it is being sent, or waits to be looked up, or was told to wait.
	busy := map[string]bool{}
	var due []Message
	for _, m := range all {
		switch {
		case !m.Due.After(now):
			due = append(due, m)
			continue
		case m.Owner != "":
			busy[m.lane()] = true
		}
		if next.IsZero() || m.Due.Before(next) {
			next = m.Due
		}
	}
	slices.SortStableFunc(due, func(a, b Message) int { return a.rank() - b.rank() })
	for _, m := range due {
		if lane := m.lane(); !busy[lane] && len(ready) < room {
			busy[lane] = true
			ready = append(ready, m)
		}
	}
	return ready, next
}

// send sends one claimed message, or brings it up to date, and writes what
// came of it.
func (b *Bot) send(ctx context.Context, m Message, claimed time.Time) {
	log := b.Log.With(zap.String("message", m.Key))
	card, thread, revision, err := b.render(ctx, m)
	wait, again := b.Times.Lease, true
	if errors.Is(err, errNoThread) {
		wait, err = time.Second, doubtStays{err}
	} else if err != nil {
		log.Error("rendering a message; it will be tried again", zap.Error(err))
		err = doubtStays{err} // and others go on meanwhile: it may stay so for long
	} else {
		err = b.within(ctx, b.Times.Limit, func(ctx context.Context) (err error) {
			m, revision, err = b.deliver(ctx, m, thread, card, revision)
			return err
		})
		if wait, again = RetryAfter(err); err != nil {
			log.Warn("sending a message", zap.Error(err), zap.Bool("again", again), zap.Duration("wait", wait))
		}
	}
	if m.Dead != "" {
		log.Warn("a message is not repeated", zap.String("why", m.Dead))
	}
	sent := m
	err = b.within(ctx, b.Times.Limit, func(ctx context.Context) error {
		return b.Ledger.Do(ctx, func(tx Tx) error {
			m, err := sent, err // f may run again
			row, rerr := tx.Message(m.Key)
			if rerr != nil {
				return rerr
			}
			now := tx.Now()
			if row.Owner != m.Owner && m.ID == "" {
				return errNotOurs
			} else if row.Owner != m.Owner {
				// A late edit may have undone a newer one, which is made again.
				row.Wanted++
				if row.Owner == "" && row.Dead == "" {
					row.Due = now
				}
				return tx.SaveMessage(row)
			}
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
			case NotSent(err):
				// Nor would another in its lane be. Of earlier tries it says nothing.
				row.Tries, row.Due = max(0, m.Tries-1), now.Add(max(wait, time.Second))
			case m.ID != "":
				row.Owner, row.Due = "", now.Add(max(wait, time.Second))
			default:
				// Whether it was sent is unknown. The claim stays until the old
				// request's limit has certainly passed; then it is looked up.
				row.Due = claimed.Add(max(b.Times.Lease, wait))
				if m.Tries > 2 {
					row.Owner = "" // what comes after it has waited long enough
				}
			}
			return tx.SaveMessage(row)
		})
	})
	if err != nil && !errors.Is(err, errNotOurs) {
		log.Warn("writing what came of a message; it will be looked up", zap.Error(err))
	}
}

// deliver makes the calls. What it returns is to be written in either case.
func (b *Bot) deliver(ctx context.Context, m Message, thread string, card Card, revision int64) (Message, int64, error) {
	doubtful := m.ID == "" && m.Tries > 1
	if doubtful && m.To.User == "" && !b.Blind {
		id, err := b.Chat.Find(ctx, m.To.Channel, thread, m.Key, m.Created)
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
		id, err := b.Chat.Post(ctx, m.To.Channel, thread, card, m.Key)
		m.ID = id
		return m, revision, err
	}
	return m, revision, b.Chat.Update(ctx, m.To.Channel, m.ID, card)
}

// doubtStays is an error met while looking a message up: it says nothing of
// the sending itself, whatever kind of error it is.
type doubtStays struct{ error }

func (d doubtStays) Unwrap() error { return d.error }

// errNoThread is why a message has to wait whose thread is not there yet.
var errNoThread = errors.New("the message in whose thread it belongs has not been sent yet")

// render returns what is to be sent, in which thread, and the revision that
// this is.
func (b *Bot) render(ctx context.Context, m Message) (card Card, thread string, revision int64, err error) {
	if m.Card != nil && m.To.Under == "" {
		return *m.Card, "", m.Wanted, nil
	}
	err = b.within(ctx, b.Times.Limit, func(ctx context.Context) error {
		return b.Ledger.View(ctx, func(v View) error {
			if m.To.Under != "" {
				above, err := v.Message(m.To.Under)
				if err == nil && above.ID == "" && above.Dead == "" {
					err = errNoThread
				}
				if err != nil {
					return err
				}
				thread = above.ID // of one that cannot be sent: it stands in the channel then
			}
			if m.Card != nil {
				card, revision = *m.Card, m.Wanted
				return nil
			}
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
	return card, thread, revision, err
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
		if button.Label != "" {
			row.Buttons = append(row.Buttons, CardButton{Label: button.Label, Verb: button.Verb, Value: pressValue(o), Tone: button.Tone, Dialog: button.Dialog})
		}
	}
	given := soFar(q, o)
	if given != "" {
		row.Buttons = append(row.Buttons, CardButton{Label: "Withdraw", Verb: verbWithdraw, Value: pressValue(o)})
		card = card.Add(Paragraph(given))
	}
	if card = card.Add(row); q.Note == "" {
		return card, nil
	}
	note := T(q.Note)
	if lapse := lapses(s, o); !lapse.IsZero() {
		until := Time(lapse)
		if lapse.Sub(o.Entered) > 12*time.Hour {
			until = Date(lapse)
		}
		note = T("Waits until ", until, "; ", q.Note)
	}
	return card.Add(Part{Kind: Note, Text: note}), nil
}
