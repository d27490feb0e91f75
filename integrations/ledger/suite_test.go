package ledger

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thbot/bot"
)

// suite is what both stores must pass. fresh makes an empty one.
func suite(t *testing.T, fresh func(t *testing.T) Options) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, o Options)
	}{
		{"every field is kept", testFields},
		{"empty rows are kept", testEmptyRows},
		{"times are kept to the microsecond", testTimes},
		{"keys are exact", testKeys},
		{"what is not there is not found", testNotFound},
		{"a known key is taken", testTaken},
		{"a row that moved is not saved", testMoved},
		{"scopes have one holder", testScopes},
		{"holders are those of a prefix", testHolders},
		{"history is what matches, newest first", testHistory},
		{"due rows come soonest first", testDue},
		{"due messages come most urgent first", testDueMessages},
		{"unknown kinds are left alone", testKinds},
		{"events are kept in order", testEvents},
		{"a transaction has one time", testNow},
		{"an error undoes the transaction", testUndone},
		{"an error kept to itself undoes it too", testBroken},
		{"a transaction is over when it is over", testOver},
		{"a view is one state", testView},
		{"an ended context ends the waiting", testContext},
		{"counting together loses nothing", testCounting},
		{"one of many duplicates wins", testDuplicates},
		{"neighbours of an error are not hurt", testNeighbours},
		{"scopes are contended for", testContention},
		{"gates stand around commits that write", testGate},
		{"opened again it has it all", testReopen},
		{"closed it answers with errors", testClosed},
		{"a reader reads what there is, and changes nothing", testReader},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, fresh(t)) })
	}
}

func open(t testing.TB, o Options) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func do(t testing.TB, l *Ledger, f func(tx bot.Tx) error) {
	t.Helper()
	if err := l.Do(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// seen is what read reads of l now.
func seen[R any](t testing.TB, l *Ledger, read func(v bot.View) (R, error)) R {
	t.Helper()
	var r R
	if err := l.View(t.Context(), func(v bot.View) (err error) { r, err = read(v); return err }); err != nil {
		t.Fatal(err)
	}
	return r
}

// same fails the test unless got, read outside and inside of a transaction, is want.
func same[R any](t *testing.T, l *Ledger, want R, read func(v bot.View) (R, error)) {
	t.Helper()
	if diff := cmp.Diff(want, seen(t, l, read)); diff != "" {
		t.Errorf("in a view (-want +got):\n%s", diff)
	}
	do(t, l, func(tx bot.Tx) error {
		got, err := read(tx)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in a transaction (-want +got):\n%s", diff)
		}
		return err
	})
}

func wants(t *testing.T, doing string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want one wrapping %v", doing, err, want)
	}
}

func at(s string) time.Time {
	when, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err) // a mistake in the test
	}
	return when
}

const odd = "ünï-𝄞🚀 \\ ' \" % \u0000 <b>\n日本"

func fullReceived() bot.Received {
	return bot.Received{
		Key: "T1/1.2.abc", At: at("2026-03-29T00:59:59.999999Z"), Due: at("2026-03-29T01:00:00.000001Z"), Owner: "me", Version: 7,
		Request: &bot.Request{Key: "k", Person: "U1", Channel: "C1", Text: odd, Share: true, Direct: true, Values: map[string]string{"why": odd}},
		Press:   &bot.Press{Key: "p", Person: "U2", Channel: "C2", Message: "1.2", Verb: "promote", Value: odd},
	}
}

func fullOperation() bot.Operation {
	ana := bot.Person{ID: "U1", Name: "ana 🚀"}
	return bot.Operation{
		ID: "01J0000000000000000000000A", Kind: "deploy", About: "production", Ref: "T1/1.2.abc", State: "ask", End: bot.Done, Turn: 3,
		Entered: at("2026-11-22T14:00:00.000001Z"), Due: at("2026-11-22T14:00:08.123456Z"), Owner: "me", Version: 9, Acts: 2,
		Asking: "ask/production", Scopes: []string{"production", "stäge"}, Channel: "C1", Asked: ana,
		Presses: []bot.Decision{{Person: ana, Verb: "promote", At: at("2026-11-22T14:00:00.123456789Z"), Turn: 2, Decides: true, As: []bot.Role{bot.CloudOps}, Late: time.Minute}},
		Created: at("2026-11-22T13:00:00.5Z"),
		Trouble: &bot.Trouble{Since: at("2026-11-22T14:00:01Z"), Service: "Jenkins", Ref: "4f2a"},
		Data:    []byte(`{"text": "<𝄞🚀>", "n":1}`),
	}
}

