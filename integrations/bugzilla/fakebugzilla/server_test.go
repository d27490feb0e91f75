package fakebugzilla_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thbot/integrations/bugzilla/fakebugzilla"
	"thbot/integrations/fakehttp"
)

type answer struct {
	status int
	kind   string
	text   string
	json   map[string]any
}

// ask makes a request with that key.
func ask(t *testing.T, fake http.Handler, key, method, target, body string) answer {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if key != "" {
		r.Header.Set("X-BUGZILLA-API-KEY", key)
	}
	w := httptest.NewRecorder()
	fake.ServeHTTP(w, r)
	a := answer{status: w.Code, kind: w.Header().Get("Content-Type"), text: w.Body.String()}
	_ = json.Unmarshal(w.Body.Bytes(), &a.json)
	return a
}

// want compares an answer that is a no.
func (a answer) want(t *testing.T, what string, status, code int, message string) {
	t.Helper()
	got, _ := a.json["code"].(float64)
	said, _ := a.json["message"].(string)
	if a.status != status || int(got) != code || !strings.Contains(said, message) || a.json["error"] != true || !strings.HasPrefix(a.kind, "application/json") {
		t.Errorf("%s: %d %s %s, want %d with code %d and %q", what, a.status, a.kind, a.text, status, code, message)
	}
}

const bug = `{"product":"Cloud Services","component":"Operations: Releng","version":"unspecified","summary":"s"`

