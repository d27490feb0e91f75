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
	"thbot/integrations/internal/web"
)

func TestCI(t *testing.T) {
	status := func(context, state string) fakegithub.Status {
		return fakegithub.Status{Context: context, State: state, TargetURL: "https://ci.test/" + context}
	}
	run := func(name, status, conclusion string) fakegithub.CheckRun {
		return fakegithub.CheckRun{Name: name, Status: status, Conclusion: conclusion, DetailsURL: "https://ci.test/" + name}
	}
	check := func(names ...string) (list []github.Check) {
		for _, name := range names {
			list = append(list, github.Check{Name: name, Link: "https://ci.test/" + name})
		}
		return list
	}
	tests := []struct {
		name     string
		statuses []fakegithub.Status
		runs     []fakegithub.CheckRun
		want     github.CI
	}{
		// GitHub's combined state is "pending" here.
		{"nothing", nil, nil, github.CI{State: github.Unknown}},
		{"a status", []fakegithub.Status{status("a", "success")}, nil, github.CI{State: github.Green, Total: 1}},
		// And here: there are no statuses.
		{"check runs alone", nil, []fakegithub.CheckRun{run("a", "completed", "success"), run("b", "completed", "neutral"), run("c", "completed", "skipped")},
			github.CI{State: github.Green, Total: 3}},
		{"both", []fakegithub.Status{status("a", "success")}, []fakegithub.CheckRun{run("b", "completed", "success")},
			github.CI{State: github.Green, Total: 2}},
		{"a pending status", []fakegithub.Status{status("b", "pending"), status("a", "pending"), status("c", "success")}, nil,
			github.CI{State: github.Running, Pending: check("a", "b"), Total: 3}},
		{"a failed status", []fakegithub.Status{status("b", "failure"), status("a", "error")}, []fakegithub.CheckRun{run("c", "completed", "success")},
			github.CI{State: github.Red, Failed: check("a", "b"), Total: 3}},
		{"green statuses, a failed run", []fakegithub.Status{status("a", "success")}, []fakegithub.CheckRun{run("b", "completed", "failure")},
			github.CI{State: github.Red, Failed: check("b"), Total: 2}},
		{"red beats running", []fakegithub.Status{status("a", "pending")}, []fakegithub.CheckRun{run("b", "completed", "timed_out")},
			github.CI{State: github.Red, Failed: check("b"), Pending: check("a"), Total: 2}},
		{"conclusions that are not green", nil, []fakegithub.CheckRun{run("a", "completed", "cancelled"), run("b", "completed", "timed_out"),
			run("c", "completed", "action_required"), run("d", "completed", "stale"), run("e", "completed", "failure")},
			github.CI{State: github.Red, Failed: check("a", "b", "c", "d", "e"), Total: 5}},
		{"runs that are not over", nil, []fakegithub.CheckRun{run("a", "queued", ""), run("b", "in_progress", ""), run("c", "waiting", ""),
			run("d", "requested", ""), run("e", "pending", ""), run("f", "completed", "success")},
			github.CI{State: github.Running, Pending: check("a", "b", "c", "d", "e"), Total: 6}},
		{"only the newest count", []fakegithub.Status{status("a", "failure"), status("a", "success")},
			[]fakegithub.CheckRun{run("b", "completed", "failure"), run("b", "completed", "success")},
			github.CI{State: github.Green, Total: 2}},
		{"and they may be worse", []fakegithub.Status{status("a", "success"), status("a", "failure")}, nil,
			github.CI{State: github.Red, Failed: check("a"), Total: 1}},
		{"a name that is not a link", []fakegithub.Status{{Context: "<!channel> `x`", State: "error", TargetURL: "javascript://ci.test/%0aalert(1)"}}, nil,
			github.CI{State: github.Red, Failed: []github.Check{{Name: "<!channel> `x`"}}, Total: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fake := &fakegithub.Server{}
			shas := line(fake, 2, "", "step")
			for _, st := range tt.statuses {
				fake.Repo("").AddStatus(shas[1], st)
			}
			for _, r := range tt.runs {
				fake.Repo("").AddCheckRun(shas[1], r)
			}
			// What is said of other commits does not count.
			fake.Repo("").AddStatus(shas[0], status("other", "failure"))
			fake.Repo("").AddCheckRun(shas[0], run("other", "completed", "failure"))
			got, err := start(t, fake).CI(t.Context(), shas[1])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// What fails on the second page counts.
func TestCIPages(t *testing.T) {
	for _, n := range []int{99, 100, 101, 250} {
		for _, kind := range []string{"statuses", "check runs"} {
			fake := &fakegithub.Server{}
			sha := line(fake, 1, "", "only")[0]
			for i := range n { // statuses are in the order of names, runs begin with the newest
				if kind == "statuses" {
					state := "success"
					if i == n-1 {
						state = "failure"
					}
					fake.Repo("").AddStatus(sha, fakegithub.Status{Context: fmt.Sprintf("%03d", i), State: state})
				} else {
					conclusion := "success"
					if i == 0 {
						conclusion = "failure"
					}
					fake.Repo("").AddCheckRun(sha, fakegithub.CheckRun{Name: fmt.Sprintf("%03d", i), Conclusion: conclusion})
				}
			}
			got, err := start(t, fake).CI(t.Context(), sha)
			if err != nil || got.State != github.Red || got.Total != n || len(got.Failed) != 1 {
				t.Errorf("%d %s: %+v, %v", n, kind, got, err)
			}
			if calls, want := len(fake.Journal()), 1+(n+99)/100; calls != want {
				t.Errorf("%d %s took %d calls, want %d", n, kind, calls, want)
			}
		}
	}
}

func TestCITooMuch(t *testing.T) {
	fake := &fakegithub.Server{}
	sha := line(fake, 1, "", "only")[0]
	for i := range 1001 {
		fake.Repo("").AddCheckRun(sha, fakegithub.CheckRun{Name: fmt.Sprint(i), Conclusion: "success"})
	}
	got, err := start(t, fake).CI(t.Context(), sha)
	if _, again := bot.RetryAfter(err); !errors.Is(err, github.ErrTooMuch) || again || got.State == github.Green {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Answers that are about something else, or do not say all, are errors: neither
// unknown nor green.
func TestCINonsense(t *testing.T) {
	fake := &fakegithub.Server{}
	shas := line(fake, 2, "", "step")
	sha := shas[1]
	c := start(t, fake)
	statuses := func(sha string, total int, list ...string) string {
		return fmt.Sprintf(`{"state":"success","sha":%q,"total_count":%d,"statuses":[%s]}`, sha, total, strings.Join(list, ","))
	}
	runs := func(total int, list ...string) string {
		return fmt.Sprintf(`{"total_count":%d,"check_runs":[%s]}`, total, strings.Join(list, ","))
	}
	const good = `{"id":1,"state":"success","context":"a"}`
	run := func(id int, sha, conclusion string) string {
		return fmt.Sprintf(`{"id":%d,"head_sha":%q,"name":"a","status":"completed","conclusion":%s}`, id, sha, conclusion)
	}
	none := statuses(sha, 0)
	tests := []struct {
		name, statuses, runs string
		want                 github.CIState // "": an error
	}{
		{"right", statuses(sha, 1, good), runs(1, run(2, sha, `"success"`)), github.Green},
		{"success of nothing", none, runs(0), github.Unknown},
		{"a context twice, the newer failed", statuses(sha, 2, `{"id":2,"state":"failure","context":"a"}`, good), runs(0), github.Red},
		{"a context twice, the older failed", statuses(sha, 2, `{"id":2,"state":"success","context":"a"}`, `{"id":1,"state":"failure","context":"a"}`), runs(0), github.Green},
		{"a new state", statuses(sha, 1, `{"id":1,"state":"superb","context":"a"}`), runs(0), github.Red},
		{"completed without conclusion", none, runs(1, run(2, sha, "null")), github.Red},
		{"a new conclusion", none, runs(1, run(2, sha, `"startup_failure"`)), github.Red},
		{"another commit's statuses", statuses(shas[0], 1, good), runs(0), ""},
		{"another commit's runs", statuses(sha, 1, good), runs(1, run(2, shas[0], `"success"`)), ""},
		{"nothing of statuses", "", runs(1, run(2, sha, `"success"`)), ""},
		{"nothing of runs", statuses(sha, 1, good), "", ""},
		{"null runs", statuses(sha, 1, good), "null", ""},
		{"{} runs", statuses(sha, 1, good), "{}", ""},
		{"a page", "<html>", runs(0), ""},
		{"a page for runs", statuses(sha, 1, good), "<html>", ""},
		{"statuses without number", `{"sha":"` + sha + `","statuses":[]}`, runs(0), ""},
		{"statuses without list", `{"sha":"` + sha + `","total_count":0}`, runs(0), ""},
		{"too few statuses", statuses(sha, 2, good), runs(0), ""},
		{"too few runs", none, runs(2, run(2, sha, `"success"`)), ""},
		{"fewer than none", statuses(sha, 1), runs(0), ""},
		{"a run twice", none, runs(2, run(2, sha, `"success"`), run(2, sha, `"success"`)), ""},
		{"a null status", statuses(sha, 1, "null"), runs(0), ""},
		{"a null run", none, runs(1, "null"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fake.AnswersTo("GET status", 200, tt.statuses)
			fake.AnswersTo("GET check-runs", 200, tt.runs)
			got, err := c.CI(t.Context(), sha)
			if got.State != tt.want {
				t.Errorf("state is %q, want %q; %v", got.State, tt.want, err)
			}
			var e *web.Error
			if tt.want == "" && (!errors.As(err, &e) || e.Final || errors.Is(err, bot.ErrNotFound)) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

// Half an answer is none: if check runs may not be read, green statuses are not
// enough.
func TestCIHalf(t *testing.T) {
	for _, lacking := range []string{"checks", "statuses"} {
		fake := &fakegithub.Server{}
		sha := line(fake, 1, "", "only")[0]
		fake.Repo("").AddStatus(sha, fakegithub.Status{State: "success"})
		may := map[string]string{"contents": "read", "checks": "read", "statuses": "read"}
		delete(may, lacking)
		fake.AddToken("fake-narrow", fakegithub.Access{Permissions: may})
		c := serve(t, fake, github.Options{Token: "fake-narrow"})
		got, err := c.CI(t.Context(), sha)
		if _, again := bot.RetryAfter(err); err == nil || again || got.State != "" {
			t.Errorf("without %s: %+v, %v", lacking, got, err)
		}
	}
}
