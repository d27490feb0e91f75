package slack

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"thbot/bot"
)

func TestMrkdwn(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 5, 0, time.FixedZone("", 3600))
	for _, tt := range []struct {
		name string
		in   bot.Text
		want string
	}{
		{"plain", bot.T("Production is fine."), "Production is fine."},
		{"entities", bot.T("a < b && b > c &lt;"), "a &lt; b &amp;&amp; b &gt; c &amp;lt;"},
		{"a ping", bot.T("<!here> <!channel> <@U0ANA> <!subteam^S1> <#C1>"), "&lt;!here&gt; &lt;!channel&gt; &lt;@U0ANA&gt; &lt;!subteam^S1&gt; &lt;#C1&gt;"},
		{"emphasis", bot.T("*bold* _italic_ ~gone~ `code` ```block```"), "∗bold∗ ˍitalicˍ ∼gone∼ ˋcodeˋ ˋˋˋblockˋˋˋ"},
		{"a file name", bot.T("model/0031_add_index.py of __init__"), "model/0031_add_index.py of ˍˍinitˍˍ"},
		{"an underscore after an accent", bot.T("é_x_é"), "éˍxˍé"},
		{"quotes", bot.T("> a\n  >> b\nc > d"), "› a\n  ›› b\nc &gt; d"},
		{"line breaks", bot.T("a\r\nb\u2028c\rd"), "a\nb\nc\nd"},
		{"bidi and zero width", bot.T("a\u202eb\u2066c\u200bd\ufeffe\u00adf\x00g\x1b[1mh"), "abcdefg[1mh"},
		{"broken UTF-8", bot.T("a\xffb"), "a\ufffdb"},
		{"bold", bot.T(bot.Strong("Promote to production?"), " asked by ana"), "*Promote to production?* asked by ana"},
		{"bold next to a word", bot.T("pre", bot.Strong("x"), "post"), "pre\u200b*x*\u200bpost"},
		{"bold next to code", bot.T(bot.Strong("x"), bot.Fixed("y"), "."), "*x*\u200b`y`."},
		{"bold with markers", bot.T(bot.Strong(" *a* _b_\nc ")), "*∗a∗ ˍbˍ c*"},
		{"empty bold", bot.T("a", bot.Strong(" "), "b"), "ab"},
		{"code", bot.T("at ", bot.Fixed("9f8e7d6"), "."), "at `9f8e7d6`."},
		{"code with markers", bot.T(bot.Fixed("a `b` *c* <!here> & \n d")), "`a ˋbˋ *c* &lt;!here&gt; &amp;   d`"},
		{"empty code", bot.T(bot.Fixed("\n")), ""},
		{"link", bot.T(bot.To("Compare", "https://github.com/a/b?x=1&y=<2>|3")), "<https://github.com/a/b?x=1&amp;y=%3C2%3E%7C3|Compare>"},
		{"link with a tricky label", bot.T(bot.To("a|b>c *d*\n", "https://x.org/")), "<https://x.org/|a¦b&gt;c ∗d∗>"},
		{"link to elsewhere", bot.T(bot.To("x", "javascript:alert(1)"), bot.To("y", "//x.org"), bot.To("z", "https://me:pw@x.org"), bot.To("w", "http://")), "xyzw"},
		{"link without a label", bot.T(bot.To("", "https://x.org/")), ""},
		{"link with a line break", bot.T(bot.To("x", "https://x.org/a\nb")), "x"},
		{"link out of ASCII", bot.T(bot.To("x", "https://x.org/ж?q=ж\u202e")), "<https://x.org/%D0%B6?q=%D0%B6%E2%80%AE|x>"},
		{"link with a host out of ASCII", bot.T(bot.To("x", "https://ж.org/")), "x"},
		{"mention", bot.T(bot.At("U0ANA"), bot.At("W012")), "<@U0ANA><@W012>"},
		{"mention of no id", bot.T(bot.At("here"), " ", bot.At("U0ANA> <!here"), " ", bot.At("S0GROUP")), "@here @U0ANA&gt; &lt;!here @S0GROUP"},
		{"time of day", bot.T(bot.Time(noon)), "<!date^1795345205^{time}|11:00 UTC>"},
		{"date", bot.T(bot.Date(noon)), "<!date^1795345205^{date_short_pretty} {time}|2026-11-22 11:00 UTC>"},
		{"no time", bot.T(bot.Time(time.Time{})), "00:00 UTC"},
		{"an unknown style", bot.Text{{Style: "blink", Text: "*a*"}}, "∗a∗"},
	} {
		if got := mrkdwn(tt.in, maxText, false); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := mrkdwn(bot.T("a\nb", bot.Fixed("c")), maxText, true); got != "a b\u200b`c`" {
		t.Errorf("on one line: %q", got)
	}
}

