package fakegithub

import (
	"net/http"
	"strconv"
	"time"
)

// What a token may ask (docs.github.com, "Rate limits for the REST API").
const (
	hourly    = 5000
	perMinute = 900
	perHour0  = 60 // without a token
	anonymous = "anonymous"
)

// A bucket counts somebody's calls.
type bucket struct {
	used   int
	reset  time.Time // when the hour is over
	points int       // of the secondary limit
	minute time.Time // when the minute is over
}

func (s *Server) bucket(who *access, resource string) *bucket {
	key := who.bucket + " " + resource
	b := s.buckets[key]
	if b == nil {
		if s.buckets == nil {
			s.buckets = map[string]*bucket{}
		}
		b = &bucket{}
		s.buckets[key] = b
	}
	now := time.Now()
	if !now.Before(b.reset) {
		b.used, b.reset = 0, now.Add(time.Hour).Truncate(time.Second)
	}
	if !now.Before(b.minute) {
		b.points, b.minute = 0, now.Add(time.Minute)
	}
	return b
}

func (s *Server) limit(who *access) int {
	switch {
	case who.anonymous():
		return perHour0
	case s.Hourly > 0:
		return s.Hourly
	}
	return hourly
}

// count takes a call into account and reports whether it may be made. If not,
// it is answered.
func (s *Server) count(w http.ResponseWriter, r *http.Request, who *access, resource string) bool {
	b, limit := s.bucket(who, resource), s.limit(who)
	most := perMinute
	if s.PerMinute != 0 {
		most = s.PerMinute
	}
	cost := 1 // a read; writes cost five points
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		cost = 5
	}
	switch {
	case b.used >= limit:
		s.tell(w, b, limit, resource)
		primary(w, http.StatusForbidden, b.reset)
		return false
	case b.points+cost > most:
		s.tell(w, b, limit, resource)
		secondary(w, http.StatusForbidden, b.minute, false)
		return false
	}
	b.used++
	b.points += cost
	s.tell(w, b, limit, resource)
	return true
}

// free takes a call back: a 304 is not counted (docs.github.com, "Best
// practices for using the REST API").
func (s *Server) free(w http.ResponseWriter, who *access, resource string) {
	b := s.bucket(who, resource)
	b.used = max(b.used-1, 0)
	s.tell(w, b, s.limit(who), resource)
}

func (s *Server) tell(w http.ResponseWriter, b *bucket, limit int, resource string) {
	h := w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Used", strconv.Itoa(b.used))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(limit-b.used))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(b.reset.Unix(), 10))
	h.Set("X-RateLimit-Resource", resource)
}

const limitsDoc = "rest/using-the-rest-api/rate-limits-for-the-rest-api"

// primary answers that the calls of the hour are used up.
func primary(w http.ResponseWriter, status int, over time.Time) {
	w.Header().Set("X-RateLimit-Remaining", "0")
	w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(over.Unix(), 10))
	refuse(w, status, "API rate limit exceeded for user ID 1.", limitsDoc)
}

// secondary answers that there were too many calls at once.
func secondary(w http.ResponseWriter, status int, over time.Time, otherDoc bool) {
	doc := limitsDoc
	if !otherDoc {
		doc = "rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"
	}
	if !over.IsZero() {
		w.Header().Set("Retry-After", strconv.Itoa(int((time.Until(over)+time.Second-1)/time.Second)))
	}
	refuse(w, status, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.", doc)
}

// rateLimit is "Get rate limit status", which is not counted itself.
func (c *call) rateLimit() {
	resources := map[string]any{}
	for _, name := range []string{"core", "graphql"} {
		b, limit := c.s.bucket(c.who, name), c.s.limit(c.who)
		resources[name] = map[string]any{"limit": limit, "used": b.used, "remaining": limit - b.used, "reset": b.reset.Unix(), "resource": name}
	}
	c.ok(map[string]any{"resources": resources, "rate": resources["core"]})
}
