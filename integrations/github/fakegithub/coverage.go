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
		{"GET repository", Partly, "what identifies it, default branch, permissions"},
		{"GET commits", Partly, "by sha and path; not by author or date"},
		{"GET commit", Partly, "with files, 3,000 in pages, and as a bare SHA; no patches, no diff form"},
		{"GET compare", Partly, "250 commits at once or pages of 100, 300 files on the first; not across forks"},
		{"GET contents", Supported, "file, raw file, directory; no submodules and symbolic links"},
		{"GET git commit", Supported, ""},
		{"GET git tree", Supported, "never truncated"},
		{"GET git blob", Supported, ""},
		{"GET ref", Supported, ""},
		{"GET matching-refs", Supported, ""},
		{"POST ref", Supported, ""},
		{"PATCH ref", Supported, ""},
		{"DELETE ref", Supported, ""},
		{"GET branches", Partly, "all; not only the protected ones"},
		{"GET branch", Partly, "without details of its protection"},
		{"GET protection", Partly, "what Protection has"},
		{"GET rules", Partly, "of the rules that Ruleset has"},
		{"GET status", Supported, ""},
		{"GET statuses", Supported, ""},
		{"GET check-runs", Partly, "latest or all, by name and status; not by App"},
		{"GET commit pulls", Supported, ""},
		{"GET pulls", Partly, "by state, head and base, in the order of creation"},
		{"GET pull", Partly, "what identifies it, its branches, merged or not"},
		{"POST pulls", Partly, "within the repository"},
		{"GET collaborator", Supported, ""},
		{"GET permission", Supported, ""},
		{"GET user", Partly, "the login"},
		{"GET users", Partly, "the login"},
		{"GET rate_limit", Supported, "core and graphql"},
		{"GET app", Supported, ""},
		{"GET app installations", Supported, ""},
		{"GET repository installation", Supported, ""},
		{"POST access_tokens", Supported, "RS256 checked, an hour, narrowed"},
		{"GET installation repositories", Supported, ""},
		{"POST graphql", Partly, "updateRefs; a repository with its id and a ref; the viewer"},
		{"PUT protection", No, ""},
		{"POST statuses", No, "use Repo.AddStatus"},
		{"POST check-runs", No, "use Repo.AddCheckRun"},
		{"POST git blob", No, "use Repo.AddCommit"},
		{"POST git tree", No, ""},
		{"POST git commit", No, ""},
		{"PUT contents", No, ""},
		{"PUT merge", No, "use Repo.ClosePull"},
	}
}
