package secretlike

import (
	"strings"
	"testing"
)

func TestFound(t *testing.T) {
	for _, text := range []string{
		// Said in passing.
		"password: hunter2",
		"Password : correcthorse",
		"the password is hunter2, please set it",
		"pwd=letmein",
		"PULSE_PASSWORD=abc",
		"DB_PASSWORD = 'abc def'",
		`{"password": "hunter2"}`,
		"password:\nhunter2",
		"**Password:** hunter2",
		"`token`: `abcd1234`",
		"the API key is 7f3Gh and it works",
		"api-key=zzz",
		"client_secret: gfhj_sdf",
		"passphrase => open sesame",
		"credentials: bea/hunter2",
		// In an address.
		"mysql://user:pw@host",
		"mysql://th_admin:s3cret@35.247.25.202/treeherder",
		"DATABASE_URL is psql://u:p@db/treeherder",
		"https://bea:hunter2@jenkins.example/job/x",
		"https://example.com/hook?token=abcdef",
		// In a command or a statement.
		"mysql -u bea -phunter2 treeherder",
		"mysqldump --password=hunter2 treeherder",
		"curl -u bea:11aabbcc https://jenkins.example/",
		"CREATE USER 'x' IDENTIFIED BY 'hunter2'",
		"curl -H 'Authorization: Bearer abc.def'",
		"Bearer abcdef0123456789",
		// By its looks.
		"-----BEGIN RSA PRIVATE KEY-----\nMIIE",
		"-----BEGIN PGP PRIVATE KEY BLOCK-----",
		"xoxb-12-ab",
		"use ghp_0123456789abcdefghij for it",
		"github_pat_11AA",
		"AKIAIOSFODNN7EXAMPLE",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
		"it is 11d3b6f2a7c94e58b0a1c2d3e4f5a6b7c8",                            // of Jenkins
		strings.Repeat("0123456789abcdef", 4)[:60],                            // token_hex(30)
		"q9Xw+Rb2mZ7/Kd4LtYv8Hs3NcPfUe6Ja1GoTxBiQ",                            // of AWS
		"d2h5IGFyZSB5b3UgcmVhZGluZyB0aGlzPw4K",                                // base64
		"(Zx8Kq2Lm9Vt4Rw7Yp1Nc6Bd3)",                                          // in brackets
		"key Vx7rT2qLk9mNw3Zp8sYb4Hd6Jf1Gc5Ae see https://example.com/page/1", // beside a link
	} {
		if Found(text) == "" {
			t.Errorf("nothing was found in %q", text)
		}
	}
}

func TestNotFound(t *testing.T) {
	for _, text := range []string{
		"",
		"the password must be rotated",
		"The password of th_admin is wrong.",
		"The password is unknown to us; cloudOps has it.",
		"It is a secret: ask bea how to hand it over.",
		"Password: see bug 1790001",
		"token: none",
		"Password:  ",
		"Password: ***",
		"DATABASE_PASSWORD=$DATABASE_PASSWORD",
		"mysql://<name>:<password>", // without a host it is the documentation's
		"set PASSWORD=<yours>",
		"Who has the API key?",
		"MAX_TOKENS: 4096",
		"passwords: all of them",
		"The secretary: bea",
		"A basic knowledge of SQL; the bearer of bad news",
		"basic understanding",
		"commit 9f8e7d69f8e7d69f8e7d69f8e7d69f8e7d69f8e7 and 9f8e7d6",
		"9f8e7d69f8e7d69f8e7d69f8e7d69f8e7d69f8e7.",
		"bug 1790001, https://bugzilla.mozilla.org/show_bug.cgi?id=1790001",
		"https://treeherder.mozilla.org/jobs?repo=autoland&revision=9f8e7d69f8e7d69f8e7d69f8e7d69f8e7d69f8e7",
		"https://docs.google.com/document/d/1Aa2Bb3Cc4Dd5Ee6Ff7Gg8Hh9Ii0Jj1Kk2Ll/edit",
		"mozilla/treeherder@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"fN1SbArXTPSVFNUvaOlinQ",               // a task
		"4d1b5c9e-7a66-4d55-9c0e-2f1f7b8a9c0d", // a UUID
		"TestPushHealthCacheV2Invalidation",
		"ui/job-view/details/tabs/FailureSummaryTab2.jsx",
		"PERFHERDER_ENABLE_MULTIDATA_INGESTION, PROXY_BASIC_AUTH_2",
		"moz-fx-treeherder-prod-c739:us-west1:treeherder-prod-v2-replica-1",
		"SELECT id, result FROM treeherder.job WHERE last_modified > '2026-10-01 00:00:00'",
		"bea@mozilla.com, cid@mozilla.com",
		"gcp-pipelines/treeherder/treeherder-production: answer its input",
		"Raise WEB_CONCURRENCY from 4 to 8",
		"Wir brauchen längere Zeitüberschreitungen für Datenbankabfragen",
	} {
		if what := Found(text); what != "" {
			t.Errorf("%q holds %s", text, what)
		}
	}
}

// What is found in a file or a log is found by its looks alone.
func TestCredential(t *testing.T) {
	for text, want := range map[string]bool{
		"xoxb-1-B0": true, "mysql://u:p@h": true, "mysql:u:p@tcp(h)/d": true, "-----BEGIN PRIVATE KEY-----": true,
		"password: hunter2": false, "basic knowledge": false, "mysql:u@tcp(h:1)/d": false,
	} {
		if got := Credential(text); got != want {
			t.Errorf("Credential(%q) = %v", text, got)
		}
	}
	if got := Redact("a Bearer abcdef12 and ghp_x.", "…"); got != "a … and …" {
		t.Error(got)
	}
}

// A word of any length and of any characters is looked at without a panic.
func FuzzFound(f *testing.F) {
	f.Add("password:")
	f.Add("token is ``")
	f.Add("secret=\n")
	f.Fuzz(func(_ *testing.T, text string) { Found(text) })
}
