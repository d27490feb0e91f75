package fakeslack

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"thbot/integrations/fakehttp"
)

// ackWithin is how long an app has (Slack: "within 3000 milliseconds").
const ackWithin = 3 * time.Second

// mostAck is the longest ack in bytes; Slack drops longer ones without a word
// (slack-go's socketmode.go, measured there).
const mostAck = 20_479

// Types of envelopes.
const (
	slashCommands = "slash_commands"
	interactive   = "interactive"
	rawFrame      = "raw" // of SendRaw
)

// What interactive envelopes carry.
const (
	blockActions   = "block_actions"
	viewSubmission = "view_submission"
	viewClosed     = "view_closed"
	shortcut       = "shortcut"
	messageAction  = "message_action"
)

// Delivery is a command, a click or an event on its way to the app.
type Delivery struct {
	ID          string // envelope_id; empty if nothing had to be delivered
	TriggerID   string
	ResponseURL string

	s       *Server
	kind    string
	what    string // of kind interactive: the type of its payload
	data    []byte
	person  string
	channel *channel
	source  *message // that was clicked
	view    *view    // that was clicked, or submitted
	event   *event
	line    string // that was typed
	done    chan struct{}
	settled bool  // under s.mu
	err     error // set before done is closed
}

// NotAcked is what becomes of a delivery that nobody acknowledged in time.
type NotAcked struct {
	Text string // what Slack told the person
}

func (e *NotAcked) Error() string { return "not acknowledged: " + e.Text }

// Wait returns nil once the app acknowledged the delivery, and a [*NotAcked]
// once Slack gave up on it.
func (d *Delivery) Wait(ctx context.Context) error {
	select {
	case <-d.done:
		return d.err
	case <-ctx.Done():
		return fmt.Errorf("waiting for the ack of %s: %w", d.ID, context.Cause(ctx))
	}
}

// Envelopes returns what the app was sent, or would have been with a socket, as
// JSON and without what came twice: to look for what must not be in it.
func (s *Server) Envelopes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, id := range slices.Sorted(maps.Keys(s.deliveries)) {
		all = append(all, string(s.deliveries[id].data))
	}
	return all
}

// The functions below are called with s.mu held.

func (s *Server) newDelivery(kind, person string, c *channel) *Delivery {
	n := s.next()
	return &Delivery{
		s: s, kind: kind, person: person, channel: c, done: make(chan struct{}),
		ID:        s.envelopeID(),
		TriggerID: fmt.Sprintf("%d.%d.fake%x", n, s.next(), n),
	}
}

func (s *Server) envelopeID() string {
	n := s.next()
	return fmt.Sprintf("%08x-%04x-4fff-8fff-%012x", n>>32&0xffffffff, n>>16&0xffff, n)
}

// settle ends the waiting for d, once.
func (d *Delivery) settle(err error) {
	if d.settled {
		return
	}
	d.settled, d.err = true, err
	close(d.done)
	d.s.touch()
}

// dispatch sends d to the app, and gives up on it in time.
func (s *Server) dispatch(d *Delivery, payload object) {
	d.data = mustJSON(object{"envelope_id": d.ID, "type": d.kind, "payload": payload,
		// Recorded from Slack: block_actions and shortcuts say false.
		"accepts_response_payload": d.kind == slashCommands || d.what == viewSubmission})
	s.expect(d.ID, d)
	if payload["trigger_id"] != nil {
		s.arm(d)
	}
	s.after(ackWithin, func() { s.giveUp(d, "operation_timeout") })
	s.route(d)
	if s.duplicates > 0 {
		s.duplicates--
		s.route(d)
	}
}

// expect remembers that the app will acknowledge d by this envelope_id.
func (s *Server) expect(id string, d *Delivery) {
	if s.deliveries == nil {
		s.deliveries = map[string]*Delivery{}
	}
	s.deliveries[id] = d
}

// route hands d to one socket.
func (s *Server) route(d *Delivery) {
	s.pass(frame{call: "slack envelope " + d.kind, data: d.data, d: d})
}

// pass gives f to the next socket.
func (s *Server) pass(f frame) {
	switch k := s.nextSocket(); {
	case k != nil:
		k.push(f)
	case f.d.event == nil:
		s.giveUp(f.d, "dispatch_failed")
	default: // an event is sent again by itself
		s.note(f.call, "%s: no socket is left", f.d.ID)
	}
}

