package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"thbot/integrations/mysql/mariadbpair"
	"thbot/integrations/slack/fakeslack"
)

// The acts by which bea comes to have access, and to have seen her password.
var (
	asksAccess  = act{who: ana, say: "/th access grant @beaOWN stage for 2h finding slow queries", reads: "Read access to stage for bea"}
	grants      = act{who: cleo, press: "Grant", on: "Read access to stage for bea", reads: "how, I have sent as a direct message"}
	looks       = window(bea, "Show my credentials")
	hasLooked   = act{who: ana, reads: "The password was shown last at"}
	stays       = act{happens: func(ctx context.Context, p *play) error { return p.logIn(ctx) }}
	accessGiven = []number{messages("questions", 1, "Read access to stage for bea", "Giving bea", "can read stage* until"), posted("can read stage until"),
		directly(bea, "You can read Treeherder's database of stage", 1)}
)

// Those by which the password of a service is about to be changed.
var (
	asksPassword     = act{who: ana, say: "/th password redash_OWN", reads: "Change the password of redash_"}
	confirmsPassword = act{who: cleo, press: "Change it", on: "Change the password of redash_", reads: "Changing the password of redash_"}
	passwordQuestion = messages("questions", 1, "Change the password of redash_", "Changing the password of redash_", "hanged: the password of redash_")
)

const setAndShow = "Set and show the new password"

// accesses are scenarios of access to databases and of their passwords. What
// came of them is what the servers say. Without looking an account could be made
// twice; all else that is done to accounts comes to the same when it is done again.
var accesses = []scenario{
	{
		name: "grant", pace: swift, databases: true,
		acts: []act{connected, asksAccess, grants, looks, hasLooked},
		from: 1, to: 4,
		comes: slices.Concat(accessGiven, []number{accounts(2), asIntended(), lastWorks()}),
		least: 40, blind: true,
	},
	{
		name: "rotate", pace: swift, databases: true,
		acts: []act{
			connected, asksAccess, grants, looks, hasLooked, stays,
			{who: ana, say: "/th access rotate @beaOWN", reads: "A new password for bea"},
			{who: cleo, press: "Set a new password", on: "A new password for bea", reads: "the old password for stage does not work any more"},
			told(bea, "Your password for stage does not work any more"), looks,
		},
		from: 7, to: 9,
		comes: slices.Concat(accessGiven, []number{messages("questions", 1, "A new password for bea", "Changing bea"), posted("the old password for stage does not work any more"),
			directly(bea, "Your password for stage does not work any more", 1), sessions(0), accounts(2), asIntended(), lastWorks()}),
		least: 40,
	},
	{
		name: "revoke", pace: swift, databases: true,
		acts: []act{
			connected, asksAccess, grants, looks, hasLooked, stays,
			{who: ana, say: "/th access revoke @beaOWN", reads: "Take away bea"},
			{who: cleo, press: "Revoke", on: "Take away bea", reads: "access to stage is over, revoked by cleo."},
			told(bea, "Your access to stage is over"),
		},
		from: 6, to: 8,
		comes: slices.Concat(accessGiven, []number{messages("questions", 1, "Take away bea", "Changing bea"), posted("access to stage is over, revoked by cleo."),
			directly(bea, "Your access to stage is over", 1), sessions(0), accounts(0)}),
		least: 30,
	},
	{
		name: "password", pace: swift, databases: true,
		acts: []act{
			connected,
			asksPassword, confirmsPassword,
			window(cleo, setAndShow),
			{who: cleo, press: "Everything uses the new one", on: "Changing the password of redash_", reads: "was changed by cleo"},
		},
		from: 1, to: 4,
		comes: []number{passwordQuestion, posted("was changed by cleo"), directly(cleo, "You have confirmed that the password of", 1),
			atMost(1, directly(cleo, "I was interrupted while I set the new password", 1)), serviceWorks()},
		least: 40,
	},
	{
		// Cleo presses once, and leaves it at whatever came of it.
		name: "password left", pace: swift, databases: true,
		acts: []act{
			connected, asksPassword, confirmsPassword,
			{happens: func(ctx context.Context, p *play) error {
				_, err := p.look(ctx, cleo, setAndShow)
				return err
			}},
			{who: cleo, press: "Leave it|Everything uses the new one", on: "Changing the password of redash_", reads: "hanged: the password of redash_"},
		},
		from: 3, to: 3,
		comes: []number{passwordQuestion, atMost(1, posted("was changed by cleo")), directly(cleo, "You have confirmed that the password of", 1),
			atMost(1, directly(cleo, "I was interrupted while I set the new password", 1)), truthful()},
		least: 15,
	},
}

