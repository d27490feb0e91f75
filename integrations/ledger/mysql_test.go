package ledger

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"thbot/bot"
	"thbot/integrations/ledger/mariadbtest"
)

func TestMySQL(t *testing.T) {
	server := mariadbtest.Start(t)
	fresh := func(t *testing.T) Options {
		url, password := server.Database(t)
		return Options{URL: url, Password: password}
	}
	suite(t, fresh)
	for name, run := range map[string]func(t *testing.T, o Options){
		"replicas start together":            testStartTogether,
		"another one's migration is awaited": testAwaited,
		"a session has our settings":         testSession,
		"a migration was killed":             testKilledMigration,
		"replicas count together":            testReplicas,
		"a deadlock is run again":            testDeadlock,
		"the connection is lost at a commit": testLostCommit,
		"keys that are too long are refused": testTooLong,
		"the password is nowhere":            testPassword,
	} {
		t.Run(name, func(t *testing.T) { run(t, fresh(t)) })
	}
}

func testStartTogether(t *testing.T, o Options) {
	ledgers := make([]*Ledger, 4)
	err := errors.Join(together(len(ledgers), func(i int) (err error) {
		ledgers[i], err = Open(context.Background(), o)
		return err
	})...)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range ledgers {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

// testAwaited opens a ledger while another session migrates it.
func testAwaited(t *testing.T, o Options) {
	config, err := mysqlConfig(strings.TrimPrefix(o.URL, "mysql:"), Options{Password: o.Password, Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	db, err := openPool(config)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	other, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	count := func(query string) (n int) {
		t.Helper()
		if err := other.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if count("SELECT GET_LOCK("+lockName+", 0)") != 1 {
		t.Fatal("somebody else has the lock")
	}
	opened := make(chan error, 1)
	go func() {
		l, err := Open(context.Background(), o)
		if err == nil {
			err = l.Close()
		}
		opened <- err
	}()
	for count("SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND state = 'User lock'") == 0 {
		select {
		case err := <-opened:
			t.Fatalf("it was opened under another one's migration: %v", err)
		default:
		}
	}
	if n := count("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()"); n != 0 {
		t.Errorf("%d tables were made under another one's migration", n)
	}
	count("SELECT RELEASE_LOCK(" + lockName + ")")
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

func testSession(t *testing.T, o Options) {
	l := open(t, o)
	for expression, want := range map[string]string{
		"@@innodb_lock_wait_timeout": "2",
		"@@sql_mode":                 "STRICT_ALL_TABLES",
		"@@character_set_client":     "utf8mb4",
		"@@collation_connection":     "utf8mb4_bin",
	} {
		var got string
		if err := l.store.(*mysqlStore).db.QueryRow("SELECT " + expression).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, want %q; %v", expression, got, want, err)
		}
	}
	// A count of changed rows would tell a row that was right already as missing.
	do(t, l, func(inside bot.Tx) error {
		if _, err := inside.Holder("production"); err != nil {
			return err
		}
		n, err := inside.(*tx).exec("UPDATE scopes SET operation = '' WHERE scope = 'production'")
		if n != 1 {
			t.Errorf("an UPDATE that changed nothing matched %d rows, want 1", n)
		}
		return err
	})
}

// testKilledMigration opens a ledger whose tables were made, and goose's too,
// by somebody who was killed before that was written down.
func testKilledMigration(t *testing.T, o Options) {
	l, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.store.(*mysqlStore).db.Exec("DELETE FROM goose_db_version")
	if err := errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	do(t, open(t, o), adding("k"))
}

func testReplicas(t *testing.T, o Options) {
	const times = 25
	a, b := open(t, o), open(t, o)
	do(t, a, func(tx bot.Tx) error { return tx.AddOperation(bot.Operation{ID: "o"}) })
	moved := 0
	err := errors.Join(together(2, func(i int) error {
		l := []*Ledger{a, b}[i]
		for done := 0; done < times; {
			// Read outside, as the runner does: the version decides who wins.
			op, err := v1(l, func(v bot.View) (bot.Operation, error) { return v.Operation("o") })
			if err != nil {
				return err
			}
			op.Turn++
			err = l.Do(t.Context(), func(tx bot.Tx) error { return tx.SaveOperation(op) })
			switch {
			case err == nil:
				done++
			case !errors.Is(err, bot.ErrMoved):
				return err
			case i == 0:
				moved++
			}
		}
		return nil
	})...)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("one replica lost %d times", moved)
	if op := seen(t, b, func(v bot.View) (bot.Operation, error) { return v.Operation("o") }); op.Turn != 2*times {
		t.Errorf("together they counted to %d, want %d", op.Turn, 2*times)
	}
}

func testDeadlock(t *testing.T, o Options) {
	l := open(t, o)
	do(t, l, func(tx bot.Tx) error {
		return errors.Join(tx.AddMessage(bot.Message{Key: "0"}), tx.AddMessage(bot.Message{Key: "1"}))
	})
	var both sync.WaitGroup // until each has one of the two
	both.Add(2)
	runs := [2]int{}
	err := errors.Join(together(2, func(i int) error {
		keys := [][]string{{"0", "1"}, {"1", "0"}}[i]
		return l.Do(t.Context(), func(tx bot.Tx) error {
			runs[i]++
			for n, key := range keys {
				m, err := tx.Message(key)
				if err == nil {
					m.Tries++
					err = tx.SaveMessage(m)
				}
				if err != nil {
					return errors.New("an error that hides " + err.Error())
				}
				if n == 0 && runs[i] == 1 {
					both.Done()
					both.Wait()
				}
			}
			return nil
		})
	})...)
	if err != nil {
		t.Error(err)
	}
	if runs[0]+runs[1] != 3 {
		t.Errorf("the functions were run %d and %d times, want one of them twice", runs[0], runs[1])
	}
	for _, key := range []string{"0", "1"} {
		if m := seen(t, l, func(v bot.View) (bot.Message, error) { return v.Message(key) }); m.Tries != 2 {
			t.Errorf("message %s was written %d times, want 2", key, m.Tries)
		}
	}
}

func testLostCommit(t *testing.T, o Options) {
	var mu sync.Mutex
	var conns []net.Conn
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		mu.Lock()
		defer mu.Unlock()
		conns = append(conns, conn)
		return conn, err
	}
	cut := false
	o.Gate = func(_, moment string) {
		mu.Lock()
		defer mu.Unlock()
		if cut && moment == "arrived" {
			cut = false
			for _, conn := range conns {
				conn.Close()
			}
		}
	}
	l := open(t, o)
	cut = true
	runs := 0
	err := l.Do(t.Context(), func(tx bot.Tx) error { runs++; return adding("k")(tx) })
	if err == nil || !strings.Contains(err.Error(), "committing") || runs != 1 {
		t.Errorf("Do, run %d times, returned %v", runs, err)
	}
	for _, known := range []error{bot.ErrNotFound, bot.ErrTaken, bot.ErrMoved} {
		if errors.Is(err, known) {
			t.Errorf("an unknown end is told as a certain one: %v", err)
		}
	}
	do(t, l, adding("after"))
}

func testTooLong(t *testing.T, o Options) {
	l := open(t, o)
	long := strings.Repeat("🚀", 256)
	for name, f := range map[string]func(tx bot.Tx) error{
		"a key":   adding(long),
		"a scope": func(tx bot.Tx) error { _, err := tx.Hold(long, "o"); return err },
	} {
		if err := l.Do(t.Context(), f); err == nil {
			t.Errorf("%s of 256 characters had no error", name)
		}
	}
	do(t, l, adding(long[:255*len("🚀")]))
}

func testPassword(t *testing.T, o Options) {
	core, logs := observer.New(zap.DebugLevel)
	o.Log = zap.New(core)
	right := o.Password
	do(t, open(t, o), adding("k"))

	o.Password = "hunter2"
	_, err := Open(t.Context(), o)
	if err == nil || strings.Contains(err.Error(), o.Password) {
		t.Errorf("a wrong password: %v", err)
	}
	o.Password, o.URL = right, strings.Replace(o.URL, "tcp(", "tcp(127.0.0.1:1)/x(", 1)
	if _, err := Open(t.Context(), o); err == nil || strings.Contains(err.Error(), right) {
		t.Errorf("a wrong address: %v", err)
	}
	if logs.Len() == 0 {
		t.Error("nothing was logged")
	}
	for _, entry := range logs.All() {
		if s := entry.Message + " " + strings.Join(values(entry.ContextMap()), " "); strings.Contains(s, right) || strings.Contains(s, "hunter2") {
			t.Errorf("a password was logged: %s", s)
		}
	}
}

func values(fields map[string]any) (all []string) {
	for _, v := range fields {
		all = append(all, fmt.Sprint(v))
	}
	return all
}
