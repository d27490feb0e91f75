// Package contact reads in the topic of a channel whom to call when something
// is wrong: the main contact and the backups. It only reads; who the people
// are, and whether they are there, is for others to find out.
//
// A topic is read as Slack stores it. People are <@U…> or <@U…|name>, groups
// <!subteam^S…> or <!subteam^S…|@handle>, and the characters &, < and > that
// somebody typed are &amp;, &lt; and &gt;, so that nothing typed can look like
// a mention. An @name stays plain where a program set the topic, or where
// nobody was chosen from Slack's list while typing.
package contact

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Mention is somebody whom a topic names.
type Mention struct {
	ID    string // of the person or group; empty: there is only a name
	Group bool   // ID is that of a user group
	// Name is the one word after a plain @, or the name that Slack put beside
	// an id, if it did.
	Name string
	// Longer are the names that a plain @ may also begin, the longest first,
	// since a name can have spaces in it: "Ana Lima" of "@Ana Lima".
	Longer []string
}

func (m Mention) same(o Mention) bool {
	return m.ID == o.ID && (m.ID != "" || strings.EqualFold(m.Name, o.Name) && slices.Equal(m.Longer, o.Longer))
}

// Found is what a topic says, in the order in which it says it. Nobody is
// named twice: who is the main contact is no backup.
type Found struct {
	Main    []Mention
	Backups []Mention
	// Wrong says what is wrong, in whole sentences to be shown to people, when
	// nobody is named as the main contact. What it quotes of the topic is data.
	Wrong string
}

// Compile reads a configured pattern; an empty one is Default. A pattern is a
// regular expression of package regexp that is matched against the topic as
// Slack stores it, as often as it matches. Its group (?P<main>…) is where the
// main contact stands and, if it has one, (?P<backup>…) where backups do:
// there every mention and every plain @name counts. Where several groups of
// one sense are needed their names only begin so, as main_before does, and
// main_else counts only where no other names anybody.
func Compile(pattern string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(cmp.Or(pattern, Default))
	if err != nil {
		return nil, fmt.Errorf("the pattern is no regular expression: %w", err)
	}
	if !slices.ContainsFunc(re.SubexpNames(), isMain) {
		return nil, errors.New("the pattern does not say where the main contact stands: it needs a group (?P<main>…)")
	}
	return re, nil
}

func isMain(group string) bool   { return strings.HasPrefix(group, "main") }
func isBackup(group string) bool { return strings.HasPrefix(group, "backup") }

// Parse reads a topic. A nil pattern is Default's.
func Parse(pattern *regexp.Regexp, topic string) Found {
	if pattern == nil {
		pattern = usual
	}
	topic = readable(topic)
	var f Found
	var otherwise []Mention
	var empty string // where the main contact should stand, and does not
	for _, at := range pattern.FindAllStringSubmatchIndex(topic, -1) {
		for i, group := range pattern.SubexpNames() {
			begin, end := at[2*i], at[2*i+1]
			switch {
			case begin < 0:
			case isMain(group):
				named := mentions(topic, begin, end)
				if len(named) == 0 {
					empty = cmp.Or(empty, strings.TrimRight(strings.TrimSpace(topic[at[0]:at[1]]), " ("))
				}
				if group == "main_else" {
					otherwise = append(otherwise, named...)
				} else {
					f.Main = append(f.Main, named...)
				}
			case isBackup(group):
				f.Backups = append(f.Backups, mentions(topic, begin, end)...)
			}
		}
	}
	if len(f.Main) == 0 {
		f.Main = otherwise
	}
	f.Main = once(f.Main, nil)
	f.Backups = once(f.Backups, f.Main)
	if len(f.Main) == 0 {
		f.Wrong = f.wrong(topic, empty)
	}
	return f
}

const advice = " It should say, for example: Main contact: @name, backup: @other."

func (f Found) wrong(topic, empty string) string {
	switch {
	case topic == "":
		return "The topic is empty." + advice
	case empty != "":
		return "The topic says “" + shown(empty) + "”, which names nobody: people are named with an @." + advice
	case len(f.Backups) > 0:
		return "The topic names backups, but no main contact." + advice
	case len(mentions(topic, 0, len(topic))) > 0:
		return "The topic names people, but nobody as the main contact." + advice
	}
	return "The topic does not say who the main contact is." + advice
}

var (
	mention = regexp.MustCompile(`<@([UW][A-Z0-9]{2,30})(?:\|([^<>|]*))?>|<!subteam\^(S[A-Z0-9]{2,30})(?:\|([^<>|]*))?>|@(` + word + `)`)
	next    = regexp.MustCompile(`^ (` + word + `)`)
)

// word is one word of a name.
const word = `[\pL\pN](?:[\pL\pN\pM._'’-]*[\pL\pN\pM_])?`

// mostWords is how many words a name has at most.
const mostWords = 3

// mentions are those in topic[begin:end], in order.
func mentions(topic string, begin, end int) (found []Mention) {
	for _, at := range mention.FindAllStringSubmatchIndex(topic[begin:end], -1) {
		part := func(i int) string {
			if at[2*i] < 0 {
				return ""
			}
			return topic[begin+at[2*i] : begin+at[2*i+1]]
		}
		switch m := (Mention{}); {
		case part(1) != "":
			m.ID, m.Name = part(1), part(2)
			found = append(found, m)
		case part(3) != "":
			m.ID, m.Group, m.Name = part(3), true, strings.TrimPrefix(part(4), "@")
			found = append(found, m)
		case !plainAt(topic[:begin+at[0]]):
			// The @ of an address, or of &lt;@U012&gt;, which somebody typed.
		default:
			m.Name = part(5)
			m.Longer = longer(m.Name, topic[begin+at[1]:])
			found = append(found, m)
		}
	}
	return found
}

// plainAt reports whether an @ after that may begin a name.
func plainAt(before string) bool {
	return before == "" || strings.HasSuffix(before, "&gt;") || strings.ContainsAny(before[len(before)-1:], " \n(:,/|=+[*_~\"'-")
}

// longer are name with words of rest, the longest first.
func longer(name, rest string) (names []string) {
	for len(names) < mostWords-1 {
		m := next.FindStringSubmatch(rest)
		if m == nil {
			break
		}
		name, rest = name+m[0], rest[len(m[0]):]
		names = append(names, name)
	}
	slices.Reverse(names)
	return names
}

// once is list without repetitions, and without those in other.
func once(list, other []Mention) (kept []Mention) {
	for _, m := range list {
		if !slices.ContainsFunc(kept, m.same) && !slices.ContainsFunc(other, m.same) {
			kept = append(kept, m)
		}
	}
	return kept
}

// readable is a topic with plain spaces, and without what does not show:
// Slack's apps leave such characters beside mentions.
func readable(topic string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf):
			return -1
		}
		return r
	}, strings.ToValidUTF8(topic, "\ufffd")))
}

// shown is a piece of a topic as people read it.
func shown(s string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}
