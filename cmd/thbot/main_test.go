package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"thbot/bot"
	"thbot/cmd/thbot/app"
	"thbot/integrations/ledger"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.yaml", app.Example())
	bad := file("bad.yaml", strings.Replace(app.Example(), "command: /th ", "comand: deploy now ", 1))
	absent := filepath.Join(dir, "absent.yaml")

	for _, tt := range []struct {
		args           string
		code           int
		stdout, stderr string // a part of each; empty: nothing may be there
	}{
		{"--help", fine, "A Slack bot that runs Treeherder's operations", ""},
		{"run --help", fine, "until it gets SIGTERM or SIGINT", ""},
		{"", misuse, "", `expected one of "run", "config", "manifest", "mysql-procedures"`},
		{"mysql-procedures mariadb", fine, "PROCEDURE thops.ro_create", ""},
		{"mysql-procedures mysql", fine, "PROCEDURE thops.ro_create", ""},
		{"mysql-procedures oracle", misuse, "", "must be one of"},
		{"deploy", misuse, "", "unexpected argument deploy"},
		{"run", misuse, "", "missing flags: --config=FILE"},
		{"config", fine, "environments:", ""},
		{"config --check " + good, fine, "good.yaml is a valid configuration.", ""},
		{"config --check " + bad, broken, "", "slack.comand is no key (did you mean `command`?)"},
		{"config --check " + absent, broken, "", "reading the configuration: open "},
		{"manifest -c " + good, fine, `"command": "/th"`, ""},
		{"manifest -c " + bad, broken, "", "slack.comand is no key"},
		{"history", misuse, "", "missing flags: --config=FILE"},
		{"history -c " + good + " --since soon", misuse, "", "--since: is neither a date, like 2026-11-01 or 2026-11-01T14:00:00Z, nor a length of time"},
		{"history -c " + good + " --since 365d", misuse, "", "of at most 90 days"},
		{"history -c " + good + " --person ana", misuse, "", "--person: is not the id of a person in Slack"},
		{"history -c " + good + " --limit -1", misuse, "", "--limit"},
		{"history -c " + good + " --environment prdo", broken, "", `"prdo" is no environment (did you mean prod?); the configuration has production, prod, stage,`},
		{"history -c " + bad, broken, "", "slack.comand is no key"},
		{"run -c " + good, broken, "", "not set: SLACK_APP_TOKEN, SLACK_BOT_TOKEN, JENKINS_USER, JENKINS_TOKEN, GITHUB_TOKEN (or, for a GitHub App,"},
		{"run -c " + bad, broken, "", "slack.comand is no key"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), strings.Fields(tt.args), func(string) string { return "" }, &stdout, &stderr)
			if code != tt.code {
				t.Errorf("code %d, want %d", code, tt.code)
			}
			for _, out := range []struct{ name, got, want string }{
				{"stdout", stdout.String(), tt.stdout}, {"stderr", stderr.String(), tt.stderr},
			} {
				if (out.want == "") != (out.got == "") || !strings.Contains(out.got, out.want) {
					t.Errorf("%s: %q\nwant in it: %q", out.name, out.got, out.want)
				}
			}
		})
	}
}

