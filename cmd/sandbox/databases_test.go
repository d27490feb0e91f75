package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/mysql/mariadbpair"
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
	c.databases()
	c.await("the bot has connected", func() bool { return c.world().Bot.Sockets > 0 })
	return c, s
}

// databases waits until the databases are there. Where they cannot be, the test
// is skipped, or fails.
func (c visitor) databases() {
	c.t.Helper()
	c.await("the databases are there, or cannot be", func() bool { return !c.world().Databases.Starting })
	if missing := c.world().Databases.Missing; strings.Contains(missing, "mariadb-server-core") {
		lacking(c.t, "%s", missing)
	} else if missing != "" {
		c.t.Fatal(missing)
	}
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
	// What could be sent back would bring the bot all that the window shows.
	var no struct{ Error string }
	if status := c.ask("POST", "/api/submit", submitting{As: as, View: v.ID}, &no); status != 409 || !strings.Contains(no.Error, "it has no submit button") {
		c.t.Errorf("submitting what is shown: %d %s", status, no.Error)
	}
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
	i := slices.IndexFunc(c.world().Commands, func(k command) bool { return k.Names[0] == "access" })
	if i < 0 || !strings.Contains(fmt.Sprint(c.world().Commands[i].Arguments), "stage") {
		t.Errorf("the databases are not completed: %+v", c.world().Commands)
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

// While the databases start, the world is there and the bot waits; then a deploy
// migrates, and every switch does what it says.
func TestDatabases(t *testing.T) {
	t.Parallel()
	how := withDatabases
	c, s := visitWith(t, how)
	w := c.world()
	if !w.Databases.Starting || w.Bot.Running || len(w.Runs) != 5 {
		t.Errorf("at the beginning: %+v, the bot %+v, %d runs", w.Databases, w.Bot, len(w.Runs))
	}
	var no struct{ Error string }
	if status := c.ask("POST", "/api/world/start", map[string]string{}, &no); status != 409 || !strings.Contains(no.Error, "The databases are starting") {
		t.Errorf("starting the bot before: %d %s", status, no.Error)
	}
	c.databases()
	c.await("the bot has connected", func() bool { return c.world().Bot.Sockets > 0 })

	const tried, note, orphan, twice = "model.0005_push_summary", "model.0005_note", "perf.0002_alert_title_order", "model.0004_remove_failureline_repository"
	if all := migrated(t, s, "prototype"); all[tried] != 1 || all["auth.0001_initial"] != 1 || all[orphan] != 1 || all[twice] != 2 {
		t.Errorf("prototype has %v", all)
	}
	if all := migrated(t, s, "stage"); all[tried]+all[note]+all[orphan] != 0 || all[twice] != 1 || all["perf.0001_initial"] != 1 || len(all) != 9 {
		t.Errorf("stage has %v", all)
	}
	for range 2 { // the second has a migration
		c.turn("push")
		c.await("it is on stage", func() bool { w := c.world(); return w.Environments[1].Live == w.Commits[0].SHA })
	}
	c.await("stage is migrated", func() bool { return migrated(t, s, "stage")[note] == 1 })

	for _, step := range []struct {
		name, database, says string
		sees                 func(stage, prototype database) bool
	}{
		{"replica-stop", "", "The replica of stage gets nothing new now.", func(stage, prototype database) bool { return !stage.Replicating && prototype.Replicating }},
		{"replica-continue", "", "The replica of stage catches up.", func(stage, _ database) bool { return stage.Replicating && !stage.Behind }},
		{"replica-down", "prototype", "Nobody reaches the replica of prototype now.", func(stage, prototype database) bool { return prototype.CutOff && !stage.CutOff }},
		{"replica-up", "prototype", "The replica of prototype can be reached again.", func(_, prototype database) bool { return !prototype.CutOff }},
		{"primary-read-only", "stage", "The primary of stage takes no changes now.", func(stage, prototype database) bool { return stage.ReadOnly && !prototype.ReadOnly }},
		{"primary-writable", "", "The primary of stage takes changes again.", func(stage, _ database) bool { return !stage.ReadOnly }},
	} {
		params := map[string]string{}
		if step.database != "" {
			params["database"] = step.database
		}
		if i := slices.IndexFunc(c.world().Switches, func(k switchState) bool { return k.Name == step.name }); i < 0 || !c.world().Switches[i].Possible {
			t.Errorf("%s is not possible", step.name)
		}
		if got := c.do("/api/world/"+step.name, params)["done"]; got != step.says {
			t.Errorf("%s says %s", step.name, got)
		}
		c.await(step.name+" can be seen", func() bool { list := c.world().Databases.List; return step.sees(list[0], list[1]) })
	}
}

// What is broken is said to whoever wants to see their password, and when it is
// mended they see it.
func TestBrokenDatabases(t *testing.T) {
	t.Parallel()
	c, s := visitDatabases(t)
	c.say("ana", "/th access grant @bea stage for 30d looking at slow pushes")
	c.presses("cleo", world.Room, "Read access to stage for bea?", "Grant")
	c.await("it is given", c.sees("ana", "can read stage"))
	for _, step := range []struct{ breaks, mends, says string }{
		{"primary-read-only", "primary-writable", "MySQL does not give a usable answer right now"},
		{"replica-down", "replica-up", "MySQL does not give a usable answer right now"},
		{"replica-stop", "replica-continue", "The replica does not know your new password yet"},
	} {
		c.turn(step.breaks)
		c.presses("bea", direct, "You can read Treeherder's database of stage", "Show my credentials")
		if why := c.window(s, "bea", "Not shown"); !strings.Contains(why, step.says) {
			t.Errorf("after %s the window says %s", step.breaks, why)
		}
		c.turn(step.mends)
		c.presses("bea", direct, "You can read Treeherder's database of stage", "Show my credentials")
		readCredentials(t, c.window(s, "bea", "Your credentials")).works(t)
	}
}

// migrated is how often the replica of a database has each migration.
func migrated(t *testing.T, s *sandbox, name string) map[string]int {
	t.Helper()
	rows, err := s.now().Databases()[name].Replica.Root().QueryContext(t.Context(), "SELECT app, name FROM treeherder.django_migrations")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]int{}
	for rows.Next() {
		var app, name string
		if err := rows.Scan(&app, &name); err != nil {
			t.Fatal(err)
		}
		all[app+"."+name]++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// Where there are none, the page says why, and how to get them.
func TestMissing(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{fmt.Errorf("starting: %w", mariadbpair.ErrNone), "This machine has no MariaDB, so there are none. To have them: apt-get install mariadb-server-core"},
		{errors.New("no space left"), "They did not start: no space left"},
	} {
		if got := whyMissing(tt.err); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.err, got, tt.want)
		}
	}
}

