package slack

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"

	"thbot/bot"
	"thbot/integrations/slack/fakeslack"
)

func TestDescribe(t *testing.T) {
	profile := func(display, real string) slack.UserProfile {
		return slack.UserProfile{DisplayName: display, RealName: real}
	}
	for name, tt := range map[string]struct {
		in   slack.User
		want bot.Member
	}{
		"display name":  {slack.User{ID: "U1", TeamID: "T1", Name: "a", RealName: "A B", Profile: profile("ana", "A B"), TZ: "Europe/Lisbon"}, bot.Member{Person: bot.Person{ID: "U1", Name: "ana"}, Team: "T1", Zone: "Europe/Lisbon"}},
		"real name":     {slack.User{ID: "U1", TeamID: "T1", Name: "a", Profile: profile(" ", "A B")}, bot.Member{Person: bot.Person{ID: "U1", Name: "A B"}, Team: "T1"}},
		"handle":        {slack.User{ID: "U1", TeamID: "T1", Name: "a"}, bot.Member{Person: bot.Person{ID: "U1", Name: "a"}, Team: "T1"}},
		"no name":       {slack.User{ID: "U1", TeamID: "T1"}, bot.Member{Person: bot.Person{ID: "U1", Name: "U1"}, Team: "T1"}},
		"tricky name":   {slack.User{ID: "U1", TeamID: "T1", Profile: profile("a\u202e\u200bna\nx", "")}, bot.Member{Person: bot.Person{ID: "U1", Name: "ana x"}, Team: "T1"}},
		"gone":          {slack.User{ID: "U1", TeamID: "T1", Name: "a", Deleted: true}, bot.Member{Person: bot.Person{ID: "U1", Name: "a"}, Team: "T1", Gone: true}},
		"guest":         {slack.User{ID: "U1", TeamID: "T1", Name: "a", IsRestricted: true}, bot.Member{Person: bot.Person{ID: "U1", Name: "a"}, Team: "T1", Guest: true}},
		"channel guest": {slack.User{ID: "U1", TeamID: "T1", Name: "a", IsUltraRestricted: true}, bot.Member{Person: bot.Person{ID: "U1", Name: "a"}, Team: "T1", Guest: true}},
		"foreign":       {slack.User{ID: "U1", TeamID: "T2", Name: "a"}, bot.Member{Person: bot.Person{ID: "U1", Name: "a"}, Team: "T2", Foreign: true}},
		"no team":       {slack.User{ID: "U1", Name: "a"}, bot.Member{Person: bot.Person{ID: "U1", Name: "a"}, Foreign: true}},
		"same company":  {slack.User{ID: "W1", TeamID: "T2", Name: "a", Enterprise: slack.EnterpriseUser{Teams: []string{"T2", "T1"}}}, bot.Member{Person: bot.Person{ID: "W1", Name: "a"}, Team: "T2"}},
		"stranger":      {slack.User{ID: "U1", TeamID: "T1", Name: "a", IsStranger: true}, bot.Member{Person: bot.Person{ID: "U1", Name: "a"}, Team: "T1", Foreign: true}},
		"bot":           {slack.User{ID: "U1", TeamID: "T1", Name: "a", IsBot: true}, bot.Member{Person: bot.Person{ID: "U1", Name: "a"}, Team: "T1", Bot: true}},
		"Slackbot":      {slack.User{ID: "USLACKBOT", TeamID: "T1", Name: "slackbot"}, bot.Member{Person: bot.Person{ID: "USLACKBOT", Name: "slackbot"}, Team: "T1", Bot: true}},
	} {
		if got := describe(&tt.in, "T1"); got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}

func TestNamesOf(t *testing.T) {
	u := slack.User{Name: "alima", RealName: " Ana  Lima", Profile: slack.UserProfile{DisplayName: "@Ana\u200b Öst\u202e", RealName: "ANA LIMA"}}
	if got, want := namesOf(&u), []string{"alima", "ana lima", "ana öst"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := namesOf(&slack.User{ID: "U1", RealName: "@"}); len(got) != 0 {
		t.Errorf("nobody's names are %q", got)
	}
}

func TestMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(f *fakeslack.Server, _ *Options) {
			f.AddPerson(fakeslack.Person{ID: "U0EVE", Name: "eve", Team: "T0ELSE"})
		})
		member := func(id string, fresh time.Duration) bot.Member {
			t.Helper()
			m, err := w.c.Member(w.ctx, id, fresh)
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		if m := member(ana, time.Minute); m.Name != "ana" || m.Zone != "Europe/Lisbon" || m.Foreign || m.Guest || m.Bot || m.Gone {
			t.Errorf("ana is %+v", m)
		}
		if m := member("U0EVE", time.Minute); !m.Foreign {
			t.Errorf("eve is %+v", m)
		}
		for _, id := range []string{"U0NOBODY", "", "ana", "U0ANA&team=x", "S0GROUP"} {
			if _, err := w.c.Member(w.ctx, id, time.Minute); !errors.Is(err, bot.ErrNotFound) {
				t.Errorf("Member(%q): %v, want not found", id, err)
			}
		}

		w.fake.AddPerson(fakeslack.Person{ID: ana, Name: "ana", Deleted: true})
		wait(w.ctx, 10*time.Second)
		if member(ana, 10*time.Second).Gone {
			t.Error("asked again within ten seconds")
		}
		if !member(ana, 9*time.Second).Gone {
			t.Error("an answer of ten seconds ago for one of at most nine")
		}
		if before := w.calls("slack users.info"); !member(ana, time.Hour).Gone || w.calls("slack users.info") != before {
			t.Error("asked again although it knew")
		}

		wait(w.ctx, time.Second)
		w.fake.Fail("users.info", 1, 503)
		if _, err := w.c.Member(w.ctx, ana, 0); err == nil || errors.Is(err, bot.ErrNotFound) {
			t.Errorf("while Slack is away: %v", err)
		}
		member(ana, 0) // an error is not kept
	})
}

