package jenkins_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thbot/bot"
	"thbot/integrations/fakehttp"
	"thbot/integrations/jenkins"
	"thbot/integrations/jenkins/fakejenkins"
)

// settings are the parameters of a job and of its run: one of each sort.
func settings() ([]fakejenkins.Parameter, map[string]string) {
	return []fakejenkins.Parameter{
		{Name: "ImageTag"},
		{Name: "HOW", Type: "ChoiceParameterDefinition", Choices: []string{"all", "canary"}},
		{Name: "FAST", Type: "BooleanParameterDefinition"},
	}, map[string]string{"ImageTag": "old", "HOW": "all", "FAST": "true"}
}

// What Rebuild and Replay say, and what they start: nothing, or one run with
// these parameters.
func TestRebuild(t *testing.T) {
	const (
		yes       = "yes"
		refused   = "refused"
		noRun     = "no such run"
		noRebuild = "no way to rebuild"
		notSent   = "not sent"
		unknown   = "unknown"

		disabled = "Jenkins does not rebuild runs of this job: the job or its rebuilding is disabled."
		noPlugin = "Jenkins has no way to rebuild this run: the plugin is missing, or may not be used."
		password = "Jenkins says: Replay is not allowed when password parameters are used."
		mayNot   = "Jenkins says: thbot is missing the Job/Build permission."
	)
	ps, had := settings()
	secrets, secret := append(ps, fakejenkins.Parameter{Name: "KEY", Type: "PasswordParameterDefinition"}), map[string]string{"ImageTag": "old", "KEY": "hunter2"}
	tag := func(value string) []jenkins.Value { return []jenkins.Value{{Name: "ImageTag", Value: value}} }
	replay := func(c *jenkins.Client, t *testing.T, job string, n int) error { return c.Replay(t.Context(), job, n) }
	as := func(values []jenkins.Value) func(*jenkins.Client, *testing.T, string, int) error {
		return func(c *jenkins.Client, t *testing.T, job string, n int) error {
			return c.Rebuild(t.Context(), job, n, values)
		}
	}
	rebuild := as(nil)
	denied := &fakejenkins.Server{Denied: map[string][]string{"thbot": {"Job/Build"}}}
	type ask = func(*jenkins.Client, *testing.T, string, int) error
	for _, tt := range []struct {
		name   string
		server *fakejenkins.Server
		spec   fakejenkins.JobSpec
		run    map[string]string
		other  int    // added to the run's number
		asked  string // the job; empty: the run's
		token  string
		before func(s *fakejenkins.Server) error
		ask    ask
		want   string
		why    string
		nobody bool // nothing is started
		got    map[string]string
	}{
		{name: "without parameters", ask: rebuild, want: yes},
		{name: "with parameters", spec: fakejenkins.JobSpec{Parameters: ps}, run: had, ask: rebuild, want: yes, got: had},
		{name: "with parameters, rebuilt at once anyway", spec: fakejenkins.JobSpec{AutoRebuild: true}, run: had, ask: rebuild, want: yes, got: had},
		{name: "with no parameters among them", spec: fakejenkins.JobSpec{Parameters: ps}, run: map[string]string{}, ask: rebuild, want: yes, got: map[string]string{}},
		{name: "with parameters, by an old plugin", server: &fakejenkins.Server{OldRebuilder: true}, spec: fakejenkins.JobSpec{Parameters: ps}, run: had, ask: rebuild, want: yes, got: had},
		{name: "without, by an old plugin", server: &fakejenkins.Server{OldRebuilder: true}, ask: rebuild, want: yes},
		{name: "with a password", spec: fakejenkins.JobSpec{Parameters: secrets}, run: secret, ask: rebuild, want: yes, got: secret},
		{name: "with a password, by an old plugin", server: &fakejenkins.Server{OldRebuilder: true}, spec: fakejenkins.JobSpec{Parameters: secrets}, run: secret, ask: rebuild, want: yes, got: secret},
		{name: "with a choice that is there no more", spec: fakejenkins.JobSpec{Parameters: ps}, run: map[string]string{"HOW": "slowly"}, ask: rebuild, want: yes, got: map[string]string{"HOW": "slowly"}},
		{name: "below a context path, with another root URL", server: &fakejenkins.Server{ContextPath: "/ci", Root: "https://public.example/ci"}, run: had, ask: rebuild, want: yes, got: had},
		{name: "with another value", spec: fakejenkins.JobSpec{Parameters: secrets}, run: secret, ask: as(tag("older")), want: yes, got: map[string]string{"ImageTag": "older", "KEY": "hunter2"}},
		{name: "with the values it had", spec: fakejenkins.JobSpec{Parameters: ps}, run: had,
			ask: as([]jenkins.Value{{Name: "ImageTag", Value: "old"}, {Name: "HOW", Value: "all"}, {Name: "FAST", Value: "true"}}), want: yes, got: had},
		{name: "with a value that is no choice", spec: fakejenkins.JobSpec{Parameters: ps}, run: had, ask: as([]jenkins.Value{{Name: "HOW", Value: "slowly"}}),
			want: refused, why: "Jenkins does not take the value of the parameter HOW.", nobody: true},
		{name: "with values, without parameters", ask: as(tag("older")), want: unknown, nobody: true},
		{name: "of a job that rebuilds nothing", spec: fakejenkins.JobSpec{NoRebuild: true}, run: had, ask: rebuild, want: refused, why: disabled, nobody: true},
		{name: "of a job that rebuilds nothing, with values", spec: fakejenkins.JobSpec{NoRebuild: true}, run: had, ask: as(tag("older")), want: refused, why: disabled, nobody: true},
		{name: "of a disabled job", spec: fakejenkins.JobSpec{Disabled: true}, run: had, ask: rebuild, want: refused, why: disabled, nobody: true},
		{name: "of a disabled job, by an old plugin", server: &fakejenkins.Server{OldRebuilder: true}, spec: fakejenkins.JobSpec{Disabled: true}, run: had, ask: rebuild, want: noRebuild, why: noPlugin, nobody: true},
		{name: "without Job/Build", server: denied, ask: rebuild, want: refused, why: mayNot, nobody: true},
		{name: "without Job/Build, with values", server: denied, run: had, ask: as(tag("older")), want: refused, why: mayNot, nobody: true},
		{name: "without Job/Read", server: &fakejenkins.Server{Denied: map[string][]string{"thbot": {"Job/Read"}}}, ask: rebuild, want: noRun,
			why: "Jenkins does not have run 812, or does not show it to me.", nobody: true},
		{name: "without the plugin", server: &fakejenkins.Server{NoRebuilder: true}, run: had, ask: rebuild, want: noRebuild, why: noPlugin, nobody: true},
		{name: "without the plugin, with values", server: &fakejenkins.Server{NoRebuilder: true}, run: had, ask: as(tag("older")), want: noRebuild, why: noPlugin, nobody: true},
		{name: "no such run", other: 1, ask: rebuild, want: noRun, why: "Jenkins does not have run 813, or does not show it to me.", nobody: true},
		{name: "no such job", asked: "no/such", ask: rebuild, want: noRun, why: "Jenkins does not have run 812, or does not show it to me.", nobody: true},
		{name: "a wrong token", token: "new", ask: rebuild, want: notSent, nobody: true},
		{name: "down", before: func(s *fakejenkins.Server) error { s.Down(true); return nil }, ask: rebuild, want: unknown, nobody: true},
		{name: "behind a page to log in", run: had, before: func(s *fakejenkins.Server) error { s.RequireLogin("/login?from=x"); return nil }, ask: rebuild, want: unknown, nobody: true},
		{name: "behind another host's page", run: had, before: func(s *fakejenkins.Server) error {
			s.RequireLogin("https://login.example/job/gcp-pipelines/job/treeherder/job/treeherder-production/")
			return nil
		}, ask: rebuild, want: unknown, nobody: true},
		{name: "with values, behind a page to log in", run: had, before: func(s *fakejenkins.Server) error { s.RequireLogin("/login?from=x"); return nil }, ask: as(tag("older")), want: unknown, nobody: true},
		{name: "not there, and then down", server: &fakejenkins.Server{NoRebuilder: true}, before: func(s *fakejenkins.Server) error {
			s.Disturb(fakejenkins.Trouble{Call: "api/json", Status: http.StatusBadGateway})
			return nil
		}, ask: rebuild, want: notSent, nobody: true},
		{name: "a proxy gave up", run: had, before: func(s *fakejenkins.Server) error {
			s.Disturb(fakejenkins.Trouble{Status: http.StatusGatewayTimeout})
			return nil
		}, ask: rebuild, want: unknown, got: had},

		{name: "replay", ask: replay, want: yes},
		{name: "replay with parameters", spec: fakejenkins.JobSpec{Parameters: ps}, run: had, ask: replay, want: yes, got: had},
		{name: "replay without the plugin Rebuilder", server: &fakejenkins.Server{NoRebuilder: true}, ask: replay, want: yes},
		{name: "replay below a context path, with another root URL", server: &fakejenkins.Server{ContextPath: "/ci", Root: "https://public.example/ci"}, ask: replay, want: yes},
		{name: "replay with a password", spec: fakejenkins.JobSpec{Parameters: secrets}, run: secret, ask: replay, want: refused, why: password, nobody: true},
		{name: "replay of a disabled job", spec: fakejenkins.JobSpec{Disabled: true}, ask: replay, want: refused, why: "Jenkins says: the job cannot be built; it may be disabled.", nobody: true},
		{name: "replay without Job/Build", server: denied, ask: replay, want: refused, why: mayNot, nobody: true},
		{name: "replay where that only replays", server: &fakejenkins.Server{NoReplay: true}, ask: replay, want: noRebuild, why: noPlugin, nobody: true},
		{name: "replay of no such run", other: 1, ask: replay, want: noRun, why: "Jenkins does not have run 813, or does not show it to me.", nobody: true},
		{name: "replay behind a page to log in", before: func(s *fakejenkins.Server) error { s.RequireLogin("/login?from=x"); return nil }, ask: replay, want: unknown, nobody: true},
		{name: "replay, restarting", before: func(s *fakejenkins.Server) error { s.Restart(); return nil }, ask: replay, want: unknown, nobody: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakejenkins.Server{}
				if x := tt.server; x != nil {
					s.ContextPath, s.Root, s.Denied = x.ContextPath, x.Root, x.Denied
					s.NoRebuilder, s.OldRebuilder, s.NoReplay = x.NoRebuilder, x.OldRebuilder, x.NoReplay
				}
				if tt.token != "" {
					s.Users = map[string]string{fakejenkins.User: tt.token}
				}
				c := piped(t, s)
				tt.spec.Next, tt.spec.Stages = 812, running
				s.AddJob(job, tt.spec)
				n, err := s.StartRun(job, fakejenkins.RunSpec{Parameters: tt.run, Result: "SUCCESS"})
				if err != nil {
					t.Fatal(err)
				}
				if tt.before != nil {
					if err := tt.before(s); err != nil {
						t.Fatal(err)
					}
				}
				if tt.asked == "" {
					tt.asked = job
				}
				err = tt.ask(c, t, tt.asked, n+tt.other)
				got := kind(err)
				switch {
				case errors.Is(err, jenkins.ErrNoRebuild):
					got = noRebuild
				case errors.Is(err, bot.ErrNotFound):
					got = noRun
				}
				if got != tt.want {
					t.Errorf("%s, want %s: %v", got, tt.want, err)
				}
				if r, ok := errors.AsType[*bot.Refused](err); ok != (tt.why != "") || ok && r.Why != tt.why {
					t.Errorf("because of %v, want %q", err, tt.why)
				}
				if err != nil && strings.Contains(err.Error(), "hunter2") {
					t.Error(err)
				}

				// What became of it, seen by somebody whom nothing keeps away.
				s.RequireLogin("")
				s.Down(false)
				s.Disturb(fakejenkins.Trouble{})
				runs, err := s.Runs(job)
				switch {
				case err != nil:
					t.Fatal(err)
				case tt.nobody:
					if len(runs) != 1 || len(s.Queued()) != 0 {
						t.Errorf("started %+v, queued %+v", runs, s.Queued())
					}
				case len(runs) != 2 || len(s.Queued()) != 0 || !cmp.Equal(runs[0].Parameters, tt.got):
					t.Errorf("runs %+v, queued %+v; want one more with %v", runs, s.Queued(), tt.got)
				default:
					run, queued, found, err := c.Rebuilt(t.Context(), job, n, n+1, "thbot")
					if err != nil || !found || run.Number != 813 || queued != nil {
						t.Errorf("found %v: %+v, %+v, %v", found, run, queued, err)
					}
				}
			})
		})
	}
}

