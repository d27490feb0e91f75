package ledger

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thbot/bot"
)

// The part of the suite that is about transactions rather than rows.

func testNow(t *testing.T, o Options) {
	l := open(t, o)
	var before time.Time
	check := func(v bot.View) {
		now := v.Now()
		if now != v.Now() || now != now.UTC().Truncate(time.Microsecond) {
			t.Errorf("Now() = %v, then %v", now, v.Now())
		}
		if now.Before(before) || time.Since(now).Abs() > time.Minute {
			t.Errorf("Now() = %v after %v, at %v", now, before, time.Now())
		}
		before = now
	}
	for range 3 {
		do(t, l, func(tx bot.Tx) error { check(tx); return nil })
		seen(t, l, func(v bot.View) (bool, error) { check(v); return true, nil })
	}
}

func testUndone(t *testing.T, o Options) {
	l := open(t, o)
	mine := errors.New("mine")
	for name, test := range map[string]struct {
		end  func() error
		want error // nil: any
	}{
		"an error":  {func() error { return fmt.Errorf("wrapped: %w", mine) }, mine},
		"a panic":   {func() error { panic("oh") }, nil},
		"a Goexit":  {func() error { runtime.Goexit(); return nil }, nil},
		"not there": {func() error { return bot.ErrNotFound }, bot.ErrNotFound},
	} {
		err := l.Do(t.Context(), func(tx bot.Tx) error {
			_, err := tx.Hold("scope", name)
			if err := errors.Join(err, tx.AddReceived(fullReceived()), tx.AddEvent(fullEvent())); err != nil {
				t.Error(err)
			}
			return test.end()
		})
		if err == nil || !errors.Is(err, test.want) && test.want != nil {
			t.Errorf("after %s Do returned %v, want %v", name, err, test.want)
		}
		same(t, l, "", func(v bot.View) (string, error) { return v.Holder("scope") })
		same(t, l, nil, func(v bot.View) ([]bot.Event, error) { return v.Events(fullEvent().Operation) })
		_, err = v1(l, func(v bot.View) (bot.Received, error) { return v.Received(fullReceived().Key) })
		wants(t, "reading what "+name+" undid", err, bot.ErrNotFound)
	}
}

// v1 is what read reads, or its error.
func v1[R any](l *Ledger, read func(v bot.View) (R, error)) (r R, err error) {
	err = l.View(context.Background(), func(v bot.View) (err error) { r, err = read(v); return err })
	return r, err
}

func testBroken(t *testing.T, o Options) {
	l := open(t, o)
	err := l.Do(t.Context(), func(tx bot.Tx) error {
		if err := tx.AddReceived(bot.Received{Key: "before"}); err != nil {
			return err
		}
		// Only the database itself can be broken, so ask it for nonsense.
		_ = inner(tx).query("SELECT nonsense", nil, nil)
		if err := tx.AddReceived(bot.Received{Key: "after"}); err == nil {
			t.Error("a statement after a broken one had no error")
		}
		return nil
	})
	if err == nil {
		t.Error("Do had no error")
	}
	for _, key := range []string{"before", "after"} {
		_, err := v1(l, func(v bot.View) (bot.Received, error) { return v.Received(key) })
		wants(t, "reading "+key, err, bot.ErrNotFound)
	}
}

func inner(t bot.Tx) *view { return &t.(*tx).view }

func testOver(t *testing.T, o Options) {
	l := open(t, o)
	var kept bot.Tx
	do(t, l, func(tx bot.Tx) error { kept = tx; return nil })
	if err := kept.AddReceived(bot.Received{Key: "late"}); err == nil {
		t.Error("a transaction that was over took a row")
	}
	if _, err := kept.Operation("x"); err == nil || errors.Is(err, bot.ErrNotFound) {
		t.Errorf("reading in a transaction that was over: %v", err)
	}
}

