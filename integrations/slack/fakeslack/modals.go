package fakeslack

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// View is a modal or a Home tab as its person sees it.
type View struct {
	ID              string
	Type            string // modal or home
	Title           string
	Submit, Close   string // labels; empty: Slack's own, if it has one
	CallbackID      string
	ExternalID      string
	PrivateMetadata string
	Hash            string
	Blocks          json.RawMessage
	Values          map[string][]string // by block_id and action_id, as "block/action": what is chosen, as it reads
	Errors          map[string]string   // by block_id
	Warning         string              // what Slack says above it
	Plain           string              // how its blocks read, in plain text
}

// Buttons returns the buttons of the view, in the order they are read.
func (v View) Buttons() []Button { return Message{Blocks: v.Blocks}.Buttons() }

// View returns the modals that person has open, the one on top last.
func (s *Server) View(person string) []View {
	s.mu.Lock()
	defer s.mu.Unlock()
	var seen []View
	for _, v := range s.modals[person] {
		seen = append(seen, s.seen(v))
	}
	return seen
}

// Home returns what the app published to person's Home tab.
func (s *Server) Home(person string) (View, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.homes[person]
	if v == nil {
		return View{}, false
	}
	return s.seen(v), true
}

func (s *Server) seen(v *view) View {
	shown := View{ID: v.id, Type: v.kind, Title: stringOf(v.title["text"]), Submit: stringOf(v.submit["text"]), Close: stringOf(v.closing["text"]),
		CallbackID: v.callback, ExternalID: v.external, PrivateMetadata: v.private, Hash: v.hash, Blocks: encode(v.blocks),
		Values: map[string][]string{}, Errors: maps.Clone(v.errors), Warning: v.trouble, Plain: s.lines(v.blocks, v.values)}
	for block, actions := range v.values {
		for action, state := range actions {
			shown.Values[block+"/"+action] = s.chosen(state)
		}
	}
	return shown
}

// Submit fills in the inputs of the modal on top of person's, by block_id, and
// submits it. Choices are as for [Server.Choose]; inputs that are not named
// stay as they are. It is an error if Slack's client would not submit it. What
// comes of it is to be seen in [Server.View].
func (s *Server) Submit(person, viewID string, inputs map[string][]string) (*Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	doing := "submitting " + viewID
	p, v, err := s.top(person, viewID)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	if v.submit == nil {
		return nil, fmt.Errorf("%s: it has no submit button", doing)
	}
	state := v.values.clone()
	for _, id := range slices.Sorted(maps.Keys(inputs)) {
		i := slices.IndexFunc(elementsOf(v.blocks), func(e element) bool { return e.block["type"] == "input" && e.blockID() == id })
		if i < 0 {
			return nil, fmt.Errorf("%s: it has no input %q", doing, id)
		}
		e := elementsOf(v.blocks)[i]
		chosen, err := s.choose(p, e.it, inputs[id])
		if err != nil {
			return nil, fmt.Errorf("%s: input %s: %w", doing, id, err)
		}
		state.set(e, chosen)
	}
	v.values = state
	v.errors, v.trouble = nil, ""
	if empty := incomplete(v.blocks, state); len(empty) > 0 {
		return nil, fmt.Errorf("%s: please complete %s", doing, strings.Join(empty, ", "))
	}
	d := s.newDelivery(interactive, p.ID, nil)
	d.what, d.view = viewSubmission, v
	s.dispatch(d, s.payloadOf(d, p, object{"view": s.viewObject(v), "trigger_id": d.TriggerID, "response_urls": []any{}}))
	return d, nil
}

