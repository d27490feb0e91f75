package fakegithub_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	gh "github.com/google/go-github/v60/github"

	"thbot/integrations/github"
	"thbot/integrations/github/fakegithub"
)

const (
	owner = "mozilla"
	repo  = "treeherder"
)

// serve serves fake until the test ends.
func serve(t *testing.T, fake *fakegithub.Server) string {
	t.Helper()
	s := httptest.NewServer(fake)
	t.Cleanup(s.Close)
	return s.URL
}

// stock is go-github's client as it comes.
func stock(t *testing.T, url, token string) *gh.Client {
	t.Helper()
	c := gh.NewClient(nil).WithAuthToken(token)
	base, err := c.BaseURL.Parse(url + "/")
	if err != nil {
		t.Fatal(err)
	}
	c.BaseURL = base
	return c
}

// says is nil if err is a refusal with that status, and has that text in its
// message or its details.
func says(err error, status int, message string) error {
	refused, ok := err.(*gh.ErrorResponse)
	if !ok || refused.Response.StatusCode != status || !strings.Contains(refused.Error(), message) {
		return fmt.Errorf("error is %w, want %d %q", err, status, message)
	}
	return nil
}

// What the table calls supported or partly so, go-github can use; what it calls
// missing is refused and remembered.
func TestCoverage(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	fake := &fakegithub.Server{}
	main := fake.Repo("")
	first := fake.AddCommit(fakegithub.CommitSpec{Subject: "first", Login: "bea", Write: map[string]string{"README.md": "Hello\n"}})
	second := fake.AddCommit(fakegithub.CommitSpec{Subject: "second", Login: "bea", Parents: []string{first}})
	fake.SetBranch("master", first)
	fake.SetBranch("more", second)
	fake.SetBranch("prototype", first)
	main.Collaborate(fakegithub.Login, "admin")
	main.Protect("master", fakegithub.Protection{})
	main.AddRuleset(fakegithub.Ruleset{Branches: []string{"master"}, Rules: []string{"deletion"}})
	main.AddPull(fakegithub.Pull{Head: "prototype"})
	fake.AddApp(fakegithub.App{ID: 7, Slug: "thbot-app", Key: &key.PublicKey, Permissions: map[string]string{"contents": "write"}})
	fake.Install(7, fakegithub.Installation{ID: 70, Account: owner})
	url := serve(t, fake)
	ctx := t.Context()
	c, app := stock(t, url, fakegithub.Token), stock(t, url, sign(t, key, "7", 0, 300))
	installed, _, err := app.Apps.CreateInstallationToken(ctx, 70, nil)
	if err != nil {
		t.Fatal(err)
	}
	in := stock(t, url, installed.GetToken())
	blob := "e965047ad7c57865823c7d992b1d046ea66edf78" // git hash-object of "Hello\n"

	type ask func(context.Context) (found bool, err error)
	asks := map[string]ask{
		"GET repository": func(ctx context.Context) (bool, error) {
			r, _, err := c.Repositories.Get(ctx, owner, repo)
			return r.GetDefaultBranch() == "master", err
		},
		"GET commits": func(ctx context.Context) (bool, error) {
			list, _, err := c.Repositories.ListCommits(ctx, owner, repo, &gh.CommitsListOptions{SHA: "more"})
			return len(list) == 2, err
		},
		"GET commit": func(ctx context.Context) (bool, error) {
			k, _, err := c.Repositories.GetCommit(ctx, owner, repo, first, nil)
			return k.GetSHA() == first && len(k.Files) == 1, err
		},
		"GET compare": func(ctx context.Context) (bool, error) {
			cmp, _, err := c.Repositories.CompareCommits(ctx, owner, repo, first, second, nil)
			return cmp.GetStatus() == "ahead", err
		},
		"GET contents": func(ctx context.Context) (bool, error) {
			f, _, _, err := c.Repositories.GetContents(ctx, owner, repo, "README.md", nil)
			text, _ := f.GetContent()
			return text == "Hello\n", err
		},
		"GET git commit": func(ctx context.Context) (bool, error) {
			k, _, err := c.Git.GetCommit(ctx, owner, repo, first)
			return k.GetSHA() == first, err
		},
		"GET git tree": func(ctx context.Context) (bool, error) {
			tree, _, err := c.Git.GetTree(ctx, owner, repo, "master", true)
			return len(tree.Entries) == 1, err
		},
		"GET git blob": func(ctx context.Context) (bool, error) {
			b, _, err := c.Git.GetBlobRaw(ctx, owner, repo, blob)
			return string(b) == "Hello\n", err
		},
		"GET ref": func(ctx context.Context) (bool, error) {
			ref, _, err := c.Git.GetRef(ctx, owner, repo, "heads/master")
			return ref.GetObject().GetSHA() == first, err
		},
		"GET matching-refs": func(ctx context.Context) (bool, error) {
			list, _, err := c.Git.ListMatchingRefs(ctx, owner, repo, &gh.ReferenceListOptions{Ref: "heads/p"})
			return len(list) == 1, err
		},
		"POST ref": func(ctx context.Context) (bool, error) {
			ref, _, err := c.Git.CreateRef(ctx, owner, repo, reference("heads/new", first))
			return ref.GetRef() == "refs/heads/new", err
		},
		"PATCH ref": func(ctx context.Context) (bool, error) {
			ref, _, err := c.Git.UpdateRef(ctx, owner, repo, reference("heads/prototype", second), false)
			return ref.GetObject().GetSHA() == second, err
		},
		"DELETE ref": func(ctx context.Context) (bool, error) {
			_, err := c.Git.DeleteRef(ctx, owner, repo, "heads/more")
			return fake.Branch("more") == "", err
		},
		"GET branches": func(ctx context.Context) (bool, error) {
			list, _, err := c.Repositories.ListBranches(ctx, owner, repo, nil)
			return len(list) >= 2, err
		},
		"GET branch": func(ctx context.Context) (bool, error) {
			b, _, err := c.Repositories.GetBranch(ctx, owner, repo, "master", 1)
			return b.GetProtected(), err
		},
		"GET protection": func(ctx context.Context) (bool, error) {
			p, _, err := c.Repositories.GetBranchProtection(ctx, owner, repo, "master")
			return p.GetAllowForcePushes() != nil && !p.GetAllowForcePushes().Enabled, err
		},
		"GET rules": func(ctx context.Context) (bool, error) {
			list, _, err := c.Repositories.GetRulesForBranch(ctx, owner, repo, "master")
			return len(list) == 1, err
		},
		"GET status": func(ctx context.Context) (bool, error) {
			st, _, err := c.Repositories.GetCombinedStatus(ctx, owner, repo, first, nil)
			return st.GetState() == "pending", err
		},
		"GET statuses": func(ctx context.Context) (bool, error) {
			list, _, err := c.Repositories.ListStatuses(ctx, owner, repo, first, nil)
			return len(list) == 0, err
		},
		"GET check-runs": func(ctx context.Context) (bool, error) {
			list, _, err := c.Checks.ListCheckRunsForRef(ctx, owner, repo, first, nil)
			return list.GetTotal() == 0, err
		},
		"GET commit pulls": func(ctx context.Context) (bool, error) {
			list, _, err := c.PullRequests.ListPullRequestsWithCommit(ctx, owner, repo, first, nil)
			return len(list) == 0, err
		},
		"GET pulls": func(ctx context.Context) (bool, error) {
			list, _, err := c.PullRequests.List(ctx, owner, repo, nil)
			return len(list) >= 1, err
		},
		"GET pull": func(ctx context.Context) (bool, error) {
			p, _, err := c.PullRequests.Get(ctx, owner, repo, 1)
			return p.GetHead().GetRef() == "prototype", err
		},
		"POST pulls": func(ctx context.Context) (bool, error) {
			fake.SetBranch("change", second)
			p, _, err := c.PullRequests.Create(ctx, owner, repo, &gh.NewPullRequest{Title: gh.String("x"), Head: gh.String("change"), Base: gh.String("master")})
			return p.GetNumber() == 2, err
		},
		"GET collaborator": func(ctx context.Context) (bool, error) {
			is, _, err := c.Repositories.IsCollaborator(ctx, owner, repo, fakegithub.Login)
			return is, err
		},
		"GET permission": func(ctx context.Context) (bool, error) {
			p, _, err := c.Repositories.GetPermissionLevel(ctx, owner, repo, fakegithub.Login)
			return p.GetPermission() == "admin", err
		},
		"GET user": func(ctx context.Context) (bool, error) {
			u, _, err := c.Users.Get(ctx, "")
			return u.GetLogin() == fakegithub.Login, err
		},
		"GET users": func(ctx context.Context) (bool, error) {
			u, _, err := c.Users.Get(ctx, "bea")
			return u.GetLogin() == "bea", err
		},
		"GET rate_limit": func(ctx context.Context) (bool, error) {
			l, _, err := c.RateLimit.Get(ctx)
			return l.GetCore().Limit == 5000, err
		},
		"GET app": func(ctx context.Context) (bool, error) {
			a, _, err := app.Apps.Get(ctx, "")
			return a.GetSlug() == "thbot-app", err
		},
		"GET app installations": func(ctx context.Context) (bool, error) {
			list, _, err := app.Apps.ListInstallations(ctx, nil)
			return len(list) == 1, err
		},
		"GET repository installation": func(ctx context.Context) (bool, error) {
			i, _, err := app.Apps.FindRepositoryInstallation(ctx, owner, repo)
			return i.GetID() == 70, err
		},
		"POST access_tokens": func(ctx context.Context) (bool, error) {
			token, _, err := app.Apps.CreateInstallationToken(ctx, 70, nil)
			return strings.HasPrefix(token.GetToken(), "ghs_7_"), err
		},
		"GET installation repositories": func(ctx context.Context) (bool, error) {
			list, _, err := in.Apps.ListRepos(ctx, nil)
			return list.GetTotalCount() == 1, err
		},
		"POST graphql": func(ctx context.Context) (bool, error) {
			req, err := c.NewRequest("POST", "graphql", map[string]any{"query": "{ viewer { login } }"})
			if err != nil {
				return false, err
			}
			var answer struct {
				Data struct{ Viewer struct{ Login string } }
			}
			_, err = c.Do(ctx, req, &answer)
			return answer.Data.Viewer.Login == fakegithub.Login, err
		},
	}
	for _, row := range fakegithub.Coverage() {
		if row.Level == fakegithub.No {
			continue
		}
		ask := asks[row.Call]
		if ask == nil {
			t.Errorf("no test calls %s", row.Call)
			continue
		}
		delete(asks, row.Call)
		before := len(fake.Journal())
		found, err := ask(ctx)
		if err != nil || !found {
			t.Errorf("%s: found is %v, %v", row.Call, found, err)
		}
		if j := fake.Journal(); len(j) != before+1 || j[before].Call != row.Call {
			t.Errorf("%s: journal has %+v", row.Call, j[before:])
		}
	}
	for call := range asks {
		t.Errorf("%s is not in the table", call)
	}
	if u := fake.Unexpected(); len(u) > 0 {
		t.Errorf("unexpected: %q", u)
	}
}

