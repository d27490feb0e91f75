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
	"time"

	"github.com/bndr/gojenkins"
	"go.uber.org/zap"

	"thbot/bot"
	"thbot/integrations/internal/web"
)

const system = "Jenkins"

// requester is gojenkins' way to the server. Unlike gojenkins' own it looks at
// the status before it decodes, asks for no crumb (requests with an API token
// need none, ApiCrumbExclusion.java), keeps no cookies (a session's cookie would
// make Jenkins ask for the crumb after all, BasicHeaderProcessor.java), follows
// no redirects and closes every body. It repeats nothing.
type requester struct {
	base, user, token string
	client            *http.Client
	log               *zap.Logger
}

var _ gojenkins.JenkinsRequester = (*requester)(nil)

func (r *requester) GetJSON(ctx context.Context, endpoint string, response any, query map[string]string) (*http.Response, error) {
	return r.do(ctx, http.MethodGet, strings.TrimRight(endpoint, "/")+"/api/json", nil, response, query)
}

func (r *requester) Get(ctx context.Context, endpoint string, response any, query map[string]string) (*http.Response, error) {
	return r.do(ctx, http.MethodGet, endpoint, nil, response, query)
}

// Post sends a form. A redirect is an answer here, not an error: Jenkins answers
// many actions with one.
func (r *requester) Post(ctx context.Context, endpoint string, payload io.Reader, response any, query map[string]string) (*http.Response, error) {
	return r.do(ctx, http.MethodPost, endpoint, payload, response, query)
}

func (r *requester) PostJSON(ctx context.Context, endpoint string, payload io.Reader, response any, query map[string]string) (*http.Response, error) {
	return r.do(ctx, http.MethodPost, strings.TrimRight(endpoint, "/")+"/api/json", payload, response, query)
}

// The rest of the interface edits jobs and uploads files, which the bot must
// never do.
var errNever = errors.New("the bot never makes such a request")

func (r *requester) PostXML(context.Context, string, string, any, map[string]string) (*http.Response, error) {
	return nil, &web.Error{System: system, Activity: "posting XML", Err: errNever, Final: true}
}

func (r *requester) PostFiles(context.Context, string, io.Reader, any, map[string]string, []string) (*http.Response, error) {
	return nil, &web.Error{System: system, Activity: "posting files", Err: errNever, Final: true}
}

func (r *requester) GetXML(context.Context, string, any, map[string]string) (*http.Response, error) {
	return nil, &web.Error{System: system, Activity: "reading XML", Err: errNever, Final: true}
}

// head is the beginning of an answer's text.
type head struct {
	most  int64 // as much of it is read
	text  []byte
	whole bool
}

// do makes one request. Its errors are all of type *web.Error. The body of the
// response it returns has been read and closed: into response as text if that
// is a *string or a *head, else as JSON, else, if response is nil, away.
func (r *requester) do(ctx context.Context, method, endpoint string, payload io.Reader, response any, query map[string]string) (*http.Response, error) {
	fail := func(status int, err error) error {
		return &web.Error{System: system, Activity: method + " " + endpoint, Status: status, Err: err}
	}
	at := r.base + "/" + strings.TrimLeft(endpoint, "/")
	if len(query) > 0 {
		values := url.Values{}
		for k, v := range query {
			values.Set(k, v)
		}
		at += "?" + values.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, at, payload)
	if err != nil {
		return nil, fail(0, err)
	}
	req.SetBasicAuth(r.user, r.token)
	req.Header.Set("Accept", "application/json")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}

	began := time.Now()
	resp, err := r.client.Do(req)
	if err != nil {
		// The wrapping url.Error only adds the address, with a very long tree.
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		r.log.Debug("no answer from Jenkins", zap.String("method", method), zap.String("endpoint", endpoint),
			zap.Duration("took", time.Since(began)), zap.Error(err))
		return nil, fail(0, err)
	}
	defer resp.Body.Close()
	text := io.Reader(resp.Body)
	part, partly := response.(*head)
	if partly {
		text = io.LimitReader(text, part.most+1)
	}
	body, err := io.ReadAll(text)
	r.log.Debug("Jenkins answered", zap.String("method", method), zap.String("endpoint", endpoint),
		zap.Int("status", resp.StatusCode), zap.Int("bytes", len(body)), zap.Duration("took", time.Since(began)))
	if refused := refusal(method, resp, body); refused != nil {
		refused.Activity = method + " " + endpoint
		return resp, refused
	}
	if err != nil {
		return resp, fail(resp.StatusCode, err)
	}
	switch response := response.(type) {
	case nil:
	case *string:
		*response = string(body)
	case *head:
		part.text, part.whole = body[:min(int64(len(body)), part.most)], int64(len(body)) <= part.most
	default:
		if err := json.Unmarshal(body, response); err != nil {
			// An empty 200 ends here as well; gojenkins would return the old data.
			return resp, fail(resp.StatusCode, fmt.Errorf("the answer (%s) is not the JSON asked for: %w",
				mediaType(resp), err))
		}
	}
	return resp, nil
}

