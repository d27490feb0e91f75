package fakeslack

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Say types text in channel as person. A text that begins with the app's
// command goes to the app, and "/topic" sets the topic; another is a message
// that everybody there sees, and its Delivery is settled. An error means that Slack would not let them.
func (s *Server) Say(person, channel, text string) (*Delivery, error) {
	return s.say(person, channel, "", text)
}

// Reply is Say in the thread of the message with this ts. Slack has no
// commands there.
func (s *Server) Reply(person, channel, ts, text string) (*Delivery, error) {
	return s.say(person, channel, ts, text)
}

// DM is Say in person's direct messages with the app.
func (s *Server) DM(person, text string) (*Delivery, error) {
	return s.say(person, s.DirectChannel(person), "", text)
}

func (s *Server) say(person, channel, thread, text string) (*Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, c, err := s.actor(person, channel)
	if err == nil {
		err = inThread(c, thread)
	}
	if err == nil && c.im != "" && s.NoMessages {
		err = errors.New("sending messages to this app has been turned off")
	}
	if err != nil {
		return nil, fmt.Errorf("saying %q: %w", text, err)
	}
	if topic, ok := strings.CutPrefix(text, "/topic "); ok && thread == "" { // Slack's own command
		if err := s.setTopic(person, channel, s.markup(topic)); err != nil {
			return nil, err
		}
		d := &Delivery{s: s, done: make(chan struct{})}
		d.settle(nil)
		return d, nil
	}
	if !strings.HasPrefix(text, "/") {
		s.post(c, &message{user: p.ID, text: s.markup(text), thread: thread})
		d := &Delivery{s: s, done: make(chan struct{})}
		d.settle(nil)
		return d, nil
	}
	command, rest, _ := strings.Cut(text, " ")
	d := s.newDelivery(slashCommands, p.ID, c)
	d.line = text
	refused := ""
	switch {
	case command != s.command() || s.may("commands") != nil:
		refused = command + ` is not a valid command. In Slack, all messages that start with the "/" character are interpreted as commands. ` +
			`If you are trying to send a message and not run a command, try preceding the "/" with an empty space.`
	case thread != "":
		refused = command + " is not supported in threads. Sorry!"
	}
	if refused != "" {
		d.ID = ""
		s.post(c, &message{user: Slackbot, only: p.ID, text: refused, thread: thread})
		d.settle(&NotAcked{refused})
		return d, nil
	}
	if !s.RawText {
		rest = s.markup(rest)
	}
	d.ResponseURL = s.newResponse("commands", d)
	s.dispatch(d, object{
		"token": "verification-token", "team_id": Team, "team_domain": Domain,
		"channel_id": c.ID, "channel_name": c.shown(), "user_id": p.ID, "user_name": p.Name,
		"command": command, "text": rest, "api_app_id": App,
		"is_enterprise_install": "false", // a string here, unlike in clicks
		"response_url":          d.ResponseURL, "trigger_id": d.TriggerID,
	})
	return d, nil
}

// Press presses the button with this action_id and value, as person, in the
// message with this ts in channel, and confirms if Slack asks. It is an error
// if that person sees no such button there.
func (s *Server) Press(person, channel, ts, actionID, value string) (*Delivery, error) {
	return s.press(person, channel, ts, actionID, value, false)
}

// PressStale is Press by somebody whose screen may still show an earlier
// version of the message: an edit reaches people when it reaches them.
func (s *Server) PressStale(person, channel, ts, actionID, value string) (*Delivery, error) {
	return s.press(person, channel, ts, actionID, value, true)
}

func (s *Server) press(person, channel, ts, actionID, value string, stale bool) (*Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	doing := fmt.Sprintf("pressing %s %q in %s", actionID, value, ts)
	p, c, err := s.actor(person, channel)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	m := c.message(ts)
	if m == nil || m.deleted || !m.seenBy(c, person) {
		return nil, fmt.Errorf("%s: %s sees no such message", doing, p.Name)
	}
	buttons := buttonsOf(m.blocks)
	for _, r := range m.past {
		var blocks []any
		if stale && json.Unmarshal(r.Blocks, &blocks) == nil {
			buttons = append(buttons, buttonsOf(blocks)...)
		}
	}
	i := slices.IndexFunc(buttons, func(b Button) bool { return b.ActionID == actionID && b.Value == value })
	if i < 0 {
		var there []string
		for _, b := range buttons {
			there = append(there, fmt.Sprintf("%s %q", b.ActionID, b.Value))
		}
		return nil, fmt.Errorf("%s: it has no such button, only [%s]", doing, strings.Join(there, ", "))
	}
	return s.act(p, place{c: c, m: m}, buttons[i].blockID, pressed(buttons[i])), nil
}

// pressed is what payloads tell of a button.
func pressed(b Button) object {
	action := object{}
	for _, field := range []string{"type", "action_id", "text", "value", "style", "url", "confirm", "accessibility_label"} {
		if v, ok := b.element[field]; ok {
			action[field] = v
		}
	}
	return action
}

// shown is the name of c in payloads.
func (c *channel) shown() string {
	if c.im != "" {
		return "directmessage"
	}
	return c.Name
}

// actor returns who does something where, if they can.
func (s *Server) actor(person, channel string) (Person, *channel, error) {
	p, ok := s.person(person)
	c := s.channel(channel)
	switch {
	case !ok:
		return p, nil, fmt.Errorf("there is no person %s", person)
	case c == nil:
		return p, nil, fmt.Errorf("there is no channel %s", channel)
	case p.Bot || p.Deleted:
		return p, nil, fmt.Errorf("%s cannot use Slack", p.Name)
	case !c.has(person):
		return p, nil, fmt.Errorf("%s is not in #%s", p.Name, c.Name)
	case c.Archived:
		return p, nil, fmt.Errorf("#%s is archived", c.Name)
	}
	return p, c, nil
}

// typed finds what Slack marks up in what somebody types.
var typed = regexp.MustCompile(`https?://[^\s<>]+|[@#][\pL\d._-]+`)

// markup writes typed text as Slack stores it: names become mentions, and the
// rest is escaped.
func (s *Server) markup(text string) string {
	var b strings.Builder
	for text != "" {
		at := typed.FindStringIndex(text)
		if at == nil {
			break
		}
		b.WriteString(escape(text[:at[0]]))
		word := text[at[0]:at[1]]
		if strings.HasPrefix(word, "http") {
			b.WriteString("<" + escape(word) + ">")
			text = text[at[1]:]
			continue
		}
		// A sentence's full stop is not the name's.
		name := strings.TrimRight(word[1:], "._-")
		b.WriteString(s.mention(word[:1], name))
		text = text[at[0]+1+len(name):]
	}
	return b.String() + escape(text)
}

func (s *Server) mention(sign, name string) string {
	if sign == "#" {
		switch c := s.channelNamed(name); {
		case c != nil && c.Private:
			return "<#" + c.ID + "|>"
		case c != nil:
			return "<#" + c.ID + "|" + c.Name + ">"
		}
		return sign + name
	}
	for _, p := range s.people {
		if p.Name == name {
			return "<@" + p.ID + ">"
		}
	}
	if name == BotName {
		return "<@" + BotUser + ">"
	}
	for _, g := range s.groups {
		if g.Handle == name {
			return "<!subteam^" + g.ID + "|@" + g.Handle + ">"
		}
	}
	return sign + name
}

// escape escapes the three characters that Slack wants escaped.
func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
