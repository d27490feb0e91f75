package handlers_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/fakehttp"
)

// TestResetAgainstAPush resets prototype as often as that passes moments after
// the click, and lets somebody push to it at each of them: the bot's calls to
// GitHub, arrived, done or answered, with GraphQL and where there is only REST,
// also where the answer to the move is lost. What is pushed must be there in the
// end, whatever the bot replaces must have been shown and be kept, and what it
// says must be so.
//
// Without GraphQL nobody can compare and move at once: what is pushed after the
// last look and before the move is lost (see github.Client.MoveBranch), and that
// alone.
func TestResetAgainstAPush(t *testing.T) {
	for name, way := range map[string]odds{
		"GraphQL": {}, "GraphQL, its answer lost": {lose: true}, "REST": {rest: true}, "REST, its answer lost": {rest: true, lose: true},
		"prototype is only ahead": {lies: ahead}, "prototype is only behind": {lies: behind},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reset := func(after ...int) (passed int) {
				p := pushing{odds: way}
				p.after = after
				synctest.Test(t, func(t *testing.T) {
					if err := p.play(t); err != nil {
						t.Error(err)
					}
				})
				return len(p.passed) - p.since
			}
			passed := reset()
			if passed < 20 {
				t.Fatalf("only %d moments were passed", passed)
			}
			for at := 0; at < passed; at += oneMomentIn {
				reset(at)
			}
		})
	}
}

// TestResetAgainstPushes lets people push more often, and before the question,
// too, and puts the branch back again.
func TestResetAgainstPushes(t *testing.T) {
	t.Parallel()
	played := 0
	rapid.Check(t, func(rt *rapid.T) {
		if played++; played > usualPushes {
			return
		}
		p := pushing{odds: odds{
			rest:   rapid.Bool().Draw(rt, "REST alone"),
			lose:   rapid.IntRange(0, 3).Draw(rt, "answers lost") == 0,
			undo:   rapid.Bool().Draw(rt, "undone"),
			lies:   rapid.SampledFrom([]lie{apart, ahead, behind}).Draw(rt, "where prototype is"),
			before: rapid.SliceOfNDistinct(rapid.IntRange(0, 52), 0, 1, rapid.ID).Draw(rt, "pushes before the question"),
			after:  rapid.SliceOfNDistinct(rapid.IntRange(0, 33), 0, 3, rapid.ID).Draw(rt, "pushes after the click"),
		}}
		var wrong error
		synctest.Test(t, func(t *testing.T) { wrong = p.play(t) })
		if wrong != nil {
			rt.Fatal(wrong)
		}
	})
}

// odds are under what a reset is played.
type odds struct {
	rest          bool // there is no GraphQL
	lose          bool // the answer to the first move
	undo          bool // it is put back again
	lies          lie
	before, after []int // when somebody pushes: moments since it was asked for, and since it was confirmed
}

// pushing is a reset, and people who push at some of the moments that it passes.
type pushing struct {
	odds

	*stage
	mu      sync.Mutex
	passed  []string // since the first reset was asked for
	begun   bool
	since   int    // how many were passed before what counts now
	at      []int  // which of these
	head    string // of prototype, when it was seen last
	pushes  []pushed
	changes []change
}

// lie is how prototype lies to master at first.
type lie int

const (
	apart  lie = iota // each has commits that the other has not
	ahead             // only prototype has
	behind            // only master has
)

// pushed is a commit that somebody pushed, and at which moment.
type pushed struct {
	sha string
	at  int
}

// change is what the bot did to prototype, seen at which moment.
type change struct {
	from, to string
	at       int
}

