package fakejenkins

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// The plugin Rebuilder (RebuildAction.java). It copies the parameters of a run,
// not its commit: what the pipeline checks out is looked up again.

// rebuild is POST <n>/rebuild/, the button beside a run.
func (q *request) rebuild() {
	if !q.rebuilder() || !q.mayBuild() {
		return
	}
	if q.run.spec.Parameters == nil {
		// Here it does not look whether the job may be rebuilt.
		q.schedule(q.run.again(q.user, nil))
		return
	}
	auto := q.FormValue("autorebuild") != "" && !q.server.OldRebuilder
	switch {
	case q.notRebuildable():
	case q.job.spec.AutoRebuild || auto:
		q.schedule(q.run.again(q.user, q.run.spec.Parameters))
	default:
		redirect(q.w, q.link(q.run.path()+"/rebuild/parameterized")) // a form; nothing has been scheduled
	}
}

// rebuildForm is the page with the form.
func (q *request) rebuildForm() {
	if q.rebuilder() {
		q.page()
	}
}

// rebuilder answers where there is no such page: without the plugin, and of the
// old one where it may not be used (getUrlName).
func (q *request) rebuilder() bool {
	s := q.server
	is := !s.NoRebuilder && !(s.OldRebuilder && (q.lacks("Job/Build") || q.job.spec.NoRebuild || q.job.spec.Disabled))
	if !is {
		notFound(q.w)
	}
	return is
}

// rebuildConfigSubmit is what that form sends.
func (q *request) rebuildConfigSubmit() {
	if !q.rebuilder() || !q.mayBuild() || q.notRebuildable() {
		return
	}
	text, ok := q.submitted()
	if !ok {
		return
	}
	list, err := parseForm(text)
	if err != nil || q.run.spec.Parameters == nil { // a NullPointerException
		oops(q.w)
		return
	}
	values := maps.Clone(q.run.spec.Parameters)
	for _, v := range list {
		if i := slices.IndexFunc(q.job.spec.Parameters, func(p Parameter) bool { return p.Name == v.Name }); i >= 0 {
			if cs := q.job.spec.Parameters[i].Choices; cs != nil && !slices.Contains(cs, fmt.Sprint(v.Value)) {
				redirect(q.w, q.link(q.run.path()+"/rebuild/parameterized?invalidParam="+url.QueryEscape(v.Name)))
				return
			}
		}
		if _, had := values[v.Name]; had || declares(q.job.spec.Parameters, v.Name) {
			values[v.Name] = fmt.Sprint(v.Value)
		}
	}
	q.schedule(q.run.again(q.user, values))
}

// notRebuildable answers with an empty 200 where nothing will happen.
func (q *request) notRebuildable() bool {
	if q.job.spec.NoRebuild || q.job.spec.Disabled {
		q.w.WriteHeader(http.StatusOK)
		return true
	}
	return false
}

// replayRebuild is POST <n>/replay/rebuild (ReplayAction.java): the same scripts,
// parameters and, in a branch's job, the same commit.
func (q *request) replayRebuild() {
	switch {
	case q.server.NoReplay:
		notFound(q.w)
	case !q.mayBuild():
	case q.job.spec.Disabled:
		page(q.w, http.StatusConflict, q.job.name()+" is not buildable")
	case q.run.hasPassword():
		failure(q.w, "Replay is not allowed when password parameters are used.")
	default:
		q.schedule(q.run.replayed(q.user))
	}
}

// schedule queues a run and answers without saying what it will be.
func (q *request) schedule(spec RunSpec) {
	q.server.schedule(q.job, spec, 0)
	redirect(q.w, q.link(jobPath(q.job.path)+"/"))
}

// RebuildByHand is somebody who rebuilds a run in Jenkins, with its parameters
// but for those given. The new run waits in the queue as any other.
func (s *Server) RebuildByHand(path string, n int, user string, values map[string]string) error {
	return s.rerun("rebuilding", path, n, func(r *run) RunSpec {
		all := maps.Clone(r.spec.Parameters)
		if all == nil {
			all = maps.Clone(values)
		}
		maps.Copy(all, values)
		return r.again(user, all)
	})
}

// ReplayByHand is somebody who replays a run in Jenkins, with the same scripts.
func (s *Server) ReplayByHand(path string, n int, user string) error {
	return s.rerun("replaying", path, n, func(r *run) RunSpec { return r.replayed(user) })
}

func (s *Server) rerun(activity, path string, n int, spec func(*run) RunSpec) (err error) {
	s.update(func() {
		j := s.jobs[path]
		if j == nil {
			err = fmt.Errorf("%s run %d of %s: %w", activity, n, path, errNoJob)
			return
		}
		r := j.find(n)
		if r == nil {
			err = fmt.Errorf("%s run %d of %s: %w", activity, n, path, errNoRun)
			return
		}
		s.schedule(j, spec(r), 0)
	})
	return err
}

// again is what the plugin schedules: the causes of the run without who started
// it and what it was rebuilt from, then who rebuilds it, and that it is rebuilt
// (constructRebuildCauses). That it was replayed once stays among them.
func (r *run) again(user string, values map[string]string) RunSpec {
	const rebuild = "com.sonyericsson.rebuild.RebuildCause"
	cs := slices.DeleteFunc(slices.Clone(r.spec.Causes), func(c Cause) bool {
		return c.Class == "hudson.model.Cause$UserIdCause" || c.Class == rebuild
	})
	cs = append(cs, ByUser(user), Cause{
		Class: rebuild, Text: fmt.Sprintf("Rebuilds build #%d", r.number),
		UpstreamProject: r.job.path, UpstreamBuild: r.number,
	})
	stages := r.job.spec.Stages
	if stages == nil {
		stages = r.spec.Stages // it is the only script there is
	}
	return RunSpec{Parameters: values, Causes: cs, Stages: stages, Catches: r.spec.Catches, Declarative: r.spec.Declarative}
}

func (r *run) replayed(user string) RunSpec {
	spec := RunSpec{
		Parameters: r.spec.Parameters, Stages: r.spec.Stages, Catches: r.spec.Catches, Declarative: r.spec.Declarative,
		Causes: []Cause{ByUser(user), {
			Class: "org.jenkinsci.plugins.workflow.cps.replay.ReplayCause", Text: "Replayed #" + grouped(r.number),
		}},
	}
	if r.spec.Revision != "" {
		spec.Revision, spec.Git = r.spec.Revision, r.spec.Git
	}
	return spec
}

// grouped is a number as a MessageFormat writes it, in English.
func grouped(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", grouped(n/1000), n%1000)
}

func (r *run) hasPassword() bool {
	return slices.ContainsFunc(r.job.spec.Parameters, func(p Parameter) bool {
		_, given := r.spec.Parameters[p.Name]
		return given && p.kind() == "PasswordParameterDefinition"
	})
}
