package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
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

	"thbot/cmd/thbot/app"
	"thbot/integrations/fakehttp"
	"thbot/integrations/ledger/mariadbtest"
	"thbot/integrations/mysql/mariadbpair"
)

// The crash test plays scenarios with the real process and kills it (SIGKILL)
// at every gate: a request arrived, its effect done, its answer sent, and
// around every commit of the ledger. It starts the process again and plays on
// to the end. Its verdicts come from the fakes alone: what Jenkins was told,
// what app is live, and what people read in the channel. Never from the ledger.

var randomKills = flag.Int("kills", 0, "kill at so many random moments of each scenario, too")

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

// beBot is the program, but for gates around the ledger's commits and what is
// changed on databases, which ask the test, and for the looking that the test
// can switch off.
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
		Gate: func(call, moment string) { gate("ledger "+call, moment) }, Databases: gated(gate), Blind: os.Getenv("THBOT_CRASH_BLIND") != ""})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// store is what the bot is, and where it keeps its ledger.
type store struct {
	name     string
	binary   string
	database func(*testing.T) (url, password string) // a new one; "": a file of its own
	servers  func() (*servers, error)                // Treeherder's databases, the same for all plays
	places   chan struct{}                           // taken by plays that run
}

// abreast is how many plays run at once; most of their time they wait. With more
// of them than two cores can carry, what times out is no fault of the bot.
const abreast = 16

func TestCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("the crash test takes minutes; not with -short")
	}
	bot := withoutRace(t)
	places := make(chan struct{}, abreast)
	both := sync.OnceValues(func() (*servers, error) { return startServers(t) })
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		crashAll(t, store{"sqlite", bot, func(*testing.T) (string, string) { return "", "" }, both, places})
	})
	t.Run("mariadb", func(t *testing.T) {
		t.Parallel()
		server := mariadbtest.Start(t)
		crashAll(t, store{"mariadb", bot, func(t *testing.T) (string, string) { return server.Database(t) }, both, places})
	})
}

func crashAll(t *testing.T, s store) {
	for _, sc := range slices.Concat(scenarios, deployments, pages, accesses) {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			crash(t, sc, s)
		})
	}
}

func crash(t *testing.T, sc scenario, s store) {
	if sc.databases {
		_, err := s.servers()
		mariadbpair.Need(t, err)
	}
	gates, took := list(t, sc, s)
	report := func(how string, kills []kill, blind bool) tally {
		sum := killAll(t, sc, s, kills, blind)
		t.Logf("%s, %s%s: %d gates (%d not met again), %d lost, %d double", s.name, sc.name, how, len(kills), sum.missed, sum.lost, sum.double)
		if !blind && sum.lost+sum.double > 0 {
			t.Errorf("%s, %s%s: %d lost, %d double:\n%s", s.name, sc.name, how, sum.lost, sum.double, strings.Join(sum.where, "\n"))
		}
		return sum
	}
	var kills, acting []kill
	for i := range gates {
		kills = append(kills, kill{at: &gates[i]})
		if gates[i].acts() {
			acting = append(acting, kill{at: &gates[i]})
		}
	}
	report("", kills, false)
	// On a busy machine what would be done twice may come too late to be seen.
	double := !sc.blind
	for try := 0; !double && try < 4; try++ {
		double = report(", not looking", acting, true).double > 0
	}
	if !double {
		t.Error("with looking switched off nothing is done twice: the kills hit nothing")
	}
	if *randomKills > 0 {
		random := make([]kill, min(*randomKills, 10_000))
		for i := range random {
			random[i].after = 1 + time.Duration(rand.Int64N(int64(took)))
		}
		report(", at random", random, false)
	}
}

// acts says whether it is the moment of something that is seen outside, and
// could be done twice.
func (g gate) acts() bool {
	return slices.ContainsFunc([]string{"chat.postMessage", "/proceed", "/stop", "/rebuild", "github POST", "mysql "}, func(call string) bool { return strings.Contains(g.Call, call) })
}

