package handlers

import (
	"context"
	"errors"
	"time"

	"thbot/bot"
	"thbot/integrations/mysql"
)

// The states of access, beside those it shares with other questions. The
// question is asked three times, a day apart.
const (
	askAgain      bot.State = "ask-again"
	askLast       bot.State = "ask-last"
	creating      bot.State = "create"
	granting      bot.State = "grant"
	open          bot.State = "open"
	closing       bot.State = "ending" // and its end was announced
	rotating      bot.State = "rotate"
	shutting      bot.State = "lock"
	dropping      bot.State = "drop"
	disconnecting bot.State = "sessions"
	stuck         bot.State = "stuck" // the server does not let us take it away
	revoked       bot.State = "revoked"
	notGiven      bot.State = "not-given"
	askExtend     bot.State = "ask-extend"
	askRotate     bot.State = "ask-rotate"
	askRevoke     bot.State = "ask-revoke"
)

const (
	// lookAtServer is the time between looks at a server that does not answer.
	lookAtServer = 15 * time.Second
	// lookAtPerson is how often it is looked whether who has access is still there.
	lookAtPerson = 6 * time.Hour
	// askAccess is how long a question about access waits until it reminds, or ends.
	askAccess = 24 * time.Hour
)

// limits cap the harm of an account. The expiry is the bot's to keep: a server's
// is for passwords, and each showing would begin it anew.
var limits = mysql.Limits{Connections: 5, Statement: 10 * time.Minute}

func (a Access) Steps() map[bot.State]bot.Step[access] {
	ask := func(lapse bot.State, say func(bot.Operation, access) []bot.Post) bot.Step[access] {
		return bot.Step[access]{Ask: a.question, Pressed: a.pressed, GiveUp: bot.After[access](askAccess), Lapse: lapse, Say: say}
	}
	return map[bot.State]bot.Step[access]{
		asking:   ask(askAgain, nil),
		askAgain: ask(askLast, a.sayWaiting),
		askLast:  ask(expired, a.sayWaiting),
		creating: {Look: a.created, Act: a.create, Refused: notGiven, Every: lookAtServer, GiveUp: bot.After[access](20 * time.Minute), Lapse: shutting},
		granting: {Look: a.granted, Act: a.giveRights, Refused: shutting, Every: lookAtServer, GiveUp: bot.After[access](20 * time.Minute), Lapse: shutting},
		open: {Ask: a.openQuestion, Pressed: a.extended, Look: a.stillFit, Every: lookAtPerson, GiveUp: announced, Lapse: closing, Say: a.sayOpen,
			Show: a.show, ShowTo: theirs},
		closing: {Ask: a.openQuestion, Pressed: a.extended, Look: a.stillFit, Every: lookAtPerson, GiveUp: func(_ bot.Operation, d access) time.Time { return d.Until }, Lapse: shutting,
			Say: a.sayEnding, Show: a.show, ShowTo: theirs},
		rotating:      {Look: a.rotated, Act: a.rotate, Refused: shutting, Every: lookAtServer},
		shutting:      {Look: a.shut, Act: a.lock, Refused: dropping, Every: lookAtServer},
		dropping:      {Look: a.dropped, Act: a.drop, Refused: stuck, Every: lookAtServer},
		disconnecting: {Look: a.cleared, Act: a.clear, Every: lookAtServer, GiveUp: bot.After[access](15 * time.Minute), Lapse: revoked},
		stuck:         {Ask: a.stuckQuestion, Pressed: forget, GiveUp: bot.After[access](askAccess), Lapse: stuck, Say: a.sayStuck},
		revoked:       {End: bot.Done, Say: a.sayRevoked},
		notGiven:      {End: bot.Failed, Say: a.sayNotGiven},
		cancelled:     {End: bot.Cancelled, Say: a.sayDeclined},
		expired:       {End: bot.Expired, Say: a.sayExpired},
		askExtend:     a.changing("Extend", extend, extenders),
		askRotate:     a.changing("Set a new password", rotate, changers),
		askRevoke:     a.changing("Revoke", revoke, changers),
		handed:        {End: bot.Done},
		passed:        {End: bot.Outdated},
	}
}

// theirs lets nobody see a password but whom it is for.
func theirs(_ bot.Operation, d access) bot.Policy { return bot.Policy{People: []string{d.For.ID}} }

