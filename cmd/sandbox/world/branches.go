package world

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"thbot/integrations/fakehttp"
	"thbot/integrations/github/fakegithub"
)

// Prototype is the branch, and the app that serves its head.
const Prototype = "prototype"

// Push adds a commit to the end of master. The changes must be possible in what
// is there; CI is green, unless [World.CI] said otherwise before.
func (w *World) Push(short, author, subject string, changes ...Change) string {
	return w.PushTo(Master, short, author, subject, changes...)
}

// PushTo is Push to any branch, which begins with it if it is not there. The
// app prototype deploys what is pushed to the branch prototype.
func (w *World) PushTo(branch, short, author, subject string, changes ...Change) string {
	sha := w.pushTo(branch, CommitLine{SHA: short, Author: author, Subject: subject, Files: changes})
	w.follow()
	return sha
}

// pushTo panics at changes that are not possible, as the fakes do at a world
// that cannot be.
func (w *World) pushTo(branch string, line CommitLine) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	head, sha := w.GitHub.Branch(branch), Commit(line.SHA)
	base, before := w.trees[head], w.trees[head]
	if head == "" {
		base = first()
	}
	after, err := base.after(line.Files)
	if err != nil {
		panic(fmt.Sprintf("world: commit %s: %v", line.SHA, err))
	}
	c := fakegithub.CommitSpec{SHA: sha, Subject: line.Subject, Login: line.Author}
	if head != "" {
		c.Parents = []string{head}
	}
	c.Write, c.Remove = after.since(before)
	w.trees[w.GitHub.AddCommit(c)] = after
	w.setBranch(branch, sha)
	w.merged(branch, sha, line)
	if w.ci[sha] == "" {
		w.ci[sha] = Green
	}
	w.report(sha)
	if w.unpinned && branch == Master {
		if err := w.Jenkins.Push(Job, checkout(sha)); err != nil {
			panic("world: " + err.Error()) // unreachable: there is that job
		}
	}
	w.touch()
	return sha
}

var trailingPR = regexp.MustCompile(`^(.*) \(#([1-9][0-9]{0,8})\)$`)

// merged lets there be the pull request that a subject names at its end, as
// squashing makes it. The first commit to name one has it.
func (w *World) merged(branch, sha string, line CommitLine) {
	m := trailingPR.FindStringSubmatch(line.Subject)
	if m == nil {
		return
	}
	number, _ := strconv.Atoi(m[2]) // nine digits at most
	all := w.GitHub.Repo("")
	if slices.ContainsFunc(all.Pulls(), func(p fakegithub.Pull) bool { return p.Number == number }) {
		return
	}
	all.AddPull(fakegithub.Pull{Number: number, Title: m[1], Login: line.Author, Head: fmt.Sprintf("pr-%d", number), Base: branch, Merged: sha})
}

// begin lets there be a branch of the world's file.
func (w *World) begin(b Branch) {
	if b.From != "" {
		w.mu.Lock()
		w.setBranch(b.Name, Commit(b.From))
		w.mu.Unlock()
	}
	for _, c := range b.Commits {
		if c.CI != "" && w.CIOf(Commit(c.SHA)) == "" {
			w.mu.Lock()
			w.ci[Commit(c.SHA)] = c.CI
			w.mu.Unlock()
		}
		w.pushTo(b.Name, c)
		for n := range c.Updates {
			w.pushTo(b.Name, update(c.SHA, n))
		}
	}
}

// setBranch is called with w.mu held.
func (w *World) setBranch(branch, sha string) {
	if !slices.Contains(w.branches, branch) {
		w.branches = append(w.branches, branch)
	}
	w.GitHub.SetBranch(branch, sha)
}

// updated names what updates of dependencies are of.
var updated = []string{"webpack", "react-router", "eslint", "jest", "pytest", "kombu", "lodash", "redis", "whitenoise"}

// update is the nth update of a dependency after a commit.
func update(after string, n int) CommitLine {
	sum := sha1.Sum(fmt.Appendf(nil, "update %d after %s", n, after))
	return CommitLine{SHA: hex.EncodeToString(sum[:])[:7], Author: "renovate[bot]",
		Subject: fmt.Sprintf("Update dependency %s to v%d.%d", updated[n%len(updated)], 2+n%len(updated), n/len(updated))}
}

// BranchState is how a branch is.
type BranchState struct {
	Name, Head    string
	Ahead, Behind int // of master, in commits
}

// Branches are those of the world's file, and those that were pushed to.
func (w *World) Branches() []BranchState {
	w.mu.Lock()
	names := slices.Clone(w.branches)
	w.mu.Unlock()
	all := w.parents()
	master := all.upTo(w.GitHub.Branch(Master))
	var list []BranchState
	for _, name := range names {
		st := BranchState{Name: name, Head: w.GitHub.Branch(name)}
		if st.Head == "" {
			continue // it was deleted
		}
		own := all.upTo(st.Head)
		st.Ahead, st.Behind = without(own, master), without(master, own)
		list = append(list, st)
	}
	return list
}

// Log is the commits of a branch, newest first.
func (w *World) Log(branch string) []fakegithub.CommitSpec {
	own := w.parents().upTo(w.GitHub.Branch(branch))
	var list []fakegithub.CommitSpec
	for _, c := range slices.Backward(w.GitHub.Commits()) {
		if own[c.SHA] {
			list = append(list, c)
		}
	}
	return list
}

// parents of every commit.
type parents map[string][]string

func (w *World) parents() parents {
	all := parents{}
	for _, c := range w.GitHub.Commits() {
		all[c.SHA] = c.Parents
	}
	return all
}

// upTo is a commit and all that led to it.
func (p parents) upTo(sha string) map[string]bool {
	seen := map[string]bool{}
	for todo := []string{sha}; len(todo) > 0; {
		sha, todo = todo[0], todo[1:]
		if sha != "" && !seen[sha] {
			seen[sha] = true
			todo = append(todo, p[sha]...)
		}
	}
	return seen
}

// without counts what is in a and not in b.
func without(a, b map[string]bool) (n int) {
	for sha := range a {
		if !b[sha] {
			n++
		}
	}
	return n
}

// atGitHub is the gate of GitHub.
func (w *World) atGitHub(call, moment string) {
	if moment == fakehttp.Done {
		w.follow()
	}
	if w.gate != nil {
		w.gate(call, moment)
	}
}

// follow lets the app prototype deploy the head of its branch, whoever moved it.
func (w *World) follow() {
	head := w.GitHub.Branch(Prototype)
	w.mu.Lock()
	moved := head != "" && head != w.head
	if moved {
		w.head = head
	}
	w.mu.Unlock()
	if moved && !w.past.Load() {
		w.rollout(Prototype, head)
	}
}

// rollout makes an app serve a commit; until it is over, old and new pods
// answer in turn.
func (w *World) rollout(app, commit string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if commit == "" || w.apps[app].Stuck {
		return
	}
	if w.dbs[app] != nil {
		go w.migrating(app, commit)
	}
	w.deployed(app, commit)
	w.Apps[app].Rollout(w.serves[app], commit)
	w.timers = append(w.timers, time.AfterFunc(w.pace.Rollout, func() {
		w.mu.Lock()
		over := w.apps[app].Next == commit // another one may have begun, or somebody said what is served
		w.mu.Unlock()
		if over {
			w.Serve(app, commit)
		}
	}))
}
