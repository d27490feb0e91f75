package mysql

import "testing"

// hostileText are names that nobody should give a migration.
var hostileText = []string{
	"it's", "''", "'", `\`, `\'`, `a\`, `a\\'b`, "'; DROP TABLE django_migrations; -- ", "' OR 1=1 #", "*/ '*/ /*", `"`, "`", "```", "a\nb", "a\r\n-- b",
	"nul\x00nul", "\x1a", "\t", "ü’", "\u202etxt.exe", "\u200b", "%", "_", "?", ";", "$(reboot)", "<!channel>",
}

func TestLiteral(t *testing.T) {
	for s, want := range map[string]string{
		"":                             "''",
		"0001_initial":                 "'0001_initial'",
		"0016_enforce repository name": "'0016_enforce repository name'",
		"it's":                         "'it''s'",
		"''":                           "''''''",
		"'; DROP TABLE x; -- ":         "'''; DROP TABLE x; -- '",
		"*/":                           "'*/'",
		`a\`:                           "X'615C'",
		`\'`:                           "X'5C27'",
		"a`b":                          "X'616062'",
		"a\nb":                         "X'610A62'",
		"\x00":                         "X'00'",
		"ü":                            "X'C3BC'",
		"\u202e":                       "X'E280AE'",
		"\xff":                         "X'FF'",
	} {
		if got := Literal(s); got != want {
			t.Errorf("Literal(%q) is %s, want %s", s, got, want)
		}
	}
}
