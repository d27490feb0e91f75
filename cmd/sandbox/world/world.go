// Package world is a pretend Treeherder to try the bot in: a Slack workspace
// with people in it, a Jenkins with a pipeline, a GitHub with commits, and the
// deployed apps, coupled as the real ones are. The sandbox and the tests start
// the real bot in it.
package world

import (
	"cmp"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"thbot/integrations/bugzilla/fakebugzilla"
	"thbot/integrations/fakehttp"
	"thbot/integrations/github/fakegithub"
	"thbot/integrations/jenkins/fakejenkins"
	"thbot/integrations/slack/fakeslack"
	"thbot/integrations/treeherder/faketreeherder"
)

// Names of what is in the usual world.
const (
	Channel = "C0TREEHERDER"
	Room    = "treeherder-ops"
	General = "C0GENERAL"
)

// Names of what is in every world.
const (
	Master  = "master"
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
	"bugzilla":            "bugzilla.test",
	"production":          "treeherder.test",
	"stage":               "stage.treeherder.test",
	"prototype":           "prototype.treeherder.test",
	"taskcluster-staging": "tc-staging.treeherder.test",
}

// Real is about the pace of the real pipeline.
var Real = Pace{Build: 4 * time.Minute, ToStage: 3 * time.Minute, ToProd: 6 * time.Minute, Rollout: 20 * time.Second}

// World is the fakes and what couples them.
type World struct {
	Slack   *fakeslack.Server
	Jenkins *fakejenkins.Server
	GitHub  *fakegithub.Server
	Bugs    *fakebugzilla.Server
	Apps    map[string]*faketreeherder.App
	// Answered, if set, is told of each call to Jenkins and the status it was
	// answered with, 0 for none. Set it before the world is listened to.
	Answered func(call string, status int)

	file     File
	pace     Pace
	gate     func(call, moment string) // of Slack; nil: none
	past     atomic.Bool               // what stages deploy now is served already
	closing  sync.Once
	closed   chan struct{}
	unpinned bool // runs deploy what they check out

	mu       sync.Mutex
	serves   map[string]string   // by app
	apps     map[string]AppState // what else there is to say of an app
	branches []string            // those that are known
	head     string              // of the branch prototype, when it was looked at last
	trees    map[string]files    // by commit
	ci       map[string]string   // what CI says, by commit
	checks   map[string]int64    // its check runs, by commit
	hostile  *hostility          // nil: Slack behaves
	answers  time.Duration       // how long each who is paged has; 0: as the file says
	changed  chan struct{}       // closed and forgotten at the next change
	timers   []*time.Timer
	urls     map[string]string
	servers  []*http.Server
	pipe     *fakehttp.Pipe
}

// New returns the usual world before anything is in it but people and an empty
// pipeline; see [World.Usual].
func New(pace Pace) *World { return usual.New(pace) }

// New returns the world of f with nothing in it but people and an empty
// pipeline. It goes at this pace, unless the file has one of its own.
func (f File) New(pace Pace) *World {
	if f.Pace != nil {
		pace = *f.Pace
	}
	w := &World{
		Slack: &fakeslack.Server{}, Jenkins: &fakejenkins.Server{}, GitHub: &fakegithub.Server{}, Bugs: &fakebugzilla.Server{},
		Apps: map[string]*faketreeherder.App{}, file: f, pace: pace, closed: make(chan struct{}),
		serves: map[string]string{}, apps: map[string]AppState{}, urls: map[string]string{},
		trees: map[string]files{}, ci: map[string]string{}, checks: map[string]int64{},
	}
	for _, name := range Environments {
		w.Apps[name] = &faketreeherder.App{Name: name}
	}
	for _, p := range f.People {
		person := fakeslack.Person{ID: p.ID, Name: p.Name, Email: p.Name + "@example.org", Zone: p.Zone, Guest: p.Guest, Bot: p.Bot, Deleted: p.Deactivated}
		if p.Foreign {
			person.Team = "T0ELSEWHERE"
		}
		w.Slack.AddPerson(person)
		w.Slack.SetPresence(p.ID, !p.Away)
		if p.Undisturbed > 0 {
			w.Slack.SetDND(p.ID, time.Now().Add(p.Undisturbed))
		}
	}
	for _, c := range f.Channels {
		w.Slack.AddChannel(fakeslack.Channel{ID: c.ID, Name: c.Name, Topic: c.Topic, Private: c.Private, Members: f.members(c)})
	}
	for _, g := range f.Groups {
		w.Slack.AddGroup(fakeslack.Group{ID: g.ID, Handle: g.Handle, Name: g.Name, Users: f.idsOf(g.Members)})
	}
	w.Slack.Subscribed = []string{"app_home_opened"}
	w.Slack.Gate, w.GitHub.Gate = w.atSlack, w.atGitHub
	w.unpinned = f.Unpinned
	w.addJob()
	w.Jenkins.OnStage = w.stageEnded
	return w
}

