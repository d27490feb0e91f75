package handlers

import (
	"context"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/handlers/when"
)

// reading is what commands need of the ledger.
type reading interface {
	View(ctx context.Context, f func(v bot.View) error) error
}

// Lock keeps promotions, or resets, of an environment from being confirmed. It
// is an operation that holds a scope until somebody lifts it or its time ends.
type Lock struct {
	Environments deploys.Environments
	Ledger       reading
}

// locking is what a lock remembers.
type locking struct {
	Environment string
	Reason      string
	Until       time.Time  // zero: until somebody lifts it
	Of          bot.Person // whose lock it takes over; zero: nobody's
	Old         string     // id of that lock
	OldReason   string
	Since       time.Time // of that lock
	Running     string    // what it comes too late for
}

// The states of a lock. Beside its question it is in one of four that hold:
// with and without an end, and after each was mentioned.
const (
	locked    bot.State = "locked"    // until somebody lifts it
	forgotten bot.State = "forgotten" // and its owner was reminded
	timed     bot.State = "timed"     // until its end
	ending    bot.State = "ending"    // which was announced
	unlocked  bot.State = "unlocked"
	lapsed    bot.State = "lapsed"
	taken     bot.State = "taken"
	replaced  bot.State = "replaced"
	outdated  bot.State = "outdated" // the lock that was to be taken over is over
)

// Verbs of a lock. Only commands press the last two.
const (
	unlock     = "unlock"
	takeOver   = "take-over"
	replaceOwn = "replace"
)

// remindAfter is how often the owner of a lock without an end is asked whether
// it is still wanted: forgotten locks are what people complain of most.
const remindAfter = 24 * time.Hour

func (l Lock) Info() bot.Info {
	return bot.Info{
		Name: "lock", Does: "Keeps an environment as it is: no promotion, no reset.",
		Who: bot.Admins.Title() + " or " + bot.CloudOps.Title() + "; prototype also " + bot.Pushers.Title(),
		Args: []bot.Arg{
			{Name: "environment", Doc: "an environment", Example: "prod", Words: l.Environments.Words()},
			{Name: "length", After: "for", Doc: "a length of time", Example: "2h", Optional: true, Take: when.TakeLength},
			{Name: "time", After: "until", Or: true, Doc: "a moment, like 18:00 or 2026-12-01 18:00", Example: "18:00", Optional: true, Take: when.TakeTime},
			{Name: "reason", Doc: "a reason", Example: "checking the new index", Rest: true},
		},
		Examples: []string{"lock prod for 2h checking the new index", "lock prototype until 18:00 mine until the demo is over"},
		Wait:     "Looking at who has it…",
	}
}

// lockers are the people who may lock an environment.
func lockers(env deploys.Environment) bot.Policy {
	p := bot.Policy{Roles: []bot.Role{bot.Admins, bot.CloudOps}}
	if !env.Promoted() {
		p.Roles = append(p.Roles, bot.Pushers)
	}
	return p
}

func (l Lock) Plan(ctx context.Context, r bot.Request) (plan bot.Plan[locking], err error) {
	env, _ := l.Environments.Named(r.Args["environment"])
	if !env.Lockable() {
		return plan, bot.Refuse(env.Title(), " deploys without me, so a lock of mine would stop nothing there. Nothing was locked.")
	}
	if err := r.May(ctx, lockers(env)); err != nil {
		return plan, err
	}
	d := locking{Environment: env.Name, Reason: r.Args["reason"]}
	if d.Until, err = end(r); err != nil {
		return plan, err
	}
	plan = bot.Plan[locking]{Begin: &d, First: holding(d), Scopes: []string{env.LockScope()}, Take: true, About: env.Name, Guard: l.tooLateFor(env)}
	var old *lock
	err = l.Ledger.View(ctx, func(v bot.View) (err error) {
		old, err = lockOn(v, env)
		return err
	})
	if err != nil || old == nil {
		return plan, err
	}
	if old.owner.ID == r.Person {
		plan.Press = &bot.Forward{Operation: old.id, Verb: replaceOwn}
		return plan, nil
	}
	d.Old, d.Of, d.OldReason, d.Since = old.id, old.owner, old.reason, old.since
	plan.First, plan.Take, plan.Asking = asking, false, "ask/lock/"+env.Name
	return plan, nil
}

// end reads what was typed as the end of a lock: for 2h, until 18:00.
func end(r bot.Request) (time.Time, error) {
	length, at := r.Args["length"], r.Args["time"]
	switch {
	case length != "" && at != "":
		return time.Time{}, bot.Refuse("Both a length and an end were given, so nothing was done. Send one of them.")
	case length != "":
		d, wrong := when.Length(length)
		if wrong != "" {
			return time.Time{}, bot.Refuse(bot.Fixed(length), " "+wrong+". Nothing was done.")
		}
		return r.Now.Add(d), nil
	case at != "":
		t, wrong := when.Time(at, r.Now, r.Zone)
		if wrong != "" {
			return time.Time{}, bot.Refuse(bot.Fixed(at), " "+wrong+". Nothing was done.")
		}
		return t, nil
	}
	return time.Time{}, nil
}

