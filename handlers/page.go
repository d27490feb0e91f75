package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"thbot/bot"
)

// Page calls the main contact, and then others, until somebody says that they
// are on it. It asks first, whoever wants it alone.
type Page struct {
	Contacts Contacts
	Ledger   reading
	Times    Times
}

// paging is what a page remembers.
type paging struct {
	Reason    string
	People    []callee // in the order in which they are paged
	Procedure string
	Within    time.Duration // how long each has to answer

	At      int       // who of People is being paged
	Sent    time.Time // when that went out, by the chat's clock; zero: not yet
	Calls   []call    // to whom it went out so far
	Changed bot.Text  // what became different between question and page
	Late    time.Duration
	By      bot.Person // is on it
	Nudges  int        // how often they were reminded
}

// call is one person being paged.
type call struct {
	Who      callee
	Sent     time.Time
	How      string     // what is known of its delivery
	Declined bot.Person // zero: nobody said that they cannot
}

// The states of a page.
const (
	calling    bot.State = "call"
	passingOn  bot.State = "next"
	nobody     bot.State = "nobody"
	onIt       bot.State = "on-it"
	resolved   bot.State = "resolved"
	faded      bot.State = "faded"      // nobody said that it is over
	unanswered bot.State = "unanswered" // nobody was ever on it
	withdrawn  bot.State = "withdrawn"
)

// What can be pressed on a page; the words are those of the command that its
// messages' buttons say.
const (
	pageNow   = "page"
	pageDrop  = "drop"
	pageOnIt  = "on-it"
	pageNext  = "next"
	pageOver  = "resolved"
	pageNever = "never-mind"
)

const (
	// mostPages is how many pages somebody may send in an hour.
	mostPages = 3
	// pageable is how long a page may be asked about.
	pageable = 20 * time.Minute
	// rereadable is how long the topic may stay unreadable after the click; then
	// those are paged who were shown.
	rereadable = 20 * time.Second
	// slowSend is how long a message may be on its way before that is said.
	slowSend = 15 * time.Second
	// openFor is how long a page is kept open that nobody ends.
	openFor = 24 * time.Hour
	// longReason is the longest reason, in runes.
	longReason = 500
)

func (p Page) Info() bot.Info {
	return bot.Info{
		Name: "page", Does: "Pages the cloudOps main contact, and then others, until somebody answers.",
		Who: "anyone in the channel, guests too", Guests: true, Honoured: true,
		Args: []bot.Arg{{Name: "reason", Doc: "what is wrong, for whoever is paged", Example: "production gives 502", Rest: true, Check: func(v string) string {
			if len([]rune(v)) > longReason {
				return fmt.Sprintf("is too long: a page has at most %d characters", longReason)
			}
			return ""
		}}},
		Examples: []string{"page production gives 502 to everybody"},
		Wait:     "Looking who can be paged…",
	}
}

func (p Page) Plan(ctx context.Context, r bot.Request) (plan bot.Plan[paging], err error) {
	var open string // an earlier question of the same person
	err = p.Ledger.View(ctx, func(v bot.View) error {
		open = ""
		if err := notTooMany(v, r.Person, v.Now()); err != nil {
			return err
		}
		mine, err := pages(v, r.Person)
		for _, o := range mine {
			if o.State == asking && open == "" {
				open = o.ID
			}
		}
		return err
	})
	if err != nil {
		return plan, err
	}
	found, err := p.Contacts.roster(ctx)
	if err != nil {
		return plan, err
	}
	if len(found.People) == 0 {
		return plan, &bot.Refusal{Text: bot.T("There is nobody to page, so nobody was: ", sentences(found.Wrong), p.Contacts.procedure(" "))}
	}
	d := paging{Reason: r.Args["reason"], People: found.People, Procedure: p.Contacts.Procedure, Within: p.Contacts.Within, Late: r.Late}
	answer := p.preview(ctx, d, found, r)
	plan = bot.Plan[paging]{Answer: &answer, Begin: &d, First: asking}
	if open != "" {
		plan.Press = &bot.Forward{Operation: open, Verb: pageDrop}
	}
	return plan, nil
}

