package bot_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"thbot/bot"
)

// chat is a chat product in memory: it keeps what was posted, knows it again by
// key, and can be told to misbehave.
type chat struct {
	mu       sync.Mutex
	messages []*message
	whispers []whisper
	calls    []string // "post 1 key", "edit 1", "whisper U0ANA", "find key": every one, in order
	times    []time.Time
	windows  []*window
	faults   map[string][]fault        // by method, for its next calls
	chance   func(method string) fault // what becomes of the others
}

type message struct {
	id, channel, key string
	card             bot.Card
	at               time.Time
	edits            int
}

// window is a modal that was opened; everything it has said is kept.
type window struct {
	id, trigger string
	said        []bot.Modal
	closed      bool
}

type whisper struct {
	channel, user string
	card          bot.Card
}

// fault is what becomes of one call.
type fault struct {
	err    error
	lost   bool            // it has its effect, whatever the error says
	until  <-chan struct{} // it takes so long, whatever its context says
	broken bool            // it panics
}

// trouble is an error of the far side, as integrations make them.
type trouble struct {
	wait    time.Duration
	notSent bool
	final   bool
	service string
}

func (e *trouble) Error() string {
	return fmt.Sprintf("%s: trouble (not sent: %v, final: %v)", e.service, e.notSent, e.final)
}
func (e *trouble) NotSent() bool                    { return e.notSent }
func (e *trouble) Retryable() (time.Duration, bool) { return e.wait, !e.final }
func (e *trouble) Service() string                  { return e.service }

// What the chat answers when it misbehaves.
var (
	noAnswer  = fault{err: &trouble{service: "Chat"}}                                           // the request was lost
	lostReply = fault{err: &trouble{service: "Chat"}, lost: true}                               // only the answer was
	refused   = fault{err: &trouble{service: "Chat", notSent: true, final: true}}               // for good
	slower    = fault{err: &trouble{service: "Chat", notSent: true, wait: 30 * time.Second}}    // 429
	unreached = fault{err: fmt.Errorf("dialing: %w", &trouble{service: "Chat", notSent: true})} // no connection
	notForUs  = fault{err: &trouble{service: "Chat", notSent: true, final: true}}               // of Find: a scope is missing
	notYet    = fault{err: &trouble{service: "Chat", notSent: true, wait: 7 * time.Second}}     // of Find: 429
)

// fails makes the next calls of a method go wrong: "post", "edit", "find",
// "whisper", "whisper U0ANA".
func (c *chat) fails(method string, faults ...fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.faults == nil {
		c.faults = map[string][]fault{}
	}
	c.faults[method] = append(c.faults[method], faults...)
}

// begin notes a call and says what becomes of it. It returns with c locked.
func (c *chat) begin(method, about string) (f fault) {
	c.mu.Lock()
	c.calls, c.times = append(c.calls, method+" "+about), append(c.times, time.Now())
	which := method
	if len(c.faults[method+" "+about]) > 0 {
		which += " " + about
	}
	if next := c.faults[which]; len(next) > 0 {
		f, c.faults[which] = next[0], next[1:]
	} else if c.chance != nil {
		f = c.chance(method)
	}
	if f.until != nil {
		c.mu.Unlock()
		<-f.until
		c.mu.Lock()
	}
	if f.broken {
		c.mu.Unlock()
		panic("the chat's client is broken")
	}
	return f
}

func (c *chat) Post(_ context.Context, channel, _ string, card bot.Card, key string) (string, error) {
	f := c.begin("post", key)
	defer c.mu.Unlock()
	id := fmt.Sprintf("%d.%s", len(c.messages)+1, channel)
	if f.err == nil || f.lost {
		c.messages = append(c.messages, &message{id: id, channel: channel, key: key, card: card, at: time.Now()})
	}
	if f.err != nil {
		return "", f.err
	}
	return id, nil
}

func (c *chat) Update(_ context.Context, channel, id string, card bot.Card) error {
	f := c.begin("edit", id)
	defer c.mu.Unlock()
	if f.err == nil || f.lost {
		m := c.message(channel, id)
		if m == nil {
			return &trouble{service: "Chat", notSent: true, final: true}
		}
		m.card = card
		m.edits++
	}
	return f.err
}

func (c *chat) message(channel, id string) *message {
	for _, m := range c.messages {
		if m.channel == channel && m.id == id {
			return m
		}
	}
	return nil
}

func (c *chat) Whisper(_ context.Context, channel, user string, card bot.Card) error {
	f := c.begin("whisper", user)
	defer c.mu.Unlock()
	if f.err == nil || f.lost {
		c.whispers = append(c.whispers, whisper{channel, user, card})
	}
	return f.err
}

