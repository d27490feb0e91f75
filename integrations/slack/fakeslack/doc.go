// Package fakeslack is a workspace of Slack to test a Socket Mode app against:
// people, channels and user groups, the Web API methods the bot calls, the
// WebSocket over which Slack sends it commands and clicks, and the
// response_url each of those carries.
//
// A [Server] is an http.Handler; its zero value works once people and channels
// were added. It keeps state: what the app posts is there to be read as each
// person sees it ([Server.Messages], [Server.Threads], [Server.View],
// [Server.Home]), and only what is there can be used: [Server.Press],
// [Server.Choose], [Server.Submit], [Server.CloseView]. It is strict: what
// Slack refuses is refused with Slack's own error, and what this fake does not
// know is refused and remembered ([Server.Unexpected]), so that a test can
// fail for it. Nothing sleeps: a test waits with [Server.Await] or
// [Delivery.Wait]. All timing goes through package time, so that it runs in a
// testing/synctest bubble.
//
// What an app has to be configured for in Slack is a field of the Server: its
// scopes, its command and shortcuts, and the events it is told of.
//
// It can be made to misbehave as Slack and networks do: [Server.DropSockets],
// [Server.Deafen], [Server.Duplicate], [Server.RateLimit], [Server.Fail],
// [Server.Refuse], [Server.RefuseDMs], [Server.Lose], [Server.LoseAcks] and
// [Server.SendRaw].
//
// It listens on nothing itself, keeps nothing on disk, and accepts no token
// but its own, which begin with xoxb-fake- and xapp-fake-.
//
// The app in bolttest, made with Slack's own framework, is run against it, and
// TestContract can be run against Slack itself: go test -run TestContract -real.
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
//   - No files, attachments, canvases, lists, calls, workflows, scheduled or
//     streamed messages, unfurling, group direct messages, and no direct
//     messages between people. Channels are made by the test.
//   - Of Block Kit: section, header, divider, context, actions, input, image,
//     context_actions, rich_text, markdown, table, file, container, card,
//     carousel, alert, plan and task_card; of elements all but external
//     selects, files, rich text inputs and workflow buttons. Anything else is
//     refused as invalid_blocks and remembered. Lengths are counted in Unicode
//     code points. An action_id must be unique in the whole message; Slack's
//     reference asks for that within a block only. Rich text is checked down
//     to its sections, not to what is in them; markdown becomes one section of
//     plain text. The filter, default_to_current_conversation and
//     response_url_enabled of menus are accepted and do nothing.
//   - The wording of the less common rejections of blocks and views, the codes
//     beside those of blocks.validate, what a person sees beside a button or
//     after a shortcut that was not acknowledged, and the error for an unknown
//     response_url are this fake's own: Slack does not document them.
//   - A modal that is opened while another is there replaces it. A call that is
//     refused does not use its trigger_id up. Slack documents neither.
//   - The topic of a channel is what it was set to: nothing is escaped or marked
//     up that a program sets. Of Slack's own commands there is /topic alone, and
//     the text of the message that says a topic was cleared is not documented.
//   - Nobody becomes away by doing nothing, and quiet hours are one time, not
//     every night. Whether what somebody pauses by hand shows in dnd.info to
//     others Slack does not say: here it does ([Server.SetDND]).
//   - Somebody who was deactivated can be written to where that had begun
//     before; Slack's people say so, its reference does not.
//   - What people say carries no rich_text block. Of events there are
//     app_mention, app_home_opened, reaction_added and message.channels,
//     .groups and .im; being invited with a mention is not one. Each attempt is
//     an envelope of its own; over Socket Mode Slack documents neither that
//     nor the schedule, which is that of the Events API over HTTP.
//   - No rate limits but those asked for with [Server.RateLimit] or Tiers.
//     Slack tolerates bursts, of unpublished sizes; with Tiers there are none.
//     The limit of events per hour is not there.
//   - Tickets do not expire, and connections live until they are dropped unless
//     Life is set. Slack refreshes them every few hours.
//   - A payload goes to the sockets in turn; Slack promises no pattern. One
//     whose socket closes before it was written goes to another socket; once
//     written it is lost with its socket, and only events are sent again.
//   - should_escape also escapes &, < and > in the text of a command, which
//     Slack does not document.
//   - Messages of the past cannot be loaded: history begins with the server.
//     Unread marks are not kept.
package fakeslack
