// Block Kit, turned into elements: the blocks that fakeslack knows.
import { h } from "./dom.js";
import { idOf, input } from "./inputs.js";
import { link, mrkdwn } from "./mrkdwn.js";

/** blocks are the elements of a message's blocks, or a view's. ctx has key, names
 *  by id, values if Slack keeps them, locked, and for what one uses
 *  pressing(action, value), press(button, element) and choose(menu, choices). */
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
        b.accessory && h("div", {}, element(b.accessory, ctx, b)));
    case "header":
      return h("h3", {}, b.text.text);
    case "divider":
      return h("hr");
    case "context":
      return h("div", { class: "context" }, b.elements.map((e) => (e.type === "image" ? picture(e) : h("div", {}, text(e, ctx)))));
    case "actions":
      return h("div", { class: "actions" }, b.elements.map((e) => element(e, ctx, b)));
    case "input": {
      const field = element(b.element, { ...ctx, label: b.label.text }, b);
      return h("div", { class: "field", "data-block": b.block_id },
        h("label", { for: idOf(b.element, b, ctx) }, b.label.text, b.optional && h("small", {}, " (optional)")),
        field, h("p", { class: "wrong", role: "alert", hidden: true }),
        b.hint && h("small", {}, b.hint.text));
    }
    case "rich_text":
      return h("div", {}, b.elements.map((e) => rich(e, ctx)));
    case "markdown":
      return h("div", { class: "plain" }, b.text);
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

/** rich is a part of rich text, read for its words and its links. */
function rich(e, ctx) {
  const inner = () => (e.elements ?? []).map((x) => rich(x, ctx));
  switch (e.type) {
    case "text": return e.style?.code ? h("code", {}, e.text) : e.style?.bold ? h("strong", {}, e.text) : e.text;
    case "link": return link(e.url, e.text ?? e.url);
    case "user": case "channel": return h("span", { class: "mention" }, (e.type === "user" ? "@" : "#") + (ctx.names[e.user_id ?? e.channel_id] ?? "?"));
    case "emoji": return `:${e.name}:`;
    case "rich_text_list": return h("ul", {}, e.elements.map((x) => h("li", {}, rich(x, ctx))));
    case "rich_text_preformatted": return h("pre", {}, inner());
    case "rich_text_quote": return h("blockquote", {}, inner());
  }
  return h("div", {}, inner());
}

function element(e, ctx, b) {
  if (e.type === "button") return button(e, ctx);
  if (e.type === "image") return picture(e);
  return input(e, b, ctx) ?? h("p", { class: "context" }, `(an element of type ${e.type}, which this page does not show)`);
}

function button(e, ctx) {
  const busy = ctx.pressing(e.action_id, e.value ?? "");
  const props = {
    class: ["button", e.style].filter(Boolean).join(" "),
    "data-key": `${ctx.key} ${e.action_id} ${e.value ?? ""}`,
    "aria-label": e.accessibility_label,
    "aria-busy": busy ? "true" : undefined,
    onclick: (event) => ctx.press(e, event.currentTarget),
  };
  if (e.url) return link(e.url, e.text.text, props);
  return h("button", { ...props, type: "button", disabled: ctx.locked }, e.text.text);
}
