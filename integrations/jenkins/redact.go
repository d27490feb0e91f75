package jenkins

import "regexp"

// secretNames are how the names of secrets end.
const secretNames = `(?:pass(?:word|wd|phrase)|[_-]pass|pwd|secret|token|credentials?|(?:api|access|private|secret|signing)[_-]?key(?:[_-]?id)?)`

// secrets are what secrets look like. What the groups match is kept. Rather too
// much is taken away than too little: whoever may read the log has all of it in
// Jenkins.
var secrets = []*regexp.Regexp{
	// A PEM block, up to its end or that of the text; and the lines of one whose
	// beginning was cut off, which are nothing but base64.
	regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\z)`),
	regexp.MustCompile(`(?m)^([ \t]*)[A-Za-z0-9+/]{60,76}={0,2}[ \t\r]*$`),
	// https://user:password@host and https://token@host, but not git@host:path.
	regexp.MustCompile(`(?i)([a-z][a-z0-9+.-]*://)(?:[^\s/?#"'<>]*|[^\s/?#:"'<>]+:[^\s"'<>]*)(@)`),
	// Headers, whose values have several words.
	regexp.MustCompile(`(?i)(authorization["']?[ \t]*[:=][ \t]*["']?)[^\r\n"']+`),
	regexp.MustCompile(`(?i)(cookie["']?[ \t]*:[ \t]*["']?)[^\r\n"']+`),
	regexp.MustCompile(`(?i)(\b(?:bearer|basic)[ \t]+)[a-z0-9._~+/=-]{8,}`),
	// DB_PASSWORD=…, "client_secret": "…", api-key: … and --token …
	regexp.MustCompile(`(?i)(` + secretNames + `["']?[ \t]*(?:=>|:=|=|:)[ \t]*)(?:\[redacted\]|"[^"\n]*"|'[^'\n]*'|[^\s"'&,;)}\]]+)`),
	regexp.MustCompile(`(?i)(--?[a-z0-9_.-]*` + secretNames + `[ \t]+)(?:\[redacted\]|"[^"\n]*"|'[^'\n]*'|[^\s"'-][^\s"']*)`),
	// Tokens that say themselves what they are: of GitHub, GitLab, Slack, AWS and
	// Google, and JSON web tokens.
	regexp.MustCompile(`gh[a-z]_[A-Za-z0-9]{16,}`),
	regexp.MustCompile(`github_pat_[A-Za-z0-9_]{16,}`),
	regexp.MustCompile(`glpat-[A-Za-z0-9_-]{16,}`),
	regexp.MustCompile(`(?:xox[a-z]|xapp)-[A-Za-z0-9-]{8,}`),
	regexp.MustCompile(`(hooks\.slack\.com/)[^\s"'<>]+`),
	regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b`),
	regexp.MustCompile(`AIza[A-Za-z0-9_-]{30,}`),
	regexp.MustCompile(`ya29\.[A-Za-z0-9._-]{16,}`),
	regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?`),
}

// Redact returns text, of one line or of many, with "[redacted]" instead of
// what looks like a secret: credentials in URLs, headers and assignments, tokens
// of well-known makes, keys. It cannot know a secret that looks like nothing.
func Redact(text string) string {
	for _, looks := range secrets {
		text = looks.ReplaceAllString(text, "${1}[redacted]${2}") // a group that is not there is empty
	}
	return text
}
