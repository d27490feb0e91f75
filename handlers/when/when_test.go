package when_test

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the machine may have no zones

	"pgregory.net/rapid"

	"thbot/handlers/when"
)

func zone(t interface{ Fatal(...any) }, name string) *time.Location {
	z, err := when.Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

const (
	noLength = "is not a length of time; write it like 2h, 90m, 1h30m or 1d"
	noTime   = "is not a time that I can read; write it like 2026-12-01 18:00, 18:00, tomorrow 9:00 or friday"
)

func TestLength(t *testing.T) {
	for _, test := range []struct {
		text  string
		want  time.Duration
		wrong string
	}{
		{"2h", 2 * time.Hour, ""},
		{"90m", 90 * time.Minute, ""},
		{"1d", 24 * time.Hour, ""},
		{"1w", 7 * 24 * time.Hour, ""},
		{"1h30m", 90 * time.Minute, ""},
		{"1h 30m", 90 * time.Minute, ""},
		{" 2   Hours ", 2 * time.Hour, ""},
		{"1 week 2 days 3 hr 4 min", (7*24+2*24+3)*time.Hour + 4*time.Minute, ""},
		{"0h30m", 30 * time.Minute, ""},
		{"1m", time.Minute, ""},
		{"90d", 90 * 24 * time.Hour, ""},
		{"0m", 0, "is too short; the shortest is 1m"},
		{"91d", 0, "is too long; the longest is 90d"},
		{"90d1m", 0, "is too long; the longest is 90d"},
		{"99999999999999999999h", 0, "is too long; the longest is 90d"},
		{"", 0, noLength},
		{"2", 0, noLength},
		{"h", 0, noLength},
		{"-2h", 0, noLength},
		{"1.5h", 0, noLength},
		{"2h30", 0, noLength},
		{"30m1h", 0, noLength},
		{"1h1h", 0, noLength},
		{"1h 2 h", 0, noLength},
		{"30s", 0, noLength},
		{"2 months", 0, noLength},
		{"2h please", 0, noLength},
		{"maintenance", 0, noLength},
		{"２h", 0, noLength},
	} {
		if got, wrong := when.Length(test.text); got != test.want || wrong != test.wrong {
			t.Errorf("Length(%q) = %v, %q, want %v, %q", test.text, got, wrong, test.want, test.wrong)
		}
	}
}

func TestTakes(t *testing.T) {
	for _, test := range []struct {
		take  func([]string) (int, string)
		text  string
		n     int
		wrong string
	}{
		{when.TakeLength, "2h migration", 1, ""},
		{when.TakeLength, "2 h migration", 2, ""},
		{when.TakeLength, "1h 30 m and then", 3, ""},
		{when.TakeLength, "2h 0031 migration", 3, noLength},
		{when.TakeLength, "2h 30", 2, noLength},
		{when.TakeLength, "2h and 30m", 3, noLength},
		{when.TakeLength, "2 migrations", 2, noLength},
		{when.TakeLength, "0h migration", 1, "is too short; the shortest is 1m"},
		{when.TakeLength, "migration", 1, noLength},
		{when.TakeTime, "18:00 migration", 1, ""},
		{when.TakeTime, "2026-12-01 18:00 migration", 2, ""},
		{when.TakeTime, "2026-12-01 18:00 utc migration", 3, ""},
		{when.TakeTime, "friday test deploy", 1, ""},
		{when.TakeTime, "fri 9:00", 2, ""},
		{when.TakeTime, "friday 3 migrations", 2, noTime},
		{when.TakeTime, "tomorrow 25:00 x", 2, noTime},
		{when.TakeTime, "tomorrow morning, migrations", 2, noTime},
		{when.TakeTime, "18:00 cest migration", 2, noTime},
		{when.TakeTime, "18:00 utc+2 migration", 2, noTime},
		{when.TakeTime, "18:00 europe/berlin migration", 2, noTime},
		{when.TakeTime, "6:00 pm migration", 2, noTime},
		{when.TakeTime, "18:00 tomorrow", 2, noTime},
		{when.TakeTime, "friday utc", 2, noTime},
		{when.TakeTime, "today", 1, "has begun; write until when, like today 18:00"},
		{when.TakeTime, "2026-02-30 x", 1, noTime},
		{when.TakeTime, "9am x", 1, noTime},
		{when.TakeTime, "the end", 1, noTime},
	} {
		if n, wrong := test.take(strings.Fields(test.text)); n != test.n || wrong != test.wrong {
			t.Errorf("%q: takes %d, %q, want %d, %q", test.text, n, wrong, test.n, test.wrong)
		}
	}
}

func TestTime(t *testing.T) {
	const berlin = "Europe/Berlin"
	for _, test := range []struct {
		text, zone string
		now        string // in UTC
		want       string // in UTC, or
		wrong      string
	}{
		{"2026-12-01 18:00", berlin, "2026-11-20 12:00", "2026-12-01 17:00", ""},
		{"2026-12-01  9:05", "Asia/Kathmandu", "2026-11-20 12:00", "2026-12-01 03:20", ""},
		{"2026-12-01 18:00 UTC", berlin, "2026-11-20 12:00", "2026-12-01 18:00", ""},
		{"2026-12-01", berlin, "2026-11-20 12:00", "2026-11-30 23:00", ""},
		{"18:00", berlin, "2026-11-20 12:00", "2026-11-20 17:00", ""},
		{"18:00", berlin, "2026-11-20 16:59", "2026-11-20 17:00", ""},
		{"18:00", berlin, "2026-11-20 17:00", "2026-11-21 17:00", ""}, // now is not to come
		{"18:00 utc", "Pacific/Auckland", "2026-11-20 12:00", "2026-11-20 18:00", ""},
		{"0:30", "Pacific/Auckland", "2026-11-20 12:00", "2026-11-21 11:30", ""}, // there it is the 21st
		{"tomorrow", berlin, "2026-11-20 12:00", "2026-11-20 23:00", ""},
		{"tomorrow 9:00", berlin, "2026-11-20 23:30", "2026-11-22 08:00", ""}, // there it is the 21st
		{"today 18:00", berlin, "2026-11-20 12:00", "2026-11-20 17:00", ""},
		{"friday", berlin, "2026-11-19 12:00", "2026-11-19 23:00", ""},
		{"Friday", berlin, "2026-11-20 12:00", "2026-11-26 23:00", ""}, // this one has begun
		{"fri 18:00", berlin, "2026-11-20 12:00", "2026-11-20 17:00", ""},
		{"fri 18:00", berlin, "2026-11-20 18:00", "2026-11-27 17:00", ""},
		{"2027-11-20 13:00", berlin, "2026-11-20 12:00", "2027-11-20 12:00", ""},

		{"2027-11-20 13:01", berlin, "2026-11-20 12:00", "", "is more than a year ahead"},
		{"2026-11-20 13:00", berlin, "2026-11-20 12:00", "", "is in the past"},
		{"2026-11-20", berlin, "2026-11-20 12:00", "", "is in the past"},
		{"today 9:00", berlin, "2026-11-20 12:00", "", "is in the past"},
		{"today", berlin, "2026-11-20 12:00", "", "has begun; write until when, like today 18:00"},
		{"", berlin, "2026-11-20 12:00", "", noTime},
		{"utc", berlin, "2026-11-20 12:00", "", noTime},
		{"24:00", berlin, "2026-11-20 12:00", "", noTime},
		{"18:60", berlin, "2026-11-20 12:00", "", noTime},
		{"2026-12-1", berlin, "2026-11-20 12:00", "", noTime},
		{"2026-12-01T18:00", berlin, "2026-11-20 12:00", "", noTime},
		{"18:00 please", berlin, "2026-11-20 12:00", "", noTime},
		{"maintenance", berlin, "2026-11-20 12:00", "", noTime},

		// Clocks go forward: from 2:00 to 3:00, and from 2:00 to 2:30.
		{"2027-03-28 01:59", berlin, "2027-03-27 12:00", "2027-03-28 00:59", ""},
		{"2027-03-28 02:00", berlin, "2027-03-27 12:00", "", "does not exist: clocks in Europe/Berlin go from 02:00 to 03:00 then"},
		{"2027-03-28 02:59", berlin, "2027-03-27 12:00", "", "does not exist: clocks in Europe/Berlin go from 02:00 to 03:00 then"},
		{"2027-03-28 03:00", berlin, "2027-03-27 12:00", "2027-03-28 01:00", ""},
		{"2:30", berlin, "2027-03-27 12:00", "", "does not exist: clocks in Europe/Berlin go from 02:00 to 03:00 then"},
		{"2:30", berlin, "2027-03-28 01:00", "2027-03-29 00:30", ""}, // the gap is past
		{"2026-10-04 02:15", "Australia/Lord_Howe", "2026-10-01 12:00", "", "does not exist: clocks in Australia/Lord_Howe go from 02:00 to 02:30 then"},
		// A day can begin at 1:00.
		{"2026-04-24", "Africa/Cairo", "2026-04-01 12:00", "2026-04-23 22:00", ""},
		{"2026-04-24 0:00", "Africa/Cairo", "2026-04-01 12:00", "", "does not exist: clocks in Africa/Cairo go from 00:00 to 01:00 then"},
		// And back: 2:00 to 2:59 comes twice, and the second is meant.
		{"2026-10-25 02:30", berlin, "2026-10-24 12:00", "2026-10-25 01:30", ""},
		{"2026-10-25 02:59", berlin, "2026-10-24 12:00", "2026-10-25 01:59", ""},
		{"2026-10-25 03:00", berlin, "2026-10-24 12:00", "2026-10-25 02:00", ""},
		{"2:30", berlin, "2026-10-25 00:40", "2026-10-25 01:30", ""},
		{"2:30", berlin, "2026-10-25 01:40", "2026-10-26 01:30", ""},
	} {
		now, err := time.Parse("2006-01-02 15:04", test.now)
		if err != nil {
			t.Fatal(err)
		}
		at, wrong := when.Time(test.text, now, zone(t, test.zone))
		got := ""
		if wrong == "" {
			got = at.UTC().Format("2006-01-02 15:04")
		}
		if got != test.want || wrong != test.wrong {
			t.Errorf("Time(%q) in %s at %s = %q, %q, want %q, %q", test.text, test.zone, test.now, got, wrong, test.want, test.wrong)
		}
	}
}

var zones = []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo", "UTC"}

// drawNow is a moment, often near a change of the clocks of a zone.
func drawNow(t *rapid.T, z *time.Location) time.Time {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.Int64Range(0, 2*365*24*60).Draw(t, "minutes")) * time.Minute)
	if _, change := at.In(z).ZoneBounds(); !change.IsZero() && change.Year() < 2030 && rapid.Bool().Draw(t, "near a change") {
		at = change.Add(time.Duration(rapid.IntRange(-3*24*60, 3*24*60).Draw(t, "from it")) * time.Minute)
	}
	return at.UTC()
}

