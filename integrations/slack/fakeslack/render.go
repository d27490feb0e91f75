package fakeslack

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Button is a button of a message.
type Button struct {
	Label    string
	ActionID string
	Value    string
	URL      string
	Style    string // primary, danger or empty
	Dialog   string // what Slack asks before the press counts; empty: nothing

	blockID string
	element object
}

// Buttons returns the buttons of the message, in the order they are read.
func (m Message) Buttons() []Button {
	var blocks []any
	if m.Blocks != nil && json.Unmarshal(m.Blocks, &blocks) != nil {
		return nil
	}
	return buttonsOf(blocks)
}

// element is an interactive element, and the block it is in.
type element struct{ block, it object }

func (e element) kind() string     { return stringOf(e.it["type"]) }
func (e element) blockID() string  { return stringOf(e.block["block_id"]) }
func (e element) actionID() string { return stringOf(e.it["action_id"]) }

// elementsOf returns what is in blocks, in the order it is read.
func elementsOf(blocks []any) []element {
	var found []element
	for _, b := range blocks {
		block, _ := b.(object)
		var within []any
		for _, name := range []string{"elements", "actions"} {
			if list, ok := block[name].([]any); ok {
				within = append(within, list...)
			}
		}
		for _, name := range []string{"accessory", "element"} {
			if block[name] != nil {
				within = append(within, block[name])
			}
		}
		if block["type"] == "carousel" {
			found = append(found, elementsOf(within)...) // its elements are blocks
			continue
		}
		for _, e := range within {
			if e, ok := e.(object); ok {
				found = append(found, element{block, e})
			}
		}
		children, _ := block["child_blocks"].([]any)
		found = append(found, elementsOf(children)...)
	}
	return found
}

func buttonsOf(blocks []any) []Button {
	var found []Button
	add := func(e element, b, action object) {
		found = append(found, Button{
			Label: textOf(b["text"]), ActionID: e.actionID(), Value: stringOf(b["value"]),
			URL: stringOf(b["url"]), Style: stringOf(b["style"]), Dialog: dialog(b),
			blockID: e.blockID(), element: action,
		})
	}
	for _, e := range elementsOf(blocks) {
		switch e.kind() {
		case "button", "icon_button":
			add(e, e.it, e.it)
		case "feedback_buttons":
			for _, name := range []string{"positive_button", "negative_button"} {
				b, _ := e.it[name].(object)
				add(e, b, object{"type": "feedback_buttons", "action_id": e.actionID(), "text": b["text"], "value": b["value"]})
			}
		}
	}
	return found
}

func dialog(element object) string {
	c, _ := element["confirm"].(object)
	return textOf(c["text"])
}

func stringOf(v any) string { s, _ := v.(string); return s }

func textOf(v any) string { t, _ := v.(object); return stringOf(t["text"]) }

// Render writes the message as a line of a transcript, or as several: who says
// it, to whom if not to all, and how it reads.
//
//	th: *Promote to production?* asked by @ana
//	    · waits until 14:25 UTC
//	    [Promote…] [Cancel]
//	th (to bea): Only ana can answer this.
func (m Message) Render() string {
	var marks []string
	if m.Ephemeral {
		marks = append(marks, "to "+m.To)
	}
	if m.ThreadTS != "" && m.ThreadTS != m.TS {
		marks = append(marks, "in a thread")
	}
	who := m.Name
	if len(marks) > 0 {
		who += " (" + strings.Join(marks, ", ") + ")"
	}
	body := m.Plain
	if m.Deleted {
		body = "(deleted)"
	}
	if m.Warning != "" {
		body += "\n! " + m.Warning
	}
	indent := strings.Repeat(" ", utf8.RuneCountInString(m.Name)+2)
	return who + ": " + strings.ReplaceAll(body, "\n", "\n"+indent) + "\n"
}

