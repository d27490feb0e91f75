package fakejenkins_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thbot/integrations/jenkins/fakejenkins"
)

// What the server does not do is remembered, and no status that means something.
func TestUnexpected(t *testing.T) {
	s := &fakejenkins.Server{}
	paused(t, s, fakejenkins.InputSpec{})
	var want []string
	for _, tt := range []struct{ method, target string }{
		{"POST", at + "/replay/run"}, {"POST", at + "/input/Go/other"}, {"GET", at + "/stages/tree"},
		{"GET", at + "/api/json?xpath=//number"}, {"GET", "/job/gcp-pipelines/job/treeherder/config.xml"},
		{"POST", "/job/gcp-pipelines/createItem"}, {"DELETE", at + "/api/json"}, {"GET", "/api/xml"},
		{"GET", at + "/wfapi/describe?since=1"},
	} {
		want = append(want, tt.method+" "+tt.target)
		if got := ask(s, tt.method, tt.target, nil); got.StatusCode != 501 {
			t.Errorf("%s %s: status %d", tt.method, tt.target, got.StatusCode)
		}
	}
	if d := cmp.Diff(want, s.Unexpected()); d != "" {
		t.Errorf("Unexpected (-want +got):\n%s", d)
	}
}

// Every row of the coverage table that says so is answered, also with the
// /api/json that gojenkins puts behind everything; the others are refused.
func TestCoverage(t *testing.T) {
	status := map[string]int{
		"POST job/…/build": 201, "POST job/…/buildWithParameters": 201, "POST queue/cancelItem": 204,
		"POST queue/item/N/cancelQueue": 302, "POST quietDown": 302, "POST cancelQuietDown": 302,
		"POST job/…/N/input/ID/submit": 302, "POST job/…/N/stop": 302, "POST job/…/N/term": 302, "POST job/…/N/kill": 302,
		"POST job/…/N/rebuild/": 302, "POST job/…/N/rebuild/configSubmit": 302, "POST job/…/N/replay/rebuild": 302,
	}
	for _, row := range fakejenkins.Coverage() {
		s := &fakejenkins.Server{Admins: []string{fakejenkins.User}}
		who := []fakejenkins.Parameter{{Name: "WHO"}}
		paused(t, s, fakejenkins.InputSpec{Parameters: who})
		s.AddJob(job, fakejenkins.JobSpec{Next: 812, Parameters: who})
		start(t, s, fakejenkins.RunSpec{Parameters: map[string]string{"WHO": "bea"}, Stages: []fakejenkins.StageSpec{
			{Name: "deploy to production", Input: &fakejenkins.InputSpec{ID: "go", Parameters: who}},
		}})
		id, err := s.Queue(job, fakejenkins.RunSpec{})
		if err != nil || id != 1814 {
			t.Fatal(id, err)
		}
		method, target, _ := strings.Cut(row.Call, " ")
		target = strings.NewReplacer("job/…/N", at[1:], "job/…", "job/gcp-pipelines/job/treeherder", "FOLDER", "gcp-pipelines",
			"/ID/", "/Go/", "item/N", "item/1814", "user/ID", "user/thbot", "NAME", "agent-1", "NODE", "6").Replace(target)
		got := ask(s, method, "/"+target, url.Values{
			"json": {`{"parameter":{"name":"WHO","value":"ana"}}`}, "inputId": {"Go"}, "id": {"1814"}, "proceed": {"Proceed"},
		})
		if row.Support == fakejenkins.Not {
			if got.StatusCode != 501 || len(s.Unexpected()) != 1 {
				t.Errorf("%s: status %d, unexpected %v, but it is %s", row.Call, got.StatusCode, s.Unexpected(), row.Support)
			}
			continue
		}
		want := status[row.Call]
		if want == 0 {
			want = 200
		}
		if got.StatusCode != want || s.Called(row.Call) != 1 || len(s.Unexpected()) != 0 {
			t.Errorf("%s: status %d, want %d; called %d times, unexpected %v", row.Call, got.StatusCode, want, s.Called(row.Call), s.Unexpected())
		}
		if !strings.HasSuffix(target, "/") && target != "" && method == "GET" {
			if again := ask(s, method, "//"+target+"/api/json", nil); again.StatusCode != 200 {
				t.Errorf("%s/api/json: status %d", row.Call, again.StatusCode)
			}
		}
		if h := got.Header; h.Get("ETag") != "" || h.Get("Last-Modified") != "" {
			t.Errorf("%s: %v", row.Call, h)
		}
		if method == "POST" && !strings.Contains(target, "logText") {
			if got := ask(s, "GET", "/"+target, nil); row.Call != "POST job/…/N/input/ID/submit" && got.StatusCode != 405 && got.StatusCode != 404 {
				t.Errorf("GET of %s: status %d", row.Call, got.StatusCode)
			}
		}
	}
}

// There is a row for every route.
func TestCoverageIsWhole(t *testing.T) {
	rows := map[string]bool{}
	for _, row := range fakejenkins.Coverage() {
		if rows[row.Call] {
			t.Errorf("%s has two rows", row.Call)
		}
		rows[row.Call] = row.Support != fakejenkins.Not
	}
	for _, call := range fakejenkins.Routes() {
		if !rows[call] {
			t.Errorf("%s is answered, but not in the table", call)
		}
	}
}
