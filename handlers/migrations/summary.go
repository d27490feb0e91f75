package migrations

import (
	"fmt"
	"strings"
)

// Summary is what a preview says of the migrations that a deploy brings: how
// many, what to expect while they run, then a line for each thing that a
// person should think about. It has no lines where there is nothing to say.
// Of files it needs those that are added or renamed; one that is not there
// counts as one that cannot be read.
func Summary(net []Finding, files map[Migration]File) []string {
	var runs, lines []string
	worst := Nothing
	for _, f := range net {
		switch f.Kind {
		case Removed:
			lines = append(lines, fmt.Sprintf("%s is removed, but what it did stays in the database.", f.Migration))
			continue
		case Edited, Revised:
			lines = append(lines, fmt.Sprintf("%s was edited after the fact: a database that has it never sees the edit.", f.Migration))
			continue
		case Renamed:
			lines = append(lines, fmt.Sprintf("%s was %s before: a database that has it under the old name runs it again.", f.Migration, f.Was))
		}
		runs = append(runs, f.Migration.String())
		file, ok := files[f.Migration]
		if !ok {
			file.Dynamic = []string{"the file was not read"}
		}
		for _, e := range file.Effects() {
			worst = max(worst, e.Level)
			if e.Level.Dangerous() {
				lines = append(lines, strings.TrimSuffix(fmt.Sprintf("%s %s (%s", f.Migration, e.What, e.Operation), " (")+closing(e))
			}
		}
		if file.NotAtomic {
			lines = append(lines, fmt.Sprintf("%s is not atomic: if it fails half-way, what it did until then stays.", f.Migration))
		}
	}
	if len(runs) == 0 {
		return lines
	}
	count, they := "1 schema migration: ", "It runs"
	if len(runs) > 1 {
		count, they = fmt.Sprintf("%d schema migrations: ", len(runs)), "They run"
	}
	return append([]string{count + strings.Join(runs, ", ") + ". " + they + " before the new code is up: " + window(worst)}, lines...)
}

func closing(e Effect) string {
	if e.Operation == "" {
		return "."
	}
	return ")."
}

// window says what to expect of the old code, which serves on the changed
// tables from the migration on until the new code is up.
func window(worst Level) string {
	switch worst {
	case Nothing, Adds:
		return "only what the old code does not mind."
	case Unclear:
		return "errors of the old code are possible until then."
	}
	return "expect errors of the old code until then."
}
