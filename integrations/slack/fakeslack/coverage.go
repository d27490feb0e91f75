package fakeslack

// Support says how much of a call there is.
type Support string

// How much there is.
const (
	Supported Support = "supported"
	Partly    Support = "partly"
	No        Support = "no"
)

// Row is a line of the coverage table.
type Row struct {
	Call    string // as in the journal
	Support Support
	Note    string
}

// Coverage lists what of Slack there is.
func Coverage() []Row {
	return []Row{
		{"slack apps.connections.open", Supported, ""},
		{"slack hello", Supported, ""},
		{"slack auth.test", Supported, ""},
		{"slack chat.postMessage", Partly, "no attachments, custom names or group direct messages"},
		{"slack chat.update", Partly, "no attachments; no edit window"},
		{"slack chat.postEphemeral", Partly, "no attachments"},
		{"slack chat.getPermalink", Supported, ""},
		{"slack blocks.validate", Partly, "the codes beside the messages are this fake's own"},
		{"slack conversations.info", Supported, ""},
		{"slack conversations.history", Supported, ""},
		{"slack conversations.replies", Supported, ""},
		{"slack conversations.list", Partly, "no group direct messages"},
		{"slack conversations.members", Supported, ""},
		{"slack conversations.open", Partly, "one person, not several"},
		{"slack conversations.join", Supported, ""},
		{"slack conversations.setTopic", Supported, ""},
		{"slack users.info", Supported, ""},
		{"slack users.list", Partly, "never says limit_required"},
		{"slack users.lookupByEmail", Supported, ""},
		{"slack users.getPresence", Partly, "of others than the app itself"},
		{"slack dnd.info", Partly, "of others than the app itself"},
		{"slack usergroups.list", Supported, ""},
		{"slack usergroups.users.list", Supported, ""},
		{"slack reactions.add", Partly, "messages only"},
		{"slack reactions.remove", Partly, "messages only"},
		{"slack pins.add", Supported, ""},
		{"slack pins.list", Supported, ""},
		{"slack pins.remove", Supported, ""},
		{"slack bookmarks.add", Partly, "links, not folders"},
		{"slack bookmarks.edit", Supported, ""},
		{"slack bookmarks.list", Supported, ""},
		{"slack bookmarks.remove", Supported, ""},
		{"slack envelope slash_commands", Supported, ""},
		{"slack ack slash_commands", Supported, ""},
		{"slack response_url", Supported, ""},
		{"slack views.open", Partly, "a second modal replaces the first"},
		{"slack envelope interactive", Partly, "block_actions, view_submission, view_closed, shortcut, message_action; no block_suggestion"},
		{"slack ack interactive", Supported, ""},
		{"slack views.push", Supported, ""},
		{"slack views.update", Supported, ""},
		{"slack views.publish", Supported, ""},
		{"slack envelope events_api", Partly, "app_mention, app_home_opened, reaction_added and message.channels, .groups and .im"},
		{"slack ack events_api", Supported, ""},
		{"slack chat.delete", Supported, ""},
		{"slack disconnect", Supported, ""},
		{"slack chat.scheduleMessage", No, ""},
		{"slack chat.startStream", No, ""},
		{"slack chat.unfurl", No, ""},
		{"slack conversations.create", No, "a test adds channels"},
		{"slack conversations.invite", No, "a test adds members"},
		{"slack files.getUploadURLExternal", No, ""},
		{"slack reactions.get", No, "conversations.history has them"},
		{"slack usergroups.users.update", No, "a test sets groups"},
		{"slack users.profile.get", No, ""},
	}
}
