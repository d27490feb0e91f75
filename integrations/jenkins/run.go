package jenkins

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Results of a run. Until it has one, its result is empty.
const (
	Success  = "SUCCESS"
	Unstable = "UNSTABLE"
	Failure  = "FAILURE"
	NotBuilt = "NOT_BUILT"
	Aborted  = "ABORTED"
)

// Run is one run of a job, as one answer said. Its number names it; display
// names are free text, and two runs can have the same.
type Run struct {
	Number      int    `json:"number"`
	DisplayName string `json:"display_name"`
	// Building is the only thing that says whether the run ended. Result may be
	// set before (by currentBuild.result or catchError), and success does not
	// prove that a stage ran: an input may have timed out inside a try.
	Building   bool          `json:"building"`
	Result     string        `json:"result,omitempty"`
	Started    time.Time     `json:"started"`
	Duration   time.Duration `json:"duration"`  // 0 while building
	Estimated  time.Duration `json:"estimated"` // 0: Jenkins has no idea yet
	QueueID    int64         `json:"queue_id,omitempty"`
	Causes     []Cause       `json:"causes,omitempty"`
	Parameters []Value       `json:"parameters,omitempty"` // without passwords: Jenkins does not tell them
	Git        []GitData     `json:"git,omitempty"`
	Revision   string        `json:"revision,omitempty"` // of a branch job's SCMRevisionAction
	// Approvers are user ids, one for each input answered with yes, in order.
	// When that was is not told (ApproverAction.java). Of a stage that begins with
	// its input, it is the stage's Started and Pause together.
	Approvers []string `json:"approvers,omitempty"`
	// Interruptions say why it was aborted: "Rejected by bea", "Aborted by bea",
	// "Superseded by #813", "Timeout has been exceeded".
	Interruptions []string `json:"interruptions,omitempty"`
	// Interrupted is the same, with what there is to tell them apart by.
	Interrupted []Interruption `json:"interrupted,omitempty"`
	// Session is Jenkins' own since its last start. "No input is pending" in a
	// new session may mean that the run has not been loaded yet.
	Session string `json:"session,omitempty"`
}

// Cause is why a run was started.
type Cause struct {
	Class       string `json:"class"`
	Text        string `json:"text"`
	User        string `json:"user,omitempty"` // id
	UserName    string `json:"user_name,omitempty"`
	UpstreamJob string `json:"upstream_job,omitempty"`
	UpstreamRun int    `json:"upstream_run,omitempty"` // of a rebuild and a replay: the run that was done again
}

// Classes of causes that mean something to the bot.
const (
	CauseUser    = "hudson.model.Cause$UserIdCause"
	CauseRebuild = "com.sonyericsson.rebuild.RebuildCause"
	CauseReplay  = "org.jenkinsci.plugins.workflow.cps.replay.ReplayCause"
)

// Interruption is why a run was ended before its time.
type Interruption struct {
	Class string    `json:"class"`
	Text  string    `json:"text"`           // in the server's language; with the id of who stopped it, the name of who rejected it
	User  string    `json:"user,omitempty"` // id, of a rejection
	At    time.Time `json:"at,omitzero"`    // of a rejection
}

// Classes of interruptions that mean something to the bot.
const (
	InterruptedByUser = "jenkins.model.CauseOfInterruption$UserInterruption"
	Rejected          = "org.jenkinsci.plugins.workflow.support.steps.input.Rejection"
	TimedOut          = "org.jenkinsci.plugins.workflow.steps.TimeoutStepExecution$ExceededTimeout"
	// A newer run passed a milestone, or, of a job without concurrent runs, began.
	SupersededAtMilestone = "org.jenkinsci.plugins.pipeline.milestone.CancelledCause"
	SupersededAtStart     = "org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty$CancelledCause"
)

// Superseded reports whether a newer run put an end to this one.
func (r Run) Superseded() bool {
	return slices.ContainsFunc(r.Interrupted, func(i Interruption) bool {
		return i.Class == SupersededAtMilestone || i.Class == SupersededAtStart
	})
}

// Value is a parameter's value.
type Value struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// GitData is one checkout of a run: of the application, of a shared library, of
// the infrastructure's repository.
type GitData struct {
	SHA      string   `json:"sha"`
	Branches []string `json:"branches,omitempty"`
	Remotes  []string `json:"remotes"`
}

