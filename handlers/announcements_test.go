package handlers_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/fakehttp"
	"thbot/integrations/jenkins/fakejenkins"
	"thbot/integrations/slack/fakeslack"
)

var (
	deploysPlayed = flag.Int("deploys", usualDeploys, "how many deploys TestAnnouncements plays, over its seeds")
	onlySeed      = flag.Uint64("seed", 0, "the one seed that TestAnnouncements plays; 0: its usual ones")
)

// TestAnnouncements plays many deploys at random moments and with random fates,
// by hand and by the bot, while the bot and Jenkins are restarted, Slack limits
// one call in ten and Jenkins fails one in fifty. Then it compares what Jenkins
// did with what the channel was told: each deploy and each failure exactly
// once, and nothing that was not so.
func TestAnnouncements(t *testing.T) {
	seeds := []uint64{1, 2, 3}
	if *onlySeed != 0 {
		seeds = []uint64{*onlySeed}
	}
	for i, seed := range seeds {
		n := (*deploysPlayed*(i+1))/len(seeds) - *deploysPlayed*i/len(seeds)
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlay(t)
				p.slack.random, p.slack.oneIn = numbers(seed, 1), 10
				p.jenkins.random, p.jenkins.oneIn = numbers(seed, 2), 50
				p.start()
				p.all(seed, n)
				p.end()
				t.Logf("seed %d: %d deploys in %s; the bot was stopped %d times and killed %d times, Jenkins restarted %d times; %d of %d calls to Slack limited, %d of %d to Jenkins failed",
					seed, n, time.Since(p.began).Round(time.Minute), p.stops, p.kills, p.restarts, p.slack.hit, p.slack.calls, p.jenkins.hit, p.jenkins.calls)
				p.judge()
			})
		})
	}
}

// fate is what becomes of a deploy.
type fate struct {
	name   string
	weight int
	play   func(p *playing, r *rand.Rand, d deploy)
	fails  string // the stage that fails by itself
	ends   bool   // it ends all runs that are not over
	// reverted says that the run succeeds, and what it deployed is never live.
	reverted bool
}

// deploy is a run of the pipeline, whose stages take so long.
type deploy struct {
	run                   int
	commit                string
	build, stage, product time.Duration
}

var fates = []fate{
	{name: "left alone", weight: 25},
	{name: "promoted by the bot", weight: 22, play: (*playing).byBot},
	{name: "promoted by hand", weight: 12, play: (*playing).byHand},
	{name: "promoted by hand at two inputs", weight: 5, play: (*playing).byHandTwice},
	{name: "rolled back from production", weight: 3, play: (*playing).rolledBack, reverted: true},
	{name: "promoted by hand and by the bot", weight: 4, play: (*playing).byBoth},
	{name: "rejected", weight: 8, play: func(p *playing, r *rand.Rand, d deploy) {
		d.promotable(r)
		patiently(func() error { return p.Jenkins.RejectByHand(world.Job, d.run, "Promote", "bea") })
	}},
	{name: "aborted while it is built", weight: 4, play: func(p *playing, r *rand.Rand, d deploy) { p.abort(d, d.build/2) }},
	{name: "aborted on its way to stage", weight: 4, play: func(p *playing, r *rand.Rand, d deploy) { p.abort(d, d.build+d.stage/2) }},
	{name: "aborted on its way to production", weight: 5, play: func(p *playing, r *rand.Rand, d deploy) {
		d.promotable(r)
		p.alone(r, d, func() {
			if patiently(func() error { return p.Jenkins.ProceedByHand(world.Job, d.run, "Promote", "cid", nil) }) {
				p.abort(d, d.product/2)
			}
		})
	}},
	{name: "fails to build", weight: 5, fails: world.Build},
	{name: "fails to reach stage", weight: 6, fails: world.ToStage},
	{name: "fails in production, promoted by hand", weight: 4, fails: world.ToProd, play: (*playing).byHand},
	{name: "fails in production, promoted by the bot", weight: 5, fails: world.ToProd, play: (*playing).byBot},
	{name: "supersedes others", weight: 4, ends: true},
}

// played is what is to become of a run.
type played struct {
	run          int
	commit, name string
	reverted     bool
}

// playing is a world in which many deploys happen, and the bot in it.
type playing struct {
	*world.World
	t              *testing.T
	dir            string
	began          time.Time
	production     chan struct{} // has room while nobody deploys to it
	life           *life         // of the bot: the last one
	lives          int
	slack, jenkins misfortune
	era            int // the milestone that runs pass when they begin
	fates          []played

	stops, kills, restarts int
}

// misfortune hits one in so many calls of a service, or none.
type misfortune struct {
	mu         sync.Mutex
	random     *rand.Rand
	oneIn      int
	calls, hit int
}

func (m *misfortune) strikes() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if m.oneIn == 0 || m.random.IntN(m.oneIn) > 0 {
		return false
	}
	m.hit++
	return true
}

