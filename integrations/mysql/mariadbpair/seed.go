package mariadbpair

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"thbot/integrations/internal/mariadb"
)

// treeherder is a small part of Treeherder's database, as of March 2022.
const treeherder = `CREATE DATABASE treeherder;
CREATE TABLE treeherder.django_migrations (
  id INT AUTO_INCREMENT PRIMARY KEY,
  app VARCHAR(255) NOT NULL,
  name VARCHAR(255) NOT NULL,
  applied DATETIME(6) NOT NULL
);
CREATE TABLE treeherder.repository (
  id INT AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(50) NOT NULL UNIQUE,
  active_status VARCHAR(7) NOT NULL
);
CREATE TABLE treeherder.push (
  id INT AUTO_INCREMENT PRIMARY KEY,
  repository_id INT NOT NULL,
  revision VARCHAR(40) NOT NULL,
  author VARCHAR(150) NOT NULL,
  time DATETIME(6) NOT NULL
);
CREATE TABLE treeherder.job (
  id BIGINT AUTO_INCREMENT PRIMARY KEY,
  push_id INT NOT NULL,
  guid VARCHAR(50) NOT NULL,
  result VARCHAR(25) NOT NULL
);
INSERT INTO treeherder.repository (name, active_status) VALUES ('autoland', 'active'), ('mozilla-central', 'active'), ('try', 'active');
INSERT INTO treeherder.push (repository_id, revision, author, time)
  VALUES (1, '45f8e1a62f6bc6b9b0c6b47e3bbbf7d5dd9e3a1c', 'bea@example.org', '2022-03-01 09:00:00');
INSERT INTO treeherder.job (push_id, guid, result) VALUES (1, 'c0ffee00-0000-4000-8000-000000000001/0', 'success');
`

// Migrate writes on the primary that a migration was applied, as Django does.
func (p *Pair) Migrate(ctx context.Context, app, name string, at time.Time) error {
	_, err := p.Primary.root.ExecContext(ctx, "INSERT INTO treeherder.django_migrations (app, name, applied) VALUES (?, ?, ?)",
		app, name, at.UTC().Format("2006-01-02 15:04:05.000000"))
	if err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	return nil
}

// SeedDirect makes an account for the bot that makes accounts itself.
func (p *Pair) SeedDirect(ctx context.Context, user, password string) error {
	return p.seed(ctx, user, password, "CREATE USER, PROCESS, CONNECTION ADMIN ON *.*",
		"SELECT (User, Host, ssl_type) ON mysql.user",
		"SELECT (User, Host, Db, Select_priv) ON mysql.db",
		"SELECT ON treeherder.*")
}

// SeedProcedures installs a script of procedures and makes an account for the
// bot that may only call those of them that it needs.
func (p *Pair) SeedProcedures(ctx context.Context, script, user, password string) error {
	if err := p.Primary.Run(ctx, script); err != nil {
		return err
	}
	grants := []string{"SELECT ON treeherder.django_migrations"}
	for _, name := range []string{"ro_create", "ro_grant", "ro_rotate", "ro_lock", "ro_drop", "ro_list", "ro_sessions", "ro_kill", "service_password"} {
		grants = append(grants, "EXECUTE ON PROCEDURE thops."+name)
	}
	return p.seed(ctx, user, password, grants...)
}

// seed makes an account, which comes to the replica too.
func (p *Pair) seed(ctx context.Context, user, password string, grants ...string) error {
	if _, err := p.Primary.root.ExecContext(ctx, "CREATE USER ?@'%' IDENTIFIED BY ? REQUIRE SSL", user, password); err != nil {
		return fmt.Errorf("making an account for the bot: %w", err)
	}
	for _, g := range grants {
		option := ""
		if g == "SELECT ON treeherder.*" {
			option = " WITH GRANT OPTION"
		}
		if _, err := p.Primary.root.ExecContext(ctx, "GRANT "+g+" TO ?@'%'"+option, user); err != nil {
			return fmt.Errorf("making an account for the bot: %w", err)
		}
	}
	return p.CatchUp(ctx)
}

// TB is what [ForTest] needs of a testing.TB.
type TB interface {
	Helper()
	Cleanup(func())
	Context() context.Context
	TempDir() string
	Error(...any)
	Fatal(...any)
	Skip(...any)
}

// ForTest starts a pair that ends with the test, if there can be one: see [Need].
func ForTest(t TB) *Pair {
	t.Helper()
	p, err := Start(t.Context(), t.TempDir())
	Need(t, err)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// Need ends a test if its pair did not start. Without MariaDB the test is
// skipped, or fails if THBOT_TEST_REQUIRE is set.
func Need(t TB, err error) {
	t.Helper()
	switch {
	case errors.Is(err, ErrNone) && os.Getenv(mariadb.Require) == "":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
}
