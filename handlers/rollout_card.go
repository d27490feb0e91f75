package handlers

import (
	"fmt"
	"slices"

	"thbot/bot"
	"thbot/handlers/deploys"
)

// Card is the announcement, which moves on with the run.
func (r Rollout) Card(o bot.Operation, d rollout) bot.Card {
	env := d.Environment
	commit := short(d.Commit)
	run, link := d.which(), bot.To(fmt.Sprint(d.Run), d.Link)
	switch o.State {
	case following, verifying:
		return heading("Promoting "+deploys.Short(d.Commit)+" to "+env, " — "+d.By+" let it go on in Jenkins").Add(
			bot.Part{Kind: bot.Section, Text: stageLine(d.Stages)}, bot.SmallPrint("Jenkins run ", run))
	case live, settled:
		c := bot.Say(bot.Strong(title(env)+" is on"), " ", commit, brought(d))
		next, _ := r.promotedNext(d)
		switch {
		case o.State == settled:
			return c.Add(bot.Part{Kind: bot.Note, Text: append(d.Why, bot.T(" Jenkins run ", run)...)})
		case d.Newer > 0:
			return c.Add(bot.SmallPrint("Run ", link, " waits, and so does the newer run ", fmt.Sprint(d.Newer), ".", d.starter()))
		}
		return c.Add(bot.Paragraph("Run ", link, " waits to be promoted to "+next.Name+".", d.starter()), r.review(d))
	case passing:
		return bot.Say(bot.Strong(title(env)+" got"), " ", commit, d.hand(), d.After.text()).Add(bot.SmallPrint("Jenkins run ", run))
	case arrived:
		c := bot.Say(bot.Strong(title(env)+" is on"), " ", commit, brought(d))
		if d.By != "" {
			c = c.Add(bot.SmallPrint("Let go on in Jenkins by "+d.By+" · ", stageLine(d.Stages), " · Jenkins run ", run), goBack(env))
			return c
		}
		return c.Add(bot.SmallPrint("Jenkins run ", run))
	}
	c := heading("✘ The deploy of "+deploys.Short(d.Commit)+" to "+env+" did not come out", "").Add(
		bot.Paragraph(r.came(o, d), suspects(d)), bot.SmallPrint(stageLine(d.Stages), " · Jenkins run ", run))
	if d.By == "" {
		return c
	}
	return c.Add(goBack(env))
}

// which is the run, with who started it, if somebody did by hand.
func (d rollout) which() bot.Text {
	t := bot.T(bot.To(fmt.Sprint(d.Run), d.Link))
	if d.StartedBy != "" {
		t = append(t, bot.Span{Text: ", started by " + d.StartedBy})
	}
	return t
}

// starter is a sentence about who started the run by hand, or nothing.
func (d rollout) starter() string {
	if d.StartedBy == "" {
		return ""
	}
	return " " + d.StartedBy + " started it in Jenkins."
}

// short is a commit as a card has it; one that cannot be told is said so.
func short(commit string) bot.Span {
	if commit == "" {
		return bot.Span{Text: "a commit that the run does not tell"}
	}
	return bot.Fixed(deploys.Short(commit))
}

// brought says how many commits by whom: " — 4 commits by bea and dov".
func brought(d rollout) bot.Text {
	switch {
	case d.Back > 0:
		return bot.T(" — back: ", bot.To(bot.Count(d.Back, "commit", "commits"), d.Compare), " taken out")
	case d.Ahead == 0:
		return nil
	}
	return bot.T(" — ", bot.To(bot.Count(d.Ahead, "commit", "commits"), d.Compare), " by "+people(d.Authors))
}

// came says what came of a deploy that went wrong, and what is true now.
func (r Rollout) came(o bot.Operation, d rollout) bot.Text {
	if o.State == notLive {
		serves := bot.T(" It has not said what it serves.")
		if d.Serves != "" {
			serves = bot.T(" It serves ", bot.Fixed(deploys.Short(d.Serves)), ".")
		}
		return bot.T("Jenkins says that it is deployed, but ", bot.To(d.Host, d.URL), " does not serve ", short(d.Commit), ".", serves)
	}
	return d.Why
}

