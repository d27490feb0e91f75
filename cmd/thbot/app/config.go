package app

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
	_ "time/tzdata" // people type times in their own zones, and images have none

	"thbot/bot"
	"thbot/integrations/jenkins"
)

// Config is everything the bot is told about the world but its secrets. It is
// read from one YAML file; the yaml tags are the keys, and there are no others.
// Where the file may leave a key out, the comment says what holds then.
//
// Four addresses can be given by the environment too, which then wins over the
// file, so that the very same file can be tried against other servers:
// THBOT_SLACK_API_URL, THBOT_JENKINS_URL, THBOT_GITHUB_API_URL and THBOT_LEDGER.
type Config struct {
	Slack        Slack         `yaml:"slack"`
	Ledger       string        `yaml:"ledger"` // sqlite:FILE or mysql:USER@tcp(HOST:PORT)/DATABASE; with ?tls=true for TLS; default sqlite:thbot.db
	Jenkins      Jenkins       `yaml:"jenkins"`
	GitHub       GitHub        `yaml:"github"`
	Roles        Roles         `yaml:"roles"`
	People       People        `yaml:"people"`
	Contact      Contact       `yaml:"contact"`
	Bugzilla     Bugzilla      `yaml:"bugzilla"`
	Databases    Databases     `yaml:"databases"`
	Environments []Environment `yaml:"environments"`
	Times        Times         `yaml:"times"`
}

// Slack says where the bot talks.
type Slack struct {
	APIURL  string `yaml:"api_url"` // ends in a slash; default https://slack.com/api/
	Channel string `yaml:"channel"` // its one channel, by id or name
	Command string `yaml:"command"` // its slash command; default /th
}

// Jenkins is the server that deploys.
type Jenkins struct {
	URL string `yaml:"url"` // ends in a slash
}

// GitHub is where the commits come from.
type GitHub struct {
	APIURL     string `yaml:"api_url"`    // ends in a slash; default https://api.github.com/
	Repository string `yaml:"repository"` // owner/name; default mozilla/treeherder
	// InfraRepository is where cloudOps keeps the settings of the environments.
	InfraRepository string `yaml:"infra_repository"` // owner/name; default mozilla-services/cloudops-infra; empty: people are told of none
}

// Roles names the people (U…, W…) and user groups (S…) of each role.
type Roles struct {
	Admins           []string `yaml:"admins"`
	CloudOps         []string `yaml:"cloudops"`
	PrototypePushers []string `yaml:"prototype_pushers"`
}

// Contact says who is paged, beside whom the channel's topic names.
type Contact struct {
	TopicPattern      string        `yaml:"topic_pattern"`      // a regular expression: where a topic has who is meant; empty: see contact.Default
	Backups           []string      `yaml:"backups"`            // people (U…, W…) who are paged after those of the topic
	Procedure         string        `yaml:"procedure"`          // link to what to do when nobody answers; empty: none
	AcknowledgeWithin time.Duration `yaml:"acknowledge_within"` // how long each has to answer; default 5m
}

// Bugzilla is where requests to cloudOps are filed.
type Bugzilla struct {
	URL          string `yaml:"url"` // ends in a slash; default https://bugzilla.mozilla.org/
	Product      string `yaml:"product"`
	Component    string `yaml:"component"`
	PrivateGroup string `yaml:"private_group"` // of bugs that not everybody may read; default cloud-services-security
}

// Databases are Treeherder's, by the name of their environment.
type Databases map[string]Database

// Database is a primary and the replica of it that is handed out. The bot has
// the same account on both.
type Database struct {
	Primary    DatabaseServer    `yaml:"primary"`
	Replica    DatabaseServer    `yaml:"replica"`
	User       string            `yaml:"user"`       // the bot's; its password is THBOT_DB_<NAME>_PASSWORD
	Procedures bool              `yaml:"procedures"` // the account may only call what thbot mysql-procedures prints
	Eligible   []string          `yaml:"eligible"`   // people and user groups who can be given access; empty: everybody
	Longest    time.Duration     `yaml:"longest"`    // how long access lasts at most; default 2160h
	Services   map[string]string `yaml:"services"`   // accounts of services, and what breaks until what is changed
	Orphans    []string          `yaml:"orphans"`    // APP/NAME of migrations that the database has and the code never will
}

