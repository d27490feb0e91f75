package main

import (
	"thbot/bot"
	"thbot/cmd/sandbox/world"
	"thbot/handlers"
	"thbot/handlers/deploys"
)

// command is what the page completes: the bot's commands as they describe
// themselves.
type command struct {
	Names     []string `json:"names"` // the word that is typed, then other words for it
	Usage     string   `json:"usage"`
	Does      string   `json:"does"`
	Arguments [][]word `json:"arguments"` // one after the other; none: anything
}

type word struct {
	Name    string   `json:"name"`
	Aliases []string `json:"aliases"`
}

func commands() []command {
	var known deploys.Environments
	for _, name := range world.Environments {
		known = append(known, deploys.Environment{Name: name})
	}
	var list []command
	for _, c := range append(handlers.All(handlers.World{Environments: known}), bot.Help(&bot.Bot{})) {
		one := command{Names: append([]string{c.Name}, c.Aliases...), Usage: c.Usage(), Does: c.Does, Arguments: [][]word{}}
		for _, a := range c.Args {
			words := []word{}
			for _, w := range a.Words {
				words = append(words, word{w.Name, append([]string{}, w.Aliases...)})
			}
			one.Arguments = append(one.Arguments, words)
		}
		list = append(list, one)
	}
	return list
}
