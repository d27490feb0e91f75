package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"go.uber.org/zap"
)

// Times are the intervals the core works by.
type Times struct {
	Lease time.Duration // how long a claim on a row lasts; what it covers must be over before
	Limit time.Duration // of one look, act or send; less than Lease
	Plan  time.Duration // of looking up what a command would do
	Idle  time.Duration // the longest sleep, so that another replica's rows are noticed
}

// stale is how old a stored command or press may be when it is judged (design
// 4.1): what somebody wanted a while ago is not what they want now.
const stale = time.Minute

// atOnce is how long a command that changes nothing may take to be answered in
// its acknowledgement, for which Slack gives three seconds.
const atOnce = 2 * time.Second

// abreast bounds the work of each loop under way at once.
const abreast = 16

// Bot is the core. Its fields are set before Run and not changed after.
type Bot struct {
	Ledger    Ledger
	Chat      Chat
	Directory Directory
	Commands  []Command
	Roles     Roles
	Channel   string // id of the one channel it works in
	Room      string // how that channel is called: "#treeherder-ops"
	Word      string // the command word: "/th"
	Times     Times
	Log       *zap.Logger
	// Blind makes it act, and send, without looking first whether that has
	// happened already, or has been begun. It is there for the test that shows
	// what looking is for.
	Blind bool

	once                     sync.Once
	inbox, runner, messenger *loop
	windows                  chan struct{} // those that are being prepared
}

func (b *Bot) start() {
	b.once.Do(func() {
		b.inbox = newLoop("inbox", b.Times.Idle, b.Log, b.judgeDue)
		b.runner = newLoop("runner", b.Times.Idle, b.Log, b.runDue)
		b.messenger = newLoop("messages", b.Times.Idle, b.Log, b.sendDue)
		b.windows = make(chan struct{}, abreast)
	})
}

// Run works until ctx ends; then it claims nothing more, lets finish what is
// under way, sends pages and ends that are due, and returns.
func (b *Bot) Run(ctx context.Context) error {
	b.start()
	if err := b.stand(ctx); err != nil {
		return err
	}
	var all sync.WaitGroup
	for _, l := range []*loop{b.inbox, b.runner} {
		all.Go(func() { l.run(ctx) })
	}
	all.Go(func() { <-ctx.Done(); b.closeWindows() })
	// Messages go on while the others finish, and for as long as there are
	// urgent ones after that: what was decided last wants to be said.
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var said sync.WaitGroup
	said.Go(func() { b.messenger.run(sending) })
	all.Wait()
	b.lastWords(b.Times.Lease)
	stop()
	said.Wait()
	return context.Cause(ctx)
}

// lastWords waits until no page or end is due, at most for that long.
func (b *Bot) lastWords(most time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	for {
		urgent := false
		err := b.Ledger.View(ctx, func(v View) error {
			ms, err := v.DueMessages(abreast)
			urgent = slices.ContainsFunc(ms, func(m Message) bool { return m.Class <= Final && !m.Due.After(v.Now().Add(time.Second)) })
			return err
		})
		if err != nil || !urgent {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (b *Bot) command(name string) *Command {
	for i := range b.Commands {
		if b.Commands[i].Name == name {
			return &b.Commands[i]
		}
	}
	return nil
}

// infos are the commands that people can type.
func (b *Bot) infos() []Info {
	var infos []Info
	for _, c := range b.Commands {
		if !c.Hidden {
			infos = append(infos, c.Info)
		}
	}
	return infos
}

// broke logs what went wrong with a reference, and returns the reference.
func (b *Bot) broke(doing string, err error, fields ...zap.Field) string {
	ref := newRef()
	b.Log.Error(doing, append(fields, zap.String("ref", ref), zap.Error(err))...)
	return ref
}

// within runs f with a limit that the end of ctx does not cut short: what has
// begun is finished.
func (b *Bot) within(ctx context.Context, limit time.Duration, f func(context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			b.Log.Error("a command panicked", zap.Any("panic", p), zap.Stack("stack"))
			err = fmt.Errorf("a command panicked: %v", p)
		}
	}()
	return f(ctx)
}

func newID() string { return ulid.Make().String() }

// errNotOurs ends work on a row that somebody else has taken over meanwhile.
var errNotOurs = errors.New("another process has taken over")

// loop calls its work when it is woken, when the time that work returned has
// come, and at least every idle.
type loop struct {
	name  string
	idle  time.Duration
	log   *zap.Logger
	work  func(ctx context.Context, room int, start func(func())) (next time.Time, now time.Time, err error)
	woken chan struct{}
}

func newLoop(name string, idle time.Duration, log *zap.Logger,
	work func(context.Context, int, func(func())) (time.Time, time.Time, error)) *loop {
	return &loop{name, idle, log, work, make(chan struct{}, 1)}
}

func (l *loop) wake() {
	select {
	case l.woken <- struct{}{}:
	default: // it is awake already
	}
}

func (l *loop) run(ctx context.Context) {
	var under sync.WaitGroup
	defer under.Wait()
	places := make(chan struct{}, abreast)
	for ctx.Err() == nil {
		sleep := l.idle
		if room := cap(places) - len(places); room > 0 {
			next, now, err := l.work(ctx, room, func(f func()) {
				places <- struct{}{}
				under.Go(func() {
					defer l.wake() // it may have made more due
					defer func() { <-places }()
					defer l.survive()
					f()
				})
			})
			switch {
			case err != nil && ctx.Err() == nil:
				l.log.Error("reading what is due", zap.String("loop", l.name), zap.Error(err))
			case !next.IsZero():
				sleep = min(sleep, max(0, next.Sub(now)))
			}
		}
		t := time.NewTimer(sleep)
		select {
		case <-ctx.Done():
		case <-l.woken:
		case <-t.C:
		}
		t.Stop()
	}
}

// survive keeps a panic from ending the process. The row that was worked on
// stays claimed, so it comes up again when its claim ends.
func (l *loop) survive() {
	if p := recover(); p != nil {
		l.log.Error("the work on a row panicked", zap.String("loop", l.name), zap.Any("panic", p), zap.Stack("stack"))
	}
}
