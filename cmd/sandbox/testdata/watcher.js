// pressed presses what selector finds, and is the time until something looks
// different, in milliseconds; -1: nothing does.
window.pressed = (selector) => new Promise((resolve) => {
  const button = document.querySelector(selector);
  if (!button) throw new Error("there is no " + selector);
  const looks = () => JSON.stringify([
    document.activeElement?.outerHTML.slice(0, 200), document.body.className, document.body.dataset.view,
    ...[...document.querySelectorAll("input, select, dialog, details")].map((e) => [e.value, e.checked, e.open]),
  ]);
  let began;
  const done = (took) => {
    watch.disconnect();
    clearTimeout(late);
    resolve(took);
  };
  const watch = new MutationObserver((changes) => {
    if (changes.some((c) => c.target.nodeType === Node.TEXT_NODE || c.target.checkVisibility())) done(performance.now() - began);
  });
  watch.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  const late = setTimeout(() => done(-1), 2000);
  const before = looks(); // a radio button is chosen before the click is told
  addEventListener("click", () => (began = performance.now()), { capture: true, once: true });
  button.click();
  if (looks() !== before) done(performance.now() - began);
});
