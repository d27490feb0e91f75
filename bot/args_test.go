package bot_test

import (
	"strings"
	"testing"

	"thbot/bot"
	"thbot/handlers/when"
)

// more are commands with every other sort of argument.
var more = []bot.Info{
	{Name: "lock", Args: []bot.Arg{words[0].Args[0],
		{Name: "length", Doc: "a length of time", Example: "2h", After: "for", Optional: true, Take: when.TakeLength},
		{Name: "time", Doc: "a time", Example: "18:00", After: "until", Or: true, Take: when.TakeTime},
		{Name: "reason", Doc: "a reason", Example: "database migration", Rest: true}}},
	{Name: "ship", Args: []bot.Arg{words[0].Args[0], words[0].Args[1],
		{Name: "reason", Doc: "a reason", Example: "it fixes the outage", After: "force", Optional: true, Rest: true}}},
	{Name: "page", Args: []bot.Arg{{Name: "reason", Doc: "a reason", Example: "the site is down", Rest: true,
		Check: func(v string) string {
			if strings.Contains(v, "password") {
				return "says more than a page should"
			}
			return ""
		}}}},
	{Name: "mute", Args: []bot.Arg{{Name: "alarm", Doc: "an alarm", Example: "disk"},
		{Name: "length", Doc: "a length of time", Example: "1d", After: "for", Optional: true, Take: when.TakeLength}}},
	{Name: "history", Args: []bot.Arg{{Name: "environment", Doc: "an environment", Example: "prod", Optional: true, Words: words[0].Args[0].Words},
		{Name: "user", Doc: "a person", Example: "@ana", Or: true, Person: true},
		{Name: "number", Doc: "a number", Example: "5", Optional: true, Check: number}}},
	{Name: "notify", Args: []bot.Arg{
		{Name: "me", Doc: "on or off", Example: "on", After: "me", Form: "on|off", Words: []bot.Word{{Name: "on", Aliases: []string{"yes"}}, {Name: "off"}}},
		{Name: "pull", Doc: "a pull request", Example: "#9101", Or: true, Form: "#<pr>", Check: pull},
		{Name: "commit", Doc: "a commit", Example: "9f8e7d6", Or: true, Check: words[0].Args[1].Check},
		{Name: "bug", Doc: "the number of a bug", Example: "1790001", After: "bug", Or: true, Form: "<n>", Check: number}}},
	{Name: "find", Args: []bot.Arg{
		{Name: "environment", Doc: "an environment", Example: "prod", Optional: true, Words: words[0].Args[0].Words},
		{Name: "commit", Doc: "a commit", Example: "9f8e7d6", Or: true, Check: words[0].Args[1].Check},
		{Name: "bug", Doc: "the number of a bug", Example: "1790001", After: "bug", Or: true, Form: "<n>", Check: number}}},
	{Name: "sweep", Args: []bot.Arg{
		{Name: "length", Doc: "a length of time", Example: "2h", After: "for", Take: when.TakeLength},
		{Name: "time", Doc: "a time", Example: "18:00", After: "until", Or: true, Take: when.TakeTime}}},
	{Name: "tag", Args: []bot.Arg{
		{Name: "environment", Doc: "an environment", Example: "prod", Optional: true, Words: words[0].Args[0].Words},
		{Name: "label", Doc: "a label", Example: "good"}}},
	{Name: "blame", Args: []bot.Arg{{Name: "who", Doc: "a person", Example: "@ana", Person: true}}},
}

func number(v string) string {
	if len(v) > 7 || strings.Trim(v, "0123456789") != "" {
		return "is not a number"
	}
	return ""
}

func pull(v string) string {
	if n, ok := strings.CutPrefix(v, "#"); !ok || n == "" || number(n) != "" {
		return "is not a pull request; they look like #9101"
	}
	return ""
}

