package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/fakehttp"
)

// lease is how long what a dead process had claimed stays claimed.
const lease = 1500 * time.Millisecond

// limit is how long a request may take.
const limit = 700 * time.Millisecond

// quickly are periods under which a promotion takes a second or two.
var quickly = fmt.Sprintf("lease: %s, limit: %s, idle: 500ms, plan: 3s, follow: 60ms, live: 20ms, not_live: 1m", lease, limit)

// gate is a moment at which the process can be killed: the nth time it comes.
type gate struct {
	Call, Moment string
	N            int
}

func (g gate) String() string { return fmt.Sprintf("at %s, %s, %d", g.Call, g.Moment, g.N) }

// play is one performance of a scenario, in a world of its own.
type play struct {
	*world.World
	scenario
	t        *testing.T
	binary   string
	env      []string
	gates    *httptest.Server
	dir      string // with the ledger, if that is a file
	log      string // file
	own      string // what no other play has, for names on servers that all share
	*servers        // these; nil: it needs none

	mu      sync.Mutex
	counted bool           // gates are, now
	passed  map[gate]int   // how often, by call and moment
	order   []gate         // those that were counted
	asked   map[string]int // requests that arrived, by call, counted or not
	more    chan struct{}  // closed and forgotten at the next of them
	heads   []string       // where the branch prototype was, each time that it was somewhere else
	at      *gate          // where to kill, once

	strike  sync.Once
	reached chan struct{} // closed when it is time to kill
	bury    sync.Once
	dead    chan struct{} // closed when the process is
	back    chan struct{} // closed when there is another, and somebody hears
	running *exec.Cmd
	ended   chan error
	repeats int      // commands that were said again
	shown   []string // passwords, in order
	settled int      // times that people had to say whether something had happened
}

func newPlay(t *testing.T, sc scenario, s store, at *gate, blind bool) (*play, error) {
	ledger, password := s.database(t)
	p := &play{World: world.New(sc.pace), scenario: sc, binary: s.binary, t: t, at: at, own: strings.ToLower(rand.Text()[:10]),
		passed: map[gate]int{}, asked: map[string]int{},
		reached: make(chan struct{}), dead: make(chan struct{}), back: make(chan struct{})}
	p.Gate(p.pass)
	if err := p.OnLoopback(); err != nil {
		return nil, err
	}
	if sc.unpinned {
		p.Unpin()
	}
	if err := p.Usual(); err != nil {
		return nil, err
	}
	if sc.before != nil {
		if err := sc.before(p.World); err != nil {
			return nil, err
		}
	}
	p.gates = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		p.pass(r.FormValue("call"), r.FormValue("moment"))
	}))
	p.dir = t.TempDir()
	if ledger == "" {
		ledger = "sqlite:" + filepath.Join(p.dir, "thbot.db")
	}
	config := filepath.Join(p.dir, "thbot.yaml")
	p.log = filepath.Join(p.dir, "log")
	text := strings.NewReplacer(sc.config...).Replace(p.Config(ledger, quickly))
	if sc.databases {
		more, err := p.useServers(s, blind)
		if err != nil {
			return nil, err
		}
		text += more
	}
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	p.env = append(os.Environ(), child+"="+config, "THBOT_CRASH_GATE="+p.gates.URL, "THBOT_LEDGER_PASSWORD="+password, "GOMAXPROCS=2")
	if blind {
		p.env = append(p.env, "THBOT_CRASH_BLIND=1")
	}
	for name, value := range world.Env() {
		p.env = append(p.env, name+"="+value)
	}
	return p, nil
}

// pass lets a moment pass, or holds it until its caller is dead.
func (p *play) pass(call, moment string) {
	p.mu.Lock()
	if moment == fakehttp.Arrived {
		p.asked[call]++
		if p.more != nil {
			close(p.more)
			p.more = nil
		}
	}
	if at := p.GitHub.Branch(world.Prototype); len(p.heads) == 0 || p.heads[len(p.heads)-1] != at {
		p.heads = append(p.heads, at)
	}
	if !p.counted {
		p.mu.Unlock()
		return
	}
	g := gate{Call: call, Moment: moment}
	p.passed[g]++
	g.N = p.passed[g]
	p.order = append(p.order, g)
	here := p.at != nil && *p.at == g
	p.mu.Unlock()
	if here {
		p.strike.Do(func() { close(p.reached) })
		<-p.dead
	}
}

