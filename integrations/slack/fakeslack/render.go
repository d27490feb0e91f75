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

func buttonsOf(blocks []any) []Button {
	var found []Button
	for _, b := range blocks {
		block, _ := b.(object)
		elements, _ := block["elements"].([]any)
		if a := block["accessory"]; a != nil {
			elements = append(elements[:len(elements):len(elements)], a)
		}
		for _, e := range elements {
			e, _ := e.(object)
			if e["type"] != "button" {
				continue
			}
			found = append(found, Button{
				Label: textOf(e["text"]), ActionID: stringOf(e["action_id"]), Value: stringOf(e["value"]),
				URL: stringOf(e["url"]), Style: stringOf(e["style"]), Dialog: dialog(e),
				blockID: stringOf(block["block_id"]), element: e,
			})
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
	return s.lines(list)
}

// plain is how m reads, with s.mu held.
func (s *Server) plain(m *message) string {
	if len(m.blocks) > 0 {
		return s.lines(m.blocks)
	}
	return s.mrkdwn(m.text)
}

func (s *Server) lines(blocks []any) string {
	var lines []string
	add := func(line string) {
		for l := range strings.SplitSeq(line, "\n") {
			lines = append(lines, strings.TrimRight(l, " "))
		}
	}
	for _, b := range blocks {
		b, _ := b.(object)
		elements, _ := b["elements"].([]any)
		switch b["type"] {
		case "section":
			if b["text"] != nil {
				add(s.read(b["text"]))
			}
			fields, _ := b["fields"].([]any)
			for _, f := range fields {
				add(s.read(f))
			}
			if b["accessory"] != nil {
				add(s.read(b["accessory"]))
			}
		case "header":
			add("*" + s.read(b["text"]) + "*")
		case "divider":
			add("---")
		case "image":
			add(s.read(b))
		case "context":
			add("· " + strings.ReplaceAll(s.join(elements), "\n", "\n· "))
		case "actions":
			add(s.join(elements))
		}
	}
	return strings.Join(lines, "\n")
}

func (s *Server) join(elements []any) string {
	var parts []string
	for _, e := range elements {
		parts = append(parts, s.read(e))
	}
	return strings.Join(parts, " ")
}

// read writes a text object or an element.
func (s *Server) read(v any) string {
	e, _ := v.(object)
	switch e["type"] {
	case "mrkdwn":
		return s.mrkdwn(stringOf(e["text"]))
	case "plain_text": // shown literally: no mentions, no links
		return invisible.Replace(stringOf(e["text"]))
	case "button":
		label := textOf(e["text"])
		if e["confirm"] != nil && !strings.HasSuffix(label, "…") {
			label += "…"
		}
		return "[" + label + "]"
	case "static_select":
		return "[" + or(textOf(e["placeholder"]), "Select") + " ▾]"
	case "overflow":
		return "[⋮]"
	case "image":
		return "[image: " + stringOf(e["alt_text"]) + "]"
	}
	return ""
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
