// Package mariadbtest starts private MariaDB servers for tests, from Debian's
// mariadb-server-core.
package mariadbtest

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// Require is the environment variable that, when it is set, makes a test
// without MariaDB fail where it would be skipped.
const Require = "THBOT_TEST_REQUIRE"

const user = "thbot"

// Server is a MariaDB server on a port of 127.0.0.1 of its own.
type Server struct {
	address   string
	password  string
	databases atomic.Int64
}

// Start starts a server, which takes about a second, and kills it when the
// test is over. Without MariaDB the test is skipped, or fails: see [Require].
func Start(t testing.TB) *Server {
	t.Helper()
	program, scripts, err := find()
	if err != nil {
		if os.Getenv(Require) != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	s := &Server{password: rand.Text()}
	data, first := t.TempDir(), filepath.Join(t.TempDir(), "first.sql")
	if err := install(program, scripts, data); err != nil {
		t.Fatalf("making the system tables of MariaDB: %v", err)
	}
	accounts := fmt.Sprintf("CREATE USER %s@'127.0.0.1' IDENTIFIED BY '%s';\nGRANT ALL ON *.* TO %[1]s@'127.0.0.1';\n", user, s.password)
	if err := os.WriteFile(first, []byte(accounts), 0o600); err != nil {
		t.Fatal(err)
	}
	// Between asking for a free port and using it somebody else may take it.
	for try := 1; ; try++ {
		stop, err := s.start(program, data, first)
		if err == nil {
			t.Cleanup(stop)
			return s
		}
		if try == 3 {
			t.Fatalf("starting MariaDB: %v", err)
		}
	}
}

// Database makes an empty database and returns its ledger URL and password.
func (s *Server) Database(t testing.TB) (url, password string) {
	t.Helper()
	config := mysql.NewConfig()
	config.User, config.Passwd = user, s.password
	config.Net, config.Addr = "tcp", s.address
	connector, err := mysql.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	name := fmt.Sprintf("ledger%d", s.databases.Add(1))
	if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatalf("making a database: %v", err)
	}
	return fmt.Sprintf("mysql:%s@tcp(%s)/%s", user, s.address, name), s.password
}

// find returns the server and the folder of the scripts that make its tables.
func find() (program, scripts string, err error) {
	program, err = exec.LookPath("mariadbd")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/mariadbd") // which is in root's PATH only
	}
	if err != nil {
		return "", "", errors.New("there is no mariadbd; Debian has it in mariadb-server-core")
	}
	for _, scripts := range []string{"/usr/share/mysql", "/usr/share/mariadb"} {
		if _, err := os.Stat(filepath.Join(scripts, "mysql_system_tables.sql")); err == nil {
			return program, scripts, nil
		}
	}
	return "", "", errors.New("there is a mariadbd, but no mysql_system_tables.sql, in /usr/share/mysql or /usr/share/mariadb")
}

// install does what mariadb-install-db does, which itself needs a program of
// another package, without the help texts and the sys schema.
func install(program, scripts, data string) error {
	var in bytes.Buffer
	in.WriteString("CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n")
	for _, name := range []string{"mysql_system_tables.sql", "mysql_system_tables_data.sql"} {
		script, err := os.ReadFile(filepath.Join(scripts, name))
		if err != nil {
			return err
		}
		in.Write(script)
	}
	cmd := exec.Command(program, append(settings(data), "--bootstrap", "--silent-startup", "--log-warnings=0",
		"--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0")...)
	cmd.Stdin = &in
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// settings keep the server small.
func settings(data string) []string {
	all := []string{
		"--no-defaults", // comes first
		"--datadir=" + data,
		"--tmpdir=" + data, // in a shared one a server that starts removes the temporary tables of the others
		"--innodb-buffer-pool-size=16M",
		"--innodb-log-file-size=8M",
		"--innodb-temp-data-file-path=ibtmp1:2M:autoextend",
		"--performance-schema=0",
	}
	if os.Geteuid() == 0 {
		all = append(all, "--user=root") // it refuses to run as root unless it is told to
	}
	return all
}

// start runs the server and waits until it is ready.
func (s *Server) start(program, data, first string) (stop func(), err error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.address = free.Addr().String()
	port := free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		return nil, err
	}
	// The shell kills the server when its input ends, so that it does not stay
	// behind when the test binary is killed.
	const watched = `exec 3<&0; "$@" & server=$!; { cat <&3; kill -9 $server; } >/dev/null 2>&1 & wait $server`
	cmd := exec.Command("/bin/sh", append(append([]string{"-c", watched, "sh", program}, settings(data)...),
		"--init-file="+first,
		"--bind-address=127.0.0.1",
		"--port="+strconv.Itoa(port),
		"--socket=socket", // in data, by a name that is never too long for a socket
		"--skip-name-resolve",
		"--skip-log-bin",
		"--max-connections=500",              // many bots at once
		"--innodb-flush-log-at-trx-commit=1", // what is committed survives
	)...)
	log := &serverLog{ready: make(chan struct{})}
	cmd.Stderr = log
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	gone := make(chan error, 1)
	go func() { gone <- cmd.Wait() }()
	select {
	case <-log.ready:
		return func() {
			in.Close()
			<-gone
		}, nil
	case err := <-gone:
		return nil, fmt.Errorf("%w\n%s", err, log.text.String())
	}
}

// serverLog collects what the server logs until it says that it is ready.
type serverLog struct {
	text  bytes.Buffer
	said  bool
	ready chan struct{} // closed then
}

func (l *serverLog) Write(p []byte) (int, error) {
	if !l.said {
		l.text.Write(p)
		if l.said = bytes.Contains(l.text.Bytes(), []byte("ready for connections")); l.said {
			close(l.ready)
		}
	}
	return len(p), nil
}
