package fakejenkins_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thbot/integrations/jenkins/fakejenkins"
)

// wfapi/runs has ten at most, and goes back to a name, not to a number.
func TestWfapiRuns(t *testing.T) {
	s := &fakejenkins.Server{ContextPath: "/ci"}
	t.Cleanup(s.Stop)
	s.AddJob(job, fakejenkins.JobSpec{Stages: []fakejenkins.StageSpec{{Name: "deploy"}}})
	for n := range 12 {
		start(t, s, fakejenkins.RunSpec{DisplayName: fmt.Sprintf("v%d", n%6), Result: "FAILURE"})
	}
	for _, tt := range []struct {
		query string
		want  []string
	}{
		{"", []string{"v5", "v4", "v3", "v2", "v1", "v0", "v5", "v4", "v3", "v2"}},
		{"?since=v3", []string{"v5", "v4", "v3"}},
		{"?since=9", []string{"v5", "v4", "v3", "v2", "v1", "v0", "v5", "v4", "v3", "v2"}},
	} {
		var got []struct{ Name, ID, Status string }
		if err := json.Unmarshal([]byte(ask(s, "GET", "/ci"+jobPage+"/wfapi/runs"+tt.query, nil).body), &got); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range got {
			names = append(names, r.Name)
		}
		if !cmp.Equal(names, tt.want) || got[0].ID != "12" || got[0].Status != "FAILED" {
			t.Errorf("runs%s: %v, want %q", tt.query, got, tt.want)
		}
	}
	// With all of a stage, its steps' parents are strings.
	for _, target := range []string{"/wfapi/runs?fullStages=true", "/12/wfapi/describe?fullStages=true", "/12/execution/node/6/wfapi/describe"} {
		got := ask(s, "GET", "/ci"+jobPage+target, nil).body
		if !strings.Contains(got, `"parentNodes":["6"]`) || !strings.Contains(got, `"href":"/ci/job/gcp-pipelines/job/treeherder/12/execution/node/6/wfapi/describe"`) {
			t.Errorf("%s: %s", target, got)
		}
	}
	if got := ask(s, "GET", "/ci"+jobPage+"/12/execution/node/7/wfapi/describe", nil); got.StatusCode != 404 {
		t.Errorf("no such node: %d", got.StatusCode)
	}
	if got := ask(s, "GET", "/ci"+jobPage+"/12/wfapi/describe", nil).body; strings.Contains(got, "stageFlowNodes") {
		t.Error(got)
	}
}

func TestNextPendingInput(t *testing.T) {
	s := &fakejenkins.Server{}
	paused(t, s, fakejenkins.InputSpec{})
	if err := s.AddInput(job, 812, fakejenkins.InputSpec{ID: "migrate", Message: "Migrate?"}); err != nil {
		t.Fatal(err)
	}
	next := func() string { return ask(s, "GET", at+"/wfapi/nextPendingInputAction", nil).body }
	if got := next(); !strings.HasPrefix(got, `{"id":"Migrate"`) {
		t.Error(got)
	}
	if err := s.AbortRun(job, 812, "ana"); err != nil {
		t.Fatal(err)
	}
	if got := next(); got != "null\n" {
		t.Error(got)
	}
	for target, want := range map[string]string{"/wfapi/changesets": "[]\n", "/wfapi/artifacts": "[]\n", "/wfapi/pendingInputActions": "[]\n"} {
		if got := ask(s, "GET", at+target, nil).body; got != want {
			t.Errorf("%s: %s", target, got)
		}
	}
}

