package handlers_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"thbot/cmd/sandbox/world"
)

// act is something that a person does, or that time does.
type act struct {
	What   string // lock, unlock, take, hold, unhold, ask, force, promote, pass, edge
	Who    string
	Commit string
	For    time.Duration
}

var acts = rapid.Custom(func(t *rapid.T) act {
	return act{
		What:   rapid.SampledFrom([]string{"promote", "force", "lock", "promote", "hold", "promote", "ask", "edge", "unlock", "take", "unhold", "pass"}).Draw(t, "what"),
		Who:    rapid.SampledFrom([]string{"ana", "ana", "bob", "cleo", "nora"}).Draw(t, "who"),
		Commit: rapid.SampledFrom([]string{"1a2b3c4", "9f8e7d6", "7d7d7d7"}).Draw(t, "commit"),
		For:    rapid.SampledFrom([]time.Duration{0, time.Minute, 7 * time.Minute, 30 * time.Minute}).Draw(t, "for"),
	}
})

// TestGuardsAreTheirModel lets people lock, hold, force and promote at random,
// and compares what the program does with a model of what stops a promotion:
// it is decided if nothing is in the way that its question did not show.
func TestGuardsAreTheirModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		todo := rapid.SliceOfN(acts, 4, 16).Draw(rt, "acts")
		var wrong error
		synctest.Test(t, func(t *testing.T) { wrong = compare(t, todo) })
		if wrong != nil {
			rt.Fatal(wrong)
		}
	})
}

// settling is how long is waited for what people are told; it is part of the
// time that passes.
const settling = 3 * time.Second

func compare(t *testing.T, todo []act) error {
	s := newStage(t)
	defer s.end()
	s.edits = []string{"watch: 29173ms", "watch: 24h", "confirm: {expires: 20m}",
		`freeze: [{from: "2000-01-01 00:20", to: "2000-01-01 00:40", zone: UTC, reason: "lunch"}, {from: "sat 01:10", to: "sat 01:30", zone: UTC, reason: "tea"}]`}
	if err := s.Usual(); err != nil {
		return err
	}
	s.Push("7d7d7d7", "cid", "Not in the run that waits")
	if err := s.start(); err != nil {
		return err
	}
	m := model{start: time.Now(), holds: map[string]int{}}
	for i, a := range todo {
		if err := s.act(a, &m); err != nil {
			return fmt.Errorf("%d: %+v: %w", i, a, err)
		}
		synctest.Wait()
		m.act(a, time.Now())
		<-time.After(settling)
		synctest.Wait()
		m.passes(time.Now())
		if decided := len(s.Jenkins.Proceeds()) == 1; decided != m.decided {
			return fmt.Errorf("%d: %+v at %s: promoted: %v, the model says %v: %+v", i, a, time.Since(m.start), decided, m.decided, m)
		}
		if m.decided {
			return nil
		}
		_, none := s.find("U0ANA", "Promote")
		if asked := none == nil; asked != (m.question != nil) {
			return fmt.Errorf("%d: %+v at %s: asked: %v, the model says %v: %+v", i, a, time.Since(m.start), asked, !asked, m)
		}
	}
	return nil
}

// act does it in the world.
func (s *stage) act(a act, m *model) error {
	who, err := person(a.Who)
	if err != nil {
		return err
	}
	say := func(text string) error {
		_, err := s.Slack.Say(who, world.Channel, text)
		return err
	}
	press := func(label string) error {
		if b, err := s.find(who, label); err == nil {
			return s.press(a.Who, b)
		}
		return nil
	}
	switch a.What {
	case "lock":
		if a.For == 0 {
			return say("/th lock prod because of it")
		}
		return say(fmt.Sprintf("/th lock prod for %dm because of it", int(a.For.Minutes())))
	case "unlock":
		return say("/th unlock prod")
	case "take":
		return press("Take over")
	case "hold":
		return say("/th hold " + a.Commit + " because of it")
	case "unhold":
		return say("/th unhold " + a.Commit)
	case "ask":
		return say("/th deploy prod")
	case "force":
		return say("/th deploy prod force it is needed")
	case "promote":
		return press("Promote")
	case "pass":
		<-time.After(a.For)
	case "edge": // to the next moment at which something changes by itself, or the second before
		if at := m.next(time.Now()); !at.IsZero() {
			if a.For == 0 {
				at = at.Add(-time.Second)
			}
			<-time.After(time.Until(at))
		}
	}
	return nil
}

