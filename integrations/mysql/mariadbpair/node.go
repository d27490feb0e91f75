package mariadbpair

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-sql-driver/mysql"

	"thbot/integrations/internal/mariadb"
)

// Node is one of the two servers.
type Node struct {
	Address   string // on 127.0.0.1
	name      string // in its certificate
	data      string
	replica   bool
	process   *mariadb.Process
	authority *Authority
	root      *sql.DB
}

// administrator is an account with all rights, on each server by itself.
const administrator = "administrator"

func (p *Pair) node(ctx context.Context, program mariadb.Program, data, name string, id int, password string, options ...string) (*Node, error) {
	n := &Node{name: name, data: data, replica: name == ReplicaName, authority: p.Authority}
	if err := p.Authority.put(data, name, name); err != nil {
		return nil, err
	}
	first := fmt.Sprintf("SET sql_log_bin = 0;\nCREATE USER %s@'127.0.0.1' IDENTIFIED BY '%s';\n"+
		"GRANT ALL ON *.* TO %[1]s@'127.0.0.1' WITH GRANT OPTION;\n", administrator, password)
	options = append([]string{
		fmt.Sprintf("--server-id=%d", id),
		"--log-bin=binlog",
		"--log-basename=" + strings.Split(name, ".")[0],
		"--log-slave-updates",
		"--gtid-strict-mode",
		"--relay-log=relay",
		"--ssl-ca=" + filepath.Join(data, "ca.pem"),
		"--ssl-cert=" + filepath.Join(data, "cert.pem"),
		"--ssl-key=" + filepath.Join(data, "key.pem"),
		// As Treeherder's docker/mysql.cnf had it. By this mode GRANT makes an
		// account that is missing.
		"--character-set-server=utf8", "--collation-server=utf8_bin",
		"--sql-mode=NO_ENGINE_SUBSTITUTION,STRICT_ALL_TABLES",
		"--general-log", "--general-log-file=general.log",
		"--sync-binlog=0", "--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync",
	}, options...)
	if plugins := os.Getenv(Plugins); plugins != "" {
		options = append(options, "--plugin-dir="+plugins)
	}
	process, err := program.Run(ctx, data, first, options...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	n.process, n.Address = process, process.Address
	n.root, err = n.Open(administrator, password)
	if err != nil {
		return nil, errors.Join(err, process.Close())
	}
	return n, nil
}

func (n *Node) close() error { return errors.Join(n.root.Close(), n.process.Close()) }

func (n *Node) hostPort() (host, port string) {
	host, port, _ = net.SplitHostPort(n.Address)
	return host, port
}

// Open logs in over TLS as anybody, without what package mysql does.
func (n *Node) Open(user, password string) (*sql.DB, error) {
	pool := x509.NewCertPool()
	pool.AddCert(n.authority.cert)
	return n.open(user, password, &tls.Config{RootCAs: pool, ServerName: n.name})
}

// OpenPlain logs in without TLS.
func (n *Node) OpenPlain(user, password string) (*sql.DB, error) { return n.open(user, password, nil) }

func (n *Node) open(user, password string, tls *tls.Config) (*sql.DB, error) {
	c := mysql.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr, c.TLS = user, password, "tcp", n.Address, tls
	c.InterpolateParams = true
	c.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// Root is connected as an administrator.
func (n *Node) Root() *sql.DB { return n.root }

// Run runs a script as an administrator, in one session. Its statements end in
// a semicolon, or what it names after DELIMITER, at the end of a line.
func (n *Node) Run(ctx context.Context, script string) error {
	conn, err := n.root.Conn(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", n.name, err)
	}
	defer conn.Close()
	if n.replica {
		// What is written into its own binary log, as FLUSH is, would stop it:
		// gtid_strict_mode wants nothing there but what comes from the primary.
		script = "SET SESSION sql_log_bin = 0;\n" + script
	}
	for _, statement := range split(script) {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: running %.60q: %w", n.name, statement, err)
		}
	}
	return nil
}

// split knows of the command-line client's language what scripts here need.
func split(script string) (all []string) {
	delimiter, statement := ";", ""
	for lines := bufio.NewScanner(strings.NewReader(script)); lines.Scan(); {
		line := lines.Text()
		if next, ok := strings.CutPrefix(line, "DELIMITER "); ok {
			delimiter = next
			continue
		}
		if statement == "" && (line == "" || strings.HasPrefix(line, "--")) {
			continue
		}
		rest, ends := strings.CutSuffix(line, delimiter)
		statement += rest + "\n"
		if ends {
			all = append(all, statement)
			statement = ""
		}
	}
	return all
}

// row is the first row of an answer, by the names of its columns, or empty.
func (n *Node) row(ctx context.Context, query string) (map[string]string, error) {
	rows, err := n.root.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.name, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil || !rows.Next() {
		return nil, errors.Join(err, rows.Err())
	}
	values, into := make([]sql.NullString, len(names)), make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	if err := rows.Scan(into...); err != nil {
		return nil, err
	}
	row := map[string]string{}
	for i, name := range names {
		row[name] = values[i].String
	}
	return row, nil
}

// ReadOnly switches read_only.
func (n *Node) ReadOnly(ctx context.Context, on bool) error {
	return n.Run(ctx, fmt.Sprintf("SET GLOBAL read_only = %t;\n", on))
}

// PresentInstance makes the server present a certificate as Google Cloud SQL's
// servers do: with the common name "project:instance" and no other.
func (n *Node) PresentInstance(ctx context.Context, instance string) error {
	return n.present(ctx, instance)
}

// PresentAddress makes the server present a certificate with its name and with
// 127.0.0.1, for those who know it by nothing else.
func (n *Node) PresentAddress(ctx context.Context) error {
	return n.present(ctx, n.name, n.name, "127.0.0.1")
}

// PresentName makes the server present the certificate it had at first.
func (n *Node) PresentName(ctx context.Context) error { return n.present(ctx, n.name, n.name) }

func (n *Node) present(ctx context.Context, common string, names ...string) error {
	if err := n.authority.put(n.data, common, names...); err != nil {
		return err
	}
	return n.Run(ctx, "FLUSH SSL;\n")
}

// Logs is all that the server has written down of statements: its general log
// and its binary and relay logs.
func (n *Node) Logs(ctx context.Context) ([]byte, error) {
	if err := n.Run(ctx, "FLUSH LOGS;\n"); err != nil {
		return nil, err
	}
	var all []byte
	for _, pattern := range []string{"general.log*", "*binlog.0*", "*relay*.0*"} {
		files, err := filepath.Glob(filepath.Join(n.data, pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return nil, err
			}
			all = append(all, content...)
		}
	}
	return all, nil
}

// Plugins is the environment variable that names the folder of MariaDB's
// plugins, where they are not installed.
const Plugins = "THBOT_TEST_MARIADB_PLUGINS"

// ErrNoPlugin says that simple_password_check is not there. Debian has it in
// mariadb-server.
var ErrNoPlugin = errors.New("there is no plugin simple_password_check")

// PasswordPolicy switches simple_password_check, which wants capital letters
// and punctuation in passwords. Strict, it also takes no hash any more.
func (n *Node) PasswordPolicy(ctx context.Context, on, strict bool) error {
	loaded, err := n.row(ctx, "SELECT 1 FROM information_schema.plugins WHERE plugin_name = 'simple_password_check'")
	if err != nil {
		return err
	}
	switch {
	case on && len(loaded) == 0:
		var dir string
		if err := n.root.QueryRowContext(ctx, "SELECT @@plugin_dir").Scan(&dir); err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Join(dir, "simple_password_check.so")); err != nil {
			return ErrNoPlugin
		}
		err = n.Run(ctx, "INSTALL SONAME 'simple_password_check';\n")
	case !on && len(loaded) != 0:
		err = n.Run(ctx, "UNINSTALL SONAME 'simple_password_check';\n")
	}
	if err != nil {
		return err
	}
	return n.Run(ctx, fmt.Sprintf("SET GLOBAL strict_password_validation = %t;\n", strict))
}
