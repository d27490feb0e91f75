// Package world is a pretend Treeherder to try the bot in: a Slack workspace
// with people in it, a Jenkins with a pipeline, a GitHub with commits, and the
// deployed apps, coupled as the real ones are. The sandbox and the tests start
// the real bot in it.
package world

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"thbot/integrations/fakehttp"
	"thbot/integrations/github/fakegithub"
	"thbot/integrations/jenkins/fakejenkins"
	"thbot/integrations/slack/fakeslack"
	"thbot/integrations/treeherder/faketreeherder"
)

// Names of what is in every world.
const (
	Channel = "C0TREEHERDER"
	Room    = "treeherder-ops"
	General = "C0GENERAL"
	Job     = "gcp-pipelines/treeherder/treeherder-production"
	Build   = "build"
	ToStage = "deploy to stage"
	ToProd  = "deploy to production"
)

// Apps are the deployed apps with the hosts they have in a Pipe.
var hosts = map[string]string{
	"slack":               "slack.test",
	"jenkins":             "jenkins.test",
	"github":              "api.github.test",
	"production":          "treeherder.test",
	"stage":               "stage.treeherder.test",
	"prototype":           "prototype.treeherder.test",
	"taskcluster-staging": "tc-staging.treeherder.test",
}

// Pace is how long things take.
type Pace struct{ Build, ToStage, ToProd, Rollout time.Duration }

// Real is about the pace of the real pipeline.
var Real = Pace{Build: 4 * time.Minute, ToStage: 3 * time.Minute, ToProd: 6 * time.Minute, Rollout: 20 * time.Second}

// Person is somebody in the world, and what they are there.
type Person struct{ ID, Name, Role string }

// People are those one can be, in the order in which the sandbox offers them.
var People = []Person{
	{"U0ANA", "ana", "Treeherder admin"},
	{"U0BOB", "bob", "Treeherder admin"},
	{"U0CLEO", "cleo", "cloudOps"},
	{"U0PIA", "pia", "prototype pusher"},
	{"U0NORA", "nora", "newcomer"},
	{"U0GUS", "gus", "guest"},
	{"U0FOX", "fox", "of another workspace"},
}

// World is the fakes and what couples them.
type World struct {
	Slack   *fakeslack.Server
	Jenkins *fakejenkins.Server
	GitHub  *fakegithub.Server
	Apps    map[string]*faketreeherder.App
	pace    Pace

	mu      sync.Mutex
	serves  map[string]string   // by app
	apps    map[string]AppState // what else there is to say of an app
	carries map[int]string      // commit by run
	changed chan struct{}       // closed and forgotten at the next change
	timers  []*time.Timer
	urls    map[string]string
	servers []*http.Server
	pipe    *fakehttp.Pipe
}

// New returns a world with nothing in it but people and an empty pipeline.
func New(pace Pace) *World {
	w := &World{
		Slack: &fakeslack.Server{}, Jenkins: &fakejenkins.Server{}, GitHub: &fakegithub.Server{},
		Apps: map[string]*faketreeherder.App{}, pace: pace,
		serves: map[string]string{}, apps: map[string]AppState{}, carries: map[int]string{}, urls: map[string]string{},
	}
	for name := range hosts {
		if name != "slack" && name != "jenkins" && name != "github" {
			w.Apps[name] = &faketreeherder.App{Name: name}
		}
	}
	var everybody []string
	for _, p := range People {
		person := fakeslack.Person{ID: p.ID, Name: p.Name, Guest: p.Role == "guest", Zone: "Europe/Berlin"}
		if p.Role == "of another workspace" {
			person.Team = "T0ELSEWHERE"
		}
		w.Slack.AddPerson(person)
		everybody = append(everybody, p.ID)
	}
	w.Slack.AddPerson(fakeslack.Person{ID: "U0ROBO", Name: "robo", Bot: true})
	everybody = append(everybody, fakeslack.BotUser, "U0ROBO")
	w.Slack.AddChannel(fakeslack.Channel{ID: Channel, Name: Room, Topic: "Main contact: @cleo", Members: everybody})
	w.Slack.AddChannel(fakeslack.Channel{ID: General, Name: "general", Members: everybody})
	w.Slack.AddGroup(fakeslack.Group{ID: "S0ADMINS", Handle: "treeherder-admins", Name: "Treeherder admins", Users: []string{"U0ANA", "U0BOB"}})
	w.Slack.AddGroup(fakeslack.Group{ID: "S0CLOUDOPS", Handle: "cloudops", Name: "cloudOps", Users: []string{"U0CLEO"}})
	w.Slack.AddGroup(fakeslack.Group{ID: "S0PROTO", Handle: "prototype-pushers", Name: "Prototype pushers", Users: []string{"U0PIA"}})
	w.Jenkins.AddJob(Job, fakejenkins.JobSpec{Parameters: []fakejenkins.Parameter{{Name: "ImageTag"}}, Next: 810})
	w.Jenkins.OnStage = w.stageEnded
	return w
}

