package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"thbot/cmd/sandbox/world"
)

// require names the variable that makes tests fail where they would skip for
// want of something on the machine.
const require = "THBOT_TEST_REQUIRE"

// lacking skips the test, or fails it where everything has to be there.
func lacking(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv(require) != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// pictures is where screenshots are kept to be looked at.
const pictures = "../../artefacts"

// chromium starts a browser that reaches nothing but what it is told to.
func chromium(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		lacking(t, "no chromium: %v", err)
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), // a container's is small
		chromedp.WindowSize(1360, 900))
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		// Orderly, so that nothing still writes into the directory that goes.
		if err := chromedp.Cancel(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		cancel()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting chromium: %v", err)
	}
	return ctx
}

// A browser is chromium, and the rules of accessibility to put into its pages.
type browser struct {
	ctx context.Context
	axe string
}

// TestInChromium is the page as people use it.
func TestInChromium(t *testing.T) {
	t.Parallel()
	b := browser{chromium(t), axe(t)}
	t.Run("all", func(t *testing.T) { // ends before the browser does
		for name, test := range map[string]func(*testing.T, window){
			"KeyboardAlone": testKeyboardAlone, "Views": testViews, "Looks": testLooks, "PressesShow": testPressesShow,
			"Modals": testModals, "Places": testPlaces, "Completion": testCompletion, "Arguments": testArguments, "Log": testLog,
			"Reverts": testReverts, "Pages": testPages, "Databases": testDatabases,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, b.open(t))
			})
		}
	})
}

// focused lets a page behave as the one in front, which only one of them is.
var focused = chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
	_, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	return err
})

// A window is somebody's browser at a sandbox.
type window struct {
	t   *testing.T
	ctx context.Context
	visitor
	box *sandbox
}

// open opens a sandbox of its own in the browser, as ana, and waits until one
// can begin.
func (b browser) open(t *testing.T) window {
	t.Helper()
	c, s := visit(t)
	c.await("the bot has connected", func() bool { return c.world().Bot.Sockets > 0 })
	return b.at(t, c, s)
}

// at opens a sandbox that is there.
func (b browser) at(t *testing.T, c visitor, s *sandbox) window {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	ctx, stop := context.WithTimeout(ctx, 40*time.Second)
	t.Cleanup(stop)
	w := window{t, ctx, c, s}
	if err := chromedp.Listen(ctx, func(event any) {
		if e, ok := event.(*runtime.EventExceptionThrown); ok && e.ExceptionDetails.Exception != nil {
			t.Errorf("the page: %s %s", e.ExceptionDetails.Text, e.ExceptionDetails.Exception.Description)
		}
	}); err != nil {
		t.Fatal(err)
	}
	w.do(chromedp.EmulateViewport(1360, 900), focused, chromedp.Navigate(c.url+"/"))
	w.do(chromedp.Evaluate[chromedp.Void](b.axe))
	w.until(`document.activeElement.id === "text"`) // the last that the page does by itself
	return w
}

func (w window) do(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	if err := chromedp.Do(w.ctx, actions...); err != nil {
		w.t.Fatal(err)
	}
}

// eval is what a script in the page comes to; promises are waited for.
func eval[V any](w window, script string) V {
	w.t.Helper()
	v, err := chromedp.Run(w.ctx, chromedp.Evaluate[V](script, chromedp.EvalAwaitPromise))
	if err != nil {
		w.t.Fatalf("%v\n%.300s", err, script)
	}
	return v
}

// until waits for an expression in the page to hold.
func (w window) until(expression string) {
	w.t.Helper()
	const patience = 20_000 // ms
	held := eval[bool](w, fmt.Sprintf(`new Promise((resolve) => {
		const late = performance.now() + %d;
		const look = () => ((%s) ? resolve(true) : performance.now() > late ? resolve(false) : setTimeout(look, 25));
		look();
	})`, patience, expression))
	if !held {
		w.picture("failed-" + strings.ReplaceAll(w.t.Name(), "/", "-"))
		w.t.Fatalf("waiting for %s: the page says\n%s", expression, eval[string](w, "document.body.innerText"))
	}
}

func (w window) says(text string) {
	w.t.Helper()
	w.until(fmt.Sprintf("document.body.innerText.includes(%q)", text))
}

func (w window) picture(name string) {
	w.t.Helper()
	png, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.MkdirAll(pictures, 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(pictures, "sandbox-"+name+".png"), png, 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w window) dark(yes bool) {
	w.t.Helper()
	value := "light"
	if yes {
		value = "dark"
	}
	w.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: value}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		return err
	}))
}

func (w window) keys(keys string) { w.t.Helper(); w.do(chromedp.KeyEvent(keys)) }

// tab goes on with Tab, or back, until what has the focus reads label.
func (w window) tab(label string, back bool) {
	w.t.Helper()
	key := chromedp.KeyEvent(kb.Tab)
	if back {
		key = chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift))
	}
	var passed []string
	for range 40 {
		at := eval[string](w, `document.activeElement.innerText || document.activeElement.getAttribute("aria-label") || document.activeElement.id`)
		if first, _, _ := strings.Cut(at, "\n"); strings.TrimSpace(first) == label {
			return
		}
		passed = append(passed, at)
		w.do(key)
	}
	w.t.Fatalf("Tab does not get to %q, but to %q", label, passed)
}

