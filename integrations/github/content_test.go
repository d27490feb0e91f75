package github_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thbot/bot"
	"thbot/integrations/github"
	"thbot/integrations/github/fakegithub"
	"thbot/integrations/internal/web"
)

// tree is Treeherder in small.
func tree(fake *fakegithub.Server) string {
	return fake.AddCommit(fakegithub.CommitSpec{Subject: "tree", Write: map[string]string{
		"README.md":                                 "Treeherder\n",
		"migrations/0001_elsewhere.py":              "",
		"treeherder/__init__.py":                    "",
		"treeherder/changelog/migrations/0001_x.py": "x\n",
		"treeherder/model/migrations/0001_a.py":     "a\n",
		"treeherder/model/migrations/0016_enforce repository name uniqueness.py": "u\n",
		"treeherder/model/migrations/__init__.py":                                "",
		"treeherder/model/models.py":                                             "m\n",
		"treeherder/perf/migrations/0001_p.py":                                   "p\n",
		"treeherder/perf/migrations/old/0001_q.py":                               "q\n",
		"treeherder/weird:?#%name+é.py":                                          "w\n",
		"treeherder-not/model/migrations/0001_n.py":                              "n\n",
	}})
}

func TestTree(t *testing.T) {
	fake := &fakegithub.Server{}
	sha := tree(fake)
	fake.AddCommit(fakegithub.CommitSpec{Subject: "later", Parents: []string{sha}, Write: map[string]string{"treeherder/model/migrations/0002_b.py": "b\n"}})
	c := start(t, fake)
	paths := func(list []github.Entry) (out []string) {
		for _, e := range list {
			out = append(out, e.Path)
		}
		return out
	}
	got, err := c.Tree(t.Context(), sha, "treeherder/model/migrations")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"treeherder/model/migrations/0001_a.py",
		"treeherder/model/migrations/0016_enforce repository name uniqueness.py", "treeherder/model/migrations/__init__.py"}
	if diff := cmp.Diff(want, paths(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if data, err := c.Blob(t.Context(), got[1].Blob); err != nil || string(data) != "u\n" || got[1].Size != 2 {
		t.Errorf("%+v has %q, %v", got[1], data, err)
	}
	before := len(fake.Journal())
	all, err := c.Tree(t.Context(), sha, "treeherder")
	if err != nil || len(all) != 9 {
		t.Errorf("in treeherder: %q, %v", paths(all), err)
	}
	if calls := len(fake.Journal()) - before; calls != 2 {
		t.Errorf("that took %d calls", calls)
	}
	dirs, err := github.Dirs(all, "treeherder/*/migrations")
	if diff := cmp.Diff([]string{"treeherder/changelog/migrations", "treeherder/model/migrations", "treeherder/perf/migrations"}, dirs); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if _, err := github.Dirs(nil, "treeherder/["); err == nil {
		t.Error("a bad pattern is accepted")
	}
	for _, under := range []string{"nowhere", "treeherder/nowhere", "treeherder/mode", "nowhere/at/all"} {
		if _, err := c.Tree(t.Context(), sha, under); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("%s: %v", under, err)
		}
	}
	for _, under := range []string{"README.md", "treeherder/model/models.py", "README.md/x"} {
		_, err := c.Tree(t.Context(), sha, under)
		if _, again := bot.RetryAfter(err); err == nil || again || errors.Is(err, bot.ErrNotFound) {
			t.Errorf("%s: %v", under, err)
		}
	}
	if _, err := c.Tree(t.Context(), strings.Repeat("0", 40), "treeherder"); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("of an unknown commit: %v", err)
	}
}

