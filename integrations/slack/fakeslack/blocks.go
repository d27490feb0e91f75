package fakeslack

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const mostBlocks = 50 // of a message

// readBlocks checks blocks as Slack's reference of Block Kit limits them, and
// returns them with what Slack fills in: ids, emoji and verbatim.
func (s *Server) readBlocks(text string) ([]any, error) {
	var blocks []any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&blocks) != nil || slices.ContainsFunc(blocks, func(b any) bool { _, ok := b.(object); return !ok }) {
		return nil, fail("invalid_blocks_format")
	}
	l := lint{id: func() string { return strconv.FormatInt(s.next(), 36) }, seen: map[string]bool{}}
	if len(blocks) > mostBlocks {
		l.add("/blocks", "no more than %d items allowed", mostBlocks)
	}
	for i, b := range blocks {
		l.block(b.(object), fmt.Sprintf("/blocks/%d", i))
	}
	if len(l.problems) > 0 {
		return nil, slackError{code: "invalid_blocks", problems: l.problems, unknown: strings.Join(l.unknown, "; ")}
	}
	return blocks, nil
}

// lint collects what is wrong with blocks.
type lint struct {
	problems []string
	unknown  []string // what Slack may know, but this fake does not
	seen     map[string]bool
	id       func() string
}

func (l *lint) add(at, format string, args ...any) {
	l.problems = append(l.problems, fmt.Sprintf(format, args...)+" [json-pointer:"+at+"]")
}

func (l *lint) block(b object, at string) {
	l.unique(b, "block_id", at)
	switch kind, _ := b["type"].(string); kind {
	case "section":
		l.only(b, at, "block_id", "text", "fields", "accessory", "expand")
		l.section(b, at)
	case "header":
		l.only(b, at, "block_id", "text", "level")
		l.text(b, "text", at, 150, true, "plain_text")
	case "divider":
		l.only(b, at, "block_id")
	case "image":
		l.only(b, at, "block_id", "image_url", "alt_text", "title")
		l.image(b, at)
		l.text(b, "title", at, 2000, false, "plain_text")
	case "context":
		l.only(b, at, "block_id", "elements")
		for i, e := range l.list(b, "elements", at, 1, 10) {
			here := fmt.Sprintf("%s/elements/%d", at, i)
			if e["type"] == "image" {
				l.only(e, here, "image_url", "alt_text")
				l.image(e, here)
			} else {
				l.textObject(e, here, 3000, "plain_text", "mrkdwn")
			}
		}
	case "actions":
		l.only(b, at, "block_id", "elements")
		for i, e := range l.list(b, "elements", at, 1, 25) {
			l.element(e, fmt.Sprintf("%s/elements/%d", at, i), at, false)
		}
	default:
		l.unknown = append(l.unknown, fmt.Sprintf("block type %q is not known here", kind))
		l.add(at+"/type", "unsupported type: %s", kind)
	}
}

func (l *lint) section(b object, at string) {
	if b["text"] == nil && b["fields"] == nil {
		l.add(at, "must define either `text` or `fields`")
	}
	l.text(b, "text", at, 3000, false, "plain_text", "mrkdwn")
	if b["fields"] != nil {
		for i, f := range l.list(b, "fields", at, 1, 10) {
			l.textObject(f, fmt.Sprintf("%s/fields/%d", at, i), 2000, "plain_text", "mrkdwn")
		}
	}
	if b["accessory"] == nil {
		return
	}
	if e, ok := b["accessory"].(object); !ok {
		l.add(at+"/accessory", "must provide an object")
	} else {
		l.element(e, at+"/accessory", at, true)
	}
}

func (l *lint) image(e object, at string) {
	l.string(e, "image_url", at, 3000, true)
	l.string(e, "alt_text", at, 2000, true)
}

// element checks an element of the block at block.
func (l *lint) element(e object, at, block string, accessory bool) {
	kind, _ := e["type"].(string)
	switch {
	case kind == "image" && accessory:
		l.only(e, at, "image_url", "alt_text")
		l.image(e, at)
		return
	case kind == "button":
		l.only(e, at, "action_id", "text", "value", "url", "style", "confirm", "accessibility_label")
		l.text(e, "text", at, 75, true, "plain_text")
		l.string(e, "value", at, 2000, false)
		l.string(e, "url", at, 3000, false)
		l.string(e, "accessibility_label", at, 75, false)
		l.style(e, at)
	case kind == "static_select":
		l.only(e, at, "action_id", "placeholder", "options", "initial_option", "confirm", "focus_on_load")
		l.text(e, "placeholder", at, 150, false, "plain_text")
		l.options(e, at, 100)
	case kind == "overflow":
		l.only(e, at, "action_id", "options", "confirm")
		l.options(e, at, 5)
	case strings.HasPrefix(kind, "multi_") && !accessory:
		l.add(block, "unsupported element: multiselect")
	default:
		l.unknown = append(l.unknown, fmt.Sprintf("element type %q is not known here", kind))
		l.add(at+"/type", "unsupported type: %s", kind)
	}
	l.unique(e, "action_id", at)
	if e["confirm"] != nil {
		l.confirm(e, at+"/confirm")
	}
}

func (l *lint) options(e object, at string, most int) {
	for i, o := range l.list(e, "options", at, 1, most) {
		here := fmt.Sprintf("%s/options/%d", at, i)
		l.only(o, here, "text", "value", "description", "url")
		l.text(o, "text", here, 75, true, "plain_text", "mrkdwn")
		l.string(o, "value", here, 150, true)
		l.text(o, "description", here, 75, false, "plain_text", "mrkdwn")
	}
}

func (l *lint) confirm(e object, at string) {
	c, ok := e["confirm"].(object)
	if !ok {
		l.add(at, "must provide an object")
		return
	}
	l.only(c, at, "title", "text", "confirm", "deny", "style")
	l.text(c, "title", at, 100, true, "plain_text")
	l.text(c, "text", at, 300, true, "plain_text", "mrkdwn")
	l.text(c, "confirm", at, 30, true, "plain_text")
	l.text(c, "deny", at, 30, true, "plain_text")
	l.style(c, at)
}

func (l *lint) style(e object, at string) {
	if v := e["style"]; v != nil && v != "primary" && v != "danger" {
		l.add(at+"/style", "must be a valid enum value")
	}
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

// list returns the objects in a property.
func (l *lint) list(o object, name, at string, least, most int) []object {
	items, ok := o[name].([]any)
	at += "/" + name
	switch {
	case o[name] == nil:
		l.add(strings.TrimSuffix(at, "/"+name), "missing required field: %s", name)
	case !ok:
		l.add(at, "must provide an array")
	case len(items) < least:
		l.add(at, "no fewer than %d items allowed", least)
	case len(items) > most:
		l.add(at, "no more than %d items allowed", most)
	}
	objects := make([]object, 0, len(items))
	for i, item := range items {
		if o, ok := item.(object); ok {
			objects = append(objects, o)
		} else {
			l.add(fmt.Sprintf("%s/%d", at, i), "must provide an object")
		}
	}
	return objects
}

// text checks the text object in a property.
func (l *lint) text(o object, name, at string, most int, required bool, kinds ...string) {
	t, ok := o[name].(object)
	switch {
	case o[name] == nil && required:
		l.add(at, "missing required field: %s", name)
	case o[name] == nil:
	case !ok:
		l.add(at+"/"+name, "must provide an object")
	default:
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