// A promotion without a mouse.
func testKeyboardAlone(t *testing.T, w window) {
	w.keys("/th deploy prod" + kb.Enter)
	w.says("Promote to production?")
	w.tab("Promote", true)
	w.keys(kb.Enter)
	w.until(`document.getElementById("confirm").open`)
	w.picture("confirm")
	yes := eval[string](w, `document.getElementById("confirm-yes").innerText`)
	w.tab(yes, false)
	w.keys(kb.Enter)
	w.says("Production is now on")
	if proceeds := w.box.now().Jenkins.Proceeds(); len(proceeds) != 1 || w.box.now().Live("production") != world.Commit("9f8e7d6") {
		t.Errorf("proceeded %v, live %s", proceeds, w.box.now().Live("production"))
	}
}

// accessible checks the rules on what is shown now.
func (w window) accessible(what string) {
	w.t.Helper()
	found := eval[[]struct {
		ID, Help string
		Nodes    []struct {
			HTML, FailureSummary string
		}
	}](w, `axe.run().then((r) => r.violations)`)
	for _, v := range found {
		for _, n := range v.Nodes {
			w.t.Errorf("%s: %s: %s\n%s\n%s", what, v.ID, v.Help, n.HTML, n.FailureSummary)
		}
	}
}

// axe reads axe-core, as npm installs what the lock file names.
func axe(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		lacking(t, "no npm: %v", err)
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join("axetest", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	npm := exec.CommandContext(t.Context(), "npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		lacking(t, "npm ci: %v\n%s", err, out)
	}
	script, err := os.ReadFile(filepath.Join(dir, "node_modules/axe-core/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

// everyWay shows the page wide and on a phone, in light and dark. Nothing of it
// may be to scroll sideways.
func (w window) everyWay(show func(way string)) {
	w.t.Helper()
	for _, size := range []struct {
		name          string
		width, height int64
	}{{"wide", 1280, 800}, {"phone", 390, 844}} {
		w.do(chromedp.EmulateViewport(size.width, size.height))
		for _, shade := range []string{"light", "dark"} {
			w.dark(shade == "dark")
			show(size.name + "-" + shade)
			if over := eval[int](w, "document.scrollingElement.scrollWidth - innerWidth"); over > 0 {
				w.t.Errorf("%s-%s is %d pixels too wide", size.name, shade, over)
			}
		}
	}
}

// look shows the chat or the world, and takes a picture that axe-core has
// nothing against.
func (w window) look(view, picture string) {
	w.t.Helper()
	eval[bool](w, fmt.Sprintf(`document.querySelector('[data-show=%q]').click(), true`, view))
	w.accessible(picture)
	w.picture(picture)
}

// The chat and the world with something of every sort in them.
func testViews(t *testing.T, w window) {
	w.say("ana", "/th deploy prod")
	w.say("bob", "/th status")
	w.says("Promote to production?")
	w.say("ana", "/th deploy nonsense")
	w.says("Only visible to you")
	w.everyWay(func(way string) {
		size, shade, _ := strings.Cut(way, "-")
		w.look("chat", size+"-chat-"+shade)
		if size == "phone" { // wide, both are there
			w.look("world", size+"-world-"+shade)
		}
	})
}

// What a promotion looks like: the question, Slack's dialog, and the world
// while it happens.
func testLooks(t *testing.T, w window) {
	w.say("ana", "/th deploy prod")
	w.says("Promote to production?")
	for _, name := range []string{"slack-hostile", "push-prototype", "push"} {
		w.turn(name)
	}
	w.until(`document.querySelector("#group-slack").innerText.includes("seed")`)
	w.everyWay(func(way string) {
		w.look("chat", "question-"+way)
		w.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#messages .button.primary").click()`))
		w.until(`document.getElementById("confirm").open`)
		w.accessible("confirm " + way)
		w.picture("confirm-" + way)
		w.keys(kb.Escape)
		w.until(`!document.getElementById("confirm").open`)
		w.look("world", "world-"+way)
		w.do(chromedp.ScrollIntoView("#group-slack"))
		w.picture("branches-" + way)
		w.do(chromedp.Evaluate[chromedp.Void](`document.querySelector(".world").scrollTop = 0`))
	})
}

// watcher measures in the page how long it takes from a press to the first
// thing that looks different.
//
//go:embed testdata/watcher.js
var watcher string

// Whatever is pressed, something changes at once.
func testPressesShow(t *testing.T, w window) {
	w.do(chromedp.Evaluate[chromedp.Void](watcher))
	press := func(selector string) {
		t.Helper()
		took := eval[float64](w, fmt.Sprintf("pressed(%s)", quoted(selector)))
		if took < 0 || took > 200 {
			t.Errorf("%s: something is different after %.0f ms (-1: never)", selector, took)
		}
	}
	press(".hints button")
	press(`#composer [type="submit"]`)
	w.do(chromedp.SetValue("#text", "/th deploy prod"))
	press(`#composer [type="submit"]`)
	w.says("Promote to production?")
	press("#messages .button.primary")
	w.until(`document.getElementById("confirm").open`)
	press("#confirm-no")
	for _, name := range eval[[]string](w, `[...document.querySelectorAll('.knobs [data-key]')].map((e) => e.dataset.key)`) {
		if name == "switch reset" || name == "switch stop" { // last
			continue
		}
		selector := fmt.Sprintf("[data-key=%q]", name)
		if eval[bool](w, fmt.Sprintf("document.querySelector(%s).disabled", quoted(selector))) {
			continue
		}
		press(selector)
		w.until(fmt.Sprintf(`!document.querySelector(%s).hasAttribute("aria-busy")`, quoted(selector)))
	}
	press(`[data-key="switch reset"]`)
	press(`#people [value="bob"]`)
	press(`#channels [value="general"]`)
	w.do(chromedp.EmulateViewport(390, 844))
	press(`[data-show="world"]`)
	press(`[data-show="chat"]`)
}

func quoted(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // unreachable: it is a string
	}
	return string(text)
}
