// Package web is the one HTTP client of the integrations: it has a time limit
// and a body limit, says who it is, goes to no other host than it was sent to,
// keeps no cookies and never repeats a request that may have had an effect.
// (net/http itself repeats a GET whose kept connection turns out to be dead.)
package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// UserAgent names the bot to the servers. Treeherder answers 403 to Go's own
// (DISALLOWED_USER_AGENTS in its settings.py).
const UserAgent = "thbot (+Treeherder ChatOps)"

// DialFunc opens a connection, as [net.Dialer.DialContext] does.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Options of a client. The zero value has sensible limits.
type Options struct {
	Dial  DialFunc      // nil: the network
	Limit time.Duration // of a whole request with its body; 0: 4 s
	Body  int64         // bytes of an answer that are read; 0: 16 MiB
	// Redirects lets a GET follow redirects within its host, never from https
	// to http. Others are never followed but returned as they are: Go turns a
	// redirected PATCH or POST into a GET, whose 200 would be read as success,
	// and sends credentials along.
	Redirects bool
}

// ErrTooLarge is returned while reading a body that exceeds the limit.
var ErrTooLarge = errors.New("the answer is larger than the limit")

// NewClient returns a hardened client.
func NewClient(o Options) *http.Client {
	if o.Limit == 0 {
		o.Limit = 4 * time.Second
	}
	if o.Body == 0 {
		o.Body = 16 << 20
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 16
	t.MaxResponseHeaderBytes = 1 << 20
	if o.Dial != nil {
		t.DialContext = o.Dial
		t.Proxy = nil
	}
	return &http.Client{
		Timeout:   o.Limit,
		Transport: transport{t, o.Body},
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			first := via[0]
			if !o.Redirects || first.Method != http.MethodGet || len(via) > 5 ||
				next.URL.Host != first.URL.Host ||
				next.URL.Scheme != first.URL.Scheme && next.URL.Scheme != "https" {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
}

type transport struct {
	*http.Transport
	limit int64
}

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("User-Agent") != UserAgent {
		r = r.Clone(r.Context())
		r.Header.Set("User-Agent", UserAgent)
	}
	resp, err := t.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &limited{resp.Body, t.limit}
	return resp, nil
}

type limited struct {
	io.ReadCloser
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1] // one more than allowed, to tell "exactly" from "more"
	}
	n, err := l.ReadCloser.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n - 1, ErrTooLarge
	}
	return n, err
}

// RetryAfter is how long an answer's Retry-After header, in seconds or as a
// date (RFC 9110, 10.2.3), asks to wait: at most a day, and 0 without one.
func RetryAfter(h http.Header) time.Duration {
	const most = 24 * time.Hour
	v := h.Get("Retry-After")
	if n, err := strconv.ParseUint(v, 10, 64); err == nil {
		return time.Duration(min(n, uint64(most/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return min(max(time.Until(at), 0), most)
	}
	return 0
}

// Error is a call that did not give the answer asked for. It satisfies the
// error interfaces of package bot.
type Error struct {
	System   string // "Jenkins"
	Activity string // "reading run 812"
	Status   int    // of the HTTP answer; 0: there was none
	Err      error
	Wait     time.Duration // how long the server asks to wait
	Final    bool          // trying again cannot help
	Refused  bool          // the server answered that it did nothing
}

func (e *Error) Error() string {
	switch {
	case e.Status != 0 && e.Err != nil:
		return fmt.Sprintf("%s: %s: HTTP %d: %v", e.System, e.Activity, e.Status, e.Err)
	case e.Status != 0:
		return fmt.Sprintf("%s: %s: HTTP %d", e.System, e.Activity, e.Status)
	}
	return fmt.Sprintf("%s: %s: %v", e.System, e.Activity, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Service is the name of the system.
func (e *Error) Service() string { return e.System }

// Retryable is how long to wait, and whether trying again can help.
func (e *Error) Retryable() (time.Duration, bool) { return e.Wait, !e.Final }

// NotSent reports whether the request certainly had no effect: no connection
// was made, or the server says that it did nothing.
func (e *Error) NotSent() bool {
	if e.Refused {
		return true
	}
	var op *net.OpError
	return e.Status == 0 && errors.As(e.Err, &op) && op.Op == "dial"
}
