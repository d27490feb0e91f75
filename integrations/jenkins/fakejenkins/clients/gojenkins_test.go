package clients

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bndr/gojenkins"

	"thbot/integrations/fakehttp"
	"thbot/integrations/jenkins/fakejenkins"
)

// trap is where gojenkins, with its own Requester, does not do what one would
// think. Each of them is why package jenkins does not use that part of it.
type trap struct {
	name string
	path string // ContextPath
	set  func(*fakejenkins.Server)
	do   func(x *tried) any
	want string
}

// tried is a fake, of whose job run 1 succeeded and run 2 waits at an input, and
// stock gojenkins before it.
type tried struct {
	*testing.T
	s       *fakejenkins.Server
	jenkins *gojenkins.Jenkins
	server  *httptest.Server
	mu      sync.Mutex
	calls   []string
	conns   int
}

const notJSON = "invalid character '<' looking for beginning of value"

func try(t *testing.T, tr trap) *tried {
	x := &tried{T: t}
	x.s = &fakejenkins.Server{ContextPath: tr.path, QuietPeriod: time.Hour, Gate: func(call, moment string) {
		if moment == fakehttp.Done {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.calls = append(x.calls, strings.TrimPrefix(call, "jenkins "))
		}
	}}
	if tr.set != nil {
		tr.set(x.s)
	}
	x.s.AddJob(job, fakejenkins.JobSpec{Parameters: []fakejenkins.Parameter{{Name: "ImageTag"}}, Stages: []fakejenkins.StageSpec{
		{Name: "deploy", Input: &fakejenkins.InputSpec{ID: "promote", Message: "Promote?"}},
	}})
	x.s.AddJob("site/feature%2Fx", fakejenkins.JobSpec{Branch: true})
	x.run(fakejenkins.RunSpec{Result: "SUCCESS", Parameters: map[string]string{"ImageTag": "old"}, Git: []fakejenkins.Git{{SHA: "1111111", Branch: "master", Remote: "r"}}})
	x.run(fakejenkins.RunSpec{})
	x.server = httptest.NewUnstartedServer(x.s)
	x.server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.conns++
		}
	}
	x.server.Start()
	t.Cleanup(func() { x.s.Stop(); x.server.Close() })
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	x.jenkins = gojenkins.CreateJenkins(client, x.server.URL+tr.path, fakejenkins.User, fakejenkins.Token)
	return x
}

func (x *tried) run(spec fakejenkins.RunSpec) {
	if _, err := x.s.StartRun(job, spec); err != nil {
		x.Fatal(err)
	}
}

// last returns the last calls that were answered.
func (x *tried) last(n int) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.calls[max(0, len(x.calls)-n):])
}

func (x *tried) job() *gojenkins.Job {
	j, err := x.jenkins.GetJob(x.Context(), "treeherder", "gcp-pipelines")
	if err != nil {
		x.Fatal(err)
	}
	return j
}

func (x *tried) build(n int64) *gojenkins.Build {
	b, err := x.job().GetBuild(x.Context(), n)
	if err != nil {
		x.Fatal(err)
	}
	return b
}

func (x *tried) pipeline(n string) *gojenkins.PipelineRun {
	r, err := x.job().GetPipelineRun(x.Context(), n)
	if err != nil {
		x.Fatal(err)
	}
	return r
}

func (x *tried) state(n int) fakejenkins.RunState {
	runs, err := x.s.Runs(job)
	if err != nil {
		x.Fatal(err)
	}
	return runs[len(runs)-n]
}

// panics is what f panics with, or "".
func panics(f func()) (what string) {
	defer func() {
		if p := recover(); p != nil {
			what = fmt.Sprint(p)
		}
	}()
	f()
	return ""
}

const (
	nilPointer = "runtime error: invalid memory address or nil pointer dereference"
	noInput    = "runtime error: index out of range [0] with length 0"
)

