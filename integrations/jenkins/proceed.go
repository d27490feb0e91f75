package jenkins

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"thbot/bot"
	"thbot/integrations/internal/web"
)

// ErrNotPending is wrapped by the error of an answer to an input that did not
// wait for one: somebody was faster, the run is over, Jenkins has not loaded it
// after a restart, or the bot may not see the job. It does not say that
// somebody approved; [Run.Approvers] and [Run.Interruptions] do.
var ErrNotPending = errors.New("the input is not pending")

// Proceed answers one input of one run with yes and, where it declares
// parameters, with values for all of them: Jenkins fills in no defaults, so the
// caller names every one.
//
// A nil error means that Jenkins took the answer. If the error wraps
// [ErrNotPending] or is a *bot.Refused, this call changed nothing. After any
// other (a *web.Error) it is unknown whether the run goes on, unless
// [bot.NotSent] says that it was not asked to, and the run must be read again
// before anything is repeated.
func (c *Client) Proceed(ctx context.Context, job string, n int, inputID string, values []Value) error {
	// Not …/submit: it aborts when a field is missing. Not wfapi/inputSubmit: it
	// answers every refusal with the same 500.
	if len(values) == 0 {
		return c.answer(ctx, job, n, inputID, "proceedEmpty", nil)
	}
	raw, err := json.Marshal(map[string]any{"parameter": values})
	if err != nil {
		return fmt.Errorf("writing the values for input %s: %w", inputID, err) // unreachable: they are strings
	}
	return c.answer(ctx, job, n, inputID, "proceed", strings.NewReader(url.Values{"json": {string(raw)}}.Encode()))
}

// Reject answers one input of one run with no, which ends the run as aborted
// unless its script catches that. Who may say yes may say no, and so may who may
// stop the run (Job/Cancel). Its errors mean what those of [Client.Proceed] do.
func (c *Client) Reject(ctx context.Context, job string, n int, inputID string) error {
	return c.answer(ctx, job, n, inputID, "abort", nil)
}

func (c *Client) answer(ctx context.Context, job string, n int, inputID, verb string, form io.Reader) error {
	activity := fmt.Sprintf("answering input %s of run %d of %s", inputID, n, job)
	endpoint := runPath(job, n) + "/input/" + url.PathEscape(inputID) + "/" + verb
	var body string
	resp, err := c.jenkins.Requester.Post(ctx, endpoint, form, &body, nil)
	if err != nil {
		return outcome(activity, err)
	}
	// Jenkins' own answer is an empty 200 (InputStepExecution.java,
	// HttpResponses.ok). A redirect or a page with 200 is somebody else's, most
	// likely a login page's, and says nothing about the input.
	if resp.StatusCode != http.StatusOK || body != "" {
		return &web.Error{System: system, Activity: activity, Status: resp.StatusCode,
			Err: fmt.Errorf("the answer (%s, %d bytes) is not Jenkins' to an input", mediaType(resp), len(body))}
	}
	return nil
}

// outcome tells an input's answers that are final, and changed nothing, from
// the rest.
func outcome(activity string, err error) error {
	if e, a := told(err); a != nil && (e.Status == http.StatusNotFound ||
		e.Status == http.StatusBadRequest && strings.Contains(a.words, "already given") ||
		e.Status == http.StatusBadRequest && strings.Contains(a.words, "already been given")) {
		return fmt.Errorf("%s: %w: %s", activity, ErrNotPending, a.text)
	}
	return refused(activity, err)
}

// refused tells Jenkins' own no, of a wish that it understood, from the rest.
func refused(activity string, err error) error {
	switch e, a := told(err); {
	case a == nil:
	// "You need to be ana,ops to submit this." and "You need to have Job/Build
	// permissions to submit this.": InputStepExecution.java, preSubmissionCheck.
	case e.Status == http.StatusBadRequest && strings.HasPrefix(a.words, "You need to "):
		return fmt.Errorf("%s: %w", activity, &bot.Refused{Why: "Jenkins says: " + a.words})
	case e.Status == http.StatusForbidden && a.kind == nil && a.permission != "":
		return fmt.Errorf("%s: %w", activity, &bot.Refused{
			Why: fmt.Sprintf("Jenkins says: %s is missing the %s permission.", a.user, a.permission)})
	}
	return during(activity, err)
}

// told returns what Jenkins answered beside the status, nil if it did not.
func told(err error) (*web.Error, *answer) {
	if e, ok := errors.AsType[*web.Error](err); ok {
		a, _ := errors.AsType[*answer](e.Err)
		return e, a
	}
	return nil, nil // unreachable: the requester returns no other
}
