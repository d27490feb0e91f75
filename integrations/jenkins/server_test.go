package jenkins_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"thbot/bot"
	"thbot/integrations/jenkins"
	"thbot/integrations/jenkins/fakejenkins"
)

// Whether Jenkins is about to restart, and that it has.
func TestServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{ContextPath: "/ci"}
		c := piped(t, s)
		look := func() jenkins.Server {
			t.Helper()
			server, err := c.Server(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return server
		}
		before := look()
		if before.Version != "2.528.1" || len(before.Session) != 8 || before.Quieting {
			t.Errorf("%+v", before)
		}
		s.QuietDown(true)
		if quiet := look(); !quiet.Quieting || quiet.Session != before.Session {
			t.Errorf("quieting down: %+v", quiet)
		}
		s.Restart()
		if server, err := c.Server(t.Context()); err == nil {
			t.Errorf("restarting: %+v", server)
		}
		<-time.After(5 * time.Second)
		if after := look(); after.Quieting || after.Session == before.Session {
			t.Errorf("restarted: %+v, before %+v", after, before)
		}
	})
}

func TestName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{FullNames: map[string]string{"bea": "Bea Ops", "d/e?": "Dov"}}
		c := piped(t, s)
		for id, want := range map[string]string{"bea": "Bea Ops", "d/e?": "Dov", "thbot": "thbot"} {
			if name, err := c.Name(t.Context(), id); name != want || err != nil {
				t.Errorf("%s: %q, %v", id, name, err)
			}
		}
		if name, err := c.Name(t.Context(), "eve"); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("nobody: %q, %v", name, err)
		}
		const call = "GET user/ID/api/json"
		asked := s.Called(call)
		for _, id := range []string{"", ".", ".."} {
			if name, err := c.Name(t.Context(), id); err == nil {
				t.Errorf("%q: %q", id, name)
			}
		}
		// It is kept for an hour, also while Jenkins is away, and not longer.
		s.Down(true)
		<-time.After(59 * time.Minute)
		if name, err := c.Name(t.Context(), "bea"); name != "Bea Ops" || err != nil || s.Called(call) != asked {
			t.Errorf("%q, %v, asked %d times more", name, err, s.Called(call)-asked)
		}
		<-time.After(time.Minute)
		if name, err := c.Name(t.Context(), "bea"); err == nil {
			t.Errorf("after an hour: %q", name)
		}
	})
}

// What tells the ends of runs, and a job, apart.
func TestEndsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{FullNames: map[string]string{"bea": "Bea Ops"}}
		c := piped(t, s)
		gate := []fakejenkins.StageSpec{
			{Name: "build", Takes: time.Minute, Milestone: 1},
			{Name: "ask", Input: &fakejenkins.InputSpec{ID: "go", Timeout: time.Hour}},
			{Name: "deploy", Milestone: 2},
		}
		s.AddJob(job, fakejenkins.JobSpec{Next: 1, Stages: gate})
		for range 2 {
			if _, err := s.StartRun(job, fakejenkins.RunSpec{Causes: []fakejenkins.Cause{fakejenkins.ByUser("bea")}}); err != nil {
				t.Fatal(err)
			}
		}
		<-time.After(2 * time.Minute)
		if err := s.ProceedByHand(job, 2, "Go", "bea", nil); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := s.StartRun(job, fakejenkins.RunSpec{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.AbortRun(job, 3, "bea"); err != nil {
			t.Fatal(err)
		}
		if err := s.SetDisabled(job, true); err != nil {
			t.Fatal(err)
		}
		<-time.After(2 * time.Hour)
		runs, err := c.Runs(t.Context(), job)
		if err != nil || len(runs.Runs) != 4 || !runs.Disabled {
			t.Fatalf("%+v, %v", runs, err)
		}
		for i, want := range []struct {
			number     int
			result     string
			class      string
			text       string
			superseded bool
		}{
			{number: 4, result: "ABORTED", class: jenkins.TimedOut, text: "Timeout has been exceeded"},
			{number: 3, result: "ABORTED", class: jenkins.InterruptedByUser, text: "Aborted by bea"},
			{number: 2, result: "SUCCESS"},
			{number: 1, result: "NOT_BUILT", class: jenkins.SupersededAtMilestone, text: "Superseded by #2", superseded: true},
		} {
			r := runs.Runs[i]
			var got jenkins.Interruption
			if len(r.Interrupted) > 0 {
				got = r.Interrupted[0]
			}
			if r.Number != want.number || r.Building || r.Result != want.result || got != (jenkins.Interruption{Class: want.class, Text: want.text}) || r.Superseded() != want.superseded {
				t.Errorf("%+v, want %+v", r, want)
			}
		}
		if by := runs.Runs[3].StartedBy(); by.User != "bea" || by.UserName != "Bea Ops" || by.Text != "Started by user Bea Ops" {
			t.Errorf("started by %+v", by)
		}
	})
}