func TestCuts(t *testing.T) {
	for _, tt := range []struct {
		in    bot.Text
		limit int
		want  string
	}{
		{bot.T("abc"), 3, "abc"},
		{bot.T("abcd"), 3, "ab…"},
		{bot.T("aa&"), 6, "aa…"},
		{bot.T("aa&"), 7, "aa&amp;"},
		{bot.T("аб🙂🙂"), 5, "аб🙂…"},
		{bot.T("a ", bot.Fixed("bcdefg")), 8, "a `bcd`…"},
		{bot.T("a ", bot.Fixed("bcdefg")), 6, "a `b`…"},
		{bot.T("a ", bot.Fixed("bcdefg")), 5, "a …"},
		{bot.T("a ", bot.Fixed("bcdefg"), " tail"), 4, "a …"},
		{bot.T("a ", bot.To("label", "https://x.org/")), 22, "a <https://x.org/|la>…"},
		{bot.T("a ", bot.To("label", "https://x.org/"), "tail"), 12, "a …"},
		{bot.T("ab", bot.At("U0ANA")), 8, "ab…"},
	} {
		got := mrkdwn(tt.in, tt.limit, false)
		if got != tt.want {
			t.Errorf("%v at %d: %q, want %q", tt.in, tt.limit, got, tt.want)
		}
		if units(got) > tt.limit {
			t.Errorf("%q is longer than %d", got, tt.limit)
		}
	}
	if got := cut("аб🙂🙂", 5); got != "аб🙂…" {
		t.Errorf("cut: %q", got)
	}
}

func TestTyped(t *testing.T) {
	for in, want := range map[string]string{
		"deploy prod":                                    "deploy prod",
		"access grant <@U0BEA|bea> why":                  "access grant <@U0BEA> why",
		"status <#C0123|9101>":                           "status #9101",
		"lock prod &lt;now&gt; &amp; &amp;lt; later":     "lock prod <now> & &lt; later",
		"see <https://x.org/a?b=1&amp;c=2>":              "see https://x.org/a?b=1&c=2",
		"see <http://x.org|x.org> <mailto:a@b.c|a@b.c>":  "see x.org a@b.c",
		"tell <!here|here> <!subteam^S0ADMINS|@admins>.": "tell @here <!subteam^S0ADMINS>.",
	} {
		if got := typed(in); got != want {
			t.Errorf("typed(%q) = %q, want %q", in, got, want)
		}
	}
}

var (
	ourTokens = regexp.MustCompile(`<@[UW][A-Z0-9]{2,30}>|<!date\^\d+\^(?:\{date_short_pretty\} )?\{time\}\|[-0-9: ]+ UTC>|<https?://[!-;=?-{}~]+\|[^<>|]+>`)
	entities  = regexp.MustCompile(`&(amp|lt|gt);`)
)

// harmless returns what is wrong with text that was rendered, or "".
func harmless(s string, mentions bool) string {
	rest := ourTokens.ReplaceAllStringFunc(s, func(token string) string {
		if strings.HasPrefix(token, "<@") && !mentions {
			return token
		}
		return ""
	})
	switch {
	case !utf8.ValidString(s):
		return "not UTF-8"
	case strings.ContainsAny(rest, "<>"):
		return "a bracket that is not ours"
	case strings.Contains(entities.ReplaceAllString(rest, ""), "&"):
		return "a bare ampersand"
	case strings.Count(rest, "`")%2 != 0:
		return "an open code span"
	case strings.ContainsFunc(strings.ReplaceAll(s, separator, ""), func(r rune) bool {
		return r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point)
	}):
		return "an invisible character"
	}
	return ""
}

