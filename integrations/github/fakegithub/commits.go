package fakegithub

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// What a list of files holds at most (docs.github.com/rest/commits/commits).
const (
	filesAPage    = 300  // of a commit; and all there is of a comparison
	filesInCommit = 3000 // over all its pages
	commitsAtOnce = 250  // of a comparison without pages
)

// find is the commit that ref names, or it is answered that there is none.
func (c *call) find(ref, doc string) (*commit, bool) {
	found, ok := c.repo.graph.resolve(ref)
	if !ok {
		c.refuse(http.StatusUnprocessableEntity, "No commit found for SHA: "+ref, doc)
	}
	return found, ok
}

// commit is "Get a commit".
func (c *call) commit() {
	const doc = "rest/commits/commits#get-a-commit"
	found, ok := c.find(c.vars["ref"], doc)
	if !ok {
		return
	}
	if c.accepts("sha") {
		c.w.Header().Set("ETag", `"`+found.SHA+`"`)
		c.raw("application/vnd.github.sha; charset=utf-8", []byte(found.SHA))
		return
	}
	if c.accepts("diff") || c.accepts("patch") {
		c.unknown("GET commit as " + c.r.Header.Get("Accept"))
		return
	}
	var before map[string]string
	if len(found.Parents) > 0 {
		before = c.repo.graph.commits[c.repo.graph.at[found.Parents[0]]].files
	}
	changes := c.repo.graph.diff(before, found.files)
	additions, deletions := 0, 0
	for _, ch := range changes {
		additions += ch.additions
		deletions += ch.deletions
	}
	changes = changes[:min(len(changes), filesInCommit)]
	most := filesAPage
	if c.r.URL.Query().Has("per_page") {
		most = 100
	}
	body := c.commitJSON(found)
	body["stats"] = map[string]int{"total": additions + deletions, "additions": additions, "deletions": deletions}
	body["files"] = c.filesJSON(found.SHA, page(c, changes, filesAPage, most))
	c.ok(body)
}

// commits is "List commits", newest first: of a branch, or those that touch a
// path.
func (c *call) commits() {
	q := c.r.URL.Query()
	for _, unsupported := range []string{"author", "committer", "since", "until"} {
		if q.Has(unsupported) {
			c.unknown("GET commits with " + unsupported)
			return
		}
	}
	ref := q.Get("sha")
	if ref == "" {
		ref = c.repo.graph.main()
	}
	if len(c.repo.graph.commits) == 0 {
		c.refuse(http.StatusConflict, "Git Repository is empty.", "rest/commits/commits#list-commits")
		return
	}
	from, ok := c.repo.graph.resolve(ref)
	if !ok {
		c.notFound()
		return
	}
	g, path := &c.repo.graph, strings.Trim(q.Get("path"), "/")
	var list []*commit
	for _, i := range slices.Backward(slices.Sorted(maps.Keys(g.ancestors(from.SHA)))) {
		if path == "" || g.touches(g.commits[i], path) {
			list = append(list, g.commits[i])
		}
	}
	commits := []any{}
	for _, found := range page(c, list, 30, 100) {
		commits = append(commits, c.commitJSON(found))
	}
	c.ok(commits)
}

// touches reports whether c changes a file at or below path.
func (g *graph) touches(c *commit, path string) bool {
	var before map[string]string
	if len(c.Parents) > 0 {
		before = g.commits[g.at[c.Parents[0]]].files
	}
	under := func(p string) bool { return p == path || strings.HasPrefix(p, path+"/") }
	for p, blob := range c.files {
		if under(p) && before[p] != blob {
			return true
		}
	}
	for p := range before {
		if under(p) && c.files[p] == "" {
			return true
		}
	}
	return false
}

