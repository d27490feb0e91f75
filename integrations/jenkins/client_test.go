package jenkins_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"thbot/bot"
	"thbot/integrations/internal/web"
	"thbot/integrations/jenkins"
	"thbot/integrations/jenkins/fakejenkins"
)

const (
	job   = "gcp-pipelines/treeherder/treeherder-production"
	sha   = "445ee07fbc1a9e7cf3ec5b4d9eaf4a0d1a7a3c11"
	infra = "99999999999999999999999999999999deadbeef"
)

func options(url string) jenkins.Options {
	return jenkins.Options{URL: url, User: fakejenkins.User, Token: fakejenkins.Token}
}

func connect(t *testing.T, o jenkins.Options) *jenkins.Client {
	t.Helper()
	c, err := jenkins.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// loopback serves h on the network.
func loopback(t *testing.T, h http.Handler) *jenkins.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return connect(t, options(server.URL))
}

// stages is the pipeline of the tests: it waits before production.
func stages() []fakejenkins.StageSpec {
	return []fakejenkins.StageSpec{
		{Name: "build", Takes: 2 * time.Minute},
		{Name: "deploy to stage", Takes: time.Minute},
		{Name: "deploy to production", Takes: 5 * time.Minute, Input: &fakejenkins.InputSpec{
			ID: "promote", Message: "Promote?", OK: "Go", Parameters: []fakejenkins.Parameter{
				{Name: "WHO", Description: "Who said so"},
				{Name: "FAST", Type: "BooleanParameterDefinition", Default: false},
				{Name: "HOW", Type: "ChoiceParameterDefinition", Default: "all", Choices: []string{"all", "canary"}},
				{Name: "KEY", Type: "PasswordParameterDefinition", Default: "hunter2"},
			},
		}},
	}
}

