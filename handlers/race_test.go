//go:build race

package handlers_test

// usualDeploys is how many deploys TestAnnouncements plays. SQLite is written in
// Go here, and under the race detector ten times as slow.
const usualDeploys = 30
