// Package deploys knows the deployed environments: how they are configured,
// and how to read from Jenkins and from the apps themselves how a deploy goes.
package deploys

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"thbot/bot"
	"thbot/handlers/when"
	"thbot/integrations/jenkins"
)

// Environment is one deployment of Treeherder.
type Environment struct {
	Name    string
	Aliases []string
	URL     string // of the app, which says itself what it serves
	Branch  string
	// Deploys says how it deploys, where it does so by itself.
	Deploys string
	// Pipeline is the job that deploys it, where one is known.
	Pipeline *Pipeline
	Confirm  Confirm
	// ResetTo is the branch that its own can be put back on; empty: none.
	ResetTo string
	// Drift is how long its branch may be left alone before people are reminded.
	Drift    time.Duration
	Announce Announce
	// Freezes are times in which nothing is promoted.
	Freezes []when.Window
}

// Confirm says how changes of an environment are confirmed.
type Confirm struct {
	Expires time.Duration // how long a question stays open
	People  int           // how many different people have to confirm
	Self    bool          // whether who asked can be one of them
	// CloudOps says that one of them has to be of cloudOps when migrations are
	// among what would be deployed.
	CloudOps bool
}

// Announce says what is told of deploys that nobody confirmed with the bot.
type Announce struct {
	Successes bool     // of those that an environment makes by itself
	Failures  bool     // of them
	Channels  []string // ids of further channels that are told how deploys end
}

// Promoted says whether it is deployed by promoting a run.
func (e Environment) Promoted() bool { return e.Pipeline != nil && e.Deploys == "" }

// Lockable says whether a lock could stop anything.
func (e Environment) Lockable() bool { return e.Promoted() || e.ResetTo != "" }

// LockScope is what a lock on e holds.
func (e Environment) LockScope() string { return "lock/" + e.Name }

// Pipeline is a Jenkins job that waits at an input before it deploys.
type Pipeline struct {
	Job   string
	Stage string // the stage that deploys this environment
	// Input is the id of the input that promotes; empty: a run has only one pending.
	Input string
	// CommitFrom is how a run's commit is read.
	CommitFrom jenkins.CommitFrom
	// ConfirmedBy names the input's parameter that receives who confirmed, or is empty.
	ConfirmedBy string
	// Replay says that a revert replays the earlier run instead of rebuilding it.
	Replay bool
}

// Title is the name as a sentence begins with it.
func (e Environment) Title() string {
	r, n := utf8.DecodeRuneInString(e.Name)
	return string(unicode.ToUpper(r)) + e.Name[n:]
}

// Host is where people see the app.
func (e Environment) Host() string {
	u, err := url.Parse(e.URL)
	if err != nil {
		return e.URL // unreachable: the configuration is checked
	}
	return u.Host
}

// Scope is what an operation that deploys to e holds.
func (e Environment) Scope() string { return "env/" + e.Name }

// Settings is a fingerprint of the configuration: a decision refuses when it
// is no longer the one that the question was asked under.
func (e Environment) Settings() string {
	raw, err := json.Marshal(e)
	if err != nil {
		panic(err) // unreachable: plain data
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}

// Environments are all of them, in the order of the configuration.
type Environments []Environment

// Named returns the environment with that name.
func (es Environments) Named(name string) (Environment, bool) {
	for _, e := range es {
		if e.Name == name {
			return e, true
		}
	}
	return Environment{}, false
}

// Before returns the environment that has what is promoted to e first: the one
// that deploys by itself from the same branch.
func (es Environments) Before(e Environment) (Environment, bool) {
	for _, other := range es {
		if !other.Promoted() && other.Branch == e.Branch {
			return other, true
		}
	}
	return Environment{}, false
}

// Words are the names as the parser knows them.
func (es Environments) Words() []bot.Word {
	words := make([]bot.Word, len(es))
	for i, e := range es {
		aliases := make([]string, len(e.Aliases))
		for j, a := range e.Aliases {
			aliases[j] = strings.ToLower(a)
		}
		words[i] = bot.Word{Name: e.Name, Aliases: aliases}
	}
	return words
}

// Short is a commit as people write it.
func Short(commit string) string { return commit[:min(7, len(commit))] }
