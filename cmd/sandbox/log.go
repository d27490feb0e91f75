package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"thbot/cmd/sandbox/world"
)

// record is a line of the log of everything that crossed a wire.
type record struct {
	At   time.Time `json:"at"`
	Who  string    `json:"who"`
	Kind string    `json:"kind"` // envelope, ack, call or effect
	What string    `json:"what"`
}

// mostCalls is how many calls to Jenkins are remembered.
const mostCalls = 2000

// called remembers a call to Jenkins, whose fake keeps a journal of effects
// alone.
func (sc *scene) called(call string, status int) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.calls = append(sc.calls, record{time.Now(), "Jenkins", "call", fmt.Sprintf("%s %d", call, status)})
	if len(sc.calls) > 2*mostCalls {
		sc.calls = slices.Clone(sc.calls[mostCalls:])
	}
}

// wholeLog answers with every envelope, ack, call and effect, newest first.
func (s *sandbox) wholeLog(*http.Request) (any, error) {
	sc := s.now()
	sc.mu.Lock()
	all := append([]record{}, sc.calls...)
	sc.mu.Unlock()
	for _, e := range sc.Slack.Journal() {
		call := strings.TrimPrefix(e.Call, "slack ")
		kind, rest, ok := strings.Cut(call, " ")
		if !ok || kind != "envelope" && kind != "ack" {
			kind, rest = "call", call
		}
		if strings.HasPrefix(e.Note, rest) || strings.HasPrefix(e.Note, call) {
			rest = "" // the note says so already
		}
		note := strings.TrimPrefix(envelopeID.ReplaceAllString(e.Note, "$1"), kind+" ")
		all = append(all, record{e.At, "Slack", kind, strings.TrimSpace(rest + " " + note)})
	}
	for _, e := range sc.Jenkins.Journal() {
		all = append(all, record{e.At, "Jenkins", "effect", effect(e)})
	}
	for _, e := range sc.GitHub.Journal() {
		all = append(all, record{e.At, "GitHub", "call", fmt.Sprintf("%s %d", e.Call, e.Status)})
	}
	for _, e := range sc.Bugzilla.Journal() {
		all = append(all, record{e.At, "Bugzilla", "call", fmt.Sprintf("%s %d", e.Call, e.Status)})
	}
	for _, name := range world.Environments {
		for _, e := range sc.Apps[name].Journal() {
			all = append(all, record{e.At, name, "call", fmt.Sprintf("%s %d", e.Call, e.Status)})
		}
	}
	slices.SortStableFunc(all, func(a, b record) int { return b.At.Compare(a.At) })
	return all, nil
}
