package jenkins_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"thbot/bot"
	"thbot/integrations/fakehttp"
	"thbot/integrations/internal/web"
	"thbot/integrations/jenkins"
	"thbot/integrations/jenkins/fakejenkins"
)

// What Proceed says, and whether the run went on. Only "yes" and "unknown" may
// go with an effect.
func TestProceedOutcomes(t *testing.T) {
	const (
		yes        = "yes"
		notPending = "not pending"
		refused    = "refused"
		unknown    = "unknown"
		notSent    = "not sent"
	)
	who := []jenkins.Value{{Name: "WHO", Value: "ana"}}
	for _, tt := range []struct {
		name    string
		server  *fakejenkins.Server
		input   fakejenkins.InputSpec
		id      string // "Promote" if empty
		token   string
		values  []jenkins.Value
		before  func(s *fakejenkins.Server, n int) error
		want    string
		why     string // of a refusal
		effects int    // by the bot
	}{
		{name: "empty", want: yes, effects: 1},
		{name: "with values", values: who, input: fakejenkins.InputSpec{Parameters: []fakejenkins.Parameter{{Name: "WHO"}}}, want: yes, effects: 1},
		{name: "as submitter", input: fakejenkins.InputSpec{Submitter: "ana, THBOT"}, want: yes, effects: 1},
		{name: "as admin", server: &fakejenkins.Server{Admins: []string{"thbot"}}, input: fakejenkins.InputSpec{Submitter: "ana"}, want: yes, effects: 1},
		{name: "submitters do not need Job/Build", server: &fakejenkins.Server{Denied: map[string][]string{"thbot": {"Job/Build"}}},
			input: fakejenkins.InputSpec{Submitter: "thbot"}, want: yes, effects: 1},
		{name: "another id", id: "Other", want: notPending},
		{name: "an id that needs escaping", id: "a/b?c#d e", want: notPending},
		{name: "proceeded before", before: func(s *fakejenkins.Server, n int) error { return s.ProceedByHand(job, n, "Promote", "bea", nil) }, want: notPending},
		{name: "proceeded a moment before", server: &fakejenkins.Server{Settling: time.Second},
			before: func(s *fakejenkins.Server, n int) error { return s.ProceedByHand(job, n, "Promote", "bea", nil) }, want: notPending},
		{name: "rejected before", before: func(s *fakejenkins.Server, n int) error { return s.RejectByHand(job, n, "Promote", "bea") }, want: notPending},
		{name: "aborted before", before: func(s *fakejenkins.Server, n int) error { return s.AbortRun(job, n, "bea") }, want: notPending},
		{name: "may not see the job", server: &fakejenkins.Server{Denied: map[string][]string{"thbot": {"Job/Read"}}}, want: notPending},
		{name: "not a submitter", input: fakejenkins.InputSpec{Submitter: "ana,ops"}, want: refused, why: "Jenkins says: You need to be ana,ops to submit this."},
		{name: "without Job/Build", server: &fakejenkins.Server{Denied: map[string][]string{"thbot": {"Job/Build"}}},
			want: refused, why: "Jenkins says: You need to have Job/Build permissions to submit this."},
		{name: "without Overall/Read", server: &fakejenkins.Server{Denied: map[string][]string{"thbot": {"Overall/Read"}}},
			want: refused, why: "Jenkins says: thbot is missing the Overall/Read permission."},
		{name: "a name that is not declared", values: who, want: unknown},
		{name: "a wrong token", token: "new", want: notSent},
		{name: "down", before: func(s *fakejenkins.Server, _ int) error { s.Down(true); return nil }, want: unknown},
		{name: "restarting", before: func(s *fakejenkins.Server, _ int) error { s.Restart(); return nil }, want: unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := tt.server
				if s == nil {
					s = &fakejenkins.Server{}
				}
				if tt.token != "" {
					s.Users = map[string]string{fakejenkins.User: tt.token}
				}
				c := piped(t, s)
				spec := tt.input
				spec.ID = "promote"
				n := start(t, s, fakejenkins.RunSpec{Stages: []fakejenkins.StageSpec{{Name: "deploy", Input: &spec, Takes: time.Minute}}})
				if tt.before != nil {
					if err := tt.before(s, n); err != nil {
						t.Fatal(err)
					}
				}
				id := tt.id
				if id == "" {
					id = "Promote"
				}
				err := c.Proceed(t.Context(), job, n, id, tt.values)
				if got := kind(err); got != tt.want {
					t.Errorf("%s, want %s: %v", got, tt.want, err)
				}
				if r, ok := errors.AsType[*bot.Refused](err); ok && r.Why != tt.why {
					t.Errorf("because %q, want %q", r.Why, tt.why)
				}
				if got := byBot(s); got != tt.effects {
					t.Errorf("%d effects, want %d", got, tt.effects)
				}
			})
		})
	}

	t.Run("no answer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			// The effect happens, the answer does not arrive in time.
			s := &fakejenkins.Server{}
			held := make(chan struct{})
			s.Gate = func(_, moment string) {
				if moment == fakehttp.Done {
					<-held
				}
			}
			c := piped(t, s)
			n := start(t, s, fakejenkins.RunSpec{Stages: []fakejenkins.StageSpec{{Name: "deploy", Input: &fakejenkins.InputSpec{ID: "promote"}}}})
			err := c.Proceed(t.Context(), job, n, "Promote", nil)
			close(held)
			if kind(err) != unknown || byBot(s) != 1 {
				t.Errorf("%s with %d effects: %v", kind(err), byBot(s), err)
			}
		})
	})
	t.Run("the connection breaks", func(t *testing.T) {
		var requests atomic.Int32
		c := loopback(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			requests.Add(1)
			panic(http.ErrAbortHandler)
		}))
		if err := c.Proceed(t.Context(), job, 1, "Promote", nil); kind(err) != unknown || requests.Load() != 1 {
			t.Errorf("%s after %d requests: %v", kind(err), requests.Load(), err)
		}
	})
	t.Run("nobody listens", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		if err := connect(t, options(server.URL)).Proceed(t.Context(), job, 1, "Promote", nil); kind(err) != notSent {
			t.Errorf("%s: %v", kind(err), err)
		}
	})
	t.Run("called off", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := loopback(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel() }))
		if err := c.Proceed(ctx, job, 1, "Promote", nil); err != nil && kind(err) != unknown {
			t.Errorf("%s: %v", kind(err), err)
		}
	})
}

