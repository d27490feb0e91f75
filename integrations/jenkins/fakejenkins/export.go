package fakejenkins

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

const version = "2.528.1"

func jobPath(path string) string {
	var b strings.Builder
	for name := range strings.SplitSeq(path, "/") {
		b.WriteString("/job/" + url.PathEscape(name))
	}
	return b.String()
}

// json answers with a bean, as api/json does. There is no ETag and no
// Last-Modified.
func (q *request) json(b bean) {
	h := q.w.Header()
	h.Set("X-Jenkins", version)
	h.Set("X-Jenkins-Session", q.server.session())
	var t *tree
	if text := q.URL.Query().Get("tree"); text != "" {
		var err error
		if t, err = parseTree(text); err != nil {
			q.unexpected()
			return
		}
	}
	q.write(b.render(t, false))
}

func (q *request) whoAmI() {
	known := q.user != "anonymous"
	authorities := []string{}
	if known {
		authorities = append(authorities, "authenticated")
	}
	q.json(bean{"hudson.security.WhoAmI", []prop{
		{"name", q.user, everywhere},
		{"anonymous", !known, everywhere},
		{"authenticated", known, everywhere},
		{"authorities", authorities, everywhere},
	}})
}

func (s *Server) jobBean(j *job, root string) bean {
	var builds []bean
	for _, r := range slices.Backward(j.runs) {
		builds = append(builds, r.bean(root))
	}
	var last, property any
	if len(builds) > 0 {
		last = builds[0]
	}
	property = []bean{}
	if len(j.spec.Parameters) > 0 {
		property = []bean{{"hudson.model.ParametersDefinitionProperty", []prop{
			{"parameterDefinitions", definitions(j.spec.Parameters), everywhere},
		}}}
	}
	return bean{"org.jenkinsci.plugins.workflow.job.WorkflowJob", []prop{
		{"actions", []bean{{}, {}}, everywhere},
		{"description", nil, everywhere},
		{"displayName", j.name(), everywhere},
		{"fullName", j.path, everywhere},
		{"name", j.name(), everywhere},
		{"url", root + jobPath(j.path) + "/", everywhere},
		{"buildable", !j.spec.Disabled, everywhere},
		// The newest hundred (Job.getNewBuilds); all of them only if asked for.
		{"builds", builds[:min(len(builds), 100)], everywhere},
		{"allBuilds", builds, onlyAsked},
		{"color", j.color(), everywhere},
		{"inQueue", false, everywhere},
		{"lastBuild", last, everywhere},
		{"nextBuildNumber", j.next, everywhere},
		{"property", property, everywhere},
		{"queueItem", nil, everywhere},
		{"concurrentBuild", true, everywhere},
	}}
}

func (j *job) color() string {
	color, running := "notbuilt", ""
	for _, r := range j.runs {
		if r.building {
			running = "_anime"
			continue
		}
		color = map[string]string{"SUCCESS": "blue", "UNSTABLE": "yellow", "FAILURE": "red", "ABORTED": "aborted"}[r.result]
	}
	return color + running
}

func definitions(ps []Parameter) []bean {
	var list []bean
	for _, p := range ps {
		props := []prop{
			{"name", p.Name, everywhere},
			{"type", p.kind(), everywhere},
			{"description", p.Description, everywhere},
			{"defaultParameterValue", bean{"hudson.model.StringParameterValue", []prop{
				{"name", p.Name, everywhere}, {"value", p.Default, everywhere},
			}}, everywhere},
		}
		if p.Choices != nil {
			props = append(props, prop{"choices", p.Choices, everywhere})
		}
		list = append(list, bean{"hudson.model." + p.kind(), props})
	}
	return list
}

func (p Parameter) kind() string {
	if p.Type == "" {
		return "StringParameterDefinition"
	}
	return p.Type
}

func (r *run) bean(root string) bean {
	var result any
	if r.result != "" {
		result = r.result
	}
	var duration int64
	if !r.building {
		duration = r.ended.Sub(r.started).Milliseconds()
	}
	return bean{"org.jenkinsci.plugins.workflow.job.WorkflowRun", []prop{
		{"actions", r.actions(), onItsOwn},
		{"artifacts", []bean{}, onItsOwn},
		{"building", r.building, onItsOwn},
		{"description", nil, onItsOwn},
		{"displayName", r.name, onItsOwn},
		{"duration", duration, onItsOwn},
		{"estimatedDuration", r.job.estimate(), onItsOwn},
		{"fullDisplayName", strings.ReplaceAll(r.job.path, "/", " » ") + " " + r.name, onItsOwn},
		{"id", fmt.Sprint(r.number), onItsOwn},
		{"inProgress", r.building, onItsOwn},
		{"keepLog", false, onItsOwn},
		{"number", r.number, everywhere},
		{"queueId", r.number + 1000, onItsOwn},
		{"result", result, onItsOwn},
		{"timestamp", r.started.UnixMilli(), onItsOwn},
		{"url", root + r.path() + "/", everywhere},
		{"changeSets", []bean{}, onItsOwn},
		{"culprits", []bean{}, onItsOwn},
	}}
}

