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
	Times        Times
}

// All is every command, in the order in which help lists them: that of a
// deploy, not of the alphabet.
func All(w World) []bot.Command {
	return []bot.Command{
		bot.Answers(Status{w.Environments, w.Apps, w.GitHub}),
		bot.Operates(Promote(w)),
		bot.Operates(Tell{w.Environments, w.Jenkins, w.Times}),
	}
}
