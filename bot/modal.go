package bot

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"
)

// Modal is a window over the chat that one person sees: what it says, and what
// it asks.
type Modal struct {
	Title  string // a few words
	Parts  []Part // Actions are not shown
	Fields []Field
	Submit string // label of the button that sends the fields; empty: "Send"
	// Command is what the fields are for, without the command word. It comes
	// back with them; the core sets it.
	Command string
}

// Field is a question of a form: a line of text, or with Long a few lines, or
// one of Options, or a person.
type Field struct {
	Name        string // of its value; the form's own
	Label       string
	Hint        string // small print below it
	Placeholder string // stands in it while it is empty
	Initial     string // its value if nobody changes it
	Long        bool
	Optional    bool
	Most        int // runes of text; 0: as many as the chat takes
	Options     []Option
	Person      bool // the value is the person's id
}

// Option is one of the values that a field may have.
type Option struct{ Value, Label string }

// Former is a Kind or an Answerer whose command opens a form first, and gets
// what was filled in as Request.Values.
type Former interface {
	// Form only reads.
	Form(ctx context.Context, r Request) (Modal, error)
	// Check says what is wrong with values, by the field's name. It is asked
	// before they are stored anywhere, and looks at nothing else: what must not
	// be kept has to be found here.
	Check(args, values map[string]string) (wrong map[string]string)
}

// Opener is a Former that answers some commands without a form.
type Opener interface {
	Former
	// Opens says whether a command with these arguments opens the form.
	Opens(args map[string]string) bool
}

// Submission is a form that somebody filled in and sent.
type Submission struct {
	Key     string // what the chat calls this very submission
	Person  string
	Command string            // the Modal's; empty: it is none of ours
	Values  map[string]string // of every field, by its name; empty: left empty
}

// Objection is why a submission is not taken: what is wrong, by the field's
// name, or else what the window says instead.
type Objection struct {
	Wrong   map[string]string
	Instead *Modal
}

// Shown is what one person sees once, in a window of their own. It is stored
// and logged nowhere.
type Shown struct {
	Card Card // its line is the title
	// Void makes worthless what the card says; nil: nothing can. It is called
	// when it is not certain that the card was seen.
	Void func(ctx context.Context) error
}

// Submit takes a form that was filled in. When it returns nil twice, the
// submission is stored. After an error the person can send it again.
func (b *Bot) Submit(ctx context.Context, s Submission) (*Objection, error) {
	b.start()
	p, refusal := Parse(b.Word, s.Command, b.infos())
	c := b.command(p.Name)
	if refusal != nil || c == nil || c.check == nil {
		return &Objection{Instead: &Modal{Title: "Nothing was done", Parts: []Part{
			Paragraph("I do not know this form any more, so nothing was kept and nothing was done. Send the command again.")}}}, nil
	}
	var wrong map[string]string
	err := b.sealed("checking a form", func() error { wrong = c.check(p.Args, s.Values); return nil })
	if err != nil {
		return nil, err
	}
	if len(wrong) > 0 {
		return &Objection{Wrong: wrong}, nil
	}
	r := Request{Key: s.Key, Person: s.Person, Channel: b.Channel, Text: s.Command, Values: s.Values}
	if err := b.receive(ctx, Received{Key: s.Key, Request: &r}); err != nil && !errors.Is(err, ErrTaken) {
		return nil, err
	}
	return nil, nil
}

// form is the command that text is, if it opens a form, with its arguments.
func (b *Bot) form(text string) (*Command, map[string]string) {
	p, refusal := Parse(b.Word, text, b.infos())
	if c := b.command(p.Name); refusal == nil && c != nil && c.asks(p.Args) {
		return c, p.Args
	}
	return nil, nil
}

// openForm opens the form of a command, and returns what to tell the person if
// it cannot.
func (b *Bot) openForm(ctx context.Context, c *Command, r Request) Text {
	title := b.Word + " " + c.Name
	err := b.window(ctx, r.Trigger, Modal{Title: title, Parts: []Part{Paragraph("One moment…")}}, func(ctx context.Context, view string) {
		m := b.formOf(ctx, c, r)
		if m.Title == "" {
			m.Title = title
		}
		err := b.update(ctx, view, m)
		if err == nil || errors.Is(err, ErrNotFound) {
			return // or it was closed, so nobody waits for it
		}
		m = Modal{Title: title, Parts: b.told(nil, fmt.Errorf("showing a form: %w", err), r).Parts}
		_ = b.update(ctx, view, m) // nothing is left to be tried
	})
	return b.unopened(err, T("Send ", Fixed(b.Word+" "+r.Text), " again."), zap.String("text", r.Text), zap.String("person", r.Person))
}

