package slack

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"thbot/bot"
	"thbot/integrations/fakehttp"
	"thbot/integrations/slack/fakeslack"
)

const (
	ops = "C0OPS123"
	ana = "U0ANA"
	bea = "U0BEA"
)

// world is a workspace and a client in it, in a bubble.
type world struct {
	t    *testing.T
	ctx  context.Context // of a minute
	fake *fakeslack.Server
	pipe *fakehttp.Pipe
	c    *Client
	logs *observer.ObservedLogs
	rude bool // the fake may be surprised
}

func newWorld(t *testing.T, change ...func(*fakeslack.Server, *Options)) *world {
	fake := &fakeslack.Server{BaseURL: "http://slack.test"}
	o := Options{APIURL: "http://slack.test/api/", AppToken: fakeslack.DefaultAppToken, BotToken: fakeslack.DefaultBotToken, Channel: ops}
	fake.AddPerson(fakeslack.Person{ID: ana, Name: "ana", RealName: "Ana Lima", Zone: "Europe/Lisbon"})
	fake.AddPerson(fakeslack.Person{ID: bea, Name: "bea"})
	fake.AddChannel(fakeslack.Channel{ID: ops, Name: "treeherder-ops", Members: []string{ana, bea, fakeslack.BotUser}})
	for _, f := range change {
		f(fake, &o)
	}
	w := serve(t, fake, o)
	w.fake = fake
	t.Cleanup(func() {
		for _, u := range fake.Unexpected() {
			if w.rude {
				break
			}
			t.Errorf("Slack would not understand: %s", u)
		}
	})
	return w
}

// serve connects a client to a server.
func serve(t *testing.T, h http.Handler, o Options) *world {
	w := &world{t: t, pipe: fakehttp.NewPipe()}
	core, logs := observer.New(zapcore.DebugLevel)
	w.logs = logs
	o.Log, o.Dial = zap.New(core), w.pipe.Dial
	var err error
	if w.c, err = New(o); err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(w.pipe) }() // ends with the pipe
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	w.ctx = ctx
	t.Cleanup(func() {
		cancel()
		w.c.Close()
		if fake, ok := h.(*fakeslack.Server); ok {
			fake.Close()
		}
		_ = server.Close()
		_ = w.pipe.Close()
	})
	return w
}

// answering is a server that answers every call alike.
func answering(t *testing.T, status int, body string) *world {
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "auth.test") {
			_, _ = w.Write([]byte(`{"ok":true,"team_id":"T0FAKE","user_id":"U0TH","bot_id":"B0TH","url":"https://fake.slack.com/"}`))
			return
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}), Options{APIURL: "http://slack.test/api/", AppToken: "xapp-1", BotToken: "xoxb-1", Channel: ops})
}

// receiver is a Receiver of three functions; without one it is happy.
type receiver struct {
	command func(context.Context, bot.Request) *bot.Card
	press   func(context.Context, bot.Press) error
	submit  func(context.Context, bot.Submission) (*bot.Objection, error)
}

func (r receiver) Command(ctx context.Context, q bot.Request) *bot.Card {
	if r.command == nil {
		return nil
	}
	return r.command(ctx, q)
}

func (r receiver) Press(ctx context.Context, p bot.Press) error {
	if r.press == nil {
		return nil
	}
	return r.press(ctx, p)
}

func (r receiver) Submit(ctx context.Context, s bot.Submission) (*bot.Objection, error) {
	if r.submit == nil {
		return nil, nil
	}
	return r.submit(ctx, s)
}

// run receives until the test ends, or until the function it returns is
// called, and waits for the sockets.
func (w *world) run(r Receiver) (stop func() error) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.c.Run(ctx, r) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-ended
	}
	w.t.Cleanup(func() { _ = stop() })
	w.connected(w.c.o.Sockets)
	return stop
}

// connected waits until n sockets are there, as both sides see it.
func (w *world) connected(n int) {
	w.t.Helper()
	err := w.fake.Await(w.ctx, func() bool { return w.fake.Sockets() == n })
	for err == nil && w.c.Connected() != n {
		if !wait(w.ctx, 10*time.Millisecond) {
			err = w.ctx.Err()
		}
	}
	if err != nil {
		w.t.Fatalf("%d sockets, of which the client knows %d, want %d: %v", w.fake.Sockets(), w.c.Connected(), n, err)
	}
}

func (w *world) say(text string) *fakeslack.Delivery {
	w.t.Helper()
	d, err := w.fake.Say(ana, ops, text)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) press(ts, action, value string) *fakeslack.Delivery {
	w.t.Helper()
	d, err := w.fake.Press(ana, ops, ts, action, value)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) acked(d *fakeslack.Delivery) {
	w.t.Helper()
	if err := d.Wait(w.ctx); err != nil {
		w.t.Fatal(err)
	}
}

// last is what ana sees last.
func (w *world) last() fakeslack.Message {
	w.t.Helper()
	seen := w.fake.Messages(ana, ops)
	if len(seen) == 0 {
		w.t.Fatal("nothing was said")
	}
	return seen[len(seen)-1]
}

func (w *world) post(card bot.Card, key string) string {
	w.t.Helper()
	id, err := w.c.Post(w.ctx, ops, "", card, key)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) calls(name string) int {
	n := 0
	for _, e := range w.fake.Journal() {
		if e.Call == name {
			n++
		}
	}
	return n
}

func listen(t *testing.T, h http.Handler) (*http.Server, string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(l) }() // ends with the server
	return server, "http://" + l.Addr().String()
}

func mustJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}
