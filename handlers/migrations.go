package handlers

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/handlers/migrations"
	"thbot/integrations/github"
	"thbot/integrations/mysql"
)

// Migrations compares the migrations of the commit that an environment serves
// with those that its database has. It changes nothing: what somebody would
// have to run is text.
type Migrations struct {
	Environments deploys.Environments
	Databases    map[string]Database
	GitHub       branches
	Apps         apps
	Schemas      *Schemas
	Tracker      Tracker
}

func (m Migrations) Info() bot.Info {
	return bot.Info{
		Name: "migrations", Does: "Compares the migrations of what is served with those that the database has, and says what cloudOps would have to run.",
		Who: "anyone",
		Args: []bot.Arg{
			{Name: "environment", Doc: "an environment", Example: "stage", Words: m.Environments.Words()},
			{Name: "app", Doc: "an app of Treeherder's", Example: "perf", Optional: true},
		},
		Examples: []string{"migrations stage", "migrations stage perf"},
		Wait:     "Comparing files and rows…",
	}
}

func (m Migrations) Answer(ctx context.Context, r bot.Request) (bot.Card, error) {
	env, _ := m.Environments.Named(r.Args["environment"])
	db, ok := m.Databases[env.Name]
	if !ok {
		return bot.Card{}, bot.Refuse("The database of "+env.Name+" is not configured, so there is nothing to compare. Whoever runs me can add it as ",
			bot.Fixed("databases."+env.Name), " to my configuration.")
	}
	c, err := m.compare(ctx, env, db, r.Args["app"])
	if err != nil {
		return bot.Card{}, err
	}
	return shareable(c.card(), r, strings.TrimSpace("migrations "+env.Name+" "+c.app)), nil
}

// comparison is what was found, and how.
type comparison struct {
	migrations.Drift
	tracker Tracker
	env     deploys.Environment
	app     string // the one that was asked for; empty: all
	commit  string // that the app serves
	link    string // the page of it
	files   map[migrations.Migration]migrations.File
	rows    rowsRead
	aside   string           // what is odd about its branch
	ahead   []migrations.Row // no file in what is served, but one on the branch
	refused []string         // why Django would refuse the files themselves
	edited  []edited
	traces  map[migrations.Migration]trace // of orphans
	unseen  []string                       // what could not be looked at
	older   []string                       // apps of which only the newest commits were
}

// rowsRead are the rows of a database, as one of its servers has them.
type rowsRead struct {
	rows    []mysql.Migration
	replica bool // they are the replica's, since the primary gives no answer
	silent  bool // the replica gives none
	missing int  // how many of them the replica has not
	strange int  // how many others it has
	at      time.Time
}

