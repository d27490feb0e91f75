package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"thbot/bot"
)

func freshSQLite(t testing.TB) Options {
	return Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "ledger.db")}
}

func TestSQLite(t *testing.T) {
	suite(t, func(t *testing.T) Options { return freshSQLite(t) })
}

func TestWrongURL(t *testing.T) {
	dir := t.TempDir()
	for url, want := range map[string]string{
		"":                               "begins neither with",
		"postgres://u:hunter2@h/db":      "begins neither with",
		"sqlite:":                        "names no file",
		"sqlite:///tmp/x.db":             "without // and ?",
		"sqlite:x.db?_pragma=x":          "without // and ?",
		"sqlite:" + dir:                  "is a directory",
		"sqlite:" + dir + "/no/x.db":     "no such file or directory",
		"mysql:":                         "not of the form",
		"mysql:u:hunter2@tcp(h:1)/db":    "holds a password",
		"mysql:u@tcp(h:1)/":              "not of the form",
		"mysql:tcp(h:1)/db":              "not of the form",
		"mysql:u:hunter2@tcp(h:1/db":     "not of the form",
		"mysql:u@tcp(h:1)/db?tls=false":  "not of the form",
		"mysql://u:hunter2@h/db":         "not of the form",
		"mysql:u@tcp(h:1)/db?x=hunter2":  "not of the form",
		"mysql:u@tcp(h:1)/db?tls=hunter": "not of the form",
	} {
		l, err := Open(t.Context(), Options{URL: url})
		if err == nil {
			l.Close()
			t.Errorf("Open(%q) had no error", url)
		} else if got := err.Error(); !strings.Contains(got, want) || strings.Contains(got, "hunter") {
			t.Errorf("Open(%q): %v, want %q and no password", url, err, want)
		}
		want = strings.Replace(want, "is a directory", "is not a file", 1)
		r, err := OpenReader(t.Context(), Options{URL: url})
		if err == nil {
			r.Close()
			t.Errorf("OpenReader(%q) had no error", url)
		} else if got := err.Error(); !strings.Contains(got, want) || strings.Contains(got, "hunter") {
			t.Errorf("OpenReader(%q): %v, want %q and no password", url, err, want)
		}
	}
}

// TestOneProcess opens one file by several names. flock counts each opening
// of the lock file by itself, so this process stands for two.
func TestOneProcess(t *testing.T) {
	o := freshSQLite(t)
	file := strings.TrimPrefix(o.URL, "sqlite:")
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	first, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, link} {
		_, err := Open(t.Context(), Options{URL: "sqlite:" + name})
		if err == nil || !strings.Contains(err.Error(), file+" is in use by another process") {
			t.Errorf("opening %s while it is open: %v", name, err)
		}
	}
	do(t, first, func(tx bot.Tx) error { return tx.AddReceived(bot.Received{Key: "k"}) })
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := open(t, Options{URL: "sqlite:" + link})
	seen(t, second, func(v bot.View) (bot.Received, error) { return v.Received("k") })
}

func TestFileIsPrivate(t *testing.T) {
	o := freshSQLite(t)
	file := strings.TrimPrefix(o.URL, "sqlite:")
	// Also when it was there already.
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	l := open(t, o)
	do(t, l, func(tx bot.Tx) error { return tx.AddReceived(bot.Received{Key: "k"}) })
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(file + suffix)
		if err != nil {
			t.Error(err)
		} else if info.Mode() != 0o600 {
			t.Errorf("%s has mode %v", info.Name(), info.Mode())
		}
	}
}

