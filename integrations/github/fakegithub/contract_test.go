package fakegithub_test

import (
	"crypto/sha1"
	"encoding/hex"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	gh "github.com/google/go-github/v60/github"

	"thbot/integrations/github/fakegithub"
)

var realAPI = flag.String("github", "", "check the contract with GitHub at https://api.github.com instead of the fake; it only reads mozilla/treeherder, with the token in GITHUB_TOKEN if there is one")

// What the fake and GitHub have in common, some twenty calls:
//
//	go test ./integrations/github/fakegithub -run Contract -github https://api.github.com
func TestContract(t *testing.T) {
	url, token := *realAPI, os.Getenv("GITHUB_TOKEN")
	if url == "" {
		fake := &fakegithub.Server{Anonymous: true}
		var head string
		for i := range 4 {
			spec := fakegithub.CommitSpec{Subject: fmt.Sprintf("Step %d (#%d)", i, i), Login: "bea", Web: true,
				Write: map[string]string{fmt.Sprintf("treeherder/model/migrations/%04d_x.py", i): fmt.Sprintln(i), "README.md": fmt.Sprintln("Step", i)}}
			if head != "" {
				spec.Parents = []string{head}
			}
			head = fake.AddCommit(spec)
		}
		fake.SetBranch("master", head)
		url, token = serve(t, fake), ""
		defer func() {
			if u := fake.Unexpected(); len(u) > 0 {
				t.Errorf("unexpected: %q", u)
			}
		}()
	}
	c := stock(t, url, token)
	if token == "" {
		base := c.BaseURL
		c = gh.NewClient(nil)
		c.BaseURL = base
	}
	ctx := t.Context()

	ref, resp, err := c.Git.GetRef(ctx, owner, repo, "heads/master")
	if err != nil {
		t.Fatal(err)
	}
	head := ref.GetObject().GetSHA()
	if ref.GetRef() != "refs/heads/master" || ref.GetObject().GetType() != "commit" || len(head) != 40 {
		t.Errorf("ref is %v", ref)
	}
	for _, h := range []string{"ETag", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Used", "X-RateLimit-Resource", "X-GitHub-Request-Id"} {
		if resp.Header.Get(h) == "" {
			t.Errorf("there is no %s", h)
		}
	}
	// Unchanged is a 304.
	again, err := c.NewRequest("GET", "repos/mozilla/treeherder/git/ref/heads/master", nil)
	if err != nil {
		t.Fatal(err)
	}
	again.Header.Set("If-None-Match", resp.Header.Get("ETag"))
	if resp, err := c.Do(ctx, again, nil); resp == nil || resp.StatusCode != http.StatusNotModified {
		t.Errorf("asked again: %v", err)
	}

	commit, _, err := c.Repositories.GetCommit(ctx, owner, repo, head[:12], nil)
	if err != nil || commit.GetSHA() != head || len(commit.Parents) == 0 || len(commit.Files) == 0 || commit.Stats == nil {
		t.Fatalf("commit is %v, %v", commit, err)
	}
	parent := commit.Parents[0].GetSHA()
	for _, tt := range []struct {
		base, head, status string
		ahead, behind      int
	}{{parent, head, "ahead", 1, 0}, {head, parent, "behind", 0, 1}, {head, head, "identical", 0, 0}} {
		cmp, _, err := c.Repositories.CompareCommits(ctx, owner, repo, tt.base, tt.head, &gh.ListOptions{PerPage: 100})
		if err != nil || cmp.GetStatus() != tt.status || len(commit.Parents) == 1 && cmp.GetAheadBy() != tt.ahead ||
			cmp.GetBehindBy() != tt.behind || cmp.GetTotalCommits() != cmp.GetAheadBy() || len(cmp.Commits) != cmp.GetAheadBy() {
			t.Errorf("%s: %v, %v", tt.status, cmp, err)
		}
	}
	page2, _, err := c.Repositories.CompareCommits(ctx, owner, repo, parent, head, &gh.ListOptions{PerPage: 100, Page: 2})
	if err != nil || len(page2.Files) != 0 || len(page2.Commits) != 0 {
		t.Errorf("second page: %v, %v", page2, err)
	}

	// A tree is what git makes of its entries, and a blob of its bytes.
	tree, _, err := c.Git.GetTree(ctx, owner, repo, commit.GetCommit().GetTree().GetSHA(), false)
	if err != nil {
		t.Fatal(err)
	}
	var raw strings.Builder
	for _, e := range tree.Entries {
		id, err := hex.DecodeString(e.GetSHA())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&raw, "%s %s\x00%s", strings.TrimPrefix(e.GetMode(), "0"), e.GetPath(), id)
	}
	id := func(kind, text string) string {
		return fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "%s %d\x00%s", kind, len(text), text)))
	}
	if got := id("tree", raw.String()); got != tree.GetSHA() {
		t.Errorf("the tree is %s and says it is %s", got, tree.GetSHA())
	}
	readme, _, _, err := c.Repositories.GetContents(ctx, owner, repo, "README.md", &gh.RepositoryContentGetOptions{Ref: head})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := readme.GetContent(); err != nil || id("blob", text) != readme.GetSHA() {
		t.Errorf("the blob is %s and says it is %s, %v", id("blob", text), readme.GetSHA(), err)
	}
	_, dir, _, err := c.Repositories.GetContents(ctx, owner, repo, "treeherder/model/migrations", &gh.RepositoryContentGetOptions{Ref: head})
	if err != nil || len(dir) == 0 || dir[0].GetType() != "file" {
		t.Errorf("migrations are %v, %v", dir, err)
	}

	// Refusals.
	_, _, err = c.Repositories.GetCommit(ctx, owner, repo, unknown, nil)
	if err := says(err, 422, "No commit found for SHA: "+unknown); err != nil {
		t.Error(err)
	}
	_, _, err = c.Repositories.CompareCommits(ctx, owner, repo, unknown, head, nil)
	if err := says(err, 404, "Not Found"); err != nil {
		t.Error(err)
	}
	_, _, err = c.Git.GetRef(ctx, owner, repo, "heads/there-is-no-such-branch")
	if err := says(err, 404, "Not Found"); err != nil {
		t.Error(err)
	}
	_, _, _, err = c.Repositories.GetContents(ctx, owner, repo, "there/is/no/such/file", nil)
	if err := says(err, 404, "Not Found"); err != nil {
		t.Error(err)
	}

	// Green or not, the answers have their shapes.
	status, _, err := c.Repositories.GetCombinedStatus(ctx, owner, repo, head, nil)
	if err != nil || status.GetSHA() != head || status.GetTotalCount() == 0 && status.GetState() != "pending" {
		t.Errorf("status is %v, %v", status, err)
	}
	runs, _, err := c.Checks.ListCheckRunsForRef(ctx, owner, repo, head, &gh.ListCheckRunsOptions{Filter: gh.String("latest")})
	if err != nil || runs.GetTotal() < len(runs.CheckRuns) {
		t.Errorf("check runs are %v, %v", runs, err)
	}
	if _, _, err := c.PullRequests.ListPullRequestsWithCommit(ctx, owner, repo, head, nil); err != nil {
		t.Error(err)
	}
	if _, _, err := c.Repositories.GetRulesForBranch(ctx, owner, repo, "prototype"); err != nil {
		t.Error(err)
	}
}
