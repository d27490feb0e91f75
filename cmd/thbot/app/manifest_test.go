package app

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
)

func TestManifest(t *testing.T) {
	c := defaults()
	c.Slack.Command = "/treeherder"
	text, err := Manifest(c, []string{"chat:write", "commands"})
	if err != nil {
		t.Fatal(err)
	}
	var m slack.Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	if got := m.Features.SlashCommands; len(got) != 1 || got[0].Command != "/treeherder" || !got[0].ShouldEscape || got[0].UsageHint == "" {
		t.Errorf("slash commands: %+v", got)
	}
	if diff := cmp.Diff([]string{"chat:write", "commands"}, m.OAuthConfig.Scopes.Bot); diff != "" {
		t.Errorf("bot scopes (-want +got):\n%s", diff)
	}
	if s := m.Settings; !s.SocketModeEnabled || s.Interactivity == nil || !s.Interactivity.IsEnabled || s.EventSubscriptions != nil || m.Features.AppHome.HomeTabEnabled {
		t.Errorf("settings: %+v", s)
	}
	// Slack's limits, see the manifest's reference.
	for what, s := range map[string]struct {
		text string
		most int
	}{
		"name":                  {m.Display.Name, 35},
		"description":           {m.Display.Description, 140},
		"bot's name":            {m.Features.BotUser.DisplayName, 80},
		"command":               {m.Features.SlashCommands[0].Command, 32},
		"command's description": {m.Features.SlashCommands[0].Description, 2000},
		"command's usage hint":  {m.Features.SlashCommands[0].UsageHint, 1000},
	} {
		if n := utf8.RuneCountInString(s.text); n == 0 || n > s.most {
			t.Errorf("the %s has %d characters, want 1 to %d", what, n, s.most)
		}
	}
	if home := m.Features.AppHome; !home.MessagesTabEnabled || !home.MessagesTabReadOnlyEnabled {
		t.Errorf("people cannot be written to directly, or write where nobody reads: %+v", home)
	}
	if _, err := Manifest(c, []string{"chat:write"}); err == nil {
		t.Error("a manifest without the scope for its command was made")
	}
}
