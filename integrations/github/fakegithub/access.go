package fakegithub

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Token is the token that a Server with no Tokens knows, and Login whose it is.
const (
	Token = "fake-github-token"
	Login = "thbot"
)

// Access is what comes with a token.
type Access struct {
	Login string // whose it is; empty: thbot
	// Permissions are those of a fine-grained token, by name: "contents",
	// "statuses", "checks", "pull_requests", "administration", each "read" or
	// "write". nil: a classic token, which may what its person may.
	Permissions map[string]string
	// Repositories that a fine-grained token is for, "owner/name". nil: all.
	Repositories []string
	Expires      time.Time // zero: never
}

// AddToken makes a token known, beside Tokens. It must begin with "fake-", so
// that a real one never works by mistake.
func (s *Server) AddToken(token string, a Access) {
	if !strings.HasPrefix(token, "fake-") {
		panic("fakegithub: a token must begin with fake-")
	}
	if a.Login == "" {
		a.Login = Login
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grant(token, &access{Access: a, bucket: "user " + a.Login})
}

func (s *Server) grant(token string, a *access) {
	if s.granted == nil {
		s.granted = map[string]*access{}
	}
	s.granted[token] = a
}

// access is whoever makes a call.
type access struct {
	Access
	bucket string        // what its calls are counted in
	asApp  *app          // an App itself, with a JWT
	in     *installation // an App in an account, with a token
}

func (a *access) anonymous() bool { return a.Login == "" && a.asApp == nil && a.in == nil }

// who finds out who calls, or says why nobody does.
func (s *Server) who(r *http.Request) (*access, string) {
	header := r.Header.Get("Authorization")
	if header == "" && s.Anonymous {
		return &access{bucket: anonymous}, ""
	}
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "token") {
		return nil, "Bad credentials"
	}
	if strings.HasPrefix(token, "eyJ") {
		return s.jwt(token)
	}
	a := s.granted[token]
	if a == nil && strings.HasPrefix(token, "fake-") &&
		(len(s.Tokens) == 0 && token == Token || slices.Contains(s.Tokens, token)) {
		a = &access{Access: Access{Login: Login}, bucket: "user " + Login}
	}
	if a == nil || !a.Expires.IsZero() && !time.Now().Before(a.Expires) {
		return nil, "Bad credentials"
	}
	return a, ""
}

// sees reports whether repo is there for a at all.
func (a *access) sees(repo *Repo) bool {
	switch {
	case !repo.private:
		return true
	case a.asApp != nil || a.anonymous():
		return false
	}
	return a.reaches(repo) && (a.in != nil || repo.role(a.Login) != "none")
}

// reaches reports whether repo is among those that the token was made for.
func (a *access) reaches(repo *Repo) bool {
	return a.Repositories == nil || slices.ContainsFunc(a.Repositories, func(name string) bool {
		return strings.EqualFold(name, repo.name) || slices.Contains(repo.former, name)
	})
}

// may reports whether a may do what needs "contents:write" or the like.
//
// A token with permissions needs them for public repositories too. There GitHub
// lets such a token read more; a test of least rights wants to know.
func (a *access) may(repo *Repo, need string) bool {
	if need == "" {
		return true
	}
	name, level, _ := strings.Cut(need, ":")
	if a.Permissions != nil {
		has := a.Permissions[name]
		if name == "metadata" { // every such token has it
			has = "read"
		}
		if !a.reaches(repo) || level == "read" && has == "" || level == "write" && has != "write" && has != "admin" {
			return false
		}
	}
	if a.in != nil {
		return true
	}
	least := "read"
	switch {
	case name == "administration":
		least = "admin"
	case level == "write":
		least = "write"
	}
	return slices.Index(roles, repo.role(a.Login)) >= slices.Index(roles, least)
}

// denied is how GitHub says no (docs.github.com, "Troubleshooting the REST
// API": 404 rather than 403 where the caller should not even know).
func (a *access) denied() (status int, message string) {
	switch {
	case a.in != nil:
		return http.StatusForbidden, "Resource not accessible by integration"
	case a.Permissions != nil:
		return http.StatusForbidden, "Resource not accessible by personal access token"
	case a.anonymous():
		return http.StatusUnauthorized, "Requires authentication"
	}
	return http.StatusNotFound, "Not Found"
}
