package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"thbot/cmd/thbot/app"
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
		{"", misuse, "", `expected one of "run", "config", "manifest"`},
		{"deploy", misuse, "", "unexpected argument deploy"},
		{"run", misuse, "", "missing flags: --config=FILE"},
		{"config", fine, "environments:", ""},
		{"config --check " + good, fine, "good.yaml is a valid configuration.", ""},
		{"config --check " + bad, broken, "", "slack.comand is no key (did you mean `command`?)"},
		{"config --check " + absent, broken, "", "reading the configuration: open "},
		{"manifest -c " + good, fine, `"command": "/th"`, ""},
		{"manifest -c " + bad, broken, "", "slack.comand is no key"},
		{"run -c " + good, broken, "", "not set: SLACK_APP_TOKEN, SLACK_BOT_TOKEN, JENKINS_USER, JENKINS_TOKEN, GITHUB_TOKEN;"},
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
		"JENKINS_USER": "bot", "JENKINS_TOKEN": "11ff", "GITHUB_TOKEN": "ghp_x",
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
		"JENKINS_USER": "bot", "JENKINS_TOKEN": "11ff", "GITHUB_TOKEN": "ghp_x",
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
