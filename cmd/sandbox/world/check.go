package world

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones are checked, also where the system has none

	"go.yaml.in/yaml/v3"

	"thbot/integrations/slack/fakeslack"
)

// results are those of a run that is over (hudson.model.Result).
var results = []string{"SUCCESS", "UNSTABLE", "FAILURE", "NOT_BUILT", "ABORTED"}

// roles are those of the bot's configuration.
var roles = []string{"admins", "cloudops", "prototype_pushers"}

var (
	personID  = regexp.MustCompile(`^[UW][0-9A-Z]{2,}$`)
	channelID = regexp.MustCompile(`^[CG][0-9A-Z]{5,}$`)
	groupID   = regexp.MustCompile(`^S[0-9A-Z]{2,}$`)
	plainName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,79}$`)
	branch    = regexp.MustCompile(`^[A-Za-z0-9]+([._/-][A-Za-z0-9]+)*$`)
	short     = regexp.MustCompile(`^[0-9a-f]{7}$`)
	email     = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)
	line      = regexp.MustCompile(`^[^\n]*\S[^\n]*$`)
)

// checker collects what is wrong with a file. The fakes panic at a world that
// cannot be, so nothing may get past it.
type checker struct {
	File
	file     string
	root     yaml.Node
	problems []error
	taken    map[string]string // where what may be there only once is, by sort and value
	commits  map[string]files  // by short commit
}

func (c *checker) check() error {
	c.taken, c.commits = map[string]string{}, map[string]files{}
	c.checkPeople()
	c.checkChannels()
	c.checkGroups()
	c.checkBranches()
	c.checkApps()
	c.checkRuns()
	c.checkBugs()
	return errors.Join(c.problems...)
}

// wrong complains of what is at a place: keys and indexes from the root.
func (c *checker) wrong(at []any, format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf("%s:%d: %s %s", c.file, c.lineOf(at), spell(at), fmt.Sprintf(format, args...)))
}

// lineOf is the line of a place, or of what it would be in.
func (c *checker) lineOf(at []any) int {
	n := &c.root
	if len(n.Content) == 0 {
		return 1 // an empty file
	}
	n = n.Content[0]
	line := n.Line
	for _, step := range at {
		if n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		var next *yaml.Node
		switch step := step.(type) {
		case int:
			if step < len(n.Content) {
				next = n.Content[step]
			}
		case string:
			for i := 0; i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == step {
					next = n.Content[i+1]
					line = n.Content[i].Line
				}
			}
		}
		if next == nil {
			return line
		}
		if n = next; n.Kind == yaml.ScalarNode || n.Kind == yaml.MappingNode {
			line = n.Line
		}
	}
	return line
}

// spell writes a place: people[3].name.
func spell(at []any) string {
	var b strings.Builder
	for i, step := range at {
		switch step := step.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", step)
		case string:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(step)
		}
	}
	return b.String()
}

// path is the place of key in the ith of list.
func path(list string, i int, key ...any) []any { return append([]any{list, i}, key...) }

// form checks what a value looks like, and that there is only one such.
func (c *checker) form(at []any, sort, value string, pattern *regexp.Regexp, want string) {
	if !pattern.MatchString(value) {
		c.wrong(at, "is %q; it must be %s", value, want)
		return
	}
	if sort == "" {
		return
	}
	if before, is := c.taken[sort+" "+value]; is {
		c.wrong(at, "is %s, which %s is already", value, before)
		return
	}
	c.taken[sort+" "+value] = spell(at)
}

// oneOf checks a value of a list.
func (c *checker) oneOf(at []any, value string, of []string) {
	if !slices.Contains(of, value) {
		c.wrong(at, "is %q; it must be one of %s", value, strings.Join(of, ", "))
	}
}

func (c *checker) checkPeople() {
	c.taken["person's id "+fakeslack.BotUser], c.taken["person's name "+fakeslack.BotName] = "the bot", "the bot"
	c.taken["person's id "+fakeslack.Slackbot], c.taken["person's name slackbot"] = "Slackbot", "Slackbot"
	for i, p := range c.People {
		c.form(path("people", i, "id"), "person's id", p.ID, personID, "U or W and two or more capitals and digits")
		c.form(path("people", i, "name"), "person's name", p.Name, plainName, "small letters, digits, dots and dashes")
		c.form(path("people", i, "email"), "e-mail address", address(p), email, "an e-mail address")
		if _, err := time.LoadLocation(p.Zone); err != nil || p.Zone == "Local" {
			c.wrong(path("people", i, "zone"), "is %q, which is no IANA time zone", p.Zone)
		}
	}
	if len(c.playable()) == 0 {
		c.wrong([]any{"people"}, "must have somebody who is neither a bot nor deactivated")
	}
}

// member checks that members are there, and that they are so only once.
func (c *checker) member(list string, i int, members []string) {
	for j, name := range members {
		switch at := path(list, i, "members", j); {
		case c.idOf(name) == "":
			c.wrong(at, "is %s, who is not among the people", name)
		case slices.Contains(members[:j], name):
			c.wrong(at, "is %s, who is there already", name)
		}
	}
}

func (c *checker) checkChannels() {
	for i, p := range c.Channels {
		c.form(path("channels", i, "id"), "channel's id", p.ID, channelID, "C or G and five or more capitals and digits")
		c.form(path("channels", i, "name"), "channel's name", p.Name, plainName, "small letters, digits, dots and dashes")
		c.member("channels", i, p.Members)
	}
	at := []any{"room"}
	switch room, is := c.place(c.Room); {
	case c.Room == "":
		c.wrong(at, "is missing: the name of the bot's channel")
	case !is:
		c.wrong(at, "is %s, which is not among the channels", c.Room)
	case len(room.Members) > 0 && !slices.Contains(room.Members, fakeslack.BotName):
		c.wrong(at, "is %s, of which the bot (%s) is no member", c.Room, fakeslack.BotName)
	}
}

func (c *checker) checkGroups() {
	for i, g := range c.Groups {
		c.form(path("groups", i, "id"), "group's id", g.ID, groupID, "S and two or more capitals and digits")
		c.form(path("groups", i, "handle"), "group's handle", g.Handle, plainName, "small letters, digits, dots and dashes")
		if g.Role != "" {
			c.oneOf(path("groups", i, "role"), g.Role, roles)
		}
		c.member("groups", i, g.Members)
		for j, name := range g.Members {
			if name == fakeslack.BotName {
				c.wrong(path("groups", i, "members", j), "is the bot itself")
			}
		}
	}
	if len(c.groupsWith("admins")) == 0 {
		c.wrong([]any{"groups"}, "must have one with role: admins, without whom the bot does not start")
	}
}

func (c *checker) checkBranches() {
	for i, b := range c.Branches {
		c.form(path("branches", i, "name"), "branch", b.Name, branch, "the name of a branch")
		there := first()
		if b.From != "" {
			c.commit(path("branches", i, "from"), b.From)
			there = c.commits[b.From]
		}
		for j, k := range b.Commits {
			if next, err := there.after(k.Files); err != nil {
				c.wrong(path("branches", i, "commits", j, "files"), "cannot be: %v", err)
			} else {
				there = next
			}
			c.form(path("branches", i, "commits", j, "sha"), "commit", k.SHA, short, "seven hexadecimal digits, in small letters")
			c.form(path("branches", i, "commits", j, "author"), "", k.Author, line, "one line")
			c.form(path("branches", i, "commits", j, "subject"), "", k.Subject, line, "one line")
			if k.Updates < 0 {
				c.wrong(path("branches", i, "commits", j, "updates"), "is %d, which is less than none", k.Updates)
			}
			if k.CI != "" {
				c.oneOf(path("branches", i, "commits", j, "ci"), k.CI, ciStates)
			}
			c.commits[k.SHA] = there
		}
		if b.From == "" && len(b.Commits) == 0 {
			c.wrong(path("branches", i), "needs commits, or the one it is from")
		}
	}
	if !slices.ContainsFunc(c.Branches, func(b Branch) bool { return b.Name == Master }) {
		c.wrong([]any{"branches"}, "must have %s", Master)
	}
}

// commit checks that a commit is there.
func (c *checker) commit(at []any, sha string) {
	if _, is := c.commits[sha]; !is {
		c.wrong(at, "is %q, which is no commit of a branch (before this)", sha)
	}
}

func (c *checker) checkApps() {
	for name, sha := range c.Apps {
		at := []any{"apps", name}
		if !slices.Contains(Environments, name) {
			c.wrong(at, "is no app; they are %s", strings.Join(Environments, ", "))
			continue
		}
		c.commit(at, sha)
	}
	for _, name := range Environments {
		if _, is := c.Apps[name]; !is {
			c.wrong([]any{"apps"}, "must say what %s serves", name)
		}
	}
}

func (c *checker) checkRuns() {
	if c.NextRun < 0 {
		c.wrong([]any{"next_run"}, "is %d; runs are numbered from 1", c.NextRun)
	}
	for i, r := range c.Runs {
		c.commit(path("runs", i, "commit"), r.Commit)
		if r.At != "" {
			c.oneOf(path("runs", i, "at"), r.At, Stages)
		}
		if r.Result != "" {
			c.oneOf(path("runs", i, "result"), r.Result, results)
		}
		if r.At != "" && r.Result != "" {
			c.wrong(path("runs", i), "is at a stage and has a result; it can have only one of them")
		}
		if r.StartedBy != "" {
			c.form(path("runs", i, "started_by"), "", r.StartedBy, plainName, "a login")
		}
	}
	if p := c.Pace; p != nil && min(p.Build, p.ToStage, p.ToProd, p.Rollout) < 0 {
		c.wrong([]any{"pace"}, "has a time that is less than none")
	}
}

// longestSummary is Bugzilla's (MAX_FREETEXT_LENGTH of Bugzilla/Constants.pm).
const longestSummary = 255

func (c *checker) checkBugs() {
	for i, b := range c.Bugs {
		c.form(path("bugs", i, "summary"), "", b.Summary, line, "one line")
		if len([]rune(b.Summary)) > longestSummary {
			c.wrong(path("bugs", i, "summary"), "is longer than %d characters", longestSummary)
		}
		if !slices.ContainsFunc(c.People, func(p Person) bool { return p.Name == b.By && !p.Bot && !p.Foreign }) {
			c.wrong(path("bugs", i, "by"), "is %q, who has no account in Bugzilla", b.By)
		}
	}
}
