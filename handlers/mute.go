package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"thbot/bot"
	"thbot/handlers/when"
)

// What the bot raises by itself when something is wrong. The names are what
// people type, and parts of scopes in the ledger.
const (
	alarmJenkins   = "jenkins"
	alarmApp       = "app"
	alarmWaiting   = "waiting"
	alarmSlow      = "slow"
	alarmFailures  = "failures"
	alarmOffside   = "offside"
	alarmPrototype = "prototype"
	alarmSocket    = "socket"
	alarmMessages  = "messages"
)

// alarms are all of them, with when each is raised.
var alarms = []struct{ name, when string }{
	{alarmJenkins, "Jenkins gives no usable answer"},
	{alarmApp, "an app does not say what it serves"},
	{alarmWaiting, "a run has been waiting for long to be promoted"},
	{alarmSlow, "a deploy takes much longer than usual"},
	{alarmFailures, "deploys fail one after the other"},
	{alarmOffside, "an app serves what is not on its branch"},
	{alarmPrototype, "prototype has drifted far from master"},
	{alarmSocket, "another bot takes what is meant for this one"},
	{alarmMessages, "a message cannot be delivered"},
}

func alarmWords() (words []bot.Word) {
	for _, a := range alarms {
		words = append(words, bot.Word{Name: a.name})
	}
	return words
}

// Mute keeps an alarm quiet for a while. It is an operation that holds a scope
// until its time is over, or until somebody lifts it.
type Mute struct{ Ledger reading }

// muting is what a mute remembers.
type muting struct {
	Alarm string
	Until time.Time
}

// The states of a mute. Beside these it lapses and is replaced, as locks are.
const (
	quiet bot.State = "muted"
	loud  bot.State = "unmuted"
)

const unmute = "unmute"

// usualMute is how long an alarm is muted if nobody says.
const usualMute = 24 * time.Hour

// muteScopes begin so; the alarm follows.
const muteScopes = "mute/"

var muters = bot.Policy{Roles: []bot.Role{bot.Admins, bot.CloudOps}}

func (m Mute) Info() bot.Info {
	return bot.Info{
		Name: "mute", Does: "Keeps an alarm quiet for a while, a day if nothing is said; alone it lists the alarms.",
		Who: "anyone can list; " + bot.Admins.Title() + " or " + bot.CloudOps.Title() + " mutes",
		Args: []bot.Arg{
			{Name: "alarm", Doc: "an alarm", Example: "slow", Optional: true, Words: alarmWords()},
			{Name: "list", Doc: "the word list", Example: "list", Or: true, Form: "list", Words: []bot.Word{{Name: "list"}}},
			{Name: "length", After: "for", Doc: "a length of time", Example: "2h", Optional: true, Take: when.TakeLength},
		},
		Examples: []string{"mute slow", "mute jenkins for 2h", "mute list"},
		Wait:     "Looking at what is muted…",
	}
}

func (m Mute) Plan(ctx context.Context, r bot.Request) (plan bot.Plan[muting], err error) {
	name, length := r.Args["alarm"], usualMute
	if typed := r.Args["length"]; typed != "" {
		if name == "" {
			return plan, bot.Refuse("Which alarm is to be muted is missing, so nothing was done. Send for example ", bot.Fixed("/th mute slow for "+typed), ".")
		}
		var wrong string
		if length, wrong = when.Length(typed); wrong != "" {
			return plan, bot.Refuse(bot.Fixed(typed), " "+wrong+". Nothing was done.")
		}
	}
	if name == "" {
		answer, err := m.list(ctx)
		return bot.Plan[muting]{Answer: &answer}, err
	}
	if err := r.May(ctx, muters); err != nil {
		return plan, err
	}
	plan = bot.Plan[muting]{Begin: &muting{name, r.Now.Add(length)}, First: quiet, Scopes: []string{muteScopes + name}, Take: true, About: name}
	err = m.Ledger.View(ctx, func(v bot.View) error {
		plan.Press = nil
		old, err := v.Holder(muteScopes + name)
		if old != "" {
			plan.Press = &bot.Forward{Operation: old, Verb: replaceOwn}
		}
		return err
	})
	return plan, err
}

