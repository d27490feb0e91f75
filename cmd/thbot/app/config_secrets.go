package app

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"thbot/handlers/secretlike"
	"thbot/integrations/github"
)

// redacted stands where a secret stood.
const redacted = "[redacted]"

// A Secret prints as [redacted] whatever way it is printed or marshalled.
type Secret string

// Reveal returns the secret itself, to be handed to the client that sends it.
func (s Secret) Reveal() string { return string(s) }

// String returns [redacted], or nothing when there is no secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// Format prints String for every verb, also %#v, %x and %q.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// MarshalText makes JSON, YAML and text of String.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Secrets are the credentials. They come from the environment, each from the
// variable that its tag names or from the file named by that variable with
// _FILE added. They never stand in the configuration file.
type Secrets struct {
	SlackAppToken Secret `env:"SLACK_APP_TOKEN"`
	SlackBotToken Secret `env:"SLACK_BOT_TOKEN"`
	JenkinsUser   string `env:"JENKINS_USER"` // a name, no secret
	JenkinsToken  Secret `env:"JENKINS_TOKEN"`
	// On GitHub the bot is whose token it has, or an App: one or the other.
	GitHubToken           Secret `env:"GITHUB_TOKEN"`
	GitHubAppID           string `env:"GITHUB_APP_ID"` // a number, like the next
	GitHubAppInstallation string `env:"GITHUB_APP_INSTALLATION"`
	GitHubAppKey          Secret `env:"GITHUB_APP_KEY"`        // private, RSA, in PEM
	LedgerPassword        Secret `env:"THBOT_LEDGER_PASSWORD"` // none where the ledger needs none
	BugzillaAPIKey        Secret `env:"BUGZILLA_API_KEY"`      // none: people file bugs themselves, from a link
	// Databases are the passwords of the bot's accounts, by the database's name:
	// of the variables that [DatabaseVariable] names.
	Databases map[string]Secret
	// Again reads a credential anew: its file may have changed since. It is used
	// when a service refuses what was read before.
	Again func(variable string) (string, error)
}

// DatabaseVariable is the environment variable of the password to a database.
func DatabaseVariable(name string) string {
	return "THBOT_DB_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_")) + "_PASSWORD"
}

// All are the secrets that there are, for [NewLogger].
func (s Secrets) All() []Secret {
	var all []Secret
	for _, v := range reflect.ValueOf(s).Fields() {
		if secret, ok := v.Interface().(Secret); ok && secret != "" {
			all = append(all, secret)
		}
	}
	for _, secret := range s.Databases {
		all = append(all, secret)
	}
	return all
}

// app is the GitHub App that the bot is, or nil.
func (s Secrets) app() *github.App {
	if s.GitHubAppKey == "" {
		return nil
	}
	id, _ := number(s.GitHubAppID)
	installation, _ := number(s.GitHubAppInstallation)
	return &github.App{ID: id, Installation: installation, Key: []byte(s.GitHubAppKey.Reveal())}
}

func number(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n > 0
}

// leastSecret is how short a secret may be. The log could not be kept readable
// without every "a" in it.
const leastSecret = 4

