// Package jenkins reads pipeline runs from a Jenkins server, answers the inputs
// they wait at and stops them.
//
// It goes through gojenkins' JenkinsRequester interface with a requester of our
// own, and not through gojenkins' Build, Job and Pipeline objects: those take an
// error for "not running", keep fields of an earlier answer and panic when
// nothing is pending.
//
// What is asked is built from the configuration, a job's path and a run's
// number. URLs in answers are never followed: Jenkins writes them with its
// configured root URL, which may not be the one we reach it by.
package jenkins

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/bndr/gojenkins"
	"go.uber.org/zap"

	"thbot/integrations/internal/web"
)

// Options of a Client.
type Options struct {
	URL   string // of the server, with its context path if it has one
	User  string
	Token string       // an API token; a password would need crumbs
	Dial  web.DialFunc // nil: the network
	// Limit of one request; 0: 4 s. After a restart Jenkins may take a minute
	// over a paused run's first answer, which is then an error like another.
	Limit time.Duration
	Log   *zap.Logger // nil: none
}

// Client speaks to one Jenkins server. Of what that says it keeps nothing but
// people's names. It may be used from many goroutines.
type Client struct {
	base    string
	jenkins *gojenkins.Jenkins
	http    *http.Client
	names   names
}

// ErrCredentials is wrapped by the error of a request that Jenkins, or a login
// page in front of it, did not accept as the bot's.
var ErrCredentials = errors.New("the bot's credentials are not accepted")

// New returns a client. It asks the server nothing; [Client.Whoami] does.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the URL of Jenkins: %w", err)
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, fmt.Errorf("the URL of Jenkins is %q; it looks like https://jenkins.example/", u.Redacted())
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, errors.New("the URL of Jenkins has a user, a query or a fragment; it must have none")
	case o.User == "" || o.Token == "":
		return nil, errors.New("the user and the API token for Jenkins are both needed")
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	base := strings.TrimRight(o.URL, "/")
	j := gojenkins.CreateJenkins(nil, base)
	client := web.NewClient(web.Options{Dial: o.Dial, Limit: o.Limit})
	j.Requester = &requester{base: base, user: o.User, token: o.Token, log: o.Log, client: client}
	return &Client{base: base, jenkins: j, http: client}, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// CheckJob says what is wrong with a job's path, such as
// "gcp-pipelines/treeherder/treeherder-production".
func CheckJob(job string) error {
	for name := range strings.SplitSeq(job, "/") {
		if name == "" || name == "." || name == ".." {
			return fmt.Errorf("%q is not the path of a Jenkins job; one looks like folder/subfolder/job", job)
		}
	}
	return nil
}

// JobURL is the page of a job, for people.
func (c *Client) JobURL(job string) string { return c.base + jobPath(job) + "/" }

// RunURL is the page of a run, for people.
func (c *Client) RunURL(job string, n int) string { return c.base + runPath(job, n) + "/" }

// jobPath is the path of a job below the server's URL. Each name is escaped by
// itself: the name of a branch job holds its slash as %2F, in a path %252F.
func jobPath(job string) string {
	var b strings.Builder
	for name := range strings.SplitSeq(job, "/") {
		b.WriteString("/job/")
		b.WriteString(url.PathEscape(name))
	}
	return b.String()
}

func runPath(job string, n int) string { return jobPath(job) + "/" + strconv.Itoa(n) }

// getJSON asks for the exported data of an object: endpoint/api/json. It
// returns the session of the server too, which changes with each restart.
func (c *Client) getJSON(ctx context.Context, activity, endpoint, tree string) (raw json.RawMessage, session string, err error) {
	var query map[string]string
	if tree != "" {
		query = map[string]string{"tree": tree}
	}
	resp, err := c.jenkins.Requester.GetJSON(ctx, endpoint, &raw, query)
	if err != nil {
		return nil, "", during(activity, err)
	}
	return raw, resp.Header.Get("X-Jenkins-Session"), nil
}

// get asks for a document at its own address: wfapi has no /api/json below it.
func (c *Client) get(ctx context.Context, activity, endpoint string) (raw json.RawMessage, err error) {
	if _, err := c.jenkins.Requester.Get(ctx, endpoint, &raw, nil); err != nil {
		return nil, during(activity, err)
	}
	return raw, nil
}

// during says in err what was being done: the requester only knows the address.
func during(activity string, err error) error {
	if e, ok := errors.AsType[*web.Error](err); ok {
		e.Activity = activity
		return e
	}
	return fmt.Errorf("%s: %w", activity, err) // unreachable: the requester returns no other
}

// unreadable is a 200 that is not the answer to what was asked.
func unreadable(activity string, err error) error {
	return &web.Error{System: system, Activity: activity, Status: http.StatusOK, Err: err}
}
