package jenkins_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thbot/bot"
	"thbot/integrations/fakehttp"
	"thbot/integrations/jenkins"
	"thbot/integrations/jenkins/fakejenkins"
)

var (
	running  = []fakejenkins.StageSpec{{Name: "deploy", Takes: time.Minute}}
	stubborn = []fakejenkins.StageSpec{{Name: "deploy", Takes: time.Hour, Stubborn: true}}
	waiting  = []fakejenkins.StageSpec{{Name: "deploy", Takes: time.Minute, Input: &fakejenkins.InputSpec{ID: "promote"}}}
)

// What Stop says, and what becomes of the run.
func TestStop(t *testing.T) {
	const (
		yes      = "yes"
		refused  = "refused"
		notFound = "not found"
		notSent  = "not sent"
		unknown  = "unknown"
	)
	byBot := []string{"Aborted by thbot"}
	denied := func(permission string) *fakejenkins.Server {
		return &fakejenkins.Server{Denied: map[string][]string{"thbot": {permission}}}
	}
	for _, tt := range []struct {
		name     string
		server   *fakejenkins.Server
		stages   []fakejenkins.StageSpec
		other    int // added to the run's number
		job      string
		how      jenkins.StopHow // Politely if empty
		token    string
		before   func(s *fakejenkins.Server, n int) error
		want     string
		why      string
		building bool
		result   string
		causes   []string
	}{
		{name: "at work", want: yes, result: "ABORTED", causes: byBot},
		{name: "waiting", stages: waiting, want: yes, result: "ABORTED", causes: byBot},
		{name: "with more work after its end", server: &fakejenkins.Server{EndWork: time.Minute}, want: yes, building: true, result: "ABORTED", causes: byBot},
		{name: "below a context path, with another root URL", server: &fakejenkins.Server{ContextPath: "/ci", Root: "https://public.example/ci"},
			want: yes, result: "ABORTED", causes: byBot},
		{name: "does not heed it", stages: stubborn, want: yes, building: true, causes: byBot},
		{name: "terminated", stages: stubborn, how: jenkins.Term, want: yes, result: "ABORTED"},
		{name: "killed", stages: stubborn, how: jenkins.Kill, want: yes, result: "ABORTED"},
		{name: "terminated while it waits", stages: waiting, how: jenkins.Term, want: yes, result: "ABORTED"},
		{name: "killed while it waits", stages: waiting, how: jenkins.Kill, want: yes, result: "ABORTED"},
		{name: "stopped before", before: func(s *fakejenkins.Server, n int) error { return s.AbortRun(job, n, "bea") }, want: yes, result: "ABORTED", causes: []string{"Aborted by bea"}},
		{name: "over", before: func(s *fakejenkins.Server, n int) error { return s.FinishStage(job, n, "deploy") }, want: yes, result: "SUCCESS"},
		{name: "quieting down", before: func(s *fakejenkins.Server, _ int) error { s.QuietDown(true); return nil }, want: yes, result: "ABORTED", causes: byBot},
		{name: "no such run", other: 1, want: notFound, building: true},
		{name: "no such job", job: "no/such", want: notFound, building: true},
		{name: "no such way", how: "doDelete", want: "neither fish nor flesh", building: true},
		{name: "without Job/Cancel", server: denied("Job/Cancel"), want: refused, why: "Jenkins says: thbot is missing the Job/Cancel permission.", building: true},
		{name: "without Overall/Read", server: denied("Overall/Read"), want: refused, why: "Jenkins says: thbot is missing the Overall/Read permission.", building: true},
		{name: "without Job/Read", server: denied("Job/Read"), want: notFound, building: true},
		{name: "a wrong token", token: "new", want: notSent, building: true},
		{name: "down", before: func(s *fakejenkins.Server, _ int) error { s.Down(true); return nil }, want: unknown, building: true},
		{name: "restarting", before: func(s *fakejenkins.Server, _ int) error { s.Restart(); return nil }, want: unknown, building: true},
		{name: "restarted", server: &fakejenkins.Server{Boot: time.Nanosecond}, stages: waiting, before: func(s *fakejenkins.Server, _ int) error {
			s.Restart()
			<-time.After(time.Minute)
			return nil
		}, want: yes, result: "ABORTED", causes: byBot},
		{name: "behind a page to log in", before: func(s *fakejenkins.Server, _ int) error { s.RequireLogin("/login?from=x"); return nil }, want: unknown, building: true},
		{name: "behind another host's page", before: func(s *fakejenkins.Server, _ int) error {
			s.RequireLogin("https://login.example/job/gcp-pipelines/job/treeherder/job/treeherder-production/812/")
			return nil
		}, want: unknown, building: true},
		{name: "a proxy gave up", before: func(s *fakejenkins.Server, _ int) error {
			s.Disturb(fakejenkins.Trouble{Status: http.StatusGatewayTimeout})
			return nil
		}, want: unknown, result: "ABORTED", causes: byBot},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := tt.server
				if s == nil {
					s = &fakejenkins.Server{}
				}
				if tt.token != "" {
					s.Users = map[string]string{fakejenkins.User: tt.token}
				}
				c := piped(t, s)
				if tt.stages == nil {
					tt.stages = running
				}
				n := start(t, s, fakejenkins.RunSpec{Stages: tt.stages})
				if tt.before != nil {
					if err := tt.before(s, n); err != nil {
						t.Fatal(err)
					}
				}
				if tt.job == "" {
					tt.job = job
				}
				if tt.how == "" {
					tt.how = jenkins.Politely
				}
				err := c.Stop(t.Context(), tt.job, n+tt.other, tt.how)
				got := kind(err)
				if errors.Is(err, bot.ErrNotFound) {
					got = notFound
				}
				if got != tt.want {
					t.Errorf("%s, want %s: %v", got, tt.want, err)
				}
				if r, ok := errors.AsType[*bot.Refused](err); ok && r.Why != tt.why {
					t.Errorf("because %q, want %q", r.Why, tt.why)
				}
				// What became of it, seen by somebody whom nothing keeps away.
				s.RequireLogin("")
				s.Down(false)
				s.Disturb(fakejenkins.Trouble{})
				runs, err := s.Runs(job)
				if err != nil || runs[0].Building != tt.building || runs[0].Result != tt.result {
					t.Errorf("building %v with result %q, %v; want %v, %q", runs[0].Building, runs[0].Result, err, tt.building, tt.result)
				}
				if tt.want == yes || tt.want == unknown && !tt.building {
					run, err := c.Run(t.Context(), job, n)
					if err != nil || run.Building != tt.building {
						t.Errorf("reads %+v, %v", run, err)
					}
					if d := cmp.Diff(tt.causes, run.Interruptions); d != "" {
						t.Errorf("Interruptions (-want +got):\n%s", d)
					}
				}
			})
		})
	}
}

