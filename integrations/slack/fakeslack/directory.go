package fakeslack

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
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
	if c.Private {
		return c, s.may(private)
	}
	return c, s.may(public)
}

func (s *Server) channelObject(c *channel) object {
	return object{
		"id": c.ID, "name": c.Name, "name_normalized": c.Name,
		"is_channel": !c.Private, "is_group": c.Private, "is_im": false, "is_mpim": false,
		"is_private": c.Private, "is_archived": c.Archived, "is_general": false, "is_member": c.has(BotUser),
		"created": c.created, "creator": Slackbot, "context_team_id": Team,
		"topic":   object{"value": c.Topic, "creator": "", "last_set": 0},
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
		if !slices.Contains(types, kind) || c.Private && !c.has(BotUser) || c.Archived && a.flag("exclude_archived") {
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
		case m.deleted, m.only != "", m.thread != "" && m.thread != m.ts: // replies are conversations.replies'
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

func (s *Server) usersInfo(a args) (object, string, error) {
	p, ok := s.person(a["user"])
	switch {
	case a["user"] == "":
		return nil, "", missing("user")
	case !ok:
		return nil, "", fail("user_not_found")
	}
	profile := object{"real_name": p.RealName, "real_name_normalized": p.RealName,
		"display_name": p.Name, "display_name_normalized": p.Name, "team": p.Team}
	if s.may("users:read.email") == nil && p.Email != "" {
		profile["email"] = p.Email
	}
	u := object{
		"id": p.ID, "team_id": p.Team, "name": p.Name, "real_name": p.RealName, "deleted": p.Deleted,
		"is_bot": p.Bot, "is_app_user": false, "is_admin": false, "is_owner": false, "is_primary_owner": false,
		"is_restricted": p.Guest, "is_ultra_restricted": false, "updated": 0, "profile": profile,
	}
	if p.Team != Team {
		u["is_stranger"] = true // of another workspace, seen in a shared channel
	}
	if zone, err := time.LoadLocation(p.Zone); err == nil && p.Zone != "" && !p.Deleted {
		_, offset := time.Now().In(zone).Zone()
		u["tz"], u["tz_label"], u["tz_offset"] = p.Zone, p.Zone, offset
	}
	return object{"user": u}, p.ID, nil
}

func (s *Server) usergroupsList(a args) (object, string, error) {
	found := []object{}
	for _, g := range s.groups {
		o := object{"id": g.ID, "team_id": Team, "is_usergroup": true, "name": g.Name, "handle": g.Handle,
			"description": "", "is_external": false, "date_create": 0, "date_update": 0, "date_delete": 0}
		if a.flag("include_users") {
			o["users"] = g.Users
		}
		if a.flag("include_count") {
			o["user_count"] = len(g.Users)
		}
		found = append(found, o)
	}
	return object{"usergroups": found}, strconv.Itoa(len(found)) + " groups", nil
}

func (s *Server) usergroupsUsersList(a args) (object, string, error) {
	g, ok := s.group(a["usergroup"])
	switch {
	case a["usergroup"] == "":
		return nil, "", missing("usergroup")
	case !ok:
		return nil, "", fail("no_such_subteam")
	}
	return object{"users": append([]string{}, g.Users...)}, g.ID, nil
}
