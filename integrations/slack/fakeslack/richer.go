package fakeslack

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of the blocks below (Block Kit's reference).
const (
	mostMarkdown = 12_000 // code points, of all markdown blocks together
	mostInTable  = 10_000 // code points, of all cells together
)

// contained are the blocks that a container may hold.
var contained = []string{"actions", "context", "divider", "file", "header", "image", "input", "rich_text", "section", "table", "video"}

// richer checks the blocks that came later, or are seldom used.
func (l *lint) richer(b object, kind, at string) {
	switch kind {
	case "rich_text":
		l.only(b, at, "block_id", "elements")
		l.richText(b, at)
	case "markdown":
		l.only(b, at, "block_id", "text")
		l.markdownBlock(b, at)
	case "table":
		l.only(b, at, "block_id", "rows", "column_settings")
		l.table(b, at)
	case "file":
		l.only(b, at, "block_id", "external_id", "source")
		l.string(b, "external_id", at, 255, true)
		l.oneOf(b, "source", at, "remote")
	case "container":
		l.only(b, at, "block_id", "title", "rich_text_title", "subtitle", "icon", "width", "is_collapsible", "default_collapsed",
			"has_header_divider", "child_blocks")
		l.container(b, at)
	case "card":
		l.only(b, at, "block_id", "hero_image", "icon", "slack_icon", "title", "subtitle", "body", "subtext", "actions")
		l.card(b, at)
	case "carousel":
		l.only(b, at, "block_id", "elements")
		for i, c := range l.list(b, "elements", at, 1, 10) {
			here := fmt.Sprintf("%s/elements/%d", at, i)
			if c["type"] != "card" {
				l.add(here+"/type", "must be a valid enum value")
				continue
			}
			l.block(c, here)
		}
	case "alert":
		l.only(b, at, "block_id", "text", "level")
		if l.surface != inModal {
			l.add(at+"/type", "unsupported type: alert")
		}
		l.text(b, "text", at, 200, true, "plain_text", "mrkdwn")
		l.oneOf(b, "level", at, "default", "info", "warning", "error", "success")
	case "plan":
		l.only(b, at, "block_id", "title", "tasks")
		l.string(b, "title", at, 256, true)
		if b["tasks"] != nil {
			for i, task := range l.list(b, "tasks", at, 0, mostBlocks) {
				l.task(task, fmt.Sprintf("%s/tasks/%d", at, i))
			}
		}
	case "task_card":
		l.task(b, at)
	default:
		l.dunno(at, "block", kind)
	}
}

func (l *lint) richText(b object, at string) {
	for i, e := range l.list(b, "elements", at, 1, 1000) {
		here := fmt.Sprintf("%s/elements/%d", at, i)
		switch e["type"] {
		case "rich_text_section", "rich_text_quote", "rich_text_preformatted":
			l.list(e, "elements", here, 0, 1000)
		case "rich_text_list":
			l.oneOf(e, "style", here, "bullet", "ordered")
			for j, item := range l.list(e, "elements", here, 0, 1000) {
				if item["type"] != "rich_text_section" {
					l.add(fmt.Sprintf("%s/elements/%d/type", here, j), "must be a valid enum value")
				}
			}
		default:
			l.dunno(here, "rich text element", fmt.Sprint(e["type"]))
		}
	}
}

// markdownBlock checks one, and turns it into rich text as Slack does, under
// an id of Slack's own.
func (l *lint) markdownBlock(b object, at string) {
	text, _ := b["text"].(string)
	l.string(b, "text", at, mostMarkdown, true)
	before := l.markdown
	l.markdown += utf8.RuneCountInString(text)
	if before <= mostMarkdown && before > 0 && l.markdown > mostMarkdown {
		l.add(at+"/text", "must be less than %d characters", mostMarkdown+1)
	}
	clear(b)
	b["type"], b["block_id"] = "rich_text", l.id()
	b["elements"] = []any{object{"type": "rich_text_section", "elements": []any{object{"type": "text", "text": text}}}}
}

func (l *lint) table(b object, at string) {
	length := 0
	for i, r := range l.array(b, "rows", at, 1, 100) {
		here := fmt.Sprintf("%s/rows/%d", at, i)
		row, ok := r.([]any)
		switch {
		case !ok:
			l.add(here, "must provide an array")
		case len(row) > 20:
			l.add(here, "no more than 20 items allowed")
		}
		for j, c := range row {
			cell, _ := c.(object)
			switch at := fmt.Sprintf("%s/%d", here, j); cell["type"] {
			case "raw_text":
				l.string(cell, "text", at, mostInTable, true)
				length += utf8.RuneCountInString(stringOf(cell["text"]))
			case "rich_text":
				l.richText(cell, at)
				length += utf8.RuneCountInString(flat(cell))
			default:
				l.add(at+"/type", "must be a valid enum value")
			}
		}
	}
	if length > mostInTable {
		l.add(at+"/rows", "must be less than %d characters", mostInTable+1)
	}
	if b["column_settings"] != nil {
		l.array(b, "column_settings", at, 0, 20) // null skips a column
	}
}

func (l *lint) container(b object, at string) {
	if b["title"] == nil && b["rich_text_title"] == nil {
		l.add(at, "missing required field: title")
	}
	l.text(b, "title", at, 150, false, "plain_text")
	l.text(b, "subtitle", at, 150, false, "plain_text", "mrkdwn")
	l.oneOf(b, "width", at, "narrow", "standard", "wide", "full")
	l.flag(b, at, "is_collapsible", "default_collapsed", "has_header_divider")
	if b["default_collapsed"] == true && b["is_collapsible"] != true {
		l.add(at+"/default_collapsed", "must be false unless `is_collapsible` is true")
	}
	for i, child := range l.list(b, "child_blocks", at, 1, 10) {
		here := fmt.Sprintf("%s/child_blocks/%d", at, i)
		if name, _ := child["type"].(string); !slices.Contains(contained, name) {
			l.add(here+"/type", "unsupported type: %s", name)
			continue
		}
		l.block(child, here)
	}
}

func (l *lint) card(b object, at string) {
	if b["hero_image"] == nil && b["title"] == nil && b["actions"] == nil && b["body"] == nil {
		l.add(at, "must define at least one of `hero_image`, `title`, `actions` or `body`")
	}
	for _, name := range []string{"hero_image", "icon"} {
		if e, ok := l.object(b, name, at, false); ok {
			l.image(e, at+"/"+name)
		}
	}
	l.text(b, "title", at, 150, false, "plain_text", "mrkdwn")
	l.text(b, "subtitle", at, 150, false, "plain_text", "mrkdwn")
	l.text(b, "body", at, 200, false, "plain_text", "mrkdwn")
	if b["actions"] != nil {
		for i, e := range l.list(b, "actions", at, 1, 3) {
			l.element(e, fmt.Sprintf("%s/actions/%d", at, i), at, inCard)
		}
	}
}

func (l *lint) task(b object, at string) {
	l.only(b, at, "block_id", "task_id", "title", "status", "details", "output", "sources", "hide_title")
	l.string(b, "task_id", at, 255, true)
	l.string(b, "title", at, 256, true)
	l.oneOf(b, "status", at, "pending", "in_progress", "complete", "error")
	for _, name := range []string{"details", "output"} {
		if t, ok := l.object(b, name, at, false); ok {
			l.richText(t, at+"/"+name)
		}
	}
}

// flat is the text of rich text, without its form. Mentions are written as in
// mrkdwn.
func flat(v any) string {
	e, _ := v.(object)
	switch e["type"] {
	case "text", "raw_text":
		return stringOf(e["text"])
	case "link":
		return or(stringOf(e["text"]), stringOf(e["url"]))
	case "user":
		return "<@" + stringOf(e["user_id"]) + ">"
	case "channel":
		return "<#" + stringOf(e["channel_id"]) + ">"
	case "usergroup":
		return "<!subteam^" + stringOf(e["usergroup_id"]) + ">"
	case "broadcast":
		return "<!" + stringOf(e["range"]) + ">"
	case "emoji":
		return ":" + stringOf(e["name"]) + ":"
	case "date":
		n, _ := e["timestamp"].(json.Number)
		return or(stringOf(e["fallback"]), n.String())
	}
	elements, _ := e["elements"].([]any)
	var parts []string
	for _, part := range elements {
		parts = append(parts, flat(part))
	}
	switch e["type"] {
	case "rich_text", "rich_text_list":
		return strings.Join(parts, "\n")
	}
	return strings.Join(parts, "")
}