// What Bugzilla refuses, with its codes (WS_ERROR_CODE, REST_STATUS_CODE_MAP).
func TestRefusals(t *testing.T) {
	const key = fakebugzilla.Key
	with := func(fields string) string { return bug + "," + fields + "}" }
	without := func(field string) string {
		var b map[string]any
		_ = json.Unmarshal([]byte(bug+"}"), &b)
		delete(b, field)
		out, _ := json.Marshal(b)
		return string(out)
	}
	tests := []struct {
		name, key, method, target, body string
		status, code                    int
		message, unexpected             string
	}{
		{"a wrong key", "fake-x", "POST", "/rest/bug", bug + "}", 400, 306, "is invalid", ""},
		{"a wrong key to read", "fake-x", "GET", "/rest/bug/1900001", "", 400, 306, "is invalid", ""},
		{"a real key", "0123456789abcdef", "GET", "/rest/whoami", "", 400, 306, "is invalid", ""},
		{"no key", "", "POST", "/rest/bug", bug + "}", 401, 410, "must log in", ""},
		{"nobody", "", "GET", "/rest/whoami", "", 401, 410, "must log in", ""},
		{"nobody's comment", "", "POST", "/rest/bug/1900001/comment", `{"comment":"x"}`, 401, 410, "must log in", ""},
		{"a disabled account", "fake-old", "GET", "/rest/whoami", "", 401, 301, "disabled", ""},
		{"no product", key, "POST", "/rest/bug", without("product"), 401, 106, "product <em></em> does not exist", ""},
		{"another product", key, "POST", "/rest/bug", with(`"product":"<b>"`), 401, 106, "product <em>&lt;b&gt;</em> does not exist", ""},
		{"a closed product", key, "POST", "/rest/bug", with(`"product":"Graveyard"`), 401, 106, "aren't authorized to enter", ""},
		{"no component", key, "POST", "/rest/bug", without("component"), 400, 105, "choose a component", ""},
		{"another component", key, "POST", "/rest/bug", with(`"component":"General"`), 404, 51, "no component named 'General' in the 'Cloud Services' product", ""},
		{"no version", key, "POST", "/rest/bug", without("version"), 400, 50, "version", ""},
		{"another version", key, "POST", "/rest/bug", with(`"version":"1"`), 404, 51, "no version named '1'", ""},
		{"no type", key, "POST", "/rest/bug", `{"product":"Typed","component":"C","version":"unspecified","summary":"s"}`, 400, 135, "choose a type", ""},
		{"another type", key, "POST", "/rest/bug", with(`"type":"bug"`), 404, 51, "no Type named 'bug'", ""},
		{"no summary", key, "POST", "/rest/bug", without("summary"), 400, 107, "summary", ""},
		{"a long summary", key, "POST", "/rest/bug", with(`"summary":"` + strings.Repeat("ä", 256) + `"`), 400, 104, "Summary field is too long (256", ""},
		{"a long whiteboard", key, "POST", "/rest/bug", with(`"whiteboard":"` + strings.Repeat("ä", 256) + `"`), 400, 104, "Whiteboard field is too long (256", ""},
		{"a long description", key, "POST", "/rest/bug", with(`"description":"` + strings.Repeat("ä", 65536) + `"`), 400, 114, "longer than 65535", ""},
		{"another group", key, "POST", "/rest/bug", with(`"groups":["admin"]`), 401, 120, "'admin' group", ""},
		{"nobody on CC", key, "POST", "/rest/bug", with(`"cc":"eve"`), 401, 504, "'<em>eve</em>' is not a valid username", ""},
		{"another flag", key, "POST", "/rest/bug", with(`"flags":[{"name":"review","status":"?"}]`), 404, 51, "'review'", ""},
		{"another status", key, "POST", "/rest/bug", with(`"flags":[{"name":"needinfo","status":"+"}]`), 400, 129, "<em>+</em> is invalid", ""},
		{"nobody asked", key, "POST", "/rest/bug", with(`"flags":[{"name":"needinfo","status":"?","requestee":"eve"}]`), 401, 504, "eve", ""},
		{"somebody outside asked", key, "POST", "/rest/bug", with(`"groups":["cloud-services-security"],"flags":[{"name":"needinfo","status":"?","requestee":"ana@example.com"}]`), 400, 32000, "restricted", ""},
		{"a field of the form", key, "POST", "/rest/bug", with(`"short_desc":"s"`), 400, -32000, "Unknown column 'short_desc'", "POST bug: field short_desc"},
		{"no JSON", key, "POST", "/rest/bug", "product=Cloud", 400, 32000, "JSON", "POST bug: a body that cannot be read"},
		{"a list", key, "POST", "/rest/bug", "[]", 400, 32000, "JSON", "POST bug: a body that cannot be read"},
		{"a number for a text", key, "POST", "/rest/bug", with(`"description":1`), 400, 32000, "JSON", "POST bug: a body that cannot be read"},
		{"no bug", key, "GET", "/rest/bug/1900003", "", 404, 101, "Bug #1900003 does not exist", ""},
		{"a hidden bug", key, "GET", "/rest/bug/1900002", "", 401, 102, "not authorized to access bug 1900002.", ""},
		{"a hidden bug to nobody", "", "GET", "/rest/bug/1900002", "", 401, 102, "log in to an account</a>", ""},
		{"an alias", key, "GET", "/rest/bug/treeherder", "", 400, 100, "'treeherder' is not a valid bug number", ""},
		{"bug 0", key, "GET", "/rest/bug/0", "", 400, 100, "'0' is not", ""},
		{"no criteria", key, "GET", "/rest/bug", "", 400, 1000, "without any search terms", ""},
		{"no comment", key, "POST", "/rest/bug/1900001/comment", `{"comment":" "}`, 400, 50, "comment argument", ""},
		{"a long comment", key, "POST", "/rest/bug/1900001/comment", `{"comment":"` + strings.Repeat("ä", 65536) + `"}`, 400, 114, "longer than", ""},
		{"a private comment", key, "POST", "/rest/bug/1900001/comment", `{"comment":"x","is_private":true}`, 401, 113, "private", ""},
		{"a comment on no bug", key, "POST", "/rest/bug/1900003/comment", `{"comment":"x"}`, 404, 101, "", ""},
		{"a comment on a hidden one", key, "POST", "/rest/bug/1900002/comment", `{"comment":"x"}`, 401, 102, "", ""},
		{"a comment on an alias", key, "POST", "/rest/bug/x/comment", `{"comment":"x"}`, 400, 100, "'x' is not", ""},
		{"no resource", key, "GET", "/rest/nothing", "", 404, 32614, "not found for 'GET /nothing'", "GET rest/nothing"},
		{"no method", key, "PATCH", "/rest/bug/1900001", "", 404, 32614, "not found for 'PATCH /bug/1900001'", "PATCH rest/bug/1900001"},
		{"a slash", key, "POST", "/rest/bug/", "{}", 404, 32614, "", "POST rest/bug/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fake := &fakebugzilla.Server{
				Accounts: []fakebugzilla.Account{
					{Login: fakebugzilla.Login, Key: fakebugzilla.Key}, {Login: fakebugzilla.Person}, {Login: "old@example.com", Key: "fake-old", Disabled: true},
					{Login: "real@example.com", Key: "0123456789abcdef"},
				},
				Products: map[string]fakebugzilla.Rules{
					"Cloud Services": {Components: []string{"Operations: Releng"}, Groups: []string{fakebugzilla.Group}},
					"Graveyard":      {Components: []string{"Operations: Releng"}, Closed: true},
					"Typed":          {Components: []string{"C"}, RequireType: true},
				},
			}
			fake.Add(fakebugzilla.Bug{})
			fake.Add(fakebugzilla.Bug{Groups: []string{fakebugzilla.Group}})
			before := fake.Bugs()
			ask(t, fake, tt.key, tt.method, tt.target, tt.body).want(t, tt.name, tt.status, tt.code, tt.message)
			if !reflect.DeepEqual(fake.Bugs(), before) {
				t.Errorf("and yet there are %v", fake.Bugs())
			}
			if u := strings.Join(fake.Unexpected(), "; "); u != tt.unexpected {
				t.Errorf("unexpected: %q, want %q", u, tt.unexpected)
			}
		})
	}
}

