package when_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"thbot/handlers/when"
)

func compile(t interface{ Fatal(...any) }, from, to, zone string) when.Window {
	w, err := when.Compile(when.Freeze{From: from, To: to, Zone: zone, Reason: "holidays"})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func moment(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04:05", s+":00"[:max(0, 19-len(s))])
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func show(at time.Time, ok bool) string {
	if !ok {
		return ""
	}
	return at.UTC().Format("2006-01-02 15:04")
}

func TestCompile(t *testing.T) {
	const likeThis = `is not a time; write it like 2026-12-23 18:00, or fri 16:00 for every week`
	good := when.Freeze{From: "2026-12-23 18:00", To: "2027-01-02 09:00", Zone: "Europe/Berlin", Reason: "end of year"}
	for _, test := range []struct {
		name   string
		change func(f *when.Freeze)
		wrong  []string
	}{
		{"right", func(*when.Freeze) {}, nil},
		{"weekly", func(f *when.Freeze) { f.From, f.To = "fri 16:00", "Monday 8:00" }, nil},
		{"a day of the week, and less than a week", func(f *when.Freeze) { f.From, f.To = "fri 16:00", "fri 8:00" }, nil},
		{"everything", func(f *when.Freeze) { *f = when.Freeze{From: "soon", Zone: "Berlin", Reason: " "} }, []string{
			`from: "soon" ` + likeThis, `to: "" ` + likeThis, `zone: "Berlin" is not a time zone; they have names like Europe/Berlin`, "reason: it is missing; people are told it"}},
		{"no such day", func(f *when.Freeze) { f.To = "2026-02-30 18:00" }, []string{`to: "2026-02-30 18:00" ` + likeThis}},
		{"no such hour", func(f *when.Freeze) { f.From, f.To = "fri 24:00", "fri" }, []string{`from: "fri 24:00" ` + likeThis, `to: "fri" ` + likeThis}},
		{"words of people", func(f *when.Freeze) { f.From, f.To = "tomorrow 18:00", "18:00" }, []string{`from: "tomorrow 18:00" ` + likeThis, `to: "18:00" ` + likeThis}},
		{"the wrong way round", func(f *when.Freeze) { f.From, f.To = f.To, f.From }, []string{`to: "2026-12-23 18:00" is not after from, "2027-01-02 09:00"`}},
		{"no time at all", func(f *when.Freeze) { f.To = f.From }, []string{`to: "2026-12-23 18:00" is not after from, "2026-12-23 18:00"`}},
		{"no week at all", func(f *when.Freeze) { f.From, f.To = "fri 16:00", "friday 16:00" }, []string{`from "fri 16:00" and to "friday 16:00": they are the same`}},
		{"of two kinds", func(f *when.Freeze) { f.To = "fri 16:00" }, []string{`from "2026-12-23 18:00" and to "fri 16:00": one is a date and one a day of the week`}},
		{"within a gap", func(f *when.Freeze) { f.From, f.To = "2027-03-28 02:10", "2027-03-28 02:50" }, []string{`from "2027-03-28 02:10" and to "2027-03-28 02:50": neither exists: clocks in Europe/Berlin go from 02:00 to 03:00 then`}},
		{"the machine's zone", func(f *when.Freeze) { f.Zone = "Local" }, []string{`zone: "Local" is not a time zone; they have names like Europe/Berlin`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := good
			test.change(&f)
			_, err := when.Compile(f)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if want := strings.Join(test.wrong, "\n"); got != want {
				t.Errorf("%+v is wrong:\n%s\nwant:\n%s", f, got, want)
			}
		})
	}
}

func TestAt(t *testing.T) {
	const berlin = "Europe/Berlin"
	for _, test := range []struct {
		name, from, to, zone string
		at                   string // in UTC
		until                string // in UTC; empty: it does not hold
	}{
		{"before", "2026-12-23 18:00", "2027-01-02 09:00", berlin, "2026-12-23 16:59:59", ""},
		{"its first moment", "2026-12-23 18:00", "2027-01-02 09:00", berlin, "2026-12-23 17:00", "2027-01-02 08:00"},
		{"its last moment", "2026-12-23 18:00", "2027-01-02 09:00", berlin, "2027-01-02 07:59:59", "2027-01-02 08:00"},
		{"its end", "2026-12-23 18:00", "2027-01-02 09:00", berlin, "2027-01-02 08:00", ""},

		{"weekly, before", "fri 16:00", "mon 08:00", berlin, "2026-11-20 14:59:59", ""},
		{"weekly, its first moment", "fri 16:00", "mon 08:00", berlin, "2026-11-20 15:00", "2026-11-23 07:00"},
		{"weekly, within", "fri 16:00", "mon 08:00", berlin, "2026-11-22 12:00", "2026-11-23 07:00"},
		{"weekly, its end", "fri 16:00", "mon 08:00", berlin, "2026-11-23 07:00", ""},
		{"weekly, one day", "wed 09:00", "wed 17:00", "UTC", "2026-11-18 12:00", "2026-11-18 17:00"},
		{"weekly, all but one day", "wed 17:00", "wed 09:00", "UTC", "2026-11-18 08:00", "2026-11-18 09:00"},
		{"weekly, all but one day, in between", "wed 17:00", "wed 09:00", "UTC", "2026-11-18 12:00", ""},
		{"weekly, all but one day, after", "wed 17:00", "wed 09:00", "UTC", "2026-11-18 17:00", "2026-11-25 09:00"},
		{"weekly, over a change of the clocks", "fri 16:00", "mon 08:00", berlin, "2026-10-23 14:00", "2026-10-26 07:00"},
		{"weekly, elsewhere it is Saturday", "sat 00:00", "mon 00:00", "Pacific/Auckland", "2026-11-20 11:00", "2026-11-22 11:00"},

		// 02:30 never is: it begins, and ends, when the clocks go from 2 to 3.
		{"from a gap, before", "2027-03-28 02:30", "2027-03-28 12:00", berlin, "2027-03-28 00:59:59", ""},
		{"from a gap", "2027-03-28 02:30", "2027-03-28 12:00", berlin, "2027-03-28 01:00", "2027-03-28 10:00"},
		{"to a gap", "2027-03-27 12:00", "2027-03-28 02:30", berlin, "2027-03-28 00:59:59", "2027-03-28 01:00"},
		{"to a gap, its end", "2027-03-27 12:00", "2027-03-28 02:30", berlin, "2027-03-28 01:00", ""},
		{"weekly, from a gap", "sun 02:30", "sun 12:00", berlin, "2027-03-28 01:00", "2027-03-28 10:00"},
		{"from a gap of half an hour", "2026-10-04 02:15", "2026-10-04 12:00", "Australia/Lord_Howe", "2026-10-03 15:30", "2026-10-04 01:00"},

		// 02:30 comes twice: it begins at the first, and ends at the second.
		{"from twice, before", "2026-10-25 02:30", "2026-10-25 12:00", berlin, "2026-10-25 00:29:59", ""},
		{"from twice", "2026-10-25 02:30", "2026-10-25 12:00", berlin, "2026-10-25 00:30", "2026-10-25 11:00"},
		{"to twice", "2026-10-24 12:00", "2026-10-25 02:30", berlin, "2026-10-25 01:29:59", "2026-10-25 01:30"},
		{"to twice, its end", "2026-10-24 12:00", "2026-10-25 02:30", berlin, "2026-10-25 01:30", ""},
		{"weekly, to twice", "sat 12:00", "sun 02:30", berlin, "2026-10-25 01:00", "2026-10-25 01:30"},
		{"weekly, from one of two into the next", "sun 02:30", "sun 02:10", berlin, "2026-10-25 00:20", "2026-11-01 01:10"},
	} {
		t.Run(test.name, func(t *testing.T) {
			until, frozen := compile(t, test.from, test.to, test.zone).At(moment(t, test.at))
			if got := show(until, frozen); got != test.until {
				t.Errorf("from %s to %s in %s: at %s it holds until %q, want %q", test.from, test.to, test.zone, test.at, got, test.until)
			}
		})
	}
}

func TestNext(t *testing.T) {
	for _, test := range []struct {
		name, from, to string
		at             string // in UTC
		next           string // in UTC
	}{
		{"before", "2026-12-23 18:00", "2027-01-02 09:00", "2026-11-20 12:00", "2026-12-23 17:00 2027-01-02 08:00"},
		{"while it holds", "2026-12-23 18:00", "2027-01-02 09:00", "2026-12-23 17:00", " "},
		{"after", "2026-12-23 18:00", "2027-01-02 09:00", "2027-01-02 08:00", " "},
		{"weekly, before", "fri 16:00", "mon 08:00", "2026-11-20 14:59", "2026-11-20 15:00 2026-11-23 07:00"},
		{"weekly, while it holds", "fri 16:00", "mon 08:00", "2026-11-20 15:00", "2026-11-27 15:00 2026-11-30 07:00"},
		{"weekly, after", "fri 16:00", "mon 08:00", "2026-11-23 07:00", "2026-11-27 15:00 2026-11-30 07:00"},
		{"weekly, all but two hours", "mon 10:00", "mon 08:00", "2026-11-23 08:00", "2026-11-23 09:00 2026-11-30 07:00"},
		{"weekly, one begins before another has ended", "sun 02:30", "sun 02:10", "2026-10-24 12:00", "2026-11-01 01:30 2026-11-08 01:10"},
		{"weekly, the one in the gap is none", "sun 02:10", "sun 02:50", "2027-03-22 12:00", "2027-04-04 00:10 2027-04-04 00:50"},
	} {
		t.Run(test.name, func(t *testing.T) {
			from, to, ok := compile(t, test.from, test.to, "Europe/Berlin").Next(moment(t, test.at))
			if got := show(from, ok) + " " + show(to, ok); got != test.next {
				t.Errorf("from %s to %s: after %s comes %q, want %q", test.from, test.to, test.at, got, test.next)
			}
		})
	}
}

// model says of each minute from start whether a window holds, by what the
// clocks show from minute to minute and nothing else.
func model(start time.Time, days int, z *time.Location, from, to func(shown int) bool) []bool {
	const beside = 2 * 24 * 60 // a clock may be that far from UTC, in minutes
	base := minute(start) - beside
	// first and last are the minutes at which the clocks come to show something,
	// or skip it.
	first, last := make([]int, days*24*60+2*beside), make([]int, days*24*60+2*beside)
	frozen := make([]bool, days*24*60)
	before := shown(start, z) - base
	for i := 1; i < len(frozen); i++ {
		now := shown(start.Add(time.Duration(i)*time.Minute), z) - base
		for s := min(before+1, now); s <= now; s++ {
			if first[s] == 0 {
				first[s] = i
			}
			last[s] = i
		}
		before = now
	}
	for f := range first {
		if first[f] == 0 || !from(f+base) {
			continue
		}
		for t := f + 1; t < len(last); t++ {
			if last[t] != 0 && to(t+base) {
				for i := first[f]; i < last[t]; i++ {
					frozen[i] = true
				}
				break
			}
		}
	}
	return frozen
}

// shown is what the clocks of z show at that moment, in minutes.
func shown(at time.Time, z *time.Location) int {
	_, offset := at.In(z).Zone()
	return minute(at) + offset/60
}

func minute(at time.Time) int { return int(at.Unix() / 60) }

func TestWindowIsItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(zones).Draw(t, "zone")
		z := zone(t, name)
		middle := drawNow(t, z)
		const days, week = 30, 7 * 24 * 60
		start := middle.Add(-days / 2 * 24 * time.Hour)
		edge := func(label string) int {
			// Also what clocks skip, not only what they show.
			return shown(middle, z) + rapid.IntRange(-2*24*60, 2*24*60).Draw(t, label)
		}
		a, b := edge("from"), edge("to")
		layout, same := "2006-01-02 15:04", func(a, b int) bool { return a == b }
		weekly := rapid.Bool().Draw(t, "weekly")
		if weekly {
			layout, same = "Mon 15:04", func(a, b int) bool { return (a-b)%week == 0 }
		}
		write := func(shown int) string { return time.Unix(int64(shown)*60, 0).UTC().Format(layout) }
		f := when.Freeze{From: write(a), To: write(b), Zone: name, Reason: "x"}
		w, err := when.Compile(f)
		if wrong := same(a, b) || !weekly && a > b; wrong || err != nil {
			if !wrong && !strings.Contains(err.Error(), "neither exists") || err == nil {
				t.Fatalf("%+v: %v", f, err)
			}
			return
		}
		frozen := model(start, days, z, func(s int) bool { return same(s, a) }, func(s int) bool { return same(s, b) })
		at := func(i int) time.Time { return start.Add(time.Duration(i) * time.Minute) }
		run := func(i int, what bool) int { // the first minute from i on that is otherwise
			for i < len(frozen) && frozen[i] == what {
				i++
			}
			return i
		}
		// The model does not know of windows from before its start, nor how
		// those end that end after its own end.
		const begin, end = 9 * 24 * 60, (days - 9) * 24 * 60
		for i := begin; i < end; i++ {
			if i%29 != 0 && frozen[i] == frozen[i-1] && frozen[i] == frozen[i+1] {
				continue // far from its edges, one minute is like another
			}
			until, holds := w.At(at(i))
			if holds != frozen[i] {
				t.Fatalf("%+v at %s: %v, the model says %v", f, at(i).In(z), holds, frozen[i])
			}
			if holds && !until.Equal(at(run(i, true))) {
				t.Fatalf("%+v at %s: until %s, the model says %s", f, at(i).In(z), until, at(run(i, true)).In(z))
			}
		}
		i := rapid.IntRange(begin, end-week).Draw(t, "next after")
		next := run(max(run(i, true), i+1), false)
		over := run(next, true)
		from, to, ok := w.Next(at(i))
		switch {
		case next < len(frozen) && (!ok || !from.Equal(at(next)) || over < len(frozen) && !to.Equal(at(over))):
			t.Fatalf("%+v after %s: from %s to %s, the model says from %s to %s", f, at(i).In(z), from, to, at(next).In(z), at(over).In(z))
		case next == len(frozen) && ok && from.Before(at(next)):
			t.Fatalf("%+v after %s: from %s to %s, the model says never", f, at(i).In(z), from, to)
		}
	})
}
