// What one chooses or types in blocks. Each is an element with chosen(), which
// is what Slack is told: values, ids, dates, times, or what was typed.
import { h } from "./dom.js";

const typed = (kind) => ({ plain_text_input: "text", number_input: "number" })[kind] ?? /^(email|url)_text_input$/.exec(kind)?.[1];
const picked = { datepicker: "date", timepicker: "time", datetimepicker: "datetime-local" };

/** input is the control of an element of the block b, or undefined for one that
 *  this page does not know. ctx is that of blocks. */
export function input(e, b, ctx) {
  const props = {
    id: idOf(e, b, ctx), "data-key": `${ctx.key} ${e.action_id}`, disabled: ctx.locked,
    "aria-label": b.type === "input" ? undefined : e.placeholder?.text ?? e.action_id,
  };
  const begin = beginning(e, b, ctx);
  const made = make(e, props, begin, ctx);
  if (made && (b.type !== "input" || b.dispatch_action)) made.addEventListener("change", () => ctx.choose(e, made.chosen()));
  return made;
}

/** idOf is the id of an element's control, for its label. */
export const idOf = (e, b, ctx) => `${ctx.key} ${b.block_id} ${e.action_id}`.replace(/[^\w-]/g, "_");

function make(e, props, begin, ctx) {
  const kind = e.type.replace(/^multi_/, "");
  if (typed(kind)) {
    const line = h(e.multiline ? "textarea" : "input", {
      ...props, type: e.multiline ? undefined : typed(kind), placeholder: e.placeholder?.text ?? "", value: begin[0] ?? "",
      maxLength: e.max_length, rows: e.multiline ? 4 : undefined,
      step: e.type === "number_input" && e.is_decimal_allowed ? "any" : undefined,
    });
    line.chosen = () => (line.value === "" ? [] : [line.value]);
    return line;
  }
  if (picked[kind]) {
    const line = h("input", { ...props, type: picked[kind], value: begin[0] ?? "" });
    line.chosen = () => (line.value === "" ? [] : [kind === "datetimepicker" ? String(Date.parse(line.value) / 1000) : line.value]);
    return line;
  }
  const options = offered(e, kind, ctx);
  if (!options) return undefined;
  const on = ([value, label]) => begin.some((x) => x === value || x.replace(/^[@#]/, "") === label);
  if (kind === "radio_buttons" || kind === "checkboxes") {
    const boxes = options.map((o) => [h("input", { type: kind === "checkboxes" ? "checkbox" : "radio", name: props.id, value: o[0], checked: on(o), disabled: ctx.locked }), o[1]]);
    const group = h("div", { id: props.id, class: "boxes", role: kind === "checkboxes" ? "group" : "radiogroup", "aria-label": props["aria-label"] ?? ctx.label },
      boxes.map(([box, label]) => h("label", {}, box, label)));
    group.chosen = () => boxes.filter(([box]) => box.checked).map(([box]) => box.value);
    return group;
  }
  const multiple = e.type.startsWith("multi_");
  const select = h("select", { ...props, multiple },
    !multiple && h("option", { value: "" }, kind === "overflow" ? "…" : e.placeholder?.text ?? "Choose"),
    options.map((o) => h("option", { value: o[0], selected: on(o) }, o[1])));
  select.chosen = () => [...select.selectedOptions].map((o) => o.value).filter(Boolean);
  return select;
}

/** offered are the values and labels one can choose from. */
function offered(e, kind, ctx) {
  const people = (letter) => Object.entries(ctx.names).filter(([id]) => id.startsWith(letter));
  switch (kind) {
    case "static_select": case "radio_buttons": case "checkboxes": case "overflow":
      return [...(e.options ?? []), ...(e.option_groups ?? []).flatMap((g) => g.options)].map((o) => [o.value, o.text.text]);
    case "users_select":
      return people("U");
    case "channels_select": case "conversations_select":
      return people("C");
  }
}

/** beginning is what is chosen already: what was typed and not sent yet, or what
 *  Slack says it is, or else what the app wanted at first. */
function beginning(e, b, ctx) {
  const typed = ctx.typed?.[b.block_id];
  if (typed) return typed;
  const now = ctx.values?.[`${b.block_id}/${e.action_id}`];
  if (now) return now;
  const options = [e.initial_option ?? [], e.initial_options ?? []].flat().map((o) => o.value);
  const plain = [e.initial_value, e.initial_date, e.initial_time, e.initial_user, e.initial_users, e.initial_channel, e.initial_channels, e.initial_conversation, e.initial_conversations];
  return [...options, ...plain.flat().filter(Boolean).map(String)];
}
