package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"thbot/bot"
	"thbot/integrations/github"
)

// phonebook is a directory by e-mail and by id. One without anybody is away.
type phonebook map[string]bot.Member

var errAway = errors.New("slack is away")

func (p phonebook) look(key string) (bot.Member, error) {
	if len(p) == 0 {
		return bot.Member{}, errAway
	}
	if m, ok := p[key]; ok {
		return m, nil
	}
	return bot.Member{}, fmt.Errorf("looking up %s: %w", key, bot.ErrNotFound)
}

func (p phonebook) Member(_ context.Context, id string, _ time.Duration) (bot.Member, error) {
	return p.look(id)
}

func (p phonebook) ByEmail(_ context.Context, address string, _ time.Duration) (bot.Member, error) {
	return p.look(address)
}

func someone(id string) bot.Member {
	return bot.Member{Person: bot.Person{ID: id, Name: strings.ToLower(id[2:])}}
}

func TestWhoWrote(t *testing.T) {
	robo, gone, fox, guest := someone("U0ROBO"), someone("U0GONE"), someone("U0FOX"), someone("U0GUS")
	robo.Bot, gone.Gone, fox.Foreign, guest.Guest = true, true, true, true
	book := phonebook{
		"U0BEA": someone("U0BEA"), "U0GONE": gone,
		"bea@example.org": someone("U0OTHER"), "cid@example.org": someone("U0CID"), "gus@example.org": guest,
		"robo@example.org": robo, "gone@example.org": gone, "fox@example.org": fox,
		"1+bea@users.noreply.github.com": someone("U0TRAP"), "bea@Users.NoReply.github.com": someone("U0TRAP"),
		"": someone("U0TRAP"),
	}
	w := NewWho(map[string]string{"Bea-GH": "U0BEA", "left": "U0GONE", "typo": "U0NOBODY"}, book, nil)
	for _, tt := range []struct {
		login, email, want string
	}{
		{"bea-gh", "bea@example.org", "U0BEA"}, // the configuration comes first
		{"BEA-gh", "", "U0BEA"},
		{"bea-gh", "1+bea@users.noreply.github.com", "U0BEA"},
		{"cid", "cid@example.org", "U0CID"},
		{"", "cid@example.org", "U0CID"},
		{"gus", "gus@example.org", "U0GUS"},
		{"left", "cid@example.org", ""}, // whom it names is who wrote it
		{"typo", "cid@example.org", ""},
		{"bea", "1+bea@users.noreply.github.com", ""},
		{"bea", "bea@Users.NoReply.github.com", ""},
		{"robo", "robo@example.org", ""},
		{"gone", "gone@example.org", ""},
		{"fox", "fox@example.org", ""},
		{"dov", "dov@example.org", ""},
	} {
		p, ok, err := w.Wrote(t.Context(), github.Commit{Login: tt.login, Email: tt.email})
		if p.ID != tt.want || ok != (tt.want != "") || err != nil {
			t.Errorf("%s <%s>: %+v, %v, %v; want %q", tt.login, tt.email, p, ok, err, tt.want)
		}
	}
	w.directory = phonebook{}
	for _, c := range []github.Commit{{Login: "bea-gh"}, {Email: "cid@example.org"}} {
		if p, ok, err := w.Wrote(t.Context(), c); ok || !errors.Is(err, errAway) {
			t.Errorf("while Slack is away: %+v, %v, %v", p, ok, err)
		}
	}
}

// wishes is a ledger of those who want to be mentioned.
type wishes []string

func (l wishes) View(_ context.Context, f func(bot.View) error) error {
	if l == nil {
		return errors.New("the ledger is away")
	}
	return f(wanted{all: l})
}

type wanted struct {
	bot.View
	all []string
}

func (w wanted) Holders(prefix string) (held []bot.Held, _ error) {
	for _, id := range w.all {
		held = append(held, bot.Held{Scope: prefix + id, Operation: "1"})
	}
	return held, nil
}

func TestAuthors(t *testing.T) {
	commit := func(author, email string) github.Commit {
		return github.Commit{Author: author, Login: author, Email: email}
	}
	bea, bea2 := commit("bea", "1+bea@users.noreply.github.com"), commit("bea", "bea@example.org")
	cid, twin := commit("cid", "cid@example.org"), commit("Cid C", "cid@example.org")
	var many []github.Commit
	for i := range 22 {
		many = append(many, commit(fmt.Sprint("a", i), ""))
	}
	book := phonebook{"bea@example.org": someone("U0BEA"), "cid@example.org": someone("U0CID")}
	for name, tt := range map[string]struct {
		wish    wishes
		book    phonebook
		commits []github.Commit
		most    int
		want    string
	}{
		"nobody wants":            {wishes{}, book, []github.Commit{cid, bea, cid}, 20, "cid, bea"},
		"one wants":               {wishes{"U0CID"}, book, []github.Commit{cid, bea, cid}, 20, "@U0CID, bea"},
		"known by another commit": {wishes{"U0BEA"}, book, []github.Commit{bea, cid, bea2}, 20, "@U0BEA, cid"},
		"known twice":             {wishes{"U0CID"}, book, []github.Commit{cid, twin}, 20, "@U0CID, Cid C"},
		"others want":             {wishes{"U0DOV"}, book, []github.Commit{cid, bea}, 20, "cid, bea"},
		"the ledger is away":      {nil, book, []github.Commit{cid, bea}, 20, "cid, bea"},
		"Slack is away":           {wishes{"U0CID"}, phonebook{}, []github.Commit{cid, bea}, 20, "cid, bea"},
		"many":                    {wishes{"U0CID"}, book, append([]github.Commit{cid}, many...), 3, "@U0CID, a0, a1 and 20 more"},
		"nobody":                  {wishes{"U0CID"}, book, nil, 20, ""},
	} {
		var l reading = tt.wish
		got := byline(NewWho(nil, tt.book, l).authors(t.Context(), tt.commits), nil, tt.most).String()
		if got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	if got := byline(nil, []string{"bea", "cid", "dov"}, 2).String(); got != "bea, cid and 1 more" {
		t.Errorf("a row of before mentions: %q", got)
	}
}
