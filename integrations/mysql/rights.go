package mysql

import (
	"fmt"
	"strings"
)

// rights are the ways in which things are asked of a server.
type rights interface {
	create(name, mark string, l Limits) statement
	grant(name string) statement
	password(name string, p Password) statement
	lock(name string) statement
	drop(name string) statement
	accounts() statement // name, host, TLS, granted, locked, mark
	sessions(name string) statement
	kill(name string, id uint64) statement
	KeepsOldPassword() bool
	changePassword(name string, p Password) statement
	discardOldPassword(name string) statement
}

// statement has its values apart. They are strings: the driver writes a []byte
// as _binary'…', which these statements do not take.
type statement struct {
	text string
	args []string
}

func stmt(text string, args ...string) statement { return statement{text, args} }

func (s statement) values() []any {
	all := make([]any, len(s.args))
	for i, a := range s.args {
		all[i] = a
	}
	return all
}

// direct speaks to the server as somebody who makes accounts itself.
type direct struct{ Identity }

func (d direct) create(name, mark string, l Limits) statement {
	nobodys := NewPassword()
	how := fmt.Sprintf("REQUIRE SSL WITH MAX_USER_CONNECTIONS %d", l.Connections)
	if d.MariaDB {
		how += fmt.Sprintf(" MAX_STATEMENT_TIME %d", int(l.Statement.Seconds()))
	}
	if l.Days > 0 {
		how += fmt.Sprintf(" PASSWORD EXPIRE INTERVAL %d DAY", l.Days)
	}
	// No FAILED_LOGIN_ATTEMPTS: after a rotation the bot knocks at the replica
	// with the new password until that has it, and would lock the account.
	if d.comments() {
		return stmt("CREATE USER ?@'%' "+d.identified()+" "+how+" COMMENT ?", name, d.secret(nobodys), mark)
	}
	return stmt("CREATE USER ?@'%' "+d.identified()+" "+how, name, d.secret(nobodys))
}

// identified is how a password is given: as a hash, but for MySQL 8, which has
// no native hashes since 8.4 and keeps the password out of its logs.
func (d direct) identified() string {
	switch {
	case d.MariaDB:
		return "IDENTIFIED VIA mysql_native_password USING ?"
	case d.since(8):
		return "IDENTIFIED BY ?"
	}
	return "IDENTIFIED WITH mysql_native_password AS ?"
}

func (d direct) secret(p Password) string {
	if !d.MariaDB && d.since(8) {
		return p.text
	}
	return p.native()
}

func (direct) grant(name string) statement {
	return stmt("GRANT SELECT ON `"+Database+"`.* TO ?@'%'", name)
}

func (d direct) password(name string, p Password) statement {
	return stmt("ALTER USER ?@'%' "+d.identified(), name, d.secret(p))
}

func (direct) lock(name string) statement { return stmt("ALTER USER ?@'%' ACCOUNT LOCK", name) }

func (direct) drop(name string) statement { return stmt("DROP USER ?@'%'", name) }

func (d direct) accounts() statement {
	// MariaDB keeps the lock with the hash, in a column that the bot should not read.
	locked, mark, marks := "u.account_locked", "''", ""
	if d.MariaDB {
		locked = "'?'"
	}
	if d.comments() {
		mark = "JSON_UNQUOTE(JSON_EXTRACT(a.attribute, '$.comment'))"
		marks = " LEFT JOIN information_schema.user_attributes a ON a.user = u.User AND a.host = u.Host"
	}
	return stmt("SELECT u.User, u.Host, u.ssl_type, COALESCE(d.Select_priv, 'N'), "+locked+", COALESCE("+mark+", '')"+
		" FROM mysql.user u LEFT JOIN mysql.db d ON d.User = u.User AND d.Host = u.Host AND d.Db = ?"+marks+
		" WHERE LEFT(u.User, 3) = ? ORDER BY u.User, u.Host", Database, prefix)
}

func (direct) sessions(name string) statement {
	return stmt("SELECT id, host, COALESCE(db, ''), command, time FROM information_schema.processlist"+
		" WHERE user = ? AND command <> 'Killed' ORDER BY id", name)
}

func (direct) kill(_ string, id uint64) statement { return stmt(fmt.Sprintf("KILL CONNECTION %d", id)) }

func (d direct) changePassword(name string, p Password) statement {
	st := d.password(name, p)
	if d.KeepsOldPassword() {
		st.text += " RETAIN CURRENT PASSWORD"
	}
	return st
}

func (direct) discardOldPassword(name string) statement {
	return stmt("ALTER USER ?@'%' DISCARD OLD PASSWORD", name)
}

// procedures speaks to the server as somebody who may only call those of
// [Procedures].
type procedures struct{ Identity }

func thops(name string, args ...string) statement {
	return stmt("CALL thops."+name+"("+strings.TrimSuffix(strings.Repeat("?, ", len(args)), ", ")+")", args...)
}

// secret is a hash: arguments of a CALL are in the logs as they are.
func (p procedures) secret(w Password) string {
	if !p.MariaDB && p.since(8) {
		return w.cachingSHA2()
	}
	return w.native()
}

func (p procedures) create(name, mark string, l Limits) statement {
	return thops("ro_create", name, p.secret(NewPassword()), mark,
		fmt.Sprint(l.Connections), fmt.Sprint(int(l.Statement.Seconds())), fmt.Sprint(l.Days))
}

func (procedures) grant(name string) statement { return thops("ro_grant", name) }

func (p procedures) password(name string, w Password) statement {
	return thops("ro_rotate", name, p.secret(w))
}

func (procedures) lock(name string) statement     { return thops("ro_lock", name) }
func (procedures) drop(name string) statement     { return thops("ro_drop", name) }
func (procedures) accounts() statement            { return thops("ro_list") }
func (procedures) sessions(name string) statement { return thops("ro_sessions", name) }

func (procedures) kill(name string, id uint64) statement {
	return thops("ro_kill", name, fmt.Sprint(id))
}

// changePassword gives both hashes: the service's account keeps its plugin,
// which only the procedure can see.
func (procedures) changePassword(name string, w Password) statement {
	return thops("service_password", name, w.native(), w.cachingSHA2())
}

func (procedures) discardOldPassword(name string) statement {
	return thops("service_discard", name)
}
