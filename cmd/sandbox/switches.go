package main

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/jenkins/fakejenkins"
	"thbot/integrations/slack/fakeslack"
)

// A knob changes something in the world, as POST /api/world/<name>.
type knob struct {
	Name, Group string
	Label       string // on its button
	Does        string // a line that explains it
	Parameters  []parameter
	// Possible reports whether it would do anything now; nil: always.
	Possible func(*scene) bool
	Do       act
}

// An act says in a sentence what it did.
type act func(*sandbox, *scene, map[string]string) (string, error)

// A parameter may always be left out.
type parameter struct {
	Name string `json:"name"`
	Does string `json:"does"` // what it is, and what holds without it
}

type switchState struct {
	Name       string      `json:"name"`
	Group      string      `json:"group"`
	Label      string      `json:"label"`
	Does       string      `json:"does"`
	Parameters []parameter `json:"parameters"`
	Possible   bool        `json:"possible"` // it would do something now
}

func (k knob) state(sc *scene) switchState {
	return switchState{k.Name, k.Group, k.Label, k.Does, append([]parameter{}, k.Parameters...), k.Possible == nil || k.Possible(sc)}
}

func (s *sandbox) change(r *http.Request, params map[string]string) (any, error) {
	name := r.PathValue("switch")
	all := switches()
	i := slices.IndexFunc(all, func(k knob) bool { return k.Name == name })
	if i < 0 {
		var names []string
		for _, k := range all {
			names = append(names, k.Name)
		}
		return nil, refusal{404, fmt.Sprintf("There is no switch %q; there are %s.", name, strings.Join(names, ", "))}
	}
	for given := range params {
		if !slices.ContainsFunc(all[i].Parameters, func(p parameter) bool { return p.Name == given }) {
			return nil, refusal{400, fmt.Sprintf("The switch %s knows no %q.", name, given)}
		}
	}
	done, err := all[i].Do(s, s.now(), params)
	if err != nil {
		return nil, err
	}
	s.touch()
	return map[string]string{"done": done}, nil
}

// someRun is the parameter that names a run.
func someRun(otherwise string) []parameter {
	return []parameter{{"run", "The number of a run; without it, " + otherwise + "."}}
}

var someApp = []parameter{{"app", "One of " + strings.Join(world.Environments, ", ") + "; without it, production."}}

// switches are all there are, in the order in which the page has them.
func switches() []knob {
	return slices.Concat(services(), tracking(), storing(), people(), []knob{
		{Name: "reset", Group: "world", Label: "Begin again", Does: "A new world and a new ledger; what was here is forgotten.", Do: reset}})
}

