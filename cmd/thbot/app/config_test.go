package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/integrations/jenkins"
)

// nothing is an empty environment.
func nothing(string) string { return "" }

func env(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// small is the least that is valid; tests put things into it.
const small = `slack: {channel: C0123456789}
jenkins: {url: "https://jenkins.example/ci"}
roles: {admins: [S0ADMINS]}
environments:
  - name: stage
    url: http://stage.example
    deploys: By itself.
`

var defaultConfirm = Confirm{Expires: 20 * time.Minute, People: 1, Self: new(true), Migrations: "admins"}

func TestDefaults(t *testing.T) {
	got, err := ReadConfig(write(t, "thbot.yaml", small), nothing)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Slack:    Slack{APIURL: "https://slack.com/api/", Channel: "C0123456789", Command: "/th"},
		Ledger:   "sqlite:thbot.db",
		Jenkins:  Jenkins{URL: "https://jenkins.example/ci/"},
		GitHub:   GitHub{APIURL: "https://api.github.com/", Repository: "mozilla/treeherder", InfraRepository: "mozilla-services/cloudops-infra"},
		Roles:    Roles{Admins: []string{"S0ADMINS"}},
		Contact:  Contact{AcknowledgeWithin: 5 * time.Minute},
		Bugzilla: Bugzilla{URL: "https://bugzilla.mozilla.org/", Product: "Cloud Services", Component: "Operations: Releng", PrivateGroup: "cloud-services-security"},
		Environments: []Environment{
			{Name: "stage", URL: "http://stage.example/", Deploys: "By itself.", Confirm: defaultConfirm},
		},
		Times: Times{
			Lease: 8 * time.Second, Limit: 4 * time.Second, Idle: 5 * time.Second, Plan: 20 * time.Second,
			Watch: 30 * time.Second, Follow: 10 * time.Second, Live: 5 * time.Second, NotLive: 10 * time.Minute,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ReadConfig (-want +got):\n%s", diff)
	}
}

func TestExample(t *testing.T) {
	got, err := ReadConfig(write(t, "thbot.yaml", Example()), nothing)
	if err != nil {
		t.Fatalf("the example is not valid:\n%v", err)
	}
	if got.Ledger != defaults().Ledger || got.Times != defaults().Times || got.GitHub != defaults().GitHub ||
		got.Slack.APIURL != defaults().Slack.APIURL || got.Slack.Command != defaults().Slack.Command {
		t.Error("the example shows other values than the defaults, which it says that it shows")
	}
	want := Environment{
		Name: "production", Aliases: []string{"prod"}, URL: "https://treeherder.mozilla.org/", Branch: "master",
		Jenkins: &EnvironmentJob{
			Job: "gcp-pipelines/treeherder/treeherder-production", Stage: "Deploy to production",
			CommitFrom: jenkins.CommitFrom{Parameter: "ImageTag"}, Revert: "rebuild",
		},
		Confirm: defaultConfirm,
		Freezes: []Freeze{
			{From: "2026-12-23 18:00", To: "2027-01-02 09:00", Zone: "Europe/Berlin", Reason: "end of year"},
			{From: "fri 16:00", To: "mon 08:00", Zone: "UTC", Reason: "nobody is there at the weekend"},
		},
	}
	if diff := cmp.Diff(want, got.Environments[0]); diff != "" {
		t.Errorf("production (-want +got):\n%s", diff)
	}
	if got := got.Roles.Bot()[bot.CloudOps]; !cmp.Equal(got, []string{"S012CLOUDOPS"}) {
		t.Errorf("Bot()[cloudops] = %v", got)
	}
	if diff := cmp.Diff(People{"bea-gh": "U0BEA"}, got.People); diff != "" {
		t.Errorf("people (-want +got):\n%s", diff)
	}
}

// The example's other rules for the commit, which stand in comments, are valid too.
func TestExampleAlternatives(t *testing.T) {
	alternative := regexp.MustCompile(`(?m)^( +)# ((?:display_name|git|revision): .*)$`)
	found := alternative.FindAllStringSubmatch(Example(), -1)
	if len(found) != 3 {
		t.Fatalf("found %d alternatives in the example, want 3", len(found))
	}
	for _, m := range found {
		text := regexp.MustCompile(`(?m)^ +parameter: .*$`).ReplaceAllLiteralString(Example(), m[1]+m[2])
		if _, err := ReadConfig(write(t, "thbot.yaml", text), nothing); err != nil {
			t.Errorf("with %s: %v", m[2], err)
		}
	}
}

// Every key of Config stands in the example, and in its own place.
func TestExampleHasEveryKey(t *testing.T) {
	text := regexp.MustCompile(`(?m)^( +)# ((?:display_name|git|revision): .*)$`).ReplaceAllString(Example(), "$1$2")
	var c Config
	d := decode("example.yaml", []byte(text), &c)
	said := map[string]bool{}
	for path := range d.places {
		said[regexp.MustCompile(`\[\d+\]`).ReplaceAllString(path, "")] = true
	}
	count := 0
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct {
			return
		}
		for f := range typ.Fields() {
			key := join(path, f.Tag.Get("yaml"))
			if count++; !said[key] {
				t.Errorf("the example does not have %s", key)
			}
			walk(key, f.Type)
		}
	}
	walk("", reflect.TypeFor[Config]())
	if count < 49 {
		t.Errorf("walked only %d keys", count)
	}
}

