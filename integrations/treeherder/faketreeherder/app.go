package faketreeherder

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"thbot/integrations/fakehttp"
)

// App is one deployed app. The zero value is ready and has never been
// deployed. Set the fields before it serves.
type App struct {
	// Name tells several apps apart in the names of calls.
	Name string
	// Gate, if set, is called with "treeherder GET __version__", or with a
	// Name "treeherder stage GET __version__", at each moment of a request:
	// arrived, done, answered. It may block.
	Gate func(call, moment string)

	mu         sync.Mutex
	commits    []string // what the pods serve, in turn
	turn       int
	broken     bool
	status     int
	body       string
	journal    []Entry
	unexpected []string
}

// Entry is a request that was answered.
type Entry struct {
	At     time.Time
	Call   string // "GET __version__"
	Status int
}

// Serve deploys commit, finishes a rollout and mends what was broken.
func (a *App) Serve(commit string) { a.deploy(commit) }

// Rollout has old and new pods answer in turn, the old ones first.
func (a *App) Rollout(old, new string) { a.deploy(old, new) }

func (a *App) deploy(commits ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.commits, a.turn, a.broken = commits, 0, false
}

// Break answers with status and body until [App.Serve], [App.Rollout] or
// [App.Mend].
func (a *App) Break(status int, body string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.broken, a.status, a.body = true, status, body
}

// Mend ends Break; the app serves what it served.
func (a *App) Mend() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.broken = false
}

// Journal lists the requests that were answered, oldest first.
func (a *App) Journal() []Entry {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.journal)
}

// Unexpected lists the requests that this fake has no answer to. A test fails
// when there are any.
func (a *App) Unexpected() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.unexpected)
}

// ServeHTTP answers as the app does.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/")
	system := "treeherder "
	if a.Name != "" {
		system += a.Name + " "
	}
	fakehttp.Serve(w, r, system+call, a.Gate, func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		status, body := a.answer(call, r)
		a.journal = append(a.journal, Entry{time.Now(), call, status})
		if strings.HasPrefix(body, "{") {
			w.Header().Set("Content-Type", "application/json")
		} else {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

func (a *App) answer(call string, r *http.Request) (status int, body string) {
	switch {
	case a.broken: // whatever stands before Django
		return a.status, a.body
	case strings.HasPrefix(r.UserAgent(), "Go-http-client/"): // DISALLOWED_USER_AGENTS in settings.py
		return http.StatusForbidden, "<h1>403 Forbidden</h1>"
	case call != "GET __version__":
		a.unexpected = append(a.unexpected, call)
		return http.StatusNotFound, "<h1>Not Found</h1>"
	case len(a.commits) == 0: // dockerflow.django, without a version.json
		return http.StatusNotFound, "version.json not found"
	}
	commit := a.commits[a.turn%len(a.commits)]
	a.turn++
	b, err := json.Marshal(map[string]string{ // create-version-json in .circleci/config.yml
		"commit":  commit,
		"version": "",
		"source":  "https://github.com/mozilla/treeherder",
		"build":   "https://circleci.com/gh/mozilla/treeherder/1",
	})
	if err != nil {
		panic(err) // unreachable: strings
	}
	return http.StatusOK, string(b)
}