func TestCreate(t *testing.T) {
	fake := &fakebugzilla.Server{}
	for i, body := range []string{bug + "}", bug + `,"cc":"ana@example.com"}`, bug + `,"cc":["ana@example.com"],"op_sys":"All","platform":"All"}`} {
		a := ask(t, fake, fakebugzilla.Key, "POST", "/rest/bug", body)
		if a.status != 200 || a.json["id"] != float64(fakebugzilla.First+i) || len(a.json) != 1 {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}
	bugs := fake.Bugs()
	if !slices.Equal(bugs[1].CC, []string{"ana@example.com"}) || !slices.Equal(bugs[2].CC, bugs[1].CC) || bugs[0].OpSys != "Unspecified" || bugs[2].OpSys != "All" || bugs[0].Type != "task" {
		t.Errorf("bugs are %+v", bugs)
	}
	bugs[1].CC[0] = "changed"
	if fake.Bugs()[1].CC[0] == "changed" {
		t.Error("Bugs gives its own memory away")
	}
	a := ask(t, fake, fakebugzilla.Key, "POST", "/rest/bug/1900001/comment", `{"comment":"x"}`)
	if id, _ := a.json["id"].(float64); a.status != 201 || id < 17000000 {
		t.Errorf("comment: %d %s", a.status, a.text)
	}
}

// A key in the address works, and nobody should.
func TestKeyInAddress(t *testing.T) {
	for _, name := range []string{"api_key", "Bugzilla_api_key"} {
		fake := &fakebugzilla.Server{}
		if a := ask(t, fake, "", "GET", "/rest/whoami?"+name+"="+fakebugzilla.Key, ""); a.status != 200 || a.json["name"] != fakebugzilla.Login {
			t.Errorf("%d %s", a.status, a.text)
		}
		if want := []string{"GET whoami: a key in the address"}; !slices.Equal(fake.Unexpected(), want) {
			t.Errorf("unexpected: %q", fake.Unexpected())
		}
	}
}

// Five wrong keys in a minute are too many for the address.
func TestBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakebugzilla.Server{}
		wrong := func(code int) {
			t.Helper()
			ask(t, fake, "fake-x", "GET", "/rest/whoami", "").want(t, "a wrong key", 400, code, "")
		}
		right := func(status int) {
			t.Helper()
			if a := ask(t, fake, fakebugzilla.Key, "GET", "/rest/whoami", ""); a.status != status {
				t.Errorf("a right key: %d %s", a.status, a.text)
			}
		}
		for range 4 {
			wrong(306)
		}
		time.Sleep(time.Minute) // in the bubble
		for range 5 {
			wrong(306)
			right(200)
		}
		wrong(32000)
		right(429)
		if a := ask(t, fake, "", "GET", "/show_bug.cgi?id=1", ""); a.status != 429 || a.text != "Too Many Requests" {
			t.Errorf("a page: %d %s", a.status, a.text)
		}
		time.Sleep(time.Hour - time.Nanosecond)
		right(429)
		time.Sleep(time.Nanosecond)
		right(200)
		for range 6 {
			ask(t, fake, "fake-x", "GET", "/rest/whoami", "")
		}
		right(429)
		fake.Mend()
		right(200)
		fake.Revoke(fakebugzilla.Key)
		right(400)
		fake.Restore(fakebugzilla.Key)
		right(200)
	})
}

