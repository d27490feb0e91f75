package ledger

import (
	"context"
	"database/sql"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thbot/bot"
)

// planned asks the database by which index it runs each query.
type planned struct {
	*sql.Conn
	indexes []string
}

var usedIndex = regexp.MustCompile(`^SEARCH \w+ USING INDEX (\w+)`)

func (p *planned) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	var id, parent, unused int
	var plan string
	if err := p.Conn.QueryRowContext(ctx, "EXPLAIN QUERY PLAN "+query, args...).Scan(&id, &parent, &unused, &plan); err != nil {
		return nil, err
	}
	if used := usedIndex.FindStringSubmatch(plan); used != nil {
		plan = used[1]
	}
	p.indexes = append(p.indexes, plan)
	return p.Conn.QueryContext(ctx, query, args...)
}

// TestIndexes: what is over and done slows no query down.
func TestIndexes(t *testing.T) {
	p := &planned{Conn: open(t, freshSQLite(t)).store.(*sqliteStore).writer}
	v := &view{ctx: t.Context(), session: p, now: clock()}
	v.Operation("x")
	v.Message("x")
	v.Received("x")
	v.Holder("x")
	v.DueReceived(9)
	v.DueOperations([]string{"x", "y"}, 9)
	v.DueMessages(9)
	v.Events("x")
	v.Holders("x")
	v.History(bot.History{Limit: 9})
	v.History(bot.History{About: "x", Kinds: []string{"x"}, Limit: 9})
	v.History(bot.History{Person: "x", Limit: 9})
	want := []string{
		"sqlite_autoindex_operations_1", "sqlite_autoindex_messages_1", "sqlite_autoindex_received_1", "sqlite_autoindex_scopes_1",
		"received_due", "operations_due", "messages_due", "messages_due", "events_operation",
		"sqlite_autoindex_scopes_1", "operations_created", "operations_about", "operations_created",
	}
	if diff := cmp.Diff(want, p.indexes); diff != "" || v.broken != nil {
		t.Errorf("%v; indexes (-want +got):\n%s", v.broken, diff)
	}
}
