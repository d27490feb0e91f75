package fakejenkins_test

import (
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"thbot/integrations/jenkins/fakejenkins"
)

var (
	realURL = flag.String("jenkins", "", "`URL` of a real Jenkins that TestContract asks instead, as JENKINS_USER with JENKINS_TOKEN; it only reads")
	realJob = flag.String("job", "", "`path` of a pipeline there that has run, such as folder/deploy")
)

// What this package says of Jenkins, asked of the Server, or of a real one:
//
//	JENKINS_USER=… JENKINS_TOKEN=… go test -run TestContract -jenkins https://jenkins.example/ -job folder/deploy
func TestContract(t *testing.T) {
	base, path, user, token := strings.TrimRight(*realURL, "/"), *realJob, os.Getenv("JENKINS_USER"), os.Getenv("JENKINS_TOKEN")
	if base == "" {
		s := &fakejenkins.Server{ContextPath: "/ci"}
		defer s.Stop()
		s.AddJob(job, fakejenkins.JobSpec{Next: 810, Stages: pipeline(fakejenkins.InputSpec{})})
		for range 3 {
			start(t, s, fakejenkins.RunSpec{Parameters: map[string]string{"ImageTag": "x"}, Result: "SUCCESS"})
		}
		server := httptest.NewServer(s)
		defer server.Close()
		base, path, user, token = server.URL+"/ci", job, fakejenkins.User, fakejenkins.Token
	}
	at := ""
	for name := range strings.SplitSeq(path, "/") {
		at += "/job/" + url.PathEscape(name)
	}
	client := &http.Client{
		Timeout:       time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	get := func(t *testing.T, target, user, token string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, base+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		if user != "" {
			req.SetBasicAuth(user, token)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(body)
	}
	resp, body := get(t, at+"/api/json?tree=lastCompletedBuild[number]", user, token)
	var last struct {
		LastCompletedBuild *struct{ Number json.Number }
	}
	if err := json.Unmarshal([]byte(body), &last); err != nil || last.LastCompletedBuild == nil {
		t.Fatalf("%s has no run that is over: %s, %v", path, resp.Status, err)
	}
	run := at + "/" + last.LastCompletedBuild.Number.String()

	const page, object, text = "text/html", "application/json", "text/plain"
	for _, tt := range []struct {
		target      string
		user, token string // "-": the right ones
		status      int
		kind        string
		header      map[string]string // regular expressions
		has         string            // a regular expression
		hasNot      string
	}{
		{target: "/whoAmI/api/json", user: "-", status: 200, kind: object, has: `"authenticated":true`},
		{target: "/whoAmI/api/json", status: 200, kind: object, has: `"anonymous":true`},
		{target: "/api/json", user: "thbot-contract", token: "wrong", status: 401, kind: page, header: map[string]string{"WWW-Authenticate": `Basic realm="Jenkins"`}},
		{target: "/api/json?tree=quietingDown,nonsense", user: "-", status: 200, kind: object, has: `"quietingDown":(true|false)`, hasNot: "nonsense",
			header: map[string]string{"X-Jenkins": `^\d+\.\d+`, "X-Jenkins-Session": "^[0-9a-f]{8}$"}},
		{target: "/crumbIssuer/api/json/api/json", user: "-", status: 200, kind: object, has: `"crumbRequestField":"Jenkins-Crumb"`},
		{target: "/queue/api/json?tree=items[id]", user: "-", status: 200, kind: object, has: `"_class":"hudson.model.Queue"`},
		{target: "/queue/item/999999999/api/json", user: "-", status: 404, kind: page},
		{target: at + "-which-is-not-there/api/json", user: "-", status: 404, kind: page},
		{target: "//" + strings.TrimLeft(at, "/") + "//api/json?tree=nextBuildNumber", user: "-", status: 200, kind: object, has: `"nextBuildNumber":\d+`},
		{target: at + "/api/json?tree=builds[number]{0,2}", user: "-", status: 200, kind: object, has: `^[^{]*\{[^{]*\{[^{]*(\{[^{]*)?$`},
		{target: at + "/wfapi/runs", user: "-", status: 200, kind: object, has: `"id":"\d+"`},
		{target: at + "/wfapi/runs/api/json", user: "-", status: 200, kind: object, has: `"status":"[A-Z_]+"`},
		{target: run + "/api/json?tree=building,result,actions[causes[shortDescription]]", user: "-", status: 200, kind: object,
			has: `"building":false`, header: map[string]string{"X-Jenkins-Session": "^[0-9a-f]{8}$"}},
		{target: run + "/api/json", user: "-", status: 200, kind: object, has: `"_class":"hudson.model.CauseAction"`, hasNot: `"executions"`},
		{target: run + "/wfapi/describe", user: "-", status: 200, kind: object, has: `/wfapi/describe"`, hasNot: `"href":"http`},
		{target: run + "/wfapi/pendingInputActions", user: "-", status: 200, kind: object, has: `^\s*\[\]\s*$`},
		{target: run + "/wfapi/nextPendingInputAction", user: "-", status: 200, kind: object, has: `^\s*(null)?\s*$`},
		{target: run + "/logText/progressiveText?start=0", user: "-", status: 200, kind: text, header: map[string]string{"X-Text-Size": `^\d+$`, "X-More-Data": "^(true)?$"}},
		{target: run + "/consoleText", user: "-", status: 200, kind: text, has: `Finished: [A-Z_]+\s*$`},
		{target: run + "/input/NotThere/proceedEmpty", user: "-", status: 404, kind: page},
	} {
		if tt.user == "-" {
			tt.user, tt.token = user, token
		}
		resp, body := get(t, tt.target, tt.user, tt.token)
		if resp.StatusCode != tt.status || !strings.HasPrefix(resp.Header.Get("Content-Type"), tt.kind) {
			t.Errorf("GET %s: %s, %s; want %d, %s", tt.target, resp.Status, resp.Header.Get("Content-Type"), tt.status, tt.kind)
			continue
		}
		for name, want := range tt.header {
			if got := resp.Header.Get(name); !regexp.MustCompile(want).MatchString(got) {
				t.Errorf("GET %s: %s: %q, want %s", tt.target, name, got, want)
			}
		}
		if !regexp.MustCompile(tt.has).MatchString(body) || tt.hasNot != "" && strings.Contains(body, tt.hasNot) {
			t.Errorf("GET %s: want %s, not %q, in %s", tt.target, tt.has, tt.hasNot, body)
		}
		if resp.Header.Get("ETag") != "" || resp.Header.Get("Last-Modified") != "" {
			t.Errorf("GET %s: %v", tt.target, resp.Header)
		}
	}
}
