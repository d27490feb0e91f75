package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	"go.uber.org/zap"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"thbot/bot"
)

// sqliteStore is a SQLite file with one writer.
//
// A commit costs a sync of the disk, whatever is in it. So the writer, while it
// syncs, lets functions queue up, and puts all that wait into the next commit,
// each in a savepoint of its own.
type sqliteStore struct {
	lock    *flock.Flock
	readers *sql.DB
	writers *sql.DB   // holds one connection:
	writer  *sql.Conn // only the goroutine of write uses it
	log     *zap.Logger
	gate    func(call, moment string)

	// jobs has no buffer: what was not taken yet can still be given up.
	jobs    chan job
	closing chan struct{} // closed by close
	closed  chan struct{} // closed when write has returned
	shut    func() error
}

// job is a function that waits for its turn, and the way to answer its caller.
type job struct {
	f    func(bot.Tx) error
	done chan<- error // has room for the answer
}

// batch limits how many functions share a commit, so that the first of them
// does not wait for ever while others keep coming.
const batch = 128

var sqliteDialect = dialect{taken: func(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	return e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY || e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE
}}

func openSQLite(ctx context.Context, file string, o Options) (_ store, err error) {
	file, err = ledgerFile(file)
	if err != nil {
		return nil, err
	}
	s := &sqliteStore{
		lock:    flock.New(file+".lock", flock.SetPermissions(0o600)),
		log:     o.Log,
		gate:    o.Gate,
		jobs:    make(chan job),
		closing: make(chan struct{}),
		closed:  make(chan struct{}),
	}
	s.shut = sync.OnceValue(s.shutDown)
	// The lock comes before anything that SQLite does to the file.
	held, err := s.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", s.lock.Path(), err)
	}
	if !held {
		return nil, fmt.Errorf("%s is in use by another process (which holds %s)", file, s.lock.Path())
	}
	defer func() {
		if err != nil {
			s.release()
		}
	}()
	if s.writers, err = openFile(file, url.Values{
		"_pragma": {"busy_timeout(4000)", "journal_mode(WAL)", "synchronous(FULL)"},
		"_txlock": {"immediate"}, // goose's transactions
	}); err != nil {
		return nil, err
	}
	s.writers.SetMaxOpenConns(1)
	if err := migrate(ctx, s.writers, goose.DialectSQLite3, o.Log); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if s.writer, err = s.writers.Conn(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if s.readers, err = openFile(file, url.Values{
		"mode":    {"ro"},
		"_pragma": {"busy_timeout(4000)"},
	}); err != nil {
		return nil, err
	}
	s.readers.SetMaxOpenConns(4)
	s.readers.SetMaxIdleConns(4)
	go s.write()
	return s, nil
}

// ledgerFile makes the file if it is not there, for the bot's own user alone
// (SQLite gives its -wal and -shm the same rights), and returns its one name.
func ledgerFile(file string) (string, error) {
	if err := checkFileName(file); err != nil {
		return "", err
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return "", err
	}
	// Two names of one file must not lead to two locks.
	if file, err = filepath.EvalSymlinks(file); err != nil {
		return "", err
	}
	return filepath.Abs(file)
}

func checkFileName(file string) error {
	switch {
	case file == "":
		return errors.New("its URL names no file: sqlite:FILE")
	case strings.HasPrefix(file, "//"), strings.Contains(file, "?"):
		return errors.New("its URL is no more than sqlite: and the name of the file, without // and ?")
	}
	return nil
}

func openFile(file string, settings url.Values) (*sql.DB, error) {
	name := url.URL{Scheme: "file", Path: filepath.ToSlash(file), RawQuery: settings.Encode()}
	connector, err := sqlite.NewConnector(name.String())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err) // unreachable: the name was just built
	}
	return sql.OpenDB(connector), nil
}

