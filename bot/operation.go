package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// State is a step's name in an operation's row. Once released it is a
// contract: rows in old states must find their step again.
type State string

// End is how an operation came out.
type End string

// The ends of an operation.
const (
	Done      End = "done"      // it happened, and was seen to have happened
	Cancelled End = "cancelled" // somebody said no
	Expired   End = "expired"   // nobody said anything
	Outdated  End = "outdated"  // the world moved between question and answer; nothing was done
	Failed    End = "failed"    // it was begun and did not come out
)

// Operation is a row of the ledger: something to be done, how far it is, and
// who said so. Every write carries Version and wins or loses by it, so that
// whichever process finds the row can go on with it.
type Operation struct {
	ID      string // ULID
	Kind    string // the command's name
	About   string // the environment, or the commit, that it is about
	Ref     string // key of the request that began it; unique
	State   State
	End     End       // empty while it is under way
	Turn    int       // counts the states it has been in; buttons of an earlier turn are stale
	Entered time.Time // when State began
	Due     time.Time // when somebody must look at it again: timer, queue and lease in one; zero: waits for people, or over
	Now     time.Time `json:"-"` // the ledger's clock when it was claimed for a look; not stored
	Owner   string    // the claim under which it is worked on, or empty
	Version int64
	Acts    int      // acts begun in this state, each committed before it was made
	Asking  string   // the scope of its open question
	Scopes  []string // what it holds from the decision to the end
	Channel string
	Asked   Person
	Presses []Decision
	Created time.Time
	// Trouble says since when, and whose, errors keep the current step from
	// seeing anything. It is never read as an answer.
	Trouble *Trouble
	Data    json.RawMessage // the Kind's own D
}

// Decision is a press that counted: it moved the operation on, or is one of
// several that are wanted.
type Decision struct {
	Person Person    `json:"person"`
	Verb   string    `json:"verb"`
	At     time.Time `json:"at"`
	Turn   int       `json:"turn"` // of the operation when it was pressed
	// Decides says that it took the operation's scopes, or would have with others.
	Decides bool `json:"decides,omitempty"`
	// As are the roles that the question wanted, and that this person had then.
	As []Role `json:"as,omitempty"`
	// Late is how long it was judged after it had been made, if that was long.
	Late time.Duration `json:"late,omitempty"`
}

// Trouble is an ongoing failure to look or act.
type Trouble struct {
	Since   time.Time `json:"since"`
	Service string    `json:"service"`
	Ref     string    `json:"ref"` // stands in the log line
}

// PostKey is the message's key of a Post that is said in the turn that o is in.
func (o Operation) PostKey(key string) string { return fmt.Sprintf("%s/%d/%s", o.ID, o.Turn, key) }

// Decided is the last press that counted, or the zero Decision.
func (o Operation) Decided() Decision {
	if len(o.Presses) == 0 {
		return Decision{}
	}
	return o.Presses[len(o.Presses)-1]
}

// Confirmed is the press that took what the operation holds, or the zero
// Decision.
func (o Operation) Confirmed() (last Decision) {
	for _, d := range o.Presses {
		if d.Decides {
			last = d
		}
	}
	return last
}

// Confirmers are the people who decided it together, in order.
func (o Operation) Confirmers() []Person {
	var people []Person
	for _, d := range o.Presses {
		if d.Decides && !slices.Contains(people, d.Person) {
			people = append(people, d.Person)
		}
	}
	return people
}

// Event is a line of an operation's audit trail. Events are only ever added.
type Event struct {
	Operation string
	At        time.Time
	Who       string // person id; empty: the bot
	From, To  State
	Note      string
}

// Class says who goes first when messages wait, and what becomes of a message
// whose sending may or may not have happened and cannot be looked up: a Page
// or a Final is sent again, marked; everything else is not.
type Class int

// A Page is not sent any more once its operation has left the state that wanted
// it. The classes, most urgent first.
const (
	Page Class = iota
	Final
	Query // a question
	Progress
	Whisper
)

// Message is a message for its whole life. It has a revision that is wanted
// and one that was sent, so edits merge and stay in order.
type Message struct {
	Key       string // unique for ever; travels with the message as metadata
	Operation string // whose message it is, or empty
	Class     Class
	To        Place
	Card      *Card // nil: the operation's own card, rendered from its row when it is sent
	Wanted    int64
	Sent      int64  // 0: never sent
	ID        string // the chat's id of the message, once it was posted
	Tries     int    // sendings begun, each committed before it was made
	Dead      string // why it can not be delivered; empty: it can
	Due       time.Time
	Owner     string
	Version   int64
	Created   time.Time
}

// Post is what an operation wants said: a new message.
type Post struct {
	Key   string // within the operation
	To    Place
	Card  Card
	Class Class
	// Unless is a scope: while somebody holds it, this is not said.
	Unless string
}

// Received is a request that was stored before it was acknowledged.
type Received struct {
	Key     string // what the chat calls this very request; a duplicate has the same
	At      time.Time
	Due     time.Time // zero: dealt with
	Owner   string
	Version int64
	Request *Request
	Press   *Press
}

// Request is a command as somebody typed it.
type Request struct {
	Key     string `json:"key"`
	Person  string `json:"person"`
	Channel string `json:"channel"`
	Text    string `json:"text"` // without the command word
	// Share asks for the answer to be said in the channel.
	Share bool `json:"share,omitempty"`
	// Direct says that it is a button of a direct message of ours.
	Direct bool `json:"direct,omitempty"`
	// Values are what was filled in, of a command that opens a form.
	Values map[string]string `json:"values,omitempty"`
	// Trigger opens a window for the person, once and within three seconds.
	Trigger string `json:"-"`

	// Set by the core when it was understood.
	Asker Person            `json:"-"`
	Zone  *time.Location    `json:"-"` // in which the asker reads and types times
	Now   time.Time         `json:"-"` // the ledger's clock when it came
	Late  time.Duration     `json:"-"` // how long ago that was, if it was long
	Args  map[string]string `json:"-"`
	// May returns a *Refusal that says who may, if the asker may not.
	May func(context.Context, Policy) error `json:"-"`
}

// Press is a pressed button.
type Press struct {
	Key     string `json:"key"`
	Person  string `json:"person"`
	Channel string `json:"channel"`
	Message string `json:"message"` // id of the message that carried it; empty for a whisper
	Verb    string `json:"verb"`
	Value   string `json:"value"`
	Trigger string `json:"-"` // as of a Request
}
