package jenkins_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thbot/bot"
	"thbot/integrations/jenkins"
	"thbot/integrations/jenkins/fakejenkins"
)

// logged is a client and a run that waits, with that in its log.
func logged(t *testing.T, text string) (*fakejenkins.Server, *jenkins.Client, int) {
	t.Helper()
	s := &fakejenkins.Server{FullNames: map[string]string{"bea": "Bea Ops"}}
	t.Cleanup(s.Stop)
	n := start(t, s, fakejenkins.RunSpec{Stages: waiting})
	if err := s.Log(job, n, text); err != nil {
		t.Fatal(err)
	}
	return s, loopback(t, s), n
}

// What becomes of the lines of a log.
func TestLogTail(t *testing.T) {
	const note = "\x1b[8mha:////4Gxhc2RmYXNkZg==\x1b[0m"
	for _, tt := range []struct {
		name, log string
		lines     int
		want      []string
	}{
		{"the last ones, in order", "one\ntwo\nthree\n", 2, []string{"two", "three"}},
		{"none", "one\n", 0, nil},
		{"less than none", "one\n", -1, nil},
		{"blank ones", "one\n\n   \n\t\ntwo\n\n", 2, []string{"one", "two"}},
		{"with both ends", "one\r\ntwo\r\n", 2, []string{"one", "two"}},
		{"colours", "\x1b[1;31mERROR\x1b[0m: \x1b[38;5;9mno\x1b[m\x1b[K\n", 1, []string{"ERROR: no"}},
		{"a window's title", "\x1b]0;deploy\x07one\x1b]8;;https://x\x1b\\two\x1b(B\n", 1, []string{"onetwo"}},
		{"Jenkins' notes", "Approved by " + note + "Bea\n", 1, []string{"Approved by Bea"}},
		{"a progress bar", "10%\r50%\r100%\n", 1, []string{"100%"}},
		{"other control characters", "a\x00b\x08c\td\x7f\n", 1, []string{"abc\td"}},
		{"no UTF-8", "caf\xe9 \xff\n", 1, []string{"caf\uFFFD \uFFFD"}},
		{"a long one", strings.Repeat("é", 401) + "\n", 1, []string{strings.Repeat("é", 399) + "…"}},
		{"one as long as may be", strings.Repeat("é", 400) + "\n", 1, []string{strings.Repeat("é", 400)}},
		{"a secret", "PASSWORD=hunter2 make\n", 1, []string{"PASSWORD=[redacted] make"}},
		{"a secret in colour", "PASS\x1b[1mWORD=\x1b[0mhunter2\n", 1, []string{"PASSWORD=[redacted]"}},
		{"a secret at the end of a long line", strings.Repeat("x", 380) + " token=" + strings.Repeat("s3cr3t", 9) + "\n", 1,
			[]string{strings.Repeat("x", 380) + " token=[redacted]"}},
		{"a key that begins before", "-----BEGIN RSA PRIVATE KEY-----\nMIIB\nQQ==\n", 1, []string{"[redacted]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, c, n := logged(t, tt.log)
			lines, err := c.LogTail(t.Context(), job, n, tt.lines)
			if d := cmp.Diff(tt.want, lines, cmp.Transformer("nil", func(l []string) string { return fmt.Sprintf("%q", l) })); err != nil || d != "" {
				t.Errorf("%v, LogTail (-want +got):\n%s", err, d)
			}
		})
	}
}

// Of a log however long, little is read; of the run that goes on and of the one
// that is over.
func TestLogTailOfMuch(t *testing.T) {
	var long strings.Builder
	for i := range 40_000 {
		fmt.Fprintf(&long, "line %d: %s\n", i, strings.Repeat("é", 50))
	}
	s, _, n := logged(t, long.String())
	var read, asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	o := options(server.URL)
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return counted{conn, &read}, err
	}
	c := connect(t, o)
	look := func(want []string) {
		t.Helper()
		read.Store(0)
		asked.Store(0)
		lines, err := c.LogTail(t.Context(), job, n, len(want))
		for i, line := range lines {
			if i < len(want) && strings.HasPrefix(line, want[i]+": é") && strings.HasSuffix(line, "é") {
				lines[i] = want[i]
			}
		}
		if d := cmp.Diff(want, lines); err != nil || d != "" {
			t.Errorf("%v, LogTail (-want +got):\n%s", err, d)
		}
		// What is left of an answer is not read, but for a buffer.
		if most := asked.Load() * (80 << 10); read.Load() > most || asked.Load() > 6 {
			t.Errorf("%d bytes read of %d in %d answers", read.Load(), long.Len(), asked.Load())
		}
	}
	look([]string{"line 39998", "line 39999"})
	if err := s.RejectByHand(job, n, "Promote", "bea"); err != nil {
		t.Fatal(err)
	}
	look([]string{"line 39999", "Rejected by Bea Ops", "[Pipeline] }", "[Pipeline] // stage", "[Pipeline] End of Pipeline", "Finished: ABORTED"})
}