// announced is when the end of access is announced: three days before, or for
// short access when a quarter of it is left.
func announced(_ bot.Operation, d access) time.Time {
	return d.Until.Add(-min(3*24*time.Hour, d.Length/4))
}

func (a Access) question(_ bot.Operation, d access) bot.Question {
	return bot.Question{Note: bot.CloudOps.Title() + " can confirm, never for themselves", Buttons: []bot.Button{
		{Verb: grant, Label: "Grant", Tone: bot.Primary, Dialog: "Give " + d.For.Name + " read access to " + d.Database + " for " + bot.Length(d.Length) + "?",
			May: granters, To: creating, Decides: true},
		{Verb: "cancel", Label: "Decline", May: bot.Policy{Roles: granters.Roles, Asker: true, People: []string{d.For.ID}}, To: cancelled},
	}}
}

// pressed keeps people from giving access to themselves, and begins its time.
func (a Access) pressed(v bot.View, _ bot.Operation, d *access, p bot.Decision) error {
	if p.Verb != grant {
		return nil
	}
	d.Until = v.Now().Add(d.Length)
	return notTheirs(p, *d)
}

// notTheirs keeps people from deciding about their own access.
func notTheirs(p bot.Decision, d access) error {
	if p.Person.ID == d.For.ID {
		return bot.Refuse("Nobody gives access to themselves; somebody else of cloudOps has to confirm this. Nothing was done.")
	}
	return nil
}

// extended moves the end of access, once more by its length.
func (a Access) extended(v bot.View, _ bot.Operation, d *access, p bot.Decision) error {
	if p.Verb != extend {
		return nil
	}
	d.Until = a.longer(*d, d.Until, v.Now())
	return notTheirs(p, *d)
}

// longer is when access ends that is extended. From now on it lasts no longer
// than what is given anew.
func (a Access) longer(d access, until, now time.Time) time.Time {
	most := now.Add(a.Databases[d.Database].Longest)
	if until = until.Add(d.Length); until.After(most) {
		return most
	}
	return until
}

// changers may end, or renew, the access of somebody: cloudOps, and they themselves.
func changers(d access) bot.Policy {
	return bot.Policy{Roles: granters.Roles, People: []string{d.For.ID}}
}

// extenders may let it last longer.
func extenders(access) bot.Policy { return granters }

func (a Access) openQuestion(_ bot.Operation, d access) bot.Question {
	return bot.Question{Buttons: []bot.Button{
		{Verb: revoke, Label: "Revoke", Tone: bot.Danger, Dialog: "Take away " + d.For.Name + "'s access to " + d.Database + "?", May: changers(d), To: shutting},
		{Verb: rotate, May: changers(d), To: rotating},
		{Verb: extend, May: extenders(d), To: open},
	}}
}

func (a Access) stuckQuestion(bot.Operation, access) bot.Question {
	return bot.Question{Note: bot.CloudOps.Title() + " can try again", Buttons: []bot.Button{{Verb: "again", Label: "Try again", May: granters, To: shutting}}}
}

// forget forgets why it went wrong, when it is tried again.
func forget(_ bot.View, _ bot.Operation, d *access, _ bot.Decision) error {
	d.Why = ""
	return nil
}

// changing is the question whether to change access that is there.
func (a Access) changing(label, verb string, by func(access) bot.Policy) bot.Step[access] {
	return bot.Step[access]{
		Ask: func(_ bot.Operation, d access) bot.Question {
			note, tone := bot.CloudOps.Title()+" or "+d.For.Name+" can confirm", bot.Danger
			if verb == extend {
				note, tone = bot.CloudOps.Title()+" can confirm, never for themselves", bot.Primary
			}
			leave := changers(d)
			leave.Asker = true
			return bot.Question{Note: note, Buttons: []bot.Button{
				{Verb: verb, Label: label, Tone: tone, May: by(d), To: handed, Press: &bot.Forward{Operation: d.Of, Verb: verb}},
				{Verb: "cancel", Label: "Leave it", May: leave, To: cancelled},
			}}
		},
		Look: a.stillOpen, Every: lookAgain, GiveUp: bot.After[access](askAccess), Lapse: expired,
	}
}

// stillOpen looks whether there is still access to ask about.
func (a Access) stillOpen(ctx context.Context, _ bot.Operation, d *access) (next bot.Next, err error) {
	err = a.Ledger.View(ctx, func(v bot.View) error {
		next = bot.Next{}
		o, err := v.Operation(d.Of)
		if err == nil && o.State != open && o.State != closing {
			next = bot.Next{To: passed, Note: "that access has moved on"}
		}
		return err
	})
	return next, err
}

