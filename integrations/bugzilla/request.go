package bugzilla

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.uber.org/zap"

	"thbot/bot"
	"thbot/integrations/internal/web"
)

// A request is one call.
type request struct {
	activity string // "filing a bug"
	undone   string // what a refusal says beside its reason: "Nothing was filed."
	method   string
	path     string // below the server's URL
	query    url.Values
	body     any // as JSON; nil: none
}

// aMinute is how long a rate limit of Bugzilla's counts (default_rate_limit_rules).
const aMinute = time.Minute

// refuse is an error after which it is certain that nothing was done, and that
// it is useless to try again.
func (r request) refuse(status int, err error) *web.Error {
	return &web.Error{System: system, Activity: r.activity, Status: status, Err: err, Final: true, Refused: true}
}

// no is a refusal in words for people.
func (r request) no(why string) *bot.Refused {
	return &bot.Refused{Why: strings.TrimSpace(why + " " + r.undone)}
}

// do makes the call and reads the answer into out.
func (c *Client) do(ctx context.Context, r request, out any) *web.Error {
	key, done, err := c.keys.take(ctx)
	switch {
	case errors.Is(err, ErrKey):
		return r.refuse(0, r.badKey(""))
	case errors.Is(err, ErrNoKey):
		return r.refuse(0, fmt.Errorf("%w: %w", ErrNoKey, r.no("I have no API key for Bugzilla.")))
	case err != nil: // that may change, but nothing was sent
		return &web.Error{System: system, Activity: r.activity, Err: err, Refused: true}
	}
	learned := silent
	defer func() { done(learned) }()

	began := time.Now()
	resp, body, err := c.send(ctx, r, key)
	if err != nil {
		// The wrapping url.Error only adds the address, with a long query.
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		c.log.Debug("no answer from Bugzilla", zap.String("method", r.method), zap.String("path", r.path),
			zap.Duration("took", time.Since(began)), zap.Error(err))
		return &web.Error{System: system, Activity: r.activity, Err: err}
	}
	c.log.Debug("Bugzilla answered", zap.String("method", r.method), zap.String("path", r.path),
		zap.Int("status", resp.StatusCode), zap.Int("bytes", len(body.text)), zap.Duration("took", time.Since(began)))

	var f fault
	told := body.err == nil && json.Unmarshal(body.text, &f) == nil
	switch {
	case told && f.Error:
		f.Message = words(f.Message, key)
		if f.Code == keyNotValid {
			learned = useless
		}
		return r.fault(resp, f)
	case resp.StatusCode/100 != 2:
		return r.stranger(resp)
	case body.err != nil:
		return r.nonsense(resp.StatusCode, body.err)
	}
	if err := json.Unmarshal(body.text, out); err != nil {
		return r.nonsense(resp.StatusCode, fmt.Errorf("the answer (%s) is not the JSON asked for", mediaType(resp)))
	}
	learned = good
	return nil
}

// answer is the body of a response, as far as it came.
type answer struct {
	text []byte
	err  error
}

