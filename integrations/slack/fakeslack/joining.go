package fakeslack

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// longestTopic is in characters (reference of conversations.setTopic).
const longestTopic = 250

func (s *Server) conversationsOpen(a args) (object, string, error) {
	if a["channel"] != "" {
		c := s.channel(a["channel"])
		switch {
		case c == nil || c.Private && !c.has(BotUser):
			return nil, "", fail("channel_not_found")
		case c.im == "":
			return nil, "", fail("method_not_supported_for_channel_type")
		}
		return s.openedDirect(c, true, a.flag("return_im")), c.ID, nil
	}
	users := strings.FieldsFunc(a["users"], func(r rune) bool { return r == ',' || r == ' ' })
	switch {
	case len(users) == 0:
		return nil, "", fail("users_list_not_supplied")
	case len(users) > 8:
		return nil, "", fail("too_many_users")
	case len(users) > 1:
		return nil, "", slackError{code: "missing_scope", needed: "mpim:write", unknown: "group direct messages are not known here"}
	}
	p, err := s.writeTo(users[0])
	if err != nil {
		return nil, "", err
	}
	c, there := s.direct(p)
	return s.openedDirect(c, there, a.flag("return_im")), c.ID, nil
}

// writeTo returns the person with this ID, if the app can write to them.
func (s *Server) writeTo(id string) (Person, error) {
	p, ok := s.person(id)
	switch {
	case !ok:
		return p, fail("user_not_found")
	case p.Bot:
		return p, fail("cannot_dm_bot")
	case p.Deleted:
		return p, fail("user_disabled")
	case !s.meets(p):
		return p, fail("user_not_visible")
	}
	return p, nil
}

func (s *Server) openedDirect(c *channel, there, whole bool) object {
	reply := object{"channel": object{"id": c.ID}}
	if whole {
		reply["channel"] = s.channelObject(c)
	}
	if there {
		reply["no_op"], reply["already_open"] = true, true
	}
	return reply
}

func (s *Server) conversationsJoin(a args) (object, string, error) {
	c := s.channel(a["channel"])
	switch {
	case a["channel"] == "":
		return nil, "", missing("channel")
	case c == nil, c.Private && !c.has(BotUser):
		return nil, "", fail("channel_not_found")
	case c.Private, c.im != "":
		return nil, "", fail("method_not_supported_for_channel_type")
	case c.Archived:
		return nil, "", fail("is_archived")
	case c.has(BotUser):
		const already = "already_in_channel"
		return object{"channel": s.channelObject(c), "warning": already, "response_metadata": object{"warnings": []string{already}}}, already, nil
	}
	c.Members = append(c.Members, BotUser)
	s.post(c, &message{user: BotUser, subtype: "channel_join", text: "<@" + BotUser + "> has joined the channel"})
	return object{"channel": s.channelObject(c)}, c.ID, nil
}

func (s *Server) conversationsMembers(a args) (object, string, error) {
	c, err := s.look(a, "channels:read", "groups:read")
	if err != nil {
		return nil, "", err
	}
	limit, ok := a.number("limit", 100)
	if !ok || limit < 0 || limit > 1000 {
		return nil, "", fail("invalid_limit")
	}
	page, next, err := paged(c.Members, a["cursor"], limit, "user", func(id string) string { return id })
	if err != nil {
		return nil, "", err
	}
	return object{"members": page, "response_metadata": object{"next_cursor": next}}, c.ID, nil
}

// paged returns the part of list that begins at a cursor, and the next cursor.
func paged[T any](list []T, at string, limit int, name string, key func(T) string) ([]T, string, error) {
	if at != "" {
		want, ok := parseCursor(name, at)
		from := slices.IndexFunc(list, func(v T) bool { return key(v) == want })
		if !ok || from < 0 {
			return nil, "", fail("invalid_cursor")
		}
		list = list[from:]
	}
	if limit == 0 {
		limit = 100
	}
	if len(list) <= limit {
		return append([]T{}, list...), "", nil
	}
	return list[:limit], cursor(name, key(list[limit])), nil
}

func (s *Server) conversationsSetTopic(a args) (object, string, error) {
	topic, given := a["topic"]
	if !given {
		return nil, "", missing("topic")
	}
	c, err := s.speakIn(a)
	var e slackError
	switch {
	case err != nil:
		return nil, "", err
	case c.im != "":
		return nil, "", fail("method_not_supported_for_channel_type")
	case !c.has(BotUser):
		return nil, "", fail("not_in_channel")
	case utf8.RuneCountInString(topic) > longestTopic:
		return nil, "", fail("too_long")
	case c.Private && s.mayEither("groups:write", "groups:write.topic", &e), !c.Private && s.mayEither("channels:manage", "channels:write.topic", &e):
		return nil, "", e
	}
	s.topic(c, BotUser, topic)
	return object{"channel": s.channelObject(c)}, c.ID + " " + topic, nil
}

// mayEither reports that the token has neither scope, and then sets e.
func (s *Server) mayEither(one, other string, e *slackError) bool {
	if s.may(one) == nil || s.may(other) == nil {
		return false
	}
	*e = slackError{code: "missing_scope", needed: one + "," + other}
	return true
}

// topic sets the topic of c, with s.mu held. Everybody in the channel sees it.
func (s *Server) topic(c *channel, by, topic string) {
	c.Topic, c.topicBy, c.topicAt = topic, by, time.Now().Unix()
	text := "set the channel topic: " + topic
	if topic == "" {
		text = "cleared channel topic"
	}
	s.post(c, &message{user: by, subtype: "channel_topic", text: text, topic: topic})
}

func (s *Server) conversationsReplies(a args) (object, string, error) {
	c, err := s.look(a, "channels:history", "groups:history")
	if err != nil {
		return nil, "", err
	}
	root := c.message(a["ts"])
	switch {
	case a["ts"] == "":
		return nil, "", missing("ts")
	case !c.has(BotUser):
		return nil, "", fail("not_in_channel")
	case root == nil, root.only != "":
		return nil, "", fail("thread_not_found")
	}
	if root.reply() {
		root = c.message(root.thread)
	}
	if root == nil || root.deleted {
		return nil, "", fail("thread_not_found")
	}
	oldest, ok := parseStamp(or(a["oldest"], "0"))
	if !ok {
		return nil, "", fail("invalid_ts_oldest")
	}
	latest, ok := parseStamp(or(a["latest"], "999999999999"))
	if !ok {
		return nil, "", fail("invalid_ts_latest")
	}
	limit, ok := a.number("limit", 1000)
	if !ok || limit < 1 || limit > 1000 {
		return nil, "", fail("invalid_limit")
	}
	thread := []*message{root}
	for _, m := range c.replies(root) {
		at, _ := parseStamp(m.ts)
		edge := at == oldest || at == latest
		if at >= oldest && at <= latest && (!edge || a.flag("inclusive")) {
			thread = append(thread, m)
		}
	}
	page, next, err := paged(thread, a["cursor"], limit, "next_ts", func(m *message) string { return m.ts })
	if err != nil {
		return nil, "", err
	}
	found := []object{}
	for _, m := range page {
		found = append(found, s.wire(m, a.flag("include_all_metadata")))
	}
	reply := object{"messages": found, "has_more": next != ""}
	if next != "" {
		reply["response_metadata"] = object{"next_cursor": next}
	}
	return reply, c.ID + " " + root.ts + " " + strconv.Itoa(len(found)) + " messages", nil
}
