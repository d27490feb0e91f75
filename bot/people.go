package bot

import (
	"context"
	"time"
)

// Person is somebody as operations remember them.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Member is what the chat's directory says of a person.
type Member struct {
	Person
	Team    string // the workspace they belong to
	Zone    string // IANA name of their time zone, or empty
	Email   string // empty: the chat shows none
	Bot     bool
	Gone    bool // deactivated
	Foreign bool // of another workspace
	Guest   bool
}

// Directory answers who people are. Its answers may be as old as fresh says,
// never older: a decision takes them at most ten seconds old.
type Directory interface {
	// Member returns an error wrapping ErrNotFound when there is no such person.
	Member(ctx context.Context, id string, fresh time.Duration) (Member, error)
	// Group returns the ids of the people in a user group.
	Group(ctx context.Context, id string, fresh time.Duration) ([]string, error)
}

// Role is a set of people that the configuration names.
type Role string

// The roles of design.md 1.
const (
	Admins   Role = "admins"
	CloudOps Role = "cloudops"
	Pushers  Role = "prototype_pushers"
)

// Title is how the bot calls the people of a role.
func (r Role) Title() string {
	switch r {
	case Admins:
		return "a Treeherder admin"
	case CloudOps:
		return "somebody of cloudOps"
	case Pushers:
		return "a prototype pusher"
	}
	return string(r)
}

// Roles lists for each role the ids of its people (U…, W…) and user groups (S…).
type Roles map[Role][]string

// Policy says who may do something: anybody in one of the roles, the people
// named, or the asker.
// The zero Policy lets everybody who may use the bot at all.
type Policy struct {
	Roles  []Role
	People []string // and these, by their ids
	Asker  bool
	Other  bool // the asker may not, whatever their roles
}
