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
	Subtype   string     // as channel_topic; empty: what somebody said
	Reactions []string   // names, in the order in which they were first given
	Pinned    bool
	Replies   int  // in the thread that begins with it
	Broadcast bool // a reply that the channel sees too
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

// Threads returns the threads of channel as person sees them, each with the
// message it began with first.
func (s *Server) Threads(person, channel string) [][]Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channel(channel)
	if c == nil || !c.has(person) {
		return nil
	}
	var threads [][]Message
	for _, root := range c.messages {
		replies := c.replies(root)
		if root.reply() || len(replies) == 0 {
			continue
		}
		thread := []Message{s.show(root, person)}
		for _, m := range replies {
			thread = append(thread, s.show(m, person))
		}
		threads = append(threads, thread)
	}
	return threads
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
	in             *channel
	subtype, topic string
	broadcast      bool // a reply that is shown in the channel too
	reactions      []reaction
	state          map[string]values // of its elements, by person
}

// reply reports whether m is in somebody else's thread.
func (m *message) reply() bool { return m.thread != "" && m.thread != m.ts }

// replies returns what was answered in the thread of root.
func (c *channel) replies(root *message) []*message {
	var found []*message
	for _, m := range c.messages {
		if m.reply() && m.thread == root.ts && m.only == "" && !m.deleted {
			found = append(found, m)
		}
	}
	return found
}

func (m *message) seenBy(c *channel, person string) bool {
	if m.only != "" {
		return m.only == person
	}
	return c.has(person)
}

// post adds m to c, with s.mu held.
func (s *Server) post(c *channel, m *message) *message {
	m.ts, m.in = stamp(s.next()), c
	c.messages = append(c.messages, m)
	s.touch()
	s.tell(m)
	return m
}

// change replaces what m says, with s.mu held.
func (s *Server) change(m *message, text string, blocks []any, metadata json.RawMessage) {
	before := s.wire(m, false)
	m.past = append(m.past, s.revision(m))
	m.text, m.blocks, m.metadata = text, blocks, metadata
	m.edited++
	m.warnings = nil
	s.touch()
	s.tellChange(m, before)
}

// remove deletes m, with s.mu held.
func (s *Server) remove(m *message) {
	before := s.wire(m, false)
	m.deleted = true
	s.touch()
	s.tellDeleted(m, before)
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
		Subtype: m.subtype, Pinned: m.in.pinned(m), Broadcast: m.broadcast,
	}
	for _, r := range m.reactions {
		seen.Reactions = append(seen.Reactions, r.name)
	}
	if !m.reply() {
		seen.Replies = len(m.in.replies(m))
	}
	if seen.Ephemeral {
		seen.To = s.name(person)
	}
	return seen
}

// wire is m as the Web API and payloads carry it.
func (s *Server) wire(m *message, metadata bool) object {
	w := object{"type": "message", "user": m.user, "ts": m.ts, "text": m.text, "team": Team}
	if m.bot {
		w["bot_id"], w["app_id"] = Bot, App
		w["bot_profile"] = object{"id": Bot, "app_id": App, "user_id": BotUser, "name": BotName, "deleted": false, "team_id": Team}
	}
	if len(m.blocks) > 0 {
		w["blocks"] = m.blocks
	}
	if m.subtype != "" {
		w["subtype"] = m.subtype
	}
	if m.topic != "" {
		w["topic"] = m.topic
	}
	if m.thread != "" {
		w["thread_ts"] = m.thread
	}
	if m.broadcast {
		w["subtype"] = "thread_broadcast"
	}
	if replies := m.in.replies(m); len(replies) > 0 && !m.reply() {
		var users []string
		for _, r := range replies {
			if !slices.Contains(users, r.user) {
				users = append(users, r.user)
			}
		}
		w["thread_ts"], w["reply_count"], w["latest_reply"] = m.ts, len(replies), replies[len(replies)-1].ts
		w["reply_users"], w["reply_users_count"], w["is_locked"] = users, len(users), false
	}
	if len(m.reactions) > 0 {
		var list []object
		for _, r := range m.reactions {
			list = append(list, object{"name": r.name, "users": r.users, "count": len(r.users)})
		}
		w["reactions"] = list
	}
	if m.in.pinned(m) {
		w["pinned_to"] = []string{m.in.ID}
	}
	if m.marked != "" {
		w["edited"] = object{"user": m.user, "ts": m.marked}
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
