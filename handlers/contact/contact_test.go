package contact

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// brief is a list of mentions in one line.
func brief(ms []Mention) string {
	var all []string
	for _, m := range ms {
		switch {
		case m.Group:
			all = append(all, "group "+m.ID)
		case m.ID != "":
			all = append(all, m.ID)
		default:
			all = append(all, "@"+m.Name)
		}
	}
	return strings.Join(all, " ")
}

func TestDefault(t *testing.T) {
	for _, tt := range []struct{ topic, main, backups string }{
		{"Main contact: <@U1A2>", "U1A2", ""},
		{"cloudOps main contact: @ana | deploys: Tuesdays, <@U9EVE>", "@ana", ""},
		{"Main contact: <@U1A2>, backup <@U2B3>", "U1A2", "U2B3"},
		{"Main contact: @ana, secondary @bea", "@ana", "@bea"},
		{"Main contact: @ana backup @bea", "@ana", "@bea"},
		{"Main contact: @ana (backup: @bea)", "@ana", "@bea"},
		{"Main contact: @ana, second contact: @bea, sheriff @eve", "@ana", "@bea"},
		{"Main contact: <@U1A2>, deputies <@U2B3>, <@U3C4>", "U1A2", "U2B3 U3C4"},
		{"Main contact is @ana; backups: @bea and @cid", "@ana", "@bea @cid"},
		{"Main contact is now @ana", "@ana", ""},
		{"main contact until 2026-12-01: @ana", "@ana", ""},
		{"Main contact this week: <@U1A2|ana>", "U1A2", ""},
		{"Main contact (this week): @ana | Backup: @bea", "@ana", "@bea"},
		{"Main contact for Treeherder – @ana / @bea", "@ana @bea", ""},
		{"Main contact for Treeherder: <@U1A2>", "U1A2", ""},
		{"*Main contact* → :pager: @ana", "@ana", ""},
		{"*Main contact:* @ana", "@ana", ""},
		{"Main contact -&gt; @ana", "@ana", ""},
		{"Main contact-&gt;@ana", "@ana", ""},
		{"Primary on-call: @ana, secondary: @bea", "@ana", "@bea"},
		{"Primary oncall = @ana; secondary on call = @bea", "@ana", "@bea"},
		{"cloudOps contact: @ana", "@ana", ""},
		{"cloudops on-call: <@U1A2>", "U1A2", ""},
		{"CloudOps' contacts: <@U1A2>, <@U2B3>", "U1A2 U2B3", ""},
		{"@ana (main contact), @bea (backup)", "@ana", "@bea"},
		{"<@U1A2> (main contact, EU), <@U2B3> (backup, US)", "U1A2", "U2B3"},
		{"@ana is the main contact, @bea is the backup", "@ana", "@bea"},
		{"Sheriff: <@U9EVE> (main contact: <@U1A2>)", "U1A2", ""},
		{"Backup: <@U2B3> | Main contact: <@U1A2>", "U1A2", "U2B3"},
		{"backup: <@U2B3> main contact: <@U1A2>", "U1A2", "U2B3"},
		{"Main contact: <!subteam^S0OPS|@cloudops-oncall>, backup <!subteam^S0SRE>", "group S0OPS", "group S0SRE"},
		{"Contact: @ana", "@ana", ""},
		{"Deploys on Tuesday. On-call: @ana", "@ana", ""},
		{"On call this week: <@U1A2>", "U1A2", ""},
		{"Contact: <@U9EVE> | Main contact: <@U1A2>", "U1A2", ""},
		{"Treeherder ops <https://treeherder.mozilla.org/docs|docs> | main contact: <@U1A2> <@U2B3> | <@U9EVE>", "U1A2 U2B3", ""},
		{"Main contact: @Ana Lima, @Bea Cruz (EU) and @Cid", "@Ana @Bea @Cid", ""},
		{"Main contact: <@U1A2> (EU), <@U2B3> (US)", "U1A2 U2B3", ""},
		{"Main contact: <@U1A2> and <@U1A2>, backup <@U1A2>, <@U2B3>, <@U2B3>", "U1A2", "U2B3"},
		{"Main contact: @ana, @Ana", "@ana", ""},
		{"Main contact:\u00a0\u200b<@U1A2>\u200b,\u00a0backup\u00a0<@U2B3>", "U1A2", "U2B3"},
		{"Main\u00a0contact:\n<@U1A2>", "", ""},
		{"Releases: none\nMain contact: <@U1A2>\nBackup: <@U2B3>\nRetired: <@U9EVE>", "U1A2", "U2B3"},
		{"R&amp;D &lt;3 main contact: @ana &amp; @bea", "@ana @bea", ""},
		{"MAIN CONTACT: @Ana.Lima.", "@Ana.Lima", ""},
		{"Main contact: @björn-öst_2, backup @d’arcy", "@björn-öst_2", "@d’arcy"},
		{"Main contact: Ana Lima (<@U1A2>), backup: Bea (@bea)", "U1A2", "@bea"},
		{"First contact: <@W1A2B3>", "W1A2B3", ""},
		{"Main point of contact: @ana", "@ana", ""},

		{"", "", ""},
		{"Treeherder's operations", "", ""},
		{"Main contact: tbd", "", ""},
		{"Main contact: tbd, sheriff: <@U9EVE>", "", ""},
		{"Main contact: nobody, backup: <@U2B3>", "", "U2B3"},
		{"Main contact: nobody | Backup: @bea", "", "@bea"},
		{"Main contact: ana", "", ""},
		{"Main contact: ana@example.org", "", ""},
		{"Main contact: <mailto:ana@example.org|ana@example.org>", "", ""},
		{"Main contact: &lt;@U1A2&gt;", "", ""},
		{"Main contact: tbd (ask <@U9EVE>)", "", ""},
		{"Main contact: <!here>", "", ""},
		{"Main contact: <#C0OPS|ops>", "", ""},
		{"Main contact: <@u1a2>, <@U2B3>", "", ""},
		{"Sheriff: <@U9EVE>", "", ""},
		{"Emergency contact: <@U9EVE>", "", ""},
		{"Contact for Jenkins: <@U9EVE>", "", ""},
		{"DB backups: <@U9EVE>", "", ""},
		{"domain contact: <@U9EVE>", "", ""},
	} {
		f := Parse(nil, tt.topic)
		if brief(f.Main) != tt.main || brief(f.Backups) != tt.backups {
			t.Errorf("%q\n  main %q, want %q; backups %q, want %q; %s", tt.topic, brief(f.Main), tt.main, brief(f.Backups), tt.backups, f.Wrong)
		}
		if (f.Wrong == "") != (tt.main != "") {
			t.Errorf("%q\n  main %q, and wrong is %q", tt.topic, brief(f.Main), f.Wrong)
		}
	}
}

