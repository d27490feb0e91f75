package fakeslack

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Lengths of a text in code points: what chat.postMessage keeps, and what
// chat.update accepts (their reference pages).
const (
	keptText    = 40_000
	updatedText = 4_000
)

// content is what a message says, checked.
type content struct {
	text        string
	hasText     bool
	blocks      []any
	hasBlocks   bool // given, though perhaps empty
	metadata    json.RawMessage
	hasMetadata bool // given, though perhaps {}
}

// readContent checks text, blocks and metadata. Rejected blocks store nothing.
func (s *Server) readContent(a args) (content, error) {
	var c content
	c.text, c.hasText = a["text"], a["text"] != ""
	if markdown := a["markdown_text"]; markdown != "" {
		switch {
		case c.hasText || a["blocks"] != "":
			return c, fail("markdown_text_conflict")
		case utf8.RuneCountInString(markdown) > mostMarkdown:
			return c, fail("msg_too_long")
		}
		a["blocks"] = string(mustJSON([]object{{"type": "markdown", "text": markdown}}))
	}
	if raw, ok := a["blocks"]; ok && raw != "" {
		c.hasBlocks = true
		var err error
		if c.blocks, err = s.readBlocks(raw); err != nil {
			return c, err
		}
	}
	if raw, ok := a["metadata"]; ok && raw != "" {
		c.hasMetadata = true
		if strings.TrimSpace(raw) == "{}" {
			return c, nil // chat.update removes it
		}
		var m struct {
			EventType    string          `json:"event_type"`
			EventPayload json.RawMessage `json:"event_payload"`
		}
		if json.Unmarshal([]byte(raw), &m) != nil {
			return c, fail("invalid_metadata_format")
		}
		if m.EventType == "" || !strings.HasPrefix(string(m.EventPayload), "{") {
			return c, fail("invalid_metadata_schema")
		}
		c.metadata = json.RawMessage(raw)
	}
	return c, nil
}

// speakIn finds the channel that the bot is about to post in: by id, by name,
// or a person's, which is the messages tab of its App Home.
func (s *Server) speakIn(a args) (*channel, error) {
	if a["channel"] == "" {
		return nil, missing("channel")
	}
	c := s.channel(a["channel"])
	if c == nil {
		c = s.channelNamed(strings.TrimPrefix(a["channel"], "#"))
	}
	if p, ok := s.person(a["channel"]); ok && c == nil {
		// chat.postMessage says channel_not_found of those that
		// conversations.open has better words for. But the direct messages of
		// somebody who was deactivated meanwhile stay, and take more
		// (python-slack-sdk#1156).
		if c = s.directOf(p.ID); c == nil {
			if p, err := s.writeTo(p.ID); err == nil {
				c, _ = s.direct(p)
			}
		}
	}
	switch {
	case c == nil, c.Private && !c.has(BotUser): // a private channel is not even there for those outside
		return nil, fail("channel_not_found")
	case c.Archived:
		return nil, fail("is_archived")
	case !c.has(BotUser) && s.may("chat:write.public") != nil:
		return nil, fail("not_in_channel")
	}
	return c, nil
}

// inThread checks the thread_ts of a new message.
func inThread(c *channel, ts string) error {
	if ts == "" {
		return nil
	}
	if _, ok := parseStamp(ts); !ok {
		return fail("invalid_thread_ts")
	}
	if m := c.message(ts); m == nil || m.only != "" || m.deleted || m.thread != "" && m.thread != m.ts {
		return slackError{code: "cannot_reply_to_message", unknown: "there is no message " + ts + " to reply to"}
	}
	return nil
}

func (s *Server) postMessage(a args) (object, string, error) {
	c, err := s.speakIn(a)
	if err != nil {
		return nil, "", err
	}
	switch code := s.unwritable[c.im]; {
	case c.im != "" && s.NoMessages:
		return nil, "", fail("messages_tab_disabled")
	case code != "":
		return nil, "", fail(code)
	}
	says, err := s.readContent(a)
	if err != nil {
		return nil, "", err
	}
	if !says.hasText && len(says.blocks) == 0 {
		return nil, "", fail("no_text")
	}
	if err := inThread(c, a["thread_ts"]); err != nil {
		return nil, "", err
	}
	m := s.post(c, &message{user: BotUser, bot: true, text: cut(says.text, keptText), blocks: says.blocks,
		metadata: says.metadata, thread: a["thread_ts"], broadcast: a["thread_ts"] != "" && a.flag("reply_broadcast")})
	return object{"channel": c.ID, "ts": m.ts, "message": s.wire(m, true)}, c.ID + " " + m.ts, nil
}