// After a restart: 503, then a new session, 500, then nothing that waits, then
// everything again.
func TestRestartLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{Boot: time.Minute, Loading: time.Minute}
		defer s.Stop()
		s.AddJob(job, fakejenkins.JobSpec{Next: 812, Stages: []fakejenkins.StageSpec{{Name: "deploy", Input: &fakejenkins.InputSpec{ID: "go"}}}})
		start(t, s, fakejenkins.RunSpec{Git: []fakejenkins.Git{{SHA: "1111111", Branch: "master", Remote: "r"}}})
		before := ask(s, "GET", at+"/api/json", nil).Header.Get("X-Jenkins-Session")
		s.Restart()
		for _, tt := range []struct {
			after        time.Duration
			api, pending int
			body         string
		}{
			{0, 503, 503, "getting ready"},
			{61 * time.Second, 200, 500, "Logging ID"},
			{30 * time.Second, 200, 200, "[]"},
			{30 * time.Second, 200, 200, `"id":"Go"`},
		} {
			<-time.After(tt.after)
			synctest.Wait()
			api, pending := ask(s, "GET", at+"/api/json", nil), ask(s, "GET", at+"/wfapi/pendingInputActions", nil)
			if api.StatusCode != tt.api || pending.StatusCode != tt.pending || !strings.Contains(pending.body, tt.body) {
				t.Errorf("after %v: %d, %d %s", tt.after, api.StatusCode, pending.StatusCode, pending.body)
			}
			if now := api.Header.Get("X-Jenkins-Session"); tt.api == 200 && (now == before || len(now) != 8) {
				t.Errorf("session %q, before %q", now, before)
			}
		}
		if got := ask(s, "GET", at+"/consoleText", nil).body; !strings.Contains(got, "Resuming build at ") {
			t.Error(got)
		}
		if got := ask(s, "GET", at+"/wfapi/changesets", nil).body; !strings.Contains(got, `"commitId":"1111111"`) {
			t.Error(got)
		}
	})
}

// Nothing goes on before a restart is over: no work, and no time limit.
func TestRestartStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{Boot: time.Minute, Loading: time.Minute}
		defer s.Stop()
		s.AddJob(job, fakejenkins.JobSpec{Stages: []fakejenkins.StageSpec{{Name: "deploy", Takes: 30 * time.Second}}})
		start(t, s, fakejenkins.RunSpec{})
		start(t, s, fakejenkins.RunSpec{Stages: []fakejenkins.StageSpec{{Name: "ask", Input: &fakejenkins.InputSpec{ID: "go", Timeout: 30 * time.Second}}}})
		s.Restart()
		<-time.After(90 * time.Second)
		if got := ask(s, "GET", jobPage+"/wfapi/runs", nil); got.StatusCode != 200 {
			t.Errorf("runs that have no inputs yet: %d", got.StatusCode)
		}
		s.Restart()
		<-time.After(61 * time.Second)
		if got := ask(s, "GET", jobPage+"/wfapi/runs", nil); got.StatusCode != 500 {
			t.Errorf("runs that are not loaded: %d", got.StatusCode)
		}
		runs, err := s.Runs(job)
		if err != nil || runs[0].Result != "" || runs[1].Result != "" {
			t.Errorf("before it is over: %+v, %v", runs, err)
		}
		<-time.After(time.Minute)
		if runs, err = s.Runs(job); err != nil || runs[0].Result != "ABORTED" || runs[1].Result != "SUCCESS" {
			t.Errorf("after it: %+v, %v", runs, err)
		}
	})
}

