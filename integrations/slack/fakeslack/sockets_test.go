package fakeslack

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

func acks(c *socketmode.Client, e socketmode.Event) {
	if e.Request != nil && e.Request.EnvelopeID != "" { // hello has none
		c.Ack(*e.Request)
	}
}

// counts counts by name.
type counts struct {
	mu sync.Mutex
	of map[string]int
}

func (c *counts) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]int{}
	}
	c.of[name]++
}

func (c *counts) get(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[name]
}

func TestDropSockets(t *testing.T) {
	for _, tc := range []struct {
		reason string
		told   bool
		after  time.Duration // until a client that ignores it is without a socket
	}{
		{KillTCP, false, 0},
		{RefreshRequested, true, 0},
		{Warning, true, 10 * time.Second},
		{"link_disabled", true, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			r, _ := w.dialRaw()
			dropped := time.Now()
			w.DropSockets(tc.reason)
			if tc.told {
				if f := r.read(); f["type"] != "disconnect" || f["reason"] != tc.reason {
					t.Errorf("%q: told %v", tc.reason, f)
				}
			}
			_, _, err := r.conn.ReadMessage()
			var closed *websocket.CloseError
			if got := errors.As(err, &closed) && closed.Code == websocket.CloseNormalClosure; got != tc.told {
				t.Errorf("%q: it ended with %v", tc.reason, err)
			}
			if got := time.Since(dropped); got != tc.after {
				t.Errorf("%q: closed after %v, want %v", tc.reason, got, tc.after)
			}
			w.await(func() bool { return w.Sockets() == 0 })
		})
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.app(acks)
			w.DropSockets(tc.reason)
			// slack-go comes back by itself.
			w.await(func() bool { return len(journaled(w.Server, "slack hello")) == 2 && w.Sockets() == 1 })
			if err := w.wait(w.say(ana, "/th x")); err != nil {
				t.Errorf("after %q: %v", tc.reason, err)
			}
		})
	}
}

func TestTurnsDuplicatesAndDeafness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var got counts // by socket and by trigger
		for i := range 2 {
			w.app(func(c *socketmode.Client, e socketmode.Event) {
				if v, ok := e.Data.(slack.SlashCommand); ok {
					got.add(fmt.Sprint(i))
					got.add(v.TriggerID + e.Request.EnvelopeID)
					c.Ack(*e.Request)
				}
			})
		}
		for range 4 {
			if err := w.wait(w.say(ana, "/th x")); err != nil {
				t.Fatal(err)
			}
		}
		if got.get("0") != 2 || got.get("1") != 2 {
			t.Errorf("the sockets got %d and %d of 4", got.get("0"), got.get("1"))
		}
		w.Duplicate(1)
		d, once := w.say(ana, "/th x"), w.say(ana, "/th y")
		if err := errors.Join(w.wait(d), w.wait(once)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if a, b := got.get(d.TriggerID+d.ID), got.get(once.TriggerID+once.ID); a != 2 || b != 1 {
			t.Errorf("delivered %d and %d times, want 2 and 1", a, b)
		}
		// Of two, one hears nothing any more. Slack does not know: every second
		// command is lost, until slack-go misses the pings.
		if err := w.Deafen(0); err != nil {
			t.Fatal(err)
		}
		var lost int
		for range 4 {
			if w.wait(w.say(ana, "/th x")) != nil {
				lost++
			}
		}
		if lost != 2 {
			t.Errorf("%d of 4 were lost with a deaf socket", lost)
		}
		later(2 * time.Minute)
		if w.Sockets() != 2 || len(journaled(w.Server, "slack hello")) != 3 {
			t.Errorf("%d sockets, hellos %v", w.Sockets(), journaled(w.Server, "slack hello"))
		}
		if err := w.wait(w.say(ana, "/th x")); err != nil {
			t.Error(err)
		}
		if w.Deafen(7) == nil {
			t.Error("a socket that is not there was deafened")
		}
	})
}

// Nothing passes a deaf socket in either direction, and one that was warned
// gets nothing while there is another.
func TestSilentSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(s *Server) { s.Ping = -1 })
		deaf, _ := w.dialRaw()
		other, _ := w.dialRaw()
		frames := make(chan string, 10)
		for _, r := range []rawSocket{deaf, other} {
			go func() {
				for {
					var f struct {
						ID string `json:"envelope_id"`
					}
					if r.conn.ReadJSON(&f) != nil {
						return
					}
					if r == deaf {
						f.ID = "deaf heard " + f.ID
					}
					frames <- f.ID
				}
			}()
		}
		if err := w.Deafen(0); err != nil {
			t.Fatal(err)
		}
		one, two := w.say(ana, "/th x"), w.say(ana, "/th y")
		// Whichever went to the other socket: acked by the deaf one it is not.
		got := receive(t, frames)
		if got != one.ID && got != two.ID {
			t.Fatalf("got %s", got)
		}
		deaf.ack(got, nil)
		if w.wait(one) == nil || w.wait(two) == nil {
			t.Error("acknowledged through a deaf socket")
		}
		w.DropSockets(Warning, 0)
		for range 3 {
			d := w.say(ana, "/th x")
			if got := receive(t, frames); got != d.ID {
				t.Errorf("%s went to a warned socket; got %s", d.ID, got)
			}
			other.ack(d.ID, nil)
			if err := w.wait(d); err != nil {
				t.Error(err)
			}
		}
		if len(frames) > 0 {
			t.Errorf("also %s", <-frames)
		}
	})
}

