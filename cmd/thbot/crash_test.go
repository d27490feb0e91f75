package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"

	"thbot/cmd/sandbox/world"
	"thbot/cmd/thbot/app"
	"thbot/integrations/ledger/mariadbtest"
	"thbot/integrations/slack/fakeslack"
)

// The crash test plays one promotion with the real process and kills it
// (SIGKILL) at every gate: a request arrived, its effect done, its answer sent,
// and around every commit of the ledger. It starts the process again and plays
// on to the end. Its verdicts come from the fakes alone: what Jenkins was told,
// what app is live, and what stands in the channel. Never from the ledger.

var randomKills = flag.Int("kills", 0, "kill at so many random moments, too")

// child is the environment variable that makes the test binary be the bot.
const child = "THBOT_CRASH_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(child) != "" {
		beBot()
		return
	}
	os.Exit(m.Run())
}

// withoutRace builds the test binary again without the race detector: under it
// a dozen bots at once are too slow for the short periods they run with here.
func withoutRace(t *testing.T) string {
	bot := filepath.Join(t.TempDir(), "bot")
	out, err := exec.Command("go", "test", "-c", "-race=false", "-o", bot, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("building the bot: %v\n%s", err, out)
	}
	return bot
}

// beBot is the program, but for a gate around the ledger's commits that asks
// the test, and for the looking that the test can switch off.
func beBot() {
	config, secrets, err := app.Load(os.Getenv(child), os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	gate := func(call, moment string) {
		resp, err := http.Get(os.Getenv("THBOT_CRASH_GATE") + "?" + url.Values{"call": {call}, "moment": {moment}}.Encode())
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	err = app.Run(ctx, app.Options{Config: config, Secrets: secrets, Log: app.NewLogger(zapcore.AddSync(os.Stderr), secrets.All()...),
		Gate: gate, Blind: os.Getenv("THBOT_CRASH_BLIND") != ""})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// quickly are periods under which a promotion takes a second or two.
const quickly = "lease: 1500ms, limit: 700ms, idle: 100ms, watch: 1h, plan: 3s, follow: 60ms, live: 20ms, not_live: 10s"

var pace = world.Pace{ToProd: 150 * time.Millisecond, Rollout: 50 * time.Millisecond}

// gate is a moment at which the process can be killed: the nth time it comes.
type gate struct {
	Call, Moment string
	N            int
}

func (g gate) String() string { return fmt.Sprintf("%s, %s, %d", g.Call, g.Moment, g.N) }

// store is what the bot is, and where it keeps its ledger.
type store struct {
	binary   string
	database func(*testing.T) (url, password string) // a new one; "": a file of its own
}

// play is one promotion in a world of its own.
type play struct {
	*world.World
	t      *testing.T
	binary string
	config string
	env    []string
	gates  *httptest.Server

	mu      sync.Mutex
	passed  map[gate]int // by call and moment
	order   []gate
	at      *gate         // where to kill, once
	reached chan struct{} // closed when it was reached
	killed  chan struct{} // closed when the process is dead
	running *exec.Cmd
	ended   chan error
	log     string
}

func newPlay(t *testing.T, s store, at *gate, blind bool) *play {
	ledger, password := s.database(t)
	p := &play{World: world.New(pace), binary: s.binary, t: t, at: at, passed: map[gate]int{}, reached: make(chan struct{}), killed: make(chan struct{})}
	p.Gate(p.pass)
	if err := p.OnLoopback(); err != nil {
		t.Fatal(err)
	}
	if err := p.Usual(); err != nil {
		t.Fatal(err)
	}
	p.gates = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		p.pass("ledger "+r.FormValue("call"), r.FormValue("moment"))
	}))
	dir := t.TempDir()
	if ledger == "" {
		ledger = "sqlite:" + filepath.Join(dir, "thbot.db")
	}
	p.config, p.log = filepath.Join(dir, "thbot.yaml"), filepath.Join(dir, "log")
	if err := os.WriteFile(p.config, []byte(p.Config(ledger, quickly)), 0o600); err != nil {
		t.Fatal(err)
	}
	p.env = append(os.Environ(), child+"="+p.config, "THBOT_CRASH_GATE="+p.gates.URL, "THBOT_LEDGER_PASSWORD="+password, "GOMAXPROCS=2")
	if blind {
		p.env = append(p.env, "THBOT_CRASH_BLIND=1")
	}
	for name, value := range world.Env() {
		p.env = append(p.env, name+"="+value)
	}
	return p
}