// The examples in Default's comment are true.
func TestEveryExampleNamesAna(t *testing.T) {
	for _, topic := range examples(t) {
		if f := Parse(nil, topic); brief(f.Main) != "@ana" && brief(f.Main) != "@ana @bea" && brief(f.Main) != "@cloudops-oncall" {
			t.Errorf("%q: main %q; %s", topic, brief(f.Main), f.Wrong)
		}
	}
}

func TestMentions(t *testing.T) {
	for topic, want := range map[string]Found{
		"Main contact: <@U1A2|ana>, <!subteam^S0OPS|@cloudops>, backup <@U2B3>": {
			Main:    []Mention{{ID: "U1A2", Name: "ana"}, {ID: "S0OPS", Group: true, Name: "cloudops"}},
			Backups: []Mention{{ID: "U2B3"}},
		},
		"Main contact: @Ana Maria Lima Reis, backup @bea on weekends only": {
			Main:    []Mention{{Name: "Ana", Longer: []string{"Ana Maria Lima", "Ana Maria"}}},
			Backups: []Mention{{Name: "bea", Longer: []string{"bea on weekends", "bea on"}}},
		},
		"Main contact: @Ana Lima (EU), backup @bea": {
			Main:    []Mention{{Name: "Ana", Longer: []string{"Ana Lima"}}},
			Backups: []Mention{{Name: "bea"}},
		},
	} {
		if diff := cmp.Diff(want, Parse(nil, topic)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", topic, diff)
		}
	}
}

func TestWrong(t *testing.T) {
	for topic, want := range map[string]string{
		"":                                      "The topic is empty.",
		" \u200b ":                              "The topic is empty.",
		"Deploys on Tuesdays":                   "The topic does not say who the main contact is.",
		"Sheriff: <@U9EVE>":                     "The topic names people, but nobody as the main contact.",
		"Sheriff: @eve":                         "The topic names people, but nobody as the main contact.",
		"Backup: <@U2B3>":                       "The topic names backups, but no main contact.",
		"Docs | main contact: R&amp;D | @eve":   "The topic says “main contact: R&D”, which names nobody: people are named with an @.",
		"Main contact: Ana (ana@example.org)":   "The topic says “Main contact: Ana (ana”, which names nobody: people are named with an @.",
		"Main contact: cloudOps (see <#C0OPS>)": "The topic says “Main contact: cloudOps (see”, which names nobody: people are named with an @.",
	} {
		if f := Parse(nil, topic); f.Wrong != want+advice || f.Main != nil {
			t.Errorf("%q: %+v, want %q", topic, f, want)
		}
	}
	if f := Parse(nil, strings.TrimPrefix(advice, " It should say, for example: ")); brief(f.Main) != "@name" || brief(f.Backups) != "@other" {
		t.Errorf("who follows the advice is not understood: %+v", f)
	}
}

