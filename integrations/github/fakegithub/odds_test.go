package fakegithub_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	gh "github.com/google/go-github/v60/github"

	"thbot/integrations/github/fakegithub"
)

// Bodies and queries that are none.
func TestNonsense(t *testing.T) {
	fake, _, master, _ := forked()
	fake.AddToken("fake-reader", fakegithub.Access{Login: "cid"})
	url := serve(t, fake) + "/repos/mozilla/treeherder"
	for _, tt := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", "/git/refs", "{", 400, "Problems parsing JSON"},
		{"POST", "/git/refs", `{"ref":1}`, 422, "Invalid request."},
		{"POST", "/git/refs", "", 422, "Reference name must contain"},
		{"PATCH", "/git/refs/heads/master", `{"sha":"` + master + `","force":"yes"}`, 422, "Invalid request."},
		{"PATCH", "/git/refs/heads/master", "[]", 422, "Invalid request."},
		{"PATCH", "/git/refs/refs/heads/master", `{"sha":"` + master + `"}`, 422, "Reference does not exist"},
		{"POST", "/pulls", `"x"`, 422, "Invalid request."},
		{"GET", "/pulls?state=merged", "", 422, "Validation Failed"},
		{"GET", "/commits/master/check-runs?filter=none", "", 422, "Validation Failed"},
		{"GET", "/commits/none/check-runs", "", 422, "No commit found for SHA: none"},
		{"GET", "/commits/none/statuses", "", 422, "No commit found for SHA: none"},
		{"GET", "/commits/none/pulls", "", 422, "No commit found for SHA: none"},
		{"GET", "/commits?sha=none", "", 404, "Not Found"},
		{"GET", "/git/commits/" + unknown, "", 404, "Not Found"},
		{"GET", "/git/trees/" + unknown, "", 404, "Not Found"},
		{"GET", "/git/blobs/" + master, "", 404, "Not Found"},
		{"GET", "/branches/none", "", 404, "Branch not found"},
		{"GET", "/commits/master/", "", 404, "Not Found"},
	} {
		resp, body := ask(t, tt.method, url+tt.path, func(r *http.Request) {
			r.Body, r.ContentLength = readCloser(tt.body), int64(len(tt.body))
		})
		if message, _ := body["message"].(string); resp.StatusCode != tt.status || !strings.HasPrefix(message, tt.says) {
			t.Errorf("%s %s %s is %d %q", tt.method, tt.path, tt.body, resp.StatusCode, message)
		}
	}
	if fake.Branch("master") != master {
		t.Error("master has moved")
	}
	c := stock(t, strings.TrimSuffix(url, "/repos/mozilla/treeherder"), "fake-reader")
	_, _, err := c.Repositories.IsCollaborator(t.Context(), owner, repo, "ana")
	if err := says(err, 403, "Must have push access"); err != nil {
		t.Error(err)
	}
	if u, _, err := c.Users.Get(t.Context(), ""); err != nil || u.GetLogin() != "cid" {
		t.Errorf("user is %v, %v", u, err)
	}
}

// Refs have several forms, and the default branch may have any name.
func TestRefForms(t *testing.T) {
	fake, root, master, proto := forked()
	r := fake.Repo("")
	r.SetTag("v1", root)
	r.SetTag("prototype", root) // a branch comes first
	r.SetDefault("prototype")
	c, ctx := stock(t, serve(t, fake), fakegithub.Token), t.Context()
	for ref, want := range map[string]string{
		"HEAD": proto, "prototype": proto, "heads/prototype": proto, "refs/heads/prototype": proto,
		"tags/prototype": root, "refs/tags/v1": root, "v1": root, master[:7]: master, master: master,
	} {
		if sha, _, err := c.Repositories.GetCommitSHA1(ctx, owner, repo, ref, ""); err != nil || sha != want {
			t.Errorf("%s is %s, %v; want %s", ref, sha, err, want)
		}
	}
	cmp, _, err := c.Repositories.CompareCommits(ctx, owner, repo, "mozilla:master", "prototype", nil)
	if err != nil || cmp.GetStatus() != "diverged" {
		t.Errorf("with the owner: %v, %v", cmp, err)
	}
	_, _, err = c.Repositories.CompareCommits(ctx, owner, repo, "somebody:master", "prototype", nil)
	if err := says(err, 404, "Not Found"); err != nil {
		t.Error(err)
	}
	list, _, err := c.Git.ListMatchingRefs(ctx, owner, repo, &gh.ReferenceListOptions{})
	if err != nil || len(list) != 4 {
		t.Errorf("all refs: %v, %v", list, err)
	}
	k, _, err := c.Git.GetCommit(ctx, owner, repo, proto)
	if err != nil || len(k.Parents) != 1 || k.Parents[0].GetSHA() != root {
		t.Errorf("commit is %v, %v", k, err)
	}
	tree, _, err := c.Git.GetTree(ctx, owner, repo, "heads/master", false)
	if err != nil || len(tree.Entries) != 1 {
		t.Fatalf("tree is %v, %v", tree, err)
	}
	if b, _, err := c.Git.GetBlob(ctx, owner, repo, tree.Entries[0].GetSHA()); err != nil || b.GetContent() != "YQo=\n" {
		t.Errorf("blob is %v, %v", b, err)
	}
	// A tree or a blob is no commit.
	_, _, err = c.Git.UpdateRef(ctx, owner, repo, reference("heads/master", tree.GetSHA()), true)
	if err := says(err, 422, "Object is not a commit"); err != nil {
		t.Error(err)
	}
	_, _, err = c.Repositories.ListCommits(ctx, owner, "empty", nil)
	if err := says(err, 404, ""); err != nil {
		t.Error(err)
	}
	fake.Repo("mozilla/empty")
	_, _, err = c.Repositories.ListCommits(ctx, owner, "empty", nil)
	if err := says(err, 409, "Git Repository is empty."); err != nil {
		t.Error(err)
	}
}

// Addresses in answers begin where the API does, behind a mux too.
func TestAddresses(t *testing.T) {
	fake, _, _, _ := forked()
	mux := http.NewServeMux()
	mux.Handle("/gh/api/", http.StripPrefix("/gh/api", fake))
	s := httptest.NewTLSServer(mux)
	defer s.Close()
	fake.Repo("").Rename("mozilla/new")
	for path, want := range map[string]string{
		"/repos/mozilla/new/git/ref/heads/master": "",
		"/repos/mozilla/treeherder/commits?a=b":   s.URL + "/gh/api/repositories/4001/commits?a=b",
	} {
		req, err := http.NewRequest("GET", s.URL+"/gh/api"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "token "+fakegithub.Token)
		resp, err := s.Client().Transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Location"); got != want {
			t.Errorf("%s leads to %q, want %q", path, got, want)
		}
	}
}
