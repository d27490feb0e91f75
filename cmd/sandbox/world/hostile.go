package world

import (
	"math/rand/v2"
	"strings"
	"time"

	"thbot/integrations/fakehttp"
	"thbot/integrations/slack/fakeslack"
)

// How hostile a world is: one of so many is hit.
const (
	oneTwice   = 20 // envelopes that Slack delivers twice
	oneLate    = 20 // envelopes that Slack delivers late
	oneLimited = 50 // calls of the Web API that are answered 429
)

// latest is how late an envelope can be: Slack gives an app three seconds from
// when somebody acted, and what is late must still be in time.
const latest = 1500 * time.Millisecond

// hostility decides what is hit. Each sort of misfortune has numbers of its
// own, so that a seed hits the same ones of its sort, whatever happens between
// them.
type hostility struct {
	seed                 uint64
	twice, late, limited *rand.Rand
}

func newHostility(seed uint64) *hostility {
	numbers := func(sort uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, sort)) }
	return &hostility{seed, numbers(1), numbers(2), numbers(3)}
}

// Hostile makes Slack misbehave in small doses, as it does now and then: it
// delivers an envelope twice or late, or answers a call with 429. The seed
// decides which ones; 0 ends it.
func (w *World) Hostile(seed uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hostile = nil; seed != 0 {
		w.hostile = newHostility(seed)
		w.hitNext(w.hostile)
	}
	w.touch()
}

// Hostility is the seed that Slack misbehaves by; 0: it behaves.
func (w *World) Hostility() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hostile == nil {
		return 0
	}
	return w.hostile.seed
}

// hitNext decides whether the next envelope comes twice. It is called with w.mu
// held.
func (w *World) hitNext(h *hostility) {
	if h.twice.IntN(oneTwice) == 0 {
		w.Slack.Duplicate(1)
	}
}

// atSlack is the gate of Slack.
func (w *World) atSlack(call, moment string) {
	if moment == fakehttp.Arrived {
		w.misbehave(call)
	}
	if w.gate != nil {
		w.gate(call, moment)
	}
}

func (w *World) misbehave(call string) {
	var wait time.Duration
	w.mu.Lock()
	switch h := w.hostile; {
	case h == nil, strings.HasPrefix(call, "slack ack "):
	case strings.HasPrefix(call, "slack envelope "):
		w.hitNext(h)
		if h.late.IntN(oneLate) == 0 {
			wait = latest/5 + time.Duration(h.late.Int64N(int64(latest*4/5)))
		}
	default: // the fault of this call was chosen before the gate, so it is the next that is hit
		if h.limited.IntN(oneLimited) == 0 {
			w.Slack.RateLimit(fakeslack.Any, 1, time.Second)
		}
	}
	w.mu.Unlock()
	if wait > 0 {
		select {
		case <-time.After(wait):
		case <-w.closed:
		}
	}
}
