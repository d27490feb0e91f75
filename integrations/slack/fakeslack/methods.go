package fakeslack

import (
	"fmt"
	"strings"
	"time"
)

// A method of the Web API. do runs with s.mu held and returns what the answer
// carries beside "ok", and a line for the journal.
type method struct {
	tier   tier
	app    bool     // wants the app-level token
	scopes []string // the token needs one of them
	args   []string // those it understands
	ignore []string // those that make no difference here
	do     func(s *Server, a args) (object, string, error)
}

// A tier is how often a method may be called in a minute (Slack: "Rate
// limits"). The special ones have none here; posting is limited by channel.
type tier int

const (
	special tier = 0
	tier1   tier = 1
	tier2   tier = 20
	tier3   tier = 50
	tier4   tier = 100
	posting tier = -1
)

var (
	reading   = []string{"channels:read", "groups:read", "im:read", "mpim:read"}
	histories = []string{"channels:history", "groups:history", "im:history", "mpim:history"}
)

var methods = map[string]method{
	// Slack's pages disagree between tiers 1 and 3; one a minute would keep
	// every client from coming back after a refresh.
	"apps.connections.open": {tier: tier3, app: true, scopes: []string{"connections:write"}, do: (*Server).openConnection},
	"auth.test":             {do: (*Server).authTest},
	"blocks.validate":       {args: []string{"blocks", "message", "view"}, do: (*Server).blocksValidate},
	"chat.postMessage": {tier: posting, scopes: []string{"chat:write"},
		args:   []string{"channel", "text", "blocks", "markdown_text", "metadata", "thread_ts", "reply_broadcast"},
		ignore: []string{"unfurl_links", "unfurl_media", "mrkdwn", "parse", "link_names"},
		do:     (*Server).postMessage},
	"chat.update": {tier: tier3, scopes: []string{"chat:write"},
		args:   []string{"channel", "ts", "text", "blocks", "markdown_text", "metadata"},
		ignore: []string{"parse", "link_names", "as_user"},
		do:     (*Server).updateMessage},
	"chat.postEphemeral": {tier: tier4, scopes: []string{"chat:write"},
		args:   []string{"channel", "user", "text", "blocks", "markdown_text", "thread_ts"},
		ignore: []string{"parse", "link_names"},
		do:     (*Server).postEphemeral},
	"chat.delete": {tier: tier3, scopes: []string{"chat:write"}, args: []string{"channel", "ts"}, ignore: []string{"as_user"},
		do: (*Server).deleteMessage},
	"chat.getPermalink": {args: []string{"channel", "message_ts"}, do: (*Server).getPermalink},
	"conversations.info": {tier: tier3, scopes: reading,
		args: []string{"channel", "include_num_members"}, ignore: []string{"include_locale"},
		do: (*Server).conversationsInfo},
	"conversations.history": {tier: tier3, scopes: histories,
		args: []string{"channel", "latest", "oldest", "inclusive", "limit", "cursor", "include_all_metadata"},
		do:   (*Server).conversationsHistory},
	"conversations.replies": {tier: tier3, scopes: histories,
		args: []string{"channel", "ts", "latest", "oldest", "inclusive", "limit", "cursor", "include_all_metadata"},
		do:   (*Server).conversationsReplies},
	"conversations.list": {tier: tier2, scopes: reading,
		args: []string{"types", "exclude_archived", "limit", "cursor"},
		do:   (*Server).conversationsList},
	"conversations.members": {tier: tier4, scopes: reading, args: []string{"channel", "limit", "cursor"}, do: (*Server).conversationsMembers},
	"conversations.open": {tier: tier3, scopes: []string{"im:write", "mpim:write", "channels:manage", "groups:write"},
		args: []string{"users", "channel", "return_im"}, do: (*Server).conversationsOpen},
	"conversations.join": {tier: tier3, scopes: []string{"channels:join"}, args: []string{"channel"}, do: (*Server).conversationsJoin},
	"conversations.setTopic": {tier: tier2, scopes: []string{"channels:manage", "channels:write.topic", "groups:write", "groups:write.topic"},
		args: []string{"channel", "topic"}, do: (*Server).conversationsSetTopic},
	"dnd.info":            {tier: tier3, scopes: []string{"dnd:read"}, args: []string{"user"}, do: (*Server).dndInfo},
	"users.info":          {tier: tier4, scopes: []string{"users:read"}, args: []string{"user"}, ignore: []string{"include_locale"}, do: (*Server).usersInfo},
	"users.list":          {tier: tier2, scopes: []string{"users:read"}, args: []string{"limit", "cursor"}, ignore: []string{"include_locale", "presence"}, do: (*Server).usersList},
	"users.lookupByEmail": {tier: tier3, scopes: []string{"users:read.email"}, args: []string{"email"}, do: (*Server).usersLookupByEmail},
	"users.getPresence":   {tier: tier3, scopes: []string{"users:read"}, args: []string{"user"}, do: (*Server).usersGetPresence},
	"usergroups.list": {tier: tier2, scopes: []string{"usergroups:read"},
		args: []string{"include_users", "include_count"}, ignore: []string{"include_disabled"},
		do: (*Server).usergroupsList},
	"usergroups.users.list": {tier: tier2, scopes: []string{"usergroups:read"},
		args: []string{"usergroup"}, ignore: []string{"include_disabled"},
		do: (*Server).usergroupsUsersList},
	"reactions.add":    {tier: tier3, scopes: []string{"reactions:write"}, args: []string{"channel", "timestamp", "name"}, do: (*Server).reactionsAdd},
	"reactions.remove": {tier: tier3, scopes: []string{"reactions:write"}, args: []string{"channel", "timestamp", "name"}, do: (*Server).reactionsRemove},
	"pins.add":         {tier: tier2, scopes: []string{"pins:write"}, args: []string{"channel", "timestamp"}, do: (*Server).pinsAdd},
	"pins.remove":      {tier: tier2, scopes: []string{"pins:write"}, args: []string{"channel", "timestamp"}, do: (*Server).pinsRemove},
	"pins.list":        {tier: tier2, scopes: []string{"pins:read"}, args: []string{"channel"}, do: (*Server).pinsList},
	"bookmarks.add": {tier: tier2, scopes: []string{"bookmarks:write"}, args: []string{"channel_id", "title", "type", "link", "emoji"},
		do: (*Server).bookmarksAdd},
	"bookmarks.edit": {tier: tier2, scopes: []string{"bookmarks:write"}, args: []string{"channel_id", "bookmark_id", "title", "link", "emoji"},
		do: (*Server).bookmarksEdit},
	"bookmarks.remove": {tier: tier2, scopes: []string{"bookmarks:write"}, args: []string{"channel_id", "bookmark_id"}, do: (*Server).bookmarksRemove},
	"bookmarks.list":   {tier: tier2, scopes: []string{"bookmarks:read"}, args: []string{"channel_id"}, do: (*Server).bookmarksList},
	"views.open":       {tier: tier4, args: []string{"trigger_id", "view"}, do: (*Server).viewsOpen},
	"views.push":       {tier: tier4, args: []string{"trigger_id", "view"}, do: (*Server).viewsPush},
	"views.update":     {tier: tier4, args: []string{"view_id", "external_id", "view", "hash"}, do: (*Server).viewsUpdate},
	"views.publish":    {tier: tier4, args: []string{"user_id", "view", "hash"}, do: (*Server).viewsPublish},
}

