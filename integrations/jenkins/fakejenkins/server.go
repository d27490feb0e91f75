package fakejenkins

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"thbot/integrations/fakehttp"
)

// The user and token that the zero Server knows.
const (
	User  = "thbot"
	Token = "fake-jenkins-token"
)

// Server is a Jenkins. Its zero value is ready. Fields are set before the first
// request; methods may be called at any time and from any goroutine.
type Server struct {
	// Users are the API tokens by user id. Nil: User with Token.
	Users map[string]string
	// Admins may answer every input, whoever its submitters are.
	Admins []string
	// Denied are the permissions a user lacks, of those that are looked at:
	// "Overall/Read", "Job/Read", "Job/Build", "Job/Cancel".
	Denied map[string][]string
	// ContextPath is where everything lives, such as "/jenkins".
	ContextPath string
	// Root is the configured root URL, which the url fields of answers begin
	// with. It need not be the one that is called. Empty: the one that is called.
	Root string
	// Gate, if set, is called at the three moments of each request, as
	// fakehttp.Serve does: "jenkins POST job/deploy/812/input/Go/proceedEmpty".
	Gate func(call, moment string)
	// OnStage, if set, is told of each stage that ends, with its status, before
	// an answer that ended it leaves, on the goroutine of the request, timer or
	// method that ended it. It may call the server.
	OnStage func(job string, run int, stage, status string)
	// EndWork is how long a run still says that it is building after its result
	// has been set.
	EndWork time.Duration
	// Settling is how long an answered input is not removed, and its pipeline
	// does not go on: it is not listed any more, and a second answer gets 400
	// instead of 404.
	Settling time.Duration
	// Boot is how long a restart answers 503. 0: 5 s.
	Boot time.Duration
	// Loading is how long after that paused runs are not loaded: for the first
	// half what asks for them answers 500, for the second they have no inputs.
	// 0: 10 s.
	Loading time.Duration

	mu         sync.Mutex
	jobs       map[string]*job
	down       bool
	restarts   int
	up, loaded time.Time // of the last restart
	stopped    bool
	timers     map[*time.Timer]bool
	changed    chan struct{}
	told       []func() // hooks to call once the lock is released
	journal    []Effect
	proceeds   []Proceed
	unexpected []string
	called     map[string]int
}

// Effect is something that happened to a run or to the server, by a request or
// by one of the driving methods.
type Effect struct {
	At   time.Time
	Who  string // user id; empty: the pipeline itself, or nobody
	What string // "started", "proceeded", "rejected", "aborted", "stage SUCCESS", "ended SUCCESS", "asked", "restarted", …
	Job  string
	Run  int
	On   string // stage or input id
}

// Proceed is an input answered with yes.
type Proceed struct {
	Job    string
	Run    int
	Input  string
	User   string
	Values map[string]string // what was sent; nil by proceedEmpty
	ByHand bool              // by ProceedByHand, not by a request
	At     time.Time
}

// ServeHTTP answers as Jenkins does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.EscapedPath(), s.ContextPath)
	call := "jenkins " + r.Method + " " + strings.TrimLeft(path, "/")
	fakehttp.Serve(w, r, call, s.Gate, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body) // not under the lock: who sends may be slow
		if err != nil {
			oops(w)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.update(func() { s.serve(w, r, path) })
	})
}

