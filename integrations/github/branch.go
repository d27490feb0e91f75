package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"

	"thbot/bot"
	"thbot/integrations/internal/web"
)

// Branch is the full SHA of the commit that a branch is at now. What cannot be
// the name of a branch is a *RefError. The error wraps [bot.ErrNotFound] when
// there is no such branch.
func (c *Client) Branch(ctx context.Context, name string) (string, error) {
	if err := branch(name); err != nil {
		return "", err
	}
	sha, wrong := c.head(ctx, "reading branch "+name, name)
	if wrong != nil {
		return "", wrong
	}
	return sha, nil
}

func (c *Client) head(ctx context.Context, activity, name string) (string, *web.Error) {
	got, resp, err := c.gh.Git.GetRef(ctx, c.owner, c.name, "heads/"+name)
	if err != nil {
		return "", c.wrong(activity, resp, err)
	}
	sha, err := pointer(got, name)
	if err != nil {
		return "", c.nonsense(activity, err)
	}
	return sha, nil
}

// pointer is where the branch with that name is, if got is about it.
func pointer(got *github.Reference, name string) (string, error) {
	switch {
	case got == nil || got.Ref == nil || got.Object == nil:
		return "", errNothing
	case got.GetRef() != "refs/heads/"+name:
		return "", fmt.Errorf("the answer is about %.80q", got.GetRef())
	case got.Object.GetType() != "commit" || !fullSHA.MatchString(got.Object.GetSHA()):
		return "", fmt.Errorf("it is at the %.40q %.80q", got.Object.GetType(), got.Object.GetSHA())
	}
	return got.Object.GetSHA(), nil
}

// Branch is a branch and the full SHA of the commit that it is at.
type Branch struct{ Name, SHA string }

