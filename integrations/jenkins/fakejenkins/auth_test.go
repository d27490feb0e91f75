package fakejenkins_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thbot/integrations/jenkins/fakejenkins"
)

func as(user, secret string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(user, secret) }
}

// session asks for a crumb and returns it with its session's cookie.
func session(t *testing.T, s *fakejenkins.Server, edit ...func(*http.Request)) (crumb string, cookie *http.Cookie) {
	t.Helper()
	got := ask(s, "GET", "/crumbIssuer/api/json", nil, edit...)
	var c struct{ Crumb, CrumbRequestField string }
	if err := json.Unmarshal([]byte(got.body), &c); err != nil || c.Crumb == "" || c.CrumbRequestField != "Jenkins-Crumb" {
		t.Fatalf("crumb: %d %s, %v", got.StatusCode, got.body, err)
	}
	return c.Crumb, got.Cookies()[0]
}

// Who needs a crumb: passwords and sessions do, API tokens do not.
func TestCrumbs(t *testing.T) {
	s := &fakejenkins.Server{Passwords: map[string]string{"ana": "secret", "thbot": "word"}}
	paused(t, s, fakejenkins.InputSpec{})
	ana := as("ana", "secret")
	crumb, cookie := session(t, s, ana)
	other, _ := session(t, s, ana)
	tokenCrumb, tokenCookie := session(t, s)
	with := func(c *http.Cookie, crumb string) func(*http.Request) {
		return func(r *http.Request) {
			if c != nil {
				r.AddCookie(c)
			}
			if crumb != "" {
				r.Header.Set("Jenkins-Crumb", crumb)
			}
		}
	}
	for _, tt := range []struct {
		name       string
		edit       []func(*http.Request)
		form       url.Values
		status     int
		unexpected int
	}{
		{name: "token", status: 302},
		{name: "password alone", edit: []func(*http.Request){ana}, status: 403},
		{name: "password, cookie and crumb", edit: []func(*http.Request){ana, with(cookie, crumb)}, status: 302},
		{name: "the crumb as a field", edit: []func(*http.Request){ana, with(cookie, "")}, form: url.Values{"Jenkins-Crumb": {crumb}}, status: 302},
		{name: "no password, but cookie and crumb", edit: []func(*http.Request){anonymous, with(cookie, crumb)}, status: 302},
		{name: "crumb without its cookie", edit: []func(*http.Request){ana, with(nil, crumb)}, status: 403},
		{name: "crumb of another session", edit: []func(*http.Request){ana, with(cookie, other)}, status: 403},
		{name: "nobody", edit: []func(*http.Request){anonymous}, status: 403},
		{name: "token hidden by its own session", edit: []func(*http.Request){with(tokenCookie, "")}, status: 403, unexpected: 1},
		{name: "token with session and crumb", edit: []func(*http.Request){with(tokenCookie, tokenCrumb)}, status: 302},
		{name: "token with somebody else's session", edit: []func(*http.Request){with(cookie, "")}, status: 302},
		{name: "token with a session that was never begun", edit: []func(*http.Request){with(&http.Cookie{Name: "JSESSIONID.fake", Value: "node0x"}, "")}, status: 302},
	} {
		before := len(s.Unexpected())
		got := ask(s, "POST", at+"/stop", tt.form, tt.edit...)
		if got.StatusCode != tt.status || tt.status == 403 && !strings.Contains(got.body, "No valid crumb was included in the request") {
			t.Errorf("%s: status %d, want %d; %s", tt.name, got.StatusCode, tt.status, got.body)
		}
		if n := len(s.Unexpected()) - before; n != tt.unexpected {
			t.Errorf("%s: %d unexpected", tt.name, n)
		}
	}

	if got := ask(s, "GET", at+"/api/json", nil, ana); got.StatusCode != 200 {
		t.Errorf("reading with a password: %d", got.StatusCode)
	}
	s = &fakejenkins.Server{NoCrumbs: true, Passwords: map[string]string{"ana": "secret"}}
	paused(t, s, fakejenkins.InputSpec{})
	if got := ask(s, "POST", at+"/stop", nil, ana); got.StatusCode != 302 {
		t.Errorf("a password without protection: %d", got.StatusCode)
	}
	if got := ask(s, "GET", "/crumbIssuer/api/json", nil); got.StatusCode != 404 {
		t.Errorf("a crumb without protection: %d", got.StatusCode)
	}
}

