package world

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"thbot/integrations/slack/fakeslack"
)

// File describes a world to start from, as a YAML file does; usual.yaml is an
// example of all but the rare. [Load] and [Read] return only what can be built.
type File struct {
	Room     string            `yaml:"room"` // the name of the bot's channel
	People   []Person          `yaml:"people"`
	Channels []Place           `yaml:"channels"`
	Groups   []Group           `yaml:"groups"`
	Branches []Branch          `yaml:"branches"` // one that begins at another's commit comes after it
	Apps     map[string]string `yaml:"apps"`     // what each serves: a short commit
	NextRun  int               `yaml:"next_run"` // the number of the first run; 0: 1
	Runs     []Run             `yaml:"runs"`     // oldest first
	Bugs     []Bug             `yaml:"bugs"`     // in Bugzilla, oldest first
	Backups  []string          `yaml:"backups"`  // people who are paged after those of the room's topic
	Answers  time.Duration     `yaml:"answers"`  // how long each who is paged has to answer; 0: 5m
	// Unpinned runs deploy what they check out of master, and not what a parameter
	// says: a rebuild does not bring an earlier commit back.
	Unpinned bool `yaml:"unpinned"`
	// OneAtATime: a run waits until no other is left, also one that waits for people.
	OneAtATime bool  `yaml:"one_at_a_time"`
	Pace       *Pace `yaml:"pace"` // nil: as whoever builds the world has it
}

// Pace is how long things take.
type Pace struct {
	Build   time.Duration `yaml:"build"`
	ToStage time.Duration `yaml:"to_stage"`
	ToProd  time.Duration `yaml:"to_production"`
	Rollout time.Duration `yaml:"rollout"`
}

// Person is somebody in the world, and what they are there.
type Person struct {
	ID          string `yaml:"id"`
	Name        string `yaml:"name"`
	Role        string `yaml:"role"`  // in words; the rights come from the groups
	Zone        string `yaml:"zone"`  // IANA name
	Email       string `yaml:"email"` // at Slack and at Bugzilla; empty: NAME@example.org
	Guest       bool   `yaml:"guest"`
	Foreign     bool   `yaml:"foreign"` // of another workspace
	Bot         bool   `yaml:"bot"`
	Deactivated bool   `yaml:"deactivated"`
	Away        bool   `yaml:"away"`
	// Undisturbed is how long from the beginning they do not want to be disturbed.
	Undisturbed time.Duration `yaml:"undisturbed"`
}

// playable reports whether one can be p.
func (p Person) playable() bool { return !p.Bot && !p.Deactivated }

// Place is a channel.
type Place struct {
	ID      string   `yaml:"id"`
	Name    string   `yaml:"name"`
	Topic   string   `yaml:"topic"`
	Private bool     `yaml:"private"`
	Members []string `yaml:"members"` // names; none: everybody and the bot
}

// Group is a user group.
type Group struct {
	ID      string   `yaml:"id"`
	Handle  string   `yaml:"handle"`
	Name    string   `yaml:"name"`
	Role    string   `yaml:"role"` // in the bot's configuration: one of roles; empty: none
	Members []string `yaml:"members"`
}

// Branch is a branch of the repository.
type Branch struct {
	Name    string       `yaml:"name"`
	From    string       `yaml:"from"` // the short commit that it begins at; empty: at nothing
	Commits []CommitLine `yaml:"commits"`
}

// CommitLine is a commit as a list of them shows it.
type CommitLine struct {
	SHA     string `yaml:"sha"` // its first seven digits
	Author  string `yaml:"author"`
	Subject string `yaml:"subject"`
	// Files is what it changes; a first commit has those of the directory tree beside.
	Files   []Change `yaml:"files"`
	CI      string   `yaml:"ci"`      // success, failure, pending or none; empty: success
	Updates int      `yaml:"updates"` // so many updates of dependencies follow it
}

// Run is a run of the pipeline: one that is over, or one that is at a stage.
type Run struct {
	Commit    string `yaml:"commit"`
	At        string `yaml:"at"`         // the stage it is at; empty: at the first
	Result    string `yaml:"result"`     // as Jenkins says it; empty: it goes on, or waits
	StartedBy string `yaml:"started_by"` // a login of Jenkins; empty: by a push
}

//go:embed usual.yaml
var usualYAML []byte

// usual is the world of an ordinary day.
var usual = func() File {
	f, err := Read("usual.yaml", bytes.NewReader(usualYAML))
	if err != nil {
		panic(err) // unreachable: every test reads it
	}
	return f
}()

// Everybody is all people of this world, those too that one cannot be.
func (w *World) Everybody() []Person { return slices.Clone(w.file.People) }

// People are those one can be in the usual world, in the order in which the
// sandbox offers them.
var People = usual.playable()

// Places are the channels of the usual world.
var Places = usual.Channels

func (f File) playable() []Person {
	return slices.DeleteFunc(slices.Clone(f.People), func(p Person) bool { return !p.playable() })
}

// Load reads a world from a file; see [Read].
func Load(path string) (File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return File{}, fmt.Errorf("reading a world: %w", err)
	}
	return Read(path, bytes.NewReader(text))
}

// Read reads a world, whose file has this name. It is strict: whatever the
// file says that could not be built is reported, all at once, with the line.
func Read(name string, r io.Reader) (File, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return File{}, fmt.Errorf("reading world %s: %w", name, err)
	}
	var f File
	yml := yaml.NewDecoder(bytes.NewReader(text))
	yml.KnownFields(true)
	if err := yml.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return File{}, fmt.Errorf("reading world %s: %w", name, err)
	}
	if err := yml.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return File{}, fmt.Errorf("reading world %s: a second document begins where the file should end", name)
	}
	c := checker{File: f, file: name}
	if err := yaml.Unmarshal(text, &c.root); err != nil {
		return File{}, fmt.Errorf("reading world %s: %w", name, err)
	}
	return f, c.check()
}

// idOf is the id of the person of that name, or the bot's.
func (f File) idOf(name string) string {
	if name == fakeslack.BotName {
		return fakeslack.BotUser
	}
	for _, p := range f.People {
		if p.Name == name {
			return p.ID
		}
	}
	return ""
}

func (f File) idsOf(names []string) (ids []string) {
	for _, name := range names {
		ids = append(ids, f.idOf(name))
	}
	return ids
}

// members are the ids of who is in c.
func (f File) members(c Place) (ids []string) {
	if len(c.Members) > 0 {
		return f.idsOf(c.Members)
	}
	for _, p := range f.People {
		if !p.Deactivated {
			ids = append(ids, p.ID)
		}
	}
	return append(ids, fakeslack.BotUser)
}

// has reports whether p has a role by a group.
func (f File) has(p Person, role string) bool {
	return slices.ContainsFunc(f.Groups, func(g Group) bool { return g.Role == role && slices.Contains(g.Members, p.Name) })
}

func (f File) place(name string) (Place, bool) {
	i := slices.IndexFunc(f.Channels, func(c Place) bool { return c.Name == name })
	if i < 0 {
		return Place{}, false
	}
	return f.Channels[i], true
}

// groupsWith are the ids of the groups that have a role.
func (f File) groupsWith(role string) (ids []string) {
	for _, g := range f.Groups {
		if g.Role == role {
			ids = append(ids, g.ID)
		}
	}
	return ids
}
