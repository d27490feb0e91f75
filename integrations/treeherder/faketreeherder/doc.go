// Package faketreeherder is one deployed Treeherder app, as far as the bot
// looks at one: it says at /__version__ which commit it serves. Beside that it
// has the heartbeats and the old /revision.txt with its placeholder, and goes
// the way of a request through Treeherder's middleware: redirect to https,
// static files, refused user agents, wrong hosts, Dockerflow.
//
// # Limitations
//
//   - Only the calls of [Coverage] are there. Everything else is a 404 and is
//     remembered by [App.Unexpected]; so is HEAD.
//   - A rollout spreads its answers evenly, see [App.Share]; real pods answer in
//     any order.
//   - Nothing is compressed, and there are no HSTS and other security headers.
//   - [App.Break] stands before everything, in place of the load balancer; what
//     it says comes as JSON if it begins with a brace, else as a page.
//   - The four apps are four Apps. To serve several at one address, mount them
//     with [net/http.StripPrefix].
package faketreeherder
