package contact

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

var aside = regexp.MustCompile(`\s+\| (also |both|a user|where ).*`)

// examples are those in Default's comment, a few to a line.
func examples(t *testing.T) (topics []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "pattern.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Doc == nil {
			continue
		}
		for line := range strings.Lines(g.Doc.Text()) {
			line, indented := strings.CutPrefix(line, "\t")
			if !indented {
				continue
			}
			line = strings.TrimSpace(aside.ReplaceAllString(line, ""))
			for example := range strings.SplitSeq(line, "     ") {
				topics = append(topics, strings.TrimSpace(example))
			}
		}
	}
	if len(topics) < 15 {
		t.Fatalf("found only %q", topics)
	}
	return topics
}