// Jenkins' own way back, as Jetty may write it, and pages that are not it.
func TestRebuildAnswers(t *testing.T) {
	const page = "/job/gcp-pipelines/job/treeherder/job/treeherder-production"
	for _, tt := range []struct {
		location string
		status   int
		body     string
		want     string
	}{
		{page + "/", 302, "", "yes"},
		{page, 302, "", "yes"},
		{"../..", 302, "", "yes"},
		{"", 302, "", "unknown"},
		{page + "/", 303, "", "unknown"},
		{page + "/812/", 302, "", "unknown"},
		{"/login?from=" + page + "/", 302, "", "unknown"},
		{"https://elsewhere.example" + page + "/", 302, "", "unknown"},
		{page + "/812/rebuild/parameterized", 302, "", "unknown"},
		{"", 200, "<html>Log in</html>", "unknown"},
		{"", 204, "", "unknown"},
	} {
		requests := 0
		c := loopback(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests++
			if tt.location != "" {
				w.Header().Set("Location", tt.location)
			}
			w.WriteHeader(tt.status)
			io.WriteString(w, tt.body)
		}))
		for name, err := range map[string]error{
			"Rebuild": c.Rebuild(t.Context(), job, 812, nil), "Rebuild with values": c.Rebuild(t.Context(), job, 812, []jenkins.Value{{Name: "A", Value: "b"}}), "Replay": c.Replay(t.Context(), job, 812),
		} {
			if got := kind(err); got != tt.want {
				t.Errorf("%s, %d to %q: %s, want %s: %v", name, tt.status, tt.location, got, tt.want, err)
			}
		}
		// The form alone is worth a second request.
		if want := 3 + strings.Count(tt.location, "parameterized"); requests != want {
			t.Errorf("%d to %q: %d requests, want %d", tt.status, tt.location, requests, want)
		}
	}
}

