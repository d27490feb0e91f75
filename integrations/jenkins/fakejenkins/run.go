package fakejenkins

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// run is a run and how far it is. All it does, it does in step, which only
// looks at the time and at what has been answered; so it may be called at any
// moment and by any timer.
type run struct {
	server *Server
	job    *job
	number int
	spec   RunSpec
	name   string

	stages   []*stage // begun
	current  *stage   // nil before the first and after the last
	todo     []StageSpec
	inputs   []*input // pending ones, and answered ones that are settling
	nextNode int

	started, ended time.Time
	result         string // "" until it is set
	building       bool
	asked          bool // it had an input once: the marker of that stays
	approvers      []string
	interruptions  []Cause
}

type stage struct {
	id     string
	spec   StageSpec
	status string // of one that ended, else ""
	began  time.Time
	ended  time.Time
	ends   time.Time // when its work will be done; zero: it has not begun to work
	own    *input
	err    string
	kind   string // class of the error
}

type input struct {
	spec    InputSpec
	id      string
	since   time.Time
	settled time.Time // when it was answered
}

func newRun(s *Server, j *job, n int, spec RunSpec) *run {
	r := &run{server: s, job: j, number: n, spec: spec, name: spec.DisplayName, building: true, nextNode: 6,
		started: time.Now(), todo: slices.Clone(spec.Stages)}
	if r.name == "" {
		r.name = "#" + strconv.Itoa(n)
	}
	if spec.Stages == nil {
		r.todo = slices.Clone(j.spec.Stages)
	}
	if spec.Causes == nil {
		r.spec.Causes = []Cause{ByPush()}
	}
	r.spec.Parameters = maps.Clone(spec.Parameters)
	return r
}

func (r *run) startedBy() string {
	for _, c := range r.spec.Causes {
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
		at = at.Add(spec.Takes)
	}
	r.todo, r.ended, r.result, r.building = nil, at, r.spec.Result, false
	if n := len(r.stages); n > 0 {
		r.stages[n-1].status = stageStatus(r.result) // the last stage takes the run's
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
		c := r.current
		switch {
		case c == nil && len(r.todo) == 0:
			r.finish("SUCCESS", "")
		case c == nil:
			r.begin()
		case c.own != nil && slices.Contains(r.inputs, c.own):
			return // waits for people, or for the answer to settle
		case c.ends.IsZero():
			c.ends = now.Add(c.spec.Takes)
		case now.Before(c.ends):
			s.after(c.ends.Sub(now), r.step)
			return
		case len(r.inputs) > 0:
			return // a parallel branch waits
		case c.spec.Fails != "":
			c.err = c.spec.Fails
			r.finish("FAILURE", "FAILED")
		default:
			r.end("SUCCESS")
		}
	}
	if end := r.ended.Add(s.EndWork); r.building && now.Before(end) {
		s.after(end.Sub(now), r.step)
	} else if r.building {
		r.building = false
		s.record(Effect{What: "ended " + r.result, Job: r.job.path, Run: r.number})
	}
}

func (r *run) begin() {
	spec := r.todo[0]
	r.todo = r.todo[1:]
	r.current = &stage{id: r.node(), spec: spec, began: time.Now()}
	r.stages = append(r.stages, r.current)
	r.server.touch()
	if spec.Input != nil {
		r.current.own = r.ask(*spec.Input, true)
	}
}

// end ends the current stage.
func (r *run) end(status string) {
	c := r.current
	r.current = nil
	c.status, c.ended = status, time.Now()
	r.server.record(Effect{What: "stage " + status, Job: r.job.path, Run: r.number, On: c.spec.Name})
	if tell := r.server.OnStage; tell != nil {
		job, n, name := r.job.path, r.number, c.spec.Name
		r.server.told = append(r.server.told, func() { tell(job, n, name, status) })
	}
}

// finish sets the result, and the status of the stage that the run is in.
func (r *run) finish(result, status string) {
	if r.current != nil {
		r.end(status)
	}
	r.result, r.ended = result, time.Now()
	r.inputs, r.todo = nil, nil
	r.server.touch()
	r.step()
}

// interrupt ends the run as aborted.
func (r *run) interrupt(class, text string) {
	r.interruptions = append(r.interruptions, Cause{Class: class, Text: text})
	if r.current != nil {
		r.current.err, r.current.kind = text, "org.jenkinsci.plugins.workflow.steps.FlowInterruptedException"
	}
	r.finish("ABORTED", "ABORTED")
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
	r.server.record(Effect{What: "asked", Job: r.job.path, Run: r.number, On: in.id})
	return in
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
	r.server.record(Effect{Who: p.User, What: "proceeded", Job: r.job.path, Run: r.number, On: in.id})
	in.settled = p.At
	if d := r.server.Settling; d > 0 {
		r.server.after(d, r.step)
	}
	r.step()
}

func (r *run) reject(in *input, user string) {
	r.server.record(Effect{Who: user, What: "rejected", Job: r.job.path, Run: r.number, On: in.id})
	r.interrupt("org.jenkinsci.plugins.workflow.support.steps.input.Rejection", "Rejected by "+user)
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

// statusOf is a stage's: paused only if the input is its own last step, so not
// while only a parallel branch waits, or works on beside it.
func (r *run) statusOf(c *stage) string {
	switch {
	case c.status != "":
		return c.status
	case c.own != nil && r.pending(c.own.id) == c.own && len(r.inputs) == 1 && !time.Now().Before(r.server.loaded):
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

func stageStatus(result string) string {
	switch result {
	case "FAILURE":
		return "FAILED"
	case "NOT_BUILT":
		return "NOT_EXECUTED"
	}
	return result
}

func (r *run) state() RunState {
	st := RunState{Number: r.number, DisplayName: r.name, Building: r.building, Result: r.result, Started: r.started}
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
