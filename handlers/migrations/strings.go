package migrations

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// string takes a string literal whose prefix, in small letters, stands before it.
func (s *scanner) string(prefix string) error {
	begin := *s // where the token stands, which may go over many lines
	s.at += len(prefix)
	quote := s.quote()
	s.at += len(quote)
	formatted := strings.ContainsAny(prefix, "ft")
	from := s.at
	if err := s.body(quote, formatted, 0); err != nil {
		return err
	}
	content := s.src[from:s.at]
	s.at += len(quote)
	if !strings.Contains(prefix, "r") {
		content = unescape(content)
	}
	begin.add(aString, content)
	s.tokens, s.first = begin.tokens, false
	s.tokens[len(s.tokens)-1].plain = !formatted && !strings.Contains(prefix, "b")
	return nil
}

func (s *scanner) quote() string {
	rest := s.peek()
	if strings.HasPrefix(rest, `"""`) || strings.HasPrefix(rest, `'''`) {
		return rest[:3]
	}
	return rest[:1]
}

// body goes to the quote that closes a string. In a formatted one the code in
// braces may hold strings of its own, since Python 3.12 with the same quote
// (PEP 701).
func (s *scanner) body(quote string, formatted bool, depth int) error {
	begun := s.line
	for s.at < len(s.src) {
		rest := s.peek()
		switch {
		case strings.HasPrefix(rest, quote):
			return nil
		case rest[0] == '\\' && len(rest) > 1:
			if rest[1] == '\n' {
				s.line++
			}
			s.at += 2 // half of a wider character is no quote
		case rest[0] == '\n' && len(quote) == 1:
			return &Unreadable{Line: begun, Why: "a string is not closed"}
		case formatted && (strings.HasPrefix(rest, "{{") || strings.HasPrefix(rest, "}}")):
			s.at += 2
		case formatted && rest[0] == '{':
			if err := s.field(quote, depth+1); err != nil {
				return err
			}
		default:
			if rest[0] == '\n' {
				s.line++
			}
			s.at++
		}
	}
	return &Unreadable{Line: begun, Why: "a string is not closed"}
}

// field goes past the code in braces in a formatted string, with its format.
func (s *scanner) field(quote string, depth int) error {
	if depth > deepest {
		return s.errorf("strings nest more than %d deep", deepest)
	}
	begun := s.line
	open := 0 // brackets within the code
	format := false
	for s.at++; s.at < len(s.src); {
		rest := s.peek()
		switch c := rest[0]; {
		case format && strings.HasPrefix(rest, quote):
			return &Unreadable{Line: begun, Why: "a field of a string is not closed"}
		case c == '}' && open == 0:
			s.at++
			return nil
		case format && c == '{':
			if err := s.field(quote, depth+1); err != nil {
				return err
			}
		case format:
			if c == '\n' {
				s.line++
			}
			s.at++
		case c == '"' || c == '\'':
			if err := s.nested(depth); err != nil {
				return err
			}
		case c == ':' && open == 0:
			format = true
			s.at++
		case c == '#' && len(quote) == 3:
			s.at += strings.IndexByte(rest, '\n')
		default:
			switch c {
			case '(', '[', '{':
				open++
			case ')', ']', '}':
				open--
			case '\n':
				s.line++
			}
			s.at++
		}
	}
	return &Unreadable{Line: begun, Why: "a field of a string is not closed"}
}

// nested goes past a string inside a field. Its prefix was passed as code.
func (s *scanner) nested(depth int) error {
	start := s.at
	for start > 0 && alphanumeric(s.src[start-1]) {
		start--
	}
	p := s.src[start:s.at]
	quote := s.quote()
	s.at += len(quote)
	if err := s.body(quote, prefix(p) && strings.ContainsAny(strings.ToLower(p), "ft"), depth+1); err != nil {
		return err
	}
	s.at += len(quote)
	return nil
}

// unescape reads the escapes of Python's strings. A name of a character,
// \N{...}, stays as it is: it is only shown.
func unescape(raw string) string {
	if !strings.Contains(raw, `\`) {
		return raw
	}
	var b strings.Builder
	for i := 0; i < len(raw); {
		if raw[i] != '\\' || i+1 == len(raw) {
			b.WriteByte(raw[i])
			i++
			continue
		}
		c := raw[i+1]
		if simple := strings.IndexByte(`\'"abfnrtv`, c); simple >= 0 {
			b.WriteByte("\\'\"\a\b\f\n\r\t\v"[simple])
			i += 2
			continue
		}
		digits, base, from := 0, 16, i+2
		switch c {
		case '\n':
			i += 2
			continue
		case 'x':
			digits = 2
		case 'u':
			digits = 4
		case 'U':
			digits = 8
		case '0', '1', '2', '3', '4', '5', '6', '7':
			base, from = 8, i+1
			for digits < 3 && from+digits < len(raw) && '0' <= raw[from+digits] && raw[from+digits] <= '7' {
				digits++
			}
		}
		n, err := strconv.ParseUint(raw[from:min(from+digits, len(raw))], base, 32)
		if err != nil || from+digits > len(raw) || n > utf8.MaxRune {
			b.WriteByte('\\') // Python keeps the backslash of an escape it does not know
			i++
			continue
		}
		b.WriteRune(rune(n))
		i = from + digits
	}
	return b.String()
}
