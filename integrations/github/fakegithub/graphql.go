package fakegithub

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// A wrong is an error of GraphQL, which comes with HTTP 200.
type wrong struct {
	Type       string            `json:"type,omitempty"`
	Path       []string          `json:"path,omitempty"`
	Message    string            `json:"message"`
	Extensions map[string]string `json:"extensions,omitempty"`
}

// graphql is POST /graphql: a repository, its id and one of its refs, the viewer,
// and the mutation updateRefs.
func (c *call) graphql() {
	if c.who.anonymous() {
		c.refuse(http.StatusForbidden, "This endpoint requires you to be authenticated.", "graphql/guides/forming-calls-with-graphql#authenticating-with-graphql")
		return
	}
	var body struct {
		Query         string
		Variables     map[string]any
		OperationName string
	}
	if !c.read(&body) {
		return
	}
	if body.Query == "" {
		c.refuse(http.StatusBadRequest, "A query attribute must be specified and must be a string.", "graphql")
		return
	}
	op, err := parse(body.Query, body.Variables)
	if err != nil {
		c.s.unexpected = append(c.s.unexpected, "POST graphql: "+err.Error())
		c.ok(map[string]any{"errors": []wrong{{Message: err.Error(), Extensions: map[string]string{"code": "parseError"}}}})
		return
	}
	// The whole operation is judged before any of it is done.
	schema := "Query"
	if op.kind == "mutation" {
		schema = "Mutation"
	}
	if w := validate(schema, op.fields, []string{op.kind}); w != nil {
		c.s.unexpected = append(c.s.unexpected, "POST graphql: "+w.Message)
		c.ok(map[string]any{"errors": []*wrong{w}})
		return
	}
	data, errors := map[string]any{}, []*wrong{}
	for _, f := range op.fields {
		var w *wrong
		switch f.name {
		case "updateRefs":
			data[f.alias], w = c.updateRefs(f)
		case "repository":
			data[f.alias], w = c.queryRepository(f)
		case "viewer":
			data[f.alias] = pick("User", f.fields, map[string]any{"login": c.who.name(), "id": node("U", c.who.name())})
		case "__typename":
			data[f.alias] = schema
		}
		if w != nil {
			if w.Type == "" { // a mistake of the caller's, as those above
				c.s.unexpected = append(c.s.unexpected, "POST graphql: "+w.Message)
			}
			w.Path = append([]string{f.alias}, w.Path...)
			errors = append(errors, w)
			data[f.alias] = nil
		}
	}
	answer := map[string]any{"data": data}
	if len(errors) > 0 {
		answer["errors"] = errors
	}
	c.ok(answer)
}

// The part of GitHub's schema that is here: types, their fields, the type of a
// field that has fields itself, and the arguments of a field, "!" where they are
// needed.
type fieldType struct {
	of   string
	args []string
}

func schemaOf(kind string) map[string]fieldType {
	return map[string]map[string]fieldType{
		"Query": {
			"repository": {"Repository", []string{"owner!", "name!", "followRenames"}},
			"viewer":     {"User", nil},
		},
		"Mutation":          {"updateRefs": {"UpdateRefsPayload", []string{"input!"}}},
		"UpdateRefsPayload": {"clientMutationId": {}},
		"Repository": {
			"id": {}, "name": {}, "nameWithOwner": {}, "isPrivate": {},
			"ref": {"Ref", []string{"qualifiedName!"}}, "defaultBranchRef": {"Ref", nil},
		},
		"Ref":       {"id": {}, "name": {}, "prefix": {}, "target": {"GitObject", nil}},
		"GitObject": {"oid": {}, "id": {}},
		"User":      {"login": {}, "id": {}},
	}[kind]
}

func validate(kind string, fields []field, path []string) *wrong {
	for _, f := range fields {
		if f.name == "__typename" {
			continue
		}
		t, ok := schemaOf(kind)[f.name]
		at := append(slices.Clone(path), f.alias)
		if !ok {
			return &wrong{Path: at, Message: fmt.Sprintf("Field '%s' doesn't exist on type '%s'", f.name, kind),
				Extensions: map[string]string{"code": "undefinedField", "typeName": kind, "fieldName": f.name}}
		}
		for _, arg := range slices.Sorted(maps.Keys(f.args)) {
			if !slices.Contains(t.args, arg) && !slices.Contains(t.args, arg+"!") {
				return &wrong{Path: at, Message: fmt.Sprintf("Field '%s' doesn't accept argument '%s'", f.name, arg),
					Extensions: map[string]string{"code": "argumentNotAccepted"}}
			}
		}
		for _, arg := range t.args {
			if arg, needed := strings.CutSuffix(arg, "!"); needed && f.args[arg] == nil {
				return &wrong{Path: at, Message: fmt.Sprintf("Field '%s' is missing required arguments: %s", f.name, arg),
					Extensions: map[string]string{"code": "missingRequiredArguments"}}
			}
		}
		if (t.of != "") != (f.fields != nil) {
			return &wrong{Path: at, Message: fmt.Sprintf("Field '%s' has the wrong selections", f.name),
				Extensions: map[string]string{"code": "selectionMismatch"}}
		}
		if w := validate(t.of, f.fields, at); w != nil {
			return w
		}
	}
	return nil
}

// pick answers the fields that were asked for.
func pick(kind string, fields []field, values map[string]any) map[string]any {
	m := map[string]any{}
	for _, f := range fields {
		if m[f.alias] = values[f.name]; f.name == "__typename" {
			m[f.alias] = kind
		}
	}
	return m
}

