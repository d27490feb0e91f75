// Package mariadbpair runs a private MariaDB primary and its read-only replica,
// on loopback and with TLS: for tests, and for the sandbox. Both hold a small
// Treeherder database.
//
// # Limitations
//
// It is MariaDB, not the MySQL of Google Cloud SQL: accounts have no comments
// and no second password, and there is no super_read_only.
package mariadbpair

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"thbot/integrations/internal/mariadb"
)

// ErrNone says that this machine has no MariaDB.
var ErrNone = mariadb.ErrNone

// Names in the servers' certificates. No resolver knows them.
const (
	PrimaryName = "primary.db.test"
	ReplicaName = "replica.db.test"
)

// Pair is a primary and its replica.
type Pair struct {
	Primary, Replica *Node
	Authority        *Authority // that signed their certificates
}

// Start starts the two, with their data in dir, which takes a few seconds. They
// end when Close is called or this process dies. Without MariaDB the error wraps
// [ErrNone].
func Start(ctx context.Context, dir string) (*Pair, error) {
	program, err := mariadb.Find()
	if err != nil {
		return nil, err
	}
	authority, err := NewAuthority("thbot's pretend database CA")
	if err != nil {
		return nil, err
	}
	p := &Pair{Authority: authority}
	if err := p.start(ctx, program, dir); err != nil {
		return nil, errors.Join(fmt.Errorf("starting a primary and a replica: %w", err), p.Close())
	}
	return p, nil
}

func (p *Pair) start(ctx context.Context, program mariadb.Program, dir string) (err error) {
	data := map[string]string{}
	for _, name := range []string{PrimaryName, ReplicaName} {
		data[name] = filepath.Join(dir, name)
		if err := os.Mkdir(data[name], 0o700); err != nil {
			return err
		}
	}
	if err := program.Install(ctx, data[PrimaryName]); err != nil {
		return err
	}
	if err := os.CopyFS(data[ReplicaName], os.DirFS(data[PrimaryName])); err != nil {
		return err
	}
	root, replication := rand.Text(), rand.Text()
	if p.Primary, err = p.node(ctx, program, data[PrimaryName], PrimaryName, 1, root); err != nil {
		return err
	}
	if p.Replica, err = p.node(ctx, program, data[ReplicaName], ReplicaName, 2, root, "--read-only=1"); err != nil {
		return err
	}
	// The replica gets all of this by replication.
	if err := p.Primary.Run(ctx, fmt.Sprintf("CREATE USER 'replication'@'127.0.0.1' IDENTIFIED BY '%s';\n"+
		"GRANT REPLICATION SLAVE ON *.* TO 'replication'@'127.0.0.1';\n", replication)+treeherder); err != nil {
		return err
	}
	_, port := p.Primary.hostPort()
	err = p.Replica.Run(ctx, fmt.Sprintf("CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = %s,"+
		" MASTER_USER = 'replication', MASTER_PASSWORD = '%s', MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1;\nSTART REPLICA;\n",
		port, replication))
	if err != nil {
		return err
	}
	return p.CatchUp(ctx)
}

// Close kills both servers. Their data stay in the folder that Start was given.
func (p *Pair) Close() error {
	var errs []error
	for _, n := range []*Node{p.Replica, p.Primary} {
		if n != nil {
			errs = append(errs, n.close())
		}
	}
	return errors.Join(errs...)
}

// CatchUp waits until the replica has all that the primary has now.
func (p *Pair) CatchUp(ctx context.Context) error {
	var position string
	if err := p.Primary.root.QueryRowContext(ctx, "SELECT @@gtid_binlog_pos").Scan(&position); err != nil {
		return fmt.Errorf("asking the primary how far it is: %w", err)
	}
	for ctx.Err() == nil { // in short waits, of which the context can end the rest
		var result int
		if err := p.Replica.root.QueryRowContext(ctx, "SELECT MASTER_GTID_WAIT(?, 0.2)", position).Scan(&result); err != nil {
			return fmt.Errorf("waiting for the replica: %w", err)
		}
		if result == 0 {
			return nil
		}
		if stopped, err := p.stopped(ctx); err != nil || stopped != "" {
			return errors.Join(err, fmt.Errorf("waiting for the replica: it has stopped: %s", stopped))
		}
	}
	return fmt.Errorf("waiting for the replica: %w", ctx.Err())
}

// stopped is why the replica does not go on, or "".
func (p *Pair) stopped(ctx context.Context) (string, error) {
	status, err := p.Replica.row(ctx, "SHOW REPLICA STATUS")
	if err != nil {
		return "", err
	}
	if status["Slave_SQL_Running"] == "No" {
		return "its SQL thread does not run " + status["Last_SQL_Error"], nil
	}
	return "", nil
}

// StopApplying makes the replica lag behind, until StartApplying.
func (p *Pair) StopApplying(ctx context.Context) error {
	return p.Replica.Run(ctx, "STOP REPLICA SQL_THREAD;\n")
}

// StartApplying lets the replica catch up.
func (p *Pair) StartApplying(ctx context.Context) error {
	return p.Replica.Run(ctx, "START REPLICA SQL_THREAD;\n")
}

// Delay makes the replica lag by seconds.
func (p *Pair) Delay(ctx context.Context, seconds int) error {
	return p.Replica.Run(ctx, fmt.Sprintf("STOP REPLICA;\nCHANGE MASTER TO MASTER_DELAY = %d;\nSTART REPLICA;\n", seconds))
}

// StopReplication cuts the replica off, until StartReplication.
func (p *Pair) StopReplication(ctx context.Context) error {
	return p.Replica.Run(ctx, "STOP REPLICA;\n")
}

// StartReplication connects the replica again.
func (p *Pair) StartReplication(ctx context.Context) error {
	return p.Replica.Run(ctx, "START REPLICA;\n")
}
