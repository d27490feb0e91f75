package world_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"thbot/cmd/sandbox/world"
	"thbot/cmd/thbot/app"
	"thbot/integrations/slack/fakeslack"
)

// In a hostile world a promotion still happens once, and is told of once, and
// whoever is refused is told once.
func TestHostile(t *testing.T) {
	var all hits
	for _, seed := range []uint64{1, 42, 4711} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := start(t, world.New(world.Real), func(w *world.World) { w.Hostile(seed) })
				h := promote(t, w)
				all = hits{all.twice + h.twice, all.late + h.late, all.limited + h.limited}
			})
		})
	}
	if all.twice == 0 || all.late == 0 || all.limited == 0 {
		t.Errorf("the world was not hostile: %+v", all)
	}
}

func TestBenign(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, world.New(world.Real), func(w *world.World) { w.Hostile(42); w.Hostile(0) })
		if hit := promote(t, w); hit.twice > 1 || hit.late > 0 || hit.limited > 0 { // one may have been decided before
			t.Errorf("the world is hostile: %+v", hit)
		}
	})
}

// A world of another file is one in which the bot works: other names, other
// ids, a pace of its own, a branch beside master, and runs of all sorts.
func TestOtherWorld(t *testing.T) {
	f, err := world.Load("testdata/other.yaml")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := start(t, f.New(world.Real), nil)
		if n := len(w.People()); n != 2 || w.Places()[0].ID != "C0SHIP" {
			t.Errorf("people and places: %v %v", w.People(), w.Places())
		}
		if head := w.GitHub.Branch("prototype"); head != world.Commit("0000003") {
			t.Errorf("prototype is at %s", head)
		}
		if bugs := w.Bugzilla.Bugs(); len(bugs) != 2 || bugs[0].Resolution != "FIXED" || bugs[0].Description != "Please do it." ||
			bugs[1].Creator != "lee@example.org" || len(bugs[1].Groups) != 1 || bugs[1].Resolution != "" {
			t.Errorf("bugs: %+v", bugs)
		}
		runs, err := w.Jenkins.Runs(world.Job)
		if err != nil || len(runs) != 3 {
			t.Fatalf("runs: %v %v", runs, err)
		}
		if r := runs[2]; r.Number != 7 || r.DisplayName != "0000001" || r.Result != "FAILURE" || r.Causes[0].User != "dov" || w.Carries(7) != world.Commit("0000001") {
			t.Errorf("the first run: %+v", r)
		}
		<-time.After(5 * time.Second) // the pace is the file's: it has deployed to stage, and waits
		if runs, _ := w.Jenkins.Runs(world.Job); len(runs[0].Inputs) != 1 || w.Live("stage") != world.Commit("0000002") {
			t.Errorf("the run that was building: %+v, stage serves %s", runs[0], w.Live("stage"))
		}
		if _, err := w.Slack.Say("U01", "C0SHIP", "/th deploy prod"); err != nil {
			t.Fatal(err)
		}
		press(t, w, "U01", "C0SHIP", "Promote")
		await(t, w, func() bool { return said(w, "U01", "C0SHIP", "Production is now on") == 1 })
		if w.Live("production") != world.Commit("0000002") {
			t.Errorf("production serves %s", w.Live("production"))
		}
	})
}

// start starts the bot in the usual state of w, ends it with the test, and
// fails for what a fake did not expect.
func start(t *testing.T, w *world.World, before func(*world.World)) *world.World {
	t.Helper()
	w.OnPipe()
	if err := w.Usual(); err != nil {
		t.Fatal(err)
	}
	if before != nil {
		before(w)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "thbot.yaml")
	if err := os.WriteFile(file, []byte(w.Config("sqlite:"+filepath.Join(dir, "thbot.db"), "idle: 1h")), 0o600); err != nil {
		t.Fatal(err)
	}
	env := world.Env()
	config, secrets, err := app.Load(file, func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- app.Run(ctx, app.Options{Config: config, Secrets: secrets, Log: zap.NewNop(), Dial: w.Dial})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the bot ended with %v", err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if u := w.Unexpected(); len(u) > 0 {
			t.Errorf("unexpected: %v", u)
		}
		// go-github leaves the body of an error unclosed, and with it a goroutine
		// that ends with the request's time limit.
		<-time.After(5 * time.Second)
	})
	await(t, w, func() bool { return w.Slack.Sockets() == 2 })
	return w
}

