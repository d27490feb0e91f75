// Command thbot runs Treeherder's operations from a Slack channel.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"go.uber.org/zap"

	"thbot/cmd/thbot/app"
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