// window is the act of pressing a button in one's direct messages, as often as
// it takes until the window shows a password.
func window(who, label string) act {
	return act{happens: func(ctx context.Context, p *play) error {
		for {
			password, err := p.look(ctx, who, label)
			if err != nil {
				return fmt.Errorf("pressing %s: %w", label, err)
			}
			if password != "" {
				p.shown = append(p.shown, password)
				return nil
			}
		}
	}}
}

var (
	aPassword = regexp.MustCompile(`[0-9a-f]{60}`)
	// closed is what a window says that is of no use, or the bot instead of one.
	closed = regexp.MustCompile(`(?i)press(ing)? (the button )?again`)
)

// look presses it once, and returns the password that is shown; empty: they have
// to press again.
func (p *play) look(ctx context.Context, who, label string) (string, error) {
	channel := p.Slack.DirectChannel(who)
	var ts string
	var button fakeslack.Button
	err := p.Slack.Await(ctx, func() bool {
		for _, m := range p.Slack.Messages(who, channel) {
			for _, b := range m.Buttons() {
				if b.Label == label {
					ts, button = m.TS, b
				}
			}
		}
		return ts != ""
	})
	if err != nil {
		return "", err
	}
	before, heard := p.died(), len(p.Slack.Messages(who, channel))
	d, err := p.Slack.Press(who, channel, ts, button.ActionID, button.Value)
	if err != nil {
		return "", err
	}
	if d.Wait(ctx) != nil {
		return "", p.heard(ctx)
	}
	says := ""
	err = p.Slack.Await(ctx, func() bool {
		says = ""
		for _, v := range p.Slack.View(who) {
			says = v.Plain
		}
		for _, m := range p.Slack.Messages(who, channel)[heard:] {
			says += m.Plain // where they read it when no window opens
		}
		// A window whose process has died stays as it was.
		return aPassword.MatchString(says) || closed.MatchString(says) || !before && p.died() && p.Slack.Sockets() > 0
	})
	if err != nil {
		return "", fmt.Errorf("the window says %q: %w", says, err)
	}
	if aPassword.MatchString(says) {
		// Who is not sure to have shown it says so as soon as that takes too long.
		select {
		case <-time.After(limit + 100*time.Millisecond):
		case <-ctx.Done():
		}
	}
	if open := p.Slack.View(who); len(open) > 0 {
		says = open[len(open)-1].Plain
		if _, err := p.Slack.CloseView(who, open[len(open)-1].ID, true); err != nil {
			return "", err
		}
	}
	if password := aPassword.FindString(says); password != "" {
		return password, p.wellTold(who, says)
	}
	select {
	case <-time.After(300 * time.Millisecond):
	case <-ctx.Done():
	}
	return "", nil
}

// wellTold says what is wrong with what bea is told, beside the password.
func (p *play) wellTold(who, says string) error {
	host, port, err := net.SplitHostPort(p.Replica.Address)
	if err != nil {
		return err
	}
	where := fmt.Sprintf("host      %s\nport      %s\ndatabase  treeherder\naccount   %s\n", host, port, p.account())
	if who == bea && !strings.Contains(says, where) {
		return fmt.Errorf("she is not told how to log in to the replica: %s", says)
	}
	return nil
}

// died says whether the process was killed, and is dead.
func (p *play) died() bool {
	select {
	case <-p.dead:
		return true
	default:
		return false
	}
}

// logIn logs in with what was shown last, and stays.
func (p *play) logIn(ctx context.Context) error {
	db, err := p.Replica.Open(p.account(), p.shown[len(p.shown)-1])
	if err != nil {
		return err
	}
	p.t.Cleanup(func() { _ = db.Close() }) // which the server may have ended
	return db.PingContext(ctx)
}

// ask asks a server for a number.
func (p *play) ask(n *mariadbpair.Node, question string, args ...any) (sum int) {
	if err := n.Root().QueryRowContext(p.t.Context(), question, args...).Scan(&sum); err != nil {
		p.t.Errorf("asking a server: %v", err)
	}
	return sum
}

// caughtUp is the replica when it has all that the primary has.
func (p *play) caughtUp() *mariadbpair.Node {
	if err := p.CatchUp(p.t.Context()); err != nil {
		p.t.Error(err)
	}
	return p.Replica
}