// preview shows whom it would page, and how they are right now.
func (p Page) preview(ctx context.Context, d paging, found roster, r bot.Request) bot.Card {
	card := bot.Say(bot.Strong("Page "+d.People[0].Name+"?"), " “"+d.Reason+"”")
	if d.Late > 0 {
		card = card.Add(bot.Paragraph("⚠ You sent this " + bot.Length(d.Late) + " ago; I was away."))
	}
	list := bot.Part{Kind: bot.List}
	for i, who := range d.People {
		t := bot.T(bot.Strong(who.Name))
		if i > 0 {
			t = append(t, bot.Span{Text: ", " + bot.Length(time.Duration(i)*d.Within) + " later"})
		}
		list.Items = append(list.Items, append(t, p.Contacts.how(ctx, who, r.Now.Add(r.Late))...))
	}
	card = card.Add(list)
	if len(found.Wrong) > 0 {
		card = card.Add(bot.Paragraph("⚠ ", sentences(found.Wrong)))
	}
	return card.Add(bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{
		{Label: "Page now", Tone: bot.Danger, Verb: bot.VerbSay, Value: "answer " + pageNow},
		{Label: "Cancel", Verb: bot.VerbSay, Value: "answer " + pageDrop},
	}}, bot.SmallPrint("Only you see this. Each is called by direct message and here, until somebody says that they are on it."))
}

// pages are the pages that somebody asked for, the newest first.
func pages(v bot.View, person string) (mine []bot.Operation, err error) {
	all, err := v.History(bot.History{Kinds: []string{"page"}, Person: person, Limit: 50})
	for _, o := range all {
		if o.Asked.ID == person {
			mine = append(mine, o)
		}
	}
	return mine, err
}

// notTooMany refuses somebody who has paged often within the hour.
func notTooMany(v bot.View, person string, now time.Time) error {
	mine, err := pages(v, person)
	if err != nil {
		return err
	}
	var sent []time.Time
	for _, o := range mine {
		if at := o.Confirmed().At; !at.IsZero() && now.Sub(at) < time.Hour {
			sent = append(sent, at)
		}
	}
	if len(sent) < mostPages {
		return nil
	}
	return bot.Refuse(fmt.Sprintf("You have paged %d times within the hour, so nobody was paged now. The next one is possible at ", len(sent)), bot.Time(sent[mostPages-1].Add(time.Hour)),
		"; write in the channel meanwhile.")
}

// answerers may say that they are on it, or that they cannot.
func (d paging) answerers() bot.Policy {
	p := bot.Policy{Roles: []bot.Role{bot.CloudOps}}
	for _, who := range d.People {
		p.People = append(p.People, who.ID)
	}
	return p
}

func (p Page) Steps() map[bot.State]bot.Step[paging] {
	return map[bot.State]bot.Step[paging]{
		asking:     {Ask: p.ask, Pressed: p.pressed, GiveUp: bot.After[paging](pageable), Lapse: expired},
		checking:   {Look: p.reread, Every: p.Times.Live, GiveUp: bot.After[paging](rereadable), Lapse: calling},
		calling:    {Ask: p.askCalled, Pressed: p.pressed, Look: p.called, Every: p.Times.Live, Shows: true, Say: p.call},
		passingOn:  {Look: p.next, Every: p.Times.Live},
		nobody:     {Ask: p.askNobody, Pressed: p.pressed, GiveUp: bot.After[paging](openFor), Lapse: unanswered, Say: p.sayNobody},
		onIt:       {Ask: p.askOver, Look: p.nudge, Every: p.Times.Follow, GiveUp: bot.After[paging](openFor), Lapse: faded, Say: p.sayOnIt},
		cancelled:  {End: bot.Cancelled},
		expired:    {End: bot.Expired, Say: p.sayExpired},
		withdrawn:  {End: bot.Cancelled, Say: p.sayWithdrawn},
		resolved:   {End: bot.Done, Say: p.sayResolved},
		faded:      {End: bot.Done},
		unanswered: {End: bot.Failed},
	}
}

