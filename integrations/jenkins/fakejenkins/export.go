package fakejenkins

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
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
	q.identify()
	if text := q.URL.Query().Get("tree"); text != "" {
		t, err := parseTree(text)
		if err != nil {
			q.unexpected()
			return
		}
		q.write(b.render(t, 1))
		return
	}
	depth := 0
	if text := q.URL.Query().Get("depth"); text != "" {
		var err error
		if depth, err = strconv.Atoi(text); err != nil {
			oops(q.w)
			return
		}
	}
	q.write(b.render(nil, 1-depth))
}

func (q *request) rootBean() bean {
	s, root := q.server, q.root
	jobs := []bean{}
	if !q.lacks("Job/Read") {
		jobs = s.children("", root)
	}
	return bean{"hudson.model.Hudson", []prop{
		{"assignedLabels", []bean{{}}, onItsOwn},
		{"mode", "NORMAL", onItsOwn},
		{"nodeDescription", "the Jenkins controller's built-in node", onItsOwn},
		{"nodeName", "", onItsOwn},
		{"numExecutors", 0, onItsOwn},
		{"description", nil, onItsOwn},
		{"jobs", jobs, onItsOwn},
		{"overallLoad", bean{}, onItsOwn},
		{"primaryView", view("hudson.model.AllView", "all", root+"/"), onItsOwn},
		{"quietDownReason", nil, onItsOwn},
		{"quietingDown", s.quieting, onItsOwn},
		{"slaveAgentPort", -1, onItsOwn},
		{"unlabeledLoad", bean{class: "jenkins.model.UnlabeledLoadStatistics"}, onItsOwn},
		{"url", root + "/", onItsOwn},
		{"useCrumbs", !s.NoCrumbs, onItsOwn},
		{"useSecurity", true, onItsOwn},
		{"views", []bean{view("hudson.model.AllView", "all", root+"/")}, onItsOwn},
	}}
}

func view(class, name, url string) bean {
	return bean{class, []prop{{"name", name, everywhere}, {"url", url, everywhere}}}
}

// isFolder reports whether a path is one on the way to a job.
func (s *Server) isFolder(path string) bool {
	for at := range s.jobs {
		if strings.HasPrefix(at, path+"/") {
			return true
		}
	}
	return false
}

// children are the jobs and folders right in a folder, by name.
func (s *Server) children(folder, root string) []bean {
	in := ""
	if folder != "" {
		in = folder + "/"
	}
	names := map[string]bool{}
	for at := range s.jobs {
		if rest, ok := strings.CutPrefix(at, in); ok {
			name, _, _ := strings.Cut(rest, "/")
			names[name] = true
		}
	}
	list := []bean{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if j := s.jobs[in+name]; j != nil {
			list = append(list, s.jobBean(j, root))
		} else {
			list = append(list, s.folderBean(in+name, root))
		}
	}
	return list
}

func (s *Server) folderBean(path, root string) bean {
	class := "com.cloudbees.hudson.plugins.folder.Folder"
	for at, j := range s.jobs {
		if rest, ok := strings.CutPrefix(at, path+"/"); ok && j.spec.Branch && !strings.Contains(rest, "/") {
			class = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
		}
	}
	name := path[strings.LastIndex(path, "/")+1:]
	url := root + jobPath(path) + "/"
	return bean{class, []prop{
		{"actions", []bean{{}, {}}, onItsOwn},
		{"description", nil, onItsOwn},
		{"displayName", name, onItsOwn},
		{"displayNameOrNull", nil, onItsOwn},
		{"fullDisplayName", strings.ReplaceAll(path, "/", " » "), onItsOwn},
		{"fullName", path, onItsOwn},
		{"name", name, everywhere},
		{"url", url, everywhere},
		{"healthReport", []bean{}, onItsOwn},
		{"jobs", s.children(path, root), onItsOwn},
		{"primaryView", view("hudson.model.AllView", "all", url), onItsOwn},
		{"views", []bean{view("hudson.model.AllView", "all", url)}, onItsOwn},
	}}
}

// summary is a job where it is named by something else.
func (j *job) summary(root string) bean {
	return bean{"org.jenkinsci.plugins.workflow.job.WorkflowJob", []prop{
		{"name", j.name(), everywhere},
		{"url", root + jobPath(j.path) + "/", everywhere},
		{"color", j.color(), everywhere},
	}}
}

