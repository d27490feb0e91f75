package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"thbot/bot"
	"thbot/integrations/github"
)

// facts are what GitHub says of commits. How two of them stand to each other,
// and what a commit is, never changes, so it is asked once; only where a branch
// is has to be asked again. A question that its asker did not wait for goes on,
// and the next one has the answer.
type facts struct {
	github   history
	under    singleflight.Group
	compared *lru.Cache[string, github.Comparison] // Status, Ahead and Behind
	commits  *lru.Cache[string, github.Commit]     // by what was asked for
	logs     *lru.Cache[string, []github.Commit]   // by the newest one
	mu       sync.Mutex
	heads    map[string]head // by branch
}

// head is where a branch was.
type head struct {
	sha string
	err error // that there is none
	at  time.Time
}

const (
	// headFor is how long the head of a branch is good for: people ask for what
	// is live several times in a row.
	headFor = 20 * time.Second
	// searched is how many commits of a branch are looked through.
	searched = 300
	// lookUp is how long a question goes on that nobody waits for.
	lookUp = 10 * time.Second
)

func newFacts(g history) *facts {
	compared, err := lru.New[string, github.Comparison](5_000)
	commits, err2 := lru.New[string, github.Commit](2_000)
	logs, err3 := lru.New[string, []github.Commit](16)
	if err := errors.Join(err, err2, err3); err != nil {
		panic(err) // unreachable: the sizes are positive
	}
	return &facts{github: g, compared: compared, commits: commits, logs: logs, heads: map[string]head{}}
}

// once asks ask, unless that very question is under way, and waits for the
// answer until ctx ends.
func once[A any](ctx context.Context, f *facts, question string, ask func(context.Context) (A, error)) (A, error) {
	answered := f.under.DoChan(question, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookUp)
		defer cancel()
		return ask(ctx)
	})
	var none A
	select {
	case <-ctx.Done():
		return none, fmt.Errorf("asking GitHub to %s: %w", question, ctx.Err())
	case r := <-answered:
		if r.Err != nil {
			return none, r.Err
		}
		return r.Val.(A), nil
	}
}

// kept is once, but for what is in the cache; it adds the answer to that.
func kept[A any](ctx context.Context, f *facts, cache *lru.Cache[string, A], key, question string, ask func(context.Context) (A, error)) (A, error) {
	if a, ok := cache.Get(key); ok {
		return a, nil
	}
	return once(ctx, f, question+" "+key, func(ctx context.Context) (A, error) {
		a, err := ask(ctx)
		if err == nil {
			cache.Add(key, a)
		}
		return a, err
	})
}

// compare says how head stands to base, both in full.
func (f *facts) compare(ctx context.Context, base, head string) (github.Comparison, error) {
	if base == head {
		return github.Comparison{Status: github.Identical}, nil
	}
	if cmp, ok := f.compared.Peek(head + "..." + base); ok {
		return reversed(cmp), nil
	}
	return kept(ctx, f, f.compared, base+"..."+head, "compare", func(ctx context.Context) (github.Comparison, error) {
		cmp, err := f.github.Compare(ctx, base, head)
		cmp.Commits, cmp.URL, cmp.Total, cmp.Truncated = nil, "", 0, 0
		return cmp, err
	})
}

// reversed is how the base of a comparison stands to its head.
func reversed(c github.Comparison) github.Comparison {
	c.Ahead, c.Behind = c.Behind, c.Ahead
	switch c.Status {
	case github.Ahead:
		c.Status = github.Behind
	case github.Behind:
		c.Status = github.Ahead
	}
	return c
}

// contains says whether sha is at, or before, head; both in full.
func (f *facts) contains(ctx context.Context, head, sha string) (bool, error) {
	// With sha as head the answer lists no commits where it is contained.
	cmp, err := f.compare(ctx, head, sha)
	return cmp.Status == github.Behind || cmp.Status == github.Identical, err
}

// commit is the one that begins with ref.
func (f *facts) commit(ctx context.Context, ref string) (github.Commit, error) {
	return kept(ctx, f, f.commits, ref, "read commit", func(ctx context.Context) (github.Commit, error) {
		return f.github.Commit(ctx, ref)
	})
}

// full is a commit as a run has it, which may be short, in full.
func (f *facts) full(ctx context.Context, ref string) (string, error) {
	if len(ref) == 40 {
		return ref, nil
	}
	c, err := f.commit(ctx, ref)
	return c.SHA, err
}

// log are the newest commits up to sha.
func (f *facts) log(ctx context.Context, sha string) ([]github.Commit, error) {
	return kept(ctx, f, f.logs, sha, "list commits up to", func(ctx context.Context) ([]github.Commit, error) {
		return f.github.Log(ctx, sha, searched)
	})
}

// head is where a branch is. The error wraps [bot.ErrNotFound] where there is
// no such branch.
func (f *facts) head(ctx context.Context, branch string) (string, error) {
	f.mu.Lock()
	h, ok := f.heads[branch]
	f.mu.Unlock()
	if ok && time.Since(h.at) < headFor {
		return h.sha, h.err
	}
	return once(ctx, f, "read branch "+branch, func(ctx context.Context) (string, error) {
		sha, err := f.github.Branch(ctx, branch)
		if err == nil || errors.Is(err, bot.ErrNotFound) {
			f.mu.Lock()
			f.heads[branch] = head{sha, err, time.Now()}
			f.mu.Unlock()
		}
		return sha, err
	})
}

// alike says whether two commits, one of which may be short, are the same.
func alike(a, b string) bool {
	return a != "" && b != "" && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a))
}
