package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"thbot/handlers"
	"thbot/integrations/mysql"
)

// databases are pairs of servers by their environment's name. They stand in for
// mysql.Server: a bubble cannot wait for what comes from outside of it. What
// real servers do is held against the same interface in TestRealAccess.
type databases map[string]*pair

func (all databases) open(map[string]handlers.Database) map[string]handlers.Database {
	if all == nil {
		return nil
	}
	opened := map[string]handlers.Database{}
	for name, p := range all {
		opened[name] = handlers.Database{Name: name, Primary: side{p, "primary"}, Replica: side{p, "replica"},
			Host: "replica." + name + ".test", Port: "3306", CA: p.ca, Eligible: p.eligible, Longest: p.longest, Services: p.services, Orphans: p.orphans}
	}
	return opened
}

// pair is a primary and its replica.
type pair struct {
	name     string
	ca       string
	eligible []string
	longest  time.Duration
	services map[string]string
	keeps    bool // old passwords of services, as MySQL 8 does
	markless bool // it keeps no marks, as MariaDB does
	orphans  []string

	mu       sync.Mutex
	primary  map[string]dbUser
	replica  map[string]dbUser    // another map only while it lags
	rows     [2][]mysql.Migration // of primary and replica
	lags     bool
	down     bool
	silent   string           // the server of the two that is down
	refusing map[string]error // by method
	stalls   bool             // it changes passwords of services and says nothing
	quicker  string           // an account that somebody makes a moment before we do
	sessions map[string][]mysql.Session
	made     []string // every password that was set
	odd      []string // what no real server would have been asked
}

type dbUser struct {
	mysql.Account
	password string
	old      string
}

func newPair(name string) *pair {
	return &pair{name: name, longest: 90 * 24 * time.Hour, primary: map[string]dbUser{}, refusing: map[string]error{}, sessions: map[string][]mysql.Session{}, services: map[string]string{}}
}

// catchUp lets the replica have all that the primary has.
func (p *pair) catchUp() {
	if !p.lags {
		p.replica = maps.Clone(p.primary)
		p.rows[1] = slices.Clone(p.rows[0])
	}
}

type side struct {
	*pair
	server string
}

func (s side) wrong(doing, name string, kind error) error {
	return &mysql.Error{Server: s.name + "'s " + s.server, Activity: doing + " account " + name, Kind: kind}
}

// read is a question to a server about an account.
func (s side) accounts(method, doing, name string) (map[string]dbUser, error) {
	if s.down || s.silent == s.server {
		return nil, s.wrong(doing, name, mysql.ErrUnreachable)
	}
	if err := s.refusing[method]; err != nil {
		return nil, s.wrong(doing, name, err)
	}
	if s.server == "replica" {
		return s.replica, nil
	}
	return s.primary, nil
}

// write changes an account that is there.
func (s side) write(method, doing, name string, f func(a dbUser) (dbUser, bool)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := mysql.CheckName(name); err != nil {
		s.odd = append(s.odd, fmt.Sprint(doing, " ", name, ": ", err))
	}
	all, err := s.accounts(method, doing, name)
	if err != nil {
		return err
	}
	if s.server != "primary" {
		s.odd = append(s.odd, doing+" an account on a replica")
		return s.wrong(doing, name, mysql.ErrReadOnly)
	}
	a, ok := all[name]
	if !ok {
		return s.wrong(doing, name, mysql.ErrMissing)
	}
	if a, ok = f(a); ok {
		all[name] = a
	} else {
		delete(all, name)
	}
	s.catchUp()
	return nil
}

func (s side) Identity(context.Context) (mysql.Identity, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.accounts("Identity", "looking", "")
	if s.server == "replica" {
		return mysql.Identity{ID: 2, ReadOnly: true}, err
	}
	if s.keeps {
		return mysql.Identity{ID: 1, Version: "8.0.36-google"}, err
	}
	return mysql.Identity{ID: 1}, err
}

func (s side) Account(_ context.Context, name string) (mysql.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := s.accounts("Account", "looking for", name)
	if err != nil {
		return mysql.Account{}, err
	}
	a, ok := all[name]
	if !ok {
		return mysql.Account{}, s.wrong("looking for", name, mysql.ErrMissing)
	}
	return a.Account, nil
}

func (s side) Accounts(context.Context) (found []mysql.Account, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := s.accounts("Accounts", "listing the", "")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name].Host != "" {
			found = append(found, all[name].Account)
		}
	}
	return found, err
}

