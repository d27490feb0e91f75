package fakegithub_test

import (
	"net/http"
	"strings"
	"testing"

	gh "github.com/google/go-github/v60/github"

	"thbot/integrations/github/fakegithub"
)

// A renamed repository redirects reads and writes to its id. A client that
// turns a 301 of a write into a read would see a 200 that did nothing, so a
// write gets a 307, which keeps method and body.
func TestRename(t *testing.T) {
	fake, root, master, _ := forked()
	url := serve(t, fake)
	fake.Repo("").Rename("mozilla/treeherder-ng")
	resp, body := ask(t, "GET", url+"/repos/mozilla/treeherder/git/ref/heads%2Fmaster?x=y")
	if resp.StatusCode != 301 || resp.Header.Get("Location") != url+"/repositories/4001/git/ref/heads%2Fmaster?x=y" || body["message"] != "Moved Permanently" {
		t.Errorf("a read: %d to %s, %v", resp.StatusCode, resp.Header.Get("Location"), body)
	}
	resp, _ = ask(t, "PATCH", url+"/repos/mozilla/treeherder/git/refs/heads/master")
	if resp.StatusCode != 307 || resp.Header.Get("Location") != url+"/repositories/4001/git/refs/heads/master" {
		t.Errorf("a write: %d to %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	c := stock(t, url, fakegithub.Token) // follows
	if ref, _, err := c.Git.GetRef(t.Context(), owner, repo, "heads/master"); err != nil || ref.GetObject().GetSHA() != master {
		t.Errorf("%v, %v", ref, err)
	}
	if ref, _, err := c.Git.UpdateRef(t.Context(), owner, repo, reference("heads/prototype", root), true); err != nil || ref.GetObject().GetSHA() != root || fake.Branch("prototype") != root {
		t.Errorf("%v, %v", ref, err)
	}
	if r, _, err := c.Repositories.Get(t.Context(), owner, "Treeherder-NG"); err != nil || r.GetFullName() != "mozilla/treeherder-ng" {
		t.Errorf("%v, %v", r, err)
	}
	// Somebody takes the old name: no redirect any more.
	fake.Repo("mozilla/treeherder")
	if _, _, err := c.Git.GetRef(t.Context(), owner, repo, "heads/master"); says(err, 404, "Not Found") != nil {
		t.Errorf("the old name, taken: %v", err)
	}
}

func TestAccess(t *testing.T) {
	read := map[string]string{"contents": "read"}
	tokens := map[string]fakegithub.Access{
		"fake-admin":     {Login: "ana"},
		"fake-reader":    {Login: "cid"},
		"fake-stranger":  {Login: "eve"},
		"fake-read":      {Login: "ana", Permissions: read},
		"fake-write":     {Login: "ana", Permissions: map[string]string{"contents": "write"}},
		"fake-weak":      {Login: "cid", Permissions: map[string]string{"contents": "write"}},
		"fake-elsewhere": {Login: "ana", Permissions: read, Repositories: []string{"mozilla/other"}},
		"fake-here":      {Login: "ana", Permissions: read, Repositories: []string{"mozilla/treeherder"}},
	}
	const no = "Resource not accessible by personal access token"
	for _, tt := range []struct {
		token               string
		private             bool
		get, status, update string // empty: allowed
		protection          string
	}{
		{"fake-admin", false, "", "", "", ""},
		{"fake-admin", true, "", "", "", ""},
		{"fake-reader", false, "", "", "Not Found", "Not Found"},
		{"fake-reader", true, "", "", "Not Found", "Not Found"},
		{"fake-stranger", false, "", "", "Not Found", "Not Found"},
		{"fake-stranger", true, "Not Found", "Not Found", "Not Found", "Not Found"},
		{"fake-read", false, "", no, no, no},
		{"fake-write", true, "", no, "", no},
		{"fake-weak", false, "", no, no, no},
		{"fake-elsewhere", false, no, no, no, no},
		{"fake-elsewhere", true, "Not Found", "Not Found", "Not Found", "Not Found"},
		{"fake-here", true, "", no, no, no},
		{"", false, "", "", "Requires authentication", "Requires authentication"},
		{"", true, "Not Found", "Not Found", "Not Found", "Not Found"},
	} {
		fake, _, master, _ := forked()
		fake.Anonymous = true
		for token, a := range tokens {
			fake.AddToken(token, a)
		}
		r := fake.Repo("")
		r.Collaborate("ana", "admin")
		r.Collaborate("cid", "triage")
		r.Protect("master", fakegithub.Protection{})
		r.SetPrivate(tt.private)
		c, ctx := stock(t, serve(t, fake), tt.token), t.Context()
		if tt.token == "" {
			base := c.BaseURL
			c = gh.NewClient(nil)
			c.BaseURL = base
		}
		_, _, get := c.Git.GetRef(ctx, owner, repo, "heads/master")
		_, _, status := c.Repositories.GetCombinedStatus(ctx, owner, repo, master, nil)
		_, resp, update := c.Git.UpdateRef(ctx, owner, repo, reference("heads/prototype", master), true)
		_, _, protection := c.Repositories.GetBranchProtection(ctx, owner, repo, "master")
		for what, x := range map[string]struct {
			err  error
			want string
		}{"get": {get, tt.get}, "status": {status, tt.status}, "update": {update, tt.update}, "protection": {protection, tt.protection}} {
			if (x.err == nil) != (x.want == "") || x.err != nil && !strings.Contains(x.err.Error(), x.want) {
				t.Errorf("%q, private %v, %s: %v, want %q", tt.token, tt.private, what, x.err, x.want)
			}
		}
		if tt.update == no && resp.Header.Get("X-Accepted-GitHub-Permissions") != "contents=write" {
			t.Errorf("%q: %v", tt.token, resp.Header)
		}
	}
}

// Without a token there are 60 calls an hour, if at all.
func TestAnonymous(t *testing.T) {
	fake, _, _, _ := forked()
	fake.Anonymous = true
	url := serve(t, fake)
	bare := func(r *http.Request) { r.Header.Del("Authorization") }
	resp, _ := ask(t, "GET", url+"/repos/mozilla/treeherder", bare)
	if resp.StatusCode != 200 || resp.Header.Get("X-RateLimit-Limit") != "60" || !strings.HasPrefix(resp.Header.Get("Cache-Control"), "public") {
		t.Errorf("%d, %v", resp.StatusCode, resp.Header)
	}
	for path, status := range map[string]int{"/user": 401, "/app": 401, "/installation/repositories": 403} {
		if resp, _ := ask(t, "GET", url+path, bare); resp.StatusCode != status {
			t.Errorf("GET %s is %d, want %d", path, resp.StatusCode, status)
		}
	}
	if resp, _ := ask(t, "POST", url+"/graphql", bare); resp.StatusCode != 403 {
		t.Errorf("GraphQL: %d", resp.StatusCode)
	}
	if resp, _ := ask(t, "GET", url+"/user", func(r *http.Request) { r.Header.Set("Authorization", "Bearer fake-x") }); resp.StatusCode != 401 {
		t.Errorf("a wrong token: %d", resp.StatusCode)
	}
}

func TestPeople(t *testing.T) {
	fake, _, _, _ := forked()
	fake.Repo("").Collaborate("ana", "maintain")
	fake.Repo("").Collaborate("bob", "none")
	c, ctx := stock(t, serve(t, fake), fakegithub.Token), t.Context()
	for login, want := range map[string]struct {
		in         bool
		permission string
	}{"ana": {true, "write"}, "bob": {false, "read"}, "eve": {false, "read"}, fakegithub.Login: {true, "write"}} {
		is, _, err := c.Repositories.IsCollaborator(ctx, owner, repo, login)
		p, _, err2 := c.Repositories.GetPermissionLevel(ctx, owner, repo, login)
		if err != nil || err2 != nil || is != want.in || p.GetPermission() != want.permission {
			t.Errorf("%s is a collaborator %v, may %s; %v %v", login, is, p.GetPermission(), err, err2)
		}
	}
	if _, _, err := c.Users.Get(ctx, "nobody"); says(err, 404, "") != nil {
		t.Errorf("nobody: %v", err)
	}
	for name, mistake := range map[string]func(){
		"a real token": func() { fake.AddToken("ghp_x", fakegithub.Access{}) },
		"a new role":   func() { fake.Repo("").Collaborate("ana", "king") },
		"no owner":     func() { fake.Repo("treeherder") },
		"a new rule":   func() { fake.Repo("").AddRuleset(fakegithub.Ruleset{Rules: []string{"x"}}) },
		"no App":       func() { fake.Install(1, fakegithub.Installation{}) },
		"no branch":    func() { fake.Repo("").RenameBranch("x", "y") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: accepted", name)
				}
			}()
			mistake()
		}()
	}
}
