package github_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"thbot/bot"
	"thbot/integrations/github"
	"thbot/integrations/github/fakegithub"
	"thbot/integrations/internal/web"
)

// A branch is read as it is now: nothing is kept, and nobody is asked whether
// it changed.
func TestBranch(t *testing.T) {
	fake := &fakegithub.Server{}
	shas := line(fake, 2, "", "step")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") != "" || r.Header.Get("If-Modified-Since") != "" {
			t.Errorf("conditional: %v", r.Header)
		}
		fake.ServeHTTP(w, r)
	}))
	defer s.Close()
	c := client(t, s.URL)
	for _, name := range []string{"prototype", "bea/push-health#2", "a@b", "ünï%20", "x+y&z=1"} {
		for _, sha := range shas {
			fake.SetBranch(name, sha)
			if got, err := c.Branch(t.Context(), name); got != sha || err != nil {
				t.Errorf("%s is at %q, %v; want %s", name, got, err, sha)
			}
		}
	}
	fake.Repo("").SetTag("v1", shas[0])
	for _, name := range []string{"proto", "prototype2", "Prototype", "bea", "v1", shas[0]} {
		if _, err := c.Branch(t.Context(), name); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBranchNonsense(t *testing.T) {
	fake := &fakegithub.Server{}
	sha := line(fake, 1, "", "only")[0]
	fake.SetBranch("prototype", sha)
	c := start(t, fake)
	answer := func(ref, kind, sha string) string {
		return fmt.Sprintf(`{"ref":%q,"object":{"type":%q,"sha":%q}}`, ref, kind, sha)
	}
	for _, tt := range []struct {
		name, body string
		ok         bool
	}{
		{"right", answer("refs/heads/prototype", "commit", sha), true},
		{"another branch", answer("refs/heads/prototype2", "commit", sha), false},
		{"a tag", answer("refs/tags/prototype", "commit", sha), false},
		{"an annotated tag", answer("refs/heads/prototype", "tag", sha), false},
		{"a short SHA", answer("refs/heads/prototype", "commit", sha[:7]), false},
		{"no object", `{"ref":"refs/heads/prototype"}`, false},
		{"several", "[" + answer("refs/heads/prototype", "commit", sha) + "]", false},
		{"empty", "", false},
		{"{}", "{}", false},
		{"null", "null", false},
		{"a page", "<html>", false},
	} {
		fake.AnswersTo("GET ref", 200, tt.body)
		got, err := c.Branch(t.Context(), "prototype")
		var e *web.Error
		if tt.ok && got != sha || !tt.ok && (got != "" || !errors.As(err, &e) || e.Final) {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
}

// Names that are none are refused before any address is made of them.
func TestHostileNames(t *testing.T) {
	fake := &fakegithub.Server{}
	sha := tree(fake)
	fake.SetBranch("master", sha)
	c := start(t, fake)
	refused := func(what, text string, err error) {
		t.Helper()
		var e *github.RefError
		if !errors.As(err, &e) || e.Ref != text {
			t.Errorf("%s %q: %v", what, text, err)
			return
		}
		if _, again := bot.RetryAfter(err); again || !bot.NotSent(err) || strings.ContainsAny(err.Error(), "\n\x00") {
			t.Errorf("%s %q: %v", what, text, err)
		}
	}
	for _, text := range []string{
		"", "..", "../../../../user", "master", sha[:7], strings.ToUpper(sha), sha + "0", sha + "\n", sha[:39] + "?", "abc?per_page=1#x", sha[:38] + "..",
	} {
		for what, ask := range map[string]func() error{
			"CI":         func() error { _, err := c.CI(t.Context(), text); return err },
			"Files":      func() error { _, err := c.Files(t.Context(), text); return err },
			"Content of": func() error { _, err := c.Content(t.Context(), text, "README.md"); return err },
			"Tree of":    func() error { _, err := c.Tree(t.Context(), text, "treeherder"); return err },
			"Blob":       func() error { _, err := c.Blob(t.Context(), text); return err },
			"Create at":  func() error { return c.CreateBranch(t.Context(), "backup", text) },
			"Move from":  func() error { return c.MoveBranch(t.Context(), "master", text, sha) },
			"Move to":    func() error { return c.MoveBranch(t.Context(), "master", sha, text) },
			"Delete at":  func() error { return c.DeleteBranch(t.Context(), "master", text) },
		} {
			refused(what, text, ask())
		}
	}
	zeros := strings.Repeat("0", 40) // stand for no commit, so a branch moved there would be deleted
	refused("Create at", zeros, c.CreateBranch(t.Context(), "backup", zeros))
	refused("Move from", zeros, c.MoveBranch(t.Context(), "master", zeros, sha))
	refused("Move to", zeros, c.MoveBranch(t.Context(), "master", sha, zeros))
	refused("Delete at", zeros, c.DeleteBranch(t.Context(), "master", zeros))
	for _, path := range []string{
		"", ".", "..", "/", "/README.md", "README.md/", "treeherder//model", "treeherder/./model", "treeherder/../README.md", "../treeherder/contents/x",
		"a..b", "a\x00b", "a\nb", "a\x7fb", "a\xffb", strings.Repeat("a", 1025),
	} {
		_, err := c.Content(t.Context(), sha, path)
		refused("Content", path, err)
		_, err = c.Tree(t.Context(), sha, path)
		refused("Tree", path, err)
	}
	for _, name := range []string{
		"", "@", "..", "a..b", "../../user", "a b", "a\x00", "a\n", "a\x7f", "a~1", "a^", "a:b", "a?b", "a*", "a[b", `a\b`, "a@{1}", "/a", "a/", "a//b",
		".a", "a/.b", "a.", "a.lock", "a.lock/b", "-a", "a\xff", strings.Repeat("a", 256),
	} {
		_, err := c.Branch(t.Context(), name)
		refused("Branch", name, err)
		refused("Create", name, c.CreateBranch(t.Context(), name, sha))
		refused("Move", name, c.MoveBranch(t.Context(), name, sha, sha))
		refused("Delete", name, c.DeleteBranch(t.Context(), name, sha))
	}
	for _, prefix := range []string{"..", "/", "a b", "-", "a//", "a?", strings.Repeat("a", 255)} {
		_, err := c.Branches(t.Context(), prefix)
		refused("Branches", prefix, err)
	}
	if n := len(fake.Journal()); n > 0 {
		t.Errorf("GitHub was asked %d times", n)
	}
}
