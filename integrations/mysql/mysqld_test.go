package mysql

import (
	"bytes"
	"context"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"
)

// mysqldVariable names a server program of MySQL 8 or 9. No distribution that
// the tests run on has one, so only somebody who has it runs this test.
const mysqldVariable = "THBOT_TEST_MYSQLD"

// TestMySQL runs the life of an account and of a service's password on a real
// MySQL primary and its replica, with both sorts of rights.
func TestMySQL(t *testing.T) {
	program := os.Getenv(mysqldVariable)
	if program == "" {
		t.Skip("set " + mysqldVariable + " to try a server of MySQL")
	}
	primary, replica := startMySQL(t, program, 1), startMySQL(t, program, 2)
	primary.run(t, "CREATE USER 'replication'@'%' IDENTIFIED BY 'replication' REQUIRE SSL; GRANT REPLICATION SLAVE ON *.* TO 'replication'@'%';"+
		" CREATE DATABASE treeherder; CREATE TABLE treeherder.django_migrations (id INT AUTO_INCREMENT PRIMARY KEY, app VARCHAR(255), name VARCHAR(255), applied DATETIME(6));"+
		" INSERT INTO treeherder.django_migrations (app, name, applied) VALUES ('model', '0001_initial', '2022-03-01 09:30:00.123456');"+
		" CREATE USER 'thbot'@'%' IDENTIFIED BY '"+botPassword+"' REQUIRE SSL; GRANT CREATE USER, PROCESS, CONNECTION_ADMIN ON *.* TO 'thbot'@'%';"+
		" GRANT SELECT (User, Host, ssl_type, account_locked) ON mysql.user TO 'thbot'@'%'; GRANT SELECT (User, Host, Db, Select_priv) ON mysql.db TO 'thbot'@'%';"+
		" GRANT SELECT ON treeherder.* TO 'thbot'@'%' WITH GRANT OPTION;"+
		" CREATE USER 'thprocs'@'%' IDENTIFIED BY '"+botPassword+"' REQUIRE SSL; GRANT SELECT ON treeherder.django_migrations TO 'thprocs'@'%'")
	script, err := Procedures("mysql")
	do(t, err)
	primary.script(t, script)
	for _, name := range []string{"ro_create", "ro_grant", "ro_rotate", "ro_lock", "ro_drop", "ro_list", "ro_sessions", "ro_kill", "service_password", "service_discard"} {
		primary.run(t, "GRANT EXECUTE ON PROCEDURE thops."+name+" TO 'thprocs'@'%'")
	}
	_, port, _ := net.SplitHostPort(primary.address)
	replica.run(t, "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = "+port+", SOURCE_USER = 'replication', SOURCE_PASSWORD = 'replication',"+
		" SOURCE_SSL = 1, SOURCE_AUTO_POSITION = 1; START REPLICA; SET GLOBAL super_read_only = 1")
	for _, user := range []string{"thbot", "thprocs"} {
		t.Run(user, func(t *testing.T) {
			open := func(n *mysqlNode) *Server {
				s, err := Open(Config{Name: n.name, Address: n.address, User: user, Password: func() string { return botPassword }, Procedures: user == "thprocs",
					Services: []string{"redash"}, TLS: TLS{CA: n.ca, Instance: n.common}})
				do(t, err)
				t.Cleanup(func() { _ = s.Close() })
				return s
			}
			testOnMySQL(t, primary, open(primary), open(replica))
		})
	}
}

