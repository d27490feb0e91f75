package main

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestAccessInChromium is how somebody comes to a password for the database, as
// people see it: it ends in a login with what the window shows.
func TestAccessInChromium(t *testing.T) {
	t.Parallel()
	c, s := visitDatabases(t)
	w := browser{chromium(t), axe(t)}.at(t, c, s)
	w.dark(false) // and nothing moves
	w.keys("/th access grant @bea stage for 30d looking at slow pushes" + kb.Enter)
	w.says("Read access to stage for bea?")
	w.accessible("access")
	w.picture("access-asked")

	w.become("cleo")
	w.click("Grant")
	w.confirm()
	w.says("bea can read stage")
	w.picture("access-granted")

	w.become("bea")
	w.goTo("dm")
	w.says("You can read Treeherder's database of stage")
	w.picture("access-told")
	w.showCredentials()
	w.until(inModal("Your credentials"))
	w.everyWay(func(way string) { w.accessible("credentials " + way); w.picture("credentials-" + way) })
	first := w.readCredentials()
	first.works(t)

	// What takes long says so, and goes on while one looks at it.
	w.do(chromedp.EmulateViewport(1360, 900))
	w.turn("replica-stop")
	w.showCredentials()
	w.until(inModal("Preparing…"))
	w.accessible("preparing")
	w.picture("access-preparing")
	w.turn("replica-continue")
	second := w.readCredentials()
	second.works(t)
	if err := first.login(t, true); !denied(err) {
		t.Errorf("with the first password: %v", err)
	}

	showsPrimary(t, "the page", eval[string](w, "document.documentElement.outerHTML"), s.now().Databases()["stage"].Primary.Address)
	w.do(chromedp.ScrollIntoView("#group-databases"))
	w.picture("access-world")
	c.secrecy(t, s, first.Password, second.Password)
}

// inModal is whether the modal that is open says text.
func inModal(text string) string {
	return fmt.Sprintf(`document.getElementById("modal").open && document.getElementById("modal").innerText.includes(%q)`, text)
}

// showCredentials presses for what is shown once.
func (w window) showCredentials() {
	w.t.Helper()
	w.click("Show my credentials")
	w.until(`document.getElementById("confirm").open`)
	w.accessible("confirming")
	w.picture("access-confirm")
	w.confirm()
}

// readCredentials reads what is shown once, and closes it.
func (w window) readCredentials() credentials {
	w.t.Helper()
	w.until(inModal("Your credentials"))
	shown := eval[string](w, `document.getElementById("modal").innerText`)
	showsPrimary(w.t, "the window", shown, w.box.now().Databases()["stage"].Primary.Address)
	k := readCredentials(w.t, shown)
	w.keys(kb.Escape)
	w.until(`!document.getElementById("modal").open`)
	w.until(fmt.Sprintf("!document.documentElement.outerHTML.includes(%q)", k.Password)) // nothing of it stays in the page
	return k
}