// The effect happens, the answer does not arrive.
func TestStopWithoutAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := make(chan struct{})
		s := &fakejenkins.Server{Gate: func(_, moment string) {
			if moment == fakehttp.Done {
				<-held
			}
		}}
		c := piped(t, s)
		n := start(t, s, fakejenkins.RunSpec{Stages: running})
		err := c.Stop(t.Context(), job, n, jenkins.Politely)
		close(held)
		if runs, _ := s.Runs(job); kind(err) != "unknown" || runs[0].Building {
			t.Errorf("%s: %v; %+v", kind(err), err, runs[0])
		}
	})
}

// What Reject says, and what becomes of the run.
func TestReject(t *testing.T) {
	const aborted = "ABORTED"
	denied := func(permissions ...string) *fakejenkins.Server {
		return &fakejenkins.Server{Denied: map[string][]string{"thbot": permissions}}
	}
	for _, tt := range []struct {
		name   string
		server *fakejenkins.Server
		spec   fakejenkins.RunSpec
		input  fakejenkins.InputSpec
		id     string // "Promote" if empty
		before func(s *fakejenkins.Server, n int) error
		want   string
		why    string
		result string
	}{
		{name: "pending", want: "yes", result: aborted},
		{name: "with parameters", input: fakejenkins.InputSpec{Parameters: []fakejenkins.Parameter{{Name: "WHO"}}}, want: "yes", result: aborted},
		{name: "in a script that catches", spec: fakejenkins.RunSpec{Catches: true}, want: "yes", result: "SUCCESS"},
		{name: "one of two", before: func(s *fakejenkins.Server, n int) error {
			return s.AddInput(job, n, fakejenkins.InputSpec{ID: "other"})
		}, want: "yes", result: aborted},
		{name: "another id", id: "Other", want: "not pending"},
		{name: "an id that needs escaping", id: "../Promote", want: "not pending"},
		{name: "proceeded before", before: func(s *fakejenkins.Server, n int) error { return s.ProceedByHand(job, n, "Promote", "bea", nil) }, want: "not pending"},
		{name: "proceeded a moment before", server: &fakejenkins.Server{Settling: time.Second},
			before: func(s *fakejenkins.Server, n int) error { return s.ProceedByHand(job, n, "Promote", "bea", nil) }, want: "not pending"},
		{name: "rejected before", before: func(s *fakejenkins.Server, n int) error { return s.RejectByHand(job, n, "Promote", "bea") }, want: "not pending", result: aborted},
		{name: "may not see the job", server: denied("Job/Read"), want: "not pending"},
		{name: "may stop, is not a submitter", input: fakejenkins.InputSpec{Submitter: "ana"}, want: "yes", result: aborted},
		{name: "a submitter, may not stop", server: denied("Job/Cancel"), input: fakejenkins.InputSpec{Submitter: "thbot"}, want: "yes", result: aborted},
		{name: "neither", server: denied("Job/Cancel"), input: fakejenkins.InputSpec{Submitter: "ana,ops"}, want: "refused",
			why: "Jenkins says: You need to be 'ana,ops' (or have Job/Cancel permissions) to cancel this."},
		{name: "without Job/Build and Job/Cancel", server: denied("Job/Cancel", "Job/Build"), want: "refused",
			why: "Jenkins says: You need to have Job/Cancel permissions to cancel this."},
		{name: "down", before: func(s *fakejenkins.Server, _ int) error { s.Down(true); return nil }, want: "unknown"},
		{name: "restarted, not loaded", server: &fakejenkins.Server{Boot: time.Nanosecond, Loading: time.Minute}, before: func(s *fakejenkins.Server, _ int) error {
			s.Restart()
			<-time.After(time.Second)
			return nil
		}, want: "unknown"},
		{name: "behind a page to log in", before: func(s *fakejenkins.Server, _ int) error { s.RequireLogin("https://login.example/"); return nil }, want: "unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := tt.server
				if s == nil {
					s = &fakejenkins.Server{}
				}
				s.FullNames = map[string]string{"thbot": "The Bot"}
				c := piped(t, s)
				spec, id := tt.input, tt.id
				spec.ID = "promote"
				if id == "" {
					id = "Promote"
				}
				tt.spec.Stages = []fakejenkins.StageSpec{{Name: "deploy", Input: &spec, Takes: time.Minute}}
				n := start(t, s, tt.spec)
				if tt.before != nil {
					if err := tt.before(s, n); err != nil {
						t.Fatal(err)
					}
				}
				err := c.Reject(t.Context(), job, n, id)
				if got := kind(err); got != tt.want {
					t.Errorf("%s, want %s: %v", got, tt.want, err)
				}
				if r, ok := errors.AsType[*bot.Refused](err); ok && r.Why != tt.why {
					t.Errorf("because %q, want %q", r.Why, tt.why)
				}
				runs, err := s.Runs(job)
				if err != nil || runs[0].Result != tt.result || byBot(s) != 0 {
					t.Errorf("result %q, %v, %d proceeds; want %q", runs[0].Result, err, byBot(s), tt.result)
				}
				if tt.want == "yes" && tt.result == aborted {
					run, err := c.Run(t.Context(), job, n)
					want := []jenkins.Interruption{{Class: jenkins.Rejected, Text: "Rejected by The Bot", User: "thbot", At: time.Now().UTC()}}
					if d := cmp.Diff(want, run.Interrupted); err != nil || d != "" || run.Superseded() {
						t.Errorf("%v, Interrupted (-want +got):\n%s", err, d)
					}
				}
			})
		})
	}
}