// ReadSecrets reads the credentials from the environment. Everything that is
// wrong with them is in the error, a line each.
func ReadSecrets(getenv func(string) string) (Secrets, error) {
	var s Secrets
	var missing []string
	var errs []error
	given := map[string]bool{} // also what cannot be read
	s.Again = func(variable string) (string, error) { return readSecret(variable, getenv) }
	for f, v := range reflect.ValueOf(&s).Elem().Fields() {
		name := f.Tag.Get("env")
		if name == "" {
			continue
		}
		value, err := readSecret(name, getenv)
		if err != nil {
			errs = append(errs, err)
		}
		given[name] = value != "" || err != nil
		v.SetString(value)
	}
	for _, name := range []string{"SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "JENKINS_USER", "JENKINS_TOKEN"} {
		if !given[name] {
			missing = append(missing, name)
		}
	}
	var app, rest []string // of an App
	for _, name := range []string{"GITHUB_APP_ID", "GITHUB_APP_INSTALLATION", "GITHUB_APP_KEY"} {
		if given[name] {
			app = append(app, name)
		} else {
			rest = append(rest, name)
		}
	}
	switch {
	case len(app) == 0 && !given["GITHUB_TOKEN"]:
		missing = append(missing, "GITHUB_TOKEN (or, for a GitHub App, "+strings.Join(rest, ", ")+")")
	case len(app) > 0 && given["GITHUB_TOKEN"]:
		errs = append(errs, fmt.Errorf("GITHUB_TOKEN and %s are both set; on GitHub the bot has a token or is an App, so unset one", app[0]))
	case len(app) > 0 && len(rest) > 0:
		errs = append(errs, fmt.Errorf("not set, but needed beside %s: %s", strings.Join(app, " and "), strings.Join(rest, ", ")))
	}
	if missing != nil {
		errs = append(errs, fmt.Errorf("not set: %s; each can also be in a file that %s_FILE and the like name",
			strings.Join(missing, ", "), strings.Fields(missing[0])[0]))
	}
	// No value is repeated: somebody may have put another one's there.
	for _, n := range []struct{ name, value string }{{"GITHUB_APP_ID", s.GitHubAppID}, {"GITHUB_APP_INSTALLATION", s.GitHubAppInstallation}} {
		if _, ok := number(n.value); n.value != "" && !ok {
			errs = append(errs, fmt.Errorf("%s is not a number above 0", n.name))
		}
	}
	if s.GitHubAppKey != "" && !privateKey(s.GitHubAppKey.Reveal()) {
		errs = append(errs, errors.New("GITHUB_APP_KEY is not a private RSA key in PEM: the whole .pem file that GitHub made for the App, with its line breaks"))
	}
	for f, v := range reflect.ValueOf(s).Fields() {
		if secret, ok := v.Interface().(Secret); ok && secret != "" && len(secret) < leastSecret {
			errs = append(errs, fmt.Errorf("%s is too short to be kept secret; %d characters is the least", f.Tag.Get("env"), leastSecret))
		}
	}
	return s, errors.Join(errs...)
}

// readDatabases reads the passwords to the databases that the configuration has.
func (s *Secrets) readDatabases(c Config) error {
	var errs []error
	for name := range c.Databases {
		variable := DatabaseVariable(name)
		password, err := s.Again(variable)
		switch {
		case err != nil:
			errs = append(errs, err)
		case len(password) < leastSecret:
			errs = append(errs, fmt.Errorf("not set, or too short to be kept secret: %s, for databases.%s", variable, name))
		}
		if s.Databases == nil {
			s.Databases = map[string]Secret{}
		}
		s.Databases[name] = Secret(password)
	}
	return errors.Join(errs...)
}

// ReadLedgerPassword reads the one credential that it takes to read the ledger.
func ReadLedgerPassword(getenv func(string) string) (Secret, error) {
	password, err := readSecret("THBOT_LEDGER_PASSWORD", getenv)
	return Secret(password), err
}

// privateKey says whether text is a key that an App can sign with.
func privateKey(text string) bool {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return false
	}
	if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return true
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	_, rsaKey := key.(*rsa.PrivateKey)
	return err == nil && rsaKey
}

func readSecret(name string, getenv func(string) string) (string, error) {
	value, file := getenv(name), getenv(name+"_FILE")
	switch {
	case file == "":
		return value, nil
	case value != "":
		return "", fmt.Errorf("%s and %s_FILE are both set; unset one", name, name)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading %s_FILE: %w", name, err)
	}
	if value = strings.TrimRight(string(content), "\r\n"); value == "" {
		return "", fmt.Errorf("%s_FILE: %s is empty", name, file)
	}
	return value, nil
}

// redact replaces what looks like a credential.
func redact(text string) string { return secretlike.Redact(text, redacted) }

// secretKey matches keys under which people put credentials.
var secretKey = regexp.MustCompile(`(?i)(^|[_-])(tokens?|passwords?|passwd|pwd|secrets?|api_?key|private_?key|credentials?)$`)

// findSecrets reports every credential in the file by its line, and never
// repeats it. It looks at unknown keys too: they are the likeliest place.
func (d *document) findSecrets(n *yaml.Node) {
	found := func(n *yaml.Node) {
		d.secrets[n] = true
		d.problems = append(d.problems, problem{place{line: n.Line},
			"a secret stands here; take it out, replace it with a new one, and give that by the environment (SLACK_BOT_TOKEN and the like)"})
	}
	if n.Kind == yaml.ScalarNode && secretlike.Credential(n.Value) {
		found(n)
	}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && secretKey.MatchString(child.Value) {
			found(child)
			continue
		}
		if n.Kind == yaml.MappingNode && i%2 == 1 && d.secrets[n.Content[i-1]] {
			continue // said already
		}
		d.findSecrets(child)
	}
}
