package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"thbot/bot"
	"thbot/integrations/mysql/mariadbpair"
)

// scene is a real primary and a real replica, and the bot at both, with one of
// the two sorts of rights.
type scene struct {
	*mariadbpair.Pair
	user             string // the bot's account
	primary, replica *Server
	id               Identity // the primary's
}

const botPassword = "the-bots-own-password"

var limits = Limits{Connections: 5, Statement: time.Minute, Days: 90}

// TestPair runs all that needs servers, on one pair of them.
func TestPair(t *testing.T) {
	pair := mariadbpair.ForTest(t)
	script, err := Procedures("mariadb")
	if err != nil {
		t.Fatal(err)
	}
	if err := pair.SeedDirect(t.Context(), "thbot", botPassword); err != nil {
		t.Fatal(err)
	}
	if err := pair.SeedProcedures(t.Context(), script, "thprocs", botPassword); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"thbot", "thprocs"} {
		for name, run := range map[string]func(t *testing.T, s *scene){
			"an account's life":                testLife,
			"another one's account":            testTaken,
			"a missing account":                testMissing,
			"hostile names":                    testHostile,
			"lag":                              testLag,
			"a primary that is read-only":      testReadOnly,
			"the primary is given for replica": testNotReplica,
			"open sessions":                    testSessions,
			"rules for passwords":              testPolicy,
			"migrations":                       testMigrations,
			"service accounts":                 testService,
			"what is in the logs":              testLogs,
			"no answer":                        testUncertain,
			"the bot's password":               testOwnPassword,
			"certificates":                     testCertificates,
		} {
			t.Run(user+"/"+name, func(t *testing.T) { run(t, newScene(t, pair, user)) })
		}
	}
	for name, run := range map[string]func(t *testing.T, s *scene){
		"rights that are missing":   testRights,
		"a replica that is at risk": testPowerful,
		"a backup is in the way":    testBusy,
		"literals":                  testLiterals,
	} {
		t.Run(name, func(t *testing.T) { run(t, newScene(t, pair, "thbot")) })
	}
	t.Run("procedures only", func(t *testing.T) { testProceduresOnly(t, newScene(t, pair, "thprocs")) })
}

func newScene(t *testing.T, pair *mariadbpair.Pair, user string) *scene {
	s := &scene{Pair: pair, user: user}
	s.primary, s.replica = s.open(t, s.config(pair.Primary)), s.open(t, s.config(pair.Replica))
	var err error
	if s.id, err = s.primary.Identity(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *scene) config(n *mariadbpair.Node) Config {
	c := Config{Name: "the replica", Address: n.Address, User: s.user, Password: func() string { return botPassword },
		Procedures: s.user == "thprocs", Services: []string{"th_admin", "redash"},
		TLS: TLS{CA: s.Authority.PEM, ServerName: mariadbpair.ReplicaName}}
	if n == s.Primary {
		c.Name, c.TLS.ServerName = "the primary", mariadbpair.PrimaryName
	}
	return c
}

func (s *scene) open(t *testing.T, c Config) *Server {
	t.Helper()
	server, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server
}

// do fails the test by an error.
func do(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// granted makes an account that can be used, and drops it after the test.
func (s *scene) granted(t *testing.T, name string) Password {
	t.Helper()
	p := NewPassword()
	do(t, s.primary.Create(t.Context(), name, "01J", limits), s.primary.Grant(t.Context(), name), s.primary.SetPassword(t.Context(), name, p))
	t.Cleanup(func() {
		if err := s.primary.Drop(context.Background(), name); err != nil && !errors.Is(err, ErrMissing) {
			t.Error(err)
		}
	})
	return p
}

// await awaits an account on a server that should have it soon.
func (s *scene) await(t *testing.T, server *Server, name string, p Password) (Identity, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return server.Await(ctx, name, p, s.id)
}

// count asks the administrator for a number.
func count(t *testing.T, n *mariadbpair.Node, query string, args ...any) (number int) {
	t.Helper()
	if err := n.Root().QueryRowContext(t.Context(), query, args...).Scan(&number); err != nil {
		t.Fatal(err)
	}
	return number
}

// wants fails the test unless err is of a kind, and says nothing of passwords.
func wants(t *testing.T, err, kind error, secrets ...Password) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("got %v, want: %v", err, kind)
		return
	}
	for _, p := range secrets {
		if strings.Contains(fmt.Sprintf("%+v %#v", err, err), p.text) || strings.Contains(err.Error(), p.native()) {
			t.Errorf("an error tells a secret: %v", err)
		}
	}
	if strings.Contains(err.Error(), botPassword) {
		t.Errorf("an error tells the bot's password: %v", err)
	}
}

