package fakeslack

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// object is a JSON object that is sent.
type object = map[string]any

// slackError is an error as the Web API answers it, with status 200.
type slackError struct {
	code     string
	problems []string // in errors and response_metadata.messages
	messages []string // in response_metadata.messages alone
	details  []object // in errors, instead of the problems
	needed   string   // of missing_scope
	unknown  string   // what this fake does not know: to be remembered
}

func (e slackError) Error() string {
	return strings.Join(append([]string{e.code}, e.problems...), "; ")
}

func fail(code string) error { return slackError{code: code} }

func missing(field string) error {
	return slackError{code: "invalid_arguments", messages: []string{"missing required field: " + field}}
}

// api answers a call of a method.
func (s *Server) api(w http.ResponseWriter, r *http.Request, name string) {
	a, token, err := decode(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	call := "slack " + name
	m, known := methods[name]
	if !known {
		s.surprise("%s: no such method", call)
		s.note(call, "unknown_method")
		answer(w, http.StatusOK, object{"ok": false, "error": "unknown_method"})
		return
	}
	if err != nil {
		s.surprise("%s: %v: undecodable request", call, err)
	} else {
		if _, ok := r.Header["Authorization"]; m.app && !ok {
			token = "" // it "must be in the header" (Socket Mode's page)
		}
		err = s.admit(w.Header(), m, token)
	}
	if wait := s.tooFast(name, m, a, err); wait > 0 {
		s.note(call, "429")
		fault{status: http.StatusTooManyRequests, after: wait}.refuse(w, r)
		return
	}
	var reply object
	var note string
	if err == nil {
		// Bolt sends team_id with every call.
		for _, name := range a.others(m.args, append([]string{"team_id"}, m.ignore...)) {
			s.surprise("%s: argument %q is not known here", call, name)
		}
		reply, note, err = m.do(s, a)
	}
	if err != nil {
		reply, note = s.refusal(call, m, err), err.Error()
	} else {
		reply["ok"] = true
	}
	s.note(call, "%s", note)
	answer(w, http.StatusOK, reply)
}

// admit checks the token and its scopes.
func (s *Server) admit(h http.Header, m method, token string) error {
	bot, app := or(s.BotToken, DefaultBotToken), or(s.AppToken, DefaultAppToken)
	isBot := token == bot && strings.HasPrefix(bot, "xoxb-fake-")
	isApp := token == app && strings.HasPrefix(app, "xapp-fake-")
	switch {
	case token == "":
		return fail("not_authed")
	case !isBot && !isApp:
		return fail("invalid_auth")
	}
	scopes := s.botScopes()
	if isApp {
		scopes = s.appScopes()
	}
	h.Set("X-OAuth-Scopes", strings.Join(scopes, ","))
	h.Set("X-Accepted-OAuth-Scopes", strings.Join(m.scopes, ","))
	if isApp != m.app {
		return fail("not_allowed_token_type")
	}
	if len(m.scopes) > 0 && !slices.ContainsFunc(m.scopes, func(n string) bool { return slices.Contains(scopes, n) }) {
		return slackError{code: "missing_scope", needed: strings.Join(m.scopes, ",")}
	}
	return nil
}

func (s *Server) botScopes() []string {
	if s.BotScopes != nil {
		return s.BotScopes
	}
	return []string{"commands", "chat:write", "channels:read", "channels:history", "groups:read", "groups:history",
		"users:read", "users:read.email", "usergroups:read", "im:read", "im:write", "im:history", "app_mentions:read",
		"channels:join", "channels:write.topic", "groups:write.topic", "dnd:read", "reactions:read", "reactions:write",
		"pins:read", "pins:write", "bookmarks:read", "bookmarks:write"}
}

func (s *Server) appScopes() []string {
	if s.AppScopes != nil {
		return s.AppScopes
	}
	return []string{"connections:write"}
}

// may returns missing_scope unless the bot's token has the scope.
func (s *Server) may(scope string) error {
	if !slices.Contains(s.botScopes(), scope) {
		return slackError{code: "missing_scope", needed: scope}
	}
	return nil
}

// refusal is the answer that reports err.
func (s *Server) refusal(call string, m method, err error) object {
	var e slackError
	if !errors.As(err, &e) {
		panic(err) // methods return nothing else
	}
	if e.unknown != "" {
		s.surprise("%s: %s", call, e.unknown)
	}
	reply := object{"ok": false, "error": e.code}
	if e.needed != "" {
		scopes := s.botScopes()
		if m.app {
			scopes = s.appScopes()
		}
		reply["needed"], reply["provided"] = e.needed, strings.Join(scopes, ",")
	}
	var lines []string
	for _, p := range append(slices.Clone(e.problems), e.messages...) {
		lines = append(lines, "[ERROR] "+p)
	}
	if len(e.problems) > 0 {
		reply["errors"] = e.problems
	}
	if len(e.details) > 0 {
		reply["errors"] = e.details
	}
	if len(lines) > 0 {
		reply["response_metadata"] = object{"messages": lines}
	}
	return reply
}

func answer(w http.ResponseWriter, status int, body object) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may have gone
}

// args are the arguments of a call. However they came, a string is itself and
// anything else is JSON, so that blocks read alike from a form and from JSON.
type args map[string]string

// flag reads a boolean.
func (a args) flag(name string) bool { return a[name] == "true" || a[name] == "1" }

// number reads a whole number.
func (a args) number(name string, otherwise int) (int, bool) {
	v, ok := a[name]
	if !ok {
		return otherwise, true
	}
	n, err := strconv.Atoi(v)
	return n, err == nil
}

// others returns the names of arguments that are in neither list.
func (a args) others(known, ignored []string) []string {
	var others []string
	for name := range a {
		if !slices.Contains(known, name) && !slices.Contains(ignored, name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	return others
}

// decode reads the arguments and the token of a request: from the Bearer
// header or, except with a JSON body, from the argument "token".
func decode(r *http.Request) (a args, token string, err error) {
	a = args{}
	token, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	for name, v := range r.URL.Query() {
		a[name] = v[0]
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, "", fail("request_timeout")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodPost:
		return nil, "", fail("invalid_post_type")
	case r.Method == http.MethodGet, len(body) == 0:
	case kind == "":
		return nil, "", fail("missing_post_type")
	case kind == "application/json":
		if err := a.json(body); err != nil {
			return nil, "", err
		}
		delete(a, "token")
	case kind == "application/x-www-form-urlencoded":
		if err := r.ParseForm(); err != nil {
			return nil, "", fail("invalid_form_data")
		}
		for name, v := range r.PostForm {
			a[name] = v[0]
		}
	case kind == "multipart/form-data":
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			return nil, "", fail("invalid_form_data")
		}
		for name, v := range r.MultipartForm.Value {
			a[name] = v[0]
		}
	default:
		return nil, "", fail("invalid_post_type")
	}
	for name := range a {
		if strings.ContainsAny(name, "[]") {
			return nil, "", fail("invalid_array_arg")
		}
	}
	token = or(token, a["token"])
	delete(a, "token")
	return a, token, nil
}

func (a args) json(body []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return fail("invalid_json")
	}
	for name, raw := range fields {
		var text string
		switch {
		case string(raw) == "null":
		case json.Unmarshal(raw, &text) == nil:
			a[name] = text
		default:
			a[name] = string(raw)
		}
	}
	return nil
}
