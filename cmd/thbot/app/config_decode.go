package app

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"thbot/bot"
)

// A document is a YAML file while it is read into a value. It collects all that
// is wrong with the file instead of stopping at the first mistake, and keeps
// the place of every value, so that later checks can name it. (The decoder's
// own KnownFields names the line of an unknown key, but not the nearest right
// one, and knows nothing of values.)
type document struct {
	file     string
	places   map[string]place // of what the file says, by its path: environments[0].url
	wrong    map[string]bool  // paths of which something was said already
	secrets  map[*yaml.Node]bool
	problems []problem
}

// A place is a line of the file or, when that is 0, a variable of the environment.
type place struct {
	line     int
	variable string
}

type problem struct {
	place
	text string
}

// decode reads text into the struct that into points to.
func decode(file string, text []byte, into any) *document {
	d := &document{
		file: file, places: map[string]place{"": {line: 1}},
		wrong: map[string]bool{}, secrets: map[*yaml.Node]bool{},
	}
	var root, more yaml.Node
	yml := yaml.NewDecoder(bytes.NewReader(text))
	if err := yml.Decode(&root); errors.Is(err, io.EOF) {
		return d
	} else if err != nil {
		d.unreadable(err)
		return d
	}
	if err := yml.Decode(&more); err == nil {
		d.complain("", place{line: more.Line}, "must be one document; another begins here")
	} else if !errors.Is(err, io.EOF) {
		d.unreadable(err)
	}
	d.findSecrets(root.Content[0])
	d.read("", root.Content[0], reflect.ValueOf(into).Elem())
	return d
}

// unreadable reports the parser's error: "yaml: line 3: did not find expected key".
func (d *document) unreadable(err error) {
	here := place{line: 1}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if n, _ := fmt.Sscanf(rest, "%d:", &here.line); n == 1 {
			_, text, _ = strings.Cut(rest, ": ")
		}
	}
	d.complain("", here, "is not YAML: "+text)
}

// read reads n into v, which is of one of the few types that a Config is made of.
func (d *document) read(path string, n *yaml.Node, v reflect.Value) {
	here := place{line: n.Line}
	if _, ok := d.places[path]; !ok {
		d.places[path] = here
	}
	switch {
	case d.secrets[n]:
		d.wrong[path] = true
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.complain(path, here, "must be written out; anchors and aliases (& and *) are not read")
	case n.ShortTag() == "!!null":
		d.complain(path, here, "has no value; give it one or leave it out")
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.read(path, n, v.Elem())
	case v.Kind() == reflect.Struct:
		if n.Kind != yaml.MappingNode {
			d.complain(path, here, "must be a mapping with the keys "+quoted(keys(v.Type())))
			return
		}
		d.readStruct(path, n, v)
	case v.Kind() == reflect.Map:
		if n.Kind != yaml.MappingNode {
			d.complain(path, here, "must be a mapping")
			return
		}
		d.readMap(path, n, v)
	case v.Kind() == reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			d.complain(path, here, "must be a list")
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
		for i, item := range n.Content {
			d.read(fmt.Sprintf("%s[%d]", path, i), item, v.Index(i))
		}
	case v.Type() == reflect.TypeFor[time.Duration]():
		t, err := time.ParseDuration(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil {
			d.complain(path, here, "must be a duration like 90s, 20m or 1h30m")
			return
		}
		v.SetInt(int64(t))
	case v.Kind() == reflect.Int:
		if n.ShortTag() != "!!int" || n.Decode(v.Addr().Interface()) != nil {
			d.complain(path, here, "must be a whole number")
		}
	case v.Kind() == reflect.Bool:
		if n.ShortTag() != "!!bool" || n.Decode(v.Addr().Interface()) != nil {
			d.complain(path, here, "must be true or false")
		}
	case v.Kind() == reflect.String:
		switch {
		case n.Kind != yaml.ScalarNode:
			d.complain(path, here, "must be a text")
		case n.ShortTag() != "!!str":
			d.complain(path, here, "must be a text; put it in quotes")
		default:
			v.SetString(n.Value)
		}
	default:
		panic("decode: a configuration has no place for a " + v.Type().String()) // a mistake in our own code
	}
}

// readStruct reads a mapping. A key that is nearly right is reported, and then
// read on as if it were right, so that its value is checked too and nothing is
// said to be missing that is only misspelt.
func (d *document) readStruct(path string, n *yaml.Node, v reflect.Value) {
	known := keys(v.Type())
	given := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		given[n.Content[i].Value] = true
	}
	first := map[string]int{} // line of each key
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name, here := key.Value, place{line: key.Line}
		if d.secrets[key] {
			continue
		}
		if line, twice := first[name]; twice {
			d.complain(join(path, name), here, fmt.Sprintf("stands here again, first in line %d", line))
			continue
		}
		first[name] = key.Line
		if !slices.Contains(known, name) {
			near := bot.Nearest(name, known)
			if len(near) == 0 {
				d.complain(join(path, name), here, "is no key; the keys here are "+quoted(known))
				continue
			}
			meant := near[0]
			d.complain(join(path, name), here, "is no key (did you mean `"+meant+"`?)")
			if given[meant] {
				continue
			}
			given[meant], name = true, meant
		}
		d.places[join(path, name)] = here
		d.read(join(path, name), value, v.Field(slices.Index(known, name)))
	}
}

