package web_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thbot/bot"
	"thbot/integrations/fakehttp"
	"thbot/integrations/internal/web"
)

func do(t *testing.T, c *http.Client, method, url string) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer SECRET")
	resp, err := c.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

// Where a redirect leads, and what is seen there.
func TestRedirects(t *testing.T) {
	tests := []struct {
		name     string
		follow   bool
		method   string
		status   int
		to       string // "other": another host
		want     int
		wantSeen string // method of the second request
	}{
		{"GET within the host", true, "GET", 302, "/there", 200, "GET"},
		{"GET within the host, not wanted", false, "GET", 302, "/there", 302, ""},
		{"GET to another host", true, "GET", 302, "other", 302, ""},
		{"GET to another host, not wanted", false, "GET", 301, "other", 301, ""},
		{"GET to another host that keeps the method", true, "GET", 307, "other", 307, ""},
		{"GET in a circle", true, "GET", 302, "/here", 302, ""},
		{"GET to nowhere", true, "GET", 302, "", 302, ""},
		{"POST", true, "POST", 302, "/there", 302, ""},
		{"POST that would stay one", true, "POST", 307, "/there", 307, ""},
		{"PATCH", true, "PATCH", 301, "/there", 301, ""},
		{"PATCH that would stay one", true, "PATCH", 308, "/there", 308, ""},
		{"PATCH, not wanted", false, "PATCH", 301, "/there", 301, ""},
		{"DELETE", true, "DELETE", 303, "/there", 303, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			seen, requests := "", 0
			there := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen = r.Method })
			other := httptest.NewServer(there)
			defer other.Close()
			mux := http.NewServeMux()
			mux.Handle("/there", there)
			mux.HandleFunc("/here", func(w http.ResponseWriter, r *http.Request) {
				requests++
				to := tt.to
				if to == "other" {
					to = other.URL + "/there"
				}
				if to != "" {
					w.Header().Set("Location", to)
				}
				w.WriteHeader(tt.status)
			})
			s := httptest.NewServer(mux)
			defer s.Close()
			resp, _, err := do(t, web.NewClient(web.Options{Redirects: tt.follow}), tt.method, s.URL+"/here")
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != tt.want || seen != tt.wantSeen {
				t.Errorf("got %d, and a second request %q; want %d and %q", resp.StatusCode, seen, tt.want, tt.wantSeen)
			}
			if requests > 6 {
				t.Errorf("went round %d times", requests)
			}
		})
	}
}

// From https there is no way back to http, on whatever host.
func TestRedirectScheme(t *testing.T) {
	c := web.NewClient(web.Options{Redirects: true})
	tests := []struct {
		from, to string
		follow   bool
	}{
		{"https://a.test/", "https://a.test/x", true},
		{"http://a.test/", "http://a.test/x", true},
		{"http://a.test/", "https://a.test/", true},
		{"https://a.test/", "http://a.test/x", false},
		{"http://a.test/", "ftp://a.test/x", false},
		{"https://a.test/", "https://a.test:8443/", false},
		{"https://a.test/", "https://b.a.test/", false},
	}
	for _, tt := range tests {
		first, next := httptest.NewRequest("GET", tt.from, nil), httptest.NewRequest("GET", tt.to, nil)
		if err := c.CheckRedirect(next, []*http.Request{first}); (err == nil) != tt.follow {
			t.Errorf("%s to %s: %v", tt.from, tt.to, err)
		}
	}
}

func TestUserAgent(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.UserAgent())
	}))
	defer s.Close()
	c := web.NewClient(web.Options{})
	for _, set := range []string{"", "go-github/v60.0.0"} {
		req, _ := http.NewRequest("GET", s.URL, nil)
		if set != "" {
			req.Header.Set("User-Agent", set)
		}
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(b) != web.UserAgent {
			t.Errorf("with User-Agent %q set, the server sees %q", set, b)
		}
		if got := req.Header.Get("User-Agent"); got != set {
			t.Errorf("the caller's request was changed: %q", got)
		}
	}
}

func TestCookies(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") != "" {
			t.Errorf("a cookie came back: %v", r.Header)
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
	}))
	defer s.Close()
	c := web.NewClient(web.Options{})
	for range 2 {
		if _, _, err := do(t, c, "GET", s.URL); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBodyLimit(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("n"), &n)
		_, _ = io.WriteString(w, strings.Repeat("x", n)) // net/http compresses nothing by itself
	}))
	defer s.Close()
	c := web.NewClient(web.Options{Body: 1000})
	for _, tt := range []struct{ n, want int }{{0, 0}, {999, 999}, {1000, 1000}, {1001, 1000}, {100_000, 1000}} {
		_, body, err := do(t, c, "GET", fmt.Sprintf("%s?n=%d", s.URL, tt.n))
		if len(body) != tt.want {
			t.Errorf("of %d bytes %d were read, want %d", tt.n, len(body), tt.want)
		}
		if tt.n > 1000 != errors.Is(err, web.ErrTooLarge) || tt.n <= 1000 && err != nil {
			t.Errorf("reading %d bytes: %v", tt.n, err)
		}
	}
}

