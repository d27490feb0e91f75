package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Info describes a command: to the parser, to help, to refusals and to the README.
type Info struct {
	Name     string   // the word that is typed
	Aliases  []string // other words for it
	Args     []Arg
	Does     string   // one sentence
	Examples []string // without the command word
	// Begin says who may send it; Who says so in words, with who decides.
	Begin Policy
	Who   string
	// Menu is the label of its button in the menu, which says MenuText; empty: none.
	Menu, MenuText string
	// Wait is what the asker is told at once while the answer is looked up.
	Wait string
	// Hidden says that nobody types it: its operations begin by themselves, and
	// have no message until they enter a step that Shows.
	Hidden bool
	// Unlisted says that only buttons say it, so that help does not.
	Unlisted bool
	// Guests says that guests who are in the channel may send it, too.
	Guests bool
	// Honoured says that it, and presses on its questions, count however late
	// they are judged; Request.Late and Decision.Late say by how much.
	Honoured bool
}

// Kind is how one sort of operation goes. D, stored as JSON, is all that it
// remembers between steps.
type Kind[D any] interface {
	Info() Info
	// Plan only reads. It answers, or says what to begin, or both.
	Plan(ctx context.Context, r Request) (Plan[D], error)
	// Steps is the whole life of the operation, as a table. A state that can
	// end it is a step with End set.
	Steps() map[State]Step[D]
	// Card is the operation's one message, rendered from its row when it is
	// sent. The core adds the buttons of the step's question.
	Card(o Operation, d D) Card
}

// Standing is a hidden Kind that has operations as long as the bot runs.
type Standing[D any] interface {
	Kind[D]
	// Standing are the operations that have to be there; those that are not,
	// by their Ref, are begun.
	Standing() []Begin
}

// Begin is an operation that begins by itself. One with the same Ref begins
// only once, whichever process comes to it.
type Begin struct {
	Kind  string
	Ref   string // unique for ever
	First State
	About string
	Data  any // of the Kind
	// Unless is asked in the transaction that would write it, and may complete
	// Data. If it says yes, nothing is begun.
	Unless func(v View) (bool, error)
	// Holds are scopes that it takes at once. If one is not free, nothing is begun.
	Holds []string
	// Asked is in whose name it begins, of a kind that people can ask for.
	Asked Person
}

// Plan is what came of a request.
type Plan[D any] struct {
	// Answer is for the asker alone: status, menu, or what they asked for that
	// concerns nobody else. An operation that begins beside it has no message
	// until it enters a step that Shows.
	Answer *Card
	Begin  *D       // what the row will remember,
	First  State    // its first step,
	Asking string   // the scope in which only one question may be open, and
	Scopes []string // what the decision, not the question, takes
	Take   bool     // there is no question: Scopes are taken at once
	About  string   // the environment, or the commit, that it is about
	// Press presses a button of another operation in the asker's name: alone,
	// or before Begin in the same transaction.
	Press *Forward
	// Guard is asked in the transaction that writes the row. What it changes
	// in d is written; by an error, nothing is.
	Guard func(v View, d *D) error
}

// Forward names a button of another operation.
type Forward struct{ Operation, Verb string }

// Step is one state of an operation. It asks people, or looks and acts, or
// ends the operation.
type Step[D any] struct {
	// Ask is the question that is open in this state.
	Ask func(o Operation, d D) Question
	// Look reads whether the world is there already. A zero Next means: not
	// yet. What it changes in d is stored either way. An error is not an
	// answer: it is told, and Look is asked again.
	Look func(ctx context.Context, o Operation, d *D) (Next, error)
	// Act makes the one write of this step, after a Look that found nothing.
	// A *Refused error is the far side's final no; after any other error the
	// step looks again.
	Act func(ctx context.Context, o Operation, d *D) error
	// Once says that the far side would do it twice: the act is begun once in
	// this state, unless it certainly did not happen, and after that there is
	// only looking until GiveUp, which leads to a state where people settle it.
	Once bool
	// Refused is where a *Refused leads.
	Refused State
	// Every is the time between looks.
	Every time.Duration
	// GiveUp is until when the step waits for people or for the world before
	// it leads to Lapse, which may be this state again. Nil, or a zero time:
	// without limit.
	GiveUp func(o Operation, d D) time.Time
	Lapse  State
	// Pressed is asked in the transaction that writes what a press leads to,
	// with the scopes taken. What it changes in d is written; by an error,
	// which for people is a *Refusal, nothing is.
	Pressed func(v View, o Operation, d *D, p Decision) error
	// End, when set, ends the operation on entering this state.
	End End
	// Shows posts the message of a Hidden kind's operation on entering this state.
	Shows bool
	// Show prepares, for a person who pressed VerbShow, what they see once. What
	// it changes in d, which is nothing secret, is written before that is seen;
	// after an error, too. It is asked for one person at a time.
	//
	// It counts as an act until what came of it is written. So when Look, or a
	// later Show, finds Acts, a process has died while it prepared. Pressed, for
	// which nothing waits, also finds them while one prepares.
	Show func(ctx context.Context, o Operation, d *D, p Person) (Shown, error)
	// ShowTo says to whom; nil: to the asker.
	ShowTo func(o Operation, d D) Policy
	// Say is said on entering this state, in the same transaction.
	Say func(o Operation, d D) []Post
}

