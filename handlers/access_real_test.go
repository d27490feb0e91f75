package handlers

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"thbot/bot"
	"thbot/integrations/mysql"
	"thbot/integrations/mysql/mariadbpair"
)

// staff is a directory without groups.
type staff struct{ phonebook }

func (staff) Group(context.Context, string, time.Duration) ([]string, error) { return nil, errAway }

// TestRealAccess works the steps of access on a real primary and its replica,
// logs in with what the window says, and sees the account gone at the end.
func TestRealAccess(t *testing.T) {
	servers := mariadbpair.ForTest(t)
	if err := servers.SeedDirect(t.Context(), "thbot", "the-bots-own-password"); err != nil {
		t.Fatal(err)
	}
	connect := func(name, address, server string) *mysql.Server {
		s, err := mysql.Open(mysql.Config{Name: name, Address: address, User: "thbot", Password: func() string { return "the-bots-own-password" },
			TLS: mysql.TLS{CA: servers.Authority.PEM, ServerName: server}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	host, port, _ := net.SplitHostPort(servers.Replica.Address)
	db := Database{Name: "stage", Host: host, Port: port, CA: string(servers.Authority.PEM), Longest: 30 * 24 * time.Hour,
		Primary: connect("stage's primary", servers.Primary.Address, mariadbpair.PrimaryName),
		Replica: connect("stage's replica", servers.Replica.Address, mariadbpair.ReplicaName)}
	a := Access{Databases: map[string]Database{"stage": db}, People: staff{phonebook{"U0BEA": someone("U0BEA")}}}
	o := bot.Operation{ID: "01J0000000000000000000BEA0", State: creating}
	d := access{Database: "stage", Account: "ro_bea", For: someone("U0BEA").Person, Length: time.Hour}

	work(t, a, &o, &d, open)
	first := shownPassword(t, a, o, &d)
	login := func(password, state string, want bool) {
		t.Helper()
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM([]byte(db.CA))
		c := driver.NewConfig()
		c.Net, c.Addr, c.User, c.Passwd, c.DBName = "tcp", net.JoinHostPort(db.Host, db.Port), d.Account, password, mysql.Database
		c.TLS = &tls.Config{RootCAs: roots, ServerName: mariadbpair.ReplicaName}
		connector, err := driver.NewConnector(c)
		if err != nil {
			t.Fatal(err)
		}
		client := sql.OpenDB(connector)
		defer client.Close()
		var n int
		err = client.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM django_migrations").Scan(&n)
		if (err == nil) != want {
			t.Fatalf("that the %s password logs in is %v, want %v: %v", state, err == nil, want, err)
		}
	}
	login(first, "first", true)
	second := shownPassword(t, a, o, &d)
	login(first, "first, after a second was shown,", false)
	login(second, "second", true)

	o.State = rotating
	work(t, a, &o, &d, open)
	if err := servers.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	login(second, "second, after rotating,", false)
	third := shownPassword(t, a, o, &d)
	o.State = shutting
	work(t, a, &o, &d, revoked)
	login(third, "third, after revoking,", false)
	if len(d.Unseen) > 0 || len(d.Open) > 0 {
		t.Errorf("sessions: open %v, unseen on %v", d.Open, d.Unseen)
	}
}

// work lets an operation go through its steps as the runner does, until it is
// in a state.
func work(t *testing.T, a Access, o *bot.Operation, d *access, until bot.State) {
	t.Helper()
	ctx, done := context.WithTimeout(t.Context(), 30*time.Second)
	defer done()
	for ; o.State != until; o.Acts = 0 {
		step := a.Steps()[o.State]
		var next bot.Next
		for next.To == "" {
			var err error
			if next, err = step.Look(ctx, *o, d); err != nil {
				t.Fatalf("looking in state %s: %v", o.State, err)
			}
			if next.To == "" {
				o.Acts++
				if err := step.Act(ctx, *o, d); err != nil {
					t.Fatalf("acting in state %s: %v", o.State, err)
				}
			}
		}
		o.State = next.To
	}
}

// shownPassword has a password shown, and returns it.
func shownPassword(t *testing.T, a Access, o bot.Operation, d *access) string {
	t.Helper()
	shown, err := a.Steps()[o.State].Show(t.Context(), o, d, d.For)
	if err != nil {
		t.Fatal(err)
	}
	var says strings.Builder
	for _, p := range shown.Card.Parts {
		says.WriteString(p.Text.String() + "\n")
	}
	if strings.Contains(says.String(), "primary") {
		t.Errorf("the window speaks of the primary:\n%s", says.String())
	}
	found := regexp.MustCompile(`password +([0-9a-f]{60})`).FindStringSubmatch(says.String())
	if found == nil {
		t.Fatalf("no password is shown:\n%s", says.String())
	}
	return found[1]
}
