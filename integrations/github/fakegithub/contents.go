package fakegithub

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// What the API writes out of a file (docs.github.com/rest/repos/contents): above
// a megabyte only the raw form has it.
const inlineFile = 1 << 20

// contents is "Get repository content": a file or the list of a directory, at
// the commit that ?ref= names.
func (c *call) contents() {
	const doc = "rest/repos/contents#get-repository-content"
	ref := c.r.URL.Query().Get("ref")
	if ref == "" {
		ref = c.repo.graph.main()
	}
	at, ok := c.repo.graph.resolve(ref)
	if !ok {
		c.refuse(http.StatusNotFound, "No commit found for the ref "+ref, doc)
		return
	}
	where, g := strings.Trim(c.vars["path"], "/"), &c.repo.graph
	if blob, ok := at.files[where]; ok {
		if c.accepts("raw") {
			c.raw("application/vnd.github.raw; charset=utf-8", g.objects[blob].data)
			return
		}
		file := c.contentJSON(ref, where, entry{fileMode, path.Base(where), "blob", blob})
		file["encoding"], file["content"] = "none", ""
		if data := g.objects[blob].data; len(data) <= inlineFile {
			file["encoding"], file["content"] = "base64", lined(data)
		}
		c.ok(file)
		return
	}
	tree := at.tree
	for _, name := range segments(where) {
		tree = g.child(tree, name)
	}
	if g.objects[tree].kind != "tree" {
		c.refuse(http.StatusNotFound, "Not Found", doc)
		return
	}
	list := []any{}
	for _, e := range g.entries(tree) {
		list = append(list, c.contentJSON(ref, path.Join(where, e.name), e))
	}
	c.ok(list)
}

// child is the tree called name in tree, or "".
func (g *graph) child(tree, name string) string {
	for _, e := range g.entries(tree) {
		if e.name == name && e.kind == "tree" {
			return e.sha
		}
	}
	return ""
}

func (c *call) contentJSON(ref, where string, e entry) map[string]any {
	m := map[string]any{
		"type": "file", "name": e.name, "path": where, "sha": e.sha, "size": len(c.repo.graph.objects[e.sha].data),
		"url":          c.api() + "/contents/" + escape(where) + "?ref=" + url.QueryEscape(ref),
		"git_url":      c.api() + "/git/blobs/" + e.sha,
		"html_url":     c.html() + "/blob/" + ref + "/" + where,
		"download_url": "https://raw.githubusercontent.com/" + c.repo.name + "/" + ref + "/" + where,
	}
	if e.kind == "tree" {
		m["type"], m["size"], m["download_url"] = "dir", 0, nil
		m["git_url"] = c.api() + "/git/trees/" + e.sha
		m["html_url"] = c.html() + "/tree/" + ref + "/" + where
	}
	return m
}

// lined is base64 in lines of sixty, as the API writes it.
func lined(data []byte) string {
	var b strings.Builder
	for s := base64.StdEncoding.EncodeToString(data); s != ""; {
		n := min(60, len(s))
		b.WriteString(s[:n] + "\n")
		s = s[n:]
	}
	return b.String()
}

// escape keeps the slashes of a path.
func escape(where string) string { return (&url.URL{Path: where}).EscapedPath() }

// gitCommit is "Get a commit object".
func (c *call) gitCommit() {
	i, ok := c.repo.graph.at[c.vars["sha"]]
	if !ok {
		c.refuse(http.StatusNotFound, "Not Found", "rest/git/commits#get-a-commit-object")
		return
	}
	found := c.repo.graph.commits[i]
	body := c.gitJSON(found)
	delete(body, "comment_count")
	body["sha"], body["node_id"] = found.SHA, node("C", found.SHA)
	body["url"], body["html_url"] = c.api()+"/git/commits/"+found.SHA, c.html()+"/commit/"+found.SHA
	parents := []any{}
	for _, p := range found.Parents {
		parents = append(parents, map[string]string{"sha": p, "url": c.api() + "/git/commits/" + p, "html_url": c.html() + "/commit/" + p})
	}
	body["parents"] = parents
	c.ok(body)
}

// gitTree is "Get a tree", by its SHA, a commit's, or a branch.
func (c *call) gitTree() {
	g, sha := &c.repo.graph, c.vars["ref"]
	if found, ok := g.resolve(sha); ok {
		sha = found.tree
	}
	if g.objects[sha].kind != "tree" {
		c.refuse(http.StatusNotFound, "Not Found", "rest/git/trees#get-a-tree")
		return
	}
	list := []any{}
	var add func(tree, prefix string)
	add = func(tree, prefix string) {
		for _, e := range g.entries(tree) {
			m := map[string]any{"path": prefix + e.name, "mode": fmt.Sprintf("%06s", e.mode), "type": e.kind, "sha": e.sha,
				"url": c.api() + "/git/" + e.kind + "s/" + e.sha}
			if e.kind == "blob" {
				m["size"] = len(g.objects[e.sha].data)
			}
			list = append(list, m)
			// Any value of it means yes, "0" too.
			if e.kind == "tree" && c.r.URL.Query().Has("recursive") {
				add(e.sha, prefix+e.name+"/")
			}
		}
	}
	add(sha, "")
	c.ok(map[string]any{"sha": sha, "url": c.api() + "/git/trees/" + sha, "tree": list, "truncated": false})
}

// gitBlob is "Get a blob".
func (c *call) gitBlob() {
	sha := c.vars["sha"]
	blob := c.repo.graph.objects[sha]
	switch {
	case blob.kind != "blob":
		c.refuse(http.StatusNotFound, "Not Found", "rest/git/blobs#get-a-blob")
	case c.accepts("raw"):
		c.raw("application/vnd.github.raw; charset=utf-8", blob.data)
	default:
		c.ok(map[string]any{"sha": sha, "node_id": node("B", sha), "size": len(blob.data), "encoding": "base64",
			"content": lined(blob.data), "url": c.api() + "/git/blobs/" + sha})
	}
}
