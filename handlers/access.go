package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"thbot/bot"
	"thbot/handlers/when"
	"thbot/integrations/mysql"
)

// Access gives people accounts that can read a replica, for a while. The access
// is one operation, from the question to the day the account is gone: as long
// as it lasts it holds the person's place at that database and the account's name.
type Access struct {
	Databases map[string]Database
	Words     []bot.Word // the databases as people type them
	Ledger    reading
	People    memberships
}

// memberships is what access needs to know of people.
type memberships interface {
	// Member returns an error wrapping [bot.ErrNotFound] when there is no such person.
	Member(ctx context.Context, id string, fresh time.Duration) (bot.Member, error)
	Group(ctx context.Context, id string, fresh time.Duration) ([]string, error)
}

func (w World) access() Access {
	return Access{w.Databases, w.databaseWords(), w.Ledger, w.Contacts.Slack}
}

// access is what access, or a question about one that is there, remembers.
// Nothing in it is secret.
type access struct {
	Database string
	Account  string
	For      bot.Person
	Length   time.Duration
	Reason   string
	Until    time.Time // set when it is confirmed
	// Absent says that the account was seen not to be there before it was made:
	// servers that keep no marks do not tell whose it is.
	Absent  bool
	Given   bool      // the account could be used
	Changed bool      // what this state writes has been written
	Locked  bool      // nobody can log in to the account any more
	Shown   time.Time // when a password was shown last
	Open    []session // sessions that could not be ended
	Unseen  []string  // servers on which that could not be seen
	Why     string    // it was not given, or is still there
	Of      string    // the operation that a question to rotate or revoke is about
	About   time.Time // until when that access is
}

// session is one that survives the account.
type session struct {
	Server string // "primary" or "replica"
	ID     uint64
	Client string
}

const (
	accessScopes  = "access/"  // <database>/<person>: they have access, or are being given it
	accountScopes = "account/" // <database>/<account>

	grant      = "grant"
	extend     = "extend"
	rotate     = "rotate"
	revoke     = "revoke"
	listAccess = "list"
)

// usualAccess is how long access lasts if nothing is said.
const usualAccess = 30 * 24 * time.Hour

// granters are the people who decide about access.
var granters = bot.Policy{Roles: []bot.Role{bot.CloudOps}}

func (a Access) Info() bot.Info {
	return bot.Info{
		Name: "access", Does: "Gives somebody a database account that can read a replica, for longer too; changes its password, takes it away, or lists who has one.",
		Who: "anyone can ask; " + bot.CloudOps.Title() + " confirms, never for themselves",
		Args: []bot.Arg{
			{Name: "what", Doc: "grant, extend, rotate, revoke or list", Example: grant, Form: "grant|extend|rotate|revoke|list",
				Words: []bot.Word{{Name: grant}, {Name: extend}, {Name: rotate}, {Name: revoke}, {Name: listAccess}}},
			{Name: "person", Doc: "whom it is for", Example: "@bea", Person: true, Optional: true},
			{Name: "database", Doc: "a database", Example: "stage", Words: a.Words, Optional: true},
			{Name: "length", After: "for", Doc: "a length of time", Example: "30d", Take: when.TakeLength, Optional: true},
			{Name: "reason", Doc: "a reason", Example: "finding slow queries", Rest: true, Optional: true},
		},
		Examples: []string{"access grant @bea stage for 30d finding slow queries", "access extend @bea", "access rotate @bea", "access revoke @bea", "access list"},
		Wait:     "Looking at who has access…",
	}
}

func (a Access) Plan(ctx context.Context, r bot.Request) (plan bot.Plan[access], err error) {
	if len(a.Databases) == 0 {
		return plan, bot.Refuse("No database is configured, so there is nothing that I could give access to. Whoever runs me can add them as ",
			bot.Fixed("databases"), " to my configuration.")
	}
	what := r.Args["what"]
	if what == listAccess {
		return a.list(ctx, r)
	}
	if r.Args["person"] == "" {
		return plan, bot.Refuse(bot.Fixed("access "+what), " needs a person. Nothing was done. Send for example ", bot.Fixed("/th access "+what+" @bea"), ".")
	}
	if what == grant {
		return a.grant(ctx, r)
	}
	return a.change(ctx, r, what)
}

