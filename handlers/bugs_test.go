package handlers_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"thbot/bot"
	"thbot/cmd/sandbox/world"
	"thbot/integrations/bugzilla/fakebugzilla"
)

// onBugs are the commands about Bugzilla.
func (s *stage) onBugs() map[string]command {
	return map[string]command{"bugzilla": s.bugzilla, "bugs": s.bugs, "buttons-lead": s.lead, "nowhere": s.nowhere, "ages": s.ages, "dies-with": s.diesWith}
}

// bugzillaAccounts are those of the stage. The second bot is for a key that
// takes another one's place.
var bugzillaAccounts = []fakebugzilla.Account{
	{Login: fakebugzilla.Login, Key: fakebugzilla.Key}, {Login: fakebugzilla.Person},
	{Login: "thbot-2@example.com", Key: "fake-another-key", Groups: []string{fakebugzilla.Group}},
}

// bugzilla WHAT [ARG …] does something with it.
func (s *stage) bugzilla(_ *testscript.TestScript, _ bool, args []string) error {
	number := func() int { n, _ := strconv.Atoi(args[1]); return n }
	trouble := func(t fakebugzilla.Trouble) error { s.Bugs.Next(t.At("POST bug")); return nil }
	switch args[0] {
	case "keyless": // before the bot starts
		s.env.Store("BUGZILLA_API_KEY", "")
	case "revokes": // revokes KEY
		s.Bugs.Revoke(args[1])
	case "key": // key KEY: the bot gets it, perhaps while it runs
		s.env.Store("BUGZILLA_API_KEY", args[1])
	case "breaks":
		return trouble(fakebugzilla.Broken())
	case "limits":
		return trouble(fakebugzilla.RateLimited())
	case "loses": // what was filed; only the answer to it does not come
		return trouble(fakebugzilla.Broken().Lost())
	case "hangs":
		return trouble(fakebugzilla.Trouble{Slow: time.Minute})
	case "lags", "catches-up":
		s.Bugs.Lag(args[0] == "lags")
	case "resolves": // resolves NUMBER RESOLUTION; with "" it is open again
		return s.Bugs.Resolve(number(), args[2])
	case "moves":
		return s.Bugs.Move(number(), "Core", "General")
	default:
		return fmt.Errorf("Bugzilla does not know %s", args[0])
	}
	return nil
}

// bugs prints them, bugs N asserts how many there are, and bugs asked N CALL how
// often it was called since the last time this was told, or asked whatever CALL.
func (s *stage) bugs(ts *testscript.TestScript, _ bool, args []string) error {
	all := s.Bugs.Bugs()
	switch {
	case len(args) > 0 && args[0] == "asked":
		journal := s.Bugs.Journal()
		n := len(slices.DeleteFunc(journal, func(e fakebugzilla.Entry) bool { return e.Call != args[2] }))
		before := s.calls[args[2]]
		s.calls[args[2]] = n
		if args[1] == "whatever" {
			return nil
		}
		return count("calls of "+args[2], args[1], n-before)
	case len(args) == 1:
		return count("bugs", args[0], len(all))
	}
	for _, b := range all {
		fmt.Fprintf(ts.Stdout(), "bug %d, %s :: %s, %s %s, groups %q, cc %q\n%s\n%s\n", b.ID, b.Product, b.Component, b.Type, b.Version, b.Groups, b.CC, b.Summary, b.Description)
	}
	return nil
}

// lead PERSON prints where the newest button with a link leads that they see,
// here or directly.
func (s *stage) lead(ts *testscript.TestScript, _ bool, args []string) error {
	who, err := person(args[0])
	if err != nil {
		return err
	}
	newest, link := "", ""
	for _, m := range append(s.Slack.Messages(who, world.Channel), s.Slack.Messages(who, s.Slack.DirectChannel(who))...) {
		for _, b := range m.Buttons() {
			if b.URL != "" && m.TS >= newest {
				newest, link = m.TS, b.URL
			}
		}
	}
	u, err := url.Parse(link)
	if err != nil || link == "" {
		return fmt.Errorf("%s sees no button that leads anywhere: %w", args[0], err)
	}
	fmt.Fprintf(ts.Stdout(), "%s (%d bytes)\n", u.Path, len(link))
	for _, name := range slices.Sorted(maps.Keys(u.Query())) {
		fmt.Fprintf(ts.Stdout(), "%s=%s\n", name, u.Query().Get(name))
	}
	return nil
}

// nowhere TEXT asserts that it is in nothing that the bot stored, logged or said.
func (s *stage) nowhere(_ *testscript.TestScript, _ bool, args []string) error {
	if bytes.Contains(s.everything(), []byte(args[0])) {
		return fmt.Errorf("%s is stored, logged or said", args[0])
	}
	return nil
}

// dies-with PERSON TEXT [FIELD=VALUE …] ends the bot, with that form in its
// ledger and acknowledged, but not yet judged.
func (s *stage) diesWith(_ *testscript.TestScript, _ bool, args []string) error {
	who, err := person(args[0])
	if err != nil {
		return err
	}
	r := bot.Request{Key: fmt.Sprint("T0FAKE:", args), Person: who, Channel: world.Channel, Text: args[1], Values: map[string]string{}}
	for _, arg := range args[2:] {
		field, value, _ := strings.Cut(arg, "=")
		r.Values[field] = value
	}
	s.note("%s sends the form of %s", args[0], args[1])
	s.stop()
	return s.write(func(tx bot.Tx) error {
		return tx.AddReceived(bot.Received{Key: r.Key, At: tx.Now(), Due: tx.Now(), Request: &r})
	})
}

// ages TIME ends the bot and lets requests that are followed be older by that:
// a bubble would need minutes for half a year of its watching.
func (s *stage) ages(_ *testscript.TestScript, _ bool, args []string) error {
	by, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	s.stop()
	return s.write(func(tx bot.Tx) error {
		held, err := tx.Holders("request/")
		for _, h := range held {
			o, err := tx.Operation(h.Operation)
			if err != nil {
				return err
			}
			o.Entered, o.Due = o.Entered.Add(-by), tx.Now()
			if err := tx.SaveOperation(o); err != nil {
				return err
			}
		}
		return err
	})
}