func TestSearch(t *testing.T) {
	fake := &fakebugzilla.Server{Products: map[string]fakebugzilla.Rules{"Cloud Services": {Components: []string{"Operations: Releng", "Other"}}, "P": {}}}
	for _, b := range []fakebugzilla.Bug{
		{Whiteboard: "[a:One]"}, {Whiteboard: "[a:One] two"}, {Product: "P", Component: "C"}, {Component: "Other"},
		{Whiteboard: "[a:One]", Groups: []string{"g"}}, {Groups: []string{"g"}, Creator: fakebugzilla.Login}, {Groups: []string{"g"}, CC: []string{fakebugzilla.Login}},
	} {
		fake.Add(b)
	}
	if err := fake.Resolve(1900002, "FIXED"); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		key, query string
		want       []float64
		unexpected []string
	}{
		{fakebugzilla.Key, "id=1900001,1900003", []float64{1, 3}, nil},
		{fakebugzilla.Key, "id=1900003&id=1900001", []float64{1, 3}, nil},
		{fakebugzilla.Key, "id=7,x", nil, nil},
		{fakebugzilla.Key, "product=P", []float64{3}, nil},
		{fakebugzilla.Key, "product=Nothing", nil, nil},
		{fakebugzilla.Key, "product=Cloud+Services&component=Other", []float64{4}, nil},
		{fakebugzilla.Key, "component=Other&component=C", []float64{3, 4}, nil},
		{fakebugzilla.Key, "whiteboard=%5Ba:one%5D", []float64{1, 2}, nil},
		{fakebugzilla.Key, "whiteboard=%5Ba:one%5D+two", []float64{2}, nil},
		{fakebugzilla.Key, "whiteboard=%5Ba:one%5D&limit=1", []float64{1}, nil},
		{fakebugzilla.Key, "status=RESOLVED", []float64{2}, nil},
		{fakebugzilla.Key, "resolution=FIXED", []float64{2}, nil},
		{fakebugzilla.Key, "id=1900005,1900006,1900007", []float64{6, 7}, nil},
		{"", "id=1900001,1900006", []float64{1}, nil},
		{fakebugzilla.Key, "id=1900001&whitebord=x", []float64{1}, []string{"GET bugs: parameter whitebord"}},
	}
	for _, tt := range tests {
		noted := len(fake.Unexpected())
		a := ask(t, fake, tt.key, "GET", "/rest/bug?include_fields=id&"+tt.query, "")
		var got []float64
		for _, b := range a.json["bugs"].([]any) {
			if m := b.(map[string]any); len(m) == 1 {
				got = append(got, m["id"].(float64)-1900000)
			}
		}
		if a.status != 200 || !slices.Equal(got, tt.want) || a.json["faults"] != nil {
			t.Errorf("%s: %d %s", tt.query, a.status, a.text)
		}
		if u := fake.Unexpected()[noted:]; !slices.Equal(u, tt.unexpected) {
			t.Errorf("%s: unexpected %q", tt.query, u)
		}
	}
}

