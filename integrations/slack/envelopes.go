package slack

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
	"go.uber.org/zap"

	"thbot/bot"
)

// Receiver is whoever deals with what people type and press. Slack may deliver
// the same thing twice; the key tells.
type Receiver interface {
	// Command is called for a slash command. The card it returns, which may be
	// nil, is shown at once to the person who typed it, and to nobody else.
	// Mentions in the text are like <@U012AB3CD>.
	Command(ctx context.Context, r bot.Request) *bot.Card
	// Press is called for a pressed button. Nil means that the press is stored:
	// only then Slack is told that it arrived. After an error Slack tells the
	// person that it did not.
	Press(ctx context.Context, p bot.Press) error
	// Submit is called for a form that was sent. Nil twice means that it is
	// stored: only then it closes. After an error Slack tells the person to try
	// again.
	Submit(ctx context.Context, s bot.Submission) (*bot.Objection, error)
}

const (
	// abreast bounds the envelopes that are dealt with at a time.
	abreast = 64
	// patience is how long an envelope waits for its turn when that many are
	// under way. The socket waits with it. An envelope whose turn does not
	// come is not acknowledged: Slack tells the person.
	patience = time.Second
	// answerWithin leaves of the three seconds that Slack waits for an
	// acknowledgement some for its way.
	answerWithin = 2800 * time.Millisecond
	// ackWithin bounds the wait for a place in slack-go's queue, which is full
	// only while there is no connection.
	ackWithin = time.Second
)

// desk takes envelopes from the sockets and answers them.
type desk struct {
	*Client
	ctx      context.Context
	receiver Receiver
	places   chan struct{}
}

// newDesk returns a desk that takes nothing any more once ctx has ended.
func newDesk(ctx context.Context, c *Client, r Receiver) *desk {
	return &desk{Client: c, ctx: ctx, receiver: r, places: make(chan struct{}, abreast)}
}

// close waits for what is under way, for as long as that may take.
func (d *desk) close() {
	limit := time.NewTimer(answerWithin + ackWithin)
	defer limit.Stop()
	taken := 0
	for ; taken < abreast; taken++ {
		select {
		case d.places <- struct{}{}:
		case <-limit.C:
			d.log.Error("commands or presses are still not answered", zap.Int("number", abreast-taken))
			return
		}
	}
	for range taken {
		<-d.places
	}
}

// take starts to answer e, if there is room for it soon.
func (d *desk) take(smc *socketmode.Client, e socketmode.Event) {
	if d.ctx.Err() != nil {
		return
	}
	select {
	case d.places <- struct{}{}:
	default:
		t := time.NewTimer(patience)
		defer t.Stop()
		select {
		case d.places <- struct{}{}:
		case <-d.ctx.Done():
			return
		case <-t.C:
			d.log.Error("too much at a time; left to Slack unacknowledged", zap.String("type", string(e.Type)), zap.Int("under way", abreast))
			return
		}
	}
	go func() {
		defer func() { <-d.places }()
		d.answer(smc, e)
	}()
}

// answer deals with one envelope and acknowledges it.
func (d *desk) answer(smc *socketmode.Client, e socketmode.Event) {
	// A shutdown does not interrupt what has begun.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.ctx), answerWithin)
	defer cancel()
	envelope := envelopeOf(e)
	defer func() {
		if p := recover(); p != nil {
			d.log.Error("an envelope's handler panicked", zap.Any("panic", p), zap.Stack("stack"),
				zap.String("envelope", envelope.EnvelopeID), zap.String("ref", reference()))
		}
	}()
	payload, ok := d.handle(ctx, e, envelope)
	if !ok || envelope.EnvelopeID == "" {
		return
	}
	ctx, cancel = context.WithTimeout(context.WithoutCancel(d.ctx), ackWithin)
	defer cancel()
	if err := smc.AckCtx(ctx, envelope.EnvelopeID, payload); err != nil {
		d.log.Warn("acknowledging an envelope", zap.String("envelope", envelope.EnvelopeID), zap.Error(err))
	}
}

// envelopeOf is what surrounds the payload, as far as it can be read.
func envelopeOf(e socketmode.Event) socketmode.Request {
	if e.Request != nil {
		return *e.Request
	}
	var r socketmode.Request
	if bad, ok := e.Data.(*socketmode.ErrorBadMessage); ok {
		_ = json.Unmarshal(bad.Message, &r) // a field of another type leaves the others
	}
	return r
}

