package slack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/sync/errgroup"

	"thbot/bot"
)

// Topic is what stands above a channel, and who wrote it there.
type Topic struct {
	Text string // as Slack stores it: &, < and > are entities, people are <@U…>, groups <!subteam^S…>
	By   string // the person's id; empty: nobody ever set one
	At   time.Time
}

// Topic reads conversations.info. Slack asks for no more than a scope that the
// bot has anyway, and the answer is also right after a time in which the bot
// was not there; being told of changes would take hearing every message.
func (c *Client) Topic(ctx context.Context, channel string) (Topic, error) {
	ch, err := c.channelByID(ctx, channel)
	if err != nil {
		return Topic{}, fmt.Errorf("reading the topic: %w", err)
	}
	t := Topic{Text: ch.Topic.Value, By: ch.Topic.Creator}
	if ch.Topic.LastSet > 0 {
		t.At = ch.Topic.LastSet.Time()
	}
	return t, nil
}

// Presence reads users.getPresence: whether somebody is away, which they are
// after ten minutes in which they did nothing in Slack.
func (c *Client) Presence(ctx context.Context, user string) (away bool, err error) {
	activity := "reading whether " + user + " is there"
	if !personID.MatchString(user) {
		return false, fmt.Errorf("%s: %w", activity, bot.ErrNotFound)
	}
	return patiently(ctx, func(ctx context.Context) (bool, error) {
		p, err := c.api.GetUserPresenceContext(ctx, user)
		if err == nil && p.Presence != "active" && p.Presence != "away" {
			err = fmt.Errorf("the answer is %q", p.Presence)
		}
		if err != nil {
			return false, c.failed(activity, err)
		}
		return p.Presence == "away", nil
	})
}

// Quiet reads dnd.info: until when somebody does not want to be disturbed. The
// zero time: they can be disturbed now. That dnd_enabled is true says only
// that they have quiet hours, which may be tonight's.
func (c *Client) Quiet(ctx context.Context, user string) (until time.Time, err error) {
	activity := "reading whether " + user + " wants to be disturbed"
	if !personID.MatchString(user) {
		return time.Time{}, fmt.Errorf("%s: %w", activity, bot.ErrNotFound)
	}
	d, err := patiently(ctx, func(ctx context.Context) (*slack.DNDStatus, error) {
		d, err := c.api.GetDNDInfoContext(ctx, &user)
		return d, c.failed(activity, err)
	})
	if err != nil {
		return time.Time{}, err
	}
	now := time.Now().Unix()
	if d.Enabled && int64(d.NextStartTimestamp) <= now && now < int64(d.NextEndTimestamp) {
		return time.Unix(int64(d.NextEndTimestamp), 0), nil
	}
	return time.Time{}, nil
}

// PostedAt is when a message was posted, by Slack's own clock: its id, a ts, is
// that time. False: it is no such id.
func PostedAt(id string) (time.Time, bool) {
	seconds, rest, _ := strings.Cut(id, ".")
	s, err := strconv.ParseUint(seconds, 10, 36)
	micro, err2 := strconv.ParseUint(rest, 10, 32)
	if err != nil || err2 != nil || s == 0 || len(rest) != 6 {
		return time.Time{}, false
	}
	return time.Unix(int64(s), int64(micro)*1000), true
}

// What looking for somebody by name may cost: Slack allows some hundred calls
// of users.info a minute, and has no search by name.
const (
	mostMembers    = 500
	memberPage     = 500
	lookedUp       = 8 // at a time
	membersFresh   = time.Minute
	nameFresh      = time.Hour // somebody seldom takes another name
	nameFreshFound = 10 * time.Second
)

// Named finds people by what they are called, among those who are in channel:
// by display name, full name or user name, whole, in capitals or not, with an
// @ in front or not. A name that several have gives several, in the order of
// their ids, and one that nobody has is not in the map. Bots and people who
// were deactivated are nobody.
//
// What was read is kept, also when the whole fails, so that asking again gets
// further. A channel of more than 500 people is an error.
func (c *Client) Named(ctx context.Context, channel string, names []string) (map[string][]bot.Member, error) {
	found := map[string][]bot.Member{}
	wanted := map[string][]string{} // names that were asked for, by how they are compared
	for _, name := range names {
		if folded := foldName(name); folded != "" && !slices.Contains(wanted[folded], name) {
			wanted[folded] = append(wanted[folded], name)
		}
	}
	if len(wanted) == 0 {
		return found, nil
	}
	activity := "looking for people by name in " + channel
	ids, err := c.rooms.get(ctx, channel, membersFresh, c.o.Limit, func(ctx context.Context) ([]string, error) {
		return c.membersOf(ctx, channel)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", activity, err)
	}
	var mu sync.Mutex
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(lookedUp)
	for _, id := range ids {
		all.Go(func() error {
			k, err := c.known(ctx, id, nameFresh)
			if err == nil && k.called(wanted) {
				k, err = c.known(ctx, id, nameFreshFound)
			}
			if errors.Is(err, bot.ErrNotFound) || err == nil && (k.Bot || k.Gone) {
				return nil // of another workspace, and not to be seen; or nobody to find
			} else if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for _, folded := range k.names {
				for _, name := range wanted[folded] {
					found[name] = append(found[name], k.Member)
				}
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		return nil, fmt.Errorf("%s: %w", activity, err)
	}
	for _, members := range found {
		slices.SortFunc(members, func(a, b bot.Member) int { return strings.Compare(a.ID, b.ID) })
	}
	return found, nil
}

// membersOf lists who is in a channel.
func (c *Client) membersOf(ctx context.Context, channel string) ([]string, error) {
	activity := "listing who is in " + channel
	p := &slack.GetUsersInConversationParameters{ChannelID: channel, Limit: memberPage}
	var ids []string
	for range maxPages {
		page, next, err := c.api.GetUsersInConversationContext(ctx, p)
		if err != nil {
			return nil, c.failed(activity, err)
		}
		if ids = append(ids, page...); len(ids) > mostMembers || next == "" {
			break
		}
		p.Cursor = next
	}
	if len(ids) > mostMembers {
		return nil, fmt.Errorf("%s: more than %d people", activity, mostMembers)
	}
	return ids, nil
}

// known is a member with all that they are called, as it is compared.
type known struct {
	bot.Member
	names []string
}

func (k known) called(wanted map[string][]string) bool {
	return slices.ContainsFunc(k.names, func(n string) bool { return wanted[n] != nil })
}

// namesOf are all the names of u, as they are compared, each once.
func namesOf(u *slack.User) []string {
	var names []string
	for _, name := range []string{u.Name, u.RealName, u.Profile.DisplayName, u.Profile.RealName} {
		if name = foldName(name); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// foldName is a name as it is compared: without an @ in front, in small
// letters, with single spaces and without what does not show.
func foldName(name string) string {
	name = strings.Join(strings.Fields(clean(name, true)), " ")
	return strings.ToLower(strings.TrimPrefix(name, "@"))
}
