package migrations

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var applied = time.Date(2022, 3, 1, 12, 0, 0, 0, time.UTC)

// rowsOf are rows of names like "model/0001_initial", in that order.
func rowsOf(names ...string) (rows []Row) {
	for i, name := range names {
		rows = append(rows, Row{int64(i + 1), named(name), applied.Add(time.Duration(i) * time.Minute)})
	}
	return rows
}

func named(name string) Migration {
	app, file, _ := strings.Cut(name, "/")
	return Migration{app, file}
}

// drift is a Drift in short: names, and of rows also their ids.
type drift struct {
	pending, orphans, twice, refused string
	fit, known                       int
	foreign                          map[string]int
}

func short(d Drift) drift {
	s := drift{fit: d.Fit, known: d.Known, foreign: d.Foreign}
	var pending, orphans, twice, refused []string
	for _, m := range d.Pending {
		pending = append(pending, m.String())
	}
	for _, r := range d.Orphans {
		orphans = append(orphans, ids(r))
	}
	for _, two := range d.Twice {
		twice = append(twice, ids(append([]Row{two.First}, two.Later...)...))
	}
	for _, m := range d.Refused {
		refused = append(refused, m.Migration.String()+" needs "+m.Needs.String())
	}
	s.pending, s.orphans, s.twice, s.refused = strings.Join(pending, " "), strings.Join(orphans, " "), strings.Join(twice, " "), strings.Join(refused, ", ")
	return s
}

func ids(rows ...Row) string {
	s := rows[0].String()
	for _, r := range rows {
		s += "#" + string(rune('0'+r.ID))
	}
	return s
}

