package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"thbot/cmd/sandbox/world"
	"thbot/handlers"
	"thbot/integrations/fakehttp"
	"thbot/integrations/mysql"
	"thbot/integrations/mysql/mariadbpair"
	"thbot/integrations/slack/fakeslack"
)

// servers are a real primary and its real replica, which all plays share: each
// has a person and a service's account of its own there.
type servers struct {
	*mariadbpair.Pair
	ca string // file
}

// The bot's account on the servers is one of two, by where its ledger is: the
// one that makes accounts itself, or the one that may only call procedures. These
// leave marks on accounts; without one, and without having looked before, the bot
// never knows one again, killed or not.
const (
	direct     = "thbot"
	procedures = "thprocs"
)

// startServers starts them until t is over.
func startServers(t *testing.T) (*servers, error) {
	dir := t.TempDir()
	pair, err := mariadbpair.Start(t.Context(), dir)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := pair.Close(); err != nil {
			t.Error(err)
		}
	})
	script, err := mysql.Procedures("mariadb")
	if err != nil {
		return nil, err
	}
	ca := filepath.Join(dir, "ca.pem")
	return &servers{pair, ca}, errors.Join(pair.SeedDirect(t.Context(), direct, world.DatabasePassword),
		pair.SeedProcedures(t.Context(), script, procedures, world.DatabasePassword), os.WriteFile(ca, pair.Authority.PEM, 0o600))
}

// bea is who is given access; her name, and so that of her account, is the play's own.
const bea = "U0BEA"

func (p *play) account() string { return "ro_bea" + p.own }

// service is the play's own account of a service, and firstPassword its password
// until somebody changes it.
func (p *play) service() string { return "redash_" + p.own }

const firstPassword = "the-password-that-the-service-has"

// useServers lets there be bea and a service, and returns what the
// configuration says of the servers.
func (p *play) useServers(s store, blind bool) (config string, err error) {
	if p.servers, err = s.servers(); err != nil {
		return "", err
	}
	p.Slack.AddPerson(fakeslack.Person{ID: bea, Name: "bea" + p.own, Email: "bea@example.org"})
	root := p.Primary.Root()
	if _, err := root.Exec("CREATE USER ?@'%' IDENTIFIED BY ? REQUIRE SSL", p.service(), firstPassword); err != nil {
		return "", fmt.Errorf("making the account of a service: %w", err)
	}
	user := direct
	if s.name == "mariadb" || blind {
		user = procedures
		if _, err := root.Exec("INSERT INTO thops.services (name) VALUES (?)", p.service()); err != nil {
			return "", fmt.Errorf("naming the account of a service: %w", err)
		}
	}
	return fmt.Sprintf(`databases:
  stage:
    user: %s
    procedures: %t
    primary: {address: "%s", ca: %q, server_name: %s}
    replica: {address: "%s", ca: %[4]q, server_name: %[7]s}
    services: {%s: "ReDash, until its owners have the new password"}
`, user, user == procedures, p.Primary.Address, p.ca, mariadbpair.PrimaryName, p.Replica.Address, mariadbpair.ReplicaName, p.service()), nil
}

// gated puts gates around what is changed on databases.
func gated(gate func(call, moment string)) func(map[string]handlers.Database) map[string]handlers.Database {
	return func(configured map[string]handlers.Database) map[string]handlers.Database {
		all := maps.Clone(configured)
		for name, db := range all {
			db.Primary = gatedServer{db.Primary.(*mysql.Server), "mysql primary ", gate}
			db.Replica = gatedServer{db.Replica.(*mysql.Server), "mysql replica ", gate}
			all[name] = db
		}
		return all
	}
}

// gatedServer has gates where something is changed, and where a password is tried.
type gatedServer struct {
	*mysql.Server
	name string
	gate func(call, moment string)
}

func (s gatedServer) around(call string, do func() error) error {
	s.gate(s.name+call, fakehttp.Arrived)
	err := do()
	s.gate(s.name+call, fakehttp.Done)
	return err
}

func (s gatedServer) Create(ctx context.Context, name, mark string, l mysql.Limits) error {
	return s.around("Create", func() error { return s.Server.Create(ctx, name, mark, l) })
}

func (s gatedServer) Grant(ctx context.Context, name string) error {
	return s.around("Grant", func() error { return s.Server.Grant(ctx, name) })
}

func (s gatedServer) SetPassword(ctx context.Context, name string, p mysql.Password) error {
	return s.around("SetPassword", func() error { return s.Server.SetPassword(ctx, name, p) })
}

func (s gatedServer) Lock(ctx context.Context, name string) error {
	return s.around("Lock", func() error { return s.Server.Lock(ctx, name) })
}

func (s gatedServer) Drop(ctx context.Context, name string) error {
	return s.around("Drop", func() error { return s.Server.Drop(ctx, name) })
}

func (s gatedServer) Kill(ctx context.Context, name string) (ended []mysql.Session, err error) {
	err = s.around("Kill", func() error { ended, err = s.Server.Kill(ctx, name); return err })
	return ended, err
}

func (s gatedServer) Await(ctx context.Context, name string, p mysql.Password, primary mysql.Identity) (id mysql.Identity, err error) {
	err = s.around("Await", func() error { id, err = s.Server.Await(ctx, name, p, primary); return err })
	return id, err
}

func (s gatedServer) ChangePassword(ctx context.Context, name string, p mysql.Password) (kept bool, err error) {
	err = s.around("ChangePassword", func() error { kept, err = s.Server.ChangePassword(ctx, name, p); return err })
	return kept, err
}
