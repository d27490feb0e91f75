package main

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/jenkins/fakejenkins"
	"thbot/integrations/slack/fakeslack"
)

// state is the world as one looks at it from above.
type state struct {
	People       []person          `json:"people"`   // whom one can be
	Channels     []channel         `json:"channels"` // where one can talk
	Commands     []command         `json:"commands"` // of the bot
	Names        map[string]string `json:"names"`    // of everybody who is mentioned, by id
	Environments []environment     `json:"environments"`
	Pipeline     []string          `json:"pipeline"` // the stages that every run has
	Runs         []runState        `json:"runs"`     // newest first
	Commits      []commit          `json:"commits"`  // of master, newest first
	Branches     []branch          `json:"branches"` // master first
	Hostile      uint64            `json:"hostile"`  // the seed that Slack misbehaves by; 0: it behaves
	Bot          botState          `json:"bot"`
	Jenkins      service           `json:"jenkins"`
	GitHub       service           `json:"github"`
	Bugzilla     bugzilla          `json:"bugzilla"`
	Databases    databases         `json:"databases"`
	Switches     []switchState     `json:"switches"`
	Journal      []entry           `json:"journal"`    // the last that happened, newest first
	Unexpected   []string          `json:"unexpected"` // what the bot asked for that the real services do not know
}

type person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Role string `json:"role"`
	Zone string `json:"zone,omitempty"` // IANA name of the time zone
	Is   string `json:"is,omitempty"`   // away, not to be disturbed
}

type channel struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Topic string `json:"topic"` // as the Web API has it
}

type environment struct {
	Name   string `json:"name"`
	URL    string `json:"url"`
	Live   string `json:"live"`           // commit
	Next   string `json:"next,omitempty"` // commit that is rolled out just now
	Broken bool   `json:"broken"`         // it answers 502
	Stuck  bool   `json:"stuck"`          // deploys have no effect
}

type runState struct {
	Number  int      `json:"number"`
	Name    string   `json:"name"`
	Commit  string   `json:"commit"`
	Going   bool     `json:"going"`
	Result  string   `json:"result,omitempty"` // as Jenkins says it
	Started int64    `json:"started"`          // Unix time
	Stages  []stage  `json:"stages"`           // those it has reached
	Inputs  []string `json:"inputs"`           // it waits for
}

type stage struct {
	Name   string `json:"name"`
	Status string `json:"status"` // as Jenkins says it
}

type commit struct {
	SHA     string `json:"sha"`
	Subject string `json:"subject"`
	Author  string `json:"author"`
	CI      string `json:"ci"` // success, failure, pending or none
}

type branch struct {
	Name    string   `json:"name"`
	Head    string   `json:"head"`
	Ahead   int      `json:"ahead"` // of master, in commits
	Behind  int      `json:"behind"`
	Commits []commit `json:"commits"` // that master does not have, newest first
}

type botState struct {
	processState
	ID      string `json:"id"`
	Name    string `json:"name"`
	Sockets int    `json:"sockets"`
	Log     string `json:"log"` // the file
}

type service struct {
	URL        string `json:"url"`
	Down       bool   `json:"down"`
	Restarting bool   `json:"restarting"`
}

type entry struct {
	At   time.Time `json:"at"`
	Who  string    `json:"who"`
	What string    `json:"what"`
}

// shownCommits is how many commits of master are shown.
const shownCommits = 20

// inJournal is how many entries of the journal are shown.
const inJournal = 60