// The limit counts what comes out of a compressed answer.
func TestBodyLimitUncompressed(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, strings.Repeat("x", 1<<20))
		_ = z.Close()
	}))
	defer s.Close()
	_, body, err := do(t, web.NewClient(web.Options{Body: 1000}), "GET", s.URL)
	if len(body) != 1000 || !errors.Is(err, web.ErrTooLarge) {
		t.Errorf("read %d bytes, %v", len(body), err)
	}
}

// The time limit ends a request that is not answered, and one whose body does
// not end.
func TestTimeLimit(t *testing.T) {
	for _, begun := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := fakehttp.NewPipe()
			s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if begun {
					_, _ = io.WriteString(w, "once upon a")
					_ = http.NewResponseController(w).Flush()
				}
				<-r.Context().Done()
			})}
			go func() { _ = s.Serve(p) }()
			c := web.NewClient(web.Options{Dial: p.Dial, Limit: 3 * time.Second})
			before := time.Now()
			_, _, err := do(t, c, "GET", "http://slow.test/")
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error is %v", err)
			}
			if took := time.Since(before); took != 3*time.Second {
				t.Errorf("took %v", took)
			}
			if bot.NotSent(&web.Error{System: "X", Activity: "x", Err: err}) {
				t.Error("it was sent")
			}
			c.CloseIdleConnections()
			_ = s.Close()
		})
	}
}

// Only an error before there was a connection says that nothing was sent.
func TestNotSent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	l.Close()
	hangsUp := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer hangsUp.Close()
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	defer tls.Close()
	nobody := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "gone.test"}}
	}
	deaf := func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		there.Close()
		return here, nil
	}
	tests := []struct {
		name string
		url  string
		dial web.DialFunc
		want bool
	}{
		{"closed port", closed, nil, true},
		{"unknown host", "http://gone.test/", nobody, true},
		{"connection closed at once", "http://deaf.test/", deaf, false},
		{"hangs up", hangsUp.URL, nil, false},
		{"certificate of a stranger", tls.URL, nil, false}, // a connection was made; no need to be sure
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := do(t, web.NewClient(web.Options{Dial: tt.dial}), "POST", tt.url)
			if err == nil {
				t.Fatal("no error")
			}
			err = fmt.Errorf("asking: %w", &web.Error{System: "Jenkins", Activity: "reading run 812", Err: err})
			if got := bot.NotSent(err); got != tt.want {
				t.Errorf("NotSent(%v) = %v, want %v", err, got, tt.want)
			}
			if strings.Contains(err.Error(), "SECRET") {
				t.Errorf("the credential is in %q", err)
			}
		})
	}
	if bot.NotSent(&web.Error{Err: &net.OpError{Op: "read", Err: errors.New("connection reset")}}) {
		t.Error("what was read from counts as not sent")
	}
	// Whoever answers was asked, whatever else went wrong.
	answered := &web.Error{Status: 502, Err: &net.OpError{Op: "dial", Err: errors.New("upstream")}}
	if bot.NotSent(answered) {
		t.Error("an answer counts as not sent")
	}
}

func TestError(t *testing.T) {
	cause := errors.New("out of order")
	tests := []struct {
		err   web.Error
		text  string
		wait  time.Duration
		again bool
	}{
		{web.Error{System: "Jenkins", Activity: "reading run 812", Err: cause}, "Jenkins: reading run 812: out of order", 0, true},
		{web.Error{System: "Jenkins", Activity: "reading run 812", Status: 503, Wait: time.Second}, "Jenkins: reading run 812: HTTP 503", time.Second, true},
		{web.Error{System: "Jenkins", Activity: "reading run 812", Status: 404, Err: cause, Final: true}, "Jenkins: reading run 812: HTTP 404: out of order", 0, false},
	}
	for _, tt := range tests {
		if tt.err.Error() != tt.text {
			t.Errorf("text is %q, want %q", tt.err.Error(), tt.text)
		}
		err := fmt.Errorf("promoting: %w", &tt.err)
		if got := bot.Service(err); got != "Jenkins" {
			t.Errorf("service of %q is %q", tt.text, got)
		}
		if wait, again := bot.RetryAfter(err); wait != tt.wait || again != tt.again {
			t.Errorf("retry after %q: %v, %v", tt.text, wait, again)
		}
		if errors.Is(err, cause) != (tt.err.Err != nil) {
			t.Errorf("the cause of %q is lost", tt.text)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for v, want := range map[string]time.Duration{
			"":                     0,
			"0":                    0,
			"30":                   30 * time.Second,
			"-30":                  0,
			"soon":                 0,
			"18446744073709551615": 24 * time.Hour,
			time.Now().Add(time.Minute).UTC().Format(http.TimeFormat):  time.Minute,
			time.Now().Add(-time.Minute).UTC().Format(http.TimeFormat): 0,
		} {
			if got := web.RetryAfter(http.Header{"Retry-After": {v}}); got != want {
				t.Errorf("Retry-After: %s is %v, want %v", v, got, want)
			}
		}
	})
}
