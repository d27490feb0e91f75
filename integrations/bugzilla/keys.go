package bugzilla

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// ErrKey is wrapped by the error of a request whose API key Bugzilla did not
// accept, now or earlier.
var ErrKey = errors.New("the API key is not accepted")

// ErrNoKey is wrapped by the error of a request for which there is no API key.
var ErrNoKey = errors.New("there is no API key")

// printable is what may stand in a header.
var printable = regexp.MustCompile(`^[!-~]+$`)

// keys gives out the API key. BMO blocks the address that sends five wrong ones
// in a minute (api_key_mismatch in default_rate_limit_rules), for everybody
// behind it. So a key that was refused is not sent again, and until one was
// accepted it goes out with a single request at a time.
type keys struct {
	read  func() (string, error)
	trial chan struct{} // full while a key is tried out

	mu       sync.Mutex
	accepted string
	refused  string
}

func newKeys(read func() (string, error)) *keys {
	if read == nil {
		read = func() (string, error) { return "", nil }
	}
	return &keys{read: read, trial: make(chan struct{}, 1)}
}

// verdict is what an answer says of the key that it was asked with.
type verdict int

const (
	silent  verdict = iota // nothing
	good                   // it is right
	useless                // it is wrong, revoked, or bound to another address
)

// take returns the key for one request. Who takes it must say with done what
// came of it.
func (k *keys) take(ctx context.Context) (key string, done func(verdict), err error) {
	key, known, err := k.look()
	switch {
	case err != nil:
		return "", nil, err
	case known:
		return key, func(v verdict) { k.judge(key, v) }, nil
	}
	select {
	case k.trial <- struct{}{}:
	case <-ctx.Done():
		return "", nil, ctx.Err()
	}
	// Whoever held it until now may have learned something.
	if key, _, err = k.look(); err != nil {
		<-k.trial
		return "", nil, err
	}
	return key, func(v verdict) { k.judge(key, v); <-k.trial }, nil
}

// look reads the key, and says whether it was accepted before.
func (k *keys) look() (key string, known bool, err error) {
	if key, err = k.read(); err != nil {
		return "", false, fmt.Errorf("reading the API key: %w", err)
	}
	key = strings.TrimSpace(key)
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case key == "":
		return "", false, ErrNoKey
	case !printable.MatchString(key):
		return "", false, errors.New("the API key holds characters that no key has")
	case key == k.refused:
		return "", false, ErrKey
	}
	return key, key == k.accepted, nil
}

func (k *keys) judge(key string, v verdict) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch v {
	case good:
		k.accepted = key
	case useless:
		k.refused = key
		if k.accepted == key {
			k.accepted = ""
		}
	}
}