// What was typed is what the clock shows then; it is to come, and it is the
// next such moment, or the second of two.
func TestTimeIsWhatWasTyped(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z := zone(t, rapid.SampledFrom(zones).Draw(t, "zone"))
		now := drawNow(t, z)
		meant := now.Add(time.Duration(rapid.IntRange(1, 5*24*60).Draw(t, "ahead")) * time.Minute).In(z)
		layout := rapid.SampledFrom([]string{"2006-01-02 15:04", "15:04", "Monday 15:04"}).Draw(t, "layout")
		typed := meant.Format(layout)
		at, wrong := when.Time(typed, now, z)
		if wrong != "" {
			// A day's gap can come before the moment that was meant.
			if !strings.HasPrefix(wrong, "does not exist") || layout != "15:04" {
				t.Fatalf("Time(%q) at %s is wrong: it %s", typed, now, wrong)
			}
			return
		}
		if got := at.Format(layout); got != typed {
			t.Errorf("Time(%q) at %s is %s, when clocks show %s", typed, now, at, got)
		}
		if !at.After(now) {
			t.Errorf("Time(%q) at %s is %s, not to come", typed, now, at)
		}
		if again := at.Sub(meant); layout == "2006-01-02 15:04" && (again < 0 || again > time.Hour) {
			t.Errorf("Time(%q) at %s is %s, not %s", typed, now, at, meant)
		}
		for earlier := at.Add(-time.Minute); earlier.After(now); earlier = earlier.Add(-time.Minute) {
			if earlier.Format(layout) == typed && at.Sub(earlier) > time.Hour {
				t.Errorf("Time(%q) at %s is %s, but %s comes before", typed, now, at, earlier)
			}
		}
	})
}

