package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/jenkins/fakejenkins"
)

const pia = "U0PIA" // pushes to prototype

// often lets the bot look often at what it watches: as often as two cores can
// take it from a dozen bots at once.
var often = []string{"not_live: 1m", "not_live: 1m, watch: 400ms"}

// known lets the bot know what there is: an app is believed when it has said
// the same three times, and is asked once more after that was noted. What reads
// ahead asks two of them, too.
var known = act{happens: func(ctx context.Context, p *play) error {
	for app, times := range map[string]int{"production": 5, "stage": 5, world.Prototype: 4} {
		if err := p.called(ctx, "treeherder "+app+" GET __version__", times); err != nil {
			return err
		}
	}
	return nil
}}

// deployments are scenarios of what the bot only announces, and of ways back.
var deployments = []scenario{
	{
		// A run that bob let go on in Jenkins, past a lock.
		name: "announce by hand", pace: swift, config: often,
		acts: []act{
			connected,
			{who: cleo, say: "/th lock prod the database moves", reads: "Production is locked"},
			known,
			{happens: byHand, who: ana, reads: "✔ Production is now on"},
			{who: ana, reads: "*Production is on* `9f8e7d6`"},
		},
		from: 3, to: 4,
		comes: []number{locked(1), posted("⚠ bob let run 812 go on in Jenkins, past this: cleo has locked production"),
			messages("announcements", 1, "Promoting 9f8e7d6 to production* — bob let it go on", "*Production is on* `9f8e7d6`"),
			posted("✔ Production is now on `9f8e7d6`"), proceeds(0), live("9f8e7d6"), runEnded("SUCCESS")},
		least: 40, blind: true, whole: true,
	},
	{
		name: "announce stage", pace: world.Pace{ToStage: 100 * time.Millisecond, Rollout: 50 * time.Millisecond}, config: often,
		acts: []act{
			connected, known,
			{happens: push, who: ana, reads: "*Stage is on* `7d7d7d7`"},
		},
		from: 2, to: 2,
		comes: []number{posted("*Stage is on* `7d7d7d7`"), proceeds(0), live("445ee07"), liveOn("stage", "7d7d7d7")},
		least: 20, blind: true,
	},
	{
		name: "announce prototype", pace: swift, config: often,
		acts: []act{
			connected, known,
			{happens: func(_ context.Context, p *play) error {
				p.PushTo(world.Prototype, "8a8a8a8", "pia", "Try something else")
				return nil
			}, who: ana, reads: "✔ Prototype is now on 8a8a8a8; it was on `f5a6b7c`"},
		},
		from: 2, to: 2,
		comes: []number{posted("✔ Prototype is now on 8a8a8a8"), proceeds(0), live("445ee07"), liveOn(world.Prototype, "8a8a8a8")},
		least: 10, blind: true,
	},
	{
		name: "announce failure", pace: world.Pace{ToStage: time.Hour}, config: often,
		acts: []act{
			connected, known,
			{happens: fail, who: ana, reads: "The end of the log:"},
		},
		from: 2, to: 2,
		comes: []number{posted("✘ The deploy of 7d7d7d7 to stage did not come out"), posted("The end of the log:"), proceeds(0), live("445ee07"),
			liveOn("stage", "9f8e7d6"), runEnded("FAILURE")},
		least: 20, blind: true,
	},
	{
		name: "revert", pace: swift, config: often, before: migrated,
		acts: []act{
			connected, known,
			{who: cleo, say: "/th revert prod 445ee07", reads: "Revert production?"},
			{who: cleo, press: "I know: model/0005_push_note stays", on: "Revert production?", reads: "somebody of cloudOps can confirm"},
			{who: cleo, press: "Revert", on: "Revert production?", reads: "✔ Production is back on",
				// It was written down that a rebuild begins, and that is all that happened.
				unsure: "⚠ Whether Jenkins has begun to rebuild run 810", settle: []act{
					{who: cleo, press: "It was not started", on: "Reverting production", reads: "✘ The revert of production to `445ee07` did not come out"},
					{who: cleo, say: "/th revert prod 445ee07", reads: "Revert production?"},
					{who: cleo, press: "I know: model/0005_push_note stays", on: "Revert production?", reads: "somebody of cloudOps can confirm"},
				}},
			{who: cleo, reads: "*Production is back on* `445ee07`"},
			{who: ana, reads: "*Production is locked* by cleo"},
			{who: ana, reads: "*Stage is on* `445ee07`"},
		},
		from: 2, to: 7,
		comes: []number{unsettled(messages("questions", 1, "Revert production?", "*Revert production* confirmed", "Reverting production to 445ee07", "*Production is back on*")),
			doubts("⚠ Whether Jenkins has begun"), unsettled(messages("failures", 0, "✘ The revert of production to")),
			posted("✔ Production is back on"), locked(1), posted("*Stage is on* `445ee07`"), rebuilds(1), proceeded("Promote"), proceeds(1), astray("445ee07"),
			live("445ee07"), liveOn("stage", "445ee07"), runEnded("SUCCESS")},
		least: 60, blind: true,
	},
	{
		// The rebuilt run carries another commit, since the job does not pin it.
		name: "revert unpinned", pace: swift, unpinned: true,
		acts: []act{
			connected,
			{who: ana, say: "/th revert prod 70c3e55", reads: "Revert production?"},
			{who: ana, press: "Revert", on: "Revert production?", reads: "carries `9f8e7d6` and not `70c3e55`",
				unsure: "⚠ Whether Jenkins has begun to rebuild run 808", settle: []act{
					{who: ana, press: "It was not started", on: "Reverting production", reads: "✘ The revert of production to `70c3e55` did not come out"},
					{who: ana, say: "/th revert prod 70c3e55", reads: "Revert production?"},
				}},
			{who: ana, reads: "✘ The revert of production to `70c3e55` did not come out (asked by @ana). Run 813, the rebuild, carries"},
		},
		from: 2, to: 3,
		comes: []number{unsettled(messages("questions", 1, "Revert production?", "*Revert production* confirmed", "Reverting production to", "*The revert of production did not")),
			doubts("⚠ Whether Jenkins has begun"), unsettled(messages("failures", 1, "✘ The revert of production to")), rebuilds(1), proceeds(0), live("445ee07")},
		least: 30,
	},
	{
		// Without looking only messages double: to make a backup again, and to move
		// a branch again that is compared first, changes nothing.
		name: "reset", pace: swift, config: often,
		acts: []act{
			connected, known,
			{who: pia, say: "/th reset prototype", reads: "Reset prototype to master?"},
			{who: pia, press: "Reset", on: "Reset prototype to master?", reads: "✔ Prototype is now on"},
			{who: pia, reads: "*Prototype is on* `9f8e7d6` of master"},
		},
		from: 2, to: 4,
		comes: []number{messages("questions", 1, "Reset prototype", "Resetting prototype", "*Prototype is on*"), posted("Prototype's branch is on `9f8e7d6`"),
			posted("✔ Prototype is now on"), backups("f5a6b7c"), heads("f5a6b7c", "9f8e7d6"), proceeds(0), live("445ee07"), liveOn(world.Prototype, "9f8e7d6")},
		least: 40, blind: true,
	},
	{
		name: "undo a reset", pace: swift, config: often,
		acts: []act{
			connected, known,
			{who: pia, say: "/th reset prototype", reads: "Reset prototype to master?"},
			{who: pia, press: "Reset", on: "Reset prototype to master?", reads: "✔ Prototype is now on `9f8e7d6`"},
			{who: pia, press: "Undo…", on: "*Prototype is on* `9f8e7d6`", reads: "Reset prototype to prototype-before-"},
			{who: ana, press: "Reset", on: "Reset prototype to prototype-before-", reads: "✔ Prototype is now on `f5a6b7c`"},
			{who: ana, reads: "*Prototype is on* `f5a6b7c` of prototype-before-"},
		},
		from: 4, to: 4, // from there on it is a reset like the one above
		comes: []number{messages("questions", 2, "Reset prototype", "Resetting prototype", "*Prototype is on*"), posted("Prototype's branch is on `9f8e7d6`"),
			posted("Prototype's branch is on `f5a6b7c`"), posted("✔ Prototype is now on `9f8e7d6`"), posted("✔ Prototype is now on `f5a6b7c`"),
			backups("f5a6b7c", "9f8e7d6"), heads("f5a6b7c", "9f8e7d6", "f5a6b7c"), proceeds(0), live("445ee07"), liveOn(world.Prototype, "f5a6b7c")},
		least: 15,
	},
}