// answer is what a refused request was told beside the status.
type answer struct {
	words      string // X-Error: the message of a hudson.model.Failure
	permission string // X-Required-Permission: "hudson.model.Item.Build"
	user       string // X-You-Are-Authenticated-As
	kind       error  // ErrCredentials, bot.ErrNotFound or nil
	text       string
}

func (a *answer) Error() string { return a.text }
func (a *answer) Unwrap() error { return a.kind }

// refusal is the error that an answer stands for, or nil if it stands for none.
func refusal(method string, resp *http.Response, body []byte) *web.Error {
	status := resp.StatusCode
	if status >= 200 && status < 300 || status >= 300 && status < 400 && method != http.MethodGet {
		return nil
	}
	h := resp.Header
	a := &answer{
		words:      h.Get("X-Error"),
		permission: permission(h.Get("X-Required-Permission")),
		user:       h.Get("X-You-Are-Authenticated-As"),
	}
	switch {
	case a.words != "":
		a.text = a.words
	case status == http.StatusUnauthorized:
		a.kind, a.text = ErrCredentials, "user or API token is wrong"
	case status < 400:
		// Jenkins redirects no GET that we make; a login page in front of it does.
		a.kind, a.text = ErrCredentials, "sent to another page, probably to log in"
	case status == http.StatusForbidden && strings.Contains(string(body), "No valid crumb"):
		a.kind, a.text = ErrCredentials, "a crumb is asked for, so this is a password and not an API token"
	case status == http.StatusForbidden && a.user == "anonymous":
		a.kind, a.text = ErrCredentials, "Jenkins takes the bot for anonymous"
	case status == http.StatusForbidden && a.permission != "":
		a.text = fmt.Sprintf("the Jenkins user %s is missing the %s permission", a.user, a.permission)
	case status == http.StatusNotFound:
		// Without Job/Read, Jenkins says the same.
		a.kind, a.text = bot.ErrNotFound, "not there, or not visible to the bot's Jenkins user"
	case status == http.StatusServiceUnavailable:
		a.text = "starting, restarting or out of reach"
	default:
		a.text = http.StatusText(status)
	}
	return &web.Error{System: system, Status: status, Err: a, Wait: web.RetryAfter(h),
		// Who is not let in has done nothing.
		Refused: status == http.StatusUnauthorized || status == http.StatusForbidden && a.kind == ErrCredentials,
		Final:   status < 500 && status != http.StatusRequestTimeout && status != http.StatusTooManyRequests}
}

// permission is the name that people know: hudson.model.Item.Build is Job/Build.
func permission(id string) string {
	parts := strings.Split(id, ".")
	if len(parts) < 2 {
		return id
	}
	group, name := parts[len(parts)-2], parts[len(parts)-1]
	switch group {
	case "Item":
		group = "Job"
	case "Hudson":
		group = "Overall"
	}
	return group + "/" + name
}

func mediaType(resp *http.Response) string {
	t, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	if t == "" {
		return "of no type"
	}
	return t
}
