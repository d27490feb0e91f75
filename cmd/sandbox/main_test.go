package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestRefusals(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, tt := range []struct {
		args           string
		code           int
		stdout, stderr string
	}{
		{"--help", fine, "--listen=ADDRESS", ""},
		{"--help", fine, "--databases=false", ""},
		{"--databases=maybe", misuse, "", "bool value must be"},
		{"--listen 0.0.0.0:8055", misuse, "", "only an address of this machine itself"},
		{"--listen :8055", misuse, "", "only an address of this machine itself"},
		{"--listen 192.0.2.1:8055", misuse, "", "only an address of this machine itself"},
		{"--listen example.org:8055", misuse, "", "only an address of this machine itself"},
		{"--listen 127.0.0.1", misuse, "", "only an address of this machine itself"},
		{"--word x.yaml", misuse, "", "unknown flag --word"},
		{"--world x.yaml", misuse, "", "reading a world: open x.yaml"},
		{"--seed many", misuse, "", "--seed: expected"},
		{"--listen " + taken.Addr().String(), broken, "", "is taken; is another sandbox running?"},
		{"--listen 127.0.0.1:many", broken, "", "listening: "},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), strings.Fields(tt.args), quick, &stdout, &stderr)
		if code != tt.code || !strings.Contains(stdout.String(), tt.stdout) || !strings.Contains(stderr.String(), tt.stderr) {
			t.Errorf("%s: %d %q %q", tt.args, code, stdout.String(), stderr.String())
		}
	}
}

// The program from its one line to its end, after which nothing is left.
func TestRun(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	// What the shell of a developer may have in it.
	t.Setenv("SLACK_BOT_TOKEN", "xoxb-real")
	t.Setenv("THBOT_SLACK_API_URL", "http://127.0.0.1:1/")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, in := io.Pipe()
	var stderr bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"--listen", "localhost:0", "--databases=false"}, withDatabases, in, &stderr)
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`^The sandbox is at (http://127\.0\.0\.1:\d+); the bot's log is (\S+)\. Ctrl-C ends it\.\n$`).FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("it says %q", line)
	}
	c := visitor{t, m[1]}
	c.await("the bot has connected", func() bool { return c.world().Bot.Sockets > 0 })
	if d := c.world().Databases; d.Starting || len(d.List) > 0 || !strings.Contains(d.Missing, "--databases=false") {
		t.Errorf("the databases: %+v", d)
	}
	log, err := os.ReadFile(m[2])
	if err != nil || !strings.Contains(string(log), "starting") {
		t.Errorf("the log: %v %q", err, log)
	}
	resp, err := http.Get(m[1])
	if err != nil || resp.StatusCode != 200 {
		t.Errorf("the page: %v %v", resp, err)
	}
	_ = resp.Body.Close()
	cancel()
	if code := <-code; code != fine || stderr.Len() > 0 {
		t.Errorf("it ended with %d and %q", code, stderr.String())
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
