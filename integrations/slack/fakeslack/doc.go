// Package fakeslack is a workspace of Slack to test a Socket Mode app against:
// people, channels and user groups, the Web API methods the bot calls, the
// WebSocket over which Slack sends it commands and clicks, and the
// response_url each of those carries.
//
// A [Server] is an http.Handler; its zero value works once people and channels
// were added. It keeps state: what the app posts is there to be read as each
// person sees it ([Server.Messages]), and only a button that is there can be
// pressed ([Server.Press]). It is strict: what Slack refuses is refused with
// Slack's own error, and what this fake does not know is refused and
// remembered ([Server.Unexpected]), so that a test can fail for it. Nothing
// sleeps: a test waits with [Server.Await] or [Delivery.Wait]. All timing goes
// through package time, so that it runs in a testing/synctest bubble.
//
// It can be made to misbehave as Slack and networks do: [Server.DropSockets],
// [Server.Deafen], [Server.Duplicate], [Server.RateLimit], [Server.Fail],
// [Server.Lose] and [Server.SendRaw].
//
// It listens on nothing itself, keeps nothing on disk, and accepts no token
// but its own, which begin with xoxb-fake- and xapp-fake-.
//
// # Moments
//
// [Server.Gate] is called around everything that crosses the wire. HTTP calls
// are named "slack " and the method ("slack chat.postMessage", "slack
// response_url") and have the moments arrived, done and answered of package
// fakehttp. Envelopes are named "slack envelope " and their type, and have
// arrived (not yet written) and answered (written). Acks are named "slack ack
// " and the type of what they acknowledge, and have arrived (read, nothing
// shown yet) and done. A gate that holds an envelope holds those behind it on
// the same socket, and one that holds an ack holds what else that socket sends.
//
// # Limitations
//
// What is there is listed by [Coverage]. Not there, or simpler than Slack:
//
//   - No modals, App Home, direct messages, events, shortcuts, reactions,
//     pins, files, or attachments. People say things in channels and press
//     buttons; menus are validated and shown but cannot be chosen from.
//   - Of Block Kit only section, header, divider, context, actions and image,
//     with buttons, static selects, overflows and images in them. Anything
//     else is refused as invalid_blocks and remembered. Lengths are counted in
//     Unicode code points. An action_id must be unique in the whole message;
//     Slack's reference asks for that within a block only.
//   - The wording of the less common rejections of blocks, the text beside a
//     button whose press was not acknowledged, and the error for an unknown
//     response_url are this fake's own: Slack does not document them.
//   - No rate limits by itself: only those asked for with [Server.RateLimit].
//   - Tickets do not expire, connections live until they are dropped, and
//     debug_reconnects is ignored. Slack refreshes connections every few hours.
//   - A payload goes to the sockets in turn; Slack promises no pattern. One
//     whose socket closes before it was written goes to another socket; once
//     written it is lost with its socket.
//   - should_escape also escapes &, < and > in the text of a command, which
//     Slack does not document.
//   - Messages of the past cannot be loaded: history begins with the server.
//   - Unfurling, threads' reply counts and unread marks are not kept.
package fakeslack
