package fakejenkins

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

const (
	cookieName = "JSESSIONID.fake"
	crumbField = "Jenkins-Crumb"
	nobody     = "anonymous"
)

// authenticate finds out who asks and whether a POST is theirs, and reports
// whether the request may go on. First the session says who it is. The Basic
// header is looked at only if it names somebody else
// (authenticationIsRequired in BasicHeaderProcessor.java); so with the cookie of
// their session, an API token no longer spares anybody the crumb.
func (q *request) authenticate() bool {
	s := q.server
	q.user = nobody
	if c, err := q.Cookie(cookieName); err == nil {
		if owner, ok := s.owner(c.Value); ok {
			q.user, q.session = owner, c.Value
		}
	}
	exempt := false // from the crumb, ApiCrumbExclusion.java
	name, secret, given := q.BasicAuth()
	if given && !(q.user != nobody && strings.EqualFold(name, q.user)) {
		user, byToken := s.known(name, secret)
		if user == "" {
			badToken(q.w, q.Request)
			return false
		}
		q.user, q.session, exempt = user, "", byToken // a new session, against fixation
	}
	if q.session == "" {
		s.sessions++
		// A session's name says all there is to know of it: there is no list of
		// them, which would only grow.
		q.session = fmt.Sprintf("node0%d.%d.%x", s.sessions, s.restarts, q.user)
		q.w.Header().Set("Set-Cookie", cookieName+"="+q.session+";Path=/;HttpOnly")
	}
	if q.Method != http.MethodPost || exempt || s.NoCrumbs || q.crumbSent() == s.crumb(q.session) {
		return true
	}
	if _, byToken := s.known(name, secret); given && byToken {
		s.note("the API token of " + q.Method + " " + q.URL.Path + " was hidden by a session's cookie")
	}
	noCrumb(q.w, q.Request)
	return false
}

// known returns the id of the user whom the secret belongs to, and whether it
// is an API token. Ids do not differ by case (IdStrategy.CASE_INSENSITIVE).
func (s *Server) known(name, secret string) (user string, byToken bool) {
	users := s.Users
	if users == nil {
		users = map[string]string{User: Token}
	}
	for id, token := range users {
		if strings.EqualFold(id, name) && token == secret {
			return id, true
		}
	}
	for id, password := range s.Passwords {
		if strings.EqualFold(id, name) && password == secret {
			return id, false
		}
	}
	return "", false
}

// owner is the user of a session; sessions end with a restart.
func (s *Server) owner(session string) (user string, ok bool) {
	parts := strings.Split(session, ".")
	if len(parts) != 3 || parts[1] != fmt.Sprint(s.restarts) {
		return "", false
	}
	id, err := hex.DecodeString(parts[2])
	return string(id), err == nil
}

// crumb is that of a session (DefaultCrumbIssuer.java).
func (s *Server) crumb(session string) string {
	sum := sha256.Sum256([]byte("salt of this server " + session))
	return hex.EncodeToString(sum[:])
}

// crumbSent is the header's, else the field's (CrumbFilter.java).
func (q *request) crumbSent() string {
	if crumb := q.Header.Get(crumbField); crumb != "" {
		return crumb
	}
	return q.FormValue(crumbField)
}

func (q *request) crumbIssuer() {
	if q.server.NoCrumbs {
		notFound(q.w)
		return
	}
	q.json(bean{"hudson.security.csrf.DefaultCrumbIssuer", []prop{
		{"crumb", q.server.crumb(q.session), everywhere},
		{"crumbRequestField", crumbField, everywhere},
	}})
}

func (q *request) whoAmI() {
	known := q.user != nobody
	authorities := []string{}
	if known {
		authorities = append(authorities, "authenticated")
	}
	q.json(bean{"hudson.security.WhoAmI", []prop{
		{"name", q.user, everywhere},
		{"anonymous", !known, everywhere},
		{"authenticated", known, everywhere},
		{"authorities", authorities, everywhere},
	}})
}

func (q *request) me() { q.json(q.server.userBean(q.user, q.root)) }

// userPage is a user's data. Nobody is made by asking for them.
func (q *request) userPage() {
	id, ok := q.server.userID(q.arg)
	if !ok {
		notFound(q.w)
		return
	}
	q.json(q.server.userBean(id, q.root))
}

// userID is the id of a user as it is written.
func (s *Server) userID(name string) (id string, ok bool) {
	users := s.Users
	if users == nil {
		users = map[string]string{User: Token}
	}
	for _, known := range []map[string]string{users, s.Passwords, s.FullNames} {
		for id := range known {
			if strings.EqualFold(id, name) {
				return id, true
			}
		}
	}
	return "", false
}

// fullName is a user's, which is their id until they have another.
func (s *Server) fullName(user string) string {
	if name := s.FullNames[user]; name != "" {
		return name
	}
	return user
}

func (s *Server) userBean(id, root string) bean {
	return bean{"hudson.model.User", []prop{
		{"absoluteUrl", root + "/user/" + url.PathEscape(id), everywhere},
		{"description", nil, onItsOwn},
		{"fullName", s.fullName(id), everywhere},
		{"id", id, onItsOwn},
		{"property", []bean{}, onItsOwn},
	}}
}

func (q *request) lacks(permission string) bool {
	for _, p := range q.server.Denied[q.user] {
		if p == permission {
			return true
		}
	}
	return false
}

// may reports whether the user has a permission, and answers if not. The id is
// the permission's in headers: "hudson.model.Item.Build".
func (q *request) may(permission, id string) bool {
	if q.lacks(permission) {
		denied(q.w, q.user, permission, id)
		return false
	}
	return true
}

func (q *request) mayBuild() bool  { return q.may("Job/Build", "hudson.model.Item.Build") }
func (q *request) mayCancel() bool { return q.may("Job/Cancel", "hudson.model.Item.Cancel") }
