package world

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"thbot/integrations/mysql/mariadbpair"
)

// The bot's account on every database.
const (
	DatabaseUser     = "thbot"
	DatabasePassword = "fake-database-password"
)

// WithDatabase are the apps whose databases the bot works on.
var WithDatabase = []string{"stage", Prototype}

// Database is the primary of an app's database, and the replica that people get
// access to.
type Database struct {
	*mariadbpair.Pair
	*tunnel        // to the replica
	CA      string // the file of who signed their certificates

	mu       sync.Mutex
	migrated map[migration]bool
	closed   bool
}

// migration is one of Django's, as it writes it down.
type migration struct{ app, name string }

// ofDjango are migrations that no file of Treeherder's is.
var ofDjango = []migration{{"contenttypes", "0001_initial"}, {"auth", "0001_initial"}, {"sessions", "0001_initial"}}

// oddities are what somebody left behind in a database: on prototype a
// migration of an experiment that was reset long ago, and one that two pods
// have applied at once.
var oddities = map[string][]migration{
	Prototype: {{"perf", "0002_alert_title_order"}, {"model", "0004_remove_failureline_repository"}},
}

// Databases are those that there are, by app.
func (w *World) Databases() map[string]*Database {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.dbs)
}

// StartDatabases starts MariaDB for the apps that have a database, with all data
// in dir, which takes a few seconds. Call it after [World.Usual], and
// [World.Close] only after it has returned. The servers end with the world, or
// when this process dies. Without MariaDB the error wraps [mariadbpair.ErrNone].
func (w *World) StartDatabases(ctx context.Context, dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	started := make([]*Database, len(WithDatabase))
	group, starting := errgroup.WithContext(ctx)
	for i, name := range WithDatabase {
		group.Go(func() (err error) {
			started[i], err = startDatabase(starting, name, filepath.Join(dir, name))
			return err
		})
	}
	err := group.Wait()
	all := map[string]*Database{}
	for i, name := range WithDatabase {
		if started[i] != nil {
			all[name] = started[i]
		}
	}
	deployed := w.haveDatabases(all) // from now on deploys migrate by themselves
	for name, commits := range deployed {
		for _, commit := range commits {
			if err == nil {
				err = w.migrate(ctx, name, commit, longAgo())
			}
		}
	}
	if err != nil {
		err = errors.Join(err, w.closeDatabases())
		w.haveDatabases(nil)
	}
	return err
}

// haveDatabases lets there be databases, and returns the commits that their
// apps serve, or are about to.
func (w *World) haveDatabases(all map[string]*Database) map[string][]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dbs = all
	commits := map[string][]string{}
	for name := range all {
		commits[name] = []string{w.serves[name], w.apps[name].Next}
	}
	return commits
}

func startDatabase(ctx context.Context, app, dir string) (*Database, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	pair, err := mariadbpair.Start(ctx, dir)
	if err != nil {
		return nil, err
	}
	d := &Database{Pair: pair, CA: filepath.Join(dir, "ca.pem"), migrated: map[migration]bool{}}
	if d.tunnel, err = dig(pair.Replica.Address); err != nil {
		return nil, errors.Join(err, pair.Close())
	}
	err = errors.Join(
		os.WriteFile(d.CA, pair.Authority.PEM, 0o600),
		pair.Replica.PresentAddress(ctx), // which is what people are shown of it
		pair.Primary.Run(ctx, services+traffic(time.Now())),
		pair.SeedDirect(ctx, DatabaseUser, DatabasePassword))
	for _, m := range oddities[app] {
		err = errors.Join(err, pair.Migrate(ctx, m.app, m.name, longAgo()))
	}
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

func (d *Database) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	return errors.Join(d.tunnel.close(), d.Pair.Close())
}

func (w *World) closeDatabases() error {
	var errs []error
	for _, d := range w.Databases() {
		errs = append(errs, d.close())
	}
	return errors.Join(errs...)
}

// longAgo is when the databases were migrated that a world begins with.
func longAgo() time.Time { return time.Now().AddDate(0, -2, 0) }

// migrate does in the database of app, if it has one, what a deploy of commit
// did there from that time on. Code that is taken back undoes nothing.
func (w *World) migrate(ctx context.Context, app, commit string, at time.Time) error {
	w.mu.Lock()
	d, files := w.dbs[app], w.trees[commit]
	w.mu.Unlock()
	if d == nil || commit == "" {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	for _, m := range append(slices.Clone(ofDjango), files.migrations()...) {
		if d.migrated[m] {
			continue
		}
		if err := d.Migrate(ctx, m.app, m.name, at); err != nil {
			return fmt.Errorf("deploying %.7s to %s: %w", commit, app, err)
		}
		at = at.Add(time.Second)
		d.migrated[m] = true
	}
	return nil
}

// migrating is migrate beside a rollout.
func (w *World) migrating(app, commit string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := w.migrate(ctx, app, commit, time.Now()); err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.troubles = append(w.troubles, err)
	}
}

var ofMigration = regexp.MustCompile(`^treeherder/([a-z_]+)/migrations/([0-9]\w*)\.py$`)

// migrations are those that the files have, in order.
func (f files) migrations() (all []migration) {
	for file := range f {
		if m := ofMigration.FindStringSubmatch(file); m != nil {
			all = append(all, migration{m[1], m[2]})
		}
	}
	slices.SortFunc(all, func(a, b migration) int { return cmp.Or(cmp.Compare(a.app, b.app), cmp.Compare(a.name, b.name)) })
	return all
}
