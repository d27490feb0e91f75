package app

import (
	"context"
	"time"

	"thbot/integrations/slack"
)

// switchboard is Slack in the words of the command that pages.
type switchboard struct{ *slack.Client }

func (s switchboard) Topic(ctx context.Context, channel string) (string, error) {
	t, err := s.Client.Topic(ctx, channel)
	return t.Text, err
}

func (switchboard) PostedAt(message string) (time.Time, bool) { return slack.PostedAt(message) }
