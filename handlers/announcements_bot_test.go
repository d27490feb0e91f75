package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"thbot/cmd/sandbox/world"
	"thbot/cmd/thbot/app"
)

// life is one process of the bot.
type life struct {
	w      *world.World
	file   string
	stop   context.CancelFunc
	ended  chan error
	fatal  atomic.Int64  // so many commits until it is killed; 0: it is not to be
	struck chan struct{} // closed at that commit
	buried chan struct{} // closed when nothing it does matters any more

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

var errCut = errors.New("this process is dead")

func (l *life) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := l.w.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		return nil, errors.Join(errCut, c.Close())
	}
	l.conns = append(l.conns, c)
	return c, nil
}

// gate stops it for ever at the commit at which it is to be killed. A ledger
// has one writer, so nothing is committed after.
func (l *life) gate(string, string) {
	if l.fatal.Load() > 0 && l.fatal.Add(-1) == 0 {
		close(l.struck)
		<-l.buried
	}
}

// start starts the bot, and waits until it is connected.
func (p *playing) start() {
	p.lives++
	l := &life{w: p.World, file: filepath.Join(p.dir, "thbot.db"), ended: make(chan error, 1), struck: make(chan struct{}), buried: make(chan struct{})}
	if p.life != nil {
		l.file = p.life.file
	}
	p.life = l
	file := filepath.Join(p.dir, "thbot.yaml")
	if err := os.WriteFile(file, []byte(p.Config("sqlite:"+l.file, "idle: 1h, follow: 20s")), 0o600); err != nil {
		p.t.Fatal(err)
	}
	env := world.Env()
	config, secrets, err := app.Load(file, func(name string) string { return env[name] })
	if err != nil {
		p.t.Fatal(err)
	}
	var ctx context.Context
	ctx, l.stop = context.WithCancel(context.Background())
	go func() {
		l.ended <- app.Run(ctx, app.Options{Config: config, Secrets: secrets, Log: p.log(), Dial: l.dial, Gate: l.gate})
	}()
	until, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	if err := p.Slack.Await(until, func() bool { return p.Slack.Sockets() == 2 }); err != nil {
		p.t.Errorf("the bot is not connected: %v", err)
	}
}

func (p *playing) log() *zap.Logger {
	if !testing.Verbose() {
		return zap.NewNop()
	}
	return zap.New(zapcore.NewCore(zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig()), zapcore.AddSync(writer{p.t}), zap.ErrorLevel))
}

// stop lets the bot end as it wants to.
func (p *playing) stop() {
	p.stops++
	p.life.stop()
	if err := <-p.life.ended; err != nil {
		p.t.Errorf("the bot ended with %v", err)
	}
}

// kill ends the bot at one of its next commits, as kill -9 does: what it had
// committed by then stays, and what it had asked for happens.
func (p *playing) kill(commits int) {
	p.kills++
	l := p.life
	l.fatal.Store(int64(commits) + 1)
	select {
	case <-l.struck:
	case <-time.After(time.Hour):
		p.t.Error("the bot wrote nothing for an hour")
		return
	}
	synctest.Wait()
	file := filepath.Join(p.dir, fmt.Sprintf("thbot-%d.db", p.lives))
	for _, end := range []string{"", "-wal"} {
		if err := copyFile(file+end, l.file+end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			p.t.Fatal(err)
		}
	}
	l.mu.Lock()
	l.cut = true
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.mu.Unlock()
	l.stop()
	close(l.buried)
	<-l.ended // of whatever it is: a dead process tells nobody
	l.file = file
}

func copyFile(to, from string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}
