package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/slack/fakeslack"
)

// refusal is an answer that says why something was not done.
type refusal struct {
	status int
	text   string // a sentence or two
}

func (r refusal) Error() string { return r.text }

func refuse(w http.ResponseWriter, err error) {
	r := refusal{500, sentence(err)}
	errors.As(err, &r)
	reply(w, r.status, map[string]string{"error": r.text})
}

// sentence writes an error of a fake as one.
func sentence(err error) string {
	text := err.Error()
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:] + "."
}

func reply(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // unreachable: all of it is ours, and raw messages came from JSON
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}

// routes is the interface that the page and scripts use, and the page.
func (s *sandbox) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/say", post(s.say))
	mux.HandleFunc("/api/press", post(s.press))
	mux.HandleFunc("/api/choose", post(s.choose))
	mux.HandleFunc("/api/submit", post(s.submit))
	mux.HandleFunc("/api/close", post(s.closeView))
	mux.HandleFunc("/api/open-home", post(s.openHome))
	mux.HandleFunc("/api/messages", get(s.messages))
	mux.HandleFunc("/api/places", get(s.places))
	mux.HandleFunc("/api/modal", get(s.modal))
	mux.HandleFunc("/api/home", get(s.home))
	mux.HandleFunc("/api/log", get(s.wholeLog))
	mux.HandleFunc("/api/world", get(s.world))
	mux.HandleFunc("/api/world/{switch}", post(s.change))
	mux.HandleFunc("/api/events", s.events)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, refusal{404, "There is no " + r.URL.Path + " here."})
	})
	mux.HandleFunc("/", page)
	return guard(mux)
}

// get answers GET with what f returns.
func get(f func(*http.Request) (any, error)) http.HandlerFunc {
	return only(http.MethodGet, func(w http.ResponseWriter, r *http.Request) {
		if v, err := f(r); err != nil {
			refuse(w, err)
		} else {
			reply(w, http.StatusOK, v)
		}
	})
}

// most is the longest body of a request.
const most = 64 << 10

// post answers POST with what f returns for the body, an object as JSON. No
// body at all is an empty object.
func post[B any](f func(*http.Request, B) (any, error)) http.HandlerFunc {
	return only(http.MethodPost, func(w http.ResponseWriter, r *http.Request) {
		// A form of another site can send any body, but not with this type.
		if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
			refuse(w, refusal{415, "The body must be JSON: Content-Type: application/json."})
			return
		}
		var body B
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, most))
		d.DisallowUnknownFields()
		err := d.Decode(&body)
		if err == nil {
			_, err = d.Token() // what follows must be nothing
		}
		if !errors.Is(err, io.EOF) {
			refuse(w, refusal{400, fmt.Sprintf("The body is not the JSON object it should be: %v.", why(err))})
			return
		}
		if v, err := f(r, body); err != nil {
			refuse(w, err)
		} else {
			reply(w, http.StatusOK, v)
		}
	})
}

func why(err error) error {
	if err == nil {
		return errors.New("more follows after it")
	}
	return err
}

func only(method string, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method {
			w.Header().Set("Allow", method)
			refuse(w, refusal{405, r.URL.Path + " takes " + method + " alone."})
			return
		}
		h(w, r)
	}
}