func TestFields(t *testing.T) {
	fake := &fakebugzilla.Server{}
	fake.Add(fakebugzilla.Bug{Summary: "s", Needinfo: []string{"x@y"}})
	a := ask(t, fake, fakebugzilla.Key, "GET", "/rest/bug/1900001", "")
	b := a.json["bugs"].([]any)[0].(map[string]any)
	if len(b) != 19 || b["summary"] != "s" || b["is_open"] != true || len(b["groups"].([]any)) != 0 || !reflect.DeepEqual(a.json["faults"], []any{}) {
		t.Errorf("%s", a.text)
	}
	if when, err := time.Parse("2006-01-02T15:04:05Z", b["last_change_time"].(string)); err != nil || time.Since(when) > time.Minute {
		t.Errorf("last_change_time: %v", err)
	}
	a = ask(t, fake, fakebugzilla.Key, "GET", "/rest/bug/1900001?include_fields=id,stauts", "")
	if b := a.json["bugs"].([]any)[0].(map[string]any); len(b) != 1 || !slices.Equal(fake.Unexpected(), []string{"GET bug: field stauts"}) {
		t.Errorf("%s, unexpected %q", a.text, fake.Unexpected())
	}
}

// An address above 8 KiB does not come as far as Bugzilla.
func TestTooLong(t *testing.T) {
	fake := &fakebugzilla.Server{}
	for n, want := range map[int]int{8192: 200, 8193: 414} {
		for _, path := range []string{"/rest/bug?id=", "/enter_bug.cgi?product=Cloud+Services&comment="} {
			a := ask(t, fake, fakebugzilla.Key, "GET", path+strings.Repeat("1", n-len(path)), "")
			if a.status != want || want == 414 && !strings.HasPrefix(a.kind, "text/plain") {
				t.Errorf("%s with %d bytes: %d %s", path, n, a.status, a.kind)
			}
		}
	}
}

func TestTroubles(t *testing.T) {
	fake := &fakebugzilla.Server{}
	fake.Next(fakebugzilla.Broken().At("POST bug"))
	fake.Next(fakebugzilla.RateLimited())
	fake.Next(fakebugzilla.TooLong().Lost().At("POST bug"))
	for _, step := range []struct {
		method, target string
		status         int
		kind           string
		bugs           int
	}{
		{"GET", "/rest/whoami", 400, "application/json; charset=UTF-8", 0},
		{"POST", "/rest/bug", 500, "text/html; charset=UTF-8", 0},
		{"POST", "/rest/bug", 414, "text/plain; charset=UTF-8", 1},
		{"POST", "/rest/bug", 200, "application/json; charset=UTF-8", 2},
		{"GET", "/rest/whoami", 200, "application/json; charset=UTF-8", 2},
	} {
		a := ask(t, fake, fakebugzilla.Key, step.method, step.target, bug+"}")
		if a.status != step.status || a.kind != step.kind || len(fake.Bugs()) != step.bugs {
			t.Errorf("%s: %d %s, %d bugs; want %+v", step.target, a.status, a.kind, len(fake.Bugs()), step)
		}
	}
	fake.Next(fakebugzilla.Broken())
	fake.Down()
	for range 2 {
		if a := ask(t, fake, fakebugzilla.Key, "POST", "/rest/bug", bug+"}"); a.status != 503 || len(fake.Bugs()) != 2 {
			t.Errorf("down: %d, %d bugs", a.status, len(fake.Bugs()))
		}
	}
	fake.Mend()
	if a := ask(t, fake, fakebugzilla.Key, "GET", "/rest/whoami", ""); a.status != 200 {
		t.Errorf("mended: %d", a.status)
	}
}

// A slow answer is slow after the effect, and holds nobody else up.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakebugzilla.Server{}
		fake.Next(fakebugzilla.Trouble{Slow: time.Minute})
		began := time.Now()
		answered := make(chan answer)
		go func() { answered <- ask(t, fake, fakebugzilla.Key, "POST", "/rest/bug", bug+"}") }()
		synctest.Wait()
		if len(fake.Bugs()) != 1 || ask(t, fake, fakebugzilla.Key, "GET", "/rest/bug/1900001", "").status != 200 {
			t.Errorf("bugs meanwhile: %v", fake.Bugs())
		}
		if a := <-answered; a.status != 200 || time.Since(began) != time.Minute {
			t.Errorf("%d %s after %v", a.status, a.text, time.Since(began))
		}
	})
}

