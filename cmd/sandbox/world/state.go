package world

import "net/http"

// Environments are the deployed apps, in the order in which they matter.
var Environments = []string{"production", "stage", "prototype", "taskcluster-staging"}

// Stages are the stages of the pipeline; a run shows those that it has reached.
var Stages = []string{Build, ToStage, ToProd}

// AppState is how an app is.
type AppState struct {
	Live   string // the commit that all of it serves, or served before Next
	Next   string // the commit that is rolled out; empty: none
	Broken bool   // it answers 502
	Stuck  bool   // deploys of it succeed without effect
}

// State is how an app is.
func (w *World) State(app string) AppState {
	w.mu.Lock()
	defer w.mu.Unlock()
	st := w.apps[app]
	st.Live = w.serves[app]
	return st
}

// Stick makes deploys of app succeed without effect.
func (w *World) Stick(app string) { w.alter(app, func(st *AppState) { st.Stuck = true }) }

// Unstick lets the next deploys of app have their effect again.
func (w *World) Unstick(app string) { w.alter(app, func(st *AppState) { st.Stuck = false }) }

// Break makes an app answer 502, until [World.Mend] or its next deploy.
func (w *World) Break(app string) {
	w.alter(app, func(st *AppState) {
		st.Broken = true
		w.Apps[app].Break(http.StatusBadGateway, "<h1>502 Bad Gateway</h1>")
	})
}

// Mend makes an app answer again.
func (w *World) Mend(app string) {
	w.alter(app, func(st *AppState) {
		st.Broken = false
		w.Apps[app].Mend()
	})
}

// Carries is the commit that a run deploys, or "". It is what the run's
// parameters say, as with a run that somebody builds again.
func (w *World) Carries(run int) string {
	runs, err := w.Jenkins.Runs(Job)
	if err != nil {
		return ""
	}
	for _, r := range runs {
		if r.Number == run {
			return deploys(r.Parameters, r.Git)
		}
	}
	return ""
}

// Changed returns a channel that is closed at the next change of an app or of
// master. Slack and Jenkins have such channels of their own.
func (w *World) Changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	return w.changed
}

func (w *World) alter(app string, f func(*AppState)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	st := w.apps[app]
	f(&st)
	w.apps[app] = st
	w.touch()
}

// The methods below are called with w.mu held.

// deployed notes that app was deployed, or begins to be, which mends it.
func (w *World) deployed(app, next string) {
	st := w.apps[app]
	st.Next, st.Broken = next, false
	w.apps[app] = st
	w.touch()
}

func (w *World) touch() {
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}
