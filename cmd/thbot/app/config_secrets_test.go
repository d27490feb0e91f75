package app

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

var credentials = map[string]string{
	"SLACK_APP_TOKEN": "xapp-1-A0", "SLACK_BOT_TOKEN": "xoxb-1-B0",
	"JENKINS_USER": "bot", "JENKINS_TOKEN": "11ff", "GITHUB_TOKEN": "ghp_x",
}

// but is credentials with other values; an empty one is unset.
func but(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return credentials[name]
	}
}

func TestReadSecrets(t *testing.T) {
	file := write(t, "token", "from-a-file\r\n")
	s, err := ReadSecrets(but("JENKINS_TOKEN", "", "JENKINS_TOKEN_FILE", file, "THBOT_LEDGER_PASSWORD", "pa ss"))
	if err != nil {
		t.Fatal(err)
	}
	got := []string{s.JenkinsUser}
	for _, secret := range s.All() {
		got = append(got, secret.Reveal())
	}
	want := []string{"bot", "xapp-1-A0", "xoxb-1-B0", "from-a-file", "ghp_x", "pa ss"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the user and All (-want +got):\n%s", diff)
	}
}

func TestReadSecretsRefuses(t *testing.T) {
	file, empty := write(t, "token", "hunter22"), write(t, "empty", "\n")
	for _, tt := range []struct {
		name   string
		getenv func(string) string
		want   []string
	}{
		{"nothing set", nothing, []string{
			"not set: SLACK_APP_TOKEN, SLACK_BOT_TOKEN, JENKINS_USER, JENKINS_TOKEN, GITHUB_TOKEN; each can also be in a file that SLACK_APP_TOKEN_FILE and the like name"}},
		{"some set", but("JENKINS_TOKEN", "", "GITHUB_TOKEN", ""), []string{"not set: JENKINS_TOKEN, GITHUB_TOKEN; each"}},
		{"set twice", but("JENKINS_TOKEN_FILE", file), []string{"JENKINS_TOKEN and JENKINS_TOKEN_FILE are both set"}},
		{"no such file", but("JENKINS_TOKEN", "", "JENKINS_TOKEN_FILE", file+"x"), []string{"reading JENKINS_TOKEN_FILE: open "}},
		{"an empty file", but("JENKINS_TOKEN", "", "JENKINS_TOKEN_FILE", empty), []string{"JENKINS_TOKEN_FILE: " + empty + " is empty"}},
		{"too short", but("THBOT_LEDGER_PASSWORD", "abc"), []string{"THBOT_LEDGER_PASSWORD is too short"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadSecrets(tt.getenv)
			if err == nil {
				t.Fatal("ReadSecrets accepted it")
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(tt.want) {
				t.Errorf("ReadSecrets: %d lines, want %d:\n%v", len(lines), len(tt.want), err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("ReadSecrets: %v\nwant %q in it", err, want)
				}
			}
			if strings.Contains(err.Error(), "hunter22") {
				t.Errorf("the error repeats a secret: %v", err)
			}
		})
	}
}

// Load says everything that is wrong with either at once.
func TestLoad(t *testing.T) {
	_, _, err := Load(write(t, "thbot.yaml", strings.Replace(small, "C0123456789", "General", 1)), but("GITHUB_TOKEN", ""))
	if err == nil || !strings.Contains(err.Error(), ":1: slack.channel is") || !strings.Contains(err.Error(), "not set: GITHUB_TOKEN;") {
		t.Errorf("Load: %v", err)
	}
	c, s, err := Load(write(t, "thbot.yaml", small), but())
	if err != nil || c.Slack.Channel != "C0123456789" || s.GitHubToken.Reveal() != "ghp_x" {
		t.Errorf("Load = %v, %v, %v", c, s, err)
	}
}

func TestASecretNeverPrints(t *testing.T) {
	type holder struct {
		S  Secret
		P  *Secret
		In map[string]Secret
	}
	s := Secret("hunter22")
	h := holder{s, &s, map[string]Secret{"a": s}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %v"} {
		for _, v := range []any{s, h, []Secret{s}, Secrets{SlackBotToken: s}, fmt.Errorf("sending %v", s)} {
			if got := fmt.Sprintf(verb, v, v); strings.Contains(got, "hunter22") || strings.Contains(strings.ToLower(got), fmt.Sprintf("%x", "hunter22")) {
				t.Errorf("%s of %T prints the secret: %s", verb, v, got)
			}
		}
	}
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		if got, err := marshal(h); err != nil || strings.Contains(string(got), "hunter22") || !strings.Contains(string(got), redacted) {
			t.Errorf("marshalled: %s, %v", got, err)
		}
	}
	if got := fmt.Sprint(Secret("")); got != "" {
		t.Errorf("no secret prints as %q", got)
	}
}