func (s side) Create(_ context.Context, name, mark string, _ mysql.Limits) error {
	s.mu.Lock()
	if _, ok := s.primary[name]; s.server == "primary" && !ok && s.refusing["Create"] == nil && !s.down {
		if s.markless {
			mark = ""
		}
		if s.quicker == name {
			mark = "somebody's"
		}
		s.primary[name] = dbUser{Account: mysql.Account{Name: name, Host: "%", Mark: mark, TLS: true}}
		s.catchUp()
		if s.quicker != name {
			s.mu.Unlock()
			return nil
		}
	}
	defer s.mu.Unlock()
	if _, err := s.accounts("Create", "making", name); err != nil {
		return err
	}
	return s.wrong("making", name, mysql.ErrExists)
}

func (s side) Grant(_ context.Context, name string) error {
	return s.write("Grant", "giving rights to", name, func(a dbUser) (dbUser, bool) { a.Granted = true; return a, true })
}

func (s side) SetPassword(_ context.Context, name string, p mysql.Password) error {
	return s.write("SetPassword", "changing the password of", name, func(a dbUser) (dbUser, bool) {
		s.made = append(s.made, p.Reveal())
		a.password = p.Reveal()
		return a, true
	})
}

func (s side) Lock(_ context.Context, name string) error {
	return s.write("Lock", "locking", name, func(a dbUser) (dbUser, bool) { a.Locked = true; return a, true })
}

func (s side) Drop(_ context.Context, name string) error {
	return s.write("Drop", "dropping", name, func(a dbUser) (dbUser, bool) { return a, false })
}

func (s side) Sessions(_ context.Context, name string) ([]mysql.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.accounts("Sessions", "listing the sessions of", name)
	if err != nil || s.server == "primary" {
		return nil, err
	}
	return s.sessions[name], nil
}

func (s side) Kill(_ context.Context, name string) ([]mysql.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.accounts("Kill", "ending the sessions of", name)
	if err != nil || s.server == "primary" {
		return nil, err
	}
	ended := s.sessions[name]
	delete(s.sessions, name)
	return ended, nil
}

func (s side) Await(ctx context.Context, name string, p mysql.Password, primary mysql.Identity) (mysql.Identity, error) {
	for {
		s.mu.Lock()
		all, err := s.accounts("Await", "trying", name)
		a := all[name]
		if s.server == "primary" || primary.ID != 1 {
			s.odd = append(s.odd, "a password was tried at the primary")
		}
		s.mu.Unlock()
		if err == nil && a.Granted && !a.Locked && a.password == p.Reveal() {
			return mysql.Identity{ID: 2, ReadOnly: true}, nil
		}
		if err != nil && !errors.Is(err, mysql.ErrUnreachable) {
			return mysql.Identity{}, err
		}
		select {
		case <-ctx.Done():
			return mysql.Identity{}, s.wrong("trying", name, mysql.ErrNotYet)
		case <-time.After(time.Second):
		}
	}
}

func (s side) ChangePassword(ctx context.Context, name string, p mysql.Password) (bool, error) {
	if s.services[name] == "" {
		return false, s.wrong("changing the password of service", name, mysql.ErrNotOurs)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := s.accounts("ChangePassword", "changing the password of service", name)
	if err != nil {
		return false, err
	}
	a, ok := all[name]
	if !ok || s.server != "primary" {
		return false, s.wrong("changing the password of service", name, mysql.ErrMissing)
	}
	s.made = append(s.made, p.Reveal())
	a.password, a.old = p.Reveal(), ""
	if s.keeps {
		a.old = all[name].password
	}
	all[name] = a
	s.catchUp()
	if s.stalls {
		s.mu.Unlock()
		<-ctx.Done()
		s.mu.Lock()
		return false, s.wrong("changing the password of service", name, mysql.ErrUncertain)
	}
	return s.keeps, nil
}

func (s side) DiscardOldPassword(_ context.Context, name string) error {
	if s.services[name] == "" {
		return s.wrong("discarding the old password of service", name, mysql.ErrNotOurs)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := s.accounts("DiscardOldPassword", "discarding the old password of service", name)
	if err != nil {
		return err
	}
	a := all[name]
	a.old = ""
	all[name] = a
	return nil
}

func (s side) Applied(context.Context) ([]mysql.Migration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.accounts("Applied", "", ""); err != nil {
		var wrong *mysql.Error
		if errors.As(err, &wrong) {
			wrong.Activity = "reading which migrations the database has"
		}
		return nil, err
	}
	if s.server == "primary" {
		return slices.Clone(s.rows[0]), nil
	}
	return slices.Clone(s.rows[1]), nil
}
