package handlers_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"thbot/bot"
	"thbot/handlers"
	"thbot/handlers/deploys"
)

// TestREADME keeps the list of commands in the README as the commands describe
// themselves.
func TestREADME(t *testing.T) {
	var list strings.Builder
	envs := deploys.Environments{{Name: "production", Aliases: []string{"prod"}}}
	for _, c := range append(handlers.All(handlers.World{Environments: envs}), bot.HistoryCommand(&bot.Bot{}, envs.Words()), bot.Help(&bot.Bot{})) {
		if c.Hidden || c.Unlisted {
			continue
		}
		fmt.Fprintf(&list, "* `/th %s` %s Who: %s.\n", c.Usage(), c.Does, c.Who)
	}
	const file, from, to = "../README.md", "-run README -->\n", "<!-- end -->"
	readme, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(readme), from)
	have, after, found := strings.Cut(rest, to)
	if !ok || !found {
		t.Fatal("the README has no place for the commands")
	}
	if have == list.String() {
		return
	}
	if os.Getenv("UPDATE") == "" {
		t.Fatalf("the README's commands are not the program's; UPDATE=1 rewrites them.\nhave:\n%swant:\n%s", have, list.String())
	}
	if err := os.WriteFile(file, []byte(before+from+list.String()+to+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
