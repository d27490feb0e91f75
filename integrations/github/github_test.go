package github_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thbot/bot"
	"thbot/integrations/github"
	"thbot/integrations/github/fakegithub"
)

// start serves fake and returns the real client for it.
func start(t *testing.T, fake *fakegithub.Server) *github.Client {
	t.Helper()
	return serve(t, fake, github.Options{Token: fakegithub.Token})
}

// serve is start with other options.
func serve(t *testing.T, fake *fakegithub.Server, o github.Options) *github.Client {
	t.Helper()
	s := httptest.NewServer(fake)
	t.Cleanup(s.Close)
	t.Cleanup(func() {
		if u := fake.Unexpected(); len(u) > 0 {
			t.Errorf("unexpected calls: %q", u)
		}
	})
	o.APIURL = s.URL
	return open(t, o)
}

func client(t *testing.T, apiURL string) *github.Client {
	t.Helper()
	return open(t, github.Options{APIURL: apiURL, Token: fakegithub.Token})
}

func open(t *testing.T, o github.Options) *github.Client {
	t.Helper()
	o.Repository = "mozilla/treeherder"
	c, err := github.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// line adds n commits after parent and returns their SHAs, oldest first.
func line(fake *fakegithub.Server, n int, parent, word string) []string {
	var shas []string
	for i := range n {
		spec := fakegithub.CommitSpec{Subject: fmt.Sprintf("Bug %d - %s %d (#%d)", 1790000+i, word, i, 9000+i), Login: "bea"}
		if parent != "" {
			spec.Parents = []string{parent}
		}
		parent = fake.AddCommit(spec)
		shas = append(shas, parent)
	}
	return shas
}

func TestNew(t *testing.T) {
	tests := []struct {
		api, repository string
		commit          string // its page; empty: refused
	}{
		{"", "mozilla/treeherder", "https://github.com/mozilla/treeherder/commit/abc"},
		{"https://api.github.com/", "mozilla/treeherder", "https://github.com/mozilla/treeherder/commit/abc"},
		{"https://api.github.com", "mozilla-services/cloudops-infra", "https://github.com/mozilla-services/cloudops-infra/commit/abc"},
		{"https://ghe.example/api/v3/", "a/b.c", "https://ghe.example/a/b.c/commit/abc"},
		{"https://ghe.example/api/v3", "a/b", "https://ghe.example/a/b/commit/abc"},
		{"https://api.acme.ghe.com/", "a/b", "https://acme.ghe.com/a/b/commit/abc"},
		{"http://127.0.0.1:4101/github", "a/b", "http://127.0.0.1:4101/github/a/b/commit/abc"},
		{"ftp://api.github.com/", "a/b", ""},
		{"api.github.com", "a/b", ""},
		{"https://api.github.com/?x=y", "a/b", ""},
		{"http://[::1", "a/b", ""},
		{"", "treeherder", ""},
		{"", "mozilla/treeherder/commits", ""},
		{"", "mozilla/..", ""},
		{"", "../user", ""},
		{"", "mozilla/tree herder", ""},
		{"", "mozilla/treeherder?x", ""},
		{"", "", ""},
	}
	for _, tt := range tests {
		c, err := github.New(github.Options{APIURL: tt.api, Repository: tt.repository})
		if tt.commit == "" {
			if err == nil {
				t.Errorf("New(%q, %q) is accepted", tt.api, tt.repository)
			}
			continue
		}
		if err != nil {
			t.Errorf("New(%q, %q): %v", tt.api, tt.repository, err)
			continue
		}
		if got := c.RepositoryURL(tt.repository) + "/commit/abc"; got != tt.commit {
			t.Errorf("New(%q, …).RepositoryURL(%q) = %q", tt.api, tt.repository, c.RepositoryURL(tt.repository))
		}
		if got := c.CommitURL("abc"); got != tt.commit {
			t.Errorf("New(%q, %q).CommitURL = %q, want %q", tt.api, tt.repository, got, tt.commit)
		}
		if got, want := c.CompareURL("abc", "def"), strings.Replace(tt.commit, "commit/abc", "compare/abc...def", 1); got != want {
			t.Errorf("New(%q, %q).CompareURL = %q, want %q", tt.api, tt.repository, got, want)
		}
	}
}

// The address is used as it is written: no /api/v3 is put into it.
func TestAPIURL(t *testing.T) {
	fake := &fakegithub.Server{}
	sha := line(fake, 1, "", "only")[0]
	mux := http.NewServeMux()
	mux.Handle("/a/b/", http.StripPrefix("/a/b", fake))
	s := httptest.NewServer(mux)
	defer s.Close()
	for _, u := range []string{s.URL + "/a/b", s.URL + "/a/b/"} {
		if _, err := client(t, u).Commit(t.Context(), sha); err != nil {
			t.Errorf("with %q: %v", u, err)
		}
	}
}

func TestCommit(t *testing.T) {
	fake := &fakegithub.Server{}
	when := time.Date(2022, 3, 1, 14, 2, 0, 0, time.FixedZone("", 3600))
	sha := "9f8e7d6c5b4a39281706f5e4d3c2b1a098765432"
	fake.AddCommit(fakegithub.CommitSpec{SHA: sha, Subject: "Bug 1790001 - Speed up push health (#9101)\n\nBug 5 (#6)", Login: "bea", Name: "Bea", When: when})
	twins := []string{"9f8e7d6c5b" + strings.Repeat("1", 30), "9f8e7d7" + strings.Repeat("1", 33)}
	for _, twin := range twins {
		fake.AddCommit(fakegithub.CommitSpec{SHA: twin, Subject: "a twin", Name: "Cid"})
	}
	c := start(t, fake)
	want := github.Commit{SHA: sha, Subject: "Bug 1790001 - Speed up push health (#9101)", Author: "bea", Login: "bea",
		Email: "Bea@example.org", When: when.UTC(), PR: 9101, Bug: 1790001}
	for _, ref := range []string{sha, strings.ToUpper(sha), sha[:39], sha[:11], strings.ToUpper(sha[:11])} {
		got, err := c.Commit(t.Context(), ref)
		if err != nil {
			t.Errorf("Commit(%s): %v", ref, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Commit(%s): (-want +got)\n%s", ref, diff)
		}
	}
	if got := want.Short(); got != "9f8e7d6" {
		t.Errorf("short form is %q", got)
	}
	for _, ref := range []string{
		sha[:10], "9f8e7d6", // begins several
		"1234567", strings.Repeat("0", 40), // begins none
	} {
		_, err := c.Commit(t.Context(), ref)
		if !errors.Is(err, bot.ErrNotFound) || !strings.Contains(err.Error(), ref) {
			t.Errorf("Commit(%s): %v", ref, err)
		}
		if _, again := bot.RetryAfter(err); again {
			t.Errorf("Commit(%s): asking again is said to help", ref)
		}
	}
}

// A branch called like a short SHA is not taken for the commit.
func TestCommitBranch(t *testing.T) {
	fake := &fakegithub.Server{}
	fake.SetBranch("deadbeef", line(fake, 1, "", "else")[0])
	got, err := start(t, fake).Commit(t.Context(), "deadbeef")
	if err == nil || errors.Is(err, bot.ErrNotFound) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// What cannot be a commit is refused before any URL is made of it.
func TestHostileRefs(t *testing.T) {
	fake := &fakegithub.Server{}
	fake.SetBranch("master", line(fake, 1, "", "only")[0])
	c := start(t, fake)
	sha := fake.Branch("master")
	for _, ref := range []string{
		"", "..", ".", "../../../../user", "abc?per_page=1#x", "master", "HEAD", "heads/master", "abcdef",
		sha + "0", sha + "\n", sha[:39] + "/", sha[:38] + "..", " " + sha[:7], sha[:7] + "%2e%2e", sha[:7] + "~1",
		"9f8e7d6\x00", "９f8e7d6", "mozilla:" + sha[:7], "<!channel>", "--" + sha[:7], "K" + sha[:7],
	} {
		for name, ask := range map[string]func() error{
			"Commit":       func() error { _, err := c.Commit(t.Context(), ref); return err },
			"Compare base": func() error { _, err := c.Compare(t.Context(), ref, sha); return err },
			"Compare head": func() error { _, err := c.Compare(t.Context(), sha, ref); return err },
		} {
			err := ask()
			var e *github.RefError
			if !errors.As(err, &e) || e.Ref != ref {
				t.Errorf("%s %q: %v", name, ref, err)
				continue
			}
			if _, again := bot.RetryAfter(err); again || !bot.NotSent(err) {
				t.Errorf("%s %q may have been sent, or be tried again", name, ref)
			}
			if strings.ContainsAny(err.Error(), "\n\x00") {
				t.Errorf("%s: error is %q", name, err)
			}
		}
	}
	// A comparison wants the whole of it.
	for _, ref := range []string{sha[:7], strings.ToUpper(sha)} {
		var e *github.RefError
		if _, err := c.Compare(t.Context(), sha, ref); !errors.As(err, &e) {
			t.Errorf("Compare with %q: %v", ref, err)
		}
	}
	if n := len(fake.Journal()); n > 0 {
		t.Errorf("GitHub was asked %d times", n)
	}
}

func TestCompare(t *testing.T) {
	fake := &fakegithub.Server{}
	master := line(fake, 4, "", "master")
	proto := line(fake, 2, master[1], "prototype")
	alone := line(fake, 1, "", "alone")[0]
	c := start(t, fake)
	tests := []struct {
		name       string
		base, head string
		want       github.Comparison
		commits    []string
	}{
		{"ahead", master[0], master[3], github.Comparison{Status: github.Ahead, Ahead: 3, Total: 3}, []string{master[3], master[2], master[1]}},
		{"behind", master[3], master[0], github.Comparison{Status: github.Behind, Behind: 3}, nil},
		{"diverged", master[3], proto[1], github.Comparison{Status: github.Diverged, Ahead: 2, Behind: 2, Total: 2}, []string{proto[1], proto[0]}},
		{"identical", master[3], master[3], github.Comparison{Status: github.Identical}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.Compare(t.Context(), tt.base, tt.head)
			if err != nil {
				t.Fatal(err)
			}
			if got.URL != c.CompareURL(tt.base, tt.head) {
				t.Errorf("URL is %q", got.URL)
			}
			var commits []string
			for _, commit := range got.Commits {
				commits = append(commits, commit.SHA)
			}
			if diff := cmp.Diff(tt.commits, commits); diff != "" {
				t.Errorf("commits (-want +got)\n%s", diff)
			}
			got.Commits, got.URL = nil, ""
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	for name, refs := range map[string][2]string{
		"unknown base": {strings.Repeat("0", 40), master[0]},
		"unknown head": {master[0], strings.Repeat("0", 40)},
		"unrelated":    {master[0], alone},
	} {
		if _, err := c.Compare(t.Context(), refs[0], refs[1]); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A comparison is read whole, past the 250 commits and the 100 of a page, up to
// a thousand; then the oldest are missing, and counted.
func TestCompareLong(t *testing.T) {
	fake := &fakegithub.Server{}
	shas := line(fake, 1151, "", "step")
	c := start(t, fake)
	for _, tt := range []struct{ total, listed, calls int }{
		{99, 99, 1}, {100, 100, 1}, {101, 101, 2}, {200, 200, 2}, {300, 300, 3},
		{1000, 1000, 10}, {1001, 901, 11}, {1150, 950, 11},
	} {
		before := len(fake.Journal())
		head := tt.total
		got, err := c.Compare(t.Context(), shas[0], shas[head])
		if err != nil {
			t.Errorf("%d commits: %v", tt.total, err)
			continue
		}
		if got.Ahead != tt.total || got.Total != tt.total || len(got.Commits) != tt.listed || got.Truncated != tt.total-tt.listed {
			t.Errorf("%d commits: ahead %d, total %d, %d listed, %d truncated", tt.total, got.Ahead, got.Total, len(got.Commits), got.Truncated)
		}
		for i, commit := range got.Commits {
			if commit.SHA != shas[head-i] {
				t.Errorf("%d commits: the one at %d is not in its place", tt.total, i)
				break
			}
		}
		if calls := len(fake.Journal()) - before; calls != tt.calls {
			t.Errorf("%d commits took %d calls, want %d", tt.total, calls, tt.calls)
		}
	}
}

func TestSubjects(t *testing.T) {
	tests := []struct {
		message, subject string
		pr, bug          int
	}{
		{"Bug 1790001 - Speed up push health (#9101)", "Bug 1790001 - Speed up push health (#9101)", 9101, 1790001},
		{"bug 1790001: x", "bug 1790001: x", 0, 1790001},
		{`Revert "Bug 1790001 - Speed up (#9101)" (#9102)`, `Revert "Bug 1790001 - Speed up (#9101)" (#9102)`, 9102, 1790001},
		{"Follow-up of (#9101), no bug", "Follow-up of (#9101), no bug", 0, 0},
		{"Debug 12 things", "Debug 12 things", 0, 0},
		{"Bug 99999999999999999999 (#99999999999999999999)", "Bug 99999999999999999999 (#99999999999999999999)", 0, 0},
		{"First\r\nSecond (#1)", "First", 0, 0},
		{"", "", 0, 0},
		{"\nlate", "", 0, 0},
		{"<!channel> <@U0ANA> *bold* `code` <https://evil.test|ok> &amp; (#7) ", "<!channel> <@U0ANA> *bold* `code` <https://evil.test|ok> &amp; (#7) ", 7, 0},
		{"\u202egnirts desrever\u200b \x1b[31m", "\u202egnirts desrever\u200b \x1b[31m", 0, 0},
		{"Ünïcödé 🐉 bug 17", "Ünïcödé 🐉 bug 17", 0, 17},
	}
	for _, tt := range tests {
		fake := &fakegithub.Server{}
		sha := fake.AddCommit(fakegithub.CommitSpec{Subject: tt.message, Login: "bea"})
		got, err := start(t, fake).Commit(t.Context(), sha)
		if err != nil || got.Subject != tt.subject || got.PR != tt.pr || got.Bug != tt.bug {
			t.Errorf("%q is %q, PR %d, bug %d, %v; want %q, %d, %d", tt.message, got.Subject, got.PR, got.Bug, err, tt.subject, tt.pr, tt.bug)
		}
	}
}

// GitHub says null where no account has the author's e-mail.
func TestAuthors(t *testing.T) {
	fake := &fakegithub.Server{}
	root := fake.AddCommit(fakegithub.CommitSpec{Subject: "root", Login: "bea", Name: "Bea B."})
	known := fake.AddCommit(fakegithub.CommitSpec{Subject: "known", Login: "bea", Name: "Bea B.", Parents: []string{root}})
	unknown := fake.AddCommit(fakegithub.CommitSpec{Subject: "unknown", Name: "Cid C.", Parents: []string{known}})
	nameless := fake.AddCommit(fakegithub.CommitSpec{Subject: "nameless", Parents: []string{unknown}})
	got, err := start(t, fake).Compare(t.Context(), root, nameless)
	if err != nil {
		t.Fatal(err)
	}
	var authors [][2]string
	for _, c := range got.Commits {
		authors = append(authors, [2]string{c.Author, c.Login})
	}
	if diff := cmp.Diff([][2]string{{"", ""}, {"Cid C.", ""}, {"bea", "bea"}}, authors); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