// One file with every sort of mistake: all are reported at once, each with its
// line, and nothing is said twice.
func TestAllMistakesAtOnce(t *testing.T) {
	path := write(t, "thbot.yaml", `slack:
  api_url: https://slack.com/api?x
  chanel: C0 general
  command: deploy now
ledger: [sqlite]
jenkins:
  url: jenkins.example
  queue: true
github: {repository: treeherder, repository: mozilla/treeherder}
roles:
  admins: []
  cloud_ops: [S0CLOUDOPS, "@bea"]
  prototype_pushers: S0PUSHERS
environments:
  - name: Production
    alias: [prod]
    url: https://bot:hunter22@treeherder.mozilla.org/
    jenkins:
      job: /gcp-pipelines/treeherder
      commit_from: {parameter: ImageTag, display_name: "(a)(b"}
    confirm: {expires: 20}
  - name: stage
    aliases: [prod, stage]
    url: ftp://stage.example
  - &proto
    name: prototype
  - jenkins: {job: a/b, stage: " ", commit_from: {display_name: "[0-9a-f]+"}}
    name: 7
    url: https://x.example/?a=b
    branch:
times:
  lease: 2s
  idle: -1s
  live: soon
`)
	_, err := ReadConfig(path, nothing)
	if err == nil {
		t.Fatal("ReadConfig accepted it")
	}
	got := strings.ReplaceAll(err.Error(), path, "thbot.yaml")
	want := `thbot.yaml:2: slack.api_url must be an address like https://host/path/, without user, ? and #
thbot.yaml:3: slack.chanel is no key (did you mean ` + "`channel`" + `?)
thbot.yaml:3: slack.channel is "C0 general", which is not the id or the name of a channel, like C0123456789 or treeherder-ops
thbot.yaml:4: slack.command is "deploy now", which is not a slash and up to 31 small letters, digits, - or _, like /th
thbot.yaml:5: ledger must be a text
thbot.yaml:7: jenkins.url must be an address like https://host/path/, without user, ? and #
thbot.yaml:8: jenkins.queue is no key; the keys here are ` + "`url`" + `
thbot.yaml:9: github.repository stands here again, first in line 9
thbot.yaml:11: roles.admins is missing: without an admin nothing could be confirmed
thbot.yaml:12: roles.cloud_ops is no key (did you mean ` + "`cloudops`" + `?)
thbot.yaml:12: roles.cloudops[1] is "@bea", which is not the id of a person (U… or W…) or user group (S…)
thbot.yaml:13: roles.prototype_pushers must be a list
thbot.yaml:15: environments[0].name is "Production", which is not small letters, digits and -, like production
thbot.yaml:15: environments[0].branch is missing: the branch that its commits come from
thbot.yaml:16: environments[0].alias is no key (did you mean ` + "`aliases`" + `?)
thbot.yaml:17: a secret stands here; take it out, replace it with a new one, and give that by the environment (SLACK_BOT_TOKEN and the like)
thbot.yaml:18: environments[0].jenkins.stage is missing: the name of the stage that deploys this environment
thbot.yaml:19: environments[0].jenkins.job is wrong: "/gcp-pipelines/treeherder" is not the path of a Jenkins job; one looks like folder/subfolder/job
thbot.yaml:20: environments[0].jenkins.commit_from is wrong: 2 of parameter, display_name, git and revision are set; it must be exactly one
thbot.yaml:21: environments[0].confirm.expires must be a duration like 90s, 20m or 1h30m
thbot.yaml:22: environments[1].deploys is missing: an environment has ` + "`jenkins`, or says in `deploys`" + ` how it deploys by itself
thbot.yaml:23: environments[1].aliases[0] is "prod" like environments[0].aliases[0]; people could mean either
thbot.yaml:23: environments[1].aliases[1] is "stage" like environments[1].name; people could mean either
thbot.yaml:24: environments[1].url must be an address like https://host/path/, without user, ? and #
thbot.yaml:25: environments[2] must be written out; anchors and aliases (& and *) are not read
thbot.yaml:27: environments[3].jenkins.stage is missing: the name of the stage that deploys this environment
thbot.yaml:27: environments[3].jenkins.commit_from is wrong: display_name "[0-9a-f]+" has 0 groups; it must have exactly one, around the commit
thbot.yaml:28: environments[3].name must be a text; put it in quotes
thbot.yaml:29: environments[3].url must be an address like https://host/path/, without user, ? and #
thbot.yaml:30: environments[3].branch has no value; give it one or leave it out
thbot.yaml:31: times.limit is 4s, which must be shorter than the lease of 2s
thbot.yaml:33: times.idle must be longer than nothing
thbot.yaml:34: times.live must be a duration like 90s, 20m or 1h30m`
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("what is wrong (-want +got):\n%s", diff)
	}
}

