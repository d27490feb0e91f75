package bot_test

import (
	"testing"
	"time"

	"thbot/bot"
)

func TestLength(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                     "0s",
		400 * time.Millisecond:                "0s",
		59*time.Second + 499*time.Millisecond: "59s",
		59*time.Second + 500*time.Millisecond: "1m",
		6*time.Minute + 12*time.Second:        "6m 12s",
		time.Hour:                             "1h 0m",
		47*time.Hour + 59*time.Minute:         "47h 59m",
		48 * time.Hour:                        "2 days",
		80 * time.Hour:                        "3 days",
	} {
		if got := bot.Length(d); got != want {
			t.Errorf("Length(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestText(t *testing.T) {
	at := time.Date(2026, 11, 22, 14, 2, 3, 0, time.FixedZone("", 3600))
	text := bot.T("by ", bot.At(ana), bot.T(" on ", bot.Date(at)), " at ", bot.Time(at), ": ", bot.Count(1, "commit", "commits"), ", ",
		bot.Strong(bot.Count(2, "person", "people")), ", ", bot.Fixed("9f8e7d6"), " ", bot.To("there", "https://x.test/"))
	if got, want := text.String(), "by @U0ANA on 2026-11-22 13:02 at 13:02: 1 commit, 2 people, 9f8e7d6 there"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	// A card that is added to is another card.
	card := bot.Say("one")
	first, second := card.Add(bot.Paragraph("two")), card.Add(bot.SmallPrint("three"))
	if plain(card) != "one" || plain(first) != "one\ntwo" || plain(second) != "one\nthree" {
		t.Errorf("the cards are %q, %q and %q", plain(card), plain(first), plain(second))
	}
}
