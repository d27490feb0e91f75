package fakejenkins_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thbot/integrations/jenkins/fakejenkins"
)

const jobPage = "/job/gcp-pipelines/job/treeherder"

func itoa(n int) string { return strconv.Itoa(n) }

// read decodes an answer's JSON; numbers stay as they are written.
func read(t *testing.T, s *fakejenkins.Server, target string) map[string]any {
	t.Helper()
	got := ask(s, "GET", target, nil)
	var v map[string]any
	if err := json.Unmarshal([]byte(got.body), &v); err != nil || got.StatusCode != 200 {
		t.Fatalf("GET %s: %d, %v", target, got.StatusCode, err)
	}
	return v
}

// brief is an item in one line.
func brief(v map[string]any) string {
	out := strings.TrimPrefix(fmt.Sprint(v["_class"]), "hudson.model.Queue$")
	if v["why"] != nil {
		out += ": " + fmt.Sprint(v["why"])
	}
	if v["cancelled"] == true {
		out += ", cancelled"
	}
	if e, ok := v["executable"].(map[string]any); ok {
		out += fmt.Sprintf(", run %v", e["number"])
	}
	return out
}

// An item's whole life: quiet period, blocked by a run, without an executor,
// about to run, run, forgotten.
func TestQueueLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{Launch: time.Second}
		defer s.Stop()
		s.AddJob(job, fakejenkins.JobSpec{Next: 812, NotConcurrent: true, Stages: []fakejenkins.StageSpec{{Name: "deploy", Takes: time.Minute}}})
		start(t, s, fakejenkins.RunSpec{})
		s.HoldQueue("Waiting for next available executor on ‘agent-1’")
		built := ask(s, "POST", jobPage+"/build", nil)
		if built.StatusCode != 201 || built.Header.Get("Location") != "http://example.com/queue/item/1813/" {
			t.Fatal(built.StatusCode, built.Header)
		}
		for _, tt := range []struct {
			after time.Duration
			do    func()
			want  string
		}{
			{want: "WaitingItem: In the quiet period. Expires in 5.0 sec"},
			{after: 100 * time.Millisecond, want: "WaitingItem: In the quiet period. Expires in 4.9 sec"},
			{after: 4900 * time.Millisecond, want: "BlockedItem: Build #812 is already in progress (ETA: N/A)"},
			{after: 56 * time.Second, want: "BuildableItem: Waiting for next available executor on ‘agent-1’"},
			{do: func() { s.QuietDown(true); s.HoldQueue("") }, want: "BuildableItem: Jenkins is about to shut down"},
			{do: func() { s.QuietDown(false) }, want: "LeftItem"},
			{after: 2 * time.Second, want: "LeftItem, run 813"},
			{after: 5*time.Minute - 3*time.Second, want: "LeftItem, run 813"},
		} {
			if tt.do != nil {
				tt.do()
			}
			<-time.After(tt.after)
			synctest.Wait()
			if got := brief(read(t, s, "/queue/item/1813/api/json")); got != tt.want {
				t.Errorf("after %v: %s, want %s", tt.after, got, tt.want)
			}
		}
		<-time.After(time.Second)
		if got := ask(s, "GET", "/queue/item/1813/api/json", nil); got.StatusCode != 404 {
			t.Errorf("after five minutes: %d", got.StatusCode)
		}
		if r := read(t, s, jobPage+"/813/api/json"); r["queueId"] != 1813.0 || r["result"] != "SUCCESS" {
			t.Errorf("run %v", r)
		}
		// With a run to compare with, it is told how long it will take.
		start(t, s, fakejenkins.RunSpec{})
		id, err := s.Queue(job, fakejenkins.RunSpec{})
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(6 * time.Second)
		if got := s.Queued(); len(got) != 1 || got[0].ID != id || got[0].Why != "Build #814 is already in progress (ETA: 54 sec)" {
			t.Errorf("queued %+v", got)
		}
	})
}

// Between the queue and the run, an item keeps others back as its run will.
func TestLaunch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{Launch: time.Second, QuietPeriod: -1}
		defer s.Stop()
		s.AddJob(job, fakejenkins.JobSpec{NotConcurrent: true, Stages: []fakejenkins.StageSpec{{Name: "deploy", Takes: time.Minute}}})
		for _, tag := range []string{"a", "b"} {
			if _, err := s.Queue(job, fakejenkins.RunSpec{Parameters: map[string]string{"ImageTag": tag}}); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.Queued(); len(got) != 1 || got[0].Parameters["ImageTag"] != "b" || got[0].Why != "Build #1 is already in progress (ETA: N/A)" {
			t.Errorf("queued %+v", got)
		}
		<-time.After(2 * time.Minute)
		if runs, err := s.Runs(job); err != nil || len(runs) != 2 || runs[0].Started.Sub(runs[1].Started) != time.Minute+time.Second {
			t.Errorf("runs %+v, %v", runs, err)
		}
	})
}

