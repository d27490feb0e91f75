package fakeslack

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"thbot/integrations/fakehttp"
)

// Reasons for [Server.DropSockets].
const (
	KillTCP           = ""                    // no word, the connection is cut
	Warning           = "warning"             // told ten seconds before
	RefreshRequested  = "refresh_requested"   // told, and closed at once
	LinkDisabled      = "link_disabled"       // Socket Mode was switched off
	TooManyWebSockets = "too_many_websockets" // instead of hello, to the eleventh
)

const (
	mostSockets = 10               // of one app: too_many_websockets
	warned      = 10 * time.Second // between a warning and the end
	slowest     = 10 * time.Second // a write or a closing handshake may take
	firstPing   = 3 * time.Second  // after hello
	debugLife   = 6 * time.Minute  // of a connection with debug_reconnects
)

// socket is a WebSocket of the app.
type socket struct {
	s    *Server
	n    int // 1 is the first ever
	conn *websocket.Conn
	wake chan struct{} // there is something in the queue
	done chan struct{} // closed with the socket

	// Under s.mu:
	queue   []frame
	deaf    bool // open, but nothing passes
	leaving bool // told that it will be closed
	gone    bool
}

// frame is a message to be written.
type frame struct {
	call string // for the gate; empty: none
	data []byte
	d    *Delivery // of an envelope
	last bool      // then hang up
}

func (s *Server) openConnection(args) (object, string, error) {
	ticket := "fake-" + strconv.FormatInt(s.next(), 36)
	if s.tickets == nil {
		s.tickets = map[string]bool{}
	}
	s.tickets[ticket] = true
	where := "ws" + strings.TrimPrefix(s.base(), "http")
	return object{"url": where + "/link/?ticket=" + ticket + "&app_id=" + App}, ticket, nil
}

// link is the WebSocket. Any Origin is right: slack-go sends one, others none.
func (s *Server) link(w http.ResponseWriter, r *http.Request) {
	ticket := r.URL.Query().Get("ticket")
	s.mu.Lock()
	fresh, known := s.tickets[ticket]
	if !fresh || r.URL.Query().Get("app_id") != App {
		s.surprise("/link/ with ticket %q, known %v, and app_id %q", ticket, known, r.URL.Query().Get("app_id"))
		s.mu.Unlock()
		http.Error(w, "invalid ticket", http.StatusForbidden)
		return
	}
	s.tickets[ticket] = false
	s.mu.Unlock()
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		s.mu.Lock()
		s.surprise("/link/: %v", err)
		s.mu.Unlock()
		return
	}
	k := &socket{s: s, conn: conn, wake: make(chan struct{}, 1), done: make(chan struct{})}
	conn.SetReadLimit(1 << 20)
	conn.SetPingHandler(k.pong)
	k.open(s.life(r))
	go k.write()
	go k.ping()
	k.read()
}

// life is how long the socket that r opens will live; 0: until it is dropped.
func (s *Server) life(r *http.Request) time.Duration {
	if r.URL.Query().Get("debug_reconnects") == "true" {
		return debugLife
	}
	return s.Life
}

// open counts the socket in and says hello, unless there are too many.
func (k *socket) open(life time.Duration) {
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	k.s.opened++
	k.n = k.s.opened
	if len(k.s.sockets) >= mostSockets {
		k.s.note("slack disconnect", "socket %d: too_many_websockets", k.n)
		k.push(frame{last: true, data: disconnect(TooManyWebSockets)})
		return
	}
	k.s.sockets = append(k.s.sockets, k)
	k.s.note("slack hello", "socket %d, %d open", k.n, len(k.s.sockets))
	k.push(frame{data: mustJSON(object{
		"type": "hello", "num_connections": len(k.s.sockets),
		"debug_info":      object{"host": "applink-emu", "build_number": 1, "approximate_connection_time": or(life, 18060*time.Second) / time.Second},
		"connection_info": object{"app_id": App},
	})})
	if life > 0 {
		k.s.after(life, func() { k.end(RefreshRequested) })
	}
	k.s.catchUp()
}

func disconnect(reason string) []byte {
	return mustJSON(object{"type": "disconnect", "reason": reason, "debug_info": object{"host": "applink-emu"}})
}

func mustJSON(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // all of it is made here
	}
	return raw
}

