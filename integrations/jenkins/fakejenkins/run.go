package fakejenkins

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// run is a run and how far it is. All it does, it does in step, which only
// looks at the time and at what has been answered; so it may be called at any
// moment and by any timer.
type run struct {
	server *Server
	job    *job
	number int
	item   int // its id in the queue
	spec   RunSpec
	name   string

	stages    []*stage // begun, with those of branches
	current   *stage   // nil before the first and after the last
	todo      []StageSpec
	inputs    []*input // pending ones, and answered ones that are settling
	nextNode  int
	milestone int // ordinal of the last one it passed

	started, ended time.Time
	early          string // a result that has been set while it goes on
	result         string // "" until it is over
	building       bool
	asked          bool // it had an input once: the marker of that stays
	approvers      []string
	interruptions  []interruption
	log            []byte
}

func newRun(s *Server, j *job, n int, spec RunSpec) *run {
	if spec.Stages == nil {
		spec.Stages = j.spec.Stages
	}
	if spec.Causes == nil {
		spec.Causes = []Cause{ByPush()}
	}
	if spec.Git == nil {
		spec.Git = j.spec.Checkout
	}
	if j.spec.Branch && spec.Revision == "" && len(spec.Git) > 0 {
		spec.Revision = spec.Git[0].SHA
	}
	spec.Parameters, spec.Causes = maps.Clone(spec.Parameters), slices.Clone(spec.Causes)
	spec.Catches = spec.Catches || j.spec.Catches
	spec.Declarative = spec.Declarative || j.spec.Declarative
	r := &run{server: s, job: j, number: n, spec: spec, name: spec.DisplayName, building: true, nextNode: 6,
		started: time.Now(), todo: slices.Clone(spec.Stages)}
	if r.name == "" && j.spec.Named != nil {
		r.name = j.spec.Named(spec)
	}
	if r.name == "" {
		r.name = "#" + strconv.Itoa(n)
	}
	for i, c := range r.spec.Causes {
		if c.User != "" && c.UserName == c.User && s.fullName(c.User) != c.User {
			c.UserName = s.fullName(c.User)
			c.Text = "Started by user " + c.UserName
			r.spec.Causes[i] = c
		}
		r.say(c.Text)
	}
	r.say("[Pipeline] Start of Pipeline")
	return r
}

func startedBy(causes []Cause) string {
	for _, c := range causes {
		if c.User != "" {
			return c.User
		}
	}
	return ""
}

// past makes it a run that is over.
func (r *run) past() {
	var takes time.Duration
	for _, s := range r.todo {
		takes += s.Takes
	}
	if r.started = r.spec.Started; r.started.IsZero() {
		r.started = time.Now().Add(-takes)
	}
	at := r.started
	for _, spec := range r.todo {
		r.stages = append(r.stages, &stage{id: r.node(), spec: spec, status: "SUCCESS", began: at, ended: at.Add(spec.Takes)})
		r.sayStage(spec.Name)
		at = at.Add(spec.Takes)
	}
	r.todo, r.ended, r.result, r.building = nil, at, r.spec.Result, false
	r.adorn()
	r.say("[Pipeline] End of Pipeline", "Finished: "+r.result)
}

// adorn gives the last stage the run's status, as StatusAndTiming.java does.
func (r *run) adorn() {
	if n := len(r.stages); n > 0 {
		r.stages[n-1].status = stageStatus(r.result)
	}
}

// node is the id of the next step; there are some between two stages.
func (r *run) node() string {
	id := r.nextNode
	r.nextNode += 7
	return strconv.Itoa(id)
}

// step does what is due now.
func (r *run) step() {
	s, now := r.server, time.Now()
	if now.Before(s.loaded) { // a restart: the run stands still until it is loaded
		s.after(s.loaded.Sub(now), r.step)
		return
	}
	r.inputs = slices.DeleteFunc(r.inputs, func(in *input) bool {
		return !in.settled.IsZero() && !now.Before(in.settled.Add(s.Settling))
	})
	for r.result == "" {
		if s.quieting {
			return
		}
		c := r.current
		switch {
		case c == nil && len(r.todo) == 0:
			r.finish(worse(r.early, "SUCCESS"), "")
		case c == nil:
			r.begin()
		case !r.work(c):
			return
		case len(r.inputs) > 0:
			return // a parallel branch waits
		case c.err != "":
			r.fail(c)
		default:
			r.end("SUCCESS")
		}
	}
	if end := r.ended.Add(s.EndWork); r.building && now.Before(end) {
		s.after(end.Sub(now), r.step)
	} else if r.building {
		r.building = false
		r.say("[Pipeline] End of Pipeline", "Finished: "+r.result)
		s.record(Effect{What: "ended " + r.result, Job: r.job.path, Run: r.number})
		s.maintain()
	}
}

// finish sets the result, and the status of the stage that the run is in.
func (r *run) finish(result, status string) {
	if r.current != nil {
		for _, b := range r.current.branches {
			if b.status == "" {
				r.close(b, status)
			}
		}
		r.end(status)
	}
	r.result, r.ended = result, time.Now()
	if r.spec.Declarative && (status == "ABORTED" || status == "FAILED") {
		r.skipTodo(status)
	}
	r.adorn()
	r.inputs, r.todo = nil, nil
	r.server.touch()
	r.step()
}

