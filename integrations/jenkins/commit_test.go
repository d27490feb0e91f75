package jenkins_test

import (
	"errors"
	"testing"

	"thbot/integrations/jenkins"
)

func TestCommit(t *testing.T) {
	const app, other = "https://github.com/mozilla/treeherder", "https://github.com/x/infra.git"
	tag := jenkins.CommitFrom{Parameter: "ImageTag"}
	name := jenkins.CommitFrom{DisplayName: `^deploy (\S+)`}
	git := jenkins.CommitFrom{Git: app}
	with := func(values ...string) jenkins.Run {
		r := jenkins.Run{Number: 812, Parameters: []jenkins.Value{{Name: "Ref", Value: infra}}}
		for _, v := range values {
			r.Parameters = append(r.Parameters, jenkins.Value{Name: "ImageTag", Value: v})
		}
		return r
	}
	called := func(name string) jenkins.Run { return jenkins.Run{DisplayName: name} }
	from := func(data ...jenkins.GitData) jenkins.Run { return jenkins.Run{Git: data} }
	for _, tt := range []struct {
		name string
		rule jenkins.CommitFrom
		run  jenkins.Run
		want string // "": cannot be told
	}{
		{"whole", tag, with(sha), sha},
		{"image tag", tag, with("master-" + sha), sha},
		{"short", tag, with("445ee07"), "445ee07"},
		{"short image tag", tag, with("master_445ee07"), "445ee07"},
		{"a full one beside a date", tag, with("master-20261122-" + sha), sha},
		{"the same twice", tag, with(sha, sha), sha},
		{"a short one beside a date", tag, with("master-20261122-445ee07"), ""},
		{"two", tag, with(sha + "-" + infra), ""},
		{"two values", tag, with(sha, infra), ""},
		{"too short", tag, with("master-445ee0"), ""},
		{"a digest", tag, with("sha256:" + sha + "000000000000000000000000"), ""},
		{"part of a word", tag, with("v445ee07"), ""},
		{"latest", tag, with("latest"), ""},
		{"empty", tag, with(""), ""},
		{"no such parameter", tag, with(), ""},

		{"display name", name, called("deploy master-" + sha + " to prod"), sha},
		{"only the group counts", name, called("deploy latest (was " + sha + ")"), ""},
		{"other display name", name, called("#812"), ""},

		{"the one checkout", git, from(jenkins.GitData{SHA: sha, Remotes: []string{app}}), sha},
		{"the right one of two", git, from(jenkins.GitData{SHA: infra, Remotes: []string{other}}, jenkins.GitData{SHA: sha, Remotes: []string{app + ".git"}}), sha},
		{"written another way", git, from(jenkins.GitData{SHA: sha, Remotes: []string{"git@github.com:Mozilla/treeherder.git"}}), sha},
		{"with a user", git, from(jenkins.GitData{SHA: sha, Remotes: []string{"ssh://git@github.com/mozilla/treeherder/"}}), sha},
		{"checked out twice", git, from(jenkins.GitData{SHA: sha, Remotes: []string{app}}, jenkins.GitData{SHA: sha, Remotes: []string{app}}), sha},
		{"two commits of it", git, from(jenkins.GitData{SHA: sha, Remotes: []string{app}}, jenkins.GitData{SHA: infra, Remotes: []string{app}}), ""},
		{"only another", git, from(jenkins.GitData{SHA: infra, Remotes: []string{other}}), ""},
		{"one that begins the same", git, from(jenkins.GitData{SHA: infra, Remotes: []string{app + "-infra"}}), ""},
		{"failed before checkout", git, from(), ""},

		{"revision", jenkins.CommitFrom{Revision: true}, jenkins.Run{Revision: sha}, sha},
		{"no revision", jenkins.CommitFrom{Revision: true}, jenkins.Run{}, ""},
	} {
		got, err := tt.rule.Commit(tt.run)
		if got != tt.want || (err == nil) != (tt.want != "") || err != nil && !errors.Is(err, jenkins.ErrNoCommit) {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestCommitFromValidate(t *testing.T) {
	for _, tt := range []struct {
		rule jenkins.CommitFrom
		ok   bool
	}{
		{jenkins.CommitFrom{Parameter: "ImageTag"}, true},
		{jenkins.CommitFrom{DisplayName: `(\w+)$`}, true},
		{jenkins.CommitFrom{DisplayName: `(?:a|b)-(\w+)$`}, true},
		{jenkins.CommitFrom{Git: "https://github.com/mozilla/treeherder"}, true},
		{jenkins.CommitFrom{Revision: true}, true},
		{jenkins.CommitFrom{}, false},
		{jenkins.CommitFrom{Parameter: "ImageTag", Git: "x"}, false},
		{jenkins.CommitFrom{DisplayName: `\w+$`}, false},
		{jenkins.CommitFrom{DisplayName: `(\w+)-(\w+)`}, false},
		{jenkins.CommitFrom{DisplayName: `(`}, false},
	} {
		if err := tt.rule.Validate(); (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt.rule, err)
		}
		if _, err := tt.rule.Commit(jenkins.Run{DisplayName: sha}); !tt.ok && err == nil {
			t.Errorf("%+v was used", tt.rule)
		}
	}
}
