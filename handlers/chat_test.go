package handlers_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"thbot/cmd/sandbox/world"
	"thbot/cmd/thbot/app"
	"thbot/integrations/bugzilla/fakebugzilla"
	"thbot/integrations/fakehttp"
	"thbot/integrations/slack/fakeslack"
)

// TestConversations plays each script of testdata through the real program and
// the fakes, in a bubble of its own. A script says what people do and what
// happens in the world; `chat` prints what was said since, to be compared with
// the transcript in the script. UPDATE=1 rewrites the transcripts.
func TestConversations(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txtar"), func(t *testing.T) {
			text, err := os.ReadFile(script)
			if err != nil {
				t.Fatal(err)
			}
			for _, must := range []string{"proceeds", "posts", "live production"} {
				if !regexp.MustCompile(`(?m)^` + must + ` `).Match(text) {
					t.Errorf("the script never asserts %q of the world", must)
				}
			}
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { play(t, script) })
		})
	}
}

// inBubble lets testscript run in the goroutine of the bubble.
type inBubble struct{ *testing.T }

func (b inBubble) Run(_ string, f func(testscript.T)) { f(b) }
func (b inBubble) Parallel()                          {}
func (b inBubble) Verbose() bool                      { return testing.Verbose() }
func (b inBubble) Log(args ...any)                    { b.T.Helper(); b.T.Log(args...) }
func (b inBubble) Skip(args ...any)                   { b.T.Skip(args...) }

func newStage(t *testing.T) *stage {
	s := &stage{World: world.New(world.Real), t: t, dir: t.TempDir(), seen: map[string]string{}, calls: map[string]int{}}
	s.Bugzilla = &fakebugzilla.Server{Accounts: bugzillaAccounts} // without the world's bugs
	s.Gate(s.slowly)
	s.OnPipe()
	return s
}

func play(t *testing.T, script string) {
	s := newStage(t)
	commands := map[string]func(*testscript.TestScript, bool, []string){}
	for _, all := range []map[string]command{s.peoples(), s.worlds(), s.asserts(), s.modals(), s.onDatabases(), s.onBugs()} {
		for name, f := range all {
			commands[name] = func(ts *testscript.TestScript, neg bool, args []string) {
				ts.Check(f(ts, neg, args))
				if s.rush > 0 {
					s.rush--
					return
				}
				synctest.Wait()
				s.hear()
			}
		}
	}
	defer s.end()
	testscript.RunT(inBubble{t}, testscript.Params{Files: []string{script}, Cmds: commands, UpdateScripts: os.Getenv("UPDATE") != ""})
	for _, what := range s.Unexpected() {
		t.Errorf("a fake was asked for something that the real one would not understand: %s", what)
	}
}

// stage is a world with the bot in it, and what was heard there.
type stage struct {
	*world.World
	t     *testing.T
	dir   string
	heard []string
	seen  map[string]string // what a message looked like when it was heard last
	kept  button
	stop  func()
	logs  *observer.ObservedLogs
	env   sync.Map       // of the bot, over the world's
	calls map[string]int // how many of Bugzilla's have been counted
	edits []string       // of the configuration: what to replace, and by what
	rush  int            // so many further commands are not waited for
	asked int            // GitHub's requests that have been counted
	slow  atomic.Pointer[slowness]
	// databases are Treeherder's, of which there are none unless a script makes some.
	databases databases
}

// command is one that scripts can give.
type command = func(*testscript.TestScript, bool, []string) error

// slowness is how long answers to some calls of GitHub take.
type slowness struct {
	call string
	by   time.Duration
}

func (s *stage) slowly(call, moment string) {
	if slow := s.slow.Load(); slow != nil && moment == fakehttp.Arrived && strings.HasPrefix(call, slow.call) {
		<-time.After(slow.by)
	}
}

type button struct{ message, action, value, style, dialog string }

// start starts the bot. It looks by itself but once an hour, so that a wake-up
// that was lost shows. It watches at odd moments: during a rollout the answers of
// an app depend on how often it was asked, so two must not ask at the same moment.
func (s *stage) start() error {
	file := filepath.Join(s.dir, "thbot.yaml")
	if err := os.WriteFile(file, []byte(strings.NewReplacer(s.edits...).Replace(s.Config("sqlite:"+filepath.Join(s.dir, "thbot.db"), "idle: 1h, watch: 29173ms"))), 0o600); err != nil {
		return err
	}
	env := world.Env()
	config, secrets, err := app.Load(file, func(name string) string {
		if value, ok := s.env.Load(name); ok {
			return value.(string)
		}
		return env[name]
	})
	if err != nil {
		return err
	}
	core, logs := observer.New(zap.InfoLevel)
	if testing.Verbose() {
		out := zapcore.NewCore(zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig()), zapcore.AddSync(writer{s.t}), zap.WarnLevel)
		core = zapcore.NewTee(core, out)
	}
	s.logs = logs
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- app.Run(ctx, app.Options{Config: config, Secrets: secrets, Log: zap.New(core), Dial: s.Dial, Databases: s.databases.open})
	}()
	s.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Errorf("the bot ended with %v", err)
		}
		for _, e := range logs.All() {
			if strings.Contains(e.Message, "panic") {
				s.t.Errorf("%s %v", e.Message, e.ContextMap())
			}
		}
		s.stop = nil
	}
	until, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	return s.Slack.Await(until, func() bool { return s.Slack.Sockets() == 2 })
}

type writer struct{ t *testing.T }

func (w writer) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

func (s *stage) end() {
	if s.stop != nil {
		s.stop()
	}
	s.keepSecrets()
	if err := s.Close(); err != nil {
		s.t.Error(err)
	}
	// go-github leaves the body of an error unclosed, and with it a goroutine
	// that ends with the request's time limit. A bubble's clock stops when its
	// function returns.
	<-time.After(5 * time.Second)
}

// hear adds to the transcript what has been said or changed.
func (s *stage) hear() {
	all := map[string]fakeslack.Message{}
	for _, p := range world.People {
		for _, m := range s.Slack.Messages(p.ID, world.Channel) {
			all[m.TS+m.To] = m
		}
	}
	messages := make([]fakeslack.Message, 0, len(all))
	for _, m := range all {
		messages = append(messages, m)
	}
	slices.SortFunc(messages, func(a, b fakeslack.Message) int { return cmp.Compare(a.TS+a.To, b.TS+b.To) })
	for _, m := range messages {
		now := m.Render()
		before, known := s.seen[m.TS+m.To]
		s.seen[m.TS+m.To] = now
		if known && before != now {
			now = strings.Replace(now, "th: ", "th edits: ", 1)
		}
		if before != now && !(known && before == s.seen[m.TS+m.To]) {
			s.heard = append(s.heard, now)
		}
	}
}

func person(name string) (string, error) {
	for _, p := range world.People {
		if p.Name == name {
			return p.ID, nil
		}
	}
	return "", fmt.Errorf("there is nobody called %s", name)
}

// find looks for the button with that label in the newest message that has one.
func (s *stage) find(who, label string) (button, error) {
	for _, m := range slices.Backward(s.Slack.Messages(who, world.Channel)) {
		for _, b := range m.Buttons() {
			if b.Label == label {
				return button{m.TS, b.ActionID, b.Value, b.Style, b.Dialog}, nil
			}
		}
	}
	return button{}, fmt.Errorf("nobody is shown a button %q", label)
}

func (s *stage) press(name string, b button) error {
	who, err := person(name)
	if err != nil {
		return err
	}
	_, err = s.Slack.Press(who, world.Channel, b.message, b.action, b.value)
	return err
}
