package slack

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"thbot/bot"
)

var _ bot.Chat = (*Client)(nil)

// metadataType marks the metadata of our messages.
const metadataType = "thbot"

var errNoID = errors.New("the answer has no message id")

// Post says card in channel, or in a thread there. Links in it are not unfurled.
func (c *Client) Post(ctx context.Context, channel, thread string, card bot.Card, key string) (string, error) {
	line, blocks := render(card)
	options := []slack.MsgOption{
		slack.MsgOptionText(line, false),
		slack.MsgOptionBlocks(blocks...),
		slack.MsgOptionMetadata(slack.SlackMetadata{EventType: metadataType, EventPayload: map[string]any{"key": key}}),
		slack.MsgOptionDisableLinkUnfurl(),
		slack.MsgOptionDisableMediaUnfurl(),
	}
	if thread != "" {
		options = append(options, slack.MsgOptionTS(thread))
	}
	channel, err := c.open(ctx, channel)
	if err != nil {
		return "", err
	}
	_, id, err := c.api.PostMessageContext(ctx, channel, options...)
	if err == nil && id == "" {
		err = errNoID
	}
	return id, c.failed("posting to "+channel, err)
}

// open is the channel that is meant: of a person's id, their direct messages
// with the app.
func (c *Client) open(ctx context.Context, channel string) (string, error) {
	if !isPerson(channel) {
		return channel, nil
	}
	if known, ok := c.directs.Load(channel); ok {
		return known.(string), nil
	}
	got, _, _, err := c.api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{channel}})
	if err == nil && (got == nil || got.ID == "") {
		err = errNoID
	}
	if err != nil {
		// Whatever this call did, nothing was said.
		return "", unsaid{c.failed("opening the direct messages with "+channel, err)}
	}
	c.directs.Store(channel, got.ID)
	return got.ID, nil
}

func isPerson(channel string) bool {
	return strings.HasPrefix(channel, "U") || strings.HasPrefix(channel, "W")
}

// unsaid is an error of a call before the one that says something.
type unsaid struct{ error }

func (u unsaid) Unwrap() error { return u.error }

// NotSent is true: the message was not begun to be sent.
func (unsaid) NotSent() bool { return true }

// Update replaces a message of our own. Its metadata, and so its key, stay.
func (c *Client) Update(ctx context.Context, channel, id string, card bot.Card) error {
	channel, err := c.open(ctx, channel)
	if err != nil {
		return err
	}
	line, blocks := render(card)
	_, got, _, err := c.api.UpdateMessageContext(ctx, channel, id,
		slack.MsgOptionText(line, false),
		slack.MsgOptionBlocks(blocks...))
	if err == nil && got == "" {
		err = errNoID
	}
	return c.failed("updating message "+id+" in "+channel, err)
}

// Whisper says card to one person in channel, who loses it when they reload
// Slack.
func (c *Client) Whisper(ctx context.Context, channel, user string, card bot.Card) error {
	line, blocks := render(card)
	_, err := c.api.PostEphemeralContext(ctx, channel, user,
		slack.MsgOptionText(line, false),
		slack.MsgOptionBlocks(blocks...))
	return c.failed("whispering to "+user+" in "+channel, err)
}

// skew is by how much our clock may be ahead of Slack's.
const skew = 5 * time.Minute

// Find reads the channel's history, or the thread's, or of a person that of
// their direct messages, back to since for our own
// message with that key.
func (c *Client) Find(ctx context.Context, channel, thread, key string, since time.Time) (string, error) {
	channel, err := c.open(ctx, channel)
	if err != nil {
		return "", err
	}
	activity := "looking in " + channel + " for a message"
	me, err := c.identify(ctx)
	if err != nil {
		return "", err
	}
	oldest := strconv.FormatInt(since.Add(-skew).Unix(), 10)
	const limit = 200
	cursor := ""
	for range maxPages {
		found, more, next, err := c.page(ctx, channel, thread, oldest, cursor, limit)
		if err != nil {
			return "", c.failed(activity, err)
		}
		for _, m := range found {
			ours := m.User == me.User || m.BotID != "" && m.BotID == me.Bot
			if ours && m.Metadata.EventType == metadataType && m.Metadata.EventPayload["key"] == key && m.Timestamp != "" {
				return m.Timestamp, nil
			}
		}
		if !more && next == "" {
			return "", nil
		}
		if next == "" {
			return "", c.failed(activity, errors.New("there is more, and the answer does not say where"))
		}
		cursor = next
	}
	return "", c.failed(activity, fmt.Errorf("more than %d messages since then", maxPages*limit))
}

// page reads one page of a channel's history, or of a thread, whose messages
// are not in the channel's.
func (c *Client) page(ctx context.Context, channel, thread, oldest, cursor string, limit int) (found []slack.Message, more bool, next string, err error) {
	if thread != "" {
		return c.api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: channel, Timestamp: thread, Oldest: oldest, Inclusive: true, Limit: limit, Cursor: cursor, IncludeAllMetadata: true})
	}
	page, err := c.api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
		ChannelID: channel, Oldest: oldest, Inclusive: true, Limit: limit, Cursor: cursor, IncludeAllMetadata: true})
	if err != nil {
		return nil, false, "", err
	}
	return page.Messages, page.HasMore, page.ResponseMetaData.NextCursor, nil
}

// Permalink is the address of a message; empty before [Client.Check].
func (c *Client) Permalink(channel, id string) string {
	me := c.me.Load()
	if me == nil || me.URL == "" || id == "" {
		return ""
	}
	return Permalink(me.URL, channel, id)
}

// AnyWorkspace is an address that leads people to a message in the workspace
// that they are signed in to.
const AnyWorkspace = "https://slack.com"

// Permalink is the address of a message in the workspace at that address.
func Permalink(workspace, channel, id string) string {
	return workspace + "/archives/" + channel + "/p" + strings.Replace(id, ".", "", 1)
}
