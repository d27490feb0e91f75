package ledger

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"thbot/bot"
)

// table says how rows of type R are stored.
type table[R any] struct {
	name    string
	one     string // what errors call a row
	columns func(*R) []column
	version func(*R) *int64
}

// column ties a column to the field of a row, by a pointer that can be both
// argument and destination of a statement. The first column of a table is its key.
type column struct {
	name  string
	field any
}

var received = table[bot.Received]{
	name: "received", one: "request",
	version: func(r *bot.Received) *int64 { return &r.Version },
	columns: func(r *bot.Received) []column {
		return []column{
			{"id", &r.Key},
			{"at", stamp{&r.At}},
			{"due", stamp{&r.Due}},
			{"owner", &r.Owner},
			{"version", &r.Version},
			{"request", document{&r.Request}},
			{"press", document{&r.Press}},
		}
	},
}

var operations = table[bot.Operation]{
	name: "operations", one: "operation",
	version: func(o *bot.Operation) *int64 { return &o.Version },
	columns: func(o *bot.Operation) []column {
		return []column{
			{"id", &o.ID},
			{"kind", &o.Kind},
			{"about", &o.About},
			{"ref", &o.Ref},
			{"state", &o.State},
			{"outcome", &o.End},
			{"turn", &o.Turn},
			{"entered", stamp{&o.Entered}},
			{"due", stamp{&o.Due}},
			{"owner", &o.Owner},
			{"version", &o.Version},
			{"acts", &o.Acts},
			{"asking", &o.Asking},
			{"scopes", document{&o.Scopes}},
			{"channel", &o.Channel},
			{"asked", &o.Asked.ID},
			{"asked_name", &o.Asked.Name},
			{"presses", document{&o.Presses}},
			{"created", stamp{&o.Created}},
			{"trouble", document{&o.Trouble}},
			{"data", verbatim{&o.Data}},
		}
	},
}

var messages = table[bot.Message]{
	name: "messages", one: "message",
	version: func(m *bot.Message) *int64 { return &m.Version },
	columns: func(m *bot.Message) []column {
		return []column{
			{"id", &m.Key},
			{"operation", &m.Operation},
			{"class", &m.Class},
			{"place", document{&m.To}},
			{"card", document{&m.Card}},
			{"wanted", &m.Wanted},
			{"sent", &m.Sent},
			{"chat_id", &m.ID},
			{"tries", &m.Tries},
			{"dead", &m.Dead},
			{"due", stamp{&m.Due}},
			{"owner", &m.Owner},
			{"version", &m.Version},
			{"created", stamp{&m.Created}},
		}
	},
}

// events are numbered by the database, which is no field of theirs.
var events = table[bot.Event]{
	name: "events", one: "event",
	columns: func(e *bot.Event) []column {
		return []column{
			{"operation", &e.Operation},
			{"at", stamp{&e.At}},
			{"who", &e.Who},
			{"from_state", &e.From},
			{"to_state", &e.To},
			{"note", &e.Note},
		}
	},
}

func (t table[R]) selecting() string {
	var r R
	return "SELECT " + names(t.columns(&r), ", ") + " FROM " + t.name
}

func (t table[R]) inserting() string {
	var r R
	columns := t.columns(&r)
	return "INSERT INTO " + t.name + " (" + names(columns, ", ") + ") VALUES (" + marks(len(columns)) + ")"
}

func (t table[R]) updating() string {
	var r R
	return "UPDATE " + t.name + " SET " + names(t.columns(&r)[1:], " = ?, ") + " = ? WHERE id = ? AND version = ?"
}

func names(columns []column, separator string) string {
	all := make([]string, len(columns))
	for i, c := range columns {
		all[i] = c.name
	}
	return strings.Join(all, separator)
}

// marks is n placeholders.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

func fields(columns []column) []any {
	all := make([]any, len(columns))
	for i, c := range columns {
		all[i] = c.field
	}
	return all
}

// stamp stores a time as microseconds since 1970, which sort as numbers in any
// time zone of whatever server, and the zero time as NULL.
type stamp struct{ *time.Time }

func (s stamp) Value() (driver.Value, error) {
	if s.IsZero() {
		return nil, nil
	}
	return s.UnixMicro(), nil
}

func (s stamp) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*s.Time = time.Time{}
	case int64:
		*s.Time = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("a %T is no time", v)
	}
	return nil
}

// document stores what its pointer leads to as JSON, and null as NULL.
type document struct{ to any }

func (d document) Value() (driver.Value, error) {
	b, err := json.Marshal(d.to)
	if err != nil || string(b) == "null" {
		return nil, err
	}
	return string(b), nil
}

func (d document) Scan(v any) error {
	b, err := text(v)
	if err != nil || b == nil {
		return err
	}
	return json.Unmarshal(b, d.to)
}

// verbatim stores JSON as it is.
type verbatim struct{ *json.RawMessage }

func (r verbatim) Value() (driver.Value, error) {
	if *r.RawMessage == nil {
		return nil, nil
	}
	return string(*r.RawMessage), nil
}

func (r verbatim) Scan(v any) error {
	b, err := text(v)
	if b != nil {
		*r.RawMessage = append(json.RawMessage{}, b...) // the driver uses its bytes again
	}
	return err
}

func text(v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(v), nil
	case []byte:
		return v, nil
	}
	return nil, fmt.Errorf("a %T is no text", v)
}
