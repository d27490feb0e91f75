package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"thbot/integrations/slack/fakeslack"
)

// pretend is an app that does what the bot does not do yet, so that the page
// has all that Slack has: every command opens a modal, which wants more than
// three letters and opens another on top of it on the press of a button.
type pretend struct {
	*slack.Client
	submitted chan string
}

// form is a modal with an input of every sort that matters.
func form(title string) slack.ModalViewRequest {
	plain := func(text string) *slack.TextBlockObject {
		return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
	}
	option := func(value, label string) *slack.OptionBlockObject {
		return slack.NewOptionBlockObject(value, plain(label), nil)
	}
	why := slack.NewInputBlock("why", plain("Why"), plain("It is shown to everybody."), slack.NewPlainTextInputBlockElement(plain("a reason"), "text"))
	where := slack.NewInputBlock("where", plain("Where"), nil, slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plain("an environment"), "app", option("prod", "production"), option("stage", "stage")))
	who := slack.NewInputBlock("who", plain("With whom"), nil, slack.NewOptionsSelectBlockElement(slack.OptTypeUser, plain("somebody"), "person"))
	who.Optional = true
	lines := slack.NewPlainTextInputBlockElement(plain("what they should know"), "lines")
	lines.Multiline, lines.MaxLength = true, 40
	details := slack.NewInputBlock("details", plain("Details"), nil, lines)
	details.Optional = true
	when := slack.NewInputBlock("when", plain("When"), nil, slack.NewRadioButtonsBlockElement("time", option("now", "At once"), option("later", "Later")))
	more := slack.NewActionBlock("more", slack.NewButtonBlockElement("again", "1", plain("Another")))
	return slack.ModalViewRequest{Type: slack.VTModal, Title: plain(title), Submit: plain("Freeze"), Close: plain("Never mind"), CallbackID: "freeze",
		Blocks: slack.Blocks{BlockSet: []slack.Block{why, where, who, when, details, more}}}
}

// takeOver kills the bot of w and connects the app in its stead.
func takeOver(t *testing.T, w window) pretend {
	t.Helper()
	w.turn("kill")
	w.await("its sockets are gone", func() bool { return w.world().Bot.Sockets == 0 })
	api := slack.New(fakeslack.DefaultBotToken, slack.OptionAPIURL(w.box.now().URL("slack")+"api/"), slack.OptionAppLevelToken(fakeslack.DefaultAppToken))
	p := pretend{api, make(chan string, 1)}
	client := socketmode.New(api)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{}, 2)
	t.Cleanup(func() { cancel(); <-ended; <-ended })
	go func() { _ = client.RunContext(ctx); ended <- struct{}{} }()
	go func() {
		defer func() { ended <- struct{}{} }()
		for {
			select {
			case e := <-client.Events:
				if e.Request != nil && e.Request.EnvelopeID != "" { // hello has none
					p.react(t, client, e)
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	w.await("the app has connected", func() bool { return w.world().Bot.Sockets > 0 })
	return p
}

func (p pretend) react(t *testing.T, client *socketmode.Client, e socketmode.Event) {
	var answer []any
	var err error
	switch data := e.Data.(type) {
	case slack.SlashCommand:
		_, err = p.OpenView(data.TriggerID, form("Freeze deploys"))
	case slack.InteractionCallback:
		switch data.Type {
		case slack.InteractionTypeBlockActions:
			if a := data.ActionCallback.BlockActions[0]; a.ActionID == "again" {
				_, err = p.PushView(data.TriggerID, form("Once more"))
			} else {
				_, _, err = p.PostMessage(data.User.ID, slack.MsgOptionText("You used "+a.ActionID, false))
			}
		case slack.InteractionTypeViewSubmission:
			values := data.View.State.Values
			if why := values["why"]["text"].Value; len(why) < 4 {
				answer = append(answer, slack.NewErrorsViewSubmissionResponse(map[string]string{"why": "That is too short to be a reason."}))
			} else {
				p.submitted <- fmt.Sprint(why, " ", values["where"]["app"].SelectedOption.Value, " ", values["who"]["person"].SelectedUser, " ", values["when"]["time"].SelectedOption.Value, " ", values["details"]["lines"].Value)
			}
		}
	}
	if err != nil {
		t.Error(err)
	}
	if err := client.Ack(*e.Request, answer...); err != nil {
		t.Error(err)
	}
}