func testLife(t *testing.T, s *scene) {
	ctx := t.Context()
	if _, err := s.primary.Account(ctx, "ro_bea"); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("before it is made: %v", err)
	}
	do(t, s.primary.Create(ctx, "ro_bea", "01JOPERATION", limits))
	t.Cleanup(func() { _ = s.primary.Drop(context.Background(), "ro_bea") }) // if it fails in between
	want := Account{Name: "ro_bea", Host: "%", TLS: true}
	if s.user == "thprocs" {
		want.Mark = "01JOPERATION"
	}
	is := func() {
		t.Helper()
		got, err := s.primary.Account(ctx, "ro_bea")
		if err != nil || got != want {
			t.Errorf("it is %+v, want %+v; %v", got, want, err)
		}
	}
	is()
	var made string
	do(t, s.Primary.Root().QueryRowContext(ctx, "SHOW CREATE USER 'ro_bea'@'%'").Scan(&made))
	for _, limit := range []string{"REQUIRE SSL", "MAX_USER_CONNECTIONS 5", "MAX_STATEMENT_TIME 60", "PASSWORD EXPIRE INTERVAL 90 DAY"} {
		if !strings.Contains(made, limit) {
			t.Errorf("it is made without %s", limit)
		}
	}

	do(t, s.primary.Grant(ctx, "ro_bea"), s.primary.Grant(ctx, "ro_bea")) // a second time does no harm
	want.Granted = true
	is()

	old, fresh := NewPassword(), NewPassword()
	do(t, s.primary.SetPassword(ctx, "ro_bea", old))
	id, err := s.await(t, s.replica, "ro_bea", old)
	if err != nil || id.ID == s.id.ID || !id.ReadOnly {
		t.Fatalf("the replica is %+v; %v", id, err)
	}
	db, err := s.Replica.Open("ro_bea", old.text)
	do(t, err)
	defer db.Close()
	var repositories int
	if err := db.QueryRow("SELECT COUNT(*) FROM treeherder.repository").Scan(&repositories); err != nil || repositories != 3 {
		t.Errorf("it reads %d repositories, want 3; %v", repositories, err)
	}
	if _, err := db.Exec("DELETE FROM treeherder.repository"); err == nil {
		t.Error("it may delete")
	}
	plain, err := s.Replica.OpenPlain("ro_bea", old.text)
	do(t, err)
	defer plain.Close()
	if plain.Ping() == nil {
		t.Error("it may log in without TLS")
	}

	do(t, s.primary.SetPassword(ctx, "ro_bea", fresh))
	if _, err := s.await(t, s.replica, "ro_bea", fresh); err != nil {
		t.Error(err)
	}
	_, err = s.replica.Try(ctx, "ro_bea", old, s.id)
	wants(t, err, ErrNotYet, old, fresh)

	do(t, s.primary.Lock(ctx, "ro_bea"), s.CatchUp(ctx))
	_, err = s.replica.Try(ctx, "ro_bea", fresh, s.id)
	wants(t, err, ErrLocked, fresh)
	want.Locked = s.user == "thprocs"
	is()

	do(t, s.primary.Drop(ctx, "ro_bea"), s.CatchUp(ctx))
	wants(t, s.primary.Drop(ctx, "ro_bea"), bot.ErrNotFound)
	for _, server := range []*Server{s.primary, s.replica} {
		if all, err := server.Accounts(ctx); err != nil || len(all) != 0 {
			t.Errorf("there are %+v; %v", all, err)
		}
	}
}

