package fakeslack

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"
)

// A response_url may be used five times in thirty minutes (Slack: "Handling
// user interaction").
const (
	responseUses = 5
	responseLife = 30 * time.Minute
)

// response is what stands behind a response_url.
type response struct {
	d     *Delivery
	until time.Time
	uses  int
}

// newResponse makes a response_url for d, with s.mu held.
func (s *Server) newResponse(kind string, d *Delivery) string {
	if s.responses == nil {
		s.responses = map[string]*response{}
	}
	path := "/" + kind + "/" + Team + "/" + strconv.FormatInt(s.next(), 10) + "/fake"
	s.responses[path] = &response{d: d, until: time.Now().Add(responseLife)}
	return s.base() + path
}

// respond takes a POST to a response_url.
func (s *Server) respond(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	a := args{}
	if err == nil {
		err = a.json(body)
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	const call = "slack response_url"
	s.mu.Lock()
	defer s.mu.Unlock()
	to := s.responses[r.URL.Path]
	refuse := func(status int, code string) {
		s.note(call, "%s", code)
		answer(w, status, object{"ok": false, "error": code})
	}
	switch {
	case to == nil:
		s.surprise("%s: %s was never given out", call, r.URL.Path)
		refuse(http.StatusNotFound, "expired_url")
		return
	case r.Method != http.MethodPost || err != nil || kind != "application/json":
		s.surprise("%s: %s of %q, not a POST of JSON", call, r.Method, kind)
		refuse(http.StatusBadRequest, "invalid_payload")
		return
	case time.Now().After(to.until):
		refuse(http.StatusNotFound, "expired_url")
		return
	case to.uses >= responseUses:
		refuse(http.StatusNotFound, "used_url")
		return
	}
	to.uses++
	err = s.reply(a, reply{what: call, person: to.d.person, channel: to.d.channel, source: to.d.source, url: true})
	if err != nil {
		if e := err.(slackError); e.unknown != "" {
			s.surprise("%s: %s", call, e.unknown)
		}
		refuse(http.StatusBadRequest, err.Error())
		return
	}
	s.note(call, "use %d by %s", to.uses, to.d.person)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprint(w, "ok")
}

// reply says where a message in an ack or for a response_url belongs.
type reply struct {
	what    string // for the record
	person  string
	channel *channel
	source  *message // that was clicked
	line    string   // that was typed: shown if the answer is for the channel
	url     bool     // may replace and delete
}

// reply posts what a says. It needs no membership, as Slack does not.
func (s *Server) reply(a args, to reply) error {
	known := []string{"text", "blocks", "response_type"}
	if to.url {
		known = append(known, "replace_original", "delete_original", "thread_ts")
	}
	// slack-go's Msg always has these two.
	ignored := []string{"replace_original", "delete_original"}
	if emptyMetadata(a["metadata"]) {
		ignored = append(ignored, "metadata")
	}
	for _, name := range a.others(known, ignored) {
		s.surprise("%s: field %q is not known here", to.what, name)
	}
	delete(a, "metadata")
	kind := or(a["response_type"], "ephemeral")
	replace, remove := to.url && a.flag("replace_original"), to.url && a.flag("delete_original")
	says, err := s.readContent(a)
	empty := !says.hasText && len(says.blocks) == 0
	switch {
	case err != nil:
		return err
	case kind != "ephemeral" && kind != "in_channel":
		return slackError{code: "invalid_payload", unknown: "response_type " + kind}
	case (replace || remove) && (to.source == nil || to.source.deleted):
		// The person's own command line can be neither replaced nor deleted.
		return slackError{code: "invalid_payload", unknown: "there is no original to replace or delete"}
	case replace && to.source.only != "" && a["response_type"] == "in_channel":
		return slackError{code: "invalid_payload", unknown: "an ephemeral message cannot become in_channel"}
	case a["thread_ts"] != "" && (kind != "in_channel" || replace):
		return slackError{code: "invalid_payload", unknown: "thread_ts needs in_channel and a new message"}
	case empty && !remove && (to.url || kind != "in_channel"):
		return fail("no_text")
	}
	if err := inThread(to.channel, a["thread_ts"]); err != nil {
		return err
	}
	if replace {
		m := to.source
		s.change(m, says.text, says.blocks, m.metadata)
		return nil
	}
	if remove {
		s.remove(to.source)
	}
	if kind == "in_channel" && to.line != "" {
		s.post(to.channel, &message{user: to.person, text: escape(to.line)})
	}
	if empty {
		return nil
	}
	m := &message{user: BotUser, bot: true, text: says.text, blocks: says.blocks, thread: a["thread_ts"]}
	if kind == "ephemeral" {
		m.only = to.person
	}
	s.post(to.channel, m)
	return nil
}

// emptyMetadata reports whether metadata is slack-go's zero value.
func emptyMetadata(metadata string) bool {
	var m struct {
		EventType string `json:"event_type"`
	}
	return metadata != "" && json.Unmarshal([]byte(metadata), &m) == nil && m.EventType == ""
}
