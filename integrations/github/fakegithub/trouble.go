package fakegithub

import (
	"net/http"
	"strconv"
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
func (s *Server) Answers(status int, body string) {
	s.instead(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}, time.Time{})
}

// Redirect answers every call with a redirect to location, as a renamed
// repository does, until [Server.Mend].
func (s *Server) Redirect(location string) {
	s.instead(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", location)
		refuse(w, http.StatusMovedPermanently, "Moved Permanently", "rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects")
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
		doc := "rest/using-the-rest-api/rate-limits-for-the-rest-api"
		if !l.Secondary {
			w.Header().Set("X-RateLimit-Remaining", "0")
			w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(over.Unix(), 10))
			refuse(w, l.Status, "API rate limit exceeded for user ID 1.", doc)
			return
		}
		if !l.Silent {
			w.Header().Set("Retry-After", strconv.Itoa(int((time.Until(over)+time.Second-1)/time.Second)))
		} else {
			w.Header().Del("X-RateLimit-Reset")
		}
		if !l.OtherDoc {
			doc = "rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"
		}
		refuse(w, l.Status, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.", doc)
	}, over)
}

// Mend ends all trouble.
func (s *Server) Mend() { s.instead(nil, time.Time{}) }

// instead lets trouble answer until then, or with a zero time for good.
func (s *Server) instead(trouble http.HandlerFunc, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble, s.until = trouble, until
}

// inTrouble reports whether something else answers now.
func (s *Server) inTrouble() bool {
	return s.trouble != nil && (s.until.IsZero() || time.Now().Before(s.until))
}