func holding(d locking) bot.State {
	if d.Until.IsZero() {
		return locked
	}
	return timed
}

// tooLateFor notes what is running already, in the transaction that locks: a
// lock never stops what was confirmed before it.
func (l Lock) tooLateFor(env deploys.Environment) func(bot.View, *locking) error {
	return func(v bot.View, d *locking) error {
		d.Running = ""
		id, err := v.Holder(env.Scope())
		if err != nil || id == "" {
			return err
		}
		o, err := v.Operation(id)
		if err != nil {
			return err
		}
		d.Running = "A " + o.Kind + " confirmed by " + o.Confirmed().Person.Name + " is running; the lock holds from the next one on."
		return nil
	}
}

func (l Lock) Steps() map[bot.State]bot.Step[locking] {
	buttons := func(_ bot.Operation, d locking) bot.Question {
		env, _ := l.Environments.Named(d.Environment)
		may := lockers(env)
		return bot.Question{Buttons: []bot.Button{
			{Verb: unlock, Label: "Unlock", Dialog: "Unlock " + d.Environment + "?", May: may, To: unlocked},
			{Verb: takeOver, May: may, To: taken},
			{Verb: replaceOwn, May: may, To: replaced},
		}}
	}
	return map[bot.State]bot.Step[locking]{
		asking: {
			Ask: func(_ bot.Operation, d locking) bot.Question {
				env, _ := l.Environments.Named(d.Environment)
				may := lockers(env)
				may.Asker = true
				return bot.Question{Note: bot.Admins.Title() + " or " + bot.CloudOps.Title() + " can confirm", Buttons: []bot.Button{
					{Verb: takeOver, Label: "Take over", Tone: bot.Danger, Dialog: "Take over " + d.Of.Name + "'s lock of " + d.Environment + "?",
						May: lockers(env), To: holding(d), Decides: true, Press: &bot.Forward{Operation: d.Old, Verb: takeOver}},
					{Verb: "leave", Label: "Leave it", May: may, To: cancelled},
				}}
			},
			Pressed: func(v bot.View, _ bot.Operation, d *locking, p bot.Decision) error {
				if p.Verb != takeOver {
					return nil
				}
				if !d.Until.IsZero() && !v.Now().Before(d.Until) {
					return bot.Refuse("The lock was to end at ", bot.Date(d.Until), ", which is over. Nothing was done.")
				}
				env, _ := l.Environments.Named(d.Environment)
				return l.tooLateFor(env)(v, d)
			},
			Look: l.stillThere, Every: lookAgain,
			GiveUp: bot.After[locking](20 * time.Minute), Lapse: expired,
		},
		locked:    {Ask: buttons, GiveUp: bot.After[locking](remindAfter), Lapse: forgotten, Say: l.sayTaken},
		forgotten: {Ask: buttons, GiveUp: bot.After[locking](remindAfter), Lapse: forgotten, Say: l.remind},
		timed: {Ask: buttons, Lapse: ending, Say: l.sayTaken, GiveUp: func(o bot.Operation, d locking) time.Time {
			return d.Until.Add(-min(10*time.Minute, d.Until.Sub(o.Entered)/4))
		}},
		ending:    {Ask: buttons, GiveUp: func(_ bot.Operation, d locking) time.Time { return d.Until }, Lapse: lapsed, Say: l.remind},
		unlocked:  {End: bot.Done, Say: l.sayFree},
		lapsed:    {End: bot.Done, Say: l.sayFree},
		taken:     {End: bot.Done},
		replaced:  {End: bot.Done},
		cancelled: {End: bot.Cancelled},
		expired:   {End: bot.Expired},
		outdated:  {End: bot.Outdated, Say: l.sayOutdated},
	}
}

// lookAgain is how often it is looked whether a lock that is to be taken over
// is still there.
const lookAgain = 10 * time.Second

func (l Lock) stillThere(ctx context.Context, _ bot.Operation, d *locking) (next bot.Next, err error) {
	err = l.Ledger.View(ctx, func(v bot.View) error {
		next = bot.Next{}
		old, err := v.Operation(d.Old)
		if err == nil && old.End != "" {
			next = bot.Next{To: outdated, Note: "that lock is over"}
		}
		return err
	})
	return next, err
}