// skipTodo lists the stages that a Declarative pipeline did not get to: it walks
// through them all the same, in some milliseconds each.
func (r *run) skipTodo(status string) {
	at := r.ended
	for _, spec := range r.todo {
		end := at.Add(15 * time.Millisecond)
		r.stages = append(r.stages, &stage{id: r.node(), spec: spec, status: status, began: at, ended: end})
		r.sayStage(spec.Name, fmt.Sprintf("Stage %q skipped due to earlier failure(s)", spec.Name))
		at = end
	}
}

// interruption is why a run is ended before its time.
type interruption struct {
	class, text string
	log         string    // the line in the log; empty: text
	user        string    // of a rejection (Rejection.java), as is
	at          time.Time // when it was
}

func (in interruption) line() string {
	if in.log == "" {
		return in.text
	}
	return in.log
}

// interrupt ends the run. Without a class nobody is told why.
func (r *run) interrupt(result string, why interruption) {
	r.noteInterruption(why)
	if r.current != nil {
		r.current.err, r.current.kind = why.text, "org.jenkinsci.plugins.workflow.steps.FlowInterruptedException"
	}
	r.finish(result, stageStatus(result))
}

// noteInterruption takes no note of the same one twice (FlowInterruptedException.java,
// handle).
func (r *run) noteInterruption(why interruption) {
	if why.class != "" && !slices.Contains(r.interruptions, why) {
		r.interruptions = append(r.interruptions, why)
		r.say(why.line())
	}
}

// stop is the button (polite), or the links behind it that a run shows when it
// has not helped.
func (r *run) stop(user, how string) {
	if r.result != "" {
		return
	}
	// To the causes it has the user's id, to the log the name
	// (CauseOfInterruption.java). Who terminates or kills a run is not noted.
	why := interruption{class: "jenkins.model.CauseOfInterruption$UserInterruption",
		text: "Aborted by " + user, log: "Aborted by " + r.server.noted(user)}
	stubborn := func(c *stage) bool { return c.status == "" && c.spec.Stubborn }
	switch {
	case how == "stop" && slices.ContainsFunc(r.stages, stubborn):
		r.noteInterruption(why)
		r.say("Click here to forcibly terminate running steps")
		r.server.record(Effect{Who: user, What: "asked to stop", Job: r.job.path, Run: r.number})
		return
	case how == "term":
		r.say("Terminating running steps")
		why = interruption{}
	case how == "kill":
		r.say("Hard kill!")
		why = interruption{}
	}
	r.server.record(Effect{Who: user, What: "aborted", Job: r.job.path, Run: r.number})
	r.interrupt("ABORTED", why)
}

// pass passes a milestone: older runs between the one before and this one are
// over, and so is this one if a newer was here first (MilestoneStepExecution.java).
func (r *run) pass(ordinal int) bool {
	j := r.job
	if newer := j.passed[ordinal]; newer > r.number {
		r.supersede(newer)
		return false
	}
	if j.passed == nil {
		j.passed = map[int]int{}
	}
	j.passed[ordinal], r.milestone = r.number, ordinal
	for _, older := range j.runs {
		if older.number < r.number && older.result == "" && older.milestone > 0 && older.milestone < ordinal {
			older.supersede(r.number)
		}
	}
	return true
}

func (r *run) supersede(newer int) {
	r.server.record(Effect{What: "superseded", Job: r.job.path, Run: r.number, On: strconv.Itoa(newer)})
	r.interrupt("NOT_BUILT", interruption{class: "org.jenkinsci.plugins.pipeline.milestone.CancelledCause", text: fmt.Sprintf("Superseded by #%d", newer)})
}

// status is RunExt.java's, in its order.
func (r *run) status() string {
	switch {
	case r.result != "":
		return stageStatus(r.result)
	case len(r.waiting()) > 0 && !time.Now().Before(r.server.loaded):
		return "PAUSED_PENDING_INPUT"
	}
	return "IN_PROGRESS"
}

func stageStatus(result string) string {
	switch result {
	case "FAILURE":
		return "FAILED"
	case "NOT_BUILT":
		return "NOT_EXECUTED"
	}
	return result
}

// worse is the worse of two results (Result.combine); "" is none.
func worse(a, b string) string {
	order := []string{"", "SUCCESS", "UNSTABLE", "FAILURE", "NOT_BUILT", "ABORTED"}
	if slices.Index(order, a) > slices.Index(order, b) {
		return a
	}
	return b
}

func (r *run) state() RunState {
	st := RunState{Number: r.number, DisplayName: r.name, Building: r.building, Result: r.result, Started: r.started,
		Parameters: maps.Clone(r.spec.Parameters), Git: slices.Clone(r.spec.Git), Causes: slices.Clone(r.spec.Causes)}
	for _, c := range r.stages {
		st.Stages = append(st.Stages, StageState{c.spec.Name, r.statusOf(c)})
	}
	for _, in := range r.waiting() {
		st.Inputs = append(st.Inputs, in.id)
	}
	return st
}

func (r *run) path() string {
	return jobPath(r.job.path) + fmt.Sprintf("/%d", r.number)
}