// who finds a person by name or id.
func (s *sandbox) who(name string) (world.Person, error) {
	var names []string
	for _, p := range s.now().People() {
		if p.ID == name || strings.EqualFold(p.Name, strings.TrimPrefix(name, "@")) {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return world.Person{}, refusal{400, fmt.Sprintf("%q is nobody here; one can be %s (as).", name, strings.Join(names, ", "))}
}

// direct is how a person's direct messages with the bot are named.
const direct = "dm"

// where finds the id of a channel by name or id, as that person can name it.
func (s *sandbox) where(person world.Person, name string) (string, error) {
	var names []string
	for _, c := range s.now().PlacesOf(person.ID) {
		if c.ID == name || strings.EqualFold(c.Name, strings.TrimPrefix(name, "#")) {
			return c.ID, nil
		}
		names = append(names, c.Name)
	}
	if id := s.now().Slack.DirectChannel(person.ID); id != "" && (name == direct || name == id) {
		return id, nil
	}
	return "", refusal{400, fmt.Sprintf("%q is no channel here; there are %s, and %s for direct messages with the bot (channel).", name, strings.Join(names, ", "), direct)}
}

func (s *sandbox) whoAndWhere(as, channel string) (person world.Person, id string, err error) {
	if person, err = s.who(as); err == nil {
		id, err = s.where(person, channel)
	}
	return person, id, err
}

// delivered is what became of something that a person did.
type delivered struct {
	Acked bool   `json:"acked"`          // the bot took it, or it was for nobody but the channel
	Told  string `json:"told,omitempty"` // what Slack told the person, if not
}

// deliver waits until the bot has taken d, or Slack gives up, after 3 s.
func deliver(r *http.Request, d *fakeslack.Delivery) (any, error) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	err := d.Wait(ctx)
	var not *fakeslack.NotAcked
	if errors.As(err, &not) {
		return delivered{Told: not.Text}, nil
	}
	return delivered{Acked: true}, err
}

type saying struct {
	As      string `json:"as"`
	Channel string `json:"channel"`
	Text    string `json:"text"`
	Thread  string `json:"thread"` // the ts of the message that is replied to; empty: none
}

func (s *sandbox) say(r *http.Request, b saying) (any, error) {
	person, channel, err := s.whoAndWhere(b.As, b.Channel)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(b.Text) == "" {
		return nil, refusal{400, "There is nothing to say (text)."}
	}
	slack := s.now().Slack
	say := func() (*fakeslack.Delivery, error) { return slack.Say(person.ID, channel, b.Text) }
	if b.Thread != "" {
		say = func() (*fakeslack.Delivery, error) { return slack.Reply(person.ID, channel, b.Thread, b.Text) }
	}
	d, err := say()
	if err != nil {
		return nil, refusal{400, sentence(err)}
	}
	return deliver(r, d)
}

type pressing struct {
	As      string `json:"as"`
	Channel string `json:"channel"`
	TS      string `json:"ts"`
	View    string `json:"view"` // of a modal or of Home, instead of channel and ts
	Action  string `json:"action"`
	Value   string `json:"value"`
}

func (s *sandbox) press(r *http.Request, b pressing) (any, error) {
	if b.View != "" {
		return s.inView(r, b.As, func(person string) (*fakeslack.Delivery, error) {
			return s.now().Slack.PressIn(person, b.View, b.Action, b.Value)
		})
	}
	person, channel, err := s.whoAndWhere(b.As, b.Channel)
	if err != nil {
		return nil, err
	}
	slack := s.now().Slack
	seen := slack.Messages(person.ID, channel)
	i := slices.IndexFunc(seen, func(m fakeslack.Message) bool { return m.TS == b.TS && !m.Deleted })
	if i < 0 {
		return nil, refusal{404, fmt.Sprintf("%s sees no message %s there (ts).", person.Name, b.TS)}
	}
	d, err := slack.Press(person.ID, channel, b.TS, b.Action, b.Value)
	if err != nil {
		var there []string
		for _, have := range seen[i].Buttons() {
			there = append(there, fmt.Sprintf("%s %q", have.ActionID, have.Value))
		}
		return nil, refusal{404, fmt.Sprintf("That message has no button %s %q (action, value); it has %s.",
			b.Action, b.Value, cmp.Or(strings.Join(there, ", "), "none"))}
	}
	return deliver(r, d)
}

// message is a message as one person sees it.
type message struct {
	TS        string          `json:"ts"`
	User      string          `json:"user"`
	Name      string          `json:"name"`
	Bot       bool            `json:"bot"` // posted by an app or by Slack itself
	Text      string          `json:"text"`
	Blocks    json.RawMessage `json:"blocks,omitempty"`
	Thread    string          `json:"thread_ts,omitempty"`
	Ephemeral bool            `json:"ephemeral"` // nobody else sees it
	Edited    int             `json:"edited"`    // how often
	Deleted   bool            `json:"deleted"`   // it is gone; clients show nothing
	Warning   string          `json:"warning,omitempty"`
	Subtype   string          `json:"subtype,omitempty"`
	Reactions []string        `json:"reactions,omitempty"`
	Pinned    bool            `json:"pinned"`
	Replies   int             `json:"replies"`   // in the thread that begins with it
	Broadcast bool            `json:"broadcast"` // a reply that the channel sees too
}

func (s *sandbox) messages(r *http.Request) (any, error) {
	person, channel, err := s.whoAndWhere(r.URL.Query().Get("as"), r.URL.Query().Get("channel"))
	if err != nil {
		return nil, err
	}
	list := []message{}
	for _, m := range s.now().Slack.Messages(person.ID, channel) {
		app := m.User == fakeslack.BotUser || m.User == fakeslack.Slackbot
		list = append(list, message{m.TS, m.User, m.Name, app, m.Text, m.Blocks, m.ThreadTS, m.Ephemeral, m.Edited, m.Deleted, m.Warning,
			m.Subtype, m.Reactions, m.Pinned, m.Replies, m.Broadcast})
	}
	return list, nil
}

// between is the least time between two events of a stream.
const between = 100 * time.Millisecond

// events is a stream of server-sent events: "change" once at the beginning, so
// that nothing is missed between looking and listening, and whenever something
// has changed. What has, one asks for.
func (s *sandbox) events(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		only(http.MethodGet, nil)(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	for n := 1; ; n++ {
		changed := s.Changed()
		if _, err := fmt.Fprintf(w, "event: change\ndata: %d\n\n", n); err != nil || out.Flush() != nil {
			return
		}
		for _, wait := range []<-chan struct{}{after(between), changed} {
			select {
			case <-wait:
			case <-r.Context().Done():
				return
			}
		}
	}
}

func after(d time.Duration) <-chan struct{} {
	c := make(chan struct{})
	time.AfterFunc(d, func() { close(c) })
	return c
}
