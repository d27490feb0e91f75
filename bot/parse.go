package bot

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Parsed is an understood command.
type Parsed struct {
	Name string            // of the command; empty: nothing was typed
	Args map[string]string // by the argument's name; words in their canonical form
}

// Parse reads what was typed after the command word. It never guesses: what it
// does not understand is a Refusal that names the nearest right words.
func Parse(word, text string, commands []Info) (Parsed, *Refusal) {
	if strings.ContainsAny(strings.TrimSpace(text), "\n\r") {
		return Parsed{}, Refuse("A command is a single line. Nothing was done.")
	}
	typed := split(text)
	if len(typed) == 0 {
		return Parsed{}, nil
	}
	c, refusal := named(word, typed[0].text, commands)
	if refusal != nil {
		return Parsed{}, refusal
	}
	r := reader{Info: c, word: word, line: text, left: typed[1:], args: map[string]string{}, said: c.Name}
	if refusal := r.read(); refusal != nil {
		return Parsed{}, refusal
	}
	return Parsed{Name: c.Name, Args: r.args}, nil
}

// named is the command with that name or alias.
func named(word, typed string, commands []Info) (Info, *Refusal) {
	name := strings.ToLower(typed)
	var known []string
	for _, c := range commands {
		if c.Name == name || slices.Contains(c.Aliases, name) {
			return c, nil
		}
		known = append(append(known, c.Name), c.Aliases...)
	}
	return Info{}, Refuse("I do not know ", Fixed(clip(typed)), ", so nothing was done. ", meant(word, name, known),
		"What I know: ", Fixed(word+" help"), ".")
}

// typedWord is a word of the line, and where it begins.
type typedWord struct {
	text string
	at   int
}

func split(line string) (words []typedWord) {
	from := -1
	for i, r := range line {
		switch space := unicode.IsSpace(r); {
		case space && from >= 0:
			words = append(words, typedWord{line[from:i], from})
			from = -1
		case !space && from < 0:
			from = i
		}
	}
	if from >= 0 {
		words = append(words, typedWord{line[from:], from})
	}
	return words
}

// reader reads the arguments of one command.
type reader struct {
	Info
	word string // the command word
	line string
	left []typedWord
	args map[string]string
	said string // what was understood, in canonical words
}

func (r *reader) read() *Refusal {
	groups := r.groups()
	for i, group := range groups {
		if refusal := r.one(group, groups[i+1:]); refusal != nil {
			return refusal
		}
	}
	if len(r.left) > 0 {
		return Refuse("I do not understand ", Fixed(clip(strings.Join(r.words(), " "))), " there, so nothing was done. It is ",
			Fixed(r.word+" "+r.Usage()), ".")
	}
	return nil
}

// words is what is left.
func (r *reader) words() []string {
	words := make([]string, len(r.left))
	for i, w := range r.left {
		words[i] = w.text
	}
	return words
}

// one reads one argument, or one of its alternatives.
func (r *reader) one(group []Arg, later [][]Arg) *Refusal {
	for _, a := range group {
		if n := keyword(r.words(), a.After); n > 0 {
			r.left, r.said = r.left[n:], r.said+" "+a.After
			if a.Rest {
				return r.rest(a)
			}
			return r.after(a)
		}
	}
	if group[0].Rest && positional(group[0]) {
		return r.rest(group[0])
	}
	if len(r.left) == 0 || r.atKeyword() {
		if group[0].Optional {
			return nil
		}
		return r.needs(r.Name, group)
	}
	for _, a := range group {
		if !positional(a) {
			continue
		}
		if value, n, wrong := a.match(r.words()); wrong == "" {
			r.take(a, value, n)
			return nil
		}
	}
	if group[0].Optional && (!slices.ContainsFunc(group, positional) || fits(r.words(), later)) {
		return nil
	}
	return r.refuse(group, later)
}

// fits reports whether what is left is the value of one of the arguments that
// can come next. Any word at all is no such value: nothing is guessed.
func fits(words []string, groups [][]Arg) bool {
	for _, group := range groups {
		for _, a := range group {
			if _, _, wrong := a.match(words); positional(a) && a.strict() && wrong == "" {
				return true
			}
		}
		if !group[0].Optional {
			break
		}
	}
	return false
}

