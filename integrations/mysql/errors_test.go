package mysql

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"thbot/bot"
)

func TestErrors(t *testing.T) {
	s := &Server{config: Config{Name: "stage's primary"}}
	const secret = "5ec7e7"
	for _, tt := range []struct {
		number  uint16
		message string
		meaning error // of 1396
		want    error
		final   bool // a person decides
		nothing bool // was changed
	}{
		{1396, "Operation CREATE USER failed for 'ro_bea'@'%'", ErrExists, ErrExists, true, true},
		{1396, "Operation ALTER USER failed for 'ro_bea'@'%'", ErrMissing, ErrMissing, true, true},
		{1133, "Can't find any matching row in the user table", ErrMissing, ErrMissing, true, true},
		{1410, "You are not allowed to create a user with GRANT", ErrMissing, ErrMissing, true, true},
		{1290, "The MariaDB server is running with the --read-only option so it cannot execute this statement", nil, ErrReadOnly, false, true},
		{1290, "The MySQL server is running with the --super-read-only option so it cannot execute this statement", nil, ErrReadOnly, false, true},
		{1290, "The MariaDB server is running with the --strict-password-validation option so it cannot execute this statement", nil, ErrPolicy, true, true},
		{1290, "The MySQL server is running with the --skip-grant-tables option so it cannot execute this statement", nil, ErrRefused, true, false},
		{1819, "Your password does not satisfy the current policy requirements", nil, ErrPolicy, true, true},
		{1227, "Access denied; you need (at least one of) the CREATE USER privilege(s) for this operation", nil, ErrRights, true, true},
		{1044, "Access denied for user 'thbot'@'%' to database 'treeherder'", nil, ErrRights, true, true},
		{1142, "SELECT command denied to user", nil, ErrRights, true, true},
		{1045, "Access denied for user", nil, ErrLogin, false, true},
		{4151, "Access denied, this account is locked", nil, ErrLocked, true, true},
		{3118, "Access denied for user. Account is locked.", nil, ErrLocked, true, true},
		{1205, "Lock wait timeout exceeded", nil, ErrBusy, false, true},
		{1317, "Query execution was interrupted", nil, ErrUncertain, false, false},
		{1064, "You have an error in your SQL syntax near 'IDENTIFIED BY '" + secret + "''", nil, ErrRefused, true, false},
		{1644, "not a hash of a password: " + secret, nil, ErrNotOurs, true, true},
	} {
		var err error = s.wrong("changing the password of account ro_bea", &mysql.MySQLError{Number: tt.number, Message: tt.message + secret}, tt.meaning)
		if !errors.Is(err, tt.want) {
			t.Errorf("%d (%s) is %v, want %v", tt.number, tt.message, err, tt.want)
		}
		var refused *bot.Refused
		if final := errors.As(err, &refused); final != tt.final {
			t.Errorf("%d (%s) is final: %v, want %v", tt.number, tt.message, final, tt.final)
		}
		if _, again := bot.RetryAfter(err); again == tt.final {
			t.Errorf("%d (%s) can be tried again: %v", tt.number, tt.message, again)
		}
		if got := bot.NotSent(err); got != tt.nothing {
			t.Errorf("%d (%s): certainly nothing was changed: %v, want %v", tt.number, tt.message, got, tt.nothing)
		}
		if bot.Service(err) != "MySQL" {
			t.Errorf("the service is %q", bot.Service(err))
		}
		text := err.Error()
		if refused != nil {
			text += refused.Why
		}
		if strings.Contains(text, secret) || !strings.Contains(text, "ro_bea") || !strings.Contains(text, "stage's primary") {
			t.Errorf("%d reads %s", tt.number, text)
		}
	}
	for _, err := range []error{context.DeadlineExceeded, mysql.ErrInvalidConn} {
		if wrong := s.wrong("x", err, nil); !errors.Is(wrong, ErrUncertain) || bot.NotSent(wrong) || !errors.Is(wrong, err) {
			t.Errorf("%v becomes %v", err, wrong)
		}
		if wrong := s.unconnected("x", err); !errors.Is(wrong, ErrUnreachable) || !bot.NotSent(wrong) {
			t.Errorf("%v before anything was asked becomes %v", err, wrong)
		}
	}
	for kind, core := range map[error]error{ErrExists: bot.ErrTaken, ErrMissing: bot.ErrNotFound} {
		if !errors.Is(kind, core) {
			t.Errorf("%v is not %v", kind, core)
		}
	}
}

func TestRefusalsReadWell(t *testing.T) {
	for want, e := range map[string]*Error{
		"While making account ro_bea on stage's primary: there is such an account already (MySQL's error 1396). Nothing was changed.": {
			Activity: "making account ro_bea", Kind: ErrExists, Number: 1396},
		"While giving rights to account ro_bea on stage's primary: the server refuses it (MySQL's error 1064).": {
			Activity: "giving rights to account ro_bea", Kind: ErrRefused, Number: 1064},
		"While giving rights to account ro_bea on stage's primary: the bot's account lacks a right, or the procedures of `thbot mysql-procedures`" +
			" are not installed (MySQL's error 1044). The account is there, without rights; dropping it again did not work either, so somebody has to.": {
			Activity: "giving rights to account ro_bea", Kind: ErrRights, Number: 1044, Left: true},
		"While giving rights to account ro_bea on stage's primary: the server refuses it (MySQL's error 1064). The account was dropped again.": {
			Activity: "giving rights to account ro_bea", Kind: ErrRefused, Number: 1064, Dropped: true},
	} {
		e.Server = "stage's primary"
		var refused *bot.Refused
		if !errors.As(error(e), &refused) || refused.Why != want {
			t.Errorf("got  %+v\nwant %s", refused, want)
		}
	}
}