func testTaken(t *testing.T, s *scene) {
	ctx := t.Context()
	do(t, s.Primary.Run(ctx, "CREATE USER 'ro_old'@'%' IDENTIFIED BY 'somebodys';\nCREATE USER 'ro_old'@'10.%';\nCREATE USER 'rosa'@'%';\n"))
	defer s.Primary.Run(context.Background(), "DROP USER 'ro_old'@'%';\nDROP USER 'ro_old'@'10.%';\nDROP USER 'rosa'@'%';\n")
	err := s.primary.Create(ctx, "ro_old", "01J", limits)
	wants(t, err, bot.ErrTaken)
	wants(t, err, ErrExists)
	var refused *bot.Refused
	if !errors.As(err, &refused) || !bot.NotSent(err) {
		t.Errorf("it is no refusal: %v", err)
	}
	if a, err := s.primary.Account(ctx, "ro_old"); err != nil || a.TLS || a.Granted || a.Mark != "" {
		t.Errorf("it is %+v; %v", a, err)
	}
	if all, err := s.primary.Accounts(ctx); err != nil || len(all) != 2 || all[0].Host == all[1].Host {
		t.Errorf("there are %+v; %v", all, err)
	}
	db, err := s.Primary.Open("ro_old", "somebodys")
	do(t, err)
	defer db.Close()
	if err := db.Ping(); err != nil {
		t.Errorf("its password was changed: %v", err)
	}
}

func testMissing(t *testing.T, s *scene) {
	ctx, p := t.Context(), NewPassword()
	before := count(t, s.Primary, "SELECT COUNT(*) FROM mysql.user")
	for what, err := range map[string]error{
		"set":   s.primary.SetPassword(ctx, "ro_nobody", p),
		"lock":  s.primary.Lock(ctx, "ro_nobody"),
		"drop":  s.primary.Drop(ctx, "ro_nobody"),
		"grant": s.primary.Grant(ctx, "ro_nobody"),
	} {
		t.Run(what, func(t *testing.T) { wants(t, err, ErrMissing, p) })
	}
	if after := count(t, s.Primary, "SELECT COUNT(*) FROM mysql.user"); after != before {
		t.Errorf("there were %d accounts, and now there are %d", before, after)
	}
}

func testHostile(t *testing.T, s *scene) {
	ctx, p := t.Context(), NewPassword()
	do(t, s.CatchUp(ctx))
	before := count(t, s.Primary, "SELECT COUNT(*) FROM mysql.user")
	log, err := s.Primary.Logs(ctx)
	do(t, err)
	for _, name := range hostile {
		_, looked := s.primary.Account(ctx, name)
		_, listed := s.primary.Sessions(ctx, name)
		_, killed := s.primary.Kill(ctx, name)
		_, tried := s.replica.Try(ctx, name, p, s.id)
		_, changed := s.primary.ChangePassword(ctx, name, p)
		for _, err := range []error{
			s.primary.Create(ctx, name, "01J", limits), s.primary.Grant(ctx, name), s.primary.SetPassword(ctx, name, p),
			s.primary.Lock(ctx, name), s.primary.Drop(ctx, name), looked, listed, killed, tried, changed,
			s.primary.DiscardOldPassword(ctx, name),
		} {
			wants(t, err, ErrNotOurs, p)
		}
	}
	for _, mark := range []string{"", "it's", "a b", strings.Repeat("a", 65)} {
		wants(t, s.primary.Create(ctx, "ro_bea", mark, limits), ErrNotOurs)
	}
	for _, l := range []Limits{{}, {0, time.Minute, 1}, {1, 0, 1}, {1, time.Minute, -1}, {1001, time.Minute, 1}, {1, 48 * time.Hour, 1}} {
		wants(t, s.primary.Create(ctx, "ro_bea", "01J", l), ErrNotOurs)
	}
	if after := count(t, s.Primary, "SELECT COUNT(*) FROM mysql.user"); after != before {
		t.Errorf("there were %d accounts, and now there are %d", before, after)
	}
	now, err := s.Primary.Logs(ctx)
	do(t, err)
	if strings.Contains(string(now[len(log):]), s.user+"@") {
		t.Error("the server was asked")
	}
}

func testMigrations(t *testing.T, s *scene) {
	ctx := t.Context()
	at := time.Date(2022, 3, 1, 9, 30, 0, 123456000, time.UTC)
	names := []string{"0001_initial", "0016_enforce repository name uniqueness", "0001_initial"}
	for i, name := range names {
		do(t, s.Migrate(ctx, "model", name, at.Add(time.Duration(i)*time.Second)))
	}
	defer s.Primary.Run(context.Background(), "TRUNCATE treeherder.django_migrations;\n")
	do(t, s.CatchUp(ctx))
	for _, server := range []*Server{s.primary, s.replica} {
		got, err := server.Applied(ctx)
		if err != nil || len(got) != len(names) {
			t.Fatalf("applied are %+v; %v", got, err)
		}
		for i, m := range got {
			if m.App != "model" || m.Name != names[i] || !m.Applied.Equal(at.Add(time.Duration(i)*time.Second)) || m.ID != int64(i)+got[0].ID {
				t.Errorf("%d is %+v", i, m)
			}
		}
	}
	do(t, s.Primary.Run(ctx, "RENAME TABLE treeherder.django_migrations TO treeherder.away;\n"))
	_, err := s.primary.Applied(ctx)
	do(t, s.Primary.Run(ctx, "RENAME TABLE treeherder.away TO treeherder.django_migrations;\n"))
	if s.user == "thbot" { // who may see that it is missing
		wants(t, err, ErrMissing)
	} else if err == nil {
		t.Error("a missing table was read")
	}
}

