package app

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"thbot/handlers/contact"
	"thbot/handlers/when"
	"thbot/integrations/jenkins"
	"thbot/integrations/mysql"
)

var (
	channel     = regexp.MustCompile(`^(?:[CG][A-Z0-9]{5,}|#?[^\s\p{Lu}#.,:<>&@]{1,80})$`)
	channelID   = regexp.MustCompile(`^[CG][A-Z0-9]{5,}$`)
	migration   = regexp.MustCompile(`(?s)^[^/]+/.*$`) // a row can be called anything
	memberID    = regexp.MustCompile(`^[SUW][A-Z0-9]{2,}$`)
	personID    = regexp.MustCompile(`^[UW][A-Z0-9]{2,}$`)
	login       = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)                            // _ parts a company's own accounts
	command     = regexp.MustCompile(`^/[a-z0-9_-]{1,31}$`)                                         // Slack allows 32 characters with the slash
	repository  = regexp.MustCompile(`^[A-Za-z0-9-]+/[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*$`) // . and .. are no names
	word        = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)                                        // as people type it; commands are read in lower case
	accountName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)
	branch      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`)
	sqliteFile  = regexp.MustCompile(`^sqlite:[^?]+$`)
	mysqlDSN    = regexp.MustCompile(`^mysql:[^:@/\s]+@(tcp|unix)\([^()\s]+\)/[A-Za-z0-9_$-]+(\?tls=true)?$`)
)

// check reports every value that the bot could not work with.
func (c *Config) check(d *document) {
	address(d, "slack.api_url", c.Slack.APIURL)
	pattern(d, "slack.channel", c.Slack.Channel, channel, "the id or the name of a channel, like C0123456789 or treeherder-ops")
	pattern(d, "slack.command", c.Slack.Command, command, "a slash and up to 31 small letters, digits, - or _, like /th")
	if !sqliteFile.MatchString(c.Ledger) && !mysqlDSN.MatchString(c.Ledger) {
		d.refuse("ledger", "must be sqlite:FILE or mysql:USER@tcp(HOST:PORT)/DATABASE, with ?tls=true for TLS; the password is THBOT_LEDGER_PASSWORD")
	}
	address(d, "jenkins.url", c.Jenkins.URL)
	address(d, "github.api_url", c.GitHub.APIURL)
	pattern(d, "github.repository", c.GitHub.Repository, repository, "OWNER/NAME, like mozilla/treeherder")
	if c.GitHub.InfraRepository != "" {
		pattern(d, "github.infra_repository", c.GitHub.InfraRepository, repository, "OWNER/NAME, like mozilla-services/cloudops-infra")
	}

	members(d, "roles.admins", c.Roles.Admins)
	members(d, "roles.cloudops", c.Roles.CloudOps)
	members(d, "roles.prototype_pushers", c.Roles.PrototypePushers)
	if len(c.Roles.Admins) == 0 {
		d.refuse("roles.admins", "is missing: without an admin nothing could be confirmed")
	}
	c.People.check(d, "people")
	c.Contact.check(d)
	address(d, "bugzilla.url", c.Bugzilla.URL)
	if (c.Bugzilla.Product == "") != (c.Bugzilla.Component == "") {
		d.refuse("bugzilla.component", "goes with bugzilla.product: give both, or neither to have no /th request")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Databases)) {
		if !slices.ContainsFunc(c.Environments, func(e Environment) bool { return e.Name == name }) {
			d.refuse("databases."+name, "is the name of no environment")
		}
		c.Databases[name].check(d, "databases."+name)
	}
	if len(c.Environments) == 0 {
		d.refuse("environments", "is missing: there is nothing to deploy")
	}
	words := map[string]string{} // what is typed, and the path that says it
	for i := range c.Environments {
		c.Environments[i].check(d, fmt.Sprintf("environments[%d]", i), words)
	}
	c.Times.check(d)
}

func (p People) check(d *document, path string) {
	same := map[string]string{} // GitHub knows no difference of capitals
	for _, who := range slices.Sorted(maps.Keys(p)) {
		at, lower := join(path, who), strings.ToLower(who)
		pattern(d, at, p[who], personID, "the id of a person (U… or W…)")
		if !login.MatchString(who) {
			d.refuse(at, "is no login of GitHub: they have letters, digits and -")
		}
		if other, twice := same[lower]; twice {
			d.refuse(at, "is the same login as %s.%s", path, other)
		}
		same[lower] = who
	}
}

func (c *Contact) check(d *document) {
	if _, err := contact.Compile(c.TopicPattern); err != nil {
		d.refuse("contact.topic_pattern", "is wrong: %v", err)
	}
	for i, id := range c.Backups {
		pattern(d, fmt.Sprintf("contact.backups[%d]", i), id, personID, "the id of a person (U… or W…)")
	}
	if c.Procedure != "" {
		address(d, "contact.procedure", c.Procedure)
	}
	if within := c.AcknowledgeWithin; within < time.Second || within > 2*time.Hour {
		d.refuse("contact.acknowledge_within", "is %s; it is from a second to two hours", within)
	}
}

func (db Database) check(d *document, path string) {
	pattern(d, path+".user", db.User, accountName, "the name of an account")
	for key, s := range map[string]DatabaseServer{"primary": db.Primary, "replica": db.Replica} {
		if _, _, err := net.SplitHostPort(s.Address); err != nil {
			d.refuse(path+"."+key+".address", "must be HOST:PORT, like db.example:3306")
		}
		if s.Instance != "" && s.CA == "" {
			d.refuse(path+"."+key+".ca", "is missing: `instance` can only be told from others by its own ca")
		}
	}
	for i, id := range db.Eligible {
		pattern(d, fmt.Sprintf("%s.eligible[%d]", path, i), id, memberID, "the id of a person (U… or W…) or user group (S…)")
	}
	for i, name := range db.Orphans {
		pattern(d, fmt.Sprintf("%s.orphans[%d]", path, i), name, migration, "APP/NAME of a migration, like perf/0002_gone")
	}
	if d.says(path+".longest") && db.Longest < time.Hour {
		d.refuse(path+".longest", "is %s; an hour is the least", db.Longest)
	}
	for account, breaks := range db.Services {
		pattern(d, path+".services."+account, account, accountName, "the name of an account")
		if strings.TrimSpace(breaks) == "" {
			d.refuse(path+".services."+account, "says nothing: what breaks until what is changed")
		}
	}
	if len(d.problems) > 0 {
		return // the two servers can be compared only once they are known
	}
	if err := mysql.Distinct(db.Primary.config(nil), db.Replica.config(nil)); err != nil {
		d.refuse(path+".replica", "is wrong: %v", err)
	}
}

func (e *Environment) check(d *document, path string, words map[string]string) {
	typed := func(path, value string) {
		pattern(d, path, value, word, "small letters, digits and -, like production")
		if other, taken := words[value]; taken {
			d.refuse(path, "is %q like %s; people could mean either", value, other)
		} else if value != "" {
			words[value] = path
		}
	}
	typed(path+".name", e.Name)
	for i, alias := range e.Aliases {
		typed(fmt.Sprintf("%s.aliases[%d]", path, i), alias)
	}
	address(d, path+".url", e.URL)
	if d.says(path + ".branch") {
		pattern(d, path+".branch", e.Branch, branch, "the name of a branch")
	}
	if d.says(path+".confirm.expires") && e.Confirm.Expires <= 0 {
		d.refuse(path+".confirm.expires", "must be longer than nothing")
	}
	if d.says(path+".confirm.people") && (e.Confirm.People < 1 || e.Confirm.People > 5) {
		d.refuse(path+".confirm.people", "is %d; it is from 1 to 5", e.Confirm.People)
	}
	if m := e.Confirm.Migrations; d.says(path+".confirm.migrations") && m != "admins" && m != "cloudops" {
		d.refuse(path+".confirm.migrations", "is %q; it is admins or cloudops", m)
	}
	if d.says(path+".drift") && (e.ResetTo == "" || e.Drift < time.Minute) {
		d.refuse(path+".drift", "is how long a branch with `reset_to` is left alone before people are reminded, a minute at least")
	}
	if e.ResetTo != "" {
		pattern(d, path+".reset_to", e.ResetTo, branch, "the name of a branch")
		if !d.says(path + ".branch") {
			d.refuse(path+".reset_to", "needs `branch`: the one that is put back")
		}
		if e.ResetTo == e.Branch {
			d.refuse(path+".reset_to", "is the environment's own branch")
		}
	}
	if a := e.Announce.Deploys; a != "" && a != "all" && a != "failures" && a != "none" {
		d.refuse(path+".announce.deploys", "is %q; it is all, failures or none", a)
	}
	for i, id := range e.Announce.Channels {
		pattern(d, fmt.Sprintf("%s.announce.channels[%d]", path, i), id, channelID, "the id of a channel, like C0123456789")
	}
	for i, f := range e.Freezes {
		f.check(d, fmt.Sprintf("%s.freeze[%d]", path, i))
	}
	if e.Jenkins == nil {
		if strings.TrimSpace(e.Deploys) == "" {
			d.refuse(path+".deploys", "is missing: an environment has `jenkins`, or says in `deploys` how it deploys by itself")
		}
		return
	}
	if e.Deploys != "" {
		const useless = "has no use beside `deploys`: nobody promotes what deploys by itself"
		if e.Jenkins.Input != "" {
			d.refuse(path+".jenkins.input", useless)
		}
		if e.Jenkins.ConfirmedBy != "" {
			d.refuse(path+".jenkins.confirmed_by", useless)
		}
		if e.Jenkins.Revert != "" {
			d.refuse(path+".jenkins.revert", useless)
		}
	}
	if !d.says(path + ".branch") {
		d.refuse(path+".branch", "is missing: the branch that its commits come from")
	}
	e.Jenkins.check(d, path+".jenkins")
}

// check gives each mistake its own line, at the key that it is about.
func (f Freeze) check(d *document, path string) {
	_, err := when.Compile(when.Freeze(f))
	if err == nil {
		return
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		key, what, _ := strings.Cut(line, ": ")
		if slices.Contains(keys(reflect.TypeFor[Freeze]()), key) {
			d.refuse(path+"."+key, "%s", strings.TrimPrefix(what, "it "))
		} else {
			d.refuse(path, "is wrong: %s", line)
		}
	}
}

func (j *EnvironmentJob) check(d *document, path string) {
	switch err := jenkins.CheckJob(j.Job); {
	case j.Job == "":
		d.refuse(path+".job", "is missing: the path of the job")
	case err != nil:
		d.refuse(path+".job", "is wrong: %v", err)
	case strings.HasPrefix(j.Job, "job/"):
		d.refuse(path+".job", "must have the names alone, as in folder/job; leave out the job/ of Jenkins' addresses")
	}
	if strings.TrimSpace(j.Stage) == "" {
		d.refuse(path+".stage", "is missing: the name of the stage that deploys this environment")
	}
	if err := j.CommitFrom.Validate(); err != nil {
		d.refuse(path+".commit_from", "is wrong: %v", err)
	}
	if j.Revert != "" && j.Revert != "rebuild" && j.Revert != "replay" {
		d.refuse(path+".revert", "is %q; it is rebuild or replay", j.Revert)
	}
}

func (t Times) check(d *document) {
	for _, period := range []struct {
		key string
		of  int64
	}{
		{"lease", int64(t.Lease)}, {"limit", int64(t.Limit)}, {"idle", int64(t.Idle)}, {"plan", int64(t.Plan)},
		{"watch", int64(t.Watch)}, {"follow", int64(t.Follow)}, {"live", int64(t.Live)}, {"not_live", int64(t.NotLive)},
	} {
		if period.of <= 0 {
			d.refuse("times."+period.key, "must be longer than nothing")
		}
	}
	// A step that could outlast its lease would be done by two processes at once.
	if t.Limit >= t.Lease {
		d.refuse("times.limit", "is %s, which must be shorter than the lease of %s", t.Limit, t.Lease)
	}
}

// address checks the address of a server. It never repeats it: people put
// passwords there.
func address(d *document, path, value string) {
	if value == "" {
		d.refuse(path, "is missing")
		return
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" ||
		u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		d.refuse(path, "must be an address like https://host/path/, without user, ? and #")
	}
}

func pattern(d *document, path, value string, re *regexp.Regexp, like string) {
	switch {
	case value == "":
		d.refuse(path, "is missing: %s", like)
	case !re.MatchString(value):
		d.refuse(path, "is %q, which is not %s", value, like)
	}
}

func members(d *document, path string, ids []string) {
	for i, id := range ids {
		pattern(d, fmt.Sprintf("%s[%d]", path, i), id, memberID, "the id of a person (U… or W…) or user group (S…)")
	}
}
