// Package secretlike tells what looks like a secret: in a file or a log, where
// little but a credential does, and in what people write, where they name one
// in a hundred ways.
package secretlike

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// looks is what a credential looks like: a token of Slack's or GitHub's, a
// password in the address of a server or database, a private key. It is used on
// JSON too, where a quote ends a string unless a backslash stands before it.
const looks = `(?i)(?:xox[a-z]-|xapp-|gh[pousr]_|github_pat_)[\w.~%+/=-]+` +
	`|://[^\s"'/@:]*:(?:[^\s"\\/]|\\.)+@` +
	`|\bmysql:(?://)?[^\s":@]*:(?:[^\s"\\]|\\.)+@` +
	`|-----BEGIN [A-Z ]*PRIVATE KEY-----`

// A header's value looks so too, but so does "basic knowledge": that may be
// redacted, but is no reason to refuse a file.
var (
	credential         = regexp.MustCompile(looks)
	credentialOrHeader = regexp.MustCompile(looks + `|(?:\b|%20)(?:basic|bearer)(?:\s|\+|%20)+[\w.~%+/=-]{6,}`)
)

// Credential says whether there is a credential in text, going by what it looks
// like alone: what stands around it does not count.
func Credential(text string) bool { return credential.MatchString(text) }

// Redact replaces what looks like a credential, or like the header of a request
// that has one.
func Redact(text, by string) string { return credentialOrHeader.ReplaceAllLiteralString(text, by) }

// Found says what in a text that somebody wrote looks like a secret, in words
// that do not repeat it, or "". It would rather ask once too often: whoever is
// asked can write it in another way.
func Found(text string) (what string) {
	switch {
	case strings.Contains(text, "PRIVATE KEY"):
		return "a private key"
	case credential.MatchString(text), known.MatchString(text):
		return "a token, or an address with a password"
	case slices.ContainsFunc(named.FindAllStringSubmatch(text, -1), func(m []string) bool { return isValue(m[1], m[2]) }), given.MatchString(text):
		return "a password, or the value of another secret"
	case slices.ContainsFunc(strings.FieldsFunc(address.ReplaceAllLiteralString(text, " "), between), random):
		return "a key or a token, a long row of random characters"
	}
	return ""
}

// known are tokens with a mark of their own, beside those of every bot's.
var known = regexp.MustCompile(`\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[\w-]{30,}|\bya29\.[\w-]{20,}|\bglpat-[\w-]{16,}|\bsk-[A-Za-z0-9]{20,}|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}`)

// named is a secret that is called by its name, and what is said of it: up to
// the end of the line, since the first word alone does not tell a value from the
// beginning of a sentence.
var named = regexp.MustCompile(`(?i)(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|api[ _-]?key|access[ _-]?key|private[ _-]?key|credentials?)["'` + "`" +
	`*]*[ \t]*(=>|:=|=|:|\bis\b)[ \t*]*\n?[ \t]*([^\n]+)`)

// given is one that a command or a statement is given.
var given = regexp.MustCompile(`(?i)--(?:password|passwd|token|secret|api-key)[ =][^\s<$]` +
	`|\bidentified\s+(?:with\s+\S+\s+)?(?:by|as)\s+(?:password\s+)?["'][^"'<]` +
	`|\bmysql\b[^\n]*\s-p[^\s<$]` +
	`|\bcurl\b[^\n]*\s-u\s*[^\s:]+:[^\s<$]` +
	`|\bauthorization\s*:\s*\S+` +
	`|\b(?:bearer|basic)\s+(?:[\w.~+/-]*[0-9])[\w.~+/=-]{7,}`)

// instead are words that stand where a value would, and are none.
var instead = []string{"yes", "no", "none", "new", "old", "unknown", "missing", "empty", "needed", "required", "optional", "secret", "hidden", "redacted",
	"rotated", "expired", "wrong", "lost", "unset", "set", "same", "unchanged", "changed", "tbd", "todo", "n/a", "na", "null", "nil", "true", "false", "?", "-", "…", "..."}

// isValue says whether what follows a secret's name gives its value: after an
// equals sign anything does; else a word that stands alone, or is no word.
func isValue(sign, rest string) bool {
	words := strings.Fields(rest)
	if len(words) == 0 {
		return false
	}
	first := strings.Trim(words[0], "\"'`*.,;()")
	switch {
	case first == "", strings.ContainsAny(first[:1], "<$[{"), strings.Trim(first, "x*•.") == "", slices.Contains(instead, strings.ToLower(first)):
		return false
	case strings.Contains(sign, "="), len(words) == 1 && sign != "is" && !strings.Contains(first, "://"):
		return true
	}
	return len(first) >= 4 && !address.MatchString(first) && strings.ContainsFunc(first, func(r rune) bool {
		return unicode.IsDigit(r) || strings.ContainsRune("!#%^&+=~|\\_@", r)
	})
}

// address is one on the web; what is long in it names a page. One that has a
// password in it was found before.
var address = regexp.MustCompile(`https?://\S+`)

// between says whether r ends what could be one key.
func between(r rune) bool {
	return !(r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) || strings.ContainsRune("+/_-=:", r))
}

var (
	hex    = regexp.MustCompile(`^[0-9a-fA-F]{32,}$`)
	digest = regexp.MustCompile(`^sha(?:256|512):[0-9a-f]+$`)
	uuid   = regexp.MustCompile(`^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

// aCommit is how long the name of a commit is, which is hexadecimal too.
const aCommit = 40

// random says whether a word looks as if a machine had drawn it: long, with
// digits and letters of both cases that take turns too often for a name.
func random(word string) bool {
	if digest.MatchString(word) || uuid.MatchString(word) {
		return false
	}
	word = word[strings.LastIndexByte(word, ':')+1:]
	if hex.MatchString(word) {
		return len(word) != aCommit
	}
	var digits, upper, lower, turns int
	var last int
	for _, r := range strings.TrimRight(word, "=") {
		class := 0
		switch {
		case unicode.IsDigit(r):
			digits, class = digits+1, 1
		case unicode.IsUpper(r):
			upper, class = upper+1, 2
		case unicode.IsLower(r):
			lower, class = lower+1, 3
		}
		if class != last {
			turns++
		}
		last = class
	}
	return len(word) >= 24 && digits >= 2 && upper >= 2 && lower >= 2 && turns*5 >= len(word)*2
}
