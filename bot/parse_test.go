package bot_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"thbot/bot"
)

// words are commands as the bot has them, with every sort of argument.
var words = []bot.Info{
	{Name: "deploy", Aliases: []string{"promote"}, Args: []bot.Arg{
		{Name: "environment", Doc: "an environment", Example: "prod", Words: []bot.Word{
			{Name: "production", Aliases: []string{"prod"}}, {Name: "stage"}, {Name: "prototype", Aliases: []string{"proto"}}}},
		{Name: "commit", Doc: "a commit", Example: "9f8e7d6", Optional: true, Check: func(v string) string {
			if len(v) < 7 || strings.Trim(v, "0123456789abcdef") != "" {
				return "is not a commit; commits look like 9f8e7d6, 7 to 40 of the digits 0-9 and a-f"
			}
			return ""
		}},
	}},
	{Name: "status"},
	{Name: "tell", Args: []bot.Arg{{Name: "who", Doc: "a person", Example: "ana"}}},
	{Name: "help", Args: []bot.Arg{{Name: "command", Doc: "a command", Example: "deploy", Optional: true}}},
}

func TestParse(t *testing.T) {
	const (
		known = " What I know: /th help."
		usage = " there, so nothing was done. It is /th deploy <environment> [<commit>]."
		envs  = "The ones I know: production, stage, prototype."
		sha   = "9f8e7d6"
	)
	long := strings.Repeat("ab", 100)
	for _, test := range []struct {
		name, text string
		want       string // "command argument=value", or
		refusal    string
	}{
		// What is understood.
		{"nothing", "", "", ""},
		{"only spaces", " \t\u00a0 ", "", ""},
		{"only empty lines", "\n\n", "", ""},
		{"a command", "status", "status", ""},
		{"an argument", "deploy production", "deploy environment=production", ""},
		{"an optional argument", "deploy production " + sha, "deploy commit=" + sha + " environment=production", ""},
		{"an alias of a command", "promote production", "deploy environment=production", ""},
		{"an alias of a word", "deploy proto", "deploy environment=prototype", ""},
		{"case", "DePLOY PROD 9F8E7D6", "deploy commit=" + sha + " environment=production", ""},
		{"spaces", "  deploy \t  prod   ", "deploy environment=production", ""},
		{"non-breaking and other spaces", "deploy\u00a0prod\u2003\u202f" + sha + "\u3000", "deploy commit=" + sha + " environment=production", ""},
		{"a line break at the end", "deploy prod\n", "deploy environment=production", ""},

		// What is not.
		{"an unknown word", "xyzzy", "", "I do not know xyzzy, so nothing was done." + known},
		{"an unknown word near a command", "depoly prod", "", "I do not know depoly, so nothing was done. Did you mean /th deploy?" + known},
		{"an unknown word near an alias", "promot", "", "I do not know promot, so nothing was done. Did you mean /th promote?" + known},
		{"the beginning of a command", "dep prod", "", "I do not know dep, so nothing was done. Did you mean /th deploy?" + known},
		{"one letter", "d", "", "I do not know d, so nothing was done." + known},
		{"a shout near a command", "STAUTS", "", "I do not know STAUTS, so nothing was done. Did you mean /th status?" + known},
		{"a missing argument", "deploy", "", "deploy needs an environment. Nothing was done. Send for example /th deploy prod."},
		{"a missing argument, by alias", "promote", "", "deploy needs an environment. Nothing was done. Send for example /th deploy prod."},
		{"a missing argument without words", "tell", "", "tell needs a person. Nothing was done. Send for example /th tell ana."},
		{"an unknown value", "deploy moon", "", "moon is not an environment, so nothing was done. " + envs},
		{"an unknown value near one", "deploy stgae", "", "stgae is not an environment, so nothing was done. Did you mean /th deploy stage? " + envs},
		{"an unknown value near two", "deploy pro", "", "pro is not an environment, so nothing was done. Did you mean /th deploy production or /th deploy prod or /th deploy prototype or /th deploy proto? " + envs},
		{"a value in the wrong place", "deploy " + sha, "", sha + " is not an environment, so nothing was done. " + envs},
		{"a value that is not right", "deploy prod master", "", "master is not a commit; commits look like 9f8e7d6, 7 to 40 of the digits 0-9 and a-f. Nothing was done."},
		{"a value in other letters", "deploy prod ＡＢＣＤＥＦ１", "", "ＡＢＣＤＥＦ１ is not a commit; commits look like 9f8e7d6, 7 to 40 of the digits 0-9 and a-f. Nothing was done."},
		{"too many words", "deploy prod " + sha + " now please", "", "I do not understand now please" + usage},
		{"too many words for a command without arguments", "status prod", "", "I do not understand prod there, so nothing was done. It is /th status."},
		{"two commands", "deploy prod deploy stage", "", "deploy is not a commit; commits look like 9f8e7d6, 7 to 40 of the digits 0-9 and a-f. Nothing was done."},
		{"several lines", "deploy prod\nthanks", "", "A command is a single line. Nothing was done."},
		{"several lines, for old", "deploy prod\rthanks", "", "A command is a single line. Nothing was done."},
		{"quoted", "> deploy prod", "", "I do not know >, so nothing was done." + known},
		{"in backticks", "`deploy prod`", "", "I do not know `deploy, so nothing was done. Did you mean /th deploy?" + known},
		{"a command within a word", "redeploys", "", "I do not know redeploys, so nothing was done." + known},
		{"a sentence", "please deploy prod", "", "I do not know please, so nothing was done." + known},

		// Very long and hostile.
		{"a long word", long, "", "I do not know " + long[:40] + "…, so nothing was done." + known},
		{"a long value", "deploy " + long, "", long[:40] + "… is not an environment, so nothing was done. " + envs},
		{"a long value that is checked", "deploy prod x" + long, "", "x" + long[:39] + "… is not a commit; commits look like 9f8e7d6, 7 to 40 of the digits 0-9 and a-f. Nothing was done."},
		{"many words too many", "status " + strings.Repeat("a ", 100), "", "I do not understand " + strings.Repeat("a ", 20) + "… there, so nothing was done. It is /th status."},
		{"long letters", strings.Repeat("𝄞", 50), "", "I do not know " + strings.Repeat("𝄞", 40) + "…, so nothing was done." + known},
		{"a mention", "<!channel>", "", "I do not know <!channel>, so nothing was done." + known},
		{"a zero-width space", "deploy\u200bprod", "", "I do not know deploy\u200bprod, so nothing was done." + known},
		{"text from right to left", "\u202estatus", "", "I do not know \u202estatus, so nothing was done. Did you mean /th status?" + known},
		{"no text at all", "\x00\xff\xfe", "", "I do not know \x00\xff\xfe, so nothing was done." + known},
		{"a letter that grows when it is made small", "İİİ", "", "I do not know İİİ, so nothing was done." + known},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, refusal := bot.Parse("/th", test.text, words)
			got := ""
			if refusal != nil {
				got = refusal.Error()
			}
			if got != test.refusal {
				t.Errorf("Parse(%q) refuses:\n%q, want\n%q", test.text, got, test.refusal)
			}
			if refusal == nil && canonical(p) != test.want {
				t.Errorf("Parse(%q) = %q, want %q", test.text, canonical(p), test.want)
			}
			if refusal == nil {
				return
			}
			// What was typed is shown as it is, in a span that can do nothing.
			for _, span := range refusal.Text {
				if span.Style != bot.Code && strings.ContainsAny(span.Text, "<>`\u202e\u200b\x00") {
					t.Errorf("what was typed stands in plain text: %q", span.Text)
				}
			}
		})
	}
}

