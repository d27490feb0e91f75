package fakejenkins

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// Trouble is what befalls answers on their way: a slow line, a connection that
// breaks, a proxy that gives up. What was asked for has been done.
type Trouble struct {
	Call   string        // befalls calls that contain it, as they are named for Gate; empty: all
	Times  int           // how many of them; 0: all that come
	Slow   time.Duration // passes in the middle of the body
	Cut    bool          // the body ends in its middle, although its length was announced
	Status int           // a proxy's own answer, such as 502 or 504, instead
}

// Disturb makes trouble for answers to come. The first that fits an answer
// befalls it. The zero Trouble ends all of them.
func (s *Server) Disturb(t Trouble) {
	s.update(func() {
		if t == (Trouble{}) {
			s.troubles = nil
			return
		}
		if t.Times == 0 {
			t.Times = -1
		}
		s.troubles = append(s.troubles, &t)
	})
}

// trouble takes the trouble that awaits a call; it may be none.
func (s *Server) trouble(call string) (t Trouble) {
	s.update(func() {
		for _, tr := range s.troubles {
			if tr.Times != 0 && strings.Contains(call, tr.Call) {
				tr.Times--
				t = *tr
				return
			}
		}
	})
	return t
}

func (t Trouble) serve(w http.ResponseWriter, serve func(http.ResponseWriter)) {
	if t.Status == 0 {
		serve(w)
		return
	}
	serve(httptest.NewRecorder())
	page(w, t.Status, http.StatusText(t.Status))
}

func (t Trouble) write(w http.ResponseWriter, r *http.Request) http.ResponseWriter {
	if t.Slow == 0 && !t.Cut {
		return w
	}
	return &troubled{w, r, t}
}

// troubled writes a body, which comes in one piece, as the trouble wants it.
type troubled struct {
	http.ResponseWriter
	r *http.Request
	t Trouble
}

func (w *troubled) Write(b []byte) (int, error) {
	half := len(b) / 2
	if n, err := w.ResponseWriter.Write(b[:half]); err != nil || w.t.Cut {
		// net/http closes a connection whose answer is shorter than it said.
		return n, err
	}
	w.Flush()
	select {
	case <-time.After(w.t.Slow):
	case <-w.r.Context().Done():
	}
	n, err := w.ResponseWriter.Write(b[half:])
	return half + n, err
}

// Flush is there for [http.Flusher].
func (w *troubled) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}
