package mysql

import (
	"context"
	"errors"
	"time"
)

// Try logs in to this server, a replica, as the person will who gets the
// password: over TLS, and to the database. It returns an error wrapping
// [ErrNotReplica] unless the server is another one than primary and read-only,
// and one wrapping [ErrNotYet] when it refuses the login, as it does until the
// account, its rights and its password have come there.
func (s *Server) Try(ctx context.Context, name string, p Password, primary Identity) (Identity, error) {
	activity, err := s.about("trying account", name)
	if err != nil {
		return Identity{}, err
	}
	db, err := s.as(Database, func() (string, string) { return name, p.text })
	if err != nil {
		return Identity{}, s.unconnected(activity, err)
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		wrong := s.unconnected(activity, err)
		if wrong.Kind == ErrLogin || wrong.Number == 1044 { // the account is there, its rights are not
			wrong.Kind = ErrNotYet
		}
		return Identity{}, wrong
	}
	defer conn.Close()
	id, err := identify(ctx, conn)
	if err != nil {
		return Identity{}, s.unconnected(activity, err)
	}
	if err := id.doubt(primary); err != nil {
		return Identity{}, &Error{Server: s.config.Name, Activity: activity, Kind: ErrNotReplica, cause: err}
	}
	return id, nil
}

// Await tries until the replica lets the account in, or ctx is over: the error
// then wraps [ErrNotYet] or [ErrUnreachable]. Any other ends it at once.
func (s *Server) Await(ctx context.Context, name string, p Password, primary Identity) (Identity, error) {
	var last error
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		id, err := s.Try(ctx, name, p, primary)
		switch {
		case err == nil:
			return id, nil
		case last != nil && ctx.Err() != nil:
			return Identity{}, last // what the replica said tells more than that the time is over
		case !errors.Is(err, ErrNotYet) && !errors.Is(err, ErrUnreachable):
			return Identity{}, err
		}
		last = err
		select {
		case <-ctx.Done():
			return Identity{}, last
		case <-time.After(wait):
		}
	}
}
