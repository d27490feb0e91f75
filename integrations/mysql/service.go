package mysql

import (
	"context"
	"fmt"
	"slices"
)

// ChangePassword gives the account of a service, which the configuration has to
// name, another password. kept says that the old one works on, until
// DiscardOldPassword: so it is in MySQL since 8.0.14, and never in MariaDB.
// Sessions that are open stay open.
func (s *Server) ChangePassword(ctx context.Context, name string, p Password) (kept bool, err error) {
	activity, err := s.aboutService("changing the password of service account", name)
	if err != nil {
		return false, err
	}
	err = s.write(ctx, activity, ErrMissing, func(r rights) statement {
		kept = r.KeepsOldPassword()
		return r.changePassword(name, p)
	})
	return kept && err == nil, err
}

// DiscardOldPassword ends what ChangePassword kept. It is of no use where that
// kept nothing.
func (s *Server) DiscardOldPassword(ctx context.Context, name string) error {
	activity, err := s.aboutService("discarding the old password of service account", name)
	if err != nil {
		return err
	}
	return s.write(ctx, activity, ErrMissing, func(r rights) statement { return r.discardOldPassword(name) })
}

// aboutService adds a name to an activity, if the configuration names it.
func (s *Server) aboutService(activity, name string) (string, error) {
	if !slices.Contains(s.config.Services, name) {
		return "", &Error{Server: s.config.Name, Activity: fmt.Sprintf("%s %.40q", activity, name), Kind: ErrNotOurs}
	}
	return activity + " " + name, nil
}