// readMap reads a mapping whose keys are names that people chose.
func (d *document) readMap(path string, n *yaml.Node, v reflect.Value) {
	v.Set(reflect.MakeMap(v.Type()))
	first := map[string]int{} // line of each key
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at, here := join(path, key.Value), place{line: key.Line}
		if d.secrets[key] {
			continue
		}
		if line, twice := first[key.Value]; twice {
			d.complain(at, here, fmt.Sprintf("stands here again, first in line %d", line))
			continue
		}
		first[key.Value] = key.Line
		d.places[at] = here
		item := reflect.New(v.Type().Elem()).Elem()
		d.read(at, value, item)
		v.SetMapIndex(reflect.ValueOf(key.Value), item)
	}
}

// replaced notes that the value at path is that of a variable.
func (d *document) replaced(path, variable string) {
	d.places[path] = place{variable: variable}
	delete(d.wrong, path)
}

// says reports whether there is a value at path.
func (d *document) says(path string) bool {
	_, ok := d.places[path]
	return ok
}

// refuse reports the value at path, unless something was said already of it or
// of what it stands in.
func (d *document) refuse(path, format string, args ...any) {
	for at, top := path, false; !top; at, top = parent(at), at == "" {
		if d.wrong[at] {
			return
		}
	}
	at := path
	for !d.says(at) {
		at = parent(at)
	}
	d.complain(path, d.places[at], fmt.Sprintf(format, args...))
}

func (d *document) complain(path string, at place, text string) {
	d.wrong[path] = true
	if path == "" {
		path = "the file"
	}
	d.problems = append(d.problems, problem{at, path + " " + text})
}

// err is all that is wrong, in the order of the file, or nil.
func (d *document) err() error {
	slices.SortStableFunc(d.problems, func(a, b problem) int {
		return cmp.Or(strings.Compare(a.variable, b.variable), cmp.Compare(a.line, b.line))
	})
	var errs []error
	for _, p := range d.problems {
		where := p.variable
		if where == "" {
			where = fmt.Sprintf("%s:%d", d.file, p.line)
		}
		errs = append(errs, errors.New(where+": "+redact(p.text)))
	}
	return errors.Join(errs...)
}

// keys are the YAML keys of a struct, in the order of its fields.
func keys(t reflect.Type) []string {
	var names []string
	for f := range t.Fields() {
		names = append(names, f.Tag.Get("yaml"))
	}
	return names
}

func quoted(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }

func join(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

func parent(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }
