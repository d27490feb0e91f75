package slack

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thbot/bot"
	"thbot/integrations/slack/fakeslack"
)

func TestTopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(f *fakeslack.Server, _ *Options) {
			f.AddChannel(fakeslack.Channel{ID: ops, Name: "treeherder-ops", Topic: "old &amp; dusty", Members: []string{ana, fakeslack.BotUser}})
			f.BotScopes = []string{"channels:read"}
		})
		if got, err := w.c.Topic(w.ctx, ops); err != nil || got != (Topic{Text: "old &amp; dusty"}) {
			t.Errorf("before anybody set it: %+v, %v", got, err)
		}
		wait(w.ctx, 2*time.Second)
		if _, err := w.fake.Say(ana, ops, "/topic Main contact: @bea & <all>"); err != nil {
			t.Fatal(err)
		}
		got, err := w.c.Topic(w.ctx, ops)
		if err != nil || got.Text != "Main contact: <@U0BEA> &amp; &lt;all&gt;" || got.By != ana || !got.At.Equal(time.Now().Truncate(time.Second)) {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := w.c.Topic(w.ctx, "C0NOWHERE"); err == nil || !strings.Contains(err.Error(), "no channel C0NOWHERE") {
			t.Errorf("of no channel: %v", err)
		}
		w.fake.Fail("conversations.info", 1, 503)
		if got, err := w.c.Topic(w.ctx, ops); err == nil || got != (Topic{}) {
			t.Errorf("while Slack is away: %+v, %v", got, err)
		} else if _, again := bot.RetryAfter(err); !again {
			t.Errorf("not worth another try: %v", err)
		}
	})
}

func TestPresence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		expect := func(want bool) {
			t.Helper()
			if away, err := w.c.Presence(w.ctx, ana); err != nil || away != want {
				t.Errorf("away: %v, %v; want %v", away, err, want)
			}
		}
		expect(false)
		w.fake.SetPresence(ana, false)
		expect(true)
		w.fake.RateLimit("users.getPresence", 1, time.Second)
		expect(true)
	})
	synctest.Test(t, func(t *testing.T) {
		w := answering(t, 200, `{"ok":true}`)
		if away, err := w.c.Presence(w.ctx, ana); err == nil {
			t.Errorf("an answer that says nothing: away %v", away)
		}
	})
}

func TestQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		expect := func(when string, want time.Time) {
			t.Helper()
			if until, err := w.c.Quiet(w.ctx, ana); err != nil || !until.Equal(want) || want.IsZero() != until.IsZero() {
				t.Errorf("%s: until %v, %v; want %v", when, until, err, want)
			}
		}
		expect("without quiet hours", time.Time{})
		begin := time.Now().Add(10 * time.Second)
		end := begin.Add(20 * time.Second)
		w.fake.ScheduleDND(ana, begin, end)
		expect("before", time.Time{})
		wait(w.ctx, 9*time.Second)
		expect("just before", time.Time{})
		wait(w.ctx, time.Second)
		expect("at the beginning", end)
		wait(w.ctx, 19*time.Second)
		expect("just before the end", end)
		wait(w.ctx, time.Second)
		expect("at the end", time.Time{})
		w.fake.SetDND(bea, end.Add(time.Hour))
		expect("while somebody else is quiet", time.Time{})
	})
	// Slack has not said yet when the next quiet hours are.
	now := "946684800" // when every bubble begins
	for body, quiet := range map[string]bool{
		`{"ok":true,"dnd_enabled":true,"next_dnd_start_ts":1,"next_dnd_end_ts":1}`:                     false,
		`{"ok":true,"dnd_enabled":true,"next_dnd_start_ts":1,"next_dnd_end_ts":` + now + `}`:           false,
		`{"ok":true,"dnd_enabled":false,"next_dnd_start_ts":1,"next_dnd_end_ts":99999999999}`:          false,
		`{"ok":true,"dnd_enabled":true,"next_dnd_start_ts":` + now + `,"next_dnd_end_ts":99999999999}`: true,
	} {
		synctest.Test(t, func(t *testing.T) {
			w := answering(t, 200, body)
			if until, err := w.c.Quiet(w.ctx, ana); err != nil || until.IsZero() == quiet {
				t.Errorf("%s: until %v, %v", body, until, err)
			}
		})
	}
}