func fullMessage() bot.Message {
	text := bot.T(odd, bot.Strong("b"), bot.Fixed("`c`"), bot.To("l", "https://x.test/?a=b&c"), bot.At("U1"), bot.Date(at("2026-11-22T14:00:00Z")))
	button := bot.CardButton{Label: "Promote", Verb: "promote", Value: "v", Tone: bot.Danger, Dialog: "Sure?", URL: "https://x.test/"}
	card := bot.Card{Line: text, Parts: []bot.Part{{
		Kind: bot.List, Text: text, Items: []bot.Text{text}, More: "https://x.test/more", Buttons: []bot.CardButton{button},
	}}}
	return bot.Message{
		Key: "01J/done", Operation: "01J", Class: bot.Whisper, To: bot.Place{Channel: "C1", User: "U1", Under: "01J/card"}, Card: &card,
		Wanted: 5, Sent: 4, ID: "1.000001", Tries: 3, Dead: odd, Due: at("2026-11-22T14:00:00.000001Z"), Owner: "me",
		Version: 6, Created: at("2026-11-22T13:59:59.999999Z"),
	}
}

func fullEvent() bot.Event {
	return bot.Event{Operation: "01J", At: at("2026-11-22T14:00:00.000001Z"), Who: "U1", From: "ask", To: "check", Note: odd}
}