func byHand(_ context.Context, p *play) error {
	return p.Jenkins.ProceedByHand(world.Job, 812, "Promote", "bob", nil)
}

func push(_ context.Context, p *play) error {
	_, err := p.Run(p.Push("7d7d7d7", "cid", "Bug 1790002 - Sort by date (#9102)"), "", world.Promotion)
	return err
}

// fail lets the deploy to stage of a push fail.
func fail(ctx context.Context, p *play) error {
	run, err := p.Run(p.Push("7d7d7d7", "cid", "Bug 1790002 - Sort by date (#9102)"), "", world.Promotion)
	if err != nil {
		return err
	}
	for {
		changed := p.Jenkins.Changed()
		if p.Jenkins.FailStage(world.Job, run, world.ToStage) == nil {
			return nil // it has come to that stage
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// migrated lets there be a migration in production that a revert would leave.
func migrated(w *world.World) error {
	w.Serve("production", w.Push("7d7d7d7", "cid", "Bug 1790002 - Note pushes (#9102)", world.Migration("model/0005_push_note", "model/0004_remove_failureline_repository")))
	return nil
}

// unsettled is n but for one of it each time that people had to say whether
// something had happened.
func unsettled(n number) number {
	count := n.count
	n.count = func(p *play) int { return count(p) - p.settled }
	return n
}

// doubts are the messages that ask people whether something has happened, but for
// the first, which one kill is a reason for.
func doubts(text string) number {
	n := messages("doubts", 0, text)
	count := n.count
	n.count = func(p *play) int { return max(0, count(p)-1) }
	return n
}

// rebuilds are the runs that the bot has started, and how often it asked for one.
func rebuilds(want int) number {
	return number{"rebuilds", nil, func(p *play) (sum int) {
		for _, e := range p.Jenkins.Journal() {
			if e.What == "started" && e.Who == fakejenkins.User {
				sum++
			}
		}
		return max(sum, p.calls(" POST ", "/rebuild/"))
	}, want}
}

// astray are the runs with another commit that were let go on.
func astray(commit string) number {
	return number{"runs that were let go on with another commit", nil, func(p *play) (sum int) {
		for _, pr := range p.Jenkins.Proceeds() {
			if p.Carries(pr.Run) != world.Commit(commit) {
				sum++
			}
		}
		return sum
	}, 0}
}

// backups are the branches that keep these heads of prototype, and no more.
func backups(kept ...string) number {
	return number{"backups", nil, func(p *play) (sum int) {
		var found []string
		for _, ref := range p.GitHub.Repo("").Branches() {
			if strings.HasPrefix(ref, "prototype-before-") {
				found = append(found, p.GitHub.Branch(ref))
			}
		}
		for _, short := range kept {
			if !slices.Contains(found, world.Commit(short)) {
				return 0
			}
		}
		return len(found)
	}, len(kept)}
}

// heads is where the branch prototype has been.
func heads(shorts ...string) number {
	return number{"heads of prototype", nil, func(p *play) int {
		p.mu.Lock()
		defer p.mu.Unlock()
		for i, short := range shorts {
			if i >= len(p.heads) || p.heads[i] != world.Commit(short) {
				return i
			}
		}
		return len(p.heads)
	}, len(shorts)}
}
