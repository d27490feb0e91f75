package fakegithub_test

import (
	"fmt"
	"strings"
	"testing"

	gh "github.com/google/go-github/v60/github"

	"thbot/integrations/github/fakegithub"
)

// forked is a fake whose master and prototype have both gone on from one commit.
func forked() (fake *fakegithub.Server, root, master, proto string) {
	fake = &fakegithub.Server{}
	root = fake.AddCommit(fakegithub.CommitSpec{Subject: "root", Write: map[string]string{"a": "a\n"}})
	master = fake.AddCommit(fakegithub.CommitSpec{Subject: "master", Parents: []string{root}})
	proto = fake.AddCommit(fakegithub.CommitSpec{Subject: "proto", Parents: []string{root}})
	fake.SetBranch("master", master)
	fake.SetBranch("prototype", proto)
	return fake, root, master, proto
}

var unknown = strings.Repeat("0123", 10)

func TestUpdateRef(t *testing.T) {
	tree := "f6a2b2b0cfc0ee8b8b3cba8f1d24e1fb0a2a2b32"
	for _, tt := range []struct {
		name, ref string
		to        func(root, master, proto string) string
		force     bool
		status    int // 0: done
		says      string
	}{
		{"fast forward", "heads/root", func(_, m, _ string) string { return m }, false, 0, ""},
		{"to the same", "heads/prototype", func(_, _, p string) string { return p }, false, 0, ""},
		{"diverged", "heads/prototype", func(_, m, _ string) string { return m }, false, 422, "Update is not a fast forward"},
		{"back", "heads/prototype", func(r, _, _ string) string { return r }, false, 422, "Update is not a fast forward"},
		{"diverged by force", "heads/prototype", func(_, m, _ string) string { return m }, true, 0, ""},
		{"missing ref", "heads/none", func(_, m, _ string) string { return m }, true, 422, "Reference does not exist"},
		{"missing object", "heads/prototype", func(_, _, _ string) string { return unknown }, true, 422, "Object does not exist"},
		{"short", "heads/prototype", func(_, m, _ string) string { return m[:7] }, true, 422, "exactly 40 characters"},
		{"no tree", "heads/prototype", func(_, _, _ string) string { return tree }, true, 422, "Object does not exist"},
	} {
		fake, root, master, proto := forked()
		fake.SetBranch("root", root)
		c := stock(t, serve(t, fake), fakegithub.Token)
		to := tt.to(root, master, proto)
		before := fake.Branch(strings.TrimPrefix(tt.ref, "heads/"))
		ref, _, err := c.Git.UpdateRef(t.Context(), owner, repo, reference(tt.ref, to), tt.force)
		now := fake.Branch(strings.TrimPrefix(tt.ref, "heads/"))
		if tt.status == 0 {
			if err != nil || now != to || ref.GetObject().GetSHA() != to {
				t.Errorf("%s: %v, at %s", tt.name, err, now)
			}
			continue
		}
		if err := says(err, tt.status, tt.says); err != nil || now != before {
			t.Errorf("%s: %v, at %s", tt.name, err, now)
		}
	}
}