func traps() []trap {
	at := "/job/gcp-pipelines/job/treeherder"
	return []trap{
		{name: "SetCrumb panics when there is no answer", want: nilPointer, do: func(x *tried) any {
			x.server.Close()
			return panics(func() { _, _ = x.jenkins.Requester.Post(x.Context(), at+"/build", nil, nil, nil) })
		}},
		{name: "each POST asks for a crumb first, which a token does not need", want: "[GET crumbIssuer/api/json/api/json POST job/gcp-pipelines/job/treeherder/2/input/Promote/proceedEmpty] <nil>",
			do: func(x *tried) any {
				_, err := x.jenkins.Requester.Post(x.Context(), at+"/2/input/Promote/proceedEmpty", nil, nil, nil)
				return fmt.Sprint(x.last(2), err)
			}},
		{name: "401 is bad JSON", want: notJSON, do: func(x *tried) any {
			_, err := gojenkins.CreateJenkins(nil, x.server.URL, fakejenkins.User, "wrong").GetJob(x.Context(), "treeherder", "gcp-pipelines")
			return err
		}},
		{name: "403 is bad JSON", want: notJSON, do: func(x *tried) any {
			_, err := gojenkins.CreateJenkins(nil, x.server.URL).GetJob(x.Context(), "treeherder", "gcp-pipelines")
			return err
		}},
		{name: "404 is bad JSON", want: notJSON, do: func(x *tried) any {
			_, err := x.jenkins.GetJob(x.Context(), "other", "gcp-pipelines")
			return err
		}},
		{name: "503 is bad JSON", want: notJSON, do: func(x *tried) any {
			x.s.Down(true)
			_, err := x.jenkins.GetJob(x.Context(), "treeherder", "gcp-pipelines")
			return err
		}},
		{name: "an X-Error leaks its connection, each time", want: "6 connections for 6 requests", set: func(s *fakejenkins.Server) { s.Settling = time.Hour }, do: func(x *tried) any {
			if err := x.s.ProceedByHand(job, 2, "Promote", "ana", nil); err != nil {
				x.Fatal(err)
			}
			for range 6 {
				_, err := x.jenkins.Requester.Post(x.Context(), at+"/2/input/Promote/proceedEmpty", nil, nil, nil)
				if err == nil || err.Error() != "This input has been already given" {
					x.Error(err)
				}
			}
			x.mu.Lock()
			defer x.mu.Unlock()
			return fmt.Sprintf("%d connections for 6 requests", x.conns)
		}},
		{name: "a branch's job has to be escaped twice by who asks", want: notJSON, do: func(x *tried) any {
			_, err := x.jenkins.GetJob(x.Context(), "feature%2Fx", "site")
			return err
		}},
		{name: "a redirected POST is an error, although it worked", want: notJSON + ", ABORTED", do: func(x *tried) any {
			_, err := x.build(2).Stop(x.Context())
			return fmt.Sprintf("%v, %s", err, x.state(2).Result)
		}},
		{name: "an empty answer leaves the old data", want: "old <nil>", do: func(x *tried) any {
			answer := struct{ Name string }{"old"}
			_, err := x.jenkins.Requester.Post(x.Context(), at+"/2/input/Promote/proceedEmpty", nil, &answer, nil)
			return fmt.Sprint(answer.Name, " ", err)
		}},
		{name: "no client, no timeout", want: "0s", do: func(x *tried) any {
			return gojenkins.CreateJenkins(nil, x.server.URL).Requester.(*gojenkins.Requester).Client.Timeout
		}},
		{name: "a path as one name", want: notJSON, do: func(x *tried) any {
			_, err := x.jenkins.GetJob(x.Context(), job)
			return err
		}},
		{name: "a root URL that is not the called one", set: func(s *fakejenkins.Server) { s.Root = "https://public.example" }, want: "true", do: func(x *tried) any {
			_, err := x.job().GetBuild(x.Context(), 1)
			return err != nil && strings.Contains(err.Error(), "public.example")
		}},
		{name: "double slashes", want: "GET job/gcp-pipelines/job/treeherder//1/api/json", do: func(x *tried) any {
			x.build(1)
			return x.last(1)[0]
		}},
		{name: "IsRunning says no when it cannot know", want: "false, though true", do: func(x *tried) any {
			b := x.build(2)
			x.s.Down(true)
			return fmt.Sprintf("%v, though %v", b.IsRunning(x.Context()), x.state(2).Building)
		}},
		{name: "polling keeps what is null now", want: "SUCCESS old, though  map[]", do: func(x *tried) any {
			b := x.build(1)
			b.Base = strings.TrimSuffix(b.Base, "1") + "2"
			if _, err := b.Poll(x.Context()); err != nil {
				x.Fatal(err)
			}
			var tag any
			for _, p := range b.GetParameters() {
				tag = p.Value
			}
			return fmt.Sprintf("%s %v, though %s %v", b.GetResult(), tag, x.state(2).Result, x.state(2).Parameters)
		}},
		{name: "no revision of a pipeline", want: `"", though 1111111`, do: func(x *tried) any {
			return fmt.Sprintf("%q, though %s", x.build(1).GetRevision(), x.state(1).Git[0].SHA)
		}},
		{name: "the context path twice", path: "/ci", want: notJSON + " [GET ci/job/gcp-pipelines/job/treeherder/2/wfapi/pendingInputActions/api/json]", do: func(x *tried) any {
			r := x.pipeline("2")
			_, err := r.GetPendingInputActions(x.Context())
			return fmt.Sprint(err, " ", x.last(1))
		}},
		{name: "parents are strings", want: "json: cannot unmarshal string into Go struct field PipelineNode.StageFlowNodes.ParentNodes of type int64", do: func(x *tried) any {
			_, err := x.pipeline("2").GetNode(x.Context(), "6")
			return err
		}},
		{name: "ProceedInput panics when nothing waits", want: noInput, do: func(x *tried) any {
			r := x.pipeline("1")
			return panics(func() { _, _ = r.ProceedInput(x.Context()) })
		}},
		{name: "AbortInput panics when nothing waits", want: noInput, do: func(x *tried) any {
			r := x.pipeline("1")
			return panics(func() { _, _ = r.AbortInput(x.Context()) })
		}},
		{name: "ProceedInput answers whichever comes first", want: "<nil>, proceeded Migrate", do: func(x *tried) any {
			r := x.pipeline("2")
			if err := x.s.AddInput(job, 2, fakejenkins.InputSpec{ID: "migrate", Message: "Migrate?"}); err != nil {
				x.Fatal(err)
			}
			_, err := r.ProceedInput(x.Context())
			return fmt.Sprintf("%v, proceeded %s", err, x.s.Proceeds()[0].Input)
		}},
		{name: "ProceedInput does not say why not", want: notJSON, set: func(s *fakejenkins.Server) { s.Denied = map[string][]string{fakejenkins.User: {"Job/Build"}} }, do: func(x *tried) any {
			_, err := x.pipeline("2").ProceedInput(x.Context())
			return err
		}},
		{name: "without Init, a queued job panics", want: nilPointer, do: func(x *tried) any {
			x.queue()
			gojenkins.Error = nil
			return panics(func() { _, _ = x.job().InvokeSimple(x.Context(), nil) })
		}},
		{name: "with Init, a queued job is item 0 and no error", want: "0 <nil>", do: func(x *tried) any {
			if _, err := x.jenkins.Init(x.Context()); err != nil { // sets variables of its package
				x.Fatal(err)
			}
			gojenkins.Error.SetOutput(&bytes.Buffer{})
			x.queue()
			n, err := x.job().InvokeSimple(x.Context(), nil)
			return fmt.Sprint(n, err)
		}},
		{name: "asking twice is bad JSON", want: notJSON, do: func(x *tried) any {
			x.queue()
			_, err := x.jenkins.Requester.Post(x.Context(), at+"/buildWithParameters", strings.NewReader(url.Values{"ImageTag": {"new"}}.Encode()), nil, nil)
			return err
		}},
		{name: "cancelling what has left panics", want: nilPointer, do: func(x *tried) any {
			q, err := x.jenkins.GetQueue(x.Context())
			if err != nil {
				x.Fatal(err)
			}
			return panics(func() { _, _ = q.CancelTask(x.Context(), 99) })
		}},
		{name: "cancelling says no, although it worked", want: "false <nil> []", do: func(x *tried) any {
			id := x.queue()
			q, err := x.jenkins.GetQueue(x.Context())
			if err != nil {
				x.Fatal(err)
			}
			ok, err := q.CancelTask(x.Context(), int64(id))
			return fmt.Sprint(ok, err, x.s.Queued())
		}},
		{name: "the job of an item, without its folder", want: notJSON, do: func(x *tried) any {
			x.queue()
			q, err := x.jenkins.GetQueue(x.Context())
			if err != nil {
				x.Fatal(err)
			}
			_, err = q.Tasks()[0].GetJob(x.Context())
			return err
		}},
		{name: "Stop says yes when it cannot know", want: "true <nil>, though it runs: true", do: func(x *tried) any {
			b := x.build(2)
			x.s.Down(true)
			ok, err := b.Stop(x.Context())
			return fmt.Sprintf("%v %v, though it runs: %v", ok, err, x.state(2).Building)
		}},
		{name: "the console is the page to log in", want: "true", do: func(x *tried) any {
			b := x.build(2)
			x.jenkins.Requester.(*gojenkins.Requester).BasicAuth = nil
			return strings.Contains(b.GetConsoleOutput(x.Context()), "Authentication required")
		}},
		{name: "a piece of the console is a page", want: `strconv.ParseInt: parsing "": invalid syntax`, do: func(x *tried) any {
			b := x.build(2)
			x.jenkins.Requester.(*gojenkins.Requester).BasicAuth = nil
			_, err := b.GetConsoleOutputFromIndex(x.Context(), 0)
			return err
		}},
	}
}

