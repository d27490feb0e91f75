package main

import (
	"fmt"
	"strings"
	"time"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/slack/fakeslack"
)

// contact is who the usual topic names.
const contact = "cleo"

var somePerson = []parameter{{"person", "Somebody's name; without it, " + contact + "."}}

// people are the switches of what people do in Slack beside talking.
func people() []knob {
	return []knob{
		{Name: "contact-away", Group: "people", Label: "Send cleo away", Does: "Slack says that the main contact is away.", Parameters: somePerson, Do: presence(false)},
		{Name: "contact-back", Group: "people", Label: "Bring cleo back", Does: "Slack says that they are there.", Parameters: somePerson,
			Possible: func(sc *scene) bool { return sc.anybody(func(away, _ bool) bool { return away }) }, Do: presence(true)},
		{Name: "contact-quiet", Group: "people", Label: "Do not disturb", Does: "The main contact does not want to be disturbed, for eight hours.", Parameters: somePerson, Do: quiet(8 * time.Hour)},
		{Name: "contact-heard", Group: "people", Label: "Disturb again", Does: "They can be disturbed again.", Parameters: somePerson,
			Possible: func(sc *scene) bool { return sc.anybody(func(_, quiet bool) bool { return quiet }) }, Do: quiet(0)},
		{Name: "topic", Group: "people", Label: "Edit the topic", Does: "Somebody writes another main contact into the topic, as typing /topic does.", Parameters: []parameter{
			{"text", "The topic, with @names; without it, “Main contact: @ana”."}, {"as", "Who edits it; without it, bob."}}, Do: editTopic("Main contact: @ana")},
		{Name: "topic-usual", Group: "people", Label: "The usual topic", Does: "The topic is as it was in the beginning.",
			Possible: func(sc *scene) bool { return sc.Slack.Topic(sc.Room()) != sc.UsualTopic() }, Do: usualTopic},
		{Name: "hurry", Group: "people", Label: "Hurry", Does: "Whoever is paged has 15 s to answer. The bot starts again with that.",
			Possible: func(sc *scene) bool { return sc.runs() && sc.Answers() != hurried }, Do: answerWithin(hurried)},
		{Name: "unhurry", Group: "people", Label: "Take time", Does: "Whoever is paged has the usual time again.",
			Possible: func(sc *scene) bool { return sc.runs() && sc.Answers() == hurried }, Do: answerWithin(0)},
	}
}

// hurried is how long each who is paged has to answer when one does not want
// to wait for it.
const hurried = 15 * time.Second

func (sc *scene) anybody(is func(away, quiet bool) bool) bool {
	for _, p := range sc.People() {
		away, until := sc.Slack.Availability(p.ID)
		if is(away, !until.IsZero()) {
			return true
		}
	}
	return false
}

// named is the person whom a switch is about.
func (sc *scene) named(params map[string]string, key, otherwise string) (world.Person, error) {
	name := params[key]
	if name == "" {
		name = otherwise
	}
	for _, p := range sc.People() {
		if p.Name == name || p.ID == name {
			return p, nil
		}
	}
	return world.Person{}, refusal{400, fmt.Sprintf("There is nobody called %q.", name)}
}

func presence(there bool) act {
	return func(_ *sandbox, sc *scene, params map[string]string) (string, error) {
		p, err := sc.named(params, "person", contact)
		if err != nil {
			return "", err
		}
		sc.Slack.SetPresence(p.ID, there)
		if there {
			return p.Name + " is there.", nil
		}
		return p.Name + " is away.", nil
	}
}

func quiet(length time.Duration) act {
	return func(_ *sandbox, sc *scene, params map[string]string) (string, error) {
		p, err := sc.named(params, "person", contact)
		if err != nil {
			return "", err
		}
		if length == 0 {
			sc.Slack.ScheduleDND(p.ID, time.Time{}, time.Time{})
			return p.Name + " can be disturbed again.", nil
		}
		sc.Slack.SetDND(p.ID, time.Now().Add(length))
		return p.Name + " does not want to be disturbed.", nil
	}
}

func editTopic(otherwise string) act {
	return func(_ *sandbox, sc *scene, params map[string]string) (string, error) {
		p, err := sc.named(params, "as", "bob")
		if err != nil {
			return "", err
		}
		text := strings.TrimSpace(params["text"])
		if text == "" {
			text = otherwise
		}
		if _, err := sc.Slack.Say(p.ID, sc.Room(), "/topic "+text); err != nil {
			return "", refusal{409, "The topic cannot be set: " + err.Error() + "."}
		}
		return "The topic is “" + text + "” now.", nil
	}
}

func usualTopic(_ *sandbox, sc *scene, _ map[string]string) (string, error) {
	p, err := sc.named(nil, "", "bob")
	if err != nil {
		return "", err
	}
	return "The topic is as it was.", sc.Slack.SetTopic(p.ID, sc.Room(), sc.UsualTopic())
}

// answerWithin changes the bot's configuration, which it reads when it starts.
func answerWithin(length time.Duration) act {
	return func(s *sandbox, sc *scene, params map[string]string) (string, error) {
		if _, err := stop(s, sc, params); err != nil {
			return "", err
		}
		sc.AnswerWithin(length)
		if err := sc.configure(s.how.Times); err != nil {
			return "", err
		}
		if _, err := start(s, sc, params); err != nil {
			return "", err
		}
		return fmt.Sprintf("Whoever is paged has %s to answer.", sc.Answers()), nil
	}
}

// availability is what a person's state says of them, or "".
func availability(slack *fakeslack.Server, person string) string {
	away, until := slack.Availability(person)
	switch {
	case away && !until.IsZero():
		return "away, not to be disturbed"
	case away:
		return "away"
	case !until.IsZero():
		return "not to be disturbed"
	}
	return ""
}