// after reads the value that follows a keyword.
func (r *reader) after(a Arg) *Refusal {
	if len(r.left) == 0 || r.atKeyword() {
		return r.needs(a.After, []Arg{a})
	}
	value, n, wrong := a.match(r.words())
	if wrong == "" {
		r.take(a, value, n)
		return nil
	}
	refusal := r.refuse([]Arg{a}, nil)
	if i := slices.IndexFunc(r.Args, func(a Arg) bool { return a.Rest && positional(a) }); i >= 0 {
		refusal.Text = append(refusal.Text, T(" If it belongs to the "+r.Args[i].Name+", begin that with another word than ", Fixed(a.After), ".")...)
	}
	return refusal
}

func (r *reader) take(a Arg, value string, n int) {
	r.args[a.Name] = value
	r.left = r.left[n:]
	if a.Person {
		value = "<@" + value + ">"
	}
	r.said += " " + clip(value)
}

// most is how many characters the rest of a line may have.
const most = 300

// rest reads the rest of the line. It is not taken for one when a part of it
// can be meant as another argument.
func (r *reader) rest(a Arg) *Refusal {
	if len(r.left) == 0 && a.Optional && positional(a) {
		return nil
	}
	words := r.words()
	value := ""
	if len(words) > 0 {
		value = strings.TrimSpace(r.line[r.left[0].at:])
	}
	if !strings.ContainsFunc(value, shows) {
		asks := r.Name
		if !positional(a) {
			asks = a.After
		}
		return r.needs(asks, []Arg{a})
	}
	if n := utf8.RuneCountInString(value); n > most {
		return Refuse(fmt.Sprintf("The %s is %d characters long, and %d is the most. Nothing was done.", a.Name, n, most))
	}
	usage := Fixed(r.word + " " + r.Usage())
	if known := r.keywords(); len(known) > 0 {
		// Also "for: 2h", "(for 2h)" and "--for=2h" were meant as something else.
		letters := strings.FieldsFunc(strings.ToLower(words[0]), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
		first := strings.ToLower(strings.TrimLeft(words[0], dashes))
		switch {
		case len(letters) > 0 && slices.Contains(known, letters[0]) || keywordAt(words, known):
			return Refuse("The "+a.Name+" cannot begin with ", Fixed(clip(words[0])), ", so nothing was done. It is ", usage, ".")
		case first != "" && len(first) < len(words[0]):
			return Refuse("I do not know ", Fixed(clip(words[0])), ", so nothing was done. ", meant(r.word+" "+r.said, first, known), "It is ", usage, ".")
		}
	}
	if part, doc := r.mistakable(words); part != "" {
		return Refuse("I cannot tell whether ", Fixed(clip(part)), " is meant as "+doc+" or belongs to the "+a.Name+", so nothing was done. It is ",
			usage, ". If it belongs to the "+a.Name+", say it in other words.")
	}
	if a.Check != nil {
		if wrong := a.Check(value); wrong != "" {
			return Refuse(Fixed(clip(value)), " "+wrong+". Nothing was done.")
		}
	}
	r.take(a, value, len(r.left))
	return nil
}

// shows reports whether a reader sees r as more than punctuation.
func shows(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.S) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// mistakable finds words of a rest that may be meant as an argument that was
// not given: its value in front, or behind its keyword, which may be mistyped.
func (r *reader) mistakable(words []string) (part, doc string) {
	for _, group := range r.groups() {
		if slices.ContainsFunc(group, func(a Arg) bool { _, given := r.args[a.Name]; return given }) {
			continue
		}
		for _, a := range group {
			if !a.strict() {
				continue
			}
			if _, n, wrong := a.match(words); wrong == "" {
				return strings.Join(words[:n], " "), a.Doc
			}
			for i := 1; i < len(words) && !positional(a); i++ {
				before := strings.ToLower(strings.TrimLeft(words[i-1], dashes))
				if before != a.After && (i > 1 || len(Nearest(before, []string{a.After})) == 0) {
					continue
				}
				if _, n, wrong := a.match(words[i:]); wrong == "" {
					return strings.Join(words[i-1:i+n], " "), a.Doc
				}
			}
		}
	}
	return "", ""
}

// refuse says why what is left is not the argument, nor one of its alternatives.
func (r *reader) refuse(group []Arg, later [][]Arg) *Refusal {
	words := r.words()
	typed := strings.ToLower(words[0])
	mean := func(known []string) Text { return meant(r.word+" "+r.said, typed, known) }
	var known []string
	if len(group) > 1 {
		var here []Arg
		for _, a := range group {
			if positional(a) {
				here = append(here, a)
				known = append(known, a.known()...)
			} else {
				known = append(known, a.After)
			}
		}
		is := " does not belong there"
		if len(here) > 0 {
			is = " is not " + either(here)
		}
		return Refuse(Fixed(clip(words[0])), is+", so nothing was done. ", mean(known), "It is ", Fixed(r.word+" "+r.Usage()), ".")
	}
	a := group[0]
	known = a.known()
	if len(a.Words) > 0 && canonical(typed, a.Words) == "" {
		return Refuse(Fixed(clip(words[0])), " is not ", a.Doc, ", so nothing was done. ", mean(known), "The ones I know: ", fixedList(a.Words), ".")
	}
	for _, a := range slices.Concat(later...) {
		if !positional(a) {
			known = append(known, a.After)
		}
	}
	_, n, wrong := a.match(words)
	return Refuse(Fixed(clip(strings.Join(words[:n], " "))), " "+wrong+". ", mean(known), "Nothing was done.")
}

// needs says that an argument is missing.
func (r *reader) needs(what string, group []Arg) *Refusal {
	example := r.said
	if a := group[0]; !positional(a) && what != a.After {
		example += " " + a.After
	}
	return Refuse(Fixed(what), " needs ", either(group), ". Nothing was done. Send for example ", Fixed(r.word+" "+example+" "+group[0].Example), ".")
}

// either is what the arguments are, joined by "or".
func either(group []Arg) string {
	s := group[0].Doc
	for i, a := range group[1:] {
		if i+2 < len(group) {
			s += ", " + a.Doc
		} else {
			s += " or " + a.Doc
		}
	}
	return s
}

func (r *reader) atKeyword() bool { return keywordAt(r.words(), r.keywords()) }

func (r *reader) keywords() (names []string) {
	for _, a := range r.Args {
		if !positional(a) {
			names = append(names, a.After)
		}
	}
	return names
}

func fixedList(words []Word) Text {
	var t Text
	for i, w := range words {
		if i > 0 {
			t = append(t, Span{Text: ", "})
		}
		t = append(t, Fixed(w.Name))
	}
	return t
}

// clip keeps an echo of what was typed short enough to read.
func clip(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// meant says which known words are near what was typed.
func meant(before, typed string, known []string) Text {
	near := Nearest(typed, known)
	if len(near) == 0 {
		return nil
	}
	t := T("Did you mean ")
	for i, word := range near {
		if i > 0 {
			t = append(t, Span{Text: " or "})
		}
		t = append(t, Fixed(before+" "+word))
	}
	return append(t, Span{Text: "? "})
}

// Nearest are the known words that were probably meant, the likeliest first,
// at most five.
func Nearest(typed string, known []string) []string {
	typed = strings.ToLower(typed)
	far := map[string]int{}
	var near []string
	for _, word := range known {
		n := distance(typed, word)
		if len(typed) > 1 && strings.HasPrefix(word, typed) {
			n = min(n, 1)
		}
		if n <= max(1, len([]rune(word))/3) {
			far[word] = n
			near = append(near, word)
		}
	}
	slices.SortStableFunc(near, func(a, b string) int { return far[a] - far[b] })
	return near[:min(5, len(near))]
}

// distance is the number of single-letter changes between a and b, a swap of
// neighbours counting as one (optimal string alignment).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	if len(s) > 64 || len(t) > 64 {
		return 64
	}
	rows := [3][]int{make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(s); i++ {
		before, last, now := rows[0], rows[1], rows[2]
		now[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			now[j] = min(last[j]+1, now[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
		}
		rows[0], rows[1], rows[2] = last, now, before
	}
	return rows[1][len(t)]
}
