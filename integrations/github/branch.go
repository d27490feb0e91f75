package github

import (
	"context"
	"fmt"
)

// Branch is the full SHA of the commit that a branch is at now. What cannot be
// the name of a branch is a *RefError. The error wraps [bot.ErrNotFound] when
// there is no such branch.
func (c *Client) Branch(ctx context.Context, name string) (string, error) {
	if err := branch(name); err != nil {
		return "", err
	}
	activity := "reading branch " + name
	got, resp, err := c.gh.Git.GetRef(ctx, c.owner, c.name, "heads/"+name)
	switch {
	case err != nil:
		return "", c.wrong(activity, resp, err)
	case got.Ref == nil || got.Object == nil:
		return "", c.nonsense(activity, errNothing)
	case got.GetRef() != "refs/heads/"+name:
		return "", c.nonsense(activity, fmt.Errorf("the answer is about %.80q", got.GetRef()))
	case got.Object.GetType() != "commit" || !fullSHA.MatchString(got.Object.GetSHA()):
		return "", c.nonsense(activity, fmt.Errorf("it is at the %.40q %.80q", got.Object.GetType(), got.Object.GetSHA()))
	}
	return got.Object.GetSHA(), nil
}
