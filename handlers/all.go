// Package handlers holds the commands: one file, and one line in All, for each.
package handlers

import (
	"context"

	"thbot/bot"
	"thbot/handlers/deploys"
)

// World is what the commands work with.
type World struct {
	Environments deploys.Environments
	Jenkins      rebuilding
	GitHub       branches
	Apps         apps
	Ledger       reading
	Schemas      *Schemas
	Who          *Who
	Contacts     Contacts
	Members      func(ctx context.Context, role bot.Role) ([]string, error)
	Databases    map[string]Database // by their environment's name
	Bugzilla     Tracker
	Infra        string // the page of the repository with the environments' settings; empty: none
	Times        Times
}

// All is every command, in the order in which help lists them: that of a
// deploy, not of the alphabet.
func All(w World) []bot.Command {
	return []bot.Command{
		bot.Answers(NewStatus(w)),
		bot.Operates(w.promote()),
		bot.Operates(Revert{w.promote(), w.Jenkins}),
		bot.Operates(Abort{w.Environments, w.Jenkins, w.Ledger, w.Times}),
		bot.Operates(Lock{w.Environments, w.Ledger}),
		bot.Presses(Unlock{w.Environments, w.Ledger}),
		bot.Operates(Hold{w.GitHub, w.Ledger}),
		bot.Presses(Unhold{w.Ledger}),
		bot.Operates(Reset{w.Environments, w.GitHub, w.Apps, w.Ledger, w.Schemas, w.Databases, w.Times}),
		bot.Answers(Backups{w.Environments, w.GitHub}),
		bot.Operates(Clean{w.Environments, w.GitHub, w.Times}),
		bot.Operates(Page{w.Contacts, w.Ledger, w.Times}),
		bot.Presses(Answer{w.Ledger}),
		bot.Answers(Contact{w.Contacts}),
		bot.Operates(Tell{w.Environments, w.Jenkins, w.Times}),
		bot.Operates(NewNotify(w)),
		bot.Answers(Migrations{w.Environments, w.Databases, w.GitHub, w.Apps, w.Schemas, w.Bugzilla}),
		bot.Operates(w.access()),
		bot.Operates(w.password()),
		bot.Operates(w.request()),
		bot.Presses(Filing{w.Ledger}),
		bot.Operates(Mute{w.Ledger}),
		bot.Presses(Unmute{w.Ledger}),
		// What nobody types.
		bot.Operates(WatchJob{w.Environments, w.Jenkins, w.Times}),
		bot.Operates(WatchApp{w.Environments, w.Apps, w.GitHub, w.Ledger, w.Who, w.Times}),
		bot.Operates(WatchTopic{w.Contacts, w.Members, w.Times}),
		bot.Operates(WatchBranch{w.Environments, w.GitHub}),
		bot.Operates(WatchBugs{w.Bugzilla, w.Ledger}),
		bot.Operates(WatchKey{w.Bugzilla, w.Members}),
		bot.Operates(Rollout{w.Environments, w.Jenkins, w.GitHub, w.Apps, w.Ledger, w.Who, w.Times}),
	}
}

func (w World) promote() Promote {
	return Promote{w.Environments, w.Jenkins, w.GitHub, w.Apps, w.Ledger, w.Schemas, w.Who, w.Times}
}