// Next is where a look found the operation to be.
type Next struct {
	To   State  // empty: it stays
	Note string // the line in the audit trail
	Say  []Post // beside what the step says on entering To; keys once in a turn
	// Every, if To is empty, is the time until the next look; 0: the step's.
	Every time.Duration
	Begin []Begin
	// Wrong is an error that the look has dealt with itself; it is logged.
	Wrong error
}

// Question is what people are asked in a state.
type Question struct {
	Buttons []Button
	Note    string // who can answer it; empty: the buttons speak for themselves
}

// Button is an answer to a question.
type Button struct {
	Verb, Label string // without a label only a Forward can press it
	Tone        Tone
	Dialog      string // asked once more before the press counts
	May         Policy // judged at the press
	To          State
	Decides     bool // takes the operation's scopes
	// People is how many different people have to press it; 0 is 1. Until they
	// have, each of them can withdraw.
	People int
	// Among is a role that one of them must have; empty: none.
	Among Role
	// Press presses a button of another operation in the same transaction,
	// before the scopes are taken.
	Press *Forward
}

// Refused is the far side's final no, in words for people.
type Refused struct{ Why string }

func (e *Refused) Error() string { return e.Why }

// Answerer is a command that changes nothing.
type Answerer interface {
	Info() Info
	Answer(ctx context.Context, r Request) (Card, error)
}

// Presser is a command that presses a button of an operation that is there.
type Presser interface {
	Info() Info
	Press(ctx context.Context, r Request) (Forward, error)
}

// Command is a Kind, an Answerer or a Presser as the core sees it.
type Command struct {
	Info
	answer func(context.Context, Request) (Card, error)
	plan   func(context.Context, Request) (Plan[json.RawMessage], error)
	steps  map[State]Step[json.RawMessage]
	card   func(o Operation) (Card, error)
	form   func(context.Context, Request) (Modal, error)
	check  func(args, values map[string]string) map[string]string
	opens  func(args map[string]string) bool // nil: its form always opens
	// standing are the operations that have to be there.
	standing func() []Begin
}

// Answers makes a Command of one that changes nothing.
func Answers(a Answerer) Command {
	c := Command{Info: a.Info(), answer: a.Answer}
	c.formed(a)
	return c
}

// formed gives c its form, if its maker is a Former.
func (c *Command) formed(maker any) {
	if f, ok := maker.(Former); ok {
		c.form, c.check = f.Form, f.Check
	}
	if o, ok := maker.(Opener); ok {
		c.opens = o.Opens
	}
}

// asks says whether the command opens a form.
func (c *Command) asks(args map[string]string) bool {
	return c.form != nil && (c.opens == nil || c.opens(args))
}

// Presses makes a Command of one that presses a button.
func Presses(p Presser) Command {
	return Command{Info: p.Info(), plan: func(ctx context.Context, r Request) (Plan[json.RawMessage], error) {
		f, err := p.Press(ctx, r)
		return Plan[json.RawMessage]{Press: &f}, err
	}}
}

// Operates makes a Command of a Kind: outside of it, D is JSON.
func Operates[D any](k Kind[D]) Command {
	c := Command{Info: k.Info(), steps: map[State]Step[json.RawMessage]{}}
	c.plan = func(ctx context.Context, r Request) (Plan[json.RawMessage], error) {
		p, err := k.Plan(ctx, r)
		out := Plan[json.RawMessage]{Answer: p.Answer, First: p.First, Asking: p.Asking, Scopes: p.Scopes,
			Take: p.Take, About: p.About, Press: p.Press}
		if err != nil || p.Begin == nil {
			return out, err
		}
		if p.Guard != nil {
			out.Guard = func(v View, raw *json.RawMessage) error {
				return through(raw, func(d *D) error { return p.Guard(v, d) })
			}
		}
		if !c.has(p.First) {
			return out, fmt.Errorf("%s has no state %q to begin in", c.Name, p.First)
		}
		raw, err := json.Marshal(p.Begin)
		out.Begin = (*json.RawMessage)(&raw)
		return out, err
	}
	c.card = func(o Operation) (Card, error) {
		d, err := decode[D](o.Data)
		if err != nil {
			return Card{}, err
		}
		return k.Card(o, d), nil
	}
	for state, s := range k.Steps() {
		c.steps[state] = erase(s)
	}
	if s, ok := k.(Standing[D]); ok {
		c.standing = s.Standing
	}
	c.formed(k)
	return c
}

