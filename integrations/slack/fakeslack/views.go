package fakeslack

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	mostViews   = 3       // on top of each other (Slack: "Modals")
	largestView = 250_000 // bytes (reference of views.update)
	triggerLife = 3 * time.Second
)

// trouble is what Slack shows in a modal whose submission failed.
const trouble = "We had some trouble connecting. Try again?"

// view is a modal or a Home tab.
type view struct {
	id, hash, kind         string
	title, submit, closing object
	blocks                 []any
	private, callback      string
	external               string
	clearOnClose, notify   bool
	person                 string
	root, previous         *view // nil if there is none
	values                 values
	errors                 map[string]string // by block_id
	trouble                string
}

// trigger is what stands behind a trigger_id.
type trigger struct {
	person string
	view   *view // it came from
	until  time.Time
	used   bool
}

// arm makes the trigger_id of d good for three seconds and one use.
func (s *Server) arm(d *Delivery) {
	if s.triggers == nil {
		s.triggers = map[string]*trigger{}
	}
	s.triggers[d.TriggerID] = &trigger{person: d.person, view: d.view, until: time.Now().Add(triggerLife)}
}

func invalid(argument string) error {
	return slackError{code: "invalid_arguments", messages: []string{"invalid `" + argument + "`"}}
}

// pull uses up a trigger_id.
func (s *Server) pull(id string) (*trigger, error) {
	t := s.triggers[id]
	switch {
	case id == "":
		return nil, missing("trigger_id")
	case t == nil:
		return nil, invalid("trigger_id")
	case t.used:
		return nil, fail("exchanged_trigger_id")
	case time.Now().After(t.until):
		return nil, fail("expired_trigger_id")
	}
	t.used = true
	return t, nil
}

// readView checks a view and returns it with what Slack fills in.
func (s *Server) readView(text string, surfaces ...string) (*view, error) {
	if text == "" {
		return nil, missing("view")
	}
	if len(text) > largestView {
		return nil, fail("view_too_large")
	}
	var o object
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&o) != nil || o == nil {
		return nil, invalid("view")
	}
	v := &view{kind: stringOf(o["type"])}
	l := s.lint(v.kind)
	const at = "/view"
	switch {
	case o["type"] == nil:
		l.add(at, "missing required field: type")
	case !slices.Contains(surfaces, v.kind):
		l.add(at+"/type", "must be a valid enum value")
	}
	known := []string{"blocks", "private_metadata", "callback_id", "external_id"}
	if v.kind == inModal {
		known = append(known, "title", "submit", "close", "clear_on_close", "notify_on_close", "submit_disabled")
	}
	l.only(o, at, known...)
	blocks := l.array(o, "blocks", at, 0, mostViewBlocks)
	for i, b := range blocks {
		here := at + "/blocks/" + strconv.Itoa(i)
		if b, ok := b.(object); ok {
			l.block(b, here)
		} else {
			l.add(here, "must provide an object")
		}
	}
	l.length0(o, "private_metadata", at, 3000)
	l.length0(o, "callback_id", at, 255)
	l.length0(o, "external_id", at, 255)
	if v.kind == inModal {
		l.text(o, "title", at, 24, true, "plain_text")
		l.text(o, "submit", at, 24, false, "plain_text")
		l.text(o, "close", at, 24, false, "plain_text")
		l.flag(o, at, "clear_on_close", "notify_on_close", "submit_disabled")
		if l.inputs && o["submit"] == nil {
			l.add(at, "missing required field: submit")
		}
	}
	if len(l.problems) > 0 {
		return nil, slackError{code: "invalid_arguments", messages: l.problems, unknown: strings.Join(l.unknown, "; ")}
	}
	v.title, _ = o["title"].(object)
	v.submit, _ = o["submit"].(object)
	v.closing, _ = o["close"].(object)
	v.clearOnClose, v.notify = o["clear_on_close"] == true, o["notify_on_close"] == true
	v.blocks = blocks
	v.private, v.callback, v.external = stringOf(o["private_metadata"]), stringOf(o["callback_id"]), stringOf(o["external_id"])
	v.values = begin(blocks, nil)
	return v, nil
}

// length0 checks a string that may be empty.
func (l *lint) length0(o object, name, at string, most int) {
	if o[name] != "" {
		l.string(o, name, at, most, false)
	}
}

// born gives v an identity and a first hash.
func (s *Server) born(v *view, person string) *view {
	v.id, v.person = s.id("V"), person
	s.rehash(v)
	return v
}

const hashLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// rehash gives v the hash of a new version: seconds, a point, eight letters.
func (s *Server) rehash(v *view) {
	letters := make([]byte, 8)
	for i := range letters {
		letters[i] = hashLetters[rand.IntN(len(hashLetters))]
	}
	v.hash = strconv.FormatInt(time.Now().Unix(), 10) + "." + string(letters)
	s.touch()
}

// become makes v what next is. What people chose stays where block_id and
// action_id do.
func (s *Server) become(v, next *view) {
	v.title, v.submit, v.closing, v.blocks = next.title, next.submit, next.closing, next.blocks
	v.private, v.callback, v.external = next.private, next.callback, next.external
	v.clearOnClose, v.notify = next.clearOnClose, next.notify
	v.values = begin(next.blocks, v.values)
	v.errors, v.trouble = nil, ""
	s.rehash(v)
}

