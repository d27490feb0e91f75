package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"go.uber.org/zap"

	"thbot/bot"
	"thbot/integrations/internal/web"
)

// nowhere stands for "no commit": where a branch is before it is made and after
// it is deleted (githooks(5)).
const nowhere = "0000000000000000000000000000000000000000"

// A write moves the branch with that name, if it is at from.
type write struct {
	activity, name string
	from, to       string
}

// MoveBranch moves a branch to the commit with the full SHA to, by force, if it
// still is at from; else the error wraps [bot.ErrMoved], and nothing was done.
// [bot.ErrNotFound] says that there is no such branch or no such commit, a
// [*bot.Refused] is GitHub's no. After any other error the branch may have been
// moved, unless [bot.NotSent].
//
// GitHub compares and moves in one go through GraphQL only. Where that is not to
// be had, a push in the moment between two calls of the REST API is overwritten.
func (c *Client) MoveBranch(ctx context.Context, name, from, to string) error {
	if err := cmp.Or(branch(name), target(from), target(to)); err != nil {
		return err
	}
	return c.swap(ctx, write{"moving branch " + name + " to " + to, name, from, to})
}

// DeleteBranch deletes a branch if it still is at the commit with the full SHA
// at. Its errors are those of [Client.MoveBranch].
func (c *Client) DeleteBranch(ctx context.Context, name, at string) error {
	if err := cmp.Or(branch(name), target(at)); err != nil {
		return err
	}
	return c.swap(ctx, write{"deleting branch " + name, name, at, nowhere})
}

func (c *Client) swap(ctx context.Context, w write) error {
	repo, resp, err := c.gh.Repositories.Get(ctx, c.owner, c.name)
	var e *web.Error
	switch {
	case err != nil:
		if e = c.wrong(w.activity, resp, err); errors.Is(e, bot.ErrNotFound) { // which is not for the branch
			e.Err = fmt.Errorf("there is no repository %s/%s, or the token may not see it", c.owner, c.name)
		}
	case repo.GetNodeID() == "" || !strings.EqualFold(repo.GetFullName(), c.owner+"/"+c.name):
		e = c.nonsense(w.activity, fmt.Errorf("the answer is about the repository %.80q", repo.GetFullName()))
	}
	if e != nil {
		e.Refused = true // nothing but this was asked
		return e
	}
	there, e := c.updateRefs(ctx, w, repo.GetNodeID())
	if !there {
		c.log.Info("no GraphQL; asking with two calls, which is not safe against a push between them", zap.String("activity", w.activity))
		e = c.update(ctx, w)
	}
	if e != nil {
		return c.why(ctx, w, e)
	}
	return nil
}

// update does w with the REST API, which does not compare.
func (c *Client) update(ctx context.Context, w write) *web.Error {
	at, wrong := c.head(ctx, w.activity, w.name)
	switch {
	case wrong != nil:
		wrong.Refused = true // to read is all that was asked
		return wrong
	case at != w.from:
		return c.overtaken(w, at)
	case w.to == nowhere:
		resp, err := c.gh.Git.DeleteRef(ctx, c.owner, c.name, "heads/"+w.name)
		if err != nil {
			return c.wrong(w.activity, resp, err)
		}
		if resp.StatusCode != http.StatusNoContent {
			return c.nonsense(w.activity, errNothing)
		}
		return nil
	}
	got, resp, err := c.gh.Git.UpdateRef(ctx, c.owner, c.name, reference(w.name, w.to), true)
	if err != nil {
		return c.wrong(w.activity, resp, err)
	}
	return c.confirmed(w, got)
}

const updateRefs = `mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }`

// updateRefs does w with GraphQL, which compares
// (docs.github.com/graphql/reference/mutations#updaterefs). There is false
// where there is no such thing, and then nothing was done.
func (c *Client) updateRefs(ctx context.Context, w write, repository string) (there bool, e *web.Error) {
	// On GitHub Enterprise REST is at /api/v3/ and GraphQL at /api/graphql.
	path := "graphql"
	if strings.HasSuffix(c.gh.BaseURL.Path, "/api/v3/") {
		path = "../graphql"
	}
	req, err := c.gh.NewRequest(http.MethodPost, path, map[string]any{"query": updateRefs, "variables": map[string]any{
		"input": map[string]any{"repositoryId": repository, "clientMutationId": w.to, "refUpdates": []map[string]any{
			{"name": "refs/heads/" + w.name, "beforeOid": w.from, "afterOid": w.to, "force": true},
		}},
	}})
	if err != nil {
		return true, c.not(w, err)
	}
	var answer struct {
		Data struct {
			UpdateRefs *struct {
				ClientMutationID string `json:"clientMutationId"`
			} `json:"updateRefs"`
		} `json:"data"`
		Errors []*mistake `json:"errors"`
	}
	resp, err := c.gh.Do(ctx, req, &answer)
	if err != nil {
		e := c.wrong(w.activity, resp, err)
		absent := e.Final && !e.Refused && slices.Contains([]int{401, 403, 404, 405}, e.Status)
		return !absent, e
	}
	done := answer.Data.UpdateRefs
	switch {
	case len(answer.Errors) > 0: // they come with a 200
		wrong := answer.Errors[0]
		if wrong == nil || done != nil {
			return true, c.nonsense(w.activity, fmt.Errorf("it is done, and it is wrong"))
		}
		if wrong.limit() {
			e := c.nonsense(w.activity, wrong)
			e.Wait, e.Refused = limitedFor(resp.Header), true
			return true, e
		}
		e := c.nonsense(w.activity, wrong)
		e.Final = wrong.Type != ""
		return !wrong.aboutSchema(), e
	case done == nil || done.ClientMutationID != w.to:
		return true, c.nonsense(w.activity, errNothing)
	}
	return true, nil
}

// A mistake is an error of GraphQL. What has a Type was judged and refused. An
// operation that does not fit the schema has none, but a code, and was not begun.
// Neither is there when something "went wrong", done or not.
type mistake struct {
	Type       string `json:"type"`
	Message    string `json:"message"`
	Extensions struct {
		Code string `json:"code"`
	} `json:"extensions"`
}

func (m *mistake) Error() string { return fmt.Sprintf("%.200s", m.Message) }

func (m *mistake) aboutSchema() bool { return m.Type == "" && m.Extensions.Code != "" }
func (m *mistake) aboutRights() bool {
	return slices.Contains([]string{"FORBIDDEN", "INSUFFICIENT_SCOPES", "NOT_FOUND"}, m.Type)
}

// limit: GitHub says RATE_LIMITED or RATE_LIMIT.
func (m *mistake) limit() bool { return strings.HasPrefix(m.Type, "RATE_LIMIT") }