// asSandbox is the environment variable that makes the test binary be a sandbox
// with databases, which can be killed.
const asSandbox = "THBOT_TEST_SANDBOX"

func beSandbox() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return run(ctx, []string{"--listen", "127.0.0.1:0", "--seed", "0"}, withDatabases, os.Stdout, os.Stderr)
}

// The databases are others after a reset, and end with the sandbox, however it
// ends. With Ctrl-C nothing is left of them.
func TestEndsOfDatabases(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, how := range []os.Signal{os.Interrupt, os.Kill} {
		t.Run(how.String(), func(t *testing.T) {
			t.Parallel()
			dir, err := os.MkdirTemp("", "thbot") // short, for the names of sockets
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			p := exec.CommandContext(ctx, self)
			p.Env = append(os.Environ(), asSandbox+"=1", "TMPDIR="+dir)
			p.Stderr = os.Stderr
			out, err := p.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = p.Process.Kill(); _ = p.Wait() }()
			said := bufio.NewReader(out)
			first, err := said.ReadString('\n')
			address := regexp.MustCompile(`http://\S+\d`).FindString(first)
			if address == "" {
				t.Fatalf("it says %q, %v", first, err)
			}
			c := visitor{t, address}
			c.databases()
			was := sockets(t, dir)
			if len(was) != 4 {
				t.Fatalf("servers: %v", was)
			}
			c.turn("reset")
			gone(t, "after a reset", was)
			c.databases()
			was = sockets(t, dir)
			if len(was) != 4 {
				t.Fatalf("servers after a reset: %v", was)
			}
			if err := p.Process.Signal(how); err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(said)
			if want := "The databases of stage and prototype are there"; err != nil || !strings.Contains(string(rest), want) {
				t.Errorf("it says %s, %v; it should say %s", rest, err, want)
			}
			gone(t, "after "+how.String(), was)
			left, err := filepath.Glob(filepath.Join(dir, "*"))
			if err != nil || (how == os.Interrupt) != (len(left) == 0) {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// sockets are those of all servers whose data are in dir.
func sockets(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*", "*", "*", "*", "socket"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// gone waits until no server is left. Reading from one that is there waits for
// its end.
func gone(t *testing.T, when string, sockets []string) {
	t.Helper()
	late := time.Now().Add(20 * time.Second)
	for _, socket := range sockets {
		for time.Now().Before(late) {
			conn, err := net.Dial("unix", socket)
			if err != nil {
				break
			}
			_ = conn.SetReadDeadline(late)
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
		if !time.Now().Before(late) {
			t.Fatalf("%s the server of %s is still there", when, socket)
		}
	}
}
