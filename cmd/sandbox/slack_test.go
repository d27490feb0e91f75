package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/slack-go/slack"

	"thbot/cmd/sandbox/world"
)

const atTop = `document.querySelector("#modal [data-part=title]").textContent`

// Modals: filled in by keyboard, refused, submitted, stacked and closed.
func testModals(t *testing.T, w window) {
	app := takeOver(t, w)
	w.keys("/th freeze" + kb.Enter)
	w.until(`document.getElementById("modal").open && document.activeElement.tagName === "INPUT"`)
	w.keys("ab")
	w.tab("an environment", false) // what nothing is chosen in reads as its placeholder
	w.keys("st" + kb.Tab + "cl" + kb.Tab + " ")
	w.tab("Freeze", false)
	w.keys(kb.Enter)
	w.says("That is too short to be a reason.")
	if kept := eval[string](w, `document.querySelector("#modal input").value`); kept != "ab" {
		t.Errorf("what was typed is %q now", kept)
	}
	w.accessible("modal")
	w.picture("modal")
	w.dark(true)
	w.accessible("modal, dark")
	w.dark(false)
	w.do(chromedp.EmulateViewport(390, 844))
	if over := eval[int](w, "document.scrollingElement.scrollWidth - innerWidth"); over > 0 {
		t.Errorf("the modal is %d pixels too wide", over)
	}
	w.picture("modal-phone")

	w.tab("Another", true)
	w.keys(kb.Enter)
	w.until(atTop + ` === "Once more"`)
	w.says("on top of Freeze deploys")
	w.keys(kb.Escape)
	w.until(atTop + ` === "Freeze deploys"`)

	w.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#modal input").value = ""`), chromedp.Focus("#modal input"))
	w.keys("alerts are broken")
	w.do(chromedp.Focus("#modal textarea"))
	w.keys("first" + kb.Enter + "second" + strings.Repeat(".", 40))
	// What the app changes meanwhile takes nothing away.
	var open []view
	w.ask("GET", "/api/modal?as=ana", nil, &open)
	if _, err := app.UpdateView(form("Freeze all deploys"), "", "", open[0].ID); err != nil {
		t.Fatal(err)
	}
	w.until(atTop + ` === "Freeze all deploys"`)
	if !eval[bool](w, `document.activeElement.tagName === "TEXTAREA"`) {
		t.Error("the line that was typed in has lost the focus")
	}
	w.tab("Freeze", false)
	w.keys(kb.Enter)
	w.until(`!document.getElementById("modal").open`)
	if got, want := <-app.submitted, "alerts are broken stage U0CLEO now first\nsecond"+strings.Repeat(".", 28); got != want {
		t.Errorf("submitted: %s, want %s", got, want)
	}
	if u := w.box.now().Unexpected(); len(u) > 0 {
		t.Errorf("unexpected: %v", u)
	}
}

// Direct messages, Home, threads and what is unread.
func testPlaces(t *testing.T, w window) {
	app := takeOver(t, w)
	badge := func(place string) string {
		return fmt.Sprintf(`document.querySelector('#channels label:has([value=%q]) .unread')?.textContent`, place)
	}

	_, ts, err := app.PostMessage(world.Channel, slack.MsgOptionText("Who knows alerts?", false))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := app.PostMessage(world.Channel, slack.MsgOptionText("I only ask.", false), slack.MsgOptionTS(ts)); err != nil {
		t.Fatal(err)
	}
	w.says("1 reply")
	if eval[bool](w, `document.getElementById("messages").innerText.includes("I only ask.")`) {
		t.Error("what is in a thread is in the channel, too")
	}
	w.tab("1 reply", true)
	w.keys(kb.Enter)
	w.until(`document.getElementById("thread").innerText.includes("I only ask.")`)
	w.keys("Ask bea" + kb.Enter)
	w.until(`document.getElementById("thread-messages").innerText.includes("Ask bea")`)
	w.accessible("thread")
	w.picture("thread")
	if got := w.box.now().Slack.Threads("U0ANA", world.Channel); len(got) != 1 || len(got[0]) != 3 || got[0][2].Text != "Ask bea" {
		t.Errorf("the threads: %+v", got)
	}
	w.keys(kb.Escape)
	w.until(`document.getElementById("thread").hidden`)

	at := int64(1795374000) // 19:00 UTC on 22 November 2026
	if _, _, err := app.PostMessage("U0ANA", slack.MsgOptionText(fmt.Sprintf("It starts at <!date^%d^{time}|19:00 UTC>.", at), false)); err != nil {
		t.Fatal(err)
	}
	w.until(badge("dm") + ` === "1"`)
	w.picture("unread")
	w.do(chromedp.Focus(`#channels [value="dm"]`))
	w.keys(" ")
	w.says("It starts at ")
	w.until(badge("dm") + ` === undefined`)
	if zone := w.world().People[0].Zone; zone == "" {
		t.Error("ana has no time zone")
	} else if got, want := eval[string](w, `document.querySelector("#messages .blocks time").textContent`), eval[string](w, fmt.Sprintf(`new Date(%d).toLocaleTimeString([], {hour: "numeric", minute: "2-digit", timeZone: %q})`, at*1000, zone)); got != want {
		t.Errorf("ana reads %s, want %s", got, want)
	}
	w.do(chromedp.Focus("#text"))
	w.keys("Thank you" + kb.Enter)
	w.says("Thank you")
	w.picture("dm")

	w.do(chromedp.Focus(`#channels [value="dm"]`))
	w.keys(kb.ArrowDown)
	w.says("The bot has published nothing here.")
	text := func(s string) *slack.TextBlockObject {
		return slack.NewTextBlockObject(slack.MarkdownType, s, false, false)
	}
	button := slack.NewButtonBlockElement("refresh", "1", slack.NewTextBlockObject(slack.PlainTextType, "Look again", false, false))
	if _, err := app.PublishView("U0ANA", slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{
		BlockSet: []slack.Block{slack.NewSectionBlock(text("*Your deploys*: none"), nil, nil), slack.NewActionBlock("b", button)}}}, ""); err != nil {
		t.Fatal(err)
	}
	w.says("Your deploys: none")
	w.accessible("home")
	w.picture("home")
	w.tab("Look again", false)
	w.keys(kb.Enter)
	w.until(badge("dm") + ` === "1"`)
	if u := w.box.now().Unexpected(); len(u) > 0 {
		t.Errorf("unexpected: %v", u)
	}
}

