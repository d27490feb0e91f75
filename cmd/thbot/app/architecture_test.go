package app

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The visible top level of the repository, and nothing else.
var topLevel = []string{"Dockerfile", "LICENSE", "README.md", "bot", "cmd", "go.mod", "go.sum", "handlers", "integrations"}

// An arrow is an import: of package To, in a file of package From. Packages of
// ours are written without the module's name: "bot", "integrations/slack".
type arrow struct {
	From, To string
	Test     bool // the file is a test
}

// ours is the module's name in front of a package of ours.
const ours = "thbot/"

// wrong says what is wrong with an import, or "". Imports point one way: the
// program to the handlers and the integrations, both of them to the core, and
// the core to nothing of ours.
func wrong(a arrow) string {
	to, internal := strings.CutPrefix(a.To, ours)
	standard := !internal && !strings.Contains(strings.Split(a.To, "/")[0], ".")
	if internal && forTests(to) && !a.Test && !within(a.From, "cmd/sandbox") && !forTests(a.From) {
		return "a fake is for tests and the sandbox"
	}
	if a.Test {
		return "" // a test may put the whole world together
	}
	switch {
	case within(a.From, "cmd/sandbox"):
	case within(a.From, "cmd"):
		if within(to, "cmd/sandbox") {
			return "the program does not know the sandbox"
		}
	case within(a.From, "bot"):
		if !standard && !slices.Contains([]string{"go.uber.org/zap", "github.com/oklog/ulid/v2"}, a.To) {
			return "the core imports the standard library, zap and ulid alone"
		}
	case within(a.From, "handlers"):
		data := []string{"bot", "integrations/jenkins", "integrations/github", "integrations/treeherder", "integrations/mysql", "integrations/bugzilla"}
		if internal && !within(to, "handlers") && !slices.Contains(data, to) {
			return "handlers import the core and the data types of integrations"
		}
		cache := "github.com/hashicorp/golang-lru/v2"
		if !internal && !standard && !strings.HasPrefix(a.To, "golang.org/x/") && a.To != cache {
			return "handlers speak to no system themselves"
		}
	case forTests(a.From):
		if internal && !within(to, "integrations/internal") && !within(to, "integrations/fakehttp") && !within(to, a.From) {
			return "a fake knows nothing of what it is spoken to by"
		}
	case within(a.From, "integrations/internal"):
		if internal && !within(to, "integrations/internal") {
			return "what integrations share knows nothing of ours"
		}
	case within(a.From, "integrations"):
		own := "integrations/" + strings.Split(a.From, "/")[1]
		if internal && to != "bot" && !within(to, own) && !within(to, "integrations/internal") {
			return "an integration knows the core's vocabulary and itself"
		}
	default:
		return "this test does not say yet what a package there may import"
	}
	return ""
}

// forTests reports whether pkg is one of the fakes, or made for them.
func forTests(pkg string) bool {
	return strings.HasPrefix(path.Base(pkg), "fake") || strings.HasSuffix(pkg, "test") && within(pkg, "integrations") ||
		slices.Contains([]string{"integrations/internal/mariadb", "integrations/mysql/mariadbpair"}, pkg)
}

func within(pkg, dir string) bool { return pkg == dir || strings.HasPrefix(pkg, dir+"/") }

func TestImportsPointOneWay(t *testing.T) {
	arrows := imports(t, root(t))
	for _, a := range arrows {
		if why := wrong(a); why != "" {
			t.Errorf("%s imports %s (test: %v): %s", a.From, a.To, a.Test, why)
		}
	}
	if len(arrows) < 50 {
		t.Errorf("read only %d imports", len(arrows))
	}
}

// The program as it is shipped contains no fake and nothing made for tests.
func TestTheProgramContainsNoFake(t *testing.T) {
	for _, chain := range forbidden(imports(t, root(t))) {
		t.Error(chain)
	}
}

// forbidden lists how the program comes to what it must not contain.
func forbidden(arrows []arrow) (chains []string) {
	by := map[string]string{"cmd/thbot": ""} // package, and who imports it
	for queue := []string{"cmd/thbot"}; len(queue) > 0; queue = queue[1:] {
		for _, a := range arrows {
			to, internal := strings.CutPrefix(a.To, ours)
			if _, seen := by[to]; seen || a.From != queue[0] || a.Test {
				continue
			}
			by[to] = a.From
			if internal {
				queue = append(queue, to)
			}
			if internal && (forTests(to) || within(to, "cmd/sandbox")) || to == "testing" || strings.HasPrefix(to, "testing/") || to == "net/http/httptest" {
				chain := to
				for from := a.From; from != ""; from = by[from] {
					chain = from + " → " + chain
				}
				chains = append(chains, chain)
			}
		}
	}
	return chains
}

func TestTopLevel(t *testing.T) {
	dir := root(t)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := os.ReadFile(filepath.Join(dir, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, ".") && !slices.ContainsFunc(strings.Fields(string(ignored)), func(pattern string) bool {
			match, _ := path.Match(strings.Trim(pattern, "/"), name)
			return match
		}) {
			got = append(got, name)
		}
	}
	if diff := cmp.Diff(topLevel, got); diff != "" {
		t.Errorf("the top level of the repository (-want +got):\n%s", diff)
	}
}

