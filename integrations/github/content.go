package github

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"

	"thbot/bot"
	"thbot/integrations/internal/web"
)

const (
	mostBytes   = 1 << 20 // of a file
	mostEntries = 1000    // that GitHub lists of a directory (docs.github.com, "Get repository content")
)

// Entry is a file in a [Client.Tree].
type Entry struct {
	Path string `json:"path"` // from the top of the repository
	Blob string `json:"blob"` // its content, for [Client.Blob]
	Size int    `json:"size"`
}

// Tree lists the files in a directory and below it, in a commit given by its
// full SHA; anything else is a *RefError. What are no files, symbolic links and
// submodules, is left out. It takes two calls, so the directory above several
// ones is better asked for than each of them. The error wraps [bot.ErrNotFound]
// when commit or directory are not there, and [ErrTooMuch] when GitHub cuts the
// list off.
func (c *Client) Tree(ctx context.Context, sha, under string) ([]Entry, error) {
	activity := fmt.Sprintf("listing %s at %s", under, sha)
	at, err := c.lookUp(ctx, activity, sha, under)
	if err != nil {
		return nil, err
	}
	if kind := kind(at); kind != "dir" {
		return nil, c.refused(activity, fmt.Errorf("it is a %.40s, not a directory", kind))
	}
	got, resp, err := c.gh.Git.GetTree(ctx, c.owner, c.name, at.GetSHA(), true)
	switch {
	case err != nil:
		return nil, vanished(c.wrong(activity, resp, err))
	case got.SHA == nil || got.Entries == nil || got.Truncated == nil:
		return nil, c.nonsense(activity, errNothing)
	case got.GetSHA() != at.GetSHA():
		return nil, c.nonsense(activity, fmt.Errorf("the answer is about %q", got.GetSHA()))
	case got.GetTruncated():
		return nil, c.refused(activity, fmt.Errorf("%w: GitHub cuts the list off", ErrTooMuch))
	}
	list := []Entry{}
	for _, e := range got.Entries {
		entry := Entry{path.Join(under, e.GetPath()), e.GetSHA(), e.GetSize()}
		if !fs.ValidPath(e.GetPath()) || !fullSHA.MatchString(entry.Blob) {
			return nil, c.nonsense(activity, fmt.Errorf("the answer has a file %.200q with the content %.80q", e.GetPath(), entry.Blob))
		}
		if e.GetType() == "blob" && (e.GetMode() == "100644" || e.GetMode() == "100755") {
			list = append(list, entry)
		}
	}
	return list, nil
}

