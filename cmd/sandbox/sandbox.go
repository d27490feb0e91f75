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
	ledger   string // as its configuration names it
	data     string // the folder of the databases
	unwatch  context.CancelFunc
	unwatchd chan struct{}
	begun    chan struct{} // closed when the bot was started, or never will be by itself

	mu       sync.Mutex
	broken   outages
	missing  string     // why there are no databases
	looked   []database // at last
	commands []command  // of the bot
	pushes   int
	seed     uint64   // that Slack was hostile by last; 0: it never was
	calls    []record // to Jenkins
}

// outages are what does not work, where the fakes do not say so themselves.
type outages struct {
	Jenkins, GitHub, Bugzilla bool      // switched off
	Key                       bool      // the bot's, revoked at Bugzilla
	Restarted                 time.Time // Jenkins, last
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
		sc.settle()
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
// a ledger of its own. Databases take a few seconds; the bot waits for them, and
// the world does not.
func (s *sandbox) begin() (sc *scene, err error) {
	s.mu.Lock()
	s.scenes++
	n := s.scenes
	s.mu.Unlock()
	file := func(format string) string { return filepath.Join(s.dir, fmt.Sprintf(format, n)) }
	sc = &scene{World: world.New(s.how.Pace), ledger: "sqlite:" + file("thbot-%d.db"), data: file("databases-%d"),
		unwatchd: make(chan struct{}), begun: make(chan struct{})}
	if s.how.World != nil {
		sc.World = s.how.World.New(s.how.Pace)
	}
	sc.bot = &process{config: file("thbot-%d.yaml"), log: s.log, changed: s.touch}
	sc.Jenkins.Boot, sc.Jenkins.Loading = boot, loading
	// GitHub, Bugzilla and the apps have no channel that tells of changes, but
	// what they are asked passes here.
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
	sc.Hostile(s.how.Seed)
	if !s.how.Databases {
		sc.missing = "They were left out, with --databases=false."
		if err := sc.startBot(s.how.Times); err != nil {
			return nil, err
		}
		close(sc.begun)
	}
	ctx, cancel := context.WithCancel(context.Background())
	sc.unwatch = cancel
	go func() { s.watch(ctx, sc); close(sc.unwatchd) }()
	if s.how.Databases {
		go func() { defer close(sc.begun); sc.startAll(ctx, s.how.Times); s.touch() }()
	}
	return sc, nil
}

// startBot starts the bot for the first time.
func (sc *scene) startBot(times string) error {
	if err := sc.configure(times); err != nil {
		return err
	}
	known, err := commands(sc.bot.config, sc.People())
	if err != nil {
		return err
	}
	sc.mu.Lock()
	sc.commands = known
	sc.mu.Unlock()
	_, err = sc.bot.start()
	return err
}

// configure writes the bot's configuration, which it reads when it starts.
func (sc *scene) configure(times string) error {
	return os.WriteFile(sc.bot.config, []byte(sc.Config(sc.ledger, times)), 0o600)
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

// settle gives up what is still being started.
func (sc *scene) settle() {
	sc.unwatch()
	<-sc.unwatchd
	<-sc.begun
}

// end ends the bot, however it takes it, and the world.
func (sc *scene) end() error {
	sc.settle()
	_, err := sc.bot.kill()
	if errors.Is(err, errNotRunning) {
		err = nil
	}
	return errors.Join(err, sc.World.Close(), os.RemoveAll(sc.data))
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
