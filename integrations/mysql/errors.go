package mysql

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"thbot/bot"
)

// What can be wrong. Every error of a [Server] is an [*Error] and wraps one of
// these. ErrExists is also a bot.ErrTaken and ErrMissing a bot.ErrNotFound.
var (
	ErrExists      error = &kind{says: "there is such an account already", unsent: true, final: true, core: bot.ErrTaken}
	ErrMissing     error = &kind{says: "there is no such account or table", unsent: true, final: true, core: bot.ErrNotFound}
	ErrPolicy      error = &kind{says: "the server's rules for passwords refuse one of 60 hexadecimal digits, or its hash", unsent: true, final: true}
	ErrRights      error = &kind{says: "the bot's account lacks a right, or the procedures of `thbot mysql-procedures` are not installed", unsent: true, final: true}
	ErrNotOurs     error = &kind{says: "this is no account, mark or limit that the bot may set", unsent: true, final: true}
	ErrLocked      error = &kind{says: "the account is locked", unsent: true, final: true}
	ErrUntrusted   error = &kind{says: "the server does not prove who it is", unsent: true, final: true}
	ErrNotReplica  error = &kind{says: "what should be the replica is not one that can only be read", final: true}
	ErrReadOnly    error = &kind{says: "the server is read-only", unsent: true}
	ErrLogin       error = &kind{says: "the server refuses the login", unsent: true}
	ErrUnreachable error = &kind{says: "the server cannot be reached", unsent: true}
	ErrRefused     error = &kind{says: "the server refuses it", final: true}
	ErrBusy        error = &kind{says: "something else on the server is in the way", unsent: true}
	// ErrNotYet says that a replica does not let the account in yet.
	ErrNotYet error = &kind{says: "the replica does not know it yet"}
	// ErrUncertain says that it may have happened or not: look.
	ErrUncertain error = &kind{says: "there was no usable answer, so it may have happened"}
)

type kind struct {
	says   string
	unsent bool // certainly nothing was changed
	final  bool // trying again cannot help
	core   error
}

func (k *kind) Error() string { return k.says }
func (k *kind) Unwrap() error { return k.core }

// numbers are the errors of servers that mean the same whatever was asked.
var numbers = map[uint16]error{
	1021: ErrUncertain,   // the disk is full
	1026: ErrUncertain,   // writing a file
	1030: ErrUncertain,   // of a storage engine
	1040: ErrUnreachable, // too many connections
	1042: ErrUnreachable,
	1044: ErrRights, // no access to a database
	1045: ErrLogin,
	1053: ErrUncertain, // it is shutting down
	1095: ErrRights,    // not the owner of a session
	1105: ErrUncertain, // unknown to the server itself
	1129: ErrLogin,     // the client's host is blocked
	1130: ErrLogin,     // the client's host is not allowed
	1133: ErrMissing,   // GRANT to an account that is missing: MariaDB, MySQL 5.7
	1142: ErrRights,    // a table
	1143: ErrRights,    // a column
	1146: ErrMissing,   // no such table
	1180: ErrUncertain, // while committing
	1203: ErrUnreachable,
	1205: ErrBusy, // waited for a lock
	1213: ErrBusy,
	1226: ErrUnreachable, // too many connections of this account
	1227: ErrRights,      // a global right
	1305: ErrRights,      // no such procedure
	1317: ErrUncertain,   // interrupted
	1370: ErrRights,      // a procedure may not be called
	1372: ErrPolicy,      // not a hash
	1410: ErrMissing,     // GRANT to an account that is missing: MySQL 8
	1644: ErrNotOurs,     // the procedures' own refusal
	1698: ErrLogin,
	1819: ErrPolicy,
	1820: ErrLogin, // its password has expired
	1836: ErrReadOnly,
	1862: ErrLogin,     // the same
	1927: ErrUncertain, // the connection was killed
	1969: ErrUncertain, // it took too long: MariaDB
	3024: ErrUncertain, // the same: MySQL
	3118: ErrLocked,    // MySQL
	3894: ErrPolicy,    // the old password cannot stay when the plugin changes
	4151: ErrLocked,    // MariaDB
}