// The log, whole and in pieces.
func TestLog(t *testing.T) {
	s := &fakejenkins.Server{}
	paused(t, s, fakejenkins.InputSpec{})
	whole := "Started by an SCM change\n[Pipeline] Start of Pipeline\n[Pipeline] stage\n[Pipeline] { (deploy to production)\n" +
		"[Pipeline] input\nPromote?\nProceed or Abort\n"
	piece := func(start string) (text, size, more string) {
		got := ask(s, "GET", at+"/logText/progressiveText?start="+start, nil)
		return got.body, got.Header.Get("X-Text-Size"), got.Header.Get("X-More-Data")
	}
	if err := s.Log(job, 812, "half a li"); err != nil {
		t.Fatal(err)
	}
	size := itoa(len(whole))
	if got := ask(s, "GET", at+"/consoleText", nil); got.body != whole+"half a li" || got.Header.Get("Content-Type") != "text/plain;charset=utf-8" {
		t.Errorf("console %q", got.body)
	}
	if text, n, more := piece("0"); text != strings.ReplaceAll(whole, "\n", "\r\n") || n != size || more != "true" {
		t.Errorf("first piece %q %s %s", text, n, more)
	}
	if text, n, more := piece(size); text != "" || n != size || more != "true" {
		t.Errorf("piece without an end of line %q %s %s", text, n, more)
	}
	if err := s.Log(job, 812, "ne\n"+strings.Repeat("x\n", 20_000)); err != nil {
		t.Fatal(err)
	}
	if text, n, _ := piece(size); strings.Count(text, "\n") != 10_000 || n != itoa(len(whole)+len("half a line\n")+2*9_999) {
		t.Errorf("%d lines, next %s", strings.Count(text, "\n"), n)
	}
	if err := s.RejectByHand(job, 812, "Go", "ana"); err != nil {
		t.Fatal(err)
	}
	if _, _, more := piece(size); more != "true" {
		t.Errorf("more of a run that is over: %q", more)
	}
	end := 0 // in stored bytes: the note at the name of who rejected it counts
	for more := "true"; more == "true"; {
		var n string
		_, n, more = piece(itoa(end))
		end, _ = strconv.Atoi(n)
	}
	if text := ask(s, "GET", at+"/consoleText", nil).body; end <= len(text) || !strings.Contains(text, "\nRejected by ana\n") {
		t.Errorf("%d bytes stored of %d, which end %q", end, len(text), text[len(text)-60:])
	}
	if text, n, more := piece(itoa(end - len("Finished: ABORTED\n"))); text != "Finished: ABORTED\r\n" || n != itoa(end) || more != "" {
		t.Errorf("last piece %q %s %q", text, n, more)
	}
	if text, _, _ := piece(itoa(end + 1)); !strings.HasPrefix(text, "Started by") {
		t.Errorf("past the end: %q", text[:min(len(text), 40)])
	}
	if got := ask(s, "GET", at+"/logText/progressiveText?start=x", nil); got.StatusCode != 500 {
		t.Errorf("start x: %d", got.StatusCode)
	}
}

// What goes wrong on the way does so after the effect, and as often as it should.
func TestDisturb(t *testing.T) {
	s := &fakejenkins.Server{}
	paused(t, s, fakejenkins.InputSpec{})
	server := httptest.NewServer(s)
	defer server.Close()
	get := func(target string) (int, int, error) {
		req, err := http.NewRequest("GET", server.URL+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(fakejenkins.User, fakejenkins.Token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, 0, err
		}
		defer resp.Body.Close()
		var v any
		err = json.NewDecoder(resp.Body).Decode(&v)
		return resp.StatusCode, int(resp.ContentLength), err
	}
	s.Disturb(fakejenkins.Trouble{Call: "describe", Times: 1, Cut: true})
	if status, n, err := get(at + "/wfapi/describe"); status != 200 || n < 100 || err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("cut: %d, %d bytes, %v", status, n, err)
	}
	if status, _, err := get(at + "/wfapi/describe"); status != 200 || err != nil {
		t.Errorf("after it: %d, %v", status, err)
	}
	s.Disturb(fakejenkins.Trouble{Slow: 20 * time.Millisecond})
	began := time.Now()
	if status, _, err := get(at + "/api/json"); status != 200 || err != nil || time.Since(began) < 20*time.Millisecond {
		t.Errorf("slow: %d, %v after %v", status, err, time.Since(began))
	}
	s.Disturb(fakejenkins.Trouble{})
	s.Disturb(fakejenkins.Trouble{Call: "proceedEmpty", Status: 502})
	if got := ask(s, "POST", at+"/input/Go/proceedEmpty", nil); got.StatusCode != 502 || len(s.Proceeds()) != 1 {
		t.Errorf("a proxy: %d, %v", got.StatusCode, s.Proceeds())
	}
}