// formOf is the form of a command, or why the person cannot have it.
func (b *Bot) formOf(ctx context.Context, c *Command, r Request) (m Modal) {
	err := b.within(ctx, b.Times.Plan, func(ctx context.Context) error {
		err := b.Ledger.View(ctx, func(v View) error { r.Now = v.Now(); return nil })
		if err != nil {
			return err
		}
		if err := b.introduce(ctx, c, &r); err != nil {
			return err
		}
		m, err = c.form(ctx, r)
		return err
	})
	if err != nil {
		return Modal{Parts: b.told(nil, err, r).Parts}
	}
	if len(m.Fields) > 0 {
		m.Command = r.Text
		if m.Submit == "" {
			m.Submit = "Send"
		}
	}
	return m
}

// window opens a modal that says to wait, while trigger still opens one, and
// has fill finish it. A window has nothing that would survive a crash, so Run
// waits for those that are under way.
func (b *Bot) window(ctx context.Context, trigger string, wait Modal, fill func(ctx context.Context, view string)) error {
	select {
	case b.windows <- struct{}{}:
	default:
		return errors.New("too many windows are being prepared, or the bot ends")
	}
	var view string
	err := b.within(ctx, atOnce, func(ctx context.Context) (err error) {
		view, err = b.Chat.OpenModal(ctx, trigger, wait)
		return err
	})
	if err != nil {
		<-b.windows
		return err
	}
	go func() {
		defer func() { <-b.windows }()
		_ = b.sealed("preparing a window", func() error { // it logs what there is to say
			fill(context.WithoutCancel(ctx), view)
			return nil
		})
	}()
	return nil
}

// closeWindows waits for what is being prepared, and lets nothing begin after it.
func (b *Bot) closeWindows() {
	for range cap(b.windows) {
		b.windows <- struct{}{}
	}
}

// unopened is what to tell a person whose window did not open; nil: nothing. A
// trigger that was used before was used for another delivery of the same press,
// whose window is there.
func (b *Bot) unopened(err error, again Text, fields ...zap.Field) Text {
	if err == nil || errors.Is(err, ErrTaken) {
		return nil
	}
	return T("I could not open a window for this in time, so nothing was done. ", again, " Ref ", Fixed(b.broke("opening a window", err, fields...)), ".")
}

// update changes what a window says.
func (b *Bot) update(ctx context.Context, view string, m Modal) error {
	return b.within(ctx, b.Times.Limit, func(ctx context.Context) error {
		return b.sealed("updating a window", func() error { return b.Chat.UpdateModal(ctx, view, m) })
	})
}

// answerPress tells the person who made a press that nobody stored.
func (b *Bot) answerPress(ctx context.Context, p Press, text Text) error {
	err := b.Ledger.Do(ctx, func(tx Tx) error { return b.whisper(tx, p.Key, p.back(b.Channel), Say(text)) })
	if errors.Is(err, ErrTaken) {
		return nil // it was delivered twice
	}
	b.messenger.wake()
	return err
}

// back is where whoever made a press reads an answer, of a bot that works in
// that channel.
func (p Press) back(channel string) Place {
	if p.direct(channel) {
		return Place{Channel: p.Person}
	}
	return Place{Channel: p.Channel, User: p.Person}
}

func (p Press) direct(channel string) bool { return p.Channel != channel && isDirect(p.Channel) }

// sealed runs f and makes an error of its panic. Only where it happened is
// logged: what it says may be what must not be kept.
func (b *Bot) sealed(doing string, f func() error) (err error) {
	defer func() {
		if recover() != nil {
			b.Log.Error(doing+" panicked", zap.Stack("stack"))
			err = errors.New(doing + " panicked")
		}
	}()
	return f()
}