// actions is the mixed list in which plugins put what they know, with the
// empty objects of those that export nothing.
func (r *run) actions() []bean {
	list := []bean{{"hudson.model.CauseAction", []prop{{"causes", causes(r.spec.Causes), everywhere}}}}
	if len(r.spec.Parameters) > 0 {
		var ps []bean
		for _, name := range slices.Sorted(maps.Keys(r.spec.Parameters)) {
			ps = append(ps, bean{"hudson.model.StringParameterValue", []prop{
				{"name", name, everywhere}, {"value", r.spec.Parameters[name], everywhere},
			}})
		}
		list = append(list, bean{"hudson.model.ParametersAction", []prop{{"parameters", ps, everywhere}}})
	}
	if r.spec.Revision != "" {
		list = append(list, bean{"jenkins.scm.api.SCMRevisionAction", []prop{
			{"revision", bean{"jenkins.plugins.git.AbstractGitSCMSource$SCMRevisionImpl", []prop{
				{"hash", r.spec.Revision, onlyAsked},
			}}, onlyAsked},
		}})
	}
	list = append(list, bean{})
	for _, g := range r.spec.Git {
		branch := []bean{{"", []prop{{"SHA1", g.SHA, everywhere}, {"name", g.Branch, everywhere}}}}
		list = append(list, bean{"hudson.plugins.git.util.BuildData", []prop{
			{"lastBuiltRevision", bean{"", []prop{{"SHA1", g.SHA, everywhere}, {"branch", branch, everywhere}}}, everywhere},
			{"remoteUrls", []string{g.Remote}, everywhere},
			{"scmName", "", everywhere},
		}})
	}
	list = append(list, bean{}, bean{class: "org.jenkinsci.plugins.workflow.job.views.FlowGraphAction"})
	if r.asked { // it stays after the answer
		list = append(list, r.inputAction())
	}
	for _, user := range r.approvers {
		list = append(list, bean{"org.jenkinsci.plugins.workflow.support.steps.input.ApproverAction",
			[]prop{{"userId", user, onlyAsked}}})
	}
	if len(r.interruptions) > 0 {
		list = append(list, bean{"jenkins.model.InterruptedBuildAction", []prop{{"causes", causes(r.interruptions), everywhere}}})
	}
	return append(list, bean{})
}

func (r *run) inputAction() bean {
	executions := []bean{}
	loaded := !time.Now().Before(r.server.loaded)
	for _, in := range r.waiting() {
		var submitter any
		if in.spec.Submitter != "" {
			submitter = in.spec.Submitter
		}
		executions = append(executions, bean{"org.jenkinsci.plugins.workflow.support.steps.input.InputStepExecution", []prop{
			{"id", in.id, everywhere},
			{"displayName", in.spec.Message, everywhere},
			{"settled", false, everywhere},
			{"input", bean{"org.jenkinsci.plugins.workflow.support.steps.input.InputStep", []prop{
				{"id", in.id, everywhere},
				{"message", in.spec.Message, everywhere},
				{"ok", in.ok(), everywhere},
				{"cancel", "Abort", everywhere},
				{"submitter", submitter, everywhere},
				{"submitterParameter", nil, everywhere},
				{"parameters", definitions(in.spec.Parameters), everywhere},
			}}, everywhere},
		}})
	}
	if !loaded {
		executions = nil
	}
	return bean{"org.jenkinsci.plugins.workflow.support.steps.input.InputAction", []prop{
		{"waitingForInput", len(executions) > 0, onlyAsked},
		{"executions", executions, onlyAsked},
	}}
}

func (in *input) ok() string {
	if in.spec.OK == "" {
		return "Proceed"
	}
	return in.spec.OK
}

func causes(list []Cause) []bean {
	out := make([]bean, 0, len(list))
	for _, c := range list {
		b := bean{c.Class, []prop{{"shortDescription", c.Text, everywhere}}}
		if c.User != "" {
			b.props = append(b.props, prop{"userId", c.User, everywhere}, prop{"userName", c.UserName, everywhere})
		}
		out = append(out, b)
	}
	return out
}
