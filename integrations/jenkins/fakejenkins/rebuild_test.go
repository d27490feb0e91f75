package fakejenkins_test

import (
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"thbot/integrations/jenkins/fakejenkins"
)

// Every row of what the plugin does: its answer, and what is scheduled, if
// anything is.
func TestRebuild(t *testing.T) {
	tag := map[string]string{"ImageTag": "old"}
	const (
		parameterized = at + "/rebuild/parameterized"
		none, old     = "none", "old"
	)
	for _, tt := range []struct {
		name     string
		plugin   string // new if empty
		spec     fakejenkins.JobSpec
		run      map[string]string
		method   string
		target   string
		form     url.Values
		status   int
		location string
		want     map[string]string // of the run that is scheduled
		nothing  bool
	}{
		{name: "without parameters", target: "/rebuild/", status: 302, location: jobPage + "/"},
		{name: "without the slash", target: "/rebuild", status: 302, location: at + "/rebuild/", nothing: true},
		{name: "GET", method: "GET", target: "/rebuild/", status: 405, nothing: true},
		{name: "with parameters, only a form", run: tag, target: "/rebuild/", status: 302, location: parameterized, nothing: true},
		{name: "with parameters, at once", run: tag, target: "/rebuild/?autorebuild=1", status: 302, location: jobPage + "/", want: tag},
		{name: "without the slash, at once", run: tag, target: "/rebuild?autorebuild=1", status: 302, location: at + "/rebuild/?autorebuild=1", nothing: true},
		{name: "with parameters, job rebuilds at once", spec: fakejenkins.JobSpec{AutoRebuild: true}, run: tag, target: "/rebuild/", status: 302, location: jobPage + "/", want: tag},
		{name: "the form", run: tag, target: "/rebuild/configSubmit", form: url.Values{"json": {"{}"}}, status: 302, location: jobPage + "/", want: tag},
		{name: "the form with another value", run: tag, target: "/rebuild/configSubmit",
			form: url.Values{"json": {`{"parameter":[{"name":"ImageTag","value":"new"},{"name":"Nonsense","value":"x"}]}`}}, status: 302, location: jobPage + "/", want: map[string]string{"ImageTag": "new"}},
		{name: "the form without json", run: tag, target: "/rebuild/configSubmit", form: url.Values{}, status: 400, nothing: true},
		{name: "the form of a run without parameters", target: "/rebuild/configSubmit", form: url.Values{"json": {"{}"}}, status: 500, nothing: true},
		{name: "rebuilding disabled", spec: fakejenkins.JobSpec{NoRebuild: true}, run: tag, target: "/rebuild/?autorebuild=1", status: 200, nothing: true},
		{name: "rebuilding disabled, the form", spec: fakejenkins.JobSpec{NoRebuild: true}, run: tag, target: "/rebuild/configSubmit", form: url.Values{"json": {"{}"}}, status: 200, nothing: true},
		{name: "job disabled", spec: fakejenkins.JobSpec{Disabled: true}, run: tag, target: "/rebuild/configSubmit", form: url.Values{"json": {"{}"}}, status: 200, nothing: true},
		{name: "rebuilding disabled, without parameters", spec: fakejenkins.JobSpec{NoRebuild: true}, target: "/rebuild/", status: 302, location: jobPage + "/"},
		{name: "a choice that is there no more", spec: fakejenkins.JobSpec{Parameters: []fakejenkins.Parameter{{Name: "HOW", Choices: []string{"all"}}}}, run: map[string]string{"HOW": "slowly"},
			target: "/rebuild/configSubmit", form: url.Values{"json": {`{"parameter":{"name":"HOW","value":"slowly"}}`}}, status: 302, location: parameterized + "?invalidParam=HOW", nothing: true},
		{name: "the form for people", method: "GET", target: "/rebuild/parameterized", status: 200, nothing: true},
		{name: "the form for people, without the plugin", method: "GET", plugin: none, target: "/rebuild/parameterized", status: 404, nothing: true},
		{name: "without the plugin", plugin: none, target: "/rebuild/", status: 404, nothing: true},
		{name: "without the plugin, the form", plugin: none, run: tag, target: "/rebuild/configSubmit", form: url.Values{"json": {"{}"}}, status: 404, nothing: true},
		{name: "an old plugin, at once", plugin: old, run: tag, target: "/rebuild/?autorebuild=1", status: 302, location: parameterized, nothing: true},
		{name: "an old plugin, rebuilding disabled", plugin: old, spec: fakejenkins.JobSpec{NoRebuild: true}, run: tag, target: "/rebuild/", status: 404, nothing: true},
		{name: "an old workflow-cps", plugin: old, run: tag, target: "/replay/rebuild", status: 404, nothing: true},
		{name: "replay", run: tag, target: "/replay/rebuild", status: 302, location: jobPage + "/", want: tag},
		{name: "replay, job disabled", spec: fakejenkins.JobSpec{Disabled: true}, target: "/replay/rebuild", status: 409, nothing: true},
		{name: "replay with a password", spec: fakejenkins.JobSpec{Parameters: []fakejenkins.Parameter{{Name: "ImageTag", Type: "PasswordParameterDefinition"}}},
			run: tag, target: "/replay/rebuild", status: 400, nothing: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &fakejenkins.Server{QuietPeriod: -1, NoRebuilder: tt.plugin == none, OldRebuilder: tt.plugin == old, NoReplay: tt.plugin == old}
			t.Cleanup(s.Stop)
			tt.spec.Next, tt.spec.Stages = 812, pipeline(fakejenkins.InputSpec{})
			s.AddJob(job, tt.spec)
			start(t, s, fakejenkins.RunSpec{Parameters: tt.run, Result: "SUCCESS", Causes: []fakejenkins.Cause{fakejenkins.ByPush(), fakejenkins.ByUser("ana"),
				{Class: "com.sonyericsson.rebuild.RebuildCause", Text: "Rebuilds build #811", UpstreamProject: job, UpstreamBuild: 811}}})
			method := tt.method
			if method == "" {
				method = "POST"
			}
			got := ask(s, method, at+tt.target, tt.form)
			if got.StatusCode != tt.status || got.Header.Get("Location") != tt.location || tt.status == 200 && method == "POST" && got.body != "" {
				t.Errorf("status %d, want %d; location %q, want %q; %s", got.StatusCode, tt.status, got.Header.Get("Location"), tt.location, got.body)
			}
			if tt.status == 400 && strings.HasPrefix(tt.target, "/replay") != (got.Header.Get("X-Error") == "Replay is not allowed when password parameters are used.") {
				t.Errorf("X-Error %q", got.Header.Get("X-Error"))
			}
			runs, err := s.Runs(job)
			switch {
			case err != nil:
				t.Fatal(err)
			case tt.nothing:
				if len(runs) != 1 || len(s.Unexpected()) != 0 {
					t.Errorf("runs %v, unexpected %q", runs, s.Unexpected())
				}
				return
			case len(runs) != 2 || runs[0].Number != 813 || !cmp.Equal(runs[0].Parameters, tt.want):
				t.Fatalf("runs %+v, want 813 with %v", runs, tt.want)
			}
			var texts []string
			for _, c := range runs[0].Causes {
				texts = append(texts, c.Text)
			}
			want := []string{"Started by an SCM change", "Started by user thbot", "Rebuilds build #812"}
			if strings.HasPrefix(tt.target, "/replay") {
				want = []string{"Started by user thbot", "Replayed #812"}
			} else if body := ask(s, "GET", jobPage+"/813/api/json", nil).body; !strings.Contains(body, `"upstreamBuild":812,"upstreamProject":"`+job+`"`) {
				t.Errorf("its RebuildCause is in %s", body)
			}
			if !cmp.Equal(texts, want) {
				t.Errorf("causes %q, want %q", texts, want)
			}
		})
	}
}

