package mysql

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	maria   = Identity{ID: 1, Version: "10.11.19-MariaDB-log", MariaDB: true}
	mysql57 = Identity{ID: 1, Version: "5.7.44-log"}
	mysql80 = Identity{ID: 1, Version: "8.0.13"}
	mysql8  = Identity{ID: 1, Version: "8.0.36-google"}
	mysql84 = Identity{ID: 1, Version: "8.4.3"}
)

// The statements for each sort of server. What is in <> is a value.
func TestStatements(t *testing.T) {
	p := Password{strings.Repeat("0a", 30)}
	limits := Limits{Connections: 5, Statement: 5 * time.Minute, Days: 90}
	all := map[string]func(rights) statement{
		"create": func(r rights) statement { return r.create("ro_bea", "01J", limits) },
		"forever": func(r rights) statement {
			return r.create("ro_bea", "01J", Limits{Connections: 1, Statement: time.Second})
		},
		"grant":   func(r rights) statement { return r.grant("ro_bea") },
		"rotate":  func(r rights) statement { return r.password("ro_bea", p) },
		"lock":    func(r rights) statement { return r.lock("ro_bea") },
		"drop":    func(r rights) statement { return r.drop("ro_bea") },
		"kill":    func(r rights) statement { return r.kill("ro_bea", 7) },
		"service": func(r rights) statement { return r.changePassword("redash", p) },
		"discard": func(r rights) statement { return r.discardOldPassword("redash") },
	}
	const grant, lock, drop = "GRANT SELECT ON `treeherder`.* TO ?@'%' <ro_bea>", "ALTER USER ?@'%' ACCOUNT LOCK <ro_bea>", "DROP USER ?@'%' <ro_bea>"
	const kill, discard = "KILL CONNECTION 7", "ALTER USER ?@'%' DISCARD OLD PASSWORD <redash>"
	called := func(secret, both string) map[string]string {
		return map[string]string{
			"create":  "CALL thops.ro_create(?, ?, ?, ?, ?, ?) <ro_bea> <" + strings.Replace(secret, "the", "a", 1) + "> <01J> <5> <300> <90>",
			"forever": "CALL thops.ro_create(?, ?, ?, ?, ?, ?) <ro_bea> <" + strings.Replace(secret, "the", "a", 1) + "> <01J> <1> <1> <0>",
			"grant":   "CALL thops.ro_grant(?) <ro_bea>",
			"rotate":  "CALL thops.ro_rotate(?, ?) <ro_bea> <" + secret + ">",
			"lock":    "CALL thops.ro_lock(?) <ro_bea>",
			"drop":    "CALL thops.ro_drop(?) <ro_bea>",
			"kill":    "CALL thops.ro_kill(?, ?) <ro_bea> <7>",
			"service": "CALL thops.service_password(?, ?, ?) <redash> " + both,
			"discard": "CALL thops.service_discard(?) <redash>",
		}
	}
	for name, tt := range map[string]struct {
		rights rights
		want   map[string]string
	}{
		"MariaDB": {direct{maria}, map[string]string{
			"create": "CREATE USER ?@'%' IDENTIFIED VIA mysql_native_password USING ? REQUIRE SSL" +
				" WITH MAX_USER_CONNECTIONS 5 MAX_STATEMENT_TIME 300 PASSWORD EXPIRE INTERVAL 90 DAY <ro_bea> <a native hash>",
			"forever": "CREATE USER ?@'%' IDENTIFIED VIA mysql_native_password USING ? REQUIRE SSL" +
				" WITH MAX_USER_CONNECTIONS 1 MAX_STATEMENT_TIME 1 <ro_bea> <a native hash>",
			"rotate":  "ALTER USER ?@'%' IDENTIFIED VIA mysql_native_password USING ? <ro_bea> <the native hash>",
			"service": "ALTER USER ?@'%' IDENTIFIED VIA mysql_native_password USING ? <redash> <the native hash>",
			"grant":   grant, "lock": lock, "drop": drop, "kill": kill, "discard": discard,
		}},
		"MySQL 5.7": {direct{mysql57}, map[string]string{
			"create": "CREATE USER ?@'%' IDENTIFIED WITH mysql_native_password AS ? REQUIRE SSL" +
				" WITH MAX_USER_CONNECTIONS 5 PASSWORD EXPIRE INTERVAL 90 DAY <ro_bea> <a native hash>",
			"forever": "CREATE USER ?@'%' IDENTIFIED WITH mysql_native_password AS ? REQUIRE SSL" +
				" WITH MAX_USER_CONNECTIONS 1 <ro_bea> <a native hash>",
			"rotate":  "ALTER USER ?@'%' IDENTIFIED WITH mysql_native_password AS ? <ro_bea> <the native hash>",
			"service": "ALTER USER ?@'%' IDENTIFIED WITH mysql_native_password AS ? <redash> <the native hash>",
			"grant":   grant, "lock": lock, "drop": drop, "kill": kill, "discard": discard,
		}},
		"MySQL 8.0.13": {direct{mysql80}, map[string]string{
			"create":  "CREATE USER ?@'%' IDENTIFIED BY ? REQUIRE SSL WITH MAX_USER_CONNECTIONS 5 PASSWORD EXPIRE INTERVAL 90 DAY <ro_bea> <a password>",
			"forever": "CREATE USER ?@'%' IDENTIFIED BY ? REQUIRE SSL WITH MAX_USER_CONNECTIONS 1 <ro_bea> <a password>",
			"rotate":  "ALTER USER ?@'%' IDENTIFIED BY ? <ro_bea> <the password>",
			"service": "ALTER USER ?@'%' IDENTIFIED BY ? <redash> <the password>",
			"grant":   grant, "lock": lock, "drop": drop, "kill": kill, "discard": discard,
		}},
		"MySQL 8": {direct{mysql8}, map[string]string{
			"create": "CREATE USER ?@'%' IDENTIFIED BY ? REQUIRE SSL WITH MAX_USER_CONNECTIONS 5" +
				" PASSWORD EXPIRE INTERVAL 90 DAY COMMENT ? <ro_bea> <a password> <01J>",
			"forever": "CREATE USER ?@'%' IDENTIFIED BY ? REQUIRE SSL WITH MAX_USER_CONNECTIONS 1 COMMENT ? <ro_bea> <a password> <01J>",
			"rotate":  "ALTER USER ?@'%' IDENTIFIED BY ? <ro_bea> <the password>",
			"service": "ALTER USER ?@'%' IDENTIFIED BY ? RETAIN CURRENT PASSWORD <redash> <the password>",
			"grant":   grant, "lock": lock, "drop": drop, "kill": kill, "discard": discard,
		}},
		"procedures on MariaDB":   {procedures{maria}, called("the native hash", "<the native hash> <the SHA2 hash>")},
		"procedures on MySQL 5.7": {procedures{mysql57}, called("the native hash", "<the native hash> <the SHA2 hash>")},
		"procedures on MySQL 8":   {procedures{mysql8}, called("the SHA2 hash", "<the native hash> <the SHA2 hash>")},
	} {
		got := map[string]string{}
		for what, f := range all {
			got[what] = written(f(tt.rights), p)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// written is a statement with its values, of which secrets are told by sort.
func written(st statement, p Password) string {
	text := st.text
	for _, a := range st.args {
		article := "a"
		if a == p.text || a == p.native() || len(a) == 70 && a == "$A$005$"+a[7:27]+sha256crypt([]byte(p.text), []byte(a[7:27])) {
			article = "the"
		}
		switch {
		case len(a) == 60:
			a = article + " password"
		case len(a) == 41 && a[0] == '*':
			a = article + " native hash"
		case len(a) == 70 && a[0] == '$':
			a = article + " SHA2 hash"
		}
		text += " <" + a + ">"
	}
	return text
}

// A question for the accounts names only what there is on the server.
func TestListStatement(t *testing.T) {
	for _, tt := range []struct {
		id                     Identity
		locked, comment, empty bool
	}{
		{maria, false, false, true}, {mysql57, true, false, true}, {mysql80, true, false, true}, {mysql8, true, true, false}, {mysql84, true, true, false},
	} {
		text := direct{tt.id}.accounts().text
		if strings.Contains(text, "account_locked") != tt.locked || strings.Contains(text, "user_attributes") != tt.comment ||
			strings.Contains(text, "COALESCE('', '')") != tt.empty {
			t.Errorf("for %s: %s", tt.id.Version, text)
		}
	}
}

func TestKeepsOldPassword(t *testing.T) {
	for version, want := range map[string]bool{
		"5.7.44-log": false, "8.0.11": false, "8.0.13": false, "8.0.14": true, "8.0.36-google": true, "8.4.0": true, "9.1.0": true, "8": false, "8.1": true,
	} {
		if got := (Identity{Version: version}).KeepsOldPassword(); got != want {
			t.Errorf("%s: %v, want %v", version, got, want)
		}
	}
	if maria.KeepsOldPassword() {
		t.Error("MariaDB has no second password")
	}
}
