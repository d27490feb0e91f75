package world_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-github/v60/github"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/github/fakegithub"
)

// ask is GitHub of w as the real client sees it.
func ask(t *testing.T, w *world.World) (*github.RepositoriesService, *github.Client) {
	t.Helper()
	w.OnPipe()
	transport := &http.Transport{DialContext: w.Dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	c := github.NewClient(&http.Client{Transport: transport}).WithAuthToken(fakegithub.Token)
	c, err := c.WithEnterpriseURLs(w.URL("github"), w.URL("github"))
	if err != nil {
		t.Fatal(err)
	}
	base := *c.BaseURL
	base.Path = "/"
	c.BaseURL = &base
	return c.Repositories, c
}

const owner, repository = "mozilla", "treeherder"

// changed are the files of a commit, as GitHub says what became of them.
func changed(t *testing.T, repos *github.RepositoriesService, sha string) string {
	t.Helper()
	c, _, err := repos.GetCommit(t.Context(), owner, repository, sha, nil)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, f := range c.Files {
		line := f.GetStatus() + " " + f.GetFilename()
		if from := f.GetPreviousFilename(); from != "" {
			line += " from " + from
		}
		list = append(list, line)
	}
	return strings.Join(list, ", ")
}

// What waits for production in the usual world changes files, without a
// migration, and CI is green.
func TestUsualCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world.New(world.Real)
		repos, _ := ask(t, w)
		if err := w.Usual(); err != nil {
			t.Fatal(err)
		}
		for short, want := range map[string]string{
			"1a2b3c4": "modified ui/perfherder/alerts/sort.js",
			"2b3c4d5": "modified requirements/common.in",
			"3c4d5e6": "modified treeherder/push_health/usage.py",
			"9f8e7d6": "modified treeherder/push_health/usage.py",
			"c2d3e4f": "added treeherder/model/migrations/0005_push_summary.py",
		} {
			if got := changed(t, repos, world.Commit(short)); got != want {
				t.Errorf("%s: %s, want %s", short, got, want)
			}
		}
		if got := changed(t, repos, world.Commit("70c3e55")); !strings.Contains(got, "added treeherder/model/migrations/0001_initial.py, ") || !strings.Contains(got, "added treeherder/perf/migrations/0001_initial.py") {
			t.Errorf("the first commit: %s", got)
		}
		for _, branch := range []string{world.Master, world.Prototype} {
			for _, c := range w.Log(branch) {
				if said := w.CIOf(c.SHA); said != world.Green {
					t.Errorf("CI of %s says %s", c.SHA, said)
				}
			}
		}
		want := []world.BranchState{
			{Name: world.Master, Head: world.Commit("9f8e7d6")},
			{Name: world.Prototype, Head: world.Commit("f5a6b7c"), Ahead: 5, Behind: 76},
		}
		if got := w.Branches(); !slices.Equal(got, want) {
			t.Errorf("branches: %+v", got)
		}
		cmp, _, err := repos.CompareCommits(t.Context(), owner, repository, world.Master, world.Prototype, nil)
		if err != nil || cmp.GetAheadBy() != 5 || cmp.GetBehindBy() != 76 {
			t.Errorf("GitHub compares them: %v %v", cmp, err)
		}
		authors := map[string]bool{}
		for _, c := range cmp.Commits {
			authors[c.GetAuthor().GetLogin()] = true
		}
		if len(authors) != 3 {
			t.Errorf("prototype is of %v", authors)
		}
		if live := w.Live(world.Prototype); live != world.Commit("f5a6b7c") {
			t.Errorf("prototype serves %s", live)
		}
	})
}

