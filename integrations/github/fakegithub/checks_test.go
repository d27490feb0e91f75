package fakegithub_test

import (
	"fmt"
	"strings"
	"testing"

	gh "github.com/google/go-github/v60/github"

	"thbot/integrations/github/fakegithub"
)

func TestStatuses(t *testing.T) {
	st := func(context, state string) fakegithub.Status {
		return fakegithub.Status{Context: context, State: state}
	}
	for _, tt := range []struct {
		list  []fakegithub.Status
		state string
		total int
	}{
		{nil, "pending", 0}, // not green
		{[]fakegithub.Status{st("a", "success")}, "success", 1},
		{[]fakegithub.Status{st("a", "success"), st("b", "pending")}, "pending", 2},
		{[]fakegithub.Status{st("a", "pending"), st("b", "error")}, "failure", 2},
		{[]fakegithub.Status{st("b", "failure"), st("a", "pending")}, "failure", 2},
		{[]fakegithub.Status{st("a", "failure"), st("a", "success")}, "success", 1}, // a retry
		{[]fakegithub.Status{st("", "success"), st("", "failure")}, "failure", 1},
	} {
		fake, _, master, proto := forked()
		for _, s := range tt.list {
			fake.Repo("").AddStatus(master, s)
		}
		fake.Repo("").AddStatus(proto, st("else", "failure"))
		c := stock(t, serve(t, fake), fakegithub.Token)
		for _, ref := range []string{master, "master", "heads/master"} {
			got, _, err := c.Repositories.GetCombinedStatus(t.Context(), owner, repo, ref, nil)
			if err != nil || got.GetState() != tt.state || got.GetTotalCount() != tt.total || len(got.Statuses) != tt.total || got.GetSHA() != master {
				t.Errorf("%v at %s: %s with %d, %v; want %s with %d", tt.list, ref, got.GetState(), got.GetTotalCount(), err, tt.state, tt.total)
			}
		}
		all, _, err := c.Repositories.ListStatuses(t.Context(), owner, repo, "master", nil)
		if err != nil || len(all) != len(tt.list) || len(all) > 0 && all[0].GetState() != tt.list[len(tt.list)-1].State {
			t.Errorf("%v: all are %v, %v", tt.list, all, err)
		}
	}
	fake, _, master, _ := forked()
	for i := range 130 {
		fake.Repo("").AddStatus(master, fakegithub.Status{Context: fmt.Sprintf("%03d", i), State: "success"})
	}
	got, resp, err := stock(t, serve(t, fake), fakegithub.Token).Repositories.GetCombinedStatus(t.Context(), owner, repo, master, &gh.ListOptions{PerPage: 200})
	if err != nil || len(got.Statuses) != 100 || got.GetTotalCount() != 130 || resp.NextPage != 2 {
		t.Errorf("%d statuses of %d, next page %d, %v", len(got.Statuses), got.GetTotalCount(), resp.NextPage, err)
	}
	_, _, err = stock(t, serve(t, fake), fakegithub.Token).Repositories.GetCombinedStatus(t.Context(), owner, repo, unknown, nil)
	if err := says(err, 422, "No commit found for SHA: "+unknown); err != nil {
		t.Error(err)
	}
}