// model is what stops a promotion, as simply as it can be said.
type model struct {
	start    time.Time
	last     int // id
	lock     *lockModel
	taking   *takingModel
	holds    map[string]int // commit → id
	question *questionModel
	decided  bool
}

type lockModel struct {
	id    int
	owner string
	until time.Time // zero: for ever
}

type takingModel struct {
	lockModel
	old   int
	asked time.Time
}

type questionModel struct {
	asked time.Time
	past  []int // what it showed
	known []int // holds that it looked at
}

func (m *model) id() int { m.last++; return m.last }

// freezes are begin and end, after start.
var freezes = [][2]time.Duration{{20 * time.Minute, 40 * time.Minute}, {70 * time.Minute, 90 * time.Minute}}

// passes lets what has an end end.
func (m *model) passes(now time.Time) {
	if m.lock != nil && !m.lock.until.IsZero() && !now.Before(m.lock.until) {
		m.lock = nil
	}
	if q := m.question; q != nil && now.Sub(q.asked) >= 20*time.Minute {
		m.question = nil
	}
	if q := m.taking; q != nil && (now.Sub(q.asked) >= 20*time.Minute || m.lock == nil || m.lock.id != q.old) {
		m.taking = nil
	}
}

// next is when something changes by itself after now.
func (m *model) next(now time.Time) time.Time {
	var all []time.Time
	add := func(t time.Time) {
		if t.Add(-time.Second).After(now) {
			all = append(all, t)
		}
	}
	if m.lock != nil && !m.lock.until.IsZero() {
		add(m.lock.until)
	}
	if m.question != nil {
		add(m.question.asked.Add(20 * time.Minute))
	}
	for _, f := range freezes {
		add(m.start.Truncate(time.Hour).Add(f[0]))
		add(m.start.Truncate(time.Hour).Add(f[1]))
	}
	if len(all) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(all, time.Time.Compare)
}

// stops are what is in the way now; of the holds those that contains names.
func (m *model) stops(now time.Time, contains func(commit string, id int) bool) (ids []int) {
	if m.lock != nil {
		ids = append(ids, m.lock.id)
	}
	for commit, id := range m.holds {
		if contains(commit, id) {
			ids = append(ids, id)
		}
	}
	for i, f := range freezes {
		if since := now.Sub(m.start.Truncate(time.Hour)); since >= f[0] && since < f[1] {
			ids = append(ids, -1-i)
		}
	}
	return ids
}

func (m *model) act(a act, now time.Time) {
	m.passes(now)
	admin := a.Who == "ana" || a.Who == "bob"
	locker := admin || a.Who == "cleo"
	switch a.What {
	case "lock":
		l := lockModel{owner: a.Who}
		if a.For > 0 {
			l.until = now.Add(a.For)
		}
		switch {
		case !locker:
		case m.lock == nil || m.lock.owner == a.Who:
			l.id = m.id()
			m.lock = &l
		case m.taking == nil:
			m.taking = &takingModel{l, m.lock.id, now}
		}
	case "unlock":
		if locker {
			m.lock = nil
		}
	case "take":
		if q := m.taking; locker && q != nil && (q.until.IsZero() || now.Before(q.until)) {
			q.id = m.id()
			m.lock = &q.lockModel
		}
	case "hold":
		if _, held := m.holds[a.Commit]; locker && !held {
			m.holds[a.Commit] = m.id()
		}
	case "unhold":
		if locker {
			delete(m.holds, a.Commit)
		}
	case "ask", "force":
		stops := m.stops(now, func(commit string, _ int) bool { return commit != "7d7d7d7" })
		force := a.What == "force"
		if m.question != nil || force && !admin || !force && len(stops) > 0 {
			return
		}
		m.question = &questionModel{asked: now, past: stops}
		for _, id := range m.holds {
			m.question.known = append(m.question.known, id)
		}
	case "promote":
		if q := m.question; admin && q != nil {
			stops := m.stops(now, func(commit string, id int) bool { return commit != "7d7d7d7" || !slices.Contains(q.known, id) })
			m.decided = !slices.ContainsFunc(stops, func(id int) bool { return !slices.Contains(q.past, id) })
		}
	}
	m.passes(now)
}
