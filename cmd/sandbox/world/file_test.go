package world_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"thbot/cmd/sandbox/world"
)

// The names that Go code uses stand in the file of the usual world.
func TestUsualNames(t *testing.T) {
	f, err := world.Load("usual.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if f.Room != world.Room || f.Channels[0].Name != world.Room || f.Channels[0].ID != world.Channel || f.Channels[1].ID != world.General {
		t.Errorf("room %s, channels %v", f.Room, f.Channels)
	}
	for _, p := range world.People {
		if p.Bot || p.Deactivated {
			t.Errorf("one can be %s", p.Name)
		}
	}
	if len(world.People) != len(f.People)-2 {
		t.Errorf("one can be %d of %d", len(world.People), len(f.People))
	}
}

// Whatever could not be built is refused, with the line and the rule.
func TestRead(t *testing.T) {
	text, err := os.ReadFile("testdata/other.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if f, err := world.Read("other.yaml", strings.NewReader(string(text))); err != nil || f.Pace.ToProd != 2*time.Second {
		t.Fatal(f, err)
	}
	for _, tt := range []struct{ name, old, new, want string }{
		{"an unknown key", "room: ship", "rooms: ship", "line 1: field rooms not found"},
		{"an unknown key inside", "role: the admin", "rank: admiral", "line 5: field rank not found"},
		{"a key twice", "next_run: 7", "next_run: 7\nnext_run: 8", "line 3: mapping key \"next_run\" already defined"},
		{"no number", "next_run: 7", "next_run: seven", "line 2: cannot unmarshal"},
		{"a negative number", "next_run: 7", "next_run: -7", "w.yaml:2: next_run is -7"},
		{"no time", "build: 1s", "build: soon", "line 3: cannot unmarshal"},
		{"a negative time", "build: 1s", "build: -1s", "w.yaml:3: pace has a time that is less than none"},
		{"a second document", "room: ship", "room: ship\n---\nroom: other", "second document"},
		{"no YAML", "room: ship", "room: [ship", "yaml: line"},

		{"no room", "room: ship", "", "room is missing: the name"},
		{"a room that is not there", "room: ship", "room: bridge", "w.yaml:1: room is bridge, which is not among the channels"},
		{"a room without the bot", "[kim, th]", "[kim]", "w.yaml:1: room is ship, of which the bot (th) is no member"},

		{"a person's id", "id: U02", "id: u02", `w.yaml:6: people[1].id is "u02"; it must be U or W`},
		{"an id twice", "id: U02", "id: U01", "w.yaml:6: people[1].id is U01, which people[0].id is already"},
		{"the bot's id", "id: U02", "id: U0TH", "w.yaml:6: people[1].id is U0TH, which the bot is already"},
		{"a name twice", "name: lee", "name: kim", "w.yaml:6: people[1].name is kim, which people[0].name is already"},
		{"the bot's name", "name: lee", "name: th", "people[1].name is th, which the bot is already"},
		{"no name", "name: lee, ", "", `w.yaml:6: people[1].name is ""`},
		{"a zone", "Asia/Seoul", "Asia/Soul", `w.yaml:5: people[0].zone is "Asia/Soul", which is no IANA time zone`},

		{"a channel's id", "id: C0SHIP", "id: C1", `w.yaml:9: channels[0].id is "C1"`},
		{"a member who is not there", "[kim, th]", "[kim, th, ned]", "w.yaml:9: channels[0].members[2] is ned, who is not among the people"},
		{"a member twice", "[kim, th]", "[kim, th, kim]", "w.yaml:9: channels[0].members[2] is kim, who is there already"},

		{"a group's id", "id: S01", "id: C01", `w.yaml:11: groups[0].id is "C01"`},
		{"nobody in a group", "members: [kim]}", "members: [ned]}", "w.yaml:11: groups[0].members[0] is ned, who is not among the people"},
		{"the bot in a group", "members: [kim]}", "members: [th]}", "w.yaml:11: groups[0].members[0] is the bot itself"},
		{"a role", "role: admins", "role: admirals", `w.yaml:11: groups[0].role is "admirals"; it must be one of admins, cloudops, prototype_pushers`},
		{"no admins", "role: admins", "role: cloudops", "w.yaml:10: groups must have one with role: admins"},

		{"a sha", "sha: 0000001", "sha: 000000g", `w.yaml:15: branches[0].commits[0].sha is "000000g"; it must be seven`},
		{"a commit twice", "sha: 0000003", "sha: 0000001", "w.yaml:20: branches[1].commits[0].sha is 0000001, which branches[0].commits[0].sha is already"},
		{"no author", "author: lee, ", "", "w.yaml:20: branches[1].commits[0].author is"},
		{"a branch twice", "name: prototype", "name: master", "w.yaml:17: branches[1].name is master, which branches[0].name is already"},
		{"no branch's name", "name: prototype", "name: proto..type", `w.yaml:17: branches[1].name is "proto..type"`},
		{"no master", "name: master", "name: main", "w.yaml:12: branches must have master"},
		{"a branch from nowhere", "from: 0000001", "from: 0000009", `w.yaml:18: branches[1].from is "0000009", which is no commit`},

		{"a file that is not there", "subject: Two}", "subject: Two, files: [{path: setup.cfg, replace: a, with: b}]}", "w.yaml:16: branches[0].commits[1].files cannot be: there is no file setup.cfg"},
		{"an edit of nothing", "subject: Two}", "subject: Two, files: [{path: requirements/common.in, replace: flask, with: b}]}", `"flask" is there 0 times in requirements/common.in, not once`},
		{"a file written and edited", "subject: Two}", "subject: Two, files: [{path: requirements/common.in, replace: celery, text: b}]}", "requirements/common.in is written and edited at once"},
		{"a file removed and written", "subject: Two}", "subject: Two, files: [{path: requirements/common.in, remove: true, text: b}]}", "requirements/common.in is removed and changed at once"},
		{"half an edit", "subject: Two}", "subject: Two, files: [{path: requirements/common.in, with: b}]}", "what is to be replaced is not said"},
		{"no path", "subject: Two}", "subject: Two, files: [{path: ../x, text: b}]}", `"../x" is no path of a file`},
		{"what CI never says", "subject: Two}", "subject: Two, ci: fine}", `w.yaml:16: branches[0].commits[1].ci is "fine"; it must be one of success, failure, pending, none`},
		{"a negative number of updates", "subject: Two}", "subject: Two, updates: -1}", "w.yaml:16: branches[0].commits[1].updates is -1, which is less than none"},

		{"an app", "production: 0000001", "produktion: 0000001", "w.yaml:21: apps.produktion is no app; they are production, stage, prototype, taskcluster-staging"},
		{"an app that is missing", "production: 0000001, ", "", "w.yaml:21: apps must say what production serves"},
		{"a commit that is not there", "production: 0000001", "production: 0000009", `w.yaml:21: apps.production is "0000009", which is no commit`},

		{"a run of no commit", "{commit: 0000002, at: build}", "{commit: 0000009, at: build}", `w.yaml:25: runs[2].commit is "0000009", which is no commit`},
		{"a stage", "at: build", "at: bed", `w.yaml:25: runs[2].at is "bed"; it must be one of build, deploy to stage, deploy to production`},
		{"a result", "result: FAILURE", "result: failure", `w.yaml:23: runs[0].result is "failure"; it must be one of SUCCESS`},
		{"over, and going on", "at: build", "at: build, result: SUCCESS", "w.yaml:25: runs[2] is at a stage and has a result"},
		{"no summary", "summary: A first one, ", "", `w.yaml:27: bugs[0].summary is ""`},
		{"a long summary", "A first one", strings.Repeat("long", 64), "w.yaml:27: bugs[0].summary is longer than 255 characters"},
		{"a bug by nobody", "by: lee", "by: ned", `w.yaml:28: bugs[1].by is "ned", who has no account in Bugzilla`},
		{"an e-mail address", "zone: Asia/Seoul", "email: kim at ship", `w.yaml:5: people[0].email is "kim at ship"; it must be an e-mail address`},
		{"an e-mail address twice", "zone: Asia/Seoul", "email: lee@example.org", "w.yaml:6: people[1].email is lee@example.org, which people[0].email is already"},
		{"a login", "started_by: dov", "started_by: Dov Doe", `w.yaml:23: runs[0].started_by is "Dov Doe"`},
	} {
		if !strings.Contains(string(text), tt.old) {
			t.Errorf("%s: the file has no %q", tt.name, tt.old)
		}
		_, err := world.Read("w.yaml", strings.NewReader(strings.Replace(string(text), tt.old, tt.new, 1)))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	// All that is wrong is told at once, of an empty file too.
	_, err = world.Read("w.yaml", strings.NewReader(""))
	for _, want := range []string{"people must", "room is missing", "groups must", "branches must", "what stage serves"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("an empty file: %v, want %q", err, want)
		}
	}
	if _, err := world.Load("testdata/nowhere.yaml"); err == nil || !strings.Contains(err.Error(), "reading a world: open testdata/nowhere.yaml") {
		t.Errorf("no file: %v", err)
	}
}
