package github

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// Commit is a commit as people talk of it. Subject and the names are as
// GitHub sends them: somebody else's text.
type Commit struct {
	SHA     string    `json:"sha"`             // 40 hexadecimal digits
	Subject string    `json:"subject"`         // first line of the message
	Author  string    `json:"author"`          // login or, where GitHub knows no account, the name in the commit
	Login   string    `json:"login,omitempty"` // of the author's account, or empty
	Email   string    `json:"-"`               // of the author as the commit has it, or empty; not to be kept
	When    time.Time `json:"when"`            // when it was committed, in UTC
	PR      int       `json:"pr,omitempty"`    // from "(#9101)" at the end of the subject
	Bug     int       `json:"bug,omitempty"`   // from the first "Bug 1790001" in the subject
}

// Short is the form in which people say a commit.
func (c Commit) Short() string { return c.SHA[:min(7, len(c.SHA))] }

// Status is how one commit stands to another.
type Status string

// The four ways a head can stand to its base.
const (
	Ahead     Status = "ahead"
	Behind    Status = "behind"
	Diverged  Status = "diverged"
	Identical Status = "identical"
)

// Comparison is how a head stands to its base.
type Comparison struct {
	Status    Status
	Ahead     int      // commits of head that base has not
	Behind    int      // commits of base that head has not
	Total     int      // of commits to list: as Ahead
	Commits   []Commit // what is ahead, newest first
	Truncated int      // how many of the oldest are missing in Commits
	URL       string   // the page for people
}

func status(ahead, behind int) Status {
	switch {
	case ahead > 0 && behind > 0:
		return Diverged
	case ahead > 0:
		return Ahead
	case behind > 0:
		return Behind
	}
	return Identical
}

var (
	trailingPR = regexp.MustCompile(`\(#(\d{1,9})\)\s*$`)
	bug        = regexp.MustCompile(`(?i)\bbug (\d{1,9})\b`)
)

// read takes of GitHub's commit what is used here. Only the SHA must be there:
// author is null where no account has the e-mail of the commit.
func read(rc *github.RepositoryCommit) (Commit, error) {
	c := rc.GetCommit()
	out := Commit{
		SHA:   rc.GetSHA(),
		Login: rc.GetAuthor().GetLogin(),
		Email: c.GetAuthor().GetEmail(),
		When:  c.GetCommitter().GetDate().UTC(),
	}
	if out.SHA == "" {
		return out, errNothing
	}
	if !fullSHA.MatchString(out.SHA) {
		return out, fmt.Errorf("the answer has a commit %.80q", out.SHA)
	}
	if out.Author = out.Login; out.Author == "" {
		out.Author = c.GetAuthor().GetName()
	}
	if c.GetCommitter().GetDate().IsZero() {
		out.When = c.GetAuthor().GetDate().UTC()
	}
	out.Subject, _, _ = strings.Cut(c.GetMessage(), "\n")
	out.Subject = strings.TrimSuffix(out.Subject, "\r")
	out.PR = number(trailingPR, out.Subject)
	out.Bug = number(bug, out.Subject)
	return out, nil
}

func number(re *regexp.Regexp, s string) int {
	m := re.FindStringSubmatch(s)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1]) // nine digits at most
	return n
}