func (p *pushing) play(t *testing.T) error {
	p.stage = &stage{World: world.New(world.Real), t: t, dir: t.TempDir(), seen: map[string]string{}, edits: []string{"watch: 29173ms", "watch: 24h"}}
	p.Gate(p.pass)
	p.OnPipe()
	defer p.end()
	if err := p.Usual(); err != nil {
		return err
	}
	switch p.lies {
	case ahead:
		p.GitHub.SetBranch(world.Master, world.Commit("70c3e55"))
	case behind:
		p.GitHub.SetBranch(world.Prototype, world.Commit("445ee07"))
		p.Serve(world.Prototype, world.Commit("445ee07"))
	}
	if p.rest {
		p.GitHub.AnswersTo("POST graphql", http.StatusNotFound, `{"message":"Not Found"}`)
	}
	if err := p.start(); err != nil {
		return err
	}
	later(20 * time.Second)
	p.mu.Lock()
	p.begun, p.head = true, p.GitHub.Branch(world.Prototype)
	p.mu.Unlock()
	count := func(at []int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.since, p.at = len(p.passed), at
	}
	var shown []string
	ask := func(how func() error) error {
		count(p.before)
		if err := how(); err != nil {
			return err
		}
		later(5 * time.Second)
		b, err := p.find("U0PIA", "Reset")
		if err != nil {
			return nil // there was nothing to reset; that is told
		}
		shown = append(shown, p.reads(b.message))
		count(p.after)
		if err := p.press("pia", b); err != nil {
			return err
		}
		later(3 * time.Minute)
		return nil
	}
	err := ask(func() error { _, err := p.Slack.Say("U0PIA", world.Channel, "/th reset prototype"); return err })
	if err != nil {
		return err
	}
	if b, none := p.find("U0PIA", "Undo…"); p.undo && none == nil {
		err = ask(func() error { return p.press("pia", b) })
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.look()
	return errors.Join(err, p.judge(shown))
}

// later lets time pass, and the bot do what it does by then.
func later(d time.Duration) { <-time.After(d); synctest.Wait() }

// reads is how a message reads.
func (p *pushing) reads(ts string) string {
	for _, m := range p.Slack.Messages("U0PIA", world.Channel) {
		if m.TS == ts {
			return m.Plain
		}
	}
	return ""
}

// pass is the gate of all services.
func (p *pushing) pass(call, moment string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.begun || !strings.HasPrefix(call, "github ") {
		return
	}
	p.look()
	n := len(p.passed)
	p.passed = append(p.passed, call+" "+moment)
	if slices.Contains(p.at, n-p.since) {
		p.push(n)
	}
	if write := call == "github POST graphql" && !p.rest || call == "github PATCH ref"; p.lose && write && moment == fakehttp.Done {
		p.lose = false
		panic(http.ErrAbortHandler)
	}
}

// push is somebody who pushes a commit to where prototype is.
func (p *pushing) push(n int) {
	sha := p.PushTo(world.Prototype, fmt.Sprintf("%07x", 0xe000000+len(p.pushes)), "pia", "Try more")
	commits := p.GitHub.Commits()
	if base := commits[len(commits)-1].Parents[0]; base != p.head { // the bot has moved it just now
		p.changes = append(p.changes, change{p.head, base, n})
	}
	p.head = sha
	p.pushes = append(p.pushes, pushed{sha, n})
}

// look notes where prototype is; what nobody pushed is the bot's doing.
func (p *pushing) look() {
	if at := p.GitHub.Branch(world.Prototype); at != p.head {
		p.changes = append(p.changes, change{p.head, at, len(p.passed)})
		p.head = at
	}
}

// judge says what is not as it must be; shown are the questions that were
// confirmed.
func (p *pushing) judge(shown []string) error {
	var wrong []error
	no := func(f string, args ...any) { wrong = append(wrong, fmt.Errorf(f, args...)) }
	kept := map[string]bool{}
	for _, name := range p.GitHub.Repo("").Branches() {
		if strings.HasPrefix(name, "prototype-before-") {
			kept[p.GitHub.Branch(name)] = true
		}
	}
	if len(p.changes) > len(shown) {
		no("it was moved %d times, and confirmed %d times", len(p.changes), len(shown))
	}
	excused := map[string]bool{}
	for _, c := range p.changes {
		asked := slices.ContainsFunc(shown, func(q string) bool { return strings.Contains(q, fmt.Sprintf("`%.7s` → `%.7s`", c.from, c.to)) })
		if !asked && p.excuse(c, excused) {
			continue
		}
		if !asked {
			no("%.7s was replaced by %.7s, which was not asked", c.from, c.to)
		}
		if !kept[c.from] {
			no("%.7s was replaced, and is not kept", c.from)
		}
	}
	for _, c := range p.pushes {
		is := p.leads(c.sha, p.head)
		for backup := range kept {
			is = is || p.leads(c.sha, backup)
		}
		if !is && !excused[c.sha] {
			no("%.7s, pushed at %d, is lost", c.sha, c.at)
		}
	}
	p.said(no)
	if len(wrong) == 0 {
		return nil
	}
	p.hear()
	return fmt.Errorf("%w\npushed %v, done %v\n%s\n%s", errors.Join(wrong...), p.pushes, p.changes, strings.Join(p.passed, "\n"), strings.Join(p.heard, "\n"))
}

// said compares what people were told with what was done.
func (p *pushing) said(no func(f string, args ...any)) {
	moved := 0
	for _, m := range p.Slack.Messages("U0PIA", world.Channel) {
		if strings.Contains(m.Plain, "Prototype's branch is on") {
			moved++
		}
		for _, denial := range []string{"I have not moved it", "Nothing was done. `"} {
			if strings.Contains(m.Plain, denial) && len(p.changes) > 0 && !p.undo {
				no("it was moved, and people read %q", m.Plain)
			}
		}
		if strings.Contains(m.Plain, "does not serve it after") {
			no("the app serves what was pushed, and people read %q", m.Plain)
		}
		for _, open := range []string{"confirmed by pia; checking", "*Resetting prototype"} {
			if strings.Contains(m.Plain, open) {
				no("it has come to no end: %q", m.Plain)
			}
		}
	}
	if moved != len(p.changes) {
		no("it was moved %d times, which was told %d times", len(p.changes), moved)
	}
}

// excuse says whether nobody could have known what was lost by a change: all of
// it was pushed between the last look, after GraphQL was asked in vain, and the
// move. It is noted.
func (p *pushing) excuse(c change, excused map[string]bool) bool {
	last := func(before int, moment string) int {
		for i := before - 1; i >= 0; i-- {
			if p.passed[i] == moment {
				return i
			}
		}
		return -1
	}
	patch := last(c.at, "github PATCH ref arrived")
	look := last(patch, "github GET ref done")
	if !p.rest || patch < 0 || look < last(patch, "github POST graphql answered") {
		return false
	}
	lost := 0
	for _, push := range p.pushes {
		if p.leads(push.sha, c.from) && push.at >= look && push.at <= patch {
			excused[push.sha] = true
			lost++
		}
	}
	return lost > 0
}

// leads says whether to has the commit from in it.
func (p *pushing) leads(from, to string) bool {
	parents := map[string][]string{}
	for _, c := range p.GitHub.Commits() {
		parents[c.SHA] = c.Parents
	}
	for todo := []string{to}; len(todo) > 0; todo = todo[1:] {
		if todo[0] == from {
			return true
		}
		todo = append(todo, parents[todo[0]]...)
	}
	return false
}
