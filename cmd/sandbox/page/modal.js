// Modals, one on top of the other, and Home: what the app shows one person.
import { again, busily, h } from "./dom.js";
import { blocks } from "./blocks.js";
import { confirmed } from "./confirm.js";

/** context is what the blocks of a view need. act has press, choose, submit and
 *  close, which ask Slack. */
function context(v, names, act, typed) {
  return {
    names, typed, key: v.id, values: v.values, pressing: () => false,
    press: async (e, button) => (await confirmed(e)) && busily(button, () => act.press(v.id, e)),
    choose: async (e, choices) => (await confirmed(e)) && act.choose(v.id, e, choices),
  };
}

/** modal shows the topmost of a stack of views in dialog. */
export function modal(dialog, act) {
  const form = dialog.querySelector("form");
  const part = (name) => dialog.querySelector(`[data-part="${name}"]`);
  let top;
  const close = (all) => top && act.close(top.id, all);
  dialog.addEventListener("cancel", (e) => {
    e.preventDefault(); // it closes when Slack has closed it
    close(false);
  });
  part("all").addEventListener("click", () => close(true));
  part("close").addEventListener("click", () => close(false));
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    busily(part("submit"), () => act.submit(top.id, inputs()));
  });

  /** inputs is what is filled in, by block_id. */
  function inputs() {
    const all = {};
    for (const field of form.querySelectorAll("[data-block]")) {
      const control = [...field.querySelectorAll("*")].find((c) => c.chosen);
      if (control) all[field.dataset.block] = control.chosen();
    }
    return all;
  }

  function show(stack, names) {
    const other = stack.at(-1)?.id !== top?.id;
    top = stack.at(-1);
    if (!top) {
      if (dialog.open) dialog.close();
      again(part("blocks"), [], () => []); // what it showed may be secret
      return;
    }
    part("title").textContent = top.title;
    part("below").textContent = stack.length > 1 ? `on top of ${stack.slice(0, -1).map((v) => v.title).join(", ")}` : "";
    part("submit").textContent = top.submit ?? "";
    part("submit").hidden = !top.submit;
    part("close").textContent = top.close || (top.submit ? "Cancel" : "Close");
    part("warning").textContent = top.warning ?? "";
    part("warning").hidden = !top.warning;
    const typed = other ? {} : inputs(); // Slack keeps it when the app changes the view
    again(part("blocks"), [top.id, top.hash, top.blocks], () => blocks(top.blocks, context(top, names, act, typed)));
    for (const field of form.querySelectorAll("[data-block]")) {
      const wrong = top.errors?.[field.dataset.block] ?? "";
      const said = field.querySelector(".wrong");
      if (said.textContent !== wrong) said.textContent = wrong;
      said.hidden = !wrong;
      const control = [...field.querySelectorAll("*")].find((c) => c.chosen);
      control?.setAttribute("aria-invalid", String(Boolean(wrong)));
    }
    if (!dialog.open) dialog.showModal();
    if (other) part("blocks").scrollTop = 0;
    if (other) (dialog.querySelector("[data-part=blocks] :is(input, select, textarea, button)") ?? part("close")).focus();
  }
  return { show };
}

/** home shows what was published to somebody's Home, if anything was. */
export function home(panel, v, names, act) {
  again(panel, [v, names], () => v
    ? h("div", { class: "blocks" }, blocks(v.blocks, context(v, names, act)))
    : h("p", { class: "empty" }, "The bot has published nothing here."));
}
