package handlers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"thbot/bot"
	"thbot/handlers"
	"thbot/handlers/deploys"
)

// moment is a ledger at one moment, with one operation that holds all scopes.
type moment struct {
	now    time.Time
	has    bot.Operation
	absent error
}

func (m moment) View(_ context.Context, f func(bot.View) error) error { return f(seen{m: m}) }

// seen is what a moment shows.
type seen struct {
	bot.View // nothing else is asked for
	m        moment
}

func (s seen) Now() time.Time                          { return s.m.now }
func (s seen) Holder(string) (string, error)           { return s.m.has.ID, nil }
func (s seen) Operation(string) (bot.Operation, error) { return s.m.has, s.m.absent }

// A lock is one until the moment of its end, whether or not somebody has looked
// at it since; one that cannot be understood is no open door.
func TestLockEnds(t *testing.T) {
	end := time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC)
	until := func(t time.Time) string {
		raw, err := json.Marshal(map[string]any{"Environment": "production", "Reason": "because", "Until": t})
		if err != nil {
			panic(err) // unreachable: plain data
		}
		return string(raw)
	}
	const free, locked, unreadable = "Production is not locked", "", "that I cannot read, so nothing was done"
	gone := fmt.Errorf("reading operation 01A: %w", bot.ErrNotFound)
	for _, test := range []struct {
		name   string
		now    time.Time
		has    bot.Operation
		absent error
		want   string // the refusal to unlock
	}{
		{"nobody holds it", end, bot.Operation{}, nil, free},
		{"without an end", end, bot.Operation{ID: "01A", Kind: "lock", Data: []byte(until(time.Time{}))}, nil, locked},
		{"a microsecond before its end", end.Add(-time.Microsecond), bot.Operation{ID: "01A", Kind: "lock", Data: []byte(until(end))}, nil, locked},
		{"its end", end, bot.Operation{ID: "01A", Kind: "lock", Data: []byte(until(end))}, nil, free},
		{"its end, typed in another zone", end, bot.Operation{ID: "01A", Kind: "lock", Data: []byte(until(end.In(time.FixedZone("", 7200))))}, nil, free},
		{"after its end", end.Add(time.Hour), bot.Operation{ID: "01A", Kind: "lock", Data: []byte(until(end))}, nil, free},
		{"no JSON", end, bot.Operation{ID: "01A", Kind: "lock", Data: []byte(`{`)}, nil, unreadable},
		{"other JSON", end, bot.Operation{ID: "01A", Kind: "lock", Data: []byte(`[]`)}, nil, unreadable},
		{"an end that is none", end, bot.Operation{ID: "01A", Kind: "lock", Data: []byte(`{"Until":"soon"}`)}, nil, unreadable},
		{"of another kind", end, bot.Operation{ID: "01A", Kind: "deploy", Data: []byte(until(end))}, nil, unreadable},
		{"over, but not released", end, bot.Operation{ID: "01A", Kind: "lock", End: bot.Done, Data: []byte(until(time.Time{}))}, nil, unreadable},
		{"of an operation that is not there", end, bot.Operation{ID: "01A"}, gone, unreadable},
	} {
		t.Run(test.name, func(t *testing.T) {
			u := handlers.Unlock{
				Environments: deploys.Environments{{Name: "production", Pipeline: &deploys.Pipeline{}}},
				Ledger:       moment{now: test.now, has: test.has, absent: test.absent},
			}
			f, err := u.Press(t.Context(), bot.Request{Args: map[string]string{"environment": "production"}})
			var refusal *bot.Refusal
			switch {
			case test.want == locked:
				if err != nil || f.Operation != "01A" {
					t.Errorf("it is not locked: %+v %v", f, err)
				}
			case !errors.As(err, &refusal) || !strings.Contains(refusal.Text.String(), test.want):
				t.Errorf("%+v %v, want a refusal: %s", f, err, test.want)
			}
		})
	}
	// A ledger that does not answer says neither yes nor no.
	u := handlers.Unlock{Ledger: moment{has: bot.Operation{ID: "01A"}, absent: context.DeadlineExceeded}}
	if _, err := u.Press(t.Context(), bot.Request{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a ledger that does not answer: %v", err)
	}
}