func TestParseArguments(t *testing.T) {
	const (
		lock   = "It is /th lock <environment> [for <length> | until <time>] <reason>."
		ship   = "/th ship <environment> [<commit>] [force <reason>]"
		times  = " is not a time that I can read; write it like 2026-12-01 18:00, 18:00, tomorrow 9:00 or friday. Nothing was done. If it belongs to the reason, begin that with another word than until."
		length = " is not a length of time; write it like 2h, 90m, 1h30m or 1d. Nothing was done. If it belongs to the reason, begin that with another word than for."
		envs   = "The ones I know: production, stage, prototype."
	)
	unsure := func(part, as string) string {
		return "I cannot tell whether " + part + " is meant as " + as + " or belongs to the reason, so nothing was done. " + lock + " If it belongs to the reason, say it in other words."
	}
	for _, test := range []struct {
		name, text    string
		want, refusal string
	}{
		{"a reason", "lock prod migration", "lock environment=production reason=migration", ""},
		{"a reason as typed", "lock PROD  Bea's  Migration: 0031 → <@U0BEA> ", "lock environment=production reason=Bea's  Migration: 0031 → <@U0BEA>", ""},
		{"for", "lock prod for 2h migration", "lock environment=production length=2h reason=migration", ""},
		{"for two words", "lock prod FOR 2 Hours migration", "lock environment=production length=2 hours reason=migration", ""},
		{"for many words", "lock prod for 1h 30 m two words", "lock environment=production length=1h 30 m reason=two words", ""},
		{"until a time", "lock prod until 18:00 migration", "lock environment=production reason=migration time=18:00", ""},
		{"until a date", "lock prod until 2026-12-01 migration", "lock environment=production reason=migration time=2026-12-01", ""},
		{"until date and time", "lock prod until 2026-12-01   18:00 migration", "lock environment=production reason=migration time=2026-12-01 18:00", ""},
		{"until a day", "lock proto until Friday mine", "lock environment=prototype reason=mine time=friday", ""},
		{"dashes", "lock prod --for 2h migration", "lock environment=production length=2h reason=migration", ""},
		{"a long dash", "lock prod —Until 18:00 migration", "lock environment=production reason=migration time=18:00", ""},
		{"a dash by itself", "lock prod – for 2h migration", "lock environment=production length=2h reason=migration", ""},
		{"a dash before the reason", "lock prod — migration", "lock environment=production reason=— migration", ""},
		{"a keyword within the reason", "lock prod waiting for Bea until she is back", "lock environment=production reason=waiting for Bea until she is back", ""},
		{"a keyword within the reason, after its own", "lock prod for 2h red for 3h until friday", "lock environment=production length=2h reason=red for 3h until friday", ""},
		{"a reason that begins like a keyword", "lock prod forest fire", "lock environment=production reason=forest fire", ""},

		{"for what", "lock prod for maintenance", "", "maintenance" + length},
		{"for a reason with a number", "lock prod for 2 migrations", "", "2 migrations" + length},
		{"for a number", "lock prod for 2", "", "2" + length},
		{"for and more digits", "lock prod for 2h 30 migrations", "", "2h 30 migrations" + length},
		{"until what", "lock prod until the migration is done", "", "the" + times},
		{"until and a zone", "lock prod until 18:00 CET migration", "", "18:00 CET" + times},
		{"until and am", "lock prod until friday 9am migration", "", "friday 9am" + times},
		{"until at", "lock prod until tomorrow at 9:00 migration", "", "tomorrow at" + times},
		{"for nothing", "lock prod for", "", "for needs a length of time. Nothing was done. Send for example /th lock production for 2h."},
		{"for until", "lock prod for until 18:00 x", "", "for needs a length of time. Nothing was done. Send for example /th lock production for 2h."},
		{"for and until", "lock prod for 2h until 18:00 x", "", "The reason cannot begin with until, so nothing was done. " + lock},
		{"until and for", "lock prod until 18:00 for the migration", "", "The reason cannot begin with for, so nothing was done. " + lock},
		{"for twice", "lock prod for 2h for 3h x", "", "The reason cannot begin with for, so nothing was done. " + lock},
		{"for with a colon", "lock prod for: 2h x", "", "The reason cannot begin with for:, so nothing was done. " + lock},
		{"for in parentheses", "lock prod (for 2h) x", "", "The reason cannot begin with (for, so nothing was done. " + lock},
		{"for as an option", "lock prod --for=2h x", "", "The reason cannot begin with --for=2h, so nothing was done. " + lock},
		{"an unknown option", "lock prod --fro 2h x", "", "I do not know --fro, so nothing was done. Did you mean /th lock production for? " + lock},
		{"for, mistyped", "lock prod fro 2h x", "", unsure("fro 2h", "a length of time")},
		{"until, mistyped", "lock prod untill friday x", "", unsure("untill friday", "a time")},
		{"for, left out", "lock prod 2h x", "", unsure("2h", "a length of time")},
		{"until, left out", "lock prod 18:00 x", "", unsure("18:00", "a time")},
		{"for at the end", "lock prod the migration for 2h", "", unsure("for 2h", "a length of time")},
		{"until within", "lock prod mine -- Until tomorrow 9:00 please", "", unsure("Until tomorrow 9:00", "a time")},
		{"no reason", "lock prod", "", "lock needs a reason. Nothing was done. Send for example /th lock production database migration."},
		{"no reason after for", "lock prod for 2h", "", "lock needs a reason. Nothing was done. Send for example /th lock production for 2h database migration."},
		{"a reason that does not show", "lock prod \u200b ...", "", "lock needs a reason. Nothing was done. Send for example /th lock production database migration."},
		{"for without an environment", "lock for 2h x", "", "lock needs an environment. Nothing was done. Send for example /th lock prod."},
		{"a long reason", "lock prod " + strings.Repeat("ä", 301), "", "The reason is 301 characters long, and 300 is the most. Nothing was done."},
		{"the longest reason", "page " + strings.Repeat("ä", 300), "page reason=" + strings.Repeat("ä", 300), ""},
		{"an unknown environment", "lock prdo x", "", "prdo is not an environment, so nothing was done. Did you mean /th lock prod? " + envs},

		{"nothing optional", "ship prod", "ship environment=production", ""},
		{"force", "ship prod force Because it is down", "ship environment=production reason=Because it is down", ""},
		{"a commit and force", "ship prod 9F8E7D6 — force because", "ship commit=9f8e7d6 environment=production reason=because", ""},
		{"force without a reason", "ship prod force", "", "force needs a reason. Nothing was done. Send for example /th ship production force it fixes the outage."},
		{"force before the commit", "ship prod force 9f8e7d6 broke it", "", "I cannot tell whether 9f8e7d6 is meant as a commit or belongs to the reason, so nothing was done. It is " + ship + ". If it belongs to the reason, say it in other words."},
		{"force twice", "ship prod force --force it", "", "The reason cannot begin with --force, so nothing was done. It is " + ship + "."},
		{"force, mistyped", "ship prod froce it", "", "froce is not a commit; commits look like 9f8e7d6, 7 to 40 of the digits 0-9 and a-f. Did you mean /th ship production force? Nothing was done."},
		{"force, mistyped after the commit", "ship prod 9f8e7d6 froce it", "", "I do not understand froce it there, so nothing was done. It is " + ship + "."},
		{"a reason without force", "ship prod because", "", "because is not a commit; commits look like 9f8e7d6, 7 to 40 of the digits 0-9 and a-f. Nothing was done."},

		{"only a reason", "page --urgent: for 2h all is Red", "page reason=--urgent: for 2h all is Red", ""},
		{"a reason that is not right", "page the password is x", "", "the password is x says more than a page should. Nothing was done."},

		{"a value and for", "mute disk for 1d", "mute alarm=disk length=1d", ""},
		{"a value without for", "mute disk 1d", "", "I do not understand 1d there, so nothing was done. It is /th mute <alarm> [for <length>]."},
		{"for in place of a value", "mute for 1d", "", "mute needs an alarm. Nothing was done. Send for example /th mute disk."},
		{"a wrong value and no reason", "mute disk for ever", "", "ever is not a length of time; write it like 2h, 90m, 1h30m or 1d. Nothing was done."},

		{"no alternative", "history", "history", ""},
		{"the first alternative", "history proto", "history environment=prototype", ""},
		{"the second alternative", "history <@U0ANA>", "history user=U0ANA", ""},
		{"a person with a name", "history <@W0ANA|ana> 5", "history number=5 user=W0ANA", ""},
		{"what follows the alternatives", "history 5", "history number=5", ""},
		{"none of the alternatives", "history prodd 5", "", "prodd is not an environment or a person, so nothing was done. Did you mean /th history prod? It is /th history [<environment> | @user] [<number>]."},
		{"a person whom the chat does not know", "history @ana", "", "@ana is not an environment or a person, so nothing was done. It is /th history [<environment> | @user] [<number>]."},
		{"two alternatives", "history prod <@U0ANA>", "", "<@U0ANA> is not a number. Nothing was done."},
		{"a group is no person", "blame <!subteam^S1>", "", "<!subteam^S1> is not a person; type @ and choose the name from the list. Nothing was done."},

		{"what is not the first is not guessed to be the second", "tag prdo", "", "prdo is not an environment, so nothing was done. Did you mean /th tag prod? " + envs},

		{"a keyword alternative", "notify me YES", "notify me=on", ""},
		{"a keyword alternative, mistyped", "notify me of", "", "of is not on or off, so nothing was done. Did you mean /th notify me on or /th notify me off? The ones I know: on, off."},
		{"a number sign", "notify #9101", "notify pull=#9101", ""},
		{"a commit", "notify 9F8E7D6", "notify commit=9f8e7d6", ""},
		{"a bug", "notify Bug 1790001", "notify bug=1790001", ""},
		{"a bug in a word", "notify bug1790001", "", "bug1790001 is not a pull request or a commit, so nothing was done. It is /th notify (me on|off | #<pr> | <commit> | bug <n>)."},
		{"none at all", "notify", "", "notify needs on or off, a pull request, a commit or the number of a bug. Nothing was done. Send for example /th notify me on."},
		{"none of four", "notify on", "", "on is not a pull request or a commit, so nothing was done. It is /th notify (me on|off | #<pr> | <commit> | bug <n>)."},
		{"an alternative's keyword, mistyped", "notify bgu 1", "", "bgu is not a pull request or a commit, so nothing was done. Did you mean /th notify bug? It is /th notify (me on|off | #<pr> | <commit> | bug <n>)."},
		{"only keywords", "sweep 3", "", "3 does not belong there, so nothing was done. It is /th sweep (for <length> | until <time>)."},
		{"a bug to find", "find bug 1790001", "find bug=1790001", ""},
		{"no number of a bug", "find bug", "", "bug needs the number of a bug. Nothing was done. Send for example /th find bug 1790001."},
		{"too much to find", "find prod 9f8e7d6", "", "I do not understand 9f8e7d6 there, so nothing was done. It is /th find [<environment> | <commit> | bug <n>]."},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, refusal := bot.Parse("/th", test.text, more)
			got := ""
			if refusal != nil {
				got = refusal.Error()
			}
			if got != test.refusal {
				t.Errorf("Parse(%q) refuses:\n%q, want\n%q", test.text, got, test.refusal)
			}
			if canonical(p) != test.want {
				t.Errorf("Parse(%q) = %q, want %q", test.text, canonical(p), test.want)
			}
		})
	}
}

func TestUsage(t *testing.T) {
	for name, want := range map[string]string{
		"lock":    "lock <environment> [for <length> | until <time>] <reason>",
		"ship":    "ship <environment> [<commit>] [force <reason>]",
		"page":    "page <reason>",
		"mute":    "mute <alarm> [for <length>]",
		"history": "history [<environment> | @user] [<number>]",
		"notify":  "notify (me on|off | #<pr> | <commit> | bug <n>)",
		"find":    "find [<environment> | <commit> | bug <n>]",
		"blame":   "blame @who",
	} {
		for _, c := range more {
			if c.Name == name && c.Usage() != want {
				t.Errorf("usage of %s: %q, want %q", name, c.Usage(), want)
			}
		}
	}
}
