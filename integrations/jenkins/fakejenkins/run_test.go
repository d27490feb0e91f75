package fakejenkins_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thbot/integrations/jenkins/fakejenkins"
)

// look is a run in one line: result, status, stages.
func look(t *testing.T, s *fakejenkins.Server, n int) string {
	t.Helper()
	r, d := read(t, s, fmt.Sprintf("%s/%d/api/json", jobPage, n)), read(t, s, fmt.Sprintf("%s/%d/wfapi/describe", jobPage, n))
	out := fmt.Sprintf("%v building=%v %v:", r["result"], r["building"], d["status"])
	for _, st := range d["stages"].([]any) {
		out += fmt.Sprintf(" %v=%v", st.(map[string]any)["name"], st.(map[string]any)["status"])
	}
	return out
}

// How runs of all shapes end, and look until then.
func TestShapes(t *testing.T) {
	type moment struct {
		after time.Duration
		do    func(s *fakejenkins.Server) error
		want  string
	}
	const min = time.Minute
	ask1 := func(id string, timeout time.Duration) *fakejenkins.InputSpec {
		return &fakejenkins.InputSpec{ID: id, Message: "Go on?", Timeout: timeout}
	}
	for _, tt := range []struct {
		name  string
		spec  fakejenkins.JobSpec
		end   time.Duration // EndWork
		looks []moment
	}{
		{name: "parallel inputs", spec: fakejenkins.JobSpec{Stages: []fakejenkins.StageSpec{
			{Name: "regions", Parallel: []fakejenkins.StageSpec{{Name: "eu", Input: ask1("eu", 0), Takes: min}, {Name: "us", Input: ask1("us", 0)}, {Name: "asia", Takes: min}}},
			{Name: "after"},
		}}, looks: []moment{
			{want: "<nil> building=true PAUSED_PENDING_INPUT: regions=IN_PROGRESS eu=PAUSED_PENDING_INPUT us=PAUSED_PENDING_INPUT asia=IN_PROGRESS"},
			{after: 2 * min, do: answer("Us"), want: "<nil> building=true PAUSED_PENDING_INPUT: regions=IN_PROGRESS eu=PAUSED_PENDING_INPUT us=SUCCESS asia=SUCCESS"},
			{do: answer("Eu"), want: "<nil> building=true IN_PROGRESS: regions=IN_PROGRESS eu=IN_PROGRESS us=SUCCESS asia=SUCCESS"},
			{after: 2 * min, want: "SUCCESS building=false SUCCESS: regions=SUCCESS eu=SUCCESS us=SUCCESS asia=SUCCESS after=SUCCESS"},
		}},
		{name: "a branch fails, the others go on", spec: fakejenkins.JobSpec{Stages: []fakejenkins.StageSpec{
			{Name: "regions", Parallel: []fakejenkins.StageSpec{{Name: "eu", Fails: "no"}, {Name: "us", Takes: min}}}, {Name: "after"},
		}}, looks: []moment{
			{want: "<nil> building=true IN_PROGRESS: regions=IN_PROGRESS eu=FAILED us=IN_PROGRESS"},
			{after: 2 * min, want: "FAILURE building=false FAILED: regions=FAILED eu=FAILED us=FAILED"}, // the last takes the run's
		}},
		{name: "aborted in a branch", spec: fakejenkins.JobSpec{Stages: []fakejenkins.StageSpec{
			{Name: "regions", Parallel: []fakejenkins.StageSpec{{Name: "eu", Input: ask1("eu", 0)}, {Name: "us", Takes: min}}},
		}}, looks: []moment{
			{do: func(s *fakejenkins.Server) error { return s.AbortRun(job, 812, "ana") }, want: "ABORTED building=false ABORTED: regions=ABORTED eu=ABORTED us=ABORTED"},
		}},
		{name: "the result is set while it goes on", end: time.Second, spec: fakejenkins.JobSpec{Stages: []fakejenkins.StageSpec{
			{Name: "lint", Fails: "untidy", Caught: "UNSTABLE"}, {Name: "deploy", Takes: min},
		}}, looks: []moment{
			{want: "UNSTABLE building=true IN_PROGRESS: lint=UNSTABLE deploy=IN_PROGRESS"},
			{after: min, want: "UNSTABLE building=true UNSTABLE: lint=UNSTABLE deploy=UNSTABLE"},
			{after: 2 * time.Second, want: "UNSTABLE building=false UNSTABLE: lint=UNSTABLE deploy=UNSTABLE"},
		}},
		{name: "an input times out", spec: fakejenkins.JobSpec{Stages: []fakejenkins.StageSpec{{Name: "deploy", Input: ask1("go", min)}}}, looks: []moment{
			{after: 59 * time.Second, want: "<nil> building=true PAUSED_PENDING_INPUT: deploy=PAUSED_PENDING_INPUT"},
			{after: 2 * time.Second, want: "ABORTED building=false ABORTED: deploy=ABORTED"},
		}},
		{name: "an input is answered in time", spec: fakejenkins.JobSpec{Stages: []fakejenkins.StageSpec{{Name: "deploy", Takes: time.Hour, Input: ask1("go", min)}}}, looks: []moment{
			{do: answer("Go"), after: 2 * min, want: "<nil> building=true IN_PROGRESS: deploy=IN_PROGRESS"},
		}},
		{name: "success, though nobody answered", spec: fakejenkins.JobSpec{Catches: true, Stages: []fakejenkins.StageSpec{{Name: "ask", Input: ask1("go", min)}, {Name: "deploy"}}}, looks: []moment{
			{after: 2 * min, want: "SUCCESS building=false SUCCESS: ask=SUCCESS"},
		}},
		{name: "success, though it failed", spec: fakejenkins.JobSpec{Catches: true, Stages: []fakejenkins.StageSpec{{Name: "build", Fails: "no"}, {Name: "deploy"}}}, looks: []moment{
			{want: "SUCCESS building=false SUCCESS: build=SUCCESS"},
		}},
		{name: "declarative lists what it did not get to", spec: fakejenkins.JobSpec{Declarative: true, Stages: []fakejenkins.StageSpec{{Name: "ask", Input: ask1("go", 0)}, {Name: "deploy"}}}, looks: []moment{
			{do: func(s *fakejenkins.Server) error { return s.RejectByHand(job, 812, "Go", "ana") }, want: "ABORTED building=false ABORTED: ask=ABORTED deploy=ABORTED"},
		}},
		{name: "when", spec: fakejenkins.JobSpec{Stages: []fakejenkins.StageSpec{{Name: "docs", Skipped: true}, {Name: "deploy"}}}, looks: []moment{
			{want: "SUCCESS building=false SUCCESS: docs=NOT_EXECUTED deploy=SUCCESS"},
		}},
		{name: "stubborn", spec: fakejenkins.JobSpec{Stages: []fakejenkins.StageSpec{{Name: "deploy", Takes: time.Hour, Stubborn: true}}}, looks: []moment{
			{do: post(at+"/stop", 302), want: "<nil> building=true IN_PROGRESS: deploy=IN_PROGRESS"},
			{do: post(at+"/term", 302), want: "ABORTED building=false ABORTED: deploy=ABORTED"},
			{do: post(at+"/kill", 302), want: "ABORTED building=false ABORTED: deploy=ABORTED"},
		}},
		{name: "quieting down", spec: fakejenkins.JobSpec{Stages: []fakejenkins.StageSpec{{Name: "build", Takes: min}, {Name: "deploy", Input: ask1("go", 0)}}}, looks: []moment{
			{do: func(s *fakejenkins.Server) error { s.QuietDown(true); return nil }, after: time.Hour, want: "<nil> building=true IN_PROGRESS: build=IN_PROGRESS"},
			{do: func(s *fakejenkins.Server) error { s.QuietDown(false); return nil }, want: "<nil> building=true PAUSED_PENDING_INPUT: build=SUCCESS deploy=PAUSED_PENDING_INPUT"},
			{do: func(s *fakejenkins.Server) error { s.QuietDown(true); return answer("Go")(s) }, after: min, want: "<nil> building=true IN_PROGRESS: build=SUCCESS deploy=IN_PROGRESS"},
			{do: func(s *fakejenkins.Server) error { s.QuietDown(false); return nil }, want: "SUCCESS building=false SUCCESS: build=SUCCESS deploy=SUCCESS"},
		}},
		{name: "a stage of a branch is finished and failed by hand", spec: fakejenkins.JobSpec{Stages: []fakejenkins.StageSpec{
			{Name: "regions", Parallel: []fakejenkins.StageSpec{{Name: "eu", Takes: min}, {Name: "us", Takes: min}}},
		}}, looks: []moment{
			{do: func(s *fakejenkins.Server) error { return s.FinishStage(job, 812, "eu") }, want: "<nil> building=true IN_PROGRESS: regions=IN_PROGRESS eu=SUCCESS us=IN_PROGRESS"},
			{do: func(s *fakejenkins.Server) error { return s.FailStage(job, 812, "us") }, want: "FAILURE building=false FAILED: regions=FAILED eu=SUCCESS us=FAILED"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakejenkins.Server{EndWork: tt.end}
				defer s.Stop()
				tt.spec.Next = 812
				s.AddJob(job, tt.spec)
				start(t, s, fakejenkins.RunSpec{})
				for i, l := range tt.looks {
					if l.do != nil {
						if err := l.do(s); err != nil {
							t.Fatal(err)
						}
					}
					<-time.After(l.after)
					synctest.Wait()
					if got := look(t, s, 812); got != l.want {
						t.Errorf("look %d:\n got %s\nwant %s", i, got, l.want)
					}
				}
			})
		})
	}
}

