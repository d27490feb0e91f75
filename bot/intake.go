package bot

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"
)

// Verbs of buttons that belong to no question: they say a command in the name
// of whoever presses them, to that person or, shared, to the channel.
const (
	VerbSay   = "say"
	VerbShare = "share"
)

// Command takes a typed command and returns what to tell its author at once,
// in the acknowledgement, or nil. What may change something, and what takes
// long to answer, is stored when it returns.
func (b *Bot) Command(ctx context.Context, r Request) *Card {
	b.start()
	if r.Channel != b.Channel {
		return card(T("I work in ", b.Room, ", so nothing was done. Send it there."))
	}
	p, refusal := Parse(b.Word, r.Text, b.infos())
	if refusal != nil {
		return card(refusal.Text)
	}
	if p.Name == "" {
		menu := b.menu()
		return &menu
	}
	c := b.command(p.Name)
	r.Args = p.Args
	if c.asks(p.Args) {
		if t := b.openForm(ctx, c, r); t != nil {
			return card(t)
		}
		return nil
	}
	if c.answer != nil {
		said := make(chan *Card, 1)
		quick, cancel := context.WithTimeout(ctx, atOnce)
		defer cancel()
		go func() {
			answer, err := b.answer(quick, c, r)
			said <- b.told(&answer, err, r)
		}()
		select {
		case answer := <-said:
			return answer
		case <-quick.Done():
			// It goes the way of everything that must not be forgotten.
		}
	}
	// A duplicate gets the same answer: which of the two is acknowledged first
	// is open, and Slack shows only that one's.
	if err := b.receive(ctx, Received{Key: r.Key, Request: &r}); err != nil && !errors.Is(err, ErrTaken) {
		return card(T("I cannot write down what you asked, so nothing was done. Try again in a minute. Ref ",
			Fixed(b.broke("storing a command", err)), "."))
	}
	return card(T(c.Wait))
}

// Press takes a pressed button. When it returns nil, the press is stored, or a
// window has opened for it.
func (b *Bot) Press(ctx context.Context, p Press) error {
	b.start()
	r := Received{Key: p.Key, Press: &p}
	switch p.Verb {
	case VerbShow:
		return b.showPressed(ctx, p)
	case VerbSay, VerbShare:
		q := Request{Key: p.Key, Person: p.Person, Channel: p.Channel, Text: p.Value, Share: p.Verb == VerbShare,
			Direct: p.direct(b.Channel), Trigger: p.Trigger}
		if c, args := b.form(q.Text); c != nil && p.Channel == b.Channel && !q.Share {
			q.Args = args
			if t := b.openForm(ctx, c, q); t != nil {
				return b.answerPress(ctx, p, t)
			}
			return nil
		}
		r = Received{Key: p.Key, Request: &q}
	}
	if err := b.receive(ctx, r); err != nil && !errors.Is(err, ErrTaken) {
		return err
	}
	return nil
}

func (b *Bot) receive(ctx context.Context, r Received) error {
	err := b.Ledger.Do(ctx, func(tx Tx) error {
		r.At = tx.Now()
		r.Due = r.At
		return tx.AddReceived(r)
	})
	if err == nil {
		b.inbox.wake()
	}
	return err
}

// judgeDue claims what was received and starts to judge it.
func (b *Bot) judgeDue(ctx context.Context, room int, start func(func())) (next, now time.Time, err error) {
	var claimed []Received
	err = b.Ledger.View(ctx, func(v View) error { return firstDue(v, v.DueReceived, &next, &now) })
	if err != nil || next.IsZero() || next.After(now) {
		return next, now, err
	}
	err = b.Ledger.Do(ctx, func(tx Tx) error {
		claimed = nil
		now = tx.Now()
		due, err := tx.DueReceived(room)
		if err != nil {
			return err
		}
		for _, r := range due {
			if r.Due.After(now) {
				break
			}
			r.Owner, r.Due = newID(), now.Add(b.Times.Lease)
			if err := tx.SaveReceived(r); err != nil {
				return err
			}
			claimed = append(claimed, r)
		}
		return nil
	})
	if err != nil {
		return time.Time{}, now, err
	}
	at := now // next is read anew below
	for _, r := range claimed {
		start(func() { b.judge(ctx, r, at) })
	}
	if len(claimed) < room {
		next = time.Time{} // more is announced by a wake or found after the idle time
		err = b.Ledger.View(ctx, func(v View) error { return firstDue(v, v.DueReceived, &next, &now) })
	}
	return next, now, err
}

