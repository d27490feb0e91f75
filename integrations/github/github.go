// Package github reads one repository on GitHub: commits and what they change,
// comparisons, CI, files and branches. Whatever it is given to look for is
// checked before any address is made of it, and an answer is believed only if it
// is about what was asked. Nothing is cached here, so that what is read before a
// write is what GitHub says now.
package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
	"go.uber.org/zap"

	"thbot/integrations/internal/web"
)

// Options of a client.
type Options struct {
	// APIURL is where the REST API is; it is used as it is written, but for a
	// slash at its end. Empty: https://api.github.com/.
	APIURL     string
	Repository string        // "owner/name"
	Token      string        // empty, and no App: anonymous, which GitHub allows 60 calls an hour
	App        *App          // instead of a Token
	Dial       web.DialFunc  // nil: the network
	Limit      time.Duration // of one call; 0: 4 s
	Log        *zap.Logger   // nil: silent
}

// Client reads one repository. It may be used by several goroutines. After an
// answer that the rate limit is reached it asks nothing until that is over.
type Client struct {
	owner, name string
	site        string // all repositories, for people
	html        string // of the repository, for people
	gh          *github.Client
	http        *http.Client
	log         *zap.Logger
}

var repository = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9-]*)/([A-Za-z0-9._-]+)$`)

// New returns a client, or says what is wrong with the options. It asks
// nothing of GitHub.
func New(o Options) (*Client, error) {
	m := repository.FindStringSubmatch(o.Repository)
	if m == nil || m[2] == "." || m[2] == ".." {
		return nil, fmt.Errorf("GitHub repository %q is not of the form owner/name", o.Repository)
	}
	if o.APIURL == "" {
		o.APIURL = "https://api.github.com/"
	}
	base, err := url.Parse(o.APIURL)
	if err != nil {
		return nil, fmt.Errorf("GitHub API address: %w", err)
	}
	if base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("GitHub API address %q is not an http address", base.Redacted())
	}
	if !strings.HasSuffix(base.Path, "/") {
		base = base.JoinPath("/")
	}
	c := &Client{owner: m[1], name: m[2], site: pages(base), html: pages(base) + o.Repository, log: o.Log}
	if c.log == nil {
		c.log = zap.NewNop()
	}
	c.http = web.NewClient(web.Options{Dial: o.Dial, Limit: o.Limit})
	switch {
	case o.App != nil && o.Token != "":
		return nil, errors.New("GitHub wants a token or an App, not both")
	case o.App != nil:
		as, err := c.as(*o.App, base)
		if err != nil {
			return nil, err
		}
		c.gh = github.NewClient(as)
	case o.Token != "":
		c.gh = github.NewClient(c.http).WithAuthToken(o.Token)
	default:
		c.gh = github.NewClient(c.http)
	}
	c.gh.BaseURL = base
	return c, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// pages is where people look at what the API at base serves: on github.com its
// host without "api.", on GitHub Enterprise its path without "/api/v3".
func pages(base *url.URL) string {
	u := *base
	u.User = nil
	u.Host = strings.TrimPrefix(u.Host, "api.")
	u.Path = strings.TrimSuffix(u.Path, "api/v3/")
	return u.String()
}

// RepositoryURL is the page of some repository, owner/name, for people.
func (c *Client) RepositoryURL(repository string) string { return c.site + repository }

// CommitURL is the page of a commit, for people.
func (c *Client) CommitURL(sha string) string { return c.html + "/commit/" + url.PathEscape(sha) }

// CompareURL is the page of a comparison, for people.
func (c *Client) CompareURL(base, head string) string {
	return c.html + "/compare/" + url.PathEscape(base) + "..." + url.PathEscape(head)
}

// Commit finds the commit whose SHA begins with ref, which has 7 to 40
// hexadecimal digits; anything else is a *RefError. The error wraps
// [bot.ErrNotFound] when no commit begins so, or more than one does: both are a
// 422 to GitHub, so people should be told to give more digits.
func (c *Client) Commit(ctx context.Context, ref string) (Commit, error) {
	sha := strings.ToLower(ref)
	if !shortSHA.MatchString(sha) {
		return Commit{}, &RefError{ref, "is not a commit: a commit is 7 to 40 of the digits 0-9 and a-f"}
	}
	activity := "reading commit " + sha
	// One file is enough: what a commit changes is not read here.
	rc, resp, err := c.gh.Repositories.GetCommit(ctx, c.owner, c.name, sha, &github.ListOptions{PerPage: 1})
	if err != nil {
		return Commit{}, c.unknown(activity, resp, err)
	}
	found, err := read(rc)
	if err == nil && !strings.HasPrefix(found.SHA, sha) {
		// A branch or tag may be called "deadbeef".
		err = fmt.Errorf("GitHub answers with commit %s", found.SHA)
	}
	if err != nil {
		return Commit{}, c.nonsense(activity, err)
	}
	return found, nil
}

// most is how many commits of a comparison are read. Consecutive deploys are
// some ten apart; prototype has been 76 behind.
const most = 1000

const perPage = 100

// Compare says how head stands to base, both full SHAs; anything else is a
// *RefError. Branches will not do: one that moves would change the answer from
// page to page. The error wraps [bot.ErrNotFound] when one of the commits is
// not there.
func (c *Client) Compare(ctx context.Context, base, head string) (Comparison, error) {
	for _, sha := range []string{base, head} {
		if err := full(sha); err != nil {
			return Comparison{}, err
		}
	}
	out, err := c.page(ctx, base, head, 1)
	if err != nil {
		return Comparison{}, err
	}
	// Pages go from the oldest commits to the newest, so of a very long
	// comparison the last ones are read.
	last := (out.Total + perPage - 1) / perPage
	next := 2
	if last > most/perPage {
		next = last - most/perPage + 1
		out.Commits = nil
	}
	for ; next <= last; next++ {
		p, err := c.page(ctx, base, head, next)
		if err != nil {
			return Comparison{}, err
		}
		if p.Status != out.Status || p.Ahead != out.Ahead || p.Behind != out.Behind || p.Total != out.Total {
			return Comparison{}, c.nonsense(comparing(base, head), fmt.Errorf("page %d contradicts page 1", next))
		}
		out.Commits = append(p.Commits, out.Commits...)
	}
	if err := plausible(out.Commits, head); err != nil {
		return Comparison{}, c.nonsense(comparing(base, head), err)
	}
	out.Truncated = out.Total - len(out.Commits)
	out.URL = c.CompareURL(base, head)
	return out, nil
}

// plausible: head is not an ancestor of what leads to it, so it comes first.
func plausible(commits []Commit, head string) error {
	if len(commits) > 0 && commits[0].SHA != head {
		return fmt.Errorf("the newest commit is %s", commits[0].SHA)
	}
	seen := map[string]bool{}
	for _, c := range commits {
		if seen[c.SHA] {
			return fmt.Errorf("commit %s is there twice", c.SHA)
		}
		seen[c.SHA] = true
	}
	return nil
}

func comparing(base, head string) string { return "comparing " + base + " with " + head }

// page reads one page of a comparison, newest commit first, and believes it
// only if it fits together.
func (c *Client) page(ctx context.Context, base, head string, n int) (Comparison, error) {
	activity := comparing(base, head)
	cc, resp, err := c.gh.Repositories.CompareCommits(ctx, c.owner, c.name, base, head, &github.ListOptions{Page: n, PerPage: perPage})
	if err != nil {
		return Comparison{}, c.wrong(activity, resp, err)
	}
	p := Comparison{Status: Status(cc.GetStatus()), Ahead: cc.GetAheadBy(), Behind: cc.GetBehindBy(), Total: cc.GetTotalCommits()}
	switch {
	case cc.Status == nil || cc.AheadBy == nil || cc.BehindBy == nil || cc.TotalCommits == nil:
		err = errNothing // so is an empty body to go-github
	case cc.GetBaseCommit().GetSHA() != base:
		err = fmt.Errorf("the answer compares with %q", cc.GetBaseCommit().GetSHA())
	case p.Status != status(p.Ahead, p.Behind):
		err = fmt.Errorf("the answer is %q with %d ahead and %d behind", p.Status, p.Ahead, p.Behind)
	case (p.Total > 0) != (p.Ahead > 0) || len(cc.Commits) != min(perPage, p.Total-perPage*(n-1)):
		err = fmt.Errorf("page %d has %d commits, of %d ahead and %d in all", n, len(cc.Commits), p.Ahead, p.Total)
	}
	if err != nil {
		return Comparison{}, c.nonsense(activity, err)
	}
	for i := len(cc.Commits) - 1; i >= 0; i-- {
		commit, err := read(cc.Commits[i])
		if err != nil {
			return Comparison{}, c.nonsense(activity, err)
		}
		p.Commits = append(p.Commits, commit)
	}
	return p, nil
}
