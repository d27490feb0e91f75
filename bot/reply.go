package bot

// How the bot speaks to people:
//
//   - First what is wrong, in the person's words; then what was not done, when
//     they could think otherwise; then what to send or whom to ask.
//   - Name the value and the rule. A refusal says who may, by role and name.
//   - Whole sentences, no error text, no status codes, no apology, no
//     exclamation marks, never "failed to".
//   - Every success says what is true now, and with which commit.
//   - What went wrong unexpectedly carries a reference that is in the log line.

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Refusal is an answer to a person who cannot have what they asked for. As an
// error it is shown as it is.
type Refusal struct{ Text Text }

// Refuse makes a Refusal of its pieces, see [T].
func Refuse(pieces ...any) *Refusal { return &Refusal{T(pieces...)} }

func (r *Refusal) Error() string { return r.Text.String() }

// Length is how long something took or has been going on, for people: "6m 12s".
func Length(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour && d%time.Minute == 0:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < time.Hour:
		return fmt.Sprintf("%dm %ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh %dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}

// Count is a number with its noun: "1 commit", "4 commits", "2 people".
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func newRef() string {
	b := make([]byte, 3)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return hex.EncodeToString(b)
}

// outage is what a person is told when something broke that is not theirs.
func outage(err error, ref string) Text {
	if s := Service(err); s != "" {
		return T(s+" does not give a usable answer right now, so nothing was done. Try again in a minute. Ref ", Fixed(ref), ".")
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return T("This took longer than I may take, so nothing was done. Try again in a minute. Ref ", Fixed(ref), ".")
	}
	return T("Something broke on my side before anything was changed. Ref ", Fixed(ref), "; please tell the Treeherder admins.")
}

const (
	away    = "I was away when you sent this, so nothing was done."
	unknown = "I do not know this question any more, so nothing was done. Send the command again if you still want it."
)
