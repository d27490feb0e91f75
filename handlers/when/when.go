// Package when reads times as people type them, and says when a freeze holds.
// It is arithmetic alone: it asks no clock.
package when

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// What Length takes.
const (
	Shortest = time.Minute
	Longest  = 90 * 24 * time.Hour
)

const lengthsAre = "is not a length of time; write it like 2h, 90m, 1h30m or 1d"

// units are the units of a length, as they may be written. A day is 24 hours.
var units = map[string]time.Duration{
	"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
	"w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour, "weeks": 7 * 24 * time.Hour,
}

// Length reads a length of time, Shortest to Longest: "2h", "1h30m", "2 days".
// Or it says what is wrong with it.
func Length(text string) (length time.Duration, wrong string) {
	words := strings.Fields(strings.ToLower(text))
	if len(words) == 0 {
		return 0, lengthsAre
	}
	length, n, wrong := takeLength(words)
	if wrong == "" && n < len(words) {
		wrong = lengthsAre
	}
	if wrong != "" {
		return 0, wrong
	}
	return length, ""
}

// TakeLength takes a length of time from the beginning of words in lower case,
// of which there is one at least: the Take of an argument. It refuses where the word
// that follows may belong to it.
func TakeLength(words []string) (n int, wrong string) {
	_, n, wrong = takeLength(words)
	return n, wrong
}

var (
	reParts  = regexp.MustCompile(`^(?:[0-9]+[a-z]+)+$`)
	rePart   = regexp.MustCompile(`([0-9]+)([a-z]+)`)
	reNumber = regexp.MustCompile(`^[0-9]+$`)
)

func takeLength(words []string) (length time.Duration, n int, wrong string) {
	smallest := Longest + 1
	for n < len(words) {
		word, took := words[n], 1
		if reNumber.MatchString(word) && n+1 < len(words) {
			word, took = word+words[n+1], 2
		}
		if !reParts.MatchString(word) {
			break
		}
		for _, part := range rePart.FindAllStringSubmatch(word, -1) {
			unit, known := units[part[2]]
			number, err := strconv.Atoi(part[1])
			switch {
			case !known || unit >= smallest:
				return 0, n + took, lengthsAre // "2x", "1h1h", "30m1h"
			case err != nil || number > int(Longest/unit):
				return 0, n + took, tooLong
			}
			smallest = unit
			length += time.Duration(number) * unit
		}
		n += took
	}
	switch {
	case n == 0:
		return 0, 1, lengthsAre
	case n < len(words) && digit(words[n]):
		return 0, n + 1, lengthsAre
	case n+1 < len(words) && words[n] == "and" && digit(words[n+1]):
		return 0, n + 2, lengthsAre
	case length < Shortest:
		return 0, n, "is too short; the shortest is 1m"
	case length > Longest:
		return 0, n, tooLong
	}
	return length, n, ""
}

const tooLong = "is too long; the longest is 90d"

func digit(word string) bool { return word[0] >= '0' && word[0] <= '9' }

const timesAre = "is not a time that I can read; write it like 2026-12-01 18:00, 18:00, tomorrow 9:00 or friday"

// moment is a time as it was typed.
type moment struct {
	kind     kind
	date     time.Time    // oneDate, at midnight UTC
	ahead    int          // daysAhead
	weekday  time.Weekday // someWeekday
	hasClock bool
	hour     int
	minute   int
	utc      bool
}

type kind int

const (
	anyDay      kind = iota // the next one
	oneDate                 // of the calendar
	daysAhead               // of today
	someWeekday             // the next such one
)

// Time reads a time of the speaker, in their zone: "2026-12-01 18:00", "18:00",
// "tomorrow 9:00", "friday"; with "utc" behind it, in UTC. A day without a time
// of day is the beginning of that day; a time without a day, or a day of the
// week, is the next one after now. What a clock shows twice, when it is put
// back, is the later one, so that nothing ends before it was to; what it never
// shows, when it is put forward, is wrong. So are the past, and times more than
// a year ahead.
func Time(text string, now time.Time, zone *time.Location) (at time.Time, wrong string) {
	words := strings.Fields(strings.ToLower(text))
	if len(words) == 0 {
		return time.Time{}, timesAre
	}
	m, n, wrong := takeTime(words)
	if wrong == "" && n < len(words) {
		wrong = timesAre
	}
	if wrong != "" {
		return time.Time{}, wrong
	}
	if m.utc {
		zone = time.UTC
	}
	if at, wrong = m.after(now, zone); wrong != "" {
		return time.Time{}, wrong
	}
	if at.After(now.AddDate(1, 0, 0)) {
		return time.Time{}, "is more than a year ahead"
	}
	return at, ""
}

