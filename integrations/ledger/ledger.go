// Package ledger is the bot's own store: what it accepted, what it is doing
// and what it wants to say. It is one SQLite file, which one process has for
// itself, or a MySQL or MariaDB database, which several may share. Both keep
// the same tables; it implements [bot.Ledger].
//
// A row added with Version 0 is stored with Version 1, so what is read back can
// be saved. Keys and names may have 255 characters. Times are kept to the
// microsecond.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.uber.org/zap"

	"thbot/bot"
	"thbot/integrations/internal/web"
)

// Options of a ledger.
type Options struct {
	// URL is "sqlite:FILE", where FILE is made if it is not there, or
	// "mysql:USER@tcp(HOST:PORT)/DATABASE", with "?tls=true" to speak TLS and
	// verify the server by the system's roots.
	URL      string
	Password string // of the MySQL user; it stands in no URL, error or log
	Log      *zap.Logger
	// Gate, if there is one, is called around each commit that writes, on the
	// goroutine that commits: gate("commit", "arrived") right before it and
	// gate("commit", "done") when it is durable and nobody knows yet. A test
	// can hold or kill the process there. A commit that does no more than save
	// operations, as all claims and the looks that find nothing do, is called
	// "step": there is no end of them.
	Gate func(call, moment string)
	Dial web.DialFunc // of connections to MySQL; nil: the network
}

// Ledger implements [bot.Ledger].
type Ledger struct{ store store }

var _ bot.Ledger = (*Ledger)(nil)

// store is what the two databases do differently.
type store interface {
	do(ctx context.Context, f func(bot.Tx) error) error
	view(ctx context.Context, f func(bot.View) error) error
	close() error
}

// Open opens the ledger at o.URL and brings its tables up to date.
func Open(ctx context.Context, o Options) (*Ledger, error) {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Gate == nil {
		o.Gate = func(string, string) {}
	}
	kind, rest, _ := strings.Cut(o.URL, ":")
	var s store
	var err error
	switch kind {
	case "sqlite":
		s, err = openSQLite(ctx, rest, o)
	case "mysql":
		s, err = openMySQL(ctx, rest, o)
	default:
		err = errKind
	}
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	return &Ledger{s}, nil
}

// Do runs f in one transaction; see [bot.Ledger]. The end of ctx ends the
// waiting for a turn; what has begun is completed. f may not use tx after it
// returned, and what f's queries could not do fails the transaction even if f
// makes nothing of it. A panic in f is returned as an error. An error of the
// commit itself leaves open whether it happened.
func (l *Ledger) Do(ctx context.Context, f func(tx bot.Tx) error) error {
	return l.store.do(ctx, f)
}

// View runs f on one consistent state; see [bot.Ledger].
func (l *Ledger) View(ctx context.Context, f func(v bot.View) error) error {
	return l.store.view(ctx, f)
}

// Close closes the ledger. A transaction that has begun is completed; those
// that still wait get an error, as does whoever comes later.
func (l *Ledger) Close() error { return l.store.close() }

// The URL itself is not shown: a mistyped one may hold a password.
var errKind = errors.New(`its URL begins neither with "sqlite:" nor with "mysql:"`)

var errClosed = errors.New("the ledger is closed")