func (x *tried) queue() (id int) {
	id, err := x.s.Queue(job, fakejenkins.RunSpec{Parameters: map[string]string{"ImageTag": "new"}})
	if err != nil {
		x.Fatal(err)
	}
	return id
}

func TestGojenkins(t *testing.T) {
	for _, tr := range traps() {
		t.Run(tr.name, func(t *testing.T) {
			if got := fmt.Sprint(tr.do(try(t, tr))); got != tr.want {
				t.Errorf("got %s\nwant %s", got, tr.want)
			}
		})
	}
}

// Waiting for the run of an item that was cancelled goes on until Jenkins has
// forgotten it, which it takes for bad JSON; the second waited for in between
// does not end with the context.
func TestGojenkinsWaitsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{}
		s.AddJob(job, fakejenkins.JobSpec{})
		pipe := fakehttp.NewPipe()
		server := &http.Server{Handler: s}
		go func() { _ = server.Serve(pipe) }() // ends with Close
		transport := &http.Transport{DialContext: pipe.Dial}
		defer func() {
			s.Stop()
			transport.CloseIdleConnections()
			if err := server.Close(); err != nil {
				t.Error(err)
			}
		}()
		j := gojenkins.CreateJenkins(&http.Client{Transport: transport}, "http://jenkins.test", fakejenkins.User, fakejenkins.Token)
		id, err := s.Queue(job, fakejenkins.RunSpec{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.CancelItem(id, "ana"); err != nil {
			t.Fatal(err)
		}
		wait := func(ctx context.Context) (time.Duration, error) {
			began := time.Now()
			_, err := j.GetBuildFromQueueID(ctx, nil, int64(id))
			return time.Since(began), err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if took, err := wait(ctx); err == nil || took != time.Second {
			t.Errorf("with half a second: %v after %v", err, took)
		}
		if took, err := wait(t.Context()); err == nil || err.Error() != notJSON || took < 4*time.Minute {
			t.Errorf("%v after %v", err, took)
		}
	})
}