func answer(id string) func(*fakejenkins.Server) error {
	return func(s *fakejenkins.Server) error { return s.ProceedByHand(job, 812, id, "ana", nil) }
}

func post(target string, status int) func(*fakejenkins.Server) error {
	return func(s *fakejenkins.Server) error {
		if got := ask(s, "POST", target, nil); got.StatusCode != status {
			return fmt.Errorf("POST %s: %d", target, got.StatusCode)
		}
		return nil
	}
}

// A run that passes a milestone ends the older ones that have not, and one that
// comes too late ends itself.
func TestMilestones(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{}
		defer s.Stop()
		s.AddJob(job, fakejenkins.JobSpec{Next: 810, Stages: []fakejenkins.StageSpec{
			{Name: "build", Takes: time.Minute},
			{Name: "ask", Milestone: 1, Input: &fakejenkins.InputSpec{ID: "go"}},
			{Name: "deploy", Milestone: 2, Takes: time.Minute},
		}})
		for range 2 {
			start(t, s, fakejenkins.RunSpec{})
			<-time.After(2 * time.Minute)
		}
		if err := s.ProceedByHand(job, 811, "Go", "ana", nil); err != nil {
			t.Fatal(err)
		}
		<-time.After(2 * time.Minute)
		start(t, s, fakejenkins.RunSpec{Stages: []fakejenkins.StageSpec{{Name: "build", Takes: time.Hour}, {Name: "ask", Milestone: 1}}})
		start(t, s, fakejenkins.RunSpec{Stages: []fakejenkins.StageSpec{{Name: "ask", Milestone: 1}, {Name: "deploy", Milestone: 2, Takes: 2 * time.Hour}}})
		if got, want := look(t, s, 812), "<nil> building=true IN_PROGRESS: build=IN_PROGRESS"; got != want {
			t.Errorf("a run before the first milestone:\n got %s\nwant %s", got, want)
		}
		<-time.After(90 * time.Minute)
		for n, want := range map[int]string{
			810: "NOT_BUILT building=false NOT_EXECUTED: build=SUCCESS ask=NOT_EXECUTED",
			811: "SUCCESS building=false SUCCESS: build=SUCCESS ask=SUCCESS deploy=SUCCESS",
			812: "NOT_BUILT building=false NOT_EXECUTED: build=NOT_EXECUTED", // the newer passed it first
			813: "<nil> building=true IN_PROGRESS: ask=SUCCESS deploy=IN_PROGRESS",
		} {
			if got := look(t, s, n); got != want {
				t.Errorf("run %d:\n got %s\nwant %s", n, got, want)
			}
		}
		if got := ask(s, "GET", jobPage+"/810/api/json", nil).body; !strings.Contains(got, "Superseded by #811") {
			t.Error(got)
		}
		if j := read(t, s, jobPage+"/api/json"); j["color"] != "notbuilt_anime" {
			t.Errorf("color %v", j["color"])
		}
	})
}

