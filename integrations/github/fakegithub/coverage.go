package fakegithub

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
	Call  string // as the gate and the journal name it, without "github "
	Level Level
	Note  string
}

// Coverage lists the calls that the bot makes or could want.
func Coverage() []Row {
	return []Row{
		{"GET commit", Partly, "by branch, full or short SHA; no files"},
		{"GET compare", Partly, "250 commits at once or pages of 100; no files"},
		{"GET ref", No, ""},
		{"PATCH ref", No, ""},
		{"POST ref", No, ""},
		{"GET status", No, ""},
		{"GET check-runs", No, ""},
		{"GET pulls", No, ""},
		{"POST graphql", No, ""},
		{"POST access_tokens", No, "GitHub Apps"},
	}
}