func TestRefusedFiles(t *testing.T) {
	with := func(old, new string) string {
		if !strings.Contains(small, old) {
			t.Fatalf("small has no %q", old)
		}
		return strings.Replace(small, old, new, 1)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", ":1: slack.channel is missing"},
		{"only a comment", "# nothing yet\n", ":1: environments is missing"},
		{"null", "---\n", " the file has no value"},
		{"a list", "- a\n", ":1: the file must be a mapping with the keys `slack`, `ledger`,"},
		{"not YAML", small + "times: {lease: 8s\n", "is not YAML: "},
		{"not YAML, with its line", "slack:\n  channel: a: b\n", ":2: the file is not YAML: mapping values are not allowed"},
		{"two documents", small + "---\nslack: {}\n", ":8: the file must be one document"},
		{"an unknown alias", with("C0123456789", "*x"), "is not YAML: unknown anchor 'x'"},
		{"a merge", small + "times:\n  <<: {lease: 9s}\n", ":9: times.<< is no key; the keys here are `lease`"},
		{"a twin of an environment", small + "  - {name: stage, url: 'https://b.example/', deploys: x}\n",
			`environments[1].name is "stage" like environments[0].name`},
		{"beside the right key", with("channel:", "chanel: C1, channel:"), "slack.chanel is no key (did you mean `channel`?)"},
		{"a key cut short", small + "times: {}\nenviron: []\n", ":9: environ is no key (did you mean `environments`?)"},
		{"a key that is a list", small + "? [a]\n: b\n", " is no key"},
		{"a password in the ledger", small + "ledger: mysql:thbot:hunter22@tcp(db:3306)/thbot\n", ":8: a secret stands here"},
		{"a mysql URL", small + "ledger: mysql://thbot:hunter22@db/thbot\n", ":8: a secret stands here"},
		{"an orphan with a dot", small + "databases: {stage: {user: thbot, primary: {address: 'a:1'}, replica: {address: 'b:1'}, orphans: [model/0001 gone, perf.0002_gone]}}\n",
			`:8: databases.stage.orphans[1] is "perf.0002_gone", which is not APP/NAME of a migration, like perf/0002_gone`},
		{"another store", small + "ledger: postgres:thbot\n", ":8: ledger must be sqlite:FILE or mysql:"},
		{"by itself, and promoted", with("deploys:", "branch: b\n    jenkins: {job: a, stage: b, commit_from: {git: c},\n      input: d}\n    deploys:"),
			":9: environments[0].jenkins.input has no use beside `deploys`: nobody promotes what deploys by itself"},
		{"by itself, and confirmed", with("deploys:", "branch: b\n    jenkins: {job: a, stage: b, commit_from: {git: c},\n      confirmed_by: d}\n    deploys:"),
			":9: environments[0].jenkins.confirmed_by has no use beside `deploys`: nobody"},
		{"by itself, and reverted", with("deploys:", "branch: b\n    jenkins: {job: a, stage: b, commit_from: {git: c},\n      revert: replay}\n    deploys:"),
			":9: environments[0].jenkins.revert has no use beside `deploys`: nobody"},
		{"reverted somehow", with("deploys: By itself.", "branch: b\n    jenkins: {job: a, stage: b, commit_from: {git: c},\n      revert: magic}"),
			":9: environments[0].jenkins.revert is \"magic\"; it is rebuild or replay"},
		{"by itself, without a branch", with("deploys:", "jenkins: {job: a, stage: b, commit_from: {git: c}}\n    deploys:"), ":5: environments[0].branch is missing"},
		{"by itself, with half a job", with("deploys:", "branch: b\n    jenkins: {job: a, commit_from: {git: c}}\n    deploys:"), ":8: environments[0].jenkins.stage is missing"},
		{"nobody confirms", with("deploys:", "confirm: {people: 0}\n    deploys:"), ":7: environments[0].confirm.people is 0; it is from 1 to 5"},
		{"a crowd confirms", with("deploys:", "confirm: {people: 6}\n    deploys:"), ":7: environments[0].confirm.people is 6; it is from 1 to 5"},
		{"half a person", with("deploys:", "confirm: {people: 1.5}\n    deploys:"), ":7: environments[0].confirm.people must be a whole number"},
		{"people in words", with("deploys:", "confirm: {people: two}\n    deploys:"), ":7: environments[0].confirm.people must be a whole number"},
		{"people in a list", with("deploys:", "confirm: {people: [1]}\n    deploys:"), ":7: environments[0].confirm.people must be a whole number"},
		{"too many people to count", with("deploys:", "confirm: {people: 99999999999999999999}\n    deploys:"), ":7: environments[0].confirm.people must be a whole number"},
		{"perhaps oneself", with("deploys:", "confirm: {self: sometimes}\n    deploys:"), ":7: environments[0].confirm.self must be true or false"},
		{"a role that confirms nothing", with("deploys:", "confirm: {migrations: cloudOps}\n    deploys:"), `:7: environments[0].confirm.migrations is "cloudOps"; it is admins or cloudops`},
		{"no role", with("deploys:", "confirm: {migrations: ''}\n    deploys:"), `:7: environments[0].confirm.migrations is ""; it is admins or cloudops`},
		{"nothing to reset", with("deploys:", "reset_to: master\n    deploys:"), ":7: environments[0].reset_to needs `branch`: the one that is put back"},
		{"a topic without a contact", small + "contact: {topic_pattern: 'on call: .*'}\n", ":8: contact.topic_pattern is wrong: the pattern does not say where the main contact stands"},
		{"a group as backup", small + "contact: {backups: [S0ADMINS]}\n", "contact.backups[0] is \"S0ADMINS\", which is not the id of a person"},
		{"a procedure in words", small + "contact: {procedure: call somebody}\n", "contact.procedure must be an address"},
		{"no time to answer", small + "contact: {acknowledge_within: 0s}\n", "contact.acknowledge_within is 0s; it is from a second to two hours"},
		{"drifts nowhere", with("deploys:", "branch: b\n    drift: 24h\n    deploys:"), ":8: environments[0].drift is how long a branch with `reset_to` is left alone"},
		{"drifts at once", with("deploys:", "branch: b\n    reset_to: m\n    drift: 1s\n    deploys:"), ":9: environments[0].drift is how long"},
		{"reset to itself", with("deploys:", "branch: master\n    reset_to: master\n    deploys:"), ":8: environments[0].reset_to is the environment's own branch"},
		{"reset to no branch", with("deploys:", "branch: b\n    reset_to: ../b\n    deploys:"), `:8: environments[0].reset_to is "../b", which is not the name of a branch`},
		{"a job's address", with("deploys: By itself.", "branch: b\n    jenkins: {job: job/a/job/b, stage: b, commit_from: {revision: true}}"),
			":8: environments[0].jenkins.job must have the names alone"},
		{"a rule that is not true", with("deploys: By itself.", "branch: b\n    jenkins: {job: a, stage: b, commit_from: {revision: yes please}}"),
			":8: environments[0].jenkins.commit_from.revision must be true or false"},
		{"an address without a host", with("https://jenkins.example/ci", "https:///ci"), ":2: jenkins.url must be an address"},
		{"a question that is over at once", with("deploys:", "confirm: {expires: 0s}\n    deploys:"), "confirm.expires must be longer than nothing"},
		{"a branch that is none", with("deploys:", "branch: ../../user\n    deploys:"), `branch is "../../user", which is not`},
		{"the settings in a URL", small + "github: {infra_repository: 'https://github.com/a/b'}\n", `:8: github.infra_repository is "https://github.com/a/b", which is not OWNER/NAME`},
		{"the settings further up", small + "github: {infra_repository: a/..}\n", `:8: github.infra_repository is "a/..", which is not OWNER/NAME`},
		{"requests to half a place", small + "bugzilla: {product: ''}\n", "bugzilla.component goes with bugzilla.product"},
		{"people in a list", small + "people: [U0BEA]\n", ":8: people must be a mapping"},
		{"somebody by name", small + "people: {bea-gh: bea}\n", `:8: people.bea-gh is "bea", which is not the id of a person (U… or W…)`},
		{"a group for somebody", small + "people: {bea-gh: S0BEA}\n", `:8: people.bea-gh is "S0BEA", which is not`},
		{"several for somebody", small + "people:\n  bea-gh: [U0BEA]\n", ":9: people.bea-gh must be a text"},
		{"an e-mail for a login", small + "people:\n  bea@example.org: U0BEA\n", ":9: people.bea@example.org is no login of GitHub"},
		{"somebody twice", small + "people:\n  bea: U0BEA\n  bea: U0BOB\n", ":10: people.bea stands here again, first in line 9"},
		{"somebody twice, in capitals", small + "people:\n  Bea: U0BEA\n  bea: U0BOB\n", ":10: people.bea is the same login as people.Bea"},
		{"an empty list of rules", small + "roles: {}\n", ":8: roles stands here again, first in line 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadConfig(write(t, "thbot.yaml", tt.text), nothing)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("ReadConfig: %v\nwant %q in it", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter22") {
				t.Errorf("the error repeats a password: %v", err)
			}
		})
	}
	for _, text := range []string{
		small + "ledger: mysql:thbot@tcp(db.example:3306)/thbot\n",
		small + "ledger: mysql:thbot@tcp(db.example:3306)/thbot?tls=true\n",
		small + "ledger: mysql:thbot@unix(/run/mysqld/mysqld.sock)/thbot\n",
		small + "ledger: sqlite:/var/lib/thbot/thbot.db\n",
		small + "people: {}\n", small + "people: {bea-gh: U0BEA, B-e_moz: W0BEA}\n",
		strings.Replace(small, "deploys:", "branch: b\n    jenkins: {job: a, stage: b, commit_from: {git: c}, input: ''}\n    deploys:", 1),
		strings.Replace(small, "deploys:", "branch: b\n    reset_to: ''\n    confirm: {people: 5, self: false, migrations: cloudops}\n    deploys:", 1),
		strings.Replace(small, "By itself.", "Basic knowledge, see http://wiki.example:8080/@deploys.", 1),
	} {
		if _, err := ReadConfig(write(t, "thbot.yaml", text), nothing); err != nil {
			t.Errorf("refused %q: %v", text, err)
		}
	}
	if _, err := ReadConfig(filepath.Join(t.TempDir(), "absent.yaml"), nothing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an absent file: %v", err)
	}
}

