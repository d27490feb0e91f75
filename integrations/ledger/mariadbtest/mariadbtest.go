// Package mariadbtest starts private MariaDB servers for tests, from Debian's
// mariadb-server-core.
package mariadbtest

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"

	"thbot/integrations/internal/mariadb"
)

const user = "thbot"

// Server is a MariaDB server on a port of 127.0.0.1 of its own.
type Server struct {
	address   string
	password  string
	databases atomic.Int64
}

// Start starts a server, which takes about a second, and kills it when the
// test is over. Without MariaDB the test is skipped, or fails: see
// [mariadb.Require].
func Start(t testing.TB) *Server {
	t.Helper()
	program, err := mariadb.Find()
	switch {
	case errors.Is(err, mariadb.ErrNone) && os.Getenv(mariadb.Require) == "":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	s := &Server{password: rand.Text()}
	data := t.TempDir()
	if err := program.Install(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	accounts := fmt.Sprintf("CREATE USER %s@'127.0.0.1' IDENTIFIED BY '%s';\nGRANT ALL ON *.* TO %[1]s@'127.0.0.1';\n", user, s.password)
	process, err := program.Run(t.Context(), data, accounts,
		"--skip-log-bin",
		"--max-connections=500",              // many bots at once
		"--innodb-flush-log-at-trx-commit=1", // what is committed survives
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := process.Close(); err != nil {
			t.Error(err)
		}
	})
	s.address = process.Address
	return s
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