// Folders, branches, depth and the newest hundred.
func TestObjects(t *testing.T) {
	s := &fakejenkins.Server{}
	t.Cleanup(s.Stop)
	s.AddJob(job, fakejenkins.JobSpec{})
	s.AddJob("apps/site/feature%2Fx", fakejenkins.JobSpec{Branch: true})
	for range 120 {
		start(t, s, fakejenkins.RunSpec{Result: "SUCCESS"})
	}
	for target, want := range map[string]string{
		"/api/json?tree=jobs[name,color,jobs[name,jobs[name]]]": `{"_class":"hudson.model.Hudson","jobs":[` +
			`{"_class":"com.cloudbees.hudson.plugins.folder.Folder","jobs":[{"_class":"org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject",` +
			`"jobs":[{"_class":"org.jenkinsci.plugins.workflow.job.WorkflowJob","name":"feature%2Fx"}],"name":"site"}],"name":"apps"},` +
			`{"_class":"com.cloudbees.hudson.plugins.folder.Folder","jobs":[{"_class":"org.jenkinsci.plugins.workflow.job.WorkflowJob","name":"treeherder"}],"name":"gcp-pipelines"}]}`,
		"/job/apps/job/site/job/feature%252Fx/api/json?tree=name,url,color": `{"_class":"org.jenkinsci.plugins.workflow.job.WorkflowJob","color":"notbuilt",` +
			`"name":"feature%2Fx","url":"http://example.com/job/apps/job/site/job/feature%252Fx/"}`,
		"/view/all" + jobPage + "/lastBuild/api/json?tree=number":           `{"_class":"org.jenkinsci.plugins.workflow.job.WorkflowRun","number":120}`,
		jobPage + "/firstBuild/api/json?tree=number,nextBuild[number]":      `{"_class":"org.jenkinsci.plugins.workflow.job.WorkflowRun","nextBuild":{"number":2},"number":1}`,
		jobPage + "/api/json?tree=lastFailedBuild[number],color,inQueue":    `{"_class":"org.jenkinsci.plugins.workflow.job.WorkflowJob","color":"blue","inQueue":false,"lastFailedBuild":null}`,
		"/job/gcp-pipelines/api/json?tree=fullName,fullDisplayName,nothing": `{"_class":"com.cloudbees.hudson.plugins.folder.Folder","fullDisplayName":"gcp-pipelines","fullName":"gcp-pipelines"}`,
	} {
		if got := ask(s, "GET", target, nil).body; got != want+"\n" {
			t.Errorf("GET %s:\n got %swant %s", target, got, want)
		}
	}
	for query, want := range map[string]int{"builds[number]": 100, "allBuilds[number]": 120, "allBuilds[number]{110,}": 10} {
		if got := strings.Count(ask(s, "GET", jobPage+"/api/json?tree="+query, nil).body, `"number":`); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	// Each depth shows one level more.
	for depth, want := range []map[string]bool{
		{`"fullDisplayName":"gcp-pipelines » treeherder #120"`: false, `"shortDescription"`: false, `"allBuilds"`: false},
		{`"fullDisplayName":"gcp-pipelines » treeherder #120"`: true, `"shortDescription"`: true, `"allBuilds"`: false},
	} {
		got := ask(s, "GET", fmt.Sprintf("%s/api/json?depth=%d", jobPage, depth), nil).body
		for name, has := range want {
			if strings.Contains(got, name) != has {
				t.Errorf("depth %d has %s: %v", depth, name, !has)
			}
		}
	}
	if got := ask(s, "GET", jobPage+"/api/json?depth=x", nil); got.StatusCode != 500 {
		t.Errorf("depth x: %d", got.StatusCode)
	}
	paused(t, s, fakejenkins.InputSpec{})
	for depth, want := range map[string]bool{"0": false, "1": true} {
		if got := ask(s, "GET", at+"/api/json?depth="+depth, nil).body; strings.Contains(got, `"waitingForInput":true`) != want {
			t.Errorf("depth %s: %s", depth, got)
		}
	}
	if err := s.SetDisabled(job, true); err != nil {
		t.Fatal(err)
	}
	if got := read(t, s, jobPage+"/api/json"); got["color"] != "disabled_anime" || got["buildable"] != false {
		t.Errorf("a disabled job: %v %v", got["color"], got["buildable"])
	}
	if got := read(t, s, "/computer/agent-1/api/json?tree=oneOffExecutors[currentExecutable[number]],executors[currentExecutable]"); !strings.Contains(fmt.Sprint(got), "number:812") {
		t.Errorf("computer %v", got)
	}
	if got := ask(s, "GET", "/computer/other/api/json", nil); got.StatusCode != 404 {
		t.Errorf("no such computer: %d", got.StatusCode)
	}
}