func testOnMySQL(t *testing.T, root *mysqlNode, primary, replica *Server) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	id, err := primary.Identity(ctx)
	do(t, err)
	if id.MariaDB || !id.KeepsOldPassword() || id.UUID == "" || id.ReadOnly {
		t.Errorf("the primary is %+v", id)
	}
	wants(t, primary.Lock(ctx, "ro_bea"), ErrMissing)
	do(t, primary.Create(ctx, "ro_bea", "01J", limits))
	wants(t, primary.Create(ctx, "ro_bea", "01K", limits), ErrExists)
	do(t, primary.Grant(ctx, "ro_bea"))
	p, fresh := NewPassword(), NewPassword()
	do(t, primary.SetPassword(ctx, "ro_bea", p))
	is := func(want Account) {
		t.Helper()
		if got, err := primary.Account(ctx, "ro_bea"); err != nil || got != want {
			t.Errorf("it is %+v, want %+v; %v", got, want, err)
		}
	}
	want := Account{Name: "ro_bea", Host: "%", Mark: "01J", TLS: true, Granted: true}
	is(want)
	at, err := replica.Await(ctx, "ro_bea", p, id)
	if err != nil || !at.SuperReadOnly {
		t.Fatalf("the replica is %+v; %v", at, err)
	}
	_, err = primary.Await(ctx, "ro_bea", p, id)
	wants(t, err, ErrNotReplica, p)
	wants(t, replica.SetPassword(ctx, "ro_bea", p), ErrReadOnly, p)
	if login(ctx, root.address, "ro_bea", p.text, "false") == nil {
		t.Error("it may log in without TLS")
	}
	if err := login(ctx, root.address, "ro_bea", p.text, "skip-verify"); err != nil {
		t.Error(err)
	}

	held, err := sql.Open("mysql", "ro_bea:"+p.text+"@tcp("+root.address+")/treeherder?tls=skip-verify")
	do(t, err)
	defer held.Close()
	conn, err := held.Conn(ctx)
	do(t, err)
	defer conn.Close()
	if open, err := primary.Sessions(ctx, "ro_bea"); err != nil || len(open) != 1 {
		t.Errorf("open are %+v; %v", open, err)
	}
	if ended, err := primary.Kill(ctx, "ro_bea"); err != nil || len(ended) != 1 {
		t.Errorf("ended were %+v; %v", ended, err)
	}
	if conn.PingContext(ctx) == nil {
		t.Error("the session is open still")
	}
	do(t, primary.SetPassword(ctx, "ro_bea", fresh))
	if err := login(ctx, root.address, "ro_bea", p.text, "skip-verify"); err == nil {
		t.Error("the old password lets in")
	}
	do(t, primary.Lock(ctx, "ro_bea"))
	want.Locked = true
	is(want)
	if err := login(ctx, root.address, "ro_bea", fresh.text, "skip-verify"); err == nil {
		t.Error("a locked account lets in")
	}
	do(t, primary.Drop(ctx, "ro_bea"))
	wants(t, primary.Drop(ctx, "ro_bea"), ErrMissing)
	if got, err := primary.Applied(ctx); err != nil || len(got) != 1 || got[0].Name != "0001_initial" {
		t.Errorf("applied are %+v; %v", got, err)
	}

	root.run(t, "CREATE USER 'redash'@'%' IDENTIFIED BY 'the first' REQUIRE SSL; REPLACE INTO thops.services VALUES ('redash')")
	defer root.run(t, "DROP USER 'redash'@'%'")
	kept, err := primary.ChangePassword(ctx, "redash", p)
	if err != nil || !kept {
		t.Fatalf("the old password is kept: %v; %v", kept, err)
	}
	for _, password := range []string{"the first", p.text} {
		if err := login(ctx, root.address, "redash", password, "skip-verify"); err != nil {
			t.Error("one of the passwords does not let in:", err)
		}
	}
	do(t, primary.DiscardOldPassword(ctx, "redash"))
	if login(ctx, root.address, "redash", "the first", "skip-verify") == nil || login(ctx, root.address, "redash", p.text, "skip-verify") != nil {
		t.Error("it is not the new password alone that lets in")
	}
	log, err := os.ReadFile(filepath.Join(root.data, "general.log"))
	do(t, err)
	if bytes.Contains(log, []byte(p.text)) || bytes.Contains(log, []byte(fresh.text)) || !bytes.Contains(log, []byte("ro_bea")) {
		t.Error("a password is in the log, or the log is none")
	}
}

func login(ctx context.Context, address, user, password, tls string) error {
	db, err := sql.Open("mysql", user+":"+password+"@tcp("+address+")/?tls="+tls)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.PingContext(ctx)
}

// mysqlNode is a running server of MySQL.
type mysqlNode struct {
	name, address, data, common string
	ca                          []byte
	root                        *sql.DB
}

func startMySQL(t *testing.T, program string, number int) *mysqlNode {
	t.Helper()
	n := &mysqlNode{name: fmt.Sprint("server ", number), data: filepath.Join(t.TempDir(), "data")}
	if out, err := exec.Command(program, "--no-defaults", "--initialize-insecure", "--user=root", "--datadir="+n.data).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	do(t, err)
	n.address = free.Addr().String()
	_, port, _ := net.SplitHostPort(n.address)
	do(t, free.Close(), os.WriteFile(filepath.Join(n.data, "first.sql"), []byte("SET sql_log_bin = 0;\nCREATE USER 'root'@'127.0.0.1';\nGRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n"), 0o600))
	cmd := exec.Command(program, "--no-defaults", "--user=root", "--datadir="+n.data, "--bind-address=127.0.0.1", "--port="+port, "--mysqlx=OFF", "--secure-file-priv=NULL", "--socket=socket",
		fmt.Sprint("--server-id=", number), "--gtid-mode=ON", "--enforce-gtid-consistency", "--skip-name-resolve", "--init-file="+filepath.Join(n.data, "first.sql"),
		"--general-log", "--general-log-file=general.log")
	errs, err := os.Create(n.data + ".err")
	do(t, err)
	cmd.Stderr = errs
	do(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	n.root, err = sql.Open("mysql", "root@tcp("+n.address+")/?multiStatements=true&tls=skip-verify")
	do(t, err)
	t.Cleanup(func() { _ = n.root.Close() })
	_ = driver.SetLogger(&driver.NopLogger{})
	for deadline := time.Now().Add(20 * time.Second); ; {
		if err = n.root.Ping(); err == nil {
			break
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(n.data + ".err")
			t.Fatalf("%v\n%s", err, log)
		}
		<-time.After(100 * time.Millisecond)
	}
	n.ca, err = os.ReadFile(filepath.Join(n.data, "ca.pem"))
	do(t, err)
	n.common = commonName(t, filepath.Join(n.data, "server-cert.pem"))
	return n
}

func (n *mysqlNode) run(t *testing.T, statements string) {
	t.Helper()
	if _, err := n.root.Exec(statements); err != nil {
		t.Fatal(err)
	}
}

var delimited = regexp.MustCompile(`(?s)DELIMITER //\n(.*?)DELIMITER ;\n`)

// script runs one for the command-line client.
func (n *mysqlNode) script(t *testing.T, script string) {
	t.Helper()
	conn, err := n.root.Conn(t.Context())
	do(t, err)
	defer conn.Close()
	run := func(statement string) {
		if strings.TrimSpace(statement) == "" {
			return
		}
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%v\n%s", err, statement)
		}
	}
	run(delimited.ReplaceAllString(script, ""))
	for _, block := range delimited.FindAllStringSubmatch(script, -1) {
		for _, statement := range strings.Split(block[1], "//\n") {
			run(statement)
		}
	}
}

func commonName(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	do(t, err)
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatal(errors.New("no certificate in " + file))
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	do(t, err)
	return cert.Subject.CommonName
}