// TakeTime takes a time from the beginning of words in lower case, of which
// there is one at least: the Take of an argument. It refuses where the word that
// follows may belong to it. Whether the time is to come, Time tells.
func TakeTime(words []string) (n int, wrong string) {
	_, n, wrong = takeTime(words)
	return n, wrong
}

var (
	reDate  = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
	reClock = regexp.MustCompile(`^([0-9]{1,2}):([0-9]{2})$`)
	// reMore matches words that would change a time in front of them.
	reMore = regexp.MustCompile(`^(?:[0-9].*|at|[ap]\.?m\.?|noon|midday|midnight|morning|afternoon|evening|tonight|night|eod|` +
		`z|(?:utc|gmt).*|[wc]es?t|eest|[ecmpb]st|[ecmp]dt|ak[sd]t|hst|msk|ist|jst|a[ecw][sd]t|nz[sd]t|(?:africa|america|antarctica|asia|atlantic|australia|europe|indian|pacific)/.*)$`)
)

var weekdays = map[string]time.Weekday{
	"sunday": 0, "monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6,
	"sun": 0, "mon": 1, "tue": 2, "tues": 2, "wed": 3, "thu": 4, "thur": 4, "thurs": 4, "fri": 5, "sat": 6,
}

func takeTime(words []string) (m moment, n int, wrong string) {
	hasDay := m.day(words[0])
	if hasDay {
		n++
	}
	if n < len(words) && m.clock(words[n]) {
		n++
	}
	if m.hasClock && n < len(words) && words[n] == "utc" {
		m.utc = true
		n++
	}
	switch {
	case n == 0:
		return m, 1, timesAre
	case n < len(words) && more(words[n]):
		return m, n + 1, timesAre
	case !m.hasClock && m.kind == daysAhead && m.ahead == 0:
		return m, n, "has begun; write until when, like today 18:00"
	}
	return m, n, ""
}

// more reports whether a word that follows a time may belong to it.
func more(word string) bool {
	word = strings.Trim(word, ".,;:!()")
	var m moment
	return reMore.MatchString(word) || m.day(word)
}

func (m *moment) day(word string) bool {
	if day, ok := weekdays[word]; ok {
		m.kind, m.weekday = someWeekday, day
		return true
	}
	switch date, err := time.Parse(time.DateOnly, word); {
	case word == "today":
		m.kind = daysAhead
	case word == "tomorrow":
		m.kind, m.ahead = daysAhead, 1
	case err == nil && reDate.MatchString(word):
		m.kind, m.date = oneDate, date
	default:
		return false
	}
	return true
}

func (m *moment) clock(word string) bool {
	found := reClock.FindStringSubmatch(word)
	if found == nil {
		return false
	}
	hour, _ := strconv.Atoi(found[1])
	minute, _ := strconv.Atoi(found[2])
	if hour > 23 || minute > 59 {
		return false
	}
	m.hour, m.minute, m.hasClock = hour, minute, true
	return true
}

// after is the moment that was meant now.
func (m moment) after(now time.Time, zone *time.Location) (time.Time, string) {
	year, month, day := now.In(zone).Date()
	today := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	if m.kind == oneDate || m.kind == daysAhead {
		date := m.date
		if m.kind == daysAhead {
			date = today.AddDate(0, 0, m.ahead)
		}
		at, wrong := m.on(date, zone)
		if wrong == "" && !at.After(now) {
			wrong = "is in the past"
		}
		return at, wrong
	}
	// Today's may be past, and so may a gap that it would have been in.
	for date := today; ; date = date.AddDate(0, 0, 1) {
		if m.kind == someWeekday && date.Weekday() != m.weekday {
			continue
		}
		if at, wrong := m.on(date, zone); at.After(now) {
			return at, wrong
		}
	}
}

func (m moment) timeOfDay() time.Duration {
	return time.Duration(m.hour)*time.Hour + time.Duration(m.minute)*time.Minute
}

// on is the moment on that day. Where the clocks skip it, that is wrong, and
// the moment is when they do.
func (m moment) on(date time.Time, zone *time.Location) (at time.Time, wrong string) {
	at, exists := later(date.Add(m.timeOfDay()), zone)
	if !exists && m.hasClock {
		return at, "does not exist: " + jump(at)
	}
	return at, ""
}

// jump says what the clocks do at that moment.
func jump(at time.Time) string {
	_, offset := at.Add(-1).Zone()
	return fmt.Sprintf("clocks in %s go from %s to %s then", at.Location(),
		at.UTC().Add(time.Duration(offset)*time.Second).Format("15:04"), at.Format("15:04"))
}
