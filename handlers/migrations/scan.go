package migrations

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// Largest is how many bytes a file may have; a migration has a few thousand.
	Largest = 1 << 18
	// deepest is how far brackets nest, as in CPython (tokenizer.h, MAXLEVEL).
	deepest = 200
)

// Unreadable is the error for a file that is not Python as Django runs it.
type Unreadable struct {
	Line int // 0: the whole file
	Why  string
}

func (e *Unreadable) Error() string {
	if e.Line == 0 {
		return "cannot be read: " + e.Why
	}
	return fmt.Sprintf("cannot be read: line %d: %s", e.Line, e.Why)
}

type tokenKind int

const (
	aName tokenKind = iota
	aString
	aNumber
	anOperator
	aNewline // the end of a statement's line, never inside brackets
)

type token struct {
	kind   tokenKind
	text   string // a string's: what it says, where plain
	plain  bool   // a string whose content is known: neither bytes nor with fields
	line   int
	column int // where a line begins with it: its indentation
	first  bool
}

func (t token) is(operator string) bool { return t.kind == anOperator && t.text == operator }

func (t token) named(name string) bool { return t.kind == aName && t.text == name }

// scanner reads Python's tokens as "Lexical analysis" in its reference
// describes them. Comments leave no token behind, so that nothing in them can
// be taken for code.
type scanner struct {
	src      string
	at, line int
	open     []byte // the brackets that are open
	tokens   []token
	first    bool // the next token begins a line
	indent   int
}

// scan splits a source into its tokens, with a newline after each statement.
func scan(source []byte) ([]token, error) {
	source = bytes.TrimPrefix(source, []byte("\ufeff"))
	switch {
	case len(source) > Largest:
		return nil, &Unreadable{Why: fmt.Sprintf("it has more than %d bytes", Largest)}
	case !utf8.Valid(source):
		return nil, &Unreadable{Why: "it is not UTF-8"}
	case bytes.IndexByte(source, 0) >= 0:
		return nil, &Unreadable{Why: "it has a NUL byte"}
	}
	// Python reads all three ends of lines as one.
	src := strings.ReplaceAll(string(source), "\r\n", "\n")
	s := scanner{src: strings.ReplaceAll(src, "\r", "\n") + "\n", line: 1, first: true}
	for s.at < len(s.src) {
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	if len(s.open) > 0 {
		return nil, s.errorf("the bracket %q is not closed", s.open[len(s.open)-1])
	}
	return s.tokens, nil
}

func (s *scanner) errorf(format string, args ...any) error {
	return &Unreadable{Line: s.line, Why: fmt.Sprintf(format, args...)}
}

func (s *scanner) peek() string { return s.src[s.at:] }

func (s *scanner) add(k tokenKind, text string) {
	s.tokens = append(s.tokens, token{kind: k, text: text, line: s.line, column: s.indent, first: s.first})
	s.first = false
}

// next takes one token, or what stands between tokens.
func (s *scanner) next() error {
	rest := s.peek()
	switch c := rest[0]; {
	case c == '\n':
		if len(s.open) == 0 {
			if !s.first {
				s.add(aNewline, "")
			}
			s.first, s.indent = true, 0
		}
		s.at++
		s.line++
	case c == ' ', c == '\t', c == '\f':
		s.at++
		if s.first {
			switch c {
			case ' ':
				s.indent++
			case '\t':
				s.indent += 8 - s.indent%8
			case '\f':
				s.indent = 0
			}
		}
	case c == '#':
		s.at += strings.IndexByte(rest, '\n')
	case c == '\\':
		if !strings.HasPrefix(rest, "\\\n") {
			return s.errorf("a backslash that does not end its line")
		}
		s.at += 2
		s.line++
	case c == '"', c == '\'':
		return s.string("")
	case '0' <= c && c <= '9', c == '.' && len(rest) > 1 && '0' <= rest[1] && rest[1] <= '9':
		s.number()
	case strings.IndexByte("([{", c) >= 0:
		if len(s.open) == deepest {
			return s.errorf("more than %d brackets are open", deepest)
		}
		s.add(anOperator, rest[:1])
		s.open = append(s.open, c)
		s.at++
	case strings.IndexByte(")]}", c) >= 0:
		if n := len(s.open); n == 0 || !pair(s.open[n-1], c) {
			return s.errorf("the bracket %q closes none", c)
		}
		s.open = s.open[:len(s.open)-1]
		s.add(anOperator, rest[:1])
		s.at++
	default:
		return s.nameOrOperator()
	}
	return nil
}

func pair(opening, closing byte) bool {
	return opening == '(' && closing == ')' || opening == '[' && closing == ']' || opening == '{' && closing == '}'
}

// number takes what looks like one. Which number it is does not matter here.
func (s *scanner) number() {
	rest, n := s.peek(), 1
	hexadecimal := rest[0] == '0' && rest[1]|0x20 == 'x'
	for ; n < len(rest); n++ {
		c, before := rest[n], rest[n-1]|0x20
		sign := (c == '+' || c == '-') && before == 'e' && !hexadecimal
		if c != '_' && c != '.' && !sign && !alphanumeric(c) {
			break
		}
	}
	s.add(aNumber, rest[:n])
	s.at += n
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// operators of more than one character, the longest first.
var operators = []string{"**=", "//=", ">>=", "<<=", "...", "**", "//", ">>", "<<", "<=", ">=", "==", "!=", "->", ":=",
	"+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@="}

func (s *scanner) nameOrOperator() error {
	rest := s.peek()
	n := strings.IndexFunc(rest, func(r rune) bool {
		return r != '_' && !unicode.IsLetter(r) && !unicode.In(r, unicode.Nd, unicode.Nl, unicode.Mn, unicode.Mc, unicode.Pc)
	})
	if n > 0 {
		if c := rest[n]; (c == '"' || c == '\'') && prefix(rest[:n]) {
			return s.string(strings.ToLower(rest[:n]))
		}
		s.add(aName, rest[:n])
		s.at += n
		return nil
	}
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			s.add(anOperator, op)
			s.at += len(op)
			return nil
		}
	}
	if strings.IndexByte("+-*/%@&|^~<>=.,:;", rest[0]) < 0 {
		r, _ := utf8.DecodeRuneInString(rest)
		return s.errorf("the character %q has no meaning there", r)
	}
	s.add(anOperator, rest[:1])
	s.at++
	return nil
}

func prefix(p string) bool {
	switch strings.ToLower(p) {
	case "r", "u", "b", "f", "t", "br", "rb", "fr", "rf", "tr", "rt":
		return true
	}
	return false
}
