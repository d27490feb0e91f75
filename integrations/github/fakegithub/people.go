package fakegithub

import "net/http"

// name is the account that whoever calls appears as.
func (a *access) name() string {
	if a.in != nil {
		return a.in.app.Slug + "[bot]"
	}
	return a.Login
}

func (c *call) repoJSON(r *Repo) map[string]any {
	visibility := "public"
	if r.private {
		visibility = "private"
	}
	owner := r.owner()
	return map[string]any{
		"id": r.id, "node_id": node("R", r.id), "name": r.name[len(owner)+1:], "full_name": r.name, "private": r.private,
		"visibility": visibility, "owner": account(owner), "default_branch": r.graph.main(),
		"url": c.root() + "/repos/" + r.name, "html_url": "https://github.com/" + r.name, "archived": false, "fork": false,
	}
}

// repository is "Get a repository".
func (c *call) repository() {
	body := c.repoJSON(c.repo)
	if !c.who.anonymous() {
		body["permissions"] = map[string]bool{
			"pull": true, "push": c.who.may(c.repo, "contents:write"), "admin": c.who.may(c.repo, "administration:write"),
		}
	}
	c.ok(body)
}

// user is "Get the authenticated user", which an App is not.
func (c *call) user() {
	if status, message := c.who.denied(); c.who.in != nil || c.who.anonymous() {
		c.refuse(status, message, "rest/users/users#get-the-authenticated-user")
		return
	}
	c.ok(account(c.who.Login))
}

// users is "Get a user". Whoever did something here is one.
func (c *call) users() {
	login := c.vars["login"]
	for _, r := range c.s.repos {
		if r.owner() == login || r.roles[login] != "" || login == Login {
			c.ok(account(login))
			return
		}
		for _, k := range r.graph.commits {
			if k.Login == login {
				c.ok(account(login))
				return
			}
		}
	}
	c.notFound()
}

// collaborator is "Check if a user is a repository collaborator".
func (c *call) collaborator() {
	if !c.who.may(c.repo, "contents:write") && c.who.in == nil {
		c.refuse(http.StatusForbidden, "Must have push access to view repository collaborators.", "rest/collaborators/collaborators")
		return
	}
	login := c.vars["login"]
	if role := c.repo.roles[login]; role == "none" || role == "" && login != Login {
		c.notFound()
		return
	}
	c.w.WriteHeader(http.StatusNoContent)
}

// permission is "Get repository permissions for a user". The older word for
// maintain is write, for triage it is read.
func (c *call) permission() {
	login := c.vars["login"]
	role := c.repo.role(login)
	word := map[string]string{"maintain": "write", "triage": "read"}[role]
	if word == "" {
		word = role
	}
	c.ok(map[string]any{"permission": word, "role_name": role, "user": account(login)})
}