func start(t *testing.T, s *fakejenkins.Server, spec fakejenkins.RunSpec) int {
	t.Helper()
	s.AddJob(job, fakejenkins.JobSpec{Next: 812, Stages: stages()})
	n, err := s.StartRun(job, spec)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A run as the bot sees it from the push to the end, with the clock.
func TestPromotion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{ContextPath: "/jenkins", Root: "https://public.example/jenkins/", EndWork: 10 * time.Second}
		ended := make(chan string, 10)
		s.OnStage = func(_ string, _ int, stage, status string) { ended <- stage + " " + status }
		c, ctx := piped(t, s), t.Context()
		began := time.Now().UTC()
		n := start(t, s, fakejenkins.RunSpec{
			DisplayName: "master-445ee07",
			Parameters:  map[string]string{"ImageTag": "master-" + sha},
			Git: []fakejenkins.Git{
				{SHA: infra, Branch: "main", Remote: "git@github.com:x/infra.git"}, {SHA: sha, Branch: "master", Remote: "https://github.com/x/app"},
			},
			Revision: sha,
		})
		if name, err := c.Whoami(ctx); name != "thbot" || err != nil {
			t.Errorf("Whoami: %q, %v", name, err)
		}

		run, err := c.Run(ctx, job, n)
		if err != nil {
			t.Fatal(err)
		}
		want := jenkins.Run{
			Number: 812, DisplayName: "master-445ee07", Building: true, Started: began, QueueID: 1812,
			Causes:     []jenkins.Cause{{Class: "hudson.triggers.SCMTrigger$SCMTriggerCause", Text: "Started by an SCM change"}},
			Parameters: []jenkins.Value{{Name: "ImageTag", Value: "master-" + sha}},
			Git: []jenkins.GitData{
				{SHA: infra, Branches: []string{"main"}, Remotes: []string{"git@github.com:x/infra.git"}},
				{SHA: sha, Branches: []string{"master"}, Remotes: []string{"https://github.com/x/app"}},
			},
			Revision: sha, Session: run.Session,
		}
		if d := cmp.Diff(want, run); d != "" || run.Session == "" {
			t.Errorf("Run (-want +got):\n%s", d)
		}
		runs, err := c.Runs(ctx, job)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(jenkins.Runs{Runs: []jenkins.Run{want}, Next: 813, Session: run.Session}, runs); d != "" {
			t.Errorf("Runs (-want +got):\n%s", d)
		}

		// Stages that have not begun are not listed.
		progress := func() jenkins.Progress {
			t.Helper()
			p, err := c.Stages(ctx, job, n)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		inputs := func() []jenkins.Input {
			t.Helper()
			in, err := c.Inputs(ctx, job, n)
			if err != nil {
				t.Fatal(err)
			}
			return in
		}
		if d := cmp.Diff(jenkins.Progress{Status: "IN_PROGRESS", Stages: []jenkins.Stage{
			{ID: "6", Name: "build", Status: "IN_PROGRESS", Started: began},
		}}, progress()); d != "" {
			t.Errorf("at the start (-want +got):\n%s", d)
		}
		if in := inputs(); in == nil || len(in) != 0 {
			t.Errorf("inputs at the start: %v", in)
		}

		<-time.After(13 * time.Minute)
		p := progress()
		if len(p.Stages) != 3 || p.Status != jenkins.StagePaused {
			t.Fatalf("after 13 minutes: %+v", p)
		}
		if d := cmp.Diff(jenkins.Stage{ID: "20", Name: "deploy to production", Status: "PAUSED_PENDING_INPUT",
			Started: began.Add(3 * time.Minute), Duration: 10 * time.Minute, Pause: 10 * time.Minute}, p.Stages[2]); d != "" {
			t.Errorf("the stage that waits (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]jenkins.Input{{ID: "Promote", Message: "Promote?", Proceed: "Go", Parameters: []jenkins.Parameter{
			{Name: "WHO", Type: "StringParameterDefinition", Description: "Who said so"},
			{Name: "FAST", Type: "BooleanParameterDefinition", Default: "false", HasDefault: true},
			{Name: "HOW", Type: "ChoiceParameterDefinition", Default: "all", HasDefault: true, Choices: []string{"all", "canary"}},
			{Name: "KEY", Type: "PasswordParameterDefinition"}, // what Jenkins tells of it is not kept
		}}}, inputs()); d != "" {
			t.Errorf("inputs (-want +got):\n%s", d)
		}

		if err := c.Proceed(ctx, job, n, "Promote", []jenkins.Value{{Name: "WHO", Value: "ana"}, {Name: "FAST", Value: "true"}, {Name: "HOW", Value: "a b&c=\"d\""}}); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]fakejenkins.Proceed{{Job: job, Run: n, Input: "Promote", User: "thbot", At: time.Now(),
			Values: map[string]string{"WHO": "ana", "FAST": "true", "HOW": "a b&c=\"d\""}}}, s.Proceeds()); d != "" {
			t.Errorf("proceeds (-want +got):\n%s", d)
		}
		if p := progress(); p.Stages[2].Status != "IN_PROGRESS" || p.Stages[2].Pause != 10*time.Minute || len(inputs()) != 0 {
			t.Errorf("after the answer: %+v", p)
		}

		// The result comes before the end, and describe turns to SUCCESS with it.
		<-time.After(5*time.Minute + time.Second)
		if run, err = c.Run(ctx, job, n); err != nil || !run.Building || run.Result != "SUCCESS" || run.Duration != 0 {
			t.Errorf("before its end: %+v, %v", run, err)
		}
		if p := progress(); p.Status != jenkins.StageSuccess {
			t.Errorf("before its end: %+v", p)
		}
		<-time.After(10 * time.Second)
		if run, err = c.Run(ctx, job, n); err != nil || run.Building || run.Result != "SUCCESS" || run.Duration != 18*time.Minute {
			t.Errorf("at its end: %+v, %v", run, err)
		}
		if run.Estimated != 18*time.Minute || len(run.Approvers) != 1 || run.Approvers[0] != "thbot" {
			t.Errorf("at its end: %+v", run)
		}
		for _, want := range []string{"build SUCCESS", "deploy to stage SUCCESS", "deploy to production SUCCESS"} {
			if got := <-ended; got != want {
				t.Errorf("OnStage was told %q, want %q", got, want)
			}
		}
	})
}