// Numbers that mean different things.
const (
	erOption     = 1290 // an option of the server is in the way
	erCannotUser = 1396 // there is an account, or none
	erNoSession  = 1094
)

// Error is what went wrong. It satisfies the error interfaces of package bot,
// and is a *bot.Refused if trying again cannot help.
type Error struct {
	Server   string // "stage's primary"
	Activity string // "making account ro_bea"
	Kind     error  // one of those above
	Number   uint16 // of the server's own error; 0: it had none
	// Dropped says that an account whose rights could not be given was dropped
	// again, and Left that even that did not work.
	Dropped, Left bool
	cause         error // never one of the server's
	unsent        bool
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %v", e.Server, e.Activity, e.Kind)
	if e.Number != 0 {
		fmt.Fprintf(&b, " (error %d)", e.Number)
	}
	if e.cause != nil {
		fmt.Fprintf(&b, ": %v", e.cause)
	}
	switch {
	case e.Dropped:
		b.WriteString("; the account was dropped again")
	case e.Left:
		b.WriteString("; the account is still there, without rights: dropping it again did not work either")
	}
	return b.String()
}

func (e *Error) Unwrap() []error {
	all := []error{e.Kind}
	if e.cause != nil {
		all = append(all, e.cause)
	}
	if e.kind().final {
		all = append(all, &bot.Refused{Why: e.why()})
	}
	return all
}

// why is the error in words for people.
func (e *Error) why() string {
	number, rest := "", "Nothing was changed."
	if e.Number != 0 {
		number = fmt.Sprintf(" (MySQL's error %d)", e.Number)
	}
	switch {
	case e.Dropped:
		rest = "The account was dropped again."
	case e.Left:
		rest = "The account is there, without rights; dropping it again did not work either, so somebody has to."
	case !e.NotSent():
		rest = ""
	}
	return strings.TrimSpace(fmt.Sprintf("While %s on %s: %v%s. %s", e.Activity, e.Server, e.Kind, number, rest))
}

func (e *Error) kind() kind {
	if k, ok := e.Kind.(*kind); ok {
		return *k
	}
	return kind{}
}

// Service is the name of the system.
func (e *Error) Service() string { return "MySQL" }

// Retryable says whether trying again can help. The server does not say when.
func (e *Error) Retryable() (time.Duration, bool) { return 0, !e.kind().final }

// NotSent reports whether certainly nothing was changed.
func (e *Error) NotSent() bool { return !e.Dropped && !e.Left && (e.unsent || e.kind().unsent) }

// wrong says what became of a statement that err was returned for. number1396
// is what that number means here.
func (s *Server) wrong(activity string, err, number1396 error) *Error {
	e := &Error{Server: s.config.Name, Activity: activity, Kind: ErrUncertain}
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	var said *mysql.MySQLError
	if !errors.As(err, &said) {
		e.cause = err // the network's, the driver's or the context's: they know no statements
		return e
	}
	// The server's own words stay here: those of error 1064 repeat the
	// statement, with the password that is in it.
	e.Number, e.Kind = said.Number, ErrRefused
	switch {
	case said.Number == erCannotUser && number1396 != nil:
		e.Kind = number1396
	case said.Number == erOption && strings.Contains(said.Message, "read-only"),
		said.Number == erOption && strings.Contains(said.Message, "read_only"):
		e.Kind = ErrReadOnly
	case said.Number == erOption && strings.Contains(said.Message, "strict-password-validation"):
		e.Kind = ErrPolicy
	case numbers[said.Number] != nil:
		e.Kind = numbers[said.Number]
	}
	return e
}

// unconnected is wrong where there was no connection yet.
func (s *Server) unconnected(activity string, err error) *Error {
	e := s.wrong(activity, err, nil)
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &untrusted), errors.Is(err, errInstance), errors.Is(err, mysql.ErrNoTLS):
		e.Kind = ErrUntrusted
	case e.Kind == ErrUncertain || e.Kind == ErrRefused:
		e.Kind = ErrUnreachable
	}
	return e
}
