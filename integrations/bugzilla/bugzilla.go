// Package bugzilla files bugs on bugzilla.mozilla.org (BMO), and reads what
// became of them, through BMO's REST API.
//
// Nothing is ever repeated here. Bugzilla files the same bug twice when it is
// asked twice, so each bug carries a token in its whiteboard, by which
// [Client.FindByToken] finds it after an answer was lost.
package bugzilla

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.uber.org/zap"

	"thbot/integrations/internal/web"
)

const system = "Bugzilla"

// SecurityGroup is the group of the people who may see the private bugs of the
// product Cloud Services (extensions/BMO/Extension.pm).
const SecurityGroup = "cloud-services-security"

// Options of a client.
type Options struct {
	URL string // of the server, such as https://bugzilla.mozilla.org/
	// Key returns the API key. It is asked before each request, so a key that
	// was replaced is used at once. Its errors must not quote the key. Nil, or an
	// empty key: there are only links.
	Key func() (string, error)
	// PrivateGroup is the one group that may see a private bug. Empty:
	// SecurityGroup.
	PrivateGroup string
	Dial         web.DialFunc  // nil: the network
	Limit        time.Duration // of one request; 0: 4 s
	Log          *zap.Logger   // nil: silent
}

// Client speaks to one Bugzilla. It may be used by several goroutines.
type Client struct {
	base    *url.URL
	private string
	keys    *keys
	http    *http.Client
	log     *zap.Logger
}

// New returns a client, or says what is wrong with the options. It asks the
// server nothing; [Client.Whoami] does.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.URL)
	switch {
	case err != nil:
		return nil, errors.New("the URL of Bugzilla cannot be read") // what err quotes may hold a password
	case base.Scheme != "http" && base.Scheme != "https", base.Host == "":
		return nil, fmt.Errorf("the URL of Bugzilla is %q; it looks like https://bugzilla.mozilla.org/", base.Redacted())
	case base.User != nil, base.RawQuery != "", base.Fragment != "":
		return nil, errors.New("the URL of Bugzilla has a user, a query or a fragment; it must have none")
	}
	c := &Client{base: base, private: o.PrivateGroup, keys: newKeys(o.Key), log: o.Log,
		http: web.NewClient(web.Options{Dial: o.Dial, Limit: o.Limit, Body: 1 << 20})}
	if c.private == "" {
		c.private = SecurityGroup
	}
	if c.log == nil {
		c.log = zap.NewNop()
	}
	return c, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Link is the page of a bug, for people.
func (c *Client) Link(id int) string {
	return c.page("show_bug.cgi", url.Values{"id": {strconv.Itoa(id)}})
}

func (c *Client) page(path string, query url.Values) string {
	u := c.base.JoinPath(path)
	u.RawQuery = query.Encode()
	return u.String()
}

// plural is "1 character" or "2 characters".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
