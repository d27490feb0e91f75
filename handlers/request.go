package handlers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"thbot/bot"
	"thbot/handlers/secretlike"
	"thbot/integrations/bugzilla"
)

// Request asks cloudOps for something: a form with what they would ask back,
// a preview for whoever filled it in, and a bug in Bugzilla, whose resolution
// the channel is told. Without an API key people send the bug off themselves.
type Request struct {
	Tracker Tracker
	Ledger  reading
	Room    string // how the channel is called
	Infra   string // the page of the repository that holds the settings; empty: none
	Access  bool   // there are databases to which the bot can give access
}

func (w World) request() Request {
	return Request{w.Bugzilla, w.Ledger, w.Contacts.Room, w.Infra, len(w.Databases) > 0}
}

// requesting is what a request remembers. What was filled in looked like no
// secret when it was taken.
type requesting struct {
	Draft       string // names it before it has a number; see [Filing]
	Kind        string
	Summary     string
	Description string
	CC          []string
	Private     bool

	Number     int  // of the bug; 0: there is none, or it is not known
	Slow       bool // the asker knows that it takes a while
	Missing    bool // it was looked for, and not found
	Why        string
	BadKey     bool // Bugzilla does not accept the bot's key
	Resolution string
}

// summaryPrefix is what the component's readers see first.
const summaryPrefix = "Treeherder: "

// mostCC is how many people a bug is sent to.
const mostCC = 10

func (q Request) Info() bot.Info {
	var words []bot.Word
	for _, k := range requestKinds {
		words = append(words, bot.Word{Name: k.name})
	}
	return bot.Info{
		Name: "request", Does: "Asks cloudOps for a setting, data, access, or something in Jenkins: a form, a preview, a bug in Bugzilla.",
		Who:      "anyone",
		Args:     []bot.Arg{{Name: "kind", Doc: "config, data, access or jenkins", Example: "config", Form: "config|data|access|jenkins", Words: words, Optional: true}},
		Examples: []string{"request config", "request jenkins"},
		Wait:     "One moment…",
	}
}

// Opens lets the command without a kind be answered.
func (q Request) Opens(args map[string]string) bool { return args["kind"] != "" }

// configured refuses if nobody has said where requests go.
func (q Request) configured() error {
	if q.Tracker.Component != "" {
		return nil
	}
	return bot.Refuse("It is not configured where requests to cloudOps are filed, so nothing was. Whoever runs me can say so as ",
		bot.Fixed("bugzilla.product"), " and ", bot.Fixed("bugzilla.component"), ".")
}

// where is the component, as people write it.
func (t Tracker) where() string { return t.Product + " :: " + t.Component }

func (q Request) Form(_ context.Context, r bot.Request) (bot.Modal, error) {
	if err := q.configured(); err != nil {
		return bot.Modal{}, err
	}
	k := requestKindNamed(r.Args["kind"])
	return bot.Modal{Title: "Request: " + k.name, Submit: "Preview", Fields: k.fields(), Parts: append(q.first(k),
		bot.SmallPrint("It becomes a bug in "+q.Tracker.where()+". You see it whole before it is filed."))}, nil
}

// first is what people had better know before they fill in a form.
func (q Request) first(k requestKind) []bot.Part {
	switch {
	case k.name == "config" && q.Infra != "":
		return []bot.Part{bot.Paragraph("The settings are kept in ", bot.To(path.Base(q.Infra), q.Infra),
			". If you can propose the change there, do, and name the pull request below.")}
	case k.name == "access" && q.Access:
		return []bot.Part{bot.Paragraph("For the replica of a database ", bot.Fixed("/th access grant @person"), " is quicker: somebody of cloudOps confirms it here.")}
	case k.name == "jenkins":
		// "Jenkins access" of Treeherder's docs/infrastructure/administration.md leads there.
		return []bot.Part{{Kind: bot.List, Text: bot.T("The documented steps:"), Items: []bot.Text{
			bot.T("How Jenkins is reached: ", bot.To("Accessing Jenkins", "https://github.com/mozilla-services/cloudops-deployment/#accessing-jenkins"),
				", in a repository that is not public. See first whether you lack more than that."),
			bot.T("Who has no access asks for it with a bug in " + q.Tracker.where() + ". This form prepares that bug."),
		}}}
	}
	return nil
}

// aLogin is a login of Bugzilla's: on bugzilla.mozilla.org, an e-mail address.
var aLogin = regexp.MustCompile(`^[^\s@,<>:;"()]+@[^\s@,<>:;"()]+$`)

func (q Request) Check(args, values map[string]string) map[string]string {
	wrong := map[string]string{}
	for _, f := range requestKindNamed(args["kind"]).fields() {
		value := strings.TrimSpace(values[f.Name])
		what := secretlike.Found(value)
		switch {
		case what != "":
			wrong[f.Name] = "This seems to hold " + what + ". Nothing of the form was kept. Take it out; if it is real, have it replaced, since Slack has seen it."
		case value == "" && !f.Optional:
			wrong[f.Name] = "Something has to stand here."
		case f.Most > 0 && utf8.RuneCountInString(value) > f.Most:
			wrong[f.Name] = fmt.Sprintf("At most %d characters fit here.", f.Most)
		}
	}
	if wrong["cc"] != "" {
		return wrong
	}
	cc := logins(values["cc"])
	for _, login := range cc {
		if !aLogin.MatchString(login) {
			wrong["cc"] = fmt.Sprintf("“%s” is no login of Bugzilla; they look like bea@mozilla.com.", login)
		}
	}
	switch {
	case len(cc) > mostCC:
		wrong["cc"] = fmt.Sprintf("At most %d people can be on CC.", mostCC)
	case len(cc) == 0 && values["readers"] == "private" && q.Tracker.Keyed:
		wrong["cc"] = "You would not see the bug yourself, since it is me who files it. Put your login of Bugzilla here."
	}
	return wrong
}

