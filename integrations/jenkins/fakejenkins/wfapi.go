package fakejenkins

import "strconv"

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

// describe is RunExt. Hrefs have the context path, but not the root URL.
func (q *request) describe() {
	if q.loading() {
		return
	}
	r := q.run
	at := q.server.ContextPath + r.path()
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
	if d.Status == "PAUSED_PENDING_INPUT" {
		d.Links["pendingInputActions"] = link{at + "/wfapi/pendingInputActions"}
		d.Links["nextPendingInputAction"] = link{at + "/wfapi/nextPendingInputAction"}
	}
	for _, c := range r.stages {
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
		d.Stages = append(d.Stages, st)
	}
	q.write(d)
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
	if q.loading() {
		return
	}
	r := q.run
	at := q.server.ContextPath + r.path()
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
	q.write(list)
}
