package fakejenkins

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// JobSpec describes a pipeline job.
type JobSpec struct {
	Parameters []Parameter // that a build asks for
	Stages     []StageSpec // of its runs, unless a run has its own
	Next       int         // number of the next run; 0: 1
	Disabled   bool        // it says that it is not buildable
}

// StageSpec describes a stage. A stage with an Input waits at it first, then
// works for Takes.
type StageSpec struct {
	Name  string
	Takes time.Duration
	Input *InputSpec
	Fails string // the message of its error; empty: it succeeds
}

// InputSpec describes an input step.
type InputSpec struct {
	ID         string // its first letter is capitalised, as Jenkins does; empty: made from Message
	Message    string
	OK         string      // the label for yes; empty: "Proceed"
	Submitter  string      // user ids, with commas; empty: whoever has Job/Build
	Parameters []Parameter // that the person who answers is asked for
}

// Parameter is the definition of a parameter.
type Parameter struct {
	Type        string // "StringParameterDefinition" if empty
	Name        string
	Description string
	Default     any // string or bool; nil: none
	Choices     []string
}

// RunSpec describes a run.
type RunSpec struct {
	DisplayName string // empty: "#812"
	Parameters  map[string]string
	Git         []Git
	Revision    string      // of a branch job's SCMRevisionAction
	Causes      []Cause     // nil: a push
	Stages      []StageSpec // nil: the job's
	// Result makes a run that is over already; all its stages have run, its
	// inputs were answered at once.
	Result  string
	Started time.Time // of a run that is over; zero: so that it ended now
}

// Git is a checkout, in BuildData's words.
type Git struct {
	SHA, Branch, Remote string
}

// Cause is why a run was started.
type Cause struct {
	Class, Text, User, UserName string
}

// ByUser is the cause of a run that somebody started by hand.
func ByUser(id string) Cause {
	return Cause{"hudson.model.Cause$UserIdCause", "Started by user " + id, id, id}
}

// ByPush is the cause of a run that a push started.
func ByPush() Cause {
	return Cause{Class: "hudson.triggers.SCMTrigger$SCMTriggerCause", Text: "Started by an SCM change"}
}

// RunState is what a person sees on a run's page.
type RunState struct {
	Number      int
	DisplayName string
	Building    bool
	Result      string
	Started     time.Time
	Stages      []StageState
	Inputs      []string // ids of the pending ones
}

// StageState is a stage that has begun.
type StageState struct{ Name, Status string }

type job struct {
	path string
	spec JobSpec
	next int
	runs []*run // oldest first
}

func key(path []string) string { return strings.Join(path, "/") }

func (j *job) name() string { return j.path[strings.LastIndex(j.path, "/")+1:] }

func (j *job) find(n int) *run {
	i, ok := slices.BinarySearchFunc(j.runs, n, func(r *run, n int) int { return r.number - n })
	if !ok {
		return nil
	}
	return j.runs[i]
}

// estimate is the mean of the last three successes, in milliseconds, or -1
// (Job.getEstimatedDuration).
func (j *job) estimate() int64 {
	var sum, n int64
	for _, r := range slices.Backward(j.runs) {
		if r.result == "SUCCESS" && !r.building && n < 3 {
			sum += r.ended.Sub(r.started).Milliseconds()
			n++
		}
	}
	if n == 0 {
		return -1
	}
	return sum / n
}

// AddJob makes a job, with the folders of its path.
func (s *Server) AddJob(path string, spec JobSpec) {
	s.update(func() {
		if s.jobs == nil {
			s.jobs = map[string]*job{}
		}
		s.jobs[path] = &job{path: path, spec: spec, next: max(spec.Next, 1)}
		s.touch()
	})
}