// A lost answer: it happened, nobody was told, and looking finds the one run,
// in the queue first.
func TestRebuildWithoutAnswer(t *testing.T) {
	for _, tt := range []struct {
		name string
		ask  func(*jenkins.Client, *testing.T, int) error
	}{
		{"rebuild", func(c *jenkins.Client, t *testing.T, n int) error { return c.Rebuild(t.Context(), job, n, nil) }},
		{"replay", func(c *jenkins.Client, t *testing.T, n int) error { return c.Replay(t.Context(), job, n) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				held := make(chan struct{})
				s := &fakejenkins.Server{ContextPath: "/ci", Root: "https://public.example/ci", Launch: time.Second, Gate: func(call, moment string) {
					if strings.Contains(call, "POST") && moment == fakehttp.Done {
						<-held
					}
				}}
				c := piped(t, s)
				s.AddJob(job, fakejenkins.JobSpec{Next: 812, Stages: waiting})
				s.AddJob("treeherder-production", fakejenkins.JobSpec{Stages: waiting}) // of the same name, elsewhere
				n, err := s.StartRun(job, fakejenkins.RunSpec{Parameters: map[string]string{"ImageTag": "old"}, Result: "SUCCESS"})
				if err != nil {
					t.Fatal(err)
				}
				s.QuietDown(true)
				look := func() (int, string, error) {
					run, queued, _, err := c.Rebuilt(t.Context(), job, n, n+1, "ThBot")
					if queued == nil {
						queued = &jenkins.Queued{}
					}
					return run.Number, queued.Why, err
				}
				if number, why, err := look(); number != 0 || why != "" || err != nil {
					t.Errorf("before: %d, %q, %v", number, why, err)
				}
				err = tt.ask(c, t, n)
				close(held)
				if kind(err) != "unknown" {
					t.Errorf("%s: %v", kind(err), err)
				}
				const about = "Jenkins is about to shut down"
				if number, why, err := look(); number != 0 || why != about || err != nil {
					t.Errorf("queued: %d, %q, %v", number, why, err)
				}
				// Others wait, too. What the job says of its queue is one of them.
				if _, err := s.Queue("treeherder-production", fakejenkins.RunSpec{Parameters: map[string]string{"ImageTag": "x"}}); err != nil {
					t.Fatal(err)
				}
				if err := s.RebuildByHand(job, n, "ana", map[string]string{"ImageTag": "hers"}); err != nil {
					t.Fatal(err)
				}
				queue, err := c.Queue(t.Context(), job)
				if err != nil || len(queue) != 2 || queue[0].Why != about || len(queue[0].Causes) != 3 && tt.name == "rebuild" {
					t.Errorf("Queue: %+v, %v", queue, err)
				}
				if number, why, err := look(); number != 0 || why != about || err != nil {
					t.Errorf("queued with others: %d, %q, %v", number, why, err)
				}
				s.QuietDown(false)
				if number, why, err := look(); number != 0 || why != "" || err != nil {
					t.Errorf("between the queue and the run: %d, %q, %v", number, why, err)
				}
				<-time.After(2 * time.Second)
				run, queued, found, err := c.Rebuilt(t.Context(), job, n, n+1, "thbot")
				if tag, _ := run.Parameter("ImageTag"); tag != "old" || queued != nil || !found || err != nil {
					t.Errorf("running: %+v, %+v, %v", run, queued, err)
				}
			})
		})
	}
}

