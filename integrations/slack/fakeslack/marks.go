package fakeslack

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

type reaction struct {
	name  string
	users []string
}

type pin struct {
	m  *message
	by string
	at int64
}

// Bookmark is a link at the top of a channel.
type Bookmark struct {
	ID    string
	Title string
	Link  string
	Emoji string
}

// Limits of reactions are unpublished; these are far above what an app needs.
const mostReactions = 50

var emojiName = regexp.MustCompile(`^[a-z0-9_+'-]+(::skin-tone-[2-6])?$`)

func (c *channel) pinned(m *message) bool {
	return slices.ContainsFunc(c.pins, func(p pin) bool { return p.m == m })
}

// marked finds the message that the app is about to mark.
func (s *Server) marked(a args, ts string) (*channel, *message, error) {
	c := s.channel(a["channel"])
	switch {
	case a["channel"] == "":
		return nil, nil, missing("channel")
	case c == nil, c.Private && !c.has(BotUser):
		return nil, nil, fail("channel_not_found")
	case a[ts] == "":
		return nil, nil, missing(ts)
	}
	if _, ok := parseStamp(a[ts]); !ok {
		return nil, nil, fail("bad_timestamp")
	}
	m := c.message(a[ts])
	switch {
	case m == nil, m.deleted, m.only != "":
		return nil, nil, fail("message_not_found")
	case !c.has(BotUser):
		return nil, nil, fail("not_in_channel")
	case c.Archived:
		return nil, nil, fail("is_archived")
	}
	return c, m, nil
}

func (s *Server) reactionsAdd(a args) (object, string, error) {
	_, m, err := s.marked(a, "timestamp")
	if err != nil {
		return nil, "", err
	}
	return object{}, m.ts + " " + a["name"], s.react(m, BotUser, strings.Trim(a["name"], ":"))
}

func (s *Server) react(m *message, by, name string) error {
	i := slices.IndexFunc(m.reactions, func(r reaction) bool { return r.name == name })
	switch {
	case !emojiName.MatchString(name):
		return fail("invalid_name")
	case i < 0 && len(m.reactions) == mostReactions:
		return fail("too_many_emoji")
	case i < 0:
		m.reactions = append(m.reactions, reaction{name, []string{by}})
	case slices.Contains(m.reactions[i].users, by):
		return fail("already_reacted")
	default:
		m.reactions[i].users = append(m.reactions[i].users, by)
	}
	s.touch()
	s.emit("reaction_added", "reactions:read", object{"type": "reaction_added", "user": by, "reaction": name, "item_user": m.user,
		"item": object{"type": "message", "channel": m.in.ID, "ts": m.ts}, "event_ts": stamp(s.next())})
	return nil
}

func (s *Server) reactionsRemove(a args) (object, string, error) {
	_, m, err := s.marked(a, "timestamp")
	if err != nil {
		return nil, "", err
	}
	name := strings.Trim(a["name"], ":")
	i := slices.IndexFunc(m.reactions, func(r reaction) bool { return r.name == name && slices.Contains(r.users, BotUser) })
	if i < 0 {
		return nil, "", fail("no_reaction")
	}
	r := &m.reactions[i]
	if r.users = slices.DeleteFunc(r.users, func(u string) bool { return u == BotUser }); len(r.users) == 0 {
		m.reactions = slices.Delete(m.reactions, i, i+1)
	}
	s.touch()
	return object{}, m.ts + " " + name, nil
}

func (s *Server) pinsAdd(a args) (object, string, error) {
	c, m, err := s.marked(a, "timestamp")
	switch {
	case err != nil:
		return nil, "", err
	case c.pinned(m):
		return nil, "", fail("already_pinned")
	}
	c.pins = append(c.pins, pin{m, BotUser, time.Now().Unix()})
	s.touch()
	return object{}, m.ts, nil
}

