package fakejenkins

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

func (r *run) bean(root string) bean {
	// currentBuild.result and catchError set it while the run goes on.
	var result any
	switch {
	case r.result != "":
		result = r.result
	case r.early != "":
		result = r.early
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
		{"queueId", r.item, onItsOwn},
		{"result", result, onItsOwn},
		{"timestamp", r.started.UnixMilli(), onItsOwn},
		{"url", root + r.path() + "/", everywhere},
		{"changeSets", []bean{}, onItsOwn},
		{"culprits", []bean{}, onItsOwn},
		{"executor", r.executor(), onItsOwn},
		{"nextBuild", r.neighbour(1, root), onItsOwn},
		{"previousBuild", r.neighbour(-1, root), onItsOwn},
	}}
}

func (r *run) executor() any {
	if r.building {
		return bean{class: "hudson.model.OneOffExecutor"}
	}
	return nil
}

func (r *run) neighbour(step int, root string) any {
	i := slices.Index(r.job.runs, r) + step
	if i < 0 || i >= len(r.job.runs) {
		return nil
	}
	n := r.job.runs[i]
	return bean{"", []prop{{"number", n.number, everywhere}, {"url", root + n.path() + "/", everywhere}}}
}

// actions is the mixed list in which plugins put what they know, with the
// empty objects of those that export nothing.
func (r *run) actions() []bean {
	list := []bean{{"hudson.model.CauseAction", []prop{{"causes", causes(r.spec.Causes), everywhere}}}}
	if r.spec.Parameters != nil {
		list = append(list, r.job.parametersAction(r.spec.Parameters))
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
			[]prop{{"userId", user, onItsOwn}}})
	}
	if len(r.interruptions) > 0 {
		list = append(list, bean{"jenkins.model.InterruptedBuildAction", []prop{{"causes", r.interruptionBeans(), everywhere}}})
	}
	return append(list, bean{})
}

func (r *run) interruptionBeans() []bean {
	list := make([]bean, 0, len(r.interruptions))
	for _, why := range r.interruptions {
		b := bean{why.class, []prop{{"shortDescription", why.text, everywhere}}}
		if why.user != "" {
			b.props = append(b.props, prop{"timestamp", why.at.UnixMilli(), onItsOwn},
				prop{"user", r.server.userBean(why.user, r.server.Root), onItsOwn})
		}
		list = append(list, b)
	}
	return list
}

// parametersAction writes values as the types of their definitions do; a
// password and a file have none.
func (j *job) parametersAction(values map[string]string) bean {
	ps := []bean{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		kind, value := "String", any(values[name])
		if i := slices.IndexFunc(j.spec.Parameters, func(p Parameter) bool { return p.Name == name }); i >= 0 {
			kind = strings.TrimSuffix(j.spec.Parameters[i].kind(), "ParameterDefinition")
		}
		props := []prop{{"name", name, everywhere}}
		switch kind {
		case "Boolean":
			value = values[name] == "true"
		case "Choice":
			kind = "String" // what was chosen is a string
		}
		if kind != "Password" && kind != "File" {
			props = append(props, prop{"value", value, everywhere})
		}
		ps = append(ps, bean{"hudson.model." + kind + "ParameterValue", props})
	}
	return bean{"hudson.model.ParametersAction", []prop{{"parameters", ps, everywhere}}}
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
		{"waitingForInput", len(executions) > 0, onItsOwn},
		{"executions", executions, onItsOwn},
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
		if c.UpstreamProject != "" {
			b.props = append(b.props, prop{"upstreamBuild", c.UpstreamBuild, everywhere}, prop{"upstreamProject", c.UpstreamProject, everywhere},
				prop{"upstreamUrl", strings.TrimPrefix(jobPath(c.UpstreamProject), "/") + "/", everywhere})
		}
		out = append(out, b)
	}
	return out
}
