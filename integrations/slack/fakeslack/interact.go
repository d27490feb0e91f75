package fakeslack

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// place is where an element is: in a message of a channel, or in a view.
type place struct {
	c *channel
	m *message
	v *view
}

// act tells the app that p used an element there, with s.mu held.
func (s *Server) act(p Person, at place, blockID string, action object) *Delivery {
	d := s.newDelivery(interactive, p.ID, at.c)
	d.what, d.source, d.view = blockActions, at.m, at.v
	action["action_ts"], action["block_id"] = stamp(s.next()), blockID
	payload := s.payloadOf(d, p, object{"trigger_id": d.TriggerID, "actions": []any{action}})
	if v := at.v; v != nil {
		v.trouble = ""
		payload["container"] = object{"type": "view", "view_id": v.id}
		payload["view"] = s.viewObject(v)
		payload["state"] = object{"values": v.values.clone()}
		s.dispatch(d, payload)
		return d
	}
	delete(at.m.warnings, p.ID)
	d.ResponseURL = s.newResponse("actions", d)
	container := object{"type": "message", "message_ts": at.m.ts, "channel_id": at.c.ID, "is_ephemeral": at.m.only != ""}
	if at.m.thread != "" {
		container["thread_ts"] = at.m.thread
	}
	payload["container"], payload["response_url"] = container, d.ResponseURL
	payload["channel"] = object{"id": at.c.ID, "name": at.c.shown()}
	payload["state"] = object{"values": begin(at.m.blocks, at.m.state[p.ID])}
	if at.m.only == "" { // an ephemeral message does not come along
		payload["message"] = s.wire(at.m, false)
	}
	s.dispatch(d, payload)
	return d
}

// Choose uses a menu, a picker or boxes in a message, as person: choices are
// the values or labels of options, the IDs of people or channels, a date
// (2006-01-02), a time (15:04) or seconds since 1970; none deselects. What has
// a confirm dialog is confirmed. An error means that Slack's client would not
// let that person.
func (s *Server) Choose(person, channel, ts, actionID string, choices ...string) (*Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	doing := fmt.Sprintf("choosing %q in %s of %s", choices, actionID, ts)
	p, c, err := s.actor(person, channel)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	m := c.message(ts)
	if m == nil || m.deleted || !m.seenBy(c, person) {
		return nil, fmt.Errorf("%s: %s sees no such message", doing, p.Name)
	}
	if m.state == nil {
		m.state = map[string]values{}
	}
	state := begin(m.blocks, m.state[person])
	m.state[person] = state
	d, err := s.use(p, place{c: c, m: m}, m.blocks, state, actionID, choices)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return d, nil
}

// ChooseIn is Choose, or typing, in a view of person's: the modal on top, or
// the Home tab. What is in an input block without dispatch_action is told to
// nobody before it is submitted: its Delivery is settled.
func (s *Server) ChooseIn(person, viewID, actionID string, choices ...string) (*Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	doing := fmt.Sprintf("choosing %q in %s of %s", choices, actionID, viewID)
	p, v, err := s.open(person, viewID)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	d, err := s.use(p, place{v: v}, v.blocks, v.values, actionID, choices)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return d, nil
}

// open returns the view that person can use under this id.
func (s *Server) open(person, viewID string) (Person, *view, error) {
	if h := s.homes[person]; h != nil && h.id == viewID {
		p, _ := s.person(person)
		return p, h, nil
	}
	return s.top(person, viewID)
}

// use chooses, with s.mu held.
func (s *Server) use(p Person, at place, blocks []any, state values, actionID string, choices []string) (*Delivery, error) {
	all := elementsOf(blocks)
	i := slices.IndexFunc(all, func(e element) bool { return e.actionID() == actionID })
	if i < 0 {
		return nil, errors.New("there is no such element")
	}
	e := all[i]
	k := kinds[e.kind()]
	if k.field == "" && e.kind() != "overflow" {
		return nil, fmt.Errorf("nothing can be chosen in a %s", e.kind())
	}
	action := object{"type": e.kind(), "action_id": actionID}
	if e.kind() == "overflow" {
		if len(choices) != 1 {
			return nil, fmt.Errorf("an overflow takes one choice, not %d", len(choices))
		}
		option, err := s.one(p, e.it, e.kind(), choices[0])
		if err != nil {
			return nil, err
		}
		action["selected_option"] = option
		return s.act(p, at, e.blockID(), action), nil
	}
	chosen, err := s.choose(p, e.it, choices)
	if err != nil {
		return nil, err
	}
	state.set(e, chosen)
	s.touch()
	if e.block["type"] == "input" && e.block["dispatch_action"] != true {
		d := &Delivery{s: s, done: make(chan struct{})}
		d.settle(nil)
		return d, nil
	}
	for name, v := range chosen {
		action[name] = v
	}
	for _, name := range []string{"placeholder", "confirm"} {
		if e.it[name] != nil {
			action[name] = e.it[name]
		}
	}
	return s.act(p, at, e.blockID(), action), nil
}

