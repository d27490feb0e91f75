package bot

import (
	"strings"
	"time"
)

// A Card is one message: what it says, typed, with no markup of any chat
// product in it. Whatever a person typed or another system sent stands in a
// span of text or code, so that it can be shown but can never mention, ping
// or format. It is stored as JSON until it is sent.
type Card struct {
	// Line is the one line that notifications and screen readers show.
	Line  Text   `json:"line"`
	Parts []Part `json:"parts,omitempty"`
}

// Text is a run of spans.
type Text []Span

// Style says what a span is.
type Style string

// The styles of a span.
const (
	Plain   Style = ""        // Text, shown as it is
	Bold    Style = "bold"    // Text, emphasised
	Code    Style = "code"    // Text, in a fixed font
	Link    Style = "link"    // Text, leading to URL
	Mention Style = "mention" // the person with the id in Text, who is notified
	Clock   Style = "clock"   // At as a time of day, in the reader's own zone
	Day     Style = "day"     // At as date and time, in the reader's own zone
)

// Span is a piece of text in one style.
type Span struct {
	Style Style     `json:"style,omitempty"`
	Text  string    `json:"text,omitempty"`
	URL   string    `json:"url,omitempty"`
	At    time.Time `json:"at,omitzero"`
}

// PartKind says how a part of a card is laid out.
type PartKind string

// The kinds of part.
const (
	Section PartKind = "section" // Text as a paragraph
	List    PartKind = "list"    // Items, one a line; cut with "and 37 more" and a link to More
	Note    PartKind = "note"    // Text in small print
	Block   PartKind = "block"   // Text in a fixed font, line by line
	Actions PartKind = "actions" // Buttons in a row
)

// Part is a block of a card; which fields count depends on Kind.
type Part struct {
	Kind    PartKind     `json:"kind"`
	Text    Text         `json:"text,omitempty"`
	Items   []Text       `json:"items,omitempty"`
	Left    int          `json:"left,omitempty"` // how many more items there are than stand here
	More    string       `json:"more,omitempty"` // where a list that was cut can be read whole
	Buttons []CardButton `json:"buttons,omitempty"`
}

// Tone is how a button looks.
type Tone string

// The tones of a button.
const (
	Quiet   Tone = ""
	Primary Tone = "primary"
	Danger  Tone = "danger"
)

// CardButton is a button as a card carries it.
type CardButton struct {
	Label  string `json:"label"`
	Verb   string `json:"verb,omitempty"`  // comes back when it is pressed
	Value  string `json:"value,omitempty"` // so does this
	Tone   Tone   `json:"tone,omitempty"`
	Dialog string `json:"dialog,omitempty"` // asked once more before the press counts
	URL    string `json:"url,omitempty"`    // only opens this
}

// T joins strings and spans into a text: strings stay plain.
func T(pieces ...any) Text {
	var t Text
	for _, p := range pieces {
		switch p := p.(type) {
		case string:
			t = append(t, Span{Text: p})
		case Span:
			t = append(t, p)
		case Text:
			t = append(t, p...)
		default:
			panic("bot.T: neither string, Span nor Text") // a mistake in our own code
		}
	}
	return t
}

// Strong is emphasised text.
func Strong(s string) Span { return Span{Style: Bold, Text: s} }

// Fixed is text in a fixed font: commits, commands, names from elsewhere.
func Fixed(s string) Span { return Span{Style: Code, Text: s} }

// To is text that leads to url.
func To(text, url string) Span { return Span{Style: Link, Text: text, URL: url} }

// At notifies the person with this id. It does so only in new messages:
// an edit notifies nobody.
func At(person string) Span { return Span{Style: Mention, Text: person} }

// Time is a time of day in the reader's own zone.
func Time(t time.Time) Span { return Span{Style: Clock, At: t} }

// Date is date and time in the reader's own zone.
func Date(t time.Time) Span { return Span{Style: Day, At: t} }

// String is the text without its styles, for logs and transcripts.
func (t Text) String() string {
	var b strings.Builder
	for _, s := range t {
		switch s.Style {
		case Mention:
			b.WriteString("@" + s.Text)
		case Clock:
			b.WriteString(s.At.UTC().Format("15:04"))
		case Day:
			b.WriteString(s.At.UTC().Format("2006-01-02 15:04"))
		default:
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

// Say is a card of one paragraph, which is also its line.
func Say(pieces ...any) Card {
	t := T(pieces...)
	return Card{Line: t, Parts: []Part{{Kind: Section, Text: t}}}
}

// Add returns the card with more parts.
func (c Card) Add(parts ...Part) Card {
	c.Parts = append(c.Parts[:len(c.Parts):len(c.Parts)], parts...)
	return c
}

// Paragraph is a part that says its pieces.
func Paragraph(pieces ...any) Part { return Part{Kind: Section, Text: T(pieces...)} }

// SmallPrint is a part that says its pieces in small print.
func SmallPrint(pieces ...any) Part { return Part{Kind: Note, Text: T(pieces...)} }
