package migrations

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// history reads "a +x y>z" as a commit a that adds x and renames y to z.
func history(said ...string) []Commit {
	path := func(name string) string { return "treeherder/" + strings.Replace(name, "/", "/migrations/", 1) + ".py" }
	var all []Commit
	for _, s := range said {
		words := strings.Fields(s)
		c := Commit{SHA: words[0]}
		for _, w := range words[1:] {
			change := Change{Path: path(w[1:]), Status: map[byte]string{'+': "added", '-': "removed", '~': "modified", '=': "copied"}[w[0]]}
			if from, to, ok := strings.Cut(w, ">"); ok {
				change = Change{Path: path(to), Previous: path(from), Status: "renamed"}
			}
			c.Changes = append(c.Changes, change)
		}
		all = append(all, c)
	}
	return all
}

func list(all []Finding) string {
	var b []string
	for _, f := range all {
		s := strings.TrimSpace(fmt.Sprint(f.SHA, " ", f.Kind, " ", f.Migration))
		if f.Kind == Renamed {
			s += " was " + f.Was.String()
		}
		if f.Undone {
			s += " (undone)"
		}
		b = append(b, s)
	}
	return strings.Join(b, ", ")
}

// TestChanges goes through what happened in Treeherder's history.
func TestChanges(t *testing.T) {
	for _, test := range []struct {
		name      string
		history   []string
		want, net string
	}{
		{name: "nothing"},
		{"an ordinary one", []string{"a +model/0031_add_index"},
			"a added model/0031_add_index", "added model/0031_add_index"},
		{"renamed two hours later (d8cea4b98)", []string{"a +perf/0080_perfcomparemwucache", "b perf/0080_perfcomparemwucache>perf/0081_perfcomparemwucache"},
			"a added perf/0080_perfcomparemwucache (undone), b renamed perf/0081_perfcomparemwucache was perf/0080_perfcomparemwucache",
			"added perf/0081_perfcomparemwucache"},
		{"renamed after it was deployed", []string{"a perf/0080_x>perf/0081_x", "b perf/0081_x>perf/0082_x"},
			"a renamed perf/0081_x was perf/0080_x (undone), b renamed perf/0082_x was perf/0081_x",
			"renamed perf/0082_x was perf/0080_x"},
		{"one makes room for another", []string{"a perf/0080_x>perf/0081_x perf/0081_x>perf/0082_x"},
			"a renamed perf/0081_x was perf/0080_x, a renamed perf/0082_x was perf/0081_x",
			"removed perf/0080_x, edited perf/0081_x, added perf/0082_x"},
		{"added, reverted and added again on one day", []string{"a +perf/0070_a +perf/0071_b", "b -perf/0070_a -perf/0071_b", "c +perf/0070_a +perf/0071_b"},
			"a added perf/0070_a, a added perf/0071_b, b removed perf/0070_a, b removed perf/0071_b, c added perf/0070_a, c added perf/0071_b",
			"added perf/0070_a, added perf/0071_b"},
		{"a revert takes away what is deployed (f2055c81c)", []string{"a -perf/0043_perf_datum_bigint_table", "b +perf/0043_drop_multicommitdatum"},
			"a removed perf/0043_perf_datum_bigint_table, b added perf/0043_drop_multicommitdatum",
			"added perf/0043_drop_multicommitdatum, removed perf/0043_perf_datum_bigint_table"},
		{"comes and goes", []string{"a +perf/0070_a", "b ~perf/0070_a", "c -perf/0070_a"},
			"a added perf/0070_a (undone), b revised perf/0070_a (undone), c removed perf/0070_a (undone)", ""},
		{"edited after the fact (49be2d4ff)", []string{"a ~model/0001_initial"},
			"a edited model/0001_initial", "edited model/0001_initial"},
		{"edited where it was added", []string{"a +model/0002_x", "b ~model/0002_x"},
			"a added model/0002_x, b revised model/0002_x", "added model/0002_x"},
		{"edited where it was renamed", []string{"a model/0002_x>model/0003_x", "b ~model/0003_x"},
			"a renamed model/0003_x was model/0002_x, b revised model/0003_x", "renamed model/0003_x was model/0002_x"},
		{"a deployed one goes, comes back and is edited", []string{"a -model/0002_x", "b +model/0002_x", "c ~model/0002_x"},
			"a removed model/0002_x, b added model/0002_x, c edited model/0002_x", "edited model/0002_x"},
		{"renamed there and back", []string{"a model/0002_x>model/0003_x", "b model/0003_x>model/0002_x"},
			"a renamed model/0003_x was model/0002_x (undone), b renamed model/0002_x was model/0003_x", "edited model/0002_x"},
		{"a new one under a name that was renamed away", []string{"a model/0002_x>model/0003_x", "b +model/0002_x"},
			"a renamed model/0003_x was model/0002_x, b added model/0002_x", "edited model/0002_x, added model/0003_x"},
		{"removed and made anew under a renamed name", []string{"a model/0002_x>model/0003_x", "b -model/0003_x", "c +model/0003_x"},
			"a renamed model/0003_x was model/0002_x, b removed model/0003_x, c added model/0003_x", "removed model/0002_x, added model/0003_x"},
		{"moved in and out", []string{"a model/_draft>model/0002_x", "b model/0001_y>model/_y", "c model/__init__>model/_z"},
			"a added model/0002_x, b removed model/0001_y", "removed model/0001_y, added model/0002_x"},
		{"to another app", []string{"a seta/0001_x>model/0002_x"},
			"a renamed model/0002_x was seta/0001_x", "renamed model/0002_x was seta/0001_x"},
		{"a copy", []string{"a =model/0002_x"}, "a added model/0002_x", "added model/0002_x"},
	} {
		all := Changes(history(test.history...))
		if got := list(all); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
		if got := list(Net(all)); got != test.net {
			t.Errorf("%s: the net is\n got %s\nwant %s", test.name, got, test.net)
		}
	}
}