func await(t *testing.T, w *world.World, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if err := w.Slack.Await(ctx, done); err != nil {
		for _, m := range w.Slack.Messages("U0ANA", world.Channel) {
			t.Log(m.Render())
		}
		t.Fatal(err)
	}
}

// said is how many messages of the bot, as somebody sees them, contain text.
func said(w *world.World, who, channel, text string) (n int) {
	for _, m := range w.Slack.Messages(who, channel) {
		if m.User == fakeslack.BotUser && strings.Contains(m.Plain, text) {
			n++
		}
	}
	return n
}

// press waits for a button and presses it.
func press(t *testing.T, w *world.World, who, channel, label string) {
	t.Helper()
	pressed := false
	await(t, w, func() bool {
		for _, m := range w.Slack.Messages(who, channel) {
			for _, b := range m.Buttons() {
				if b.Label == label && !pressed {
					pressed = true
					d, err := w.Slack.Press(who, channel, m.TS, b.ActionID, b.Value)
					if err != nil {
						t.Fatal(err)
					}
					if err := d.Wait(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		return pressed
	})
}

// insist lets ana act until the bot says what she wants to hear, and again
// whenever it says that it could do nothing.
func insist(t *testing.T, w *world.World, wanted string, act func()) {
	t.Helper()
	count := func(text string) int { return said(w, "U0ANA", world.Channel, text) }
	for count(wanted) == 0 {
		refused := count("nothing was done")
		act()
		await(t, w, func() bool { return count(wanted) > 0 || count("nothing was done") > refused })
		<-time.After(time.Minute)
	}
}

// asks is how often gus asks, so that enough happens for some of it to go wrong.
const asks = 60

// hits are how often something went wrong.
type hits struct{ twice, late, limited int }

// promote lets gus, a guest, ask often, which is refused, and ana promote. It returns how
// hostile Slack has been, by its own journal.
func promote(t *testing.T, w *world.World) hits {
	t.Helper()
	var h hits
	for range asks {
		asked := time.Now()
		d, err := w.Slack.Say("U0GUS", world.Channel, "/th deploy prod")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if time.Since(asked) > 100*time.Millisecond {
			h.late++
		}
		<-time.After(3 * time.Second)
	}
	if n := said(w, "U0GUS", world.Channel, "othing was done"); n != asks {
		t.Errorf("%d refusals of %d commands", n, asks)
	}
	insist(t, w, "Promote to production?", func() {
		if _, err := w.Slack.Say("U0ANA", world.Channel, "/th deploy prod"); err != nil {
			t.Fatal(err)
		}
	})
	insist(t, w, "Production is now on", func() { press(t, w, "U0ANA", world.Channel, "Promote") })
	<-time.After(10 * time.Minute) // a second one would come now
	if n := len(w.Jenkins.Proceeds()); n != 1 {
		t.Errorf("%d proceeds", n)
	}
	if n := said(w, "U0ANA", world.Channel, "Production is now on"); n != 1 {
		t.Errorf("%d announcements", n)
	}
	if live := w.Live("production"); live != world.Commit("9f8e7d6") {
		t.Errorf("production serves %s", live)
	}
	seen := map[string]bool{}
	for _, e := range w.Slack.Journal() {
		id, _, written := strings.Cut(e.Note, " to socket ")
		switch {
		case e.Note == "answered 429":
			h.limited++
		case strings.HasPrefix(e.Call, "slack envelope ") && written:
			if seen[id] {
				h.twice++
			}
			seen[id] = true
		}
	}
	return h
}
