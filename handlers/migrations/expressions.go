package migrations

import "strings"

// skip returns what follows the first token or, where that opens a bracket,
// its closing one. The scanner has made sure that there is one.
func skip(t []token) []token {
	open := 0
	for i := range t {
		if t[i].kind == anOperator {
			switch t[i].text {
			case "(", "[", "{":
				open++
			case ")", "]", "}":
				open--
			}
		}
		if open <= 0 {
			return t[i+1:]
		}
	}
	return nil
}

// parts cuts at an operator that stands outside of all brackets. Nothing has
// no parts, and nothing follows a last operator.
func parts(t []token, operator string) [][]token {
	var all [][]token
	from := t
	for len(t) > 0 {
		if t[0].is(operator) {
			all = append(all, from[:len(from)-len(t)])
			from = t[1:]
		}
		t = skip(t)
	}
	if len(from) > 0 {
		all = append(all, from)
	}
	return all
}

// elements returns what stands in a list or tuple, or in several that are
// added up. False: there may be other elements than these.
func elements(t []token) ([][]token, bool) {
	var all [][]token
	for _, sum := range parts(t, "+") {
		if len(sum) == 0 || !sum[0].is("[") && !sum[0].is("(") || len(skip(sum)) > 0 {
			return all, false
		}
		all = append(all, parts(sum[1:len(sum)-1], ",")...)
	}
	return all, len(t) > 0 && !t[len(t)-1].is("+")
}

// dotted reads a name such as a.b.c, and returns what follows it.
func dotted(t []token) (string, []token) {
	if len(t) == 0 || t[0].kind != aName {
		return "", t
	}
	n := 1
	for n+1 < len(t) && t[n].is(".") && t[n+1].kind == aName {
		n += 2
	}
	return text(t[:n]), t[n:]
}

// text puts the tokens of a name or a short expression together again.
func text(t []token) string {
	var b strings.Builder
	for _, token := range t {
		b.WriteString(token.text)
	}
	return b.String()
}

// resolve returns the full path of a name, or "" for one that is not
// certainly imported.
func (r *reader) resolve(path string) string {
	root, rest, more := strings.Cut(path, ".")
	full := r.names[root]
	if full == "" || !more {
		return full
	}
	return full + "." + rest
}

// literal returns the string that an expression stands for, where it is
// written out, here or as the value of a name.
func (r *reader) literal(t []token) (string, bool) {
	for len(t) > 1 && t[0].is("(") && len(skip(t)) == 0 {
		t = t[1 : len(t)-1]
	}
	if len(t) == 1 && t[0].kind == aName {
		s, ok := r.constants[t[0].text]
		return s, ok
	}
	var b strings.Builder
	for i, token := range t {
		switch {
		case token.kind == aString && token.plain:
			b.WriteString(token.text)
		case token.is("+") && i > 0 && t[i-1].kind == aString && i+1 < len(t) && t[i+1].kind == aString:
		default:
			return "", false
		}
	}
	return b.String(), len(t) > 0
}

// call is a call of a dotted name.
type call struct {
	said       string // the name as it is written
	path       string // and as it resolves
	positional [][]token
	named      map[string][]token
	more       bool // *args or **kwargs
}

// class is the last part of the name.
func (c call) class() string { return c.said[strings.LastIndexByte(c.said, '.')+1:] }

// django says whether the name is one of Django's, which does what Django's does.
func (c call) django() bool { return strings.HasPrefix(c.path, "django.") }

// arg returns an argument by name, or by its place where that is not below 0.
func (c call) arg(place int, name string) ([]token, bool) {
	if t, ok := c.named[name]; ok {
		return t, true
	}
	if place >= 0 && place < len(c.positional) {
		return c.positional[place], true
	}
	return nil, false
}

// call reads an expression that is one call and nothing else.
func (r *reader) call(t []token) (call, bool) {
	said, rest := dotted(t)
	if said == "" || len(rest) == 0 || !rest[0].is("(") || len(skip(rest)) > 0 {
		return call{said: said}, false
	}
	c := call{said: said, path: r.resolve(said), named: map[string][]token{}}
	for _, arg := range parts(rest[1:len(rest)-1], ",") {
		switch {
		case len(arg) == 0, arg[0].is("*"), arg[0].is("**"):
			c.more = true
		case len(arg) > 2 && arg[0].kind == aName && arg[1].is("="):
			c.named[arg[0].text] = arg[2:]
		default:
			c.positional = append(c.positional, arg)
		}
	}
	return c, true
}
