package handlers_test

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/github/fakegithub"
	"thbot/integrations/jenkins/fakejenkins"
)

// worlds are the commands by which something happens in the world.
func (s *stage) worlds() map[string]command {
	return map[string]command{
		// push COMMIT AUTHOR SUBJECT [CHANGE …]: a change is PATH=FILE, which writes
		// that file of the script there, PATH<OLD, which moves it, or PATH=, which
		// takes it away. model/NAME is the migration of that name.
		"push": func(ts *testscript.TestScript, _ bool, args []string) error {
			subject := args[2]
			if strings.HasPrefix(subject, `"`) { // so that a script can hold what nobody should type
				var err error
				if subject, err = strconv.Unquote(subject); err != nil {
					return err
				}
			}
			var changes []world.Change
			for _, arg := range args[3:] {
				to, from, moves := strings.Cut(arg, "<")
				path, file, _ := strings.Cut(to, "=")
				switch path = migration(path); {
				case moves:
					changes = append(changes, world.Rename(migration(from), path))
				case file == "":
					changes = append(changes, world.Remove(path))
				default:
					changes = append(changes, world.Write(path, ts.ReadFile(file)))
				}
			}
			s.Push(args[0], args[1], subject, changes...)
			return nil
		},
		// ci COMMIT STATE, of a commit that is not there yet: from its push on.
		"ci": func(_ *testscript.TestScript, _ bool, args []string) error {
			state := map[string]string{"green": world.Green, "red": world.Red, "pending": world.Pending, "none": world.NoCI}[args[1]]
			return s.CI(world.Commit(args[0]), state)
		},
		"pushes": func(_ *testscript.TestScript, _ bool, args []string) error {
			n, err := strconv.Atoi(args[0])
			for i := range n {
				s.Push(fmt.Sprintf("%07x", 0xa000000+i), []string{"bea", "cid", "dov"}[i%3], fmt.Sprintf("Bug %d - Change number %d (#%d)", 1800000+i, i+1, 9200+i))
			}
			return err
		},
		"serve": func(_ *testscript.TestScript, _ bool, args []string) error {
			s.Serve(args[0], world.Commit(args[1]))
			return nil
		},
		"break": func(_ *testscript.TestScript, _ bool, args []string) error {
			s.Apps[args[0]].Break(502, "Bad Gateway")
			return nil
		},
		"mend":  func(_ *testscript.TestScript, _ bool, args []string) error { s.Apps[args[0]].Mend(); return nil },
		"stick": func(_ *testscript.TestScript, _ bool, args []string) error { s.Stick(args[0]); return nil },
		"github": func(_ *testscript.TestScript, _ bool, args []string) error {
			switch args[0] {
			case "down":
				s.GitHub.Down()
			case "mend":
				s.GitHub.Mend()
			case "limited":
				s.GitHub.RateLimited(fakegithub.Limit{For: time.Hour})
			case "breaks": // breaks CALL
				s.GitHub.AnswersTo(args[1], 502, "<title>Unicorn!</title>")
			case "slow": // slow CALL TIME
				by, err := time.ParseDuration(args[2])
				s.slow.Store(&slowness{"github " + args[1], by})
				return err
			default:
				return fmt.Errorf("github does not know %s", args[0])
			}
			return nil
		},
		"directs":      s.directs,
		"reads":        s.reads,
		"press-direct": s.pressDirect,
		"topic":        s.topic,
		"away":         s.away,
		"undisturbed":  s.undisturbed,
		"push-to":      s.pushTo,
		"branch":       s.makeBranch,
		"unbranch": func(_ *testscript.TestScript, _ bool, args []string) error {
			s.GitHub.Repo("").DeleteBranch(args[0])
			return nil
		},
		// pull NUMBER TITLE [STATE]: one that is not merged.
		"pull": func(_ *testscript.TestScript, _ bool, args []string) error {
			n, err := strconv.Atoi(args[0])
			s.GitHub.Repo("").AddPull(fakegithub.Pull{Number: n, Title: args[1], Login: "bea", Head: "some-branch", State: strings.Join(args[2:], "")})
			return err
		},
		// merges NUMBER COMMIT: the pull request became that; closes NUMBER: nothing.
		"merges": func(_ *testscript.TestScript, _ bool, args []string) error {
			n, err := strconv.Atoi(args[0])
			s.GitHub.Repo("").ClosePull(n, world.Commit(args[1]))
			return err
		},
		"closes": func(_ *testscript.TestScript, _ bool, args []string) error {
			n, err := strconv.Atoi(args[0])
			s.GitHub.Repo("").ClosePull(n, "")
			return err
		},
		"slack":   s.slack,
		"jenkins": s.jenkins,
	}
}

