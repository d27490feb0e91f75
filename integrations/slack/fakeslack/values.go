package fakeslack

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// values is the state of elements, as payloads have it: by block_id and then
// action_id.
type values map[string]map[string]object

func (v values) set(e element, state object) {
	if v[e.blockID()] == nil {
		v[e.blockID()] = map[string]object{}
	}
	v[e.blockID()][e.actionID()] = state
}

func (v values) clone() values {
	c := values{}
	for id, actions := range v {
		c[id] = maps.Clone(actions)
	}
	return c
}

// begin returns the state of blocks that nobody has touched, but for what
// before holds: Slack keeps it where block_id and action_id stay the same.
func begin(blocks []any, before values) values {
	state := values{}
	for _, e := range elementsOf(blocks) {
		k, ok := kinds[e.kind()]
		if !ok || k.field == "" {
			continue
		}
		old := before[e.blockID()][e.actionID()]
		if old == nil || old["type"] != e.it["type"] {
			old = stateOf(e.it, initially(e.it, k))
		}
		state.set(e, old)
	}
	return state
}

// initially returns what an element shows at first.
func initially(e object, k kind) any {
	name := "initial_" + strings.TrimPrefix(k.field, "selected_")
	if k.multi && e[name] == nil {
		return []any{}
	}
	return e[name]
}

func stateOf(e object, chosen any) object {
	state := object{"type": e["type"], kinds[stringOf(e["type"])].field: chosen}
	if e["type"] == "timepicker" && e["timezone"] != nil {
		state["timezone"] = e["timezone"]
	}
	return state
}

// chosen writes what a state holds, as it reads.
func (s *Server) chosen(state object) []string {
	if state == nil {
		return nil
	}
	k := kinds[stringOf(state["type"])]
	items := []any{state[k.field]}
	if k.multi {
		items, _ = state[k.field].([]any)
	}
	var found []string
	for _, item := range items {
		switch v := item.(type) {
		case nil:
		case object:
			found = append(found, textOf(v["text"]))
		case string:
			switch {
			case strings.HasSuffix(k.field, "user"), strings.HasSuffix(k.field, "users"):
				v = "@" + s.name(v)
			case s.channel(v) != nil:
				v = "#" + or(s.channel(v).Name, v)
			}
			found = append(found, v)
		case json.Number:
			found = append(found, v.String())
		}
	}
	return found
}

// choose returns the state of e once p has typed or chosen these: a text, the
// value or label of options, a person's or channel's ID, a date, a time, or
// seconds since 1970. An error means that Slack's client would not let p.
func (s *Server) choose(p Person, e object, choices []string) (object, error) {
	name := stringOf(e["type"])
	k := kinds[name]
	switch {
	case !k.multi && len(choices) > 1:
		return nil, fmt.Errorf("%s takes one choice, not %d", name, len(choices))
	case k.multi:
		most, ok := whole(e["max_selected_items"])
		if ok && int64(len(choices)) > most {
			return nil, fmt.Errorf("%s takes at most %d choices", name, most)
		}
		all := []any{}
		for _, c := range choices {
			v, err := s.one(p, e, name, c)
			if err != nil {
				return nil, err
			}
			all = append(all, v)
		}
		return stateOf(e, all), nil
	case len(choices) == 0 || choices[0] == "":
		return stateOf(e, nil), nil
	}
	v, err := s.one(p, e, name, choices[0])
	return stateOf(e, v), err
}

// one reads a single choice.
func (s *Server) one(p Person, e object, name, choice string) (any, error) {
	switch strings.TrimPrefix(name, "multi_") {
	case "static_select", "checkboxes", "radio_buttons", "overflow":
		var there []string
		for _, o := range optionsOf(e) {
			if o["value"] == choice || textOf(o["text"]) == choice {
				return o, nil
			}
			there = append(there, stringOf(o["value"]))
		}
		return nil, fmt.Errorf("there is no option %q, only %q", choice, there)
	case "users_select":
		if u, ok := s.person(choice); !ok || u.Deleted {
			return nil, fmt.Errorf("there is no person %s to choose", choice)
		}
	case "conversations_select", "channels_select":
		c := s.channel(choice)
		if c == nil || (c.Private || c.im != "") && !c.has(p.ID) || strings.HasSuffix(name, "channels_select") && c.Private {
			return nil, fmt.Errorf("%s sees no channel %s to choose", p.Name, choice)
		}
	case "datepicker":
		if _, err := time.Parse(time.DateOnly, choice); err != nil {
			return nil, fmt.Errorf("%q is no date", choice)
		}
	case "timepicker":
		if !timeForm.MatchString(choice) {
			return nil, fmt.Errorf("%q is no time", choice)
		}
	case "datetimepicker":
		if n, err := strconv.ParseInt(choice, 10, 64); err != nil || n < 1e9 {
			return nil, fmt.Errorf("%q is no time", choice)
		}
		return json.Number(choice), nil
	default:
		return choice, typedIn(e, name, choice)
	}
	return choice, nil
}

// typedIn says what Slack's client finds wrong with a text.
func typedIn(e object, name, text string) error {
	n := int64(utf8.RuneCountInString(text))
	if least, ok := whole(e["min_length"]); ok && n < least {
		return fmt.Errorf("%q is shorter than %d characters", text, least)
	}
	most, ok := whole(e["max_length"])
	if !ok {
		most = 3000
	}
	if n > most {
		return fmt.Errorf("%d characters are more than %d", n, most)
	}
	var err error
	switch name {
	case "email_text_input":
		_, err = mail.ParseAddress(text)
	case "url_text_input":
		var u *url.URL
		if u, err = url.Parse(text); err == nil && u.Host == "" {
			err = fmt.Errorf("%q has no host", text)
		}
	case "number_input":
		var f float64
		if f, err = strconv.ParseFloat(text, 64); err == nil {
			err = inRange(e, text, f)
		}
	}
	return err
}

func inRange(e object, text string, f float64) error {
	if e["is_decimal_allowed"] != true && strings.Contains(text, ".") {
		return fmt.Errorf("%s is no whole number", text)
	}
	if least, err := strconv.ParseFloat(stringOf(e["min_value"]), 64); err == nil && f < least {
		return fmt.Errorf("%s is less than %v", text, least)
	}
	if most, err := strconv.ParseFloat(stringOf(e["max_value"]), 64); err == nil && f > most {
		return fmt.Errorf("%s is more than %v", text, most)
	}
	return nil
}

// incomplete returns the input blocks that must not be empty and are.
func incomplete(blocks []any, state values) []string {
	var ids []string
	for _, e := range elementsOf(blocks) {
		if e.block["type"] != "input" || e.block["optional"] == true {
			continue
		}
		v := state[e.blockID()][e.actionID()][kinds[e.kind()].field]
		if list, ok := v.([]any); v == nil || ok && len(list) == 0 {
			ids = append(ids, e.blockID())
		}
	}
	slices.Sort(ids)
	return ids
}