func TestPatterns(t *testing.T) {
	for _, tt := range []struct{ pattern, topic, main, backups string }{
		{"", "Main contact: @ana, backup: @bea", "@ana", "@bea"},
		{`^On duty: (?P<main>.*?) then (?P<backup>.*)$`, "On duty: <@U1A2> and @cid then <@U2B3> or <@U3C4|dov>", "U1A2 @cid", "U2B3 U3C4"},
		{`(?P<main_else>.*)`, "whoever: <@U1A2>, <!subteam^S0OPS>", "U1A2 group S0OPS", ""},
		{`ops=(?P<main>\S+)|any=(?P<main_else>\S+)`, "any=@eve ops=@ana", "@ana", ""},
		{`ops=(?P<main>\S+)|any=(?P<main_else>\S+)`, "any=@eve ops=ana", "@eve", ""},
		{`(?P<main>contact)`, "the contact: <@U1A2>", "", ""},
		{`(?P<main>.*)`, "ana@example.org &lt;@U1A2&gt; x@y <@U1A2", "", ""},
	} {
		re, err := Compile(tt.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if f := Parse(re, tt.topic); brief(f.Main) != tt.main || brief(f.Backups) != tt.backups {
			t.Errorf("%s on %q: main %q, backups %q", tt.pattern, tt.topic, brief(f.Main), brief(f.Backups))
		}
	}
	for pattern, want := range map[string]string{
		`main contact: (<@\w+>)`:         "a group (?P<main>…)",
		`main contact: (?P<backup>.*)`:   "a group (?P<main>…)",
		`main contact: (?P<main>.*`:      "no regular expression: ",
		`main contact: (?P<main>(?=<@))`: "no regular expression: ",
	} {
		if _, err := Compile(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", pattern, err, want)
		}
	}
}

// Whatever a topic says, nobody is made up, nobody named twice, and it is said
// what is wrong exactly when nobody is the main contact.
func TestOnlyWhatStandsThere(t *testing.T) {
	pieces := rapid.SampledFrom([]string{"main contact", "Main contact: ", "backup ", "backups: ", "cloudOps contact", "on-call", "contact: ", " is ", "(", ")", " | ", ", ",
		";", ":", "\n", "\u00a0", "\u200b", "\u202e", "<", ">", "@", "|", "<@U1A2>", "<@U1A2|ana>", "<@U2B3", "@U2B3>", "<!subteam^S0OPS|@ops>", "<!here>", "&lt;@U3C4&gt;",
		"&amp;", "&gt;", "@ana", "@Ana", " Lima", "@björn.", "ana@example.org", "<mailto:a@b.org|a@b.org>", "\xff", "e\u0301", "*", "this week"})
	liberal := regexp.MustCompile(`(?s)(?P<main>.{0,40}?)(?:;|$)|(?P<backup>b.*)`)
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.OneOf(pieces, rapid.StringN(0, 4, -1)), 0, 14).Draw(t, "parts")
		topic := strings.Join(parts, "")
		for _, pattern := range []*regexp.Regexp{nil, liberal} {
			f := Parse(pattern, topic)
			stands := readable(topic)
			var seen []Mention
			for _, m := range slices.Concat(f.Main, f.Backups) {
				if slices.ContainsFunc(seen, m.same) {
					t.Fatalf("%q names %+v twice: %+v", topic, m, f)
				}
				seen = append(seen, m)
				sign := "@" + m.Name
				switch {
				case m.Group:
					sign = "<!subteam^" + m.ID
				case m.ID != "":
					sign = "<@" + m.ID
				}
				for _, want := range append([]string{sign}, m.Longer...) {
					if !strings.Contains(stands, want) {
						t.Fatalf("%q does not say %q of %+v", topic, want, m)
					}
				}
			}
			if (len(f.Main) == 0) != (f.Wrong != "") {
				t.Fatalf("%q: %+v", topic, f)
			}
		}
	})
}

// What else stands in the topic makes no difference.
func TestOtherParts(t *testing.T) {
	other := rapid.StringMatching(`[a-zA-Z0-9 .!?/éß-]{0,30}`)
	rapid.Check(t, func(t *rapid.T) {
		topic := other.Draw(t, "before") + " | Main contact: <@U1A2>, backup <@U2B3> | " + other.Draw(t, "after")
		if f := Parse(nil, topic); brief(f.Main) != "U1A2" || brief(f.Backups) != "U2B3" {
			t.Fatalf("%q: %+v", topic, f)
		}
	})
}
