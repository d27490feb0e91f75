package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Limits cap the harm of an account, on each server for itself.
type Limits struct {
	Connections int           // at the same time
	Statement   time.Duration // of one statement; MariaDB alone has it
	Days        int           // until its password expires; 0: the server's rule
}

func (l Limits) check() error {
	if l.Connections < 1 || l.Connections > 1000 || l.Statement < time.Second || l.Statement > 24*time.Hour || l.Days < 0 || l.Days > 3650 {
		return fmt.Errorf("limits of %d connections, %v and %d days are not sensible", l.Connections, l.Statement, l.Days)
	}
	return nil
}

// Account is an account whose name begins with "ro_".
type Account struct {
	Name    string
	Host    string // from where; "%" if the bot made it
	Mark    string // what Create was told; empty: the server keeps none, or somebody else made it
	TLS     bool   // it cannot be used without
	Granted bool   // it may read [Database]
	Locked  bool   // MariaDB tells this to the procedures alone
}

// Account returns the account with a name, or an error wrapping [ErrMissing]
// when there is none.
//
// It is ours if it has the mark that Create was given. MySQL keeps marks since
// 8.0.21, and the procedures keep them for every server. MariaDB and older ones
// do not, where rights are direct: there an account is ours if it appeared after
// the ledger wrote down that it was about to be made.
func (s *Server) Account(ctx context.Context, name string) (Account, error) {
	activity, err := s.about("looking for account", name)
	if err != nil {
		return Account{}, err
	}
	all, err := s.accounts(ctx, activity)
	if err != nil {
		return Account{}, err
	}
	for _, a := range all {
		if a.Name == name && a.Host == "%" {
			return a, nil
		}
	}
	return Account{}, &Error{Server: s.config.Name, Activity: activity, Kind: ErrMissing}
}

// Accounts lists the server's accounts whose names begin with "ro_", from
// wherever they can be used and whoever made them.
func (s *Server) Accounts(ctx context.Context) ([]Account, error) {
	return s.accounts(ctx, "listing the accounts")
}

func (s *Server) accounts(ctx context.Context, activity string) ([]Account, error) {
	return read(ctx, s, activity, rights.accounts, func(rows *sql.Rows) (a Account, err error) {
		var ssl, granted, locked string
		err = rows.Scan(&a.Name, &a.Host, &ssl, &granted, &locked, &a.Mark)
		a.TLS, a.Granted, a.Locked = ssl != "", granted == "Y", locked == "Y"
		return a, err
	})
}

// Create makes an account that has no rights and a password that nobody knows.
// mark, an operation's id, is left on it where the server can keep it. An error
// wrapping [ErrExists] says that there is such an account.
func (s *Server) Create(ctx context.Context, name, mark string, l Limits) error {
	activity, err := s.about("making account", name)
	if err != nil {
		return err
	}
	wrong := l.check()
	if !markText.MatchString(mark) {
		wrong = errors.Join(wrong, fmt.Errorf("%.80q is no mark", mark))
	}
	if wrong != nil {
		return &Error{Server: s.config.Name, Activity: activity, Kind: ErrNotOurs, cause: wrong}
	}
	return s.write(ctx, activity, ErrExists, func(r rights) statement { return r.create(name, mark, l) })
}

// Grant lets an account that Create made read [Database]. If the server refuses
// that, the account is dropped again, and the [Error] says whether that worked.
// After any other error it may be called again.
func (s *Server) Grant(ctx context.Context, name string) error {
	err := s.change(ctx, "giving rights to account", name, func(r rights) statement { return r.grant(name) })
	var refused *Error
	if errors.As(err, &refused) && refused.kind().final && refused.Kind != ErrMissing && refused.Kind != ErrNotOurs {
		// There is no transaction around CREATE USER and GRANT.
		e := s.Drop(ctx, name)
		refused.Dropped = e == nil || errors.Is(e, ErrMissing)
		refused.Left = !refused.Dropped
	}
	return err
}

// SetPassword gives an account another password. Sessions that are open stay open.
func (s *Server) SetPassword(ctx context.Context, name string, p Password) error {
	return s.change(ctx, "changing the password of account", name, func(r rights) statement { return r.password(name, p) })
}

// Lock lets nobody log in to an account any more. Sessions that are open stay open.
func (s *Server) Lock(ctx context.Context, name string) error {
	return s.change(ctx, "locking account", name, func(r rights) statement { return r.lock(name) })
}

// Drop removes an account. An error wrapping [ErrMissing] says that there is
// none. Sessions that are open stay open, here and on the replica: see Kill.
func (s *Server) Drop(ctx context.Context, name string) error {
	return s.change(ctx, "dropping account", name, func(r rights) statement { return r.drop(name) })
}

// change is a write to an account that is there.
func (s *Server) change(ctx context.Context, activity, name string, build func(rights) statement) error {
	activity, err := s.about(activity, name)
	if err != nil {
		return err
	}
	return s.write(ctx, activity, ErrMissing, build)
}

// about adds a name to an activity, if the bot has to do with such a name.
func (s *Server) about(activity, name string) (string, error) {
	if err := CheckName(name); err != nil {
		return "", &Error{Server: s.config.Name, Activity: fmt.Sprintf("%s %.40q", activity, name), Kind: ErrNotOurs, cause: err}
	}
	return activity + " " + name, nil
}
