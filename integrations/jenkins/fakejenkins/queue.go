package fakejenkins

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// item is an item of the queue and how far it is. Like a run it only looks at
// the time and at what has happened, in Server.maintain.
type item struct {
	id        int
	job       *job
	spec      RunSpec
	since     time.Time
	due       time.Time // end of the quiet period
	wakes     time.Time // when a timer will look at it
	buildable time.Time // when nothing but an executor was missing; zero: not yet
	cancelled bool
	left      time.Time // zero: it waits
	run       *run      // nil for a moment after it left
}

// kept is how long an item that left can be asked for (Queue.java).
const kept = 5 * time.Minute

func (it *item) over() bool { return !it.left.IsZero() }

// ItemState is what the build queue says of an item that waits in it.
type ItemState struct {
	ID         int
	Job        string
	Parameters map[string]string
	Why        string
}

// Queued returns the items that wait, oldest first.
func (s *Server) Queued() (states []ItemState) {
	s.update(func() {
		for _, it := range s.queue {
			if !it.over() {
				states = append(states, ItemState{it.id, it.job.path, maps.Clone(it.spec.Parameters), s.why(it)})
			}
		}
	})
	return states
}

// HoldQueue keeps everything in the queue that could leave it, as when no
// executor is free; why is what the items say: "Waiting for next available
// executor". An empty why lets them go.
func (s *Server) HoldQueue(why string) {
	s.update(func() { s.hold = why; s.touch(); s.maintain() })
}

// CancelItem is the red cross beside an item of the queue.
func (s *Server) CancelItem(id int, user string) (err error) {
	s.update(func() {
		it := s.item(id)
		if it == nil || it.over() {
			err = fmt.Errorf("cancelling item %d: %w", id, errNoItem)
			return
		}
		s.cancel(it, user)
	})
	return err
}

// Queue asks for a run as a person or a hook does: it waits its quiet period in
// the queue, with everything that a build by request goes through. It returns
// the id of the item, which may be one that waits already for just the same.
func (s *Server) Queue(path string, spec RunSpec) (id int, err error) {
	s.update(func() {
		j := s.jobs[path]
		if j == nil {
			err = fmt.Errorf("queueing a run of %s: %w", path, errNoJob)
			return
		}
		it, _ := s.schedule(j, spec, s.quiet())
		id = it.id
	})
	return id, err
}

// schedule is Queue.scheduleInternal: an item for the same with the same
// parameters takes the causes of the new one, which is not made.
func (s *Server) schedule(j *job, spec RunSpec, quiet time.Duration) (it *item, created bool) {
	now := time.Now()
	if spec.Causes == nil {
		spec.Causes = []Cause{ByPush()}
	}
	for _, it := range s.queue {
		if it.over() || it.job != j || !maps.Equal(it.spec.Parameters, spec.Parameters) {
			continue
		}
		for _, c := range spec.Causes {
			if !slices.Contains(it.spec.Causes, c) { // foldCauses in CauseAction.java
				it.spec.Causes = append(it.spec.Causes, c)
			}
		}
		if due := now.Add(quiet); due.Before(it.due) {
			it.due = due
		}
		s.record(Effect{Who: startedBy(spec.Causes), What: "folded", Job: j.path, On: strconv.Itoa(it.id)})
		s.maintain()
		return it, false
	}
	s.lastItem++
	spec.Parameters, spec.Causes = maps.Clone(spec.Parameters), slices.Clone(spec.Causes)
	it = &item{id: s.lastItem, job: j, spec: spec, since: now, due: now.Add(quiet)}
	s.queue = append(s.queue, it)
	s.record(Effect{Who: startedBy(spec.Causes), What: "queued", Job: j.path, On: strconv.Itoa(it.id)})
	s.maintain()
	return it, true
}

