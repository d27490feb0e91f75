package app

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/github/fakegithub"
)

// The whole bot, as a GitHub App: it gets itself a token, and no part of what
// it signs with is logged.
func TestRunAsAnApp(t *testing.T) {
	key, public := newKey(t)
	synctest.Test(t, func(t *testing.T) {
		w := world.New(world.Real)
		w.OnPipe()
		if err := w.Usual(); err != nil {
			t.Fatal(err)
		}
		w.GitHub.AddApp(fakegithub.App{ID: 12, Slug: "thbot", Key: public,
			Permissions: map[string]string{"contents": "read", "checks": "read", "statuses": "read"}})
		w.GitHub.Install(12, fakegithub.Installation{ID: 34, Account: "mozilla"})

		vars := world.Env()
		maps.DeleteFunc(vars, func(name, _ string) bool { return name == "GITHUB_TOKEN" })
		dir := t.TempDir()
		pem, file := filepath.Join(dir, "app.pem"), filepath.Join(dir, "thbot.yaml")
		maps.Copy(vars, map[string]string{"GITHUB_APP_ID": "12", "GITHUB_APP_INSTALLATION": "34", "GITHUB_APP_KEY_FILE": pem})
		if err := os.WriteFile(pem, []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(w.Config("sqlite:"+filepath.Join(dir, "thbot.db"), "idle: 1h")), 0o600); err != nil {
			t.Fatal(err)
		}
		config, secrets, err := Load(file, env(vars))
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() {
			ended <- Run(ctx, Options{Config: config, Secrets: secrets, Log: NewLogger(&log, secrets.All()...), Dial: w.Dial})
		}()
		await := func(done func() bool) {
			waiting, enough := context.WithTimeout(ctx, time.Hour)
			defer enough()
			if err := w.Slack.Await(waiting, done); err != nil {
				for _, m := range w.Slack.Messages("U0ANA", world.Channel) {
					t.Log(m.Render())
				}
				t.Error(err)
			}
		}
		await(func() bool { return w.Slack.Sockets() == 2 })
		if _, err := w.Slack.Say("U0ANA", world.Channel, "/th deploy prod"); err != nil {
			t.Error(err)
		}
		await(func() bool {
			for _, m := range w.Slack.Messages("U0ANA", world.Channel) {
				if strings.Contains(m.Plain, "Promote to production?") {
					return true
				}
			}
			return false
		})
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the bot ended with %v", err)
		}
		if !slices.ContainsFunc(w.GitHub.Journal(), func(e fakegithub.Entry) bool { return e.Call == "POST access_tokens" }) {
			t.Error("it asked GitHub as somebody else")
		}
		if s := log.String(); strings.Contains(s, `"level":"error"`) || strings.Contains(s, strings.Split(key, "\n")[1]) {
			t.Errorf("the log:\n%s", s)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if u := w.Unexpected(); len(u) > 0 {
			t.Errorf("unexpected: %v", u)
		}
		<-time.After(5 * time.Second) // go-github leaves the body of an error unclosed until the request's limit
	})
}
