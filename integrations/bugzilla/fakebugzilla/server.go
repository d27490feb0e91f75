package fakebugzilla

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"thbot/integrations/fakehttp"
)

// What the zero Server knows.
const (
	Key       = "fake-bugzilla-key" // of Login
	Login     = "thbot@example.com"
	Person    = "ana@example.com" // has an account, and no key
	Product   = "Cloud Services"
	Component = "Operations: Releng"
	Group     = "cloud-services-security"
)

// Nobody is whom a bug is assigned to that nobody has taken.
const Nobody = "nobody@mozilla.org"

// First is the number of the first bug.
const First = 1900001

// Server is a Bugzilla. Its zero value is ready, and empty. Set the fields
// before it serves; methods may be called at any time from any goroutine.
type Server struct {
	// Accounts are the people and bots. Nil: Login with Key, and Person.
	Accounts []Account
	// Products by name. Nil: Product with Component.
	Products map[string]Rules
	// Gate, if set, is called with "bugzilla POST bug" and the like at each moment
	// of a request: arrived, done, answered. It may block.
	Gate func(call, moment string)

	mu         sync.Mutex
	bugs       []*Bug // by number, the first is First
	comments   int    // that were written
	lag        int    // bugs that searches see while lagging
	lagging    bool
	revoked    map[string]bool
	misses     []time.Time // wrong keys of the last minute
	blocked    time.Time   // until then
	down       bool
	next       []Trouble
	journal    []Entry
	unexpected []string
}

// Account is a person or a bot.
type Account struct {
	Login, RealName, Nick string
	Key                   string   // empty: none
	Groups                []string // whose bugs it sees
	Disabled              bool
}

// Rules are what bugs of a product can be.
type Rules struct {
	Components  []string
	Versions    []string // nil: "unspecified"
	Groups      []string // to which its bugs can be restricted
	Closed      bool     // to new bugs
	RequireType bool     // else a bug without a type is a task
}

// Entry is a request that was answered.
type Entry struct {
	At     time.Time
	Call   string // "POST bug"
	URI    string // "/rest/bug"
	Login  string // empty: nobody's key
	Status int
}

// Journal lists the requests that were answered, oldest first.
func (s *Server) Journal() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.journal)
}

// Unexpected lists the requests, or the parts of them, that this fake has no
// answer to or that no client should make. A test fails when there are any.
func (s *Server) Unexpected() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.unexpected)
}

// Revoke revokes an API key, as its owner can.
func (s *Server) Revoke(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.revoked == nil {
		s.revoked = map[string]bool{}
	}
	s.revoked[key] = true
}

// Restore lets a revoked API key work again, as if its owner had made it anew.
func (s *Server) Restore(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.revoked, key)
}

// Lag keeps searches from seeing the bugs that are filed from now on, or lets
// them: Bugzilla searches a copy of its database that is a little behind.
func (s *Server) Lag(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lagging, s.lag = on, len(s.bugs)
}

// maxAddress is how long path and query may be, for Varnish in front.
const maxAddress = 8 << 10

// ServeHTTP answers as bugzilla.mozilla.org does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, handle := s.find(r)
	fakehttp.Serve(w, r, "bugzilla "+c.call, s.Gate, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 16<<20)) // not under the lock: who sends may be slow
		if err != nil {
			http.Error(w, "Bad Request", http.StatusBadRequest)
			return
		}
		c.body = body
		answer := httptest.NewRecorder()
		trouble := s.answer(answer, c, handle)
		if trouble.Slow > 0 {
			select {
			case <-time.After(trouble.Slow):
			case <-r.Context().Done():
			}
		}
		for k, v := range answer.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// answer does what was asked, unless trouble comes before it, and writes it down.
func (s *Server) answer(w *httptest.ResponseRecorder, c *call, handle func(*call)) (t Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.now = time.Now()
	c.w = w
	t = s.trouble(c.call)
	if t.Status != 0 {
		c.w = httptest.NewRecorder() // which nobody reads
		t.write(w)
	}
	if t.Status == 0 || t.After {
		s.serve(c, handle)
	}
	s.journal = append(s.journal, Entry{c.now, c.call, c.r.URL.RequestURI(), c.login(), w.Code})
	return t
}

func (s *Server) serve(c *call, handle func(*call)) {
	switch {
	case len(c.r.URL.RequestURI()) > maxAddress:
		plain(c.w, http.StatusRequestURITooLong, "Request-URI Too Long")
	case c.now.Before(s.blocked): // Bugzilla/App/Plugin/BlockIP.pm
		plain(c.w, http.StatusTooManyRequests, "Too Many Requests")
	case c.page:
		handle(c)
	case handle == nil && !strings.HasPrefix(c.r.URL.Path, "/rest/"):
		s.note(c.call)
		page(c.w, http.StatusNotFound, "Page Not Found", nil)
	case handle == nil:
		s.note(c.call)
		c.refuse(http.StatusNotFound, 32614, fmt.Sprintf("A REST API resource was not found for '%s %s'.",
			c.r.Method, strings.TrimPrefix(c.r.URL.Path, "/rest")))
	case c.enter():
		handle(c)
	}
}