// firstDue sets when the first row is due, which may have been a while ago.
func firstDue[R interface{ due() time.Time }](v View, query func(limit int) ([]R, error), next, now *time.Time) error {
	*now = v.Now()
	rows, err := query(1)
	if len(rows) > 0 {
		*next = rows[0].due()
	}
	return err
}

func (r Received) due() time.Time  { return r.Due }
func (o Operation) due() time.Time { return o.Due }

// judge answers one request, in the transaction that is its only effect.
func (b *Bot) judge(ctx context.Context, r Received, now time.Time) {
	ctx, done := context.WithCancel(context.WithoutCancel(ctx))
	defer done()
	go b.keep(ctx, r)
	late := now.Sub(r.At)
	if late <= stale {
		late = 0
	}
	var err error
	switch {
	case r.Request != nil:
		err = b.judgeRequest(ctx, r, *r.Request, late)
	case r.Press != nil:
		err = b.judgePress(ctx, r, *r.Press, late)
	}
	if err != nil && !errors.Is(err, errNotOurs) {
		// Nothing was written, so the row comes up again when its claim ends.
		b.Log.Error("judging a request", zap.String("key", r.Key), zap.Error(err))
	}
}

// keep renews the claim on r until ctx ends: looking up what a command would
// do may take longer than a lease, and whoever takes over after a crash should
// not have to wait for the longest of them.
func (b *Bot) keep(ctx context.Context, r Received) {
	t := time.NewTicker(b.Times.Lease / 3)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		err := b.Ledger.Do(ctx, func(tx Tx) error {
			row, err := tx.Received(r.Key)
			if err != nil {
				return err
			}
			if row.Owner != r.Owner || row.Due.IsZero() {
				return errNotOurs
			}
			row.Due = tx.Now().Add(b.Times.Lease)
			return tx.SaveReceived(row)
		})
		if err != nil {
			return // settling the request will tell
		}
	}
}

// settle makes f's changes and marks r as dealt with, or neither.
func (b *Bot) settle(ctx context.Context, r Received, f func(tx Tx) error) error {
	err := b.within(ctx, b.Times.Lease, func(ctx context.Context) error {
		return b.Ledger.Do(ctx, func(tx Tx) error {
			row, err := tx.Received(r.Key)
			if err != nil {
				return err
			}
			if row.Owner != r.Owner || row.Due.IsZero() {
				return errNotOurs
			}
			if err := f(tx); err != nil {
				return err
			}
			row.Owner, row.Due = "", time.Time{}
			return tx.SaveReceived(row)
		})
	})
	if err == nil {
		b.runner.wake()
		b.messenger.wake()
	}
	return err
}

// tell settles r with an answer: to its author alone, or shared.
func (b *Bot) tell(ctx context.Context, r Received, to Place, c Card) error {
	return b.settle(ctx, r, func(tx Tx) error { return b.whisper(tx, r.Key, to, c) })
}

func (b *Bot) whisper(tx Tx, key string, to Place, c Card) error {
	return tx.AddMessage(Message{Key: key + "/answer", Class: Final, To: to, Card: &c, Wanted: 1, Due: tx.Now(), Created: tx.Now()})
}

