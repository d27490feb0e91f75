// Command thbot runs Treeherder's operations from a Slack channel.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"go.uber.org/zap"

	"thbot/cmd/thbot/app"
	"thbot/handlers/when"
	"thbot/integrations/mysql"
	"thbot/integrations/slack"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// The exit codes.
const (
	fine   = 0
	broken = 1 // it could not work, or stopped working
	misuse = 2 // nobody could tell what was wanted
)

// flags is the command line as kong reads it.
type flags struct {
	Run struct {
		Config string `short:"c" required:"" placeholder:"FILE" help:"The configuration file."`
	} `cmd:"" help:"Run the bot until it gets SIGTERM or SIGINT. Logs JSON to stderr."`
	Config struct {
		Check string `placeholder:"FILE" help:"Say what is wrong with FILE instead, if anything is."`
	} `cmd:"" help:"Print a commented example of the configuration file, which is itself valid."`
	Manifest struct {
		Config  string `short:"c" required:"" placeholder:"FILE" help:"The configuration file."`
		Private bool   `help:"For a bot whose channel is private; that takes two scopes more."`
	} `cmd:"" help:"Print the manifest to create the Slack app from."`
	MysqlProcedures struct {
		Server string `arg:"" enum:"mysql,mariadb" help:"What the databases are: mysql or mariadb."`
	} `cmd:"" help:"Print the procedures with which the bot's database account needs no right to make accounts itself."`
	History struct {
		Config      string `short:"c" required:"" placeholder:"FILE" help:"The configuration file."`
		JSON        bool   `name:"json" help:"Print all that is known, a JSON object a line, instead of a table."`
		Environment string `placeholder:"NAME" help:"Only what is about this environment."`
		Person      person `placeholder:"ID" help:"Only what this person, by their Slack id, asked for or pressed."`
		Since       since  `placeholder:"TIME" help:"Only what was asked for since a date (2026-11-01, in UTC) or so long ago (7d)."`
		Limit       uint16 `placeholder:"N" help:"Only the newest N."`
	} `cmd:"" help:"Print what was asked for and what came of it, newest first. The bot may be running meanwhile."`
}

// since is a moment: a date, a date with its time, or so long ago.
type since struct{ time.Time }

// UnmarshalText reads it as kong wants it.
func (s *since) UnmarshalText(text []byte) error {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, string(text)); err == nil {
			s.Time = at
			return nil
		}
	}
	ago, wrong := when.Length(string(text))
	if wrong != "" {
		return errors.New("is neither a date, like 2026-11-01 or 2026-11-01T14:00:00Z, nor a length of time, like 12h or 7d, of at most 90 days")
	}
	s.Time = time.Now().Add(-ago)
	return nil
}

// person is the id of somebody in Slack.
type person string

var personID = regexp.MustCompile(`^[UW][A-Z0-9]{2,}$`)

// UnmarshalText reads it as kong wants it.
func (p *person) UnmarshalText(text []byte) error {
	if !personID.Match(text) {
		return errors.New("is not the id of a person in Slack, like U012ABCDEF")
	}
	*p = person(text)
	return nil
}

// run is the whole program: it returns its exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	var f flags
	helped := false
	parser, err := kong.New(&f,
		kong.Name("thbot"),
		kong.Description("A Slack bot that runs Treeherder's operations from a channel."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true })) // only --help exits
	if err != nil {
		panic(err) // unreachable: flags is well-formed, every test parses with it
	}
	parsed, err := parser.Parse(args)
	switch {
	case helped:
		return fine
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "thbot: %v\nSee thbot --help.\n", err)
		return misuse
	}
	switch parsed.Command() {
	case "run":
		return serve(ctx, f.Run.Config, getenv, stderr)
	case "config":
		if f.Config.Check == "" {
			_, err = io.WriteString(stdout, app.Example())
		} else if _, err = app.ReadConfig(f.Config.Check, getenv); err == nil {
			_, err = fmt.Fprintf(stdout, "%s is a valid configuration.\n", f.Config.Check)
		}
	case "history":
		h := f.History
		err = history(ctx, h.Config, getenv, app.HistoryQuery{Environment: h.Environment, Person: string(h.Person),
			Since: h.Since.Time, Limit: int(h.Limit), JSON: h.JSON}, stdout)
	case "mysql-procedures <server>":
		var text string
		if text, err = mysql.Procedures(f.MysqlProcedures.Server); err == nil {
			_, err = io.WriteString(stdout, text)
		}
	case "manifest":
		err = manifest(f.Manifest.Config, f.Manifest.Private, getenv, stdout)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return broken
	}
	return fine
}

// serve runs the bot until a signal comes. A second signal ends it at once.
func serve(ctx context.Context, config string, getenv func(string) string, stderr io.Writer) int {
	c, secrets, err := app.Load(config, getenv)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return broken
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	log := app.NewLogger(stderr, secrets.All()...)
	log.Info("starting")
	if err := app.Run(ctx, app.Options{Config: c, Secrets: secrets, Log: log}); err != nil {
		// Into the log, which redacts: who knows what a server answered.
		log.Error("stopping", zap.Error(err))
		return broken
	}
	log.Info("stopped")
	return fine
}

func manifest(config string, private bool, getenv func(string) string, stdout io.Writer) error {
	c, err := app.ReadConfig(config, getenv)
	if err != nil {
		return err
	}
	text, err := app.Manifest(c, slack.Scopes(private))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s\n", text)
	return err
}

// history needs no secret but the ledger's.
func history(ctx context.Context, config string, getenv func(string) string, q app.HistoryQuery, stdout io.Writer) error {
	c, err := app.ReadConfig(config, getenv)
	password, perr := app.ReadLedgerPassword(getenv)
	if err := errors.Join(err, perr); err != nil {
		return err
	}
	return app.History(ctx, c, password, q, stdout)
}
