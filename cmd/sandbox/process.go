package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"thbot/cmd/sandbox/world"
	"thbot/cmd/thbot/app"
)

// botConfig is the environment variable that makes this program be the bot,
// with that configuration file.
const botConfig = "THBOT_SANDBOX_BOT"

// beBot is the process that the sandbox starts and kills: the bot itself, as
// cmd/thbot runs it.
func beBot(file string) int {
	// Ctrl-C in a terminal reaches both processes. It is for the sandbox.
	signal.Ignore(os.Interrupt)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	// The sandbox holds the other end of stdin. Where it is no more, neither is
	// the world, and nothing is left to be finished.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(broken)
	}()
	config, secrets, err := app.Load(file, os.Getenv)
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return broken
	}
	log := app.NewLogger(os.Stderr, secrets.All()...)
	log.Info("starting", zap.Int("pid", os.Getpid()))
	if err := app.Run(ctx, app.Options{Config: config, Secrets: secrets, Log: log}); err != nil {
		log.Error("stopping", zap.Error(err))
		return broken
	}
	log.Info("stopped")
	return fine
}

// process is the bot's process, as often as it is started.
type process struct {
	config  string
	log     io.Writer // an *os.File, so that no goroutine copies
	changed func()

	mu       sync.Mutex
	running  *exec.Cmd // nil: it is not running
	stdin    io.Closer
	over     chan struct{} // closed when running has ended
	starts   int
	stopping bool
	killed   bool
	ended    string // how the last one ended
}

// processState is what there is to know of it.
type processState struct {
	Running  bool   `json:"running"`
	Stopping bool   `json:"stopping"`
	PID      int    `json:"pid,omitempty"`
	Starts   int    `json:"starts"`
	Ended    string `json:"ended,omitempty"` // how the last one ended, if none is running
}

func (p *process) state() processState {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := processState{Running: p.running != nil, Stopping: p.stopping, Starts: p.starts, Ended: p.ended}
	if st.Running {
		st.PID = p.running.Process.Pid
	}
	return st
}

var (
	errRunning    = refusal{409, "The bot is running already."}
	errNotRunning = refusal{409, "The bot is not running."}
)

// start starts the bot and returns its process id.
func (p *process) start() (pid int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running != nil {
		return 0, errRunning
	}
	self, err := os.Executable()
	if err != nil {
		return 0, fmt.Errorf("starting the bot: %w", err)
	}
	c := exec.Command(self)
	// Nothing of this program's own environment: there may be real tokens in
	// it, and addresses of real services.
	c.Env = []string{botConfig + "=" + p.config}
	for name, value := range world.Env() {
		c.Env = append(c.Env, name+"="+value)
	}
	c.Stdout, c.Stderr = p.log, p.log
	stdin, err := c.StdinPipe()
	if err != nil {
		return 0, fmt.Errorf("starting the bot: %w", err)
	}
	if err := c.Start(); err != nil {
		return 0, fmt.Errorf("starting the bot: %w", err)
	}
	p.running, p.stdin, p.over = c, stdin, make(chan struct{})
	p.starts++
	p.stopping, p.killed, p.ended = false, false, ""
	go p.wait(c, p.over)
	p.changed()
	return c.Process.Pid, nil
}

func (p *process) wait(c *exec.Cmd, over chan struct{}) {
	err := c.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.killed:
		p.ended = "killed"
	case p.stopping:
		p.ended = "stopped"
	case err == nil:
		p.ended = "ended by itself"
	default:
		p.ended = "ended by itself: " + err.Error()
	}
	p.running, p.stopping = nil, false
	close(over)
	p.changed()
}

// failed notes that it could not even be started.
func (p *process) failed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = "did not start: " + err.Error()
}

// kill is kill -9. It returns when the process is gone.
func (p *process) kill() (pid int, err error) {
	p.mu.Lock()
	c, over := p.running, p.over
	if c == nil {
		p.mu.Unlock()
		return 0, errNotRunning
	}
	p.killed = true
	err = c.Process.Kill()
	p.mu.Unlock()
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return 0, fmt.Errorf("killing the bot: %w", err)
	}
	<-over
	return c.Process.Pid, nil
}

// stop asks the bot to end (SIGTERM), and kills it when it has not after
// patience. It reports whether it came to that.
func (p *process) stop(patience time.Duration) (killed bool, err error) {
	p.mu.Lock()
	c, over := p.running, p.over
	if c == nil {
		p.mu.Unlock()
		return false, errNotRunning
	}
	p.stopping = true
	err = c.Process.Signal(syscall.SIGTERM)
	p.changed()
	p.mu.Unlock()
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return false, fmt.Errorf("stopping the bot: %w", err)
	}
	select {
	case <-over:
		return false, nil
	case <-time.After(patience):
	}
	if _, err := p.kill(); err != nil && !errors.Is(err, errNotRunning) {
		return false, err
	}
	return true, nil
}
