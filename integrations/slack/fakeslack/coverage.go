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
		{"slack auth.test", Supported, ""},
		{"slack chat.postMessage", Partly, "no attachments, direct messages, reply_broadcast, custom names, markdown_text"},
		{"slack chat.update", Partly, "no attachments; no edit window"},
		{"slack chat.postEphemeral", Partly, "no attachments"},
		{"slack conversations.info", Supported, ""},
		{"slack conversations.history", Supported, ""},
		{"slack conversations.list", Partly, "channels only"},
		{"slack users.info", Supported, ""},
		{"slack usergroups.list", Supported, ""},
		{"slack usergroups.users.list", Supported, ""},
		{"slack hello", Supported, ""},
		{"slack envelope slash_commands", Supported, ""},
		{"slack ack slash_commands", Supported, ""},
		{"slack response_url", Supported, ""},
		{"slack envelope interactive", Partly, "block_actions of buttons in messages; no menus, modals, shortcuts"},
		{"slack ack interactive", Supported, ""},
		{"slack disconnect", Supported, ""},
		{"slack envelope events_api", No, ""},
		{"slack chat.delete", No, ""},
		{"slack chat.getPermalink", No, ""},
		{"slack conversations.members", No, ""},
		{"slack conversations.open", No, "direct messages"},
		{"slack conversations.replies", No, ""},
		{"slack conversations.setTopic", No, "a test sets the topic with AddChannel"},
		{"slack reactions.add", No, ""},
		{"slack users.list", No, ""},
		{"slack users.lookupByEmail", No, ""},
		{"slack views.open", No, ""},
		{"slack views.update", No, ""},
		{"slack views.push", No, ""},
		{"slack views.publish", No, ""},
	}
}
