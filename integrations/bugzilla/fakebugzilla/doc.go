// Package fakebugzilla is a Bugzilla as bugzilla.mozilla.org runs it (BMO), as
// far as the bot uses one: a server of its REST API that the real client speaks
// to, and of the two pages that the bot links to.
//
// It is strict: a wrong API key is refused, and after five in a minute the
// address is blocked; products, components, versions, types, groups, people and
// lengths are checked and refused with Bugzilla's own codes and words; an
// address above 8 KiB is a 414. What it has no answer to, it answers as
// Bugzilla would and remembers in [Server.Unexpected]. Keys must begin with
// "fake-", so that a real one never works by mistake.
//
// # Limitations
//
//   - Only the calls of [Coverage] are there, with the limits stated there. Bugs
//     are changed with methods, such as [Server.Resolve].
//   - The rate limits are those of wrong keys alone. [RateLimited] plays another.
//   - A field that a bug does not have makes Bugzilla fail in its database. With
//     which code and words is not documented; those here are a guess.
//   - Everybody who can file a bug may restrict it to the groups of the product.
//     Groups hold the accounts that say so; nobody is in one by another.
//   - needinfo is the only flag. Bugs have no aliases, attachments, history,
//     dependencies, keywords and mail.
//   - Searches compare whole words of the whiteboard as parts of it, without
//     regard to case, and know nothing of quotes.
//   - The pages are for reading: nobody is logged in on them, and the form cannot
//     be sent off.
//   - It checks no Content-Type of what is sent beyond its being JSON, answers
//     nothing but JSON, and has no ETags.
package fakebugzilla
