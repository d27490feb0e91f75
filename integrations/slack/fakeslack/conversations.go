package fakeslack

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var stampForm = regexp.MustCompile(`^(\d{1,12})(?:\.(\d{1,6}))?$`)

// parseStamp reads a ts as microseconds.
func parseStamp(ts string) (int64, bool) {
	m := stampForm.FindStringSubmatch(ts)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1]+(m[2] + "000000")[:6], 10, 64)
	return n, err == nil
}

// cursors are base64 of a name and a value, as Slack's are.
func cursor(name, value string) string {
	return base64.StdEncoding.EncodeToString([]byte(name + ":" + value))
}

func parseCursor(name, cursor string) (string, bool) {
	raw, err := base64.StdEncoding.DecodeString(cursor)
	if err != nil {
		return "", false
	}
	return strings.CutPrefix(string(raw), name+":")
}

// look finds a channel that the bot is about to read; public and private are
// the scopes it needs.
func (s *Server) look(a args, public, private string) (*channel, error) {
	if a["channel"] == "" {
		return nil, missing("channel")
	}
	c := s.channel(a["channel"])
	if c == nil || c.Private && !c.has(BotUser) {
		return nil, fail("channel_not_found")
	}
	switch {
	case c.im != "":
		return c, s.may(strings.Replace(public, "channels:", "im:", 1))
	case c.Private:
		return c, s.may(private)
	}
	return c, s.may(public)
}

func (s *Server) channelObject(c *channel) object {
	if c.im != "" {
		return object{"id": c.ID, "created": c.created, "is_im": true, "is_org_shared": false, "is_archived": false,
			"context_team_id": Team, "user": c.im, "is_user_deleted": s.people[c.im].Deleted, "priority": 0}
	}
	return object{
		"id": c.ID, "name": c.Name, "name_normalized": c.Name,
		"is_channel": !c.Private, "is_group": c.Private, "is_im": false, "is_mpim": false,
		"is_private": c.Private, "is_archived": c.Archived, "is_general": false, "is_member": c.has(BotUser),
		"created": c.created, "creator": Slackbot, "context_team_id": Team,
		"topic":   object{"value": c.Topic, "creator": c.topicBy, "last_set": c.topicAt},
		"purpose": object{"value": "", "creator": "", "last_set": 0},
	}
}

func (s *Server) conversationsInfo(a args) (object, string, error) {
	c, err := s.look(a, "channels:read", "groups:read")
	if err != nil {
		return nil, "", err
	}
	o := s.channelObject(c)
	if a.flag("include_num_members") {
		o["num_members"] = len(c.Members)
	}
	return object{"channel": o}, c.ID, nil
}

func (s *Server) conversationsList(a args) (object, string, error) {
	scopes := map[string]string{"public_channel": "channels:read", "private_channel": "groups:read", "mpim": "mpim:read", "im": "im:read"}
	types := strings.Split(or(a["types"], "public_channel"), ",")
	for _, t := range types {
		scope, ok := scopes[strings.TrimSpace(t)]
		if !ok {
			return nil, "", fail("invalid_types")
		}
		if err := s.may(scope); err != nil {
			return nil, "", err
		}
	}
	limit, ok := a.number("limit", 100)
	if !ok || limit < 0 || limit > 1000 {
		return nil, "", fail("invalid_limit")
	}
	if limit == 0 {
		limit = 100
	}
	from := 0
	if a["cursor"] != "" {
		id, ok := parseCursor("channel", a["cursor"])
		if from = slices.IndexFunc(s.channels, func(c *channel) bool { return c.ID == id }); !ok || from < 0 {
			return nil, "", fail("invalid_cursor")
		}
	}
	found, next := []object{}, ""
	for _, c := range s.channels[from:] {
		kind := "public_channel"
		if c.Private {
			kind = "private_channel"
		}
		if c.im != "" {
			kind = "im"
		}
		if !slices.ContainsFunc(types, func(t string) bool { return strings.TrimSpace(t) == kind }) || c.Private && !c.has(BotUser) || c.Archived && a.flag("exclude_archived") {
			continue
		}
		if len(found) == limit {
			next = cursor("channel", c.ID)
			break
		}
		o := s.channelObject(c)
		o["num_members"] = len(c.Members)
		found = append(found, o)
	}
	return object{"channels": found, "response_metadata": object{"next_cursor": next}},
		strconv.Itoa(len(found)) + " channels", nil
}

func (s *Server) conversationsHistory(a args) (object, string, error) {
	c, err := s.look(a, "channels:history", "groups:history")
	if err != nil {
		return nil, "", err
	}
	if !c.has(BotUser) {
		return nil, "", fail("not_in_channel")
	}
	oldest, ok := parseStamp(or(a["oldest"], "0"))
	if !ok {
		return nil, "", fail("invalid_ts_oldest")
	}
	latest := int64(1) << 62
	if l := a["latest"]; l != "" && l != "now" {
		if latest, ok = parseStamp(l); !ok {
			return nil, "", fail("invalid_ts_latest")
		}
	}
	limit, ok := a.number("limit", 100)
	if !ok || limit < 0 || limit > 999 {
		return nil, "", fail("invalid_limit")
	}
	if limit == 0 {
		limit = 100
	}
	from := latest
	if a["cursor"] != "" {
		at, ok := parseCursor("next_ts", a["cursor"])
		if from, err = strconv.ParseInt(at, 10, 64); !ok || err != nil {
			return nil, "", fail("invalid_cursor")
		}
	}
	found, next := []object{}, ""
	for _, m := range slices.Backward(c.messages) {
		at, _ := parseStamp(m.ts)
		edge := at == oldest || at == latest
		switch {
		case m.deleted, m.only != "", m.reply() && !m.broadcast: // replies are conversations.replies'
			continue
		case at < oldest, at > latest, at > from, edge && !a.flag("inclusive"):
			continue
		}
		if len(found) == limit {
			next = cursor("next_ts", strconv.FormatInt(at, 10))
			break
		}
		found = append(found, s.wire(m, a.flag("include_all_metadata")))
	}
	reply := object{"messages": found, "has_more": next != "", "pin_count": 0}
	if next != "" {
		reply["response_metadata"] = object{"next_cursor": next}
	}
	return reply, c.ID + ": " + strconv.Itoa(len(found)) + " messages", nil
}