// submit does what its field says, and aborts without it; inputSubmit has one
// answer to all that is wrong.
func TestOtherWaysToAnswer(t *testing.T) {
	values := `{"parameter":[{"name":"WHO","value":"ana"}]}`
	for _, tt := range []struct {
		name, target string
		form         url.Values
		before       func(*fakejenkins.Server)
		submitter    string
		status       int
		want         string // the run's result; "" if it still waits
		values       string
	}{
		{name: "submit", target: "/input/Go/submit", form: url.Values{"proceed": {"Go on"}, "json": {values}}, status: 302, want: "SUCCESS", values: "ana"},
		{name: "submit without proceed", target: "/input/Go/submit", form: url.Values{"json": {values}}, status: 302, want: "ABORTED"},
		{name: "submit without json", target: "/input/Go/submit", form: url.Values{"proceed": {"Go on"}}, status: 400},
		{name: "submit by another", submitter: "ana", target: "/input/Go/submit", form: url.Values{"proceed": {"Go on"}, "json": {values}}, status: 400},
		{name: "inputSubmit", target: "/wfapi/inputSubmit?inputId=Go", form: url.Values{"json": {values}}, status: 200, want: "SUCCESS", values: "ana"},
		{name: "inputSubmit, id in the form", target: "/wfapi/inputSubmit", form: url.Values{"json": {`{"parameter":[]}`}, "inputId": {"Go"}}, status: 200, want: "SUCCESS"},
		{name: "inputSubmit of another", target: "/wfapi/inputSubmit?inputId=go", form: url.Values{"json": {values}}, status: 500},
		{name: "inputSubmit without json", target: "/wfapi/inputSubmit?inputId=Go", status: 500},
		{name: "inputSubmit with a name that is not declared", target: "/wfapi/inputSubmit?inputId=Go", form: url.Values{"json": {`{"parameter":{"name":"X","value":1}}`}}, status: 500},
		{name: "inputSubmit by another", submitter: "ana", target: "/wfapi/inputSubmit?inputId=Go", form: url.Values{"json": {values}}, status: 500},
		{name: "inputSubmit, answered", before: byHand, target: "/wfapi/inputSubmit?inputId=Go", form: url.Values{"json": {values}}, status: 500, want: "SUCCESS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &fakejenkins.Server{}
			t.Cleanup(s.Stop)
			s.AddJob(job, fakejenkins.JobSpec{Next: 812})
			start(t, s, fakejenkins.RunSpec{Stages: []fakejenkins.StageSpec{{Name: "deploy", Input: &fakejenkins.InputSpec{
				ID: "go", Submitter: tt.submitter, Parameters: []fakejenkins.Parameter{{Name: "WHO"}}}}}})
			if tt.before != nil {
				tt.before(s)
			}
			got := ask(s, "POST", at+tt.target, tt.form)
			runs, err := s.Runs(job)
			if err != nil || got.StatusCode != tt.status || runs[0].Result != tt.want || tt.status == 302 && got.Header.Get("Location") != at+"/console" {
				t.Errorf("status %d, want %d; %v; runs %+v, %v", got.StatusCode, tt.status, got.Header, runs, err)
			}
			if tt.values != "" && s.Proceeds()[0].Values["WHO"] != tt.values {
				t.Errorf("proceeds %+v", s.Proceeds())
			}
		})
	}
}
