package handlers

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"thbot/bot"
	"thbot/handlers/migrations"
	"thbot/integrations/github"
)

// past is a repository as a line of commits, the oldest first, each of which
// does one thing: "added 0001", "renamed 0001 0002". The nth is of the nth hour.
type past []string

var errNobody = errors.New("nobody answers")

func (p past) sha(n int) string { return fmt.Sprintf("%040x", n) }

func (p past) Files(_ context.Context, sha string) ([]github.File, error) {
	for i, did := range p {
		words := strings.Fields(did)
		switch {
		case p.sha(i) != sha:
			continue
		case words[0] == "unread":
			return nil, errNobody
		case words[0] == "huge":
			return nil, github.ErrTooMuch
		}
		f := github.File{Path: pathOf(words[len(words)-1]), Status: github.FileStatus(words[0]), Blob: "blob of " + words[1]}
		if f.Status == github.Renamed {
			f.Previous = pathOf(words[1])
		}
		return []github.File{{Path: "README", Status: github.Modified}, f}, nil
	}
	return nil, bot.ErrNotFound
}

func pathOf(name string) string { return migrations.Migration{App: "model", Name: name}.Path() }

func (p past) LogOf(_ context.Context, _, at string, n int) (log []github.Commit, err error) {
	for i := len(p) - 1; i >= 0 && len(log) < n; i-- {
		words := strings.Fields(p[i])
		if at == "treeherder/model/migrations" || at == pathOf(words[len(words)-1]) || at == pathOf(words[1]) {
			log = append(log, github.Commit{SHA: p.sha(i), When: hour(i)})
		}
	}
	return log, nil
}

func (p past) Tree(_ context.Context, sha, _ string) ([]github.Entry, error) {
	if sha == "kept" {
		return []github.Entry{{Path: pathOf("0009_kept"), Blob: "blob of 0009_kept"}}, nil
	}
	return nil, bot.ErrNotFound
}

func (p past) Blob(_ context.Context, blob string) ([]byte, error) {
	if strings.HasSuffix(blob, "unread") {
		return nil, errNobody
	}
	return []byte("from django.db import migrations\nclass Migration(migrations.Migration):\n    operations = [migrations.RunSQL('" + blob + "')]\n"), nil
}

func hour(n int) time.Time { return time.Date(2022, 3, 1, n, 0, 0, 0, time.UTC) }

func TestEdits(t *testing.T) {
	many := make(past, 24)
	for i := range many {
		many[i] = "modified 0001"
	}
	for _, tt := range []struct {
		name    string
		past    past
		applied int // half past this hour 0001 was
		want    []int
		older   bool
		wrong   bool
	}{
		{"edited before", past{"added 0001", "modified 0001"}, 1, nil, false, false},
		{"edited after", past{"added 0001", "modified 0001"}, 0, []int{1}, false, false},
		{"edited twice after", past{"added 0001", "modified 0001", "modified 0001"}, 0, []int{2}, false, false},
		{"once before, once after", past{"added 0001", "modified 0001", "modified 0001"}, 1, []int{2}, false, false},
		{"another one edited", past{"added 0001", "added 0002", "modified 0002"}, 0, nil, false, false},
		{"applied by hand before it came", past{"added 0000", "added 0001"}, 0, nil, false, false},
		{"applied by hand, then edited", past{"added 0000", "added 0001", "modified 0001"}, 0, []int{2}, false, false},
		{"taken away", past{"added 0001", "removed 0001"}, 0, nil, false, false},
		{"taken away, and back", past{"added 0001", "removed 0001", "added 0001"}, 0, []int{2}, false, false},
		{"renamed", past{"added 0001", "renamed 0001 0002"}, 0, nil, false, false},
		{"renamed, and back", past{"added 0001", "renamed 0001 0002", "renamed 0002 0001"}, 0, []int{2}, false, false},
		{"many, of which the newest are looked at", many, 0, []int{23}, true, false},
		{"one that cannot be read", past{"added 0001", "modified 0001", "unread 0001"}, 0, nil, false, true},
		{"one that is too large", past{"added 0001", "modified 0001", "huge 0001"}, 0, []int{1}, false, true},
	} {
		m := migrations.Migration{App: "model", Name: "0001"}
		found, older, err := NewSchemas(tt.past).edits(t.Context(), "head", "model", map[migrations.Migration]time.Time{m: hour(tt.applied).Add(30 * time.Minute)})
		var by []int
		for _, e := range found {
			if e.Migration != m || e.By.SHA == "" {
				t.Errorf("%s: %+v", tt.name, e)
			}
			by = append(by, e.By.When.Hour())
		}
		if errors.Is(err, errNobody) {
			by = nil // what was told until then
		}
		if !reflect.DeepEqual(by, tt.want) || older != tt.older || (err != nil) != tt.wrong {
			t.Errorf("%s: edited by %v, older %v, %v; want %+v", tt.name, by, older, err, tt)
		}
	}
}

func TestTrace(t *testing.T) {
	s := NewSchemas(past{"added 0001", "added 0002", "renamed 0002 0003", "removed 0001", "added 0004", "modified 0004", "unread 0005", "removed unread"})
	kept := []github.Branch{{Name: "gone", SHA: "gone"}, {Name: "prototype-before-x", SHA: "kept"}}
	type want struct{ kept, gone, renamed, does string }
	for name, w := range map[string]want{
		"0001":      {gone: "3", does: "0001"},
		"0002":      {gone: "2", renamed: "0003", does: "0002"},
		"0009_kept": {kept: "prototype-before-x", does: "0009_kept"},
		"0004":      {}, // it is there
		"0005":      {does: "unread"},
		"unread":    {does: "unread"},
		"0006":      {},
		"../0001":   {},
		"":          {},
		"a/b":       {},
	} {
		got, err := s.trace(t.Context(), "head", migrations.Migration{App: "model", Name: name}, kept)
		switch {
		case w == want{}:
			if !errors.Is(err, bot.ErrNotFound) {
				t.Errorf("%q: %+v, %v", name, got, err)
			}
			continue
		case w.does == "unread":
			if !errors.Is(err, errNobody) {
				t.Errorf("%q: %+v, %v", name, got, err)
			}
			continue
		}
		does := strings.Join(got.file.Leftovers(), "")
		if err != nil || got.kept != w.kept || strings.TrimLeft(got.gone, "0") != w.gone || got.renamed.Name != w.renamed || !strings.Contains(does, "blob of "+w.does) {
			t.Errorf("%q: %+v (%s), %v", name, got, does, err)
		}
	}
}