// made says whether an account is the one that this operation made. A server
// that keeps no marks cannot tell; there it is, if it was not there before.
func (d access) made(o bot.Operation, account mysql.Account) bool {
	return account.Mark == o.ID || account.Mark == "" && d.Absent
}

func (a Access) created(ctx context.Context, o bot.Operation, d *access) (bot.Next, error) {
	if o.Acts == 0 {
		// The question may have waited for days.
		if why, err := a.unfitNow(ctx, d); err != nil || why != "" {
			d.Why = why
			return ifNot(err, bot.Next{To: notGiven, Note: why})
		}
	}
	account, err := a.Databases[d.Database].Primary.Account(ctx, d.Account)
	switch {
	case errors.Is(err, mysql.ErrMissing):
		d.Absent = true
		return bot.Next{}, nil
	case err != nil:
		return bot.Next{}, err
	case d.made(o, account) && o.Acts > 0:
		return bot.Next{To: granting, Note: "account " + d.Account + " is there"}, nil
	}
	return a.rename(d), nil
}

// rename goes on with the name that nobody else can come to.
func (a Access) rename(d *access) bot.Next {
	name := suffixed(d.Account, d.For)
	if name == d.Account {
		d.Why = "There is an account " + name + " already that I did not make, or do not know any more. Somebody has to look at it, and drop it on the primary if nobody uses it."
		return bot.Next{To: notGiven, Note: d.Why}
	}
	d.Account, d.Absent = name, false
	return bot.Next{To: creating, Note: "the name is taken; it becomes " + name}
}

func ifNot(err error, next bot.Next) (bot.Next, error) {
	if err != nil {
		return bot.Next{}, err
	}
	return next, nil
}

// unfitNow says why somebody can have no access any more, or "".
func (a Access) unfitNow(ctx context.Context, d *access) (string, error) {
	m, err := a.People.Member(ctx, d.For.ID, time.Minute)
	if errors.Is(err, bot.ErrNotFound) {
		return "Slack does not know " + d.For.Name + " any more.", nil
	} else if err != nil {
		return "", err
	}
	if wrong := unfit(m); wrong != "" {
		return d.For.Name + " " + wrong + ".", nil
	}
	return "", nil
}

func (a Access) create(ctx context.Context, o bot.Operation, d *access) error {
	err := a.Databases[d.Database].Primary.Create(ctx, d.Account, o.ID, limits)
	if errors.Is(err, mysql.ErrExists) {
		d.Absent = false // somebody was quicker, so the look that follows takes another name
		return nil
	}
	d.Why = finally(err)
	return err
}

// finally is a server's final no in words for people, or "".
func finally(err error) string {
	var no *bot.Refused
	if errors.As(err, &no) {
		return no.Why
	}
	return ""
}

func (a Access) granted(ctx context.Context, _ bot.Operation, d *access) (bot.Next, error) {
	account, err := a.Databases[d.Database].Primary.Account(ctx, d.Account)
	switch {
	case errors.Is(err, mysql.ErrMissing):
		d.Why = "Account " + d.Account + " has vanished while it was being made."
		return bot.Next{To: notGiven, Note: d.Why}, nil
	case err != nil || !account.Granted:
		return bot.Next{}, err
	case !account.TLS:
		d.Why = "Account " + d.Account + " could be used without TLS, so I take it away again."
		return bot.Next{To: shutting, Note: d.Why}, nil
	}
	d.Given = true
	return bot.Next{To: open, Note: "account " + d.Account + " can read"}, nil
}

func (a Access) giveRights(ctx context.Context, _ bot.Operation, d *access) error {
	err := a.Databases[d.Database].Primary.Grant(ctx, d.Account)
	d.Why = finally(err)
	return err
}

// stillFit ends the access of people who have left.
func (a Access) stillFit(ctx context.Context, _ bot.Operation, d *access) (bot.Next, error) {
	why, err := a.unfitNow(ctx, d)
	if err != nil || why == "" {
		return bot.Next{}, err
	}
	d.Why = why
	return bot.Next{To: shutting, Note: why}, nil
}

