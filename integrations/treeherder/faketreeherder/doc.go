// Package faketreeherder is one deployed Treeherder app, as far as the bot
// looks at one: it says at /__version__ which commit it serves.
//
// # Limitations
//
//   - Only GET /__version__ is there. Everything else, /revision.txt and the
//     heartbeats too, is a 404 and is remembered by [App.Unexpected].
//   - It does not check the Host header (Django's ALLOWED_HOSTS) and does not
//     redirect http to https.
//   - A rollout alternates strictly; real pods answer in any order.
//   - The four apps are four Apps. To serve several at one address, mount them
//     with [net/http.StripPrefix].
package faketreeherder
