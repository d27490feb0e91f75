package fakegithub

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"thbot/integrations/fakehttp"
)

// Token is the token that a Server with no Tokens knows.
const Token = "fake-github-token"

// Server is a repository and the REST API in front of it. The zero value is
// ready, empty, and called mozilla/treeherder. Set the fields before it serves.
type Server struct {
	// Repository is "owner/name"; empty: mozilla/treeherder.
	Repository string
	// Tokens are those it knows; one that does not begin with "fake-" is not
	// accepted even so. Empty: [Token].
	Tokens []string
	// Gate, if set, is called with "github GET compare" and the like at each
	// moment of a request: arrived, done, answered. It may block.
	Gate func(call, moment string)

	setUp sync.Once
	mux   *http.ServeMux
	calls map[string]string // by pattern

	mu         sync.Mutex
	graph      graph
	trouble    http.HandlerFunc // answers instead, or nil
	until      time.Time        // when trouble ends by itself, or zero
	journal    []Entry
	unexpected []string
}

// Entry is a request that was answered.
type Entry struct {
	At     time.Time
	Call   string // "GET compare"
	URI    string // "/repos/mozilla/treeherder/compare/…?page=2"
	Status int
}

// AddCommit adds a commit and returns its SHA. It panics if the commit is there
// already or a parent is not: that is a mistake in the world being built.
func (s *Server) AddCommit(c CommitSpec) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sha, err := s.graph.add(c)
	if err != nil {
		panic("fakegithub: " + err.Error())
	}
	return sha
}

// Commits are all commits, in the order in which they were added.
func (s *Server) Commits() []CommitSpec {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.graph.commits)
}

// SetBranch makes branch point at sha, wherever it was. It panics if there is
// no such commit.
func (s *Server) SetBranch(branch, sha string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.graph.at[sha]; !known {
		panic("fakegithub: branch " + branch + " cannot be at " + sha + ", which is not there")
	}
	if s.graph.branches == nil {
		s.graph.branches = map[string]string{}
	}
	s.graph.branches[branch] = sha
}

// Branch is where branch points, or "".
func (s *Server) Branch(branch string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.graph.branches[branch]
}

// Journal lists the requests that were answered, oldest first.
func (s *Server) Journal() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.journal)
}

// Unexpected lists the requests that this fake has no answer to. A test fails
// when there are any.
func (s *Server) Unexpected() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.unexpected)
}

// A route is a call that there is. A path is matched segment by segment; the
// last one, if it ends in "...", takes the rest.
type route struct {
	call   string
	method string
	path   string
	handle func(s *Server, w http.ResponseWriter, r *http.Request)
}

func routes() []route {
	return []route{
		{"GET commit", "GET", "/repos/{owner}/{name}/commits/{ref...}", (*Server).commit},
		{"GET compare", "GET", "/repos/{owner}/{name}/compare/{basehead...}", (*Server).compare},
	}
}

// ServeHTTP answers as api.github.com does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call, handle := s.route(r)
	fakehttp.Serve(w, r, "github "+call, s.Gate, func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		seen := &recorder{ResponseWriter: w}
		s.answer(seen, r, call, handle)
		s.journal = append(s.journal, Entry{time.Now(), call, r.URL.RequestURI(), seen.status})
	})
}

// route finds the call that r makes and what answers it, nil if nothing does.
func (s *Server) route(r *http.Request) (call string, handle http.HandlerFunc) {
	s.setUp.Do(func() {
		s.mux, s.calls = http.NewServeMux(), map[string]string{}
		for _, route := range routes() {
			pattern := route.method + " " + route.path
			s.calls[pattern] = route.call
			s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
				if r.PathValue("owner")+"/"+r.PathValue("name") != s.repository() {
					notFound(w)
					return
				}
				route.handle(s, w, r)
			})
		}
	})
	// A ServeMux redirects what it would clean. GitHub does not.
	if p := r.URL.Path; path.Clean(p) == p {
		if _, pattern := s.mux.Handler(r); pattern != "" {
			return s.calls[pattern], s.mux.ServeHTTP // which fills in the path values
		}
	}
	return r.Method + " " + r.URL.EscapedPath(), nil
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, call string, handle http.HandlerFunc) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-RateLimit-Limit", "5000")
	h.Set("X-RateLimit-Remaining", strconv.Itoa(max(1, 4999-len(s.journal))))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
	switch {
	case s.inTrouble():
		s.trouble(w, r)
	case r.UserAgent() == "":
		h.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("\r\nRequest forbidden by administrative rules. Please make sure your request has a User-Agent header.\r\n"))
	case !s.knows(r.Header.Get("Authorization")):
		refuse(w, http.StatusUnauthorized, "Bad credentials", "rest")
	case handle == nil:
		s.unexpected = append(s.unexpected, call)
		notFound(w)
	default:
		handle(w, r)
	}
}

func (s *Server) repository() string {
	if s.Repository == "" {
		return "mozilla/treeherder"
	}
	return s.Repository
}

func (s *Server) knows(authorization string) bool {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "token") || !strings.HasPrefix(token, "fake-") {
		return false
	}
	if len(s.Tokens) == 0 {
		return token == Token
	}
	return slices.Contains(s.Tokens, token)
}

// refuse answers in the shape of GitHub's errors.
func refuse(w http.ResponseWriter, status int, message, doc string) {
	write(w, status, map[string]string{
		"message":           message,
		"documentation_url": "https://docs.github.com/" + doc,
		"status":            strconv.Itoa(status),
	})
}

func notFound(w http.ResponseWriter) { refuse(w, http.StatusNotFound, "Not Found", "rest") }

func write(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("fakegithub: %v", err)) // unreachable: maps, strings and numbers
	}
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// recorder remembers the status for the journal.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}
