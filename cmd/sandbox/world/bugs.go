package world

import (
	"cmp"

	"thbot/integrations/bugzilla/fakebugzilla"
)

// Bug is one that was filed for cloudOps.
type Bug struct {
	Summary  string `yaml:"summary"`
	Text     string `yaml:"text"`
	By       string `yaml:"by"`       // the name of one of the people
	Private  bool   `yaml:"private"`  // only who filed it and cloudOps see it
	Resolved bool   `yaml:"resolved"` // FIXED
}

// addBugzilla lets everybody of this workspace have an account in Bugzilla,
// where those of cloudOps see what is private.
func (w *World) addBugzilla() {
	accounts := []fakebugzilla.Account{{Login: fakebugzilla.Login, RealName: "Treeherder bot", Nick: "thbot", Key: fakebugzilla.Key}}
	for _, p := range w.file.People {
		if p.Bot || p.Foreign {
			continue
		}
		a := fakebugzilla.Account{Login: address(p), RealName: p.Name, Nick: p.Name, Disabled: p.Deactivated}
		if w.file.has(p, "cloudops") {
			a.Groups = []string{fakebugzilla.Group}
		}
		accounts = append(accounts, a)
	}
	w.Bugzilla = &fakebugzilla.Server{Accounts: accounts}
	for _, b := range w.file.Bugs {
		bug := fakebugzilla.Bug{Summary: b.Summary, Description: b.Text}
		for _, p := range w.file.People {
			if p.Name == b.By {
				bug.Creator = address(p)
			}
		}
		if b.Private {
			bug.Groups = []string{fakebugzilla.Group}
		}
		if b.Resolved {
			bug.Status, bug.Resolution = "RESOLVED", "FIXED"
		}
		w.Bugzilla.Add(bug)
	}
}

// address is somebody's e-mail address, at Slack and at Bugzilla.
func address(p Person) string { return cmp.Or(p.Email, p.Name+"@example.org") }