// ask is answered with the buttons of the preview, which only the asker sees.
func (p Page) ask(bot.Operation, paging) bot.Question {
	asker := bot.Policy{Asker: true}
	return bot.Question{Buttons: []bot.Button{
		{Verb: pageNow, May: asker, To: checking, Decides: true},
		{Verb: pageDrop, May: asker, To: cancelled},
	}}
}

func (p Page) askCalled(_ bot.Operation, d paging) bot.Question {
	return bot.Question{Note: "Whoever is paged, a backup or somebody of cloudOps can say; who asked can take it back", Buttons: []bot.Button{
		{Verb: pageOnIt, Label: "I'm on it", Tone: bot.Primary, May: d.answerers(), To: onIt},
		{Verb: pageNext, Label: "Can't, next", May: d.answerers(), To: passingOn},
		{Verb: pageNever, Label: "Never mind", May: bot.Policy{Asker: true}, To: withdrawn, Dialog: "Take the page back?"},
	}}
}

func (p Page) askNobody(_ bot.Operation, d paging) bot.Question {
	return bot.Question{Note: "whoever was paged, or somebody of cloudOps, still can say", Buttons: []bot.Button{
		{Verb: pageOnIt, Label: "I'm on it", Tone: bot.Primary, May: d.answerers(), To: onIt},
		{Verb: pageNever, Label: "Never mind", May: bot.Policy{Asker: true}, To: withdrawn, Dialog: "Take the page back?"},
	}}
}

func (p Page) askOver(_ bot.Operation, d paging) bot.Question {
	return bot.Question{Buttons: []bot.Button{{Verb: pageOver, Label: "Resolved", To: resolved,
		May: bot.Policy{Roles: []bot.Role{bot.CloudOps}, People: []string{d.By.ID}, Asker: true}}}}
}

func (p Page) pressed(v bot.View, o bot.Operation, d *paging, press bot.Decision) error {
	switch press.Verb {
	case pageNow:
		if err := notTooMany(v, o.Asked.ID, press.At); err != nil {
			return err
		}
		d.Late = press.Late
	case pageOnIt:
		d.By, d.Late = press.Person, press.Late
	case pageNext:
		d.current().Declined = press.Person
	}
	return nil
}

// reread looks who is to be paged once more: the topic may have been edited
// since the question. Who is named there now is who was meant.
func (p Page) reread(ctx context.Context, _ bot.Operation, d *paging) (bot.Next, error) {
	found, err := p.Contacts.roster(ctx)
	if err != nil {
		return bot.Next{}, err
	}
	if len(found.People) > 0 && found.People[0].ID != d.People[0].ID {
		d.Changed = bot.T("The topic has changed since you asked: the main contact is " + found.People[0].Name + " now, and was " + d.People[0].Name + ".")
	}
	if len(found.People) > 0 {
		d.People = found.People
	}
	return bot.Next{To: calling}, nil
}

// called follows a call: whether it went out, and since when the person has had
// the time to answer, by the chat's own clock. Whatever was away meanwhile, the
// next one is called only after that.
func (p Page) called(ctx context.Context, o bot.Operation, d *paging) (bot.Next, error) {
	if o.Now.Sub(o.Entered) < time.Second {
		return bot.Next{Every: p.Times.Live}, nil // its messages are just being sent
	}
	var direct, here bot.Message
	var unread []bot.Received
	err := p.Ledger.View(ctx, func(v bot.View) (err error) {
		if direct, err = v.Message(o.PostKey("dm")); err != nil {
			return err
		}
		if here, err = v.Message(o.PostKey("here")); err != nil {
			return err
		}
		unread, err = v.DueReceived(1)
		return err
	})
	if err != nil {
		return bot.Next{}, err
	}
	at := d.current()
	settled := func(m bot.Message) bool { return m.ID != "" || m.Dead != "" }
	if settled(direct) && settled(here) || o.Now.Sub(o.Entered) > slowSend {
		at.How = delivery(direct, here)
	}
	for _, m := range []bot.Message{direct, here} {
		if t, ok := p.Contacts.Slack.PostedAt(m.ID); ok && (at.Sent.IsZero() || t.Before(at.Sent)) {
			at.Sent = t
		}
	}
	d.Sent = at.Sent
	until := d.Sent.Add(d.Within)
	switch {
	case direct.Dead != "" && here.Dead != "":
		return bot.Next{To: passingOn, Note: "it could not be sent"}, nil
	case d.Sent.IsZero():
		return bot.Next{}, nil // the time to answer has not begun
	case o.Now.Before(until):
		// It is looked again soon, too: a message of the two may still be on its way.
		every := until.Sub(o.Now)
		if !settled(direct) || !settled(here) {
			every = min(every, p.Times.Live)
		}
		return bot.Next{Every: every}, nil
	case len(unread) > 0:
		return bot.Next{Every: p.Times.Live}, nil // perhaps it is an answer, which came in time
	}
	return bot.Next{To: passingOn, Note: "no answer within " + bot.Length(d.Within)}, nil
}

