package fakegithub

import (
	"net/http"
	"net/url"
	"strings"
)

// A route is a call that there is. Its path is matched segment by segment;
// "{ref...}" takes one or more of them.
type route struct {
	call   string
	method string
	path   string // in the repository, or absolute where it is about none
	need   string // the permission, as docs.github.com names it
	handle func(*call)
}

// ofRepo are the calls about a repository. The first that matches is taken.
func ofRepo() []route {
	return []route{
		{"GET repository", "GET", "", "", (*call).repository},
		{"GET commits", "GET", "commits", "contents:read", (*call).commits},
		{"GET status", "GET", "commits/{ref...}/status", "statuses:read", (*call).combinedStatus},
		{"GET statuses", "GET", "commits/{ref...}/statuses", "statuses:read", (*call).listStatuses},
		{"GET check-runs", "GET", "commits/{ref...}/check-runs", "checks:read", (*call).checkRuns},
		{"GET commit pulls", "GET", "commits/{ref...}/pulls", "pull_requests:read", (*call).commitPulls},
		{"GET commit", "GET", "commits/{ref...}", "contents:read", (*call).commit},
		{"GET compare", "GET", "compare/{basehead...}", "contents:read", (*call).compare},
		{"GET contents", "GET", "contents", "contents:read", (*call).contents},
		{"GET contents", "GET", "contents/{path...}", "contents:read", (*call).contents},
		{"GET git commit", "GET", "git/commits/{sha}", "contents:read", (*call).gitCommit},
		{"GET git tree", "GET", "git/trees/{ref...}", "contents:read", (*call).gitTree},
		{"GET git blob", "GET", "git/blobs/{sha}", "contents:read", (*call).gitBlob},
		{"GET ref", "GET", "git/ref/{ref...}", "contents:read", (*call).getRef},
		{"GET matching-refs", "GET", "git/matching-refs", "contents:read", (*call).matchingRefs},
		{"GET matching-refs", "GET", "git/matching-refs/{ref...}", "contents:read", (*call).matchingRefs},
		{"POST ref", "POST", "git/refs", "contents:write", (*call).createRef},
		{"PATCH ref", "PATCH", "git/refs/{ref...}", "contents:write", (*call).updateRef},
		{"DELETE ref", "DELETE", "git/refs/{ref...}", "contents:write", (*call).deleteRef},
		{"GET branches", "GET", "branches", "contents:read", (*call).branches},
		{"GET protection", "GET", "branches/{branch...}/protection", "administration:read", (*call).protection},
		{"GET branch", "GET", "branches/{branch...}", "contents:read", (*call).branch},
		{"GET rules", "GET", "rules/branches/{branch...}", "metadata:read", (*call).rules},
		{"GET pulls", "GET", "pulls", "pull_requests:read", (*call).listPulls},
		{"POST pulls", "POST", "pulls", "pull_requests:write", (*call).createPull},
		{"GET pull", "GET", "pulls/{number}", "pull_requests:read", (*call).getPull},
		{"GET collaborator", "GET", "collaborators/{login}", "metadata:read", (*call).collaborator},
		{"GET permission", "GET", "collaborators/{login}/permission", "metadata:read", (*call).permission},
	}
}

// alone are the calls about no repository, or about an App.
func alone() []route {
	return []route{
		{"POST graphql", "POST", "graphql", "", (*call).graphql},
		{"GET rate_limit", "GET", "rate_limit", "", (*call).rateLimit},
		{"GET user", "GET", "user", "", (*call).user},
		{"GET users", "GET", "users/{login}", "", (*call).users},
		{"GET installation repositories", "GET", "installation/repositories", "", (*call).installationRepositories},
	}
}

// ofApp are the calls that an App makes as itself.
func ofApp() []route {
	return []route{
		{"GET app", "GET", "app", "", (*call).app},
		{"GET app installations", "GET", "app/installations", "", (*call).installations},
		{"POST access_tokens", "POST", "app/installations/{installation}/access_tokens", "", (*call).accessToken},
	}
}

// A target is what a request means.
type target struct {
	call   string
	need   string
	vars   map[string]string
	ofRepo bool
	asApp  bool
	rest   string // of the path, after the repository
	handle func(*call)
}

// find says what r means. A path is taken as it is sent: GitHub does not clean
// it, and one with dots means nothing here.
func find(r *http.Request) target {
	raw := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	none := target{call: r.Method + " " + r.URL.EscapedPath()}
	path := make([]string, len(raw))
	for i, s := range raw {
		var err error
		if path[i], err = url.PathUnescape(s); err != nil || path[i] == "." || path[i] == ".." {
			return none
		}
	}
	// go-github asks for the root directory as "contents/", and refs match a
	// beginning that ends in a slash. Elsewhere such a path is nothing.
	slash := ""
	if n := len(path); n > 1 && path[n-1] == "" {
		path, raw, slash = path[:n-1], raw[:n-1], "/"
	}
	for _, s := range path {
		if s == "" {
			return none
		}
	}
	vars, rest := map[string]string{}, -1
	switch {
	case path[0] == "repos" && len(path) >= 3:
		vars["owner"], vars["name"], rest = path[1], path[2], 3
	case path[0] == "repositories" && len(path) >= 2:
		vars["id"], rest = path[1], 2
	}
	try := func(list []route, path []string, t target) (target, bool) {
		for _, route := range list {
			if route.method != r.Method || !match(segments(route.path), path, vars) {
				continue
			}
			if slash != "" && route.call != "GET contents" && route.call != "GET matching-refs" {
				break
			}
			vars["slash"] = slash
			t.call, t.need, t.handle, t.vars = route.call, route.need, route.handle, vars
			return t, true
		}
		return target{}, false
	}
	if rest >= 0 {
		t := target{ofRepo: true}
		for _, s := range raw[rest:] {
			t.rest += "/" + s
		}
		if found, ok := try(ofRepo(), path[rest:], t); ok {
			return found
		}
		installed := []route{{"GET repository installation", "GET", "installation", "", (*call).repositoryInstallation}}
		t.asApp = true
		if found, ok := try(installed, path[rest:], t); ok {
			return found
		}
		return none
	}
	if found, ok := try(alone(), path, target{}); ok {
		return found
	}
	if found, ok := try(ofApp(), path, target{asApp: true}); ok {
		return found
	}
	return none
}

func segments(path string) []string {
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// match fills vars. What comes after a "{x...}" is matched from the end.
func match(pattern, path []string, vars map[string]string) bool {
	for i, p := range pattern {
		if name, ok := strings.CutSuffix(p, "...}"); ok {
			after := pattern[i+1:]
			n := len(path) - i - len(after)
			if n < 1 || !match(after, path[i+n:], vars) {
				return false
			}
			vars[name[1:]] = strings.Join(path[i:i+n], "/")
			return true
		}
		if i >= len(path) {
			return false
		}
		if strings.HasPrefix(p, "{") {
			vars[strings.Trim(p, "{}")] = path[i]
		} else if p != path[i] {
			return false
		}
	}
	return len(path) == len(pattern)
}
