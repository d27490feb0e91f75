// Command sandbox is a place to try thbot in: a pretend Slack, Jenkins, GitHub,
// Bugzilla and Treeherder on this machine, databases in a real MariaDB where it
// is installed, the real bot in a process of its own, and a web page to be
// several people on, and to break things.
//
//	go run ./cmd/sandbox
//
// Nothing is kept: the bot's ledger, its configuration and its log, and the
// databases, are in a temporary directory that goes when the sandbox ends.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"thbot/cmd/sandbox/world"
)

func main() {
	if config := os.Getenv(botConfig); config != "" {
		os.Exit(beBot(config))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	os.Exit(run(ctx, os.Args[1:], pleasant, os.Stdout, os.Stderr))
}

// The exit codes, as of thbot.
const (
	fine   = 0
	broken = 1
	misuse = 2
)

// settings are how quickly a world goes: its own pace, and the bot's periods
// as they stand in its configuration.
type settings struct {
	Pace      world.Pace
	Times     string
	World     *world.File // nil: the usual one
	Databases bool        // start them, where there is MariaDB
	Seed      uint64      // of what goes wrong at Slack; 0: nothing does
	Out       io.Writer   // nil: nowhere
}

// anySeed is one that is short enough to type again.
func anySeed() uint64 { return 1 + rand.Uint64N(9999) }

// pleasant is quick enough to watch, and slow enough to interfere.
var pleasant = settings{
	Pace:      world.Pace{Build: 8 * time.Second, ToStage: 8 * time.Second, ToProd: 20 * time.Second, Rollout: 4 * time.Second},
	Times:     "follow: 2s, live: 1s, not_live: 45s",
	Databases: true,
}

// flags is the command line as kong reads it.
type flags struct {
	Listen    string  `default:"127.0.0.1:8055" placeholder:"ADDRESS" help:"Where the page is, on this machine only (default: ${default})."`
	World     string  `placeholder:"FILE" help:"A YAML file that describes another world to start from."`
	Databases bool    `default:"true" help:"Start MariaDB for the commands that need databases, where it is installed; --databases=false leaves it out."`
	Seed      *uint64 `placeholder:"N" help:"Decides what Slack delivers twice or late, or answers with 429 (default: another one each time); with 0 it behaves."`
}

// run is the whole program: it returns its exit code.
func run(ctx context.Context, args []string, how settings, stdout, stderr io.Writer) int {
	var f flags
	helped := false
	parser, err := kong.New(&f,
		kong.Name("sandbox"),
		kong.Description("A pretend Slack, Jenkins, GitHub, Bugzilla and Treeherder on this machine, with the real bot in it."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true })) // only --help exits
	if err != nil {
		panic(err) // unreachable: flags is well-formed, every test parses with it
	}
	_, err = parser.Parse(args)
	switch {
	case helped:
		return fine
	case err == nil && !isLoopback(f.Listen):
		err = fmt.Errorf("--listen %s: only an address of this machine itself, like 127.0.0.1:8055; whoever reaches the page is every person on it", f.Listen)
	case err == nil && f.World != "":
		var file world.File
		file, err = world.Load(f.World)
		how.World = &file
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "sandbox: %v\nSee sandbox --help.\n", err)
		return misuse
	}
	if how.Seed, how.Out = anySeed(), stdout; f.Seed != nil {
		how.Seed = *f.Seed
	}
	how.Databases = how.Databases && f.Databases
	if err := serve(ctx, f.Listen, how, stdout); err != nil {
		_, _ = fmt.Fprintf(stderr, "sandbox: %v\n", err)
		return broken
	}
	return fine
}

// serve serves a sandbox until ctx ends.
func serve(ctx context.Context, address string, how settings, stdout io.Writer) (err error) {
	l, err := net.Listen("tcp", address) // first: nothing is started that could not be reached
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is taken; is another sandbox running? --listen 127.0.0.1:0 takes any free port", address)
	} else if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	s, err := open(how)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	mood := "Slack behaves."
	if how.Seed != 0 {
		mood = fmt.Sprintf("Slack is a little hostile, seed %d; with --seed 0 it behaves.", how.Seed)
	}
	if _, err := fmt.Fprintf(stdout, "The sandbox is at http://%s; the bot's log is %s. Ctrl-C ends it.\n%s\n", l.Addr(), s.logFile(), mood); err != nil {
		return errors.Join(err, l.Close())
	}
	if how.Databases {
		s.print("Starting the databases, which the bot waits for…")
		go s.tellDatabases(s.now())
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	// Streams of events never end by themselves, so the server is closed rather
	// than shut down.
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// isLoopback reports whether nobody but this machine can reach address.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && isLoopbackHost(host)
}

func isLoopbackHost(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