// maintain lets leave the queue what may leave it now (Queue.maintain).
func (s *Server) maintain() {
	now := time.Now()
	s.queue = slices.DeleteFunc(s.queue, func(it *item) bool {
		return it.over() && !now.Before(it.left.Add(kept))
	})
	if now.Before(s.up) {
		s.after(s.up.Sub(now), s.maintain)
		return
	}
	for _, it := range slices.Clone(s.queue) {
		switch {
		case it.over():
		case now.Before(it.due):
			if it.wakes != it.due {
				it.wakes = it.due
				s.after(it.due.Sub(now), s.maintain)
			}
		case s.blocker(it) != "":
			if r := it.job.running(); it.job.spec.AbortPrevious && r != nil && r.result == "" {
				// disableConcurrentBuilds(abortPrevious: true). Its end calls us.
				r.interrupt("NOT_BUILT", interruption{
					class: "org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty$CancelledCause",
					text:  "Superseded by #" + strconv.Itoa(it.job.next),
				})
			}
		default:
			if it.buildable.IsZero() {
				it.buildable = now
				s.touch()
			}
			if s.hold == "" && !s.quieting {
				s.leave(it)
			}
		}
	}
}

// leave makes a run of an item, after the moment in which it is neither.
func (s *Server) leave(it *item) {
	it.left = time.Now()
	it.job.launching++
	begin := func() {
		it.job.launching--
		spec := it.spec
		if spec.Git == nil && spec.Revision == "" {
			spec.Git = it.job.heads() // looked up when it begins, not when it was asked for
		}
		it.run = s.begin(it.job, spec, it.id)
	}
	if s.Launch > 0 {
		s.touch()
		s.after(s.Launch, begin)
		return
	}
	begin()
}

func (s *Server) cancel(it *item, user string) {
	it.cancelled, it.left = true, time.Now()
	s.record(Effect{Who: user, What: "cancelled", Job: it.job.path, On: strconv.Itoa(it.id)})
}

func (s *Server) item(id int) *item {
	for _, it := range s.queue {
		if it.id == id && !(it.over() && !time.Now().Before(it.left.Add(kept))) {
			return it
		}
	}
	return nil
}

func (s *Server) quiet() time.Duration {
	if s.QuietPeriod == 0 {
		return 5 * time.Second
	}
	return max(s.QuietPeriod, 0)
}

// blocker is why an item whose quiet period is over may not run, or "".
func (s *Server) blocker(it *item) string {
	if !it.job.spec.NotConcurrent {
		return ""
	}
	r := it.job.running()
	if r == nil {
		if it.job.launching > 0 {
			return fmt.Sprintf("Build #%d is already in progress (ETA: N/A)", it.job.next)
		}
		return ""
	}
	eta := "N/A"
	if e := it.job.estimate(); e > 0 {
		if left := time.Duration(e)*time.Millisecond - time.Since(r.started); left > 0 {
			eta = span(left)
		}
	}
	return fmt.Sprintf("Build #%d is already in progress (ETA: %s)", r.number, eta)
}

// why is what an item says it waits for, or "" if it left.
func (s *Server) why(it *item) string {
	switch now := time.Now(); {
	case it.over():
		return ""
	case now.Before(it.due):
		return "In the quiet period. Expires in " + span(it.due.Sub(now))
	case s.blocker(it) != "":
		return s.blocker(it)
	case s.quieting:
		return "Jenkins is about to shut down"
	case s.hold != "":
		return s.hold
	}
	return "Waiting for next available executor"
}

// span is Util.getTimeSpanString, of what is short.
func span(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f sec", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d sec", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d sec", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d hr %d min", int(d.Hours()), int(d.Minutes())%60)
}

