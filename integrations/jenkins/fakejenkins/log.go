package fakejenkins

import (
	"bytes"
	"encoding/base64"
	"strconv"
)

// say adds lines to the log.
func (r *run) say(lines ...string) {
	for _, line := range lines {
		r.log = append(append(r.log, line...), '\n')
	}
}

func (r *run) sayStage(name string, more ...string) {
	r.say("[Pipeline] stage", "[Pipeline] { ("+name+")")
	r.say(more...)
}

// noted is a user's name in a log, with the note that makes a link of it where
// the log is shown as a page (ModelHyperlinkNote.java). Other ways to read a log
// leave notes out; they stand in the file, and count.
func (s *Server) noted(user string) string {
	note := base64.StdEncoding.EncodeToString([]byte("hudson.console.ModelHyperlinkNote /user/" + user))
	return preamble + note + postamble + s.fullName(user)
}

// What a note stands between (ConsoleNote.java).
const (
	preamble  = "\x1b[8mha:"
	postamble = "\x1b[0m"
)

// plainText is a log without its notes (PlainTextConsoleOutputStream.java).
func plainText(log []byte) []byte {
	var plain []byte
	for {
		before, rest, ok := bytes.Cut(log, []byte(preamble))
		plain = append(plain, before...)
		if !ok {
			return plain
		}
		if _, log, ok = bytes.Cut(rest, []byte(postamble)); !ok {
			return plain
		}
	}
}

// Log adds text to the log of a run, as its steps would.
func (s *Server) Log(path string, n int, text string) error {
	return s.drive("writing the log of", path, n, func(r *run) error {
		r.log = append(r.log, text...)
		s.touch()
		return nil
	})
}

func (q *request) consoleText() {
	q.plain()
	_, _ = q.w.Write(plainText(q.run.log)) // into memory
}

// linesRead is LargeText's MAX_LINES_READ.
const linesRead = 10_000

// progressiveText is the log from an offset on (LargeText.java): while there is
// more to come it ends with a line, and after so many of them. Its ends of lines
// are not the stored ones, which the offsets count.
func (q *request) progressiveText() {
	log, start := q.run.log, 0
	if text := q.FormValue("start"); text != "" {
		var err error
		if start, err = strconv.Atoi(text); err != nil || start < 0 {
			oops(q.w)
			return
		}
	}
	if start > len(log) {
		start = 0 // it takes the log for another one
	}
	text, more := log[start:], q.run.building
	if more {
		text = text[:bytes.LastIndexByte(text, '\n')+1]
	}
	end := 0
	for range linesRead {
		n := bytes.IndexByte(text[end:], '\n')
		if n < 0 {
			end = len(text)
			break
		}
		end += n + 1
	}
	more = more || end < len(text)
	h := q.w.Header()
	h.Set("X-Text-Size", strconv.Itoa(start+end))
	if more {
		h.Set("X-More-Data", "true")
	}
	q.plain()
	_, _ = q.w.Write(bytes.ReplaceAll(plainText(text[:end]), []byte("\n"), []byte("\r\n")))
}

func (q *request) plain() {
	q.w.Header().Set("Content-Type", "text/plain;charset=utf-8")
	q.w.Header().Set("X-Content-Type-Options", "nosniff")
}