func TestCheckRuns(t *testing.T) {
	fake, _, master, _ := forked()
	r := fake.Repo("")
	r.AddCheckRun(master, fakegithub.CheckRun{Name: "lint", Conclusion: "failure"})
	r.AddCheckRun(master, fakegithub.CheckRun{Name: "lint", Conclusion: "success"})
	r.AddCheckRun(master, fakegithub.CheckRun{Name: "lint", Conclusion: "neutral", App: "other"})
	running := r.AddCheckRun(master, fakegithub.CheckRun{Name: "test", Status: "in_progress"})
	c := stock(t, serve(t, fake), fakegithub.Token)
	list := func(o gh.ListCheckRunsOptions) string {
		t.Helper()
		runs, _, err := c.Checks.ListCheckRunsForRef(t.Context(), owner, repo, "master", &o)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, run := range runs.CheckRuns {
			got = append(got, strings.TrimSuffix(run.GetName()+" "+run.GetStatus()+" "+run.GetConclusion(), " "))
		}
		return fmt.Sprintf("%d: %s", runs.GetTotal(), strings.Join(got, ", "))
	}
	const lint, other = "lint completed success", "lint completed neutral"
	for _, tt := range []struct {
		o    gh.ListCheckRunsOptions
		want string
	}{
		{gh.ListCheckRunsOptions{}, "3: test in_progress, " + other + ", " + lint},
		{gh.ListCheckRunsOptions{Filter: gh.String("latest"), ListOptions: gh.ListOptions{PerPage: 2, Page: 2}}, "3: " + lint},
		{gh.ListCheckRunsOptions{Filter: gh.String("all")}, "4: test in_progress, " + other + ", " + lint + ", lint completed failure"},
		{gh.ListCheckRunsOptions{CheckName: gh.String("lint")}, "2: " + other + ", " + lint},
		{gh.ListCheckRunsOptions{Status: gh.String("in_progress")}, "1: test in_progress"},
	} {
		if got := list(tt.o); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.o, got, tt.want)
		}
	}
	r.SetCheckRun(running, "completed", "timed_out")
	if got, want := list(gh.ListCheckRunsOptions{CheckName: gh.String("test")}), "1: test completed timed_out"; got != want {
		t.Errorf("afterwards: %s, want %s", got, want)
	}
	for name, mistake := range map[string]func(){
		"completed without a conclusion": func() { r.AddCheckRun(master, fakegithub.CheckRun{Name: "x"}) },
		"running with one":               func() { r.SetCheckRun(running, "queued", "success") },
		"unknown state":                  func() { r.AddStatus(master, fakegithub.Status{State: "green"}) },
		"unknown commit":                 func() { r.AddStatus(unknown, fakegithub.Status{State: "success"}) },
		"unknown run":                    func() { r.SetCheckRun(99, "queued", "") },
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

func TestPulls(t *testing.T) {
	fake, root, master, proto := forked()
	r := fake.Repo("")
	work := fake.AddCommit(fakegithub.CommitSpec{Subject: "work", Parents: []string{root}})
	fake.SetBranch("work", work)
	squashed := fake.AddCommit(fakegithub.CommitSpec{Subject: "Work (#12)", Parents: []string{master}, Web: true})
	fake.SetBranch("master", squashed)
	fake.SetBranch("alone", fake.AddCommit(fakegithub.CommitSpec{Subject: "alone"}))
	r.AddPull(fakegithub.Pull{Number: 12, Title: "Work", Login: "bea", Head: "work", Merged: squashed})
	draft := r.AddPull(fakegithub.Pull{Title: "Try", Head: "prototype", Draft: true})
	r.AddPull(fakegithub.Pull{Title: "No", Head: "gone", State: "closed"})
	c, ctx := stock(t, serve(t, fake), fakegithub.Token), t.Context()

	numbers := func(list []*gh.PullRequest) (got string) {
		for _, p := range list {
			got += fmt.Sprint(p.GetNumber(), " ")
		}
		return strings.TrimSpace(got)
	}
	for sha, want := range map[string]string{squashed: "12", work: "12", proto: "13", master: "", root: ""} {
		list, _, err := c.PullRequests.ListPullRequestsWithCommit(ctx, owner, repo, sha, nil)
		if err != nil || numbers(list) != want {
			t.Errorf("commit %s is of %s, %v; want %s", sha, numbers(list), err, want)
		}
	}
	for _, tt := range []struct {
		o    gh.PullRequestListOptions
		want string
	}{
		{gh.PullRequestListOptions{}, "13"},
		{gh.PullRequestListOptions{State: "closed"}, "14 12"},
		{gh.PullRequestListOptions{State: "all", Direction: "asc"}, "12 13 14"},
		{gh.PullRequestListOptions{State: "all", Head: "mozilla:work"}, "12"},
		{gh.PullRequestListOptions{State: "all", Head: "work"}, "14 13 12"},
		{gh.PullRequestListOptions{State: "all", Base: "production"}, ""},
		{gh.PullRequestListOptions{State: "all", ListOptions: gh.ListOptions{PerPage: 1, Page: 2}}, "13"},
	} {
		list, _, err := c.PullRequests.List(ctx, owner, repo, &tt.o)
		if err != nil || numbers(list) != tt.want {
			t.Errorf("%+v: %s, %v; want %s", tt.o, numbers(list), err, tt.want)
		}
	}
	if p, _, err := c.PullRequests.Get(ctx, owner, repo, 12); err != nil || !p.GetMerged() || p.GetMergeCommitSHA() != squashed || p.GetUser().GetLogin() != "bea" {
		t.Errorf("%v, %v", p, err)
	}
	if _, _, err := c.PullRequests.Get(ctx, owner, repo, 99); says(err, 404, "") != nil {
		t.Error(err)
	}

	create := func(title, head, base string) (*gh.PullRequest, error) {
		p, _, err := c.PullRequests.Create(ctx, owner, repo, &gh.NewPullRequest{Title: &title, Head: &head, Base: &base})
		return p, err
	}
	for _, tt := range []struct{ title, head, base, says string }{
		{"Again", "prototype", "master", "A pull request already exists for mozilla:prototype."},
		{"Again", "mozilla:prototype", "master", "A pull request already exists for mozilla:prototype."},
		{"None", "none", "master", "head"},
		{"None", "work", "none", "base"},
		{"", "work", "master", "title"},
		{"Nothing", "master", "master", "No commits between master and master"},
		{"Alone", "alone", "master", "no history in common"},
	} {
		_, err := create(tt.title, tt.head, tt.base)
		if err := says(err, 422, tt.says); err != nil {
			t.Errorf("%+v: %v", tt, err)
		}
	}
	r.ClosePull(draft, "")
	p, err := create("Try again", "prototype", "master")
	if err != nil || p.GetNumber() != 15 || p.GetState() != "open" || p.GetUser().GetLogin() != fakegithub.Login {
		t.Errorf("%v, %v", p, err)
	}
	if got := r.Pulls(); len(got) != 4 || got[3].Title != "Try again" {
		t.Errorf("pull requests are %+v", got)
	}
}