func (a Access) rotated(_ context.Context, _ bot.Operation, d *access) (bot.Next, error) {
	if !d.Changed {
		return bot.Next{}, nil
	}
	d.Changed, d.Shown = false, time.Time{}
	return bot.Next{To: open, Note: "the old password does not work any more"}, nil
}

// rotate sets a password that nobody knows; its owner has one shown after it.
func (a Access) rotate(ctx context.Context, o bot.Operation, d *access) error {
	db := a.Databases[d.Database]
	err := db.Primary.SetPassword(ctx, d.Account, mysql.NewPassword())
	if err != nil {
		d.Why = finally(err)
		return err
	}
	// Whoever has the old password may be logged in with it. If that cannot be
	// seen, it is said; the new password does not wait for a server that is down.
	if err := a.endSessions(ctx, db, d); err != nil && o.Acts < 4 {
		return err
	}
	d.Changed = true
	return nil
}

func (a Access) shut(ctx context.Context, o bot.Operation, d *access) (bot.Next, error) {
	if d.Changed {
		d.Changed = false
		return bot.Next{To: dropping, Note: "account " + d.Account + " is locked"}, nil
	}
	return a.gone(ctx, o, d)
}

// gone looks whether the account is gone, or is another one by now.
func (a Access) gone(ctx context.Context, o bot.Operation, d *access) (bot.Next, error) {
	account, err := a.Databases[d.Database].Primary.Account(ctx, d.Account)
	switch {
	case errors.Is(err, mysql.ErrMissing):
		return bot.Next{To: disconnecting, Note: "account " + d.Account + " is gone"}, nil
	case err != nil:
		return bot.Next{}, err
	case !d.made(o, account):
		d.Why = "Account " + d.Account + " is not the one any more that I made, so I leave it alone."
		return bot.Next{To: d.over(), Note: d.Why}, nil
	}
	return bot.Next{}, nil
}

// over is the end of what is not there any more.
func (d access) over() bot.State {
	if d.Given {
		return revoked
	}
	return notGiven
}

func (a Access) lock(ctx context.Context, _ bot.Operation, d *access) error {
	err := a.Databases[d.Database].Primary.Lock(ctx, d.Account)
	d.Changed = err == nil
	d.Locked = d.Locked || err == nil
	return err
}

func (a Access) dropped(ctx context.Context, o bot.Operation, d *access) (bot.Next, error) {
	return a.gone(ctx, o, d)
}

func (a Access) drop(ctx context.Context, _ bot.Operation, d *access) error {
	err := a.Databases[d.Database].Primary.Drop(ctx, d.Account)
	if errors.Is(err, mysql.ErrMissing) {
		return nil // the look that follows sees it
	}
	if why := finally(err); why != "" {
		d.Why = why
	}
	return err
}

func (a Access) cleared(_ context.Context, _ bot.Operation, d *access) (bot.Next, error) {
	if d.Changed {
		d.Changed = false
		return bot.Next{To: d.over(), Note: "its sessions were looked at"}, nil
	}
	return bot.Next{}, nil
}

// clear waits until the replica has lost the account too: until then sessions
// that are ended come back.
func (a Access) clear(ctx context.Context, _ bot.Operation, d *access) error {
	db := a.Databases[d.Database]
	_, err := db.Replica.Account(ctx, d.Account)
	if err == nil {
		return nil // not yet
	}
	if !errors.Is(err, mysql.ErrMissing) {
		return err
	}
	if err := a.endSessions(ctx, db, d); err != nil {
		return err
	}
	d.Changed = true
	return nil
}

// endSessions ends what is open on both servers, and notes what it has no right
// to end, or to see. An error says that it is worth another try.
func (a Access) endSessions(ctx context.Context, db Database, d *access) (again error) {
	d.Open, d.Unseen = nil, nil
	for _, at := range []struct {
		name   string
		server databaseServer
	}{{"primary", db.Primary}, {"replica", db.Replica}} {
		_, kept := at.server.Kill(ctx, d.Account)
		if kept == nil {
			continue
		}
		left, err := at.server.Sessions(ctx, d.Account)
		if err != nil {
			d.Unseen = append(d.Unseen, at.name)
		}
		if err != nil && finally(err) == "" || len(left) > 0 && finally(kept) == "" {
			again = errors.Join(again, kept)
		}
		for _, s := range left {
			d.Open = append(d.Open, session{at.name, s.ID, s.Client})
		}
	}
	return again
}
