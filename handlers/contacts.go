package handlers

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"time"

	"thbot/bot"
	"thbot/handlers/contact"
)

// switchboard is what paging needs of the chat.
type switchboard interface {
	// Topic is the topic of a channel, as it is stored.
	Topic(ctx context.Context, channel string) (string, error)
	// Named are the members of a channel that are called so, by name, in any
	// letter case.
	Named(ctx context.Context, channel string, names []string) (map[string][]bot.Member, error)
	// Group returns the ids of the people in a user group.
	Group(ctx context.Context, id string, fresh time.Duration) ([]string, error)
	// Member returns an error wrapping [bot.ErrNotFound] when there is no such person.
	Member(ctx context.Context, id string, fresh time.Duration) (bot.Member, error)
	// Presence says whether somebody is away, as far as their client says.
	Presence(ctx context.Context, id string) (away bool, err error)
	// Quiet is until when somebody does not want to be disturbed; the zero time:
	// they do not mind.
	Quiet(ctx context.Context, id string) (until time.Time, err error)
	// PostedAt is when a message of that id was posted, by the chat's own clock.
	PostedAt(message string) (time.Time, bool)
}

// Contacts finds out who can be paged: the main contact and backups that the
// channel's topic names, and then the backups of the configuration.
type Contacts struct {
	Slack     switchboard
	Channel   string // the bot's
	Room      string // how it is called
	Pattern   *regexp.Regexp
	Backups   []string // ids
	Procedure string   // link to what to do when nobody answers; empty: there is none
	Within    time.Duration
}

// callee is somebody who can be paged.
type callee struct {
	ID, Name string
	Zone     string // IANA name; empty: not known
	Main     bool   // the topic has them as the main contact
}

// roster is who can be paged right now.
type roster struct {
	Topic  string
	People []callee   // in order, each once
	Wrong  []bot.Text // what of the topic, or of the configuration, is of no use
}

// fresh is how old what is known of somebody may be when they are to be paged.
const fresh = 10 * time.Minute

func (c Contacts) roster(ctx context.Context) (r roster, err error) {
	if r.Topic, err = c.Slack.Topic(ctx, c.Channel); err != nil {
		return r, err
	}
	named := contact.Parse(c.Pattern, r.Topic)
	if named.Wrong != "" {
		r.Wrong = append(r.Wrong, bot.T(named.Wrong))
	}
	for _, m := range named.Main {
		if err := c.add(ctx, &r, m, true); err != nil {
			return r, err
		}
	}
	for _, m := range named.Backups {
		if err := c.add(ctx, &r, m, false); err != nil {
			return r, err
		}
	}
	for _, id := range c.Backups {
		if err := c.add(ctx, &r, contact.Mention{ID: id}, false); err != nil {
			return r, err
		}
	}
	return r, nil
}

// add adds who is meant, or what is wrong with that.
func (c Contacts) add(ctx context.Context, r *roster, m contact.Mention, isMain bool) error {
	switch {
	case m.Group:
		ids, err := c.Slack.Group(ctx, m.ID, fresh)
		for _, id := range ids {
			if err == nil {
				err = c.add(ctx, r, contact.Mention{ID: id}, isMain)
			}
		}
		return err
	case m.ID != "":
		who, err := c.Slack.Member(ctx, m.ID, fresh)
		if errors.Is(err, bot.ErrNotFound) {
			r.Wrong = append(r.Wrong, bot.T("There is nobody with the id ", bot.Fixed(m.ID), "."))
			return nil
		}
		if err == nil {
			r.take(who, isMain)
		}
		return err
	}
	names := append(slices.Clone(m.Longer), m.Name) // the longest that somebody has is meant
	called, err := c.Slack.Named(ctx, c.Channel, names)
	if err != nil {
		return err
	}
	for _, name := range names {
		switch found := called[name]; len(found) {
		case 0:
			continue
		case 1:
			r.take(found[0], isMain)
		default:
			r.Wrong = append(r.Wrong, bot.T(bot.Count(len(found), "person", "people")+" in "+c.Room+" are called ", bot.Fixed("@"+name), ", so I do not know who is meant."))
		}
		return nil
	}
	r.Wrong = append(r.Wrong, bot.T("Nobody in "+c.Room+" is called ", bot.Fixed("@"+m.Name), "."))
	return nil
}