// StartRun starts a run, which then progresses by itself, and returns its
// number.
func (s *Server) StartRun(path string, spec RunSpec) (n int, err error) {
	s.update(func() {
		j := s.jobs[path]
		if j == nil {
			err = fmt.Errorf("starting a run of %s: %w", path, errNoJob)
			return
		}
		n = j.next
		j.next++
		r := newRun(s, j, n, spec)
		j.runs = append(j.runs, r)
		s.record(Effect{Who: r.startedBy(), What: "started", Job: path, Run: n})
		if spec.Result != "" {
			r.past()
			return
		}
		r.step()
	})
	return n, err
}

// Runs returns the runs of a job, newest first.
func (s *Server) Runs(path string) (states []RunState, err error) {
	s.update(func() {
		j := s.jobs[path]
		if j == nil {
			err = fmt.Errorf("listing the runs of %s: %w", path, errNoJob)
			return
		}
		for _, r := range slices.Backward(j.runs) {
			states = append(states, r.state())
		}
	})
	return states, err
}

// drive calls f with a run that is not over.
func (s *Server) drive(activity, path string, n int, f func(r *run) error) (err error) {
	s.update(func() {
		var r *run
		if j := s.jobs[path]; j == nil {
			err = errNoJob
		} else if r = j.find(n); r == nil || r.result != "" {
			err = errNoRun
		} else {
			err = f(r)
		}
	})
	if err != nil {
		return fmt.Errorf("%s run %d of %s: %w", activity, n, path, err)
	}
	return nil
}

// FinishStage ends the stage that a run is working on, at once and well.
func (s *Server) FinishStage(path string, n int, stage string) error {
	return s.drive("finishing a stage of", path, n, func(r *run) error {
		c := r.current
		if c == nil || c.spec.Name != stage || len(r.inputs) > 0 {
			return fmt.Errorf("it is not working on %q", stage)
		}
		c.ends = time.Now()
		r.step()
		return nil
	})
}

// FailStage makes a stage fail: at once if the run is in it, else when it
// gets there.
func (s *Server) FailStage(path string, n int, stage string) error {
	return s.drive("failing a stage of", path, n, func(r *run) error {
		const message = "script returned exit code 1"
		if c := r.current; c != nil && c.spec.Name == stage {
			c.err = message
			r.inputs = nil
			r.finish("FAILURE", "FAILED")
			return nil
		}
		for i := range r.todo {
			if r.todo[i].Name == stage {
				r.todo[i].Fails = message
				return nil
			}
		}
		return fmt.Errorf("it has no stage %q to come", stage)
	})
}

// AbortRun is the red cross on a run's page.
func (s *Server) AbortRun(path string, n int, user string) error {
	return s.drive("aborting", path, n, func(r *run) error {
		s.record(Effect{Who: user, What: "aborted", Job: path, Run: n})
		r.interrupt("jenkins.model.CauseOfInterruption$UserInterruption", "Aborted by "+user)
		return nil
	})
}

// AddInput makes a run wait at one more input, of a parallel branch. It stands
// first in the list of pending ones.
func (s *Server) AddInput(path string, n int, spec InputSpec) error {
	return s.drive("adding an input to", path, n, func(r *run) error {
		if r.current == nil {
			return errors.New("it is in no stage") // unreachable: then it is over
		}
		r.ask(spec, false)
		return nil
	})
}

// ProceedByHand is somebody who answers an input with yes in Jenkins. Values
// are what the form has been filled with.
func (s *Server) ProceedByHand(path string, n int, input, user string, values map[string]string) error {
	return s.drive("proceeding", path, n, func(r *run) error {
		in := r.pending(input)
		if in == nil {
			return fmt.Errorf("input %q is not pending", input)
		}
		r.proceed(in, Proceed{User: user, Values: values, ByHand: true})
		return nil
	})
}

// RejectByHand is somebody who answers an input with no in Jenkins.
func (s *Server) RejectByHand(path string, n int, input, user string) error {
	return s.drive("rejecting", path, n, func(r *run) error {
		in := r.pending(input)
		if in == nil {
			return fmt.Errorf("input %q is not pending", input)
		}
		r.reject(in, user)
		return nil
	})
}
