package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/sync/singleflight"

	"thbot/bot"
)

var _ bot.Directory = (*Client)(nil)

var (
	personID = regexp.MustCompile(`^[UW][A-Z0-9]{2,30}$`)
	groupID  = regexp.MustCompile(`^S[A-Z0-9]{2,30}$`)
)

// Member reads users.info.
func (c *Client) Member(ctx context.Context, id string, fresh time.Duration) (bot.Member, error) {
	k, err := c.known(ctx, id, fresh)
	return k.Member, err
}

func (c *Client) known(ctx context.Context, id string, fresh time.Duration) (known, error) {
	activity := "reading who " + id + " is"
	if !personID.MatchString(id) {
		return known{}, fmt.Errorf("%s: %w", activity, bot.ErrNotFound)
	}
	me, err := c.identify(ctx)
	if err != nil {
		return known{}, err
	}
	return c.members.get(ctx, id, fresh, c.o.Limit, func(ctx context.Context) (known, error) {
		u, err := c.api.GetUserInfoContext(ctx, id)
		if err == nil && u.ID != id {
			err = fmt.Errorf("the answer is about %q", u.ID)
		}
		if err != nil {
			return known{}, c.failed(activity, err)
		}
		return known{describe(u, me.Team), namesOf(u)}, nil
	})
}

// email is what can be somebody's address; what is not, is not asked for.
var email = regexp.MustCompile(`^[^\s@<>,]{1,64}@[^\s@<>,]{1,190}$`)

// ByEmail reads users.lookupByEmail. The error wraps [bot.ErrNotFound] when
// nobody in the workspace has that address; that is kept, too.
func (c *Client) ByEmail(ctx context.Context, address string, fresh time.Duration) (bot.Member, error) {
	const activity = "looking somebody up by e-mail"
	nobody := fmt.Errorf("%s: %w", activity, bot.ErrNotFound)
	if !email.MatchString(address) {
		return bot.Member{}, nobody
	}
	me, err := c.identify(ctx)
	if err != nil {
		return bot.Member{}, err
	}
	m, err := c.emails.get(ctx, address, fresh, c.o.Limit, func(ctx context.Context) (bot.Member, error) {
		u, err := c.api.GetUserByEmailContext(ctx, address)
		if err == nil && u.ID == "" {
			err = errors.New("the answer is about nobody")
		}
		if err = c.failed(activity, err); errors.Is(err, bot.ErrNotFound) {
			return bot.Member{}, nil
		} else if err != nil {
			return bot.Member{}, err
		}
		return describe(u, me.Team), nil
	})
	if err == nil && m.ID == "" {
		err = nobody
	}
	return m, err
}

func describe(u *slack.User, team string) bot.Member {
	// In an Enterprise organisation a colleague's home may be another
	// workspace; enterprise_user lists all that they belong to.
	ours := u.TeamID == team || slices.Contains(u.Enterprise.Teams, team)
	name := u.Name
	for _, better := range []string{u.RealName, u.Profile.RealName, u.Profile.DisplayName} {
		name = cmp.Or(strings.TrimSpace(clean(better, true)), name)
	}
	return bot.Member{
		Person:  bot.Person{ID: u.ID, Name: cut(cmp.Or(strings.TrimSpace(clean(name, true)), u.ID), 80)},
		Team:    u.TeamID,
		Zone:    u.TZ,
		Email:   u.Profile.Email,
		Bot:     u.IsBot || u.IsWorkflowBot || u.IsConnectorBot || u.ID == "USLACKBOT", // for whom is_bot is false
		Gone:    u.Deleted,
		Foreign: !ours || u.IsStranger,
		Guest:   u.IsRestricted || u.IsUltraRestricted,
	}
}

// Group reads usergroups.users.list.
func (c *Client) Group(ctx context.Context, id string, fresh time.Duration) ([]string, error) {
	activity := "reading who is in group " + id
	if !groupID.MatchString(id) {
		return nil, fmt.Errorf("%s: %w", activity, bot.ErrNotFound)
	}
	people, err := c.groups.get(ctx, id, fresh, c.o.Limit, func(ctx context.Context) ([]string, error) {
		people, err := c.api.GetUserGroupMembersContext(ctx, id)
		return people, c.failed(activity, err)
	})
	return slices.Clone(people), err
}

// cache keeps answers with the time at which they were asked for. The zero
// value is empty.
type cache[V any] struct {
	mu      sync.Mutex
	rows    map[string]row[V]
	flights singleflight.Group
}

type row[V any] struct {
	value V
	asked time.Time
}

// maxRows bounds the memory; a workspace that has more people who use the bot
// within a minute is asked more often.
const maxRows = 10_000

// get returns an answer that was asked for at most fresh ago. Only one read
// per id is under way at a time; it outlives callers who give up on it.
func (c *cache[V]) get(ctx context.Context, id string, fresh, limit time.Duration, read func(context.Context) (V, error)) (V, error) {
	var none V
	oldest := time.Now().Add(-max(fresh, 0))
	for {
		c.mu.Lock()
		r, ok := c.rows[id]
		c.mu.Unlock()
		if ok && !r.asked.Before(oldest) {
			return r.value, nil
		}
		flight := c.flights.DoChan(id, func() (any, error) {
			asked := time.Now()
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
			defer cancel()
			v, err := patiently(ctx, read)
			if err == nil {
				c.put(id, row[V]{v, asked})
			}
			return row[V]{v, asked}, err
		})
		select {
		case <-ctx.Done():
			return none, context.Cause(ctx)
		case landed := <-flight:
			if landed.Err != nil {
				return none, landed.Err
			}
			if r := landed.Val.(row[V]); !r.asked.Before(oldest) {
				return r.value, nil
			}
			// It had left before it was fresh enough for this caller.
		}
	}
}

// patiently reads once more if Slack asks to wait for no longer than a person
// would: a read has no effect that could be repeated.
func patiently[V any](ctx context.Context, read func(context.Context) (V, error)) (V, error) {
	const most = 2 * time.Second
	v, err := read(ctx)
	wait, again := bot.RetryAfter(err)
	if err == nil || !again || wait == 0 || wait > most {
		return v, err
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return v, err
	case <-t.C:
		return read(ctx)
	}
}

func (c *cache[V]) put(id string, r row[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rows == nil {
		c.rows = map[string]row[V]{}
	}
	if len(c.rows) >= maxRows {
		maps.DeleteFunc(c.rows, func(_ string, old row[V]) bool { return r.asked.Sub(old.asked) > time.Minute })
	}
	if len(c.rows) >= maxRows {
		clear(c.rows)
	}
	c.rows[id] = r
}
