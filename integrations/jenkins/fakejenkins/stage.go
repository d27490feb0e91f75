package fakejenkins

import (
	"crypto/md5"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"
)

type stage struct {
	id       string
	spec     StageSpec
	branch   bool     // of a parallel step
	branches []*stage // of its own
	status   string   // of one that ended, else ""
	began    time.Time
	ended    time.Time
	ends     time.Time // when its work will be done; zero: it has not begun to work
	own      *input
	err      string
	kind     string // class of the error
}

type input struct {
	spec    InputSpec
	id      string
	since   time.Time
	settled time.Time // when it was answered
}

// begin begins the next stage.
func (r *run) begin() {
	spec := r.todo[0]
	if spec.Milestone > r.milestone && !r.pass(spec.Milestone) {
		return
	}
	r.todo = r.todo[1:]
	c := r.open(spec)
	if spec.Skipped { // by when
		c.status, c.ended = "NOT_EXECUTED", c.began
		r.say("Stage \"" + spec.Name + "\" skipped due to when conditional")
		return
	}
	r.current = c
	r.askOwn(c)
}

func (r *run) open(spec StageSpec) *stage {
	c := &stage{id: r.node(), spec: spec, began: time.Now()}
	r.stages = append(r.stages, c)
	r.sayStage(spec.Name)
	r.server.touch()
	return c
}

func (r *run) askOwn(c *stage) {
	if c.spec.Input != nil {
		c.own = r.ask(*c.spec.Input, true)
	}
}

// work goes on with a stage and reports whether it is done, well or not.
func (r *run) work(c *stage) bool {
	now := time.Now()
	if c.own != nil && slices.Contains(r.inputs, c.own) {
		return false // waits for people, or for the answer to settle
	}
	if c.branches == nil {
		for _, spec := range c.spec.Parallel {
			b := r.open(spec)
			b.branch = true
			c.branches = append(c.branches, b)
			r.askOwn(b)
		}
	}
	done := true
	for _, b := range c.branches {
		switch {
		case b.status != "":
		case !r.work(b):
			done = false
		case b.err == "":
			r.close(b, "SUCCESS")
		case b.spec.Caught != "":
			r.early = worse(r.early, b.spec.Caught)
			r.close(b, stageStatus(b.spec.Caught))
		default: // without failFast, the others go on
			r.close(b, "FAILED")
			c.err = "Failed in branch " + b.spec.Name
		}
	}
	if !done {
		return false
	}
	if c.ends.IsZero() {
		c.ends = now.Add(c.spec.Takes)
	}
	if now.Before(c.ends) {
		r.server.after(c.ends.Sub(now), r.step)
		return false
	}
	if c.err == "" {
		c.err = c.spec.Fails
	}
	return true
}

// fail ends the current stage, and with it the run unless something catches it.
func (r *run) fail(c *stage) {
	r.say("ERROR: " + c.err)
	switch caught := c.spec.Caught; {
	case caught != "":
		r.early = worse(r.early, caught)
		r.end(stageStatus(caught))
	case r.spec.Catches:
		r.finish(worse(r.early, "SUCCESS"), "FAILED")
	default:
		r.finish("FAILURE", "FAILED")
	}
}

// end ends the current stage.
func (r *run) end(status string) {
	c := r.current
	r.current = nil
	r.close(c, status)
}

func (r *run) close(c *stage, status string) {
	c.status, c.ended = status, time.Now()
	r.say("[Pipeline] }", "[Pipeline] // stage")
	r.server.record(Effect{What: "stage " + status, Job: r.job.path, Run: r.number, On: c.spec.Name})
	if tell := r.server.OnStage; tell != nil {
		job, n, name := r.job.path, r.number, c.spec.Name
		r.server.told = append(r.server.told, func() { tell(job, n, name, status) })
	}
}

// opened returns the stage of that name in which the run is.
func (r *run) opened(name string) *stage {
	for _, c := range slices.Backward(r.stages) {
		if c.status == "" && c.spec.Name == name {
			return c
		}
	}
	return nil
}