type counted struct {
	net.Conn
	read *atomic.Int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.read.Add(int64(n))
	return n, err
}

// Logs as other versions send them, byte for byte from any offset.
func TestLogTailVersions(t *testing.T) {
	const note = "\x1b[8mha:////4Gxhc2RmYXNkZg==\x1b[0m"
	var stored strings.Builder
	for stored.Len() < 300<<10 {
		stored.WriteString(note + "ééé\n")
	}
	all := stored.String()
	for _, tt := range []struct {
		name   string
		answer func(start int) (body string, size int, more bool)
		want   []string
		fails  bool
	}{
		{name: "no log yet", answer: func(int) (string, int, bool) { return "", 0, true }},
		{name: "all at once", answer: func(start int) (string, int, bool) { return all[start:], len(all), false }, want: []string{"ééé", "ééé"}},
		// The end is asked for at any byte: of a note, of a rune, of a line's end.
		{name: "one byte more", answer: func(start int) (string, int, bool) {
			return all[start:] + "é\n", len(all) + 1, false
		}, want: []string{"ééé", "é"}},
		{name: "two bytes more", answer: func(start int) (string, int, bool) {
			return all[start:] + "é\n", len(all) + 2, false
		}, want: []string{"ééé", "é"}},
		{name: "in the middle of a note", answer: func(start int) (string, int, bool) {
			if start > 0 {
				return "m9vYmFy\x1b[0mhalf\nend\n", start + 100, false
			}
			return all, len(all), false
		}, want: []string{"end"}},
		// 2.509 to 2.533: the size is that of all, the text stops before.
		{name: "the size of all", answer: func(start int) (string, int, bool) {
			text := all + strings.Repeat("x\n", 15_000) + "end\n"
			size := len(text)
			lines := strings.SplitAfterN(text[start:], "\n", 10_001)
			return strings.Join(lines[:min(len(lines), 10_000)], ""), size, true
		}, want: []string{"x", "x"}},
		{name: "short lines", answer: func(start int) (string, int, bool) {
			text := strings.Repeat("1234\n", 25_000) + "end\n"
			lines := strings.SplitAfterN(text[start:], "\n", 10_001)
			body := strings.Join(lines[:min(len(lines), 10_000)], "")
			return body, start + len(body), true
		}, want: []string{"1234", "end"}},
		{name: "begun anew meanwhile", answer: func(start int) (string, int, bool) {
			if start > 0 {
				return "one\ntwo\n", 8, true
			}
			return all, len(all), true
		}, want: []string{"one", "two"}},
		{name: "much longer than it says", answer: func(int) (string, int, bool) { return all, 10, false }, fails: true},
		{name: "without end", answer: func(start int) (string, int, bool) { return all, start + len(all), true }, fails: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := loopback(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				start, err := strconv.Atoi(r.URL.Query().Get("start"))
				if err != nil || !strings.HasSuffix(r.URL.Path, "/812/logText/progressiveText") {
					t.Errorf("asked %s", r.URL)
				}
				body, size, more := tt.answer(start)
				w.Header().Set("X-Text-Size", strconv.Itoa(size))
				if more {
					w.Header().Set("X-More-Data", "true")
				}
				_, _ = w.Write([]byte(strings.ReplaceAll(body, "\n", "\r\n"))) // the client may have gone
			}))
			lines, err := c.LogTail(t.Context(), job, 812, 2)
			if tt.fails {
				if err == nil || bot.Service(err) != "Jenkins" || lines != nil {
					t.Errorf("%q, %v", lines, err)
				}
				return
			}
			if d := cmp.Diff(tt.want, lines, cmp.Transformer("nil", func(l []string) string { return fmt.Sprintf("%q", l) })); err != nil || d != "" {
				t.Errorf("%v, LogTail (-want +got):\n%s", err, d)
			}
		})
	}
}

// An answer that breaks off is none.
func TestLogTailCut(t *testing.T) {
	s, c, n := logged(t, "one\ntwo\n")
	s.Disturb(fakejenkins.Trouble{Call: "progressiveText", Cut: true})
	if lines, err := c.LogTail(t.Context(), job, n, 2); err == nil {
		t.Errorf("%q", lines)
	}
}