// Every mistake in a freeze is told, each at its own line.
func TestFreezes(t *testing.T) {
	path := write(t, "thbot.yaml", small+`    freeze:
      - {from: fri 16:00, to: mon 08:00, zone: UTC, reason: weekend}
      - from: soon
        to: "2027-01-02 09:00"
        zone: Berlin
      - {from: fri 16:00, to: fri 16:00, zone: UTC, reason: always}
      - from: "2027-01-02 09:00"
        to: "2026-12-23 18:00"
        zone: UTC
        reason: "backwards"
        until: "2027-01-02 09:00"
`)
	_, err := ReadConfig(path, nothing)
	want := `thbot.yaml:10: environments[0].freeze[1].from "soon" is not a time; write it like 2026-12-23 18:00, or fri 16:00 for every week
thbot.yaml:10: environments[0].freeze[1].reason is missing; people are told it
thbot.yaml:12: environments[0].freeze[1].zone "Berlin" is not a time zone; they have names like Europe/Berlin
thbot.yaml:13: environments[0].freeze[2] is wrong: from "fri 16:00" and to "fri 16:00": they are the same
thbot.yaml:15: environments[0].freeze[3].to "2026-12-23 18:00" is not after from, "2027-01-02 09:00"
thbot.yaml:18: environments[0].freeze[3].until is no key; the keys here are ` + "`from`, `to`, `zone`, `reason`"
	if got := strings.ReplaceAll(fmt.Sprint(err), path, "thbot.yaml"); got != want {
		t.Errorf("ReadConfig:\n%s\nwant:\n%s", got, want)
	}
}

