package github_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thbot/bot"
	"thbot/integrations/github"
	"thbot/integrations/github/fakegithub"
)

func TestCreateBranch(t *testing.T) {
	const name = "prototype-before-2026-11-22-1a2b3c4"
	for _, tt := range []struct {
		name    string
		world   func(fake *fakegithub.Server, master, proto string)
		sha     string // empty: prototype's
		want    error
		refused string
		at      string // empty: where it was wanted
	}{
		{name: "new"},
		{name: "there already", world: func(fake *fakegithub.Server, _, proto string) { fake.SetBranch(name, proto) }},
		{name: "there, at another commit", world: func(fake *fakegithub.Server, master, _ string) { fake.SetBranch(name, master) }, want: bot.ErrTaken, at: "master"},
		{name: "unknown commit", sha: unknown, want: bot.ErrNotFound, at: "nowhere"},
		{name: "a rule", world: func(fake *fakegithub.Server, _, _ string) {
			fake.Repo("").AddRuleset(fakegithub.Ruleset{Branches: []string{"*"}, Rules: []string{"creation"}})
		}, refused: "creations being restricted", at: "nowhere"},
		{name: "below another branch", world: func(fake *fakegithub.Server, _, proto string) { fake.SetBranch(name+"/x", proto) }, refused: "Reference update failed", at: "nowhere"},
		{name: "there, and no right", world: func(fake *fakegithub.Server, _, _ string) { fake.Repo("").Collaborate("thbot", "read") }, refused: "may not write", at: "nowhere"},
	} {
		fake, _, master, proto := fork()
		if tt.world != nil {
			tt.world(fake, master, proto)
		}
		sha := tt.sha
		if sha == "" {
			sha = proto
		}
		err := start(t, fake).CreateBranch(t.Context(), name, sha)
		if want := map[string]string{"": sha, "master": master, "nowhere": ""}[tt.at]; fake.Branch(name) != want {
			t.Errorf("%s: it is at %q, want %q", tt.name, fake.Branch(name), want)
		}
		var no *bot.Refused
		switch {
		case tt.want == nil && tt.refused == "":
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		case tt.want != nil && !errors.Is(err, tt.want) || tt.refused != "" && (!errors.As(err, &no) || !strings.Contains(no.Why, tt.refused)) || !bot.NotSent(err):
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestCreateBranchNonsense(t *testing.T) {
	for body, says := range map[string]string{
		"": "says nothing",
		`{"ref":"refs/heads/other","object":{"type":"commit","sha":"` + unknown + `"}}`:  "is about",
		`{"ref":"refs/heads/backup","object":{"type":"commit","sha":"` + unknown + `"}}`: "has it at " + unknown,
	} {
		fake, _, _, proto := fork()
		fake.AnswersTo("POST ref", 201, body)
		err := start(t, fake).CreateBranch(t.Context(), "backup", proto)
		if err == nil || bot.NotSent(err) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestBranches(t *testing.T) {
	fake, _, master, proto := fork()
	var want []github.Branch
	for i := range 230 {
		b := github.Branch{Name: fmt.Sprintf("prototype-before-%03d", i), SHA: []string{master, proto}[i%2]}
		fake.SetBranch(b.Name, b.SHA)
		want = append(want, b)
	}
	fake.SetBranch("prototype-after-000", proto)
	fake.SetBranch("old/prototype-before-000", proto)
	fake.SetBranch("a#b/c", master)
	fake.Repo("").SetTag("prototype-before-tag", proto)
	c := start(t, fake)
	for prefix, want := range map[string][]github.Branch{
		"prototype-before-": want,
		"prototype-after-":  {{Name: "prototype-after-000", SHA: proto}},
		"old/":              {{Name: "old/prototype-before-000", SHA: proto}},
		"a#b/":              {{Name: "a#b/c", SHA: master}},
		"none":              nil,
	} {
		got, err := c.Branches(t.Context(), prefix)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %v\n%s", prefix, err, cmp.Diff(want, got))
		}
	}
	if got, err := c.Branches(t.Context(), ""); err != nil || len(got) != 230+5 {
		t.Errorf("all are %d, %v", len(got), err)
	}
	for _, body := range []string{
		"", "null", `[null]`, `{}`, `[{"ref":"refs/heads/prototype-before-1"}]`,
		`[{"ref":"refs/heads/master","object":{"type":"commit","sha":"` + master + `"}}]`,
		`[{"ref":"refs/tags/prototype-before-1","object":{"type":"commit","sha":"` + master + `"}}]`,
		`[{"ref":"refs/heads/prototype-before-1","object":{"type":"commit","sha":"abc"}}]`,
	} {
		fake.AnswersTo("GET matching-refs", 200, body)
		if got, err := c.Branches(t.Context(), "prototype-before-"); err == nil || got != nil {
			t.Errorf("%s: %v", body, got)
		}
	}
}
