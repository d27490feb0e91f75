package app

import (
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// NewLogger returns a logger that writes lines of JSON to w, in which neither
// the secrets nor anything that looks like a credential ever stands.
func NewLogger(w io.Writer, secrets ...Secret) *zap.Logger {
	return newLogger(w, redactor(secrets))
}

func newLogger(w io.Writer, redact func(string) string) *zap.Logger {
	c := zap.NewProductionEncoderConfig()
	c.EncodeTime = zapcore.ISO8601TimeEncoder
	enc := encoder{zapcore.NewJSONEncoder(c), redact}
	return zap.New(zapcore.NewCore(enc, zapcore.Lock(zapcore.AddSync(w)), zapcore.InfoLevel))
}

// An encoder redacts the line when it is whole: whatever way something came
// into it, as message, field, error, or deep in a nested value, it is seen.
type encoder struct {
	zapcore.Encoder
	redact func(string) string
}

// Clone keeps a logger made with With redacting.
func (e encoder) Clone() zapcore.Encoder { return encoder{e.Encoder.Clone(), e.redact} }

func (e encoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	line, err := e.Encoder.EncodeEntry(entry, fields)
	if err != nil {
		return nil, err
	}
	text := e.redact(line.String())
	line.Reset()
	line.AppendString(text)
	return line, nil
}

// redactor returns a function that takes out what looks like a credential and
// the given secrets, in every spelling in which they get into a line: as they
// are, in JSON, and in a URL. Of one that has several lines, such as a key, each
// is a secret too: they may be told apart, or be broken otherwise.
func redactor(secrets []Secret) func(string) string {
	var spellings []string
	known := func(secret string) {
		if secret != "" {
			spellings = append(spellings, secret, inJSON(secret, true), inJSON(secret, false),
				url.QueryEscape(secret), url.PathEscape(secret))
		}
	}
	for _, s := range secrets {
		known(s.Reveal())
		for line := range strings.Lines(s.Reveal()) {
			if line = strings.TrimRight(line, "\r\n"); len(line) >= leastSecret {
				known(line)
			}
		}
	}
	// Longest first: one secret may begin another, whose rest would stay.
	slices.SortFunc(spellings, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range spellings {
		pairs = append(pairs, s, redacted)
	}
	taken := strings.NewReplacer(pairs...)
	return func(text string) string { return redact(taken.Replace(text)) }
}

// inJSON is s as it stands between the quotes of a JSON string. Encoders do or
// do not escape what HTML would read: zap does not, encoding/json does.
func inJSON(s string, html bool) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(html)
	_ = e.Encode(s)                  // a string always can be
	return b.String()[1 : b.Len()-2] // without the quotes and the newline
}
