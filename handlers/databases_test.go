package handlers_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/mysql"
)

// onDatabases are the commands about Treeherder's databases.
func (s *stage) onDatabases() map[string]command {
	return map[string]command{"database": s.database, "window": s.secret, "logs-in": s.logsIn}
}

// aPassword is one that package mysql makes.
var aPassword = regexp.MustCompile(`[0-9a-f]{60}`)

// database NAME makes one, before the bot starts; database NAME WHAT [ARG …]
// does something with it.
func (s *stage) database(ts *testscript.TestScript, _ bool, args []string) error {
	if len(args) == 1 {
		if s.databases == nil {
			s.databases = databases{}
		}
		s.databases[args[0]] = newPair(args[0])
		return nil
	}
	p := s.databases[args[0]]
	p.mu.Lock()
	defer p.mu.Unlock()
	switch rest := args[2:]; args[1] {
	case "eligible":
		p.eligible = rest
	case "longest":
		longest, err := time.ParseDuration(rest[0])
		if err != nil {
			return err
		}
		p.longest = longest
	case "ca":
		p.ca = ts.ReadFile(rest[0])
	case "markless":
		p.markless = true
	case "keeps-old-passwords":
		p.keeps = true
	case "service": // service ACCOUNT WHAT-BREAKS
		p.services[rest[0]] = rest[1]
		p.primary[rest[0]] = dbUser{password: "the password of old"}
	case "has": // an account of somebody else
		p.primary[rest[0]] = dbUser{Account: mysql.Account{Name: rest[0], Host: "%", Granted: true}}
	case "loses":
		delete(p.primary, rest[0])
	case "quicker": // the bot sees no such account, and then somebody makes it
		p.quicker = rest[0]
	case "stalls", "goes-on":
		p.stalls = args[1] == "stalls"
	case "down", "up":
		p.down = args[1] == "down"
	case "lags", "catches-up":
		p.lags = args[1] == "lags"
	case "refuses", "takes": // METHOD [KIND]
		kinds := map[string]error{"rights": mysql.ErrRights, "policy": mysql.ErrPolicy, "read-only": mysql.ErrReadOnly, "uncertain": mysql.ErrUncertain}
		p.refusing[rest[0]] = kinds[strings.Join(rest[1:], "")]
	case "silent": // silent primary|replica|none
		p.silent = rest[0]
	case "orphans": // that are known
		p.orphans = rest
	case "migrated": // migrated FILE: the rows it has from now on, a line each: ID APP/NAME TIME
		p.rows[0] = nil
		for line := range strings.Lines(ts.ReadFile(rest[0])) {
			row, err := migrated(strings.TrimSpace(line))
			if err != nil {
				return err
			}
			p.rows[0] = append(p.rows[0], row)
		}
	case "session": // session ACCOUNT CLIENT
		p.sessions[rest[0]] = append(p.sessions[rest[0]], mysql.Session{ID: 41, Client: rest[1]})
	case "accounts": // prints them
		fmt.Fprintf(ts.Stdout(), "on %s's primary:\n", args[0])
		for _, name := range slices.Sorted(maps.Keys(p.primary)) {
			a := p.primary[name]
			fmt.Fprintf(ts.Stdout(), "%s granted=%v locked=%v password=%v old=%v sessions=%d\n", name, a.Granted, a.Locked, a.password != "", a.old != "", len(p.sessions[name]))
		}
	default:
		return fmt.Errorf("a database does not know %s", args[1])
	}
	p.catchUp()
	return nil
}

// migrated reads a row of django_migrations. A name that nobody should type is
// quoted as in Go.
func migrated(line string) (m mysql.Migration, err error) {
	id, rest, _ := strings.Cut(line, " ")
	space := strings.LastIndex(rest, " ")
	name := rest[:max(0, space)]
	if strings.HasPrefix(name, `"`) {
		if name, err = strconv.Unquote(name); err != nil {
			return m, err
		}
	}
	m.App, m.Name, _ = strings.Cut(name, "/")
	if m.ID, err = strconv.ParseInt(id, 10, 64); err == nil {
		m.Applied, err = time.Parse(time.RFC3339, rest[space+1:])
	}
	return m, err
}

// window PERSON prints the window that they have open, with "(password)" for
// each, and closes it.
func (s *stage) secret(ts *testscript.TestScript, _ bool, args []string) error {
	who, err := person(args[0])
	if err != nil {
		return err
	}
	open := s.Slack.View(who)
	if len(open) == 0 {
		_, err := fmt.Fprintf(ts.Stdout(), "%s has no window open\n", args[0])
		return err
	}
	v := open[len(open)-1]
	if len(v.Values) > 0 || v.Submit != "" || len(v.Buttons()) > 0 {
		return fmt.Errorf("a window that shows what is secret sends something back: %+v", v)
	}
	fmt.Fprintf(ts.Stdout(), "%s\n%s\n", v.Title, aPassword.ReplaceAllString(v.Plain, "(password)"))
	_, err = s.Slack.CloseView(who, v.ID, true)
	return err
}

// logs-in PERSON ACCOUNT DATABASE asserts that the password in their window is the account's.
func (s *stage) logsIn(_ *testscript.TestScript, neg bool, args []string) error {
	who, err := person(args[0])
	if err != nil {
		return err
	}
	shown := ""
	for _, v := range s.Slack.View(who) {
		shown = aPassword.FindString(v.Plain)
	}
	p := s.databases[args[2]]
	p.mu.Lock()
	defer p.mu.Unlock()
	if a, ok := p.replica[args[1]]; (shown != "" && ok && !a.Locked && a.password == shown) == neg {
		return fmt.Errorf("that %s logs in as %s is %v", args[0], args[1], neg)
	}
	return nil
}

// keepSecrets asserts that no password that was ever set is in what the bot
// stored, logged or said.
func (s *stage) keepSecrets() {
	for _, p := range s.databases {
		for _, odd := range p.odd {
			s.t.Error(odd)
		}
		all := s.everything()
		if len(p.made) > 0 && bytes.Count(all, []byte("Account")) < 2 {
			s.t.Error("what is looked through does not hold what was said")
		}
		for _, password := range p.made {
			if bytes.Contains(all, []byte(password)) {
				s.t.Errorf("password %.6s… is stored, logged or posted", password)
			}
		}
	}
}

// everything is what the bot stored, logged and said.
func (s *stage) everything() []byte {
	var all bytes.Buffer
	files, err := filepath.Glob(filepath.Join(s.dir, "thbot.db*"))
	if err != nil || len(files) == 0 {
		s.t.Error("there is no ledger to look at", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			s.t.Error(err)
		}
		all.Write(text)
	}
	if s.logs != nil {
		for _, e := range s.logs.All() {
			fmt.Fprintln(&all, e.Message, e.ContextMap())
		}
	}
	for _, who := range world.People {
		for _, m := range append(s.Slack.Messages(who.ID, world.Channel), s.Slack.Messages(who.ID, s.Slack.DirectChannel(who.ID))...) {
			fmt.Fprintf(&all, "%s %s %s %v\n", m.Text, m.Blocks, m.Metadata, m.Past)
		}
	}
	return all.Bytes()
}
