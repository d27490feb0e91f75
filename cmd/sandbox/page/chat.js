// The channel as one person sees it, and the line to type in.
import { again, avatar, h } from "./dom.js";
import { blocks } from "./blocks.js";
import { mrkdwn } from "./mrkdwn.js";

const near = 120; // seconds between messages that share one heading

/** chat shows messages in list. act has press(ts, button), which asks Slack. */
export function chat(list, newer, act) {
  const pressed = new Map(); // "ts action value" of what is on its way
  let shown = new Map(); // by ts
  let last = { messages: [], names: {} };
  let whose = "";

  let atEnd = true; // then it stays there, whatever comes
  const toEnd = () => {
    list.scrollTop = list.scrollHeight;
    atEnd = true;
    newer.hidden = true;
  };
  newer.addEventListener("click", toEnd);
  list.addEventListener("scroll", () => {
    atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
    if (atEnd) newer.hidden = true;
  });
  new ResizeObserver(() => atEnd && toEnd()).observe(list);

  /** show shows what is there now. Whose names person and channel. */
  function show(messages, names, who, empty) {
    const other = who !== whose;
    const follow = other || atEnd;
    last = { messages, names, who, empty };
    whose = who;
    const there = messages.filter((m) => !m.deleted);
    const more = there.some((m) => !shown.has(m.ts));
    const items = new Map();
    there.forEach((m, i) => {
      const item = (!other && shown.get(m.ts)) || h("li", { class: "message" });
      const busy = [...pressed.keys()].filter((k) => k.startsWith(m.ts + " "));
      const joined = continues(there[i - 1], m);
      again(item, [m, busy, joined, names], () => body(m, names, joined, busy));
      item.classList.toggle("private", m.ephemeral);
      item.classList.toggle("joined", joined);
      items.set(m.ts, item);
    });
    shown = items;
    const nodes = [...items.values()];
    if (!nodes.length) nodes.push(h("li", { class: "empty" }, empty));
    if (nodes.length !== list.children.length || nodes.some((n, i) => n !== list.children[i])) list.replaceChildren(...nodes);
    if (follow) toEnd();
    else if (more) newer.hidden = false;
  }

  function body(m, names, joined, busy) {
    const at = new Date(m.ts * 1000);
    const ctx = {
      names, key: m.ts, locked: busy.length > 0,
      pressing: (action, value) => pressed.has(`${m.ts} ${action} ${value}`),
      press: (button) => press(m.ts, button),
    };
    return [
      joined ? h("span", { class: "gutter" }) : avatar(m.name, m.bot && m.user !== "USLACKBOT"),
      h("div", { class: "said" },
        m.ephemeral && h("p", { class: "only" }, "Only visible to you"),
        !joined && h("p", { class: "by" },
          h("b", {}, m.name), m.bot && h("span", { class: "tag" }, "app"),
          h("time", { dateTime: at.toISOString(), title: at.toLocaleString() }, at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })),
          m.edited > 0 && h("span", { class: "edited", title: m.edited === 1 ? "changed once" : `changed ${m.edited} times` }, "edited")),
        h("div", { class: "blocks" }, m.blocks?.length ? blocks(m.blocks, ctx) : h("div", { class: "section" }, h("div", {}, mrkdwn(m.text, names)))),
        joined && m.edited > 0 && h("span", { class: "edited" }, "edited"),
        m.warning && h("p", { class: "warning", role: "alert" }, m.warning)),
    ];
  }

  async function press(ts, button) {
    const key = `${ts} ${button.action_id} ${button.value ?? ""}`;
    if (pressed.has(key) || !(await confirmed(button))) return;
    pressed.set(key, true);
    redo();
    try {
      await act.press(ts, button);
    } finally {
      pressed.delete(key);
      redo();
    }
  }

  const redo = () => show(last.messages, last.names, last.who, last.empty);
  return { show, toEnd };
}

/** continues reports whether m needs no heading of its own after before. */
function continues(before, m) {
  return before !== undefined && before.user === m.user && before.ephemeral === m.ephemeral && !m.ephemeral && m.ts - before.ts < near;
}

/** confirmed asks what Slack asks before the press of a button counts. */
function confirmed(button) {
  const c = button.confirm;
  if (!c) return true;
  const dialog = document.getElementById("confirm");
  const fill = (id, text) => (document.getElementById(id).textContent = text);
  fill("confirm-title", c.title.text);
  document.getElementById("confirm-text").replaceChildren(...(c.text.type === "mrkdwn" ? mrkdwn(c.text.text, {}) : [c.text.text]));
  fill("confirm-no", c.deny.text);
  fill("confirm-yes", c.confirm.text);
  const yes = document.getElementById("confirm-yes");
  yes.classList.toggle("danger", c.style === "danger");
  yes.classList.toggle("primary", c.style !== "danger");
  dialog.returnValue = "no"; // so that Escape is one
  dialog.showModal();
  // What is dangerous takes a deliberate step.
  document.getElementById(c.style === "danger" ? "confirm-no" : "confirm-yes").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** composer is the line to type in; say sends what was typed. */
export function composer(form, say) {
  const line = form.elements.text;
  const sent = JSON.parse(sessionStorage.getItem("sent") ?? "[]");
  let at = sent.length; // which of them is in the line; their number: none
  let draft = "";

  const put = (text) => {
    line.value = text;
    line.setSelectionRange(text.length, text.length);
  };
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    const text = line.value.trim();
    if (!text) return;
    if (sent.at(-1) !== text) sent.push(text);
    sessionStorage.setItem("sent", JSON.stringify(sent.slice(-50)));
    at = sent.length;
    put("");
    form.setAttribute("aria-busy", "true");
    const said = await say(text);
    form.removeAttribute("aria-busy");
    if (!said && !line.value) put(text); // nothing typed is lost
  });
  line.addEventListener("keydown", (e) => {
    const to = at + { ArrowUp: -1, ArrowDown: 1 }[e.key];
    if (!(to >= 0 && to <= sent.length)) return;
    e.preventDefault();
    if (at === sent.length) draft = line.value;
    at = to;
    put(sent[at] ?? draft);
  });
  return {
    hint(texts, placeholder) {
      line.placeholder = placeholder;
      again(form.querySelector(".hints"), texts, () => texts.map((text) => h("button", {
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
