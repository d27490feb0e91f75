package fakegithub_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	gh "github.com/google/go-github/v60/github"

	"thbot/integrations/github/fakegithub"
)

const zeros = "0000000000000000000000000000000000000000"

type answer struct {
	Data   map[string]any
	Errors []struct {
		Type, Message string
		Path          []string
		Extensions    map[string]string
	}
}

// says is the errors of an answer, as TYPE: message.
func (a answer) says() string {
	var list []string
	for _, e := range a.Errors {
		list = append(list, strings.TrimPrefix(e.Type+": "+e.Message, ": "))
	}
	return strings.Join(list, "; ")
}

func query(t *testing.T, c *gh.Client, text string, variables map[string]any) answer {
	t.Helper()
	req, err := c.NewRequest("POST", "graphql", map[string]any{"query": text, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if _, err := c.Do(t.Context(), req, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

const updateRefs = `mutation Move($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }`

type update = map[string]any

func input(id string, updates ...update) map[string]any {
	return map[string]any{"input": map[string]any{"repositoryId": id, "refUpdates": updates, "clientMutationId": "x"}}
}

// Refs move only if they are where they are said to be, all of them or none.
func TestUpdateRefs(t *testing.T) {
	const heads = "refs/heads/"
	for name, tt := range map[string]struct {
		updates func(root, master, proto string) []update
		says    string // empty: done
		want    map[string]string
	}{
		"where it is": {func(_, m, p string) []update {
			return []update{{"name": heads + "prototype", "beforeOid": p, "afterOid": m, "force": true}}
		}, "", map[string]string{"prototype": "master"}},
		"moved meanwhile": {func(r, m, _ string) []update {
			return []update{{"name": heads + "prototype", "beforeOid": r, "afterOid": m, "force": true}}
		}, "UNPROCESSABLE: refs/heads/prototype: reference is at", nil},
		"without force": {func(_, m, p string) []update {
			return []update{{"name": heads + "prototype", "beforeOid": p, "afterOid": m}}
		}, "UNPROCESSABLE: refs/heads/prototype: Update is not a fast forward", nil},
		"wherever it is": {func(_, m, _ string) []update {
			return []update{{"name": heads + "prototype", "afterOid": m, "force": true}}
		}, "", map[string]string{"prototype": "master"}},
		"backup and move": {func(_, m, p string) []update {
			return []update{{"name": heads + "backup", "beforeOid": zeros, "afterOid": p}, {"name": heads + "prototype", "beforeOid": p, "afterOid": m, "force": true}}
		}, "", map[string]string{"prototype": "master", "backup": "proto"}},
		"all or none": {func(_, m, p string) []update {
			return []update{{"name": heads + "backup", "beforeOid": zeros, "afterOid": p}, {"name": heads + "prototype", "beforeOid": m, "afterOid": m, "force": true}}
		}, "reference is at", nil},
		"there already": {func(_, m, p string) []update {
			return []update{{"name": heads + "prototype", "beforeOid": zeros, "afterOid": m}}
		}, "reference is at", nil},
		"delete": {func(_, _, p string) []update {
			return []update{{"name": heads + "prototype", "beforeOid": p, "afterOid": zeros}}
		}, "", map[string]string{"prototype": ""}},
		"missing object": {func(_, _, p string) []update {
			return []update{{"name": heads + "prototype", "beforeOid": p, "afterOid": unknown, "force": true}}
		}, "Object does not exist", nil},
		"not the whole name": {func(_, m, p string) []update {
			return []update{{"name": "prototype", "beforeOid": p, "afterOid": m, "force": true}}
		}, "not a fully qualified ref name", nil},
		"twice": {func(_, m, p string) []update {
			u := update{"name": heads + "prototype", "beforeOid": p, "afterOid": m, "force": true}
			return []update{u, u}
		}, "updated twice", nil},
	} {
		fake, root, master, proto := forked()
		c := stock(t, serve(t, fake), fakegithub.Token)
		a := query(t, c, updateRefs, input(repositoryID(t, c), tt.updates(root, master, proto)...))
		if got := a.says(); !strings.Contains(got, tt.says) || (got == "") != (tt.says == "") {
			t.Errorf("%s: %q, want %q", name, got, tt.says)
		}
		want := map[string]string{"master": "master", "prototype": "proto", "backup": ""}
		maps.Copy(want, tt.want)
		for branch, at := range want {
			if got, want := fake.Branch(branch), map[string]string{"master": master, "proto": proto}[at]; got != want {
				t.Errorf("%s: %s is at %q, want %q", name, branch, got, want)
			}
		}
		if len(fake.Unexpected()) > 0 {
			t.Errorf("%s: unexpected %q", name, fake.Unexpected())
		}
	}
}

// repositoryID is the same for REST and GraphQL.
func repositoryID(t *testing.T, c *gh.Client) string {
	t.Helper()
	a := query(t, c, `query($owner: String!, $name: String!) { repository(owner: $owner, name: $name) { id } }`,
		map[string]any{"owner": owner, "name": repo})
	id := fmt.Sprint(a.Data["repository"].(map[string]any)["id"])
	r, _, err := c.Repositories.Get(t.Context(), owner, repo)
	if err != nil || r.GetNodeID() != id {
		t.Errorf("node id is %s and %s, %v", r.GetNodeID(), id, err)
	}
	return id
}

func TestQueryRef(t *testing.T) {
	fake, _, master, proto := forked()
	c := stock(t, serve(t, fake), fakegithub.Token)
	a := query(t, c, `
		# aliases, comments, commas and literals
		query Refs($r: String = "refs/heads/prototype", $gone: String!) {
			viewer { login __typename }
			there: repository(owner: "mozilla", name: "treeherder", followRenames: false) {
				nameWithOwner, isPrivate
				proto: ref(qualifiedName: $r) { name prefix target { oid } }
				short: ref(qualifiedName: "master") { target { oid __typename } }
				gone: ref(qualifiedName: $gone) { name }
				defaultBranchRef { name }
			}
		}`, map[string]any{"gone": "refs/heads/none"})
	want := map[string]any{
		"viewer": map[string]any{"login": "thbot", "__typename": "User"},
		"there": map[string]any{
			"nameWithOwner": "mozilla/treeherder", "isPrivate": false,
			"proto":            map[string]any{"name": "prototype", "prefix": "refs/heads/", "target": map[string]any{"oid": proto}},
			"short":            map[string]any{"target": map[string]any{"oid": master, "__typename": "Commit"}},
			"gone":             nil,
			"defaultBranchRef": map[string]any{"name": "master"},
		},
	}
	if fmt.Sprint(a.Data) != fmt.Sprint(want) || a.says() != "" {
		t.Errorf("answer is %v, %s; want %v", a.Data, a.says(), want)
	}
}

// Errors come with a 200. What GitHub might know and this fake does not is
// remembered.
func TestGraphQLErrors(t *testing.T) {
	fake, _, master, proto := forked()
	url := serve(t, fake)
	fake.AddToken("fake-reader", fakegithub.Access{Login: "cid"})
	fake.AddToken("fake-narrow", fakegithub.Access{Permissions: map[string]string{"contents": "read"}})
	fake.Repo("").Protect("master", fakegithub.Protection{})
	c := stock(t, url, fakegithub.Token)
	id := repositoryID(t, c)
	move := input(id, update{"name": "refs/heads/prototype", "beforeOid": proto, "afterOid": master, "force": true})
	for _, tt := range []struct {
		name, token, text string
		variables         map[string]any
		says              string
		unexpected        bool
	}{
		{"unknown repository", "", `{ repository(owner: "a", name: "b") { id } }`, nil, "NOT_FOUND: Could not resolve to a Repository with the name 'a/b'.", false},
		{"unknown node", "", updateRefs, input("R_x", update{"name": "refs/heads/x", "afterOid": master}), "NOT_FOUND: Could not resolve to a node with the global id of 'R_x'", false},
		{"no right", "fake-reader", updateRefs, move, "FORBIDDEN: cid does not have the correct permissions", false},
		{"narrow token", "fake-narrow", updateRefs, move, "FORBIDDEN: Resource not accessible by personal access token", false},
		{"protected", "", updateRefs, input(id, update{"name": "refs/heads/master", "afterOid": proto, "force": true}), "UNPROCESSABLE: refs/heads/master: Cannot force-push", false},
		{"unknown field", "", `{ repository(owner: "a", name: "b") { stargazerCount } }`, nil, "Field 'stargazerCount' doesn't exist on type 'Repository'", true},
		{"unknown mutation", "", `mutation { addStar(input: {}) { clientMutationId } }`, nil, "Field 'addStar' doesn't exist on type 'Mutation'", true},
		{"unknown argument", "", `{ viewer(x: true) { login } }`, nil, "Field 'viewer' doesn't accept argument 'x'", true},
		{"missing argument", "", `{ repository(owner: "a") { id } }`, nil, "missing required arguments: name", true},
		{"no fields", "", `{ viewer }`, nil, "wrong selections", true},
		{"too many fields", "", `{ viewer { login { x } } }`, nil, "wrong selections", true},
		{"unknown input", "", updateRefs, input(id, update{"name": "refs/heads/x", "afterOid": master, "expectedOid": proto}), "unknown field", true},
		{"missing input", "", updateRefs, input(id, update{"name": "refs/heads/x"}), "needs name and afterOid", true},
		{"no input", "", updateRefs, map[string]any{"input": map[string]any{}}, "needs repositoryId", true},
		{"fragment", "", `{ viewer { ...x } }`, nil, "Parse error", true},
		{"undeclared", "", `{ repository(owner: $o, name: "x") { id } }`, nil, "Variable $o is used but not declared", true},
		{"cut off", "", `{ viewer { login }`, nil, "Unexpected end", true},
		{"two operations", "", `{ viewer { login } } { viewer { login } }`, nil, "Parse error", true},
		{"subscription", "", `subscription { x }`, nil, "Parse error", true},
		{"empty", "", `{ }`, nil, "Parse error", true},
		{"a number", "", `{ viewer(x: 1) { login } }`, nil, "Parse error", true},
		{"no string", "", `{ viewer(x: "\q") { login } }`, nil, "Parse error", true},
		{"not closed", "", `{ viewer(x: {`, nil, "Unexpected end", true},
		{"list not closed", "", `{ viewer(x: [`, nil, "Unexpected end", true},
		{"arguments not closed", "", `query ($x`, nil, "Unexpected end", true},
	} {
		client := c
		if tt.token != "" {
			client = stock(t, url, tt.token)
		}
		before := len(fake.Unexpected())
		a := query(t, client, tt.text, tt.variables)
		if !strings.Contains(a.says(), tt.says) || len(a.Errors) != 1 {
			t.Errorf("%s: %q, want %q", tt.name, a.says(), tt.says)
		}
		if got := len(fake.Unexpected()) > before; got != tt.unexpected {
			t.Errorf("%s: unexpected is %v: %q", tt.name, got, fake.Unexpected()[before:])
		}
	}
	if fake.Branch("prototype") != proto || fake.Branch("master") != master {
		t.Error("something moved")
	}
	for _, body := range []string{"{}", `{"query":1}`, "nonsense"} {
		req, err := c.NewRequest("POST", "graphql", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Body = readCloser(body)
		if resp, err := c.Do(t.Context(), req, nil); err == nil || !slices.Contains([]int{400, 422}, resp.StatusCode) {
			t.Errorf("%s: %v", body, err)
		}
	}
}