var (
	nasty = rapid.SampledFrom([]string{"<", ">", "&", "*", "_", "~", "`", "|", "\n", "<!here>", "<@U0ANA>", "@channel", "&lt;", "\u202e", "\u200b",
		"https://x.org", "<https://x.org|y>", "🙂", "👩‍💻", "ж", " ", "a", "Z9", "\xff", "```", ">>>", "\r\n", "^", "{time}", "…"})
	anyString = rapid.OneOf(
		rapid.String(),
		rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(nasty, 0, 30).Draw(t, "nasty"), "") }),
		rapid.Custom(func(t *rapid.T) string {
			return strings.Repeat(nasty.Draw(t, "one"), rapid.SampledFrom([]int{1, 80, 400, 3001}).Draw(t, "times"))
		}))
	anyURL  = rapid.OneOf(anyString, rapid.Map(anyString, func(s string) string { return "https://x.org/" + s }))
	anySpan = rapid.Custom(func(t *rapid.T) bot.Span {
		return bot.Span{
			Style: rapid.SampledFrom([]bot.Style{bot.Plain, bot.Bold, bot.Code, bot.Link, bot.Mention, bot.Clock, bot.Day, "?"}).Draw(t, "style"),
			Text:  rapid.OneOf(anyString, rapid.Just("U0ANA")).Draw(t, "text"),
			URL:   anyURL.Draw(t, "url"),
			At:    time.Unix(rapid.Int64Range(-10, 4e9).Draw(t, "at"), 0),
		}
	})
	anyText = rapid.Map(rapid.SliceOfN(anySpan, 0, 3), func(s []bot.Span) bot.Text { return s })
)

func mentionsIn(t bot.Text) bool {
	for _, s := range t {
		if s.Style == bot.Mention {
			return true
		}
	}
	return false
}

func TestNoTextCanDoHarm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, limit, oneLine := anyText.Draw(t, "text"), rapid.IntRange(1, 3000).Draw(t, "limit"), rapid.Bool().Draw(t, "one line")
		got := mrkdwn(in, limit, oneLine)
		if wrong := harmless(got, mentionsIn(in)); wrong != "" {
			t.Fatalf("%s in %q", wrong, got)
		}
		if units(got) > limit {
			t.Fatalf("%d units, the limit is %d", units(got), limit)
		}
		if oneLine && strings.Contains(got, "\n") {
			t.Fatalf("more than one line: %q", got)
		}
	})
}

func FuzzPlainText(f *testing.F) {
	for _, s := range []string{"<!here>", "*a*", "> b", "a_b_c", "\u202e", "&amp;", "```x```"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := mrkdwn(bot.T(s), maxText, false)
		if wrong := harmless(got, false); wrong != "" {
			t.Fatalf("%s in %q", wrong, got)
		}
		if strings.ContainsAny(got, "*~`<>") {
			t.Fatalf("a marker in %q", got)
		}
		if regexp.MustCompile(`(^|[^A-Za-z0-9])_|_($|[^A-Za-z0-9])`).MatchString(got) {
			t.Fatalf("an underscore at the edge of a word in %q", got)
		}
		if regexp.MustCompile(`(?m)^\s*&gt;`).MatchString(got) {
			t.Fatalf("a quote in %q", got)
		}
	})
}

func FuzzWebAddress(f *testing.F) {
	for _, s := range []string{"https://x.org/a|b>c", "http://[::1]:8080/", "https://x.org/%zz", "https://x.org/?a=b&c=d#e f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := webAddress(s)
		if ok && (strings.ContainsAny(got, "<>|\"` \n\\") || !strings.HasPrefix(got, "http") || len(got) > 2000) {
			t.Fatalf("webAddress(%q) = %q", s, got)
		}
		if again, fine := webAddress(got); ok && (!fine || again != got) {
			t.Fatalf("webAddress(%q) = %q, and of that %q, %v", s, got, again, fine)
		}
	})
}