func (s *Server) updateMessage(a args) (object, string, error) {
	c := s.channel(a["channel"]) // by id only, unlike chat.postMessage
	switch {
	case a["channel"] == "":
		return nil, "", missing("channel")
	case a["ts"] == "":
		return nil, "", missing("ts")
	case c == nil, c.Private && !c.has(BotUser):
		return nil, "", fail("channel_not_found")
	}
	m := c.message(a["ts"])
	switch {
	case m == nil, m.deleted, m.only != "": // ephemeral messages cannot be updated
		return nil, "", fail("message_not_found")
	case m.user != BotUser:
		return nil, "", fail("cant_update_message")
	case c.Archived:
		return nil, "", fail("is_inactive")
	case utf8.RuneCountInString(a["text"]) > updatedText:
		return nil, "", fail("msg_too_long")
	}
	says, err := s.readContent(a)
	if err != nil {
		return nil, "", err
	}
	if !says.hasText && !says.hasBlocks && !says.hasMetadata {
		return nil, "", fail("no_text")
	}
	// Reference of chat.update: text without blocks removes them, no text keeps
	// the text, metadata stays unless given.
	text, blocks, metadata := m.text, m.blocks, m.metadata
	if says.hasText {
		text = says.text
	}
	if says.hasText || says.hasBlocks {
		blocks = says.blocks
	}
	if says.hasMetadata {
		metadata = says.metadata
	}
	if text == "" && len(blocks) == 0 {
		return nil, "", fail("no_text")
	}
	s.change(m, text, blocks, metadata)
	if says.hasText && len(says.blocks) == 0 { // a change of blocks is not marked
		m.marked = stamp(s.next())
	}
	return object{"channel": c.ID, "ts": m.ts, "text": m.text, "message": s.wire(m, true)}, c.ID + " " + m.ts, nil
}

func (s *Server) postEphemeral(a args) (object, string, error) {
	c, err := s.speakIn(a)
	if err != nil {
		return nil, "", err
	}
	switch {
	case a["user"] == "":
		return nil, "", missing("user")
	case !c.has(a["user"]):
		return nil, "", fail("user_not_in_channel")
	case utf8.RuneCountInString(a["text"]) > keptText:
		return nil, "", fail("msg_too_long")
	}
	says, err := s.readContent(a)
	if err != nil {
		return nil, "", err
	}
	if !says.hasText && len(says.blocks) == 0 {
		return nil, "", fail("no_text")
	}
	if err := inThread(c, a["thread_ts"]); err != nil {
		return nil, "", err
	}
	m := s.post(c, &message{user: BotUser, bot: true, only: a["user"], text: says.text, blocks: says.blocks, thread: a["thread_ts"]})
	return object{"message_ts": m.ts}, c.ID + " " + m.ts + " for " + a["user"], nil
}

func (s *Server) deleteMessage(a args) (object, string, error) {
	c := s.channel(a["channel"])
	switch {
	case a["channel"] == "":
		return nil, "", missing("channel")
	case a["ts"] == "":
		return nil, "", missing("ts")
	case c == nil, c.Private && !c.has(BotUser):
		return nil, "", fail("channel_not_found")
	}
	m := c.message(a["ts"])
	switch {
	case m == nil, m.deleted, m.only != "":
		return nil, "", fail("message_not_found")
	case m.user != BotUser:
		return nil, "", fail("cant_delete_message")
	}
	s.remove(m)
	return object{"channel": c.ID, "ts": m.ts}, c.ID + " " + m.ts, nil
}

func (s *Server) getPermalink(a args) (object, string, error) {
	c := s.channel(a["channel"])
	switch {
	case a["channel"] == "":
		return nil, "", missing("channel")
	case a["message_ts"] == "":
		return nil, "", missing("message_ts")
	case c == nil, c.Private && !c.has(BotUser):
		return nil, "", fail("channel_not_found")
	}
	m := c.message(a["message_ts"])
	if m == nil || m.deleted || m.only != "" {
		return nil, "", fail("message_not_found")
	}
	link := "https://" + Domain + ".slack.com/archives/" + c.ID + "/p" + strings.Replace(m.ts, ".", "", 1)
	if m.reply() {
		link += "?thread_ts=" + m.thread + "&cid=" + c.ID
	}
	return object{"channel": c.ID, "permalink": link}, link, nil
}

// cut shortens text to n code points.
func cut(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}
