package handlers

import (
	"strings"

	"thbot/bot"
)

// requestKind is one sort of request, with what cloudOps would ask back.
type requestKind struct {
	name, does string
	line       string      // an example of a summary
	questions  []bot.Field // their labels are headings in the bug
}

// secretsElsewhere stands below what people could put a secret into.
const secretsElsewhere = "Never a secret itself: no password, no key, no token. Write that it is one; whoever takes the bug agrees with you on how it is handed over, " +
	"and that is neither Slack nor Bugzilla."

// How long answers may be. All of one request fit into a message, which shows
// them before the bug is filed.
const (
	aLine     = 200
	someLines = 2000
)

var requestKinds = []requestKind{
	{name: "config", does: "a setting of an environment", line: "Raise WEB_CONCURRENCY on stage", questions: []bot.Field{
		{Name: "where", Label: "Which environments", Placeholder: "stage, production", Most: aLine},
		{Name: "setting", Label: "Which setting", Placeholder: "its name, as in the environment: WEB_CONCURRENCY", Most: aLine},
		{Name: "value", Label: "What it shall be, and why", Hint: secretsElsewhere, Long: true, Most: someLines},
		{Name: "when", Label: "When it is needed", Placeholder: "before the deploy on Thursday; no hurry", Most: aLine},
		{Name: "effect", Label: "What it needs to take effect", Options: []bot.Option{
			{Value: "nothing", Label: "Nothing more"}, {Value: "restart", Label: "A restart"}, {Value: "deploy", Label: "A deploy"}, {Value: "unknown", Label: "I do not know"}}},
	}},
	{name: "data", does: "data out of a database, or put into one", line: "Jobs of autoland in October, as CSV", questions: []bot.Field{
		{Name: "where", Label: "Which database, of which environment", Placeholder: "the replica of stage", Most: aLine},
		{Name: "what", Label: "Which data", Placeholder: "tables and columns, or the query", Hint: secretsElsewhere, Long: true, Most: someLines},
		{Name: "why", Label: "What for", Long: true, Most: someLines},
		{Name: "often", Label: "How often", Options: []bot.Option{{Value: "once", Label: "Once"}, {Value: "regularly", Label: "Regularly"}}},
		{Name: "personal", Label: "Is there personal data in it", Options: []bot.Option{
			{Value: "no", Label: "No"}, {Value: "yes", Label: "Yes"}, {Value: "unknown", Label: "I do not know"}}},
		{Name: "until", Label: "Until when it is needed", Placeholder: "the end of the year", Most: aLine},
	}},
	{name: "access", does: "access for somebody: ReDash, logs, a database", line: "ReDash for bea", questions: []bot.Field{
		{Name: "what", Label: "Access to what", Options: []bot.Option{
			{Value: "replica", Label: "The replica of a database"}, {Value: "jenkins", Label: "Jenkins"}, {Value: "redash", Label: "ReDash"},
			{Value: "logs", Label: "Logs in Google Cloud"}, {Value: "other", Label: "Something else, which is named below"}}},
		{Name: "who", Label: "For whom", Placeholder: "name and LDAP login", Most: aLine},
		{Name: "why", Label: "What for", Hint: secretsElsewhere, Long: true, Most: someLines},
		{Name: "until", Label: "For how long", Placeholder: "three months", Most: aLine},
	}},
	{name: "jenkins", does: "a job, or a permission, in Jenkins", line: "treeherder-production: bea can proceed", questions: []bot.Field{
		{Name: "what", Label: "Which job, and which permission", Placeholder: "treeherder-production: answer its input", Most: aLine},
		{Name: "who", Label: "For whom", Placeholder: "name and LDAP login", Most: aLine},
		{Name: "why", Label: "What for", Hint: secretsElsewhere, Long: true, Most: someLines},
		{Name: "approval", Label: "Who approves it", Placeholder: "a manager, or an owner of Treeherder", Most: aLine, Optional: true},
	}},
}

// fields are its questions with those that every form asks before and after.
func (k requestKind) fields() []bot.Field {
	all := []bot.Field{{Name: "summary", Label: "The request in one line", Placeholder: k.line, Hint: "The bug's summary, with “" + summaryPrefix + "” before it.", Most: aLine}}
	all = append(all, k.questions...)
	return append(all,
		bot.Field{Name: "readers", Label: "Who can read the bug", Options: []bot.Option{
			{Value: "public", Label: "Everybody: it is public"}, {Value: "private", Label: "Cloud Services' security group, and who is on CC"}}},
		bot.Field{Name: "cc", Label: "On CC", Placeholder: "bea@mozilla.com, cid@mozilla.com", Optional: true, Most: 500,
			Hint: "Logins of Bugzilla, with commas between them. With your own you get its mail; and a private bug you see only so, since it is me who files it."})
}

func requestKindNamed(name string) (k requestKind) {
	for _, k = range requestKinds {
		if k.name == name {
			return k
		}
	}
	return requestKind{}
}

// answerTo is what was said to a question, as people read it.
func answerTo(f bot.Field, value string) string {
	for _, o := range f.Options {
		if o.Value == value {
			return o.Label
		}
	}
	return strings.TrimSpace(value)
}
