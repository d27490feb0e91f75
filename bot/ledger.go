package bot

import (
	"context"
	"time"
)

// Ledger is the bot's own store. What it accepted survives the process.
type Ledger interface {
	// Do runs f in one transaction, which is durable when Do returns nil and
	// has not happened when it returns an error, unless that error wraps
	// neither f's nor one of this package's: then it may have. f may run more
	// than once, so it must have no effect but through tx.
	Do(ctx context.Context, f func(tx Tx) error) error
	// View runs f on one consistent state.
	View(ctx context.Context, f func(v View) error) error
}

// View reads. Now is the ledger's clock, the same one for all replicas, and
// every time in a row is of it, in UTC with microseconds.
type View interface {
	Now() time.Time
	// Operation, Message and Received return an error wrapping ErrNotFound.
	Operation(id string) (Operation, error)
	Message(key string) (Message, error)
	Received(key string) (Received, error)
	// Holder is the id of the operation that holds scope, or "". In a Tx
	// nobody else takes or releases the scope before that is over.
	Holder(scope string) (string, error)
	// Holders are the scopes that begin with prefix and are held, in order.
	// In a Tx it does not keep others from taking further ones.
	Holders(prefix string) ([]Held, error)
	// History are operations that a query matches, the newest first.
	History(q History) ([]Operation, error)
	// The Due queries return rows whose Due is not zero, soonest first, at
	// most limit of them, also those whose time has not come: the first of
	// these says how long to sleep. Messages come as at most limit that are
	// due, the most urgent class first, and then at most limit others, those
	// that somebody has claimed first. Operations of kinds that are not among
	// kinds are left alone: a newer binary made them.
	DueReceived(limit int) ([]Received, error)
	DueOperations(kinds []string, limit int) ([]Operation, error)
	DueMessages(limit int) ([]Message, error)
	// Overdue counts the messages that were made before then and have not been
	// sent, though they still can be.
	Overdue(before time.Time) (int, error)
	// Dead are messages made after then that cannot be delivered, oldest first.
	Dead(after time.Time, limit int) ([]Message, error)
	// Events are an operation's audit trail, oldest first.
	Events(operation string) ([]Event, error)
}

// Held is a scope and the operation that holds it.
type Held struct{ Scope, Operation string }

// History is a query. Its zero fields match everything.
type History struct {
	Kinds  []string
	About  string
	Person string // id of who asked, or decided
	Before time.Time
	Limit  int
}

// Tx reads what it may then write; nobody else changes it in between.
type Tx interface {
	View
	// AddReceived, AddOperation and AddMessage return an error wrapping
	// ErrTaken, and change nothing, when the key (of an operation: the ID or
	// the Ref) is known already.
	AddReceived(Received) error
	AddOperation(Operation) error
	AddMessage(Message) error
	// The Save methods write the whole row if its Version is still the one
	// given, and count it up; else they return an error wrapping ErrMoved.
	SaveReceived(Received) error
	SaveOperation(Operation) error
	SaveMessage(Message) error
	// Hold gives scope to an operation. If another has it, nothing is changed
	// and its id is returned; "" means that operation holds it now.
	Hold(scope, operation string) (other string, err error)
	// Release takes from an operation the scope, or with "" all it holds.
	Release(operation, scope string) error
	AddEvent(Event) error
}
