package ledger

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thbot/bot"
)

// testReader reads while a bot has the ledger, and after that.
func testReader(t *testing.T, o Options) {
	l, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	r, err := OpenReader(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ids := func(r *Reader) (ids string) {
		t.Helper()
		err := r.View(t.Context(), func(v bot.View) error {
			all, err := v.History(bot.History{Limit: 9})
			for _, o := range all {
				ids += o.ID
			}
			if v.Now().IsZero() {
				t.Error("it is no time at all")
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return ids
	}
	began := at("2026-11-22T14:00:00Z")
	add := func(id string) {
		do(t, l, func(tx bot.Tx) error { return tx.AddOperation(bot.Operation{ID: id, Ref: id, Created: began}) })
	}
	if got := ids(r); got != "" {
		t.Errorf("at first there is %q", got)
	}
	add("a")
	add("b")
	if got := ids(r); got != "ba" {
		t.Errorf("there is %q, want ba", got)
	}
	// One state, and no way to change it, while the bot goes on.
	err = r.View(t.Context(), func(v bot.View) error {
		before, err := v.Operation("a")
		if err != nil {
			return err
		}
		do(t, l, func(tx bot.Tx) error {
			o := before
			o.Version, o.About = 1, "changed"
			return tx.SaveOperation(o)
		})
		after, err := v.Operation("a")
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("the state changed (-before +after):\n%s", diff)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	err = r.View(t.Context(), func(v bot.View) error {
		_, err := v.(*view).session.ExecContext(t.Context(), "DELETE FROM operations")
		return err
	})
	if low := strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(err.Error())); !strings.Contains(low, "readonly") {
		t.Errorf("writing in a view: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := ids(r); got != "ba" {
		t.Errorf("after the bot has ended there is %q, want ba", got)
	}
	later, err := OpenReader(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer later.Close()
	if got := ids(later); got != "ba" {
		t.Errorf("to one that was opened later there is %q, want ba", got)
	}
	// Neither of them keeps a bot from beginning.
	l = open(t, o)
	add("c")
	if got := ids(later); got != "cba" {
		t.Errorf("after a bot has begun again there is %q, want cba", got)
	}
	if err := later.Close(); err != nil {
		t.Error(err)
	}
	if err := later.View(t.Context(), func(bot.View) error { return nil }); err == nil {
		t.Error("closed, it still reads")
	}
}

// A reader makes no ledger where none is, and none of what is none.
func TestReaderMakesNothing(t *testing.T) {
	dir := t.TempDir()
	absent, text := filepath.Join(dir, "absent.db"), filepath.Join(dir, "text.db")
	if _, err := OpenReader(t.Context(), Options{URL: "sqlite:" + absent}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an absent file: %v", err)
	}
	if err := os.WriteFile(text, []byte(strings.Repeat("no ledger\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := OpenReader(t.Context(), Options{URL: "sqlite:" + text}); err == nil {
		if err = r.View(t.Context(), func(v bot.View) error { _, err := v.History(bot.History{Limit: 1}); return err }); err == nil {
			t.Error("a text is read as a ledger")
		}
		_ = r.Close()
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("there is %v now, %v", entries, err)
	}
}

// A server that does not answer is an error at once, and the password is not in it.
func TestReaderWithoutServer(t *testing.T) {
	_, err := OpenReader(t.Context(), Options{URL: "mysql:thbot@tcp(127.0.0.1:1)/thbot", Password: "hunter22"})
	if err == nil || !strings.HasPrefix(err.Error(), "opening the ledger: ") || strings.Contains(err.Error(), "hunter22") {
		t.Errorf("OpenReader: %v", err)
	}
}