// What people do in Jenkins meanwhile.
func TestByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{}
		c, ctx := piped(t, s), t.Context()
		for _, tt := range []struct {
			name         string
			do           func(n int) error
			result       string
			last         string // status of the last stage
			fault        string
			approvers    []string
			interruption []string
		}{
			{name: "proceeded", do: func(n int) error { return s.ProceedByHand(job, n, "Promote", "bea", nil) },
				result: "SUCCESS", last: "SUCCESS", approvers: []string{"bea"}},
			{name: "rejected", do: func(n int) error { return s.RejectByHand(job, n, "Promote", "bea") },
				result: "ABORTED", last: "ABORTED", fault: "Rejected by bea", interruption: []string{"Rejected by bea"}},
			{name: "aborted", do: func(n int) error { return s.AbortRun(job, n, "bea") },
				result: "ABORTED", last: "ABORTED", fault: "Aborted by bea", interruption: []string{"Aborted by bea"}},
			{name: "failed", do: func(n int) error { return s.FailStage(job, n, "deploy to production") },
				result: "FAILURE", last: "FAILED", fault: "script returned exit code 1"},
			{name: "finished", do: func(n int) error {
				if err := s.ProceedByHand(job, n, "Promote", "bea", nil); err != nil {
					return err
				}
				return s.FinishStage(job, n, "deploy to production")
			}, result: "SUCCESS", last: "SUCCESS", approvers: []string{"bea"}},
		} {
			n := start(t, s, fakejenkins.RunSpec{Causes: []fakejenkins.Cause{fakejenkins.ByUser("cid")}})
			<-time.After(4 * time.Minute)
			if err := tt.do(n); err != nil {
				t.Fatal(tt.name, err)
			}
			<-time.After(10 * time.Minute)
			run, err := c.Run(ctx, job, n)
			if err != nil || run.Building || run.Result != tt.result || run.StartedBy().User != "cid" {
				t.Errorf("%s: %+v, %v", tt.name, run, err)
			}
			if d := cmp.Diff(tt.approvers, run.Approvers); d != "" {
				t.Errorf("%s: approvers (-want +got):\n%s", tt.name, d)
			}
			// Its causes are not those of the start.
			if d := cmp.Diff(tt.interruption, run.Interruptions); d != "" || len(run.Causes) != 1 {
				t.Errorf("%s: interruptions (-want +got):\n%s", tt.name, d)
			}
			p, err := c.Stages(ctx, job, n)
			if err != nil {
				t.Fatal(err)
			}
			if last := p.Stages[len(p.Stages)-1]; last.Status != tt.last || last.Error != tt.fault {
				t.Errorf("%s: last stage %+v", tt.name, last)
			}
			if err := tt.do(n); err == nil {
				t.Errorf("%s a second time, after the end", tt.name)
			}
		}
	})
}

