package main

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/slack/fakeslack"
)

// act is one thing that somebody does, or that happens in the world, and what
// they then read when it is done: for themselves or in the channel. With neither
// a command nor a button they only wait for that; with nothing to read either,
// until the bot is there.
type act struct {
	happens func(ctx context.Context, p *play) error

	who   string // id
	say   string // a command, with OWN for what no other play has, or
	press string // the label of a button; with | between them, of any of several
	on    string // a text of the message that has it
	alone bool   // which they alone see
	reads string
	or    string // which may have taken its place already; empty: nothing can
	// Where they read this instead, of something that was begun and does not show,
	// they do what follows it first, and then this act from its beginning.
	unsure string
	settle []act
}

// people play their acts, one after the other.
func (p *play) people(ctx context.Context) error {
	for i, a := range p.acts {
		if i == p.from {
			p.count(true)
		}
		if err := p.do(ctx, a); err != nil {
			return err
		}
		if i == p.to {
			p.count(i == len(p.acts)-1) // after the last one until all is quiet
		}
	}
	return nil
}

// do does it again as long as Slack or the bot says that it did not work, as
// people do.
func (p *play) do(ctx context.Context, a act) error {
	if a.happens != nil {
		if err := a.happens(ctx, p); err != nil {
			return err
		}
	}
	if a.reads == "" {
		return p.heard(ctx)
	}
	for said, settled := 0, false; ; {
		if ctx.Err() != nil {
			return fmt.Errorf("doing %q %q again and again: %w", a.say, a.press, context.Cause(ctx))
		}
		if !settled && p.unsure(a) {
			settled = true
			for i, s := range a.settle {
				s.or = cmp.Or(s.or, a.reads) // it can show after all, while they are at it
				if err := p.do(ctx, s); err != nil {
					return err
				}
				if i == 0 && p.sees(s.who, s.reads) {
					p.settled++
				}
			}
		}
		heard := len(p.whispers(a.who))
		var ts string
		var button fakeslack.Button
		err := p.Slack.Await(ctx, func() bool {
			ts, button = p.find(a)
			return a.say != "" || ts != "" || p.reads(a) || !settled && p.unsure(a)
		})
		if err != nil || p.reads(a) {
			return err
		}
		if !settled && p.unsure(a) {
			continue
		}
		var d *fakeslack.Delivery
		if a.say != "" {
			if d, err = p.Slack.Say(a.who, world.Channel, strings.ReplaceAll(a.say, "OWN", p.own)); err != nil {
				return err
			}
			if said++; said > 1 {
				p.repeats++
			}
		} else if d, err = p.Slack.Press(a.who, world.Channel, ts, button.ActionID, button.Value); err != nil {
			continue // the message has other buttons by now
		}
		if d.Wait(ctx) != nil {
			if err := p.heard(ctx); err != nil {
				return err
			}
			continue
		}
		again := false
		err = p.Slack.Await(ctx, func() bool {
			again = slices.ContainsFunc(p.whispers(a.who)[heard:], func(m fakeslack.Message) bool { return invites.MatchString(m.Plain) })
			return again || p.reads(a) || !settled && p.unsure(a)
		})
		if err != nil || p.reads(a) {
			return err
		}
	}
}

// invites is what a bot says that wants something sent once more, or after which
// people do so since nothing has happened.
var invites = regexp.MustCompile(`(?i)\b(try|press|send it|ask) again\b|before anything was changed|this question is over`)

// find returns the newest button that the act presses; ts is empty if there is none.
func (p *play) find(a act) (ts string, button fakeslack.Button) {
	if a.press == "" {
		return "", button
	}
	for _, m := range slices.Backward(p.Slack.Messages(a.who, world.Channel)) {
		for _, b := range m.Buttons() {
			if slices.Contains(strings.Split(a.press, "|"), b.Label) && m.Ephemeral == a.alone && strings.Contains(m.Plain, a.on) {
				return m.TS, b
			}
		}
	}
	return "", button
}

// reads says whether the act is done, as far as whoever did it can see.
func (p *play) reads(a act) bool {
	return p.sees(a.who, a.reads) || a.or != "" && p.sees(a.who, a.or)
}

// unsure says whether people are asked whether it happened.
func (p *play) unsure(a act) bool { return a.unsure != "" && p.sees(a.who, a.unsure) }

// sees says whether the bot tells somebody that.
func (p *play) sees(who, text string) bool {
	return slices.ContainsFunc(p.Slack.Messages(who, world.Channel), func(m fakeslack.Message) bool {
		return m.User == fakeslack.BotUser && strings.Contains(m.Plain, text)
	})
}

// whispers are what the bot has told one person alone.
func (p *play) whispers(who string) []fakeslack.Message {
	return slices.DeleteFunc(p.Slack.Messages(who, world.Channel), func(m fakeslack.Message) bool {
		return m.User != fakeslack.BotUser || !m.Ephemeral
	})
}

// posts are what the bot has said to the whole channel.
func (p *play) posts() []fakeslack.Message {
	return slices.DeleteFunc(p.Slack.Messages(ana, world.Channel), func(m fakeslack.Message) bool {
		return m.User != fakeslack.BotUser || m.Ephemeral
	})
}

// messages are all that anybody reads.
func (p *play) messages() []fakeslack.Message {
	byID := map[string]fakeslack.Message{}
	for _, who := range world.People {
		for _, m := range p.Slack.Messages(who.ID, world.Channel) {
			byID[m.TS+m.To] = m
		}
	}
	var all []fakeslack.Message
	for _, m := range byID {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b fakeslack.Message) int { return cmp.Compare(a.TS+a.To, b.TS+b.To) })
	return all
}
