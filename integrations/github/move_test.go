package github_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"thbot/bot"
	"thbot/integrations/fakehttp"
	"thbot/integrations/github"
	"thbot/integrations/github/fakegithub"
	"thbot/integrations/internal/web"
)

// fork is a repository with a prototype that has left master.
func fork() (fake *fakegithub.Server, root, master, proto string) {
	fake = &fakegithub.Server{}
	root = fake.AddCommit(fakegithub.CommitSpec{Subject: "root"})
	master = line(fake, 2, root, "step")[1]
	proto = line(fake, 3, root, "experiment")[2]
	fake.SetBranch("master", master)
	fake.SetBranch("prototype", proto)
	return fake, root, master, proto
}

var unknown = strings.Repeat("0123", 10)

// ways are the two ways to write: with GraphQL, and without.
var ways = map[string]func(*fakegithub.Server){
	"GraphQL": func(*fakegithub.Server) {},
	"REST":    func(fake *fakegithub.Server) { fake.AnswersTo("POST graphql", 404, `{"message":"Not Found"}`) },
}

// writes are the calls of the fake that were made to change something.
func writes(fake *fakegithub.Server) (calls []string) {
	for _, e := range fake.Journal() {
		if !strings.HasPrefix(e.Call, "GET") && (e.Call != "POST graphql" || e.Status != 404) {
			calls = append(calls, e.Call)
		}
	}
	return calls
}

// What becomes of a branch that is moved, or deleted, and what is said of it.
func TestMoveBranch(t *testing.T) {
	const narrow, reader = "fake-narrow", "fake-reader"
	protect := func(p fakegithub.Protection) func(*fakegithub.Server) {
		return func(fake *fakegithub.Server) { fake.Repo("").Protect("prototype", p) }
	}
	rule := func(fake *fakegithub.Server) {
		fake.Repo("").AddRuleset(fakegithub.Ruleset{Name: "still", Branches: []string{"proto*"}, Rules: []string{"non_fast_forward", "deletion"}})
	}
	for _, tt := range []struct {
		name  string
		world func(*fakegithub.Server)
		token string
		to    string // empty: master
		want  error  // nil and no says: done
		says  string
	}{
		{name: "it is where it should be"},
		{name: "somebody pushed before", world: func(fake *fakegithub.Server) { fake.SetBranch("prototype", fake.Commits()[1].SHA) }, want: bot.ErrMoved, says: "it is at "},
		{name: "somebody pushes now", world: func(fake *fakegithub.Server) {
			fake.Gate = func(call, moment string) {
				if moment == fakehttp.Arrived && (call == "github POST graphql" || call == "github GET ref") {
					fake.SetBranch("prototype", fake.Commits()[1].SHA)
				}
			}
		}, want: bot.ErrMoved, says: "it is at "},
		{name: "somebody does the same", world: func(fake *fakegithub.Server) { fake.SetBranch("prototype", fake.Branch("master")) }, want: bot.ErrMoved},
		{name: "it is not there", world: func(fake *fakegithub.Server) { fake.Repo("").DeleteBranch("prototype") }, want: bot.ErrNotFound, says: "branch prototype"},
		{name: "unknown commit", to: unknown, want: bot.ErrNotFound, says: "commit " + unknown},
		{name: "protected", world: protect(fakegithub.Protection{}), says: "the branch prototype is protected"},
		{name: "protected, 409", world: protect(fakegithub.Protection{Status: 409}), says: "the branch prototype is protected"},
		{name: "pushers", world: protect(fakegithub.Protection{AllowForce: true, AllowDelete: true, Pushers: []string{"bea"}}), says: "Protected branch update failed"},
		{name: "we are among them", world: protect(fakegithub.Protection{AllowForce: true, AllowDelete: true, Pushers: []string{fakegithub.Login}})},
		{name: "ruleset", world: rule, says: "Repository rule violations found Cannot "},
		{name: "a token that may read", token: narrow, says: "my account may not write to mozilla/treeherder"},
		{name: "a person who may read", token: reader, says: "my account may not write to mozilla/treeherder"},
	} {
		for way, only := range ways {
			for _, deletes := range []bool{false, true} {
				if deletes && tt.to != "" {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/deletes=%v", tt.name, way, deletes), func(t *testing.T) {
					fake, _, master, proto := fork()
					fake.AddToken(narrow, fakegithub.Access{Permissions: map[string]string{"contents": "read"}})
					fake.AddToken(reader, fakegithub.Access{Login: "cid"})
					if tt.world != nil {
						tt.world(fake)
					}
					only(fake)
					token := tt.token
					if token == "" {
						token = fakegithub.Token
					}
					c := serve(t, fake, github.Options{Token: token})
					before := fake.Branch("prototype")
					to := tt.to
					if to == "" {
						to = master
					}
					var err error
					if deletes {
						err, to = c.DeleteBranch(t.Context(), "prototype", proto), ""
					} else {
						err = c.MoveBranch(t.Context(), "prototype", proto, to)
					}
					if tt.want == nil && tt.says == "" {
						if got := fake.Branch("prototype"); err != nil || got != to {
							t.Errorf("it is at %q, %v; want %q", got, err, to)
						}
						return
					}
					if got := fake.Branch("prototype"); !slices.Contains([]string{before, fake.Commits()[1].SHA}, got) {
						t.Errorf("it is at %s", got)
					}
					if err == nil || !strings.Contains(err.Error(), tt.says) || !bot.NotSent(err) || bot.Service(err) != "GitHub" {
						t.Fatalf("error is %v, not sent %v; want %q", err, bot.NotSent(err), tt.says)
					}
					if _, again := bot.RetryAfter(err); again {
						t.Errorf("%v: to be tried again", err)
					}
					for _, is := range []error{bot.ErrMoved, bot.ErrNotFound, bot.ErrTaken} {
						if errors.Is(err, is) != (is == tt.want) {
							t.Errorf("error is %v, and %v is %v", err, is, !errors.Is(err, tt.want))
						}
					}
					var no *bot.Refused
					if errors.As(err, &no) != (tt.want == nil) {
						t.Errorf("refused: %v", err)
					}
					if no != nil && (!strings.Contains(no.Why, "An admin of the repository can ") || strings.ContainsAny(no.Why, "\n{")) {
						t.Errorf("why: %q", no.Why)
					}
				})
			}
		}
	}
}

