package main

import (
	"cmp"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"

	"thbot/cmd/sandbox/world"
)

// A plausible commit.
type plausible struct {
	author, subject string
	files           []world.Change
}

// Those are pushed one after the other, and then again.
var (
	toMaster = []plausible{
		{"cid", "Bug 1790014 - Show retriggered jobs in one group (#9102)", nil},
		{"bea", "Bug 1790022 - Keep a note with each push (#9103)", []world.Change{
			world.Migration("model/0005_note", "model/0004_remove_failureline_repository")}},
		{"dov", "Bump django from 5.1.2 to 5.1.3 (#9104)", nil},
		{"cid", "Bug 1790031 - Explain why a summary has no suggestions (#9106)", nil},
		{"bea", "Bug 1790040 - Keep the filter when the page is reloaded (#9107)", nil},
	}
	toPrototype = []plausible{
		{"pia", "Show the summary in the list of pushes", nil},
		{"pia", "Fill in summaries of the last week", nil},
		{"bea", "Log how long a summary takes", nil},
	}
)

// next is what is pushed, and a new short commit for it.
func (sc *scene) next(from []plausible, params map[string]string) (short string, c plausible) {
	sc.mu.Lock()
	n := sc.pushes
	sc.pushes++
	sc.mu.Unlock()
	c = from[n%len(from)]
	c.subject = cmp.Or(strings.TrimSpace(params["subject"]), c.subject)
	c.author = cmp.Or(strings.TrimSpace(params["author"]), c.author)
	sum := sha1.Sum(fmt.Appendf(nil, "push %d", n))
	return hex.EncodeToString(sum[:])[:7], c
}

func push(_ *sandbox, sc *scene, params map[string]string) (string, error) {
	short, c := sc.next(toMaster, params)
	if err := sc.CI(world.Commit(short), cmp.Or(strings.TrimSpace(params["ci"]), world.Green)); err != nil {
		return "", refusal{400, sentence(err)}
	}
	commit := sc.Push(short, c.author, c.subject, c.files...)
	run, err := sc.Run(commit, "", world.Promotion)
	return fmt.Sprintf("%s pushed %s; run %d builds it.", c.author, short, run), err
}

func pushPrototype(_ *sandbox, sc *scene, params map[string]string) (string, error) {
	short, c := sc.next(toPrototype, params)
	sc.PushTo(world.Prototype, short, c.author, c.subject, c.files...)
	return fmt.Sprintf("%s pushed %s to prototype; it is rolled out.", c.author, short), nil
}

// ci makes CI say something of the newest commit of master.
func ci(state string) act {
	return func(_ *sandbox, sc *scene, _ map[string]string) (string, error) {
		head := sc.GitHub.Branch(world.Master)
		err := sc.CI(head, state)
		return fmt.Sprintf("CI says %s of %.7s now.", state, head), err
	}
}
