package handlers

import (
	"context"
	"fmt"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/integrations/jenkins"
)

// Abort ends the promotion that is running: one of the bot's own by pressing
// its [Abort run], one that was begun in Jenkins by ending the run.
type Abort struct {
	Environments deploys.Environments
	Jenkins      promoting
	Ledger       reading
	Times        Times
}

// abortion is what an abort remembers.
type abortion struct {
	Environment string
	Operation   string // the bot's own promotion; empty: begun in Jenkins
	By          string // whose that is
	Job         string
	Run         int
	Link        string
	Carries     string
	Result      string
	Early       bool     // it had ended before Jenkins was told to end it
	Why         bot.Text // Jenkins does not let us
}

const (
	handed   bot.State = "handed" // to the promotion itself
	stopping bot.State = "stop"
	runEnded bot.State = "ended"
	passed   bot.State = "passed" // there is nothing to abort any more
)

func (a Abort) Info() bot.Info {
	return bot.Info{
		Name: "abort", Does: "Aborts the promotion that is running.",
		Who:      "anyone can ask; " + bot.Admins.Title() + " or " + bot.CloudOps.Title() + " confirms",
		Args:     []bot.Arg{{Name: "environment", Doc: "an environment", Example: "prod", Words: a.Environments.Words()}},
		Examples: []string{"abort prod"},
		Wait:     "Looking at what is running…",
	}
}

func (a Abort) Plan(ctx context.Context, r bot.Request) (plan bot.Plan[abortion], err error) {
	env, _ := a.Environments.Named(r.Args["environment"])
	if !env.Promoted() {
		return plan, bot.Refuse(env.Title(), " is not promoted. "+env.Deploys+" There is nothing of mine to abort.")
	}
	d := abortion{Environment: env.Name, Job: env.Pipeline.Job}
	var o bot.Operation
	var p promotion
	err = a.Ledger.View(ctx, func(v bot.View) error {
		id, err := v.Holder(env.Scope())
		if err != nil || id == "" {
			return err
		}
		if o, err = v.Operation(id); err != nil {
			return err
		}
		p, err = remembered(o)
		return err
	})
	switch {
	case err != nil:
		return plan, err
	case o.ID != "" && o.State != following && o.State != goesOn && o.State != pausing:
		return plan, bot.Refuse("The promotion of ", bot.Fixed(deploys.Short(p.To)), ", confirmed by "+names(o.Confirmers())+
			", is at a point where there is nothing to abort. Nothing was done; look at it, and ask again in a moment.")
	case o.ID != "":
		d.Operation, d.By, d.Run, d.Link, d.Carries = o.ID, names(o.Confirmers()), p.Run, p.Link, p.To
	default:
		found, err := a.byHand(ctx, env, &d)
		if err != nil {
			return plan, err
		}
		if !found {
			return plan, bot.Refuse("Nothing is being promoted to " + env.Name + ", so there is nothing to abort.")
		}
	}
	return bot.Plan[abortion]{Begin: &d, First: asking, Asking: "ask/abort/" + env.Name, About: env.Name}, nil
}

// byHand looks for a run that was let go on in Jenkins and is deploying.
func (a Abort) byHand(ctx context.Context, env deploys.Environment, d *abortion) (bool, error) {
	runs, err := a.Jenkins.Runs(ctx, env.Pipeline.Job)
	if err != nil {
		return false, err
	}
	for _, r := range runs.Runs {
		if !r.Building || len(r.Approvers) == 0 {
			continue
		}
		d.Run, d.Link, d.By = r.Number, a.Jenkins.RunURL(d.Job, r.Number), r.Approvers[len(r.Approvers)-1]
		d.Carries, _ = env.Pipeline.CommitFrom.Commit(r) // only decorates
		return true, nil
	}
	return false, nil
}

func (a Abort) Steps() map[bot.State]bot.Step[abortion] {
	return map[bot.State]bot.Step[abortion]{
		asking: {
			Ask: func(_ bot.Operation, d abortion) bot.Question {
				yes := bot.Button{Verb: abortIt, Label: "Abort run", Tone: bot.Danger, May: stoppers, To: stopping, Dialog: fmt.Sprintf("Abort run %d?", d.Run)}
				if d.Operation != "" {
					yes.To, yes.Press = handed, &bot.Forward{Operation: d.Operation, Verb: abortIt}
				}
				return bot.Question{Note: bot.Admins.Title() + " or " + bot.CloudOps.Title() + " can confirm", Buttons: []bot.Button{
					yes, {Verb: "cancel", Label: "Let it run", May: bot.Policy{Roles: stoppers.Roles, Asker: true}, To: cancelled},
				}}
			},
			Look: a.over, Every: a.Times.Follow, GiveUp: bot.After[abortion](20 * time.Minute), Lapse: expired,
		},
		stopping:  {Look: a.ended, Act: a.stop, Refused: unstopped, Every: a.Times.Follow, GiveUp: bot.After[abortion](stoppable), Lapse: unstopped},
		handed:    {End: bot.Done},
		runEnded:  {End: bot.Done, Say: a.say},
		unstopped: {End: bot.Failed, Say: a.say},
		cancelled: {End: bot.Cancelled},
		expired:   {End: bot.Expired},
		passed:    {End: bot.Outdated},
	}
}

