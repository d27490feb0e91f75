package jenkins

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// ErrSeveralRebuilds is wrapped by the error for a run of which more than one
// rebuild is there, so that nobody can tell which was asked for.
var ErrSeveralRebuilds = errors.New("there is more than one rebuild")

// RebuiltFrom finds what came of the rebuild or replay of run n by the user me:
// the run, or else the item of the queue that it still is, as far as that is
// the one item which the answer names; [Client.Rebuilt] looks at all of them.
// since is what [Runs].Next was before; older runs do not count.
//
// It never guesses. Several are an error wrapping [ErrSeveralRebuilds], and so
// is none if there may be runs since that the answer does not show. None alone
// is not "it was not done": the moment between the queue and the run is neither.
func (r Runs) RebuiltFrom(n, since int, me string) (run Run, queued *Queued, found bool, err error) {
	var queue []Queued
	if r.Queue != nil {
		queue = []Queued{*r.Queue}
	}
	return r.rebuilt(queue, n, since, me)
}

// Rebuilt finds what came of a rebuild as [Runs.RebuiltFrom] does, in the job's
// runs and in all of its queue.
func (c *Client) Rebuilt(ctx context.Context, job string, n, since int, me string) (run Run, queued *Queued, found bool, err error) {
	// In this order: what leaves the queue meanwhile is among the runs.
	queue, err := c.Queue(ctx, job)
	if err != nil {
		return Run{}, nil, false, err
	}
	runs, err := c.Runs(ctx, job)
	if err != nil {
		return Run{}, nil, false, err
	}
	return runs.rebuilt(queue, n, since, me)
}

func (r Runs) rebuilt(queue []Queued, n, since int, me string) (run Run, queued *Queued, found bool, err error) {
	no := func(format string, args ...any) (Run, *Queued, bool, error) {
		return Run{}, nil, false, fmt.Errorf("looking for the rebuild of run %d: "+format, append([]any{n}, args...)...)
	}
	if me == "" {
		return no("nobody rebuilt it")
	}
	for _, one := range r.Runs {
		switch {
		case one.Number < since || !doneAgain(one.Causes, n, me):
		case found:
			return no("%w: runs %d and %d", ErrSeveralRebuilds, one.Number, run.Number)
		default:
			run, found = one, true
		}
	}
	for _, item := range queue {
		switch {
		case !doneAgain(item.Causes, n, me):
		case found && item.ID == run.QueueID: // it was one, and became the other
		case found:
			return no("%w: run %d and queue item %d", ErrSeveralRebuilds, run.Number, item.ID)
		case queued != nil:
			return no("%w: queue items %d and %d", ErrSeveralRebuilds, queued.ID, item.ID)
		default:
			queued = &item
		}
	}
	if last := len(r.Runs) - 1; !found && queued == nil && len(r.Runs) >= mostRuns && r.Runs[last].Number > since {
		return no("runs before %d are not shown", r.Runs[last].Number)
	}
	return run, queued, found, nil
}

// doneAgain reports whether causes are those of a rebuild or replay of run n by the
// user me. Both put their own after who asked for it; what stands before was
// copied from the run, which may have been a replay itself (RebuildAction.java,
// constructRebuildCauses). An item that waited for the same has both its causes
// and the new ones, in any order of people (CauseAction.java, foldIntoExisting).
func doneAgain(causes []Cause, n int, me string) bool {
	asked, mine, its := false, false, false
	for _, c := range causes {
		switch c.Class {
		case CauseUser:
			asked = true
			mine = mine || strings.EqualFold(c.User, me) // Jenkins' ids are the same in any case (IdStrategy.java)
		case CauseRebuild, CauseReplay:
			its = its || asked && c.UpstreamRun == n
		}
	}
	return mine && its
}

// Queue returns what waits of a job's runs, of which there may be several with
// different parameters.
func (c *Client) Queue(ctx context.Context, job string) ([]Queued, error) {
	activity := "reading the queue of " + job
	raw, _, err := c.getJSON(ctx, activity, "/queue", queueTree)
	if err != nil {
		return nil, err
	}
	var a struct {
		Items *[]struct {
			queuedAnswer
			Task struct{ URL string }
		}
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return nil, unreadable(activity, err)
	}
	if a.Items == nil {
		return nil, unreadable(activity, errors.New("the answer has no items"))
	}
	var list []Queued
	for _, item := range *a.Items {
		if isOf(job, item.Task.URL) {
			list = append(list, item.queued())
		}
	}
	return list, nil
}

// isOf reports whether an address that Jenkins wrote is the job's: below
// whatever it takes for its root.
func isOf(job, at string) bool {
	u, err := url.Parse(at)
	if err != nil {
		return false
	}
	root, ok := strings.CutSuffix(strings.TrimSuffix(u.Path, "/"), "/job/"+strings.ReplaceAll(job, "/", "/job/"))
	return ok && !strings.Contains(root+"/", "/job/")
}

type queuedAnswer struct {
	ID           int64
	Why          string
	InQueueSince int64
	Actions      []actionAnswer
}

func (a queuedAnswer) queued() Queued {
	q := Queued{ID: a.ID, Why: a.Why, Since: moment(a.InQueueSince)}
	for _, x := range a.Actions {
		q.Causes = append(q.Causes, x.startedBy()...)
	}
	return q
}

// replayed is the number in "Replayed #812" and in "Bea replayed #1,234": it is
// written as people do where the server is, and nowhere else (Messages.properties
// of ReplayCause.java has no format for it).
var replayed = regexp.MustCompile(`#(\d{1,3}(?:[.,'’\s\x{a0}\x{202f}]\d{3})+|\d+)[^#]*$`)

func replayedRun(text string) int {
	m := replayed.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(strings.Map(func(c rune) rune {
		if unicode.IsDigit(c) {
			return c
		}
		return -1
	}, m[1]))
	if err != nil {
		return 0 // more digits than a number of a run has
	}
	return n
}
