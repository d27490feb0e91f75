package app

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thbot/bot"
	"thbot/integrations/ledger"
	"thbot/integrations/ledger/mariadbtest"
)

func moment(text string) time.Time { return must(time.Parse("2006-01-02 15:04:05", text)) }

// remembered is a ledger with a promotion that came out, a lock that is there,
// and one of a kind that nobody knows.
func remembered(t *testing.T, o ledger.Options) *ledger.Ledger {
	t.Helper()
	store, err := ledger.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	ana, bea, cleo := bot.Person{ID: "U0ANA", Name: "ana"}, bot.Person{ID: "U0BEA", Name: "bea <b>"}, bot.Person{ID: "U0CLEO", Name: "cleo\x1b[2J\tx"}
	err = store.Do(t.Context(), func(tx bot.Tx) error {
		var errs []error
		for _, o := range []bot.Operation{
			{ID: "01A", Kind: "deploy", About: "production", State: "live", End: bot.Done, Turn: 5, Asked: ana,
				Presses: []bot.Decision{
					{Person: bea, Verb: "promote", At: moment("2026-11-22 14:01:00"), Turn: 1, Decides: true, As: []bot.Role{bot.CloudOps}},
					{Person: ana, Verb: "promote", At: moment("2026-11-22 14:01:30"), Turn: 1, Decides: true}},
				Created: moment("2026-11-22 14:00:00"), Entered: moment("2026-11-22 14:09:12"), Data: []byte(`{"commit":"9f8e7d6","run":812}`)},
			{ID: "01B", Kind: "lock", About: "production", State: "locked", Turn: 1, Asked: cleo,
				Created: moment("2026-11-23 08:00:00"), Entered: moment("2026-11-23 08:00:00"), Data: []byte(`{"reason":"my token is xoxb-1-hunter22"}`)},
			{ID: "01C", Kind: "bake", About: "stage", State: "ask", End: bot.Cancelled, Turn: 2, Asked: ana,
				Created: moment("2026-11-24 09:30:00"), Entered: moment("2026-11-24 09:31:00")},
		} {
			o.Ref = o.ID
			errs = append(errs, tx.AddOperation(o))
		}
		for _, e := range []bot.Event{
			{Operation: "01A", At: moment("2026-11-22 14:00:00"), Who: "U0ANA", To: "asking", Note: "deploy prod"},
			{Operation: "01A", At: moment("2026-11-22 14:01:30"), Who: "U0ANA", From: "asking", To: "following"},
			{Operation: "01A", At: moment("2026-11-22 14:09:12"), From: "following", To: "live", Note: "three answers in a row"},
			{Operation: "01B", At: moment("2026-11-23 08:00:00"), Who: "U0CLEO", To: "locked", Note: "lock prod my token is xoxb-1-hunter22"},
		} {
			errs = append(errs, tx.AddEvent(e))
		}
		return errors.Join(append(errs,
			tx.AddMessage(bot.Message{Key: "01A/card", Operation: "01A", To: bot.Place{Channel: "C0OPS"}, ID: "1790000000.000100"}),
			tx.AddMessage(bot.Message{Key: "01B/card", Operation: "01B", To: bot.Place{Channel: "C0OPS"}}), // not posted yet
		)...)
	})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

const (
	lineA = `{"id":"01A","kind":"deploy","about":"production","state":"live","end":"done","asked":{"id":"U0ANA","name":"ana"},` +
		`"presses":[{"person":{"id":"U0BEA","name":"bea <b>"},"verb":"promote","at":"2026-11-22T14:01:00Z","roles":["cloudops"]},` +
		`{"person":{"id":"U0ANA","name":"ana"},"verb":"promote","at":"2026-11-22T14:01:30Z","roles":[]}],` +
		`"created":"2026-11-22T14:00:00Z","ended":"2026-11-22T14:09:12Z","link":"https://slack.com/archives/C0OPS/p1790000000000100",` +
		`"data":{"commit":"9f8e7d6","run":812},` +
		`"events":[{"at":"2026-11-22T14:00:00Z","who":"U0ANA","from":"","to":"asking","note":"deploy prod"},` +
		`{"at":"2026-11-22T14:01:30Z","who":"U0ANA","from":"asking","to":"following","note":""},` +
		`{"at":"2026-11-22T14:09:12Z","who":"","from":"following","to":"live","note":"three answers in a row"}]}` + "\n"
	lineB = `{"id":"01B","kind":"lock","about":"production","state":"locked","end":"","asked":{"id":"U0CLEO","name":"cleo\u001b[2J\tx"},"presses":[],` +
		`"created":"2026-11-23T08:00:00Z","data":{"reason":"my token is [redacted]"},` +
		`"events":[{"at":"2026-11-23T08:00:00Z","who":"U0CLEO","from":"","to":"locked","note":"lock prod my token is [redacted]"}]}` + "\n"
	lineC = `{"id":"01C","kind":"bake","about":"stage","state":"ask","end":"cancelled","asked":{"id":"U0ANA","name":"ana"},"presses":[],` +
		`"created":"2026-11-24T09:30:00Z","ended":"2026-11-24T09:31:00Z","data":null,"events":[]}` + "\n"
	asTable = `ASKED AT (UTC)    WHAT    ABOUT       CAME TO    ASKED       PRESSED                       MESSAGE
2026-11-24 09:30  bake    stage       cancelled  ana         -                             -
2026-11-23 08:00  lock    production  locked …   cleo [2J x  -                             -
2026-11-22 14:00  deploy  production  done       ana         promote bea <b>, promote ana  https://slack.com/archives/C0OPS/p1790000000000100
`
)

func TestHistory(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { testHistory(t, "sqlite:"+filepath.Join(t.TempDir(), "thbot.db"), "") })
	t.Run("mariadb", func(t *testing.T) {
		url, password := mariadbtest.Start(t).Database(t)
		testHistory(t, url, password)
	})
}

