package fakegithub

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Repo is one repository of a [Server].
type Repo struct {
	s       *Server
	id      int64
	name    string   // "owner/name"
	former  []string // names it had
	private bool
	roles   map[string]string // by login

	graph     graph
	moved     map[string]string // branches that were renamed, old to new
	protected map[string]Protection
	rulesets  []ruleset
	statuses  []status
	runs      []checkRun
	pulls     []*Pull
	issued    int64 // ids given to statuses, check runs and pull requests
}

// Repo is the repository with that name, "owner/name", made if need be: public,
// empty, with the branch master to come. The empty name is the repository that
// the Server's own methods speak of.
func (s *Server) Repo(name string) *Repo {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.repo(name)
}

func (s *Server) repo(name string) *Repo {
	if len(s.repos) == 0 {
		main := s.Repository
		if main == "" {
			main = "mozilla/treeherder"
		}
		s.repos = []*Repo{{s: s, id: 4001, name: main}}
	}
	if name == "" {
		return s.repos[0]
	}
	if r := s.find(name); r != nil {
		return r
	}
	if strings.Count(name, "/") != 1 {
		panic(fmt.Sprintf("fakegithub: %q is not of the form owner/name", name))
	}
	r := &Repo{s: s, id: s.repos[len(s.repos)-1].id + 1, name: name}
	s.repos = append(s.repos, r)
	return r
}

// find is the repository that is called so now. Case does not matter to GitHub.
func (s *Server) find(name string) *Repo {
	s.repo("")
	for _, r := range s.repos {
		if strings.EqualFold(r.name, name) {
			return r
		}
	}
	return nil
}

// wasCalled is the repository that had this name.
func (s *Server) wasCalled(name string) *Repo {
	for _, r := range s.repos {
		if slices.ContainsFunc(r.former, func(f string) bool { return strings.EqualFold(f, name) }) {
			return r
		}
	}
	return nil
}

func (s *Server) byID(id int64) *Repo {
	s.repo("")
	for _, r := range s.repos {
		if r.id == id {
			return r
		}
	}
	return nil
}

func (r *Repo) owner() string { owner, _, _ := strings.Cut(r.name, "/"); return owner }

// node is the id that GraphQL knows a thing by.
func node(kind string, id any) string {
	return kind + "_kwDO" + base64.RawURLEncoding.EncodeToString(fmt.Append(nil, id))
}

// AddCommit adds a commit and returns its SHA. It panics if the commit is there
// already or a parent is not: that is a mistake in the world being built.
func (r *Repo) AddCommit(c CommitSpec) string {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	sha, err := r.graph.add(c)
	if err != nil {
		panic("fakegithub: " + err.Error())
	}
	return sha
}

// Commits are all commits, in the order in which they were added.
func (r *Repo) Commits() []CommitSpec {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var list []CommitSpec
	for _, c := range r.graph.commits {
		list = append(list, c.CommitSpec)
	}
	return list
}

// SetBranch makes branch point at sha, wherever it was, protected or not. It
// panics if there is no such commit.
func (r *Repo) SetBranch(branch, sha string) { r.setRef("refs/heads/"+branch, sha) }

// SetTag is SetBranch for a lightweight tag.
func (r *Repo) SetTag(tag, sha string) { r.setRef("refs/tags/"+tag, sha) }

func (r *Repo) setRef(ref, sha string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if _, known := r.graph.at[sha]; !known {
		panic("fakegithub: " + ref + " cannot be at " + sha + ", which is not there")
	}
	r.graph.set(ref, sha)
}

// Branch is where branch points, or "".
func (r *Repo) Branch(branch string) string {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.graph.refs["refs/heads/"+branch]
}

// Branches are the names of all branches, sorted.
func (r *Repo) Branches() (names []string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	for _, ref := range r.graph.sortedRefs("refs/heads/") {
		names = append(names, strings.TrimPrefix(ref, "refs/heads/"))
	}
	return names
}

// DeleteBranch takes a branch away, if it is there.
func (r *Repo) DeleteBranch(branch string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	delete(r.graph.refs, "refs/heads/"+branch)
}

// RenameBranch renames a branch; its page redirects from then on, its ref does
// not. It panics if the branch is not there.
func (r *Repo) RenameBranch(old, new string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	sha, ok := r.graph.refs["refs/heads/"+old]
	if !ok {
		panic("fakegithub: branch " + old + " is not there")
	}
	delete(r.graph.refs, "refs/heads/"+old)
	r.graph.set("refs/heads/"+new, sha)
	if r.moved == nil {
		r.moved = map[string]string{}
	}
	r.moved[old] = new
	if r.graph.main() == old {
		r.graph.head = new
	}
}

// SetDefault says which branch is the default one; it is master before.
func (r *Repo) SetDefault(branch string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.graph.head = branch
}

// Rename gives the repository another name. Reads of the old one are redirected
// with 301, writes with 307, to /repositories/<id>.
func (r *Repo) Rename(name string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.former = append(r.former, r.name)
	r.name = name
}

// SetPrivate hides the repository, or shows it: whoever has no role on it is
// told that it is not there.
func (r *Repo) SetPrivate(private bool) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.private = private
}

// Collaborate gives somebody a role: read, triage, write, maintain, admin, or
// none. The person of a token in Tokens, thbot, has write unless told otherwise.
func (r *Repo) Collaborate(login, role string) {
	if !slices.Contains(roles, role) {
		panic(fmt.Sprintf("fakegithub: there is no role %q", role))
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if r.roles == nil {
		r.roles = map[string]string{}
	}
	r.roles[login] = role
}

// roles in ascending order.
var roles = []string{"none", "read", "triage", "write", "maintain", "admin"}

// role is what login is to the repository.
func (r *Repo) role(login string) string {
	switch role, given := r.roles[login]; {
	case given && (role != "none" || r.private):
		return role
	case login == Login && !given:
		return "write"
	case !r.private:
		return "read"
	}
	return "none"
}

// after is the moment that a thing without a time of its own happened: in the
// order in which they are added, from the newest commit on.
func (r *Repo) after(at time.Time) time.Time {
	r.issued++
	if !at.IsZero() {
		return at
	}
	from := time.Date(2022, 3, 1, 12, 0, 0, 0, time.UTC)
	if n := len(r.graph.commits); n > 0 {
		from = r.graph.commits[n-1].When
	}
	return from.Add(time.Duration(r.issued) * time.Second)
}
