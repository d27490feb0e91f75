package mysql

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Session is a connection that somebody has to a server.
type Session struct {
	ID       uint64
	Client   string // its address
	Database string
	Command  string        // "Query", "Sleep"
	For      time.Duration // how long it has been at that
}

// Sessions lists the open sessions of an account on this server. The account
// may be gone: sessions survive that.
func (s *Server) Sessions(ctx context.Context, name string) ([]Session, error) {
	activity, err := s.about("listing the sessions of account", name)
	if err != nil {
		return nil, err
	}
	conn, err := s.session(ctx, activity)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return s.sessions(ctx, conn, activity, name)
}

func (s *Server) sessions(ctx context.Context, conn session, activity, name string) ([]Session, error) {
	if !s.config.Procedures {
		// Without the right PROCESS the list has one's own sessions alone, and
		// says nothing of it. This table refuses (error 1227).
		var n int
		err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.innodb_trx").Scan(&n)
		if err != nil {
			return nil, s.wrong(activity, err, nil)
		}
	}
	return query(ctx, s, conn, activity, conn.rights.sessions(name), func(rows *sql.Rows) (one Session, err error) {
		var seconds int64
		err = rows.Scan(&one.ID, &one.Client, &one.Database, &one.Command, &seconds)
		one.For = time.Duration(seconds) * time.Second
		return one, err
	})
}

// Kill ends the open sessions of an account on this server, and returns them.
// Lock or drop the account before, on the primary: else it comes back.
func (s *Server) Kill(ctx context.Context, name string) ([]Session, error) {
	activity, err := s.about("ending the sessions of account", name)
	if err != nil {
		return nil, err
	}
	conn, err := s.session(ctx, activity)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	open, err := s.sessions(ctx, conn, activity, name)
	if err != nil {
		return nil, err
	}
	for _, one := range open {
		st := conn.rights.kill(name, one.ID)
		_, err := conn.ExecContext(ctx, st.text, st.values()...)
		var said *mysql.MySQLError
		if errors.As(err, &said) && said.Number == erNoSession {
			continue // it has ended by itself
		}
		if err != nil {
			return nil, s.wrong(activity, err, nil)
		}
	}
	return open, nil
}
