// Elements are made here, and text gets into them as text alone: there is no
// way from a message to markup.

/** h makes an element. Props are properties, but for class, data-…, aria-… and
 *  role and for, which are attributes, on…, which listen, and hue. Children are nodes,
 *  strings, arrays of these, or nothing. */
export function h(tag, props, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else if (name === "hue") e.style.setProperty("--hue", value);
    else if (name === "class" || name === "role" || name === "for" || /^(data|aria)-/.test(name)) e.setAttribute(name, value);
    else e[name] = value;
  }
  e.append(...children.flat(Infinity).filter((c) => c !== undefined && c !== null && c !== false));
  return e;
}

/** hue is the colour that goes with a name. */
export function hue(name) {
  let n = 0;
  for (const c of name) n = n * 290 + c.codePointAt(0);
  return Math.round(n * 137.5) % 360; // by these numbers the usual people are easy to tell apart
}

export function avatar(name, bot) {
  return h("span", { class: bot ? "avatar bot" : "avatar", hue: hue(name), "aria-hidden": "true" }, bot ? name.slice(0, 2) : name.slice(0, 1).toUpperCase());
}

/** again replaces what is in parent, unless it was made from the same data, and
 *  leaves the focus where it was. */
export function again(parent, data, make) {
  const made = JSON.stringify(data);
  if (parent.made === made) return;
  parent.made = made;
  const key = parent.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  parent.replaceChildren(...[make()].flat(Infinity).filter(Boolean));
  if (key) [...parent.querySelectorAll("[data-key]")].find((e) => e.dataset.key === key)?.focus({ preventScroll: true });
}

/** busily shows on a button that something is under way. */
export async function busily(button, f) {
  button.setAttribute("aria-busy", "true");
  try {
    await f();
  } finally {
    button.removeAttribute("aria-busy");
  }
}
