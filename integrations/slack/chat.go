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

// Post says card in channel. Links in it are not unfurled.
func (c *Client) Post(ctx context.Context, channel string, card bot.Card, key string) (string, error) {
	line, blocks := render(card)
	_, id, err := c.api.PostMessageContext(ctx, channel,
		slack.MsgOptionText(line, false),
		slack.MsgOptionBlocks(blocks...),
		slack.MsgOptionMetadata(slack.SlackMetadata{EventType: metadataType, EventPayload: map[string]any{"key": key}}),
		slack.MsgOptionDisableLinkUnfurl(),
		slack.MsgOptionDisableMediaUnfurl())
	if err == nil && id == "" {
		err = errNoID
	}
	return id, c.failed("posting to "+channel, err)
}

// Update replaces a message of our own. Its metadata, and so its key, stay.
func (c *Client) Update(ctx context.Context, channel, id string, card bot.Card) error {
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

// Find reads the channel's history back to since for our own message with
// that key.
func (c *Client) Find(ctx context.Context, channel, key string, since time.Time) (string, error) {
	activity := "looking in " + channel + " for a message"
	me, err := c.identify(ctx)
	if err != nil {
		return "", err
	}
	p := &slack.GetConversationHistoryParameters{
		ChannelID:          channel,
		Oldest:             strconv.FormatInt(since.Add(-skew).Unix(), 10),
		Inclusive:          true,
		Limit:              200,
		IncludeAllMetadata: true,
	}
	for range maxPages {
		page, err := c.api.GetConversationHistoryContext(ctx, p)
		if err != nil {
			return "", c.failed(activity, err)
		}
		for _, m := range page.Messages {
			ours := m.User == me.User || m.BotID != "" && m.BotID == me.Bot
			if ours && m.Metadata.EventType == metadataType && m.Metadata.EventPayload["key"] == key && m.Timestamp != "" {
				return m.Timestamp, nil
			}
		}
		next := page.ResponseMetaData.NextCursor
		if !page.HasMore && next == "" {
			return "", nil
		}
		if next == "" {
			return "", c.failed(activity, errors.New("there is more, and the answer does not say where"))
		}
		p.Cursor = next
	}
	return "", c.failed(activity, fmt.Errorf("more than %d messages since then", maxPages*p.Limit))
}

// Permalink is the address of a message; empty before [Client.Check].
func (c *Client) Permalink(channel, id string) string {
	me := c.me.Load()
	if me == nil || me.URL == "" || id == "" {
		return ""
	}
	return me.URL + "/archives/" + channel + "/p" + strings.Replace(id, ".", "", 1)
}