// DatabaseServer is one server, and how it proves who it is.
type DatabaseServer struct {
	Address    string `yaml:"address"`     // HOST:PORT
	CA         string `yaml:"ca"`          // file of certificates in PEM; empty: those that the system trusts
	ServerName string `yaml:"server_name"` // in the certificate; empty: the host of the address
	Instance   string `yaml:"instance"`    // of Google Cloud SQL, PROJECT:INSTANCE, whose certificates have no name; wants its ca
}

// Bot returns the roles as the core asks for them.
func (r Roles) Bot() bot.Roles {
	return bot.Roles{bot.Admins: r.Admins, bot.CloudOps: r.CloudOps, bot.Pushers: r.PrototypePushers}
}

// People are the ids (U…, W…) of people in Slack by the logins of their accounts
// on GitHub. It is for those whose commits do not have the e-mail address that
// Slack knows.
type People map[string]string

// Environment is one deployment of the application.
type Environment struct {
	Name    string   `yaml:"name"`
	Aliases []string `yaml:"aliases"`
	URL     string   `yaml:"url"`    // of the application itself; ends in a slash
	Branch  string   `yaml:"branch"` // that its commits come from; only one without Jenkins may have none
	// An environment is promoted with Jenkins, or it deploys by itself, and has
	// the sentence that somebody is told who asks to deploy it. That one may
	// have jenkins too, for the job and the stage that do it.
	Deploys string          `yaml:"deploys"`
	Jenkins *EnvironmentJob `yaml:"jenkins"`
	Confirm Confirm         `yaml:"confirm"`
	ResetTo string          `yaml:"reset_to"` // the branch that its own can be put back on; empty: none
	Drift   time.Duration   `yaml:"drift"`    // for how long that may be left alone before people are reminded of it; default 336h
	Freezes []Freeze        `yaml:"freeze"`
	// What is told of deploys. Promotions that were confirmed here always are.
	Announce Announce `yaml:"announce"`
}

// Announce says what is told of an environment's deploys, and where else.
type Announce struct {
	Deploys  string   `yaml:"deploys"`  // of those that it makes by itself: all, failures or none; default all
	Channels []string `yaml:"channels"` // ids of further channels, where the bot is a member, that are told how deploys end
}

// Freeze is a time in which nothing is promoted: once, from 2026-12-23 18:00,
// or every week, from fri 16:00.
type Freeze struct {
	From   string `yaml:"from"`
	To     string `yaml:"to"`
	Zone   string `yaml:"zone"` // IANA name, in which from and to are meant
	Reason string `yaml:"reason"`
}

// EnvironmentJob is the Jenkins job that an environment is promoted with.
type EnvironmentJob struct {
	Job         string             `yaml:"job"`          // its path, without the job/ between the folders
	Stage       string             `yaml:"stage"`        // the stage of a run that deploys this environment
	Input       string             `yaml:"input"`        // id of the input that promotes; empty: whichever is waiting
	CommitFrom  jenkins.CommitFrom `yaml:"commit_from"`  // where a run carries the commit that it deploys
	ConfirmedBy string             `yaml:"confirmed_by"` // parameter of the input that is told who confirmed; empty: none
	Revert      string             `yaml:"revert"`       // rebuild, or replay where a rebuild would not take the same commit; default rebuild
}

// Confirm says how a change of the environment is confirmed.
type Confirm struct {
	Expires    time.Duration `yaml:"expires"`    // how long a question waits; default 20m
	People     int           `yaml:"people"`     // how many different people have to confirm; default 1
	Self       *bool         `yaml:"self"`       // whether who asked can be one of them; default true
	Migrations string        `yaml:"migrations"` // cloudops: one of them has to, when there are migrations; default admins: nobody else
}

