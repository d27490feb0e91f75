package handlers

import (
	"context"
	"maps"
	"slices"
	"time"

	"thbot/bot"
	"thbot/integrations/bugzilla"
	"thbot/integrations/mysql"
)

// Database is one of Treeherder's: a primary, where accounts are made, and the
// replica of it that people are given. Nobody is ever told the primary's host.
type Database struct {
	Name             string // of its environment
	Primary, Replica databaseServer
	Host, Port       string // of the replica
	CA               string // of the replica, in PEM; empty: the system trusts it
	Instance         string // of Google Cloud SQL, whose certificates have no host's name
	ServerName       string // what the replica's certificate has as the host's name; empty: Host
	Eligible         []string
	Longest          time.Duration // how long access lasts at most
	Services         map[string]string
	Orphans          []string
}

// databaseServer is what the commands need of a server. Its errors are those of
// package mysql.
type databaseServer interface {
	Identity(ctx context.Context) (mysql.Identity, error)
	Account(ctx context.Context, name string) (mysql.Account, error)
	Accounts(ctx context.Context) ([]mysql.Account, error)
	Create(ctx context.Context, name, mark string, l mysql.Limits) error
	Grant(ctx context.Context, name string) error
	SetPassword(ctx context.Context, name string, p mysql.Password) error
	Lock(ctx context.Context, name string) error
	Drop(ctx context.Context, name string) error
	Sessions(ctx context.Context, name string) ([]mysql.Session, error)
	Kill(ctx context.Context, name string) ([]mysql.Session, error)
	Await(ctx context.Context, name string, p mysql.Password, primary mysql.Identity) (mysql.Identity, error)
	ChangePassword(ctx context.Context, name string, p mysql.Password) (kept bool, err error)
	DiscardOldPassword(ctx context.Context, name string) error
	Applied(ctx context.Context) ([]mysql.Migration, error)
}

// databaseWords are the databases as the parser knows them, with the aliases
// of their environments.
func (w World) databaseWords() (words []bot.Word) {
	all := w.Environments.Words()
	for _, name := range slices.Sorted(maps.Keys(w.Databases)) {
		at := slices.IndexFunc(all, func(word bot.Word) bool { return word.Name == name })
		if at < 0 {
			words = append(words, bot.Word{Name: name})
			continue
		}
		words = append(words, all[at])
	}
	return words
}

// Tracker is where requests to cloudOps are filed.
type Tracker struct {
	Bugs               bugs
	Product, Component string
	Keyed              bool // the bot has a key; else people file them from a link
}

// bugs is what filing needs of Bugzilla.
type bugs interface {
	File(ctx context.Context, b bugzilla.Bug) (int, error)
	FindByToken(ctx context.Context, product, component, token string) (id int, found bool, err error)
	Whoami(ctx context.Context) (bugzilla.Account, error)
	Bugs(ctx context.Context, ids []int) (map[int]bugzilla.State, error)
	Link(id int) string
	PrefillWithin(b bugzilla.Bug, most int) string
}
