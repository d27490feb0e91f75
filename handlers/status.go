package handlers

import (
	"context"
	"sync"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
)

// Status says what the deployed apps serve, as they say themselves at that
// moment. One that does not answer does not blank the others.
type Status struct {
	Environments deploys.Environments
	Apps         apps
	GitHub       interface{ CommitURL(sha string) string }
	Ledger       reading
}

func (s Status) Info() bot.Info {
	return bot.Info{
		Name: "status", Does: "Says which commit is live.", Who: "anyone",
		Args:     []bot.Arg{{Name: "environment", Doc: "an environment", Example: "prod", Optional: true, Words: s.Environments.Words()}},
		Examples: []string{"status", "status prod"},
		Wait:     "Asking the apps what they serve…",
		Menu:     "What is live?", MenuText: "status",
	}
}

func (s Status) Answer(ctx context.Context, r bot.Request) (bot.Card, error) {
	asked := s.Environments
	if name, ok := r.Args["environment"]; ok {
		env, _ := s.Environments.Named(name)
		asked = deploys.Environments{env}
	}
	lines := make([]bot.Text, len(asked))
	var all sync.WaitGroup
	for i, env := range asked {
		all.Go(func() {
			serves, err := s.Apps.Version(ctx, env.URL)
			if err != nil {
				lines[i] = bot.T("⚠ ", bot.Strong(env.Title()), " does not say what it serves: ", bot.To(env.Host(), env.URL), " gives no usable answer")
				return
			}
			lines[i] = bot.T(bot.Strong(env.Title()), " serves ", bot.To(deploys.Short(serves), s.GitHub.CommitURL(serves)), " · ", bot.To(env.Host(), env.URL))
		})
	}
	all.Wait()
	guards := s.guards(ctx, asked)
	card := bot.Card{Line: lines[0]}
	if len(lines) > 1 {
		card.Line = bot.T("What is live")
	}
	card = card.Add(bot.Part{Kind: bot.List, Items: lines})
	if len(guards) > 0 {
		card = card.Add(bot.Part{Kind: bot.List, Items: guards})
	}
	card = card.Add(bot.SmallPrint("Read from the apps just now."))
	if !r.Share {
		text := "status"
		if len(asked) == 1 {
			text += " " + asked[0].Name
		}
		card = card.Add(bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{{Label: "Post to channel", Verb: bot.VerbShare, Value: text}}})
	}
	return card, nil
}

// ahead is how long before a freeze begins it is told.
const ahead = 7 * 24 * time.Hour

// guards says what stops changes of these environments, and what will soon.
func (s Status) guards(ctx context.Context, asked deploys.Environments) (lines []bot.Text) {
	err := s.Ledger.View(ctx, func(v bot.View) error {
		lines = nil
		promoted := false
		for _, env := range asked {
			promoted = promoted || env.Promoted()
			stops, err := obstacles(v, env, func(hold) bool { return false })
			if err != nil {
				return err
			}
			for _, o := range stops {
				lines = append(lines, bot.T("⚠ ", o.Text))
			}
			for _, f := range env.Freezes {
				from, to, ok := f.Next(v.Now())
				if ok && from.Sub(v.Now()) < ahead {
					lines = append(lines, bot.T(env.Title()+" will be frozen from ", bot.Date(from), " until ", bot.Date(to), ": “"+f.Reason+"”"))
				}
			}
		}
		if !promoted {
			return nil
		}
		held, err := holds(v)
		for _, h := range held {
			lines = append(lines, bot.T("⚠ "+h.owner.Name+" holds ", bot.To(deploys.Short(h.commit), s.GitHub.CommitURL(h.commit)), " back: “"+h.reason+"”"))
		}
		return err
	})
	if err != nil {
		return append(lines, bot.T("⚠ Whether something is locked or held back cannot be read right now."))
	}
	return lines
}