// over looks whether there is still something to ask about.
func (a Abort) over(ctx context.Context, _ bot.Operation, d *abortion) (bot.Next, error) {
	over := false
	var err error
	if d.Operation == "" {
		var r jenkins.Run
		r, err = a.Jenkins.Run(ctx, d.Job, d.Run)
		over = !r.Building
	} else {
		err = a.Ledger.View(ctx, func(v bot.View) error {
			o, err := v.Operation(d.Operation)
			over = o.End != ""
			return err
		})
	}
	if err != nil || !over {
		return bot.Next{}, err
	}
	return bot.Next{To: passed, Note: "the promotion has ended"}, nil
}

func (a Abort) ended(ctx context.Context, o bot.Operation, d *abortion) (bot.Next, error) {
	r, err := a.Jenkins.Run(ctx, d.Job, d.Run)
	if err != nil || r.Building {
		return bot.Next{}, err
	}
	d.Result, d.Early = r.Result, o.Acts == 0
	return bot.Next{To: runEnded, Note: "the run has ended with " + r.Result}, nil
}

func (a Abort) stop(ctx context.Context, o bot.Operation, d *abortion) error {
	err := stopRun(ctx, a.Jenkins, o, d.Job, d.Run)
	d.Why = notLet(err, bot.To(fmt.Sprint(d.Run), d.Link))
	return err
}

// late says whether the run ended by itself.
func (d abortion) late() bool { return d.Early || d.Result == jenkins.Success }

func (a Abort) Card(o bot.Operation, d abortion) bot.Card {
	link := bot.To(fmt.Sprint(d.Run), d.Link)
	what := bot.T("Run ", link, " promotes ", bot.Fixed(deploys.Short(d.Carries)), " to "+d.Environment+"; "+d.By+" let it go on.")
	switch o.State {
	case asking:
		return heading("Abort the promotion to "+d.Environment+"?", " asked by "+o.Asked.Name).Add(bot.Part{Kind: bot.Section, Text: what})
	case cancelled:
		return heading("The promotion to "+d.Environment+" goes on", ", says "+o.Decided().Person.Name).Add(bot.Part{Kind: bot.Note, Text: what})
	case expired:
		return heading("The promotion to "+d.Environment+" was not aborted", "; nobody confirmed in time").Add(bot.Part{Kind: bot.Note, Text: what})
	case passed:
		return heading("The promotion to "+d.Environment+" has ended", "; there is nothing to abort any more").Add(bot.Part{Kind: bot.Note, Text: what})
	case handed:
		return heading("Aborting the promotion to "+d.Environment, " confirmed by "+o.Decided().Person.Name).Add(
			bot.SmallPrint("Its own message says how that goes. Jenkins run ", link))
	case stopping:
		return heading("Aborting the promotion to "+d.Environment, " confirmed by "+o.Decided().Person.Name).Add(
			bot.Part{Kind: bot.Section, Text: what}, bot.Paragraph("Waiting until Jenkins has ended the run."))
	case unstopped:
		return heading("The promotion to "+d.Environment+" could not be aborted", "").Add(bot.Part{Kind: bot.Section, Text: what})
	}
	if d.late() {
		return heading("The promotion to "+d.Environment+" was not aborted", "; its run had ended already, with "+d.Result).Add(bot.Part{Kind: bot.Note, Text: what})
	}
	return heading("The promotion to "+d.Environment+" was aborted", " by "+o.Decided().Person.Name).Add(bot.Part{Kind: bot.Section, Text: what})
}

func (a Abort) say(o bot.Operation, d abortion) []bot.Post {
	link := bot.To(fmt.Sprint(d.Run), d.Link)
	t := bot.T("✘ ", bot.At(o.Decided().Person.ID), " has aborted run ", link, ", which "+d.By+" let go on in Jenkins. ")
	switch {
	case o.State == unstopped && len(d.Why) > 0:
		t = bot.T("⚠ ", bot.At(o.Decided().Person.ID), " ", d.Why, " ")
	case o.State == unstopped:
		t = bot.T("⚠ ", bot.At(o.Decided().Person.ID), " Jenkins has not ended run ", link, ". I have stopped trying; look at ", bot.To("the run", d.Link), ". ")
	case d.late():
		t = bot.T("⚠ ", bot.At(o.Decided().Person.ID), " run ", link, " had ended before it could be aborted, with "+d.Result+". ")
	}
	t = append(t, bot.T("What "+d.Environment+" serves now: ", bot.Fixed("/th status "+d.Environment))...)
	return []bot.Post{{Key: "end", Class: bot.Final, Card: bot.Say(t)}}
}
