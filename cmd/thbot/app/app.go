// Package app is thbot put together: its configuration, and the wiring of the
// parts. The program, the sandbox and the tests all start the bot here.
package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"thbot/bot"
	"thbot/handlers"
	"thbot/handlers/contact"
	"thbot/handlers/deploys"
	"thbot/handlers/when"
	"thbot/integrations/bugzilla"
	"thbot/integrations/github"
	"thbot/integrations/jenkins"
	"thbot/integrations/ledger"
	"thbot/integrations/slack"
	"thbot/integrations/treeherder"
)

// Options of a bot.
type Options struct {
	Config  Config
	Secrets Secrets
	Log     *zap.Logger
	// Dial opens every connection but those to a MySQL ledger; nil: the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Databases returns what the bot gets instead of the databases that the
	// configuration names; nil: it gets these. It is for tests: in a bubble, which
	// no server outside of it can enter, and for those that stop at statements.
	Databases func(configured map[string]handlers.Database) map[string]handlers.Database
	// Gate is called around each commit of the ledger, see [ledger.Options].
	Gate func(call, moment string)
	// Blind makes the bot act without looking first, see [bot.Bot].
	Blind bool
}

// Run connects the bot and lets it work until ctx ends; then it closes its
// sockets, finishes what it has begun, says what is urgent, and returns nil.
// An error says what keeps it from working at all.
func Run(ctx context.Context, o Options) (err error) {
	c := o.Config
	chat, err := slack.New(slack.Options{APIURL: c.Slack.APIURL, Channel: c.Slack.Channel, Command: c.Slack.Command,
		AppToken: o.Secrets.SlackAppToken.Reveal(), BotToken: o.Secrets.SlackBotToken.Reveal(),
		Dial: o.Dial, Limit: c.Times.Limit, Log: o.Log})
	if err != nil {
		return err
	}
	defer chat.Close()
	builds, err := jenkins.New(jenkins.Options{URL: c.Jenkins.URL, User: o.Secrets.JenkinsUser, Token: o.Secrets.JenkinsToken.Reveal(),
		Dial: o.Dial, Limit: c.Times.Limit, Log: o.Log})
	if err != nil {
		return err
	}
	defer builds.Close()
	commits, err := github.New(github.Options{APIURL: c.GitHub.APIURL, Repository: c.GitHub.Repository,
		Token: o.Secrets.GitHubToken.Reveal(), App: o.Secrets.app(),
		Dial: o.Dial, Limit: c.Times.Limit, Log: o.Log})
	if err != nil {
		return err
	}
	defer commits.Close()
	apps := treeherder.New(treeherder.Options{Dial: o.Dial, Limit: c.Times.Limit})
	defer apps.Close()

	bugs, err := bugzilla.New(bugzilla.Options{URL: c.Bugzilla.URL, PrivateGroup: c.Bugzilla.PrivateGroup, Dial: o.Dial, Limit: c.Times.Limit, Log: o.Log,
		Key: func() (string, error) { return o.Secrets.Again("BUGZILLA_API_KEY") }})
	if err != nil {
		return err
	}
	defer bugs.Close()
	databases, closeDatabases, err := c.databases(o.Secrets, o.Dial)
	defer func() { err = errors.Join(err, closeDatabases()) }()
	if err != nil {
		return err
	}

	if o.Databases != nil {
		databases = o.Databases(databases)
	}

	store, err := ledger.Open(ctx, ledger.Options{URL: c.Ledger, Password: o.Secrets.LedgerPassword.Reveal(), Log: o.Log, Gate: o.Gate})
	if err != nil {
		return quietly(ctx, err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := ready(ctx, chat, o.Log); err != nil {
		return quietly(ctx, err)
	}

	channel, room := chat.Channel()
	b := &bot.Bot{
		Ledger: store, Chat: chat, Directory: chat, Channel: channel, Room: "#" + room, Word: c.Slack.Command,
		Roles: c.Roles.Bot(), Log: o.Log, Blind: o.Blind,
		Times: bot.Times{Lease: c.Times.Lease, Limit: c.Times.Limit, Plan: c.Times.Plan, Idle: c.Times.Idle},
	}
	things := handlers.World{
		Environments: c.environments(), Jenkins: builds, GitHub: commits, Apps: apps, Ledger: store, Schemas: handlers.NewSchemas(commits),
		Who: handlers.NewWho(c.People, chat, store),
		Contacts: handlers.Contacts{Slack: switchboard{chat}, Room: "#" + room, Channel: channel, Pattern: c.pattern(),
			Backups: c.Contact.Backups, Procedure: c.Contact.Procedure, Within: c.Contact.AcknowledgeWithin},
		Members: b.Members, Databases: databases,
		Bugzilla: handlers.Tracker{Bugs: bugs, Product: c.Bugzilla.Product, Component: c.Bugzilla.Component, Keyed: o.Secrets.BugzillaAPIKey != ""},
		Times:    handlers.Times{Watch: c.Times.Watch, Follow: c.Times.Follow, Live: c.Times.Live, NotLive: c.Times.NotLive},
	}
	if c.GitHub.InfraRepository != "" {
		things.Infra = commits.RepositoryURL(c.GitHub.InfraRepository)
	}
	b.Commands = handlers.All(things)
	b.Commands = append(b.Commands, bot.Self(b, chat.Connections, 2*c.Times.Watch), bot.HistoryCommand(b, c.environments().Words()), bot.Help(b))

	all, actx := errgroup.WithContext(ctx)
	all.Go(func() error { return chat.Run(actx, b) })
	all.Go(func() error { return b.Run(actx) })
	all.Go(func() error {
		handlers.ReadAhead(actx, things, func(environment string, err error) {
			o.Log.Info("reading ahead what a preview will need", zap.String("environment", environment), zap.Error(err))
		})
		return nil
	})
	return quietly(ctx, all.Wait())
}

// ready waits until Slack answers, and gives up when it says that it never will.
func ready(ctx context.Context, chat *slack.Client, log *zap.Logger) error {
	for {
		err := chat.Check(ctx)
		if err == nil {
			return nil
		}
		wait, again := bot.RetryAfter(err)
		if !again || bot.Service(err) == "" {
			return fmt.Errorf("starting: %w", err)
		}
		log.Warn("Slack does not answer; trying again", zap.Error(err))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(wait, 2*time.Second)):
		}
	}
}

