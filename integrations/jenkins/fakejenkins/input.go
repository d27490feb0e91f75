package fakejenkins

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
)

// input answers POST <n>/input/<Id>/…, InputStepExecution's methods.
func (q *request) input(id string, names []string) {
	for _, verb := range []struct {
		name   string
		answer func(*input)
	}{
		{"proceedEmpty", q.proceedEmpty},
		{"proceed", q.proceed},
		{"abort", q.abort},
		{"submit", q.submit},
	} {
		if !method(names, verb.name) {
			continue
		}
		if q.loading() {
			return
		}
		in := q.run.find(id)
		if in == nil || q.now.Before(q.server.loaded) {
			notFound(q.w) // the input is looked up before the method
			return
		}
		params := ""
		if verb.name == "submit" {
			params = "proceed"
		}
		q.only(http.MethodPost, "POST job/…/N/input/ID/"+verb.name, params, func() { verb.answer(in) })
		return
	}
	q.unexpected()
}

func (q *request) proceedEmpty(in *input) {
	if q.maySubmit(in) {
		q.run.proceed(in, Proceed{User: q.user})
	}
}

func (q *request) proceed(in *input) {
	if !q.maySubmit(in) {
		return
	}
	text, ok := q.submitted()
	if !ok {
		return
	}
	values, err := parseValues(text, in.spec.Parameters)
	if err != nil {
		oops(q.w)
		return
	}
	q.run.proceed(in, Proceed{User: q.user, Values: values})
}

// submit is the form on the run's page for people. Without the name of the
// button that was pressed, it aborts.
func (q *request) submit(in *input) {
	answer := httptest.NewRecorder()
	form := *q
	form.w = answer
	switch {
	case q.FormValue("proceed") == "":
		form.abort(in)
	case len(in.spec.Parameters) == 0:
		form.proceedEmpty(in)
	default:
		form.proceed(in)
	}
	if answer.Code == http.StatusOK {
		redirect(q.w, q.link(q.run.path()+"/console"))
		return
	}
	maps.Copy(q.w.Header(), answer.Header())
	q.w.WriteHeader(answer.Code)
	_, _ = q.w.Write(answer.Body.Bytes()) // into memory
}

// inputSubmit is POST <n>/wfapi/inputSubmit, the stage view's button. Whatever
// is wrong, it is the same exception (RunAPI.java).
func (q *request) inputSubmit() {
	in := q.run.find(q.FormValue("inputId"))
	text := q.PostFormValue("json")
	if q.now.Before(q.server.loaded) || in == nil || !in.settled.IsZero() || !q.canSettle(in) || text == "" {
		oops(q.w)
		return
	}
	values, err := parseValues(text, in.spec.Parameters)
	if err != nil {
		oops(q.w)
		return
	}
	q.run.proceed(in, Proceed{User: q.user, Values: values})
}

func (q *request) abort(in *input) {
	switch {
	case !in.settled.IsZero():
		failure(q.w, "This input has been already given")
	case !q.lacks("Job/Cancel") || q.canSettle(in):
		q.run.reject(in, q.user)
	case in.spec.Submitter != "":
		failure(q.w, "You need to be '"+in.spec.Submitter+"' (or have Job/Cancel permissions) to cancel this.")
	default:
		failure(q.w, "You need to have Job/Cancel permissions to cancel this.")
	}
}

// maySubmit is preSubmissionCheck.
func (q *request) maySubmit(in *input) bool {
	switch {
	case !in.settled.IsZero():
		failure(q.w, "This input has been already given")
	case q.canSettle(in):
		return true
	case in.spec.Submitter != "":
		failure(q.w, "You need to be "+in.spec.Submitter+" to submit this.")
	default:
		failure(q.w, "You need to have Job/Build permissions to submit this.")
	}
	return false
}

// canSettle: with submitters, Job/Build is not asked for.
func (q *request) canSettle(in *input) bool {
	if in.spec.Submitter == "" {
		return !q.lacks("Job/Build")
	}
	if slices.Contains(q.server.Admins, q.user) {
		return true
	}
	for name := range strings.SplitSeq(in.spec.Submitter, ",") {
		if strings.EqualFold(strings.TrimSpace(name), q.user) {
			return true
		}
	}
	return false
}