// reads says whether it is the moment of a request that changes nothing.
func (g gate) reads() bool {
	return strings.Contains(g.Call, " GET ") || strings.HasPrefix(g.Call, "slack users") || strings.HasPrefix(g.Call, "slack conversations")
}

// list returns the gates of a scenario that is not killed, and how long that
// takes.
func list(t *testing.T, sc scenario, s store) ([]gate, time.Duration) {
	s.places <- struct{}{}
	defer func() { <-s.places }()
	p, err := newPlay(t, sc, s, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	began := time.Now()
	if lost, double := p.verdict(ctx, 0); lost+double != "" {
		t.Fatalf("without any kill: lost %s; double %s\n%s", lost, double, p.transcript())
	}
	passed := p.gatesPassed()
	if len(passed) < sc.least {
		t.Fatalf("only %d gates were passed", len(passed))
	}
	return chosen(passed, sc, s), time.Since(began)
}

// chosen are the gates that are worth a kill. Of what comes again and again
// while people or the bot wait, some stand for all: of the ledger's steps, which
// never end where the bot watches, few. While something is read it is all one how
// far that is, and who reads: the whole scenarios try it. MariaDB is tried where
// the ledger is and where it shows, and except in the first scenario at every
// third of these.
func chosen(passed []gate, sc scenario, s store) []gate {
	last := map[gate]int{} // by call and moment
	for _, g := range passed {
		last[gate{g.Call, g.Moment, 0}] = g.N
	}
	var gates []gate
	for _, g := range passed {
		n, most := last[gate{g.Call, g.Moment, 0}], 6
		ledger := strings.HasPrefix(g.Call, "ledger")
		switch {
		case ledger:
			// So many of all of them, evenly.
			switch {
			case strings.Contains(g.Call, "step"):
				most = 3
			case sc.whole:
				most = 18
			default:
				most = 9
			}
			if n > most && g.N*most/n == (g.N-1)*most/n {
				continue
			}
			most = n
		case g.reads():
			if most = 2; !sc.whole || g.Moment == fakehttp.Done {
				continue
			}
		case strings.Contains(g.Call, "chat.update"):
			most = 3
		}
		if g.N <= most && (s.name != "mariadb" || ledger || g.acts()) {
			gates = append(gates, g)
		}
	}
	if s.name == "mariadb" && sc.name != scenarios[0].name {
		all := gates
		gates = nil
		for i, g := range all {
			if i%3 == 0 || sc.blind && g.acts() && g.Moment == fakehttp.Done {
				gates = append(gates, g)
			}
		}
	}
	return gates
}

// kill is when a play is killed: at a gate, or after a while.
type kill struct {
	at    *gate
	after time.Duration
}

func (k kill) String() string {
	if k.at == nil {
		return "after " + k.after.String()
	}
	return k.at.String()
}

type tally struct {
	lost, double int
	missed       int      // kills whose gate did not come
	where        []string // of each that was lost or double
}

// patience is how long people try to get through with a play. It is long, since
// the machine may have other things to do; a play takes some seconds.
const patience = 80 * time.Second

func killAll(t *testing.T, sc scenario, s store, kills []kill, blind bool) (sum tally) {
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, k := range kills {
		s.places <- struct{}{}
		all.Go(func() {
			defer func() { <-s.places }()
			p, err := newPlay(t, sc, s, k.at, blind)
			if err != nil {
				t.Error(err)
				return
			}
			limit := patience
			if blind {
				limit /= 5 // what is done twice can also end nowhere
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			lost, double := p.verdict(ctx, k.after)
			mu.Lock()
			defer mu.Unlock()
			if !p.struck() {
				sum.missed++
			}
			if lost != "" {
				sum.lost++
			}
			if double != "" {
				sum.double++
			}
			if lost+double != "" && !blind {
				where := fmt.Sprintf("killed %s: lost %q, double %q", k, lost, double)
				sum.where = append(sum.where, where)
				t.Logf("%s, %s, %s\n%s", s.name, sc.name, where, p.transcript())
			}
		})
	}
	all.Wait()
	return sum
}
