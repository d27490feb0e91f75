package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/slack-go/slack"
	"go.uber.org/zap"

	"thbot/bot"
	"thbot/integrations/internal/web"
)

// CredentialsError is Slack's word that a token will not do. Only somebody who
// exchanges it, or its scopes, can help.
type CredentialsError struct {
	Token  string // "app token" or "bot token"
	Code   string // Slack's
	Needed string // scopes, where they are what is missing
}

func (e *CredentialsError) Error() string {
	if e.Needed != "" {
		return fmt.Sprintf("Slack refuses the %s: %s: it needs %s", e.Token, e.Code, e.Needed)
	}
	return fmt.Sprintf("Slack refuses the %s: %s", e.Token, e.Code)
}

// Service is the name of the system.
func (e *CredentialsError) Service() string { return system }

// Retryable says that trying again cannot help.
func (e *CredentialsError) Retryable() (time.Duration, bool) { return 0, false }

// NotSent says that what was asked for did not happen.
func (e *CredentialsError) NotSent() bool { return true }

const system = "Slack"

// refusesToken is a *CredentialsError if that is what err says, else nil.
// slack-go would try again for ever after some of these.
func refusesToken(token string, err error) error {
	var no slack.SlackErrorResponse
	if !errors.As(err, &no) {
		return nil
	}
	switch no.Err {
	case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired",
		"not_allowed_token_type", "missing_scope", "user_removed_from_team", "team_disabled":
		return &CredentialsError{Token: token, Code: no.Err, Needed: no.Needed}
	}
	return nil
}

// failed makes a *web.Error of what slack-go returned, or nil of nil.
func (c *Client) failed(activity string, err error) error {
	if err == nil {
		return nil
	}
	e := &web.Error{System: system, Activity: activity, Err: err}
	var (
		limited *slack.RateLimitedError
		status  slack.StatusCodeError
		no      slack.SlackErrorResponse
	)
	switch {
	case errors.As(err, &limited):
		e.Status, e.Err = http.StatusTooManyRequests, errors.New("too many calls")
		e.Wait, e.Refused = limited.RetryAfter, true
	case errors.As(err, &status):
		e.Status, e.Err = status.Code, nil
	case errors.As(err, &no):
		e.Err = errors.New(no.Err)
		if no.Needed != "" {
			e.Err = fmt.Errorf("%s: it needs %s", no.Err, no.Needed)
		}
		e.Final, e.Refused = verdict(no.Err)
		switch no.Err {
		case "exchanged_trigger_id", "trigger_exchanged":
			e.Err = fmt.Errorf("%s: %w", no.Err, bot.ErrTaken)
		case "not_found", "user_not_found", "users_not_found", "user_not_visible", "no_such_subteam", "message_not_found":
			e.Err = fmt.Errorf("%s: %w", no.Err, bot.ErrNotFound)
		}
		// These say what is wrong with which block, in Slack's words.
		if reasons := no.ResponseMetadata.Messages; len(reasons) > 0 {
			c.log.Error("Slack refuses a call", zap.String("activity", activity), zap.String("code", no.Err), zap.Strings("reasons", reasons))
		}
	}
	return e
}

// verdict reads the code of an answer that is not ok. Slack's own words about
// internal_error and fatal_error, in the list of errors of every method, are
// that some aspect of the operation may have succeeded before; what it says
// when it is unavailable is taken no better. Every other code is a refusal.
func verdict(code string) (final, refused bool) {
	switch code {
	case "internal_error", "fatal_error", "service_unavailable", "update_failed":
		return false, false
	case "ratelimited", "rate_limited", "message_limit_exceeded", "request_timeout", "team_added_to_org",
		"accesslimited", "fetch_members_failed", "streaming_state_conflict":
		return false, true
	}
	return true, true
}

// exact is the HTTP client that slack-go gets. It refuses answers by which
// slack-go would be misled: {"ok":false} without an error passes there for
// success, and an unreadable Retry-After for an unknown outcome.
type exact struct{ *http.Client }

func (e exact) Do(r *http.Request) (*http.Response, error) {
	resp, err := e.Client.Do(r)
	if err != nil {
		return nil, err
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		wait := max(web.RetryAfter(resp.Header), time.Second)
		resp.Header.Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
	case http.StatusOK:
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("reading the answer: %w", err)
		}
		var answer struct {
			OK    *bool  `json:"ok"`
			Error string `json:"error"`
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			return nil, errors.New("the answer is not one of Slack's: it is no JSON object")
		}
		if answer.OK == nil || !*answer.OK && answer.Error == "" {
			return nil, errors.New("the answer is not one of Slack's: it says neither ok nor an error")
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
	}
	return resp, nil
}
