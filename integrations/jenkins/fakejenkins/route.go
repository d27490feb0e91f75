package fakejenkins

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// request is one request being answered, under the lock.
type request struct {
	*http.Request
	server    *Server
	w         http.ResponseWriter
	now       time.Time
	root      string // URL of the server in answers
	user      string // "anonymous" without credentials
	session   string // the cookie's value
	directory bool   // its path ends with a slash
	arg       string // what stands in the path where the route has a name in capitals
	job       *job
	run       *run
}

// route is a call. In its path, a word in capitals stands for anything.
type route struct {
	method, path string
	params       string // names of query parameters, with spaces; "*": whatever
	answer       func(*request)
}

const exported = "tree depth pretty"

// The routes below the server, a folder, a job and a run.
var (
	rootRoutes = []route{
		{"GET", "", "", (*request).page},
		{"GET", "api/json", exported, func(q *request) { q.json(q.rootBean()) }},
		{"GET", "me/api/json", exported, (*request).me},
		{"GET", "user/ID/api/json", exported, (*request).userPage},
		{"GET", "crumbIssuer/api/json", exported, (*request).crumbIssuer},
		{"GET", "queue/api/json", exported, (*request).queueList},
		{"GET", "queue/item/N", "", (*request).queueItemPage},
		{"GET", "queue/item/N/api/json", exported, (*request).queueItem},
		{"POST", "queue/item/N/cancelQueue", "", (*request).cancelQueue},
		{"POST", "queue/cancelItem", "id", (*request).cancelItem},
		{"GET", "computer/api/json", exported, func(q *request) { q.json(q.server.computersBean(q.root)) }},
		{"GET", "computer/NAME/api/json", exported, (*request).computer},
		{"POST", "quietDown", "", func(q *request) { q.quietDown(true) }},
		{"POST", "cancelQuietDown", "", func(q *request) { q.quietDown(false) }},
	}
	jobRoutes = []route{
		{"GET", "", "", (*request).page},
		{"GET", "api/json", exported, func(q *request) { q.json(q.server.jobBean(q.job, q.root)) }},
		{"POST", "build", "*", (*request).build},
		{"POST", "buildWithParameters", "*", (*request).buildWithParameters},
		{"GET", "wfapi/runs", "since fullStages", (*request).wfapiRuns},
	}
	runRoutes = []route{
		{"GET", "", "", (*request).page},
		{"GET", "api/json", exported, func(q *request) { q.json(q.run.bean(q.root)) }},
		{"GET", "console", "", (*request).page},
		{"GET", "consoleText", "", (*request).consoleText},
		{"GET", "logText/progressiveText", "start", (*request).progressiveText},
		{"POST", "logText/progressiveText", "start", (*request).progressiveText},
		{"POST", "stop", "", func(q *request) { q.stop("stop") }},
		{"POST", "term", "", func(q *request) { q.stop("term") }},
		{"POST", "kill", "", func(q *request) { q.stop("kill") }},
		{"POST", "rebuild/", "autorebuild", (*request).rebuild},
		{"GET", "rebuild/parameterized", "invalidParam", (*request).rebuildForm},
		{"POST", "rebuild/configSubmit", "", (*request).rebuildConfigSubmit},
		{"POST", "replay/rebuild", "", (*request).replayRebuild},
		{"GET", "wfapi/describe", "fullStages", (*request).describe},
		{"GET", "wfapi/changesets", "", (*request).changesets},
		{"GET", "wfapi/artifacts", "", func(q *request) { q.write([]any{}) }},
		{"GET", "wfapi/pendingInputActions", "", (*request).pendingInputActions},
		{"GET", "wfapi/nextPendingInputAction", "", (*request).nextPendingInputAction},
		{"POST", "wfapi/inputSubmit", "inputId", (*request).inputSubmit},
		{"GET", "execution/node/NODE/wfapi/describe", "", (*request).describeNode},
	}
)

func (q *request) route(names []string) {
	if who := (route{path: "whoAmI/api/json"}); who.fits(q, names) {
		q.only(http.MethodGet, "GET whoAmI/api/json", exported, q.whoAmI)
		return
	}
	// Everything but the question who one is needs Overall/Read.
	switch {
	case q.user == nobody:
		loginNeeded(q.w, q.Request)
		return
	case !q.may("Overall/Read", "hudson.model.Hudson.Read"):
		return
	}
	var path []string
	for {
		if len(names) >= 2 && names[0] == "view" { // the same through somebody's view
			names = names[2:]
		} else if len(names) >= 2 && names[0] == "job" {
			path, names = append(path, names[1]), names[2:]
		} else {
			break
		}
	}
	at := key(path)
	switch q.job = q.server.jobs[at]; {
	case len(path) == 0:
		q.choose(rootRoutes, "", names)
		return
	case q.job == nil && q.server.isFolder(at) && !q.lacks("Job/Read"):
		q.folder(at, names)
		return
	case q.job == nil || q.lacks("Job/Read"):
		notFound(q.w) // the same as if it were not there
		return
	}
	if len(names) > 0 {
		n, err := strconv.Atoi(names[0])
		if q.run = q.job.permalink(names[0]); q.run == nil && err == nil {
			q.run = q.job.find(n)
			if q.run == nil {
				notFound(q.w)
				return
			}
		}
	}
	switch {
	case q.run == nil:
		q.choose(jobRoutes, "job/…/", names)
	case len(names) >= 4 && names[1] == "input":
		q.input(names[2], names[3:])
	default:
		q.choose(runRoutes, "job/…/N/", names[1:])
	}
}

