package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/errgroup"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/handlers/migrations"
	"thbot/integrations/github"
)

// sources are the files of the repository.
type sources interface {
	// Files are what a commit changes. The list never changes.
	Files(ctx context.Context, sha string) ([]github.File, error)
	// Tree are the files below a directory at a commit.
	Tree(ctx context.Context, sha, under string) ([]github.Entry, error)
	Blob(ctx context.Context, sha string) ([]byte, error)
	// LogOf are the newest commits up to one that change what is at a path, at
	// most n.
	LogOf(ctx context.Context, sha, path string, n int) ([]github.Commit, error)
}

// Schemas says which migrations commits bring and what these do. What a commit
// changes and what a file holds never change, so both are kept: a preview asks
// GitHub only for what it has not seen.
type Schemas struct {
	github sources
	files  *lru.Cache[string, []github.File]                   // of a commit, those of migrations
	read   *lru.Cache[string, migrations.File]                 // by the file's blob
	trees  *lru.Cache[string, map[migrations.Migration]string] // blobs, by commit
}

// NewSchemas returns one with nothing in its caches.
func NewSchemas(g sources) *Schemas {
	files, err := lru.New[string, []github.File](20_000)
	read, err2 := lru.New[string, migrations.File](2_000)
	trees, err3 := lru.New[string, map[migrations.Migration]string](16)
	if err := errors.Join(err, err2, err3); err != nil {
		panic(err) // unreachable: the sizes are positive
	}
	return &Schemas{github: g, files: files, read: read, trees: trees}
}

// schema is what is known of the migrations that a range of commits brings.
type schema struct {
	Commits []string // to be read, the oldest first; none once all is told
	Left    int      // how many of them could not be read yet
	Total   int
	Told    bool // what follows is all there is to say
	Runs    int  // how many migrations the deploy would run
	Lines   []string
	Each    []did    // what each commit did, the oldest first
	Never   []string // commits of which it can never be told
	Danger  bool     // somebody should think about it
}

// did is what a commit did to a migration: "adds model/0031_add_index".
type did struct{ SHA, What string }

// any says whether the deploy changes the schema, or may.
func (s schema) any() bool { return !s.Told || len(s.Each) > 0 || len(s.Never) > 0 }

// abreastGitHub bounds the calls under way at once, as GitHub asks (its
// documentation, "Best practices for using the REST API").
const abreastGitHub = 8

// soon is how long a question waits for what is not in the caches.
const soon = 4 * time.Second

// begin looks at commits, given the newest first, and returns what could be
// told soon. older is how many further ones there are that nobody listed.
func (s *Schemas) begin(ctx context.Context, commits []string, older int, to string) schema {
	sc := schema{Commits: slices.Clone(commits), Total: len(commits)}
	slices.Reverse(sc.Commits)
	if older > 0 {
		sc.Never = []string{bot.Count(older, "older commit", "older commits")}
	}
	ctx, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	_ = s.more(ctx, &sc, to) // what is left stands in the question, and is looked up meanwhile
	return sc
}

// more reads on. With a nil error nothing is left.
func (s *Schemas) more(ctx context.Context, sc *schema, to string) error {
	changed, never, left, err := s.commits(ctx, sc.Commits)
	if sc.Left = left; err != nil {
		return err
	}
	blobs := map[migrations.Migration]string{} // as the newest commit that touched each has it
	for _, files := range changed {
		for _, f := range files {
			if m, ok := migrations.Name(f.Path); ok {
				blobs[m] = f.Blob
			}
		}
	}
	each := migrations.Changes(commitsOf(sc.Commits, changed))
	net := migrations.Net(each)
	files, err := s.contents(ctx, blobs, net)
	if err != nil {
		return err
	}
	conflicts, err := s.conflicts(ctx, net, to)
	if err != nil {
		return err
	}
	for _, f := range each {
		sc.Each = append(sc.Each, did{f.SHA, doing(f)})
	}
	sc.Lines = migrations.Summary(net, files)
	sc.Lines = append(sc.Lines, conflicts...)
	for _, f := range net {
		if f.Kind == migrations.Added || f.Kind == migrations.Renamed {
			sc.Runs++
			sc.Danger = sc.Danger || files[f.Migration].Level().Dangerous()
		} else {
			sc.Danger = true
		}
	}
	sc.Never = append(sc.Never, never...)
	sc.Danger = sc.Danger || len(sc.Never) > 0 || len(conflicts) > 0
	sc.Told, sc.Commits = true, nil
	return nil
}

// commitsOf are commits with what each of them changes.
func commitsOf(shas []string, changed [][]github.File) []migrations.Commit {
	commits := make([]migrations.Commit, len(changed))
	for i, files := range changed {
		commits[i].SHA = shas[i]
		for _, f := range files {
			commits[i].Changes = append(commits[i].Changes, migrations.Change{Path: f.Path, Previous: f.Previous, Status: string(f.Status)})
		}
	}
	return commits
}

