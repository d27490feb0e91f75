package handlers_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/github/fakegithub"
	"thbot/integrations/jenkins/fakejenkins"
	"thbot/integrations/slack/fakeslack"
)

// asserts are the commands that look what has come of it.
func (s *stage) asserts() map[string]command {
	return map[string]command{
		// chat prints what was said since the last chat.
		"chat": func(ts *testscript.TestScript, _ bool, _ []string) error {
			_, err := io.WriteString(ts.Stdout(), strings.Join(s.heard, "\n")+"\n")
			s.heard = nil
			return err
		},
		// proceeds N, posts N and live APP COMMIT assert the world.
		"proceeds": func(_ *testscript.TestScript, _ bool, args []string) error {
			return count("inputs answered by us", args[0], len(slices.DeleteFunc(s.Jenkins.Proceeds(), func(p fakejenkins.Proceed) bool { return p.ByHand })))
		},
		"posts": func(_ *testscript.TestScript, _ bool, args []string) error {
			n := 0
			for _, m := range s.Slack.Messages("U0ANA", world.Channel) {
				if !m.Ephemeral && m.User == fakeslack.BotUser {
					n++
				}
			}
			return count("messages of the bot", args[0], n)
		},
		"live": func(_ *testscript.TestScript, _ bool, args []string) error {
			if live := s.Live(args[0]); live != world.Commit(args[1]) {
				return fmt.Errorf("%s is on %s", args[0], live)
			}
			return nil
		},
		// sent NAME VALUE asserts what our answer to an input carried.
		"sent": func(_ *testscript.TestScript, _ bool, args []string) error {
			all := s.Jenkins.Proceeds()
			if len(all) == 0 || all[len(all)-1].Values[args[0]] != args[1] {
				return fmt.Errorf("not sent: %v", all)
			}
			return nil
		},
		// dialog PERSON LABEL prints how the newest button with that label looks,
		// and what Slack asks before it counts.
		"dialog": func(ts *testscript.TestScript, _ bool, args []string) error {
			who, err := person(args[0])
			if err != nil {
				return err
			}
			b, err := s.find(who, args[1])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(ts.Stdout(), "%s: %s\n", cmp.Or(b.style, "plain"), b.dialog)
			return err
		},
		// buttons N LABEL asserts how many buttons with that label are shown.
		"buttons": func(_ *testscript.TestScript, _ bool, args []string) error {
			n := 0
			for _, m := range s.Slack.Messages("U0ANA", world.Channel) {
				for _, b := range m.Buttons() {
					if b.Label == args[1] {
						n++
					}
				}
			}
			return count("buttons "+args[1], args[0], n)
		},
		// asked N [CALL], less-than N or whatever asserts how often GitHub was asked
		// since the last time this was told.
		"asked": func(_ *testscript.TestScript, _ bool, args []string) error {
			all := s.GitHub.Journal()
			since := all[s.asked:]
			s.asked = len(all)
			switch args[0] {
			case "whatever":
				return nil
			case "less-than":
				if n, err := strconv.Atoi(args[1]); err != nil || len(since) >= n {
					return fmt.Errorf("%d requests to GitHub", len(since))
				}
				return nil
			}
			if len(args) > 1 {
				since = slices.DeleteFunc(slices.Clone(since), func(e fakegithub.Entry) bool { return e.Call != args[1] })
			}
			if err := count("requests to GitHub", args[0], len(since)); err != nil {
				return fmt.Errorf("%w: %v", err, since[:min(20, len(since))])
			}
			return nil
		},
		// never TEXT asserts that no message carries it as markup.
		"never": func(_ *testscript.TestScript, _ bool, args []string) error {
			for _, m := range s.Slack.Messages("U0ANA", world.Channel) {
				var blocks any
				if len(m.Blocks) > 0 {
					if err := json.Unmarshal(m.Blocks, &blocks); err != nil {
						return err
					}
				}
				if strings.Contains(m.Text+fmt.Sprint(blocks), args[0]) {
					return fmt.Errorf("a message carries %s: %s %v", args[0], m.Text, blocks)
				}
			}
			return nil
		},
		// refs replaces what is random: references of what went wrong, and the ids of
		// operations.
		"refs": func(_ *testscript.TestScript, _ bool, _ []string) error {
			for i, line := range s.heard {
				line = regexp.MustCompile("Ref `[0-9a-f]{6}`").ReplaceAllString(line, "Ref `……`")
				s.heard[i] = regexp.MustCompile("`(th-bot:)?[0-9A-HJKMNP-TV-Z]{26}`").ReplaceAllString(line, "`${1}01……`")
			}
			return nil
		},
		// logged TEXT asserts that an operator could read it.
		"logged": func(_ *testscript.TestScript, neg bool, args []string) error {
			for _, e := range s.logs.All() {
				if strings.Contains(e.Message+fmt.Sprint(e.ContextMap()), args[0]) != neg {
					return nil
				}
			}
			return fmt.Errorf("not in the log: %s", args[0])
		},
	}
}

func count(what, want string, got int) error {
	if n, err := strconv.Atoi(want); err != nil || n != got {
		return fmt.Errorf("%d %s, want %s", got, what, want)
	}
	return nil
}
