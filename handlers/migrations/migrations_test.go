package migrations

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestName(t *testing.T) {
	long := "0039_" + strings.Repeat("performance_alert_summary_", 5)
	for path, want := range map[string]string{
		"treeherder/model/migrations/0031_add_index.py":                                      "model/0031_add_index",
		"treeherder/model/migrations/0016_enforce repository name uniqueness.py":             "model/0016_enforce repository name uniqueness",
		"treeherder/model/migrations/0008__add_best_fields_to_failureline.py":                "model/0008__add_best_fields_to_failureline",
		"treeherder/perf/migrations/" + long + ".py":                                         "perf/" + long,
		"treeherder/perf/migrations/0001_squashed_0068_x.py":                                 "perf/0001_squashed_0068_x",
		"treeherder/changelog/migrations/initial.py":                                         "changelog/initial",
		"treeherder/model/migrations/0010_remove_TextLogSummary.py":                          "model/0010_remove_TextLogSummary",
		"treeherder/model/migrations/__init__.py":                                            "",
		"treeherder/model/migrations/_0031_add_index.py":                                     "",
		"treeherder/model/migrations/~0031_add_index.py":                                     "",
		"treeherder/model/migrations/.0031_add_index.py":                                     "",
		"treeherder/model/migrations/0031.add_index.py":                                      "",
		"treeherder/model/migrations/0031_add_index.pyc":                                     "",
		"treeherder/model/migrations/0031_add_index.py.orig":                                 "",
		"treeherder/model/migrations/.py":                                                    "",
		"treeherder/model/migrations/old/0031_add_index.py":                                  "",
		"treeherder/model/tests/migrations/0031_add_index.py":                                "",
		"tests/treeherder/model/migrations/0031_add_index.py":                                "",
		"/treeherder/model/migrations/0031_add_index.py":                                     "",
		"treeherder/migrations/0031_add_index.py":                                            "",
		"treeherder/model/migrations/sql/0031_add_index.sql":                                 "",
		"treeherder/model/migrations/0001_squashed_0022_modify_bugscache_and_bugjobmap.py\n": "",
		"": "",
	} {
		m, ok := Name(path)
		if got := m.String(); ok != (want != "") || ok && (got != want || m.Path() != path) {
			t.Errorf("Name(%q) = %q, %v, want %q", path, got, ok, want)
		}
	}
}

// TestNameAndPath: what Django would load has a name, and the name leads back.
func TestNameAndPath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		app := rapid.StringMatching(`[^/\n]{1,9}`).Draw(t, "app")
		name := rapid.StringMatching(`[^/._~\n][^/.\n]{0,150}`).Draw(t, "name")
		path := Migration{app, name}.Path()
		m, ok := Name(path)
		if !utf8.ValidString(path) {
			return
		}
		if !ok || m != (Migration{app, name}) {
			t.Errorf("Name(%q) = %v, %v", path, m, ok)
		}
	})
}