// Every request passes three moments, the effect between the first two.
func TestGateAndJournal(t *testing.T) {
	var moments []string
	fake := &fakebugzilla.Server{}
	fake.Gate = func(call, moment string) {
		moments = append(moments, call+" "+moment)
		if strings.Contains(call, "POST bug") && (moment != fakehttp.Arrived) != (len(fake.Bugs()) == 1) {
			t.Errorf("%s: %v", moment, fake.Bugs())
		}
	}
	s := httptest.NewServer(fake)
	req, _ := http.NewRequest("POST", s.URL+"/rest/bug", strings.NewReader(bug+"}"))
	req.Header.Set("X-BUGZILLA-API-KEY", fakebugzilla.Key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	s.Close() // after the last moment
	ask(t, fake, "", "GET", "/rest/bug/1900001?include_fields=id", "")
	ask(t, fake, "", "GET", "/favicon.ico", "")
	if want := []string{
		"bugzilla POST bug arrived", "bugzilla POST bug done", "bugzilla POST bug answered",
		"bugzilla GET bug arrived", "bugzilla GET bug done", "bugzilla GET bug answered",
		"bugzilla GET favicon.ico arrived", "bugzilla GET favicon.ico done", "bugzilla GET favicon.ico answered",
	}; !slices.Equal(moments, want) {
		t.Errorf("moments are %q", moments)
	}
	journal := fake.Journal()
	for i := range journal {
		if time.Since(journal[i].At) > time.Minute {
			t.Errorf("at %v", journal[i].At)
		}
		journal[i].At = time.Time{}
	}
	if want := []fakebugzilla.Entry{
		{Call: "POST bug", URI: "/rest/bug", Login: fakebugzilla.Login, Status: 200},
		{Call: "GET bug", URI: "/rest/bug/1900001?include_fields=id", Status: 200},
		{Call: "GET favicon.ico", URI: "/favicon.ico", Status: 404},
	}; !slices.Equal(journal, want) {
		t.Errorf("journal is %+v", journal)
	}
	if want := []string{"GET favicon.ico"}; !slices.Equal(fake.Unexpected(), want) {
		t.Errorf("unexpected: %q", fake.Unexpected())
	}
}

func TestChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakebugzilla.Server{}
		id := fake.Add(fakebugzilla.Bug{})
		for _, step := range []struct {
			do                           func() error
			status, resolution, assigned string
			ok                           bool
		}{
			{func() error { return fake.Assign(id, fakebugzilla.Person) }, "ASSIGNED", "", fakebugzilla.Person, true},
			{func() error { return fake.Resolve(id, "FIXED") }, "RESOLVED", "FIXED", fakebugzilla.Person, true},
			{func() error { return fake.Resolve(id, "DONE") }, "RESOLVED", "FIXED", fakebugzilla.Person, false},
			{func() error { return fake.Resolve(id+1, "FIXED") }, "RESOLVED", "FIXED", fakebugzilla.Person, false},
			{func() error { return fake.Resolve(id-1, "FIXED") }, "RESOLVED", "FIXED", fakebugzilla.Person, false},
			{func() error { return fake.Resolve(id, "") }, "REOPENED", "", fakebugzilla.Person, true},
			{func() error { return fake.Assign(id, "eve") }, "REOPENED", "", fakebugzilla.Person, false},
			{func() error { return fake.Assign(id, "") }, "NEW", "", fakebugzilla.Nobody, true},
			{func() error { return fake.Move(id, "Cloud Services", "x") }, "NEW", "", fakebugzilla.Nobody, false},
			{func() error { return fake.Move(id, fakebugzilla.Product, fakebugzilla.Component) }, "NEW", "", fakebugzilla.Nobody, true},
		} {
			before := fake.Bugs()[0]
			time.Sleep(time.Second) // in the bubble
			err := step.do()
			got := fake.Bugs()[0]
			if (err == nil) != step.ok || got.Status != step.status || got.Resolution != step.resolution || got.Assigned != step.assigned || got.Changed.After(before.Changed) != step.ok {
				t.Errorf("%v, %+v; want %+v", err, got, step)
			}
		}
	})
}