// reroute hands on what a socket could not write.
func (s *Server) reroute(f frame) {
	if f.d != nil && !f.d.settled {
		s.pass(f)
	}
}

// giveUp tells the person that d failed, unless it is settled.
func (s *Server) giveUp(d *Delivery, why string) {
	if d.settled {
		return
	}
	if d.kind == rawFrame {
		d.settle(&NotAcked{"no socket was left"})
		return
	}
	command, _, _ := strings.Cut(d.line, " ")
	text := command + " failed because the app did not respond."
	switch {
	case d.what == viewSubmission:
		text = trouble
	case d.kind != slashCommands:
		text = "The app did not respond."
	case why == "dispatch_failed":
		text = command + ` failed with the error "dispatch_failed"`
	}
	s.note("slack envelope "+d.kind, "%s %s", d.ID, why)
	switch {
	case d.what == viewClosed: // nobody waits for that
	case d.view != nil:
		d.view.trouble = text
	case d.source != nil:
		if d.source.warnings == nil {
			d.source.warnings = map[string]string{}
		}
		d.source.warnings[d.person] = text
	case d.channel != nil:
		s.post(d.channel, &message{user: Slackbot, only: d.person, text: text})
	}
	d.settle(&NotAcked{text})
}

// SendRaw writes frame to the next socket as it is. If it has an envelope_id,
// the delivery waits for its ack, without limit; otherwise it is settled.
func (s *Server) SendRaw(data []byte) (*Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sockets) == 0 {
		return nil, fmt.Errorf("sending a raw frame: no socket is open")
	}
	var envelope struct {
		ID string `json:"envelope_id"`
	}
	_ = json.Unmarshal(data, &envelope) // it may be nonsense: that is what it is for
	d := &Delivery{s: s, ID: envelope.ID, kind: rawFrame, data: data, done: make(chan struct{})}
	if d.ID == "" {
		d.settle(nil)
	} else {
		s.expect(d.ID, d)
	}
	s.route(d)
	return d, nil
}

// ack takes what the app wrote on socket k: the acknowledgement of an
// envelope, from whichever socket that came.
func (s *Server) ack(k *socket, data []byte) {
	var a struct {
		EnvelopeID string          `json:"envelope_id"`
		Payload    json.RawMessage `json:"payload"`
	}
	err := json.Unmarshal(data, &a)
	s.mu.Lock()
	d := s.deliveries[a.EnvelopeID]
	switch {
	case err != nil || a.EnvelopeID == "":
		s.surprise("socket %d: neither ack nor anything else: %.200s", k.n, data)
	case len(data) > mostAck:
		s.note("slack ack", "%s dropped: %d bytes", a.EnvelopeID, len(data))
		d = nil
	case d == nil:
		s.note("slack ack", "%s ignored: no such envelope", a.EnvelopeID)
	case s.unheard > 0:
		s.unheard--
		s.note("slack ack", "%s lost", a.EnvelopeID)
		d = nil
	}
	s.mu.Unlock()
	if d == nil || err != nil {
		return
	}
	call := "slack ack " + d.kind
	s.gate(call, fakehttp.Arrived)
	s.mu.Lock()
	note := s.acked(d, a.Payload)
	s.note(call, "%s on socket %d%s", d.ID, k.n, note)
	s.mu.Unlock()
	s.gate(call, fakehttp.Done)
}

// acked settles d and shows what the ack carries. Absent, null and {} are all
// empty: Bolt always sends a payload.
func (s *Server) acked(d *Delivery, payload json.RawMessage) string {
	if d.settled {
		if d.err != nil {
			return ": too late"
		}
		return ": again"
	}
	defer d.settle(nil)
	a := args{}
	if len(payload) > 0 && string(payload) != "null" {
		if err := a.json(payload); err != nil {
			s.surprise("ack of %s: the payload is no object: %.200s", d.ID, payload)
			return ": undecodable payload"
		}
	}
	if d.what == viewSubmission {
		return s.answered(d, a)
	}
	if len(a) == 0 {
		return ""
	}
	if d.kind != slashCommands {
		s.surprise("ack of %s: a payload, which Slack ignores there", d.ID)
		return ": its payload is ignored"
	}
	if err := s.reply(a, reply{what: "ack of " + d.ID, person: d.person, channel: d.channel, line: d.line}); err != nil {
		s.surprise("ack of %s: %v", d.ID, err)
		return ": " + err.Error()
	}
	return ", with a message"
}
