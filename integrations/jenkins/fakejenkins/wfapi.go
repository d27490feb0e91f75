package fakejenkins

import (
	"slices"
	"strconv"
)

// loading answers for runs that are not loaded after a restart, and reports
// whether it did. LOAD_EXECUTIONS_TIMEOUT in InputAction.java ends in an
// exception; a failure to load is only logged, and then there are no inputs.
func (q *request) loading() bool {
	s := q.server
	half := s.up.Add(s.loaded.Sub(s.up) / 2)
	if q.run.result == "" && q.now.Before(half) {
		oops(q.w)
		return true
	}
	return false
}

type link struct {
	Href string `json:"href"`
}

type stageJSON struct {
	Links               map[string]link `json:"_links"`
	ID                  string          `json:"id"`
	Name                string          `json:"name"`
	ExecNode            string          `json:"execNode"`
	Status              string          `json:"status"`
	Error               *errorJSON      `json:"error,omitempty"`
	StartTimeMillis     int64           `json:"startTimeMillis"`
	DurationMillis      int64           `json:"durationMillis"`
	PauseDurationMillis int64           `json:"pauseDurationMillis"`
	StageFlowNodes      []nodeJSON      `json:"stageFlowNodes,omitempty"`
}

// nodeJSON is a step of a stage. Ids are strings, of parents as well.
type nodeJSON struct {
	Links               map[string]link `json:"_links"`
	ID                  string          `json:"id"`
	Name                string          `json:"name"`
	ExecNode            string          `json:"execNode"`
	Status              string          `json:"status"`
	StartTimeMillis     int64           `json:"startTimeMillis"`
	DurationMillis      int64           `json:"durationMillis"`
	PauseDurationMillis int64           `json:"pauseDurationMillis"`
	ParentNodes         []string        `json:"parentNodes"`
}

type errorJSON struct {
	Message string `json:"message"`
	Type    string `json:"type"`
}

type describeJSON struct {
	Links               map[string]link `json:"_links"`
	ID                  string          `json:"id"`
	Name                string          `json:"name"`
	Status              string          `json:"status"`
	StartTimeMillis     int64           `json:"startTimeMillis"`
	EndTimeMillis       int64           `json:"endTimeMillis"`
	DurationMillis      int64           `json:"durationMillis"`
	QueueDurationMillis int64           `json:"queueDurationMillis"`
	PauseDurationMillis int64           `json:"pauseDurationMillis"` // of stages only; the run's is 0
	Stages              []stageJSON     `json:"stages"`
}

func (q *request) describe() {
	if !q.loading() {
		q.write(q.described(q.run, q.FormValue("fullStages") == "true"))
	}
}

// wfapiRuns is JobExt: ten runs at most. since is a name, not a number, and the
// run of that name is still among them.
func (q *request) wfapiRuns() {
	list := []describeJSON{}
	since := q.FormValue("since")
	for _, r := range slices.Backward(q.job.runs) {
		if len(list) == 10 {
			break
		}
		q.run = r
		if q.loading() {
			return
		}
		list = append(list, q.described(r, q.FormValue("fullStages") == "true"))
		if since != "" && r.name == since {
			break
		}
	}
	q.write(list)
}

// described is RunExt. Hrefs have the context path, but not the root URL.
func (q *request) described(r *run, full bool) describeJSON {
	at := q.link(r.path())
	end := q.now
	if r.result != "" {
		end = r.ended
	}
	d := describeJSON{
		Links: map[string]link{"self": {at + "/wfapi/describe"}},
		ID:    strconv.Itoa(r.number), Name: r.name, Status: r.status(),
		StartTimeMillis: r.started.UnixMilli(), EndTimeMillis: end.UnixMilli(),
		DurationMillis: end.Sub(r.started).Milliseconds(),
		Stages:         []stageJSON{},
	}
	if len(r.spec.Git) > 0 {
		d.Links["changesets"] = link{at + "/wfapi/changesets"}
	}
	if d.Status == "PAUSED_PENDING_INPUT" {
		d.Links["pendingInputActions"] = link{at + "/wfapi/pendingInputActions"}
		d.Links["nextPendingInputAction"] = link{at + "/wfapi/nextPendingInputAction"}
	}
	for _, c := range r.stages {
		d.Stages = append(d.Stages, q.describedStage(r, c, full))
	}
	return d
}