// Parameter returns the value of a parameter, and whether it has one.
func (r Run) Parameter(name string) (string, bool) {
	for _, p := range r.Parameters {
		if p.Name == name {
			return p.Value, true
		}
	}
	return "", false
}

// StartedBy is the user who started the run by hand, or the zero Cause.
func (r Run) StartedBy() Cause {
	for _, c := range r.Causes {
		if c.Class == CauseUser {
			return c
		}
	}
	return Cause{}
}

// Runs is a job with its newest runs.
type Runs struct {
	Runs  []Run   `json:"runs"` // newest first, at most 20
	Next  int     `json:"next"` // the number that the next run will get
	Queue *Queued `json:"queue,omitempty"`
	// Disabled says that nothing can start one.
	Disabled bool `json:"disabled,omitempty"`
	// Session is Jenkins' own since its last start.
	Session string `json:"session"`
}

// Queued is a run of the job that has not begun.
type Queued struct {
	ID     int64     `json:"id"`
	Why    string    `json:"why"`
	Since  time.Time `json:"since"`
	Causes []Cause   `json:"causes,omitempty"`
}

// mostRuns is how many runs of a job are asked for.
const mostRuns = 20

// An action's executions and waitingForInput are not asked for: each would make
// Jenkins load the run's program, for up to a minute after a restart
// (InputAction.java, LOAD_EXECUTIONS_TIMEOUT). A tree's unknown names are
// dropped by Jenkins without a word.
const (
	runTree = "number,displayName,building,result,timestamp,duration,estimatedDuration,queueId," +
		"actions[_class,causes[_class,shortDescription,userId,userName,upstreamBuild,upstreamProject,user[id],timestamp]," +
		"parameters[name,value],lastBuiltRevision[SHA1,branch[name]],remoteUrls,userId,revision[hash,pullHash]]"
	causeTree = "causes[_class,shortDescription,userId,userName,upstreamBuild,upstreamProject]"
	itemTree  = "id,why,inQueueSince,actions[_class," + causeTree + "]"
	queueTree = "items[" + itemTree + ",task[url]]"
	jobTree   = "nextBuildNumber,buildable,inQueue,queueItem[" + itemTree + "],builds[" + runTree + "]{0,20}"
)

// Runs returns the newest runs of a job.
func (c *Client) Runs(ctx context.Context, job string) (Runs, error) {
	activity := "reading the runs of " + job
	raw, session, err := c.getJSON(ctx, activity, jobPath(job), jobTree)
	if err != nil {
		return Runs{}, err
	}
	runs, err := decodeRuns(raw)
	if err != nil {
		return Runs{}, unreadable(activity, err)
	}
	runs.Session = session
	for i := range runs.Runs {
		runs.Runs[i].Session = session
	}
	return runs, nil
}

// Run returns one run. The error wraps bot.ErrNotFound if Jenkins has no such
// run or does not let the bot see it. It has ended if, and only if, there is no
// error and Building is false.
func (c *Client) Run(ctx context.Context, job string, n int) (Run, error) {
	activity := fmt.Sprintf("reading run %d of %s", n, job)
	raw, session, err := c.getJSON(ctx, activity, runPath(job, n), runTree)
	if err != nil {
		return Run{}, err
	}
	run, err := decodeRun(raw)
	if err == nil && run.Number != n {
		err = fmt.Errorf("the answer is about run %d", run.Number)
	}
	if err != nil {
		return Run{}, unreadable(activity, err)
	}
	run.Session = session
	return run, nil
}

type runAnswer struct {
	Number            *int
	DisplayName       string
	Building          *bool
	Result            string // null: none yet
	Timestamp         int64
	Duration          int64
	EstimatedDuration int64
	QueueID           int64
	Actions           []actionAnswer // many are {}, in old servers null
}

type actionAnswer struct {
	Class  string `json:"_class"`
	Causes []struct {
		Class            string `json:"_class"`
		ShortDescription string
		UserID           string
		UserName         string
		UpstreamProject  string
		UpstreamBuild    int
		User             struct{ ID string } // these two of a Rejection only
		Timestamp        int64
	}
	Parameters []struct {
		Name  string
		Value json.RawMessage
	}
	LastBuiltRevision struct {
		SHA1   string
		Branch []struct{ Name string }
	}
	RemoteURLs []string
	UserID     string
	Revision   struct{ Hash, PullHash string }
}