func TestOddFileName(t *testing.T) {
	o := Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "a b%20#&ü.db")}
	testReopen(t, o)
	if _, err := os.Stat(strings.TrimPrefix(o.URL, "sqlite:")); err != nil {
		t.Error(err)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	l := open(t, freshSQLite(t))
	err := l.View(t.Context(), func(v bot.View) error {
		_, err := v.(*view).session.ExecContext(t.Context(), "DELETE FROM events")
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "readonly") {
		t.Errorf("writing in a view: %v", err)
	}
}

func TestDurable(t *testing.T) {
	l := open(t, freshSQLite(t))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2"} {
		var got string
		if err := l.store.(*sqliteStore).writer.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, want %q; %v", pragma, got, want, err)
		}
	}
}

// queue, in a bubble, holds the writer in a function, lets functions queue up
// behind it in their order, lets go, and returns the errors of all, the
// holding one's first.
func queue(l *Ledger, functions ...func(tx bot.Tx) error) []error {
	held := make(chan bool)
	hold := func(tx bot.Tx) error { <-held; return tx.AddReceived(bot.Received{Key: "held"}) }
	var answers []chan error
	for _, f := range append([]func(bot.Tx) error{hold}, functions...) {
		answer := make(chan error, 1)
		answers = append(answers, answer)
		go func() { answer <- l.Do(context.Background(), f) }()
		synctest.Wait()
	}
	close(held)
	var errs []error
	for _, answer := range answers {
		errs = append(errs, <-answer)
	}
	return errs
}

func adding(key string) func(bot.Tx) error {
	return func(tx bot.Tx) error { return tx.AddReceived(bot.Received{Key: key}) }
}

func there(l *Ledger, key string) bool {
	_, err := v1(l, func(v bot.View) (bot.Received, error) { return v.Received(key) })
	return err == nil
}

func TestGroupCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		commits := 0
		o := freshSQLite(t)
		o.Gate = func(_, moment string) {
			if moment == "done" {
				commits++
			}
		}
		l := open(t, o)
		var functions []func(bot.Tx) error
		for i := range batch {
			functions = append(functions, adding(fmt.Sprint(i)))
		}
		if err := errors.Join(queue(l, functions...)...); err != nil {
			t.Error(err)
		}
		if commits != 2 {
			t.Errorf("one more than %d functions, all waiting, took %d commits, want 2", batch, commits)
		}
	})
}

// TestLostTransaction takes the transaction away from under the functions that
// share it, as SQLite itself does when the disk is full, and lets a commit fail.
func TestLostTransaction(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(bot.Tx) error
		later bool // the function after it is in the next transaction
	}{
		"rolled back": {func(tx bot.Tx) error {
			_, err := inner(tx).session.ExecContext(context.Background(), "ROLLBACK")
			return err
		}, true},
		"rolled back and refused": {func(tx bot.Tx) error {
			_, err := inner(tx).session.ExecContext(context.Background(), "ROLLBACK")
			return errors.Join(err, bot.ErrMoved)
		}, true},
		"failing at its commit": {func(tx bot.Tx) error {
			_, err := inner(tx).session.ExecContext(context.Background(),
				"CREATE TABLE child (parent REFERENCES received (id) DEFERRABLE INITIALLY DEFERRED); INSERT INTO child VALUES ('nobody')")
			return err
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := open(t, freshSQLite(t))
				if err := l.store.(*sqliteStore).exec("PRAGMA foreign_keys = ON"); err != nil {
					t.Fatal(err)
				}
				mine := errors.New("mine")
				refuse := func(tx bot.Tx) error { return errors.Join(adding("refused")(tx), mine) }
				errs := queue(l, adding("a"), refuse, test.spoil, adding("b"))
				for i, key := range []string{"held", "a", "refused", "", "b"} {
					fine := key == "b" && test.later
					if (errs[i] == nil) != fine || there(l, key) != fine {
						t.Errorf("%q: Do: %v; it is there: %v; want: %v", key, errs[i], there(l, key), fine)
					}
					// Else the caller would take it for certain that nothing happened.
					if key != "refused" && (errors.Is(errs[i], bot.ErrMoved) || errors.Is(errs[i], mine)) {
						t.Errorf("%q: Do returned another's error: %v", key, errs[i])
					}
				}
				wants(t, "the refused one", errs[2], mine)
				do(t, l, adding("after"))
				if !there(l, "after") {
					t.Error("the ledger does not go on")
				}
			})
		})
	}
}

func TestWaitingIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := open(t, freshSQLite(t))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		held, first := make(chan bool), make(chan error, 1)
		go func() {
			first <- l.Do(ctx, func(tx bot.Tx) error { <-held; return adding("begun")(tx) })
		}()
		synctest.Wait()
		err := l.Do(ctx, func(bot.Tx) error { t.Error("the function was run"); return nil })
		wants(t, "waiting for the writer", err, context.DeadlineExceeded)
		close(held)
		if err := <-first; err != nil || !there(l, "begun") {
			t.Errorf("what had begun: %v", err)
		}
	})
}

func TestCloseWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := freshSQLite(t)
		l := open(t, o)
		held, first, second, closed := make(chan bool), make(chan error, 1), make(chan error, 1), make(chan error, 1)
		go func() { first <- l.Do(t.Context(), func(tx bot.Tx) error { <-held; return adding("begun")(tx) }) }()
		synctest.Wait()
		go func() { second <- l.Do(t.Context(), adding("waiting")) }()
		synctest.Wait()
		go func() { closed <- l.Close() }()
		wants(t, "who waits while it closes", <-second, errClosed)
		close(held)
		if err := errors.Join(<-first, <-closed); err != nil {
			t.Error(err)
		}
		if l := open(t, o); !there(l, "begun") || there(l, "waiting") {
			t.Error("not exactly what had begun is there")
		}
	})
}

// TestBubble: the whole bot is tested in bubbles, with their clock.
func TestBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := open(t, freshSQLite(t))
		for range 3 {
			due := time.Now().Add(time.Hour).UTC()
			do(t, l, func(tx bot.Tx) error {
				if tx.Now() != time.Now().UTC() {
					t.Errorf("Now() = %v at %v", tx.Now(), time.Now())
				}
				return tx.AddReceived(bot.Received{Key: due.String(), Due: due})
			})
			time.Sleep(time.Hour)
			err := l.View(t.Context(), func(v bot.View) error {
				r, err := v.Received(due.String())
				if v.Now() != due || r.Due != due {
					t.Errorf("Now() = %v, Due = %v, want %v", v.Now(), r.Due, due)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
}

func TestNothingStaysBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	o := freshSQLite(t)
	for range 3 {
		l, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		do(t, l, func(bot.Tx) error { return nil })
		seen(t, l, func(v bot.View) (string, error) { return v.Holder("x") })
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := Open(t.Context(), Options{URL: "sqlite:" + t.TempDir()}); err == nil {
		t.Error("a folder was opened")
	}
}

// TestNewerTables opens a ledger that a newer binary has migrated.
func TestNewerTables(t *testing.T) {
	o := freshSQLite(t)
	l, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	err = l.store.(*sqliteStore).exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
	if err := errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	do(t, open(t, o), adding("k"))
}

// BenchmarkDo shows how many functions share a commit.
func BenchmarkDo(b *testing.B) {
	o := freshSQLite(b)
	var commits atomic.Int64
	o.Gate = func(_, moment string) {
		if moment == "done" {
			commits.Add(1)
		}
	}
	l := open(b, o)
	var keys atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := l.Do(b.Context(), adding(fmt.Sprint(keys.Add(1)))); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(keys.Load())/float64(commits.Load()), "functions/commit")
}

func BenchmarkOpen(b *testing.B) {
	for name, o := range map[string]func() Options{
		"new":   func() Options { return freshSQLite(b) },
		"again": sync.OnceValue(func() Options { return freshSQLite(b) }),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				l, err := Open(b.Context(), o())
				if err != nil {
					b.Fatal(err)
				}
				if err := l.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