// People are those one can be in this world.
func (w *World) People() []Person { return w.file.playable() }

// Places are the channels of this world.
func (w *World) Places() []Place { return w.file.Channels }

// PlacesOf are the channels that somebody can see: all but the private ones
// that they are not in.
func (w *World) PlacesOf(person string) []Place {
	return slices.DeleteFunc(slices.Clone(w.file.Channels), func(c Place) bool {
		return c.Private && !slices.Contains(w.file.members(c), person)
	})
}

// Commit is the full commit that begins with short.
func Commit(short string) string {
	sum := sha1.Sum([]byte(short))
	return (short + hex.EncodeToString(sum[:]))[:40]
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
	return w.startRun(commit, from, fakejenkins.RunSpec{Stages: w.stages(&input)})
}

// RunBy starts a run for a commit as somebody does by hand in Jenkins.
func (w *World) RunBy(user, commit string) (int, error) {
	return w.startRun(commit, "", fakejenkins.RunSpec{Stages: w.stages(&Promotion), Causes: []fakejenkins.Cause{fakejenkins.ByUser(user)}})
}

func (w *World) startRun(commit, from string, spec fakejenkins.RunSpec) (int, error) {
	for i := range spec.Stages {
		if from == "" || spec.Stages[i].Name == from {
			break
		}
		spec.Stages[i].Takes = 0
	}
	return w.Jenkins.StartRun(Job, w.carrying(commit, spec))
}

func (w *World) stages(input *fakejenkins.InputSpec) []fakejenkins.StageSpec {
	return []fakejenkins.StageSpec{
		{Name: Build, Takes: w.pace.Build}, {Name: ToStage, Takes: w.pace.ToStage},
		{Name: ToProd, Takes: w.pace.ToProd, Input: input},
	}
}

// stageEnded makes the app serve what the stage deployed.
func (w *World) stageEnded(_ string, run int, stage, status string) {
	app := map[string]string{ToStage: "stage", ToProd: "production"}[stage]
	if app == "" || status != "SUCCESS" || w.past.Load() {
		return
	}
	go func() { w.rollout(app, w.Carries(run)) }() // Jenkins can be asked for the run only after this has returned
}

// Usual lets there be what the world's file has beside people: the branches,
// what the apps serve, and the runs.
func (w *World) Usual() error {
	w.past.Store(true)
	defer w.past.Store(false)
	for _, b := range w.file.Branches {
		w.begin(b)
	}
	w.follow()
	for _, name := range Environments {
		w.Serve(name, Commit(w.file.Apps[name]))
	}
	for _, r := range w.file.Runs {
		spec := fakejenkins.RunSpec{Result: r.Result, Stages: w.stages(&Promotion)}
		if r.StartedBy != "" {
			spec.Causes = []fakejenkins.Cause{fakejenkins.ByUser(r.StartedBy)}
		}
		if _, err := w.startRun(Commit(r.Commit), r.At, spec); err != nil {
			return err
		}
	}
	return nil
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
		if w.Answered == nil {
			return w.Jenkins
		}
		return answers{w.Jenkins, w.Answered}
	case "github":
		return w.GitHub
	case "bugzilla":
		return w.Bugs
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
	w.closing.Do(func() { close(w.closed) })
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
	w.gate, w.Jenkins.Gate, w.Bugs.Gate = gate, gate, gate // those of Slack and GitHub pass it on
	for _, a := range w.Apps {
		a.Gate = gate
	}
}

