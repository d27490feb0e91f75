package handlers

import (
	"context"
	"strings"

	"thbot/bot"
)

// me begins, or ends, that somebody is mentioned when commits of theirs go out.
// It concerns nobody else, so the channel does not hear of it. That somebody
// wants it is that they hold a scope.
func (n Notify) me(ctx context.Context, r bot.Request, word string) (plan bot.Plan[notice], err error) {
	if r.Args["environment"] != "" {
		return plan, bot.Refuse("Mentions are not for one environment alone, so nothing was changed. It is ", bot.Fixed("/th notify me "+word), ".")
	}
	scope := notifyScopes + r.Person
	var already string
	err = n.Ledger.View(ctx, func(v bot.View) (err error) {
		already, err = v.Holder(scope)
		return err
	})
	if err != nil {
		return plan, err
	}
	var answer bot.Card
	switch {
	case word == "off" && already == "":
		return plan, bot.Refuse("I do not mention you, so there is nothing to end. ", bot.Fixed("/th notify me on"), " begins it.")
	case word == "off":
		answer = bot.Say("I do not mention you any more when commits of yours go out.")
		return bot.Plan[notice]{Answer: &answer, Press: &bot.Forward{Operation: already, Verb: "off"}}, nil
	case already != "":
		answer, err = n.explain(ctx, r.Person, "I mention you already")
		return bot.Plan[notice]{Answer: &answer}, err
	}
	answer, err = n.explain(ctx, r.Person, "I will mention you")
	return bot.Plan[notice]{Answer: &answer, Begin: &notice{}, First: mentioned, Scopes: []string{scope}, Take: true}, err
}

// explain says when somebody is mentioned, and by what their commits are known.
func (n Notify) explain(ctx context.Context, person, begins string) (bot.Card, error) {
	m, err := n.Who.directory.Member(ctx, person, known)
	if err != nil {
		return bot.Card{}, err
	}
	c := bot.Say(begins + " in the channel when commits of yours have gone out to " + n.environment("").Name + ", or were in a deploy that failed.")
	var by []bot.Text
	if logins := n.Who.called(person); len(logins) > 0 {
		by = append(by, bot.T("the GitHub login ", bot.Fixed(strings.Join(logins, ", "))))
	}
	if m.Email != "" {
		by = append(by, bot.T("the e-mail address ", bot.Fixed(m.Email)))
	}
	add := bot.T("whoever runs me can add your GitHub login to ", bot.Fixed("people"), " in my configuration: ", bot.Fixed("people: {your-login: "+person+"}"))
	switch len(by) {
	case 0:
		c = c.Add(bot.Paragraph("⚠ But I cannot tell which commits are yours: Slack shows me no e-mail address of yours. ", add, "."))
	case 1:
		c = c.Add(bot.Paragraph("Yours are those with ", by[0], ". If yours have another, ", add, "."))
	default:
		c = c.Add(bot.Paragraph("Yours are those with ", by[0], " or ", by[1], "."))
	}
	return c.Add(bot.SmallPrint(bot.Fixed("/th notify me off"), " ends it.")), nil
}
