package world

import (
	"fmt"

	"thbot/integrations/github/fakegithub"
)

// What CI says of a commit.
const (
	Green   = "success"
	Red     = "failure"
	Pending = "pending"
	NoCI    = "none" // nothing at all
)

var ciStates = []string{Green, Red, Pending, NoCI}

// How Treeherder's CI reports: CircleCI sets a status for each job, and its
// app for checks one check run for the whole workflow.
const (
	ciStatus = "ci/circleci: python-tests"
	ciCheck  = "run-tests-and-builds"
)

// CI makes CI say something of a commit: by a status and by a check run. Of a
// commit that is not there yet it is what CI will say at its push. Nothing that
// was said can be taken back, so that NoCI is for those alone.
func (w *World) CI(commit, state string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, there := w.trees[commit]
	switch state {
	case NoCI:
		if there && w.ci[commit] != NoCI {
			return fmt.Errorf("setting CI of %.7s: it has said %s already, and GitHub forgets nothing", commit, w.ci[commit])
		}
	case Green, Red, Pending:
	default:
		return fmt.Errorf("setting CI of %.7s: it never says %q, but %q", commit, state, ciStates)
	}
	w.ci[commit] = state
	if there {
		w.report(commit)
		w.touch()
	}
	return nil
}

// report reports what CI says of a commit. It is called with w.mu held.
func (w *World) report(commit string) {
	state := w.ci[commit]
	if state == NoCI {
		return
	}
	run := fakegithub.CheckRun{Name: ciCheck, Status: "completed", Conclusion: state}
	if state == Pending {
		run.Status, run.Conclusion = "in_progress", ""
	}
	repo := w.GitHub.Repo("")
	repo.AddStatus(commit, fakegithub.Status{Context: ciStatus, State: state})
	if id, begun := w.checks[commit]; begun {
		repo.SetCheckRun(id, run.Status, run.Conclusion)
		return
	}
	w.checks[commit] = repo.AddCheckRun(commit, run)
}

// CIOf is what CI says of a commit.
func (w *World) CIOf(commit string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ci[commit]
}
