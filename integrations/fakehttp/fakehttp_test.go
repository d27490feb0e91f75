package fakehttp_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"thbot/integrations/fakehttp"
)

// A fake counts, and the test is its gate.
func TestServe(t *testing.T) {
	done := false
	moments := make(chan string)
	goOn := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gate := func(call, moment string) {
			moments <- call + " " + moment
			<-goOn
		}
		fakehttp.Serve(w, r, "POST it", gate, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			done = true
			w.Header().Set("X-It", "is")
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write(body)
		})
	}))
	defer s.Close()

	type answer struct {
		resp *http.Response
		body string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		resp, err := http.Post(s.URL, "text/plain", http.NoBody)
		if err != nil {
			answers <- answer{err: err}
			return
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		answers <- answer{resp, string(b), err}
	}()

	if got, want := <-moments, "POST it arrived"; got != want {
		t.Fatalf("first moment is %q, want %q", got, want)
	}
	if done {
		t.Error("the effect happened before the request was let in")
	}
	goOn <- struct{}{}
	if got, want := <-moments, "POST it done"; got != want {
		t.Fatalf("second moment is %q, want %q", got, want)
	}
	if !done {
		t.Error("done, and nothing happened")
	}
	select {
	case a := <-answers:
		t.Errorf("an answer left before it was let out: %+v", a)
	default:
	}
	goOn <- struct{}{}
	if got, want := <-moments, "POST it answered"; got != want {
		t.Fatalf("third moment is %q, want %q", got, want)
	}
	// The whole answer is there although the last gate is still shut.
	a := <-answers
	goOn <- struct{}{}
	if a.err != nil {
		t.Fatal(a.err)
	}
	if a.resp.StatusCode != http.StatusCreated || a.resp.Header.Get("X-It") != "is" {
		t.Errorf("answer is %v %v", a.resp.Status, a.resp.Header)
	}
}

// Answers that may have no body pass too, with and without a gate.
func TestServeAnswers(t *testing.T) {
	tests := []struct {
		method string
		status int
		body   string
		want   string
	}{
		{"GET", 200, "all of it", "all of it"},
		{"GET", 200, "", ""},
		{"HEAD", 200, "unseen", ""},
		{"DELETE", 204, "", ""},
		{"GET", 304, "", ""},
		{"GET", 503, "<html>", "<html>"},
	}
	for _, tt := range tests {
		var moments []string
		for _, gate := range []func(string, string){nil, func(_, m string) { moments = append(moments, m) }} {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				fakehttp.Serve(w, r, "x", gate, func(w http.ResponseWriter, r *http.Request) {
					w.WriteHeader(tt.status)
					_, _ = io.WriteString(w, tt.body)
				})
			}))
			req, _ := http.NewRequest(tt.method, s.URL, nil)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatalf("%s answered %d: %v", tt.method, tt.status, err)
			}
			b, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			s.Close()
			if err != nil || resp.StatusCode != tt.status || string(b) != tt.want {
				t.Errorf("%s answered %d %q: got %d %q, %v", tt.method, tt.status, tt.body, resp.StatusCode, b, err)
			}
		}
		if want := []string{fakehttp.Arrived, fakehttp.Done, fakehttp.Answered}; !slices.Equal(moments, want) {
			t.Errorf("moments are %v, want %v", moments, want)
		}
	}
}
