//go:build race

package handlers_test

// SQLite is written in Go here, and under the race detector ten times as slow.
const (
	// usualDeploys is how many deploys TestAnnouncements plays.
	usualDeploys = 30
	// oneMomentIn is how many moments stand for one at which TestResetAgainstAPush pushes.
	oneMomentIn = 5
	// usualPushes is how many resets TestResetAgainstPushes plays, at most.
	usualPushes = 20
)