func (c *call) queryRepository(f field) (any, *wrong) {
	owner, _ := f.args["owner"].(string)
	name, _ := f.args["name"].(string)
	repo := c.s.find(owner + "/" + name)
	if repo == nil && f.args["followRenames"] != false {
		repo = c.s.wasCalled(owner + "/" + name)
	}
	if repo == nil || !c.who.sees(repo) {
		return nil, &wrong{Type: "NOT_FOUND", Message: fmt.Sprintf("Could not resolve to a Repository with the name '%s/%s'.", owner, name)}
	}
	if !c.who.may(repo, "contents:read") {
		return nil, c.forbidden()
	}
	m := pick("Repository", f.fields, map[string]any{
		"id": node("R", repo.id), "name": repo.name[len(repo.owner())+1:], "nameWithOwner": repo.name, "isPrivate": repo.private,
	})
	for _, sub := range f.fields {
		switch sub.name {
		case "ref":
			// A name without "refs/" is looked for as a branch, then as a tag.
			asked, _ := sub.args["qualifiedName"].(string)
			for _, ref := range []string{asked, "refs/heads/" + asked, "refs/tags/" + asked} {
				if m[sub.alias] == nil && strings.HasPrefix(ref, "refs/") {
					m[sub.alias] = repo.queryRef(sub, ref)
				}
			}
		case "defaultBranchRef":
			m[sub.alias] = repo.queryRef(sub, "refs/heads/"+repo.graph.main())
		}
	}
	return m, nil
}

// queryRef is null where there is no such ref: no error.
func (r *Repo) queryRef(f field, ref string) any {
	sha, ok := r.graph.refs[ref]
	if !ok {
		return nil
	}
	short := strings.SplitAfterN(ref, "/", 3)
	m := pick("Ref", f.fields, map[string]any{"id": node("REF", ref), "name": short[2], "prefix": short[0] + short[1]})
	for _, sub := range f.fields {
		if sub.name == "target" {
			m[sub.alias] = pick("Commit", sub.fields, map[string]any{"oid": sha, "id": node("C", sha)})
		}
	}
	return m
}

func (c *call) forbidden() *wrong {
	_, message := c.who.denied()
	if c.who.in == nil && c.who.Permissions == nil {
		message = c.who.name() + " does not have the correct permissions to execute `UpdateRefs`"
	}
	return &wrong{Type: "FORBIDDEN", Message: message}
}

// updateRefs creates, moves and deletes refs, all or none: each must be where
// beforeOid says, zeros meaning nowhere, and afterOid of zeros deletes it
// (docs.github.com/graphql/reference/mutations#updaterefs).
func (c *call) updateRefs(f field) (any, *wrong) {
	var input struct {
		RepositoryID     *string `json:"repositoryId"`
		ClientMutationID *string `json:"clientMutationId"`
		RefUpdates       []struct {
			Name, AfterOid, BeforeOid *string
			Force                     *bool
		} `json:"refUpdates"`
	}
	if w := strictly(f.args["input"], &input); w != nil {
		return nil, w
	}
	if input.RepositoryID == nil || input.RefUpdates == nil {
		return nil, unfitting("UpdateRefsInput needs repositoryId and refUpdates")
	}
	i := slices.IndexFunc(c.s.repos, func(r *Repo) bool { return node("R", r.id) == *input.RepositoryID })
	if i < 0 || !c.who.sees(c.s.repos[i]) {
		return nil, &wrong{Type: "NOT_FOUND", Message: fmt.Sprintf("Could not resolve to a node with the global id of '%s'", *input.RepositoryID)}
	}
	c.repo = c.s.repos[i]
	if !c.who.may(c.repo, "contents:write") {
		return nil, c.forbidden()
	}
	refused := func(ref, message string) *wrong {
		return &wrong{Type: "UNPROCESSABLE", Message: ref + ": " + strings.TrimSpace(message)}
	}
	var moves []move
	for _, u := range input.RefUpdates {
		if u.Name == nil || u.AfterOid == nil {
			return nil, unfitting("RefUpdate needs name and afterOid")
		}
		ref, to := *u.Name, *u.AfterOid
		if _, ok := wellFormed(ref); !ok {
			return nil, refused(ref, "is not a fully qualified ref name")
		}
		from, there := c.repo.graph.refs[ref]
		if !there {
			from = zero
		}
		if u.BeforeOid != nil && *u.BeforeOid != from {
			return nil, refused(ref, "reference is at "+from+" but expected "+*u.BeforeOid)
		}
		if to != zero {
			if message, ok := c.object(to); !ok {
				return nil, refused(ref, message)
			}
		}
		if slices.ContainsFunc(moves, func(m move) bool { return m.ref == ref }) {
			return nil, refused(ref, "is updated twice")
		}
		m := move{ref, from, to, u.Force != nil && *u.Force}
		if _, message := c.allowed(m); message != "" {
			return nil, refused(ref, message)
		}
		moves = append(moves, m)
	}
	for _, m := range moves {
		if m.to == zero {
			delete(c.repo.graph.refs, m.ref)
		} else {
			c.repo.graph.set(m.ref, m.to)
		}
	}
	return pick("UpdateRefsPayload", f.fields, map[string]any{"clientMutationId": input.ClientMutationID}), nil
}

// strictly reads an input object, which may have nothing that is not in v.
func strictly(input, v any) *wrong {
	b, err := json.Marshal(input)
	if err != nil {
		panic(err) // unreachable: it came out of JSON, or of a literal like it
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return unfitting(err.Error())
	}
	return nil
}

func unfitting(message string) *wrong {
	return &wrong{Message: message, Extensions: map[string]string{"code": "argumentLiteralsIncompatible"}}
}