func (m *misfortune) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls
}

func numbers(seed, sort uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, sort)) }

func newPlay(t *testing.T) *playing {
	p := &playing{World: world.New(world.Pace{Rollout: 20 * time.Second}), t: t, dir: t.TempDir(), began: time.Now(), production: make(chan struct{}, 1)}
	p.Gate(p.misbehave)
	p.OnPipe()
	if err := p.Usual(); err != nil {
		t.Fatal(err)
	}
	return p
}

// misbehave is the gate of all services. What goes wrong with a call is chosen
// before its gate, so it is the next one that is hit.
func (p *playing) misbehave(call, moment string) {
	switch service, what, _ := strings.Cut(call, " "); {
	case moment != fakehttp.Arrived, strings.HasPrefix(what, "envelope "), strings.HasPrefix(what, "ack "):
	case service == "slack" && p.slack.strikes():
		p.Slack.RateLimit(fakeslack.Any, 1, 2*time.Second)
	case service == "jenkins" && p.jenkins.strikes():
		p.Jenkins.Disturb(fakejenkins.Trouble{Times: 1, Status: 502})
	}
}

// all plays n deploys, and ends when nothing is left to be said.
func (p *playing) all(seed uint64, n int) {
	var under sync.WaitGroup
	over := make(chan struct{})
	under.Go(func() { p.disturb(numbers(seed, 3), over) })
	var deploys sync.WaitGroup
	r := numbers(seed, 4)
	for i := range n {
		d, f := p.push(r, i)
		if f.play != nil {
			mine := numbers(seed, 1000+uint64(i))
			deploys.Go(func() { f.play(p, mine, d) })
		}
		wait(time.Duration(r.Int64N(int64(90 * time.Second))))
	}
	deploys.Wait()
	close(over)
	under.Wait()
	wait(15 * time.Minute)
}

func wait(d time.Duration) { <-time.After(d) }

// push pushes a commit to master, which starts a run.
func (p *playing) push(r *rand.Rand, i int) (deploy, fate) {
	f := pick(r)
	seconds := func(least, most int) time.Duration { return time.Duration(least+r.IntN(most-least)) * time.Second }
	d := deploy{build: seconds(10, 60), stage: seconds(20, 50), product: seconds(20, 60)}
	d.commit = p.Push(fmt.Sprintf("%07x", 0xc000000+i), []string{"bea", "cid", "dov"}[i%3], fmt.Sprintf("Bug %d - Change number %d (#%d)", 1800000+i, i+1, 9200+i))
	if f.ends {
		p.era++
	}
	spec := fakejenkins.RunSpec{Parameters: map[string]string{"ImageTag": "master-" + d.commit}, Stages: []fakejenkins.StageSpec{
		{Name: world.Build, Takes: d.build, Milestone: p.era},
		{Name: world.ToStage, Takes: d.stage},
		{Name: world.ToProd, Takes: d.product, Input: &world.Promotion},
	}}
	for j := range spec.Stages {
		if spec.Stages[j].Name == f.fails {
			spec.Stages[j].Fails = "script returned exit code 1"
		}
	}
	var err error
	if d.run, err = p.Jenkins.StartRun(world.Job, spec); err != nil {
		p.t.Error(err)
	}
	p.fates = append(p.fates, played{d.run, d.commit, f.name, f.reverted})
	return d, f
}

func pick(r *rand.Rand) fate {
	all := 0
	for _, f := range fates {
		all += f.weight
	}
	n := r.IntN(all)
	for _, f := range fates {
		if n -= f.weight; n < 0 {
			return f
		}
	}
	panic("unreachable: n is less than all weights")
}

// promotable is when a deploy waits at its input, and a while later.
func (d deploy) promotable(r *rand.Rand) {
	wait(d.build + d.stage + time.Second + time.Duration(r.Int64N(int64(3*time.Minute))))
}

func (p *playing) abort(d deploy, in time.Duration) {
	wait(in)
	_ = p.Jenkins.AbortRun(world.Job, d.run, "dov") // it may be over: superseded
}

// patiently tries what may have to wait until a run has come so far, and gives
// up when it never does.
func patiently(try func() error) bool {
	for range 6 {
		if try() == nil {
			return true
		}
		wait(10 * time.Second)
	}
	return false
}

// alone is for those who look that nobody else deploys to production. Some do
// not, and nobody does for ever.
func (p *playing) alone(r *rand.Rand, d deploy, f func()) {
	patience := time.Duration(r.IntN(4)) * 90 * time.Second
	select {
	case p.production <- struct{}{}:
		f()
		wait(d.product + 40*time.Second)
		<-p.production
	case <-time.After(patience):
		f()
	}
}

func (p *playing) byHand(r *rand.Rand, d deploy) {
	d.promotable(r)
	p.alone(r, d, func() {
		patiently(func() error { return p.Jenkins.ProceedByHand(world.Job, d.run, "Promote", "cid", nil) })
	})
}