// services are the switches of what the bot works with, and of the bot.
func services() []knob {
	return []knob{
		{Name: "kill", Group: "bot", Label: "Kill", Does: "kill -9 of the real process: no time to save anything.", Possible: (*scene).runs, Do: kill},
		{Name: "stop", Group: "bot", Label: "Stop", Does: "SIGTERM: it finishes what it has begun, and ends.", Possible: (*scene).runs, Do: stop},
		{Name: "start", Group: "bot", Label: "Start", Does: "A new process with the same ledger.", Possible: func(sc *scene) bool { return !sc.runs() && !sc.starting() }, Do: start},

		{Name: "app-break", Group: "apps", Label: "Break production", Does: "It answers 502, until it is mended or deployed.", Parameters: someApp, Do: appBreak},
		{Name: "app-mend", Group: "apps", Label: "Mend production", Does: "It answers again.", Parameters: someApp,
			Possible: func(sc *scene) bool { return sc.anyApp(func(a world.AppState) bool { return a.Broken }) }, Do: appMend},
		{Name: "serve-old", Group: "apps", Label: "Serve the old", Does: "Deploys to production succeed from now on, but have no effect.", Parameters: someApp, Do: serveOld},
		{Name: "serve-new", Group: "apps", Label: "Serve the new", Does: "The next deploys have their effect again.", Parameters: someApp,
			Possible: func(sc *scene) bool { return sc.anyApp(func(a world.AppState) bool { return a.Stuck }) }, Do: serveNew},

		{Name: "push", Group: "jenkins", Label: "Push", Does: "A new commit on master, and a run that builds it.", Parameters: []parameter{
			{"subject", "What the commit says; without it, something plausible."}, {"author", "Whose it is; without it, one of bea, cid and dov."},
			{"ci", "What CI says of it: success, failure, pending or none; without it, success."}}, Do: push},
		{Name: "run-again", Group: "jenkins", Label: "Run again", Does: "A new run of the commit of the newest run.", Parameters: someRun("the newest"), Do: runAgain},
		{Name: "proceed-by-hand", Group: "jenkins", Label: "Proceed by hand", Does: "dov answers the newest waiting run in Jenkins.", Parameters: someRun("the newest that waits"),
			Possible: func(sc *scene) bool { return sc.any(waits) }, Do: proceed},
		{Name: "fail-stage", Group: "jenkins", Label: "Fail the stage", Does: "What runs just now fails.", Parameters: someRun("the newest that works"),
			Possible: func(sc *scene) bool { return sc.any(works) }, Do: failStage},
		{Name: "abort-run", Group: "jenkins", Label: "Abort a run", Does: "dov aborts what runs, or else the newest that waits.", Parameters: someRun("the newest that works, or else that waits"),
			Possible: func(sc *scene) bool { return sc.any(goes) }, Do: abort},
		{Name: "jenkins-restart", Group: "jenkins", Label: "Restart", Does: fmt.Sprintf("503 for %s, then %s in which it does not know its waiting runs.", boot, loading), Do: jenkinsRestart},
		{Name: "jenkins-down", Group: "jenkins", Label: "Take it away", Does: "Jenkins answers 503 to everything; its runs go on.",
			Possible: func(sc *scene) bool { return !sc.outages().Jenkins }, Do: jenkinsDown(true)},
		{Name: "jenkins-up", Group: "jenkins", Label: "Give it back", Does: "Jenkins answers again.",
			Possible: func(sc *scene) bool { return sc.outages().Jenkins }, Do: jenkinsDown(false)},

		{Name: "slack-drop", Group: "slack", Label: "Drop the sockets", Does: "All connections of the bot are cut, without a word.", Possible: (*scene).connected, Do: slackDrop},
		{Name: "slack-deaf", Group: "slack", Label: "Deafen a socket", Does: "The oldest connection stays open, but nothing passes.", Possible: (*scene).connected, Do: slackDeaf},
		{Name: "slack-429", Group: "slack", Label: "Answer 429", Does: "The next three posts are refused: too many, come back in 3 s.", Do: slack429},
		{Name: "slack-lose-answer", Group: "slack", Label: "Lose an answer", Does: "The next post happens, but the bot does not hear so.", Do: slackLose},
		{Name: "slack-duplicate", Group: "slack", Label: "Deliver twice", Does: "The next command or press reaches the bot two times.", Do: slackDuplicate},

		{Name: "slack-hostile", Group: "slack", Label: "A little hostile", Does: "One command or press in twenty comes twice, one in twenty late; one call in fifty is answered 429.", Parameters: []parameter{
			{"seed", "A number that decides which ones; without it, that of the last time."}},
			Possible: func(sc *scene) bool { return sc.Hostility() == 0 }, Do: slackHostile},
		{Name: "slack-behave", Group: "slack", Label: "Behave", Does: "Slack does what it should again.",
			Possible: func(sc *scene) bool { return sc.Hostility() != 0 }, Do: slackBehave},

		{Name: "push-prototype", Group: "github", Label: "Push to prototype", Does: "A new commit on the branch prototype, which the app serves soon after.", Parameters: []parameter{
			{"subject", "What the commit says; without it, something plausible."}, {"author", "Whose it is; without it, pia."}}, Do: pushPrototype},
		{Name: "ci-red", Group: "github", Label: "Fail CI", Does: "CI says that the newest commit of master is broken.",
			Possible: func(sc *scene) bool { return sc.CIOf(sc.GitHub.Branch(world.Master)) != world.Red }, Do: ci(world.Red)},
		{Name: "ci-green", Group: "github", Label: "Pass CI", Does: "CI says that it is fine.",
			Possible: func(sc *scene) bool { return sc.CIOf(sc.GitHub.Branch(world.Master)) != world.Green }, Do: ci(world.Green)},
		{Name: "github-down", Group: "github", Label: "Take it away", Does: "GitHub answers 503 to everything.",
			Possible: func(sc *scene) bool { return !sc.outages().GitHub }, Do: githubDown(true)},
		{Name: "github-up", Group: "github", Label: "Give it back", Does: "GitHub answers again.",
			Possible: func(sc *scene) bool { return sc.outages().GitHub }, Do: githubDown(false)},
	}
}

func (sc *scene) runs() bool      { return sc.bot.state().Running }
func (sc *scene) connected() bool { return sc.Slack.Sockets() > 0 }

