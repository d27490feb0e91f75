package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"thbot/bot"
)

// dialect is where the two databases' SQL differs.
type dialect struct {
	// lock ends a SELECT in a transaction, so that nobody else changes what it read.
	lock string
	// lockScope makes a row for a scope that has none, so that there is
	// something to lock. Empty: not needed.
	lockScope string
	taken     func(error) bool // a key was there already
}

// session runs statements: a *sql.Tx, or a *sql.Conn with a transaction begun.
type session interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// view is a [bot.View].
type view struct {
	ctx     context.Context
	session session
	now     time.Time
	lock    string // ends each SELECT
	// broken is the first error of the database, other than a known key, and
	// every later call's answer: MySQL ends a whole transaction by a deadlock,
	// and what came after would not be part of it.
	broken error
}

// tx is a [bot.Tx].
type tx struct {
	view
	dialect dialect
	log     *zap.Logger
	wrote   writes
}

// writes is how much a transaction has written.
type writes int

const (
	nothing writes = iota
	steps          // operations were saved, and that is all
	anything
)

// commit is what the gate calls the commit of so much.
func (w writes) commit() string {
	if w == steps {
		return "step"
	}
	return "commit"
}

var (
	_ bot.View = (*view)(nil)
	_ bot.Tx   = (*tx)(nil)
)

var errOver = errors.New("used after its transaction was over")

func (v *view) Now() time.Time { return v.now }

func (v *view) Operation(id string) (bot.Operation, error) { return get(v, operations, id) }
func (v *view) Message(key string) (bot.Message, error)    { return get(v, messages, key) }
func (v *view) Received(key string) (bot.Received, error)  { return get(v, received, key) }

func (v *view) Holder(scope string) (holder string, err error) {
	err = v.query("SELECT operation FROM scopes WHERE scope = ?", []any{scope}, func(scan func(...any) error) error {
		return scan(&holder)
	})
	if err != nil {
		return "", fmt.Errorf("reading who holds %s: %w", scope, err)
	}
	return holder, nil
}