// Sessions do not outlive a restart.
func TestSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{Passwords: map[string]string{"ana": "secret"}}
		defer s.Stop()
		_, cookie := session(t, s, as("ana", "secret"))
		with := func(r *http.Request) { r.AddCookie(cookie) }
		if got := ask(s, "GET", "/api/json", nil, anonymous, with); got.StatusCode != 200 || len(got.Cookies()) != 0 {
			t.Errorf("with the cookie: %d %v", got.StatusCode, got.Header)
		}
		s.Restart()
		<-time.After(time.Minute)
		if got := ask(s, "GET", "/api/json", nil, anonymous, with); got.StatusCode != 403 {
			t.Errorf("after a restart: %d", got.StatusCode)
		}
	})
}

// A proxy that wants people to log in answers everything with a redirect.
func TestRequireLogin(t *testing.T) {
	s := &fakejenkins.Server{}
	paused(t, s, fakejenkins.InputSpec{})
	s.RequireLogin("https://sso.example/login")
	for _, method := range []string{"GET", "POST"} {
		got := ask(s, method, at+"/stop", nil)
		if got.StatusCode != 302 || got.Header.Get("Location") != "https://sso.example/login" {
			t.Errorf("%s: %d %v", method, got.StatusCode, got.Header)
		}
	}
	s.RequireLogin("")
	if got := ask(s, "GET", at+"/api/json", nil); got.StatusCode != 200 {
		t.Errorf("without it: %d", got.StatusCode)
	}
}

// Who may not see jobs sees none, nor what waits for them.
func TestUnseen(t *testing.T) {
	s := &fakejenkins.Server{Denied: map[string][]string{"thbot": {"Job/Read"}}}
	paused(t, s, fakejenkins.InputSpec{})
	id, err := s.Queue(job, fakejenkins.RunSpec{})
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]string{"/api/json?tree=jobs[name]": `"jobs":[]`, "/queue/api/json?tree=items[id]": `"items":[]`} {
		if got := ask(s, "GET", target, nil).body; !strings.Contains(got, want) {
			t.Errorf("GET %s: %s", target, got)
		}
	}
	for _, target := range []string{"/job/gcp-pipelines/api/json", "/queue/item/" + itoa(id) + "/api/json", at + "/api/json", jobPage + "/"} {
		if got := ask(s, "GET", target, nil); got.StatusCode != 404 {
			t.Errorf("GET %s: %d", target, got.StatusCode)
		}
	}
}

// What a permission is missing for is said in the body and in headers; what is
// not visible is not there.
func TestDenied(t *testing.T) {
	s := &fakejenkins.Server{Denied: map[string][]string{"thbot": {"Job/Build", "Job/Cancel"}}, QuietPeriod: -1}
	paused(t, s, fakejenkins.InputSpec{})
	s.HoldQueue("Waiting for next available executor")
	id, err := s.Queue(job, fakejenkins.RunSpec{})
	if err != nil {
		t.Fatal(err)
	}
	const jobAt = "/job/gcp-pipelines/job/treeherder"
	for target, permission := range map[string]string{
		jobAt + "/build": "Build", jobAt + "/buildWithParameters": "Build", at + "/rebuild/": "Build", at + "/rebuild/configSubmit": "Build",
		at + "/replay/rebuild": "Build", at + "/stop": "Cancel", at + "/term": "Cancel", at + "/kill": "Cancel",
	} {
		got := ask(s, "POST", target, url.Values{"json": {"{}"}})
		if got.StatusCode != 403 || got.Header.Get("X-Required-Permission") != "hudson.model.Item."+permission ||
			!strings.Contains(got.body, "thbot is missing the Job/"+permission+" permission") {
			t.Errorf("%s: %d %v %s", target, got.StatusCode, got.Header, got.body)
		}
	}
	if got := ask(s, "POST", "/queue/cancelItem", url.Values{"id": {itoa(id)}}); got.StatusCode != 422 {
		t.Errorf("cancelItem: %d", got.StatusCode)
	}
	if got := ask(s, "POST", "/queue/item/"+itoa(id)+"/cancelQueue", nil); got.StatusCode != 302 || len(s.Queued()) != 1 {
		t.Errorf("cancelQueue: %d, %v", got.StatusCode, s.Queued())
	}
	if got := ask(s, "POST", "/quietDown", nil); got.StatusCode != 403 {
		t.Errorf("quietDown: %d", got.StatusCode)
	}
	if got := ask(s, "POST", at+"/wfapi/inputSubmit?inputId=Go", url.Values{"json": {`{"parameter":[]}`}}); got.StatusCode != 500 {
		t.Errorf("inputSubmit: %d", got.StatusCode)
	}
}
