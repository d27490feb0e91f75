package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/fakehttp"
)

// sandbox is a scene, and the page to act on it. It is an http.Handler.
type sandbox struct {
	how     settings
	dir     string
	log     *os.File
	handler http.Handler

	resetting sync.Mutex // held while the scene is exchanged

	mu      sync.Mutex
	scene   *scene
	scenes  int           // how many there were
	changed chan struct{} // closed and forgotten at the next change
}

// scene is one world with the bot in it. A reset begins another.
type scene struct {
	*world.World
	bot      *process
	ledger   string
	unwatch  context.CancelFunc
	unwatchd chan struct{}
	commands []command // of the bot

	mu     sync.Mutex
	broken outages
	pushes int
	seed   uint64   // that Slack was hostile by last; 0: it never was
	calls  []record // to Jenkins
}

// outages are what does not work, where the fakes do not say so themselves.
type outages struct {
	Jenkins, GitHub bool      // switched off
	Restarted       time.Time // Jenkins, last
}

// A restart of Jenkins takes boot until it answers, and loading until it knows
// its waiting runs.
const (
	boot    = 5 * time.Second
	loading = 10 * time.Second
)

// open starts a sandbox.
func open(how settings) (*sandbox, error) {
	dir, err := os.MkdirTemp("", "thbot-sandbox-")
	if err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	s := &sandbox{how: how, dir: dir}
	s.handler = s.routes()
	if s.log, err = os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err == nil {
		s.scene, err = s.begin()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *sandbox) logFile() string { return filepath.Join(s.dir, "bot.log") }

// ServeHTTP serves the page and the interface behind it.
func (s *sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close ends the bot and the world, and forgets them.
func (s *sandbox) Close() error {
	s.resetting.Lock() // for good: there are no more scenes
	var errs []error
	if sc := s.now(); sc != nil {
		if _, err := sc.bot.stop(3 * time.Second); err != nil && !errors.Is(err, errNotRunning) {
			errs = append(errs, err)
		}
		errs = append(errs, sc.end())
	}
	if s.log != nil {
		errs = append(errs, s.log.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

// print says something where the sandbox was started.
func (s *sandbox) print(line string) {
	if s.how.Out != nil {
		_, _ = fmt.Fprintln(s.how.Out, line) // what the page shows, too
	}
}

// now is the scene that is on.
func (s *sandbox) now() *scene {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.scene
}

// begin makes a new world as on an ordinary day, and starts the bot in it with
// a ledger of its own.
func (s *sandbox) begin() (sc *scene, err error) {
	s.mu.Lock()
	s.scenes++
	n := s.scenes
	s.mu.Unlock()
	sc = &scene{World: world.New(s.how.Pace), unwatchd: make(chan struct{})}
	if s.how.World != nil {
		sc.World = s.how.World.New(s.how.Pace)
	}
	sc.Jenkins.Boot, sc.Jenkins.Loading = boot, loading
	// GitHub and the apps have no channel that tells of changes, but what they
	// are asked passes here.
	sc.Gate(func(_, moment string) {
		if moment == fakehttp.Answered {
			s.touch()
		}
	})
	sc.Answered = func(call string, status int) {
		sc.called(call, status)
		s.touch()
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("beginning a new world: %w", err), sc.World.Close())
		}
	}()
	if err := sc.OnLoopback(); err != nil {
		return nil, err
	}
	if err := sc.Usual(); err != nil {
		return nil, err
	}
	config := filepath.Join(s.dir, fmt.Sprintf("thbot-%d.yaml", n))
	ledger := "sqlite:" + filepath.Join(s.dir, fmt.Sprintf("thbot-%d.db", n))
	sc.ledger = ledger
	if err := os.WriteFile(config, []byte(sc.Config(ledger, s.how.Times)), 0o600); err != nil {
		return nil, err
	}
	if sc.commands, err = commands(config, sc.People()); err != nil {
		return nil, err
	}
	sc.Hostile(s.how.Seed)
	sc.bot = &process{config: config, log: s.log, changed: s.touch}
	if _, err := sc.bot.start(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	sc.unwatch = cancel
	go func() { s.watch(ctx, sc); close(sc.unwatchd) }()
	return sc, nil
}

// watch passes on what changes in a scene.
func (s *sandbox) watch(ctx context.Context, sc *scene) {
	for {
		slack, jenkins, rest := sc.Slack.Changed(), sc.Jenkins.Changed(), sc.World.Changed()
		s.touch()
		select {
		case <-slack:
		case <-jenkins:
		case <-rest:
		case <-ctx.Done():
			return
		}
	}
}

// end ends the bot, however it takes it, and the world.
func (sc *scene) end() error {
	_, err := sc.bot.kill()
	if errors.Is(err, errNotRunning) {
		err = nil
	}
	sc.unwatch()
	<-sc.unwatchd
	return errors.Join(err, sc.World.Close())
}

// reset exchanges the scene for a new one.
func (s *sandbox) reset() error {
	s.resetting.Lock()
	defer s.resetting.Unlock()
	next, err := s.begin()
	if err != nil {
		return err
	}
	s.mu.Lock()
	last := s.scene
	s.scene = next
	s.mu.Unlock()
	s.touch()
	return last.end()
}

// Changed returns a channel that is closed at the next change of anything that
// can be seen. Ask for it before looking, or the change may be missed.
func (s *sandbox) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

func (s *sandbox) touch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}
