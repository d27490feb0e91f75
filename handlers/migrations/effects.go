package migrations

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
)

// Level is how bad the effect of an operation can be, the worst last.
type Level int

const (
	// Nothing in the database changes.
	Nothing Level = iota
	// Adds what the old code does not know and does not mind.
	Adds
	// Unclear: what it does depends on code, on data or on what was there before.
	Unclear
	// Breaks the old code, which still runs while the migration does.
	Breaks
	// Destroys what reverting the code does not bring back.
	Destroys
)

// Dangerous says whether a person should think about it before it runs.
func (l Level) Dangerous() bool { return l > Adds }

func (l Level) String() string {
	switch l {
	case Nothing:
		return "nothing"
	case Adds:
		return "adds"
	case Breaks:
		return "breaks"
	case Destroys:
		return "destroys"
	}
	return "unclear"
}

// Effect is what an operation does to the database, in the words people use.
type Effect struct {
	Operation string // its class, or empty for what Dynamic says of the file
	Level     Level
	What      string // "removes the field job.guid"
	Line      int
}

// Destructive says what an operation takes away that reverting the code does
// not bring back, if it does so.
func Destructive(o Operation) (why string, yes bool) {
	e := o.Effect()
	if e.Level != Destroys {
		return "", false
	}
	return e.What, true
}

// lost are statements after which data is gone.
var lost = regexp.MustCompile(`(?i)\b(drop\s+(table|column|database|schema)|truncate|delete\s+from)\b`)

// Effect says what o does to the database, seen alone.
func (o Operation) Effect() Effect {
	named := o
	for _, name := range []*string{&named.Model, &named.Name, &named.To} {
		*name = cmp.Or(*name, "?") // code gives the name
	}
	level, what := named.says()
	switch {
	case o.StateOnly:
		level, what = Nothing, "only tells Django, not the database: "+what
	case o.Dynamic && o.Name == "" && o.SQL == "":
		level, what = max(level, Unclear), "is put together by code, so that it cannot be told"
	case o.Dynamic:
		level, what = max(level, Unclear), "is put together by code and cannot be told for certain: "+what
	case o.Foreign:
		level, what = max(level, Unclear), "is an operation of its own, not one of Django's: "+what
	}
	return Effect{o.Class, level, what, o.Line}
}

// says what the class of o stands for, with its names.
func (o Operation) says() (Level, string) {
	field, of := o.Model+"."+o.Name, o.Name+" of "+o.Model
	switch o.Class {
	case "CreateModel":
		return Adds, "adds the table of " + o.Name
	case "DeleteModel":
		return Destroys, "removes the table of " + o.Name
	case "RenameModel":
		return Breaks, fmt.Sprintf("renames the table of %s to that of %s", o.Name, o.To)
	case "AlterModelTable":
		return Breaks, strings.TrimSuffix(fmt.Sprintf("renames the table of %s to %s", o.Name, o.To), " to ?")
	case "AddField":
		switch o.Fill {
		case FillOptional:
			return Adds, "adds the field " + field
		case FillRequired:
			return Breaks, fmt.Sprintf("adds the required field %s, without which the old code's inserts fail", field)
		}
		return Unclear, fmt.Sprintf("adds the field %s; whether the old code can insert without it cannot be told", field)
	case "RemoveField":
		return Destroys, "removes the field " + field
	case "RenameField":
		return Breaks, fmt.Sprintf("renames the field %s to %s", field, o.To)
	case "AlterField":
		return Unclear, fmt.Sprintf("changes the field %s: it may lock the table, cut values or refuse the old code's", field)
	case "AddIndex", "AddIndexConcurrently":
		return Adds, "adds the index " + of
	case "RenameIndex":
		return Adds, "renames an index of " + o.Model + " to " + o.To
	case "RemoveIndex", "RemoveIndexConcurrently":
		return Unclear, "removes the index " + of + ": queries that need it become slow"
	case "AddConstraint", "AddConstraintNotValid", "ValidateConstraint":
		return Unclear, "adds the constraint " + of + ": rows that break it make it fail, and it refuses what the old code writes so"
	case "RemoveConstraint":
		return Unclear, "removes the constraint " + of
	case "AlterUniqueTogether":
		return Unclear, "changes what is unique in " + o.Name + ": rows that break it make it fail, and it refuses what the old code writes so"
	case "AlterIndexTogether":
		return Unclear, "changes the indexes of " + o.Name
	case "AlterOrderWithRespectTo":
		return Unclear, "adds or removes the column _order of " + o.Name
	case "AlterConstraint":
		return Nothing, "changes the constraint " + of
	case "AlterModelOptions", "AlterModelManagers", "AlterModelTableComment":
		return Nothing, "changes options of " + o.Name
	case "RunSQL":
		return o.runs("SQL", o.SQL)
	case "RunPython":
		return o.runs("Python code", o.Name)
	case "SeparateDatabaseAndState":
		return Unclear, "operations for the database"
	}
	if strings.HasSuffix(o.Class, "Extension") {
		return Adds, "adds an extension to the database"
	}
	return Unclear, strings.TrimSpace(o.Class + " " + strings.Trim(o.Name, "?"))
}

// runs says what is run, with the beginning of its text.
func (o Operation) runs(what, text string) (Level, string) {
	if o.NoOp {
		return Nothing, "runs no " + what
	}
	level := Unclear
	if o.Class == "RunSQL" && lost.MatchString(text) {
		level = Destroys
	}
	const most = 80
	switch {
	case text == "", text == "?":
		what += " that is not written out here"
	case len([]rune(text)) > most:
		what += ": " + string([]rune(text)[:most]) + "…"
	default:
		what += ": " + text
	}
	if o.NoReverse {
		what += " (without a way back)"
	}
	return level, "runs " + what
}

// Effects says what the operations of f do, one after the other, and last
// what cannot be told of it. A table that f itself makes is unknown to the old
// code, so that nothing which happens to it can break that.
func (f File) Effects() []Effect {
	var all []Effect
	made, before := map[string]bool{}, map[string]bool{}
	for _, o := range f.Operations {
		e := o.Effect()
		if !o.StateOnly && !o.Foreign && !o.Dynamic {
			switch name := strings.ToLower(o.Name); o.Class {
			case "CreateModel":
				made[name] = name != "" && !before[name]
			case "DeleteModel", "RenameModel":
				before[name] = !made[name]
				delete(made, name)
			case "AddField", "AlterField", "AddConstraint", "AlterUniqueTogether":
				if made[strings.ToLower(cmp.Or(o.Model, o.Name))] {
					e.Level = Adds
					// What follows is what it may do to the old code.
					e.What = e.What[:strings.IndexAny(e.What+":", ":,;")]
				}
			}
		}
		all = append(all, e)
	}
	for _, why := range f.Dynamic {
		all = append(all, Effect{Level: Unclear, What: "cannot be told in full: " + why})
	}
	return all
}

// Level is the worst of all that f does.
func (f File) Level() Level {
	worst := Nothing
	for _, e := range f.Effects() {
		worst = max(worst, e.Level)
	}
	return worst
}
