package fakegithub

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// commit is "Get a commit" (docs.github.com/rest/commits/commits).
func (s *Server) commit(w http.ResponseWriter, r *http.Request) {
	ref := r.PathValue("ref")
	c, ok := s.graph.resolve(ref)
	if !ok {
		refuse(w, http.StatusUnprocessableEntity, "No commit found for SHA: "+ref, "rest/commits/commits#get-a-commit")
		return
	}
	body := s.json(r, c)
	body["stats"] = map[string]int{"total": 0, "additions": 0, "deletions": 0}
	body["files"] = []any{}
	write(w, http.StatusOK, body)
}

// compare is "Compare two commits". Without page or per_page it lists the
// newest 250 commits; with either, pages from the oldest on.
func (s *Server) compare(w http.ResponseWriter, r *http.Request) {
	baseRef, headRef, _ := strings.Cut(r.PathValue("basehead"), "...")
	base, ok := s.graph.resolve(baseRef)
	head, ok2 := s.graph.resolve(headRef)
	if !ok || !ok2 {
		refuse(w, http.StatusNotFound, "Not Found", "rest/commits/commits#compare-two-commits")
		return
	}
	c, related := s.graph.compare(base.SHA, head.SHA)
	if !related {
		refuse(w, http.StatusNotFound, fmt.Sprintf("No common ancestor between %s and %s.", baseRef, headRef),
			"rest/commits/commits#compare-two-commits")
		return
	}
	shown := c.ahead
	if q := r.URL.Query(); q.Has("page") || q.Has("per_page") {
		page, size := positive(q, "page", 1), min(positive(q, "per_page", 30), 100)
		last := max(1, (len(shown)+size-1)/size)
		from := min((page-1)*size, len(shown))
		shown = shown[from:min(from+size, len(shown))]
		link(w, r, page, last)
	} else if len(shown) > 250 {
		shown = shown[len(shown)-250:]
	}
	commits := make([]any, len(shown)) // "commits": [] rather than null
	for i, commit := range shown {
		commits[i] = s.json(r, commit)
	}
	page := fmt.Sprintf("https://github.com/%s/compare/%s...%s", s.repository(), baseRef, headRef)
	write(w, http.StatusOK, map[string]any{
		"url":               "http://" + r.Host + r.URL.EscapedPath(),
		"html_url":          page,
		"permalink_url":     page,
		"diff_url":          page + ".diff",
		"patch_url":         page + ".patch",
		"base_commit":       s.json(r, base),
		"merge_base_commit": s.json(r, c.mergeBase),
		"status":            c.status,
		"ahead_by":          len(c.ahead),
		"behind_by":         c.behind,
		"total_commits":     len(c.ahead),
		"commits":           commits,
		"files":             []any{},
	})
}

// positive reads a number from a query as GitHub does: nonsense is the default.
func positive(q url.Values, key string, otherwise int) int {
	if n, err := strconv.Atoi(q.Get(key)); err == nil && n > 0 && n < 1e6 {
		return n
	}
	return otherwise
}

// link says where the other pages are (docs.github.com, "Using pagination").
func link(w http.ResponseWriter, r *http.Request, page, last int) {
	var links []string
	add := func(rel string, n int) {
		u := *r.URL
		q := u.Query()
		q.Set("page", strconv.Itoa(n))
		u.RawQuery = q.Encode()
		links = append(links, fmt.Sprintf(`<http://%s%s>; rel=%q`, r.Host, u.RequestURI(), rel))
	}
	if page > 1 {
		add("prev", page-1)
		add("first", 1)
	}
	if page < last {
		add("next", page+1)
		add("last", last)
	}
	if len(links) > 0 {
		w.Header().Set("Link", strings.Join(links, ", "))
	}
}

func (s *Server) json(r *http.Request, c CommitSpec) map[string]any {
	api := "http://" + r.Host + "/repos/" + s.repository()
	page := "https://github.com/" + s.repository() + "/commit/"
	parents := []any{}
	for _, p := range c.Parents {
		parents = append(parents, map[string]string{"sha": p, "url": api + "/commits/" + p, "html_url": page + p})
	}
	var account any // null, where no account has the author's e-mail
	if c.Login != "" {
		account = map[string]any{"login": c.Login, "type": "User", "html_url": "https://github.com/" + c.Login}
	}
	signature := map[string]string{"name": c.Name, "email": c.Email, "date": c.When.UTC().Format(time.RFC3339)}
	return map[string]any{
		"sha":      c.SHA,
		"url":      api + "/commits/" + c.SHA,
		"html_url": page + c.SHA,
		"commit": map[string]any{
			"message":       c.Subject,
			"author":        signature,
			"committer":     signature,
			"comment_count": 0,
		},
		"author":    account,
		"committer": account,
		"parents":   parents,
	}
}
