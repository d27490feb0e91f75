package bot_test

import (
	"context"
	"errors"
	"sync"

	"thbot/bot"
)

// store is the ledger as a bot sees it whose process, or whose connection to
// the ledger, is not in order.
type store struct {
	bot.Ledger
	mu       sync.Mutex
	thaw     <-chan struct{}             // the process is frozen as long
	down     bool                        // nothing can be read or written
	rehearse bool                        // every transaction is run twice, once in vain
	chance   func() (before, after bool) // it breaks before, or after it was durable
}

var errAway = errors.New("the ledger is away")

// freeze freezes the process wherever it next comes to the ledger.
func (l *store) freeze() (thaw func()) {
	c := make(chan struct{})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.thaw = c
	return func() { close(c) }
}

func (l *store) breaks(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
}

func (l *store) begin() error {
	l.mu.Lock()
	thaw, down := l.thaw, l.down
	l.mu.Unlock()
	if thaw != nil {
		<-thaw
	}
	if down {
		return errAway
	}
	return nil
}

func (l *store) Do(ctx context.Context, f func(bot.Tx) error) error {
	if err := l.begin(); err != nil {
		return err
	}
	var before, after bool
	if l.chance != nil {
		before, after = l.chance()
	}
	if before {
		return errAway
	}
	if l.rehearse {
		inVain := errors.New("in vain")
		err := l.Ledger.Do(ctx, func(tx bot.Tx) error { return errors.Join(f(tx), inVain) })
		if !errors.Is(err, inVain) {
			return err
		}
	}
	err := l.Ledger.Do(ctx, f)
	if err == nil && after {
		return errAway // though it is durable
	}
	return err
}

func (l *store) View(ctx context.Context, f func(bot.View) error) error {
	if err := l.begin(); err != nil {
		return err
	}
	return l.Ledger.View(ctx, f)
}