func TestCreateAndDeleteRef(t *testing.T) {
	fake, root, master, proto := forked()
	c := stock(t, serve(t, fake), fakegithub.Token)
	for _, tt := range []struct{ ref, sha, says string }{
		{"refs/heads/backup/prototype", proto, ""},
		{"refs/tags/v1", root, ""},
		{"refs/heads/master", master, "Reference already exists"},
		{"refs/heads/none", unknown, "Object does not exist"},
		{"refs/heads/prototype/x", master, "Reference update failed"},
		{"refs/heads/backup", master, "Reference update failed"},
		{"refs/x", master, "at least three slash-separated components"},
		{"refs/notes/x", master, "is not a valid ref name"},
		{"refs/heads/a..b", master, "is not a valid ref name"},
		{"refs/heads/a b", master, "is not a valid ref name"},
		{"refs/heads/a.lock", master, "is not a valid ref name"},
		{"refs/heads/", master, "is not a valid ref name"},
	} {
		req, err := c.NewRequest("POST", "repos/mozilla/treeherder/git/refs", map[string]string{"ref": tt.ref, "sha": tt.sha})
		if err != nil {
			t.Fatal(err)
		}
		ref := &gh.Reference{}
		_, err = c.Do(t.Context(), req, ref)
		if tt.says != "" {
			err = says(err, 422, tt.says)
		} else if ref.GetRef() != tt.ref || ref.GetObject().GetSHA() != tt.sha {
			t.Errorf("%s is answered with %v", tt.ref, ref)
		}
		if err != nil {
			t.Errorf("%s: %v", tt.ref, err)
		}
	}
	list, _, err := c.Git.ListMatchingRefs(t.Context(), owner, repo, &gh.ReferenceListOptions{Ref: "heads/backup/"})
	if err != nil || len(list) != 1 || list[0].GetObject().GetSHA() != proto {
		t.Errorf("backups are %v, %v", list, err)
	}
	if _, err := c.Git.DeleteRef(t.Context(), owner, repo, "heads/backup/prototype"); err != nil {
		t.Error(err)
	}
	_, err = c.Git.DeleteRef(t.Context(), owner, repo, "heads/backup/prototype")
	if err := says(err, 422, "Reference does not exist"); err != nil {
		t.Error(err)
	}
	_, _, err = c.Git.GetRef(t.Context(), owner, repo, "heads/backup/prototype")
	if err := says(err, 404, "Not Found"); err != nil {
		t.Error(err)
	}
	_, _, err = c.Git.GetRef(t.Context(), owner, repo, "heads/prot") // the whole name
	if err := says(err, 404, "Not Found"); err != nil {
		t.Error(err)
	}
	// The commits stay readable by SHA.
	fake.Repo("").DeleteBranch("prototype")
	if _, _, err := c.Repositories.GetCommit(t.Context(), owner, repo, proto, nil); err != nil {
		t.Error(err)
	}
}

