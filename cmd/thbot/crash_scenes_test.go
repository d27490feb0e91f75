package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/jenkins/fakejenkins"
	"thbot/integrations/slack/fakeslack"
)

// Who plays: two admins, and one of cloudOps.
const (
	ana  = "U0ANA"
	bob  = "U0BOB"
	cleo = "U0CLEO"
)

// scenario is what people do, and what must have come of it.
type scenario struct {
	name   string
	pace   world.Pace
	config []string // what to replace in the configuration, and by what
	// unpinned: a rebuilt run deploys the newest commit, whatever the first one did.
	unpinned bool
	before   func(w *world.World) error // what is in the world beside the usual
	acts     []act
	from     int      // the first act whose gates are killed at; 0: from the start of the process
	to       int      // the last one
	comes    []number // of it
	least    int      // gates that are passed, so that they are there at all
	blind    bool     // it is played without looking, too, and then does something twice
	whole    bool     // it is killed while reading, too
	// databases: it is about those of Treeherder.
	databases bool
}

// number is how often something is the case in the end. Less is lost, more is
// double. One that counts messages of the channel has their texts: of those
// that are in none of a scenario's numbers there must not be any.
type number struct {
	what  string
	texts []string
	count func(p *play) int
	want  int
}

var (
	swift = world.Pace{ToProd: 150 * time.Millisecond, Rollout: 50 * time.Millisecond}
	// endless is a deploy that only ends by being aborted.
	endless = world.Pace{ToProd: time.Hour}
)

var connected = act{}

