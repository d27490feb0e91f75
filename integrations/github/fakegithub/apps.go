package fakegithub

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// App is a GitHub App.
type App struct {
	ID   int64
	Slug string
	// Key is the public half of the key that it signs with.
	Key *rsa.PublicKey
	// Permissions that it asks for, and has wherever it is installed.
	Permissions map[string]string
}

type app struct {
	App
	installations []*installation
}

// Installation is an App in an account.
type Installation struct {
	ID           int64
	Account      string   // an owner
	Repositories []string // "owner/name"; nil: all of the account
	Suspended    bool
}

type installation struct {
	Installation
	app *app
}

const suspended = "This installation has been suspended"

// AddApp makes an App known.
func (s *Server) AddApp(a App) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps = append(s.apps, &app{App: a})
}

// Install installs an App that is known in an account. Installing it again under
// the same ID changes what it may reach.
func (s *Server) Install(appID int64, in Installation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.apps {
		if a.ID != appID {
			continue
		}
		a.installations = slices.DeleteFunc(a.installations, func(old *installation) bool { return old.ID == in.ID })
		a.installations = append(a.installations, &installation{in, a})
		return
	}
	panic(fmt.Sprintf("fakegithub: there is no App %d", appID))
}

// slug is the App that is called so, or nil.
func (s *Server) slug(name string) *app {
	for _, a := range s.apps {
		if a.Slug == name {
			return a
		}
	}
	return nil
}

