package fakeslack

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// pipes is a listener and the dialer to it, without a network.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.done); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "pipe"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

const (
	ana, bea, guest = "U0ANA", "U0BEA", "U0GUEST"
	ops, secret     = "C0OPS", "C0SECRET"
	abroad          = "C0ABROAD" // the bot is not in it
)

// world is a Server that runs in a bubble, and clients of it.
type world struct {
	*Server
	t     *testing.T
	pipes *pipes
	web   *http.Client
	api   *slack.Client
	// surprises, if true, are expected by the test.
	surprises bool
}

// newWorld starts a server with some people, at http://slack.test.
func newWorld(t *testing.T, edit ...func(*Server)) *world {
	w := &world{Server: &Server{}, t: t, pipes: newPipes()}
	for _, e := range edit {
		e(w.Server)
	}
	populate(w.Server)
	server := &http.Server{Handler: w.Server}
	go server.Serve(w.pipes)
	transport := &http.Transport{DialContext: w.pipes.dial}
	w.web = &http.Client{Transport: transport}
	w.api = slack.New(DefaultBotToken, slack.OptionAppLevelToken(DefaultAppToken),
		slack.OptionAPIURL("http://slack.test/api/"), slack.OptionHTTPClient(w.web))
	t.Cleanup(func() {
		w.Server.Close()
		transport.CloseIdleConnections()
		server.Close()
		if got := w.Unexpected(); len(got) > 0 && !w.surprises {
			t.Errorf("unexpected: %q", got)
		}
	})
	return w
}

func populate(s *Server) {
	s.AddPerson(Person{ID: ana, Name: "ana", RealName: "Ana A", Zone: "Europe/Berlin", Email: "ana@example.org"})
	s.AddPerson(Person{ID: bea, Name: "bea", RealName: "Bea B"})
	s.AddPerson(Person{ID: guest, Name: "guy", Guest: true, Team: "T0OTHER"})
	s.AddPerson(Person{ID: "U0GONE", Name: "gone", Deleted: true})
	s.AddPerson(Person{ID: "U0STRANGER", Name: "stranger", Team: "T0THIRD"}) // in no channel of ours
	s.AddChannel(Channel{ID: ops, Name: "treeherder-ops", Topic: "contact: <@U0BEA>", Members: []string{ana, bea, guest, BotUser, "U0GONE"}})
	s.AddChannel(Channel{ID: secret, Name: "secret", Private: true, Members: []string{ana, BotUser}})
	s.AddChannel(Channel{ID: abroad, Name: "abroad", Members: []string{ana}})
	s.AddChannel(Channel{ID: "C0OLD", Name: "old", Archived: true, Members: []string{ana, BotUser}})
	s.AddChannel(Channel{ID: "C0HIDDEN", Name: "hidden", Private: true, Members: []string{bea}})
	s.AddGroup(Group{ID: "S0ADMINS", Handle: "th-admins", Name: "Admins", Users: []string{ana, bea}})
}

// app runs slack-go's Socket Mode client with handle until the test ends.
func (w *world) app(handle func(*socketmode.Client, socketmode.Event)) {
	w.t.Helper()
	before := w.Sockets()
	client := socketmode.New(w.api, socketmode.OptionDialer(&websocket.Dialer{NetDialContext: w.pipes.dial}))
	run(w.t, client, handle)
	w.await(func() bool { return w.Sockets() > before })
}

func run(t *testing.T, client *socketmode.Client, handle func(*socketmode.Client, socketmode.Event)) {
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{}, 2)
	go func() {
		if err := client.RunContext(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("the client ended: %v", err)
		}
		over <- struct{}{}
	}()
	go func() {
		for {
			select {
			case e := <-client.Events:
				handle(client, e)
			case <-ctx.Done():
				over <- struct{}{}
				return
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-over; <-over })
}

// later lets the clock of the bubble run.
func later(d time.Duration) { <-time.After(d) }

// receive waits a minute of the bubble, whose clock the pings keep running.
func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(time.Minute):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// await waits for done, a minute of the bubble at most.
func (w *world) await(done func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := w.Await(ctx, done); err != nil {
		w.t.Fatalf("%v; journal %v", err, w.Journal())
	}
}

// wait waits for the end of d.
func (w *world) wait(d *Delivery) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return d.Wait(ctx)
}

func (w *world) say(person, text string) *Delivery {
	w.t.Helper()
	d, err := w.Say(person, ops, text)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) last(person string) Message {
	w.t.Helper()
	m := w.Messages(person, ops)
	if len(m) == 0 {
		w.t.Fatalf("%s sees no messages", person)
	}
	return m[len(m)-1]
}

// raw is a socket without a client library around it.
type rawSocket struct {
	w    *world
	conn *websocket.Conn
}

// dialRaw opens one and reads its first frame.
func (w *world) dialRaw() (rawSocket, map[string]any) {
	w.t.Helper()
	_, url, err := w.api.StartSocketModeContext(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	d := websocket.Dialer{NetDialContext: w.pipes.dial}
	conn, _, err := d.Dial(url, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	r := rawSocket{w, conn}
	return r, r.read()
}

func (r rawSocket) read() map[string]any {
	r.w.t.Helper()
	var frame map[string]any
	if err := r.conn.ReadJSON(&frame); err != nil {
		r.w.t.Fatal(err)
	}
	return frame
}

func (r rawSocket) ack(id string, payload any) {
	r.w.t.Helper()
	if err := r.conn.WriteJSON(map[string]any{"envelope_id": id, "payload": payload}); err != nil {
		r.w.t.Fatal(err)
	}
}

// blocks is JSON of blocks as an any.
func blocks(t *testing.T, text string) slack.MsgOption {
	t.Helper()
	var b slack.Blocks
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		t.Fatal(err)
	}
	return slack.MsgOptionBlocks(b.BlockSet...)
}

const question = `[
 {"type":"section","text":{"type":"mrkdwn","text":"*Promote?* asked by <@U0ANA> at <!date^946684800^{time}|00:00>"}},
 {"type":"context","elements":[{"type":"mrkdwn","text":"4 commits &amp; <https://x.test/|the comparison>"}]},
 {"type":"actions","block_id":"q1","elements":[
  {"type":"button","action_id":"promote","value":"01J","style":"primary","text":{"type":"plain_text","text":"Promote"},
   "confirm":{"title":{"type":"plain_text","text":"Sure?"},"text":{"type":"plain_text","text":"Promote 9f8e7d6 to production?"},
    "confirm":{"type":"plain_text","text":"Promote"},"deny":{"type":"plain_text","text":"No"}}},
  {"type":"button","action_id":"cancel","value":"01J","text":{"type":"plain_text","text":"Cancel"}}]}]`
