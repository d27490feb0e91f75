package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// steady is what of a world a switch changes, and its counterpart changes back.
func steady(w state) state {
	w.Journal, w.Bot.processState = nil, processState{Running: w.Bot.Running}
	w.Jenkins.URL, w.GitHub.URL, w.Bugzilla.URL = "", "", "" // another port, after a reset
	for i := range w.Bugzilla.Bugs {
		w.Bugzilla.Bugs[i].URL = ""
		if w.Bugzilla.Bugs[i].Open {
			w.Bugzilla.Bugs[i].Status = "" // one that is opened again is REOPENED
		}
	}
	w.Bot.Sockets = min(w.Bot.Sockets, 1)
	for i := range w.Environments {
		w.Environments[i].URL = ""
	}
	for i := range w.Runs {
		w.Runs[i].Started = 0
	}
	return w
}

// After every switch its counterpart, or else a reset, brings the world back.
func TestRevertible(t *testing.T) {
	t.Parallel()
	c, _ := visit(t)
	c.await("the bot has connected", func() bool { return c.world().Bot.Sockets > 0 })
	began := steady(c.world())
	back := map[string]string{
		"kill": "start", "stop": "start", "app-break": "app-mend", "serve-old": "serve-new",
		"jenkins-down": "jenkins-up", "github-down": "github-up", "slack-hostile": "slack-behave", "ci-red": "ci-green",
		"contact-away": "contact-back", "contact-quiet": "contact-heard", "topic": "topic-usual", "hurry": "unhurry",
		"bugzilla-resolve": "bugzilla-reopen", "bugzilla-wrong-key": "bugzilla-right-key", "bugzilla-down": "bugzilla-up",
		// What heals by itself, or the bot does.
		"slack-drop": "", "slack-deaf": "",
	}
	counterparts := []string{"start", "app-mend", "serve-new", "jenkins-up", "github-up", "slack-behave", "ci-green", "contact-back", "contact-heard", "topic-usual", "unhurry", "bugzilla-reopen", "bugzilla-right-key", "bugzilla-up"}
	for _, k := range c.world().Switches {
		if k.Group == "databases" {
			continue // there are none here; TestDatabases tries them
		}
		if slices.Contains(counterparts, k.Name) {
			if k.Possible {
				t.Errorf("%s can be turned when there is nothing to undo", k.Name)
			}
			continue // it is tried after the other
		}
		if k.Name == "fail-stage" {
			c.turn("proceed-by-hand") // so that there is one that works
		}
		c.turn(k.Name)
		undo, ok := back[k.Name]
		switch {
		case !ok:
			c.turn("reset")
		case undo != "":
			if same(began, steady(c.world())) {
				t.Errorf("%s changes nothing that can be seen", k.Name)
			}
			c.turn(undo)
		}
		var last state
		if !c.comes(func() bool { last = steady(c.world()); return same(began, last) }) {
			t.Fatalf("after %s and %q the world is not as it was: %s", k.Name, undo, difference(began, last))
		}
	}
}

// What began hostile can be so again, with the same seed, and it is printed.
func TestHostileAgain(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	how := quick
	how.Seed, how.Out = 4711, &out
	c, _ := visitWith(t, how)
	if w := c.world(); w.Hostile != 4711 {
		t.Errorf("it begins with seed %d", w.Hostile)
	}
	c.turn("slack-behave")
	if w := c.world(); w.Hostile != 0 {
		t.Errorf("it behaves with seed %d", w.Hostile)
	}
	c.turn("slack-hostile")
	if w := c.world(); w.Hostile != 4711 {
		t.Errorf("it is hostile again with seed %d", w.Hostile)
	}
	c.do("/api/world/slack-hostile", map[string]string{"seed": "42"})
	if w := c.world(); w.Hostile != 42 {
		t.Errorf("it is hostile with seed %d, not the one that was given", w.Hostile)
	}
	c.turn("reset")
	if w := c.world(); w.Hostile != 4711 {
		t.Errorf("after a reset it begins with seed %d", w.Hostile)
	}
	if want := "Slack behaves now.\nSlack is a little hostile now, seed 4711.\nSlack is a little hostile now, seed 42.\n"; out.String() != want {
		t.Errorf("printed: %q", out.String())
	}
}

// same compares two worlds as the page gets them.
func same(a, b state) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

func difference(a, b state) string {
	var x, y any
	for v, st := range map[*any]state{&x: a, &y: b} {
		text, err := json.Marshal(st)
		if err != nil {
			return err.Error()
		}
		if err := json.Unmarshal(text, v); err != nil {
			return err.Error()
		}
	}
	return cmp.Diff(x, y)
}
