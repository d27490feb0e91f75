package main

import (
	"fmt"
	"slices"

	"thbot/integrations/bugzilla/fakebugzilla"
)

// bugzilla is the service, and the bugs in it.
type bugzilla struct {
	service
	Bugs []bug `json:"bugs"` // newest first
}

type bug struct {
	ID         int    `json:"id"`
	URL        string `json:"url"` // its page
	Summary    string `json:"summary"`
	By         string `json:"by"`                   // a login
	Resolution string `json:"resolution,omitempty"` // empty: it is open
	Private    bool   `json:"private"`
}

func (sc *scene) bugzilla() bugzilla {
	st := bugzilla{service{sc.URL("bugzilla"), sc.outages().Bugzilla, false}, []bug{}}
	for _, b := range slices.Backward(sc.Bugzilla.Bugs()) {
		st.Bugs = append(st.Bugs, bug{b.ID, fmt.Sprintf("%sshow_bug.cgi?id=%d", st.URL, b.ID), b.Summary, b.Creator, b.Resolution, len(b.Groups) > 0})
	}
	return st
}

// newestBug reports whether the newest bug is so.
func newestBug(is func(fakebugzilla.Bug) bool) func(*scene) bool {
	return func(sc *scene) bool {
		all := sc.Bugzilla.Bugs()
		return len(all) > 0 && is(all[len(all)-1])
	}
}

func isOpen(b fakebugzilla.Bug) bool   { return b.Resolution == "" }
func isClosed(b fakebugzilla.Bug) bool { return b.Resolution != "" }

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