// Dirs are the directories that hold some of the files and match the pattern, as
// "treeherder/*/migrations", in alphabetical order. The syntax is that of
// [path.Match], which says what is wrong with a pattern.
func Dirs(files []Entry, pattern string) ([]string, error) {
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, err
	}
	var list []string
	for _, e := range files {
		dir := path.Dir(e.Path)
		if fits, _ := path.Match(pattern, dir); fits {
			list = append(list, dir)
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// Content is what a file holds in a commit given by its full SHA; anything else,
// and what cannot be a path, is a *RefError. The error wraps [bot.ErrNotFound]
// when commit or file are not there, and [ErrTooMuch] for more than a megabyte.
// Directories, symbolic links and submodules are refused.
func (c *Client) Content(ctx context.Context, sha, name string) ([]byte, error) {
	activity := fmt.Sprintf("reading %s at %s", name, sha)
	at, err := c.lookUp(ctx, activity, sha, name)
	if err != nil {
		return nil, err
	}
	if kind := kind(at); kind != "file" {
		return nil, c.refused(activity, fmt.Errorf("it is a %.40s, not a file", kind))
	}
	data, wrong := c.blob(ctx, activity, at.GetSHA())
	if wrong != nil {
		return nil, vanished(wrong)
	}
	return data, nil
}

// kind is file, dir, symlink or submodule. In a list GitHub calls a submodule a
// "file", but that has no blob (docs.github.com, "Get repository content").
func kind(at *github.RepositoryContent) string {
	if at.GetType() == "file" && !strings.HasSuffix(at.GetGitURL(), "/git/blobs/"+at.GetSHA()) {
		return "submodule"
	}
	return at.GetType()
}

// vanished takes back that something is not there, which was seen a moment ago.
func vanished(e *web.Error) *web.Error {
	if errors.Is(e, bot.ErrNotFound) {
		e.Err, e.Final = errors.New("listed, but not to be had"), false
	}
	return e
}

// Blob is what a file with that blob SHA holds. It never changes, so it may be
// kept. Anything but a full SHA is a *RefError; the error wraps
// [bot.ErrNotFound] when there is none, and [ErrTooMuch] for more than a
// megabyte.
func (c *Client) Blob(ctx context.Context, sha string) ([]byte, error) {
	if !fullSHA.MatchString(sha) {
		return nil, &RefError{sha, "is not a blob: a blob is 40 of the digits 0-9 and a-f"}
	}
	data, wrong := c.blob(ctx, "reading blob "+sha, sha)
	if wrong != nil {
		return nil, wrong
	}
	return data, nil
}

func (c *Client) blob(ctx context.Context, activity, sha string) ([]byte, *web.Error) {
	got, resp, err := c.gh.Git.GetBlob(ctx, c.owner, c.name, sha)
	switch {
	case err != nil:
		return nil, c.wrong(activity, resp, err)
	case got.Content == nil || got.Size == nil || got.GetEncoding() != "base64":
		return nil, c.nonsense(activity, errNothing)
	case got.GetSize() > mostBytes:
		return nil, c.refused(activity, fmt.Errorf("%w: it has %d bytes", ErrTooMuch, got.GetSize()))
	}
	data, err := base64.StdEncoding.DecodeString(got.GetContent())
	if err != nil {
		return nil, c.nonsense(activity, err)
	}
	// The name of a blob is made of what it holds (git-scm.com, "Git Internals -
	// Git Objects").
	sum := sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(data), data))
	if is := hex.EncodeToString(sum[:]); is != sha {
		return nil, c.nonsense(activity, fmt.Errorf("the answer is blob %s", is))
	}
	return data, nil
}

// lookUp finds a file or directory in the list of the directory that it is in.
// Asked for it directly, GitHub answers for a symbolic link with the file that
// it leads to.
func (c *Client) lookUp(ctx context.Context, activity, sha, name string) (*github.RepositoryContent, error) {
	if err := full(sha); err != nil {
		return nil, err
	}
	if err := file(name); err != nil {
		return nil, err
	}
	dir := path.Dir(name)
	if dir == "." {
		dir = ""
	}
	one, list, resp, err := c.gh.Repositories.GetContents(ctx, c.owner, c.name, dir, &github.RepositoryContentGetOptions{Ref: sha})
	switch {
	case err != nil:
		return nil, c.wrong(activity, resp, err)
	case one.GetType() != "" && one.GetPath() == dir:
		return nil, c.refused(activity, fmt.Errorf("%.200q is no directory", dir))
	case len(list) == 0: // git has no empty directories
		return nil, c.nonsense(activity, errNothing)
	}
	var found *github.RepositoryContent
	for _, e := range list {
		if e.GetName() == "" || e.GetPath() != path.Join(dir, e.GetName()) || !fullSHA.MatchString(e.GetSHA()) {
			return nil, c.nonsense(activity, fmt.Errorf("the answer has a file %.200q with the content %.80q", e.GetPath(), e.GetSHA()))
		}
		if e.GetPath() == name {
			found = e
		}
	}
	switch {
	case found == nil && len(list) >= mostEntries:
		return nil, c.refused(activity, fmt.Errorf("%w: GitHub lists %d files of a directory", ErrTooMuch, mostEntries))
	case found == nil:
		return nil, c.refused(activity, bot.ErrNotFound)
	}
	return found, nil
}
