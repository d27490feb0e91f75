package faketreeherder

import (
	"context"
	"net/http"
	"time"
)

// pace is how fast a body goes out.
type pace struct {
	every time.Duration // between two bytes; 0: half of it, then nothing
	over  chan struct{} // closed when it ends
}

// Hang sends of each body only the first half, then nothing, until the asker
// goes away or [App.Mend].
func (a *App) Hang() { a.slow(0) }

// Trickle sends each body a byte at a time with that long between them, until
// [App.Mend].
func (a *App) Trickle(every time.Duration) { a.slow(max(every, 1)) }

func (a *App) slow(every time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.setPace(&pace{every, make(chan struct{})})
}

func (a *App) setPace(p *pace) {
	if a.pace != nil {
		close(a.pace.over)
	}
	a.pace = p
}

// paced is the connection, as slow as the pace. The header says the length of
// the whole body, so what was sent of it is no answer.
type paced struct {
	http.ResponseWriter
	asker context.Context
	pace  *pace
}

func (p *paced) Write(b []byte) (int, error) {
	sent := 0
	for n := p.first(len(b)); sent < len(b); n = 1 {
		if sent > 0 {
			over, err := p.wait()
			if err != nil {
				return sent, err
			}
			if over {
				n = len(b) - sent
			}
		}
		m, err := p.ResponseWriter.Write(b[sent : sent+n])
		sent += m
		if err != nil {
			return sent, err
		}
		p.Flush()
	}
	return sent, nil
}

func (p *paced) first(size int) int {
	if p.pace.every == 0 {
		return max(1, size/2)
	}
	return 1
}

// wait is until the next byte, or until the pace is over.
func (p *paced) wait() (over bool, err error) {
	var next <-chan time.Time // never
	if p.pace.every > 0 {
		timer := time.NewTimer(p.pace.every)
		defer timer.Stop()
		next = timer.C
	}
	select {
	case <-next:
		return false, nil
	case <-p.pace.over:
		return true, nil
	case <-p.asker.Done():
		return false, p.asker.Err()
	}
}

// Flush sends what was written.
func (p *paced) Flush() { _ = http.NewResponseController(p.ResponseWriter).Flush() }