// What a job and the queue say while an item waits.
func TestQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{}
		defer s.Stop()
		s.AddJob(job, fakejenkins.JobSpec{Next: 7, Parameters: []fakejenkins.Parameter{{Name: "ImageTag"}}})
		if j := read(t, s, jobPage+"/api/json"); j["inQueue"] != false || j["queueItem"] != nil || j["color"] != "notbuilt" {
			t.Errorf("an idle job: %v", j)
		}
		ask(s, "POST", jobPage+"/buildWithParameters?ImageTag=x", nil)
		if j := read(t, s, jobPage+"/api/json"); j["inQueue"] != true || brief(j["queueItem"].(map[string]any)) != "WaitingItem: In the quiet period. Expires in 5.0 sec" {
			t.Errorf("a queued job: %v", j)
		}
		got := read(t, s, "/queue/api/json?tree=items[id,why,stuck,params,task[name,url],actions[causes[userId],parameters[name,value]]]")
		want := map[string]any{"_class": "hudson.model.Queue", "items": []any{map[string]any{
			"_class": "hudson.model.Queue$WaitingItem", "id": 1.0, "why": "In the quiet period. Expires in 5.0 sec", "stuck": false, "params": "\nImageTag=x",
			"task": map[string]any{"_class": "org.jenkinsci.plugins.workflow.job.WorkflowJob", "name": "treeherder", "url": "http://example.com" + jobPage + "/"},
			"actions": []any{
				map[string]any{"_class": "hudson.model.CauseAction", "causes": []any{map[string]any{"_class": "hudson.model.Cause$UserIdCause", "userId": "thbot"}}},
				map[string]any{"_class": "hudson.model.ParametersAction", "parameters": []any{map[string]any{"_class": "hudson.model.StringParameterValue", "name": "ImageTag", "value": "x"}}},
				map[string]any{},
			},
		}}}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("queue (-want +got):\n%s", d)
		}
		// A restart keeps what waits.
		s.Restart()
		<-time.After(time.Minute)
		if r := read(t, s, jobPage+"/lastBuild/api/json"); r["number"] != 7.0 {
			t.Errorf("after a restart: %v", r)
		}
		// And forgets what left.
		s.Restart()
		<-time.After(time.Minute)
		if got := ask(s, "GET", "/queue/item/1/api/json", nil); got.StatusCode != 404 {
			t.Errorf("an item from before the restart: %d", got.StatusCode)
		}
	})
}

// After a day, or ten times as long as a run takes, an item is stuck.
func TestStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{QuietPeriod: -1}
		defer s.Stop()
		s.AddJob(job, fakejenkins.JobSpec{})
		s.HoldQueue("Waiting for next available executor")
		id, err := s.Queue(job, fakejenkins.RunSpec{})
		if err != nil {
			t.Fatal(err)
		}
		stuck := func() any { return read(t, s, "/queue/item/"+itoa(id)+"/api/json")["stuck"] }
		<-time.After(23 * time.Hour)
		if stuck() != false {
			t.Error("stuck before a day is over")
		}
		start(t, s, fakejenkins.RunSpec{Result: "SUCCESS"})
		if stuck() != true {
			t.Error("not stuck, though it waits ten times as long as a run takes")
		}
	})
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{}
		defer s.Stop()
		s.AddJob(job, fakejenkins.JobSpec{})
		for _, cancel := range []func(id int) (status, want int){
			func(id int) (int, int) {
				return ask(s, "POST", "/queue/cancelItem?id="+itoa(id), nil).StatusCode, 204
			},
			func(id int) (int, int) {
				return ask(s, "POST", "/queue/item/"+itoa(id)+"/cancelQueue", nil).StatusCode, 302
			},
			func(id int) (int, int) {
				if err := s.CancelItem(id, "ana"); err != nil {
					t.Error(err)
				}
				return 0, 0
			},
		} {
			id, err := s.Queue(job, fakejenkins.RunSpec{})
			if err != nil {
				t.Fatal(err)
			}
			if status, want := cancel(id); status != want {
				t.Errorf("cancelling: %d, want %d", status, want)
			}
			if got := brief(read(t, s, "/queue/item/"+itoa(id)+"/api/json")); got != "LeftItem, cancelled" {
				t.Errorf("cancelled: %s", got)
			}
			if got := ask(s, "POST", "/queue/cancelItem?id="+itoa(id), nil); got.StatusCode != 404 {
				t.Errorf("cancelling again: %d", got.StatusCode)
			}
			if err := s.CancelItem(id, "ana"); err == nil {
				t.Error("cancelled what had left")
			}
		}
		<-time.After(time.Minute)
		if runs, err := s.Runs(job); err != nil || len(runs) != 0 {
			t.Errorf("runs %v, %v", runs, err)
		}
	})
}

