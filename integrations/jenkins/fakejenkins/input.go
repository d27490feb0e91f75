package fakejenkins

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
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
		q.only(http.MethodPost, "POST job/…/N/input/ID/"+verb.name, func() { verb.answer(in) })
		return
	}
	// submit, above all: it aborts when a field is missing.
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
	// getSubmittedForm (RequestImpl.java in stapler).
	kind, _, _ := mime.ParseMediaType(q.Header.Get("Content-Type"))
	if err := q.ParseForm(); err != nil || kind != "application/x-www-form-urlencoded" {
		page(q.w, http.StatusBadRequest, "This page expects a form submission")
		return
	}
	text := q.PostForm.Get("json")
	if text == "" {
		page(q.w, http.StatusBadRequest, "This page expects a form submission")
		return
	}
	values, err := parseValues(text, in.spec.Parameters)
	if err != nil {
		oops(q.w)
		return
	}
	q.run.proceed(in, Proceed{User: q.user, Values: values})
}

// parseValues reads {"parameter":[{"name":…,"value":…}]}. What is left out is
// not filled in; a name that is not declared is an exception.
func parseValues(text string, declared []Parameter) (map[string]string, error) {
	var form struct{ Parameter json.RawMessage }
	if err := json.Unmarshal([]byte(text), &form); err != nil {
		return nil, err
	}
	type value struct {
		Name  string
		Value any
	}
	var list []value
	switch one := (value{}); {
	case form.Parameter == nil:
	case form.Parameter[0] == '{': // one alone need not be in a list
		if err := json.Unmarshal(form.Parameter, &one); err != nil {
			return nil, err
		}
		list = []value{one}
	default:
		if err := json.Unmarshal(form.Parameter, &list); err != nil {
			return nil, err
		}
	}
	values := map[string]string{}
	for _, v := range list {
		is := func(p Parameter) bool { return p.Name == v.Name }
		if !slices.ContainsFunc(declared, is) {
			return nil, fmt.Errorf("no such parameter definition: %s", v.Name)
		}
		values[v.Name] = fmt.Sprint(v.Value)
	}
	return values, nil
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