func (s *Server) jobBean(j *job, root string) bean {
	var builds []bean
	for _, r := range slices.Backward(j.runs) {
		builds = append(builds, r.bean(root))
	}
	property := []bean{}
	if len(j.spec.Parameters) > 0 {
		property = append(property, bean{"hudson.model.ParametersDefinitionProperty", []prop{
			{"parameterDefinitions", definitions(j.spec.Parameters), everywhere},
		}})
	}
	var queued any
	for _, it := range s.queue {
		if it.job == j && !it.over() && queued == nil {
			queued = s.itemBean(it, root)
		}
	}
	name := strings.ReplaceAll(j.path, "/", " » ")
	props := []prop{
		{"actions", []bean{{}, {}}, onItsOwn},
		{"description", nil, onItsOwn},
		{"displayName", j.name(), onItsOwn},
		{"displayNameOrNull", nil, onItsOwn},
		{"fullDisplayName", name, onItsOwn},
		{"fullName", j.path, onItsOwn},
		{"name", j.name(), everywhere},
		{"url", root + jobPath(j.path) + "/", everywhere},
		{"buildable", !j.spec.Disabled, onItsOwn},
		// The newest hundred (Job.getNewBuilds); all of them only if asked for.
		{"builds", builds[:min(len(builds), 100)], onItsOwn},
		{"allBuilds", builds, onlyAsked},
		{"color", j.color(), everywhere},
		{"healthReport", []bean{}, onItsOwn},
		{"inQueue", queued != nil, onItsOwn},
		{"keepDependencies", false, onItsOwn},
		{"nextBuildNumber", j.next, onItsOwn},
		{"property", property, onItsOwn},
		{"queueItem", queued, onItsOwn},
		{"concurrentBuild", !j.spec.NotConcurrent, onItsOwn},
		{"resumeBlocked", false, onItsOwn},
	}
	for _, link := range permalinks {
		var b any
		if r := j.permalink(link.name); r != nil {
			b = r.bean(root)
		}
		props = append(props, prop{link.name, b, onItsOwn})
	}
	return bean{"org.jenkinsci.plugins.workflow.job.WorkflowJob", props}
}

// permalinks name a run by what it is; the newest of its kind, but for the first.
var permalinks = []struct {
	name string
	fits func(*run) bool
}{
	{"lastBuild", func(*run) bool { return true }},
	{"lastCompletedBuild", func(r *run) bool { return !r.building }},
	{"lastFailedBuild", func(r *run) bool { return !r.building && r.result == "FAILURE" }},
	{"lastStableBuild", func(r *run) bool { return !r.building && r.result == "SUCCESS" }},
	{"lastSuccessfulBuild", func(r *run) bool { return !r.building && (r.result == "SUCCESS" || r.result == "UNSTABLE") }},
	{"lastUnstableBuild", func(r *run) bool { return !r.building && r.result == "UNSTABLE" }},
	{"lastUnsuccessfulBuild", func(r *run) bool { return !r.building && r.result != "SUCCESS" }},
	{"firstBuild", nil},
}

func (j *job) permalink(name string) *run {
	for _, link := range permalinks {
		switch {
		case link.name != name:
		case link.fits != nil:
			for _, r := range slices.Backward(j.runs) {
				if link.fits(r) {
					return r
				}
			}
		case len(j.runs) > 0:
			return j.runs[0]
		}
	}
	return nil
}

func (j *job) color() string {
	color, running := "notbuilt", ""
	for _, r := range j.runs {
		if r.building {
			running = "_anime"
			continue
		}
		color = map[string]string{"SUCCESS": "blue", "UNSTABLE": "yellow", "FAILURE": "red", "ABORTED": "aborted", "NOT_BUILT": "notbuilt"}[r.result]
	}
	if j.spec.Disabled {
		color = "disabled"
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

// agent is the one node. The controller has no executors, so it is not listed.
const agent = "agent-1"

func (s *Server) computersBean(root string) bean {
	one := s.computerBean(root)
	return bean{"hudson.model.ComputerSet", []prop{
		{"busyExecutors", 0, onItsOwn},
		{"computer", []bean{one}, everywhere},
		{"displayName", "Nodes", onItsOwn},
		{"totalExecutors", 2, onItsOwn},
	}}
}

// computerBean is a node whose executors are idle: a pipeline runs on a one-off
// executor, which is no more than a thread, and its node steps do not show here.
func (s *Server) computerBean(root string) bean {
	var executors, oneOff []bean
	for n := range 2 {
		executors = append(executors, bean{"hudson.model.Executor", []prop{
			{"currentExecutable", nil, everywhere}, {"idle", true, onItsOwn}, {"number", n, onItsOwn},
		}})
	}
	for _, path := range slices.Sorted(maps.Keys(s.jobs)) {
		for _, r := range s.jobs[path].runs {
			if r.building {
				oneOff = append(oneOff, bean{"hudson.model.OneOffExecutor", []prop{
					{"currentExecutable", r.bean(root), everywhere}, {"idle", false, onItsOwn}, {"number", -1, onItsOwn},
				}})
			}
		}
	}
	return bean{"hudson.slaves.SlaveComputer", []prop{
		{"displayName", agent, everywhere},
		{"executors", executors, onItsOwn},
		{"idle", len(oneOff) == 0, everywhere},
		{"numExecutors", 2, everywhere},
		{"offline", false, everywhere},
		{"oneOffExecutors", oneOff, onItsOwn},
		{"temporarilyOffline", false, everywhere},
	}}
}

func (q *request) computer() {
	if q.arg != agent {
		notFound(q.w)
		return
	}
	q.json(q.server.computerBean(q.root))
}
