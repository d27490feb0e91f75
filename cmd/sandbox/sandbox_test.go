package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"thbot/cmd/sandbox/world"
)

// The bot of the tests is a process of its own, too: the test binary.
func TestMain(m *testing.M) {
	if config := os.Getenv(botConfig); config != "" {
		os.Exit(beBot(config))
	}
	if os.Getenv(asSandbox) != "" {
		os.Exit(beSandbox())
	}
	os.Exit(m.Run())
}

// quick are settings under which a promotion takes a second.
var quick = settings{
	Pace:  world.Pace{Build: 20 * time.Millisecond, ToStage: 20 * time.Millisecond, ToProd: 500 * time.Millisecond, Rollout: 50 * time.Millisecond},
	Times: "lease: 2s, limit: 1500ms, idle: 200ms, follow: 100ms, live: 50ms",
}

// visitor is a program that uses the interface, as scripts do.
type visitor struct {
	t   *testing.T
	url string
}

// visit opens a sandbox on loopback, with the real bot in it.
func visit(t *testing.T) (visitor, *sandbox) { t.Helper(); return visitWith(t, quick) }

func visitWith(t *testing.T, how settings) (visitor, *sandbox) {
	t.Helper()
	s, err := open(how)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.CloseClientConnections() // streams of events never end by themselves
		server.Close()
		log, _ := os.ReadFile(s.logFile())
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the bot's log:\n%s", log)
		}
	})
	return visitor{t, server.URL}, s
}

// ask sends a request and decodes the answer into v.
func (c visitor) ask(method, path string, body, v any) (status int) {
	c.t.Helper()
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			c.t.Fatal(err)
		}
		sent = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, sent)
	if err != nil {
		c.t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		c.t.Fatalf("%s %s: %d %q: %v", method, path, resp.StatusCode, text, err)
	}
	return resp.StatusCode
}

func (c visitor) world() (st state) {
	c.t.Helper()
	if status := c.ask("GET", "/api/world", nil, &st); status != 200 {
		c.t.Fatalf("GET /api/world: %d", status)
	}
	return st
}

func (c visitor) messages(as string) (list []message) {
	c.t.Helper()
	return c.messagesIn(as, world.Room)
}

func (c visitor) messagesIn(as, channel string) (list []message) {
	c.t.Helper()
	q := url.Values{"as": {as}, "channel": {channel}}
	if status := c.ask("GET", "/api/messages?"+q.Encode(), nil, &list); status != 200 {
		c.t.Fatalf("GET /api/messages as %s: %d", as, status)
	}
	return list
}

// do posts body, which must be done.
func (c visitor) do(path string, body any) (answer map[string]any) {
	c.t.Helper()
	if status := c.ask("POST", path, body, &answer); status != 200 {
		c.t.Fatalf("POST %s %v: %d %v", path, body, status, answer)
	}
	return answer
}

func (c visitor) say(as, text string) map[string]any {
	c.t.Helper()
	return c.do("/api/say", saying{As: as, Channel: world.Room, Text: text})
}

func (c visitor) turn(name string) { c.t.Helper(); c.do("/api/world/"+name, map[string]string{}) }

// comes listens to the events until done, and reports whether it came to that.
func (c visitor) comes(done func() bool) bool {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	for range c.events(ctx) {
		if done() {
			return true
		}
	}
	return false
}

// await is comes, for what has to come.
func (c visitor) await(what string, done func() bool) {
	c.t.Helper()
	if c.comes(done) {
		return
	}
	for _, m := range c.messages("ana") {
		c.t.Logf("%s: %s %s", m.Name, m.Text, m.Warning)
	}
	c.t.Fatalf("waiting in vain until %s", what)
}

// events are the times at which a "change" came.
func (c visitor) events(ctx context.Context) <-chan time.Time {
	c.t.Helper()
	r, err := http.NewRequestWithContext(ctx, "GET", c.url+"/api/events", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	if kind := resp.Header.Get("Content-Type"); kind != "text/event-stream" {
		c.t.Errorf("events are %q", kind)
	}
	times := make(chan time.Time)
	go func() {
		defer close(times)
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if lines.Text() != "event: change" {
				continue
			}
			select {
			case times <- time.Now():
			case <-ctx.Done():
				return
			}
		}
	}()
	return times
}

// find is the newest message that as sees with this text in it, if any.
func (c visitor) find(as, text string) (found message, ok bool) {
	c.t.Helper()
	return c.findIn(as, world.Room, text)
}

func (c visitor) findIn(as, channel, text string) (found message, ok bool) {
	c.t.Helper()
	for _, m := range c.messagesIn(as, channel) {
		if strings.Contains(m.Text, text) || strings.Contains(string(m.Blocks), text) {
			found, ok = m, true
		}
	}
	return found, ok
}

