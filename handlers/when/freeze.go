package when

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Freeze is a time in which nothing is promoted, as the configuration has it:
// once, from "2026-12-23 18:00" to "2027-01-02 09:00", or every week, from
// "fri 16:00" to "mon 08:00".
type Freeze struct {
	From, To string // as clocks in Zone show it; To itself is free again
	Zone     string // IANA name
	Reason   string
}

// Window is a Freeze that has been understood.
type Window struct {
	Freeze
	zone     *time.Location
	weekly   bool
	from, to edge
}

// edge is where a window begins or ends.
type edge struct {
	shown   time.Time     // as a clock shows it; of a weekly one
	weekday time.Weekday  // the day
	clock   time.Duration // and the time of day
}

// Compile checks a freeze. Its error names all that is wrong with it.
//
// What a clock never shows, when it is put forward, is the moment at which it
// is; of what it shows twice, when it is put back, a window begins at the
// first and ends at the second. So a window is never shorter than written.
func Compile(f Freeze) (Window, error) {
	w := Window{Freeze: f}
	var errs []error
	var fromWeekly, toWeekly bool
	var fromErr, toErr, zoneErr error
	if w.from, fromWeekly, fromErr = readEdge(f.From); fromErr != nil {
		errs = append(errs, fmt.Errorf("from: %w", fromErr))
	}
	if w.to, toWeekly, toErr = readEdge(f.To); toErr != nil {
		errs = append(errs, fmt.Errorf("to: %w", toErr))
	}
	if w.zone, zoneErr = Zone(f.Zone); zoneErr != nil {
		errs = append(errs, fmt.Errorf("zone: %w", zoneErr))
	}
	if strings.TrimSpace(f.Reason) == "" {
		errs = append(errs, errors.New("reason: it is missing; people are told it"))
	}
	w.weekly = fromWeekly
	switch {
	case fromErr != nil || toErr != nil:
	case fromWeekly != toWeekly:
		errs = append(errs, fmt.Errorf("from %q and to %q: one is a date and one a day of the week", f.From, f.To))
	case w.weekly && w.from == w.to:
		errs = append(errs, fmt.Errorf("from %q and to %q: they are the same", f.From, f.To))
	case !w.weekly && !w.from.shown.Before(w.to.shown):
		errs = append(errs, fmt.Errorf("to: %q is not after from, %q", f.To, f.From))
	case !w.weekly && zoneErr == nil:
		if s := w.once(); !s.from.Before(s.to) {
			errs = append(errs, fmt.Errorf("from %q and to %q: neither exists: %s", f.From, f.To, jump(s.from)))
		}
	}
	if len(errs) > 0 {
		return Window{}, errors.Join(errs...)
	}
	return w, nil
}

func readEdge(text string) (e edge, weekly bool, err error) {
	if e.shown, err = time.Parse("2006-01-02 15:04", text); err == nil {
		return e, false, nil
	}
	words := strings.Fields(strings.ToLower(text))
	var m moment
	if len(words) == 2 && m.day(words[0]) && m.kind == someWeekday && m.clock(words[1]) {
		return edge{weekday: m.weekday, clock: m.timeOfDay()}, true, nil
	}
	return e, false, fmt.Errorf("%q is not a time; write it like 2026-12-23 18:00, or fri 16:00 for every week", text)
}

// span is one time in which a window is closed: [from, to).
type span struct{ from, to time.Time }

func (w Window) once() span {
	to, _ := later(w.to.shown, w.zone)
	return span{earlier(w.from.shown, w.zone), to}
}

// spans are all spans of the window that can hold t or a moment of the two
// weeks after it, in order.
func (w Window) spans(t time.Time) (spans []span) {
	if !w.weekly {
		return []span{w.once()}
	}
	days := int(w.to.weekday-w.from.weekday+7) % 7
	if days == 0 && w.to.clock <= w.from.clock {
		days = 7
	}
	year, month, day := t.In(w.zone).Date()
	for ahead := -9; ahead <= 16; ahead++ {
		date := time.Date(year, month, day+ahead, 0, 0, 0, 0, time.UTC)
		if date.Weekday() != w.from.weekday {
			continue
		}
		to, _ := later(date.AddDate(0, 0, days).Add(w.to.clock), w.zone)
		spans = append(spans, span{earlier(date.Add(w.from.clock), w.zone), to})
	}
	return spans
}

// At says whether the window holds at t, and until when.
func (w Window) At(t time.Time) (until time.Time, frozen bool) {
	until = t
	// The spans of two weeks can meet where a clock is put back.
	for _, s := range w.spans(t) {
		if !until.Before(s.from) && until.Before(s.to) {
			until, frozen = s.to, true
		}
	}
	if !frozen {
		return time.Time{}, false
	}
	return until, true
}

// Next is the window's next time after t, and after the one that holds at t.
func (w Window) Next(t time.Time) (from, to time.Time, ok bool) {
	if until, frozen := w.At(t); frozen {
		t = until
	}
	for _, s := range w.spans(t) {
		if s.from.After(t) && s.from.Before(s.to) {
			to, _ = w.At(s.from)
			return s.from, to, true
		}
	}
	return time.Time{}, time.Time{}, false
}