// disableConcurrentBuilds(abortPrevious: true).
func TestAbortPrevious(t *testing.T) {
	s := &fakejenkins.Server{QuietPeriod: -1}
	t.Cleanup(s.Stop)
	s.AddJob(job, fakejenkins.JobSpec{Next: 812, NotConcurrent: true, AbortPrevious: true, Stages: pipeline(fakejenkins.InputSpec{})})
	start(t, s, fakejenkins.RunSpec{})
	if _, err := s.Queue(job, fakejenkins.RunSpec{}); err != nil {
		t.Fatal(err)
	}
	runs, err := s.Runs(job)
	if err != nil || len(runs) != 2 || runs[1].Result != "NOT_BUILT" || !runs[0].Building {
		t.Fatal(runs, err)
	}
	if got := ask(s, "GET", at+"/api/json", nil).body; !strings.Contains(got, "Superseded by #813") {
		t.Error(got)
	}
}

// The ways to ask for a build, and what they answer.
func TestBuild(t *testing.T) {
	params := []fakejenkins.Parameter{{Name: "ImageTag", Default: "latest"}, {Name: "Where", Choices: []string{"stage", "prod"}},
		{Name: "Dry", Type: "BooleanParameterDefinition", Default: true}, {Name: "Secret", Type: "PasswordParameterDefinition"}}
	const build, with = jobPage + "/build", jobPage + "/buildWithParameters"
	filled := func(tag string) map[string]string {
		return map[string]string{"ImageTag": tag, "Where": "stage", "Dry": "true", "Secret": ""}
	}
	for _, tt := range []struct {
		name   string
		spec   fakejenkins.JobSpec
		target string
		form   url.Values
		first  int
		second int // status when asked again
		loc    string
		want   map[string]string
	}{
		{name: "no parameters", target: build, first: 201, second: 201, loc: "/queue/item/1/"},
		{name: "with a delay", target: build + "?delay=2sec", first: 201, second: 201, loc: "/queue/item/1/"},
		{name: "with a bad delay", target: build + "?delay=soon", first: 500, second: 500},
		{name: "parameters that it does not have", target: with + "?ImageTag=x", first: 400, second: 400},
		{name: "disabled", spec: fakejenkins.JobSpec{Disabled: true}, target: build, first: 409, second: 409},
		{name: "disabled with parameters", spec: fakejenkins.JobSpec{Disabled: true, Parameters: params}, target: with, first: 409, second: 409},
		{name: "defaults", spec: fakejenkins.JobSpec{Parameters: params}, target: with, first: 201, second: 303, loc: "/queue/item/1/", want: filled("latest")},
		{name: "query", spec: fakejenkins.JobSpec{Parameters: params}, target: with + "?ImageTag=x&Other=y", first: 201, second: 303, loc: "/queue/item/1/", want: filled("x")},
		{name: "form", spec: fakejenkins.JobSpec{Parameters: params}, target: with, form: url.Values{"ImageTag": {"x"}}, first: 201, second: 303, loc: "/queue/item/1/", want: filled("x")},
		{name: "not one of the choices", spec: fakejenkins.JobSpec{Parameters: params}, target: with + "?Where=moon", first: 500, second: 500},
		{name: "build without json", spec: fakejenkins.JobSpec{Parameters: params}, target: build, first: 400, second: 400},
		{name: "build with bad json", spec: fakejenkins.JobSpec{Parameters: params}, target: build, form: url.Values{"json": {"["}}, first: 500, second: 500},
		{name: "build with json fills in nothing", spec: fakejenkins.JobSpec{Parameters: params}, target: build,
			form:  url.Values{"json": {`{"parameter":{"name":"ImageTag","value":"x"}}`}},
			first: 201, second: 302, loc: "/queue/item/1/", want: map[string]string{"ImageTag": "x"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakejenkins.Server{ContextPath: "/ci", Root: "https://public.example/ci"}
				defer s.Stop()
				s.AddJob(job, tt.spec)
				got := ask(s, "POST", "/ci"+tt.target, tt.form)
				loc := ""
				if tt.loc != "" {
					loc = "http://example.com/ci" + tt.loc // as called, not as configured
				}
				if got.StatusCode != tt.first || got.Header.Get("Location") != loc {
					t.Errorf("status %d, want %d; %v", got.StatusCode, tt.first, got.Header)
				}
				again := ask(s, "POST", "/ci"+tt.target, tt.form)
				if again.StatusCode != tt.second || again.StatusCode == 302 && again.Header.Get("Location") != "." ||
					again.StatusCode > 200 && again.StatusCode < 400 && again.StatusCode != 302 && again.Header.Get("Location") != loc {
					t.Errorf("again: status %d, want %d; %v", again.StatusCode, tt.second, again.Header)
				}
				queued := s.Queued()
				if tt.loc == "" {
					if len(queued) != 0 {
						t.Errorf("queued %v", queued)
					}
					return
				}
				if len(queued) != 1 || !cmp.Equal(queued[0].Parameters, tt.want) {
					t.Errorf("queued %+v, want one with %v", queued, tt.want)
				}
				<-time.After(6 * time.Second)
				if runs, err := s.Runs(job); err != nil || len(runs) != 1 || !cmp.Equal(runs[0].Parameters, tt.want) ||
					len(runs[0].Causes) != 1 || runs[0].Causes[0] != fakejenkins.ByUser("thbot") {
					t.Errorf("runs %+v, %v", runs, err)
				}
			})
		})
	}
}

