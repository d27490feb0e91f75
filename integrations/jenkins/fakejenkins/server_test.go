package fakejenkins_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thbot/integrations/fakehttp"
	"thbot/integrations/jenkins/fakejenkins"
)

const job = "gcp-pipelines/treeherder"

// pipeline builds, deploys to stage, asks, and deploys to production.
func pipeline(spec fakejenkins.InputSpec) []fakejenkins.StageSpec {
	return []fakejenkins.StageSpec{
		{Name: "build", Takes: 2 * time.Minute},
		{Name: "deploy to stage", Takes: time.Minute},
		{Name: "deploy to production", Takes: 5 * time.Minute, Input: &spec},
	}
}

// paused makes a server whose run 812 waits at the input Go.
func paused(t *testing.T, s *fakejenkins.Server, spec fakejenkins.InputSpec) {
	t.Helper()
	t.Cleanup(s.Stop)
	spec.ID, spec.Message = "go", "Promote?"
	s.AddJob(job, fakejenkins.JobSpec{Next: 812})
	start(t, s, fakejenkins.RunSpec{Stages: []fakejenkins.StageSpec{
		{Name: "deploy to production", Takes: 5 * time.Minute, Input: &spec},
	}})
}

func start(t *testing.T, s *fakejenkins.Server, spec fakejenkins.RunSpec) int {
	t.Helper()
	n, err := s.StartRun(job, spec)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

type reply struct {
	*http.Response
	body string
}

// ask makes one request as thbot; the handler needs no network. A form makes it
// a form's.
func ask(s *fakejenkins.Server, method, target string, form url.Values, edit ...func(*http.Request)) reply {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, target, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.SetBasicAuth(fakejenkins.User, fakejenkins.Token)
	for _, e := range edit {
		e(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return reply{w.Result(), w.Body.String()}
}

func anonymous(r *http.Request) { r.Header.Del("Authorization") }

const at = "/job/gcp-pipelines/job/treeherder/812"

// The answers that are not the one asked for: status, and what tells them apart.
func TestRefusals(t *testing.T) {
	values := url.Values{"json": {`{"parameter":[{"name":"WHO","value":"ana"}]}`}}
	declares := fakejenkins.InputSpec{Parameters: []fakejenkins.Parameter{{Name: "WHO"}}}
	for _, tt := range []struct {
		name   string
		server *fakejenkins.Server
		input  fakejenkins.InputSpec
		method string
		target string
		form   url.Values
		edit   func(*http.Request)
		before func(*fakejenkins.Server)
		status int
		header http.Header
		body   string
	}{
		{name: "wrong token", target: at + "/api/json", edit: func(r *http.Request) { r.SetBasicAuth("thbot", "old") },
			status: 401, header: http.Header{"Www-Authenticate": {`Basic realm="Jenkins"`}}, body: "Invalid password/token"},
		{name: "wrong token, even to whoAmI", target: "/whoAmI/api/json", edit: func(r *http.Request) { r.SetBasicAuth("thbot", "") }, status: 401},
		{name: "anonymous", target: at + "/api/json", edit: anonymous,
			status: 403, header: http.Header{"X-You-Are-Authenticated-As": {"anonymous"}, "X-Required-Permission": {"hudson.model.Hudson.Read"}}, body: "/login?from="},
		{name: "anonymous asks for what is not there", target: "/job/no/api/json", edit: anonymous, status: 403},
		{name: "no Overall/Read", server: &fakejenkins.Server{Denied: map[string][]string{"thbot": {"Overall/Read"}}},
			target: at + "/api/json", status: 403, header: http.Header{"X-You-Are-Authenticated-As": {"thbot"}}, body: "thbot is missing the Overall/Read permission"},
		{name: "no Job/Read", server: &fakejenkins.Server{Denied: map[string][]string{"thbot": {"Job/Read"}}}, target: at + "/api/json", status: 404},
		{name: "no such job", target: "/job/gcp-pipelines/job/other/api/json", status: 404},
		{name: "a job's path as one name", target: "/job/gcp-pipelines/treeherder/api/json", status: 404},
		{name: "no such run", target: "/job/gcp-pipelines/job/treeherder/813/api/json", status: 404},
		{name: "outside of the context path", server: &fakejenkins.Server{ContextPath: "/jenkins"}, target: at + "/api/json", status: 404},
		{name: "down", target: at + "/api/json", before: func(s *fakejenkins.Server) { s.Down(true) }, status: 503, body: "<html>"},
		{name: "down comes before who one is", target: "/whoAmI/api/json", edit: anonymous, before: func(s *fakejenkins.Server) { s.Down(true) }, status: 503},
		{name: "restarting", target: "/nowhere", before: func(s *fakejenkins.Server) { s.Restart() }, status: 503},
		{name: "GET of proceedEmpty", target: at + "/input/Go/proceedEmpty", status: 405, header: http.Header{"Allow": {"POST"}}, body: "Try POSTing"},
		{name: "GET of abort", target: at + "/input/Go/abort", status: 405},
		{name: "unknown input", method: "POST", target: at + "/input/Other/proceedEmpty", status: 404},
		{name: "ids are compared exactly", method: "POST", target: at + "/input/go/proceedEmpty", status: 404},
		{name: "not the submitter", input: fakejenkins.InputSpec{Submitter: "ana,ops"}, method: "POST", target: at + "/input/Go/proceedEmpty",
			status: 400, header: http.Header{"X-Error": {"You need to be ana,ops to submit this."}}},
		{name: "no Job/Build", server: &fakejenkins.Server{Denied: map[string][]string{"thbot": {"Job/Build"}}}, method: "POST", target: at + "/input/Go/proceedEmpty",
			status: 400, header: http.Header{"X-Error": {"You need to have Job/Build permissions to submit this."}}},
		{name: "may not cancel", server: &fakejenkins.Server{Denied: map[string][]string{"thbot": {"Job/Cancel"}}}, input: fakejenkins.InputSpec{Submitter: "ana"},
			method: "POST", target: at + "/input/Go/abort", status: 400,
			header: http.Header{"X-Error": {"You need to be 'ana' (or have Job/Cancel permissions) to cancel this."}}},
		{name: "may cancel nothing", server: &fakejenkins.Server{Denied: map[string][]string{"thbot": {"Job/Cancel", "Job/Build"}}},
			method: "POST", target: at + "/input/Go/abort", status: 400,
			header: http.Header{"X-Error": {"You need to have Job/Cancel permissions to cancel this."}}},
		{name: "proceed without a form", input: declares, method: "POST", target: at + "/input/Go/proceed", status: 400, body: "form submission"},
		{name: "proceed without json", input: declares, method: "POST", target: at + "/input/Go/proceed", form: url.Values{"WHO": {"ana"}}, status: 400},
		{name: "proceed with bad json", input: declares, method: "POST", target: at + "/input/Go/proceed", form: url.Values{"json": {"{"}}, status: 500, body: "Logging ID"},
		{name: "proceed with a name that is not declared", method: "POST", target: at + "/input/Go/proceed", form: values, status: 500},
		{name: "answered", before: byHand, method: "POST", target: at + "/input/Go/proceedEmpty", status: 404},
		{name: "answered a moment ago", server: &fakejenkins.Server{Settling: time.Hour}, before: byHand, method: "POST", target: at + "/input/Go/proceedEmpty",
			status: 400, header: http.Header{"X-Error": {"This input has been already given"}}},
		{name: "answered a moment ago, aborted", server: &fakejenkins.Server{Settling: time.Hour}, before: byHand, method: "POST", target: at + "/input/Go/abort",
			status: 400, header: http.Header{"X-Error": {"This input has been already given"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.server
			if s == nil {
				s = &fakejenkins.Server{}
			}
			paused(t, s, tt.input)
			if tt.before != nil {
				tt.before(s)
			}
			var edit []func(*http.Request)
			if tt.edit != nil {
				edit = append(edit, tt.edit)
			}
			method := tt.method
			if method == "" {
				method = "GET"
			}
			before := len(s.Proceeds())
			got := ask(s, method, tt.target, tt.form, edit...)
			if got.StatusCode != tt.status {
				t.Errorf("status %d, want %d; body %s", got.StatusCode, tt.status, got.body)
			}
			for k, v := range tt.header {
				if got.Header.Get(k) != v[0] {
					t.Errorf("%s: %q, want %q", k, got.Header.Get(k), v[0])
				}
			}
			if got.StatusCode != 400 && got.Header.Get("X-Error") != "" {
				t.Errorf("X-Error %q with status %d", got.Header.Get("X-Error"), got.StatusCode)
			}
			if !strings.Contains(got.body, tt.body) || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
				t.Errorf("%s body %q, want HTML with %q", got.Header.Get("Content-Type"), got.body, tt.body)
			}
			if len(s.Proceeds()) != before || len(s.Unexpected()) != 0 {
				t.Errorf("proceeds %v, unexpected %v", s.Proceeds(), s.Unexpected())
			}
		})
	}
}

func byHand(s *fakejenkins.Server) {
	if err := s.ProceedByHand(job, 812, "Go", "ana", nil); err != nil {
		panic(err)
	}
}

func TestTree(t *testing.T) {
	s := &fakejenkins.Server{Root: "https://public.example/"}
	t.Cleanup(s.Stop)
	s.AddJob(job, fakejenkins.JobSpec{Next: 811})
	for _, tag := range []string{"master-1111111", "master-2222222"} {
		start(t, s, fakejenkins.RunSpec{Parameters: map[string]string{"ImageTag": tag}, Result: "SUCCESS", Causes: []fakejenkins.Cause{fakejenkins.ByUser("ana")}})
	}
	const jobClass, runClass = `"_class":"org.jenkinsci.plugins.workflow.job.WorkflowJob"`, `"_class":"org.jenkinsci.plugins.workflow.job.WorkflowRun"`
	for _, tt := range []struct{ target, want string }{
		{"/job/gcp-pipelines/job/treeherder/api/json?tree=nextBuildNumber,nonsense[x]", `{` + jobClass + `,"nextBuildNumber":813}`},
		{"/job/gcp-pipelines/job/treeherder/api/json?tree=builds[number]", `{` + jobClass + `,"builds":[{` + runClass + `,"number":812},{` + runClass + `,"number":811}]}`},
		{"/job/gcp-pipelines/job/treeherder/api/json?tree=builds[number]{1,2}", `{` + jobClass + `,"builds":[{` + runClass + `,"number":811}]}`},
		{"/job/gcp-pipelines/job/treeherder/api/json?tree=builds[number]{0}", `{` + jobClass + `,"builds":[{` + runClass + `,"number":812}]}`},
		{"/job/gcp-pipelines/job/treeherder/api/json?tree=builds[number]{,1}", `{` + jobClass + `,"builds":[{` + runClass + `,"number":812}]}`},
		{"/job/gcp-pipelines/job/treeherder/api/json?tree=builds[number]{7,9}", `{` + jobClass + `,"builds":[]}`},
		// A name without brackets gives objects of which nothing was asked.
		{"/job/gcp-pipelines/job/treeherder/api/json?tree=lastBuild", `{` + jobClass + `,"lastBuild":{` + runClass + `}}`},
		{at + "/api/json?tree=actions[parameters[value]]", `{` + runClass + `,"actions":[{"_class":"hudson.model.CauseAction"},
			{"_class":"hudson.model.ParametersAction","parameters":[{"_class":"hudson.model.StringParameterValue","value":"master-2222222"}]},
			{},{},{"_class":"org.jenkinsci.plugins.workflow.job.views.FlowGraphAction"},{}]}`},
		{at + "/api/json?tree=url,number", `{` + runClass + `,"number":812,"url":"https://public.example/job/gcp-pipelines/job/treeherder/812/"}`},
	} {
		got := ask(s, "GET", tt.target, nil)
		var g, w any
		if err := json.Unmarshal([]byte(got.body), &g); err != nil {
			t.Errorf("GET %s: %d, %v", tt.target, got.StatusCode, err)
		}
		if err := json.Unmarshal([]byte(tt.want), &w); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(w, g); d != "" {
			t.Errorf("GET %s (-want +got):\n%s", tt.target, d)
		}
	}
	for _, bad := range []string{"a[b", "a,,b", "a]", "a{1", "a{x}", "*"} {
		if got := ask(s, "GET", at+"/api/json?tree="+url.QueryEscape(bad), nil); got.StatusCode != 501 {
			t.Errorf("tree %q: status %d", bad, got.StatusCode)
		}
	}
}

// Without a tree, a job tells no more of its runs than their number and url, and
// an input's marker nothing but its class.
func TestDefaultDepth(t *testing.T) {
	s := &fakejenkins.Server{}
	paused(t, s, fakejenkins.InputSpec{})
	got := ask(s, "GET", "/job/gcp-pipelines/job/treeherder/api/json", nil).body
	for _, tt := range []struct {
		name string
		want bool
	}{{`"number":812`, true}, {`"nextBuildNumber":813`, true}, {`"building"`, false}, {`"allBuilds"`, false}} {
		if strings.Contains(got, tt.name) != tt.want {
			t.Errorf("a job has %s: %v; %s", tt.name, !tt.want, got)
		}
	}
	got = ask(s, "GET", at+"/api/json", nil).body
	for _, tt := range []struct {
		name string
		want bool
	}{{`"building":true`, true}, {`input.InputAction"`, true}, {`"executions"`, false}, {`"waitingForInput"`, false}} {
		if strings.Contains(got, tt.name) != tt.want {
			t.Errorf("a run has %s: %v; %s", tt.name, !tt.want, got)
		}
	}
}

func TestContextPath(t *testing.T) {
	s := &fakejenkins.Server{ContextPath: "/jenkins"}
	paused(t, s, fakejenkins.InputSpec{})
	var calls []string
	s.Gate = func(call, moment string) {
		if moment == fakehttp.Done {
			calls = append(calls, call)
		}
	}
	pending := ask(s, "GET", "/jenkins"+at+"/wfapi/pendingInputActions", nil).body
	for _, want := range []string{`"proceedUrl":"/jenkins` + at + `/wfapi/inputSubmit?inputId=Go"`, `"abortUrl":"/jenkins` + at + `/input/Go/abort"`} {
		if !strings.Contains(pending, want) {
			t.Errorf("%s is not in %s", want, pending)
		}
	}
	if got := ask(s, "GET", "http://inner.test/jenkins"+at+"/api/json?tree=url", nil).body; !strings.Contains(got, `"http://inner.test/jenkins`+at+`/"`) {
		t.Errorf("url in %s", got)
	}
	if len(calls) != 2 || calls[0] != "jenkins GET job/gcp-pipelines/job/treeherder/812/wfapi/pendingInputActions" {
		t.Errorf("calls %q", calls)
	}
}

// Requests, timers, driving and waiting may come from everywhere at once.
func TestTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{}
		defer s.Stop()
		s.OnStage = func(job string, run int, stage, status string) {
			if _, err := s.Runs(job); err != nil { // a hook may call the server
				t.Error(err)
			}
		}
		s.AddJob(job, fakejenkins.JobSpec{Stages: pipeline(fakejenkins.InputSpec{ID: "go"})})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		for range 4 {
			go func() {
				n, err := s.StartRun(job, fakejenkins.RunSpec{})
				if err != nil {
					t.Error(err)
					return
				}
				for {
					changed := s.Changed()
					if s.ProceedByHand(job, n, "Go", "ana", nil) == nil {
						return
					}
					select {
					case <-changed:
					case <-ctx.Done():
						t.Error(ctx.Err())
						return
					}
				}
			}()
		}
		<-ctx.Done()
		runs, err := s.Runs(job)
		if err != nil || len(runs) != 4 || len(s.Proceeds()) != 4 {
			t.Fatal(runs, err, s.Proceeds())
		}
		for _, r := range runs {
			if r.Building || r.Result != "SUCCESS" || len(r.Stages) != 3 {
				t.Errorf("run %+v", r)
			}
		}
	})
}

// Stop leaves nothing behind that would go on.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{}
		s.AddJob(job, fakejenkins.JobSpec{Stages: pipeline(fakejenkins.InputSpec{})})
		n := start(t, s, fakejenkins.RunSpec{})
		s.Stop()
		<-time.After(time.Hour)
		synctest.Wait()
		runs, err := s.Runs(job)
		if err != nil || len(runs[0].Stages) != 1 || runs[0].Number != n {
			t.Error(runs, err)
		}
		if slices.ContainsFunc(s.Journal(), func(e fakejenkins.Effect) bool { return strings.HasPrefix(e.What, "stage") }) {
			t.Error(s.Journal())
		}
	})
}