// tooFast returns how long the app must wait before it may call a method, if
// Tiers is on; 0: it may now. Calls that are refused for their token do not
// count.
func (s *Server) tooFast(name string, m method, a args, refused error) time.Duration {
	if !s.Tiers || refused != nil || m.tier == special {
		return 0
	}
	most, within := int(m.tier), time.Minute
	if m.tier == posting {
		name, most, within = name+" "+a["channel"], 1, time.Second
	}
	if s.calls == nil {
		s.calls = map[string][]time.Time{}
	}
	now := time.Now()
	recent := s.calls[name]
	for len(recent) > 0 && now.Sub(recent[0]) >= within {
		recent = recent[1:]
	}
	if len(recent) < most {
		s.calls[name] = append(recent, now)
		return 0
	}
	s.calls[name] = recent
	// Retry-After is in whole seconds.
	return (recent[0].Add(within).Sub(now) + time.Second - 1).Truncate(time.Second)
}

func (s *Server) authTest(args) (object, string, error) {
	return object{
		"url": "https://" + Domain + ".slack.com/", "team": Domain, "user": BotName, "team_id": Team,
		"user_id": BotUser, "bot_id": Bot, "is_enterprise_install": false,
	}, BotName, nil
}

// blocksValidate checks blocks, a message or a view with the code that
// posting and opening them uses.
func (s *Server) blocksValidate(a args) (object, string, error) {
	var given []string
	for _, name := range []string{"blocks", "message", "view"} {
		if a[name] != "" {
			given = append(given, name)
		}
	}
	if len(given) != 1 {
		return nil, "", slackError{code: "invalid_arguments", messages: []string{"exactly one of `blocks`, `message` or `view` must be provided"}}
	}
	var problems []string
	var err error
	what := given[0]
	switch what {
	case "blocks":
		_, err = s.readBlocks(a["blocks"])
	case "message":
		m := args{}
		if err = m.json([]byte(a["message"])); err == nil {
			_, err = s.readContent(m)
		}
	case "view":
		_, err = s.readView(a["view"], inModal, inHome)
	}
	e, refused := err.(slackError)
	if !refused {
		return object{}, what, nil
	}
	problems = append(e.problems, e.messages...)
	if len(problems) == 0 {
		return nil, "", err
	}
	var details []object
	for _, p := range problems {
		message, pointer := pointed(p)
		details = append(details, object{"pointer": pointer, "code": problemCode(message), "message": message})
	}
	return nil, fmt.Sprint(len(details), " problems"), slackError{code: "invalid_" + what, details: details, unknown: e.unknown}
}

// problemCode is the code beside a message. Slack's own list is not published.
func problemCode(message string) string {
	for _, c := range []struct{ in, code string }{
		{"missing required field", "missing_required_field"}, {"additional property", "additional_property"},
		{"items allowed", "invalid_length"}, {"characters", "invalid_length"}, {"enum", "invalid_enum"},
		{"must provide", "invalid_type"}, {"unsupported", "unsupported_type"},
	} {
		if strings.Contains(message, c.in) {
			return c.code
		}
	}
	return "invalid_value"
}