// CloseView closes the modal on top of person's; with all, by its ×, those
// below it too.
func (s *Server) CloseView(person, viewID string, all bool) (*Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, v, err := s.top(person, viewID)
	if err != nil {
		return nil, fmt.Errorf("closing %s: %w", viewID, err)
	}
	stack := s.modals[person]
	if all || v.clearOnClose {
		v = stack[0]
		s.modals[person] = nil
	} else {
		s.modals[person] = stack[:len(stack)-1]
	}
	s.touch()
	d := s.newDelivery(interactive, p.ID, nil)
	d.what, d.view = viewClosed, v
	if !v.notify {
		d.ID = ""
		d.settle(nil)
		return d, nil
	}
	o := s.viewObject(v)
	o["state"] = object{"values": object{}} // recorded from Slack
	s.dispatch(d, s.payloadOf(d, p, object{"view": o, "is_cleared": all || v.clearOnClose}))
	return d, nil
}

// top returns the modal on top of person's, which must have this id.
func (s *Server) top(person, viewID string) (Person, *view, error) {
	p, ok := s.person(person)
	stack := s.modals[person]
	switch {
	case !ok:
		return p, nil, fmt.Errorf("there is no person %s", person)
	case len(stack) == 0:
		return p, nil, fmt.Errorf("%s has no modal open", p.Name)
	case stack[len(stack)-1].id != viewID:
		return p, nil, fmt.Errorf("%s has %s on top", p.Name, stack[len(stack)-1].id)
	}
	return p, stack[len(stack)-1], nil
}

// payloadOf is what all interactive payloads of p begin with, and more.
func (s *Server) payloadOf(d *Delivery, p Person, more object) object {
	payload := object{
		"type": d.what, "api_app_id": App, "token": "verification-token", "enterprise": nil, "is_enterprise_install": false,
		"user": object{"id": p.ID, "username": p.Name, "name": p.Name, "team_id": p.Team},
		"team": object{"id": Team, "domain": Domain},
	}
	maps.Copy(payload, more)
	return payload
}

// answered does what the ack of a submission says, with s.mu held.
func (s *Server) answered(d *Delivery, a args) string {
	v := d.view
	stack := s.modals[v.person]
	at := slices.Index(stack, v)
	if at < 0 {
		return ": its view is gone"
	}
	known := map[string]string{"": "", "clear": "", "update": "view", "push": "view", "errors": "errors"}
	action := a["response_action"]
	extra, ok := known[action]
	if others := a.others([]string{"response_action", extra}, nil); !ok || len(others) > 0 {
		return s.failed(d, fmt.Sprintf("response_action %q with %q", action, others))
	}
	switch action {
	case "":
		s.modals[v.person] = stack[:at]
	case "clear":
		s.modals[v.person] = nil
	case "errors":
		return s.complain(d, a["errors"])
	default:
		next, err := s.readView(a["view"], inModal)
		switch {
		case err != nil:
			return s.failed(d, err.Error()+strings.Join(err.(slackError).messages, "; "))
		case action == "update" && s.taken(next.external, v), action == "push" && s.taken(next.external, nil):
			return s.failed(d, "duplicate_external_id")
		case action == "update":
			s.become(v, next)
		case len(stack) >= mostViews:
			return s.failed(d, "push_limit_reached")
		default:
			s.raise(s.born(next, v.person), v)
		}
	}
	s.touch()
	return ", " + or(action, "close")
}

// complain shows errors beside the inputs they name. All of them must be the
// block_ids of input blocks.
func (s *Server) complain(d *Delivery, text string) string {
	v := d.view
	var errors map[string]string
	if json.Unmarshal([]byte(text), &errors) != nil || len(errors) == 0 {
		return s.failed(d, "errors "+text)
	}
	for id := range errors {
		if !slices.ContainsFunc(v.blocks, func(b any) bool { return b.(object)["type"] == "input" && b.(object)["block_id"] == id }) {
			return s.failed(d, fmt.Sprintf("an error for %q, which is no input block", id))
		}
	}
	v.errors = errors
	s.touch()
	return ", errors"
}

// failed shows that a submission came to nothing.
func (s *Server) failed(d *Delivery, why string) string {
	d.view.trouble = trouble
	s.surprise("ack of %s: %s", d.ID, why)
	return ": " + why
}