// push queues f, with s.mu held.
func (k *socket) push(f frame) {
	k.queue = append(k.queue, f)
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// take waits for the next frame to write.
func (k *socket) take() (frame, bool) {
	for {
		k.s.mu.Lock()
		if !k.gone && len(k.queue) > 0 {
			f := k.queue[0]
			k.queue = k.queue[1:]
			k.s.mu.Unlock()
			return f, true
		}
		k.s.mu.Unlock()
		select {
		case <-k.wake:
		case <-k.done:
			return frame{}, false
		}
	}
}

// write sends the queue, until the socket is gone.
func (k *socket) write() {
	for {
		f, ok := k.take()
		if !ok {
			return
		}
		if f.call != "" {
			k.s.gate(f.call, fakehttp.Arrived)
		}
		if !k.send(f) {
			return
		}
		if f.call != "" {
			k.s.gate(f.call, fakehttp.Answered)
		}
		if f.last {
			k.hangUp()
		}
	}
}

// send writes f. What a socket that is gone can no longer send is tried on
// another one; what a deaf one sends is lost.
func (k *socket) send(f frame) bool {
	s := k.s
	s.mu.Lock()
	if k.gone {
		s.reroute(f)
		s.mu.Unlock()
		return false
	}
	deaf := k.deaf
	if f.call != "" && deaf {
		s.note(f.call, "%s lost: socket %d is deaf", f.id(), k.n)
	} else if f.call != "" {
		s.note(f.call, "%s to socket %d", f.id(), k.n)
	}
	s.mu.Unlock()
	if deaf {
		return true
	}
	_ = k.conn.SetWriteDeadline(time.Now().Add(slowest)) // an error shows at the write
	if err := k.conn.WriteMessage(websocket.TextMessage, f.data); err != nil {
		s.mu.Lock()
		if f.call != "" {
			s.note(f.call, "%s not written: %v", f.id(), err)
		}
		s.reroute(f)
		s.mu.Unlock()
		k.leave(err.Error())
		return false
	}
	return true
}

func (f frame) id() string {
	if f.d == nil || f.d.ID == "" {
		return "no id"
	}
	return f.d.ID
}

// ping pings as Slack does; slack-go leaves a server that does not.
func (k *socket) ping() {
	every := k.s.Ping
	switch {
	case every < 0:
		return
	case every == 0:
		every = 10 * time.Second
	}
	timer := time.NewTimer(min(firstPing, every))
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-k.done:
			return
		}
		timer.Reset(every)
		if !k.isDeaf() {
			if err := k.conn.WriteControl(websocket.PingMessage, []byte("Ping from applink-emu"), time.Now().Add(slowest)); err != nil {
				k.leave("not pinged: " + err.Error())
			}
		}
	}
}

// pong answers the app's own ping with its text, by which Python's client
// knows it again.
func (k *socket) pong(text string) error {
	if k.isDeaf() {
		return nil
	}
	// An error here also shows in the reader, which closes the socket.
	_ = k.conn.WriteControl(websocket.PongMessage, []byte(text), time.Now().Add(slowest))
	return nil
}

func (k *socket) isDeaf() bool {
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	return k.deaf
}

// read takes acks until the socket closes.
func (k *socket) read() {
	for {
		kind, data, err := k.conn.ReadMessage()
		switch {
		case err != nil:
			k.leave(err.Error())
			return
		case k.isDeaf():
		case kind != websocket.TextMessage:
			k.s.mu.Lock()
			k.s.surprise("socket %d: a binary frame", k.n)
			k.s.mu.Unlock()
		default:
			k.s.ack(k, data)
		}
	}
}

// hangUp begins the closing handshake, which the reader ends.
func (k *socket) hangUp() {
	_ = k.conn.WriteControl(websocket.CloseMessage,
		websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(slowest))
	time.AfterFunc(slowest, func() { k.leave("no answer to the close frame") })
}

func (k *socket) leave(why string) {
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	k.out(why)
}

// out takes the socket out, with s.mu held. What it had not begun to write
// goes elsewhere.
func (k *socket) out(why string) {
	if k.gone {
		return
	}
	s := k.s
	k.gone = true
	close(k.done)
	s.sockets = slices.DeleteFunc(s.sockets, func(o *socket) bool { return o == k })
	s.note("slack disconnect", "socket %d closed: %s", k.n, why)
	for _, f := range k.queue {
		s.reroute(f)
	}
	k.queue = nil
	_ = k.conn.Close() // nothing is left to be written
}

// nextSocket returns whose turn it is, or nil, with s.mu held. Sockets that
// were told to go are used only if there are no others.
func (s *Server) nextSocket() *socket {
	s.turn++
	for i := range s.sockets {
		if k := s.sockets[(s.turn+i)%len(s.sockets)]; !k.leaving {
			return k
		}
	}
	if len(s.sockets) == 0 {
		return nil
	}
	return s.sockets[s.turn%len(s.sockets)]
}

// Sockets returns how many sockets are open.
func (s *Server) Sockets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sockets)
}

// DropSockets ends all open sockets, or those at these places in the order of
// opening (0 is the one open longest). Reasons other than [KillTCP] are sent
// in a disconnect message; [Warning] leaves ten seconds before the end.
func (s *Server) DropSockets(reason string, which ...int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, k := range slices.Clone(s.sockets) {
		if len(which) > 0 && !slices.Contains(which, i) {
			continue
		}
		if reason == KillTCP {
			k.out("killed")
			continue
		}
		k.end(reason)
	}
}

// end asks the app to leave, with s.mu held.
func (k *socket) end(reason string) {
	if k.gone || k.leaving {
		return
	}
	k.leaving = true
	k.s.note("slack disconnect", "socket %d: %s", k.n, reason)
	k.push(frame{data: disconnect(reason), last: reason != Warning})
	if reason == Warning {
		time.AfterFunc(warned, k.hangUp)
	}
}

// Deafen makes the socket at this place in the order of opening silent: it
// stays open, but nothing passes any more, in neither direction.
func (s *Server) Deafen(n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < 0 || n >= len(s.sockets) {
		return fmt.Errorf("deafening socket %d: %d are open", n, len(s.sockets))
	}
	s.sockets[n].deaf = true
	s.note("slack socket", "socket %d is deaf now", s.sockets[n].n)
	return nil
}

// LoseAcks ignores the next n acks, as if they had never arrived.
func (s *Server) LoseAcks(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unheard += n
}

// Duplicate delivers each of the next n commands, clicks and events twice: the same
// envelope, with the same trigger_id.
func (s *Server) Duplicate(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.duplicates += n
}