// The answer is lost after the effect: nobody can say that it was not done, it
// is not asked for again, and a second look sees it.
func TestMoveBranchLostAnswer(t *testing.T) {
	for way, only := range ways {
		for _, what := range []string{"move", "delete", "create"} {
			fake, _, master, proto := fork()
			only(fake)
			fake.Gate = func(call, moment string) {
				if moment == fakehttp.Done && slices.Contains(writes(fake), strings.TrimPrefix(call, "github ")) {
					panic(http.ErrAbortHandler)
				}
			}
			c := start(t, fake)
			var err error
			var done func() (bool, error)
			at := func(name, sha string) func() (bool, error) {
				return func() (bool, error) { got, err := c.Branch(t.Context(), name); return got == sha, err }
			}
			switch what {
			case "move":
				err, done = c.MoveBranch(t.Context(), "prototype", proto, master), at("prototype", master)
			case "delete":
				err = c.DeleteBranch(t.Context(), "prototype", proto)
				done = func() (bool, error) {
					_, err := c.Branch(t.Context(), "prototype")
					return errors.Is(err, bot.ErrNotFound), nil
				}
			case "create":
				err, done = c.CreateBranch(t.Context(), "backup", proto), at("backup", proto)
			}
			var e *web.Error
			if !errors.As(err, &e) || bot.NotSent(err) || e.Final || e.Status != 0 || errors.Is(err, bot.ErrMoved) || errors.Is(err, bot.ErrTaken) {
				t.Errorf("%s, %s: %v", way, what, err)
			}
			if n := len(writes(fake)); n != 1 {
				t.Errorf("%s, %s: %d writes", way, what, n)
			}
			fake.Gate = nil
			if ok, err := done(); !ok || err != nil {
				t.Errorf("%s, %s: a second look says %v, %v", way, what, ok, err)
			}
		}
	}
}

