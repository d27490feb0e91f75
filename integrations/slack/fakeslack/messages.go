package fakeslack

import (
	"encoding/json"
	"slices"
)

// Message is a message as one person sees it.
type Message struct {
	TS        string
	User      string // who posted it
	Name      string // that user's name
	Text      string // as the app gave it; with Blocks only notifications show it
	Blocks    json.RawMessage
	Metadata  json.RawMessage
	ThreadTS  string
	Ephemeral bool       // only this person sees it
	To        string     // this person's name, if Ephemeral
	Edited    int        // how often it was changed
	Deleted   bool       // it is gone, and listed so that a test can see that
	Warning   string     // what Slack shows this person beside it
	Plain     string     // how it reads, in plain text
	Past      []Revision // what it was before each change
}

// Revision is what a message was before it was changed.
type Revision struct {
	Text     string
	Blocks   json.RawMessage
	Metadata json.RawMessage
	Plain    string
}

// Messages returns what person sees in channel, in the order of time. Somebody
// who is not in the channel sees only what was said to them alone.
func (s *Server) Messages(person, channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channel(channel)
	if c == nil {
		return nil
	}
	var seen []Message
	for _, m := range c.messages {
		if m.seenBy(c, person) {
			seen = append(seen, s.show(m, person))
		}
	}
	return seen
}

// message is a message as Slack keeps it.
type message struct {
	ts, user, only string // only: who alone sees it
	bot            bool   // posted by the app
	text           string
	blocks         []any
	metadata       json.RawMessage
	thread         string
	edited         int
	marked         string // when the text last changed: Slack shows "(edited)"
	deleted        bool
	warnings       map[string]string // by person
	past           []Revision
}

func (m *message) seenBy(c *channel, person string) bool {
	if m.only != "" {
		return m.only == person
	}
	return c.has(person)
}

// post adds m to c, with s.mu held.
func (s *Server) post(c *channel, m *message) *message {
	m.ts = stamp(s.next())
	c.messages = append(c.messages, m)
	s.touch()
	return m
}

// change replaces what m says, with s.mu held.
func (s *Server) change(m *message, text string, blocks []any, metadata json.RawMessage) {
	m.past = append(m.past, s.revision(m))
	m.text, m.blocks, m.metadata = text, blocks, metadata
	m.edited++
	m.warnings = nil
	s.touch()
}

func (s *Server) revision(m *message) Revision {
	return Revision{Text: m.text, Blocks: encode(m.blocks), Metadata: m.metadata, Plain: s.plain(m)}
}

func (s *Server) show(m *message, person string) Message {
	seen := Message{
		TS: m.ts, User: m.user, Name: s.name(m.user),
		Text: m.text, Blocks: encode(m.blocks), Metadata: m.metadata,
		ThreadTS: m.thread, Ephemeral: m.only != "",
		Edited: m.edited, Deleted: m.deleted, Warning: m.warnings[person],
		Plain: s.plain(m), Past: slices.Clone(m.past),
	}
	if seen.Ephemeral {
		seen.To = s.name(person)
	}
	return seen
}

// wire is m as the Web API and payloads carry it.
func (s *Server) wire(m *message, metadata bool) map[string]any {
	w := map[string]any{"type": "message", "user": m.user, "ts": m.ts, "text": m.text, "team": Team}
	if m.bot {
		w["bot_id"], w["app_id"] = Bot, App
		w["bot_profile"] = map[string]any{"id": Bot, "app_id": App, "user_id": BotUser, "name": BotName, "deleted": false, "team_id": Team}
	}
	if len(m.blocks) > 0 {
		w["blocks"] = m.blocks
	}
	if m.thread != "" {
		w["thread_ts"] = m.thread
	}
	if m.marked != "" {
		w["edited"] = map[string]any{"user": m.user, "ts": m.marked}
	}
	if metadata && m.metadata != nil {
		w["metadata"] = m.metadata
	}
	return w
}

// encode returns blocks as JSON; nil if there are none.
func encode(blocks []any) json.RawMessage {
	if len(blocks) == 0 {
		return nil
	}
	raw, err := json.Marshal(blocks)
	if err != nil {
		panic(err) // they came from JSON
	}
	return raw
}