// A push can do to files all that git can.
func TestPushFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world.New(world.Real)
		repos, _ := ask(t, w)
		w.Push("0000001", "bea", "The first")
		for i, tt := range []struct {
			changes []world.Change
			want    string
		}{
			{[]world.Change{world.Migration("model/0005_note", "model/0004_remove_failureline_repository")}, "added treeherder/model/migrations/0005_note.py"},
			{[]world.Change{world.Edit(world.MigrationPath("model", "0005_note"), "max_length=255", "max_length=40")}, "modified treeherder/model/migrations/0005_note.py"},
			{[]world.Change{world.Rename(world.MigrationPath("model", "0005_note"), world.MigrationPath("model", "0006_note"))},
				"renamed treeherder/model/migrations/0006_note.py from treeherder/model/migrations/0005_note.py"},
			{[]world.Change{{Path: "docs/b.md", From: world.MigrationPath("model", "0006_note"), Replace: "max_length=40", With: "max_length=4"}},
				"renamed docs/b.md from treeherder/model/migrations/0006_note.py"},
			{[]world.Change{world.Remove("docs/b.md"), world.Write("docs/c.md", "other")}, "removed docs/b.md, added docs/c.md"},
			{nil, ""},
		} {
			short := string(rune('a'+i)) + "000000"
			if got := changed(t, repos, w.Push(short, "bea", "Another", tt.changes...)); got != tt.want {
				t.Errorf("%+v: %s, want %s", tt.changes, got, tt.want)
			}
		}
		text, _, _, err := repos.GetContents(t.Context(), owner, repository, "docs/c.md", nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := text.GetContent(); err != nil || got != "other" {
			t.Errorf("docs/c.md: %q %v", got, err)
		}
	})
}

// CI says what it was told to, by a status and by a check run.
func TestCI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world.New(world.Real)
		repos, c := ask(t, w)
		said := func(sha string) string {
			t.Helper()
			st, _, err := repos.GetCombinedStatus(t.Context(), owner, repository, sha, nil)
			if err != nil {
				t.Fatal(err)
			}
			runs, _, err := c.Checks.ListCheckRunsForRef(t.Context(), owner, repository, sha, &github.ListCheckRunsOptions{Filter: github.String("all")})
			if err != nil {
				t.Fatal(err)
			}
			line := st.GetState()
			for _, s := range st.Statuses {
				line += " " + s.GetState()
			}
			for _, r := range runs.CheckRuns {
				line += ", " + r.GetStatus() + " " + r.GetConclusion()
			}
			return line
		}
		set := func(sha, state string) {
			t.Helper()
			if err := w.CI(sha, state); err != nil {
				t.Error(err)
			}
		}
		first := w.Push("0000001", "bea", "The first")
		if got := said(first); got != "success success, completed success" {
			t.Errorf("of a push: %s", got)
		}
		for _, tt := range []struct{ state, want string }{
			{world.Pending, "pending pending, in_progress "},
			{world.Red, "failure failure, completed failure"},
			{world.Green, "success success, completed success"},
		} {
			if set(first, tt.state); said(first) != tt.want {
				t.Errorf("told %s: %s", tt.state, said(first))
			}
		}
		set(world.Commit("0000002"), world.NoCI)
		second := w.Push("0000002", "bea", "The second")
		if got := said(second); got != "pending" {
			t.Errorf("nothing was said, and GitHub says %s", got)
		}
		if set(second, world.Red); said(second) != "failure failure, completed failure" {
			t.Errorf("told at last: %s", said(second))
		}
		for state, want := range map[string]string{world.NoCI: "GitHub forgets nothing", "fine": `it never says "fine"`} {
			if err := w.CI(second, state); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", state, err)
			}
		}
	})
}

// The app prototype deploys whatever moves its branch: a push, and a reset by
// way of the API.
func TestPrototypeDeploys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world.New(world.Real)
		_, c := ask(t, w)
		if err := w.Usual(); err != nil {
			t.Fatal(err)
		}
		live := func(want string) {
			t.Helper()
			if got := w.Live(world.Prototype); got != want {
				t.Errorf("prototype serves %s, want %s", got, want)
			}
		}
		old := w.Live(world.Prototype)
		w.PushTo(world.Prototype, "0000001", "pia", "One")
		<-time.After(world.Real.Rollout / 2)
		two := w.PushTo(world.Prototype, "0000002", "pia", "Two")
		<-time.After(world.Real.Rollout * 3 / 4) // the first rollout would be over
		live(old)
		<-time.After(world.Real.Rollout)
		live(two)

		reset := world.Commit("9f8e7d6")
		if _, _, err := c.Git.UpdateRef(context.Background(), owner, repository,
			&github.Reference{Ref: github.String("refs/heads/prototype"), Object: &github.GitObject{SHA: &reset}}, true); err != nil {
			t.Fatal(err)
		}
		if next := w.State(world.Prototype).Next; next != reset {
			t.Errorf("%s is rolled out", next)
		}
		<-time.After(world.Real.Rollout + time.Second)
		live(reset)

		w.Stick(world.Prototype)
		w.PushTo(world.Prototype, "0000003", "pia", "Three")
		<-time.After(time.Minute)
		live(reset)
	})
}