// testLiterals deletes rows whose names nobody should type as people are told to,
// however the server reads strings: just those rows go.
func testLiterals(t *testing.T, s *scene) {
	ctx := t.Context()
	names := append(hostileText, "0001_initial", "0001_Initial", "0001_initial ")
	defer s.Primary.Run(context.Background(), "TRUNCATE treeherder.django_migrations;\n")
	for _, mode := range []string{"", "NO_ENGINE_SUBSTITUTION,STRICT_ALL_TABLES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES", "ANSI"} {
		c, err := s.Primary.Root().Conn(ctx)
		do(t, err)
		defer c.Close()
		for _, name := range names {
			do(t, s.Migrate(ctx, "model", name, time.Now()))
		}
		_, err = c.ExecContext(ctx, "SET SESSION sql_mode = ?", mode)
		do(t, err)
		rows, err := s.primary.Applied(ctx)
		do(t, err)
		if len(rows) != len(names) {
			t.Fatalf("%d rows of %d names", len(rows), len(names))
		}
		for i, r := range rows {
			if r.Name != names[i] {
				t.Errorf("%q was read as %q", names[i], r.Name)
			}
			where := " FROM treeherder.django_migrations WHERE app = " + Literal(r.App) + " AND name = " + Literal(r.Name)
			var found string // without the id, the name alone decides; it may be another one only by spaces at its end (PAD SPACE)
			if err := c.QueryRowContext(ctx, "SELECT name"+where).Scan(&found); err != nil || strings.TrimRight(found, " ") != strings.TrimRight(r.Name, " ") {
				t.Errorf("with sql_mode %q, %s finds %q: %v", mode, Literal(r.Name), found, err)
			}
			done, err := c.ExecContext(ctx, fmt.Sprintf("DELETE%s AND id = %d;", where, r.ID))
			do(t, err)
			if n, _ := done.RowsAffected(); n != 1 {
				t.Errorf("with sql_mode %q, %d rows of %s are deleted", mode, n, Literal(r.Name))
			}
		}
	}
}

func testService(t *testing.T, s *scene) {
	ctx, p := t.Context(), NewPassword()
	do(t, s.Primary.Run(ctx, "CREATE USER 'redash'@'%' IDENTIFIED BY 'old' REQUIRE SSL;\nCREATE USER 'other'@'%' IDENTIFIED BY 'old';\n"))
	defer s.Primary.Run(context.Background(), "DROP USER 'redash'@'%';\nDROP USER 'other'@'%';\n")
	_, err := s.primary.ChangePassword(ctx, "other", p)
	wants(t, err, ErrNotOurs, p)
	if s.user == "thprocs" {
		_, err := s.primary.ChangePassword(ctx, "redash", p)
		wants(t, err, ErrNotOurs, p) // thops.services does not name it
		do(t, s.Primary.Run(ctx, "INSERT INTO thops.services VALUES ('redash'), ('th_admin');\n"))
		defer s.Primary.Run(context.Background(), "DELETE FROM thops.services;\n")
	}
	kept, err := s.primary.ChangePassword(ctx, "redash", p)
	if err != nil || kept {
		t.Errorf("the old password is kept: %v; %v", kept, err)
	}
	_, err = s.primary.ChangePassword(ctx, "th_admin", p)
	wants(t, err, ErrMissing, p)
	for password, works := range map[string]bool{p.text: true, "old": false} {
		db, err := s.Primary.Open("redash", password)
		do(t, err)
		defer db.Close()
		if err := db.Ping(); (err == nil) != works {
			t.Errorf("one of the passwords lets in: %v, want %v", err == nil, works)
		}
	}
	wants(t, s.replica.SetPassword(ctx, "ro_bea", p), ErrReadOnly)
	if err := s.primary.DiscardOldPassword(ctx, "redash"); err == nil {
		t.Error("MariaDB has discarded a password that it never kept")
	}
}
