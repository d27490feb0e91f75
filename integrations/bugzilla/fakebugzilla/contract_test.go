package fakebugzilla_test

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"thbot/bot"
	"thbot/integrations/bugzilla"
	"thbot/integrations/bugzilla/fakebugzilla"
)

var (
	realServer = flag.String("bugzilla", "", "check the contract with a Bugzilla, such as https://bugzilla.mozilla.org/, instead of the fake; it only reads, with the key in BUGZILLA_API_KEY if there is one")
	realBug    = flag.Int("bug", 1000000, "a public bug of that Bugzilla")
)

// What the fake and Bugzilla have in common, as far as reading shows it, in some
// ten calls:
//
//	go test ./integrations/bugzilla/fakebugzilla -run Contract -bugzilla https://bugzilla.mozilla.org/
func TestContract(t *testing.T) {
	base, key, id := *realServer, os.Getenv("BUGZILLA_API_KEY"), *realBug
	if base == "" {
		fake := &fakebugzilla.Server{}
		id = fake.Add(fakebugzilla.Bug{Summary: "s"})
		s := httptest.NewServer(fake)
		defer s.Close()
		base, key = s.URL+"/", fakebugzilla.Key
	}
	for _, tt := range []struct {
		path   string
		status int
		code   float64
	}{
		{"rest/whoami", 401, 410},
		{"rest/bug/999999999", 404, 101},
		{"rest/bug", 400, 1000},
		{"rest/nothing", 404, 32614},
	} {
		resp, err := http.Get(base + tt.path)
		if err != nil {
			t.Fatal(err)
		}
		var f struct {
			Error         bool
			Code          float64
			Message       string
			Documentation string
		}
		err = json.NewDecoder(resp.Body).Decode(&f)
		resp.Body.Close()
		if err != nil || resp.StatusCode != tt.status || f.Code != tt.code || !f.Error || f.Message == "" || f.Documentation == "" ||
			!strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
			t.Errorf("GET %s: %d %+v, %v", tt.path, resp.StatusCode, f, err)
		}
	}
	resp, err := http.Get(base + "rest/bug?id=" + strings.Repeat("1", 8200))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != 414 {
		t.Errorf("a long address: %d %.80s", resp.StatusCode, text)
	}
	if key == "" {
		t.Log("the rest needs BUGZILLA_API_KEY")
		return
	}
	c, err := bugzilla.New(bugzilla.Options{URL: base, Key: func() (string, error) { return key, nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if who, err := c.Whoami(t.Context()); err != nil {
		t.Errorf("Whoami = %v, %v", who, err)
	}
	one, err := c.Bug(t.Context(), id)
	if err != nil || one.ID != id {
		t.Errorf("Bug = %v, %v", one, err)
	}
	some, err := c.Bugs(t.Context(), []int{id, 999999999})
	if err != nil || len(some) != 1 || some[id] != one {
		t.Errorf("Bugs = %v, %v", some, err)
	}
	if _, err := c.Bug(t.Context(), 999999999); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("no bug: %v", err)
	}
	if id, found, err := c.FindByToken(t.Context(), fakebugzilla.Product, fakebugzilla.Component, "no-bug-has-this-token"); found || err != nil {
		t.Errorf("FindByToken = %d, %v, %v", id, found, err)
	}
}