// A push between the two calls of the REST API is overwritten, which cannot be
// helped; with GraphQL it is not.
func TestMoveBranchCompares(t *testing.T) {
	for way, only := range ways {
		fake, root, master, proto := fork()
		only(fake)
		fake.Gate = func(call, moment string) {
			if moment == fakehttp.Arrived && (call == "github PATCH ref" || call == "github POST graphql" && way == "GraphQL") {
				fake.SetBranch("prototype", root)
			}
		}
		err := start(t, fake).MoveBranch(t.Context(), "prototype", proto, master)
		at := fake.Branch("prototype")
		if way == "GraphQL" && (at != root || !errors.Is(err, bot.ErrMoved) || !strings.Contains(err.Error(), "it is at "+root)) || way == "REST" && (at != master || err != nil) {
			t.Errorf("%s: it is at %s, %v", way, at, err)
		}
	}
}

// Answers to the mutation that are no, or none.
func TestMoveBranchGraphQLErrors(t *testing.T) {
	const wentWrong = `{"data":{"updateRefs":null},"errors":[{"message":"Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub bug."}]}`
	const typed = `{"data":{"updateRefs":null},"errors":[{"type":%q,"path":["updateRefs"],"message":"Says why"}]}`
	for _, tt := range []struct {
		name   string
		status int
		body   string
		now    string // where the branch is by then; empty: not moved
		want   string // done, moved, refused, rights, maybe, wait
	}{
		{"no such mutation", 200, `{"errors":[{"path":["mutation","updateRefs"],"extensions":{"code":"undefinedField","typeName":"Mutation","fieldName":"updateRefs"},"message":"Field 'updateRefs' doesn't exist on type 'Mutation'"}]}`, "", "done"},
		{"no such type", 200, `{"errors":[{"extensions":{"code":"variableRequiresValidType"},"message":"UpdateRefsInput isn't a defined input type (on $input)"}]}`, "", "done"},
		{"not there", 404, "", "", "done"},
		{"not for this token", 401, `{"message":"This endpoint requires you to be authenticated."}`, "", "done"},
		{"forbidden altogether", 403, `{"message":"Resource not accessible by integration"}`, "", "done"},
		{"no such method", 405, "", "", "done"},
		{"overtaken, and it does not say", 200, wentWrong, "root", "moved"},
		{"it went wrong", 200, wentWrong, "", "maybe"},
		{"it went wrong, and is done", 200, wentWrong, "master", "maybe"},
		{"overtaken", 200, fmt.Sprintf(typed, "STALE_DATA"), "root", "moved"},
		{"refused", 200, fmt.Sprintf(typed, "UNPROCESSABLE"), "", "refused"},
		{"no right", 200, fmt.Sprintf(typed, "FORBIDDEN"), "", "rights"},
		{"no scope", 200, fmt.Sprintf(typed, "INSUFFICIENT_SCOPES"), "", "rights"},
		{"limited", 200, fmt.Sprintf(typed, "RATE_LIMITED"), "", "wait"},
		{"limited, the other way", 200, fmt.Sprintf(typed, "RATE_LIMIT"), "", "wait"},
		{"limited with 403", 403, `{"message":"You have exceeded a secondary rate limit"}`, "", "wait"},
		{"limited with 429", 429, "{}", "", "wait"},
		{"errors beside data", 200, `{"data":{"updateRefs":{"clientMutationId":"x"}},"errors":[{"type":"UNPROCESSABLE","message":"x"}]}`, "", "maybe"},
		{"null errors", 200, `{"data":{"updateRefs":null},"errors":[null]}`, "", "maybe"},
		{"another mutation", 200, `{"data":{"updateRefs":{"clientMutationId":"x"}}}`, "", "maybe"},
		{"no data", 200, `{"data":null}`, "", "maybe"},
		{"nothing", 200, "", "", "maybe"},
		{"a page", 200, "<html>", "", "maybe"},
		{"later", 202, "{}", "", "maybe"},
		{"timeout", 408, "{}", "", "maybe"},
		{"an empty 500", 500, "", "", "maybe"},
		{"a bad gateway", 502, "", "", "maybe"},
		{"a redirect", 307, "", "", "not sent"},
	} {
		fake, root, master, proto := fork()
		fake.AnswersTo("POST graphql", tt.status, tt.body)
		if tt.now != "" {
			fake.SetBranch("prototype", map[string]string{"root": root, "master": master}[tt.now])
		}
		at := fake.Branch("prototype")
		err := start(t, fake).MoveBranch(t.Context(), "prototype", proto, master)
		wait, again := bot.RetryAfter(err)
		var no *bot.Refused
		errors.As(err, &no)
		got := "maybe"
		switch {
		case err == nil:
			got = "done"
		case errors.Is(err, bot.ErrMoved):
			got = "moved"
		case no != nil && strings.Contains(no.Why, "may not write") && strings.Contains(no.Why, "Says why"):
			got = "rights"
		case no != nil && strings.Contains(no.Why, "protected") && strings.Contains(no.Why, "Says why"):
			got = "refused"
		case wait == time.Minute && again && bot.NotSent(err):
			got = "wait"
		case bot.NotSent(err):
			got = "not sent"
		}
		if got != tt.want {
			t.Errorf("%s: %s, %v; want %s", tt.name, got, err, tt.want)
		}
		if got == "maybe" && !again {
			t.Errorf("%s: %v is final", tt.name, err)
		}
		if now := fake.Branch("prototype"); got != "done" && now != at || got == "done" && now != master {
			t.Errorf("%s: it is at %s", tt.name, now)
		}
		if n := len(writes(fake)); tt.want != "done" && n > 1 {
			t.Errorf("%s: %d writes", tt.name, n)
		}
	}
}