func testHistory(t *testing.T, url, password string) {
	remembered(t, ledger.Options{URL: url, Password: password}) // and it stays open
	c := must(ReadConfig(write(t, "thbot.yaml", Example()), env(map[string]string{"THBOT_LEDGER": url})))
	for _, tt := range []struct {
		name  string
		query HistoryQuery
		want  string
	}{
		{"all", HistoryQuery{JSON: true}, lineC + lineB + lineA},
		{"a table", HistoryQuery{}, asTable},
		{"the newest", HistoryQuery{JSON: true, Limit: 2}, lineC + lineB},
		{"exactly as many", HistoryQuery{JSON: true, Limit: 3}, lineC + lineB + lineA},
		{"of an environment", HistoryQuery{JSON: true, Environment: "production"}, lineB + lineA},
		{"of an alias", HistoryQuery{JSON: true, Environment: "prod", Limit: 1}, lineB},
		{"of one without", HistoryQuery{JSON: true, Environment: "prototype"}, ""},
		{"who asked", HistoryQuery{JSON: true, Person: "U0ANA"}, lineC + lineA},
		{"who pressed", HistoryQuery{JSON: true, Person: "U0BEA"}, lineA},
		{"since a moment", HistoryQuery{JSON: true, Since: moment("2026-11-23 08:00:00")}, lineC + lineB},
		{"since the next", HistoryQuery{JSON: true, Since: moment("2026-11-23 08:00:01")}, lineC},
		{"since now", HistoryQuery{Since: time.Now().AddDate(9, 0, 0)}, "ASKED AT (UTC)  WHAT  ABOUT  CAME TO  ASKED  PRESSED  MESSAGE\n"},
	} {
		var out bytes.Buffer
		if err := History(t.Context(), c, Secret(password), tt.query, &out); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.want, out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	if err := History(t.Context(), c, Secret(password), HistoryQuery{JSON: true}, full{}); err == nil || !strings.Contains(err.Error(), "writing the history: no space") {
		t.Errorf("to a full disk: %v", err)
	}
	if err := History(t.Context(), c, Secret(password), HistoryQuery{}, full{}); err == nil {
		t.Error("a table to a full disk: no error")
	}
	err := History(t.Context(), c, Secret(password), HistoryQuery{Environment: "prodd"}, full{})
	if want := `"prodd" is no environment (did you mean prod?); the configuration has production, prod, stage, prototype, proto, taskcluster-staging, tc`; err == nil || err.Error() != want {
		t.Errorf("of no environment: %v", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }

// A history longer than a page is whole, also where many began at once.
func TestLongHistory(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "thbot.db")
	store, err := ledger.Open(t.Context(), ledger.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	const n = 3*pageSize + 150
	err = store.Do(t.Context(), func(tx bot.Tx) error {
		for i := range n {
			id, at := fmt.Sprintf("%04d", i), moment("2026-11-22 14:00:00")
			if i < pageSize/2 || i > 2*pageSize {
				at = at.Add(time.Duration(i-pageSize) * time.Microsecond)
			}
			if err := tx.AddOperation(bot.Operation{ID: id, Ref: id, Created: at}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{0, 1, pageSize, pageSize + 1, 2*pageSize + 60, n, n + 1} {
		var out bytes.Buffer
		if err := History(t.Context(), Config{Ledger: url}, "", HistoryQuery{JSON: true, Limit: limit}, &out); err != nil {
			t.Fatal(err)
		}
		i := n
		for line := range strings.Lines(out.String()) {
			if i--; !strings.HasPrefix(line, fmt.Sprintf(`{"id":"%04d",`, i)) {
				t.Fatalf("limit %d: after %d lines comes %s", limit, n-i-1, line)
			}
		}
		want := n
		if limit > 0 {
			want = min(limit, n)
		}
		if n-i != want {
			t.Errorf("limit %d: %d lines, want %d", limit, n-i, want)
		}
	}
}