func testView(t *testing.T, o Options) {
	l := open(t, o)
	add := func(key string) {
		t.Helper()
		do(t, l, func(tx bot.Tx) error { return tx.AddReceived(bot.Received{Key: key, Due: tx.Now()}) })
	}
	count := func(v bot.View) (int, error) {
		rows, err := v.DueReceived(10)
		return len(rows), err
	}
	add("a")
	err := l.View(t.Context(), func(v bot.View) error {
		before, err := count(v)
		if err != nil {
			return err
		}
		add("b")
		after, err := count(v)
		if before != 1 || after != 1 {
			t.Errorf("a view saw %d, then %d rows, want 1 both times", before, after)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if n := seen(t, l, count); n != 2 {
		t.Errorf("the next view saw %d rows, want 2", n)
	}
	mine := errors.New("mine")
	wants(t, "a view's function with an error", l.View(t.Context(), func(bot.View) error { return mine }), mine)
}

func testContext(t *testing.T, o Options) {
	l := open(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wants(t, "Do", l.Do(ctx, func(bot.Tx) error { t.Error("the function was run"); return nil }), context.Canceled)
	wants(t, "View", l.View(ctx, func(bot.View) error { t.Error("the function was run"); return nil }), context.Canceled)

	// What has begun is completed.
	ctx, cancel = context.WithCancel(t.Context())
	err := l.Do(ctx, func(tx bot.Tx) error { cancel(); return tx.AddReceived(bot.Received{Key: "begun"}) })
	if err != nil {
		t.Error(err)
	}
	seen(t, l, func(v bot.View) (bot.Received, error) { return v.Received("begun") })
}

// together runs f n times at once and returns the errors.
func together(n int, f func(i int) error) []error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = f(i) })
	}
	all.Wait()
	return errs
}

func testCounting(t *testing.T, o Options) {
	const people, times = 8, 20
	l := open(t, o)
	do(t, l, func(tx bot.Tx) error { return tx.AddOperation(bot.Operation{ID: "o"}) })
	err := errors.Join(together(people, func(int) error {
		for range times {
			err := l.Do(t.Context(), func(tx bot.Tx) error {
				op, err := tx.Operation("o")
				if err != nil {
					return err
				}
				op.Turn++
				return tx.SaveOperation(op) // whoever read it is the only one who may
			})
			if err != nil {
				return err
			}
		}
		return nil
	})...)
	if err != nil {
		t.Fatal(err)
	}
	want := bot.Operation{ID: "o", Turn: people * times, Version: people*times + 1}
	same(t, l, want, func(v bot.View) (bot.Operation, error) { return v.Operation("o") })
}

func testDuplicates(t *testing.T, o Options) {
	l := open(t, o)
	for round := range 5 {
		key := fmt.Sprint("k", round)
		errs := together(8, func(i int) error {
			return l.Do(t.Context(), func(tx bot.Tx) error {
				return tx.AddReceived(bot.Received{Key: key, Owner: fmt.Sprint(i), Due: tx.Now()})
			})
		})
		var winners []string
		for i, err := range errs {
			if err == nil {
				winners = append(winners, fmt.Sprint(i))
			} else {
				wants(t, "a duplicate", err, bot.ErrTaken)
			}
		}
		if len(winners) != 1 {
			t.Fatalf("%d won, want 1", len(winners))
		}
		same(t, l, winners[0], func(v bot.View) (string, error) {
			r, err := v.Received(key)
			return r.Owner, err
		})
	}
}

func testNeighbours(t *testing.T, o Options) {
	l := open(t, o)
	mine := errors.New("mine")
	errs := together(30, func(i int) error {
		return l.Do(t.Context(), func(tx bot.Tx) error {
			if err := tx.AddReceived(bot.Received{Key: fmt.Sprint(i)}); err != nil {
				return err
			}
			switch i % 3 {
			case 1:
				return mine
			case 2:
				panic(mine)
			}
			return nil
		})
	})
	for i, err := range errs {
		_, found := v1(l, func(v bot.View) (bot.Received, error) { return v.Received(fmt.Sprint(i)) })
		switch i % 3 {
		case 0:
			if err != nil || found != nil {
				t.Errorf("%d: Do: %v, then reading: %v", i, err, found)
			}
		default:
			if err == nil || i%3 == 1 && !errors.Is(err, mine) {
				t.Errorf("%d: Do: %v, want an error of its own", i, err)
			}
			wants(t, "reading what was undone", found, bot.ErrNotFound)
		}
	}
}

