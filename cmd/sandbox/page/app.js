// The page: who one is and where, what changes, and what one does about it.
import { again, avatar, h } from "./dom.js";
import { chat } from "./chat.js";
import { composer } from "./composer.js";
import { home, modal } from "./modal.js";
import { mrkdwn } from "./mrkdwn.js";
import { readIn } from "./time.js";
import { world } from "./world.js";

const $ = (id) => document.getElementById(id);
const hints = ["/th", "/th status", "/th deploy prod", "/th page the site is down", "/th access list", "/th help"];

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

const send = (path, body) => tried(() => ask(path, body)).finally(refresh);
const act = {
  press: (ts, button) => send("/api/press", { ...me, ts, action: button.action_id, value: button.value ?? "" }),
  choose: (ts, menu, choices) => send("/api/choose", { ...me, ts, action: menu.action_id, choices }),
};
const inView = {
  press: (view, button) => send("/api/press", { as: me.as, view, action: button.action_id, value: button.value ?? "" }),
  choose: (view, menu, choices) => send("/api/choose", { as: me.as, view, action: menu.action_id, choices }),
  submit: (view, inputs) => send("/api/submit", { as: me.as, view, inputs }),
  close: (view, all) => send("/api/close", { as: me.as, view, all }),
};

let thread; // ts of the message whose thread is open
function open(ts) {
  if (thread === ts) return;
  thread = ts;
  $("thread").hidden = !ts;
  if (ts) $("thread-composer").elements.text.focus();
  else line.focus();
  refresh();
}
$("thread-close").addEventListener("click", () => open(undefined));
$("thread").addEventListener("keydown", (e) => e.key === "Escape" && open(undefined));

const room = chat($("messages"), $("newer"), { ...act, thread: open });
const replies = chat($("thread-messages"), $("thread-newer"), act);

/** saying sends a line and shows what came of it. */
const saying = (where, more) => async (text) => {
  where.toEnd();
  const said = await tried(() => ask("/api/say", { ...me, text, ...more() }));
  await refresh();
  where.toEnd();
  return Boolean(said);
};
const line = composer($("composer"), saying(room, () => ({})));
const reply = composer($("thread-composer"), saying(replies, () => ({ thread })));
const modals = modal($("modal"), inView);
const above = world(document.querySelector(".world"), (name, params) => tried(async () => toast((await ask("/api/world/" + name, params)).done)), () => tried(() => ask("/api/log")));

// What each person has read of each place, by both ids. Slack keeps it, here
// the window does.
const read = JSON.parse(sessionStorage.getItem("read") ?? "{}");
let since; // up to where it was read when one came here
const newest = (place) => place.said.at(-1) ?? "";
const unread = (person, place) => place.said.filter((ts) => ts > (read[person.id + place.id] ?? "")).length;
function reading(person, place) {
  if (document.hidden || read[person.id + place.id] === newest(place)) return;
  read[person.id + place.id] = newest(place);
  sessionStorage.setItem("read", JSON.stringify(read));
}
document.addEventListener("visibilitychange", () => document.hidden || refresh());

