package migrations

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// report shows all that was read of a file.
func report(f File) string {
	var b strings.Builder
	for _, l := range []struct {
		name string
		list []Migration
	}{{"depends on", f.Dependencies}, {"runs before", f.RunBefore}, {"replaces", f.Replaces}} {
		for _, m := range l.list {
			fmt.Fprintln(&b, l.name, m)
		}
	}
	for _, s := range f.Swappable {
		fmt.Fprintln(&b, "depends on", s)
	}
	for _, s := range f.Untold {
		fmt.Fprintln(&b, "untold:", s)
	}
	if f.NotAtomic {
		fmt.Fprintln(&b, "not atomic")
	}
	for _, e := range f.Effects() {
		fmt.Fprintf(&b, "%d\t%-8s %s: %s\n", e.Line, e.Level, e.Operation, e.What)
	}
	return b.String()
}

// TestRead reads whole files. With UPDATE set it writes what was read, for a
// person to look over.
func TestRead(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.py")
	if err != nil || len(paths) == 0 {
		t.Fatal("no files", err)
	}
	for _, path := range paths {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Read(source)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		want := strings.TrimSuffix(path, ".py") + ".txt"
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(want, []byte(report(f)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		expected, err := os.ReadFile(want)
		if err != nil {
			t.Fatal(err)
		}
		if got := report(f); got != string(expected) {
			t.Errorf("%s says\n%s\nwant\n%s", path, got, expected)
		}
		windows, err := Read([]byte("\ufeff" + strings.ReplaceAll(string(source), "\n", "\r\n")))
		if err != nil || !reflect.DeepEqual(windows, f) {
			t.Errorf("%s with Windows' ends of lines says\n%s\n%v", path, report(windows), err)
		}
	}
}

func TestUnreadable(t *testing.T) {
	for source, want := range map[string]string{
		"":                               "cannot be read: it has no class Migration",
		"class Migrations: pass":         "cannot be read: it has no class Migration",
		"if x:\n  class Migration: pass": "cannot be read: it has no class Migration",
		"x = 'a\n'":                      "cannot be read: line 1: a string is not closed",
		"\nx = '''a\n":                   "cannot be read: line 2: a string is not closed",
		"x = f'{a'":                      "cannot be read: line 1: a string is not closed",
		"x = f'{a:'":                     "cannot be read: line 1: a field of a string is not closed",
		"x = (1,\n":                      `cannot be read: line 3: the bracket '(' is not closed`,
		"x = [1)":                        `cannot be read: line 1: the bracket ')' closes none`,
		"x = ]":                          `cannot be read: line 1: the bracket ']' closes none`,
		"x = $":                          `cannot be read: line 1: the character '$' has no meaning there`,
		"x = \\ 1":                       "cannot be read: line 1: a backslash that does not end its line",
		"x = \xff":                       "cannot be read: it is not UTF-8",
		"x\x00":                          "cannot be read: it has a NUL byte",
		strings.Repeat("(", 201):         "cannot be read: line 1: more than 200 brackets are open",
		strings.Repeat("f'{", 300):       "cannot be read: line 1: strings nest more than 200 deep",
		strings.Repeat("#", Largest+1):   "cannot be read: it has more than 262144 bytes",
	} {
		f, err := Read([]byte(source))
		var u *Unreadable
		if !errors.As(err, &u) || err.Error() != want {
			t.Errorf("Read(%.30q) says %v, want %s", source, err, want)
		}
		if !f.Level().Dangerous() || len(f.Untold) == 0 || !f.NotAtomic {
			t.Errorf("Read(%.30q) takes it for harmless: %+v", source, f)
		}
	}
}

// TestDynamic reads classes whose operations code may change. None of them
// may be taken for harmless.
func TestDynamic(t *testing.T) {
	const head = "from django.db import migrations\nclass Migration(migrations.Migration):\n"
	for _, source := range []string{
		head + " operations = build()",
		head + " operations = [] + build()",
		head + " operations = build() + []",
		head + " operations = [] if X else []",
		head + " operations = []\n operations += build()",
		head + " operations = []\n operations.append(x)",
		head + " operations = other = []\n",
		head + " operations = []\n if X:\n  operations = [x]",
		head + " operations = []\n def apply(self): pass",
		head + " operations = [x]",
		head + " operations = [*x]",
		head + " operations = [x for x in y]",
		head + " operations = [migrations.CreateModel('A', [])]\n" + "Migration.operations.append(x)",
		head + " operations = []\nchange(Migration)",
		head + " operations = []\nMigration = change(Migration)",
		head + " operations = []\nclass Migration(migrations.Migration):\n pass",
		"from django.db import migrations\n@changed\nclass Migration(migrations.Migration):\n operations = []",
		"from django.db import migrations\nclass Migration(Other, migrations.Migration):\n operations = []",
		"from other import migrations\nclass Migration(migrations.Migration):\n operations = []",
		"from django.db import migrations\nmigrations = x\nclass Migration(migrations.Migration):\n operations = []",
		"class Migration:\n operations = []",
		"class Migration",
		"try:\n from south import migrations\nexcept ImportError:\n from django.db import migrations\nclass Migration(migrations.Migration): operations = []",
		"try:\n from django.db import migrations\nexcept ImportError:\n from south import migrations\nclass Migration(migrations.Migration): operations = []",
	} {
		f, err := Read([]byte(source))
		if err != nil {
			t.Errorf("%s\n%v", source, err)
		} else if !f.Level().Dangerous() {
			t.Errorf("This is taken for harmless:\n%s\n%s", source, report(f))
		}
	}
	for _, source := range []string{
		head + " pass",
		head + " operations = []",
		head + " operations = [] + [migrations.CreateModel('A', [])]",
		head + " 'says'; operations = []; initial = True; atomic = False",
		head + " other = [x for x in y]\n operations = ()",
		"import django.db.migrations\nclass Migration(django.db.migrations.Migration): operations = []",
		"import django.db.migrations as m\nclass Migration(m.Migration): pass; operations = [m.CreateModel('A', [])]",
		"from django.db.migrations import (Migration as Base,)\nclass Migration(Base): operations = []",
	} {
		if f, err := Read([]byte(source)); err != nil || f.Level().Dangerous() {
			t.Errorf("This is taken for dangerous:\n%s\n%s%v", source, report(f), err)
		}
	}
}

// TestLong reads long files that would be slow if anything in them were read
// again and again.
func TestLong(t *testing.T) {
	const head = "from django.db import migrations\nclass Migration(migrations.Migration):\n operations = "
	for _, s := range []string{
		"a.", "1e+", "'a'", "a=", "a;", "a,", "x[0]", "f'{a:{b}}'", "(((((a)))))+", "[x]+", "\\", "é", "from a.b import c as d\n",
		"migrations.X(a='b'),", "f'{", "b'''", "@", "class Migration:pass\n",
	} {
		for _, front := range []string{"", "from ", head, head + "["} {
			source := front + strings.Repeat(s, (Largest/16-len(front)-1)/len(s))
			if strings.HasSuffix(front, "[") {
				source += "]"
			}
			if f, err := Read([]byte(source)); err == nil && !f.Level().Dangerous() {
				t.Errorf("%q behind %q is taken for harmless", s, front)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	paths, _ := filepath.Glob("testdata/*.py")
	for _, path := range paths {
		source, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
	}
	for _, s := range []string{`f"{a["b"]:{c}!r}" rb'\'' "\N{DASH}\x4"`, "class Migration(", "class Migration:;;operations=\\\n[()][{}]", "0x_e+1.e-2j ...;", "a:=[,]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		file, err := Read(source)
		var u *Unreadable
		if err != nil && !errors.As(err, &u) {
			t.Errorf("another kind of error: %v", err)
		}
		if err != nil && !file.Level().Dangerous() {
			t.Error("unreadable, and taken for harmless")
		}
		for _, o := range file.Operations {
			if (o.Dynamic || o.Foreign) && !o.StateOnly && !o.Effect().Level.Dangerous() {
				t.Errorf("taken for harmless: %+v", o)
			}
			if strings.Count(string(source), o.Class) == 0 {
				t.Errorf("there is no %s in it", o.Class)
			}
		}
	})
}