func (s *Server) itemBean(it *item, root string) bean {
	now := time.Now()
	class, extra := "hudson.model.Queue$BuildableItem", []prop(nil)
	blocked := !it.over() && s.blocker(it) != ""
	switch {
	case it.over():
		class = "hudson.model.Queue$LeftItem"
		var executable any
		if it.run != nil {
			executable = it.run.bean(root)
		}
		extra = []prop{{"cancelled", it.cancelled, everywhere}, {"executable", executable, everywhere}}
	case now.Before(it.due):
		class = "hudson.model.Queue$WaitingItem"
		extra = []prop{{"timestamp", it.due.UnixMilli(), everywhere}}
	case blocked:
		class = "hudson.model.Queue$BlockedItem"
		extra = []prop{{"buildableStartMilliseconds", it.due.UnixMilli(), everywhere}}
	default:
		extra = []prop{{"buildableStartMilliseconds", it.buildable.UnixMilli(), everywhere}, {"pending", false, everywhere}}
	}
	var why any
	if w := s.why(it); w != "" {
		why = w
	}
	var params strings.Builder
	for _, name := range slices.Sorted(maps.Keys(it.spec.Parameters)) {
		params.WriteString("\n" + name + "=" + it.spec.Parameters[name])
	}
	actions := []bean{{"hudson.model.CauseAction", []prop{{"causes", causes(it.spec.Causes), everywhere}}}}
	if it.spec.Parameters != nil {
		actions = append(actions, it.job.parametersAction(it.spec.Parameters))
	}
	return bean{class, append([]prop{
		{"actions", append(actions, bean{}), everywhere},
		{"blocked", blocked, everywhere},
		{"buildable", class == "hudson.model.Queue$BuildableItem", everywhere},
		{"id", it.id, everywhere},
		{"inQueueSince", it.since.UnixMilli(), everywhere},
		{"params", params.String(), everywhere},
		{"stuck", it.stuck(now), everywhere},
		{"task", it.job.summary(root), everywhere},
		{"url", fmt.Sprintf("queue/item/%d/", it.id), everywhere},
		{"why", why, everywhere},
	}, extra...)}
}

// stuck is BuildableItem.isStuck: ten times longer than a run takes, or a day.
func (it *item) stuck(now time.Time) bool {
	if it.over() || it.buildable.IsZero() {
		return false
	}
	waits := now.Sub(it.buildable)
	if e := it.job.estimate(); e >= 0 {
		return waits > 10*max(time.Duration(e)*time.Millisecond, time.Minute)
	}
	return waits > 24*time.Hour
}

func (q *request) queueList() {
	items := []bean{}
	for _, it := range slices.Backward(q.server.queue) {
		if !it.over() && !q.lacks("Job/Read") {
			items = append(items, q.server.itemBean(it, q.root))
		}
	}
	q.json(bean{"hudson.model.Queue", []prop{
		{"discoverableItems", []bean{}, everywhere},
		{"items", items, everywhere},
	}})
}

// asked is the item that the path or the query names; without one it answers.
func (q *request) asked(text string) *item {
	id, err := strconv.Atoi(text)
	it := q.server.item(id)
	if err != nil || it == nil || q.lacks("Job/Read") {
		notFound(q.w)
		return nil
	}
	return it
}

func (q *request) queueItem() {
	if it := q.asked(q.arg); it != nil {
		q.json(q.server.itemBean(it, q.root))
	}
}

func (q *request) queueItemPage() {
	if q.asked(q.arg) != nil {
		q.page()
	}
}

// cancelItem is Queue.doCancelItem, whose refusal is not a 403.
func (q *request) cancelItem() {
	it := q.asked(q.FormValue("id"))
	switch {
	case it == nil:
	case it.over():
		notFound(q.w)
	case q.lacks("Job/Cancel"):
		page(q.w, http.StatusUnprocessableEntity, "Item could not be cancelled (missing permission)")
	default:
		q.server.cancel(it, q.user)
		q.w.WriteHeader(http.StatusNoContent)
	}
}

// cancelQueue is the old way, the item's own: it never says whether it did it.
func (q *request) cancelQueue() {
	it := q.asked(q.arg)
	if it == nil {
		return
	}
	if !it.over() && !q.lacks("Job/Cancel") {
		q.server.cancel(it, q.user)
	}
	q.back()
}

// back leads to the page that the request came from.
func (q *request) back() {
	to := q.Referer()
	if to == "" {
		to = "."
	}
	redirect(q.w, to)
}
