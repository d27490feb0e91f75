package slack

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"thbot/bot"
)

// Limits of Block Kit (docs.slack.dev, reference of blocks, block elements and
// composition objects). What exceeds one is refused as a whole, so everything
// is cut to fit here, and only here.
const (
	maxBlocks   = 50
	maxText     = 3000 // of a section, and of the line beside the blocks
	maxNote     = 2000
	maxButtons  = 25 // in a row
	maxLabel    = 75
	maxValue    = 2000
	maxActionID = 255
	maxTitle    = 100
	maxDialog   = 300
	maxConfirm  = 30
	// maxTotal bounds the text of all blocks: past an undocumented length the
	// answer is msg_blocks_too_long. markdown blocks document 12,000.
	maxTotal = 12_000
	// maxItem keeps one entry of a list from hiding the others.
	maxItem = 400
)

const (
	// blockPrefix tells our blocks in a payload.
	blockPrefix = "th-"
	// linkAction is the action id of buttons that only open a page. Slack
	// sends a payload for these, too.
	linkAction = "open-link"
	// again separates a verb from the number that keeps action ids apart.
	again = "~"
)

const shortened = "This was too long for one message; the rest is left out."

// render is card as a message: the text that notifications show, and the
// blocks, of which there is at least one. Slack accepts whatever it returns.
func render(card bot.Card) (line string, blocks []slack.Block) {
	line = mrkdwn(card.Line, maxText, true)
	r := renderer{left: maxTotal, used: map[string]bool{}}
	for _, p := range card.Parts {
		r.part(p)
	}
	if isBlank(line) {
		line = "…"
		for _, p := range card.Parts {
			if s := mrkdwn(p.Text, maxText, true); !isBlank(s) {
				line = s
				break
			}
		}
	}
	if len(r.blocks) == 0 {
		r.blocks = append(r.blocks, section(line))
	}
	return line, name(r.fitting())
}

// block is t in a fixed font, line by line, at most limit long.
func block(t bot.Text, limit int) string {
	const fence = "```"
	s := clean(strings.Trim(t.String(), "\n"), false)
	if isBlank(s) {
		return ""
	}
	w := writer{room: limit}
	if w.around(fence+"\n", fixed(s), "\n"+fence); w.full {
		w = writer{room: limit - 1}
		w.around(fence+"\n", fixed(s), "\n"+fence)
		return w.b.String() + "…"
	}
	return w.b.String()
}

type renderer struct {
	blocks []slack.Block
	left   int             // of maxTotal
	short  bool            // something was left out
	used   map[string]bool // action ids
}

func (r *renderer) part(p bot.Part) {
	switch p.Kind {
	case bot.Actions:
		for row := range slices.Chunk(r.buttons(p.Buttons), maxButtons) {
			r.blocks = append(r.blocks, slack.NewActionBlock("", row...))
		}
	case bot.List:
		r.text(func(limit int) string { return list(p, limit) }, maxText, section)
	case bot.Block:
		r.text(func(limit int) string { return block(p.Text, limit) }, maxText, section)
	case bot.Note:
		r.text(func(limit int) string { return mrkdwn(p.Text, limit, false) }, maxNote, note)
	default:
		r.text(func(limit int) string { return mrkdwn(p.Text, limit, false) }, maxText, section)
	}
}

func (r *renderer) text(write func(limit int) string, limit int, block func(string) slack.Block) {
	const least = 100
	if r.left < least {
		r.short = true
		return
	}
	s := write(min(limit, r.left))
	if isBlank(s) {
		return // an empty text object is refused
	}
	r.left -= units(s)
	r.blocks = append(r.blocks, block(s))
}

// fitting is the blocks, of which the last that carry no buttons give way when
// there are too many: without its buttons, a question cannot be answered.
func (r *renderer) fitting() []slack.Block {
	blocks := r.blocks
	for len(blocks) > maxBlocks || r.short && len(blocks) == maxBlocks {
		r.short = true
		i := len(blocks) - 1
		for i > 0 && blocks[i].BlockType() == slack.MBTAction {
			i--
		}
		if blocks[i].BlockType() == slack.MBTAction {
			i = len(blocks) - 1
		}
		blocks = slices.Delete(blocks, i, i+1)
	}
	if r.short {
		blocks = append(blocks, note(shortened))
	}
	return blocks
}

func section(s string) slack.Block { return slack.NewSectionBlock(markup(s), nil, nil) }

func note(s string) slack.Block { return slack.NewContextBlock("", markup(s)) }

// markup is a text object. It is verbatim, or else Slack looks for addresses,
// channels and @here in it by itself.
func markup(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, s, false, true)
}

// literal is a text object in which nothing is markup.
func literal(s string, limit int, oneLine bool) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, cut(strings.TrimSpace(clean(s, oneLine)), limit), false, false)
}

// isBlank reports whether nothing of s would show.
func isBlank(s string) bool { return strings.TrimSpace(strings.ReplaceAll(s, separator, "")) == "" }