func (s *sqliteStore) do(ctx context.Context, f func(bot.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("waiting for the ledger: %w", err)
	}
	done := make(chan error, 1)
	select {
	case s.jobs <- job{f, done}:
		return <-done
	case <-ctx.Done():
		return fmt.Errorf("waiting for the ledger: %w", ctx.Err())
	case <-s.closing:
		return errClosed
	}
}

// write does the jobs until the ledger closes.
func (s *sqliteStore) write() {
	defer close(s.closed)
	for {
		select {
		case first := <-s.jobs:
			s.together(first)
		case <-s.closing:
			return
		}
	}
}

// together does first, and all that waits by then, in one transaction, and
// answers each when it is durable.
func (s *sqliteStore) together(first job) {
	fits := make([]job, 0, batch) // to be committed
	var wrote writes
	err := s.exec("BEGIN IMMEDIATE")
	if err != nil {
		first.done <- fmt.Errorf("beginning a transaction: %w", err)
		return
	}
	for next, more := first, true; more; next, more = s.waiting(len(fits)) {
		did, refused, err := s.alone(next.f)
		if err != nil {
			// SQLite gave up the whole transaction, as it does when the disk is full.
			s.abandon(append(fits, next), err)
			return
		}
		if refused != nil {
			next.done <- refused
			continue
		}
		fits = append(fits, next)
		wrote = max(wrote, did)
	}
	if wrote > nothing {
		s.gate(wrote.commit(), "arrived")
	}
	if err := s.exec("COMMIT"); err != nil {
		s.abandon(fits, fmt.Errorf("committing: %w", err))
		return
	}
	if wrote > nothing {
		s.gate(wrote.commit(), "done")
	}
	for _, j := range fits {
		j.done <- nil
	}
}

// waiting is a job that waits now, if there is one and room for it.
func (s *sqliteStore) waiting(have int) (job, bool) {
	if have == batch {
		return job{}, false
	}
	select {
	case j := <-s.jobs:
		return j, true
	default:
		return job{}, false
	}
}

// alone runs f in a savepoint. refused is f's error, and f's writes are undone;
// err means that the whole transaction can not go on.
func (s *sqliteStore) alone(f func(bot.Tx) error) (wrote writes, refused, err error) {
	if err := s.exec("SAVEPOINT f"); err != nil {
		return nothing, nil, err
	}
	t := &tx{
		view:    view{ctx: context.Background(), session: s.writer, now: clock()},
		dialect: sqliteDialect,
		log:     s.log,
	}
	refused, _ = t.run(f)
	if refused != nil {
		if err := s.exec("ROLLBACK TO f"); err != nil {
			return nothing, nil, err
		}
	}
	return t.wrote, refused, s.exec("RELEASE f")
}

// abandon rolls back, and tells all of jobs why.
func (s *sqliteStore) abandon(jobs []job, why error) {
	// An error here says that there is no transaction any more.
	_ = s.exec("ROLLBACK")
	s.log.Error("a transaction of the ledger was lost", zap.Error(why), zap.Int("functions", len(jobs)))
	for _, j := range jobs {
		j.done <- why
	}
}

func (s *sqliteStore) exec(statement string) error {
	_, err := s.writer.ExecContext(context.Background(), statement)
	return err
}

func (s *sqliteStore) view(ctx context.Context, f func(bot.View) error) error {
	return viewing(ctx, s.readers, sql.LevelDefault, ownClock, f)
}

func (s *sqliteStore) close() error { return s.shut() }

func (s *sqliteStore) shutDown() error {
	close(s.closing)
	<-s.closed
	return s.release()
}

// release gives back what there is. The last connection to close moves what is
// in the -wal file into the ledger file.
func (s *sqliteStore) release() error {
	var errs []error
	if s.readers != nil {
		errs = append(errs, s.readers.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
	}
	if s.writers != nil {
		errs = append(errs, s.writers.Close())
	}
	return errors.Join(append(errs, s.lock.Unlock())...)
}

// clock is what the database's clock says, to its precision, when that
// database lives in this process.
func clock() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func ownClock(*sql.Tx) (time.Time, error) { return clock(), nil }