func (c *Client) send(ctx context.Context, r request, key string) (*http.Response, answer, error) {
	var body io.Reader
	if r.body != nil {
		b, err := json.Marshal(r.body)
		if err != nil {
			return nil, answer{}, err // unreachable: strings and numbers
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.page(r.path, r.query), body)
	if err != nil {
		return nil, answer{}, err
	}
	// In the query, where it works too, it would end up in logs.
	req.Header.Set("X-BUGZILLA-API-KEY", key)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp, answer{text, err}, nil
}

// fault is how Bugzilla says no (Bugzilla/WebService/Server/REST.pm).
type fault struct {
	Error   bool   `json:"error"`
	Code    int    `json:"code"`
	Message string `json:"message"` // HTML in part
}

// Codes of faults (WS_ERROR_CODE in Bugzilla/WebService/Constants.pm).
const (
	noSuchBug     = 101
	loginWrong    = 300
	loginDisabled = 301
	keyNotValid   = 306
	loginRequired = 410
	unlisted      = 32000 // every error of people's that has no number, the rate limit among them
)

// final says whether a code means that the same request is useless: "if you
// resubmit that request with different data, it may work" (Constants.pm). All of
// these are thrown before anything is written, or take it back. Of a search, an
// error without a number may be that it took too long (db_search_timeout).
func (r request) final(code int) bool {
	return code >= 50 && code < 2000 || code > 32600 && code < 32700 || code == unlisted && r.method != http.MethodGet
}

// fault is the error for a fault.
func (r request) fault(resp *http.Response, f fault) *web.Error {
	said := f.Message
	if said == "" {
		said = fmt.Sprintf("no reason given, code %d.", f.Code)
	}
	switch {
	case f.Code == unlisted && strings.Contains(said, "exceeded the rate limit"):
		e := r.refuse(resp.StatusCode, errors.New("the rate limit is reached"))
		e.Final, e.Wait = false, wait(resp)
		return e
	case resp.StatusCode >= 500, !r.final(f.Code):
		return &web.Error{System: system, Activity: r.activity, Status: resp.StatusCode, Wait: web.RetryAfter(resp.Header),
			Err: fmt.Errorf("code %d: %s", f.Code, said)}
	case f.Code == keyNotValid, f.Code == loginWrong, f.Code == loginDisabled, f.Code == loginRequired:
		return r.refuse(resp.StatusCode, r.badKey(said))
	case f.Code == noSuchBug:
		return r.refuse(resp.StatusCode, fmt.Errorf("%w: %w", bot.ErrNotFound, r.no("Bugzilla says: "+said)))
	}
	return r.refuse(resp.StatusCode, r.no("Bugzilla says: "+said))
}

// badKey is the error for a key that is not accepted.
func (r request) badKey(said string) error {
	if said != "" {
		said = " It says: " + said
	}
	return fmt.Errorf("%w: %w", ErrKey, r.no("Bugzilla does not accept my API key."+said+
		" I do not send a wrong key twice, since Bugzilla blocks who does; an admin of the bot can put another in its place."))
}

// stranger is the error for an answer that is not Bugzilla's but that of a proxy
// or of a page that came instead.
func (r request) stranger(resp *http.Response) *web.Error {
	e := &web.Error{System: system, Activity: r.activity, Status: resp.StatusCode, Wait: web.RetryAfter(resp.Header)}
	switch status := resp.StatusCode; {
	case status == http.StatusTooManyRequests: // the address is blocked (Bugzilla/App/Plugin/BlockIP.pm)
		e.Err, e.Refused, e.Wait = errors.New("too many requests"), true, wait(resp)
	case status == http.StatusRequestTimeout, status >= 500:
		e.Err = fmt.Errorf("%s (%s)", http.StatusText(status), mediaType(resp))
	case status == http.StatusRequestURITooLong, status == http.StatusRequestEntityTooLarge:
		return r.refuse(status, r.no("That is more than Bugzilla takes at once."))
	case status < 400:
		return r.refuse(status, errors.New("a redirect, which is not followed"))
	default:
		return r.refuse(status, fmt.Errorf("%s, in words that are not Bugzilla's (%s)", http.StatusText(status), mediaType(resp)))
	}
	return e
}

// nonsense is a 2xx that is no answer.
func (r request) nonsense(status int, err error) *web.Error {
	return &web.Error{System: system, Activity: r.activity, Status: status, Err: err}
}

func wait(resp *http.Response) time.Duration {
	if d := web.RetryAfter(resp.Header); d > 0 {
		return d
	}
	return aMinute
}

func mediaType(resp *http.Response) string {
	if t, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil {
		return t
	}
	return "of no type"
}

var (
	inline = regexp.MustCompile(`(?i)</?(?:a|b|code|em|i|kbd|span|strong|tt)\b[^>]*>`)
	tag    = regexp.MustCompile(`<[^>]*>`)
)

// mostWords is how much of a message is repeated, in characters.
const mostWords = 300

// words is a message of Bugzilla's as text: its templates write HTML
// (user-error.html.tmpl). It is somebody else's text still.
func words(message, key string) string {
	message = tag.ReplaceAllString(inline.ReplaceAllString(message, ""), " ")
	message = strings.ReplaceAll(html.UnescapeString(message), key, "[redacted]")
	message = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(message, "�"))
	return clip(strings.Join(strings.Fields(message), " "), mostWords)
}

// clip cuts s to at most n characters, the last of which then says so.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