// A run that waits for people holds up the one that would take its place.
func TestRebuildBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakejenkins.Server{}
		c := piped(t, s)
		s.AddJob(job, fakejenkins.JobSpec{Next: 811, Stages: waiting, NotConcurrent: true})
		if _, err := s.StartRun(job, fakejenkins.RunSpec{Result: "SUCCESS"}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.StartRun(job, fakejenkins.RunSpec{}); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second is swallowed
			if err := c.Rebuild(t.Context(), job, 811, nil); err != nil {
				t.Fatal(err)
			}
		}
		runs, err := c.Runs(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}
		_, queued, found, err := runs.RebuiltFrom(811, 813, "thbot")
		if err != nil || found || queued == nil || !strings.HasPrefix(queued.Why, "Build #812 is already in progress") {
			t.Errorf("found %v, queued %+v, %v", found, queued, err)
		}
		if err := c.Stop(t.Context(), job, 812, jenkins.Politely); err != nil {
			t.Fatal(err)
		}
		run, queued, found, err := c.Rebuilt(t.Context(), job, 811, 813, "thbot")
		if err != nil || !found || run.Number != 813 || queued != nil {
			t.Errorf("run %+v, queued %+v, found %v, %v", run, queued, found, err)
		}
	})
}

func TestRebuildable(t *testing.T) {
	ps, had := settings()
	for _, tt := range []struct {
		name   string
		server *fakejenkins.Server
		run    map[string]string
		more   []fakejenkins.Parameter
		want   jenkins.Rebuildable
	}{
		{name: "without parameters", want: jenkins.Rebuildable{Rebuilder: true}},
		{name: "with none of them", run: map[string]string{}, want: jenkins.Rebuildable{Rebuilder: true, Parameterized: true}},
		{name: "with parameters", run: had, want: jenkins.Rebuildable{Rebuilder: true, Parameterized: true,
			Parameters: []jenkins.Value{{Name: "FAST", Value: "true"}, {Name: "HOW", Value: "all"}, {Name: "ImageTag", Value: "old"}}}},
		{name: "with what is not told", run: map[string]string{"KEY": "hunter2", "ARCHIVE": "a.tar"},
			more: []fakejenkins.Parameter{{Name: "KEY", Type: "PasswordParameterDefinition"}, {Name: "ARCHIVE", Type: "FileParameterDefinition"}},
			want: jenkins.Rebuildable{Rebuilder: true, Parameterized: true, Secret: []string{"KEY"}, Files: []string{"ARCHIVE"}}},
		{name: "without the plugin", server: &fakejenkins.Server{NoRebuilder: true}, want: jenkins.Rebuildable{}},
		{name: "with an old one", server: &fakejenkins.Server{OldRebuilder: true}, want: jenkins.Rebuildable{Rebuilder: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.server
			if s == nil {
				s = &fakejenkins.Server{}
			}
			t.Cleanup(s.Stop)
			c := loopback(t, s)
			s.AddJob(job, fakejenkins.JobSpec{Next: 812, Parameters: append(ps, tt.more...)})
			n, err := s.StartRun(job, fakejenkins.RunSpec{Parameters: tt.run, Result: "SUCCESS"})
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Rebuildable(t.Context(), job, n)
			if d := cmp.Diff(tt.want, got); d != "" || err != nil {
				t.Errorf("%v, (-want +got):\n%s", err, d)
			}
			if _, err := c.Rebuildable(t.Context(), job, n+1); !errors.Is(err, bot.ErrNotFound) {
				t.Error(err)
			}
			if runs, err := s.Runs(job); err != nil || len(runs) != 1 || len(s.Queued()) != 0 {
				t.Errorf("asking did something: %+v, %v", runs, err)
			}
		})
	}
}

// That nobody could tell whether the plugin is there is not that it is not.
func TestRebuildableUnknown(t *testing.T) {
	s := &fakejenkins.Server{}
	t.Cleanup(s.Stop)
	n := start(t, s, fakejenkins.RunSpec{Result: "SUCCESS"})
	s.Disturb(fakejenkins.Trouble{Call: "rebuild/parameterized", Status: http.StatusBadGateway})
	if r, err := loopback(t, s).Rebuildable(t.Context(), job, n); kind(err) != "unknown" {
		t.Errorf("%+v, %v", r, err)
	}
}
