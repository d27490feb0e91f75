package deploys

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"thbot/bot"
	"thbot/integrations/jenkins"
)

// The snapshot is what was last read of Jenkins and of the apps. It stands in
// the rows of the operations that read it, so that every process has the same
// one and what happened while none was running can be told from it.

// Job is what was last read of a Jenkins job.
type Job struct {
	Name    string
	Read    time.Time // zero: not yet
	Failing time.Time // since when Jenkins gives no usable answer; zero: it does
	Alarmed bool      // and that was told
	Seen    int       // the newest run there has been
	Runs    []Run     // newest first: what Jenkins lists, and older ones that are not over
	Session string    // Jenkins' own since its last start
	InARow  bool      // it was told that runs fail in a row
	Looks   int       // that there have been
}

// Run is what was last read of one.
type Run struct {
	Number        int
	Commit        string // it deploys; empty: it cannot be told
	Building      bool
	Result        string
	Started       time.Time
	Duration      time.Duration
	Approvers     []string
	Interruptions []string
	StartedBy     string // user id; empty: nobody in particular
	Stages        []jenkins.Stage
	Paused        bool // waits at an input
}

// Ended says whether Jenkins says that it is over.
func (r Run) Ended() bool { return !r.Building }

// Stage is the stage of that name; a name that stands twice means the later.
func (r Run) Stage(name string) (jenkins.Stage, bool) {
	return Stage(jenkins.Progress{Stages: r.Stages}, name)
}

// Run is the run of that number, if the snapshot has it.
func (j Job) Run(number int) (Run, bool) {
	for _, r := range j.Runs {
		if r.Number == number {
			return r, true
		}
	}
	return Run{}, false
}

// Waiting is the newest run that waits at an input, if there is one.
func (j Job) Waiting() (Run, bool) {
	for _, r := range j.Runs {
		if r.Building && r.Paused {
			return r, true
		}
	}
	return Run{}, false
}

// Usual is how long the stage took in the newest run that succeeded; 0: no run
// that is known did.
func (j Job) Usual(stage string) time.Duration {
	for _, r := range j.Runs {
		s, ok := r.Stage(stage)
		if ok && !r.Building && r.Result == jenkins.Success && s.Status == jenkins.StageSuccess {
			return (s.Duration - s.Pause).Round(time.Second)
		}
	}
	return 0
}

// App is what was last read of a deployed app.
type App struct {
	Environment string
	Read        time.Time // of the last usable answer; zero: none yet
	Failing     time.Time // since when it gives none; zero: it does
	Alarmed     bool      // and that was told
	Commit      string    // it serves: three answers in a row said so
	Since       time.Time // when that was first seen; zero: it was so already
	Before      string    // what it served before
	Next        string    // what it seems to serve from now on
	Seen        int       // answers in a row that said so
	Offside     string    // a commit of which it was told that it is not on the branch
}

// Scopes by which the rows of the snapshot are found.
func JobScope(job string) string { return "watch/job/" + job }
func AppScope(env string) string { return "watch/app/" + env }

// JobIn reads what is known of a job; the zero Job, if nothing is.
func JobIn(v bot.View, job string) (Job, error) { return Watched[Job](v, JobScope(job)) }

// AppIn reads what is known of an app; the zero App, if nothing is.
func AppIn(v bot.View, env string) (App, error) { return Watched[App](v, AppScope(env)) }

// Watched reads what the watcher that holds a scope has noted; the zero D, if
// there is none.
func Watched[D any](v bot.View, scope string) (d D, err error) {
	id, err := v.Holder(scope)
	if err != nil || id == "" {
		return d, err
	}
	o, err := v.Operation(id)
	if errors.Is(err, bot.ErrNotFound) {
		return d, nil
	}
	if err == nil {
		err = json.Unmarshal(o.Data, &d)
	}
	if err != nil {
		return d, fmt.Errorf("reading what is known as %s: %w", scope, err)
	}
	return d, nil
}
