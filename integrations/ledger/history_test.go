package ledger

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thbot/bot"
)

func testHolders(t *testing.T, o Options) {
	l := open(t, o)
	held := []string{"lock/", "lock/%", "lock/_", "lock/a", "lock/A", "lock/á", "lock/日本", "lock/🚀", "lock/a/b", "lock/z" + strings.Repeat("z", 200),
		"lock0", "lock", "Lock/a", "hold/a", "lo%k/a", "lo_k/a", "löck/a", "", "🚀"}
	do(t, l, func(tx bot.Tx) error {
		for _, scope := range held {
			if _, err := tx.Hold(scope, "of "+scope); err != nil {
				return err
			}
		}
		// What was held, and what only was asked after, is not listed.
		for _, scope := range []string{"lock/released", "lock/b", "hold/released"} {
			if _, err := tx.Hold(scope, "x"); err != nil {
				return err
			}
		}
		_, err := tx.Holder("lock/asked after")
		return errors.Join(err, tx.Release("x", ""))
	})
	for prefix, want := range map[string][]string{
		"lock/":         {"lock/", "lock/%", "lock/A", "lock/_", "lock/a", "lock/a/b", "lock/z" + strings.Repeat("z", 200), "lock/á", "lock/日本", "lock/🚀"},
		"lock/a":        {"lock/a", "lock/a/b"},
		"lock/%":        {"lock/%"},
		"lock/_":        {"lock/_"},
		"lo%k":          {"lo%k/a"},
		"lo_k":          {"lo_k/a"},
		"l%":            nil,
		"%":             nil,
		"_":             nil,
		"ock":           nil,
		"lock/日":        {"lock/日本"},
		"lock/🚀":        {"lock/🚀"},
		"🚀":             {"🚀"},
		"l":             {"lo%k/a", "lo_k/a", "lock", "lock/", "lock/%", "lock/A", "lock/_", "lock/a", "lock/a/b", "lock/z" + strings.Repeat("z", 200), "lock/á", "lock/日本", "lock/🚀", "lock0", "löck/a"},
		"lock/released": nil,
		"L":             {"Lock/a"},
		"' OR 1=1 --":   nil,
	} {
		var all []bot.Held
		for _, scope := range want {
			all = append(all, bot.Held{Scope: scope, Operation: "of " + scope})
		}
		same(t, l, all, func(v bot.View) ([]bot.Held, error) { return v.Holders(prefix) })
	}
	if all := seen(t, l, func(v bot.View) ([]bot.Held, error) { return v.Holders("") }); len(all) != len(held) {
		t.Errorf("%d scopes are held in all, want %d: %v", len(all), len(held), all)
	}
	// A transaction sees what it has taken and released itself.
	do(t, l, func(tx bot.Tx) error {
		_, err := tx.Hold("hold/b", "y")
		err = errors.Join(err, tx.Release("of hold/a", "hold/a"))
		got, herr := tx.Holders("hold/")
		if diff := cmp.Diff([]bot.Held{{Scope: "hold/b", Operation: "y"}}, got); diff != "" {
			t.Errorf("in the transaction (-want +got):\n%s", diff)
		}
		return errors.Join(err, herr)
	})
}