// jwt is the App that signed a token, or says why nobody did (docs.github.com,
// "Generating a JSON Web Token (JWT) for a GitHub App").
func (s *Server) jwt(token string) (*access, string) {
	const undecodable = "A JSON web token could not be decoded"
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, undecodable
	}
	var head struct{ Alg string }
	var claims struct {
		Iss      any
		Iat, Exp *float64
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !decode(parts[0], &head) || !decode(parts[1], &claims) || head.Alg != "RS256" {
		return nil, undecodable
	}
	issuer := fmt.Sprint(claims.Iss)
	if n, ok := claims.Iss.(float64); ok {
		issuer = strconv.FormatInt(int64(n), 10)
	}
	i := slices.IndexFunc(s.apps, func(a *app) bool { return strconv.FormatInt(a.ID, 10) == issuer })
	if i < 0 {
		return nil, "Integration not found"
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(s.apps[i].Key, crypto.SHA256, sum[:], signature) != nil {
		return nil, undecodable
	}
	now := float64(time.Now().UnixNano()) / 1e9
	switch {
	case claims.Exp == nil || *claims.Exp <= now:
		return nil, "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"
	case *claims.Exp > now+600:
		return nil, "'Expiration time' claim ('exp') is too far in the future"
	case claims.Iat == nil || *claims.Iat > now:
		return nil, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
	}
	return &access{bucket: "app " + issuer, asApp: s.apps[i]}, ""
}

func decode(part string, v any) bool {
	b, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(b, v) == nil
}

// app is "Get the authenticated app".
func (c *call) app() {
	a := c.who.asApp
	c.ok(map[string]any{"id": a.ID, "slug": a.Slug, "name": a.Slug, "node_id": node("A", a.ID), "permissions": a.Permissions,
		"events": []any{}, "installations_count": len(a.installations), "html_url": "https://github.com/apps/" + a.Slug})
}

// suspended reports whether the account has taken its consent back.
func (in *installation) suspended() bool {
	return !slices.ContainsFunc(in.app.installations, func(now *installation) bool { return now.ID == in.ID && !now.Suspended })
}

func (c *call) installationJSON(in *installation) map[string]any {
	selection := "all"
	if in.Repositories != nil {
		selection = "selected"
	}
	m := map[string]any{"id": in.ID, "app_id": in.app.ID, "app_slug": in.app.Slug, "account": account(in.Account),
		"permissions": in.app.Permissions, "repository_selection": selection, "events": []any{}, "suspended_at": nil,
		"access_tokens_url": fmt.Sprintf("%s/app/installations/%d/access_tokens", c.root(), in.ID)}
	if in.Suspended {
		m["suspended_at"] = "2022-03-01T12:00:00Z"
	}
	return m
}

// installations is "List installations for the authenticated app".
func (c *call) installations() {
	list := []any{}
	for _, in := range page(c, c.who.asApp.installations, 30, 100) {
		list = append(list, c.installationJSON(in))
	}
	c.ok(list)
}

// repositoryInstallation is "Get a repository installation for the authenticated app".
func (c *call) repositoryInstallation() {
	for _, in := range c.who.asApp.installations {
		if in.has(c.repo) {
			c.ok(c.installationJSON(in))
			return
		}
	}
	c.notFound()
}

func (in *installation) has(r *Repo) bool {
	return strings.EqualFold(in.Account, r.owner()) && (in.Repositories == nil || slices.Contains(in.Repositories, r.name))
}

// accessToken is "Create an installation access token for an app". The token
// lives an hour and may have less than the installation, never more.
func (c *call) accessToken() {
	const doc = "rest/apps/apps#create-an-installation-access-token-for-an-app"
	i := slices.IndexFunc(c.who.asApp.installations, func(in *installation) bool {
		return strconv.FormatInt(in.ID, 10) == c.vars["installation"]
	})
	if i < 0 {
		c.refuse(http.StatusNotFound, "Not Found", doc)
		return
	}
	in := c.who.asApp.installations[i]
	if in.suspended() {
		c.refuse(http.StatusForbidden, suspended, doc)
		return
	}
	var body struct {
		Repositories  []string
		RepositoryIDs []int64 `json:"repository_ids"`
		Permissions   map[string]string
	}
	if !c.read(&body) {
		return
	}
	permissions := maps.Clone(in.app.Permissions)
	if body.Permissions != nil {
		permissions = body.Permissions
	}
	if permissions == nil {
		permissions = map[string]string{} // nil would be all
	}
	levels := []string{"", "read", "write", "admin"}
	for name, level := range permissions {
		if slices.Index(levels, level) > slices.Index(levels, in.app.Permissions[name]) || !slices.Contains(levels[1:], level) {
			c.refuse(http.StatusUnprocessableEntity, "The permissions requested are not granted to this installation.", doc)
			return
		}
	}
	reach := []string{}
	selected := in.Repositories != nil || body.Repositories != nil || body.RepositoryIDs != nil
	for _, r := range c.s.repos {
		wanted := body.Repositories == nil && body.RepositoryIDs == nil ||
			slices.Contains(body.Repositories, r.name[len(r.owner())+1:]) || slices.Contains(body.RepositoryIDs, r.id)
		if in.has(r) && wanted {
			reach = append(reach, r.name)
		}
	}
	if n := len(body.Repositories) + len(body.RepositoryIDs); n > 0 && len(reach) < n {
		c.refuse(http.StatusUnprocessableEntity,
			"There is at least one repository that does not exist or is not accessible to the parent installation.", doc)
		return
	}
	// GitHub's time is in whole seconds.
	expires := time.Now().Add(time.Hour).Truncate(time.Second)
	token := c.s.mint(in, expires)
	c.s.grant(token, &access{
		Access: Access{Permissions: permissions, Repositories: reach, Expires: expires},
		bucket: fmt.Sprintf("installation %d", in.ID), in: in,
	})
	granted := maps.Clone(permissions)
	granted["metadata"] = "read"
	answer := map[string]any{"token": token, "expires_at": expires.UTC().Format(time.RFC3339), "permissions": granted, "repository_selection": "all"}
	if selected {
		list := []any{}
		for _, name := range reach {
			list = append(list, c.repoJSON(c.s.find(name)))
		}
		answer["repository_selection"], answer["repositories"] = "selected", list
	}
	write(c.w, http.StatusCreated, answer)
}

// mint makes a token in the form that they have since April 2026: ghs_, the
// App and a JWT, far longer than the forty characters of before.
func (s *Server) mint(in *installation, expires time.Time) string {
	part := func(v string) string { return base64.RawURLEncoding.EncodeToString([]byte(v)) }
	body := part(`{"alg":"RS256","typ":"JWT"}`) + "." +
		part(fmt.Sprintf(`{"iss":"fakegithub","sub":"installation/%d","exp":%d,"jti":"%d"}`, in.ID, expires.Unix(), s.requests))
	sum := sha256.Sum256([]byte(body))
	return fmt.Sprintf("ghs_%d_%s.%s", in.app.ID, body, part(string(sum[:])))
}

// installationRepositories is "List repositories accessible to the app installation".
func (c *call) installationRepositories() {
	if c.who.in == nil {
		c.refuse(http.StatusForbidden, "You must authenticate with an installation access token in order to list repositories for an installation.",
			"rest/apps/installations#list-repositories-accessible-to-the-app-installation")
		return
	}
	list := []any{}
	for _, r := range c.s.repos {
		if c.who.reaches(r) {
			list = append(list, c.repoJSON(r))
		}
	}
	c.ok(map[string]any{"total_count": len(list), "repositories": page(c, list, 30, 100)})
}