// Commit is the full commit that begins with short.
func Commit(short string) string {
	sum := sha1.Sum([]byte(short))
	return (short + hex.EncodeToString(sum[:]))[:40]
}

// Push adds a commit to the end of master.
func (w *World) Push(short, author, subject string) string {
	c := fakegithub.CommitSpec{SHA: Commit(short), Subject: subject, Login: author}
	if head := w.GitHub.Branch("master"); head != "" {
		c.Parents = []string{head}
	}
	sha := w.GitHub.AddCommit(c)
	w.GitHub.SetBranch("master", sha)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.touch()
	return sha
}

// Serve makes an app serve a commit.
func (w *World) Serve(app, commit string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serves[app] = commit
	w.deployed(app, "")
	w.Apps[app].Serve(commit)
}

// Live is what an app serves.
func (w *World) Live(app string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.serves[app]
}

// Run starts a run of the pipeline for a commit. Stages before the one named
// from are over at once; "" begins at the beginning.
func (w *World) Run(commit, from string, input fakejenkins.InputSpec) (int, error) {
	stages := []fakejenkins.StageSpec{
		{Name: Build, Takes: w.pace.Build}, {Name: ToStage, Takes: w.pace.ToStage},
		{Name: ToProd, Takes: w.pace.ToProd, Input: &input},
	}
	for i := range stages {
		if from == "" || stages[i].Name == from {
			break
		}
		stages[i].Takes = 0
	}
	w.mu.Lock()
	defer w.mu.Unlock() // a stage that is over at once must find its run's commit
	n, err := w.Jenkins.StartRun(Job, fakejenkins.RunSpec{
		DisplayName: commit[:7], Parameters: map[string]string{"ImageTag": "master-" + commit}, Stages: stages,
	})
	w.carries[n] = commit
	return n, err
}

// stageEnded makes the app serve what the stage deployed; in a rollout old and
// new pods answer in turn.
func (w *World) stageEnded(_ string, run int, stage, status string) {
	app := map[string]string{ToStage: "stage", ToProd: "production"}[stage]
	if app == "" || status != "SUCCESS" {
		return
	}
	go func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		commit, old := w.carries[run], w.serves[app]
		if commit == "" || w.apps[app].Stuck {
			return
		}
		w.deployed(app, commit)
		w.Apps[app].Rollout(old, commit)
		w.timers = append(w.timers, time.AfterFunc(w.pace.Rollout, func() { w.Serve(app, commit) }))
	}()
}

// Usual is the world one finds on an ordinary day: production on 445ee07, three
// commits behind stage, and two runs that wait to be promoted.
func (w *World) Usual() error {
	base := w.Push("445ee07", "dov", "Bug 1789990 - Remove unused perfherder endpoint (#9095)")
	first := w.Push("1a2b3c4", "cid", "Bug 1789995 - Fix sorting of alerts (#9098)")
	w.Push("2b3c4d5", "dov", "Bump celery from 5.3 to 5.4 (#9099)")
	w.Push("3c4d5e6", "bea", "Bug 1789999 - Cache push health by revision (#9100)")
	head := w.Push("9f8e7d6", "bea", "Bug 1790001 - Speed up push health (#9101)")
	w.Serve("production", base)
	w.Serve("stage", head)
	w.Serve("prototype", first)
	w.Serve("taskcluster-staging", head)
	w.Jenkins.OnStage = nil // what these runs deploy is served already
	past, err := w.Jenkins.StartRun(Job, fakejenkins.RunSpec{DisplayName: base[:7], Parameters: map[string]string{"ImageTag": "master-" + base}, Result: "SUCCESS",
		Stages: []fakejenkins.StageSpec{{Name: Build, Takes: w.pace.Build}, {Name: ToStage, Takes: w.pace.ToStage}, {Name: ToProd, Takes: w.pace.ToProd}}})
	w.mu.Lock()
	w.carries[past] = base
	w.mu.Unlock()
	for _, commit := range []string{first, head} {
		if err == nil {
			_, err = w.Run(commit, ToProd, Promotion)
		}
	}
	w.Jenkins.OnStage = w.stageEnded
	return err
}

