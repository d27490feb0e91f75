package jenkins_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"

	"thbot/integrations/jenkins"
	"thbot/integrations/jenkins/fakejenkins"
)

// Which of a job's runs is the rebuild of 812 by thbot, that 815 would have been
// the next of when it was asked for.
func TestRebuiltFrom(t *testing.T) {
	by := func(id string) jenkins.Cause { return jenkins.Cause{Class: jenkins.CauseUser, User: id} }
	rebuild := func(n int) jenkins.Cause { return jenkins.Cause{Class: jenkins.CauseRebuild, UpstreamRun: n} }
	replay := func(n int) jenkins.Cause { return jenkins.Cause{Class: jenkins.CauseReplay, UpstreamRun: n} }
	upstream := jenkins.Cause{Class: "hudson.model.Cause$UpstreamCause", UpstreamRun: 812}
	push := jenkins.Cause{Class: "hudson.triggers.SCMTrigger$SCMTriggerCause"}
	run := func(n int, causes ...jenkins.Cause) jenkins.Run {
		return jenkins.Run{Number: n, QueueID: int64(n + 1000), Causes: causes}
	}
	item := func(id int64, causes ...jenkins.Cause) *jenkins.Queued {
		return &jenkins.Queued{ID: id, Causes: causes}
	}
	mine := []jenkins.Cause{push, by("thbot"), rebuild(812)}
	many := func(from int, more ...jenkins.Run) []jenkins.Run {
		for n := from; len(more) < 20; n-- {
			more = append(more, run(n, push))
		}
		return more
	}
	for _, tt := range []struct {
		name  string
		runs  []jenkins.Run
		queue *jenkins.Queued
		want  string // "run 815", "item 7", "none", "several" or "error"
	}{
		{"nothing", nil, nil, "none"},
		{"a rebuild", []jenkins.Run{run(816, push), run(815, mine...), run(814, push)}, nil, "run 815"},
		{"a replay", []jenkins.Run{run(815, by("thbot"), replay(812))}, nil, "run 815"},
		{"in other letters", []jenkins.Run{run(815, by("ThBot"), replay(812))}, nil, "run 815"},
		{"of another run", []jenkins.Run{run(815, by("thbot"), rebuild(811))}, nil, "none"},
		{"by somebody else", []jenkins.Run{run(815, by("ana"), rebuild(812))}, nil, "none"},
		{"by nobody", []jenkins.Run{run(815, rebuild(812))}, nil, "none"},
		{"by somebody without an id", []jenkins.Run{run(815, by(""), rebuild(812))}, nil, "none"},
		{"the one before", []jenkins.Run{run(815, push), run(814, mine...)}, nil, "none"},
		{"the one before and this", []jenkins.Run{run(815, mine...), run(814, mine...)}, nil, "run 815"},
		{"somebody else's and ours", []jenkins.Run{run(816, by("ana"), rebuild(812)), run(815, mine...)}, nil, "run 815"},
		{"two", []jenkins.Run{run(816, mine...), run(815, mine...)}, nil, "several"},
		{"a rebuild and a replay", []jenkins.Run{run(816, by("thbot"), replay(812)), run(815, mine...)}, nil, "several"},
		{"merely downstream of it", []jenkins.Run{run(815, by("thbot"), upstream)}, nil, "none"},
		{"merely by us", []jenkins.Run{run(815, by("thbot"))}, nil, "none"},
		{"of a run that was a replay of it", []jenkins.Run{run(815, replay(812), by("thbot"), rebuild(813))}, nil, "none"},
		{"of a run that was a rebuild of it", []jenkins.Run{run(815, rebuild(812), by("thbot"), rebuild(813))}, nil, "none"},
		{"swallowed by somebody else's", []jenkins.Run{run(815, push, by("ana"), rebuild(812), rebuild(812), by("thbot"))}, nil, "run 815"},
		{"queued", []jenkins.Run{run(814, push)}, item(7, mine...), "item 7"},
		{"another's is queued", []jenkins.Run{run(814, push)}, item(7, by("ana"), rebuild(812)), "none"},
		{"just begun", []jenkins.Run{run(815, mine...)}, item(1815, mine...), "run 815"},
		{"begun, and another one queued", []jenkins.Run{run(815, mine...)}, item(1816, mine...), "several"},
		{"twenty runs, down to then", many(833, run(834, push)), nil, "none"},
		{"more runs than are shown", many(834, run(835, push)), nil, "error"},
		{"among more runs than are shown", many(834, run(835, mine...)), nil, "run 835"},
		{"queued beside more runs than are shown", many(834, run(835, push)), item(7, mine...), "item 7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run, queued, found, err := jenkins.Runs{Runs: tt.runs, Queue: tt.queue}.RebuiltFrom(812, 815, "thbot")
			got := "none"
			switch {
			case errors.Is(err, jenkins.ErrSeveralRebuilds):
				got = "several"
			case err != nil:
				got = "error"
			case found:
				got = fmt.Sprintf("run %d", run.Number)
			case queued != nil:
				got = fmt.Sprintf("item %d", queued.ID)
			}
			if got != tt.want || err != nil && (found || queued != nil || run.Number != 0) || found && queued != nil {
				t.Errorf("%s, want %s: %+v, %+v, %v", got, tt.want, run, queued, err)
			}
		})
	}
	if _, _, _, err := (jenkins.Runs{Runs: []jenkins.Run{run(815, by(""), rebuild(812))}}).RebuiltFrom(812, 815, ""); err == nil {
		t.Error("by nobody")
	}
}

