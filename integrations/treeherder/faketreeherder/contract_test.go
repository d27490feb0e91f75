package faketreeherder_test

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"thbot/integrations/treeherder"
	"thbot/integrations/treeherder/faketreeherder"
)

var deployed = flag.String("treeherder", "", "check the contract with a deployed app, such as https://treeherder.mozilla.org/, instead of the fake; it only reads")

// What the fake and a deployed app have in common:
//
//	go test ./integrations/treeherder/faketreeherder -run Contract -treeherder https://treeherder.mozilla.org/
func TestContract(t *testing.T) {
	base := *deployed
	if base == "" {
		app := &faketreeherder.App{}
		app.Serve(commit)
		s := httptest.NewServer(app)
		defer s.Close()
		base = s.URL + "/"
	}
	c := treeherder.New(treeherder.Options{})
	defer c.Close()
	version, err := c.Version(t.Context(), base)
	if err != nil || !regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(version) {
		t.Errorf("the app serves %q, %v", version, err)
	}
	for _, tt := range []struct {
		path, agent string
		status      int
		kind        string
	}{
		{"__version__", "thbot contract test", 200, "application/json"},
		{"__version__", "", 403, "text/html"}, // Go's own
		{"__heartbeat__", "thbot contract test", 200, "application/json"},
		{"__lbheartbeat__", "thbot contract test", 200, "text/html"},
		{"revision.txt", "", 200, "text/plain"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", base+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if tt.agent != "" {
			req.Header.Set("User-Agent", tt.agent)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		kind := regexp.MustCompile(`^[a-z/]*`).FindString(resp.Header.Get("Content-Type"))
		if resp.StatusCode != tt.status || kind != tt.kind {
			t.Errorf("GET %s as %q is %d %s, want %d %s", tt.path, tt.agent, resp.StatusCode, kind, tt.status, tt.kind)
		}
	}
}
