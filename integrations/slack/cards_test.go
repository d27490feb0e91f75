package slack

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"pgregory.net/rapid"

	"thbot/bot"
)

func TestRender(t *testing.T) {
	card := bot.Card{Line: bot.T("Promote to production?\nReally?"), Parts: []bot.Part{
		bot.Paragraph(bot.Strong("Promote to production?"), " asked by ", bot.At("U0ANA")),
		{Kind: bot.List, Items: []bot.Text{bot.T(bot.Fixed("9f8e7d6"), " Bug 1\nmore"), bot.T("b")}},
		bot.SmallPrint("an admin can confirm"),
		{Kind: bot.Actions, Buttons: []bot.CardButton{
			{Label: "Promote…", Verb: "promote", Value: "01J.1", Tone: bot.Danger, Dialog: "Promote <9f8e7d6>?\nIt is red."},
			{Label: "Cancel", Verb: "cancel", Value: "01J.1"},
			{Label: "Again", Verb: "cancel", Value: "01J.2", Tone: bot.Primary},
			{Label: "Run 812", URL: "https://ci.example/job/812/?a=1&b=2"},
			{Label: "Nowhere", URL: "javascript:x"},
		}},
	}}
	line, blocks := render(card)
	if line != "Promote to production? Really?" {
		t.Errorf("line %q", line)
	}
	type object = map[string]any
	var got []object
	if err := json.Unmarshal([]byte(mustJSON(blocks)), &got); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, b := range got {
		id := b["block_id"].(string)
		if ids[id] || !strings.HasPrefix(id, blockPrefix) {
			t.Errorf("block id %q", id)
		}
		ids[id] = true
		delete(b, "block_id")
	}
	markup := func(s string) object { return object{"type": "mrkdwn", "text": s, "verbatim": true} }
	plain := func(s string) object { return object{"type": "plain_text", "text": s, "emoji": false} }
	want := []object{
		{"type": "section", "text": markup("*Promote to production?* asked by <@U0ANA>")},
		{"type": "section", "text": markup("• `9f8e7d6` Bug 1 more\n• b")},
		{"type": "context", "elements": []any{markup("an admin can confirm")}},
		{"type": "actions", "elements": []any{
			object{"type": "button", "text": plain("Promote…"), "action_id": "promote", "value": "01J.1", "style": "danger",
				"confirm": object{"title": plain("Promote"), "text": plain("Promote <9f8e7d6>?\nIt is red."), "confirm": plain("Promote"), "deny": plain("Not now"), "style": "danger"}},
			object{"type": "button", "text": plain("Cancel"), "action_id": "cancel", "value": "01J.1"},
			object{"type": "button", "text": plain("Again"), "action_id": "cancel~2", "value": "01J.2", "style": "primary"},
			object{"type": "button", "text": plain("Run 812"), "action_id": "open-link", "url": "https://ci.example/job/812/?a=1&b=2"},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBlockIDsFollowTheContent(t *testing.T) {
	id := func(c bot.Card) string { _, blocks := render(c); return blocks[0].ID() }
	if a, b := id(bot.Say("x")), id(bot.Say("x")); a != b {
		t.Errorf("the same card has ids %q and %q", a, b)
	}
	if a, b := id(bot.Say("x")), id(bot.Say("y")); a == b {
		t.Errorf("another card has the same id %q", a)
	}
	_, twice := render(bot.Say("x").Add(bot.Paragraph("x")))
	if twice[0].ID() == twice[1].ID() {
		t.Error("two blocks share an id")
	}
}

func TestEmptyCards(t *testing.T) {
	for name, c := range map[string]bot.Card{
		"nothing":     {},
		"blank":       bot.Say(" \n\u200b"),
		"only a line": {Line: bot.T("done")},
		"no line":     {Parts: []bot.Part{bot.Paragraph("done")}},
		"no buttons":  {Parts: []bot.Part{{Kind: bot.Actions}, {Kind: bot.List}, {Kind: bot.Note}}},
	} {
		line, blocks := render(c)
		if isBlank(line) || len(blocks) != 1 {
			t.Errorf("%s: line %q, %d blocks", name, line, len(blocks))
		}
	}
}

func TestLongLists(t *testing.T) {
	items := func(n, length int) bot.Part {
		p := bot.Part{Kind: bot.List, More: "https://github.com/mozilla/treeherder/compare/a...b"}
		for i := range n {
			p.Items = append(p.Items, bot.T(fmt.Sprintf("%d ", i), strings.Repeat("&", length)))
		}
		return p
	}
	if s := list(items(3, 5), maxText); strings.Contains(s, "more") || strings.Count(s, "\n") != 2 {
		t.Errorf("a list that fits: %q", s)
	}
	for n := range 80 {
		p := items(n+1, 15)
		s := list(p, 1000)
		shown := strings.Count(s, "• ")
		want := fmt.Sprintf("<%s|and %d more>", p.More, n+1-shown)
		if units(s) > 1000 || shown <= n != strings.HasSuffix(s, want) {
			t.Errorf("%d items: %d units, %d shown, want the end %q of %q", n+1, units(s), shown, want, s)
		}
	}
	p := items(80, 15)
	p.More = ""
	if s := list(p, 1000); !strings.Contains(s, "\nand 68 more") || strings.Contains(s, "<") {
		t.Errorf("without a link: %q", s)
	}
	// What the card itself left out counts, too.
	p = items(3, 5)
	p.Left = 34
	if s := list(p, maxText); !strings.HasSuffix(s, "|and 34 more>") {
		t.Errorf("with 34 left out: %q", s)
	}
	if s := list(p, 150); !strings.HasSuffix(s, "|and 35 more>") {
		t.Errorf("with 34 left out and one that does not fit: %q", s)
	}
	// One long item does not hide the others.
	p = items(3, 5)
	p.Items[0] = bot.T(strings.Repeat("x", 5000))
	if s := list(p, maxText); strings.Count(s, "• ") != 3 {
		t.Errorf("with a long item: %q", s)
	}
}

func TestTooManyBlocksKeepTheButtons(t *testing.T) {
	var c bot.Card
	for i := range 70 {
		c = c.Add(bot.Paragraph(fmt.Sprint("paragraph ", i)))
	}
	c = c.Add(question().Parts[1])
	_, blocks := render(c)
	if len(blocks) != maxBlocks || blocks[48].BlockType() != slack.MBTAction {
		t.Errorf("%d blocks, of which the last but one is %s", len(blocks), blocks[len(blocks)-2].BlockType())
	}
	if !strings.Contains(mustJSON(blocks[49]), shortened) {
		t.Error("it does not say that it was shortened")
	}
}

func TestButtonsThatCannotBe(t *testing.T) {
	c := bot.Say("x").Add(bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{
		{Label: "too much", Verb: "v", Value: strings.Repeat("x", 2001)},
		{Label: "no verb"},
		{Verb: "label"},
		{Label: strings.Repeat("🙂", 80), Verb: "long", Dialog: strings.Repeat("🙂", 400)},
	}})
	_, blocks := render(c)
	var got []string
	for _, b := range blocks[1].(*slack.ActionBlock).Elements.ElementSet {
		got = append(got, b.(*slack.ButtonBlockElement).ActionID)
	}
	if diff := cmp.Diff([]string{"label", "long"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestManyButtonsStandInRows(t *testing.T) {
	p := bot.Part{Kind: bot.Actions}
	for i := range 60 {
		p.Buttons = append(p.Buttons, bot.CardButton{Label: fmt.Sprint(i), Verb: "say", Value: fmt.Sprint(i)})
	}
	line, blocks := render(bot.Say("Which?").Add(p))
	if len(blocks) != 4 {
		t.Errorf("%d blocks, want a section and three rows", len(blocks))
	}
	if wrong := lint(line, blocks); wrong != "" {
		t.Error(wrong)
	}
}

var anyCard = rapid.Custom(func(t *rapid.T) bot.Card {
	button := rapid.Custom(func(t *rapid.T) bot.CardButton {
		b := bot.CardButton{
			Label:  anyString.Draw(t, "label"),
			Verb:   rapid.OneOf(rapid.SampledFrom([]string{"promote", "cancel", "say"}), rapid.StringN(0, 300, -1)).Draw(t, "verb"),
			Value:  rapid.StringN(0, 2100, -1).Draw(t, "value"),
			Tone:   rapid.SampledFrom([]bot.Tone{bot.Quiet, bot.Primary, bot.Danger, "?"}).Draw(t, "tone"),
			Dialog: rapid.OneOf(rapid.Just(""), anyString).Draw(t, "dialog"),
		}
		if rapid.Bool().Draw(t, "link") {
			b.URL = anyURL.Draw(t, "url")
		}
		return b
	})
	part := rapid.Custom(func(t *rapid.T) bot.Part {
		return bot.Part{
			Kind:    rapid.SampledFrom([]bot.PartKind{bot.Section, bot.List, bot.Note, bot.Block, bot.Actions, "?"}).Draw(t, "kind"),
			Text:    anyText.Draw(t, "text"),
			Items:   rapid.SliceOfN(anyText, 0, 3).Draw(t, "items"),
			Left:    rapid.IntRange(0, 1000).Draw(t, "left"),
			More:    anyURL.Draw(t, "more"),
			Buttons: rapid.SliceOfN(button, 0, 30).Draw(t, "buttons"),
		}
	})
	c := bot.Card{Line: anyText.Draw(t, "line")}
	parts := rapid.SliceOfN(part, 0, 4).Draw(t, "parts")
	for range rapid.SampledFrom([]int{1, 1, 1, 1, 1, 1, 20}).Draw(t, "times") {
		c.Parts = append(c.Parts, parts...)
	}
	return c
})

func TestEveryCardKeepsTheLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line, blocks := render(anyCard.Draw(t, "card"))
		if wrong := lint(line, blocks); wrong != "" {
			t.Fatal(wrong)
		}
	})
}

// lint counts as generously as Slack might: in UTF-16 units.
func lint(line string, blocks []slack.Block) string {
	if isBlank(line) || units(line) > 4000 || strings.Contains(line, "\n") {
		return fmt.Sprintf("line %q", line)
	}
	if len(blocks) < 1 || len(blocks) > 50 {
		return fmt.Sprintf("%d blocks", len(blocks))
	}
	blockIDs, actionIDs := map[string]bool{}, map[string]bool{}
	total := 0
	text := func(what string, o *slack.TextBlockObject, most int) string {
		total += units(o.Text)
		switch {
		case o.Validate() != nil:
			return what + ": " + o.Validate().Error()
		case isBlank(o.Text), units(o.Text) > most, !utf8.ValidString(o.Text):
			return fmt.Sprintf("%s: %d units: %q", what, units(o.Text), o.Text)
		case o.Type == slack.MarkdownType && !o.Verbatim:
			return what + " is not verbatim"
		case o.Type == slack.MarkdownType && harmless(o.Text, true) != "":
			return what + ": " + harmless(o.Text, true)
		}
		return ""
	}
	for _, b := range blocks {
		var wrong []string
		if id := b.ID(); id == "" || len(id) > 255 || blockIDs[id] {
			return "block id " + id
		}
		blockIDs[b.ID()] = true
		switch b := b.(type) {
		case *slack.SectionBlock:
			wrong = append(wrong, text("section", b.Text, 3000))
		case *slack.ContextBlock:
			if n := len(b.ContextElements.Elements); n < 1 || n > 10 {
				return fmt.Sprintf("%d elements in a context", n)
			}
			for _, e := range b.ContextElements.Elements {
				wrong = append(wrong, text("context", e.(*slack.TextBlockObject), 2000))
			}
		case *slack.ActionBlock:
			if n := len(b.Elements.ElementSet); n < 1 || n > 25 {
				return fmt.Sprintf("%d buttons", n)
			}
			for _, e := range b.Elements.ElementSet {
				e := e.(*slack.ButtonBlockElement)
				wrong = append(wrong, text("label", e.Text, 75))
				if e.ActionID == "" || units(e.ActionID) > 255 || actionIDs[e.ActionID] || units(e.Value) > 2000 || len(e.URL) > 3000 {
					return fmt.Sprintf("button %q of %d and %d", e.ActionID, units(e.Value), len(e.URL))
				}
				actionIDs[e.ActionID] = true
				if d := e.Confirm; d != nil {
					wrong = append(wrong, text("title", d.Title, 100), text("dialog", d.Text, 300), text("confirm", d.Confirm, 30), text("deny", d.Deny, 30))
				}
			}
		}
		for _, w := range wrong {
			if w != "" {
				return w
			}
		}
	}
	return ""
}

// The fake, which somebody else wrote, takes every card, too.
func TestSlackTakesEveryCard(t *testing.T) {
	w := newWorld(t)
	rapid.Check(t, func(t *rapid.T) {
		card := anyCard.Draw(t, "card")
		id, err := w.c.Post(w.ctx, ops, "", card, "k")
		if err != nil {
			t.Fatalf("posting: %v: %v", err, w.logs.FilterMessageSnippet("refuses").All())
		}
		if err := w.c.Update(w.ctx, ops, id, card); err != nil {
			t.Fatalf("updating: %v", err)
		}
	})
}

func TestEveryAcknowledgementIsSmallEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := acknowledge(anyCard.Draw(t, "card"))
		if wrong := lint(a.Text, a.Blocks); wrong != "" {
			t.Fatal(wrong)
		}
		whole := mustJSON(map[string]any{"envelope_id": strings.Repeat("x", 36), "payload": a})
		if len(whole) >= 20*1024 {
			t.Fatalf("%d bytes", len(whole))
		}
	})
}