// Answers of the REST API to the move that are no, or none. What it says that
// it did is what was wanted, or it was not done.
func TestMoveBranchRESTErrors(t *testing.T) {
	_, _, master, proto := fork()
	ref := func(name, sha string) string {
		return fmt.Sprintf(`{"ref":"refs/heads/%s","object":{"type":"commit","sha":%q}}`, name, sha)
	}
	for _, tt := range []struct {
		name    string
		status  int
		body    string
		to      string
		notSent bool
		says    string
	}{
		{"where it was", 200, ref("prototype", proto), master, false, "the answer has it at " + proto},
		{"another branch", 200, ref("master", master), master, false, "the answer is about"},
		{"nothing", 200, "", master, false, "says nothing"},
		{"later", 202, "{}", master, false, "HTTP 202"},
		{"an empty 500", 500, "", master, false, "HTTP 500"},
		{"an empty 500, since there is no such commit", 500, "", unknown, true, "commit " + unknown},
		{"down", 503, "", master, false, "HTTP 503"},
		{"timeout", 408, "", master, false, "HTTP 408"},
		{"wrong token", 401, "{}", master, true, "HTTP 401"},
		{"limited", 429, "{}", master, true, "HTTP 429"},
		{"no reason", 422, "", master, true, "(GitHub: no reason given)"},
		{"not found", 404, `{"message":"Not Found"}`, master, true, "my account may not write to mozilla/treeherder, or not to the branch prototype. An"},
		{"archived", 403, `{"message":"Repository was archived so is read-only."}`, master, true, "archived"},
	} {
		fake, _, _, _ := fork()
		ways["REST"](fake)
		fake.AnswersTo("PATCH ref", tt.status, tt.body)
		err := start(t, fake).MoveBranch(t.Context(), "prototype", proto, tt.to)
		if err == nil || bot.NotSent(err) != tt.notSent || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, not sent %v", tt.name, err, bot.NotSent(err))
		}
	}
}

// What cannot be read is no reason to say more, or less, than is known.
func TestMoveBranchUnread(t *testing.T) {
	const failed = `{"message":"Reference update failed"}`
	for _, tt := range []struct {
		name    string
		call    string
		status  int
		body    string
		unread  bool // there is no second look
		notSent bool
	}{
		{"before anything is asked", "PATCH ref", 200, "{}", true, true},
		{"after a no", "POST graphql", 200, `{"data":{"updateRefs":null},"errors":[{"type":"UNPROCESSABLE","message":"no"}]}`, true, true},
		{"after nothing", "POST graphql", 200, "", true, false},
		{"deleted, with another 2xx", "DELETE ref", 200, failed, false, false},
	} {
		fake, _, _, proto := fork()
		if tt.call != "POST graphql" {
			ways["REST"](fake)
		}
		fake.AnswersTo(tt.call, tt.status, tt.body)
		if tt.unread {
			fake.AnswersTo("GET ref", 500, "")
		}
		err := start(t, fake).DeleteBranch(t.Context(), "prototype", proto)
		if err == nil || bot.NotSent(err) != tt.notSent || errors.Is(err, bot.ErrNotFound) || fake.Branch("prototype") != proto {
			t.Errorf("%s: %v, not sent %v", tt.name, err, bot.NotSent(err))
		}
	}
}

