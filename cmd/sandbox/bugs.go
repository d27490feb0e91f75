package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"thbot/integrations/bugzilla/fakebugzilla"
)

// bugzilla is the service, and the bugs in it.
type bugzilla struct {
	service
	Revoked bool  `json:"revoked"` // the bot's key does not work
	Bugs    []bug `json:"bugs"`    // newest first
}

type bug struct {
	ID      int    `json:"id"`
	URL     string `json:"url"` // its page
	Summary string `json:"summary"`
	By      string `json:"by"`     // who filed it
	Status  string `json:"status"` // "NEW", "RESOLVED FIXED"
	Open    bool   `json:"open"`
	Private bool   `json:"private"`
}

func (sc *scene) bugzilla() bugzilla {
	broken := sc.outages()
	st := bugzilla{service{sc.URL("bugzilla"), broken.Bugzilla, false}, broken.Key, []bug{}}
	for _, b := range slices.Backward(sc.Bugzilla.Bugs()) {
		by, _, _ := strings.Cut(b.Creator, "@")
		st.Bugs = append(st.Bugs, bug{b.ID, fmt.Sprintf("%sshow_bug.cgi?id=%d", st.URL, b.ID), b.Summary, by,
			strings.TrimSpace(b.Status + " " + b.Resolution), b.Resolution == "", len(b.Groups) > 0})
	}
	return st
}

// tracking are the switches of Bugzilla.
func tracking() []knob {
	down := func(sc *scene) bool { return sc.outages().Bugzilla }
	revoked := func(sc *scene) bool { return sc.outages().Key }
	return []knob{
		{Name: "bugzilla-resolve", Group: "bugzilla", Label: "Resolve", Does: "Somebody of cloudOps closes the newest bug as FIXED.", Possible: newestBug(true), Do: resolve("FIXED", "is resolved, FIXED")},
		{Name: "bugzilla-reopen", Group: "bugzilla", Label: "Open again", Does: "The newest bug was not fixed after all.", Possible: newestBug(false), Do: resolve("", "is open again")},
		{Name: "bugzilla-500", Group: "bugzilla", Label: "Fail once", Does: "The next request is answered 500, and not done.", Do: befall(fakebugzilla.Broken(), "The next request is answered 500.")},
		{Name: "bugzilla-slow", Group: "bugzilla", Label: "Be slow once", Does: fmt.Sprintf("The next bug is filed, but the answer takes %s.", slowly), Do: befall(
			fakebugzilla.Trouble{Call: "POST bug", Slow: slowly}, fmt.Sprintf("The next bug is filed, and the answer takes %s.", slowly))},
		{Name: "bugzilla-wrong-key", Group: "bugzilla", Label: "Revoke key", Does: "The bot's API key does not work any more.", Possible: not(revoked), Do: keyRevoked(true)},
		{Name: "bugzilla-right-key", Group: "bugzilla", Label: "Restore key", Does: "The key works again.", Possible: revoked, Do: keyRevoked(false)},
		{Name: "bugzilla-down", Group: "bugzilla", Label: "Take it away", Does: "Bugzilla answers 503 to everything.", Possible: not(down), Do: bugzillaDown(true)},
		{Name: "bugzilla-up", Group: "bugzilla", Label: "Give it back", Does: "Bugzilla answers again.", Possible: down, Do: bugzillaDown(false)},
	}
}

// slowly is longer than anybody waits for an answer.
const slowly = 40 * time.Second

func not(is func(*scene) bool) func(*scene) bool {
	return func(sc *scene) bool { return !is(sc) }
}

// newestBug reports whether there is a newest bug, and it is open, or is not.
func newestBug(open bool) func(*scene) bool {
	return func(sc *scene) bool {
		all := sc.Bugzilla.Bugs()
		return len(all) > 0 && (all[len(all)-1].Resolution == "") == open
	}
}

// resolve closes the newest bug, or opens it again.
func resolve(resolution, done string) act {
	return func(_ *sandbox, sc *scene, _ map[string]string) (string, error) {
		all := sc.Bugzilla.Bugs()
		if len(all) == 0 {
			return "", refusal{409, "There is no bug."}
		}
		newest := all[len(all)-1].ID
		return fmt.Sprintf("Bug %d %s.", newest, done), sc.Bugzilla.Resolve(newest, resolution)
	}
}

func befall(t fakebugzilla.Trouble, done string) act {
	return func(_ *sandbox, sc *scene, _ map[string]string) (string, error) {
		sc.Bugzilla.Next(t)
		return done, nil
	}
}

func keyRevoked(yes bool) act {
	return func(_ *sandbox, sc *scene, _ map[string]string) (string, error) {
		sc.mu.Lock()
		sc.broken.Key = yes
		sc.mu.Unlock()
		if yes {
			sc.Bugzilla.Revoke(fakebugzilla.Key)
			return "The bot's key for Bugzilla is revoked.", nil
		}
		sc.Bugzilla.Restore(fakebugzilla.Key)
		return "The bot's key for Bugzilla works again.", nil
	}
}

func bugzillaDown(down bool) act {
	return func(_ *sandbox, sc *scene, _ map[string]string) (string, error) {
		sc.mu.Lock()
		sc.broken.Bugzilla = down
		sc.mu.Unlock()
		if down {
			sc.Bugzilla.Down()
		} else {
			sc.Bugzilla.Mend()
		}
		return "Bugzilla " + doing(down), nil
	}
}