func (c *Command) has(state State) bool { _, ok := c.steps[state]; return ok }

func decode[D any](raw json.RawMessage) (d D, err error) {
	if err := json.Unmarshal(raw, &d); err != nil {
		return d, fmt.Errorf("reading an operation's data: %w", err)
	}
	return d, nil
}

func erase[D any](s Step[D]) Step[json.RawMessage] {
	out := Step[json.RawMessage]{Refused: s.Refused, Every: s.Every, Lapse: s.Lapse, End: s.End, Shows: s.Shows, Once: s.Once}
	// A row's data was written by this Kind, so a question or a post that
	// cannot read it is a mistake in our own code; look and act report it.
	if s.Ask != nil {
		out.Ask = func(o Operation, raw json.RawMessage) Question {
			d, _ := decode[D](raw)
			return s.Ask(o, d)
		}
	}
	if s.GiveUp != nil {
		out.GiveUp = func(o Operation, raw json.RawMessage) time.Time {
			d, _ := decode[D](raw)
			return s.GiveUp(o, d)
		}
	}
	if s.Pressed != nil {
		out.Pressed = func(v View, o Operation, raw *json.RawMessage, p Decision) error {
			return through(raw, func(d *D) error { return s.Pressed(v, o, d, p) })
		}
	}
	if s.Show != nil {
		out.Show = func(ctx context.Context, o Operation, raw *json.RawMessage, p Person) (shown Shown, err error) {
			err = through(raw, func(d *D) error { shown, err = s.Show(ctx, o, d, p); return err })
			return shown, err
		}
		out.ShowTo = func(o Operation, raw json.RawMessage) Policy {
			if s.ShowTo == nil {
				return Policy{Asker: true}
			}
			d, _ := decode[D](raw)
			return s.ShowTo(o, d)
		}
	}
	if s.Say != nil {
		out.Say = func(o Operation, raw json.RawMessage) []Post {
			d, _ := decode[D](raw)
			return s.Say(o, d)
		}
	}
	if s.Look != nil {
		out.Look = func(ctx context.Context, o Operation, raw *json.RawMessage) (next Next, err error) {
			err = through(raw, func(d *D) error { next, err = s.Look(ctx, o, d); return err })
			return next, err
		}
	}
	if s.Act != nil {
		out.Act = func(ctx context.Context, o Operation, raw *json.RawMessage) error {
			return through(raw, func(d *D) error { return s.Act(ctx, o, d) })
		}
	}
	return out
}

// through lets f change what raw holds.
func through[D any](raw *json.RawMessage, f func(*D) error) error {
	d, err := decode[D](*raw)
	if err != nil {
		return err
	}
	err = f(&d)
	changed, merr := json.Marshal(d)
	if merr != nil {
		return merr // unreachable: D came from JSON
	}
	*raw = changed
	return err
}

// Arg is one argument of a command. With neither Words nor Check nor Take nor
// Person nor Rest it is any one word. What was typed is made lower case, but
// for a Rest; a word of Words becomes its Name.
type Arg struct {
	Name     string
	Doc      string // with its article: "an environment"
	Example  string // of a value
	Optional bool
	// After is the word that the argument follows: for "for", "for 2h". It may
	// have dashes before it, and never becomes a part of another argument.
	After string
	// Or makes it an alternative to the argument before it, of which there may
	// be several. The first one's Optional counts for all of them.
	Or bool
	// Words are the values it may have, each with its aliases; empty: see Check.
	Words []Word
	// Check returns what is wrong with a value, naming the rule, or "".
	Check func(value string) string
	// Take is the Check of a value that can have several words: of those that
	// are left it takes the first n, or says what is wrong with those n.
	Take func(words []string) (n int, wrong string)
	// Person makes it a mention; the value is the person's id.
	Person bool
	// Rest makes it the rest of the line as it was typed; it comes last.
	Rest bool
	// Form is how Usage writes the value where "<name>" does not say it: "#<pr>".
	Form string
}

// Word is a value of an argument, with the other ways to type it.
type Word struct {
	Name    string
	Aliases []string
}