// PressIn is Press in a view of person's.
func (s *Server) PressIn(person, viewID, actionID, value string) (*Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	doing := fmt.Sprintf("pressing %s %q in %s", actionID, value, viewID)
	p, v, err := s.open(person, viewID)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	buttons := buttonsOf(v.blocks)
	i := slices.IndexFunc(buttons, func(b Button) bool { return b.ActionID == actionID && b.Value == value })
	if i < 0 {
		return nil, fmt.Errorf("%s: it has no such button", doing)
	}
	return s.act(p, place{v: v}, buttons[i].blockID, pressed(buttons[i])), nil
}

// Shortcut starts one of the app's global shortcuts as person.
func (s *Server) Shortcut(person, callbackID string) (*Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.person(person)
	switch {
	case !ok || p.Bot || p.Deleted:
		return nil, fmt.Errorf("starting %s: %s cannot use Slack", callbackID, person)
	case !slices.Contains(s.Shortcuts, callbackID) || s.may("commands") != nil:
		return nil, fmt.Errorf("starting %s: the app has only %q", callbackID, s.Shortcuts)
	}
	d := s.newDelivery(interactive, p.ID, nil)
	d.what = shortcut
	s.dispatch(d, s.payloadOf(d, p, object{"callback_id": callbackID, "trigger_id": d.TriggerID, "action_ts": stamp(s.next())}))
	return d, nil
}

// MessageShortcut starts one of the app's message shortcuts, as person, from
// the menu of the message with this ts in channel.
func (s *Server) MessageShortcut(person, channel, ts, callbackID string) (*Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	doing := "starting " + callbackID + " from " + ts
	p, c, err := s.actor(person, channel)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	m := c.message(ts)
	switch {
	case m == nil || m.deleted || m.only != "":
		return nil, fmt.Errorf("%s: there is no such message with a menu", doing)
	case !slices.Contains(s.MessageShortcuts, callbackID) || s.may("commands") != nil:
		return nil, fmt.Errorf("%s: the app has only %q", doing, s.MessageShortcuts)
	}
	d := s.newDelivery(interactive, p.ID, c)
	d.what, d.source = messageAction, m
	d.ResponseURL = s.newResponse("app", d)
	s.dispatch(d, s.payloadOf(d, p, object{
		"callback_id": callbackID, "trigger_id": d.TriggerID, "action_ts": stamp(s.next()), "response_url": d.ResponseURL,
		"channel": object{"id": c.ID, "name": c.shown()}, "message_ts": m.ts, "message": s.wire(m, false),
	}))
	return d, nil
}

// OpenHome opens the app's Home as person: the event app_home_opened. The tab
// is home, or messages.
func (s *Server) OpenHome(person, tab string) (*Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.person(person)
	switch {
	case !ok || p.Bot || p.Deleted:
		return nil, fmt.Errorf("opening the app's %s tab: %s cannot use Slack", tab, person)
	case tab != "home" && tab != "messages", tab == "home" && s.NoHome, tab == "messages" && s.NoMessages:
		return nil, fmt.Errorf("opening the app's %s tab: there is none", tab)
	}
	c, _ := s.direct(p)
	inner := object{"type": "app_home_opened", "user": p.ID, "channel": c.ID, "tab": tab,
		"event_ts": strings.Replace(stamp(s.next()), ".", "", 1)}
	if v := s.homes[p.ID]; v != nil && tab == "home" {
		inner["view"] = s.viewObject(v)
	}
	return s.emit("app_home_opened", "", inner), nil
}

// SetTopic sets the topic of a channel as person, in the form of the Web API.
// As it is typed, with @names: say "/topic" and the topic.
func (s *Server) SetTopic(person, channel, topic string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.setTopic(person, channel, topic)
}

func (s *Server) setTopic(person, channel, topic string) error {
	p, c, err := s.actor(person, channel)
	switch {
	case err != nil:
		return fmt.Errorf("setting the topic: %w", err)
	case c.im != "":
		return errors.New("setting the topic: direct messages have none")
	case p.Guest:
		return fmt.Errorf("setting the topic: %s is a guest", p.Name)
	case len([]rune(topic)) > longestTopic:
		return fmt.Errorf("setting the topic: it is longer than %d characters", longestTopic)
	}
	s.topic(c, p.ID, topic)
	return nil
}

// React adds a reaction to a message as person.
func (s *Server) React(person, channel, ts, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, c, err := s.actor(person, channel)
	if err != nil {
		return fmt.Errorf("reacting: %w", err)
	}
	m := c.message(ts)
	if m == nil || m.deleted || m.only != "" {
		return fmt.Errorf("reacting: %s sees no message %s", p.Name, ts)
	}
	if err := s.react(m, p.ID, name); err != nil {
		return fmt.Errorf("reacting: %w", err)
	}
	return nil
}