// complete fails the test if v, or anything in it, is zero: a new field of a
// row must be in these tests.
func complete(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	if v.IsZero() {
		t.Errorf("%s is not filled in", path)
	}
	switch v.Kind() {
	case reflect.Pointer:
		complete(t, path, v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() || v.Type() == reflect.TypeFor[bot.Card]() {
			return // JSON keeps all of a card
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Tag.Get("json") != "-" {
				complete(t, path+"."+f.Name, v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			complete(t, path, v.Index(i))
		}
	}
}

func testFields(t *testing.T, o Options) {
	l := open(t, o)
	r, op, m, e := fullReceived(), fullOperation(), fullMessage(), fullEvent()
	for _, row := range []any{r, op, m, e} {
		complete(t, reflect.TypeOf(row).String(), reflect.ValueOf(row))
	}
	do(t, l, func(tx bot.Tx) error {
		return errors.Join(tx.AddReceived(r), tx.AddOperation(op), tx.AddMessage(m), tx.AddEvent(e))
	})
	same(t, l, r, func(v bot.View) (bot.Received, error) { return v.Received(r.Key) })
	same(t, l, op, func(v bot.View) (bot.Operation, error) { return v.Operation(op.ID) })
	same(t, l, m, func(v bot.View) (bot.Message, error) { return v.Message(m.Key) })
	same(t, l, []bot.Event{e}, func(v bot.View) ([]bot.Event, error) { return v.Events(e.Operation) })

	// Saving writes every field too, and takes away what is not there any more.
	do(t, l, func(tx bot.Tx) error {
		return errors.Join(tx.AddReceived(bot.Received{Key: "r"}), tx.AddOperation(bot.Operation{ID: "o"}), tx.AddMessage(bot.Message{Key: "m"}))
	})
	r2, op2, m2 := r, op, m
	r2.Key, op2.ID, op2.Ref, m2.Key = "r", "o", "another", "m"
	r2.Version, op2.Version, m2.Version = 1, 1, 1
	do(t, l, func(tx bot.Tx) error {
		return errors.Join(tx.SaveReceived(r2), tx.SaveOperation(op2), tx.SaveMessage(m2))
	})
	r2.Version, op2.Version, m2.Version = 2, 2, 2
	same(t, l, r2, func(v bot.View) (bot.Received, error) { return v.Received("r") })
	same(t, l, op2, func(v bot.View) (bot.Operation, error) { return v.Operation("o") })
	same(t, l, m2, func(v bot.View) (bot.Message, error) { return v.Message("m") })
	do(t, l, func(tx bot.Tx) error {
		return errors.Join(tx.SaveReceived(bot.Received{Key: "r", Version: 2}),
			tx.SaveOperation(bot.Operation{ID: "o", Version: 2}), tx.SaveMessage(bot.Message{Key: "m", Version: 2}))
	})
	same(t, l, bot.Received{Key: "r", Version: 3}, func(v bot.View) (bot.Received, error) { return v.Received("r") })
	same(t, l, bot.Operation{ID: "o", Version: 3}, func(v bot.View) (bot.Operation, error) { return v.Operation("o") })
	same(t, l, bot.Message{Key: "m", Version: 3}, func(v bot.View) (bot.Message, error) { return v.Message("m") })
}

func testEmptyRows(t *testing.T, o Options) {
	l := open(t, o)
	do(t, l, func(tx bot.Tx) error {
		return errors.Join(tx.AddReceived(bot.Received{}), tx.AddOperation(bot.Operation{}), tx.AddMessage(bot.Message{}), tx.AddEvent(bot.Event{}))
	})
	// Version 0 is stored as 1.
	same(t, l, bot.Received{Version: 1}, func(v bot.View) (bot.Received, error) { return v.Received("") })
	same(t, l, bot.Operation{Version: 1}, func(v bot.View) (bot.Operation, error) { return v.Operation("") })
	same(t, l, bot.Message{Version: 1}, func(v bot.View) (bot.Message, error) { return v.Message("") })
	same(t, l, []bot.Event{{}}, func(v bot.View) ([]bot.Event, error) { return v.Events("") })
}

func testTimes(t *testing.T, o Options) {
	l := open(t, o)
	for given, want := range map[string]string{
		"2026-03-29T02:30:00.123456999+02:00": "2026-03-29T00:30:00.123456Z",
		"1969-12-31T23:59:59.999999Z":         "1969-12-31T23:59:59.999999Z",
		"1970-01-01T00:00:00Z":                "1970-01-01T00:00:00Z", // is not the zero time
		"0001-01-01T00:00:00Z":                "0001-01-01T00:00:00Z",
		"2038-01-19T03:14:08Z":                "2038-01-19T03:14:08Z",
	} {
		do(t, l, func(tx bot.Tx) error { return tx.AddReceived(bot.Received{Key: given, At: at(given)}) })
		same(t, l, bot.Received{Key: given, At: at(want), Version: 1}, func(v bot.View) (bot.Received, error) { return v.Received(given) })
	}
}

func testKeys(t *testing.T, o Options) {
	l := open(t, o)
	keys := []string{"a", "A", "á", "a\u0301", "ａ", "ß", "ss", "🚀", "🚁", "", "0", "00", "a' OR 1=1 --", "a\\", `a"`, "%", "日本"}
	do(t, l, func(tx bot.Tx) error {
		for _, key := range keys {
			if err := tx.AddOperation(bot.Operation{ID: key, Ref: key, Kind: "of " + key}); err != nil {
				return err
			}
		}
		return nil
	})
	for _, key := range keys {
		same(t, l, "of "+key, func(v bot.View) (string, error) {
			op, err := v.Operation(key)
			return op.Kind, err
		})
	}
}

func testNotFound(t *testing.T, o Options) {
	l := open(t, o)
	for name, read := range map[string]func(v bot.View) error{
		"Received":  func(v bot.View) error { _, err := v.Received("x"); return err },
		"Operation": func(v bot.View) error { _, err := v.Operation("x"); return err },
		"Message":   func(v bot.View) error { _, err := v.Message("x"); return err },
	} {
		wants(t, name+" in a view", l.View(t.Context(), read), bot.ErrNotFound)
		wants(t, name+" in a transaction", l.Do(t.Context(), func(tx bot.Tx) error { return read(tx) }), bot.ErrNotFound)
		do(t, l, func(tx bot.Tx) error {
			_ = read(tx)
			return tx.AddReceived(bot.Received{Key: "after " + name}) // the transaction goes on
		})
	}
}

func testTaken(t *testing.T, o Options) {
	l := open(t, o)
	r, op, m := fullReceived(), fullOperation(), fullMessage()
	do(t, l, func(tx bot.Tx) error {
		return errors.Join(tx.AddReceived(r), tx.AddOperation(op), tx.AddMessage(m))
	})
	sameID, sameRef := op, op
	sameID.Ref, sameID.Kind = "other", "other"
	sameRef.ID, sameRef.Kind = "other", "other"
	do(t, l, func(tx bot.Tx) error {
		wants(t, "adding a known request", tx.AddReceived(bot.Received{Key: r.Key}), bot.ErrTaken)
		wants(t, "adding a known operation", tx.AddOperation(sameID), bot.ErrTaken)
		wants(t, "adding another with a known ref", tx.AddOperation(sameRef), bot.ErrTaken)
		wants(t, "adding a known message", tx.AddMessage(bot.Message{Key: m.Key}), bot.ErrTaken)
		_, err := tx.Operation("other")
		wants(t, "reading what was not added", err, bot.ErrNotFound)
		return tx.AddReceived(bot.Received{Key: "after"})
	})
	same(t, l, r, func(v bot.View) (bot.Received, error) { return v.Received(r.Key) })
	same(t, l, op, func(v bot.View) (bot.Operation, error) { return v.Operation(op.ID) })
	same(t, l, m, func(v bot.View) (bot.Message, error) { return v.Message(m.Key) })
	seen(t, l, func(v bot.View) (bot.Received, error) { return v.Received("after") })
}

func testMoved(t *testing.T, o Options) {
	l := open(t, o)
	r, op, m := fullReceived(), fullOperation(), fullMessage()
	do(t, l, func(tx bot.Tx) error {
		return errors.Join(tx.AddReceived(r), tx.AddOperation(op), tx.AddMessage(m))
	})
	do(t, l, func(tx bot.Tx) error {
		for _, off := range []int64{-1, 1} {
			r, op, m := r, op, m
			r.Version, op.Version, m.Version = r.Version+off, op.Version+off, m.Version+off
			r.Owner, op.Owner, m.Owner = "late", "late", "late"
			wants(t, "saving a request", tx.SaveReceived(r), bot.ErrMoved)
			wants(t, "saving an operation", tx.SaveOperation(op), bot.ErrMoved)
			wants(t, "saving a message", tx.SaveMessage(m), bot.ErrMoved)
		}
		wants(t, "saving what was never added", tx.SaveReceived(bot.Received{Key: "x", Version: 1}), bot.ErrMoved)
		return tx.AddReceived(bot.Received{Key: "after"})
	})
	same(t, l, r, func(v bot.View) (bot.Received, error) { return v.Received(r.Key) })
	same(t, l, op, func(v bot.View) (bot.Operation, error) { return v.Operation(op.ID) })
	same(t, l, m, func(v bot.View) (bot.Message, error) { return v.Message(m.Key) })
	seen(t, l, func(v bot.View) (bot.Received, error) { return v.Received("after") })

	// Within one transaction, too, each save needs the version of the one before.
	do(t, l, func(tx bot.Tx) error {
		err := tx.SaveMessage(m)
		wants(t, "saving the same again", tx.SaveMessage(m), bot.ErrMoved)
		m.Version++
		return errors.Join(err, tx.SaveMessage(m))
	})
}

func testScopes(t *testing.T, o Options) {
	l := open(t, o)
	holders := func(want ...string) {
		t.Helper()
		same(t, l, want, func(v bot.View) (got []string, err error) {
			for _, scope := range []string{"production", "Production", "stage"} {
				holder, err := v.Holder(scope)
				if err != nil {
					return nil, err
				}
				got = append(got, holder)
			}
			return got, nil
		})
	}
	hold := func(scope, operation, want string) {
		t.Helper()
		do(t, l, func(tx bot.Tx) error {
			other, err := tx.Hold(scope, operation)
			if other != want {
				t.Errorf("Hold(%q, %q) = %q, want %q", scope, operation, other, want)
			}
			return err
		})
	}
	release := func(operation, scope string) {
		t.Helper()
		do(t, l, func(tx bot.Tx) error { return tx.Release(operation, scope) })
	}
	holders("", "", "")
	hold("production", "a", "")
	hold("production", "a", "") // again
	hold("production", "b", "a")
	hold("stage", "a", "")
	hold("Production", "b", "")
	holders("a", "b", "a")
	release("b", "production") // not its own
	release("nobody", "")
	holders("a", "b", "a")
	release("a", "stage")
	holders("a", "b", "")
	hold("stage", "a", "")
	release("a", "")
	holders("", "b", "")
	hold("production", "b", "")
	holders("b", "b", "")
}

func testKinds(t *testing.T, o Options) {
	l := open(t, o)
	do(t, l, func(tx bot.Tx) error {
		for i, kind := range []string{"newer", "deploy", "Deploy", "page", "newer"} {
			id := string(rune('a' + i))
			if err := tx.AddOperation(bot.Operation{ID: id, Ref: id, Kind: kind, Due: tx.Now().Add(time.Duration(i) * time.Second)}); err != nil {
				return err
			}
		}
		return nil
	})
	for _, test := range []struct {
		kinds []string
		limit int
		want  []string
	}{
		{[]string{"deploy", "page"}, 10, []string{"b", "d"}},
		{[]string{"deploy", "page"}, 1, []string{"b"}},
		{[]string{"deploy", "page"}, 0, nil},
		{[]string{"nothing"}, 10, nil},
		{nil, 10, nil},
	} {
		same(t, l, test.want, func(v bot.View) (ids []string, err error) {
			ops, err := v.DueOperations(test.kinds, test.limit)
			for _, op := range ops {
				ids = append(ids, op.ID)
			}
			return ids, err
		})
	}
}

func testDue(t *testing.T, o Options) {
	l := open(t, o)
	now := seen(t, l, func(v bot.View) (time.Time, error) { return v.Now(), nil })
	due := map[string]time.Duration{"d": time.Hour, "b": -time.Microsecond, "c": 0, "a": -time.Hour, "e": time.Hour}
	do(t, l, func(tx bot.Tx) error {
		for id, in := range due {
			o := bot.Operation{ID: id, Ref: id, Kind: "k", Due: now.Add(in), Data: json.RawMessage(strings.Repeat(id, 1000))}
			if err := errors.Join(tx.AddReceived(bot.Received{Key: id, Due: now.Add(in)}), tx.AddOperation(o)); err != nil {
				return err
			}
		}
		return errors.Join(tx.AddReceived(bot.Received{Key: "done"}), tx.AddOperation(bot.Operation{ID: "done", Kind: "k"}))
	})
	for limit, want := range map[int][]string{0: nil, 2: {"a", "b"}, 9: {"a", "b", "c", "d", "e"}} {
		same(t, l, want, func(v bot.View) (ids []string, err error) {
			rows, err := v.DueReceived(limit)
			for _, r := range rows {
				ids = append(ids, r.Key)
			}
			return ids, err
		})
		same(t, l, want, func(v bot.View) (ids []string, err error) {
			rows, err := v.DueOperations([]string{"k"}, limit)
			for _, o := range rows {
				ids = append(ids, o.ID)
				if want := strings.Repeat(o.ID, 1000); string(o.Data) != want {
					t.Errorf("one of %d operations has data %.20q, want %.20q", len(rows), o.Data, want)
				}
			}
			return ids, err
		})
	}
}

func testDueMessages(t *testing.T, o Options) {
	l := open(t, o)
	do(t, l, func(tx bot.Tx) error {
		add := func(key string, class bot.Class, due, created time.Duration) error {
			return tx.AddMessage(bot.Message{Key: key, Class: class, Due: tx.Now().Add(due), Created: tx.Now().Add(created)})
		}
		return errors.Join(
			add("8 later, though a page", bot.Page, 2*time.Hour, 0),
			tx.AddMessage(bot.Message{Key: "6 later, but claimed", Class: bot.Whisper, Owner: "me", Due: tx.Now().Add(3 * time.Hour)}),
			add("7 soon", bot.Whisper, time.Hour, 0),
			add("5 whisper", bot.Whisper, -9*time.Hour, 0),
			add("4 progress", bot.Progress, -time.Hour, 0),
			add("3 final", bot.Final, -time.Hour, -time.Hour),
			add("2 final, older", bot.Final, -time.Hour, -2*time.Hour),
			add("1 page, due now", bot.Page, 0, 0),
			add("0 page, due earlier", bot.Page, -time.Microsecond, 0),
			tx.AddMessage(bot.Message{Key: "not due", Class: bot.Page}),
		)
	})
	due := []string{"0 page, due earlier", "1 page, due now", "2 final, older", "3 final", "4 progress", "5 whisper"}
	later := []string{"6 later, but claimed", "7 soon", "8 later, though a page"}
	for _, limit := range []int{0, 1, 2, 3, 6, 7, 100} {
		var want []string
		if limit > 0 {
			want = append(slices.Clone(due[:min(limit, len(due))]), later[:min(limit, len(later))]...)
		}
		same(t, l, want, func(v bot.View) (keys []string, err error) {
			due, err := v.DueMessages(limit)
			for _, m := range due {
				keys = append(keys, m.Key)
			}
			return keys, err
		})
	}
}

func testEvents(t *testing.T, o Options) {
	l := open(t, o)
	var want []bot.Event
	for i := range 3 {
		// The order is that of adding, whatever the clock said.
		e := bot.Event{Operation: "a", At: at("2026-11-22T14:00:00Z").Add(-time.Duration(i) * time.Hour), Note: "same"}
		want = append(want, e)
		do(t, l, func(tx bot.Tx) error {
			return errors.Join(tx.AddEvent(e), tx.AddEvent(bot.Event{Operation: "b", Note: "not a's"}))
		})
	}
	same(t, l, want, func(v bot.View) ([]bot.Event, error) { return v.Events("a") })
	same(t, l, nil, func(v bot.View) ([]bot.Event, error) { return v.Events("A") })
}
