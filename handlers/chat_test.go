package handlers_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"thbot/bot"
	"thbot/cmd/sandbox/world"
	"thbot/cmd/thbot/app"
	"thbot/integrations/github/fakegithub"
	"thbot/integrations/jenkins/fakejenkins"
	"thbot/integrations/ledger"
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

func play(t *testing.T, script string) {
	s := &stage{World: world.New(world.Real), t: t, dir: t.TempDir(), seen: map[string]string{}}
	s.OnPipe()
	commands := map[string]func(*testscript.TestScript, bool, []string){}
	for name, f := range s.commands() {
		commands[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			ts.Check(f(ts, neg, args))
			synctest.Wait()
			s.hear()
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
	edits []string // of the configuration: what to replace, and by what
}

type button struct{ message, action, value string }

// start starts the bot. It looks by itself but once an hour, so that a wake-up
// that was lost shows.
func (s *stage) start() error {
	file := filepath.Join(s.dir, "thbot.yaml")
	if err := os.WriteFile(file, []byte(strings.NewReplacer(s.edits...).Replace(s.Config("sqlite:"+filepath.Join(s.dir, "thbot.db"), "idle: 1h"))), 0o600); err != nil {
		return err
	}
	env := world.Env()
	config, secrets, err := app.Load(file, func(name string) string { return env[name] })
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
		ended <- app.Run(ctx, app.Options{Config: config, Secrets: secrets, Log: zap.New(core), Dial: s.Dial})
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
				return button{m.TS, b.ActionID, b.Value}, nil
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

func (s *stage) commands() map[string]func(*testscript.TestScript, bool, []string) error {
	say := func(f string, args ...any) { s.heard = append(s.heard, fmt.Sprintf(f, args...)) }
	return map[string]func(*testscript.TestScript, bool, []string) error{
		// usual makes the usual world and starts the bot; empty only starts it.
		"usual": func(_ *testscript.TestScript, _ bool, _ []string) error {
			if err := s.Usual(); err != nil {
				return err
			}
			return s.start()
		},
		"start": func(_ *testscript.TestScript, _ bool, _ []string) error { return s.start() },
		"quit":  func(_ *testscript.TestScript, _ bool, _ []string) error { s.stop(); return nil },
		// configure OLD NEW changes the configuration, for the next start.
		"configure": func(_ *testscript.TestScript, _ bool, args []string) error {
			s.edits = append(s.edits, args...)
			return nil
		},
		// say PERSON TEXT types it; elsewhere CHANNEL PERSON TEXT does so in another channel.
		"say": func(_ *testscript.TestScript, _ bool, args []string) error {
			who, err := person(args[0])
			if err != nil {
				return err
			}
			say("%s: %s", args[0], args[1])
			_, err = s.Slack.Say(who, world.Channel, args[1])
			return err
		},
		"elsewhere": func(_ *testscript.TestScript, _ bool, args []string) error {
			who, err := person(args[1])
			if err != nil {
				return err
			}
			_, err = s.Slack.Say(who, args[0], args[2])
			if err != nil {
				return err
			}
			synctest.Wait()
			say("%s in %s: %s", args[1], args[0], args[2])
			for _, m := range s.Slack.Messages(who, args[0]) {
				say("%s", m.Render())
			}
			return nil
		},
		// press PERSON LABEL [PERSON …] lets them press at the same moment.
		"press": func(_ *testscript.TestScript, _ bool, args []string) error {
			first, err := person(args[0])
			if err != nil {
				return err
			}
			b, err := s.find(first, args[1])
			if err != nil {
				return err
			}
			for _, name := range append([]string{args[0]}, args[2:]...) {
				say("%s presses %s", name, args[1])
				if err := s.press(name, b); err != nil {
					return err
				}
			}
			return nil
		},
		// keep LABEL remembers a button that is shown now; again PERSON presses it,
		// as somebody whose screen still shows it.
		"keep": func(_ *testscript.TestScript, _ bool, args []string) (err error) {
			s.kept, err = s.find("U0ANA", args[0])
			return err
		},
		"again": func(_ *testscript.TestScript, _ bool, args []string) error {
			who, err := person(args[0])
			if err != nil {
				return err
			}
			say("%s presses the button of before", args[0])
			_, err = s.Slack.PressStale(who, world.Channel, s.kept.message, s.kept.action, s.kept.value)
			return err
		},
		// dies PERSON LABEL-OR-COMMAND ends the bot, with that in its ledger and
		// acknowledged, but not yet judged.
		"dies": func(_ *testscript.TestScript, _ bool, args []string) error {
			who, err := person(args[0])
			if err != nil {
				return err
			}
			r := bot.Received{Key: fmt.Sprint("T0FAKE:", time.Now().UnixNano(), args)}
			if strings.HasPrefix(args[1], "/th ") {
				say("%s: %s", args[0], args[1])
				r.Request = &bot.Request{Key: r.Key, Person: who, Channel: world.Channel, Text: args[1][4:]}
			} else {
				b, err := s.find(who, args[1])
				if err != nil {
					return err
				}
				say("%s presses %s", args[0], args[1])
				r.Press = &bot.Press{Key: r.Key, Person: who, Channel: world.Channel, Message: b.message, Verb: b.action, Value: b.value}
			}
			if s.stop != nil {
				s.stop()
			}
			store, err := ledger.Open(context.Background(), ledger.Options{URL: "sqlite:" + filepath.Join(s.dir, "thbot.db")})
			if err != nil {
				return err
			}
			err = store.Do(context.Background(), func(tx bot.Tx) error {
				r.At, r.Due = tx.Now(), tx.Now()
				return tx.AddReceived(r)
			})
			return errors.Join(err, store.Close())
		},
		// twice makes Slack deliver the next envelope twice.
		"twice": func(_ *testscript.TestScript, _ bool, _ []string) error { s.Slack.Duplicate(1); return nil },
		// later lets time pass.
		"later": func(_ *testscript.TestScript, _ bool, args []string) error {
			d, err := time.ParseDuration(args[0])
			<-time.After(d)
			say("-- %s later", args[0])
			return err
		},
		// chat prints what was said since the last chat.
		"chat": func(ts *testscript.TestScript, _ bool, _ []string) error {
			_, err := io.WriteString(ts.Stdout(), strings.Join(s.heard, "\n")+"\n")
			s.heard = nil
			return err
		},
		// proceeds N, posts N and live APP COMMIT assert the world.
		"proceeds": func(_ *testscript.TestScript, _ bool, args []string) error {
			return count("inputs answered by us", args[0], len(slices.DeleteFunc(s.Jenkins.Proceeds(), func(p fakejenkins.Proceed) bool { return p.ByHand })))
		},
		"posts": func(_ *testscript.TestScript, _ bool, args []string) error {
			n := 0
			for _, m := range s.Slack.Messages("U0ANA", world.Channel) {
				if !m.Ephemeral && m.User == fakeslack.BotUser {
					n++
				}
			}
			return count("messages of the bot", args[0], n)
		},
		"live": func(_ *testscript.TestScript, _ bool, args []string) error {
			if live := s.Live(args[0]); live != world.Commit(args[1]) {
				return fmt.Errorf("%s is on %s", args[0], live)
			}
			return nil
		},
		// sent NAME VALUE asserts what our answer to an input carried.
		"sent": func(_ *testscript.TestScript, _ bool, args []string) error {
			all := s.Jenkins.Proceeds()
			if len(all) == 0 || all[len(all)-1].Values[args[0]] != args[1] {
				return fmt.Errorf("not sent: %v", all)
			}
			return nil
		},
		// never TEXT asserts that no message carries it as markup.
		"never": func(_ *testscript.TestScript, _ bool, args []string) error {
			for _, m := range s.Slack.Messages("U0ANA", world.Channel) {
				var blocks any
				if len(m.Blocks) > 0 {
					if err := json.Unmarshal(m.Blocks, &blocks); err != nil {
						return err
					}
				}
				if strings.Contains(m.Text+fmt.Sprint(blocks), args[0]) {
					return fmt.Errorf("a message carries %s: %s %v", args[0], m.Text, blocks)
				}
			}
			return nil
		},
		// refs replaces the references of what went wrong, which are random.
		"refs": func(_ *testscript.TestScript, _ bool, _ []string) error {
			for i, line := range s.heard {
				s.heard[i] = regexp.MustCompile("Ref `[0-9a-f]{6}`").ReplaceAllString(line, "Ref `……`")
			}
			return nil
		},
		// logged TEXT asserts that an operator could read it.
		"logged": func(_ *testscript.TestScript, neg bool, args []string) error {
			for _, e := range s.logs.All() {
				if strings.Contains(e.Message+fmt.Sprint(e.ContextMap()), args[0]) != neg {
					return nil
				}
			}
			return fmt.Errorf("not in the log: %s", args[0])
		},
		"push": func(_ *testscript.TestScript, _ bool, args []string) error {
			subject := args[2]
			if strings.HasPrefix(subject, `"`) { // so that a script can hold what nobody should type
				var err error
				if subject, err = strconv.Unquote(subject); err != nil {
					return err
				}
			}
			s.Push(args[0], args[1], subject)
			return nil
		},
		"pushes": func(_ *testscript.TestScript, _ bool, args []string) error {
			n, err := strconv.Atoi(args[0])
			for i := range n {
				s.Push(fmt.Sprintf("%07x", 0xa000000+i), []string{"bea", "cid", "dov"}[i%3], fmt.Sprintf("Bug %d - Change number %d (#%d)", 1800000+i, i+1, 9200+i))
			}
			return err
		},
		"serve": func(_ *testscript.TestScript, _ bool, args []string) error {
			s.Serve(args[0], world.Commit(args[1]))
			return nil
		},
		"break": func(_ *testscript.TestScript, _ bool, args []string) error {
			s.Apps[args[0]].Break(502, "Bad Gateway")
			return nil
		},
		"mend":  func(_ *testscript.TestScript, _ bool, args []string) error { s.Apps[args[0]].Mend(); return nil },
		"stick": func(_ *testscript.TestScript, _ bool, args []string) error { s.Stick(args[0]); return nil },
		"github": func(_ *testscript.TestScript, _ bool, args []string) error {
			switch args[0] {
			case "down":
				s.GitHub.Down()
			case "mend":
				s.GitHub.Mend()
			case "limited":
				s.GitHub.RateLimited(fakegithub.Limit{For: time.Hour})
			}
			return nil
		},
		"slack":   s.slack,
		"jenkins": s.jenkins,
	}
}

func count(what, want string, got int) error {
	if n, err := strconv.Atoi(want); err != nil || n != got {
		return fmt.Errorf("%d %s, want %s", got, what, want)
	}
	return nil
}

func (s *stage) slack(_ *testscript.TestScript, _ bool, args []string) error {
	n, err := 1, error(nil)
	if len(args) > 2 {
		n, err = strconv.Atoi(args[2])
	}
	switch args[0] {
	case "limits":
		s.Slack.RateLimit(args[1], n, 30*time.Second)
	case "fails":
		s.Slack.Fail(args[1], n, 503)
	case "loses":
		s.Slack.Lose(args[1], n)
	case "drops":
		s.Slack.DropSockets(args[1])
	case "deafens":
		return s.Slack.Deafen(0)
	default:
		return fmt.Errorf("slack does not know %s", args[0])
	}
	return err
}

func (s *stage) jenkins(_ *testscript.TestScript, _ bool, args []string) error {
	n := 0
	if len(args) > 1 {
		n, _ = strconv.Atoi(args[1])
	}
	rest := args[min(2, len(args)):]
	switch args[0] {
	case "down", "up":
		s.Jenkins.Down(args[0] == "down")
		return nil
	case "restart":
		s.Jenkins.Restart()
		return nil
	case "run": // run COMMIT [STAGE]
		from := ""
		if len(rest) > 0 {
			from = rest[0]
		}
		_, err := s.Run(world.Commit(args[1]), from, world.Promotion)
		return err
	case "run-asking": // run-asking COMMIT NAME[=DEFAULT] …: a run whose input has parameters
		input := world.Promotion
		for _, p := range rest {
			name, value, has := strings.Cut(p, "=")
			param := fakejenkins.Parameter{Name: name}
			if has {
				param.Default = value
			}
			input.Parameters = append(input.Parameters, param)
		}
		_, err := s.Run(world.Commit(args[1]), world.ToProd, input)
		return err
	case "abort":
		return s.Jenkins.AbortRun(world.Job, n, rest[0])
	case "proceed":
		return s.Jenkins.ProceedByHand(world.Job, n, rest[0], rest[1], nil)
	case "reject":
		return s.Jenkins.RejectByHand(world.Job, n, rest[0], rest[1])
	case "fail":
		return s.Jenkins.FailStage(world.Job, n, rest[0])
	case "ask": // ask RUN ID MESSAGE: another input, first in the list
		return s.Jenkins.AddInput(world.Job, n, fakejenkins.InputSpec{ID: rest[0], Message: rest[1]})
	}
	return fmt.Errorf("jenkins does not know %s", args[0])
}
