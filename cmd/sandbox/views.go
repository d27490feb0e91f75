package main

import (
	"encoding/json"
	"net/http"

	"thbot/integrations/slack/fakeslack"
)

// view is a modal, or somebody's Home, as its person sees it.
type view struct {
	ID      string              `json:"id"`
	Title   string              `json:"title"`
	Submit  string              `json:"submit,omitempty"` // labels
	Close   string              `json:"close,omitempty"`
	Hash    string              `json:"hash"` // another one where it was changed
	Blocks  json.RawMessage     `json:"blocks"`
	Values  map[string][]string `json:"values"`           // what is chosen, as it reads, by block_id/action_id
	Errors  map[string]string   `json:"errors,omitempty"` // by block_id
	Warning string              `json:"warning,omitempty"`
}

func seen(v fakeslack.View) view {
	return view{v.ID, v.Title, v.Submit, v.Close, v.Hash, v.Blocks, v.Values, v.Errors, v.Warning}
}

// modal answers with the modals that somebody has open, the one on top last.
func (s *sandbox) modal(r *http.Request) (any, error) {
	person, err := s.who(r.URL.Query().Get("as"))
	if err != nil {
		return nil, err
	}
	stack := []view{}
	for _, v := range s.now().Slack.View(person.ID) {
		stack = append(stack, seen(v))
	}
	return stack, nil
}

// home answers with what the bot published to somebody's Home, or null.
func (s *sandbox) home(r *http.Request) (any, error) {
	person, err := s.who(r.URL.Query().Get("as"))
	if err != nil {
		return nil, err
	}
	if v, ok := s.now().Slack.Home(person.ID); ok {
		return seen(v), nil
	}
	return nil, nil
}

// inView does something in a view, as somebody.
func (s *sandbox) inView(r *http.Request, as string, f func(person string) (*fakeslack.Delivery, error)) (any, error) {
	person, err := s.who(as)
	if err != nil {
		return nil, err
	}
	d, err := f(person.ID)
	if err != nil {
		return nil, refusal{409, sentence(err)}
	}
	return deliver(r, d)
}

type choosing struct {
	As      string   `json:"as"`
	Channel string   `json:"channel"`
	TS      string   `json:"ts"`
	View    string   `json:"view"` // instead of channel and ts
	Action  string   `json:"action"`
	Choices []string `json:"choices"` // values, ids, dates, times; none deselects
}

func (s *sandbox) choose(r *http.Request, b choosing) (any, error) {
	channel := ""
	if b.View == "" {
		var err error
		if _, channel, err = s.whoAndWhere(b.As, b.Channel); err != nil {
			return nil, err
		}
	}
	return s.inView(r, b.As, func(person string) (*fakeslack.Delivery, error) {
		if b.View != "" {
			return s.now().Slack.ChooseIn(person, b.View, b.Action, b.Choices...)
		}
		return s.now().Slack.Choose(person, channel, b.TS, b.Action, b.Choices...)
	})
}

type submitting struct {
	As     string              `json:"as"`
	View   string              `json:"view"`
	Inputs map[string][]string `json:"inputs"` // by block_id; the others stay as they are
}

func (s *sandbox) submit(r *http.Request, b submitting) (any, error) {
	return s.inView(r, b.As, func(person string) (*fakeslack.Delivery, error) {
		return s.now().Slack.Submit(person, b.View, b.Inputs)
	})
}

type closing struct {
	As   string `json:"as"`
	View string `json:"view"`
	All  bool   `json:"all"` // those below it, too
}

func (s *sandbox) closeView(r *http.Request, b closing) (any, error) {
	return s.inView(r, b.As, func(person string) (*fakeslack.Delivery, error) {
		return s.now().Slack.CloseView(person, b.View, b.All)
	})
}

type opening struct {
	As  string `json:"as"`
	Tab string `json:"tab"` // home or messages; empty: home
}

// openHome tells the bot that somebody looks at its Home.
func (s *sandbox) openHome(r *http.Request, b opening) (any, error) {
	if b.Tab == "" {
		b.Tab = "home"
	}
	return s.inView(r, b.As, func(person string) (*fakeslack.Delivery, error) {
		return s.now().Slack.OpenHome(person, b.Tab)
	})
}

// place is where somebody can be, and what there is to read.
type place struct {
	ID   string   `json:"id"`
	Name string   `json:"name"`
	Kind string   `json:"kind"` // channel, dm or home
	Said []string `json:"said"` // the ts of what others said, to tell what is unread
}

// places are where somebody can be. Slack's unread marks are kept by those who
// look, so there are none here.
func (s *sandbox) places(r *http.Request) (any, error) {
	person, err := s.who(r.URL.Query().Get("as"))
	if err != nil {
		return nil, err
	}
	slack := s.now().Slack
	all := []place{}
	for _, c := range s.now().PlacesOf(person.ID) {
		all = append(all, place{c.ID, c.Name, "channel", said(slack, person.ID, c.ID)})
	}
	if id := slack.DirectChannel(person.ID); id != "" {
		all = append(all, place{id, direct, "dm", said(slack, person.ID, id)}, place{"home", "home", "home", []string{}})
	}
	return all, nil
}

func said(slack *fakeslack.Server, person, channel string) []string {
	times := []string{}
	for _, m := range slack.Messages(person, channel) {
		if m.User != person && !m.Deleted {
			times = append(times, m.TS)
		}
	}
	return times
}
