package world

import (
	"net/http"
	"strings"
)

// answers tells what a service answers. The journal of fakejenkins has what
// happened in it, not what it was asked.
type answers struct {
	service http.Handler
	told    func(call string, status int)
}

func (a answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	noted := &noting{ResponseWriter: w}
	a.service.ServeHTTP(noted, r)
	a.told(r.Method+" "+strings.TrimLeft(r.URL.EscapedPath(), "/"), noted.status)
}

// noting notes the status of an answer.
type noting struct {
	http.ResponseWriter
	status int
}

func (w *noting) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Flush is there for [http.Flusher].
func (w *noting) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// Unwrap is there for [http.ResponseController].
func (w *noting) Unwrap() http.ResponseWriter { return w.ResponseWriter }
