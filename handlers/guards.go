package handlers

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
)

// What stops a promotion: a lock of the environment, a hold on a commit in it,
// a freeze. Locks and holds are operations of the ledger; whoever cannot read
// one is refused, since it may be there to protect something.

// lock is a lock that is on an environment now.
type lock struct {
	id     string
	owner  bot.Person
	reason string
	since  time.Time
	until  time.Time // zero: until somebody lifts it
}

// lockOn returns the lock of env, or nil. One that is there and cannot be
// understood is a *bot.Refusal.
func lockOn(v bot.View, env deploys.Environment) (*lock, error) {
	o, d, err := held[locking](v, env.LockScope(), "lock")
	switch {
	case err != nil || o == nil:
		return nil, err
	case !d.Until.IsZero() && !v.Now().Before(d.Until):
		return nil, nil // its time is over; the runner will say so
	}
	return &lock{o.ID, o.Asked, d.Reason, o.Created, d.Until}, nil
}

// hold is a commit that must not be promoted.
type hold struct {
	id     string
	commit string
	owner  bot.Person
	reason string
	since  time.Time
}

// holdScopes begin so; the commit follows. holdsScope is taken by nobody: a
// transaction that reads all holds, and one that adds one, both read it, so
// that they come one after the other.
const (
	holdScopes = "hold/"
	holdsScope = "holds"
)

// holds returns the commits that are held, oldest scope first.
func holds(v bot.View) ([]hold, error) {
	if _, err := v.Holder(holdsScope); err != nil {
		return nil, err
	}
	scopes, err := v.Holders(holdScopes)
	if err != nil {
		return nil, err
	}
	var all []hold
	for _, s := range scopes {
		o, d, err := held[heldBack](v, s.Scope, "hold")
		if err != nil {
			return nil, err
		}
		if o != nil {
			all = append(all, hold{o.ID, d.Commit, o.Asked, d.Reason, o.Created})
		}
	}
	return all, nil
}

// held is the operation of that kind that has scope, or nil.
func held[D any](v bot.View, scope, kind string) (*bot.Operation, D, error) {
	var d D
	id, err := v.Holder(scope)
	if err != nil || id == "" {
		return nil, d, err
	}
	unreadable := bot.Refuse("There is a "+kind+" (", bot.Fixed(scope), ") that I cannot read, so nothing was done. A Treeherder admin has to look at operation ",
		bot.Fixed(id), " in my ledger.")
	o, err := v.Operation(id)
	switch {
	case errors.Is(err, bot.ErrNotFound):
		return nil, d, unreadable
	case err != nil:
		return nil, d, err
	case o.Kind != kind || o.End != "" || json.Unmarshal(o.Data, &d) != nil:
		return nil, d, unreadable
	}
	return &o, d, nil
}

// obstacle is something that stops a promotion.
type obstacle struct {
	ID    string     // of the lock or hold; of a freeze, its end
	Owner bot.Person // zero: the configuration
	Text  bot.Text   // a sentence without its full stop
	Lift  string     // the command that lifts it; empty: none does
}

// obstacles are what stops promoting to env now: its lock, the holds on commits
// that contains says are in it, its freezes.
func obstacles(v bot.View, env deploys.Environment, contains func(hold) bool) ([]obstacle, error) {
	var all []obstacle
	l, err := lockOn(v, env)
	if err != nil {
		return nil, err
	}
	if l != nil {
		t := bot.T(l.owner.Name+" has locked "+env.Name+" since ", bot.Date(l.since))
		if !l.until.IsZero() {
			t = append(t, bot.T(" until ", bot.Date(l.until))...)
		}
		all = append(all, obstacle{l.id, l.owner, append(t, bot.Span{Text: ": “" + l.reason + "”"}), "unlock " + env.Name})
	}
	held, err := holds(v)
	if err != nil {
		return nil, err
	}
	for _, h := range held {
		if contains(h) {
			short := deploys.Short(h.commit)
			t := bot.T(h.owner.Name+" holds ", bot.Fixed(short), " back since ", bot.Date(h.since), ": “"+h.reason+"”")
			all = append(all, obstacle{h.id, h.owner, t, "unhold " + short})
		}
	}
	for _, f := range env.Freezes {
		if end, frozen := f.At(v.Now()); frozen {
			t := bot.T(env.Title()+" is frozen until ", bot.Date(end), ": “"+f.Reason+"”")
			all = append(all, obstacle{ID: "freeze until " + end.UTC().Format(time.RFC3339), Text: t})
		}
	}
	return all, nil
}

// stopped is the refusal that names all of them, and how each is lifted.
func stopped(what string, all []obstacle, force string) *bot.Refusal {
	t := bot.T(what)
	var lift []string
	for i, o := range all {
		if i > 0 {
			t = append(t, bot.Span{Text: ". "})
		}
		t = append(t, o.Text...)
		if o.Lift != "" {
			lift = append(lift, o.Lift)
		}
	}
	t = append(t, bot.Span{Text: ". "})
	for _, l := range lift {
		t = append(t, bot.T(bot.Fixed("/th "+l), " lifts it. ")...)
	}
	return &bot.Refusal{Text: append(t, bot.T("A Treeherder admin can go past it, loudly: ", bot.Fixed("/th "+force+" force <reason>"), ".")...)}
}

// owners are the people to be told, each once.
func owners(all []obstacle) []bot.Person {
	var people []bot.Person
	seen := map[string]bool{"": true}
	for _, o := range all {
		if !seen[o.Owner.ID] {
			seen[o.Owner.ID] = true
			people = append(people, o.Owner)
		}
	}
	return people
}

// mentions is "@ana, @bea".
func mentions(people []bot.Person) bot.Text {
	var t bot.Text
	for i, p := range people {
		if i > 0 {
			t = append(t, bot.Span{Text: ", "})
		}
		t = append(t, bot.At(p.ID))
	}
	return t
}

// sentences joins texts, each with its full stop.
func sentences(texts []bot.Text) bot.Text {
	var t bot.Text
	for i, s := range texts {
		if i > 0 {
			t = append(t, bot.Span{Text: " "})
		}
		t = append(t, s...)
		if !strings.HasSuffix(strings.TrimSuffix(s.String(), "”"), ".") {
			t = append(t, bot.Span{Text: "."})
		}
	}
	return t
}
