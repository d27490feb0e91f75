// Package fakegithub is some repositories on GitHub, as a server of its REST
// API and a little of its GraphQL API that the real client speaks to. It keeps
// commits as git does and computes from them what GitHub would: ids of blobs,
// trees and commits, ancestry, comparisons, files with renames, fast forwards.
//
// It is strict: a request without User-Agent or with an unknown token is
// refused, a token with permissions needs them, and what it has no answer to is
// a 404, or an error of GraphQL, and is remembered by [Server.Unexpected].
// Tokens must begin with "fake-", or be made by it for a GitHub App, so that a
// real one never works by mistake. Calls are counted and limited as GitHub
// counts them.
//
// # Limitations
//
//   - Only the calls of [Coverage] are there, with the limits stated there. Of
//     writes there are refs, pull requests and tokens; commits, statuses and
//     check runs are made with the methods of [Repo].
//   - A commit with a SHA given in its [CommitSpec] has that SHA, whatever git
//     would say; its tree and blobs have their own ids even so. All commits are
//     at UTC, none is signed.
//   - Files are ordinary ones: no executables, symbolic links and submodules.
//     Changes have counts of lines but no patch. Renames are found by the share of
//     common lines; git goes by chunks of bytes, so near one half they differ.
//   - Tags are lightweight. A short SHA has at least 7 digits; one that several
//     commits begin with is answered like an unknown one, with a 422. The names
//     of refs in paths are whole.
//   - Ancestry follows the order in which commits were added, not their dates.
//   - There are no forks: "owner:branch" of another owner is a 404.
//   - GitHub's words for a refused push to a protected branch are not documented.
//     Status and wording here are those that people have reported; a client
//     should go by neither. To a lost race updateRefs has been seen to answer only
//     that something went wrong, without a type; here it says where the ref is.
//   - Protection binds everybody, admins too. Rulesets have six kinds of rules
//     and no enforcement but active; they do not bind tags.
//   - A token with permissions needs them for public repositories too, where
//     GitHub lets it read more. A classic token has no scopes but may what its
//     person may. There are no teams and organizations.
//   - The secondary limit is points a minute, a GraphQL call costing five. That of
//     concurrent calls and of content an hour are not there; [Server.RateLimited]
//     plays them. Wrong tokens are not counted.
//   - ETags do not outlive a change elsewhere in the answer, and there is no
//     Last-Modified.
//   - In GraphQL one operation is understood, without fragments, directives,
//     numbers and enumerations; types of variables are not checked.
package fakegithub
