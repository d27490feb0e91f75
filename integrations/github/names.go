package github

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// RefError says that a text cannot be the name of a commit, file or branch, so
// GitHub was not asked: go-github puts what it is given into the address, where
// ".." leads to other calls and "?" adds a query.
type RefError struct {
	Ref  string
	Rule string // "is not a commit: …"
}

func (e *RefError) Error() string { return fmt.Sprintf("%.80q %s", e.Ref, e.Rule) }

// NotSent is true: nobody was asked.
func (e *RefError) NotSent() bool { return true }

// Retryable says that asking again cannot help.
func (e *RefError) Retryable() (time.Duration, bool) { return 0, false }

var (
	fullSHA  = regexp.MustCompile(`^[0-9a-f]{40}$`)
	shortSHA = regexp.MustCompile(`^[0-9a-f]{7,40}$`)
	control  = regexp.MustCompile(`[\x00-\x1f\x7f]`)
	// unfit is what git-check-ref-format(1) does not let into a branch.
	unfit = regexp.MustCompile(`[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[/-]|/$|\.$|(^|/)\.|\.lock(/|$)|^@$`)
)

func full(sha string) error {
	if !fullSHA.MatchString(sha) {
		return &RefError{sha, "is not a full commit: a full commit is 40 of the digits 0-9 and a-f"}
	}
	return nil
}

// target judges where a branch is to be: zeros would delete it.
func target(sha string) error {
	if sha == nowhere {
		return &RefError{sha, "is not a commit: zeros stand for none"}
	}
	return full(sha)
}

// file judges a path in the repository. Names with spaces and the like are real
// (treeherder has "0016_enforce repository name uniqueness.py").
func file(path string) error {
	if !fs.ValidPath(path) || path == "." || strings.Contains(path, "..") || control.MatchString(path) || len(path) > 1024 {
		return &RefError{path, "is not a path: a path goes down from the top of the repository, without .."}
	}
	return nil
}

func branch(name string) error {
	if name == "" || len(name) > 255 || !utf8.ValidString(name) || unfit.MatchString(name) {
		return &RefError{name, "is not a branch: git has rules for names, see git-check-ref-format"}
	}
	return nil
}