func canonical(p bot.Parsed) string {
	text := p.Name
	for _, name := range slices.Sorted(maps.Keys(p.Args)) {
		text += " " + name + "=" + p.Args[name]
	}
	return text
}

func TestNearest(t *testing.T) {
	known := []string{"production", "prod", "stage", "prototype", "proto", "tc", "a1", "a2", "a3", "a4", "a5", "a6"}
	for typed, want := range map[string]string{
		"prod":                           "prod production", // itself first
		"prdo":                           "prod",
		"PRDO":                           "prod",
		"stag":                           "stage",
		"tsage":                          "stage",
		"ct":                             "tc",
		"prt":                            "",
		"a":                              "a1 a2 a3 a4 a5", // at most five
		"moon":                           "",
		"":                               "",
		strings.Repeat("production", 10): "",
	} {
		if got := strings.Join(bot.Nearest(typed, known), " "); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", typed, got, want)
		}
	}
}

// FuzzParse: nothing makes it panic, a refusal says something and sets nothing,
// what it understood is understood the same in its own words, and no keyword
// has become a part of a value.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"", "deploy prod", "promote PROTO 9F8E7D6", "depoly", "tell İ", "status\nnow", "deploy\u00a0stage", "\xff", "tell \u1e9e", "help x y",
		"lock prod for 2h until 18:00 x", "lock prod --until 2026-12-01 18:00 Moving  on", "lock prod — for x", "ship prod force y", "ship prod 9f8e7d6 – force for 2h",
		"history <@U0ANA|ana> 5", "find bug 1790001", "notify me on", "mute disk for 2 d", "page It is down", "mute - for 1d", "lock prod \u200bfor 2h x"} {
		f.Add(text)
	}
	all := slices.Concat(words, more)
	f.Fuzz(func(t *testing.T, text string) {
		p, refusal := bot.Parse("/th", text, all)
		if refusal != nil {
			if p.Name != "" || p.Args != nil {
				t.Errorf("Parse(%q) refuses and understands %q", text, canonical(p))
			}
			if refusal.Error() == "" {
				t.Errorf("Parse(%q) refuses without a word", text)
			}
			if said := refusal.Error(); utf8.RuneCountInString(said) > 500 {
				t.Errorf("Parse(%q) refuses with %d characters", text, utf8.RuneCountInString(said))
			}
			return
		}
		again := p.Name
		for _, c := range all {
			for _, arg := range c.Args {
				v, ok := p.Args[arg.Name]
				if !ok || c.Name != p.Name {
					continue
				}
				if word, _, _ := strings.Cut(strings.ToLower(v), " "); slices.ContainsFunc(c.Args, func(a bot.Arg) bool { return a.After == word && word != "" }) {
					t.Errorf("Parse(%q): the %s is %q", text, arg.Name, v)
				}
				if arg.Person {
					v = "<@" + v + ">"
				}
				again += strings.TrimRight(" "+arg.After, " ") + " " + v
			}
		}
		q, refusal := bot.Parse("/th", again, all)
		if refusal != nil || canonical(q) != canonical(p) {
			t.Errorf("Parse(%q) = %q, but Parse(%q) = %q, %v", text, canonical(p), again, canonical(q), refusal)
		}
	})
}