// Each way in which a branch can be guarded, tried with a push, a push by
// force, a creation and a deletion.
func TestGuardedBranches(t *testing.T) {
	type effect struct{ push, force, delete string } // what is said; empty: done
	const forced, deleted = "Cannot force-push to this branch", "Cannot delete this branch"
	rule := func(rules ...string) func(*fakegithub.Repo) {
		return func(r *fakegithub.Repo) {
			r.AddRuleset(fakegithub.Ruleset{Branches: []string{"proto*"}, Rules: rules, Checks: []string{"ci"}})
		}
	}
	protect := func(p fakegithub.Protection) func(*fakegithub.Repo) {
		return func(r *fakegithub.Repo) { r.Protect("prototype", p) }
	}
	for name, tt := range map[string]struct {
		guard func(*fakegithub.Repo)
		want  effect
	}{
		"nothing":           {func(*fakegithub.Repo) {}, effect{}},
		"protected":         {protect(fakegithub.Protection{}), effect{"", forced, deleted}},
		"force allowed":     {protect(fakegithub.Protection{AllowForce: true}), effect{"", "", deleted}},
		"deletion allowed":  {protect(fakegithub.Protection{AllowDelete: true}), effect{"", forced, ""}},
		"among the pushers": {protect(fakegithub.Protection{AllowForce: true, AllowDelete: true, Pushers: []string{"ana", "thbot"}}), effect{}},
		"not a pusher":      {protect(fakegithub.Protection{AllowForce: true, Pushers: []string{"ana"}}), effect{"Protected branch update failed", "Protected branch update failed", deleted}},
		"nobody may":        {protect(fakegithub.Protection{AllowForce: true, AllowDelete: true, Pushers: []string{}}), effect{"Protected branch", "Protected branch", "Protected branch"}},
		"needs a check":     {protect(fakegithub.Protection{AllowForce: true, AllowDelete: true, Checks: []string{"ci"}}), effect{"1 of 1 required status checks", "1 of 1 required status checks", ""}},
		"has its check":     {protect(fakegithub.Protection{AllowForce: true, AllowDelete: true, Checks: []string{"green", "skipped"}}), effect{}},
		"a check is red":    {protect(fakegithub.Protection{AllowForce: true, AllowDelete: true, Checks: []string{"green", "late"}}), effect{"1 of 2 required status checks", "1 of 2 required status checks", ""}},
		"no force rule":     {rule("non_fast_forward"), effect{"", "Repository rule violations found\n\n" + forced, ""}},
		"deletion rule":     {rule("deletion"), effect{"", "", "rule violations found\n\n" + deleted}},
		"pull request rule": {rule("pull_request"), effect{"must be made through a pull request", "must be made through a pull request", ""}},
		"update rule":       {rule("update"), effect{"Cannot update", "Cannot update", ""}},
		"two rules":         {rule("update", "non_fast_forward"), effect{"Cannot update", forced, ""}},
		"check rule":        {rule("required_status_checks"), effect{"Required status check", "Required status check", ""}},
		"unprotected again": {func(r *fakegithub.Repo) { protect(fakegithub.Protection{})(r); r.Unprotect("prototype") }, effect{}},
		"of another branch": {func(r *fakegithub.Repo) { r.Protect("master", fakegithub.Protection{}) }, effect{}},
		"bypassed": {func(r *fakegithub.Repo) {
			r.AddRuleset(fakegithub.Ruleset{Branches: []string{"*"}, Rules: []string{"update", "deletion"}, Bypass: []string{"thbot"}})
		}, effect{}},
		"restricted to none": {func(r *fakegithub.Repo) {
			r.AddRuleset(fakegithub.Ruleset{Branches: []string{"x"}, Rules: []string{"update"}})
		}, effect{}},
	} {
		try := func(what, want string, do func(c *gh.Client, next, master string) error) {
			fake, _, master, proto := forked()
			next := fake.AddCommit(fakegithub.CommitSpec{Subject: "next", Parents: []string{proto}})
			for _, sha := range []string{next, master} {
				fake.Repo("").AddStatus(sha, fakegithub.Status{Context: "green", State: "success"})
				fake.Repo("").AddStatus(sha, fakegithub.Status{Context: "ci", State: "pending"})
				fake.Repo("").AddCheckRun(sha, fakegithub.CheckRun{Name: "skipped", Conclusion: "skipped"})
				fake.Repo("").AddCheckRun(sha, fakegithub.CheckRun{Name: "late", Conclusion: "timed_out"})
			}
			tt.guard(fake.Repo(""))
			err := do(stock(t, serve(t, fake), fakegithub.Token), next, master)
			if want != "" {
				err = says(err, 422, want)
			}
			if moved := fake.Branch("prototype") != proto; err != nil || moved != (want == "") {
				t.Errorf("%s, %s: %v, moved is %v", name, what, err, moved)
			}
		}
		move := func(force bool) func(*gh.Client, string, string) error {
			return func(c *gh.Client, next, master string) error {
				if force {
					next = master
				}
				_, _, err := c.Git.UpdateRef(t.Context(), owner, repo, reference("heads/prototype", next), force)
				return err
			}
		}
		try("push", tt.want.push, move(false))
		try("force", tt.want.force, move(true))
		try("delete", tt.want.delete, func(c *gh.Client, _, _ string) error {
			_, err := c.Git.DeleteRef(t.Context(), owner, repo, "heads/prototype")
			return err
		})
	}
}

