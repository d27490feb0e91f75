package github_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"thbot/bot"
	"thbot/integrations/github"
	"thbot/integrations/github/fakegithub"
	"thbot/integrations/internal/web"
)

func TestPR(t *testing.T) {
	fake := &fakegithub.Server{}
	shas := line(fake, 2, "", "step")
	fake.SetBranch("master", shas[1])
	fake.Repo("").AddPull(fakegithub.Pull{Number: 9101, Title: "Speed up", Head: "gone", Merged: shas[1]})
	fake.Repo("").AddPull(fakegithub.Pull{Number: 9102, Title: "Try", Head: "try", Base: "prototype"})
	fake.Repo("").AddPull(fakegithub.Pull{Number: 9103, Title: "Never", Head: "gone", State: "closed"})
	c := start(t, fake)
	page := "http://" + strings.TrimPrefix(strings.Split(c.CommitURL("x"), "/mozilla")[0], "http://") + "/mozilla/treeherder/pull/"
	for _, want := range []github.PR{
		{Number: 9101, Title: "Speed up", Merged: shas[1], Base: "master", URL: page + "9101"},
		{Number: 9102, Title: "Try", Open: true, Base: "prototype", URL: page + "9102"},
		{Number: 9103, Title: "Never", Base: "master", URL: page + "9103"},
	} {
		if got, err := c.PR(t.Context(), want.Number); got != want || err != nil {
			t.Errorf("%+v, %v\nwant %+v", got, err, want)
		}
	}
	if _, err := c.PR(t.Context(), 9104); !errors.Is(err, bot.ErrNotFound) {
		t.Error(err)
	}
}

