package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/mysql/mariadbpair"
)

// databases are those that the bot works on.
type databases struct {
	Starting bool       `json:"starting"`          // the bot waits for them
	Missing  string     `json:"missing,omitempty"` // why there are none
	List     []database `json:"list"`
}

// database is a primary, of which people are told nothing, and the replica that
// they can be given.
type database struct {
	Name        string    `json:"name"`      // of the app
	Replica     string    `json:"replica"`   // its address
	CA          string    `json:"ca"`        // the file of who signed its certificate
	ReadOnly    bool      `json:"read_only"` // the primary takes no changes
	Replicating bool      `json:"replicating"`
	Behind      bool      `json:"behind"`          // the replica lacks what the primary has
	CutOff      bool      `json:"cut_off"`         // nobody reaches the replica
	Accounts    []account `json:"accounts"`        // on the primary
	Wrong       string    `json:"wrong,omitempty"` // what kept it from being looked at
}

type account struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"` // person, service or bot
	TLS    bool   `json:"tls"`  // it can log in with TLS alone
	Locked bool   `json:"locked"`
}

// startAll starts the databases, if it can, and then the bot.
func (sc *scene) startAll(ctx context.Context, times string) {
	starting, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	missing := whyMissing(sc.StartDatabases(starting, sc.data))
	if ctx.Err() != nil {
		return
	}
	sc.mu.Lock()
	sc.missing = missing
	sc.mu.Unlock()
	if err := sc.startBot(times); err != nil {
		sc.bot.failed(err)
	}
}

// whyMissing says why there are none, in a line or two.
func whyMissing(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, mariadbpair.ErrNone):
		return "This machine has no MariaDB, so there are none. To have them: apt-get install mariadb-server-core"
	}
	return fmt.Sprintf("They did not start: %v", err)
}

// tellDatabases prints what became of them.
func (s *sandbox) tellDatabases(sc *scene) {
	<-sc.begun
	switch st := sc.databases(context.Background()); {
	case st.Missing != "":
		s.print("Databases: " + st.Missing)
	case len(st.List) > 0:
		s.print("The databases of " + strings.Join(world.WithDatabase, " and ") + " are there, and the bot is started.")
	}
}

// starting reports whether the bot waits for the databases.
func (sc *scene) starting() bool {
	select {
	case <-sc.begun:
		return false
	default:
		return true
	}
}

func (sc *scene) databases(ctx context.Context) databases {
	sc.mu.Lock()
	st := databases{Starting: sc.starting(), Missing: sc.missing, List: []database{}}
	sc.mu.Unlock()
	if st.Starting {
		return st
	}
	all := sc.Databases()
	for _, name := range world.WithDatabase {
		if d := all[name]; d != nil {
			st.List = append(st.List, look(ctx, name, d))
		}
	}
	sc.mu.Lock()
	sc.looked = st.List
	sc.mu.Unlock()
	return st
}

// look sees how a database is.
func look(ctx context.Context, name string, d *world.Database) database {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	st := database{Name: name, Replica: d.Address(), CA: d.CA, CutOff: d.IsCut(), Accounts: []account{}}
	var has, got, running string
	err := errors.Join(
		d.Primary.Root().QueryRowContext(ctx, "SELECT @@read_only, @@gtid_binlog_pos").Scan(&st.ReadOnly, &has),
		d.Replica.Root().QueryRowContext(ctx, "SELECT @@gtid_slave_pos, VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'Slave_running'").Scan(&got, &running))
	st.Replicating, st.Behind = running == "ON", got != has
	if err == nil {
		st.Accounts, err = accounts(ctx, d.Primary.Root())
	}
	if err != nil {
		st.Wrong = sentence(err)
	}
	return st
}

// accounts are those of people, then of services, then the bot's. MariaDB keeps
// whether an account is locked nowhere but in mysql.global_priv.
func accounts(ctx context.Context, primary *sql.DB) ([]account, error) {
	list := []account{}
	rows, err := primary.QueryContext(ctx, `SELECT u.User, u.ssl_type <> '', COALESCE(JSON_VALUE(p.Priv, '$.account_locked'), 0) = 1
		FROM mysql.user u JOIN mysql.global_priv p ON p.User = u.User AND p.Host = u.Host
		WHERE u.Host = '%' AND u.User <> '' ORDER BY u.User`)
	if err != nil {
		return list, err
	}
	defer rows.Close()
	for rows.Next() {
		a := account{Kind: "service"}
		if err := rows.Scan(&a.Name, &a.TLS, &a.Locked); err != nil {
			return list, err
		}
		switch {
		case a.Name == world.DatabaseUser:
			a.Kind = "bot"
		case strings.HasPrefix(a.Name, "ro_"):
			a.Kind = "person"
		}
		list = append(list, a)
	}
	order := []string{"person", "service", "bot"}
	slices.SortStableFunc(list, func(a, b account) int { return slices.Index(order, a.Kind) - slices.Index(order, b.Kind) })
	return list, rows.Err()
}
