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

	// Checkout is what its runs check out; [Server.Push] moves it on. Without it
	// a run that is asked for checks out what the newest did.
	Checkout []Git
	// Branch makes it a branch of a multibranch project, which is its folder: its
	// runs have a SCMRevisionAction of what they check out first.
	Branch bool
	// Named is how its pipeline names a run, where the run has no DisplayName of
	// its own; nil or "": "#812".
	Named func(RunSpec) string
	// NotConcurrent is disableConcurrentBuilds: an item waits until no run is
	// left. With AbortPrevious the run that it waits for is ended as NOT_BUILT.
	NotConcurrent, AbortPrevious bool
	// AutoRebuild rebuilds without showing the form first; NoRebuild says that
	// rebuilding is disabled.
	AutoRebuild, NoRebuild bool
	// Catches and Declarative are those of all its runs.
	Catches, Declarative bool
}

// StageSpec describes a stage. A stage with an Input waits at it first, then
// works for Takes.
type StageSpec struct {
	Name  string
	Takes time.Duration
	Input *InputSpec
	Fails string // the message of its error; empty: it succeeds

	// Caught is the result that is set if it fails, while the run goes on
	// (catchError): "UNSTABLE", say. Empty: the run fails.
	Caught string
	// Skipped is a stage whose when is not so.
	Skipped bool
	// Milestone, if not 0, is the ordinal of a milestone step before it: older
	// runs that have passed an earlier one but not this are superseded.
	Milestone int
	// Parallel are stages of branches. They run side by side, once the stage's
	// own Input is answered; its own work comes after.
	Parallel []StageSpec
	// Stubborn work does not end when the run is stopped; it must be terminated.
	Stubborn bool
}

// InputSpec describes an input step.
type InputSpec struct {
	ID         string // its first letter is capitalised, as Jenkins does; empty: made from Message
	Message    string
	OK         string        // the label for yes; empty: "Proceed"
	Submitter  string        // user ids, with commas; empty: whoever has Job/Build
	Parameters []Parameter   // that the person who answers is asked for
	Timeout    time.Duration // of a timeout step around it; 0: none
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
	// Catches is a script inside try and catch: where it fails, where an input is
	// answered with no or times out, it is over, and the result is SUCCESS.
	Catches bool
	// Declarative pipelines list, when they fail or are aborted, the stages that
	// they did not get to as if they had run.
	Declarative bool
}

// Git is a checkout, in BuildData's words.
type Git struct {
	SHA, Branch, Remote string
}

// Cause is why a run was started.
type Cause struct {
	Class, Text, User, UserName string
	// Of a run that another one started.
	UpstreamProject string
	UpstreamBuild   int
}

// ByUser is the cause of a run that somebody started by hand.
func ByUser(id string) Cause {
	return Cause{Class: "hudson.model.Cause$UserIdCause", Text: "Started by user " + id, User: id, UserName: id}
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
	Parameters  map[string]string
	Git         []Git
	Causes      []Cause
}

// StageState is a stage that has begun.
type StageState struct{ Name, Status string }

type job struct {
	path string
	spec JobSpec
	next int
	runs []*run // oldest first

	launching int         // items that have left the queue and are no runs yet
	passed    map[int]int // the newest run that passed a milestone, by ordinal
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

// StartRun starts a run at once, which then progresses by itself, and returns
// its number. Nothing holds it up; see Queue.
func (s *Server) StartRun(path string, spec RunSpec) (n int, err error) {
	s.update(func() {
		j := s.jobs[path]
		if j == nil {
			err = fmt.Errorf("starting a run of %s: %w", path, errNoJob)
			return
		}
		s.lastItem = max(s.lastItem+1, j.next+1000)
		it := &item{id: s.lastItem, job: j, spec: spec, since: time.Now(), left: time.Now()}
		s.queue = append(s.queue, it)
		it.run = s.begin(j, spec, it.id)
		n = it.run.number
		s.maintain()
	})
	return n, err
}

// begin makes the next run.
func (s *Server) begin(j *job, spec RunSpec, item int) *run {
	n := j.next
	j.next++
	r := newRun(s, j, n, spec)
	r.item = item
	j.runs = append(j.runs, r)
	s.record(Effect{Who: startedBy(r.spec.Causes), What: "started", Job: j.path, Run: n})
	if spec.Result != "" {
		r.past()
	} else {
		r.step()
	}
	return r
}

// Push moves a branch on: runs of the job that begin from now on check it out
// where they checked out the same remote before.
func (s *Server) Push(path string, head Git) (err error) {
	s.update(func() {
		j := s.jobs[path]
		if j == nil {
			err = fmt.Errorf("pushing to %s: %w", path, errNoJob)
			return
		}
		heads := slices.Clone(j.heads())
		if i := slices.IndexFunc(heads, func(g Git) bool { return g.Remote == head.Remote }); i >= 0 {
			heads[i] = head
		} else {
			heads = append(heads, head)
		}
		j.spec.Checkout = heads
		s.touch()
	})
	return err
}

// SetDisabled is the button that disables a job, or enables it again.
func (s *Server) SetDisabled(path string, disabled bool) (err error) {
	s.update(func() {
		j := s.jobs[path]
		if j == nil {
			err = fmt.Errorf("disabling %s: %w", path, errNoJob)
			return
		}
		j.spec.Disabled = disabled
		s.touch()
	})
	return err
}

// heads is what a run that begins now checks out.
func (j *job) heads() []Git {
	if j.spec.Checkout != nil {
		return j.spec.Checkout
	}
	for _, r := range slices.Backward(j.runs) {
		if len(r.spec.Git) > 0 {
			return r.spec.Git
		}
	}
	return nil
}

// running is the newest run that is not over.
func (j *job) running() *run {
	for _, r := range slices.Backward(j.runs) {
		if r.building {
			return r
		}
	}
	return nil
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
		c := r.opened(stage)
		if c == nil || c == r.current && len(r.inputs) > 0 || c.own != nil && slices.Contains(r.inputs, c.own) {
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
		if c := r.opened(stage); c != nil {
			c.err, c.ends = message, time.Now()
			r.inputs = slices.DeleteFunc(r.inputs, func(in *input) bool { return !c.branch || in == c.own })
			if c == r.current {
				r.fail(c)
			}
			r.step()
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

// AbortRun is the red cross on a run's page; see StageSpec.Stubborn.
func (s *Server) AbortRun(path string, n int, user string) error {
	return s.drive("aborting", path, n, func(r *run) error {
		r.stop(user, "stop")
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