func (l Lock) Card(o bot.Operation, d locking) bot.Card {
	env := title(d.Environment)
	by := o.Asked.Name
	reason := bot.Paragraph("“" + d.Reason + "”")
	switch o.State {
	case asking:
		return heading("Take over the lock of "+d.Environment+"?", " asked by "+o.Asked.Name).Add(
			bot.Paragraph(d.Of.Name+" has locked it since ", bot.Date(d.Since), ": “"+d.OldReason+"”"),
			bot.Paragraph("Instead it would be "+o.Asked.Name+"'s until ", until(d), ": “"+d.Reason+"”"))
	case cancelled:
		return heading("Lock of "+d.Environment+" left to "+d.Of.Name, " by "+o.Decided().Person.Name)
	case expired:
		return heading("Lock of "+d.Environment+" left to "+d.Of.Name, "; nobody confirmed in time that "+o.Asked.Name+" takes it over")
	case outdated:
		return heading("Lock of "+d.Environment+" not taken over", "; "+d.Of.Name+"'s lock is over")
	case unlocked:
		return heading(env+" is unlocked", " by "+o.Decided().Person.Name).Add(bot.SmallPrint("It was " + by + "'s: “" + d.Reason + "”"))
	case lapsed:
		return heading(env+" is unlocked", "; the time of "+by+"'s lock is over").Add(bot.SmallPrint("“" + d.Reason + "”"))
	case taken:
		return heading("The lock of "+d.Environment, " was taken over by "+o.Decided().Person.Name).Add(bot.SmallPrint("It was " + by + "'s: “" + d.Reason + "”"))
	case replaced:
		return heading("The lock of "+d.Environment, " was made anew by "+by).Add(bot.SmallPrint("It was for: “" + d.Reason + "”"))
	}
	c := heading(env+" is locked", " by "+by)
	c = c.Add(reason, bot.SmallPrint("Until ", until(d), " nothing is promoted or reset there; reverts are not stopped. ",
		bot.Fixed("/th unlock "+d.Environment), " lifts it."))
	if d.Running != "" {
		c = c.Add(bot.Paragraph("⚠ " + d.Running))
	}
	return c
}

// until is when a lock ends, after the word "until".
func until(d locking) bot.Text {
	if d.Until.IsZero() {
		return bot.T("somebody lifts it")
	}
	return bot.T(bot.Date(d.Until))
}

func (l Lock) sayTaken(o bot.Operation, d locking) []bot.Post {
	if d.Of.ID == "" {
		return nil // the card itself is new
	}
	return []bot.Post{{Key: "taken", Class: bot.Final, Card: bot.Say(bot.At(d.Of.ID), " ", o.Asked.Name,
		" has taken over your lock of "+d.Environment+", until ", until(d), ": “"+d.Reason+"”")}}
}

func (l Lock) sayOutdated(o bot.Operation, d locking) []bot.Post {
	return []bot.Post{{Key: "outdated", Class: bot.Query, Card: bot.Say(bot.At(o.Asked.ID), " the lock of "+d.Environment+" that you wanted to take over is over. You have not locked it; ",
		bot.Fixed("/th lock "+d.Environment+" …"), " does.")}}
}

func (l Lock) remind(o bot.Operation, d locking) []bot.Post {
	if !d.Until.IsZero() && !o.Entered.Before(d.Until) {
		return nil // it ended while the bot was away
	}
	t := bot.T(bot.At(o.Asked.ID), " ", d.Environment+" is still locked: “"+d.Reason+"” ")
	if d.Until.IsZero() {
		t = append(t, bot.T("Is it still wanted? ")...)
	} else {
		t = append(t, bot.T("The lock ends at ", until(d), "; ", bot.Fixed("/th lock "+d.Environment+" for 2h …"), " makes it longer. ")...)
	}
	card := bot.Say(t).Add(bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{{Label: "Unlock", Verb: bot.VerbSay, Value: "unlock " + d.Environment}}})
	return []bot.Post{{Key: "reminder", Class: bot.Query, Card: card}}
}

func (l Lock) sayFree(o bot.Operation, d locking) []bot.Post {
	t := bot.T(title(d.Environment)+" can be changed again: the time of ", bot.At(o.Asked.ID), "'s lock is over.")
	if o.State == unlocked {
		who := o.Decided().Person
		t = bot.T(title(d.Environment)+" can be changed again: ", who.Name, " has unlocked it.")
		if o.Asked.ID != who.ID {
			t = bot.T(title(d.Environment)+" can be changed again: ", who.Name, " has lifted the lock of ", bot.At(o.Asked.ID), ".")
		}
	}
	return []bot.Post{{Key: "free", Class: bot.Final, Card: bot.Say(t)}}
}

// Unlock presses [Unlock] on the lock of an environment.
type Unlock struct {
	Environments deploys.Environments
	Ledger       reading
}

func (u Unlock) Info() bot.Info {
	return bot.Info{
		Name: "unlock", Does: "Lifts the lock of an environment.",
		Who:      bot.Admins.Title() + " or " + bot.CloudOps.Title() + "; prototype also " + bot.Pushers.Title(),
		Args:     []bot.Arg{{Name: "environment", Doc: "an environment", Example: "prod", Words: u.Environments.Words()}},
		Examples: []string{"unlock prod"},
		Wait:     "Looking at who has it…",
	}
}

func (u Unlock) Press(ctx context.Context, r bot.Request) (f bot.Forward, err error) {
	env, _ := u.Environments.Named(r.Args["environment"])
	err = u.Ledger.View(ctx, func(v bot.View) error {
		l, err := lockOn(v, env)
		if err == nil && l == nil {
			return bot.Refuse(env.Title(), " is not locked, so there is nothing to lift.")
		}
		if err == nil {
			f = bot.Forward{Operation: l.id, Verb: unlock}
		}
		return err
	})
	return f, err
}
