package fakeslack

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// eventsAPI is the type of envelopes that carry events.
const eventsAPI = "events_api"

// retryAfter is how long after an attempt that nobody acknowledged the next
// one follows (Events API: almost at once, after a minute, after five).
var retryAfter = []time.Duration{0, time.Minute, 5 * time.Minute}

// event is what a Delivery of the Events API carries.
type event struct {
	id, kind string
	payload  object
	attempt  int // the next: 0 is the first
	sent     int
}

// Event is something that happened and that the app subscribed to.
type Event struct {
	ID       string // event_id, the same in every attempt
	Type     string
	Attempts int  // how often it was sent
	Acked    bool // by the app
	Payload  json.RawMessage
}

// Events returns what the app was told, or would have been with a socket.
func (s *Server) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Event
	for _, d := range s.events {
		found = append(found, Event{ID: d.event.id, Type: d.event.kind, Attempts: d.event.sent,
			Acked: d.settled && d.err == nil, Payload: mustJSON(d.event.payload)})
	}
	return found
}

// The functions below are called with s.mu held.

// emit tells the app of something, if it subscribed to name and has the scope.
func (s *Server) emit(name, scope string, inner object) *Delivery {
	if !slices.Contains(s.Subscribed, name) || scope != "" && s.may(scope) != nil {
		d := &Delivery{s: s, done: make(chan struct{})}
		d.settle(nil)
		return d
	}
	d := s.newDelivery(eventsAPI, stringOf(inner["user"]), nil)
	kind := stringOf(inner["type"])
	id := s.id("Ev")
	d.event = &event{id: id, kind: kind, payload: object{
		"token": "verification-token", "team_id": Team, "api_app_id": App, "event": inner, "type": "event_callback",
		"event_id": id, "event_time": time.Now().Unix(), "is_ext_shared_channel": false,
		"authorizations": []object{{"enterprise_id": nil, "team_id": Team, "user_id": BotUser, "is_bot": true, "is_enterprise_install": false}},
		"event_context":  "4-" + kind + "-" + Team,
	}}
	s.events = append(s.events, d)
	s.attempt(d)
	if s.duplicates > 0 && d.event.sent > 0 {
		s.duplicates--
		s.route(d)
	}
	return d
}

// attempt sends an event. Unlike a command it waits for a socket, and is sent
// again if nobody acknowledges it; each attempt is an envelope of its own.
func (s *Server) attempt(d *Delivery) {
	if d.settled {
		return
	}
	e := d.event
	if len(s.sockets) == 0 {
		s.note("slack envelope "+eventsAPI, "%s %s waits for a socket", d.ID, e.kind)
		e.attempt = max(e.attempt, 1) // what comes late comes as a retry
		s.backlog = append(s.backlog, d)
		return
	}
	id, reason := d.ID, ""
	if e.sent > 0 {
		id = s.envelopeID()
	}
	if e.attempt > 0 {
		reason = "timeout"
	}
	e.sent++
	d.data = mustJSON(object{"envelope_id": id, "type": eventsAPI, "payload": e.payload, "accepts_response_payload": false,
		"retry_attempt": e.attempt, "retry_reason": reason})
	s.expect(id, d)
	s.route(d)
	n := e.attempt
	e.attempt++
	s.after(ackWithin, func() {
		switch {
		case d.settled:
		case n >= len(retryAfter):
			s.note("slack envelope "+eventsAPI, "%s given up", d.ID)
			d.settle(&NotAcked{"the event was not acknowledged"})
		default:
			s.after(retryAfter[n], func() { s.attempt(d) })
		}
	})
}

// after runs f with s.mu held, later.
func (s *Server) after(wait time.Duration, f func()) {
	time.AfterFunc(wait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		f()
	})
}

// catchUp sends the events that waited for a socket.
func (s *Server) catchUp() {
	waiting := s.backlog
	s.backlog = nil
	for _, d := range waiting {
		s.attempt(d)
	}
}

// kindOf returns channel_type, the event to subscribe to, and its scope.
func (c *channel) kindOf() (kind, event, scope string) {
	switch {
	case c.im != "":
		return "im", "message.im", "im:history"
	case c.Private:
		return "group", "message.groups", "groups:history"
	}
	return "channel", "message.channels", "channels:history"
}

// tell emits that m was posted.
func (s *Server) tell(m *message) {
	if m.only != "" || !m.in.has(BotUser) {
		return
	}
	kind, event, scope := m.in.kindOf()
	inner := s.wire(m, true)
	inner["channel"], inner["channel_type"], inner["event_ts"] = m.in.ID, kind, m.ts
	s.emit(event, scope, inner)
	if kind == "im" || m.user == BotUser || m.subtype != "" || !strings.Contains(m.text, "<@"+BotUser+">") {
		return // in direct messages nobody has to be mentioned
	}
	mention := object{"type": "app_mention", "user": m.user, "text": m.text, "ts": m.ts, "team": Team, "channel": m.in.ID, "event_ts": m.ts}
	if m.thread != "" {
		mention["thread_ts"] = m.thread
	}
	s.emit("app_mention", "app_mentions:read", mention)
}

// tellChange emits that m was something else before.
func (s *Server) tellChange(m *message, before object) {
	s.tellHidden(m, object{"subtype": "message_changed", "message": s.wire(m, true), "previous_message": before})
}

func (s *Server) tellDeleted(m *message, before object) {
	s.tellHidden(m, object{"subtype": "message_deleted", "deleted_ts": m.ts, "previous_message": before})
}

func (s *Server) tellHidden(m *message, inner object) {
	if m.only != "" || !m.in.has(BotUser) {
		return
	}
	kind, event, scope := m.in.kindOf()
	at := stamp(s.next())
	inner["type"], inner["hidden"], inner["channel"], inner["channel_type"], inner["ts"], inner["event_ts"] = "message", true, m.in.ID, kind, at, at
	s.emit(event, scope, inner)
}
