package main

import (
	"net"
	"net/http"
)

// policy is the Content-Security-Policy of the page: it needs nothing but what
// comes from here.
const policy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard keeps other sites' pages from acting here through somebody's browser.
func guard(h http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, refusal{403, "Only the sandbox's own page may do that, no other site's."})
	}))
	h = cross.Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store") // the next version may be another
		// A site whose name was made to point here (DNS rebinding) would be of
		// the same origin, but its name is not ours.
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !isLoopbackHost(host) {
			refuse(w, refusal{403, "The sandbox only answers to 127.0.0.1 and localhost."})
			return
		}
		h.ServeHTTP(w, r)
	})
}
