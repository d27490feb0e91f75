package github

import (
	"context"
	"fmt"

	"github.com/google/go-github/v60/github"
)

// PR is a pull request. Title is as GitHub sends it: somebody else's text.
type PR struct {
	Number int
	Title  string
	Open   bool
	Merged string // the full SHA that it became on Base; empty: it is not merged
	Base   string // the branch that it is for
	URL    string // the page for people
}

// PR reads a pull request. The error wraps [bot.ErrNotFound] when there is none
// with that number, or the number is an issue's.
func (c *Client) PR(ctx context.Context, number int) (PR, error) {
	activity := fmt.Sprintf("reading pull request %d", number)
	got, resp, err := c.gh.PullRequests.Get(ctx, c.owner, c.name, number)
	switch state := got.GetState(); {
	case err != nil:
		return PR{}, c.wrong(activity, resp, err)
	case got.Number == nil || got.Merged == nil || got.GetBase().GetRef() == "":
		return PR{}, c.nonsense(activity, errNothing)
	case got.GetNumber() != number:
		return PR{}, c.nonsense(activity, fmt.Errorf("the answer is about %d", got.GetNumber()))
	case state != "open" && state != "closed" || state == "open" && got.GetMerged():
		return PR{}, c.nonsense(activity, fmt.Errorf("it is %.20q, merged %v", state, got.GetMerged()))
	// Before it is merged, GitHub keeps the commit of a trial merge there.
	case got.GetMerged() && !fullSHA.MatchString(got.GetMergeCommitSHA()):
		return PR{}, c.nonsense(activity, fmt.Errorf("it was merged as %.80q", got.GetMergeCommitSHA()))
	}
	pr := PR{Number: number, Title: got.GetTitle(), Open: got.GetState() == "open", Base: got.GetBase().GetRef(),
		URL: fmt.Sprintf("%s/pull/%d", c.html, number)}
	if got.GetMerged() {
		pr.Merged = got.GetMergeCommitSHA()
	}
	return pr, nil
}

// Log lists the newest commits that lead to the one with that full SHA, at most
// n of them, the newest first. The list never changes, so it may be kept. The
// error wraps [bot.ErrNotFound] when the commit is not there.
func (c *Client) Log(ctx context.Context, sha string, n int) ([]Commit, error) {
	if err := full(sha); err != nil {
		return nil, err
	}
	activity := "listing the commits up to " + sha
	var list []Commit
	for page := 1; page != 0 && len(list) < n; {
		got, resp, err := c.gh.Repositories.ListCommits(ctx, c.owner, c.name, &github.CommitsListOptions{SHA: sha,
			ListOptions: github.ListOptions{Page: page, PerPage: perPage}})
		if err != nil {
			return nil, c.unknown(activity, resp, err)
		}
		for _, rc := range got {
			commit, err := read(rc)
			if err != nil {
				return nil, c.nonsense(activity, err)
			}
			list = append(list, commit)
		}
		if next := resp.NextPage; next != 0 && (next != page+1 || len(got) == 0) {
			return nil, c.nonsense(activity, fmt.Errorf("page %d follows page %d", next, page))
		}
		page = resp.NextPage
	}
	switch {
	case len(list) == 0:
		return nil, c.nonsense(activity, errNothing)
	case list[0].SHA != sha:
		return nil, c.nonsense(activity, fmt.Errorf("the newest commit is %s", list[0].SHA))
	}
	return list[:min(n, len(list))], nil
}
