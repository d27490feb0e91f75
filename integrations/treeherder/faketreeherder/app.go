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
	// Host is the one host it answers to, as Django's ALLOWED_HOSTS has it, beside
	// localhost and 127.0.0.1. Another Host header is a 400. Empty: any.
	Host string
	// HTTPS redirects what does not come over https, as where SITE_URL does.
	// Behind a proxy that is said by X-Forwarded-Proto.
	HTTPS bool
	// Gate, if set, is called with "treeherder GET __version__", or with a
	// Name "treeherder stage GET __version__", at each moment of a request:
	// arrived, done, answered. It may block.
	Gate func(call, moment string)

	mu         sync.Mutex
	deployed   bool   // else there is no version.json
	old, new   string // what the pods serve
	share      int    // percent of answers that are new's
	owed       int    // percents of an answer that new is behind
	revision   string // in /revision.txt, or empty for the placeholder
	heartbeat  string // what /__heartbeat__ says; empty: warning
	broken     bool
	status     int
	body       string
	pace       *pace // of bodies, or nil
	journal    []Entry
	unexpected []string
}

// Entry is a request that was answered.
type Entry struct {
	At     time.Time
	Call   string // "GET __version__"
	Status int
}

// Stub is what the version.json in Treeherder's repository has for a commit: an
// image that was not built by CI serves it.
const Stub = "stub"

// Placeholder is what /revision.txt says in an image (ui/revision.txt in
// Treeherder's repository; nothing has overwritten it since September 2021).
const Placeholder = "In production this file will be overwritten with the Git revision, for use by:\n" +
	"* the UI's \"New version of Treeherder has been deployed\" notification\n" +
	"* the What's Deployed tool\n"

// Serve deploys commit, finishes a rollout and mends what was broken.
func (a *App) Serve(commit string) { a.deploy(commit, commit, 100) }

// Rollout has old and new pods answer in turn, the old ones first.
func (a *App) Rollout(old, new string) { a.deploy(old, new, 50) }

func (a *App) deploy(old, new string, share int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.deployed, a.broken = true, false
	a.old, a.new, a.share, a.owed = old, new, share, 0
}

// Share sets how many of a hundred answers come from the new pods of a rollout.
// They are spread evenly: with 25, every fourth.
func (a *App) Share(percent int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.share, a.owed = min(max(percent, 0), 100), 0
}

// Revision puts text into /revision.txt, as deploys did until September 2021,
// or with "" the placeholder back.
func (a *App) Revision(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.revision = text
}

// Heartbeat makes /__heartbeat__ say "ok", "warning", which is usual, "error" or
// "critical"; the last two come with a 500.
func (a *App) Heartbeat(status string) {
	if !slices.Contains([]string{"ok", "warning", "error", "critical"}, status) {
		panic("faketreeherder: there is no heartbeat " + status)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.heartbeat = status
}

// Break answers with status and body until [App.Serve], [App.Rollout] or
// [App.Mend].
func (a *App) Break(status int, body string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.broken, a.status, a.body = true, status, body
}

// Mend ends Break, Hang and Trickle; the app serves what it served.
func (a *App) Mend() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.broken = false
	a.setPace(nil)
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
	a.mu.Lock()
	if a.pace != nil {
		w = &paced{w, r.Context(), a.pace}
	}
	a.mu.Unlock()
	fakehttp.Serve(w, r, system+call, a.Gate, func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		status := a.answer(w, r, call)
		a.journal = append(a.journal, Entry{time.Now(), call, status})
	})
}

// answer goes the way of a request through MIDDLEWARE in settings.py: security,
// static files, what is common, Dockerflow.
func (a *App) answer(w http.ResponseWriter, r *http.Request, call string) (status int) {
	say := func(status int, kind, body string) int {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
		return status
	}
	page := func(status int, body string) int { return say(status, "text/html; charset=utf-8", body) }
	if a.broken { // whatever stands before Django
		if strings.HasPrefix(a.body, "{") {
			return say(a.status, "application/json", a.body)
		}
		return page(a.status, a.body)
	}
	wrongHost := func() int { return page(http.StatusBadRequest, "<h1>Bad Request (400)</h1>") }

	if a.HTTPS && r.TLS == nil && r.Header.Get("X-Forwarded-Proto") != "https" {
		if !a.answersTo(r) {
			return wrongHost()
		}
		w.Header().Set("Location", "https://"+r.Host+r.URL.RequestURI())
		return page(http.StatusMovedPermanently, "")
	}
	if call == "GET revision.txt" { // static, so neither host nor agent matter
		w.Header().Set("Cache-Control", "max-age=60, public")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Vary", "Accept-Encoding")
		text := a.revision
		if text == "" {
			text = Placeholder
		}
		return say(http.StatusOK, `text/plain; charset="utf-8"`, text)
	}
	if disallowed(r.UserAgent()) {
		return page(http.StatusForbidden, "<h1>403 Forbidden</h1>")
	}
	if !a.answersTo(r) {
		return wrongHost()
	}
	switch call { // dockerflow/django/views.py
	case "GET __version__":
		return a.version(say, page)
	case "GET __heartbeat__":
		status := a.heartbeat
		if status == "" {
			status = "warning" // the checks for a deployment always find something
		}
		code := http.StatusOK
		if status == "error" || status == "critical" {
			code = http.StatusInternalServerError
		}
		return say(code, "application/json", `{"status": "`+status+`"}`)
	case "GET __lbheartbeat__":
		return page(http.StatusOK, "")
	}
	a.unexpected = append(a.unexpected, call)
	return page(http.StatusNotFound, "<h1>Not Found</h1>")
}

func (a *App) version(say func(int, string, string) int, page func(int, string) int) int {
	if !a.deployed {
		return page(http.StatusNotFound, "version.json not found")
	}
	commit := a.old
	if a.owed += a.share; a.owed >= 100 {
		commit = a.new
		a.owed -= 100
	}
	answer := map[string]string{ // create-version-json in .circleci/config.yml
		"commit":  commit,
		"version": "",
		"source":  "https://github.com/mozilla/treeherder",
		"build":   "https://circleci.com/gh/mozilla/treeherder/1",
	}
	if commit == Stub {
		answer["version"] = Stub
		answer["build"] = "https://tools.taskcluster.net/task-inspector/#XXXXXXXXXXXXXXXXXX"
	}
	b, err := json.Marshal(answer)
	if err != nil {
		panic(err) // unreachable: strings
	}
	return say(http.StatusOK, "application/json", string(b))
}

// answersTo compares the Host header, without its port.
func (a *App) answersTo(r *http.Request) bool {
	host := r.Host
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return a.Host == "" || slices.Contains([]string{strings.ToLower(a.Host), "localhost", "127.0.0.1"}, host)
}

// disallowed are DISALLOWED_USER_AGENTS in settings.py.
func disallowed(agent string) bool {
	return slices.ContainsFunc([]string{"Go-http-client/", "Go 1.1 package http", "libcurl/", "Python-urllib/", "python-requests/"},
		func(prefix string) bool { return strings.HasPrefix(agent, prefix) })
}