func (c *chat) Find(_ context.Context, channel, _, key string, since time.Time) (string, error) {
	f := c.begin("find", key)
	defer c.mu.Unlock()
	if f.err != nil {
		return "", f.err
	}
	for _, m := range c.messages {
		if m.channel == channel && m.key == key && !m.at.Before(since) {
			return m.id, nil
		}
	}
	return "", nil
}

func (c *chat) OpenModal(_ context.Context, trigger string, m bot.Modal) (string, error) {
	f := c.begin("open", trigger)
	defer c.mu.Unlock()
	used := slices.ContainsFunc(c.windows, func(w *window) bool { return w.trigger == trigger })
	switch {
	case trigger == "":
		return "", &trouble{service: "Chat", notSent: true, final: true}
	case used:
		return "", fmt.Errorf("opening: %w", bot.ErrTaken)
	}
	id := fmt.Sprintf("V%d", len(c.windows)+1)
	if f.err == nil || f.lost {
		c.windows = append(c.windows, &window{id: id, trigger: trigger, said: []bot.Modal{m}})
	}
	return id, f.err
}

func (c *chat) UpdateModal(_ context.Context, view string, m bot.Modal) error {
	f := c.begin("update", view)
	defer c.mu.Unlock()
	for _, w := range c.windows {
		if w.id == view && w.closed {
			return fmt.Errorf("updating: %w", bot.ErrNotFound)
		}
		if w.id == view && (f.err == nil || f.lost) {
			w.said = append(w.said, m)
		}
	}
	return f.err
}

func (c *chat) Permalink(channel, id string) string { return "https://chat.test/" + channel + "/" + id }

// said is what stands in a channel.
func (c *chat) said(channel string) (texts []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.messages {
		if m.channel == channel {
			texts = append(texts, plain(m.card))
		}
	}
	return texts
}

// shows is what one message in the room says.
func (c *chat) shows(id string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return plain(c.message(room, id).card)
}

// heard is what one person was whispered.
func (c *chat) heard(user string) (texts []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.whispers {
		if w.user == user {
			texts = append(texts, plain(w.card))
		}
	}
	return texts
}

// count is how many calls began so.
func (c *chat) count(prefix string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, call := range c.calls {
		if strings.HasPrefix(call, prefix) {
			n++
		}
	}
	return n
}

// when are the times of the calls that began so.
func (c *chat) when(prefix string) (times []time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, call := range c.calls {
		if strings.HasPrefix(call, prefix) {
			times = append(times, c.times[i])
		}
	}
	return times
}

// button is the newest one with that label, and the message that carries it.
func (c *chat) button(label string) (id string, b bot.CardButton, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range slices.Backward(c.messages) {
		for _, p := range m.card.Parts {
			for _, b := range p.Buttons {
				if b.Label == label {
					return m.id, b, true
				}
			}
		}
	}
	return "", b, false
}

// plain is a card as a transcript shows it.
func plain(c bot.Card) string {
	var lines []string
	for _, p := range c.Parts {
		switch p.Kind {
		case bot.List:
			for _, item := range p.Items {
				lines = append(lines, "• "+item.String())
			}
		case bot.Actions:
			var labels []string
			for _, b := range p.Buttons {
				labels = append(labels, "["+b.Label+"]")
			}
			lines = append(lines, strings.Join(labels, " "))
		default:
			lines = append(lines, p.Text.String())
		}
	}
	return strings.Join(lines, "\n")
}

// people is a directory in memory.
type people struct {
	mu      sync.Mutex
	members map[string]bot.Member
	groups  map[string][]string
	down    map[string]bool          // "members", "groups"
	until   <-chan struct{}          // its answers take so long
	fresh   map[string]time.Duration // by id: how old an answer was good enough, the strictest time
	calls   int
}

func (p *people) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

func (p *people) begin(what, id string, fresh time.Duration) error {
	p.mu.Lock()
	p.calls++
	if before, known := p.fresh[id]; !known || fresh < before {
		p.fresh[id] = fresh
	}
	down, until := p.down[what], p.until
	p.mu.Unlock()
	if until != nil {
		<-until
	}
	if down {
		return &trouble{service: "Chat"}
	}
	return nil
}

func (p *people) Member(_ context.Context, id string, fresh time.Duration) (bot.Member, error) {
	if err := p.begin("members", id, fresh); err != nil {
		return bot.Member{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	m, ok := p.members[id]
	if !ok {
		return m, fmt.Errorf("user %s: %w", id, bot.ErrNotFound)
	}
	return m, nil
}

func (p *people) Group(_ context.Context, id string, fresh time.Duration) ([]string, error) {
	if err := p.begin("groups", id, fresh); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	g, ok := p.groups[id]
	if !ok {
		return nil, fmt.Errorf("group %s: %w", id, bot.ErrNotFound)
	}
	return slices.Clone(g), nil
}
