package main

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/bugzilla/fakebugzilla"
)

// Every switch, and what can be seen of it.
func TestSwitches(t *testing.T) {
	t.Parallel()
	c, s := visit(t)
	c.await("the bot has connected", func() bool { return c.world().Bot.Sockets > 0 })
	newest := func(w state) runState { return w.Runs[0] }
	stage := func(r runState) string { return r.Stages[len(r.Stages)-1].Status }
	turned := map[string]bool{}
	for _, step := range []struct {
		name   string
		params map[string]string
		status int // 0: 200
		says   string
		sees   func(w state) bool // waited for; nil: nothing
	}{
		{name: "start", status: 409, says: "The bot is running already."},
		{name: "github-up", says: "GitHub answers again."},
		{name: "github-down", says: "GitHub answers 503 now.", sees: func(w state) bool { return w.GitHub.Down }},
		{name: "github-up", says: "GitHub answers again.", sees: func(w state) bool { return !w.GitHub.Down }},
		{name: "jenkins-down", says: "Jenkins answers 503 now.", sees: func(w state) bool { return w.Jenkins.Down }},
		{name: "jenkins-up", says: "Jenkins answers again.", sees: func(w state) bool { return !w.Jenkins.Down }},
		{name: "app-break", says: "production answers 502 now.", sees: func(w state) bool { return w.Environments[0].Broken }},
		{name: "app-mend", says: "production answers again.", sees: func(w state) bool { return !w.Environments[0].Broken }},
		{name: "app-break", params: map[string]string{"app": "stage"}, says: "stage answers 502 now.", sees: func(w state) bool { return w.Environments[1].Broken }},

		{name: "fail-stage", status: 409, says: "No run works on a stage."},
		{name: "push", params: map[string]string{"subject": "<b>Bold</b>", "author": "zoe"}, says: "zoe pushed", sees: func(w state) bool {
			return w.Commits[0].Subject == "<b>Bold</b>" && w.Commits[0].Author == "zoe" && newest(w).Commit == w.Commits[0].SHA && len(newest(w).Inputs) == 1 &&
				w.Environments[1].Live == w.Commits[0].SHA && !w.Environments[1].Broken // a deploy mends
		}},
		{name: "serve-old", says: "Deploys to production have no effect now.", sees: func(w state) bool { return w.Environments[0].Stuck }},
		{name: "proceed-by-hand", says: "dov has told run 813 to proceed.", sees: func(w state) bool { return newest(w).Result == "SUCCESS" }},
		{name: "serve-new", says: "Deploys to production have an effect again.", sees: func(w state) bool {
			return !w.Environments[0].Stuck && w.Environments[0].Live == world.Commit("445ee07")
		}},
		{name: "proceed-by-hand", params: map[string]string{"run": "812"}, says: "dov has told run 812 to proceed.", sees: func(w state) bool { return stage(w.Runs[1]) == "IN_PROGRESS" }},
		{name: "fail-stage", says: `Run 812 has failed in "deploy to production".`, sees: func(w state) bool { return w.Runs[1].Result == "FAILURE" }},
		{name: "run-again", params: map[string]string{"run": "812"}, says: "Run 814 builds 9f8e7d6 again.", sees: func(w state) bool {
			return newest(w).Number == 814 && newest(w).Commit == world.Commit("9f8e7d6") && len(newest(w).Inputs) == 1
		}},
		{name: "abort-run", says: "dov has aborted run 814.", sees: func(w state) bool { return newest(w).Result == "ABORTED" }},
		{name: "proceed-by-hand", says: "dov has told run 811 to proceed.", sees: func(w state) bool { return w.Environments[0].Live == world.Commit("1a2b3c4") }},
		{name: "proceed-by-hand", status: 409, says: "No run waits to be promoted."},
		{name: "abort-run", status: 409, says: "No run goes on or waits."},
		{name: "jenkins-restart", says: "Jenkins is restarting.", sees: func(w state) bool { return w.Jenkins.Restarting && heard(w, "Jenkins", "restarted") }},

		{name: "push", params: map[string]string{"ci": "fine"}, status: 400, says: `it never says "fine"`},
		{name: "push", params: map[string]string{"ci": "pending"}, says: "dov pushed", sees: func(w state) bool { return w.Commits[0].CI == world.Pending }},
		{name: "ci-red", says: "CI says failure of ", sees: func(w state) bool { return w.Commits[0].CI == world.Red }},
		{name: "ci-green", says: "CI says success of ", sees: func(w state) bool { return w.Commits[0].CI == world.Green }},
		{name: "push-prototype", params: map[string]string{"author": "zoe"}, says: "zoe pushed ", sees: func(w state) bool {
			proto := w.Branches[1]
			return proto.Name == "prototype" && proto.Ahead == 6 && proto.Behind == 78 && proto.Commits[0].Author == "zoe" &&
				proto.Head == proto.Commits[0].SHA && w.Environments[2].Live == proto.Head
		}},

		{name: "contact-away", params: map[string]string{"person": "nobody"}, status: 400, says: `There is nobody called "nobody".`},
		{name: "contact-away", says: "cleo is away.", sees: func(w state) bool { return w.People[2].Is == "away" }},
		{name: "contact-quiet", says: "cleo does not want to be disturbed.", sees: func(w state) bool { return w.People[2].Is == "away, not to be disturbed" }},
		{name: "contact-back", says: "cleo is there.", sees: func(w state) bool { return w.People[2].Is == "not to be disturbed" }},
		{name: "contact-heard", says: "cleo can be disturbed again.", sees: func(w state) bool { return w.People[2].Is == "" }},
		{name: "topic", params: map[string]string{"text": "Main contact: @bob", "as": "fox"}, says: "The topic is “Main contact: @bob” now.",
			sees: func(w state) bool { return w.Channels[0].Topic == "Main contact: <@U0BOB>" }},
		{name: "topic-usual", says: "The topic is as it was.", sees: func(w state) bool { return w.Channels[0].Topic == "Main contact: @cleo" }},
		{name: "hurry", says: "Whoever is paged has 15s to answer.", sees: func(w state) bool { return w.Bot.Running && w.Bot.Starts == 2 }},
		{name: "unhurry", says: "Whoever is paged has 5m0s to answer.", sees: func(w state) bool { return w.Bot.Running && w.Bot.Starts == 3 && w.Bot.Sockets > 0 }},

		{name: "bugzilla-resolve", says: "Bug 1900002 is resolved, FIXED.", sees: func(w state) bool { return w.Bugzilla.Bugs[0].Status == "RESOLVED FIXED" && !w.Bugzilla.Bugs[0].Open }},
		{name: "bugzilla-reopen", says: "Bug 1900002 is open again.", sees: func(w state) bool { return w.Bugzilla.Bugs[0].Open }},
		{name: "bugzilla-down", says: "Bugzilla answers 503 now.", sees: func(w state) bool { return w.Bugzilla.Down }},
		{name: "bugzilla-up", says: "Bugzilla answers again.", sees: func(w state) bool { return !w.Bugzilla.Down }},
		{name: "bugzilla-500", says: "The next request is answered 500.", sees: func(w state) bool {
			return knocked(t, s, fakebugzilla.Key) == 500 && knocked(t, s, fakebugzilla.Key) == 200
		}},
		{name: "bugzilla-wrong-key", says: "The bot's key for Bugzilla is revoked.", sees: func(w state) bool { return w.Bugzilla.Revoked && knocked(t, s, fakebugzilla.Key) == 400 }},
		{name: "bugzilla-right-key", says: "The bot's key for Bugzilla works again.", sees: func(w state) bool { return !w.Bugzilla.Revoked && knocked(t, s, fakebugzilla.Key) == 200 }},
		{name: "bugzilla-slow", says: "The next bug is filed, and the answer takes 40s.", sees: func(w state) bool { return filedSlowly(t, s, w) }},
		{name: "replica-stop", status: 409, says: `There is no database "stage"`},
		{name: "replica-continue", status: 409, says: `There is no database "stage"`},
		{name: "replica-down", params: map[string]string{"database": "prototype"}, status: 409, says: `There is no database "prototype"`},
		{name: "replica-up", status: 409, says: `There is no database "stage"`},
		{name: "primary-read-only", status: 409, says: `There is no database "stage"`},
		{name: "primary-writable", status: 409, says: `There is no database "stage"`},

		{name: "slack-hostile", params: map[string]string{"seed": "many"}, status: 400, says: `"many" is no seed`},
		{name: "slack-hostile", params: map[string]string{"seed": "42"}, says: "Slack is a little hostile now, seed 42.", sees: func(w state) bool { return w.Hostile == 42 }},
		{name: "slack-behave", says: "Slack behaves now.", sees: func(w state) bool { return w.Hostile == 0 }},
		{name: "slack-429", says: "The next three posts are answered 429."},
		{name: "slack-lose-answer", says: "The answer to the next post will be lost."},
		{name: "slack-duplicate", says: "The next command or press is delivered twice."},
		{name: "slack-deaf", says: "The oldest connection has fallen silent.", sees: func(w state) bool { return heard(w, "Slack", "is deaf now") }},
		{name: "slack-drop", says: "All connections of the bot were cut.", sees: func(w state) bool { return w.Bot.Sockets > 0 }}, // it is back
		{name: "kill", says: "The bot was killed", sees: func(w state) bool { return w.Bot.Sockets == 0 }},
		{name: "kill", status: 409, says: "The bot is not running."},
		{name: "stop", status: 409, says: "The bot is not running."},
		{name: "slack-deaf", status: 409, says: "The bot has no connection that could fall silent."},
		{name: "start", says: "The bot is started", sees: func(w state) bool { return w.Bot.Sockets > 0 }},
		{name: "stop", says: "The bot has stopped.", sees: func(w state) bool { return !w.Bot.Running }},
		{name: "reset", says: "This is a new world.", sees: func(w state) bool { return len(w.Runs) == 5 && w.Bot.Running }},
	} {
		turned[step.name] = true
		before := c.world()
		i := slices.IndexFunc(before.Switches, func(k switchState) bool { return k.Name == step.name })
		if i < 0 {
			t.Fatalf("%s is no switch", step.name)
		}
		if k := before.Switches[i]; k.Possible && step.status == 409 {
			t.Errorf("%s says that it is possible, but %s", step.name, step.says)
		} else if k.Label == "" || k.Does == "" || k.Group == "" {
			t.Errorf("%s is not explained: %+v", step.name, k)
		}
		var answer struct{ Done, Error string }
		if step.params == nil {
			step.params = map[string]string{}
		}
		status := c.ask("POST", "/api/world/"+step.name, step.params, &answer)
		want := step.status
		if want == 0 {
			want = 200
		}
		if said := answer.Done + answer.Error; status != want || !strings.Contains(said, step.says) {
			t.Fatalf("%s %v: %d %q, want %d %q", step.name, step.params, status, said, want, step.says)
		}
		if step.sees != nil {
			c.await(step.name+" can be seen", func() bool { return step.sees(c.world()) })
		}
	}
	for _, k := range c.world().Switches {
		if !turned[k.Name] {
			t.Errorf("the switch %s was not tried", k.Name)
		}
	}
	if u := s.now().Unexpected(); len(u) > 0 {
		t.Errorf("unexpected: %v", u)
	}
}

// knocked is what Bugzilla answers to who has this key.
func knocked(t *testing.T, s *sandbox, key string) int {
	t.Helper()
	return asked(t.Context(), t, s, "GET", "rest/whoami", "", key)
}

// filedSlowly files a bug and does not wait for the answer.
func filedSlowly(t *testing.T, s *sandbox, w state) bool {
	t.Helper()
	if len(w.Bugzilla.Bugs) == 3 {
		return true
	}
	ctx, giveUp := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer giveUp()
	const bug = `{"product":"Cloud Services","component":"Operations: Releng","version":"unspecified","summary":"A slow one","type":"task"}`
	return asked(ctx, t, s, "POST", "rest/bug", bug, fakebugzilla.Key) == 0 && len(s.now().Bugzilla.Bugs()) == 3
}

// asked is the status of Bugzilla's answer; 0 if nobody waited for it.
func asked(ctx context.Context, t *testing.T, s *sandbox, method, path, body, key string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, s.now().URL("bugzilla")+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-BUGZILLA-API-KEY", key)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if ctx.Err() != nil {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func heard(w state, who, what string) bool {
	return slices.ContainsFunc(w.Journal, func(e entry) bool { return e.Who == who && strings.Contains(e.What, what) })
}
