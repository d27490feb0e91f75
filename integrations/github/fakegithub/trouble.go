package fakegithub

import (
	"net/http"
	"time"
)

// Down answers every call with 503 and a page, until [Server.Mend].
func (s *Server) Down() {
	s.instead(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("<!DOCTYPE html><title>Unicorn! &middot; GitHub</title>"))
	}, time.Time{})
}

// Answers answers every call with this, until [Server.Mend].
func (s *Server) Answers(status int, body string) { s.instead(say(status, body), time.Time{}) }

// AnswersTo answers one call, as [Coverage] names it, with this, until
// [Server.Mend]: a 500 without a body to "PATCH ref", or a 404 to "POST
// graphql", as where there is no GraphQL.
func (s *Server) AnswersTo(call string, status int, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken == nil {
		s.broken = map[string]http.HandlerFunc{}
	}
	s.broken[call] = say(status, body)
}

func say(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// Redirect answers every call with a redirect to location, until [Server.Mend].
// A repository that is renamed redirects more faithfully: see [Repo.Rename].
func (s *Server) Redirect(location string) {
	s.instead(func(w http.ResponseWriter, r *http.Request) {
		redirect(w, http.StatusMovedPermanently, location)
	}, time.Time{})
}

// Limit is a rate limit that is reached.
type Limit struct {
	Secondary bool          // else the primary one, of calls an hour
	Status    int           // 0: 403; GitHub sends 429, too
	For       time.Duration // then it is over, in whole seconds, rounded up
	Silent    bool          // a secondary one that does not say for how long
	OtherDoc  bool          // points to a page that go-github does not know
}

// RateLimited answers every call with a rate limit until that is over, or until
// [Server.Mend].
func (s *Server) RateLimited(l Limit) {
	if l.Status == 0 {
		l.Status = http.StatusForbidden
	}
	over := time.Now().Add(l.For + time.Second - 1).Truncate(time.Second)
	s.instead(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !l.Secondary:
			primary(w, l.Status, over)
		case l.Silent:
			w.Header().Del("X-RateLimit-Reset")
			secondary(w, l.Status, time.Time{}, l.OtherDoc)
		default:
			secondary(w, l.Status, over, l.OtherDoc)
		}
	}, over)
}

// Mend ends all trouble.
func (s *Server) Mend() {
	s.instead(nil, time.Time{})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = nil
}

// instead lets trouble answer until then, or with a zero time for good.
func (s *Server) instead(trouble http.HandlerFunc, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble, s.until = trouble, until
}

// inTrouble is what answers call now instead, or nil.
func (s *Server) inTrouble(call string) http.HandlerFunc {
	if s.trouble != nil && (s.until.IsZero() || time.Now().Before(s.until)) {
		return s.trouble
	}
	return s.broken[call]
}