// accounts are bea's on the primary and the replica, by whatever name.
func accounts(want int) number {
	return number{"accounts on both servers", nil, func(p *play) (sum int) {
		for _, n := range []*mariadbpair.Node{p.Primary, p.caughtUp()} {
			sum += p.ask(n, "SELECT COUNT(*) FROM mysql.user WHERE LEFT(User, CHAR_LENGTH(?)) = ?", p.account(), p.account())
		}
		return sum
	}, want}
}

// asIntended is bea's account if it needs TLS, and can read one database and do
// nothing else.
func asIntended() number {
	return number{"accounts with TLS that can read, and nothing else,", nil, func(p *play) int {
		rows, err := p.caughtUp().Root().QueryContext(p.t.Context(), "SHOW GRANTS FOR ?@'%'", p.account())
		if err != nil {
			return 0 // there is no such account
		}
		defer rows.Close()
		var grants []string
		for rows.Next() {
			var one string
			if err := rows.Scan(&one); err != nil {
				p.t.Error(err)
			}
			grants = append(grants, one)
		}
		if len(grants) != 2 || !strings.HasPrefix(grants[0], "GRANT USAGE ON *.* ") || !strings.Contains(grants[0], " REQUIRE SSL ") ||
			grants[1] != "GRANT SELECT ON `treeherder`.* TO `"+p.account()+"`@`%`" {
			return 0
		}
		return 1
	}, 1}
}

// sessions are those that are open with bea's account.
func sessions(want int) number {
	return number{"open sessions", nil, func(p *play) (sum int) {
		for _, n := range []*mariadbpair.Node{p.Primary, p.Replica} {
			sum += p.ask(n, "SELECT COUNT(*) FROM information_schema.processlist WHERE user = ?", p.account())
		}
		return sum
	}, want}
}

// lastWorks are bea's passwords that still work on the replica; that which she
// saw last must.
func lastWorks() number {
	return number{"passwords that work, with the last one,", nil, func(p *play) int { return p.working(p.caughtUp(), p.account(), p.shown) }, 1}
}

// serviceWorks is the same for the service, which had one before.
func serviceWorks() number {
	return number{"passwords of the service that work, with the last one,", nil, func(p *play) int {
		return p.working(p.Primary, p.service(), append([]string{firstPassword}, p.shown...))
	}, 1}
}

// truthful is what people read in the end, if the service's first password works
// as that says.
func truthful() number {
	return number{"truthful ends", nil, func(p *play) int {
		works := p.working(p.Primary, p.service(), []string{firstPassword}) == 1
		if p.sees(cleo, "*Not changed: ") && !works || p.sees(cleo, "*Changed: ") && works {
			return 0
		}
		return 1
	}, 1}
}

func (p *play) working(n *mariadbpair.Node, account string, passwords []string) (sum int) {
	for i, password := range passwords {
		db, err := n.Open(account, password)
		if err != nil {
			p.t.Error(err)
			continue
		}
		lets := lets(p.t.Context(), db)
		if i == len(passwords)-1 && !lets {
			return 0
		}
		if lets {
			sum++
		}
	}
	return sum
}

func lets(ctx context.Context, db *sql.DB) bool {
	defer db.Close()
	return db.PingContext(ctx) == nil
}

// told waits until somebody was told that alone.
func told(who, text string) act {
	return act{happens: func(ctx context.Context, p *play) error {
		return p.Slack.Await(ctx, func() bool { return directly(who, text, 1).count(p) > 0 })
	}}
}

// directly is how often somebody was told that alone.
func directly(who, text string, want int) number {
	return number{"direct messages “" + text + "”", nil, func(p *play) (sum int) {
		for _, m := range p.Slack.Messages(who, p.Slack.DirectChannel(who)) {
			if strings.Contains(m.Plain, text) {
				sum++
			}
		}
		return sum
	}, want}
}

// leaks are the files, of those that the bot writes, with a password in them.
func (p *play) leaks() (found []string) {
	files, err := filepath.Glob(filepath.Join(p.dir, "*"))
	if err != nil {
		p.t.Error(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			p.t.Error(err)
		}
		known := func(password string) bool { return bytes.Contains(text, []byte(password)) }
		if slices.ContainsFunc(p.shown, known) || aPassword.Match(text) {
			found = append(found, filepath.Base(file))
		}
	}
	return found
}
