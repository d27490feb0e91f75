// Block Kit, turned into elements: the blocks that fakeslack knows.
import { h } from "./dom.js";
import { link, mrkdwn } from "./mrkdwn.js";

/** blocks are the elements of a message's blocks. ctx has names, by id, and for
 *  buttons pressing(action, value) and press(button). */
export function blocks(list, ctx) {
  return list.map((b) => block(b, ctx));
}

function block(b, ctx) {
  switch (b.type) {
    case "section":
      return h("div", { class: "section" },
        h("div", {},
          b.text && text(b.text, ctx),
          b.fields && h("div", { class: "fields" }, b.fields.map((f) => h("div", {}, text(f, ctx))))),
        b.accessory && h("div", {}, element(b.accessory, ctx)));
    case "header":
      return h("h3", {}, b.text.text);
    case "divider":
      return h("hr");
    case "context":
      return h("div", { class: "context" }, b.elements.map((e) => (e.type === "image" ? picture(e) : h("div", {}, text(e, ctx)))));
    case "actions":
      return h("div", { class: "actions" }, b.elements.map((e) => element(e, ctx)));
    case "image":
      return picture(b);
  }
  return h("p", { class: "context" }, `(a block of type ${b.type}, which this page does not show)`);
}

function text(t, ctx) {
  return t.type === "mrkdwn" ? mrkdwn(t.text, ctx.names) : h("div", {}, t.text.replace(/\u200b/g, ""));
}

// Nothing is loaded from elsewhere, so a picture is what it says it shows.
function picture(e) {
  return h("span", { class: "picture" }, "🖼 " + e.alt_text);
}

function element(e, ctx) {
  if (e.type === "button") return button(e, ctx);
  if (e.type === "image") return picture(e);
  const label = e.placeholder?.text ?? "Menu";
  return h("button", { type: "button", class: "button", disabled: true, title: "Menus cannot be chosen from here yet" }, label + " ▾");
}

function button(e, ctx) {
  const busy = ctx.pressing(e.action_id, e.value ?? "");
  const props = {
    class: ["button", e.style].filter(Boolean).join(" "),
    "data-key": `${ctx.key} ${e.action_id} ${e.value ?? ""}`,
    "aria-label": e.accessibility_label,
    "aria-busy": busy ? "true" : undefined,
    onclick: () => ctx.press(e),
  };
  if (e.url) return link(e.url, e.text.text, props);
  return h("button", { ...props, type: "button", disabled: ctx.locked }, e.text.text);
}
