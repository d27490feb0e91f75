package bugzilla

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"thbot/bot"
	"thbot/integrations/internal/web"
)

// Account is an account on Bugzilla.
type Account struct {
	ID       int
	Login    string
	RealName string
	Nick     string
}

// Whoami says whose the API key is.
func (c *Client) Whoami(ctx context.Context) (Account, error) {
	r := request{activity: "asking who the bot is", method: http.MethodGet, path: "rest/whoami"}
	var who struct {
		ID       int    `json:"id"`
		Name     string `json:"name"`
		RealName string `json:"real_name"`
		Nick     string `json:"nick"`
	}
	if e := c.do(ctx, r, &who); e != nil {
		return Account{}, e
	}
	if who.ID <= 0 || who.Name == "" {
		return Account{}, r.nonsense(http.StatusOK, errors.New("the answer names nobody"))
	}
	return Account{who.ID, who.Name, who.RealName, who.Nick}, nil
}

// State is what has become of a bug. All its text is other people's.
type State struct {
	ID                 int
	Summary            string
	Status             string // "NEW", "ASSIGNED", "RESOLVED", …
	Resolution         string // "FIXED", "WONTFIX", …; empty while it is open
	Product, Component string
	Assigned           string // a login; nobody@mozilla.org is nobody
	Private            bool
	Changed            time.Time
}

// Open says whether there is still something to be done about the bug.
func (s State) Open() bool { return s.Resolution == "" }

// stateFields are what is asked for.
const stateFields = "id,summary,status,resolution,product,component,assigned_to,groups,last_change_time"

type bugFields struct {
	ID         int       `json:"id"`
	Summary    string    `json:"summary"`
	Status     string    `json:"status"`
	Resolution string    `json:"resolution"`
	Product    string    `json:"product"`
	Component  string    `json:"component"`
	Assigned   string    `json:"assigned_to"`
	Groups     []string  `json:"groups"`
	Changed    time.Time `json:"last_change_time"`
}

type bugList struct {
	Bugs *[]bugFields `json:"bugs"`
}

// states reads a list of bugs, which must all be among ids, once each.
func (r request) states(list bugList, ids []int) (map[int]State, *web.Error) {
	if list.Bugs == nil {
		return nil, r.nonsense(http.StatusOK, errors.New("the answer has no bugs, not even none"))
	}
	asked := map[int]bool{}
	for _, id := range ids {
		asked[id] = true
	}
	states := map[int]State{}
	for _, b := range *list.Bugs {
		switch {
		case !asked[b.ID]:
			return nil, r.nonsense(http.StatusOK, fmt.Errorf("the answer is about bug %d", b.ID))
		case b.Status == "" || b.Groups == nil || b.Changed.IsZero():
			return nil, r.nonsense(http.StatusOK, fmt.Errorf("the answer says too little about bug %d", b.ID))
		}
		states[b.ID] = State{b.ID, b.Summary, b.Status, b.Resolution, b.Product, b.Component, b.Assigned, len(b.Groups) > 0, b.Changed}
	}
	return states, nil
}

// Bug reads one bug. The error wraps [bot.ErrNotFound] when there is none with
// that number, and is a [*bot.Refused] when the bot may not see it.
func (c *Client) Bug(ctx context.Context, id int) (State, error) {
	r := request{activity: fmt.Sprintf("reading bug %d", id), method: http.MethodGet,
		path: fmt.Sprintf("rest/bug/%d", id), query: url.Values{"include_fields": {stateFields}}}
	if id <= 0 {
		return State{}, r.refuse(0, fmt.Errorf("bug %d: %w", id, bot.ErrNotFound))
	}
	var list bugList
	if e := c.do(ctx, r, &list); e != nil {
		return State{}, e
	}
	states, e := r.states(list, []int{id})
	if e != nil {
		return State{}, e
	}
	s, ok := states[id]
	if !ok {
		return State{}, r.nonsense(http.StatusOK, errors.New("the answer has no bug"))
	}
	return s, nil
}

// MaxBugs is how many bugs [Client.Bugs] reads: the address of a request may
// have 8 KiB.
const MaxBugs = 500

// Bugs reads several bugs in one request. Those that are not there, or that the
// bot may not see, are missing. As with all searches the answer may be a little
// old.
func (c *Client) Bugs(ctx context.Context, ids []int) (map[int]State, error) {
	r := request{activity: fmt.Sprintf("reading %s", plural(len(ids), "bug")), method: http.MethodGet, path: "rest/bug"}
	if len(ids) > MaxBugs {
		return nil, r.refuse(0, fmt.Errorf("that is more than %d", MaxBugs))
	}
	var numbers []string
	for _, id := range ids {
		if id > 0 {
			numbers = append(numbers, strconv.Itoa(id))
		}
	}
	if len(numbers) == 0 { // without any the search would be for all bugs there are
		return map[int]State{}, nil
	}
	r.query = url.Values{"id": {strings.Join(numbers, ",")}, "include_fields": {stateFields}}
	var list bugList
	if e := c.do(ctx, r, &list); e != nil {
		return nil, e
	}
	states, e := r.states(list, ids)
	if e != nil {
		return nil, e
	}
	return states, nil
}