// pass lets a moment pass, or holds it for ever to its caller, who is killed.
func (p *play) pass(call, moment string) {
	p.mu.Lock()
	g := gate{Call: call, Moment: moment}
	p.passed[g]++
	g.N = p.passed[g]
	p.order = append(p.order, g)
	here := p.at != nil && *p.at == g
	if here {
		close(p.reached)
	}
	p.mu.Unlock()
	if here {
		<-p.killed
	}
}

func (p *play) start() {
	p.t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	p.running = exec.Command(p.binary)
	p.running.Env, p.running.Stderr, p.running.Stdout = p.env, log, log
	if err := p.running.Start(); err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan error, 1)
	p.ended = ended
	go func(c *exec.Cmd) { ended <- c.Wait(); _ = log.Close() }(p.running)
}

func (p *play) kill() {
	_ = p.running.Process.Kill()
	<-p.ended
}

func (p *play) close() {
	p.kill()
	p.gates.Close()
	if err := p.World.Close(); err != nil {
		p.t.Error(err)
	}
}

// whoKills kills the process at its gate, or after a while, and starts it again.
func (p *play) whoKills(ctx context.Context, after time.Duration) {
	var timer <-chan time.Time
	if after > 0 {
		timer = time.After(after)
	}
	select {
	case <-p.reached:
	case <-timer:
	case <-ctx.Done():
		return
	}
	p.kill()
	close(p.killed)
	p.start()
}

// counts are what came of a play, by the fakes' own account.
type counts struct{ Proceeds, Asked, Questions, Ends, Refusals int }

func (p *play) counts() (c counts) {
	for _, m := range p.Slack.Messages("U0ANA", world.Channel) {
		if m.User != fakeslack.BotUser || m.Ephemeral {
			continue
		}
		first := m.Plain
		if len(m.Past) > 0 {
			first = m.Past[0].Plain
		}
		switch {
		case strings.Contains(first, "Promote to production?"), strings.Contains(first, "Promoting"):
			c.Questions++
		case strings.Contains(m.Plain, "Production is now on"):
			c.Ends++
		default:
			c.Refusals++
		}
	}
	c.Proceeds = len(p.Jenkins.Proceeds())
	p.mu.Lock()
	defer p.mu.Unlock()
	for g, n := range p.passed {
		if strings.Contains(g.Call, "/proceed") && g.Moment == "arrived" {
			c.Asked += n
		}
	}
	return c
}

// person is ana, who asks and confirms, and tries again when Slack tells her
// that something did not work, as people do.
func (p *play) person(ctx context.Context) error {
	for {
		d, err := p.Slack.Say("U0ANA", world.Channel, "/th deploy prod")
		if err != nil {
			return err
		}
		if d.Wait(ctx) == nil {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	answered := map[string]bool{}
	for {
		var question string
		var promote fakeslack.Button
		err := p.Slack.Await(ctx, func() bool {
			done := false
			for _, m := range p.Slack.Messages("U0ANA", world.Channel) {
				for _, b := range m.Buttons() {
					if b.Label == "Promote" && !m.Ephemeral && !answered[m.TS] {
						question, promote = m.TS, b
						return true
					}
				}
				done = done || strings.Contains(m.Plain, "Production is on")
			}
			question = ""
			return done && p.counts().Ends > 0
		})
		if err != nil || question == "" {
			return err
		}
		answered[question] = p.press(ctx, question, promote)
	}
}

// press answers a question, and is false if Slack says that it did not get
// through: people then press again, once there is somebody to hear it.
func (p *play) press(ctx context.Context, ts string, b fakeslack.Button) bool {
	d, err := p.Slack.Press("U0ANA", world.Channel, ts, b.ActionID, b.Value)
	if err != nil {
		return true // the question has other buttons by now
	}
	if d.Wait(ctx) == nil {
		return true
	}
	_ = p.Slack.Await(ctx, func() bool { return p.Slack.Sockets() > 0 })
	return false
}

// verdict is what is wrong with how a play ended; empty: nothing.
func (p *play) verdict(ctx context.Context, after time.Duration) (lost, double string) {
	p.start()
	defer p.close()
	over, stop := context.WithCancel(ctx)
	killer := make(chan struct{})
	go func() { p.whoKills(over, after); close(killer) }()
	if err := p.Slack.Await(ctx, func() bool { return p.Slack.Sockets() > 0 }); err != nil && p.at == nil {
		stop()
		<-killer
		return "it never connected", ""
	}
	err := p.person(ctx)
	if err == nil {
		// A second message, or a second proceed, would come now.
		quiet, enough := context.WithTimeout(ctx, 1200*time.Millisecond)
		_ = p.Slack.Await(quiet, func() bool { return p.counts().Ends > 1 })
		enough()
	}
	stop()
	<-killer
	c := p.counts()
	live := p.Live("production") == world.Commit("9f8e7d6")
	if err != nil || c.Ends == 0 || c.Proceeds == 0 || !live {
		lost = fmt.Sprintf("%v: %+v, live %v", err, c, live)
	}
	if c.Ends > 1 || c.Proceeds > 1 || c.Questions > 1 || c.Refusals > 0 || c.Asked > 1 {
		double = fmt.Sprintf("%+v", c)
	}
	if u := p.Unexpected(); len(u) > 0 {
		p.t.Errorf("unexpected: %v", u)
	}
	return lost, double
}

// list returns every gate of a promotion that is not killed. Of what is asked
// again and again while waiting, the first times stand for all.
func list(t *testing.T, s store) []gate {
	p := newPlay(t, s, nil, false)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if lost, double := p.verdict(ctx, 0); lost+double != "" {
		log, _ := os.ReadFile(p.log)
		t.Fatalf("without any kill: lost %q, double %q\n%s", lost, double, log)
	}
	return slices.DeleteFunc(slices.Clone(p.order), func(g gate) bool {
		switch {
		case strings.HasPrefix(g.Call, "ledger"):
			return g.N > 18
		case strings.Contains(g.Call, "chat.update"):
			return g.N > 3
		}
		return g.N > 2
	})
}

func TestCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("the crash test takes a minute; not with -short")
	}
	bot := withoutRace(t)
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		crash(t, store{bot, func(*testing.T) (string, string) { return "", "" }})
	})
	t.Run("mariadb", func(t *testing.T) {
		t.Parallel()
		server := mariadbtest.Start(t)
		crash(t, store{bot, func(t *testing.T) (string, string) { return server.Database(t) }})
	})
}

