package fakebugzilla_test

import (
	"strings"
	"testing"

	"thbot/integrations/bugzilla/fakebugzilla"
)

func TestPages(t *testing.T) {
	fake := &fakebugzilla.Server{}
	fake.Add(fakebugzilla.Bug{Summary: `<script>alert("1")</script>`, Description: "two\nlines <b>", CC: []string{"<i>"}, Whiteboard: "<u>"})
	fake.Add(fakebugzilla.Bug{Summary: "secret", Groups: []string{fakebugzilla.Group}})
	ask(t, fake, fakebugzilla.Key, "POST", "/rest/bug/1900001/comment", `{"comment":"<img src=x>"}`)
	if err := fake.Resolve(1900001, "FIXED"); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		target string
		status int
		has    []string
	}{
		{"/show_bug.cgi?id=1900001", 200, []string{"1900001 - &lt;script&gt;", "RESOLVED FIXED", "two\nlines &lt;b&gt;", "&lt;img src=x&gt;", "Comment 1 by thbot@example.com", "&lt;i&gt;", "&lt;u&gt;"}},
		{"/show_bug.cgi?id=1900002", 401, []string{"Access Denied"}},
		{"/show_bug.cgi?id=1900003", 404, []string{"1900003 is not a bug here"}},
		{"/show_bug.cgi?id=%3Cb%3E", 404, []string{"&lt;b&gt; is not"}},
		{"/show_bug.cgi", 404, []string{"Invalid Bug ID"}},
		{"/enter_bug.cgi?product=Cloud+Services&short_desc=%3Cscript%3E&comment=a%0Ab&groups=g&groups=h", 200, []string{"Enter Bug: Cloud Services", "&lt;script&gt;", "a\nb", "g, h"}},
		{"/enter_bug.cgi?product=%3Cb%3E", 200, []string{"Permission Denied", "&lt;b&gt;"}},
		{"/nothing.cgi?%3Cscript%3E", 404, []string{"Page Not Found"}},
	}
	for _, tt := range tests {
		a := ask(t, fake, "", "GET", tt.target, "")
		if a.status != tt.status || !strings.HasPrefix(a.kind, "text/html") {
			t.Errorf("%s: %d %s", tt.target, a.status, a.kind)
		}
		for _, want := range tt.has {
			if !strings.Contains(a.text, want) {
				t.Errorf("%s lacks %q:\n%s", tt.target, want, a.text)
			}
		}
		for _, never := range []string{"<script", "<b>", "<i>", "<u>", "<img", "secret"} {
			if strings.Contains(a.text, never) {
				t.Errorf("%s has %q", tt.target, never)
			}
		}
	}
	if u := fake.Unexpected(); len(u) != 1 || u[0] != "GET nothing.cgi" {
		t.Errorf("unexpected: %q", u)
	}
	ask(t, fake, "", "GET", "/enter_bug.cgi?product=Cloud+Services&summary=x", "")
	ask(t, fake, "", "POST", "/enter_bug.cgi", "")
	if u := fake.Unexpected(); len(u) != 3 || u[1] != "GET enter_bug.cgi: parameter summary" || u[2] != "POST enter_bug.cgi" {
		t.Errorf("unexpected: %q", u)
	}
}
