package fakeslack

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// How many blocks a message and a view may have.
const (
	mostBlocks     = 50
	mostViewBlocks = 100
)

// readBlocks checks the blocks of a message as Slack's reference of Block Kit
// limits them, and returns them with what Slack fills in: ids, emoji and
// verbatim.
func (s *Server) readBlocks(text string) ([]any, error) {
	blocks, err := parseBlocks(text)
	if err != nil {
		return nil, err
	}
	l := s.lint(inMessage)
	l.blocks(blocks, "", mostBlocks)
	if len(l.problems) > 0 {
		return nil, slackError{code: "invalid_blocks", problems: l.problems, unknown: strings.Join(l.unknown, "; ")}
	}
	return blocks, nil
}

func (s *Server) lint(surface string) *lint {
	return &lint{surface: surface, seen: map[string]bool{}, id: func() string { return strconv.FormatInt(s.next(), 36) }}
}

func parseBlocks(text string) ([]any, error) {
	var blocks []any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&blocks) != nil || slices.ContainsFunc(blocks, func(b any) bool { _, ok := b.(object); return !ok }) {
		return nil, fail("invalid_blocks_format")
	}
	return blocks, nil
}

// blocks checks blocks, which are objects, of what is at at.
func (l *lint) blocks(blocks []any, at string, most int) {
	if len(blocks) > most {
		l.add(at+"/blocks", "no more than %d items allowed", most)
	}
	for i, b := range blocks {
		l.block(b.(object), fmt.Sprintf("%s/blocks/%d", at, i))
	}
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
		l.number(b, "level", at, 1, 4)
	case "divider":
		l.only(b, at, "block_id")
	case "image":
		l.only(b, at, "block_id", "image_url", "alt_text", "title")
		l.image(b, at)
		l.text(b, "title", at, 2000, false, "plain_text")
	case "context":
		l.only(b, at, "block_id", "elements")
		l.context(b, at)
	case "actions":
		l.only(b, at, "block_id", "elements")
		for i, e := range l.list(b, "elements", at, 1, 25) {
			l.element(e, fmt.Sprintf("%s/elements/%d", at, i), at, inActions)
		}
	case "context_actions":
		l.only(b, at, "block_id", "elements")
		for i, e := range l.list(b, "elements", at, 1, 5) {
			l.element(e, fmt.Sprintf("%s/elements/%d", at, i), at, inContextActions)
		}
	case "input":
		l.only(b, at, "block_id", "label", "hint", "optional", "dispatch_action", "element")
		l.input(b, at)
	default:
		l.richer(b, kind, at)
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
	if e, ok := l.object(b, "accessory", at, false); ok {
		l.element(e, at+"/accessory", at, inSection)
	}
}

func (l *lint) context(b object, at string) {
	for i, e := range l.list(b, "elements", at, 1, 10) {
		here := fmt.Sprintf("%s/elements/%d", at, i)
		if e["type"] == "image" {
			l.only(e, here, "image_url", "alt_text")
			l.image(e, here)
		} else {
			l.textObject(e, here, 3000, "plain_text", "mrkdwn")
		}
	}
}

func (l *lint) input(b object, at string) {
	l.inputs = true
	l.text(b, "label", at, 2000, true, "plain_text")
	l.text(b, "hint", at, 2000, false, "plain_text")
	l.flag(b, at, "optional", "dispatch_action")
	setDefault(b, "optional", false)
	setDefault(b, "dispatch_action", false)
	if e, ok := l.object(b, "element", at, true); ok {
		l.element(e, at+"/element", at, inInput)
	}
}

func (l *lint) image(e object, at string) {
	l.string(e, "image_url", at, 3000, true)
	l.string(e, "alt_text", at, 2000, true)
}
