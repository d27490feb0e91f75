package jenkins_test

import (
	"strings"
	"testing"

	"thbot/integrations/jenkins"
)

func TestRedact(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"user and password in a URL", "fetch https://ana:hunter2@git.example/x.git", "fetch https://[redacted]@git.example/x.git"},
		{"token in a URL", "https://ghs_x@github.com/x", "https://[redacted]@github.com/x"},
		{"password with a slash in a URL", "mysql://th:p/w?d@db.example:3306/th", "mysql://[redacted]@db.example:3306/th"},
		{"password with an at in a URL", "redis://:p@ss@cache:6379", "redis://[redacted]@cache:6379"},
		{"two URLs", "http://a:b@c/ http://d:e@f/", "http://[redacted]@c/ http://[redacted]@f/"},
		{"header", "> Authorization: Bearer abc.def-ghi", "> Authorization: [redacted]"},
		{"header in quotes", `curl -H "Authorization: Basic dTpw" https://x`, `curl -H "Authorization: [redacted]" https://x`},
		{"header of a proxy", "Proxy-Authorization: Negotiate YII", "Proxy-Authorization: [redacted]"},
		{"cookie", "Set-Cookie: JSESSIONID=node0abc; Path=/", "Set-Cookie: [redacted]"},
		{"bearer alone", "sent bearer abcdefgh12345", "sent bearer [redacted]"},
		{"variable", "DB_PASSWORD=hunter2 ./manage.py", "DB_PASSWORD=[redacted] ./manage.py"},
		{"variable in quotes", `export TOKEN="one two" X=1`, `export TOKEN=[redacted] X=1`},
		{"parameter", "GET /x?access_token=abc&y=1", "GET /x?access_token=[redacted]&y=1"},
		{"JSON", `{"client_secret": "abc", "y": 1}`, `{"client_secret": [redacted], "y": 1}`},
		{"YAML", "  api-key: abc", "  api-key: [redacted]"},
		{"Go", "passphrase := 'abc'", "passphrase := [redacted]"},
		{"flag", "vault login --token s.abc --verbose", "vault login --token [redacted] --verbose"},
		{"flag without value", "docker login --password-stdin x", "docker login --password-stdin x"},
		{"AWS", "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=wJalr/XUtn", "AWS_ACCESS_KEY_ID=[redacted] AWS_SECRET_ACCESS_KEY=[redacted]"},
		{"AWS alone", "key AKIAIOSFODNN7EXAMPLE", "key [redacted]"},
		{"GitHub", "remote: ghp_abcdefghijklmnop0123 and github_pat_11ABCDEFG0_abcdefghijkl", "remote: [redacted] and [redacted]"},
		{"GitHub after a name", "x_ghs_abcdefghijklmnop0123", "x_[redacted]"},
		{"GitLab", "glpat-abcdefghijklmnop0123", "[redacted]"},
		{"Slack", "xoxb-12345678-abc xapp-1-A012-345", "[redacted] [redacted]"},
		{"Slack's webhook", "https://hooks.slack.com/services/T0/B0/xyz ok", "https://hooks.slack.com/[redacted] ok"},
		{"Google", "AIzaSyA0123456789abcdefghijklmnopqrstuv ya29.a0AfH6SMBabcdefgh", "[redacted] [redacted]"},
		{"JSON web token", "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_def", "got [redacted]"},
		{"PEM", "a\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\nb", "a\n[redacted]\nb"},
		{"PEM in one line", `key: "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----" b`, `key: "[redacted]" b`},
		{"PEM without end", "-----BEGIN PRIVATE KEY-----\nMIIB\n", "[redacted]"},
		{"PEM without beginning", "  " + strings.Repeat("Ab+/", 16) + "\nQQ==\n-----END PRIVATE KEY-----", "  [redacted]\nQQ==\n-----END PRIVATE KEY-----"},
		{"value on the next line", "password:\nnext", "password:\nnext"},

		{"nothing", "", ""},
		{"commit", "Checking out Revision 445ee07fbc1a9e7cf3ec5b4d9eaf4a0d1a7a3c11 (origin/master)", "Checking out Revision 445ee07fbc1a9e7cf3ec5b4d9eaf4a0d1a7a3c11 (origin/master)"},
		{"ssh remote", "git fetch git@github.com:mozilla/treeherder.git", "git fetch git@github.com:mozilla/treeherder.git"},
		{"port and path", "GET https://treeherder.mozilla.org:443/api/x?y=1 200", "GET https://treeherder.mozilla.org:443/api/x?y=1 200"},
		{"image", "Pulled mozilla/treeherder:master@sha256:0123abcd", "Pulled mozilla/treeherder:master@sha256:0123abcd"},
		{"tests", "PASS: test_push (3 passed)\n--- bypass", "PASS: test_push (3 passed)\n--- bypass"},
		{"sentence", "The password was not accepted; see the token endpoint", "The password was not accepted; see the token endpoint"},
		{"certificate's error", "x509: certificate signed by unknown authority", "x509: certificate signed by unknown authority"},
	} {
		got := jenkins.Redact(tt.text)
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if again := jenkins.Redact(got); again != got {
			t.Errorf("%s, a second time: %q", tt.name, again)
		}
	}
}

// A secret does not come through, whatever stands around it.
func FuzzRedact(f *testing.F) {
	f.Add("", " ")
	f.Add("x=", "&y")
	f.Add("https://", "/")
	f.Fuzz(func(t *testing.T, before, after string) {
		for _, secret := range []string{"ghp_abcdefghijklmnop0123", "xoxb-12345678-abcdef", "glpat-abcdefghijklmnop0123"} {
			if got := jenkins.Redact(before + secret + after); strings.Contains(got, secret) {
				t.Errorf("%q is in %q", secret, got)
			}
		}
	})
}
