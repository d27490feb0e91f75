package main

import (
	"thbot/bot"
	"thbot/cmd/sandbox/world"
	"thbot/cmd/thbot/app"
	"thbot/handlers"
	"thbot/handlers/deploys"
)

// command is what the page completes: the bot's commands as they describe
// themselves.
type command struct {
	Names     []string   `json:"names"` // the word that is typed, then other words for it
	Usage     string     `json:"usage"`
	Does      string     `json:"does"`
	Arguments []argument `json:"arguments"` // one after the other
}

// argument is one of several forms.
type argument struct {
	Optional bool    `json:"optional"`
	Forms    []shape `json:"forms"`
}

type shape struct {
	After string `json:"after,omitempty"` // the word before the value, if it needs one
	Words []word `json:"words"`           // what it can be; none: anything
}

type word struct {
	Name    string   `json:"name"`
	Aliases []string `json:"aliases"`
}

// commands are those of a bot with this configuration, among these people.
func commands(file string, people []world.Person) ([]command, error) {
	secrets := world.Env()
	config, _, err := app.Load(file, func(name string) string { return secrets[name] })
	if err != nil {
		return nil, err
	}
	var known deploys.Environments
	for _, e := range config.Environments {
		known = append(known, deploys.Environment{Name: e.Name, Aliases: e.Aliases})
	}
	databases := map[string]handlers.Database{} // of which only the names matter here
	for name := range config.Databases {
		databases[name] = handlers.Database{Name: name}
	}
	var list []command
	for _, c := range append(handlers.All(handlers.World{Environments: known, Databases: databases}), bot.HistoryCommand(&bot.Bot{}, known.Words()), bot.Help(&bot.Bot{})) {
		if c.Hidden || c.Unlisted {
			continue
		}
		one := command{Names: append([]string{c.Name}, c.Aliases...), Usage: c.Usage(), Does: c.Does, Arguments: []argument{}}
		for _, a := range c.Args {
			if !a.Or || len(one.Arguments) == 0 {
				one.Arguments = append(one.Arguments, argument{Optional: a.Optional})
			}
			last := &one.Arguments[len(one.Arguments)-1]
			last.Forms = append(last.Forms, shape{a.After, words(a, people)})
		}
		list = append(list, one)
	}
	return list, nil
}

// words are what an argument can be.
func words(a bot.Arg, people []world.Person) []word {
	list := []word{}
	for _, w := range a.Words {
		list = append(list, word{w.Name, append([]string{}, w.Aliases...)})
	}
	if a.Person {
		for _, p := range people {
			list = append(list, word{"@" + p.Name, []string{}})
		}
	}
	return list
}
