package handlers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"thbot/bot"
)

// Whoever has a password set is told, once, that the process died meanwhile.
func TestPasswordInterrupted(t *testing.T) {
	now := time.Date(2022, 3, 1, 9, 0, 0, 0, time.UTC)
	o := bot.Operation{ID: "01J0000000000000000000RED0", Kind: "password", State: setting, Acts: 1, Now: now.Add(time.Minute), Entered: now}
	d := passwordChange{Database: "stage", Account: "redash", By: bot.Person{ID: "U0CLEO", Name: "cleo"}}
	next, err := Password{}.waited(t.Context(), o, &d)
	if err != nil || next.To != "" || len(next.Say) != 1 || next.Say[0].To.Channel != "U0CLEO" || !strings.Contains(fmt.Sprint(next.Say[0].Card), bot.VerbShow) {
		t.Errorf("cleo is told %+v; %v", next, err)
	}
	if card := fmt.Sprint(Password{}.Card(o, d)); !strings.Contains(card, "It may have been changed") {
		t.Errorf("the card says %s", card)
	}
	if next, err := (Password{}).waited(t.Context(), o, &d); err != nil || len(next.Say) > 0 {
		t.Errorf("and then %+v; %v", next, err)
	}
	o.Now = now.Add(showPassword)
	if next, err := (Password{}).waited(t.Context(), o, &d); err != nil || next.To != unset {
		t.Errorf("after a day, %+v; %v", next, err)
	}
	o.State = unset
	if card := fmt.Sprint(Password{}.Card(o, d)); !strings.Contains(card, "Perhaps changed") || strings.Contains(card, "Not changed") {
		t.Errorf("in the end the card says %s", card)
	}
}
