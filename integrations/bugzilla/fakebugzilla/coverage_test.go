package fakebugzilla_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"thbot/integrations/bugzilla"
	"thbot/integrations/bugzilla/fakebugzilla"
)

// What the table calls supported or partly so, the bot's own client can use, or
// a person who follows its links; what it calls missing is refused and
// remembered.
func TestCoverage(t *testing.T) {
	asks := map[string]func(fake *fakebugzilla.Server, c *bugzilla.Client) error{
		"GET whoami": func(_ *fakebugzilla.Server, c *bugzilla.Client) error { _, err := c.Whoami(t.Context()); return err },
		"POST bug": func(_ *fakebugzilla.Server, c *bugzilla.Client) error {
			_, err := c.File(t.Context(), bugzilla.Bug{Product: fakebugzilla.Product, Component: fakebugzilla.Component, Summary: "s", Token: "token-1"})
			return err
		},
		"GET bug": func(_ *fakebugzilla.Server, c *bugzilla.Client) error {
			_, err := c.Bug(t.Context(), fakebugzilla.First)
			return err
		},
		"GET bugs": func(_ *fakebugzilla.Server, c *bugzilla.Client) error {
			_, err := c.Bugs(t.Context(), []int{fakebugzilla.First})
			return err
		},
		"POST comment": func(_ *fakebugzilla.Server, c *bugzilla.Client) error {
			return c.Comment(t.Context(), fakebugzilla.First, "x")
		},
		"GET show_bug.cgi": func(fake *fakebugzilla.Server, c *bugzilla.Client) error {
			ask(t, fake, "", "GET", c.Link(fakebugzilla.First), "")
			return nil
		},
		"GET enter_bug.cgi": func(fake *fakebugzilla.Server, c *bugzilla.Client) error {
			ask(t, fake, "", "GET", c.Prefill(bugzilla.Bug{Product: fakebugzilla.Product}), "")
			return nil
		},
	}
	for _, row := range fakebugzilla.Coverage() {
		fake := &fakebugzilla.Server{}
		fake.Add(fakebugzilla.Bug{})
		s := httptest.NewServer(fake)
		c, err := bugzilla.New(bugzilla.Options{URL: s.URL, Key: func() (string, error) { return fakebugzilla.Key, nil }})
		if err != nil {
			t.Fatal(err)
		}
		call := asks[row.Call]
		delete(asks, row.Call)
		switch {
		case row.Level == fakebugzilla.No:
			method, path, _ := strings.Cut(row.Call, " ")
			a := ask(t, fake, fakebugzilla.Key, method, "/"+path, "{}")
			if a.status != 404 || !slices.Equal(fake.Unexpected(), []string{row.Call}) {
				t.Errorf("%s is not there, yet was answered with %d, unexpected %q", row.Call, a.status, fake.Unexpected())
			}
		case call == nil:
			t.Errorf("no test calls %s", row.Call)
		default:
			err := call(fake, c)
			if j := fake.Journal(); err != nil || len(j) != 1 || j[0].Call != row.Call || j[0].Status/100 != 2 || len(fake.Unexpected()) > 0 {
				t.Errorf("%s: %v, journal %+v, unexpected %q", row.Call, err, j, fake.Unexpected())
			}
		}
		c.Close()
		s.Close()
	}
	for name := range asks {
		t.Errorf("%s is not in the table", name)
	}
}
