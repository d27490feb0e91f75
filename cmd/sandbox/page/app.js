// The page: who one is and where, what changes, and what one does about it.
import { again, avatar, h } from "./dom.js";
import { chat, composer } from "./chat.js";
import { world } from "./world.js";

const $ = (id) => document.getElementById(id);
const hints = ["/th", "/th status", "/th deploy prod", "/th help"];

// Two windows can be two people, so who one is stands in the address.
const me = { as: "ana", channel: "treeherder-ops", ...inAddress() };

function inAddress() {
  const said = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(["as", "channel"].filter((key) => said.has(key)).map((key) => [key, said.get(key)]));
}

async function ask(path, body) {
  const answer = await fetch(path, body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const json = await answer.json();
  if (!answer.ok) throw new Error(json.error);
  return json;
}

/** tried does f, and says what kept it from being done. */
async function tried(f) {
  try {
    return await f();
  } catch (e) {
    toast(e instanceof TypeError ? "The sandbox does not answer." : e.message, true);
  }
}

let fading;
function toast(text, bad) {
  const t = $("toast");
  t.textContent = text;
  t.classList.toggle("bad", Boolean(bad));
  t.hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => (t.hidden = true), 4000 + 40 * text.length);
}

const room = chat($("messages"), $("newer"), {
  press: (ts, button) => tried(() => ask("/api/press", { ...me, ts, action: button.action_id, value: button.value ?? "" })),
});
const line = composer($("composer"), async (text) => {
  room.toEnd();
  const said = await tried(() => ask("/api/say", { ...me, text }));
  await refresh();
  room.toEnd();
  return Boolean(said);
});
const above = world(document.querySelector(".world"), (name, params) => tried(async () => toast((await ask("/api/world/" + name, params)).done)));

/** refresh looks again. What changes while it looks makes it look once more. */
let looking, stale;
function refresh() {
  stale = true;
  looking ??= (async () => {
    try {
      while (stale) {
        stale = false;
        const w = await ask("/api/world");
        const person = w.people.find((p) => p.name === me.as || p.id === me.as) ?? w.people[0];
        const place = w.channels.find((c) => c.name === me.channel || c.id === me.channel) ?? w.channels[0];
        Object.assign(me, { as: person.name, channel: place.name });
        const messages = await ask("/api/messages?" + new URLSearchParams(me));
        if (me.as === person.name && me.channel === place.name) show(messages, w, person, place);
        else stale = true;
      }
      connected(true);
    } catch (e) {
      connected(false, e);
    } finally {
      looking = undefined;
    }
  })();
  return looking;
}

function connected(yes, why) {
  document.body.classList.toggle("away", !yes);
  $("away").hidden = yes;
  if (!yes && !(why instanceof TypeError)) toast(why.message, true);
}

let seen; // the world, when it was last looked at
function show(messages, w, person, place) {
  seen = w;
  choices($("people"), "as", w.people.map((p) => [p.name, person === p, [avatar(p.name), h("span", {}, h("b", {}, p.name), h("small", {}, p.role))]]));
  choices($("channels"), "channel", w.channels.map((c) => [c.name, place === c, [h("span", { class: "hash", "aria-hidden": "true" }, "#"), h("span", {}, c.name)]]));
  menu($("person-list"), "as", w.people.map((p) => [p.name, `${p.name}, ${p.role}`]), person.name);
  menu($("channel-list"), "channel", w.channels.map((c) => [c.name, "#" + c.name]), place.name);
  $("room").textContent = "#" + place.name;
  again($("self"), person, () => ["You are ", h("b", {}, person.name), `, ${person.role}.`]);
  document.title = `${person.name} in #${place.name} – thbot sandbox`;
  const here = place === w.channels[0];
  line.hint(here ? hints : [], `Message #${place.name} as ${person.name}`);
  const names = { ...w.names, ...Object.fromEntries(w.channels.map((c) => [c.id, c.name])) };
  room.show(messages, names, person.id + place.id, here
    ? "Nothing has been said yet. Ask the bot: type /th deploy prod below, and press Enter."
    : "Nothing has been said here yet.");
  above.show(w);
}

/** choices are radio buttons, which the arrow keys go through. */
function choices(field, key, options) {
  if (field.elements.length !== options.length) {
    field.append(...options.map(([value, , label]) => h("label", {}, h("input", { type: "radio", name: key, value, onchange: () => be({ [key]: value }) }), label)));
  }
  options.forEach(([, chosen], i) => (field.elements[i].checked = chosen));
}

function menu(select, key, options, chosen) {
  if (select.options.length !== options.length) {
    select.append(...options.map(([value, label]) => h("option", { value }, label)));
    select.addEventListener("change", () => be({ [key]: select.value }));
  }
  select.value = chosen;
}

function be(who) {
  Object.assign(me, who);
  history.replaceState(null, "", "#" + new URLSearchParams(me));
  refresh();
}
addEventListener("hashchange", () => be(inAddress()));

function view(name) {
  document.body.dataset.view = name;
  for (const b of document.querySelectorAll("[data-show]")) b.setAttribute("aria-pressed", String(b.dataset.show === name));
}
for (const b of document.querySelectorAll("[data-show]")) b.addEventListener("click", () => view(b.dataset.show));

// Links in messages lead to services that are pretended. What they are about
// is beside the chat.
$("messages").addEventListener("click", (e) => {
  const a = e.target.closest("a");
  if (!a || e.ctrlKey || e.metaKey || e.shiftKey) return;
  e.preventDefault();
  const number = a.href.startsWith(seen.jenkins.url) && /\/(\d+)\/(?:input\/)?$/.exec(a.href);
  const sha = /\/commit\/([0-9a-f]{7})/.exec(a.href);
  const app = seen.environments.find((x) => a.href.startsWith(x.url));
  const at = number ? $("run-" + number[1]) : sha ? $("commit-" + sha[1]) : app ? $("app-" + app.name) : /\/compare\//.test(a.href) ? $("group-github") : undefined;
  if (!at) {
    toast(`${a.href} is not part of the sandbox.`);
    return;
  }
  view("world");
  at.scrollIntoView({ block: "center" });
  at.classList.remove("here");
  requestAnimationFrame(() => at.classList.add("here"));
});

const events = new EventSource("/api/events");
events.addEventListener("change", refresh);
events.addEventListener("error", () => connected(false, new TypeError()));
refresh().then(() => matchMedia("(min-width: 52rem)").matches && line.focus());
