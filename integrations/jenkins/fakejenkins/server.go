package fakejenkins

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
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
	// Passwords are the passwords by user id. Unlike a token, a password needs a
	// crumb with each POST.
	Passwords map[string]string
	// FullNames are the names of people by user id. Who has none is called by the
	// id.
	FullNames map[string]string
	// Admins may answer every input, whoever its submitters are, and quiet the
	// server down.
	Admins []string
	// NoCrumbs switches the protection against forged requests off.
	NoCrumbs bool
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
	// NoRebuilder is without the plugin Rebuilder, OldRebuilder with one of before
	// 1.34, NoReplay with a workflow-cps of before 2.42, which only replays.
	NoRebuilder, OldRebuilder, NoReplay bool
	// QuietPeriod is how long a new item of the queue waits for more of the same.
	// 0: 5 s; less: not at all.
	QuietPeriod time.Duration
	// Launch is how long an item that has left the queue has no run yet.
	Launch time.Duration
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
	queue      []*item // oldest first, with those that left not long ago
	lastItem   int
	hold       string // why nothing leaves the queue; empty: it does
	quieting   bool
	login      string // where a proxy sends everybody to log in; empty: nowhere
	down       bool
	restarts   int
	sessions   int       // that were begun
	up, loaded time.Time // of the last restart
	stopped    bool
	timers     map[*time.Timer]bool
	troubles   []*Trouble
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
	What string // "started", "proceeded", "rejected", "aborted", "stage SUCCESS", "ended SUCCESS", "asked", "restarted", "queued", "folded", "cancelled", "superseded", "timed out", …
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
	trouble := s.trouble(call)
	fakehttp.Serve(trouble.write(w, r), r, call, s.Gate, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body) // not under the lock: who sends may be slow
		if err != nil {
			oops(w)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		trouble.serve(w, func(w http.ResponseWriter) {
			s.update(func() { s.serve(w, r, path) })
		})
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
	if s.login != "" {
		redirect(w, s.login)
		return
	}
	if r.Method == http.MethodHead { // as GET; net/http leaves the body out
		r = r.Clone(r.Context())
		r.Method = http.MethodGet
	}
	q := request{Request: r, server: s, w: w, now: now, root: s.root(r)}
	if !q.authenticate() {
		return
	}
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
	q.directory = len(names) == 0 || strings.HasSuffix(path, "/")
	q.route(names)
}

func (s *Server) note(what string) { s.unexpected = append(s.unexpected, what) }

func (s *Server) root(r *http.Request) string {
	if s.Root != "" {
		return strings.TrimRight(s.Root, "/")
	}
	return s.calledURL(r)
}

func (s *Server) calledURL(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host + s.ContextPath
}

// serverSession changes with each start.
func (s *Server) serverSession() string {
	return fmt.Sprintf("%08x", 0x9a2c8d2b+0x1f3*uint32(s.restarts))
}

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
		s.quieting = false
		s.record(Effect{What: "restarted"})
		for _, j := range s.jobs {
			for _, r := range j.runs {
				if r.result == "" {
					r.say("Resuming build at " + s.loaded.Format(time.RFC1123) + " after Jenkins restart")
				}
			}
		}
		// The items that wait are kept on disk, those that left are not.
		s.queue = slices.DeleteFunc(s.queue, func(it *item) bool { return it.over() })
		s.maintain()
	})
}

// RequireLogin puts a proxy in front that sends whoever comes to a page to log
// in, instead of letting them through to Jenkins; "" takes it away.
func (s *Server) RequireLogin(url string) {
	s.update(func() { s.login = url })
}

// QuietDown prepares the server for its shutdown, or goes on: nothing leaves the
// queue, and runs stand still, but are answered.
func (s *Server) QuietDown(quiet bool) {
	s.update(func() { s.setQuieting(quiet) })
}

func (s *Server) setQuieting(quiet bool) {
	if s.quieting == quiet {
		return
	}
	s.quieting = quiet
	what := map[bool]string{true: "Pausing (Preparing for shutdown)", false: "Resuming build"}[quiet]
	for _, j := range s.jobs {
		for _, r := range j.runs {
			if r.result == "" {
				r.say(what)
				r.step()
			}
		}
	}
	s.touch()
	s.maintain()
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
	errNoJob  = errors.New("no such job")
	errNoItem = errors.New("no such item in the queue")
	errNoRun  = errors.New("no such run, or it is over")
)
