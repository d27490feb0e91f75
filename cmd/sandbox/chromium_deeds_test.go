package main

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"thbot/cmd/sandbox/world"
)

// become lets the window be somebody else.
func (w window) become(person string) {
	w.t.Helper()
	w.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector('#people [value=%q]').click(); document.getElementById("text").focus()`, person)))
	w.until(fmt.Sprintf(`document.getElementById("self").innerText.includes(%q)`, "You are "+person))
}

// goTo lets the window show another place.
func (w window) goTo(place string) {
	w.t.Helper()
	place = fmt.Sprintf(`document.querySelector('#channels [value=%q]')`, place)
	w.do(chromedp.Evaluate[chromedp.Void](place + ".click()"))
	w.until(place + ".checked")
}

// click presses the newest button that reads label.
func (w window) click(label string) {
	w.t.Helper()
	button := fmt.Sprintf(`[...document.querySelectorAll("#messages .button")].findLast((b) => b.innerText.trim() === %s)`, quoted(label))
	w.until(button + " !== undefined")
	w.do(chromedp.Evaluate[chromedp.Void](button + ".click()"))
}

// confirm says yes in Slack's own dialog.
func (w window) confirm() {
	w.t.Helper()
	w.until(`document.getElementById("confirm").open`)
	w.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("confirm-yes").click()`))
}

// A revert, as whoever carries the pager makes it.
func testReverts(t *testing.T, w window) {
	w.dark(false) // and nothing moves
	w.become("cleo")
	w.keys("/th revert prod" + kb.Enter)
	w.click("Back to 70c3e55…")
	w.says("Revert production?")
	w.accessible("revert")
	w.picture("revert")
	w.click("Revert")
	w.confirm()
	w.says("Production is back on")
	w.says("Production is locked")
	w.picture("reverted")
	if live, proceeds := w.box.now().Live("production"), w.box.now().Jenkins.Proceeds(); live != world.Commit("70c3e55") || len(proceeds) != 1 || proceeds[0].Run != 813 {
		t.Errorf("live %s, proceeded %v", live, proceeds)
	}
}

// A page, answered by the contact in her direct messages.
func testPages(t *testing.T, w window) {
	w.dark(false) // and nothing moves
	w.turn("contact-quiet")
	w.become("nora")
	w.keys("/th page the site is down" + kb.Enter)
	w.says("Page cleo?")
	w.says("does not want to be disturbed")
	w.accessible("page")
	w.picture("page")
	w.click("Page now")
	w.says("nora pages cleo")
	w.become("cleo")
	w.goTo("dm")
	w.says("nora pages you")
	w.accessible("paged")
	w.picture("paged")
	w.click("I'm on it")
	w.goTo("treeherder-ops")
	w.says("cleo is on it")
	w.click("Resolved")
	w.says("Resolved after")
	w.picture("resolved")
}
