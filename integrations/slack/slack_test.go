package slack

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"thbot/integrations/slack/fakeslack"
)

func TestTokensOfTheWrongKind(t *testing.T) {
	for _, tt := range []struct{ app, bot, want string }{
		{"xoxb-1-secret", "xapp-1-secret", "swapped"},
		{"xoxb-1-secret", "xoxb-1-secret", "the app token"},
		{"xapp-1-secret", "xoxp-1-secret", "the bot token"},
		{"", "xoxb-1-secret", "the app token"},
		{"xapp-1-secret", "", "the bot token"},
	} {
		_, err := New(Options{AppToken: tt.app, BotToken: tt.bot, Channel: ops})
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("New(%q, %q): %v, want %q", tt.app, tt.bot, err, tt.want)
		}
	}
	for _, url := range []string{"slack.com/api", "ftp://slack.com/", "https://me:secret@slack.com/api/", "https://", "https://slack.com/api/?token=secret"} {
		if _, err := New(Options{APIURL: url, AppToken: "xapp-1", BotToken: "xoxb-1", Channel: ops}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("New with API URL %q: %v", url, err)
		}
	}
}

func TestCheck(t *testing.T) {
	private := func(f *fakeslack.Server, o *Options) {
		f.AddChannel(fakeslack.Channel{ID: "C0PRIVATE", Name: "secret-ops", Private: true, Members: []string{fakeslack.BotUser}})
		o.Channel = "C0PRIVATE"
	}
	without := func(scope string) func(*fakeslack.Server, *Options) {
		return func(f *fakeslack.Server, _ *Options) {
			f.BotScopes = missing(Scopes(true), []string{})
			for _, s := range Scopes(true) {
				if s != scope {
					f.BotScopes = append(f.BotScopes, s)
				}
			}
		}
	}
	type change = func(*fakeslack.Server, *Options)
	tests := map[string]struct {
		changes []change
		want    string // in the error; empty: none
		id      string
	}{
		"by id":               {nil, "", ops},
		"by name":             {[]change{func(_ *fakeslack.Server, o *Options) { o.Channel = "Treeherder-Ops" }}, "", ops},
		"by name with a #":    {[]change{func(_ *fakeslack.Server, o *Options) { o.Channel = "#treeherder-ops" }}, "", ops},
		"least scopes":        {[]change{func(f *fakeslack.Server, _ *Options) { f.BotScopes = Scopes(false) }}, "", ops},
		"least scopes, name":  {[]change{func(f *fakeslack.Server, o *Options) { f.BotScopes, o.Channel = Scopes(false), "treeherder-ops" }}, "", ops},
		"private":             {[]change{private, func(f *fakeslack.Server, _ *Options) { f.BotScopes = Scopes(true) }}, "", "C0PRIVATE"},
		"private by name":     {[]change{private, func(_ *fakeslack.Server, o *Options) { o.Channel = "secret-ops" }}, "", "C0PRIVATE"},
		"private, few scopes": {[]change{private, func(f *fakeslack.Server, _ *Options) { f.BotScopes = Scopes(false) }}, "groups:", ""},
		"no such name":        {[]change{func(_ *fakeslack.Server, o *Options) { o.Channel = "ops" }}, "in no channel called ops", ""},
		"no such id":          {[]change{func(_ *fakeslack.Server, o *Options) { o.Channel = "C0NOWHERE" }}, "no channel C0NOWHERE", ""},
		"not a member": {[]change{func(f *fakeslack.Server, _ *Options) {
			f.AddChannel(fakeslack.Channel{ID: ops, Name: "ops", Members: []string{ana}})
		}}, "invite it", ""},
		"not a member, name": {[]change{func(f *fakeslack.Server, o *Options) {
			f.AddChannel(fakeslack.Channel{ID: ops, Name: "ops", Members: []string{ana}})
			o.Channel = "ops"
		}}, "invite it", ""},
		"archived": {[]change{func(f *fakeslack.Server, _ *Options) {
			f.AddChannel(fakeslack.Channel{ID: ops, Name: "ops", Archived: true, Members: []string{fakeslack.BotUser}})
		}}, "archived", ""},
		"unknown token":           {[]change{func(f *fakeslack.Server, _ *Options) { f.BotToken = "xoxb-fake-other" }}, "refuses the bot token: invalid_auth", ""},
		"without commands":        {[]change{without("commands")}, "commands", ""},
		"without chat:write":      {[]change{without("chat:write")}, "chat:write", ""},
		"without channels:read":   {[]change{without("channels:read")}, "channels:read", ""},
		"without quiet hours":     {[]change{without("dnd:read")}, "dnd:read", ""},
		"without direct messages": {[]change{without("im:write")}, "im:write", ""},
		"without history":         {[]change{without("channels:history")}, "channels:history", ""},
		"without users":           {[]change{without("users:read")}, "users:read", ""},
		"without e-mails":         {[]change{without("users:read.email")}, "users:read.email", ""},
		"without groups":          {[]change{without("usergroups:read")}, "usergroups:read", ""},
		"without private history": {[]change{private, without("groups:history")}, "groups:history", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, tt.changes...)
				err := w.c.Check(w.ctx)
				if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
					t.Errorf("Check: %v, want %q", err, tt.want)
				}
				if err != nil && strings.Contains(err.Error(), "xoxb-fake") {
					t.Errorf("the error holds the token: %v", err)
				}
				if id, _ := w.c.Channel(); id != tt.id {
					t.Errorf("channel %q, want %q", id, tt.id)
				}
			})
		})
	}
}

func TestCheckWhenSlackIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.fake.Fail(fakeslack.Any, 2, 503)
		err := w.c.Check(w.ctx)
		var no *CredentialsError
		if err == nil || errors.As(err, &no) {
			t.Errorf("Check: %v", err)
		}
		if err := w.c.Check(w.ctx); err != nil {
			t.Errorf("a second time: %v", err)
		}
		ctx, cancel := context.WithCancel(w.ctx)
		cancel()
		if err := w.c.Check(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	})
}

func TestPermalink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if got := w.c.Permalink(ops, "1790000000.000100"); got != "" {
			t.Errorf("before Check: %q", got)
		}
		if err := w.c.Check(w.ctx); err != nil {
			t.Fatal(err)
		}
		if got, want := w.c.Permalink(ops, "1790000000.000100"), "https://fake.slack.com/archives/C0OPS123/p1790000000000100"; got != want {
			t.Errorf("Permalink = %q, want %q", got, want)
		}
		if w.c.Self() != fakeslack.BotUser {
			t.Errorf("Self = %q", w.c.Self())
		}
	})
}