// Values are exported as their definitions say, a password's not at all.
func TestParameterValues(t *testing.T) {
	s := &fakejenkins.Server{}
	t.Cleanup(s.Stop)
	s.AddJob(job, fakejenkins.JobSpec{Parameters: []fakejenkins.Parameter{
		{Name: "Dry", Type: "BooleanParameterDefinition"}, {Name: "Secret", Type: "PasswordParameterDefinition"}, {Name: "Tag"},
	}})
	start(t, s, fakejenkins.RunSpec{Parameters: map[string]string{"Dry": "true", "Secret": "x", "Tag": "t"}})
	got := ask(s, "GET", jobPage+"/1/api/json?tree=actions[parameters[name,value]]", nil).body
	want := `[{"_class":"hudson.model.BooleanParameterValue","name":"Dry","value":true},{"_class":"hudson.model.PasswordParameterValue","name":"Secret"},` +
		`{"_class":"hudson.model.StringParameterValue","name":"Tag","value":"t"}]`
	if !strings.Contains(got, want) {
		t.Errorf("%s has no %s", got, want)
	}
}

// Those who ask for the same become the causes of one run; a run may begin as
// soon as the most impatient of them wants.
func TestFolding(t *testing.T) {
	s := &fakejenkins.Server{QuietPeriod: time.Hour}
	t.Cleanup(s.Stop)
	s.AddJob(job, fakejenkins.JobSpec{})
	first, err := s.Queue(job, fakejenkins.RunSpec{Causes: []fakejenkins.Cause{fakejenkins.ByPush()}})
	if err != nil {
		t.Fatal(err)
	}
	s.AddJob("another", fakejenkins.JobSpec{})
	if id, err := s.Queue("another", fakejenkins.RunSpec{}); err != nil || id == first {
		t.Errorf("of another job: %d, %v", id, err)
	}
	other, err := s.Queue(job, fakejenkins.RunSpec{Parameters: map[string]string{"A": "b"}})
	if err != nil || other == first {
		t.Errorf("with other parameters: %d, %v", other, err)
	}
	same, err := s.Queue(job, fakejenkins.RunSpec{Causes: []fakejenkins.Cause{fakejenkins.ByPush(), fakejenkins.ByUser("ana")}})
	if err != nil || same != first {
		t.Errorf("the same: %d, %v", same, err)
	}
	ask(s, "POST", jobPage+"/build?delay=0", nil)
	runs, err := s.Runs(job)
	want := []fakejenkins.Cause{fakejenkins.ByPush(), fakejenkins.ByUser("ana"), fakejenkins.ByUser("thbot")}
	if err != nil || len(runs) != 1 || !cmp.Equal(runs[0].Causes, want) {
		t.Errorf("runs %+v, %v", runs, err)
	}
}