/** refresh looks again. What changes while it looks makes it look once more. */
let looking, stale;
function refresh() {
  stale = true;
  looking ??= (async () => {
    try {
      while (stale) {
        stale = false;
        const w = await ask("/api/world");
        const wanted = { ...me };
        const person = w.people.find((p) => p.name === me.as || p.id === me.as) ?? w.people[0];
        const as = "?" + new URLSearchParams({ as: person.name });
        const [places, views] = await Promise.all([ask("/api/places" + as), ask("/api/modal" + as)]);
        const place = places.find((c) => c.name === me.channel || c.id === me.channel) ?? places[0];
        if (me.as !== wanted.as || me.channel !== wanted.channel) { // somebody has chosen another meanwhile
          stale = true;
          continue;
        }
        Object.assign(me, { as: person.name, channel: place.name });
        const content = await ask(place.kind === "home" ? "/api/home" + as : "/api/messages?" + new URLSearchParams(me));
        if (me.as === person.name && me.channel === place.name) show({ w, person, places, place, content, views });
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

const titles = { channel: (p) => "#" + p.name, dm: () => "th, directly", home: () => "Home of th" };
const signs = { channel: "#", dm: "@", home: "⌂" };

let seen; // the world, when it was last looked at
let was; // whose place was shown
function show({ w, person, places, place, content, views }) {
  seen = w;
  readIn(person.zone);
  const title = (p) => titles[p.kind](p);
  if (was !== person.id + place.id) {
    was = person.id + place.id;
    since = read[was];
    if (thread) open(undefined);
    if (place.kind === "home") send("/api/open-home", { as: person.name });
  }
  reading(person, place);
  const count = (p) => unread(person, p);
  choices($("people"), "as", w.people.map((p) => [p.name, person === p, [p.name, p.role, p.is], () => [avatar(p.name), h("span", {}, h("b", {}, p.name), h("small", {}, p.is ? `${p.role} · ${p.is}` : p.role))]]));
  choices($("channels"), "channel", places.map((p) => [p.name, place === p, [p.name, count(p)], () => [
    h("span", { class: "hash", "aria-hidden": "true" }, signs[p.kind]), h("span", {}, p.kind === "channel" ? p.name : title(p)),
    count(p) > 0 && h("span", { class: "unread", title: "unread" }, String(count(p)))]]));
  menu($("person-list"), "as", w.people.map((p) => [p.name, `${p.name}, ${p.role}`]), person.name);
  menu($("channel-list"), "channel", places.map((p) => [p.name, title(p) + (count(p) ? ` (${count(p)} unread)` : "")]), place.name);
  $("room").textContent = title(place);
  again($("self"), person, () => ["You are ", h("b", {}, person.name), `, ${person.role}${person.zone ? `, in ${person.zone}` : ""}.`]);
  const topic = w.channels.find((c) => c.id === place.id)?.topic ?? "";
  $("topic").hidden = !topic;
  again($("topic"), [topic, w.names], () => mrkdwn(topic, w.names));
  document.title = `${person.name} in ${title(place)} – thbot sandbox`;
  const names = { ...w.names, ...Object.fromEntries(w.channels.map((c) => [c.id, c.name])) };
  $("starting").hidden = !w.databases.starting;
  const atHome = place.kind === "home";
  $("home").hidden = !atHome;
  $("messages").hidden = $("composer").hidden = atHome;
  if (atHome) {
    $("newer").hidden = true;
    home($("home"), content, names, inView);
  } else {
    talk(content, names, person, place, place === places[0], w.commands);
  }
  modals.show(views, names);
  above.show(w);
}

/** talk shows a channel, and the thread that is open in it. */
function talk(all, names, person, place, first, commands) {
  line.hint(first ? hints : [], place.kind === "dm" ? `Message th as ${person.name}` : `Message #${place.name} as ${person.name}`, commands);
  const messages = all.map((m) => ({ ...m, mine: m.user === person.id }));
  const answers = (m) => m.thread_ts && m.thread_ts !== m.ts;
  room.show(messages.filter((m) => !answers(m) || m.broadcast || m.ephemeral), names, person.id + place.id, first
    ? "Nothing has been said yet. Ask the bot: type /th deploy prod below, and press Enter."
    : "Nothing has been said here yet.", since);
  if (!thread) return;
  reply.hint([], "Reply as " + person.name, []);
  replies.show(messages.filter((m) => m.ts === thread || m.thread_ts === thread), names, person.id + place.id + thread, "That message is gone.");
}

/** choices are radio buttons, which the arrow keys go through. */
function choices(field, key, options) {
  const list = field.querySelector("div");
  again(list, options.map(([, , data]) => data), () => options.map(([value, , , label]) => h("label", {},
    h("input", { type: "radio", name: key, value, "data-key": `${key} ${value}`, onchange: () => be({ [key]: value }) }), label())));
  options.forEach(([, chosen], i) => (list.querySelectorAll("input")[i].checked = chosen));
}

function menu(select, key, options, chosen) {
  again(select, options, () => options.map(([value, label]) => h("option", { value }, label)));
  select.onchange = () => be({ [key]: select.value });
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

// Links in what the bot says lead to services that are pretended. What they are
// about is beside the chat; Bugzilla has pages of its own.
document.addEventListener("click", (e) => {
  const a = e.target.closest(".blocks a");
  if (!a || e.ctrlKey || e.metaKey || e.shiftKey || a.href.startsWith(seen.bugzilla.url)) return;
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