func (r Rollout) sayUnder(o bot.Operation, d rollout) []bot.Post {
	if len(d.Under) == 0 {
		return nil
	}
	t := bot.T("⚠ "+d.By+" let run ", bot.To(fmt.Sprint(d.Run), d.Link), " go on in Jenkins, past this: ", sentences(d.Under), " ", mentions(d.Owners))
	return []bot.Post{{Key: "under", Class: bot.Final, Card: bot.Say(t)}}
}

// hand says who let it go on, if somebody had to.
func (d rollout) hand() string {
	if d.By == "" {
		return ""
	}
	return " (let go on in Jenkins by " + d.By + ")"
}

// mostSuspects is how many authors are named of a deploy that failed.
const mostSuspects = 10

// sayEnd tells the end as a new message where somebody wanted it, or where it
// went wrong. A deploy that an environment makes by itself is told by its card.
func (r Rollout) sayEnd(o bot.Operation, d rollout) []bot.Post {
	var posts []bot.Post
	switch {
	case o.State == arrived && d.By == "":
		return r.sayElsewhere(o, d)
	case o.State == arrived && d.Ahead == 0:
		posts = append(posts, bot.Post{Key: "end", Class: bot.Final, Card: bot.Say("✔ "+title(d.Environment)+" is now on ", short(d.Commit),
			brought(d), d.hand(), ".")})
	case o.State == arrived:
		posts = append(posts, bot.Post{Key: "end", Class: bot.Final, Card: bot.Say("✔ "+title(d.Environment)+" is now on ", short(d.Commit),
			" (", bot.Count(d.Ahead, "commit", "commits"), ", let go on in Jenkins by "+d.By+"). Authors: ", byline(d.People, d.Authors, shownAuthors))})
	case o.State == passing:
		posts = append(posts, bot.Post{Key: "end", Class: bot.Final, Card: bot.Say("✔ "+title(d.Environment)+" got ", short(d.Commit), d.hand(), d.After.text())})
	default:
		posts = append(posts, bot.Post{Key: "end", Class: bot.Final, Card: bot.Say("✘ The deploy of ", short(d.Commit), " to "+d.Environment+
			" did not come out. ", r.came(o, d), suspects(d))})
	}
	env, _ := r.Environments.Named(d.Environment)
	others := elsewhere(env, posts[0].Card.Line, mentionable(d.People)...)
	if d.By == "" {
		posts = nil // its card is new, and says so
	}
	return append(append(posts, others...), logPost(o, d.Log)...)
}

// suspects are the authors of what a failed deploy would have brought.
func suspects(d rollout) bot.Text {
	if len(d.Authors) == 0 {
		return nil
	}
	return bot.T(" Suspects: ", byline(d.People, d.Authors, mostSuspects))
}

// sayElsewhere tells further channels of a deploy whose card tells this one.
func (r Rollout) sayElsewhere(_ bot.Operation, d rollout) []bot.Post {
	env, _ := r.Environments.Named(d.Environment)
	return elsewhere(env, bot.T("✔ "+title(d.Environment)+" is now on ", short(d.Commit), brought(d), "."))
}

// elsewhere tells further channels how a deploy ended: without buttons, and
// with the names of those whom it notifies here.
func elsewhere(env deploys.Environment, line bot.Text, named ...bot.Person) (posts []bot.Post) {
	var plain bot.Text
	for _, s := range line {
		if s.Style == bot.Mention {
			at := slices.IndexFunc(named, func(p bot.Person) bool { return p.ID == s.Text })
			if at < 0 {
				continue
			}
			s = bot.Span{Text: named[at].Name}
		}
		plain = append(plain, s)
	}
	for _, channel := range env.Announce.Channels {
		posts = append(posts, bot.Post{Key: "to-" + channel, Class: bot.Final, To: bot.Place{Channel: channel}, Card: bot.Say(plain)})
	}
	return posts
}

// logPost shows the end of a log in the thread of the operation's message.
func logPost(o bot.Operation, lines []string) []bot.Post {
	if len(lines) == 0 {
		return nil
	}
	list := bot.Part{Kind: bot.List}
	for _, line := range lines {
		list.Items = append(list.Items, bot.T(bot.Fixed(line)))
	}
	card := bot.Card{Line: bot.T("The end of the log")}.Add(bot.Paragraph("The end of the log:"), list)
	return []bot.Post{{Key: "log", Class: bot.Progress, To: bot.Place{Channel: o.Channel, Under: o.ID + "/card"}, Card: card}}
}
