// A channel, or a thread, as one person sees it.
import { again, avatar, h } from "./dom.js";
import { blocks } from "./blocks.js";
import { confirmed } from "./confirm.js";
import { mrkdwn } from "./mrkdwn.js";
import { clock, written } from "./time.js";

const near = 120; // seconds between messages that share one heading

/** chat shows messages in list. act has press(ts, button) and choose(ts, element,
 *  choices), which ask Slack, and perhaps thread(ts), which opens one. */
export function chat(list, newer, act) {
  const pressed = new Map(); // "ts action value" of what is on its way
  let shown = new Map(); // by ts
  let last;
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

  /** show shows what is there now. who names person and channel; what others
   *  said after since is new. */
  function show(messages, names, who, empty, since) {
    const other = who !== whose;
    const follow = other || atEnd;
    last = [messages, names, who, empty, since];
    whose = who;
    const there = messages.filter((m) => !m.deleted);
    const more = there.some((m) => !shown.has(m.ts));
    const items = new Map();
    const fresh = since && there.find((m) => m.ts > since && !m.mine)?.ts;
    there.forEach((m, i) => {
      const item = (!other && shown.get(m.ts)) || h("article", { class: "message" });
      const busy = [...pressed.keys()].filter((k) => k.startsWith(m.ts + " "));
      const joined = m.ts !== fresh && continues(there[i - 1], m);
      again(item, [m, busy, joined, names, m.ts === fresh], () => body(m, names, joined, busy, m.ts === fresh));
      item.classList.toggle("private", m.ephemeral);
      item.classList.toggle("joined", joined);
      items.set(m.ts, item);
    });
    shown = items;
    const nodes = [...items.values()];
    if (!nodes.length) nodes.push(h("p", { class: "empty" }, empty));
    if (nodes.length !== list.children.length || nodes.some((n, i) => n !== list.children[i])) list.replaceChildren(...nodes);
    if (follow) toEnd();
    else if (more) newer.hidden = false;
  }

  function body(m, names, joined, busy, fresh) {
    const at = new Date(m.ts * 1000);
    const ctx = {
      names, key: m.ts, locked: busy.length > 0,
      pressing: (action, value) => pressed.has(`${m.ts} ${action} ${value}`),
      press: (button) => press(m.ts, button),
      choose: async (e, choices) => (await confirmed(e)) && act.choose(m.ts, e, choices),
    };
    const answers = m.replies > 0 ? `${m.replies} ${m.replies === 1 ? "reply" : "replies"}` : "Reply";
    const threaded = act.thread && !m.ephemeral;
    return [
      fresh && h("p", { class: "fresh" }, "New"),
      joined ? h("span", { class: "gutter" }) : avatar(m.name, m.bot && m.user !== "USLACKBOT"),
      h("div", { class: "said" },
        m.ephemeral && h("p", { class: "only" }, "Only visible to you"),
        !joined && h("p", { class: "by" },
          h("b", {}, m.name), m.bot && h("span", { class: "tag" }, "app"),
          h("time", { dateTime: at.toISOString(), title: written(at) }, clock(at)),
          m.edited > 0 && h("span", { class: "edited", title: m.edited === 1 ? "changed once" : `changed ${m.edited} times` }, "edited"),
          m.pinned && h("span", { class: "edited" }, "pinned"),
          threaded && !m.replies && h("button", { type: "button", class: "reply", "data-key": "reply " + m.ts, "aria-label": `Reply to ${m.name} in a thread`, onclick: () => act.thread(m.ts) }, answers)),
        h("div", { class: "blocks" }, m.blocks?.length ? blocks(m.blocks, ctx) : h("div", { class: "section" }, h("div", {}, mrkdwn(m.text, names)))),
        m.reactions?.length > 0 && h("p", { class: "reactions" }, m.reactions.map((name) => h("span", { class: "badge" }, `:${name}:`))),
        threaded && m.replies > 0 && h("button", { type: "button", class: "replies", "data-key": "reply " + m.ts, onclick: () => act.thread(m.ts) }, answers),
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

  const redo = () => show(...last);
  return { show, toEnd };
}

/** continues reports whether m needs no heading of its own after before. */
function continues(before, m) {
  return before !== undefined && before.user === m.user && before.ephemeral === m.ephemeral && !m.ephemeral && m.ts - before.ts < near;
}
