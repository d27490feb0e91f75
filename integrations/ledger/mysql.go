package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"go.uber.org/zap"

	"thbot/bot"
)

// mysqlStore is a MySQL or MariaDB database, which other replicas use too.
type mysqlStore struct {
	db   *sql.DB
	log  *zap.Logger
	gate func(call, moment string)
}

const (
	limit = 4 * time.Second // of a dial, a read and a write
	tries = 10              // of a function that others' locks got in the way of
)

// Error numbers of the server.
const (
	erDupEntry        = 1062
	erLockWaitTimeout = 1205
	erLockDeadlock    = 1213
)

var mysqlDialect = dialect{
	lock: " FOR UPDATE",
	// Not INSERT IGNORE, which would also ignore that a name is too long.
	lockScope: "INSERT INTO scopes (scope, operation) VALUES (?, '') ON DUPLICATE KEY UPDATE scope = scope",
	taken:     func(err error) bool { return number(err) == erDupEntry },
}

func openMySQL(ctx context.Context, address string, o Options) (store, error) {
	config, err := mysqlConfig(address, o)
	if err != nil {
		return nil, err
	}
	where := fmt.Sprintf("%s@%s(%s)/%s", config.User, config.Net, config.Addr, config.DBName)
	slow := config.Clone()
	slow.ReadTimeout = 10 * time.Minute // changing a large table takes its time
	migrating, err := openPool(slow)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	defer migrating.Close() // which also gives back a lock
	if err := migrateMySQL(ctx, migrating, o.Log); err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	db, err := openPool(config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	db.SetConnMaxLifetime(5 * time.Minute) // so that a moved server is found
	return &mysqlStore{db: db, log: o.Log, gate: o.Gate}, nil
}

func mysqlConfig(address string, o Options) (*mysql.Config, error) {
	// No error shows the address, which might hold a password.
	form := errors.New("its URL is not of the form mysql:USER@tcp(HOST:PORT)/DATABASE, with ?tls=true or without")
	address, settings, _ := strings.Cut(address, "?")
	parsed, err := mysql.ParseDSN(address)
	switch {
	case err != nil || parsed.User == "" || parsed.DBName == "":
		return nil, form
	case parsed.Passwd != "":
		return nil, errors.New("its URL holds a password, which belongs into its own setting")
	case settings != "" && settings != "tls=true":
		return nil, form // "preferred" and "skip-verify" verify nothing
	}
	c := mysql.NewConfig()
	c.User, c.Passwd = parsed.User, o.Password
	c.Net, c.Addr, c.DBName = parsed.Net, parsed.Addr, parsed.DBName
	if settings != "" {
		c.TLSConfig = "true"
	}
	c.Timeout, c.ReadTimeout, c.WriteTimeout = limit, limit, limit
	c.ClientFoundRows = true // an UPDATE tells what it matched, also where nothing changed
	c.InterpolateParams = true
	c.Logger = driverLog{o.Log.Sugar()}
	c.DialFunc = o.Dial
	c.Params = map[string]string{
		"sql_mode": "'STRICT_ALL_TABLES'", // never cut a key
		// Below our own limit: else the connection would be cut while waiting.
		"innodb_lock_wait_timeout": "2",
	}
	return c, c.Apply(mysql.Charset("utf8mb4", "utf8mb4_bin"))
}

// driverLog is where the driver reports what it does not return.
type driverLog struct{ *zap.SugaredLogger }

func (l driverLog) Print(v ...any) { l.Warn(v...) }

func openPool(c *mysql.Config) (*sql.DB, error) {
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

func (s *mysqlStore) do(ctx context.Context, f func(bot.Tx) error) error {
	for try := 1; ; try++ {
		err, again := s.once(ctx, f)
		if !again || try == tries {
			return err
		}
		s.log.Debug("the ledger's locks got in the way", zap.Error(err), zap.Int("try", try))
		select {
		case <-time.After(time.Duration(rand.Int64N(int64(try) * int64(5*time.Millisecond)))):
		case <-ctx.Done():
			return err
		}
	}
}

// once runs f in a transaction. again says that the server ended it for the
// sake of another.
func (s *mysqlStore) once(ctx context.Context, f func(bot.Tx) error) (err error, again bool) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("waiting for the ledger: %w", err), false
	}
	defer conn.Close()
	// From here on only the limits of the connection end it: a commit that is
	// given up half-way may or may not have happened.
	ctx = context.WithoutCancel(ctx)
	// What f reads is locked, so it need not also be a snapshot, whose locks
	// on gaps between keys would make strangers wait for each other.
	begun, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err), false
	}
	defer begun.Rollback() // nothing, after a commit
	now, err := serverClock(begun)
	if err != nil {
		return err, false
	}
	t := &tx{
		view:    view{ctx: ctx, session: begun, now: now, lock: mysqlDialect.lock},
		dialect: mysqlDialect,
		log:     s.log,
	}
	if err, broken := t.run(f); err != nil {
		return err, crossed(broken)
	}
	if t.wrote > nothing {
		s.gate(t.wrote.commit(), "arrived")
	}
	if err := begun.Commit(); err != nil {
		return fmt.Errorf("committing: %w", err), crossed(err)
	}
	if t.wrote > nothing {
		s.gate(t.wrote.commit(), "done")
	}
	return nil, false
}

// crossed reports whether the server undid a transaction because of another.
func crossed(err error) bool {
	n := number(err)
	return n == erLockDeadlock || n == erLockWaitTimeout
}

func number(err error) uint16 {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
}

func (s *mysqlStore) view(ctx context.Context, f func(bot.View) error) error {
	return viewing(ctx, s.db, sql.LevelRepeatableRead, serverClock, f)
}

func (s *mysqlStore) close() error { return s.db.Close() }

// serverClock reads the database's clock, so that replicas whose own clocks
// differ agree on what is due.
func serverClock(t *sql.Tx) (time.Time, error) {
	var text string
	if err := t.QueryRow("SELECT UTC_TIMESTAMP(6)").Scan(&text); err != nil {
		return time.Time{}, fmt.Errorf("reading the ledger's clock: %w", err)
	}
	now, err := time.Parse(time.DateTime, text) // which takes the fraction too
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the ledger's clock: %w", err)
	}
	return now, nil
}