func (a Access) grant(ctx context.Context, r bot.Request) (plan bot.Plan[access], err error) {
	db, err := a.database(r.Args["database"], "/th access grant @…")
	if err != nil {
		return plan, err
	}
	d := access{Database: db.Name, Length: min(usualAccess, db.Longest), Reason: r.Args["reason"]}
	if d.Reason == "" {
		return plan, bot.Refuse("Access needs a reason, so nothing was asked. Send for example ", bot.Fixed("/th access grant @… "+db.Name+" for 30d finding slow queries"), ".")
	}
	if text := r.Args["length"]; text != "" {
		length, wrong := when.Length(text)
		switch {
		case wrong != "":
			return plan, bot.Refuse(bot.Fixed(text), " "+wrong+". Nothing was asked.")
		case length > db.Longest:
			return plan, bot.Refuse(bot.Fixed(text), " is too long: access to "+db.Name+" lasts "+bot.Length(db.Longest)+" at most. Nothing was asked.")
		case length < time.Hour:
			return plan, bot.Refuse(bot.Fixed(text), " is too short: access lasts an hour at least. Nothing was asked.")
		}
		d.Length = length
	}
	who, err := a.People.Member(ctx, r.Args["person"], time.Minute)
	if errors.Is(err, bot.ErrNotFound) {
		return plan, bot.Refuse("Slack does not know this person, so nothing was asked.")
	} else if err != nil {
		return plan, err
	}
	if wrong := unfit(who); wrong != "" {
		return plan, bot.Refuse(who.Name, " "+wrong+", and cannot be given access. Nothing was asked.")
	}
	d.For = who.Person
	ok, err := a.eligible(ctx, db, who.ID)
	if err != nil {
		return plan, err
	}
	if !ok {
		return plan, bot.Refuse(who.Name, " is not among those who can be given access to "+db.Name+", so nothing was asked. Who can be stands in my configuration, as ",
			bot.Fixed("databases."+db.Name+".eligible"), ".")
	}
	if d.Account, err = a.accountFor(ctx, db, who.Person); err != nil {
		return plan, err
	}
	return bot.Plan[access]{Begin: &d, First: asking, Asking: "ask/access/" + db.Name + "/" + who.ID, About: db.Name,
		Scopes: []string{d.place(), accountScopes + db.Name + "/" + d.Account}}, nil
}

// place is the scope that somebody's access to a database holds.
func (d access) place() string { return accessScopes + d.Database + "/" + d.For.ID }

// database is the one that was named, or the only one.
func (a Access) database(name, command string) (Database, error) {
	if db, ok := a.Databases[name]; ok {
		return db, nil
	}
	var names []string
	for _, word := range a.Words {
		names = append(names, word.Name)
	}
	if len(names) == 1 {
		return a.Databases[names[0]], nil
	}
	return Database{}, bot.Refuse("There are several databases, "+strings.Join(names, " and ")+", so say which. Nothing was done. Send for example ",
		bot.Fixed(command+" "+names[0]+" …"), ".")
}

// unfit says why somebody can have no access, whoever confirms it.
func unfit(m bot.Member) string {
	switch {
	case m.Bot:
		return "is a bot"
	case m.Gone:
		return "is deactivated"
	case m.Foreign:
		return "is of another workspace"
	case m.Guest:
		return "is a guest"
	}
	return ""
}

// eligible says whether somebody is among those who can be given access.
func (a Access) eligible(ctx context.Context, db Database, person string) (bool, error) {
	if len(db.Eligible) == 0 {
		return true, nil
	}
	for _, id := range db.Eligible {
		if id == person {
			return true, nil
		}
		if !strings.HasPrefix(id, "S") {
			continue
		}
		group, err := a.People.Group(ctx, id, time.Minute)
		if err != nil {
			return false, err
		}
		if slices.Contains(group, person) {
			return true, nil
		}
	}
	return false, nil
}

// accountFor is the name that somebody's account gets. The name of an account
// that is there, or is promised to somebody else, gets the person's id as a
// suffix: nobody else can come to that one.
func (a Access) accountFor(ctx context.Context, db Database, who bot.Person) (string, error) {
	name := accountName(who)
	var taken string
	err := a.Ledger.View(ctx, func(v bot.View) error {
		holder, err := v.Holder(accessScopes + db.Name + "/" + who.ID)
		if err != nil {
			return err
		}
		if holder != "" {
			o, d, err := accessOf(v, holder)
			if err != nil {
				return err
			}
			t := bot.T(who.Name+" has access to "+db.Name+" already, until ", bot.Date(d.Until), ", so nothing was asked. ")
			if o.State == shutting || o.State == dropping || o.State == disconnecting || o.State == stuck {
				t = bot.T(who.Name + "'s access to " + db.Name + " is being taken away just now, so nothing was asked. Ask again when that is done.")
				return bot.Refuse(t)
			}
			return bot.Refuse(t, "For longer: ", bot.Fixed("/th access extend @… "+db.Name), ". A new password: ", bot.Fixed("/th access rotate @… "+db.Name), ". The end of it: ", bot.Fixed("/th access revoke @… "+db.Name), ".")
		}
		taken, err = v.Holder(accountScopes + db.Name + "/" + name)
		return err
	})
	if err != nil {
		return "", err
	}
	if taken == "" {
		_, err := db.Primary.Account(ctx, name)
		if errors.Is(err, mysql.ErrMissing) {
			return name, nil
		} else if err != nil {
			return "", unasked(db, err)
		}
	}
	return suffixed(name, who), nil
}