func (c visitor) sees(as, text string) func() bool {
	return func() bool { c.t.Helper(); _, ok := c.find(as, text); return ok }
}

// button is the button with that label in a message.
func button(t *testing.T, m message, label string) (action, value string) {
	t.Helper()
	var blocks []struct {
		Elements []struct {
			Action string `json:"action_id"`
			Value  string
			Text   json.RawMessage // of a button an object, of a context block a string
		}
	}
	if err := json.Unmarshal(m.Blocks, &blocks); err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		for _, e := range b.Elements {
			if strings.Contains(string(e.Text), fmt.Sprintf("%q", label)) {
				return e.Action, e.Value
			}
		}
	}
	t.Fatalf("no button %s in %s", label, m.Blocks)
	return "", ""
}

// A promotion by way of the interface alone, in which the bot is killed.
func TestPromotionWithAKill(t *testing.T) {
	t.Parallel()
	c, s := visit(t)
	c.await("the bot has connected", func() bool { return c.world().Bot.Sockets > 0 })
	if got := c.say("ana", "/th deploy prod"); got["acked"] != true {
		t.Fatalf("say: %v", got)
	}
	c.await("the question is asked", c.sees("ana", "Promote to production?"))
	question, _ := c.find("ana", "Promote to production?")
	action, value := button(t, question, "Promote")
	press := func(as string) map[string]any {
		return c.do("/api/press", pressing{As: as, Channel: "#" + world.Room, TS: question.TS, Action: action, Value: value})
	}

	press("nora")
	c.await("nora is told who may", c.sees("nora", "Only a Treeherder admin can do that"))
	if told, _ := c.find("nora", "Only a Treeherder admin"); !told.Ephemeral {
		t.Error("what nora is told is for her alone")
	}
	if c.sees("ana", "Only a Treeherder admin")() {
		t.Error("ana sees what nora was told")
	}

	if got := press("U0ANA"); got["acked"] != true {
		t.Fatalf("press: %v", got)
	}
	first := c.world().Bot
	c.turn("kill")
	if b := c.world().Bot; b.Running || b.Ended != "killed" || b.Starts != 1 {
		t.Errorf("after the kill: %+v", b)
	}
	c.await("its sockets are gone", func() bool { return c.world().Bot.Sockets == 0 })
	if got := c.say("ana", "/th status"); got["acked"] != false || !strings.Contains(fmt.Sprint(got["told"]), "/th failed") {
		t.Errorf("said to a dead bot: %v", got)
	}
	c.turn("start")
	if b := c.world().Bot; !b.Running || b.PID == first.PID || b.Starts != 2 {
		t.Errorf("started again: %+v, before: %+v", b, first)
	}
	c.await("it is announced", c.sees("ana", "Production is now on"))

	ends := 0
	for _, m := range c.messages("bob") {
		if strings.Contains(m.Text, "Production is now on") {
			ends++
		}
	}
	proceeds := s.now().Jenkins.Proceeds()
	if ends != 1 || len(proceeds) != 1 {
		t.Errorf("announced %d times, proceeded %d times", ends, len(proceeds))
	}
	w := c.world()
	if w.Environments[0].Live != world.Commit("9f8e7d6") || len(w.Unexpected) > 0 {
		t.Errorf("at the end: %+v, unexpected %v", w.Environments[0], w.Unexpected)
	}

	if !heard(w, "Jenkins", "run 812: proceeded Promote by ") || !heard(w, "GitHub", "GET compare 200") || !heard(w, "production", "GET __version__ 200") || heard(w, "Slack", "-8fff-") {
		t.Errorf("the journal: %+v", w.Journal)
	}

	c.turn("stop")
	if b := c.world().Bot; b.Running || b.Ended != "stopped" {
		t.Errorf("after the stop: %+v", b)
	}
	c.turn("reset")
	if w := c.world(); !w.Bot.Running || w.Bot.Starts != 1 || w.Environments[0].Live != world.Commit("445ee07") || len(c.messages("ana")) != 0 {
		t.Errorf("after the reset: %+v", w)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	c, _ := visit(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	events := c.events(ctx)
	began := <-events // there is always one at once
	var talk sync.WaitGroup
	talk.Go(func() {
		for i := range 50 {
			c.say("bob", fmt.Sprint("word ", i))
		}
	})
	defer talk.Wait()
	n := 0
	for ; !c.sees("ana", "word 49")(); n++ {
		if _, ok := <-events; !ok {
			t.Fatal("the events have ended")
		}
	}
	// Some of what was sent apart may arrive together, which is what the 3 are for.
	if most := int(time.Since(began)/between) + 3; n > most {
		t.Errorf("%d events in %s", n, time.Since(began))
	}
}