func (m Migrations) compare(ctx context.Context, env deploys.Environment, db Database, app string) (c comparison, err error) {
	c = comparison{env: env, app: app, tracker: m.Tracker}
	// The commit is read before the rows: a deploy writes these before it serves,
	// so that one between the two reads leaves nothing pending.
	if c.commit, err = m.Apps.Version(ctx, env.URL); err != nil {
		if ctx.Err() != nil {
			return c, err
		}
		return c, bot.Refuse(env.Title()+" does not say what it serves: ", bot.To(env.Host(), env.URL), " gives no usable answer. So nothing was compared; try again in a minute.")
	}
	c.link = m.GitHub.CommitURL(c.commit)
	var unread, e1, e2 error
	var all sync.WaitGroup
	all.Go(func() { c.rows, unread = db.applied(ctx) })
	all.Go(func() { c.files, e1 = m.Schemas.at(ctx, c.commit) })
	var onBranch map[migrations.Migration]string
	all.Go(func() { c.aside, onBranch, e2 = m.branch(ctx, env, c.commit) })
	all.Wait()
	var no *bot.Refused
	switch {
	case errors.Is(e1, bot.ErrNotFound):
		return c, bot.Refuse(env.Title()+" serves ", bot.To(deploys.Short(c.commit), c.link), ", which is not a commit of the repository, so its migrations are not known. Nothing was compared.")
	case errors.As(unread, &no):
		return c, bot.Refuse("The database of "+env.Name+" cannot be read, so nothing was compared. ", no.Why)
	case errors.Join(unread, e1, e2) != nil:
		return c, errors.Join(unread, e1, e2)
	}
	for _, conflict := range migrations.Leaves(c.files) {
		if c.of(conflict.App) {
			c.refused = append(c.refused, conflict.String())
		}
	}
	maps.DeleteFunc(c.files, func(m migrations.Migration, _ migrations.File) bool { return !c.of(m.App) })
	var rows []migrations.Row
	for _, r := range c.rows.rows {
		if c.of(r.App) {
			rows = append(rows, migrations.Row{ID: r.ID, Migration: migrations.Migration{App: r.App, Name: r.Name}, Applied: r.Applied})
		}
	}
	c.Drift = migrations.Compare(c.files, rows, db.Orphans)
	if app != "" && len(c.files)+len(c.Orphans)+c.Known == 0 {
		return c, bot.Refuse("There is no app ", bot.Fixed(app), " of Treeherder's: neither its code nor the database of "+env.Name+" has migrations of that. Nothing was compared.")
	}
	c.Orphans = slices.DeleteFunc(c.Orphans, func(r migrations.Row) bool {
		if _, ok := onBranch[r.Migration]; ok {
			c.ahead = append(c.ahead, r)
			return true
		}
		return false
	})
	m.lookBack(ctx, &c, rows)
	return c, ctx.Err()
}

// of says whether an app was asked for.
func (c comparison) of(app string) bool { return c.app == "" || c.app == app }

// branch says how the commit that is served stands to its branch, and which
// migrations are on that.
func (m Migrations) branch(ctx context.Context, env deploys.Environment, commit string) (aside string, files map[migrations.Migration]string, err error) {
	// What a deploy that runs just now has applied looks like an orphan then.
	const blind = " If a deploy runs just now, what it has applied is told as orphans."
	if env.Branch == "" {
		return "Which branch this is deployed from is not configured." + blind, nil, nil
	}
	head, err := m.GitHub.Branch(ctx, env.Branch)
	if errors.Is(err, bot.ErrNotFound) {
		return "There is no branch " + env.Branch + "." + blind, nil, nil
	}
	if err != nil || head == commit {
		return "", nil, err
	}
	apart := "The branch " + env.Branch + " does not have the commit that is served."
	cmp, err := m.GitHub.Compare(ctx, head, commit)
	switch {
	case errors.Is(err, bot.ErrNotFound): // they have nothing in common
		aside = apart
	case err != nil:
		return "", nil, err
	case cmp.Status != github.Behind && cmp.Status != github.Identical:
		aside = apart
	}
	files, err = m.Schemas.blobs(ctx, head)
	return aside, files, err
}

// applied asks both servers. What the primary says counts, since Django writes
// there: on a replica that lags, a migration that was just applied would be
// pending. The replica stands in where the primary gives no answer.
func (db Database) applied(ctx context.Context) (h rowsRead, err error) {
	var primary, replica []mysql.Migration
	var perr, rerr error
	var all sync.WaitGroup
	all.Go(func() { primary, perr = db.Primary.Applied(ctx) })
	all.Go(func() { replica, rerr = db.Replica.Applied(ctx) })
	all.Wait()
	h = rowsRead{rows: primary, silent: rerr != nil, replica: perr != nil, at: time.Now()}
	switch {
	case perr != nil && rerr != nil:
		return h, perr
	case perr != nil:
		h.rows = replica
		return h, nil
	case rerr != nil:
		return h, nil
	}
	there := map[mysql.Migration]bool{}
	for _, r := range replica {
		there[r] = true
	}
	for _, r := range primary {
		if !there[r] {
			h.missing++
		}
		delete(there, r)
	}
	h.strange = len(there)
	return h, nil
}
