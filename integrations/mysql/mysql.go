// Package mysql gives and takes away access to Treeherder's databases: it makes
// accounts on a primary, tries them on its replica, changes the passwords of
// service accounts, and reads which migrations a database has. It speaks to
// MySQL 5.7, 8 and 9, and to MariaDB 10.4.3 and later.
//
// It works with either of two sorts of rights. With the direct ones the bot's
// account makes accounts itself, and therefore could also change the password
// of any administrator. With the others it may only call the procedures that
// [Procedures] prints, which check what they are given.
//
// No error of this package contains a password, the hash of one, or a message
// of the server, which may repeat both.
package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Database is the only one that this package knows. GRANT takes no placeholder
// for it, and "_" and "%" in it are wildcards.
const Database = "treeherder"

// Config says how to reach one server, and as whom.
type Config struct {
	Name     string // in errors: "stage's primary"; people never see the address
	Address  string // HOST:PORT
	User     string
	Password func() string // asked for each connection, since its file may change
	TLS      TLS
	// Procedures says that User may only call what [Procedures] installs. Else,
	// to make accounts it needs
	//
	//	GRANT CREATE USER ON *.*
	//	GRANT SELECT ON treeherder.* WITH GRANT OPTION
	//
	// to look at them
	//
	//	GRANT SELECT (User, Host, ssl_type) ON mysql.user (MySQL: and account_locked)
	//	GRANT SELECT (User, Host, Db, Select_priv) ON mysql.db
	//
	// and to see and end sessions
	//
	//	GRANT PROCESS, CONNECTION ADMIN ON *.* (MySQL: CONNECTION_ADMIN)
	Procedures bool
	// Services are the accounts whose passwords ChangePassword may change.
	Services []string
	Limit    time.Duration // of a connection, a read and a write; 0: 4 s
	// Dial opens the connections; nil: the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Server is a MySQL or MariaDB server. It may be used by several goroutines.
type Server struct {
	config Config
	driver *mysql.Config // for connections with anybody's name and password
	db     *sql.DB       // as the bot
}

// service is what the account of a program may be called.
var service = regexp.MustCompile(`^[a-z][a-z0-9_]{1,31}$`)

// Open checks the configuration. It does not connect.
func Open(c Config) (*Server, error) {
	wrong := func(format string, a ...any) (*Server, error) {
		return nil, fmt.Errorf("%s: %w", c.Name, fmt.Errorf(format, a...))
	}
	if c.Name == "" {
		c.Name = "MySQL"
	}
	if c.Limit == 0 {
		c.Limit = 4 * time.Second
	}
	host, port, err := net.SplitHostPort(c.Address)
	if _, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil || host == "" || strings.ContainsAny(host, "@/?()") {
		// What it is instead stays out of the error: it might hold a password.
		return wrong("its address is not of the form HOST:PORT; name, password and TLS have settings of their own")
	}
	if c.User == "" || c.Password == nil {
		return wrong("it needs the name and the password of an account")
	}
	for _, name := range c.Services {
		own := strings.HasPrefix(name, prefix) || name == c.User
		if !service.MatchString(name) || own || slices.Contains([]string{"root", "mysql", "mariadb"}, name) {
			return wrong("%q is not the account of a service whose password the bot changes", name)
		}
	}
	tls, err := c.TLS.config(host)
	if err != nil {
		return wrong("TLS: %w", err)
	}
	d := mysql.NewConfig()
	d.Net, d.Addr, d.TLS = "tcp", c.Address, tls
	d.Timeout, d.ReadTimeout, d.WriteTimeout = c.Limit, c.Limit, c.Limit
	// Placeholders of a prepared statement do not exist in CREATE USER, GRANT
	// and the like (error 1064), where a name is a literal, not an expression.
	d.InterpolateParams = true
	d.ParseTime = true
	d.DialFunc = c.Dial
	d.Logger = &mysql.NopLogger{} // what it would say is returned, too
	d.Params = map[string]string{
		// Without NO_AUTO_CREATE_USER a GRANT makes an account that is missing,
		// without a password and without TLS. MySQL 8 never does and does not
		// know the mode.
		"sql_mode": `CONCAT('STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION',` +
			` IF(VERSION() LIKE '5.%' OR CONCAT(VERSION(), @@version_comment) LIKE '%mariadb%', ',NO_AUTO_CREATE_USER', ''))`,
		// Below our own limit: else a statement would wait on for a backup's
		// lock, and be done, after we have given it up. MariaDB lets statements
		// about accounts wait without limit, but for the one in the comment,
		// which it alone reads.
		"lock_wait_timeout": "2 /*M!, max_statement_time = 2 */",
	}
	if err := d.Apply(mysql.Charset("utf8mb4", "utf8mb4_bin")); err != nil {
		return wrong("%w", err)
	}
	s := &Server{config: c, driver: d}
	if s.db, err = s.as("", func() (string, string) { return c.User, c.Password() }); err != nil {
		return wrong("%w", err)
	}
	return s, nil
}

// as returns connections that log in with what who returns. None stays open
// when it is not used: the bot's account is a powerful one and needed rarely.
func (s *Server) as(database string, who func() (user, password string)) (*sql.DB, error) {
	d := s.driver.Clone()
	d.DBName = database
	err := d.Apply(mysql.BeforeConnect(func(_ context.Context, d *mysql.Config) error {
		d.User, d.Passwd = who()
		return nil
	}))
	if err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(d)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxIdleConns(-1)
	return db, nil
}

// Close ends the server's connections.
func (s *Server) Close() error { return s.db.Close() }

// session is one connection, and what the server at its other end says it is.
type session struct {
	*sql.Conn
	id     Identity
	rights rights
}

func (s *Server) session(ctx context.Context, activity string) (session, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return session{}, s.unconnected(activity, err)
	}
	id, err := identify(ctx, conn)
	if err != nil {
		conn.Close()
		wrong := s.wrong(activity, err, nil)
		wrong.unsent = true // that was a question
		return session{}, wrong
	}
	var r rights = direct{id}
	if s.config.Procedures {
		r = procedures{id}
	}
	return session{conn, id, r}, nil
}

// write sends one statement that changes something, to a server that says that
// it is no replica: an account that is made on a replica, which somebody with
// enough rights can do in spite of read_only, stops its replication.
func (s *Server) write(ctx context.Context, activity string, number1396 error, build func(rights) statement) error {
	conn, err := s.session(ctx, activity)
	if err != nil {
		return err
	}
	defer conn.Close()
	if conn.id.ReadOnly {
		return &Error{Server: s.config.Name, Activity: activity, Kind: ErrReadOnly, unsent: true}
	}
	st := build(conn.rights)
	if _, err := conn.ExecContext(ctx, st.text, st.values()...); err != nil {
		return s.wrong(activity, err, number1396)
	}
	return nil
}

// read collects the rows of one question.
func read[T any](ctx context.Context, s *Server, activity string, build func(rights) statement, scan func(*sql.Rows) (T, error)) ([]T, error) {
	conn, err := s.session(ctx, activity)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return query(ctx, s, conn, activity, build(conn.rights), scan)
}

func query[T any](ctx context.Context, s *Server, conn session, activity string, st statement, scan func(*sql.Rows) (T, error)) (all []T, err error) {
	rows, err := conn.QueryContext(ctx, st.text, st.values()...)
	if err != nil {
		return nil, s.wrong(activity, err, nil)
	}
	defer rows.Close()
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, s.wrong(activity, errUnreadable, nil)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		return nil, s.wrong(activity, err, nil)
	}
	return all, nil
}

var errUnreadable = errors.New("the answer is not of the expected form")
