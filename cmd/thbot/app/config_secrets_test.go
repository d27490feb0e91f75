package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"slices"
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
			"not set: SLACK_APP_TOKEN, SLACK_BOT_TOKEN, JENKINS_USER, JENKINS_TOKEN, GITHUB_TOKEN (or, for a GitHub App, GITHUB_APP_ID, GITHUB_APP_INSTALLATION, GITHUB_APP_KEY); each can also be in a file that SLACK_APP_TOKEN_FILE and the like name"}},
		{"some set", but("JENKINS_TOKEN", "", "GITHUB_TOKEN", ""), []string{"not set: JENKINS_TOKEN, GITHUB_TOKEN (or, for a GitHub App, "}},
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

// newKey is a private key as GitHub makes one for an App, and its public half.
func newKey(t *testing.T) (string, *rsa.PublicKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})), &key.PublicKey
}

func TestGitHubApp(t *testing.T) {
	key, public := newKey(t)
	parsed, _ := pem.Decode([]byte(key))
	private := must(x509.ParsePKCS1PrivateKey(parsed.Bytes))
	inPEM := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	other := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	const noKey = "GITHUB_APP_KEY is not a private RSA key in PEM: the whole .pem file that GitHub made for the App, with its line breaks"
	for _, tt := range []struct {
		name string
		vars []string
		want string // the error; empty: valid
	}{
		{"all", []string{"GITHUB_APP_ID", "12", "GITHUB_APP_INSTALLATION", "34", "GITHUB_APP_KEY", key}, ""},
		{"the key in a file", []string{"GITHUB_APP_ID", "12", "GITHUB_APP_INSTALLATION", "34", "GITHUB_APP_KEY_FILE", write(t, "app.pem", key)}, ""},
		{"the key in PKCS #8", []string{"GITHUB_APP_ID", "12", "GITHUB_APP_INSTALLATION", "34",
			"GITHUB_APP_KEY", inPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(private)))}, ""},
		{"and a token", []string{"GITHUB_TOKEN", "ghp_x", "GITHUB_APP_ID", "12", "GITHUB_APP_INSTALLATION", "34", "GITHUB_APP_KEY", key},
			"GITHUB_TOKEN and GITHUB_APP_ID are both set; on GitHub the bot has a token or is an App, so unset one"},
		{"a token and a key", []string{"GITHUB_TOKEN", "ghp_x", "GITHUB_APP_KEY", key},
			"GITHUB_TOKEN and GITHUB_APP_KEY are both set; on GitHub the bot has a token or is an App, so unset one"},
		{"only the number", []string{"GITHUB_APP_ID", "12"}, "not set, but needed beside GITHUB_APP_ID: GITHUB_APP_INSTALLATION, GITHUB_APP_KEY"},
		{"no installation", []string{"GITHUB_APP_ID", "12", "GITHUB_APP_KEY", key}, "not set, but needed beside GITHUB_APP_ID and GITHUB_APP_KEY: GITHUB_APP_INSTALLATION"},
		{"no file of the key", []string{"GITHUB_APP_ID", "12", "GITHUB_APP_INSTALLATION", "34", "GITHUB_APP_KEY_FILE", "/absent.pem"},
			"reading GITHUB_APP_KEY_FILE: open /absent.pem: no such file or directory"},
		{"no numbers", []string{"GITHUB_APP_ID", "Iv1.hunter22", "GITHUB_APP_INSTALLATION", "0", "GITHUB_APP_KEY", key},
			"GITHUB_APP_ID is not a number above 0\nGITHUB_APP_INSTALLATION is not a number above 0"},
		{"numbers too large", []string{"GITHUB_APP_ID", "12", "GITHUB_APP_INSTALLATION", "99999999999999999999", "GITHUB_APP_KEY", key},
			"GITHUB_APP_INSTALLATION is not a number above 0"},
		{"no PEM", []string{"GITHUB_APP_ID", "12", "GITHUB_APP_INSTALLATION", "34", "GITHUB_APP_KEY", "hunter22"}, noKey},
		{"no line breaks", []string{"GITHUB_APP_ID", "12", "GITHUB_APP_INSTALLATION", "34", "GITHUB_APP_KEY", strings.ReplaceAll(key, "\n", " ")}, noKey},
		{"half a key", []string{"GITHUB_APP_ID", "12", "GITHUB_APP_INSTALLATION", "34", "GITHUB_APP_KEY", key[:len(key)/2]}, noKey},
		{"a public key", []string{"GITHUB_APP_ID", "12", "GITHUB_APP_INSTALLATION", "34",
			"GITHUB_APP_KEY", inPEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(public)))}, noKey},
		{"another sort of key", []string{"GITHUB_APP_ID", "12", "GITHUB_APP_INSTALLATION", "34",
			"GITHUB_APP_KEY", inPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(other)))}, noKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := ReadSecrets(but(append(tt.vars, "GITHUB_TOKEN", "")...))
			if tt.want != "" {
				if err == nil || err.Error() != tt.want {
					t.Errorf("ReadSecrets: %v\nwant %s", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			app := s.app()
			if app == nil || app.ID != 12 || app.Installation != 34 || !privateKey(string(app.Key)) {
				t.Error("it is not the App that was given")
			}
			if !slices.Contains(s.All(), s.GitHubAppKey) {
				t.Error("the key is none of the secrets")
			}
		})
	}
	if s := must(ReadSecrets(but())); s.app() != nil {
		t.Error("with a token the bot is an App")
	}
}

// Load says everything that is wrong with either at once.
func TestLoad(t *testing.T) {
	_, _, err := Load(write(t, "thbot.yaml", strings.Replace(small, "C0123456789", "General", 1)), but("GITHUB_TOKEN", ""))
	if err == nil || !strings.Contains(err.Error(), ":1: slack.channel is") || !strings.Contains(err.Error(), "not set: GITHUB_TOKEN (or") {
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

// Each database has a password of its own, which stays one when it is printed.
func TestDatabasePasswords(t *testing.T) {
	c := Config{Databases: Databases{"stage": {}, "taskcluster-staging": {}}}
	read := func(vars map[string]string) (Secrets, error) {
		s := Secrets{Again: func(variable string) (string, error) { return vars[variable], nil }}
		err := s.readDatabases(c)
		return s, err
	}
	s, err := read(map[string]string{"THBOT_DB_STAGE_PASSWORD": "hunter22", "THBOT_DB_TASKCLUSTER_STAGING_PASSWORD": "hunter23"})
	if err != nil || len(s.All()) != 2 || strings.Contains(fmt.Sprintf("%#v %v", s.Databases, s.All()), "hunter") {
		t.Errorf("%v %v", s, err)
	}
	if _, err := read(map[string]string{"THBOT_DB_STAGE_PASSWORD": "abc"}); err == nil || strings.Count(err.Error(), "THBOT_DB_") != 2 || strings.Contains(err.Error(), "abc") {
		t.Errorf("without them: %v", err)
	}
}