var scenarios = []scenario{
	{
		name: "promote", pace: swift,
		acts: []act{
			connected,
			{who: ana, say: "/th deploy prod", reads: "Promote to production?"},
			{who: ana, press: "Promote", on: "Promote to production?", reads: "Production is now on"},
			{who: ana, reads: "*Production is on*"},
		},
		from: 0, to: 3,
		comes: []number{question(1), ended(1), proceeded("Promote"), proceeds(1), live("9f8e7d6"), runEnded("SUCCESS")},
		least: 100, blind: true, whole: true,
	},
	{
		name: "lock", pace: swift,
		acts: []act{
			connected,
			{who: ana, say: "/th lock prod for 2h checking the new index", reads: "Production is locked"},
			{who: bob, say: "/th deploy prod", reads: "I asked nothing. ana has locked production"},
			{who: ana, press: "Unlock", on: "Production is locked", reads: "Production can be changed again"},
			{who: bob, say: "/th deploy production", reads: "Promote to production?"},
		},
		from: 1, to: 4,
		comes: []number{locked(1), answered(bob, "I asked nothing. ana has locked production"), posted("Production can be changed again: ana has unlocked it"),
			reads("*Production is unlocked* by ana"), question(1), proceeds(0), live("445ee07")},
		least: 40,
	},
	{
		// That one lock, and cleo's, is there in the end, is what a promotion and
		// a status say, and that there is none when that one is lifted.
		name: "take over", pace: swift,
		acts: []act{
			connected,
			{who: ana, say: "/th lock prod for 2h checking the new index", reads: "Production is locked"},
			{who: cleo, say: "/th lock prod for 1h moving the database", reads: "Take over the lock of production?"},
			{who: cleo, press: "Take over", on: "Take over the lock of production?", reads: "cleo has taken over your lock"},
			{who: cleo, reads: "was taken over by cleo"},
			{who: bob, say: "/th status prod", reads: "⚠ cleo has locked production"},
			{who: bob, say: "/th deploy prod", reads: "I asked nothing. cleo has locked production"},
			{who: cleo, press: "Unlock", on: "*Production is locked* by cleo", reads: "Production can be changed again"},
			{who: bob, say: "/th deploy production", reads: "Promote to production?"},
		},
		from: 2, to: 4,
		comes: []number{locked(1), posted("Take over the lock of production?"), posted("cleo has taken over your lock"), reads("was taken over by cleo"),
			answered(bob, "I asked nothing. cleo has locked production"), posted("Production can be changed again: cleo has unlocked it"),
			question(1), proceeds(0), live("445ee07")},
		least: 40,
	},
	{
		name: "hold", pace: swift,
		acts: []act{
			connected,
			{who: bob, say: "/th hold 3c4d5e6 its cache is not warm", reads: "Held back:"},
			{who: ana, say: "/th deploy prod", reads: "I asked nothing. bob holds"},
			{who: cleo, say: "/th unhold 3c4d5e6", reads: "can be promoted again: cleo has lifted the hold"},
			{who: ana, say: "/th deploy production", reads: "Promote to production?"},
		},
		from: 1, to: 4,
		comes: []number{posted("Held back:"), answered(ana, "I asked nothing. bob holds"), posted("can be promoted again: cleo has lifted the hold of"),
			reads("can be promoted again; cleo has lifted the hold of bob"), question(1), proceeds(0), live("445ee07")},
		least: 40,
	},
	{
		name: "abort", pace: endless,
		acts: []act{
			connected,
			{who: ana, say: "/th deploy prod", reads: "Promote to production?"},
			{who: ana, press: "Promote", on: "Promote to production?", reads: "◐ deploy to production"},
			{who: cleo, press: "Abort run", on: "Promoting 9f8e7d6 to production", reads: "to production was aborted"},
			{who: cleo, reads: "*Promotion to production aborted* by cleo"},
		},
		from: 3, to: 4,
		comes: []number{question(1), posted("The promotion of `9f8e7d6` to production was aborted"), proceeded("Promote"), proceeds(1),
			runEnded("ABORTED"), live("445ee07")},
		least: 40,
	},
	{
		name: "abort by command", pace: endless,
		acts: []act{
			connected,
			{who: ana, say: "/th deploy prod", reads: "Promote to production?"},
			{who: ana, press: "Promote", on: "Promote to production?", reads: "◐ deploy to production"},
			{who: cleo, say: "/th abort prod", reads: "Abort the promotion to production?"},
			{who: cleo, press: "Abort run", on: "Abort the promotion to production?", reads: "to production was aborted"},
			{who: cleo, reads: "*Aborting the promotion to production* confirmed by cleo"},
			{who: cleo, reads: "*Promotion to production aborted* by cleo"},
		},
		from: 3, to: 6,
		comes: []number{question(1), posted("Abort the promotion to production?"), posted("The promotion of `9f8e7d6` to production was aborted"),
			proceeded("Promote"), proceeds(1), runEnded("ABORTED"), live("445ee07")},
		least: 40,
	},
	{
		name: "two inputs", pace: swift, before: canary,
		acts: []act{
			connected,
			{who: ana, say: "/th deploy prod", reads: "Promote to production?"},
			{who: ana, press: "Promote", on: "Promote to production?", reads: "Promoting 9f8e7d6 to production"},
			{who: bob, reads: "waits for another input"},
			{who: bob, press: "Go on", on: "Roll out to all?", reads: "Production is now on"},
			{who: bob, reads: "*Production is on*"},
		},
		from: 3, to: 5,
		comes: []number{question(1), posted("(asked by @ana) waits for another input"), ended(1), proceeded("Promote"), proceeded("All"), proceeds(2),
			live("9f8e7d6"), runEnded("SUCCESS")},
		least: 40, blind: true,
	},
	{
		name: "two people", pace: swift, config: []string{"confirm: {expires: 20m}", "confirm: {expires: 20m, people: 2}"},
		acts: []act{
			connected,
			{who: ana, say: "/th deploy prod", reads: "Promote to production?"},
			{who: ana, press: "Promote", on: "Promote to production?", reads: "1 of 2: confirmed by ana"},
			{who: bob, press: "Promote", on: "1 of 2: confirmed by ana", reads: "Promoting 9f8e7d6 to production", or: "*Production is on*"},
			{who: bob, reads: "Production is now on"},
			{who: bob, reads: "*Production is on*"},
		},
		from: 2, to: 3,
		comes: []number{question(1), ended(1), proceeded("Promote"), proceeds(1), live("9f8e7d6"), runEnded("SUCCESS")},
		least: 40,
	},
}

// canary lets a run wait that asks a second time, when its first pods are up.
func canary(w *world.World) error {
	_, err := w.Jenkins.StartRun(world.Job, fakejenkins.RunSpec{
		Parameters: map[string]string{"ImageTag": "master-" + world.Commit("9f8e7d6")},
		Stages: []fakejenkins.StageSpec{
			{Name: world.Build}, {Name: world.ToStage},
			{Name: "deploy canary", Takes: 100 * time.Millisecond, Input: &world.Promotion},
			{Name: world.ToProd, Takes: 100 * time.Millisecond, Input: &fakejenkins.InputSpec{ID: "All", Message: "Roll out to all?"}},
		},
	})
	return err
}

// announcements are of what the bot watches beside any play; each may be there
// once.
var announcements = []string{"*Stage is on*"}

