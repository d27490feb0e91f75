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
		{"GET __heartbeat__", Supported, "warning, as in production; without the details of DEBUG"},
		{"GET __lbheartbeat__", Supported, ""},
		{"GET revision.txt", Partly, "the placeholder, or what Revision says; no ETag, Last-Modified and Content-Security-Policy"},
		{"GET api/", No, ""},
		{"HEAD __version__", No, ""},
	}
}
