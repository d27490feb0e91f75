package migrations

import (
	"regexp"
	"strings"
)

// Operation is one step of a migration.
type Operation struct {
	Class string // "RemoveField"
	// Foreign: the class is not Django's, so that it may do anything.
	Foreign bool
	// Dynamic: it is put together by code, so that it may do something else,
	// or several things.
	Dynamic bool
	// StateOnly: it changes only what Django believes, not the database.
	StateOnly bool
	Model     string // whose field, index or constraint it is about; empty: Name is the model
	Name, To  string // what it is about, and what that is called afterwards
	Fill      Fill   // of AddField
	SQL       string // of RunSQL, without comments and line ends; empty: not told
	NoOp      bool   // code or SQL that is known to do nothing
	NoReverse bool   // code or SQL without a way back
	Line      int
}

// Fill says whether a new column is filled where the old code, which does not
// know it, inserts a row.
type Fill int

const (
	FillUntold   Fill = iota
	FillOptional      // NULL, or the database's own default
	FillRequired      // the old code's inserts fail
)

// parameters are the names of the arguments of Django's operations
// (django/db/migrations/operations), which may be given without them.
var parameters = map[string][]string{
	"CreateModel":         {"name", "fields"},
	"DeleteModel":         {"name"},
	"RenameModel":         {"old_name", "new_name"},
	"AlterModelTable":     {"name", "table"},
	"AddField":            {"model_name", "name", "field"},
	"AlterField":          {"model_name", "name", "field"},
	"RemoveField":         {"model_name", "name"},
	"RenameField":         {"model_name", "old_name", "new_name"},
	"AddIndex":            {"model_name", "index"},
	"RemoveIndex":         {"model_name", "name"},
	"RenameIndex":         {"model_name", "new_name", "old_name"},
	"AddConstraint":       {"model_name", "constraint"},
	"AlterConstraint":     {"model_name", "name", "constraint"},
	"RemoveConstraint":    {"model_name", "name"},
	"RunSQL":              {"sql", "reverse_sql", "state_operations"},
	"RunPython":           {"code", "reverse_code"},
	"AlterUniqueTogether": {"name", "unique_together"},
	"AlterIndexTogether":  {"name", "index_together"},

	"AddIndexConcurrently":    {"model_name", "index"},
	"RemoveIndexConcurrently": {"model_name", "name"},
	"AddConstraintNotValid":   {"model_name", "constraint"},
	"ValidateConstraint":      {"model_name", "name"},

	"SeparateDatabaseAndState": {"database_operations", "state_operations"},
}

// operations reads a list of operations. False: there may be others.
func (r *reader) operations(value []token) ([]Operation, bool) {
	var all []Operation
	items, told := elements(value)
	for _, item := range items {
		if len(item) > 0 { // else two commas, which Python refuses
			all = append(all, r.operation(item)...)
		}
	}
	return all, told
}

// operation reads one item of a list of operations: one operation, or those
// that it holds.
func (r *reader) operation(item []token) []Operation {
	c, ok := r.call(item)
	o := Operation{Class: c.class(), Line: item[0].line}
	if !ok {
		o.Dynamic = true
		o.Foreign = !strings.HasPrefix(r.resolve(c.said), "django.")
		return []Operation{o}
	}
	o.Foreign, o.Dynamic = !c.django(), c.more
	arg := func(name string) ([]token, bool) {
		for place, n := range parameters[o.Class] {
			if n == name {
				return c.arg(place, name)
			}
		}
		return c.arg(-1, name)
	}
	say := func(names ...string) string {
		for _, n := range names {
			if t, ok := arg(n); ok {
				s, _ := r.literal(t)
				return s
			}
		}
		return ""
	}
	o.Model = say("model_name")
	o.Name = say("old_name", "name", "new_name")
	o.To = say("new_name", "table")
	if o.Class == "RenameIndex" && o.Name == "" {
		o.Name = o.To // it had no name of its own
	}
	if o.Name == "" && o.Foreign && len(c.positional) > 0 {
		o.Name, _ = r.literal(c.positional[0])
	}
	for _, n := range []string{"index", "constraint"} {
		if t, ok := arg(n); ok {
			inner, _ := r.call(t)
			name, _ := inner.arg(-1, "name")
			o.Name, _ = r.literal(name)
		}
	}
	if o.Foreign {
		return []Operation{o}
	}
	switch o.Class {
	case "AddField":
		field, _ := arg("field")
		o.Fill = r.fill(field)
	case "RunPython":
		code, _ := arg("code")
		if path, rest := dotted(code); len(rest) == 0 {
			o.Name = path
			o.NoOp = r.resolve(path) == "django.db.migrations.RunPython.noop"
		}
		_, reversible := arg("reverse_code")
		o.NoReverse = !reversible
	case "RunSQL":
		r.sql(&o, arg)
		return append([]Operation{o}, r.state(arg)...)
	case "SeparateDatabaseAndState":
		return append(r.database(o, arg), r.state(arg)...)
	}
	return []Operation{o}
}

