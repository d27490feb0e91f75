// Package bolttest runs an app written with @slack/bolt, Slack's own framework
// for Node.js, against fakeslack: what an official client does not understand
// the fake has got wrong.
package bolttest

import (
	"bytes"
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"thbot/integrations/slack/fakeslack"
)

// require names the variable that makes tests fail where they would skip for
// want of something on the machine.
const require = "THBOT_TEST_REQUIRE"

// lacking skips the test, or fails it where everything has to be there.
func lacking(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv(require) != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// install puts the app and the packages its lock file names into a directory.
func install(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			lacking(t, "no %s: %v", program, err)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "app.cjs", "node18.cjs"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	npm := exec.CommandContext(t.Context(), "npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		lacking(t, "npm ci: %v\n%s", err, out)
	}
	return dir
}

const ana, ops = "U0ANA", "C0OPS"

// bolt is a workspace with the app in it.
type bolt struct {
	*fakeslack.Server
	t   *testing.T
	ctx context.Context
}

// start runs the app until the test ends.
func start(t *testing.T) *bolt {
	dir := install(t)
	s := &fakeslack.Server{
		Subscribed: []string{"app_mention", "app_home_opened", "message.im"},
		Shortcuts:  []string{"promote"}, MessageShortcuts: []string{"quote"},
	}
	s.AddPerson(fakeslack.Person{ID: ana, Name: "ana"})
	s.AddChannel(fakeslack.Channel{ID: ops, Name: "ops", Members: []string{ana, fakeslack.BotUser}})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	t.Cleanup(s.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	ctx, gone := context.WithCancelCause(ctx)

	var said bytes.Buffer
	node := exec.Command("node", "app.cjs")
	node.Dir = dir
	node.Stdout, node.Stderr = &said, &said
	node.Env = append(os.Environ(), "SLACK_API_URL="+server.URL+"/api/",
		"SLACK_BOT_TOKEN="+fakeslack.DefaultBotToken, "SLACK_APP_TOKEN="+fakeslack.DefaultAppToken)
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		err := node.Wait()
		gone(errors.New("the app ended"))
		ended <- err
	}()
	t.Cleanup(func() {
		_ = node.Process.Signal(syscall.SIGTERM) // an app that is already gone shows below
		kill := time.AfterFunc(10*time.Second, func() { _ = node.Process.Kill() })
		defer kill.Stop()
		if err := <-ended; err != nil || said.Len() > 0 {
			t.Errorf("the app ended with %v and said\n%s", err, said.String())
		}
		if got := s.Unexpected(); got != nil {
			t.Errorf("unexpected: %q", got)
		}
	})
	b := &bolt{s, t, ctx}
	b.await("a socket", func() bool { return s.Sockets() == 1 })
	return b
}

func (b *bolt) await(what string, done func() bool) {
	b.t.Helper()
	if err := b.Await(b.ctx, done); err != nil {
		b.t.Fatalf("%s: %v; journal %v", what, err, b.Journal())
	}
}

// acked waits for the app's acknowledgement of what a person did.
func (b *bolt) acked(d *fakeslack.Delivery, err error) {
	b.t.Helper()
	if err == nil {
		err = d.Wait(b.ctx)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// reads waits until ana reads text in channel, and returns that message.
func (b *bolt) reads(channel, text string) (found fakeslack.Message) {
	b.t.Helper()
	b.await(text, func() bool {
		for _, m := range b.Messages(ana, channel) {
			if strings.Contains(m.Render(), text) {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// modal waits until the modal on top of ana's is as wanted.
func (b *bolt) modal(what string, wanted func(fakeslack.View) bool) (top fakeslack.View) {
	b.t.Helper()
	b.await(what, func() bool {
		stack := b.View(ana)
		if len(stack) == 0 {
			return false
		}
		top = stack[len(stack)-1]
		return wanted(top)
	})
	return top
}

func TestBolt(t *testing.T) {
	b := start(t)

	// A command is acknowledged with a message.
	b.acked(b.Say(ana, ops, "/th deploy prod"))
	b.reads(ops, "th (to ana): got deploy prod\n")
	question := b.reads(ops, "[Approve] [Explain]")

	// A button opens a modal, which is refused, updated and submitted.
	b.acked(b.Press(ana, ops, question.TS, "explain", "d-1"))
	v := b.modal("the modal", func(v fakeslack.View) bool { return v.Title == "Explain" })
	b.acked(b.Submit(ana, v.ID, map[string][]string{"why": {"no"}}))
	b.modal("the error", func(v fakeslack.View) bool { return v.Errors["why"] == "Too short." })
	b.acked(b.PressIn(ana, v.ID, "more", "1"))
	v = b.modal("the update", func(v fakeslack.View) bool { return v.Title == "Explain more" })
	if got := v.Values["why/text"]; len(got) != 1 || got[0] != "no" {
		t.Errorf("after the update the input holds %q", got)
	}
	b.acked(b.Submit(ana, v.ID, map[string][]string{"why": {"it is late"}}))
	direct := b.DirectChannel(ana)
	b.reads(direct, "th: because it is late\n")
	if open := b.View(ana); open != nil {
		t.Errorf("still open: %+v", open)
	}

	// Another answers through the response_url.
	b.acked(b.Press(ana, ops, question.TS, "approve", "d-1"))
	if m := b.reads(ops, "th: approved d-1\n"); m.TS != question.TS {
		t.Errorf("%s was replaced, not %s", m.TS, question.TS)
	}

	// Events: a mention is answered in its thread, a direct message directly.
	b.acked(b.Say(ana, ops, "@th ping"))
	b.reads(ops, "th (in a thread): pong\n")
	if threads := b.Threads(ana, ops); len(threads) != 1 || threads[0][0].Plain != "@th ping" {
		t.Errorf("threads %+v", threads)
	}
	b.acked(b.DM(ana, "hello there"))
	b.reads(direct, "th: hello @ana\n")

	// The Home tab.
	b.acked(b.OpenHome(ana, "home"))
	b.await("the Home tab", func() bool { v, _ := b.Home(ana); return v.Plain == "Home of @ana" })

	// Shortcuts, global and of a message; a modal that is closed is told of.
	b.acked(b.Shortcut(ana, "promote"))
	v = b.modal("the shortcut's modal", func(v fakeslack.View) bool { return v.Title == "Promote" })
	b.acked(b.CloseView(ana, v.ID, true))
	b.reads(direct, "th: closed true\n")
	b.acked(b.MessageShortcut(ana, ops, question.TS, "quote"))
	b.reads(ops, "th (to ana): you meant “approved d-1”\n")

	// A refresh: the client comes back by itself, and an event of meanwhile
	// arrives then.
	b.DropSockets(fakeslack.RefreshRequested)
	b.await("nobody", func() bool { return b.Sockets() == 0 })
	b.acked(b.DM(ana, "hello again"))
	b.await("the answer", func() bool {
		said := b.Messages(ana, direct)
		return said[len(said)-1].Plain == "hello @ana" && said[len(said)-2].Plain == "hello again"
	})
	for _, e := range b.Events() {
		if e.Type == "message" && strings.Contains(string(e.Payload), "hello again") && e.Attempts != 1 {
			t.Errorf("sent %d times: %s", e.Attempts, e.Payload)
		}
	}
}
