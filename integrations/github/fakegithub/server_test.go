package fakegithub_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"thbot/integrations/github/fakegithub"
)

// ask makes a request as somebody who knows the token.
func ask(t *testing.T, method, url string, change ...func(*http.Request)) (*http.Response, map[string]any) {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+fakegithub.Token)
	for _, f := range change {
		f(req)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	_ = json.Unmarshal(b, &body) // a refusal may be a page
	return resp, body
}

func TestStrict(t *testing.T) {
	fake := &fakegithub.Server{}
	sha := fake.AddCommit(fakegithub.CommitSpec{Subject: "first", Login: "bea"})
	fake.SetBranch("feature/x", sha)
	s := httptest.NewServer(fake)
	defer s.Close()
	repo := "/repos/mozilla/treeherder"
	as := func(authorization string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", authorization) }
	}
	tests := []struct {
		name, method, path string
		change             func(*http.Request)
		status             int
		message            string
		unexpected         bool
	}{
		{"full SHA", "GET", repo + "/commits/" + sha, nil, 200, "", false},
		{"short SHA", "GET", repo + "/commits/" + sha[:7], nil, 200, "", false},
		{"branch with a slash", "GET", repo + "/commits/feature/x", nil, 200, "", false},
		{"escaped branch", "GET", repo + "/commits/feature%2Fx", nil, 200, "", false},
		{"other words for a token", "GET", repo + "/commits/" + sha, as("token " + fakegithub.Token), 200, "", false},
		{"unknown commit", "GET", repo + "/commits/1234567", nil, 422, "No commit found for SHA: 1234567", false},
		{"too short", "GET", repo + "/commits/" + sha[:6], nil, 422, "No commit found for SHA: " + sha[:6], false},
		{"unknown base", "GET", repo + "/compare/1234567..." + sha, nil, 404, "Not Found", false},
		{"two dots", "GET", repo + "/compare/" + sha + ".." + sha, nil, 404, "Not Found", false},
		{"another repository", "GET", "/repos/mozilla/bugzilla/commits/" + sha, nil, 404, "Not Found", false},
		{"no token", "GET", repo + "/commits/" + sha, func(r *http.Request) { r.Header.Del("Authorization") }, 401, "Bad credentials", false},
		{"unknown token", "GET", repo + "/commits/" + sha, as("Bearer fake-x"), 401, "Bad credentials", false},
		{"real token", "GET", repo + "/commits/" + sha, as("Bearer ghp_x"), 401, "Bad credentials", false},
		{"no User-Agent", "GET", repo + "/commits/" + sha, func(r *http.Request) { r.Header.Set("User-Agent", "") }, 403, "", false},
		{"unknown call", "GET", repo + "/hooks", nil, 404, "Not Found", true},
		{"unknown method", "PATCH", repo + "/commits/" + sha, nil, 404, "Not Found", true},
		{"dots", "GET", repo + "/commits/../../../../user", nil, 404, "Not Found", true},
		{"two slashes", "GET", "/" + repo + "/commits/" + sha, nil, 404, "Not Found", true},
		{"root", "GET", "/", nil, 404, "Not Found", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			change := tt.change
			if change == nil {
				change = func(*http.Request) {}
			}
			before := len(fake.Unexpected())
			resp, body := ask(t, tt.method, s.URL+tt.path, change)
			message, _ := body["message"].(string)
			if resp.StatusCode != tt.status || message != tt.message {
				t.Errorf("answer is %d %q, want %d %q", resp.StatusCode, message, tt.status, tt.message)
			}
			if got := len(fake.Unexpected()) > before; got != tt.unexpected {
				t.Errorf("unexpected: %v, want %v", got, tt.unexpected)
			}
			if j := fake.Journal(); j[len(j)-1].Status != tt.status {
				t.Errorf("the journal says %+v", j[len(j)-1])
			}
		})
	}
}

func TestTokens(t *testing.T) {
	fake := &fakegithub.Server{Tokens: []string{"fake-a", "ghp_real"}}
	fake.AddCommit(fakegithub.CommitSpec{Subject: "first"})
	s := httptest.NewServer(fake)
	defer s.Close()
	for token, want := range map[string]int{"fake-a": 422, "ghp_real": 401, fakegithub.Token: 401} {
		resp, _ := ask(t, "GET", s.URL+"/repos/mozilla/treeherder/commits/x", func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+token)
		})
		if resp.StatusCode != want {
			t.Errorf("with %q the answer is %d, want %d", token, resp.StatusCode, want)
		}
	}
}

// The same commits have the same SHAs in every run, and no two are alike.
func TestSHAs(t *testing.T) {
	build := func() (shas []string) {
		s := &fakegithub.Server{}
		for range 3 {
			spec := fakegithub.CommitSpec{Subject: "same", Login: "bea"}
			if len(shas) > 0 {
				spec.Parents = shas[len(shas)-1:]
			}
			shas = append(shas, s.AddCommit(spec))
		}
		if got := s.Commits(); len(got) != 3 || got[2].SHA != shas[2] || !got[2].When.After(got[1].When) {
			t.Errorf("commits are %+v", got)
		}
		return shas
	}
	a, b := build(), build()
	if !slices.Equal(a, b) {
		t.Errorf("SHAs are %v, then %v", a, b)
	}
	slices.Sort(a)
	if len(slices.Compact(a)) != 3 {
		t.Errorf("SHAs are %v", a)
	}
}

