package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"thbot/bot"
	"thbot/integrations/github"
)

// directory is what matching needs of the chat's directory.
type directory interface {
	Member(ctx context.Context, id string, fresh time.Duration) (bot.Member, error)
	// ByEmail returns an error wrapping [bot.ErrNotFound] when nobody has that
	// address, which it may have known for as long as fresh says.
	ByEmail(ctx context.Context, address string, fresh time.Duration) (bot.Member, error)
}

// Who knows which people in the chat wrote which commits, and which of them want
// to be mentioned.
type Who struct {
	logins    map[string]string // ids of people by GitHub login, in lower case
	directory directory
	ledger    reading
}

// NewWho returns a Who. For the logins it is known who is meant; everybody else
// is looked for by e-mail.
func NewWho(logins map[string]string, d directory, l reading) *Who {
	w := &Who{map[string]string{}, d, l}
	for login, id := range logins {
		w.logins[strings.ToLower(login)] = id
	}
	return w
}

// known is how long an answer about who somebody is may be used: it only
// decides whom an announcement mentions.
const known = time.Hour

// noreply begins the host of addresses that GitHub makes (docs.github.com,
// "Setting your commit email address"): nobody gets mail there.
const noreply = "users.noreply."

// Wrote returns who in the chat wrote a commit: whom the configuration names for
// the login, else who has the commit's e-mail address. False: it is not known.
// Bots, people who have left and people of other workspaces are nobody. An error
// says that the chat could not be asked.
func (w *Who) Wrote(ctx context.Context, c github.Commit) (bot.Person, bool, error) {
	id, named := w.logins[strings.ToLower(c.Login)]
	_, host, _ := strings.Cut(c.Email, "@")
	var m bot.Member
	var err error
	switch {
	case named && c.Login != "":
		m, err = w.directory.Member(ctx, id, known)
	case strings.HasPrefix(strings.ToLower(host), noreply):
		return bot.Person{}, false, nil
	default:
		m, err = w.directory.ByEmail(ctx, c.Email, known)
	}
	if errors.Is(err, bot.ErrNotFound) {
		return bot.Person{}, false, nil
	}
	if err != nil || m.Bot || m.Gone || m.Foreign {
		return bot.Person{}, false, err
	}
	return m.Person, true, nil
}

// called are the GitHub logins that the configuration has for a person.
func (w *Who) called(person string) (logins []string) {
	for login, id := range w.logins {
		if id == person {
			logins = append(logins, login)
		}
	}
	slices.Sort(logins)
	return logins
}

// author is somebody who wrote commits, as an announcement shows them.
type author struct {
	Name string // login or name
	// Mention is who they are in the chat, if they want to be mentioned; empty:
	// they do not, or it is not known who they are.
	Mention string `json:",omitempty"`
}

const (
	// shownAuthors is how many authors an announcement names.
	shownAuthors = 20
	// askWho is how long it may take to find out who somebody is. An
	// announcement does not wait for it: it has the names alone then.
	askWho = 2 * time.Second
)

// authors are those who wrote the commits, each once, in their order, with those
// to be mentioned who asked for it. What cannot be found out is left out.
func (w *Who) authors(ctx context.Context, commits []github.Commit) []author {
	var all []author
	theirs := map[string][]github.Commit{} // commits that differ in what tells who wrote them
	for _, c := range commits {
		if theirs[c.Author] == nil {
			all = append(all, author{Name: c.Author})
		}
		if !slices.ContainsFunc(theirs[c.Author], func(o github.Commit) bool { return o.Login == c.Login && o.Email == c.Email }) {
			theirs[c.Author] = append(theirs[c.Author], c)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, askWho)
	defer cancel()
	want, err := w.wanting(ctx)
	if err != nil || len(want) == 0 {
		return all // most often nobody wants, so nobody is asked
	}
	var lookups errgroup.Group
	lookups.SetLimit(4)
	found := make([]string, min(shownAuthors, len(all)))
	for i := range found {
		lookups.Go(func() error {
			for _, c := range theirs[all[i].Name] {
				if p, ok, err := w.Wrote(ctx, c); err == nil && ok {
					found[i] = p.ID
					return nil
				}
			}
			return nil
		})
	}
	_ = lookups.Wait() // none returns one
	for i, id := range found {
		if want[id] {
			all[i].Mention = id
			delete(want, id) // who writes under two names is mentioned once
		}
	}
	return all
}

// between are the authors of what head has and base has not; nil when nobody is
// to be mentioned, or that cannot be found out.
func (w *Who) between(ctx context.Context, h history, base, head string) []author {
	ctx, cancel := context.WithTimeout(ctx, askWho)
	defer cancel()
	if want, err := w.wanting(ctx); err != nil || len(want) == 0 {
		return nil
	}
	cmp, err := h.Compare(ctx, base, head)
	if err != nil {
		return nil
	}
	return w.authors(ctx, cmp.Commits)
}

// notifyScopes begin so; the id of whoever wants to be mentioned follows.
const notifyScopes = "notify/"

// wanting are the ids of those who want to be mentioned.
func (w *Who) wanting(ctx context.Context) (want map[string]bool, err error) {
	err = w.ledger.View(ctx, func(v bot.View) error {
		want = map[string]bool{}
		held, err := v.Holders(notifyScopes)
		for _, h := range held {
			want[strings.TrimPrefix(h.Scope, notifyScopes)] = true
		}
		return err
	})
	return want, err
}

// byline names authors, at most so many: "bea, @dov and 3 more". A row that is
// older than mentions, or in which there is nobody to mention, has names alone.
func byline(all []author, names []string, most int) bot.Text {
	if len(all) == 0 {
		for _, name := range names {
			all = append(all, author{Name: name})
		}
	}
	var t bot.Text
	for i, a := range all[:min(most, len(all))] {
		if i > 0 {
			t = append(t, bot.Span{Text: ", "})
		}
		if a.Mention != "" {
			t = append(t, bot.At(a.Mention))
		} else {
			t = append(t, bot.Span{Text: a.Name})
		}
	}
	if more := len(all) - most; more > 0 {
		t = append(t, bot.Span{Text: fmt.Sprintf(" and %d more", more)})
	}
	return t
}

// mentionable are the authors as further channels call those who are mentioned.
func mentionable(all []author) (people []bot.Person) {
	for _, a := range all {
		if a.Mention != "" {
			people = append(people, bot.Person{ID: a.Mention, Name: a.Name})
		}
	}
	return people
}
