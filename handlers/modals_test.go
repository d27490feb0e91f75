package handlers_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"thbot/integrations/slack/fakeslack"
)

// modals are the commands by which people use windows.
func (s *stage) modals() map[string]command {
	return map[string]command{
		// modal PERSON prints the window that they have open.
		"modal": func(ts *testscript.TestScript, _ bool, args []string) error {
			_, v, err := s.window(args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(ts.Stdout(), drawn(v))
			return err
		},
		// submit PERSON [FIELD=VALUE …] fills in that window and sends it; a
		// person is @NAME.
		"submit": func(_ *testscript.TestScript, _ bool, args []string) error {
			who, v, err := s.window(args[0])
			if err != nil {
				return err
			}
			inputs := map[string][]string{}
			for _, arg := range args[1:] {
				field, value, _ := strings.Cut(arg, "=")
				if name, ok := strings.CutPrefix(value, "@"); ok {
					if value, err = person(name); err != nil {
						return err
					}
				}
				inputs[field] = []string{strings.ReplaceAll(value, `\n`, "\n")}
			}
			s.note("%s sends %s", args[0], v.Title)
			_, err = s.Slack.Submit(who, v.ID, inputs)
			return err
		},
		// closes-modal PERSON closes it.
		"closes-modal": func(_ *testscript.TestScript, _ bool, args []string) error {
			who, v, err := s.window(args[0])
			if err != nil {
				return err
			}
			s.note("%s closes %s", args[0], v.Title)
			_, err = s.Slack.CloseView(who, v.ID, true)
			return err
		},
		// shows PERSON LABEL presses a button of a direct message that opens a window.
		"shows": s.pressDirect,
	}
}

// window is the one that somebody has on top.
func (s *stage) window(name string) (who string, v fakeslack.View, err error) {
	if who, err = person(name); err != nil {
		return who, v, err
	}
	open := s.Slack.View(who)
	if len(open) == 0 {
		return who, v, fmt.Errorf("%s has no window open", name)
	}
	return who, open[len(open)-1], nil
}

// drawn is a window as a transcript shows it.
func drawn(v fakeslack.View) string {
	lines := []string{"== " + v.Title + " ==", v.Plain}
	for _, field := range slices.Sorted(maps.Keys(v.Errors)) {
		lines = append(lines, "! "+field+": "+v.Errors[field])
	}
	if v.Warning != "" {
		lines = append(lines, "! "+v.Warning)
	}
	if v.Submit != "" {
		lines = append(lines, "["+v.Submit+"]")
	}
	return strings.Join(append(lines, "["+v.Close+"]"), "\n")
}
