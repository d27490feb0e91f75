package fakeslack

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Any stands for every method in [Server.RateLimit], [Server.Fail] and [Server.Lose].
const Any = "*"

// A fault is something that goes wrong with the next calls of a method.
type fault struct {
	left   int
	after  time.Duration // 429, with this Retry-After
	status int           // this status
	lose   bool          // no answer, although it was done
	code   string        // this error, with status 200
}

func (f fault) refuses() bool { return f.status != 0 || f.code != "" }

func (f fault) refuse(w http.ResponseWriter, _ *http.Request) {
	if f.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", strconv.Itoa(int(f.after/time.Second)))
		answer(w, f.status, object{"ok": false, "error": "ratelimited"})
		return
	}
	if f.code != "" {
		answer(w, http.StatusOK, object{"ok": false, "error": f.code})
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(f.status)
	fmt.Fprintf(w, "<html><body><h1>%d %s</h1></body></html>", f.status, http.StatusText(f.status))
}

// RateLimit answers the next n calls of method ("chat.postMessage",
// "response_url" or [Any]) with 429 and this Retry-After, which Slack gives in
// whole seconds. Nothing is done.
func (s *Server) RateLimit(method string, n int, retryAfter time.Duration) {
	s.addFault(method, fault{left: n, status: http.StatusTooManyRequests, after: retryAfter})
}

// Fail answers the next n calls of method with this status. Nothing is done.
func (s *Server) Fail(method string, n, status int) {
	s.addFault(method, fault{left: n, status: status})
}

// Refuse answers the next n calls of method with this error of the Web API
// ("invalid_auth"). Nothing is done.
func (s *Server) Refuse(method string, n int, code string) {
	s.addFault(method, fault{left: n, code: code})
}

// Lose does what the next n calls of method ask for and then cuts the
// connection instead of answering.
func (s *Server) Lose(method string, n int) {
	s.addFault(method, fault{left: n, lose: true})
}

func (s *Server) addFault(method string, f fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults == nil {
		s.faults = map[string][]*fault{}
	}
	s.faults[method] = append(s.faults[method], &f)
}

// takeFault returns what goes wrong with this call of method, with s.mu held.
func (s *Server) takeFault(method string) fault {
	for _, name := range []string{method, Any} {
		for len(s.faults[name]) > 0 {
			f := s.faults[name][0]
			if f.left <= 0 {
				s.faults[name] = s.faults[name][1:]
				continue
			}
			f.left--
			switch {
			case f.lose:
				s.note("slack "+method, "its answer will be lost")
			case f.code != "":
				s.note("slack "+method, "answered %s", f.code)
			default:
				s.note("slack "+method, "answered %d", f.status)
			}
			return *f
		}
	}
	return fault{}
}