func testHistory(t *testing.T, o Options) {
	l := open(t, o)
	began := at("2026-11-22T14:00:00Z")
	ana, bo, cleo := bot.Person{ID: "U0ANA", Name: "ana"}, bot.Person{ID: "U0BO", Name: "bo"}, bot.Person{ID: "U0CLEO", Name: "cleo"}
	by := func(people ...bot.Person) (all []bot.Decision) {
		for i, p := range people {
			all = append(all, bot.Decision{Person: p, Verb: "go", At: began, Turn: i + 1, As: []bot.Role{bot.Admins}})
		}
		return all
	}
	do(t, l, func(tx bot.Tx) error {
		for _, o := range []bot.Operation{
			{ID: "a", Kind: "deploy", About: "production", Created: began, Asked: ana},
			{ID: "b", Kind: "revert", About: "production", Created: began.Add(time.Hour), Asked: bo, Presses: by(cleo)},
			{ID: "c", Kind: "deploy", About: "stage", Created: began.Add(2 * time.Hour), Asked: ana, Presses: by(bo, cleo)},
			// Of the same moment, the later id is the newer one.
			{ID: "e", Kind: "Deploy", About: "Production", Created: began.Add(3 * time.Hour), Asked: cleo, Presses: by(ana)},
			{ID: "d", Kind: "lock", About: "prod_%", Created: began.Add(3 * time.Hour), Asked: cleo},
			// A name is not an id, whatever it looks like.
			{ID: "f", Kind: "lock", About: "x", Created: began.Add(4 * time.Hour), Asked: bot.Person{ID: "U1", Name: "U0ANA"},
				Presses: by(bot.Person{ID: "U2", Name: `"id":"U0BO"`}, bot.Person{ID: "U3", Name: "U0ANA"}, bot.Person{ID: "U0BOB", Name: `\"id":"U0BO"`})},
		} {
			o.Ref, o.End, o.Turn = o.ID, bot.Done, 2
			if err := tx.AddOperation(o); err != nil {
				return err
			}
		}
		// Added last, though it began first.
		return tx.AddOperation(bot.Operation{ID: "z", Ref: "z", Kind: "page", Created: began.Add(-time.Microsecond), Asked: bot.Person{ID: "U%"}})
	})
	for _, test := range []struct {
		name  string
		query bot.History
		want  string
	}{
		{"all", bot.History{Limit: 99}, "f e d c b a z"},
		{"the newest", bot.History{Limit: 3}, "f e d"},
		{"none", bot.History{}, ""},
		{"of a kind", bot.History{Kinds: []string{"deploy"}, Limit: 9}, "c a"},
		{"of two kinds", bot.History{Kinds: []string{"deploy", "revert"}, Limit: 2}, "c b"},
		{"of no kind that there is", bot.History{Kinds: []string{"dep%", "' OR 1=1 --"}, Limit: 9}, ""},
		{"about something", bot.History{About: "production", Limit: 9}, "b a"},
		{"about what looks like a pattern", bot.History{About: "prod_%", Limit: 9}, "d"},
		{"about a pattern", bot.History{About: "%", Limit: 9}, ""},
		{"who asked or decided", bot.History{Person: "U0ANA", Limit: 9}, "e c a"},
		{"who only decided, not always last", bot.History{Person: "U0BO", Limit: 9}, "c b"},
		{"who was one of several", bot.History{Person: "U0CLEO", Limit: 9}, "e d c b"},
		{"who is a longer id", bot.History{Person: "U0BOB", Limit: 9}, "f"},
		{"who is the beginning of an id", bot.History{Person: "U0", Limit: 9}, ""},
		{"who is in another case", bot.History{Person: "u0bo", Limit: 9}, ""},
		{"who is a pattern", bot.History{Person: "%", Limit: 9}, ""},
		{"who is a shorter pattern", bot.History{Person: "U0B_", Limit: 9}, ""},
		{"who is a pattern, and asked", bot.History{Person: "U%", Limit: 9}, "z"},
		{"who is a name", bot.History{Person: "ana", Limit: 9}, ""},
		{"before", bot.History{Before: began.Add(3 * time.Hour), Limit: 9}, "c b a z"},
		{"before the oldest", bot.History{Before: began.Add(-time.Microsecond), Limit: 9}, ""},
		{"all of it", bot.History{Kinds: []string{"deploy", "revert"}, About: "production", Person: "U0CLEO", Before: began.Add(2 * time.Hour), Limit: 9}, "b"},
		{"a bit too much of it", bot.History{Kinds: []string{"deploy"}, About: "production", Person: "U0CLEO", Limit: 9}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			same(t, l, test.want, func(v bot.View) (string, error) {
				found, err := v.History(test.query)
				var ids []string
				for _, o := range found {
					ids = append(ids, o.ID)
				}
				return strings.Join(ids, " "), err
			})
		})
	}
	// They come with all that they are.
	same(t, l, by(bo, cleo), func(v bot.View) ([]bot.Decision, error) {
		found, err := v.History(bot.History{About: "stage", Limit: 1})
		return found[0].Presses, err
	})
}
