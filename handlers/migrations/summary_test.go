package migrations

import (
	"strings"
	"testing"
)

func TestSummary(t *testing.T) {
	adds := File{Operations: []Operation{{Class: "AddIndex", Model: "job", Name: "job_guid"}}}
	removes := File{Operations: []Operation{{Class: "RemoveField", Model: "job", Name: "guid"}, {Class: "AddIndex", Model: "job", Name: "i"}}}
	alters := File{NotAtomic: true, Operations: []Operation{{Class: "RemoveConstraint", Model: "job", Name: "c"}}}
	bad, err := Read([]byte("("))
	if err == nil {
		t.Fatal("it could be read")
	}
	files := map[Migration]File{{"model", "1"}: adds, {"model", "2"}: removes, {"model", "3"}: alters, {"perf", "4"}: bad, {"model", "5"}: {}}
	const one = "1 schema migration: "
	const runs = ". It runs before the new code is up: "
	for _, test := range []struct {
		name    string
		history []string
		want    []string
	}{
		{name: "nothing"},
		{"only adds", []string{"a +model/1"}, []string{one + "model/1" + runs + "only what the old code does not mind."}},
		{"removes", []string{"a +model/2"}, []string{one + "model/2" + runs + "expect errors of the old code until then.",
			"model/2 removes the field job.guid (RemoveField)."}},
		{"depends", []string{"a +model/3"}, []string{one + "model/3" + runs + "errors of the old code are possible until then.",
			"model/3 removes the constraint c of job (RemoveConstraint).",
			"model/3 is not atomic: if it fails half-way, what it did until then stays."}},
		{"unreadable", []string{"a +perf/4"}, []string{one + "perf/4" + runs + "errors of the old code are possible until then.",
			"perf/4 cannot be told in full: the file cannot be read: line 2: the bracket '(' is not closed.",
			"perf/4 is not atomic: if it fails half-way, what it did until then stays."}},
		{"not read", []string{"a +perf/9"}, []string{one + "perf/9" + runs + "errors of the old code are possible until then.",
			"perf/9 cannot be told in full: the file was not read."}},
		{"several", []string{"a +model/1 +model/5", "b +perf/7", "c -perf/7"}, []string{"2 schema migrations: model/1, model/5. They run before the new code is up: only what the old code does not mind."}},
		{"after the fact", []string{"a ~model/1 -model/3 model/4>model/5"}, []string{one + "model/5" + runs + "only what the old code does not mind.",
			"model/1 was edited after the fact: a database that has it never sees the edit.",
			"model/3 is removed, but what it did stays in the database.",
			"model/5 was model/4 before: a database that has it under the old name runs it again."}},
		{"only taken away", []string{"a -model/3"}, []string{"model/3 is removed, but what it did stays in the database."}},
	} {
		got := strings.Join(Summary(Net(Changes(history(test.history...))), files), "\n")
		if want := strings.Join(test.want, "\n"); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", test.name, got, want)
		}
	}
}

func TestDestructive(t *testing.T) {
	if why, yes := Destructive(Operation{Class: "DeleteModel", Name: "Push"}); !yes || why != "removes the table of Push" {
		t.Errorf("got %q, %v", why, yes)
	}
	if why, yes := Destructive(Operation{Class: "DeleteModel", Name: "Push", StateOnly: true}); yes || why != "" {
		t.Errorf("got %q, %v", why, yes)
	}
}
