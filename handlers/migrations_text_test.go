package handlers

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"thbot/handlers/migrations"
)

// oddNames are names that nobody should give a migration.
var oddNames = []string{
	"0001_initial", "0016_enforce repository name uniqueness", "", "-rf", "--fake", "it's", `"`, `\`, `a\'b`, "*/", "a\nb", "$(reboot)", "`reboot`", "a;b", "#", "a: b", "~",
	"'; DROP TABLE django_migrations; -- ", "ü", "\u202etxt.exe", "\x1b[2J", "{{", "yes", "null", "1e3",
}

// TestShell lets a shell read what people would copy.
func TestShell(t *testing.T) {
	for _, name := range oddNames {
		out, err := exec.CommandContext(t.Context(), "bash", "-c", "printf %s= x "+shell(name)).Output()
		if want := "x=" + name + "="; err != nil || string(out) != want {
			t.Errorf("%q is written %s, which is read as %q: %v", name, shell(name), out, err)
		}
		for _, r := range shell(name) {
			if r < ' ' || r > '~' || r == '`' {
				t.Errorf("%q is written %q, of which the chat would lose something", name, shell(name))
			}
		}
	}
	if got := shell("0001_initial"); got != "0001_initial" {
		t.Errorf("what needs no quotes is written %s", got)
	}
}

// TestBaseline reads what people would copy as the configuration is read.
func TestBaseline(t *testing.T) {
	c := comparison{}
	var want []string
	for _, name := range oddNames {
		m := migrations.Migration{App: "model", Name: name}
		c.Orphans = append(c.Orphans, migrations.Row{Migration: m})
		want = append(want, m.String())
	}
	parts := c.baseline()
	text := parts[len(parts)-1].Text.String()
	var read []string
	if err := yaml.Unmarshal([]byte(text), &read); err != nil || !slices.Equal(read, want) {
		t.Errorf("%s\nis read as %q: %v", text, read, err)
	}
	if strings.ContainsAny(text, "`\x1b\u202e") {
		t.Errorf("the chat would lose something of %q", text)
	}
}

func TestScript(t *testing.T) {
	lines := []string{"one", "two", "three", "four"}
	for room, want := range map[int]string{100: "one\ntwo\nthree\nfour", 19: "one\ntwo\nthree\nfour", 18: "one\ntwo\nthree\n-- and 1 more", 5: "one\n-- and 3 more", 0: "-- and 4 more"} {
		if got := script(lines, "--", room).Text.String(); got != want {
			t.Errorf("with room for %d:\n%s\nwant:\n%s", room, got, want)
		}
	}
	if lines[1] != "two" {
		t.Error("the lines are changed")
	}
}