// Promotion is the input that a run of the pipeline waits at.
var Promotion = fakejenkins.InputSpec{ID: "Promote", Message: "Deploy to production?"}

// URL is where a service of the world is reached, once it listens.
func (w *World) URL(service string) string { return w.urls[service] }

// OnPipe lets the world be reached over memory, for a testing/synctest bubble.
func (w *World) OnPipe() {
	w.pipe = fakehttp.NewPipe()
	byHost := map[string]http.Handler{}
	for service, host := range hosts {
		w.urls[service] = "http://" + host + "/"
		byHost[host] = w.handler(service)
	}
	w.Slack.BaseURL = "http://" + hosts["slack"]
	w.serve(w.pipe, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if h := byHost[r.Host]; h != nil {
			h.ServeHTTP(rw, r)
			return
		}
		http.Error(rw, "no such host in this world", http.StatusBadGateway)
	}))
}

// Dial reaches a world that is on a pipe.
func (w *World) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return w.pipe.Dial(ctx, network, address)
}

// OnLoopback lets the world be reached over TCP, on 127.0.0.1 only, each
// service on a port of its own.
func (w *World) OnLoopback() error {
	for service := range hosts {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		w.urls[service] = "http://" + l.Addr().String() + "/"
		w.serve(l, w.handler(service))
	}
	w.Slack.BaseURL = w.urls["slack"][:len(w.urls["slack"])-1]
	return nil
}

func (w *World) handler(service string) http.Handler {
	switch service {
	case "slack":
		return w.Slack
	case "jenkins":
		return w.Jenkins
	case "github":
		return w.GitHub
	}
	return w.Apps[service]
}

func (w *World) serve(l net.Listener, h http.Handler) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	w.servers = append(w.servers, s)
	go func() { _ = s.Serve(l) }()
}

// Close ends the world.
func (w *World) Close() error {
	w.Slack.Close()
	w.Jenkins.Stop()
	w.mu.Lock()
	for _, t := range w.timers {
		t.Stop()
	}
	w.mu.Unlock()
	var errs []error
	for _, s := range w.servers {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// Gate sets what is called at each moment of each request, of any service. Set
// it before the world is listened to.
func (w *World) Gate(gate func(call, moment string)) {
	w.Slack.Gate, w.Jenkins.Gate, w.GitHub.Gate = gate, gate, gate
	for _, a := range w.Apps {
		a.Gate = gate
	}
}

// Unexpected lists what the bot asked for that the real services would not
// understand, or that the fakes do not know.
func (w *World) Unexpected() (all []string) {
	all = append(append(append(all, w.Slack.Unexpected()...), w.Jenkins.Unexpected()...), w.GitHub.Unexpected()...)
	for _, a := range w.Apps {
		all = append(all, a.Unexpected()...)
	}
	return all
}

// Config is the bot's configuration for this world, as YAML.
func (w *World) Config(ledger, times string) string {
	return fmt.Sprintf(`slack:
  api_url: %sapi/
  channel: %s
ledger: %q
jenkins: {url: %s}
github: {api_url: %s, repository: mozilla/treeherder}
roles:
  admins: [S0ADMINS]
  cloudops: [S0CLOUDOPS]
  prototype_pushers: [S0PROTO]
environments:
  - name: production
    aliases: [prod]
    url: %s
    branch: master
    jenkins: {job: %s, stage: %s, commit_from: {parameter: ImageTag}}
    confirm: {expires: 20m}
  - name: stage
    url: %s
    branch: master
    deploys: "It deploys by itself, from every push to master."
  - name: prototype
    aliases: [proto]
    url: %s
    branch: prototype
    deploys: "It deploys by itself, from every push to the branch prototype; an admin of the repository can let you push there."
  - name: taskcluster-staging
    aliases: [tc]
    url: %s
    branch: taskcluster-staging
    deploys: "It has its own pipeline, which I do not know."
times: {%s}
`, w.URL("slack"), Channel, ledger, w.URL("jenkins"), w.URL("github"), w.URL("production"), Job, ToProd,
		w.URL("stage"), w.URL("prototype"), w.URL("taskcluster-staging"), times)
}

// Env is the environment that the bot is started with: secrets that are none.
func Env() map[string]string {
	return map[string]string{
		"SLACK_APP_TOKEN": fakeslack.DefaultAppToken, "SLACK_BOT_TOKEN": fakeslack.DefaultBotToken,
		"JENKINS_USER": fakejenkins.User, "JENKINS_TOKEN": fakejenkins.Token, "GITHUB_TOKEN": fakegithub.Token,
	}
}
