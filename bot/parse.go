package bot

import (
	"slices"
	"strings"
	"unicode"
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
	typed := strings.FieldsFunc(text, unicode.IsSpace)
	if len(typed) == 0 {
		return Parsed{}, nil
	}
	name := strings.ToLower(typed[0])
	at := slices.IndexFunc(commands, func(c Info) bool { return c.Name == name || slices.Contains(c.Aliases, name) })
	if at < 0 {
		var known []string
		for _, c := range commands {
			known = append(append(known, c.Name), c.Aliases...)
		}
		return Parsed{}, Refuse("I do not know ", Fixed(clip(typed[0])), ", so nothing was done. ", meant(word, name, known),
			"What I know: ", Fixed(word+" help"), ".")
	}
	p := Parsed{Name: commands[at].Name, Args: map[string]string{}}
	return p, p.read(word, typed[1:], commands[at])
}

func (p Parsed) read(word string, typed []string, c Info) *Refusal {
	for _, arg := range c.Args {
		if len(typed) == 0 {
			if arg.Optional {
				return nil
			}
			return Refuse(Fixed(c.Name), " needs ", arg.Doc, ". Nothing was done. Send for example ",
				Fixed(word+" "+c.Name+" "+arg.Example), ".")
		}
		value := strings.ToLower(typed[0])
		if len(arg.Words) > 0 {
			if value = canonical(value, arg.Words); value == "" {
				var known []string
				for _, w := range arg.Words {
					known = append(append(known, w.Name), w.Aliases...)
				}
				return Refuse(Fixed(clip(typed[0])), " is not ", arg.Doc, ", so nothing was done. ",
					meant(word+" "+c.Name, strings.ToLower(typed[0]), known), "The ones I know: ", fixedList(arg.Words), ".")
			}
		}
		if arg.Check != nil {
			if wrong := arg.Check(value); wrong != "" {
				return Refuse(Fixed(clip(typed[0])), " "+wrong+". Nothing was done.")
			}
		}
		p.Args[arg.Name] = value
		typed = typed[1:]
	}
	if len(typed) > 0 {
		return Refuse("I do not understand ", Fixed(clip(strings.Join(typed, " "))), " there, so nothing was done. It is ",
			Fixed(word+" "+c.Usage()), ".")
	}
	return nil
}

// Usage is the command with its arguments: "deploy <environment> [<commit>]".
func (c Info) Usage() string {
	usage := c.Name
	for _, a := range c.Args {
		if a.Optional {
			usage += " [<" + a.Name + ">]"
		} else {
			usage += " <" + a.Name + ">"
		}
	}
	return usage
}

func canonical(typed string, words []Word) string {
	for _, w := range words {
		if typed == strings.ToLower(w.Name) || slices.Contains(w.Aliases, typed) {
			return w.Name
		}
	}
	return ""
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
