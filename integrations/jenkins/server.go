package jenkins

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"thbot/integrations/internal/web"
)

// Whoami returns the id of the user that Jenkins takes the bot for.
func (c *Client) Whoami(ctx context.Context) (string, error) {
	const activity = "asking who the bot is"
	var who struct {
		Name      string
		Anonymous bool
	}
	raw, _, err := c.getJSON(ctx, activity, "/whoAmI", "")
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(raw, &who); err != nil {
		return "", unreadable(activity, err)
	}
	if who.Name == "" {
		return "", unreadable(activity, errors.New("the answer has no name"))
	}
	// A proxy in front may drop the Authorization header, and Jenkins then
	// answers this request, of all, with 200.
	if who.Anonymous {
		return "", &web.Error{System: system, Activity: activity, Status: http.StatusOK, Final: true,
			Err: fmt.Errorf("%w: Jenkins takes the bot for anonymous", ErrCredentials)}
	}
	return who.Name, nil
}

// Server is what Jenkins says about itself.
type Server struct {
	Version string // "2.528.1"; "" if a proxy in front takes it away
	Session string // its own since its last start
	// Quieting says that it prepares for its shutdown: nothing leaves the queue,
	// and runs stand still, but their inputs can be answered.
	Quieting bool
	Reason   string // of that, if somebody gave one
}

// Server asks Jenkins about itself.
func (c *Client) Server(ctx context.Context) (Server, error) {
	const activity = "asking whether Jenkins is about to restart"
	var raw json.RawMessage
	resp, err := c.jenkins.Requester.GetJSON(ctx, "/", &raw, map[string]string{"tree": "quietingDown,quietDownReason"})
	if err != nil {
		return Server{}, during(activity, err)
	}
	var a struct {
		QuietingDown    *bool
		QuietDownReason string // null, or not there before 2.267
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return Server{}, unreadable(activity, err)
	}
	if a.QuietingDown == nil {
		return Server{}, unreadable(activity, errors.New("the answer does not say so"))
	}
	return Server{
		Version: resp.Header.Get("X-Jenkins"), Session: resp.Header.Get("X-Jenkins-Session"),
		Quieting: *a.QuietingDown, Reason: a.QuietDownReason,
	}, nil
}

// namesFor is how long a name is good for.
const namesFor = time.Hour

type names struct {
	mu sync.Mutex
	of map[string]name // by id
}

type name struct {
	text  string
	until time.Time
}

// Name returns the full name of a user, such as "Bea Ops" for the id "bea". It
// asks at most once an hour. The error wraps bot.ErrNotFound if Jenkins does not
// know such a user; the id is then all there is to say.
func (c *Client) Name(ctx context.Context, id string) (string, error) {
	activity := "asking for the name of " + id
	if id == "" || id == "." || id == ".." { // it becomes part of a path
		return "", fmt.Errorf("%s: %q is not the id of a user", activity, id)
	}
	c.names.mu.Lock()
	known := c.names.of[id]
	c.names.mu.Unlock()
	if time.Now().Before(known.until) {
		return known.text, nil
	}
	raw, _, err := c.getJSON(ctx, activity, "/user/"+url.PathEscape(id), "fullName")
	if err != nil {
		return "", err
	}
	var a struct{ FullName string }
	if err := json.Unmarshal(raw, &a); err != nil {
		return "", unreadable(activity, err)
	}
	if a.FullName == "" {
		return "", unreadable(activity, errors.New("the answer has no name"))
	}
	c.names.mu.Lock()
	defer c.names.mu.Unlock()
	if c.names.of == nil {
		c.names.of = map[string]name{}
	}
	c.names.of[id] = name{a.FullName, time.Now().Add(namesFor)}
	return a.FullName, nil
}
