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
	list, err := c.commits(ctx, activity, &github.CommitsListOptions{SHA: sha}, n)
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, c.nonsense(activity, errNothing)
	case list[0].SHA != sha:
		return nil, c.nonsense(activity, fmt.Errorf("the newest commit is %s", list[0].SHA))
	}
	return list, nil
}

// LogOf lists those commits of [Client.Log] that change a file, or what is in a
// directory, and may list none. A file that was renamed is followed no further.
func (c *Client) LogOf(ctx context.Context, sha, name string, n int) ([]Commit, error) {
	if err := full(sha); err != nil {
		return nil, err
	}
	if err := file(name); err != nil {
		return nil, err
	}
	return c.commits(ctx, fmt.Sprintf("listing the commits of %s up to %s", name, sha), &github.CommitsListOptions{SHA: sha, Path: name}, n)
}

// commits lists commits, page by page, at most n.
func (c *Client) commits(ctx context.Context, activity string, o *github.CommitsListOptions, n int) ([]Commit, error) {
	var list []Commit
	for page := 1; page != 0 && len(list) < n; {
		o.Page, o.PerPage = page, min(perPage, n)
		got, resp, err := c.gh.Repositories.ListCommits(ctx, c.owner, c.name, o)
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
	return list[:min(n, len(list))], nil
}
