package fakeslack

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// The places of an element in a block.
const (
	inActions        = "actions"
	inSection        = "section"
	inInput          = "input"
	inContextActions = "context_actions"
	inCard           = "card"
)

// A kind of element: where it may be, and the property of its state that holds
// what was chosen. Elements without one have no state.
type kind struct {
	places []string
	field  string
	multi  bool
}

var (
	everywhere = []string{inActions, inSection, inInput}
	notAlone   = []string{inSection, inInput}
	inputOnly  = []string{inInput}
)

// kinds are the elements of Block Kit's reference that are known here.
var kinds = map[string]kind{
	"button":                     {places: []string{inActions, inSection, inCard}},
	"icon_button":                {places: []string{inContextActions}},
	"feedback_buttons":           {places: []string{inContextActions}},
	"overflow":                   {places: []string{inActions, inSection}},
	"static_select":              {places: everywhere, field: "selected_option"},
	"users_select":               {places: everywhere, field: "selected_user"},
	"conversations_select":       {places: everywhere, field: "selected_conversation"},
	"channels_select":            {places: everywhere, field: "selected_channel"},
	"multi_static_select":        {places: notAlone, field: "selected_options", multi: true},
	"multi_users_select":         {places: notAlone, field: "selected_users", multi: true},
	"multi_conversations_select": {places: notAlone, field: "selected_conversations", multi: true},
	"multi_channels_select":      {places: notAlone, field: "selected_channels", multi: true},
	"checkboxes":                 {places: everywhere, field: "selected_options", multi: true},
	"radio_buttons":              {places: everywhere, field: "selected_option"},
	"datepicker":                 {places: everywhere, field: "selected_date"},
	"timepicker":                 {places: everywhere, field: "selected_time"},
	"datetimepicker":             {places: []string{inActions, inInput}, field: "selected_date_time"},
	"plain_text_input":           {places: inputOnly, field: "value"},
	"email_text_input":           {places: inputOnly, field: "value"},
	"url_text_input":             {places: inputOnly, field: "value"},
	"number_input":               {places: inputOnly, field: "value"},
}

// element checks an element at at, of the block at block.
func (l *lint) element(e object, at, block, place string) {
	name, _ := e["type"].(string)
	if name == "image" && place == inSection {
		l.only(e, at, "image_url", "alt_text")
		l.image(e, at)
		return
	}
	k, known := kinds[name]
	switch {
	case !known && place == inActions && len(name) > 6 && name[:6] == "multi_", known && k.multi && place == inActions && name != "checkboxes":
		l.add(block, "unsupported element: multiselect")
		l.unique(e, "action_id", at)
		return
	case !known:
		l.dunno(at, "element", name)
	case !slices.Contains(k.places, place):
		l.add(at+"/type", "unsupported type: %s", name)
	default:
		l.known(e, name, at)
		l.flag(e, at, "focus_on_load")
	}
	l.unique(e, "action_id", at)
	l.confirm(e, at)
}

// known checks the properties of an element of this kind.
func (l *lint) known(e object, kind, at string) {
	only := func(names ...string) { l.only(e, at, append(names, "action_id", "confirm", "focus_on_load")...) }
	placeholder := func() { l.text(e, "placeholder", at, 150, false, "plain_text") }
	switch kind {
	case "button":
		l.only(e, at, "action_id", "text", "value", "url", "style", "confirm", "accessibility_label")
		l.text(e, "text", at, 75, true, "plain_text")
		l.string(e, "value", at, 2000, false)
		l.string(e, "url", at, 3000, false)
		l.string(e, "accessibility_label", at, 75, false)
		l.oneOf(e, "style", at, "primary", "danger")
	case "icon_button":
		l.only(e, at, "action_id", "icon", "text", "value", "confirm", "accessibility_label", "visible_to_user_ids")
		l.string(e, "icon", at, 255, true)
		l.text(e, "text", at, 75, true, "plain_text")
		l.string(e, "value", at, 2000, false)
	case "feedback_buttons":
		l.only(e, at, "action_id", "positive_button", "negative_button")
		for _, name := range []string{"positive_button", "negative_button"} {
			if b, ok := l.object(e, name, at, true); ok {
				here := at + "/" + name
				l.only(b, here, "text", "value", "accessibility_label")
				l.text(b, "text", here, 75, true, "plain_text")
				l.string(b, "value", here, 2000, true)
			}
		}
	case "overflow":
		l.only(e, at, "action_id", "options", "confirm")
		l.options(e, "options", at, 5, "plain_text")
	case "static_select", "multi_static_select":
		only("placeholder", "options", "option_groups", "initial_option", "initial_options", "max_selected_items")
		placeholder()
		l.choices(e, at)
	case "checkboxes", "radio_buttons":
		only("options", "initial_option", "initial_options")
		l.options(e, "options", at, 10, "plain_text", "mrkdwn")
		l.initial(e, at)
	case "plain_text_input":
		only("placeholder", "initial_value", "multiline", "min_length", "max_length", "dispatch_action_config")
		placeholder()
		l.flag(e, at, "multiline")
		l.number(e, "min_length", at, 0, 3000)
		l.number(e, "max_length", at, 1, 3000)
	case "email_text_input", "url_text_input":
		only("placeholder", "initial_value", "dispatch_action_config")
		placeholder()
	case "number_input":
		only("placeholder", "initial_value", "is_decimal_allowed", "min_value", "max_value", "dispatch_action_config")
		placeholder()
		if _, ok := e["is_decimal_allowed"].(bool); !ok {
			l.add(at, "missing required field: is_decimal_allowed")
		}
	default:
		l.picker(e, kind, at)
	}
	l.number(e, "max_selected_items", at, 1, 100)
}

