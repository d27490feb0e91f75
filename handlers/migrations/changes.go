package migrations

import (
	"iter"
	"maps"
	"slices"
)

// Change is what a commit did to one file, in GitHub's words.
type Change struct {
	Path, Previous string // Previous: of a renamed one
	Status         string // added, removed, modified, renamed, copied, changed or unchanged
}

// Commit is what one commit did.
type Commit struct {
	SHA     string
	Changes []Change
}

// Kind is what happened to a migration.
type Kind string

const (
	Added   Kind = "added"
	Renamed Kind = "renamed" // to Django: a new one, and a row in the database without a file
	Removed Kind = "removed" // what it did stays in the database
	Edited  Kind = "edited"  // after the fact: a database that has it never sees the edit
	// Revised is edited by a later commit of the range that made it. Only
	// where the commits between were deployed, as stage's are, is it after the fact.
	Revised Kind = "revised"
)

// Finding is what happened to one migration.
type Finding struct {
	SHA       string // of the commit, which must have one; empty in what Net returns
	Kind      Kind
	Migration Migration
	Was       Migration // before it was renamed
	// Undone: it was not there before the range and is not there after it. A
	// database that saw the commits between may still have it.
	Undone bool
}

// Changes lists what commits did to migrations, the oldest first, as the
// commits must be. It lists each commit's doing and not only what is left of
// it, since stage deploys each commit and its database has seen them all.
func Changes(commits []Commit) []Finding {
	var all []Finding
	for _, c := range commits {
		for _, change := range c.Changes {
			if f, ok := finding(change); ok {
				f.SHA = c.SHA
				all = append(all, f)
			}
		}
	}
	before, after := ends(all)
	for i, f := range all {
		all[i].Undone = !before[f.Migration] && !after[f.Migration]
		if f.Kind == Edited && !before[f.Migration] {
			all[i].Kind = Revised
		}
	}
	return all
}

func finding(c Change) (Finding, bool) {
	m, ok := Name(c.Path)
	was, had := Name(c.Previous)
	switch c.Status {
	case "unchanged":
		return Finding{}, false
	case "added", "copied":
		return Finding{Kind: Added, Migration: m}, ok
	case "removed":
		return Finding{Kind: Removed, Migration: m}, ok
	case "renamed":
		switch {
		case ok && had && m != was:
			return Finding{Kind: Renamed, Migration: m, Was: was}, true
		case ok && !had:
			return Finding{Kind: Added, Migration: m}, true
		case had && !ok:
			return Finding{Kind: Removed, Migration: was}, true
		}
	}
	return Finding{Kind: Edited, Migration: m}, ok
}

// ends says which of the migrations were there before all findings, and after.
func ends(all []Finding) (before, after map[Migration]bool) {
	before, after = map[Migration]bool{}, map[Migration]bool{}
	set := func(m Migration, was, is bool) {
		if _, known := after[m]; !known {
			before[m] = was
		}
		after[m] = is
	}
	for one := range commits(all) {
		for _, f := range one {
			switch f.Kind {
			case Removed:
				set(f.Migration, true, false)
			case Renamed:
				set(f.Was, true, false)
			}
		}
		for _, f := range one {
			switch f.Kind {
			case Added, Renamed:
				set(f.Migration, false, true)
			case Edited, Revised:
				set(f.Migration, true, true)
			}
		}
	}
	return before, after
}

// commits are the findings of one commit after the other. What one commit does
// it does at once: it may rename 0081 to 0082 and 0080 to 0081.
func commits(all []Finding) iter.Seq[[]Finding] {
	return func(yield func([]Finding) bool) {
		for len(all) > 0 {
			n := 1
			for n < len(all) && all[n].SHA == all[0].SHA {
				n++
			}
			if !yield(all[:n]) {
				return
			}
			all = all[n:]
		}
	}
}

// Net is what is left of findings, as [Changes] returns them, for a database
// that sees only the end: one finding for each migration, sorted. One that was
// removed and added again counts as edited, since its text may be another.
func Net(all []Finding) []Finding {
	before, after := ends(all)
	origin := map[Migration]Migration{} // what those that were renamed were called at first
	for one := range commits(all) {
		now := map[Migration]Migration{}
		for _, f := range one {
			switch f.Kind {
			case Renamed:
				now[f.Migration] = f.Was
				if from, ok := origin[f.Was]; ok {
					now[f.Migration] = from
				}
			case Added:
				now[f.Migration] = f.Migration
			}
		}
		maps.Copy(origin, now)
	}
	renamed := map[Migration]bool{}
	var net []Finding
	for m := range after {
		was := origin[m]
		switch {
		case !before[m] && after[m] && before[was] && !after[was]:
			renamed[was] = true
			net = append(net, Finding{Kind: Renamed, Migration: m, Was: was})
		case !before[m] && after[m]:
			net = append(net, Finding{Kind: Added, Migration: m})
		case before[m] && after[m]:
			net = append(net, Finding{Kind: Edited, Migration: m})
		case before[m]:
			net = append(net, Finding{Kind: Removed, Migration: m})
		}
	}
	net = slices.DeleteFunc(net, func(f Finding) bool { return f.Kind == Removed && renamed[f.Migration] })
	slices.SortFunc(net, func(a, b Finding) int { return a.Migration.compare(b.Migration) })
	return net
}
