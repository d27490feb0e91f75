package fakegithub

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// field is one line of a GraphQL operation: alias: name(args) { fields }.
type field struct {
	alias, name string
	args        map[string]any
	fields      []field
}

// operation is a query or a mutation.
type operation struct {
	kind   string
	fields []field
}

// parser reads the part of GraphQL (spec.graphql.org, 2) that is needed to ask
// for a ref and to move one: a single operation, without fragments, directives
// and block strings. Variables are put in where they are used.
type parser struct {
	tokens    []string
	variables map[string]any
	declared  map[string]bool
}

var tokens = regexp.MustCompile(`"(?:[^"\\\n]|\\.)*"|[A-Za-z_][A-Za-z0-9_]*|-?[0-9]+(?:\.[0-9]+)?|[!$(){}\[\]:=]|[^\s,]`)
var comments = regexp.MustCompile(`#[^\n]*`)
var name = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func parse(text string, variables map[string]any) (op operation, err error) {
	p := &parser{tokens: tokens.FindAllString(comments.ReplaceAllString(text, ""), -1), variables: variables, declared: map[string]bool{}}
	defer func() {
		if r := recover(); r != nil {
			wrong, ok := r.(syntaxError)
			if !ok {
				panic(r)
			}
			err = wrong
		}
	}()
	op.kind = "query"
	if p.peek() != "{" {
		if op.kind = p.name(); op.kind != "query" && op.kind != "mutation" {
			p.fail(op.kind)
		}
		if name.MatchString(p.peek()) {
			p.name()
		}
		if p.peek() == "(" {
			p.declarations()
		}
	}
	op.fields = p.selection()
	if p.peek() != "" {
		p.fail(p.peek())
	}
	return op, nil
}

type syntaxError string

func (e syntaxError) Error() string { return string(e) }

func (p *parser) fail(token string) {
	if token == "" {
		panic(syntaxError("Unexpected end of document"))
	}
	panic(syntaxError(fmt.Sprintf("Parse error on %q", token)))
}

func (p *parser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *parser) next() string {
	t := p.peek()
	if t != "" {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *parser) expect(token string) {
	if t := p.next(); t != token {
		p.fail(t)
	}
}

func (p *parser) name() string {
	t := p.next()
	if !name.MatchString(t) {
		p.fail(t)
	}
	return t
}

// declarations are ($owner: String!, $refs: [RefUpdate!]!). Their types are not
// looked at: the values are judged where they are used.
func (p *parser) declarations() {
	p.expect("(")
	for p.peek() != ")" {
		p.expect("$")
		variable := p.name()
		p.declared[variable] = true
		p.expect(":")
		for strings.Contains("[]!", p.peek()) && p.peek() != "" || name.MatchString(p.peek()) {
			p.next()
		}
		if p.peek() == "=" {
			p.next()
			value := p.value()
			if _, given := p.variables[variable]; !given {
				if p.variables == nil {
					p.variables = map[string]any{}
				}
				p.variables[variable] = value
			}
		}
	}
	p.expect(")")
}

func (p *parser) selection() []field {
	p.expect("{")
	var list []field
	for p.peek() != "}" {
		f := field{args: map[string]any{}}
		f.name = p.name()
		f.alias = f.name
		if p.peek() == ":" {
			p.next()
			f.name = p.name()
		}
		if p.peek() == "(" {
			p.next()
			for p.peek() != ")" {
				arg := p.name()
				p.expect(":")
				f.args[arg] = p.value()
			}
			p.next()
		}
		if p.peek() == "{" {
			f.fields = p.selection()
		}
		list = append(list, f)
	}
	p.next()
	if len(list) == 0 {
		p.fail("}")
	}
	return list
}

func (p *parser) value() any {
	switch t := p.next(); {
	case t == "$":
		variable := p.name()
		if !p.declared[variable] {
			panic(syntaxError(fmt.Sprintf("Variable $%s is used but not declared", variable)))
		}
		return p.variables[variable]
	case t == "[":
		list := []any{}
		for p.peek() != "]" {
			list = append(list, p.value())
		}
		p.next()
		return list
	case t == "{":
		object := map[string]any{}
		for p.peek() != "}" {
			key := p.name()
			p.expect(":")
			object[key] = p.value()
		}
		p.next()
		return object
	case t == "true" || t == "false":
		return t == "true"
	case t == "null":
		return nil
	case strings.HasPrefix(t, `"`):
		var s string
		if json.Unmarshal([]byte(t), &s) != nil {
			p.fail(t)
		}
		return s
	default:
		p.fail(t) // numbers and enums: nothing here takes any
		return nil
	}
}
