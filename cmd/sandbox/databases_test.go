package main

import (
	"strings"
	"testing"

	"thbot/cmd/sandbox/world"
)

// withDatabases are quick settings with MariaDB.
var withDatabases = func() settings {
	how := quick
	how.Databases = true
	return how
}()

// visitDatabases opens a sandbox with databases, and waits until the bot is in it.
func visitDatabases(t *testing.T) (visitor, *sandbox) {
	t.Helper()
	c, s := visitWith(t, withDatabases)
	c.await("the databases are there, or cannot be", func() bool { return !c.world().Databases.Starting })
	if missing := c.world().Databases.Missing; strings.Contains(missing, "mariadb-server-core") {
		lacking(t, "%s", missing)
	} else if missing != "" {
		t.Fatal(missing)
	}
	c.await("the bot has connected", func() bool { return c.world().Bot.Sockets > 0 })
	return c, s
}

// presses presses the button with a label in the newest message with a text.
func (c visitor) presses(as, channel, text, label string) {
	c.t.Helper()
	var m message
	c.await(as+" sees "+text, func() (ok bool) {
		m, ok = c.findIn(as, channel, text)
		return ok && strings.Contains(string(m.Blocks), `"`+label+`"`)
	})
	action, value := button(c.t, m, label)
	if got := c.do("/api/press", pressing{As: as, Channel: channel, TS: m.TS, Action: action, Value: value}); got["acked"] != true {
		c.t.Errorf("pressing %s: %v", label, got)
	}
}

// window waits for what somebody's window shows, by its title, closes it, and
// returns how it reads.
func (c visitor) window(s *sandbox, as, title string) string {
	c.t.Helper()
	var open []view
	c.await(as+" has the window "+title, func() bool {
		c.ask("GET", "/api/modal?as="+as, nil, &open)
		return len(open) > 0 && open[len(open)-1].Title == title
	})
	v := open[len(open)-1]
	c.do("/api/close", closing{As: as, View: v.ID})
	return s.now().Slack.Plain(v.Blocks)
}

func TestAccess(t *testing.T) {
	t.Parallel()
	c, s := visitDatabases(t)
	stage := func() database { return c.world().Databases.List[0] }
	has := func(name string) bool {
		for _, a := range stage().Accounts {
			if a.Name == name {
				return a.TLS && !a.Locked && a.Kind == "person"
			}
		}
		return false
	}
	if has("ro_bea") {
		t.Error("bea has access already")
	}
	c.say("ana", "/th access grant @bea stage for 30d looking at slow pushes")
	c.presses("cleo", world.Room, "Read access to stage for bea?", "Grant")
	c.presses("bea", direct, "You can read Treeherder's database of stage", "Show my credentials")
	first := readCredentials(t, c.window(s, "bea", "Your credentials"))
	if first.Account != "ro_bea" || first.Host+":"+first.Port != stage().Replica || !has("ro_bea") {
		t.Errorf("account %s at %s:%s, the replica is %s, the accounts are %+v", first.Account, first.Host, first.Port, stage().Replica, stage().Accounts)
	}
	first.works(t)

	c.presses("bea", direct, "You can read Treeherder's database of stage", "Show my credentials")
	second := readCredentials(t, c.window(s, "bea", "Your credentials"))
	second.works(t)
	if err := first.login(t, true); !denied(err) {
		t.Errorf("with the first password: %v", err)
	}

	c.say("cleo", "/th access rotate @bea")
	c.presses("cleo", world.Room, "A new password for bea", "Set a new password")
	c.presses("bea", direct, "Your password for stage does not work any more", "Show my credentials")
	third := readCredentials(t, c.window(s, "bea", "Your credentials"))
	third.works(t)
	if err := second.login(t, true); !denied(err) {
		t.Errorf("with the second password: %v", err)
	}

	c.say("cleo", "/th access revoke @bea")
	c.presses("cleo", world.Room, "Take away bea", "Revoke")
	c.await("it is over", c.sees("ana", "access to stage is over"))
	if err := third.login(t, true); !denied(err) || has("ro_bea") {
		t.Errorf("after it was taken away: %v, accounts %+v", err, stage().Accounts)
	}
	c.secrecy(t, s, first.Password, second.Password, third.Password)
	if u := c.world().Unexpected; len(u) > 0 {
		t.Errorf("unexpected: %v", u)
	}
}