// A history needs the configuration and, but for its password, no secret; the
// bot may have the ledger to itself.
func TestHistory(t *testing.T) {
	dir := t.TempDir()
	file, url := filepath.Join(dir, "thbot.yaml"), "sqlite:"+filepath.Join(dir, "thbot.db")
	if err := os.WriteFile(file, []byte(app.Example()), 0o600); err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{"THBOT_LEDGER": url}
	history := func(args ...string) (int, string, string) {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), append([]string{"history", "-c", file}, args...), func(name string) string { return vars[name] }, &stdout, &stderr)
		return code, stdout.String(), stderr.String()
	}
	if code, stdout, stderr := history(); code != broken || stdout != "" || !strings.Contains(stderr, "opening the ledger: stat ") {
		t.Errorf("without a ledger: %d, %q, %q", code, stdout, stderr)
	}
	store, err := ledger.Open(t.Context(), ledger.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	err = store.Do(t.Context(), func(tx bot.Tx) error {
		for _, o := range []bot.Operation{
			{ID: "OLD", Created: tx.Now().Add(-48 * time.Hour), About: "stage", Asked: bot.Person{ID: "U0ANA", Name: "ana"}},
			{ID: "NEW", Created: tx.Now(), About: "production", Asked: bot.Person{ID: "U0BEA", Name: "bea"}},
		} {
			o.Ref, o.Kind, o.State, o.End = o.ID, "lock", "unlocked", bot.Done
			if err := tx.AddOperation(o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args string
		want []string
	}{
		{"--json", []string{"NEW", "OLD"}},
		{"--json --limit 1", []string{"NEW"}},
		{"--json --since 1d", []string{"NEW"}},
		{"--json --since 2000-01-01", []string{"NEW", "OLD"}},
		{"--json --since 2100-01-01T12:00:00+01:00", nil},
		{"--json --environment prod", []string{"NEW"}},
		{"--json --environment stage", []string{"OLD"}},
		{"--json --person U0ANA", []string{"OLD"}},
		{"--json --person U0ANNE", nil},
	} {
		code, stdout, stderr := history(strings.Fields(tt.args)...)
		var got []string
		for line := range strings.Lines(stdout) {
			var r struct{ ID string }
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Errorf("%s: %v: %s", tt.args, err, line)
			}
			got = append(got, r.ID)
		}
		if code != fine || stderr != "" || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %d, %q, %q; want %q", tt.args, code, got, stderr, tt.want)
		}
	}
	if code, stdout, stderr := history("--limit", "1"); code != fine || stderr != "" || strings.Count(stdout, "\n") != 2 || !strings.Contains(stdout, "bea") {
		t.Errorf("as a table: %d, %q, %q", code, stdout, stderr)
	}
}

// A private channel takes scopes of its own.
func TestManifestScopes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "thbot.yaml")
	if err := os.WriteFile(path, []byte(app.Example()), 0o600); err != nil {
		t.Fatal(err)
	}
	scopes := func(args ...string) string {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), append(args, "-c", path), os.Getenv, &stdout, &stderr); code != fine {
			t.Fatalf("%v: code %d: %s", args, code, stderr.String())
		}
		var m struct {
			OAuth struct {
				Scopes struct{ Bot []string }
			} `json:"oauth_config"`
		}
		if err := json.Unmarshal(stdout.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		return strings.Join(m.OAuth.Scopes.Bot, " ")
	}
	if got := scopes("manifest"); !strings.Contains(got, "chat:write") || strings.Contains(got, " groups:") {
		t.Errorf("scopes: %s", got)
	}
	if got := scopes("manifest", "--private"); !strings.Contains(got, " groups:read") {
		t.Errorf("scopes with --private: %s", got)
	}
}

// What the bot stops of goes to the log, and the log is JSON without secrets.
func TestRunLogsWhyItStops(t *testing.T) {
	path := filepath.Join(t.TempDir(), "thbot.yaml")
	if err := os.WriteFile(path, []byte(app.Example()), 0o600); err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{
		"SLACK_APP_TOKEN": "xoxb-swapped", "SLACK_BOT_TOKEN": "xapp-swapped",
		"JENKINS_USER": "bot", "JENKINS_TOKEN": "11ff", "GITHUB_TOKEN": "ghp_x", "THBOT_DB_STAGE_PASSWORD": "none such",
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"run", "-c", path}, func(name string) string { return vars[name] }, &stdout, &stderr); code != broken {
		t.Errorf("code %d, want %d", code, broken)
	}
	lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	var last struct{ Level, Msg, Error string }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Level != "error" || !strings.Contains(last.Error, "swapped") {
		t.Errorf("the last line of the log: %s (%v)", lines[len(lines)-1], err)
	}
}

// A signal ends the bot in peace, here while it still waits for Slack.
func TestSIGTERM(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "thbot.yaml")
	if err := os.WriteFile(path, []byte(app.Example()), 0o600); err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{
		"SLACK_APP_TOKEN": "xapp-1", "SLACK_BOT_TOKEN": "xoxb-1",
		"JENKINS_USER": "bot", "JENKINS_TOKEN": "11ff", "GITHUB_TOKEN": "ghp_x", "THBOT_DB_STAGE_PASSWORD": "none such",
		"THBOT_SLACK_API_URL": "http://127.0.0.1:1/", // nobody listens there
		"THBOT_LEDGER":        "sqlite:" + filepath.Join(dir, "thbot.db"),
	}
	var stdout bytes.Buffer
	stderr := &watched{part: "connection refused", seen: func() {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	}}
	if code := run(t.Context(), []string{"run", "-c", path}, func(name string) string { return vars[name] }, &stdout, stderr); code != fine {
		t.Errorf("code %d, want %d", code, fine)
	}
	if log := stderr.String(); !strings.Contains(log, `"msg":"stopped"`) || strings.Contains(log, `"level":"error"`) {
		t.Errorf("the log:\n%s", log)
	}
}

// watched is a buffer that calls seen when part is first written to it.
type watched struct {
	bytes.Buffer
	part string
	seen func()
	once sync.Once
}

func (w *watched) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(w.part)) {
		w.once.Do(w.seen)
	}
	return w.Buffer.Write(p)
}