func logins(typed string) []string {
	return strings.FieldsFunc(typed, func(r rune) bool { return r == ',' || r == ' ' || r == ';' || r == '\n' })
}

func (q Request) Plan(ctx context.Context, r bot.Request) (plan bot.Plan[requesting], err error) {
	if err := q.configured(); err != nil {
		return plan, err
	}
	k := requestKindNamed(r.Args["kind"])
	if k.name == "" {
		answer := q.kinds()
		return bot.Plan[requesting]{Answer: &answer}, nil
	}
	d := q.compose(k, r)
	badKey := false
	if q.Tracker.Keyed {
		err := q.Ledger.View(ctx, func(v bot.View) error {
			holder, err := v.Holder(keyScope)
			badKey = holder != ""
			return err
		})
		if err != nil {
			return plan, err
		}
	}
	answer := q.preview(k, d, r.Values, badKey)
	if !q.Tracker.Keyed || badKey {
		return bot.Plan[requesting]{Answer: &answer}, nil
	}
	return bot.Plan[requesting]{Answer: &answer, Begin: &d, First: asking, Scopes: []string{requestScopes + d.Draft}}, nil
}

// kinds shows what can be asked for.
func (q Request) kinds() bot.Card {
	list, row := bot.Part{Kind: bot.List}, bot.Part{Kind: bot.Actions}
	for _, k := range requestKinds {
		list.Items = append(list.Items, bot.T(bot.Fixed("/th request "+k.name), " "+k.does))
		row.Buttons = append(row.Buttons, bot.CardButton{Label: strings.ToUpper(k.name[:1]) + k.name[1:] + "…", Verb: bot.VerbSay, Value: "request " + k.name})
	}
	return bot.Say(bot.Strong("What do you need of cloudOps?"), " Each opens a form; you see the bug before it is filed.").Add(list, row)
}

// compose makes a bug of what was filled in.
func (q Request) compose(k requestKind, r bot.Request) requesting {
	sum := sha256.Sum256([]byte(r.Key))
	d := requesting{Draft: hex.EncodeToString(sum[:8]), Kind: k.name, Summary: summaryPrefix + strings.Join(strings.Fields(r.Values["summary"]), " "),
		CC: logins(r.Values["cc"]), Private: r.Values["readers"] != "public"}
	var text strings.Builder
	for _, f := range k.questions {
		if answer := answerTo(f, r.Values[f.Name]); answer != "" {
			fmt.Fprintf(&text, "**%s**\n\n%s\n\n", f.Label, answer)
		}
	}
	fmt.Fprintf(&text, "Asked for by %s in %s on Slack.", r.Asker.Name, q.Room)
	d.Description = text.String()
	return d
}

// bug is what is filed, and what the link holds.
func (d requesting) bug(t Tracker, token string) bugzilla.Bug {
	return bugzilla.Bug{Product: t.Product, Component: t.Component, Summary: d.Summary, Description: d.Description,
		Token: token, CC: d.CC, Private: d.Private}
}

// mostLink is the longest address that Slack takes in a button.
const mostLink = 3000

// link is the button that opens Bugzilla's own form, filled in.
func (q Request) link(d requesting) bot.CardButton {
	return bot.CardButton{Label: "Open the form in Bugzilla", URL: q.Tracker.Bugs.PrefillWithin(d.bug(q.Tracker, ""), mostLink)}
}

// preview shows the bug to whoever asks for it, and what would become of it.
func (q Request) preview(k requestKind, d requesting, values map[string]string, badKey bool) bot.Card {
	card := bot.Say(bot.Strong("File this in " + q.Tracker.where() + "?"))
	if !q.Tracker.Keyed || badKey {
		card = bot.Say(bot.Strong("This is the bug; you file it yourself"), " in "+q.Tracker.where())
	}
	card = card.Add(bot.Paragraph(bot.Strong(d.Summary)))
	for _, f := range k.questions {
		if answer := answerTo(f, values[f.Name]); answer != "" {
			card = card.Add(bot.Paragraph(bot.Strong(f.Label), "\n", answer))
		}
	}
	card = card.Add(bot.Paragraph(d.Description[strings.LastIndex(d.Description, "\n")+1:]), bot.Paragraph(d.readers()))
	switch {
	case badKey:
		return card.Add(bot.Paragraph("Bugzilla does not accept my API key at the moment, and the Treeherder admins know. Nothing is filed."),
			bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{q.link(d)}}, bot.SmallPrint("The form is filled in, as far as a link can hold it; you send it in your own name. Only you see this."))
	case !q.Tracker.Keyed:
		return card.Add(bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{q.link(d)}},
			bot.SmallPrint("I have no API key of Bugzilla, so nothing is filed. The form is filled in, as far as a link can hold it; you send it in your own name. Only you see this."))
	}
	return card.Add(bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{
		{Label: "File it", Tone: bot.Primary, Verb: bot.VerbSay, Value: "filing " + fileIt + " " + d.Draft},
		{Label: "Cancel", Verb: bot.VerbSay, Value: "filing " + fileNot + " " + d.Draft},
	}}, bot.SmallPrint("Only you see this, and only until Slack is reloaded. It waits for an hour."))
}

// readers says who will read the bug.
func (d requesting) readers() string {
	t := "⚠ It is public: everybody on the Internet can read it."
	if d.Private {
		t = "It is private: Cloud Services' security group can read it, and who is on CC."
	}
	if len(d.CC) > 0 {
		t += " On CC: " + strings.Join(d.CC, ", ") + "."
	}
	return t
}