func (s *stage) slack(_ *testscript.TestScript, _ bool, args []string) error {
	n, err := 1, error(nil)
	if len(args) > 2 && args[0] != "refuses" {
		n, err = strconv.Atoi(args[2])
	}
	switch args[0] {
	case "refuses": // METHOD ERROR: the next call
		s.Slack.Refuse(args[1], 1, args[2])
		return nil
	case "limits":
		s.Slack.RateLimit(args[1], n, 30*time.Second)
	case "fails":
		s.Slack.Fail(args[1], n, 503)
	case "loses":
		s.Slack.Lose(args[1], n)
	case "drops":
		s.Slack.DropSockets(args[1])
	case "deafens":
		return s.Slack.Deafen(0)
	default:
		return fmt.Errorf("slack does not know %s", args[0])
	}
	return err
}

func (s *stage) jenkins(_ *testscript.TestScript, _ bool, args []string) error {
	n := 0
	if len(args) > 1 {
		n, _ = strconv.Atoi(args[1])
	}
	rest := args[min(2, len(args)):]
	switch args[0] {
	case "down", "up":
		s.Jenkins.Down(args[0] == "down")
		return nil
	case "restart":
		s.Jenkins.Restart()
		return nil
	case "run": // run COMMIT [STAGE]
		from := ""
		if len(rest) > 0 {
			from = rest[0]
		}
		_, err := s.Run(world.Commit(args[1]), from, world.Promotion)
		return err
	case "run-by": // run-by USER COMMIT
		_, err := s.RunBy(args[1], world.Commit(args[2]))
		return err
	case "run-asking": // run-asking COMMIT NAME[=DEFAULT] …: a run whose input has parameters
		input := world.Promotion
		input.Parameters = parameters(rest)
		_, err := s.Run(world.Commit(args[1]), world.ToProd, input)
		return err
	case "abort":
		return s.Jenkins.AbortRun(world.Job, n, rest[0])
	case "proceed":
		return s.Jenkins.ProceedByHand(world.Job, n, rest[0], rest[1], nil)
	case "reject":
		return s.Jenkins.RejectByHand(world.Job, n, rest[0], rest[1])
	case "fail":
		return s.Jenkins.FailStage(world.Job, n, rest[0])
	case "ask": // ask RUN ID MESSAGE [NAME=DEFAULT …]: another input, first in the list
		return s.Jenkins.AddInput(world.Job, n, fakejenkins.InputSpec{ID: rest[0], Message: rest[1], Parameters: parameters(rest[2:])})
	case "unpinned": // before there are runs: they deploy what they check out
		s.Unpin()
		return nil
	case "one-at-a-time": // before there are runs: one waits until no other is left
		s.OneAtATime()
		return nil
	case "disable":
		return s.Jenkins.SetDisabled(world.Job, true)
	case "no-rebuilder": // before the world begins
		s.Jenkins.NoRebuilder = true
		return nil
	case "denies": // denies PERMISSION, before the world begins
		s.Jenkins.Denied = map[string][]string{fakejenkins.User: args[1:]}
		return nil
	}
	return fmt.Errorf("jenkins does not know %s", args[0])
}

// parameters are NAME=DEFAULT or, without a default, NAME.
func parameters(args []string) (all []fakejenkins.Parameter) {
	for _, arg := range args {
		name, value, has := strings.Cut(arg, "=")
		p := fakejenkins.Parameter{Name: name}
		if has {
			p.Default = value
		}
		all = append(all, p)
	}
	return all
}

// migration is where a migration is that a script calls model/0005_note.
func migration(name string) string {
	if app, file, ok := strings.Cut(name, "/"); ok && app == "model" {
		return world.MigrationPath(app, file)
	}
	return name
}
