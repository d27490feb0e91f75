package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"go.uber.org/zap"

	"thbot/bot"
)

// Reader reads a ledger, also one that a bot is using at that time.
type Reader struct {
	db    *sql.DB
	level sql.IsolationLevel
	clock func(*sql.Tx) (time.Time, error)
}

// OpenReader opens the ledger at o.URL, which has to be there. It changes
// nothing in it, neither its tables nor whose it is: of a SQLite file the lock
// is neither taken nor asked for. o.Gate has no use.
func OpenReader(ctx context.Context, o Options) (*Reader, error) {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	kind, rest, _ := strings.Cut(o.URL, ":")
	var r *Reader
	var err error
	switch kind {
	case "sqlite":
		r, err = readSQLite(rest)
	case "mysql":
		r, err = readMySQL(rest, o)
	default:
		err = errKind
	}
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	if err := r.db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the ledger: %w", err), r.db.Close())
	}
	return r, nil
}

func readSQLite(file string) (*Reader, error) {
	if err := checkFileName(file); err != nil {
		return nil, err
	}
	if info, err := os.Stat(file); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", file)
	}
	db, err := openFile(file, url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(4000)"}})
	return &Reader{db, sql.LevelDefault, ownClock}, err
}

func readMySQL(address string, o Options) (*Reader, error) {
	config, err := mysqlConfig(address, o)
	if err != nil {
		return nil, err
	}
	db, err := openPool(config)
	return &Reader{db, sql.LevelRepeatableRead, serverClock}, err
}

// View runs f on one consistent state; see [bot.Ledger].
func (r *Reader) View(ctx context.Context, f func(v bot.View) error) error {
	return viewing(ctx, r.db, r.level, r.clock, f)
}

// Close closes the reader.
func (r *Reader) Close() error { return r.db.Close() }
