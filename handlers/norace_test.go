//go:build !race

package handlers_test

// usualDeploys is how many deploys TestAnnouncements plays.
const usualDeploys = 500