// judge says what is not as it must be; err: they did not get to the end.
func (p *play) judge(err error) (lost, double string) {
	var less, more []string
	if err != nil {
		less = append(less, err.Error())
	}
	known := func(m fakeslack.Message) bool {
		return slices.ContainsFunc(p.comes, func(n number) bool { return begins(m, n.texts) })
	}
	announced := map[string]bool{}
	for _, m := range p.posts() {
		if text := first(m); !known(m) && (!begins(m, announcements) || announced[text]) {
			more = append(more, "besides: "+text)
		} else {
			announced[text] = true
		}
	}
	for _, n := range p.comes {
		switch is := n.count(p); {
		case is < n.want:
			less = append(less, fmt.Sprintf("%d %s, not %d", is, n.what, n.want))
		case is > n.want:
			more = append(more, fmt.Sprintf("%d %s, not %d", is, n.what, n.want))
		}
	}
	return strings.Join(less, "; "), strings.Join(more, "; ")
}

// first is how a message was posted.
func first(m fakeslack.Message) string {
	if len(m.Past) > 0 {
		return m.Past[0].Plain
	}
	return m.Plain
}

// begins says whether a message had one of these texts when it was posted.
func begins(m fakeslack.Message, texts []string) bool {
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(first(m), text) })
}

// messages are those that had one of these texts when they were posted.
func messages(what string, want int, texts ...string) number {
	return number{what, texts, func(p *play) (sum int) {
		for _, m := range p.posts() {
			if begins(m, texts) {
				sum++
			}
		}
		return sum
	}, want}
}

func posted(text string) number { return messages("times “"+text+"”", 1, text) }

// question is that of a promotion. A second one could also be posted late,
// when it is answered already.
func question(want int) number {
	return messages("questions", want, "Promote to production?", "Promote to production* confirmed", "Promoting 9f8e7d6", "*Production is on*")
}

func ended(want int) number { return messages("ends", want, "Production is now on") }

// reads is a message that says so now.
func reads(text string) number {
	return number{"messages that read “" + text + "”", nil, func(p *play) (sum int) {
		for _, m := range p.posts() {
			if strings.Contains(m.Plain, text) {
				sum++
			}
		}
		return sum
	}, 1}
}

// locked counts locks. A lock that is made anew is one that somebody asked for
// once more, since Slack had told them that it did not work.
func locked(want int) number {
	n := messages("locks", want, "Production is locked")
	n.count = func(p *play) (sum int) {
		anew := 0
		for _, m := range p.posts() {
			if begins(m, n.texts) {
				sum++
			}
			if strings.Contains(m.Plain, "was made anew by") {
				anew++
			}
		}
		return sum - min(anew, p.repeats)
	}
	return n
}

// answered is an answer to one person alone, once to each time they ask. A
// whisper cannot be looked up: what may have been sent is sent again, marked.
func answered(who, text string) number {
	return number{"answers “" + text + "”", nil, func(p *play) int {
		all, marked := 0, 0
		for _, m := range p.whispers(who) {
			if strings.Contains(m.Plain, text) {
				all++
				if strings.Contains(m.Plain, "Perhaps repeated") {
					marked++
				}
			}
		}
		if all == 0 {
			return 0
		}
		return max(1, all-marked-p.repeats)
	}, 1}
}

// proceeded is an input of the run that the bot has answered with yes.
func proceeded(input string) number {
	return number{"answers to the input " + input, nil, func(p *play) (sum int) {
		for _, pr := range p.Jenkins.Proceeds() {
			if pr.Input == input {
				sum++
			}
		}
		return sum
	}, 1}
}

// proceeds is how often Jenkins was asked to go on.
func proceeds(want int) number {
	return number{"requests to go on", nil, func(p *play) int { return p.calls("/proceed") }, want}
}

func live(commit string) number { return liveOn("production", commit) }

func liveOn(app, commit string) number {
	return number{"times " + app + " on " + commit, nil, func(p *play) int {
		if p.Live(app) == world.Commit(commit) {
			return 1
		}
		return 0
	}, 1}
}

// runEnded is the one run that ended while people played.
func runEnded(result string) number {
	return number{"runs that ended, with " + result + " as they must,", nil, func(p *play) (sum int) {
		for _, e := range p.Jenkins.Journal() {
			switch {
			case e.What == "ended "+result:
				sum++
			case strings.HasPrefix(e.What, "ended "):
				sum += 2 // which is wrong in any case
			}
		}
		return sum
	}, 1}
}
