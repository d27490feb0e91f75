package fakegithub

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Status is a commit status, as CircleCI and others report them.
type Status struct {
	Context     string // empty: default
	State       string // error, failure, pending, success
	Description string
	TargetURL   string
	Creator     string    // login; empty: circleci[bot]
	At          time.Time // zero: after all before it
}

type status struct {
	Status
	id  int64
	sha string
}

// AddStatus reports a status of a commit. A later one of the same context takes
// its place; both stay in the list.
func (r *Repo) AddStatus(sha string, st Status) {
	if !slices.Contains([]string{"error", "failure", "pending", "success"}, st.State) {
		panic(fmt.Sprintf("fakegithub: there is no state %q of a status", st.State))
	}
	if st.Context == "" {
		st.Context = "default"
	}
	if st.Creator == "" {
		st.Creator = "circleci[bot]"
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.must(sha)
	st.At = r.after(st.At)
	r.statuses = append(r.statuses, status{st, r.issued, sha})
}

func (r *Repo) must(sha string) {
	if _, known := r.graph.at[sha]; !known {
		panic("fakegithub: commit " + sha + " is not there")
	}
}

// CheckRun is what a GitHub App says of a commit.
type CheckRun struct {
	Name       string
	Status     string // queued, in_progress, completed, waiting, requested, pending; empty: completed
	Conclusion string // of a completed one: success, failure, neutral, cancelled, skipped, timed_out, action_required, stale
	App        string // slug; empty: circleci-checks
	DetailsURL string
	Started    time.Time // zero: after all before it
	Completed  time.Time // zero: a minute after the start
}

type checkRun struct {
	CheckRun
	id  int64
	sha string
}

var (
	runStatuses = []string{"queued", "in_progress", "completed", "waiting", "requested", "pending"}
	conclusions = []string{"success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required", "stale"}
)

// AddCheckRun reports a check run and returns its id.
func (r *Repo) AddCheckRun(sha string, run CheckRun) int64 {
	run.check()
	if run.App == "" {
		run.App = "circleci-checks"
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.must(sha)
	run.Started = r.after(run.Started)
	run.finish()
	r.runs = append(r.runs, checkRun{run, r.issued, sha})
	return r.issued
}

// SetCheckRun moves a check run on. It panics if there is none with that id.
func (r *Repo) SetCheckRun(id int64, status, conclusion string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	for i := range r.runs {
		if run := &r.runs[i]; run.id == id {
			run.Status, run.Conclusion, run.Completed = status, conclusion, time.Time{}
			run.check()
			run.finish()
			return
		}
	}
	panic(fmt.Sprintf("fakegithub: there is no check run %d", id))
}

func (run *CheckRun) check() {
	if run.Status == "" {
		run.Status = "completed"
	}
	if !slices.Contains(runStatuses, run.Status) || (run.Status == "completed") != slices.Contains(conclusions, run.Conclusion) {
		panic(fmt.Sprintf("fakegithub: a check run cannot be %q with %q", run.Status, run.Conclusion))
	}
}

func (run *CheckRun) finish() {
	if run.Status == "completed" && run.Completed.IsZero() {
		run.Completed = run.Started.Add(time.Minute)
	}
}

// statusesOf lists the statuses of a commit, newest first.
func (r *Repo) statusesOf(sha string) []status {
	var list []status
	for _, st := range slices.Backward(r.statuses) {
		if st.sha == sha {
			list = append(list, st)
		}
	}
	slices.SortStableFunc(list, func(a, b status) int { return b.At.Compare(a.At) })
	return list
}

// latestStatuses are the newest of each context, in the order of contexts.
func (r *Repo) latestStatuses(sha string) []status {
	var list []status
	for _, st := range r.statusesOf(sha) {
		if !slices.ContainsFunc(list, func(l status) bool { return l.Context == st.Context }) {
			list = append(list, st)
		}
	}
	slices.SortStableFunc(list, func(a, b status) int { return strings.Compare(a.Context, b.Context) })
	return list
}

// latestRuns are the newest of each App and name, the newest first.
func (r *Repo) latestRuns(sha string) []checkRun {
	var list []checkRun
	for _, run := range r.runsOf(sha) {
		if !slices.ContainsFunc(list, func(l checkRun) bool { return l.App == run.App && l.Name == run.Name }) {
			list = append(list, run)
		}
	}
	return list
}

func (r *Repo) runsOf(sha string) []checkRun {
	var list []checkRun
	for _, run := range slices.Backward(r.runs) {
		if run.sha == sha {
			list = append(list, run)
		}
	}
	return list
}

// combinedStatus is "Get the combined status for a specific reference". It is
// pending where there are no statuses at all.
func (c *call) combinedStatus() {
	found, ok := c.find(c.vars["ref"], "rest/commits/statuses#get-the-combined-status-for-a-specific-reference")
	if !ok {
		return
	}
	latest, state := c.repo.latestStatuses(found.SHA), "success"
	if len(latest) == 0 {
		state = "pending"
	}
	for _, st := range latest {
		switch {
		case st.State == "error" || st.State == "failure":
			state = "failure"
		case st.State == "pending" && state == "success":
			state = "pending"
		}
	}
	list := []any{}
	for _, st := range page(c, latest, 30, 100) {
		list = append(list, c.statusJSON(st))
	}
	c.ok(map[string]any{
		"state": state, "statuses": list, "total_count": len(latest), "sha": found.SHA,
		"repository": c.repoJSON(c.repo), "url": c.api() + "/commits/" + found.SHA + "/status",
		"commit_url": c.api() + "/commits/" + found.SHA,
	})
}

// listStatuses is "List commit statuses for a reference": all, newest first.
func (c *call) listStatuses() {
	found, ok := c.find(c.vars["ref"], "rest/commits/statuses#list-commit-statuses-for-a-reference")
	if !ok {
		return
	}
	list := []any{}
	for _, st := range page(c, c.repo.statusesOf(found.SHA), 30, 100) {
		m := c.statusJSON(st)
		m["creator"] = account(st.Creator)
		list = append(list, m)
	}
	c.ok(list)
}

func (c *call) statusJSON(st status) map[string]any {
	at := st.At.UTC().Format(time.RFC3339)
	return map[string]any{
		"id": st.id, "node_id": node("SC", st.id), "state": st.State, "context": st.Context, "created_at": at, "updated_at": at,
		"description": empty(st.Description), "target_url": empty(st.TargetURL), "url": c.api() + "/statuses/" + st.sha,
	}
}

// empty is null.
func empty(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// checkRuns is "List check runs for a Git reference".
func (c *call) checkRuns() {
	found, ok := c.find(c.vars["ref"], "rest/checks/runs#list-check-runs-for-a-git-reference")
	if !ok {
		return
	}
	q := c.r.URL.Query()
	var list []checkRun
	switch q.Get("filter") {
	case "", "latest":
		list = c.repo.latestRuns(found.SHA)
	case "all":
		list = c.repo.runsOf(found.SHA)
	default:
		c.invalid("rest/checks/runs#list-check-runs-for-a-git-reference",
			map[string]string{"resource": "CheckRun", "field": "filter", "code": "invalid"})
		return
	}
	if q.Has("app_id") {
		c.unknown("GET check-runs with app_id")
		return
	}
	list = slices.DeleteFunc(list, func(run checkRun) bool {
		return q.Has("check_name") && run.Name != q.Get("check_name") || q.Has("status") && run.Status != q.Get("status")
	})
	runs := []any{}
	for _, run := range page(c, list, 30, 100) {
		m := map[string]any{
			"id": run.id, "node_id": node("CR", run.id), "name": run.Name, "head_sha": run.sha, "external_id": "",
			"status": run.Status, "conclusion": empty(run.Conclusion), "started_at": run.Started.UTC().Format(time.RFC3339),
			"completed_at": nil, "details_url": empty(run.DetailsURL), "app": map[string]any{"slug": run.App, "name": run.App},
			"url": fmt.Sprintf("%s/check-runs/%d", c.api(), run.id), "html_url": fmt.Sprintf("%s/runs/%d", c.html(), run.id),
			"output": map[string]any{"title": nil, "summary": nil, "text": nil, "annotations_count": 0}, "pull_requests": []any{},
		}
		if !run.Completed.IsZero() {
			m["completed_at"] = run.Completed.UTC().Format(time.RFC3339)
		}
		runs = append(runs, m)
	}
	write(c.w, http.StatusOK, map[string]any{"total_count": len(list), "check_runs": runs})
}
