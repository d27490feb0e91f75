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

// How databases and bugs look when all is not well: as the page is told.
func testDatabases(t *testing.T, w window) {
	w.dark(false)
	tell := func(changes string) {
		t.Helper()
		eval[bool](w, fmt.Sprintf(`{
			window.really ??= window.fetch;
			window.fetch = async (path, ...more) => {
				const answer = await really(path, ...more);
				if (path !== "/api/world") return answer;
				const w = await answer.json();
				%s;
				return new Response(JSON.stringify(w));
			};
			true;
		}`, changes))
		w.say("fox", "Hello")
	}
	look := func(name string) {
		t.Helper()
		for _, shade := range []bool{false, true} {
			w.dark(shade)
			w.do(chromedp.ScrollIntoView("#group-bugzilla"))
			w.accessible(name)
			w.picture(fmt.Sprintf("%s-dark-%v", name, shade))
		}
		w.do(chromedp.ScrollIntoView("#group-bot"))
		w.picture(name + "-bot")
	}
	w.says("They were left out, with --databases=false.")

	tell(`w.databases = {starting: true, list: []}; w.bot = {...w.bot, running: false, sockets: 0}; w.bugzilla.bugs = []`)
	w.says("waits for the databases")
	w.says("The bot answers in a few seconds.")
	w.says("No bug has been filed.")
	look("databases-starting")

	tell(`w.databases = {starting: false, missing: "This machine has no MariaDB, so there are none. To have them: apt-get install mariadb-server-core", list: []}`)
	w.until(`[...document.querySelectorAll("#group-databases code")].some((c) => c.innerText === "apt-get install mariadb-server-core")`)
	w.until(`document.getElementById("starting").hidden`)
	look("databases-missing")

	tell(`{
		const account = (name, kind, more) => ({name, kind, tls: true, locked: false, ...more});
		const d = {replica: "127.0.0.1:33061", ca: "/tmp/thbot-sandbox-1/databases-1/stage/ca.pem", replicating: true, accounts: [account("redash", "service"), account("thbot", "bot")]};
		w.databases = {starting: false, list: [
			{...d, name: "stage", replicating: false, behind: true, read_only: true, accounts: [account("ro_bea", "person", {locked: true}), account("ro_a_name_that_is_as_long_as_they", "person", {tls: false}), ...d.accounts]},
			{...d, name: "prototype", cut_off: true, accounts: [], wrong: "The server has gone away."}]};
		const bug = (id, status, open, more) => ({id, url: w.bugzilla.url, summary: "Treeherder: <b>a bug</b> with a summary that goes on and on", by: "ana", status, open, ...more});
		Object.assign(w.bugzilla, {down: true, revoked: true, bugs: [bug(5, "NEW", true, {private: true}), bug(4, "RESOLVED WONTFIX", false), bug(3, "ASSIGNED", true), bug(2, "REOPENED", true), bug(1, "NEW", true)]});
	}`)
	for _, text := range []string{"replication stopped, behind", "primary is read-only", "locked", "without TLS", "replica cannot be reached", "The server has gone away.",
		"answers 503", "refuses the bot's key", "private", "RESOLVED WONTFIX", "<b>a bug</b>", "and 1 older"} {
		w.says(text)
	}
	look("databases-troubled")
	w.do(chromedp.ScrollIntoView(`[data-key="switch bugzilla-resolve"]`))
	w.picture("databases-switches")
}