// Branches are the branches whose names begin with prefix, in the order of
// their names. What no name can begin with is a *RefError.
func (c *Client) Branches(ctx context.Context, prefix string) ([]Branch, error) {
	if branch(prefix+"x") != nil {
		return nil, &RefError{prefix, "is not the beginning of a branch: git has rules for names, see git-check-ref-format"}
	}
	activity := "listing the branches " + prefix + "…"
	var list []Branch
	for page := 1; page != 0; {
		got, resp, err := c.gh.Git.ListMatchingRefs(ctx, c.owner, c.name, &github.ReferenceListOptions{Ref: "heads/" + prefix,
			ListOptions: github.ListOptions{Page: page, PerPage: perPage}})
		switch {
		case err != nil:
			return nil, c.wrong(activity, resp, err)
		case got == nil: // an empty body, or null
			return nil, c.nonsense(activity, errNothing)
		}
		for _, ref := range got {
			name := strings.TrimPrefix(ref.GetRef(), "refs/heads/")
			sha, err := pointer(ref, name)
			switch {
			case err != nil:
				return nil, c.nonsense(activity, err)
			case !strings.HasPrefix(name, prefix):
				return nil, c.nonsense(activity, fmt.Errorf("the answer is about %.80q", ref.GetRef()))
			}
			list = append(list, Branch{name, sha})
		}
		if next := resp.NextPage; next != 0 && (next != page+1 || len(got) == 0) {
			return nil, c.nonsense(activity, fmt.Errorf("page %d follows page %d", next, page))
		}
		page = resp.NextPage
	}
	slices.SortFunc(list, func(a, b Branch) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(list, func(a, b Branch) bool { return a.Name == b.Name }), nil
}

// CreateBranch makes a branch at the commit with that full SHA. One that is
// there at that commit already is no error; at another one the error wraps
// [bot.ErrTaken], and nothing was done. [bot.ErrNotFound] says that there is no
// such commit, a [*bot.Refused] is GitHub's no. After any other error the branch
// may have been made, unless [bot.NotSent].
func (c *Client) CreateBranch(ctx context.Context, name, sha string) error {
	if err := cmp.Or(branch(name), target(sha)); err != nil {
		return err
	}
	w := write{"making branch " + name, name, nowhere, sha}
	got, resp, err := c.gh.Git.CreateRef(ctx, c.owner, c.name, reference(name, sha))
	if err != nil {
		return c.why(ctx, w, c.wrong(w.activity, resp, err))
	}
	if wrong := c.confirmed(w, got); wrong != nil {
		return c.why(ctx, w, wrong)
	}
	return nil
}

func reference(name, sha string) *github.Reference {
	return &github.Reference{Ref: github.String("refs/heads/" + name), Object: &github.GitObject{SHA: &sha}}
}

// confirmed says what is wrong with an answer that should say that w is done.
func (c *Client) confirmed(w write, got *github.Reference) *web.Error {
	sha, err := pointer(got, w.name)
	if err == nil && sha != w.to {
		err = fmt.Errorf("the answer has it at %s", sha)
	}
	if err != nil {
		return c.nonsense(w.activity, err)
	}
	return nil
}

// looked are the answers that do not say for themselves what became of a write.
var looked = []int{http.StatusOK, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusInternalServerError}

// why says why a write to a branch was not done, by what can be read afterwards. GitHub's
// words and even the status of a refusal differ from time to time, so neither
// says whether somebody was quicker: a 422 is a branch that is not there, one
// that is protected, and a commit that is unknown; GraphQL calls a lost race
// "something went wrong"; and a REST call answers an unknown commit with an
// empty 500 (github.com/github/rest-api-description/issues/714).
func (c *Client) why(ctx context.Context, w write, e *web.Error) error {
	switch {
	case e.Refused || e.Status == 0:
		return e
	case e.Status == http.StatusForbidden && e.Final:
		return c.no(w, e)
	case !slices.Contains(looked, e.Status):
		// A redirect was not followed, and a limit is told before anything is done.
		e.Refused = e.Status >= 300 && e.Status < 500 && e.Status != http.StatusRequestTimeout
		return e
	}
	at, wrong := c.head(ctx, w.activity, w.name)
	if wrong != nil && errors.Is(wrong, bot.ErrNotFound) {
		at, wrong = nowhere, nil
	}
	if wrong != nil {
		e.Refused = e.Final
		return e
	}
	if at == w.to && w.from == nowhere {
		return nil
	}
	if at == w.to && !e.Final {
		return e // this may be our own doing
	}
	if at != w.from {
		return c.overtaken(w, at)
	}
	if w.to != nowhere {
		if _, err := c.Commit(ctx, w.to); errors.Is(err, bot.ErrNotFound) {
			return c.not(w, fmt.Errorf("commit %s: %w", w.to, bot.ErrNotFound))
		}
	}
	if e.Final {
		return c.no(w, e)
	}
	return e
}

// overtaken says that the branch is not where w wants it to be first.
func (c *Client) overtaken(w write, at string) *web.Error {
	switch {
	case at == nowhere:
		return c.not(w, fmt.Errorf("branch %s: %w", w.name, bot.ErrNotFound))
	case w.from == nowhere:
		return c.not(w, fmt.Errorf("it is at %s: %w", at, bot.ErrTaken))
	}
	return c.not(w, fmt.Errorf("it is at %s, not at %s: %w", at, w.from, bot.ErrMoved))
}

// not is an error after which it is certain that w was not done, and useless to
// try again.
func (c *Client) not(w write, err error) *web.Error {
	return &web.Error{System: "GitHub", Activity: w.activity, Err: err, Final: true, Refused: true}
}

// no is GitHub's refusal, for people.
func (c *Client) no(w write, e *web.Error) *web.Error {
	says := ""
	if !errors.Is(e, bot.ErrNotFound) { // those words are ours
		says = fmt.Sprintf(" (GitHub: %s)", strings.Join(strings.Fields(e.Err.Error()), " "))
	}
	repository := c.owner + "/" + c.name
	why := fmt.Sprintf("the branch %s is protected, or a rule of %s forbids this%s. An admin of the repository can allow it in the branch settings.",
		w.name, repository, says)
	var wrong *mistake
	if e.Status == http.StatusForbidden || e.Status == http.StatusNotFound || errors.As(e.Err, &wrong) && wrong.aboutRights() {
		why = fmt.Sprintf("my account may not write to %s, or not to the branch %s%s. An admin of the repository can grant that, in its settings or in those of the branch.",
			repository, w.name, says)
	}
	refusal := c.not(w, &bot.Refused{Why: why})
	refusal.Status = e.Status
	return refusal
}