// count begins to count gates, or stops.
func (p *play) count(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counted = on
}

// gatesPassed are those that were counted, in order.
func (p *play) gatesPassed() []gate {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.order)
}

// calls is how often something was asked for that has these parts in its name.
func (p *play) calls(parts ...string) (sum int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for call, n := range p.asked {
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(call, part) }) {
			sum += n
		}
	}
	return sum
}

// called waits until something was asked for so often.
func (p *play) called(ctx context.Context, call string, times int) error {
	for {
		p.mu.Lock()
		is := p.asked[call]
		if p.more == nil {
			p.more = make(chan struct{})
		}
		more := p.more
		p.mu.Unlock()
		if is >= times {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s was called %d times, after %d: %w", call, times, is, context.Cause(ctx))
		}
	}
}

// struck says whether the process was killed.
func (p *play) struck() bool {
	select {
	case <-p.reached:
		return true
	default:
		return false
	}
}

func (p *play) start() error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	p.running = exec.Command(p.binary)
	p.running.Env, p.running.Stderr, p.running.Stdout = p.env, log, log
	if err := p.running.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	p.ended = ended
	go func(c *exec.Cmd) { ended <- c.Wait(); _ = log.Close() }(p.running)
	return nil
}

func (p *play) kill() {
	_ = p.running.Process.Kill()
	<-p.ended
}

func (p *play) close() {
	p.kill()
	p.bury.Do(func() { close(p.dead) })
	p.gates.Close() // which waits for whoever is held at one
	if err := p.World.Close(); err != nil {
		p.t.Error(err)
	}
}

// killer kills the process at its gate, or after a while, and starts it again.
func (p *play) killer(ctx context.Context, after time.Duration) {
	if after > 0 {
		defer time.AfterFunc(after, func() { p.strike.Do(func() { close(p.reached) }) }).Stop()
	}
	select {
	case <-p.reached:
	case <-ctx.Done():
		return
	}
	p.kill()
	p.bury.Do(func() { close(p.dead) })
	if err := p.start(); err != nil {
		p.t.Error(err)
		return
	}
	if p.heard(ctx) == nil {
		close(p.back)
	}
}

// heard waits until somebody hears what people say.
func (p *play) heard(ctx context.Context) error {
	return p.Slack.Await(ctx, func() bool { return p.Slack.Sockets() > 0 })
}

// verdict plays, and says what is wrong with how it ended; empty: nothing.
func (p *play) verdict(ctx context.Context, after time.Duration) (lost, double string) {
	p.count(p.from == 0)
	if err := p.start(); err != nil {
		return err.Error(), ""
	}
	defer p.close()
	over, stop := context.WithCancel(ctx)
	var killer sync.WaitGroup
	killer.Go(func() { p.killer(over, after) })
	err := p.people(ctx)
	if err == nil {
		err = p.settle(ctx)
	}
	stop()
	killer.Wait()
	u := slices.DeleteFunc(p.Unexpected(), func(what string) bool {
		return p.struck() && strings.HasSuffix(what, "request_timeout: undecodable request") // it was killed while it sent that
	})
	if len(u) > 0 {
		p.t.Errorf("unexpected: %v", u)
	}
	if found := p.leaks(); len(found) > 0 {
		p.t.Errorf("there is a password in %v", found)
	}
	return p.judge(err)
}

// settle waits until whatever would be done twice has been: what the process
// was at when it was killed comes up again when that one's claim ends.
func (p *play) settle(ctx context.Context) error {
	quiet := time.NewTimer(300 * time.Millisecond)
	defer quiet.Stop()
	select {
	case <-quiet.C:
		return nil
	case <-p.reached:
	}
	select {
	case <-p.back:
	case <-ctx.Done():
		return fmt.Errorf("waiting for the process that was started again: %w", context.Cause(ctx))
	}
	select {
	case <-time.After(lease + 200*time.Millisecond):
	case <-ctx.Done():
	}
	return nil
}

// transcript is what was said, the gates that were passed, and the bot's log.
func (p *play) transcript() string {
	var b strings.Builder
	for _, m := range p.messages() {
		b.WriteString(m.Render() + "\n")
	}
	order, _ := json.Marshal(p.gatesPassed())
	log, _ := os.ReadFile(p.log)
	return b.String() + string(order) + "\n" + string(log)
}