// What the file says of an environment is what the commands get.
func TestEnvironments(t *testing.T) {
	c, err := ReadConfig(write(t, "thbot.yaml", Example()), nothing)
	if err != nil {
		t.Fatal(err)
	}
	c.Environments[0].Confirm = Confirm{Expires: time.Hour, People: 2, Self: new(false), Migrations: "cloudops"}
	all := c.environments()
	prod, _ := all.Named("production")
	if want := (deploys.Confirm{Expires: time.Hour, People: 2, CloudOps: true}); prod.Confirm != want || len(prod.Freezes) != 2 || !prod.Promoted() {
		t.Errorf("production: %+v", prod)
	}
	stage, _ := all.Named("stage")
	if want := (deploys.Confirm{Expires: 20 * time.Minute, People: 1, Self: true}); stage.Confirm != want || stage.Pipeline == nil || stage.Promoted() {
		t.Errorf("stage: %+v", stage)
	}
	if proto, _ := all.Named("prototype"); proto.ResetTo != "master" || proto.Pipeline != nil {
		t.Errorf("prototype: %+v", proto)
	}
	if len(all) != len(c.Environments) {
		t.Errorf("%d environments, want %d", len(all), len(c.Environments))
	}
}

// A secret is refused wherever it stands, also under a key that does not
// exist, and never repeated.
func TestSecretsInTheFile(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		line       string
	}{
		{"as the value of a key", strings.Replace(small, "C0123456789", "xoxb-1-hunter22", 1), ":1: "},
		{"under a telling key", "slack:\n  bot_token: hunter22\n" + small[strings.Index(small, "jenkins"):], ":2: "},
		{"under a telling mapping", small + "passwords: {ledger: hunter22}\n", ":8: "},
		{"under another unknown key", small + "extra: [{deep: ghp_hunter22}]\n", ":8: "},
		{"in a list", strings.Replace(small, "S0ADMINS", "S0ADMINS, github_pat_hunter22", 1), ":3: "},
		{"as a key", small + "xapp-1-hunter22: here\n", ":8: "},
		{"in an address", strings.Replace(small, "https://jenkins", "https://bot:hunter22@jenkins", 1), ":2: "},
		{"in a sentence", strings.Replace(small, "By itself.", "'Send xoxp-hunter22 there, it is basic knowledge.'", 1), ":7: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadConfig(write(t, "thbot.yaml", tt.text), nothing)
			if err == nil || !strings.Contains(err.Error(), tt.line+"a secret stands here") {
				t.Fatalf("ReadConfig: %v\nwant line %s", err, tt.line)
			}
			if strings.Contains(err.Error(), "hunter22") {
				t.Errorf("the error repeats the secret: %v", err)
			}
			if n := strings.Count(err.Error(), "a secret stands here"); n != 1 {
				t.Errorf("the secret is reported %d times: %v", n, err)
			}
		})
	}
}