// unasked is what to tell whoever asked, if the primary cannot be asked.
func unasked(db Database, err error) error {
	var no *bot.Refused
	if errors.As(err, &no) {
		return bot.Refuse("Access to "+db.Name+" cannot be given just now, so nothing was asked. ", no.Why)
	}
	return err
}

// accountName is the person's name in Slack as a server takes it, or if
// nothing of it is left, their id.
func accountName(who bot.Person) string {
	words := strings.FieldsFunc(strings.ToLower(who.Name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	name := strings.TrimRight(first(strings.Join(words, "_"), 28), "_")
	if mysql.CheckName("ro_"+name) != nil {
		name = strings.ToLower(who.ID)
	}
	return "ro_" + name
}

// suffixed is a name with the id of its owner behind it.
func suffixed(name string, who bot.Person) string {
	suffix := "_" + strings.ToLower(who.ID)
	if strings.HasSuffix(name, suffix) || name == "ro"+suffix {
		return name
	}
	return strings.TrimRight(first(name, 31-len(suffix)), "_") + suffix
}

func first(s string, most int) string { return s[:min(most, len(s))] }

// accessOf reads an operation that holds a place at a database.
func accessOf(v bot.View, id string) (o bot.Operation, d access, err error) {
	if o, err = v.Operation(id); err == nil {
		err = json.Unmarshal(o.Data, &d)
	}
	return o, d, err
}

// change asks to extend, to rotate or to revoke access that somebody has.
func (a Access) change(ctx context.Context, r bot.Request, what string) (plan bot.Plan[access], err error) {
	if r.Args["length"] != "" {
		return plan, bot.Refuse("Only ", bot.Fixed("access grant"), " takes a length of time. Nothing was asked.")
	}
	person := r.Args["person"]
	type found struct {
		o bot.Operation
		d access
	}
	var all []found
	err = a.Ledger.View(ctx, func(v bot.View) error {
		all = nil
		for _, word := range a.Words {
			if asked := r.Args["database"]; asked != "" && asked != word.Name {
				continue
			}
			id, err := v.Holder(accessScopes + word.Name + "/" + person)
			if err != nil || id == "" {
				if err != nil {
					return err
				}
				continue
			}
			o, d, err := accessOf(v, id)
			if err != nil {
				return err
			}
			all = append(all, found{o, d})
		}
		return nil
	})
	switch {
	case err != nil:
		return plan, err
	case len(all) == 0:
		return plan, bot.Refuse("I have given this person no such access, so nothing was asked. Who has: ", bot.Fixed("/th access list"), ".")
	case len(all) > 1:
		return plan, bot.Refuse(all[0].d.For.Name+" has access to several databases, so say to which. Nothing was asked. Send for example ",
			bot.Fixed("/th access "+what+" @… "+all[0].d.Database), ".")
	}
	o, d := all[0].o, all[0].d
	if o.State != open && o.State != closing {
		return plan, bot.Refuse("The access of " + d.For.Name + " to " + d.Database + " is being made or taken away just now, so nothing was asked. Ask again in a minute.")
	}
	q := access{Database: d.Database, Account: d.Account, For: d.For, Length: d.Length, Reason: r.Args["reason"], Of: o.ID, About: d.Until}
	if what == extend {
		q.Until = a.longer(q, d.Until, r.Now)
		if q.Until.Sub(d.Until) < time.Minute {
			return plan, bot.Refuse("The access of "+d.For.Name+" to "+d.Database+" lasts as long as it can already, until ", bot.Date(d.Until), ". Nothing was asked.")
		}
	}
	first := map[string]bot.State{extend: askExtend, rotate: askRotate, revoke: askRevoke}[what]
	return bot.Plan[access]{Begin: &q, First: first, Asking: "ask/" + what + "/" + d.Database + "/" + person, About: d.Database}, nil
}