// folder answers for a folder. What is in it is reached only by /job/: a path
// given as one name is not there.
func (q *request) folder(at string, names []string) {
	if q.Method == http.MethodGet && len(names) > 0 && names[0] != "api" {
		notFound(q.w)
		return
	}
	q.choose([]route{
		{"GET", "", "", (*request).page},
		{"GET", "api/json", exported, func(q *request) { q.json(q.server.folderBean(at, q.root)) }},
	}, "job/FOLDER/", names)
}

// choose answers by the route that fits.
func (q *request) choose(routes []route, prefix string, names []string) {
	var other *route // fits, but for the method
	for _, rt := range routes {
		if !rt.fits(q, names) {
			continue
		}
		if rt.method != q.Method {
			other = &rt
			continue
		}
		switch directory := rt.path == "" || strings.HasSuffix(rt.path, "/"); {
		case directory && !q.directory:
			// Index pages have a slash (DirectoryishDispatcher in stapler). Go's
			// client follows with a GET.
			to := q.URL.EscapedPath() + "/"
			if q.URL.RawQuery != "" {
				to += "?" + q.URL.RawQuery
			}
			redirect(q.w, to)
		default:
			q.only(rt.method, rt.method+" "+prefix+rt.path, rt.params, func() { rt.answer(q) })
		}
		return
	}
	if other != nil {
		q.only(other.method, "", other.params, nil)
		return
	}
	q.unexpected()
}

// fits reports whether names are the route's path, and keeps what stands for
// its word in capitals. A do-method ignores what follows it
// (MetaClass.registerDoToken in stapler), and gojenkins' "/api/json" after each
// of them depends on it.
func (rt route) fits(q *request, names []string) bool {
	want := strings.FieldsFunc(rt.path, func(c rune) bool { return c == '/' })
	if len(want) > 0 && len(names) == len(want)+2 && isAPI(names[len(want):]) {
		if last := want[len(want)-1]; strings.ToUpper(last) != last {
			names = names[:len(want)]
		}
	}
	arg := ""
	same := slices.EqualFunc(names, want, func(name, word string) bool {
		if strings.ToUpper(word) == word {
			arg = name
			return true
		}
		return name == word
	})
	if same {
		q.arg = arg
	}
	return same
}

func isAPI(names []string) bool { return slices.Equal(names, []string{"api", "json"}) }

// method reports whether names are those of a do-method, or with what gojenkins
// puts behind it.
func method(names []string, want string) bool {
	return len(names) > 0 && names[0] == want && (len(names) == 1 || isAPI(names[1:]))
}

// only counts a call of the coverage table and answers it, if its method and
// its query are right.
func (q *request) only(method, call, params string, answer func()) {
	if q.Method != method {
		if method == http.MethodPost && q.Method == http.MethodGet {
			tryPosting(q.w, q.URL.Path)
			return
		}
		q.unexpected()
		return
	}
	for name := range q.URL.Query() {
		if params != "*" && name != crumbField && !slices.Contains(strings.Fields(params), name) {
			q.unexpected()
			return
		}
	}
	if q.server.called == nil {
		q.server.called = map[string]int{}
	}
	q.server.called[call]++
	answer()
}

// unexpected answers and remembers what this server does not do. Jenkins might:
// so it is none of the statuses that would mean something.
func (q *request) unexpected() {
	what := q.Method + " " + q.URL.RequestURI()
	q.server.note(what)
	page(q.w, http.StatusNotImplemented, "fakejenkins does not do this: "+what)
}

// page is a page for people. Clients come to one by redirects.
func (q *request) page() {
	q.identify()
	text := q.URL.Path
	if q.run != nil {
		text += "\n" + string(plainText(q.run.log))
	}
	page(q.w, http.StatusOK, text)
}

// identify says which server this is, and since when it runs.
func (q *request) identify() {
	h := q.w.Header()
	h.Set("X-Hudson", "1.395")
	h.Set("X-Jenkins", version)
	h.Set("X-Jenkins-Session", q.server.serverSession())
}

// link is a path of the server as an answer's relative link has it.
func (q *request) link(path string) string { return q.server.ContextPath + path }

func (q *request) quietDown(quiet bool) {
	if !slices.Contains(q.server.Admins, q.user) {
		denied(q.w, q.user, "Overall/Manage", "hudson.model.Hudson.Manage")
		return
	}
	q.server.setQuieting(quiet)
	redirect(q.w, q.link("/"))
}
