package github

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
	"go.uber.org/zap"

	"thbot/bot"
	"thbot/integrations/internal/web"
)

// ErrTooMuch says that there is more than GitHub lists, or than is read here.
var ErrTooMuch = errors.New("more than can be read")

// errNothing is an empty body, which go-github takes for an answer, or one that
// is about something else.
var errNothing = errors.New("the answer says nothing")

// aMinute is the least to wait when GitHub limits without saying for how long
// (docs.github.com, "Best practices for using the REST API").
const aMinute = time.Minute

// wrong says what became of a call that go-github returned err for. resp may
// be nil.
func (c *Client) wrong(activity string, resp *github.Response, err error) *web.Error {
	e := &web.Error{System: "GitHub", Activity: activity, Err: err}
	if resp != nil && resp.Response != nil {
		e.Status = resp.StatusCode
	}
	var (
		rate      *github.RateLimitError
		secondary *github.AbuseRateLimitError
		refused   *github.ErrorResponse
		tokenless *web.Error
	)
	switch {
	case errors.As(err, &tokenless): // so the call itself was never made
		e.Err = fmt.Errorf("%s: %w", tokenless.Activity, tokenless.Err)
		e.Status, e.Wait, e.Final, e.Refused = tokenless.Status, tokenless.Wait, tokenless.Final, true
	case errors.As(err, &rate):
		e.Err = errors.New("the rate limit is reached")
		e.Wait = until(rate.Rate.Reset.Time)
	case errors.As(err, &secondary):
		e.Err = errors.New("the secondary rate limit is reached")
		e.Wait = aMinute
		if secondary.RetryAfter != nil {
			e.Wait = max(*secondary.RetryAfter, 0)
		}
	case errors.As(err, &refused):
		e.Err = said(refused)
		e.Wait, e.Final = judge(refused)
		if e.Status == http.StatusNotFound {
			e.Err = fmt.Errorf("%w, or the token may not see it", bot.ErrNotFound)
		}
	}
	c.log.Debug("no answer from GitHub", zap.Error(e), zap.Duration("wait", e.Wait))
	return e
}

// unknown is wrong where a 422 says that there is no such commit ("No commit
// found for SHA: …").
func (c *Client) unknown(activity string, resp *github.Response, err error) *web.Error {
	e := c.wrong(activity, resp, err)
	if e.Status == http.StatusUnprocessableEntity && !e.Refused { // refused: that was about a token
		e.Err = fmt.Errorf("%v: %w", e.Err, bot.ErrNotFound)
	}
	return e
}

// refused is an answer that asking again will not change.
func (c *Client) refused(activity string, err error) *web.Error {
	return &web.Error{System: "GitHub", Activity: activity, Status: http.StatusOK, Err: err, Final: true}
}

// nonsense is a 200 that is no answer.
func (c *Client) nonsense(activity string, err error) *web.Error {
	e := &web.Error{System: "GitHub", Activity: activity, Status: http.StatusOK, Err: err}
	c.log.Debug("nonsense from GitHub", zap.Error(e))
	return e
}

// said is GitHub's own message.
func said(r *github.ErrorResponse) error {
	switch {
	case r.Response.StatusCode/100 == 3: // a renamed repository, mostly
		return errors.New("a redirect, which is not followed")
	case r.Message == "":
		return errors.New("no reason given")
	}
	return fmt.Errorf("%.200s", r.Message)
}

// judge says how long to wait, and whether asking again is useless. go-github
// v60 knows a rate limit only as a 403 of a certain form; GitHub also sends 429
// and other texts (docs.github.com, "Rate limits for the REST API").
func judge(r *github.ErrorResponse) (wait time.Duration, final bool) {
	h := r.Response.Header
	code := r.Response.StatusCode
	said := strings.ToLower(r.Message)
	limited := code == http.StatusTooManyRequests ||
		code == http.StatusForbidden && (h.Get("Retry-After") != "" ||
			strings.Contains(said, "rate limit") || strings.Contains(said, "abuse detection"))
	if !limited {
		return web.RetryAfter(h), code < 500 && code != http.StatusRequestTimeout
	}
	return limitedFor(h), false
}

// limitedFor is how long to wait after an answer that the rate limit is reached.
func limitedFor(h http.Header) time.Duration {
	if wait := web.RetryAfter(h); wait > 0 {
		return wait
	}
	if h.Get("X-RateLimit-Remaining") == "0" {
		if at, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			return until(time.Unix(at, 0))
		}
	}
	return aMinute
}

// until is how long it is until a limit ends. One that is over by our clock is
// not over by GitHub's, which has just answered with it.
func until(reset time.Time) time.Duration {
	if wait := time.Until(reset); wait > 0 {
		return min(wait, 24*time.Hour)
	}
	return aMinute
}
