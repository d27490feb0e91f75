package slack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
)

const (
	// stagger keeps the sockets from being refreshed together: slack-go gives
	// up a connection before it opens the next, and Slack gives all
	// connections the same time to live.
	stagger = 5 * time.Second
	// maxPause is the longest wait between attempts to connect. slack-go's own
	// grows to five minutes, so a bot would be missing long after an outage.
	maxPause = 30 * time.Second
	// maxFrame bounds an envelope. A view, the largest thing in one, may have
	// 250 kB.
	maxFrame = 4 << 20
	// lastFrames is the time that the last acknowledgements get to be written
	// before a socket is closed; slack-go does not tell when they are.
	lastFrames = 100 * time.Millisecond
)

// Run receives until ctx ends, and then answers what has arrived already. It
// returns a *CredentialsError when Slack refuses the app token. Whatever else
// happens to its sockets, it opens them again.
func (c *Client) Run(ctx context.Context, r Receiver) error {
	d := newDesk(ctx, c, r)
	// The sockets outlive ctx for as long as answers are under way.
	all, open := errgroup.WithContext(context.WithoutCancel(ctx))
	open, hangUp := context.WithCancel(open)
	defer hangUp()
	for i := range c.o.Sockets {
		s := &socket{Client: c, desk: d, log: c.log.With(zap.Int("socket", i+1))}
		all.Go(func() error {
			if !wait(open, time.Duration(i)*stagger) {
				return nil
			}
			return s.run(open)
		})
	}
	all.Go(func() error {
		select {
		case <-open.Done():
		case <-ctx.Done():
			d.close()
			wait(open, lastFrames)
			hangUp()
		}
		return nil
	})
	err := all.Wait()
	d.close()
	if err != nil {
		return err
	}
	return context.Cause(ctx)
}

// wait returns false if ctx ended before d had passed.
func wait(ctx context.Context, d time.Duration) bool {
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

// socket is one Socket Mode connection, and those that replace it.
type socket struct {
	*Client
	desk *desk
	log  *zap.Logger

	mu   sync.Mutex
	line *line // the connection of now

	// These belong to the goroutine of run.
	live    bool // had its hello
	waiting bool // was opened, had no hello yet
}

// run keeps a connection open until ctx ends.
func (s *socket) run(ctx context.Context) error {
	pause := time.Second
	for {
		began := time.Now()
		err := s.session(ctx)
		s.setLive(false)
		var no *CredentialsError
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &no):
			return no
		case time.Since(began) > time.Minute:
			pause = time.Second
		}
		s.log.Warn("the Slack socket is down", zap.Error(err), zap.Duration("pause", pause))
		if !wait(ctx, pause) {
			return nil
		}
		pause = min(2*pause, maxPause)
	}
}

// session is one client of slack-go, which replaces lost connections by itself
// and at once.
func (s *socket) session(ctx context.Context) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	// gorilla/websocket does not watch ctx during a handshake.
	defer context.AfterFunc(ctx, s.hangUp)()

	dialer := &websocket.Dialer{
		NetDialContext: func(dial context.Context, network, address string) (net.Conn, error) {
			return s.dial(ctx, dial, network, address)
		},
		HandshakeTimeout: s.o.Limit,
		// Slack was seen to drop messages that come in several frames
		// (socketmode.go of slack-go).
		WriteBufferSize: 32 * 1024,
	}
	if s.o.Dial == nil {
		dialer.Proxy = http.ProxyFromEnvironment
	}
	smc := socketmode.New(s.api,
		socketmode.OptionDialer(dialer),
		socketmode.OptionReadLimit(maxFrame),
		socketmode.OptionLog(zap.NewStdLog(s.log)))
	s.waiting = false
	ended := make(chan error, 1)
	go func() { ended <- smc.RunContext(ctx) }()
	for {
		select {
		case err := <-ended:
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			if no := refusesToken("app token", err); no != nil {
				return no
			}
			return s.failed("opening a socket", err)
		case e := <-smc.Events:
			if err := s.event(ctx, smc, e); err != nil {
				end(err)
			}
		}
	}
}

