package handlers

import (
	"context"
	"regexp"
	"strings"

	"thbot/bot"
)

// Answer presses a button of a page: of the preview, which only its asker sees,
// or of one of the messages that it went out with. Nobody types it.
type Answer struct{ Ledger reading }

var aPage = regexp.MustCompile(`^[0-9a-z]{26}$`)

func (a Answer) Info() bot.Info {
	var words []bot.Word
	for _, w := range []string{pageNow, pageDrop, pageOnIt, pageNext, pageOver, pageNever} {
		words = append(words, bot.Word{Name: w})
	}
	return bot.Info{
		Name: "answer", Does: "Answers a page.", Who: "whoever is paged, backups, cloudOps, and who asked", Unlisted: true, Guests: true, Honoured: true,
		Args: []bot.Arg{
			{Name: "answer", Doc: "an answer", Example: pageOnIt, Words: words},
			{Name: "page", Doc: "a page", Example: "01jabcdefghjkmnpqrstvwxyz0", Optional: true, Check: func(v string) string {
				if !aPage.MatchString(v) {
					return "is not the id of a page"
				}
				return ""
			}},
		},
		Examples: []string{"answer " + pageNow},
		Wait:     "One moment…",
	}
}

func (a Answer) Press(ctx context.Context, r bot.Request) (f bot.Forward, err error) {
	f = bot.Forward{Operation: strings.ToUpper(r.Args["page"]), Verb: r.Args["answer"]}
	err = a.Ledger.View(ctx, func(v bot.View) error {
		if f.Operation != "" {
			o, err := v.Operation(f.Operation)
			if err == nil && o.Kind != "page" {
				err = bot.Refuse("That is no page. Nothing was done.")
			}
			return err
		}
		mine, err := pages(v, r.Person)
		for _, o := range mine {
			if f.Operation == "" && (o.State == asking || o.End != "") {
				f.Operation = o.ID // a question that is over says so itself
			}
		}
		if err == nil && f.Operation == "" {
			err = bot.Refuse("You have not asked for a page, so nobody was paged.")
		}
		return err
	})
	return f, err
}