// find returns the open view with this id, or external id.
func (s *Server) find(id, external string) *view {
	is := func(v *view) bool { return id != "" && v.id == id || external != "" && v.external == external }
	for _, stack := range s.modals {
		if i := slices.IndexFunc(stack, is); i >= 0 {
			return stack[i]
		}
	}
	for _, v := range s.homes {
		if is(v) {
			return v
		}
	}
	return nil
}

// taken reports whether a view other than v has the external id.
func (s *Server) taken(external string, v *view) bool {
	other := s.find("", external)
	return external != "" && other != nil && other != v
}

func (s *Server) viewObject(v *view) object {
	o := object{
		"id": v.id, "team_id": Team, "type": v.kind, "blocks": v.blocks, "private_metadata": v.private, "callback_id": v.callback,
		"state": object{"values": v.values.clone()}, "hash": v.hash, "title": object{"type": "plain_text", "text": "View Title", "emoji": true},
		"clear_on_close": v.clearOnClose, "notify_on_close": v.notify, "close": nil, "submit": nil, "previous_view_id": nil,
		"root_view_id": v.id, "app_id": App, "external_id": v.external, "app_installed_team_id": Team, "bot_id": Bot,
	}
	for name, text := range map[string]object{"title": v.title, "close": v.closing, "submit": v.submit} {
		if text != nil {
			o[name] = text
		}
	}
	if v.root != nil {
		o["root_view_id"] = v.root.id
	}
	if v.previous != nil {
		o["previous_view_id"] = v.previous.id
	}
	return o
}

func (s *Server) viewsOpen(a args) (object, string, error) {
	v, err := s.readView(a["view"], inModal)
	if err != nil {
		return nil, "", err
	}
	if s.taken(v.external, nil) {
		return nil, "", fail("duplicate_external_id")
	}
	t, err := s.pull(a["trigger_id"])
	if err != nil {
		return nil, "", err
	}
	s.raise(s.born(v, t.person), nil)
	return object{"view": s.viewObject(v)}, v.id + " for " + t.person, nil
}

// raise shows v on top of the stack that previous is in, or alone.
func (s *Server) raise(v, previous *view) {
	if s.modals == nil {
		s.modals = map[string][]*view{}
	}
	stack := s.modals[v.person]
	if previous == nil {
		stack = nil
	} else {
		v.previous, v.root = previous, or(previous.root, previous)
	}
	s.modals[v.person] = append(stack, v)
	s.touch()
}

func (s *Server) viewsPush(a args) (object, string, error) {
	v, err := s.readView(a["view"], inModal)
	if err != nil {
		return nil, "", err
	}
	if s.taken(v.external, nil) {
		return nil, "", fail("duplicate_external_id")
	}
	t, err := s.pull(a["trigger_id"])
	if err != nil {
		return nil, "", err
	}
	stack := s.modals[t.person]
	switch {
	case t.view == nil || !slices.Contains(stack, t.view):
		return nil, "", slackError{code: "not_found", unknown: "a view is pushed from inside an open modal, and this trigger is not"}
	case len(stack) >= mostViews:
		return nil, "", fail("push_limit_reached")
	}
	s.raise(s.born(v, t.person), stack[len(stack)-1])
	return object{"view": s.viewObject(v)}, v.id + " for " + t.person, nil
}

func (s *Server) viewsUpdate(a args) (object, string, error) {
	if a["view_id"] == "" && a["external_id"] == "" {
		return nil, "", missing("view_id")
	}
	old := s.find(a["view_id"], a["external_id"])
	if old == nil {
		return nil, "", fail("not_found")
	}
	v, err := s.readView(a["view"], old.kind)
	switch {
	case err != nil:
		return nil, "", err
	case a["hash"] != "" && a["hash"] != old.hash:
		return nil, "", fail("hash_conflict")
	case s.taken(v.external, old):
		return nil, "", fail("duplicate_external_id")
	}
	s.become(old, v)
	return object{"view": s.viewObject(old)}, old.id, nil
}

func (s *Server) viewsPublish(a args) (object, string, error) {
	if a["user_id"] == "" {
		return nil, "", missing("user_id")
	}
	p, ok := s.person(a["user_id"])
	old := s.homes[a["user_id"]]
	switch {
	case !ok, p.Bot, p.Deleted:
		return nil, "", invalid("user_id")
	case s.NoHome:
		return nil, "", fail("not_enabled")
	}
	v, err := s.readView(a["view"], inHome)
	switch {
	case err != nil:
		return nil, "", err
	case a["hash"] != "" && (old == nil || a["hash"] != old.hash):
		return nil, "", fail("hash_conflict")
	case s.taken(v.external, old):
		return nil, "", fail("duplicate_external_id")
	}
	if old != nil {
		s.become(old, v)
		return object{"view": s.viewObject(old)}, p.ID, nil
	}
	if s.homes == nil {
		s.homes = map[string]*view{}
	}
	s.homes[p.ID] = s.born(v, p.ID)
	return object{"view": s.viewObject(v)}, p.ID, nil
}
