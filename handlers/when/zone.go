package when

import (
	"fmt"
	"time"
)

// Zone is the time zone with that IANA name, "Europe/Berlin".
func Zone(name string) (*time.Location, error) {
	// LoadLocation takes these for UTC and for the machine's own zone.
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("%q is not a time zone; they have names like Europe/Berlin", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not a time zone; they have names like Europe/Berlin", name)
	}
	return zone, nil
}

// instants are the moments at which the clocks of a zone show what shown, a
// time in UTC, says: one, two where they were put back, and none where they
// were put forward, at the moment skipped. (time.Date does not promise which
// of two it gives, nor on which side of a gap.)
func instants(shown time.Time, zone *time.Location) (found []time.Time, skipped time.Time) {
	const farthest = 26 * time.Hour // no clock is farther from UTC
	from := shown.Add(-farthest).In(zone)
	for {
		_, until := from.ZoneBounds()
		_, offset := from.Zone()
		at := shown.Add(-seconds(offset)).In(zone)
		if !at.Before(from) && (until.IsZero() || at.Before(until)) {
			found = append(found, at)
		}
		if until.IsZero() || until.After(shown.Add(farthest)) {
			return found, skipped
		}
		_, next := until.Zone()
		if after := shown.Add(-seconds(next)); !at.Before(until) && after.Before(until) {
			skipped = until
		}
		from = until
	}
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// earlier is the first moment at which the clocks show that, or else, when
// they never do, the moment at which they skip it.
func earlier(shown time.Time, zone *time.Location) time.Time {
	found, skipped := instants(shown, zone)
	if len(found) == 0 {
		return skipped
	}
	return found[0]
}

// later is the last such moment, or the one at which it is skipped.
func later(shown time.Time, zone *time.Location) (at time.Time, exists bool) {
	found, skipped := instants(shown, zone)
	if len(found) == 0 {
		return skipped, false
	}
	return found[len(found)-1], true
}
