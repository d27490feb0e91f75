package handlers

import (
	"context"
	"sync"

	"thbot/bot"
	"thbot/handlers/deploys"
)

// Status says what the deployed apps serve, as they say themselves at that
// moment. One that does not answer does not blank the others.
type Status struct {
	Environments deploys.Environments
	Apps         apps
	GitHub       interface{ CommitURL(sha string) string }
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
	card := bot.Card{Line: lines[0]}
	if len(lines) > 1 {
		card.Line = bot.T("What is live")
	}
	card = card.Add(bot.Part{Kind: bot.List, Items: lines}, bot.SmallPrint("Read from the apps just now."))
	if !r.Share {
		text := "status"
		if len(asked) == 1 {
			text += " " + asked[0].Name
		}
		card = card.Add(bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{{Label: "Post to channel", Verb: bot.VerbShare, Value: text}}})
	}
	return card, nil
}