// abreast is how many plays run at once; most of their time they wait.
const abreast = 12

func crash(t *testing.T, s store) {
	gates := list(t, s)
	if len(gates) < 30 {
		t.Fatalf("only %d gates: %v", len(gates), gates)
	}
	looking := killAll(t, "looking", gates, s, false)
	// Blind, only what acts outside is of interest.
	acting := slices.DeleteFunc(slices.Clone(gates), func(g gate) bool {
		return !strings.Contains(g.Call, "chat.postMessage") && !strings.Contains(g.Call, "/proceed")
	})
	blind := killAll(t, "blind", acting, s, true)
	t.Logf("looking:     %3d gates, %d lost, %d double", len(gates), looking.lost, looking.double)
	t.Logf("not looking: %3d gates, %d lost, %d double", len(acting), blind.lost, blind.double)
	if looking.lost+looking.double > 0 {
		t.Errorf("%d lost, %d double:\n%s", looking.lost, looking.double, strings.Join(looking.where, "\n"))
	}
	if blind.double == 0 {
		t.Error("with looking switched off nothing is done twice: the kills hit nothing")
	}
	if *randomKills > 0 {
		n := min(*randomKills, 10_000)
		random := make([]gate, n)
		r := killAll(t, "random", random, s, false)
		t.Logf("random:      %3d kills, %d lost, %d double", n, r.lost, r.double)
		if r.lost+r.double > 0 {
			t.Errorf("random kills: %d lost, %d double:\n%s", r.lost, r.double, strings.Join(r.where, "\n"))
		}
	}
}

type tally struct {
	lost, double int
	where        []string // of each that was
}

func killAll(t *testing.T, name string, gates []gate, s store, blind bool) (sum tally) {
	var mu sync.Mutex
	places := make(chan struct{}, abreast)
	var all sync.WaitGroup
	for _, g := range gates {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			at, after := &g, time.Duration(0)
			if g == (gate{}) {
				at, after = nil, time.Duration(rand.Int64N(int64(2*time.Second)))
			}
			p := newPlay(t, s, at, blind)
			ctx, cancel := context.WithTimeout(t.Context(), 80*time.Second)
			defer cancel()
			lost, double := p.verdict(ctx, after)
			mu.Lock()
			defer mu.Unlock()
			if lost != "" {
				sum.lost++
			}
			if double != "" {
				sum.double++
			}
			if lost+double != "" && !blind {
				sum.where = append(sum.where, fmt.Sprintf("%s %s: lost %q, double %q", g, after, lost, double))
				log, _ := os.ReadFile(p.log)
				t.Logf("%s: killed at %s %s:\n  lost: %s\n  double: %s\n%s\n%s", name, g, after, lost, double, transcript(p), log)
			}
		})
	}
	all.Wait()
	return sum
}

func transcript(p *play) string {
	var b strings.Builder
	for _, m := range p.Slack.Messages("U0ANA", world.Channel) {
		b.WriteString(m.Render() + "\n")
	}
	order, _ := json.Marshal(p.order)
	return b.String() + string(order)
}