// testContention lets operations take two scopes each, in changing order, and
// give them back. Nobody may ever take one that is held.
func testContention(t *testing.T, o Options) {
	l := open(t, o)
	scopes := []string{"production", "stage", "prototype"}
	err := errors.Join(together(6, func(i int) error {
		me := fmt.Sprint("op", i)
		for round := range 10 {
			a, b := scopes[(i+round)%3], scopes[(i+round+1)%3]
			got := false
			err := l.Do(t.Context(), func(tx bot.Tx) error {
				got = false
				for _, scope := range []string{a, b} {
					before, err := tx.Holder(scope)
					if err != nil {
						return err
					}
					other, err := tx.Hold(scope, me)
					if err != nil {
						return err
					}
					if other != before {
						return fmt.Errorf("%s was held by %q, a moment later by %q", scope, before, other)
					}
					if other != "" {
						return tx.Release(me, "")
					}
				}
				got = true
				return nil
			})
			if err != nil {
				return err
			}
			if !got {
				continue
			}
			err = l.Do(t.Context(), func(tx bot.Tx) error {
				for _, scope := range []string{a, b} {
					if holder, err := tx.Holder(scope); err != nil || holder != me {
						return fmt.Errorf("%s is held by %q, not by %s: %w", scope, holder, me, err)
					}
				}
				return tx.Release(me, "")
			})
			if err != nil {
				return err
			}
		}
		return nil
	})...)
	if err != nil {
		t.Error(err)
	}
}

func testGate(t *testing.T, o Options) {
	var l *Ledger
	var passed []string
	o.Gate = func(call, moment string) {
		_, err := v1(l, func(v bot.View) (bot.Received, error) { return v.Received("k") })
		passed = append(passed, fmt.Sprintf("%s %s, seen: %v", call, moment, err == nil))
	}
	l = open(t, o)
	do(t, l, func(tx bot.Tx) error { _, err := tx.DueReceived(1); return err })
	_ = l.Do(t.Context(), func(tx bot.Tx) error {
		return errors.Join(tx.AddReceived(bot.Received{Key: "k"}), errors.New("mine"))
	})
	if passed != nil {
		t.Errorf("what wrote nothing passed gates: %q", passed)
	}
	do(t, l, func(tx bot.Tx) error { return tx.AddReceived(bot.Received{Key: "k"}) })
	do(t, l, func(tx bot.Tx) error { return tx.AddOperation(bot.Operation{ID: "o"}) })
	do(t, l, func(tx bot.Tx) error { return tx.SaveOperation(bot.Operation{ID: "o", Version: 1}) })
	do(t, l, func(tx bot.Tx) error {
		return errors.Join(tx.AddEvent(bot.Event{Operation: "o"}), tx.SaveOperation(bot.Operation{ID: "o", Version: 2}))
	})
	want := []string{"commit arrived, seen: false", "commit done, seen: true", "commit arrived, seen: true", "commit done, seen: true",
		"step arrived, seen: true", "step done, seen: true", "commit arrived, seen: true", "commit done, seen: true"}
	if diff := cmp.Diff(want, passed); diff != "" {
		t.Errorf("gates (-want +got):\n%s", diff)
	}
}

func testClosed(t *testing.T, o Options) {
	l, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second Close is nothing new
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if l.Do(t.Context(), func(bot.Tx) error { return nil }) == nil {
		t.Error("Do had no error")
	}
	if l.View(t.Context(), func(bot.View) error { return nil }) == nil {
		t.Error("View had no error")
	}
}

func testReopen(t *testing.T, o Options) {
	first, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	op := fullOperation()
	do(t, first, func(tx bot.Tx) error { return tx.AddOperation(op) })
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	same(t, open(t, o), op, func(v bot.View) (bot.Operation, error) { return v.Operation(op.ID) })
}
