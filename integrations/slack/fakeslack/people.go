package fakeslack

import (
	"slices"
	"time"
)

// Person is somebody in the workspace.
type Person struct {
	ID       string // U…
	Name     string // as mentioned, without the @
	RealName string
	Zone     string // IANA name of the time zone
	Email    string
	Team     string // of another workspace, whose people come through Slack Connect; empty: this one
	Bot      bool
	Deleted  bool // deactivated
	Guest    bool
	Admin    bool // of the workspace; its owner is one too
	Owner    bool
}

// Channel is a channel and who is in it.
type Channel struct {
	ID       string // C…
	Name     string // without the #
	Topic    string // as the Web API has it: escaped, mentions as <@U…>
	Private  bool
	Archived bool
	Members  []string
}

// Group is a user group.
type Group struct {
	ID     string // S…
	Handle string // as mentioned, without the @
	Name   string
	Users  []string
}

type channel struct {
	Channel
	im        string // whose direct messages with the app these are; empty: a channel
	created   int64
	topicBy   string
	topicAt   int64
	messages  []*message
	pins      []pin
	bookmarks []Bookmark
}

func (c *channel) has(user string) bool { return slices.Contains(c.Members, user) }

func (c *channel) message(ts string) *message {
	i := slices.IndexFunc(c.messages, func(m *message) bool { return m.ts == ts })
	if i < 0 {
		return nil
	}
	return c.messages[i]
}

// AddPerson adds p, or replaces who had that ID.
func (s *Server) AddPerson(p Person) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.people == nil {
		s.people = map[string]Person{}
	}
	p.Team = or(p.Team, Team)
	s.people[p.ID] = p
	s.touch()
}

// AddChannel adds c, or gives the channel with that ID these properties.
func (s *Server) AddChannel(c Channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Members = slices.Clone(c.Members)
	defer s.touch()
	if old := s.channel(c.ID); old != nil {
		old.Channel = c
		return
	}
	s.channels = append(s.channels, &channel{Channel: c, created: s.next() / 1e6})
}

// AddGroup adds g.
func (s *Server) AddGroup(g Group) { s.SetGroup(g) }

// SetGroup replaces the user group with g's ID, or adds g.
func (s *Server) SetGroup(g Group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g.Users = slices.Clone(g.Users)
	defer s.touch()
	if i := slices.IndexFunc(s.groups, func(o Group) bool { return o.ID == g.ID }); i >= 0 {
		s.groups[i] = g
		return
	}
	s.groups = append(s.groups, g)
}

// DirectChannel returns the ID of the channel of person's direct messages with
// the app: the messages tab of its App Home. Empty: there can be none.
func (s *Server) DirectChannel(person string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.person(person)
	if !ok || p.Bot {
		return ""
	}
	c, _ := s.direct(p)
	return c.ID
}

// presence is whether somebody is there and wants to be disturbed.
type presence struct {
	away        bool
	from, until time.Time // when they do not want to be
}

// SetPresence makes person active or away. Everybody is active at first.
func (s *Server) SetPresence(person string, active bool) {
	s.setPresence(person, func(p *presence) { p.away = !active })
}

// SetDND says that person does not want to be disturbed from now until then.
func (s *Server) SetDND(person string, until time.Time) { s.ScheduleDND(person, time.Now(), until) }

// ScheduleDND says when person will not want to be disturbed; with zero times,
// never.
func (s *Server) ScheduleDND(person string, from, until time.Time) {
	s.setPresence(person, func(p *presence) { p.from, p.until = from, until })
}

// RefuseDMs makes chat.postMessage to person's direct messages with the app
// fail with this error ("restricted_action"), also through the channel's ID;
// with none it works again. That somebody was deactivated is no such error:
// see [Person].
func (s *Server) RefuseDMs(person, code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unwritable == nil {
		s.unwritable = map[string]string{}
	}
	s.unwritable[person] = code
	s.touch()
}

func (s *Server) setPresence(person string, change func(*presence)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.presences == nil {
		s.presences = map[string]presence{}
	}
	p := s.presences[person]
	change(&p)
	s.presences[person] = p
	s.touch()
}

// The methods below are called with s.mu held.

// direct returns p's direct messages with the app, and whether they were there.
func (s *Server) direct(p Person) (*channel, bool) {
	if c := s.directOf(p.ID); c != nil {
		return c, true
	}
	c := &channel{Channel: Channel{ID: s.id("D"), Members: []string{p.ID, BotUser}}, im: p.ID, created: time.Now().Unix()}
	s.channels = append(s.channels, c)
	s.touch()
	return c, false
}

// directOf returns somebody's direct messages with the app, if they were opened.
func (s *Server) directOf(person string) *channel {
	i := slices.IndexFunc(s.channels, func(c *channel) bool { return c.im == person })
	if i < 0 {
		return nil
	}
	return s.channels[i]
}

// meets reports whether somebody of another workspace shares a channel with the app.
func (s *Server) meets(p Person) bool {
	return p.Team == Team || slices.ContainsFunc(s.channels, func(c *channel) bool { return c.has(p.ID) && c.has(BotUser) })
}

func (s *Server) person(id string) (Person, bool) {
	if p, ok := s.people[id]; ok {
		return p, true
	}
	switch id {
	case BotUser:
		return Person{ID: BotUser, Name: BotName, RealName: BotName, Team: Team, Bot: true}, true
	case Slackbot:
		// Slack's own says is_bot false (users.info of USLACKBOT); nobody here asks.
		return Person{ID: Slackbot, Name: "slackbot", RealName: "Slackbot", Team: Team, Bot: true}, true
	}
	return Person{}, false
}

func (s *Server) name(id string) string {
	p, _ := s.person(id)
	return or(p.Name, id)
}

func (s *Server) channel(id string) *channel {
	i := slices.IndexFunc(s.channels, func(c *channel) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return s.channels[i]
}

func (s *Server) channelNamed(name string) *channel {
	i := slices.IndexFunc(s.channels, func(c *channel) bool { return c.im == "" && c.Name == name })
	if i < 0 {
		return nil
	}
	return s.channels[i]
}

func (s *Server) group(id string) (Group, bool) {
	i := slices.IndexFunc(s.groups, func(g Group) bool { return g.ID == id })
	if i < 0 {
		return Group{}, false
	}
	return s.groups[i], true
}

// Availability is how people see somebody: whether they are away, and until
// when they do not want to be disturbed, or the zero time.
func (s *Server) Availability(person string) (away bool, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.presences[person]
	if now := time.Now(); !now.Before(p.from) && now.Before(p.until) {
		until = p.until
	}
	return p.away, until
}

// Topic is a channel's, as the Web API has it.
func (s *Server) Topic(channel string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.channel(channel); c != nil {
		return c.Topic
	}
	return ""
}