// A redirect is not followed: Go would make a GET of it, whose 200 shows the
// branch where it was.
func TestMoveBranchRedirected(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		fake, _, master, proto := fork()
		ways["REST"](fake)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPatch {
				http.Redirect(w, r, strings.Replace(r.URL.Path, "/refs/", "/ref/", 1), status)
				return
			}
			fake.ServeHTTP(w, r)
		}))
		c := client(t, s.URL)
		err := c.MoveBranch(t.Context(), "prototype", proto, master)
		if !bot.NotSent(err) || !strings.Contains(err.Error(), "not followed") || fake.Branch("prototype") != proto {
			t.Errorf("%d: %v", status, err)
		}
		if calls := len(fake.Journal()); calls != 3 { // the repository, GraphQL, the branch
			t.Errorf("%d: %v", status, fake.Journal())
		}
		s.Close()
	}
}

// In a repository that has another name now, or is not to be seen, nothing is
// done, and it is not the branch that is said to be missing.
func TestMoveBranchElsewhere(t *testing.T) {
	for name, hide := range map[string]func(*fakegithub.Server){
		"renamed": func(fake *fakegithub.Server) { fake.Repo("").Rename("mozilla/perf") },
		"private": func(fake *fakegithub.Server) {
			fake.Repo("").SetPrivate(true)
			fake.Repo("").Collaborate("thbot", "none")
		},
		"another one": func(fake *fakegithub.Server) {
			fake.AnswersTo("GET repository", 200, `{"full_name":"a/b","node_id":"R_1"}`)
		},
		"nothing": func(fake *fakegithub.Server) { fake.AnswersTo("GET repository", 200, "") },
		"down":    func(fake *fakegithub.Server) { fake.Down() },
	} {
		fake, _, master, proto := fork()
		hide(fake)
		c := start(t, fake)
		for what, err := range map[string]error{
			"move":   c.MoveBranch(t.Context(), "prototype", proto, master),
			"delete": c.DeleteBranch(t.Context(), "prototype", proto),
		} {
			if err == nil || !bot.NotSent(err) || errors.Is(err, bot.ErrNotFound) || fake.Repo("").Branch("prototype") != proto || len(writes(fake)) > 0 {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
}

// On GitHub Enterprise GraphQL is beside REST, not below it.
func TestMoveBranchEnterprise(t *testing.T) {
	fake, _, master, proto := fork()
	mux := http.NewServeMux()
	mux.Handle("/api/v3/graphql", http.NotFoundHandler())
	mux.Handle("/api/v3/", http.StripPrefix("/api/v3", fake))
	mux.Handle("/api/graphql", http.StripPrefix("/api", fake))
	s := httptest.NewServer(mux)
	defer s.Close()
	err := client(t, s.URL+"/api/v3").MoveBranch(t.Context(), "prototype", proto, master)
	if err != nil || fake.Branch("prototype") != master || !slices.Equal(writes(fake), []string{"POST graphql"}) {
		t.Errorf("it is at %s by %v, %v", fake.Branch("prototype"), writes(fake), err)
	}
}

// An App that may only read is told so.
func TestMoveBranchApp(t *testing.T) {
	k := newKey(t)
	for way, only := range ways {
		fake, _, master, proto := fork()
		app(fake, k, 12, 34)
		only(fake)
		c := serve(t, fake, github.Options{App: k.of(12, 34)})
		var no *bot.Refused
		for _, err := range []error{c.MoveBranch(t.Context(), "prototype", proto, master), c.DeleteBranch(t.Context(), "prototype", proto), c.CreateBranch(t.Context(), "backup", proto)} {
			if !errors.As(err, &no) || !strings.Contains(no.Why, "Resource not accessible by integration") || !strings.Contains(no.Why, "may not write") {
				t.Errorf("%s: %v", way, err)
			}
		}
	}
}
