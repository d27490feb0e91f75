package slack

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf16"

	"thbot/bot"
)

// mrkdwn is t in Slack's markup, at most limit long. What does not fit is cut
// between runes, never inside an entity, a link or a code span, and "…" says
// so. On one line, line breaks become spaces.
//
// Every marker in the result is ours: what stands in a span cannot mention,
// ping, link or format (docs.slack.dev, "Formatting message text").
func mrkdwn(t bot.Text, limit int, oneLine bool) string {
	if s, whole := fit(t, limit, oneLine); whole {
		return s
	}
	s, _ := fit(t, limit-1, oneLine)
	return s + "…"
}

func fit(t bot.Text, limit int, oneLine bool) (s string, whole bool) {
	w := writer{room: limit}
	for _, span := range t {
		if w.full {
			break
		}
		w.span(span, oneLine)
	}
	return w.b.String(), !w.full
}

// writer writes spans until there is no more room.
type writer struct {
	b    strings.Builder
	room int  // UTF-16 units left
	full bool // something was left out
	last rune // written last
	mark bool // that was the end of a marked-up span
}

func (w *writer) span(s bot.Span, oneLine bool) {
	switch s.Style {
	case bot.Bold:
		// A line break ends bold text in Slack.
		w.marked("*", escaped(clean(s.Text, true)), "*")
	case bot.Code:
		w.marked("`", fixed(clean(s.Text, true)), "`")
	case bot.Link:
		label := strings.ReplaceAll(strings.TrimSpace(clean(s.Text, true)), "|", "¦")
		if address, ok := webAddress(s.URL); ok && label != "" {
			w.around("<"+strings.ReplaceAll(address, "&", "&amp;")+"|", escaped(label), ">")
			return
		}
		w.plain(escaped(label))
	case bot.Mention:
		if personID.MatchString(s.Text) {
			w.put("<@" + s.Text + ">")
			return
		}
		w.plain(escaped("@" + clean(s.Text, true)))
	case bot.Clock:
		w.moment(s, "{time}", "15:04")
	case bot.Day:
		w.moment(s, "{date_short_pretty} {time}", "2006-01-02 15:04")
	default:
		w.plain(escaped(clean(s.Text, oneLine)))
	}
}

func (w *writer) plain(atoms []string) {
	if len(atoms) > 0 && w.mark && isWord([]rune(atoms[0])[0]) {
		w.put(separator)
	}
	for _, a := range atoms {
		if !w.put(a) {
			return
		}
	}
}

// separator keeps our markers apart from a neighbouring word: Slack takes them
// for markers only at the edge of a word, and a zero-width space is one.
const separator = "\u200b"

func (w *writer) marked(open string, atoms []string, end string) {
	atoms = trim(atoms) // a marker next to a space is none
	if len(atoms) == 0 {
		return
	}
	if w.mark || isWord(w.last) {
		w.put(separator)
	}
	w.around(open, atoms, end)
	w.mark = !w.full
}

// around writes atoms between open and end, or as many of them as fit; where
// not even one does, nothing.
func (w *writer) around(open string, atoms []string, end string) {
	if w.room < units(open)+units(atoms[0])+units(end) {
		w.full = true
		return
	}
	w.put(open)
	w.room -= units(end)
	w.plain(atoms)
	w.room += units(end)
	full := w.full
	w.full = false
	w.put(end)
	w.full = full
}

// moment is a time that everybody reads in their own zone.
func (w *writer) moment(s bot.Span, format, fallback string) {
	at := s.At.UTC()
	plain := at.Format(fallback) + " UTC"
	if at.Unix() <= 0 {
		w.plain(escaped(plain))
		return
	}
	w.put(fmt.Sprintf("<!date^%d^%s|%s>", at.Unix(), format, plain))
}

// put writes s if it fits and nothing was left out before it.
func (w *writer) put(s string) bool {
	n := units(s)
	if w.full || n > w.room {
		w.full = true
		return false
	}
	w.room -= n
	w.b.WriteString(s)
	for _, w.last = range s {
	}
	w.mark = false
	return true
}

// units is how long Slack may take s to be. It counts characters; whether it
// counts one outside of the basic plane as one or as two, it does not say.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

// escaped makes atoms of s, none of which may be cut. There is no escape for
// the markers of emphasis, and a zero-width space next to one does not stop it
// (converters to mrkdwn put them there to make emphasis work within words), so
// those become characters that look alike. An underscore within a word, as in
// a file name, is no marker and stays what it is.
func escaped(s string) []string {
	runes := []rune(s)
	atoms := make([]string, len(runes))
	lineStart := true
	for i, r := range runes {
		switch {
		case r == '&':
			atoms[i] = "&amp;"
		case r == '<':
			atoms[i] = "&lt;"
		case r == '>' && lineStart: // would quote, also as an entity
			atoms[i] = "›"
		case r == '>':
			atoms[i] = "&gt;"
		case r == '*':
			atoms[i] = "∗"
		case r == '~':
			atoms[i] = "∼"
		case r == '`':
			atoms[i] = "ˋ"
		case r == '_' && !(i > 0 && i < len(runes)-1 && isASCIIWord(runes[i-1]) && isASCIIWord(runes[i+1])):
			atoms[i] = "ˍ"
		default:
			atoms[i] = string(r)
		}
		lineStart = r == '\n' || lineStart && (unicode.IsSpace(r) || r == '>')
	}
	return atoms
}

// fixed is escaped for a code span, in which only a backtick means something.
func fixed(s string) []string {
	var atoms []string
	for _, r := range s {
		switch r {
		case '&':
			atoms = append(atoms, "&amp;")
		case '<':
			atoms = append(atoms, "&lt;")
		case '>':
			atoms = append(atoms, "&gt;")
		case '`':
			atoms = append(atoms, "ˋ")
		default:
			atoms = append(atoms, string(r))
		}
	}
	return atoms
}

func trim(atoms []string) []string {
	for len(atoms) > 0 && strings.TrimSpace(atoms[0]) == "" {
		atoms = atoms[1:]
	}
	for len(atoms) > 0 && strings.TrimSpace(atoms[len(atoms)-1]) == "" {
		atoms = atoms[:len(atoms)-1]
	}
	return atoms
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

func isASCIIWord(r rune) bool { return r <= unicode.MaxASCII && r != '_' && isWord(r) }

// clean takes out of s what does not show: controls, marks that change the
// direction of writing, characters without width. On one line, line breaks
// become spaces.
func clean(s string, oneLine bool) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029' || r == '\u0085':
			if oneLine {
				return ' '
			}
			return '\n'
		case r == '\t':
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Other_Default_Ignorable_Code_Point):
			return -1
		}
		return r
	}, s)
}

// cut is s, at most limit long.
func cut(s string, limit int) string {
	if units(s) <= limit {
		return s
	}
	room := limit - 1
	for i, r := range s {
		if room -= units(string(r)); room < 0 {
			return s[:i] + "…"
		}
	}
	return s // unreachable: it is longer than limit
}

// webAddress is raw as it may stand in a link or on a button: http or https,
// no credentials, and nothing in it that ends a link.
func webAddress(raw string) (string, bool) {
	const most = 2000
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return "", false
	}
	for _, r := range u.Host {
		if r > unicode.MaxASCII || strings.ContainsRune("<>|\"`%^{} ", r) {
			return "", false
		}
	}
	var b strings.Builder
	for _, c := range []byte(u.String()) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("<>|\"`^{}\\", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String(), b.Len() <= most
}