// compare is "Compare two commits", with three dots. Without page or per_page
// it lists the newest 250 commits; with either, pages from the oldest on, and
// files on the first page only.
func (c *call) compare() {
	const doc = "rest/commits/commits#compare-two-commits"
	baseRef, headRef, _ := strings.Cut(c.vars["basehead"], "...")
	// "owner:branch" is one of a fork; ours has none but itself.
	own := func(ref string) string { return strings.TrimPrefix(ref, c.repo.owner()+":") }
	base, ok := c.repo.graph.resolve(own(baseRef))
	head, ok2 := c.repo.graph.resolve(own(headRef))
	if !ok || !ok2 {
		c.refuse(http.StatusNotFound, "Not Found", doc)
		return
	}
	cmp, related := c.repo.graph.compare(base.SHA, head.SHA)
	if !related {
		c.refuse(http.StatusNotFound, fmt.Sprintf("No common ancestor between %s and %s.", baseRef, headRef), doc)
		return
	}
	shown, first := cmp.ahead, true
	if q := c.r.URL.Query(); q.Has("page") || q.Has("per_page") {
		first = positive(q, "page", 1) == 1
		shown = page(c, shown, 30, 100)
	} else if len(shown) > commitsAtOnce {
		shown = shown[len(shown)-commitsAtOnce:]
	}
	commits := []any{} // "commits": [] rather than null
	for _, commit := range shown {
		commits = append(commits, c.commitJSON(commit))
	}
	var changes []change
	if first {
		changes = c.repo.graph.diff(cmp.mergeBase.files, head.files)
		// Nothing says that there are more.
		changes = changes[:min(len(changes), filesAPage)]
	}
	html := fmt.Sprintf("%s/compare/%s...%s", c.html(), baseRef, headRef)
	c.ok(map[string]any{
		"url":               c.root() + c.r.URL.EscapedPath(),
		"html_url":          html,
		"permalink_url":     html,
		"diff_url":          html + ".diff",
		"patch_url":         html + ".patch",
		"base_commit":       c.commitJSON(base),
		"merge_base_commit": c.commitJSON(cmp.mergeBase),
		"status":            cmp.status,
		"ahead_by":          len(cmp.ahead),
		"behind_by":         cmp.behind,
		"total_commits":     len(cmp.ahead),
		"commits":           commits,
		"files":             c.filesJSON(head.SHA, changes),
	})
}

func (c *call) filesJSON(at string, changes []change) []any {
	files := []any{}
	for _, ch := range changes {
		file := map[string]any{
			"sha": ch.sha, "filename": ch.path, "status": ch.status,
			"additions": ch.additions, "deletions": ch.deletions, "changes": ch.additions + ch.deletions,
			"blob_url":     c.html() + "/blob/" + at + "/" + ch.path,
			"raw_url":      c.html() + "/raw/" + at + "/" + ch.path,
			"contents_url": c.api() + "/contents/" + escape(ch.path) + "?ref=" + at,
		}
		if ch.from != "" {
			file["previous_filename"] = ch.from
		}
		files = append(files, file)
	}
	return files
}

func (c *call) commitJSON(of *commit) map[string]any {
	parents := []any{}
	for _, p := range of.Parents {
		parents = append(parents, map[string]string{
			"sha": p, "url": c.api() + "/commits/" + p, "html_url": c.html() + "/commit/" + p,
		})
	}
	_, _, committer := of.committer()
	return map[string]any{
		"sha":       of.SHA,
		"node_id":   node("C", of.SHA),
		"url":       c.api() + "/commits/" + of.SHA,
		"html_url":  c.html() + "/commit/" + of.SHA,
		"commit":    c.gitJSON(of),
		"author":    account(of.Login),
		"committer": account(committer),
		"parents":   parents,
	}
}

// gitJSON is a commit as git has it, without what GitHub knows beside.
func (c *call) gitJSON(of *commit) map[string]any {
	date := of.When.UTC().Format(time.RFC3339)
	name, email, _ := of.committer()
	return map[string]any{
		"message":       of.Subject,
		"tree":          map[string]string{"sha": of.tree, "url": c.api() + "/git/trees/" + of.tree},
		"author":        map[string]string{"name": of.Name, "email": of.Email, "date": date},
		"committer":     map[string]string{"name": name, "email": email, "date": date},
		"comment_count": 0,
		"verification":  map[string]any{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil},
	}
}

// account is null where no account has the author's e-mail.
func account(login string) any {
	if login == "" {
		return nil
	}
	kind := "User"
	if strings.HasSuffix(login, "[bot]") {
		kind = "Bot"
	}
	return map[string]any{"login": login, "node_id": node("U", login), "type": kind,
		"html_url": "https://github.com/" + login, "site_admin": false}
}
