package mysql

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"thbot/integrations/mysql/mariadbpair"
)

func testProceduresOnly(t *testing.T, s *scene) {
	ctx, p := t.Context(), NewPassword()
	db, err := s.Primary.Open("thprocs", botPassword)
	do(t, err)
	defer db.Close()
	refused := func(number uint16, statement string, args ...any) {
		t.Helper()
		_, err := db.ExecContext(ctx, statement, args...)
		var said *mysql.MySQLError
		if !errors.As(err, &said) || said.Number != number {
			t.Errorf("%q with %q: %v, want error %d", statement, args, err, number)
		}
	}
	before := count(t, s.Primary, "SELECT COUNT(*) FROM mysql.user")
	refused(1227, "CREATE USER 'ro_bea'@'%'")
	refused(1227, "ALTER USER 'thbot'@'%' IDENTIFIED BY 'mine now'")
	refused(1227, "DROP USER 'thbot'@'%'")
	refused(1044, "GRANT SELECT ON treeherder.* TO 'thprocs'@'%'")
	refused(1142, "SELECT * FROM treeherder.job")
	refused(1142, "SELECT * FROM mysql.user")
	refused(1142, "INSERT INTO thops.services VALUES ('thbot')")
	refused(1142, "DELETE FROM thops.accounts")
	refused(1370, "CALL thops.check_name('ro_bea')")
	refused(1370, "DROP PROCEDURE thops.check_name")

	// What is checked in Go is checked by the procedures themselves as well.
	hash := p.native()
	for _, name := range hostile {
		refused1644 := func(statement string, args ...any) {
			t.Helper()
			_, err := db.ExecContext(ctx, statement, args...)
			var said *mysql.MySQLError
			// 1366, 1406: not UTF-8, too long for the parameter
			if !errors.As(err, &said) || said.Number != 1644 && said.Number != 1366 && said.Number != 1406 {
				t.Errorf("%q with %q: %v, want error 1644", statement, args, err)
			}
		}
		refused1644("CALL thops.ro_create(?, ?, 'm', 1, 1, 0)", name, hash)
		refused1644("CALL thops.ro_grant(?)", name)
		refused1644("CALL thops.ro_rotate(?, ?)", name, hash)
		refused1644("CALL thops.ro_lock(?)", name)
		refused1644("CALL thops.ro_drop(?)", name)
		refused1644("CALL thops.ro_sessions(?)", name)
		refused1644("CALL thops.ro_kill(?, 1)", name)
		refused1644("CALL thops.service_password(?, ?, '')", name, hash)
	}
	for _, secret := range []string{"", p.text, hash + "\n", strings.ToLower(hash), hash[1:], hash + "0", p.cachingSHA2(), hash[:20] + "' OR '" + hash[26:]} {
		refused(1644, "CALL thops.ro_create('ro_bea', ?, 'm', 1, 1, 0)", secret)
		refused(1644, "CALL thops.ro_rotate('ro_bea', ?)", secret)
	}
	for _, rest := range []string{"'', 1, 1, 0", "'a''b', 1, 1, 0", "'m\n', 1, 1, 0", "'m', 0, 1, 0", "'m', 1, 0, 0", "'m', 1, 1, -1", "'m', 1001, 1, 0", "'m', NULL, 1, 0"} {
		refused(1644, "CALL thops.ro_create('ro_bea', ?, "+rest+")", hash)
	}
	refused(1644, "CALL thops.ro_create(NULL, ?, 'm', 1, 1, 0)", hash)
	refused(1644, "CALL thops.ro_create('ro_bea', NULL, 'm', 1, 1, 0)")

	// Only sessions of the account that is named are ended.
	root := count(t, s.Primary, "SELECT CONNECTION_ID()")
	refused(1094, "CALL thops.ro_kill('ro_bea', ?)", root)

	if after := count(t, s.Primary, "SELECT COUNT(*) FROM mysql.user"); after != before {
		t.Errorf("there were %d accounts, and now there are %d", before, after)
	}
}

// The script for MySQL, as far as MariaDB understands it: it is installed, and
// an account goes through its life with the hashes of MySQL 5.7.
func TestProceduresForMySQL(t *testing.T) {
	pair := mariadbpair.ForTest(t)
	ctx := t.Context()
	script, err := Procedures("mysql")
	do(t, err)
	script = strings.ReplaceAll(script, "GRANT CONNECTION_ADMIN ON", "GRANT CONNECTION ADMIN ON")
	do(t, pair.Primary.Run(ctx, script)) // it can be run again
	do(t, pair.SeedProcedures(ctx, script, "thprocs", botPassword))
	s := newScene(t, pair, "thprocs")
	db, err := pair.Primary.Open("thprocs", botPassword)
	do(t, err)
	defer db.Close()
	conn, err := db.Conn(ctx)
	do(t, err)
	defer conn.Close()

	p := NewPassword()
	as57 := procedures{mysql57}
	for _, st := range []statement{as57.create("ro_bea", "01J", limits), as57.grant("ro_bea"), as57.password("ro_bea", p)} {
		_, err := conn.ExecContext(ctx, st.text, st.values()...)
		do(t, err)
	}
	if _, err := s.await(t, s.replica, "ro_bea", p); err != nil {
		t.Error(err)
	}
	if n := count(t, pair.Primary, "SELECT COUNT(*) FROM thops.accounts WHERE name = 'ro_bea' AND mark = '01J'"); n != 1 {
		t.Error("its mark is not there")
	}
	call := func(st statement) error {
		_, err := conn.ExecContext(ctx, st.text, st.values()...)
		return err
	}
	wants(t, s.primary.wrong("x", call(as57.create("ro_bea", "01J", limits)), ErrExists), ErrExists)
	// A hash that this server does not know fails late, and stays nowhere.
	sha2 := procedures{mysql8}.password("ro_bea", p)
	if call(sha2) == nil {
		t.Error("MariaDB has a plugin of MySQL's")
	}
	var left *string
	if err := conn.QueryRowContext(ctx, "SELECT @thops").Scan(&left); err != nil || left != nil {
		t.Errorf("the statement stays behind: %v; %v", left != nil, err)
	}
	for _, secret := range []string{p.text, sha2.args[1] + "\n", "$A$005$" + strings.Repeat("'", 63), strings.ToLower(p.native())} {
		wants(t, s.primary.wrong("x", call(thops("ro_rotate", "ro_bea", secret)), nil), ErrNotOurs, p)
	}
	for _, name := range hostile {
		if call(as57.drop(name)) == nil {
			t.Errorf("%q was dropped", name)
		}
	}
	do(t, call(as57.lock("ro_bea")), call(as57.drop("ro_bea")))
	wants(t, s.primary.wrong("x", call(as57.drop("ro_bea")), ErrMissing), ErrMissing)
	if n := count(t, pair.Primary, "SELECT COUNT(*) FROM thops.accounts"); n != 0 {
		t.Error("its mark is still there")
	}
}