func (v *view) Holders(prefix string) (all []bot.Held, err error) {
	// The end of the range is the first text that does not begin with prefix:
	// LIKE would not use the index in every database.
	err = v.query("SELECT scope, operation FROM scopes WHERE scope >= ? AND scope < ? AND operation <> '' ORDER BY scope",
		[]any{prefix, prefix + "\U0010ffff"}, func(scan func(...any) error) error {
			var h bot.Held
			if err := scan(&h.Scope, &h.Operation); err != nil {
				return err
			}
			all = append(all, h)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("reading who holds %s…: %w", prefix, err)
	}
	return all, nil
}

func (v *view) History(q bot.History) ([]bot.Operation, error) {
	where, args := []string{"created IS NOT NULL"}, []any{}
	also := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if len(q.Kinds) > 0 {
		also("kind IN ("+marks(len(q.Kinds))+")", anys(q.Kinds)...)
	}
	if q.About != "" {
		also("about = ?", q.About)
	}
	if q.Person != "" {
		// In JSON the quotes within a name have backslashes, so no name looks like this.
		also("(asked = ? OR INSTR(presses, ?) > 0)", q.Person, `"id":"`+q.Person+`"`)
	}
	if !q.Before.IsZero() {
		also("created < ?", stamp{&q.Before})
	}
	return list(v, operations, q.Limit, "WHERE "+strings.Join(where, " AND ")+" ORDER BY created DESC, id DESC", args...)
}

func anys(texts []string) []any {
	all := make([]any, len(texts))
	for i, t := range texts {
		all[i] = t
	}
	return all
}

func (v *view) DueReceived(limit int) ([]bot.Received, error) {
	return list(v, received, limit, "WHERE due IS NOT NULL ORDER BY due, id")
}

func (v *view) DueOperations(kinds []string, limit int) ([]bot.Operation, error) {
	if len(kinds) == 0 {
		return nil, v.broken
	}
	return list(v, operations, limit, "WHERE due IS NOT NULL AND kind IN ("+marks(len(kinds))+") ORDER BY due, id", anys(kinds)...)
}

func (v *view) DueMessages(limit int) ([]bot.Message, error) {
	now := stamp{&v.now}
	due, err := list(v, messages, limit, "WHERE due <= ? ORDER BY class, due, created, id", now)
	if err != nil {
		return nil, err
	}
	later, err := list(v, messages, limit, "WHERE due > ? ORDER BY owner = '', due, created, id", now)
	return append(due, later...), err
}

func (v *view) Overdue(before time.Time) (n int, err error) {
	err = v.query("SELECT COUNT(*) FROM messages WHERE due IS NOT NULL AND sent = 0 AND created <= ?", []any{stamp{&before}}, func(scan func(...any) error) error {
		return scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("counting the messages that are late: %w", err)
	}
	return n, nil
}

func (v *view) Dead(after time.Time, limit int) ([]bot.Message, error) {
	return list(v, messages, limit, "WHERE dead <> '' AND created > ? ORDER BY created, id", stamp{&after})
}

func (v *view) Events(operation string) ([]bot.Event, error) {
	return rows(v, events, "WHERE operation = ? ORDER BY seq", operation)
}

// Holder locks also a scope that nobody holds.
func (t *tx) Holder(scope string) (string, error) {
	if t.dialect.lockScope != "" {
		if _, err := t.exec(t.dialect.lockScope, scope); err != nil {
			return "", fmt.Errorf("reading who holds %s: %w", scope, err)
		}
	}
	return t.view.Holder(scope)
}

func (t *tx) AddReceived(r bot.Received) error   { return add(t, received, r) }
func (t *tx) AddOperation(o bot.Operation) error { return add(t, operations, o) }
func (t *tx) AddMessage(m bot.Message) error     { return add(t, messages, m) }

func (t *tx) SaveReceived(r bot.Received) error { return save(t, received, r) }
func (t *tx) SaveMessage(m bot.Message) error   { return save(t, messages, m) }

func (t *tx) SaveOperation(o bot.Operation) error {
	before := t.wrote
	err := save(t, operations, o)
	t.wrote = max(before, steps)
	return err
}

func (t *tx) Hold(scope, operation string) (other string, err error) {
	other, err = t.Holder(scope)
	switch {
	case err != nil:
		return "", fmt.Errorf("holding %s: %w", scope, err)
	case other == operation:
		return "", nil
	case other != "":
		return other, nil
	}
	n, err := t.exec("UPDATE scopes SET operation = ? WHERE scope = ?", operation, scope)
	if err == nil && n == 0 {
		_, err = t.exec("INSERT INTO scopes (operation, scope) VALUES (?, ?)", operation, scope)
	}
	if err != nil {
		return "", fmt.Errorf("holding %s: %w", scope, err)
	}
	return "", nil
}

// Release keeps the scope's row, without a holder: see lockScope.
func (t *tx) Release(operation, scope string) error {
	statement, args := "UPDATE scopes SET operation = '' WHERE operation = ?", []any{operation}
	if scope != "" {
		statement, args = statement+" AND scope = ?", append(args, scope)
	}
	if _, err := t.exec(statement, args...); err != nil {
		return fmt.Errorf("releasing what %s holds: %w", operation, err)
	}
	return nil
}

func (t *tx) AddEvent(e bot.Event) error {
	if _, err := t.exec(events.inserting(), fields(events.columns(&e))...); err != nil {
		return fmt.Errorf("adding an event of %s: %w", e.Operation, err)
	}
	return nil
}

func get[R any](v *view, t table[R], key string) (R, error) {
	all, err := rows(v, t, "WHERE id = ?", key)
	switch {
	case err != nil:
		return *new(R), err
	case len(all) == 0:
		return *new(R), fmt.Errorf("%s %s: %w", t.one, key, bot.ErrNotFound)
	}
	return all[0], nil
}

// list returns at most limit rows of those that where says, in its order.
func list[R any](v *view, t table[R], limit int, where string, args ...any) ([]R, error) {
	if limit <= 0 {
		return nil, v.broken
	}
	return rows(v, t, where+" LIMIT ?", append(args, limit)...)
}

func rows[R any](v *view, t table[R], where string, args ...any) (all []R, err error) {
	err = v.query(t.selecting()+" "+where, args, func(scan func(...any) error) error {
		var r R
		if err := scan(fields(t.columns(&r))...); err != nil {
			return err
		}
		all = append(all, r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", t.name, err)
	}
	return all, nil
}

func add[R any](t *tx, into table[R], r R) error {
	columns := into.columns(&r)
	key := *columns[0].field.(*string)
	if version := into.version(&r); *version == 0 {
		*version = 1
	}
	if _, err := t.exec(into.inserting(), fields(columns)...); err != nil {
		return fmt.Errorf("adding %s %s: %w", into.one, key, err)
	}
	return nil
}

func save[R any](t *tx, into table[R], r R) error {
	columns := into.columns(&r)
	key := *columns[0].field.(*string)
	version := into.version(&r)
	given := *version
	*version++
	n, err := t.exec(into.updating(), append(fields(columns[1:]), key, given)...)
	if err == nil && n == 0 {
		err = bot.ErrMoved
	}
	if err != nil {
		return fmt.Errorf("saving %s %s: %w", into.one, key, err)
	}
	return nil
}

func (v *view) query(query string, args []any, each func(scan func(...any) error) error) error {
	if v.broken != nil {
		return v.broken
	}
	err := func() error {
		found, err := v.session.QueryContext(v.ctx, query+v.lock, args...)
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			if err := each(found.Scan); err != nil {
				return err
			}
		}
		return found.Err()
	}()
	v.broken = err
	return err
}

// exec returns how many rows the statement matched.
func (t *tx) exec(statement string, args ...any) (int64, error) {
	if t.broken != nil {
		return 0, t.broken
	}
	t.wrote = anything
	result, err := t.session.ExecContext(t.ctx, statement, args...)
	if err == nil {
		var n int64
		if n, err = result.RowsAffected(); err == nil {
			return n, nil
		}
	}
	if t.dialect.taken(err) {
		return 0, bot.ErrTaken // only the statement failed; the transaction goes on
	}
	t.broken = err
	return 0, err
}

// viewing runs f in a transaction of its own, which only reads.
func viewing(ctx context.Context, db *sql.DB, level sql.IsolationLevel, clock func(*sql.Tx) (time.Time, error), f func(bot.View) error) error {
	begun, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: level, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("beginning to read the ledger: %w", err)
	}
	defer begun.Rollback()
	now, err := clock(begun)
	if err != nil {
		return err
	}
	return f(&view{ctx: ctx, session: begun, now: now})
}

// run calls f with t, which is over then. broken is the error of the database,
// if there was one, whatever f made of it.
//
// It calls f on a goroutine of its own, so that neither a panic nor a
// runtime.Goexit (a test's FailNow) takes the committing goroutine with it.
func (t *tx) run(f func(bot.Tx) error) (err, broken error) {
	done := make(chan error, 1)
	go func() {
		err := errors.New("the function of a transaction did not return")
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("the function of a transaction panicked: %v", p)
				t.log.Error("the function of a transaction panicked", zap.Any("panic", p), zap.Stack("stack"))
			}
			done <- err
		}()
		err = f(t)
	}()
	err = <-done
	broken, t.broken = t.broken, errOver
	if err == nil {
		err = broken
	}
	return err, broken
}
