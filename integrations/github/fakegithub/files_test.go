package fakegithub_test

import (
	"crypto/sha1"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gh "github.com/google/go-github/v60/github"

	"thbot/integrations/github/fakegithub"
)

// The ids are those that git itself gave to the same files and commits.
func TestRealIDs(t *testing.T) {
	fake := &fakegithub.Server{}
	first := fake.AddCommit(fakegithub.CommitSpec{Subject: "first", Login: "bea", Write: map[string]string{
		"a/b/c.txt": "one\ntwo\n", "a.b/d": "x", "a0": "y\n", "a/b/__init__.py": "",
	}})
	second := fake.AddCommit(fakegithub.CommitSpec{Subject: "Second (#1)\n\nBody\n", Login: "bea", Web: true, Parents: []string{first},
		Write: map[string]string{"a/b/c.txt": "one\nthree\n"}})
	empty := fake.AddCommit(fakegithub.CommitSpec{Subject: "nothing"})
	c := stock(t, serve(t, fake), fakegithub.Token)
	for _, tt := range []struct{ got, want, tree string }{
		{first, "61d833347ca6329e3457d03282f1121894e8dbf5", "a14baf4697812fabaff80d3a02a85b1ddde8ccb4"},
		{second, "3fd64bf6f7587936a9584045ca4b06c575a8b0b7", "12d4e34586779c3ee9b964722c66a7b788af32ec"},
		{empty, empty, "4b825dc642cb6eb9a060e54bf8d69288fbee4904"},
	} {
		k, _, err := c.Git.GetCommit(t.Context(), owner, repo, tt.got)
		if err != nil || tt.got != tt.want || k.GetTree().GetSHA() != tt.tree {
			t.Errorf("commit %s, want %s; tree %s, want %s; %v", tt.got, tt.want, k.GetTree().GetSHA(), tt.tree, err)
		}
	}
	tree, _, err := c.Git.GetTree(t.Context(), owner, repo, first, true)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range tree.Entries {
		got = append(got, e.GetMode()+" "+e.GetType()+" "+e.GetSHA()[:7]+" "+e.GetPath())
	}
	want := []string{
		"040000 tree 203e0cd a.b", "100644 blob c1b0730 a.b/d", "040000 tree 07ed6c8 a",
		"040000 tree " + got[3][12:19] + " a/b", "100644 blob e69de29 a/b/__init__.py", "100644 blob 814f4a4 a/b/c.txt", "100644 blob 975fbec a0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func files(list []*gh.CommitFile) (out []string) {
	for _, f := range list {
		line := fmt.Sprintf("%s %s +%d -%d", f.GetStatus(), f.GetFilename(), f.GetAdditions(), f.GetDeletions())
		if f.GetPreviousFilename() != "" {
			line += " from " + f.GetPreviousFilename()
		}
		out = append(out, line)
	}
	return out
}

// A net comparison hides what single commits show: a migration that was added
// and renamed, one that was added and reverted.
func TestFiles(t *testing.T) {
	fake := &fakegithub.Server{}
	const dir = "treeherder/model/migrations/"
	migration := func(name string) string {
		return "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    name = '" + name + "'\n"
	}
	var c []string
	add := func(write map[string]string, remove ...string) {
		spec := fakegithub.CommitSpec{Subject: fmt.Sprint(len(c)), Write: write, Remove: remove}
		if len(c) > 0 {
			spec.Parents = c[len(c)-1:]
		}
		c = append(c, fake.AddCommit(spec))
	}
	add(map[string]string{"README.md": "one\ntwo\nthree\n", dir + "0001_initial.py": migration("a"), "empty.py": ""})
	add(map[string]string{dir + "0080_x.py": migration("x"), "README.md": "one\n2\nthree\nfour"})
	add(map[string]string{dir + "0081_x.py": migration("y")}, dir+"0080_x.py")
	add(map[string]string{"kept.py": "", "other/README.md": "nothing alike\n"}, "empty.py", "README.md")
	add(nil, dir+"0081_x.py")
	add(nil)
	client := stock(t, serve(t, fake), fakegithub.Token)
	for i, want := range [][]string{
		{"added README.md +3 -0", "added empty.py +0 -0", "added " + dir + "0001_initial.py +5 -0"},
		{"modified README.md +2 -1", "added " + dir + "0080_x.py +5 -0"},
		{"renamed " + dir + "0081_x.py +1 -1 from " + dir + "0080_x.py"},
		{"removed README.md +0 -4", "removed empty.py +0 -0", "added kept.py +0 -0", "added other/README.md +1 -0"},
		{"removed " + dir + "0081_x.py +0 -5"},
		nil,
	} {
		k, _, err := client.Repositories.GetCommit(t.Context(), owner, repo, c[i], nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, files(k.Files)); diff != "" {
			t.Errorf("commit %d (-want +got)\n%s", i, diff)
		}
	}
	cmpr, _, err := client.Repositories.CompareCommits(t.Context(), owner, repo, c[0], c[5], nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"removed README.md +0 -3", "removed empty.py +0 -0", "added kept.py +0 -0", "added other/README.md +1 -0"}
	if diff := cmp.Diff(want, files(cmpr.Files)); diff != "" {
		t.Errorf("comparison (-want +got)\n%s", diff)
	}
	// Commits by path, newest first.
	for path, want := range map[string]string{dir: "4 2 1 0", "README.md": "3 1 0", dir + "0001_initial.py": "0", "treeherder/mod": "", "": "5 4 3 2 1 0"} {
		list, _, err := client.Repositories.ListCommits(t.Context(), owner, repo, &gh.CommitsListOptions{SHA: c[5], Path: path})
		var got []string
		for _, k := range list {
			got = append(got, k.GetCommit().GetMessage())
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("commits of %q are %q, %v; want %s", path, got, err, want)
		}
	}
}

// A commit has up to 3,000 files, 300 a page unless asked for fewer; of a
// comparison there are 300, on the first page, and nothing says that more are
// missing.
func TestManyFiles(t *testing.T) {
	fake := &fakegithub.Server{}
	write := map[string]string{}
	for i := range 3100 {
		write[fmt.Sprintf("f%04d", i)] = "x\n"
	}
	root := fake.AddCommit(fakegithub.CommitSpec{Subject: "root"})
	many := fake.AddCommit(fakegithub.CommitSpec{Subject: "many", Parents: []string{root}, Write: write})
	head := fake.AddCommit(fakegithub.CommitSpec{Subject: "head", Parents: []string{many}})
	c := stock(t, serve(t, fake), fakegithub.Token)
	for _, tt := range []struct {
		o           *gh.ListOptions
		first, n    int
		next, pages int
	}{
		{nil, 0, 300, 2, 10},
		{&gh.ListOptions{Page: 10}, 2700, 300, 0, 0},
		{&gh.ListOptions{PerPage: 100}, 0, 100, 2, 30},
		{&gh.ListOptions{PerPage: 200, Page: 30}, 2900, 100, 0, 0},
		{&gh.ListOptions{Page: 11}, 0, 0, 0, 0},
	} {
		k, resp, err := c.Repositories.GetCommit(t.Context(), owner, repo, many, tt.o)
		if err != nil {
			t.Fatal(err)
		}
		if len(k.Files) != tt.n || tt.n > 0 && k.Files[0].GetFilename() != fmt.Sprintf("f%04d", tt.first) ||
			resp.NextPage != tt.next || resp.LastPage != tt.pages || k.GetStats().GetAdditions() != 3100 {
			t.Errorf("%+v: %d files, next page %d of %d, %d lines", tt.o, len(k.Files), resp.NextPage, resp.LastPage, k.GetStats().GetAdditions())
		}
	}
	for page, want := range map[int]int{0: 300, 1: 300, 2: 0} {
		cmp, _, err := c.Repositories.CompareCommits(t.Context(), owner, repo, root, head, &gh.ListOptions{Page: page, PerPage: 1})
		if err != nil || len(cmp.Files) != want {
			t.Errorf("page %d has %d files, want %d; %v", page, len(cmp.Files), want, err)
		}
	}
}

func TestContents(t *testing.T) {
	fake := &fakegithub.Server{}
	long := strings.Repeat("long\n", 300_000)
	old := fake.AddCommit(fakegithub.CommitSpec{Subject: "old", Write: map[string]string{"dir/a b.txt": "old\n", "long": long}})
	fake.SetBranch("master", fake.AddCommit(fakegithub.CommitSpec{Subject: "new", Parents: []string{old}, Write: map[string]string{"dir/a b.txt": "new\n", "dir/sub/x": "x"}}))
	fake.Repo("").SetTag("v1", old)
	c := stock(t, serve(t, fake), fakegithub.Token)
	get := func(path, ref string) (string, error) {
		f, dir, _, err := c.Repositories.GetContents(t.Context(), owner, repo, path, &gh.RepositoryContentGetOptions{Ref: ref})
		if err != nil {
			return "", err
		}
		var names []string
		for _, e := range dir {
			names = append(names, e.GetType()+" "+e.GetPath())
		}
		if f == nil {
			return strings.Join(names, ", "), nil
		}
		text, err := f.GetContent()
		if want := fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(text), text))); f.GetSHA() != want && err == nil {
			t.Errorf("blob is %s, want %s", f.GetSHA(), want)
		}
		return text, err
	}
	for _, tt := range []struct{ path, ref, want string }{
		{"dir/a b.txt", "", "new\n"},
		{"dir/a b.txt", old, "old\n"},
		{"dir/a b.txt", "v1", "old\n"},
		{"dir/a b.txt", "heads/master", "new\n"},
		{"dir", "master", "file dir/a b.txt, dir dir/sub"},
		{"dir/", "v1", "file dir/a b.txt"},
		{"", "", "dir dir, file long"},
	} {
		if got, err := get(tt.path, tt.ref); err != nil || got != tt.want {
			t.Errorf("%q at %q is %q, %v; want %q", tt.path, tt.ref, got, err, tt.want)
		}
	}
	for _, tt := range []struct{ path, ref, says string }{
		{"dir/none", "", "Not Found"},
		{"dir/a b.txt/x", "", "Not Found"},
		{"dir", "none", "No commit found for the ref none"},
	} {
		_, err := get(tt.path, tt.ref)
		if err := says(err, 404, tt.says); err != nil {
			t.Errorf("%q at %q: %v", tt.path, tt.ref, err)
		}
	}
	// Above a megabyte there is only the raw form.
	if _, err := get("long", ""); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a long file: %v", err)
	}
	req, err := c.NewRequest("GET", "repos/mozilla/treeherder/contents/long", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/vnd.github.raw+json")
	var raw strings.Builder
	if _, err := c.Do(t.Context(), req, &raw); err != nil || raw.String() != long {
		t.Errorf("raw: %d bytes, %v", raw.Len(), err)
	}
}

// A world that cannot be is a mistake in the test.
func TestImpossibleFiles(t *testing.T) {
	for name, spec := range map[string]fakegithub.CommitSpec{
		"removes nothing":    {Remove: []string{"x"}},
		"absolute":           {Write: map[string]string{"/x": ""}},
		"above":              {Write: map[string]string{"../x": ""}},
		"file and directory": {Write: map[string]string{"x": "", "x/y": ""}},
		"in git's own":       {Write: map[string]string{".git/config": ""}},
		"empty name":         {Write: map[string]string{"": ""}},
		"slash at the end":   {Write: map[string]string{"x/": ""}},
		"unknown parent":     {Parents: []string{strings.Repeat("0", 40)}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: accepted", name)
				}
			}()
			(&fakegithub.Server{}).AddCommit(spec)
		}()
	}
}