func TestMistakes(t *testing.T) {
	s := &fakegithub.Server{}
	sha := s.AddCommit(fakegithub.CommitSpec{Subject: "first"})
	for name, f := range map[string]func(){
		"a commit twice": func() { s.AddCommit(fakegithub.CommitSpec{SHA: sha}) },
		"no SHA":         func() { s.AddCommit(fakegithub.CommitSpec{SHA: "x"}) },
		"unknown parent": func() { s.AddCommit(fakegithub.CommitSpec{Parents: []string{"x"}}) },
		"unknown branch": func() { s.SetBranch("master", "x") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: accepted", name)
				}
			}()
			f()
		}()
	}
	s.SetBranch("master", sha)
	if s.Branch("master") != sha || s.Branch("main") != "" {
		t.Errorf("branches are at %q and %q", s.Branch("master"), s.Branch("main"))
	}
}

// A merge, and what its two sides are to each other.
//
//	0 - 1 - 2 - 4 (merge)
//	  \ 3 - - - /   3 - 5
func TestCompareMerge(t *testing.T) {
	fake := &fakegithub.Server{}
	var c []string
	for i, parents := range [][]int{{}, {0}, {1}, {0}, {2, 3}, {3}} {
		spec := fakegithub.CommitSpec{Subject: strconv.Itoa(i)}
		for _, p := range parents {
			spec.Parents = append(spec.Parents, c[p])
		}
		c = append(c, fake.AddCommit(spec))
	}
	s := httptest.NewServer(fake)
	defer s.Close()
	tests := []struct {
		base, head, mergeBase int
		status                string
		behind                float64
		commits               string
	}{
		{1, 4, 1, "ahead", 0, "2 3 4"},
		{2, 3, 0, "diverged", 2, "3"},
		{4, 5, 3, "diverged", 3, "5"},
		{4, 0, 0, "behind", 4, ""},
		{3, 4, 3, "ahead", 0, "1 2 4"},
	}
	for _, tt := range tests {
		_, body := ask(t, "GET", s.URL+"/repos/mozilla/treeherder/compare/"+c[tt.base]+"..."+c[tt.head])
		var got []string
		for _, commit := range body["commits"].([]any) {
			got = append(got, commit.(map[string]any)["commit"].(map[string]any)["message"].(string))
		}
		mergeBase := body["merge_base_commit"].(map[string]any)["sha"]
		if body["status"] != tt.status || strings.Join(got, " ") != tt.commits || mergeBase != c[tt.mergeBase] ||
			body["ahead_by"] != float64(len(got)) || body["behind_by"] != tt.behind {
			t.Errorf("%d...%d: %v, ahead %v (%v), behind %v, merge base %v", tt.base, tt.head,
				body["status"], body["ahead_by"], got, body["behind_by"], mergeBase)
		}
	}
}

// At once there are the newest 250, in pages at most 100 and the oldest first.
func TestComparePages(t *testing.T) {
	fake := &fakegithub.Server{}
	var c []string
	for i := range 301 {
		spec := fakegithub.CommitSpec{Subject: strconv.Itoa(i)}
		if i > 0 {
			spec.Parents = c[i-1:]
		}
		c = append(c, fake.AddCommit(spec))
	}
	fake.SetBranch("master", c[300])
	s := httptest.NewServer(fake)
	defer s.Close()
	tests := []struct {
		query       string
		first, last int // subjects; 0: none
		rels        string
	}{
		{"", 51, 300, ""},
		{"?page=1", 1, 30, "next last"},
		{"?per_page=100", 1, 100, "next last"},
		{"?per_page=100&page=2", 101, 200, "prev first next last"},
		{"?per_page=500&page=3", 201, 300, "prev first"},
		{"?per_page=100&page=4", 0, 0, "prev first"},
		{"?per_page=100&page=x", 1, 100, "next last"},
	}
	for _, tt := range tests {
		resp, body := ask(t, "GET", s.URL+"/repos/mozilla/treeherder/compare/"+c[0][:9]+"...master"+tt.query)
		subject := func(i int) string {
			list := body["commits"].([]any)
			return list[(i+len(list))%len(list)].(map[string]any)["commit"].(map[string]any)["message"].(string)
		}
		n := len(body["commits"].([]any))
		if body["total_commits"] != 300.0 || n != tt.last-tt.first+min(1, tt.first) ||
			n > 0 && (subject(0) != strconv.Itoa(tt.first) || subject(-1) != strconv.Itoa(tt.last)) {
			t.Errorf("%q: %d commits of %v", tt.query, n, body["total_commits"])
		}
		var rels []string
		for _, l := range strings.Split(resp.Header.Get("Link"), ", ") {
			if _, rel, ok := strings.Cut(l, `rel="`); ok {
				rels = append(rels, strings.TrimSuffix(rel, `"`))
			}
		}
		if got := strings.Join(rels, " "); got != tt.rels {
			t.Errorf("%q links to %q, want %q", tt.query, got, tt.rels)
		}
	}
}