func (b *Bot) judgeRequest(ctx context.Context, row Received, r Request, late time.Duration) error {
	to := Place{Channel: b.Channel, User: r.Person}
	if r.Direct {
		to = Place{Channel: r.Person}
	}
	p, refusal := Parse(b.Word, r.Text, b.infos())
	c := b.command(p.Name)
	switch {
	case late > 0 && (c == nil || !c.Honoured):
		return b.tell(ctx, row, to, Say(away, " Send it again if you still want it."))
	case r.Channel != b.Channel && !r.Direct:
		return b.tell(ctx, row, to, Say("I work in ", b.Room, ", so nothing was done."))
	case refusal != nil:
		return b.tell(ctx, row, to, Say(refusal.Text))
	case p.Name == "":
		return b.tell(ctx, row, to, b.menu())
	case c.asks(p.Args) && len(r.Values) == 0:
		return b.tell(ctx, row, to, Say("This takes a form, which I can open only at once and in ", b.Room, ", so nothing was done. Send ",
			Fixed(b.Word+" "+r.Text), " there."))
	}
	r.Args, r.Now, r.Late = p.Args, row.At, late
	if c.answer != nil {
		answer, err := b.answer(ctx, c, r)
		if r.Share && err == nil {
			to.User = ""
		}
		return b.tell(ctx, row, to, *b.told(&answer, err, r))
	}

	var plan Plan[json.RawMessage]
	err := b.within(ctx, b.Times.Plan, func(ctx context.Context) error {
		err := b.introduce(ctx, c, &r)
		if err != nil {
			return err
		}
		if plan, err = c.plan(ctx, r); err == nil && plan.Press != nil {
			err = b.mayForward(ctx, *plan.Press, r.Person)
		}
		return err
	})
	if err != nil || plan.Begin == nil && plan.Press == nil {
		return b.tell(ctx, row, to, *b.told(plan.Answer, err, r))
	}
	err = b.settle(ctx, row, func(tx Tx) error {
		if plan.Press != nil {
			if err := b.forward(tx, *plan.Press, r.Asker, late); err != nil {
				return err
			}
		}
		if plan.Answer != nil {
			if err := b.whisper(tx, row.Key, to, *plan.Answer); err != nil {
				return err
			}
		}
		if plan.Begin == nil {
			return nil
		}
		return b.begin(tx, c, r, plan)
	})
	return b.unlessRefused(ctx, row, to, err)
}

// introduce says in r who asks, if they may send the command.
func (b *Bot) introduce(ctx context.Context, c *Command, r *Request) error {
	who, err := b.somebody(ctx, r.Person, c.Guests)
	if err != nil {
		return err
	}
	if err := b.may(ctx, c.Begin, r.Person, ""); err != nil {
		return err
	}
	r.Asker, r.Zone = who.Person, zone(who)
	r.May = func(ctx context.Context, p Policy) error { return b.may(ctx, p, who.ID, "") }
	return nil
}

// zone is where a person reads clocks; UTC if the chat does not say.
func zone(m Member) *time.Location {
	if at, err := time.LoadLocation(m.Zone); err == nil && m.Zone != "" {
		return at
	}
	return time.UTC
}

// answer asks a command that changes nothing.
func (b *Bot) answer(ctx context.Context, c *Command, r Request) (answer Card, err error) {
	err = b.within(ctx, b.Times.Plan, func(ctx context.Context) (err error) {
		if err := b.may(ctx, c.Begin, r.Person, ""); err != nil {
			return err
		}
		answer, err = c.answer(ctx, r)
		return err
	})
	return answer, err
}

// told is the answer, or what a person is told instead of one.
func (b *Bot) told(answer *Card, err error, r Request) *Card {
	if answer == nil && err == nil {
		err = errors.New("a plan neither answers nor begins anything") // a mistake in our own code
	}
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal):
		return card(refusal.Text)
	case err != nil:
		return card(outage(err, b.broke("answering a command", err, zap.String("text", r.Text), zap.String("person", r.Person))))
	}
	return answer
}