// What is taken is a value, whatever stands there, and Length reads it.
func TestTakesAreValues(t *testing.T) {
	word := rapid.SampledFrom([]string{"2h", "30", "m", "h", "1d", "90d", "and", "for", "18:00", "2026-12-01", "friday", "today", "tomorrow", "utc", "at", "x", "7:5", "ä", "-", "."})
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(word, 1, 5).Draw(t, "words")
		n, wrong := when.TakeLength(words)
		if n < 1 || n > len(words) {
			t.Fatalf("TakeLength(%q) takes %d", words, n)
		}
		if _, again := when.Length(strings.Join(words[:n], " ")); wrong == "" && again != "" {
			t.Errorf("TakeLength(%q) takes %d, but they are wrong: %s", words, n, again)
		}
		n, wrong = when.TakeTime(words)
		if n < 1 || n > len(words) {
			t.Fatalf("TakeTime(%q) takes %d", words, n)
		}
		now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
		if _, again := when.Time(strings.Join(words[:n], " "), now, time.UTC); wrong == "" && again != "" && again != "is in the past" {
			t.Errorf("TakeTime(%q) takes %d, but they are wrong: %s", words, n, again)
		}
	})
}

func TestZone(t *testing.T) {
	for _, name := range []string{"", "Local", "Berlin", "../etc/passwd", "CEST"} {
		if z, err := when.Zone(name); err == nil {
			t.Errorf("%q is the zone %s", name, z)
		}
	}
}