func TestByEmail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(f *fakeslack.Server, _ *Options) {
			f.AddPerson(fakeslack.Person{ID: ana, Name: "ana", Email: "ana@example.org"})
			f.AddPerson(fakeslack.Person{ID: "U0LIV", Name: "liv", Email: "liv@example.org", Deleted: true})
		})
		look := func(address string) (bot.Member, error) { return w.c.ByEmail(w.ctx, address, time.Hour) }
		if m, err := look("ana@example.org"); err != nil || m.ID != ana || m.Email != "ana@example.org" {
			t.Errorf("ana is %+v, %v", m, err)
		}
		if m, err := w.c.Member(w.ctx, ana, time.Hour); err != nil || m.Email != "ana@example.org" {
			t.Errorf("ana is %+v, %v", m, err)
		}
		const call = "slack users.lookupByEmail"
		for _, address := range []string{"nobody@example.org", "liv@example.org"} {
			for range 2 {
				if m, err := look(address); !errors.Is(err, bot.ErrNotFound) {
					t.Errorf("%s is %+v, %v", address, m, err)
				}
			}
		}
		if n := w.calls(call); n != 3 {
			t.Errorf("asked %d times for three addresses", n)
		}
		for _, address := range []string{"", "bea", "@example.org", "a b@example.org", "<a@example.org>"} {
			if m, err := look(address); !errors.Is(err, bot.ErrNotFound) || w.calls(call) != 3 {
				t.Errorf("%q is %+v, %v", address, m, err)
			}
		}
		w.fake.AddPerson(fakeslack.Person{ID: bea, Name: "bea", Email: "nobody@example.org"})
		wait(w.ctx, 50*time.Second)
		if m, err := w.c.ByEmail(w.ctx, "nobody@example.org", 49*time.Second); err != nil || m.ID != bea {
			t.Errorf("bea is %+v, %v", m, err)
		}
		w.fake.Fail("users.lookupByEmail", 1, 503)
		if m, err := look("cid@example.org"); err == nil || errors.Is(err, bot.ErrNotFound) {
			t.Errorf("while Slack is away cid is %+v, %v", m, err)
		}
		if _, err := look("cid@example.org"); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("an error was kept: %v", err)
		}
	})
}

func TestGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(f *fakeslack.Server, _ *Options) {
			f.AddGroup(fakeslack.Group{ID: "S0ADMINS", Handle: "th-admins", Users: []string{ana, bea}})
		})
		got, err := w.c.Group(w.ctx, "S0ADMINS", 0)
		if err != nil || !slices.Equal(got, []string{ana, bea}) {
			t.Fatalf("Group = %v, %v", got, err)
		}
		got[0] = "U0EVE" // the caller's own
		if again, _ := w.c.Group(w.ctx, "S0ADMINS", time.Minute); !slices.Equal(again, []string{ana, bea}) {
			t.Errorf("Group = %v", again)
		}
		w.fake.SetGroup(fakeslack.Group{ID: "S0ADMINS", Handle: "th-admins", Users: []string{bea}})
		wait(w.ctx, time.Second)
		if got, err := w.c.Group(w.ctx, "S0ADMINS", 0); err != nil || !slices.Equal(got, []string{bea}) {
			t.Errorf("Group = %v, %v", got, err)
		}
		for _, id := range []string{"S0NONE", "U0ANA", ""} {
			if _, err := w.c.Group(w.ctx, id, 0); !errors.Is(err, bot.ErrNotFound) {
				t.Errorf("Group(%q): %v, want not found", id, err)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := answering(t, 200, `{"ok":false}`)
		if got, err := w.c.Group(w.ctx, "S0ADMINS", 0); err == nil {
			t.Errorf("an answer that is none: %v", got)
		}
	})
}

func TestOneReadAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arrived, release := make(chan struct{}, 10), make(chan struct{})
		w := newWorld(t, func(f *fakeslack.Server, _ *Options) {
			f.Gate = func(call, moment string) {
				if call == "slack users.info" && moment == "arrived" {
					arrived <- struct{}{}
					<-release
				}
			}
		})
		var all sync.WaitGroup
		impatient, cancel := context.WithCancel(w.ctx)
		first := make(chan error, 1)
		go func() { _, err := w.c.Member(impatient, ana, time.Minute); first <- err }()
		<-arrived
		for range 20 {
			all.Go(func() {
				if m, err := w.c.Member(w.ctx, ana, time.Minute); err != nil || m.Name != "ana" {
					t.Errorf("%+v, %v", m, err)
				}
			})
		}
		// Who needs an answer of now takes none that was asked for before.
		wait(w.ctx, time.Second)
		all.Go(func() {
			if _, err := w.c.Member(w.ctx, ana, 0); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		// The one who began the read gives up; the others get their answer.
		cancel()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("the one who gave up: %v", err)
		}
		synctest.Wait()
		close(release)
		all.Wait()
		if n := w.calls("slack users.info"); n != 2 {
			t.Errorf("%d reads, want 2", n)
		}
	})
}

// A short wait that Slack asks for is waited; a long one is the caller's.
func TestReadsWaitAsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.fake.RateLimit("users.info", 1, time.Second)
		begun := time.Now()
		if _, err := w.c.Member(w.ctx, ana, 0); err != nil || time.Since(begun) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		w.fake.RateLimit("users.info", 1, 30*time.Second)
		if _, err := w.c.Member(w.ctx, ana, 0); err == nil {
			t.Error("a wait of half a minute was not reported")
		} else if wait, _ := bot.RetryAfter(err); wait != 30*time.Second {
			t.Errorf("told to wait %v", wait)
		}
	})
}

func TestTheCacheIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c cache[int]
		for i := range maxRows + 5 {
			c.put(string(rune('a'+i)), row[int]{i, time.Now()})
		}
		if len(c.rows) > maxRows {
			t.Errorf("%d rows", len(c.rows))
		}
	})
}
