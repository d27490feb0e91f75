package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/zap"
)

// Credentials as they get into logs. Their distinctive part is hunter22, so
// that whatever is left of them is found.
var (
	tokenTexts = []string{
		"xoxb-1234-hunter22", "xoxp-hunter22", "xoxe.xoxb-1-hunter22", "xapp-1-A0-hunter22",
		"ghp_hunter22", "gho_hunter22", "ghu_hunter22", "ghs_hunter22", "ghr_hunter22", "github_pat_11_hunter22",
		"Authorization: Basic hunter22Ym90OnRva2Vu==", "authorization: bearer hunter22.abc-def",
	}
	addressTexts = []string{
		"mysql://thbot:hunter22@db.example:3306/thbot", `mysql://thbot:p"/\hunter22@db/thbot`,
		"mysql:thbot:hunter22@tcp(db:3306)/thbot", "https://bot:hunter22@jenkins.example/",
	}
)

// secrets have no looks; they are known. Each has what some encoding changes.
var secrets = []Secret{"hunter22plain", `hunter22"quoted\`, "hunter22<&>html", "hunter22 sp/ace+%", "hunter22plain-and-hunter22", "hunter22ü\tend", "hunter22 first\nhunter22 last"}

// logEverything logs s in every way that text gets into a log.
func logEverything(log *zap.Logger, s string) {
	type nested struct {
		Deep map[string][]string
		Err  error
	}
	log.Info("message " + s)
	log.Info("string", zap.String("a", s), zap.Strings("b", []string{"x", s}))
	log.Error("error", zap.Error(fmt.Errorf("asking: %w", errors.New(s))), zap.Errors("c", []error{errors.New(s)}))
	log.Info("nested", zap.Any("d", nested{Deep: map[string][]string{"k": {s}}}), zap.Any("e", http.Header{"Authorization": {s}}))
	log.Info("bytes", zap.ByteString("f", []byte(s)), zap.Stringer("g", bytes.NewBufferString(s)))
	log.Info("raw", zap.Any("h", json.RawMessage(`{"body":`+string(must(json.Marshal(s)))+`}`)))
	log.Info("a key", zap.String(s, "x"))
	log.Named(s).Info("name")
	log.With(zap.String("i", s)).With(zap.Namespace("n")).Info("with")
	log.Sugar().Infow("sugar", "j", s, "k", struct{ S string }{s})
}

// logInURLs logs s as it stands in the address of a request.
func logInURLs(log *zap.Logger, s string) {
	log.Warn("get", zap.Error(&url.Error{Op: "Get", URL: "https://x.example/?token=" + url.QueryEscape(s) + "&a=b", Err: errors.New("refused")}))
	log.Info("path https://x.example/" + url.PathEscape(s) + "/b")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestNothingSecretIsLogged(t *testing.T) {
	for _, tt := range []struct {
		name   string
		texts  []string
		inURLs bool
	}{
		{"tokens by their looks", tokenTexts, true},
		{"passwords in addresses", addressTexts, false},
		{"known secrets", reveal(secrets), true},
	} {
		for _, text := range tt.texts {
			t.Run(tt.name+"/"+text, func(t *testing.T) {
				record := func(log *zap.Logger) (lines int) {
					logEverything(log, text)
					if tt.inURLs {
						logInURLs(log, text)
						return 12
					}
					return 10
				}
				// Planted with redaction off it must be found, else finding
				// nothing proves nothing.
				var open, closed bytes.Buffer
				lines := record(newLogger(&open, func(s string) string { return s }))
				if n := linesWith(open.String(), "hunter22"); n != lines {
					t.Fatalf("without redaction it is in %d lines, want %d:\n%s", n, lines, open.String())
				}
				record(NewLogger(&closed, secrets...))
				if strings.Contains(closed.String(), "hunter22") {
					t.Errorf("it is in the log:\n%s", closed.String())
				}
				if n := linesWith(closed.String(), redacted); n != lines {
					t.Errorf("redacted in %d lines, want %d:\n%s", n, lines, closed.String())
				}
				for line := range strings.Lines(closed.String()) {
					if !json.Valid([]byte(line)) {
						t.Errorf("no JSON any more: %s", line)
					}
				}
			})
		}
	}
	if got := redact("-----BEGIN RSA PRIVATE KEY-----"); got != redacted {
		t.Errorf("redact of the head of a key = %q", got)
	}
}

// A key is written in lines, and each of them is kept secret by itself.
func TestNoLineOfAKeyIsLogged(t *testing.T) {
	key, _ := newKey(t)
	lines := strings.Split(strings.TrimSpace(key), "\n")
	var b bytes.Buffer
	log := NewLogger(&b, Secret(key))
	logEverything(log, key)
	logInURLs(log, key)
	for _, line := range lines {
		logEverything(log, "PEM: "+line)
		logInURLs(log, line)
	}
	logEverything(log, strings.ReplaceAll(key, "\n", "\r\n"))
	for _, line := range lines {
		for _, spelt := range []string{line, url.QueryEscape(line), inJSON(line, true)} {
			if strings.Contains(b.String(), spelt) {
				t.Errorf("in the log stands %s", spelt)
			}
		}
	}
	for line := range strings.Lines(b.String()) {
		if !strings.Contains(line, redacted) || !json.Valid([]byte(line)) {
			t.Errorf("logged %s", line)
		}
	}
}

func linesWith(text, part string) (n int) {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			n++
		}
	}
	return n
}

func reveal(secrets []Secret) []string {
	var texts []string
	for _, s := range secrets {
		texts = append(texts, s.Reveal())
	}
	return texts
}

// What is no secret stays readable.
func TestTheLogStaysReadable(t *testing.T) {
	var b bytes.Buffer
	log := NewLogger(&b, "11ff")
	const text = "Jenkins: reading run 812: HTTP 503: https://jenkins.example:8443/job/a@b/ at 14:02, ana@example.org, mysql:thbot@tcp(db:3306)/thbot, sqlite:thbot.db"
	log.Info(text, zap.String("ref", "4f2a"))
	var line struct{ Level, Msg, Ref, TS string }
	if err := json.Unmarshal(b.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line.Level != "info" || line.Msg != text || line.Ref != "4f2a" || line.TS == "" {
		t.Errorf("logged %s", b.String())
	}
	b.Reset()
	log.Debug("not at this level")
	if b.Len() != 0 {
		t.Errorf("logged %s", b.String())
	}
}
