package jenkins

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"thbot/integrations/internal/web"
)

const (
	// logRead is how much is read of one answer with a part of a log.
	logRead = 64 << 10
	// logWindow is how much of a log's end is asked for. Jenkins counts stored
	// bytes and sends each LF as CRLF, so that even a window of nothing but empty
	// lines fits into what is read.
	logWindow = logRead / 2
	// linesRead is how much one answer has of the log of a run that goes on
	// (LargeText.java, MAX_LINES_READ).
	linesRead = 10_000
	// logRequests is how often a part is asked for. Of a run that is over, the
	// second has the end.
	logRequests = 12
	// lineRunes is how much of one line is told.
	lineRunes = 400
)

// LogTail returns the last lines of a run's log, the oldest first and at most
// that many: whole lines, but for long ones, which end with "…"; redacted as
// [Redact] does; without the control sequences for a terminal and Jenkins' own
// notes. Blank lines are left out.
//
// It reads little, however long the log is. It is there to be shown beside
// something that matters more: whoever cannot have it goes on without.
func (c *Client) LogTail(ctx context.Context, job string, n, lines int) ([]string, error) {
	activity := fmt.Sprintf("reading the log of run %d of %s", n, job)
	var start int64
	for range logRequests {
		part := head{most: logRead}
		resp, err := c.jenkins.Requester.Get(ctx, runPath(job, n)+"/logText/progressiveText", &part,
			map[string]string{"start": strconv.FormatInt(start, 10)})
		if err != nil {
			return nil, during(activity, err)
		}
		// The size is that of the log up to the end of this answer. (From 2.509 to
		// 2.533 that of all of it: the same, for who only wants the end.)
		size, err := strconv.ParseInt(resp.Header.Get("X-Text-Size"), 10, 64)
		if err != nil {
			return nil, unreadable(activity, fmt.Errorf("the answer (%s) is not a log: it says no size", mediaType(resp)))
		}
		full := resp.Header.Get("X-More-Data") == "true" && bytes.Count(part.text, []byte("\n")) >= linesRead
		end := size - logWindow
		switch {
		case part.whole && (!full || end <= start):
			// A log that has become shorter is sent from its beginning.
			return tail(part.text, start > 0 && size >= start, lines), nil
		case end <= start:
			return nil, unreadable(activity, errors.New("the log is longer than it says"))
		}
		start = end
	}
	return nil, &web.Error{System: system, Activity: activity, Status: http.StatusOK, Final: true,
		Err: errors.New("the log is too long")}
}

// escapes are a terminal's colours and titles (ECMA-48) and Jenkins' own notes:
// a line of base64 between ESC[8mha: and ESC[0m (ConsoleNote.java).
var escapes = regexp.MustCompile("\x1b\\[8mha:[^\x1b]*\x1b\\[0m" +
	"|\x1b\\[[0-?]*[ -/]*[@-~]" +
	"|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)" +
	"|\x1b[ -/]+[0-~]|\x1b[@-Z\\\\-_]")

// tail is the end of a text in lines. If it was cut at its beginning, the first
// is a piece of a line, of a rune or of a note, and is left out.
func tail(text []byte, cut bool, most int) []string {
	if cut {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	// All is redacted before lines are taken: what a line is may stand in one
	// before it.
	clean := escapes.ReplaceAllString(strings.ToValidUTF8(string(text), "\uFFFD"), "")
	clean = Redact(strings.ReplaceAll(clean, "\r\n", "\n"))
	var lines []string
	for line := range strings.SplitSeq(clean, "\n") {
		line = strings.TrimRight(line, " \t\r")
		// A progress bar writes over itself; a terminal shows what came last.
		line = line[strings.LastIndexByte(line, '\r')+1:]
		line = strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' || r == 0x7f {
				return -1
			}
			return r
		}, line)
		if strings.TrimSpace(line) == "" {
			continue
		}
		if utf8.RuneCountInString(line) > lineRunes {
			line = string([]rune(line)[:lineRunes-1]) + "…"
		}
		lines = append(lines, line)
	}
	return lines[max(0, len(lines)-max(most, 0)):]
}
