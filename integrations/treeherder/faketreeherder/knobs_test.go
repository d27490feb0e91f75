package faketreeherder_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thbot/integrations/fakehttp"
	"thbot/integrations/treeherder"
	"thbot/integrations/treeherder/faketreeherder"
)

const before = "445ee0734d0b3a1f7e5c2b8a9d6f4e3c2b1a0987"

// The share of the new pods is exact, and spread.
func TestShare(t *testing.T) {
	app := &faketreeherder.App{}
	s := httptest.NewServer(app)
	defer s.Close()
	c := treeherder.New(treeherder.Options{})
	for share, want := range map[int]string{
		-1: "oooooooo", 0: "oooooooo", 25: "ooonooon", 50: "onononon", 75: "onnnonnn", 100: "nnnnnnnn", 101: "nnnnnnnn",
	} {
		app.Rollout(before, commit)
		app.Share(share)
		var got strings.Builder
		for range 8 {
			switch v, err := c.Version(t.Context(), s.URL); {
			case err != nil:
				t.Fatal(err)
			case v == before:
				got.WriteByte('o')
			default:
				got.WriteByte('n')
			}
		}
		if got.String() != want {
			t.Errorf("with %d percent the pods answer %s, want %s", share, &got, want)
		}
	}
}

func TestTexts(t *testing.T) {
	app := &faketreeherder.App{}
	s := httptest.NewServer(app)
	defer s.Close()
	check := func(path string, status int, want string) {
		t.Helper()
		if err := body(s.URL+path, status, want); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	check("/__version__", 404, "version.json not found")
	check("/revision.txt", 200, faketreeherder.Placeholder)
	app.Serve(faketreeherder.Stub)
	check("/__version__", 200, `{"build":"https://tools.taskcluster.net/task-inspector/#XXXXXXXXXXXXXXXXXX","commit":"stub",`+
		`"source":"https://github.com/mozilla/treeherder","version":"stub"}`)
	app.Revision(commit + "\n")
	check("/revision.txt", 200, commit+"\n")
	app.Revision("")
	check("/revision.txt", 200, faketreeherder.Placeholder)
	for status, code := range map[string]int{"ok": 200, "warning": 200, "error": 500, "critical": 500} {
		app.Heartbeat(status)
		check("/__heartbeat__", code, `{"status": "`+status+`"}`)
	}
	defer func() {
		if recover() == nil {
			t.Error("any heartbeat is accepted")
		}
	}()
	app.Heartbeat("fine")
}

func TestHostAndScheme(t *testing.T) {
	app := &faketreeherder.App{Host: "Treeherder.test"}
	app.Serve(commit)
	strict := &faketreeherder.App{Host: "treeherder.test", HTTPS: true}
	strict.Serve(commit)
	tests := []struct {
		app              *faketreeherder.App
		url, host, proto string
		status           int
		location         string
	}{
		{app, "http://x/__version__", "treeherder.test", "", 200, ""},
		{app, "http://x/__version__", "TREEHERDER.test:8000", "", 200, ""},
		{app, "http://x/__version__", "127.0.0.1:8000", "", 200, ""},
		{app, "http://x/__version__", "[::1]:8000", "", 400, ""},
		{app, "http://x/__version__", "evil.test", "", 400, ""},
		{app, "http://x/revision.txt", "evil.test", "", 200, ""},
		{strict, "http://x/__version__?a=b", "treeherder.test", "", 301, "https://treeherder.test/__version__?a=b"},
		{strict, "http://x/revision.txt", "treeherder.test", "", 301, "https://treeherder.test/revision.txt"},
		{strict, "http://x/__version__", "evil.test", "", 400, ""},
		{strict, "http://x/__version__", "treeherder.test", "https", 200, ""},
		{strict, "https://x/__version__", "treeherder.test", "", 200, ""},
	}
	for _, tt := range tests {
		r := httptest.NewRequest("GET", tt.url, nil)
		r.Host = tt.host
		r.Header.Set("User-Agent", "curl/8")
		if tt.proto != "" {
			r.Header.Set("X-Forwarded-Proto", tt.proto)
		}
		w := httptest.NewRecorder()
		tt.app.ServeHTTP(w, r)
		if w.Code != tt.status || w.Header().Get("Location") != tt.location {
			t.Errorf("GET %s of %s is %d to %q", tt.url, tt.host, w.Code, w.Header().Get("Location"))
		}
	}
}

// A body that stops half-way or drips costs the asker its time limit; when it
// is over the rest comes.
func TestSlowBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := &faketreeherder.App{}
		app.Serve(commit)
		p := fakehttp.NewPipe()
		s := &http.Server{Handler: app}
		go func() { _ = s.Serve(p) }()
		c := treeherder.New(treeherder.Options{Dial: p.Dial, Limit: 2 * time.Second})
		ask := func() (string, time.Duration, error) {
			begun := time.Now()
			v, err := c.Version(t.Context(), "http://treeherder.test/")
			return v, time.Since(begun), err
		}
		app.Hang()
		if v, took, err := ask(); !errors.Is(err, context.DeadlineExceeded) || took != 2*time.Second {
			t.Errorf("hanging: %q, %v after %v", v, err, took)
		}
		app.Trickle(time.Second)
		if v, took, err := ask(); !errors.Is(err, context.DeadlineExceeded) || took != 2*time.Second {
			t.Errorf("dripping slowly: %q, %v after %v", v, err, took)
		}
		app.Trickle(time.Millisecond)
		if v, took, err := ask(); v != commit || err != nil || took < 100*time.Millisecond || took > time.Second {
			t.Errorf("dripping: %q, %v after %v", v, err, took)
		}
		app.Hang()
		time.AfterFunc(time.Second, app.Mend)
		if v, took, err := ask(); v != commit || err != nil || took != time.Second {
			t.Errorf("mended: %q, %v after %v", v, err, took)
		}
		if v, took, err := ask(); v != commit || err != nil || took != 0 {
			t.Errorf("afterwards: %q, %v after %v", v, err, took)
		}
		c.Close()
		_ = s.Close()
	})
}