func (s *Server) pinsRemove(a args) (object, string, error) {
	c, m, err := s.marked(a, "timestamp")
	switch {
	case err != nil:
		return nil, "", err
	case !c.pinned(m):
		return nil, "", fail("not_pinned")
	}
	c.pins = slices.DeleteFunc(c.pins, func(p pin) bool { return p.m == m })
	s.touch()
	return object{}, m.ts, nil
}

func (s *Server) pinsList(a args) (object, string, error) {
	c := s.channel(a["channel"])
	if c == nil || c.Private && !c.has(BotUser) {
		return nil, "", fail("channel_not_found")
	}
	items := []object{}
	for _, p := range c.pins {
		items = append(items, object{"type": "message", "channel": c.ID, "message": s.wire(p.m, false), "created": p.at, "created_by": p.by})
	}
	return object{"items": items}, c.ID, nil
}

// Bookmarks returns the bookmarks of a channel.
func (s *Server) Bookmarks(channel string) []Bookmark {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channel(channel)
	if c == nil {
		return nil
	}
	return slices.Clone(c.bookmarks)
}

// shelf finds the channel whose bookmarks are meant.
func (s *Server) shelf(a args) (*channel, error) {
	c := s.channel(a["channel_id"])
	switch {
	case a["channel_id"] == "":
		return nil, missing("channel_id")
	case c == nil, c.Private && !c.has(BotUser):
		return nil, fail("channel_not_found")
	case !c.has(BotUser):
		return nil, fail("not_in_channel")
	}
	return c, nil
}

func bookmarkObject(c *channel, b Bookmark) object {
	return object{"id": b.ID, "channel_id": c.ID, "title": b.Title, "link": b.Link, "emoji": b.Emoji, "type": "link", "app_id": App}
}

func (s *Server) bookmarksAdd(a args) (object, string, error) {
	c, err := s.shelf(a)
	if err != nil {
		return nil, "", err
	}
	for _, name := range []string{"title", "type"} {
		if a[name] == "" {
			return nil, "", missing(name)
		}
	}
	u, err := url.Parse(a["link"])
	switch {
	case a["type"] != "link":
		return nil, "", fail("invalid_bookmark_type")
	case err != nil || u.Host == "":
		return nil, "", fail("invalid_link")
	}
	b := Bookmark{ID: s.id("Bk"), Title: a["title"], Link: a["link"], Emoji: a["emoji"]}
	c.bookmarks = append(c.bookmarks, b)
	s.touch()
	return object{"bookmark": bookmarkObject(c, b)}, c.ID + " " + b.ID, nil
}

func (s *Server) bookmarksList(a args) (object, string, error) {
	c, err := s.shelf(a)
	if err != nil {
		return nil, "", err
	}
	list := []object{}
	for _, b := range c.bookmarks {
		list = append(list, bookmarkObject(c, b))
	}
	return object{"bookmarks": list}, c.ID, nil
}

func (s *Server) bookmarksEdit(a args) (object, string, error) {
	c, err := s.shelf(a)
	if err != nil {
		return nil, "", err
	}
	i := slices.IndexFunc(c.bookmarks, func(b Bookmark) bool { return b.ID == a["bookmark_id"] })
	if i < 0 {
		return nil, "", fail("not_found")
	}
	b := &c.bookmarks[i]
	b.Title, b.Link, b.Emoji = or(a["title"], b.Title), or(a["link"], b.Link), or(a["emoji"], b.Emoji)
	s.touch()
	return object{"bookmark": bookmarkObject(c, *b)}, c.ID + " " + b.ID, nil
}

func (s *Server) bookmarksRemove(a args) (object, string, error) {
	c, err := s.shelf(a)
	if err != nil {
		return nil, "", err
	}
	before := len(c.bookmarks)
	c.bookmarks = slices.DeleteFunc(c.bookmarks, func(b Bookmark) bool { return b.ID == a["bookmark_id"] })
	if len(c.bookmarks) == before {
		return nil, "", fail("not_found")
	}
	s.touch()
	return object{}, c.ID + " " + a["bookmark_id"], nil
}