func (s *sandbox) world(r *http.Request) (any, error) {
	sc := s.now()
	runs, err := sc.Jenkins.Runs(world.Job)
	if err != nil {
		return nil, err
	}
	st := state{
		Names: map[string]string{fakeslack.BotUser: fakeslack.BotName, fakeslack.Slackbot: "Slackbot"}, Pipeline: world.Stages, Commands: sc.knownCommands(), Hostile: sc.Hostility(),
		Bot:        botState{sc.bot.state(), fakeslack.BotUser, fakeslack.BotName, sc.Slack.Sockets(), s.logFile()},
		Jenkins:    service{sc.URL("jenkins"), sc.outages().Jenkins, time.Since(sc.outages().Restarted) < boot+loading},
		GitHub:     service{sc.URL("github"), sc.outages().GitHub, false},
		Bugzilla:   sc.bugzilla(),
		Databases:  sc.databases(r.Context()),
		Journal:    sc.journal(),
		Unexpected: append([]string{}, sc.Unexpected()...),
	}
	for _, p := range sc.People() {
		st.People = append(st.People, person{p.ID, p.Name, p.Role, p.Zone, availability(sc.Slack, p.ID)})
	}
	for _, p := range sc.Everybody() {
		st.Names[p.ID] = p.Name
	}
	for _, c := range sc.Places() {
		st.Channels = append(st.Channels, channel{c.ID, c.Name, sc.Slack.Topic(c.ID)})
	}
	for _, name := range world.Environments {
		a := sc.State(name)
		st.Environments = append(st.Environments, environment{name, sc.URL(name), a.Live, a.Next, a.Broken, a.Stuck})
	}
	for _, r := range runs {
		st.Runs = append(st.Runs, sc.show(r))
	}
	st.Commits = sc.commits(world.Master, shownCommits)
	for _, b := range sc.Branches() {
		st.Branches = append(st.Branches, branch{b.Name, b.Head, b.Ahead, b.Behind, sc.commits(b.Name, b.Ahead)})
	}
	for _, w := range switches() {
		st.Switches = append(st.Switches, w.state(sc))
	}
	return st, nil
}

// commits are the newest so many of a branch.
func (sc *scene) commits(branch string, most int) []commit {
	list := []commit{}
	for _, c := range sc.Log(branch) {
		if len(list) == most {
			break
		}
		list = append(list, commit{c.SHA, c.Subject, c.Login, sc.CIOf(c.SHA)})
	}
	return list
}

func (sc *scene) show(r fakejenkins.RunState) runState {
	shown := runState{Number: r.Number, Name: r.DisplayName, Commit: sc.Carries(r.Number), Going: r.Result == "", Result: r.Result,
		Started: r.Started.Unix(), Stages: []stage{}, Inputs: append([]string{}, r.Inputs...)}
	for _, s := range r.Stages {
		shown.Stages = append(shown.Stages, stage(s))
	}
	return shown
}

// envelopeID is an envelope_id of fakeslack; its end tells it from others.
var envelopeID = regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-4fff-8fff-[0-9a-f]{7,}([0-9a-f]{5})\b`)

// journal is the last that happened anywhere, newest first.
func (sc *scene) journal() []entry {
	all := []entry{}
	for _, e := range sc.Slack.Journal() {
		call := strings.TrimPrefix(e.Call, "slack ")
		if strings.HasPrefix(e.Note, call) {
			call = "" // the note says so already
		}
		all = append(all, entry{e.At, "Slack", strings.TrimSpace(call + " " + envelopeID.ReplaceAllString(e.Note, "$1"))})
	}
	for _, e := range sc.Jenkins.Journal() {
		all = append(all, entry{e.At, "Jenkins", effect(e)})
	}
	for _, e := range sc.GitHub.Journal() {
		all = append(all, entry{e.At, "GitHub", fmt.Sprintf("%s %d", e.Call, e.Status)})
	}
	for _, e := range sc.Bugzilla.Journal() {
		all = append(all, entry{e.At, "Bugzilla", fmt.Sprintf("%s %d", e.Call, e.Status)})
	}
	for _, name := range world.Environments {
		for _, e := range sc.Apps[name].Journal() {
			all = append(all, entry{e.At, name, fmt.Sprintf("%s %d", e.Call, e.Status)})
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int { return b.At.Compare(a.At) })
	return all[:min(len(all), inJournal)]
}

// effect says what happened in Jenkins: "run 812: proceeded Promote by dov".
func effect(e fakejenkins.Effect) string {
	said := strings.TrimSpace(e.What + " " + e.On)
	if e.Run != 0 {
		said = fmt.Sprintf("run %d: %s", e.Run, said)
	}
	if e.Who != "" {
		said += " by " + e.Who
	}
	return said
}

func (sc *scene) knownCommands() []command {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	return append([]command{}, sc.commands...)
}

func (sc *scene) outages() outages {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	return sc.broken
}