func (q *request) describedStage(r *run, c *stage, full bool) stageJSON {
	at := q.link(r.path())
	ended := c.ended
	if c.status == "" {
		ended = q.now
	}
	st := stageJSON{
		Links: map[string]link{"self": {at + "/execution/node/" + c.id + "/wfapi/describe"}},
		ID:    c.id, Name: c.spec.Name, Status: r.statusOf(c),
		StartTimeMillis: c.began.UnixMilli(), DurationMillis: ended.Sub(c.began).Milliseconds(),
		PauseDurationMillis: r.paused(c).Milliseconds(),
	}
	if c.err != "" {
		kind := c.kind
		if kind == "" {
			kind = "hudson.AbortException"
		}
		st.Error = &errorJSON{c.err, kind}
	}
	if full {
		id, _ := strconv.Atoi(c.id)
		step := strconv.Itoa(id + 1) // the one step of the stage: its input or its work
		name := "Shell Script"
		if c.own != nil && slices.Contains(r.inputs, c.own) {
			name = "Wait for interactive input"
		}
		st.StageFlowNodes = []nodeJSON{{
			Links: map[string]link{"self": {at + "/execution/node/" + step + "/wfapi/describe"}},
			ID:    step, Name: name, Status: st.Status, StartTimeMillis: st.StartTimeMillis,
			DurationMillis: st.DurationMillis, PauseDurationMillis: st.PauseDurationMillis, ParentNodes: []string{c.id},
		}}
	}
	return st
}

// describeNode describes a stage; it always has its steps.
func (q *request) describeNode() {
	if q.loading() {
		return
	}
	for _, c := range q.run.stages {
		if c.id == q.arg {
			q.write(q.describedStage(q.run, c, true))
			return
		}
	}
	notFound(q.w)
}

type changesetJSON struct {
	Kind        string       `json:"kind"`
	CommitCount int          `json:"commitCount"`
	Commits     []commitJSON `json:"commits"`
	ConsoleURL  string       `json:"consoleUrl"`
}

type commitJSON struct {
	CommitID        string `json:"commitId"`
	AuthorJenkinsID string `json:"authorJenkinsId"`
	Message         string `json:"message"`
	Timestamp       int64  `json:"timestamp"`
	ConsoleURL      string `json:"consoleUrl"`
}

// changesets has, of each checkout, the commit that it checked out.
func (q *request) changesets() {
	at := q.link(q.run.path()) + "/changes"
	list := []changesetJSON{}
	for _, g := range q.run.spec.Git {
		list = append(list, changesetJSON{"git", 1, []commitJSON{
			{g.SHA, "noreply", g.Branch, q.run.started.UnixMilli(), at + "#" + g.SHA},
		}, at})
	}
	q.write(list)
}

type pendingJSON struct {
	ID                  string          `json:"id"`
	ProceedText         string          `json:"proceedText"`
	Message             string          `json:"message"`
	Inputs              []parameterJSON `json:"inputs"`
	ProceedURL          string          `json:"proceedUrl"`
	AbortURL            string          `json:"abortUrl"`
	RedirectApprovalURL string          `json:"redirectApprovalUrl"`
}

type parameterJSON struct {
	Type        string         `json:"type"`
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Definition  map[string]any `json:"definition"`
}

func (q *request) pendingInputActions() {
	if !q.loading() {
		q.write(q.pendingList())
	}
}

// nextPendingInputAction is the first of them, or null.
func (q *request) nextPendingInputAction() {
	if q.loading() {
		return
	}
	if list := q.pendingList(); len(list) > 0 {
		q.write(list[0])
		return
	}
	q.write(nil)
}

func (q *request) pendingList() []pendingJSON {
	r := q.run
	at := q.link(r.path())
	list := []pendingJSON{}
	for _, in := range r.waiting() {
		if q.now.Before(q.server.loaded) {
			break
		}
		p := pendingJSON{
			ID: in.id, ProceedText: in.ok(), Message: in.spec.Message, Inputs: []parameterJSON{},
			ProceedURL:          at + "/wfapi/inputSubmit?inputId=" + in.id,
			AbortURL:            at + "/input/" + in.id + "/abort",
			RedirectApprovalURL: at + "/input/",
		}
		for _, d := range in.spec.Parameters {
			definition := map[string]any{}
			if d.Default != nil {
				definition["defaultVal"] = d.Default
			}
			if d.Choices != nil {
				definition["choices"] = d.Choices
			}
			p.Inputs = append(p.Inputs, parameterJSON{d.kind(), d.Name, d.Description, definition})
		}
		list = append(list, p)
	}
	return list
}