// doing is what a commit did, in words.
func doing(f migrations.Finding) string {
	what := f.Migration.String()
	switch f.Kind {
	case migrations.Added:
		what = "adds " + what
	case migrations.Renamed:
		what = "renames " + f.Was.String() + " to " + what
	case migrations.Removed:
		what = "removes " + what
	case migrations.Revised:
		what = "edits " + what + ", which is new too"
	default:
		what = "edits " + what + " after the fact"
	}
	if f.Undone {
		what += " (not there any more at the end)"
	}
	return what
}

// commits reads which migrations each commit changes. With an error some are
// left, and those that were read are kept for the next time. After an error it
// begins nothing new: a GitHub that is down, or says that we ask too much, is
// not asked hundreds of times.
func (s *Schemas) commits(ctx context.Context, shas []string) (changed [][]github.File, never []string, left int, err error) {
	var mu sync.Mutex
	changed = make([][]github.File, len(shas))
	var all errgroup.Group
	all.SetLimit(abreastGitHub)
	for i, sha := range shas {
		all.Go(func() error {
			mu.Lock()
			wrong := err
			mu.Unlock()
			files, known := s.files.Get(sha)
			if known {
				wrong = nil
			} else if wrong == nil {
				files, wrong = s.changes(ctx, sha)
			}
			mu.Lock()
			defer mu.Unlock()
			changed[i] = files
			switch {
			case errors.Is(wrong, github.ErrTooMuch):
				never = append(never, "commit "+deploys.Short(sha)+", which changes more files than GitHub lists")
			case wrong != nil:
				left, err = left+1, wrong
			}
			return nil
		})
	}
	_ = all.Wait() // each has its own error
	return changed, never, left, err
}

// changes are the migrations among the files that a commit changes, as GitHub
// tells them.
func (s *Schemas) changes(ctx context.Context, sha string) ([]github.File, error) {
	files, err := s.github.Files(ctx, sha)
	if err != nil {
		return nil, err
	}
	files = slices.DeleteFunc(files, func(f github.File) bool {
		_, is := migrations.Name(f.Path)
		_, was := migrations.Name(f.Previous)
		return !is && !was
	})
	s.files.Add(sha, files)
	return files, nil
}

// contents reads the migrations that would run.
func (s *Schemas) contents(ctx context.Context, blobs map[migrations.Migration]string, net []migrations.Finding) (map[migrations.Migration]migrations.File, error) {
	read := map[migrations.Migration]migrations.File{}
	for _, f := range net {
		if f.Kind != migrations.Added && f.Kind != migrations.Renamed {
			continue
		}
		file, err := s.file(ctx, blobs[f.Migration])
		if err != nil {
			return nil, fmt.Errorf("reading migration %s: %w", f.Migration, err)
		}
		read[f.Migration] = file
	}
	return read, nil
}

// file reads a migration by its blob. One that cannot be understood is no
// error: it counts as dangerous.
func (s *Schemas) file(ctx context.Context, blob string) (migrations.File, error) {
	if f, ok := s.read.Get(blob); ok {
		return f, nil
	}
	text, err := s.github.Blob(ctx, blob)
	if err != nil && !errors.Is(err, github.ErrTooMuch) {
		return migrations.File{}, err
	}
	f, _ := migrations.Read(text) // what cannot be read counts as dangerous, and so does nothing
	s.read.Add(blob, f)
	return f, nil
}

// conflicts are the apps whose migrations Django would refuse at commit to, if
// any migration is changed: one that is edited can depend on others than before,
// and another app's can depend on one that is removed.
func (s *Schemas) conflicts(ctx context.Context, net []migrations.Finding, to string) ([]string, error) {
	if len(net) == 0 {
		return nil, nil
	}
	files, err := s.at(ctx, to)
	if err != nil {
		return nil, err
	}
	var said []string
	for _, c := range migrations.Leaves(files) {
		said = append(said, c.String())
	}
	return said, nil
}

// at are all migrations of the repository at a commit.
func (s *Schemas) at(ctx context.Context, sha string) (map[migrations.Migration]migrations.File, error) {
	blobs, err := s.blobs(ctx, sha)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	files := map[migrations.Migration]migrations.File{}
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(abreastGitHub)
	for m, blob := range blobs {
		all.Go(func() error {
			f, err := s.file(ctx, blob)
			mu.Lock()
			defer mu.Unlock()
			files[m] = f
			return err
		})
	}
	return files, all.Wait()
}

// blobs are the files of all migrations at a commit.
func (s *Schemas) blobs(ctx context.Context, sha string) (map[migrations.Migration]string, error) {
	if blobs, ok := s.trees.Get(sha); ok {
		return blobs, nil
	}
	entries, err := s.github.Tree(ctx, sha, "treeherder")
	if err != nil {
		return nil, err
	}
	blobs := map[migrations.Migration]string{}
	for _, e := range entries {
		if m, ok := migrations.Name(e.Path); ok {
			blobs[m] = e.Blob
		}
	}
	s.trees.Add(sha, blobs)
	return blobs, nil
}
