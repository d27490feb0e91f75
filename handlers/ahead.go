package handlers

import (
	"context"
	"fmt"
	"time"

	"thbot/handlers/deploys"
	"thbot/integrations/github"
)

// aheadEvery is how often at least it is looked whether commits have reached the
// environment before a promoted one.
const aheadEvery = time.Minute

// ReadAhead reads what the preview of a promotion will want to know of commits,
// as they reach the environment before it: then hundreds of them can be shown
// at once. It works until ctx ends, and reports what it could not read.
func ReadAhead(ctx context.Context, w World, failed func(environment string, err error)) {
	known := map[string]string{} // by environment: from and to
	tick := time.NewTicker(min(aheadEvery, 2*w.Times.Watch))
	defer tick.Stop()
	for {
		for _, env := range w.Environments {
			before, ok := w.Environments.Before(env)
			if !env.Promoted() || !ok {
				continue
			}
			span, err := readAhead(ctx, w, env, before, known[env.Name])
			if err != nil {
				failed(env.Name, err)
				continue
			}
			known[env.Name] = span
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// readAhead reads what lies between two environments, unless it is what was
// read last.
func readAhead(ctx context.Context, w World, env, before deploys.Environment, last string) (string, error) {
	from, err := w.Apps.Version(ctx, env.URL)
	if err != nil {
		return "", err
	}
	to, err := w.Apps.Version(ctx, before.URL)
	if err != nil || from+to == last {
		return from + to, err
	}
	cmp, err := w.GitHub.Compare(ctx, from, to)
	if err != nil || cmp.Status != github.Ahead {
		return from + to, err
	}
	var commits []string
	for _, c := range cmp.Commits {
		commits = append(commits, c.SHA)
	}
	// Each try goes on where the last one ended; one that gets nowhere is the last
	// until it is looked again.
	for left := len(commits) + 1; ; {
		sc := w.Schemas.begin(ctx, commits, cmp.Truncated, to)
		switch {
		case sc.Told:
			return from + to, nil
		case ctx.Err() != nil || sc.Left >= left:
			return "", fmt.Errorf("reading %d commits ahead: GitHub has not told all", len(commits))
		}
		left = sc.Left
	}
}
