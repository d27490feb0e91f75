package world

import (
	"strings"

	"thbot/integrations/jenkins/fakejenkins"
)

// Repository is where the pipeline checks out from, where its runs do not say
// by a parameter what they deploy.
const Repository = "https://github.com/mozilla/treeherder"

// Unpin makes the pipeline one whose runs deploy what they check out of master,
// so that a rebuild of an earlier run deploys the newest commit instead. Call it
// before there is a run.
func (w *World) Unpin() {
	w.unpinned = true
	w.addJob()
}

func (w *World) addJob() {
	spec := fakejenkins.JobSpec{Parameters: []fakejenkins.Parameter{{Name: "ImageTag"}}, Next: w.file.NextRun, Named: named, NotConcurrent: w.file.OneAtATime}
	if w.unpinned {
		spec.Parameters, spec.Branch = nil, true
	}
	w.Jenkins.AddJob(Job, spec)
}

// carrying is the run of a commit.
func (w *World) carrying(commit string, spec fakejenkins.RunSpec) fakejenkins.RunSpec {
	if w.unpinned {
		spec.Git, spec.Revision = []fakejenkins.Git{checkout(commit)}, commit
	} else {
		spec.Parameters = map[string]string{"ImageTag": imageTag + commit}
	}
	return spec
}

func checkout(commit string) fakejenkins.Git {
	return fakejenkins.Git{SHA: commit, Branch: "refs/remotes/origin/" + Master, Remote: Repository}
}

// commitFrom is how the bot is told to read the commit off a run.
func (w *World) commitFrom() string {
	if w.unpinned {
		return "{git: " + Repository + "}"
	}
	return "{parameter: ImageTag}"
}

// imageTag begins the parameter ImageTag; the commit is the rest.
const imageTag = "master-"

// deploys is the commit that a run with these parameters, or these checkouts,
// deploys, or "".
func deploys(parameters map[string]string, git []fakejenkins.Git) string {
	commit, is := strings.CutPrefix(parameters["ImageTag"], imageTag)
	if !is && len(git) > 0 {
		commit, is = git[0].SHA, true
	}
	if !is || len(commit) != 40 {
		return ""
	}
	return commit
}

// named names a run by its commit, as the pipeline does.
func named(spec fakejenkins.RunSpec) string {
	commit := deploys(spec.Parameters, spec.Git)
	return commit[:min(7, len(commit))]
}

// OneAtATime lets a run wait in the queue until no other is left, also while
// that waits for people. Call it before there is a run.
func (w *World) OneAtATime() {
	w.file.OneAtATime = true
	w.addJob()
}
