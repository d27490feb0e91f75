package handlers_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"thbot/bot"
	"thbot/cmd/sandbox/world"
	"thbot/handlers"
	"thbot/handlers/deploys"
	"thbot/integrations/fakehttp"
	"thbot/integrations/github"
	"thbot/integrations/github/fakegithub"
	"thbot/integrations/ledger"
)

// What nobody reads any more is told loudly with its age, and since when the
// last deploy is live only of those commits that came with it.
func TestStatusAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world.New(world.Real)
		var slow atomic.Bool
		w.Gate(func(call, moment string) {
			if slow.Load() && strings.HasPrefix(call, "github ") && moment == fakehttp.Arrived {
				<-time.After(1500 * time.Millisecond)
			}
		})
		w.OnPipe()
		if err := w.Usual(); err != nil {
			t.Fatal(err)
		}
		store, err := ledger.Open(t.Context(), ledger.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "thbot.db")})
		if err != nil {
			t.Fatal(err)
		}
		hub, err := github.New(github.Options{APIURL: w.URL("github"), Repository: "mozilla/treeherder", Token: fakegithub.Token, Dial: w.Dial})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		err = store.Do(t.Context(), func(tx bot.Tx) error {
			raw, err := json.Marshal(deploys.App{Environment: "stage", Read: tx.Now(), Commit: world.Commit("9f8e7d6"), Since: tx.Now(), Before: world.Commit("2b3c4d5")})
			if err != nil {
				return err
			}
			if err := tx.AddOperation(bot.Operation{ID: "01", Ref: "stage", Kind: "watch-app", State: "watch", Created: tx.Now(), Data: raw}); err != nil {
				return err
			}
			_, err = tx.Hold(deploys.AppScope("stage"), "01")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		s := handlers.NewStatus(handlers.World{GitHub: hub, Ledger: store, Times: handlers.Times{Watch: 30 * time.Second},
			Environments: deploys.Environments{{Name: "stage", URL: w.URL("stage"), Branch: "master"}}})
		ask := func(arg, value string) string {
			card, err := s.Answer(t.Context(), bot.Request{Args: map[string]string{arg: value}})
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, p := range card.Parts {
				all = append(all, p.Text.String())
				for _, i := range p.Items {
					all = append(all, i.String())
				}
			}
			return strings.Join(all, "\n")
		}
		const loud = "⚠ This was read "
		for _, tt := range []struct {
			at   time.Duration
			arg  string
			of   string
			says string
			loud bool
		}{
			{0, "environment", "stage", "Stage serves 9f8e7d6 since 00:00", false},
			{90 * time.Second, "environment", "stage", "Read 1m 30s ago.", false},
			{91 * time.Second, "commit", "9f8e7d6", "Stage: live since 00:00", false},
			{92 * time.Second, "commit", "3c4d5e6", "Stage: live with 9f8e7d6 since 00:00", false},
			{93 * time.Second, "commit", "2b3c4d5", "Stage: live with 9f8e7d6, and already before 00:00", false},
			{94 * time.Second, "commit", "b1c2d3e", "Stage: not live; it is not on the branch master", false},
			{14 * time.Minute, "environment", "stage", loud + "14m ago, and nothing since.", true},
			{15 * time.Minute, "commit", "9f8e7d6", loud + "15m ago", true},
		} {
			<-time.After(time.Until(began.Add(tt.at)))
			if got := ask(tt.arg, tt.of); !strings.Contains(got, tt.says) || strings.Contains(got, loud) != tt.loud {
				t.Errorf("after %v, of %s: %s\nwant %s", tt.at, tt.of, got, tt.says)
			}
		}
		// GitHub takes longer than anybody waits; the answer it gives in the end is
		// there for the next one who asks.
		w.Push("7d7d7d7", "cid", "Show the age of alerts")
		slow.Store(true)
		const not = "GitHub has not said"
		for i, want := range []string{not, not, "1 commit behind master"} { // where the branch is, then how that compares
			<-time.After(time.Second)
			before := time.Now()
			got := ask("environment", "stage")
			if took := time.Since(before); !strings.Contains(got, want) || took > time.Second {
				t.Errorf("after %v, for the %d. time: %s\nwant %s", took, i+1, got, want)
			}
		}
		hub.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
}