// The line completes what the bot knows.
func testCompletion(t *testing.T, w window) {
	line := `document.getElementById("text").value`
	offered := func() int { return eval[int](w, `document.querySelectorAll("#offers [role=option]").length`) }
	w.keys("/th ")
	if n, known := offered(), w.world().Commands; n != len(known) || n < 4 {
		t.Errorf("%d commands are offered of %d", n, len(known))
	}
	w.accessible("completion")
	w.picture("completion")
	w.keys("de" + kb.Tab + "pro")
	if names := eval[string](w, `[...document.querySelectorAll("#offers code")].map((c) => c.innerText).join()`); names != "/th deploy production,/th deploy prototype" {
		t.Errorf("pro is completed to %s", names)
	}
	w.keys("d")
	w.says("also prod")
	w.keys(strings.Repeat(kb.Backspace, 4) + "tc")
	w.says("also tc")
	w.keys(strings.Repeat(kb.Backspace, 2))
	if got := eval[string](w, line); got != "/th deploy " {
		t.Fatalf("Tab makes it %q", got)
	}
	w.keys("p" + kb.ArrowDown)
	// KeyEvent's Enter would be a second one, as no keyboard's is.
	if eval[bool](w, `document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true}))`) {
		t.Error("Enter would send the line, too")
	}
	if got := eval[string](w, line); got != "/th deploy production" {
		t.Fatalf("an arrow and Enter make it %q", got)
	}
	if n := offered(); n != 0 {
		t.Errorf("%d are offered when nothing is missing", n)
	}
	w.keys(kb.Enter)
	w.says("Promote to production?")
	w.keys("/th s" + kb.Escape)
	if n := offered(); n != 0 || eval[string](w, line) != "/th s" {
		t.Errorf("after Escape %d are offered, and the line is %q", n, eval[string](w, line))
	}
}

// Arguments can have words before them, alternatives, and be left out.
func testArguments(t *testing.T, w window) {
	app := []word{{"production", []string{"prod"}}, {"prototype", []string{"proto"}}}
	anything := argument{false, []shape{{"", []word{}}}}
	known, err := json.Marshal([]command{
		{[]string{"lock"}, "lock", "Locks it.", []argument{{false, []shape{{"", app}}}, {true, []shape{{"for", []word{}}, {"until", []word{}}}}, anything}},
		{[]string{"deploy", "promote"}, "deploy", "Deploys it.", []argument{{false, []shape{{"", app}}}, {true, anything.Forms}, {true, []shape{{"force", []word{}}}}}},
		{[]string{"access"}, "access", "Gives access.", []argument{{false, []shape{{"grant", []word{{"@ana", []string{}}}}, {"", []word{{"list", []string{}}}}}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]string{
		"/t":                       "/th ",
		"/th pro":                  "/th deploy ", // by its other name
		"/th lock proto":           "/th lock prototype",
		"/th LOCK PROD ":           "/th LOCK PROD for ,/th LOCK PROD until ",
		"/th lock prod u":          "/th lock prod until ",
		"/th lock prod for ":       "",
		"/th lock prod for 2h ":    "",
		"/th lock prod alerts ":    "",
		"/th deploy prod 9f8e7d6 ": "/th deploy prod 9f8e7d6 force ",
		"/th deploy prod --force ": "",
		"/th access ":              "/th access grant ,/th access list",
		"/th access grant @":       "/th access grant @ana",
		"/th nonsense prod":        "",
		"Hello":                    "",
	} {
		got := eval[string](w, fmt.Sprintf(`import("/complete.js").then((m) => m.completions(%s, %s).map(([line]) => line).join())`, quoted(typed), known))
		if got != want {
			t.Errorf("%q is completed to %q, want %q", typed, got, want)
		}
	}
}

// The log has what crossed the wires, with its times, and can be narrowed.
func testLog(t *testing.T, w window) {
	w.keys("/th status" + kb.Enter)
	w.says("production")
	w.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#log summary").click()`))
	for _, kind := range []string{"envelope", "ack", "call"} {
		w.until(fmt.Sprintf(`[...document.querySelectorAll("#log li i")].some((i) => i.textContent === %q)`, kind))
	}
	if at := eval[string](w, `document.querySelector("#log li time").textContent`); !regexp.MustCompile(`^\d\d:\d\d:\d\d[.,]\d{3}$`).MatchString(at) {
		t.Errorf("it happened at %q", at)
	}
	w.do(chromedp.ScrollIntoView("#log"))
	w.accessible("log")
	w.picture("log")
	w.do(chromedp.Evaluate[chromedp.Void](`{
		const whose = document.querySelector("#log select");
		whose.value = "The apps";
		whose.dispatchEvent(new Event("change"));
	}`))
	w.until(`[...document.querySelectorAll("#log li b")].every((b) => !["Slack", "Jenkins", "GitHub"].includes(b.textContent))`)
}
