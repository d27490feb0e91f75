package migrations

import (
	"cmp"
	"slices"
)

// Leftovers says what a database that has f keeps of it when only its row is
// deleted, and how to take that back by hand, in words: the last thing first.
func (f File) Leftovers() []string {
	var all []string
	for _, o := range f.Operations {
		if left := o.leaves(); left != "" {
			all = append(all, left)
		}
	}
	slices.Reverse(all)
	if len(f.Dynamic) > 0 {
		all = append(all, "whatever else code of it did, which cannot be told")
	}
	return all
}

// leaves is how to take o back; empty where it left nothing.
func (o Operation) leaves() string {
	if o.Effect().Level == Nothing {
		return ""
	}
	if o.Foreign || o.Dynamic {
		return "by hand, what it did: it " + o.Effect().What
	}
	model, name, to := cmp.Or(o.Model, "?"), cmp.Or(o.Name, "?"), cmp.Or(o.To, "?")
	field, of := model+"."+name, name+" of "+model
	switch o.Class {
	case "CreateModel":
		return "drop the table of " + name
	case "DeleteModel":
		return "make the table of " + name + " again; its rows are gone"
	case "RenameModel":
		return "rename the table of " + to + " to that of " + name
	case "AlterModelTable":
		return "rename the table of " + name + " to what it was"
	case "AddField":
		return "drop the column of " + field
	case "RemoveField":
		return "add the column of " + field + " again; what was in it is gone"
	case "RenameField":
		return "rename the column of " + model + "." + to + " to " + name
	case "AlterField":
		return "change the column of " + field + " to what it was"
	case "AddIndex", "AddIndexConcurrently":
		return "drop the index " + of
	case "RemoveIndex", "RemoveIndexConcurrently":
		return "add the index " + of + " again"
	case "AddConstraint", "AddConstraintNotValid", "ValidateConstraint":
		return "drop the constraint " + of
	case "RemoveConstraint":
		return "add the constraint " + of + " again"
	case "AlterUniqueTogether":
		return "change what is unique in " + name + " to what it was"
	case "AlterIndexTogether":
		return "change the indexes of " + name + " to what they were"
	}
	return "by hand, what it did: it " + o.Effect().What
}
