package ledger

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"go.uber.org/zap"
)

// Each number is the same step in both folders. MySQL commits at every DDL
// statement, so a step there is one statement that can be begun again.
//
//go:embed migrations
var migrations embed.FS

// migrate brings the tables up to date. Steps of a newer binary are left alone.
func migrate(ctx context.Context, db *sql.DB, d goose.Dialect, log *zap.Logger) error {
	folder := "mysql"
	if d == goose.DialectSQLite3 {
		folder = "sqlite"
	}
	files, err := fs.Sub(migrations, "migrations/"+folder)
	if err != nil {
		return err // unreachable: the folder is embedded
	}
	provider, err := goose.NewProvider(d, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	done, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("bringing the tables up to date: %w", err)
	}
	for _, m := range done {
		log.Info("ledger migrated", zap.String("step", m.Source.Path), zap.Duration("took", m.Duration))
	}
	return nil
}

// Another replica's lock is waited for. It is of the whole server, hence the
// database's name in it, and has at most 64 characters, hence the sum; MySQL 9.7
// has no SHA1 any more.
const lockName = "SHA2(CONCAT('thbot ', DATABASE()), 224)"

const erNoSuchTable = 1146

// migrateMySQL is migrate where other replicas may be starting too. goose's own
// locks come after it has looked for its table, and made it: too late for us.
func migrateMySQL(ctx context.Context, db *sql.DB, log *zap.Logger) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	// The lock belongs to the session: a process that dies does not keep it.
	var got sql.NullInt64
	if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK("+lockName+", 60)").Scan(&got); err != nil {
		return fmt.Errorf("waiting for another replica's migration: %w", err)
	}
	if got.Int64 != 1 {
		return errors.New("another replica has been migrating for a minute")
	}
	// goose makes its table, which commits, and then the row of version 0. If
	// it was killed in between it would never start again.
	var rows int
	err = conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+goose.DefaultTablename).Scan(&rows)
	if err == nil && rows == 0 {
		_, err = conn.ExecContext(ctx, "DROP TABLE "+goose.DefaultTablename)
	}
	if err != nil && number(err) != erNoSuchTable {
		return fmt.Errorf("reading which migrations were done: %w", err)
	}
	if err := migrate(ctx, db, goose.DialectMySQL, log); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "DO RELEASE_LOCK("+lockName+")")
	return err
}
