package jenkins

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Statuses of a run's progress and of its stages. They are not the results of
// a run: a run that is a Failure has stages that are StageFailed.
const (
	StageNotExecuted = "NOT_EXECUTED"
	StageAborted     = "ABORTED"
	StageSuccess     = "SUCCESS"
	StageInProgress  = "IN_PROGRESS"
	StagePaused      = "PAUSED_PENDING_INPUT"
	StageFailed      = "FAILED"
	StageUnstable    = "UNSTABLE"
)

// Progress is how far a run is. It does not say whether the run ended: its
// status turns to SUCCESS a moment before.
type Progress struct {
	Status string  `json:"status"`
	Stages []Stage `json:"stages"` // those that have begun: the list grows
}

// Stage is one stage of a run. Two may have the same name, no two the same ID.
type Stage struct {
	ID       string        `json:"id"`
	Name     string        `json:"name"`
	Status   string        `json:"status"`
	Started  time.Time     `json:"started"`
	Duration time.Duration `json:"duration"` // so far, with Pause
	Pause    time.Duration `json:"pause"`    // of it, waiting for people
	Error    string        `json:"error,omitempty"`
}

// Stages returns how far a run is. With parallel branches a stage can be in
// progress while the run is paused.
func (c *Client) Stages(ctx context.Context, job string, n int) (Progress, error) {
	activity := fmt.Sprintf("reading the stages of run %d of %s", n, job)
	raw, err := c.get(ctx, activity, runPath(job, n)+"/wfapi/describe")
	if err != nil {
		return Progress{}, err
	}
	p, err := decodeProgress(raw)
	if err != nil {
		return Progress{}, unreadable(activity, err)
	}
	return p, nil
}

// Input is a question of a run that waits for an answer. It is known by job,
// run and ID: one run may have several, one after another or at once.
type Input struct {
	ID         string      `json:"id"`
	Message    string      `json:"message"`
	Proceed    string      `json:"proceed"` // the label of the button that means yes
	Parameters []Parameter `json:"parameters,omitempty"`
}

// Parameter is declared by an input. None is filled in by Jenkins: what is not
// sent, the pipeline does not get.
type Parameter struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"` // "StringParameterDefinition", …
	Description string   `json:"description,omitempty"`
	Default     string   `json:"default,omitempty"`
	HasDefault  bool     `json:"has_default,omitempty"` // a string's may be empty
	Choices     []string `json:"choices,omitempty"`
}

// Inputs returns the inputs that a run waits at, in Jenkins' order, which means
// nothing. None does not mean that they were answered: after a restart, a run
// that has not been loaded has none for a while (compare [Run.Session]).
func (c *Client) Inputs(ctx context.Context, job string, n int) ([]Input, error) {
	activity := fmt.Sprintf("reading the pending inputs of run %d of %s", n, job)
	raw, err := c.get(ctx, activity, runPath(job, n)+"/wfapi/pendingInputActions")
	if err != nil {
		return nil, err
	}
	inputs, err := decodeInputs(raw)
	if err != nil {
		return nil, unreadable(activity, err)
	}
	return inputs, nil
}

type stageAnswer struct {
	ID                  string
	Name                string
	Status              string
	Error               struct{ Message string }
	StartTimeMillis     int64
	DurationMillis      int64
	PauseDurationMillis int64
}

type progressAnswer struct {
	Status string
	Stages []stageAnswer
}

func decodeProgress(raw []byte) (Progress, error) {
	var a progressAnswer
	if err := json.Unmarshal(raw, &a); err != nil {
		return Progress{}, err
	}
	return a.progress()
}

func (a progressAnswer) progress() (Progress, error) {
	if a.Status == "" {
		return Progress{}, errors.New("the answer has no status")
	}
	p := Progress{Status: a.Status, Stages: make([]Stage, 0, len(a.Stages))}
	for _, s := range a.Stages {
		if s.ID == "" || s.Status == "" {
			return Progress{}, errors.New("the answer has a stage without id or status")
		}
		p.Stages = append(p.Stages, Stage{s.ID, s.Name, s.Status, moment(s.StartTimeMillis),
			span(s.DurationMillis), span(s.PauseDurationMillis), s.Error.Message})
	}
	return p, nil
}

type inputAnswer struct {
	ID          string
	Message     string
	ProceedText string
	Inputs      []struct {
		Type        string
		Name        string
		Description string
		Definition  struct {
			DefaultVal json.RawMessage
			Choices    []string
		}
	}
}

func decodeInputs(raw []byte) ([]Input, error) {
	var a []inputAnswer
	if err := json.Unmarshal(raw, &a); err != nil {
		return nil, err
	}
	if a == nil {
		return nil, errors.New("the answer is null") // a list without inputs is []
	}
	inputs := make([]Input, 0, len(a))
	for _, x := range a {
		in, err := x.input()
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, in)
	}
	return inputs, nil
}

func (a inputAnswer) input() (Input, error) {
	if a.ID == "" {
		return Input{}, errors.New("the answer has an input without id")
	}
	in := Input{ID: a.ID, Message: a.Message, Proceed: a.ProceedText}
	for _, p := range a.Inputs {
		q := Parameter{Name: p.Name, Type: p.Type, Description: p.Description, Choices: p.Definition.Choices}
		// Jenkins tells a password's default to whoever asks. It is not kept,
		// since what is read here is shown and stored.
		if p.Type != "PasswordParameterDefinition" {
			q.Default, q.HasDefault = text(p.Definition.DefaultVal)
		}
		in.Parameters = append(in.Parameters, q)
	}
	return in, nil
}
