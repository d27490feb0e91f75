package jenkins_test

import (
	"errors"
	"net/http"
	"testing"

	"thbot/integrations/fakehttp"
	"thbot/integrations/jenkins"
	"thbot/integrations/jenkins/fakejenkins"
)

// piped serves s in the bubble that t runs in.
func piped(t *testing.T, s *fakejenkins.Server) *jenkins.Client {
	t.Helper()
	p := fakehttp.NewPipe()
	server := &http.Server{Handler: s}
	served := make(chan error, 1)
	go func() { served <- server.Serve(p) }()
	t.Cleanup(func() {
		s.Stop()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		if u := s.Unexpected(); len(u) != 0 {
			t.Errorf("unexpected requests: %q", u)
		}
	})
	o := options("http://jenkins.test" + s.ContextPath + "/")
	o.Dial = p.Dial
	return connect(t, o)
}
