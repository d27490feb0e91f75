package jenkins

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRecorded decodes answers of real servers with the functions that the
// client uses, and compares what it read with testdata/recorded.txt; UPDATE=1
// writes that anew. The answers stand beside the checkout, if at all: they are
// other people's.
func TestRecorded(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "fixtures", "jenkins")
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("there are no recorded answers in %s", dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "%s\n", f.Name())
		for _, line := range recorded(f.Name(), raw) {
			fmt.Fprintf(&got, "\t%s\n", line)
		}
	}
	const golden = "testdata/recorded.txt"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); d != "" {
		t.Errorf("%s (-want +got):\n%s", golden, d)
	}
}

// recorded is what the client reads out of an answer, in lines.
func recorded(name string, raw []byte) []string {
	is := func(pattern string) bool { ok, err := filepath.Match(pattern, name); return ok && err == nil }
	switch {
	case is("*-run-*.json"), is("*-workflowrun-*.json"), is("*-build-*.json"):
		run, err := decodeRun(raw)
		return showRun(run, err)
	case is("api4jenkins-job-pipeline.json"):
		runs, err := decodeRuns(raw)
		lines := []string{fmt.Sprintf("next %d, queue %v, %d runs", runs.Next, runs.Queue, len(runs.Runs))}
		for _, r := range runs.Runs {
			lines = append(lines, showRun(r, nil)...)
		}
		return also(lines, err)
	case is("*-job-*.json"): // a folder of branches
		_, err := decodeRuns(raw)
		return also(nil, err)
	case is("wfapi-runs-*.json"): // a list of what describe answers
		var list []json.RawMessage
		err := json.Unmarshal(raw, &list)
		var lines []string
		for _, x := range list {
			p, err := decodeProgress(x)
			lines = append(lines, also(showProgress(p), err)...)
		}
		return also(lines, err)
	case is("*-stages-by-run.*.json"): // the stages of what describe answers, by its URL
		var byURL map[string][]stageAnswer
		err := json.Unmarshal(raw, &byURL)
		var lines []string
		for _, url := range slices.Sorted(maps.Keys(byURL)) {
			p, err := progressAnswer{Status: "of …" + url[strings.LastIndex(url, "/job/"):], Stages: byURL[url]}.progress()
			lines = append(lines, also(showProgress(p), err)...)
		}
		return also(lines, err)
	case is("*-pending-input.json"):
		return showInputs(raw)
	case is("*-pendingInputAction-*.json"): // one of the list
		return showInputs(slices.Concat([]byte("["), raw, []byte("]")))
	case is("40*.html"):
		resp := &http.Response{StatusCode: 401, Header: http.Header{}}
		if is("403-*") {
			resp.StatusCode = 403
		}
		return showRefusal(resp, raw)
	case is("*.http"):
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), nil)
		if err != nil {
			return also(nil, err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) { // bodies were shortened
			return also(nil, err)
		}
		return append(showRefusal(resp, body), "session "+resp.Header.Get("X-Jenkins-Session"))
	}
	return []string{"not read by the client"}
}

func also(lines []string, err error) []string {
	if err != nil {
		return append(lines, "error: "+err.Error())
	}
	return lines
}

func showRun(r Run, err error) []string {
	if err != nil {
		return also(nil, err)
	}
	result := r.Result
	if result == "" {
		result = "no result"
	}
	lines := []string{fmt.Sprintf("run %d %q: building %v, %s, started %s, took %s of %s, queue id %d",
		r.Number, r.DisplayName, r.Building, result, r.Started.Format("2006-01-02 15:04:05.000"), r.Duration, r.Estimated, r.QueueID)}
	for _, c := range r.Causes {
		lines = append(lines, fmt.Sprintf("  cause %s %q, user %q", c.Class, c.Text, c.User))
	}
	for _, p := range r.Parameters {
		lines = append(lines, fmt.Sprintf("  parameter %s=%q", p.Name, p.Value))
	}
	for _, g := range r.Git {
		lines = append(lines, fmt.Sprintf("  git %s of %q on %q", g.SHA, g.Remotes, g.Branches))
		commit, err := CommitFrom{Git: g.Remotes[0]}.Commit(r)
		lines = append(lines, also([]string{"  commit " + commit}, err)...)
	}
	for _, text := range r.Interruptions {
		lines = append(lines, fmt.Sprintf("  interrupted: %q", text))
	}
	return lines
}

func showProgress(p Progress) []string {
	lines := []string{"progress " + p.Status}
	for _, s := range p.Stages {
		line := fmt.Sprintf("  stage %s %q: %s, took %s, paused %s", s.ID, s.Name, s.Status, s.Duration, s.Pause)
		if s.Error != "" {
			line += fmt.Sprintf(", error %q", s.Error)
		}
		lines = append(lines, line)
	}
	return lines
}

func showInputs(raw []byte) []string {
	inputs, err := decodeInputs(raw)
	var lines []string
	for _, in := range inputs {
		lines = append(lines, fmt.Sprintf("input %s %q [%s]", in.ID, in.Message, in.Proceed))
		for _, p := range in.Parameters {
			lines = append(lines, fmt.Sprintf("  %s %q, default %v %q, choices %q", p.Type, p.Name, p.HasDefault, p.Default, p.Choices))
		}
	}
	return also(lines, err)
}

func showRefusal(resp *http.Response, body []byte) []string {
	e := refusal(http.MethodGet, resp, body)
	if e == nil {
		return []string{fmt.Sprintf("%d is no refusal", resp.StatusCode)}
	}
	return []string{fmt.Sprintf("%d: %v; of the credentials: %v; permission %q", e.Status, e.Err,
		errors.Is(e, ErrCredentials), e.Err.(*answer).permission)}
}
