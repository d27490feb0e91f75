package fakeslack

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"thbot/integrations/fakehttp"
)

// The workspace and the app that is installed in it.
const (
	Team     = "T0FAKE"    // the workspace
	Domain   = "fake"      // its name in addresses
	App      = "A0TH"      // the app
	Bot      = "B0TH"      // its bot
	BotUser  = "U0TH"      // the user it posts as; a channel it is to post in has it as a member
	BotName  = "th"        // that user's name
	Slackbot = "USLACKBOT" // who tells people that a command failed
)

// The tokens that a Server accepts unless told others.
const (
	DefaultBotToken = "xoxb-fake-bot"
	DefaultAppToken = "xapp-fake-app"
)

// Server is a workspace and the servers of Slack around it. The zero value is
// ready; its fields are set before it is used and not changed afterwards.
type Server struct {
	// BaseURL, as in "http://slack.test", is where the app reaches the server:
	// the addresses of the WebSocket and of response_urls are made from it.
	// Empty: the Host of the app's last request.
	BaseURL string
	// BotToken and AppToken are the only tokens accepted, provided that they
	// begin with xoxb-fake- and xapp-fake-. Empty: the default ones.
	BotToken, AppToken string
	// BotScopes and AppScopes are what the tokens may do. Nil: all that the
	// supported calls need.
	BotScopes, AppScopes []string
	// Command is the slash command that leads to the app. Empty: /th.
	Command string
	// RawText sends commands as typed, as for an app without should_escape;
	// otherwise the people, channels and links named in them are marked up.
	RawText bool
	// Subscribed are the events the app subscribed to ("app_mention",
	// "app_home_opened", "message.channels", "message.groups", "message.im",
	// "reaction_added"); each also needs its scope. None unless told.
	Subscribed []string
	// Shortcuts and MessageShortcuts are the callback_ids of the app's global
	// shortcuts and of those in the menu of a message.
	Shortcuts, MessageShortcuts []string
	// NoHome says that the app has no Home tab.
	NoHome bool
	// NoMessages says that the app's Messages tab is off, as it is unless its
	// manifest says otherwise: it can write to nobody directly, nor they to it.
	NoMessages bool
	// Tiers limits calls as Slack does: each method per minute by its tier, and
	// one message a second in a channel. Otherwise only [Server.RateLimit] does.
	Tiers bool
	// Gate, if set, is called at the moments of everything that crosses the
	// wire and may block; see the package comment.
	Gate func(call, moment string)
	// Ping is how often a WebSocket is pinged. 0: every 10 s, as Slack does;
	// negative: never.
	Ping time.Duration
	// Life is how long a WebSocket lives until it is asked to refresh. 0: until
	// it is dropped.
	Life time.Duration

	mu         sync.Mutex
	changed    chan struct{} // closed and forgotten at the next change
	host       string        // of the app's last request, with its scheme
	last       int64         // the last ts or id that was given out
	people     map[string]Person
	channels   []*channel
	groups     []Group
	journal    []Entry
	unexpected []string
	faults     map[string][]*fault
	tickets    map[string]bool // true: still to be used
	sockets    []*socket       // open ones, in the order they were opened
	opened     int             // sockets ever
	turn       int             // whose turn the next payload is
	duplicates int             // how many payloads are still to be sent twice
	unheard    int             // how many acks are still to be lost
	deliveries map[string]*Delivery
	responses  map[string]*response // by path
	presences  map[string]presence
	unwritable map[string]string // by person: the error of writing to them
	triggers   map[string]*trigger
	modals     map[string][]*view // by person, the one on top last
	homes      map[string]*view   // by person
	events     []*Delivery
	backlog    []*Delivery            // events that no socket was there for
	calls      map[string][]time.Time // of the last minute, by method or channel
}

// An Entry of the journal is a call, an envelope or an ack and what came of it.
type Entry struct {
	At   time.Time
	Call string // named as for Gate
	Note string
}

// ServeHTTP serves the Web API, the WebSocket and the response_urls. It routes
// by itself: http.ServeMux redirects unclean paths, and clients of Slack take
// a redirect for an error.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, "/api/"):
		method := strings.TrimPrefix(path, "/api/")
		s.serve(w, r, method, func(w http.ResponseWriter, r *http.Request) { s.api(w, r, method) })
	case path == "/link/":
		s.link(w, r)
	case strings.HasPrefix(path, "/commands/"), strings.HasPrefix(path, "/actions/"), strings.HasPrefix(path, "/app/"):
		s.serve(w, r, "response_url", s.respond)
	default:
		s.mu.Lock()
		s.surprise("%s %s: no such address", r.Method, path)
		s.mu.Unlock()
		http.NotFound(w, r)
	}
}

// serve answers r with handle, at the gates, unless a fault is due.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, method string, handle http.HandlerFunc) {
	s.mu.Lock()
	s.host = "http://" + r.Host
	if r.TLS != nil {
		s.host = "https://" + r.Host
	}
	f := s.takeFault(method)
	s.mu.Unlock()
	if f.refuses() {
		handle = f.refuse
	}
	fakehttp.Serve(w, r, "slack "+method, func(call, moment string) {
		s.gate(call, moment)
		if f.lose && moment == fakehttp.Done {
			panic(http.ErrAbortHandler) // closes the connection without an answer
		}
	}, handle)
}

func (s *Server) gate(call, moment string) {
	if s.Gate != nil {
		s.Gate(call, moment)
	}
}

// Close hangs up all sockets. The server's other parts are the http.Server's.
func (s *Server) Close() {
	s.DropSockets(KillTCP)
}

// Changed returns a channel that is closed at the next change of anything:
// a message, an entry of the journal, a socket.
func (s *Server) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// Await returns nil once done reports true. It asks now and after every
// change; done may call any method of s.
func (s *Server) Await(ctx context.Context, done func() bool) error {
	for {
		changed := s.Changed()
		if done() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for Slack: %w", context.Cause(ctx))
		}
	}
}

// Journal returns every call, envelope and ack so far.
func (s *Server) Journal() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.journal)
}

// Unexpected returns what the app did that Slack would not understand, or that
// this fake does not know. A test that ends with any has failed.
func (s *Server) Unexpected() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.unexpected)
}

// The methods below are called with s.mu held.

func (s *Server) touch() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

func (s *Server) note(call, format string, args ...any) {
	s.journal = append(s.journal, Entry{time.Now(), call, fmt.Sprintf(format, args...)})
	s.touch()
}

func (s *Server) surprise(format string, args ...any) {
	s.unexpected = append(s.unexpected, fmt.Sprintf(format, args...))
	s.touch()
}

// next gives out numbers that rise and never repeat: the microseconds since
// 1970, so that a world that is started again does not repeat them either.
func (s *Server) next() int64 {
	s.last = max(s.last+1, time.Now().UnixMicro())
	return s.last
}

// id makes an id of the kind that begins with prefix.
func (s *Server) id(prefix string) string {
	return prefix + strings.ToUpper(strconv.FormatInt(s.next(), 36))
}

// stamp writes such a number as Slack's ts.
func stamp(n int64) string { return fmt.Sprintf("%d.%06d", n/1e6, n%1e6) }

func (s *Server) command() string { return or(s.Command, "/th") }

func (s *Server) base() string { return strings.TrimSuffix(or(s.BaseURL, s.host), "/") }

// or is cmp.Or of two, under a name that reads like one.
func or[T comparable](v, otherwise T) T { return cmp.Or(v, otherwise) }
