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

// ErrNoRebuild is wrapped by the error of a rebuild or a replay of a run that
// is there, of which Jenkins makes no other: the plugin that would do it is not
// installed. (An old Rebuilder says the same where it may not be used.)
// It wraps bot.ErrNotFound itself; an error that wraps that and not this one is
// about the run.
var ErrNoRebuild = fmt.Errorf("there is no page to rebuild it: %w", bot.ErrNotFound)

// Rebuild asks the plugin Rebuilder to start a run once more, with the
// parameters that it had. With values, these take the place of its own; without
// any it is repeated as it was, with what Jenkins tells nobody: passwords. What
// it checks out is looked up again, so that nothing but a parameter pins a
// commit (RebuildAction.java). Of a run without parameters Rebuilder heeds
// neither a disabled job nor its own being disabled.
//
// Jenkins does not say which run that will be, and one that waits for just the
// same swallows it; [Client.Rebuilt] finds it. If the error is a *bot.Refused,
// which one that wraps bot.ErrNotFound always is, this call changed nothing.
// After any other (a *web.Error) it is unknown, unless [bot.NotSent] says that
// it changed nothing. It must not be repeated then: it would be done twice.
func (c *Client) Rebuild(ctx context.Context, job string, n int, values []Value) error {
	activity := fmt.Sprintf("rebuilding run %d of %s", n, job)
	at := runPath(job, n) + "/rebuild/"
	if len(values) > 0 {
		raw, err := json.Marshal(map[string]any{"parameter": values})
		if err != nil {
			return fmt.Errorf("%s: %w", activity, err) // unreachable: they are strings
		}
		return c.rebuildForm(ctx, activity, job, n, string(raw))
	}
	// The slash at the end counts: without it comes a redirect to there.
	resp, err := c.rebuilder(ctx, activity, job, n, at, nil, map[string]string{"autorebuild": "1"})
	switch {
	case err != nil:
		return err
	case leadsTo(resp, c.base+at+"parameterized"):
		// Rebuilder of before 1.34 shows the form first, and has scheduled
		// nothing. An empty form takes all the values of the run.
		return c.rebuildForm(ctx, activity, job, n, "{}")
	}
	return c.scheduled(activity, job, resp)
}

// rebuildForm sends the form that Rebuilder shows of a run with parameters.
func (c *Client) rebuildForm(ctx context.Context, activity, job string, n int, text string) error {
	at := runPath(job, n) + "/rebuild/"
	resp, err := c.rebuilder(ctx, activity, job, n, at+"configSubmit", strings.NewReader(url.Values{"json": {text}}.Encode()), nil)
	if err != nil {
		return err
	}
	if to, err := resp.Location(); err == nil && to.Query().Has("invalidParam") && strings.HasSuffix(to.EscapedPath(), at+"parameterized") {
		return fmt.Errorf("%s: %w", activity, &bot.Refused{
			Why: fmt.Sprintf("Jenkins does not take the value of the parameter %s.", to.Query().Get("invalidParam"))})
	}
	return c.scheduled(activity, job, resp)
}

// rebuilder makes a request to Rebuilder. Where a job may not be built or not
// be rebuilt that answers with nothing (isRebuildAvailable in
// AbstractRebuildAction.java); who may not do it is told so before.
func (c *Client) rebuilder(ctx context.Context, activity, job string, n int, at string, form io.Reader, query map[string]string) (*http.Response, error) {
	resp, empty, err := c.schedule(ctx, activity, job, n, at, form, query)
	if err == nil && resp.StatusCode == http.StatusOK && empty {
		return nil, fmt.Errorf("%s: %w", activity, &bot.Refused{Why: "Jenkins does not rebuild runs of this job: the job or its rebuilding is disabled."})
	}
	return resp, err
}

// Replay starts a run once more with the very scripts and parameters that it
// had and, in a branch's job, the same commit; a plain pipeline may check out
// another (ReplayAction.java). Unlike a rebuild it wants nothing beside
// workflow-cps, and refuses where there are passwords. Its errors mean what
// those of [Client.Rebuild] do.
func (c *Client) Replay(ctx context.Context, job string, n int) error {
	activity := fmt.Sprintf("replaying run %d of %s", n, job)
	// Not replay/run: that takes any script, and wants the permission for it.
	resp, _, err := c.schedule(ctx, activity, job, n, runPath(job, n)+"/replay/rebuild", nil, nil)
	if err != nil {
		return err
	}
	return c.scheduled(activity, job, resp)
}

