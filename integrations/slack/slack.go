// Package slack connects the bot to a Slack workspace. It receives over Socket
// Mode (sockets.go, envelopes.go), speaks through the Web API (chat.go), turns
// cards into Block Kit (cards.go, text.go), knows who people are (people.go) and
// whether they can be reached (contact.go).
// No other package of the bot knows Slack's names for things.
package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"
	"go.uber.org/zap"

	"thbot/bot"
	"thbot/integrations/internal/web"
)

// Options of a Client. Tokens and Channel are required.
type Options struct {
	APIURL   string        // empty: https://slack.com/api/
	AppToken string        // xapp-…, with connections:write
	BotToken string        // xoxb-…, with [Scopes]
	Channel  string        // the channel the bot works in: its id, or its name
	Command  string        // empty: /th
	Dial     web.DialFunc  // nil: the network
	Limit    time.Duration // of a call, and of opening a socket; 0: 4 s
	Log      *zap.Logger   // nil: none
	Silence  time.Duration // a socket on which nothing arrives for so long is replaced; 0: 13 s
	Sockets  int           // 0: 2
}

// A Client is the bot's connection to one workspace. It implements bot.Chat
// and bot.Directory.
type Client struct {
	o     Options
	log   *zap.Logger
	http  *http.Client
	api   *slack.Client
	me    atomic.Pointer[identity]
	home  atomic.Pointer[channel]
	alive atomic.Int32

	directs sync.Map // by person's id: the channel of their direct messages
	hearing hearing

	members cache[known]
	emails  cache[bot.Member] // by address; the zero Member is nobody
	groups  cache[[]string]
	rooms   cache[[]string] // by channel: who is in it
}

// identity is what auth.test says about the bot token.
type identity struct {
	Team, User, Bot string
	URL             string // of the workspace, without a slash at its end
	Scopes          []string
}

type channel struct{ ID, Name string }

// Scopes are those that the bot token needs: no more than are used.
// The history is read for one purpose, to find out whether a message whose
// answer was lost was posted (see [Client.Find]).
func Scopes(privateChannel bool) []string {
	scopes := []string{"channels:history", "channels:read", "chat:write", "commands", "dnd:read", "im:history", "im:write", "usergroups:read", "users:read", "users:read.email"}
	if privateChannel {
		scopes = append(scopes, "groups:history", "groups:read")
	}
	return scopes
}

// New returns a client that has not called anybody yet. Tokens of the wrong
// kind are an error, which names the token and does not contain it.
func New(o Options) (*Client, error) {
	switch {
	case strings.HasPrefix(o.AppToken, "xoxb-") && strings.HasPrefix(o.BotToken, "xapp-"):
		return nil, errors.New("slack: the app token and the bot token are swapped")
	case !strings.HasPrefix(o.AppToken, "xapp-"):
		return nil, errors.New("slack: the app token is not one: app-level tokens begin with xapp-")
	case !strings.HasPrefix(o.BotToken, "xoxb-"):
		return nil, errors.New("slack: the bot token is not one: bot tokens begin with xoxb-")
	case o.Channel == "":
		return nil, errors.New("slack: no channel is set")
	}
	if o.APIURL == "" {
		o.APIURL = slack.APIURL
	}
	u, err := url.Parse(o.APIURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("slack: the API URL is not like https://slack.com/api/")
	}
	if !strings.HasSuffix(o.APIURL, "/") {
		o.APIURL += "/" // slack-go puts the method's name right behind it
	}
	if o.Command == "" {
		o.Command = "/th"
	}
	if o.Limit == 0 {
		o.Limit = 4 * time.Second
	}
	if o.Silence == 0 {
		// Slack pings every ten seconds.
		o.Silence = 13 * time.Second
	}
	if o.Sockets == 0 {
		o.Sockets = 2
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	c := &Client{o: o, log: o.Log, http: web.NewClient(web.Options{Dial: o.Dial, Limit: o.Limit})}
	c.api = slack.New(o.BotToken,
		slack.OptionAppLevelToken(o.AppToken),
		slack.OptionAPIURL(o.APIURL),
		slack.OptionHTTPClient(exact{c.http}),
		slack.OptionLog(zap.NewStdLog(o.Log)))
	return c, nil
}

// Close ends idle connections. Calls can be made after it.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Check finds out whether the bot can work: that the bot token is good and has
// its scopes, and that the bot is in its channel. It reads only.
func (c *Client) Check(ctx context.Context) error {
	var (
		me       *identity
		home     *slack.Channel
		meErr    error
		homeErr  error
		together sync.WaitGroup // a start is quick: at most one call after another
	)
	byID := channelID.MatchString(c.o.Channel)
	if byID {
		together.Go(func() { home, homeErr = c.channelByID(ctx, c.o.Channel) })
	}
	if me, meErr = c.identify(ctx); meErr == nil && !byID {
		home, homeErr = c.channelByName(ctx, strings.TrimPrefix(c.o.Channel, "#"), me.Scopes)
	}
	together.Wait()
	if meErr != nil {
		return meErr
	}
	if missing := missing(me.Scopes, Scopes(home != nil && (home.IsPrivate || home.IsGroup))); len(missing) > 0 {
		return &CredentialsError{Token: "bot token", Code: "missing_scope", Needed: strings.Join(missing, ", ")}
	}
	switch {
	case homeErr != nil:
		return homeErr
	case home.IsIM || home.IsMpIM:
		return fmt.Errorf("slack: %s is not a channel but a conversation of a few people", c.o.Channel)
	case home.IsArchived:
		return fmt.Errorf("slack: the channel %s is archived", c.o.Channel)
	case !home.IsMember:
		return fmt.Errorf("slack: the bot is not in the channel %s: invite it there", c.o.Channel)
	}
	c.home.Store(&channel{home.ID, home.Name})
	return nil
}

// missing are the scopes of needed that are not granted. Slack sends the
// granted ones as a header; nothing can be said where a proxy took it away.
func missing(granted, needed []string) []string {
	if len(granted) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(needed), func(s string) bool { return slices.Contains(granted, s) })
}

