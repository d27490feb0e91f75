package bot

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"
)

// Connections is what the chat's client knows of its own connections.
type Connections struct {
	Open    int       // of ours
	Counted int       // that the chat says there are, with those of others; 0: it has not said
	Ours    int       // how many this process keeps
	Deaf    time.Time // since when none is open; zero: one is
}

// self watches the bot itself: silence is the one fault that nobody notices.
// It is told once, in the channel, and where the channel itself is the trouble
// to the admins.
type self struct {
	bot         *Bot
	connections func() Connections
	every       time.Duration
}

// Self is the command that watches the bot, every so often. Nobody types it.
func Self(b *Bot, connections func() Connections, every time.Duration) Command {
	return Operates(self{b, connections, every})
}

// health is what has been told.
type health struct {
	Foreign bool
	Deaf    bool
	Growing bool
	Dead    []string // keys of messages
}

const (
	// overdue is how long a message may wait before that is told.
	overdue = 10 * time.Minute
	// deafFor is how long no connection may be open before that is told.
	deafFor = 10 * time.Minute
	// deadSince is how far back undeliverable messages are looked for.
	deadSince = 24 * time.Hour
	mostDead  = 20
)

func (self) Info() Info { return Info{Name: "watch-self", Hidden: true} }

func (self) Plan(context.Context, Request) (Plan[health], error) {
	return Plan[health]{}, fmt.Errorf("this is no command")
}

func (s self) Standing() []Begin {
	return []Begin{{Kind: s.Info().Name, Ref: "watch/self", First: "watch", Data: health{}}}
}

func (s self) Steps() map[State]Step[health] {
	return map[State]Step[health]{"watch": {Look: s.look, Every: s.every}}
}

func (self) Card(Operation, health) Card { return Card{} }

func (s self) look(ctx context.Context, o Operation, d *health) (Next, error) {
	var late int
	var dead []Message
	err := s.bot.Ledger.View(ctx, func(v View) (err error) {
		if late, err = v.Overdue(o.Now.Add(-overdue)); err == nil {
			dead, err = v.Dead(o.Now.Add(-deadSince), mostDead)
		}
		for i, m := range dead {
			if m.Card != nil || err != nil {
				continue
			}
			var of Operation
			if of, err = v.Operation(m.Operation); err == nil {
				card, unknown := s.bot.cardOf(of)
				if unknown != nil {
					card = Say("A " + of.Kind)
				}
				dead[i].Card = &card
			}
		}
		return err
	})
	if err != nil {
		return Next{}, err
	}
	var next Next
	key := o.Now.UTC().Format("20060102T150405")
	tell := func(told *bool, is bool, alarm, name string, pieces ...any) {
		if is && !*told {
			next.Say = append(next.Say, Post{Key: name + "-" + key, Class: Final, Card: Say(pieces...), Unless: "mute/" + alarm})
		}
		*told = is
	}
	c := s.connections()
	tell(&d.Foreign, c.Counted > c.Ours, "socket", "foreign", fmt.Sprintf("⚠ Slack counts %d connections with my app token and I have %d. ", c.Counted, c.Ours),
		"Unless a second one of me runs on purpose, another process takes commands and presses that are meant for me.")
	tell(&d.Deaf, !c.Deaf.IsZero() && o.Now.Sub(c.Deaf) >= deafFor, "socket", "deaf", "⚠ I cannot hear Slack since ", Time(c.Deaf),
		": no connection of mine is open. Commands and presses fail until that is over.")
	tell(&d.Growing, late > 0, "messages", "growing", "⚠ "+Count(late, "message waits", "messages wait")+" for more than 10 minutes to be sent: Slack takes them late, or not at all.")
	s.dead(ctx, d, dead, key, &next)
	return next, nil
}

// dead tells the admins, each directly, of messages that nobody will see.
func (s self) dead(ctx context.Context, d *health, dead []Message, key string, next *Next) {
	var known []string
	var fresh []Message
	for _, m := range dead {
		known = append(known, m.Key)
		if !slices.Contains(d.Dead, m.Key) && !isPerson(m.To.Channel) && m.Dead != unwanted {
			fresh = append(fresh, m)
		}
	}
	if len(fresh) == 0 {
		d.Dead = known
		return
	}
	admins, err := s.bot.members(ctx, Admins)
	if err != nil {
		next.Wrong = err // and they are told at the next look
		return
	}
	d.Dead = known
	list := Part{Kind: List}
	for _, m := range fresh {
		list.Items = append(list.Items, T("“"+m.Card.Line.String()+"” — "+m.Dead))
	}
	card := Say("⚠ "+Count(len(fresh), "message", "messages")+" of mine could not be delivered, and will not be:").Add(list,
		SmallPrint("You get this directly since the channel may be the trouble; all Treeherder admins do."))
	for _, id := range admins {
		next.Say = append(next.Say, Post{Key: "dead-" + key + "-" + id, Class: Final, To: Place{Channel: id}, Card: card})
	}
	s.bot.Log.Error("messages could not be delivered", zap.Int("messages", len(fresh)))
}

// isDirect says whether a channel is the direct messages of somebody.
func isDirect(channel string) bool { return channel != "" && channel[0] == 'D' }

// isPerson says whether a place is a person's direct messages.
func isPerson(channel string) bool {
	return channel != "" && (channel[0] == 'U' || channel[0] == 'W')
}
