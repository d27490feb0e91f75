package bot

import (
	"regexp"
	"slices"
	"strings"
)

// groups are the arguments with their alternatives.
func (c Info) groups() (groups [][]Arg) {
	for from, i := 0, 1; i <= len(c.Args); i++ {
		if i == len(c.Args) || !c.Args[i].Or {
			groups = append(groups, c.Args[from:i])
			from = i
		}
	}
	return groups
}

// Usage is the command with its arguments:
// "lock <environment> [for <length> | until <time>] <reason>".
func (c Info) Usage() string {
	usage := c.Name
	for _, group := range c.groups() {
		var forms []string
		for _, a := range group {
			forms = append(forms, a.form())
		}
		form := strings.Join(forms, " | ")
		switch {
		case group[0].Optional:
			form = "[" + form + "]"
		case len(group) > 1:
			form = "(" + form + ")"
		}
		usage += " " + form
	}
	return usage
}

// form is how a is written in a command.
func (a Arg) form() string {
	form := "<" + a.Name + ">"
	switch {
	case a.Form != "":
		form = a.Form
	case a.Person:
		form = "@" + a.Name
	}
	if !positional(a) {
		form = a.After + " " + form
	}
	return form
}

func positional(a Arg) bool { return a.After == "" }

// strict reports whether not just any word is a value of a.
func (a Arg) strict() bool {
	return !a.Rest && (len(a.Words) > 0 || a.Check != nil || a.Take != nil || a.Person)
}

// person is a mention as the chat writes it, perhaps with a name.
var person = regexp.MustCompile(`^<@([A-Z0-9]+)(?:\|[^<>]*)?>$`)

// match reads a's value from the first of words, of which there is one at
// least: the first n are it, or wrong says what is wrong with them.
func (a Arg) match(words []string) (value string, n int, wrong string) {
	if a.Person {
		if m := person.FindStringSubmatch(words[0]); m != nil {
			return m[1], 1, ""
		}
		return "", 1, "is not a person; type @ and choose the name from the list"
	}
	value = strings.ToLower(words[0])
	if a.Take != nil {
		lower := make([]string, len(words))
		for i, w := range words {
			lower[i] = strings.ToLower(w)
		}
		n, wrong = a.Take(lower)
		return strings.Join(lower[:n], " "), n, wrong
	}
	if len(a.Words) > 0 {
		if value = canonical(value, a.Words); value == "" {
			return "", 1, "is not " + a.Doc
		}
	}
	if a.Check != nil {
		wrong = a.Check(value)
	}
	return value, 1, wrong
}

// known are all the words that a can be.
func (a Arg) known() (words []string) {
	for _, w := range a.Words {
		words = append(append(words, w.Name), w.Aliases...)
	}
	return words
}

func canonical(typed string, words []Word) string {
	for _, w := range words {
		if typed == strings.ToLower(w.Name) || slices.Contains(w.Aliases, typed) {
			return w.Name
		}
	}
	return ""
}

// dashes are what may stand before a keyword; typing aids make long ones of "--".
const dashes = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"

// keyword is how many of the words are that keyword: one, two where a dash
// stands before it by itself, or none.
func keyword(words []string, name string) int {
	for n, w := range words[:min(2, len(words))] {
		bare := strings.ToLower(strings.TrimLeft(w, dashes))
		if bare != "" && bare == name {
			return n + 1
		}
		if bare != "" {
			break
		}
	}
	return 0
}

func keywordAt(words, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return keyword(words, name) > 0 })
}
