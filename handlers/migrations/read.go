package migrations

import (
	"fmt"
	"strings"
)

// File is what the text of one migration says.
type File struct {
	Dependencies []Migration // also with the names "__first__" and "__latest__"
	Swappable    []string    // settings that name a model to depend on: "settings.AUTH_USER_MODEL"
	RunBefore    []Migration
	Replaces     []Migration // of a squashed migration
	// Untold are those of the lists above that code puts together, so that
	// more may be in them.
	Untold []string
	// NotAtomic: a failure half-way leaves behind what was done until then.
	NotAtomic  bool
	Operations []Operation // in order; those of a SeparateDatabaseAndState as if they stood alone
	// Dynamic says why there may be other operations than these.
	Dynamic []string
}

// Read reads the source of a migration. It never executes any of it. With an
// error, which is an [*Unreadable], it returns a File that counts as dangerous.
func Read(source []byte) (File, error) {
	f, err := read(source)
	if err != nil {
		return File{Dynamic: []string{"the file " + err.Error()}, Untold: []string{"dependencies"}, NotAtomic: true}, err
	}
	return f, nil
}

func read(source []byte) (File, error) {
	tokens, err := scan(source)
	if err != nil {
		return File{}, err
	}
	r := reader{names: map[string]string{}, constants: map[string]string{}}
	statements := split(tokens)
	var class []statement
	for i := 0; i < len(statements); i++ {
		s := statements[i]
		if s.column > 0 || !s.begins("class", "Migration") {
			r.outside(s)
			continue
		}
		if class != nil {
			r.doubt(s.line(), "the class Migration is there twice")
		}
		end := i + 1
		for end < len(statements) && (statements[end].column > 0 || statements[end].joined) {
			end++
		}
		class = statements[i:end]
		if i > 0 && statements[i-1].tokens[0].is("@") {
			r.doubt(s.line(), "the class Migration has a decorator")
		}
		i = end - 1
	}
	if class == nil {
		return File{}, &Unreadable{Why: "it has no class Migration"}
	}
	r.class(class)
	return r.file, nil
}

// statement is a simple statement, or the first line of a compound one.
type statement struct {
	tokens []token // at least one
	column int
	joined bool // stands behind a semicolon
}

func (s statement) line() int { return s.tokens[0].line }

func (s statement) begins(names ...string) bool {
	for i, n := range names {
		if i >= len(s.tokens) || !s.tokens[i].named(n) {
			return false
		}
	}
	return true
}

// split finds the statements of a source.
func split(tokens []token) []statement {
	var all []statement
	for len(tokens) > 0 {
		line := tokens
		for i, t := range tokens {
			if t.kind == aNewline {
				line = tokens[:i]
				break
			}
		}
		tokens = tokens[min(len(line)+1, len(tokens)):]
		for i, part := range parts(line, ";") {
			if len(part) > 0 {
				all = append(all, statement{part, line[0].column, i > 0})
			}
		}
	}
	return all
}

// reader is what is known of a source while its class is read.
type reader struct {
	file      File
	names     map[string]string // imported ones, as the path they stand for; "" where more than one
	constants map[string]string // strings that have a name
}

func (r *reader) doubt(line int, why string) {
	r.file.Dynamic = append(r.file.Dynamic, fmt.Sprintf("line %d: %s", line, why))
}

// bind notes what a name stands for. One that stands for several things may
// be any of them, wherever it is used.
func (r *reader) bind(name, path string) {
	if old, ok := r.names[name]; ok && old != path {
		path = ""
	}
	r.names[name] = path
}

