package handlers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/handlers/migrations"
	"thbot/integrations/github"
)

const (
	// lookedBack is how many commits of each app's migrations are looked at for
	// edits. The older ones were there when the databases were.
	lookedBack = 20
	// mostBackups is on how many branches that resets have kept the file of an
	// orphan is looked for.
	mostBackups = 3
)

// edited is a migration that was changed after the database had applied it.
type edited struct {
	migrations.Migration
	Applied time.Time
	By      github.Commit
}

// trace is what is left of the file of an orphan.
type trace struct {
	none    string // why nothing is known
	file    migrations.File
	kept    string               // the branch of a reset that has it
	gone    string               // the commit that took it away
	renamed migrations.Migration // what that commit called it
}

// lookBack looks in the history for what the comparison itself does not need:
// edits, and the files of orphans. What is not told soon is said to be missing.
func (m Migrations) lookBack(ctx context.Context, c *comparison, rows []migrations.Row) {
	ctx, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	applied := map[migrations.Migration]time.Time{}
	for _, r := range rows {
		if first, again := applied[r.Migration]; !again || r.Applied.Before(first) {
			applied[r.Migration] = r.Applied
		}
	}
	labels := map[string]bool{}
	for m := range c.files {
		labels[m.App] = true
	}
	for _, app := range slices.Sorted(maps.Keys(labels)) {
		found, older, err := m.Schemas.edits(ctx, c.commit, app, applied)
		c.edited = append(c.edited, found...)
		if err != nil {
			c.unseen = append(c.unseen, "edits of "+app+"'s migrations")
		} else if older {
			c.older = append(c.older, app)
		}
	}
	c.traces = map[migrations.Migration]trace{}
	if len(c.Orphans) == 0 {
		return
	}
	var kept []github.Branch
	if c.env.ResetTo != "" {
		var err error
		if kept, err = m.GitHub.Branches(ctx, backupOf(c.env.Branch)); err != nil {
			c.unseen = append(c.unseen, "what resets have kept")
		}
		slices.Reverse(kept) // by name, which has the date
		kept = kept[:min(mostBackups, len(kept))]
	}
	for _, o := range c.Orphans[:min(mostTold, len(c.Orphans))] {
		t, err := m.Schemas.trace(ctx, c.commit, o.Migration, kept)
		switch {
		case errors.Is(err, bot.ErrNotFound):
			t.none = "its file was not found, so what it did is not known"
		case err != nil:
			t.none = "GitHub has not said what it did"
		}
		c.traces[o.Migration] = t
	}
}

// edits are the migrations of an app that the newest commits up to sha have
// changed after they were applied. older says that there may be others, by
// earlier commits. With an error there may be others, too.
func (s *Schemas) edits(ctx context.Context, sha, app string, applied map[migrations.Migration]time.Time) (found []edited, older bool, err error) {
	log, err := s.github.LogOf(ctx, sha, "treeherder/"+app+"/migrations", lookedBack)
	if err != nil {
		return nil, false, err
	}
	older = len(log) == lookedBack
	slices.Reverse(log)
	shas := make([]string, len(log))
	when := map[string]github.Commit{}
	for i, c := range log {
		shas[i], when[c.SHA] = c.SHA, c
	}
	changed, never, _, err := s.commits(ctx, shas)
	if len(never) > 0 {
		err = errors.Join(err, errors.New("nobody can tell what these change: "+strings.Join(never, ", ")))
	}
	late := map[migrations.Migration][]migrations.Finding{}
	for _, f := range migrations.Changes(commitsOf(shas, changed)) {
		for _, m := range []migrations.Migration{f.Migration, f.Was} {
			if at, ok := applied[m]; ok && when[f.SHA].When.After(at) {
				late[m] = append(late[m], f)
			}
		}
	}
	for m, after := range late {
		last := when[after[len(after)-1].SHA]
		if after[0].Migration == m && (after[0].Kind == migrations.Added || after[0].Kind == migrations.Renamed) {
			after = after[1:] // it was applied by hand before it came
		}
		// What was taken away and came back counts as edited, too.
		if slices.ContainsFunc(migrations.Net(after), func(f migrations.Finding) bool { return f.Migration == m && f.Kind == migrations.Edited }) {
			found = append(found, edited{m, applied[m], last})
		}
	}
	slices.SortFunc(found, func(a, b edited) int { return cmp.Compare(a.Name, b.Name) })
	return found, older, err
}

// trace looks for the file of a migration that is not at sha: on the branches
// that resets have kept, and in what led to sha. The error wraps
// [bot.ErrNotFound] where there is none.
func (s *Schemas) trace(ctx context.Context, sha string, m migrations.Migration, kept []github.Branch) (trace, error) {
	if named, ok := migrations.Name(m.Path()); !ok || named != m {
		return trace{}, fmt.Errorf("no file is called %q: %w", m, bot.ErrNotFound)
	}
	for _, b := range kept {
		blobs, err := s.blobs(ctx, b.SHA)
		if err != nil && !errors.Is(err, bot.ErrNotFound) {
			return trace{}, err
		}
		if blob, ok := blobs[m]; ok {
			f, err := s.file(ctx, blob)
			return trace{file: f, kept: b.Name}, err
		}
	}
	var none *github.RefError
	log, err := s.github.LogOf(ctx, sha, m.Path(), 1)
	if errors.As(err, &none) || err == nil && len(log) == 0 {
		return trace{}, fmt.Errorf("no commit had %q: %w", m, bot.ErrNotFound)
	}
	if err != nil {
		return trace{}, err
	}
	changed, _, _, err := s.commits(ctx, []string{log[0].SHA})
	if err != nil {
		return trace{}, err
	}
	for _, f := range changed[0] {
		t := trace{gone: log[0].SHA}
		switch {
		case f.Status == github.Removed && f.Path == m.Path():
		case f.Status == github.Renamed && f.Previous == m.Path():
			t.renamed, _ = migrations.Name(f.Path)
		default:
			continue
		}
		t.file, err = s.file(ctx, f.Blob)
		return t, err
	}
	return trace{}, fmt.Errorf("commit %s did not take %q away: %w", deploys.Short(log[0].SHA), m, bot.ErrNotFound)
}