// A rebuild takes the parameters along, and nothing else: what it checks out is
// the head of now, so that only what a parameter names goes back.
func TestRebuildResolvesAgain(t *testing.T) {
	const app, infra = "https://git.example/app", "https://git.example/infra"
	old, next := fakejenkins.Git{SHA: "1111111", Branch: "master", Remote: app}, fakejenkins.Git{SHA: "2222222", Branch: "master", Remote: app}
	infraHead := fakejenkins.Git{SHA: "3333333", Branch: "main", Remote: infra}
	named := func(spec fakejenkins.RunSpec) string { return spec.Git[0].SHA }
	for _, tt := range []struct {
		name     string
		branch   bool
		still    bool // nobody pushes
		known    bool // what the job checks out is set, not learnt from its runs
		again    func(s *fakejenkins.Server) error
		want     string // what the new run checks out
		revision string
	}{
		{name: "rebuild", again: byRebuild, known: true, want: "2222222"},
		{name: "rebuild, of a job that has only its runs", again: byRebuild, want: "2222222"},
		{name: "rebuild, and nobody pushed", again: byRebuild, still: true, want: "1111111"},
		{name: "rebuild of a branch", again: byRebuild, branch: true, known: true, want: "2222222", revision: "2222222"},
		{name: "replay", again: byReplay, known: true, want: "2222222"},
		{name: "replay of a branch", again: byReplay, branch: true, known: true, want: "1111111", revision: "1111111"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakejenkins.Server{QuietPeriod: -1}
				defer s.Stop()
				spec := fakejenkins.JobSpec{Next: 812, Branch: tt.branch, Named: named, Stages: []fakejenkins.StageSpec{{Name: "deploy"}}}
				run := fakejenkins.RunSpec{}
				if tt.known {
					spec.Checkout = []fakejenkins.Git{old, infraHead}
				} else {
					run.Git = []fakejenkins.Git{old, infraHead}
				}
				s.AddJob(job, spec)
				start(t, s, run)
				if !tt.still {
					if err := s.Push(job, next); err != nil {
						t.Fatal(err)
					}
				}
				if err := tt.again(s); err != nil {
					t.Fatal(err)
				}
				runs, err := s.Runs(job)
				if err != nil || len(runs) != 2 || len(runs[0].Git) != 2 || runs[0].Git[0].SHA != tt.want || runs[0].Git[1] != infraHead || runs[0].DisplayName != tt.want {
					t.Fatalf("runs %+v, %v", runs, err)
				}
				body := ask(s, "GET", jobPage+"/813/api/json?tree=actions[revision[hash],remoteUrls,lastBuiltRevision[SHA1]]", nil).body
				if has := strings.Contains(body, `"hash":"`+tt.revision+`"`); has != tt.branch || strings.Count(body, "util.BuildData") != 2 {
					t.Errorf("exported: %s", body)
				}
			})
		})
	}
}