var (
	dateForm = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	timeForm = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d$`)
)

// picker checks elements that offer what the workspace or the calendar has.
func (l *lint) picker(e object, kind, at string) {
	var initial string
	form := regexp.MustCompile(`.`)
	switch kind {
	case "datepicker":
		initial, form = "initial_date", dateForm
	case "timepicker":
		initial, form = "initial_time", timeForm
	case "datetimepicker":
		initial = "initial_date_time"
		l.number(e, initial, at, 1e9, 9999999999) // ten digits
	case "users_select", "multi_users_select":
		initial = "initial_user"
	case "conversations_select", "multi_conversations_select":
		initial = "initial_conversation"
	case "channels_select", "multi_channels_select":
		initial = "initial_channel"
	}
	known := []string{"action_id", "confirm", "focus_on_load", "placeholder", initial}
	switch kind {
	case "timepicker":
		known = append(known, "timezone")
	case "conversations_select":
		known = append(known, "default_to_current_conversation", "response_url_enabled", "filter")
	case "multi_conversations_select":
		known = append(known, "default_to_current_conversation", "filter")
	case "channels_select":
		known = append(known, "response_url_enabled")
	}
	if kinds[kind].multi {
		known = append(known, initial+"s", "max_selected_items")
	}
	l.only(e, at, known...)
	l.text(e, "placeholder", at, 150, false, "plain_text")
	if v, ok := e[initial].(string); ok && !form.MatchString(v) {
		l.add(at+"/"+initial, "must match pattern")
	}
}

// choices checks options or, instead, groups of them.
func (l *lint) choices(e object, at string) {
	switch {
	case e["options"] != nil && e["option_groups"] != nil:
		l.add(at, "only one of `options` or `option_groups` allowed")
	case e["option_groups"] != nil:
		for i, g := range l.list(e, "option_groups", at, 1, 100) {
			here := fmt.Sprintf("%s/option_groups/%d", at, i)
			l.only(g, here, "label", "options")
			l.text(g, "label", here, 75, true, "plain_text")
			l.options(g, "options", here, 100, "plain_text")
		}
	default:
		l.options(e, "options", at, 100, "plain_text")
	}
	l.initial(e, at)
}

func (l *lint) options(e object, name, at string, most int, kinds ...string) {
	for i, o := range l.list(e, name, at, 1, most) {
		here := fmt.Sprintf("%s/%s/%d", at, name, i)
		l.only(o, here, "text", "value", "description", "url")
		l.text(o, "text", here, 75, true, kinds...)
		l.string(o, "value", here, 150, true)
		l.text(o, "description", here, 75, false, kinds...)
	}
}

// initial checks that what is chosen at first is one of the options.
func (l *lint) initial(e object, at string) {
	check := func(v any, here string) {
		o, _ := v.(object)
		for _, there := range optionsOf(e) {
			if there["value"] == o["value"] && textOf(there["text"]) == textOf(o["text"]) {
				return
			}
		}
		l.add(here, "must be an exact match of a provided option")
	}
	if e["initial_option"] != nil {
		check(e["initial_option"], at+"/initial_option")
	}
	several, _ := e["initial_options"].([]any)
	for i, v := range several {
		check(v, fmt.Sprintf("%s/initial_options/%d", at, i))
	}
}

// optionsOf returns all options of an element, of its groups too.
func optionsOf(e object) []object {
	var found []object
	items, _ := e["options"].([]any)
	for _, o := range items {
		if o, ok := o.(object); ok {
			found = append(found, o)
		}
	}
	groups, _ := e["option_groups"].([]any)
	for _, g := range groups {
		if g, ok := g.(object); ok {
			found = append(found, optionsOf(g)...)
		}
	}
	return found
}

func (l *lint) confirm(e object, at string) {
	at += "/confirm"
	if e["confirm"] == nil {
		return
	}
	c, ok := e["confirm"].(object)
	if !ok {
		l.add(at, "must provide an object")
		return
	}
	l.only(c, at, "title", "text", "confirm", "deny", "style")
	l.text(c, "title", at, 100, true, "plain_text")
	l.text(c, "text", at, 300, true, "plain_text", "mrkdwn")
	l.text(c, "confirm", at, 30, true, "plain_text")
	l.text(c, "deny", at, 30, true, "plain_text")
	l.oneOf(c, "style", at, "primary", "danger")
}

// whole reads a JSON number without a fraction.
func whole(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := strconv.ParseInt(n.String(), 10, 64)
	return i, err == nil
}