// The rules themselves, since they find nothing in a repository that keeps them.
func TestRulesOfImports(t *testing.T) {
	for _, tt := range []struct {
		arrow
		wrong bool
	}{
		{arrow{"bot", "context", false}, false},
		{arrow{"bot", "go.uber.org/zap", false}, false},
		{arrow{"bot", "github.com/slack-go/slack", false}, true},
		{arrow{"bot", "thbot/integrations/jenkins", false}, true},
		{arrow{"bot", "thbot/integrations/ledger", true}, false},
		{arrow{"bot", "pgregory.net/rapid", true}, false},
		{arrow{"bot", "thbot/handlers", false}, true},
		{arrow{"handlers", "thbot/bot", false}, false},
		{arrow{"handlers", "thbot/handlers/deploys", false}, false},
		{arrow{"handlers/deploys", "thbot/integrations/jenkins", false}, false},
		{arrow{"handlers", "thbot/integrations/slack", false}, true},
		{arrow{"handlers", "thbot/integrations/ledger", false}, true},
		{arrow{"handlers", "thbot/integrations/internal/web", false}, true},
		{arrow{"handlers", "github.com/bndr/gojenkins", false}, true},
		{arrow{"handlers", "thbot/integrations/jenkins/fakejenkins", true}, false},
		{arrow{"handlers", "thbot/cmd/sandbox/world", true}, false},
		{arrow{"handlers", "thbot/cmd/sandbox/world", false}, true},
		{arrow{"handlers", "thbot/integrations/jenkins/fakejenkins", false}, true},
		{arrow{"integrations/slack", "thbot/bot", false}, false},
		{arrow{"integrations/slack", "thbot/integrations/internal/web", false}, false},
		{arrow{"integrations/slack", "thbot/handlers", false}, true},
		{arrow{"integrations/slack", "thbot/integrations/jenkins", false}, true},
		{arrow{"integrations/slack", "thbot/integrations/slack/fakeslack", false}, true},
		{arrow{"integrations/slack", "thbot/integrations/slack/fakeslack", true}, false},
		{arrow{"integrations/ledger", "thbot/integrations/ledger/mariadbtest", false}, true},
		{arrow{"integrations/internal/web", "thbot/bot", false}, true},
		{arrow{"integrations/jenkins", "thbot/integrations/fakehttp", false}, true},
		{arrow{"integrations/jenkins/fakejenkins", "thbot/integrations/fakehttp", false}, false},
		{arrow{"integrations/jenkins/fakejenkins", "thbot/integrations/slack/fakeslack", false}, true},
		{arrow{"integrations/jenkins/fakejenkins", "thbot/integrations/jenkins", false}, true},
		{arrow{"integrations/slack/fakeslack", "github.com/gorilla/websocket", false}, false},
		{arrow{"cmd/thbot/app", "thbot/integrations/slack", false}, false},
		{arrow{"cmd/thbot/app", "thbot/cmd/sandbox/world", false}, true},
		{arrow{"cmd/thbot/app", "thbot/cmd/sandbox/world", true}, false},
		{arrow{"cmd/sandbox/world", "thbot/integrations/slack/fakeslack", false}, false},
		{arrow{"cmd/sandbox", "thbot/cmd/thbot/app", false}, false},
		{arrow{"tools", "fmt", false}, true},
	} {
		if why := wrong(tt.arrow); (why != "") != tt.wrong {
			t.Errorf("wrong(%+v) = %q, want wrong: %v", tt.arrow, why, tt.wrong)
		}
	}
	got := forbidden([]arrow{
		{"cmd/thbot", "thbot/cmd/thbot/app", false},
		{"cmd/thbot", "testing", true},
		{"cmd/thbot/app", "thbot/integrations/slack", false},
		{"integrations/slack", "thbot/integrations/slack/fakeslack", false},
		{"handlers", "thbot/integrations/jenkins/fakejenkins", false},
		{"integrations/slack", "net/http/httptest", false},
	})
	want := []string{
		"cmd/thbot → cmd/thbot/app → integrations/slack → integrations/slack/fakeslack",
		"cmd/thbot → cmd/thbot/app → integrations/slack → net/http/httptest",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("forbidden (-want +got):\n%s", diff)
	}
}

// imports reads the imports of every Go file of the repository.
func imports(t *testing.T, root string) (arrows []arrow) {
	t.Helper()
	err := filepath.WalkDir(root, func(file string, e fs.DirEntry, err error) error {
		name := e.Name()
		switch {
		case err != nil:
			return err
		case e.IsDir() && file != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata"):
			return fs.SkipDir
		case e.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return fmt.Errorf("reading imports: %w", err)
		}
		from, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		for _, i := range parsed.Imports {
			to, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			arrows = append(arrows, arrow{filepath.ToSlash(from), to, strings.HasSuffix(name, "_test.go")})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return arrows
}

// root is the directory of go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the working directory")
		}
	}
}