// byBot asks the bot, which may be away, or limited, or may refuse.
func (p *playing) byBot(r *rand.Rand, d deploy) {
	d.promotable(r)
	p.alone(r, d, func() {
		for range 3 {
			line := "/th deploy prod " + d.commit[:7]
			if _, err := p.Slack.Say("U0ANA", world.Channel, line); err != nil {
				p.t.Error(err)
			}
			wait(10*time.Second + time.Duration(r.Int64N(int64(30*time.Second))))
			if p.pressPromote(d) {
				return
			}
		}
	})
}

// byHandTwice lets a run go on that comes to a further input.
func (p *playing) byHandTwice(r *rand.Rand, d deploy) {
	d.promotable(r)
	p.alone(r, d, func() {
		proceed := func(input string) func() error {
			return func() error { return p.Jenkins.ProceedByHand(world.Job, d.run, input, "cid", nil) }
		}
		if !patiently(proceed("Promote")) {
			return
		}
		if p.Jenkins.AddInput(world.Job, d.run, fakejenkins.InputSpec{ID: "Full", Message: "To all of it?"}) == nil {
			wait(40 * time.Second) // so that the bot sees the one before the other
			patiently(proceed("Full"))
		}
	})
}

// rolledBack is a deploy that somebody takes back while it is rolled out: for a
// while one answer in three is the new one, and then none is.
func (p *playing) rolledBack(r *rand.Rand, d deploy) {
	p.production <- struct{}{}
	defer func() { <-p.production }()
	d.promotable(r)
	if !patiently(func() error { return p.Jenkins.ProceedByHand(world.Job, d.run, "Promote", "cid", nil) }) {
		return
	}
	before, production := p.Live("production"), p.Apps["production"]
	for late := time.After(d.product + time.Minute); p.State("production").Next != d.commit; {
		select {
		case <-p.Changed():
		case <-late:
			return
		}
	}
	p.Serve("production", before)
	production.Rollout(before, d.commit)
	production.Share(30)
	wait(time.Minute)
	if p.Live("production") == before && p.State("production").Next == "" {
		production.Serve(before)
	}
	wait(time.Minute)
}

// byBoth is somebody in Jenkins who is as quick as who answers the bot.
func (p *playing) byBoth(r *rand.Rand, d deploy) {
	d.promotable(r)
	p.alone(r, d, func() {
		if _, err := p.Slack.Say("U0BOB", world.Channel, "/th deploy prod "+d.commit[:7]); err != nil {
			p.t.Error(err)
		}
		wait(20 * time.Second)
		p.pressPromote(d)
		wait(time.Duration(r.IntN(3)) * 500 * time.Millisecond)
		patiently(func() error { return p.Jenkins.ProceedByHand(world.Job, d.run, "Promote", "cid", nil) })
	})
}

// pressPromote presses the button of the question about d, if it is there.
func (p *playing) pressPromote(d deploy) bool {
	b, shown := p.question(d.commit)
	if !shown {
		return false
	}
	_, err := p.Slack.Press("U0BOB", world.Channel, b.message, b.action, b.value)
	return err == nil
}

// question is the button that promotes a commit, if there is one.
func (p *playing) question(commit string) (button, bool) {
	for _, m := range slices.Backward(p.Slack.Messages("U0BOB", world.Channel)) {
		if !strings.Contains(m.Plain, "→ `"+commit[:7]+"`") {
			continue
		}
		for _, b := range m.Buttons() {
			if b.Label == "Promote" {
				return button{message: m.TS, action: b.ActionID, value: b.Value}, true
			}
		}
	}
	return button{}, false
}

// disturb stops, kills and starts the bot, and restarts Jenkins, until over.
func (p *playing) disturb(r *rand.Rand, over <-chan struct{}) {
	short := func() { wait(time.Duration(r.Int64N(int64(time.Minute)))) }
	for {
		select {
		case <-over:
			return
		case <-time.After(20*time.Second + time.Duration(r.Int64N(int64(4*time.Minute)))):
		}
		switch n := r.IntN(10); {
		case n < 4:
			p.kill(r.IntN(30))
			if r.IntN(2) == 0 {
				short()
			}
			p.start()
		case n < 6:
			p.stop()
			short()
			p.start()
		case n < 7 && r.IntN(3) == 0:
			p.stop()
			wait(time.Duration(r.Int64N(int64(20 * time.Minute))))
			p.start()
		case n < 9:
			p.restarts++
			p.Jenkins.Restart()
		default:
			p.Jenkins.Down(true)
			short()
			p.Jenkins.Down(false)
		}
	}
}

func (p *playing) end() {
	p.stop()
	if err := p.Close(); err != nil {
		p.t.Error(err)
	}
	for _, what := range p.Unexpected() {
		p.t.Errorf("a fake was asked for something that the real one would not understand: %s", what)
	}
	wait(5 * time.Second) // see stage.end
}