// Rulesets are not in the protection of a branch.
func TestRulesAndProtection(t *testing.T) {
	fake, _, master, _ := forked()
	r := fake.Repo("")
	r.Collaborate(fakegithub.Login, "admin")
	r.AddRuleset(fakegithub.Ruleset{Branches: []string{"proto*", "new"}, Rules: []string{"non_fast_forward", "creation"}})
	r.AddRuleset(fakegithub.Ruleset{Branches: []string{"prototype"}, Rules: []string{"required_status_checks", "pull_request", "update"}, Checks: []string{"ci"}})
	r.Protect("master", fakegithub.Protection{Pushers: []string{"ana", "thbot-app"}, Checks: []string{"ci"}, Status: 409})
	fake.AddApp(fakegithub.App{ID: 7, Slug: "thbot-app"})
	c, ctx := stock(t, serve(t, fake), fakegithub.Token), t.Context()
	rules, _, err := c.Repositories.GetRulesForBranch(ctx, owner, repo, "prototype")
	var types []string
	for _, rule := range rules {
		types = append(types, rule.Type)
	}
	if got := strings.Join(types, " "); err != nil || got != "non_fast_forward creation required_status_checks pull_request update" {
		t.Errorf("rules are %s, %v", got, err)
	}
	_, _, err = c.Repositories.GetBranchProtection(ctx, owner, repo, "prototype")
	if err != gh.ErrBranchNotProtected {
		t.Errorf("protection of prototype: %v", err)
	}
	p, _, err := c.Repositories.GetBranchProtection(ctx, owner, repo, "master")
	if err != nil || len(p.GetRestrictions().Users) != 1 || len(p.GetRestrictions().Apps) != 1 || p.GetRequiredStatusChecks().GetContexts()[0] != "ci" {
		t.Errorf("protection of master: %v, %v", p, err)
	}
	_, _, err = c.Repositories.GetBranchProtection(ctx, owner, repo, "none")
	if err := says(err, 404, "Branch not found"); err != nil {
		t.Error(err)
	}
	_, _, err = c.Git.CreateRef(ctx, owner, repo, reference("heads/new", master))
	if err := says(err, 422, "creations being restricted"); err != nil {
		t.Error(err)
	}
	next := fake.AddCommit(fakegithub.CommitSpec{Subject: "next", Parents: []string{master}})
	_, _, err = c.Git.UpdateRef(ctx, owner, repo, reference("heads/master", next), false)
	if err := says(err, 409, "Protected branch update failed for refs/heads/master."); err != nil {
		t.Error(err)
	}
	b, _, err := c.Repositories.GetBranch(ctx, owner, repo, "prototype", 0)
	if err != nil || !b.GetProtected() {
		t.Errorf("prototype: %v, %v", b, err)
	}
}

// The many branches come in pages, and a renamed one redirects.
func TestBranches(t *testing.T) {
	fake, root, _, _ := forked()
	for i := range 40 {
		fake.SetBranch(fmt.Sprintf("feature/%02d", i), root)
	}
	fake.Repo("").RenameBranch("prototype", "proto/new")
	c, ctx := stock(t, serve(t, fake), fakegithub.Token), t.Context()
	list, resp, err := c.Repositories.ListBranches(ctx, owner, repo, &gh.BranchListOptions{ListOptions: gh.ListOptions{Page: 2}})
	if err != nil || len(list) != 12 || list[11].GetName() != "proto/new" || resp.NextPage != 0 {
		t.Errorf("second page: %d branches, %v", len(list), err)
	}
	b, _, err := c.Repositories.GetBranch(ctx, owner, repo, "prototype", 1)
	if err != nil || b.GetName() != "proto/new" {
		t.Errorf("renamed branch: %v, %v", b, err)
	}
	if _, _, err := c.Git.GetRef(ctx, owner, repo, "heads/prototype"); says(err, 404, "") != nil {
		t.Errorf("its old ref: %v", err)
	}
	fake.Repo("").RenameBranch("master", "main")
	if r, _, err := c.Repositories.Get(ctx, owner, repo); err != nil || r.GetDefaultBranch() != "main" {
		t.Errorf("default branch: %v, %v", r.GetDefaultBranch(), err)
	}
}