// current is the call that goes out now.
func (d *paging) current() *call {
	for len(d.Calls) <= d.At {
		d.Calls = append(d.Calls, call{Who: d.People[len(d.Calls)]})
	}
	return &d.Calls[d.At]
}

// delivery says what is known: "sent" is not "reached".
func delivery(direct, here bot.Message) string {
	say := func(m bot.Message, sent, how string) string {
		switch {
		case m.Dead != "":
			return how + " could not be sent (" + strings.TrimSpace(m.Dead[strings.LastIndex(m.Dead, ":")+1:]) + ")"
		case m.ID == "":
			return how + " on its way"
		}
		return sent
	}
	return say(direct, "sent by direct message", "the direct message") + ", " + say(here, "and here", "the one here")
}

// next goes on to whoever comes next. Slack takes messages to somebody who has
// left, so that is looked at just before.
func (p Page) next(ctx context.Context, _ bot.Operation, d *paging) (bot.Next, error) {
	for d.At++; d.At < len(d.People); d.At++ {
		who, err := p.Contacts.Slack.Member(ctx, d.People[d.At].ID, 10*time.Second)
		if err == nil && who.Gone || errors.Is(err, bot.ErrNotFound) {
			d.current().How = "has left"
			continue
		}
		return bot.Next{To: calling, Note: "paging " + d.People[d.At].Name}, nil // also when it cannot be told
	}
	d.At--
	return bot.Next{To: nobody, Note: "nobody is left to be paged"}, nil
}

// nudge reminds whoever is on it until it is resolved. After an absence it does
// so once.
func (p Page) nudge(_ context.Context, o bot.Operation, d *paging) (bot.Next, error) {
	passed := 0
	for due := time.Duration(0); ; passed++ {
		if passed < len(nudges) {
			due = nudges[passed]
		} else {
			due += nudges[len(nudges)-1]
		}
		if o.Now.Sub(o.Entered) < due {
			next := bot.Next{Every: due - o.Now.Sub(o.Entered)}
			if passed > d.Nudges {
				d.Nudges = passed
				next.Say = []bot.Post{{Key: fmt.Sprint("nudge-", passed), Class: bot.Query, To: bot.Place{Channel: d.By.ID},
					Card: bot.Say("You are on “"+d.Reason+"”, for which "+o.Asked.Name+" paged, since ", bot.Time(o.Entered), ". Is it over?").Add(p.buttons(o, pageOver))}}
			}
			return next, nil
		}
	}
}

// buttons are those of a message that is not the operation's own.
func (p Page) buttons(o bot.Operation, verbs ...string) bot.Part {
	row := bot.Part{Kind: bot.Actions}
	for _, verb := range verbs {
		b := bot.CardButton{Label: map[string]string{pageOnIt: "I'm on it", pageNext: "Can't, next", pageOver: "Resolved"}[verb], Verb: bot.VerbSay, Value: "answer " + verb + " " + strings.ToLower(o.ID)}
		if verb == pageOnIt {
			b.Tone = bot.Primary
		}
		row.Buttons = append(row.Buttons, b)
	}
	return row
}

// openPages are the pages that are not over, oldest first.
func openPages(v bot.View) (open []bot.Operation, err error) {
	all, err := v.History(bot.History{Kinds: []string{"page"}, Limit: 50})
	for _, o := range slices.Backward(all) {
		if o.End == "" && o.State != asking {
			open = append(open, o)
		}
	}
	return open, err
}