func reference(name, sha string) *gh.Reference {
	return &gh.Reference{Ref: gh.String("refs/" + name), Object: &gh.GitObject{SHA: &sha}}
}

// What is not there is a 404 and remembered, also in forms of what is there.
func TestMissing(t *testing.T) {
	fake := &fakegithub.Server{}
	sha := fake.AddCommit(fakegithub.CommitSpec{Subject: "first"})
	url := serve(t, fake) + "/repos/mozilla/treeherder/"
	for _, missing := range []struct{ method, path, accept string }{
		{"PUT", "branches/master/protection", ""},
		{"POST", "statuses/" + sha, ""},
		{"POST", "check-runs", ""},
		{"POST", "git/blobs", ""},
		{"POST", "git/trees", ""},
		{"POST", "git/commits", ""},
		{"PUT", "contents/README.md", ""},
		{"PUT", "pulls/1/merge", ""},
		{"GET", "commits/" + sha, "application/vnd.github.v3.diff"},
		{"GET", "commits?author=bea", ""},
		{"GET", "commits/" + sha + "/check-runs?app_id=1", ""},
		{"GET", "compare", ""},
		{"GET", "git/ref/", ""},
		{"GET", "commits/%2e%2e", ""},
	} {
		before := len(fake.Unexpected())
		resp, _ := ask(t, missing.method, url+missing.path, func(r *http.Request) { r.Header.Set("Accept", missing.accept) })
		if resp.StatusCode != 404 || len(fake.Unexpected()) != before+1 {
			t.Errorf("%s %s is %d, unexpected %q", missing.method, missing.path, resp.StatusCode, fake.Unexpected()[before:])
		}
	}
}

// The bot's own client reads a repository among several.
func TestOwnClient(t *testing.T) {
	fake := &fakegithub.Server{}
	infra := fake.Repo("mozilla-services/cloudops-infra")
	sha := infra.AddCommit(fakegithub.CommitSpec{Subject: "infra", Login: "bea"})
	c, err := github.New(github.Options{APIURL: serve(t, fake), Repository: "mozilla-services/cloudops-infra", Token: fakegithub.Token})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if k, err := c.Commit(t.Context(), sha); err != nil || k.Subject != "infra" {
		t.Errorf("%+v, %v", k, err)
	}
	if cmp, err := c.Compare(t.Context(), sha, sha); err != nil || cmp.Status != github.Identical {
		t.Errorf("%+v, %v", cmp, err)
	}
	if n := len(fake.Commits()); n != 0 {
		t.Errorf("the first repository has %d commits", n)
	}
}