func (s *Server) note(what string) { s.unexpected = append(s.unexpected, what) }

// call is one request on its way to an answer.
type call struct {
	s     *Server
	w     http.ResponseWriter
	r     *http.Request
	query url.Values
	body  []byte
	call  string
	page  bool
	id    int // of the bug that the path names, or 0
	who   *Account
	now   time.Time
}

func (c *call) login() string {
	if c.who == nil {
		return ""
	}
	return c.who.Login
}

var (
	ofBug    = regexp.MustCompile(`^/rest/bug/([^/]+)$`)
	comments = regexp.MustCompile(`^/rest/bug/([^/]+)/comment$`)
)

// find says what r means (Server/REST/Resources/Bug.pm).
func (s *Server) find(r *http.Request) (*call, func(*call)) {
	c := &call{s: s, r: r, query: r.URL.Query()}
	named := func(name string, handle func(*call)) (*call, func(*call)) {
		c.call = r.Method + " " + name
		return c, handle
	}
	at := func(match []string) bool {
		if match == nil {
			return false
		}
		id, err := strconv.Atoi(match[1])
		if err != nil {
			id = -1 // an alias, and no bug has one
		}
		c.id = id
		return true
	}
	c.page = true
	switch path := r.URL.Path; {
	case r.Method == http.MethodGet && path == "/show_bug.cgi":
		return named("show_bug.cgi", (*call).showBug)
	case r.Method == http.MethodGet && path == "/enter_bug.cgi":
		return named("enter_bug.cgi", (*call).enterBug)
	}
	c.page = false
	switch path := r.URL.Path; {
	case r.Method == http.MethodGet && path == "/rest/whoami":
		return named("whoami", (*call).whoami)
	case r.Method == http.MethodPost && path == "/rest/bug":
		return named("bug", (*call).create)
	case r.Method == http.MethodGet && path == "/rest/bug":
		return named("bugs", (*call).search)
	case r.Method == http.MethodGet && at(ofBug.FindStringSubmatch(path)):
		return named("bug", (*call).get)
	case r.Method == http.MethodPost && at(comments.FindStringSubmatch(path)):
		return named("comment", (*call).comment)
	}
	return named(strings.TrimPrefix(r.URL.EscapedPath(), "/"), nil)
}

func (s *Server) accounts() []Account {
	list := s.Accounts
	if list == nil {
		list = []Account{
			{Login: Login, RealName: "Treeherder bot", Nick: "thbot", Key: Key},
			{Login: Person, RealName: "Ana", Nick: "ana"},
		}
	}
	return append(slices.Clone(list), Account{Login: Nobody, RealName: "Nobody; OK to take it and work on it", Nick: "nobody"})
}

func (s *Server) account(login string) *Account {
	for _, a := range s.accounts() {
		if strings.EqualFold(a.Login, login) {
			return &a
		}
	}
	return nil
}

func (s *Server) products() map[string]Rules {
	if s.Products == nil {
		return map[string]Rules{Product: {Components: []string{Component}, Groups: []string{Group}}}
	}
	return s.Products
}

// A wrong key counts (default_rate_limit_rules), and whoever has sent more than
// five in a minute is blocked for an hour.
const (
	wrongKeys = 5
	blockFor  = time.Hour
)

// enter finds out who asks (Bugzilla/Auth/Login/APIKey.pm). Nobody may read.
func (c *call) enter() bool {
	key := strings.TrimSpace(c.r.Header.Get("X-BUGZILLA-API-KEY"))
	for _, name := range []string{"api_key", "Bugzilla_api_key"} {
		if c.query.Has(name) {
			c.s.note(c.call + ": a key in the address")
			key = strings.TrimSpace(c.query.Get(name))
			c.query.Del(name)
		}
	}
	if key == "" {
		return true
	}
	for _, a := range c.s.accounts() {
		switch {
		case a.Key != key || !strings.HasPrefix(key, "fake-"):
			continue
		case c.s.revoked[key]:
			c.refuse(http.StatusBadRequest, 306, "The API key you specified has been revoked by the user that created it.")
			return false
		case a.Disabled:
			c.refuse(http.StatusUnauthorized, 301, "Your account has been disabled.")
			return false
		}
		c.who = &a
		return true
	}
	c.s.misses = slices.DeleteFunc(c.s.misses, func(at time.Time) bool { return c.now.Sub(at) >= time.Minute })
	if c.s.misses = append(c.s.misses, c.now); len(c.s.misses) > wrongKeys {
		c.s.blocked = c.now.Add(blockFor)
		c.refuse(http.StatusBadRequest, 32000, "You have exceeded the rate limit.")
		return false
	}
	c.refuse(http.StatusBadRequest, 306, "The API key you specified is invalid. Please check that you typed it correctly.")
	return false
}

// loggedIn refuses what nobody may.
func (c *call) loggedIn() bool {
	if c.who == nil {
		c.refuse(http.StatusUnauthorized, 410, "You must log in before using this part of Bugzilla.")
	}
	return c.who != nil
}