// ask makes the run wait for people.
func (r *run) ask(spec InputSpec, last bool) *input {
	in := &input{spec: spec, id: inputID(spec), since: time.Now()}
	if last {
		r.inputs = append(r.inputs, in)
	} else {
		r.inputs = slices.Insert(r.inputs, 0, in)
	}
	r.asked = true
	r.say("[Pipeline] input", spec.Message, in.ok()+" or Abort")
	r.server.record(Effect{What: "asked", Job: r.job.path, Run: r.number, On: in.id})
	if spec.Timeout > 0 {
		r.server.after(spec.Timeout, func() { r.expire(in) })
	}
	return in
}

// expire is the end of the timeout step around an input.
func (r *run) expire(in *input) {
	if r.pending(in.id) != in {
		return
	}
	s, now := r.server, time.Now()
	if now.Before(s.loaded) {
		s.after(s.loaded.Sub(now), func() { r.expire(in) })
		return
	}
	s.record(Effect{What: "timed out", Job: r.job.path, Run: r.number, On: in.id})
	r.give(in, interruption{class: "org.jenkinsci.plugins.workflow.steps.TimeoutStepExecution$ExceededTimeout", text: "Timeout has been exceeded"})
}

// give ends an input without a yes, and the run with it, unless its script is
// inside a try that catches that: then the run is over without having gone on.
func (r *run) give(in *input, why interruption) {
	if !r.spec.Catches {
		r.interrupt("ABORTED", why)
		return
	}
	r.say(why.line())
	r.inputs = slices.DeleteFunc(r.inputs, func(i *input) bool { return i == in })
	r.finish(worse(r.early, "SUCCESS"), "ABORTED")
}

// inputID is InputStep.getId: the first letter is a capital; without an id it
// is the digest of the message.
func inputID(spec InputSpec) string {
	id := spec.ID
	if id == "" {
		sum := md5.Sum([]byte(spec.Message))
		id = hex.EncodeToString(sum[:])
	}
	return strings.ToUpper(id[:1]) + id[1:]
}

// find returns an input that is pending or settling; ids are compared exactly.
func (r *run) find(id string) *input {
	for _, in := range r.inputs {
		if in.id == id {
			return in
		}
	}
	return nil
}

func (r *run) pending(id string) *input {
	if in := r.find(id); in != nil && in.settled.IsZero() {
		return in
	}
	return nil
}

// waiting returns the inputs that are pending.
func (r *run) waiting() []*input {
	var waiting []*input
	for _, in := range r.inputs {
		if in.settled.IsZero() {
			waiting = append(waiting, in)
		}
	}
	return waiting
}

func (r *run) proceed(in *input, p Proceed) {
	p.Job, p.Run, p.Input, p.At = r.job.path, r.number, in.id, time.Now()
	p.Values = maps.Clone(p.Values)
	r.server.proceeds = append(r.server.proceeds, p)
	r.approvers = append(r.approvers, p.User)
	r.say("Approved by " + r.server.noted(p.User))
	r.server.record(Effect{Who: p.User, What: "proceeded", Job: r.job.path, Run: r.number, On: in.id})
	in.settled = p.At
	if d := r.server.Settling; d > 0 {
		r.server.after(d, r.step)
	}
	r.step()
}

func (r *run) reject(in *input, user string) {
	r.server.record(Effect{Who: user, What: "rejected", Job: r.job.path, Run: r.number, On: in.id})
	r.give(in, interruption{class: "org.jenkinsci.plugins.workflow.support.steps.input.Rejection",
		text: "Rejected by " + r.server.fullName(user), log: "Rejected by " + r.server.noted(user), user: user, at: time.Now()})
}

// statusOf is a stage's: paused only if the input is its own last step, so not
// while only a parallel branch waits, or works on beside it.
func (r *run) statusOf(c *stage) string {
	switch {
	case c.status != "":
		return c.status
	case c.own != nil && r.pending(c.own.id) == c.own && (c.branch || len(r.inputs) == 1) && !time.Now().Before(r.server.loaded):
		return "PAUSED_PENDING_INPUT"
	}
	return "IN_PROGRESS"
}

// paused is how long a stage has waited for people.
func (r *run) paused(c *stage) time.Duration {
	switch {
	case c.own == nil:
		return 0
	case !c.own.settled.IsZero():
		return c.own.settled.Sub(c.own.since)
	case !c.ended.IsZero():
		return c.ended.Sub(c.own.since)
	}
	return time.Since(c.own.since)
}
