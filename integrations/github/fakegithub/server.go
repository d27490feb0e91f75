package fakegithub

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"thbot/integrations/fakehttp"
)

// Server is some repositories and the API in front of them. The zero value is
// ready, with an empty one called mozilla/treeherder. Set the fields before it
// serves.
type Server struct {
	// Repository is "owner/name" of the first one; empty: mozilla/treeherder.
	Repository string
	// Tokens are those it knows; one that does not begin with "fake-" is not
	// accepted even so. Empty: [Token]. All are those of the person [Login]; for
	// others see [Server.AddToken].
	Tokens []string
	// Anonymous lets public repositories be read without a token, 60 calls an
	// hour, as GitHub does. Otherwise a forgotten token is a 401.
	Anonymous bool
	// Hourly is how many calls an hour a person or an installation has; 0: 5000.
	Hourly int
	// PerMinute is how many points a minute, of one for a read and five for a
	// write; 0: 900.
	PerMinute int
	// Gate, if set, is called with "github GET compare" and the like at each
	// moment of a request: arrived, done, answered. It may block.
	Gate func(call, moment string)

	mu         sync.Mutex
	repos      []*Repo
	granted    map[string]*access // by token
	apps       []*app
	buckets    map[string]*bucket
	trouble    http.HandlerFunc            // answers instead, or nil
	until      time.Time                   // when trouble ends by itself, or zero
	broken     map[string]http.HandlerFunc // answer instead, by call
	requests   int
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

// AddCommit is [Repo.AddCommit] of the first repository.
func (s *Server) AddCommit(c CommitSpec) string { return s.Repo("").AddCommit(c) }

// Commits is [Repo.Commits] of the first repository.
func (s *Server) Commits() []CommitSpec { return s.Repo("").Commits() }

// SetBranch is [Repo.SetBranch] of the first repository.
func (s *Server) SetBranch(branch, sha string) { s.Repo("").SetBranch(branch, sha) }

// Branch is [Repo.Branch] of the first repository.
func (s *Server) Branch(branch string) string { return s.Repo("").Branch(branch) }

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

// ServeHTTP answers as api.github.com does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := find(r)
	fakehttp.Serve(w, r, "github "+target.call, s.Gate, func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		answer := httptest.NewRecorder()
		s.answer(answer, r, target)
		s.journal = append(s.journal, Entry{time.Now(), target.call, r.URL.RequestURI(), answer.Code})
		for k, v := range answer.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

func (s *Server) answer(w *httptest.ResponseRecorder, r *http.Request, t target) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-GitHub-Media-Type", "github.v3; format=json")
	s.requests++
	h.Set("X-GitHub-Request-Id", "FA4E:"+strconv.FormatInt(int64(0x10000+s.requests), 16))
	resource := "core"
	if t.call == "POST graphql" {
		resource = "graphql"
	}
	who, wrong := s.who(r)
	nobody := &access{bucket: anonymous}
	if who == nil {
		s.tell(w, s.bucket(nobody, "core"), perHour0, "core")
	}
	// What is broken stands before any counting.
	if instead := s.inTrouble(t.call); instead != nil {
		if who != nil {
			s.tell(w, s.bucket(who, resource), s.limit(who), resource)
		}
		instead(w, r)
		return
	}
	switch {
	case r.UserAgent() == "":
		h.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("\r\nRequest forbidden by administrative rules. Please make sure your request has a User-Agent header.\r\n"))
		return
	case who == nil:
		refuse(w, http.StatusUnauthorized, wrong, "rest")
		return
	case t.call == "GET rate_limit":
		s.tell(w, s.bucket(who, resource), s.limit(who), resource)
	case !s.count(w, r, who, resource):
		return
	}
	c := &call{s: s, w: w, r: r, who: who, vars: t.vars}
	if t.handle == nil {
		c.unknown(t.call)
		return
	}
	if !c.enter(t) {
		return
	}
	t.handle(c)
	if r.Method == http.MethodGet && w.Code == http.StatusOK {
		s.conditional(w, r, who, resource)
	}
}

// call is one request on its way to an answer.
type call struct {
	s    *Server
	repo *Repo // nil where the call is about none
	who  *access
	w    http.ResponseWriter
	r    *http.Request
	vars map[string]string
}

// enter finds the repository and judges whether this call may be made on it.
func (c *call) enter(t target) bool {
	if t.asApp != (c.who.asApp != nil) {
		message := "A JSON web token could not be decoded"
		if !t.asApp {
			message = "Requires authentication"
		}
		refuse(c.w, http.StatusUnauthorized, message, "rest")
		return false
	}
	if c.who.in != nil && c.who.in.suspended() {
		refuse(c.w, http.StatusForbidden, suspended, "rest")
		return false
	}
	if !t.ofRepo {
		return true
	}
	if id := c.vars["id"]; id != "" {
		n, _ := strconv.ParseInt(id, 10, 64) // no repository is 0
		c.repo = c.s.byID(n)
	} else {
		name := c.vars["owner"] + "/" + c.vars["name"]
		if c.repo = c.s.find(name); c.repo == nil {
			if was := c.s.wasCalled(name); was != nil && c.who.sees(was) {
				c.moved(was, t.rest)
				return false
			}
		}
	}
	if c.repo == nil || !t.asApp && !c.who.sees(c.repo) {
		c.notFound()
		return false
	}
	if !t.asApp && !c.who.may(c.repo, t.need) {
		status, message := c.who.denied()
		c.w.Header().Set("X-Accepted-GitHub-Permissions", strings.Replace(t.need, ":", "=", 1))
		refuse(c.w, status, message, "rest")
		return false
	}
	return true
}

// moved redirects to where a renamed repository is for good: a read with 301,
// a write with 307, which keeps method and body (docs.github.com, "Best
// practices for using the REST API", Follow redirects).
func (c *call) moved(to *Repo, rest string) {
	location := c.root() + "/repositories/" + strconv.FormatInt(to.id, 10) + rest
	if q := c.r.URL.RawQuery; q != "" {
		location += "?" + q
	}
	status := http.StatusMovedPermanently
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		status = http.StatusTemporaryRedirect
	}
	redirect(c.w, status, location)
}

// unknown answers what this fake cannot, and remembers it.
func (c *call) unknown(what string) {
	c.s.unexpected = append(c.s.unexpected, what)
	c.notFound()
}