func byRebuild(s *fakejenkins.Server) error { return s.RebuildByHand(job, 812, "ana", nil) }
func byReplay(s *fakejenkins.Server) error  { return s.ReplayByHand(job, 812, "ana") }

// The identical item that waits swallows a rebuild; a run that waits for people
// blocks it, if runs are not concurrent.
func TestRebuildWaits(t *testing.T) {
	s := &fakejenkins.Server{QuietPeriod: -1}
	t.Cleanup(s.Stop)
	s.AddJob(job, fakejenkins.JobSpec{Next: 812, NotConcurrent: true, Stages: []fakejenkins.StageSpec{{Name: "deploy", Input: &fakejenkins.InputSpec{ID: "go"}}}})
	start(t, s, fakejenkins.RunSpec{Parameters: map[string]string{"ImageTag": "old"}})
	for range 2 {
		if err := s.RebuildByHand(job, 812, "ana", map[string]string{"ImageTag": "older"}); err != nil {
			t.Fatal(err)
		}
	}
	queued := s.Queued()
	if len(queued) != 1 || queued[0].Why != "Build #812 is already in progress (ETA: N/A)" || queued[0].Parameters["ImageTag"] != "older" {
		t.Fatalf("queued %+v", queued)
	}
	if err := s.RejectByHand(job, 812, "Go", "ana"); err != nil {
		t.Fatal(err)
	}
	if runs, err := s.Runs(job); err != nil || len(runs) != 2 || len(s.Queued()) != 0 || len(runs[0].Inputs) != 1 {
		t.Errorf("runs %+v, %v; queued %v", runs, err, s.Queued())
	}
	for _, err := range []error{s.RebuildByHand("no", 1, "ana", nil), s.ReplayByHand(job, 1, "ana"), s.Push("no", fakejenkins.Git{}), s.SetDisabled("no", true)} {
		if err == nil {
			t.Error("something was done to nothing")
		}
	}
}
