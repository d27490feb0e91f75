package handlers

import (
	"context"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/integrations/jenkins"
)

// seen is what the snapshot says at one moment. What of it could not be read is
// not in it: that does not blank the rest.
type seen struct {
	now       time.Time
	apps      map[string]deploys.App // by environment
	jobs      map[string]deploys.Job // by name
	promoting map[string]confirmed   // by environment: what runs and was confirmed here
	guards    []bot.Text
}

// confirmed is a promotion, or a revert, that was confirmed here and is not over.
type confirmed struct {
	promotion
	revert bool
	by     string
	since  time.Time
}

// see reads the snapshot. The environments are those that were asked about.
func (s Status) see(ctx context.Context, asked deploys.Environments) (k seen) {
	err := s.Ledger.View(ctx, func(v bot.View) error {
		k = seen{now: v.Now(), apps: map[string]deploys.App{}, jobs: map[string]deploys.Job{}, promoting: map[string]confirmed{}}
		for _, env := range s.Environments {
			if app, err := deploys.AppIn(v, env.Name); err == nil {
				k.apps[env.Name] = app
			}
			if env.Pipeline != nil {
				if job, err := deploys.JobIn(v, env.Pipeline.Job); err == nil {
					k.jobs[env.Pipeline.Job] = job
				}
			}
			id, err := v.Holder(env.Scope())
			if err != nil || id == "" {
				continue
			}
			if o, err := v.Operation(id); err == nil {
				if d, err := remembered(o); err == nil {
					k.promoting[env.Name] = confirmed{d, o.Kind == "revert", names(o.Confirmers()), o.Confirmed().At}
				}
			}
		}
		guards, err := s.guards(v, asked)
		if k.guards = guards; err != nil {
			k.guards = append(k.guards, bot.T("⚠ Whether something is locked or held back cannot be read right now."))
		}
		return nil
	})
	if err != nil {
		k = seen{now: time.Now(), guards: []bot.Text{bot.T("⚠ What I have noted cannot be read right now.")}}
	}
	return k
}

// ahead is how long before a freeze begins it is told.
const ahead = 7 * 24 * time.Hour

// guards says what stops changes of these environments, and what will soon.
func (s Status) guards(v bot.View, asked deploys.Environments) (lines []bot.Text, err error) {
	isPromoted := false
	for _, env := range asked {
		isPromoted = isPromoted || env.Promoted()
		stops, err := obstacles(v, env, func(hold) bool { return false })
		if err != nil {
			return lines, err
		}
		for _, o := range stops {
			lines = append(lines, bot.T("⚠ ", o.Text))
		}
		for _, f := range env.Freezes {
			from, to, ok := f.Next(v.Now())
			if ok && from.Sub(v.Now()) < ahead {
				lines = append(lines, bot.T(env.Title()+" will be frozen from ", bot.Date(from), " until ", bot.Date(to), ": “"+f.Reason+"”"))
			}
		}
	}
	if !isPromoted {
		return lines, nil
	}
	open, err := openPages(v)
	if err != nil {
		return lines, err
	}
	for _, o := range open {
		line, err := pageLine(o)
		if err != nil {
			return lines, err
		}
		lines = append(lines, line)
	}
	held, err := holds(v)
	for _, h := range held {
		lines = append(lines, bot.T("⚠ "+h.owner.Name+" holds ", bot.To(deploys.Short(h.commit), s.GitHub.CommitURL(h.commit)), " back: “"+h.reason+"”"))
	}
	return lines, err
}

// complete asks those apps of which nothing is known yet themselves, all at
// once: that is so only just after the first start.
func (s Status) complete(ctx context.Context, k *seen, asked deploys.Environments) {
	type answer struct {
		env    string
		commit string
	}
	answers := make(chan answer)
	waiting := 0
	for _, env := range asked {
		if app := k.apps[env.Name]; app.Commit != "" || !app.Failing.IsZero() {
			continue
		}
		waiting++
		go func() {
			commit, _ := s.Apps.Version(ctx, env.URL) // what does not answer is told as that
			answers <- answer{env.Name, commit}
		}()
	}
	for range waiting {
		a := <-answers
		app := k.apps[a.env]
		if app.Commit = a.commit; a.commit != "" {
			app.Read = k.now
		}
		if k.apps == nil {
			k.apps = map[string]deploys.App{}
		}
		k.apps[a.env] = app
	}
}

// since is when an environment began to serve what it does; zero: not known.
func (k seen) since(env deploys.Environment) time.Time {
	app := k.apps[env.Name]
	if !app.Since.IsZero() || env.Pipeline == nil {
		return app.Since
	}
	// It was so already when it was first looked at. The newest run that has
	// deployed there may tell.
	for _, r := range k.jobs[env.Pipeline.Job].Runs {
		if s, ok := r.Stage(env.Pipeline.Stage); ok && s.Status == jenkins.StageSuccess {
			if alike(r.Commit, app.Commit) {
				return s.Started.Add(s.Duration)
			}
			break
		}
	}
	return time.Time{}
}

// when is a moment: its time, and the day of one that is not quite new.
func (k seen) when(t time.Time) bot.Span {
	if k.now.Sub(t) < 12*time.Hour {
		return bot.Time(t)
	}
	return bot.Date(t)
}

// age is how old what is known is; what does not answer is told by itself.
func (s Status) age(k seen, asked deploys.Environments) bot.Part {
	oldest := k.now
	for _, env := range asked {
		if app := k.apps[env.Name]; !app.Read.IsZero() && app.Failing.IsZero() && app.Read.Before(oldest) {
			oldest = app.Read
		}
		if env.Pipeline == nil {
			continue
		}
		if job := k.jobs[env.Pipeline.Job]; !job.Read.IsZero() && job.Failing.IsZero() && job.Read.Before(oldest) {
			oldest = job.Read
		}
	}
	switch age := k.now.Sub(oldest); {
	case age >= max(stale, 2*s.Times.Watch):
		return bot.Paragraph("⚠ This was read " + bot.Length(age) + " ago, and nothing since.")
	case age < time.Second:
		return bot.SmallPrint("Read just now.")
	default:
		return bot.SmallPrint("Read " + bot.Length(age) + " ago.")
	}
}

// stale is the age at which what is known is not what is so any more.
const stale = 2 * time.Minute

// away says which of the jobs cannot be read.
func (k seen) away(asked deploys.Environments) (lines []bot.Text) {
	told := map[string]bool{}
	for _, env := range asked {
		if env.Pipeline == nil || told[env.Pipeline.Job] {
			continue
		}
		told[env.Pipeline.Job] = true
		job, known := k.jobs[env.Pipeline.Job]
		switch {
		case !known:
			lines = append(lines, bot.T("⚠ What I have noted of "+env.Pipeline.Job+" cannot be read right now."))
		case job.Failing.IsZero() && job.Read.IsZero():
			lines = append(lines, bot.T("⚠ I have not read yet what "+env.Pipeline.Job+" does."))
		case job.Read.IsZero():
			lines = append(lines, bot.T("⚠ Jenkins has given no usable answer since ", k.when(job.Failing), ": what it does is not known."))
		case !job.Failing.IsZero():
			lines = append(lines, bot.T("⚠ Jenkins has given no usable answer since ", k.when(job.Failing), ": its runs are told as they were "+bot.Length(k.now.Sub(job.Read))+" ago."))
		}
	}
	return lines
}
