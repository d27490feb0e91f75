//go:build !race

package handlers_test

const (
	// usualDeploys is how many deploys TestAnnouncements plays.
	usualDeploys = 500
	// oneMomentIn is how many moments stand for one at which TestResetAgainstAPush pushes.
	oneMomentIn = 1
	// usualPushes is how many resets TestResetAgainstPushes plays, at most.
	usualPushes = 1e6
)
