package fakejenkins

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// build is ParameterizedJobMixIn's doBuild.
func (q *request) build() {
	quiet, ok := q.mayStart()
	if !ok {
		return
	}
	if len(q.job.spec.Parameters) == 0 {
		it, _ := q.server.schedule(q.job, q.fresh(nil), quiet)
		q.created(it)
		return
	}
	// With parameters it is ParametersDefinitionProperty's _doBuild, which fills
	// in no defaults, and forgets the item of whoever comes second.
	text, ok := q.submitted()
	if !ok {
		return
	}
	values, err := parseValues(text, q.job.spec.Parameters)
	if err != nil {
		oops(q.w)
		return
	}
	it, created := q.server.schedule(q.job, q.fresh(values), quiet)
	if !created {
		redirect(q.w, ".")
		return
	}
	q.created(it)
}

// buildWithParameters takes fields by name, fills in defaults and drops what is
// not declared, without a word.
func (q *request) buildWithParameters() {
	quiet, ok := q.mayStart()
	if !ok {
		return
	}
	if len(q.job.spec.Parameters) == 0 {
		page(q.w, http.StatusBadRequest, q.job.name()+" is not parameterized")
		return
	}
	if err := q.ParseForm(); err != nil {
		page(q.w, http.StatusBadRequest, "This page expects a form submission")
		return
	}
	values := map[string]string{}
	for _, p := range q.job.spec.Parameters {
		switch sent, ok := q.Form[p.Name]; {
		case ok && p.Choices != nil && !slices.Contains(p.Choices, sent[0]):
			oops(q.w) // IllegalArgumentException: Illegal choice for parameter
			return
		case ok:
			values[p.Name] = sent[0]
		case p.Default != nil:
			values[p.Name] = fmt.Sprint(p.Default)
		case len(p.Choices) > 0:
			values[p.Name] = p.Choices[0]
		default:
			values[p.Name] = ""
		}
	}
	it, created := q.server.schedule(q.job, q.fresh(values), quiet)
	if !created {
		q.w.Header().Set("Location", q.itemURL(it))
		q.w.WriteHeader(http.StatusSeeOther)
		return
	}
	q.created(it)
}

// mayStart looks at what is asked of all builds, and answers if it is not so.
func (q *request) mayStart() (quiet time.Duration, ok bool) {
	if !q.mayBuild() {
		return 0, false
	}
	if q.job.spec.Disabled {
		page(q.w, http.StatusConflict, q.job.name()+" is not buildable")
		return 0, false
	}
	quiet = q.server.quiet()
	if text := q.FormValue("delay"); text != "" { // TimeDuration: "0", "10sec"
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSuffix(text, "secs"), "sec"))
		if err != nil {
			oops(q.w)
			return 0, false
		}
		quiet = time.Duration(n) * time.Second
	}
	return quiet, true
}

// fresh is a run that the user starts by hand.
func (q *request) fresh(values map[string]string) RunSpec {
	return RunSpec{Parameters: values, Causes: []Cause{ByUser(q.user)}}
}

// itemURL is absolute and made of the called URL, not of the configured one.
func (q *request) itemURL(it *item) string {
	return q.server.calledURL(q.Request) + fmt.Sprintf("/queue/item/%d/", it.id)
}

func (q *request) created(it *item) {
	q.w.Header().Set("Location", q.itemURL(it))
	q.w.WriteHeader(http.StatusCreated)
}

// submitted is getSubmittedForm (RequestImpl.java in stapler): the field json of
// a form. Without one it answers.
func (q *request) submitted() (text string, ok bool) {
	kind, _, _ := mime.ParseMediaType(q.Header.Get("Content-Type"))
	if err := q.ParseForm(); err == nil && kind == "application/x-www-form-urlencoded" {
		text = q.PostForm.Get("json")
	}
	if text == "" {
		page(q.w, http.StatusBadRequest, "This page expects a form submission")
	}
	return text, text != ""
}

// parseValues reads {"parameter":[{"name":…,"value":…}]}. What is left out is
// not filled in; a name that is not declared is an exception.
func parseValues(text string, declared []Parameter) (map[string]string, error) {
	list, err := parseForm(text)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, v := range list {
		if !declares(declared, v.Name) {
			return nil, fmt.Errorf("no such parameter definition: %s", v.Name)
		}
		values[v.Name] = fmt.Sprint(v.Value)
	}
	return values, nil
}

type formValue struct {
	Name  string
	Value any
}

func parseForm(text string) (list []formValue, err error) {
	var form struct{ Parameter json.RawMessage }
	if err := json.Unmarshal([]byte(text), &form); err != nil {
		return nil, err
	}
	switch one := (formValue{}); {
	case form.Parameter == nil:
	case form.Parameter[0] == '{': // one alone need not be in a list
		err = json.Unmarshal(form.Parameter, &one)
		list = []formValue{one}
	default:
		err = json.Unmarshal(form.Parameter, &list)
	}
	return list, err
}

func declares(ps []Parameter, name string) bool {
	return slices.ContainsFunc(ps, func(p Parameter) bool { return p.Name == name })
}

// stop answers with the same redirect whatever happened.
func (q *request) stop(how string) {
	if !q.mayCancel() {
		return
	}
	q.run.stop(q.user, how)
	q.back()
}
