// Package fakehttp is what the fakes share: it serves a request in three
// moments at which a test can hold it, or kill whoever asked.
package fakehttp

import (
	"net/http"
	"net/http/httptest"
	"strconv"
)

// The moments of a request.
const (
	Arrived  = "arrived"  // nothing has happened yet
	Done     = "done"     // the effect has happened, the answer has not left
	Answered = "answered" // the answer is on its way
)

// Serve answers r with handle and calls gate, which may be nil, with the name
// of the call at each of the three moments.
func Serve(w http.ResponseWriter, r *http.Request, call string, gate func(call, moment string), handle http.HandlerFunc) {
	if gate == nil {
		gate = func(string, string) {}
	}
	gate(call, Arrived)
	answer := httptest.NewRecorder()
	handle(answer, r)
	gate(call, Done)
	for k, v := range answer.Header() {
		w.Header()[k] = v
	}
	// Without a length the answer would end only after the last gate, and
	// whoever reads to its end would be held there too.
	if answer.Code != http.StatusNoContent && answer.Code != http.StatusNotModified && r.Method != http.MethodHead {
		w.Header().Set("Content-Length", strconv.Itoa(answer.Body.Len()))
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // whoever asked may be dead; that is what the gates are for
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	gate(call, Answered)
}
