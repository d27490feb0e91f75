package main

import (
	"regexp"
	"slices"
	"testing"
)

// What the page gets to show that no switch changes.
func TestState(t *testing.T) {
	t.Parallel()
	c, s := visit(t)
	c.await("the bot has connected", func() bool { return c.world().Bot.Sockets > 0 })
	w := c.world()
	for id, name := range map[string]string{"U0ROBO": "robo", "U0LIV": "liv", "U0ANA": "ana"} {
		if w.Names[id] != name {
			t.Errorf("%s is called %q", id, w.Names[id])
		}
	}
	if slices.ContainsFunc(w.People, func(p person) bool { return p.Name == "robo" || p.Name == "liv" }) {
		t.Error("one can be robo or liv")
	}
	i := slices.IndexFunc(w.Commands, func(k command) bool { return k.Names[0] == "deploy" })
	if i < 0 || len(w.Commands[i].Arguments) == 0 {
		t.Fatalf("deploy is not completed: %+v", w.Commands)
	}
	aliases := map[string][]string{}
	for _, word := range w.Commands[i].Arguments[0].Forms[0].Words {
		aliases[word.Name] = word.Aliases
	}
	for name, alias := range map[string]string{"production": "prod", "prototype": "proto", "taskcluster-staging": "tc"} {
		if !slices.Contains(aliases[name], alias) {
			t.Errorf("%s is not completed for %s: %v", name, alias, aliases)
		}
	}
	if p := w.Branches[1]; w.Environments[2].Live != p.Head || len(p.Commits) != p.Ahead || p.Ahead == 0 || p.Behind < 50 {
		t.Errorf("prototype serves %s of %+v", w.Environments[2].Live, p)
	}

	c.do("/api/open-home", opening{As: "ana"})
	if told := s.now().Slack.Events(); len(told) != 1 || told[0].Type != "app_home_opened" || !told[0].Acked {
		t.Errorf("the bot was told of %+v", told)
	}
	c.say("ana", "/th deploy prod")
	c.await("the question is asked", c.sees("ana", "Promote to production?"))
	var log []record
	c.ask("GET", "/api/log", nil, &log)
	calls := 0
	for _, r := range log {
		if r.Who != "Jenkins" || r.Kind != "call" {
			continue
		}
		if calls++; !regexp.MustCompile(`^(GET|POST) \S+ 200$`).MatchString(r.What) {
			t.Errorf("Jenkins was asked %q", r.What)
		}
	}
	if calls == 0 {
		t.Error("Jenkins was asked nothing")
	}
}
