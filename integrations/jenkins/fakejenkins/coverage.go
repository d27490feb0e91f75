package fakejenkins

// Support is how much of a call the Server does.
type Support string

// What may become of a call.
const (
	Supported Support = "supported"
	Partly    Support = "partly"
	Not       Support = "not" // 501, and remembered
)

// Call is a row of the coverage table.
type Call struct {
	Call    string // as counted by Server.Called
	Support Support
	Note    string
}

// Coverage lists the calls of Jenkins that a deploy bot, or a general client of
// Jenkins, could want. Words in capitals and … stand for anything;
// HEAD is answered as GET is.
func Coverage() []Call {
	const pages = "a page for people: its address and X-Jenkins"
	return []Call{
		{"GET whoAmI/api/json", Supported, "answers anonymous, too"},
		{"GET me/api/json", Partly, "no properties"},
		{"GET user/ID/api/json", Partly, "no properties"},
		{"GET crumbIssuer/api/json", Supported, "404 with NoCrumbs"},
		{"GET ", Partly, pages},
		{"GET api/json", Partly, "tree with ranges, depth; one view"},
		{"POST quietDown", Supported, "admins only"},
		{"POST cancelQuietDown", Supported, "admins only"},
		{"GET computer/api/json", Partly, "one agent; runs are on its one-off executors"},
		{"GET computer/NAME/api/json", Partly, "one agent; runs are on its one-off executors"},

		{"GET queue/api/json", Partly, "tree with ranges, depth"},
		{"GET queue/item/N", Partly, pages},
		{"GET queue/item/N/api/json", Supported, "for 5 minutes after it left"},
		{"POST queue/item/N/cancelQueue", Supported, "302 whatever happened"},
		{"POST queue/cancelItem", Supported, ""},

		{"GET job/FOLDER/", Partly, pages},
		{"GET job/FOLDER/api/json", Partly, "tree with ranges, depth"},
		{"GET job/…/", Partly, pages},
		{"GET job/…/api/json", Partly, "tree with ranges, depth"},
		{"POST job/…/build", Supported, "json, if the job has parameters"},
		{"POST job/…/buildWithParameters", Partly, "no files"},
		{"GET job/…/wfapi/runs", Supported, "ten runs"},

		{"GET job/…/N/", Partly, pages},
		{"GET job/…/N/api/json", Partly, "tree with ranges, depth; N may be lastBuild and the like"},
		{"GET job/…/N/console", Partly, pages},
		{"GET job/…/N/consoleText", Supported, "without the notes"},
		{"GET job/…/N/logText/progressiveText", Supported, "without the notes, whose bytes count"},
		{"POST job/…/N/logText/progressiveText", Supported, "the same"},
		{"POST job/…/N/stop", Supported, ""},
		{"POST job/…/N/term", Supported, ""},
		{"POST job/…/N/kill", Supported, ""},
		{"POST job/…/N/rebuild/", Supported, "POST only, as since 330"},
		{"GET job/…/N/rebuild/parameterized", Partly, pages},
		{"POST job/…/N/rebuild/configSubmit", Supported, ""},
		{"POST job/…/N/replay/rebuild", Supported, ""},

		{"POST job/…/N/input/ID/proceedEmpty", Supported, ""},
		{"POST job/…/N/input/ID/proceed", Supported, "form field json only"},
		{"POST job/…/N/input/ID/abort", Supported, ""},
		{"POST job/…/N/input/ID/submit", Supported, "it aborts when a field is missing"},
		{"GET job/…/N/wfapi/describe", Partly, "fullStages: one step for each stage"},
		{"GET job/…/N/wfapi/pendingInputActions", Supported, ""},
		{"GET job/…/N/wfapi/nextPendingInputAction", Supported, ""},
		{"POST job/…/N/wfapi/inputSubmit", Supported, "every refusal is the same 500"},
		{"GET job/…/N/wfapi/changesets", Partly, "of each checkout the commit that it checked out"},
		{"GET job/…/N/wfapi/artifacts", Partly, "there are none"},
		{"GET job/…/N/execution/node/NODE/wfapi/describe", Partly, "of stages"},

		{"GET job/…/N/execution/node/NODE/wfapi/log", Not, "there is one log for a run"},
		{"GET job/…/N/logText/progressiveHtml", Not, ""},
		{"GET job/…/N/stages/tree", Not, "pipeline-graph-view; its shape changes"},
		{"POST job/…/N/replay/run", Not, "nobody but its author should run another script"},
		{"POST job/…/N/doDelete", Not, ""},
		{"POST job/…/N/submitDescription", Not, ""},
		{"POST job/…/disable", Not, "SetDisabled"},
		{"POST job/…/enable", Not, "SetDisabled"},
		{"GET job/…/config.xml", Not, ""},
		{"POST createItem", Not, "AddJob"},
		{"POST safeRestart", Not, "Restart"},
		{"POST scriptText", Not, ""},
	}
}
