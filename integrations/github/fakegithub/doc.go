// Package fakegithub is one repository on GitHub, as a REST server that the
// real client speaks to. It holds a graph of commits and computes from it what
// GitHub would.
//
// It is strict: a request without User-Agent or with an unknown token is
// refused, and one that it has no answer to is a 404 and is remembered by
// [Server.Unexpected]. Tokens must begin with "fake-", so that a real one never
// works by mistake.
//
// # Limitations
//
//   - Only the calls of [Coverage] are there, and they only read.
//   - Every call needs a token; GitHub answers public repositories without one.
//   - The repository cannot be private, renamed or seen by some tokens only.
//   - Commits have no files, trees or signatures: files are always empty.
//   - A short SHA has at least 7 digits. One that several commits begin with is
//     answered like an unknown one, with a 422.
//   - Ancestry follows the order in which commits were added, not their dates.
//   - Comparisons across forks ("owner:branch") are a 404.
//   - Rate limits happen when a test says so, not by counting calls.
//   - No ETags, no conditional requests, no caching headers.
package fakegithub
