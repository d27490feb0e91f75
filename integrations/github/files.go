package github

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/google/go-github/v60/github"
)

// File is a file that a commit changes.
type File struct {
	Path     string     `json:"path"`
	Previous string     `json:"previous,omitempty"` // where it was, if Renamed or Copied
	Status   FileStatus `json:"status"`
	Blob     string     `json:"blob,omitempty"` // its content, for [Client.Blob]; of a Removed file the last one
}

// FileStatus is what a commit does to a file.
type FileStatus string

// What there is; a file that is Changed has only other permissions or another
// type.
const (
	Added     FileStatus = "added"
	Modified  FileStatus = "modified"
	Removed   FileStatus = "removed"
	Renamed   FileStatus = "renamed"
	Copied    FileStatus = "copied"
	Changed   FileStatus = "changed"
	Unchanged FileStatus = "unchanged"
)

// mostFiles is how many files of a commit GitHub lists, over all pages. It does
// not say when there are more (docs.github.com, "Get a commit").
const mostFiles = 3000

// Files lists what the commit with that full SHA changes, against its first
// parent; anything but a full SHA is a *RefError. The list never changes, so it
// may be kept. The error wraps [bot.ErrNotFound] when the commit is not there.
// When there may be more files than the 3,000 that GitHub lists, these come with
// an error that wraps [ErrTooMuch].
func (c *Client) Files(ctx context.Context, sha string) ([]File, error) {
	if err := full(sha); err != nil {
		return nil, err
	}
	activity := "reading the files of " + sha
	files, seen := []File{}, map[string]bool{}
	for n := 1; n != 0; {
		if n > mostFiles/perPage {
			return nil, c.nonsense(activity, fmt.Errorf("there is a page %d", n))
		}
		got, resp, err := c.gh.Repositories.GetCommit(ctx, c.owner, c.name, sha, &github.ListOptions{Page: n, PerPage: perPage})
		switch {
		case err != nil:
			return nil, c.unknown(activity, resp, err)
		case got.SHA == nil || got.Files == nil:
			return nil, c.nonsense(activity, errNothing)
		case got.GetSHA() != sha:
			return nil, c.nonsense(activity, fmt.Errorf("the answer is about %q", got.GetSHA()))
		}
		for _, f := range got.Files {
			file, err := change(f)
			if err == nil && seen[file.Path] {
				err = fmt.Errorf("file %.200q is there twice", file.Path)
			}
			if err != nil {
				return nil, c.nonsense(activity, err)
			}
			seen[file.Path] = true
			files = append(files, file)
		}
		if next := resp.NextPage; next != 0 && next != n+1 {
			return nil, c.nonsense(activity, fmt.Errorf("page %d follows page %d", next, n))
		}
		n = resp.NextPage
	}
	if len(files) >= mostFiles {
		return files, c.refused(activity, fmt.Errorf("%w: GitHub lists %d files of a commit", ErrTooMuch, mostFiles))
	}
	return files, nil
}

func change(f *github.CommitFile) (File, error) {
	out := File{Path: f.GetFilename(), Previous: f.GetPreviousFilename(), Status: FileStatus(f.GetStatus()), Blob: f.GetSHA()}
	if !fs.ValidPath(out.Path) || out.Blob != "" && !fullSHA.MatchString(out.Blob) {
		return out, fmt.Errorf("the answer has a file %.200q with the content %.80q", out.Path, out.Blob)
	}
	switch out.Status {
	case Added, Modified, Removed, Changed, Unchanged:
		out.Previous = ""
	case Renamed, Copied:
		if !fs.ValidPath(out.Previous) {
			return out, fmt.Errorf("%.200q was at %.200q", out.Path, out.Previous)
		}
	default:
		return out, fmt.Errorf("%.200q is %.40q", out.Path, out.Status)
	}
	return out, nil
}
