package bot

import (
	"context"
	"errors"
	"time"
)

// Place is where a message goes: a channel, which may be a person's id for their
// direct messages, or with User one person in it, who alone sees it, or with
// Under the thread of a message of ours.
type Place struct {
	Channel string `json:"channel"`
	User    string `json:"user,omitempty"`
	Under   string `json:"under,omitempty"` // key of that message
}

// Chat is what the bot needs of the chat product to speak. An error says by
// [Sent] whether the call may have had its effect, and by [RetryAfter] whether
// and when it is worth another try.
type Chat interface {
	// Post says card in channel, or in the thread of the message with that id,
	// with key as metadata by which Find knows it again, and returns the
	// message's id.
	Post(ctx context.Context, channel, thread string, card Card, key string) (id string, err error)
	// Update replaces a message of our own. Nobody is notified.
	Update(ctx context.Context, channel, id string, card Card) error
	// Whisper says card to one person in channel. It cannot be found or
	// updated later.
	Whisper(ctx context.Context, channel, user string, card Card) error
	// Find returns the id of our own message with that key, posted since then in
	// channel or in that thread, or "" when there certainly is none.
	Find(ctx context.Context, channel, thread, key string, since time.Time) (id string, err error)
	// OpenModal shows m to the person whose command or press brought trigger,
	// and returns the window's id. An error wraps ErrTaken if trigger has opened
	// one already.
	OpenModal(ctx context.Context, trigger string, m Modal) (view string, err error)
	// UpdateModal replaces what a window shows. An error wraps ErrNotFound if it
	// is not open any more. What m says is never logged.
	UpdateModal(ctx context.Context, view string, m Modal) error
	// Permalink is the address of a message.
	Permalink(channel, id string) string
}

// Errors by which the core decides. Integrations wrap them or satisfy the
// interfaces below.
var (
	ErrNotFound = errors.New("not found")
	ErrTaken    = errors.New("already there")
	ErrMoved    = errors.New("changed by somebody else meanwhile")
)

// NotSent reports whether err says for certain that the request had no effect.
func NotSent(err error) bool {
	var e interface{ NotSent() bool }
	return errors.As(err, &e) && e.NotSent()
}

// RetryAfter is how long the far side asks to wait, and whether trying again
// can help at all. An error that does not say may be tried again.
func RetryAfter(err error) (wait time.Duration, again bool) {
	var e interface {
		Retryable() (time.Duration, bool)
	}
	if errors.As(err, &e) {
		return e.Retryable()
	}
	return 0, true
}

// Service is the name of the system that err comes from ("Jenkins"), or "".
func Service(err error) string {
	var e interface{ Service() string }
	if errors.As(err, &e) {
		return e.Service()
	}
	return ""
}
