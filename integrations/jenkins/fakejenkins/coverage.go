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

// Coverage lists the calls of Jenkins that a deploy bot could want.
func Coverage() []Call {
	return []Call{
		{"GET whoAmI/api/json", Supported, "answers anonymous, too"},
		{"GET job/…/api/json", Partly, "tree with ranges; no depth"},
		{"GET job/…/N/api/json", Partly, "tree with ranges; no depth"},
		{"GET job/…/N/wfapi/describe", Partly, "no fullStages"},
		{"GET job/…/N/wfapi/pendingInputActions", Supported, ""},
		{"POST job/…/N/input/ID/proceedEmpty", Supported, ""},
		{"POST job/…/N/input/ID/proceed", Supported, "form field json only"},
		{"POST job/…/N/input/ID/abort", Supported, ""},
		{"POST job/…/N/input/ID/submit", Not, "it aborts when a field is missing; nobody should"},
		{"POST job/…/N/wfapi/inputSubmit", Not, "every refusal is the same 500; nobody should"},
		{"GET job/…/wfapi/runs", Not, "at most ten runs, and without what they were started with"},
		{"GET job/…/N/wfapi/nextPendingInputAction", Not, "the first of several means nothing"},
		{"POST job/…/N/stop", Not, "by hand: AbortRun"},
		{"POST job/…/N/rebuild/", Not, ""},
		{"POST job/…/N/rebuild/configSubmit", Not, ""},
		{"POST job/…/N/replay/rebuild", Not, ""},
		{"POST job/…/build", Not, "StartRun"},
		{"POST job/…/buildWithParameters", Not, "StartRun"},
		{"GET job/…/N/logText/progressiveText", Not, ""},
		{"GET job/…/N/consoleText", Not, ""},
		{"GET queue/api/json", Not, ""},
		{"GET queue/item/N/api/json", Not, ""},
		{"POST queue/cancelItem", Not, ""},
		{"GET crumbIssuer/api/json", Not, "requests with an API token need no crumb"},
		{"GET api/json", Not, ""},
	}
}