func TestOverrides(t *testing.T) {
	vars := map[string]string{
		"THBOT_SLACK_API_URL":  "http://127.0.0.1:1/api/",
		"THBOT_JENKINS_URL":    "http://127.0.0.1:2",
		"THBOT_GITHUB_API_URL": "http://127.0.0.1:3/",
		"THBOT_LEDGER":         "mysql:root@tcp(127.0.0.1:4)/thbot",
	}
	// The file need not have what the environment has.
	text := strings.Replace(small, `jenkins: {url: "https://jenkins.example/ci"}`+"\n", "", 1)
	c, err := ReadConfig(write(t, "thbot.yaml", text), env(vars))
	if err != nil {
		t.Fatal(err)
	}
	got := []string{c.Slack.APIURL, c.Jenkins.URL, c.GitHub.APIURL, c.Ledger}
	want := []string{vars["THBOT_SLACK_API_URL"], vars["THBOT_JENKINS_URL"] + "/", vars["THBOT_GITHUB_API_URL"], vars["THBOT_LEDGER"]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("overridden (-want +got):\n%s", diff)
	}
	for name := range vars {
		_, err := ReadConfig(write(t, "thbot.yaml", small), env(map[string]string{name: "nonsense:hunter22"}))
		if err == nil || !strings.HasPrefix(err.Error(), name+": ") || strings.Contains(err.Error(), "hunter22") {
			t.Errorf("%s with nonsense: %v", name, err)
		}
	}
}

// A step that lasted as long as its lease could be done by two at once.
func TestTimes(t *testing.T) {
	for _, tt := range []struct {
		times string
		want  string // in the error; empty: valid
	}{
		{"{lease: 4s, limit: 4s}", ":8: times.limit is 4s, which must be shorter than the lease of 4s"},
		{"{lease: 4s, limit: 3999ms}", ""},
		{"{plan: 0s}", ":8: times.plan must be longer than nothing"},
		{"{not_live: -10m}", ":8: times.not_live must be longer than nothing"},
		{"{lease: 1s, limit: 500ms, idle: 100ms, plan: 1s, follow: 50ms, live: 10ms, not_live: 2s}", ""},
	} {
		_, err := ReadConfig(write(t, "thbot.yaml", small+"times: "+tt.times+"\n"), nothing)
		if (tt.want == "") != (err == nil) || err != nil && !strings.HasSuffix(err.Error(), tt.want) {
			t.Errorf("times: %s: %v, want %q", tt.times, err, tt.want)
		}
	}
}
