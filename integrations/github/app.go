package github

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"
)

// App is a GitHub App that is installed in the account of the repository. It
// makes itself tokens that live an hour and are good for the repository alone.
type App struct {
	ID           int64
	Installation int64
	Key          []byte // RSA, private, in PEM
}

// as is a client that calls as the App.
func (c *Client) as(app App, base *url.URL) (*http.Client, error) {
	if app.ID <= 0 || app.Installation <= 0 {
		return nil, fmt.Errorf("GitHub App %d with installation %d: both are positive numbers", app.ID, app.Installation)
	}
	t, err := ghinstallation.New(&mint{
		RoundTripper: c.http.Transport,
		path:         fmt.Sprintf("%sapp/installations/%d/access_tokens", base.Path, app.Installation),
		activity:     fmt.Sprintf("getting a token for App %d, installation %d", app.ID, app.Installation),
		c:            c,
	}, app.ID, app.Installation, app.Key)
	if err != nil {
		// What err says might tell something of the key.
		return nil, fmt.Errorf("GitHub App %d: the key is not a private RSA key in PEM", app.ID)
	}
	t.BaseURL = strings.TrimSuffix(base.String(), "/")
	t.InstallationTokenOptions = &github.InstallationTokenOptions{Repositories: []string{c.name}}
	as := *c.http
	as.Transport = t
	return &as, nil
}

// mint sees to it that ghinstallation gets a token or an error. It leaves the
// body of a refusal unread, and takes anything with a 2 in front for a token:
// "null" makes it panic.
type mint struct {
	http.RoundTripper
	path     string
	activity string
	c        *Client
}

func (m *mint) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := m.RoundTripper.RoundTrip(r)
	if r.URL.Path != m.path {
		return resp, err
	}
	if err != nil {
		return nil, m.c.wrong(m.activity, nil, err)
	}
	defer resp.Body.Close()
	if err := github.CheckResponse(resp); err != nil {
		e := m.c.wrong(m.activity, &github.Response{Response: resp}, err)
		if e.Status == http.StatusNotFound { // and not the thing that the token is wanted for
			e.Err = errors.New("the App has no such installation")
		}
		return nil, e
	}
	token, err := minted(resp.Body)
	if err != nil {
		e := m.c.nonsense(m.activity, err)
		e.Status = resp.StatusCode
		return nil, e
	}
	resp.Body = io.NopCloser(bytes.NewReader(token))
	resp.ContentLength = int64(len(token))
	return resp, nil
}

// printable is what may stand in a header.
var printable = regexp.MustCompile(`^[!-~]+$`)

// minted reads GitHub's answer and gives back what is needed of it.
func minted(body io.Reader) ([]byte, error) {
	var token struct {
		Token   string    `json:"token"`
		Expires time.Time `json:"expires_at"`
	}
	// Errors of package json may quote what they cannot read.
	switch err := json.NewDecoder(body).Decode(&token); {
	case err != nil:
		return nil, errors.New("the answer cannot be read")
	case token.Token == "" || token.Expires.IsZero():
		return nil, errNothing
	case !printable.MatchString(token.Token):
		return nil, errors.New("the token is none")
	case time.Until(token.Expires) <= 0:
		return nil, fmt.Errorf("the token has expired at %s", token.Expires.UTC().Format(time.RFC3339))
	}
	return json.Marshal(token)
}
