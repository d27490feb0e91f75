package jenkins

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"thbot/integrations/internal/web"
)

// StopHow is how a run is stopped.
type StopHow string

// The ways to stop a run. A step may take its time over Politely, or not heed
// it; Term ends the steps without asking them, Kill the run, whatever its steps
// are about. Jenkins' pages offer each 15 seconds after the one before it
// (WorkflowRun.java, printLater), and note who did it for Politely alone.
const (
	Politely StopHow = "stop"
	Term     StopHow = "term"
	Kill     StopHow = "kill"
)

// Stop asks Jenkins to stop a run. Jenkins answers the same whatever comes of
// it, also when the run was over before: after nil only [Run.Building] says
// whether it ended.
//
// If the error wraps bot.ErrNotFound or is a *bot.Refused, this call changed
// nothing. After any other (a *web.Error) it is unknown, unless [bot.NotSent]
// says that it was not asked to.
func (c *Client) Stop(ctx context.Context, job string, n int, how StopHow) error {
	activity := fmt.Sprintf("stopping run %d of %s", n, job)
	switch how {
	case Politely, Term, Kill:
	default:
		return fmt.Errorf("%s: there is no way %q to do it", activity, how)
	}
	at := runPath(job, n) + "/"
	resp, err := c.jenkins.Requester.Post(ctx, at+string(how), nil, nil, nil)
	if err != nil {
		return refused(activity, err)
	}
	// Jenkins' own answer leads back to the run (HttpResponses.java,
	// forwardToPreviousPage; we name no page that we came from). Any other is
	// most likely the way to a login page, and Jenkins has not seen the request.
	if resp.StatusCode != http.StatusFound || !leadsTo(resp, c.base+at) {
		return &web.Error{System: system, Activity: activity, Status: resp.StatusCode,
			Err: fmt.Errorf("the answer (%s) is not Jenkins' to a stop", mediaType(resp))}
	}
	return nil
}

// leadsTo reports whether a redirect goes to the page at. The scheme does not
// count: behind a proxy that ends TLS, Jenkins takes its own to be http.
func leadsTo(resp *http.Response, at string) bool {
	to, err := resp.Location() // resolved against the address that was asked
	if err != nil {
		return false
	}
	want, err := url.Parse(at)
	return err == nil && strings.EqualFold(to.Hostname(), want.Hostname()) && to.EscapedPath() == want.EscapedPath()
}