func TestPRNonsense(t *testing.T) {
	fake := &fakegithub.Server{}
	sha := line(fake, 1, "", "only")[0]
	c := start(t, fake)
	answer := func(number int, state, merged, as, base string) string {
		return fmt.Sprintf(`{"number":%d,"state":%q,"merged":%s,"merge_commit_sha":%s,"base":{"ref":%q},"title":"x"}`, number, state, merged, as, base)
	}
	quoted := `"` + sha + `"`
	for _, tt := range []struct {
		name, body string
		ok         bool
		merged     string
	}{
		{"right", answer(7, "closed", "true", quoted, "master"), true, sha},
		{"a trial merge", answer(7, "open", "false", quoted, "master"), true, ""},
		{"another", answer(8, "closed", "true", quoted, "master"), false, ""},
		{"open, yet merged", answer(7, "open", "true", quoted, "master"), false, ""},
		{"no state", answer(7, "", "true", quoted, "master"), false, ""},
		{"merged as nothing", answer(7, "closed", "true", "null", "master"), false, ""},
		{"merged as a short SHA", answer(7, "closed", "true", `"9f8e7d6"`, "master"), false, ""},
		{"for no branch", answer(7, "closed", "true", quoted, ""), false, ""},
		{"perhaps merged", answer(7, "closed", "null", quoted, "master"), false, ""},
		{"empty", "", false, ""},
		{"null", "null", false, ""},
		{"{}", "{}", false, ""},
		{"a page", "<html>", false, ""},
	} {
		fake.AnswersTo("GET pull", 200, tt.body)
		got, err := c.PR(t.Context(), 7)
		var e *web.Error
		if tt.ok && (err != nil || got.Merged != tt.merged) || !tt.ok && (!errors.As(err, &e) || e.Final) {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
}

func TestLog(t *testing.T) {
	fake := &fakegithub.Server{}
	shas := line(fake, 250, "", "step")
	c := start(t, fake)
	for _, tt := range []struct{ from, n, want int }{{249, 1, 1}, {249, 100, 100}, {249, 230, 230}, {249, 300, 250}, {99, 300, 100}, {0, 10, 1}} {
		got, err := c.Log(t.Context(), shas[tt.from], tt.n)
		if err != nil || len(got) != tt.want {
			t.Errorf("%+v: %d commits, %v", tt, len(got), err)
			continue
		}
		for i, commit := range got {
			if want := shas[tt.from-i]; commit.SHA != want || commit.Bug != 1790000+tt.from-i {
				t.Errorf("%+v: commit %d is %+v, want %s", tt, i, commit, want)
				break
			}
		}
	}
	if _, err := c.Log(t.Context(), strings.Repeat("d", 40), 10); !errors.Is(err, bot.ErrNotFound) {
		t.Error(err)
	}
	var e *github.RefError
	if _, err := c.Log(t.Context(), "master", 10); !errors.As(err, &e) {
		t.Error(err)
	}
}

func TestLogOf(t *testing.T) {
	fake := &fakegithub.Server{}
	const dir, file = "treeherder/model/migrations", "treeherder/model/migrations/0016_enforce repository name uniqueness.py"
	add := func(c fakegithub.CommitSpec, parents ...string) string { c.Parents = parents; return fake.AddCommit(c) }
	first := add(fakegithub.CommitSpec{Subject: "Add", Write: map[string]string{file: "1", "README": "1"}})
	second := add(fakegithub.CommitSpec{Subject: "Other", Write: map[string]string{"README": "2"}}, first)
	third := add(fakegithub.CommitSpec{Subject: "Edit", Write: map[string]string{file: "2"}}, second)
	last := add(fakegithub.CommitSpec{Subject: "Take away, and add", Remove: []string{file}, Write: map[string]string{dir + "/0017.py": "1"}}, third)
	for range 120 {
		last = add(fakegithub.CommitSpec{Subject: "More", Write: map[string]string{"many/file": last}}, last)
	}
	fake.SetBranch("master", last)
	c := start(t, fake)
	for _, tt := range []struct {
		up, at string
		n      int
		want   []string
	}{
		{last, file, 10, []string{"Take away, and add", "Edit", "Add"}},
		{last, file, 1, []string{"Take away, and add"}},
		{third, dir, 10, []string{"Edit", "Add"}},
		{last, "treeherder/model", 10, []string{"Take away, and add", "Edit", "Add"}},
		{second, file, 10, []string{"Add"}},
		{last, "treeherder/nothing", 10, nil},
	} {
		got, err := c.LogOf(t.Context(), tt.up, tt.at, tt.n)
		var subjects []string
		for _, commit := range got {
			subjects = append(subjects, commit.Subject)
		}
		if err != nil || !slices.Equal(subjects, tt.want) {
			t.Errorf("%d of %s: %q, %v; want %q", tt.n, tt.at, subjects, err, tt.want)
		}
	}
	if got, err := c.LogOf(t.Context(), last, "many", 115); err != nil || len(got) != 115 {
		t.Errorf("of two pages: %d commits, %v", len(got), err)
	}
	if _, err := c.LogOf(t.Context(), strings.Repeat("d", 40), file, 10); !errors.Is(err, bot.ErrNotFound) {
		t.Error(err)
	}
	var e *github.RefError
	for _, tt := range [][2]string{{"master", file}, {last, "../../user"}, {last, ""}, {last, "a\nb"}} {
		if _, err := c.LogOf(t.Context(), tt[0], tt[1], 10); !errors.As(err, &e) {
			t.Errorf("%q: %v", tt, err)
		}
	}
	fake.AnswersTo("GET commits", 502, "<html>")
	if _, err := c.LogOf(t.Context(), last, file, 10); err == nil || !bot.NotSent(err) && bot.Service(err) != "GitHub" {
		t.Error(err)
	}
}

func TestLogNonsense(t *testing.T) {
	fake := &fakegithub.Server{}
	shas := line(fake, 2, "", "step")
	c := start(t, fake)
	commit := func(sha string) string { return fmt.Sprintf(`{"sha":%q}`, sha) }
	for _, tt := range []struct {
		name, body string
		ok         bool
	}{
		{"right", "[" + commit(shas[1]) + "," + commit(shas[0]) + "]", true},
		{"of another", "[" + commit(shas[0]) + "]", false},
		{"a bad SHA", "[" + commit(shas[1]) + "," + commit("../x") + "]", false},
		{"null commits", "[null]", false},
		{"none", "[]", false},
		{"empty", "", false},
		{"{}", "{}", false},
		{"a page", "<html>", false},
	} {
		fake.AnswersTo("GET commits", 200, tt.body)
		got, err := c.Log(t.Context(), shas[1], 10)
		var e *web.Error
		if tt.ok && (err != nil || len(got) != 2) || !tt.ok && (!errors.As(err, &e) || e.Final) {
			t.Errorf("%s: %v, %v", tt.name, got, err)
		}
	}
}