// outside reads a statement that is not in the class.
func (r *reader) outside(s statement) {
	t := s.tokens
	switch {
	case t[0].named("import"):
		for _, part := range parts(t[1:], ",") {
			path, rest := dotted(part)
			if len(rest) == 2 && rest[0].named("as") {
				r.bind(rest[1].text, path)
			} else if path != "" {
				root, _, _ := strings.Cut(path, ".")
				r.bind(root, root)
			}
		}
		return
	case t[0].named("from"):
		r.from(t[1:])
		return
	case (t[0].named("def") || t[0].named("class")) && len(t) > 1:
		r.bind(t[1].text, "")
	case len(t) > 2 && t[0].kind == aName && t[1].is("="):
		_, again := r.names[t[0].text]
		if text, ok := r.literal(t[2:]); ok && !again && s.column == 0 {
			r.bind(t[0].text, "")
			r.constants[t[0].text] = text
			return
		}
	}
	for i := range t {
		if t[i].kind == aName && i+1 < len(t) && t[i+1].kind == anOperator && strings.HasSuffix(t[i+1].text, "=") {
			r.bind(t[i].text, "") // also where it names an argument: better too few names are known
			delete(r.constants, t[i].text)
		}
		if t[i].named("Migration") && (i == 0 || !t[i-1].is(".")) {
			r.doubt(s.line(), "the class Migration is used by other code")
			return
		}
	}
}

// from reads the rest of "from path import a, b as c".
func (r *reader) from(t []token) {
	n := 0
	for n < len(t) && !t[n].named("import") {
		n++
	}
	path := text(t[:n])
	if t = t[n:]; len(t) > 1 && t[1].is("(") {
		t = t[1 : len(t)-1]
	}
	for _, part := range parts(t[min(1, len(t)):], ",") {
		switch {
		case len(part) == 1:
			r.bind(part[0].text, path+"."+part[0].text)
		case len(part) == 3 && part[1].named("as"):
			r.bind(part[2].text, path+"."+part[0].text)
		}
	}
}

// class reads the class Migration: its first statement and its body.
func (r *reader) class(statements []statement) {
	head := statements[0]
	bases, body := head.tokens[2:], []token(nil)
	for i, t := range bases {
		if t.is(":") {
			bases, body = bases[:i], bases[i+1:]
			break
		}
	}
	var base string
	if len(bases) > 2 {
		path, rest := dotted(bases[1:])
		if base = r.resolve(path); len(rest) != 1 {
			base = ""
		}
	}
	if base != "django.db.migrations.Migration" && base != "django.db.migrations.migration.Migration" {
		r.doubt(head.line(), "the class does not inherit from Django's Migration alone")
	}
	inner := statements[1:]
	if len(body) > 0 {
		inner = append([]statement{{tokens: body}}, inner...)
	}
	for _, s := range inner {
		if s.column <= inner[0].column {
			r.member(s)
		}
	}
}

// member reads a statement of the class itself.
func (r *reader) member(s statement) {
	t := s.tokens
	if _, ok := r.literal(t); ok || t[0].named("pass") {
		return
	}
	value := t
	for len(value) > 0 && !value[0].is("=") {
		value = skip(value)
	}
	if t[0].kind != aName || len(value) < 2 || !t[1].is("=") && !t[1].is(":") {
		r.doubt(s.line(), "there is code in the class")
		return
	}
	value = value[1:]
	for rest := value; len(rest) > 0; rest = skip(rest) {
		if rest[0].is("=") {
			r.doubt(s.line(), "several names get one value")
			return
		}
	}
	f := &r.file
	switch name := t[0].text; name {
	case "dependencies":
		f.Dependencies = r.migrations(name, value)
	case "run_before":
		f.RunBefore = r.migrations(name, value)
	case "replaces":
		f.Replaces = r.migrations(name, value)
	case "atomic":
		f.NotAtomic = len(value) != 1 || !value[0].named("True")
	case "operations":
		var told bool
		if f.Operations, told = r.operations(value); !told {
			r.doubt(s.line(), "operations is put together by code")
		}
	default:
		r.bind(name, "")
		delete(r.constants, name)
	}
}

// migrations reads a list of pairs of an app and a name.
func (r *reader) migrations(list string, value []token) []Migration {
	var all []Migration
	items, told := elements(value)
	for _, item := range items {
		if pair, ok := elements(item); ok && len(pair) == 2 {
			app, ok := r.literal(pair[0])
			name, ok2 := r.literal(pair[1])
			if ok && ok2 {
				all = append(all, Migration{app, name})
				continue
			}
		}
		c, ok := r.call(item)
		if ok && c.path == "django.db.migrations.swappable_dependency" && len(c.positional) == 1 {
			r.file.Swappable = append(r.file.Swappable, text(c.positional[0]))
			continue
		}
		told = false
	}
	if !told {
		r.file.Untold = append(r.file.Untold, list)
	}
	return all
}
