package migrations

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Conflict is why Django would refuse to migrate an app.
type Conflict struct {
	App string
	// Leaves are the last migrations, where there is not exactly one: two new
	// ones that build on the same one. None at all: they build on each other.
	Leaves []string
	// Missing are migrations that others build on and that are not there.
	Missing []Missing
	// Unsure: some file of the app has dependencies that cannot be told.
	Unsure bool
}

// Missing is a dependency on a file that is not there.
type Missing struct{ Migration, Needs Migration }

func (c Conflict) String() string {
	var said []string
	switch {
	case len(c.Leaves) > 1:
		said = append(said, fmt.Sprintf("Conflicting migrations: multiple leaf nodes in the migration graph (%s in %s).", strings.Join(c.Leaves, ", "), c.App))
	case len(c.Missing) == 0:
		said = append(said, fmt.Sprintf("The migrations of %s depend on each other in a circle.", c.App))
	}
	for _, m := range c.Missing {
		said = append(said, fmt.Sprintf("Migration %s depends on %s, which is not there.", m.Migration, m.Needs))
	}
	if c.Unsure {
		said = append(said, "Some of their dependencies are put together by code, so this is not certain.")
	}
	return strings.Join(said, " ")
}

// Leaves finds the apps whose migrations Django would refuse, sorted. It takes
// all migrations of the repository. Of other apps, such as Django's own auth,
// nothing is known, and nothing said. Squashed migrations take the place of
// those that they replace, as in a database that has all or none of these
// (MigrationGraph.remove_replaced_nodes).
func Leaves(files map[Migration]File) []Conflict {
	apps := map[string]*Conflict{}
	all := slices.SortedFunc(maps.Keys(files), Migration.compare)
	replaced := map[Migration]Migration{}
	for _, m := range all {
		if apps[m.App] == nil {
			apps[m.App] = &Conflict{App: m.App}
		}
		if len(files[m].Untold) > 0 {
			apps[m.App].Unsure = true
		}
		for _, r := range files[m].Replaces {
			if r != m {
				replaced[r] = m
			}
		}
	}
	node := func(m Migration) Migration {
		for range len(replaced) { // else they replace each other
			r, ok := replaced[m]
			if !ok {
				break
			}
			m = r
		}
		return m
	}
	followed := map[Migration]bool{}
	edge := func(said, child, parent Migration) {
		for _, m := range []Migration{child, parent} {
			// Only a dependency on one's own "__first__" says nothing to Django,
			// and for another app both names say whichever it is.
			special := m.Name == "__first__" || m.Name == "__latest__" && m.App != said.App
			if special || apps[m.App] == nil {
				return
			}
			if _, ok := files[node(m)]; !ok {
				c := apps[said.App]
				if miss := (Missing{said, m}); !slices.Contains(c.Missing, miss) {
					c.Missing = append(c.Missing, miss)
				}
				return
			}
		}
		if child, parent = node(child), node(parent); child != parent && child.App == parent.App {
			followed[parent] = true
		}
	}
	for _, m := range all {
		for _, d := range files[m].Dependencies {
			edge(m, m, d)
		}
		for _, b := range files[m].RunBefore {
			edge(m, b, m)
		}
	}
	for _, m := range all {
		if node(m) == m && !followed[m] {
			apps[m.App].Leaves = append(apps[m.App].Leaves, m.Name)
		}
	}
	var found []Conflict
	for _, app := range slices.Sorted(maps.Keys(apps)) {
		if c := apps[app]; len(c.Leaves) != 1 || len(c.Missing) > 0 {
			found = append(found, *c)
		}
	}
	return found
}
