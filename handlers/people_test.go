package handlers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"thbot/bot"
	"thbot/cmd/sandbox/world"
	"thbot/integrations/ledger"
)

// peoples are the commands by which people act, and the bot comes and goes.
func (s *stage) peoples() map[string]command {
	return map[string]command{
		// usual makes the usual world and starts the bot; empty only starts it.
		"usual": func(_ *testscript.TestScript, _ bool, _ []string) error {
			if err := s.Usual(); err != nil {
				return err
			}
			return s.start()
		},
		"start": func(_ *testscript.TestScript, _ bool, _ []string) error { return s.start() },
		"quit":  func(_ *testscript.TestScript, _ bool, _ []string) error { s.stop(); return nil },
		// configure OLD NEW changes the configuration, for the next start.
		"configure": func(_ *testscript.TestScript, _ bool, args []string) error {
			for _, arg := range args {
				s.edits = append(s.edits, strings.ReplaceAll(arg, `\n`, "\n"))
			}
			return nil
		},
		// say PERSON TEXT types it; elsewhere CHANNEL PERSON TEXT does so in another channel.
		"say": func(_ *testscript.TestScript, _ bool, args []string) error {
			who, err := person(args[0])
			if err != nil {
				return err
			}
			s.note("%s: %s", args[0], args[1])
			_, err = s.Slack.Say(who, world.Channel, args[1])
			return err
		},
		"elsewhere": func(_ *testscript.TestScript, _ bool, args []string) error {
			who, err := person(args[1])
			if err != nil {
				return err
			}
			_, err = s.Slack.Say(who, args[0], args[2])
			if err != nil {
				return err
			}
			synctest.Wait()
			s.note("%s in %s: %s", args[1], args[0], args[2])
			for _, m := range s.Slack.Messages(who, args[0]) {
				s.note("%s", m.Render())
			}
			return nil
		},
		// press PERSON LABEL [PERSON …] lets them press at the same moment.
		"press": func(_ *testscript.TestScript, _ bool, args []string) error {
			first, err := person(args[0])
			if err != nil {
				return err
			}
			b, err := s.find(first, args[1])
			if err != nil {
				return err
			}
			for _, name := range append([]string{args[0]}, args[2:]...) {
				s.note("%s presses %s", name, args[1])
				if err := s.press(name, b); err != nil {
					return err
				}
			}
			return nil
		},
		// keep LABEL [PERSON] remembers a button that is shown now; again PERSON presses it,
		// as somebody whose screen still shows it.
		"keep": func(_ *testscript.TestScript, _ bool, args []string) (err error) {
			who := "U0ANA"
			if len(args) > 1 {
				if who, err = person(args[1]); err != nil {
					return err
				}
			}
			s.kept, err = s.find(who, args[0])
			return err
		},
		"again": func(_ *testscript.TestScript, _ bool, args []string) error {
			who, err := person(args[0])
			if err != nil {
				return err
			}
			s.note("%s presses the button of before", args[0])
			_, err = s.Slack.PressStale(who, world.Channel, s.kept.message, s.kept.action, s.kept.value)
			return err
		},
		// dies PERSON LABEL-OR-COMMAND ends the bot, with that in its ledger and
		// acknowledged, but not yet judged.
		"dies": func(_ *testscript.TestScript, _ bool, args []string) error {
			who, err := person(args[0])
			if err != nil {
				return err
			}
			r := bot.Received{Key: fmt.Sprint("T0FAKE:", time.Now().UnixNano(), args)}
			if strings.HasPrefix(args[1], "/th ") {
				s.note("%s: %s", args[0], args[1])
				r.Request = &bot.Request{Key: r.Key, Person: who, Channel: world.Channel, Text: args[1][4:]}
			} else {
				b, err := s.find(who, args[1])
				if err != nil {
					return err
				}
				s.note("%s presses %s", args[0], args[1])
				if b.action == bot.VerbSay {
					r.Request = &bot.Request{Key: r.Key, Person: who, Channel: world.Channel, Text: b.value}
				} else {
					r.Press = &bot.Press{Key: r.Key, Person: who, Channel: world.Channel, Message: b.message, Verb: b.action, Value: b.value}
				}
			}
			if s.stop != nil {
				s.stop()
			}
			return s.write(func(tx bot.Tx) error {
				r.At, r.Due = tx.Now(), tx.Now()
				return tx.AddReceived(r)
			})
		},
		// spoil SCOPE ends the bot and makes unreadable what it remembers of the
		// operation that has a scope that begins so.
		"spoil": func(_ *testscript.TestScript, _ bool, args []string) error {
			if s.stop != nil {
				s.stop()
			}
			return s.write(func(tx bot.Tx) error {
				held, err := tx.Holders(args[0])
				if err != nil || len(held) != 1 {
					return fmt.Errorf("%s is held %d times: %w", args[0], len(held), err)
				}
				o, err := tx.Operation(held[0].Operation)
				if err != nil {
					return err
				}
				o.Data = json.RawMessage(`["what is this"]`)
				return tx.SaveOperation(o)
			})
		},
		// rush lets the next command happen at the same moment as the one after it.
		"rush": func(_ *testscript.TestScript, _ bool, _ []string) error { s.rush = 2; return nil },
		// twice makes Slack deliver the next envelope twice.
		"twice": func(_ *testscript.TestScript, _ bool, _ []string) error { s.Slack.Duplicate(1); return nil },
		// later lets time pass.
		"later": func(_ *testscript.TestScript, _ bool, args []string) error {
			d, err := time.ParseDuration(args[0])
			<-time.After(d)
			s.note("-- %s later", args[0])
			return err
		},
	}
}

// note adds a line of our own to the transcript.
func (s *stage) note(f string, args ...any) { s.heard = append(s.heard, fmt.Sprintf(f, args...)) }

// write changes the ledger of a bot that has ended.
func (s *stage) write(f func(tx bot.Tx) error) error {
	store, err := ledger.Open(context.Background(), ledger.Options{URL: "sqlite:" + filepath.Join(s.dir, "thbot.db")})
	if err != nil {
		return err
	}
	return errors.Join(store.Do(context.Background(), f), store.Close())
}