// handle returns what to acknowledge with, and whether to.
func (d *desk) handle(ctx context.Context, e socketmode.Event, envelope socketmode.Request) (payload any, ok bool) {
	switch data := e.Data.(type) {
	case slack.SlashCommand:
		return d.command(ctx, data, envelope), true
	case slack.InteractionCallback:
		if data.Type == slack.InteractionTypeViewSubmission {
			return d.submission(ctx, data, envelope)
		}
		return nil, d.interaction(ctx, data, envelope)
	case *socketmode.ErrorBadMessage:
		ref := reference()
		d.log.Error("an envelope cannot be read", zap.String("envelope", envelope.EnvelopeID), zap.String("type", cut(envelope.Type, 40)),
			zap.String("cause", unread(data.Cause)), zap.String("ref", ref))
		if envelope.Type == socketmode.RequestTypeSlashCommands && envelope.AcceptsResponsePayload {
			return acknowledge(bot.Say("I cannot read what Slack sent for this command, so nothing was done. Ref ", bot.Fixed(ref), ".")), true
		}
		// A form that is acknowledged closes as if it had been taken.
		return nil, envelope.Type != socketmode.RequestTypeInteractive || !envelope.AcceptsResponsePayload
	}
	// Events, for which the manifest does not ask.
	d.log.Debug("an envelope of no use", zap.String("type", string(e.Type)))
	return nil, true
}

// unread says what is wrong with an envelope without repeating any of it.
func unread(err error) string {
	var field *json.UnmarshalTypeError
	if errors.As(err, &field) {
		return fmt.Sprintf("%s is a %s", field.Field, field.Value)
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return fmt.Sprintf("%T", err)
}

func (d *desk) command(ctx context.Context, cmd slack.SlashCommand, envelope socketmode.Request) any {
	if !strings.EqualFold(cmd.Command, d.o.Command) {
		d.log.Warn("a command that is not ours: the app's settings and the bot's differ", zap.String("command", cmd.Command))
		return acknowledge(bot.Say("I am set up to answer to ", bot.Fixed(d.o.Command), ", not ", bot.Fixed(cmd.Command), ", so nothing was done."))
	}
	card := d.receiver.Command(ctx, bot.Request{
		Key:     requestKey(cmd.TeamID, cmd.TriggerID, envelope),
		Person:  cmd.UserID,
		Channel: cmd.ChannelID,
		Text:    typed(cmd.Text),
		Trigger: cmd.TriggerID,
	})
	if card == nil {
		return nil
	}
	return acknowledge(*card)
}

// interaction returns whether to acknowledge it.
func (d *desk) interaction(ctx context.Context, in slack.InteractionCallback, envelope socketmode.Request) bool {
	action := ours(in)
	if action == nil {
		// A link was opened, or it is of a kind that we send nothing for.
		d.log.Debug("an interaction of no use", zap.String("type", string(in.Type)))
		return true
	}
	p := bot.Press{
		Key:     requestKey(in.Team.ID, in.TriggerID, envelope),
		Person:  in.User.ID,
		Channel: in.Container.ChannelID,
		Message: in.Container.MessageTs,
		Verb:    verb(action.ActionID),
		Value:   action.Value,
		Trigger: in.TriggerID,
	}
	if p.Channel == "" {
		p.Channel = in.Channel.ID
	}
	if in.Container.IsEphemeral {
		p.Message = "" // it can be found by nobody
	}
	if err := d.receiver.Press(ctx, p); err != nil {
		d.log.Error("a press was not stored; Slack tells the person", zap.String("key", p.Key), zap.String("person", p.Person),
			zap.String("verb", p.Verb), zap.Error(err), zap.String("ref", reference()))
		return false
	}
	return true
}

// ours is the first of our buttons in a payload, which may hold several
// actions, or nil.
func ours(in slack.InteractionCallback) *slack.BlockAction {
	if in.Type != slack.InteractionTypeBlockActions {
		return nil
	}
	for _, a := range in.ActionCallback.BlockActions {
		if strings.HasPrefix(a.BlockID, blockPrefix) && string(a.Type) == string(slack.METButton) && verb(a.ActionID) != linkAction {
			return a
		}
	}
	return nil
}

// requestKey is what Slack calls this very command or press. A trigger id is
// used once; the envelope's id stands in where a payload has none.
func requestKey(team, trigger string, envelope socketmode.Request) string {
	if trigger == "" {
		trigger = "envelope " + envelope.EnvelopeID
	}
	return team + ":" + trigger
}

// reference is a word that is in a log line and in what a person was told.
func reference() string { return strings.ToLower(rand.Text()[:6]) }

// reMarkup is something named in Slack's markup: <@U…|name>, <#C…|name>,
// <!here|here>, <url|label>.
var reMarkup = regexp.MustCompile(`<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>`)

var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// typed is what a person typed, of a command that Slack escaped
// (should_escape in the manifest). Only mentions stay markup, without a name.
func typed(text string) string {
	text = reMarkup.ReplaceAllStringFunc(text, func(s string) string {
		m := reMarkup.FindStringSubmatch(s)
		sigil, target, label := m[1], m[2], m[3]
		switch {
		case sigil == "@":
			return "<@" + target + ">"
		case sigil == "#" && label != "":
			return "#" + label // as of a pull request, where a channel has that name
		case sigil == "" && label != "":
			return label // Slack made a link of what looked like one
		case sigil == "":
			return target
		case sigil == "!" && !strings.HasPrefix(target, "subteam^"):
			return "@" + target
		}
		return "<" + sigil + target + ">"
	})
	return unescape.Replace(text)
}