// event handles one event of slack-go and never waits for long: while it does,
// nothing is read, and pings are missed. An error ends the session.
func (s *socket) event(ctx context.Context, smc *socketmode.Client, e socketmode.Event) error {
	switch e.Type {
	case socketmode.EventTypeConnecting:
		s.setLive(false)
		if s.waiting {
			// As with "too_many_websockets" in hello's place: slack-go would
			// try again without a pause.
			s.waiting = false
			return errors.New("the connection ended before Slack's hello")
		}
	case socketmode.EventTypeConnected:
		s.waiting = true
	case socketmode.EventTypeHello:
		s.waiting = false
		s.setLive(true)
		s.log.Info("the Slack socket is open", zap.String("host", e.Request.DebugInfo.Host))
		s.hearing.hello(e.Request.NumConnections)
		if n := e.Request.NumConnections; n > s.o.Sockets {
			s.log.Warn("Slack counts more connections than this process has: unless that is a replica, or one of ours that just ended,"+
				" another process uses our app token and takes commands and presses",
				zap.Int("connections", n), zap.Int("ours", s.o.Sockets))
		}
	case socketmode.EventTypeConnectionError:
		if failed, ok := e.Data.(*slack.ConnectionErrorEvent); ok {
			return s.notConnected(failed)
		}
	case socketmode.EventTypeIncomingError:
		if broken, ok := e.Data.(*slack.IncomingEventError); ok {
			s.log.Info("the Slack socket broke", zap.Error(broken.ErrorObj))
		}
	case socketmode.EventTypeErrorWriteFailed:
		if unsent, ok := e.Data.(*socketmode.ErrorWriteFailed); ok {
			s.log.Warn("an acknowledgement was not sent", zap.String("envelope", unsent.Response.EnvelopeID), zap.Error(unsent.Cause))
			s.hangUp()
			// On the connection that replaces this one it may still be in time.
			ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			defer cancel()
			_ = smc.SendCtx(ctx, *unsent.Response)
		}
	case socketmode.EventTypeInvalidAuth: // its name notwithstanding: HTTP 404, which RunContext returns
	default:
		s.desk.take(smc, e)
	}
	return nil
}

func (s *socket) notConnected(failed *slack.ConnectionErrorEvent) error {
	if no := refusesToken("app token", failed.ErrorObj); no != nil {
		return no
	}
	err := s.failed("opening a socket", failed.ErrorObj)
	s.log.Warn("the Slack socket cannot be opened", zap.Int("attempt", failed.Attempt), zap.Duration("pause", failed.Backoff), zap.Error(err))
	var limited *slack.RateLimitedError
	if failed.Backoff > maxPause && !errors.As(failed.ErrorObj, &limited) {
		return err
	}
	return nil
}

func (s *socket) setLive(live bool) {
	if live != s.live {
		s.live = live
		if live {
			s.hearing.open(s.alive.Add(1))
		} else {
			s.hearing.open(s.alive.Add(-1))
		}
	}
}

// hangUp ends the connection, if there is one.
func (s *socket) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line != nil {
		_ = s.line.Close()
	}
}

// dial opens the connection below TLS and WebSocket, so that every byte counts
// that arrives.
func (s *socket) dial(session, dial context.Context, network, address string) (net.Conn, error) {
	open := s.o.Dial
	if open == nil {
		open = (&net.Dialer{Timeout: s.o.Limit}).DialContext
	}
	conn, err := open(dial, network, address)
	if err != nil {
		return nil, fmt.Errorf("dialing: %w", err)
	}
	l := &line{Conn: conn, after: s.o.Silence}
	l.quiet = time.AfterFunc(l.after, func() {
		if !l.closed.Swap(true) {
			s.log.Warn("nothing arrives on the Slack socket; replacing it", zap.Duration("silence", l.after))
			_ = l.Conn.Close()
		}
	})
	s.mu.Lock()
	s.line = l
	s.mu.Unlock()
	if session.Err() != nil {
		_ = l.Close()
	}
	return l, nil
}

// line is a connection that closes itself when nothing arrives on it: Slack
// pings every ten seconds, while slack-go notices silence only after 30 to 60.
type line struct {
	net.Conn
	after  time.Duration
	quiet  *time.Timer
	closed atomic.Bool
}

func (l *line) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if n > 0 && !l.closed.Load() {
		l.quiet.Reset(l.after)
	}
	return n, err
}

func (l *line) Close() error {
	l.closed.Store(true)
	l.quiet.Stop()
	return l.Conn.Close()
}
