package fakebugzilla

// Level says how much of a call there is.
type Level string

// The levels.
const (
	Supported Level = "supported"
	Partly    Level = "partly"
	No        Level = "no"
)

// Row is a call and how much of it there is.
type Row struct {
	Call  string // as the gate and the journal name it, without "bugzilla "
	Level Level
	Note  string
}

// Coverage lists the calls that the bot makes or could want.
func Coverage() []Row {
	return []Row{
		{"GET whoami", Supported, ""},
		{"POST bug", Partly, "the fields of Bug, and needinfo among the flags"},
		{"GET bug", Partly, "by number, with include_fields"},
		{"GET bugs", Partly, "by id, product, component, status, resolution, whiteboard; limit and include_fields"},
		{"POST comment", Partly, "no private ones"},
		{"GET show_bug.cgi", Partly, "to read, as somebody who is not logged in"},
		{"GET enter_bug.cgi", Partly, "shows what was filled in, and cannot be sent off"},
		{"PUT rest/bug/1", No, "use Resolve and Assign"},
		{"GET rest/bug/1/comment", No, "use Bugs"},
		{"GET rest/bug/1/history", No, ""},
		{"GET rest/product/Cloud%20Services", No, ""},
		{"POST rest/bug/1/attachment", No, ""},
	}
}