// schedule makes a request that schedules a run, and says whether the answer
// was empty. After an error that is a *bot.Refused it did not.
func (c *Client) schedule(ctx context.Context, activity, job string, n int, at string, form io.Reader, query map[string]string) (resp *http.Response, empty bool, err error) {
	var body string
	resp, err = c.jenkins.Requester.Post(ctx, at, form, &body, query)
	if err == nil {
		return resp, body == "", nil
	}
	no := func(why string) (*http.Response, bool, error) {
		return nil, false, fmt.Errorf("%s: %w", activity, &bot.Refused{Why: "Jenkins says: " + why})
	}
	switch e, a := told(err); {
	case a == nil:
	// A Failure takes the place of the redirect that follows the scheduling:
	// "Replay is not allowed when password parameters are used."
	case e.Status == http.StatusBadRequest && a.words != "":
		return no(a.words)
	case e.Status == http.StatusConflict:
		return no("the job cannot be built; it may be disabled.")
	case e.Status == http.StatusNotFound:
		return nil, false, c.missing(ctx, activity, job, n)
	}
	return nil, false, refused(activity, err)
}

// missing says what it is that is not there. Nothing was done.
func (c *Client) missing(ctx context.Context, activity, job string, n int) error {
	_, err := c.Run(ctx, job, n)
	switch {
	case err == nil:
		return fmt.Errorf("%s: %w: %w", activity, ErrNoRebuild,
			&bot.Refused{Why: "Jenkins has no way to rebuild this run: the plugin is missing, or may not be used."})
	case errors.Is(err, bot.ErrNotFound):
		return fmt.Errorf("%s: %w: %w", activity, bot.ErrNotFound,
			&bot.Refused{Why: fmt.Sprintf("Jenkins does not have run %d, or does not show it to me.", n)})
	}
	return &web.Error{System: system, Activity: activity, Status: http.StatusNotFound, Refused: true,
		Err: fmt.Errorf("not there; whether the run is: %v", err)}
}

// scheduled reads an answer to a request that schedules a run.
func (c *Client) scheduled(activity, job string, resp *http.Response) error {
	// Jenkins leads back to the job; replay/rebuild does so without a slash. Any
	// other answer is most likely a login page, or the way to one.
	at := c.base + jobPath(job)
	if resp.StatusCode != http.StatusFound || !leadsTo(resp, at+"/") && !leadsTo(resp, at) {
		return &web.Error{System: system, Activity: activity, Status: resp.StatusCode,
			Err: fmt.Errorf("the answer (%s) is not Jenkins' to a rebuild", mediaType(resp))}
	}
	return nil
}

// Rebuildable is what there is to know of a run before it is rebuilt.
type Rebuildable struct {
	// Rebuilder says that the plugin is there; it may be disabled for the job.
	Rebuilder     bool    `json:"rebuilder,omitempty"`
	Parameterized bool    `json:"parameterized,omitempty"` // if only with those below
	Parameters    []Value `json:"parameters,omitempty"`    // whose values Jenkins tells
	// Secret are names of passwords. A rebuild repeats them, a replay refuses.
	Secret []string `json:"secret,omitempty"`
	// Files are names of uploaded files, of which nobody knows whether Jenkins
	// still has them.
	Files []string `json:"files,omitempty"`
}

// Rebuildable reads what there is to know of a run before it is rebuilt. The
// error wraps bot.ErrNotFound if Jenkins has no such run.
func (c *Client) Rebuildable(ctx context.Context, job string, n int) (Rebuildable, error) {
	activity := fmt.Sprintf("asking whether run %d of %s can be rebuilt", n, job)
	raw, _, err := c.getJSON(ctx, activity, runPath(job, n), "number,actions[_class,parameters[_class,name,value]]")
	if err != nil {
		return Rebuildable{}, err
	}
	var a struct {
		Number  int
		Actions []struct {
			Class      string `json:"_class"`
			Parameters []struct {
				Class string `json:"_class"`
				Name  string
				Value json.RawMessage
			}
		}
	}
	if err = json.Unmarshal(raw, &a); err == nil && a.Number != n {
		err = fmt.Errorf("the answer is about run %d", a.Number)
	}
	if err != nil {
		return Rebuildable{}, unreadable(activity, err)
	}
	var r Rebuildable
	for _, x := range a.Actions {
		if x.Class != "hudson.model.ParametersAction" {
			continue
		}
		r.Parameterized = true
		for _, p := range x.Parameters {
			v, ok := text(p.Value)
			switch {
			case strings.HasSuffix(p.Class, "PasswordParameterValue"):
				r.Secret = append(r.Secret, p.Name)
			case strings.HasSuffix(p.Class, "FileParameterValue"):
				r.Files = append(r.Files, p.Name)
			case ok:
				r.Parameters = append(r.Parameters, Value{p.Name, v})
			}
		}
	}
	// The form, which people are shown. Never …/rebuild/ itself: Rebuilder of
	// before 330 takes a GET of that for the wish to rebuild.
	var page string
	_, err = c.jenkins.Requester.Get(ctx, runPath(job, n)+"/rebuild/parameterized", &page, nil)
	switch {
	case err == nil && !strings.Contains(page, "<"):
		return Rebuildable{}, unreadable(activity, errors.New("the answer is no page"))
	case err == nil:
		r.Rebuilder = true
	case !errors.Is(err, bot.ErrNotFound):
		return Rebuildable{}, during(activity, err)
	}
	return r, nil
}