func kill(_ *sandbox, sc *scene, _ map[string]string) (string, error) {
	pid, err := sc.bot.kill()
	return fmt.Sprintf("The bot was killed (process %d).", pid), err
}

func start(_ *sandbox, sc *scene, _ map[string]string) (string, error) {
	if sc.starting() {
		return "", refusal{409, "The databases are starting; the bot begins after them."}
	}
	pid, err := sc.bot.start()
	return fmt.Sprintf("The bot is started (process %d).", pid), err
}

func stop(_ *sandbox, sc *scene, _ map[string]string) (string, error) {
	const patience = 25 * time.Second // it promises to exit within 20
	killed, err := sc.bot.stop(patience)
	if killed {
		return fmt.Sprintf("The bot did not stop within %s and was killed.", patience), nil
	}
	return "The bot has stopped.", err
}

func reset(s *sandbox, _ *scene, _ map[string]string) (string, error) {
	return "This is a new world.", s.reset()
}

func (sc *scene) anyApp(is func(world.AppState) bool) bool {
	return slices.ContainsFunc(world.Environments, func(name string) bool { return is(sc.State(name)) })
}

func appOf(params map[string]string) (string, error) {
	name := params["app"]
	switch {
	case name == "":
		return "production", nil
	case slices.Contains(world.Environments, name):
		return name, nil
	}
	return "", refusal{400, fmt.Sprintf("%q is no app; there are %s.", name, strings.Join(world.Environments, ", "))}
}

// toApp makes a switch of what happens to an app.
func toApp(f func(*world.World, string), done string) act {
	return func(_ *sandbox, sc *scene, params map[string]string) (string, error) {
		name, err := appOf(params)
		if err != nil {
			return "", err
		}
		f(sc.World, name)
		return fmt.Sprintf(done, name), nil
	}
}

var (
	appBreak = toApp((*world.World).Break, "%s answers 502 now.")
	appMend  = toApp((*world.World).Mend, "%s answers again.")
	serveOld = toApp((*world.World).Stick, "Deploys to %s have no effect now.")
	serveNew = toApp((*world.World).Unstick, "Deploys to %s have an effect again.")
)

func jenkinsDown(down bool) act {
	return func(_ *sandbox, sc *scene, _ map[string]string) (string, error) {
		sc.mu.Lock()
		sc.broken.Jenkins = down
		sc.mu.Unlock()
		sc.Jenkins.Down(down)
		return "Jenkins " + doing(down), nil
	}
}

func githubDown(down bool) act {
	return func(_ *sandbox, sc *scene, _ map[string]string) (string, error) {
		sc.mu.Lock()
		sc.broken.GitHub = down
		sc.mu.Unlock()
		if down {
			sc.GitHub.Down()
		} else {
			sc.GitHub.Mend()
		}
		return "GitHub " + doing(down), nil
	}
}

func doing(down bool) string {
	if down {
		return "answers 503 now."
	}
	return "answers again."
}

func jenkinsRestart(s *sandbox, sc *scene, _ map[string]string) (string, error) {
	sc.mu.Lock()
	sc.broken.Restarted = time.Now()
	sc.mu.Unlock()
	sc.Jenkins.Restart()
	time.AfterFunc(boot+loading, s.touch)
	return "Jenkins is restarting.", nil
}

func slackDrop(_ *sandbox, sc *scene, _ map[string]string) (string, error) {
	sc.Slack.DropSockets(fakeslack.KillTCP)
	return "All connections of the bot were cut.", nil
}

func slackDeaf(_ *sandbox, sc *scene, _ map[string]string) (string, error) {
	if err := sc.Slack.Deafen(0); err != nil {
		return "", refusal{409, "The bot has no connection that could fall silent."}
	}
	return "The oldest connection has fallen silent.", nil
}

func slack429(_ *sandbox, sc *scene, _ map[string]string) (string, error) {
	sc.Slack.RateLimit("chat.postMessage", 3, 3*time.Second)
	return "The next three posts are answered 429.", nil
}

func slackLose(_ *sandbox, sc *scene, _ map[string]string) (string, error) {
	sc.Slack.Lose("chat.postMessage", 1)
	return "The answer to the next post will be lost.", nil
}

func slackDuplicate(_ *sandbox, sc *scene, _ map[string]string) (string, error) {
	sc.Slack.Duplicate(1)
	return "The next command or press is delivered twice.", nil
}

// lastSeed is the seed that Slack was hostile by last, or that it would be.
func (s *sandbox) lastSeed(sc *scene) uint64 {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if sc.seed == 0 {
		sc.seed = cmp.Or(s.how.Seed, anySeed())
	}
	return sc.seed
}

