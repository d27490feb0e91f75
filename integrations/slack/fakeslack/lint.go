package fakeslack

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Where blocks are shown. Some are for certain surfaces only.
const (
	inMessage = "message"
	inModal   = "modal"
	inHome    = "home"
)

// lint collects what is wrong with blocks, and fills in what Slack fills in.
type lint struct {
	surface  string
	problems []string
	unknown  []string // what Slack may know, but this fake does not
	seen     map[string]bool
	id       func() string
	markdown int // code points in all markdown blocks
	inputs   bool
}

func (l *lint) add(at, format string, args ...any) {
	l.problems = append(l.problems, fmt.Sprintf(format, args...)+" [json-pointer:"+at+"]")
}

// dunno refuses what Slack may well know.
func (l *lint) dunno(at, what, kind string) {
	l.unknown = append(l.unknown, fmt.Sprintf("%s type %q is not known here", what, kind))
	l.add(at+"/type", "unsupported type: %s", kind)
}

// only refuses properties other than type and these.
func (l *lint) only(o object, at string, known ...string) {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if name != "type" && !slices.Contains(known, name) {
			l.add(at, "invalid additional property: %s", name)
		}
	}
}

// unique checks an id, and makes one if there is none.
func (l *lint) unique(o object, name, at string) {
	if o[name] == nil {
		o[name] = l.id()
	}
	l.string(o, name, at, 255, false)
	id := name + fmt.Sprint(o[name])
	if l.seen[id] {
		l.add(at+"/"+name, "`%s` %q already exists", name, o[name])
	}
	l.seen[id] = true
}

func (l *lint) string(o object, name, at string, most int, required bool) {
	v, ok := o[name].(string)
	switch {
	case o[name] == nil && required:
		l.add(at, "missing required field: %s", name)
	case o[name] == nil:
	case !ok:
		l.add(at+"/"+name, "must provide a string")
	default:
		l.length(v, at+"/"+name, most)
	}
}

func (l *lint) length(v, at string, most int) bool {
	switch n := utf8.RuneCountInString(v); {
	case n == 0:
		l.add(at, "must be more than 0 characters")
	case n > most:
		l.add(at, "must be less than %d characters", most+1)
	default:
		return true
	}
	return false
}

// flag checks a boolean.
func (l *lint) flag(o object, at string, names ...string) {
	for _, name := range names {
		if _, ok := o[name].(bool); o[name] != nil && !ok {
			l.add(at+"/"+name, "must provide a boolean")
		}
	}
}

// number checks a whole number.
func (l *lint) number(o object, name, at string, least, most int64) {
	if o[name] == nil {
		return
	}
	switch n, ok := whole(o[name]); {
	case !ok:
		l.add(at+"/"+name, "must provide an integer")
	case n < least:
		l.add(at+"/"+name, "must be greater than or equal to %d", least)
	case n > most:
		l.add(at+"/"+name, "must be less than %d", most+1)
	}
}

// oneOf checks an enum.
func (l *lint) oneOf(o object, name, at string, allowed ...string) {
	if v, _ := o[name].(string); o[name] != nil && !slices.Contains(allowed, v) {
		l.add(at+"/"+name, "must be a valid enum value")
	}
}

// array returns what is in a property.
func (l *lint) array(o object, name, at string, least, most int) []any {
	items, ok := o[name].([]any)
	here := at + "/" + name
	switch {
	case o[name] == nil:
		l.add(at, "missing required field: %s", name)
	case !ok:
		l.add(here, "must provide an array")
	case len(items) < least:
		l.add(here, "no fewer than %d items allowed", least)
	case len(items) > most:
		l.add(here, "no more than %d items allowed", most)
	}
	return items
}

// list returns the objects in a property.
func (l *lint) list(o object, name, at string, least, most int) []object {
	items := l.array(o, name, at, least, most)
	objects := make([]object, 0, len(items))
	for i, item := range items {
		if o, ok := item.(object); ok {
			objects = append(objects, o)
		} else {
			l.add(fmt.Sprintf("%s/%s/%d", at, name, i), "must provide an object")
		}
	}
	return objects
}

// object returns the object in a property, if there is one.
func (l *lint) object(o object, name, at string, required bool) (object, bool) {
	v, ok := o[name].(object)
	switch {
	case o[name] == nil && required:
		l.add(at, "missing required field: %s", name)
	case o[name] == nil:
	case !ok:
		l.add(at+"/"+name, "must provide an object")
	}
	return v, ok
}

// text checks the text object in a property.
func (l *lint) text(o object, name, at string, most int, required bool, kinds ...string) {
	if t, ok := l.object(o, name, at, required); ok {
		l.textObject(t, at+"/"+name, most, kinds...)
	}
}

func (l *lint) textObject(t object, at string, most int, kinds ...string) {
	kind, _ := t["type"].(string)
	before := len(l.problems)
	switch {
	case !slices.Contains(kinds, kind):
		l.add(at+"/type", "must be a valid enum value")
	case kind == "mrkdwn":
		l.only(t, at, "text", "verbatim")
		setDefault(t, "verbatim", false)
	default:
		l.only(t, at, "text", "emoji")
		setDefault(t, "emoji", true)
	}
	l.string(t, "text", at, most, true)
	if len(l.problems) > before {
		// Slack says this first, then why (metabase#74943).
		l.problems = slices.Insert(l.problems, before, "failed to match all allowed schemas [json-pointer:"+at+"]")
	}
}

func setDefault(o object, name string, v any) {
	if o[name] == nil {
		o[name] = v
	}
}

// pointed splits a problem into what is wrong and where.
func pointed(problem string) (message, pointer string) {
	message, pointer, _ = strings.Cut(problem, " [json-pointer:")
	return message, strings.TrimSuffix(pointer, "]")
}
