// Package treeherder reads what the deployed apps say of themselves.
package treeherder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"thbot/integrations/internal/web"
)

// Options of a client. The zero value asks over the network.
type Options struct {
	Dial  web.DialFunc  // nil: the network
	Limit time.Duration // of one question; 0: 4 s
}

// Client reads the versions of Treeherder's apps. It may be used by several
// goroutines.
type Client struct{ http *http.Client }

// New returns a client.
func New(o Options) *Client {
	// The answer is four short strings. Redirects are those of the app itself
	// (SECURE_SSL_REDIRECT, a trailing slash).
	return &Client{web.NewClient(web.Options{Dial: o.Dial, Limit: o.Limit, Body: 4 << 10, Redirects: true})}
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

var sha = regexp.MustCompile(`^[0-9a-f]{40}$`)

// Version is the commit that the app at baseURL serves right now, from its
// /__version__ (Dockerflow). During a rollout old and new pods answer in turn.
// Everything but a full commit is a *web.Error, and none of them is final: an
// app that is being deployed may answer anything for a while.
func (c *Client) Version(ctx context.Context, baseURL string) (commit string, err error) {
	base, err := url.Parse(baseURL)
	if err == nil && (base.Host == "" || base.Scheme != "http" && base.Scheme != "https") {
		err = errors.New("not an http address")
	}
	if err != nil {
		return "", &web.Error{System: "Treeherder", Activity: fmt.Sprintf("reading what %q serves", baseURL), Err: err, Final: true}
	}
	wrong := &web.Error{System: "Treeherder", Activity: "reading what " + base.Host + " serves"}

	u := base.JoinPath("__version__")
	// The answer has no cache headers, so a cache on the way may keep it.
	u.RawQuery = "thbot=" + strconv.FormatInt(time.Now().UnixNano(), 36)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		wrong.Err = err
		return "", wrong
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Cache-Control", "no-cache")
	resp, err := c.http.Do(req)
	if err != nil {
		wrong.Err = err
		return "", wrong
	}
	defer resp.Body.Close()
	wrong.Status, wrong.Wait = resp.StatusCode, web.RetryAfter(resp.Header)
	if resp.StatusCode != http.StatusOK {
		return "", wrong
	}
	if commit, wrong.Err = parse(resp.Body); wrong.Err != nil {
		return "", wrong
	}
	return commit, nil
}

// parse takes a full commit and nothing else: the version.json in Treeherder's
// repository says "stub", and its old /revision.txt is a placeholder sentence.
func parse(r io.Reader) (string, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return "", err
	}
	var version struct {
		Commit string `json:"commit"`
	}
	if err := json.Unmarshal(b, &version); err != nil {
		return "", fmt.Errorf("the answer is not a version: %w", err)
	}
	if !sha.MatchString(version.Commit) {
		return "", fmt.Errorf("the answer names no full commit but %.60q", version.Commit)
	}
	return version.Commit, nil
}
