package handlers

import (
	"errors"
	"testing"
	"time"

	"thbot/bot"
)

// silence is a ledger with at most one operation in it, which mutes "slow".
type silence struct {
	bot.View
	now  time.Time
	op   *bot.Operation
	fail error
}

func (s silence) Now() time.Time { return s.now }

func (s silence) Holder(scope string) (string, error) {
	if scope != "mute/slow" || s.op == nil {
		return "", s.fail
	}
	return "1", s.fail
}

func (s silence) Operation(string) (bot.Operation, error) { return *s.op, nil }

// A mute that is over, or makes no sense, mutes nothing: an alarm too many is
// better than one too few. A ledger that does not answer is no answer.
func TestMutedBy(t *testing.T) {
	now := time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC)
	op := func(data string) *bot.Operation { return &bot.Operation{ID: "1", Kind: "mute", Data: []byte(data)} }
	away := errors.New("the ledger is away")
	for name, tt := range map[string]struct {
		v     silence
		alarm string
		want  bool
	}{
		"muted":      {silence{op: op(`{"Alarm":"slow","Until":"2000-01-01T12:00:01Z"}`)}, alarmSlow, true},
		"another":    {silence{op: op(`{"Alarm":"slow","Until":"2000-01-01T12:00:01Z"}`)}, alarmApp, false},
		"over":       {silence{op: op(`{"Alarm":"slow","Until":"2000-01-01T12:00:00Z"}`)}, alarmSlow, false},
		"unreadable": {silence{op: op(`["what"]`)}, alarmSlow, false},
		"none":       {silence{}, alarmSlow, false},
		"away":       {silence{fail: away}, alarmSlow, false},
	} {
		tt.v.now = now
		o, _, err := mutedBy(tt.v, tt.alarm)
		got := o != nil
		if got != tt.want || !errors.Is(err, tt.v.fail) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
