// Package mariadb runs private MariaDB servers, for tests and for the sandbox,
// from Debian's mariadb-server-core.
package mariadb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
)

// Require is the environment variable that, when it is set, makes a test
// without MariaDB fail where it would be skipped.
const Require = "THBOT_TEST_REQUIRE"

// ErrNone says that this machine has no MariaDB.
var ErrNone = errors.New("no MariaDB")

// Program is an installed MariaDB.
type Program struct {
	server  string
	scripts string // the folder of those that make its system tables
}

// Find looks for MariaDB on this machine. Without one the error wraps [ErrNone].
func Find() (Program, error) {
	server, err := exec.LookPath("mariadbd")
	if err != nil {
		server, err = exec.LookPath("/usr/sbin/mariadbd") // which is in root's PATH only
	}
	if err != nil {
		return Program{}, fmt.Errorf("%w: there is no mariadbd; Debian has it in mariadb-server-core", ErrNone)
	}
	for _, scripts := range []string{"/usr/share/mysql", "/usr/share/mariadb"} {
		if _, err := os.Stat(filepath.Join(scripts, "mysql_system_tables.sql")); err == nil {
			return Program{server, scripts}, nil
		}
	}
	return Program{}, fmt.Errorf("%w: there is a mariadbd, but no mysql_system_tables.sql, in /usr/share/mysql or /usr/share/mariadb", ErrNone)
}

// Install makes the system tables in the empty folder data. It does what
// mariadb-install-db does, which itself needs a program of another package,
// without the help texts and the sys schema.
func (p Program) Install(ctx context.Context, data string) error {
	var in bytes.Buffer
	in.WriteString("CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n")
	for _, name := range []string{"mysql_system_tables.sql", "mysql_system_tables_data.sql"} {
		script, err := os.ReadFile(filepath.Join(p.scripts, name))
		if err != nil {
			return fmt.Errorf("making the system tables of MariaDB: %w", err)
		}
		in.Write(script)
	}
	cmd := exec.CommandContext(ctx, p.server, append(settings(data), "--bootstrap", "--silent-startup", "--log-warnings=0",
		"--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0")...)
	cmd.Stdin = &in
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("making the system tables of MariaDB: %w\n%s", err, out)
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

// Process is a running server.
type Process struct {
	Address string // on 127.0.0.1
	kill    func() error
}

// Close kills the server, whose data are as after a power failure.
func (p *Process) Close() error { return p.kill() }

// Run starts a server on a port of its own and waits until it is ready, which
// takes about a second. Statements that first holds are its first.
func (p Program) Run(ctx context.Context, data, first string, options ...string) (*Process, error) {
	file := filepath.Join(data, "first.sql")
	if err := os.WriteFile(file, []byte(first), 0o600); err != nil {
		return nil, fmt.Errorf("starting MariaDB: %w", err)
	}
	options = append([]string{"--init-file=" + file}, options...)
	// Between asking for a free port and using it somebody else may take it.
	for try := 1; ; try++ {
		server, err := p.run(ctx, data, options)
		if err == nil {
			return server, nil
		}
		if try == 3 || ctx.Err() != nil {
			return nil, fmt.Errorf("starting MariaDB: %w", err)
		}
	}
}

func (p Program) run(ctx context.Context, data string, options []string) (*Process, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := free.Addr().(*net.TCPAddr)
	if err := free.Close(); err != nil {
		return nil, err
	}
	// The shell kills the server when its input ends, so that it does not stay
	// behind when the program that started it is killed.
	const watched = `exec 3<&0; "$@" & server=$!; { cat <&3; kill -9 $server; } >/dev/null 2>&1 & wait $server`
	args := append([]string{"-c", watched, "sh", p.server}, settings(data)...)
	args = append(args,
		"--bind-address=127.0.0.1",
		"--port="+strconv.Itoa(address.Port),
		"--socket=socket", // in data, by a name that is never too long for a socket
		"--skip-name-resolve",
	)
	cmd := exec.Command("/bin/sh", append(args, options...)...)
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
	server := &Process{address.String(), sync.OnceValue(func() error {
		err := in.Close()
		<-gone
		return err
	})}
	select {
	case <-log.ready:
		return server, nil
	case err := <-gone:
		in.Close()
		return nil, fmt.Errorf("%w\n%s", err, log.text.String())
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), server.Close())
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
