package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"

	"thbot/bot"
)

// Filing presses a button of the preview of a request, which only its asker
// sees. Nobody types it.
type Filing struct{ Ledger reading }

// What can be pressed on a preview.
const (
	fileIt  = "file"
	fileNot = "drop"
)

var aDraft = regexp.MustCompile(`^[0-9a-f]{16}$`)

func (f Filing) Info() bot.Info {
	return bot.Info{
		Name: "filing", Does: "Files a request, or does not.", Who: "who asked", Unlisted: true,
		Args: []bot.Arg{
			{Name: "answer", Doc: "an answer", Example: fileIt, Words: []bot.Word{{Name: fileIt}, {Name: fileNot}}},
			{Name: "draft", Doc: "a preview", Example: "0123456789abcdef", Check: func(v string) string {
				if !aDraft.MatchString(v) {
					return "is not the name of a preview"
				}
				return ""
			}},
		},
		Examples: []string{"filing " + fileIt + " 0123456789abcdef"},
		Wait:     "One moment…",
	}
}

// mostPreviews is how far back a preview is looked for.
const mostPreviews = 50

func (f Filing) Press(ctx context.Context, r bot.Request) (pressed bot.Forward, err error) {
	err = f.Ledger.View(ctx, func(v bot.View) error {
		mine, err := v.History(bot.History{Kinds: []string{"request"}, Person: r.Person, Limit: mostPreviews})
		for _, o := range mine {
			var d requesting
			if err := json.Unmarshal(o.Data, &d); err != nil {
				return fmt.Errorf("reading request %s: %w", o.ID, err)
			}
			if d.Draft == r.Args["draft"] {
				pressed = bot.Forward{Operation: o.ID, Verb: r.Args["answer"]}
				return nil
			}
		}
		if err == nil {
			err = bot.Refuse("I do not know this preview any more, so nothing was filed. Send ", bot.Fixed("/th request"), " again.")
		}
		return err
	})
	return pressed, err
}
