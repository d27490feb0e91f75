package fakeslack

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

func (s *Server) usersInfo(a args) (object, string, error) {
	p, err := s.named(a)
	if err != nil {
		return nil, "", err
	}
	return object{"user": s.userObject(p)}, p.ID, nil
}

// named returns the person an argument names.
func (s *Server) named(a args) (Person, error) {
	p, ok := s.person(a["user"])
	switch {
	case a["user"] == "":
		return p, missing("user")
	case !ok:
		return p, fail("user_not_found")
	}
	return p, nil
}

func (s *Server) userObject(p Person) object {
	profile := object{"real_name": p.RealName, "real_name_normalized": p.RealName,
		"display_name": p.Name, "display_name_normalized": p.Name, "team": p.Team}
	if s.may("users:read.email") == nil && p.Email != "" {
		profile["email"] = p.Email
	}
	u := object{
		"id": p.ID, "team_id": p.Team, "name": p.Name, "real_name": p.RealName, "deleted": p.Deleted,
		"is_bot": p.Bot, "is_app_user": false, "is_admin": p.Admin || p.Owner, "is_owner": p.Owner, "is_primary_owner": false,
		"is_restricted": p.Guest, "is_ultra_restricted": false, "updated": 0, "profile": profile,
	}
	if p.Team != Team {
		u["is_stranger"] = true // of another workspace, seen in a shared channel
	}
	if zone, err := time.LoadLocation(p.Zone); err == nil && p.Zone != "" && !p.Deleted {
		_, offset := time.Now().In(zone).Zone()
		u["tz"], u["tz_label"], u["tz_offset"] = p.Zone, p.Zone, offset
	}
	return u
}

// usersList lists the workspace, with its bots and those who left.
func (s *Server) usersList(a args) (object, string, error) {
	limit, ok := a.number("limit", 0)
	if !ok || limit < 0 || limit > 1000 {
		return nil, "", fail("invalid_limit")
	}
	if limit == 0 {
		limit = 1000
	}
	all := []Person{}
	for _, id := range []string{BotUser, Slackbot} {
		p, _ := s.person(id)
		all = append(all, p)
	}
	for _, p := range s.people {
		if p.Team == Team && p.ID != BotUser && p.ID != Slackbot {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b Person) int { return cmp.Compare(a.ID, b.ID) })
	page, next, err := paged(all, a["cursor"], limit, "user", func(p Person) string { return p.ID })
	if err != nil {
		return nil, "", err
	}
	members := []object{}
	for _, p := range page {
		members = append(members, s.userObject(p))
	}
	return object{"members": members, "cache_ts": time.Now().Unix(), "response_metadata": object{"next_cursor": next}},
		strconv.Itoa(len(members)) + " people", nil
}

func (s *Server) usersLookupByEmail(a args) (object, string, error) {
	if a["email"] == "" {
		return nil, "", missing("email")
	}
	for _, p := range s.people {
		if p.Email == a["email"] && !p.Deleted && s.meets(p) {
			return object{"user": s.userObject(p)}, p.ID, nil
		}
	}
	return nil, "", fail("users_not_found")
}

// another is named, for what is only known here of others than the app.
func (s *Server) another(a args) (Person, error) {
	p, err := s.named(a)
	switch {
	case a["user"] == "", a["user"] == BotUser:
		return p, slackError{code: "invalid_arguments", unknown: "what the app's own user is told of itself is not known here"}
	case err == nil && !s.meets(p):
		return p, fail("user_not_visible")
	}
	return p, err
}

func (s *Server) usersGetPresence(a args) (object, string, error) {
	p, err := s.another(a)
	if err != nil {
		return nil, "", err
	}
	there := "active"
	if s.presences[p.ID].away || p.Deleted {
		there = "away"
	}
	return object{"presence": there}, p.ID + " " + there, nil
}

// dndInfo tells what others may know: when somebody's quiet time is, which may
// be now or to come. What begins with snooze_ only they themselves are told
// (reference of dnd.info). Who has no quiet time has one long ago.
func (s *Server) dndInfo(a args) (object, string, error) {
	p, err := s.another(a)
	if err != nil {
		return nil, "", err
	}
	if quiet := s.presences[p.ID]; quiet.until.After(time.Now()) {
		return object{"dnd_enabled": true, "next_dnd_start_ts": quiet.from.Unix(), "next_dnd_end_ts": quiet.until.Unix()}, p.ID, nil
	}
	return object{"dnd_enabled": false, "next_dnd_start_ts": 1, "next_dnd_end_ts": 1}, p.ID, nil
}

func (s *Server) usergroupsList(a args) (object, string, error) {
	found := []object{}
	for _, g := range s.groups {
		o := object{"id": g.ID, "team_id": Team, "is_usergroup": true, "name": g.Name, "handle": g.Handle,
			"description": "", "is_external": false, "date_create": 0, "date_update": 0, "date_delete": 0}
		if a.flag("include_users") {
			o["users"] = g.Users
		}
		if a.flag("include_count") {
			o["user_count"] = len(g.Users)
		}
		found = append(found, o)
	}
	return object{"usergroups": found}, strconv.Itoa(len(found)) + " groups", nil
}

func (s *Server) usergroupsUsersList(a args) (object, string, error) {
	g, ok := s.group(a["usergroup"])
	switch {
	case a["usergroup"] == "":
		return nil, "", missing("usergroup")
	case !ok:
		return nil, "", fail("no_such_subteam")
	}
	return object{"users": append([]string{}, g.Users...)}, g.ID, nil
}