func TestTooManySocketsAndTickets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 11 {
			_, first := w.dialRaw()
			if i < 10 && first["num_connections"] != float64(i+1) {
				t.Errorf("hello %d: %v", i, first)
			}
			if i == 10 && first["reason"] != "too_many_websockets" {
				t.Errorf("the eleventh got %v", first)
			}
		}
		if w.Sockets() != 10 {
			t.Errorf("%d are open", w.Sockets())
		}
		w.DropSockets(KillTCP, 0, 1)
		if w.Sockets() != 8 {
			t.Errorf("%d are open after two were dropped", w.Sockets())
		}
		w.surprises = true
		_, url, err := w.api.StartSocketModeContext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		d := websocket.Dialer{NetDialContext: w.pipes.dial}
		conn, _, err := d.Dial(url+"&debug_reconnects=true", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, resp, err := d.Dial(url, nil); err == nil || resp.StatusCode != http.StatusForbidden {
			t.Errorf("a ticket worked twice: %v", err)
		}
	})
}

func TestPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r, _ := w.dialRaw()
		began := time.Now()
		var heard []string
		done := make(chan struct{})
		r.conn.SetPingHandler(func(text string) error {
			if heard = append(heard, fmt.Sprintf("%v %s", time.Since(began), text)); len(heard) == 2 {
				close(done)
			}
			return nil
		})
		echoed := make(chan string, 1)
		r.conn.SetPongHandler(func(text string) error { echoed <- text; return nil })
		go r.conn.ReadMessage()
		if err := r.conn.WriteControl(websocket.PingMessage, []byte("session:1"), time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, echoed); got != "session:1" {
			t.Errorf("pong %q", got)
		}
		receive(t, done)
		if got, want := strings.Join(heard, ", "), "3s Ping from applink-emu, 13s Ping from applink-emu"; got != want {
			t.Errorf("pings %s, want %s", got, want)
		}
	})
}

// A gate that holds an envelope delays it; it still arrives.
func TestGates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		w := newWorld(t, func(s *Server) {
			s.Gate = func(call, moment string) {
				if call == "slack envelope slash_commands" && moment == "arrived" {
					<-hold
				}
			}
		})
		var got counts
		w.app(func(c *socketmode.Client, e socketmode.Event) {
			got.add(string(e.Type))
			acks(c, e)
		})
		d := w.say(ana, "/th x")
		if err := w.wait(d); err == nil {
			t.Error("acknowledged although it was held")
		}
		close(hold)
		w.await(func() bool { return len(journaled(w.Server, "slack ack slash_commands")) == 1 })
		if n := got.get(string(socketmode.EventTypeSlashCommand)); n != 1 {
			t.Errorf("it arrived %d times", n)
		}
	})
	// What a socket could not write before it died goes to another one.
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		held := make(chan struct{}, 1)
		first := make(chan struct{}, 1)
		first <- struct{}{}
		w := newWorld(t, func(s *Server) {
			s.Gate = func(call, moment string) {
				if call == "slack envelope slash_commands" && moment == "arrived" {
					select {
					case <-first:
						held <- struct{}{}
						<-hold
					default:
					}
				}
			}
		})
		w.dialRaw()
		one, behind := w.say(ana, "/th x"), w.say(ana, "/th y")
		receive(t, held)
		w.app(acks)
		w.DropSockets(KillTCP, 0)
		if err := w.wait(behind); err != nil {
			t.Errorf("the one behind it: %v", err)
		}
		close(hold)
		if err := w.wait(one); err != nil {
			t.Errorf("the one that was held: %v", err)
		}
	})
}

func TestSendRaw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if _, err := w.SendRaw([]byte("{}")); err == nil {
			t.Error("sent without a socket")
		}
		bad := make(chan socketmode.EventType, 10)
		w.app(func(c *socketmode.Client, e socketmode.Event) {
			switch e.Type {
			case socketmode.EventTypeErrorBadMessage:
				bad <- e.Type
				if err := c.AckCtx(t.Context(), "e-1", nil); err != nil {
					t.Error(err)
				}
			case socketmode.EventTypeIncomingError:
				bad <- e.Type
			}
		})
		d, err := w.SendRaw([]byte(`{"envelope_id":"e-1","type":"telepathy","payload":{}}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := receive(t, bad); got != socketmode.EventTypeErrorBadMessage {
			t.Errorf("unknown type: %s", got)
		}
		if err := w.wait(d); err != nil {
			t.Error(err)
		}
		d, err = w.SendRaw([]byte("nonsense"))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.wait(d); err != nil {
			t.Error(err)
		}
		if got := receive(t, bad); got != socketmode.EventTypeIncomingError {
			t.Errorf("no JSON: %s", got)
		}
	})
}

// What the app writes that is no ack is remembered.
func TestNonsenseFromTheApp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.surprises = true
		r, _ := w.dialRaw()
		for i, write := range []func() error{
			func() error { return r.conn.WriteMessage(websocket.TextMessage, []byte("{")) },
			func() error { return r.conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"hello"}`)) },
			func() error { return r.conn.WriteMessage(websocket.BinaryMessage, []byte("{}")) },
			func() error { // blocks that Slack would refuse
				d := w.say(ana, "/th x")
				r.read()
				return r.conn.WriteJSON(map[string]any{"envelope_id": d.ID, "payload": map[string]any{"blocks": []any{map[string]any{"type": "section"}}}})
			},
			func() error { // a payload where Slack takes none
				_, ts, err := w.api.PostMessage(ops, blocks(t, question))
				if err != nil {
					return err
				}
				d, err := w.Press(ana, ops, ts, "cancel", "01J")
				if err != nil {
					return err
				}
				r.read()
				return r.conn.WriteJSON(map[string]any{"envelope_id": d.ID, "payload": map[string]any{"text": "hi"}})
			},
		} {
			if err := write(); err != nil {
				t.Fatal(err)
			}
			w.await(func() bool { return len(w.Unexpected()) == i+1 })
		}
	})
}