func slackHostile(s *sandbox, sc *scene, params map[string]string) (string, error) {
	if given := strings.TrimSpace(params["seed"]); given != "" {
		seed, err := strconv.ParseUint(given, 10, 53) // as much as a page can hold
		if err != nil || seed == 0 {
			return "", refusal{400, fmt.Sprintf("%q is no seed; it must be a number from 1 on.", given)}
		}
		sc.mu.Lock()
		sc.seed = seed
		sc.mu.Unlock()
	}
	seed := s.lastSeed(sc)
	sc.Hostile(seed)
	said := fmt.Sprintf("Slack is a little hostile now, seed %d.", seed)
	s.print(said)
	return said, nil
}

func slackBehave(s *sandbox, sc *scene, _ map[string]string) (string, error) {
	sc.Hostile(0)
	s.print("Slack behaves now.")
	return "Slack behaves now.", nil
}

// by is who does things in Jenkins by hand.
const by = "dov"

func goes(r fakejenkins.RunState) bool  { return r.Result == "" }
func waits(r fakejenkins.RunState) bool { return goes(r) && len(r.Inputs) > 0 }
func works(r fakejenkins.RunState) bool { return goes(r) && len(r.Inputs) == 0 && len(r.Stages) > 0 }

func (sc *scene) any(wanted func(fakejenkins.RunState) bool) bool {
	runs, err := sc.Jenkins.Runs(world.Job)
	return err == nil && slices.ContainsFunc(runs, wanted)
}

// run is the run that is meant: the one that is named, or the newest that fits
// the first of wanted that any fits.
func (sc *scene) run(params map[string]string, none string, wanted ...func(fakejenkins.RunState) bool) (fakejenkins.RunState, error) {
	runs, err := sc.Jenkins.Runs(world.Job)
	if err != nil {
		return fakejenkins.RunState{}, err
	}
	if name := params["run"]; name != "" {
		n, _ := strconv.Atoi(strings.TrimPrefix(name, "#"))
		i := slices.IndexFunc(runs, func(r fakejenkins.RunState) bool { return r.Number == n })
		if i < 0 {
			return fakejenkins.RunState{}, refusal{400, fmt.Sprintf("There is no run %q.", name)}
		}
		for _, fits := range wanted {
			if fits(runs[i]) {
				return runs[i], nil
			}
		}
		return fakejenkins.RunState{}, refusal{409, fmt.Sprintf("That cannot be done to run %d now.", n)}
	}
	for _, fits := range wanted {
		if i := slices.IndexFunc(runs, fits); i >= 0 {
			return runs[i], nil
		}
	}
	return fakejenkins.RunState{}, refusal{409, none}
}

func proceed(_ *sandbox, sc *scene, params map[string]string) (string, error) {
	r, err := sc.run(params, "No run waits to be promoted.", waits)
	if err != nil {
		return "", err
	}
	if err := sc.Jenkins.ProceedByHand(world.Job, r.Number, r.Inputs[0], by, nil); err != nil {
		return "", refusal{409, sentence(err)}
	}
	return fmt.Sprintf("%s has told run %d to proceed.", by, r.Number), nil
}

func failStage(_ *sandbox, sc *scene, params map[string]string) (string, error) {
	r, err := sc.run(params, "No run works on a stage.", works)
	if err != nil {
		return "", err
	}
	stage := r.Stages[len(r.Stages)-1].Name
	if err := sc.Jenkins.FailStage(world.Job, r.Number, stage); err != nil {
		return "", refusal{409, sentence(err)}
	}
	return fmt.Sprintf("Run %d has failed in %q.", r.Number, stage), nil
}

func abort(_ *sandbox, sc *scene, params map[string]string) (string, error) {
	r, err := sc.run(params, "No run goes on or waits.", works, waits)
	if err != nil {
		return "", err
	}
	if err := sc.Jenkins.AbortRun(world.Job, r.Number, by); err != nil {
		return "", refusal{409, sentence(err)}
	}
	return fmt.Sprintf("%s has aborted run %d.", by, r.Number), nil
}

func runAgain(_ *sandbox, sc *scene, params map[string]string) (string, error) {
	r, err := sc.run(params, "There is no run.", func(fakejenkins.RunState) bool { return true })
	if err != nil {
		return "", err
	}
	n, err := sc.Run(sc.Carries(r.Number), "", world.Promotion)
	return fmt.Sprintf("Run %d builds %s again.", n, r.DisplayName), err
}