var channelID = regexp.MustCompile(`^[CG][A-Z0-9]{5,}$`)

func (c *Client) channelByID(ctx context.Context, id string) (*slack.Channel, error) {
	ch, err := c.api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
	var no slack.SlackErrorResponse
	if errors.As(err, &no) && no.Err == "channel_not_found" {
		// What Slack says of a private channel the bot is not in.
		return nil, fmt.Errorf("slack: there is no channel %s, or it is private and the bot is not in it: invite it there", id)
	}
	return ch, c.failed("reading channel "+id, err)
}

// channelByName looks among the channels that the bot is in.
func (c *Client) channelByName(ctx context.Context, name string, granted []string) (*slack.Channel, error) {
	p := &slack.GetConversationsParameters{Types: []string{"public_channel"}, ExcludeArchived: true, Limit: 999}
	if slices.Contains(granted, "groups:read") {
		p.Types = append(p.Types, "private_channel")
	}
	for range maxPages {
		found, next, err := c.api.GetConversationsContext(ctx, p)
		if err != nil {
			return nil, c.failed("listing the channels", err)
		}
		for _, ch := range found {
			if ch.IsMember && strings.EqualFold(ch.Name, name) {
				return &ch, nil
			}
		}
		if next == "" {
			return nil, fmt.Errorf("slack: the bot is in no channel called %s: invite it there, or set the channel's id", name)
		}
		p.Cursor = next
	}
	return nil, fmt.Errorf("slack: there are too many channels to look for %s by name: set the channel's id", name)
}

// maxPages ends a listing that would not end.
const maxPages = 100

// identify asks once who we are.
func (c *Client) identify(ctx context.Context) (*identity, error) {
	if me := c.me.Load(); me != nil {
		return me, nil
	}
	r, err := c.api.AuthTestContext(ctx)
	if refused := refusesToken("bot token", err); refused != nil {
		return nil, refused
	}
	if err != nil {
		return nil, c.failed("asking who the bot is", err)
	}
	if r.TeamID == "" || r.UserID == "" {
		return nil, c.failed("asking who the bot is", errors.New("the answer names no team or no user"))
	}
	me := &identity{Team: r.TeamID, User: r.UserID, Bot: r.BotID, URL: strings.TrimRight(r.URL, "/")}
	for scope := range strings.SplitSeq(r.Header.Get("X-OAuth-Scopes"), ",") {
		if scope = strings.TrimSpace(scope); scope != "" {
			me.Scopes = append(me.Scopes, scope)
		}
	}
	c.me.Store(me)
	return me, nil
}

// Channel is the id and the name of the bot's channel; empty before [Client.Check].
func (c *Client) Channel() (id, name string) {
	if home := c.home.Load(); home != nil {
		return home.ID, home.Name
	}
	return "", ""
}

// Self is the bot's own user id; empty before [Client.Check].
func (c *Client) Self() string {
	if me := c.me.Load(); me != nil {
		return me.User
	}
	return ""
}

// Connected is the number of sockets over which commands and presses can
// arrive now.
func (c *Client) Connected() int { return int(c.alive.Load()) }