type arguments func(name string) ([]token, bool)

// database returns the operations of a SeparateDatabaseAndState that touch
// the database, and the whole as a dynamic one where there may be others.
func (r *reader) database(o Operation, arg arguments) []Operation {
	t, given := arg("database_operations")
	if !given || len(t) == 1 && t[0].named("None") {
		if o.Dynamic {
			return []Operation{o}
		}
		return nil
	}
	all, told := r.operations(t)
	if !told || o.Dynamic {
		o.Dynamic = true
		all = append(all, o)
	}
	return all
}

// state returns the operations that change only what Django believes.
func (r *reader) state(arg arguments) []Operation {
	t, _ := arg("state_operations")
	all, _ := r.operations(t)
	for i := range all {
		all[i].StateOnly = true
	}
	return all
}

var (
	// What MySQL takes for a comment, or a string, in which nothing is one. It
	// runs what stands in /*! ... */.
	sqlComment = regexp.MustCompile("(?s)'(?:[^'\\\\]|\\\\.)*'|\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`|--(?:\\s[^\\n]*|$)|/\\*[^!].*?\\*/")
	sqlSpace   = regexp.MustCompile(`[\s;]+`)
)

// sql reads RunSQL's statements: a string, or a list of strings and of pairs
// of a string and its parameters.
func (r *reader) sql(o *Operation, arg arguments) {
	t, _ := arg("sql")
	_, reversible := arg("reverse_sql")
	o.NoReverse = !reversible
	if path, rest := dotted(t); len(rest) == 0 && r.resolve(path) == "django.db.migrations.RunSQL.noop" {
		o.NoOp = true
		return
	}
	var statements []string
	if s, ok := r.literal(t); ok {
		statements = []string{s}
		o.NoOp = s == ""
	} else {
		items, told := elements(t)
		for _, item := range items {
			if pair, ok := elements(item); ok && len(pair) > 0 {
				item = pair[0]
			}
			s, ok := r.literal(item)
			told = told && ok
			statements = append(statements, s)
		}
		if !told {
			o.Dynamic = true
		}
	}
	for i, s := range statements {
		s = sqlComment.ReplaceAllStringFunc(s, func(m string) string {
			if m[0] == '-' || m[0] == '/' {
				return " "
			}
			return m
		})
		statements[i] = strings.TrimSpace(sqlSpace.ReplaceAllStringFunc(s, func(m string) string {
			if strings.Contains(m, ";") {
				return "; "
			}
			return " "
		}))
	}
	o.SQL = strings.Trim(strings.Join(statements, "; "), "; ")
}

// fill reads how a new field is filled. A default of Django's is not one of
// the database's: add_field in django/db/backends/base/schema.py drops it
// again as soon as the column is there.
func (r *reader) fill(field []token) Fill {
	c, ok := r.call(field)
	if !ok {
		return FillUntold
	}
	null, given := c.named["null"]
	_, filled := c.named["db_default"]
	switch {
	case len(null) == 1 && null[0].named("True"), filled:
		return FillOptional
	case !c.django(), c.more, given && (len(null) != 1 || !null[0].named("False")):
		return FillUntold
	}
	switch c.class() {
	case "ManyToManyField", "GeneratedField", "NullBooleanField", "AutoField", "BigAutoField", "SmallAutoField":
		return FillOptional
	}
	return FillRequired
}
