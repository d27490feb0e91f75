package slack

import (
	"slices"
	"sync"
	"time"

	"thbot/bot"
)

// hearing is what is known of the sockets as a whole.
type hearing struct {
	mu     sync.Mutex
	hellos []int     // how many connections Slack counted at the last ones
	deaf   time.Time // since when no socket is open
}

// lastHellos is how many hellos have to agree that there are too many
// connections: around a refresh, or a restart, Slack counts old ones too.
const lastHellos = 4

func (h *hearing) hello(counted int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hellos = append(h.hellos, counted)
	h.hellos = h.hellos[max(0, len(h.hellos)-lastHellos):]
}

// open notes how many sockets are open now.
func (h *hearing) open(n int32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case n > 0:
		h.deaf = time.Time{}
	case h.deaf.IsZero():
		h.deaf = time.Now()
	}
}

// Connections says how the sockets are.
func (c *Client) Connections() bot.Connections {
	h := &c.hearing
	h.mu.Lock()
	defer h.mu.Unlock()
	state := bot.Connections{Open: int(c.alive.Load()), Ours: c.o.Sockets, Deaf: h.deaf}
	if len(h.hellos) == lastHellos {
		state.Counted = slices.Min(h.hellos)
	}
	return state
}
