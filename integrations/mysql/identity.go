package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Identity is what a server says of itself. Every account may ask.
type Identity struct {
	ID            uint64 // server_id
	UUID          string // MySQL's server_uuid, MariaDB's server_uid; empty: an old MariaDB
	Hostname      string
	Version       string // "8.0.36-google", "10.11.19-MariaDB"
	MariaDB       bool
	ReadOnly      bool
	SuperReadOnly bool // administrators too; MariaDB has nothing like it
}

// Identity asks the server who it is.
func (s *Server) Identity(ctx context.Context) (Identity, error) {
	conn, err := s.session(ctx, "asking the server who it is")
	if err != nil {
		return Identity{}, err
	}
	return conn.id, conn.Close()
}

// identify does not name the variables with @@, since a server refuses a
// statement with one that it does not know.
func identify(ctx context.Context, conn *sql.Conn) (Identity, error) {
	rows, err := conn.QueryContext(ctx, "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_id', 'server_uuid',"+
		" 'server_uid', 'hostname', 'version', 'version_comment', 'read_only', 'super_read_only')")
	if err != nil {
		return Identity{}, err
	}
	defer rows.Close()
	vars := map[string]string{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return Identity{}, errUnreadable
		}
		vars[name] = value
	}
	if err := rows.Err(); err != nil {
		return Identity{}, err
	}
	i := Identity{Hostname: vars["hostname"], Version: vars["version"], UUID: vars["server_uuid"] + vars["server_uid"]}
	i.MariaDB = strings.Contains(strings.ToLower(vars["version"]+vars["version_comment"]), "mariadb")
	if i.ID, err = strconv.ParseUint(vars["server_id"], 10, 64); err != nil || i.Version == "" || vars["read_only"] == "" {
		return Identity{}, errUnreadable
	}
	// MariaDB 12 has more ways to be read-only than ON.
	i.ReadOnly = vars["read_only"] != "OFF"
	i.SuperReadOnly = vars["super_read_only"] == "ON"
	return i, nil
}

// ReplicaOf says why a server cannot be handed out as the replica of primary,
// or nil. The error wraps [ErrNotReplica].
func (i Identity) ReplicaOf(primary Identity) error {
	if doubt := i.doubt(primary); doubt != nil {
		return fmt.Errorf("%w: %w", ErrNotReplica, doubt)
	}
	return nil
}

func (i Identity) doubt(primary Identity) error {
	switch {
	case i.ID == primary.ID:
		return fmt.Errorf("it has the server_id of the primary, %d", i.ID)
	case i.UUID != "" && i.UUID == primary.UUID:
		return errors.New("it has the server_uuid of the primary")
	case !i.ReadOnly:
		return errors.New("its read_only is off")
	}
	return nil
}

// Distinct says why two configurations cannot be those of a primary and its
// replica, as far as that can be told without asking either, or nil.
func Distinct(primary, replica Config) error {
	switch {
	case strings.EqualFold(primary.Address, replica.Address):
		return errors.New("primary and replica have the same address")
	case primary.TLS.Instance != "" && primary.TLS.Instance == replica.TLS.Instance:
		return fmt.Errorf("primary and replica are the same instance, %q", primary.TLS.Instance)
	}
	return nil
}

// KeepsOldPassword reports whether the password that ChangePassword replaces
// works on, until DiscardOldPassword (MySQL 8.0.14, WL#11540).
func (i Identity) KeepsOldPassword() bool { return !i.MariaDB && i.since(8, 0, 14) }

// comments reports whether accounts can have one (MySQL 8.0.21).
func (i Identity) comments() bool { return !i.MariaDB && i.since(8, 0, 21) }

// since compares the version with one.
func (i Identity) since(version ...int) bool {
	parts := strings.FieldsFunc(i.Version, func(r rune) bool { return r < '0' || r > '9' })
	for k, least := range version {
		if k == len(parts) {
			return false
		}
		n, err := strconv.Atoi(parts[k])
		if err != nil || n != least {
			return n > least
		}
	}
	return true
}