// Two of ours wait with different parameters. The job names one of them.
func TestRebuiltSeveralQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{}
		c := piped(t, s)
		n := start(t, s, fakejenkins.RunSpec{Parameters: map[string]string{"ImageTag": "old"}, Result: "SUCCESS"})
		s.HoldQueue("Waiting for next available executor")
		for _, tag := range []string{"old", "older"} {
			if err := s.RebuildByHand(job, n, "thbot", map[string]string{"ImageTag": tag}); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, _, err := c.Rebuilt(t.Context(), job, n, n+1, "thbot"); !errors.Is(err, jenkins.ErrSeveralRebuilds) {
			t.Error(err)
		}
	})
}

// The number of the run that was replayed is told in words alone.
func TestReplayCause(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int
	}{
		{"Replayed #812", 812},
		{"Rebuilt #812", 812},
		{"Replayed #1,234", 1234},
		{"Replayed #12.345", 12345},
		{"Replayed #1\u202f234\u202f567", 1234567},
		{"Replayed #1\u00a0234", 1234},
		{"Replayed #1’234", 1234},
		{"Replayed #12345", 12345},
		{"Bea #5 replayed #812", 812},
		{"#812 erneut gestartet", 812},
		{"Replayed", 0},
		{"Replayed #", 0},
		{"Replayed #99999999999999999999999", 0},
	} {
		c := loopback(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"number":815,"building":true,"actions":[{"_class":"hudson.model.CauseAction","causes":[{"_class":%q,"shortDescription":%q}]}]}`,
				jenkins.CauseReplay, tt.text)
		}))
		run, err := c.Run(t.Context(), job, 815)
		if err != nil || len(run.Causes) != 1 || run.Causes[0].UpstreamRun != tt.want {
			t.Errorf("%q: %+v, %v; want %d", tt.text, run.Causes, err, tt.want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{}
		c := piped(t, s)
		s.AddJob(job, fakejenkins.JobSpec{Next: 1812, Stages: running})
		n, err := s.StartRun(job, fakejenkins.RunSpec{Result: "SUCCESS"})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Replay(t.Context(), job, n); err != nil {
			t.Fatal(err)
		}
		run, _, found, err := c.Rebuilt(t.Context(), job, n, n+1, "thbot")
		if err != nil || !found || run.Number != 1813 || run.Causes[1].Text != "Replayed #1,812" {
			t.Errorf("%v: %+v, %v", found, run, err)
		}
	})
}

// Only what waits of this job is its queue.
func TestQueueOfJob(t *testing.T) {
	for _, tt := range []struct {
		job, at string
		want    int
	}{
		{"a/b", "https://ci.example/job/a/job/b/", 1},
		{"a/b", "https://ci.example/jenkins/job/a/job/b/", 1},
		{"b", "https://ci.example/job/a/job/b/", 0},
		{"a/b", "https://ci.example/job/a/job/b/job/c/", 0},
		{"a/b", "https://ci.example/job/x/job/a/job/b/", 0},
		{"a/feature%2Fx y", "https://ci.example/job/a/job/feature%252Fx%20y/", 1},
		{"a/b", "", 0},
		{"a/b", "%", 0},
	} {
		c := loopback(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"items":[{"id":7,"why":"Waiting","task":{"url":%q},"actions":[{},null]}]}`, tt.at)
		}))
		if queue, err := c.Queue(t.Context(), tt.job); err != nil || len(queue) != tt.want {
			t.Errorf("%s at %s: %+v, %v", tt.job, tt.at, queue, err)
		}
	}
}