// quietly takes the end that was asked for as none.
func quietly(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// pattern is how the topic is read.
func (c Config) pattern() *regexp.Regexp {
	re, err := contact.Compile(c.Contact.TopicPattern)
	if err != nil {
		panic(err) // unreachable: the configuration is checked
	}
	return re
}

func (c Config) environments() deploys.Environments {
	var all deploys.Environments
	for _, e := range c.Environments {
		env := deploys.Environment{Name: e.Name, Aliases: e.Aliases, URL: e.URL, Branch: e.Branch, Deploys: e.Deploys, ResetTo: e.ResetTo, Drift: cmp.Or(e.Drift, 14*24*time.Hour),
			Announce: deploys.Announce{Successes: e.Announce.Deploys == "" || e.Announce.Deploys == "all", Failures: e.Announce.Deploys != "none", Channels: e.Announce.Channels},
			Confirm:  deploys.Confirm{Expires: e.Confirm.Expires, People: e.Confirm.People, Self: *e.Confirm.Self, CloudOps: e.Confirm.Migrations == "cloudops"}}
		for _, f := range e.Freezes {
			window, err := when.Compile(when.Freeze(f))
			if err != nil {
				panic(err) // unreachable: the configuration is checked
			}
			env.Freezes = append(env.Freezes, window)
		}
		if j := e.Jenkins; j != nil {
			env.Pipeline = &deploys.Pipeline{Job: j.Job, Stage: j.Stage, Input: j.Input, ConfirmedBy: j.ConfirmedBy, CommitFrom: j.CommitFrom, Replay: j.Revert == "replay"}
		}
		all = append(all, env)
	}
	return all
}
