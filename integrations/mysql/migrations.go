package mysql

import (
	"context"
	"database/sql"
	"time"
)

// Migration is a row of django_migrations: Django's belief that the database
// has this one. Nothing keeps it from being there twice.
type Migration struct {
	ID      int64
	App     string // "perf", "model", also Django's own, also apps that are gone
	Name    string // without .py
	Applied time.Time
}

// Applied lists the migrations that the database has, in the order in which
// they were applied.
func (s *Server) Applied(ctx context.Context) ([]Migration, error) {
	list := func(rights) statement {
		return stmt("SELECT id, app, name, applied FROM `" + Database + "`.django_migrations ORDER BY id")
	}
	return read(ctx, s, "reading which migrations the database has", list, func(rows *sql.Rows) (m Migration, err error) {
		err = rows.Scan(&m.ID, &m.App, &m.Name, &m.Applied)
		return m, err
	})
}