func kind(err error) string {
	_, refused := errors.AsType[*bot.Refused](err)
	_, failed := errors.AsType[*web.Error](err)
	switch {
	case err == nil:
		return "yes"
	case errors.Is(err, jenkins.ErrNotPending) && !refused && !failed:
		return "not pending"
	case refused && !failed:
		return "refused"
	case bot.NotSent(err):
		return "not sent"
	case failed && bot.Service(err) == "Jenkins":
		return "unknown"
	}
	return "neither fish nor flesh"
}

func byBot(s *fakejenkins.Server) (n int) {
	for _, p := range s.Proceeds() {
		if p.User == fakejenkins.User && !p.ByHand {
			n++
		}
	}
	return n
}

// Of many who answer at once, one is taken.
func TestProceedRace(t *testing.T) {
	for _, settling := range []time.Duration{0, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			s := &fakejenkins.Server{Settling: settling}
			c := piped(t, s)
			n := start(t, s, fakejenkins.RunSpec{Stages: []fakejenkins.StageSpec{{Name: "deploy", Input: &fakejenkins.InputSpec{ID: "promote"}, Takes: time.Minute}}})
			kinds := make(chan string)
			for range 8 {
				go func() { kinds <- kind(c.Proceed(t.Context(), job, n, "Promote", nil)) }()
			}
			count := map[string]int{}
			for range 8 {
				count[<-kinds]++
			}
			if count["yes"] != 1 || count["not pending"] != 7 || byBot(s) != 1 {
				t.Errorf("settling %v: %v, %d effects", settling, count, byBot(s))
			}
		})
	}
}