// list writes one item a line, and how many more there are.
func list(p bot.Part, limit int) string {
	var lines []string
	if head := mrkdwn(p.Text, maxItem, true); !isBlank(head) {
		lines = append(lines, head)
	}
	heads := len(lines)
	for _, item := range p.Items {
		lines = append(lines, "• "+mrkdwn(item, maxItem, true))
	}
	left := func(shown int) int { return len(p.Items) - max(0, shown-heads) + p.Left }
	length, fits := 0, 0
	for i, l := range lines {
		length += units(l) + 1
		if n := left(i + 1); n == 0 && length-1 <= limit || n > 0 && length+units(more(p, n, limit)) <= limit {
			fits = i + 1
		}
	}
	lines = lines[:fits]
	if n := left(fits); n > 0 {
		lines = append(lines, more(p, n, limit))
	}
	return strings.Join(lines, "\n")
}

// more ends a list that was cut.
func more(p bot.Part, n, limit int) string {
	s := fmt.Sprintf("and %d more", n)
	if linked := mrkdwn(bot.T(bot.To(s, p.More)), min(maxItem, limit), true); strings.HasSuffix(linked, ">") {
		return linked
	}
	return s
}

func (r *renderer) buttons(buttons []bot.CardButton) []slack.BlockElement {
	var out []slack.BlockElement
	for _, b := range buttons {
		label := strings.TrimSpace(clean(b.Label, true))
		if label == "" {
			label = strings.TrimSpace(clean(b.Verb, true))
		}
		address, isLink := "", b.URL != ""
		if isLink {
			var ok bool
			if address, ok = webAddress(b.URL); !ok {
				continue // it would lead nowhere
			}
			b.Verb, b.Value, b.Dialog = linkAction, "", ""
		}
		if b.Verb == "" || label == "" {
			continue
		}
		if units(b.Verb) > maxActionID-8 || units(b.Value) > maxValue {
			r.short = true // cut, it could mean something else
			continue
		}
		id := b.Verb
		for n := 2; r.used[id]; n++ {
			id = fmt.Sprint(b.Verb, again, n)
		}
		r.used[id] = true
		e := slack.NewButtonBlockElement(id, b.Value, literal(label, maxLabel, true))
		e.URL = address
		switch b.Tone {
		case bot.Primary:
			e.Style = slack.StylePrimary
		case bot.Danger:
			e.Style = slack.StyleDanger
		}
		if strings.TrimSpace(clean(b.Dialog, false)) != "" {
			e.Confirm = dialog(label, b)
		}
		out = append(out, e)
	}
	return out
}

// dialog is what Slack asks before it sends a press.
func dialog(label string, b bot.CardButton) *slack.ConfirmationBlockObject {
	title := strings.TrimSpace(strings.TrimSuffix(label, "…"))
	if title == "" {
		title = label
	}
	d := slack.NewConfirmationBlockObject(
		literal(title, maxTitle, true),
		literal(b.Dialog, maxDialog, false),
		literal(title, maxConfirm, true),
		literal("Not now", maxConfirm, true))
	if b.Tone == bot.Danger {
		d.Style = slack.StyleDanger
	}
	return d
}

// verb is what the action id of a pressed button stands for.
func verb(actionID string) string {
	v, _, _ := strings.Cut(actionID, again)
	return v
}

// name gives each block an id that is its own in the message and another one
// when its content changes, as Slack asks for updates. slack-go tells buttons
// from legacy attachment actions by their block's id.
func name(blocks []slack.Block) []slack.Block {
	for i, b := range blocks {
		content, _ := json.Marshal(b) // blocks of our own making can be marshalled
		h := fnv.New64a()
		_, _ = h.Write(content)
		id := fmt.Sprintf("%s%d-%x", blockPrefix, i, h.Sum64())
		switch b := b.(type) {
		case *slack.SectionBlock:
			b.BlockID = id
		case *slack.ContextBlock:
			b.BlockID = id
		case *slack.ActionBlock:
			b.BlockID = id
		}
	}
	return blocks
}

// acknowledgement is a message as the answer to a command, for its author.
type acknowledgement struct {
	ResponseType string        `json:"response_type"`
	Text         string        `json:"text"`
	Blocks       []slack.Block `json:"blocks"`
}

// maxAck is the size from which on Slack silently drops an acknowledgement
// (socketmode.go of slack-go), less the envelope around it.
const maxAck = 20*1024 - 512

// acknowledge is card as the answer to a command; of a card that is too large
// only its line.
func acknowledge(card bot.Card) acknowledgement {
	line, blocks := render(card)
	a := acknowledgement{"ephemeral", line, blocks}
	if size, err := json.Marshal(a); err == nil && len(size) < maxAck {
		return a
	}
	// JSON takes up to six bytes for a character, and the line stands twice.
	const short = 1000
	line = mrkdwn(card.Line, short, true)
	if isBlank(line) {
		line = "…"
	}
	return acknowledgement{"ephemeral", line, name([]slack.Block{section(line), note(shortened)})}
}