// Plain writes blocks as they read, in plain text: names for mentions, UTC for
// times, labels for links, [Label] for buttons, [Label…] for those that ask
// once more, and "· " before small print.
func (s *Server) Plain(blocks json.RawMessage) string {
	var list []any
	if json.Unmarshal(blocks, &list) != nil {
		return string(blocks)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lines(list, nil)
}

// plain is how m reads, with s.mu held.
func (s *Server) plain(m *message) string {
	if len(m.blocks) > 0 {
		return s.lines(m.blocks, nil)
	}
	return s.mrkdwn(m.text)
}

// lines writes blocks, and in them what state holds.
func (s *Server) lines(blocks []any, state values) string {
	var lines []string
	add := func(line string) {
		for l := range strings.SplitSeq(line, "\n") {
			lines = append(lines, strings.TrimRight(l, " "))
		}
	}
	for _, b := range blocks {
		b, _ := b.(object)
		elements, _ := b["elements"].([]any)
		within := state[stringOf(b["block_id"])]
		switch b["type"] {
		case "section":
			if b["text"] != nil {
				add(s.read(b["text"], within))
			}
			fields, _ := b["fields"].([]any)
			for _, f := range fields {
				add(s.read(f, within))
			}
			if b["accessory"] != nil {
				add(s.read(b["accessory"], within))
			}
		case "header":
			add("*" + s.read(b["text"], within) + "*")
		case "divider":
			add("---")
		case "image":
			add(s.read(b, within))
		case "context":
			add("· " + strings.ReplaceAll(s.join(elements, within), "\n", "\n· "))
		case "actions", "context_actions":
			add(s.join(elements, within))
		case "input":
			add(s.read(b["label"], within) + ": " + s.read(b["element"], within))
			if b["hint"] != nil {
				add("· " + s.read(b["hint"], within))
			}
		default:
			if text := s.richer(b, state); text != "" {
				add(text)
			}
		}
	}
	return strings.Join(lines, "\n")
}

// richer writes the blocks that came later.
func (s *Server) richer(b object, state values) string {
	within := state[stringOf(b["block_id"])]
	elements, _ := b["elements"].([]any)
	var parts []string
	switch b["type"] {
	case "rich_text":
		return s.mrkdwn(flat(b))
	case "table":
		rows, _ := b["rows"].([]any)
		for _, r := range rows {
			row, _ := r.([]any)
			var cells []string
			for _, c := range row {
				cells = append(cells, s.mrkdwn(flat(c)))
			}
			parts = append(parts, strings.Join(cells, " | "))
		}
	case "container":
		children, _ := b["child_blocks"].([]any)
		parts = append(parts, "*"+or(textOf(b["title"]), flat(b["rich_text_title"]))+"*", s.lines(children, state))
	case "card":
		for _, name := range []string{"title", "subtitle", "body"} {
			if b[name] != nil {
				parts = append(parts, s.read(b[name], within))
			}
		}
		if actions, ok := b["actions"].([]any); ok {
			parts = append(parts, s.join(actions, within))
		}
	case "carousel":
		return s.lines(elements, state)
	case "alert":
		return "! " + s.read(b["text"], within)
	case "plan":
		parts = append(parts, "*"+stringOf(b["title"])+"*")
		tasks, _ := b["tasks"].([]any)
		for _, t := range tasks {
			t, _ := t.(object)
			parts = append(parts, stringOf(t["title"])+" ("+or(stringOf(t["status"]), "pending")+")")
		}
	case "task_card":
		return stringOf(b["title"]) + " (" + or(stringOf(b["status"]), "pending") + ")"
	case "file":
		return "[file " + stringOf(b["external_id"]) + "]"
	}
	return strings.Join(parts, "\n")
}

func (s *Server) join(elements []any, state map[string]object) string {
	var parts []string
	for _, e := range elements {
		parts = append(parts, s.read(e, state))
	}
	return strings.Join(parts, " ")
}

// read writes a text object or an element, with what state holds of it.
func (s *Server) read(v any, state map[string]object) string {
	e, _ := v.(object)
	switch e["type"] {
	case "mrkdwn":
		return s.mrkdwn(stringOf(e["text"]))
	case "plain_text": // shown literally: no mentions, no links
		return invisible.Replace(stringOf(e["text"]))
	case "button", "icon_button":
		label := textOf(e["text"])
		if e["confirm"] != nil && !strings.HasSuffix(label, "…") {
			label += "…"
		}
		return "[" + label + "]"
	case "feedback_buttons":
		positive, _ := e["positive_button"].(object)
		negative, _ := e["negative_button"].(object)
		return "[" + textOf(positive["text"]) + "] [" + textOf(negative["text"]) + "]"
	case "overflow":
		return "[⋮]"
	case "image":
		return "[image: " + stringOf(e["alt_text"]) + "]"
	}
	k, known := kinds[stringOf(e["type"])]
	if !known || k.field == "" {
		return ""
	}
	chosen := strings.Join(s.chosen(state[stringOf(e["action_id"])]), ", ")
	if strings.HasSuffix(stringOf(e["type"]), "_input") {
		return "[" + or(chosen, textOf(e["placeholder"])) + "]"
	}
	return "[" + or(or(chosen, textOf(e["placeholder"])), "Select") + " ▾]"
}

var (
	angle    = regexp.MustCompile(`<([^<>]*)>`)
	token    = regexp.MustCompile(`\{[a-z_]+\}`)
	unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")
	// invisible characters keep text from being formatted; nobody reads them.
	invisible = strings.NewReplacer("\u200b", "", "\u200c", "", "\u200d", "", "\u2060", "", "\ufeff", "")
)

// mrkdwn writes marked-up text as it reads, in the order in which Slack's page
// on formatting says to parse it. Emphasis and code keep their marks.
func (s *Server) mrkdwn(text string) string {
	text = angle.ReplaceAllStringFunc(text, func(found string) string {
		inner, label, labelled := strings.Cut(found[1:len(found)-1], "|")
		switch {
		case strings.HasPrefix(inner, "#"):
			if c := s.channel(inner[1:]); c != nil {
				return "#" + c.Name
			}
			return "#" + or(label, inner[1:])
		case strings.HasPrefix(inner, "@"):
			return "@" + s.name(inner[1:])
		case strings.HasPrefix(inner, "!subteam^"):
			if g, ok := s.group(strings.TrimPrefix(inner, "!subteam^")); ok {
				return "@" + g.Handle
			}
			return or(label, "@"+strings.TrimPrefix(inner, "!subteam^"))
		case strings.HasPrefix(inner, "!date^"):
			return date(strings.TrimPrefix(inner, "!date^"), label)
		case strings.HasPrefix(inner, "!"):
			return "@" + inner[1:]
		case labelled && label != "":
			return label
		}
		return inner
	})
	return invisible.Replace(unescape.Replace(text))
}

// date writes "<unix>^<format>[^<link>]", in UTC.
func date(spec, fallback string) string {
	seconds, form, ok := strings.Cut(spec, "^")
	n, err := strconv.ParseInt(seconds, 10, 64)
	if !ok || err != nil {
		return fallback
	}
	form, _, _ = strings.Cut(form, "^")
	at := time.Unix(n, 0).UTC()
	return token.ReplaceAllStringFunc(form, func(t string) string {
		switch {
		case t == "{time}":
			return at.Format("15:04") + " UTC"
		case t == "{time_secs}":
			return at.Format("15:04:05") + " UTC"
		case strings.HasPrefix(t, "{date"):
			return at.Format("2006-01-02")
		}
		return fallback // {ago}, or a token that Slack does not have
	})
}
