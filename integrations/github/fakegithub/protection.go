package fakegithub

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
)

// Protection is the protection of a branch, in the older form of it. Nobody may
// force-push to such a branch or delete it, admins neither, unless it says so.
type Protection struct {
	// Pushers are the people (logins) and Apps (slugs) that may push. nil: all
	// who may write; empty: none.
	Pushers     []string
	AllowForce  bool
	AllowDelete bool
	Checks      []string // contexts of statuses and names of checks that must be green
	// Status of the refusal; 0: 422. GitHub's description of its API lists 409
	// beside it.
	Status int
}

// Protect protects a branch.
func (r *Repo) Protect(branch string, p Protection) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if r.protected == nil {
		r.protected = map[string]Protection{}
	}
	r.protected[branch] = p
}

// Unprotect ends Protect. Rulesets go on.
func (r *Repo) Unprotect(branch string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	delete(r.protected, branch)
}

// Ruleset is the newer form: rules for branches, which "Get branch protection"
// does not know of.
type Ruleset struct {
	Name     string
	Branches []string // patterns as in [path.Match]
	// Rules are creation, update, deletion, non_fast_forward, pull_request, or
	// required_status_checks with Checks.
	Rules  []string
	Checks []string
	Bypass []string // people (logins) and Apps (slugs) that it does not bind
}

type ruleset struct {
	Ruleset
	id int64
}