func TestCompare(t *testing.T) {
	files := map[Migration]File{
		{"model", "0001_initial"}: {}, {"model", "0016_enforce repository name uniqueness"}: {Dependencies: []Migration{{"model", "0001_initial"}}},
		{"perf", "0001_initial"}: {Dependencies: []Migration{{"auth", "0001_initial"}, {"model", "__first__"}}},
	}
	all := []string{"model/0001_initial", "model/0016_enforce repository name uniqueness", "perf/0001_initial"}
	for _, tt := range []struct {
		name  string
		rows  []string
		known []string
		want  drift
	}{
		{"everything fits", all, nil, drift{fit: 3}},
		{"no rows", nil, nil, drift{pending: strings.Join(all, " ")}},
		{"Django's own are left out", append([]string{"auth/0001_initial", "auth/0001_initial", "sites/0002"}, all...), nil,
			drift{fit: 3, foreign: map[string]int{"auth": 2, "sites": 1}}},
		{"pending, and what depends on it", all[1:], nil,
			drift{pending: all[0], fit: 2, refused: "model/0016_enforce repository name uniqueness needs model/0001_initial"}},
		{"an orphan", append([]string{"model/0043_perf_datum_bigint_table"}, all...), nil, drift{orphans: "model/0043_perf_datum_bigint_table#1", fit: 3}},
		{"of apps that are gone", append([]string{"seta/0001_initial", "credentials/0002_x"}, all...), nil,
			drift{orphans: "credentials/0002_x#2 seta/0001_initial#1", fit: 3}},
		{"a known one", append([]string{"seta/0001_initial", "model/0043"}, all...), []string{"seta/0001_initial", "model/0044"}, drift{orphans: "model/0043#2", fit: 3, known: 1}},
		{"twice", append(all, all[2], all[0], all[0]), nil, drift{twice: "model/0001_initial#1#5#6 perf/0001_initial#3#4", fit: 3}},
		{"an orphan twice", append(all, "model/0043", "model/0043"), nil, drift{orphans: "model/0043#4 model/0043#5", fit: 3}},
		{"a known one twice", append(all, "seta/1", "seta/1"), []string{"seta/1"}, drift{twice: "seta/1#4#5", fit: 3, known: 1}},
		{"upper case, spaces", append(all, "model/0001_Initial", "model/0001_initial ", "Model/0001_initial"), nil,
			drift{orphans: "model/0001_Initial#4 model/0001_initial #5", fit: 3, foreign: map[string]int{"Model": 1}}},
	} {
		if tt.want.foreign == nil {
			tt.want.foreign = map[string]int{}
		}
		rows := rowsOf(tt.rows...)
		slices.Reverse(rows) // they may come in any order
		if got := short(Compare(files, rows, tt.known)); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

// TestCompareSquashed holds against what Django does with a squashed migration
// (MigrationLoader.build_graph).
func TestCompareSquashed(t *testing.T) {
	squash := map[Migration]File{{"a", "0003_squash"}: {Replaces: []Migration{{"a", "0001"}, {"a", "0002"}}}, {"a", "0004"}: {Dependencies: []Migration{{"a", "0002"}}}}
	both := map[Migration]File{{"a", "0001"}: {}, {"a", "0002"}: {}}
	for m, f := range squash {
		both[m] = f
	}
	for _, tt := range []struct {
		name  string
		files map[Migration]File
		rows  []string
		want  drift
	}{
		{"new", squash, nil, drift{pending: "a/0003_squash a/0004"}},
		{"new, the old files still there", both, nil, drift{pending: "a/0003_squash a/0004"}},
		{"all that it replaces", squash, []string{"a/0001", "a/0002", "a/0004"}, drift{fit: 2}},
		{"all, and itself", both, []string{"a/0001", "a/0002", "a/0003_squash", "a/0004"}, drift{fit: 4}},
		{"half of it", both, []string{"a/0001"}, drift{pending: "a/0002 a/0004", fit: 1}},
		{"itself alone", squash, []string{"a/0003_squash", "a/0004"}, drift{pending: "a/0003_squash", fit: 1}},
	} {
		tt.want.foreign = map[string]int{}
		if got := short(Compare(tt.files, rowsOf(tt.rows...), nil)); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

func TestLeftovers(t *testing.T) {
	source := func(operations string) []byte {
		return []byte("from django.db import migrations, models\nimport other\n\nclass Migration(migrations.Migration):\n    operations = [" + operations + "]\n")
	}
	for operations, want := range map[string][]string{
		"": nil,
		`migrations.CreateModel("Job", []), migrations.AddField("push", "note", models.TextField(null=True))`: {"drop the column of push.note", "drop the table of Job"},
		`migrations.DeleteModel("Job")`:                                                         {"make the table of Job again; its rows are gone"},
		`migrations.RemoveField("job", "guid")`:                                                 {"add the column of job.guid again; what was in it is gone"},
		`migrations.RenameField("job", "a", "b")`:                                               {"rename the column of job.b to a"},
		`migrations.RenameModel("A", "B")`:                                                      {"rename the table of B to that of A"},
		`migrations.AlterModelTable("A", "b")`:                                                  {"rename the table of A to what it was"},
		`migrations.AlterField("job", "a", models.TextField())`:                                 {"change the column of job.a to what it was"},
		`migrations.AddIndex("job", models.Index(name="i"))`:                                    {"drop the index i of job"},
		`migrations.RemoveIndex("job", "i")`:                                                    {"add the index i of job again"},
		`migrations.AddConstraint("job", models.X(name="c"))`:                                   {"drop the constraint c of job"},
		`migrations.RemoveConstraint("job", "c")`:                                               {"add the constraint c of job again"},
		`migrations.AlterUniqueTogether("job", set())`:                                          {"change what is unique in job to what it was"},
		`migrations.AlterIndexTogether("job", set())`:                                           {"change the indexes of job to what they were"},
		`migrations.AlterModelOptions("job", {})`:                                               nil,
		`migrations.RunPython(migrations.RunPython.noop)`:                                       nil,
		`migrations.RunSQL("ALTER TABLE job ADD x INT", "")`:                                    {"by hand, what it did: it runs SQL: ALTER TABLE job ADD x INT"},
		`other.Thing("job")`:                                                                    {"by hand, what it did: it is an operation of its own, not one of Django's: Thing job"},
		`migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("Job")])`: nil,
	} {
		f, err := Read(source(operations))
		if got := f.Leftovers(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; want %q", operations, got, err, want)
		}
	}
	f, _ := Read([]byte("class {"))
	if got := f.Leftovers(); len(got) != 1 || !strings.Contains(got[0], "cannot be told") {
		t.Errorf("of what cannot be read: %q", got)
	}
}
