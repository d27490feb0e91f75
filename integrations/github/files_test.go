package github_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"thbot/bot"
	"thbot/integrations/github"
	"thbot/integrations/github/fakegithub"
	"thbot/integrations/internal/web"
)

func TestFiles(t *testing.T) {
	const dir = "treeherder/model/migrations/"
	fake := &fakegithub.Server{}
	root := fake.AddCommit(fakegithub.CommitSpec{Subject: "root", Write: map[string]string{
		dir + "0080_perfcomparemwucache.py": "a\nb\nc\nd\n", dir + "0043_perf_datum_bigint_table.py": "x\n", "README.md": "one\n",
	}})
	next := fake.AddCommit(fakegithub.CommitSpec{Subject: "next", Parents: []string{root},
		Write: map[string]string{
			dir + "0081_perfcomparemwucache.py":                  "a\nb\nc\nd\n",
			dir + "0016_enforce repository name uniqueness.py":   "u\n",
			dir + "0008__add_best_fields_to_failureline#100%.py": "v\n",
			"README.md": "two\n",
		},
		Remove: []string{dir + "0080_perfcomparemwucache.py", dir + "0043_perf_datum_bigint_table.py"},
	})
	empty := fake.AddCommit(fakegithub.CommitSpec{Subject: "empty", Parents: []string{next}})
	c := start(t, fake)
	want := []github.File{
		{Path: "README.md", Status: github.Modified},
		{Path: dir + "0008__add_best_fields_to_failureline#100%.py", Status: github.Added},
		{Path: dir + "0016_enforce repository name uniqueness.py", Status: github.Added},
		{Path: dir + "0043_perf_datum_bigint_table.py", Status: github.Removed},
		{Path: dir + "0081_perfcomparemwucache.py", Previous: dir + "0080_perfcomparemwucache.py", Status: github.Renamed},
	}
	got, err := c.Files(t.Context(), next)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(github.File{}, "Blob")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	// What GitHub says of a file leads to what is in it, by blob and by name.
	for i, text := range []string{"two\n", "v\n", "u\n", "x\n", "a\nb\nc\nd\n"} {
		if data, err := c.Blob(t.Context(), got[i].Blob); string(data) != text || err != nil {
			t.Errorf("%s has %q, %v", got[i].Path, data, err)
		}
		if got[i].Status == github.Removed {
			continue
		}
		if data, err := c.Content(t.Context(), next, got[i].Path); string(data) != text || err != nil {
			t.Errorf("%s has %q, %v", got[i].Path, data, err)
		}
	}
	if got, err := c.Files(t.Context(), empty); err != nil || len(got) != 0 {
		t.Errorf("of an empty commit: %+v, %v", got, err)
	}
	if _, err := c.Files(t.Context(), strings.Repeat("0", 40)); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("of an unknown commit: %v", err)
	}
}

func TestFilesPages(t *testing.T) {
	for _, tt := range []struct{ files, listed, calls int }{
		{100, 100, 1}, {101, 101, 2}, {301, 301, 4}, {2999, 2999, 30}, {3001, 3000, 30},
	} {
		fake := &fakegithub.Server{}
		write := map[string]string{}
		for i := range tt.files {
			write[fmt.Sprintf("treeherder/%05d.py", i)] = "x\n"
		}
		sha := fake.AddCommit(fakegithub.CommitSpec{Subject: "much", Write: write})
		got, err := start(t, fake).Files(t.Context(), sha)
		if len(got) != tt.listed || errors.Is(err, github.ErrTooMuch) != (tt.files >= 3000) || err != nil && tt.files < 3000 {
			t.Errorf("of %d files %d are listed, %v", tt.files, len(got), err)
		}
		if _, again := bot.RetryAfter(err); err != nil && again {
			t.Errorf("of %d files there may be more another time: %v", tt.files, err)
		}
		for i, f := range got {
			if f.Path != fmt.Sprintf("treeherder/%05d.py", i) {
				t.Errorf("%d files: %q at %d", tt.files, f.Path, i)
				break
			}
		}
		if calls := len(fake.Journal()); calls != tt.calls {
			t.Errorf("%d files took %d calls, want %d", tt.files, calls, tt.calls)
		}
	}
}

func TestFilesNonsense(t *testing.T) {
	fake := &fakegithub.Server{}
	shas := line(fake, 2, "", "step")
	sha := shas[1]
	c := start(t, fake)
	answer := func(sha string, files ...string) string {
		return fmt.Sprintf(`{"sha":%q,"files":[%s]}`, sha, strings.Join(files, ","))
	}
	blob := strings.Repeat("1", 40)
	file := func(path, status, more string) string {
		return fmt.Sprintf(`{"filename":%q,"status":%q,"sha":%q%s}`, path, status, blob, more)
	}
	tests := []struct {
		name, body string
		want       []github.File // nil: an error
	}{
		{"right", answer(sha, file("a/b.py", "added", "")), []github.File{{Path: "a/b.py", Status: github.Added, Blob: blob}}},
		{"copied", answer(sha, file("a.py", "copied", `,"previous_filename":"b.py"`)), []github.File{{Path: "a.py", Previous: "b.py", Status: github.Copied, Blob: blob}}},
		{"another mode", answer(sha, file("a.py", "changed", "")), []github.File{{Path: "a.py", Status: github.Changed, Blob: blob}}},
		{"no blob", answer(sha, `{"filename":"a.py","status":"added","sha":null}`), []github.File{{Path: "a.py", Status: github.Added}}},
		{"empty", "", nil},
		{"null", "null", nil},
		{"a page", "<html>", nil},
		{"another commit", answer(shas[0], file("a.py", "added", "")), nil},
		{"no files", `{"sha":"` + sha + `"}`, nil},
		{"null files", `{"sha":"` + sha + `","files":null}`, nil},
		{"a null file", answer(sha, "null"), nil},
		{"one twice", answer(sha, file("a.py", "added", ""), file("a.py", "removed", "")), nil},
		{"out of the repository", answer(sha, file("../a.py", "added", "")), nil},
		{"from the root", answer(sha, file("/etc/passwd", "added", "")), nil},
		{"renamed from nowhere", answer(sha, file("a.py", "renamed", "")), nil},
		{"a new status", answer(sha, file("a.py", "transmuted", "")), nil},
		{"a bad blob", answer(sha, `{"filename":"a.py","status":"added","sha":"../x"}`), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fake.AnswersTo("GET commit", 200, tt.body)
			got, err := c.Files(t.Context(), sha)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			var e *web.Error
			if tt.want == nil && (!errors.As(err, &e) || e.Status != 200 || e.Final) {
				t.Errorf("error is %v", err)
			}
		})
	}
}