// AddRuleset adds one. It panics if there is no such rule.
func (r *Repo) AddRuleset(rs Ruleset) {
	for _, rule := range rs.Rules {
		if violation[rule] == "" {
			panic(fmt.Sprintf("fakegithub: there is no rule %q", rule))
		}
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.rulesets = append(r.rulesets, ruleset{rs, int64(len(r.rulesets) + 1)})
}

// violation is what GitHub says of each rule.
var violation = map[string]string{
	"creation":               "Cannot create ref due to creations being restricted.",
	"update":                 "Cannot update this protected ref.",
	"deletion":               "Cannot delete this branch",
	"non_fast_forward":       "Cannot force-push to this branch",
	"pull_request":           "Changes must be made through a pull request.",
	"required_status_checks": "Required status check is expected.",
}

func (rs ruleset) binds(branch string) bool {
	return slices.ContainsFunc(rs.Branches, func(pattern string) bool {
		ok, _ := path.Match(pattern, branch) // a bad pattern matches nothing
		return ok
	})
}

// actor is how protection knows whoever calls.
func (a *access) actor() string {
	if a.in != nil {
		return a.in.app.Slug
	}
	return a.Login
}

// guarded says what protects the branch against m, with the status of the
// refusal, or nothing.
func (c *call) guarded(m move, forced bool) (status int, message string) {
	branch, ok := strings.CutPrefix(m.ref, "refs/heads/")
	if !ok {
		return 0, ""
	}
	var broken []string
	for _, rs := range c.repo.rulesets {
		if !rs.binds(branch) || slices.Contains(rs.Bypass, c.who.actor()) {
			continue
		}
		for _, rule := range rs.Rules {
			hit := false
			switch rule {
			case "creation":
				hit = m.from == zero
			case "deletion":
				hit = m.to == zero
			case "non_fast_forward":
				hit = forced
			case "update", "pull_request":
				hit = m.from != zero && m.to != zero
			case "required_status_checks":
				hit = m.to != zero && c.repo.missing(m.to, rs.Checks) > 0
			}
			if hit {
				broken = append(broken, violation[rule])
			}
		}
	}
	if len(broken) > 0 {
		return http.StatusUnprocessableEntity, "Repository rule violations found\n\n" + strings.Join(broken, "\n\n") + "\n\n"
	}
	p, ok := c.repo.protected[branch]
	if !ok {
		return 0, ""
	}
	if status = p.Status; status == 0 {
		status = http.StatusUnprocessableEntity
	}
	switch {
	case forced && !p.AllowForce:
		return status, "Cannot force-push to this branch"
	case m.to == zero && !p.AllowDelete:
		return status, "Cannot delete this branch"
	case p.Pushers != nil && !slices.Contains(p.Pushers, c.who.actor()):
		return status, "Protected branch update failed for " + m.ref + "."
	}
	if n := c.repo.missing(m.to, p.Checks); m.to != zero && n > 0 {
		return status, fmt.Sprintf("%d of %d required status checks are expected.", n, len(p.Checks))
	}
	return 0, ""
}

// missing is how many of these checks have not passed at sha.
func (r *Repo) missing(sha string, checks []string) (n int) {
	passed := map[string]bool{}
	for _, s := range r.latestStatuses(sha) {
		passed[s.Context] = s.State == "success"
	}
	for _, run := range r.latestRuns(sha) {
		passed[run.Name] = slices.Contains([]string{"success", "neutral", "skipped"}, run.Conclusion)
	}
	for _, name := range checks {
		if !passed[name] {
			n++
		}
	}
	return n
}

// protection is "Get branch protection". It knows nothing of rulesets.
func (c *call) protection() {
	const doc = "rest/branches/branch-protection#get-branch-protection"
	branch := c.vars["branch"]
	p, ok := c.repo.protected[branch]
	switch {
	case c.repo.graph.refs["refs/heads/"+branch] == "":
		c.refuse(http.StatusNotFound, "Branch not found", doc)
		return
	case !ok:
		c.refuse(http.StatusNotFound, "Branch not protected", doc)
		return
	}
	enabled := func(is bool) map[string]bool { return map[string]bool{"enabled": is} }
	body := map[string]any{
		"url":                     c.api() + "/branches/" + escape(branch) + "/protection",
		"enforce_admins":          map[string]any{"url": "", "enabled": true},
		"allow_force_pushes":      enabled(p.AllowForce),
		"allow_deletions":         enabled(p.AllowDelete),
		"required_linear_history": enabled(false),
	}
	if p.Pushers != nil {
		users, apps := []any{}, []any{}
		for _, actor := range p.Pushers {
			if c.s.slug(actor) != nil {
				apps = append(apps, map[string]any{"slug": actor, "name": actor})
			} else {
				users = append(users, account(actor))
			}
		}
		body["restrictions"] = map[string]any{"users": users, "teams": []any{}, "apps": apps}
	}
	if len(p.Checks) > 0 {
		body["required_status_checks"] = map[string]any{"strict": false, "contexts": p.Checks, "checks": contexts(p.Checks)}
	}
	c.ok(body)
}

func contexts(names []string) []any {
	list := []any{}
	for _, name := range names {
		list = append(list, map[string]string{"context": name})
	}
	return list
}

// rules is "Get rules for a branch": of all rulesets that bind it, whether or
// not it is there.
func (c *call) rules() {
	list := []map[string]any{}
	for _, rs := range c.repo.rulesets {
		if !rs.binds(c.vars["branch"]) {
			continue
		}
		for _, rule := range rs.Rules {
			m := map[string]any{"type": rule, "ruleset_source_type": "Repository",
				"ruleset_source": c.repo.name, "ruleset_id": rs.id}
			switch rule {
			case "pull_request":
				m["parameters"] = map[string]any{"required_approving_review_count": 1, "dismiss_stale_reviews_on_push": false,
					"require_code_owner_review": false, "require_last_push_approval": false, "required_review_thread_resolution": false}
			case "required_status_checks":
				m["parameters"] = map[string]any{"required_status_checks": contexts(rs.Checks), "strict_required_status_checks_policy": false}
			}
			list = append(list, m)
		}
	}
	c.ok(page(c, list, 30, 100))
}

// branch is "Get a branch". The old name of a renamed one redirects.
func (c *call) branch() {
	name := c.vars["branch"]
	sha, ok := c.repo.graph.refs["refs/heads/"+name]
	if !ok {
		if to := c.repo.moved[name]; to != "" {
			redirect(c.w, http.StatusMovedPermanently, c.api()+"/branches/"+escape(to))
			return
		}
		c.refuse(http.StatusNotFound, "Branch not found", "rest/branches/branches#get-a-branch")
		return
	}
	body := c.branchJSON(name)
	body["commit"] = c.commitJSON(c.repo.graph.commits[c.repo.graph.at[sha]])
	c.ok(body)
}

// branches is "List branches".
func (c *call) branches() {
	list := []any{}
	for _, ref := range page(c, c.repo.graph.sortedRefs("refs/heads/"), 30, 100) {
		list = append(list, c.branchJSON(strings.TrimPrefix(ref, "refs/heads/")))
	}
	c.ok(list)
}

func (c *call) branchJSON(name string) map[string]any {
	sha := c.repo.graph.refs["refs/heads/"+name]
	_, protected := c.repo.protected[name]
	// Unlike "Get branch protection" this one knows of rulesets.
	protected = protected || slices.ContainsFunc(c.repo.rulesets, func(rs ruleset) bool { return rs.binds(name) })
	return map[string]any{
		"name": name, "protected": protected,
		"commit":         map[string]string{"sha": sha, "url": c.api() + "/commits/" + sha},
		"protection_url": c.api() + "/branches/" + escape(name) + "/protection",
	}
}