func card(t Text) *Card { c := Say(t); return &c }

// begin writes the operation's row and, unless the asker was answered, its one
// message.
func (b *Bot) begin(tx Tx, c *Command, r Request, p Plan[json.RawMessage]) error {
	o := Operation{ID: newID(), Kind: c.Name, About: p.About, Ref: r.Key, Asking: p.Asking, Scopes: p.Scopes, Channel: b.Channel,
		Asked: r.Asker, Created: tx.Now(), Data: *p.Begin, Version: 1}
	if p.Asking != "" {
		other, err := tx.Hold(p.Asking, o.ID)
		if err != nil {
			return err
		}
		if other != "" {
			return &held{by: other, asking: true}
		}
	}
	for _, scope := range p.Scopes {
		look := tx.Holder
		if p.Take {
			look = func(scope string) (string, error) { return tx.Hold(scope, o.ID) }
		}
		switch other, err := look(scope); {
		case err != nil:
			return err
		case other != "" && (p.Take || !relieves(c.steps[p.First], o, other)):
			return &held{by: other}
		}
	}
	if p.Guard != nil {
		if err := p.Guard(tx, &o.Data); err != nil {
			return err
		}
	}
	place(tx.Now(), c, &o, p.First)
	if err := tx.AddOperation(o); err != nil {
		return err
	}
	err := b.arrive(tx, c.steps[o.State], o, Event{Who: r.Person, Note: r.Text})
	if err != nil || p.Answer != nil {
		return err
	}
	return b.show(tx, o)
}

// relieves says whether a button of the question that o begins with presses
// one of the operation that has what o needs.
func relieves(s step, o Operation, holder string) bool {
	return s.Ask != nil && slices.ContainsFunc(s.Ask(o, o.Data).Buttons, func(b Button) bool {
		return b.Press != nil && b.Press.Operation == holder
	})
}

// held ends a transaction because another operation has what this one needs.
type held struct {
	by     string
	asking bool // it only asks as yet
}

func (h *held) Error() string { return "held by operation " + h.by }

// unlessRefused answers r with why the ledger's rows do not allow it, or who
// has what it needs, if that is what err says.
func (b *Bot) unlessRefused(ctx context.Context, r Received, to Place, err error) error {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return b.tell(ctx, r, to, Say(refusal.Text))
	}
	var h *held
	if !errors.As(err, &h) {
		return err
	}
	// In a transaction: the operation may be of one that is committed together
	// with this, and a View does not see it yet.
	return b.settle(ctx, r, func(tx Tx) error {
		answer, err := b.hasIt(tx, *h)
		if err != nil {
			return err
		}
		return b.whisper(tx, r.Key, to, answer)
	})
}

// hasIt says which operation has what another one needs.
func (b *Bot) hasIt(v View, h held) (Card, error) {
	o, err := v.Operation(h.by)
	if err != nil {
		return Card{}, err
	}
	if h.asking {
		t := T(o.Asked.Name, " has asked already, at ", Time(o.Created), ", so I asked nothing new. ")
		return Say(append(t, b.link(v, o, "Go to the question")...)), nil
	}
	t := T("A ", o.Kind, " confirmed by ", o.Confirmed().Person.Name, " at ", Time(o.Confirmed().At), " is still running there, so nothing was done. ")
	if o.Confirmed().Verb == "" {
		t = T("A ", o.Kind, " of ", o.Asked.Name, " has been there since ", Time(o.Created), ", so nothing was done. ")
	}
	return Say(append(t, b.link(v, o, "Go to it")...)), nil
}

// link leads to an operation's message, if it has been posted.
func (b *Bot) link(v View, o Operation, label string) Text {
	m, err := v.Message(o.ID + "/card")
	if err != nil || m.ID == "" {
		return nil
	}
	return T(To(label, b.Chat.Permalink(m.To.Channel, m.ID)), ".")
}