func (m Mute) list(ctx context.Context) (bot.Card, error) {
	list := bot.Part{Kind: bot.List}
	some := false
	err := m.Ledger.View(ctx, func(v bot.View) error {
		list.Items, some = nil, false
		for _, a := range alarms {
			t := bot.T(bot.Fixed(a.name), " "+a.when)
			o, d, err := mutedBy(v, a.name)
			if err != nil {
				return err
			}
			if o != nil {
				some = true
				t = append(t, bot.T(" · muted by "+o.Asked.Name+" until ", bot.Date(d.Until))...)
			}
			list.Items = append(list.Items, t)
		}
		return nil
	})
	c := bot.Say("No alarm is muted. I raise one when:")
	if some {
		c = bot.Say("Some alarms are muted. I raise one when:")
	}
	return c.Add(list, bot.SmallPrint(bot.Fixed("/th mute slow for 2h"), " keeps one quiet, ", bot.Fixed("/th unmute slow"), " lets it be heard again.")), err
}

// mutedBy is the operation that mutes an alarm now, or nil.
func mutedBy(v bot.View, alarm string) (*bot.Operation, muting, error) {
	var d muting
	id, err := v.Holder(muteScopes + alarm)
	if err != nil || id == "" {
		return nil, d, err
	}
	o, err := v.Operation(id)
	switch {
	case errors.Is(err, bot.ErrNotFound):
		return nil, d, nil
	case err != nil:
		return nil, d, err
	case o.End != "" || json.Unmarshal(o.Data, &d) != nil || !v.Now().Before(d.Until):
		return nil, d, nil // its time is over; the runner will say so
	}
	return &o, d, nil
}

func (m Mute) Steps() map[bot.State]bot.Step[muting] {
	return map[bot.State]bot.Step[muting]{
		quiet: {
			Ask: func(_ bot.Operation, d muting) bot.Question {
				return bot.Question{Buttons: []bot.Button{
					{Verb: unmute, Label: "Unmute", May: muters, To: loud},
					{Verb: replaceOwn, May: muters, To: replaced},
				}}
			},
			GiveUp: func(_ bot.Operation, d muting) time.Time { return d.Until }, Lapse: lapsed,
		},
		loud:     {End: bot.Done, Say: m.sayLoud},
		lapsed:   {End: bot.Done},
		replaced: {End: bot.Done},
	}
}

func (m Mute) Card(o bot.Operation, d muting) bot.Card {
	alarm := "The alarm “" + d.Alarm + "”"
	switch o.State {
	case loud:
		return heading(alarm+" can be heard again", "; "+o.Decided().Person.Name+" has unmuted it")
	case lapsed:
		return heading(alarm+" can be heard again", "; the time is over for which "+o.Asked.Name+" had muted it")
	case replaced:
		return heading(alarm, " was muted anew by "+o.Decided().Person.Name)
	}
	return heading(alarm+" is muted", " by "+o.Asked.Name).Add(bot.SmallPrint("Until ", bot.Date(d.Until), " I do not raise it; ",
		bot.Fixed("/th unmute "+d.Alarm), " ends that."))
}

func (m Mute) sayLoud(o bot.Operation, d muting) []bot.Post {
	who := o.Decided().Person
	t := bot.T("The alarm “"+d.Alarm+"” can be heard again: ", who.Name, " has unmuted it")
	if who.ID != o.Asked.ID {
		t = append(t, bot.T("; ", bot.At(o.Asked.ID), " had muted it")...)
	}
	return []bot.Post{{Key: "loud", Class: bot.Final, Card: bot.Say(append(t, bot.Span{Text: "."}))}}
}

// Unmute presses [Unmute] on the mute of an alarm.
type Unmute struct{ Ledger reading }

func (u Unmute) Info() bot.Info {
	return bot.Info{
		Name: "unmute", Does: "Lets an alarm be heard again.", Who: bot.Admins.Title() + " or " + bot.CloudOps.Title(), Begin: muters,
		Args:     []bot.Arg{{Name: "alarm", Doc: "an alarm", Example: "slow", Words: alarmWords()}},
		Examples: []string{"unmute slow"},
		Wait:     "Looking at what is muted…",
	}
}

func (u Unmute) Press(ctx context.Context, r bot.Request) (f bot.Forward, err error) {
	name := r.Args["alarm"]
	err = u.Ledger.View(ctx, func(v bot.View) error {
		o, _, err := mutedBy(v, name)
		switch {
		case err != nil:
			return err
		case o == nil:
			return bot.Refuse("The alarm ", bot.Fixed(name), " is not muted, so there is nothing to lift.")
		}
		f = bot.Forward{Operation: o.ID, Verb: unmute}
		return nil
	})
	return f, err
}
