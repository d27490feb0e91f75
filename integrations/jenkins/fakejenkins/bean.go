package fakejenkins

import (
	"fmt"
	"strconv"
	"strings"
)

// bean is an object as Jenkins exports it: @ExportedBean with its @Exported
// properties.
type bean struct {
	class string
	props []prop
}

type prop struct {
	name  string
	value any // plain data, bean or []bean
	when  visibility
}

// visibility says down to which level a property is written when no tree names
// it, as that of Exported does: depth 0 writes those of the object asked for that
// have at least 1, and of the objects in it those that have at least 2.
type visibility int

const (
	everywhere visibility = 99
	onItsOwn   visibility = 1 // not where the bean is an item of another's list
	onlyAsked  visibility = -2
)

// tree is the parsed value of the parameter tree: the names asked for, each
// with what is asked of its values.
type tree struct {
	children map[string]*tree
	from, to int // of a list; to < 0: to its end
}

// parseTree reads TreePruner's language: a,b[c,d]{0,20}.
func parseTree(text string) (*tree, error) {
	p := treeParser{text}
	t, err := p.names()
	if err == nil && p.rest != "" {
		err = fmt.Errorf("unexpected %q", p.rest)
	}
	if err != nil {
		return nil, fmt.Errorf("reading tree %q: %w", text, err)
	}
	return t, nil
}

type treeParser struct{ rest string }

func (p *treeParser) names() (*tree, error) {
	t := &tree{children: map[string]*tree{}, to: -1}
	for {
		end := strings.IndexAny(p.rest, ",[]{}")
		if end < 0 {
			end = len(p.rest)
		}
		name := strings.TrimSpace(p.rest[:end])
		if p.rest = p.rest[end:]; name == "" || name == "*" {
			return nil, fmt.Errorf("name %q before %q", name, p.rest)
		}
		child := &tree{to: -1}
		if p.eat("[") {
			var err error
			if child, err = p.names(); err != nil {
				return nil, err
			}
			if !p.eat("]") {
				return nil, fmt.Errorf("no ] before %q", p.rest)
			}
		}
		if p.eat("{") {
			span, rest, ok := strings.Cut(p.rest, "}")
			if !ok {
				return nil, fmt.Errorf("no } after %q", span)
			}
			p.rest = rest
			var err error
			if child.from, child.to, err = parseRange(span); err != nil {
				return nil, err
			}
		}
		t.children[name] = child
		if !p.eat(",") {
			return t, nil
		}
	}
}

func (p *treeParser) eat(token string) bool {
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

// parseRange reads {M,N}, {M,}, {,N} and {N}: N is not part of it, a lone one is.
func parseRange(text string) (from, to int, err error) {
	first, last, two := strings.Cut(text, ",")
	if from, err = bound(first, 0); err != nil {
		return 0, 0, err
	}
	if !two {
		return from, from + 1, nil
	}
	to, err = bound(last, -1)
	return from, to, err
}

func bound(text string, absent int) (int, error) {
	if text = strings.TrimSpace(text); text == "" {
		return absent, nil
	}
	return strconv.Atoi(text)
}

// render writes b as far as t asks; without t, what is shown on that level. The
// class of a bean is always written; names it does not have are dropped.
func (b bean) render(t *tree, level int) map[string]any {
	out := map[string]any{}
	if b.class != "" {
		out["_class"] = b.class
	}
	for _, p := range b.props {
		if t == nil {
			if int(p.when) >= level {
				out[p.name] = renderValue(p.value, nil, level+1)
			}
		} else if child, ok := t.children[p.name]; ok {
			out[p.name] = renderValue(p.value, child, level+1)
		}
	}
	return out
}

func renderValue(v any, t *tree, level int) any {
	switch v := v.(type) {
	case bean:
		return v.render(t, level)
	case []bean:
		if t != nil {
			v = v[min(t.from, len(v)):]
			if t.to >= 0 {
				v = v[:min(max(t.to-t.from, 0), len(v))]
			}
		}
		list := make([]any, 0, len(v))
		for _, b := range v {
			list = append(list, b.render(t, level))
		}
		return list
	}
	return v
}