func TestContent(t *testing.T) {
	fake := &fakegithub.Server{}
	sha := tree(fake)
	exactly, more := strings.Repeat("x", 1<<20), strings.Repeat("x", 1<<20+1)
	big := fake.AddCommit(fakegithub.CommitSpec{Subject: "big", Parents: []string{sha}, Write: map[string]string{"exactly": exactly, "more": more, "bin": "\x00\xff\n"}})
	c := start(t, fake)
	for name, want := range map[string]string{
		"README.md":              "Treeherder\n",
		"treeherder/__init__.py": "",
		"treeherder/model/migrations/0016_enforce repository name uniqueness.py": "u\n",
		"treeherder/weird:?#%name+é.py":                                          "w\n",
		"exactly":                                                                exactly,
		"bin":                                                                    "\x00\xff\n",
	} {
		if got, err := c.Content(t.Context(), big, name); err != nil || string(got) != want {
			t.Errorf("%s has %.40q, %v", name, got, err)
		}
	}
	for _, name := range []string{"nothing.py", "treeherder/nothing.py", "nowhere/nothing.py", "readme.md"} {
		if _, err := c.Content(t.Context(), big, name); !errors.Is(err, bot.ErrNotFound) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.Content(t.Context(), sha, "exactly"); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("before it was there: %v", err)
	}
	if _, err := c.Content(t.Context(), big, "more"); !errors.Is(err, github.ErrTooMuch) {
		t.Errorf("more: %v", err)
	}
	for _, name := range []string{"treeherder", "treeherder/model"} {
		if _, err := c.Content(t.Context(), big, name); err == nil || errors.Is(err, bot.ErrNotFound) || !strings.Contains(err.Error(), "dir, not a file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.Blob(t.Context(), strings.Repeat("0", 40)); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("no such blob: %v", err)
	}
}

// What GitHub lists of a directory, and what it may be.
func TestListings(t *testing.T) {
	fake := &fakegithub.Server{}
	sha := tree(fake)
	c := start(t, fake)
	blob := strings.Repeat("1", 40)
	item := func(dir, name, kind, git string) string {
		return fmt.Sprintf(`{"type":%q,"name":%q,"path":%q,"sha":%q,"git_url":"https://api.github.com/repos/mozilla/treeherder/git/%s/%s"}`,
			kind, name, dir+name, blob, git, blob)
	}
	list := func(items ...string) string { return "[" + strings.Join(items, ",") + "]" }
	var many []string
	for i := range 1000 {
		many = append(many, item("d/", fmt.Sprint(i), "file", "blobs"))
	}
	tests := []struct {
		name, body string
		says       string
		final      bool
		notFound   bool
		tooMuch    bool
	}{
		{"other files", list(item("d/", "other", "file", "blobs")), "not found", true, true, false},
		{"a symbolic link", list(item("d/", "x", "symlink", "blobs")), "symlink", true, false, false},
		{"a submodule", list(item("d/", "x", "file", "trees")), "submodule", true, false, false},
		{"a submodule of elsewhere", list(`{"type":"file","name":"x","path":"d/x","sha":"` + blob + `","git_url":null}`), "submodule", true, false, false},
		{"a submodule, honestly", list(item("d/", "x", "submodule", "trees")), "submodule", true, false, false},
		{"cut off", list(many...), "more than can be read", true, false, true},
		{"a file", `{"type":"file","path":"d","sha":"` + blob + `"}`, "no directory", true, false, false},
		{"a symbolic link in the way", `{"type":"symlink","path":"d","target":"../e"}`, "no directory", true, false, false},
		{"another directory", list(item("e/", "other", "file", "blobs")), "the answer has", false, false, false},
		{"another path", list(`{"type":"file","name":"x","path":"x","sha":"` + blob + `"}`), "the answer has", false, false, false},
		{"a bad SHA", list(`{"type":"file","name":"x","path":"d/x","sha":"../y"}`), "the answer has", false, false, false},
		{"null in it", list("null"), "the answer has", false, false, false},
		{"nothing in it", "[]", "says nothing", false, false, false},
		{"empty", "", "unmarshalling", false, false, false},
		{"null", "null", "says nothing", false, false, false},
		{"{}", "{}", "says nothing", false, false, false},
		{"a page", "<html>", "invalid character", false, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fake.AnswersTo("GET contents", 200, tt.body)
			for name, ask := range map[string]func() error{
				"Content": func() error { _, err := c.Content(t.Context(), sha, "d/x"); return err },
				"Tree":    func() error { _, err := c.Tree(t.Context(), sha, "d/x"); return err },
			} {
				err := ask()
				var e *web.Error
				if !errors.As(err, &e) || e.Final != tt.final || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("%s: %v, final %v", name, err, e != nil && e.Final)
				}
				if errors.Is(err, bot.ErrNotFound) != tt.notFound || errors.Is(err, github.ErrTooMuch) != tt.tooMuch {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

func TestTreeNonsense(t *testing.T) {
	fake := &fakegithub.Server{}
	sha := tree(fake)
	c := start(t, fake)
	if _, err := c.Tree(t.Context(), sha, "migrations"); err != nil {
		t.Fatal(err)
	}
	fake.AnswersTo("GET contents", 200, `[{"type":"dir","name":"d","path":"d","sha":"`+strings.Repeat("1", 40)+`"}]`)
	one, blob := strings.Repeat("1", 40), strings.Repeat("2", 40)
	answer := func(sha, truncated string, entries ...string) string {
		return fmt.Sprintf(`{"sha":%q,"truncated":%s,"tree":[%s]}`, sha, truncated, strings.Join(entries, ","))
	}
	entry := func(path, mode, kind, sha string) string {
		return fmt.Sprintf(`{"path":%q,"mode":%q,"type":%q,"sha":%q,"size":3}`, path, mode, kind, sha)
	}
	a := entry("a", "100644", "blob", blob)
	tests := []struct {
		name   string
		status int
		body   string
		want   []github.Entry // nil: an error
		final  bool
	}{
		{"right", 200, answer(one, "false", a), []github.Entry{{Path: "d/a", Blob: blob, Size: 3}}, false},
		{"only files", 200, answer(one, "false", a, entry("b", "120000", "blob", blob), entry("c", "160000", "commit", blob),
			entry("e", "040000", "tree", blob), entry("f", "100755", "blob", blob)),
			[]github.Entry{{Path: "d/a", Blob: blob, Size: 3}, {Path: "d/f", Blob: blob, Size: 3}}, false},
		{"truncated", 200, answer(one, "true", a), nil, true},
		{"truncated or not", 200, `{"sha":"` + one + `","tree":[]}`, nil, false},
		{"another tree", 200, answer(blob, "false", a), nil, false},
		{"out of it", 200, answer(one, "false", entry("../a", "100644", "blob", blob)), nil, false},
		{"a bad SHA", 200, answer(one, "false", entry("a", "100644", "blob", "x")), nil, false},
		{"null in it", 200, answer(one, "false", "null"), nil, false},
		{"empty", 200, "", nil, false},
		{"a page", 200, "<html>", nil, false},
		{"a job", 202, "{}", nil, false},
		{"gone, though listed", 404, `{"message":"Not Found"}`, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fake.AnswersTo("GET git tree", tt.status, tt.body)
			got, err := c.Tree(t.Context(), sha, "d")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			var e *web.Error
			if tt.want == nil && (!errors.As(err, &e) || e.Final != tt.final || errors.Is(err, bot.ErrNotFound)) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

// A blob is what its name says or it is none.
func TestBlobNonsense(t *testing.T) {
	fake := &fakegithub.Server{}
	sha := tree(fake)
	c := start(t, fake)
	list, err := c.Tree(t.Context(), sha, "treeherder/changelog")
	if err != nil {
		t.Fatal(err)
	}
	blob := list[0].Blob // "x\n"
	answer := func(text, encoding string, size int) string {
		return fmt.Sprintf(`{"sha":%q,"content":%q,"encoding":%q,"size":%d}`, blob, text, encoding, size)
	}
	x := base64.StdEncoding.EncodeToString([]byte("x\n"))
	for _, tt := range []struct {
		name   string
		status int
		body   string
		ok     bool
	}{
		{"right", 200, answer(x, "base64", 2), true},
		{"in lines", 200, answer(x[:2]+"\n"+x[2:]+"\n", "base64", 2), true},
		{"another blob", 200, answer(base64.StdEncoding.EncodeToString([]byte("y\n")), "base64", 2), false},
		{"cut off", 200, answer(x[:2], "base64", 2), false},
		{"nothing in it", 200, answer("", "base64", 0), false},
		{"plain", 200, answer("x\n", "utf-8", 2), false},
		{"no encoding", 200, answer("", "none", 2), false},
		{"no base64", 200, answer("x\n!", "base64", 2), false},
		{"empty", 200, "", false},
		{"{}", 200, "{}", false},
		{"a page", 200, "<html>", false},
		{"a job", 202, "{}", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fake.AnswersTo("GET git blob", tt.status, tt.body)
			for name, ask := range map[string]func() ([]byte, error){
				"Blob":    func() ([]byte, error) { return c.Blob(t.Context(), blob) },
				"Content": func() ([]byte, error) { return c.Content(t.Context(), sha, list[0].Path) },
			} {
				got, err := ask()
				if tt.ok != (err == nil && string(got) == "x\n") || !tt.ok && got != nil {
					t.Errorf("%s: %q, %v", name, got, err)
				}
			}
		})
	}
	fake.AnswersTo("GET git blob", 404, `{"message":"Not Found"}`)
	if _, err := c.Content(t.Context(), sha, list[0].Path); err == nil || errors.Is(err, bot.ErrNotFound) {
		t.Errorf("gone, though listed: %v", err)
	}
}