// Times are the bot's own periods, for tests and for trying things.
type Times struct {
	Lease   time.Duration `yaml:"lease"`    // after which another process takes over a step; default 8s
	Limit   time.Duration `yaml:"limit"`    // of one step and of one HTTP request, shorter than the lease; default 4s
	Idle    time.Duration `yaml:"idle"`     // the longest sleep of an idle process; default 5s
	Plan    time.Duration `yaml:"plan"`     // what looking up one answer may take; default 20s
	Watch   time.Duration `yaml:"watch"`    // between two looks at Jenkins and at an app while nothing moves; default 30s
	Follow  time.Duration `yaml:"follow"`   // between two looks at a Jenkins run; default 10s
	Live    time.Duration `yaml:"live"`     // between the answers that have to agree on what is live; default 5s
	NotLive time.Duration `yaml:"not_live"` // after the run's success, until its commit is reported as not live; default 10m
}

// defaults is the configuration of a file that says nothing.
func defaults() Config {
	return Config{
		Slack:    Slack{APIURL: "https://slack.com/api/", Command: "/th"},
		Ledger:   "sqlite:thbot.db",
		GitHub:   GitHub{APIURL: "https://api.github.com/", Repository: "mozilla/treeherder", InfraRepository: "mozilla-services/cloudops-infra"},
		Contact:  Contact{AcknowledgeWithin: 5 * time.Minute},
		Bugzilla: Bugzilla{URL: "https://bugzilla.mozilla.org/", Product: "Cloud Services", Component: "Operations: Releng", PrivateGroup: "cloud-services-security"},
		Times: Times{
			Lease: 8 * time.Second, Limit: 4 * time.Second, Idle: 5 * time.Second, Plan: 20 * time.Second,
			Watch: 30 * time.Second, Follow: 10 * time.Second, Live: 5 * time.Second, NotLive: 10 * time.Minute,
		},
	}
}

// expires is how long a question waits where the file does not say.
const expires = 20 * time.Minute

//go:embed example.yaml
var example string

// Example is a commented configuration that is itself valid.
func Example() string { return example }

// Load reads the configuration file and the secrets. The error lists all that
// is wrong with either, a line each.
func Load(path string, getenv func(string) string) (Config, Secrets, error) {
	c, err := ReadConfig(path, getenv)
	s, serr := ReadSecrets(getenv)
	return c, s, errors.Join(err, serr, s.readDatabases(c))
}

// ReadConfig reads the configuration file alone. Everything that is wrong with
// it is in the error, a line each, with its place in the file.
func ReadConfig(path string, getenv func(string) string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("reading the configuration: %w", err)
	}
	c := defaults()
	d := decode(path, text, &c)
	for name, o := range map[string]struct {
		path string
		into *string
	}{
		"THBOT_SLACK_API_URL":  {"slack.api_url", &c.Slack.APIURL},
		"THBOT_JENKINS_URL":    {"jenkins.url", &c.Jenkins.URL},
		"THBOT_GITHUB_API_URL": {"github.api_url", &c.GitHub.APIURL},
		"THBOT_LEDGER":         {"ledger", &c.Ledger},
	} {
		if value := getenv(name); value != "" {
			*o.into = value
			d.replaced(o.path, name)
		}
	}
	c.check(d)
	if err := d.err(); err != nil {
		return Config{}, err
	}
	c.complete()
	return c, nil
}

// complete fills in what follows from the rest of a checked configuration.
func (c *Config) complete() {
	slash(&c.Slack.APIURL)
	slash(&c.Jenkins.URL)
	slash(&c.GitHub.APIURL)
	slash(&c.Bugzilla.URL)
	for name, db := range c.Databases {
		db.Longest = cmp.Or(db.Longest, 90*24*time.Hour)
		c.Databases[name] = db
	}
	for i := range c.Environments {
		e := &c.Environments[i]
		slash(&e.URL)
		if e.Confirm.Expires == 0 {
			e.Confirm.Expires = expires
		}
		e.Confirm.People = max(1, e.Confirm.People)
		if e.Confirm.Self == nil {
			e.Confirm.Self = new(true)
		}
		e.Confirm.Migrations = cmp.Or(e.Confirm.Migrations, "admins")
	}
}

// slash ends the address of a directory in a slash: without it, what is
// resolved against it would take its last segment's place.
func slash(address *string) {
	if !strings.HasSuffix(*address, "/") {
		*address += "/"
	}
}
