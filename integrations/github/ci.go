package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/google/go-github/v60/github"
)

// CIState is what the CI of a commit says as a whole.
type CIState string

// The four states. Only Green is good news, and the zero value is none of them.
const (
	Green   CIState = "green"
	Red     CIState = "red"     // something failed, whatever else still runs
	Running CIState = "running" // something is not finished
	Unknown CIState = "unknown" // no CI has said anything
)

// CI is what statuses and check runs of a commit say together: CI systems report
// the one or the other.
type CI struct {
	State   CIState `json:"state"`
	Failed  []Check `json:"failed,omitempty"`  // by name
	Pending []Check `json:"pending,omitempty"` // by name
	Total   int     `json:"total"`             // with those that are green
}

// Check is one status or check run. Its name is somebody else's text.
type Check struct {
	Name string `json:"name"`
	Link string `json:"link,omitempty"` // http or https, or empty
}

// CI says what CI makes of the commit with that full SHA; anything else is a
// *RefError. The error wraps [bot.ErrNotFound] when the commit is not there, and
// [ErrTooMuch] when more than a thousand checks are.
func (c *Client) CI(ctx context.Context, sha string) (CI, error) {
	if err := full(sha); err != nil {
		return CI{}, err
	}
	var ci CI
	if err := c.statuses(ctx, sha, &ci); err != nil {
		return CI{}, err
	}
	if err := c.checkRuns(ctx, sha, &ci); err != nil {
		return CI{}, err
	}
	for _, list := range [][]Check{ci.Failed, ci.Pending} {
		slices.SortFunc(list, func(a, b Check) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Link, b.Link)) })
	}
	switch {
	case len(ci.Failed) > 0:
		ci.State = Red
	case len(ci.Pending) > 0:
		ci.State = Running
	case ci.Total > 0:
		ci.State = Green
	default:
		ci.State = Unknown
	}
	return ci, nil
}

// statuses adds the newest status of each context. The combined state that
// GitHub gives with them is "pending" also where there are none at all, so it is
// not read (docs.github.com, "Get the combined status for a specific reference").
func (c *Client) statuses(ctx context.Context, sha string, ci *CI) error {
	activity := "reading the statuses of " + sha
	list, err := whole(func(n int) ([]*github.RepoStatus, int, error) {
		got, resp, err := c.gh.Repositories.GetCombinedStatus(ctx, c.owner, c.name, sha, &github.ListOptions{Page: n, PerPage: perPage})
		switch {
		case err != nil:
			return nil, 0, c.unknown(activity, resp, err)
		case got.SHA == nil || got.TotalCount == nil || got.Statuses == nil:
			return nil, 0, c.nonsense(activity, errNothing)
		case got.GetSHA() != sha:
			return nil, 0, c.nonsense(activity, fmt.Errorf("the answer is about %q", got.GetSHA()))
		}
		return got.Statuses, got.GetTotalCount(), nil
	})
	if err != nil {
		return c.list(activity, err)
	}
	newest := map[string]*github.RepoStatus{}
	seen := map[int64]bool{}
	for _, s := range list {
		if s.GetID() == 0 || s.GetContext() == "" || s.GetState() == "" {
			return c.nonsense(activity, errNothing)
		}
		if seen[s.GetID()] {
			return c.nonsense(activity, errShifted)
		}
		seen[s.GetID()] = true
		if was := newest[s.GetContext()]; was == nil || was.GetID() < s.GetID() {
			newest[s.GetContext()] = s
		}
	}
	for _, s := range newest {
		check := Check{s.GetContext(), link(s.GetTargetURL())}
		switch s.GetState() {
		case "success":
		case "pending":
			ci.Pending = append(ci.Pending, check)
		default: // failure, error
			ci.Failed = append(ci.Failed, check)
		}
	}
	ci.Total += len(newest)
	return nil
}

// checkRuns adds the newest run of each check.
func (c *Client) checkRuns(ctx context.Context, sha string, ci *CI) error {
	activity := "reading the check runs of " + sha
	list, err := whole(func(n int) ([]*github.CheckRun, int, error) {
		got, resp, err := c.gh.Checks.ListCheckRunsForRef(ctx, c.owner, c.name, sha, &github.ListCheckRunsOptions{
			Filter: github.String("latest"), ListOptions: github.ListOptions{Page: n, PerPage: perPage}})
		switch {
		case err != nil:
			return nil, 0, c.unknown(activity, resp, err)
		case got == nil || got.Total == nil || got.CheckRuns == nil: // got is nil for an empty body
			return nil, 0, c.nonsense(activity, errNothing)
		}
		return got.CheckRuns, got.GetTotal(), nil
	})
	if err != nil {
		return c.list(activity, err)
	}
	seen := map[int64]bool{}
	for _, run := range list {
		switch {
		case run.GetID() == 0 || run.GetName() == "" || run.GetStatus() == "":
			return c.nonsense(activity, errNothing)
		case run.GetHeadSHA() != sha:
			return c.nonsense(activity, fmt.Errorf("the answer is about %q", run.GetHeadSHA()))
		case seen[run.GetID()]:
			return c.nonsense(activity, errShifted)
		}
		seen[run.GetID()] = true
		check := Check{run.GetName(), cmp.Or(link(run.GetDetailsURL()), link(run.GetHTMLURL()))}
		switch run.GetStatus() {
		case "completed":
			switch run.GetConclusion() {
			case "success", "neutral", "skipped":
			default: // failure, cancelled, timed_out, action_required, stale, startup_failure, none
				ci.Failed = append(ci.Failed, check)
			}
		default: // queued, in_progress, waiting, requested, pending
			ci.Pending = append(ci.Pending, check)
		}
	}
	ci.Total += len(list)
	return nil
}

// link is address if a browser may be sent there.
func link(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return address
}

var (
	errShifted = errors.New("the list changed while it was read")
	errShort   = errors.New("the list ends before its end")
)

// whole reads all pages of a list that says how long it is.
func whole[T any](page func(n int) (list []T, total int, err error)) ([]T, error) {
	var all []T
	for n := 1; ; n++ {
		list, total, err := page(n)
		switch {
		case err != nil:
			return nil, err
		case total > most:
			return nil, ErrTooMuch
		case len(all)+len(list) < total && len(list) == 0:
			return nil, errShort
		}
		if all = append(all, list...); len(all) >= total {
			return all, nil
		}
	}
}

// list says what became of a list that whole could not read.
func (c *Client) list(activity string, err error) error {
	switch {
	case errors.Is(err, ErrTooMuch):
		return c.refused(activity, err)
	case errors.Is(err, errShort):
		return c.nonsense(activity, err)
	}
	return err
}