// Of two inputs, the one that is meant is answered: not the first.
func TestTwoInputs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{}
		c, ctx := piped(t, s), t.Context()
		n := start(t, s, fakejenkins.RunSpec{})
		<-time.After(4 * time.Minute)
		if err := s.AddInput(job, n, fakejenkins.InputSpec{Message: "Migrate the tables?"}); err != nil {
			t.Fatal(err)
		}
		in, err := c.Inputs(ctx, job, n)
		if err != nil || len(in) != 2 || in[1].ID != "Promote" {
			t.Fatal(in, err)
		}
		other := in[0]
		if other.ID != "Eaf14b9aa34ddba218eda38d8f1a2c99" { // the digest of its message, capitalised
			t.Errorf("an id made from the message is %q", other.ID)
		}
		// With a parallel branch the run is paused, the stage is not.
		p, err := c.Stages(ctx, job, n)
		if err != nil || p.Status != jenkins.StagePaused || p.Stages[2].Status != jenkins.StageInProgress {
			t.Error(p, err)
		}
		if err := c.Proceed(ctx, job, n, "Promote", []jenkins.Value{{Name: "WHO", Value: "ana"}}); err != nil {
			t.Fatal(err)
		}
		<-time.After(10 * time.Minute)
		if in, err = c.Inputs(ctx, job, n); err != nil || len(in) != 1 || in[0].ID != other.ID {
			t.Error(in, err)
		}
		if run, err := c.Run(ctx, job, n); err != nil || !run.Building {
			t.Error(run, err)
		}
		if err := c.Proceed(ctx, job, n, other.ID, nil); err != nil {
			t.Fatal(err)
		}
		if run, err := c.Run(ctx, job, n); err != nil || run.Building || len(run.Approvers) != 2 {
			t.Error(run, err)
		}
	})
}

// Whatever Jenkins answers on the way down and up again, nothing of it reads as
// an end, and the input is there in the end.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{}
		c, ctx := piped(t, s), t.Context()
		n := start(t, s, fakejenkins.RunSpec{})
		<-time.After(4 * time.Minute)
		before, err := c.Run(ctx, job, n)
		if err != nil {
			t.Fatal(err)
		}
		s.Restart()
		var seen []string
		see := func(what string) {
			if len(seen) == 0 || seen[len(seen)-1] != what {
				seen = append(seen, what)
			}
		}
		for range 20 {
			<-time.After(time.Second)
			run, err := c.Run(ctx, job, n)
			if err == nil && !run.Building || errors.Is(err, bot.ErrNotFound) || errors.Is(err, jenkins.ErrCredentials) {
				t.Fatalf("in a restart: %+v, %v", run, err)
			}
			in, inErr := c.Inputs(ctx, job, n)
			if e, ok := errors.AsType[*web.Error](inErr); ok {
				see(http.StatusText(e.Status))
				if _, again := bot.RetryAfter(inErr); !again {
					t.Error("not to be tried again:", inErr)
				}
				if p, err := c.Stages(ctx, job, n); err == nil {
					t.Error("stages while inputs cannot be told:", p)
				}
				continue
			}
			if run.Session == before.Session {
				t.Error("the session has not changed")
			}
			if len(in) == 0 {
				see("no inputs")
				// The trap: it is pending, but says it is not.
				if err := c.Proceed(ctx, job, n, "Promote", nil); !errors.Is(err, jenkins.ErrNotPending) {
					t.Error("answering before it is loaded:", err)
				}
				continue
			}
			see("asked by " + in[0].ID)
		}
		if d := cmp.Diff([]string{"Service Unavailable", "Internal Server Error", "no inputs", "asked by Promote"}, seen); d != "" {
			t.Errorf("what was seen (-want +got):\n%s", d)
		}
		if len(s.Proceeds()) != 0 {
			t.Error(s.Proceeds())
		}
		if err := c.Proceed(ctx, job, n, "Promote", nil); err != nil {
			t.Error(err)
		}
		if p := s.Proceeds(); len(p) != 1 || p[0].Values != nil { // nothing is filled in
			t.Error(p)
		}
	})
}

// The work of a stage goes on during a restart, its end is noticed after it.
func TestRestartWhileWorking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{Boot: time.Minute, Loading: time.Minute}
		c, ctx := piped(t, s), t.Context()
		over := start(t, s, fakejenkins.RunSpec{Result: "FAILURE"})
		n, err := s.StartRun(job, fakejenkins.RunSpec{})
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		s.Restart()
		<-time.After(61 * time.Second)
		if p, err := c.Stages(ctx, job, over); err != nil || p.Status != "FAILED" { // there is nothing to load of it
			t.Error(p, err)
		}
		<-time.After(58 * time.Second)
		if runs, err := s.Runs(job); err != nil || len(runs[0].Stages) != 1 {
			t.Error(runs, err)
		}
		<-time.After(2 * time.Second)
		if p, err := c.Stages(ctx, job, n); err != nil || len(p.Stages) != 2 || p.Stages[0].Status != "SUCCESS" {
			t.Error(p, err)
		}
	})
}