// take adds somebody, if they can be paged at all.
func (r *roster) take(who bot.Member, isMain bool) {
	switch {
	case who.Bot:
		r.Wrong = append(r.Wrong, bot.T(who.Name+" is a bot."))
	case who.Gone:
		r.Wrong = append(r.Wrong, bot.T("The account of "+who.Name+" is deactivated."))
	case !slices.ContainsFunc(r.People, func(o callee) bool { return o.ID == who.ID }):
		r.People = append(r.People, callee{who.ID, who.Name, who.Zone, isMain})
	}
}

// how says how somebody is right now, as far as the chat says: their local
// time, and whether they are away or do not want to be disturbed.
func (c Contacts) how(ctx context.Context, who callee, now time.Time) (t bot.Text) {
	if at, err := time.LoadLocation(who.Zone); err == nil && who.Zone != "" {
		t = append(t, bot.Span{Text: ", " + now.In(at).Format("15:04") + " for them"})
	}
	switch away, err := c.Slack.Presence(ctx, who.ID); {
	case err != nil:
		t = append(t, bot.Span{Text: ", Slack does not say whether they are there"})
	case away:
		t = append(t, bot.Span{Text: ", away"})
	default:
		t = append(t, bot.Span{Text: ", active"})
	}
	if until, err := c.Slack.Quiet(ctx, who.ID); err == nil && !until.IsZero() {
		t = append(t, bot.T(", does not want to be disturbed until ", bot.Time(until))...)
	}
	return t
}

// procedure is what to do when nobody answers, after that; nothing where none
// is configured.
func (c Contacts) procedure(after string) bot.Text {
	if c.Procedure == "" {
		return nil
	}
	return bot.T(after, bot.To("The on-call procedure", c.Procedure), ".")
}

func (c Contacts) room() string { return "The page is in " + c.Room + ", too." }

// Contact says who would be paged now.
type Contact struct{ Contacts Contacts }

func (c Contact) Info() bot.Info {
	return bot.Info{
		Name: "contact", Does: "Says who the cloudOps main contact is now.", Who: "anyone", Examples: []string{"contact"},
		Wait: "Looking who it is…", Menu: "Main contact", MenuText: "contact",
	}
}

func (c Contact) Answer(ctx context.Context, r bot.Request) (bot.Card, error) {
	found, err := c.Contacts.roster(ctx)
	if err != nil {
		return bot.Card{}, err
	}
	now := time.Now() // only tells people's local time
	if !r.Now.IsZero() {
		now = r.Now
	}
	card := bot.Say(bot.Strong("Nobody"), " is the main contact.")
	if len(found.People) > 0 && found.People[0].Main {
		main := found.People[0]
		card = bot.Say(append(bot.T(bot.Strong(main.Name), " is the main contact"), c.Contacts.how(ctx, main, now)...), ".")
	}
	list := bot.Part{Kind: bot.List}
	for i, who := range found.People {
		if i > 0 || !who.Main {
			list.Items = append(list.Items, append(bot.T(bot.Strong(who.Name), " after that"), c.Contacts.how(ctx, who, now)...))
		}
	}
	if len(list.Items) > 0 {
		card = card.Add(list)
	}
	if len(found.Wrong) > 0 {
		card = card.Add(bot.Paragraph("⚠ ", sentences(found.Wrong)))
	}
	if found.Topic != "" {
		card = card.Add(bot.SmallPrint("The topic: “" + found.Topic + "”"))
	}
	if link := c.Contacts.procedure(""); link != nil {
		card = card.Add(bot.Part{Kind: bot.Note, Text: link})
	}
	return card.Add(bot.SmallPrint(bot.Fixed("/th page <what is wrong>"), " pages them; it asks first.")), nil
}
