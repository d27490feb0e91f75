// Package migrations reads Django's schema migrations as text: which ones a
// range of commits adds, renames, removes or edits, what each does to the
// database, and whether their graph still has one end. Nothing of them is
// ever executed. What cannot be told from a file is said to be so and counted
// as dangerous, never as harmless.
package migrations

import (
	"cmp"
	"regexp"
	"strings"
)

// Migration names a migration as the table django_migrations does: its row
// has exactly these two.
type Migration struct {
	App  string `json:"app"`  // the label: "model"
	Name string `json:"name"` // the file's name without ".py": "0031_add_index"
}

func (m Migration) String() string { return m.App + "/" + m.Name }

// Path is where the repository keeps the file of m.
func (m Migration) Path() string { return "treeherder/" + m.App + "/migrations/" + m.Name + ".py" }

func (m Migration) compare(n Migration) int {
	return cmp.Or(strings.Compare(m.App, n.App), strings.Compare(m.Name, n.Name))
}

// Treeherder's history has names with spaces, with two underscores, of more
// than a hundred characters, and two with one number in one app. Django gives
// names no meaning, so there is nothing more to ask of them.
var file = regexp.MustCompile(`^treeherder/([^/]+)/migrations/([^/]+)\.py$`)

// Name reads the path of a file in the repository. False: Django would not
// take that file for a migration.
func Name(path string) (Migration, bool) {
	m := file.FindStringSubmatch(path)
	// MigrationLoader.load_disk skips names that begin with "_" or "~", and
	// pkgutil.iter_modules skips what cannot be a module for its dot.
	if m == nil || strings.ContainsAny(m[2][:1], "_~") || strings.Contains(m[2], ".") {
		return Migration{}, false
	}
	return Migration{App: m[1], Name: m[2]}, true
}
