package fakegithub

import "testing"

// Every call there is stands in the coverage table, and the other way round.
func TestRoutesAreCovered(t *testing.T) {
	there := map[string]bool{"GET repository installation": true} // an App's, about a repository
	for _, list := range [][]route{ofRepo(), alone(), ofApp()} {
		for _, r := range list {
			there[r.call] = true
		}
	}
	for _, row := range Coverage() {
		if there[row.Call] != (row.Level != No) {
			t.Errorf("%s is called %s, and its route is there: %v", row.Call, row.Level, there[row.Call])
		}
		delete(there, row.Call)
	}
	for call := range there {
		t.Errorf("%s is not in the table", call)
	}
}
