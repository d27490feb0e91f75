package migrations

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Row is a row of the table django_migrations: a database's belief that it has
// a migration.
type Row struct {
	ID int64
	Migration
	Applied time.Time
}

// Drift is where the files of a commit and the rows of a database do not fit.
type Drift struct {
	Pending []Migration // a file, and no row
	Orphans []Row       // a row, and no file
	Twice   []Twice     // several rows
	// Refused are applied, but what they depend on is not: Django applies nothing
	// then (MigrationLoader.check_consistent_history).
	Refused []Missing
	Fit     int // how many files have their row
	Known   int // how many orphans are not told, since they are known
	// Foreign counts the rows that were left out, by their app: Django's own, and
	// whatever else the code has no files of.
	Foreign map[string]int
}

// Twice is a migration with several rows, which nothing keeps from being.
type Twice struct {
	First Row
	Later []Row
}

// gone are apps that Treeherder had. Their rows are in its databases still.
var gone = []string{"credentials", "seta"}

// Compare compares all migrations of the repository with the rows of a
// database, in any order. Orphans that known names, as [Migration.String]
// does, are not told. Names differ as they do in Python: by every letter.
func Compare(files map[Migration]File, rows []Row, known []string) Drift {
	d := Drift{Foreign: map[string]int{}}
	labels := map[string]bool{}
	for _, app := range gone {
		labels[app] = true
	}
	for m := range files {
		labels[m.App] = true
	}
	first := map[Migration]Row{}
	later := map[Migration][]Row{}
	for _, r := range slices.SortedFunc(slices.Values(rows), func(a, b Row) int { return cmp.Compare(a.ID, b.ID) }) {
		switch _, again := first[r.Migration]; {
		case !labels[r.App]:
			d.Foreign[r.App]++
		case again:
			later[r.Migration] = append(later[r.Migration], r)
		default:
			first[r.Migration] = r
		}
	}
	has, stands := squashed(files, first)
	for _, m := range slices.SortedFunc(maps.Keys(files), Migration.compare) {
		switch {
		case has[m]:
			d.Fit++
			for _, needs := range files[m].Dependencies {
				if _, there := files[needs]; there && !has[needs] && !stands[needs] {
					d.Refused = append(d.Refused, Missing{m, needs})
				}
			}
		case !stands[m]:
			d.Pending = append(d.Pending, m)
		}
	}
	for _, m := range slices.SortedFunc(maps.Keys(first), Migration.compare) {
		_, there := files[m]
		switch {
		case !there && !stands[m] && !slices.Contains(known, m.String()):
			d.Orphans = append(append(d.Orphans, first[m]), later[m]...)
			continue
		case !there && !stands[m]:
			d.Known++
		}
		if len(later[m]) > 0 {
			d.Twice = append(d.Twice, Twice{first[m], later[m]})
		}
	}
	return d
}

// squashed says which of the files the database has, and what else another
// migration stands for, as MigrationLoader.build_graph does: a squashed one
// counts as applied once all that it replaces are, takes their place where none
// or all of them are, and steps back where some are.
func squashed(files map[Migration]File, rows map[Migration]Row) (has, stands map[Migration]bool) {
	has, stands = map[Migration]bool{}, map[Migration]bool{}
	for m := range files {
		_, has[m] = rows[m]
	}
	for m, f := range files {
		applied := 0
		for _, r := range f.Replaces {
			if _, ok := rows[r]; ok {
				applied++
			}
		}
		switch {
		case len(f.Replaces) == 0:
			continue
		case applied > 0 && applied < len(f.Replaces):
			has[m], stands[m] = false, true
			continue
		}
		has[m] = applied > 0
		for _, r := range f.Replaces {
			stands[r] = true
		}
	}
	return has, stands
}
