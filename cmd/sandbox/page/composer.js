// The line to type in: it completes commands and remembers what was sent.
import { again, h } from "./dom.js";
import { completions } from "./complete.js";

/** composer is the line in form; say sends what was typed. */
export function composer(form, say) {
  const line = form.elements.text;
  const list = form.querySelector("[role=listbox]"); // none: nothing is completed
  const sent = JSON.parse(sessionStorage.getItem("sent") ?? "[]");
  let at = sent.length; // which of them is in the line; their number: none
  let draft = "";
  let commands = [];
  let offers = [];
  let chosen = -1; // of the offers

  const put = (text) => {
    line.value = text;
    line.setSelectionRange(text.length, text.length);
  };
  function offer(found) {
    if (!list) return;
    offers = found;
    chosen = -1;
    list.hidden = !offers.length;
    line.setAttribute("aria-expanded", String(offers.length > 0));
    list.replaceChildren(...offers.map(([text, does], i) => h("li", {
      role: "option", id: "offer-" + i,
      onmousedown(e) {
        e.preventDefault(); // the line keeps the focus
        accept(i);
      },
    }, h("code", {}, text), h("span", {}, does))));
    mark();
  }
  function mark() {
    [...list.children].forEach((o, i) => o.setAttribute("aria-selected", String(i === chosen)));
    if (chosen < 0) line.removeAttribute("aria-activedescendant");
    else line.setAttribute("aria-activedescendant", "offer-" + chosen);
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
  }
  function accept(i) {
    put(offers[i][0]);
    offer(completions(line.value, commands));
  }

  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    const text = line.value.trim();
    if (!text) return;
    if (sent.at(-1) !== text) sent.push(text);
    sessionStorage.setItem("sent", JSON.stringify(sent.slice(-50)));
    at = sent.length;
    put("");
    offer([]);
    form.setAttribute("aria-busy", "true");
    const said = await say(text);
    form.removeAttribute("aria-busy");
    if (!said && !line.value) put(text); // nothing typed is lost
  });
  line.addEventListener("input", () => offer(completions(line.value, commands)));
  line.addEventListener("blur", () => offer([]));
  line.addEventListener("keydown", (e) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[e.key];
    const take = offers.length > 0 && !e.shiftKey && (e.key === "Tab" || (e.key === "Enter" && chosen >= 0));
    if (take || (offers.length > 0 && (step || e.key === "Escape"))) {
      e.preventDefault();
      if (take) accept(Math.max(chosen, 0));
      else if (step) {
        chosen = (chosen + step + offers.length + (chosen < 0 && step < 0 ? 1 : 0)) % offers.length;
        mark();
      } else offer([]);
      return;
    }
    const to = at + step;
    if (!(to >= 0 && to <= sent.length)) return;
    e.preventDefault();
    if (at === sent.length) draft = line.value;
    at = to;
    put(sent[at] ?? draft);
  });
  return {
    /** hint sets what the line and the buttons above it suggest. */
    hint(texts, placeholder, known) {
      commands = known;
      line.placeholder = placeholder;
      const row = form.querySelector(".hints");
      if (!row) return;
      again(row, texts, () => texts.map((text) => h("button", {
        type: "button",
        onclick() {
          put(text);
          line.focus();
        },
      }, text)));
    },
    focus: () => line.focus(),
  };
}
