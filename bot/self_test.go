package bot_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"thbot/bot"
)

// Each trouble of the bot's own is told once while it lasts, and again when it
// comes back; what is muted is not.
func TestSelf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, "sqlite:"+filepath.Join(t.TempDir(), "ledger.db"), "")
		defer s.end()
		var mu sync.Mutex
		state := bot.Connections{Open: 2, Ours: 2, Counted: 2}
		set := func(c bot.Connections) { mu.Lock(); state = c; mu.Unlock() }
		b := s.newBot(1000 * time.Hour)
		b.Commands = append(b.Commands, bot.Self(b, func() bot.Connections {
			mu.Lock()
			defer mu.Unlock()
			return state
		}, time.Minute))
		s.bot = s.start(b)
		told := func(want ...string) {
			t.Helper()
			s.later(20 * time.Minute)
			said := s.chat.said(room)
			if len(said) != len(want) {
				t.Fatalf("said %q, want %q", said, want)
			}
			for i := range want {
				if !strings.Contains(said[i], want[i]) {
					t.Errorf("said %q, want %q in it", said[i], want[i])
				}
			}
		}
		const foreign, deaf, growing = "counts 3 connections", "cannot hear Slack since 00:20", "1 message waits for more than 10 minutes"
		told()
		set(bot.Connections{Ours: 2, Counted: 3, Deaf: time.Now()})
		told(foreign, deaf)
		set(bot.Connections{Open: 2, Ours: 2, Counted: 2})
		told(foreign, deaf)
		set(bot.Connections{Open: 2, Ours: 2, Counted: 3})
		told(foreign, deaf, foreign)

		// A message that the chat asks to send later, again and again.
		s.do(func(tx bot.Tx) error {
			card := bot.Say("never said")
			return tx.AddMessage(bot.Message{Key: "stuck", To: bot.Place{Channel: "C0ELSEWHERE"}, Card: &card, Wanted: 1, Due: tx.Now(), Created: tx.Now()})
		})
		for range 100 {
			s.chat.fails("post stuck", slower)
		}
		told(foreign, deaf, foreign, growing)
		set(bot.Connections{Open: 2, Ours: 2, Counted: 2})
		s.do(func(tx bot.Tx) error { _, err := tx.Hold("mute/socket", "somebody"); return err })
		s.later(2 * time.Minute)
		set(bot.Connections{Open: 2, Ours: 2, Counted: 3})
		told(foreign, deaf, foreign, growing) // muted
	})
}