// Unexpected lists what the bot asked for that the real services would not
// understand, or that the fakes do not know.
func (w *World) Unexpected() (all []string) {
	all = append(append(append(all, w.Slack.Unexpected()...), w.Jenkins.Unexpected()...), w.GitHub.Unexpected()...)
	all = append(all, w.Bugs.Unexpected()...)
	for _, a := range w.Apps {
		all = append(all, a.Unexpected()...)
	}
	return all
}

// Config is the bot's configuration for this world, as YAML.
func (w *World) Config(ledger, times string) string {
	room, _ := w.file.place(w.file.Room) // checked to be there
	var rights strings.Builder
	for _, role := range roles {
		fmt.Fprintf(&rights, "  %s: [%s]\n", role, strings.Join(w.file.groupsWith(role), ", "))
	}
	return fmt.Sprintf(`slack:
  api_url: %[1]sapi/
  channel: %[2]s
ledger: %[3]q
jenkins: {url: %[4]s}
github: {api_url: %[5]s, repository: mozilla/treeherder, infra_repository: mozilla-services/cloudops-infra}
bugzilla: {url: %[18]s}
roles:
%[6]speople: {}
contact: {backups: [%[16]s], procedure: "https://mana.example/oncall", acknowledge_within: %[17]s}
environments:
  - name: production
    aliases: [prod]
    url: %[7]s
    branch: master
    jenkins: {job: %[8]s, stage: %[9]s, commit_from: %[15]s}
    confirm: {expires: 20m}
  - name: stage
    url: %[10]s
    branch: master
    jenkins: {job: %[8]s, stage: %[11]s, commit_from: %[15]s}
    deploys: "It deploys by itself, from every push to master."
  - name: prototype
    aliases: [proto]
    url: %[12]s
    branch: prototype
    reset_to: master
    drift: 336h
    deploys: "It deploys by itself, from every push to the branch prototype; an admin of the repository can let you push there."
  - name: taskcluster-staging
    aliases: [tc]
    url: %[13]s
    branch: taskcluster-staging
    deploys: "It has its own pipeline, which I do not know."
times: {%[14]s}
`, w.URL("slack"), room.ID, ledger, w.URL("jenkins"), w.URL("github"), rights.String(), w.URL("production"), Job, ToProd,
		w.URL("stage"), ToStage, w.URL("prototype"), w.URL("taskcluster-staging"), times, w.commitFrom(), strings.Join(w.file.idsOf(w.file.Backups), ", "), w.Answers(), w.URL("bugzilla"))
}

// Env is the environment that the bot is started with: secrets that are none.
func Env() map[string]string {
	return map[string]string{
		"SLACK_APP_TOKEN": fakeslack.DefaultAppToken, "SLACK_BOT_TOKEN": fakeslack.DefaultBotToken,
		"JENKINS_USER": fakejenkins.User, "JENKINS_TOKEN": fakejenkins.Token, "GITHUB_TOKEN": fakegithub.Token, "BUGZILLA_API_KEY": fakebugzilla.Key,
	}
}

// Answers is how long each who is paged has to answer.
func (w *World) Answers() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return cmp.Or(w.answers, w.file.Answers, 5*time.Minute)
}

// AnswerWithin changes that, for the next configuration; 0: as the world has it.
func (w *World) AnswerWithin(length time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers = length
}

// Room is the id of the bot's channel.
func (w *World) Room() string {
	room, _ := w.file.place(w.file.Room) // checked to be there
	return room.ID
}

// UsualTopic is the topic that the channel had in the beginning.
func (w *World) UsualTopic() string {
	room, _ := w.file.place(w.file.Room)
	return room.Topic
}
