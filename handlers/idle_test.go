package handlers_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"thbot/cmd/sandbox/world"
)

// TestIdle counts what Jenkins is asked while nothing moves: at most four
// requests a minute in all (design 5). A run that waits at its input does not
// move.
func TestIdle(t *testing.T) {
	const minutes = 10
	tests := []struct {
		name  string
		waits int // runs
		asked bool
	}{
		{"one run waits", 1, false},
		{"five runs wait", 5, false},
		{"a promotion is asked", 1, true},
		{"some wait that Jenkins lists no more", 25, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlay(t)
				defer p.end()
				for _, run := range []int{811, 812} {
					if err := p.Jenkins.RejectByHand(world.Job, run, "Promote", "bea"); err != nil {
						t.Fatal(err)
					}
				}
				p.start()
				for i := range tt.waits {
					p.Push(fmt.Sprintf("%07x", 0xc000000+i), "bea", "A change")
					if _, err := p.Run(world.Commit(fmt.Sprintf("%07x", 0xc000000+i)), "", world.Promotion); err != nil {
						t.Fatal(err)
					}
					wait(45 * time.Second)
				}
				wait(2 * time.Minute)
				if tt.asked {
					if _, err := p.Slack.Say("U0ANA", world.Channel, "/th deploy prod"); err != nil {
						t.Fatal(err)
					}
					wait(30 * time.Second)
					if _, shown := p.question(world.Commit("c000000")); !shown {
						t.Fatal("nothing was asked")
					}
				}
				before := p.jenkins.count()
				wait(minutes * time.Minute)
				if n := p.jenkins.count() - before; n > 4*minutes || n < minutes {
					t.Errorf("%d requests to Jenkins in %d minutes", n, minutes)
				} else {
					t.Logf("%d requests to Jenkins in %d minutes", n, minutes)
				}
				waiting := 0
				runs, err := p.Jenkins.Runs(world.Job)
				for _, r := range runs {
					waiting += len(r.Inputs)
				}
				if err != nil || waiting != tt.waits {
					t.Errorf("%d runs wait, want %d: %v", waiting, tt.waits, err)
				}
			})
		})
	}
}