// Each name of a job's path is escaped by itself, also one that is escaped already.
func TestURLs(t *testing.T) {
	c := connect(t, options("https://jenkins.example/ci/"))
	for _, tt := range []struct{ job, want string }{
		{"deploy", "https://jenkins.example/ci/job/deploy/"},
		{"a/b/c", "https://jenkins.example/ci/job/a/job/b/job/c/"},
		{"app/feature%2Fx", "https://jenkins.example/ci/job/app/job/feature%252Fx/"},
		{"what? #1", "https://jenkins.example/ci/job/what%3F%20%231/"},
	} {
		if got := c.JobURL(tt.job); got != tt.want {
			t.Errorf("JobURL(%q) = %q, want %q", tt.job, got, tt.want)
		}
		if got, want := c.RunURL(tt.job, 8), tt.want+"8/"; got != want {
			t.Errorf("RunURL(%q, 8) = %q, want %q", tt.job, got, want)
		}
		s := &fakejenkins.Server{ContextPath: "/ci"}
		s.AddJob(tt.job, fakejenkins.JobSpec{Next: 8})
		if _, err := s.StartRun(tt.job, fakejenkins.RunSpec{Result: "SUCCESS"}); err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(s)
		if _, err := connect(t, options(server.URL+"/ci")).Run(t.Context(), tt.job, 8); err != nil {
			t.Errorf("Run of %q: %v", tt.job, err)
		}
		server.Close()
	}
	for _, job := range []string{"", "/", "a//b", "a/", "a/../b", "."} {
		if jenkins.CheckJob(job) == nil {
			t.Errorf("CheckJob(%q) finds nothing", job)
		}
	}
	if err := jenkins.CheckJob(job); err != nil {
		t.Error(err)
	}
}

func TestNew(t *testing.T) {
	for _, tt := range []struct{ url, user, token string }{
		{"", "u", "t"}, {"jenkins.example", "u", "t"}, {"ftp://jenkins.example/", "u", "t"}, {"https:///x", "u", "t"},
		{"https://u:s3cret@jenkins.example/", "u", "t"}, {"https://jenkins.example/?a", "u", "t"},
		{"https://jenkins.example/", "", "t"}, {"https://jenkins.example/", "u", ""},
	} {
		_, err := jenkins.New(jenkins.Options{URL: tt.url, User: tt.user, Token: tt.token})
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("New(%q, %q, %q): %v", tt.url, tt.user, tt.token, err)
		}
	}
}

// The log tells each call, and nothing of the credentials.
func TestLog(t *testing.T) {
	s := &fakejenkins.Server{}
	server := httptest.NewServer(s)
	core, logs := observer.New(zapcore.DebugLevel)
	o := options(server.URL)
	o.Log = zap.New(core)
	c := connect(t, o)
	if _, err := c.Whoami(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.Close()
	if _, err := c.Whoami(t.Context()); !bot.NotSent(err) {
		t.Error("with nobody listening:", err)
	}
	if _, err := c.Runs(t.Context(), job); !bot.NotSent(err) || strings.Contains(err.Error(), "tree=") {
		t.Error("with nobody listening:", err)
	}
	if logs.Len() != 3 {
		t.Error(logs.All())
	}
	for _, e := range logs.All() {
		for k, v := range e.ContextMap() {
			if text, ok := v.(string); ok && strings.Contains(text, fakejenkins.Token) {
				t.Errorf("%s is %q", k, text)
			}
		}
	}
}
