package handlers_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"thbot/cmd/sandbox/world"
)

// directs PERSON prints what the bot has told that person directly.
func (s *stage) directs(ts *testscript.TestScript, _ bool, args []string) error {
	who, err := person(args[0])
	if err != nil {
		return err
	}
	var said []string
	for _, m := range s.Slack.Messages(who, s.Slack.DirectChannel(who)) {
		said = append(said, m.Render())
	}
	_, err = fmt.Fprintf(ts.Stdout(), "to %s:\n%s\n", args[0], strings.Join(said, "\n"))
	return err
}

// reads CHANNEL prints what the bot has said there.
func (s *stage) reads(ts *testscript.TestScript, _ bool, args []string) error {
	var said []string
	for _, m := range s.Slack.Messages("U0ANA", args[0]) {
		said = append(said, m.Render())
	}
	_, err := fmt.Fprintf(ts.Stdout(), "in %s:\n%s\n", args[0], strings.Join(said, "\n"))
	return err
}

// push-to BRANCH COMMIT AUTHOR SUBJECT pushes to another branch than master.
func (s *stage) pushTo(_ *testscript.TestScript, _ bool, args []string) error {
	s.PushTo(args[0], args[1], args[2], args[3])
	return nil
}

// branch NAME COMMIT makes a branch.
func (s *stage) makeBranch(_ *testscript.TestScript, _ bool, args []string) error {
	s.GitHub.SetBranch(args[0], world.Commit(args[1]))
	return nil
}

// press-direct PERSON LABEL presses a button of a direct message.
func (s *stage) pressDirect(_ *testscript.TestScript, _ bool, args []string) error {
	who, err := person(args[0])
	if err != nil {
		return err
	}
	room := s.Slack.DirectChannel(who)
	for _, m := range slices.Backward(s.Slack.Messages(who, room)) {
		for _, b := range m.Buttons() {
			if b.Label == args[1] {
				s.note("%s presses %s, directly", args[0], args[1])
				_, err := s.Slack.Press(who, room, m.TS, b.ActionID, b.Value)
				return err
			}
		}
	}
	return fmt.Errorf("%s has no direct message with a button %q", args[0], args[1])
}

// topic PERSON TEXT is the channel's topic from now on.
func (s *stage) topic(_ *testscript.TestScript, _ bool, args []string) error {
	who, err := person(args[0])
	if err != nil {
		return err
	}
	return s.Slack.SetTopic(who, world.Channel, args[1])
}

// away PERSON, and undisturbed PERSON TIME.
func (s *stage) away(_ *testscript.TestScript, _ bool, args []string) error {
	who, err := person(args[0])
	if err == nil {
		s.Slack.SetPresence(who, false)
	}
	return err
}

func (s *stage) undisturbed(_ *testscript.TestScript, _ bool, args []string) error {
	who, err := person(args[0])
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(args[1])
	s.Slack.SetDND(who, time.Now().Add(d))
	return err
}
