// Package handlers holds the commands: one file, and one line in All, for each.
package handlers

import (
	"thbot/bot"
	"thbot/handlers/deploys"
)

// World is what the commands work with.
type World struct {
	Environments deploys.Environments
	Jenkins      promoting
	GitHub       history
	Apps         apps
	Ledger       reading
	Schemas      *Schemas
	Times        Times
}

// All is every command, in the order in which help lists them: that of a
// deploy, not of the alphabet.
func All(w World) []bot.Command {
	return []bot.Command{
		bot.Answers(NewStatus(w)),
		bot.Operates(Promote(w)),
		bot.Operates(Abort{w.Environments, w.Jenkins, w.Ledger, w.Times}),
		bot.Operates(Lock{w.Environments, w.Ledger}),
		bot.Presses(Unlock{w.Environments, w.Ledger}),
		bot.Operates(Hold{w.GitHub, w.Ledger}),
		bot.Presses(Unhold{w.Ledger}),
		bot.Operates(Tell{w.Environments, w.Jenkins, w.Times}),
		// What nobody types.
		bot.Operates(WatchJob{w.Environments, w.Jenkins, w.Times}),
		bot.Operates(WatchApp{w.Environments, w.Apps, w.GitHub, w.Times}),
		bot.Operates(Rollout{w.Environments, w.Jenkins, w.GitHub, w.Apps, w.Ledger, w.Times}),
	}
}
