package faketreeherder_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"thbot/integrations/treeherder"
	"thbot/integrations/treeherder/faketreeherder"
)

const commit = "9f8e7d6c5b4a39281706f5e4d3c2b1a098765432"

func get(t *testing.T, url, agent string) int {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if agent != "" {
		req.Header.Set("User-Agent", agent)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestStrict(t *testing.T) {
	app := &faketreeherder.App{}
	app.Serve(commit)
	s := httptest.NewServer(app)
	defer s.Close()
	tests := []struct {
		path, agent string
		want        int
	}{
		{"/__version__", "", 403}, // Go's own
		{"/__version__", "curl/8", 200},
		{"/__version__?x=1", "curl/8", 200},
		{"/__version__/", "curl/8", 404},
		{"/__version__", "Go 1.1 package http", 403},
		{"/__version__", "python-requests/2", 403},
		{"/__version__", "Mozilla (Go-http-client/1.1)", 200},
		{"/revision.txt", "", 200}, // static files come first
		{"/__heartbeat__", "", 403},
		{"/__heartbeat__", "curl/8", 200},
		{"/__lbheartbeat__", "curl/8", 200},
		{"/revision.txt/", "curl/8", 404},
		{"/", "curl/8", 404},
	}
	for _, tt := range tests {
		if got := get(t, s.URL+tt.path, tt.agent); got != tt.want {
			t.Errorf("GET %s as %q is %d, want %d", tt.path, tt.agent, got, tt.want)
		}
	}
	if want := []string{"GET __version__/", "GET revision.txt/", "GET "}; !slices.Equal(app.Unexpected(), want) {
		t.Errorf("unexpected: %q, want %q", app.Unexpected(), want)
	}
	var statuses []int
	for _, e := range app.Journal() {
		statuses = append(statuses, e.Status)
	}
	if want := []int{403, 200, 200, 404, 403, 403, 200, 200, 403, 200, 200, 404, 404}; !slices.Equal(statuses, want) {
		t.Errorf("journal has %v, want %v", statuses, want)
	}
}

// body compares an answer.
func body(url string, status int, want string) error {
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "curl/8")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != status || string(b) != want) {
		err = fmt.Errorf("%d %q, want %d %q", resp.StatusCode, b, status, want)
	}
	return err
}

func TestMend(t *testing.T) {
	app := &faketreeherder.App{}
	s := httptest.NewServer(app)
	defer s.Close()
	for _, step := range []struct {
		do   func()
		want int
	}{
		{func() {}, 404},
		{func() { app.Serve(commit) }, 200},
		{func() { app.Break(503, "") }, 503},
		{func() { app.Mend() }, 200},
	} {
		step.do()
		if got := get(t, s.URL+"/__version__", "curl/8"); got != step.want {
			t.Errorf("status is %d, want %d", got, step.want)
		}
	}
}

// What the table calls supported, the bot's own client can use; what it calls
// missing is refused and remembered.
func TestCoverage(t *testing.T) {
	asks := map[string]func(base string) error{
		"GET __version__": func(base string) error {
			_, err := treeherder.New(treeherder.Options{}).Version(t.Context(), base)
			return err
		},
		"GET __heartbeat__":   func(base string) error { return body(base+"/__heartbeat__", 200, `{"status": "warning"}`) },
		"GET __lbheartbeat__": func(base string) error { return body(base+"/__lbheartbeat__", 200, "") },
		"GET revision.txt":    func(base string) error { return body(base+"/revision.txt", 200, faketreeherder.Placeholder) },
	}
	for _, row := range faketreeherder.Coverage() {
		app := &faketreeherder.App{}
		app.Serve(commit)
		s := httptest.NewServer(app)
		ask := asks[row.Call]
		switch {
		case row.Level == faketreeherder.No:
			method, path, _ := strings.Cut(row.Call, " ")
			req, err := http.NewRequest(method, s.URL+"/"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("User-Agent", "curl/8")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if !slices.Equal(app.Unexpected(), []string{row.Call}) {
				t.Errorf("%s is not there, yet was answered", row.Call)
			}
		case ask == nil:
			t.Errorf("no test calls %s", row.Call)
		default:
			if err := ask(s.URL); err != nil || len(app.Journal()) != 1 || app.Journal()[0].Call != row.Call {
				t.Errorf("%s: %v, journal %v", row.Call, err, app.Journal())
			}
		}
		s.Close()
	}
}