// Whether somebody can be reached is an error where it is not known.
func TestReachingNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(f *fakeslack.Server, _ *Options) {
			f.AddPerson(fakeslack.Person{ID: "U0EVE", Name: "eve", Team: "T0ELSE"}) // in no channel of ours
		})
		asks := map[string]func(id string) error{
			"users.getPresence": func(id string) error { _, err := w.c.Presence(w.ctx, id); return err },
			"dnd.info":          func(id string) error { _, err := w.c.Quiet(w.ctx, id); return err },
		}
		for method, ask := range asks {
			for _, id := range []string{"U0NOBODY", "U0EVE", "", "ana", "S0GROUP", "U0ANA&team=x"} {
				if err := ask(id); !errors.Is(err, bot.ErrNotFound) {
					t.Errorf("%s of %q: %v, want not found", method, id, err)
				}
			}
			if n := w.calls("slack " + method); n != 2 {
				t.Errorf("%s was called %d times for two ids", method, n)
			}
			w.fake.Fail(method, 1, 503)
			if err := ask(ana); err == nil || errors.Is(err, bot.ErrNotFound) {
				t.Errorf("%s while Slack is away: %v", method, err)
			}
			w.fake.RateLimit(method, 1, 30*time.Second)
			if wait, _ := bot.RetryAfter(ask(ana)); wait != 30*time.Second {
				t.Errorf("%s: told to wait %v", method, wait)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(f *fakeslack.Server, _ *Options) { f.BotScopes = []string{"chat:write"} })
		if _, err := w.c.Quiet(w.ctx, ana); err == nil || !strings.Contains(err.Error(), "it needs dnd:read") {
			t.Errorf("without the scope: %v", err)
		}
		if _, err := w.c.Presence(w.ctx, ana); err == nil || !strings.Contains(err.Error(), "it needs users:read") {
			t.Errorf("without the scope: %v", err)
		}
	})
}

// crowd are people who are hard to tell apart, and who are in the channel or not.
func crowd(f *fakeslack.Server, _ *Options) {
	f.AddPerson(fakeslack.Person{ID: "U0BEA2", Name: "Bea", RealName: "Bea Cruz"})
	f.AddPerson(fakeslack.Person{ID: "U0CID", Name: "cid.o'hara", RealName: "Cid  O'Hara (he)", Guest: true})
	f.AddPerson(fakeslack.Person{ID: "U0EVE", Name: "eve", Team: "T0ELSE"})
	f.AddPerson(fakeslack.Person{ID: "U0ROBO", Name: "robo", Bot: true})
	f.AddPerson(fakeslack.Person{ID: "U0LIV", Name: "liv", Deleted: true})
	f.AddPerson(fakeslack.Person{ID: "U0OUT", Name: "out"})
	f.AddChannel(fakeslack.Channel{ID: ops, Name: "treeherder-ops",
		Members: []string{"U0LIV", "U0EVE", "U0BEA2", ana, "U0CID", bea, "U0ROBO", fakeslack.BotUser}})
}

// called are the ids of those who are called so.
func (w *world) called(names ...string) map[string]string {
	w.t.Helper()
	found, err := w.c.Named(w.ctx, ops, names)
	if err != nil {
		w.t.Fatal(err)
	}
	ids := map[string]string{}
	for name, members := range found {
		for _, m := range members {
			ids[name] = strings.TrimSpace(ids[name] + " " + m.ID)
		}
	}
	return ids
}

func TestNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, crowd)
		want := map[string]string{"ana": ana, "@ANA": ana, "ana lima": ana, " Ana\u00a0 Lima": ana, "bea": "U0BEA U0BEA2", "Bea Cruz": "U0BEA2",
			"cid o'hara (he)": "U0CID", "cid.o'hara": "U0CID", "eve": "U0EVE"}
		names := append(slices.Collect(maps.Keys(want)), "an", "lima", "ana  lima reis", "liv", "robo", "th", "out", "nobody", "", "@", "\u200b", ana, "<@U0ANA>", "ana")
		if diff := cmp.Diff(want, w.called(names...)); diff != "" {
			t.Error(diff)
		}
		found, err := w.c.Named(w.ctx, ops, []string{"Ana Lima", "eve", "cid.o'hara"})
		if err != nil {
			t.Fatal(err)
		}
		if m := found["Ana Lima"][0]; m.Zone != "Europe/Lisbon" || m.Name != "ana" {
			t.Errorf("ana is %+v", m)
		}
		if !found["eve"][0].Foreign || !found["cid.o'hara"][0].Guest {
			t.Errorf("eve and cid are %+v", found)
		}
	})
}

// Somebody who took another name is not found by the old one, and by the new
// one after an hour.
func TestNamesAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, crowd)
		expect := func(name, want string) {
			t.Helper()
			if got := w.called(name)[name]; got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		const call = "slack users.info"
		expect("ana", ana)
		if n := w.calls(call); n != 8 {
			t.Errorf("%d people were read, of 8", n)
		}
		expect("ana lima", ana)
		expect("nobody", "")
		if n := w.calls(call); n != 8 {
			t.Errorf("%d people were read, of 8, of whom all were known", n)
		}
		if _, err := w.c.Named(w.ctx, "C0NOWHERE", []string{"", " @ "}); err != nil {
			t.Errorf("looking for no names: %v", err)
		}
		w.fake.AddPerson(fakeslack.Person{ID: ana, Name: "ann"})
		expect("ann", "")
		wait(w.ctx, 11*time.Second)
		expect("ana", "")
		if n := w.calls(call); n != 9 {
			t.Errorf("%d people were read, want one once more", n)
		}
		expect("ann", ana)
		// Who is in the channel is known for a minute.
		if n := w.calls("slack conversations.members"); n != 1 {
			t.Errorf("the members were listed %d times", n)
		}
	})
}

func TestNamedInTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, crowd)
		for _, method := range []string{"conversations.members", "users.info"} {
			w.fake.RateLimit(method, 1, 30*time.Second)
			found, err := w.c.Named(w.ctx, ops, []string{"ana"})
			if wait, _ := bot.RetryAfter(err); err == nil || wait != 30*time.Second || found != nil {
				t.Errorf("%s: %v, %v", method, found, err)
			}
			if err != nil && !strings.HasPrefix(err.Error(), "looking for people by name in C0OPS123: ") {
				t.Errorf("%s: %v", method, err)
			}
		}
		if got := w.called("ana")["ana"]; got != ana {
			t.Errorf("afterwards ana is %q", got)
		}
		if _, err := w.c.Named(w.ctx, "C0NOWHERE", []string{"ana"}); err == nil || !strings.Contains(err.Error(), "channel_not_found") {
			t.Errorf("in no channel: %v", err)
		}
	})
}

// What was read before something went wrong need not be read again.
func TestNamedGetsFurther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(f *fakeslack.Server, _ *Options) { f.Tiers = true }, many(250))
		tries := 0
		for {
			tries++
			found, err := w.c.Named(t.Context(), ops, []string{"person 7"}) // which takes minutes
			if err == nil {
				if len(found["person 7"]) != 1 {
					t.Errorf("found %v", found)
				}
				break
			}
			wait, again := bot.RetryAfter(err)
			if !again || wait == 0 || tries > 5 {
				t.Fatal(err)
			}
			<-time.After(wait)
		}
		if tries != 3 {
			t.Errorf("found at try %d; of 250 people Slack tells a hundred a minute", tries)
		}
	})
}

// many puts so many people into the channel, beside the bot.
func many(n int) func(*fakeslack.Server, *Options) {
	return func(f *fakeslack.Server, _ *Options) {
		members := []string{fakeslack.BotUser}
		for i := 1; i < n; i++ {
			id := fmt.Sprintf("U0P%d", i)
			f.AddPerson(fakeslack.Person{ID: id, Name: fmt.Sprintf("person %d", i)})
			members = append(members, id)
		}
		f.AddChannel(fakeslack.Channel{ID: ops, Name: "treeherder-ops", Members: members})
	}
}

func TestNamedAmongTooMany(t *testing.T) {
	for n, want := range map[int]bool{mostMembers: true, mostMembers + 1: false} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, many(n))
			found, err := w.c.Named(w.ctx, ops, []string{fmt.Sprintf("person %d", n-1)})
			if (err == nil) != want || (len(found) == 1) != want {
				t.Errorf("among %d: %v, %v", n, found, err)
			}
			if !want && (!strings.Contains(err.Error(), "more than 500 people") || w.calls("slack users.info") > 0) {
				t.Errorf("%v, after %d calls", err, w.calls("slack users.info"))
			}
		})
	}
}

func TestPostedAt(t *testing.T) {
	for id, want := range map[string]time.Time{
		"1790000000.000100": time.Unix(1790000000, 100_000),
		"1.000000":          time.Unix(1, 0),
		"9999999999.999999": time.Unix(9999999999, 999_999_000),
		"":                  {}, "1790000000": {}, "1790000000.": {}, "1790000000.1": {}, "1790000000.0001000": {}, ".000100": {}, "0.000100": {},
		"-1790000000.000100": {}, "1790000000.-00100": {}, "1790000000.000100.1": {}, "1e9.000100": {}, "99999999999999.000100": {}, " 1790000000.000100": {},
	} {
		if got, ok := PostedAt(id); ok == want.IsZero() || !got.Equal(want) {
			t.Errorf("PostedAt(%q) = %v, %v; want %v", id, got, ok, want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		before := time.Now().Truncate(time.Microsecond)
		at, ok := PostedAt(w.post(bot.Say("x"), "01J/page"))
		if !ok || at.Before(before) || at.After(time.Now().Add(time.Millisecond)) {
			t.Errorf("posted at %v, %v; it is %v", at, ok, time.Now())
		}
	})
}

// A page that Slack refuses is known not to have been said.
func TestWritingToSomebodyIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(f *fakeslack.Server, _ *Options) {
			f.AddPerson(fakeslack.Person{ID: "U0LIV", Name: "liv", Deleted: true})
		})
		refused := func(person, code string) {
			t.Helper()
			_, err := w.c.Post(w.ctx, person, "", bot.Say("are you there?"), "01J/page")
			if err == nil || !strings.Contains(err.Error(), code) || !bot.NotSent(err) {
				t.Errorf("%s: %v, want %s, and not sent", person, err, code)
			}
			if _, again := bot.RetryAfter(err); again {
				t.Errorf("%s: worth another try: %v", person, err)
			}
		}
		for _, code := range []string{"restricted_action", "user_disabled", "messages_tab_disabled", "is_archived"} {
			w.fake.RefuseDMs(ana, code)
			refused(ana, code)
		}
		refused("U0LIV", "user_disabled")
		refused(fakeslack.BotUser, "cannot_dm_bot")
		w.fake.RefuseDMs(ana, "")
		if _, err := w.c.Post(w.ctx, ana, "", bot.Say("are you there?"), "01J/page"); err != nil {
			t.Error(err)
		}
	})
}