func decodeRun(raw []byte) (Run, error) {
	var a runAnswer
	if err := json.Unmarshal(raw, &a); err != nil {
		return Run{}, err
	}
	return a.run()
}

func decodeRuns(raw []byte) (Runs, error) {
	var a struct {
		NextBuildNumber *int
		Buildable       *bool
		Builds          *[]runAnswer
		QueueItem       *queuedAnswer
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return Runs{}, err
	}
	if a.NextBuildNumber == nil || a.Builds == nil {
		return Runs{}, errors.New("the answer has no runs; it may be about a folder")
	}
	runs := Runs{Next: *a.NextBuildNumber, Runs: make([]Run, 0, len(*a.Builds)),
		Disabled: a.Buildable != nil && !*a.Buildable}
	if a.QueueItem != nil {
		q := a.QueueItem.queued()
		runs.Queue = &q
	}
	for _, b := range *a.Builds {
		run, err := b.run()
		if err != nil {
			return Runs{}, err
		}
		runs.Runs = append(runs.Runs, run)
	}
	return runs, nil
}

func (a runAnswer) run() (Run, error) {
	// Any other JSON document would pass for a run that has ended.
	if a.Number == nil || a.Building == nil {
		return Run{}, errors.New("the answer does not say which run it is about, or whether that is building")
	}
	r := Run{
		Number: *a.Number, DisplayName: a.DisplayName, Building: *a.Building, Result: a.Result,
		Started: moment(a.Timestamp), Duration: span(a.Duration), Estimated: span(a.EstimatedDuration),
		QueueID: a.QueueID,
	}
	for _, x := range a.Actions {
		switch x.Class {
		case "hudson.model.CauseAction":
			r.Causes = append(r.Causes, x.startedBy()...)
		case "jenkins.model.InterruptedBuildAction": // its list is called causes, too
			for _, c := range x.Causes {
				r.Interruptions = append(r.Interruptions, c.ShortDescription)
				r.Interrupted = append(r.Interrupted, Interruption{c.Class, c.ShortDescription, c.User.ID, moment(c.Timestamp)})
			}
		case "hudson.model.ParametersAction":
			for _, p := range x.Parameters {
				if v, ok := text(p.Value); ok {
					r.Parameters = append(r.Parameters, Value{p.Name, v})
				}
			}
		case "hudson.plugins.git.util.BuildData":
			if x.LastBuiltRevision.SHA1 == "" {
				continue
			}
			g := GitData{SHA: x.LastBuiltRevision.SHA1, Remotes: x.RemoteURLs}
			for _, b := range x.LastBuiltRevision.Branch {
				g.Branches = append(g.Branches, b.Name)
			}
			r.Git = append(r.Git, g)
		case "jenkins.scm.api.SCMRevisionAction":
			if r.Revision = x.Revision.Hash; r.Revision == "" {
				r.Revision = x.Revision.PullHash
			}
		case "org.jenkinsci.plugins.workflow.support.steps.input.ApproverAction":
			if x.UserID != "" {
				r.Approvers = append(r.Approvers, x.UserID)
			}
		}
	}
	return r, nil
}

// startedBy are the causes of a run, or of what waits to become one.
func (a actionAnswer) startedBy() (list []Cause) {
	if a.Class != "hudson.model.CauseAction" { // others have causes, too
		return nil
	}
	for _, c := range a.Causes {
		cause := Cause{c.Class, c.ShortDescription, c.UserID, c.UserName, c.UpstreamProject, c.UpstreamBuild}
		if c.Class == CauseReplay {
			cause.UpstreamRun = replayedRun(c.ShortDescription)
		}
		list = append(list, cause)
	}
	return list
}

// text is a JSON string, number or boolean as text; null and absent have none.
func text(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", false
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s, true
	}
	return string(raw), true
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// span is a duration in milliseconds; Jenkins says -1 when it does not know.
func span(ms int64) time.Duration { return time.Duration(max(ms, 0)) * time.Millisecond }