// update runs f alone, then tells the hooks what came of it.
func (s *Server) update(f func()) {
	s.mu.Lock()
	f()
	told := s.told
	s.told = nil
	s.mu.Unlock()
	for _, tell := range told {
		tell()
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, path string) {
	now := time.Now()
	if s.down || now.Before(s.up) {
		unavailable(w)
		return
	}
	if !strings.HasPrefix(r.URL.EscapedPath(), s.ContextPath) {
		notFound(w)
		return
	}
	q := request{Request: r, server: s, w: w, now: now, root: s.root(r)}
	var ok bool
	if q.user, ok = s.authenticate(w, r); !ok {
		return
	}
	// A session's cookie authenticates before the token does, and a request of a
	// session needs a crumb (BasicHeaderProcessor.java, CrumbFilter.java). The
	// bot keeps no cookies.
	if len(r.Cookies()) > 0 {
		s.note("a cookie was sent with " + r.Method + " " + path)
		if r.Method == http.MethodPost {
			noCrumb(w, r)
			return
		}
	}
	w.Header().Set("Set-Cookie", "JSESSIONID.fake=node0"+s.session()+";Path=/;HttpOnly")
	var names []string
	for part := range strings.SplitSeq(path, "/") {
		if part == "" {
			continue // double slashes are tolerated (UriCompliance.LEGACY in winstone)
		}
		name, err := url.PathUnescape(part)
		if err != nil {
			notFound(w)
			return
		}
		names = append(names, name)
	}
	q.route(names)
}

// request is one request being answered, under the lock.
type request struct {
	*http.Request
	server *Server
	w      http.ResponseWriter
	now    time.Time
	root   string // URL of the server in answers
	user   string // "anonymous" without credentials
	job    *job
	run    *run
}

func (q *request) route(names []string) {
	if len(names) == 3 && names[0] == "whoAmI" && isAPI(names[1:]) {
		q.only(http.MethodGet, "GET whoAmI/api/json", q.whoAmI)
		return
	}
	// Everything but the question who one is needs Overall/Read.
	switch {
	case q.user == "anonymous":
		loginNeeded(q.w, q.Request)
		return
	case q.lacks("Overall/Read"):
		denied(q.w, q.user, "Overall/Read", "hudson.model.Hudson.Read")
		return
	}
	var path []string
	for len(names) >= 2 && names[0] == "job" {
		path, names = append(path, names[1]), names[2:]
	}
	if len(path) == 0 {
		q.unexpected()
		return
	}
	if q.job = q.server.jobs[key(path)]; q.job == nil || q.lacks("Job/Read") {
		notFound(q.w)
		return
	}
	if isAPI(names) {
		q.only(http.MethodGet, "GET job/…/api/json", func() { q.json(q.server.jobBean(q.job, q.root)) })
		return
	}
	if len(names) < 2 {
		q.unexpected()
		return
	}
	n, err := strconv.Atoi(names[0])
	if err != nil {
		q.unexpected()
		return
	}
	if q.run = q.job.find(n); q.run == nil {
		notFound(q.w)
		return
	}
	names = names[1:]
	switch {
	case isAPI(names):
		q.only(http.MethodGet, "GET job/…/N/api/json", func() { q.json(q.run.bean(q.root)) })
	case method(names, "wfapi", "describe"):
		q.only(http.MethodGet, "GET job/…/N/wfapi/describe", q.describe)
	case method(names, "wfapi", "pendingInputActions"):
		q.only(http.MethodGet, "GET job/…/N/wfapi/pendingInputActions", q.pendingInputActions)
	case len(names) >= 3 && names[0] == "input":
		q.input(names[1], names[2:])
	default:
		q.unexpected()
	}
}

func isAPI(names []string) bool { return slices.Equal(names, []string{"api", "json"}) }

// method reports whether names are those of a do-method: it ignores what
// follows (MetaClass.registerDoToken in stapler), and gojenkins' "/api/json"
// after each of them depends on it.
func method(names []string, want ...string) bool {
	return slices.Equal(names, want) ||
		len(names) == len(want)+2 && slices.Equal(names[:len(want)], want) && isAPI(names[len(want):])
}

// only counts a call of the coverage table and answers it, if its method is
// the right one.
func (q *request) only(method, call string, answer func()) {
	if q.Method != method {
		if method == http.MethodPost && q.Method == http.MethodGet {
			tryPosting(q.w, q.URL.Path)
			return
		}
		q.unexpected()
		return
	}
	for name := range q.URL.Query() {
		if name != "tree" {
			q.unexpected()
			return
		}
	}
	if q.server.called == nil {
		q.server.called = map[string]int{}
	}
	q.server.called[call]++
	answer()
}

// unexpected answers and remembers what this server does not do. Jenkins might:
// so it is none of the statuses that would mean something.
func (q *request) unexpected() {
	what := q.Method + " " + q.URL.RequestURI()
	q.server.note(what)
	page(q.w, http.StatusNotImplemented, "fakejenkins does not do this: "+what)
}

func (q *request) lacks(permission string) bool {
	return slices.Contains(q.server.Denied[q.user], permission)
}

func (s *Server) note(what string) { s.unexpected = append(s.unexpected, what) }

func (s *Server) authenticate(w http.ResponseWriter, r *http.Request) (user string, ok bool) {
	name, token, given := r.BasicAuth()
	if !given {
		return "anonymous", true
	}
	users := s.Users
	if users == nil {
		users = map[string]string{User: Token}
	}
	for id, t := range users {
		if strings.EqualFold(id, name) && t == token { // ids do not differ by case (IdStrategy.CASE_INSENSITIVE)
			return id, true
		}
	}
	badToken(w, r)
	return "", false
}

func (s *Server) root(r *http.Request) string {
	if s.Root != "" {
		return strings.TrimRight(s.Root, "/")
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host + s.ContextPath
}

// session changes with each start.
func (s *Server) session() string { return fmt.Sprintf("%08x", 0x9a2c8d2b+0x1f3*uint32(s.restarts)) }

// Down takes the way to the server away, or gives it back: a proxy in front
// answers 503 to everything. Runs go on meanwhile.
func (s *Server) Down(down bool) {
	s.update(func() { s.down = down; s.touch() })
}

// Restart restarts Jenkins: 503 for Boot, then a new session whose paused runs
// are not loaded for Loading. Runs stand still until then, and go on after.
func (s *Server) Restart() {
	s.update(func() {
		boot, loading := s.Boot, s.Loading
		if boot == 0 {
			boot = 5 * time.Second
		}
		if loading == 0 {
			loading = 10 * time.Second
		}
		s.restarts++
		s.up = time.Now().Add(boot)
		s.loaded = s.up.Add(loading)
		s.record(Effect{What: "restarted"})
	})
}

// Stop ends all timers: nothing progresses any more.
func (s *Server) Stop() {
	s.update(func() {
		s.stopped = true
		for t := range s.timers {
			t.Stop()
		}
		s.timers = nil
	})
}

// after calls f, alone, unless the server was stopped.
func (s *Server) after(d time.Duration, f func()) {
	if s.stopped {
		return
	}
	if s.timers == nil {
		s.timers = map[*time.Timer]bool{}
	}
	var t *time.Timer
	t = time.AfterFunc(d, func() {
		s.update(func() {
			if s.stopped {
				return
			}
			delete(s.timers, t)
			f()
		})
	})
	s.timers[t] = true
}

// Changed returns a channel that is closed at the next change of a run or of
// the server. Ask for it before looking, or the change may be missed.
func (s *Server) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

func (s *Server) touch() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

func (s *Server) record(e Effect) {
	e.At = time.Now()
	s.journal = append(s.journal, e)
	s.touch()
}

// Journal returns all that happened, in order.
func (s *Server) Journal() []Effect {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.journal)
}

// Proceeds returns the inputs that were answered with yes, in order.
func (s *Server) Proceeds() []Proceed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.proceeds)
}

// Unexpected returns the requests that this server does not know how to answer
// or that no client should make. A test ends by looking that there are none.
func (s *Server) Unexpected() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.unexpected)
}

// Called returns how often a call of [Coverage] was made.
func (s *Server) Called(call string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.called[call]
}

var (
	errNoJob = errors.New("no such job")
	errNoRun = errors.New("no such run, or it is over")
)
