package fakebugzilla

import (
	"net/http"
	"strings"
	"time"
)

// Trouble befalls one request to come.
type Trouble struct {
	Call   string        // as Coverage names it; empty: whichever comes first
	After  bool          // what was asked for is done, and only its answer lost; else it is not even done
	Slow   time.Duration // passes before the answer, after what was asked for was done
	Status int           // of an answer instead of the real one; 0: the real one
	Body   string        // of that; JSON if it begins with a brace, a page if with a bracket, else text
}

// Broken is the page of a failure inside.
func Broken() Trouble {
	return Trouble{Status: http.StatusInternalServerError, Body: "<!DOCTYPE html><html><head><title>Internal Error</title></head>" +
		"<body><h1>Internal Error</h1><p>Bugzilla has suffered an internal error.</p></body></html>"}
}

// RateLimited is what a limit says that is reached.
func RateLimited() Trouble {
	return Trouble{Status: http.StatusBadRequest, Body: `{"error":true,"code":32000,"message":"You have exceeded the rate limit.",` +
		`"documentation":"https://bmo.readthedocs.io/en/latest/api/"}`}
}

// TooLong is Varnish's answer to a long address.
func TooLong() Trouble {
	return Trouble{Status: http.StatusRequestURITooLong, Body: "Request-URI Too Long"}
}

// At is t for one kind of call, as Coverage names it.
func (t Trouble) At(call string) Trouble { t.Call = call; return t }

// Lost is t after what was asked for was done.
func (t Trouble) Lost() Trouble { t.After = true; return t }

// Next lets trouble befall one request, the first that it fits. Of several that
// fit, each befalls one, in the order in which they were given.
func (s *Server) Next(t Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, t)
}

// Down answers everything with 503, until [Server.Mend].
func (s *Server) Down() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = true
}

// Mend takes away all trouble, and the block of whoever sent wrong keys.
func (s *Server) Mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down, s.next, s.misses, s.blocked = false, nil, nil, time.Time{}
}

// trouble takes what awaits a call; it may be none.
func (s *Server) trouble(call string) Trouble {
	if s.down {
		return Trouble{Status: http.StatusServiceUnavailable, Body: "<!DOCTYPE html><html><head><title>503 Backend fetch failed</title></head>" +
			"<body><h1>Error 503 Backend fetch failed</h1></body></html>"} // as Varnish in front says it
	}
	for i, t := range s.next {
		if t.Call == "" || t.Call == call {
			s.next = append(s.next[:i:i], s.next[i+1:]...)
			return t
		}
	}
	return Trouble{}
}

func (t Trouble) write(w http.ResponseWriter) {
	kind := "text/plain; charset=UTF-8"
	switch {
	case strings.HasPrefix(t.Body, "{"):
		kind = "application/json; charset=UTF-8"
	case strings.HasPrefix(t.Body, "<"):
		kind = "text/html; charset=UTF-8"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(t.Status)
	_, _ = w.Write([]byte(t.Body))
}