func TestStatus(t *testing.T) {
	m := Migration{"model", "0001_x"}
	for status, want := range map[string][]Finding{
		"unchanged": nil,
		"changed":   {{SHA: "a", Kind: Edited, Migration: m}},
		"unheardof": {{SHA: "a", Kind: Edited, Migration: m}},
	} {
		got := Changes([]Commit{{SHA: "a", Changes: []Change{{Path: m.Path(), Status: status}, {Path: "README.md", Status: status}}}})
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %v, want %v", status, got, want)
		}
	}
}

// TestNetOfAny compares with a model that keeps a directory of texts.
func TestNetOfAny(t *testing.T) {
	names := []string{"0001", "0002", "0003", "0004"}
	rapid.Check(t, func(t *rapid.T) {
		type text struct{ from, version string }
		tree := map[string]text{}
		for _, n := range names {
			if rapid.Bool().Draw(t, "there") {
				tree[n] = text{n, "base"}
			}
		}
		base := map[string]bool{}
		for n := range tree {
			base[n] = true
		}
		var commits []Commit
		touched := map[string]bool{}
		for i := range rapid.IntRange(0, 8).Draw(t, "commits") {
			n := rapid.SampledFrom(names).Draw(t, "name")
			to := rapid.SampledFrom(names).Draw(t, "to")
			here, ok := tree[n]
			_, taken := tree[to]
			word := ""
			switch {
			case !ok:
				word, tree[n] = "+model/"+n, text{n, fmt.Sprint(i)}
			case !taken && rapid.Bool().Draw(t, "rename"):
				word = "model/" + n + ">model/" + to
				delete(tree, n)
				tree[to] = here
				touched[to] = true
			case rapid.Bool().Draw(t, "remove"):
				word = "-model/" + n
				delete(tree, n)
			default:
				word, tree[n] = "~model/"+n, text{here.from, fmt.Sprint(i)}
			}
			touched[n] = true
			commits = append(commits, history(fmt.Sprint(i, " ", word))...)
		}
		all := Changes(commits)
		for _, f := range all {
			_, is := tree[f.Migration.Name]
			if f.Undone != (!base[f.Migration.Name] && !is) {
				t.Errorf("%s of %s", list(all), f.Migration)
			}
			if f.Kind == Edited && !base[f.Migration.Name] || f.Kind == Revised && base[f.Migration.Name] {
				t.Errorf("%s: %s", f.Kind, list(all))
			}
		}
		var want []string
		moved := map[string]bool{}
		for n, x := range tree {
			if _, still := tree[x.from]; !base[n] && x.from != n && base[x.from] && !still {
				moved[x.from] = true
			}
		}
		for _, n := range names {
			x, is := tree[n]
			switch {
			case is && base[n] && touched[n]:
				want = append(want, "edited model/"+n)
			case is && !base[n] && moved[x.from]:
				want = append(want, "renamed model/"+n+" was model/"+x.from)
			case is && !base[n]:
				want = append(want, "added model/"+n)
			case !is && base[n] && !moved[n]:
				want = append(want, "removed model/"+n)
			}
		}
		if got := list(Net(all)); got != strings.Join(want, ", ") {
			t.Errorf("the net of %s\nis   %s\nwant %s", list(all), got, strings.Join(want, ", "))
		}
	})
}
