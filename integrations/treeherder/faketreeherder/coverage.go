package faketreeherder

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
	Call  string
	Level Level
	Note  string
}

// Coverage lists the calls that an app has and a bot could want.
func Coverage() []Row {
	return []Row{
		{"GET __version__", Supported, "Dockerflow's; 403 to Go's own User-Agent, 404 before the first Serve"},
		{"GET __heartbeat__", No, "says warning in production as a rule, so nobody asks"},
		{"GET __lbheartbeat__", No, ""},
		{"GET revision.txt", No, "placeholder text since 2021"},
	}
}
