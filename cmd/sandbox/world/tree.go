package world

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Change is what a commit does to one file: it writes it, edits it, moves it
// or takes it away. [Write], [Edit], [Rename], [Remove] and [Migration] make one.
type Change struct {
	Path string `yaml:"path"`
	// From is where the file was, if it is renamed. Text, or Replace and With,
	// change it at the same time; half of it must stay, or GitHub takes it for
	// another file.
	From    string `yaml:"from"`
	Text    string `yaml:"text"`    // all of the file from now on; a renamed one has no empty text
	Replace string `yaml:"replace"` // what is there once,
	With    string `yaml:"with"`    // and what is there instead from now on
	Remove  bool   `yaml:"remove"`
}

// Write adds a file, or replaces all of it.
func Write(file, text string) Change { return Change{Path: file, Text: text} }

// Edit replaces what stands in a file once.
func Edit(file, replace, with string) Change {
	return Change{Path: file, Replace: replace, With: with}
}

// Rename moves a file as it is.
func Rename(from, to string) Change { return Change{Path: to, From: from} }

// Remove takes a file away.
func Remove(file string) Change { return Change{Path: file, Remove: true} }

// Migration adds a Django migration, "model/0005_push_note", that comes after
// others, "model/0004_remove_failureline_repository". Without any it is an
// initial one.
func Migration(name string, after ...string) Change {
	app, file, _ := strings.Cut(name, "/")
	var b strings.Builder
	b.WriteString("from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n    dependencies = [\n")
	for _, dependency := range after {
		label, before, _ := strings.Cut(dependency, "/")
		fmt.Fprintf(&b, "        (%q, %q),\n", label, before)
	}
	_, column, _ := strings.Cut(file, "_")
	fmt.Fprintf(&b, "    ]\n\n    operations = [\n        migrations.AddField(\n            model_name=\"push\",\n            name=%q,\n"+
		"            field=models.CharField(max_length=255, null=True),\n        ),\n    ]\n", column)
	return Write(MigrationPath(app, file), b.String())
}

// MigrationPath is where the migration of an app is in the repository.
func MigrationPath(app, name string) string {
	return "treeherder/" + app + "/migrations/" + name + ".py"
}

//go:embed all:tree
var beginning embed.FS

// files are the files of a commit, texts by path. They are never changed, so
// that commits can share them.
type files map[string]string

// first is what the first commit of a repository has in it: a little of
// Treeherder.
func first() files {
	all := files{}
	tree, err := fs.Sub(beginning, "tree")
	if err == nil {
		err = fs.WalkDir(tree, ".", func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			text, err := fs.ReadFile(tree, name)
			all[name] = string(text)
			return err
		})
	}
	if err != nil {
		panic(err) // unreachable: it is part of the program
	}
	return all
}

// after is what is there once changes were made.
func (f files) after(changes []Change) (files, error) {
	if len(changes) == 0 {
		return f, nil
	}
	next := files{}
	maps.Copy(next, f)
	for _, c := range changes {
		if err := next.change(c); err != nil {
			return nil, err
		}
	}
	return next, nil
}

func (f files) change(c Change) error {
	if !fs.ValidPath(c.Path) || c.Path == "." {
		return fmt.Errorf("%q is no path of a file", c.Path)
	}
	source := c.Path
	if c.From != "" {
		source = c.From
	}
	text, there := f[source]
	switch needed := c.Remove || c.From != "" || c.Replace != ""; {
	case needed && !there:
		return fmt.Errorf("there is no file %s", source)
	case c.Remove && (c.From+c.Text+c.Replace+c.With != ""):
		return fmt.Errorf("%s is removed and changed at once", c.Path)
	case c.Replace == "" && c.With != "":
		return fmt.Errorf("%s: what is to be replaced is not said", c.Path)
	case c.Replace != "" && c.Text != "":
		return fmt.Errorf("%s is written and edited at once", c.Path)
	case c.Replace != "" && strings.Count(text, c.Replace) != 1:
		return fmt.Errorf("%q is there %d times in %s, not once", c.Replace, strings.Count(text, c.Replace), source)
	}
	if c.Remove || c.From != "" {
		delete(f, source)
	}
	switch {
	case c.Remove:
		return nil
	case c.Replace != "":
		text = strings.Replace(text, c.Replace, c.With, 1)
	case c.From == "" || c.Text != "":
		text = c.Text
	}
	f[c.Path] = text
	return nil
}

// since is how f came of before.
func (f files) since(before files) (written map[string]string, removed []string) {
	written = map[string]string{}
	for name, text := range f {
		if was, there := before[name]; !there || was != text {
			written[name] = text
		}
	}
	for name := range before {
		if _, there := f[name]; !there {
			removed = append(removed, name)
		}
	}
	slices.Sort(removed)
	return written, removed
}
