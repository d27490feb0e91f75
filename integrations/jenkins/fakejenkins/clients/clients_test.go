// Package clients drives the fake with clients of Jenkins that nobody here
// wrote, each as it is: what works with them on a real Jenkins works on the
// fake, and what fails fails.
package clients

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thbot/integrations/jenkins/fakejenkins"
)

const job = "gcp-pipelines/treeherder"

// serve makes a server, under a context path, with a job whose runs wait at an
// input, and returns its URL.
func serve(t *testing.T) (*fakejenkins.Server, string) {
	t.Helper()
	s := &fakejenkins.Server{
		ContextPath: "/ci", QuietPeriod: 500 * time.Millisecond,
		Passwords: map[string]string{"ana": "secret"}, Admins: []string{"ana", fakejenkins.User},
	}
	s.AddJob(job, fakejenkins.JobSpec{
		Parameters: []fakejenkins.Parameter{{Name: "ImageTag"}},
		Stages: []fakejenkins.StageSpec{
			{Name: "build"},
			{Name: "deploy", Input: &fakejenkins.InputSpec{ID: "promote", Message: "Promote?"}},
		},
	})
	s.AddJob("nightly", fakejenkins.JobSpec{})
	for range 103 {
		if _, err := s.StartRun("nightly", fakejenkins.RunSpec{Result: "SUCCESS"}); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(s)
	t.Cleanup(func() { s.Stop(); server.Close() })
	return s, server.URL + "/ci/"
}

// missing skips, or fails where everything has to be there.
func missing(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv("THBOT_TEST_REQUIRE") != "" {
		t.Fatalf("%s: %v", what, err)
	}
	t.Skipf("%s: %v", what, err)
}

// run runs a client and compares what it prints, with a password, which needs
// crumbs, and with a token, which does not.
func run(t *testing.T, want map[string]string, in string, command ...string) {
	t.Helper()
	for _, who := range [][2]string{{"ana", "secret"}, {fakejenkins.User, fakejenkins.Token}} {
		s, url := serve(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, command[0], append(command[1:], url, who[0], who[1])...)
		cmd.Dir = in
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("as %s: %v\n%s%s", who[0], err, out, stderr.String())
			continue
		}
		got := map[string]string{}
		for line := range strings.Lines(string(out)) {
			name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			got[name] = strings.NewReplacer(url, "URL", who[0], "ME").Replace(rest)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("as %s (-want +got):\n%s", who[0], d)
		}
		if u := s.Unexpected(); len(u) != 0 {
			t.Errorf("as %s, unexpected: %q", who[0], u)
		}
	}
}

// Debian's python3-jenkins belongs to Debian's Python, which need not be the one
// that comes first.
func TestPython(t *testing.T) {
	const python = "/usr/bin/python3"
	if out, err := exec.CommandContext(t.Context(), python, "-c", "import jenkins").CombinedOutput(); err != nil {
		missing(t, "Debian's python3-jenkins: "+string(out), err)
	}
	run(t, map[string]string{
		"early":   "BadHTTPException: Error communicating with server[URL]",
		"whoami":  "ME",
		"version": "2.528.1",
		"folder":  "True False",
		"jobs":    "['gcp-pipelines', 'gcp-pipelines/treeherder', 'nightly']",
		"names":   "treeherder None",
		"other":   "JenkinsException: job[gcp-pipelines/other] does not exist",
		"builds":  "100 103",
		"waits":   "True [True]",
		"again":   "EmptyResponseException: Header 'Location' not found in response from server[URL]",
		"runs":    "True master-445ee07",
		"running": "[]",
		"one-off": "[True]",
		"result":  "ABORTED",
		"console": "Finished: ABORTED",
		"cancel":  "EmptyResponseException: Error communicating with server[URL]: empty response",

		"cancelled": "True",
		"quiet":     "None True",
		"wrong":     "JenkinsException: Error in request. Possibly authentication failed [401]: Unauthorized",
	}, "", python, "client.py")
}

func TestNode(t *testing.T) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			missing(t, program, err)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "client.cjs"} {
		b, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		missing(t, "npm ci: "+string(out), err)
	}
	run(t, map[string]string{
		"info":   "hudson.model.Hudson true",
		"jobs":   `["gcp-pipelines","nightly"]`,
		"exists": "true false",
		"other":  "Error: jenkins: job.get: gcp-pipelines/other not found",
		"waits":  "hudson.model.Queue$WaitingItem [true]",
		"runs":   "true master-445ee07",
		"log":    `["Started by user ME","Promote?","Proceed or Abort","Aborted by ME","Finished: ABORTED",""]`,
		"result": "ABORTED",
		"whole":  "true",
		"term":   "Error: jenkins: build.term: found",

		"cancelled": "true",
		"wrong":     "Error: jenkins: info: unauthorized",
	}, dir, "node", "client.cjs")
}
