package jenkins

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// CommitFrom says where a run carries the commit that it deploys. Exactly one
// of its fields is set. Jenkins' own idea of "the commit of a run" is no use:
// it may be the infrastructure's, or that of a shared library.
type CommitFrom struct {
	// Parameter is the name of a parameter whose value is a commit or an image
	// tag made from one, such as "master-445ee07".
	Parameter string `json:"parameter,omitempty" yaml:"parameter"`
	// DisplayName is a regular expression for the run's display name; its one
	// group holds the commit, or an image tag made from it.
	DisplayName string `json:"display_name,omitempty" yaml:"display_name"`
	// Git is the URL of the repository whose checkout counts. The forms
	// https://host/path.git and git@host:path are the same repository.
	Git string `json:"git,omitempty" yaml:"git"`
	// Revision takes what a branch job says it was started for.
	Revision bool `json:"revision,omitempty" yaml:"revision"`
}

// ErrNoCommit is wrapped by the error for a run that does not carry exactly one
// commit where the rule says.
var ErrNoCommit = errors.New("the commit of the run cannot be told")

// Validate says what is wrong with the rule itself.
func (f CommitFrom) Validate() error {
	set := 0
	for _, is := range []bool{f.Parameter != "", f.DisplayName != "", f.Git != "", f.Revision} {
		if is {
			set++
		}
	}
	if set != 1 {
		return fmt.Errorf("%d of parameter, display_name, git and revision are set; it must be exactly one", set)
	}
	if f.DisplayName != "" {
		re, err := regexp.Compile(f.DisplayName)
		if err != nil {
			return fmt.Errorf("reading display_name: %w", err)
		}
		if re.NumSubexp() != 1 {
			return fmt.Errorf("display_name %q has %d groups; it must have exactly one, around the commit", f.DisplayName, re.NumSubexp())
		}
	}
	return nil
}

// Commit returns the commit that run deploys: 40 hexadecimal digits, or at
// least 7 where the run carries no more. It never guesses: none, or several
// different ones, is an error wrapping [ErrNoCommit].
func (f CommitFrom) Commit(run Run) (string, error) {
	if err := f.Validate(); err != nil {
		return "", err
	}
	no := func(format string, args ...any) (string, error) {
		return "", fmt.Errorf("run %d: %w: %s", run.Number, ErrNoCommit, fmt.Sprintf(format, args...))
	}
	var text string
	switch {
	case f.Parameter != "":
		var values []string
		for _, p := range run.Parameters {
			if p.Name == f.Parameter && !slices.Contains(values, p.Value) {
				values = append(values, p.Value)
			}
		}
		if len(values) != 1 {
			return no("%d values for parameter %s", len(values), f.Parameter)
		}
		text = values[0]
	case f.DisplayName != "":
		m := regexp.MustCompile(f.DisplayName).FindStringSubmatch(run.DisplayName)
		if m == nil {
			return no("display name %q does not match", run.DisplayName)
		}
		text = m[1]
	case f.Git != "":
		var shas []string
		for _, g := range run.Git {
			same := func(remote string) bool { return repository(remote) == repository(f.Git) }
			if slices.ContainsFunc(g.Remotes, same) && !slices.Contains(shas, g.SHA) {
				shas = append(shas, g.SHA)
			}
		}
		if len(shas) != 1 {
			return no("%d commits checked out of %s", len(shas), f.Git)
		}
		text = shas[0]
	case f.Revision:
		text = run.Revision
	}
	commits := commitsIn(text)
	if len(commits) != 1 {
		return no("%q holds %d commits", text, len(commits))
	}
	return commits[0], nil
}

// commitsIn returns the different commits that are whole words of text. Full
// ones win: beside one, a date such as 20261122 is not taken for another.
func commitsIn(text string) []string {
	var full, short []string
	words := strings.FieldsFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	for _, w := range words {
		switch {
		case len(w) < 7, strings.Trim(w, "0123456789abcdef") != "":
		case len(w) == 40 && !slices.Contains(full, w):
			full = append(full, w)
		case len(w) < 40 && !slices.Contains(short, w):
			short = append(short, w)
		}
	}
	if full != nil {
		return full
	}
	return short
}

// repository is the same for all the ways to write a repository's URL.
func repository(remote string) string {
	if _, rest, ok := strings.Cut(remote, "://"); ok {
		remote = rest
	} else if host, path, ok := strings.Cut(remote, ":"); ok { // git@host:path
		remote = host + "/" + path
	}
	host, path, _ := strings.Cut(remote, "/")
	if _, rest, ok := strings.Cut(host, "@"); ok {
		host = rest
	}
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	return strings.ToLower(host + "/" + path)
}
